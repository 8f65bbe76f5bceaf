"""The parameters of BOP2 that give one boundary: a polygon of log(lambda) and gamma."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.search.bayesian.bop2_cells import Rectangle, cut, lines_of
from simtrial.search.parameters import ParameterRange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.search.bayesian.posterior import BetaPrior

LEAST, MOST = 1e-6, 1 - 1e-6
"""The range of lambda."""

FUTILITY = Rectangle(low=math.log(LEAST), high=math.log(MOST), least=0.0, most=1.0)
"""The parameters of futility: gamma is at most 1, as published."""

EFFICACY = Rectangle(low=math.log(1 - MOST), high=math.log(1 - LEAST), least=0.0, most=3.0)
"""The parameters of efficacy: log(1 - lambda), and eta up to 3."""

ENDS = {FUTILITY.least, FUTILITY.most, EFFICACY.least, EFFICACY.most}
"""The ends of the ranges of the exponents, which belong to them."""

NAMES = ("lambda", "gamma", "eta")
"""The parameters, as they are typed."""

Corners = list[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bop2Parameters:
    """All parameters that give one boundary.

    Attributes
    ----------
    corners : tuple of (float, float)
        The corners (log(lambda), gamma) of their region, in order around it; gamma enters the threshold as a straight
        line of the logarithms, so that the sides are straight.
    lam, gamma : tuple of float
        The smallest and the largest value of each.
    eta : tuple of float or None
        The same of eta; None without a stop for efficacy.
    inside : tuple of float
        lambda, gamma and, with a stop for efficacy, eta, that lead to the boundary, with few digits.
    """

    corners: tuple[tuple[float, float], ...]
    lam: tuple[float, float]
    gamma: tuple[float, float]
    eta: tuple[float, float] | None
    inside: tuple[float, ...]

    @property
    def ranges(self) -> tuple[ParameterRange, ...]:
        """The range of each parameter; not all values of them go together."""
        ends = [self.lam, self.gamma, *([] if self.eta is None else [self.eta])]
        return tuple(
            ParameterRange(name=name, low=low, high=high, includes="both")
            for name, (low, high) in zip(NAMES, ends, strict=False)
        )

    @property
    def one(self) -> dict[str, float]:
        """`inside` by the names of the parameters."""
        return dict(zip(NAMES, self.inside, strict=False))

    @property
    def region(self) -> tuple[tuple[float, float], ...]:
        """The corners as (lambda, gamma)."""
        return tuple((math.exp(u), g) for u, g in self.corners)


def parameters(
    prior: BetaPrior,
    p0: float,
    looks_at: Sequence[int],
    lower: Sequence[int],
    upper: Sequence[int] | None = None,
    *,
    futility: Rectangle = FUTILITY,
    efficacy: Rectangle = EFFICACY,
) -> Bop2Parameters | None:
    """The parameters that give a boundary; None if there are none.

    Parameters
    ----------
    prior : BetaPrior
        The prior.
    p0 : float
        Rate under H0.
    looks_at : sequence of int
        Patients at each look; the last is N.
    lower, upper : sequence of int
        The bounds, -1 and n + 1 where nothing stops; without `upper` the trial does not stop for efficacy, and of the
        last look's it has no meaning.
    futility, efficacy : Rectangle
        The parameters that are allowed.
    """
    last = looks_at[-1]
    lines = lines_of(prior, p0, tuple(looks_at), last)
    corners = lines.region([r + 1 for r in lower], futility)
    etas: Corners = []
    if upper is not None:
        early = looks_at[:-1]
        other = lines_of(prior, p0, tuple(early), last, above=False)
        row = [n + 1 - e for n, e in zip(early, upper, strict=False)]
        etas = other.region(row, efficacy)
        if not corners or not etas:
            return None
        low, high = (math.exp(end(u for u, _ in corners)) for end in (min, max))
        low = max(low, 1 - math.exp(max(w for w, _ in etas)))
        high = min(high, 1 - math.exp(min(w for w, _ in etas)))
        if low >= high:
            return None
        corners = cut(cut(corners, math.log(low), 0.0, 1.0), math.log(high), 0.0, -1.0)
        etas = cut(cut(etas, math.log1p(-high), 0.0, 1.0), math.log1p(-low), 0.0, -1.0)
        if not etas:
            return None
    if len(corners) < 3:
        return None
    return Bop2Parameters(
        corners=tuple(corners),
        lam=_range([math.exp(u) for u, _ in corners]),
        gamma=_range([g for _, g in corners]),
        eta=_range([g for _, g in etas]) if upper is not None else None,
        inside=next(_inside(corners, etas)),
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def _section(corners: Corners, at: float) -> tuple[float, float]:
    """The exponents of a polygon at one logarithm: the first above the second where there are none."""
    low, high = math.inf, -math.inf
    for (u, g), (v, h) in zip(corners, corners[1:] + corners[:1], strict=True):
        if min(u, v) <= at <= max(u, v):
            meets = [g, h] if u == v else [g + (at - u) / (v - u) * (h - g)]
            low, high = min(low, *meets), max(high, *meets)
    return low, high


def _inside(corners: Corners, etas: Corners) -> Iterator[tuple[float, ...]]:
    """Parameters inside, those with the fewest digits first; the smallest lambda of these, then the smallest gamma."""
    low, high = _range([math.exp(u) for u, _ in corners])
    for digits, step in ((2, 0.05), (2, 0.01), (3, 0.001), (4, 1e-4), (5, 1e-5), (6, 1e-6), (8, 1e-8), (12, 1e-12)):
        scale = 10**digits
        first, last = math.ceil(low * scale), math.floor(high * scale)
        for k in range(first, min(last, first + 200) + 1):
            lam = k / scale
            if not low < lam < high:
                continue
            parts = [_section(corners, math.log(lam)), *([_section(etas, math.log1p(-lam))] if etas else [])]
            found = [_round_in(least, most, step) for least, most in parts]
            if all(one is not None for one in found):
                yield (lam, *(one for one in found if one is not None))
    u, g = (sum(values) / len(corners) for values in zip(*corners, strict=True))
    yield (math.exp(u), g, *([sum(g for _, g in etas) / len(etas)] if etas else []))


def _round_in(low: float, high: float, step: float) -> float | None:
    """The first multiple of a step inside an interval, whose ends are left out unless they are those of the range."""
    k = math.ceil(low / step - 1e-9)
    for value in (round(k * step, 12), round((k + 1) * step, 12)):
        if low < value < high or (low < high and value in (low, high) and value in ENDS):
            return value
    return None
