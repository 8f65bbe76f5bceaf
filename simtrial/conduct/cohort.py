"""Patients drawn at random, many trials at once: arrays of shape (patients, trials)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import toxicity
from simtrial.conduct.courses import how_many

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simtrial.numbers import Bools, Floats
    from simtrial.plan.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """The patients of a block of trials, before anything is decided. Shapes are (patients, trials).

    Attributes
    ----------
    gaps : ndarray
        Unit exponentials: growth of the cumulative enrollment rate from one patient to the next.
    responds, evaluable : ndarray of bool
        Evaluable with a response; evaluable.
    known : ndarray or float
        Months from enrollment to the response status being known; one number if the same for all.
    stable : ndarray of bool or None
        Stable disease among the evaluable, where a DCR or PFS is given.
    pfs : ndarray or None
        Months from enrollment to progression or death, where PFS is given.
    onset : ndarray or None
        Months from enrollment to a toxicity, infinite for whom has none, where a rule stops the trial for toxicity or
        toxicity is associated with the response.
    """

    gaps: Floats
    responds: Bools
    evaluable: Bools
    known: Floats | float
    stable: Bools | None
    pfs: Floats | None
    onset: Floats | None = None

    @property
    def toxic(self) -> Bools | None:
        """Who has a toxicity, where it is drawn: see `onset`."""
        return None if self.onset is None else np.isfinite(self.onset)


def draw(plan: Plan, p: Floats | float, trials: int, rng: np.random.Generator) -> Cohort:
    """Draw as many patients as each trial can need.

    Parameters
    ----------
    plan : Plan
        The laws.
    p : float or ndarray, shape (trials,)
        True response rate.
    trials : int
        Number of trials.
    rng : Generator
        Source of random numbers.
    """
    n = plan.design.looks[-1].n
    limits = _limits(plan, p)

    def rows(kind: Callable[[tuple[int, int]], Floats], number: int) -> Floats:
        return kind((number, trials))

    gaps, u = rows(rng.standard_exponential, n), rows(rng.random, n)
    while plan.handling == "replace" and np.min(how_many(u < limits[-1])) < n:
        more = max(8, len(u) // 4)
        gaps = np.concatenate([gaps, rows(rng.standard_exponential, more)])
        u = np.concatenate([u, rows(rng.random, more)])
    course = np.zeros(u.shape, dtype=np.uint8)
    for limit in limits:  # over assessments, not patients
        course += (u >= limit).view(np.uint8)
    last = len(limits) - 1
    responds, evaluable = course < last, course <= last
    stable = hazard = None
    if plan.disease.pfs is not None:
        hazard = rng.standard_exponential(u.shape)
        stable = (course == last) & (hazard >= plan.disease.pfs_hazards.before * plan.disease.assessments.interval)
    elif plan.disease.stable_share is not None:
        stable = (course == last) & (rng.random(u.shape) < plan.disease.stable_share)
    pfs = None if hazard is None else _pfs(plan, course, responds, hazard)
    return Cohort(
        gaps=gaps,
        responds=responds,
        evaluable=evaluable,
        known=_known(plan, course, stable, pfs),
        stable=stable,
        pfs=pfs,
        # last, so that the other numbers are those of the plan without toxicity
        onset=toxicity.draw(plan, p, responds, rng) if _toxic(plan) else None,
    )


def _toxic(plan: Plan) -> bool:
    """Whether it matters who has a toxicity, and not their number alone."""
    return plan.toxicity_rule is not None or (plan.toxicity is not None and plan.toxicity.odds_ratio != 1)


def _limits(plan: Plan, p: Floats | float) -> list[Floats]:
    """Where one uniform number is cut to tell a patient's course: a response seen at each assessment, none, lost."""
    _, share = plan.disease.assessments.responses()
    seen = plan.dropout.seen(p)
    return [*(seen * below for below in np.cumsum(share)[:-1]), seen, plan.dropout.evaluable(p)]


def _pfs(plan: Plan, course: NDArray[np.uint8], responds: Bools, hazard: Floats) -> Floats:
    """Months at which the cumulative hazard of progression or death passes its unit exponential."""
    law, first = plan.disease.pfs_hazards, plan.disease.assessments.interval
    at_first = law.before * first
    months = hazard - at_first
    months /= law.after
    months += first
    if law.before > 0:
        early = np.flatnonzero(hazard < at_first)
        months.put(early, hazard.take(early) / law.before)
    responders = np.flatnonzero(responds)
    response_known = plan.disease.assessments.responses()[0].take(course.take(responders))
    months.put(responders, response_known + hazard.take(responders) / law.responders)
    return months


def _known(plan: Plan, course: NDArray[np.uint8], stable: Bools | None, pfs: Floats | None) -> Floats | float:
    """When each status is known; see `Assessments`."""
    assessments = plan.disease.assessments
    if assessments.delay is not None:
        return assessments.delay
    months = assessments.responses()[0]
    if stable is not None:  # progression by the first assessment is known there, as a loss is
        course = course + ((course == len(months)) & ~stable).view(np.uint8)
    # indexed by words, which numpy takes four times as fast as bytes
    known: Floats = np.append(months, [assessments.window, assessments.interval]).take(course.astype(np.intp))
    if pfs is not None and stable is not None:
        where = np.flatnonzero(stable)
        found = np.ceil(pfs.take(where) / assessments.interval) * assessments.interval
        known.put(where, np.minimum(found, assessments.window))
    return known
