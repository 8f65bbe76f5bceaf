"""The section on the rule by which the trial stops for toxicity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simtrial.design.designs import MAX_LOOKS
from simtrial.errors import InputError
from simtrial.months import WEEK
from simtrial.phrases import counted
from simtrial.toxicity.boundary import parse_boundary
from simtrial.toxicity.calibrate import CalibratedBoundary, calibrated
from simtrial.toxicity.kinds import BoundaryShape
from simtrial.toxicity.rule import ToxicityRule
from simtrial.trial.section import ErrorLimit, Line, Made, PatientCount, Probability, Weeks, Within, under


class ToxicityStopping(Made):
    """When the trial stops for toxicity: a type of boundary with its crossing probability, or the counts outright."""

    rule: Literal["pocock", "obf", "wang_tsiatis", "bayes", "sprt"] | None = Field(
        None,
        description="The type of boundary: pocock, obf (O'Brien-Fleming) or wang_tsiatis by levels of binomial tests, "
        "bayes by a posterior probability, sprt by a likelihood ratio.",
    )
    boundary: Line | None = Field(
        None,
        description="Take these counts instead: B/N, cumulative, as in 3/10,5/20: stop if at least 3 of 10, or 5 of "
        "20, patients have had a toxicity.",
    )
    acceptable_rate: Probability = Field(description="The rate of toxicity at which the trial should rarely stop.")
    unacceptable_rate: Probability = Field(description="The rate at which it should stop; above the acceptable one.")
    crossing_probability: ErrorLimit | None = Field(
        None, description="With rule: largest probability of crossing the boundary at the acceptable rate."
    )
    window_weeks: Weeks = Field(
        description="Weeks after enrollment in which a toxicity counts; a patient without one is pending until then."
    )
    looks_at: (
        Annotated[
            tuple[Annotated[int, Within("looks_at")], ...], Field(strict=False, min_length=1, max_length=MAX_LOOKS)
        ]
        | None
    ) = Field(
        None, description="With rule: the numbers of patients at which toxicity is looked at. Default: every patient."
    )
    first_look: PatientCount = Field(1, description="With rule, at every patient: the fewest patients of a look.")
    delta: Annotated[float, Within("delta")] | None = Field(
        None, description="wang_tsiatis: the exponent, from 0 (Pocock) to 0.5 (O'Brien-Fleming)."
    )
    prior: (
        Annotated[tuple[Annotated[float, Within("beta")], Annotated[float, Within("beta")]], Field(strict=False)] | None
    ) = Field(
        None,
        description="bayes: a and b of the Beta prior. Default: mean at the acceptable rate, with the weight of one "
        "patient.",
    )
    source: Line | None = Field(None, description="Source of the rule.")

    def make(self) -> object:
        """What can be checked without the response design: the type, or the counts."""
        if (self.rule is None) == (self.boundary is None):
            raise InputError("needs exactly one of rule and boundary", "rule")
        if not self.acceptable_rate < self.unacceptable_rate:
            said = f"({self.acceptable_rate:g}) is not below unacceptable_rate ({self.unacceptable_rate:g})"
            raise InputError(said, "acceptable_rate")
        if self.boundary is not None:
            for name in ("crossing_probability", "looks_at", "delta", "prior"):
                if getattr(self, name) is not None:
                    raise InputError("does not go with boundary, which gives the counts; leave it out", name)
            return parse_boundary(self.boundary)
        if self.crossing_probability is None:
            raise InputError("is missing; a rule needs it", "crossing_probability")
        if self.looks_at is not None and list(self.looks_at) != sorted(set(self.looks_at)):
            raise InputError("does not increase", "looks_at")
        return self._shape()

    def of(self, n: int) -> ToxicityRule:
        """The rule beside a response design of n patients.

        Raises
        ------
        InputError
            If no look is within them, or the boundary cannot keep its crossing probability there.
        """
        found = None if self.boundary is not None else self._calibrated(n)
        boundary = parse_boundary(self.boundary or "").within(n) if found is None else found.boundary
        if boundary is None:
            raise InputError(f"has no look at {counted(n, 'patient')} or fewer, which the design has", "boundary")
        return ToxicityRule(
            boundary=boundary,
            window=self.window_weeks * WEEK,
            acceptable=self.acceptable_rate,
            unacceptable=self.unacceptable_rate,
            limit=self.crossing_probability,
            calibration=found,
        )

    def _calibrated(self, n: int) -> CalibratedBoundary:
        assert self.crossing_probability is not None  # `make` holds it
        looks = [k for k in self.looks_at or range(self.first_look, n + 1) if k <= n]
        if not looks:
            name = "looks_at" if self.looks_at else "first_look"
            raise InputError(f"has no look at {counted(n, 'patient')} or fewer, which the design has", name)
        with under("", {"crossing": "crossing_probability"}):
            return calibrated(self._shape(), looks, self.crossing_probability)

    def _shape(self) -> BoundaryShape:
        assert self.rule is not None
        return BoundaryShape(
            self.rule,
            self.acceptable_rate,
            delta=self.delta,
            prior=self.prior,
            unacceptable=self.unacceptable_rate if self.rule == "sprt" else None,
        )
