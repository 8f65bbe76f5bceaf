"""The engine of the two-stage search: which designs it visits, and why it need not visit the others.

Why the search is complete without visiting every design
---------------------------------------------------------
Write X for the responses among n patients, X1 for those among the first n1, and Loss_p = P_p(X1 <= r1, X > r) for
what the interim look takes away: P_p(reject) = P_p(X > r) - Loss_p.

1. *r1 is solved for, not searched.* With n, n1 and r given, a larger r1 lowers EN(p0) and the type I error and costs
   power only. So the largest r1 that keeps the power, Loss_p1 <= P_p1(X > r) - power, is best in every respect, and
   if it breaks alpha every smaller r1 does.
2. *r has a window.* P_p1(X > r) >= power bounds r above. Below, take for every n1 the largest r1 with
   P_p1(X1 <= r1) < 1 - power: no design has a larger one, so if even that leaves the type I error of bound r above
   alpha for every n1, then r and all smaller bounds are out. With r and n1 fixed the type I error grows with n, so
   the lower end of the window never moves down while the set of open n1 shrinks. No design at all exists at an n
   where even the randomised most powerful level-alpha test lacks the power (Neyman and Pearson [1]_): the first n
   where it does not is ``n_lower``.
3. *n1 has a window, and n has an end.* PET(p0) <= PETmax(n1), the P_p0(X1 <= r1) of the largest r1 with
   P_p1(X1 <= r1) < 1 - power, so EN(p0) >= n1 + (1 - PETmax(n1)) (n - n1), which grows with n. Once it passes the
   best EN found for every n1, no larger n can win: this gives ``n_upper``.

Limits closer than ``exact.CLOSE``, and values of EN(p0) closer than `EN_CLOSE`, are settled in exact fractions.

References
----------
.. [1] Neyman J, Pearson ES. On the problem of the most efficient tests of statistical hypotheses. Phil Trans R Soc
   A 1933;231:289-337.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design import binomial, exact
from simtrial.design.designs import TwoStage
from simtrial.design.requirements import decimal
from simtrial.search.bounds import SLACK, last_n, least_en, score_n

if TYPE_CHECKING:
    from fractions import Fraction

    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints


EN_CLOSE = 1e-7
"""Expected numbers of patients closer than this are compared as fractions.

`SLACK` / 10 times the 3,000 patients that may be asked for is less than half of it. Some are equal: 0/5,2/7 and 1/6,2/7
both expect 6.34464 patients at p0 = 1/5.
"""


def expected_fraction(design: TwoStage, p: float) -> Fraction:
    """EN(p) of a design without an efficacy bound as an exact fraction, with p the decimal that was written."""
    return design.n1 + binomial.tail_fraction(design.r1, design.n1, p) * (design.n - design.n1)


class Tables:
    """Binomial tables at p0 and p1 for every n up to `n_max`: rows n, columns x, on request every x.

    Attributes
    ----------
    pmf : ndarray, shape (2, n_max + 1, columns)
        b(x; n, p), p0 first.
    padded : ndarray, shape (2, n_max + 1, PAD + columns)
        P(X > x; n, p) for x from -PAD, where it is 1; `tail` is its part from x = 0.
    possible : ndarray of bool, shape (n_max + 1,)
        Whether the randomised most powerful level-alpha test of n patients has the power.
    r_alpha, r_high : ndarray of int, shape (n_max + 1,)
        Smallest r with P(X > r; p0) <= alpha; largest r with P(X > r; p1) >= power, or -1. Equality will do: an interim
        look loses nothing where X > r cannot be reached after stopping, r1 + n2 <= r.
    r1_high : ndarray of int, shape (n_max + 1,)
        Largest r1 with P(X1 > r1; p1) > power, or -1. Equality would not do: r1 < r, so some of that is always lost.
    rest : ndarray, shape (n_max + 1,)
        1 - PETmax(n1).
    """

    PAD = 32

    def __init__(self, requirements: Requirements, n_max: int, *, whole: bool = False) -> None:
        self.n_max = n_max
        p0, p1, power = requirements.p0, requirements.p1, requirements.power
        # P(X > r; p1) >= power bounds every column that is needed, by the one-sided Chebyshev inequality
        highest = n_max * p1 + math.sqrt(n_max * p1 * (1 - p1) * (1 - power) / power)
        columns = n_max + 1 if whole else min(n_max + 1, math.ceil(highest) + 2)
        n = np.arange(n_max + 1)
        x = np.arange(columns)
        log_factorial = np.array([math.lgamma(k + 1) for k in range(n_max + 1)])
        failures = n[:, np.newaxis] - x
        choose = log_factorial[:, np.newaxis] - log_factorial[:columns] - log_factorial[np.maximum(failures, 0)]
        choose[failures < 0] = -np.inf
        self.pmf = np.empty((2, n_max + 1, columns))
        self.padded = np.ones((2, n_max + 1, self.PAD + columns))
        self.tail = self.padded[:, :, self.PAD :]
        for pmf, tail, p in zip(self.pmf, self.tail, (p0, p1), strict=True):
            np.add(choose, x * math.log(p) + failures * math.log1p(-p), out=pmf)
            np.exp(pmf, out=pmf)
            np.cumsum(pmf, axis=1, out=tail)
            np.subtract(1.0, tail, out=tail)
        self.r_high = np.minimum(np.count_nonzero(self.tail[1] >= power - SLACK, axis=1), n) - 1
        self.r1_high = self.r_high.copy()
        close = (self.r_high >= 0) & (np.abs(self.tail[1, n, self.r_high] - power) <= SLACK)
        for i in np.flatnonzero(close).tolist():
            spare = binomial.tail_fraction(int(self.r_high[i]), i, p1) - decimal(power)
            self.r_high[i] -= spare < 0
            self.r1_high[i] -= spare <= 0
        self.rest = np.where(self.r1_high >= 0, self.tail[0, n, self.r1_high], 1.0)
        r = self.r_alpha = np.minimum(np.count_nonzero(self.tail[0] > requirements.alpha, axis=1), columns - 1)
        at_r = np.maximum(self.pmf[0, n, r], 1e-300)
        share = np.minimum((requirements.alpha - self.tail[0, n, r]) / at_r, 1.0)
        # an error of a table at p0 is one of the share, and weighs as the likelihood ratio at r
        slack = SLACK * (1 + self.pmf[1, n, r] / at_r / 10)
        self.possible = self.tail[1, n, r] + share * self.pmf[1, n, r] >= power - slack

    def later(self, k: int, block: Block, rs: Ints) -> Floats:
        """P(X > r | X1 = x) at [r, n1, x] for at most `PAD` decreasing `rs`: a view that walks a table backwards."""
        padded, x = self.padded, block.x(k)
        table, down, right = padded.strides
        column = self.PAD + int(rs[0]) - x.start  # r - x > -PAD, because x < rs[0] and there are at most PAD rs
        return np.ndarray(
            (rs.size, block.last - block.first + 1, x.stop - x.start),
            padded.dtype,
            buffer=padded,
            offset=k * table + (block.n - block.first) * down + column * right,
            strides=(-right, -down, -right),
        )


class Best(NamedTuple):
    """A two-stage design that meets the limits, with its EN(p0)."""

    en: float
    design: TwoStage


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Where designs of n patients can still win: n1 from `first` to `last`, X1 from `starts` (p0, p1) to `x_last`."""

    n: int
    first: int
    last: int
    starts: tuple[int, int]
    x_last: int

    @property
    def n1(self) -> slice:
        """Its rows of a table."""
        return slice(self.first, self.last + 1)

    def below(self, r: int) -> Block:
        """The same with X1 < r only, which is all that r1 < r can use."""
        return replace(self, x_last=min(self.x_last, r - 1))

    def x(self, k: int) -> slice:
        """Its columns of the table at p0 (k = 0) or p1 (k = 1)."""
        return slice(self.starts[k], self.x_last + 1)


class Scan:
    """Visits n in increasing order and records each design that lowers EN(p0)."""

    CELLS = 1 << 16
    ROWS = 48
    """Most table cells and rows of n1 worked on at once: they fit a processor's cache and hide numpy's overhead."""

    def __init__(self, requirements: Requirements) -> None:
        self.requirements = requirements
        self.examined = 0
        self.records: list[Best] = []
        self.tables = Tables(requirements, math.ceil(1.45 * score_n(requirements)) + 12)
        self.n_lower = self.r_low = 0
        self.n_upper = self._visit()

    def _visit(self) -> int:
        end, n = math.inf, 2
        while n <= end:
            if n > self.tables.n_max:
                self.tables = Tables(self.requirements, int(min(end, 1.45 * n + 12)))
            tables = self.tables
            for possible in (np.flatnonzero(tables.possible[n:]) + n).tolist():
                if possible > end:
                    break
                self.n_lower = self.n_lower or possible
                found = self._best_at(possible)
                if found is not None:
                    self.records.append(found)
                    end = max(possible, last_n(self.tables.rest, self._target()))
            n = tables.n_max + 1
        return int(end)

    def _target(self) -> float:
        """EN(p0) to beat."""
        return self.records[-1].en if self.records else math.inf

    def least_en(self, n: int) -> float:
        """Lower bound on EN(p0) of every design with n patients or more."""
        return least_en(self.tables.rest, n)

    def _blocks(self, n: int) -> list[Block]:
        """Cut what is still open at n into blocks of neighbouring n1."""
        tables, target = self.tables, self._target()
        first, last = 1, n - 1
        if self.records:
            n1 = np.arange(1, n)
            open_n1 = np.flatnonzero(n1 + tables.rest[1:n] * (n - n1) < target + EN_CLOSE)
            if open_n1.size == 0:
                return []
            first, last = int(open_n1[0]) + 1, int(open_n1[-1]) + 1
        blocks = []
        for top in range(first, last + 1, self.ROWS):
            bottom = min(top + self.ROWS - 1, last)
            starts = (0, 0)
            if self.records:
                # Left of these, X1 has less than 1e-12 of its mass; and r1 is at least what EN(p0) < target needs,
                # a bound that grows with n1.
                light = [int(np.count_nonzero(tables.tail[k, top] > 1 - 1e-12)) for k in (0, 1)]
                least = int(np.count_nonzero(tables.tail[0, top] > (target + EN_CLOSE - top) / (n - top)))
                starts = (light[0], min(light[1], least))
            x_last = min(int(tables.r1_high[top : bottom + 1].max()), int(tables.r_high[n]) - 1)
            if x_last >= max(starts):
                blocks.append(Block(n=n, first=top, last=bottom, starts=starts, x_last=x_last))
        return blocks

    def _best_at(self, n: int) -> Best | None:
        """Give the design of n patients with least EN(p0), if it is below the target."""
        blocks = self._blocks(n)
        if not blocks:
            return None
        if not self.records:  # n1 may take any value yet, so the last n's bound proves nothing
            self.r_low = int(self.tables.r_alpha[n])
            while self.r_low and self._can_keep_alpha(blocks, self.r_low - 1):
                self.r_low -= 1
        while not self._can_keep_alpha(blocks, self.r_low):
            self.r_low += 1
        best: Best | None = None
        for block in blocks:
            cells = (block.last - block.first + 1) * (block.x_last - block.starts[1] + 1)
            step = max(1, min(self.tables.PAD, self.CELLS // cells))
            for top in range(int(self.tables.r_high[n]), self.r_low - 1, -step):
                best = self._best_of(block, np.arange(top, max(self.r_low, top - step + 1) - 1, -1), best)
        return best

    def _can_keep_alpha(self, blocks: list[Block], r: int) -> bool:
        """Whether any n1 brings the type I error of bound `r` down to alpha, with the largest r1 that it may have."""
        tables, n = self.tables, blocks[0].n
        spare = float(tables.tail[0, n, r]) - self.requirements.alpha
        if spare <= SLACK or r >= tables.r_high[n]:
            return True
        for block in (block.below(r) for block in blocks):
            lost = tables.pmf[0, block.n1, block.x(0)] * tables.later(0, block, np.array([r]))[0]
            lost *= np.arange(block.starts[0], block.x_last + 1) <= tables.r1_high[block.n1, np.newaxis]
            if lost.sum(axis=1).max() >= spare - SLACK:
                return True
        return False

    def _best_of(self, block: Block, rs: Ints, best: Best | None) -> Best | None:
        """Improve on `best` with the bounds `rs`, decreasing."""
        tables, n, requirements = self.tables, block.n, self.requirements
        block = block.below(int(rs[0]))
        n1 = np.arange(block.first, block.last + 1)
        self.examined += rs.size * n1.size
        x_first = block.starts[1]
        loss = np.cumsum(tables.pmf[1, block.n1, block.x(1)] * tables.later(1, block, rs), axis=2)
        spare = tables.tail[1, n, rs] - requirements.power
        fits = np.count_nonzero(loss <= (spare + SLACK)[:, np.newaxis, np.newaxis], axis=2)
        r1 = np.minimum(fits + (x_first - 1), np.minimum(rs[:, np.newaxis] - 1, tables.r1_high[block.n1]))
        en = n1 + tables.tail[0, n1, r1] * (n - n1)
        limit = self._target() if best is None else best.en
        at_r, at_n1 = np.nonzero((r1 >= x_first) & (en < limit + EN_CLOSE))
        if at_r.size == 0:
            return best
        order = np.lexsort((at_r, at_n1, en[at_r, at_n1]))
        at_r, at_n1 = at_r[order], at_n1[order]
        ens, r1s, n1s, bounds = en[at_r, at_n1], r1[at_r, at_n1], n1[at_n1], rs[at_r]
        x = np.arange(block.starts[0], block.x_last + 1)
        after = tables.padded[0, (n - n1s)[:, np.newaxis], tables.PAD + bounds[:, np.newaxis] - x]
        lost = tables.pmf[0, n1s, block.x(0)] * after * (x <= r1s[:, np.newaxis])
        excess = tables.tail[0, n, bounds] - requirements.alpha - lost.sum(axis=1)
        for i in np.flatnonzero(excess <= SLACK).tolist():
            if best is not None and ens[i] > best.en + EN_CLOSE:
                break
            clear = excess[i] < -SLACK and loss[at_r[i], at_n1[i], r1s[i] - x_first] < spare[at_r[i]] - SLACK
            found = self._settle(n, int(n1s[i]), int(bounds[i]), int(r1s[i]), clear=bool(clear))
            if found is not None and self._beats(found, best):
                best = found
        return best

    def _settle(self, n: int, n1: int, r: int, r1: int, *, clear: bool) -> Best | None:
        """Confirm a design; where the tables cannot tell, ask for an exact answer, with smaller r1 if need be."""
        while r1 >= 0:
            if clear or exact.meets(TwoStage(r1, n1, r, n), self.requirements):
                return Best(n1 + float(self.tables.tail[0, n1, r1]) * (n - n1), TwoStage(r1, n1, r, n))
            power = float(exact.operating_characteristics(TwoStage(r1, n1, r, n), self.requirements.p1).reject)
            if power > self.requirements.power + exact.CLOSE:
                return None
            r1 -= 1
        return None

    def _beats(self, new: Best, best: Best | None) -> bool:
        """Whether `new` has the lower EN(p0), or wins the tie; a tie with fewer patients is lost."""
        if best is None:
            return not self.records or self._order(new, self.records[-1]) < 0
        order = self._order(new, best)
        return order < 0 or (order == 0 and (new.design.n1, -new.design.r) < (best.design.n1, -best.design.r))

    def _order(self, new: Best, old: Best) -> int:
        """Negative if `new` has the lower EN(p0), 0 if both have the same."""
        if abs(new.en - old.en) > EN_CLOSE:
            return -1 if new.en < old.en else 1
        a, b = new.design, old.design
        if (a.n, a.n1, a.r1) == (b.n, b.n1, b.r1):
            return 0
        here, there = (expected_fraction(design, self.requirements.p0) for design in (a, b))
        return (here > there) - (here < there)
