"""The sections on what is simulated: true response rates, trials and seed."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from simtrial.errors import InputError
from simtrial.numbers import probability
from simtrial.plan.disease import Beta
from simtrial.plan.plan import Scenario
from simtrial.trial.section import Line, Made, Section, TrueShare, Within, one_line, trimmed


class TrueRate(Made):
    """A true response rate to simulate, in addition to p0 and p1."""

    label: Annotated[
        str,
        Field(min_length=1, max_length=60, description="Its name in tables and figures."),
        AfterValidator(one_line),
        AfterValidator(trimmed),
    ]
    p: TrueShare | None = Field(None, description="The true response rate.")
    beta: (
        Annotated[tuple[Annotated[float, Within("beta")], ...], Field(strict=False, min_length=2, max_length=2)] | None
    ) = Field(None, description="Or a Beta distribution of the rate, [a, b]: P(reject H0) is then the assurance.")
    source: Line | None = Field(None, description="Source of these numbers.")

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.make()

    def make(self) -> Scenario:
        """See `scenario`."""
        if (self.p is None) == (self.beta is None):
            raise InputError("needs exactly one of p and beta")
        if self.beta is not None:
            return Scenario(self.label, Beta(*self.beta))
        return Scenario(self.label, probability(self.p or 0.0, "p", closed=True))

    @model_validator(mode="after")
    def _rules(self) -> TrueRate:
        if self.label in ("p0", "p1"):
            raise InputError(f"({self.label}) is simulated anyway; choose another", "label")
        return self


class SimulationSize(Section):
    """Number of simulated trials and seed; every key is optional."""

    trials: Annotated[int, Within("trials")] = Field(20_000, description="Number of trials per scenario.")
    seed: Annotated[int, Within("seed")] = Field(1, description="Seed of the random numbers.")
