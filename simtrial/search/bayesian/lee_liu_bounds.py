"""Every set of futility bounds that Lee and Liu's rule has at given looks, and which of them keep both limits.

With looks, prior, N and r fixed and theta_U = 1, a set of bounds is a set of states with PP < theta_L. The values that
PP attains in the states of the interim looks, v_0 < v_1 < ..., therefore number the sets: set j has all states with one
of the j smallest values, and belongs to v_(j-1) < theta_L <= v_j.

* P(reject H0; p) and EN(p) fall as j rises, at every p: each set contains the one before, and a trial that stops
  earlier without rejecting loses patients and chances. So the sets with the power are the first ones, those within
  alpha the last ones, and both ends are found by bisection, for all r at once.
* Power needs P(X_n <= r_n; n, p1) <= 1 - power at every look, because futile trials never reject H0. Let c_n be the
  largest count that may be futile by this. No theta_L above PP(n, c_n + 1) of any look n needs to be looked at, so only
  values up to the smallest of these are numbered.
* The same gives the final bounds that are possible. P(X_N > r; p1) >= power bounds r from above. And if all states up
  to that smallest value are futile, as many trials stop as ever may with this r: if even then the type I error exceeds
  alpha, no theta_L helps, and hardly more than one r is left.
* Values are ordered by their odds PP / (1 - PP), which tell those near 1 apart as well as those near 0. Odds nearer to
  each other than `TOGETHER`, as a share, are one value at first, since floating point may put the larger one first.
  That they are matters only next to an end of the sets that keep the limits; there, they are compared as fractions.
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
from simtrial.search.bayesian.predictive import ending_within, fraction
from simtrial.search.bounds import SLACK
from simtrial.search.given import design_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.bayesian.posterior import BetaPrior


TOGETHER = exact.CLOSE
"""Logarithms of odds that are nearer than this are one value until fractions part them."""

IMPOSSIBLE = -1e6
"""Stands for the logarithm of the odds of what cannot happen: what can has one above -1,000."""


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

    @property
    def interim(self) -> tuple[int, ...]:
        """Patients at the looks before the last one."""
        return self.looks_at[:-1]

    @property
    def last(self) -> int:
        """Patients at the end."""
        return self.looks_at[-1]

    @cached_property
    def tolerable(self) -> Ints:
        """c_n of each interim look: the largest count that can be futile; -1 where none can."""
        below = [np.cumsum(binomial_pmf(n, self.asked.p1)) for n in self.interim]
        return np.array([int((each <= self.asked.beta + SLACK).sum()) - 1 for each in below], dtype=np.int64)

    def ends(self, lower: Ints, p: float) -> tuple[Floats, Floats]:
        """P(reach N with x responses; p) and EN(p), with futility bounds at the interim looks.

        Parameters
        ----------
        lower : ndarray of int, shape (sets, looks)
            The bounds; -1 where there is none.
        p : float
            The response rate.

        Returns
        -------
        ndarray, shape (sets, N + 1)
            By number of responses.
        ndarray, shape (sets,)
            Expected patients.
        """
        found = np.zeros((len(lower), self.last + 1))
        first = self.looks_at[0]
        found[:, : first + 1] = binomial_pmf(first, p)
        expected = np.full(len(lower), float(first))
        going = np.arange(self.last + 1) > lower.T[:, :, np.newaxis]
        for (n, later), alive in zip(pairwise(self.looks_at), going, strict=True):
            found *= alive
            expected += (later - n) * found.sum(axis=1)
            step = binomial_pmf(later - n, p).tolist() if later - n > 1 else (1 - p, p)
            moved = found * step[0]
            for more, chance in enumerate(step[1:], start=1):
                moved[:, more:] += found[:, :-more] * chance  # nobody has more responses than patients
            found = moved
        return found, expected

    def final_bounds(self) -> Ints:
        """Every r with which a single stage has the power."""
        above = np.cumsum(binomial_pmf(self.last, self.asked.p1)[::-1])[::-1]  # P(X >= x)
        return np.flatnonzero(above[1:] >= self.asked.power - SLACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """The states with one final bound in the order of their PP, and the sets of those below each value.

    Attributes
    ----------
    states : ndarray of int, shape (states, 2)
        The states, as pairs of look and count.
    value : ndarray, shape (states,)
        Their PP.
    starts : ndarray of int, shape (groups + 1,)
        Where each group of equal values starts among them, and their end.
    parted : ndarray of bool, shape (groups,)
        Whether the values of a group are known to be equal as fractions.
    lower : ndarray of int, shape (groups + 1, looks)
        The futility bounds of each set.
    """

    states: Ints
    value: Floats
    starts: Ints
    parted: Bools
    lower: Ints

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self.parted)

    def members(self, group: int) -> Ints:
        """The states of a group."""
        return self.states[self.starts[group] : self.starts[group + 1]]


class Sets:
    """The sets of futility bounds of all final bounds that are possible at some looks.

    Parameters
    ----------
    watch : Watch
        Looks and limits.
    prior : BetaPrior
        Of the response rate.
    """

    def __init__(self, watch: Watch, prior: BetaPrior) -> None:
        self.watch, self.prior = watch, prior
        r = watch.final_bounds()
        success = ending_within(prior, watch.interim, watch.last, r + 1, np.full(r.size, watch.last))
        possible = self._may_keep_alpha(r, success)
        self.r, success = r[possible], success[possible]
        failure = ending_within(prior, watch.interim, watch.last, np.zeros_like(self.r), self.r)
        with np.errstate(divide="ignore"):
            odds = np.nan_to_num(np.log(success) - np.log(failure), nan=np.inf, posinf=np.inf, neginf=-np.inf)
        self.numbered = [self._numbered(*table) for table in zip(odds, success, strict=True)]

    def _may_keep_alpha(self, r: Ints, success: Floats) -> Bools:
        """Whether the type I error is within alpha where all states are futile that may be by the power."""
        watch = self.watch
        if not watch.interim or not r.size:
            return np.ones(r.size, dtype=np.bool_)
        looks = np.arange(len(watch.interim))
        too_high = success[:, looks, watch.tolerable + 1].min(axis=1)[:, np.newaxis, np.newaxis]
        lower = (success < too_high * (1 + exact.CLOSE)).sum(axis=2) - 1
        reached = watch.ends(lower, watch.asked.p0)[0]
        above = np.arange(watch.last + 1) > r[:, np.newaxis]
        kept: Bools = np.where(above, reached, 0.0).sum(axis=1) <= watch.asked.alpha + SLACK
        return kept

    def _numbered(self, odds: Floats, success: Floats) -> Numbered:
        """Number the values of one final bound."""
        looks = len(self.watch.interim)
        if not looks:
            none = np.empty(0, dtype=np.int64)
            return Numbered(
                states=none.reshape(0, 2), value=np.empty(0), starts=np.zeros(1, dtype=np.int64),
                parted=np.empty(0, dtype=np.bool_), lower=none.reshape(1, 0),
            )  # fmt: skip
        too_high = odds[np.arange(looks), self.watch.tolerable + 1].min()
        states = np.argwhere(odds < too_high + TOGETHER)
        value = odds[tuple(states.T)]
        order = np.argsort(value, kind="stable")
        states, value = states[order], value[order]
        sure = value == -np.inf
        value[sure] = IMPOSSIBLE
        starts = np.append(np.flatnonzero(np.diff(value, prepend=2 * IMPOSSIBLE) > TOGETHER), value.size)
        # between two groups there is room for a double
        cuts = np.append(2 * IMPOSSIBLE, value[starts[1:] - 1] + TOGETHER / 4)
        lower = np.stack([row.searchsorted(cuts) - 1 for row in np.maximum(odds, IMPOSSIBLE)], axis=1)
        parted = (np.diff(starts) == 1) | sure[starts[:-1]]
        return Numbered(states=states, value=success[tuple(states.T)], starts=starts, parted=parted, lower=lower)

    def part(self, i: int, group: int) -> None:
        """Part a group of the i-th final bound into those that are equal as fractions."""
        old, states = self.numbered[i], self.numbered[i].members(group)
        exactly = [self._exactly(i, *state) for state in states.tolist()]
        places = [[k for k, value in enumerate(exactly) if value == one] for one in sorted(set(exactly))]
        rows = [old.lower[group]]
        for some in places:
            rows.append(rows[-1].copy())
            np.maximum.at(rows[-1], states[some, 0], states[some, 1])
        start, end = old.starts[group : group + 2].tolist()
        order = np.array([start + k for some in places for k in some])
        first = start + np.cumsum([0, *map(len, places)])[:-1]
        self.numbered[i] = Numbered(
            states=np.concatenate([old.states[:start], old.states[order], old.states[end:]]),
            value=np.concatenate([old.value[:start], old.value[order], old.value[end:]]),
            starts=np.concatenate([old.starts[:group], first, old.starts[group + 1 :]]),
            parted=np.concatenate([old.parted[:group], np.ones(len(places), dtype=np.bool_), old.parted[group + 1 :]]),
            lower=np.concatenate([old.lower[:group], rows, old.lower[group + 2 :]]),
        )

    def _exactly(self, i: int, k: int, x: int) -> Fraction:
        """PP of one state with the i-th final bound, as a fraction."""
        return fraction(self.prior, self.watch.looks_at[k], x, self.watch.last, int(self.r[i]))

    @property
    def most(self) -> Ints:
        """The number of the largest set of each final bound."""
        return np.array([one.groups for one in self.numbered], dtype=np.int64)

    def first_with(self, theta_l: float) -> Ints:
        """The number of the set of each final bound that belongs to a theta_L, or of the largest."""
        limit, found = decimal(theta_l), []
        for i in range(len(self.numbered)):
            one = self.numbered[i]
            # the last group that does not start above theta_L is the only one that may lie on both sides of it
            starting = int((one.value[one.starts[:-1]] <= theta_l * (1 + exact.CLOSE)).sum()) - 1
            if starting >= 0 and not one.parted[starting]:
                self.part(i, starting)
                one = self.numbered[i]
            below = exact.signs(one.value[one.starts[:-1]], theta_l, partial(self._gap, i, limit)) < 0
            found.append(int(below.sum()))
        return np.array(found, dtype=np.int64)

    def _gap(self, i: int, limit: Fraction, group: int) -> Fraction:
        """How much the value of a group exceeds a limit."""
        return self._exactly(i, *self.numbered[i].members(group)[0].tolist()) - limit

    def design(self, i: int, j: int) -> Design:
        """The design of set j of the i-th final bound."""
        lower = self.numbered[i].lower[j].tolist()
        looks = [Look(n, r if r >= 0 else None) for n, r in zip(self.watch.interim, lower, strict=True)]
        return design_of([*looks, Look(self.watch.last, int(self.r[i]))])

    def at(self, j: Ints, p: float) -> tuple[Floats, Floats]:
        """P(reject H0; p) and EN(p) of one set of each final bound."""
        lower = np.stack([one.lower[k] for one, k in zip(self.numbered, j.tolist(), strict=True)])
        reached, expected = self.watch.ends(lower, p)
        above = np.arange(reached.shape[1]) > self.r[:, np.newaxis]
        return np.where(above, reached, 0.0).sum(axis=1), expected

    def sides(self, j: Ints, p: float, limit: float) -> Ints:
        """Whether P(reject H0; p) of one set of each final bound is below a limit (-1), at it (0) or above it (1)."""
        found = self.at(j, p)[0]
        sides: Ints = np.sign(found - limit).astype(np.int64)
        for i in np.flatnonzero(np.abs(found - limit) < exact.CLOSE * limit).tolist():
            sides[i] = exact.side(self.design(i, int(j[i])), p, limit)
        return sides

    def has_power(self, j: Ints) -> Bools:
        """Which sets have the power, with tolerance 0."""
        return self.sides(j, self.watch.asked.p1, self.watch.asked.power) >= 0

    def within_alpha(self, j: Ints) -> Bools:
        """Which sets keep the type I error, with tolerance 0."""
        return self.sides(j, self.watch.asked.p0, self.watch.asked.alpha) <= 0

    def last_kept(self) -> Ints:
        """The largest set of each final bound that keeps both limits; -1 where none does.

        The largest with the power, if that is within alpha: a smaller set has no smaller type I error.
        """
        while True:
            last = last_of(self.has_power, np.zeros_like(self.most), self.most)
            next_one = np.minimum(last + 1, self.most)
            unsure = [i for i, one in enumerate(self.numbered) if 0 <= last[i] < one.groups and not one.parted[last[i]]]
            # with all of the next group the type I error is least: above alpha, its parts need not be known
            hopeful = self.within_alpha(next_one) if unsure else None
            unsure = [i for i in unsure if hopeful is not None and hopeful[i]]
            if not unsure:
                kept = (last >= 0) & self.within_alpha(np.maximum(last, 0))
                return np.where(kept, last, -1)
            for i in unsure:
                self.part(i, int(last[i]))

    def first_kept(self, least: Ints, last: Ints) -> Ints:
        """The smallest set of each final bound from `least` to `last` that is within alpha, if there is one.

        `last` itself is known to be. Its number rises where a group below is parted.
        """
        while True:
            back = last_of(partial(self._within, last), np.zeros_like(last), last - least)
            first = last - np.maximum(back, 0)
            unsure = [i for i, one in enumerate(self.numbered) if first[i] > least[i] and not one.parted[first[i] - 1]]
            if not unsure:
                return first
            for i in unsure:
                before = self.numbered[i].groups
                self.part(i, int(first[i]) - 1)
                last = last.copy()
                last[i] += self.numbered[i].groups - before

    def _within(self, last: Ints, back: Ints) -> Bools:
        """Whether the sets so many before the last ones are within alpha."""
        return self.within_alpha(np.maximum(last - back, 0))


def last_of(holds: Callable[[Ints], Bools], low: Ints, high: Ints) -> Ints:
    """The last of low..high, of each pair, that something holds for which holds for none after the first that fails.

    One less than `low` where it fails at once.
    """
    low, high = low - 1, np.maximum(high, low) + 1
    while (high - low > 1).any():
        middle = (low + high) // 2
        # a pair that is done asks for its own end again, which changes nothing
        kept = holds(np.maximum(middle, 0))
        open_ = high - low > 1
        low, high = np.where(open_ & kept, middle, low), np.where(open_ & ~kept, middle, high)
    return low
