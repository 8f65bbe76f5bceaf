"""Orders of the endings of a design, and the tail probabilities that they give.

Three orders say which endings are as extreme as one or more: *stage* (stopping for futility is lower the earlier,
stopping for efficacy higher the earlier, and at one look more responses are higher), *mle* (by responses per patient)
and *umvue* (by the unbiased estimate).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from simtrial.design.designs import looks_text
from simtrial.errors import InputError
from simtrial.numbers import Ints, count, probability
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.endings import Endings
    from simtrial.numbers import Floats

Ordering = Literal["stage", "mle", "umvue"]
"""How endings are ordered."""

TIED = 1e-11
"""UMVUEs nearer than this are taken for tied: against fractions they are right to 1e-12 (tests)."""


class Tails:
    """Tail probabilities of the endings of a design in one order."""

    def __init__(self, found: Endings, rank: Ints) -> None:
        self.found, self.rank = found, rank

    def above(self, p: Floats, which: Ints, tie: float | Floats = 1.0) -> Floats:
        """P_p(higher than an ending) + tie P_p(as high), for each p and the ending at its place; shape of `p`."""
        mine = self.rank[which][:, np.newaxis]
        weight = (self.rank > mine) + np.reshape(tie, (-1, 1)) * (self.rank == mine)
        chance = self.found.probability(p)
        # every trial ends somewhere: over the sum, so that the lowest ending has exactly 1
        total: Floats = (chance * weight).sum(axis=-1) / chance.sum(axis=-1)
        return total

    def solve(self, asked: Sequence[tuple[float, float]], which: Ints) -> Floats:
        """The p at which `above` is a, for each (a, tie); 0 or 1 where it is never so low, or never so high.

        Shape (asked, endings). All at once: the steps of the search cost more than what they evaluate.
        """
        a, tie = (np.repeat(column, len(which)) for column in np.transpose(asked))
        every = np.tile(which, len(asked))
        found = root(lambda p, place: self.above(p, every[place], tie[place]) - a[place], every.size)
        return found.reshape(len(asked), -1)


def root(rising: Callable[[Floats, Ints], Floats], size: int) -> Floats:
    """Where each of some functions that rise with p is 0; 0 or 1 where none of its values in [0, 1] is.

    `rising` takes rates and, for each, the number of the function.
    """
    from scipy.optimize import elementwise

    places = np.arange(size)
    at_0, at_1 = rising(np.zeros(size), places), rising(np.ones(size), places)
    inside = np.flatnonzero((at_0 < 0) & (at_1 > 0))
    root = np.where(at_0 >= 0, 0.0, 1.0)
    if inside.size:
        ends = (np.zeros(inside.size), np.ones(inside.size))
        # limits at 0 are wanted to many digits too, so the tolerance is that of doubles, not of [0, 1]
        root[inside] = elementwise.find_root(rising, ends, args=(inside,), tolerances={"xatol": 1e-15}).x
    return root


def ranks(found: Endings, ordering: Ordering) -> Ints:
    """The place of each ending in the order; tied endings share one."""
    if ordering == "stage":
        final = int(found.stage.max())
        early = np.where(found.reject, 2 * final - found.stage, found.stage)
        side = np.where(found.stage == final, final, early)
        order = np.lexsort((found.responses, side))
        rank = np.empty(order.size, dtype=np.int64)
        rank[order] = np.arange(order.size)
        return rank
    if ordering == "mle":
        common = math.lcm(*map(int, np.unique(found.n)))
        key = found.responses * (common // found.n)
        places: Ints = np.unique(key, return_inverse=True)[1].astype(np.int64)
        return places
    rate = found.first / found.n[0]
    order = np.argsort(rate, kind="stable")
    steps = np.diff(rate[order], prepend=-1.0) > TIED
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.cumsum(steps) - 1
    return rank


def checked(ordering: str, level: float, sides: int) -> tuple[Ordering, float]:
    """The order and the level, if they are ones; sides checked with them."""
    if ordering not in get_args(Ordering):
        raise InputError(f"({ordering!r:.40}) is unknown; write one of {', '.join(get_args(Ordering))}", "ordering")
    if sides not in (1, 2):
        raise InputError(f"({sides!r:.40}) is neither 1 nor 2", "sides")
    return ordering, probability(level, "level")  # type: ignore[return-value]  # checked above


def binomial_tail(s: Ints, n: Ints, p: float) -> Floats:
    """P(X >= s; n, p)."""
    from scipy import special

    found: Floats = np.where(s > 0, special.bdtrc(np.maximum(s - 1, 0), n, p), 1.0)
    return found


def ending_of(design: Design, found: Endings, responses: int, stage: int | None) -> int:
    """The place of an ending among those of a design.

    Raises
    ------
    InputError
        If the trial cannot end so.
    """
    last = len(design.looks)
    s = count(responses, "responses")
    mine = np.flatnonzero(found.responses == s)
    if stage is not None:
        k = count(stage, "stage", at_least=1)
        if k > last:
            raise InputError(f"({k}) is above {last}, the number of looks of {looks_text(design, ', ')}", "stage")
        look = design.looks[k - 1]
        if s > look.n:
            raise InputError(f"({s}) is above {look.n}, the number of patients at look {k}", "responses")
        mine = mine[found.stage[mine] == k]
        if not mine.size:
            ways = found.responses[found.stage == k]
            possible = f"possible are {_spans(ways)}" if ways.size else "no number of responses can"
            raise InputError(f"({s}) cannot end {looks_text(design, ', ')} at look {k}; {possible}", "responses")
    if not mine.size:
        raise InputError(
            f"({s}) cannot end {looks_text(design, ', ')}; possible are {_spans(np.unique(found.responses))}",
            "responses",
        )
    if mine.size > 1:
        several = " or ".join(str(k) for k in found.stage[mine])
        raise InputError(
            f"is missing; {counted(s, 'response')} can end {looks_text(design, ', ')} at look {several}", "stage"
        )
    return int(mine[0])


def _spans(numbers: Ints) -> str:
    """Whole numbers as stretches: 0 to 1, 5 to 10."""
    ends = np.flatnonzero(np.diff(numbers) > 1)
    starts, stops = numbers[np.r_[0, ends + 1]], numbers[np.r_[ends, numbers.size - 1]]
    return ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in zip(starts, stops, strict=True))
