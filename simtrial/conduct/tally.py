"""Running sums of simulated outcomes, and the estimates that they give."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simtrial.conduct.outcomes import Outcome
    from simtrial.numbers import Numbers

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

MAX_BINS = 1_000_000
"""Values beyond this many bins, months beyond eight centuries, are counted together and have no quantile."""


@dataclass
class Tally:
    """Running sums of one outcome; see the head of this module.

    Attributes
    ----------
    outcome : Outcome
        What is tallied.
    parts : dict of int to (int, float, float)
        For each block the number of finite values, their mean, and their sum of squares about it.
    bins : ndarray of int
        Finite values by `Outcome.unit`.
    infinite : int
        Values that were not reached.
    """

    outcome: Outcome
    parts: dict[int, tuple[int, float, float]] = field(default_factory=dict)
    bins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    infinite: int = 0

    def add(self, block: int, values: Numbers) -> None:
        """Take in one block of values; NaN is left out."""
        if values.dtype.kind == "f":
            finite = np.asarray(values, dtype=np.float64)
            here = np.isfinite(finite)
            if not here.all():
                self.infinite += int(np.isinf(finite).sum())
                finite = finite[here]
            scaled = finite / self.outcome.unit
            scaled += 1e-9  # keeps a value that should be a whole number of units out of the bin below
            self._count(np.bincount(np.minimum(scaled, MAX_BINS, out=scaled).astype(np.int64)))
            if len(finite):
                mean = float(finite.mean())
                apart = np.subtract(finite, mean, out=scaled)
                self.parts[block] = (len(finite), mean, float(np.square(apart, out=apart).sum()))
            return
        counts = np.bincount(values.astype(np.int64))
        self._count(counts)
        x = np.arange(len(counts))
        total, mean = int(counts.sum()), float(counts @ x) / max(int(counts.sum()), 1)
        if total:
            self.parts[block] = (total, mean, float(counts @ np.square(x - mean)))

    def _count(self, bins: NDArray[np.int64]) -> None:
        if len(bins) > len(self.bins):
            self.bins = np.concatenate([self.bins, np.zeros(len(bins) - len(self.bins), dtype=np.int64)])
        self.bins[: len(bins)] += bins

    def merge(self, other: Tally) -> None:
        """Take in the blocks of another tally.

        Raises
        ------
        ValueError
            If a block would be counted twice.
        """
        if self.parts.keys() & other.parts.keys():
            raise ValueError("a block is counted twice")
        self.parts |= other.parts
        self._count(other.bins)
        self.infinite += other.infinite

    def estimate(self, exact: float | None = None, *, comparable: bool = True) -> Estimate:
        """Sum up."""
        parts = [self.parts[block] for block in sorted(self.parts)]
        n = sum(size for size, _, _ in parts)
        mean = mcse = None
        if n and not self.infinite:
            mean = math.fsum(size * m for size, m, _ in parts) / n
            squares = math.fsum([*(s for _, _, s in parts), *(size * (m - mean) ** 2 for size, m, _ in parts)])
            mcse = math.sqrt(squares / max(n - 1, 1) / n)
        return Estimate(
            outcome=self.outcome,
            value=mean,
            mcse=mcse,
            exact=exact,
            quantiles=self._quantiles(n + self.infinite),
            n=n,
            infinite=self.infinite,
            bins=self.bins,
            comparable=comparable,
        )

    def _quantiles(self, whole: int) -> dict[float, float | None]:
        """Smallest values with at least a share q at or below them, to the width of a bin; None if not reached."""
        reached = np.cumsum(self.bins)
        found: dict[float, float | None] = {}
        for q in QUANTILES:
            needed = max(math.ceil(q * whole - 1e-9), 1)
            place = int(np.searchsorted(reached, needed))
            found[q] = None if place >= min(len(reached), MAX_BINS) else round(place * self.outcome.unit, 6)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One simulated mean.

    Attributes
    ----------
    outcome : Outcome
        Of what.
    value, mcse : float or None
        Mean over the trials to which the outcome applies, and its Monte Carlo standard error; None if there is no such
        trial, or if a time is not reached in some.
    exact : float or None
        The exact mean, where there is one.
    quantiles : dict of float to float or None
        Over the trials, to the width of a bin.
    n, infinite : int
        Trials with a finite value, and trials in which the time was not reached.
    bins : ndarray of int
        Trials with a finite value, by `Outcome.unit`.
    comparable : bool
        Whether the mean has a variance, without which its standard error means nothing.
    """

    outcome: Outcome
    value: float | None
    mcse: float | None
    exact: float | None
    quantiles: dict[float, float | None]
    n: int
    infinite: int
    bins: NDArray[np.int64]
    comparable: bool = True

    @classmethod
    def known(cls, outcome: Outcome, exact: float | None) -> Estimate:
        """An exact mean, for which nothing was simulated."""
        nothing = np.zeros(1, dtype=np.int64)
        return cls(outcome=outcome, value=None, mcse=None, exact=exact, quantiles={}, n=0, infinite=0, bins=nothing)

    @property
    def best(self) -> float:
        """The exact mean where there is one, else the simulated one; NaN where neither is known."""
        return next((v for v in (self.exact, self.value) if v is not None), math.nan)

    @property
    def best_mcse(self) -> float:
        """Standard error of `best`: 0 of an exact value."""
        return 0.0 if self.exact is not None else math.nan if self.mcse is None else self.mcse

    def at_most(self, limit: float) -> tuple[float, float]:
        """Share of the trials with a value up to a limit (to the width of a bin), and its standard error."""
        whole = self.n + self.infinite
        share = float(self.bins[: int(limit / self.outcome.unit + 1e-9) + 1].sum()) / whole if whole else math.nan
        return share, math.sqrt(share * (1 - share) / whole) if whole else math.nan

    @property
    def z(self) -> float | None:
        """How many standard errors the simulated mean lies from the exact one; of a share, those that the law gives."""
        if self.value is None or self.mcse is None or self.exact is None or not self.comparable:
            return None
        gap = self.value - self.exact
        if abs(gap) <= 1e-9 * max(1.0, abs(self.exact)):  # rounding of a mean whose trials are all alike
            return 0.0
        mcse = math.sqrt(self.exact * (1 - self.exact) / self.n) if self.outcome.kind == "share" else self.mcse
        return gap / mcse if mcse > 0 else None
