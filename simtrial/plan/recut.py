"""Bounds recut at the number of evaluable patients, for trials that leave the others out.

* At the planned numbers the planned bounds hold.
* r of the first of two looks is the largest that stops a treatment of rate p1 no more often than planned:
  P(X <= r; m1, p1) <= P(X <= r1; n1, p1). An efficacy bound is the smallest with P(X >= e; m1, p0) no larger than
  planned.
* r of the last look is the smallest that keeps P(reject H0; p0) <= alpha at the numbers attained, the first look's
  recut bounds included.

Given how many are evaluable, the type I error so never exceeds alpha, whatever the law of that number. Comparisons too
close for floating point are made in fractions.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import binomial_pmf, tail_fraction
from simtrial.design.designs import AttainedBounds, Look
from simtrial.design.exact import signs
from simtrial.design.requirements import decimal
from simtrial.design.second_stages import NOT_HERE, branched
from simtrial.design.walk import responding, walk
from simtrial.errors import InputError
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.design.walk import Arrival
    from simtrial.numbers import Floats, Ints
    from simtrial.plan.plan import Plan


def _tails(n: int, p: float) -> tuple[Floats, Floats]:
    """P(X <= x) and P(X >= x) for x = 0..n."""
    pmf = binomial_pmf(n, p)
    return np.cumsum(pmf), np.cumsum(pmf[::-1])[::-1]


def _first(look: Look, m: int, p0: float, p1: float) -> tuple[int, int]:
    """R and e of an interim look at which m patients are evaluable; -1 and n + 1 where there is no bound."""
    if m == look.n:
        return -1 if look.r is None else look.r, look.n + 1 if look.e is None else look.e
    r, e = -1, look.n + 1
    if look.r is not None:
        planned = look.r
        stops, limit = _tails(m, p1)[0], _tails(look.n, p1)[0][planned]
        # P(X <= x) - P(X <= planned) is the difference of the upper tails the other way round
        low = signs(stops, limit, lambda x: tail_fraction(planned, look.n, p1) - tail_fraction(x, m, p1))
        r = int((low <= 0).sum()) - 1
    if look.e is not None:
        efficacy = look.e
        wins, limit = _tails(m, p0)[1], _tails(look.n, p0)[1][efficacy]
        high = signs(wins, limit, lambda x: tail_fraction(x - 1, m, p0) - tail_fraction(efficacy - 1, look.n, p0))
        e = int(np.argmax(high <= 0)) if (high <= 0).any() else look.n + 1
    return r, max(e, r + 2)


def _arrival(look: Look, p0: float) -> Arrival[np.float64]:
    """What reaches an interim look that is the first."""
    (first,) = walk([look], binomial_pmf(look.n, p0), responding(p0), final=False)
    return first


def _last(first: Arrival[np.float64], m: int, p0: float, alpha: float) -> int:
    """Smallest r with P(reject H0; p0) <= alpha, by what reaches the look before and the number of further patients."""
    n, here = first.look.n, first.here
    arrived = responding(p0)(first.onward, n, n + m)
    spent = float(first.reached[here.reject].sum())
    later = np.cumsum(arrived[::-1])[::-1]
    beyond = spent + np.append(later[1:], 0.0)  # P(reject H0) if r = 0, 1, ...

    kept = signs(beyond, alpha, lambda r: _excess(first, m, r, p0, alpha)) <= 0
    return int(np.argmax(kept)) if kept.any() else len(arrived)


def _excess(first: Arrival[np.float64], m: int, r: int, p0: float, alpha: float) -> Fraction:
    """P(reject H0; p0) - alpha as an exact fraction, by what reaches the look before."""
    n, rate = first.look.n, decimal(p0)
    total = Fraction(0)
    for x in np.flatnonzero(~first.here.accept).tolist():
        rejects = Fraction(1) if first.here.reject[x] else tail_fraction(r - x, m, p0)
        total += math.comb(n, x) * rate**x * (1 - rate) ** (n - x) * rejects
    return total - decimal(alpha)


def _last_of_all(firsts: Sequence[Arrival[np.float64]], most: int, p0: float, alpha: float) -> Ints:
    """What `_last` gives for each of these (row) and for 0 to `most` further patients (column), as one product."""
    x = np.arange(len(firsts))
    onward = np.zeros((x.size, x.size))
    for row, first in zip(onward, firsts, strict=True):
        row[: first.look.n + 1] = first.onward
    spent = np.array([first.reached[first.here.reject].sum() for first in firsts])
    r = np.arange(x.size + most)
    # P(further responses > r - x) at [x, m, r]
    later = np.stack([np.append(_tails(m, p0)[1][1:], np.zeros(r.size - m)) for m in range(most + 1)])
    beyond = later[:, np.maximum(r - x[:, np.newaxis], 0)].swapaxes(0, 1)
    beyond = np.where((r < x[:, np.newaxis])[:, np.newaxis], 1.0, beyond)
    rejects = spent[:, np.newaxis, np.newaxis] + np.tensordot(onward, beyond, 1)
    kept = signs(rejects, alpha, lambda k, m, r: _excess(firsts[k], m, r, p0, alpha)) <= 0
    found: Ints = np.argmax(kept, axis=2)
    return found


def bounds_of(plan: Plan) -> AttainedBounds | None:
    """The recut bounds of a plan that asks for them, else None."""
    return None if plan.recut is None else attained_bounds(plan.design, plan.recut)


def attained_bounds(design: Design, requirements: Requirements) -> AttainedBounds:
    """Recut the bounds of a design with one or two looks for every number evaluable.

    Parameters
    ----------
    design : Design
        The planned design.
    requirements : Requirements
        p0, p1 and alpha, which say what the bounds keep.

    Returns
    -------
    AttainedBounds
        See the rules at the head of this module.

    Raises
    ------
    InputError
        If the design has more than two looks, or a second stage that depends on the first.
    """
    if branched(design.looks) is not None:
        raise InputError(NOT_HERE, "design")
    if len(design.looks) > 2:
        raise InputError(f"has {counted(len(design.looks), 'look')}; bounds are recalculated for one or two", "design")
    return _recut(design.looks, requirements)


def first_bound(look: Look, n1: int, p0: float, p1: float) -> int:
    """Recut r of an interim look without an efficacy bound at any number attained; -1 where it cannot stop."""
    return _first(look, n1, p0, p1)[0]


def last_bound(r1: int, n1: int, n: int, p0: float, alpha: float) -> int:
    """Recut r of the last look at any number attained, after one that stops at X1 <= r1 of n1; 0 of 0 for none."""
    return _last(_arrival(Look(n1, r1), p0), n - n1, p0, alpha)


@lru_cache(maxsize=16)
def _recut(looks: tuple[Look, ...], requirements: Requirements) -> AttainedBounds:
    *interim, last = looks
    planned = last.r or 0
    p0, p1, alpha = requirements.p0, requirements.p1, requirements.alpha
    if not interim:
        row = [last_bound(-1, 0, m, p0, alpha) for m in range(last.n)]
        return AttainedBounds(np.zeros((0, 2), dtype=np.int64), np.array([[*row, planned]]))
    (look,) = interim
    first = np.array([_first(look, m, p0, p1) for m in range(look.n + 1)])
    final: NDArray[np.int64] = np.full((look.n + 1, last.n + 1), planned)
    arrivals = [_arrival(Look(m1, int(r), int(e)), p0) for m1, (r, e) in enumerate(first)]
    recalculated = _last_of_all(arrivals, last.n - look.n, p0, alpha)
    for m1, row in enumerate(recalculated):
        final[m1, m1 : m1 + row.size] = row
    final[look.n, last.n] = planned
    return AttainedBounds(first, final)
