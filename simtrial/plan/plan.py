"""How a trial is run: everything that the conduct engine and its exact laws need to know, in one frozen object.

Who counts at a look, by the handling of patients without a response status:

nonresponder
    The first n_k enrolled; the unevaluable among them count as not responding.
replace
    The first n_k evaluable, in the order of enrollment; every loss, once known, gives its place to a new patient.
exclude
    The first n_k enrolled; the unevaluable are left out of the count and of the denominator. The bounds stay as
    planned (fixed) or are recut at the number evaluable (recut).

A look happens when the status of all whom it counts is known; after the lag the decision is taken, at the last look at
once. Patients enrolled meanwhile count as enrolled: they enter the next stage if the trial continues, and are overrun
if it stops.

Decided when known
    A look happens as soon as the known responses of those whom it counts settle its decision, whatever the others turn
    out to be: for futility with n_k - r_k non-responses, for efficacy with e_k responses, and for going on with r_k + 1
    responses once e_k can no longer be reached. The decision and its errors are unchanged. Who is not yet enrolled when
    the trial stops is not enrolled. At the last look the trial stops likewise where H0 cannot be rejected any more;
    where it is rejected, the decision has its month then, but accrual completes to n: the response rate is to be
    estimated from all of them.

Stopped for toxicity
    A rule for toxicity watches the first n enrolled, lost ones included, whatever becomes of their responses. A trial
    stops in the month in which its boundary is crossed, that of its decision or before, be a look at responses due or
    pending; accrual does not wait for toxicity, and patients enrolled beyond a look count for the boundary as well. H0
    is rejected only once it is known of all whom its look counts whether they have a toxicity; until then the decision
    is pending, and the trial can still be stopped.

Second stages that depend on the first
    A trial with X1 responses at its first look has one more look, after n2(X1) more patients. While the first look is
    pending it is not known which second stage opens: as many may enter as of the largest. Once it is decided, no
    further patient enters beyond n1 + n2(X1), but for patients who replace others; who has entered beyond it by then is
    overrun. Where accrual closes during the first stage, what came is held against the row of the table that has as
    many responses.

Decided with patients pending
    The first of two looks is taken when n_1 patients are enrolled, or in a given month. A patient whose status is not
    known by then counts with the predictive probability that he will respond, and the trial continues if the
    probability of more than r_1 responses is at least a threshold.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from simtrial.design.second_stages import analyses
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.months import MONTHS_IN_YEAR
from simtrial.numbers import positive
from simtrial.plan import possible

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.plan.disease import Beta, Disease, Toxicity
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.enrollment import Enrollment
    from simtrial.toxicity.rule import ToxicityRule

MAX_REPLACED = 0.9
"""Largest probability of loss that is replaced; above it a trial would enroll ten patients for one."""

Handling = Literal["nonresponder", "replace", "exclude"]
"""What becomes of patients without a response assessment: see above."""

HANDLINGS: tuple[Handling, ...] = get_args(Handling)


def check_handling(handling: str) -> None:
    """Hold that a handling is one of the three."""
    if handling not in HANDLINGS:
        *others, last = HANDLINGS
        raise InputError(f"({handling!r:.40}) is unknown; write {', '.join(others)} or {last}", "handling")


Decide = Literal["complete", "known"]
"""When a look decides: with every status of those whom it counts, or as soon as the known responses settle it."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """The first of two looks taken before every status is known.

    Parameters
    ----------
    threshold : float
        The trial continues if the predictive probability of more than r_1 responses is at least this.
    p : float
        Response rate under which patients count whose status is pending: p1.
    month : float, optional
        Month of the look; None if it is taken when n_1 patients are enrolled.
    """

    threshold: float
    p: float
    month: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", TABLE["rate"].check(self.threshold, "threshold"))
        object.__setattr__(self, "p", TABLE["rate"].check(self.p, "p"))
        if self.month is not None:
            object.__setattr__(self, "month", TABLE["months"].check(self.month, "look_month"))


@dataclass(frozen=True, slots=True)
class Interim:
    """How a look is decided, and what accrual does while it is pending.

    Parameters
    ----------
    hold : bool
        Whether accrual stops when the patients of a look are in.
    extra : int, optional
        With accrual going on, at most so many patients beyond those of the look; None without limit. Where losses are
        replaced, so are those among the extra ones.
    lag : float
        Months from a look to its decision; the last look has none.
    decide : {'complete', 'known'}
        When a look decides; see the head of this module.
    max_hold : float, optional
        Months that a hold lasts at most; accrual then resumes, up to the number of patients of the next look. None
        without limit. Where losses are replaced, every place that comes free begins another hold.
    conditional : Conditional, optional
        Given if the first of two looks does not wait for patients whose status is pending.
    """

    hold: bool
    extra: int | None = None
    lag: float = 0.0
    _: KW_ONLY
    decide: Decide = "complete"
    max_hold: float | None = None
    conditional: Conditional | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "lag", positive(self.lag, "decision_weeks", zero=True))
        if self.hold and self.extra is not None:
            raise InputError("goes with accrual: continue; a hold takes no extra patients", "extra_patients")
        if self.decide not in get_args(Decide):
            raise InputError(f"({self.decide!r:.40}) is unknown; write complete or known", "decide")
        if self.max_hold is not None:
            object.__setattr__(self, "max_hold", TABLE["months_or_0"].check(self.max_hold, "max_hold_months"))
            if not self.hold:
                raise InputError("goes with accrual: hold; there is no hold to limit", "max_hold_months")

    @property
    def allowed(self) -> int | None:
        """Patients beyond those of a look that may enter before its decision: 0 with a hold, None without limit."""
        return 0 if self.hold else self.extra

    @property
    def waits(self) -> bool:
        """Whether every look waits for every status of those whom it counts, and every hold for the decision."""
        return self.decide == "complete" and self.max_hold is None and self.conditional is None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """When the trial ends, never before its decision: so many months after its last patient, or in a given month."""

    months_after_last: float | None = None
    until_month: float | None = None

    def __post_init__(self) -> None:
        if (self.months_after_last is None) == (self.until_month is None):
            raise InputError("needs exactly one of months_after_last_patient and until_month")
        for name, key in (("months_after_last", "months_after_last_patient"), ("until_month", "until_month")):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, TABLE["months_or_0"].check(value, key))


@dataclass(frozen=True, slots=True)
class Plan:
    """A design and everything about its conduct.

    Parameters
    ----------
    design : Design
        Looks and bounds.
    enrollment : Enrollment
        Patients screened; those who pass are enrolled.
    disease : Disease
        Assessments, and what is known of DCR, PFS and OS.
    dropout : Dropout
        Loss before the first evaluable assessment.
    handling : {'nonresponder', 'replace', 'exclude'}
        Who counts; see the head of this module. Never a default.
    interim : Interim
        How looks are decided, and accrual while one is pending.
    recut : Requirements, optional
        With `exclude`, what bounds keep that are recut at the number evaluable; None if they stay as planned.
    screening_success : float
        Probability that a screened patient is enrolled.
    close_month : float, optional
        Accrual closes at this month; the trial is then analysed with the patients it has, against the last look's r.
    follow_up : FollowUp
        When the trial ends.
    loss_per_year : float
        Probability of being lost to follow-up within a year, for PFS and OS.
    toxicity : Toxicity, optional
        Grade >= 3 toxicity.
    toxicity_rule : ToxicityRule, optional
        When the trial stops for it; it needs `toxicity`.
    landmark : float
        Month at which survival is estimated.
    """

    design: Design
    enrollment: Enrollment
    disease: Disease
    dropout: Dropout
    _: KW_ONLY
    handling: Handling
    interim: Interim = Interim(hold=True)
    recut: Requirements | None = None
    screening_success: float = 1.0
    close_month: float | None = None
    follow_up: FollowUp = FollowUp(months_after_last=0.0)
    loss_per_year: float = 0.0
    toxicity: Toxicity | None = None
    toxicity_rule: ToxicityRule | None = None
    landmark: float = 6.0

    def __post_init__(self) -> None:
        check_handling(self.handling)
        if self.recut:
            possible.check_recut(self)
        lost = max(self.dropout.probability, self.dropout.of_responder)
        if self.handling == "replace" and lost > MAX_REPLACED:
            raise InputError(
                f"({lost:g}) is above {MAX_REPLACED:g}, the largest value where patients who drop out are replaced",
                "probability",
            )
        success = TABLE["screening_success"].check(self.screening_success, "screening_success")
        object.__setattr__(self, "screening_success", success)
        self.enrollment.scaled(success)  # whose rates may be too low when those of the screened are not
        object.__setattr__(self, "loss_per_year", TABLE["loss_per_year"].check(self.loss_per_year, "loss_per_year"))
        object.__setattr__(self, "landmark", TABLE["months"].check(self.landmark, "landmark_months"))
        if self.interim.max_hold is not None:
            possible.check_max_hold(self)
        if self.toxicity_rule is not None and self.toxicity is None:
            raise InputError("is missing; a rule that stops for toxicity needs the rate", "toxicity.rate")
        if self.conditional is not None:
            possible.check_conditional(self, self.conditional)
        if self.close_month is not None:
            object.__setattr__(self, "close_month", TABLE["months"].check(self.close_month, "close_month"))
            possible.check_close(self, self.close_month)

    @property
    def by_responses(self) -> Plan:
        """The plan without its rule for toxicity: nothing but responses ends the trial."""
        return self if self.toxicity_rule is None else replace(self, toxicity_rule=None)

    @property
    def loss_hazard(self) -> float:
        """Hazard a month of loss to follow-up."""
        return -math.log1p(-self.loss_per_year) / MONTHS_IN_YEAR

    @property
    def arrivals(self) -> Enrollment:
        """The process of patients enrolled, while accrual is open."""
        return self.enrollment.scaled(self.screening_success)

    @property
    def conditional(self) -> Conditional | None:
        """The rule of a first look that does not wait for patients pending; None if it waits, or is the only look."""
        return self.interim.conditional if len(self.design.looks) > 1 else None

    @property
    def capacities(self) -> tuple[int, ...]:
        """Patients that may have entered before the decision of each look; more only after a hold of limited length."""
        looks = analyses(self.design.looks)
        allowed = self.interim.allowed
        beyond = looks[-1].n if allowed is None else allowed
        return tuple(min(look.n + beyond, looks[-1].n) for look in looks)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A true response rate to try: a number, or a Beta distribution."""

    label: str
    p: float | Beta

    @property
    def mean(self) -> float:
        """The rate, or its mean."""
        return self.p if isinstance(self.p, int | float) else self.p.mean

    @property
    def rate(self) -> str:
        """The rate in words: ``0.3``, or ``Beta(11, 23), mean 0.324``."""
        if isinstance(self.p, int | float):
            return f"{self.p:g}"
        return f"Beta({self.p.a:g}, {self.p.b:g}), mean {self.mean:.3g}"
