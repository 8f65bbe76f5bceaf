"""A distribution of true response rates: a mixture of Beta distributions, by mean and intra-class correlation.

A Beta(a, b) distribution has the mean a / (a + b) and rho = 1 / (a + b + 1), the correlation of two patients of one
study; its standard deviation is sqrt(mean (1 - mean) rho). rho = 0 is one rate in every study, rho = 1 rates of 0 and 1
alone. In these terms the probability of x responses in n patients, at a rate drawn from the Beta distribution, is

    C(n, x) prod_{k<x} (m (1 - rho) + k rho) prod_{k<n-x} ((1 - m)(1 - rho) + k rho) / prod_{k<n} (1 - rho + k rho)

for the mean m, which loses no digits however small rho is, and is the binomial probability at rho = 0 [1]_.

References
----------
.. [1] Griffiths DA. Maximum likelihood estimation for the beta-binomial distribution and an application to the
   household distribution of the total number of cases of a disease. Biometrics 1973;29:637-648.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import log_choose

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simtrial.numbers import Bools, Floats

BLOCK = 1 << 20
"""Probabilities held at once."""

QUANTILE_ERROR = 1e-12
"""Largest error of a quantile."""


@dataclass(frozen=True, eq=False)
class RateLaw:
    """A mixture of Beta distributions; arrays of shape (components,).

    Attributes
    ----------
    weights : ndarray
        Positive, adding up to 1.
    means, rhos : ndarray
        Mean and intra-class correlation of each component, from 0 to 1.
    """

    weights: Floats
    means: Floats
    rhos: Floats

    @classmethod
    def single(cls, mean: float, rho: float) -> RateLaw:
        """One component; a rho of 1 is a rate of 0 or 1."""
        if rho == 1:
            return cls(np.array([1 - mean, mean]), np.array([0.0, 1.0]), np.zeros(2))
        return cls(np.ones(1), np.array([mean]), np.array([rho]))

    @property
    def _fixed(self) -> Bools:
        """The components that are one point."""
        fixed: Bools = (self.rhos == 0) | (self.means == 0) | (self.means == 1)
        return fixed

    def _shapes(self, which: Bools) -> tuple[Floats, Floats]:
        """Shapes a and b of the components that are no points."""
        size = (1 - self.rhos[which]) / self.rhos[which]
        return self.means[which] * size, (1 - self.means[which]) * size

    @property
    def mean(self) -> float:
        """The mean of the true rate."""
        return float(self.weights @ self.means)

    @property
    def sd(self) -> float:
        """The standard deviation of the true rate."""
        within = self.means * (1 - self.means) * self.rhos
        return float(np.sqrt(self.weights @ (within + (self.means - self.mean) ** 2)))

    def cdf(self, p: ArrayLike) -> Floats:
        """P(rate <= p): shape of `p`."""
        from scipy import special

        at = np.asarray(p, dtype=np.float64)[..., np.newaxis]
        fixed = self._fixed
        below: Floats = (self.weights[fixed] * (self.means[fixed] <= at)).sum(axis=-1)
        if not fixed.all():
            a, b = self._shapes(~fixed)
            below = below + (self.weights[~fixed] * special.betainc(a, b, at)).sum(axis=-1)
        return np.minimum(below, 1.0)

    def quantile(self, share: float) -> float:
        """The smallest rate p with P(rate <= p) of at least a share: right to `QUANTILE_ERROR`.

        By Brent's method, or by halving where the distribution has jumps.
        """
        from scipy import optimize

        low, high = 0.0, 1.0
        if float(self.cdf(0.0)) >= share:
            return 0.0
        if not self._fixed.any():
            root: float = optimize.brentq(
                lambda p: float(self.cdf(p)) - share, low, high, xtol=QUANTILE_ERROR / 2, rtol=4 * np.finfo(float).eps
            )
            return root
        while high - low > QUANTILE_ERROR:
            middle = (low + high) / 2
            if float(self.cdf(middle)) >= share:
                high = middle
            else:
                low = middle
        return high

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Between the two quantiles that leave half of 1 - level outside on each side."""
        tail = (1 - level) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def density(self, p: Floats) -> Floats:
        """Density at rates within (0, 1), of the components that have one: shape of `p`."""
        from scipy import special

        spread = ~self._fixed
        if not spread.any():
            return np.zeros(p.shape)
        a, b = self._shapes(spread)
        logs = (
            special.xlogy(a - 1, p[..., np.newaxis])
            + special.xlog1py(b - 1, -p[..., np.newaxis])
            - special.betaln(a, b)
        )
        found: Floats = (self.weights[spread] * np.exp(logs)).sum(axis=-1)
        return found

    def counts(self, n: int) -> Floats:
        """P(X = x) for x = 0..n responses in n patients at a rate drawn from here: shape (n + 1,)."""
        whole: Floats = self.counts_upto(n, 1.0)[0]
        return whole

    def counts_upto(self, n: int, most: float) -> Floats:
        """P(X = x), and P(X = x and rate <= `most`), for x = 0..n: shape (2, n + 1)."""
        from scipy import special

        x = np.arange(n + 1)
        found = np.zeros((2, n + 1))
        for part in np.array_split(np.arange(self.weights.size), 1 + self.weights.size * (n + 1) // BLOCK):
            chances = self.weights[part, np.newaxis] * beta_binomial(n, self.means[part], self.rhos[part])
            found[0] += chances.sum(axis=0)
            if most < 1:
                fixed = self._fixed[part]
                inside = np.where(fixed & (self.means[part] <= most), 1.0, 0.0)[:, np.newaxis] * np.ones(n + 1)
                m, rho = self.means[part][~fixed, np.newaxis], self.rhos[part][~fixed, np.newaxis]
                size = (1 - rho) / rho
                inside[~fixed] = special.betainc(m * size + x, (1 - m) * size + n - x, most)  # given x responses
                chances *= inside
            found[1] += chances.sum(axis=0)
        return found


def beta_binomial(n: int, means: Floats, rhos: Floats) -> Floats:
    """P(X = x) for x = 0..n at rates drawn from Beta distributions with rho below 1: shape means.shape + (n + 1,)."""
    k = np.arange(n)
    m, rho = means[..., np.newaxis], rhos[..., np.newaxis]
    with np.errstate(divide="ignore"):
        hits, misses = np.log(m * (1 - rho) + k * rho), np.log((1 - m) * (1 - rho) + k * rho)
    whole = np.log((1 - rho) + k * rho).sum(axis=-1, keepdims=True)
    none = np.zeros((*np.broadcast(m, rho).shape[:-1], 1))
    hit = np.concatenate([none, np.cumsum(hits, axis=-1)], axis=-1)
    miss = np.concatenate([none, np.cumsum(misses, axis=-1)], axis=-1)[..., ::-1]
    found: Floats = np.exp(log_choose(n, np.arange(n + 1)) + hit + miss - whole)
    return found
