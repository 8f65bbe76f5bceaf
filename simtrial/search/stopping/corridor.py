"""The part of a board where bounds are looked for, and what rules with two bounds per look attain there.

A corridor allows each look some futility and efficacy bounds, around the best ones at various prices and as far out as
a trial comes with any probability to speak of (`SPARE`). Counts below it always stop for futility, counts above it for
efficacy, so arrays hold a few dozen counts per look, however many patients there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import binomial_pmf
from simtrial.design.designs import Look, MultiStage, SingleStage, TwoStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Floats, Ints
    from simtrial.search.stopping.bellman import Board

SPARE = 1e-6
"""Counts in the tails are not told apart: those above with this probability at p0, over all looks, and those below at
p1."""

MARGIN = 2
"""How far bounds may lie beyond the best ones at any of the prices."""


@dataclass(frozen=True, kw_only=True)
class Corridor:
    """Bounds that are allowed, by look; -1 is no futility bound, one more than can be reached no efficacy bound.

    Attributes
    ----------
    board : Board
        The states of the trial.
    r_low, r_high, e_low, e_high : ndarray of int, shape (looks,)
        Least and largest bound of each look. Those of the last look for efficacy are not used.
    spare : float
        With how little probability, over all looks, counts in the tails are not told apart.
    """

    board: Board
    spare: float
    r_low: Ints
    r_high: Ints
    e_low: Ints
    e_high: Ints

    @classmethod
    def around(cls, board: Board, crossings: Sequence[Ints], spare: float = SPARE) -> Corridor:
        """The corridor around the counts at which the best decision changes, at some prices (`Board.crossings`)."""
        looks, held = np.array(board.looks), np.array(crossings)
        r_low = np.maximum(held[..., 0].min(0) - MARGIN, -1)
        r_high = np.minimum(held[..., 0].max(0) + MARGIN, looks - 1)
        e_low = np.maximum(held[..., 1].min(0) - MARGIN, 1)
        e_high = looks + 1
        rare = spare / looks.size
        for k, n in enumerate(board.looks):
            r_low[k] = min(r_low[k], np.count_nonzero(np.cumsum(binomial_pmf(n, board.asked.p1)) <= rare) - 1)
            e_high[k] -= np.count_nonzero(np.cumsum(binomial_pmf(n, board.asked.p0)[::-1]) <= rare)
        for k in range(looks.size - 1):
            if not board.may(k, "futility"):
                r_low[k] = r_high[k] = -1
            if not board.may(k, "efficacy"):
                e_low[k] = e_high[k] = looks[k] + 1
        if board.r1 is not None:
            r_low[0] = r_high[0] = board.r1
        r_low = np.maximum.accumulate(r_low)
        r_high = np.maximum(r_high, r_low)
        for k in range(looks.size):  # what can be reached
            most = looks[0] if k == 0 else e_high[k - 1] - 1 + board.added[k]
            r_high[k] = min(r_high[k], most)
            e_high[k] = min(max(e_high[k], r_high[k] + 1), most + 1)
        e_low = np.minimum(e_low, e_high)
        return cls(board=board, spare=spare, r_low=r_low, r_high=r_high, e_low=e_low, e_high=e_high)

    @cached_property
    def counts(self) -> list[Ints]:
        """The counts with which a trial may come to each look."""
        first = [0, *(self.r_low[:-1] + 1).tolist()]
        last = [self.board.looks[0], *(self.e_high[:-1] - 1 + self.board.added[1:]).tolist()]
        return [np.arange(a, b + 1) for a, b in zip(first, last, strict=True)]

    @cached_property
    def inner(self) -> list[slice]:
        """Those of the counts of each look but the last with which some rule continues."""
        return [
            slice(int(r) + 1 - int(x[0]), int(e) - int(x[0]))
            for r, e, x in zip(self.r_low[:-1], self.e_high[:-1], self.counts[:-1], strict=True)
        ]

    @cached_property
    def shares(self) -> list[Floats]:
        """The share of p1 in the weight of each of the counts."""
        return [share[x[0] : x[-1] + 1] for share, x in zip(self.board.shares, self.counts, strict=True)]

    @cached_property
    def fees(self) -> list[Floats]:
        """What continuing from each inner count costs in patients of the next look."""
        return [
            self.board.fee(k + 1)[x[part]] for k, (part, x) in enumerate(zip(self.inner, self.counts, strict=False))
        ]

    @cached_property
    def moves(self) -> list[Floats]:
        """Weights with which each inner count of a look comes to each count of the next one: matrices."""
        made = []
        for k, part in enumerate(self.inner):
            step0, step1 = self.board.steps[k + 1]
            share = self.shares[k][part, np.newaxis]
            new = self.counts[k + 1] - self.counts[k][part, np.newaxis]
            inside = (new >= 0) & (new <= self.board.added[k + 1])
            new = np.where(inside, new, 0)
            made.append(np.where(inside, (1 - share) * step0[new] + share * step1[new], 0.0))
        return made

    @cached_property
    def start(self) -> Floats:
        """Weights of the counts at the first look."""
        step0, step1 = self.board.steps[0]
        start: Floats = step0 + step1
        return start

    @property
    def first_fee(self) -> float:
        """What the patients of the first look cost."""
        return 2 * float(self.board.fee(0)[0])

    def cut(self, rules: Ints) -> Ints:
        """The nearest rules within the corridor: shape (rules, looks, 2)."""
        r = np.clip(rules[..., 0], self.r_low, self.r_high)
        e = np.maximum(np.clip(rules[..., 1], self.e_low, self.e_high), r + 1)
        e[..., -1] = r[..., -1] + 1
        return np.stack([r, e], axis=-1)


def design_of(rule: Ints, looks: Sequence[int]) -> SingleStage | TwoStage | MultiStage | None:
    """Write a rule as a design; None where it always rejects, or never at the end.

    Looks that stop no trial are left out, a futility bound passed at an earlier look is written again, and the last
    look is the last one that can be reached.

    Examples
    --------
    >>> import numpy as np
    >>> design_of(np.array([[-1, 3], [0, 5], [0, 7], [4, 5]]), [4, 8, 10, 15]).looks[1:]
    (Look(n=8, r=0, e=5), Look(n=15, r=4, e=None))
    """
    made: list[Look] = []
    low, high, before, carried = 0, 0, 0, None
    for k, (n, (r, e)) in enumerate(zip(looks, rule.tolist(), strict=True)):
        high, before = high + n - before, n
        first, last = max(r + 1, low), min(e - 1, high)
        if first > last or k == len(looks) - 1:
            final = min(first - 1, high)
            if not 0 <= final < n:
                return None
            made.append(Look(n, final))
            break
        carried = r if r >= low else carried
        if r >= low or e <= high:
            made.append(Look(n, carried, e if e <= high else None))
        low, high = first, last
    match made:
        case [Look(n, int(r), None)]:
            return SingleStage(r, n)
        case [Look(n1, int(r1), e1), Look(n, int(r), None)]:
            return TwoStage(r1, n1, r, n, e1=e1)
    return MultiStage(tuple(made))
