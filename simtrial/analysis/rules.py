"""Rules for trials whose sizes differ from plan: each gives bounds at the sizes attained.

What was planned is a design with one or two looks; what is known afterwards is how many patients were analysed at each
look. A rule turns these numbers into bounds, never looking at the responses beyond those that it may: `RULES`.

* Koyama-Chen: with the look held at the planned n1, x1 responses there and n2' further patients instead of n2, the
  conditional error A(x1) = P(X2 > r - x1; n2, p0) fixes the new bound, the fewest c with P(X2 >= c; n2', p0) <=
  A(x1); so the type I error is at most the planned one, whatever n2' [1]_. Its p-value: the rate p* at which the
  planned second stage succeeds as often as n2' patients have as many responses as seen, P(X2 > r - x1; n2, p*) =
  P(X2 >= x2; n2', p), is put in place of p in the second stage of the planned trial: P(X1 > r1, X > r; p, p*). It is
  no larger than the planned type I error exactly where H0 is rejected. Once x1 > r the trial is decided and p* = 0
  would leave x2 out; p-value and interval are then the ordinary ones of the sizes attained.
* Green-Dahlberg: stop if p1 is rejected at level .02 at the first look, reject H0 at level .055 at the last, each by
  the exact test of the number attained [2]_.
* Recut: `simtrial.plan.recut` at the numbers attained.
* Planned bounds: kept as if nothing had happened, which may cost type I error or power.

Bounds at given sizes are a sum over X1 and not the walk of `simtrial.design.walk`: Koyama and Chen's last bound depends
on X1, which the walk forgets, and another order of summing would change the last digits of the numbers that are
written.

References
----------
.. [1] Koyama T, Chen H. Proper inference from Simon's two-stage designs. Stat Med 2008;27:3145-3154, section 4.
.. [2] Green SJ, Dahlberg S. Planned versus attained design in phase II clinical trials. Stat Med 1992;11:853-862.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.analysis.conditional import conditional_error
from simtrial.design.binomial import binomial_pmf, tail_fraction
from simtrial.design.designs import Look, regions
from simtrial.design.exact import signs
from simtrial.design.requirements import decimal
from simtrial.plan import recut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from simtrial.analysis.attained import Attained, Planned
    from simtrial.numbers import Floats

FUTILITY_LEVEL, FINAL_LEVEL = 0.02, 0.055
"""Of Green and Dahlberg."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a rule does at given sizes.

    Attributes
    ----------
    n1, n : int
        Patients analysed at the first look and in all.
    r1 : int
        Stop if X1 <= r1; -1 if the first look cannot stop.
    r : ndarray of int, shape (n1 + 1,)
        Reject H0 if X > r[X1].
    """

    n1: int
    n: int
    r1: int
    r: NDArray[np.int64]

    def reject_probability(self, p: ArrayLike) -> tuple[Floats, Floats]:
        """P(reject H0; p) and P(stop at the first look; p), shape of `p`."""
        rates = np.asarray(p, dtype=np.float64)
        first, second = binomial_pmf(self.n1, rates), binomial_pmf(self.n - self.n1, rates)
        x1, x2 = np.arange(self.n1 + 1)[:, np.newaxis], np.arange(self.n - self.n1 + 1)
        stops = regions(x1[:, 0], self.r1, None, final=False).accept
        wins = regions(x1 + x2, self.r[:, np.newaxis], None, final=True).reject & ~stops[:, np.newaxis]
        # the chance of each x1 times that of an x2 that then rejects
        reject: Floats = (first * (second @ wins.T.astype(np.float64))).sum(axis=-1)
        pet: Floats = first[..., stops].sum(axis=-1)
        return reject, pet


class Asked(NamedTuple):
    """What the bounds keep; p1 None where it is not known, and whether they change at the planned sizes too."""

    p0: float
    p1: float | None
    alpha: float
    lookless: bool = False


def planned_bounds(design: Planned, asked: Asked, n1: int, n: int) -> Bounds:  # noqa: ARG001 - as every rule
    """The planned bounds, as if nothing had happened."""
    return Bounds(n1, n, min(design.r1, n1), np.full(n1 + 1, design.r))


def recut_bounds(design: Planned, asked: Asked, n1: int, n: int) -> Bounds:
    """Bounds recut at the sizes attained; the first one kept where p1 is not known."""
    r1, r = min(design.r1, n1), design.r
    if n1 != design.n1 and asked.p1 is not None:
        r1 = recut.first_bound(Look(design.n1, design.r1), n1, asked.p0, asked.p1)
    if asked.lookless or (n1, n) != (design.n1, design.n):
        r = recut.last_bound(r1, n1, n, asked.p0, asked.alpha)
    return Bounds(n1, n, r1, np.full(n1 + 1, r))


def green_dahlberg(design: Planned, asked: Asked, n1: int, n: int) -> Bounds | None:
    """Tests of fixed levels at the sizes attained; None without a p1 or a first look."""
    if asked.p1 is None or not design.n1:
        return None
    p0, p1, futility, final = asked.p0, asked.p1, decimal(FUTILITY_LEVEL), decimal(FINAL_LEVEL)
    stops, wins = np.cumsum(binomial_pmf(n1, p1)), np.cumsum(binomial_pmf(n, p0)[::-1])[::-1]
    low = signs(stops, FUTILITY_LEVEL, lambda x: 1 - tail_fraction(x, n1, p1) - futility) <= 0
    high = signs(wins, FINAL_LEVEL, lambda x: tail_fraction(x - 1, n, p0) - final) <= 0
    r = int(np.argmax(high)) - 1 if high.any() else n
    return Bounds(n1, n, int(low.sum()) - 1, np.full(n1 + 1, r))


def koyama_chen(design: Planned, asked: Asked, n1: int, n: int) -> Bounds | None:
    """Conditional error kept; None unless there was a first look, held at the planned number."""
    if n1 != design.n1 or not design.n1:
        return None
    x1 = np.arange(n1 + 1)
    allowed = conditional_error(design, asked.p0, x1)
    tail = np.append(np.cumsum(binomial_pmf(n - n1, asked.p0)[::-1])[::-1], 0.0)
    p0, n2 = asked.p0, design.n - n1
    compared = signs(
        tail,
        allowed[:, np.newaxis],
        lambda x1, x2: tail_fraction(x2 - 1, n - n1, p0) - tail_fraction(design.r - x1, n2, p0),
    )
    fewest = np.argmax(compared <= 0, axis=-1)
    return Bounds(n1, n, design.r1, x1 + fewest - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule for sizes that differ from plan; its p-value is that of the endings of its bounds.

    Attributes
    ----------
    name : str
        As it is shown in tables and written in files.
    phrase : str
        What it is called within a sentence.
    bounds : callable
        Gives the bounds from the design, what they keep and the sizes attained; None where the rule does not apply.
    two_looks : bool
        Whether it applies to designs with two looks only.
    interval : str
        The interval that goes with its decision, by its name in `simtrial.analysis.inference.Inference.intervals`.
    """

    name: str
    phrase: str
    bounds: Callable[[Planned, Asked, int, int], Bounds | None]
    two_looks: bool = False
    interval: str = "exact"

    def is_conditional(self, design: Planned, seen: Attained) -> bool:  # noqa: ARG002 - as every rule
        """Whether the p-value is that of a planned second stage, and not that of the sizes attained."""
        return False

    def is_decided(self, design: Planned, seen: Attained) -> bool:  # noqa: ARG002 - as every rule
        """Whether the responses at the first look alone have decided for H1."""
        return False

    def first_sizes(self, chances: Floats) -> Iterator[tuple[int, Floats]]:
        """Sizes that the first look may attain, and their chances.

        Parameters
        ----------
        chances : ndarray, shape (rates, n1 + 1)
            Of each number evaluable among the patients planned for the first look.
        """
        yield from enumerate(chances.T)


class HeldRule(Rule):
    """A rule that holds the first look at its planned number, and keeps the conditional error of the second stage."""

    __slots__ = ()

    def is_conditional(self, design: Planned, seen: Attained) -> bool:
        """Whether a second stage of another size was needed."""
        return not seen.stopped and seen.n != design.n and seen.x1 <= design.r

    def is_decided(self, design: Planned, seen: Attained) -> bool:
        """Whether the first look had more responses than the plan asks for at its end."""
        return seen.x1 > design.r

    def first_sizes(self, chances: Floats) -> Iterator[tuple[int, Floats]]:
        """Only the planned number: accrual goes on until so many are evaluable."""
        rates, sizes = chances.shape
        yield sizes - 1, np.ones(rates)


PLANNED_BOUNDS = Rule(name="planned bounds", phrase="the planned bounds", bounds=planned_bounds)
"""It always applies."""

RULES = (
    HeldRule(
        name="Koyama-Chen",
        phrase="Koyama and Chen's method",
        bounds=koyama_chen,
        two_looks=True,
        interval="koyama_chen",
    ),
    Rule(name="recut", phrase="bounds recalculated at the sizes attained", bounds=recut_bounds),
    Rule(name="Green-Dahlberg", phrase="Green and Dahlberg's levels", bounds=green_dahlberg, two_looks=True),
    PLANNED_BOUNDS,
)
"""In the order of preference."""
