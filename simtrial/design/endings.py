"""How trials end: every ending of a design that can be seen, and how likely it is, whatever p."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import binomial_pmf
from simtrial.design.second_stages import BranchLook, branched, ending_orders
from simtrial.design.walk import Arrival, shares, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    from simtrial.design.designs import Design
    from simtrial.numbers import Bools, Floats, Ints


@dataclass(frozen=True, kw_only=True)
class Endings:
    """Every way in which a trial can end, in the order of look and responses; arrays of shape (endings,).

    Attributes
    ----------
    stage, n, responses : ndarray of int
        Look at which it ends, from 1; patients and responses by then.
    reject : ndarray of bool
        Whether H0 is rejected there.
    share : ndarray
        Share of the orders of responses and failures that end there: c_k(s) of `exact`.
    first, before : ndarray
        Expected responses at the first look, and at the look before the last one taken (0 at the first), given the
        ending; they do not depend on p.
    """

    stage: Ints
    n: Ints
    responses: Ints
    reject: Bools
    share: Floats
    first: Floats
    before: Floats

    def probability(self, p: ArrayLike) -> Floats:
        """P(ending; p), along a new last axis."""
        rates = np.asarray(p, dtype=np.float64)
        found = np.empty((*rates.shape, len(self.n)))
        for n in np.unique(self.n):
            here = self.n == n
            found[..., here] = self.share[here] * binomial_pmf(int(n), rates, self.responses[here])
        return found


def endings(design: Design) -> Endings:
    """Enumerate the endings of a design that can be seen.

    Run with X1 in place of 1 at the start, the recursion gives the mean of X1 given each ending, as every order of
    responses and failures is equally likely; and with x c(x) in place of c(x) for one step, that of the count before.
    """
    table = branched(design.looks)
    if table is not None:
        return _branched_endings(table)
    parts: list[Endings] = []
    for k, (look, here, (whole, first, before)) in enumerate(arrivals(design), start=1):
        ends = np.flatnonzero(~here.go_on & (whole > 0))
        parts.append(
            Endings(
                stage=np.full(ends.size, k),
                n=np.full(ends.size, look.n),
                responses=ends,
                reject=here.reject[ends],
                share=whole[ends],
                first=first[ends] / whole[ends],
                before=before[ends] / whole[ends],
            )
        )
    return _together(parts)


def _together(parts: list[Endings]) -> Endings:
    return Endings(
        **{part.name: np.concatenate([getattr(one, part.name) for one in parts]) for part in fields(Endings)}
    )


def _branched_endings(table: BranchLook) -> Endings:
    """The same where the second stage depends on the first: with the same responses a trial may accept or reject."""
    parts = []
    for k, one in enumerate(ending_orders(table), start=1):
        for reject, ways, first in ((False, one.accept, one.first_accept), (True, one.reject, one.first_reject)):
            ends = np.flatnonzero(ways)
            mean = np.array([first[s] / ways[s] for s in ends.tolist()])
            parts.append(
                Endings(
                    stage=np.full(ends.size, k),
                    n=np.full(ends.size, one.n),
                    responses=ends,
                    reject=np.full(ends.size, reject),
                    share=np.array([ways[s] / math.comb(one.n, s) for s in ends.tolist()]),
                    first=mean,
                    before=mean if k > 1 else np.zeros(ends.size),
                )
            )
    return _together(parts)


def arrivals(design: Design) -> Iterator[Arrival[np.float64]]:
    """Walk in shares of the orders, c_k(s) of `exact`.

    The weights have three rows: the shares, and the same weighted by the responses at the first look, and at the look
    before (0 at the first).
    """

    def step(reached: Floats, n: int, later: int) -> Floats:
        share, first, _ = reached
        return np.stack([shares(row, n, later) for row in (share, first, share * np.arange(n + 1))])

    x = np.arange(design.looks[0].n + 1.0)
    return walk(design.looks, np.stack([np.ones(x.size), x, np.zeros(x.size)]), step)
