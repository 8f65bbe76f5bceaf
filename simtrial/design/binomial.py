"""Binomial probabilities: in floating point for any p, and as fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.requirements import decimal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simtrial.numbers import Floats, Ints


def log_choose(n: int, k: Ints) -> Floats:
    """Natural logarithm of the binomial coefficient C(n, k); -inf outside 0 <= k <= n. Shape of `k`.

    By the beta function, which loses no digits to the cancellation of large log-factorials.
    """
    from scipy import special  # here, because it takes longer to import than numpy and a design needs it not

    inside = (k >= 0) & (k <= n)
    safe = np.where(inside, k, 0)
    return np.where(inside, -np.log1p(n) - special.betaln(n - safe + 1.0, safe + 1.0), -np.inf)


def binomial_pmf(n: int, p: ArrayLike, x: Ints | None = None) -> Floats:
    """b(x; n, p) along a new last axis, for x = 0..n unless others are given: shape ``p.shape + x.shape``."""
    x = np.arange(n + 1) if x is None else x
    rate = np.asarray(p, dtype=np.float64)[..., np.newaxis]
    # at p = 0 and p = 1 any number whose exponential is 0 does for the logarithm, and leaves 0 log 0 = 0
    hit = np.log(rate, out=np.full(rate.shape, -1e6), where=rate > 0.0)
    miss = np.log1p(-rate, out=np.full(rate.shape, -1e6), where=rate < 1.0)
    pmf: Floats = (hit - miss) * x
    pmf += log_choose(n, x)
    pmf += n * miss
    np.exp(pmf, out=pmf)
    return pmf


def weighted(n: int, p: Floats, weights: Floats) -> Floats:
    """Sum of b(x; n, p) weights(x) over x, row by row: a matrix product may round a p differently in other company."""
    x = np.flatnonzero(weights)
    total: Floats = (binomial_pmf(n, p, x) * weights[x]).sum(axis=-1)
    return total


def above(r: ArrayLike, n: ArrayLike, p: float) -> Floats:
    """P(X > r; n, p) by the incomplete beta function, as `scipy.stats` gives it, whose import takes a second."""
    from scipy import special

    r, n = np.asarray(r, dtype=np.float64), np.asarray(n, dtype=np.float64)
    inside = (r >= 0) & (r < n)
    found: Floats = np.where(inside, special.betainc(np.where(inside, r, 0) + 1, np.where(inside, n - r, 1), p), r < 0)
    return found


def tail_fraction(r: int, n: int, p: float) -> Fraction:
    """P(X > r; n, p) as an exact fraction, with p the decimal that was written; any r, any n from 0."""
    if r < 0:
        return Fraction(1)
    rate = decimal(p)
    hit, miss = rate.numerator, rate.denominator - rate.numerator
    total, misses = 0, 1
    for x in range(n, r, -1):  # Horner's rule: every factor but the running total is small
        total = total * hit + math.comb(n, x) * misses
        misses *= miss
    return Fraction(total * hit ** (r + 1), rate.denominator**n)
