"""What a design attains whose bounds are recalculated at the numbers evaluable.

Of n patients enrolled, a binomial number m is evaluable, and of these a binomial number responds. Every probability is
summed over the numbers evaluable at each look, with the bounds that `simtrial.plan.recut` gives for these numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import tail_fraction
from simtrial.design.exact import OperatingCharacteristics, signs
from simtrial.design.requirements import Requirements, decimal
from simtrial.errors import InputError
from simtrial.laws.decision import mixture
from simtrial.plan.recut import attained_bounds

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.numbers import Floats
    from simtrial.plan.dropout import Dropout


def written(value: float | Floats) -> float:
    """A rate as a decimal: .35 times .92 is .322, and not a double beside it that no design meets exactly."""
    return float(f"{float(value):.12g}")


@dataclass(frozen=True, slots=True)
class Evaluable:
    """Who is evaluable under p0 and under p1, and what the recalculated bounds keep.

    Bounds that are informed of the dropout keep alpha at the response rate among the evaluable that belongs to p0, or
    at p0 itself if that is larger: given the numbers evaluable the type I error never exceeds alpha, neither under the
    stated dropout nor under one that says nothing about response. Others keep it at p0 alone.

    Attributes
    ----------
    kept : Requirements
        Response rates at which the bounds are recalculated, with the limits.
    rates : tuple of float
        Response rates among the evaluable, under p0 and under p1.
    shares : tuple of float
        Probability that a patient is evaluable, under p0 and under p1.
    """

    kept: Requirements
    rates: tuple[float, float]
    shares: tuple[float, float]

    @classmethod
    def of(cls, asked: Requirements, loss: Dropout, *, informed: bool = True) -> Evaluable:
        """Those of a question and a law of loss."""
        q0, q1 = (written(loss.among_evaluable(p)) for p in (asked.p0, asked.p1))
        s0, s1 = (written(loss.evaluable(p)) for p in (asked.p0, asked.p1))
        null = max(q0, asked.p0)
        if informed and null >= q1:
            raise InputError(
                f"({loss.probability:g}) is too large: among the evaluable patients p1 = {asked.p1:g} becomes "
                f"{q1:.4g}, which is not above {null:.4g}, at which the recalculated bounds keep alpha; plan for less "
                "dropout",
                "dropout",
            )
        kept = Requirements(null, q1, asked.alpha, asked.power) if informed else asked
        return cls(kept, (q0, q1), (s0, s1))

    def characteristics(self, design: Design, p: tuple[float, float]) -> OperatingCharacteristics:
        """What a design with one or two looks attains, p0 and p1 being `p`; its looks count patients enrolled.

        Raises
        ------
        InputError
            If the design has more than two looks.
        """
        bounds = attained_bounds(design, self.kept)
        accept, reject = np.array(
            [mixture(design.looks, bounds, *each) for each in zip(self.shares, self.rates, strict=True)]
        ).swapaxes(0, 1)
        return OperatingCharacteristics(np.array(p), np.array([look.n for look in design.looks]), accept, reject)

    def sides(self, design: Design) -> tuple[int, int]:
        """On which side of alpha the type I error lies, and of the power asked for the power: -1, 0 (at it) or 1."""
        limits = (self.kept.alpha, self.kept.power)
        found = self.characteristics(design, self.rates).reject
        alpha, power = signs(found, limits, lambda k: self.reject_fraction(design, k) - decimal(limits[k])).tolist()
        return alpha, power

    def stop_fraction(self, design: Design, k: int) -> Fraction:
        """P(stop at the first of two looks) under p0 (k = 0) or p1 (k = 1) as an exact fraction."""
        total = Fraction(0)
        for (m1, weight), (r, e) in zip(self._weights(design.looks[0].n, k), self._first(design), strict=True):
            total += weight * (1 - tail_fraction(r, m1, self.rates[k]) + tail_fraction(e - 1, m1, self.rates[k]))
        return total

    def reject_fraction(self, design: Design, k: int) -> Fraction:
        """P(reject H0) under p0 (k = 0) or p1 (k = 1) as an exact fraction; slow, for where the last bit decides."""
        final = attained_bounds(design, self.kept).final
        *interim, last = design.looks
        before = interim[0].n if interim else 0
        q, total = decimal(self.rates[k]), Fraction(0)
        firsts = self._first(design) if interim else [(-1, 1)]
        later = self._weights(last.n - before, k)
        for (m1, weight), (r, e) in zip(self._weights(before, k), firsts, strict=True):
            rejects = tail_fraction(e - 1, m1, self.rates[k])
            for x in range(r + 1, min(e, m1 + 1)):
                reaches = math.comb(m1, x) * q**x * (1 - q) ** (m1 - x)
                rejects += reaches * sum(
                    more * tail_fraction(int(final[m1, m1 + m2]) - x, m2, self.rates[k]) for m2, more in later
                )
            total += weight * rejects
        return total

    def _first(self, design: Design) -> list[tuple[int, int]]:
        """R and e of the first look by the number evaluable."""
        return [(int(r), int(e)) for r, e in attained_bounds(design, self.kept).first]

    def _weights(self, n: int, k: int) -> list[tuple[int, Fraction]]:
        """Every number evaluable of n, with its probability as an exact fraction."""
        s = decimal(self.shares[k])
        return [(m, math.comb(n, m) * s**m * (1 - s) ** (n - m)) for m in range(n + 1)]
