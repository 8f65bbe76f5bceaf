"""The second looks that may lead to something better, of a search for three (`simtrial.search.three_looks.scan`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import TwoStage
from simtrial.search.bounds import SLACK
from simtrial.search.three_looks.known import NEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.three_looks.known import ThreeFrame
    from simtrial.search.three_looks.rows import Rows

Tries: TypeAlias = "Sequence[tuple[int, Sequence[int]]]"
"""Some n3, each with r3 from the largest down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """First stages with a second look each, all at n2 patients: arrays of shape (seconds,) or (2, seconds).

    Attributes
    ----------
    row : ndarray of int
        Which first stage.
    r2, e2 : ndarray of int
        Bounds of the second look; e2 = n2 + 1 where there is no stop for efficacy.
    a : ndarray
        n1 + (n2 - n1) P0(r1 < X1 < e1).
    go, early : ndarray
        P_p of going on to the third look, and of having rejected by the second.
    """

    row: Ints
    r2: Ints
    e2: Ints
    a: Floats
    go: Floats
    early: Floats

    def of(self, keep: Bools | slice) -> Seconds:
        """Some of them."""
        return Seconds(
            row=self.row[keep],
            r2=self.r2[keep],
            e2=self.e2[keep],
            a=self.a[keep],
            go=self.go[:, keep],
            early=self.early[:, keep],
        )


def second_looks(frame: ThreeFrame, rows: Rows, n2: int, sizes: Ints, *, least: float, only: Tries) -> Seconds:
    """Every second look at n2 patients after these rows that may be better than `least` with one of these n3.

    With `only`, those alone that have a design with one of these n3 and r3, which is quick for few of them; without it
    also those that may have one with more patients.
    """
    tables, asked, efficacy = frame.tables, frame.asked, frame.sizes.efficacy
    e2 = np.arange(2, n2 + 2) if efficacy else np.array([n2 + 1])
    top = max(min(n2 - 1 if efficacy else int(tables.r1_high[n2]), rows.mass.shape[2] - 2), 0)
    r2 = np.arange(1, top + 1)
    low = np.cumsum(rows.mass[:, :, : top + 1], axis=2)[:, :, 1:]
    high = from_above(rows.mass)[:, :, e2] if efficacy else np.zeros((2, rows.count, 1))
    a = rows.n1 + rows.go[0] * (n2 - rows.n1)
    powered = (rows.early[1] + rows.go[1])[:, np.newaxis] - low[1] > asked.power - SLACK
    powered &= r2 > rows.r1[:, np.newaxis]
    ok = powered[:, :, np.newaxis] & (e2 > r2[:, np.newaxis] + 1)
    if efficacy:
        ok &= (r2 < (rows.e1 - 1 + n2 - rows.n1)[:, np.newaxis])[:, :, np.newaxis]  # somebody can go on
        may = (rows.early[0][:, np.newaxis] + high[0] <= asked.alpha + SLACK) & (e2 >= rows.e1[:, np.newaxis])
        ok &= may[:, np.newaxis]
    g = rows.go[0][:, np.newaxis, np.newaxis] - low[0][:, :, np.newaxis] - high[0][:, np.newaxis]
    ok &= a[:, np.newaxis, np.newaxis] + np.maximum(g, 0.0) * (sizes[0] - n2) < least + NEAR
    if only:
        ok &= _feasible(frame, rows, n2, (top, e2), only)
    row, i, j = np.nonzero(ok)
    go = rows.go[:, row] - low[:, row, i] - high[:, row, j]
    seconds = Seconds(row=row, r2=r2[i], e2=e2[j], a=a[row], go=go, early=rows.early[:, row] + high[:, row, j])
    return _powered(frame, rows, n2, seconds)


def from_above(terms: Floats) -> Floats:
    """Sums from x on, along the last axis."""
    found: Floats = np.cumsum(terms[..., ::-1], axis=-1)[..., ::-1]
    return found


def _feasible(frame: ThreeFrame, rows: Rows, n2: int, bounds: tuple[int, Ints], tries: Tries) -> Bools:
    """Whether some of these n3 has one of these r3 that meets both limits: shape (rows, r2, e2).

    P(reject) = P(early) + P(go on after n1) - P(X2 <= r2) - P(r2 < X2 < e2, X3 <= r3), the last two being sums over x
    of what the rows hold.
    """
    (top, e2), asked, tables = bounds, frame.asked, frame.tables
    x = np.arange(rows.mass.shape[2])
    found = np.zeros((rows.count, top, e2.size), dtype=np.bool_)
    passed = (rows.early + rows.go)[:, :, np.newaxis] - np.cumsum(rows.mass[:, :, : top + 1], axis=2)[:, :, 1:]
    for n3, some in tries:
        for r3 in some if n3 > n2 else ():
            fewer = 1 - tables.padded[:, n3 - n2, np.maximum(tables.PAD + r3 - x, 0)]
            ends = from_above(rows.mass * fewer[:, np.newaxis])
            reject = (passed - ends[:, :, 2 : top + 2])[:, :, :, np.newaxis]
            if frame.sizes.efficacy:
                reject = reject + ends[:, :, np.newaxis, e2]
            keeps = reject[0] <= asked.alpha + SLACK
            if not keeps.any():
                break
            found |= keeps & (reject[1] >= asked.power - SLACK)
    return found


def largest_r3(frame: ThreeFrame, n3: int, early: float) -> int:
    """The largest r3 that may have the power after looks that have rejected with this probability at most, at p1."""
    if not frame.sizes.efficacy:
        return int(frame.tables.r_high[n3])
    return min(int(np.count_nonzero(frame.tables.tail[1, n3] >= frame.asked.power - early - SLACK)), n3) - 1


def _powered(frame: ThreeFrame, rows: Rows, n2: int, seconds: Seconds) -> Seconds:
    """Those with P1(stop for futility) < 1 - power, in fractions where need be; the others have no design at any n."""
    p1, power = frame.asked.p1, frame.asked.power
    # by then the trial has rejected, or goes on: the same as two stages that end here with rejection if X2 > r2
    reached = seconds.early[1] + seconds.go[1]
    keep = np.ones(seconds.row.size, dtype=np.bool_)
    for k in np.flatnonzero(np.abs(reached - power) <= SLACK).tolist():
        row = seconds.row[k]
        n1, r1, e1 = (int(one[row]) for one in (rows.n1, rows.r1, rows.e1))
        two = TwoStage(r1, n1, int(seconds.r2[k]), n2, e1=e1 if e1 <= n1 else None)
        keep[k] = exact.side(two, p1, power) > 0
    return seconds if keep.all() else seconds.of(keep)
