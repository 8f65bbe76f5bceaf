"""The third looks of a search for three looks: which n3 and r3 meet the limits after given second looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.search.bounds import SLACK
from simtrial.search.three_looks.known import NEAR, Three
from simtrial.search.three_looks.seconds import largest_r3

if TYPE_CHECKING:
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.three_looks.known import KnownThrees, ThreeFrame
    from simtrial.search.three_looks.rows import Rows
    from simtrial.search.three_looks.seconds import Seconds

WIDE = 12
"""How many n3 are worked on at once: later ones have fewer second looks that are still open."""


class Thirds:
    """Visits every third look after some second looks at n2 patients.

    Attributes
    ----------
    visited : int
        The largest n3 at which something better was possible; 0 if none was.
    alive : ndarray of bool, shape (seconds,)
        Which second looks have no design yet.
    """

    def __init__(self, frame: ThreeFrame, known: KnownThrees, n2: int, after: tuple[Rows, Seconds]) -> None:
        self.frame, self.known, self.n2 = frame, known, n2
        self.rows, self.seconds = after
        self.visited = 0
        self.alive = np.ones(self.seconds.row.size, dtype=np.bool_)

    def expected(self, which: Ints, n3: Ints | int) -> Floats:
        """EN(p0) of some second looks with n3 patients, which broadcast."""
        en: Floats = self.seconds.a[which] + self.seconds.go[0, which] * (np.asarray(n3) - self.n2)
        return en

    def visit(self, sizes: Ints) -> None:
        """Visit these n3, which increase."""
        for at in range(0, sizes.size, WIDE):
            n3 = sizes[at : at + WIDE]
            which = np.flatnonzero(self.alive)
            which = which[self.expected(which, n3[0]) < self.known.least[n3[0]] + NEAR]
            if which.size == 0:
                return
            en = self.expected(which[:, np.newaxis], n3)
            fits = self.frame.sizes.together(self.rows.n1[self.seconds.row[which]][:, np.newaxis], n3)
            better = fits & (en < self.known.least[n3])
            if better.any():
                self.visited = int(n3[np.flatnonzero(better.any(axis=0))[-1]])
            is_open = fits & (en < self.known.least[n3] + NEAR)
            some = is_open.any(axis=1)
            self._rounds(which[some], n3, en[some], is_open[some])

    def left(self, n3: int) -> Floats:
        """EN(p0), with n3 patients, of the second looks that have no design yet and could then still be better."""
        which = np.flatnonzero(self.alive)
        if self.frame.sizes.balanced:
            which = which[3 * self.rows.n1[self.seconds.row[which]] >= n3]
        en = self.expected(which, n3)
        better: Floats = en[en < self.known.least[n3 - 1]]
        return better

    def _rounds(self, which: Ints, n3: Ints, en: Floats, is_open: Bools) -> None:
        """From the largest r3 down: what has the power is decided; what breaks alpha has no design with this n3."""
        if which.size == 0:
            return
        early = float(self.seconds.early[1, which].max())
        r3 = np.array([largest_r3(self.frame, n, early) for n in n3.tolist()])
        x = np.arange(int(self.seconds.r2[which].min()) + 1, max(int(r3.max()), 0) + 1)
        if x.size == 0:
            return
        mass = self._mass(which, x)
        is_open &= self._testable(which, n3, (mass, x))
        some = is_open.any(axis=1)
        if some.any():
            self._down(which[some], (n3, r3), (en[some], is_open[some]), (mass[:, some], x))

    def _mass(self, which: Ints, x: Ints) -> Floats:
        """P_p(go on, X2 = x) of some second looks."""
        inside = (x > self.seconds.r2[which, np.newaxis]) & (x < self.seconds.e2[which, np.newaxis])
        return self.rows.mass[:, self.seconds.row[which], x[0] : x[-1] + 1] * inside

    def _testable(self, which: Ints, n3: Ints, after: tuple[Floats, Ints]) -> Bools:
        """Whether the most powerful test at the third look might do.

        For any weight l, P1(reject) - l P0(reject) is largest, whatever the third look rejects, if that rejects where
        the ratio of b(x; n3, p1) to b(x; n3, p0) is above l; and it is power - l alpha or more if the limits hold.
        """
        tables, asked, (mass, x) = self.frame.tables, self.frame.asked, after
        r = np.maximum(tables.r_alpha[n3] - 1, 1)
        odds = np.log(asked.p1 / asked.p0), np.log1p(-asked.p1) - np.log1p(-asked.p0)
        ratio = np.exp(np.minimum((r + 0.5) * odds[0] + (n3 - r - 0.5) * odds[1], 30.0))
        whole = (self.seconds.early + self.seconds.go)[:, which]
        lost = mass[1] @ self._not_rejected(1, (n3, r), x)
        lost -= mass[0] @ (ratio * self._not_rejected(0, (n3, r), x))
        best = whole[1][:, np.newaxis] - whole[0][:, np.newaxis] * ratio - lost
        found: Bools = best >= asked.power - ratio * asked.alpha - SLACK * (1 + ratio)
        return found

    def _down(
        self, which: Ints, third: tuple[Ints, Ints], cells: tuple[Floats, Bools], after: tuple[Floats, Ints]
    ) -> None:
        """Decide cells (second looks and n3) from their largest r3 down."""
        seconds, asked, efficacy = self.seconds, self.frame.asked, self.frame.sizes.efficacy
        (n3, r3), (en, is_open), (mass, x) = third, cells, after
        whole, reach = (seconds.early + seconds.go)[:, which, np.newaxis], self._reach(which)
        while True:
            if efficacy:
                is_open &= seconds.e2[which, np.newaxis] <= r3 + 1
            is_open &= r3 > seconds.r2[which, np.newaxis]
            columns = np.flatnonzero(is_open.any(axis=0))
            if columns.size == 0:
                return
            lines = np.flatnonzero(is_open[:, columns].any(axis=1))
            every = lines.size == which.size
            place = np.ix_(lines, columns)
            third = (n3[columns], r3[columns])
            keeps, has = (
                whole[k, lines] - (mass[k] if every else mass[k][lines]) @ self._not_rejected(k, third, x)
                for k in (0, 1)
            )
            here = is_open[place] & (keeps <= asked.alpha + SLACK)
            decided = here & (has >= asked.power - SLACK) & (r3[columns] < reach[lines] + n3[columns])
            if decided.any():
                clear = (keeps < asked.alpha - SLACK) & (has > asked.power + SLACK)
                self._decide(which[lines], third, en[place], (decided, clear))
            is_open[place] = here & ~decided
            r3 = r3 - 1

    def _reach(self, which: Ints) -> Ints:
        """The most responses with which a trial goes on to the third look, less n2, in a column."""
        row = self.seconds.row[which]
        first = self.rows.e1[row] - 1 + self.n2 - self.rows.n1[row]
        found: Ints = np.minimum(first, self.seconds.e2[which] - 1) - self.n2
        return found[:, np.newaxis]

    def _not_rejected(self, k: int, third: tuple[Ints, Ints], x: Ints) -> Floats:
        """P_p(X3 <= r3 | X2 = x): shape (x, n3)."""
        tables, (n3, r3) = self.frame.tables, third
        column = np.maximum(tables.PAD + r3 - x[:, np.newaxis], 0)
        found: Floats = 1.0 - tables.padded[k, n3 - self.n2, column]
        return found

    def _decide(self, which: Ints, third: tuple[Ints, Ints], en: Floats, of: tuple[Bools, Bools]) -> None:
        """Keep the designs with the least EN(p0) of those that meet the limits, by fractions where not clear."""
        decided, clear = of
        for column in np.flatnonzero(decided.any(axis=0)).tolist():
            n3, r3 = (int(one[column]) for one in third)
            lines = np.flatnonzero(decided[:, column] & (en[:, column] < self.known.least[n3] + NEAR))
            for line in lines[np.argsort(en[lines, column], kind="stable")].tolist():
                if en[line, column] >= self.known.least[n3] + NEAR:
                    break
                found = self._settled(int(which[line]), float(en[line, column]), (n3, r3), clear=clear[line, column])
                if found is not None:
                    self.known.keep(found)
                    self.alive[which[line]] = False

    def _settled(self, second: int, en: float, third: tuple[int, int], *, clear: bool) -> Three | None:
        """The design with the largest r3 up to the one given that meets the limits; None if there is none."""
        rows, seconds, asked = self.rows, self.seconds, self.frame.asked
        row, r2, e2 = (int(one[second]) for one in (seconds.row, seconds.r2, seconds.e2))
        first = (int(rows.n1[row]), int(rows.r1[row]), int(rows.e1[row]))
        n3, r3 = third
        while r3 > r2 and (not self.frame.sizes.efficacy or e2 <= r3 + 1):
            found = Three(en, first, (self.n2, r2, e2), (n3, r3))
            if clear or exact.meets(found.design, asked):
                return found
            if exact.side(found.design, asked.p0, asked.alpha) > 0:
                return None
            r3 -= 1
        return None
