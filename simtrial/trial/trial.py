"""The whole parameter file: one trial."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from simtrial.design.branching import Branching, parse_design
from simtrial.design.designs import MultiStage, SingleStage, TwoStage
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError
from simtrial.laws.losses import Among, AsRun
from simtrial.phrases import counted
from simtrial.plan.disease import Toxicity
from simtrial.plan.plan import Interim, Plan, Scenario
from simtrial.search import CALENDAR
from simtrial.trial import parts
from simtrial.trial.conduct import Conduct
from simtrial.trial.intercurrent import EstimandRule
from simtrial.trial.parts import ReportWish
from simtrial.trial.provisions import ProtocolTexts
from simtrial.trial.results import Results
from simtrial.trial.section import Section, under
from simtrial.trial.study import DesignWish, Evidence, Hypotheses, Rival, StatedSize, Study

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.laws.losses import Losses
    from simtrial.plan.dropout import Dropout
    from simtrial.search import AnyCriterion, CalendarCriterion, Constraints
    from simtrial.toxicity.rule import ToxicityRule


MOST_RESULTS = 1000
"""Most earlier results of a file."""


class Trial(Section):
    """One trial, as a parameter file describes it."""

    study: Study
    hypotheses: Hypotheses
    design: DesignWish
    stated: StatedSize | None = Field(None, description="A stated sample size to be checked.")
    rivals: Annotated[tuple[Rival, ...], Field(strict=False, max_length=10)] = ()
    conduct: Conduct | None = None
    estimand: EstimandRule | None = Field(
        None, description="The primary estimand: its attributes in words, and the intercurrent events."
    )
    analysis: Results | None = Field(None, description="The results, once the trial is over.")
    evidence: Annotated[tuple[Evidence, ...], Field(strict=False, max_length=MOST_RESULTS)] = ()
    protocol: ProtocolTexts | None = Field(
        None, description="Texts of the protocol sections in protocol.docx beside their numbers."
    )
    report: ReportWish | None = Field(None, description="What the report on this file holds.")

    @model_validator(mode="after")
    def _rules(self) -> Trial:
        if self.conduct is not None:
            self.plan_alone(SingleStage(0, 1))
        elif self.design.losses == "run":
            raise InputError("(run) needs the section conduct.dropout; add it, or write paper", "design.losses")
        among = self.hypotheses.p0_among
        if among is not None and (self.how is None or self.how.handling != "nonresponder"):
            raise InputError("goes with conduct.dropout.handling: nonresponder only", "hypotheses.p0_among")
        with under("conduct", {"dropout": "dropout.probability"}):
            _ = self.limits
        self._check_calendar()
        with under("design.constraints"):
            _ = self.constraints
        if self.estimand is not None:
            with under("estimand"):
                self.estimand.check(self.conduct)
        if self.report is not None:
            with under("report"):
                parts.refuse(self.report.parts, **self.holds)
        return self

    @property
    def holds(self) -> dict[str, bool]:
        """Whether the file has the sections that parts of a report need."""
        return {"conduct": self.conduct is not None, "results": self.analysis is not None}

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of its report: those that it names, or the usual ones."""
        return parts.usual(**self.holds) if self.report is None else self.report.parts

    @property
    def how(self) -> AsRun | None:
        """How patients are lost and counted; None if the file does not say."""
        if self.conduct is None:
            return None
        return AsRun(
            loss=_loss(self.conduct),
            handling=self.conduct.dropout.handling,
            among=self.hypotheses.p0_among or "enrolled",
            recut=self.conduct.dropout.bounds == "recut",
            informed=self.losses == "run",
        )

    @property
    def losses(self) -> Losses:
        """Whether the limits are to hold on paper or as the trial is run."""
        if self.design.losses is not None:
            return self.design.losses
        return "run" if self.conduct is not None and self.design.looks is None else "paper"

    @property
    def limits(self) -> Requirements:
        """The question that the search answers: the limits at the response rates at which the trial decides."""
        how = self.how
        return self.requirements if how is None or self.losses == "paper" else how.asked(self.requirements)

    @property
    def constraints(self) -> Constraints:
        """What else is asked of the design; looks that are given by their months, by the patients known by then.

        Raises
        ------
        InputError
            If months are given without a section conduct, or no look is left before the last one.
        """
        asked, given = self.design.asked, self.design.constraints
        if given is None or given.looks_months is None or asked.cap is None:
            return asked
        if self.conduct is None:
            raise InputError("needs the section conduct, which says how patients arrive", "looks_months")
        enrollment = self.conduct.enrollment
        law = enrollment.law.scaled(enrollment.screening_success)
        months = np.maximum(np.array(given.looks_months) - self.conduct.assessments.law.window, 0.0)
        known = sum(1.0 - law.fewer(k, months) for k in range(1, asked.cap + 1))  # the mean of min(N(t), cap)
        looks = sorted({int(n) for n in np.round(known) if 0 < n < asked.cap})
        if not looks:
            raise InputError(f"leaves no look before the last one, of {counted(asked.cap, 'patient')}", "looks_months")
        return replace(asked, looks_at=(*looks, asked.cap), cap=None)

    def _check_calendar(self) -> None:
        """Refuse a criterion that asks more of the calendar than the file says."""
        by = CALENDAR.get(self.design.criterion or "")
        if by is not None and self.conduct is None:
            raise InputError(
                f"({by.key}) depends on how the trial is run; add the section conduct (see params/example.yaml)",
                "design.criterion",
            )
        if by is not None and self.conduct is not None and self.conduct.interim is None:
            raise InputError(
                f"is missing; with design.criterion: {by.key} state whether accrual holds or continues while a look is "
                "pending: hold or continue",
                "conduct.interim",
            )
        if by is not None and by.measure == "late" and self.deadline is None:
            raise InputError(
                f"({by.key}) needs a date; give conduct.deadline_months, conduct.enrollment.close_month, or "
                "study.start and study.completion",
                "design.criterion",
            )

    @property
    def deadline(self) -> float | None:
        """Months from the first day of accrual within which a decision is in time; None if the file has no date.

        conduct.deadline_months or, in this order, the month at which accrual closes and the registered completion.
        """
        given = self.conduct
        if given is None:
            return self.study.months
        return next(
            (one for one in (given.deadline_months, given.enrollment.close_month) if one is not None), self.study.months
        )

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
        plan, rule = self.plan_alone(design), self.toxicity_rule(design)
        if rule is None:
            return plan
        # without a rate of its own the trial is run at the acceptable one
        return replace(plan, toxicity=plan.toxicity or Toxicity(rule.acceptable, rule.unacceptable), toxicity_rule=rule)

    def plan_alone(self, design: Design) -> Plan:
        """The same without the rule for toxicity; refused where there is no conduct."""
        given = self.conduct
        if given is None:
            raise InputError("is missing", "conduct")
        if given.interim is None and len(design.looks) > 1:
            raise InputError(
                "is missing; state what accrual does while a look is pending: hold or continue", "conduct.interim"
            )
        patients, enrollment, dropout = given.patients, given.enrollment, given.dropout
        with under("conduct"):
            disease = given.disease(self.hypotheses.p1)
        with under("conduct.dropout"):
            loss = _loss(given)
        toxicity = patients.toxicity
        toxic = None if toxicity is None else Toxicity(toxicity.rate, toxicity.limit, toxicity.odds_ratio)
        places = {
            "bounds": "dropout.bounds",
            "probability": "dropout.probability",
            "rate": "enrollment.rate",
            "mean_rate": "enrollment.mean_rate",
            "screening_success": "enrollment.screening_success",
            "close_month": "enrollment.close_month",
            "max_hold_months": "interim.max_hold_months",
            "pending": "interim.pending",
            "look_month": "interim.look_month",
            "loss_per_year": "patients.loss_to_follow_up_per_year",
            "landmark_months": "patients.landmark_months",
            "toxicity.rate": "patients.toxicity.rate",
            "toxicity.limit": "patients.toxicity.limit",
            "toxicity.odds_ratio": "patients.toxicity.odds_ratio",
        }
        with under("conduct", places):
            return Plan(
                design,
                enrollment.law,
                disease,
                loss,
                handling=dropout.handling,
                interim=given.interim.rule(self.hypotheses.p1) if given.interim else Interim(hold=True),
                recut=self.limits if dropout.bounds == "recut" else None,
                screening_success=enrollment.screening_success,
                close_month=enrollment.close_month,
                follow_up=given.follow_up.law,
                loss_per_year=patients.loss_to_follow_up_per_year,
                toxicity=toxic,
                landmark=patients.landmark,
            )

    def toxicity_rule(self, design: Design) -> ToxicityRule | None:
        """The rule by which the trial stops for toxicity, beside a response design; None if the file has none."""
        asked = self.design.toxicity
        if asked is None:
            return None
        with under("design.toxicity"):
            return asked.of(design.looks[-1].n)

    @property
    def truths(self) -> Requirements:
        """The true rates of H0 and of the alternative with every patient evaluable, at which the trial is run.

        Where p0 is the rate among all enrolled patients, H0 has a larger one than p0; see `reading`.
        """
        return self.truths_of(self.requirements)

    def truths_of(self, asked: Requirements) -> Requirements:
        """The same for other hypotheses under this dropout.

        Raises
        ------
        InputError
            If so many patients drop out that H0, p0 among all enrolled patients, has no true rate below p1.
        """
        how = self.how
        return asked if how is None else replace(how, among=self.reading).truths(asked)

    @property
    def reading(self) -> Among:
        """Whose response rate p0 is as the trial is run; if not stated, of evaluable patients for a design on paper."""
        if self.hypotheses.p0_among is not None:
            return self.hypotheses.p0_among
        return "evaluable" if self.losses == "paper" else "enrolled"

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The true rates to simulate: p0, p1, and what the file adds."""
        more = () if self.conduct is None else tuple(s.scenario for s in self.conduct.scenarios)
        return (Scenario("p0", self.truths.p0), Scenario("p1", self.truths.p1), *more)

    @property
    def requirements(self) -> Requirements:
        """The question as it is written: response rates of evaluable patients, and the limits."""
        asked = self.hypotheses
        return Requirements(asked.p0, asked.p1, asked.alpha, asked.power)

    @property
    def wish(self) -> str | Branching | SingleStage | TwoStage | MultiStage:
        """The criterion by its key, or the design given outright."""
        by = self.criterion
        return parse_design(self.design.looks or "") if by is None else by.key

    @property
    def criterion(self) -> AnyCriterion | CalendarCriterion | None:
        """The criterion by which the design is taken; None where it is given outright."""
        return self.design.by

    def plain(self) -> dict[str, Any]:
        """The trial as plain JSON values, which is what may be handed to papermill."""
        return self.model_dump(mode="json", exclude_none=True)


def _loss(given: Conduct) -> Dropout:
    """The law of dropout before the first assessment."""
    return given.dropout.law(given.assessments.law.interval)
