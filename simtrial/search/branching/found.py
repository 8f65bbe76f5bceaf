"""What is asked of a table, and what the search finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.numbers import count
from simtrial.search.simon import two_stage

if TYPE_CHECKING:
    from simtrial.design.bernstein import Peak
    from simtrial.design.branching import Branching
    from simtrial.design.exact import OperatingCharacteristics
    from simtrial.design.requirements import Requirements
    from simtrial.search.candidate import TwoStageCandidate
    from simtrial.search.record import Certificate

MOST_CAP = 150
"""Largest cap: the choices after each number of responses grow with its square."""


@dataclass(frozen=True, kw_only=True)
class Restrictions:
    """What else is asked of a table.

    Attributes
    ----------
    cap : int or None
        Largest number of patients; None: that of Simon's optimal design.
    monotone : bool
        Whether the conditional error must not fall as the responses of the first stage rise.
    falling : bool
        Whether the second stage must not become larger as responses rise, among those that have patients.
    n1_least : int
        Fewest patients of the first stage.

    Raises
    ------
    InputError
        If a number cannot be.
    """

    cap: int | None = None
    monotone: bool = True
    falling: bool = False
    n1_least: int = 1

    def __post_init__(self) -> None:
        count(self.n1_least, "n1_least", at_least=1)
        if self.cap is not None:
            count(self.cap, "cap", at_least=1)
            if self.cap > MOST_CAP:
                raise InputError(f"({self.cap}) is above {MOST_CAP}, the most for which tables are searched", "cap")
            if self.n1_least > self.cap:
                raise InputError(f"({self.n1_least}) is above the cap ({self.cap})", "n1_least")


@dataclass(frozen=True, kw_only=True)
class BranchingFound:
    """What the search found.

    Attributes
    ----------
    asked : Requirements
        The question.
    weight : float
        The value is (1 - weight) EN(p0) + weight EN(p1).
    restrictions : Restrictions
        What else was asked, the cap filled in.
    design : Branching
        The best design; designs whose value is larger by less than 1e-9 are not told from it.
    linear_bound : float
        The least linear bound over all n1: no design within the cap is below it.
    certificate : Certificate
        How far the search reaches; its `bound` holds for designs of any size.
    examined : tuple of int
        The n1 whose tables were searched: at all others the linear bound passes the best value.
    """

    asked: Requirements
    weight: float
    restrictions: Restrictions
    design: Branching
    linear_bound: float
    certificate: Certificate
    examined: tuple[int, ...] = field(repr=False)

    @cached_property
    def law(self) -> OperatingCharacteristics:
        """What the design does at p0 and p1."""
        return self.design.at([self.asked.p0, self.asked.p1])

    @cached_property
    def largest_type_i_error(self) -> Peak:
        """The largest P(reject H0; p) over all p <= p0."""
        return self.design.largest_reject(self.asked.p0)

    @property
    def simon(self) -> TwoStageCandidate:
        """Simon's optimal design for the same question."""
        return two_stage(self.asked).optimal

    @property
    def monotone(self) -> bool:
        """Whether the conditional error never falls, asked for or not."""
        return self.design.is_monotone(self.asked.p0)
