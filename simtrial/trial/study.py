"""The sections on the question: the study, its hypotheses, the design wished for, earlier results, a stated size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from simtrial.design.branching import parse_design
from simtrial.design.designs import MAX_LOOKS
from simtrial.design.requirements import N_LIMIT, Requirements, plausible
from simtrial.errors import InputError
from simtrial.months import DAYS_IN_MONTH, MONTHS_IN_YEAR
from simtrial.search import FAMILIES, FREE, CalendarCriterion, Constraints
from simtrial.search.criteria import in_family, preference, weighed
from simtrial.trial.prior import StatedPrior
from simtrial.trial.section import (
    CriterionKey,
    Day,
    DesignKey,
    ErrorLimit,
    FamilyKey,
    Line,
    Made,
    Method,
    Months,
    PatientCount,
    Percent,
    Probability,
    ResponseCount,
    Section,
    Share,
    Text,
    Within,
    folder_name,
    under,
)
from simtrial.trial.statement import Statement
from simtrial.trial.stopping import ToxicityStopping

if TYPE_CHECKING:
    from simtrial.search import AnyCriterion


class Study(Section):
    """What the registry or the protocol says of the study."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), AfterValidator(folder_name)] = Field(
        description="Registry number or short name; names the output folder."
    )
    title: Line = Field(description="Full title.")
    registered_enrollment: Annotated[int, Within("registered")] | None = Field(
        None, description="Number of patients as registered; it is compared with the design."
    )
    start: Day | None = Field(None, description="First patient, as registered (YYYY-MM-DD).")
    completion: Day | None = Field(None, description="Study completion, as registered (YYYY-MM-DD).")
    source: Line | None = Field(None, description="Source of these facts.")

    @model_validator(mode="after")
    def _order(self) -> Study:
        if self.start and self.completion and self.completion <= self.start:
            raise InputError(f"({self.completion}) is not after start ({self.start})", "completion")
        return self

    @property
    def months(self) -> float | None:
        """Months from the registered start to completion; None if one of them is not given."""
        if self.start is None or self.completion is None:
            return None
        start, end = self.start, self.completion
        whole = MONTHS_IN_YEAR * (end.year - start.year) + end.month - start.month
        return whole + (end.day - start.day) / DAYS_IN_MONTH


def _plausible(asked: Hypotheses | Rival) -> None:
    """Refuse four numbers that cannot be, or that are probably a slip."""
    low = bool(asked.low_power)
    plausible(asked.p0, asked.p1, asked.alpha, asked.power, low_power=low, meant="low_power: true")


class Hypotheses(Section):
    """The two response rates to distinguish, and the limits of the error rates, one-sided."""

    p0: Probability = Field(description="Response rate not worth pursuing: H0 is p <= p0.")
    p1: Probability = Field(description="Response rate worth finding; it lies above p0.")
    alpha: ErrorLimit = Field(description="Largest type I error allowed, one-sided.")
    power: ErrorLimit = Field(description="Smallest power allowed at p1.")
    basis: Literal["assumed", "protocol"] = Field(
        description="protocol: a protocol or registry states these numbers; assumed: they are assumptions."
    )
    rationale: Text | None = Field(
        None, description="Reason for these numbers; report and protocol state it with the evidence for p0 and p1."
    )
    p0_among: Literal["enrolled", "evaluable"] | None = Field(
        None,
        description="With handling: nonresponder only. enrolled: p0 is the response rate among all enrolled "
        "patients, where patients without a response assessment count as non-responders; the type I error is then kept "
        "whatever the dropout. evaluable: p0 is the rate that would be observed if every patient were evaluable. "
        "Default: enrolled with design.losses: run, evaluable with losses: paper. p1 is always the rate if every "
        "patient were evaluable.",
    )
    low_power: bool | None = Field(None, description="true: a power below 0.5 is meant, and is not beta.")

    @model_validator(mode="after")
    def _rules(self) -> Hypotheses:
        _plausible(self)
        return self


class DesignConstraints(Made):
    """Restrictions of the search for a design; which of them a family takes, its message says."""

    looks_at: (
        Annotated[
            tuple[Annotated[int, Within("looks_at")], ...], Field(strict=False, min_length=1, max_length=MAX_LOOKS)
        ]
        | None
    ) = Field(None, description="The numbers of patients at the looks, cumulative; the last is n.")
    looks_months: Annotated[tuple[Months, ...], Field(strict=False, min_length=1, max_length=MAX_LOOKS)] | None = Field(
        None,
        description="The months of the looks, as a data-monitoring plan states them; cap is then n. Each look is put "
        "at the number of patients whose response is expected to be known by then, under the section conduct.",
    )
    stops: Literal["futility", "efficacy", "both"] | None = Field(
        None, description="For what the trial may stop before its last look. Default: what the family is made for."
    )
    futility: Literal["required", "optional"] = Field(
        "required",
        description="optional: designs without a stop for futility at the first look are searched too, where there is "
        "one for efficacy.",
    )
    r1: ResponseCount | None = Field(None, description="The futility bound of the first look, if it must be this one.")
    n1_least: PatientCount = Field(1, description="Fewest patients at the first look.")
    balanced: bool = Field(False, description="true: all stages have the same number of patients.")
    cap: Annotated[int, Within("cap")] | None = Field(None, description="Largest number of patients.")
    multiple_of: Annotated[int, Within("multiple_of")] = Field(
        1,
        description="Every number of patients at a look is a multiple of this; or the patients per look, counted "
        "back from n, for families that are watched at many looks.",
    )
    any_order: bool = Field(
        False,
        description="With family: adaptive. true: the conditional type I error may fall as the number of responses of "
        "the first stage, X1, rises.",
    )
    n2_falls: bool = Field(
        False,
        description="With family: adaptive. true: the second stage does not become larger as X1 rises.",
    )
    prior: StatedPrior | None = Field(
        None, description="The Beta prior of the response rate, for a family of Bayesian rules. Default: the usual one."
    )

    def make(self) -> Constraints:
        """The restrictions."""
        if self.looks_months is not None and (self.cap is None or self.looks_at is not None):
            raise InputError("needs cap, the patients at the last look, and excludes looks_at", "looks_months")
        if self.looks_months is not None and list(self.looks_months) != sorted(set(self.looks_months)):
            raise InputError("does not increase", "looks_months")
        given = self.model_dump(exclude={"futility", "looks_months", "prior"})
        prior = None if self.prior is None else self.prior.make().pair
        return Constraints(**given, futility_optional=self.futility == "optional", prior=prior)


class DesignWish(Section):
    """Which design to take: by a criterion, or given outright."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["looks"]}, {"anyOf": [{"required": ["criterion"]}, {"required": ["family"]}]}],
        }
    )

    family: FamilyKey | None = Field(
        None,
        description="The family of designs that is searched. criterion is then one of its criteria; without one, the "
        "first of them is taken.",
    )
    criterion: DesignKey | None = Field(
        None,
        description="Take the design that is best by this criterion. fastest_p0, fastest_p1, least_enrolled_p0 and "
        "by_date depend on how the trial is run and need the section conduct; by_date maximises the probability of a "
        "decision in time at p1 and also needs a date (see conduct.deadline_months).",
    )
    weight: Annotated[float, Within("weight")] | None = Field(
        None,
        description="With a family that is searched by weights: the design with the least "
        "(1 - weight) EN(p0) + weight EN(p1).",
    )
    constraints: DesignConstraints | None = Field(None, description="What else is asked of the design of a criterion.")
    looks: Line | None = Field(
        None,
        description="Take this design instead: looks R/N or R:E/N, cumulative, as in 1/10,5/29; or the table of an "
        "adaptive design, by the responses of the first stage A (accept), R (reject) or N2/R, as in 0:A|1:3/2|2:R.",
    )
    losses: Literal["paper", "run"] | None = Field(
        None,
        description="paper: alpha and power hold with every patient evaluable. run: they hold as the trial is run, "
        "under the dropout and handling of the section conduct. Default: run for a criterion where conduct.dropout is "
        "given, else paper.",
    )
    n_limit: Annotated[int, Within("n_limit")] = Field(
        N_LIMIT, description="Refuse the request if even the most powerful test needs more patients."
    )
    toxicity: ToxicityStopping | None = Field(None, description="The rule by which the trial stops for toxicity.")

    @property
    def by(self) -> AnyCriterion | CalendarCriterion | None:
        """The criterion that is named, with its weights; None where the design is given outright.

        Raises
        ------
        InputError
            If the family has no such criterion, or is not searched by weights.
        """
        if self.criterion is not None and self.weight is not None:
            raise InputError("takes the place of criterion; leave one of them out", "weight")
        if self.family is not None:
            family = FAMILIES[self.family]
            found = in_family(family, self.criterion) if self.criterion else family.criteria[0]
            return found if self.weight is None else weighed(found, self.weight)
        if self.criterion is None:
            return None
        known = preference(self.criterion)
        if known is None:
            owners = [key for key, one in FAMILIES.items() if any(c.short == self.criterion for c in one.criteria)]
            raise InputError(f"({self.criterion}) needs its family beside it: {' or '.join(owners)}", "criterion")
        return known

    @property
    def asked(self) -> Constraints:
        """What else is asked of the design."""
        return FREE if self.constraints is None else self.constraints.make()

    @model_validator(mode="after")
    def _one(self) -> DesignWish:
        if self.toxicity is not None and (self.family == "adaptive" or "|" in (self.looks or "")):
            raise InputError("is not possible for adaptive two-stage designs; leave it out", "toxicity")
        if (self.criterion is None and self.family is None) == (self.looks is None):
            raise InputError("needs exactly one of criterion and looks")
        if self.looks is None:
            by = self.by
            if self.constraints is not None:
                if by is None or isinstance(by, CalendarCriterion):
                    raise InputError("needs a criterion of a family; leave it out", "constraints")
                with under("constraints"):
                    family = FAMILIES[by.family]
                    self.asked.only(family.constraints, family.title)
                    if self.constraints.looks_months is not None and not family.looks_given:
                        raise InputError(f"is not possible for {family.title}; leave it out", "looks_months")
            return self
        for name in ("weight", "constraints"):
            if getattr(self, name) is not None:
                raise InputError("does not go with looks, which give the design; leave it out", name)
        try:
            parse_design(self.looks)
        except InputError as error:
            raise InputError(error.message if error.field == "looks" else str(error), "looks") from None
        return self


class Evidence(Section):
    """One earlier result that is relevant to p0 or p1."""

    treatment: Line = Field(description="The treatment that was studied.")
    setting: Line = Field(description="Disease, stage and line of treatment.")
    about: Literal["p0", "p1", "other"] | None = Field(
        None,
        description="What this result is evidence of. p0: the treatments that p0 stands for; these results are pooled. "
        "p1: the response rate hoped for. other: neither. A result without this key counts as evidence of p0.",
    )
    n: Annotated[int, Within("studied")] = Field(description="Patients in the denominator of the response rate.")
    responders: Annotated[int, Within("responders")] | None = Field(
        None, description="Number of responders, where it was published."
    )
    orr_percent: Percent | None = Field(None, description="Objective response rate.")
    dcr_percent: Percent | None = Field(None, description="Disease control rate.")
    median_pfs_months: Months | None = Field(None, description="Median progression-free survival.")
    median_os_months: Months | None = Field(None, description="Median overall survival.")
    source: Line = Field(description="Citation.")

    @model_validator(mode="after")
    def _count(self) -> Evidence:
        if self.responders is not None and self.responders > self.n:
            raise InputError(f"({self.responders}) is above n ({self.n})", "responders")
        if self.responders is not None and self.orr_percent is not None:
            rate = 100 * self.responders / self.n
            if abs(self.orr_percent - rate) > 0.5:  # published rates may be rounded to whole percents
                said = f"({self.orr_percent:g}) contradicts {self.responders} of {self.n}, which is {rate:.1f}"
                raise InputError(said, "orr_percent")
        return self


class StatedSize(Made):
    """A sample size as a protocol, registry or paper states it; every key is optional."""

    p0: Probability | None = Field(None, description="Response rate not worth pursuing, as stated.")
    p1: Probability | None = Field(None, description="Response rate worth finding, as stated.")
    alpha: ErrorLimit | None = Field(None, description="Type I error allowed, as stated.")
    alpha_sided: Literal[1, 2] | None = Field(None, description="Whether alpha is one-sided or two-sided, as stated.")
    power: ErrorLimit | None = Field(None, description="Power wanted, as stated.")
    criterion: Method | None = Field(None, description="The method, as far as it is named.")
    looks: Line | None = Field(None, description="The decision rule, cumulative: 1/10,5/29 or 5/25.")
    n: PatientCount | None = Field(
        None, description="Number of patients in all; with looks, the number that allows for dropout."
    )
    dropout: Annotated[float, Within("dropout")] | None = Field(None, description="Dropout allowed for.")
    type_i_error: Share | None = Field(None, description="Attained type I error, as printed.")
    attained_power: Share | None = Field(None, description="Attained power, as printed.")
    en_p0: Annotated[float, Within("mean_patients")] | None = Field(
        None, description="Expected sample size at p0, as printed."
    )
    pet_p0: Share | None = Field(None, description="Probability of early termination at p0, as printed.")
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
    """Another interpretation of the same number of patients."""

    p0: Probability = Field(description="Response rate not worth pursuing, in this interpretation.")
    p1: Probability = Field(description="Response rate worth finding, in this interpretation.")
    alpha: ErrorLimit = Field(description="Largest type I error allowed, one-sided.")
    power: ErrorLimit = Field(description="Smallest power allowed at p1.")
    criterion: CriterionKey = Field(description="The criterion of its design.")
    source: Line = Field(description="Reason why it is credible.")
    low_power: bool | None = Field(None, description="true: a power below 0.5 is meant, and is not beta.")

    @property
    def requirements(self) -> Requirements:
        """The question it puts."""
        return Requirements(self.p0, self.p1, self.alpha, self.power)

    @model_validator(mode="after")
    def _rules(self) -> Rival:
        _plausible(self)
        return self
