"""Toxicity in a simulated trial: who has one and when, when it is known who has none, when the boundary is crossed.

The boundary is crossed at the moment when b of the first n enrolled have had a toxicity, for any look of it, whoever is
still pending and whatever look at responses is due: enrollment does not wait for it. A look at n that has a later one
with no larger bound need not be watched, as whoever crosses it crosses the later one at the same moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        With toxicity; without a rule for it, when a toxicity occurs means nothing.
    p : float or ndarray, shape (trials,)
        True response rate.
    responds : ndarray of bool, shape (patients, trials)
        Who responds, as it is seen.
    rng : Generator
        Source of random numbers: one a patient tells whether he has a toxicity and, if so, when.
    """
    window = 1.0 if plan.toxicity_rule is None else plan.toxicity_rule.window
    # a uniform number below the chance tells the month as well; one above it becomes a month after the window
    chances = np.maximum(_chances(plan, p), 1e-300)
    if chances.ndim == 1:
        onset: Floats = (window / chances).take(responds.view(np.uint8).astype(np.intp))
    else:
        onset = np.where(responds, window / chances[1], window / chances[0])
    onset *= rng.random(responds.shape)
    return np.where(onset < window, onset, np.inf)


def _chances(plan: Plan, p: Floats | float) -> Floats:
    """Probability of a toxicity without a response, as it is seen, and with one: shape (2,), or (2, trials)."""
    assert plan.toxicity is not None
    seen, rate = np.asarray(plan.dropout.seen(p), dtype=np.float64), plan.toxicity.rate
    both = np.array([cells(one, rate, plan.toxicity.odds_ratio).both for one in seen.ravel().tolist()])
    both = both.reshape(seen.shape)
    without = np.divide(rate - both, 1 - seen, out=np.full(seen.shape, rate), where=seen < 1)
    return np.stack([without, np.divide(both, seen, out=np.full(seen.shape, rate), where=seen > 0)])


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


def crossing_month(course: Course) -> Floats:
    """Month at which each trial crosses the boundary if nothing else stops it; infinite where it does not."""
    looks = _looks(course.plan)
    watched = [(n, b) for k, (n, b) in enumerate(looks) if all(b < later for _, later in looks[k + 1 :])]
    onset = course.cohort.onset
    assert onset is not None
    month, count, before = np.full(onset.shape[1], np.inf), np.zeros(onset.shape[1], dtype=np.int64), 0
    most = watched[-1][0] if watched else 0
    events, toxic = course.entry[:most] + onset[:most], np.isfinite(onset[:most])
    for n, b in watched:
        count, before = count + how_many(toxic[before:n]), n
        which = np.flatnonzero(count >= b)
        if len(which):
            reached = np.partition(events[:n].take(which, axis=1), b - 1, axis=0)[b - 1]
            month[which] = np.minimum(month[which], reached)
    return month


def crossing_look(plan: Plan, events: Floats, month: Floats) -> Ints:
    """Patients of the look that trials cross in a month, the first of several: shape (trials,).

    Parameters
    ----------
    plan : Plan
        With a rule for toxicity.
    events : ndarray, shape (patients, trials)
        Months of toxicities.
    month : ndarray, shape (trials,)
        Month in which each trial crosses the boundary.
    """
    if not len(month):
        return np.zeros(0, dtype=np.int64)
    looks = _looks(plan)
    had = running(np.add, (events[: looks[-1][0]] <= month).astype(np.int16))
    reached = np.stack([had[n - 1] >= b for n, b in looks])
    found: Ints = np.array([n for n, _ in looks])[np.argmax(reached, axis=0)]
    return found


def _looks(plan: Plan) -> list[tuple[int, int]]:
    """The looks that can stop a trial: patients and bound."""
    assert plan.toxicity_rule is not None
    most = plan.design.looks[-1].n
    return [(look.n, look.b) for look in plan.toxicity_rule.boundary.looks if look.b is not None and look.n <= most]
