"""The engine of the search for any two looks: which designs it visits, and why it need not visit the others.

A design is r1/n1 with e1, r/n: continue if r1 < X1 < e1. Write k = r1 + 1 for the smallest count that continues, b_p for
the probabilities of X1, X2 for the responses after the first look, and

    Loss_p(k) = sum_{x < k} b_p(x) P_p(X2 > r - x),    Gain_p(e1) = sum_{x >= e1} b_p(x) P_p(X2 <= r - x).

Then P_p(reject) = P_p(X > r) - Loss_p(k) + Gain_p(e1). No bound on r from P_p1(X > r) >= power holds here: what is
gained may make up for it [1]_.

Why the search is complete without visiting every design
---------------------------------------------------------
1. *r1 is solved for, not searched.* With n, n1, r and e1 given, a larger r1 lowers EN at every p and the type I error,
   and costs power only. So the largest r1 that keeps the power is best in every respect, and if it breaks alpha every
   smaller r1 does.
2. *First stages are few.* P_p1(X1 < k) <= 1 - power and P_p0(X1 >= e1) <= alpha bound k above and e1 below, because
   what the first look decides is decided.
3. *r has a window* for every n1: P_p0(X > r) - Loss_p0(k) <= alpha with the largest k, and P_p1(X > r) + Gain_p1(e1) >=
   power with the smallest e1. Both bounds never fall as n grows, the second by at most one per patient, so they are
   carried along.
4. *A first stage is closed by its smallest n.* With n1, k and e1 given, EN(p) = n1 + P_p(k <= X1 < e1) (n - n1) grows
   with n at every p, and so does its maximum over p: after the smallest n that has a design with this first stage, no
   larger one is better by any weighted sum, and neither is one with a smaller k or a larger e1.
5. *n has an end.* A first stage that is still without a design is given up when its EN at the next n reaches what is
   to be beaten, by every criterion; its EN is known, because it does not depend on r. When none is left and a further
   patient in the first stage already costs more than what is to be beaten, no larger n can win: this is ``n_upper``. It
   is proved for every question. The simpler bound n1 + P_p(largest k <= X1 < smallest e1) (n - n1) is not: it lets n
   run to thousands where p0 <= 0.05 and p1 >= 0.5.

Below ``n_lower`` even the randomised most powerful level-alpha test lacks the power (Neyman and Pearson [2]_). Limits
nearer than `SLACK` are settled in exact fractions (`simtrial.design.exact.meets`).

References
----------
.. [1] Mander AP, Thompson SG. Two-stage designs optimal under the alternative hypothesis for phase II cancer clinical
   trials. Contemp Clin Trials 2010;31:572-578.
.. [2] Neyman J, Pearson ES. On the problem of the most efficient tests of statistical hypotheses. Phil Trans R Soc
   A 1933;231:289-337.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import Look, MultiStage, TwoStage
from simtrial.design.requirements import N_LIMIT_MOST
from simtrial.errors import InputError
from simtrial.search.bounds import SLACK, most_powers, score_n
from simtrial.search.two_looks_goals import Sizes
from simtrial.search.two_looks_tables import LookTables, largest_share

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.constraints import Constraints
    from simtrial.search.two_looks_goals import Goal

CELLS = 1 << 17
"""Most table cells worked on at once: memory stays bounded, and they fit a processor's cache."""

Rows = tuple["Ints", "Ints", "Ints", "Ints", "Ints"]
"""n1, and the first and last k and e1 that are looked at there; e1 = n1 + 1 stands for none."""


def made(n1: int, r: int, n: int, bounds: tuple[int, int]) -> TwoStage | MultiStage:
    """The design with the `bounds` k and e1 of its first look."""
    k, e = bounds
    if k == 0:
        return MultiStage((Look(n1, None, e), Look(n, r)))
    return TwoStage(k - 1, n1, r, n, e1=e if e <= n1 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Which stops a first look has.

    Attributes
    ----------
    k_first, k_last : int or None
        Range of k = r1 + 1; 0 is no stop for futility.
    efficacy : bool
        Whether it may stop for efficacy.
    """

    k_first: int
    k_last: int | None
    efficacy: bool

    @classmethod
    def of(cls, constraints: Constraints) -> Form:
        """What the constraints allow; both stops, if they do not say.

        Raises
        ------
        InputError
            If r1 is given for a look that does not stop for futility.
        """
        if constraints.stops == "efficacy":
            if constraints.r1 is not None:
                raise InputError(f"({constraints.r1}) is a bound for futility, for which no look stops", "r1")
            return cls(k_first=0, k_last=0, efficacy=True)
        efficacy = constraints.stops != "futility"
        if constraints.r1 is not None:
            return cls(k_first=constraints.r1 + 1, k_last=constraints.r1 + 1, efficacy=efficacy)
        return cls(k_first=0 if efficacy and constraints.futility_optional else 1, k_last=None, efficacy=efficacy)


@dataclass(frozen=True, slots=True)
class Found:
    """Designs that meet the limits; arrays of one shape. `largest` is 0 where it was not needed."""

    n: Ints
    n1: Ints
    r: Ints
    k: Ints
    e: Ints
    share: Floats
    largest: Floats

    def sizes(self) -> Sizes:
        """Their numbers of patients."""
        return _sizes(self.n1, self.n, self.share, self.largest)

    def at(self, index: Ints | Bools) -> Found:
        """Some of them."""
        return Found(*(getattr(self, one.name)[..., index] for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Open:
    """First stages without a design yet that could still matter, by n1."""

    n1: Ints
    k: Ints
    e: Ints
    share: Floats
    largest: Floats

    def at(self, index: Ints | Bools) -> Open:
        """Some of them."""
        return Open(*(getattr(self, one.name)[..., index] for one in fields(self)))

    def and_(self, other: Open) -> Open:
        """Both."""
        return Open(
            *(np.concatenate([getattr(self, one.name), getattr(other, one.name)], axis=-1) for one in fields(self))
        )


def _sizes(n1: Ints, n: Ints, share: Floats, largest: Floats) -> Sizes:
    en_p0, en_p1, en_max = (n1 + one * (n - n1) for one in (share[0], share[1], largest))
    return Sizes(en_p0, en_p1, np.maximum(en_max, np.maximum(en_p0, en_p1)), n)


NONE = Open(*(np.empty(0, dtype=np.int64) for _ in range(3)), np.empty((2, 0)), np.empty(0))


class TwoLooksScan:
    """Visits n in increasing order and keeps the designs that a goal has use for.

    Attributes
    ----------
    found : list of Found
        By n.
    n_lower, n_upper : int
        First n at which a test can have the power; last n at which any design could still have mattered.
    cut : Open or None
        What was still open where a cap ended the search.
    """

    def __init__(self, requirements: Requirements, constraints: Constraints, goal: Goal) -> None:
        self.requirements, self.constraints, self.goal = requirements, constraints, goal
        self.form = Form.of(constraints)
        self.found: list[Found] = []
        self.n_lower = self.n_upper = 0
        self.cut: Open | None = None
        self.open = NONE
        self.listed = 0
        self.step = constraints.multiple_of
        self._grow(math.ceil(1.45 * score_n(requirements)) + 12)
        self._visit()

    def _grow(self, n_max: int) -> None:
        """Make tables for more patients, and room for what is known of every n1."""
        if self.constraints.looks_at is not None:
            n_max = self.constraints.looks_at[-1]
        elif self.constraints.cap is not None:
            n_max = min(n_max, self.constraints.cap)
        self.tables = LookTables(self.requirements, n_max)
        before = getattr(self, "closed", np.empty((0, 0), dtype=np.int64))
        self.closed = np.full((n_max + 1, n_max + 2), -1)
        self.closed[: before.shape[0], : before.shape[1]] = before
        old = getattr(self, "r_low", np.empty(0, dtype=np.int64))
        self.r_low, self.r_high = (
            np.concatenate([one, np.full(n_max + 1 - old.size, -1)]) for one in (old, getattr(self, "r_high", old))
        )

    def _visit(self) -> None:
        looks, cap = self.constraints.looks_at, self.constraints.cap
        end = looks[-1] if looks is not None else cap or N_LIMIT_MOST
        n, at = 1, 0
        while n <= end:
            if n > self.tables.n_max:
                self._grow(min(int(1.45 * n) + 12, end))
            sizes = np.arange(n, self.tables.n_max + 1)
            for possible in sizes[most_powers(sizes, self.requirements) >= self.requirements.power - SLACK].tolist():
                self.n_lower = self.n_lower or possible
                if self.found and not self._goes_on(possible):
                    return
                if looks is None or possible == looks[-1]:
                    rows = self._rows(possible)
                    if rows is not None:
                        self.n_upper, at = possible, self._at(possible, rows, at)
            n = self.tables.n_max + 1
        if cap is not None and looks is None and (not self.found or self._goes_on(cap + 1)):
            self.cut = self.open

    def _goes_on(self, n: int) -> bool:
        """Whether a design with n patients or more could still matter."""
        if self.open.n1.size:
            return True
        if self.constraints.looks_at is not None:
            return n <= self.constraints.looks_at[-1]
        n1 = np.array([(n + 1) // 2 if self.constraints.balanced else max(n - 1, 1)])
        share = np.zeros((2, 1))
        return bool(self.goal.open(_sizes(n1, np.maximum(n, n1 + 1), share, share[0]))[0])

    def _firsts(self, n: int) -> Ints:
        """Numbers of patients at the first look that go with n."""
        asked = self.constraints
        n1 = np.arange(1, n)
        if asked.looks_at is not None:
            return n1[n1 == asked.looks_at[0]] if len(asked.looks_at) == 2 and asked.looks_at[-1] == n else n1[:0]
        if n % self.step or (asked.cap is not None and n > asked.cap):
            return n1[:0]
        return n1[(n1 >= asked.n1_least) & (n1 % self.step == 0) & (not asked.balanced or 2 * n1 == n)]

    def _widest(self, n1: Ints) -> Rows:
        """All that a first look may have."""
        tables, form = self.tables, self.form
        k_last = tables.k_most[n1] if form.k_last is None else np.minimum(form.k_last, tables.k_most[n1])
        e_first = tables.e_least[n1] if form.efficacy else n1 + 1
        return n1, np.full(n1.shape, form.k_first), k_last, e_first, n1 + (form.k_last != 0)

    def _rows(self, n: int) -> Rows | None:
        """What is to be looked at with n patients; None if that is nothing."""
        if self.found:
            self._list(n)
            return self._of_open(n)
        n1, k_first, k_last, e_first, e_last = rows = self._widest(self._firsts(n))
        some = (k_first <= k_last) & (e_first <= e_last)
        return None if not some.any() else (n1[some], *(one[some] for one in rows[1:]))  # type: ignore[return-value]

    def _of_open(self, n: int) -> Rows | None:
        asked = self.constraints
        open_ = self.open
        if open_.n1.size == 0:
            return None
        keeps = self.goal.open(_sizes(open_.n1, np.full(open_.n1.shape, n), open_.share, open_.largest))
        self.open = open_ = open_.at(keeps)
        if open_.n1.size == 0 or n % self.step or (asked.balanced and n % 2):
            return None
        first = np.flatnonzero(np.append(True, open_.n1[1:] != open_.n1[:-1]))
        ends = [np.minimum.reduceat(one, first) for one in (open_.k, open_.e)]
        lasts = [np.maximum.reduceat(one, first) for one in (open_.k, open_.e)]
        return open_.n1[first], ends[0], lasts[0], ends[1], lasts[1]

    def _list(self, n: int) -> None:
        """List the first stages that come in with n patients."""
        n1s = self._firsts(n)
        if self.constraints.balanced:
            self.open = NONE
        for n1 in n1s[n1s > self.listed].tolist():
            self._open(n1, n)
            self.listed = n1

    def _open(self, n1: int, n: int) -> None:
        """Add the first stages with n1 patients that could matter with n patients or more."""
        _, k_first, k_last, e_first, e_last = (int(one[0]) for one in self._widest(np.array([n1])))
        zero = np.zeros((2, 1))
        if k_first > k_last or not self.goal.open(_sizes(np.array([n1]), np.array([n]), zero, zero[0]))[0]:
            return
        k, e = (one.ravel() for one in np.meshgrid(np.arange(k_first, k_last + 1), np.arange(e_first, e_last + 1)))
        some = (k < e) & (k > self.closed[n1, e]) & ((k > 0) | (e <= n1))
        k, e = k[some], e[some]
        n1s = np.full(k.shape, n1)
        new = Open(n1s, k, e, self.tables.share(n1s, k, e), np.zeros(k.shape))
        ns = np.full(k.shape, n)
        new = new.at(self.goal.open(_sizes(n1s, ns, new.share, new.largest)))
        if self.goal.with_largest and new.n1.size:
            new = Open(new.n1, new.k, new.e, new.share, largest_share(new.n1, new.k, new.e))
            new = new.at(self.goal.open(_sizes(new.n1, np.full(new.n1.shape, n), new.share, new.largest)))
        self.open = self.open.and_(new)

    def _at(self, n: int, rows: Rows, before: int) -> int:
        """Search designs with n patients; give n back, for the windows of the next."""
        n1 = rows[0]
        self._windows(n, rows, n - before)
        counts = np.maximum(self.r_high[n1] - self.r_low[n1] + 1, 0)
        which = np.repeat(np.arange(n1.size), counts)
        r = self.r_low[n1][which] + np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)
        if not which.size:
            return n
        kept: list[Found] = []
        wide = np.maximum(rows[2], np.minimum(self.r_high[n1], n1) - rows[3] + 2)
        step = max(1, CELLS // int(max(wide.max(initial=1), 1)))
        for start in range(0, which.size, step):
            part = which[start : start + step]
            kept.append(self._block(n, r[start : start + step], tuple(one[part] for one in rows)))  # type: ignore[arg-type]
        found = Found(*(np.concatenate([getattr(one, f.name) for one in kept], axis=-1) for f in fields(Found)))
        self._keep(n, found)
        return n

    def _keep(self, n: int, found: Found) -> None:
        """Keep what matters of the designs found with n patients, and close their first stages."""
        first = not self.found
        if found.n.size:
            np.maximum.at(self.closed, (found.n1, found.e), found.k)
            rows = np.unique(found.n1)
            self.closed[rows] = np.maximum.accumulate(self.closed[rows], axis=1)
            found = self._measured(found)
            if found.n.size:
                self.found.append(found)
        if first and self.found:
            for n1 in self._firsts(n).tolist() if not self.constraints.balanced else ():
                self._open(n1, n + 1)
            self.listed = n // 2 if self.constraints.balanced else n - 1
        elif found.n.size:
            self.open = self.open.at(self.open.k > self.closed[self.open.n1, self.open.e])

    def _measured(self, found: Found) -> Found:
        """Lower the goal by what was found, and keep what comes near it; the largest EN(p) only where it may decide."""
        if not self.found:  # the first: the fewest patients, whatever else is to be small
            found = Found(
                *(getattr(found, f.name) for f in fields(Found)[:-1]), largest_share(found.n1, found.k, found.e)
            )
            self.goal.add(found.sizes())
            return found
        found = found.at(self.goal.open(found.sizes()))
        if self.goal.with_largest:
            found = Found(
                *(getattr(found, f.name) for f in fields(Found)[:-1]), largest_share(found.n1, found.k, found.e)
            )
        self.goal.add(found.sizes())
        return found.at(self.goal.open(found.sizes()))

    def _windows(self, n: int, rows: Rows, grown: int) -> None:
        """Bring the smallest and the largest r for every n1 to n patients: point 3 at the head of this module."""
        n1, k_first, k_last, e_first, _ = rows
        low, high = self.r_low[n1], self.r_high[n1]
        new = low < 0
        if new.any():
            part = tuple(one[new] for one in rows)
            low[new] = self._bisected(n, part, self._breaks_alpha)
            high[new] = self._bisected(n, part, self._can_have_power) - 1
        high[~new] = np.minimum(high[~new] + grown, n - 1)
        low = np.maximum(low, np.maximum(k_first, e_first - 1 if self.form.efficacy else 0))
        for moved, by, test in ((low, 1, self._breaks_alpha), (high, -1, lambda *a: ~self._can_have_power(*a))):
            todo = np.flatnonzero(low <= high)
            while todo.size:
                todo = todo[test(n, tuple(one[todo] for one in rows), moved[todo])]
                moved[todo] += by
                todo = todo[low[todo] <= high[todo]]
        self.r_low[n1], self.r_high[n1] = low, high

    def _bisected(self, n: int, rows: tuple[Ints, ...], holds: object) -> Ints:
        """The first r, from 0 to n, for which what holds for small r does not."""
        low, high = np.full(rows[0].shape, -1), np.full(rows[0].shape, n)
        while (high - low > 1).any():
            middle = (low + high) // 2
            yes = holds(n, rows, middle)  # type: ignore[operator]
            low, high = np.where(yes, middle, low), np.where(yes, high, middle)
        return high

    def _breaks_alpha(self, n: int, rows: tuple[Ints, ...], r: Ints) -> Bools:
        """Whether the type I error of bound r is above alpha even with the largest k."""
        n1, _, k_last, _, _ = rows
        r = np.maximum(r, 0)
        start = int(self.tables.light[n1].min())
        x = np.arange(start, max(int(k_last.max()), start))
        first, later = self.tables.joint(0, n, (n1, r), x[np.newaxis])
        loss = (first * later * (x < k_last[:, np.newaxis])).sum(axis=1)
        found: Bools = self.tables.at_least[0, n, r + 1] - loss > self.requirements.alpha + SLACK
        return found

    def _can_have_power(self, n: int, rows: tuple[Ints, ...], r: Ints) -> Bools:
        """Whether bound r has the power with the smallest e1."""
        n1, _, _, e_first, _ = rows
        r = np.maximum(r, 0)
        reach = self.tables.at_least[1, n, r + 1]
        if self.form.efficacy:
            x = e_first[:, np.newaxis] + np.arange(max(int((np.minimum(r, n1) - e_first).max()) + 1, 0))
            first, later = self.tables.joint(1, n, (n1, r), x)
            reach = reach + (first * (1 - later)).sum(axis=1)
        found: Bools = reach >= self.requirements.power - SLACK
        return found

    def _block(self, n: int, r: Ints, rows: Rows) -> Found:
        """The best k for every e1, by rows (n1, r)."""
        n1, k_first, k_last, e_first, e_last = rows
        tables, asked = self.tables, self.requirements
        start, least = int(tables.light[n1].min()), int(k_first.min())
        x = np.arange(start, max(int(k_last.max()), start))[np.newaxis]
        if self.form.efficacy:
            e_last = np.minimum(e_last, r + 1)
        columns = max(int((e_last - e_first).max()) + 1, 1)
        further = max(int((np.minimum(r, n1) - e_first).max()) + 1, columns - 1)
        loss = np.zeros((2, n1.size, x.size + 1))
        gain = np.zeros((2, n1.size, further + 1))
        for p in (0, 1):
            first, later = tables.joint(p, n, (n1, r), x)
            np.cumsum(first * later, axis=1, out=loss[p, :, 1:])
            if further:
                first, later = tables.joint(p, n, (n1, r), e_first[:, np.newaxis] + np.arange(further))
                np.cumsum((first * (1 - later))[:, ::-1], axis=1, out=gain[p, :, -2::-1])
        gain = gain[:, :, :columns]
        reach = tables.at_least[:, n, r + 1]
        e = e_first[:, np.newaxis] + np.arange(columns)
        room = reach[1][:, np.newaxis] + gain[1] - asked.power
        k = np.full(e.shape, least - 1)
        for one in range(least, int(k_last.max()) + 1):
            k += loss[1, :, max(one - start, 0)][:, np.newaxis] <= room + SLACK
        k = np.minimum(k, np.minimum(np.minimum(k_last, r)[:, np.newaxis], e - 1))
        place = np.maximum(k - start, 0)
        excess = reach[0][:, np.newaxis] + gain[0] - np.take_along_axis(loss[0], place, 1) - asked.alpha
        fits = (e <= e_last[:, np.newaxis]) & (k >= k_first[:, np.newaxis]) & (excess <= SLACK)
        fits &= k > self.closed[n1[:, np.newaxis], np.minimum(e, self.closed.shape[1] - 1)]
        if least == 0:
            fits &= (k > 0) | (e <= n1[:, np.newaxis])
        row, column = np.nonzero(fits)
        n1, r, k, e, place = n1[row], r[row], k[row, column], e[row, column], place[row, column]
        spare = room[row, column] - loss[1, row, place]
        unclear = np.flatnonzero((excess[row, column] >= -SLACK) | (spare <= SLACK))
        for i in unclear.tolist():
            k[i] = self._settled(n, int(n1[i]), int(r[i]), (int(k[i]), int(e[i])))
        known = k >= 0
        n1, r, k, e = n1[known], r[known], k[known], e[known]
        return Found(np.full(n1.shape, n), n1, r, k, e, tables.share(n1, k, e), np.zeros(n1.shape))

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
