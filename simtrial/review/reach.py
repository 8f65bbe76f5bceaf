"""Between which numbers of patients every exact answer lies, without the search that finds it.

From below: no design has the power where even the most powerful randomised test lacks it (`search.can_have_power`).

From above: let T be the EN(p0) of any two-stage design that meets both limits. The optimum has EN(p0) <= T, so n1 < T
(or n = T), and EN(p0) = n1 + P(X1 > r1; p0) (n - n1), where P(X1 <= r1; p1) <= beta bounds r1.
Hence n <= n1 + (T - n1) / P(X1 > that r1; p0) for some n1 < T. All other admissible designs have fewer patients than
the optimum.

T comes from a few single-stage tests (r, n) that have power to spare: stopping at X1 <= r1 of n1 lowers the type I
error and costs at most P(X1 <= r1; p1) of the power, so every r1 that costs no more than what is to spare makes a
design that meets both limits.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from simtrial import search
from simtrial.design.requirements import N_LIMIT
from simtrial.errors import InputError
from simtrial.search import FREE, Constraints, simon, single

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search import AnyCriterion, AnyFamily, SingleStageSearch, TwoStageSearch

TRIED = (1.0, 1.05, 1.1, 1.2)
"""Multiples of the smallest single-stage n that are tried for T: where the optimum usually lies."""

ROUNDING = 1e-9
"""By how much a probability that decides whether a search may be left out is moved to the safe side."""


@lru_cache(maxsize=8192)
def two_stage(asked: Requirements) -> TwoStageSearch | None:
    """The search, done once; None where it is refused."""
    try:
        return search.two_stage(asked)
    except InputError:
        return None


@lru_cache(maxsize=8192)
def single_stage(asked: Requirements) -> SingleStageSearch | None:
    """The search, done once; None where it is refused."""
    try:
        return search.single_stage(asked)
    except InputError:
        return None


@lru_cache(maxsize=8192)
def _searched(family: AnyFamily, asked: Requirements, constraints: Constraints) -> object | None:
    """The search of any other family, done once; None where it is refused."""
    try:
        found: object = family.search(asked, n_limit=N_LIMIT, constraints=constraints)
    except InputError:
        return None
    return found


def best(criterion: AnyCriterion, asked: Requirements, looks_at: tuple[int, ...] | None = None) -> Design | None:
    """The design that is best by a criterion of the register; None where its search is refused.

    Parameters
    ----------
    looks_at : tuple of int, optional
        The numbers of patients at the looks that are stated; a family whose looks are given is compared at these.
    """
    if criterion.family == simon.FAMILY.key:
        found: object | None = two_stage(asked)
    elif criterion.family == single.FAMILY.key:
        found = single_stage(asked)
    else:
        family = search.FAMILIES[criterion.family]
        found = _searched(family, asked, Constraints(looks_at=looks_at) if family.looks_given else FREE)
    try:
        return None if found is None else criterion.pick(found)
    except InputError:  # of a family that computes each of its criteria when it is asked for
        return None


def slow(criterion: AnyCriterion | None, asked: Requirements | None) -> bool:
    """Whether one search by a criterion takes seconds, so that dozens of readings of a statement cannot be searched."""
    if criterion is None or asked is None:
        return False
    found = single_stage(asked)
    return found is None or found.first.n > search.FAMILIES[criterion.family].quick_n


def _largest_r(n: NDArray[np.int64], p: float, mass: float) -> NDArray[np.int64]:
    """Largest r with P(X <= r; n, p) <= mass, or -1; shape of `n`."""
    from scipy import special

    r = np.nan_to_num(np.floor(special.bdtrik(mass, n, p)), nan=-1.0).astype(np.int64) + 1
    r = np.minimum(r, n - 1)
    while (over := (r >= 0) & (special.bdtr(np.maximum(r, 0), n, p) > mass)).any():
        r -= over
    found: NDArray[np.int64] = r
    return found


def _attainable_en(asked: Requirements, first: int) -> float:
    """EN(p0) of some two-stage design that meets both limits: see the head of this module."""
    from scipy import special

    best = math.inf
    for n in sorted({math.ceil(first * times) for times in TRIED}):
        r = int(search.smallest_r(np.array([n]), asked.p0, asked.alpha)[0])
        if not 0 < r < n:
            continue
        spare = float(special.bdtrc(r, n, asked.p1)) - asked.power - ROUNDING
        if spare <= 0:
            continue
        n1 = np.arange(1, n)
        r1 = np.minimum(_largest_r(n1, asked.p1, spare), r - 1)
        useful = r1 >= 0
        if useful.any():
            en = n1 + special.bdtrc(np.maximum(r1, 0), n1, asked.p0) * (n - n1)
            best = min(best, float(en[useful].min()))
    return best


@lru_cache(maxsize=8192)
def most_n(asked: Requirements) -> float:
    """Upper bound on n of the optimal two-stage design and so of every admissible one; infinite if none is known."""
    from scipy import special

    single = single_stage(asked)
    if single is None:
        return math.inf
    target = _attainable_en(asked, single.first.n)
    if not math.isfinite(target):
        return math.inf
    n1 = np.arange(1, math.ceil(target))
    if not n1.size:
        return math.inf
    r1 = _largest_r(n1, asked.p1, asked.beta + ROUNDING)
    rest = np.where(r1 >= 0, special.bdtrc(np.maximum(r1, 0), n1, asked.p0), 1.0)
    return float(np.max(n1 + (target + ROUNDING - n1) / np.maximum(rest - ROUNDING, 1e-12), initial=target + 1))


@lru_cache(maxsize=65536)
def _can_have_power(n: int, asked: Requirements) -> bool:
    return search.can_have_power(n, asked)


def may_have(asked: Requirements, least: int, most: int) -> bool:
    """Whether a two-stage answer with `least` to `most` patients is possible; False is proven, True is not."""
    return _can_have_power(most, asked) and most_n(asked) >= least
