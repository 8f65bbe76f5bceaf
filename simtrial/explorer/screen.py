"""What the explorer shows of one trial, computed fast enough for a hand on a slider, and never by approximation.

Two corners are slow. A complete two-stage search for several hundred patients takes seconds, so it waits to be asked
for. And what no law gives is simulated, with fewer trials than a report would take; that, and the Monte Carlo standard
error, are stated beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.conduct import choice
from simtrial.conduct import tables as conduct_tables
from simtrial.design.designs import looks_text
from simtrial.search import CALENDAR, CRITERIA, FAMILIES, USUAL, Criterion, simon, single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.conduct.simulation import Simulation
    from simtrial.design.designs import Design
    from simtrial.search import AnyFamily, CalendarCriterion, SingleStageSearch, TwoStageSearch
    from simtrial.trial.case import Case

LIVE_N = 350
"""Patients of one stage up to which two stages are searched unasked: a tenth of a second (`benchmarks/explore.py`)."""

LIVE_CALENDAR_N = 60
"""Patients of one stage up to which calendar criteria are offered, in tenths of a second (`benchmarks/explore.py`)."""

LIVE_TRIALS = 4_000
"""Most trials simulated for a screen: a few tenths of a second even if patients are replaced."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a case without keeping anybody waiting.

    Attributes
    ----------
    case : Case
        The trial and its searches.
    two : TwoStageSearch or None
        None where the search takes so long that it waits to be asked for.
    design : Design or None
        What the trial wishes for; None if that waits too.
    """

    case: Case
    two: TwoStageSearch | None
    design: Design | None

    @property
    def single(self) -> SingleStageSearch:
        """First and sustained n."""
        return self.case.single


def answer(case: Case, *, patient: bool = False) -> Known:
    """Search for what a trial asks for.

    Parameters
    ----------
    case : Case
        The trial, and the searches that were made for its question.
    patient : bool
        Search however long it takes.

    Raises
    ------
    InputError
        If even the most powerful test needs too many patients.
    """
    wish, family = case.trial.wish, _family(case)
    n = case.single.first.n
    soon = family is None or not family.on_request or n <= family.quick_n
    two = case.two if case.searches.two_is_known or patient or n <= LIVE_N else None
    if patient or (soon and two is not None):
        return Known(case, two, case.chosen)
    if not isinstance(wish, str):
        return Known(case, two, wish)
    one_stage = family is not None and family.key == single.FAMILY.key
    return Known(case, two, case.chosen if one_stage else None)


def _family(case: Case) -> AnyFamily | None:
    """The family of the criterion that the trial asks for; None for one of the calendar, or a design given outright."""
    by = case.criterion
    return FAMILIES[by.family] if isinstance(by, Criterion) else None


def menu() -> dict[str, str]:
    """The families that may be looked at, by their names: those of one and two stages together, without a key."""
    return {"one or two stages": ""} | {key.replace("_", " "): key for key, one in FAMILIES.items() if one.on_request}


def family_of(wish: str) -> str:
    """The entry of `menu` to which a design belongs that is asked for."""
    return CRITERIA[wish].family if wish in CRITERIA and FAMILIES[CRITERIA[wish].family].on_request else ""


def quick(case: Case) -> tuple[CalendarCriterion, ...]:
    """The criteria of the calendar that are answered from exact laws, at the speed of a hand."""
    if case.searches.lost is not None or case.single.first.n > LIVE_CALENDAR_N:
        return ()
    return tuple(one for one in CALENDAR.values() if choice.has_law(one, case.question))


def first_of(family: str) -> tuple[dict[str, str], str]:
    """What is offered, and chosen, when a family is first looked at."""
    first = FAMILIES[family].criteria[0] if family else CRITERIA[USUAL]
    return {first.name: first.key}, first.key


def offered(
    two: TwoStageSearch | None, wish: str, timed: Sequence[CalendarCriterion] = (), family: str = ""
) -> dict[str, str]:
    """The designs that may be chosen: what each is called, and the criterion or looks that ask for it.

    Of a family that is looked at, its criteria. Otherwise those of one and two stages: the admissible designs between
    minimax and optimal have no criterion, so they are asked for by their looks; so is a design that was given and is
    none of these.
    """
    if family:
        return {criterion.name: criterion.key for criterion in FAMILIES[family].criteria}
    names = {one.name: key for key, one in CRITERIA.items() if not FAMILIES[one.family].on_request}
    names |= {criterion.name: criterion.key for criterion in timed}
    if wish in CALENDAR:  # a file may ask for one that has to be simulated
        names[CALENDAR[wish].name] = wish
    middle = two.admissible[1:-1] if two else ()
    names |= {f"{simon.ADMISSIBLE} {looks_text(c, ', ')}": looks_text(c) for c in middle}
    if wish not in names.values():
        names[f"as given {wish.replace(',', ', ')}"] = wish
    return names


def calendar(case: Case) -> Simulation:
    """Run the plan of a trial at p0 and p1: by its exact laws where they tell all, else simulated."""
    return case.expected(conduct_tables.running(case.chosen), LIVE_TRIALS)
