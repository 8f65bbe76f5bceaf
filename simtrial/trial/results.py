"""The section on the results of the finished trial."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simtrial.errors import InputError
from simtrial.plan.plan import Handling
from simtrial.trial.section import Line, PatientCount, ResponseCount, Section, Within


class Results(Section):
    """The results of the finished trial: counts, or a file of patients."""

    responses: ResponseCount | None = Field(None, description="Number of responses at the end.")
    stage: Annotated[int, Within("stage")] | None = Field(None, description="Look at which the trial ended.")
    first_stage: ResponseCount | None = Field(
        None, description="Responses at the first look; needed where the numbers analysed differ from the plan."
    )
    attained: Annotated[tuple[PatientCount, ...], Field(strict=False, min_length=1, max_length=50)] | None = Field(
        None, description="Patients analysed at each look taken, cumulative, where they differ from the plan: [15, 27]."
    )
    patients: Line | Annotated[tuple[Line, ...], Field(strict=False, min_length=1, max_length=10)] | None = Field(
        None,
        description="File of patients (CSV, ADaM data set, SAS transport file), in the folder of this file or at a "
        "path from there; several, as a list, are joined by patient.",
    )
    param: Line | None = Field(
        None, description="PARAMCD (RSTESTCD) of the response, where an analysis data set has several: BOR, CBOR, RSP."
    )
    time_unit: Literal["days", "weeks", "months", "years"] | None = Field(
        None, description="Unit of the times in the file of patients, where the file does not state it."
    )
    handling: Handling | None = Field(
        None, description="How patients count who are not evaluable; as under conduct.dropout if left out."
    )
    level: Annotated[float, Within("level")] = Field(0.95, description="Confidence level.")
    sides: Literal[1, 2] = Field(2, description="2: two-sided intervals; 1: a lower limit alone.")
    ordering: Literal["stage", "mle", "umvue"] = Field(
        "stage", description="How the possible endings of the trial are ordered."
    )
    source: Line | None = Field(None, description="Source of the counts.")

    @model_validator(mode="after")
    def _rules(self) -> Results:
        if (self.responses is None) == (self.patients is None):
            raise InputError("needs exactly one of responses and patients")
        if self.patients is not None:
            given = next((k for k in ("stage", "first_stage") if getattr(self, k) is not None), None)
            if given is not None:
                raise InputError("is counted from the file of patients; leave it out", given)
        else:
            given = next((k for k in ("param", "time_unit") if getattr(self, k) is not None), None)
            if given is not None:
                raise InputError("goes with patients; leave it out where responses are given", given)
        return self

    @property
    def patient_files(self) -> tuple[str, ...]:
        """The files of patients."""
        if self.patients is None:
            return ()
        return (self.patients,) if isinstance(self.patients, str) else self.patients
