"""The designs that stand side by side where a trial is chosen by its calendar, and every design behind them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import choice
from simtrial.conduct.prospects import Prospect, prospect
from simtrial.design.designs import looks_text
from simtrial.errors import InputError
from simtrial.search import simon, single
from simtrial.search.calendar import CALENDAR, FASTEST_P0, LEAST_ENROLLED_P0, CalendarCriterion
from simtrial.search.criteria import named

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.numbers import Bools, Floats
    from simtrial.trial.case import Case


MOST_N, MOST_N_SIMULATED = 300, 100
"""Most patients up to which a report that was not asked for it compares designs by the calendar, where all values are
exact and where some have to be simulated.
"""

TOO_MANY = (
    f"Designs are compared by the calendar where n is at most {MOST_N}, or {MOST_N_SIMULATED} if designs have to be "
    "simulated: with more patients it takes minutes. simtrial design FILE compares them all the same, and so does the "
    "report where design.criterion is one of the calendar."
)


RECALCULATED = (
    "Designs are not compared by the calendar where their limits hold with bounds that are recalculated at the numbers "
    "of evaluable patients; with conduct.dropout.bounds: fixed, or design.losses: paper, they are."
)


def left_out(case: Case, *, whole: bool = False) -> str:
    """Why designs are not compared; empty where they are. With `whole` it is no reason that it takes long."""
    if case.searches.lost is not None:
        return RECALCULATED
    if whole or isinstance(case.criterion, CalendarCriterion):
        return ""
    exact = all(choice.has_law(one, case.question) for one in asked(case))
    return "" if case.question.n_cap <= (MOST_N if exact else MOST_N_SIMULATED) else TOO_MANY


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDesign:
    """A design, and everything it is called."""

    names: tuple[str, ...]
    design: Design


def asked(case: Case) -> tuple[CalendarCriterion, ...]:
    """The criteria of the calendar that the file can be asked: without a date, none for a decision in time."""
    return tuple(one for one in CALENDAR.values() if one.measure != "late" or case.question.deadline is not None)


def beside(case: Case) -> tuple[NamedDesign, ...]:
    """The designs taken by the calendar, Simon's, the smallest single stage, and the file's own: each design once."""
    found: dict[str, NamedDesign] = {}

    def add(name: str, design: Design) -> None:
        looks = looks_text(design)
        with suppress(InputError):  # of a plan that does not take the design, such as one that says nothing of looks
            case.run(design)
            keep(name, looks, design)

    def keep(name: str, looks: str, design: Design) -> None:
        before = found[looks].names if looks in found else ()
        found[looks] = NamedDesign(names=before if name in before else (*before, name), design=design)

    for criterion in asked(case):
        add(criterion.name, case.by_calendar(criterion).design)
    for usual in simon.FAMILY.criteria:
        add(usual.name, usual.pick(case.two))
    add(single.FIRST.name, case.single.first)
    own = case.criterion
    if own is None and looks_text(case.chosen) not in found:
        add("as given", case.chosen)
    elif own is not None:
        add(named([own.key]), case.chosen)
    return tuple(found.values())


def as_run(case: Case, design: Design) -> Prospect:
    """What a design is expected to do as it is run.

    Raises
    ------
    InputError
        If the file does not say how the trial is run.
    """
    question, plan = case.question, case.run(design)
    return prospect(
        plan, question.rates, question.trials, question.seed, deadline=question.deadline, prices=case.prices
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """Every design up to some n at p0: arrays of shape (designs,).

    Attributes
    ----------
    designs : choice.Listed
        The designs, with their months.
    months, enrolled : ndarray
        Expected months to the primary decision and patients enrolled at p0: exact, or bounds from below.
    exact : ndarray of bool
        Which are exact.
    frontier : ndarray of bool
        Designs than which no other has fewer months without more patients, nor fewer patients without more months.
    """

    designs: choice.Listed
    months: Floats
    enrolled: Floats
    exact: Bools
    frontier: Bools


def landscape(case: Case) -> Landscape:
    """Evaluate every pair of sizes that has a design, up to the n where neither axis can be any smaller."""
    question = case.question
    ends = [case.by_calendar(criterion).proof.n_upper for criterion in (FASTEST_P0, LEAST_ENROLLED_P0)]
    n_max = max(question.n_cap, *ends)
    found = choice.listed("duration_months", "p0", question, n_max)
    patients = choice.listed("n_enrolled", "p0", question, n_max)
    exact = ~(np.isnan(found.values) | np.isnan(patients.values))
    months, enrolled = found.least, patients.least  # which are the exact values where there are any
    order = np.lexsort((enrolled.round(choice.TIE), months.round(choice.TIE)))
    least = np.minimum.accumulate(enrolled[order])
    on = np.zeros(len(order), dtype=np.bool_)
    on[order] = np.append(True, least[1:] < least[:-1] - 10.0**-choice.TIE)
    return Landscape(designs=found, months=months, enrolled=enrolled, exact=exact, frontier=on)
