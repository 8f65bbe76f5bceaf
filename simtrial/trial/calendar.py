"""The designs that stand side by side where a trial is chosen by its calendar, what is said of them, and all others."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial.conduct import choice
from simtrial.conduct.prospects import Prospect, prospect
from simtrial.design.designs import looks_text
from simtrial.errors import InputError
from simtrial.phrases import agreeing, counted
from simtrial.search import simon, single
from simtrial.search.calendar import CALENDAR, FASTEST_P0, FASTEST_P1, LEAST_ENROLLED_P0, CalendarCriterion, examined
from simtrial.search.criteria import named
from simtrial.search.text import reached

if TYPE_CHECKING:
    from simtrial.conduct.choice import CalendarChoice
    from simtrial.design.designs import Design
    from simtrial.numbers import Bools, Floats
    from simtrial.search.calendar import Measure
    from simtrial.trial.case import Case


MOST_N, MOST_N_SIMULATED = 300, 100
"""Most patients up to which a report that was not asked for it compares designs by the calendar, where all values are
exact and where some have to be simulated.
"""

TOO_MANY = (
    f"The designs that are best by months or patients are searched where n is at most {MOST_N}, or "
    f"{MOST_N_SIMULATED} if designs have to be simulated: with more patients the search takes minutes. The command "
    "simtrial design FILE makes it anyway, and so does the report if design.criterion is a criterion of the calendar."
)


RECALCULATED = (
    "The designs that are best by months or patients are not searched where the limits hold with bounds that are "
    "recalculated at the numbers of evaluable patients. They are with conduct.dropout.bounds: fixed or with "
    "design.losses: paper."
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


def possible(found: CalendarChoice) -> bool:
    """Whether a choice is one: not where with every design the decision comes too late in every trial."""
    return found.criterion.measure != "late" or found.value.value < 1 - 10.0**-choice.TIE


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
        if possible(case.by_calendar(criterion)):
            add(criterion.name, case.by_calendar(criterion).design)
    for usual in simon.FAMILY.criteria:
        add(usual.name, usual.pick(case.two))
    add(single.FIRST.name, case.single.first)
    own = case.criterion
    if own is None and looks_text(case.chosen) not in found:
        add("as given", case.chosen)
    elif own is not None:
        taken = not isinstance(own, CalendarCriterion) or possible(case.by_calendar(own))
        add(named([own.key]) if taken else "as the file asks", case.chosen)
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
    """Every design up to some n at one true rate: arrays of shape (designs,).

    Attributes
    ----------
    designs : choice.Listed
        The designs, with their months.
    months, enrolled : ndarray
        Expected months to the primary decision and patients enrolled: exact, or bounds from below.
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


def landscape(case: Case, rate: Literal["p0", "p1"]) -> Landscape:
    """Evaluate every pair of sizes that has a design, up to the n where neither axis can be any smaller at p0."""
    question = case.question
    fastest = FASTEST_P0 if rate == "p0" else FASTEST_P1
    ends = [case.by_calendar(criterion).proof.n_upper for criterion in (fastest, LEAST_ENROLLED_P0)]
    n_max = max(question.n_cap, *ends)
    found = choice.listed("duration_months", rate, question, n_max)
    patients = choice.listed("n_enrolled", rate, question, n_max)
    exact = ~(np.isnan(found.values) | np.isnan(patients.values))
    months, enrolled = found.least, patients.least  # which are the exact values where there are any
    order = np.lexsort((enrolled.round(choice.TIE), months.round(choice.TIE)))
    least = np.minimum.accumulate(enrolled[order])
    on = np.zeros(len(order), dtype=np.bool_)
    on[order] = np.append(True, least[1:] < least[:-1] - 10.0**-choice.TIE)
    return Landscape(designs=found, months=months, enrolled=enrolled, exact=exact, frontier=on)


LEAST: dict[Measure, str] = {
    "duration_months": "By an exact bound no design takes fewer than {0:.1f} months on average.",
    "n_enrolled": "By an exact bound no design is expected to enroll fewer than {0:.1f} patients.",
    "late": "By an exact bound no design is in time with a probability above {1:.3f}.",
}
"""What no design is below, by the measure of a criterion."""

SIMULATED = (
    "A design whose value has no exact formula is simulated. Simon's designs and the single stages come first, then "
    f"the others, the most promising ones first. {choice.FEW:,} trials of each design are simulated, and at most "
    f"{choice.MOST_SIMULATED} designs. A design is left out if an exact lower bound shows that it is worse than the "
    "best one so far by more than 3 Monte Carlo standard errors. Of the designs that are not worse than the best one "
    f"by more than that, at most {choice.FINALISTS} are simulated in full."
)
"""Which designs without an exact law can still win; see `simtrial.conduct.choice`."""

RULE = (
    "For each pair of sizes (n1, n) only one two-stage design that meets the limits has to be considered, the one with "
    "the largest r1. In every trial it stops whenever another design of the pair stops, so that it enrolls no more "
    "patients and is decided no later. Of single-stage designs each n is considered."
)
"""Why one design per pair of sizes is enough; see `simtrial.search.pairs`."""

NO_RULE = (
    "For each pair of sizes (n1, n) the two-stage design with the largest r1 is considered. As a look of this trial "
    "does not wait for every response status, its month depends on the bounds, and another design of the pair may be "
    "better."
)

ONE_STAGE_ONLY = (
    "The parameter file does not say what accrual does while an interim analysis is pending (conduct.interim), so only "
    "single-stage designs are considered."
)

WITHOUT_TOXICITY = (
    "The rule for toxicity is left out of this search: the months and the patients by which designs are chosen here "
    "are those of trials that are not stopped for toxicity. They are also those of the figure; the table below has the "
    "months and the patients with the rule."
)
"""What is left out where a rule stops the trial for toxicity; see `simtrial.conduct.choice`."""

UNITS: dict[Measure, str] = {
    "duration_months": "{:.1f} months expected to the primary decision",
    "n_enrolled": "{:.1f} patients expected to be enrolled",
    "late": "a primary decision in time with probability {:.3f} at p1",
}
"""What a criterion of the calendar finds, by its measure."""


FUTILE = "At p1 a decision in time is then mostly an early stop for futility, so a later date should be considered."
"""What is written where less than half of the trials at p1 are in time."""


def sentences(case: Case, *, whole: bool = False) -> tuple[str, ...]:
    """Which designs the calendar takes, and how it is known that no other is better; or why none are compared."""
    if why := left_out(case, whole=whole):
        return (why,)
    every = [case.by_calendar(criterion) for criterion in asked(case)]
    paragraphs = [_said(found, case.question.deadline) for found in every]
    if any(found.simulated for found in every):
        paragraphs.append(SIMULATED)
    if case.trial.design.toxicity is not None:
        paragraphs.append(WITHOUT_TOXICITY)
    given = case.trial.conduct
    if given is None or given.interim is None:
        return (ONE_STAGE_ONLY, *paragraphs)
    return (RULE if given.interim.make().waits else NO_RULE, *paragraphs)


def _said(found: CalendarChoice, deadline: float | None) -> str:
    """What one criterion takes, and how far it was searched."""
    criterion, value = found.criterion, found.value.value
    name = f"{criterion.name[0].upper()}{criterion.name[1:]}"
    if not possible(found):
        ever = "in no simulated trial of any design was the decision" if found.simulated else "no design can be"
        return f"{name}: {ever} in time, that is by month {deadline:.3g}. A later date should be considered."
    shown = UNITS[criterion.measure].format(1 - value if criterion.measure == "late" else value)
    how = f"simulated, MCSE {found.value.mcse:.2g}" if found.value.mcse else "exact"
    said = [f"{name}: {looks_text(found.design, ', ')}, {shown} ({how})."]
    if criterion.measure == "late" and value > 0.5:
        said.append(FUTILE if len(found.design.looks) > 1 else "A later date should be considered.")
    said.append(
        _compared(found)
        if found.proof.how == "heuristic"
        else reached(examined(criterion, found.proof.how), found.proof)
    )
    return " ".join(said)


def _compared(found: CalendarChoice) -> str:
    """How many designs were simulated for a choice, how many of them are about as good, and what none can be below."""
    n, others, bound = found.simulated, found.rivals, found.proof.bound
    said = (
        f"At most {choice.MOST_EVALUATED} designs were compared, each by its own exact value, the most promising ones "
        "first; a design that was not compared may be better."
    )
    if n:
        most = "" if n < choice.MOST_SIMULATED else ", the largest number allowed, so that a better one may be left out"
        rivals = f"{counted(others, 'other')} {agreeing(others, 'is', 'are')}" if others else "no other is"
        said = (
            f"For this choice {counted(n, 'design')} {agreeing(n, 'was', 'were')} simulated{most}; {rivals} within 3 "
            "Monte Carlo standard errors of it."
        )
    return f"{said} {LEAST[found.criterion.measure].format(bound, 1 - bound)}" if bound > 0 else said
