"""Trials in calendar time, simulated many at once: arrays of shape (patients, trials), no loop over either.

The random numbers of a block of trials come from one stream that belongs to the seed, the scenario and the block: a
result depends on these alone, whoever computes the block and in whatever company. Blocks are drawn whole, so the first
trials of a long run are those of a short one.

Arrivals are found by inversion: a patient enters when the cumulative rate has grown by a unit exponential since the
later of two months, that of the patient before and that at which a place was free. All looks are computed for all
trials; where each trial stopped is settled last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import cohort
from simtrial.conduct.courses import Course, InOrder, Replacing, at_row, how_many
from simtrial.conduct.runs import Trials, block_size
from simtrial.design.designs import regions
from simtrial.errors import InputError
from simtrial.plan.disease import Beta

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import AttainedBounds
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.plan.enrollment import Clock
    from simtrial.plan.plan import Plan, Scenario


def simulate(
    plan: Plan, scenario: Scenario, rng: np.random.Generator, bounds: AttainedBounds | None = None, trials: int = 0
) -> Trials:
    """Simulate one block of trials.

    Parameters
    ----------
    plan : Plan
        How the trial is run.
    scenario : Scenario
        The true response rate.
    rng : Generator
        Source of random numbers; see `stream`.
    bounds : AttainedBounds, optional
        Needed where the plan recuts its bounds at the number evaluable.
    trials : int
        How many; `block_size` if left out.

    Returns
    -------
    Trials
        One entry a trial.
    """
    if (plan.recut is None) != (bounds is None):
        raise InputError("go with a plan that recuts them, and with no other", "bounds")
    trials = trials or block_size(plan)
    clock = plan.arrivals.realise(trials, rng)
    p = rng.beta(scenario.p.a, scenario.p.b, trials) if isinstance(scenario.p, Beta) else float(scenario.p)
    drawn = cohort.draw(plan, p, trials, rng)
    course: Course = (Replacing if plan.handling == "replace" else InOrder)(plan, clock, drawn)
    return _settle(plan, clock, course, _through_looks(plan, course, bounds), p, rng)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looks:
    """Every look of every trial as if none had stopped: arrays of shape (looks, trials)."""

    month: Floats
    decided: Floats
    held: Floats
    closed: Bools
    ends: Bools
    reject: Bools
    responses: Ints
    evaluable: Ints
    counted: Ints

    @classmethod
    def stacked(cls, rows: Sequence[_Looks]) -> _Looks:
        """Looks of shape (trials,), one above the other."""
        return cls(**{name: np.stack([getattr(row, name) for row in rows]) for name in cls.__slots__})

    def taken(self, stop: Ints) -> _Looks:
        """The look at which each trial stopped: arrays of shape (trials,)."""
        return _Looks(**{name: at_row(getattr(self, name), stop) for name in self.__slots__})


def _through_looks(plan: Plan, course: Course, bounds: AttainedBounds | None) -> _Looks:
    looks, interim = plan.design.looks, plan.interim
    trials = course.entry.shape[1]
    opened = np.zeros(trials)
    first: Ints = np.zeros(trials, dtype=np.int64)
    rows = []
    for k, look in enumerate(looks):
        final = k == len(looks) - 1
        course.open(k, opened)
        last, known = course.look(k)
        seen = course.count(k)
        month = np.maximum(known, opened)
        r: int | Ints | None = look.r
        e: int | Ints | None = look.e
        if bounds is not None and final:
            r = bounds.final[first, seen.evaluable]
        elif bounds is not None:
            (r, e), first = bounds.first[seen.evaluable].T, seen.evaluable
        here = regions(seen.responses, r, e, final=final)
        reject, ends = here.reject, ~here.go_on
        decided = month if final else month + interim.lag
        closed = np.zeros(trials, dtype=np.bool_)
        if plan.close_month is not None:
            closed = np.isinf(last)
            came = np.isfinite(course.entry)
            status = np.where(came, course.entry + course.cohort.known, 0.0).max(axis=0)
            month = np.where(closed, np.maximum(np.maximum(status, plan.close_month), opened), month)
            decided = np.where(closed, month, decided)
            # with accrual closed there is no next stage: what came is held against the last look's bound
            reject = np.where(closed, regions(seen.responses, looks[-1].r, None, final=True).reject, reject)
        held = np.zeros(trials)
        if not final and plan.capacities[k] < looks[-1].n:
            waits = ~np.isinf(course.full(k))
            held = np.maximum(decided - np.where(waits, course.full(k), decided), 0.0)
        rows.append(
            _Looks(
                month=month,
                decided=decided,
                held=held,
                closed=closed,
                ends=ends | closed | final,
                reject=reject,
                responses=seen.responses,
                evaluable=seen.evaluable,
                counted=seen.counted,
            )
        )
        opened = decided
    return _Looks.stacked(rows)


def _settle(
    plan: Plan, clock: Clock, course: Course, looks: _Looks, p: Floats | float, rng: np.random.Generator
) -> Trials:
    """Find where each trial stopped, and what it had taken by then."""
    stop: Ints = np.argmax(looks.ends, axis=0)
    taken = looks.taken(stop)
    number = np.arange(len(looks.held))[:, np.newaxis]
    held = np.where(number <= stop, looks.held, 0.0).sum(axis=0)
    if plan.interim.hold and plan.close_month is None:
        enrolled = taken.counted
    else:
        enrolled = how_many(course.entry <= taken.decided)
    last = np.where(enrolled > 0, at_row(course.entry, np.maximum(enrolled - 1, 0)), 0.0)
    after, until = plan.follow_up.months_after_last, plan.follow_up.until_month
    end = np.maximum(taken.decided, last + (after or 0.0) if until is None else until)
    first = np.full(len(stop), np.nan)
    if len(looks.month) > 1:
        first = np.where(looks.closed[0], np.nan, looks.month[0])
    return Trials(
        reject=taken.reject,
        stage=stop + 1,
        responses=taken.responses,
        evaluable=taken.evaluable,
        analysed=taken.counted if plan.handling == "nonresponder" else taken.evaluable,
        enrolled=enrolled,
        counted=taken.counted,
        screened=enrolled + _failed(plan, clock, course, taken, enrolled, last, rng),
        first_look=first,
        held=held,
        last_patient=last,
        decision=taken.decided,
        end=end,
        closed=taken.closed,
        entry=course.entry,
        looks=looks.month,
        holds=looks.held,
        included=course.included(taken.counted),
        cohort=course.cohort,
        p=p,
    )


def _failed(
    plan: Plan, clock: Clock, course: Course, taken: _Looks, enrolled: Ints, last: Floats, rng: np.random.Generator
) -> Ints | int:
    """Screening failures: a Poisson process beside that of the enrolled, while accrual is open. Thinning."""
    success = plan.screening_success
    if success == 1:
        return 0
    mine = np.arange(len(course.entry))[:, np.newaxis] < enrolled
    open_level = np.where(mine, course.cohort.gaps, 0.0).sum(axis=0)
    if not plan.interim.hold or plan.close_month is not None:
        # accrual went on after the last patient, until the decision, its close, or a full house
        until = np.minimum(taken.decided, np.inf if plan.close_month is None else plan.close_month)
        since = np.minimum(np.maximum(last, course.free(enrolled)), until)
        open_level = open_level + np.maximum(clock.level(until) - clock.level(since), 0.0)
    failures: Ints = rng.poisson(open_level * ((1 - success) / success))
    return failures
