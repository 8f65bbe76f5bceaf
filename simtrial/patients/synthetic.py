"""Patients of one simulated trial, written as the CSV that `simtrial.patients.data` reads: for examples and tests.

Enrollment, response, evaluability, PFS, OS and loss are those of the simulator, as are toxicities and their times where
a rule stops the trial for them. Drawn beside them, for illustration only: which responses are complete, toxicity
grades, without such a rule who has a toxicity, and changes of target lesions within what RECIST 1.1 asks of each best
overall response.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from simtrial import csv_files
from simtrial.conduct import engine, runs
from simtrial.conduct.outcomes import lifetimes
from simtrial.design.second_stages import analyses
from simtrial.months import DAYS_IN_MONTH
from simtrial.patients.times import MAX_MONTHS
from simtrial.plan.recut import bounds_of

if TYPE_CHECKING:
    from simtrial.conduct.runs import Trials
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.plan.plan import Plan, Scenario

CHANGES = {"CR": (-100.0, -100.0), "PR": (-95.0, -30.0), "SD": (-29.0, 19.0), "PD": (20.0, 80.0), "": (-29.0, 80.0)}
"""Smallest and largest change of target lesions, percent; the last where SD and PD are not told apart."""

NO_START = date(2000, 1, 1)
"""Day from which months count where the file of the trial states none: long past, as no patient is real."""

GRADES = ((0, 1, 2), (0.2, 0.4, 0.4)), ((3, 4), (0.8, 0.2))
"""Toxicity grades below 3 and from 3 on, and their shares."""


def simulated(plan: Plan, scenario: Scenario, seed: int) -> tuple[Trials, np.random.Generator]:
    """One trial, the only one of its block, and its random numbers from there on."""
    rng = np.random.default_rng(runs.stream(seed, 0, 0))
    return engine.simulate(plan, scenario, rng, bounds_of(plan), trials=1), rng


def one_trial(plan: Plan, scenario: Scenario, seed: int, start: date | None = None) -> str:
    """Simulate one trial and write its patients down.

    Parameters
    ----------
    plan, scenario : Plan, Scenario
        How the trial is run, and the true response rate.
    seed : int
        From 0 on.
    start : date, optional
        Day that months count from. Without it there is no column of days, but for a plan with a rule for toxicity: when
        its boundary is crossed needs the days of enrollment, which then count from `NO_START`.

    Returns
    -------
    str
        CSV with one row a patient in the order of enrollment, screening failures last. What the plan does not speak of
        has no column. STAGE is there where the planned sizes do not tell it: patients came after the look that stopped
        the trial, or accrual closed early; a stage that nobody entered leaves no trace. Times are months to two
        decimals, censored at the end of follow-up or after twenty years.
    """
    trials, rng = simulated(plan, scenario, seed)
    enrolled, screened = int(trials.enrolled[0]), int(trials.screened[0])
    if start is None and plan.toxicity_rule is not None:
        start = NO_START
    table = _columns(plan, trials, rng, start)
    rows = []
    for k in range(screened):
        cells = [column[k] for column in table.values()] if k < enrolled else ["N", *[""] * (len(table) - 1)]
        rows.append([f"SYN-{k + 1:03d}", *cells])
    return csv_files.written(["USUBJID", *table], rows)


def _columns(plan: Plan, trials: Trials, rng: np.random.Generator, start: date | None) -> dict[str, list[str]]:
    """Cells of the patients enrolled, by column; numbers are drawn in a fixed order."""
    enrolled, cohort = int(trials.enrolled[0]), trials.cohort
    rows = slice(0, enrolled)
    responds, evaluable = cohort.responds[rows, 0], cohort.evaluable[rows, 0]
    table: dict[str, list[str]] = {"ENRLFL": ["Y"] * enrolled}
    if start is not None:
        days = (start + timedelta(days=round(float(month) * DAYS_IN_MONTH)) for month in trials.entry[rows, 0])
        table["ENRLDT"] = [day.isoformat() for day in days]
    if trials.closed[0] or enrolled > trials.counted[0]:
        table["TRIALSTAGE"] = [str(k) for k in _stages(plan, trials)]
    # as in the simulator's figures: lifetimes first, so that they do not hang on what else is drawn
    times = {} if cohort.pfs is None else _times(plan, trials, cohort.pfs, rng)
    table["EVALFL"] = ["Y" if seen else "N" for seen in evaluable]
    complete = rng.random(enrolled) < plan.disease.complete_share
    best = np.where(responds, np.where(complete, "CR", "PR"), "")
    if cohort.stable is None:
        told = np.where(evaluable, np.where(responds, "1", "0"), "")
        table["RESPONDER"] = told.tolist()
    else:
        best = np.where(responds, best, np.where(cohort.stable[rows, 0], "SD", np.where(evaluable, "PD", "NE")))
        table["BOR"] = best.tolist()
    least, most = np.array([CHANGES.get(kind, (0.0, 0.0)) for kind in best]).reshape(-1, 2).T
    change = np.round(rng.uniform(least, most), 1)
    table["PCHG"] = [f"{c:.1f}" if seen else "" for c, seen in zip(change, evaluable, strict=True)]
    table |= _time_columns(plan, trials, times)
    if plan.toxicity is not None:
        severe = rng.random(enrolled) < plan.toxicity.rate
        if cohort.onset is not None:  # a rule stops the trial for toxicity: those that it counted
            onset = cohort.onset[rows, 0]
            severe = trials.entry[rows, 0] + onset <= trials.end[0]
            # rounded down, as the last day of the window still counts
            table["TTOX"] = _written(np.floor(100 * onset) / 100, severe)
        mild, grave = (rng.choice(grades, enrolled, p=shares) for grades, shares in GRADES)
        table["TOXGR"] = [str(grade) for grade in np.where(severe, grave, mild)]
    if {"TTR", "TTOX"} & set(table):
        table["TIMEUNIT"] = ["months"] * enrolled  # some of these times lie in the future, which real ones cannot
    return table


def _time_columns(plan: Plan, trials: Trials, times: dict[str, tuple[Floats, Bools]]) -> dict[str, list[str]]:
    """Months to the first response, and of PFS, OS and the duration of response."""
    enrolled, cohort = int(trials.enrolled[0]), trials.cohort
    rows = slice(0, enrolled)
    responds = cohort.responds[rows, 0]
    table: dict[str, list[str]] = {}
    known = cohort.known if isinstance(cohort.known, float) else cohort.known[rows, 0]
    first = np.round(np.broadcast_to(known - plan.disease.assessments.confirmation, enrolled), 2)
    if "PFS" in times:
        # who is lost for follow-up before the response is seen still responds in the simulator
        first = np.minimum(first, times["PFS"][0])
        times = times | {"DOR": (times["PFS"][0] - first, times["PFS"][1])}
    table["TTR"] = _written(first, responds)
    for name, (months, event) in times.items():
        counted = responds if name == "DOR" else np.ones(enrolled, dtype=np.bool_)
        table[name] = _written(months, counted)
        table[f"{name}EVENT"] = [f"{int(e)}" if c else "" for e, c in zip(event, counted, strict=True)]
    return table


def _stages(plan: Plan, trials: Trials) -> Ints:
    """Stage of each patient enrolled: 0 of whom the last look taken does not count."""
    rows = slice(0, int(trials.enrolled[0]))
    queue = trials.cohort.evaluable[rows, 0] if plan.handling == "replace" else np.ones(rows.stop, dtype=np.bool_)
    before = np.cumsum(queue) - queue
    stage = 1 + np.searchsorted([look.n for look in analyses(plan.design.looks)], before, side="right")
    return np.where(np.arange(rows.stop) < trials.counted[0], stage, 0)


def _times(plan: Plan, trials: Trials, pfs: Floats, rng: np.random.Generator) -> dict[str, tuple[Floats, Bools]]:
    """Months and events (1 or 0) of PFS and OS, each ended by the loss of a patient and by the end of follow-up."""
    rows = slice(0, int(trials.enrolled[0]))
    lost, death = lifetimes(plan, trials, pfs, rng)
    followed = np.clip(trials.end[0] - trials.entry[rows, 0], 0.0, MAX_MONTHS)
    until = np.minimum(lost[rows, 0], followed)
    given = {"PFS": pfs} if death is None else {"PFS": pfs, "OS": death}
    # rounding keeps the order, so PFS <= OS holds afterwards too
    return {
        name: (np.round(np.minimum(time[rows, 0], until), 2), time[rows, 0] <= until) for name, time in given.items()
    }


def _written(months: Floats, counted: Bools) -> list[str]:
    return [f"{month:.2f}" if there else "" for month, there in zip(months, counted, strict=True)]
