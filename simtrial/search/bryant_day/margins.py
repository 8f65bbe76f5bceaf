"""What one endpoint alone allows: pairs of bounds that some design can have, with the probabilities of passing both.

Write a design's two demands on one endpoint as the pair (c1, c), and pi_0, pi_1 for the probabilities that its counts
exceed both, at the two rates of that endpoint. Under independence P(recommend) is a product, one factor per endpoint,
so with the other endpoint's factor q <= 1 at its better rate

    pi_1 q >= power   and   pi_0 q <= alpha   give   pi_1 >= power   and   pi_0 <= (alpha / power) pi_1.

Both cuts need independence only, and a design that keeps its limits at every association keeps them there.

1. *c1 is bounded*: P(X1 > c1) >= pi_1 >= power at the better rate, and so is c.
2. *c has a window*: pi_0 / pi_1 is the mean, at the better rate and given that both bounds are exceeded, of the
   likelihood ratio of the worse rate to the better one. That ratio falls with X, so with c1 fixed its mean falls with
   c. Once no c1 of any n1 passes the second cut at some c, none does at a smaller one.
3. *n is bounded below*: whatever the other endpoint shows, the whole rule is a test of this one with size at most alpha
   and at least the power, so the most powerful test of n patients has it (Neyman and Pearson).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.search.bounds import SLACK
from simtrial.search.scan import Block, Tables

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What one endpoint allows at n, for a block of n1: arrays of shape (c, n1, c1).

    Attributes
    ----------
    c : ndarray of int, shape (c,)
        Final bounds, decreasing.
    null, alternative : ndarray
        pi_0 and pi_1.
    some : ndarray of bool
        Whether a pair of bounds passes the cuts.
    """

    c: Ints
    null: Floats
    alternative: Floats
    some: Bools


class Margin:
    """One endpoint: its binomial tables, and what it allows.

    Parameters
    ----------
    alone : Requirements
        Its two rates, its limit and the power.
    n_max : int
        Patients up to which the tables reach.
    """

    CHUNK = 16

    def __init__(self, alone: Requirements, n_max: int) -> None:
        self.alone = alone
        self.tables = Tables(alone, n_max)

    def first_bounds(self, n1: int) -> int:
        """How many c1 there are: from 0 to the largest with P(X1 > c1) >= power at the better rate."""
        return int(np.count_nonzero(self.tables.tail[1, n1, : n1 + 1] >= self.alone.power - SLACK))

    def allowed(self, n: int, first: int, last: int) -> Allowed | None:
        """What it allows at n, with n1 from `first` to `last`; None if nothing."""
        most = self.first_bounds(n) - 1
        width = min(self.first_bounds(last), most + 1)
        if width < 1 or most < 1:
            return None
        block = Block(n=n, first=first, last=last, starts=(0, 0), x_last=width - 1)
        c1 = np.arange(width)
        inside = c1 < np.array([self.first_bounds(n1) for n1 in range(first, last + 1)])[:, np.newaxis]
        parts = []
        for top in range(most, 0, -self.CHUNK):
            c = np.arange(top, max(top - self.CHUNK, 0), -1)
            seen = inside & (c1 < c[:, np.newaxis, np.newaxis])
            null, alternative = (self._passing(k, block.below(int(c[0])), c, width) for k in (0, 1))
            sharp = seen & (null * self.alone.power <= self.alone.alpha * alternative + SLACK)
            parts.append((c, null, alternative, sharp & (alternative >= self.alone.power - SLACK)))
            if not sharp[-1].any():
                break
        c, null, alternative, some = (np.concatenate(part) for part in zip(*parts, strict=True))
        kept = some.any(axis=(1, 2))
        if not kept.any():
            return None
        return Allowed(c=c[kept], null=null[kept], alternative=alternative[kept], some=some[kept])

    def _passing(self, k: int, block: Block, c: Ints, width: int) -> Floats:
        """P(X1 > c1, X > c) at [c, n1, c1]: what lies above c, but for what the first look takes."""
        tables = self.tables
        lost = np.cumsum(tables.pmf[k, block.n1, block.x(k)] * tables.later(k, block, c), axis=2)
        found = np.zeros((*lost.shape[:2], width))
        found[:, :, : lost.shape[2]] = tables.tail[k, block.n, c][:, np.newaxis, np.newaxis] - lost
        return found
