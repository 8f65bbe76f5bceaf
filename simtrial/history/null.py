"""What a test of p <= p0 does where the true rate of the treatments that p0 stands for is not p0.

Call P that true rate. A new treatment that is no better has the rate P as well, and is declared a success with
probability P(reject H0; P). Where P follows a distribution (`simtrial.history.rates`), the chance of that is the mean

    E P(reject H0; P) = sum over endings that reject of (share of orders) P(X = s),

with X Beta-binomial: a closed sum, because P(reject H0; p) is a sum of binomial probabilities. The same sum with
P(X = s and P <= p0) is the part that a true rate of at most p0 contributes; the rest is due to a p0 that is too low.
If each patient is evaluable with a probability that does not depend on response, and counts as a non-responder
otherwise, X is thinned: a sum over binomial probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import binomial_pmf
from simtrial.design.exact import endings, operating_characteristics
from simtrial.memo import kept

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.history.rates import RateLaw
    from simtrial.numbers import Floats


def reject_if(design: Design, p: Floats | float, share: float = 1.0) -> Floats:
    """P(reject H0) if the true rate is p and a share of the patients is evaluable: shape of `p`."""
    return operating_characteristics(design, np.asarray(p, dtype=np.float64) * share).reject


def averaged(design: Design, law: RateLaw, share: float = 1.0, upto: float = 1.0) -> float:
    """Mean of P(reject H0; P) over the distribution of the true rate.

    Parameters
    ----------
    design : Design
        Any design with looks.
    law : RateLaw
        Distribution of the true rate P.
    share : float
        Probability that a patient is evaluable; the others count as non-responders.
    upto : float
        Only the part with P <= `upto` is counted: P(reject H0 and P <= upto).
    """
    ends = endings(design)
    total = 0.0
    for n in np.unique(ends.n[ends.reject]).tolist():
        here = ends.reject & (ends.n == n)
        chances = law.counts(n, upto)
        if share < 1:
            chances = _thinned(chances, share)
        total += float(ends.share[here] @ chances[ends.responses[here]])
    return min(total, 1.0)


def _thinned(chances: Floats, share: float) -> Floats:
    """Law of the responses that are seen, from that of all responses."""
    seen = np.zeros(chances.size)
    for x in np.flatnonzero(chances).tolist():
        seen[: x + 1] += chances[x] * binomial_pmf(x, share)
    return seen


@kept(256)
def largest_null(design: Design, alpha: float, share: float = 1.0) -> float:
    """The largest true rate at which P(reject H0) is at most alpha, by halving: right to 1e-15.

    P(reject H0; p) rises with p, since a further response never turns a rejection into none.
    """
    low, high = 0.0, 1.0
    if float(reject_if(design, 1.0, share)) <= alpha:
        return 1.0
    while high - low > 1e-15:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if float(reject_if(design, middle, share)) <= alpha:
            low = middle
        else:
            high = middle
    return low
