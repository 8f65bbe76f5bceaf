"""What a larger number of patients buys against losses: chances of n evaluable, and what becomes of the errors.

Inflated designs keep their bounds: `r1` of ceil(n1 / (1 - d)) and `r` of ceil(n / (1 - d)) patients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from simtrial.designs import Look, MultiStage
from simtrial.exact import operating_characteristics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.designs import Design
    from simtrial.requirements import Requirements


def enrolled_for(n: int, loss: float) -> int:
    """Give ceil(n / (1 - d)), in fractions, so that 18 / 0.9 is 20 and not 21."""
    kept = 1 - Fraction(repr(loss))
    return -((-n * kept.denominator) // kept.numerator)


def probability_enough(n: int, enrolled: Sequence[int], loss: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """P(at least n evaluable of each number enrolled), losses independent: a binomial tail."""
    from scipy import stats

    found: np.ndarray[tuple[int], np.dtype[np.float64]] = stats.binom.sf(n - 1, np.asarray(enrolled), 1 - loss)
    return found


@dataclass(frozen=True, slots=True)
class Inflated:
    """One number of patients enrolled in place of n, bounds kept, losses counted as non-responders.

    Attributes
    ----------
    enrolled : int
        Patients at the last look.
    enough : float
        P(at least n of them evaluable).
    type_i_error, power : float
        P(reject H0) when p0 and p1 are the rates among the evaluable: everything at p (1 - d).
    type_i_error_all : float
        P(reject H0) when p0 is the rate among all enrolled, lost ones included.
    design : Design
        The looks with the inflated numbers.
    """

    enrolled: int
    enough: float
    type_i_error: float
    power: float
    type_i_error_all: float
    design: Design


def inflated(design: Design, requirements: Requirements, loss: float) -> list[Inflated]:
    """Enroll more, from the planned n up to the first number that secures n evaluable patients nine times in ten.

    Parameters
    ----------
    design : Design
        Planned looks.
    requirements : Requirements
        p0 and p1.
    loss : float
        Probability that a patient is not evaluable.

    Returns
    -------
    list of Inflated
        One for each number enrolled; ceil(n / (1 - d)) is among them.
    """
    n = design.looks[-1].n
    usual = enrolled_for(n, loss)
    numbers = [n]
    while numbers[-1] < usual or float(probability_enough(n, numbers[-1:], loss)[0]) < 0.9:
        numbers.append(numbers[-1] + 1)
    found = []
    for number, enough in zip(numbers, probability_enough(n, numbers, loss), strict=True):
        looks = _scaled(design.looks, number)
        if number == usual:
            looks = tuple(replace(look, n=enrolled_for(look.n, loss)) for look in design.looks)
        larger = MultiStage(looks)
        p0, p1 = requirements.p0, requirements.p1
        reject = operating_characteristics(larger, [p0 * (1 - loss), p1 * (1 - loss), p0]).reject
        type_i_error, power, type_i_error_all = (float(v) for v in reject)
        found.append(Inflated(number, float(enough), type_i_error, power, type_i_error_all, larger))
    return found


def _scaled(looks: tuple[Look, ...], last: int) -> tuple[Look, ...]:
    """The looks with their numbers in the same proportion to a new last one, rounded up."""
    n = looks[-1].n
    return tuple(replace(look, n=-((-look.n * last) // n)) for look in looks)
