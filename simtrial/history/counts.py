"""The Beta-binomial likelihood of several studies, at a cost that depends on neither their number nor their size.

With c_k studies of more than k responses, the first product of `simtrial.history.rates` over all studies has the
logarithm sum over k of c_k log(m (1 - rho) + k rho), and the other two alike. Each such sum, and its derivatives, is a
sum of smooth functions of k with weights c_k, whose nearest singularity lies below 0. So the first terms are taken one
by one, and those from 2^j to 2^(j + 1) are replaced by Gauss's rule for their own weights [1]_: with `NODES` nodes its
relative error is of the order 5.83^(-2 `NODES`), below that of floating point.

References
----------
.. [1] Golub GH, Welsch JH. Calculation of Gauss quadrature rules. Math Comp 1969;23:221-230.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import log_choose
from simtrial.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simtrial.numbers import Floats, Ints

FIRST = 64
"""Terms of a sum that are taken one by one."""

NODES = 12
"""Points of Gauss's rule for the terms from each power of 2 to the next."""

SumRule = tuple["Floats", "Floats"]
"""Points k and their weights."""


@dataclass(frozen=True)
class StudyCounts:
    """Responders and patients of earlier studies.

    Attributes
    ----------
    responders, n : tuple of int
        By study, 0 <= responders <= n and n >= 1.
    """

    responders: tuple[int, ...]
    n: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.n or len(self.responders) != len(self.n):
            raise InputError(
                f"({len(self.responders)}) and n ({len(self.n)}) are not as many, one per study", "responders"
            )
        for x, n in zip(self.responders, self.n, strict=True):
            if not 0 <= x <= n or n < 1:
                raise InputError(f"({x}) is not from 0 to n ({n})", "responders")

    @property
    def total(self) -> tuple[int, int]:
        """Responders and patients of all studies."""
        return sum(self.responders), sum(self.n)

    @property
    def pooled(self) -> float:
        """The rate of all patients taken together."""
        x, n = self.total
        return x / n

    @cached_property
    def _rules(self) -> tuple[SumRule, SumRule, SumRule]:
        x, n = np.array(self.responders), np.array(self.n)
        return _rule(x), _rule(n - x), _rule(n)

    @cached_property
    def _choices(self) -> float:
        """The logarithm of the product of the binomial coefficients."""
        return math.fsum(float(log_choose(n, np.array(x))) for x, n in zip(self.responders, self.n, strict=True))

    def log_likelihood(self, mean: ArrayLike, rho: ArrayLike) -> Floats:
        """Logarithm of the probability of these counts.

        Parameters
        ----------
        mean, rho : array_like of float
            Mean of the true rates from 0 to 1, and intra-class correlation from 0 to below 1; shapes that broadcast.

        Returns
        -------
        ndarray
            Of the common shape; -inf where the counts are impossible.
        """
        m, r = (np.asarray(value, dtype=np.float64)[..., np.newaxis] for value in (mean, rho))
        hits, misses, sizes = self._rules
        parts = (hits, m * (1 - r), 1), (misses, (1 - m) * (1 - r), 1), (sizes, 1 - r, -1)
        total = self._choices
        with np.errstate(divide="ignore"):
            for (k, weights), base, sign in parts:
                total = total + sign * (np.log(base + k * r) * weights).sum(axis=-1)
        found: Floats = np.asarray(total)
        return found

    def score_of_mean(self, mean: Floats, rho: Floats) -> Floats:
        """Derivative of the log-likelihood in the mean, within (0, 1); it falls, since each term is concave."""
        m, r = mean[..., np.newaxis], rho[..., np.newaxis]
        (k, hits), (j, misses), _ = self._rules
        up: Floats = (hits / (m * (1 - r) + k * r)).sum(axis=-1)
        down: Floats = (misses / ((1 - m) * (1 - r) + j * r)).sum(axis=-1)
        return (1 - rho) * (up - down)

    def score_of_rho(self, mean: Floats, rho: Floats) -> Floats:
        """Derivative of the log-likelihood in rho, for a mean within (0, 1) and rho below 1."""
        m, r = mean[..., np.newaxis], rho[..., np.newaxis]
        (k, hits), (j, misses), (i, sizes) = self._rules
        up: Floats = (hits * (k - m) / (m * (1 - r) + k * r)).sum(axis=-1)
        up += (misses * (j - (1 - m)) / ((1 - m) * (1 - r) + j * r)).sum(axis=-1)
        up -= (sizes * (i - 1) / (1 - r + i * r)).sum(axis=-1)
        return up

    def best_means(self, rho: Floats, halvings: int = 60) -> Floats:
        """The mean that maximises the likelihood for each rho below 1: shape of `rho`."""
        x, n = self.total
        if x in (0, n):
            return np.full(rho.shape, float(x == n))
        low, high = np.zeros(rho.shape), np.ones(rho.shape)
        for _ in range(halvings):
            middle = (low + high) / 2
            rising = self.score_of_mean(middle, rho) > 0
            low, high = np.where(rising, middle, low), np.where(rising, high, middle)
        found: Floats = (low + high) / 2
        return found


def _rule(values: Ints) -> SumRule:
    """Points and weights for sums over k of the number of values above k."""
    steps = np.bincount(values)
    above = values.size - np.cumsum(steps)[:-1]  # how many exceed k, for k = 0..max - 1
    points, weights = [np.arange(min(FIRST, above.size), dtype=np.float64)], [above[:FIRST].astype(np.float64)]
    start = FIRST
    while start < above.size:
        k = np.arange(start, min(2 * start, above.size), dtype=np.float64)
        at, share = (
            (k, above[start : 2 * start].astype(np.float64))
            if k.size <= NODES
            else _gauss(k, above[start : 2 * start].astype(np.float64))
        )
        points.append(at)
        weights.append(share)
        start *= 2
    return np.concatenate(points), np.concatenate(weights)


def _gauss(k: Floats, weights: Floats) -> SumRule:
    """Gauss's rule for a sum with weights, by the recurrence of its orthogonal polynomials (Stieltjes)."""
    middle, half = (k[0] + k[-1]) / 2, (k[-1] - k[0]) / 2
    u = (k - middle) / half
    before, now, norm_before = np.zeros(u.size), np.ones(u.size), 1.0
    diagonal, beside = np.zeros(NODES), np.zeros(NODES)
    for j in range(NODES):
        norm = float((weights * now * now).sum())
        diagonal[j] = float((weights * u * now * now).sum()) / norm
        beside[j] = norm / norm_before if j else 0.0
        before, now, norm_before = now, (u - diagonal[j]) * now - beside[j] * before, norm
    off = np.sqrt(beside[1:])
    at, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    return middle + half * at, weights.sum() * vectors[0] ** 2
