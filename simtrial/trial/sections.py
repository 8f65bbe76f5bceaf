"""The sections of a parameter file: their keys, types and words; see `simtrial.trial.params` for how a file is read.

Rules about the numbers themselves live with the objects they describe (`Requirements`, the designs, enrollment,
patients, plan); here each complaint is given the name of its key.
"""

from __future__ import annotations

import unicodedata
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import WithJsonSchema

from simtrial.design.designs import MultiStage, SingleStage, TwoStage, parse_looks
from simtrial.design.requirements import N_LIMIT, N_LIMIT_MOST, Requirements, plausible, probability
from simtrial.errors import InputError
from simtrial.months import WEEK
from simtrial.plan.enrollment import Centres, Constant, Piecewise, Ramp, positive
from simtrial.plan.patients import Assessments, Beta, Disease, Dropout, Survival, Toxicity
from simtrial.plan.plan import FollowUp, Interim, Plan, Scenario
from simtrial.search import CRITERIA
from simtrial.trial.choices import OneOf
from simtrial.trial.statement import METHODS, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.plan.enrollment import Enrollment

CriterionKey = Annotated[str, OneOf(CRITERIA)]
Method = Annotated[str, OneOf(METHODS)]


def _paragraphs(text: str) -> str:
    bad = next((c for c in text if unicodedata.category(c).startswith("C") and c != "\n"), None)
    if bad is not None:
        raise InputError(f"holds the control character {bad!r}; write plain text")
    return text


def _line(text: str) -> str:
    if "\n" in text:
        raise InputError("must be a single line")
    return _paragraphs(text)


def _trimmed(text: str) -> str:
    if text != text.strip():
        raise InputError(f"({text!r}) must not begin or end with a space")
    return text


def _folder(name: str) -> str:
    if name.lower() in ("validation", "teaching") or name.lower().endswith(".failed"):
        raise InputError(f"({name!r}) is kept for simtrial's own results; choose another")
    return name


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            raise InputError(f"({value[:40]!r}) must be a date such as 2025-07-31") from None
    return value


_UNIT: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}


def _rate(value: float) -> float:
    return probability(value, "")


Rate = Annotated[float, AfterValidator(_rate), WithJsonSchema(_UNIT)]
Day = Annotated[date, BeforeValidator(_day)]
Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_line)]
Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_paragraphs)]
Patients = Annotated[int, Field(ge=1, le=100_000)]
Percent = Annotated[float, Field(ge=0, le=100)]
Months = Annotated[float, Field(gt=0, le=1200)]
Weeks = Annotated[float, Field(gt=0, le=5200)]


class Section(BaseModel):
    """A mapping of known keys, strictly typed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Made(Section):
    """A section whose keys make one object; keys that make none are refused when it is read."""

    def make(self) -> object:
        """The object, by whose own rules the keys are checked."""
        raise NotImplementedError

    def check(self) -> None:
        """Hold the keys to the rules of what they make.

        Raises
        ------
        InputError
            If they contradict each other, or a number cannot be.
        """
        self.make()

    @model_validator(mode="after")
    def _made(self) -> Self:
        self.check()
        return self


class Study(Section):
    """What the registry or the protocol says of the study."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), AfterValidator(_folder)] = Field(
        description="Registry number or short name; names the output folder."
    )
    title: Line = Field(description="Full title.")
    registered_enrollment: Patients | None = Field(None, description="Patients registered; compared with the design.")
    start: Day | None = Field(None, description="First patient, as registered (YYYY-MM-DD).")
    completion: Day | None = Field(None, description="Study completion, as registered (YYYY-MM-DD).")
    source: Line | None = Field(None, description="Where these facts were read.")

    @model_validator(mode="after")
    def _order(self) -> Study:
        if self.start and self.completion and self.completion <= self.start:
            raise InputError(f"({self.completion}) must be after start ({self.start})", "completion")
        return self


def _plausible(asked: Hypotheses | Rival) -> None:
    """Refuse four numbers that cannot be, or that are probably a slip."""
    low = bool(asked.low_power)
    plausible(asked.p0, asked.p1, asked.alpha, asked.power, low_power=low, meant="low_power: true")


class Hypotheses(Section):
    """The response rates to tell apart and the error limits, one-sided."""

    p0: Rate = Field(description="Response rate not worth pursuing. H0: p <= p0.")
    p1: Rate = Field(description="Response rate worth finding; above p0.")
    alpha: Rate = Field(description="Largest type I error allowed, one-sided.")
    power: Rate = Field(description="Smallest power allowed at p1.")
    basis: Literal["assumed", "protocol"] = Field(
        description="'protocol' if a protocol or registry states these numbers, 'assumed' if you chose them."
    )
    rationale: Text | None = Field(None, description="Why these numbers; printed at the head of the report.")
    low_power: bool | None = Field(None, description="true: a power below 0.5 is meant, and is not beta.")

    @model_validator(mode="after")
    def _rules(self) -> Hypotheses:
        _plausible(self)
        return self


class DesignWish(Section):
    """Which design to take: by a criterion, or given outright."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["criterion"]}, {"required": ["looks"]}]})

    criterion: CriterionKey | None = Field(None, description="Take the design that is best by this criterion.")
    looks: Line | None = Field(None, description="Take this design instead: R/N or R:E/N, cumulative, as in 1/10,5/29.")
    n_limit: Annotated[int, Field(ge=1, le=N_LIMIT_MOST)] = Field(
        N_LIMIT, description="Refuse the request if even the most powerful test needs more patients."
    )

    @model_validator(mode="after")
    def _one(self) -> DesignWish:
        if (self.criterion is None) == (self.looks is None):
            raise InputError("must hold either criterion or looks, and not both")
        if self.looks is not None:
            try:
                parse_looks(self.looks)
            except InputError as error:
                raise InputError(error.message if error.field == "looks" else str(error), "looks") from None
        return self


class Evidence(Section):
    """One earlier result that bears on p0 or p1."""

    treatment: Line
    setting: Line
    n: Patients = Field(description="Patients in the denominator of the response rate.")
    responders: Annotated[int, Field(ge=0)] | None = Field(None, description="Count, where it was published.")
    orr_percent: Percent | None = Field(None, description="Objective response rate.")
    dcr_percent: Percent | None = Field(None, description="Disease control rate.")
    median_pfs_months: Months | None = None
    median_os_months: Months | None = None
    source: Line = Field(description="Citation.")

    @model_validator(mode="after")
    def _count(self) -> Evidence:
        if self.responders is not None and self.responders > self.n:
            raise InputError(f"({self.responders}) must be <= n ({self.n})", "responders")
        if self.responders is not None and self.orr_percent is not None:
            rate = 100 * self.responders / self.n
            if abs(self.orr_percent - rate) > 0.5:  # published rates may be rounded to whole percents
                said = f"({self.orr_percent:g}) must be {rate:.1f}, as {self.responders} of {self.n} is"
                raise InputError(said, "orr_percent")
        return self


@contextmanager
def _under(place: str, renamed: dict[str, str] | None = None) -> Iterator[None]:
    """Give complaints of the objects the place of their key in the file."""
    try:
        yield
    except InputError as error:
        field = (renamed or {}).get(error.field, error.field)
        raise InputError(error.message, ".".join(filter(None, (place, field)))) from None


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
            with _under("periods"):
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
        with _under("", names):
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
    handling: Literal["nonresponder", "replace", "exclude"] = Field(
        description="Who counts at a look. nonresponder: the first n1 enrolled, the unevaluable as not responding. "
        "replace: the first n1 evaluable, in the order of enrollment; every loss, once known, gives its place to a new "
        "patient. exclude: the first n1 enrolled, the unevaluable left out of the count and of the denominator. A look "
        "happens when the status of all whom it counts is known. Patients enrolled meanwhile count as enrolled: they "
        "enter the next stage if the trial goes on, and are overrun if it stops. There is no default."
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


class InterimRule(Made):
    """What accrual does while a look is pending."""

    accrual: Literal["hold", "continue"] = Field(
        description="hold: nobody is enrolled between the last patient of a look and its decision."
    )
    extra_patients: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        None,
        description="continue: at most so many patients beyond those of the look; where losses are replaced, so are "
        "those among the extra ones.",
    )
    decision_weeks: Annotated[float, Field(ge=0, le=5200)] = Field(
        0.0, description="Weeks from a look to its decision."
    )

    @property
    def law(self) -> Interim:
        """The rule, in months."""
        return self.make()

    def make(self) -> Interim:
        """See `law`."""
        return Interim(self.accrual == "hold", self.extra_patients, self.decision_weeks * WEEK)


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


class TrueRate(Made):
    """A true response rate to simulate, beside p0 and p1."""

    label: Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_line), AfterValidator(_trimmed)]
    p: float | None = Field(None, description="The rate.")
    beta: Annotated[tuple[float, ...], Field(strict=False, min_length=2, max_length=2)] | None = Field(
        None, description="Or a Beta distribution, [a, b]: P(reject H0) is then the assurance."
    )
    source: Line | None = Field(None, description="Where this comes from.")

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.make()

    def make(self) -> Scenario:
        """See `scenario`."""
        if (self.p is None) == (self.beta is None):
            raise InputError("must hold either p or beta, and not both")
        if self.beta is not None:
            return Scenario(self.label, Beta(*self.beta))
        return Scenario(self.label, probability(self.p or 0.0, "p", closed=True))

    @model_validator(mode="after")
    def _rules(self) -> TrueRate:
        if self.label in ("p0", "p1"):
            raise InputError(f"({self.label}) is simulated anyway; choose another", "label")
        return self


class SimulationSize(Section):
    """How much is simulated, and from which seed; every key is optional."""

    trials: Annotated[int, Field(ge=2, le=100_000_000)] = Field(20_000, description="Trials of each scenario.")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(1, description="The seed of all random numbers.")


class Conduct(Section):
    """How the trial is run, in calendar time."""

    enrollment: EnrollmentLaw
    assessments: AssessmentPlan
    patients: PatientLaws = PatientLaws()
    dropout: DropoutRule
    interim: InterimRule | None = None
    follow_up: FollowUpRule
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
                with _under(f"patients.{name}"):
                    curves[name] = Survival(section.median_months, section.hazard_ratio, orr(section.at_orr))
        dcr = given.dcr
        with _under("patients", {"dcr": "dcr.rate"}):
            return Disease(
                self.assessments.law,
                None if dcr is None else dcr.rate,
                0.0 if dcr is None else orr(dcr.at_orr),
                curves["pfs"],
                curves["os"],
                given.complete_share,
            )


class StatedSize(Made):
    """A sample size as a protocol, registry or paper states it; every key is optional."""

    p0: float | None = Field(None, description="As stated.")
    p1: float | None = Field(None, description="As stated.")
    alpha: float | None = Field(None, description="As stated.")
    alpha_sided: Literal[1, 2] | None = Field(None, description="As stated.")
    power: float | None = Field(None, description="As stated.")
    criterion: Method | None = Field(None, description="The method, as far as it is named.")
    looks: Line | None = Field(None, description="The rule, cumulative: 1/10,5/29 or 5/25.")
    n: Patients | None = Field(None, description="Patients in all; with looks, losses allowed for.")
    dropout: float | None = Field(None, description="Loss allowed for.")
    type_i_error: float | None = Field(None, description="Attained, as printed.")
    attained_power: float | None = Field(None, description="Attained, as printed.")
    en_p0: float | None = Field(None, description="As printed.")
    pet_p0: float | None = Field(None, description="As printed.")
    source: Line | None = Field(None, description="Where it is stated.")

    @property
    def statement(self) -> Statement:
        """The statement."""
        return self.make()

    def make(self) -> Statement:
        """See `statement`."""
        given = self.model_dump(exclude={"looks", "n", "source"})
        if self.looks is not None:
            return Statement.of_looks(self.looks, total=self.n, **given)
        return Statement(total=self.n if self.dropout else None, n=None if self.dropout else self.n, **given)


class Rival(Section):
    """Another reading of the same number of patients."""

    p0: Rate
    p1: Rate
    alpha: Rate
    power: Rate
    criterion: CriterionKey = Field(description="The design that it takes.")
    source: Line = Field(description="Why it is credible.")
    low_power: bool | None = Field(None, description="true: a power below 0.5 is meant, and is not beta.")

    @property
    def requirements(self) -> Requirements:
        """The question it puts."""
        return Requirements(self.p0, self.p1, self.alpha, self.power)

    @model_validator(mode="after")
    def _rules(self) -> Rival:
        _plausible(self)
        return self


class Results(Section):
    """What the finished trial brought: counts, or a file of patients."""

    responses: Annotated[int, Field(ge=0, le=100_000)] | None = Field(None, description="Responses by the end.")
    stage: Annotated[int, Field(ge=1, le=50)] | None = Field(None, description="Look at which the trial ended.")
    first_stage: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        None, description="Responses at the first look; needed where sizes differ from plan."
    )
    attained: Annotated[tuple[Patients, ...], Field(strict=False, min_length=1, max_length=50)] | None = Field(
        None, description="Patients analysed at each look taken, cumulative, where they differ from plan: [15, 27]."
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
    handling: Literal["nonresponder", "replace", "exclude"] | None = Field(
        None, description="What becomes of patients who are not evaluable; as under conduct.dropout if left out."
    )
    level: Rate = Field(0.95, description="Confidence level.")
    sides: Literal[1, 2] = Field(2, description="1 for a lower limit alone.")
    ordering: Literal["stage", "mle", "umvue"] = Field("stage", description="How endings are ordered.")
    source: Line | None = Field(None, description="Where the counts come from.")

    @model_validator(mode="after")
    def _rules(self) -> Results:
        if (self.responses is None) == (self.patients is None):
            raise InputError("must hold either responses or patients, and not both")
        if self.patients is not None:
            given = next((k for k in ("stage", "first_stage") if getattr(self, k) is not None), None)
            if given is not None:
                raise InputError("is counted from the patients; leave it out", given)
        else:
            given = next((k for k in ("param", "time_unit") if getattr(self, k) is not None), None)
            if given is not None:
                raise InputError("goes with patients; leave it out where responses are given", given)
        probability(self.level, "level")
        if self.level < 0.5:
            said = f"({self.level}) is below 0.5; did you mean {round(1 - self.level, 12)}, the confidence level?"
            raise InputError(said, "level")
        return self

    @property
    def patient_files(self) -> tuple[str, ...]:
        """The files of patients."""
        if self.patients is None:
            return ()
        return (self.patients,) if isinstance(self.patients, str) else self.patients


class Trial(Section):
    """One trial, as a parameter file describes it."""

    study: Study
    hypotheses: Hypotheses
    design: DesignWish
    stated: StatedSize | None = Field(None, description="A stated sample size to be checked.")
    rivals: Annotated[tuple[Rival, ...], Field(strict=False, max_length=10)] = ()
    conduct: Conduct | None = None
    analysis: Results | None = Field(None, description="The results, once the trial is over.")
    evidence: Annotated[tuple[Evidence, ...], Field(strict=False, max_length=200)] = ()

    @model_validator(mode="after")
    def _rules(self) -> Trial:
        if self.conduct is not None:
            self.plan(SingleStage(0, 1))
        return self

    def plan(self, design: Design) -> Plan | None:
        """How a design is run by this file; None if it does not say.

        Raises
        ------
        InputError
            If its conduct does not fit the design.
        """
        given = self.conduct
        if given is None:
            return None
        if given.interim is None and len(design.looks) > 1:
            raise InputError(
                "is missing; say what accrual does while a look is pending: hold or continue", "conduct.interim"
            )
        patients, enrollment, dropout = given.patients, given.enrollment, given.dropout
        with _under("conduct"):
            disease = given.disease(self.hypotheses.p1)
        with _under("conduct.dropout"):
            loss = dropout.law(disease.assessments.interval)
        toxicity = patients.toxicity
        places = {
            "bounds": "dropout.bounds",
            "probability": "dropout.probability",
            "rate": "enrollment.rate",
            "mean_rate": "enrollment.mean_rate",
            "screening_success": "enrollment.screening_success",
            "close_month": "enrollment.close_month",
            "loss_per_year": "patients.loss_to_follow_up_per_year",
            "landmark_months": "patients.landmark_months",
            "toxicity.rate": "patients.toxicity.rate",
            "toxicity.limit": "patients.toxicity.limit",
        }
        with _under("conduct", places):
            return Plan(
                design,
                enrollment.law,
                disease,
                loss,
                dropout.handling,
                given.interim.law if given.interim else Interim(hold=True),
                self.requirements if dropout.bounds == "recut" else None,
                enrollment.screening_success,
                enrollment.close_month,
                given.follow_up.law,
                patients.loss_to_follow_up_per_year,
                None if toxicity is None else Toxicity(toxicity.rate, toxicity.limit),
                patients.landmark_months,
            )

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The true rates to simulate: p0, p1, and what the file adds."""
        more = () if self.conduct is None else tuple(s.scenario for s in self.conduct.scenarios)
        return (Scenario("p0", self.hypotheses.p0), Scenario("p1", self.hypotheses.p1), *more)

    @property
    def requirements(self) -> Requirements:
        """The question put to the search."""
        asked = self.hypotheses
        return Requirements(asked.p0, asked.p1, asked.alpha, asked.power)

    @property
    def wish(self) -> str | SingleStage | TwoStage | MultiStage:
        """The criterion by name, or the design given outright."""
        return self.design.criterion or parse_looks(self.design.looks or "")

    def plain(self) -> dict[str, Any]:
        """The trial as plain JSON values, which is what may be handed to papermill."""
        return self.model_dump(mode="json", exclude_none=True)
