"""Exact laws of a trial whose first look is taken with patients pending: a mixture over the number pending.

At a constant rate the gaps between successive patients are independent exponentials, backwards from patient n1 as well:
of the n1 - 1 patients before him, min(n1 - 1, N) entered within the last w months, N being Poisson(rate w). With the
same delay w for everybody these and patient n1 himself are pending. How many they are is independent of all statuses.
Given B pending, x known responses let the trial continue if P(x + Bin(B, q1) > r1) reaches the threshold; what the B
patients and those of the second stage add is Bin(n - n1 + B, q), q and q1 being the probabilities of a response counted
under the true rate and under p1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import above, binomial_pmf
from simtrial.laws.integrals import mean_months, mean_wait, poisson
from simtrial.plan.enrollment import Constant
from simtrial.plan.predictive import goes_on

if TYPE_CHECKING:
    from simtrial.numbers import Floats
    from simtrial.plan.plan import Plan


def has_law(plan: Plan) -> bool:
    """Whether the decision of a plan whose first look does not wait has an exact law."""
    rule = plan.conditional
    delay, steady = plan.disease.assessments.delay, isinstance(plan.arrivals, Constant)
    return rule is not None and rule.month is None and delay is not None and steady and plan.handling != "replace"


def of_first_look(plan: Plan) -> dict[str, float | None]:
    """What is known of a first look that does not wait, whatever the rest of the plan; nothing for other plans."""
    rule, interim = plan.conditional, plan.interim
    if rule is None or plan.close_month is not None:
        return {}
    entered = mean_months(plan.arrivals, plan.design.looks[0].n)
    month = entered if rule.month is None else rule.month
    law: dict[str, float | None] = {"interim_month": None if np.isnan(month) else month}
    if interim.allowed is None:
        law["hold_months"] = 0.0
    elif interim.hold and rule.month is None and plan.handling != "replace":
        law["hold_months"] = interim.lag if interim.max_hold is None else min(interim.lag, interim.max_hold)
    if interim.hold and interim.max_hold is None:
        law["overrun"] = 0.0
    return law


def number_pending(plan: Plan) -> Floats:
    """P(B = 0), ..., P(B = n1): patients whose status is pending when patient n1 is enrolled."""
    n, delay, arrivals = plan.design.looks[0].n, plan.disease.assessments.delay, plan.arrivals
    assert isinstance(arrivals, Constant)  # see `has_law`
    found = np.zeros(n + 1)
    if not delay:
        found[0] = 1.0
        return found
    found[1:n] = poisson(np.arange(n - 1), arrivals.rate * delay)
    found[n] = max(0.0, 1 - found.sum())
    return found


def decision(plan: Plan, p: float) -> tuple[float, Floats]:
    """P(reject H0) and P(stop at each look) at one true rate."""
    one, two = plan.design.looks
    rule = plan.conditional
    assert rule is not None  # see `has_law`
    q, foreseen = float(plan.dropout.seen(p)), float(plan.dropout.seen(rule.p))
    reject = onward = 0.0
    for pending, weight in enumerate(number_pending(plan)):
        x = np.arange(one.n - pending + 1)
        on = goes_on(above((one.r or 0) - x, np.full(len(x), pending), foreseen), rule.threshold)
        known = np.where(on, binomial_pmf(one.n - pending, q), 0.0)
        onward += weight * known.sum()
        reject += weight * float(known @ above((two.r or 0) - x, np.full(len(x), two.n - one.n + pending), q))
    return float(reject), np.array([1 - onward, onward])


def months_of(plan: Plan, stop: Floats) -> dict[str, float | None]:
    """Expected months, given the probabilities of stopping at each look; None where there is no closed form."""
    one, two = plan.design.looks
    interim, arrivals, delay = plan.interim, plan.arrivals, plan.disease.assessments.delay
    names = ("interim_month", "hold_months", "last_patient_month", "duration_months", "end_month")
    law: dict[str, float | None] = dict.fromkeys(names) | of_first_look(plan)
    entered, held = law["interim_month"], law["hold_months"]
    if entered is None or held is None or delay is None or not isinstance(arrivals, Constant):
        return law
    if interim.decide == "known":
        return law
    # the month of the look and its decision depend on each other, what comes after the look on neither
    stage = (two.n - one.n) / arrivals.rate
    left = float(mean_wait(max(interim.lag - held - delay, 0.0), np.array(two.n - one.n), arrivals.rate))
    law["duration_months"] = entered + float(stop[0]) * interim.lag + float(stop[1]) * (held + stage + delay + left)
    if interim.hold and held == interim.lag:
        last = entered + float(stop[1]) * (held + stage)
        law["last_patient_month"] = last
        after = plan.follow_up.months_after_last
        if after is not None:
            law["end_month"] = last + float(stop @ np.array([max(interim.lag, after), max(delay, after)]))
    return law
