"""The first stages of a search for three looks, and what may stand after them.

A first stage is (n1, r1, e1); e1 = n1 + 1 where there is no stop for efficacy. Its row holds P_p(r1 < X1 < e1, X2 = x)
for every x. Rows of all n1 go together from one second look to the next, n2 to n2 + 1, by one step of the recursion for
one more patient, and leave when nothing that follows can be better than what is known (`Rows.until`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.search.bounds import SLACK

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.constraints import Constraints
    from simtrial.search.scan import Tables
    from simtrial.search.three_looks.known import ThreeFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeSizes:
    """Which numbers of patients three looks may have, and whether they may stop for efficacy.

    Attributes
    ----------
    least : int
        Fewest patients at the first look.
    multiple : int
        Every number is a multiple of this.
    balanced : bool
        Whether all stages are equal.
    looks : tuple of int or None
        The three numbers, if they are given.
    last : int or None
        The largest n.
    r1 : int or None
        The futility bound of the first look, if it is given.
    efficacy : bool
        Whether the looks may stop for efficacy.
    """

    least: int = 1
    multiple: int = 1
    balanced: bool = False
    looks: tuple[int, ...] | None = None
    last: int | None = None
    r1: int | None = None
    efficacy: bool = False

    @classmethod
    def of(cls, asked: Constraints) -> ThreeSizes:
        """Those that constraints allow.

        Raises
        ------
        InputError
            If other than three looks are given, or only stops for efficacy are allowed.
        """
        if asked.looks_at is not None and len(asked.looks_at) != 3:
            raise InputError(f"has {counted(len(asked.looks_at), 'look')}; give three, such as 10,20,30", "looks_at")
        if asked.stops == "efficacy":
            raise InputError("(efficacy) leaves out the stop for futility; write futility or both", "stops")
        return cls(
            least=asked.n1_least,
            multiple=asked.multiple_of,
            balanced=asked.balanced,
            looks=asked.looks_at,
            last=asked.looks_at[-1] if asked.looks_at is not None else asked.cap,
            r1=asked.r1,
            efficacy=asked.stops == "both",
        )

    def first(self, n1: int) -> bool:
        """Whether a first look may be at n1 patients."""
        if self.looks is not None:
            return n1 == self.looks[0]
        return n1 >= self.least and n1 % self.multiple == 0

    def second(self, n1: Ints, n2: int) -> Bools:
        """Whether a second look may be at n2 patients, for each n1."""
        if self.looks is not None:
            return np.full(n1.shape, n2 == self.looks[1])
        return np.full(n1.shape, n2 % self.multiple == 0) & (n2 == 2 * n1 if self.balanced else True)

    def third(self, n3: int) -> bool:
        """Whether a trial may have n3 patients."""
        if self.looks is not None:
            return n3 == self.looks[2]
        whole = n3 % self.multiple == 0 and (self.last is None or n3 <= self.last)
        return whole and not (self.balanced and n3 % 3)

    def together(self, n1: Ints, n3: Ints) -> Bools:
        """Whether a first and a last look may be of one design; shape of both."""
        return np.broadcast_to(n3 == 3 * n1 if self.balanced else np.True_, np.broadcast_shapes(n1.shape, n3.shape))


class Cut:
    """What the stops of designs with n patients may cost at most, by the most powerful test.

    For any weight l >= 0 a rule that keeps both limits has power - l alpha <= P1(reject) - l P0(reject). Of all rules
    on n patients the right side is largest if X is rejected exactly where b(x; n, p1) > l b(x; n, p0). With l the ratio
    at r these are the x > r. A stop for futility loses b(x; p1) - l b(x; p0) on its paths with X > r, one for efficacy
    l b(x; p0) - b(x; p1) on its paths with X <= r, and all losses together are at most `spare`. As r is taken the one
    of the randomised most powerful test of level alpha, where `spare` is its power less the power asked for.

    Attributes
    ----------
    n : int
        The largest number of patients.
    ratio : float
        The weight l.
    """

    def __init__(self, tables: Tables, asked: Requirements, n: int) -> None:
        self.n, self.tables, self.r = n, tables, int(tables.r_alpha[n])
        self.ratio = float(tables.pmf[1, n, self.r] / max(tables.pmf[0, n, self.r], 1e-300))
        beyond = tables.tail[1, n, self.r] - self.ratio * tables.tail[0, n, self.r]
        self.spare = float(beyond - asked.power + self.ratio * asked.alpha) + 2 * SLACK * (1 + self.ratio)

    def beyond(self, n: int, x: Ints) -> Floats:
        """P_p(X > r) of the largest n, given x of the first n: shape (2, len(x)), p0 first."""
        column = np.clip(self.tables.PAD + self.r - x, 0, self.tables.padded.shape[2] - 1)
        found: Floats = self.tables.padded[:, self.n - n, column]
        return found

    def lost(self, mass: Floats, later: Floats) -> Floats:
        """What stopping for futility costs, by x; `mass` of shape (2, ..., x) and `later` of shape (2, x)."""
        cost: Floats = mass[1] * later[1] - self.ratio * (mass[0] * later[0])
        return cost

    def spoilt(self, mass: Floats, later: Floats) -> Floats:
        """What stopping for efficacy costs, by x."""
        return -self.lost(mass, 1 - later)


class Room(NamedTuple):
    """What looks without a stop for efficacy may be in a design of n3 patients.

    With r3, the stops must take P(X3 > r3; p0) - alpha or more of the type I error, and P(X3 > r3; p1) - power or less
    of the power. What two looks take is at most the sum of what each alone would take, and at least the larger of both.

    Attributes
    ----------
    bounds : tuple of int
        The r3 that may have a design.
    allowed : ndarray of bool, shape (n, r)
        Which bounds a look may have.
    """

    bounds: tuple[int, ...]
    allowed: Bools

    @classmethod
    def of(cls, frame: ThreeFrame, n3: int) -> Room:
        """That of n3."""
        tables, asked = frame.tables, frame.asked
        bounds, allowed = [], np.zeros(tables.pmf.shape[1:], dtype=np.bool_)
        n = np.arange(1, n3)
        for r3 in range(int(tables.r_high[n3]), 1, -1):
            x = np.arange(r3)
            later = tables.padded[:, (n3 - n)[:, np.newaxis], np.maximum(tables.PAD + r3 - x, 0)]
            lost = np.cumsum(tables.pmf[:, 1:n3, :r3] * later, axis=2)
            fits = lost[1] <= tables.tail[1, n3, r3] - asked.power + SLACK
            most = float(np.max(lost[0], where=fits, initial=0.0))
            needed = tables.tail[0, n3, r3] - asked.alpha - SLACK
            if 2 * most >= needed:
                bounds.append(r3)
                allowed[1:n3, :r3] |= fits & (lost[0] + most >= needed)
        return cls(tuple(bounds), allowed)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """First stages at one second look: arrays of shape (rows,), (2, rows) or (2, rows, x), p0 first.

    Attributes
    ----------
    n1, r1, e1 : ndarray of int
        The first stage; e1 = n1 + 1 where there is no stop for efficacy.
    until : ndarray of int
        The largest second look that is worth while.
    go, early : ndarray
        P_p(r1 < X1 < e1) and P_p(X1 >= e1).
    mass : ndarray
        P_p(r1 < X1 < e1, X2 = x).
    cost : ndarray, shape (cuts, rows)
        What their stops cost by each `Cut`, where there are any.
    """

    n1: Ints
    r1: Ints
    e1: Ints
    until: Ints
    go: Floats
    early: Floats
    mass: Floats
    cost: Floats

    @property
    def count(self) -> int:
        """How many there are."""
        return self.n1.size

    def kept(self, keep: Bools) -> Rows:
        """Those that stay."""
        return self if keep.all() else self.of(np.flatnonzero(keep))

    def of(self, rows: Ints) -> Rows:
        """Some of them."""
        axes = {name: 0 if name in WHOLE else 1 for name in NAMES}
        return Rows(**{name: getattr(self, name).take(rows, axis=axis) for name, axis in axes.items()})

    def joined(self, other: Rows) -> Rows:
        """Those of both."""
        if other.count == 0 or self.count == 0:
            return self if other.count == 0 else other
        parts = {name: [getattr(self, name), getattr(other, name)] for name in NAMES}
        return Rows(**{name: np.concatenate(pair, axis=0 if name in WHOLE else 1) for name, pair in parts.items()})

    def stepped(self, p: Floats) -> Rows:
        """The same with one more patient before the second look; `p` of shape (2, 1, 1)."""
        mass = self.mass * (1 - p)
        mass[:, :, 1:] += p * self.mass[:, :, :-1]
        return replace(self, mass=mass)


NAMES = tuple(one.name for one in fields(Rows))
WHOLE = ("n1", "r1", "e1", "until")
"""The fields of rows, and those whose first axis is the rows."""


def no_rows(columns: int, cuts: int) -> Rows:
    """No first stage."""
    whole, two = np.zeros(0, dtype=np.int64), np.zeros((2, 0))
    shaped = dict.fromkeys(WHOLE, whole)
    return Rows(**shaped, go=two, early=two, mass=np.zeros((2, 0, columns)), cost=np.zeros((cuts, 0)))


def first_stages(tables: Tables, asked: Requirements, sizes: ThreeSizes, n1: int) -> tuple[Ints, Ints]:
    """Every (r1, e1) of n1 patients with P1(X1 <= r1) < 1 - power and P0(X1 >= e1) <= alpha."""
    top = min(int(tables.r1_high[n1]), n1 - 1)
    r1 = np.arange(top + 1) if sizes.r1 is None else np.arange(sizes.r1, min(sizes.r1, top) + 1)
    if not sizes.efficacy:
        return r1, np.full(r1.size, n1 + 1)
    least = int(np.count_nonzero(tables.tail[0, n1] > asked.alpha + SLACK)) + 1
    e1 = np.arange(min(least, n1 + 1), n1 + 2)
    apart = e1 > r1[:, np.newaxis] + 1
    row, column = np.nonzero(apart)
    return r1[row], e1[column]
