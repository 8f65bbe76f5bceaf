"""Two stages whose second one depends on the first: a table from the responses X1 to accept, reject or (n2, r).

After n1 patients with X1 = x the trial accepts H0, rejects it, or enrolls n2(x) more patients and rejects H0 iff
X > r(x), X counting the responses of both stages. With

    A(x) = P(reject H0 | X1 = x; p0), the conditional error,  B(x) = P(reject H0 | X1 = x; p1), the conditional power,

P(reject H0; p) = sum over x of b(x; n1, p) P(reject H0 | X1 = x; p) and EN(p) = n1 + sum of b(x; n1, p) n2(x).

The type I error over all p <= p0
---------------------------------
If A never falls as x rises, the largest P(reject H0; p) over p <= p0 is that at p0. Let R(x; p) = P(reject H0 | X1 = x;
p), which rises with p as a binomial tail does; A(x) = R(x; p0). Then for p <= p0

    E_p R(X1; p) <= E_p A(X1) <= E_p0 A(X1) = P(reject H0; p0),

the second step because X1 is stochastically larger at p0 and A does not fall [1]_. If A falls somewhere, the step
fails, and P(reject H0; p) may be larger at some p < p0. It is a polynomial, in Bernstein's form

    P(reject H0; p) = sum over s of share(s) b(s; n, p),

with n the largest number of patients and share(s) the share of the orders of s responses in n patients that lead to a
rejection, patients after the end of the trial included; `bernstein` finds its maximum.

References
----------
.. [1] Englert S, Kieser M. Optimal adaptive two-stage designs for phase II cancer clinical trials. Biom J
   2013;55:955-968.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.bernstein import Peak, peak
from simtrial.design.designs import parse_looks
from simtrial.design.exact import CLOSE, OperatingCharacteristics, operating_characteristics
from simtrial.design.requirements import decimal
from simtrial.design.second_stages import (
    BranchLook,
    SecondStage,
    Stop,
    branch_looks,
    branched,
    conditional,
    written,
)
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.numbers import Floats, count
from simtrial.phrases import counted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simtrial.design.designs import Design, MultiStage, SingleStage, TwoStage

MOST_FIRST = 200
"""Most patients of a first stage: a table has one row more."""


@dataclass(frozen=True, slots=True)
class Branching:
    """A design whose second stage depends on the responses of the first.

    Parameters
    ----------
    n1 : int
        Patients of the first stage.
    after : tuple
        What follows X1 = 0, 1, ..., n1 responses: ``"accept"``, ``"reject"`` or a `SecondStage`, whose r is cumulative.

    Raises
    ------
    InputError
        If a row is missing or is none of these, a second stage has no patients, or its bound cannot be exceeded.

    Examples
    --------
    >>> design = Branching(2, ("accept", SecondStage(n2=3, r=2), "reject"))
    >>> design.n_max, branching_text(design)
    (5, '0:A|1:3/2|2:R')
    >>> round(float(design.at(0.5).reject), 4)
    0.5
    """

    n1: int
    after: tuple[Stop | SecondStage, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "n1", count(self.n1, "n1", at_least=1))
        if self.n1 > MOST_FIRST:
            raise InputError(f"({self.n1}) is above {MOST_FIRST}, the most for a table", "n1")
        rows = tuple(self.after)
        if len(rows) != self.n1 + 1:
            raise InputError(
                f"has {counted(len(rows), 'row')}; {counted(self.n1, 'patient')} need one row for each number of "
                f"responses from 0 to {self.n1}",
                "after",
            )
        object.__setattr__(self, "after", tuple(_checked(x, row) for x, row in enumerate(rows)))

    @property
    def looks(self) -> tuple[BranchLook, ...]:
        """The first look, and one at each number of patients with which a second stage ends."""
        return branch_looks(self.n1, self.after)

    @property
    def n2(self) -> tuple[int, ...]:
        """Patients of the second stage by X1; 0 where the trial ends."""
        return tuple(row.n2 if isinstance(row, SecondStage) else 0 for row in self.after)

    @property
    def n_max(self) -> int:
        """The largest number of patients."""
        return self.n1 + max(self.n2)

    def conditional(self, p: float) -> Floats:
        """P(reject H0 | X1 = x; p) for x = 0..n1: the conditional error at p0, the conditional power at p1."""
        return conditional(self.after, p)

    def at(self, p: ArrayLike) -> OperatingCharacteristics:
        """What the design does at any response rates from 0 to 1: `operating_characteristics`."""
        return operating_characteristics(self, p)

    def en_fraction(self, p: Fraction | float) -> Fraction:
        """EN(p) as an exact fraction."""
        rate = p if isinstance(p, Fraction) else decimal(p)
        more = (b * n2 for b, n2 in zip(_pmf_fraction(self.n1, rate), self.n2, strict=True))
        return self.n1 + sum(more, Fraction(0))

    def _given(self, rate: Fraction) -> list[Fraction]:
        return [
            _tail(row.r - x, row.n2, rate) if isinstance(row, SecondStage) else Fraction(row == "reject")
            for x, row in enumerate(self.after)
        ]

    def is_monotone(self, p0: float) -> bool:
        """Whether the conditional error never falls as the responses of the first stage rise."""
        found = self.conditional(p0).tolist()
        if all(b > a + CLOSE for a, b in pairwise(found) if a != b):
            return True
        return all(a <= b for a, b in pairwise(self._given(decimal(p0))))

    def largest_reject(self, most: float) -> Peak:
        """The largest P(reject H0; p) over 0 <= p <= `most`: at p0 the type I error over the whole null hypothesis.

        Raises
        ------
        InputError
            If `most` is not from 0 to 1.
        """
        if not 0 <= most <= 1:
            raise InputError(f"({most:.10g}) is not from 0 to 1", "most")
        return _largest(self, float(most))

    def shares(self) -> list[Fraction]:
        """The share of the orders of s responses in n_max patients that reject H0, for s = 0..n_max."""
        n = self.n_max
        ways = np.zeros(n + 1, dtype=object)
        for x, row in enumerate(self.after):
            if row == "accept":
                continue
            n2 = row.n2 if isinstance(row, SecondStage) else 0
            least = max(row.r - x + 1, 0) if isinstance(row, SecondStage) else 0
            second = np.array([math.comb(n2, k) if k >= least else 0 for k in range(n2 + 1)], dtype=object)
            rest = np.array([math.comb(n - self.n1 - n2, k) for k in range(n - self.n1 - n2 + 1)], dtype=object)
            both = np.convolve(second, rest) * math.comb(self.n1, x)
            ways[x : x + both.size] += both
        return [Fraction(int(one), math.comb(n, s)) for s, one in enumerate(ways)]


def _checked(x: int, row: object) -> Stop | SecondStage:
    """One row of the table: what follows X1 = x."""
    where = f"after X1 = {x}"
    if row in ("accept", "reject"):
        return row
    if not isinstance(row, SecondStage):
        raise InputError(f"({row!r:.60}) is neither accept, nor reject, nor a second stage n2/r", where)
    n2, r = count(row.n2, f"{where}: n2", at_least=1), count(row.r, f"{where}: r")
    if r >= x + n2:
        raise InputError(
            f"({n2}/{r}) can never reject H0, as {counted(x + n2, 'response')} are the most possible; write accept",
            where,
        )
    return SecondStage(n2, r)


def _tail(r: int, n: int, p: Fraction) -> Fraction:
    """P(X > r; n, p) for a rate that is a fraction already."""
    if r < 0:
        return Fraction(1)
    return sum((math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(r + 1, n + 1)), Fraction(0))


def _pmf_fraction(n: int, p: Fraction) -> list[Fraction]:
    return [math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)]


@kept(256)
def _largest(design: Branching, most: float) -> Peak:
    if most == 0 or design.is_monotone(most):
        return Peak(float(design.at(most).reject), most)
    return peak(np.array([float(one) for one in design.shares()]), most)


_ROW = re.compile(r"(?P<x>\d{1,3})(?:-(?P<last>\d{1,3}))?:(?:(?P<stop>[AR])|(?P<n2>\d{1,4})/(?P<r>\d{1,4}))", re.ASCII)


def parse_branching(text: str) -> Branching:
    """Read a table written ``0:A|1:10/2|2:R``: by X1, A for accept, R for reject, or n2/r with r cumulative.

    Numbers of responses with equal rows may stand together: ``0-1:A|2:10/3|3-5:R``.

    Raises
    ------
    InputError
        If a row is not of that form, is out of order, or cannot be.
    """
    rows: list[Stop | SecondStage] = []
    for part in text.strip().split("|"):
        x = len(rows)
        match = _ROW.fullmatch(part.strip())
        if match is None:
            raise InputError(
                f"({part.strip()[:40]!r}) is not of the form X1:A, X1:R or X1:n2/r with numbers below 10,000, such "
                "as 3:17/8 or 0-2:A",
                "rule",
            )
        if int(match["x"]) != x:
            raise InputError(f"({part.strip()[:40]!r}) stands where the row of X1 = {x} belongs", "rule")
        times = int(match["last"] or x) - x + 1
        if times < 1 or len(rows) + times > MOST_FIRST + 1:
            raise InputError(f"({part.strip()[:40]!r}) is no range of at most {MOST_FIRST} responses", "rule")
        if match["stop"] is not None:
            rows += ["accept" if match["stop"] == "A" else "reject"] * times
        else:
            rows += [SecondStage(int(match["n2"]), int(match["r"]))] * times
    return Branching(len(rows) - 1, tuple(rows))


def as_table(design: Design) -> Branching | None:
    """The table of a design whose second stage depends on the first; None for any other."""
    first = branched(design.looks)
    return None if first is None else Branching(first.n, first.after)


def branching_text(design: Branching) -> str:
    """Write a table the way `parse_branching` reads it."""
    return "|".join(f"{x}:{written(row)}" for x, row in enumerate(design.after))


def parse_design(text: str) -> Branching | SingleStage | TwoStage | MultiStage:
    """Read a design: looks as ``1/10,5/29`` (`parse_looks`), or a table as ``0:A|1:3/2|2:R`` (`parse_branching`).

    Raises
    ------
    InputError
        If it is neither.
    """
    return parse_branching(text) if "|" in text else parse_looks(text)
