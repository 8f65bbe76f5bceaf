"""The Beta prior of a response rate, and what it says after some responses.

After x responses of n the law of the rate is Beta(a + x, b + n - x) [1]_, section 16 of which bounds are made.

References
----------
.. [1] Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. Clin Trials 2008;5:93-106.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
        """The prior with this mean that weighs as much as `size` patients, in decimals."""
        a = decimal(mean) * decimal(size)
        return cls(float(a), float(decimal(size) - a))

    @property
    def pair(self) -> tuple[float, float]:
        """Both numbers."""
        return self.a, self.b

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

    def after(self, n: int, x: int) -> BetaPrior:
        """What is believed after `x` responses of `n`: the posterior."""
        return BetaPrior(self.a + x, self.b + n - x)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The interval with this probability that leaves as much below it as above it: a credible interval."""
        from scipy import special

        low, high = special.betaincinv(self.a, self.b, [(1 - level) / 2, (1 + level) / 2]).tolist()
        return low, high

    def density(self, rates: ArrayLike) -> Floats:
        """The density at some rates between 0 and 1."""
        from scipy import special

        rates = np.asarray(rates, dtype=np.float64)
        logs = special.xlogy(self.a - 1, rates) + special.xlog1py(self.b - 1, -rates) - special.betaln(self.a, self.b)
        found: Floats = np.exp(logs)
        return found

    def count_at(self, rate: float, chance: float, n: ArrayLike) -> Floats:
        """The number of responses, not rounded, with which P(response rate > `rate`) of `n` patients is `chance`.

        NaN where it would be below 0 or above n.
        """
        n = np.asarray(n, dtype=np.float64)
        low, high = np.zeros_like(n), n.copy()
        possible = (self.beyond(rate, n, low) <= chance) & (self.beyond(rate, n, high) >= chance)
        for _ in range(40):  # which leaves less than a billionth of a patient
            middle = (low + high) / 2
            more = self.beyond(rate, n, middle) < chance
            low, high = np.where(more, middle, low), np.where(more, high, middle)
        found: Floats = np.where(possible, (low + high) / 2, np.nan)
        return found

    def within(self, rate: float, n: ArrayLike, x: ArrayLike) -> Floats:
        """P(response rate <= `rate` | `x` responses of `n`), with its own digits where it is small."""
        from scipy import special

        n, x = np.asarray(n, dtype=np.float64), np.asarray(x, dtype=np.float64)
        found: Floats = special.betainc(self.a + x, self.b + n - x, rate)
        return found


def parse_prior(text: str, field: str = "prior") -> BetaPrior:
    """Read a prior written ``a,b``, or by its mean and its size.

    Raises
    ------
    InputError
        If the text is not two numbers that a prior may have.

    Examples
    --------
    >>> parse_prior(".2,.8")
    BetaPrior(a=0.2, b=0.8)
    >>> parse_prior("mean=.3,size=50")
    BetaPrior(a=15.0, b=35.0)
    """
    parts = [part.strip() for part in text.split(",")]
    named = dict(part.split("=", 1) for part in parts if part.count("=") == 1)
    by_size = set(named) == {"mean", "size"}
    if len(parts) != 2 or not (by_size or "=" not in text):
        raise InputError(
            f"({text[:40]!r}) is not a prior; write its two numbers a,b, such as 0.2,0.8, or its mean and the number "
            "of patients that it weighs as much as, mean=0.2,size=1",
            field,
        )
    try:
        if by_size:
            mean, size = TABLE["rate"].read(named["mean"], field), TABLE["beta"].read(named["size"], field)
            return BetaPrior.of(mean=mean, size=size)
        return BetaPrior(*(TABLE["beta"].read(part, field) for part in parts))
    except InputError as error:
        raise InputError(error.message, field) from None


def usual_prior(p0: float) -> BetaPrior:
    """Beta(`p0`, 1 - `p0`), the prior of the published examples: its mean is p0, and it weighs as much as 1 patient."""
    return BetaPrior.of(mean=p0, size=1)
