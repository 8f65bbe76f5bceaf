"""The order of the outcomes of an adaptive two-stage design by conditional error.

An outcome is X1 = x of the first n1 patients and, where the table goes on, X2 = y of n2(x) more. Write c(x) = r(x) - x,
so that H0 is rejected iff y > c(x), and

    A_t(x) = P_t(X2 > c(x); n2(x)),    q = P_p0(X2 >= y; n2(x)).

A_t(x) rises with t for every x, from 0 to 1, and A_p0 is the conditional error of the table: the A_t are a nested
family of conditional errors that holds it. An outcome is as high as the smallest conditional error of the family that
it still passes, so that its place is

    t(x, y), the rate t with A_t(x) = q,    smaller is higher.

Koyama and Chen [1]_ use the same rate for a second stage of another size of Simon's design. Rows that accept are
below all of these, the fewer responses the lower; rows that reject, or must reject whatever the second stage brings,
are above them, the more responses the higher. Outcomes with the same t are tied.

Consistent: y > c(x) iff q <= A_p0(x) iff t(x, y) <= p0. So the outcomes that reject H0 are those as high as one with
t = p0 (y = c(x) + 1, the same for every x that goes on) or higher: the set at least as high as the lowest of them is
the rejection region, and its probability the type I error of the table. For any other outcome the set is a
proper part of the rejection region, or holds all of it and more.

Valid: with F(o) = P_p0(as high as o, or higher), {F <= u} is itself such a set, that of its lowest outcome, so that its
probability is the F of that outcome and at most u. This holds for every total order, and so for every rate in place of
p0: the p at which F exceeds a share cover the true rate with the rest.

Differences q - A and ratios q / A order the outcomes too [2]_, and consistently. But after a first stage with
A = 0.9 a second one in the middle of its distribution (q = 0.5) has the difference -0.4, beyond the reach of every
outcome that had to surpass an A of 0.05; and ratios take no account of how much of a large A was not needed.

References
----------
.. [1] Koyama T, Chen H. Proper inference from Simon's two-stage designs. Stat Med 2008;27:3145-3154.
.. [2] Nhacolo A, Brannath W. Interval and point estimation in adaptive Phase II trials with binary endpoint. Stat
   Methods Med Res 2019;28:2635-2648.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design.branching import Branching
from simtrial.design.second_stages import SecondStage
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.numbers import count
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.second_stages import Stop
    from simtrial.numbers import Floats

TIED = 1e-9
"""Outcomes whose log odds of t are nearer than this are tied: equal rates of different rows differ by rounding."""


class StagewiseOutcome(NamedTuple):
    """How a trial ended: responses of the first stage, and of the second; 0 where there is none."""

    x1: int
    x2: int


def outcome(design: Branching, first: int, responses: int) -> StagewiseOutcome:
    """An outcome that the table can have, from the responses of the first stage and of both.

    Raises
    ------
    InputError
        If it cannot.
    """
    x1, x = count(first, "first_stage"), count(responses, "responses")
    if x1 > design.n1:
        raise InputError(f"({x1}) is above {design.n1}, the number of patients of the first stage", "first_stage")
    n2 = design.n2[x1]
    if not n2 and x != x1:
        raise InputError(f"({x}) is not {x1}, the responses of the first stage, which ends the trial", "responses")
    if not x1 <= x <= x1 + n2:
        raise InputError(
            f"({x}) is not from {x1} to {x1 + n2}: {x1} in the first stage, and {counted(n2, 'patient')} since",
            "responses",
        )
    return StagewiseOutcome(x1, x - x1)


def outcomes(design: Branching) -> Iterator[StagewiseOutcome]:
    """Every outcome that the table can have."""
    for x1, n2 in enumerate(design.n2):
        for x2 in range(n2 + 1):
            yield StagewiseOutcome(x1, x2)


def rejects(design: Branching, seen: StagewiseOutcome) -> bool:
    """Whether the table rejects H0."""
    row = design.after[seen.x1]
    return seen.x1 + seen.x2 > row.r if isinstance(row, SecondStage) else row == "reject"


def second_stage_tail(n2: int, x2: int, p: float) -> float:
    """P(X2 >= x2; n2, p), the p-value of a second stage by itself."""
    from scipy import special

    return 1.0 if x2 <= 0 else float(special.bdtrc(x2 - 1, n2, p)) if x2 <= n2 else 0.0


@kept(512)
def log_odds(n2: int, c: int, p0: float) -> Floats:
    """The log odds of t for X2 = 0..n2 of a row that rejects if X2 > c; exactly those of p0 at c + 1."""
    from scipy import special

    y = np.arange(1, n2 + 1)
    at_least, fewer = special.bdtrc(y - 1, n2, p0), special.bdtr(y - 1, n2, p0)
    t, rest = special.betaincinv(c + 1, n2 - c, at_least), special.betaincinv(n2 - c, c + 1, fewer)
    with np.errstate(divide="ignore"):  # a tail below the smallest double has t = 0
        # t where q is small, 1 - t where it is not: the smaller of two tails keeps its digits
        found = np.where(at_least < 0.5, np.log(t) - np.log1p(-t), np.log1p(-rest) - np.log(rest))
    places: Floats = np.concatenate([[np.inf], found])
    places[c + 1] = np.log(p0) - np.log1p(-p0)
    return places


def as_high(design: Branching, p0: float, seen: StagewiseOutcome) -> Branching:
    """The table that rejects H0 after an outcome, every higher one and those tied with it, and after no other."""
    return _table(design, p0, seen, tied=True)


def higher(design: Branching, p0: float, seen: StagewiseOutcome) -> Branching:
    """The table that rejects H0 after every outcome that is higher than one, and after no other."""
    return _table(design, p0, seen, tied=False)


def _table(design: Branching, p0: float, seen: StagewiseOutcome, *, tied: bool) -> Branching:
    """The table of the outcomes above one, with those at its place if `tied`."""
    kind = _kind(design, seen.x1)
    rows: list[Stop | SecondStage] = []
    for x, n2 in enumerate(design.n2):
        mine = _kind(design, x)
        if mine != kind:
            least = 0 if mine > kind else n2 + 1
        elif kind == 0:
            place, places = _places(design, seen.x1, p0)[seen.x2], _places(design, x, p0)
            inside = places <= place + TIED if tied else places < place - TIED
            least = int(np.argmax(inside)) if inside.any() else n2 + 1
        elif x == seen.x1:
            least = seen.x2 + (not tied)
        else:
            least = 0 if x > seen.x1 else n2 + 1
        rows.append("reject" if least <= 0 else "accept" if least > n2 else SecondStage(n2, x + least - 1))
    return Branching(design.n1, tuple(rows))


def _places(design: Branching, x: int, p0: float) -> Floats:
    row = design.after[x]
    assert isinstance(row, SecondStage)  # only such a row goes on
    return log_odds(row.n2, row.r - x, p0)


def _kind(design: Branching, x: int) -> int:
    """-1 for a row that accepts, 1 for one that rejects whatever comes, 0 for one that goes on."""
    row = design.after[x]
    if isinstance(row, SecondStage):
        return 1 if row.r < x else 0
    return -1 if row == "accept" else 1
