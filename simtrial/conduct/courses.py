"""In which order patients become known, who replaces whom, and whom a look counts."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simtrial.conduct.cohort import Cohort
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.plan.enrollment import Clock
    from simtrial.plan.plan import Plan

Scalar = TypeVar("Scalar", bound=np.generic)


class Count(NamedTuple):
    """What a look sees: responses, evaluable patients, and all whom it counts."""

    responses: Ints
    evaluable: Ints
    counted: Ints


class Course(Protocol):
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

    def count(self, k: int) -> Count:
        """What look k sees."""
        ...

    def statuses(self, k: int) -> tuple[Floats, Bools]:
        """When a status counts at look k, infinite for whom it does not count; and who responds: (patients, trials)."""
        ...

    def resume(self, k: int, months: float) -> Floats:
        """Month at which accrual resumes if the hold for look k lasts so long, its decision still to come."""
        ...

    def full(self, k: int) -> Floats:
        """Month at which the capacity of look k is taken up."""
        ...

    def free(self, row: Ints) -> Floats:
        """Month at which a place for a given row came free; infinite if none did."""
        ...

    def included(self, counted: Ints) -> Bools:
        """Who is among the first patients counted."""
        ...


class InOrder:
    """Calendar of a trial whose looks count the first n_k enrolled."""

    def __init__(self, plan: Plan, clock: Clock, cohort: Cohort) -> None:
        self.plan, self.clock, self.cohort = plan, clock, cohort
        self.entry = np.full(cohort.gaps.shape, np.inf)
        self.opened: list[tuple[int, Floats]] = []
        nobody = np.zeros(cohort.gaps.shape[1], dtype=np.int64)
        self.counts = Count(nobody, nobody, nobody)
        self.known = np.zeros(cohort.gaps.shape[1])
        self.seen = 0

    def open(self, k: int, month: Floats) -> None:
        """See `Course`."""
        start, stop = self.opened[-1][0] if self.opened else 0, self.plan.capacities[k]
        if stop == start:
            return
        self.opened.append((stop, month))
        level = self.clock.level(month)
        if start:
            level = np.maximum(level, self.clock.level(self.entry[start - 1]))
        steps = self.cohort.gaps[start:stop]
        entry = self.clock.months(running(np.add, steps) + level)
        if self.plan.close_month is not None:
            entry[entry > self.plan.close_month] = np.inf
        self.entry[start:stop] = entry

    def look(self, k: int) -> tuple[Floats, Floats]:
        """See `Course`."""
        n, delay = self.plan.design.looks[k].n, self.cohort.known
        last = self.entry[n - 1]
        if isinstance(delay, float):
            return last, last + delay
        known = (self.entry[self.seen : n] + delay[self.seen : n]).max(axis=0)
        self.known = np.maximum(self.known, known)
        return last, self.known

    def count(self, k: int) -> Count:
        """See `Course`."""
        n = self.plan.design.looks[k].n
        new = slice(self.seen, n)
        responds, evaluable = self.cohort.responds[new], self.cohort.evaluable[new]
        came: Ints | int = n - self.seen
        if self.plan.close_month is not None:
            entered = np.isfinite(self.entry[new])
            responds, evaluable, came = responds & entered, evaluable & entered, how_many(entered)
        before, self.seen = self.counts, n
        self.counts = Count(
            before.responses + how_many(responds), before.evaluable + how_many(evaluable), before.counted + came
        )
        return self.counts

    def statuses(self, k: int) -> tuple[Floats, Bools]:
        """See `Course`."""
        n, delay = self.plan.design.looks[k].n, self.cohort.known
        return self.entry[:n] + (delay if isinstance(delay, float) else delay[:n]), self.cohort.responds[:n]

    def resume(self, k: int, months: float) -> Floats:
        """See `Course`."""
        return self.full(k) + months

    def full(self, k: int) -> Floats:
        """See `Course`."""
        month: Floats = self.entry[self.plan.capacities[k] - 1]
        return month

    def free(self, row: Ints) -> Floats:
        """See `Course`."""
        month = np.full(row.shape, np.inf)
        for capacity, opened in reversed(self.opened):  # over looks
            month = np.where(row < capacity, opened, month)
        return month

    def included(self, counted: Ints) -> Bools:
        """See `Course`."""
        first: Bools = np.arange(len(self.entry))[:, np.newaxis] < counted
        return first & self.cohort.evaluable if self.plan.handling == "exclude" else first


class Replacing:
    """Calendar of a trial whose looks count the first n_k evaluable: a loss, once known, frees its place."""

    def __init__(self, plan: Plan, clock: Clock, cohort: Cohort) -> None:
        self.plan, self.clock, self.cohort = plan, clock, cohort
        shape = cohort.gaps.shape
        self.entry, self.release, self.start = np.full(shape, np.inf), np.full(shape, np.inf), np.zeros(shape)
        self.opened = 0
        self.steps = running(np.add, cohort.gaps)
        self.nth = running(np.add, cohort.evaluable.astype(np.int32))
        self.responded = running(np.add, cohort.responds.astype(np.int32))
        # months at which the first, second, ... loss of each trial is known; after the last there is none
        self.lost = np.full(shape, np.inf)

    def open(self, k: int, month: Floats) -> None:
        """See `Course`."""
        capacity = self.plan.capacities[k]
        if capacity > self.opened:
            self._let_in(capacity, month)
            self.opened = capacity

    def _let_in(self, capacity: int, month: Floats) -> None:
        """Let patients in up to a capacity, from a month on."""
        # Places under earlier looks stay what they were: the new look has more of them, from its opening on. A patient
        # beyond the capacity takes the place of a loss among those before, so one row after the other is settled.
        self._enter(slice(self.opened, capacity), np.minimum(self.release[self.opened : capacity], month))
        for row in range(capacity, len(self.entry)):
            taken = self.nth[row - 1] >= capacity
            if taken.all():
                break
            free = np.maximum(month, self.lost[row - capacity])
            free[taken] = np.inf
            self._enter(slice(row, row + 1), np.minimum(self.release[row : row + 1], free))
        if self.plan.close_month is not None:
            self.entry[self.entry > self.plan.close_month] = np.inf

    def _enter(self, rows: slice, release: Floats) -> None:
        """Let some patients in, one after the other, from the months at which each has a place."""
        steps, start = self.steps[rows], self.start[rows]
        self.release[rows] = release
        np.subtract(self.clock.level(release), steps - self.cohort.gaps[rows], out=start)
        if rows.start:
            np.maximum(start[0], self.start[rows.start - 1], out=start[0])
        down(np.maximum, start)
        self.entry[rows] = self.clock.months(steps + start)
        row, trial = np.nonzero(~self.cohort.evaluable[rows])
        row += rows.start
        self.lost[row - self.nth[row, trial], trial] = self.entry[row, trial] + self.plan.disease.assessments.interval

    def look(self, k: int) -> tuple[Floats, Floats]:
        """See `Course`."""
        row = self._row(self.plan.design.looks[k].n)
        last = int(row.max()) + 1
        delay = self.cohort.known
        known = self.entry[:last] + (delay if isinstance(delay, float) else delay[:last])
        down(np.maximum, known)
        return at_row(self.entry, row), at_row(known, row)

    def count(self, k: int) -> Count:
        """See `Course`."""
        came = self._row(self.plan.design.looks[k].n) + 1
        if self.plan.close_month is not None:
            came = np.minimum(came, how_many(np.isfinite(self.entry)))
        row = np.maximum(came - 1, 0)
        responses, evaluable = (at_row(of, row).astype(np.int64) for of in (self.responded, self.nth))
        return Count(responses * (came > 0), evaluable * (came > 0), came)

    def statuses(self, k: int) -> tuple[Floats, Bools]:
        """See `Course`.

        Patient j > n_k is counted for certain once j - n_k of the patients before are known to be lost.
        """
        n = self.plan.design.looks[k].n
        months = self.entry + self.cohort.known
        months[n:] = np.maximum(months[n:], self.lost[: len(months) - n])
        return np.where(self.cohort.evaluable & (self.nth <= n), months, np.inf), self.cohort.responds

    def resume(self, k: int, months: float) -> Floats:
        """See `Course`.

        A hold begins whenever every place is taken; the first that outlasts the limit opens those of the next look.
        """
        capacity = self.plan.capacities[k]
        until = self.entry[capacity - 1 : -1] + months
        still = self.lost[: len(until)] > until
        month: Floats = np.where(still, until, np.inf).min(axis=0)
        self._let_in(self.plan.capacities[k + 1], month)
        return month

    def full(self, k: int) -> Floats:
        """See `Course`."""
        return at_row(self.entry, self._row(self.plan.capacities[k]))

    def free(self, row: Ints) -> Floats:
        """See `Course`."""
        month = at_row(self.release, np.minimum(row, len(self.release) - 1))
        return np.where(row < len(self.release), month, np.inf)

    def included(self, counted: Ints) -> Bools:
        """See `Course`."""
        first: Bools = np.arange(len(self.entry))[:, np.newaxis] < counted
        return first & self.cohort.evaluable

    def _row(self, n: int) -> Ints:
        """Row of the n-th evaluable patient of each trial."""
        return how_many(self.nth < n)


def running(combine: np.ufunc, rows: NDArray[Scalar]) -> NDArray[Scalar]:
    """Running sum or maximum down the patients."""
    total = rows.copy()
    down(combine, total)
    return total


def down(combine: np.ufunc, rows: NDArray[Scalar]) -> None:
    """Replace rows by their running sum, product or maximum.

    Row upon row, each a vector over trials: numpy's own accumulate walks the columns, which takes ten times as long.
    """
    for before, here in pairwise(rows):
        combine(before, here, out=here)


def at_row(array: NDArray[Scalar], row: Ints) -> NDArray[Scalar]:
    """The entry of one row of each trial."""
    one: NDArray[Scalar] = np.take_along_axis(array, row[np.newaxis], 0)[0]
    return one


def how_many(where: Bools) -> Ints:
    """Count down the patients: by bytes as far as they reach, eight times as fast as by words."""
    kind = np.uint8 if len(where) < 256 else np.int64
    return np.asarray(np.sum(where.view(np.uint8), axis=0, dtype=kind), dtype=np.int64)
