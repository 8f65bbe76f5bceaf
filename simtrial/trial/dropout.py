"""The designs that a file's criteria take on paper and under its dropout, and what each does as the trial is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.laws.inflation import enlarged
from simtrial.plan.allowances import enrolled_for
from simtrial.search import CRITERIA, FAMILIES, CalendarCriterion, Criterion, simon, single
from simtrial.search.single import FIRST
from simtrial.trial.searches import Searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.laws.losses import Among, AsRun, Losses, RunFigures
    from simtrial.search import AnyCriterion
    from simtrial.trial.case import Case

Where = Literal["given", "paper", "run", "allowance"]
"""Where the limits of a design hold: it was given outright; on paper; as the trial is run; on paper, with n/(1 - d)
patients against the same bounds.
"""


@dataclass(frozen=True, kw_only=True)
class UnderDropout:
    """One design, on paper and as the trial is run.

    Attributes
    ----------
    name : str
        Its criterion.
    where : Where
        Where its limits hold.
    among : Among or None
        With `run`, the reading of p0 that it was searched under, where readings differ.
    design : Design
        The design.
    type_i_error, power : float
        With every patient evaluable.
    run : RunFigures
        As the trial is run, p0 read as the file says.
    other : RunFigures or None
        With the other reading of p0; None where both are the same.
    keeps : bool
        Whether it keeps both limits as the trial is run; p0 as the file says, or as in `among`.
    """

    name: str
    where: Where
    among: Among | None
    design: Design
    type_i_error: float
    power: float
    run: RunFigures
    other: RunFigures | None
    keeps: bool


MOST_TIMED = 100
"""Patients of one stage up to which a criterion of the calendar is asked a second time, for the sake of comparison."""


QUICK = (single.FAMILY.key, simon.FAMILY.key)
"""Families that are searched once for every strategy; others take longer."""


def searched(case: Case, losses: Losses) -> Design | None:
    """The design of the file's criterion whose limits hold on paper, or as the trial is run; None if there is none."""
    if case.criterion is None or (losses == "run" and case.trial.how is None):
        return None
    try:
        searches = case.on_paper if losses == "paper" else case.as_run
        if searches is None:
            return None
        slow = isinstance(case.criterion, CalendarCriterion) and searches.single.first.n > MOST_TIMED
        return None if slow else case.best(searches)
    except InputError:  # with so much dropout no design can
        return None


def cure(case: Case, *, quick: bool = False) -> AnyCriterion:
    """The criterion by which a design is offered that keeps its limits as run: the file's own, or the smallest one.

    The smallest one too where the search is to be quick and the file's own criterion is of another family than `QUICK`.
    """
    by = case.criterion
    if by is not None and not isinstance(by, CalendarCriterion) and (not quick or by.family in QUICK):
        return by
    return FIRST if len(case.chosen.looks) == 1 else simon.MINIMAX


def cures(case: Case, how: AsRun) -> Iterator[tuple[Design, Among | None]]:
    """The designs of `cure` that keep both limits as the trial is run, p0 read in each way that differs."""
    return _searched(case, how, cure(case))


def compared(case: Case) -> list[UnderDropout]:
    """The design of every criterion: on paper, as the trial is run, and with the usual allowance for dropout.

    A design given outright stands first. Criteria that no design answers as the trial is run, such as one for which
    too many patients are lost, have no row there.

    Raises
    ------
    InputError
        If the file does not say how the trial is run.
    """
    how = case.trial.how
    if how is None:
        raise InputError("is missing; give the dropout and how it is handled", "conduct.dropout")
    rows = []
    if case.criterion is None:
        rows.append(_row(case, how, "as given", "given", case.chosen))
    elif isinstance(case.criterion, CalendarCriterion):
        rows.append(_row(case, how, case.criterion.name, case.trial.losses, case.chosen))
    for criterion in CRITERIA.values():
        if FAMILIES[criterion.family].on_request and criterion is not case.criterion:
            continue
        on_paper = _taken(case, case.on_paper, criterion)
        rows.append(_row(case, how, criterion.name, "paper", on_paper))
        rows += [_row(case, how, criterion.name, "run", *found) for found in _searched(case, how, criterion)]
        lost = how.loss.lost(case.requirements.p1)
        more = enrolled_for(on_paper.looks[-1].n, lost)
        if how.handling != "replace" and more > on_paper.looks[-1].n:
            rows.append(_row(case, how, criterion.name, "allowance", enlarged(on_paper, more, lost)))
    return rows


def _taken(case: Case, searches: Searches, criterion: AnyCriterion) -> Design:
    """What a criterion takes; the restrictions of the file hold for the family for which it states them."""
    own = case.criterion
    if isinstance(own, Criterion) and own.family == criterion.family:
        return searches.choose(own if own.key == criterion.key else criterion)
    return criterion.pick(searches.of(FAMILIES[criterion.family]))


def _searched(case: Case, how: AsRun, criterion: AnyCriterion) -> Iterator[tuple[Design, Among | None]]:
    """The designs that keep their limits as the trial is run, p0 read as the file says and the other way."""
    other = how.other
    for reading in filter(None, (how, other)):
        try:
            here = (
                Searches.under(reading, case.requirements, case.trial.design.n_limit, case.trial.constraints)
                if reading is other
                else case.as_run
            )
            if here is not None:
                yield _taken(case, here, criterion), reading.among if other else None
        except InputError:  # with so much dropout no design can
            continue


def _row(
    case: Case, how: AsRun, name: str, where: Where, design: Design, among: Among | None = None
) -> UnderDropout:  # fmt: skip
    asked = case.requirements
    other = how.other
    # a design that was searched under the other reading of p0 is judged by it
    judge = other if other is not None and among == other.among else how
    type_i_error, power = operating_characteristics(design, [asked.p0, asked.p1]).reject.tolist()
    return UnderDropout(
        name=name,
        where=where,
        among=among,
        design=design,
        type_i_error=type_i_error,
        power=power,
        run=how.figures(design, asked),
        other=None if other is None else other.figures(design, asked),
        keeps=judge.keeps(design, asked),
    )
