"""Whether a design keeps its limits, with tolerance 0: fractions decide where floating point cannot.

Rates and limits are the decimals that were written. At an odds ratio of 0, 1 or infinity the probabilities of the four
combinations are fractions, so P(recommend) is one as well.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.requirements import decimal
from simtrial.memo import kept
from simtrial.search.bryant_day.law import law

if TYPE_CHECKING:
    from simtrial.search.bryant_day.question import BothBounds, BothRates, Corner, Phi

WORST: dict[Corner, float] = {"R1T1": 0.0, "R1T0": math.inf, "R0T1": math.inf}
"""The corners that have a limit, and the odds ratio at which each comes nearest to breaking it (`law`)."""


def ends(phi: Phi) -> dict[Corner, float]:
    """The corners that have a limit, and the odds ratio at which it is held there."""
    return WORST if phi == "worst" else dict.fromkeys(WORST, 1.0)


@kept(4096)
def recommend_fraction(design: BothBounds, r: float, t: float, phi: float) -> Fraction:
    """P(recommend) as an exact fraction at an odds ratio of 0, 1 or infinity, by counting the ways of each outcome."""
    rates = decimal(r), decimal(t)
    both = {0.0: max(Fraction(0), sum(rates) - 1), 1.0: rates[0] * rates[1]}.get(phi, min(rates))
    parts = both, rates[0] - both, rates[1] - both, 1 - sum(rates) + both
    whole = math.lcm(*(part.denominator for part in parts))
    steps = tuple(int(part * whole) for part in parts)
    first, second = (_ways(n, steps) for n in (design.n1, design.n - design.n1))
    size = design.n - design.n1 + 1
    tails = second[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)[::-1, ::-1]
    total = 0
    for x in range(design.c_r1 + 1, design.n1 + 1):
        for y in range(design.c_t1 + 1, design.n1 + 1):
            i, j = max(design.c_r + 1 - x, 0), max(design.c_t + 1 - y, 0)
            if i < size and j < size:
                total += int(first[x, y]) * int(tails[i, j])
    return Fraction(total, whole**design.n)


@kept(64)
def _ways(n: int, steps: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
    """The pair's law in whole numbers: P(X = x, Y = y) times the n-th power of the steps' sum."""
    both, response, without, neither = steps
    state = np.ones((1, 1), dtype=object)
    for k in range(1, n + 1):
        moved = np.zeros((k + 1, k + 1), dtype=object)
        moved[:-1, :-1] = neither * state
        moved[1:, :-1] += response * state
        moved[:-1, 1:] += without * state
        moved[1:, 1:] += both * state
        state = moved
    return state


def side(design: BothBounds, asked: BothRates, corner: Corner, phi: float, found: float | None = None) -> int:
    """Whether P(recommend) is below the limit of a corner (-1), exactly at it (0) or above it (1).

    Parameters
    ----------
    design : BothBounds
        The design.
    asked : BothRates
        The question.
    corner : {'R0T1', 'R1T0', 'R1T1'}
        One that has a limit.
    phi : float
        Odds ratio: 0, 1 or infinity.
    found : float, optional
        P(recommend) in floating point, where it is known already.
    """
    (r, t), limit = asked.at(corner), asked.limit(corner)
    assert limit is not None  # the corner has one
    value = float(law(design, r, t, phi).recommend) if found is None else found
    return int(exact.signs(value, limit, lambda: recommend_fraction(design, r, t, phi) - decimal(limit)))


def missed(design: BothBounds, asked: BothRates, phi: float) -> tuple[Corner, ...]:
    """The corners whose limit a design misses at an odds ratio of 0, 1 or infinity."""
    sides = {corner: side(design, asked, corner, phi) for corner in WORST}
    return tuple(corner for corner, found in sides.items() if (found < 0 if corner == "R1T1" else found > 0))


def keeps(design: BothBounds, asked: BothRates, phi: Phi) -> bool:
    """Whether a design keeps all three limits: under independence, or at every association."""
    at = ends(phi)
    return all(
        (side(design, asked, corner, at[corner]) >= 0)
        if corner == "R1T1"
        else (side(design, asked, corner, at[corner]) <= 0)
        for corner in at
    )
