"""The searches for one question, each made when it is first asked for and then kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

from simtrial import search
from simtrial.errors import InputError
from simtrial.laws import recalculated
from simtrial.search import FAMILIES, FREE, Constraints, simon, single

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.laws.losses import AsRun, Losses
    from simtrial.plan.dropout import Dropout
    from simtrial.search import AnyCriterion, Family, SingleStageSearch, TwoStageSearch
    from simtrial.search.record import Found
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
    constraints : Constraints
        What is asked of the design that is wished for; the designs beside which it stands are searched without.
    """

    requirements: Requirements
    n_limit: int
    lost: Dropout | None = None
    constraints: Constraints = FREE

    @classmethod
    def under(cls, how: AsRun, asked: Requirements, n_limit: int, constraints: Constraints = FREE) -> Searches:
        """The searches for designs that keep the limits as the trial is run."""
        if how.recut and how.loss.probability:
            return cls(asked, n_limit, how.loss, constraints)
        return cls(how.asked(asked), n_limit, constraints=constraints)

    @classmethod
    def of_trial(cls, trial: Trial, losses: Losses) -> Searches:
        """The searches of a trial whose limits are to hold on paper, or as it is run if the file says how."""
        how = trial.how
        if how is None or losses == "paper":
            return cls(trial.requirements, trial.design.n_limit, constraints=trial.constraints)
        informed = replace(how, informed=True)
        return cls.under(informed, trial.requirements, trial.design.n_limit, trial.constraints)

    @cached_property
    def _found(self) -> dict[tuple[str, Constraints], object]:
        """What has been searched, by family and constraints."""
        return {}

    def wished(self, family: Family[Found]) -> Found:
        """What the search of a family found under the constraints; see `of`."""
        return self.of(family, self.constraints)

    def of(self, family: Family[Found], constraints: Constraints = FREE) -> Found:
        """What the search of a family found.

        Raises
        ------
        InputError
            If even the most powerful test needs too many patients.
        """
        asked = (family.key, constraints)
        if asked not in self._found:
            self._found[asked] = self._search(*asked)
        return cast("Found", self._found[asked])  # the search of this family put it there

    def _search(self, key: str, constraints: Constraints) -> object:
        if self.lost is None:
            return FAMILIES[key].search(self.requirements, n_limit=self.n_limit, constraints=constraints)
        if constraints != FREE:
            raise InputError("(recut) excludes constraints on the design; write fixed", "bounds")
        if key == simon.FAMILY.key:
            return recalculated.two_stage(self.requirements, self.lost, n_limit=self.n_limit)
        if key == single.FAMILY.key:
            return recalculated.single_stage(self.requirements, self.lost, n_limit=self.n_limit)
        raise InputError(f"(recut) is not possible for {FAMILIES[key].title}; write fixed", "bounds")

    @property
    def single(self) -> SingleStageSearch:
        """Designs of one stage; see `of`."""
        return self.of(single.FAMILY)

    @property
    def two(self) -> TwoStageSearch:
        """Designs of two stages; see `of`."""
        return cast("TwoStageSearch", self.of(simon.FAMILY))  # as every search for it without constraints

    @property
    def two_is_known(self) -> bool:
        """Whether the search for two stages has been made."""
        return (simon.FAMILY.key, FREE) in self._found

    def choose(self, wish: str | AnyCriterion | Design) -> Design:
        """Give the design that is wished for, as `search.choose` does."""
        return search.choose(self.requirements, wish, found=self.wished)
