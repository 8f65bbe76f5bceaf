"""The search over thresholds of the conditional power, for designs with N patients watched in blocks: one N at a time.

For a single stage with bound r and N patients, watched after every block, the trial stops for futility where the
recursive conditional power CP is below theta_f and for efficacy where it is above theta_e
(`simtrial.search.curtailment`).

* Only values of CP that the design without curtailment attains are taken as thresholds, as R's package curtailment
  does: theta_f <= p1 <= theta_e, with the counts at theta_f itself stopped or not. CP of the curtailed design has
  other values too, so this is a search within a class, and no proof.
* With N, r and theta_e fixed, a larger theta_f lowers CP everywhere: more counts stop for futility and fewer for
  efficacy, so P(reject) falls at every rate. The theta_f that keep both limits are neighbours, and bisection finds the
  first and the last of them. A smaller theta_e raises P(reject) in the same way. EN is no such function, and is
  computed for every theta_f between.

Everything is done for many (r, theta_e) at once. Where there are more designs than the work that is allowed, thresholds
are left out at equal distances, as the package does too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.binomial import above, binomial_pmf
from simtrial.search.curtailment import Halts

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats, Ints

APART = 1e-10
"""By what share a threshold is moved off the value it stands for: conditional powers are right to 1e-13."""

BLOCK = 1 << 19
"""Conditional powers that are held at once."""

WALKS = 16
"""About how many designs bisection looks at for one (r, theta_e)."""

FEWEST = 8
"""Fewest thresholds of a kind that are kept."""

ONLY_CERTAIN = 1e-300
"""A threshold for futility that no conditional power is below but 0."""

NEVER = 2.0
"""A threshold for efficacy that no probability passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InLimits:
    """Curtailed designs that keep both limits, as far as floating point can tell; arrays of one length.

    Attributes
    ----------
    r : ndarray of int
        Bound of the design without curtailment.
    lower, upper : ndarray
        The thresholds for futility and for efficacy.
    expected : ndarray, shape (2, designs)
        EN(p0) and EN(p1).
    most : ndarray of int
        The largest number of patients that can be reached.
    """

    r: Ints
    lower: Floats
    upper: Floats
    expected: Floats
    most: Ints


def _spread(values: Floats, most: int) -> Floats:
    """At most this many of some values, at equal distances, with the first and the last."""
    return values if values.size <= most else values[np.round(np.linspace(0, values.size - 1, most)).astype(np.int64)]


class Watched:
    """Designs with N patients, watched after every block, at two rates.

    Parameters
    ----------
    asked : Requirements
        The question.
    last, block : int
        N, and the patients between looks.
    work : float
        How many sums over the counts of a look and the responses of a block are allowed.
    """

    def __init__(self, asked: Requirements, last: int, block: int, work: float = 1e12) -> None:
        self.asked, self.last, self.block = asked, last, block
        self.looks = list(range(last, 0, -block))  # backward
        self.room = work / (sum(n + 1 for n in self.looks) * (block + 1))
        rates = np.array([asked.p0, asked.p1])
        self.added = binomial_pmf(block, rates)
        self.first = binomial_pmf(self.looks[-1], rates)

    def _step(self, later: Floats, n: int, rates: slice = slice(None)) -> Floats:
        """Means at an earlier look of n patients, of values at the next: shape (rates, designs, n + 1)."""
        pmf = self.added[rates]
        if self.block > 8:  # a product with a band is quicker than so many sums
            band = np.zeros((len(pmf), later.shape[2], n + 1))
            x = np.arange(n + 1)
            for y in range(self.block + 1):
                band[:, x + y, x] = pmf[:, y, np.newaxis]
            found: Floats = later @ band
            return found
        total: Floats = pmf[:, 0, np.newaxis, np.newaxis] * later[:, :, : n + 1]
        for y in range(1, self.block + 1):
            total += pmf[:, y, np.newaxis, np.newaxis] * later[:, :, y : y + n + 1]
        return total

    def _walk(
        self, r: Ints, lower: Floats, upper: Floats, *, stopping: bool = True
    ) -> tuple[Floats, list[tuple[Bools, Bools]]]:
        """P(reject) at both rates, and where each design stops at every look, backward from the last but one."""
        x = np.arange(self.last + 1)
        values = np.repeat((x > r[:, np.newaxis])[np.newaxis].astype(np.float64), 2, axis=0)
        stops = []
        for n in self.looks[1:]:
            values = self._step(values, n)
            s = x[: n + 1]
            futile = values[1] < lower[:, np.newaxis]  # where nothing can reject any more, CP is 0 and below every one
            effective = values[1] > upper[:, np.newaxis]
            effective |= s > r[:, np.newaxis]
            np.copyto(values, 0.0, where=futile)
            np.copyto(values, 1.0, where=effective)
            if stopping:
                stops.append((futile, effective))
        reject: Floats = np.einsum("ijk,ik->ij", values, self.first)
        return reject, stops

    def rejects(self, r: Ints, lower: Floats, upper: Floats) -> Floats:
        """P(reject) at p0 and p1, of many designs: shape (2, designs)."""
        parts = max(1, r.size * 2 * (self.last + 1) // BLOCK)
        split = (np.array_split(one, parts) for one in (r, lower, upper))
        return np.concatenate([self._walk(*part, stopping=False)[0] for part in zip(*split, strict=True)], axis=1)

    def stops(self, r: int, lower: float, upper: float) -> list[Halts]:
        """Where one design stops, from the first look."""
        _, found = self._walk(np.array([r]), np.array([lower]), np.array([upper]))
        final = np.arange(self.last + 1) <= r
        early = [Halts(n, f[0], e[0]) for n, (f, e) in zip(self.looks[1:], found, strict=True)]
        return [*early[::-1], Halts(self.last, final, ~final)]

    def expected(self, r: Ints, lower: Floats, upper: Floats) -> tuple[Floats, Ints]:
        """EN at p0 and p1, and the largest number that can be reached: shapes (2, designs) and (designs,)."""
        _, stops = self._walk(r, lower, upper)
        further = np.zeros((2, r.size, self.last + 1))
        for n, (futile, effective) in zip(self.looks[1:], stops, strict=True):
            further = self._step(further, n) + self.block
            np.copyto(further, 0.0, where=futile | effective)
        first = self.looks[-1]
        mean: Floats = first + np.einsum("ijk,ik->ij", further, self.first)
        return mean, self._most(stops, r.size)

    def _most(self, stops: list[tuple[Bools, Bools]], designs: int) -> Ints:
        """The largest number of patients that each design can reach: the counts that go on at a look are neighbours."""
        early = list(zip(self.looks[1:], stops, strict=True))[::-1]
        low, high, before = np.zeros(designs, dtype=np.int64), np.zeros(designs, dtype=np.int64), 0
        most = np.full(designs, self.last)
        for n, (futile, effective) in early:
            high = np.minimum(high + n - before, n - effective.sum(axis=1))
            low, before = np.maximum(low, futile.sum(axis=1)), n
            most = np.where((low > high) & (most == self.last), n, most)
        return most

    def thresholds(self, r: int) -> tuple[Floats, Floats]:
        """Those for futility, and those for efficacy, the last of which is never passed."""
        p1 = self.asked.p1
        found = []
        for n in self.looks[1:]:
            s = np.arange(max(0, r - (self.last - n) + 1), min(r, n) + 1)
            found.append(above(r - s, np.full(s.size, self.last - n), p1))
        values = np.unique(np.concatenate([*found, np.zeros(0)]))
        if values.size:
            values = values[np.concatenate([[True], np.diff(values) > 10 * APART * values[1:]])]
        low, high = values[values <= p1 * (1 + APART)], values[values >= p1 * (1 - APART)]
        lower = np.concatenate([[ONLY_CERTAIN], np.sort(np.concatenate([low * (1 - APART), low * (1 + APART)]))])
        return lower, np.concatenate([high * (1 + APART), [NEVER]])

    def kept(self) -> InLimits:
        """Every design of the class that keeps both limits, as far as floating point can tell."""
        asked = self.asked
        alpha, power = asked.alpha * (1 + exact.CLOSE), asked.power * (1 - exact.CLOSE)
        every, middle = np.arange(self.last), np.full(self.last, asked.p1)
        # no r has more power than with theta_e = p1 alone, and less type I error than with theta_f = p1 alone
        highest = self.rejects(every, np.full(self.last, ONLY_CERTAIN), middle * (1 - 3 * APART))[1]
        lowest = self.rejects(every, middle * (1 + 3 * APART), np.full(self.last, NEVER))[0]
        open_r = every[(highest >= power) & (lowest <= alpha)]
        if not open_r.size:
            nothing, none = np.zeros(0), every[:0]
            return InLimits(r=none, lower=nothing, upper=nothing, expected=np.zeros((2, 0)), most=none)
        lowers, uppers = zip(*(self.thresholds(r) for r in open_r), strict=True)
        table = np.full((self.last, max(one.size for one in lowers)), np.nan)
        sizes = np.zeros(self.last, dtype=np.int64)
        for r, lower in zip(open_r, lowers, strict=True):
            table[r, : lower.size], sizes[r] = lower, lower.size
        share = max(int(self.room / (WALKS * open_r.size)), FEWEST)
        uppers = tuple(_spread(one, share) for one in uppers)
        r = np.repeat(open_r, [one.size for one in uppers])
        upper = np.concatenate(uppers)
        low, high = self._window(table, r, upper, sizes - 1, (alpha, power))
        there = np.maximum(high - low + 1, 0)
        many = np.minimum(there, max(int(self.room / max(r.size, 1)), FEWEST))
        place = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        r, upper, low, there, many = (np.repeat(one, many) for one in (r, upper, low, there, many))
        lower = table[r, low + np.round(place * (there - 1) / np.maximum(many - 1, 1)).astype(np.int64)]
        parts = max(1, r.size * 4 * (self.last + 1) // BLOCK)
        split = [np.array_split(one, parts) for one in (r, lower, upper)]
        means = [self.expected(*part) for part in zip(*split, strict=True)]
        return InLimits(
            r=r,
            lower=lower,
            upper=upper,
            expected=np.concatenate([one for one, _ in means], axis=1),
            most=np.concatenate([one for _, one in means]),
        )

    def _window(
        self, table: Floats, r: Ints, upper: Floats, last: Ints, limits: tuple[float, float]
    ) -> tuple[Ints, Ints]:
        """Of each (r, theta_e), the places of the first theta_f that keeps alpha and the last that keeps the power."""
        alpha, power = limits

        def first(beyond: Ints, rate: int, limit: float) -> Ints:
            """The first place at which P(reject) at a rate is below a limit; `beyond` if none before it is."""
            low, high = np.zeros_like(beyond), beyond.copy()
            while (k := np.flatnonzero(low < high)).size:
                middle = (low[k] + high[k]) // 2
                below = self.rejects(r[k], table[r[k], middle], upper[k])[rate] < limit
                high[k[below]] = middle[below]
                low[k[~below]] = middle[~below] + 1
            return low

        without_power = first(last[r] + 1, 1, power)
        return first(without_power, 0, alpha), without_power - 1
