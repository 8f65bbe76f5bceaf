"""Other ways to run the same trial: what accrual does at a look, what an analysis waits for, patients pending."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.plan.plan import Conditional

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.plan.plan import Plan

FEW_EXTRA = 3
"""Patients by which accrual continues at most, where the plan gives no number."""

THRESHOLDS = (0.1, 0.3, 0.5, 0.7)
"""Least predictive probabilities that are compared for an interim look with patients pending."""

WAIT = "wait"
"""The way of an interim look that waits for every status."""


def alike(plan: Plan) -> str:
    """Say that type I error and power are the same in whatever way looks are decided and accrual goes on meanwhile.

    Nothing where a patient enrolled beyond a look that rejects H0 may yet stop the trial for toxicity.
    """
    early = any(look.e is not None for look in plan.design.looks[:-1])
    return "" if early and plan.toxicity_rule is not None else "Type I error and power are the same. "


def of_accrual(plan: Plan) -> dict[str, Plan]:
    """Accrual held at each look, continuing by a few patients at most, and continuing; and held as planned."""
    now, extra = plan.interim, FEW_EXTRA if plan.interim.extra is None else plan.interim.extra
    rules = {
        "is held": replace(now, hold=True, extra=None, max_hold=None),
        f"continues by at most {counted(extra, 'patient')}": replace(now, hold=False, extra=extra, max_hold=None),
        "continues": replace(now, hold=False, extra=None, max_hold=None),
    }
    if now.max_hold is not None:
        rules[f"is held for at most {counted(now.max_hold, 'month')}"] = now
    return {way: replace(plan, interim=rule) for way, rule in rules.items()}


def of_decision(plan: Plan) -> dict[str, Plan]:
    """Analyses that wait for every status, and analyses that decide as soon as the known responses settle them."""
    return {
        "every status is known": replace(plan, interim=replace(plan.interim, decide="complete")),
        "the decision is settled": replace(plan, interim=replace(plan.interim, decide="known")),
    }


def of_pending(plan: Plan, requirements: Requirements) -> dict[str, Plan] | None:
    """The first of two looks that waits, and that is taken with patients pending, by threshold.

    None where it cannot be: a single look, three looks, an efficacy bound, or recalculated bounds.
    """
    now = plan.interim
    if len(plan.design.looks) == 1:
        return None
    month = None if now.conditional is None else now.conditional.month
    plans = {WAIT: replace(plan, interim=replace(now, conditional=None))}
    mine = () if plan.conditional is None else (plan.conditional.threshold,)
    try:
        for threshold in sorted({*THRESHOLDS, *mine}):
            rule = Conditional(threshold, requirements.p1, month)
            plans[f"{threshold:g}"] = replace(plan, interim=replace(now, conditional=rule))
    except InputError:
        return None
    return plans
