"""What a designer may ask of a design beside the limits: sizes, looks and stops that are allowed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from simtrial.design.designs import MAX_LOOKS
from simtrial.design.requirements import N_LIMIT_MOST
from simtrial.errors import InputError
from simtrial.numbers import count
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Collection

StopsFor = Literal["futility", "efficacy", "both"]
"""For what a trial may stop before its last look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Restrictions of a search; without any, a family has all of its designs.

    Attributes
    ----------
    looks_at : tuple of int or None
        The numbers of patients at the looks, the last being n; None where the search chooses them.
    stops : StopsFor or None
        For what the trial may stop early; None: what the family is made for.
    futility_optional : bool
        Whether designs without a stop for futility at the first look are searched too, where there is one for efficacy.
    r1 : int or None
        The futility bound of the first look, if it must be this one.
    n1_least : int
        Fewest patients at the first look.
    balanced : bool
        Whether all stages must be equal: n = 2 n1 of two.
    cap : int or None
        Largest n.
    multiple_of : int
        Every number of patients at a look must be a multiple of this.
    prior : tuple of float or None
        The Beta prior (a, b) of the response rate that a Bayesian rule takes; None: the usual one of the family.
    first_look : int or None
        Patients at the first look of a rule that looks at every patient from there on; None: as published.
    any_order : bool
        Whether the conditional type I error of a table may fall as the responses of the first stage rise.
    n2_falls : bool
        Whether the second stage must not become larger as the responses of the first stage rise.

    Raises
    ------
    InputError
        If a number cannot be, or two restrictions exclude each other.
    """

    looks_at: tuple[int, ...] | None = None
    stops: StopsFor | None = None
    futility_optional: bool = False
    r1: int | None = None
    n1_least: int = 1
    balanced: bool = False
    cap: int | None = None
    multiple_of: int = 1
    prior: tuple[float, float] | None = None
    first_look: int | None = None
    any_order: bool = False
    n2_falls: bool = False

    def __post_init__(self) -> None:
        for name, least in (("r1", 0), ("n1_least", 1), ("cap", 1), ("multiple_of", 1), ("first_look", 1)):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, count(value, name, at_least=least))
                if value > N_LIMIT_MOST:
                    raise InputError(f"({value}) is above {N_LIMIT_MOST}", name)
        if self.looks_at is not None:
            self._check_looks(self.looks_at)

    def _check_looks(self, looks: tuple[int, ...]) -> None:
        if not looks:
            raise InputError("is empty; give the numbers of patients at the looks, such as 20,40", "looks_at")
        checked = tuple(count(n, "looks_at", at_least=1) for n in looks)
        if any(a >= b for a, b in pairwise(checked)):
            raise InputError(f"({', '.join(map(str, checked[:6]))}) do not increase", "looks_at")
        if checked[-1] > N_LIMIT_MOST:
            raise InputError(f"({checked[-1]}) is above {N_LIMIT_MOST}", "looks_at")
        object.__setattr__(self, "looks_at", checked)
        for name, other in (
            ("cap", None),
            ("balanced", False),
            ("multiple_of", 1),
            ("n1_least", 1),
            ("first_look", None),
        ):
            if getattr(self, name) != other:
                raise InputError("states every number of patients; leave out the other", f"looks_at, beside {name},")

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the restrictions that are made."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) != one.default)

    def only(self, allowed: Collection[str], whom: str) -> Constraints:
        """These constraints, if a family takes all of them.

        Parameters
        ----------
        allowed : collection of str
            The names of those that it takes.
        whom : str
            Its designs, in the plural, for the message.

        Raises
        ------
        InputError
            Naming the first that it does not take.
        """
        for name in self.given:
            if name not in allowed:
                raise InputError(f"is not possible for {whom}; leave it out", name)
        return self

    def those(self, allowed: Collection[str]) -> Constraints:
        """The restrictions among some names, the others left out."""
        return Constraints(**{name: getattr(self, name) for name in self.given if name in allowed})


FREE = Constraints()
"""No restriction."""

NAMES = frozenset(one.name for one in fields(Constraints))
"""The names of the restrictions."""


def given_looks(constraints: Constraints, whom: str) -> tuple[int, ...]:
    """The looks of a family that needs them.

    Raises
    ------
    InputError
        If none are given, only one, or more than are read from text.
    """
    looks = constraints.looks_at
    if looks is None:
        raise InputError(f"is missing; {whom} need the numbers of patients at their looks, such as 20,40", "looks_at")
    if len(looks) > MAX_LOOKS:
        raise InputError(f"has {counted(len(looks), 'look')}; at most {MAX_LOOKS} are allowed", "looks_at")
    return looks
