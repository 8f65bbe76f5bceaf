"""Rules averaged over the sizes that a trial may attain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.analysis.attained import planned
from simtrial.analysis.rules import RULES, Asked
from simtrial.design.binomial import binomial_pmf

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.plan.dropout import Dropout


@dataclass(frozen=True, slots=True, kw_only=True)
class Averaged:
    """A whole rule, averaged over the sizes that the trial may attain.

    Attributes
    ----------
    rule : str
        By the names of `RULES`.
    type_i_error, power, pet_p0 : float
        Exact.
    largest : float
        Largest type I error at any sizes that can be attained.
    """

    rule: str
    type_i_error: float
    power: float
    pet_p0: float
    largest: float


def averaged(design: Design, asked: Requirements, loss: Dropout) -> tuple[Averaged, ...]:
    """Operating characteristics of every rule when patients who are not evaluable are left out.

    The numbers evaluable at both looks are binomial, each patient being evaluable alike; the response rate is that
    among the evaluable. For Koyama and Chen's rule, which wants its look at the planned n1, accrual to the first stage
    goes on until so many are evaluable, and only the second stage varies.

    Parameters
    ----------
    design : Design
        As planned, in patients enrolled.
    asked : Requirements
        p0 and p1, and alpha for the rules that keep it.
    loss : Dropout
        Who is not evaluable.

    Returns
    -------
    tuple of Averaged
        In the order of `RULES`.
    """
    plan, question = planned(design), Asked(asked.p0, asked.p1, asked.alpha)
    n1, n2 = plan.n1, plan.n - plan.n1
    rates = np.array([asked.p0, asked.p1])
    chance = loss.evaluable(rates)
    seen = loss.among_evaluable(rates)
    first, second = binomial_pmf(n1, chance), binomial_pmf(n2, chance)
    found = []
    for rule in RULES:
        total, early, worst = np.zeros(2), np.zeros(2), 0.0
        for m1, weight in rule.first_sizes(first):
            if weight.max() < TOO_RARE:
                continue
            for m2 in range(n2 + 1):
                both = weight * second[:, m2]
                if both.max() < TOO_RARE:
                    continue
                bounds = rule.bounds(plan, question, m1, m1 + m2)
                if bounds is None:  # no first look, and no such rule
                    break
                reject, pet = bounds.reject_probability(seen)
                total, early, worst = total + both * reject, early + both * pet, max(worst, float(reject[0]))
        if total.any():
            found.append(
                Averaged(
                    rule=rule.name,
                    type_i_error=float(total[0]),
                    power=float(total[1]),
                    pet_p0=float(early[0]),
                    largest=worst,
                )
            )
    return tuple(found)


TOO_RARE = 1e-13
"""Sizes less likely than this are left out of averages: there are at most some ten thousand of them."""
