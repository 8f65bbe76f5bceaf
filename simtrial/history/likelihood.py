"""The random-effects Beta-binomial model by maximum likelihood, and the test that all studies have one true rate.

For each rho the log-likelihood is concave in the mean, so that the best mean is found by halving. Along these means its
derivative in rho is scanned over `SCAN` values from 0 to 1; each change of sign from above to below 0 is a local
maximum and is halved down to full precision, and the best of all, the ends included, is taken. The maximum may lie at
an end: at rho = 0 (the studies vary no more than one rate explains), or, where every study has no response or
responses only, at rho = 1. With one study, or one patient per study, or no response (or responses only) at all, the
counts say nothing of rho, and 0 is given.

Homogeneity is tested in two ways. The likelihood ratio has rho = 0 at the edge of what is possible, so that with many
studies it is 0 with probability 1/2 and else chi-square with 1 degree of freedom [1]_. With few studies that is rough.
So the counts are also compared with what one rate gives: given the number of responders in all, every distribution of
them over the patients is equally likely, whatever that rate, and the sum of (x - n X / N)^2 over the studies, to which
the score of rho comes down [2]_, has an exact law. Up to `MOST_TABLES` tables are enumerated; beyond, tables are drawn,
and the p-value of such draws is valid for any number of them [3]_.

References
----------
.. [1] Self SG, Liang KY. Asymptotic properties of maximum likelihood estimators and likelihood ratio tests under
   nonstandard conditions. J Am Stat Assoc 1987;82:605-610.
.. [2] Tarone RE. Testing the goodness of fit of the binomial distribution. Biometrika 1979;66:585-590.
.. [3] Besag J, Clifford P. Sequential Monte Carlo p-values. Biometrika 1991;78:301-304.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import log_choose
from simtrial.history.rates import RateLaw

if TYPE_CHECKING:
    from simtrial.history.counts import StudyCounts

SCAN = 129
"""Values of rho between its ends, evenly spaced on the logit scale."""

LOGIT = 23.0
"""The outermost of them: rho = 1e-10 and 1 - 1e-10."""

ZOOM = 33
"""Values of rho looked at together on the way to a maximum."""

DRAWS = 9_999
"""Tables drawn for the test of homogeneity."""

SEED = 20250731
"""Their seed, so that the same counts give the same p-value."""

MOST_TABLES = 1 << 20
"""Most tables that are enumerated instead."""

CELLS = 1 << 21
"""Most cells of tables held at once."""

CLOSE = 1e-9
"""Nearer than this, as a share, two sums of squares count as the same."""


@dataclass(frozen=True, kw_only=True)
class LikeliestRates:
    """The maximum-likelihood estimates.

    Attributes
    ----------
    mean, rho : float
        Of the true rates.
    log_likelihood, log_likelihood_equal : float
        At the estimates, and at one rate for all studies.
    known : bool
        Whether the counts say anything of rho.
    """

    mean: float
    rho: float
    log_likelihood: float
    log_likelihood_equal: float
    known: bool

    @property
    def shapes(self) -> tuple[float, float] | None:
        """Its shapes a and b as a Beta distribution; None where the estimate is no such distribution."""
        if self.rho in (0, 1) or self.mean in (0, 1):
            return None
        size = (1 - self.rho) / self.rho
        return self.mean * size, (1 - self.mean) * size

    @property
    def law(self) -> RateLaw:
        """The distribution of a new study's true rate, as if the estimates were known exactly."""
        return RateLaw.single(self.mean, self.rho)


def likeliest(counts: StudyCounts) -> LikeliestRates:
    """Maximise the likelihood of the counts of some studies."""
    mean = counts.pooled
    equal = float(counts.log_likelihood(mean, 0.0))
    apart = all(x in (0, n) for x, n in zip(counts.responders, counts.n, strict=True))
    known = len(counts.n) > 1 and max(counts.n) > 1 and 0 < mean < 1
    if not known:
        return LikeliestRates(mean=mean, rho=0.0, log_likelihood=equal, log_likelihood_equal=equal, known=False)
    if apart:  # every term of the score of rho is then above 0
        share = sum(x > 0 for x in counts.responders) / len(counts.n)
        top = sum(math.log(share if x else 1 - share) for x in counts.responders)
        return LikeliestRates(mean=share, rho=1.0, log_likelihood=top, log_likelihood_equal=equal, known=True)
    rhos = np.concatenate([[0.0], 1 / (1 + np.exp(-np.linspace(-LOGIT, LOGIT, SCAN)))])
    slopes = counts.score_of_rho(counts.best_means(rhos), rhos)
    found = [(mean, 0.0, equal)]
    for k in np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0)).tolist():
        rho = _root(counts, float(rhos[k]), float(rhos[k + 1]))
        at = float(counts.best_means(np.array(rho)))
        found.append((at, rho, float(counts.log_likelihood(at, rho))))
    mean, rho, top = max(found, key=lambda one: one[2])
    return LikeliestRates(mean=mean, rho=rho, log_likelihood=top, log_likelihood_equal=equal, known=True)


def _root(counts: StudyCounts, low: float, high: float) -> float:
    """Where the derivative along the best means falls through 0, many rhos at a time."""
    while True:
        rhos = np.linspace(low, high, ZOOM)
        rising = np.flatnonzero(counts.score_of_rho(counts.best_means(rhos), rhos) > 0)
        at = int(rising[-1]) if rising.size else 0
        nearer, farther = float(rhos[at]), float(rhos[min(at + 1, ZOOM - 1)])
        if farther - nearer <= 4 * np.spacing(farther) or (nearer, farther) == (low, high):
            return (nearer + farther) / 2
        low, high = nearer, farther


@dataclass(frozen=True, kw_only=True)
class Homogeneity:
    """Tests that all studies have the same true rate.

    Attributes
    ----------
    statistic, p_value : float
        Likelihood ratio, and its p-value by an equal mixture of 0 and chi-square with 1 degree of freedom.
    conditional, mcse : float
        p-value given the number of responders in all, and its Monte Carlo standard error: 0 if it is exact.
    draws : int
        Tables drawn; 0 if all were enumerated.
    """

    statistic: float
    p_value: float
    conditional: float
    mcse: float
    draws: int


def homogeneity(counts: StudyCounts, fitted: LikeliestRates, most: int = MOST_TABLES) -> Homogeneity | None:
    """Test that all studies have the same true rate; None where the counts say nothing of it.

    Parameters
    ----------
    counts : StudyCounts
        Responders and patients.
    fitted : LikeliestRates
        Their estimates.
    most : int
        Most tables that are enumerated.
    """
    if not fitted.known:
        return None
    statistic = max(2 * (fitted.log_likelihood - fitted.log_likelihood_equal), 0.0)
    p_value = 0.5 * math.erfc(math.sqrt(statistic / 2)) if statistic > 0 else 1.0
    tables = math.prod(size + 1 for size in sorted(counts.n)[:-1])
    exact = tables <= most
    conditional = _enumerated(counts) if exact else _drawn(counts)
    mcse = 0.0 if exact else math.sqrt(conditional * (1 - conditional) / DRAWS)
    return Homogeneity(
        statistic=statistic, p_value=p_value, conditional=conditional, mcse=mcse, draws=0 if exact else DRAWS
    )


def _enumerated(counts: StudyCounts) -> float:
    """P(a sum of squares at least as large as that observed), over all tables with the same totals."""
    total, patients = counts.total
    rate = total / patients
    *others, (_, last) = sorted(zip(counts.responders, counts.n, strict=True), key=lambda study: study[1])
    used, squares, logs = np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1)
    for _, size in others:
        x = np.arange(size + 1)
        used = (used[:, np.newaxis] + x).ravel()
        squares = (squares[:, np.newaxis] + (x - size * rate) ** 2).ravel()
        logs = (logs[:, np.newaxis] + log_choose(size, x)).ravel()
        possible = used <= total
        used, squares, logs = used[possible], squares[possible], logs[possible]
    logs = logs + log_choose(last, total - used) - float(log_choose(patients, np.array(total)))
    squares = squares + (total - used - last * rate) ** 2
    extreme = squares >= _observed(counts) * (1 - CLOSE)
    return float(min(np.exp(logs[extreme]).sum(), 1.0))


def _drawn(counts: StudyCounts) -> float:
    """The same from random tables, the observed one counted with them."""
    n, (total, patients) = np.array(counts.n), counts.total
    rng = np.random.default_rng(SEED)
    block = max(1, CELLS // n.size)
    extreme, observed = 0, _observed(counts) * (1 - CLOSE)
    for start in range(0, DRAWS, block):
        tables = rng.multivariate_hypergeometric(n, total, size=min(block, DRAWS - start), method="marginals")
        extreme += int((((tables - n * (total / patients)) ** 2).sum(axis=-1) >= observed).sum())
    return (1 + extreme) / (1 + DRAWS)


def _observed(counts: StudyCounts) -> float:
    """The observed sum of squares about what one rate expects."""
    x, n = np.array(counts.responders), np.array(counts.n)
    return float(((x - n * counts.pooled) ** 2).sum())
