"""The best table for one n1, exactly: a multiple-choice knapsack with two limits, solved row by row.

Rows are filled from X1 = 0 on, or where no order is asked for, in the order of their probability. A part of a table is
known by its value, its type I error, its power and the place of its last conditional error; nothing else matters to the
rows after it. So

* a part is dropped if its linear bound (`linear`) passes the best value that is known. Each pair of prices gives a
  bound for every part; those of the whole problem are tried first, then those of some parts of the same layer, whose
  rows ahead and limits left are their own. Where conditional errors must not fall, the bound of the rows ahead keeps
  this order: it is the least over choices in order, by one step back per row (`parts.Ahead`);
* a part is dropped if another one has no larger value and error, no smaller power, and leaves no fewer choices: what
  completes the first completes the second. Parts are compared on a grid of quantiles, so that some of these are kept
  (`parts.not_beaten`);
* a choice is never tried at a row where the bound of all tables with it passes the best value.

No step drops a table that is better than the best one known by more than `TIE`, whatever is rounded: bounds are
compared with that margin, and parts are dropped only if they lose by more than rounding can make. A full table counts
once its limits are confirmed, in fractions where floating point is too near to tell. Layers of more than `BLOCK` parts
are divided, those with the least bounds first, and each is followed to its end, so that memory stays bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.binomial import binomial_pmf
from simtrial.design.branching import Branching
from simtrial.design.exact import CLOSE
from simtrial.design.second_stages import SecondStage
from simtrial.search.branching.choices import ACCEPT, REJECT
from simtrial.search.branching.linear import LimitPrices, Weights, prices
from simtrial.search.branching.parts import Ahead, FilledRows, joined, not_beaten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.requirements import Requirements
    from simtrial.design.second_stages import Stop
    from simtrial.numbers import Bools, Ints
    from simtrial.search.branching.choices import Choices

TIE = 1e-9
"""Values nearer than this are not told apart; sums of floats are right to 1e-12."""

BLOCK = 20_000
"""Parts of a table that are followed together."""

PAIRS = 1 << 19
"""Pairs of a part and a choice that are held at once."""

CUTS = 12
"""Parts of a layer whose own prices are tried, at a time."""

FEW = 8
"""Parts that are not worth prices of their own."""

MOST_PARTS = 10_000
"""Parts of tables that a proof beyond the cap is worth."""


class BestTable:
    """The best table that is known; of tables whose values differ by less than `TIE` the one that is met first.

    Parameters
    ----------
    asked : Requirements
        The limits.
    value : float
        Only tables below it by more than `TIE` are of interest.
    """

    def __init__(self, asked: Requirements, value: float = np.inf) -> None:
        self.asked, self.value = asked, value
        self.design: Branching | None = None

    @property
    def most(self) -> float:
        """Bounds above this are of no interest."""
        return self.value - TIE

    def offer(self, value: float, design: Branching) -> bool:
        """Take a design into account; whether it keeps the limits."""
        if not exact.meets(design, self.asked):
            return False
        if value < self.value:
            self.value, self.design = value, design
        return True


def weights_of(n1: int, asked: Requirements, weight: float) -> Weights:
    """What each number of responses among n1 patients weighs, in (1 - weight) EN(p0) + weight EN(p1) and the limits."""
    null, alternative = binomial_pmf(n1, np.array([asked.p0, asked.p1]))
    return Weights(patients=(1 - weight) * null + weight * alternative, null=null, alternative=alternative)


class Exhausted(Exception):  # noqa: N818  # no error: a proof that is given up
    """A proof takes more parts of tables than it is worth, or a table is found that it should exclude."""


class TableSearch:
    """The search for the best table of one n1.

    Parameters
    ----------
    n1 : int
        Patients of the first stage.
    choices, priced : Choices
        What may follow a number of responses; and of these, those that no other one beats (`choices`), on which the
        prices rest.
    asked : Requirements
        Rates and limits.
    weight : float
        The value is (1 - weight) EN(p0) + weight EN(p1).
    falling : bool
        Whether the second stage must not become larger as responses rise, among those that have patients.
    """

    def __init__(
        self,
        n1: int,
        choices: Choices,
        asked: Requirements,
        *,
        priced: Choices,
        weight: float = 0.0,
        falling: bool = False,
    ) -> None:
        self.n1, self.choices, self.asked, self.falling, self._priced = n1, choices, asked, falling, priced
        by_x = weights_of(n1, asked, weight)
        self._order = np.arange(n1 + 1)
        if not falling and not choices.rank.any():  # rows in any order: those that hardly matter come last
            self._order = np.argsort(-(by_x.null + by_x.alternative), kind="stable")
        self.weights = by_x.take(self._order)
        self.prices = prices(self.weights, self._priced, asked.alpha, asked.power)
        self._left: int | None = None
        self.bound = n1 + self.prices.bound
        """The linear bound, which no table of this n1 is below."""

    def run(self, best: BestTable, width: int | None = None) -> bool:
        """Improve on the best table known; whether every table was considered.

        Parameters
        ----------
        best : BestTable
            What is known, and takes what is found.
        width : int, optional
            Follow no more parts than this from row to row: a quick search without a proof.
        """
        self._best, self._width, self._complete = best, width, True
        self._begin()
        return self._complete

    def nothing_below(self, value: float) -> bool:
        """Whether no table is below a value, choices better than any trial included; False where that takes long."""
        if self.bound > value - TIE:
            return True
        try:
            for width in (FEW, None):  # a table that is below is mostly found at once
                self._best, self._width, self._complete = BestTable(self.asked, value), width, True
                self._left = MOST_PARTS
                self._begin()
        except Exhausted:
            return False
        finally:
            self._left = None
        return True

    def _begin(self) -> None:
        """Fill the rows of the empty table."""
        whole = Ahead(self.weights, self.choices, self.prices)
        self._whole, self._allowed = whole, list(self._worth_trying(whole))
        nothing = np.zeros(1)
        empty, lowest = np.zeros((1, 0), dtype=np.int64), np.zeros(1, dtype=np.int64)
        self._follow(0, FilledRows(value=nothing, error=nothing, power=nothing, last=lowest, picks=empty))

    def _limit(self, at: LimitPrices) -> float:
        """What the sum at these prices may be at most."""
        return (
            self._best.most
            - self.n1
            + at.error * self.asked.alpha
            - at.power * self.asked.power
            + 1e-11 * (1 + at.error + at.power)
        )

    def _worth_trying(self, whole: Ahead) -> Iterator[Ints]:
        """Per row, the choices with which some table may be better than the best known."""
        choices = self.choices
        places = whole.least.shape[1]
        before = np.zeros(places)  # the least of the rows before, by the largest place that they leave
        limit = self._limit(whole.at)
        for row in range(self.n1 + 1):
            here = whole.terms[row] + before[choices.rank]
            yield np.flatnonzero(here + whole.least[row + 1, choices.leaves] <= limit)
            left = np.full(places, np.inf)
            np.minimum.at(left, choices.leaves, here)
            before = np.minimum.accumulate(left)

    def _follow(self, row: int, parts: FilledRows) -> None:
        """Fill the rows from one on, in blocks if there are many parts."""
        while len(parts):
            if row == self.n1 + 1:
                self._finish(parts)
                return
            if len(parts) > BLOCK:
                order = np.argsort(self._whole.of(parts, row), kind="stable")
                for block in np.array_split(order, -(-order.size // BLOCK)):
                    self._follow(row, parts.take(block))
                return
            parts = self._next(row, parts)
            row += 1

    def _next(self, row: int, parts: FilledRows) -> FilledRows:
        """All parts with one row more that may become better than the best known."""
        allowed = self._allowed[row]
        size = max(1, PAIRS // max(allowed.size, 1))
        found: list[FilledRows] = []
        for start in range(0, len(parts), size):
            grown = self._grown(row, parts.take(np.arange(start, min(start + size, len(parts)))), allowed)
            found.append(self._sifted(row + 1, grown))
            if self._left is not None:
                self._left -= len(found[-1])
                if self._left < 0:
                    raise Exhausted
        every = found[0] if len(found) == 1 else joined(found)
        if row == self.n1:
            return every
        if self._width is None:
            if not self.falling and len(every) > FEW:
                every = every.take(not_beaten(every))
            return every
        if len(every) > self._width:
            self._complete = False
            every = every.take(np.argsort(self._nearest, kind="stable")[: self._width])
        return every

    def _grown(self, row: int, parts: FilledRows, allowed: Ints) -> FilledRows:
        """Parts with one row more whose bound at the prices of the whole does not pass the best value."""
        choices, weights, whole = self.choices, self.weights, self._whole
        here = whole.terms[row, allowed] + whole.least[row + 1, choices.leaves[allowed]]
        spent = parts.value + whole.at.error * parts.error - whole.at.power * parts.power
        fits = np.add.outer(spent, here) <= self._limit(whole.at)
        fits &= choices.rank[allowed] >= parts.last[:, np.newaxis]
        if self.falling:
            fits &= self._falls(parts, choices.n2[allowed])
        part, which = np.nonzero(fits)
        taken = allowed[which]
        return FilledRows(
            value=parts.value[part] + weights.patients[row] * choices.n2[taken],
            error=parts.error[part] + weights.null[row] * choices.error[taken],
            power=parts.power[part] + weights.alternative[row] * choices.power[taken],
            last=choices.leaves[taken],
            picks=np.concatenate([parts.picks[part], taken[:, np.newaxis]], axis=1),
        )

    def _falls(self, parts: FilledRows, n2: Ints) -> Bools:
        """Whether a second stage is no larger than those of fewer responses, which fall already."""
        before = self.choices.n2[parts.picks]
        smallest = np.min(np.where(before > 0, before, np.iinfo(np.int64).max), axis=1, initial=np.iinfo(np.int64).max)
        small: Bools = n2 <= smallest[:, np.newaxis]
        return small

    def _sifted(self, row: int, parts: FilledRows) -> FilledRows:
        """Parts whose bounds, at prices of some of them, do not pass the best value."""
        self._nearest = self._whole.of(parts, row) + self.n1 - self.prices_of_limits(self._whole.at)
        if row > self.n1:
            return parts
        rest = self.weights.take(np.arange(row, self.n1 + 1))
        for _ in range(4):
            if len(parts) <= FEW:
                break
            before = len(parts)
            by_bound = np.argsort(self._nearest, kind="stable")
            left = np.ones(before, dtype=np.bool_)
            for k in by_bound[np.linspace(0, before - 1, min(CUTS, before)).astype(np.int64)]:
                if not left[k]:
                    continue
                alpha, power = self.asked.alpha - parts.error[k], self.asked.power - parts.power[k]
                ahead = Ahead(rest, self.choices, prices(rest, self._priced, alpha, power))
                bounds = ahead.of(parts, 0) + self.n1 - self.prices_of_limits(ahead.at)
                np.maximum(self._nearest, bounds, out=self._nearest)
                left &= ahead.of(parts, 0) <= self._limit(ahead.at)
            parts, self._nearest = parts.take(left), self._nearest[left]
            if len(parts) > 0.7 * before:
                break
        return parts

    def prices_of_limits(self, at: LimitPrices) -> float:
        """What the two limits cost at some prices."""
        return at.error * self.asked.alpha - at.power * self.asked.power

    def _finish(self, parts: FilledRows) -> None:
        """Offer the full tables that keep the limits, the best first."""
        asked = self.asked
        fits = (parts.error <= asked.alpha * (1 + CLOSE)) & (parts.power >= asked.power * (1 - CLOSE))
        parts = parts.take(fits)
        if self._left is not None:
            if (self.n1 + parts.value <= self._best.most).any():
                raise Exhausted
            return
        # among equal values that with the most power
        for k in np.lexsort((-parts.power, np.round(parts.value / TIE))):
            value = self.n1 + float(parts.value[k])
            if value > self._best.most:
                return
            self._best.offer(value, self.design(parts.picks[k]))

    def design(self, picks: Ints) -> Branching:
        """The design of a full table."""
        names: dict[int, Stop] = {ACCEPT: "accept", REJECT: "reject"}
        by_x = picks[np.argsort(self._order)]
        rows = zip(self.choices.n2[by_x].tolist(), self.choices.c[by_x].tolist(), strict=True)
        return Branching(
            self.n1, tuple(names[c] if c in names else SecondStage(n2, x + c) for x, (n2, c) in enumerate(rows))
        )
