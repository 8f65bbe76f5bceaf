"""P(p > rate | x of n) with many digits, for comparisons that floating point cannot decide.

With a' = a + x and b' = b + n - x the lower tail of the posterior is, up to the beta function,

    S(z; a', b') = z^a' (1 - z)^b' / a' [1 + z c / (a' + 1) + z^2 c (c + 1) / ((a' + 1)(a' + 2)) + ...],   c = a' + b',

all of whose terms are positive, and the beta function itself is S(1/2; a', b') + S(1/2; b', a'). No gamma function is
needed, so priors with any two decimals will do. Numbers that agree to `AGREE` digits are taken to be equal: equal they
are where the posterior and the threshold are simple fractions, such as 3/4 after a response of 1 patient with prior
Beta(1, 1) and rate 1/2.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING

from simtrial.design import binomial
from simtrial.design.requirements import decimal
from simtrial.memo import kept

if TYPE_CHECKING:
    from simtrial.search.bayesian.posterior import BetaPrior

DIGITS = 120
"""Decimal digits of every step."""

AGREE = 50
"""Numbers that agree to as many digits are equal."""

EQUAL = Decimal(10) ** -AGREE
"""Probabilities that differ by less are equal."""

HALF = Decimal("0.5")


def _lower(z: Decimal, a: Decimal, b: Decimal) -> Decimal:
    """The integral of t^(a - 1) (1 - t)^(b - 1) from 0 to z."""
    term = total = Decimal(1)
    m = 0
    while term > total.scaleb(-DIGITS) or z * (a + b + m) > a + 1 + m:
        term *= z * (a + b + m) / (a + 1 + m)
        total += term
        m += 1
    return z**a * (1 - z) ** b / a * total


@kept(4096)
def tails(prior: BetaPrior, rate: float, n: int, x: int) -> tuple[Decimal, Decimal]:
    """P(p <= rate | x of n) and P(p > rate | x of n), of the decimals that were written."""
    with localcontext(prec=DIGITS + 10):
        a, b, z = Decimal(repr(prior.a)) + x, Decimal(repr(prior.b)) + (n - x), Decimal(repr(rate))
        whole = _lower(HALF, a, b) + _lower(HALF, b, a)
        if z <= HALF:
            below = _lower(z, a, b) / whole
            return below, 1 - below
        above = _lower(1 - z, b, a) / whole
        return 1 - above, above


def sign(found: Decimal, threshold: Decimal) -> int:
    """-1 where the first is smaller, 0 where they agree to `AGREE` digits, 1 where it is larger."""
    with localcontext(prec=DIGITS):
        gap = found - threshold
        if abs(gap) <= abs(threshold).scaleb(-AGREE):
            return 0
        return 1 if gap > 0 else -1


def beyond_less(prior: BetaPrior, rate: float, n: int, x: int, theta: float) -> Fraction:
    """P(p > `rate` | `x` of `n`) - `theta`, with the sign that it really has.

    With whole numbers a and b the probability is a binomial tail, P(Bin(a + b + n - 1, rate) <= a + x - 1), and a
    fraction. Otherwise it has many digits, and a difference below `EQUAL` is 0.
    """
    a, b = decimal(prior.a) + x, decimal(prior.b) + n - x
    if a.denominator == b.denominator == 1:
        return 1 - binomial.tail_fraction(int(a) - 1, int(a + b) - 1, rate) - decimal(theta)
    with localcontext(prec=DIGITS):
        gap = tails(prior, rate, n, x)[1] - Decimal(repr(float(theta)))
    return Fraction(0) if abs(gap) < EQUAL else Fraction(gap)
