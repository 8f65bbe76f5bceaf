"""The results of a sweep, one scenario per row, and the settings that do not meet a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtrial.conduct.outcomes import OUTCOMES
from simtrial.phrases import agreeing, counted, rate
from simtrial.show.passage import Passage
from simtrial.show.table import PATIENTS, WORDS, Shown, Table, column
from simtrial.show.table import RATE as SHARE
from simtrial.sweep.results import short
from simtrial.sweep.section import RATE

if TYPE_CHECKING:
    from simtrial.sweep.grid import Sweep
    from simtrial.sweep.results import SweepResults

LOOKS = "design.looks"
"""The axis of designs, which makes the column of looks redundant."""

MOST_ROWS = 60
"""Scenarios shown; the CSV holds all of them."""


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
    shown: dict[str, Shown] = {path: (short(path), _place) for path in sweep.paths}
    if LOOKS not in sweep.paths:
        shown["looks"] = column("looks", WORDS)
    shown |= {f"{name}_shown": (OUTCOMES[name].called(sweep.cell(0).plan), WORDS) for name in sweep.asked.outcomes}
    caption = (
        f"{counted(len(rows), 'scenario')} of the sweep, one per row: exact values where there are any, else means of "
        f"{counted(sweep.asked.trials, 'simulated trial')} ± MCSE (Monte Carlo standard error); p is the true response "
        "rate"
    )
    right = [f"{name}_shown" for name in sweep.asked.outcomes]
    return Table("sweep", caption, pd.DataFrame(rows), shown, right=right)


def _place(value: object) -> str:
    """A place on an axis: a number with the digits it needs, or its word."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _measured(name: str, value: float | None, mcse: float | None) -> str:
    if value is None or np.isnan(value):
        return "–"
    share = OUTCOMES[name].kind in ("share", "rate")
    said = rate(value) if share else f"{value:.2f}"
    return f"{said} ± {mcse:.2g}" if mcse else said


def broken(results: SweepResults) -> Table | Passage:
    """The settings whose power is below the required one, or whose months at p1 exceed the registered completion.

    A simulated value within two Monte Carlo standard errors of its limit is inconclusive, and is marked so. Without the
    power among the outcomes there is no such table, and that is said.
    """
    asked = results.sweep.base.requirements
    if "reject" not in results.sweep.asked.outcomes:
        why = (
            "Left out: this sweep does not compute the power. To have it, name reject under outcomes in the sweep file."
        )
        return Passage("sweep_broken", (why,))
    paths = [path for path in results.sweep.paths if path != RATE]
    end = next((name for name in ("end_month", "duration_months") if name in results.sweep.asked.outcomes), None)
    shown_outcomes = ["reject", *([end] if end else [])]
    wide = None
    for outcome in shown_outcomes:
        part = results.at_p1(outcome)[[*paths, "value", "mcse"]]
        part = part.rename(columns={"value": outcome, "mcse": f"{outcome}_mcse"})
        wide = part if wide is None else wide.merge(part, on=paths or None, how="inner" if paths else "cross")
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
    shown["reject"] = column("power", SHARE, f"p = {results.p1:g}")
    if end is not None:
        shown[end] = (OUTCOMES[end].label, PATIENTS)
    shown["broken"] = column("not_met", WORDS)
    later = "" if results.months is None else f" or take more than {counted(results.months, 'month')}"
    more = f". The first {counted(MOST_ROWS, 'setting')} are shown" if len(found) > MOST_ROWS else ""
    within = (
        f". {counted(int(unsure), 'further setting')} {agreeing(int(unsure), 'lies', 'lie')} within two Monte Carlo "
        "standard errors of a limit (marked ?)"
        if unsure
        else ""
    )
    caption = (
        f"{len(found) - unsure} of {counted(len(wide), 'setting')} have a power below {asked.power:g}{later}, at the "
        f"true response rate {results.p1:g}{within}{more}"
    )
    return Table("sweep_broken", caption, found, shown if len(found) else {}, first=MOST_ROWS)


def _judged(excess: pd.Series[float], mcse: pd.Series[float]) -> pd.Series[str]:
    """``yes`` where a limit is not met, ``yes?`` where two standard errors leave it open, else nothing."""
    doubt = 2 * mcse.fillna(0.0)
    open_ = (excess.abs() <= doubt) & (doubt > 0)
    return pd.Series(np.where(open_, "yes?", np.where(excess > 0, "yes", "")), index=excess.index)
