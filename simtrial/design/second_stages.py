"""Second stages that depend on the first: the table behind an adaptive design, and the orders of responses it ends in.

The looks of such a design are the first one, at n1 patients, and one at each number of patients with which a second
stage ends. All of them carry the table from X1 = 0, 1, ..., n1 to accept, reject or (n2, r), so that the looks say all
there is of the design, as those of any other do. What needs a bound of such a look for all X1 is refused.

Given s responses in the n patients with which a trial ends, every order of responses and failures is equally likely,
whatever p. Of the C(n, s) orders, C(n1, x) C(n - n1, s - x) have X1 = x, and all of them end with n patients if n1 +
n2(x) = n, rejecting H0 iff s > r(x).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from simtrial.design.binomial import above, binomial_pmf
from simtrial.design.designs import Look, regions
from simtrial.errors import InputError
from simtrial.memo import kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Regions
    from simtrial.design.walk import Wholes
    from simtrial.numbers import Floats, Ints

Stop: TypeAlias = Literal["accept", "reject"]
"""How a trial ends after its first stage."""


@dataclass(frozen=True, slots=True)
class SecondStage:
    """A second stage: `n2` more patients, and H0 is rejected if more than `r` of all patients respond."""

    n2: int
    r: int

    def __str__(self) -> str:
        return f"{self.n2}/{self.r}"


AfterFirst: TypeAlias = tuple[Stop | SecondStage, ...]
"""What follows X1 = 0, 1, ..., n1 responses."""


@dataclass(frozen=True, slots=True)
class BranchLook(Look):
    """A look of a design whose second stage depends on the first.

    Attributes
    ----------
    after : tuple
        The whole table.
    """

    after: AfterFirst = ()

    def regions(self, responses: Ints, *, final: bool) -> Regions:  # noqa: ARG002 - as of any look
        """Refused: where a number of responses leads depends on X1.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(NOT_HERE, "design")

    @property
    def table(self) -> str:
        """The table in one line: by X1, A for accept, R for reject, or n2/r with r cumulative; equal rows together."""
        return "|".join(f"{one.low}{f'-{one.high}' * (one.low < one.high)}:{written(one.row)}" for one in runs(self))


def written(row: Stop | SecondStage) -> str:
    """What follows, as it is written in one line."""
    return {"accept": "A", "reject": "R"}.get(str(row), str(row))


NOT_HERE = "has a second stage that depends on the responses of the first; this is worked out for fixed bounds only"
"""Why something is not computed."""


def branch_looks(n1: int, after: AfterFirst) -> tuple[BranchLook, ...]:
    """The looks of a table: at n1, and at each number of patients with which a second stage ends."""
    stops = [row if isinstance(row, str) else "" for row in after]
    accepted = next((x for x, stop in enumerate(stops) if stop != "accept"), n1 + 1)
    rejected = next((x for x, stop in enumerate(reversed(stops)) if stop != "reject"), n1 + 1)
    r, e = accepted - 1 if accepted else None, n1 + 1 - rejected if rejected else None
    later = sorted({n1 + row.n2 for row in after if isinstance(row, SecondStage)})
    return (BranchLook(n1, r, e, after), *(BranchLook(n, None, None, after) for n in later))


def branched(looks: Sequence[Look]) -> BranchLook | None:
    """The first of some looks, if they are those of a table."""
    first = looks[0]
    return first if isinstance(first, BranchLook) else None


@dataclass(frozen=True, slots=True)
class SameRow:
    """Numbers of responses in the first stage with the same consequence.

    Attributes
    ----------
    low, high : int
        From and to.
    row : Stop or SecondStage
        What follows.
    """

    low: int
    high: int
    row: Stop | SecondStage

    @property
    def seen(self) -> str:
        """The numbers in words."""
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,} to {self.high:,}"


def runs(first: BranchLook) -> list[SameRow]:
    """What follows each number of responses, equal rows together."""
    found = []
    for row, group in groupby(enumerate(first.after), key=lambda one: one[1]):
        xs = [x for x, _ in group]
        found.append(SameRow(xs[0], xs[-1], row))
    return found


def branches(first: BranchLook) -> list[SameRow]:
    """The same with every number of responses that continues by itself: what is to be expected then depends on it."""
    found = []
    for one in runs(first):
        apart = isinstance(one.row, SecondStage)
        found += [SameRow(x, x, one.row) for x in range(one.low, one.high + 1)] if apart else [one]
    return found


def analyses(looks: Sequence[Look]) -> tuple[Look, ...]:
    """The looks that one trial can have: of a table the first, and the last for whichever second stage opens."""
    return tuple(looks) if branched(looks) is None or len(looks) == 1 else (looks[0], looks[-1])


def conditional(after: AfterFirst, p: float) -> Floats:
    """P(reject H0 | X1 = x; p) for x = 0..n1."""
    x = np.arange(len(after))
    r = np.array([row.r if isinstance(row, SecondStage) else -1 for row in after])
    n2 = np.array([row.n2 if isinstance(row, SecondStage) else 0 for row in after])
    found: Floats = np.where(n2 > 0, above(r - x, n2, p), [row == "reject" for row in after])
    return found


def ending_chances(first: BranchLook, rates: Floats) -> tuple[Ints, Floats, Floats]:
    """The numbers of patients at the looks, and the probabilities of accepting and of rejecting H0 at each of them.

    Parameters
    ----------
    first : BranchLook
        The first look.
    rates : ndarray
        True response rates.

    Returns
    -------
    ndarray of int, ndarray, ndarray
        Shapes (looks,), rates.shape + (looks,) and the same.
    """
    total = first.n + np.array([row.n2 if isinstance(row, SecondStage) else 0 for row in first.after])
    sizes = np.array([look.n for look in branch_looks(first.n, first.after)])
    at_first = binomial_pmf(first.n, rates)
    given = np.array([conditional(first.after, float(p)) for p in rates.flat]).reshape(at_first.shape)
    there = (total[:, np.newaxis] == sizes).astype(np.float64)
    return sizes, (at_first * (1 - given)) @ there, (at_first * given) @ there


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingOrders:
    """The orders of responses and failures with which trials end with n patients, by the responses s = 0..n.

    Attributes
    ----------
    n : int
        Patients.
    accept, reject : ndarray of int
        How many of the C(n, s) orders end there without and with rejection of H0.
    first_accept, first_reject : ndarray of int
        The same, each order weighted by its responses among the first n1.
    """

    n: int
    accept: Wholes
    reject: Wholes
    first_accept: Wholes
    first_reject: Wholes


@kept(256)
def ending_orders(first: BranchLook) -> tuple[EndingOrders, ...]:
    """How trials end, by the number of patients: at n1, and at each later look."""
    counts = {look.n: np.zeros((4, look.n + 1), dtype=object) for look in branch_looks(first.n, first.after)}
    for x, row in enumerate(first.after):
        n2 = row.n2 if isinstance(row, SecondStage) else 0
        s = x + np.arange(n2 + 1)
        ways = math.comb(first.n, x) * np.array([math.comb(n2, more) for more in range(n2 + 1)], dtype=object)
        if isinstance(row, SecondStage):
            rejects = regions(s, row.r, None, final=True).reject
        else:
            rejects = np.full(s.shape, row == "reject")
        for k, here in enumerate((~rejects, rejects)):
            counts[first.n + n2][k, s] += ways * here
            counts[first.n + n2][2 + k, s] += ways * here * x
    return tuple(
        EndingOrders(n=n, accept=rows[0], reject=rows[1], first_accept=rows[2], first_reject=rows[3])
        for n, rows in counts.items()
    )
