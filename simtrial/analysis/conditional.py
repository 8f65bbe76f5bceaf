"""Koyama and Chen's conditional error, and the p-value of a second stage of another size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import binomial_pmf

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from simtrial.analysis.attained import Attained, Planned
    from simtrial.numbers import Floats


def conditional_error(design: Planned, p: float, x1: NDArray[np.int64]) -> Floats:
    """P(reject H0 at the planned end | x1 responses of n1; p), shape of `x1`; 1 once x1 > r."""
    n2 = design.n - design.n1
    tail = np.append(np.cumsum(binomial_pmf(n2, p)[::-1])[::-1], 0.0)
    found: Floats = np.where(x1 > design.r1, tail[np.clip(design.r + 1 - x1, 0, n2 + 1)], 0.0)
    return np.minimum(found, 1.0)


def conditional_p_value(design: Planned, seen: Attained, p: ArrayLike) -> float:
    """Koyama and Chen's p-value of a second stage of another size: see the head of this module."""
    from scipy import special

    rate = float(np.asarray(p))
    x2, n2_seen, n2 = seen.x - seen.x1, seen.n - seen.n1, design.n - design.n1
    as_many = 1.0 if x2 == 0 else float(special.bdtrc(x2 - 1, n2_seen, rate))
    needed = design.r + 1 - seen.x1
    if needed <= 0:  # decided at the first look
        star = 0.0
    elif needed > n2:
        star = 1.0
    else:
        star = float(special.betaincinv(needed, n2 - needed + 1, as_many))
    first = binomial_pmf(design.n1, rate)
    return float((first * conditional_error(design, star, np.arange(design.n1 + 1))).sum())


def conditional_rate(design: Planned, seen: Attained, a: float) -> float:
    """The rate at which Koyama and Chen's p-value is a; 0 or 1 where it never is."""
    from scipy import optimize

    if conditional_p_value(design, seen, 0.0) >= a:
        return 0.0
    if conditional_p_value(design, seen, 1.0) <= a:
        return 1.0
    return float(optimize.brentq(lambda p: conditional_p_value(design, seen, p) - a, 0.0, 1.0, xtol=1e-14))
