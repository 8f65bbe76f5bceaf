"""The final analysis of a trial with an adaptive two-stage design.

Let G(p) be the probability of the outcomes as high as the one seen or higher, in the order of `conditional_order`,
which is that of p0 whatever p, and a = (1 - level) / sides. Then

* p-value: G(p0), at most the type I error of the table iff H0 is rejected;
* median unbiased estimate: G(p) = 1/2;
* exact interval: from the p with G(p) = a to the p at which the outcomes as low or lower have probability a.

G is P(reject H0) of a table (`as_high`) and so a polynomial. It rises with p if the share of the orders of s responses
in n patients that are in the set never falls as s rises (`bernstein`); then each equation has one solution. Where that
is not shown, the limits are the first and the last p of a fine grid, refined, at which the probability reaches a: the
hull of the p that are not excluded. It is told if the probability falls on that grid.

A second stage of another size than the table says is analysed by its conditional error (`other_second_stage`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.analysis import other_second_stage, unbiased
from simtrial.analysis.conditional_order import (
    StagewiseOutcome,
    as_high,
    higher,
    outcome,
    second_stage_tail,
)
from simtrial.design.intervals import clopper_pearson
from simtrial.errors import InputError
from simtrial.numbers import count, probability
from simtrial.phrases import counted, spanned

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.design.branching import Branching
    from simtrial.numbers import Floats

GRID = 500
"""Steps of the grid on which solutions are looked for where a probability is not known to rise."""

SLACK = 1e-12
"""A probability falls on the grid if it falls by more: sums are right to about as much."""

MOST_SHARES = 400
"""Most patients of a table whose shares of orders are counted to show that a probability rises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchingFinal:
    """A finished trial with an adaptive two-stage design, and what it says.

    Attributes
    ----------
    design : Branching
        As planned.
    p0 : float
        Response rate under H0.
    seen : StagewiseOutcome
        Responses of the first and of the second stage.
    n2 : int
        Patients analysed in the second stage.
    reject : bool
        Whether H0 is rejected.
    p_value, type_i_error : float
        The p-value, at most the type I error of the table iff H0 is rejected.
    conditional_error : float
        P(reject H0; p0) of the table after the first stage.
    stage_p_value : float or None
        That of the second stage by itself; None where there is none.
    estimates : dict of str to float or None
        mle, umvue and median_unbiased; the second is None after a second stage of another size.
    intervals : dict of str to tuple of float
        exact and naive.
    level : float
        Of the intervals.
    sides : int
        2, or 1 for a lower limit alone.
    rises : bool
        Whether the probabilities behind interval and median unbiased estimate never fall as p rises; where shares of
        orders do not show it, on a grid.
    after, after_responses : int
        Patients analysed after a first stage that ended the trial, and responses among them; they do not count.
    """

    design: Branching
    p0: float
    seen: StagewiseOutcome
    n2: int
    reject: bool
    p_value: float
    type_i_error: float
    conditional_error: float
    stage_p_value: float | None
    estimates: dict[str, float | None]
    intervals: dict[str, tuple[float, float]]
    level: float
    sides: int
    rises: bool
    after: int = 0
    after_responses: int = 0

    @property
    def n(self) -> int:
        """Patients who count."""
        return self.design.n1 + self.n2

    @property
    def responses(self) -> int:
        """Responses among them."""
        return self.seen.x1 + self.seen.x2

    @property
    def stage(self) -> int:
        """The stage at which the trial ended."""
        return 2 if self.n2 else 1

    @property
    def as_planned(self) -> bool:
        """Whether the second stage had the size of the table."""
        return self.design.n2[self.seen.x1] == self.n2

    @property
    def complete(self) -> bool | None:
        """Whether the unbiased estimate is the only one from patients and responses alone; None if not examined."""
        return unbiased.is_complete(self.design)

    @property
    def first_stage_alone(self) -> bool:
        """Whether the unbiased estimate does not use the second stage: no other X1 leads to as many patients."""
        return self.n2 > 0 and self.as_planned and self.design.n2.count(self.n2) == 1

    def bias(self, p: float) -> float:
        """The bias of the responses per patient at a true rate p, if the second stage has the size of the table."""
        return float(unbiased.bias_of_share(self.design, p))

    @property
    def agrees(self) -> dict[str, bool]:
        """Whether each interval leaves p0 below it if and only if H0 is rejected."""
        return {name: (low > self.p0) == self.reject for name, (low, _) in self.intervals.items()}


def final(
    design: Branching,
    p0: float,
    responses: int,
    *,
    first_stage: int | None = None,
    n2: int | None = None,
    level: float = 0.95,
    sides: int = 2,
) -> BranchingFinal:
    """Analyze a finished trial from its counts.

    Parameters
    ----------
    design : Branching
        As planned.
    p0 : float
        Response rate under H0.
    responses : int
        Of both stages.
    first_stage : int, optional
        Of the first stage; may be left out where the trial can have ended with so many responses after it alone.
    n2 : int, optional
        Patients analysed in the second stage; as in the table if left out.
    level : float
        Confidence level.
    sides : int
        2, or 1 for a lower limit alone.

    Raises
    ------
    InputError
        If an argument cannot be one of its kind, or the trial cannot have ended so.

    Examples
    --------
    >>> from simtrial.design.branching import parse_branching
    >>> found = final(parse_branching("0:A|1:10/2|2:R"), 0.1, 4, first_stage=1)
    >>> found.reject, round(found.p_value, 4), round(found.type_i_error, 4)
    (True, 0.0226, 0.0575)
    """
    p0, level = probability(p0, "p0"), probability(level, "level")
    if sides not in (1, 2):
        raise InputError(f"({sides!r:.40}) is neither 1 nor 2", "sides")
    x1 = _first(design, responses) if first_stage is None else first_stage
    x1, x = count(x1, "first_stage"), count(responses, "responses")
    if x1 > design.n1:
        raise InputError(f"({x1}) is above {design.n1}, the number of patients of the first stage", "first_stage")
    planned = design.n2[x1]
    more = planned if n2 is None else count(n2, "attained")
    seen = outcome(design, x1, x) if more == planned else _attained(x1, x, more)
    if planned or not more:
        return _analyzed(design, p0, seen, more, level, sides)
    ended = _analyzed(design, p0, StagewiseOutcome(x1, 0), 0, level, sides)
    return replace(ended, after=more, after_responses=seen.x2)


def _attained(x1: int, x: int, more: int) -> StagewiseOutcome:
    """An outcome with another number of patients since the first stage."""
    if x1 <= x <= x1 + more:
        return StagewiseOutcome(x1, x - x1)
    raise InputError(
        f"({x}) is not from {x1} to {x1 + more}: {x1} in the first stage, and {counted(more, 'patient')} since",
        "responses",
    )


class TwoTails(NamedTuple):
    """Probabilities by the response rate p: of outcomes as high as one or higher, and of those that are higher."""

    at_least: Callable[[float], float]
    above: Callable[[float], float]
    proved: bool


def _planned(design: Branching, p0: float, seen: StagewiseOutcome) -> TwoTails:
    """Those of an outcome of the table."""
    both, those_above = as_high(design, p0, seen), higher(design, p0, seen)
    proved = design.n_max <= MOST_SHARES and all(
        a <= b for table in (both, those_above) for a, b in pairwise(table.shares())
    )
    return TwoTails(lambda p: float(both.at(p).reject), lambda p: float(those_above.at(p).reject), proved)


def _other(design: Branching, seen: StagewiseOutcome, n2: int) -> TwoTails:
    """Those of a second stage of another size, by its conditional error."""

    def at_least(p: float) -> float:
        return other_second_stage.p_value_at(design, p, seen.x1, n2, seen.x2)

    def above(p: float) -> float:
        return other_second_stage.p_value_at(design, p, seen.x1, n2, seen.x2, strictly=True)

    return TwoTails(at_least, above, proved=False)


def _analyzed(
    design: Branching, p0: float, seen: StagewiseOutcome, n2: int, level: float, sides: int
) -> BranchingFinal:
    x1, x2 = seen
    x, n = x1 + x2, design.n1 + n2
    as_planned = n2 == design.n2[x1]
    tails = _planned(design, p0, seen) if as_planned else _other(design, seen, n2)
    a = (1 - level) / sides
    low, middle, high, rises = _solved(tails, a)
    naive = [float(limit) for limit in clopper_pearson(x, n, a)]
    reject, error = other_second_stage.rejects_at(design, p0, x1, n2, x2), float(design.at(p0).reject)
    p_value = tails.at_least(p0)
    return BranchingFinal(
        design=design,
        p0=p0,
        seen=seen,
        n2=n2,
        reject=reject,
        # two sums that are equal may differ in their last digit, and the decision must follow from either
        p_value=min(p_value, error) if reject else max(p_value, min(math.nextafter(error, 2.0), 1.0)),
        type_i_error=error,
        conditional_error=float(design.conditional(p0)[x1]),
        stage_p_value=second_stage_tail(n2, x2, p0) if n2 else None,
        estimates={
            "mle": x / n,
            "umvue": float(unbiased.mean_of_first(design, n, x)) if as_planned else None,
            "median_unbiased": middle,
        },
        intervals={"exact": (low, high if sides == 2 else 1.0), "naive": (naive[0], naive[1] if sides == 2 else 1.0)},
        level=level,
        sides=sides,
        rises=rises,
    )


def _solved(tails: TwoTails, a: float) -> tuple[float, float, float, bool]:
    """Lower limit, median unbiased estimate, upper limit, and whether the probabilities never fall."""
    grid = np.linspace(0.0, 1.0, 2 if tails.proved else GRID + 1)
    at_least, above = (np.array([tail(float(p)) for p in grid]) for tail in (tails.at_least, tails.above))
    rises = bool((np.diff(at_least) >= -SLACK).all() and (np.diff(above) >= -SLACK).all())
    low, middle = (_crossing(tails.at_least, grid, at_least, share, last=False) for share in (a, 0.5))
    return low, middle, _crossing(tails.above, grid, above, 1 - a, last=True), rises


def _crossing(tail: Callable[[float], float], grid: Floats, values: Floats, share: float, *, last: bool) -> float:
    """The first p at which a probability reaches a share, or the last one up to which it does not exceed it."""
    from scipy import optimize

    inside = np.flatnonzero(values <= share) if last else np.flatnonzero(values >= share)
    if not inside.size:
        return 0.0 if last else 1.0
    k = int(inside[-1]) if last else int(inside[0]) - 1
    if k < 0 or k + 1 == len(grid):
        return float(grid[max(k, 0)])
    return float(optimize.brentq(lambda p: tail(p) - share, grid[k], grid[k + 1], xtol=1e-15, rtol=1e-14))


def _first(design: Branching, responses: int) -> int:
    """The responses of the first stage where they follow from those of both."""
    x = count(responses, "responses")
    possible = [x1 for x1, n2 in enumerate(design.n2) if x1 <= x <= x1 + n2]
    if len(possible) == 1:
        return possible[0]
    ways = spanned(possible) if possible else ""
    raise InputError(
        f"is missing; the trial can end with {counted(x, 'response')} after {ways} in the first stage: give it"
        if possible
        else f"is missing, and the trial cannot end with {counted(x, 'response')} by this table",
        "first_stage",
    )
