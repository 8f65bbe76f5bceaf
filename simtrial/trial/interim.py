"""The section on how looks are decided, and on what accrual does while one is pending."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simtrial.errors import InputError
from simtrial.months import WEEK
from simtrial.plan.plan import Conditional, Decide, Interim
from simtrial.trial.section import Made, Months, MonthsOr0, Probability, WeeksOr0, Within


class InterimRule(Made):
    """How looks are decided, and what accrual does while one is pending."""

    accrual: Literal["hold", "continue"] | None = Field(
        None,
        description="hold: no patient is enrolled between the last patient of an interim analysis (look) and its "
        "decision. continue: patients are enrolled meanwhile. It may be left out with pending: enroll_up_to only, "
        "which excludes hold.",
    )
    extra_patients: Annotated[int, Within("extra_patients")] | None = Field(
        None,
        description="continue: at most this many patients beyond those of the look; where patients who drop out are "
        "replaced, this holds for the extra patients too.",
    )
    max_hold_months: MonthsOr0 | None = Field(
        None,
        description="hold: a hold lasts at most this many months. Accrual then resumes before the decision, up "
        "to the number of patients of the next look; patients who enter meanwhile are overrun if the trial "
        "stops. Where patients who drop out are replaced, every replacement begins another hold, and the limit is "
        "possible for one or two looks. If left out, there is no limit.",
    )
    decision_weeks: WeeksOr0 = Field(
        0.0,
        description="Weeks from an interim look to its decision. The final decision is taken at the last look, without "
        "delay.",
    )
    decide: Decide = Field(
        "complete",
        description="When the decision is taken. complete: when the response status of every patient who counts is "
        "known. known: as soon as the known response statuses settle the decision, whatever the others will be: the "
        "trial continues with r1 + 1 confirmed responses and stops for futility when r1 + 1 can no longer be reached; "
        "likewise with an efficacy bound and at the last look. Type I error and power are unchanged; only the calendar "
        "changes. Patients not yet enrolled when the trial stops are not enrolled; where H0 is rejected early at the "
        "last look, accrual is completed to n, so that the response rate is estimated from all patients.",
    )
    pending: Literal["wait", "enroll_up_to", "conditional"] = Field(
        "wait",
        description="How patients count whose response status is pending at a look. wait: the look waits for them (or "
        "until the decision is settled, see decide). enroll_up_to: the same as accrual: continue with extra_patients. "
        "conditional: two looks without an efficacy bound; the first does not wait. Pending patients count with their "
        "predictive probability of a confirmed response at the response rate p1, given their months on study, and the "
        "trial continues if the probability of more than r1 responses is at least the threshold. The last look is "
        "unchanged. Type I error and power are then those of the resulting rule, not of the design on paper.",
    )
    threshold: Probability | None = Field(
        None,
        description="conditional: the smallest predictive probability of more than r1 responses at which to continue.",
    )
    look_month: Months | None = Field(
        None,
        description="conditional: month of the first look, counted from the first day of accrual; if left out, the "
        "look is taken when n1 patients are enrolled. Patients of the n1 not yet enrolled count with the probability "
        "that a new patient responds.",
    )

    @property
    def way(self) -> Literal["hold", "continue"]:
        """What accrual does, whichever key says so."""
        return "hold" if self.accrual == "hold" else "continue"

    def rule(self, p1: float) -> Interim:
        """The rule, in months; pending patients count at the response rate p1."""
        conditional = None
        if self.pending == "conditional":
            if self.threshold is None:
                raise InputError("is missing; with pending: conditional give a probability, such as 0.3", "threshold")
            conditional = Conditional(self.threshold, p1, self.look_month)
        return Interim(
            self.way == "hold",
            self.extra_patients,
            self.decision_weeks * WEEK,
            decide=self.decide,
            max_hold=self.max_hold_months,
            conditional=conditional,
        )

    def make(self) -> Interim:
        """See `rule`; whether there is one does not depend on p1."""
        if self.pending == "enroll_up_to" and self.extra_patients is None:
            raise InputError(
                "is missing; with pending: enroll_up_to it states how many more patients may enter", "extra_patients"
            )
        if self.accrual == "hold" and self.pending == "enroll_up_to":
            raise InputError(
                "(hold) contradicts pending: enroll_up_to, which enrolls patients meanwhile; leave accrual out",
                "accrual",
            )
        if self.accrual is None and self.pending != "enroll_up_to":
            raise InputError("is missing; write hold or continue", "accrual")
        for key, value in (("threshold", self.threshold), ("look_month", self.look_month)):
            if value is not None and self.pending != "conditional":
                raise InputError(f"({value:g}) goes with pending: conditional, not with {self.pending}", key)
        return self.rule(0.5)
