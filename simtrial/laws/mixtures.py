"""Power of designs whose bounds are recalculated at the numbers evaluable: tables for the search.

Of n patients enrolled, a binomial number m is evaluable, and of these a binomial number X responds. Write s for the
share that is evaluable and q for the response rate among the evaluable, each under p0 and under p1. By the rule of
`simtrial.plan.recut` the first bound depends on the number m1 evaluable there and on the planned r1 of n1, the last on
m1, on that first bound rho and on the further number m2. So the power of the second stage is tabulated once for each
(m1, rho, m2), and

    power(r1, n1, n) = sum over m1 of b(m1; n1, s1) sum over m2 of b(m2; n - n1, s1) power(m1, rho(m1; n1, r1), m2)

is two matrix products for all designs together. Whatever is too close for floating point is settled in fractions.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.designs import Look
from simtrial.design.exact import CLOSE
from simtrial.plan import recut
from simtrial.search.bounds import SLACK, smallest_r

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.laws.evaluable import Evaluable
    from simtrial.numbers import Floats, Ints


CELLS = 1 << 16
"""Most cells of a table that are worked on at once: they fit a processor's cache."""


def binomials(n_max: int, p: float) -> Floats:
    """b(x; n, p) for n (rows) and x (columns) from 0 to `n_max`.

    Each row comes from the one before; nothing is subtracted, so the relative error stays below 2 n 2^-52.
    """
    pmf = np.zeros((n_max + 1, n_max + 1))
    pmf[0, 0] = 1.0
    for n in range(1, n_max + 1):
        pmf[n] = pmf[n - 1] * (1 - p)
        pmf[n, 1:] += pmf[n - 1, :-1] * p
    return pmf


def single_powers(kept: Requirements, n_max: int) -> tuple[Ints, Floats]:
    """Smallest r that keeps alpha, and its power, for 0 to `n_max` evaluable patients: recalculated single stages."""
    from scipy import special

    n = np.arange(1, n_max + 1)
    r = smallest_r(n, kept.p0, kept.alpha)
    return np.append(0, r), np.append(0.0, special.bdtrc(r, n, kept.p1))


class FirstLooks:
    """First bounds by the numbers evaluable, for every (r1, n1) that can still have the power.

    Attributes
    ----------
    bound : ndarray of int, shape (bounds, n_max + 1, n_max + 1)
        rho at [r1, n1, m1]; -1 where the trial cannot stop.
    onward : ndarray, shape (2, bounds, n_max + 1)
        Probability that the trial continues after its first look, under p0 and p1, at [r1, n1].
    r1_high : ndarray of int, shape (n_max + 1,)
        Largest r1 with which the trial continues under p1 with at least the power; -1 if there is none.
    """

    def __init__(self, law: Evaluable, weights: tuple[Floats, Floats], pmf: tuple[Floats, Floats]) -> None:
        n_max = len(pmf[0]) - 1
        below = np.pad(np.cumsum(pmf[1], axis=1), ((0, 0), (1, 0)))  # P(X <= x; q1) for x from -1
        beyond = [_beyond(each, 1) for each in pmf]  # P(X > x) for x from -1
        m = np.arange(n_max + 1)
        fewer = m < m[:, np.newaxis]
        rho = np.full((n_max + 1, n_max + 1), -1)
        bounds: list[Ints] = []
        onward: list[tuple[Floats, Floats]] = []
        least = law.kept.power - SLACK
        self.r1_high = np.full(n_max + 1, -1)
        for r1 in range(n_max):
            limit = below[:, r1 + 1, np.newaxis]
            open_ = fewer & (m > r1)[:, np.newaxis]
            while (up := open_ & (below[m, rho + 2] <= limit * (1 - CLOSE))).any():
                rho += up
            rho[m, m] = r1
            # what is too close counts as no step yet, so nothing that is possible is lost here
            possible = (m > r1) & ((weights[1] * beyond[1][m, rho + 1]).sum(axis=1) >= least)
            close = open_ & possible[:, np.newaxis] & (np.abs(below[m, rho + 2] - limit) < CLOSE * limit)
            for n1, m1 in np.argwhere(close).tolist():
                rho[n1, m1] = recut.first_bound(Look(n1, r1), m1, *law.rates)
            on0, on1 = ((w * at[m, rho + 1]).sum(axis=1) for w, at in zip(weights, beyond, strict=True))
            possible &= on1 >= least
            if not possible.any():
                break
            self.r1_high[possible] = r1
            bounds.append(rho.copy())
            onward.append((on0, on1))
        shape = (0, n_max + 1, n_max + 1)
        self.bound: Ints = np.array(bounds) if bounds else np.zeros(shape, dtype=np.int64)
        self.onward: Floats = np.array(onward).swapaxes(0, 1) if onward else np.zeros((2, *shape[:2]))


class Mixtures:
    """Everything that the search asks about designs of at most `n_max` enrolled patients.

    Attributes
    ----------
    weights : tuple of ndarray, shape (n_max + 1, n_max + 1)
        b(m; n, s) under p0 and under p1.
    first : FirstLooks
        The first look.
    rest : ndarray, shape (n_max + 1,)
        1 - PETmax(n1) under p0: no design that has the power stops more often.
    """

    def __init__(self, law: Evaluable, n_max: int) -> None:
        self.law, self.n_max = law, n_max
        self.weights = (binomials(n_max, law.shares[0]), binomials(n_max, law.shares[1]))
        self._pmf = (binomials(n_max, law.rates[0]), binomials(n_max, law.rates[1]))
        self.first = FirstLooks(law, self.weights, self._pmf)
        n1 = np.arange(n_max + 1)
        high = self.first.r1_high
        self.rest = np.ones(n_max + 1)
        if len(self.first.bound):
            self.rest = np.where(high >= 0, self.first.onward[0, high, n1], 1.0)

    @cached_property
    def _last(self) -> tuple[Floats, Ints]:
        """Power and r of the last look at [rho + 1, m1, m2], where m1 + m2 is at most `n_max`."""
        kept, n_max = self.law.kept, self.n_max
        rows = len(self.first.bound) + 1
        single, _ = single_powers(kept, n_max)  # r is at most that of a single stage
        columns = max(int(single[-1]) + 1, rows)  # of x and r
        both = (binomials(n_max, kept.p0), self._pmf[1])  # alpha is kept at the former
        beyond = [_beyond(each, columns) for each in both]
        pmf = [each[:, :columns].T.copy() for each in both]
        at = columns + np.arange(columns) - np.arange(columns)[:, np.newaxis]  # of r - x, at [x, r]
        power = np.zeros((rows, n_max + 1, n_max + 1))
        bound: Ints = np.zeros(power.shape, dtype=np.int64)
        step = max(1, CELLS // columns**2)
        blocks = [(further, low) for further in range(n_max + 1) for low in range(0, n_max - further + 1, step)]
        for m2, low in blocks:
            m1 = slice(low, min(low + step, n_max - m2 + 1))
            size, rs = min(columns, m1.stop), int(single[m1.stop - 1 + m2]) + 1
            # P(X1 > rho, X > r) at [rho + 1, m1, r]
            reject0, reject1 = (
                np.cumsum((b[:size, m1, np.newaxis] * after[m2][at[:size, np.newaxis, :rs]])[::-1], axis=0)[::-1][:rows]
                + after[m1, 2 * columns - 1, np.newaxis]
                for b, after in zip(pmf, beyond, strict=True)
            )
            r = np.count_nonzero(reject0 > kept.alpha, axis=2)
            close = (np.abs(reject0 - kept.alpha) < CLOSE * kept.alpha).any(axis=2)
            for row, m in np.argwhere(close).tolist():
                r[row, m] = recut.last_bound(row - 1, low + m, low + m + m2, kept.p0, kept.alpha)
            bound[: len(r), m1, m2] = r
            power[: len(r), m1, m2] = np.take_along_axis(reject1, r[..., np.newaxis], axis=2)[..., 0]
        return power, bound

    @cached_property
    def _second(self) -> Floats:
        """Power at [rho + 1, m1, n2], where n2 further patients are enrolled."""
        found: Floats = self._last[0] @ self.weights[1].T
        return found

    def powers(self, n1: int) -> tuple[Floats, Ints]:
        """Power and planned r of every design with n1 patients at its first look, at [r1, n - n1] from (0, 0) on.

        r is the smallest above r1 that keeps alpha at the planned numbers.
        """
        q1, weights = self.law.rates[1], self.weights[1]
        most, later = int(self.first.r1_high[n1]), np.arange(self.n_max - n1 + 1)
        m1, r1 = np.arange(n1 + 1), np.arange(most + 1)
        rho = self.first.bound[: most + 1, n1, : n1 + 1]
        power: Floats = weights[n1, : n1 + 1] @ self._second[rho + 1, m1, : later.size]
        least = self._last[1][r1 + 1, n1, : later.size]
        above = least > r1[:, np.newaxis]
        # with r1 + 1 for a smaller r, r1 + 1 responses at the first look and none afterwards no longer reject H0
        planned = weights[n1, n1] * weights[later, later] * (1 - q1) ** later
        power -= np.where(above, 0.0, planned * self._pmf[1][n1, r1 + 1, np.newaxis])
        return power, np.where(above, least, r1[:, np.newaxis] + 1)


def _beyond(pmf: Floats, pad: int) -> Floats:
    """P(X > x) for x from -pad to n_max + pad, row by row: 1 before 0, and summed from the small terms up."""
    at_least = np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
    found = np.pad(at_least[:, 1:], ((0, 0), (pad, pad + 1)))
    found[:, :pad] = 1.0
    return found
