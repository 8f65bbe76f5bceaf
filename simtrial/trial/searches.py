"""The searches for one question, each made when it is first asked for and then kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

from simtrial import search
from simtrial.errors import InputError
from simtrial.laws import recalculated
from simtrial.search import FAMILIES, simon, single

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.laws.losses import AsRun, Losses
    from simtrial.plan.dropout import Dropout
    from simtrial.search import Family, SingleStageSearch, TwoStageSearch
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

    @classmethod
    def of_trial(cls, trial: Trial, losses: Losses) -> Searches:
        """The searches of a trial whose limits are to hold on paper, or as it is run if the file says how."""
        how = trial.how
        if how is None or losses == "paper":
            return cls(trial.requirements, trial.design.n_limit)
        return cls.under(replace(how, informed=True), trial.requirements, trial.design.n_limit)

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
        return self.of(simon.FAMILY)

    @property
    def two_is_known(self) -> bool:
        """Whether the search for two stages has been made."""
        return simon.FAMILY.key in self._found

    def choose(self, wish: str | Design) -> Design:
        """Give the design that is wished for, as `search.choose` does."""
        return search.choose(self.requirements, wish, found=self.of)
