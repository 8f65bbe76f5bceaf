"""The calendar of a trial in which a patient who drops out gives the place to a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct.courses import Count, at_row, down, how_many, running

if TYPE_CHECKING:
    from simtrial.conduct.cohort import Cohort
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.plan.enrollment import Clock
    from simtrial.plan.plan import Plan


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
        # which row was awaited when its place was taken away; from when to when
        self.paused: tuple[Ints, Floats, Floats] | None = None

    def open(self, capacity: int, month: Floats) -> None:
        """See `Course`."""
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

    def confine(self, n: Ints, month: Floats) -> None:
        """See `Course`.

        Who was awaited, and no longer is, may be awaited again once a loss is known: what is left of the gap then runs
        on from there.
        """
        self.paused = np.full(n.shape, -1), np.full(n.shape, np.inf), np.full(n.shape, np.inf)
        level = self.clock.level(month)
        for row in range(int(n.min(initial=len(self.entry))), len(self.entry)):
            mine = (row >= n) & (self.entry[row] > month)
            if mine.any():
                self._confine_row(row, mine, n, (month, level))

    def _confine_row(self, row: int, mine: Bools, n: Ints, after: tuple[Floats, Floats]) -> None:
        """Let the patient of a row, in some trials, in when one of n places is free; `after` is a month, its level."""
        assert self.paused is not None
        (month, level), before, ahead = after, self.release[row].copy(), self.steps[row] - self.cohort.gaps[row]
        loss = at_row(self.lost, np.maximum(row - n, 0))
        loss[self.nth[row - 1] >= n] = np.inf
        free = np.where(loss > month, loss, np.minimum(before, month))
        paused = mine & (loss > month) & (before <= month) & (self.entry[row - 1] <= month)
        since = self.clock.level(free)
        start = np.where(paused, self.start[row] + (since - level), np.maximum(self.start[row - 1], since - ahead))
        entry = self.clock.months(self.steps[row] + start)
        if self.plan.close_month is not None:
            entry[entry > self.plan.close_month] = np.inf
        np.copyto(self.release[row], free, where=mine & ~paused)
        np.copyto(self.start[row], start, where=mine)
        np.copyto(self.entry[row], entry, where=mine)
        for kept, now in zip(self.paused, (np.full(n.shape, row), month, loss), strict=True):
            np.copyto(kept, now, where=paused)
        trial = np.flatnonzero(mine & ~self.cohort.evaluable[row])
        self.lost[row - self.nth[row, trial], trial] = self.entry[row, trial] + self.plan.disease.assessments.interval

    def look(self, n: int | Ints) -> tuple[Floats, Floats]:
        """See `Course`."""
        row = self._row(n)
        last = int(row.max()) + 1
        delay = self.cohort.known
        known = self.entry[:last] + (delay if isinstance(delay, float) else delay[:last])
        down(np.maximum, known)
        return at_row(self.entry, row), at_row(known, row)

    def count(self, n: int | Ints) -> Count:
        """See `Course`."""
        came = self._row(n) + 1
        if self.plan.close_month is not None:
            came = np.minimum(came, how_many(np.isfinite(self.entry)))
        row = np.maximum(came - 1, 0)
        responses, evaluable = (at_row(of, row).astype(np.int64) for of in (self.responded, self.nth))
        return Count(responses * (came > 0), evaluable * (came > 0), came)

    def statuses(self, n: int | Ints) -> tuple[Floats, Bools]:
        """See `Course`.

        Patient j > n_k is counted for certain once j - n_k of the patients before are known to be lost.
        """
        months = self.entry + self.cohort.known
        if isinstance(n, int):
            months[n:] = np.maximum(months[n:], self.lost[: len(months) - n])
        else:
            beyond = np.arange(len(months))[:, np.newaxis] - n
            losses = np.take_along_axis(self.lost, np.maximum(beyond, 0), 0)
            months = np.where(beyond < 0, months, np.maximum(months, losses))
        return np.where(self.cohort.evaluable & (self.nth <= n), months, np.inf), self.cohort.responds

    def resume(self, capacity: int, later: int, months: float) -> Floats:
        """See `Course`.

        A hold begins whenever every place is taken; the first that outlasts the limit opens those of the next look.
        """
        until = self.entry[capacity - 1 : -1] + months
        still = self.lost[: len(until)] > until
        month: Floats = np.where(still, until, np.inf).min(axis=0)
        self._let_in(later, month)
        return month

    def full(self, capacity: int) -> Floats:
        """See `Course`."""
        return at_row(self.entry, self._row(capacity))

    def free(self, row: Ints) -> Floats:
        """See `Course`."""
        month = at_row(self.release, np.minimum(row, len(self.release) - 1))
        return np.where(row < len(self.release), month, np.inf)

    def shut(self, row: Ints) -> tuple[Floats, Floats] | None:
        """See `Course`."""
        if self.paused is None:
            return None
        which, since, until = self.paused
        never = np.full(row.shape, np.inf)
        return np.where(which == row, since, never), np.where(which == row, until, never)

    def included(self, counted: Ints) -> Bools:
        """See `Course`."""
        first: Bools = np.arange(len(self.entry))[:, np.newaxis] < counted
        return first & self.cohort.evaluable

    def _row(self, n: int | Ints) -> Ints:
        """Row of the n-th evaluable patient of each trial."""
        return how_many(self.nth < n)
