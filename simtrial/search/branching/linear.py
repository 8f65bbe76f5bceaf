"""The linear bound: the least value if the trial may draw lots between choices, and the prices of the two limits.

For prices l, m >= 0 no table that keeps the limits has a value below

    fixed + sum over x of min over the choices of [d(x) n2 + l b0(x) A - m b1(x) B] - l alpha + m power,

d(x) being the weight of a patient after X1 = x: each term is at most that of the table, and what is added is at most 0
where the limits are kept. The largest of these bounds is the value of the linear program in which each x may draw lots
between its choices [1]_. It is found by the simplex method on tables: two prices and three tables at a time, the next
table being the one that is best at the present prices. Whatever rounding does, each pair of prices gives a valid bound.

References
----------
.. [1] Banerjee A, Tsiatis AA. Adaptive two-stage designs in phase II clinical trials. Stat Med 2006;25:3382-3395.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from simtrial.numbers import Floats, Ints
    from simtrial.search.branching.choices import Choices

PROHIBITIVE = 1e5
"""Value of a table that stands for "none": above that of any design."""

ROUNDS = 80
"""Most tables that are tried; the bound is valid wherever it ends."""


class LimitPrices(NamedTuple):
    """A lower bound and its prices: of the type I error, and of the power, in expected patients per unit."""

    bound: float
    error: float
    power: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each number of responses weighs; arrays over x.

    Attributes
    ----------
    patients : ndarray
        Weight of a further patient in the value.
    null, alternative : ndarray
        Probability at p0 and at p1.
    """

    patients: Floats
    null: Floats
    alternative: Floats

    def take(self, which: Ints) -> Weights:
        """Those of some of the numbers of responses, in this order."""
        return Weights(patients=self.patients[which], null=self.null[which], alternative=self.alternative[which])


def terms(weights: Weights, choices: Choices, error: float, power: float) -> Floats:
    """The terms of the bound at prices, for each x (row) and choice."""
    found: Floats = np.multiply.outer(weights.patients, choices.n2)
    found += np.multiply.outer(error * weights.null, choices.error)
    found -= np.multiply.outer(power * weights.alternative, choices.power)
    return found


def bound_at(weights: Weights, choices: Choices, alpha: float, power: float, at: LimitPrices) -> float:
    """The bound at prices, without what is fixed."""
    least = float(terms(weights, choices, at.error, at.power).min(axis=1).sum())
    return least - at.error * alpha + at.power * power


def prices(weights: Weights, choices: Choices, alpha: float, power: float) -> LimitPrices:
    """The linear bound on the value of what is still open, without what is fixed, for the limits that are left.

    Parameters
    ----------
    weights : Weights
        Of the numbers of responses that are open.
    choices : Choices
        What may follow each of them.
    alpha, power : float
        What is left of the limits; the first may be negative, where no choice can mend it.
    """
    every = np.arange(weights.null.size)
    basis = np.array([[1.0, 0.0, 0.0], [alpha, np.copysign(1.0, alpha), 0.0], [power, 0.0, -1.0]])
    costs = np.array([PROHIBITIVE, 0.0 if alpha >= 0 else PROHIBITIVE, 0.0])
    limits = np.array([1.0, alpha, power])
    best = LimitPrices(-np.inf, 0.0, 0.0)
    for _ in range(ROUNDS):
        try:
            base, at_null, at_alternative = np.linalg.solve(basis.T, costs)
        except np.linalg.LinAlgError:
            break
        for_error, for_power = max(-float(at_null), 0.0), max(float(at_alternative), 0.0)
        open_ = terms(weights, choices, for_error, for_power)
        taken = open_.argmin(axis=1)
        least = float(open_[every, taken].sum())
        bound = least - for_error * alpha + for_power * power
        if bound > best.bound:
            best = LimitPrices(bound, for_error, for_power)
        if least < base - 1e-10 * (1 + abs(base)):
            cost = float(weights.patients @ choices.n2[taken])
            column = np.array([1.0, weights.null @ choices.error[taken], weights.alternative @ choices.power[taken]])
        elif at_null > 1e-9:
            cost, column = 0.0, np.array([0.0, 1.0, 0.0])
        elif at_alternative < -1e-9:
            cost, column = 0.0, np.array([0.0, 0.0, -1.0])
        else:
            break
        try:
            step, held = np.linalg.solve(basis, np.stack([column, limits], axis=1)).T
        except np.linalg.LinAlgError:
            break
        ratio = np.where(step > 1e-13, held / np.where(step > 1e-13, step, 1.0), np.inf)
        leaves = int(ratio.argmin())
        if not np.isfinite(ratio[leaves]):
            break
        basis[:, leaves], costs[leaves] = column, cost
    return best
