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
from simtrial.search.bryant_day.extremes import extreme_recommends
from simtrial.search.bryant_day.margins import Margin
from simtrial.search.bryant_day.question import BothBounds
from simtrial.search.bryant_day.stages import BothFirstLooks

if TYPE_CHECKING:
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.bryant_day.margins import Allowed
    from simtrial.search.bryant_day.question import BothRates, Corner, Phi


class _Winner(NamedTuple):
    """A design that keeps its limits, with the value of the criterion."""

    value: float
    design: BothBounds


class _OpenLooks(NamedTuple):
    """First looks that can still win, by increasing criterion: arrays of one length.

    Attributes
    ----------
    value : ndarray
        The criterion.
    n1, c_r1, c_t1 : ndarray of int
        The look.
    """

    value: Floats
    n1: Ints
    c_r1: Ints
    c_t1: Ints

    def those(self, which: slice | Ints | Bools) -> _OpenLooks:
        """Some of them."""
        return _OpenLooks(self.value[which], self.n1[which], self.c_r1[which], self.c_t1[which])


class _Rules(NamedTuple):
    """Designs that can still win, in the order of their first looks: arrays of one length.

    Attributes
    ----------
    looks : _OpenLooks
        Their first looks.
    c_r, c_t : ndarray of int
        Their final bounds.
    spare : ndarray
        How far the nearest limit is: negative where it is missed.
    """

    looks: _OpenLooks
    c_r: Ints
    c_t: Ints
    spare: Floats


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
    fewest : list of _Winner
        The best designs with the fewest patients that any has, equal ones included, in the order of ties.
    best : list of _Winner
        The best of all.
    n_lower, n_upper : int
        The first and the last n at which a design was looked for.
    """

    ROWS = 48
    """Most n1 that are worked on at once."""
    BATCHES = (64, 2048)
    """Fewest and most pairs of first bounds that are: the first ones are the likeliest to win."""

    def __init__(self, asked: BothRates, phi: Phi, n_limit: int) -> None:
        self.asked, self.phi, self.n_limit = asked, phi, n_limit
        self.alphas: dict[Corner, float] = {"R0T1": asked.alpha_r, "R1T0": asked.alpha_t}
        self.known: dict[tuple[Corner, tuple[int, int, int]], Floats] = {}  # of one n
        self.looks = BothFirstLooks(asked, phi)
        self.fewest: list[_Winner] = []
        self.best: list[_Winner] = []
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

    def _record(self, found: list[_Winner]) -> None:
        self.fewest = self.fewest or found
        if found[0].value < self.target - TIE:
            self.best = found
        else:
            self.best = self.best + found

    def _at(self, n: int) -> list[_Winner]:
        """The best designs of n patients that win or tie, in the order of ties."""
        self.known.clear()
        sizes = np.arange(1, n)
        bound = sizes + (n - sizes) * np.array(self.looks.least)[sizes]
        some = sizes[(bound <= self.target + TIE) & np.isfinite(bound)]
        found: list[_Winner] = []
        for top in range(0, some.size, self.ROWS):
            block = some[top : top + self.ROWS]
            found += self._in_block(n, block, min([self.target, *(one.value for one in found)]))
        least = min((one.value for one in found), default=math.inf)
        return sorted((one for one in found if one.value <= least + TIE), key=lambda one: one.design.order)

    def _in_block(self, n: int, block: Ints, target: float) -> list[_Winner]:
        """The best designs with n1 in a block; designs that do not reach the target are left out."""
        response, without = (margin.allowed(n, int(block[0]), int(block[-1])) for margin in self.margins)
        if response is None or without is None:
            return []
        looks = self._open(n, block, (response, without), target)
        found: list[_Winner] = []
        top, size = 0, self.BATCHES[0]
        while top < looks.value.size and not (found and looks.value[top] > found[0].value + TIE):
            rules = self._under_independence(looks.those(slice(top, top + size)), (response, without), int(block[0]))
            if self.phi == "worst":
                rules = self._over_associations(n, rules)
            found += self._met(n, rules, found[0].value if found else math.inf)
            top, size = top + size, min(2 * size, self.BATCHES[1])
        return found

    def _met(self, n: int, rules: _Rules, least: float) -> list[_Winner]:
        """Those that keep their limits and win or tie, what floating point cannot tell settled in fractions."""
        found: list[_Winner] = []
        for k, value in enumerate(rules.looks.value.tolist()):
            if value > min([least, *(one.value for one in found[:1])]) + TIE:
                break
            _, n1, c_r1, c_t1 = (int(part[k]) for part in rules.looks)
            design = BothBounds(n1=n1, c_r1=c_r1, c_t1=c_t1, n=n, c_r=int(rules.c_r[k]), c_t=int(rules.c_t[k]))
            if rules.spare[k] > SLACK or limits.keeps(design, self.asked, self.phi):
                found.append(_Winner(value, design))
        return found

    def _open(self, n: int, block: Ints, allowed: tuple[Allowed, Allowed], target: float) -> _OpenLooks:
        """The first looks whose criterion and power under independence still allow a win."""
        parts = []
        most = [np.where(one.some, one.alternative, -1.0).max(axis=0) for one in allowed]
        for n1 in block.tolist():
            share = self.looks.shares[n1]
            rows, columns = (one[n1 - block[0], :size] for one, size in zip(most, share.shape, strict=True))
            value = n1 + (n - n1) * share[: rows.size, : columns.size]
            able = (np.multiply.outer(rows, columns) >= self.asked.power - SLACK) & (rows[:, np.newaxis] > 0)
            c_r1, c_t1 = np.nonzero(able & (value <= target + TIE))
            parts.append((value[c_r1, c_t1], np.full(c_r1.size, n1), c_r1, c_t1))
        value, *rest = (np.concatenate(part) for part in zip(*parts, strict=True))
        return _OpenLooks(value, *rest).those(np.argsort(value, kind="stable"))

    def _under_independence(self, looks: _OpenLooks, allowed: tuple[Allowed, Allowed], first: int) -> _Rules:
        """The designs with these first looks that keep the limits under independence, as far as can be told."""
        place = looks.n1 - first
        # without a pair of bounds the power is 0
        parts = [
            np.where(one.some[:, place, c1], part[:, place, c1], 0.0).T
            for one, c1 in zip(allowed, (looks.c_r1, looks.c_t1), strict=True)
            for part in (one.null, one.alternative)
        ]
        r0, r1 = (part[:, :, np.newaxis] for part in parts[:2])
        t0, t1 = (part[:, np.newaxis] for part in parts[2:])
        spare = np.minimum(self.alphas["R0T1"] - r0 * t1, self.alphas["R1T0"] - r1 * t0)
        spare = np.minimum(spare, r1 * t1 - self.asked.power)
        at, c_r, c_t = np.nonzero(spare >= -SLACK)
        return _Rules(looks.those(at), allowed[0].c[c_r], allowed[1].c[c_t], spare[at, c_r, c_t])

    def _over_associations(self, n: int, rules: _Rules) -> _Rules:
        """Those of them that keep the limits at both ends of the association, as far as can be told."""
        rules = rules._replace(spare=np.full(rules.c_r.size, np.inf))
        for corner, way in limits.WORST.items():
            looks, c_r, c_t, before = rules
            recommend = np.empty(c_r.size)
            keys = (looks.n1 * n + c_r) * n + c_t
            for key in np.unique(keys).tolist():
                here = np.flatnonzero(keys == key)
                chances = self._worst(n, corner, way, (key // n**2, key // n % n, key % n))
                recommend[here] = chances[looks.c_r1[here] + 1, looks.c_t1[here] + 1]
            spare = recommend - self.asked.power if corner == "R1T1" else self.alphas[corner] - recommend
            kept = spare >= -SLACK
            rules = _Rules(looks.those(kept), c_r[kept], c_t[kept], np.minimum(before, spare)[kept])
        return rules

    def _worst(self, n: int, corner: Corner, way: float, key: tuple[int, int, int]) -> Floats:
        """P(recommend) of an n1 and final bounds where a limit is nearest to being broken, by the first bounds."""
        if (corner, key) not in self.known:
            n1, *final = key
            rates = self.asked.at(corner)
            self.known[corner, key] = extreme_recommends((n1, n - n1), (final[0], final[1]), rates, way)
        return self.known[corner, key]
