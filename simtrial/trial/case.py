"""One trial and everything that follows from its parameter file alone, each part computed when it is first asked for.

Notebooks, tables, the front page, the explorer and the command line all ask the same `Case`, so that no search and no
simulation of one trial is made twice, and nobody has to know how a design is found in order to show it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from simtrial.conduct import choice, simulation
from simtrial.conduct.choice import CalendarQuestion
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.laws import recalculated
from simtrial.laws.candidates import RecalculatedCandidate
from simtrial.search import FAMILIES, CalendarCriterion, neighbours
from simtrial.search import calendar as search_calendar
from simtrial.search.candidate import attained
from simtrial.search.compare.alternatives import Alternative, alternatives
from simtrial.search.constraints import NAMES
from simtrial.trial.searches import Searches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.conduct.choice import CalendarChoice
    from simtrial.conduct.cost import Prices
    from simtrial.conduct.simulation import Simulation
    from simtrial.design.designs import Design
    from simtrial.design.exact import OperatingCharacteristics
    from simtrial.design.requirements import Requirements
    from simtrial.laws.losses import AsRun
    from simtrial.plan.plan import Plan, Scenario
    from simtrial.search import AnyCriterion, AnyFamily, Certificate, SingleStageSearch, TwoStageSearch
    from simtrial.search.candidate import Candidate, TwoStageCandidate
    from simtrial.search.record import Examined
    from simtrial.toxicity.rule import ToxicityRule
    from simtrial.trial.simulated import SimulationSize
    from simtrial.trial.trial import Trial

MOST_TRIALS = 10_000
"""Most trials by which designs are compared where they have to be simulated: there are many of them."""


@dataclass(frozen=True)
class Case:
    """A trial with its searches, the design taken, the plan by which it is run, and what the two do.

    Attributes
    ----------
    trial : Trial
        What the parameter file says.
    searches : Searches
        Those of its question.
    """

    trial: Trial
    searches: Searches

    @classmethod
    def of(cls, trial: Trial, like: Case | None = None) -> Case:
        """Give the case of a trial: the same one for the same trial, as long as it is among the last few asked for.

        Parameters
        ----------
        trial : Trial
            What the parameter file says.
        like : Case, optional
            Another case; if it asks the same question, its searches are taken over.
        """
        if like is not None and like.searches == Searches.of_trial(trial, trial.losses):
            return cls(trial, like.searches)
        return _kept(_ByContent(trial.model_dump_json(), trial))

    def checked(self, place: str) -> Case:
        """Find the design and its plan now, so that mistakes are told before anything is made; `place` names the file.

        Raises
        ------
        InputError
            Naming the key that asks too much, or that does not fit the design.
        """
        try:
            _ = self.chosen
        except InputError as error:
            asks_for_plan = error.field.startswith("conduct")  # as the calendar does
            section = "" if asks_for_plan else "design.constraints." if error.field in NAMES else "hypotheses."
            raise InputError(self.told(error), f"{place}: trial.{section}{error.field}") from None
        try:
            _ = self.plan
        except InputError as error:
            raise InputError(error.message, f"{place}: trial.{error.field}") from None
        return self

    def told(self, error: InputError) -> str:
        """What is wrong with the question; the search may have been asked for other rates than the file states."""
        if self.limits == self.requirements:
            return error.message
        asked, limits = self.requirements, self.limits
        return (
            f"{error.message}; under the dropout p0 = {asked.p0:g} and p1 = {asked.p1:g} become {limits.p0:g} and "
            f"{limits.p1:g} (design.losses: paper asks for a design on paper)"
        )

    @property
    def requirements(self) -> Requirements:
        """The question as it is written."""
        return self.trial.requirements

    @property
    def limits(self) -> Requirements:
        """The limits at the response rates at which the trial decides, which the searches are asked to keep."""
        return self.trial.limits

    @cached_property
    def taken(self) -> Candidate:
        """The design with what it attains, on paper or as the trial is run."""
        if self.searches.lost is None or isinstance(self.chosen, RecalculatedCandidate):
            return attained(self.chosen, self.limits)
        return RecalculatedCandidate(self.chosen, self.requirements, loss=self.searches.lost)

    @cached_property
    def near(self) -> Sequence[TwoStageCandidate]:
        """Two-stage designs of about the same sizes that keep the limits."""
        if self.searches.lost is None:
            return neighbours.near(self.two, self.chosen)
        return recalculated.near(self.requirements, self.searches.lost, self.chosen)

    @property
    def keeps(self) -> bool:
        """Whether the design keeps its limits, on paper or as the trial is run."""
        return self.taken.keeps

    @property
    def under(self) -> AsRun | None:
        """How patients are lost, where the limits are to hold so; None where they are to hold on paper."""
        return self.trial.how if self.trial.losses == "run" else None

    @cached_property
    def on_paper(self) -> Searches:
        """The searches for the question as it is written, every patient being evaluable."""
        return self.searches if self.trial.losses == "paper" else Searches.of_trial(self.trial, "paper")

    @cached_property
    def as_run(self) -> Searches | None:
        """The searches under the dropout and handling of the file; None if it does not say how the trial is run."""
        if self.trial.how is None:
            return None
        return self.searches if self.trial.losses == "run" else Searches.of_trial(self.trial, "run")

    @property
    def single(self) -> SingleStageSearch:
        """Designs of one stage; see `Searches`."""
        return self.searches.single

    @property
    def two(self) -> TwoStageSearch:
        """Designs of two stages; see `Searches`."""
        return self.searches.two

    @cached_property
    def chosen(self) -> Design:
        """The design that the file asks for, by criterion or outright."""
        if isinstance(self.criterion, CalendarCriterion):
            return self.by_calendar(self.criterion).design
        return self.searches.choose(self.trial.wish if self.criterion is None else self.criterion)

    @cached_property
    def question(self) -> CalendarQuestion:
        """What a criterion of the calendar is asked: the limits of the search, and how a design is run.

        Raises
        ------
        InputError
            If the file does not say how the trial is run.
        """
        given = self.trial.conduct
        if given is None:
            raise InputError("is missing", "conduct")
        if self.searches.lost is not None:
            raise InputError("(recut) excludes criteria of the calendar; write fixed", "conduct.dropout.bounds")
        return CalendarQuestion(
            requirements=self.limits,
            rates=(self.trial.truths.p0, self.trial.truths.p1),
            plan_of=self.trial.plan_alone,
            trials=min(given.simulation.trials, MOST_TRIALS),
            seed=given.simulation.seed,
            deadline=self.trial.deadline,
            n_limit=self.searches.n_limit,
        )

    @property
    def prices(self) -> Prices | None:
        """What the trial costs; None if the file does not say."""
        given = self.trial.conduct
        return None if given is None or given.cost is None else given.cost.law

    def run(self, design: Design) -> Plan:
        """How any design is run by the file.

        Raises
        ------
        InputError
            If the file does not say, or its conduct does not fit the design.
        """
        plan = self.trial.plan(design)
        if plan is None:
            raise InputError("is missing", "conduct")
        return plan

    def best(self, searches: Searches) -> Design:
        """The design that is best by the file's criterion of those that meet the limits of other searches.

        Raises
        ------
        InputError
            If there is no criterion, or no such design.
        """
        by = self.criterion
        if isinstance(by, CalendarCriterion):
            return choice.choose(by, replace(self.question, requirements=searches.requirements)).design
        if by is None:
            raise InputError("is missing", "design.criterion")
        return searches.choose(by)

    @cached_property
    def alternatives(self) -> tuple[Alternative, ...]:
        """What the other families of designs give for the same limits."""
        return alternatives(self.limits, self.searches.of)

    def by_calendar(self, criterion: CalendarCriterion) -> CalendarChoice:
        """The design that is best by a criterion of the calendar, found when it is first asked for."""
        if criterion.key not in self._by_calendar:
            self._by_calendar[criterion.key] = choice.choose(criterion, self.question)
        return self._by_calendar[criterion.key]

    @cached_property
    def _by_calendar(self) -> dict[str, CalendarChoice]:
        """What has been chosen by the calendar, by criterion."""
        return {}

    @property
    def criterion(self) -> AnyCriterion | CalendarCriterion | None:
        """The criterion by which the design is taken; None where it is given outright."""
        return self.trial.criterion

    @property
    def family(self) -> AnyFamily | Examined | None:
        """The family that this criterion belongs to, or what was examined by the calendar."""
        by = self.criterion
        if isinstance(by, CalendarCriterion):
            return search_calendar.examined(by, self.by_calendar(by).proof.how)
        return FAMILIES[by.family] if by is not None else None

    @property
    def proof(self) -> Certificate | None:
        """The certificate of the search that found the design; None where the design is given outright."""
        by = self.criterion
        if isinstance(by, CalendarCriterion):
            return self.by_calendar(by).proof
        if by is None:
            return None
        family = FAMILIES[by.family]
        return family.certificate(self.searches.wished(family), by)

    @property
    def n(self) -> int:
        """Patients at the last look of the design."""
        return self.chosen.looks[-1].n

    @cached_property
    def toxicity_rule(self) -> ToxicityRule | None:
        """The rule by which the trial stops for toxicity; None if the file has none."""
        return self.trial.toxicity_rule(self.chosen)

    @cached_property
    def plan(self) -> Plan | None:
        """How the design is run; None if the file does not say."""
        return self.trial.plan(self.chosen)

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The true rates to simulate: p0, p1, and what the file adds."""
        return self.trial.scenarios

    @cached_property
    def at_limits(self) -> OperatingCharacteristics:
        """Operating characteristics of the design at p0 and p1, in this order."""
        return operating_characteristics(self.chosen, [self.requirements.p0, self.requirements.p1])

    @cached_property
    def size(self) -> SimulationSize:
        """Trials and seed of the file's simulations; refused if the file does not say how the trial is run."""
        return self._run()[1]

    @cached_property
    def simulated(self) -> Simulation:
        """All scenarios of the file simulated, with its trials and seed; refused as `size`."""
        plan, size = self._run()
        return simulation.simulate(plan, self.scenarios, size.trials, size.seed)

    def expected(self, names: Sequence[str], most: int | None = None) -> Simulation:
        """Outcomes at p0 and p1 from exact laws, and simulated only where there are none: `simulation.expect`.

        Parameters
        ----------
        names : sequence of str
            Outcomes that are wanted.
        most : int, optional
            Most trials, if those of the file take too long.

        Raises
        ------
        InputError
            If the file does not say how the trial is run.
        """
        plan, size = self._run()
        trials = size.trials if most is None else min(size.trials, most)
        return simulation.expect(plan, self.scenarios[:2], names, trials, size.seed)

    def _run(self) -> tuple[Plan, SimulationSize]:
        if self.plan is None or self.trial.conduct is None:
            raise InputError("is missing", "conduct")
        return self.plan, self.trial.conduct.simulation


@dataclass(frozen=True)
class _ByContent:
    """A trial that equals another one if both are written the same."""

    content: str
    trial: Trial

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByContent) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)


@lru_cache(maxsize=4)
def _kept(one: _ByContent) -> Case:
    """The case of a trial; what it has computed is kept with it."""
    return Case(one.trial, Searches.of_trial(one.trial, one.trial.losses))
