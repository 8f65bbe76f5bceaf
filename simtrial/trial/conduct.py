"""The sections on how the trial is run, each of which gives the law that it describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from simtrial.errors import InputError
from simtrial.months import WEEK
from simtrial.numbers import positive
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import FollowUp, Handling
from simtrial.plan.survival import Survival
from simtrial.trial.cost import CostRule
from simtrial.trial.interim import InterimRule
from simtrial.trial.section import Line, Made, Months, Section, Weeks, under
from simtrial.trial.simulated import SimulationSize, TrueRate

if TYPE_CHECKING:
    from simtrial.plan.enrollment import Enrollment


class Period(Section):
    """A stretch of time with one rate."""

    from_month: Annotated[float, Field(ge=0, le=1200)] = Field(
        description="Month at which the rate begins; 0 in the first period."
    )
    rate: Annotated[float, Field(ge=0)] = Field(description="Patients screened a month from then on.")


class EnrollmentLaw(Made):
    """How patients arrive. Times are months from the first day of accrual."""

    model: Literal["constant", "piecewise", "ramp", "centres"] = Field(
        description="Poisson process with a constant rate, rates that change at given months, a rate that grows "
        "linearly to a plateau, or centres whose own rates are drawn from a gamma law."
    )
    rate: float | None = Field(
        None, description="constant, ramp: patients screened a month (on the plateau); those who pass are enrolled."
    )
    ramp_months: float | None = Field(None, description="ramp: months until the plateau is reached.")
    periods: Annotated[tuple[Period, ...], Field(strict=False, min_length=1, max_length=100)] | None = Field(
        None, description="piecewise: the rates, in order; the last one holds for ever."
    )
    opens_months: Annotated[tuple[float, ...], Field(strict=False, min_length=1, max_length=500)] | None = Field(
        None, description="centres: the month at which each centre opens."
    )
    mean_rate: float | None = Field(None, description="centres: mean patients screened a month in one centre.")
    shape: float | None = Field(
        None, description="centres: shape of the gamma law of their rates; a smaller one makes them differ more."
    )
    screening_success: float = Field(1.0, description="Probability that a screened patient is enrolled.")
    close_month: float | None = Field(
        None,
        description="Accrual closes at this month; the trial is then analysed with the patients it has, against r of "
        "the last look.",
    )
    source: Line | None = Field(None, description="Where this comes from.")

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
                raise InputError(f"is missing; model: {self.model} needs it", name)
            if given and not needed:
                raise InputError(f"does not go with model: {self.model}", name)
        if self.model == "piecewise":
            periods = self.periods or ()
            for k, period in enumerate(periods[:-1]):
                positive(period.rate, f"periods.{k}.rate")
            with under("periods"):
                return Piecewise(tuple(p.from_month for p in periods), tuple(p.rate for p in periods))
        if self.model == "centres":
            return Centres(self.opens_months or (), self.mean_rate or 0.0, self.shape or 0.0)
        return (
            Constant(self.rate or 0.0) if self.model == "constant" else Ramp(self.rate or 0.0, self.ramp_months or 0.0)
        )


class AssessmentPlan(Made):
    """When a patient's response status becomes known: by scheduled assessments, or after one fixed delay."""

    readout_months: Annotated[float, Field(ge=0, le=1200)] | None = Field(
        None, description="Every status is known exactly this long after enrollment; instead of the keys below."
    )
    interval_weeks: Weeks | None = Field(None, description="Weeks between tumour assessments.")
    window_weeks: Weeks | None = Field(
        None, description="End of the assessment window: who has neither responded nor progressed by then has SD."
    )
    confirmation_weeks: Annotated[float, Field(ge=0, le=5200)] = Field(
        0.0, description="Weeks from the scan that first sees a response to the one that confirms it; 0 for none."
    )
    median_weeks_to_response: Weeks | None = Field(
        None, description="Median weeks until a response begins; without it, all are seen at the first assessment."
    )
    source: Line | None = Field(None, description="Where this comes from.")

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
                    raise InputError("does not go with readout_months", name)
            if self.confirmation_weeks or self.median_weeks_to_response is not None:
                raise InputError(
                    "stands alone, without assessments, confirmation or time to response", "readout_months"
                )
            return Assessments.fixed(self.readout_months)
        for name, value in weekly.items():
            if value is None:
                raise InputError("is missing (or give readout_months instead)", name)
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

    rate: float = Field(description="DCR, in patients whose response rate is at_orr.")
    at_orr: float | None = Field(None, description="Their response rate; p1 if left out.")
    source: Line | None = Field(None, description="Where this comes from.")


class MedianSurvival(Section):
    """A median, and how responders compare with the others."""

    median_months: float = Field(description="Median of all patients, where the response rate is at_orr.")
    hazard_ratio: float = Field(
        description="Hazard of responders over that of the others, at most 1: for PFS once the response is known, for "
        "OS after progression."
    )
    at_orr: float | None = Field(None, description="Response rate of the patients of the median; p1 if left out.")
    source: Line | None = Field(None, description="Where this comes from.")


class ToxicityLimit(Section):
    """Grade >= 3 toxicity."""

    rate: float = Field(description="Probability in one patient.")
    limit: float = Field(description="The observed rate whose crossing is asked about.")
    source: Line | None = Field(None, description="Where this comes from.")


class PatientLaws(Section):
    """What else is known of a patient; every key is optional."""

    dcr: DiseaseControl | None = Field(None, description="Disease control rate.")
    complete_share: float = Field(0.0, description="Share of complete responses among responses.")
    pfs: MedianSurvival | None = Field(None, description="Progression-free survival.")
    os: MedianSurvival | None = Field(None, description="Overall survival; needs pfs.")
    landmark_months: float = Field(6.0, description="Month at which PFS and OS are estimated.")
    loss_to_follow_up_per_year: float = Field(
        0.0, description="Share of patients lost to follow-up within a year, for PFS and OS."
    )
    toxicity: ToxicityLimit | None = Field(None, description="Grade >= 3 toxicity.")


class DropoutRule(Section):
    """Loss before the first evaluable assessment, and who then counts. The handling is part of the estimand."""

    probability: float | None = Field(
        None, description="Probability of loss before the first assessment; or give hazard_per_month."
    )
    hazard_per_month: float | None = Field(None, description="Hazard of loss until the first assessment.")
    responder_odds_ratio: float = Field(
        1.0,
        description="Odds of loss of a patient who would have responded over those of one who would not; the "
        "probability above is then that of the latter. 1: loss says nothing about response.",
    )
    handling: Handling = Field(
        description="Who counts at a look. nonresponder: the first n1 enrolled, the unevaluable as not responding. "
        "replace: the first n1 evaluable, in the order of enrollment; every loss, once known, gives its place to a new "
        "patient. exclude: the first n1 enrolled, the unevaluable left out of the count and of the denominator. A look "
        "happens when the status of all whom it counts is known. Patients enrolled meanwhile count as enrolled: they "
        "enter the next stage if the trial continues, and are overrun if it stops. There is no default."
    )
    bounds: Literal["fixed", "recut"] | None = Field(
        None,
        description="exclude: whether bounds stay as planned or are recut at the number evaluable (one or two looks).",
    )
    source: Line | None = Field(None, description="Where this comes from.")

    def law(self, first_assessment: float) -> Dropout:
        """The law of loss, given the months to the first assessment."""
        if self.hazard_per_month is not None:
            return Dropout.from_hazard(self.hazard_per_month, first_assessment, self.responder_odds_ratio)
        return Dropout(self.probability or 0.0, self.responder_odds_ratio)

    @model_validator(mode="after")
    def _rules(self) -> DropoutRule:
        if (self.probability is None) == (self.hazard_per_month is None):
            raise InputError("must hold either probability or hazard_per_month, and not both")
        Dropout(self.probability or 0.0, self.responder_odds_ratio)
        if (self.handling == "exclude") != (self.bounds is not None):
            problem = "is missing; say fixed or recut" if self.bounds is None else "goes with handling: exclude only"
            raise InputError(problem, "bounds")
        return self


class FollowUpRule(Made):
    """When the trial ends, never before its primary decision."""

    months_after_last_patient: float | None = Field(None, description="Months from the last patient's enrollment.")
    until_month: float | None = Field(None, description="Or a month counted from the first day of accrual.")

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
    cost: CostRule | None = Field(None, description="What the trial costs: expected at p0 and p1 beside its patients.")
    scenarios: Annotated[tuple[TrueRate, ...], Field(strict=False, max_length=50)] = ()
    simulation: SimulationSize = Field(SimulationSize(), description="20,000 trials from seed 1 if left out.")

    @model_validator(mode="after")
    def _labels(self) -> Conduct:
        labels = [s.label for s in self.scenarios]
        again = next((label for label in labels if labels.count(label) > 1), None)
        if again is not None:
            raise InputError(f"({again!r}) is given twice", "scenarios.label")
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
