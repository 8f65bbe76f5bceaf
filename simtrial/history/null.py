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

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import binomial_pmf, weighted
from simtrial.design.endings import endings
from simtrial.design.exact import operating_characteristics
from simtrial.memo import kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.design.designs import Design
    from simtrial.history.rates import RateLaw
    from simtrial.numbers import Floats


@dataclass(frozen=True, eq=False)
class Rejections:
    """Of each number of patients with which a trial may reject H0, the probability of that given the responses.

    Attributes
    ----------
    given : mapping of int to ndarray, shape (n + 1,)
        By the number of patients n: P(the trial ends there and rejects H0) given x = 0..n responses of n patients.
    """

    given: Mapping[int, Floats]

    def at(self, p: float) -> float:
        """P(reject H0; p)."""
        return sum(float(weighted(n, np.array(p), weights)) for n, weights in self.given.items())

    def averaged(self, laws: Mapping[int, Floats]) -> float:
        """Mean of P(reject H0) where the responses of n patients follow these laws, by n."""
        return min(sum(float(weights @ laws[n]) for n, weights in self.given.items()), 1.0)


@kept(16)
def rejections(design: Design, share: float = 1.0) -> Rejections:
    """Where a design rejects H0, given all responses, of which the analysis sees each with probability `share`."""
    ends = endings(design)
    given: dict[int, Floats] = {}
    for n in np.unique(ends.n[ends.reject]).tolist():
        here = ends.reject & (ends.n == n)
        seen = np.zeros(n + 1)
        seen[ends.responses[here]] = ends.share[here]
        if share < 1:
            seen = np.array([float(binomial_pmf(x, share) @ seen[: x + 1]) for x in range(n + 1)])
        given[n] = seen
    return Rejections(given)


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
    found = rejections(design, share)
    return found.averaged({n: law.counts_upto(n, upto)[1 if upto < 1 else 0] for n in found.given})


@kept(256)
def largest_null(design: Design, alpha: float, share: float = 1.0) -> float:
    """The largest true rate at which P(reject H0) is at most alpha, by halving: right to 1e-15.

    P(reject H0; p) rises with p, since a further response never turns a rejection into none.
    """
    found = rejections(design)
    low, high = 0.0, 1.0
    if found.at(share) <= alpha:
        return 1.0
    while high - low > 1e-15:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if found.at(middle * share) <= alpha:
            low = middle
        else:
            high = middle
    return low
