"""Integrals over calendar time: waits for patients, and months until what they bring is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.memo import kept
from simtrial.plan.predictive import statuses

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.numbers import Floats, Ints
    from simtrial.plan.disease import Disease
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.enrollment import Enrollment

NODES = 64
"""Least number of points of Gauss's rule for a Beta distribution, where a law is no polynomial in p."""


def mean_months(arrivals: Enrollment, n: int) -> float:
    """E[T_n]: in closed form; else, with fixed rates, the mean of L^-1(Gamma(n)); else the integral of P(N(t) < n).

    NaN where the quadrature does not settle, as for a tail that is too heavy.
    """
    closed = arrivals.mean_months(n)
    if closed is not None:
        return closed
    if arrivals.clock is None:
        return _integral(lambda t: arrivals.fewer(n, t), arrivals.breaks)
    clock = arrivals.clock

    def weighted(g: Floats) -> Floats:
        months: Floats = clock.months(g) * gamma_density(n, g)
        return months

    # graded towards 0, where the inverse of a ramp has its root
    edges = [_levels(n), 2.0 ** -np.arange(1, 40), clock.level(np.array(arrivals.breaks))]
    return panels(weighted, np.unique(np.concatenate(edges)))


def _levels(n: int) -> Floats:
    """Edges of panels over which the Gamma(n) density is smooth, from where it is next to 0 to where it is again."""
    spread = np.sqrt(n)
    edges: Floats = np.linspace(max(n - 9 * spread, 0.0), n + 12 * spread + 40, 44)
    return edges


def gamma_density(n: int, g: Floats) -> Floats:
    """Density at `g` of the wait for n arrivals of a process of rate 1: Gamma(n, 1)."""
    from scipy import special

    density: Floats = np.exp((n - 1) * np.log(np.maximum(g, 1e-300)) - g - special.gammaln(n))
    return density


def poisson(counts: Ints, mean: float | Floats) -> Floats:
    """P(X = k) of a Poisson number for each k of `counts`."""
    from scipy import special  # takes a second to import, so only here

    pmf: Floats = np.exp(special.xlogy(counts, mean) - special.gammaln(counts + 1) - mean)
    return pmf


def mean_wait(months: float, patients: Ints, rate: float) -> Floats:
    """E (c - T)+, what is left of c months when this many patients are enrolled: T is Gamma(patients, rate)."""
    from scipy import special

    shape = np.maximum(patients, 1)
    left: Floats = months * special.gammainc(shape, months * rate)
    left = left - shape / rate * special.gammainc(shape + 1, months * rate)
    return np.where(patients > 0, left, months)


def mean_capped(mean: float, most: int) -> Floats:
    """E min(N, k) of a Poisson number N, for k = 0, ..., `most`."""
    from scipy import special

    reached = special.gammainc(np.arange(1, most + 1), mean)  # P(N >= 1), P(N >= 2), ...
    return np.concatenate([[0.0], np.cumsum(reached)])


def probability_by(arrivals: Enrollment, n: int, month: float) -> float:
    """P(T_n <= t): n patients are enrolled by a month, if accrual is never held."""
    return 1.0 - float(arrivals.fewer(n, np.array(month)))


def _integral(survival: Callable[[Floats], Floats], breaks: tuple[float, ...] = ()) -> float:
    """Integrate a survival function over (0, infinity) on panels that halve towards 0, until halving changes nothing.

    The tail is followed until it is below 1e-12; NaN where it is too heavy for that, or where nothing settles.
    """
    end = 1.0
    while float(survival(np.array([end]))[0]) * end > 1e-12 and end < 1e12:
        end *= 2
    if end >= 1e12:
        return np.nan
    edges = np.unique(np.concatenate([[0.0], end / 2.0 ** np.arange(0, 24, 0.5), [b for b in breaks if b < end]]))
    last = np.inf
    for _ in range(5):
        total = panels(survival, edges)
        if abs(total - last) <= 1e-9 * abs(total):
            return total
        last, edges = total, np.sort(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
    return np.nan


def panels(function: Callable[[Floats], Floats], edges: Floats, nodes: int = 16) -> float:
    """Integral of a function from the first to the last edge, by Gauss-Legendre quadrature in each panel."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    values = function((middle[:, np.newaxis] + half[:, np.newaxis] * x).ravel()).reshape(len(middle), -1)
    return float((values * w * half[:, np.newaxis]).sum())


def known_law(disease: Disease, dropout: Dropout, p: float) -> tuple[Floats, Floats]:
    """Law of the months from one patient's enrollment to a known status: the values, and their probabilities."""
    assessments = disease.assessments
    if assessments.delay is not None:
        return np.array([assessments.delay]), np.ones(1)
    law = statuses(disease, dropout, p)
    return np.array(list(law)), np.array([chances.sum() for chances in law.values()])


def look_months(arrivals: Enrollment, n: int, known: tuple[Floats, Floats]) -> float:
    """Expected month at which the statuses of the first n patients are all known, accrual starting at month 0.

    Given the level g at which patient n enters, the earlier ones lie uniformly below it, so

        P(all known by t | g) = F(t - T(g)) [ sum_v P(v) min(L(t - v), g) / g ]^(n - 1)

    with F the law of one patient's delay v, and g is Gamma(n, 1).
    """
    values, chances = known
    if len(values) == 1:
        return mean_months(arrivals, n) + float(values[0])
    order = np.argsort(values)
    return _look_months(arrivals, n, tuple(values[order].tolist()), tuple(chances[order].tolist()))


@kept(1024)
def _look_months(arrivals: Enrollment, n: int, delays: tuple[float, ...], shares: tuple[float, ...]) -> float:
    """The same by delay, in increasing order, and by the share of patients who have it."""
    clock = arrivals.clock
    if clock is None:
        return np.nan
    values, chances = np.array(delays), np.array(shares)
    x, w = np.polynomial.legendre.leggauss(8)
    base = _levels(n)

    def survival(months: Floats) -> Floats:
        """P(some status unknown) at each month; between the levels L(t - v) the integrand over g is smooth."""
        levels = clock.level(np.maximum(months[:, np.newaxis] - values, 0.0))
        edges = np.sort(np.concatenate([np.broadcast_to(base, (len(months), len(base))), levels], axis=1), axis=1)
        edges = np.minimum(edges, levels[:, :1])
        half = np.diff(edges)[..., np.newaxis] / 2
        terms = np.zeros((*half.shape[:2], len(x)))
        row, panel = np.nonzero(half[..., 0])  # the others are cut to nothing
        half, middle = half[row, panel], (edges[:, 1:] + edges[:, :-1])[row, panel, np.newaxis] / 2
        g = middle + half * x
        mean, last = np.zeros(g.shape), np.zeros(half.shape)
        for level, chance in zip(levels.T[:, row, np.newaxis], chances, strict=True):  # over delays
            mean += chance * np.minimum(level, g)
            last += chance * (level >= g[:, :1])
        every = (mean / np.maximum(g, 1e-300)) ** (n - 1)
        terms[row, panel] = gamma_density(n, g) * every * last * half * w
        unknown: Floats = 1 - terms.sum(axis=(1, 2))
        return unknown

    spread = np.array([-9, -6, -4, -3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6, 9, 12]) * np.sqrt(n)
    entries = np.concatenate([clock.months(np.maximum(n + spread, 0.0)), arrivals.breaks])
    start, end = float(values[0]), float(clock.months(base[-1:])[0] + values[-1])
    cuts = np.unique(np.concatenate([[start, end], values, (entries[:, np.newaxis] + values).ravel()]))
    cuts = cuts[(cuts >= start) & (cuts <= end)]
    total, coarse = (panels(survival, cuts, nodes) for nodes in (8, 5))
    # two rules that agree to a millionth of a month: the finer one is right to far more
    return start + total if abs(total - coarse) <= 1e-6 else np.nan
