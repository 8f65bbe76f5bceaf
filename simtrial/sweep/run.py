"""Sweeps run, or continued where they stopped: tasks go to an executor, results to disk as they come.

Anything with the interface of `concurrent.futures.Executor` will do: a pool of processes by default, or a Dask cluster
that runs already. Workers are handed plans and give back exact values and tallies; only the driver touches the disk, so
workers need no common file system. A result depends on the seed, the number of the scenario and the block, never on
who computed it, or with what else. The driver holds as many tasks as keep its workers busy, whatever the number of
scenarios.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.conduct import simulation
from simtrial.sweep.claim import claimed, looked
from simtrial.sweep.driver import GOES_ON, Driver, Progress, SweepError
from simtrial.sweep.rows import table
from simtrial.sweep.task import Task, Work, perform
from simtrial.sweep.workers import versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    import pandas as pd

    from simtrial.sweep.grid import Sweep
    from simtrial.sweep.store import Manifest


def manifest(sweep: Sweep) -> Manifest:
    """What the results of a sweep depend on."""
    asked, base = sweep.content
    return {"sweep_sha256": asked, "base_sha256": base, "seed": sweep.asked.seed, "scenarios": len(sweep),
            **versions()}  # fmt: skip


def _silent(_: object) -> None:
    """Told what nobody wants to hear."""


def missing(sweep: Sweep, out: Path, tell: Callable[[str], None] = _silent) -> int:
    """How many scenarios are still to be computed.

    Parameters
    ----------
    sweep : Sweep
        What is to be computed.
    out : Path
        Folder of the results; if there is none, none is made.
    tell : callable
        Told in a line if the manifest there was damaged and is written again.

    Raises
    ------
    InputError
        If the folder holds something else, or another run writes there.
    """
    made_by = manifest(sweep)
    if looked(out, made_by) == "":
        return len(sweep)
    with claimed(out, made_by, tell) as store:
        return sum(not store.done(index) for index in range(len(sweep)))


def run(
    sweep: Sweep,
    out: Path,
    start: Callable[[], Executor],
    workers: int,
    progress: Callable[[Progress], None] = _silent,
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
        If the disk is full, or a task kills its workers; what was written stays valid, and the same call continues.
    """
    with claimed(out, manifest(sweep), _silent) as store:
        driver = Driver(sweep, store, start, workers=workers, tell=progress)
        try:
            driver.run()
        except OSError as error:
            raise SweepError(f"{error.filename or out}: {error.strerror or error}; {GOES_ON}") from error
        return driver.state, store.digest(len(sweep))


def in_memory(sweep: Sweep) -> pd.DataFrame:
    """All results of a small sweep as one table, without a folder or workers: what a notebook wants."""
    import pandas as pd

    asked = sweep.asked
    tables = []
    for cell in sweep.cells():
        work = Work(cell.index, cell.plan, cell.scenario, simulation.blocks(cell.plan, asked.trials))
        (found,) = perform(Task((work,), asked.outcomes, asked.trials, asked.seed))
        tables.append(table(sweep, cell, found.exact, found.tallies).to_pandas().assign(scenario=cell.index))
    return pd.concat(tables, ignore_index=True)
