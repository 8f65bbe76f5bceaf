"""Ways to run a trial that are not possible together, or not with every design."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.design.second_stages import analyses, branched
from simtrial.errors import InputError
from simtrial.phrases import counted

if TYPE_CHECKING:
    from simtrial.plan.plan import Conditional, Plan

MAX_RECUT = 150
"""Most patients for which bounds are recut at every pair of numbers evaluable."""

BRANCHED = "where the second stage depends on the responses of the first"
"""The designs that some rules do not go with."""


def check_recut(plan: Plan) -> None:
    """Hold what recalculated bounds need.

    Raises
    ------
    InputError
        If patients are not excluded, there are too many looks or patients, or accrual closes at a month.
    """
    looks = plan.design.looks
    if plan.handling != "exclude":
        raise InputError("(recut) goes with handling: exclude only", "bounds")
    if branched(looks) is not None:
        raise InputError(f"(recut) is not possible {BRANCHED}; write fixed", "bounds")
    if len(looks) > 2:
        raise InputError(f"(recut) is possible for one or two looks; this design has {len(looks)}", "bounds")
    if looks[-1].n > MAX_RECUT:
        raise InputError(
            f"(recut) is possible for at most {MAX_RECUT} patients; this design has {looks[-1].n}", "bounds"
        )
    if plan.close_month is not None:
        raise InputError(
            "(recut) is not possible where accrual closes at a month; write fixed, or leave close_month out", "bounds"
        )


def check_max_hold(plan: Plan) -> None:
    """Hold what a hold of limited length needs.

    Raises
    ------
    InputError
        If patients who drop out are replaced and there are more than two looks.
    """
    looks = len(analyses(plan.design.looks))
    if plan.handling == "replace" and looks > 2:
        raise InputError(
            f"is possible for one or two looks where patients who drop out are replaced; this design has {looks}",
            "max_hold_months",
        )


def check_conditional(plan: Plan, rule: Conditional) -> None:
    """Hold what a first look with patients pending needs.

    Raises
    ------
    InputError
        If it is not the first of two looks with a futility bound alone, the bounds are recalculated, or it comes after
        accrual has closed.
    """
    looks = plan.design.looks
    if branched(looks) is not None:
        raise InputError(f"(conditional) is not possible {BRANCHED}; write wait", "pending")
    if len(looks) > 2:
        raise InputError(f"(conditional) is possible for two looks; this design has {len(looks)}", "pending")
    if looks[0].e is not None:
        raise InputError(f"(conditional) is not possible with an efficacy bound (e1 = {looks[0].e})", "pending")
    if looks[0].r is None:
        raise InputError("(conditional) needs a futility bound r1 at the first look", "pending")
    if plan.recut:
        raise InputError(
            "(conditional) goes with bounds: fixed; recalculated bounds wait for every response status", "pending"
        )
    if rule.month is not None and plan.close_month is not None and rule.month >= plan.close_month:
        raise InputError(
            f"({rule.month:g}) is not before the month at which accrual closes ({plan.close_month:g})", "look_month"
        )


def check_close(plan: Plan, month: float) -> None:
    """Hold that the patients of the design can be enrolled before accrual closes.

    Raises
    ------
    InputError
        If they practically cannot.
    """
    import numpy as np

    n = plan.design.looks[-1].n
    missed = float(plan.arrivals.fewer(n, np.array(month)))
    if missed > 1 - 1e-6:
        raise InputError(
            f"({month:g}) closes accrual before {counted(n, 'patient')} can be enrolled (probability {1 - missed:.1g})",
            "close_month",
        )
