"""What the families share whose looks are given: how designs are made, and what no design on the looks is below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.design.designs import Look, MultiStage, SingleStage, TwoStage
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.search import bounds
from simtrial.search.stopping import bellman

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.aim import Aim
    from simtrial.search.candidate import Candidate
    from simtrial.search.constraints import Constraints
    from simtrial.search.record import SearchResult


def design_of(looks: Sequence[Look]) -> SingleStage | TwoStage | MultiStage:
    """A design of these looks: of the type that `simtrial.design.designs.parse_looks` gives it."""
    match looks:
        case [Look(n, int(r), None)]:
            return SingleStage(r, n)
        case [Look(n1, int(r1), e1), Look(n, int(r), None)]:
            return TwoStage(r1, n1, r, n, e1=e1)
    return MultiStage(tuple(looks))


def with_bounds(
    looks_at: Sequence[int], lower: Sequence[int], upper: Sequence[int]
) -> SingleStage | TwoStage | MultiStage:
    """The design that stops at X <= lower and at X >= upper, which are -1 and n + 1 where nothing stops.

    Raises
    ------
    InputError
        If it ends at some look without a choice.
    """
    looks = []
    for n, r, e in zip(looks_at, lower, upper, strict=True):
        if r >= n:
            raise InputError(f"({n}) ends the trial without rejecting H0, whatever is seen, by this rule", "looks_at")
        if e <= 0 or (n == looks_at[-1] and r < 0):
            raise InputError(f"({n}) ends the trial with rejection of H0, whatever is seen, by this rule", "looks_at")
        if n == looks_at[-1] or e == r + 1:
            looks.append(Look(n, r))
            break
        looks.append(Look(n, r if r >= 0 else None, e if e <= n else None))
    return design_of(looks)


EVERY = 10
"""Patients between looks where none are given."""


def usual_looks(n: int) -> tuple[int, ...]:
    """The looks where none are given: after every `EVERY` patients, and at n."""
    return (*range(EVERY, n, EVERY), n)


def least_patients(requirements: Requirements, most: int) -> int:
    """The first n at which the most powerful test has the power; `most` if no smaller n has it."""
    low, high = 0, most
    while high - low > 1:  # the power of the randomised most powerful test does not fall with n
        middle = (low + high) // 2
        low, high = (low, middle) if bounds.can_have_power(middle, requirements) else (middle, high)
    return high


def floor(requirements: Requirements, looks_at: tuple[int, ...], aim: Aim) -> float:
    """What w0 EN(p0) + w1 EN(p1) of no design with looks among these is below that keeps both limits.

    The Lagrangian bound (`simtrial.search.stopping.bellman`). No rule at all may keep the limits; every trial still has
    the patients of the first look.
    """
    try:
        return bellman.least(requirements, looks_at, aim)
    except InputError:
        return (aim.en_p0 + aim.en_p1) * looks_at[0]


def two_equal(n: int) -> tuple[int, int]:
    """The looks at n / 2 and at n patients, of an even n."""
    return n // 2, n


def two_equal_looks(n: int) -> Iterator[Design]:
    """Every design with looks at n / 2 and n patients that can stop at the first; none for an odd n."""
    if n % 2:
        return
    n1 = n // 2
    for r1 in range(-1, n1):
        for e1 in range(r1 + 2, n1 + 2):
            if (r1, e1) == (-1, n1 + 1):
                continue
            lower, upper = (None if r1 < 0 else r1), (None if e1 > n1 else e1)
            for r in range(r1 + 1, n):
                yield design_of((Look(n1, lower, upper), Look(n, r)))


def refused_beyond(requirements: Requirements, most: int, whom: str) -> InputError:
    """What is said where no n up to the largest that is searched will do."""
    limit = counted(most, "patient")
    return InputError(f"({requirements.power}) is not reached by {whom} with up to {limit}; give the looks", "power")


@dataclass(frozen=True, kw_only=True)
class OneRule:
    """What the search of a family found that has one design for a question and its looks.

    Attributes
    ----------
    requirements : Requirements
        The question.
    constraints : Constraints
        What else was asked.
    found : SearchResult
        The design and its certificate.
    """

    requirements: Requirements
    constraints: Constraints
    found: SearchResult

    def result(self, aim: Aim | None = None) -> SearchResult:  # noqa: ARG002 - one design, whatever is to be small
        """The design."""
        return self.found

    @property
    def admissible(self) -> Sequence[Candidate]:
        """None beside it."""
        return ()
