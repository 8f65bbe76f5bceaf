"""The searches for one question, each made when it is first asked for and then kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from simtrial import search
from simtrial.search import FAMILIES, simon, single

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search import Family, SingleStageSearch, TwoStageSearch
    from simtrial.search.record import Found


@dataclass(frozen=True)
class Searches:
    """The searches for one question, each made at most once.

    Attributes
    ----------
    requirements : Requirements
        The question.
    n_limit : int
        Most patients of a design.
    """

    requirements: Requirements
    n_limit: int

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
            self._found[family.key] = FAMILIES[family.key].search(self.requirements, n_limit=self.n_limit)
        return cast("Found", self._found[family.key])  # the search of this family put it there

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
