"""Scenarios simulated and summed up: beside every mean its Monte Carlo standard error and, where it has one, its law.

Blocks of trials are simulated apart and their tallies merged. Means and spreads are kept block by block and added with
one final rounding, histograms are whole numbers: so any grouping, in any order, gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from simtrial.conduct import engine as conduct
from simtrial.conduct import outcomes
from simtrial.conduct.outcomes import OUTCOMES, Observer, Outcome
from simtrial.errors import InputError
from simtrial.laws import laws
from simtrial.plan.enrollment import Centres
from simtrial.plan.recut import bounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from simtrial.conduct.engine import Trials
    from simtrial.plan.plan import Plan, Scenario

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MAX_TRIALS = 100_000_000
"""Most trials of one scenario."""

MAX_BINS = 1_000_000
"""Values beyond so many bins, months beyond eight centuries, are counted together and have no quantile."""


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

    def add(self, block: int, values: NDArray[Any]) -> None:
        """Take in one block of values; NaN is left out."""
        if values.dtype.kind == "f":
            given = values[~np.isnan(values)].astype(np.float64)
            finite = given[np.isfinite(given)]
            self.infinite += len(given) - len(finite)
            # the slack keeps a value that should be a whole number of units out of the bin below
            scaled = np.minimum(finite / self.outcome.unit + 1e-9, MAX_BINS)
            self._count(np.bincount(scaled.astype(np.int64)))
            if len(finite):
                mean = float(finite.mean())
                self.parts[block] = (len(finite), mean, float(np.square(finite - mean).sum()))
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
        whole = n + self.infinite
        quantiles = {q: self._quantile(q, whole) for q in QUANTILES}
        if n == 0 or self.infinite:
            return Estimate(self.outcome, None, None, exact, quantiles, n, self.infinite, self.bins, comparable)
        mean = math.fsum(size * m for size, m, _ in parts) / n
        squares = math.fsum([*(s for _, _, s in parts), *(size * (m - mean) ** 2 for size, m, _ in parts)])
        mcse = math.sqrt(squares / max(n - 1, 1) / n)
        return Estimate(self.outcome, mean, mcse, exact, quantiles, n, 0, self.bins, comparable)

    def _quantile(self, q: float, whole: int) -> float | None:
        """Smallest value with at least a share q at or below it, to the width of a bin; None if not reached."""
        reached = np.cumsum(self.bins)
        needed = max(math.ceil(q * whole - 1e-9), 1)
        if whole == 0 or reached[-1] < needed:
            return None
        place = int(np.searchsorted(reached, needed))
        return None if place >= MAX_BINS else round(place * self.outcome.unit, 6)


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario summed up: its estimates by the names of `simtrial.conduct.outcomes.OUTCOMES`."""

    scenario: Scenario
    estimates: dict[str, Estimate]

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]


@dataclass(frozen=True, slots=True)
class Simulation:
    """All scenarios of a run."""

    plan: Plan
    trials: int
    seed: int
    results: tuple[Result, ...]

    def __getitem__(self, label: str) -> Result:
        return next(result for result in self.results if result.scenario.label == label)


def check(trials: int, seed: int) -> None:
    """Hold the limits on the number of trials and the seed.

    Raises
    ------
    InputError
        Naming the one that is out of range.
    """
    if isinstance(trials, bool) or not isinstance(trials, int) or not 2 <= trials <= MAX_TRIALS:
        raise InputError(f"({trials}) must be a whole number from 2 to {MAX_TRIALS}", "trials")
    check_seed(seed)


def check_seed(seed: int) -> None:
    """Hold the limits on the seed.

    Raises
    ------
    InputError
        If it is out of range.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"({seed}) must be a whole number from 0 to 2**63 - 1", "seed")


def blocks(plan: Plan, trials: int) -> range:
    """The blocks that hold so many trials."""
    return range(math.ceil(trials / conduct.block_size(plan)))


def block(plan: Plan, scenario: Scenario, index: int, seed: int, number: int) -> tuple[Trials, np.random.Generator]:
    """One whole block of a scenario (number `index` of its run), and its random numbers from there on."""
    rng = np.random.default_rng(conduct.stream(seed, index, number))
    return conduct.simulate(plan, scenario, rng, bounds_of(plan)), rng


def tally(
    plan: Plan,
    scenario: Scenario,
    index: int,
    seed: int,
    trials: int,
    numbers: Iterable[int],
    progress: Callable[[int], None] = lambda _: None,
    observe: Observer = outcomes.observe,
) -> dict[str, Tally]:
    """Simulate some of the blocks of a scenario.

    Parameters
    ----------
    plan, scenario, index, seed
        See `block`.
    trials : int
        Trials of the scenario in all; the last block is cut to it.
    numbers : iterable of int
        Which blocks, see `blocks`.
    progress : callable
        Told the number of trials done after each block.
    observe : callable
        What is tallied, see `simtrial.conduct.outcomes`.

    Returns
    -------
    dict of str to Tally
        By outcome; merge those of other blocks into it.
    """
    size = conduct.block_size(plan)
    found: dict[str, Tally] = {}
    for number in numbers:
        done, rng = block(plan, scenario, index, seed, number)
        kept = min(size, trials - number * size)
        for name, values in observe(plan, done, rng).items():
            found.setdefault(name, Tally(OUTCOMES[name])).add(number, values[:kept])
        progress(kept)
    return found


def simulate(
    plan: Plan,
    scenarios: Sequence[Scenario],
    trials: int,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
    observe: Observer = outcomes.observe,
) -> Simulation:
    """Simulate scenarios and set the exact values beside them.

    Parameters
    ----------
    plan : Plan
        How the trial is run.
    scenarios : sequence of Scenario
        True response rates; the place of each in the sequence is part of its random stream.
    trials : int
        Trials of each scenario.
    seed : int
        From 0 on.
    progress : callable
        Told the number of trials done after each block.
    observe : callable
        What is reported, see `simtrial.conduct.outcomes`.

    Returns
    -------
    Simulation
        The same for the same arguments, on any number of workers.

    Raises
    ------
    InputError
        If `trials` or `seed` is out of range.
    """
    check(trials, seed)
    numbers = blocks(plan, trials)
    tallies = [
        tally(plan, scenario, index, seed, trials, numbers, progress, observe)
        for index, scenario in enumerate(scenarios)
    ]
    return Simulation(plan, trials, seed, tuple(sum_up(plan, s, t) for s, t in zip(scenarios, tallies, strict=True)))


NOTHING = np.zeros(1, dtype=np.int64)
"""The bins of an estimate for which nothing was simulated."""


def expect(
    plan: Plan,
    scenarios: Sequence[Scenario],
    names: Sequence[str] | Mapping[str, Sequence[str]],
    trials: int,
    seed: int,
) -> Simulation:
    """Give outcomes from their exact laws alone where all of those named have one, and simulate only where not.

    Parameters
    ----------
    plan, scenarios, trials, seed
        As for `simulate`.
    names : sequence of str, or mapping of str to sequence of str
        Outcomes that are wanted, of those of `simtrial.conduct.outcomes.primary`: of all scenarios alike, or by their
        labels.

    Returns
    -------
    Simulation
        Of 0 trials if nothing had to be simulated. Months have their exact values only if some of them are wanted.
    """
    check(trials, seed)
    numbers, results = blocks(plan, trials), []
    wanted = [names[s.label] if isinstance(names, Mapping) else names for s in scenarios]
    exact = [
        laws.exact_values(plan, scenario, months=not set(laws.MONTHS).isdisjoint(mine))
        for scenario, mine in zip(scenarios, wanted, strict=True)
    ]
    if all(law.get(name) is not None for law, mine in zip(exact, wanted, strict=True) for name in mine):
        trials = 0
    for index, (scenario, law, mine) in enumerate(zip(scenarios, exact, wanted, strict=True)):
        if trials:
            tallies = tally(plan, scenario, index, seed, trials, numbers, observe=outcomes.primary)
            results.append(_summed(plan, scenario, tallies, law))
        else:
            known = {n: Estimate(OUTCOMES[n], None, None, law[n], {}, 0, 0, NOTHING) for n in mine}
            results.append(Result(scenario, known))
    return Simulation(plan, trials, seed, tuple(results))


def sum_up(plan: Plan, scenario: Scenario, tallies: dict[str, Tally]) -> Result:
    """Turn the merged tallies of a scenario into estimates beside their exact values."""
    return _summed(plan, scenario, tallies, laws.exact_values(plan, scenario))


def _summed(plan: Plan, scenario: Scenario, tallies: dict[str, Tally], exact: laws.Law) -> Result:
    steady = not isinstance(plan.enrollment, Centres) or plan.enrollment.variance_is_finite
    estimates = {
        name: t.estimate(exact.get(name), comparable=steady or t.outcome.kind != "months")
        for name, t in tallies.items()
    }
    return Result(scenario, estimates)
