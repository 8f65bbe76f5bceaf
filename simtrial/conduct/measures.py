"""What the calendar asks of a design: months to the decision, patients enrolled, the chance of being late.

Exact where there is a law, for many designs at once or for one; a bound from below for every plan; else simulated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import simulation
from simtrial.errors import InputError
from simtrial.laws import laws, stages
from simtrial.memo import kept
from simtrial.plan.plan import Interim

if TYPE_CHECKING:
    from simtrial.laws.stages import StageMeans
    from simtrial.numbers import Ints
    from simtrial.plan.plan import Plan, Scenario
    from simtrial.search.calendar import Measure


@dataclass(frozen=True, slots=True)
class Measured:
    """A mean with its Monte Carlo standard error, which is 0 where it is exact."""

    value: float
    mcse: float = 0.0


def exactly(measure: Measure, plan: Plan, p: float, sizes: tuple[Ints, Ints], deadline: float | None) -> StageMeans:
    """One measure of designs with n1 and n patients, exact where there is a law and NaN elsewhere.

    Raises
    ------
    InputError
        If decisions in time are asked for without a deadline.
    """
    if measure == "duration_months":
        return stages.months(plan, p, *sizes)
    if measure == "n_enrolled":
        return stages.enrolled(plan, p, *sizes)
    return stages.late(plan, p, *sizes, month=_due(deadline))


def at_least(measure: Measure, plan: Plan, p: float, sizes: tuple[Ints, Ints], deadline: float | None) -> StageMeans:
    """Bounds on the same from below, for every plan."""
    if measure == "duration_months":
        return stages.months_at_least(plan, p, *sizes)
    if measure == "n_enrolled":
        return stages.enrolled_at_least(plan, p, *sizes)
    return stages.late_at_least(plan, p, *sizes, month=_due(deadline))


def guess(measure: Measure, plan: Plan, p: float, sizes: tuple[Ints, Ints], deadline: float | None) -> StageMeans:
    """About what a measure is, for every plan: the order in which designs without an exact law are worth trying.

    Looks that need not wait are taken to wait, and a date that closes accrual cuts off the months and the patients of
    the same plan without it.
    """
    rule, close = plan.interim, plan.close_month
    waiting = rule if rule.waits else Interim(rule.hold, rule.extra, rule.lag)
    free = replace(plan, interim=waiting, close_month=None)

    def open_ended(asked: Measure, month: float | None) -> StageMeans:
        found = exactly(asked, free, p, sizes, month)
        return found.or_else(at_least(asked, free, p, sizes, month))

    if close is None or measure == "late":
        return open_ended(measure, deadline)
    if measure == "n_enrolled":
        return stages.enrolled_until(free, p, sizes, open_ended(measure, None), close)
    # E min(T, close) is the integral of P(T > t) up to the close
    months = np.linspace(0.0, close, 25)
    late = [open_ended("late", month) for month in months.tolist()]
    return stages.StageMeans(
        np.trapezoid(np.stack([one.stopped for one in late]), months, axis=0),
        np.trapezoid(np.stack([one.onward for one in late]), months, axis=0),
    )


def _due(deadline: float | None) -> float:
    if deadline is None:
        raise InputError("is missing: a decision is in time if it is made by this month", "deadline_months")
    return deadline


@kept(4096)
def _blocks(
    plan: Plan, scenario: Scenario, numbers: range, seed: int, measure: tuple[Measure, float | None]
) -> tuple[int, float, float]:
    """Trials, sum and sum of squares of a measure over some blocks of trials; p0 is scenario 0 and p1 scenario 1."""
    name, deadline = measure
    index, found = int(scenario.label == "p1"), []
    for number in numbers:
        done, _ = simulation.block(plan, scenario, index, seed, number)
        values = done.enrolled if name == "n_enrolled" else done.decision
        found.append(values > _due(deadline) if name == "late" else values)
    every = np.concatenate(found).astype(np.float64)
    return len(every), float(every.mean()), float(every.var())


def simulated(
    measure: Measure, plan: Plan, scenario: Scenario, trials: int, seed: int, deadline: float | None = None
) -> Measured:
    """Simulate a measure of one plan, in whole blocks of trials.

    Of a share of which all trials agree the standard error is that of one trial that does not.
    """
    numbers = simulation.blocks(plan, trials)
    size, mean, variance = _blocks(plan, scenario, numbers, seed, (measure, deadline if measure == "late" else None))
    if measure == "late":
        variance = max(variance, (size - 1) / size**2)
    return Measured(mean, math.sqrt(variance / size))


def known(measure: Measure, plan: Plan, scenario: Scenario) -> Measured | None:
    """The exact law of one plan where it has one that is not among those of `simtrial.laws.stages`."""
    if measure == "late":
        return None
    value = laws.exact_values(plan, scenario, months=measure == "duration_months").get(measure)
    return None if value is None else Measured(value)
