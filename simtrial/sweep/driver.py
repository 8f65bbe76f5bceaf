"""The driver of a sweep: makes tasks of at least half a second, hands them out, takes results in and writes them."""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simtrial.conduct import simulation
from simtrial.sweep.rows import table
from simtrial.sweep.task import Task, Work, WorkDone, perform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor, Future

    from simtrial.conduct.tally import Tally
    from simtrial.sweep.grid import GridCell, Sweep
    from simtrial.sweep.store import Store

SECONDS_A_TASK = 0.5
"""Least that a task should take: handing it out costs a hundredth of that."""

AHEAD = 3
"""Tasks handed out for each worker: one at work, others waiting."""

A_REPORT = 256
"""Results that were found between two reports."""

PATIENCE = 5.0
"""Seconds after which progress is reported even if nothing was finished."""

MOST_DEATHS = 3
"""Workers that one task may lose before it is given up."""


GOES_ON = "what was written is valid; the same command continues from there"
"""What is said wherever a sweep ends before its time."""


class SweepError(RuntimeError):
    """A sweep could not continue; what was written stays valid."""


@dataclass(kw_only=True)
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


@dataclass
class _Open:
    """A scenario of which blocks are still out, and the sum of those that are in."""

    cell: GridCell
    waiting: int
    exact: dict[str, float] = field(default_factory=dict)
    total: dict[str, Tally] = field(default_factory=dict)

    def add(self, tallies: dict[str, Tally]) -> None:
        """Take in the tallies of other blocks."""
        for name, tally in tallies.items():
            if name in self.total:
                self.total[name].merge(tally)
            else:
                self.total[name] = tally


def _lost(error: Exception) -> Exception:
    """What to raise where a task did not come back: the loss of a cluster is foreseen, a mistake of ours is not."""
    if isinstance(error, CancelledError):  # nobody here cancels what is waited for
        return SweepError(f"the scheduler or its workers are gone; {GOES_ON}")
    if type(error).__module__.partition(".")[0] == "distributed":
        return SweepError(f"the cluster gave up ({' '.join(str(error).split())[:200]}); {GOES_ON}")
    return error


class Driver:
    """Hands out tasks and takes results in."""

    def __init__(
        self,
        sweep: Sweep,
        store: Store,
        start: Callable[[], Executor],
        *,
        workers: int,
        tell: Callable[[Progress], None],
    ) -> None:
        self.sweep, self.store, self.start, self.workers, self.tell = sweep, store, start, workers, tell
        self.state = Progress(scenarios=len(sweep))
        self.open: dict[int, _Open] = {}
        self.deaths: dict[Task, int] = {}
        self.a_block, self.a_scenario = 0.05, 0.05  # seconds, learnt as results come

    def run(self) -> None:
        """Compute what is missing, to the end."""
        out: dict[Future[list[WorkDone]], Task] = {}
        again: deque[Task] = deque()
        tasks = self._tasks()
        executor = self.start()
        try:
            while True:
                broken = False
                while len(out) < AHEAD * self.workers and (task := again.popleft() if again else next(tasks, None)):
                    try:
                        out[executor.submit(perform, task)] = task
                    except BrokenProcessPool:
                        broken = True
                        again.append(task)
                        break
                if not out and not broken:
                    executor.shutdown(wait=True)  # or the interpreter would end under its threads
                    return
                finished, _ = wait(out, timeout=PATIENCE, return_when=FIRST_COMPLETED)
                self.state.stalled = 0.0 if finished else self.state.stalled + PATIENCE
                for future in finished:
                    task = out.pop(future)
                    try:
                        results = future.result()
                    except BrokenProcessPool:
                        broken = True
                        again.append(self._survived(task))
                        continue
                    except Exception as error:
                        raise _lost(error) from error
                    for found in results:
                        self._take(found)
                self.store.commit()
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
            raise SweepError(
                f"the workers that compute scenario {named} end again and again; check whether the memory is sufficient"
            )
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
                if not self.state.found % A_REPORT:
                    self.tell(self.state)
                continue
            cell = self.sweep.cell(index)
            blocks = simulation.blocks(cell.plan, asked.trials)
            self.open[index] = _Open(cell, 0)
            missing = self._missing(index, blocks)
            a_task = max(1, round(SECONDS_A_TASK / self.a_block))
            if missing == [blocks] and len(blocks) <= a_task:
                self.open[index].waiting = 1
                small.append(Work(index, cell.plan, cell.scenario, blocks))
                spent += self.a_scenario
                if spent >= SECONDS_A_TASK:
                    yield self._task(*small)
                    small, spent = [], 0.0
                continue
            last = index == len(self.sweep) - 1
            pieces = [piece for gap in missing for piece in self._pieces(gap, a_task, shrinking=last)]
            self.open[index].waiting = len(pieces)
            if not pieces:  # every block is there, and only the result is not
                self.open[index].waiting = 1
                pieces = [range(0)]
            for piece in pieces:
                yield self._task(Work(index, cell.plan, cell.scenario, piece))
        if small:
            yield self._task(*small)

    def _pieces(self, gap: range, most: int, *, shrinking: bool) -> Iterator[range]:
        """Cut blocks into tasks; the last ones ever smaller, so that no worker waits long for another at the end."""
        at = gap.start
        while at < gap.stop:
            size = min(most, math.ceil((gap.stop - at) / (2 * self.workers))) if shrinking else most
            yield range(at, min(at + size, gap.stop))
            at += size

    def _task(self, *works: Work) -> Task:
        asked = self.sweep.asked
        return Task(works, asked.outcomes, asked.trials, asked.seed)

    def _missing(self, index: int, blocks: range) -> list[range]:
        """Stretches of blocks that no part holds."""
        gaps, at = [], 0
        for held, tallies in self.store.parts(index):
            self.state.found_blocks += len(held)
            self.open[index].add(tallies)
            if held.start > at:
                gaps.append(range(at, held.start))
            at = held.stop
        if at < len(blocks):
            gaps.append(range(at, len(blocks)))
        return gaps

    def _take(self, found: WorkDone) -> None:
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
        here.add(tallies)
        if here.waiting:
            return
        self.store.write(found.index, table(self.sweep, here.cell, here.exact, here.total))
        del self.open[found.index]
        self.state.done += 1
