"""The simulated means beside their exact values: how far apart they lie, and how far apart they may."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from simtrial.conduct import simulation, tables
from simtrial.phrases import agreeing, counted, percent
from simtrial.show.table import WHOLE, WORDS, Table, column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simtrial.conduct.simulation import Simulation
    from simtrial.conduct.tally import Estimate

FEW = 10
"""Trials that must differ from the others for a standardised difference to be about normal."""

WITHIN = (2, 3)
"""Monte Carlo standard errors within which deviations are counted."""

MORE = 4
"""How many times as many trials a repetition has, which halves the Monte Carlo standard errors."""

DOUBTFUL = 0.01
"""Probability of the largest deviation below which it is not taken for chance."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One simulated mean beside its exact value: the scenario, the measure, and the two."""

    label: str
    measure: str
    estimate: Estimate


def of(done: Simulation) -> tuple[Checked, ...]:
    """Every simulated mean whose distance from its exact value is about normal."""
    return tuple(one for one in _comparable(done) if not _scarce(one.estimate))


def _comparable(done: Simulation) -> Iterator[Checked]:
    """Every simulated mean that has an exact value and differs from trial to trial."""
    for result in done.results:
        for e in result.estimates.values():
            if e.z is not None and (e.mcse or e.z):
                yield Checked(result.scenario.label, tables.called(e, done.plan), e)


def _scarce(e: Estimate) -> bool:
    """Whether too few trials differ from the others: of a proportion those that its law expects, else those seen."""
    if e.outcome.kind == "share":
        p = e.exact or 0.0
        return e.n * min(p, 1 - p) < FEW
    return e.n - int(e.bins.max()) < FEW


def without(done: Simulation) -> dict[str, list[str]]:
    """The measures without an exact value, each with the labels of the scenarios at which it has none."""
    found: dict[str, list[str]] = {}
    for result in done.results:
        for e in result.estimates.values():
            if e.exact is None and e.n + e.infinite:
                found.setdefault(tables.called(e, done.plan), []).append(result.scenario.label)
    return found


def constant(done: Simulation) -> int:
    """How many simulated means are the same in every trial and equal their exact value."""
    return sum(e.z == 0 and not e.mcse for result in done.results for e in result.estimates.values())


def apart(found: Sequence[Checked]) -> list[float]:
    """Standardised differences, largest first."""
    return sorted((abs(one.estimate.z or 0.0) for one in found), reverse=True)


def chance(largest: float, number: int) -> float:
    """Probability that the largest of some independent standard normal deviations is at least so large."""
    return 1 - math.erf(largest / math.sqrt(2)) ** number


def verdict(done: Simulation, file: str = "") -> str:
    """How many differences lie within 2 and 3 standard errors, how many are expected there, and the largest one.

    Beside a largest difference that chance does not explain stands how to repeat the simulation with another seed, with
    the command if the parameter file is named.
    """
    return " ".join(_verdict(done, file))


def again(done: Simulation, file: str) -> str:
    """The command that repeats a simulation with the next seed and four times as many trials."""
    trials, seed = min(MORE * done.trials, simulation.MAX_TRIALS), done.seed + 1 if done.seed < 2**63 - 1 else 0
    return f"simtrial simulate {shlex.quote(file)} --trials {trials} --seed {seed}"


def _verdict(done: Simulation, file: str) -> Iterator[str]:
    found = of(done)
    if found:
        yield from _of_normal(found)
        z = apart(found)
        if chance(z[0], len(z)) < DOUBTFUL:
            yield _doubtful(done, file)
    elif not any(e.exact is not None for result in done.results for e in result.estimates.values()):
        yield "No simulated measure has an exact value that it could be compared with."
    if few := sum(map(_scarce, (one.estimate for one in _comparable(done)))):
        yield (
            f"{counted(few, 'further difference')} {agreeing(few, 'is', 'are')} not counted, because fewer than {FEW} "
            "trials differ from the others, so that z is not approximately normal."
        )
    if same := constant(done):
        yield (
            f"{counted(same, 'further mean')} {agreeing(same, 'is', 'are')} the same in every simulated trial and "
            f"{agreeing(same, 'equals its', 'equal their')} exact value."
        )


def _of_normal(found: Sequence[Checked]) -> Iterator[str]:
    z = apart(found)
    number = len(z)
    expected = [number * math.erf(limit / math.sqrt(2)) for limit in WITHIN]
    inside = [sum(one <= limit for one in z) for limit in WITHIN]
    first = max(found, key=lambda one: abs(one.estimate.z or 0.0))
    largest = "it" if number == 1 else f"the largest of {number} independent ones"
    yield (
        f"Of {counted(number, 'standardised difference')} between a simulated mean and its exact value, {inside[0]} "
        f"{agreeing(inside[0], 'lies', 'lie')} within {WITHIN[0]} Monte Carlo standard errors ({expected[0]:.1f} "
        f"expected) and {inside[1]} within {WITHIN[1]} ({expected[1]:.1f} expected). The largest, {z[0]:.1f}, is that "
        f"of {first.measure} at {first.label}; {largest} would be at least this large with probability "
        f"{percent(chance(z[0], number))}."
    )
    if number > 1:
        yield (
            "Measures of one scenario come from the same trials and are correlated, so these numbers vary more than "
            "those of independent differences."
        )


def _doubtful(done: Simulation, file: str) -> str:
    command = f": {again(done, file)}" if file else ""
    return (
        "This is larger than chance explains. Before the simulated values are used, repeat the simulation with another "
        f"seed and more trials{command}. If the difference for this measure is large again, the simulated and the "
        "exact value differ; use neither before the reason is known. If it is not, the first one was due to chance."
    )


def by_scenario(done: Simulation) -> Table:
    """The differences of every scenario."""
    caption = f"Simulated means beside exact values, by true response rate: {_what(done)}"
    return _counted(done, "simulation_checks_scenarios", caption, "scenario", lambda one: one.label)


def by_measure(done: Simulation) -> Table:
    """The differences of every measure."""
    caption = f"Simulated means beside exact values, by measure: {_what(done)}"
    return _counted(done, "simulation_checks_measures", caption, "outcome", lambda one: one.measure)


def _what(done: Simulation) -> str:
    return (
        "the number of standardised differences z, how many of them lie within 2 and 3 Monte Carlo standard errors, "
        f"and the largest ({counted(done.trials, 'simulated trial')} per rate, seed {done.seed})"
    )


def _counted(done: Simulation, name: str, caption: str, head: str, key: Callable[[Checked], str]) -> Table:
    groups: dict[str, list[Checked]] = {}
    for one in of(done):
        groups.setdefault(key(one), []).append(one)
    frame = pd.DataFrame(list(_rows(groups)), columns=["what", "compared", "within_2", "within_3", "largest"])
    shown = {
        "what": column(head, WORDS),
        "compared": column("compared", WHOLE),
        "within_2": column("within_2", WHOLE),
        "within_3": column("within_3", WHOLE),
        "largest": column("largest_z", "{:.1f}"),
    }
    return Table(name, caption, frame, shown)


def _rows(groups: dict[str, list[Checked]]) -> Iterator[tuple[str, int, int, int, float]]:
    for what, found in groups.items():
        z = apart(found)
        yield what, len(z), sum(one <= WITHIN[0] for one in z), sum(one <= WITHIN[1] for one in z), z[0]
