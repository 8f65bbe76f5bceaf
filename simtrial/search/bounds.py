"""What makes a search complete, and what no search is asked: bounds on n from below and from above.

Below, no design of n patients has the power where even the randomised most powerful level-alpha test lacks it (Neyman
and Pearson [1]_); above, there is an n from which every n has a single-stage design (Hoeffding [2]_). Both hold for any
family of designs whose decision depends on the responses of at most n patients.

References
----------
.. [1] Neyman J, Pearson ES. On the problem of the most efficient tests of statistical hypotheses. Phil Trans R Soc
   A 1933;231:289-337.
.. [2] Hoeffding W. Probability inequalities for sums of bounded random variables. J Am Stat Assoc 1963;58:13-30.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import binomial, exact
from simtrial.design.requirements import N_LIMIT_MOST, Requirements, decimal
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.numbers import Floats, Ints, count
from simtrial.phrases import counted

if TYPE_CHECKING:
    from fractions import Fraction


SLACK = exact.CLOSE / 10
"""Kept on the safe side of every cut: table entries are off by less than a tenth of it (tested)."""

LEAST_RATE = TABLE["rate"].least
"""Least p0 that is searched for: below it PET(p0) is 1 to the last digit, and n has no end."""

LEAST_ERROR = TABLE["error"].least
"""Least alpha and least 1 - power that are searched for: below it the tables would leave everything to fractions."""


def most_powers(n: Ints, requirements: Requirements) -> Floats:
    """Power of the randomised most powerful level-alpha test on n >= 1 patients, of the shape of `n`.

    No design with maximum n beats it [1]_.
    """
    from scipy import special

    r = smallest_r(n, requirements.p0, requirements.alpha)
    (at0, beyond0), (at1, beyond1) = (
        (np.where(r > 0, special.bdtrc(np.maximum(r - 1, 0), n, p), 1.0), special.bdtrc(r, n, p))
        for p in (requirements.p0, requirements.p1)
    )
    share = np.minimum((requirements.alpha - beyond0) / np.maximum(at0 - beyond0, 1e-300), 1.0)
    power: Floats = beyond1 + share * (at1 - beyond1)
    return power


def most_power(n: int, requirements: Requirements) -> float:
    """`most_powers` of one number of patients."""
    return float(most_powers(np.array([n]), requirements)[0])


def can_have_power(n: int, requirements: Requirements) -> bool:
    """Whether the most powerful level-alpha test of n patients has the power: without it no design of n has."""

    def gap() -> Fraction:
        p0, p1, alpha = requirements.p0, requirements.p1, requirements.alpha
        r = int(smallest_r(np.array([n]), p0, alpha)[0])
        (at0, beyond0), (at1, beyond1) = (
            (binomial.tail_fraction(r - 1, n, p), binomial.tail_fraction(r, n, p)) for p in (p0, p1)
        )
        # smallest_r makes the share at most 1
        share = (decimal(alpha) - beyond0) / (at0 - beyond0)
        return beyond1 + share * (at1 - beyond1) - decimal(requirements.power)

    return int(exact.signs(most_power(n, requirements), requirements.power, gap)) >= 0


def refuse(requirements: Requirements, n_limit: int) -> None:
    """Refuse at once what no search here can answer."""
    count(n_limit, "n_limit", at_least=1)
    if n_limit > N_LIMIT_MOST:
        raise InputError(f"({n_limit}) is above {N_LIMIT_MOST}, the most for which memory suffices", "n_limit")
    if requirements.p0 < LEAST_RATE:
        raise InputError(f"({requirements.p0}) is below {LEAST_RATE}, the smallest value for a search", "p0")
    if requirements.alpha < LEAST_ERROR:
        raise InputError(f"({requirements.alpha}) is below {LEAST_ERROR}, the smallest value for a search", "alpha")
    if requirements.power > 1 - LEAST_ERROR:
        raise InputError(f"({requirements.power}) is above {1 - LEAST_ERROR}, the largest value for a search", "power")
    # the Chernoff bound is quicker and settles most requests
    if chernoff_n(requirements, grid=2) > n_limit and most_power(n_limit, requirements) < requirements.power - SLACK:
        rough = score_n(requirements)
        about = f" (about {rough:,.0f})" if rough > n_limit else ""
        raise InputError(
            f"({requirements.p1}) is too near p0 ({requirements.p0}): even the most powerful test needs more than "
            f"{counted(n_limit, 'patient')}{about}; widen the gap, relax alpha or power, or raise n_limit",
            "p1",
        )


def chernoff_n(requirements: Requirements, grid: int = 1000) -> int:
    """An n from which every n has a single-stage design.

    With r = floor(n c) and p0 < c < p1, P(X > r; p0) <= exp(-n KL(c, p0)) and P(X <= r; p1) <= exp(-n KL(c, p1)) [2]_,
    so n >= max(log(1/alpha)/KL(c, p0), log(1/beta)/KL(c, p1)) is enough; the least over a grid of c is taken.
    """
    p0, p1 = requirements.p0, requirements.p1
    c = p0 + (p1 - p0) * np.arange(1, grid) / grid
    kl0, kl1 = (c * np.log(c / p) + (1 - c) * (np.log1p(-c) - math.log1p(-p)) for p in (p0, p1))
    # between rates that nearly coincide rounding leaves nothing of KL
    needed = -np.log([[requirements.alpha], [requirements.beta]]) / np.maximum([kl0, kl1], 1e-300)
    # one more, so that rounding in the lines above cannot matter
    return math.ceil(float(np.min(np.max(needed, axis=0)))) + 1


def smallest_r(n: Ints, p0: float, alpha: float) -> Ints:
    """Smallest r with P(X > r; n, p0) <= alpha for each n: the single-stage test of level alpha. Shape of `n`.

    Fractions settle the r whose probability is too near to alpha for floating point.
    """
    from scipy import special

    # a first guess, which fails (nan) where p0 is tiny; the loops make it right whatever it was
    guess = np.nan_to_num(np.floor(special.bdtrik(1 - alpha, n, p0)), nan=0.0)
    r: Ints = np.clip(guess, 0, n - 1).astype(np.int64)
    while (down := (r > 0) & (special.bdtrc(np.maximum(r - 1, 0), n, p0) <= alpha)).any():
        r -= down
    while (up := (r < n) & (special.bdtrc(r, n, p0) > alpha)).any():
        r += up
    for i in np.flatnonzero(np.abs(special.bdtrc(np.maximum(r - 1, 0), n, p0) - alpha) < alpha * exact.CLOSE):
        if r[i] > 0 and binomial.tail_fraction(int(r[i]) - 1, int(n[i]), p0) <= decimal(alpha):
            r[i] -= 1
    for i in np.flatnonzero(np.abs(special.bdtrc(r, n, p0) - alpha) < alpha * exact.CLOSE):
        if r[i] < n[i] and binomial.tail_fraction(int(r[i]), int(n[i]), p0) > decimal(alpha):
            r[i] += 1
    return r


def score_n(requirements: Requirements) -> float:
    """Rough n by the normal approximation, to size the tables; no result depends on it."""
    p0, p1, z = requirements.p0, requirements.p1, NormalDist().inv_cdf
    width = -z(requirements.alpha) * math.sqrt(p0 * (1 - p0)) + z(requirements.power) * math.sqrt(p1 * (1 - p1))
    return max(1.0, (width / (p1 - p0)) ** 2)


def last_n(rest: Floats, target: float) -> int:
    """Largest n at which some n1 still allows an EN(p0) below the target, `rest` being 1 - PETmax(n1) by n1.

    EN(p0) >= n1 + (1 - PETmax(n1)) (n - n1), which grows with n.
    """
    n1 = np.arange(1, math.ceil(target))
    reach = n1 + (target - n1) / rest[n1]
    return math.floor(np.max(reach, initial=target) + 1e-6)  # a bound that rounding brings below n keeps n open


def least_en(rest: Floats, n: int) -> float:
    """Lower bound on EN(p0) of every design with n patients or more, by PETmax(n1): see `last_n`."""
    n1 = np.arange(1, min(n, len(rest)))
    return float(np.min(n1 + rest[n1] * (n - n1)))
