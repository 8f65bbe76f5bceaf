"""Scenarios simulated and summed up: beside every mean its Monte Carlo standard error and, where it has one, its law.

Blocks of trials are simulated apart and their tallies merged. Means and spreads are kept block by block and added with
one final rounding, histograms are whole numbers: so any grouping, in any order, gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import engine, outcomes, runs
from simtrial.conduct.outcomes import OUTCOMES, Observer
from simtrial.conduct.tally import Estimate, Tally
from simtrial.inputs import TABLE
from simtrial.laws import calendar, laws
from simtrial.memo import kept
from simtrial.memory import keep_memory
from simtrial.plan.centres import Centres
from simtrial.plan.recut import bounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simtrial.conduct.runs import Trials
    from simtrial.plan.plan import Plan, Scenario
MAX_TRIALS = int(TABLE["trials"].most)
"""Most trials of one scenario."""


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
    TABLE["trials"].count(trials, "trials")
    check_seed(seed)


def check_seed(seed: int) -> None:
    """Hold the limits on the seed.

    Raises
    ------
    InputError
        If it is out of range.
    """
    TABLE["seed"].count(seed, "seed")


def blocks(plan: Plan, trials: int) -> range:
    """The blocks that hold this many trials."""
    return range(math.ceil(trials / runs.block_size(plan)))


def block(plan: Plan, scenario: Scenario, index: int, seed: int, number: int) -> tuple[Trials, np.random.Generator]:
    """One whole block of a scenario (number `index` of its run), and its random numbers from there on."""
    rng = np.random.default_rng(runs.stream(seed, index, number))
    return engine.simulate(plan, scenario, rng, bounds_of(plan)), rng


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
    keep_memory()
    size = runs.block_size(plan)
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
    results = []
    wanted = [names[s.label] if isinstance(names, Mapping) else names for s in scenarios]
    exact = [
        laws.exact_values(plan, scenario, months=not set(calendar.MONTHS).isdisjoint(mine))
        for scenario, mine in zip(scenarios, wanted, strict=True)
    ]
    if all(law.get(name) is not None for law, mine in zip(exact, wanted, strict=True) for name in mine):
        trials = 0
    for index, (scenario, law, mine) in enumerate(zip(scenarios, exact, wanted, strict=True)):
        if trials:
            tallies = _primary(plan, scenario, index, seed, trials)
            results.append(_summed(plan, scenario, tallies, law))
        else:
            known = {n: Estimate.known(OUTCOMES[n], law[n]) for n in mine}
            results.append(Result(scenario, known))
    return Simulation(plan, trials, seed, tuple(results))


@kept(64)
def of_primary(plan: Plan, scenarios: tuple[Scenario, ...], trials: int, seed: int) -> Simulation:
    """Simulate the primary outcomes alone: decision, patients and months with their quantiles; see `simulate`.

    The trials are those of `simulate` with the same seed, so that every figure agrees with it.
    """
    check(trials, seed)
    tallies = [_primary(plan, scenario, index, seed, trials) for index, scenario in enumerate(scenarios)]
    return Simulation(
        plan, trials, seed, tuple(sum_up(plan, s, dict(t)) for s, t in zip(scenarios, tallies, strict=True))
    )


@kept(64)
def _primary(plan: Plan, scenario: Scenario, index: int, seed: int, trials: int) -> Mapping[str, Tally]:
    """The primary outcomes of a scenario, for several tables to sum up."""
    return tally(plan, scenario, index, seed, trials, blocks(plan, trials), observe=outcomes.primary)


def sum_up(plan: Plan, scenario: Scenario, tallies: dict[str, Tally]) -> Result:
    """Turn the merged tallies of a scenario into estimates beside their exact values."""
    return _summed(plan, scenario, tallies, laws.exact_values(plan, scenario))


def _summed(plan: Plan, scenario: Scenario, tallies: Mapping[str, Tally], exact: laws.Law) -> Result:
    steady = not isinstance(plan.enrollment, Centres) or plan.enrollment.variance_is_finite
    estimates = {
        name: t.estimate(exact.get(name), comparable=steady or t.outcome.kind != "months")
        for name, t in tallies.items()
    }
    return Result(scenario, estimates)
