"""What may follow a number of responses: accept, reject, or a second stage; with conditional error and power.

Which second stages are needed
------------------------------
A second stage (n2, c) rejects H0 iff more than c of its n2 patients respond; 0 <= c < n2, as any other bound decides
nothing and has an equal without patients. Without a restriction on the order of the conditional errors, a choice that
another one beats or equals in n2, in error A and in power B is never needed: the other takes its place in any table,
which keeps both limits and expects no more patients. With such a restriction the exchange may break it, since A falls,
and every (n2, c) stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import above, tail_fraction
from simtrial.design.exact import CLOSE
from simtrial.memo import kept

if TYPE_CHECKING:
    from simtrial.numbers import Bools, Floats, Ints

ACCEPT, REJECT, IDEAL = -2, -1, -3
"""What stands for c where no second stage does: the trial accepts or rejects H0, or is better than any trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What may follow a number of responses; arrays of one length, in the order of the conditional error.

    Attributes
    ----------
    n2, c : ndarray of int
        Patients of the second stage and its own bound: reject H0 if more than c of them respond. 0 and `ACCEPT` or
        `REJECT` where the trial ends; c is `IDEAL` in choices that only bound others.
    error, power : ndarray
        Conditional error and conditional power.
    rank, leaves : ndarray of int
        Place of the conditional error, equal errors having the same: what must not be below that of fewer responses,
        and what more responses must not be below. They differ in choices that only bound others; without a
        restriction all are 0.
    """

    n2: Ints
    c: Ints
    error: Floats
    power: Floats
    rank: Ints
    leaves: Ints

    def where(self, kept: Bools | Ints) -> Choices:
        """Some of them."""
        return Choices(**{name: getattr(self, name)[kept] for name in self.__slots__})

    def at_most(self, n2: int) -> Choices:
        """Those with at most this many patients."""
        return self.where(self.n2 <= n2)


@kept(16)
def choices(most: int, p0: float, p1: float, *, ordered: bool, whole: bool) -> Choices:
    """The choices with at most `most` patients in the second stage.

    Parameters
    ----------
    most : int
        Most patients of the second stage.
    p0, p1 : float
        Response rates of the conditional error and of the conditional power.
    ordered : bool
        Whether conditional errors must not fall as responses rise.
    whole : bool
        Whether those are kept that another one beats.
    """
    sizes = np.arange(1, most + 1)
    n2 = np.concatenate([[0, 0], np.repeat(sizes, sizes)])
    c = np.concatenate([[ACCEPT, REJECT], *(np.arange(size) for size in sizes)])
    error, power = (np.where(n2 > 0, above(c, n2, p), c == REJECT) for p in (p0, p1))
    every = Choices(n2=n2, c=c, error=error, power=power, rank=np.zeros_like(n2), leaves=np.zeros_like(n2))
    every = every.where(np.lexsort((n2, error)))
    if ordered:
        rank = _ranks(every, p0)
        every = replace(every, rank=rank, leaves=rank)
    return every if whole else every.where(_undominated(every))


def _undominated(every: Choices) -> Bools:
    """Those that no other one with fewer patients beats or equals in error and power, to 1e-14."""
    kept = np.zeros(every.n2.size, dtype=np.bool_)
    # the best of fewer patients: errors and powers that both rise
    errors, powers = np.empty(0), np.empty(0)
    order = np.argsort(every.n2, kind="stable")
    for here in np.split(order, np.flatnonzero(np.diff(every.n2[order])) + 1):
        if errors.size:
            below = np.searchsorted(errors, every.error[here] + 1e-14, side="right") - 1
            beaten = (below >= 0) & (powers[np.maximum(below, 0)] >= every.power[here] - 1e-14)
            here = here[~beaten]  # those that are left
        kept[here] = True
        errors, powers = np.append(errors, every.error[here]), np.append(powers, every.power[here])
        rising = np.lexsort((-powers, errors))
        errors, powers = errors[rising], powers[rising]
        best = np.append(True, powers[1:] > np.maximum.accumulate(powers)[:-1])
        errors, powers = errors[best], powers[best]
    return kept


def _ranks(every: Choices, p0: float) -> Ints:
    """The places of errors that rise: neighbours nearer than floats can tell apart are compared as fractions."""
    rises = np.ones(every.error.size, dtype=np.bool_)
    rises[0] = False
    for i, j in pairwise(range(every.error.size)):
        if every.error[j] - every.error[i] <= CLOSE * every.error[j]:
            first, second = (tail_fraction(int(every.c[k]), int(every.n2[k]), p0) for k in (i, j))
            rises[j] = first != second
    rank: Ints = np.cumsum(rises)
    return rank
