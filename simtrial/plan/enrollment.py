"""How patients arrive: Poisson processes in months, and the law of the n-th arrival.

Every model is a Poisson process with a cumulative rate L(t), fixed or (for centres) random. Two questions are asked of
it: the level L(t) reached by a month and the month at which a level is reached. The n-th arrival is where the level
passes a sum of n unit exponentials, so one inversion simulates all models, with a hold or without: the rate follows
the calendar, whether patients are taken or not.

References
----------
.. [1] Anisimov VV, Fedorov VV. Modelling, prediction and adaptive adjustment of recruitment in multicentre trials.
   Stat Med 2007;26:4958-4975.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.numbers import positive

if TYPE_CHECKING:
    from simtrial.numbers import Floats


def rate_of(value: object, field: str) -> float:
    """Check one rate a month, of patients or of those of them who pass screening."""
    rates, passing = TABLE["enrollment_rate"], TABLE["screening_success"]
    return positive(value, field, least=rates.least * passing.least / 10, most=rates.most)


class Clock(Protocol):
    """A cumulative rate and its inverse. Arrays have any shape; with random rates, the last axis is trials."""

    def level(self, months: Floats) -> Floats:
        """L(t), patients expected by each month."""
        ...

    def months(self, level: Floats) -> Floats:
        """The month at which each level is reached."""
        ...


class Enrollment(Protocol):
    """What the engines ask of an enrollment model."""

    def scaled(self, factor: float) -> Enrollment:
        """The model with every rate multiplied: of those who pass screening with probability `factor`, for one."""
        ...

    def realise(self, trials: int, rng: np.random.Generator) -> Clock:
        """Draw what is random about the rates, once a trial."""
        ...

    @property
    def clock(self) -> Clock | None:
        """The cumulative rate where nothing about it is random, else None."""
        ...

    def fewer(self, n: int, months: Floats) -> Floats:
        """P(N(t) < n) = P(T_n > t) at each month t >= 0: fewer than n patients by then."""
        ...

    @property
    def breaks(self) -> tuple[float, ...]:
        """Months at which the rate changes its form, for integration."""
        ...

    def mean_months(self, n: int) -> float | None:
        """E[T_n] where it has a closed form, else None."""
        ...


class _Fixed:
    """What models with a fixed cumulative rate share: N(t) ~ Poisson(L(t)), so P(T_n > t) = P(Poisson(L(t)) < n)."""

    def level(self, months: Floats) -> Floats:
        raise NotImplementedError

    def months(self, level: Floats) -> Floats:
        raise NotImplementedError

    @property
    def clock(self) -> Clock:
        """The model itself: nothing about it is random."""
        return self

    def realise(self, trials: int, rng: np.random.Generator) -> Clock:  # noqa: ARG002 - nothing is random here
        return self

    def fewer(self, n: int, months: Floats) -> Floats:
        from scipy import special  # here, because it takes longer to import than numpy

        gone: Floats = special.gammaincc(n, self.level(months))
        return gone


@dataclass(frozen=True, slots=True)
class Constant(_Fixed):
    """Poisson process with one rate: L(t) = rate t, T_n ~ Gamma(n, rate), E[T_n] = n / rate.

    Parameters
    ----------
    rate : float
        Patients a month.
    """

    rate: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", rate_of(self.rate, "rate"))

    def scaled(self, factor: float) -> Constant:
        """See `Enrollment`."""
        return Constant(self.rate * factor)

    def level(self, months: Floats) -> Floats:
        """See `Clock`."""
        return months * self.rate

    def months(self, level: Floats) -> Floats:
        """See `Clock`."""
        return level * (1.0 / self.rate)

    @property
    def breaks(self) -> tuple[float, ...]:
        """See `Enrollment`."""
        return ()

    def mean_months(self, n: int) -> float | None:
        """N / rate."""
        return n / self.rate


@dataclass(frozen=True, slots=True)
class Piecewise(_Fixed):
    """Poisson process whose rate is constant between given months; the last rate holds for ever.

    Parameters
    ----------
    starts : sequence of float
        Months at which the rates begin; the first is 0, and they increase.
    rates : sequence of float
        Patients a month from each start on.
    """

    starts: tuple[float, ...]
    rates: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", tuple(TABLE["months_or_0"].check(s, "from_month") for s in self.starts))
        if not self.starts or len(self.starts) != len(self.rates):
            raise InputError("does not hold one rate for each starting month", "periods")
        if self.starts[0] != 0:
            raise InputError(f"({self.starts[0]:g}) is not 0 in the first period", "from_month")
        for earlier, later in pairwise(self.starts):
            if later <= earlier:
                raise InputError(f"({later:g}) is not above that of the period before ({earlier:g})", "from_month")
        if self.rates[-1] == 0:
            raise InputError("(0) in the last period never reaches n; give a rate above 0", "rate")
        object.__setattr__(self, "rates", tuple(rate_of(r, "rate") for r in self.rates))

    def scaled(self, factor: float) -> Piecewise:
        """See `Enrollment`."""
        return replace(self, rates=tuple(r * factor for r in self.rates))

    def _knots(self) -> tuple[Floats, Floats, Floats]:
        starts, rates = np.array(self.starts), np.array(self.rates)
        return starts, rates, np.concatenate([[0.0], np.cumsum(np.diff(starts) * rates[:-1])])

    def level(self, months: Floats) -> Floats:
        """See `Clock`."""
        starts, rates, levels = self._knots()
        at = np.searchsorted(starts, months, side="right") - 1
        reached: Floats = levels[at] + (months - starts[at]) * rates[at]
        return reached

    def months(self, level: Floats) -> Floats:
        """See `Clock`."""
        starts, rates, levels = self._knots()
        at = np.searchsorted(levels, level, side="right") - 1
        month: Floats = starts[at] + (level - levels[at]) / rates[at]
        return month

    @property
    def breaks(self) -> tuple[float, ...]:
        """See `Enrollment`."""
        return self.starts[1:]

    def mean_months(self, n: int) -> float | None:
        """No closed form beyond a single rate."""
        return n / self.rates[0] if len(self.rates) == 1 else None


@dataclass(frozen=True, slots=True)
class Ramp(_Fixed):
    """Poisson process whose rate grows linearly to a plateau.

    L(t) = rate t^2 / (2 ramp) up to the end of the ramp, then rate (t - ramp / 2).

    Parameters
    ----------
    rate : float
        Patients a month on the plateau.
    ramp_months : float
        Length of the ramp.
    """

    rate: float
    ramp_months: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", rate_of(self.rate, "rate"))
        object.__setattr__(self, "ramp_months", TABLE["months"].check(self.ramp_months, "ramp_months"))

    def scaled(self, factor: float) -> Ramp:
        """See `Enrollment`."""
        return replace(self, rate=self.rate * factor)

    def level(self, months: Floats) -> Floats:
        """See `Clock`."""
        tau = self.ramp_months
        rising = self.rate * months * months / (2 * tau)
        return np.where(months < tau, rising, self.rate * (months - tau / 2))

    def months(self, level: Floats) -> Floats:
        """See `Clock`."""
        tau = self.ramp_months
        rising = np.sqrt(2 * tau / self.rate * level)
        return np.where(level < self.rate * tau / 2, rising, level / self.rate + tau / 2)

    @property
    def breaks(self) -> tuple[float, ...]:
        """See `Enrollment`."""
        return (self.ramp_months,)

    def mean_months(self, n: int) -> float | None:  # noqa: ARG002 - the answer is the same for every n
        """No closed form; about n / rate + ramp / 2."""
        return None
