"""Every pair of stage sizes that has a design within the limits, with the one design of it that is never worse.

Which design of a pair is enough
--------------------------------
Fix n1 and n, and take any two-stage design (r1, r) without a stop for efficacy that meets the limits. For each r a
larger r1 lowers the type I error and costs power only, so the largest r1 that keeps the power decides whether r has a
design at all (`simtrial.search.scan`, point 1); of the r that have one, take those with the largest r1, and of these
the largest r. Call the design D.

Run D and any other design of the pair, with bound s1 <= r1, on the same patients. Wherever the other stops after n1
patients, with X1 <= s1, so does D; and a trial that stops has enrolled no more patients, and is decided no later, than
the same trial had it continued. So trial by trial D enrolls no more patients and is decided no later, whatever the true
response rate is and however patients arrive, as long as the month of a look does not depend on the bounds. Every
criterion that rises with the patients enrolled or with the months to the decision, in expectation or in probability, is
therefore best in D. Where its mean is PET(p) a + (1 - PET(p)) b, a and b are those of the pair: D has the largest
PET(p) at every p, and a <= b.

Among designs of a pair with the same r1 nothing but the final bound differs, which no such criterion sees: the larger r
is taken, which has the smaller type I error, as in `simtrial.search.simon`. A single stage is taken with the smallest r
that keeps alpha, which has the largest power.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import SingleStage, TwoStage
from simtrial.memo import kept
from simtrial.search.bounds import SLACK
from simtrial.search.scan import Block, Tables
from simtrial.search.single import saw_tooth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats, Ints

ROWS, CHUNK = 48, 8
"""Most rows of n1, and most bounds r, worked on at once: see `simtrial.search.scan.Scan.CELLS`."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Designs that meet the limits, one per pair of sizes: by n, then n1. Arrays of shape (designs,) or (2, designs).

    Attributes
    ----------
    n1, n : ndarray of int
        Patients at the looks; n1 is 0 for a single stage.
    r1, r : ndarray of int
        Their bounds; r1 is -1 for a single stage.
    pet, en : ndarray
        Probability of early termination and expected number of patients on paper, at p0 and p1.
    """

    n1: Ints
    n: Ints
    r1: Ints
    r: Ints
    pet: Floats
    en: Floats

    def __len__(self) -> int:
        return len(self.n)

    def design(self, i: int) -> SingleStage | TwoStage:
        """One of them."""
        r1, n1, r, n = (int(values[i]) for values in (self.r1, self.n1, self.r, self.n))
        return TwoStage(r1, n1, r, n) if n1 else SingleStage(r, n)

    def those(self, which: Bools) -> Pairs:
        """Some of them."""
        return Pairs(
            n1=self.n1[which], n=self.n[which], r1=self.r1[which], r=self.r[which],
            pet=self.pet[:, which], en=self.en[:, which],
        )  # fmt: skip

    def sized(self, designs: Iterable[Design]) -> Bools:
        """Which have the sizes of one of some designs of one or two stages."""
        found = np.zeros(len(self), dtype=np.bool_)
        for design in designs:
            first, last = design.looks[0].n, design.looks[-1].n
            found |= (self.n1 == (first if len(design.looks) > 1 else 0)) & (self.n == last)
        return found


@kept(32)
def meeting(requirements: Requirements, n_max: int) -> Pairs:
    """Give the best design of every pair (n1, n) that has one, and of every single stage that does.

    Parameters
    ----------
    requirements : Requirements
        The limits. A trial with planned bounds that loses patients decides as the design on paper does at other rates;
        the limits are then those of `simtrial.laws.losses.AsRun.asked`.
    n_max : int
        Most patients.

    Returns
    -------
    Pairs
        Every pair with a design of at most `n_max` patients; see the head of this module for which.
    """
    tables = Tables(requirements, n_max)
    columns = [_single(requirements, n_max)]
    columns += [_at(tables, requirements, n) for n in np.flatnonzero(tables.possible).tolist() if n > 1]
    n, n1, r1, r = np.concatenate(columns, axis=1)
    order = np.lexsort((n1, n))
    n, n1, r1, r = n[order], n1[order], r1[order], r[order]
    pet = np.where(n1 > 0, 1 - tables.tail[:, n1, np.maximum(r1, 0)], 0.0)
    en = np.where(n1 > 0, n1 + (1 - pet) * (n - n1), n)
    return Pairs(n1=n1, n=n, r1=r1, r=r, pet=pet, en=en)


def largest_r1(requirements: Requirements, n_max: int) -> Ints:
    """Give the largest r1 of any design with the power, by n1 from 0 to `n_max`; -1 where none may stop.

    Its PET bounds that of every design: P(X1 > r1; p1) must exceed the power, as some more of it is lost after it.
    """
    most: Ints = Tables(requirements, n_max).r1_high
    return most


def _single(requirements: Requirements, n_max: int) -> Ints:
    """Rows n, n1 = 0, r1 = -1 and r of the single stages that meet the limits."""
    found = saw_tooth(requirements, np.arange(1, n_max + 1))
    n, r = found.n[found.meets], found.r[found.meets]
    return np.stack([n, np.zeros_like(n), np.full_like(n, -1), r])


def _at(tables: Tables, requirements: Requirements, n: int) -> Ints:
    """Rows n, n1, r1 and r of the pairs with n patients, found in blocks of neighbouring n1."""
    r1, r = np.full(n, -1), np.full(n, -1)
    for top in range(1, n, ROWS):
        bottom = min(top + ROWS - 1, n - 1)
        x_last = min(int(tables.r1_high[top : bottom + 1].max()), int(tables.r_high[n]) - 1)
        if x_last >= 0:
            # left of these X1 has less than 1e-12 of its mass
            light = [min(int(np.count_nonzero(tables.tail[k, top] > 1 - 1e-12)), x_last) for k in (0, 1)]
            block = Block(n=n, first=top, last=bottom, starts=(light[0], light[1]), x_last=x_last)
            r1[block.n1], r[block.n1] = _solved(tables, requirements, block)
    n1 = np.flatnonzero(r1 >= 0)
    return np.stack([np.full(n1.size, n), n1, r1[n1], r[n1]])


def _solved(tables: Tables, requirements: Requirements, block: Block) -> tuple[Ints, Ints]:
    """The largest r1 of each n1 of a block, and of the r that go with it the largest; -1 where there is none."""
    n, n1 = block.n, np.arange(block.first, block.last + 1)
    best, bound = np.full(n1.size, -1), np.full(n1.size, -1)
    for high in range(int(tables.r_high[n]), 0, -CHUNK):
        rs = np.arange(high, max(high - CHUNK, 0), -1)
        lost = [np.cumsum(tables.pmf[k, block.n1, block.x(k)] * tables.later(k, block, rs), axis=2) for k in (0, 1)]
        over, spare = tables.tail[0, n, rs] - requirements.alpha, tables.tail[1, n, rs] - requirements.power
        most = np.minimum(np.minimum(rs[:, np.newaxis] - 1, tables.r1_high[block.n1]), block.x_last)
        fits = np.count_nonzero(lost[1] <= (spare + SLACK)[:, np.newaxis, np.newaxis], axis=2)
        r1 = np.minimum(fits + block.starts[1] - 1, most)
        excess = over[:, np.newaxis] - _taken(lost[0], r1 - block.starts[0])
        unclear = (excess >= -SLACK) | (_taken(lost[1], r1 - block.starts[1]) >= spare[:, np.newaxis] - SLACK)
        r1[excess > SLACK] = -1
        for k, i in np.argwhere(unclear & (r1 > best)).tolist():
            r1[k, i] = _settled(requirements, (n, int(n1[i]), int(rs[k])), int(r1[k, i]))
        row = np.argmax(r1, axis=0)  # of equal ones the first, which has the largest r
        here = np.take_along_axis(r1, row[np.newaxis], axis=0)[0]
        best, bound = np.where(here > best, here, best), np.where(here > best, rs[row], bound)
        if (over[-1] - _taken(lost[0][-1:], most[-1:] - block.starts[0]) > SLACK).all():
            break  # a smaller r only adds to the type I error of every n1 and r1
    return best, bound


def _taken(lost: Floats, column: Ints) -> Floats:
    """What has been lost by a column of the sums along the last axis; nothing before the first."""
    at = np.take_along_axis(lost, np.maximum(column, 0)[..., np.newaxis], axis=-1)[..., 0]
    return np.where(column >= 0, at, 0.0)


def _settled(requirements: Requirements, sizes: tuple[int, int, int], r1: int) -> int:
    """Largest r1 up to the one given that meets the limits with n, n1 and r, in fractions where need be; -1 if none."""
    n, n1, r = sizes
    while r1 >= 0:
        design = TwoStage(r1, n1, r, n)
        if exact.meets(design, requirements):
            return r1
        if exact.side(design, requirements.p1, requirements.power) >= 0:
            return -1  # it has the power, so what it breaks is alpha, and a smaller r1 breaks it more
        r1 -= 1
    return -1
