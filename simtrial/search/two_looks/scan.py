"""The engine of the search for any two looks: which designs it visits, and why it need not visit the others.

A design is r1/n1 with e1, r/n: continue if r1 < X1 < e1. Write k = r1 + 1 for the smallest count that continues, b_p
for the probabilities of X1, X2 for the responses after the first look, and

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
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.requirements import N_LIMIT_MOST
from simtrial.search.bounds import SLACK, most_powers, score_n
from simtrial.search.two_looks.binomials import LookTables, largest_share
from simtrial.search.two_looks.solve import Solver, Windows
from simtrial.search.two_looks.stages import Extents, FirstStages, FoundStages, LookForm

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Ints
    from simtrial.search.constraints import Constraints
    from simtrial.search.two_looks.goals import Goal

NOBODY = np.empty(0, dtype=np.int64)
NONE = FirstStages(n1=NOBODY, k=NOBODY, e=NOBODY, share=np.empty((2, 0)), largest=np.empty(0))


class TwoLooksScan:
    """Visits n in increasing order and keeps the designs that a goal has use for.

    Attributes
    ----------
    found : list of FoundStages
        By n.
    n_lower, n_upper : int
        First n at which a test can have the power; last n at which any design could still have mattered.
    cut : FirstStages or None
        What was still open where a cap ended the search.
    """

    def __init__(self, requirements: Requirements, constraints: Constraints, goal: Goal) -> None:
        self.requirements, self.constraints, self.goal = requirements, constraints, goal
        self.form = LookForm.of(constraints)
        self.solver, self.windows = Solver(requirements, self.form), Windows(requirements, self.form)
        self.found: list[FoundStages] = []
        self.n_lower = self.n_upper = 0
        self.cut: FirstStages | None = None
        self.open, self.listed = NONE, 0
        self.closed = np.empty((0, 0), dtype=np.int64)
        self._grow(math.ceil(1.45 * score_n(requirements)) + 12)
        self._visit()

    @property
    def end(self) -> int:
        """The largest n that may be visited at all."""
        looks = self.constraints.looks_at
        return looks[-1] if looks is not None else self.constraints.cap or N_LIMIT_MOST

    def _grow(self, n_max: int) -> None:
        """Make tables for more patients, and room for what is known of every n1."""
        n_max = self.end if self.constraints.looks_at is not None else min(n_max, self.end)
        self.tables = LookTables(self.requirements, n_max)
        before = self.closed
        self.closed = np.full((n_max + 1, n_max + 2), -1)
        self.closed[: before.shape[0], : before.shape[1]] = before
        self.windows.make_room(n_max)

    def _visit(self) -> None:
        n, limit = 2, self.requirements.power - SLACK
        while n <= self.end:
            if n > self.tables.n_max:
                self._grow(int(1.45 * n) + 12)
            sizes = np.arange(n, self.tables.n_max + 1)
            for possible in sizes[most_powers(sizes, self.requirements) >= limit].tolist():
                self.n_lower = self.n_lower or possible
                if self.found and not self._goes_on(possible):
                    return
                extents = self._extents(possible)
                if extents.n1.size:
                    self.n_upper = possible
                    self._at(possible, extents)
            n = self.tables.n_max + 1
        if self.constraints.looks_at is None and (not self.found or self._goes_on(self.end + 1)):
            self.cut = self.open

    def _goes_on(self, n: int) -> bool:
        """Whether a design with n patients or more could still matter."""
        if self.open.n1.size or self.constraints.looks_at is not None:
            return True
        n1 = (n + 1) // 2 if self.constraints.balanced else max(n - 1, 1)
        return bool(self._still(np.array([n1]), max(n, n1 + 1)).size)

    def _still(self, n1: Ints, n: int) -> Ints:
        """Those n1 that could matter with n patients if all trials stopped at the first look."""
        nobody = FirstStages(n1=n1, k=n1, e=n1, share=np.zeros((2, n1.size)), largest=np.zeros(n1.size))
        return nobody.at(self.goal.still(nobody.sizes(n))).n1

    def _firsts(self, n: int) -> Ints:
        """Numbers of patients at the first look that go with n."""
        asked, step = self.constraints, self.constraints.multiple_of
        if asked.looks_at is not None:
            return np.array(asked.looks_at[:1]) if n == asked.looks_at[-1] else NOBODY
        if n % step or (asked.balanced and n % 2):
            return NOBODY
        n1 = np.array([n // 2]) if asked.balanced else np.arange(1, n)
        found: Ints = n1[(n1 >= asked.n1_least) & (n1 % step == 0) & (n1 < n)]
        return found

    def _widest(self, n1: Ints) -> Extents:
        """All that a first look may have."""
        tables, form = self.tables, self.form
        k_last = tables.k_most[n1] if form.k_last is None else np.minimum(form.k_last, tables.k_most[n1])
        all_ = Extents(
            n1=n1,
            k_first=np.full(n1.shape, form.k_first),
            k_last=k_last,
            e_first=tables.e_least[n1] if form.efficacy else n1 + 1,
            e_last=n1 + (form.k_last != 0),
        )
        return all_.at((all_.k_first <= k_last) & (all_.e_first <= all_.e_last))

    def _extents(self, n: int) -> Extents:
        """What is to be looked at with n patients."""
        if not self.found:
            return self._widest(self._firsts(n))
        if self.constraints.balanced:
            self.open = NONE
        n1 = self._firsts(n)
        self._list(n1[n1 > self.listed], n)
        open_ = self.open = self._matters(self.open, n)
        if not n1.size or not open_.n1.size:
            return self._widest(NOBODY)
        start = np.flatnonzero(np.append(True, open_.n1[1:] != open_.n1[:-1]))
        return Extents(
            n1=open_.n1[start],
            k_first=np.minimum.reduceat(open_.k, start),
            k_last=np.maximum.reduceat(open_.k, start),
            e_first=np.minimum.reduceat(open_.e, start),
            e_last=np.maximum.reduceat(open_.e, start),
        )

    def _list(self, n1: Ints, n: int) -> None:
        """Add the first stages with n1 patients that could matter with n patients or more."""
        self.listed = max(self.listed, int(n1.max(initial=0)))
        rows = self._widest(self._still(n1, n))
        if rows.n1.size == 0:
            return
        widths = rows.e_last - rows.e_first + 1
        counts = (rows.k_last - rows.k_first + 1) * widths
        which = np.repeat(np.arange(counts.size), counts)
        down, right = np.divmod(np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts), widths[which])
        n1, k, e = rows.n1[which], rows.k_first[which] + down, rows.e_first[which] + right
        some = np.flatnonzero((k < e) & (k > self.closed[n1, e]) & ((k > 0) | (e <= n1)))
        n1, k, e = n1[some], k[some], e[some]
        new = FirstStages(n1=n1, k=k, e=e, share=self.tables.share(n1, k, e), largest=np.zeros(k.shape))
        new = self._matters(new, n)
        if self.goal.with_largest:
            new = self._matters(replace(new, largest=largest_share(new.n1, new.k, new.e)), n)
        self.open = FirstStages.joined([self.open, new])

    def _matters(self, some: FirstStages, n: int) -> FirstStages:
        """Those first stages that could still matter with n patients."""
        keeps = self.goal.still(some.sizes(n))
        return some if keeps.all() else some.at(keeps)

    def _at(self, n: int, extents: Extents) -> None:
        """Search designs with n patients, keep what matters, and close its first stages."""
        which, r = self.windows.rows(self.tables, n, extents)
        if not which.size:
            return
        found = self.solver.designs(self.tables, n, (extents.at(which), r), self.closed)
        if not found.n1.size:
            return
        np.maximum.at(self.closed, (found.n1, found.e), found.k)
        rows = np.unique(found.n1)
        self.closed[rows] = np.maximum.accumulate(self.closed[rows], axis=1)
        first = not self.found
        self._keep(found)
        if not first:
            self.open = self.open.at(self.open.k > self.closed[self.open.n1, self.open.e])
        elif self.constraints.balanced:
            self.listed = n // 2
        else:
            self._list(self._firsts(n), n + 1)

    def _keep(self, found: FoundStages) -> None:
        """Lower the goal by what was found, and keep what comes near it; of the fewest patients all."""
        if self.found:
            found = found.at(self.goal.still(found.sizes(found.n)))
        if not self.found or self.goal.with_largest:
            found = replace(found, largest=largest_share(found.n1, found.k, found.e))
        self.goal.add(found.sizes(found.n))
        if self.found:
            found = found.at(self.goal.still(found.sizes(found.n)))
        if found.n1.size:
            self.found.append(found)
