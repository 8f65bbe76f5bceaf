"""Exact laws of a trial's conduct: what a sum or an integral gives, and need not be simulated.

The decision has an exact law under every handling of dropout [1]_. Let d be the probability of dropout. If patients
without an assessment count as non-responders, everything happens at the rate p (1 - d). If they are replaced, it
happens at the rate among the evaluable, and n_k evaluable patients take n_k / P(evaluable) enrolled ones on average. If
they are excluded with fixed bounds, the denominator changes and the decision does not; with recalculated bounds the
decision is a mixture over the numbers of evaluable patients.

Months have one where the times at which statuses become known do not depend on what decides the trial, or where
arrivals after a hold start afresh. Everything else is None, and is simulated. So is everything but the decision of a
trial with a rule that stops it for toxicity: at any moment, whatever look is due.

References
----------
.. [1] A'Hern RP. Sample size tables for exact single-stage phase II designs. Stat Med 2001;20:859-866.
.. [2] Anisimov VV, Fedorov VV. Modelling, prediction and adaptive adjustment of recruitment in multicentre trials.
   Stat Med 2007;26:4958-4975.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import above
from simtrial.design.second_stages import analyses
from simtrial.laws import known, pending
from simtrial.laws.calendar import months_of, overruns
from simtrial.laws.decision import beta_rule, decision, has_law
from simtrial.memo import kept
from simtrial.plan.disease import Beta
from simtrial.toxicity.boundary import crossing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simtrial.numbers import Floats
    from simtrial.plan.disease import Toxicity
    from simtrial.plan.plan import Plan, Scenario

Law = dict[str, float | None]


def exact_values(plan: Plan, scenario: Scenario, *, months: bool = True) -> Law:
    """Every mean that has an exact value; None for the others.

    Parameters
    ----------
    plan : Plan
        How the trial is run.
    scenario : Scenario
        The true response rate; a Beta distribution is integrated out.
    months : bool
        Whether those of `MONTHS`, and expected events, are wanted.

    Returns
    -------
    dict
        By the names of `simtrial.conduct.outcomes`.
    """
    return dict(_known(plan, scenario, months))


@kept(256)
def _known(plan: Plan, scenario: Scenario, months: bool) -> Law:
    return _exact_values(plan, scenario, months=months)


def _exact_values(plan: Plan, scenario: Scenario, *, months: bool) -> Law:
    if plan.toxicity_rule is not None:
        return _under_rule(plan, scenario)
    if not has_law(plan):
        return pending.of_first_look(plan)
    if isinstance(scenario.p, Beta):
        rates, weights = beta_rule(scenario.p, plan)
    else:
        rates, weights = np.array([float(scenario.p)]), np.ones(1)
    found = decision(plan, rates)
    cases = [_case(plan, float(p), found.stop[i], len(rates) == 1, months) for i, p in enumerate(rates)]
    early = found.stop[:, : len(analyses(plan.design.looks)) - 1].sum(axis=1)
    law: Law = {"reject": float(weights @ found.reject), "pet": float(weights @ early)}
    for name in cases[0]:
        column = [case[name] for case in cases]
        if any(v is None or np.isnan(v) for v in column):  # NaN: an integral whose tail is too heavy
            law[name] = None
        else:
            law[name] = float(weights @ np.array(column, dtype=np.float64))
    return law


def _under_rule(plan: Plan, scenario: Scenario) -> Law:
    """What is known under a rule for toxicity: P(reject H0), and P(stop) of a single look after every window.

    No status is known before the first assessment. Where the window ends by then, every toxicity has occurred before
    the only decision, so that a trial is stopped if it crosses the boundary at all.
    """
    law: Law = {"reject": None}
    if has_law(plan) and not isinstance(scenario.p, Beta):
        law["reject"] = float(decision(plan, np.array([float(scenario.p)])).reject[0])
    elif has_law(plan) and isinstance(scenario.p, Beta):
        rates, weights = beta_rule(scenario.p, plan)
        law["reject"] = float(weights @ decision(plan, rates).reject)
    rule, only = plan.toxicity_rule, len(plan.design.looks) == 1
    complete = plan.interim.decide == "complete" and plan.close_month is None
    if rule is not None and plan.toxicity is not None and only and complete:
        boundary = rule.boundary.within(plan.design.looks[-1].n)
        if rule.window <= plan.disease.assessments.interval * (1 + 1e-9):
            ever = 0.0 if boundary is None else float(crossing(boundary, [plan.toxicity.rate]).ever[0])
            law["toxicity_stopped"] = ever
    return law


def _case(plan: Plan, p: float, stop: Floats, settled: bool, months: bool) -> Law:
    """Means at one of the true rates; `settled` if it is the only one."""
    if plan.conditional is not None:
        law = _at_rate(plan, p, stop)
        if plan.interim.decide == "known":  # the last look may stop accrual
            law = {name: value if name == "overrun" else None for name, value in law.items()}
        return law | (pending.months_of(plan, stop) if months else {})
    if plan.interim.decide == "known":
        return known.values(plan, p, months=months)
    return _at_rate(plan, p, stop) | (months_of(plan, p, stop, settled) if months else {})


def _at_rate(plan: Plan, p: float, stop: Floats) -> Law:
    """Means at one true rate, given the probabilities of stopping at each look."""
    looks = plan.design.looks
    n = np.array([look.n for look in looks])
    share = float(plan.dropout.evaluable(p))
    replacing = plan.handling == "replace"
    counted = n / share if replacing else n
    beyond = overruns(plan)
    overrun = None if beyond is None else float(stop[: beyond.size] @ beyond)
    enrolled = None if overrun is None else float(stop @ counted) + overrun
    law: Law = {
        "n_enrolled": enrolled,
        # failures and enrollments come in a fixed ratio for as long as accrual is open, whatever closes it
        "n_screened": None if enrolled is None else enrolled / plan.screening_success,
        "n_evaluable": float(stop @ n) * (1.0 if replacing else share),
        "overrun": overrun,
    }
    independent = plan.toxicity is not None and plan.toxicity.odds_ratio == 1
    if plan.toxicity and independent and plan.interim.hold and plan.interim.max_hold is None and not replacing:
        law["toxicity_crossed"] = float(stop @ _toxic(plan.toxicity, n))
    return law


def _toxic(toxicity: Toxicity, n: NDArray[np.int64]) -> Floats:
    """P(more than the limit times n of n patients have toxicity), for each n."""
    # a product that should be a whole number must not fall below it by its last bit
    return above(np.floor(toxicity.limit * n * (1 + 1e-12)), n, toxicity.rate)
