"""Binomial tables for designs with two looks, and what every first look must keep."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import tail_fraction
from simtrial.design.requirements import decimal
from simtrial.search.bounds import SLACK

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints

LIGHT = 1e-15
"""Counts below which X1 has less than this probability at p0 are left out of sums that `SLACK` guards."""


class LookTables:
    """Binomial tables at p0 and p1 for every n up to `n_max`: rows n, columns x from 0 to n_max + 1.

    Attributes
    ----------
    pmf : ndarray, shape (2, n_max + 1, n_max + 2)
        b(x; n, p), p0 first.
    at_least : ndarray, shape (2, n_max + 1, n_max + 2)
        P(X >= x; n, p).
    e_least : ndarray of int, shape (n_max + 1,)
        Smallest e1 with P(X1 >= e1; p0) < alpha; n1 + 1, which nobody reaches, if no other has it. Equality will do
        only where P(X1 >= e1; p1) >= power too: whoever continues must not be able to reject H0.
    k_most : ndarray of int, shape (n_max + 1,)
        Largest k = r1 + 1, the smallest count that continues, with P(X1 >= k; p1) > power; 0 if there is none.
        Equality would not do: k <= r, so some of that is always lost.
    light : ndarray of int, shape (n_max + 1,)
        P(X1 < light; p0) is below `LIGHT`.
    """

    def __init__(self, requirements: Requirements, n_max: int) -> None:
        self.n_max = n_max
        n, x = np.arange(n_max + 1), np.arange(n_max + 2)
        log_factorial = np.array([math.lgamma(k + 1) for k in range(n_max + 2)])
        failures = n[:, np.newaxis] - x
        choose = log_factorial[: n_max + 1, np.newaxis] - log_factorial - log_factorial[np.maximum(failures, 0)]
        choose[failures < 0] = -np.inf
        self.pmf = np.empty((2, n_max + 1, n_max + 2))
        self.at_least = np.empty_like(self.pmf)
        for pmf, tail, p in zip(self.pmf, self.at_least, (requirements.p0, requirements.p1), strict=True):
            np.add(choose, x * math.log(p) + failures * math.log1p(-p), out=pmf)
            np.exp(pmf, out=pmf)
            # from the right, so that small tails keep their digits
            np.cumsum(pmf[:, ::-1], axis=1, out=tail[:, ::-1])
            tail[:, 0] = 1.0
        self.e_least = np.minimum(np.count_nonzero(self.at_least[0] > requirements.alpha + SLACK, axis=1), n + 1)
        self.k_most = np.count_nonzero(self.at_least[1] >= requirements.power - SLACK, axis=1) - 1
        self._settle(requirements)
        self.light = np.count_nonzero(self.at_least[0] > 1 - LIGHT, axis=1) - 1

    def _settle(self, requirements: Requirements) -> None:
        """Decide in fractions whether first stages that seem to be at a limit are of any use."""
        p0, p1, alpha, power = requirements.p0, requirements.p1, requirements.alpha, requirements.power
        n = np.arange(self.n_max + 1)
        for i in np.flatnonzero(np.abs(self.at_least[1, n, self.k_most] - power) <= SLACK).tolist():
            self.k_most[i] -= tail_fraction(int(self.k_most[i]) - 1, i, p1) <= decimal(power)
        reach = self.at_least[:, n, self.e_least]
        for i in np.flatnonzero((np.abs(reach[0] - alpha) <= SLACK) & (reach[1] < power - SLACK)).tolist():
            self.e_least[i] += tail_fraction(int(self.e_least[i]) - 1, i, p0) >= decimal(alpha)

    def share(self, n1: Ints, k: Ints, e: Ints) -> Floats:
        """P(k <= X1 < e) at p0 and p1, the probability that a trial continues: shape (2, ...)."""
        found: Floats = self.at_least[:, n1, k] - self.at_least[:, n1, e]
        return found

    def joint(self, which: int, n: int, rows: tuple[Ints, Ints], x: Ints) -> tuple[Floats, Floats]:
        """b(x; n1) and P(X > r | X1 = x) at p0 (`which` 0) or p1, by rows (n1, r) and columns x."""
        n1, r = rows
        wide = self.n_max + 2
        column = np.minimum(x, wide - 1)
        first = self.pmf[which].ravel().take(n1[:, np.newaxis] * wide + column)
        later = np.maximum(r[:, np.newaxis] - x + 1, 0)
        beyond = self.at_least[which].ravel().take((n - n1)[:, np.newaxis] * wide + later)
        return first, beyond


def largest_share(n1: Ints, k: Ints, e: Ints) -> Floats:
    """Largest P(k <= X1 < e) at any true response rate: `simtrial.design.largest` has the closed form.

    Without a stop for futility (k = 0) or for efficacy (e > n1) it is 1.
    """
    from scipy import special

    found = np.ones(n1.shape)
    both = np.flatnonzero((k > 0) & (e <= n1))
    n, low, high = (one[both].astype(np.float64) for one in (n1, k, e))
    # C(n1 - 1, r1) / C(n1 - 1, e1 - 1) without the part that cancels
    ways = special.gammaln(high) + special.gammaln(n - high + 1) - special.gammaln(low) - special.gammaln(n - low + 1)
    odds = np.exp(ways / (high - low))
    p = odds / (1 + odds)
    found[both] = special.betainc(low, n - low + 1, p) - special.betainc(high, n - high + 1, p)
    return found
