"""What people use for p0, p1, alpha and power, and how far from it requirements are."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from simtrial.design.requirements import Requirements

if TYPE_CHECKING:
    from collections.abc import Sequence

RATES = tuple(k / 100 for k in (1, 2, 3, 4, *range(5, 100, 5)))
ALPHAS = (0.05, 0.1, 0.025, 0.01, 0.2, 0.15)
POWERS = (0.8, 0.9, 0.85, 0.95)
GAPS = (0.2, 0.15, 0.25, 0.1, 0.3, 0.35, 0.4)
"""What people use, the commonest first; response rates in steps of .05, and a few below it."""


def oddness(asked: Requirements) -> int:
    """How far requirements are from what most people use: the places in `ALPHAS`, `POWERS` and `GAPS` added up.

    A number that is in no table counts as its length; a p0 off the steps of .05 adds one.
    """
    gap = round(asked.p1 - asked.p0, 6)
    listed = ((asked.alpha, ALPHAS), (asked.power, POWERS), (gap, GAPS))
    places = sum(table.index(v) if v in table else len(table) for v, table in listed)
    return places + (asked.p0 not in RATES[4:])


def usual(
    p0: Sequence[float], p1: Sequence[float], alpha: Sequence[float], power: Sequence[float]
) -> list[Requirements]:
    """Requirements that people use, the values given instead of the conventional ones; by `oddness`, then by p0.

    Rates are `RATES`, apart by .09 (.01 against .1) to .4.
    """
    errors = product(alpha or ALPHAS, power or POWERS)
    every = [Requirements(*rates, a, b) for rates, (a, b) in product(_pairs(p0, p1), list(errors)) if b > a]
    return sorted(every, key=lambda asked: (oddness(asked), asked.p0))


def combinations(p0: Sequence[float], p1: Sequence[float], alpha: Sequence[float], power: Sequence[float]) -> int:
    """How many requirements `usual` gives at most, before any is made."""
    return len(_pairs(p0, p1)) * len(alpha or ALPHAS) * len(power or POWERS)


def _pairs(p0: Sequence[float], p1: Sequence[float]) -> list[tuple[float, float]]:
    """The rates that are compared with each other."""
    return [
        (low, high)
        for low, high in product(p0 or RATES, p1 or RATES)
        if low < high and ((p0 and p1) or 0.0899 < high - low < 0.4001)
    ]
