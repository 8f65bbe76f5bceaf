"""The Beta prior of a response rate, and what it says after some responses.

After x responses of n the law of the rate is Beta(a + x, b + n - x) [1]_, section 16 of which bounds are made.

References
----------
.. [1] Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. Clin Trials 2008;5:93-106.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import binomial
from simtrial.design.requirements import decimal
from simtrial.errors import InputError
from simtrial.inputs import TABLE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simtrial.numbers import Floats


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """What is believed of a response rate before the trial: the law Beta(`a`, `b`).

    Raises
    ------
    InputError
        Unless both are above 0.
    """

    a: float
    b: float

    def __post_init__(self) -> None:
        for name in ("a", "b"):
            if not 0 < getattr(self, name) < np.inf:
                raise InputError(f"({getattr(self, name):g}) must be above 0", name)

    @classmethod
    def of(cls, *, mean: float, size: float) -> BetaPrior:
        """The prior with this mean that weighs as much as `size` patients."""
        return cls(mean * size, (1 - mean) * size)

    @property
    def mean(self) -> float:
        """The response rate that is expected."""
        return self.a / self.size

    @property
    def size(self) -> float:
        """The number of patients that it weighs as much as."""
        return self.a + self.b

    def beyond(self, rate: float, n: ArrayLike, x: ArrayLike) -> Floats:
        """P(response rate > `rate` | `x` responses of `n`), of the shape of both together."""
        from scipy import special

        n, x = np.asarray(n, dtype=np.float64), np.asarray(x, dtype=np.float64)
        found: Floats = special.betaincc(self.a + x, self.b + n - x, rate)
        return found

    def within(self, rate: float, n: ArrayLike, x: ArrayLike) -> Floats:
        """P(response rate <= `rate` | `x` responses of `n`), with its own digits where it is small."""
        from scipy import special

        n, x = np.asarray(n, dtype=np.float64), np.asarray(x, dtype=np.float64)
        found: Floats = special.betainc(self.a + x, self.b + n - x, rate)
        return found


def parse_prior(text: str, field: str = "prior") -> BetaPrior:
    """Read a prior written ``a,b``: ``.2,.8`` is Beta(.2, .8).

    Raises
    ------
    InputError
        If the text is not two numbers that a prior may have.

    Examples
    --------
    >>> parse_prior(".2,.8")
    BetaPrior(a=0.2, b=0.8)
    """
    parts = text.split(",")
    if len(parts) != 2:
        raise InputError(f"({text[:40]!r}) is not a prior; write its two numbers a,b, such as 0.2,0.8", field)
    try:
        return BetaPrior(*(TABLE["beta"].read(part, field) for part in parts))
    except InputError as error:
        raise InputError(error.message, field) from None


def usual(p0: float) -> BetaPrior:
    """Beta(`p0`, 1 - `p0`), the prior of the published examples: its mean is p0, and it weighs as much as 1 patient."""
    return BetaPrior(p0, float(1 - decimal(p0)))


EQUAL = Decimal(10) ** -35
"""Numbers of `DIGITS` digits that differ by less are equal: the error of the sums is far below it."""

DIGITS = 50
"""Decimal digits of a posterior probability that floating point cannot tell from a threshold."""


def beyond_less(prior: BetaPrior, rate: float, n: int, x: int, theta: float) -> Fraction:
    """P(response rate > `rate` | `x` of `n`) - `theta`, with the sign that it really has.

    With whole numbers a and b the probability is a binomial tail, P(Bin(a + b + n - 1, rate) <= a + x - 1), and a
    fraction. Otherwise it is computed with `DIGITS` decimal digits (`beyond_digits`), and a difference below `EQUAL` is
    0. Rate, theta, a and b are the decimals that were written.
    """
    a, b = decimal(prior.a) + x, decimal(prior.b) + n - x
    if a.denominator == b.denominator == 1:
        return 1 - binomial.tail_fraction(int(a) - 1, int(a + b) - 1, rate) - decimal(theta)
    with localcontext(prec=DIGITS):
        gap = beyond_digits(prior, rate, n, x) - Decimal(repr(float(theta)))
    return Fraction(0) if abs(gap) < EQUAL else Fraction(gap)


def beyond_digits(prior: BetaPrior, rate: float, n: int, x: int) -> Decimal:
    """P(response rate > `rate` | `x` of `n`) with `DIGITS` decimal digits.

    The integral of t^(a-1) (1-t)^(b-1) from 0 to z is z^a (1-z)^b / a times the sum over k of (a+b)_k / (a+1)_k z^k,
    whose terms are positive. From 0 to 1 it is that from 0 to 1/2 and, with a and b exchanged, again from 0 to 1/2.

    >>> float(beyond_digits(BetaPrior(0.5, 0.5), 0.5, 2, 1))
    0.5
    """
    with localcontext(prec=DIGITS + 10):
        a, b = (Decimal(repr(float(one))) for one in (prior.a, prior.b))
        a, b = a + int(x), b + int(n) - int(x)
        half, rate_ = Decimal("0.5"), Decimal(repr(float(rate)))
        whole = _below(half, a, b) + _below(half, b, a)
        above = _below(1 - rate_, b, a) if rate_ > half else whole - _below(rate_, a, b)
        return above / whole


def _below(z: Decimal, a: Decimal, b: Decimal) -> Decimal:
    """The integral from 0 to z <= 1/2."""
    term = total = Decimal(1)
    k = 0
    # once the terms fall, each is at most some share below 1 of the one before
    while term > total * Decimal(10) ** -(DIGITS + 8) or (a + b + k) * z >= (a + 1 + k) * Decimal("0.9"):
        term *= (a + b + k) / (a + 1 + k) * z
        total += term
        k += 1
    return (a * z.ln() + b * (1 - z).ln()).exp() / a * total
