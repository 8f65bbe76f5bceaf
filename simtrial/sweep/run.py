"""Sweeps run: cells become tasks of at least half a second, tasks go to an executor, results to disk as they come.

Anything with the interface of `concurrent.futures.Executor` will do: a pool of processes by default, or a Dask cluster
that runs already. Workers are handed plans and give back exact values and tallies; only the driver touches the disk, so
workers need no common file system. A result depends on the seed, the number of the scenario and the block, never on
who computed it, or with what else. The driver holds as many tasks as keep its workers busy, whatever the number of
scenarios.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simtrial.conduct import outcomes, simulation
from simtrial.laws import calendar, laws
from simtrial.sweep import workers as sweep_workers
from simtrial.sweep.file import RATE
from simtrial.sweep.store import Store, locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor, Future
    from pathlib import Path

    import pandas as pd

    from simtrial.conduct.simulation import Result
    from simtrial.conduct.tally import Tally
    from simtrial.plan.plan import Plan, Scenario
    from simtrial.sweep.file import Cell, Sweep

SECONDS_A_TASK = 0.5
"""Least that a task should take: handing it out costs a hundredth of that."""

AHEAD = 3
"""Tasks handed out for each worker: one at work, others waiting."""

PATIENCE = 5.0
"""Seconds after which progress is told even if nothing was finished."""

MOST_DEATHS = 3
"""Workers that one task may lose before it is given up."""


class SweepError(RuntimeError):
    """A sweep could not go on; what was written stays valid."""


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


@dataclass(frozen=True, slots=True)
class Found:
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


def perform(task: Task) -> list[Found]:
    """Do a task. This is what runs on a worker."""
    sweep_workers.keep_memory()
    found = []
    for work in task.works:
        began = time.perf_counter()
        exact = exact_of(work.plan, work.scenario, task.wanted)
        missing = [name for name in task.wanted if name not in exact]
        blocks, tallies = range(0), {}
        if missing:
            blocks = work.blocks
            # the same numbers either way, as survival is drawn last; without it a trial takes a tenth of the time
            observe = outcomes.primary if outcomes.PRIMARY.issuperset(missing) else outcomes.observe
            every = simulation.tally(
                work.plan, work.scenario, work.index, task.seed, task.trials, blocks, observe=observe
            )
            tallies = {name: tally for name, tally in every.items() if name in missing}
        found.append(Found(work.index, exact, blocks, tallies, time.perf_counter() - began))
    return found


def exact_of(plan: Plan, scenario: Scenario, wanted: tuple[str, ...]) -> dict[str, float]:
    """The outcomes wanted that have an exact value."""
    rare = {*calendar.MONTHS, "pfs_events", "os_events"}
    values = laws.exact_values(plan, scenario, months=bool(rare & set(wanted)))
    return {name: value for name in wanted if (value := values.get(name)) is not None}


@dataclass
class Progress:
    """How far a run is.

    Attributes
    ----------
    scenarios : int
        In all.
    found : int
        Scenarios that were there already.
    found_blocks : int
        Finished blocks that were there already, of scenarios that were not.
    done : int
        Scenarios finished by now, those found included.
    blocks : int
        Blocks simulated by this run.
    trials : int
        Trials simulated by this run.
    stalled : float
        Seconds for which nothing was finished.
    """

    scenarios: int
    found: int = 0
    found_blocks: int = 0
    done: int = 0
    blocks: int = 0
    trials: int = 0
    stalled: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a scenario takes: trials simulated, and seconds on one worker."""

    trials: int
    seconds: float


def calibrate(sweep: Sweep, most: int = 5) -> Estimate:
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
    return Estimate(round(trials / len(places)), seconds / len(places))


def manifest(sweep: Sweep) -> dict[str, Any]:
    """What the results of a sweep depend on."""
    asked, base = sweep.content
    return {"sweep_sha256": asked, "base_sha256": base, "seed": sweep.asked.seed, "scenarios": len(sweep),
            **sweep_workers.versions()}  # fmt: skip


def missing(sweep: Sweep, out: Path) -> int:
    """How many scenarios are still to be computed.

    Raises
    ------
    InputError
        If the folder holds something else, or another run writes there.
    """
    if not (out / "manifest.json").exists():
        return len(sweep)
    with locked(out):
        store = Store(out)
        store.claim(manifest(sweep))
        return sum(not store.done(index) for index in range(len(sweep)))


def run(
    sweep: Sweep,
    out: Path,
    start: Callable[[], Executor],
    workers: int,
    progress: Callable[[Progress], None] = lambda _: None,
) -> tuple[Progress, str]:
    """Compute what is missing of a sweep.

    Parameters
    ----------
    sweep : Sweep
        What to compute.
    out : Path
        Folder of the results; made if missing.
    start : callable
        Gives an executor; called again if its workers are killed.
    workers : int
        How many it has.
    progress : callable
        Told how far it is, now and then.

    Returns
    -------
    Progress, str
        What was done, and the digest of all results.

    Raises
    ------
    InputError
        If the folder holds something else, or another run writes there.
    SweepError
        If the disk is full, or a task kills its workers; what was written stays valid, and the same call goes on.
    """
    with locked(out):
        store = Store(out)
        store.claim(manifest(sweep))
        driver = _Driver(sweep, store, start, workers, progress)
        try:
            driver.run()
        except OSError as error:
            raise SweepError(
                f"{out}: {error.strerror or error}; what was written is valid, and the same command goes on from there"
            ) from error
        return driver.state, store.digest(len(sweep))


def in_memory(sweep: Sweep) -> pd.DataFrame:
    """All results of a small sweep as one table, without a folder or workers: what a notebook wants."""
    import pandas as pd

    asked = sweep.asked
    tables = []
    for cell in sweep.cells():
        work = Work(cell.index, cell.plan, cell.scenario, simulation.blocks(cell.plan, asked.trials))
        (found,) = perform(Task((work,), asked.outcomes, asked.trials, asked.seed))
        tables.append(_table(sweep, cell, found.exact, found.tallies).to_pandas().assign(scenario=cell.index))
    return pd.concat(tables, ignore_index=True)


@dataclass
class _Open:
    """A scenario of which blocks are still out."""

    cell: Cell
    waiting: int
    exact: dict[str, float] = field(default_factory=dict)


class _Driver:
    """Hands out tasks and takes results in."""

    def __init__(
        self, sweep: Sweep, store: Store, start: Callable[[], Executor], workers: int, tell: Callable[[Progress], None]
    ) -> None:
        self.sweep, self.store, self.start, self.workers, self.tell = sweep, store, start, workers, tell
        self.state = Progress(len(sweep))
        self.open: dict[int, _Open] = {}
        self.deaths: dict[Task, int] = {}
        self.a_block, self.a_scenario = 0.05, 0.05  # seconds, learnt as results come

    def run(self) -> None:
        out: dict[Future[list[Found]], Task] = {}
        again: deque[Task] = deque()
        tasks = self._tasks()
        executor = self.start()
        try:
            while True:
                while len(out) < AHEAD * self.workers and (task := again.popleft() if again else next(tasks, None)):
                    out[executor.submit(perform, task)] = task
                if not out:
                    executor.shutdown(wait=True)  # or the interpreter would end under its threads
                    return
                finished, _ = wait(out, timeout=PATIENCE, return_when=FIRST_COMPLETED)
                self.state.stalled = 0.0 if finished else self.state.stalled + PATIENCE
                broken = False
                for future in finished:
                    task = out.pop(future)
                    try:
                        results = future.result()
                    except BrokenProcessPool:
                        broken = True
                        again.append(self._survived(task))
                        continue
                    for found in results:
                        self._take(found)
                if broken:
                    # the pool is lost with all that it held: none of it was written, so all of it is done again
                    again.extend(out.values())
                    out.clear()
                    executor.shutdown(wait=False)
                    executor = self.start()
                self.tell(self.state)
        finally:
            for future in out:
                future.cancel()
            executor.shutdown(wait=False)

    def _survived(self, task: Task) -> Task:
        self.deaths[task] = self.deaths.get(task, 0) + 1
        if self.deaths[task] > MOST_DEATHS * self.workers:
            named = ", ".join(str(work.index) for work in task.works[:5])
            raise SweepError(f"workers die again and again over scenario {named}: is there enough memory?")
        return task

    def _tasks(self) -> Iterator[Task]:
        """Tasks for what is missing, made as they are asked for."""
        asked = self.sweep.asked
        small: list[Work] = []
        spent = 0.0
        for index in range(len(self.sweep)):
            if self.store.done(index):
                self.state.found += 1
                self.state.done += 1
                continue
            cell = self.sweep.cell(index)
            blocks = simulation.blocks(cell.plan, asked.trials)
            missing = self._missing(index, blocks)
            self.open[index] = _Open(cell, 0)
            a_task = max(1, round(SECONDS_A_TASK / self.a_block))
            if missing == [blocks] and len(blocks) <= a_task:
                self.open[index].waiting = 1
                small.append(Work(index, cell.plan, cell.scenario, blocks))
                spent += self.a_scenario
                if spent >= SECONDS_A_TASK:
                    yield self._task(*small)
                    small, spent = [], 0.0
                continue
            pieces = [
                range(k, min(k + a_task, gap.stop)) for gap in missing for k in range(gap.start, gap.stop, a_task)
            ]
            self.open[index].waiting = len(pieces)
            if not pieces:  # every block is there, and only the result is not
                self.open[index].waiting = 1
                pieces = [range(0)]
            for piece in pieces:
                yield self._task(Work(index, cell.plan, cell.scenario, piece))
        if small:
            yield self._task(*small)

    def _task(self, *works: Work) -> Task:
        asked = self.sweep.asked
        return Task(works, asked.outcomes, asked.trials, asked.seed)

    def _missing(self, index: int, blocks: range) -> list[range]:
        """Stretches of blocks that no part holds."""
        gaps, at = [], 0
        for held, _ in self.store.parts(index):
            self.state.found_blocks += len(held)
            if held.start > at:
                gaps.append(range(at, held.start))
            at = held.stop
        if at < len(blocks):
            gaps.append(range(at, len(blocks)))
        return gaps

    def _take(self, found: Found) -> None:
        """Keep what came of a piece of work; write its scenario when nothing of it is out any more."""
        here = self.open[found.index]
        here.waiting -= 1
        here.exact = found.exact
        asked = self.sweep.asked
        size = -(-asked.trials // max(len(simulation.blocks(here.cell.plan, asked.trials)), 1))
        self.state.blocks += len(found.blocks)
        self.state.trials += min(len(found.blocks) * size, asked.trials)
        if found.blocks:
            self.a_block += 0.3 * (found.seconds / len(found.blocks) - self.a_block)
        self.a_scenario += 0.3 * (found.seconds - self.a_scenario)
        every = simulation.blocks(here.cell.plan, asked.trials)
        tallies = found.tallies
        if tallies and len(found.blocks) < len(every):
            self.store.keep(found.index, found.blocks, tallies)
        if here.waiting:
            return
        if not tallies or len(found.blocks) < len(every):
            tallies = self._merged(found.index)
        self.store.write(found.index, _table(self.sweep, here.cell, here.exact, tallies))
        del self.open[found.index]
        self.state.done += 1

    def _merged(self, index: int) -> dict[str, Tally]:
        total: dict[str, Tally] = {}
        for _, tallies in self.store.parts(index):
            for name, tally in tallies.items():
                if name in total:
                    total[name].merge(tally)
                else:
                    total[name] = tally
        return total


def _table(sweep: Sweep, cell: Cell, exact: dict[str, float], tallies: dict[str, Tally]) -> Any:
    """The result of a scenario: one row an outcome, its place on every axis beside it."""
    import pyarrow as pa

    result: Result = simulation.Result(cell.scenario, {name: tally.estimate() for name, tally in tallies.items()})
    rows = []
    for name in sweep.asked.outcomes:
        row: dict[str, Any] = {"outcome": name, "value": None, "mcse": None, "exact": False, "trials": 0}
        row |= {"q05": None, "q50": None, "q95": None, "not_reached": None}
        if name in exact:
            row |= {"value": exact[name], "mcse": 0.0, "exact": True}
        elif name in result.estimates:
            e = result[name]
            row |= {"value": e.value, "mcse": e.mcse, "trials": e.n + e.infinite}
            row |= {f"q{round(100 * q):02d}": e.quantiles[q] for q in (0.05, 0.5, 0.95)}
            row["not_reached"] = e.infinite / (e.n + e.infinite) if e.infinite else 0.0
        rows.append(row)
    axes = {path: _shown(sweep, path, cell.values[path]) for path in sweep.paths}
    kinds = {"outcome": pa.string(), "exact": pa.bool_(), "trials": pa.int64()}
    columns = {name: pa.array([value] * len(rows)) for name, value in (axes | {"looks": cell.looks}).items()}
    columns |= {name: pa.array([row[name] for row in rows], kinds.get(name, pa.float64())) for name in rows[0]}
    return pa.table(columns)


def _shown(sweep: Sweep, path: str, value: Any) -> float | str:
    """A value as the table holds it: a number if all of its axis are, else text."""
    if path == RATE:
        return float(value)
    axis = next(axis for axis in sweep.asked.axes if axis.path == path)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in axis.taken)
    return float(value) if numbers else str(value)
