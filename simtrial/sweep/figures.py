"""Small multiples of one outcome of a sweep.

The horizontal axis is the axis of numbers with the most values (the last of several), true rates excepted. The first
other axis gives the rows, the second the columns, the third the lines. Further axes stay at their first value, which
the caption states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simtrial.conduct.outcomes import OUTCOMES
from simtrial.phrases import counted, listed
from simtrial.show.picture import BLACK, LINES, STYLE, Picture
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
    bottom = max(reversed(numbers), key=lambda path: frame[path].nunique()) if numbers else paths[-1]
    others = [path for path in paths if path != bottom]
    padded: list[str | None] = [*others, None, None, None]
    rows, columns, lines = padded[:3]
    fixed = {path: frame[path].iloc[0] for path in others[3:]}
    return _Layout(bottom=bottom, rows=rows, columns=columns, lines=lines, fixed=fixed)


def multiples(results: SweepResults, outcome: str) -> Picture:
    """One outcome at p1 over every axis, as small multiples with their limit.

    Bars are two Monte Carlo standard errors; exact values have none.
    """
    layout, frame = _layout(results), results.at_p1(outcome)
    for path, value in layout.fixed.items():
        frame = frame[frame[path] == value]
    rows = list(frame[layout.rows].unique()) if layout.rows else [None]
    columns = list(frame[layout.columns].unique()) if layout.columns else [None]
    lines = list(frame[layout.lines].unique()) if layout.lines else [None]
    limit = _limit(results, outcome)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.1 * len(columns) + 1.2, 2.5 * len(rows) + 0.9), layout="constrained")
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
        label = OUTCOMES[outcome].label
        figure.supylabel(f"{label[:1].upper()}{label[1:]} at p = {results.p1:g}", fontsize=10)
        if lines != [None]:
            axes[0, 0].legend(fontsize=8, title=short(layout.lines or ""), title_fontsize=8)
    held = "".join(f", with {short(path)} = {value}" for path, value in layout.fixed.items())
    best, worst = frame.value.max(), frame.value.min()
    start = f"{label[:1].upper()}{label[1:]} at the true response rate {results.p1:g} over {short(layout.bottom)}{held}"
    line = "" if limit is None else f" The dotted line is the limit {limit:g}."
    alt = f"{start}: from {worst:.3g} to {best:.3g}.{line}"
    panels = [short(part) for part in (layout.rows, layout.columns) if part]
    each = f"one panel per value of {listed(panels)}; " if panels else ""
    lines_of = f"one line per value of {short(layout.lines)}; " if layout.lines else ""
    trials = counted(results.sweep.asked.trials, "simulated trial")
    caption = (
        f"{start}: {each}{lines_of}exact values where there are any, else means of {trials} with bars of two Monte "
        f"Carlo standard errors.{line}"
    )
    return Picture(f"sweep_{outcome}", alt, figure, caption)


def _at(frame: pd.DataFrame, path: str | None, value: object) -> pd.DataFrame:
    return frame if path is None else frame[frame[path] == value]


def _limit(results: SweepResults, outcome: str) -> float | None:
    if outcome == "reject":
        return results.sweep.base.requirements.power
    return results.months if outcome in ("duration_months", "end_month") else None
