"""Better rules from rules: one bound of one look at a time, many rules side by side.

One pass forward gives the weight with which each rule comes to each state, one pass backward what continuing from there
leads to; so the exact effect of every single move of a bound is one product. Rules that break a limit are kept in the
running at a price, because the way from one good rule to another leads over them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.stopping.bellman import Multipliers
    from simtrial.search.stopping.corridor import Corridor

ROUNDS = 150
"""Most rounds; a search stops earlier when no rule of its pool is new."""

SAME = 1e-11
"""Rules whose patients and errors differ by less lead to the same decisions."""

MOVES = np.array([(1, 0), (-1, 0), (0, -1), (0, 1)])
"""The moves of the two bounds of a look."""

Offer = "Callable[[Floats, Ints], None]"


class Around(NamedTuple):
    """Rules and what every single move would make of them.

    Attributes
    ----------
    totals : ndarray, shape (rules, 3)
        Weighted EN, P0(reject) and P1(reject).
    moved : ndarray, shape (rules, looks, moves, 3)
        The same after each move; infinite where it cannot be made.
    """

    totals: Floats
    moved: Floats


def around(corridor: Corridor, rules: Ints) -> Around:
    """Evaluate rules and every single move of one of their bounds: `rules` has shape (rules, looks, 2)."""
    arrived, totals = _forward(corridor, rules)
    many, last = len(rules), rules.shape[1] - 1
    moved = np.full((many, last + 1, len(MOVES), 3), np.inf)
    onward = np.zeros((many, 3, 0))
    for k in range(last, -1, -1):
        x, share = corridor.counts[k], corridor.shares[k]
        reject = np.stack([np.zeros(x.size), 1 - share, share])
        go_on = np.full((many, 3, x.size), np.inf)
        if k < last:
            go_on[..., corridor.inner[k]] = onward @ corridor.moves[k].T
            go_on[:, 0, corridor.inner[k]] += corridor.fees[k]
        moved[:, k] = totals[:, np.newaxis] + _effects(corridor, k, rules[:, k], (arrived[k], reject, go_on))
        r, e = rules[:, k, :, np.newaxis].transpose(1, 0, 2)
        going, above = (x > r) & (x < e), (x >= e)
        onward = np.where(going[:, np.newaxis], go_on, np.where(above[:, np.newaxis], reject, 0.0))
    return Around(totals, moved)


def _forward(corridor: Corridor, rules: Ints) -> tuple[list[Floats], Floats]:
    """The weights with which each rule comes to each look, and its totals."""
    arrived: list[Floats] = []
    totals = np.zeros((len(rules), 3))
    totals[:, 0] = corridor.first_fee
    now = np.broadcast_to(corridor.start, (len(rules), corridor.start.size))
    for k in range(rules.shape[1]):
        arrived.append(now)
        x, share = corridor.counts[k], corridor.shares[k]
        r, e = rules[:, k, :1], rules[:, k, 1:]
        above = now * (x >= e)
        totals[:, 1] += above @ (1 - share)
        totals[:, 2] += above @ share
        if k < rules.shape[1] - 1:
            going = (now * ((x > r) & (x < e)))[:, corridor.inner[k]]
            totals[:, 0] += going @ corridor.fees[k]
            now = going @ corridor.moves[k]
    return arrived, totals


def _effects(corridor: Corridor, k: int, bounds: Ints, states: tuple[Floats, Floats, Floats]) -> Floats:
    """What each move at one look changes: shape (rules, moves, 3); infinite where it cannot be made."""
    arrived, reject, go_on = states
    first, last = int(corridor.counts[k][0]), int(corridor.counts[k][-1])
    final = k == len(corridor.counts) - 1
    r, e = bounds.T
    whose = np.arange(len(bounds))
    stops = e == r + 1  # nobody continues: at the last look, or where the trial ends before
    r_low, r_high, e_low, e_high = (
        int(b[k]) for b in (corridor.r_low, corridor.r_high, corridor.e_low, corridor.e_high)
    )
    changes = (
        (r + 1, r < r_high, stops, "accept"),
        (r, r > r_low, np.full(r.size, final), "accepted"),
        (e - 1, (e > e_low) & ~stops, np.zeros(r.size, dtype=np.bool_), "reject"),
        (e, (e < e_high) & (not final), np.zeros(r.size, dtype=np.bool_), "rejected"),
    )
    effects = np.full((len(bounds), len(MOVES), 3), np.inf)
    for number, (x, allowed, against_reject, to) in enumerate(changes):
        inside: Bools = allowed & (x >= first) & (x <= last)
        at = np.clip(x - first, 0, last - first)
        success, onward = reject[:, at].T, go_on[whose, :, at]
        other = np.where(against_reject[:, np.newaxis], success, onward)
        change = {"accept": -other, "accepted": other, "reject": success - onward, "rejected": onward - success}[to]
        weight = arrived[whose, at]
        inside &= (weight > 0) & np.isfinite(change).all(axis=1)
        effects[inside, number] = weight[inside, np.newaxis] * change[inside]
    return effects


def _made(rules: Ints, whose: Ints, look: Ints, move: Ints) -> Ints:
    """The rules that moves lead to."""
    made: Ints = rules[whose].copy()
    here = np.arange(len(whose))
    made[here, look] += MOVES[move]
    # where nobody continues, the two bounds move together
    made[here, look, 1] = np.maximum(made[here, look, 1], made[here, look, 0] + 1)
    made[:, -1, 1] = made[:, -1, 0] + 1
    return made


def climb(
    corridor: Corridor, rules: Ints, prices: Multipliers, pool: int, offer: Callable[[Floats, Ints], None]
) -> None:
    """Improve a pool of rules until none of them is new.

    Parameters
    ----------
    corridor : Corridor
        Where bounds may be.
    rules : ndarray of int, shape (rules, looks, 2)
        Where to begin.
    prices : Multipliers
        What it costs to break a limit; several times as much is charged, so that in the end none is broken.
    pool : int
        How many rules are kept.
    offer : callable
        Takes the totals of rules and the rules, and keeps those that meet the limits.
    """
    asked = corridor.board.asked
    # at least 4 patients, or a limit could be broken for nothing
    charge = 4 * max(prices.error, 1.0), 4 * max(prices.power, 1.0)

    def merit(totals: Floats) -> Floats:
        error, power = np.maximum(totals[..., 1] - asked.alpha, 0), np.maximum(asked.power - totals[..., 2], 0)
        found: Floats = totals[..., 0] + charge[0] * error + charge[1] * power
        return found

    kept, known = corridor.cut(rules), np.zeros(len(rules), dtype=np.bool_)
    held = np.zeros((0, 3))
    for _ in range(ROUNDS):
        fresh = np.flatnonzero(~known)
        if not fresh.size:
            return
        found = around(corridor, kept[fresh])
        offer(found.totals, kept[fresh])
        can = np.isfinite(found.moved[..., 0])
        worth = np.where(can, merit(np.where(can[..., np.newaxis], found.moved, 0.0)), np.inf)
        order = np.argsort(worth, axis=None)[: 4 * pool]
        whose, look, move = np.unravel_index(order[np.isfinite(worth.ravel()[order])], worth.shape)
        made = _made(kept[fresh], whose, look, move)
        totals = found.moved[whose, look, move]
        offer(totals, made)
        held = np.concatenate([held[: len(kept)], np.full((len(kept) - len(held), 3), np.nan)])
        held[fresh] = found.totals
        kept, held, known = _best(
            np.concatenate([kept, made]),
            np.concatenate([held, totals]),
            np.concatenate([np.ones(len(kept), dtype=np.bool_), np.zeros(len(made), dtype=np.bool_)]),
            (merit, pool),
        )


def _best(
    rules: Ints, totals: Floats, known: Bools, how: tuple[Callable[[Floats], Floats], int]
) -> tuple[Ints, Floats, Bools]:
    """The best of some rules, each once; those that are known first where they are equal."""
    merit, pool = how
    _, once = np.unique(np.round(totals / SAME), axis=0, return_index=True)
    once = once[np.argsort(merit(totals[once]), kind="stable")][:pool]
    return rules[once], totals[once], known[once]
