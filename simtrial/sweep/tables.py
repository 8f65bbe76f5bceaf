"""The scenarios of a sweep that break a limit."""

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
    from simtrial.sweep.results import SweepResults

MOST_ROWS = 60
"""Scenarios shown; all of them stand in the CSV."""


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
