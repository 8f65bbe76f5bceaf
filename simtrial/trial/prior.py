"""The section of a parameter file that states the prior of a Bayesian design."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simtrial.errors import InputError
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.trial.section import Made, Probability, Within


class StatedPrior(Made):
    """A Beta prior of the response rate: by its two numbers a and b, or by its mean and its size."""

    a: Annotated[float, Within("beta")] | None = Field(
        None, description="First number of the prior Beta(a, b): responses that it weighs as much as; with b."
    )
    b: Annotated[float, Within("beta")] | None = Field(
        None, description="Second number of the prior Beta(a, b): patients without a response; with a."
    )
    mean: Probability | None = Field(
        None, description="The response rate that is expected before the trial; with size, in place of a and b."
    )
    size: Annotated[float, Within("beta")] | None = Field(
        None, description="The number of patients that the prior weighs as much as; with mean."
    )

    def make(self) -> BetaPrior:
        """The prior."""
        given = {name for name in ("a", "b", "mean", "size") if getattr(self, name) is not None}
        if self.a is not None and self.b is not None and given == {"a", "b"}:
            return BetaPrior(self.a, self.b)
        if self.mean is not None and self.size is not None and given == {"mean", "size"}:
            return BetaPrior.of(mean=self.mean, size=self.size)
        raise InputError("needs a and b, or mean and size, and nothing else")
