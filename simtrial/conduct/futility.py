"""Patients enrolled beyond futility: of each simulated trial, and their expected number by the law where it has one.

What is counted stands at the head of `simtrial.laws.futility`. In a simulated trial the best that can come after a
patient is that all later ones respond, which bounds recalculated at the numbers evaluable leave as it is. Where the
first look does not wait for patients pending, its bound settles nothing of a trial that continued.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import simulation
from simtrial.conduct.courses import at_row
from simtrial.conduct.measures import Measured
from simtrial.conduct.rules import ByTable
from simtrial.design.designs import regions
from simtrial.design.second_stages import branched
from simtrial.laws import futility as laws_futility
from simtrial.memo import kept
from simtrial.plan.recut import bounds_of

if TYPE_CHECKING:
    from simtrial.conduct.runs import Trials
    from simtrial.design.second_stages import BranchLook
    from simtrial.numbers import Bools, Ints
    from simtrial.plan.plan import Plan, Scenario


def expected(plan: Plan, scenario: Scenario, trials: int, seed: int) -> Measured:
    """Patients expected to be enrolled beyond futility: exact where there is a law, else simulated.

    Parameters
    ----------
    plan : Plan
        How the trial is run.
    scenario : Scenario
        The true response rate, named p0 or p1.
    trials, seed : int
        Of the simulation.
    """
    exact = laws_futility.patients_beyond(plan, scenario.mean) if isinstance(scenario.p, int | float) else None
    return Measured(exact) if exact is not None else simulated(plan, scenario, trials, seed)


@kept(256)
def simulated(plan: Plan, scenario: Scenario, trials: int, seed: int) -> Measured:
    """The same from whole blocks of simulated trials."""
    index = int(scenario.label == "p1")
    counts = np.concatenate(
        [
            beyond(plan, simulation.block(plan, scenario, index, seed, number)[0])
            for number in simulation.blocks(plan, trials)
        ]
    )
    return Measured(float(counts.mean()), float(counts.std()) / math.sqrt(len(counts)))


def beyond(plan: Plan, done: Trials) -> Ints:
    """Patients enrolled beyond futility in each trial of a block: shape (trials,)."""
    people = done.cohort
    responses: Ints = np.cumsum(people.responds, axis=0, dtype=np.int64)
    evaluable: Ints = np.cumsum(people.evaluable, axis=0, dtype=np.int64)
    number: Ints = np.arange(1, len(responses) + 1, dtype=np.int64)[:, np.newaxis]
    counted = evaluable if plan.handling == "replace" else np.broadcast_to(number, responses.shape)
    over = ~_possible(plan, responses, evaluable, counted, done.stage)
    settling = np.where(over.any(axis=0), np.argmax(over, axis=0) + 1, len(over))
    after: Ints = np.where(done.reject, 0, np.maximum(done.enrolled - settling, 0))
    return after


def _possible(plan: Plan, responses: Ints, evaluable: Ints, counted: Ints, stage: Ints) -> Bools:
    """Whether H0 can still be rejected after each patient, all later ones responding: shape (patients, trials)."""
    looks, table, bounds = plan.design.looks, branched(plan.design.looks), bounds_of(plan)
    if table is not None:
        return _possible_by_table(table, responses, counted)
    possible = np.ones(responses.shape, dtype=np.bool_)
    settled = np.zeros(responses.shape, dtype=np.bool_)
    first: Ints = np.zeros(responses.shape, dtype=np.int64)
    for k, look in enumerate(looks):
        final, ahead = k == len(looks) - 1, look.n - counted
        here = ahead >= 0  # a look that is past has settled nothing of a trial that is still running
        best, able = responses + ahead, np.where(here, evaluable + ahead, evaluable[look.n - 1])
        r: int | Ints | None = look.r
        e: int | Ints | None = look.e
        if bounds is not None:
            r, e = (bounds.final[first, able], None) if final else np.moveaxis(bounds.first[able], -1, 0)
            first = able
        there = regions(best, r, e, final=final)
        futile = there.accept if plan.conditional is None or final else there.accept & (stage == 1)
        possible &= ~(here & futile & ~settled)
        settled |= here & there.reject
    return possible


def _possible_by_table(table: BranchLook, responses: Ints, counted: Ints) -> Bools:
    """The same where the second stage depends on the first: for any number of responses that X1 can still have."""
    rule = ByTable(table)
    going = np.concatenate([[0], np.cumsum(rule.leads != 0)])
    ahead = np.maximum(table.n - counted, 0)
    x1 = at_row(responses, np.argmax(counted >= table.n, axis=0))
    least = np.where(ahead > 0, responses, x1)
    possible: Bools = going[least + ahead + 1] > going[least]
    left = rule.n[x1] - counted
    over = (rule.leads[x1] > 1) & (ahead == 0) & (left >= 0) & (responses + left <= rule.r[x1])
    possible &= ~over
    return possible
