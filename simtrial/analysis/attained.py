"""What was planned and what was attained, in numbers: patients and responses at one or two looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from simtrial.design.designs import Look
from simtrial.design.second_stages import branched
from simtrial.errors import InputError
from simtrial.numbers import count
from simtrial.phrases import counted

if TYPE_CHECKING:
    from simtrial.design.designs import Design


class Planned(NamedTuple):
    """The design in numbers: one look alone has n1 = 0 and r1 = -1."""

    r1: int
    n1: int
    r: int
    n: int


@dataclass(frozen=True)
class Attained:
    """How a trial went.

    Parameters
    ----------
    n1, n : int
        Patients analysed at the first of two looks and in all; equal if the trial stopped there. A trial of one look
        has n1 = 0.
    x1, x : int
        Responses among them.

    Raises
    ------
    InputError
        If the numbers contradict each other.
    """

    n1: int
    n: int
    x1: int
    x: int

    def __post_init__(self) -> None:
        for name, least in (("n1", 0), ("n", 1), ("x1", 0), ("x", 0)):
            count(getattr(self, name), {"x1": "first_stage", "x": "responses"}.get(name, "attained"), at_least=least)
        if self.n < self.n1:
            raise InputError(f"({self.n1},{self.n}) falls from look to look", "attained")
        if self.x1 > self.n1:
            raise InputError(f"({self.x1}) is above {self.n1}, the number of patients at the first look", "first_stage")
        if self.x < self.x1:
            raise InputError(f"({self.x}) is below {self.x1}, the responses at the first look", "responses")
        if self.x - self.x1 > self.n - self.n1:
            raise InputError(
                f"({self.x}) is above {self.x1 + self.n - self.n1}: {self.x1} at the first look and "
                f"{counted(self.n - self.n1, 'patient')} since",
                "responses",
            )

    @property
    def stopped(self) -> bool:
        """Whether nobody was analysed after the first look."""
        return self.n == self.n1


def knows(design: Design) -> bool:
    """Whether every rule applies: one or two looks that stop for futility alone."""
    *interim, last = design.looks
    if branched(design.looks) is not None:
        return False
    return len(interim) < 2 and last.e is None and all(look.e is None and look.r is not None for look in interim)


def planned(design: Design) -> Planned:
    """The design in numbers, if the rules know it: one or two looks, no efficacy bound.

    Raises
    ------
    InputError
        If it is another.
    """
    match design.looks:
        case (Look(n, int(r), None),):
            return Planned(-1, 0, r, n)
        case (Look(n1, int(r1), None), Look(n, int(r), None)):
            return Planned(r1, n1, r, n)
    raise InputError(
        "must be one or two looks without an efficacy bound where the numbers differ from the plan",
        "looks",
    )
