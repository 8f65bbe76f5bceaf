"""The credible readings of a number of patients: the file's own and its rivals, on paper and as run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial import search
from simtrial.conduct.text import reading
from simtrial.design.designs import parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError
from simtrial.laws import decision, laws
from simtrial.phrases import counted
from simtrial.plan.plan import Scenario
from simtrial.review.readings import EXACT
from simtrial.search.wording import called

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.plan.plan import Plan
    from simtrial.review.routes import Route
    from simtrial.trial.case import Case
    from simtrial.trial.trial import Trial


def patients(case: Case) -> int:
    """The number under review: the registered one, or that of the design."""
    return case.trial.study.registered_enrollment or case.n


@dataclass(frozen=True, slots=True)
class CredibleReading:
    """One reading of the number: the question, the design it takes, and why it is credible."""

    requirements: Requirements
    design: Design
    reason: str


def readings(case: Case, found: Sequence[Route] = ()) -> list[CredibleReading]:
    """The file's own reading, the exact single stage beside it if it has as many patients, and its rivals.

    Where none of them has the number registered, the first two exact routes to it stand behind them.
    """
    asked, chosen = case.requirements, case.chosen
    n = patients(case)
    credible = [CredibleReading(asked, chosen, "the reading of the parameter file")]
    with suppress(InputError):  # rates too near for a search say nothing about a design given outright
        single = case.single.first
        if single.n == chosen.looks[-1].n and len(chosen.looks) > 1:
            credible.append(CredibleReading(asked, single, "the same numbers without an interim analysis"))
    for rival in case.trial.rivals:
        design = search.choose(rival.requirements, rival.criterion)
        credible.append(CredibleReading(rival.requirements, design, rival.source))
    if any(one.design.looks[-1].n == n for one in credible):
        return credible
    missed = [
        replace(one, reason=f"{one.reason}; it needs {counted(one.design.looks[-1].n, 'patient')}, not {n}")
        for one in credible
    ]
    exact = [r for r in found if r.method in EXACT and not r.dropout and r.p0 is not None and r.p1 is not None]
    for r in exact[:2]:
        start = Requirements(r.p0 or 0.0, r.p1 or 0.0, r.alpha, r.power or 0.0)
        missed.append(
            CredibleReading(
                start, parse_looks(r.looks), f"a conventional calculation that gives {n}: {called(r.method)}"
            )
        )
    return missed


def _plan(trial: Trial, design: Design) -> Plan | None:
    """How a reading is run; None where the file does not say, as for a look that the file's own design has not."""
    with suppress(InputError):
        return trial.plan(design)
    return None


class Performance(NamedTuple):
    """What a reading does as the file says it is run.

    Attributes
    ----------
    type_i_error, power : float
        Exact, at the true rates of `simtrial.trial.trial.Trial.truths`, but of the reading's own p0 and p1.
    months : float or None
        To the decision at p1.
    p0_among : str
        Among whom p0 is the response rate, as a clause; empty where it makes no difference.
    """

    type_i_error: float
    power: float
    months: float | None
    p0_among: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedReading:
    """A credible reading with what it does.

    Attributes
    ----------
    reading : CredibleReading
        The question, its design and the reason.
    type_i_error, power, en_p0 : float
        Exact, on paper.
    run : Performance or None
        As run; None where the file does not say how, or where accrual closes at a month.
    """

    reading: CredibleReading
    type_i_error: float
    power: float
    en_p0: float
    run: Performance | None

    @property
    def question(self) -> str:
        """The numbers that the reading starts from."""
        asked = self.reading.requirements
        return f"p0 = {asked.p0:g}, p1 = {asked.p1:g}, alpha {asked.alpha:g}, power {asked.power:g}"


def assessed(case: Case, found: Sequence[Route] = ()) -> list[AssessedReading]:
    """Every credible reading with its errors and expected sample size, on paper and as run."""
    rows = []
    for one in readings(case, found):
        asked, design = one.requirements, one.design
        oc = operating_characteristics(design, [asked.p0, asked.p1])
        rows.append(
            AssessedReading(
                reading=one,
                type_i_error=float(oc.reject[0]),
                power=float(oc.reject[1]),
                en_p0=float(oc.en[0]),
                run=_as_run(case.trial, _plan(case.trial, design), asked),
            )
        )
    return rows


def _as_run(trial: Trial, plan: Plan | None, asked: Requirements) -> Performance | None:
    """The errors of a reading at the true rates at which its trial is run; None where there is no law, or no H0."""
    if plan is None or not decision.has_law(plan):
        return None
    try:
        truths = trial.truths_of(asked)
    except InputError:  # so much dropout that H0, p0 among all enrolled patients, has no true rate below p1
        return None
    reject = decision.decision(plan, np.array([truths.p0, truths.p1])).reject
    months = laws.exact_values(plan, Scenario("p1", truths.p1)).get("duration_months")
    among = reading(plan, enrolled=truths.p0 > asked.p0).strip(" ()")
    return Performance(float(reject[0]), float(reject[1]), months, among)
