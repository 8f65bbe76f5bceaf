"""What each family of designs gives for one question, side by side.

A family that needs minutes for large trials is left out there, and the table says so. Which of its criteria stand in
the comparison, a family states itself (`Family.beside`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.search import bounds
from simtrial.search.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simtrial.design.requirements import Requirements
    from simtrial.search.record import AnyCriterion, AnyFamily, SearchResult

MOST_N = 80
"""Fewest patients of any test up to which families that are searched on request are compared in a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """What one criterion of a family takes.

    Attributes
    ----------
    family : Family
        The family.
    criterion : Criterion
        The criterion.
    result : SearchResult or None
        What was found; None where nothing was.
    why : str
        Why nothing was found.
    """

    family: AnyFamily
    criterion: AnyCriterion
    result: SearchResult | None
    why: str = ""


def alternatives(asked: Requirements, search: Callable[[AnyFamily], object]) -> tuple[Alternative, ...]:
    """Give the designs of every family that are worth comparing.

    Parameters
    ----------
    asked : Requirements
        The limits.
    search : callable
        Gives what the search of a family found, or raises an `InputError`.
    """
    large = not bounds.can_have_power(MOST_N, asked)
    return tuple(one for family in FAMILIES.values() for one in _of(family, search, large=large))


def _of(family: AnyFamily, search: Callable[[AnyFamily], object], *, large: bool) -> Iterator[Alternative]:
    shown = [one for one in family.criteria if not family.beside or one.short in family.beside]
    why = f"no design has {counted(MOST_N, 'patient')} or fewer; searched with --family {family.key}" if large else ""
    found: object = None
    if not (large and family.on_request):
        try:
            found, why = search(family), ""
        except InputError as error:
            why = str(error)
    for criterion in shown:
        result = None if why else family.result(found, criterion)
        yield Alternative(family=family, criterion=criterion, result=result, why=why)
