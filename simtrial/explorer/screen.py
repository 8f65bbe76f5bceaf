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
from simtrial.search import CALENDAR, CRITERIA, simon, single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.conduct.simulation import Simulation
    from simtrial.design.designs import Design
    from simtrial.search import CalendarCriterion, SingleStageSearch, TwoStageSearch
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
        Search two stages however long it takes.

    Raises
    ------
    InputError
        If even the most powerful test needs too many patients.
    """
    wish = case.trial.wish
    if case.searches.two_is_known or patient or case.single.first.n <= LIVE_N:
        return Known(case, case.two, case.chosen)
    if not isinstance(wish, str):
        return Known(case, None, wish)
    one_stage = wish in CRITERIA and CRITERIA[wish].family == single.FAMILY.key
    return Known(case, None, case.chosen if one_stage else None)


def quick(case: Case) -> tuple[CalendarCriterion, ...]:
    """The criteria of the calendar that are answered from exact laws, at the speed of a hand."""
    if case.searches.lost is not None or case.single.first.n > LIVE_CALENDAR_N:
        return ()
    return tuple(one for one in CALENDAR.values() if choice.has_law(one, case.question))


def offered(two: TwoStageSearch | None, wish: str, timed: Sequence[CalendarCriterion] = ()) -> dict[str, str]:
    """The designs that may be chosen: what each is called, and the criterion or looks that ask for it.

    The admissible designs between minimax and optimal have no criterion, so they are asked for by their looks; so is a
    design that was given and is none of these.
    """
    names = {criterion.name: key for key, criterion in CRITERIA.items()}
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
