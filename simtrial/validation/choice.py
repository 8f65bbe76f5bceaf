"""Validation cases for designs chosen by the calendar; see `simtrial.validation.cases` for what a case is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from simtrial.conduct import choice
from simtrial.design.designs import SingleStage, TwoStage, looks_text
from simtrial.design.requirements import N_LIMIT, Requirements
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Interim, Plan
from simtrial.search.calendar import CALENDAR
from simtrial.validation.cases import Comparison, case_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.search.calendar import CalendarCriterion

SETTINGS = (Requirements(0.2, 0.6, 0.1, 0.8), Requirements(0.1, 0.4, 0.1, 0.8))
"""Questions small enough to enumerate every design."""

RATE, DELAY, LAG, DEADLINE = 1.5, 2.0, 0.5, 14.0
"""Patients per month; months until a response is known and from a look to its decision; the last month in time."""

WAYS = {"hold": Interim(True, None, LAG), "continue": Interim(False)}
"""What accrual does while a look is pending; a decision at once where it continues."""

NEAR = 1e-9
"""A design this near to a limit would need fractions; none of `SETTINGS` has one (the case would say so)."""


class _Sizes(NamedTuple):
    """Patients at the looks, 0 for no first one, and the probability that the trial stops there at p0 and p1."""

    n1: int
    n: int
    stop: tuple[float, float]


def _every(asked: Requirements, n_max: int) -> Iterator[tuple[_Sizes, TwoStage | SingleStage]]:
    """Every design of one or two stages that meets the limits, by sums over the responses of each stage."""
    rates = asked.p0, asked.p1
    for n in range(1, n_max + 1):
        for r in range(n):
            at = [float(stats.binom.sf(r, n, p)) for p in rates]
            if at[0] <= asked.alpha - NEAR and at[1] >= asked.power + NEAR:
                yield _Sizes(0, n, (0.0, 0.0)), SingleStage(r, n)
        for n1 in range(1, n):
            first, later = ([stats.binom.pmf(np.arange(m + 1), m, p) for p in rates] for m in (n1, n - n1))
            for r1 in range(n1):
                rejects = []
                for here, after in zip(first, later, strict=True):
                    going = np.where(np.arange(n1 + 1) > r1, here, 0.0)
                    rejects.append(np.cumsum(np.convolve(going, after)[::-1])[::-1][1:])  # P(X > r), r = 0, 1, ...
                fits = (rejects[0] <= asked.alpha - NEAR) & (rejects[1] >= asked.power + NEAR)
                stop = float(first[0][: r1 + 1].sum()), float(first[1][: r1 + 1].sum())
                for r in np.flatnonzero(fits & (np.arange(n) > r1)).tolist():
                    yield _Sizes(n1, n, stop), TwoStage(r1, n1, r, n)


def _value(sizes: _Sizes, way: Interim, criterion: CalendarCriterion) -> float:
    """What a criterion makes small, in closed form: Poisson arrivals, every status known after `DELAY`."""
    n1, n, stop = sizes.n1, sizes.n, sizes.stop[criterion.rate == "p1"]
    held = DELAY + way.lag if way.hold and n1 else 0.0
    if criterion.measure == "duration_months":
        return stop * (n1 / RATE + DELAY + way.lag) + (1 - stop) * (n / RATE + held + DELAY)
    if criterion.measure == "n_enrolled":
        room = np.arange(n - n1)
        overrun = 0.0 if way.hold or not n1 else float(stats.poisson.sf(room, RATE * DELAY).sum())
        return stop * (n1 + overrun) + (1 - stop) * n
    first = float(stats.gamma.sf(DEADLINE - DELAY - way.lag, n1, scale=1 / RATE)) if n1 else 0.0
    return stop * first + (1 - stop) * float(stats.gamma.sf(DEADLINE - DELAY - held, n, scale=1 / RATE))


def by_calendar() -> Comparison:
    """Designs chosen by the calendar, against every design one by one."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for asked in SETTINGS:
            for name, way in WAYS.items():
                plan = Plan(
                    SingleStage(0, 1), Constant(RATE), Disease(Assessments.fixed(DELAY)), Dropout(0.0),
                    handling="nonresponder", interim=way,
                )  # fmt: skip

                def plan_of(design: Design, plan: Plan = plan) -> Plan:
                    return replace(plan, design=design)

                question = choice.CalendarQuestion(
                    requirements=asked, rates=(asked.p0, asked.p1), plan_of=plan_of, trials=2, seed=1,
                    deadline=DEADLINE, n_limit=N_LIMIT,
                )  # fmt: skip
                found = {criterion: choice.choose(criterion, question) for criterion in CALENDAR.values()}
                every = list(_every(asked, max(one.proof.n_upper for one in found.values())))
                for criterion, one in found.items():
                    least = min(_value(sizes, way, criterion) for sizes, _ in every)
                    value = one.value.value
                    what = f"{asked.p0:g}/{asked.p1:g}, {name}: {criterion.name} ({looks_text(one.design)})"
                    # sums of some ten terms, each exact to a few units in the last place
                    yield what, f"{least:.8f}", f"{value:.8f}", abs(least - value) < 1e-9 and one.proof.how == "proved"

    return case_of("Designs by the calendar", "every design of one or two stages, in closed form", rows())
