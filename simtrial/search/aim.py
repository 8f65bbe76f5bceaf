"""What a criterion makes small: weights of expected and largest numbers of patients, and the order of ties.

Ties
----
Values that agree to `TIE` are equal; then the fewest patients, the smallest first stage and the largest final bound are
taken, which has the smallest type I error, and last the largest futility and the smallest efficacy bound of the first
look. The order is the same for every family, so that one design has one answer.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.largest import largest_en
from simtrial.errors import InputError
from simtrial.inputs import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements

TIE = 1e-9
"""Values of a criterion that are nearer than this are equal: sums of up to 1,000 patients are right to 1e-12."""

Key = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be small, as a weighted sum.

    Attributes
    ----------
    en_p0, en_p1 : float
        Weights of the expected number of patients at p0 and at p1.
    en_max : float
        Weight of the largest expected number of patients at any true response rate.
    n : float
        Weight of the maximum number of patients.
    smallest_n : bool
        Whether n comes first, and the sum decides among the designs with the smallest n.

    Raises
    ------
    InputError
        If a weight is negative, or all are 0.
    """

    en_p0: float = 0.0
    en_p1: float = 0.0
    en_max: float = 0.0
    n: float = 0.0
    smallest_n: bool = False

    def __post_init__(self) -> None:
        weights = [getattr(self, one.name) for one in fields(self) if one.name != "smallest_n"]
        for weight in weights:
            TABLE["weight"].check(weight, "weight")
        if not any(weights):
            raise InputError("(0) leaves nothing to be small", "weight")

    @classmethod
    def between(cls, weight: float) -> Aim:
        """(1 - weight) EN(p0) + weight EN(p1)."""
        return cls(en_p0=1.0 - weight, en_p1=weight)

    @property
    def what(self) -> str:
        """The sum in words: "EN(p0)", "0.5 EN(p0) + 0.5 EN(p1)", "the largest EN(p)"."""
        names = {"en_p0": "EN(p0)", "en_p1": "EN(p1)", "en_max": "the largest EN(p)", "n": "n"}
        given = {name: getattr(self, key) for key, name in names.items() if getattr(self, key)}
        return " + ".join(name if weight == 1 else f"{weight:g} {name}" for name, weight in given.items())

    def value(self, design: Design, requirements: Requirements) -> float:
        """The weighted sum of a design."""
        en_p0, en_p1 = exact.operating_characteristics(design, [requirements.p0, requirements.p1]).en.tolist()
        largest = largest_en(design).en if self.en_max else 0.0
        return self.of(float(en_p0), float(en_p1), largest, design.looks[-1].n)

    def of(self, en_p0: float, en_p1: float, en_max: float, n: float) -> float:
        """The weighted sum of numbers that are known."""
        return self.en_p0 * en_p0 + self.en_p1 * en_p1 + self.en_max * en_max + self.n * n

    def order(self, design: Design, value: float) -> Key:
        """What a design with this value is compared by: the least is taken, values first where they differ by `TIE`."""
        first, last = design.looks[0], design.looks[-1]
        lower, final = (-1 if look.r is None else look.r for look in (first, last))
        upper = first.n + 1 if first.e is None else first.e
        rounded = float(np.round(value / TIE)) * TIE
        return (float(last.n) if self.smallest_n else 0.0, rounded, last.n, first.n, -final, -lower, upper)

    def best(self, designs: Sequence[Design], requirements: Requirements) -> Design:
        """The best of some designs by definition. No search uses it; the laws of families do."""
        return min(designs, key=lambda design: self.order(design, self.value(design, requirements)))

    def equal(self, a: tuple[float, int], b: tuple[float, int]) -> bool:
        """Whether this does not tell two designs apart, of each of which value and n are known."""
        return abs(a[0] - b[0]) <= TIE and (not self.smallest_n or a[1] == b[1])


LEAST_EN = Aim(en_p0=1.0)
"""Least EN(p0), then fewest n: what is called optimal."""

LEAST_N = Aim(en_p0=1.0, smallest_n=True)
"""Fewest n, then least EN(p0): what is called minimax."""
