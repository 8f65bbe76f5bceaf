"""The engine of the search: every n in turn, and at each the best design that could still win.

At an n the pairs of first bounds that could still win are visited by increasing criterion, which they alone decide
(`stages`); of each the final bounds are those that both endpoints allow (`margins`) and that keep the three limits. The
limits are tried under independence first, which every design must keep, as products of two tables; over all
associations the exact law at the two end points follows for what is left. What floating point cannot tell from a limit
is settled in fractions (`limits`).

Ties
----
Values of the criterion that agree to `TIE` are equal; then the fewest patients, the smallest first stage and the
smallest bounds are taken, the first look's before the last's and those of the responses first (`BothBounds.order`).
With the same first look smaller final bounds have more power.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.search.aim import TIE
from simtrial.search.bounds import SLACK, score_n
from simtrial.search.bryant_day import limits
from simtrial.search.bryant_day.extremes import extreme_recommend
from simtrial.search.bryant_day.margins import Margin
from simtrial.search.bryant_day.question import BothBounds
from simtrial.search.bryant_day.stages import BothFirstLooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.numbers import Floats, Ints
    from simtrial.search.bryant_day.margins import Allowed
    from simtrial.search.bryant_day.question import BothRates, Corner, Phi


class Attained(NamedTuple):
    """A design that keeps its limits, with the value of the criterion."""

    value: float
    design: BothBounds


class _Open(NamedTuple):
    """Pairs of first bounds that can still win, by increasing criterion: arrays of one length.

    Attributes
    ----------
    value : ndarray
        The criterion.
    n1, c_r1, c_t1 : ndarray of int
        The first look.
    """

    value: Floats
    n1: Ints
    c_r1: Ints
    c_t1: Ints


class BothScan:
    """Visits n in increasing order and records the designs with the least criterion so far.

    Parameters
    ----------
    asked : BothRates
        The question.
    phi : {'worst', 'independence'}
        Over which associations the limits hold.
    n_limit : int
        Refuse if even the most powerful test of one endpoint needs more.

    Attributes
    ----------
    fewest : list of Attained
        The best designs with the fewest patients that any has, equal ones included, in the order of ties.
    best : list of Attained
        The best of all.
    n_lower, n_upper : int
        The first and the last n at which a design was looked for.
    """

    ROWS = 48
    BATCH = 128
    """Most n1, and most pairs of first bounds, that are worked on at once."""

    def __init__(self, asked: BothRates, phi: Phi, n_limit: int) -> None:
        self.asked, self.phi, self.n_limit = asked, phi, n_limit
        self.alphas: dict[Corner, float] = {"R0T1": asked.alpha_r, "R1T0": asked.alpha_t}
        self.looks = BothFirstLooks(asked, phi)
        self.fewest: list[Attained] = []
        self.best: list[Attained] = []
        self.n_lower = 0
        rough = max(score_n(alone) for alone in asked.margins)
        self._reach(min(math.ceil(1.5 * rough) + 12, 2 * n_limit))
        self.n_upper = self._visit()

    def _reach(self, n_max: int) -> None:
        self.margins = tuple(Margin(alone, n_max) for alone in self.asked.margins)
        self.n_max = n_max

    def _visit(self) -> int:
        end, n = math.inf, 2
        while n <= end:
            if n > self.n_max:
                self._reach(int(min(end, 1.45 * n + 12)))
            if all(margin.tables.possible[n] for margin in self.margins):
                self.n_lower = self.n_lower or n
                self.looks.reach(self.margins, n - 1)
                if found := self._at(n):
                    self._record(found)
                    end = max(n, self.looks.last_n(self.target + TIE))
            if n >= self.n_limit and not self.fewest:
                raise InputError(
                    f"({self.n_limit}) is too small: no design with at most {counted(self.n_limit, 'patient')} meets "
                    "the limits; widen the gaps, relax the limits, or raise n_limit",
                    "n_limit",
                )
            n += 1
        return int(end)

    @property
    def target(self) -> float:
        """The least criterion so far."""
        return self.best[0].value if self.best else math.inf

    def _record(self, found: list[Attained]) -> None:
        self.fewest = self.fewest or found
        if found[0].value < self.target - TIE:
            self.best = found
        else:
            self.best = self.best + found

    def _at(self, n: int) -> list[Attained]:
        """The best designs of n patients that win or tie, in the order of ties."""
        sizes = np.arange(1, n)
        bound = sizes + (n - sizes) * np.array(self.looks.least)[sizes]
        some = sizes[(bound <= self.target + TIE) & np.isfinite(bound)]
        found: list[Attained] = []
        for top in range(0, some.size, self.ROWS):
            block = some[top : top + self.ROWS]
            found += self._in_block(n, block, min([self.target, *(one.value for one in found)]))
        least = min((one.value for one in found), default=math.inf)
        return sorted((one for one in found if one.value <= least + TIE), key=lambda one: one.design.order)

    def _in_block(self, n: int, block: Ints, target: float) -> list[Attained]:
        first, last = int(block[0]), int(block[-1])
        both = [margin.allowed(n, first, last) for margin in self.margins]
        response, without = both
        if response is None or without is None:
            return []
        pairs = self._open(n, block, (response, without), target)
        found: list[Attained] = []
        for top in range(0, pairs.value.size, self.BATCH):
            if found and pairs.value[top] > found[0].value + TIE:
                break
            here = slice(top, top + self.BATCH)
            place = pairs.n1[here] - first
            shares = [
                [np.where(one.some[:, place, c1], part[:, place, c1], 0.0) for part in (one.null, one.alternative)]
                for one, c1 in ((response, pairs.c_r1[here]), (without, pairs.c_t1[here]))
            ]
            for at, c_r, c_t, clear in self._under_independence(*shares):
                if found and pairs.value[top + at] > found[0].value + TIE:
                    break
                design = BothBounds(
                    n1=int(pairs.n1[top + at]), c_r1=int(pairs.c_r1[top + at]), c_t1=int(pairs.c_t1[top + at]),
                    n=n, c_r=int(response.c[c_r]), c_t=int(without.c[c_t]),
                )  # fmt: skip
                if self._keeps(design, clear=clear):
                    found.append(Attained(float(pairs.value[top + at]), design))
        return found

    def _open(self, n: int, block: Ints, allowed: tuple[Allowed, Allowed], target: float) -> _Open:
        """The first looks whose criterion and power under independence still allow a win."""
        parts = []
        most = [np.where(one.some, one.alternative, -1.0).max(axis=0) for one in allowed]
        for n1 in block.tolist():
            rows, columns = (one[n1 - block[0]] for one in most)
            share = self.looks.shares[n1][: rows.size, : columns.size]
            value = n1 + (n - n1) * share
            able = np.multiply.outer(rows[: len(share)], columns[: share.shape[1]]) >= self.asked.power - SLACK
            able &= (value <= target + TIE) & (rows[: len(share), np.newaxis] > 0)
            c_r1, c_t1 = np.nonzero(able)
            parts.append((value[c_r1, c_t1], np.full(c_r1.size, n1), c_r1, c_t1))
        value, *rest = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.argsort(value, kind="stable")
        return _Open(value[order], *(one[order] for one in rest))

    def _under_independence(self, response: list[Floats], without: list[Floats]) -> Iterator[tuple[int, int, int, bool]]:
        """Which pair and which final bounds keep the limits under independence, and whether clearly, in order."""
        asked = self.asked
        (r0, r1), (t0, t1) = ([part.T[:, :, np.newaxis] for part in response], [part.T[:, np.newaxis] for part in without])
        spare = np.minimum(asked.alpha_r - r0 * t1, asked.alpha_t - r1 * t0)
        spare = np.minimum(spare, r1 * t1 - asked.power)
        at, c_r, c_t = np.nonzero(spare >= -SLACK)
        for k in range(at.size):
            place = int(at[k]), int(c_r[k]), int(c_t[k])
            yield *place, bool(spare[place] > SLACK)

    def _keeps(self, design: BothBounds, *, clear: bool) -> bool:
        """Whether a design keeps its limits that does so under independence, clearly or as far as can be told."""
        if self.phi == "independence":
            return clear or limits.keeps(design, self.asked, self.phi)
        near = False
        for corner, way in limits.WORST.items():
            found = extreme_recommend(design, self.asked.at(corner), way)
            spare = found - self.asked.power if corner == "R1T1" else self.alphas[corner] - found
            if spare < -SLACK:
                return False
            near |= spare <= SLACK
        return not near or limits.keeps(design, self.asked, self.phi)
