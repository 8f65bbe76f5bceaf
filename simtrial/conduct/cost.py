"""What a trial costs: a price per patient screened, per patient enrolled, and per month until its end.

The expected cost is linear in three expected values, so that it is exact where these are. Where some are simulated the
standard error stated is the sum of theirs, each times its price: that of their sum is at most as large, however they
are correlated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.inputs import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.conduct.simulation import Result

OUTCOME = {"per_screened": "n_screened", "per_enrolled": "n_enrolled", "per_month": "end_month"}
"""The outcome that each price is paid for; months are counted to the end of the trial, its follow-up included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What is paid, in any currency; None for what is not said.

    Parameters
    ----------
    per_screened, per_enrolled : float, optional
        Per patient.
    per_month : float, optional
        Per month from the first day of accrual to the end of the trial.
    """

    per_screened: float | None = None
    per_enrolled: float | None = None
    per_month: float | None = None

    def __post_init__(self) -> None:
        given = dict(self.paid())
        if not given:
            raise InputError("must hold any of per_screened, per_enrolled and per_month")
        for name, value in given.items():
            object.__setattr__(self, name, TABLE["cost"].check(value, name))

    def paid(self) -> Iterator[tuple[str, float]]:
        """The prices given, by their names."""
        for name in OUTCOME:
            value = getattr(self, name)
            if value is not None:
                yield name, value

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that are paid for."""
        return tuple(OUTCOME[name] for name, _ in self.paid())


def expected(prices: Prices, result: Result) -> tuple[float, float]:
    """Expected cost of a trial at one true rate, and a bound on its Monte Carlo standard error: 0 where it is exact.

    NaN where an outcome that is paid for is not known, as months that some trials never reach.
    """
    parts = [(price, result[OUTCOME[name]]) for name, price in prices.paid()]
    value = sum(price * estimate.best for price, estimate in parts)
    error = sum(price * estimate.best_mcse for price, estimate in parts)
    return float(value), float(error)
