"""The boundary of a type that crosses as often as allowed: the largest crossing probability within a limit.

A boundary changes with its parameter only at values that some count of some look attains, and crosses more often with
each of them. So the attained values, the strongest evidence first, are all boundaries of a type. The last one within
the limit is found by a search that ends only when it has this one within the limit and the next one above it.

What is proved before anything is evaluated: a boundary crosses no more often than the sum of P(X_n >= b_n) over its
looks, and no less often than the largest of them. Between these two ends a guess from the last crossing probability,
and bisection where that is slow, take some five evaluations.

Values that are equal must enter together: two looks may have the same tail probability, posterior or likelihood ratio,
and floating point may put one before the other, with a boundary between them that does not exist. Values nearer to each
other than `CLOSE` enter together at first, which is safe as they are computed to 1e-10. Whether they are equal matters
only for the values that are the first to exceed the limit; these are compared as fractions and entered one after the
other where they differ. (obf and wang_tsiatis compare normal quantiles of different looks, which no fraction holds;
there, values within `CLOSE` are one.) A crossing probability that near to its limit is compared with it in fractions as
well, so that one equal to it is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.exact import CLOSE
from simtrial.design.requirements import decimal
from simtrial.errors import InputError
from simtrial.numbers import count, probability
from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook, crossing
from simtrial.toxicity.paths import MOST_PATIENTS, ever, ever_fraction, that_matter
from simtrial.toxicity.tails import beta_tails

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.numbers import Floats, Ints
    from simtrial.toxicity.kinds import BoundaryShape

EVALUATIONS = 8
"""Guesses before the search falls back on bisection."""

GUESS = 0.55
"""A first guess: the sum of the tails is the crossing probability times this power of the number of looks."""


@dataclass(frozen=True, kw_only=True)
class CalibratedBoundary:
    """A boundary, the type it is of, and the parameters that lead to it.

    Attributes
    ----------
    boundary : ToxicityBoundary
        The counts.
    shape : BoundaryShape
        The type.
    limit : float
        The crossing probability that was allowed at the acceptable rate.
    attained : float
        The crossing probability there.
    parameter : tuple of float
        The ends of the interval of the type's parameter that leads to this boundary: [from, to) of the level or of tau,
        (from, to] of the log-likelihood ratio, as `simtrial.toxicity.kinds` states.
    """

    boundary: ToxicityBoundary
    shape: BoundaryShape
    limit: float
    attained: float
    parameter: tuple[float, float]

    @property
    def leading(self) -> float:
        """The end of the interval that itself leads to the boundary."""
        return self.parameter[self.shape.kind == "sprt"]


def calibrated(shape: BoundaryShape, looks_at: Sequence[int], limit: float) -> CalibratedBoundary:
    """The boundary of a type with the largest crossing probability at the acceptable rate that is within the limit.

    Parameters
    ----------
    shape : BoundaryShape
        The type.
    looks_at : sequence of int
        Patients at the looks, increasing.
    limit : float
        Largest crossing probability at the acceptable rate, the decimal that was written; kept with tolerance 0.

    Raises
    ------
    InputError
        If the looks do not increase, or even the boundary that stops least crosses more often.

    Examples
    --------
    >>> from simtrial.toxicity.boundary import boundary_text
    >>> from simtrial.toxicity.kinds import BoundaryShape
    >>> found = calibrated(BoundaryShape("pocock", 0.5), [1, 2, 3], 0.125)
    >>> boundary_text(found.boundary), found.attained, found.parameter
    ('-/1,-/2,3/3', 0.125, (0.125, 0.25))
    """
    looks = [count(n, "looks_at", at_least=1) for n in looks_at]
    if not looks or any(a >= b for a, b in pairwise(looks)):
        raise InputError("does not increase", "looks_at")
    return _Attained(shape, np.array(looks), probability(limit, "crossing")).best()


class _Attained:
    """The values that the counts of the looks attain, in groups of equal ones, the strongest evidence first.

    Counts that alone exceed the limit are left out, but for the first of each look, which ends the search.
    """

    def __init__(self, shape: BoundaryShape, looks: Ints, limit: float) -> None:
        self.shape, self.looks, self.limit = shape, looks, limit
        tails = beta_tails(0.0, 1.0, shape.rate, looks)
        possible = (tails <= limit * (1 + CLOSE)).sum(axis=1)[:, np.newaxis]
        column = np.arange(looks[-1])
        kept = np.flatnonzero((column <= possible) & (column >= looks[-1] - looks[:, np.newaxis]))
        scores = shape.scores(looks, tails, kept)
        order = np.argsort(-scores)
        kept = kept[order]
        self.row, column = np.divmod(kept, looks[-1])
        self.b = looks[-1] - column
        self.ends = _group_ends(scores[order])
        tail = tails.take(kept)
        # a look that stops for one toxicity less adds one term to the sum of the tails
        terms = tail - np.where(column > 0, tails.take(kept - 1, mode="clip"), 0.0)
        self.most = np.cumsum(terms)[self.ends]
        self.out = tail > limit * (1 + CLOSE)
        self.known: dict[bytes, float] = {}

    def bounds(self, group: int) -> Ints:
        """The bound of each look if this group and all before are counted; above n where the look stops for nothing."""
        taken = np.bincount(self.row[: self.ends[group] + 1], minlength=len(self.looks)) if group >= 0 else 0
        return self.looks + 1 - taken

    def crosses(self, bounds: Ints) -> float:
        """The crossing probability at the acceptable rate."""
        key = bounds.tobytes()
        if key not in self.known:
            n, b = that_matter(self.looks, bounds)
            rate = self.shape.rate
            if not n.size or n[-1] <= MOST_PATIENTS:
                self.known[key] = ever(n, b, rate)
            else:
                looks = zip(n.tolist(), b.tolist(), strict=True)
                whole = ToxicityBoundary(tuple(ToxicityLook(*look) for look in looks))
                self.known[key] = float(crossing(whole, [rate]).ever[0])
        return self.known[key]

    def keeps(self, bounds: Ints, found: float) -> bool:
        """Whether a boundary is within the limit, with tolerance 0."""
        if abs(found - self.limit) > CLOSE * self.limit:
            return found < self.limit
        return ever_fraction(*that_matter(self.looks, bounds), self.shape.rate) <= decimal(self.limit)

    def last(self) -> int:
        """The last group with which the boundary is within the limit; -1 if there is none."""
        some = np.flatnonzero(self.out)
        high = int(np.searchsorted(self.ends, some[0])) if some.size else len(self.ends)
        low = min(int(np.searchsorted(self.most, self.limit * (1 - CLOSE))) - 1, high - 1)
        points: list[tuple[float, float]] = []  # logarithms of the sum of the tails and of the crossing probability
        aim, step, side = math.log(self.limit), 0, 0
        first = aim + GUESS * math.log(len(self.looks))
        for tries in range(len(self.ends) + 1):
            if high - low <= 1:
                break
            middle = (low + high) // 2
            if tries < EVALUATIONS:
                guess = (
                    int(np.searchsorted(self.most, math.exp(_crossed(points, aim) if points else first), side="right"))
                    - 1
                )
                middle = min(max(guess + step, low + 1), high - 1)
            bounds = self.bounds(middle)
            found = self.crosses(bounds)
            kept = self.keeps(bounds, found)
            low, high = (middle, high) if kept else (low, middle)
            # the same side again: reach further beyond what the line says
            step = (2 * step or 1 if kept else 2 * step or -1) if side == (1 if kept else -1) else 0
            side = 1 if kept else -1
            points = [*points[-1:], (math.log(self.most[middle]), math.log(max(found, 1e-300)))]
        return low

    def best(self) -> CalibratedBoundary:
        """The boundary itself."""
        group = self.last()
        bounds = self.bounds(group)
        at = int(self.ends[group]) if group >= 0 else -1
        following = at + 1
        for members in self._parted(group + 1):
            smaller = bounds.copy()
            np.minimum.at(smaller, self.row[members], self.b[members])
            following = members[0]
            if not self.keeps(smaller, self.crosses(smaller)):
                break
            bounds, at = smaller, members[-1]
        if at < 0:
            raise self._refused()
        ends = self._parameter(at), self._parameter(following) if following < len(self.row) else self.shape.loosest
        return CalibratedBoundary(
            boundary=self._boundary(bounds), shape=self.shape, limit=self.limit, attained=self.crosses(bounds),
            parameter=ends if self.shape.exponent is not None else ends[::-1],
        )  # fmt: skip

    def _refused(self) -> InputError:
        """That even the boundary that stops least crosses too often."""
        first = next(self._parted(0), None)
        bounds = self.bounds(0)
        if first is not None:
            bounds = self.bounds(-1)
            np.minimum.at(bounds, self.row[first], self.b[first])
        least = ever_fraction(*that_matter(self.looks, bounds), self.shape.rate)
        shown = math.ceil(least * 10**6) / 10**6
        stops = " or ".join(f"{look.b} of {look.n}" for look in self._boundary(bounds).looks if look.b is not None)
        said = (
            f"({self.limit:.10g}) is below {shown:.6g}, the smallest crossing probability of a boundary of this type "
            f"at these looks (stop if {stops}); allow at least that, or look at more patients"
        )
        return InputError(
            said
            if shown < 1
            else f"({self.limit:g}) is below that of every boundary at these looks, "
            f"which all cross nearly always at a rate of {self.shape.rate:g}",
            "crossing",
        )

    def _parted(self, group: int) -> Iterator[list[int]]:
        """The members of a group that are really equal, the strongest first; nothing where there is nothing to part."""
        if group >= len(self.ends):
            return
        first = int(self.ends[group - 1]) + 1 if group else 0
        members = range(first, int(self.ends[group]) + 1)
        if len(members) == 1 or self.out[first : members[-1] + 1].all():
            return
        keys = dict[int, Fraction]()
        for k in members:
            exact = self.shape.exact(int(self.b[k]), int(self.looks[self.row[k]]))
            if exact is None:
                return
            keys[k] = exact
        ranked = sorted(members, key=lambda k: (-keys[k], k))
        for _, equal in groupby(ranked, key=lambda k: keys[k]):
            yield list(equal)

    def _parameter(self, k: int) -> float:
        return self.shape.parameter(int(self.b[k]), int(self.looks[self.row[k]]), int(self.looks[-1]))

    def _boundary(self, bounds: Ints) -> ToxicityBoundary:
        pairs = zip(self.looks.tolist(), bounds.tolist(), strict=True)
        return ToxicityBoundary(tuple(ToxicityLook(n, b if b <= n else None) for n, b in pairs))


def _group_ends(scores: Floats) -> Ints:
    """The last place of each group of equal scores, given in falling order; infinite ones are equal to each other."""
    high, low = scores[:-1], scores[1:]
    with np.errstate(invalid="ignore"):
        apart = high - low > CLOSE * (1 + np.minimum(np.abs(high), np.abs(low)))
    return np.flatnonzero(np.append(apart, True))


def _crossed(points: Sequence[tuple[float, float]], aim: float) -> float:
    """Where the line through the last two points attains the aim; the line of one point has the slope of 1."""
    (x, y), (x0, y0) = points[-1], points[0]
    slope = (y - y0) / (x - x0) if x != x0 else 1.0
    return x + (aim - y) / min(max(slope, 0.2), 2.0)
