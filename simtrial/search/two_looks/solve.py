"""The designs with two looks that meet the limits, for given n: `simtrial.search.two_looks.scan` has the method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.search.bounds import SLACK
from simtrial.search.two_looks.stages import Extents, FoundStages, LookForm, made

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.two_looks.binomials import LookTables

    Test = Callable[[int, Extents, Ints], Bools]

CELLS = 1 << 17
"""Most table cells worked on at once: memory stays bounded, and they fit a processor's cache."""


class Windows:
    """The smallest and the largest r that a design with n1 patients at its first look can have, as n grows."""

    def __init__(self, requirements: Requirements, form: LookForm) -> None:
        self.requirements, self.form = requirements, form
        self.low = self.high = np.empty(0, dtype=np.int64)
        self.n = 0

    def make_room(self, n_max: int) -> None:
        """For n1 up to n_max."""
        more = np.full(n_max + 1 - self.low.size, -1)
        self.low, self.high = np.append(self.low, more), np.append(self.high, more)

    def rows(self, tables: LookTables, n: int, extents: Extents) -> tuple[Ints, Ints]:
        """Which rows of the extents go with which r, with n patients."""
        self._move(tables, n, extents)
        low, high = self.low[extents.n1], self.high[extents.n1]
        counts = np.maximum(high - low + 1, 0)
        which = np.repeat(np.arange(counts.size), counts)
        return which, low[which] + np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)

    def _move(self, tables: LookTables, n: int, extents: Extents) -> None:
        def breaks(r: Ints, some: Extents) -> Bools:
            return self._breaks_alpha(tables, n, (some, r))

        def reaches(r: Ints, some: Extents) -> Bools:
            return self._can_have_power(tables, n, (some, r))

        n1 = extents.n1
        low, high = self.low[n1], self.high[n1]
        new = low < 0
        if new.any():
            some = extents.at(new)
            low[new] = _first_without(breaks, n, some)
            high[new] = _first_without(reaches, n, some) - 1
        high[~new] = np.minimum(high[~new] + (n - self.n), n - 1)
        low = np.maximum(low, np.maximum(extents.k_first, extents.e_first - 1 if self.form.efficacy else 0))
        for moved, by, out in ((low, 1, breaks), (high, -1, lambda r, some: ~reaches(r, some))):
            todo = np.flatnonzero(low <= high)
            while todo.size:
                todo = todo[out(moved[todo], extents.at(todo))]
                moved[todo] += by
                todo = todo[low[todo] <= high[todo]]
        self.low[n1], self.high[n1], self.n = low, high, n

    def _breaks_alpha(self, tables: LookTables, n: int, rows: tuple[Extents, Ints]) -> Bools:
        """Whether the type I error of bound r is above alpha even with the largest k."""
        extents, r = rows
        start = int(tables.light[extents.n1].min())
        x = np.arange(start, max(int(extents.k_last.max()), start))
        first, later = tables.joint(0, n, (extents.n1, r), x[np.newaxis])
        loss = (first * later * (x < extents.k_last[:, np.newaxis])).sum(axis=1)
        found: Bools = tables.at_least[0, n, r + 1] - loss > self.requirements.alpha + SLACK
        return found

    def _can_have_power(self, tables: LookTables, n: int, rows: tuple[Extents, Ints]) -> Bools:
        """Whether bound r has the power with the smallest e1."""
        extents, r = rows
        reach = tables.at_least[1, n, r + 1]
        if self.form.efficacy:
            further = max(int((np.minimum(r, extents.n1) - extents.e_first).max()) + 1, 0)
            first, later = tables.joint(1, n, (extents.n1, r), extents.e_first[:, np.newaxis] + np.arange(further))
            reach = reach + (first * (1 - later)).sum(axis=1)
        found: Bools = reach >= self.requirements.power - SLACK
        return found


def _first_without(holds: Callable[[Ints, Extents], Bools], n: int, extents: Extents) -> Ints:
    """The first r, from 0 to n, for which what holds for small r does not."""
    low, high = np.full(extents.n1.shape, -1), np.full(extents.n1.shape, n)
    while (high - low > 1).any():
        middle = np.maximum((low + high) // 2, 0)
        yes = holds(middle, extents)
        low, high = np.where(yes, middle, low), np.where(yes, high, middle)
    return high


class Solver:
    """Solves for r1: the largest that keeps the power, for every n1, r and e1.

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits.
    form : LookForm
        Which stops the first look has.
    """

    def __init__(self, requirements: Requirements, form: LookForm) -> None:
        self.requirements, self.form = requirements, form

    def designs(self, tables: LookTables, n: int, rows: tuple[Extents, Ints], closed: Ints) -> FoundStages:
        """Designs with n patients, by rows of n1 and r, that are not closed.

        Parameters
        ----------
        rows : tuple of Extents and ndarray
            What to look at, and r.
        closed : ndarray of int, rows n1, columns e
            The largest k that needs no design any more.
        """
        extents, r = rows
        wide = np.maximum(extents.k_last, np.minimum(r, extents.n1) - extents.e_first + 2)
        step = max(1, CELLS // int(max(wide.max(), 1)))
        if r.size <= step:
            return self._block(tables, n, rows, closed)
        return FoundStages.joined(
            [
                self._block(tables, n, (extents.at(part), r[part]), closed)
                for part in np.array_split(np.arange(r.size), 1 + (r.size - 1) // step)
            ]
        )

    def _block(self, tables: LookTables, n: int, rows: tuple[Extents, Ints], closed: Ints) -> FoundStages:
        extents, r = rows
        n1, k_first, e_first = extents.n1, extents.k_first[:, np.newaxis], extents.e_first[:, np.newaxis]
        e_last = np.minimum(extents.e_last, r + 1) if self.form.efficacy else extents.e_last
        columns = max(int((e_last - extents.e_first).max()) + 1, 1)
        start, loss, gain = self._sums(tables, n, rows, columns)
        reach = tables.at_least[:, n, r + 1]
        e = e_first + np.arange(columns)
        room = reach[1][:, np.newaxis] + gain[1] - self.requirements.power
        least = int(k_first.min())
        k = np.full(e.shape, least - 1)
        for one in range(least, int(extents.k_last.max()) + 1):
            k += loss[1, :, max(one - start, 0)][:, np.newaxis] <= room + SLACK
        k = np.minimum(k, np.minimum(np.minimum(extents.k_last, r)[:, np.newaxis], e - 1))
        place = np.maximum(k - start, 0)
        excess = reach[0][:, np.newaxis] + gain[0] - np.take_along_axis(loss[0], place, 1) - self.requirements.alpha
        fits = (e <= e_last[:, np.newaxis]) & (k >= k_first) & (excess <= SLACK)
        fits &= k > closed[n1[:, np.newaxis], np.minimum(e, closed.shape[1] - 1)]
        if least == 0:
            fits &= (k > 0) | (e <= n1[:, np.newaxis])
        row, column = np.nonzero(fits)
        n1, r, k, e = n1[row], r[row], k[row, column], e[row, column]
        spare = room[row, column] - loss[1, row, place[row, column]]
        for i in np.flatnonzero((excess[row, column] >= -SLACK) | (spare <= SLACK)).tolist():
            k[i] = self._settled(n, int(n1[i]), int(r[i]), (int(k[i]), int(e[i])))
        known = k >= 0
        n1, r, k, e = n1[known], r[known], k[known], e[known]
        return FoundStages(
            n1=n1, k=k, e=e, share=tables.share(n1, k, e), largest=np.zeros(n1.shape), n=np.full(n1.shape, n), r=r
        )

    def _sums(self, tables: LookTables, n: int, rows: tuple[Extents, Ints], columns: int) -> tuple[int, Floats, Floats]:
        """Loss by k, from the first that is returned, and Gain by e1, both at p0 and at p1."""
        extents, r = rows
        start = int(tables.light[extents.n1].min())
        x = np.arange(start, max(int(extents.k_last.max()), start))[np.newaxis]
        further = max(int((np.minimum(r, extents.n1) - extents.e_first).max()) + 1, columns - 1)
        loss = np.zeros((2, r.size, x.size + 1))
        gain = np.zeros((2, r.size, further + 1))
        for p in (0, 1):
            first, later = tables.joint(p, n, (extents.n1, r), x)
            np.cumsum(first * later, axis=1, out=loss[p, :, 1:])
            if further:
                beyond = extents.e_first[:, np.newaxis] + np.arange(further)
                first, later = tables.joint(p, n, (extents.n1, r), beyond)
                np.cumsum((first * (1 - later))[:, ::-1], axis=1, out=gain[p, :, -2::-1])
        return start, loss, gain[:, :, :columns]

    def _settled(self, n: int, n1: int, r: int, bounds: tuple[int, int]) -> int:
        """The largest k from there down that meets the limits, where the tables cannot tell; -1 if there is none."""
        k, e = bounds
        while k >= max(self.form.k_first, int(e > n1)):
            design = made(n1, r, n, (k, e))
            if exact.meets(design, self.requirements):
                return k
            power = float(exact.operating_characteristics(design, self.requirements.p1).reject)
            if power > self.requirements.power + exact.CLOSE:
                break
            k -= 1
        return -1
