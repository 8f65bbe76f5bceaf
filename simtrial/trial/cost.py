"""The section on what a trial costs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simtrial.conduct.cost import Prices
from simtrial.trial.section import Line, Made, Within

Price = Annotated[float, Within("cost")]


class CostRule(Made):
    """What a trial costs, in any currency; each key is optional."""

    per_screened: Price | None = Field(None, description="Per patient screened.")
    per_enrolled: Price | None = Field(None, description="Per patient enrolled.")
    per_month: Price | None = Field(
        None, description="Per month from the first day of accrual to the end of the trial, its follow-up included."
    )
    source: Line | None = Field(None, description="Source of these numbers.")

    @property
    def law(self) -> Prices:
        """The prices."""
        return self.make()

    def make(self) -> Prices:
        """See `law`."""
        return Prices(per_screened=self.per_screened, per_enrolled=self.per_enrolled, per_month=self.per_month)
