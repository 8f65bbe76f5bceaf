"""The largest expected number of patients of a design, over all true response rates.

Two looks
---------
EN(p) = n1 + (n - n1) P(r1 < X1 < e1), and the derivative of that probability,

    n1 [b(r1; n1 - 1, p) - b(e1 - 1; n1 - 1, p)],

changes its sign once, where both are equal: at the odds [C(n1-1, r1) / C(n1-1, e1-1)]^(1 / (e1-1-r1)). Without a stop
for efficacy it never falls, and the largest EN is n, at p = 1; without one for futility n, at p = 0.

A second stage that depends on the first
----------------------------------------
EN(p) is a polynomial of degree n1 whose Bernstein coefficients are n1 + n2(x) (`bernstein`).

More looks
----------
EN(p) is a polynomial in p. It is evaluated on a grid much finer than a polynomial of its degree can turn, and the best
point is improved by halving between its neighbours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design.bernstein import peak
from simtrial.design.binomial import log_choose
from simtrial.design.designs import MultiStage
from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import SecondStage, branched
from simtrial.memo import kept

if TYPE_CHECKING:
    from simtrial.design.designs import Design, Look
    from simtrial.numbers import Floats

GRID = 401
"""Rates at which EN of three looks and more is evaluated: b(x; n, p) is wider than 1/400 for any n up to 10,000."""

ROUNDS = 6
"""How often the neighbourhood of the best point is divided by 10: EN is flat there, so its error is below 1e-9."""


class Largest(NamedTuple):
    """The largest expected number of patients, and the true response rate at which it is expected."""

    en: float
    p: float


def largest_en(design: Design) -> Largest:
    """Give the largest expected number of patients of a design over all true response rates.

    Parameters
    ----------
    design : Design
        Any design with looks.

    Examples
    --------
    >>> from simtrial import TwoStage
    >>> found = largest_en(TwoStage(r1=4, n1=23, r=8, n=35, e1=7))
    >>> round(found.en, 2), round(found.p, 2)
    (27.48, 0.24)
    """
    return _largest(tuple(design.looks))


@kept(1024)
def _largest(looks: tuple[Look, ...]) -> Largest:
    table = branched(looks)
    if table is not None:
        n2 = [row.n2 if isinstance(row, SecondStage) else 0 for row in table.after]
        return Largest(*peak(table.n + np.array(n2, dtype=np.float64), 1.0))
    last = float(looks[-1].n)
    if all(look.e is None for look in looks):
        return Largest(last, 1.0)  # whoever all respond, no trial stops for futility
    if all(look.r is None for look in looks[:-1]):
        return Largest(last, 0.0)
    p = turning(looks[0]) if len(looks) == 2 else _searched(looks)
    return Largest(_en(looks, np.array([p]))[0], p)


def turning(look: Look) -> float:
    """The true response rate at which a first look with two bounds most often lets the trial continue."""
    if look.r is None or look.e is None:
        raise ValueError("a look with one bound lets most trials continue at p = 0 or p = 1")
    ways = log_choose(look.n - 1, np.array([look.r, look.e - 1]))
    odds = math.exp(float(ways[0] - ways[1]) / (look.e - 1 - look.r))
    return odds / (1 + odds)


def _en(looks: tuple[Look, ...], p: Floats) -> list[float]:
    found: list[float] = operating_characteristics(MultiStage(looks), p).en.tolist()
    return found


def _searched(looks: tuple[Look, ...]) -> float:
    low, high = 0.0, 1.0
    p = np.linspace(low, high, GRID)
    for _ in range(ROUNDS):
        best = int(np.argmax(_en(looks, p)))
        low, high = float(p[max(best - 1, 0)]), float(p[min(best + 1, p.size - 1)])
        p = np.linspace(low, high, 21)
    return float(p[int(np.argmax(_en(looks, p)))])
