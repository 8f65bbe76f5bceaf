"""The first of two looks taken before every status is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.plan.predictive import goes_on, pending_rates

if TYPE_CHECKING:
    from simtrial.conduct.courses import Course
    from simtrial.numbers import Bools, Floats
    from simtrial.plan.plan import Conditional


def decide(course: Course, rule: Conditional) -> tuple[Floats, Bools]:
    """Month of the look, and whether the trial continues.

    Parameters
    ----------
    course : Course
        With the first look opened.
    rule : Conditional
        When the look is taken, and what its decision needs.

    Returns
    -------
    month : ndarray, shape (trials,)
        Infinite where accrual closes before the look.
    onward : ndarray of bool, shape (trials,)
        P(X1 > r1) is at least the threshold, patients known counting as they are and the others with their predictive
        probabilities: the sum of independent Bernoulli variables that differ in theirs.
    """
    plan, look = course.plan, course.plan.design.looks[0]
    entry = course.entry[: look.n]
    month = entry[-1] if rule.month is None else np.full(entry.shape[1], rule.month)
    months, rates = pending_rates(plan, rule.p)
    known, responds = course.cohort.known, course.cohort.responds[: look.n]
    delay = known if isinstance(known, float) else known[: look.n]
    at = np.where(np.isinf(month), 0.0, month)
    came, decided = entry <= at, entry + delay <= at
    on_study = np.where(came, at - np.where(came, entry, 0.0), -1.0)  # -1: not yet enrolled
    chance = rates[np.searchsorted(months, on_study, side="right")]
    if plan.handling == "replace":
        lost = ~course.cohort.evaluable[: look.n]
        status = np.where(lost, float(plan.dropout.among_evaluable(rule.p)), responds)
    else:
        status = responds.astype(np.float64)
    chance = np.where(decided, status, chance)
    below = np.zeros(((look.r or 0) + 1, entry.shape[1]))  # P(X1 = 0), ..., P(X1 = r1)
    below[0] = 1.0
    for each in chance:  # patients of all trials at once
        below[1:] += each * (below[:-1] - below[1:])
        below[0] *= 1 - each
    return month, goes_on(1 - below.sum(axis=0), rule.threshold)
