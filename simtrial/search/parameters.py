"""The parameters of a rule that lead to the bounds of a design: what a search states of them, whatever the rule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRange:
    """The values of one parameter of a rule that lead to the same bounds.

    Attributes
    ----------
    name : str
        The parameter, as on the command line: ``theta_l``.
    low, high : float
        The ends.
    includes : {'low', 'high', 'both'}
        Which of them lead to the bounds themselves.
    """

    name: str
    low: float
    high: float
    includes: Literal["low", "high", "both"]

    def holds(self, value: float) -> bool:
        """Whether a value leads to the bounds."""
        return (
            self.low < value < self.high
            or (value == self.low and self.includes != "high")
            or (value == self.high and self.includes != "low")
        )

    @property
    def few_digits(self) -> float:
        """The value that has the fewest digits; the smallest of these.

        >>> ParameterRange(name="theta_l", low=0.1551, high=0.2097, includes="high").few_digits
        0.2
        """
        for digits in range(1, 17):
            scale = 10**digits
            first = math.ceil(self.low * scale)
            for k in (first, first + 1):
                if self.holds(k / scale):
                    return float(k / scale)
        return self.low if self.holds(self.low) else self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleParameters:
    """A rule with everything that leads to the bounds of one design.

    Attributes
    ----------
    rule : str
        Its key among the rules of `simtrial.search.rules`.
    looks_at : tuple of int
        Patients at each look that it was asked for; a design may end before the last.
    p0 : float
        The rate under H0.
    priors : mapping of str to tuple of float
        Its Beta priors (a, b), by their names on the command line: ``prior``, or ``prior_e`` and ``prior_s``.
    one : mapping of str to float
        Values with few digits that lead to the bounds together, by their names on the command line.
    ranges : tuple of ParameterRange
        All values of each that lead to the bounds.
    corners : tuple of (float, float)
        Where not all values from the ranges go together: the corners of the region of the first two.
    """

    rule: str
    looks_at: tuple[int, ...]
    p0: float
    priors: Mapping[str, tuple[float, float]]
    one: Mapping[str, float]
    ranges: tuple[ParameterRange, ...]
    corners: tuple[tuple[float, float], ...] = ()

    @property
    def prior(self) -> tuple[float, float]:
        """The prior of the response rate of the treatment that is studied."""
        return next(iter(self.priors.values()))
