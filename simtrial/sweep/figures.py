"""Small multiples of one outcome of a sweep.

Which axis goes where: along the bottom the axis of numbers with the most values (the last of several), apart from the
true rates; the first other axis down the rows, the second across the columns, the third as lines. Further axes stay at
their first value, which the caption says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.conduct.outcomes import OUTCOMES
from simtrial.phrases import counted, listed, stated
from simtrial.show.passage import Passage
from simtrial.show.picture import BLACK, LINES, Drawing, Picture, few_ticks, styled
from simtrial.sweep.results import short
from simtrial.sweep.section import RATE

if TYPE_CHECKING:
    from simtrial.sweep.results import SweepResults


@dataclass(frozen=True, kw_only=True)
class _Layout:
    bottom: str
    rows: str | None
    columns: str | None
    lines: str | None
    fixed: dict[str, object]


def _layout(results: SweepResults) -> _Layout:
    paths = [path for path in results.sweep.paths if path != RATE]
    frame = results.frame
    numbers = [path for path in paths if pd.api.types.is_numeric_dtype(frame[path])]
    bottom = max(reversed(numbers), key=lambda path: frame[path].nunique()) if numbers else [RATE, *paths][-1]
    others = [path for path in paths if path != bottom]
    padded: list[str | None] = [*others, None, None, None]
    rows, columns, lines = padded[:3]
    fixed = {path: frame[path].iloc[0] for path in others[3:]}
    return _Layout(bottom=bottom, rows=rows, columns=columns, lines=lines, fixed=fixed)


def multiples(results: SweepResults, outcome: str) -> Picture | Passage:
    """One outcome at p1 over every axis, as small multiples with their limit.

    Bars are two Monte Carlo standard errors; exact values have none. Where the true rate is the only axis, the outcome
    is shown over it; where the outcome was not asked for, that is said.
    """
    if outcome not in results.sweep.asked.outcomes:
        why = (
            f"Left out: this sweep does not compute the outcome {outcome} ({OUTCOMES[outcome].label}). To have it, "
            "name it under outcomes in the sweep file."
        )
        return Passage(f"sweep_{outcome}", (why,))
    layout = _layout(results)
    frame = results.frame[results.frame.outcome == outcome] if layout.bottom == RATE else results.at_p1(outcome)
    for path, value in layout.fixed.items():
        frame = frame[frame[path] == value]
    rows = list(frame[layout.rows].unique()) if layout.rows else [None]
    columns = list(frame[layout.columns].unique()) if layout.columns else [None]
    lines = list(frame[layout.lines].unique()) if layout.lines else [None]
    limit = _limit(results, outcome)
    with styled():
        figure = Drawing(figsize=(3.1 * len(columns) + 1.2, 2.5 * len(rows) + 0.9), layout="constrained")
        axes = np.atleast_2d(figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False))
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                axis = axes[i, j]
                here = _at(_at(frame, layout.rows, row), layout.columns, column)
                for k, line in enumerate(lines):
                    part = _at(here, layout.lines, line).sort_values(layout.bottom)
                    colour, dash = LINES[k % len(LINES)]
                    label = None if line is None else str(line)
                    axis.errorbar(part[layout.bottom], part.value, 2 * part.mcse.fillna(0.0), color=colour,
                                  linestyle=dash, marker="o", markersize=4, capsize=2, label=label)  # fmt: skip
                if limit is not None:
                    axis.axhline(limit, color=BLACK, linewidth=1.0, linestyle=":")
                named = [f"{short(p)} {v:g}" if isinstance(v, float) else f"{v}" for p, v in
                         ((layout.rows, row), (layout.columns, column)) if p is not None]  # fmt: skip
                axis.set_title(", ".join(named), fontsize=9)
        for axis in axes[-1]:
            axis.set_xlabel(short(layout.bottom), fontsize=9)
            few_ticks(axis.xaxis)
        label = OUTCOMES[outcome].label
        figure.supylabel(f"{label}{_at_rate(results, layout)}", fontsize=10)
        if lines != [None]:
            handles, names = axes[0, 0].get_legend_handles_labels()
            title = short(layout.lines or "")
            figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8.5, title=title,
                          title_fontsize=8.5)  # fmt: skip
    alt, caption = _words(results, layout, frame, label, limit)
    return Picture(f"sweep_{outcome}", alt, figure, caption)


def _words(
    results: SweepResults, layout: _Layout, frame: pd.DataFrame, label: str, limit: float | None
) -> tuple[str, str]:
    """Text alternative and caption."""
    held = "".join(f", {path} {value}" for path, value in layout.fixed.items())
    best, worst = frame.value.max(), frame.value.min()
    line = "" if limit is None else f"; the line is {limit:g}"
    alt = f"{label}{_at_rate(results, layout)} over {short(layout.bottom)}{held}: from {worst:.3g} to {best:.3g}{line}."
    panels = listed([short(path) for path in (layout.rows, layout.columns) if path is not None] or ["none"])
    over = (
        "over the true response rate p"
        if layout.bottom == RATE
        else f"at a true response rate of {stated(results.p1)} over {short(layout.bottom)}"
    )
    caption = f"{label[:1].upper()}{label[1:]} {over}"
    caption += f", in panels by {panels}" if layout.rows is not None else ""
    caption += f", with lines by {short(layout.lines)}" if layout.lines is not None else ""
    caption += f"; held at {listed([f'{short(p)} {v}' for p, v in layout.fixed.items()])}" if layout.fixed else ""
    caption += "." if limit is None else f". Dotted line: {limit:g}."
    simulated = frame.mcse.fillna(0.0) > 0
    if simulated.any():
        which = "All values are" if simulated.all() else "Values with bars are"
        caption += (
            f" {which} simulated ({counted(results.sweep.asked.trials, 'trial')} each); bars are 2 Monte Carlo "
            "standard errors."
        )
        caption += "" if simulated.all() else " All others are exact."
    else:
        caption += " All values are exact."
    return alt, caption


def _at_rate(results: SweepResults, layout: _Layout) -> str:
    return "" if layout.bottom == RATE else f" at p = {results.p1:g}"


def _at(frame: pd.DataFrame, path: str | None, value: object) -> pd.DataFrame:
    return frame if path is None else frame[frame[path] == value]


def _limit(results: SweepResults, outcome: str) -> float | None:
    if outcome == "reject":
        return results.sweep.base.requirements.power
    return results.months if outcome in ("duration_months", "end_month") else None
