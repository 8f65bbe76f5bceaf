"""Trials in calendar time, simulated many at once: arrays of shape (patients, trials), no loop over either.

The random numbers of a block of trials come from one stream that belongs to the seed, the scenario and the block: a
result depends on these alone, whoever computes the block and in whatever company. Blocks are drawn whole, so the first
trials of a long run are those of a short one.

Arrivals are found by inversion: a patient enters when the cumulative rate has grown by a unit exponential since the
later of two months, that of the patient before and that at which a place was free. All looks are computed for all
trials; where each trial stopped is settled last.

Under a rule for toxicity a trial stops when its boundary is crossed, whatever look at responses is due, unless it has
been decided before; H0 is rejected only once it is known of all patients counted whether they have a toxicity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import cohort, pending, rules, toxicity
from simtrial.conduct.courses import Course, InOrder, at_row, how_many
from simtrial.conduct.replacing import Replacing
from simtrial.conduct.runs import Trials, block_size
from simtrial.errors import InputError
from simtrial.plan.disease import Beta

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simtrial.conduct.courses import Scalar
    from simtrial.conduct.rules import LookRule
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
        raise InputError("belong to a plan with recalculated bounds, and to no other", "bounds")
    trials = trials or block_size(plan)
    clock = plan.arrivals.realise(trials, rng)
    p = rng.beta(scenario.p.a, scenario.p.b, trials) if isinstance(scenario.p, Beta) else float(scenario.p)
    drawn = cohort.draw(plan, p, trials, rng)
    course: Course = (Replacing if plan.handling == "replace" else InOrder)(plan, clock, drawn)
    return _settle(plan, clock, course, _through_looks(plan, course, rules.of(plan, bounds)), p, rng)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looks:
    """Every look of every trial as if none had stopped: arrays of shape (looks, trials)."""

    month: Floats
    decided: Floats
    full: Floats
    resumed: Floats
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


def _through_looks(plan: Plan, course: Course, rule: LookRule) -> _Looks:
    interim, capacities = plan.interim, plan.capacities
    trials = course.entry.shape[1]
    since = opened = np.zeros(trials)
    rows = []
    for k in range(rule.looks):
        final, n = k == rule.looks - 1, rule.patients(k)
        course.open(capacities[k], opened)
        if not isinstance(n, int):
            course.confine(n, since)
        limit = None
        if not final and interim.max_hold is not None:
            limit = course.resume(capacities[k], capacities[k + 1], interim.max_hold)
        last, known = course.look(n)
        seen = course.count(n)
        here = rule.regions(k, seen)
        reject, ends = here.reject, ~here.go_on
        if interim.conditional is not None and not final:
            known, onward = pending.decide(course, interim.conditional)
            reject, ends = np.zeros(trials, dtype=np.bool_), ~onward
        elif interim.decide == "known":
            known = rule.settled(course, k)
        month = np.maximum(known, since)
        decided = month if final else month + interim.lag
        closed = np.zeros(trials, dtype=np.bool_)
        if plan.close_month is not None:
            closed = np.isinf(last) & (interim.waits | ~(known <= plan.close_month))
            month = np.where(closed, np.maximum(_all_in(course, rule, k), since), month)
            decided = np.where(closed, month, decided)
            reject = np.where(closed, rule.rejects_with(k, seen), reject)
        if plan.toxicity_rule is not None:
            waited = toxicity.status_month(course, plan.toxicity_rule.window, seen.counted)
            decided = np.where(reject, np.maximum(decided, waited), decided)
        resumed = decided if limit is None else np.minimum(decided, limit)
        full, held = np.full(trials, np.inf), np.zeros(trials)
        if not final and capacities[k] < capacities[-1]:
            full = course.full(capacities[k])
            held = np.maximum(resumed - np.where(np.isinf(full), resumed, full), 0.0)
        rows.append(
            _Looks(
                month=month,
                decided=decided,
                full=full,
                resumed=resumed,
                held=held,
                closed=closed,
                ends=ends | closed | final,
                reject=reject,
                responses=seen.responses,
                evaluable=seen.evaluable,
                counted=seen.counted,
            )
        )
        since, opened = decided, resumed
    return _Looks.stacked(rows)


def _all_in(course: Course, rule: LookRule, k: int) -> Floats:
    """Month at which a trial can be decided whose accrual closes too soon for look k."""
    close = course.plan.close_month
    assert close is not None
    months: Floats = course.entry + course.cohort.known
    came = np.isfinite(course.entry)
    if course.plan.interim.decide == "known":
        # who does not come will not respond, and that is known when accrual closes
        status = rule.settled_with(k, np.where(came, months, close), course.cohort.responds & came)
    else:
        status = np.where(came, months, 0.0).max(axis=0)
    return np.maximum(status, close)


def _settle(
    plan: Plan, clock: Clock, course: Course, looks: _Looks, p: Floats | float, rng: np.random.Generator
) -> Trials:
    """Find where each trial stopped, and what it had taken by then."""
    stop: Ints = np.argmax(looks.ends, axis=0)
    taken = looks.taken(stop)
    toxic = None
    if plan.toxicity_rule is not None:
        toxic = _stopped_for_toxicity(plan, course, looks, stop, taken)
        stop, taken = toxic.due, toxic.taken
    crossed = np.zeros(len(stop), dtype=np.int64) if toxic is None else toxic.crossed
    number = np.arange(len(looks.held))[:, np.newaxis]
    if plan.interim.max_hold is None and plan.toxicity_rule is None:
        held = np.where(number <= stop, looks.held, 0.0).sum(axis=0)
    else:  # accrual may wait at the numbers of two looks before the first is decided, or be stopped while it waits
        resumed = np.minimum(looks.resumed, taken.decided)
        held = np.maximum(resumed - np.where(np.isinf(looks.full), resumed, looks.full), 0.0).sum(axis=0)
    if plan.interim.waits and plan.interim.hold and plan.close_month is None:
        enrolled = taken.counted.copy()
        if toxic is not None:
            enrolled[toxic.which] = toxic.enrolled
    else:
        enrolled = how_many(course.entry <= taken.decided)
    if not plan.interim.waits:
        complete = taken.reject & (stop == len(looks.month) - 1)
        enrolled = np.where(complete, np.maximum(enrolled, taken.counted), enrolled)
        taken = _enrolled_only(course, taken, enrolled)
    last = np.where(enrolled > 0, at_row(course.entry, np.maximum(enrolled - 1, 0)), 0.0)
    after, until = plan.follow_up.months_after_last, plan.follow_up.until_month
    end = np.maximum(taken.decided, last + (after or 0.0) if until is None else until)
    first = np.full(len(stop), np.nan)
    if len(looks.month) > 1:
        first = np.where(looks.closed[0] | ((crossed > 0) & (looks.month[0] > taken.decided)), np.nan, looks.month[0])
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
        toxicity_stopped=crossed > 0,
        crossed=crossed,
        entry=course.entry,
        looks=looks.month,
        holds=looks.held,
        resumed=looks.resumed,
        included=course.included(taken.counted),
        cohort=course.cohort,
        p=p,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crossing:
    """Trials stopped for toxicity: the look that was due in each trial, what it had taken, and the look crossed.

    Of those stopped alone, `which`: how many they had enrolled.
    """

    due: Ints
    taken: _Looks
    crossed: Ints
    which: Ints
    enrolled: Ints


def _stopped_for_toxicity(plan: Plan, course: Course, looks: _Looks, stop: Ints, taken: _Looks) -> _Crossing:
    """Stop the trials that cross the boundary no later than they are decided."""
    onset, month = course.cohort.onset, toxicity.crossing_month(course)
    assert onset is not None
    which = np.flatnonzero(np.isfinite(month) & (month <= taken.decided))
    mine, entry = month[which], course.entry.take(which, axis=1)
    crossed = np.zeros(len(stop), dtype=np.int64)
    crossed[which] = toxicity.crossing_look(plan, entry + onset.take(which, axis=1), mine)
    enrolled = how_many(entry <= mine)
    counted = np.minimum(crossed[which], enrolled)
    first = np.arange(len(course.entry))[:, np.newaxis] < counted
    due = np.minimum(how_many(looks.decided[:, which] < mine), stop[which])

    def with_theirs(of: NDArray[Scalar], theirs: NDArray[Scalar]) -> NDArray[Scalar]:
        whole = of.copy()
        whole[which] = theirs
        return whole

    stopped = replace(
        taken,
        decided=with_theirs(taken.decided, mine),
        reject=with_theirs(taken.reject, np.zeros(len(which), dtype=np.bool_)),
        # accrual that was to close later has not closed
        closed=with_theirs(taken.closed, taken.closed[which] & (mine >= (plan.close_month or 0.0))),
        counted=with_theirs(taken.counted, counted),
        responses=with_theirs(taken.responses, how_many(first & course.cohort.responds.take(which, axis=1))),
        evaluable=with_theirs(taken.evaluable, how_many(first & course.cohort.evaluable.take(which, axis=1))),
    )
    return _Crossing(due=with_theirs(stop, due), taken=stopped, crossed=crossed, which=which, enrolled=enrolled)


def _enrolled_only(course: Course, taken: _Looks, enrolled: Ints) -> _Looks:
    """A look decided early, with those alone whom it counts and who came; all of them are followed to their status."""
    counted = np.minimum(taken.counted, enrolled)
    first = np.arange(len(course.entry))[:, np.newaxis] < counted
    included = course.included(counted)
    return replace(
        taken,
        counted=counted,
        responses=how_many(included & course.cohort.responds),
        evaluable=how_many(first & course.cohort.evaluable),
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
    waited = plan.interim.hold and plan.interim.waits and plan.toxicity_rule is None
    if not waited or plan.close_month is not None:
        # accrual went on after the last patient, until the decision, its close, or a full house
        until = np.minimum(taken.decided, np.inf if plan.close_month is None else plan.close_month)
        since = np.minimum(np.maximum(last, course.free(enrolled)), until)
        open_level = open_level + np.maximum(clock.level(until) - clock.level(since), 0.0)
        shut = course.shut(enrolled)
        if shut is not None:
            since, until = np.maximum(since, shut[0]), np.minimum(until, shut[1])
            open_level = open_level - np.maximum(clock.level(until) - clock.level(since), 0.0)
    failures: Ints = rng.poisson(open_level * ((1 - success) / success))
    return failures
