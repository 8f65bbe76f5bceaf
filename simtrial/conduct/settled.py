"""When the statuses known settle the decision of a look, whatever the others turn out to be.

With x responses among the i statuses known of n, between x and x + n - i responses will be counted. The decision is
settled as soon as all of these lie in one region of the look. With bounds that depend on the numbers evaluable, they
must do so for every number that can still be evaluable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct.courses import at_row, running

if TYPE_CHECKING:
    from simtrial.conduct.courses import Course
    from simtrial.design.designs import AttainedBounds, Regions
    from simtrial.numbers import Bools, Floats, Ints


def numbered(here: Regions) -> Ints:
    """Number the regions in which counts lie, for `by_counts`."""
    found: Ints = here.reject + 2 * here.go_on.astype(np.int64)
    return found


def by_counts(leads: Ints | Bools, months: Floats, responds: Bools) -> Floats:
    """Month at which it is settled where a look leads; infinite where accrual closes too soon.

    Parameters
    ----------
    leads : ndarray, shape (n + 1,)
        Where 0, 1, ..., n responses lead: equal numbers for the same decision.
    months : ndarray, shape (patients, trials)
        When each status counts; infinite for whom it does not.
    responds : ndarray of bool, shape (patients, trials)
        Who responds.
    """
    n = len(leads) - 1
    responses, others = np.where(responds, months, np.inf), np.where(responds, np.inf, months)
    starts = np.flatnonzero(np.append(True, leads[1:] != leads[:-1])).tolist()
    # counts from a to b lead to the same: settled with a responses and n - b others
    runs = zip(starts, [*(start - 1 for start in starts[1:]), n], strict=True)
    found = np.full(months.shape[1], np.inf)
    for a, b in runs:
        found = np.minimum(found, np.maximum(_nth(responses, a), _nth(others, n - b)))
    return found


def _nth(months: Floats, number: int) -> Floats:
    """Month of the n-th event of each trial; 0 if none is needed."""
    if number == 0:
        return np.zeros(months.shape[1])
    nth: Floats = np.partition(months, number - 1, axis=0)[number - 1]
    return nth


class _Boxes:
    """Largest entry of any box of a table, by four overlapping boxes whose sides are powers of two."""

    def __init__(self, table: Ints) -> None:
        high, wide = (max(size, 1).bit_length() for size in table.shape)
        self.tables = np.full((high, wide, *table.shape), np.iinfo(np.int64).min)
        for i in range(high):
            for j in range(wide):
                self.tables[i, j] = table if i == j == 0 else self._doubled(i, j)

    def _doubled(self, i: int, j: int) -> Ints:
        axis = 0 if i else 1
        half = self.tables[i - 1, j] if i else self.tables[i, j - 1]
        step = 2 ** ((i if i else j) - 1)
        shifted = np.roll(half, -step, axis)
        largest: Ints = np.maximum(half, shifted)  # entries that wrap around belong to no box inside the table
        return largest

    def largest(self, low: tuple[Ints, Ints], more: tuple[Ints, Ints]) -> Ints:
        """Over low[0], ..., low[0] + more[0] and low[1], ..., low[1] + more[1], for arrays of one shape."""
        i, j = (np.log2(size + 1.0 + 1e-9).astype(np.int64) for size in more)
        ends = [(start, start + size + 1 - 2**side) for start, size, side in zip(low, more, (i, j), strict=True)]
        corners = [self.tables[i, j, row, column] for row in ends[0] for column in ends[1]]
        found: Ints = np.max(corners, axis=0)
        return found


def by_evaluable(
    course: Course, before: int, statuses: tuple[Floats, Bools], bounds: AttainedBounds, *, final: bool
) -> Floats:
    """The same for bounds that depend on the numbers evaluable.

    Parameters
    ----------
    course : Course
        With the look opened.
    before : int
        Patients of the look before.
    statuses : tuple
        Of the patients of this look, as `Course.statuses` gives them.
    bounds : AttainedBounds
        The bounds.
    final : bool
        Whether it is the last look.
    """
    months, responds = statuses
    n, trials = months.shape
    order = np.argsort(months, axis=0, kind="stable")
    mine = course.cohort.evaluable[:n]
    early = np.arange(n)[:, np.newaxis] < before

    def known(where: Bools) -> Ints:
        """How many of these are known after 0, 1, ... n statuses."""
        counts = running(np.add, np.take_along_axis(where, order, 0).astype(np.int64))
        return np.concatenate([np.zeros((1, trials), dtype=np.int64), counts])

    x, first = known(responds), known(mine & early)
    second = known(mine) - first
    seen = known(np.broadcast_to(early, responds.shape))
    pending = before - seen, n - before - (np.arange(n + 1)[:, np.newaxis] - seen)
    there = _regions(x, (first, second), pending, bounds, before, final=final)
    at: Ints = np.argmax(there, axis=0)
    sorted_months = np.take_along_axis(months, order, 0)
    return np.where(at > 0, at_row(sorted_months, np.maximum(at - 1, 0)), 0.0)


def _regions(
    x: Ints, known: tuple[Ints, Ints], pending: tuple[Ints, Ints], bounds: AttainedBounds, before: int, *, final: bool
) -> Bools:
    """Whether all counts still possible lie in one region, by responses and by numbers known and pending."""
    if final:
        size = bounds.final.shape[1] - before
        r = np.stack([row[m1 : m1 + size] for m1, row in enumerate(bounds.final)])
        e = None
    else:
        r, e = (column[np.newaxis] for column in bounds.first.T)
    numbers = np.add.outer(np.arange(r.shape[0]), np.arange(r.shape[1]))
    so_far = known[0] + known[1]

    def most(table: Ints) -> Ints:
        return _Boxes(table).largest(known, pending)

    # of a patients more who are evaluable, all or none may respond
    futile = x <= -most(numbers - r) + so_far
    passed = x > most(r)
    if e is None:
        return futile | passed
    return futile | (x >= most(e)) | (passed & (x < -most(numbers - e) + so_far))
