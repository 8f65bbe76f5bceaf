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
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simtrial.conduct import cohort as patients
from simtrial.design.designs import regions
from simtrial.errors import InputError
from simtrial.plan.patients import Beta

if TYPE_CHECKING:
    from simtrial.conduct.cohort import Bools, Cohort
    from simtrial.design.designs import AttainedBounds
    from simtrial.plan.enrollment import Clock, Floats
    from simtrial.plan.plan import Plan, Scenario

Counts = NDArray[np.int64]


def block_size(plan: Plan) -> int:
    """Trials that share a stream: as many as keep the working arrays in the processor's cache, for the plan at hand."""
    lost = max(plan.dropout.probability, plan.dropout.of_responder) if plan.handling == "replace" else 0.0
    rows = plan.design.looks[-1].n / (1 - lost)
    return int(min(4096, max(64, 2 ** int(np.log2(131_072 / rows)))))


@dataclass(frozen=True)
class Trials:
    """What came of each trial of a block. Shapes are (trials,) unless said otherwise; times are months.

    Attributes
    ----------
    reject : ndarray of bool
        Whether H0 was rejected.
    stage : ndarray of int
        Look at which the trial ended, from 1.
    responses, evaluable, analysed : ndarray of int
        Responses at the decision, evaluable patients among those counted, and the denominator of the response rate.
    enrolled, counted : ndarray of int
        Patients enrolled by the decision; those of them that the last look taken counts, lost ones included.
    screened : ndarray of int
        Patients screened for them.
    first_look : ndarray
        Month of the first of several looks; NaN where accrual closed before it, and for a single look.
    held : ndarray
        Months for which accrual waited for a decision.
    last_patient, decision, end : ndarray
        Month of the last patient's enrollment, of the last decision, and of the end of follow-up.
    closed : ndarray of bool
        Whether accrual closed at its date with too few patients for the look that was due.
    entry : ndarray, shape (patients, trials)
        Month of each enrollment had the trial not stopped; infinite where no place came free or accrual had closed.
    looks, holds : ndarray, shape (looks, trials)
        Month of each look, and months on hold for its decision, had the trial not stopped.
    included : ndarray of bool, shape (patients, trials)
        Who counts in the response rate or its denominator at the decision.
    cohort : Cohort
        The patients.
    p : float or ndarray
        True response rate.
    """

    reject: Bools
    stage: Counts
    responses: Counts
    evaluable: Counts
    analysed: Counts
    enrolled: Counts
    counted: Counts
    screened: Counts
    first_look: Floats
    held: Floats
    last_patient: Floats
    decision: Floats
    end: Floats
    closed: Bools
    entry: Floats
    looks: Floats
    holds: Floats
    included: Bools
    cohort: Cohort
    p: Floats | float

    def __len__(self) -> int:
        return len(self.stage)


def stream(seed: int, scenario: int, block: int) -> np.random.SeedSequence:
    """The random stream of one block of one scenario."""
    return np.random.SeedSequence(seed, spawn_key=(scenario, block))


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
    cohort = patients.draw(plan, p, trials, rng)
    course: _Course = (_Replacing if plan.handling == "replace" else _InOrder)(plan, clock, cohort)
    return _settle(plan, clock, course, _through_looks(plan, course, bounds), p, rng)


class _Count(NamedTuple):
    """What a look sees: responses, evaluable patients, and all whom it counts."""

    responses: Counts
    evaluable: Counts
    counted: Counts


class _Course(Protocol):
    """The calendar of a block; looks are opened in order."""

    plan: Plan
    cohort: Cohort
    entry: Floats

    def open(self, k: int, month: Floats) -> None:
        """Let patients in up to the capacity of look k, from a month on."""
        ...

    def look(self, k: int) -> tuple[Floats, Floats]:
        """Months at which the last patient of look k enters, and at which the status of all it counts is known."""
        ...

    def count(self, k: int) -> _Count:
        """What look k sees."""
        ...

    def full(self, k: int) -> Floats:
        """Month at which the capacity of look k is taken up."""
        ...

    def free(self, row: Counts) -> Floats:
        """Month at which a place for a given row came free; infinite if none did."""
        ...

    def included(self, counted: Counts) -> Bools:
        """Who is among the first patients counted."""
        ...


class _InOrder:
    """Calendar of a trial whose looks count the first n_k enrolled."""

    def __init__(self, plan: Plan, clock: Clock, cohort: Cohort) -> None:
        self.plan, self.clock, self.cohort = plan, clock, cohort
        self.entry = np.full(cohort.gaps.shape, np.inf)
        self.opened: list[tuple[int, Floats]] = []
        nobody = np.zeros(cohort.gaps.shape[1], dtype=np.int64)
        self.counts = _Count(nobody, nobody, nobody)
        self.known = np.zeros(cohort.gaps.shape[1])
        self.seen = 0

    def open(self, k: int, month: Floats) -> None:
        start, stop = self.opened[-1][0] if self.opened else 0, self.plan.capacities[k]
        if stop == start:
            return
        self.opened.append((stop, month))
        level = self.clock.level(month)
        if start:
            level = np.maximum(level, self.clock.level(self.entry[start - 1]))
        steps = self.cohort.gaps[start:stop]
        entry = self.clock.months(_running(np.add, steps) + level)
        if self.plan.close_month is not None:
            entry[entry > self.plan.close_month] = np.inf
        self.entry[start:stop] = entry

    def look(self, k: int) -> tuple[Floats, Floats]:
        n, delay = self.plan.design.looks[k].n, self.cohort.known
        last = self.entry[n - 1]
        if isinstance(delay, float):
            return last, last + delay
        known = (self.entry[self.seen : n] + delay[self.seen : n]).max(axis=0)
        self.known = np.maximum(self.known, known)
        return last, self.known

    def count(self, k: int) -> _Count:
        n = self.plan.design.looks[k].n
        new = slice(self.seen, n)
        responds, evaluable = self.cohort.responds[new], self.cohort.evaluable[new]
        came: Counts | int = n - self.seen
        if self.plan.close_month is not None:
            entered = np.isfinite(self.entry[new])
            responds, evaluable, came = responds & entered, evaluable & entered, _number(entered)
        before, self.seen = self.counts, n
        self.counts = _Count(
            before.responses + _number(responds), before.evaluable + _number(evaluable), before.counted + came
        )
        return self.counts

    def full(self, k: int) -> Floats:
        month: Floats = self.entry[self.plan.capacities[k] - 1]
        return month

    def free(self, row: Counts) -> Floats:
        month = np.full(row.shape, np.inf)
        for capacity, opened in reversed(self.opened):  # over looks
            month = np.where(row < capacity, opened, month)
        return month

    def included(self, counted: Counts) -> Bools:
        first: Bools = np.arange(len(self.entry))[:, np.newaxis] < counted
        return first & self.cohort.evaluable if self.plan.handling == "exclude" else first


class _Replacing:
    """Calendar of a trial whose looks count the first n_k evaluable: a loss, once known, frees its place."""

    def __init__(self, plan: Plan, clock: Clock, cohort: Cohort) -> None:
        self.plan, self.clock, self.cohort = plan, clock, cohort
        self.entry = self.release = np.full(cohort.gaps.shape, np.inf)
        self.opened: list[tuple[int, Floats]] = []
        self.steps = _running(np.add, cohort.gaps)
        self.nth: Counts = _running(np.add, cohort.evaluable.astype(np.int64))
        self.responded: Counts = _running(np.add, cohort.responds.astype(np.int64))
        # losses are known equally long after enrollment, so in the order of enrollment: their rows first, in that order
        self.lost = np.argsort(cohort.evaluable, axis=0, kind="stable")
        self.losses = len(cohort.evaluable) - self.nth[-1]

    def open(self, k: int, month: Floats) -> None:
        capacity = self.plan.capacities[k]
        if self.opened and self.opened[-1][0] == capacity:
            return
        self.opened.append((capacity, month))
        # Places under earlier looks stay what they were: the new look has more of them, from its opening on. Who enters
        # hangs on when losses are known, and that on who enters. From the earliest months there could be, entries only
        # move later, and each pass settles one more patient of every trial: the passes come to an end.
        known = np.zeros((len(self.entry), 1))
        earlier = self.release
        settled = False
        while not settled:
            before = self.release
            self.release = np.minimum(earlier, self._places(capacity, month, known))
            settled = np.array_equal(self.release, before)
            if not settled:
                start = _running(np.maximum, self.clock.level(self.release) - (self.steps - self.cohort.gaps))
                self.entry = self.clock.months(self.steps + start)
                known = self._known_losses()
        if self.plan.close_month is not None:
            self.entry[self.entry > self.plan.close_month] = np.inf

    def _known_losses(self) -> Floats:
        """Months at which the first, second, ... loss of each trial is known."""
        most = len(self.lost) - self.plan.capacities[0]
        months = np.take_along_axis(self.entry, self.lost[:most], 0) + self.plan.disease.assessments.interval
        return np.where(np.arange(most)[:, np.newaxis] < self.losses, months, np.inf)

    def _places(self, capacity: int, opened: Floats, known: Floats) -> Floats:
        """When a place came free for each patient while so many may be evaluable or pending."""
        free = np.broadcast_to(opened, self.nth.shape).copy()
        free[capacity:] = np.maximum(opened, known[: len(free) - capacity])
        free[self.nth - self.cohort.evaluable >= capacity] = np.inf
        return free

    def look(self, k: int) -> tuple[Floats, Floats]:
        known = _running(np.maximum, self.entry + self.cohort.known)
        row = self._row(self.plan.design.looks[k].n)
        return _at(self.entry, row), _at(known, row)

    def count(self, k: int) -> _Count:
        row = self._row(self.plan.design.looks[k].n)
        if self.plan.close_month is None:
            return _Count(_at(self.responded, row), _at(self.nth, row), row + 1)
        came = np.minimum(row + 1, _number(np.isfinite(self.entry)))
        row = np.maximum(came - 1, 0)
        return _Count(_at(self.responded, row) * (came > 0), _at(self.nth, row) * (came > 0), came)

    def full(self, k: int) -> Floats:
        return _at(self.entry, self._row(self.plan.capacities[k]))

    def free(self, row: Counts) -> Floats:
        month = _at(self.release, np.minimum(row, len(self.release) - 1))
        return np.where(row < len(self.release), month, np.inf)

    def included(self, counted: Counts) -> Bools:
        first: Bools = np.arange(len(self.entry))[:, np.newaxis] < counted
        return first & self.cohort.evaluable

    def _row(self, n: int) -> Counts:
        """Row of the n-th evaluable patient of each trial."""
        row: Counts = np.argmax(self.nth >= n, axis=0)
        return row


def _running(combine: np.ufunc, rows: NDArray[Any]) -> NDArray[Any]:
    """Running sum or maximum down the patients.

    Row upon row, each a vector over trials: numpy's own accumulate walks the columns, which takes ten times as long.
    """
    return np.stack(list(accumulate(rows, combine)))


def _at(array: NDArray[Any], row: Counts) -> NDArray[Any]:
    """The entry of one row of each trial."""
    one: NDArray[Any] = np.take_along_axis(array, row[np.newaxis], 0)[0]
    return one


def _number(where: Bools) -> Counts:
    """Count down the patients: by bytes as far as they reach, eight times as fast as by words."""
    kind = np.uint8 if len(where) < 256 else np.int64
    return np.asarray(np.sum(where.view(np.uint8), axis=0, dtype=kind), dtype=np.int64)


class _Looks(NamedTuple):
    """Every look of every trial as if none had stopped: arrays of shape (looks, trials)."""

    month: Floats
    decided: Floats
    held: Floats
    closed: Bools
    ends: Bools
    reject: Bools
    responses: Counts
    evaluable: Counts
    counted: Counts


def _through_looks(plan: Plan, course: _Course, bounds: AttainedBounds | None) -> _Looks:
    looks, interim = plan.design.looks, plan.interim
    trials = course.entry.shape[1]
    opened = np.zeros(trials)
    first: Counts = np.zeros(trials, dtype=np.int64)
    rows = []
    for k, look in enumerate(looks):
        final = k == len(looks) - 1
        course.open(k, opened)
        last, known = course.look(k)
        seen = course.count(k)
        month = np.maximum(known, opened)
        r: int | Counts | None = look.r
        e: int | Counts | None = look.e
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
        rows.append(_Looks(month, decided, held, closed, ends | closed | final, reject, *seen))
        opened = decided
    return _Looks(*(np.stack(column) for column in zip(*rows, strict=True)))


def _settle(
    plan: Plan, clock: Clock, course: _Course, looks: _Looks, p: Floats | float, rng: np.random.Generator
) -> Trials:
    """Find where each trial stopped, and what it had taken by then."""
    stop: Counts = np.argmax(looks.ends, axis=0)
    taken = _Looks(*(_at(column, stop) for column in looks))
    number = np.arange(len(looks.held))[:, np.newaxis]
    held = np.where(number <= stop, looks.held, 0.0).sum(axis=0)
    if plan.interim.hold and plan.close_month is None:
        enrolled = taken.counted
    else:
        enrolled = _number(course.entry <= taken.decided)
    last = np.where(enrolled > 0, _at(course.entry, np.maximum(enrolled - 1, 0)), 0.0)
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
    plan: Plan, clock: Clock, course: _Course, taken: _Looks, enrolled: Counts, last: Floats, rng: np.random.Generator
) -> Counts | int:
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
    failures: Counts = rng.poisson(open_level * ((1 - success) / success))
    return failures
