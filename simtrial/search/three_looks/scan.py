"""The engine of the search for three looks: which designs it visits, and why it need not visit the others.

Write (n1, r1, e1), (n2, r2, e2), (n3, r3) for a design, e = n + 1 where a look has no stop for efficacy. With
a = n1 + (n2 - n1) P0(r1 < X1 < e1) and g = P0(r1 < X1 < e1, r2 < X2 < e2), EN(p0) = a + g (n3 - n2).

Why the search is complete
--------------------------
1. *First stages.* Every one has P1(X1 <= r1) < 1 - power, as a trial that goes on may end without rejection, and
   P0(X1 >= e1) <= alpha.
2. *Second looks.* Likewise P1(stop for futility by the second look) < 1 - power, and P0(stop for efficacy) <= alpha.
3. *Third looks.* With the two looks given EN(p0) grows with n3, so only n3 < n2 + (least - a) / g can be better, where
   `least` is the least EN(p0) of known designs with no more patients; and only the smallest n3 that has a design
   matters, which ends the search where g is tiny. For a given n3 P(reject) falls, at p0 and p1, as r3 rises: going
   down from the largest r3, the first that has the power is the only one that may be needed.
4. *The end of n2.* EN(p0) >= a, which grows with n2. Without stops for efficacy P1(X2 <= r2) < 1 - power too, so
   P0(X2 <= r2) is at most that of the largest such r2, and g at least P0(r1 < X1) less that.
5. *Small n3*, where no design is known yet: no rule has the power with fewer than `n_lower` patients (Neyman and
   Pearson), and `three_rows.Room` and, with stops for efficacy, `three_rows.Cut` say what stops may cost with more.
   For every n3 `three_thirds.Thirds` asks first whether even the best test at the third look would do.
6. *Bounds for efficacy.* e1 <= e2 <= r3 + 1, or the look has none because its n is smaller: a bound above the next one
   can be brought down to it, which rejects the same trials, earlier. What is left out is never better than something
   that is visited. A trial must be able to go on to every look, and to reject at the last, or it has fewer looks.

Limits nearer than `simtrial.search.bounds.SLACK` are settled in fractions; sums are right to 1e-13, far below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.search.scan import Tables
from simtrial.search.three_looks.known import CELLS, NEAR, KnownThrees, ThreeFrame
from simtrial.search.three_looks.rows import Cut, Room, Rows, first_stages, no_rows
from simtrial.search.three_looks.seconds import from_above, second_looks
from simtrial.search.three_looks.thirds import Thirds

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.three_looks.rows import ThreeSizes
    from simtrial.search.three_looks.seconds import Tries

HELD = 1 << 23
"""Most numbers that the rows of a block of n1 have together."""


class ThreeScan:
    """Visits three looks, and keeps for each n the designs with the least EN(p0).

    Attributes
    ----------
    known : KnownThrees
        The best designs so far.
    visited : int
        The largest n3 of the last sweep at which something better was possible.
    beyond : float
        Below EN(p0) of all designs with more patients than the last sweep had; infinite where these cannot be better.
    """

    def __init__(self, asked: Requirements, sizes: ThreeSizes, n_max: int) -> None:
        self.known = KnownThrees()
        self.frame = ThreeFrame(asked, sizes, Tables(asked, n_max, whole=sizes.efficacy))
        self.known.grow(n_max)
        self.visited, self.beyond = 0, np.inf
        self._allowed: Bools | None = None
        self._tries: Tries = ()

    def grow(self, n_max: int) -> None:
        """Make tables up to n_max."""
        if n_max > self.frame.tables.n_max:
            self.frame = self.frame._replace(tables=Tables(self.frame.asked, n_max, whole=self.frame.sizes.efficacy))
            self.known.grow(n_max)

    def sweep(self, low: int, high: int, every: int = 1, *, only: bool = False) -> None:
        """Visit every design with n3 from `low` to `high`, or only second looks at multiples of `every`.

        With `only` nothing is learned about more patients: what has no design with these n3 is left out early.
        """
        frame = self.frame
        sizes = np.array([n for n in range(low, high + 1) if frame.sizes.third(n)], dtype=np.int64)
        if sizes.size == 0:
            return  # what could be better with more patients still could
        self.visited, self.beyond = 0, np.inf
        self._allowed, self._tries = None, ()
        if only:
            sizes = self._narrow(sizes)
            if sizes.size == 0:
                return
        cuts = [Cut(frame.tables, frame.asked, n) for n in sizes.tolist()] if only and frame.sizes.efficacy else []
        columns = high + 2 if frame.sizes.efficacy else int(frame.tables.r_high[high]) + 2
        for block in self._blocks(high, columns):
            self._pass(block, (sizes, high, every), cuts, columns)

    def _blocks(self, high: int, columns: int) -> list[range]:
        """Cut the n1 into blocks whose rows fit into memory together."""
        sizes, blocks, start, held = self.frame.sizes, [], 1, 0
        for n1 in range(1, high):
            bounds = int(self.frame.tables.r1_high[n1]) + 1 if sizes.r1 is None else 1
            held += 2 * columns * bounds * (n1 if sizes.efficacy else 1)
            if held > HELD and n1 > start:
                blocks.append(range(start, n1))
                start, held = n1, 0
        return [*blocks, range(start, high)]

    def _pass(self, block: range, thirds: tuple[Ints, int, int], cuts: list[Cut], columns: int) -> None:
        """Visit every design with n1 of a block."""
        (sizes, high, every), frame, least = thirds, self.frame, self.known.least
        p = np.array([[[frame.asked.p0]], [[frame.asked.p1]]])
        rows = no_rows(columns, len(cuts))
        for n2 in range(block[0] + 1, high):
            first = max(int(sizes[0]), n2 + 1)
            if n2 - 1 in block:
                rows = rows.joined(self._entering(n2 - 1, (first, high), cuts, columns))
            elif rows.count == 0:
                return
            rows = rows.stepped(p)
            a = rows.n1 + rows.go[0] * (n2 - rows.n1)
            rows = rows.kept((rows.until >= n2) & (a < least[first] + NEAR))
            if rows.count == 0 and n2 > least[first] + NEAR:
                return
            if n2 % every == 0:
                self._visit(rows.kept(frame.sizes.second(rows.n1, n2)), n2, sizes[sizes > n2])
        self._left(rows.n1 + rows.go[0] * (high - rows.n1), float(least[high]))

    def _narrow(self, sizes: Ints) -> Ints:
        """Which of some n3 may have a design; what their looks may be is noted."""
        frame = self.frame
        if frame.sizes.efficacy:
            # what the looks have rejected by then is less than the power asked for, so that r3 may be anything
            self._tries = [(n, range(n - 1, 1, -1)) for n in sizes.tolist()]
            return sizes
        rooms = {n: room for n in sizes.tolist() if (room := Room.of(frame, n)).bounds}
        self._tries = [(n, room.bounds) for n, room in rooms.items()]
        self._allowed = np.any([room.allowed for room in rooms.values()], axis=0) if rooms else None
        return np.array(list(rooms), dtype=np.int64)

    def _left(self, bounds: Floats, least: float) -> None:
        """Note what could be better with more patients."""
        self.beyond = min(self.beyond, float(np.min(bounds[bounds < least], initial=np.inf)))

    def _entering(self, n1: int, thirds: tuple[int, int], cuts: list[Cut], columns: int) -> Rows:
        """The first stages of n1 patients that may lead to something better."""
        frame, tables = self.frame, self.frame.tables
        if not frame.sizes.first(n1) or n1 > self.known.least[thirds[0]] + NEAR:
            return no_rows(columns, len(cuts))
        r1, e1 = first_stages(tables, frame.asked, frame.sizes, n1)
        early = np.where(e1 <= n1, tables.tail[:, n1, np.minimum(e1 - 1, tables.tail.shape[2] - 1)], 0.0)
        go = tables.tail[:, n1, r1] - early
        pmf = np.zeros((2, columns))
        width = min(columns, tables.pmf.shape[2])
        pmf[:, :width] = tables.pmf[:, n1, :width]
        cost = self._cost(n1, pmf, (r1, e1), cuts)
        until = self._until(n1, go[0], thirds)
        keep = until > n1
        if cuts:
            spare = np.array([[cut.spare] for cut in cuts])
            keep &= (cost <= spare).any(axis=0)
        if self._allowed is not None:
            keep &= self._allowed[n1, r1]
        x = np.arange(columns)
        mass = pmf[:, np.newaxis] * ((x > r1[:, np.newaxis]) & (x < e1[:, np.newaxis]))
        n1s = np.full(r1.size, n1)
        return Rows(n1=n1s, r1=r1, e1=e1, until=until, go=go, early=early, mass=mass, cost=cost).kept(keep)

    def _cost(self, n1: int, pmf: Floats, bounds: tuple[Ints, Ints], cuts: list[Cut]) -> Floats:
        """What the stops of first stages cost by each cut; infinite where its n is too small for them."""
        r1, e1 = bounds
        cost = np.full((len(cuts), r1.size), np.inf)
        for line, cut in zip(cost, cuts, strict=True):
            if cut.n > n1 + 1:
                later = cut.beyond(n1, np.arange(pmf.shape[1]))
                line[:] = np.cumsum(cut.lost(pmf, later))[r1]
                if self.frame.sizes.efficacy:
                    line += np.where(e1 <= n1, from_above(cut.spoilt(pmf, later))[e1], 0.0)
        return cost

    def _until(self, n1: int, go: Floats, thirds: tuple[int, int]) -> Ints:
        """The last second look that may lead to something better than what is known (fact 4); 0 if none does."""
        tables, (low, high) = self.frame.tables, thirds
        if np.isinf(self.known.least[high]):
            return np.full(go.size, high)
        n2 = np.arange(n1 + 1, high + 1)
        n3 = np.minimum(np.maximum(low, n2 + 1), high)
        bound = n1 + go[:, np.newaxis] * (n2 - n1)
        if not self.frame.sizes.efficacy:
            bound += np.maximum(go[:, np.newaxis] - 1 + tables.rest[n2], 0.0) * (n3 - n2)
        fine = bound < self.known.least[n3] + NEAR
        fine[:, -1] |= n1 + go * (high - n1) < self.known.least[high]  # it may be better with more patients
        if self.frame.sizes.balanced:
            fine[:, n2 > 2 * n1] = False
        return np.where(fine.any(axis=1), n2[-1] - np.argmax(fine[:, ::-1], axis=1), 0)

    def _visit(self, rows: Rows, n2: int, sizes: Ints) -> None:
        """Visit every design with these first stages and n2 patients at the second look."""
        if rows.count == 0 or sizes.size == 0:
            return
        frame, columns = self.frame, rows.mass.shape[2]
        step = max(1, CELLS // (columns * (n2 if frame.sizes.efficacy else 1)))
        for top in range(0, rows.count, step):
            part = rows if rows.count <= step else rows.of(np.arange(top, min(top + step, rows.count)))
            n3 = int(sizes[0])
            seconds = second_looks(frame, part, n2, sizes, least=float(self.known.least[n3]), only=self._tries)
            size = max(1, CELLS // columns)
            for at in range(0, seconds.row.size, size):
                some = seconds if seconds.row.size <= size else seconds.of(slice(at, at + size))
                thirds = Thirds(frame, self.known, n2, (part, some))
                thirds.visit(sizes)
                self.visited = max(self.visited, thirds.visited)
                self._left(thirds.left(int(sizes[-1]) + 1), np.inf)
