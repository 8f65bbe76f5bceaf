"""Several centres with rates of their own, which open one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.plan.enrollment import Clock, rate_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Floats


@dataclass(frozen=True, slots=True)
class Centres:
    """Poisson-gamma: each centre recruits at a rate of its own, drawn from a gamma law, from the month it opens.

    The model of [1]_.

    A centre's rate is Gamma(shape, mean shape_rate = shape / mean_rate). With K centres that all open at month 0,
    N(t) ~ NegBin(shape K, b / (b + t)) with b = shape / mean_rate, and E[T_n] = b n / (shape K - 1), which is infinite
    unless shape K > 1. Centres that open later add their own negative binomial counts.

    Parameters
    ----------
    opens : sequence of float
        Month at which each centre opens.
    mean_rate : float
        Mean patients a month of one centre.
    shape : float
        Shape of the gamma law; its coefficient of variation is 1 / sqrt(shape).
    """

    opens: tuple[float, ...]
    mean_rate: float
    shape: float

    def __post_init__(self) -> None:
        opens = TABLE["months_or_0"]
        object.__setattr__(self, "opens", tuple(sorted(opens.check(o, "opens_months") for o in self.opens)))
        if not self.opens:
            raise InputError("is empty; give the opening month of at least one centre", "opens_months")
        object.__setattr__(self, "mean_rate", rate_of(self.mean_rate, "mean_rate"))
        object.__setattr__(self, "shape", TABLE["gamma_shape"].check(self.shape, "shape"))
        if self.shape * len(self.opens) <= 1:
            raise InputError(
                f"({self.shape:g}) times the number of centres ({len(self.opens)}) is not above 1, so the expected "
                "time to reach n is infinite",
                "shape",
            )

    def scaled(self, factor: float) -> Centres:
        """See `Enrollment`."""
        return replace(self, mean_rate=self.mean_rate * factor)

    @property
    def clock(self) -> None:
        """Rates are drawn anew in every trial."""
        return

    @property
    def variance_is_finite(self) -> bool:
        """Whether the time to reach n has a variance, without which a standard error means nothing."""
        return self.shape * len(self.opens) > 2

    def realise(self, trials: int, rng: np.random.Generator) -> Clock:
        """Draw a rate for every centre of every trial."""
        rates = rng.standard_gamma(self.shape, (len(self.opens), trials)) * (self.mean_rate / self.shape)
        # a tiny shape underflows to a rate of 0, at which no month would ever come
        return _Opened(np.array(self.opens), np.maximum(rates, 1e-12))

    def fewer(self, n: int, months: Floats) -> Floats:
        """See `Enrollment`; the counts of centres that open together add to one negative binomial."""
        from scipy import stats

        months = np.asarray(months, dtype=np.float64)
        b = self.shape / self.mean_rate
        counts = np.arange(n)
        total = np.zeros((*months.shape, n))
        total[..., 0] = 1.0
        for opened in sorted(set(self.opens)):  # over opening months
            since = np.maximum(months - opened, 0.0)[..., np.newaxis]
            pmf = stats.nbinom.pmf(counts, self.shape * self.opens.count(opened), b / (b + since))
            before, total = total, np.zeros_like(total)
            for k in counts:  # a convolution at all months at once
                total[..., k:] += before[..., : n - k] * pmf[..., k : k + 1]
        gone: Floats = np.minimum(total.sum(axis=-1), 1.0)
        return gone

    @property
    def breaks(self) -> tuple[float, ...]:
        """See `Enrollment`."""
        return tuple(sorted({o for o in self.opens if o > 0}))

    def mean_months(self, n: int) -> float | None:
        """B n / (shape K - 1) after the month at which all centres open together, else None."""
        if len(set(self.opens)) > 1:
            return None
        return self.opens[0] + self.shape / self.mean_rate * n / (self.shape * len(self.opens) - 1)


@dataclass(frozen=True, slots=True)
class _Opened:
    """Centres whose rates have been drawn: L(t) is the sum of rate (t - opening) over the open ones, by trial."""

    opens: Floats
    rates: Floats

    def level(self, months: Floats) -> Floats:
        months = np.asarray(months, dtype=np.float64)
        total = np.zeros(np.broadcast_shapes(months.shape, self.rates.shape[1:]))
        for opened, rate in zip(self.opens, self.rates, strict=True):  # over centres
            total += rate * np.maximum(months - opened, 0.0)
        return total

    def months(self, level: Floats) -> Floats:
        # between openings L is linear: its inverse at every level is the latest line's that has begun by then
        together: Sequence[Floats] = np.cumsum(self.rates, axis=0)  # type: ignore[assignment]  # rows of an array
        lasts = np.diff(self.opens, append=np.inf)
        knot = np.zeros(self.rates.shape[1])
        month = np.full(np.shape(level), self.opens[0])
        for opened, last, slope in zip(self.opens, lasts, together, strict=True):
            month = np.where(level >= knot, opened + (level - knot) / slope, month)
            knot = knot + slope * last
        return month
