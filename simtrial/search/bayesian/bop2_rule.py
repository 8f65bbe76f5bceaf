"""BOP2: stop for futility where the posterior falls below a threshold that rises with the number of patients [1]_.

With N patients in all and the posterior of `simtrial.search.bayesian.posterior`, a look at n patients with x responses
is futile, and at N does not reject H0, if

    P(p > p0 | x of n) < lambda (n / N)^gamma.

The prior is Beta(p0, 1 - p0) unless another is given: its mean is p0 and it weighs as much as one patient. The
comparison is strict, as published; ``strict=False`` counts equality as futile. The posterior rises with x, so that the
futile counts of a look are 0..r, and x = 0 is a count like any other: where even 0 of n is not futile, the look has no
bound. The threshold rises with n (gamma >= 0) and the posterior of the same x falls, so that r never falls.

With a stop for efficacy the trial also stops, and rejects H0, at a look before N if

    P(p > p0 | x of n) > 1 - (1 - lambda) (n / N)^eta,

a threshold that falls to lambda at N, where the two meet and the first decides. This is the form of the program of
Xu et al. [2]_ with lambda shared by both; its paper was not seen. Here too the comparison is strict unless asked
otherwise. As lambda lies between the two thresholds, no count is both futile and effective.

What follows from the looks
---------------------------
* A look at which every count is futile ends the trial without a chance to reject H0, and one that rejects H0 whatever
  is seen is no test; both are refused.
* A look at which every count stops the trial is its last, and later looks are dropped.
* P(p > p0) or its complement, whichever is small, is computed to 1e-12 of itself (tests); what is nearer than `CLOSE`
  to its threshold is compared with 50 digits (`simtrial.search.bayesian.posterior_digits`), so that the bounds are
  those of the decimals that were written.

References
----------
.. [1] Zhou H, Lee JJ, Yuan Y. BOP2: Bayesian optimal design for phase II clinical trials with simple and complex
   endpoints. Stat Med 2017;36:3302-3314.
.. [2] Xu X, Hashimoto A, Yimer B, Takeda K. BOP2-FE: Bayesian optimal phase II design with futility and efficacy
   stopping boundaries. J Biopharm Stat 2025.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.exact import CLOSE
from simtrial.design.requirements import decimal
from simtrial.inputs import TABLE
from simtrial.search.bayesian import posterior_digits
from simtrial.search.bayesian.posterior import BetaPrior, usual_prior
from simtrial.search.constraints import Constraints
from simtrial.search.given import with_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import MultiStage, SingleStage, TwoStage
    from simtrial.numbers import Floats


def bop2(
    looks_at: Sequence[int],
    p0: float,
    lam: float,
    gamma: float,
    *,
    prior: BetaPrior | None = None,
    eta: float | None = None,
    strict: bool = True,
) -> SingleStage | TwoStage | MultiStage:
    """The bounds of BOP2 for looks at given numbers of patients.

    Parameters
    ----------
    looks_at : sequence of int
        Patients at each look, cumulative; the last is N.
    p0 : float
        Rate under H0.
    lam, gamma : float
        Threshold lam (n / N)^gamma of the posterior probability of a rate above p0.
    prior : BetaPrior, optional
        Beta(p0, 1 - p0) if left out.
    eta : float, optional
        With it the trial stops for efficacy above 1 - (1 - lam) (n / N)^eta; without it, it does not.
    strict : bool
        Whether a posterior probability that equals its threshold lets the trial go on (at N: rejects H0).

    Returns
    -------
    SingleStage, TwoStage or MultiStage
        Its looks, up to the first at which no count goes on. r is None where nothing is futile, e where nothing is
        effective.

    Raises
    ------
    InputError
        If the rule leaves no count that rejects H0, or none that does not.

    Examples
    --------
    >>> from simtrial.design.designs import looks_text
    >>> looks_text(bop2([10, 20, 30, 40], p0=0.2, lam=0.86, gamma=0.95))
    '1/10,3/20,7/30,11/40'
    >>> looks_text(bop2([2, 40], p0=0.2, lam=0.86, gamma=0.95))
    '/2,11/40'
    """
    looks_at = Constraints(looks_at=tuple(looks_at)).looks_at or ()
    p0, lam = TABLE["rate"].check(p0, "p0"), TABLE["lam"].check(lam, "lambda")
    gamma = TABLE["gamma"].check(gamma, "gamma")
    prior, last = prior or usual_prior(p0), looks_at[-1]
    lower, upper = [], []
    for n in looks_at:
        lower.append(_stops(prior, p0, n, lam, gamma, last, above=True, strict=strict) - 1)
        effective = 0
        if eta is not None and n < last:
            eta = TABLE["eta"].check(eta, "eta")
            effective = _stops(prior, p0, n, lam, eta, last, above=False, strict=strict)
        upper.append(n + 1 - effective)
    return with_bounds(looks_at, lower, upper)


def thresholds(n: int, last: int, scale: float, exponent: float) -> Floats:
    """Scale (n / last)^exponent."""
    found: Floats = np.float64(scale) * (n / last) ** exponent
    return found


def _stops(
    prior: BetaPrior, p0: float, n: int, lam: float, exponent: float, last: int, *, above: bool, strict: bool
) -> int:
    """How many counts of a look stop the trial: for futility by P(p > p0), for efficacy by its complement."""
    x = np.arange(n + 1)
    found = prior.beyond(p0, n, x) if above else prior.within(p0, n, x)
    scale = lam if above else float(1 - decimal(lam))
    threshold = float(thresholds(n, last, scale, exponent))
    stops = found < threshold
    for i in np.flatnonzero(np.abs(found - threshold) <= CLOSE * threshold).tolist():
        with localcontext(prec=posterior_digits.DIGITS):
            limit = Decimal(repr(scale)) * (Decimal(n) / last) ** Decimal(repr(exponent))
            sign = posterior_digits.sign(posterior_digits.tails(prior, p0, n, i)[above], limit)
        stops[i] = sign < 0 or (sign == 0 and not strict)
    return int(stops.sum())
