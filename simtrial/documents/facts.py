"""What the sections of a protocol share: the trial, its design, what is stated and what is still to be completed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial.conduct.text import HANDLINGS
from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import branched
from simtrial.laws import decision
from simtrial.phrases import to_complete
from simtrial.trial import differing, estimand, safety
from simtrial.trial.protocol import timed
from simtrial.trial.provisions import ProtocolTexts
from simtrial.trial.results import Results

if TYPE_CHECKING:
    from simtrial.conduct.simulation import Simulation
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.laws.strategies import Strategy
    from simtrial.numbers import Floats
    from simtrial.plan.plan import Handling, Plan
    from simtrial.trial.case import Case
    from simtrial.trial.differing import Differing
    from simtrial.trial.estimand import Estimand
    from simtrial.trial.safety import Safety

SIMULATION_REPORT = "simulation_report"
"""Name of the files of the report on the simulation."""


@dataclass(frozen=True)
class Facts:
    """A trial as its protocol states it.

    Attributes
    ----------
    case : Case
        The trial and its design.
    """

    case: Case

    @property
    def design(self) -> Design:
        """The design taken."""
        return self.case.chosen

    @property
    def asked(self) -> Requirements:
        """The question as it is written."""
        return self.case.requirements

    @property
    def plan(self) -> Plan | None:
        """How the design is run; None if the file does not say."""
        return self.case.plan

    @property
    def several(self) -> bool:
        """Whether there is an interim analysis."""
        return len(self.design.looks) > 1

    @property
    def adaptive(self) -> bool:
        """Whether the second stage depends on the first."""
        return branched(self.design.looks) is not None

    @property
    def handling(self) -> Handling | None:
        """How patients without a response assessment count; None if the file does not say."""
        return None if self.plan is None else self.plan.handling

    @property
    def stops_for_efficacy(self) -> bool:
        """Whether an interim analysis may reject H0."""
        return any(look.e is not None for look in self.design.looks)

    @property
    def stops_for_futility(self) -> bool:
        """Whether an interim analysis may stop for futility."""
        return any(look.r is not None for look in self.design.looks[:-1])

    @property
    def texts(self) -> ProtocolTexts:
        """What the file states for the protocol beside the numbers."""
        return self.case.trial.protocol or ProtocolTexts()

    @cached_property
    def safety(self) -> Safety | None:
        """The rule for toxicity beside the design; None if the file has none."""
        return safety.of(self.case)

    @property
    def aside(self) -> str:
        """That figures leave the rule for toxicity aside, after other conditions; empty if the file has none."""
        return "" if self.case.toxicity_rule is None else ", the rule for toxicity left aside"

    @property
    def described(self) -> list[str]:
        """Which endpoints are described beside the primary one: secondary ones, and those on safety."""
        given, texts = self.case.trial.conduct, self.texts
        patients = None if given is None else given.patients
        secondary = bool(texts.duration_of_response)
        safety = texts.safety is not None
        if patients is not None:
            secondary |= bool(patients.complete_share)
            secondary |= any(one is not None for one in (patients.dcr, patients.pfs, patients.os))
            safety |= patients.toxicity is not None
        return ["secondary"] * secondary + ["safety"] * safety

    def stated(self, key: str, missing: str) -> str:
        """A text of the file in one line, or the mark that it is missing."""
        text: str | None = getattr(self.texts, key)
        return " ".join(text.split()) if text else to_complete(missing)

    @cached_property
    def timed(self) -> Simulation | None:
        """Months and patients at p0 and p1; None if the file does not say how the trial is run."""
        return None if self.plan is None else timed(self.case)

    @cached_property
    def estimand(self) -> Estimand:
        """The primary estimand with the price of every strategy."""
        return estimand.of(self.case)

    @cached_property
    def mixed(self) -> Differing | None:
        """The strategies of intercurrent events where they are not all that of the handling of dropout."""
        return differing.of(self.case)

    @property
    def strategies(self) -> set[Strategy]:
        """The strategies of the events that may happen; none if the file does not say."""
        return {one.strategy for one in self.estimand.events if one.strategy is not None and one.probability != 0}

    @property
    def level(self) -> float:
        """Confidence level of the planned intervals."""
        given = self.case.trial.analysis
        return float(Results.model_fields["level"].default) if given is None else given.level

    @property
    def sides(self) -> Literal[1, 2]:
        """2 for two-sided intervals, 1 for a lower limit alone."""
        given = self.case.trial.analysis
        return 2 if given is None else given.sides

    @property
    def ordering(self) -> Literal["stage", "mle", "umvue"]:
        """How the possible endings of the trial are ordered."""
        given = self.case.trial.analysis
        return "stage" if given is None else given.ordering

    @cached_property
    def stops(self) -> tuple[Floats, str]:
        """P(stop at each look) at p0 and at p1, shape (2, looks), and under which conditions.

        As the trial is run where its limits are to hold so, or its interim analysis does not wait, and there is an
        exact law; else with every patient evaluable. These are stops by the number of responses.
        """
        case, asked, plan = self.case, self.asked, self.plan
        pending = plan is not None and plan.conditional is not None
        if plan is not None and (case.under is not None or pending) and decision.has_law(plan):
            truths = case.trial.truths
            alike = "" if self.mixed is None else f", all of it {HANDLINGS[plan.handling]}"
            found = decision.decision(plan, np.array([truths.p0, truths.p1])).stop
            return found, f"under the assumed dropout{alike}{self.aside}"
        how = "with every patient evaluable" + (" and no patient pending" if pending else "")
        both = self.safety
        if both is not None:
            every = [both.ending_at_looks(p) for p in (asked.p0, asked.p1)]
            rule = both.included if pending else both.included.removeprefix("with ")
            return np.array(every), f"{how}{', ' if pending else ' and '}{rule}"
        return operating_characteristics(self.design, [asked.p0, asked.p1]).n_distribution, how
