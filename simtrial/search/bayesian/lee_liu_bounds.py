"""Every set of futility bounds that Lee and Liu's rule has with one final bound, and which of them keep both limits.

With looks, prior, N and r fixed and theta_U = 1, a set of bounds is a set of states with PP < theta_L. The values that
PP attains in the states of the interim looks, v_0 < v_1 < ..., therefore number the sets: set j has all states with one
of the j smallest values, and belongs to v_(j-1) < theta_L <= v_j. Two values are one only where they are equal as
fractions.

* P(reject H0; p) and EN(p) fall as j rises, at every p: each set contains the one before, and a trial that stops
  earlier without rejecting loses patients and chances. So the sets with the power are the first ones, those within
  alpha the last ones, and both ends are found by bisection.
* Power needs P(X_n <= r_n; n, p1) <= 1 - power at every look, because futile trials never reject H0. Let c_n be the
  largest count that may be futile by this. No theta_L above PP(n, c_n + 1) of any look n needs to be looked at, so only
  values up to the smallest of these are numbered.
* The same gives the final bounds that are possible. P(X_N > r; p1) >= power bounds r from above. From below, with the
  bounds c_n at all looks, as many trials stop as ever may; if even then P(X_N > r, no look futile; p0) > alpha, no
  theta_L helps. (A state with x > r is certain and never futile; that c_n may exceed r only makes that sum smaller.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.binomial import binomial_pmf
from simtrial.design.designs import Look
from simtrial.design.requirements import decimal
from simtrial.search.bayesian.predictive import Predictive, fraction
from simtrial.search.bounds import SLACK
from simtrial.search.given import design_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints
    from simtrial.search.bayesian.posterior import BetaPrior


@dataclass(frozen=True)
class Watch:
    """Looks at given numbers of patients under the limits of a question.

    Attributes
    ----------
    asked : Requirements
        p0, p1 and the limits.
    looks_at : tuple of int
        Patients at the looks, the last being N.
    """

    asked: Requirements
    looks_at: tuple[int, ...]

    @cached_property
    def steps(self) -> dict[float, list[Floats]]:
        """Binomial probabilities of the patients that each look adds, at p0 and at p1."""
        added = [n - before for before, n in pairwise((0, *self.looks_at))]
        rates = (self.asked.p0, self.asked.p1)
        known = {n: binomial_pmf(n, rates) for n in set(added)}
        return {p: [known[n][i] for n in added] for i, p in enumerate(rates)}

    @cached_property
    def tolerable(self) -> Ints:
        """c_n of each interim look: the largest count that can be futile; -1 where none can."""
        beta = self.asked.beta + SLACK
        return np.array([int(self._cumulated(n, beta)) - 1 for n in self.looks_at[:-1]], dtype=np.int64)

    def _cumulated(self, n: int, beta: float) -> np.int64:
        return np.int64((np.cumsum(binomial_pmf(n, self.asked.p1)) <= beta).sum())

    def ends(self, lower: Ints, p: float) -> tuple[Floats, float]:
        """P(reach N with x responses; p) by x, and EN(p), with these futility bounds at the interim looks."""
        first, *later = self.steps[p]
        here, expected = first, float(self.looks_at[0])
        for k, step in enumerate(later):
            here = here.copy()
            here[: lower[k] + 1] = 0.0
            expected += (step.size - 1) * float(here.sum())
            here = np.convolve(here, step)
        return here, expected

    def final_bounds(self) -> range:
        """Every r that some theta_L might keep both limits with."""
        asked, last = self.asked, self.looks_at[-1]
        least = np.cumsum(self.ends(self.tolerable, asked.p0)[0][::-1])[::-1]  # P(no look futile, X >= x)
        above = np.append(np.cumsum(binomial_pmf(last, asked.p1)[::-1])[::-1], 0.0)  # P(X >= x)
        possible = np.flatnonzero(
            (np.append(least[1:], 0.0) <= asked.alpha + SLACK) & (above[1:] >= asked.power - SLACK)
        )
        possible = possible[possible < last]
        return range(int(possible[0]), int(possible[-1]) + 1) if possible.size else range(0)


@dataclass(frozen=True)
class BoundSets:
    """The sets of futility bounds with one final bound, by their numbers.

    Attributes
    ----------
    watch : Watch
        Looks and limits.
    prior : BetaPrior
        Of the response rate.
    r : int
        The final bound.
    """

    watch: Watch
    prior: BetaPrior
    r: int

    @cached_property
    def _values(self) -> tuple[Floats, Ints]:
        """The numbered values, and the number of each state: shape (looks, N + 1), a large one where it has none."""
        interim, last = self.watch.looks_at[:-1], self.watch.looks_at[-1]
        table = np.nan_to_num(Predictive(self.prior, interim, last, self.r).success, nan=2.0)
        if not interim:
            return np.empty(0), np.empty((0, last + 1), dtype=np.int64)
        too_high = table[np.arange(len(interim)), self.watch.tolerable + 1].min()
        places = np.argwhere(table < too_high * (1 + exact.CLOSE))
        values = table[tuple(places.T)]
        order = np.argsort(values, kind="stable")
        places, values = places[order], values[order]
        apart = values[1:] - values[:-1] > exact.CLOSE * values[1:]
        parts = np.split(np.arange(values.size), np.flatnonzero(apart) + 1) if values.size else []
        numbers, distinct = np.full(table.shape, values.size, dtype=np.int64), []
        for part in parts:
            for members in self._parted(places[part]):
                numbers[tuple(members.T)] = len(distinct)
                distinct.append(float(table[tuple(members[0])]))
        return np.array(distinct), numbers

    def _parted(self, places: Ints) -> list[Ints]:
        """States whose values floating point does not tell apart, in groups of equal ones, the smallest first."""
        if len(places) == 1:
            return [places]
        exactly = [self._exactly(*place) for place in places.tolist()]
        return [
            np.array([place for place, value in zip(places, exactly, strict=True) if value == one])
            for one in sorted(set(exactly))
        ]

    def _exactly(self, k: int, x: int) -> Fraction:
        return fraction(self.prior, self.watch.looks_at[k], x, self.watch.looks_at[-1], self.r)

    @property
    def most(self) -> int:
        """The number of the largest set."""
        return len(self._values[0])

    def first_with(self, theta_l: float) -> int:
        """The number of the set that belongs to a theta_L, or the largest one."""
        values, numbers = self._values
        places = [np.argwhere(numbers == j)[0].tolist() for j in range(len(values))]
        limit = decimal(theta_l)
        signs = exact.signs(values, theta_l, lambda j: self._exactly(*places[j]) - limit)
        return int((signs < 0).sum())

    def lower(self, j: int) -> Ints:
        """The futility bound of each interim look in set `j`; -1 where there is none."""
        found: Ints = (self._values[1] < j).sum(axis=1) - 1
        return found

    def design(self, j: int) -> Design:
        """The design of set `j`."""
        *interim, last = self.watch.looks_at
        looks = [Look(n, int(r) if r >= 0 else None) for n, r in zip(interim, self.lower(j), strict=True)]
        return design_of([*looks, Look(last, self.r)])

    def reject(self, j: int, p: float) -> float:
        """P(reject H0; p) of set `j`."""
        return float(self.watch.ends(self.lower(j), p)[0][self.r + 1 :].sum())

    def en(self, j: int) -> float:
        """EN(p0) of set `j`."""
        return self.watch.ends(self.lower(j), self.watch.asked.p0)[1]

    def has_power(self, j: int) -> bool:
        """Whether set `j` has the power, with tolerance 0."""
        asked = self.watch.asked
        return self._side(j, asked.p1, asked.power) >= 0

    def within_alpha(self, j: int) -> bool:
        """Whether set `j` keeps the type I error, with tolerance 0."""
        asked = self.watch.asked
        return self._side(j, asked.p0, asked.alpha) <= 0

    def _side(self, j: int, p: float, limit: float) -> int:
        found = self.reject(j, p)
        if abs(found - limit) < exact.CLOSE * limit:
            return exact.side(self.design(j), p, limit)
        return 1 if found > limit else -1

    @cached_property
    def last_kept(self) -> int | None:
        """The largest set that keeps both limits; None if none does.

        The largest with the power, if that is within alpha: of a smaller set the type I error is no smaller.
        """
        if not self.has_power(0):
            return None
        j = _last(self.has_power, 0, self.most)
        return j if self.within_alpha(j) else None

    def first_kept(self, least: int) -> int | None:
        """The smallest set from number `least` on that keeps both limits; None if none does."""
        last = self.last_kept
        if last is None or last < least:
            return None
        return last - _last(partial(self._still_within, last), 0, last - least)

    def _still_within(self, last: int, back: int) -> bool:
        return self.within_alpha(last - back)


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The last of low..high that something holds for which holds for `low`, and for none after the first that fails."""
    high += 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
