"""Tasks of a sweep: what a worker is handed, does and gives back, and how long a scenario takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from simtrial.conduct import outcomes, simulation
from simtrial.laws import calendar, laws

if TYPE_CHECKING:
    from simtrial.conduct.tally import Tally
    from simtrial.plan.plan import Plan, Scenario
    from simtrial.sweep.grid import Sweep


@dataclass(frozen=True, slots=True)
class Work:
    """Some blocks of one scenario.

    Attributes
    ----------
    index : int
        Number of the scenario.
    plan, scenario : Plan, Scenario
        What to run.
    blocks : range
        Which blocks, if it is to be simulated.
    """

    index: int
    plan: Plan
    scenario: Scenario
    blocks: range


@dataclass(frozen=True, slots=True)
class Task:
    """Work for one worker at a time.

    Attributes
    ----------
    works : tuple of Work
        In order.
    wanted : tuple of str
        Outcomes that are reported; those without an exact value are simulated.
    trials, seed : int
        See `simtrial.conduct.simulation.tally`.
    """

    works: tuple[Work, ...]
    wanted: tuple[str, ...]
    trials: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDone:
    """What came of one piece of work.

    Attributes
    ----------
    index : int
        Number of the scenario.
    exact : dict of str to float
        Outcomes that have an exact value.
    blocks : range
        Blocks simulated; none if all is exact.
    tallies : dict of str to Tally
        Of those blocks.
    seconds : float
        Spent.
    """

    index: int
    exact: dict[str, float]
    blocks: range
    tallies: dict[str, Tally]
    seconds: float


def perform(task: Task) -> list[WorkDone]:
    """Do a task. This is what runs on a worker."""
    found = []
    for work in task.works:
        began = time.perf_counter()
        exact = exact_of(work.plan, work.scenario, task.wanted)
        missing = [name for name in task.wanted if name not in exact]
        blocks, tallies = range(0), {}
        if missing:
            blocks = work.blocks
            # the same numbers either way, as survival is drawn last; without it a trial takes a tenth of the time
            primary = outcomes.PRIMARY.issuperset(missing)
            observe = outcomes.primary if primary else partial(outcomes.observe, wanted=missing)
            every = simulation.tally(
                work.plan, work.scenario, work.index, task.seed, task.trials, blocks, observe=observe
            )
            tallies = {name: tally for name, tally in every.items() if name in missing}
        found.append(
            WorkDone(index=work.index, exact=exact, blocks=blocks, tallies=tallies, seconds=time.perf_counter() - began)
        )
    return found


def exact_of(plan: Plan, scenario: Scenario, wanted: tuple[str, ...]) -> dict[str, float]:
    """The outcomes wanted that have an exact value."""
    rare = {*calendar.MONTHS, "pfs_events", "os_events"}
    values = laws.exact_values(plan, scenario, months=bool(rare & set(wanted)))
    return {name: value for name in wanted if (value := values.get(name)) is not None}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a scenario takes: trials simulated, and seconds on one worker."""

    trials: int
    seconds: float


def calibrate(sweep: Sweep, most: int = 5) -> Cost:
    """Time one block of a few scenarios, spread over the sweep."""
    asked = sweep.asked
    seconds, trials = 0.0, 0
    places = sorted({round(k * (len(sweep) - 1) / max(most - 1, 1)) for k in range(most)})
    for index in places:
        cell = sweep.cell(index)
        blocks = simulation.blocks(cell.plan, asked.trials)
        work = Work(index, cell.plan, cell.scenario, range(1))
        task = Task((work,), asked.outcomes, asked.trials, asked.seed)
        perform(task)  # the first time pays for imports and tables
        (found,) = perform(task)
        seconds += found.seconds * (len(blocks) if found.tallies else 1)
        trials += asked.trials if found.tallies else 0
    return Cost(round(trials / len(places)), seconds / len(places))
