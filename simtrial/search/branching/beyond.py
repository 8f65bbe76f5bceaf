"""Designs of any size: how much better than the cap allows they could be, and whether they can be better at all.

The linear bound for any n
--------------------------
At prices l, m a second stage with n2 patients adds at least d n2 - m b1, in the terms of `linear`, but rejecting H0 at
once adds l b0 - m b1; and it adds at least d n2 - m b1, but accepting H0 nothing. So only second stages with d n2 <
min(l b0, m b1) can be the best choice after x responses, and a bound taken over these holds for designs of any size.

Choices better than any second stage beyond a largest n2
--------------------------------------------------------
A test of n2 <= n patients is also a test of n patients, so by Neyman and Pearson [1]_ its (A, B) lies on or below the
curve of the most powerful randomised tests of n patients. That curve between the tests c - 1 and c, which have errors
A(c) <= A <= A(c - 1), has no more power than B(c - 1). So every second stage with lower < n2 <= n is beaten by one of
the choices that need lower + 1 patients, have error A(c) and power B(c - 1); in the order of conditional errors it may
count with any error from A(c) to A(c - 1). The last of these choices has error 0 and power 1. If no table of such
choices and of those within the cap is below a value, no design of any size is.

References
----------
.. [1] Neyman J, Pearson ES. On the problem of the most efficient tests of statistical hypotheses. Phil Trans R Soc
   A 1933;231:289-337.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import above
from simtrial.design.exact import CLOSE
from simtrial.search.branching.choices import IDEAL, Choices, choices
from simtrial.search.branching.linear import LimitPrices, bound_at, prices

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.search.branching.linear import Weights

FARTHEST = 250
"""Most patients of a second stage that the bound for any n looks at; prices at which more may matter are lowered."""


def bound_of_any_size(weights: Weights, asked: Requirements, at: LimitPrices, enough: float) -> float:
    """A lower bound, without n1, on the value of every table, whatever its second stages.

    Parameters
    ----------
    weights : Weights
        Of the numbers of responses.
    asked : Requirements
        Rates and limits.
    at : LimitPrices
        Those of the linear bound within the cap, to begin with.
    enough : float
        A bound that need not be improved.
    """
    best = 0.0
    for _ in range(3):
        lower = min(1.0, FARTHEST / _reach(weights, at))
        at = LimitPrices(at.bound, at.error * lower, at.power * lower)
        reach = math.ceil(_reach(weights, at))
        every = choices(_rounded(reach), asked.p0, asked.p1, ordered=False, whole=False).at_most(reach)
        best = max(best, bound_at(weights, every, asked.alpha, asked.power, at))
        if best >= enough:
            break
        at = prices(weights, every, asked.alpha, asked.power)
    return best


def _reach(weights: Weights, at: LimitPrices) -> float:
    """The largest second stage that can be a best choice at these prices."""
    gained = np.minimum(at.error * weights.null, at.power * weights.alternative)
    return float(np.max(gained / weights.patients))


def _rounded(n: int) -> int:
    """The next multiple of 50, so that the same choices serve several n1."""
    return -(-n // 50) * 50


STEP = 1.1
"""Each step beyond the largest n2 reaches this many times as far as the one before."""

STEPS = 20
"""Steps beyond the largest n2, before the choice that is better than any trial."""


def with_ideal(real: Choices, most: int, asked: Requirements, *, ordered: bool) -> Choices:
    """The choices, and others that are at least as good as any with more than `most` patients: see above."""
    lower, steps = most, []
    for _ in range(STEPS):
        n = max(lower + 1, int(lower * STEP))
        bound = np.arange(n + 1)
        sizes = np.full(n + 1, n)
        highest, power = (above(bound - 1, sizes, p) for p in (asked.p0, asked.p1))
        steps.append(np.stack([np.full(n + 1, lower + 1.0), above(bound, sizes, asked.p0), highest, power]))
        lower = n
    steps.append(np.array([[lower + 1.0], [0.0], [1.0], [1.0]]))
    n2, error, highest, power = np.concatenate(steps, axis=1)
    rank = leaves = np.zeros(n2.size, dtype=np.int64)
    if ordered:  # any error between the two may be the one that the order asks about
        places = np.append(real.rank, real.rank.max())
        rank = places[np.searchsorted(real.error, highest + CLOSE, side="right")]
        leaves = places[np.searchsorted(real.error, error - CLOSE, side="left")]
    return Choices(
        n2=np.concatenate([real.n2, n2.astype(np.int64)]),
        c=np.concatenate([real.c, np.full(n2.size, IDEAL)]),
        error=np.concatenate([real.error, error]),
        power=np.concatenate([real.power, power]),
        rank=np.concatenate([real.rank, rank]),
        leaves=np.concatenate([real.leaves, leaves]),
    )
