"""Toxicity in a simulated trial: who has one and when, when it is known who has none, when the boundary is crossed.

The boundary is crossed at the moment when b of the first n enrolled have had a toxicity, for any look of it, whoever is
still pending and whatever look at responses is due: enrollment does not wait for it. A look at n that has a later one
with no larger bound need not be watched, as whoever crosses it crosses the later one at the same moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.conduct.courses import how_many, running
from simtrial.toxicity.association import cells

if TYPE_CHECKING:
    from simtrial.conduct.courses import Course
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.plan.plan import Plan


def draw(plan: Plan, p: Floats | float, responds: Bools, rng: np.random.Generator) -> Floats:
    """Months from enrollment to the toxicity of each patient, infinite for those without: shape (patients, trials).

    Parameters
    ----------
    plan : Plan
        With a rule for toxicity.
    p : float or ndarray, shape (trials,)
        True response rate.
    responds : ndarray of bool, shape (patients, trials)
        Who responds, as it is seen.
    rng : Generator
        Source of random numbers: one a patient tells whether he has a toxicity and, if so, when.
    """
    assert plan.toxicity is not None and plan.toxicity_rule is not None
    of_responder, of_other = _chances(plan, p)
    chance = plan.toxicity.rate if plan.toxicity.odds_ratio == 1 else np.where(responds, of_responder, of_other)
    uniform = rng.random(responds.shape)
    toxic = uniform < chance
    # below its limit the number is uniform again, so that it tells the month as well
    np.divide(uniform, chance, out=uniform, where=toxic)
    uniform *= plan.toxicity_rule.window
    np.copyto(uniform, np.inf, where=~toxic)
    return uniform


def _chances(plan: Plan, p: Floats | float) -> tuple[Floats, Floats]:
    """Probability of a toxicity for a patient who responds, as it is seen, and for another: of the shape of p."""
    assert plan.toxicity is not None
    seen, rate = np.asarray(plan.dropout.seen(p), dtype=np.float64), plan.toxicity.rate
    both = np.array([cells(one, rate, plan.toxicity.odds_ratio).both for one in seen.ravel().tolist()])
    both = both.reshape(seen.shape)
    of_responder = np.divide(both, seen, out=np.full(seen.shape, rate), where=seen > 0)
    of_other = np.divide(rate - both, 1 - seen, out=np.full(seen.shape, rate), where=seen < 1)
    return of_responder, of_other


def status_month(course: Course, window: float, counted: Ints) -> Floats:
    """Month at which it is known of each of the first patients whether he has a toxicity; 0 where there are none.

    A toxicity is known when it occurs; that a patient has none, when his window is over.
    """
    onset = course.cohort.onset
    assert onset is not None
    least, most = int(counted.min(initial=len(onset))), int(counted.max(initial=0))
    months = np.minimum(onset[:most], window)
    months += course.entry[:most]
    if least < most:
        beyond = np.arange(least, most)[:, np.newaxis] >= counted
        np.copyto(months[least:], 0.0, where=beyond)
    found: Floats = months.max(axis=0, initial=0.0)
    return found


class Crossed(NamedTuple):
    """When and where the trials of a block cross the boundary, had nothing else stopped them: shapes (trials,).

    Attributes
    ----------
    month : ndarray
        Month; infinite where they do not.
    n : ndarray of int
        Patients of the look that is crossed then, the first of several; 0 where none is.
    """

    month: Floats
    n: Ints


def crossed(course: Course) -> Crossed:
    """Find when each trial crosses the boundary."""
    rule, onset = course.plan.toxicity_rule, course.cohort.onset
    assert rule is not None and onset is not None
    most, trials = course.plan.design.looks[-1].n, onset.shape[1]
    looks = [(look.n, look.b) for look in rule.boundary.looks if look.b is not None and look.n <= most]
    watched = [(n, b) for k, (n, b) in enumerate(looks) if all(b < later for _, later in looks[k + 1 :])]
    month, at = np.full(trials, np.inf), np.zeros(trials, dtype=np.int64)
    toxic = np.isfinite(onset[:most])
    ever, count, before = np.zeros(trials, dtype=np.bool_), np.zeros(trials, dtype=np.int64), 0
    for n, b in watched:
        count, before = count + how_many(toxic[before:n]), n
        ever |= count >= b
    which = np.flatnonzero(ever)
    if not len(which):
        return Crossed(month, at)
    events = course.entry[:most].take(which, axis=1) + onset[:most].take(which, axis=1)
    first = np.full(len(which), np.inf)
    for n, b in watched:
        first = np.minimum(first, np.partition(events[:n], b - 1, axis=0)[b - 1])
    had = running(np.add, (events <= first).astype(np.int32))
    here = np.stack([had[n - 1] >= b for n, b in looks])
    month[which] = first
    at[which] = np.where(np.isfinite(first), np.array([n for n, _ in looks])[np.argmax(here, axis=0)], 0)
    return Crossed(month, at)
