"""What the explorer shows of one trial, computed fast enough for a hand on a slider, and never other than exactly.

Two corners are slow. A complete two-stage search for several hundred patients takes seconds, so it waits to be asked
for. And what no law gives is simulated, with fewer trials than a report would take; that, and the Monte Carlo standard
error, are said beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial import conduct_tables, search, simulation
from simtrial.designs import looks_text
from simtrial.errors import InputError
from simtrial.search import CRITERIA

if TYPE_CHECKING:
    from simtrial.designs import Design
    from simtrial.plan import Plan
    from simtrial.search import SingleStageSearch, TwoStageSearch
    from simtrial.sections import Trial
    from simtrial.simulation import Simulation

LIVE_N = 350
"""Patients of one stage up to which two stages are searched unasked: a tenth of a second (`benchmarks/explore.py`)."""

LIVE_TRIALS = 4_000
"""Most trials simulated for a screen: even with losses replaced some tenths of a second."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The designs that meet the limits, and the one taken.

    Attributes
    ----------
    single : SingleStageSearch
        First and sustained n.
    two : TwoStageSearch or None
        None where the search takes so long that it waits to be asked for.
    design : Design or None
        What the trial wishes for; None if that waits too.
    """

    single: SingleStageSearch
    two: TwoStageSearch | None
    design: Design | None


def answer(trial: Trial, *, known: TwoStageSearch | None = None, patient: bool = False) -> Answer:
    """Search for what a trial asks for.

    Parameters
    ----------
    trial : Trial
        Its hypotheses and its wish.
    known : TwoStageSearch, optional
        The last search, which is not done again for the same question.
    patient : bool
        Search two stages however long it takes.

    Raises
    ------
    InputError
        If even the most powerful test needs too many patients.
    """
    asked, limit, wish = trial.requirements, trial.design.n_limit, trial.wish
    single = search.single_stage(asked, n_limit=limit)
    two = known if known is not None and known.requirements == asked else None
    if two is None and (patient or single.first.n <= LIVE_N):
        two = search.two_stage(asked, n_limit=limit)
    if isinstance(wish, str):
        searched: dict[str, SingleStageSearch | TwoStageSearch | None] = {"single": single, "simon": two}
        criterion = CRITERIA[wish]
        if criterion.family not in searched:
            return Answer(single, two, search.choose(asked, wish, n_limit=limit))
        found = searched[criterion.family]
        return Answer(single, two, None if found is None else criterion.pick(found))
    same = (c for c in (two.admissible if two else ()) if c.design == wish)
    return Answer(single, two, next(same, wish))


def offered(two: TwoStageSearch | None, wish: str) -> dict[str, str]:
    """The designs that may be chosen: what each is called, and the criterion or looks that ask for it.

    The admissible designs between minimax and optimal have no criterion, so they are asked for by their looks; so is a
    design that was given and is none of these.
    """
    names = {criterion.name: key for key, criterion in CRITERIA.items()}
    middle = two.admissible[1:-1] if two else ()
    names |= {f"admissible {looks_text(c, ', ')}": looks_text(c) for c in middle}
    if wish not in names.values():
        names[f"as given {wish.replace(',', ', ')}"] = wish
    return names


def calendar(plan: Plan, trial: Trial) -> Simulation:
    """Run the plan of a trial at p0 and p1: by its exact laws where they tell all, else simulated."""
    conduct = trial.conduct
    if conduct is None:
        raise InputError("is missing", "conduct")
    size = conduct.simulation
    names = conduct_tables.running(plan.design)
    return simulation.expect(plan, trial.scenarios[:2], names, min(size.trials, LIVE_TRIALS), size.seed)
