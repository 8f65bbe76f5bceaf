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
    """The calendar of a block; looks are opened in order.

    The number n of patients of a look is one for all trials, or an array of shape (trials,).
    """

    plan: Plan
    cohort: Cohort
    entry: Floats

    def open(self, capacity: int, month: Floats) -> None:
        """Let patients in up to a capacity, from a month on."""
        ...

    def confine(self, n: Ints, month: Floats) -> None:
        """Let nobody in beyond n places after a month; who is in by then stays."""
        ...

    def look(self, n: int | Ints) -> tuple[Floats, Floats]:
        """Months at which the last patient of a look enters, and at which the status of all it counts is known."""
        ...

    def count(self, n: int | Ints) -> Count:
        """What a look sees."""
        ...

    def statuses(self, n: int | Ints) -> tuple[Floats, Bools]:
        """When a status counts at a look, infinite for whom it does not count; and who responds: (patients, trials)."""
        ...

    def resume(self, capacity: int, later: int, months: float) -> Floats:
        """Month at which accrual resumes, up to a later capacity, if a hold at the first one lasts so long."""
        ...

    def full(self, capacity: int) -> Floats:
        """Month at which a capacity is taken up."""
        ...

    def free(self, row: Ints) -> Floats:
        """Month at which a place for a given row came free; infinite if none did."""
        ...

    def shut(self, row: Ints) -> tuple[Floats, Floats] | None:
        """From when to when the place for a given row, free before, was not open; None if no trial was confined."""
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
        self.confined: tuple[Ints, Floats] | None = None

    def open(self, capacity: int, month: Floats) -> None:
        """See `Course`."""
        start = self.opened[-1][0] if self.opened else 0
        if capacity == start:
            return
        self.opened.append((capacity, month))
        level = self.clock.level(month)
        if start:
            level = np.maximum(level, self.clock.level(self.entry[start - 1]))
        steps = self.cohort.gaps[start:capacity]
        entry = self.clock.months(running(np.add, steps) + level)
        if self.plan.close_month is not None:
            entry[entry > self.plan.close_month] = np.inf
        self.entry[start:capacity] = entry

    def confine(self, n: Ints, month: Floats) -> None:
        """See `Course`."""
        self.confined = n, month
        beyond = np.arange(len(self.entry))[:, np.newaxis] >= n
        self.entry[beyond & (self.entry > month)] = np.inf

    def look(self, n: int | Ints) -> tuple[Floats, Floats]:
        """See `Course`."""
        delay = self.cohort.known
        last = self.entry[n - 1] if isinstance(n, int) else at_row(self.entry, n - 1)
        if isinstance(delay, float):
            return last, last + delay
        new, mine = self._new(n)
        months = self.entry[new] + delay[new]
        known = (months if mine is None else np.where(mine, months, 0.0)).max(axis=0)
        self.known = np.maximum(self.known, known)
        return last, self.known

    def _new(self, n: int | Ints) -> tuple[slice, Bools | None]:
        """Rows of whom a look counts and the look before did not; and who of them, if not all of every trial."""
        if isinstance(n, int):
            return slice(self.seen, n), None
        rows = slice(self.seen, int(n.max(initial=self.seen + 1)))
        return rows, np.arange(rows.start, rows.stop)[:, np.newaxis] < n

    def count(self, n: int | Ints) -> Count:
        """See `Course`."""
        new, mine = self._new(n)
        responds, evaluable = self.cohort.responds[new], self.cohort.evaluable[new]
        came: Ints | int = n - self.seen
        if self.plan.close_month is not None:
            entered = np.isfinite(self.entry[new])
            mine = entered if mine is None else mine & entered
            came = how_many(mine)
        if mine is not None:
            responds, evaluable = responds & mine, evaluable & mine
        before, self.seen = self.counts, new.stop
        self.counts = Count(
            before.responses + how_many(responds), before.evaluable + how_many(evaluable), before.counted + came
        )
        return self.counts

    def statuses(self, n: int | Ints) -> tuple[Floats, Bools]:
        """See `Course`."""
        delay, most = self.cohort.known, n if isinstance(n, int) else len(self.entry)
        months = self.entry[:most] + (delay if isinstance(delay, float) else delay[:most])
        if not isinstance(n, int):
            months[np.arange(most)[:, np.newaxis] >= n] = np.inf
        return months, self.cohort.responds[:most]

    def resume(self, capacity: int, later: int, months: float) -> Floats:  # noqa: ARG002 - as `Course`
        """See `Course`."""
        return self.full(capacity) + months

    def full(self, capacity: int) -> Floats:
        """See `Course`."""
        month: Floats = self.entry[capacity - 1]
        return month

    def free(self, row: Ints) -> Floats:
        """See `Course`."""
        month = np.full(row.shape, np.inf)
        for capacity, opened in reversed(self.opened):  # over looks
            month = np.where(row < capacity, opened, month)
        return month

    def shut(self, row: Ints) -> tuple[Floats, Floats] | None:
        """See `Course`."""
        if self.confined is None:
            return None
        n, month = self.confined
        never = np.full(row.shape, np.inf)
        return np.where(row >= n, month, never), never

    def included(self, counted: Ints) -> Bools:
        """See `Course`."""
        first: Bools = np.arange(len(self.entry))[:, np.newaxis] < counted
        return first & self.cohort.evaluable if self.plan.handling == "exclude" else first


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
