"""All boundaries of BOP2 at given looks: the cells that straight lines cut out of the plane of its parameters.

A count x of a look at n of N patients is futile if log P(p > p0 | x of n) < u + gamma log(n / N), with u = log(lambda):
above the line u = log P + gamma log(N / n). So every pair of look and count is a line in the plane of gamma and u, the
lines of one look are parallel, and a boundary is a cell between them: m of the counts of each look are futile. The stop
for efficacy is the same with the complement of P, u = log(1 - lambda) and eta.

Why the list is complete
------------------------
Strict or not, a boundary that some parameters give is given by an open set of them, as lambda may be lowered a little
(raised, if not strict). Such a cell, cut off by the rectangle of allowed parameters, is a convex polygon; it has
corners, and these are corners of the rectangle, points where a line enters or leaves it, or points where two lines
cross. At each of these points the cells around it follow from the lines through it: each may be passed or not. All of
them are listed.

A cell is proved not to be empty by the mean of its corners, which lies inside: every line is there on the right side
by more than `NEAR`. Where floating point cannot tell (three lines that meet at nearly one point), the width of the cell
is computed with many digits from `simtrial.search.bayesian.posterior_digits`. Where more than `MEET` lines meet, as at
lambda = 1/2, gamma = 0 for a symmetric prior and p0 = 1/2, they are taken to meet in one point, around which the cells
follow from the order of their slopes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.phrases import counted
from simtrial.search.bayesian import posterior_digits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.bayesian.posterior import BetaPrior

NEAR = 1e-9
"""Logarithms of probabilities nearer than this may be equal; they are right to 1e-11 (tests)."""

MOST = 1 << 28
"""Largest number of pairs of lines, times the looks, for which all points are held in memory."""

MEET = 5
"""Most lines through one point each of which is taken to be passed or not, independently of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle:
    """The parameters that are allowed.

    Attributes
    ----------
    low, high : float
        Ends of the logarithm u.
    least, most : float
        Ends of the exponent.
    """

    low: float
    high: float
    least: float = 0.0
    most: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryCells:
    """Boundaries, each with one point of its cell.

    Attributes
    ----------
    counts : ndarray of int, shape (cells, looks)
        How many counts of each look stop the trial.
    u, exponent : ndarray, shape (cells,)
        A point inside.
    """

    counts: Ints
    u: Floats
    exponent: Floats


@kept(64)
def lines_of(prior: BetaPrior, p0: float, looks_at: tuple[int, ...], last: int, *, above: bool = True) -> Lines:
    """`Lines`, kept."""
    return Lines(prior, p0, looks_at, last, above=above)


class Lines:
    """The lines of some looks.

    Parameters
    ----------
    prior : BetaPrior
        The prior.
    p0 : float
        Rate under H0.
    looks_at : sequence of int
        The looks that have lines.
    last : int
        N.
    above : bool
        Whether they are those of P(p > p0), for futility; otherwise those of its complement, for efficacy.
    """

    def __init__(self, prior: BetaPrior, p0: float, looks_at: Sequence[int], last: int, *, above: bool = True) -> None:
        self.prior, self.p0, self.looks_at, self.last, self.above = prior, p0, tuple(looks_at), last, above
        self.slopes = np.log(last / np.array(looks_at, dtype=np.float64))
        sizes = np.array(looks_at) + 1
        n = np.repeat(looks_at, sizes)
        j = np.concatenate([np.arange(size) for size in sizes])  # the j-th count that stops, from the first
        found = prior.beyond(p0, n, j) if above else prior.within(p0, n, n - j)
        with np.errstate(divide="ignore"):
            logs = np.log(found)
        self.levels: list[Floats] = np.split(logs, np.cumsum(sizes)[:-1])

    def counts(self, u: Floats, exponent: Floats, *, beyond: float = 0.0, kind: type = np.int64) -> Ints:
        """How many counts of each look stop the trial at these parameters: shape (points, looks)."""
        found = [
            np.searchsorted(levels, u - exponent * slope + beyond, side="left")
            for levels, slope in zip(self.levels, self.slopes, strict=True)
        ]
        return np.stack(found, axis=1).astype(kind) if found else np.zeros((u.size, 0), dtype=kind)

    def within(self, box: Rectangle) -> BoundaryCells:
        """Every boundary that some parameters of the rectangle give."""
        if not self.looks_at:
            return BoundaryCells(
                counts=np.zeros((1, 0), dtype=np.int64), u=np.array([box.low]), exponent=np.array([box.least])
            )
        u, exponent = self._points(box)
        low, high = (self.counts(u, exponent, beyond=by, kind=np.int16) for by in (-NEAR, NEAR))
        around, at = _around(low, high, self.slopes)
        # rows are compared as strings of bytes, which is quicker than look by look
        whole = np.ascontiguousarray(around).view(np.dtype((np.void, around.itemsize * around.shape[1]))).ravel()
        _, first, group = np.unique(whole, return_index=True, return_inverse=True)
        rows = around[first].astype(np.int64)
        many = np.bincount(group)
        inside_u, inside_g = (np.bincount(group, weights=values[at]) / many for values in (u, exponent))
        inside_u, inside_g = np.clip(inside_u, box.low, box.high), np.clip(inside_g, box.least, box.most)
        real = self._room(rows, inside_u, inside_g, box) > NEAR
        for i in np.flatnonzero(~real).tolist():
            real[i] = self._has_room(rows[i].tolist(), box)
        return BoundaryCells(counts=rows[real], u=inside_u[real], exponent=inside_g[real])

    def _points(self, box: Rectangle) -> tuple[Floats, Floats]:
        """Every corner that a cell can have: (u, exponent)."""
        level = np.concatenate([*self.levels, np.zeros(0)])
        slope = np.repeat(self.slopes, [one.size for one in self.levels])
        crosses = (level + box.least * slope <= box.high + NEAR) & (level + box.most * slope >= box.low - NEAR)
        level, slope = level[crosses], slope[crosses]
        ends = np.array([box.low, box.high])
        sides = np.array([box.least, box.most])
        u = [np.repeat(ends, 2)]
        exponent = [np.tile(sides, 2)]
        for side in sides:
            u.append(level + side * slope)
            exponent.append(np.full(level.size, side))
        steep = slope > 0
        for end in ends:
            u.append(np.full(int(steep.sum()), end))
            exponent.append((end - level[steep]) / slope[steep])
        if level.size**2 * len(self.looks_at) > MOST:
            raise InputError(
                f"has {counted(len(self.looks_at), 'look')}, whose boundaries are too many to be listed; give fewer",
                "looks_at",
            )
        i, j = np.triu_indices(level.size, 1)
        apart = slope[i] != slope[j]
        i, j = i[apart], j[apart]
        crossing = (level[i] - level[j]) / (slope[j] - slope[i])
        u.append(level[i] + crossing * slope[i])
        exponent.append(crossing)
        all_u, all_g = np.concatenate(u), np.concatenate(exponent)
        inside: Bools = (all_u >= box.low - NEAR) & (all_u <= box.high + NEAR)
        inside &= (all_g >= box.least - NEAR) & (all_g <= box.most + NEAR)
        return np.clip(all_u[inside], box.low, box.high), np.clip(all_g[inside], box.least, box.most)

    def _room(self, rows: Ints, u: Floats, exponent: Floats, box: Rectangle) -> Floats:
        """How far each point is above the lines that its cell lies above, and below the others; negative if not."""
        room = np.full(u.size, np.inf)
        for k, (levels, slope) in enumerate(zip(self.levels, self.slopes, strict=True)):
            padded = np.concatenate([[-np.inf], levels, [np.inf]])
            here = u - exponent * slope
            room = np.minimum(room, np.minimum(here - padded[rows[:, k]], padded[rows[:, k] + 1] - here))
        return np.where((u > box.low) & (u < box.high), room, np.minimum(room, 0.0))

    def _has_room(self, row: Sequence[int], box: Rectangle) -> bool:
        """Whether the cell of a boundary is not empty, with many digits."""
        with localcontext(prec=posterior_digits.DIGITS):
            zero = Decimal(0)
            lower, upper = [(Decimal(box.low), zero)], [(Decimal(box.high), zero)]
            for n, m in zip(self.looks_at, row, strict=True):
                slope = (Decimal(self.last) / n).ln()
                lower += [(self._log(n, m - 1), slope)] if m else []
                upper += [(self._log(n, m), slope)] if m <= n else []
            exponents = {Decimal(box.least), Decimal(box.most)}
            for (a, s), (b, t) in (*combinations(lower, 2), *combinations(upper, 2)):
                if s != t and box.least < (crossing := (a - b) / (t - s)) < box.most:
                    exponents.add(crossing)
            # the width is a concave function of the exponent, and its largest value lies where lines of a side cross
            most = max(min(b + g * t for b, t in upper) - max(a + g * s for a, s in lower) for g in exponents)
            return most > Decimal(1).scaleb(-posterior_digits.AGREE)

    def _log(self, n: int, j: int) -> Decimal:
        """The level of the j-th count of a look."""
        x = j if self.above else n - j
        return posterior_digits.tails(self.prior, self.p0, n, x)[self.above].ln()

    def region(self, row: Sequence[int], box: Rectangle) -> list[tuple[float, float]]:
        """The corners (u, exponent) of the cell of a boundary, in order around it."""
        corners = [(box.low, box.least), (box.high, box.least), (box.high, box.most), (box.low, box.most)]
        for k, m in enumerate(row):
            levels, slope = self.levels[k], float(self.slopes[k])
            if m:
                corners = cut(corners, float(levels[m - 1]), slope, 1.0)
            if m < levels.size:
                corners = cut(corners, float(levels[m]), slope, -1.0)
        return corners


def cut(corners: list[tuple[float, float]], level: float, slope: float, side: float) -> list[tuple[float, float]]:
    """The part of a polygon that lies above a line (side 1) or below it (side -1)."""
    left = []
    for (u, g), (v, h) in zip(corners, corners[1:] + corners[:1], strict=True):
        here, there = (side * (a - b * slope - level) for a, b in ((u, g), (v, h)))
        if here >= 0:
            left.append((u, g))
        if here * there < 0:
            share = here / (here - there)
            left.append((u + share * (v - u), g + share * (h - g)))
    return left


def _around(low: Ints, high: Ints, slopes: Floats) -> tuple[Ints, Ints]:
    """The cells around points: counts, and the number of the point of each.

    `low` has the counts below all lines through a point, `high` those above them.
    """
    lines = (high - low).sum(axis=1)
    two = np.flatnonzero(lines <= 2)
    passed = high[two] > low[two]
    place = np.arange(two.size)
    alone = []
    for k in (passed.argmax(axis=1), passed.shape[1] - 1 - passed[:, ::-1].argmax(axis=1)):
        row = low[two]
        row[place, k] += passed[place, k]
        alone.append(row)
    few = np.flatnonzero((lines > 2) & (lines <= MEET))
    rows, at = low[few], few
    for k in range(low.shape[1]):
        wide = high[at, k] - low[at, k]
        if not wide.any():
            continue
        repeated = np.repeat(np.arange(at.size), wide + 1)
        step = np.arange(repeated.size) - np.repeat(np.cumsum(wide + 1) - wide - 1, wide + 1)
        rows, at = rows[repeated], at[repeated]
        rows[:, k] += step.astype(rows.dtype)
    rows, at = np.concatenate([rows, low[two], *alone, high[two]]), np.concatenate([at, *[two] * 4])
    more: list[Ints] = []
    places: list[int] = []
    for i in np.flatnonzero(lines > MEET).tolist():
        for order in (np.argsort(slopes), np.argsort(-slopes)):
            row = low[i].copy()
            more.append(row.copy())
            for k in order:  # beside the point the lines lie in the order of their slopes
                while row[k] < high[i, k]:
                    row[k] += 1
                    more.append(row.copy())
        places += [i] * (len(more) - len(places))
    if more:
        rows, at = np.concatenate([rows, np.array(more)]), np.concatenate([at, np.array(places)])
    return rows, at
