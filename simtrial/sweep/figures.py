"""What a sweep shows: small multiples of one outcome, and the scenarios that break a limit.

Which axis goes where: along the bottom the axis of numbers with the most values (the last of several), apart from the
true rates; the first other axis down the rows, the second across the columns, the third as lines. Further axes stay at
their first value, which the caption says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simtrial.conduct.outcomes import OUTCOMES
from simtrial.show.picture import BLACK, LINES, STYLE, Picture
from simtrial.show.table import PATIENTS, WORDS, Shown, Table
from simtrial.show.table import RATE as SHARE
from simtrial.sweep.file import RATE
from simtrial.trial.tables import months_registered

if TYPE_CHECKING:
    from simtrial.sweep.file import Sweep

MOST_ROWS = 60
"""Scenarios shown; all of them stand in the CSV."""


@dataclass(frozen=True)
class Results:
    """A sweep with its results.

    Attributes
    ----------
    sweep : Sweep
        What was asked.
    frame : DataFrame
        One row an outcome of a scenario, as in the Parquet files.
    """

    sweep: Sweep
    frame: pd.DataFrame

    @property
    def p1(self) -> float:
        """The true rate at which power is read: p1 of the base file if it is among the rates, else the largest."""
        rates = sorted(self.frame[RATE].unique())
        p1 = self.sweep.base.requirements.p1
        return p1 if p1 in rates else float(rates[-1])

    @property
    def months(self) -> float | None:
        """Months from the registered start to the registered completion."""
        return months_registered(self.sweep.base)

    def at_p1(self, outcome: str) -> pd.DataFrame:
        """One outcome at `p1`, one row a setting."""
        return self.frame[(self.frame.outcome == outcome) & (self.frame[RATE] == self.p1)]


@dataclass(frozen=True)
class _Layout:
    bottom: str
    rows: str | None
    columns: str | None
    lines: str | None
    fixed: dict[str, Any]


def _layout(results: Results) -> _Layout:
    paths = [path for path in results.sweep.paths if path != RATE]
    frame = results.frame
    numbers = [path for path in paths if pd.api.types.is_numeric_dtype(frame[path])]
    bottom = max(reversed(numbers), key=lambda path: frame[path].nunique()) if numbers else paths[-1]
    others = [path for path in paths if path != bottom]
    padded: list[str | None] = [*others, None, None, None]
    rows, columns, lines = padded[:3]
    fixed = {path: frame[path].iloc[0] for path in others[3:]}
    return _Layout(bottom, rows, columns, lines, fixed)


def multiples(results: Results, outcome: str) -> Picture:
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
                named = [f"{_short(p)} {v:g}" if isinstance(v, float) else f"{v}" for p, v in
                         ((layout.rows, row), (layout.columns, column)) if p is not None]  # fmt: skip
                axis.set_title(", ".join(named), fontsize=9)
        for axis in axes[-1]:
            axis.set_xlabel(_short(layout.bottom), fontsize=9)
        label = OUTCOMES[outcome].label
        figure.supylabel(f"{label} at p = {results.p1:g}", fontsize=10)
        if lines != [None]:
            axes[0, 0].legend(fontsize=8, title=_short(layout.lines or ""), title_fontsize=8)
    held = "".join(f", {path} {value}" for path, value in layout.fixed.items())
    best, worst = frame.value.max(), frame.value.min()
    line = "" if limit is None else f"; the line is {limit:g}"
    alt = f"{label} at p = {results.p1:g} over {layout.bottom}{held}: from {worst:.3g} to {best:.3g}{line}."
    return Picture(f"sweep_{outcome}", alt, figure)


def _at(frame: pd.DataFrame, path: str | None, value: Any) -> pd.DataFrame:
    return frame if path is None else frame[frame[path] == value]


def _short(path: str | None) -> str:
    """The last part of a path in words: dropout.probability."""
    return "" if path is None else ".".join(path.split(".")[-2:]).replace("_", " ")


def _limit(results: Results, outcome: str) -> float | None:
    if outcome == "reject":
        return results.sweep.base.requirements.power
    return results.months if outcome in ("duration_months", "end_month") else None


def broken(results: Results) -> Table:
    """The settings whose power is below that asked, or whose months at p1 pass the registered completion.

    A simulated value within two Monte Carlo standard errors of its limit decides nothing, and is marked so.
    """
    asked = results.sweep.base.requirements
    paths = [path for path in results.sweep.paths if path != RATE]
    end = next((name for name in ("end_month", "duration_months") if name in results.sweep.asked.outcomes), None)
    shown_outcomes = ["reject", *([end] if end else [])]
    wide = None
    for outcome in shown_outcomes:
        part = results.at_p1(outcome)[[*paths, "value", "mcse"]]
        part = part.rename(columns={"value": outcome, "mcse": f"{outcome}_mcse"})
        wide = part if wide is None else wide.merge(part, on=paths)
    assert wide is not None
    power = _judged(asked.power - wide["reject"], wide["reject_mcse"])
    months = pd.Series("", index=wide.index)
    if end is not None and results.months is not None:
        months = _judged(wide[end] - results.months, wide[f"{end}_mcse"])
    wide["broken"] = [
        " and ".join(f"{what}{mark[3:]}" for what, mark in (("power", a), ("months", b)) if mark)
        for a, b in zip(power, months, strict=True)
    ]
    found = wide[wide["broken"] != ""].reset_index(drop=True)
    unsure = found["broken"].str.fullmatch(r"(power|months)\?( and (power|months)\?)?").sum()
    shown: dict[str, Shown] = {path: (_short(path), WORDS) for path in paths}
    shown["reject"] = (f"Power at p = {results.p1:g}", SHARE)
    if end is not None:
        shown[end] = (OUTCOMES[end].label, PATIENTS)
    shown["broken"] = ("Breaks", WORDS)
    later = "" if results.months is None else f" or take more than {results.months:g} months"
    more = f"; the first {MOST_ROWS}" if len(found) > MOST_ROWS else ""
    within = f"; within two Monte Carlo standard errors of a limit, marked ?: {unsure} more" if unsure else ""
    caption = f"{len(found) - unsure} of {len(wide)} settings have a power below {asked.power:g}{later}{within}{more}"
    return Table("sweep_broken", caption, found, shown if len(found) else {}, first=MOST_ROWS)


def _judged(excess: pd.Series[float], mcse: pd.Series[float]) -> pd.Series[str]:
    """``yes`` where a limit is broken, ``yes?`` where two standard errors leave it open, else nothing."""
    doubt = 2 * mcse.fillna(0.0)
    open_ = (excess.abs() <= doubt) & (doubt > 0)
    return pd.Series(np.where(open_, "yes?", np.where(excess > 0, "yes", "")), index=excess.index)
