"""One trial and everything that follows from its parameter file alone, each part computed when it is first asked for.

Notebooks, tables, the front page, the explorer and the command line all ask the same `Case`, so that no search and no
simulation of one trial is made twice, and nobody has to know how a design is found in order to show it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, cast

from simtrial import search
from simtrial.conduct import simulation
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.laws import recalculated
from simtrial.laws.candidates import RecalculatedCandidate, RecalculatedTwoStage
from simtrial.search import FAMILIES, neighbours, simon
from simtrial.search import single as search_single
from simtrial.search.candidate import attained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.conduct.simulation import Simulation
    from simtrial.design.designs import Design
    from simtrial.design.exact import OperatingCharacteristics
    from simtrial.design.requirements import Requirements
    from simtrial.laws.losses import AsRun, Losses
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.plan import Plan, Scenario
    from simtrial.search import AnyCriterion, AnyFamily, Family, Proof, SingleStageSearch, TwoStageSearch
    from simtrial.search.candidate import Candidate, TwoStageCandidate
    from simtrial.search.record import Found
    from simtrial.trial.conduct import SimulationSize
    from simtrial.trial.trial import Trial


@dataclass(frozen=True)
class Searches:
    """The searches for one question, each made at most once.

    Attributes
    ----------
    requirements : Requirements
        The question.
    n_limit : int
        Most patients of a design.
    lost : Dropout or None
        The dropout, where bounds are recalculated at the numbers evaluable: searches of their own.
    """

    requirements: Requirements
    n_limit: int
    lost: Dropout | None = None

    @classmethod
    def under(cls, how: AsRun, asked: Requirements, n_limit: int) -> Searches:
        """The searches for designs that keep the limits as the trial is run."""
        if how.recut and how.loss.probability:
            return cls(asked, n_limit, how.loss)
        return cls(how.asked(asked), n_limit)

    @cached_property
    def _found(self) -> dict[str, object]:
        """What has been searched, by family."""
        return {}

    def of(self, family: Family[Found]) -> Found:
        """What the search of a family found.

        Raises
        ------
        InputError
            If even the most powerful test needs too many patients.
        """
        if family.key not in self._found:
            self._found[family.key] = self._search(family.key)
        return cast("Found", self._found[family.key])  # the search of this family put it there

    def _search(self, key: str) -> object:
        if self.lost is None:
            return FAMILIES[key].search(self.requirements, n_limit=self.n_limit)
        if key == simon.FAMILY.key:
            return recalculated.two_stage(self.requirements, self.lost, n_limit=self.n_limit)
        if key == search_single.FAMILY.key:
            return recalculated.single_stage(self.requirements, self.lost, n_limit=self.n_limit)
        raise InputError(f"(recut) is not searched for {FAMILIES[key].title}; keep the bounds fixed", "bounds")

    @property
    def single(self) -> SingleStageSearch:
        """Designs of one stage; see `of`."""
        return self.of(search_single.FAMILY)

    @property
    def two(self) -> TwoStageSearch:
        """Designs of two stages; see `of`."""
        return self.of(simon.FAMILY)

    @property
    def two_is_known(self) -> bool:
        """Whether the search for two stages has been made."""
        return simon.FAMILY.key in self._found

    def choose(self, wish: str | Design) -> Design:
        """Give the design that is wished for, as `search.choose` does."""
        return search.choose(self.requirements, wish, found=self.of)


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
        if like is not None and like.searches == _searches(trial):
            return cls(trial, like.searches)
        return _kept(_ByContent(trial.model_dump_json(), trial))

    def checked(self, place: str) -> Case:
        """Find the design and its plan now, so that mistakes are told before anything is made.

        Parameters
        ----------
        place : str
            The name of the parameter file, for messages.

        Raises
        ------
        InputError
            Naming the key that asks too much, or that does not fit the design.
        """
        try:
            _ = self.chosen
        except InputError as error:
            raise InputError(self.told(error), f"{place}: trial.hypotheses.{error.field}") from None
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
        if self.searches.lost is None or isinstance(self.chosen, RecalculatedCandidate | RecalculatedTwoStage):
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
        return self._searched("paper")

    @cached_property
    def as_run(self) -> Searches | None:
        """The searches under the dropout and handling of the file; None if it does not say how the trial is run."""
        return None if self.trial.how is None else self._searched("run")

    def _searched(self, losses: Losses) -> Searches:
        if self.trial.losses == losses:
            return self.searches
        how, asked, limit = self.trial.how, self.requirements, self.trial.design.n_limit
        if how is None or losses == "paper":
            return Searches(asked, limit)
        return Searches.under(replace(how, informed=True), asked, limit)

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
        return self.searches.choose(self.trial.wish)

    @property
    def criterion(self) -> AnyCriterion | None:
        """The criterion by which the design is taken; None where it is given outright."""
        return self.trial.criterion

    @property
    def family(self) -> AnyFamily | None:
        """The family that this criterion belongs to."""
        return FAMILIES[self.criterion.family] if self.criterion is not None else None

    @property
    def proof(self) -> Proof | None:
        """The certificate of the search that found the design; None where the design is given outright."""
        return self.family.proof(self.searches.of(self.family)) if self.family is not None else None

    @property
    def n(self) -> int:
        """Patients at the last look of the design."""
        return self.chosen.looks[-1].n

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
        """Trials and seed of the file's simulations.

        Raises
        ------
        InputError
            If the file does not say how the trial is run.
        """
        return self._run()[1]

    @cached_property
    def simulated(self) -> Simulation:
        """All scenarios of the file simulated, with the file's trials and seed.

        Raises
        ------
        InputError
            If the file does not say how the trial is run.
        """
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
    return Case(one.trial, _searches(one.trial))


def _searches(trial: Trial) -> Searches:
    """The searches of a trial, for limits on paper or as it is run."""
    asked, limit = trial.requirements, trial.design.n_limit
    if trial.how is None or trial.losses == "paper":
        return Searches(asked, limit)
    return Searches.under(trial.how, asked, limit)
