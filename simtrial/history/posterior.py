"""The random-effects Beta-binomial model by a stated prior, by quadrature: no simulation.

The mean of the true rates is uniform from 0 to 1, and rho has a Beta(1, 9) distribution: its mean is 0.1, and 19 of 20
values lie below 0.28. At a mean of 20% that is a standard deviation between studies of 11 percentage points in the
middle, about as wide as the half-normal distribution with scale 1 for the standard deviation of log odds that is in use
where historical controls are combined [1]_. The prior matters where there are few studies, and the less the more there
are.

For each rho the likelihood is log-concave in the mean, hence negligible outside one interval, which is cut at its
maximum and integrated by Gauss's rule in both parts. The rest is an integral over rho, by Gauss's rule in panels that
double from 1 / (1000 n) on and are halved wherever halving changes the result: what the last halvings changed, as a
share of the whole, is returned as the error. Against rules with twice as many points in each direction, means are right
to 1e-9 and the averages of P(reject H0) to 1e-9; P(rate <= p) is right to 1e-5 only where rho may be next to 0, because
it then steps from 0 to 1 at p.

References
----------
.. [1] Neuenschwander B, Capkun-Niggli G, Branson M, Spiegelhalter DJ. Summarizing historical information on controls in
   clinical trials. Clin Trials 2010;7:5-18.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.errors import InputError
from simtrial.history.rates import RateLaw
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.history.counts import StudyCounts
    from simtrial.numbers import Floats

PRIOR = (1.0, 9.0)
"""Shapes of the prior of rho; that of the mean is uniform."""

UNIFORM = (1.0, 1.0)
"""Shapes of another prior of rho, the uniform one, as a check: under it studies differ a lot."""

DROP = 40.0
"""Logarithm by which the likelihood falls to what is left out: 4e-18."""

ACROSS, ALONG = 16, 8
"""Points of Gauss's rule for each part of the mean, and for each panel of rho."""

CLOSE_TO = 1e-10
"""Change by a halving, as a share of the whole, that ends the halving of a panel."""

MOST_ROUNDS = 24
"""Halvings of a panel after which the rule gives up."""

NEGLIGIBLE = 1e-14
"""Weight of a point that is left out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PosteriorRates:
    """What the prior and the counts say together.

    Attributes
    ----------
    law : RateLaw
        Distribution of a new study's true rate.
    mean, rho, sd : float
        Posterior means of the mean of the true rates, of rho, and of the standard deviation between studies.
    log_evidence : float
        Logarithm of the probability of the counts under the prior.
    error : float
        Numerical error of the quadrature, as a share of the whole.
    prior : tuple of float
        Shapes of the prior of rho.
    """

    law: RateLaw
    mean: float
    rho: float
    sd: float
    log_evidence: float
    error: float
    prior: tuple[float, float]


@dataclass(frozen=True, eq=False)
class _Panel:
    """The rule for one panel of rho: points, and the logarithms of their weights."""

    means: Floats
    rhos: Floats
    logs: Floats

    @property
    def log_total(self) -> float:
        """Logarithm of the integral over the panel."""
        return float(np.logaddexp.reduce(self.logs)) if self.logs.size else -np.inf


def posterior(counts: StudyCounts, prior: tuple[float, float] = PRIOR) -> PosteriorRates:
    """Integrate the likelihood of some studies over the prior.

    Parameters
    ----------
    counts : StudyCounts
        Responders and patients.
    prior : tuple of float
        The density of rho is proportional to rho^(c - 1) (1 - rho)^(d - 1).

    Raises
    ------
    InputError
        If the quadrature does not settle.
    """
    n = max(counts.n)
    first = 1e-3 / n
    up = first * 2.0 ** np.arange(int(np.log2(0.5 / first)) + 1)
    edges = np.concatenate([[0.0], up, [0.5, 0.75, 0.875, 0.9375, 0.96875, 1.0]])
    waiting = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    coarse = _rules(counts, prior, waiting)
    top = max(panel.log_total for panel in coarse)
    done: list[_Panel] = []
    error = 0.0
    for _ in range(MOST_ROUNDS):
        halves = [half for low, high in waiting for half in ((low, (low + high) / 2), ((low + high) / 2, high))]
        fine = _rules(counts, prior, halves)
        top = max(top, *(panel.log_total for panel in fine))
        again: list[int] = []
        for k, panel in enumerate(coarse):
            both = fine[2 * k : 2 * k + 2]
            change = abs(np.exp(panel.log_total - top) - sum(np.exp(half.log_total - top) for half in both))
            if change <= CLOSE_TO:
                done += both
                error += float(change)
            else:
                again += [2 * k, 2 * k + 1]
        if not again:
            return _gathered(done, prior, error, top)
        waiting, coarse = [halves[k] for k in again], [fine[k] for k in again]
    raise InputError(
        f"({counted(len(counts.n), 'study', 'studies')}) do not allow the posterior distribution to be integrated",
        "evidence",
    )


def _gathered(panels: Sequence[_Panel], prior: tuple[float, float], error: float, top: float) -> PosteriorRates:
    """All points together as a mixture; the error is a share of exp(`top`)."""
    means, rhos, logs = (
        np.concatenate([getattr(panel, name) for panel in panels]) for name in ("means", "rhos", "logs")
    )
    total = float(np.logaddexp.reduce(logs))
    weights = np.exp(logs - total)
    kept = weights > NEGLIGIBLE
    means, rhos, weights = means[kept], rhos[kept], weights[kept]
    weights = weights / weights.sum()
    return PosteriorRates(
        law=RateLaw(weights, means, rhos),
        mean=float(weights @ means),
        rho=float(weights @ rhos),
        sd=float(weights @ np.sqrt(means * (1 - means) * rhos)),
        log_evidence=total,
        error=error * float(np.exp(top - total)),
        prior=prior,
    )


def _rules(counts: StudyCounts, prior: tuple[float, float], panels: Sequence[tuple[float, float]]) -> list[_Panel]:
    """The rules of some panels of rho."""
    from scipy import special

    x, w = np.polynomial.legendre.leggauss(ALONG)
    low, high = np.array(panels).T[..., np.newaxis]
    rhos = ((low + high) / 2 + (high - low) / 2 * x).ravel()
    c, d = prior
    norm = special.betaln(c, d) if d > 0 else 0.0  # an improper prior has no constant
    logs = np.log(((high - low) / 2 * w).ravel()) + (c - 1) * np.log(rhos) + (d - 1) * np.log1p(-rhos) - norm
    means, across = _across(counts, rhos)
    logs = logs[:, np.newaxis] + across
    spread = np.broadcast_to(rhos[:, np.newaxis], logs.shape)
    return [
        _Panel(means[rows].ravel(), spread[rows].ravel(), logs[rows].ravel())
        for rows in (slice(k, k + ALONG) for k in range(0, rhos.size, ALONG))
    ]


def _across(counts: StudyCounts, rhos: Floats) -> tuple[Floats, Floats]:
    """Means for each rho, and the logarithms of their weights times the likelihood: shape (rhos, 2 ACROSS)."""
    best = counts.best_means(rhos, halvings=40)
    least = counts.log_likelihood(best, rhos) - DROP
    sides = [_cut(counts, rhos, best, least, end) for end in (0.0, 1.0)]
    x, w = np.polynomial.legendre.leggauss(ACROSS)
    means, logs = [], []
    for low, high in ((sides[0], best), (best, sides[1])):
        half = (high - low)[:, np.newaxis] / 2
        at = (high + low)[:, np.newaxis] / 2 + half * x
        with np.errstate(divide="ignore"):
            logs.append(np.log(half * w) + counts.log_likelihood(at, rhos[:, np.newaxis]))
        means.append(at)
    return np.concatenate(means, axis=1), np.concatenate(logs, axis=1)


def _cut(counts: StudyCounts, rhos: Floats, best: Floats, least: Floats, end: float) -> Floats:
    """Where the likelihood has fallen to `least` on the way from the best mean to an end, or the end itself."""
    inner, outer = best.copy(), np.full(best.shape, end)
    held = counts.log_likelihood(outer, rhos) >= least
    for _ in range(24):
        middle = (inner + outer) / 2
        inside = counts.log_likelihood(middle, rhos) >= least
        inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
    found: Floats = np.where(held, end, outer)
    return found
