"""Every boundary of BOP2 at given looks as lists of bounds: for futility, and for efficacy if the trial stops for it.

A boundary for efficacy and one for futility go together if some lambda gives both, that is if the ranges of their
cells overlap; overlaps of log(lambda) shorter than `NEAR` are not looked into.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.search.bayesian.bop2_cells import NEAR, lines_of
from simtrial.search.bayesian.bop2_region import EFFICACY, FUTILITY
from simtrial.search.bayesian.posterior import usual_prior
from simtrial.search.given import with_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.bayesian.bop2_cells import BoundaryCells, Lines, Rectangle
    from simtrial.search.bayesian.posterior import BetaPrior

GRID_LAMBDA, GRID_GAMMA, GRID_ETA = np.arange(50, 100) / 100, np.arange(21) / 20, np.arange(31) / 10
"""The published grid: lambda .50(.01).99, gamma 0(.05)1; and eta 0(.1)3 where the trial stops for efficacy."""


MOST = 1 << 25
"""Most boundaries times looks that are listed."""

MOST_CELLS = 10_000
"""Most cells of futility and of efficacy together that are paired, within some ten seconds."""

BEYOND = 1e-4
"""How far logarithms beyond those asked for are taken along, so that no line lies on an edge of the rectangle."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of bounds, shape (lists, looks): -1 and n + 1 where nothing stops; `upper` None without efficacy."""

    lower: Ints
    upper: Ints | None

    def those(self, at: Ints | Bools) -> Lists:
        """Some of the lists."""
        return Lists(self.lower[at], None if self.upper is None else self.upper[at])


class AtLooks:
    """The boundaries at some looks.

    Parameters
    ----------
    looks_at : sequence of int
        Patients at each look, cumulative; the last is N.
    p0 : float
        Rate under H0.
    prior : BetaPrior, optional
        Beta(p0, 1 - p0) if left out.
    efficacy : bool
        Whether the trial stops for efficacy too.
    futile, effective : Rectangle
        The parameters that are allowed.
    """

    def __init__(
        self,
        looks_at: Sequence[int],
        p0: float,
        *,
        prior: BetaPrior | None = None,
        efficacy: bool = False,
        futile: Rectangle = FUTILITY,
        effective: Rectangle = EFFICACY,
    ) -> None:
        self.looks_at, self.p0, self.prior = tuple(looks_at), p0, prior or usual_prior(p0)
        self.futile, self.effective = futile, effective
        last = self.looks_at[-1]
        self.lines = lines_of(self.prior, p0, self.looks_at, last)
        self.early = lines_of(self.prior, p0, self.looks_at[:-1], last, above=False) if efficacy else None

    def ends(self) -> tuple[Ints, Floats, Floats]:
        """The final bounds that the allowed lambda can give, with the ends of the logarithm that gives each."""
        level = self.lines.levels[-1]
        low = np.maximum(level[:-1], self.futile.low)
        high = np.minimum(level[1:], self.futile.high)
        some = low < high
        return np.flatnonzero(some), low[some], high[some]

    def strictest(self, high: Floats) -> Lists:
        """For each end of the logarithm the boundary that rejects least: gamma 0, and no stop for efficacy."""
        return self._made(self.lines.counts(high, np.full(high.size, self.futile.least)), None)

    def loosest(self, low: Floats) -> Lists:
        """For each start of the logarithm a boundary that rejects as much as any: gamma 1, and eta 0."""
        futile = self.lines.counts(low, np.full(low.size, self.futile.most), beyond=NEAR)
        if self.early is None:
            return self._made(futile, None)
        w = np.log1p(-np.exp(low))
        return self._made(futile, self.early.counts(w, np.full(low.size, self.effective.least), beyond=NEAR))

    def every(self, low: float | None = None, high: float | None = None) -> Lists:
        """Every boundary with the logarithm of lambda between two numbers."""
        box = replace(
            self.futile,
            low=self.futile.low if low is None else max(low - BEYOND, self.futile.low),
            high=self.futile.high if high is None else min(high + BEYOND, self.futile.high),
        )
        futile = self.lines.within(box)
        if self.early is None:
            return self._made(futile.counts, None)
        span = replace(
            self.effective,
            low=max(self.effective.low, math.log1p(-math.exp(box.high))),
            high=min(self.effective.high, math.log1p(-math.exp(box.low))),
        )
        effective = self.early.within(span)
        if len(futile.counts) + len(effective.counts) > MOST_CELLS:
            raise self._too_many()
        first, last = _spans(self.lines, futile, box)
        other_last, other_first = (np.log1p(-np.exp(ends)) for ends in _spans(self.early, effective, span))
        overlap = np.minimum(last[:, np.newaxis], other_last) - np.maximum(first[:, np.newaxis], other_first)
        i, j = np.nonzero(overlap > NEAR)
        if i.size * len(self.looks_at) > MOST:
            raise self._too_many()
        return self._made(futile.counts[i], effective.counts[j])

    def _too_many(self) -> InputError:
        looks = counted(len(self.looks_at), "look")
        return InputError(f"has {looks}, too many for a search of BOP2 with both stops; give fewer", "looks_at")

    def grid(self) -> Lists:
        """Every boundary that the parameters of the published grid give."""
        lam, gamma = (one.ravel() for one in np.meshgrid(GRID_LAMBDA, GRID_GAMMA))
        futile = self.lines.counts(np.log(lam), gamma)
        if self.early is None:
            return self._made(np.unique(futile, axis=0), None)
        k, i = (one.ravel() for one in np.meshgrid(np.arange(GRID_ETA.size), np.arange(lam.size)))
        effective = self.early.counts(np.log1p(-lam[i]), GRID_ETA[k])
        both = np.unique(np.concatenate([futile[i], effective], axis=1), axis=0)
        return self._made(both[:, : len(self.looks_at)], both[:, len(self.looks_at) :])

    def _made(self, futile: Ints, effective: Ints | None) -> Lists:
        """Bounds from how many counts stop; the last look has none for efficacy."""
        lower, n = futile - 1, np.array(self.looks_at)
        if effective is None:
            return Lists(lower, None)
        upper = np.concatenate([n[:-1] + 1 - effective, np.full((len(lower), 1), n[-1] + 1)], axis=1)
        return Lists(lower, upper)

    def choice(self, lists: Lists) -> Bools:
        """Which lists are tests: that neither reject H0 whatever is seen nor end without a chance to."""
        n = np.array(self.looks_at)
        upper = np.tile(n + 1, (len(lists.lower), 1)) if lists.upper is None else lists.upper
        none: Bools = (lists.lower >= n) | (upper <= 0)
        none[:, -1] |= lists.lower[:, -1] < 0
        over = np.cumsum(upper[:, :-1] <= lists.lower[:, :-1] + 1, axis=1) > 0  # looks after an end are not reached
        none[:, 1:] &= ~over
        return np.asarray(~none.any(axis=1))

    def design(self, lists: Lists, i: int) -> Design:
        """The design with one of the lists."""
        upper = [n + 1 for n in self.looks_at] if lists.upper is None else lists.upper[i].tolist()
        return with_bounds(self.looks_at, lists.lower[i].tolist(), upper)


def _spans(lines: Lines, cells: BoundaryCells, box: Rectangle) -> tuple[Floats, Floats]:
    """The smallest and the largest logarithm of each cell."""
    ends = [[u for u, _ in lines.region(row, box)] for row in cells.counts.tolist()]
    # a cell too small for floating point has one point at least
    return (
        np.array([min(one, default=at) for one, at in zip(ends, cells.u.tolist(), strict=True)]),
        np.array([max(one, default=at) for one, at in zip(ends, cells.u.tolist(), strict=True)]),
    )
