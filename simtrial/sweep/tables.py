"""The results of a sweep, one scenario per row, and those that break a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.conduct.outcomes import OUTCOMES
from simtrial.show.table import PATIENTS, WORDS, Shown, Table
from simtrial.show.table import RATE as SHARE
from simtrial.sweep.results import short
from simtrial.sweep.section import RATE

if TYPE_CHECKING:
    from simtrial.sweep.grid import Sweep
    from simtrial.sweep.results import SweepResults

LOOKS = "design.looks"
"""The axis of designs, which says what the column of looks would say again."""

MOST_ROWS = 60
"""Scenarios shown; all of them stand in the CSV."""


def every(sweep: Sweep, frame: pd.DataFrame) -> Table:
    """One scenario per row, its outcomes side by side: exact, or simulated with the Monte Carlo standard error.

    Parameters
    ----------
    sweep : Sweep
        What was asked.
    frame : DataFrame
        Results, one row per outcome of a scenario, with the column ``scenario``.
    """
    rows = []
    for index, part in frame.groupby("scenario", sort=True):
        first = part.iloc[0]
        row: dict[str, object] = {"scenario": index} | {path: first[path] for path in sweep.paths}
        row["looks"] = first["looks"]
        for one in part.itertuples():
            row |= {one.outcome: one.value, f"{one.outcome}_mcse": one.mcse}
            row[f"{one.outcome}_shown"] = _measured(one.outcome, one.value, one.mcse)
        rows.append(row)
    shown: dict[str, Shown] = {path: (short(path).replace(".", " "), _place) for path in sweep.paths}
    if LOOKS not in sweep.paths:
        shown["looks"] = ("looks", WORDS)
    shown |= {f"{name}_shown": (name.removeprefix("n_").replace("_", " "), WORDS) for name in sweep.asked.outcomes}
    caption = f"{len(rows)} scenarios: exact where there is an exact value, else simulated ± MCSE"
    right = [f"{name}_shown" for name in sweep.asked.outcomes]
    return Table("sweep", caption, pd.DataFrame(rows), shown, right=right)


def _place(value: object) -> str:
    """A place on an axis: a number with the digits it needs, or its word."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _measured(name: str, value: float | None, mcse: float | None) -> str:
    if value is None or np.isnan(value):
        return "–"
    share = OUTCOMES[name].kind in ("share", "rate")
    said = f"{value:.4f}" if share else f"{value:.2f}"
    return f"{said} ± {mcse:.2g}" if mcse else said


def broken(results: SweepResults) -> Table:
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
    shown: dict[str, Shown] = {path: (short(path), WORDS) for path in paths}
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
