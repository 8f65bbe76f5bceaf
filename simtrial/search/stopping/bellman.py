"""What no rule whatever can beat on given looks: backward induction with a price on both errors.

For prices l, m >= 0 of a type I error and of power, every rule, deterministic or randomised, that keeps both limits has

    w0 EN(p0) + w1 EN(p1)  >=  w0 EN(p0) + w1 EN(p1) + l (P0(reject) - alpha) - m (P1(reject) - power)
                           >=  D(l, m), the least of the right-hand side over all rules,

because what is added is at most 0. D is found look by look from the last one: at a look with x responses the best is
the least of accepting (0), rejecting and continuing. D is concave and piecewise linear in the prices; its maximum is
found by cutting planes: every rule met is linear in the prices and lies above D, so the least of them all is an upper
bound on D, and its highest point the next prices to try. Whatever the prices, D is a lower bound.

Scale
-----
A state (look, x) is weighed by u0 + u1, the probabilities of one order of responses at p0 and at p1 added, and costs
are per unit of this weight: with s = u1 / (u0 + u1), rejecting costs l (1 - s) - m s, and nothing overflows for any n.
The weight of both is kept as a trial moves on: y further responses after x weigh (1 - s) b(y; p0) + s b(y; p1).

Two bounds per look are enough
------------------------------
All costs at a look are concave functions of s, which rises with x: min(rejecting, continuing) is concave and not
negative at s = 0, so it is above 0 up to some x and below from there on; rejecting minus continuing is convex and not
positive at s = 1. So accepting is best up to some r and rejecting from some e on, whatever the looks.

References
----------
.. [1] Law M, Grayling MJ, Mander AP. A stochastically curtailed single-arm phase II trial design for binary outcomes.
   J Biopharm Stat 2022;32:671-691. Designs of this class, searched within a smaller set of bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design.binomial import binomial_pmf
from simtrial.memo import kept

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints
    from simtrial.search.aim import Aim
    from simtrial.search.constraints import StopsFor

ROUNDS = 80
"""Most cutting planes; about 20 are enough for any look at every patient."""

CLOSE_ENOUGH = 1e-9
"""Share of the bound by which the cutting planes may still exceed it when the search for prices ends."""

HIGHEST_PRICE = 1e7
"""Largest price, in patients: where both limits can only just be met prices have no end, and any will do."""


class Multipliers(NamedTuple):
    """What a type I error and what power is worth, in patients."""

    error: float
    power: float


class Costs(NamedTuple):
    """Costs at one look by responses 0..n, per unit of weight: of rejecting, of continuing, and of the best."""

    reject: Floats
    go_on: Floats
    best: Floats


@dataclass(frozen=True, kw_only=True)
class Board:
    """The states of a trial with given looks, and what is asked of it.

    Attributes
    ----------
    asked : Requirements
        p0, p1 and the limits.
    looks : tuple of int
        Patients at the looks.
    weights : tuple of float
        Weights of EN(p0) and EN(p1).
    stops : StopsFor or None
        What the trial may stop early for; None: both.
    r1 : int or None
        Futility bound of the first look, if it must be this one.
    """

    asked: Requirements
    looks: tuple[int, ...]
    weights: tuple[float, float]
    stops: StopsFor | None = None
    r1: int | None = None

    @cached_property
    def added(self) -> list[int]:
        """Patients that each look adds."""
        return [n - before for before, n in pairwise((0, *self.looks))]

    @cached_property
    def shares(self) -> list[Floats]:
        """The share s of p1 in the weight of each state, look by look."""
        p0, p1 = self.asked.p0, self.asked.p1
        hit, miss = np.log(p1 / p0), np.log1p(-p1) - np.log1p(-p0)
        ratios = [np.arange(n + 1) * hit + (n - np.arange(n + 1)) * miss for n in self.looks]
        return [1 / (1 + np.exp(np.clip(-ratio, -700, 700))) for ratio in ratios]

    @cached_property
    def steps(self) -> list[tuple[Floats, Floats]]:
        """b(y; p0) and b(y; p1) of the responses that each look adds."""
        rates = (self.asked.p0, self.asked.p1)
        known = {d: (binomial_pmf(d, rates[0]), binomial_pmf(d, rates[1])) for d in set(self.added)}
        return [known[d] for d in self.added]

    def before(self, k: int) -> Floats:
        """The share s of p1 at the look before look k; at the start both rates weigh the same."""
        return self.shares[k - 1] if k else np.array([0.5])

    def fee(self, k: int) -> Floats:
        """What the patients of look k cost, per unit of weight of the states before it."""
        share = self.before(k)
        fee: Floats = self.added[k] * (self.weights[0] * (1 - share) + self.weights[1] * share)
        return fee

    def may(self, k: int, stop: StopsFor) -> bool:
        """Whether the trial may stop at a look for this; the last look takes either decision."""
        return k == len(self.looks) - 1 or self.stops in (None, "both", stop)

    def costs(self, prices: Multipliers) -> tuple[list[Costs], float]:
        """Backward induction: the costs at each look, and the lower bound that they prove, up to rounding."""
        found: list[Costs] = []
        for k in range(len(self.looks) - 1, -1, -1):
            share = self.shares[k]
            reject = prices.error * (1 - share) - prices.power * share
            go_on = self._onward(k, found[-1].best) if found else np.full(share.size, np.inf)
            best = np.minimum(reject, go_on) if self.may(k, "efficacy") else go_on
            if k == 0 and self.r1 is not None:
                best = np.where(np.arange(best.size) <= self.r1, 0.0, best)
            elif self.may(k, "futility"):
                best = np.minimum(best, 0.0)
            found.append(Costs(reject, go_on, best))
        limits = prices.error * self.asked.alpha - prices.power * self.asked.power
        return found[::-1], 2 * float(self._onward(0, found[-1].best, first=True)[0]) - limits

    def _onward(self, k: int, best: Floats, *, first: bool = False) -> Floats:
        """What continuing from look k costs, or starting, if the later looks cost this."""
        later = 0 if first else k + 1
        share, (step0, step1) = self.before(later), self.steps[later]
        onward: Floats = self.fee(later) + (1 - share) * np.correlate(best, step0) + share * np.correlate(best, step1)
        return onward

    def crossings(self, costs: list[Costs]) -> Ints:
        """Where the best decision at these costs changes, look by look: shape (looks, 2).

        Up to the first count accepting is best; from the second on rejecting is better than continuing, which matters
        above the first only. -1 and n + 1 where there is none.
        """
        rule = np.empty((len(self.looks), 2), dtype=np.int64)
        for k, at in enumerate(costs):
            futile = np.minimum(at.reject, at.go_on) if self.may(k, "efficacy") else at.go_on
            r = np.flatnonzero(futile >= 0).max(initial=-1) if self.may(k, "futility") else -1
            r = self.r1 if k == 0 and self.r1 is not None else r
            # the first x, not the last: where s is almost 1 both may cost the same to the last digit
            success = np.flatnonzero(at.reject <= at.go_on) if self.may(k, "efficacy") else np.array([], dtype=np.int64)
            rule[k] = r, success.min(initial=self.looks[k] + 1)
        return rule

    def bounds(self, costs: list[Costs]) -> Ints:
        """The best rule at these costs: r and e of each look, shape (looks, 2)."""
        rule = self.crossings(costs)
        rule[:, 1] = np.maximum(rule[:, 1], rule[:, 0] + 1)
        return rule

    def attained(self, rule: Ints) -> tuple[float, float, float]:
        """Weighted EN, P0(reject) and P1(reject) of a rule of two bounds per look."""
        going, patients, rejected = np.array([2.0]), 0.0, np.zeros(2)
        for k, (r, e) in enumerate(rule.tolist()):
            share, (step0, step1) = self.before(k), self.steps[k]
            patients += float(going @ self.fee(k))
            going = np.convolve(going * (1 - share), step0) + np.convolve(going * share, step1)
            above = going[e:]
            rejected += above @ (1 - self.shares[k][e:]), above @ self.shares[k][e:]
            going[: r + 1] = going[e:] = 0.0
        return patients, float(rejected[0]), float(rejected[1])

    def rounding(self, prices: Multipliers) -> float:
        """Bound on the rounding error of a lower bound.

        Every look adds and multiplies numbers no larger than the prices and all patients together, once per further
        response; each operation errs by at most one part in 2^53.
        """
        largest = 2 * (prices.error + prices.power + sum(self.weights) * self.looks[-1])
        return float(np.finfo(np.float64).eps * (self.looks[-1] + 8 * len(self.looks)) * largest)


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The highest lower bound that was found.

    Attributes
    ----------
    value : float
        No rule that keeps both limits is below it; rounded to the safe side.
    prices : Multipliers
        Where it is attained.
    rules : tuple of ndarray, shape (looks, 2)
        The rules that were met on the way: r and e of each look.
    """

    value: float
    prices: Multipliers
    rules: tuple[Ints, ...]


def highest(board: Board) -> Bound:
    """Maximise the lower bound over the prices by cutting planes."""
    from scipy.optimize import linprog

    prices, best, rules, planes = Multipliers(0.0, 0.0), (-np.inf, Multipliers(0.0, 0.0)), [], []
    asked = board.asked
    for _ in range(ROUNDS):
        costs, value = board.costs(prices)
        best = max(best, (value - board.rounding(prices), prices))
        rule = board.bounds(costs)
        patients, error, power = board.attained(rule)
        rules.append(rule)
        planes.append((1.0, asked.alpha - error, power - asked.power, patients))
        held = np.array(planes)
        top = linprog(
            [-1.0, 0.0, 0.0],
            A_ub=held[:, :3],
            b_ub=held[:, 3],
            bounds=[(None, None), (0, HIGHEST_PRICE), (0, HIGHEST_PRICE)],
        )
        if top.x is None or top.x[0] - best[0] <= CLOSE_ENOUGH * max(1.0, abs(best[0])):
            break
        prices = Multipliers(float(top.x[1]), float(top.x[2]))
    return Bound(value=best[0], prices=best[1], rules=tuple(rules))


def least(requirements: Requirements, looks_at: tuple[int, ...], aim: Aim) -> float:
    """Give the least w0 EN(p0) + w1 EN(p1) that any rule on these looks could have, randomised ones included.

    It bounds every family whose looks are among these: fixed bounds, curtailment, two or three stages.

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits.
    looks_at : tuple of int
        Patients at the looks, rising.
    aim : Aim
        Its weights of EN(p0) and EN(p1); others are not part of the bound and count as 0.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> from simtrial.search.aim import Aim
    >>> round(least(Requirements(0.1, 0.3, 0.05, 0.8), tuple(range(1, 31)), Aim(en_p0=1)), 3)
    11.905
    """
    return _highest(Board(asked=requirements, looks=looks_at, weights=(aim.en_p0, aim.en_p1))).value


_highest = kept(1024)(highest)
