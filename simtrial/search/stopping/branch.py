"""All rules within a corridor, look by look, as far as they can still be better than the best one known.

A partial rule has bounds up to some look. What it has cost and decided so far is exact, and so are the weights with
which it comes to each state; for any prices, the least that the rest can add is known from backward induction
(`simtrial.search.stopping.bellman`). The highest of these lower bounds, over a few dozen prices, cuts a partial rule
off as soon as it passes the best value known. Where no rule is set aside for want of room, the best rule that was
found is proved to be the best; if some are, nothing is below the least of their lower bounds.

Outside the corridor
--------------------
At any prices the lower bound of a partial rule falls and then rises in the next bound, because accepting is better
than the best alternative up to some x and worse from there on (`simtrial.search.stopping.bellman`), and the same
holds for the efficacy bound. The corridor holds the lowest point for each of the prices, so beyond it the highest of
the lower bounds is at least what it is at its edge: where a partial rule at an edge could still be better, its lower
bound counts as one that was set aside.

Tails
-----
Counts so high that a trial comes to one of them with a probability of at most `Corridor.spare` at p0, over all looks,
always stop for efficacy. This makes EN smaller, the power larger and the type I error larger by at most as much;
likewise counts so low that they have at most this probability at p1 always stop for futility. So any rule, changed in
this way, is as good and keeps alpha + spare and power - spare, with which lower bounds are computed; the rules that
meet these but not the limits themselves count as set aside. They are few, and what is left out is a multitude of
rules that differ in nothing that ever happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design import exact
from simtrial.search.aim import TIE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.stopping.bellman import Costs, Multipliers
    from simtrial.search.stopping.corridor import Corridor

CELLS = 1 << 21
"""Numbers held at once while lower bounds are computed."""


class Partial(NamedTuple):
    """Rules up to some look, side by side.

    Attributes
    ----------
    weights : ndarray, shape (rules, counts)
        Weights with which they come to each count of the look.
    totals : ndarray, shape (rules, 3)
        Weighted EN of the patients up to the look, P0(reject) and P1(reject) so far.
    rules : ndarray of int, shape (rules, looks, 2)
        Bounds, filled up to the look.
    """

    weights: Floats
    totals: Floats
    rules: Ints

    def taken(self, which: Ints) -> Partial:
        """Some of them."""
        return Partial(self.weights[which], self.totals[which], self.rules[which])


@dataclass
class Examination:
    """What was examined.

    Attributes
    ----------
    bound : float
        Lower bound of everything that was set aside; infinite where nothing was.
    work : float
        Products that were added.
    crowded : bool
        Whether something was set aside for want of room: a larger width would help.
    """

    bound: float = np.inf
    work: float = 0.0
    crowded: bool = False

    def aside(self, bounds: Floats) -> None:
        """Note what is set aside."""
        self.bound = min(self.bound, float(bounds.min(initial=np.inf)))


class Branches:
    """The branches of all rules within a corridor.

    Parameters
    ----------
    corridor : Corridor
        Where bounds may be; it holds the best rule at each of the prices.
    prices : sequence of Multipliers
        Those at which lower bounds are computed.
    costs : sequence of list of Costs
        The costs at these prices.
    """

    def __init__(self, corridor: Corridor, prices: Sequence[Multipliers], costs: Sequence[list[Costs]]) -> None:
        self._corridor, board = corridor, corridor.board
        self._prices = np.array(prices)
        self._rounding = np.array([board.rounding(one) for one in prices])
        self._looks = len(board.looks)
        self._spare = corridor.spare / self._looks
        self._reject: list[Floats] = []
        self._go_on: list[Floats] = []
        for k, x in enumerate(corridor.counts):
            part = slice(int(x[0]), int(x[-1]) + 1)
            self._reject.append(np.stack([at[k].reject[part] for at in costs]))
            self._go_on.append(np.stack([at[k].go_on[part] for at in costs]))

    def examine(self, width: int, ceiling: Callable[[], float], offer: Callable[[Floats, Ints], None]) -> Examination:
        """Examine all rules, setting aside the least promising where there are more than `width`.

        Parameters
        ----------
        width : int
            Most partial rules that are kept at a look.
        ceiling : callable
            Gives the best value that is known.
        offer : callable
            Takes the totals of whole rules and the rules.
        """
        corridor, done = self._corridor, Examination()
        now = Partial(
            corridor.start[np.newaxis],
            np.array([[corridor.first_fee, 0.0, 0.0]]),
            np.zeros((1, self._looks, 2), dtype=np.int64),
        )
        for k in range(self._looks):
            now = self._cut(now, self._lower(now, k, ceiling() + 2 * TIE, done), width, done)
            if k < self._looks - 1:
                now = self._cut(now, self._upper(now, k, ceiling() + 2 * TIE, done), width, done)
            now = self._onward(now, k, offer, done)
            if not len(now.weights):
                break
        return done

    def _cut(self, now: Partial, found: tuple[Ints, Ints, Floats, int], width: int, done: Examination) -> Partial:
        """The rules with one bound more, at most `width` of them."""
        whose, bounds, lower, column = found
        if lower.size > width:
            order = np.argpartition(lower, width)
            done.aside(lower[order[width:]])
            done.crowded = True
            whose, bounds = whose[order[:width]], bounds[order[:width]]
        made = now.taken(whose)
        k, which = divmod(column, 2)
        made.rules[:, k, which] = bounds
        return made

    def _lower(self, now: Partial, k: int, ceiling: float, done: Examination) -> tuple[Ints, Ints, Floats, int]:
        """Futility bounds of look k with which each rule could still be better: rule, bound, lower bound."""
        corridor, x = self._corridor, self._corridor.counts[k]
        r = np.arange(corridor.r_low[k], corridor.r_high[k] + 1)
        spared = np.cumsum(now.weights * corridor.shares[k], axis=1) <= self._spare
        rest = self._reject[k]
        if k < self._looks - 1:
            rest = np.minimum(rest, self._go_on[k]) if corridor.board.may(k, "efficacy") else self._go_on[k]
        lower = self._bounds(now, [rest * (x > one) for one in r], done)
        first, last = _reach(now.weights, x)
        if corridor.board.may(k, "futility") and (k or corridor.board.r1 is None):
            first = np.maximum(first, x[0] + np.count_nonzero(spared, axis=1))
        none = np.clip(first - 1, r[0], r[-1])[:, np.newaxis]
        could = (lower <= ceiling) & ((r == none) | ((r >= first[:, np.newaxis]) & (r <= last[:, np.newaxis])))
        if corridor.board.may(k, "futility") and (k or corridor.board.r1 is None):
            done.aside(lower[:, 0][could[:, 0] & (r[0] >= first)])
            done.aside(lower[:, -1][could[:, -1] & (r[-1] < np.minimum(last, corridor.board.looks[k] - 1))])
        whose, which = np.nonzero(could)
        return whose, r[which], lower[could], 2 * k

    def _upper(self, now: Partial, k: int, ceiling: float, done: Examination) -> tuple[Ints, Ints, Floats, int]:
        """The same for efficacy bounds, where the futility bound is set."""
        corridor, x = self._corridor, self._corridor.counts[k]
        r, going = now.rules[:, k, 0], now.weights * (x > now.rules[:, k, :1])
        e = np.arange(corridor.e_low[k], corridor.e_high[k] + 1)
        reject, go_on = self._reject[k], np.where(np.isfinite(self._go_on[k]), self._go_on[k], 0.0)
        lower = self._bounds(now._replace(weights=going), [np.where(x >= one, reject, go_on) for one in e], done)
        first, last = _reach(going, x)
        last = np.where(last < first, r, last)  # nobody is left
        first = np.maximum(np.minimum(first, last + 1), r + 1)
        if corridor.board.may(k, "efficacy"):
            spared = np.cumsum((going * (1 - corridor.shares[k]))[:, ::-1], axis=1) <= self._spare
            last = np.maximum(np.minimum(last, x[-1] - np.count_nonzero(spared, axis=1)), first - 1)
        none = np.clip(last + 1, e[0], e[-1])[:, np.newaxis]
        could = (lower <= ceiling) & ((e == none) | ((e >= first[:, np.newaxis]) & (e <= last[:, np.newaxis])))
        could &= e > r[:, np.newaxis]
        if corridor.board.may(k, "efficacy"):
            done.aside(lower[:, 0][could[:, 0] & (e[0] > np.maximum(first, 1))])
            done.aside(lower[:, -1][could[:, -1] & (e[-1] <= last)])
        whose, which = np.nonzero(could)
        return whose, e[which], lower[could], 2 * k + 1

    def _bounds(self, now: Partial, rest: list[Floats], done: Examination) -> Floats:
        """The highest lower bound of each rule for each of several ways on: shape (rules, ways)."""
        asked, ways, prices = self._corridor.board.asked, len(rest), self._prices
        matrix = np.concatenate(rest).T
        fixed = now.totals[:, :1] + (now.totals[:, 1:2] - asked.alpha - self._corridor.spare) * prices[:, 0]
        fixed += (asked.power - self._corridor.spare - now.totals[:, 2:]) * prices[:, 1]
        fixed -= self._rounding
        found = np.empty((len(now.weights), ways))
        rows = max(1, CELLS // matrix.shape[1])
        for start in range(0, len(found), rows):
            part = slice(start, start + rows)
            lower = (now.weights[part] @ matrix).reshape(-1, ways, len(prices))
            lower += fixed[part, np.newaxis]
            lower.max(axis=2, out=found[part])
        done.work += float(len(found)) * matrix.size
        return found

    def _onward(self, now: Partial, k: int, offer: Callable[[Floats, Ints], None], done: Examination) -> Partial:
        """The rules at the next look; those that end here are offered."""
        corridor, x, share = self._corridor, self._corridor.counts[k], self._corridor.shares[k]
        final = k == self._looks - 1
        r, e = now.rules[:, k, :1], now.rules[:, k, 1:]
        if final:
            now.rules[:, k, 1] = now.rules[:, k, 0] + 1
        above = now.weights * (x >= e)
        totals = now.totals.copy()
        totals[:, 1] += above @ (1 - share)
        totals[:, 2] += above @ share
        going = now.weights * ((x > r) & (x < e))
        ends = ~(going > 0).any(axis=1)
        if ends.any():
            whole = now.rules[ends]
            whole[:, k + 1 :, 0] = whole[:, k : k + 1, 0]
            whole[:, k + 1 :, 1] = whole[:, k + 1 :, 0] + 1
            offer(totals[ends], whole)
            error, power = totals[ends, 1], totals[ends, 2]
            asked = corridor.board.asked
            near = (error <= asked.alpha + corridor.spare) & (power >= asked.power - corridor.spare)
            near &= (error > asked.alpha * (1 + exact.CLOSE)) | (power < asked.power * (1 - exact.CLOSE))
            done.aside(totals[ends, 0][near])
        if final:
            return now.taken(np.zeros(0, dtype=np.int64))
        going, totals = going[~ends][:, corridor.inner[k]], totals[~ends]
        totals[:, 0] += going @ corridor.fees[k]
        return Partial(going @ corridor.moves[k], totals, now.rules[~ends])


def _reach(weights: Floats, x: Ints) -> tuple[Ints, Ints]:
    """The least and the largest count that each rule can come to; the other way round where there is none."""
    here: Bools = weights > 0
    some = here.any(axis=1)
    first = np.where(some, x[here.argmax(axis=1)], x[-1] + 1)
    last = np.where(some, x[-1] - here[:, ::-1].argmax(axis=1), x[0] - 1)
    return first, last
