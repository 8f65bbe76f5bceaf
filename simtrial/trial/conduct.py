"""The sections on how the trial is run, each of which gives the law that it describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.months import WEEK
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import FollowUp, Handling
from simtrial.plan.survival import Survival
from simtrial.trial.cost import CostRule
from simtrial.trial.interim import InterimRule
from simtrial.trial.section import (
    Line,
    Made,
    Months,
    MonthsOr0,
    Probability,
    Section,
    Share,
    TrueShare,
    Weeks,
    WeeksOr0,
    Within,
    under,
)
from simtrial.trial.simulated import SimulationSize, TrueRate

if TYPE_CHECKING:
    from simtrial.plan.enrollment import Enrollment


class Period(Section):
    """A period with a constant rate."""

    from_month: MonthsOr0 = Field(description="Month at which the rate begins; 0 in the first period.")
    rate: Annotated[float, Within("pause")] = Field(description="Patients screened per month from then on.")


class EnrollmentLaw(Made):
    """How patients arrive. Times are months from the first day of accrual."""

    model: Literal["constant", "piecewise", "ramp", "centres"] = Field(
        description="Poisson process with a constant rate, rates that change at given months, a rate that grows "
        "linearly to a plateau, or centres whose own rates are drawn from a gamma distribution."
    )
    rate: Annotated[float, Within("enrollment_rate")] | None = Field(
        None,
        description="constant, ramp: patients screened per month (on the plateau), of whom those who pass are "
        "enrolled.",
    )
    ramp_months: Months | None = Field(None, description="ramp: months until the plateau is reached.")
    periods: Annotated[tuple[Period, ...], Field(strict=False, min_length=1, max_length=100)] | None = Field(
        None, description="piecewise: the rates, in order; the last one continues without end."
    )
    opens_months: Annotated[tuple[MonthsOr0, ...], Field(strict=False, min_length=1, max_length=500)] | None = Field(
        None, description="centres: the month at which each centre opens."
    )
    mean_rate: Annotated[float, Within("enrollment_rate")] | None = Field(
        None, description="centres: mean number of patients screened per month and centre."
    )
    shape: Annotated[float, Within("gamma_shape")] | None = Field(
        None,
        description="centres: shape of the gamma distribution of their rates; with a smaller shape they differ more.",
    )
    screening_success: Annotated[float, Within("screening_success")] = Field(
        1.0, description="Probability that a screened patient is enrolled."
    )
    close_month: Months | None = Field(
        None,
        description="Accrual closes at this month; the trial is then analysed with the patients enrolled, against r of "
        "the last look.",
    )
    source: Line | None = Field(None, description="Source of these numbers.")

    @property
    def law(self) -> Enrollment:
        """The enrollment model."""
        return self.make()

    def make(self) -> Enrollment:
        """See `law`."""
        wanted = {
            "constant": ("rate",),
            "ramp": ("rate", "ramp_months"),
            "piecewise": ("periods",),
            "centres": ("opens_months", "mean_rate", "shape"),
        }
        for name in ("rate", "ramp_months", "periods", "opens_months", "mean_rate", "shape"):
            given, needed = getattr(self, name) is not None, name in wanted[self.model]
            if needed and not given:
                raise InputError(f"is missing; it is needed with model: {self.model}", name)
            if given and not needed:
                raise InputError(f"is not used with model: {self.model}; leave it out", name)
        if self.model == "piecewise":
            periods = self.periods or ()
            for k, period in enumerate(periods[:-1]):
                TABLE["enrollment_rate"].check(period.rate, f"periods.{k}.rate")
            with under("periods"):
                return Piecewise(tuple(p.from_month for p in periods), tuple(p.rate for p in periods))
        if self.model == "centres":
            return Centres(self.opens_months or (), self.mean_rate or 0.0, self.shape or 0.0)
        return (
            Constant(self.rate or 0.0) if self.model == "constant" else Ramp(self.rate or 0.0, self.ramp_months or 0.0)
        )


class AssessmentPlan(Made):
    """When a patient's response status becomes known: by scheduled assessments, or after one fixed delay."""

    readout_months: MonthsOr0 | None = Field(
        None,
        description="Every response status is known exactly this many months after enrollment; it replaces the "
        "other keys.",
    )
    interval_weeks: Weeks | None = Field(None, description="Weeks between tumour assessments.")
    window_weeks: Weeks | None = Field(
        None,
        description="End of the assessment window, in weeks: a patient without response or progression by then has SD.",
    )
    confirmation_weeks: WeeksOr0 = Field(
        0.0,
        description="Weeks from the scan that first shows a response to the scan that confirms it; 0: no confirmation.",
    )
    median_weeks_to_response: Weeks | None = Field(
        None,
        description="Median weeks until a response begins; if left out, all responses are seen at the first "
        "assessment.",
    )
    source: Line | None = Field(None, description="Source of these numbers.")

    @property
    def law(self) -> Assessments:
        """The assessments, in months."""
        return self.make()

    def make(self) -> Assessments:
        """See `law`."""
        weekly = {"interval_weeks": self.interval_weeks, "window_weeks": self.window_weeks}
        if self.readout_months is not None:
            for name, value in weekly.items():
                if value is not None:
                    raise InputError("is not used with readout_months; leave one of the two out", name)
            if self.confirmation_weeks or self.median_weeks_to_response is not None:
                raise InputError(
                    "excludes confirmation_weeks and median_weeks_to_response; leave them out", "readout_months"
                )
            return Assessments.fixed(self.readout_months)
        for name, value in weekly.items():
            if value is None:
                raise InputError("is missing; give it, or readout_months instead", name)
        median = self.median_weeks_to_response
        weeks = ("interval", "window", "confirmation", "median_to_response")
        names = {w: f"{w}_weeks" for w in weeks[:3]} | {"median_to_response": "median_weeks_to_response"}
        with under("", names):
            return Assessments(
                (self.interval_weeks or 0.0) * WEEK,
                (self.window_weeks or 0.0) * WEEK,
                self.confirmation_weeks * WEEK,
                None if median is None else median * WEEK,
            )


class DiseaseControl(Section):
    """Disease control rate, CR + PR + SD."""

    rate: Probability = Field(description="Disease control rate of patients whose response rate is at_orr.")
    at_orr: TrueShare | None = Field(None, description="Response rate of these patients; p1 if left out.")
    source: Line | None = Field(None, description="Source of these numbers.")


class MedianSurvival(Section):
    """Median survival, and the hazard of responders relative to the others."""

    median_months: Months = Field(description="Median of all patients, where the response rate is at_orr.")
    hazard_ratio: Annotated[float, Within("hazard_ratio")] = Field(
        description="Hazard ratio of responders to the others, at most 1: for PFS once the response is known, for OS "
        "after progression."
    )
    at_orr: TrueShare | None = Field(
        None, description="Response rate of the patients whose median this is; p1 if left out."
    )
    source: Line | None = Field(None, description="Source of these numbers.")


class ToxicityLimit(Section):
    """Grade >= 3 toxicity."""

    rate: Share = Field(description="Probability in one patient.")
    limit: Share = Field(description="Limit of the observed rate: the probability of exceeding it is reported.")
    odds_ratio: Annotated[float, Within("odds_ratio")] = Field(
        1.0,
        description="Odds ratio of response and toxicity in one patient: above 1, patients who respond have more "
        "toxicity. 1: independent.",
    )
    source: Line | None = Field(None, description="Source of these numbers.")


USUAL_LANDMARK = 6.0
"""Month at which PFS and OS of simulated trials are estimated where none is stated."""


class PatientLaws(Section):
    """Further assumptions on the patients; every key is optional."""

    dcr: DiseaseControl | None = Field(None, description="Disease control rate.")
    complete_share: Share = Field(0.0, description="Share of complete responses among responses.")
    pfs: MedianSurvival | None = Field(None, description="Progression-free survival.")
    os: MedianSurvival | None = Field(None, description="Overall survival; it needs pfs.")
    landmark_months: Months | None = Field(
        None,
        description="Month at which PFS and OS are estimated. Default: 6 in the simulation; in the protocol it is then "
        "to be completed.",
    )
    loss_to_follow_up_per_year: Annotated[float, Within("loss_per_year")] = Field(
        0.0, description="Share of patients lost to follow-up within a year, for PFS and OS."
    )
    toxicity: ToxicityLimit | None = Field(None, description="Grade >= 3 toxicity.")

    @property
    def landmark(self) -> float:
        """Month at which PFS and OS of simulated trials are estimated."""
        return USUAL_LANDMARK if self.landmark_months is None else self.landmark_months


class DropoutRule(Section):
    """Dropout before the first assessment, and who then counts. The handling is part of the estimand."""

    probability: Annotated[float, Within("dropout")] | None = Field(
        None, description="Probability of dropout before the first assessment; or give hazard_per_month."
    )
    hazard_per_month: Annotated[float, Within("hazard")] | None = Field(
        None, description="Hazard of dropout per month until the first assessment."
    )
    responder_odds_ratio: Annotated[float, Within("odds_ratio")] = Field(
        1.0,
        description="Odds ratio of dropout: patients who would have responded against patients who would not. The "
        "probability is then that of the latter. 1: dropout is independent of response.",
    )
    handling: Handling = Field(
        description="Who counts at an interim analysis (look). nonresponder: the first n1 enrolled; patients without a "
        "response assessment count as non-responders. replace: the first n1 evaluable, in the order of enrollment; "
        "every patient who drops out is replaced as soon as the dropout is known. exclude: the first n1 enrolled; "
        "patients without a response assessment are left out of the count and of the denominator. A look takes place "
        "when the response status of every patient who counts is known. Patients enrolled meanwhile count as enrolled: "
        "they enter the next stage if the trial continues, and are overrun if it stops. There is no default."
    )
    bounds: Literal["fixed", "recut"] | None = Field(
        None,
        description="exclude: fixed: the bounds stay as planned. 'recut': they are recalculated at the numbers "
        "evaluable (one or two looks).",
    )
    source: Line | None = Field(None, description="Source of these numbers.")

    def law(self, first_assessment: float) -> Dropout:
        """The law of loss, given the months to the first assessment."""
        if self.hazard_per_month is not None:
            return Dropout.from_hazard(self.hazard_per_month, first_assessment, self.responder_odds_ratio)
        return Dropout(self.probability or 0.0, self.responder_odds_ratio)

    @model_validator(mode="after")
    def _rules(self) -> DropoutRule:
        if (self.probability is None) == (self.hazard_per_month is None):
            raise InputError("needs exactly one of probability and hazard_per_month")
        Dropout(self.probability or 0.0, self.responder_odds_ratio)
        if (self.handling == "exclude") != (self.bounds is not None):
            problem = (
                "is missing; write fixed, or 'recut' for recalculated bounds"
                if self.bounds is None
                else "goes with handling: exclude only"
            )
            raise InputError(problem, "bounds")
        return self


class FollowUpRule(Made):
    """When the trial ends, never before its primary decision."""

    months_after_last_patient: MonthsOr0 | None = Field(None, description="Months from the last patient's enrollment.")
    until_month: MonthsOr0 | None = Field(None, description="Or a fixed month, counted from the first day of accrual.")

    @property
    def law(self) -> FollowUp:
        """The rule."""
        return self.make()

    def make(self) -> FollowUp:
        """See `law`."""
        return FollowUp(self.months_after_last_patient, self.until_month)


class Conduct(Section):
    """How the trial is run, in calendar time."""

    enrollment: EnrollmentLaw
    assessments: AssessmentPlan
    patients: PatientLaws = PatientLaws()
    dropout: DropoutRule
    interim: InterimRule | None = None
    follow_up: FollowUpRule
    deadline_months: Months | None = Field(
        None,
        description="A primary decision within this many months from the first day of accrual is in time; if left out, "
        "the month at which accrual closes or, without one, the registered completion.",
    )
    cost: CostRule | None = Field(None, description="What the trial costs; the expected cost at p0 and p1 is reported.")
    scenarios: Annotated[tuple[TrueRate, ...], Field(strict=False, max_length=50)] = ()
    simulation: SimulationSize = Field(
        SimulationSize(), description="If left out, 20,000 trials are simulated with seed 1."
    )

    @model_validator(mode="after")
    def _labels(self) -> Conduct:
        labels = [s.label for s in self.scenarios]
        again = next((label for label in labels if labels.count(label) > 1), None)
        if again is not None:
            raise InputError(f"({again!r}) is given twice; each scenario needs its own label", "scenarios.label")
        return self

    def disease(self, default_orr: float) -> Disease:
        """Assessments, DCR, PFS and OS; medians without a response rate of their own belong to the one given."""
        given = self.patients

        def orr(value: float | None) -> float:
            return default_orr if value is None else value

        curves: dict[str, Survival | None] = {"pfs": None, "os": None}
        for name, section in (("pfs", given.pfs), ("os", given.os)):
            if section is not None:
                with under(f"patients.{name}"):
                    curves[name] = Survival(section.median_months, section.hazard_ratio, orr(section.at_orr))
        dcr = given.dcr
        with under("patients", {"dcr": "dcr.rate"}):
            return Disease(
                self.assessments.law,
                None if dcr is None else dcr.rate,
                0.0 if dcr is None else orr(dcr.at_orr),
                curves["pfs"],
                os=curves["os"],
                complete_share=given.complete_share,
            )
