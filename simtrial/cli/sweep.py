"""The command that runs sweeps."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial import csv_files, disk
from simtrial.cli import options
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simtrial.sweep.driver import Progress
    from simtrial.sweep.grid import Sweep

CONFIRM_MINUTES = 10.0
"""A sweep that is estimated to take longer wants --yes."""

MOST_SHOWN = 20
"""Scenarios that are printed."""

MOST_IN_CSV = 10_000
"""Most scenarios that are also written as one CSV."""

QUIET = 30.0
"""Seconds without a result after which a line is printed."""

START_UP = 2.0
"""Seconds until the first worker is at work."""


ResultsFolder = Annotated[
    Path | None,
    typer.Option(
        "--out",
        parser=options.folder,
        metavar="FOLDER",
        help="Folder of the results; default: build/<name of the file>.",
    ),
]


def sweep(
    file: Annotated[Path, typer.Argument(help="Sweep file, such as params/sweep_NCT07022301.yaml.")],
    out: ResultsFolder = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="Run on the Dask cluster of this scheduler. Dask does not authenticate clients.",
        ),
    ] = None,
    workers: Annotated[
        int | None, options.number_option("processes", "Processes on this machine; default: one per core.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Run even if it is estimated to take long.")] = False,
    as_json: options.Json = False,
) -> None:
    """Run a trial over a grid of its parameters; when run again, only missing results are computed."""
    from simtrial.sweep import cluster as sweep_cluster
    from simtrial.sweep import file as sweep_file
    from simtrial.sweep import run as sweep_run
    from simtrial.sweep import workers as sweep_workers

    if scheduler is not None:
        sweep_cluster.reached(scheduler)
    local = workers or os.cpu_count() or 1
    with terminal.bar(1, "of the scenarios", "checking scenarios") as tell:
        asked = sweep_file.read(file, tell)
    folder = out or disk.usable(Path("build") / file.stem)
    with terminal.waiting("looking for results"):
        left = sweep_run.missing(asked, folder, _warn)
    with (
        nullcontext((sweep_workers.pool(local), local)) if scheduler is None else sweep_cluster.cluster(scheduler) as (
            start,
            number,
        )
    ):
        _announce(asked, left, number, yes=yes)
        pace = _Pace(len(asked))
        with terminal.bar(len(asked), "scenarios", line=pace.line) as bar:
            done, digest = sweep_run.run(asked, folder, start, number, partial(_tell, pace, bar))
    with terminal.waiting("writing the table"):
        path = _written(asked, folder)
    if as_json:
        terminal.print_json(
            {"folder": str(folder), "scenarios": done.scenarios, "found": done.found, "blocks": done.blocks,
             "found_blocks": done.found_blocks, "trials": done.trials, "digest": digest, "csv": path}
        )  # fmt: skip
        return
    _show(asked, folder, path)
    terminal.tell(
        f"{counted(done.scenarios, 'scenario')} in {folder / 'results'}: {done.found} already computed, "
        f"{done.scenarios - done.found} computed now; {counted(done.trials, 'trial')} simulated"
    )
    terminal.tell(f"Digest of all results: {digest}")


def _announce(asked: Sweep, left: int, workers: int, *, yes: bool) -> None:
    """Say what is to be done and how long it takes; what takes long is to be confirmed."""
    from simtrial.sweep import task

    with terminal.waiting("timing a few scenarios"):
        size = task.calibrate(asked) if left else task.Cost(0, 0.0)
    seconds = size.seconds * left / workers + START_UP if left else 0.0
    minutes = seconds / 60
    there = f", {len(asked) - left} of them already computed" if left < len(asked) else ""
    terminal.say(
        f"{counted(len(asked), 'scenario')}{there}; to do: about {counted(size.trials * left, 'simulated trial')}, "
        f"{terminal.spell(seconds)} on {counted(workers, 'worker')}"
    )
    if minutes > CONFIRM_MINUTES and not yes:
        raise InputError(
            f"is estimated to take {counted(round(minutes), 'minute')}; add --yes to run it anyway", f"{asked.path}:"
        )


def _written(asked: Sweep, folder: Path) -> str | None:
    """Write the table of a finished sweep, one scenario per row; None where it has too many scenarios for one file."""
    from simtrial.sweep import results, tables

    if len(asked) > MOST_IN_CSV:
        return None
    path = folder / "table.csv"
    frame = tables.every(asked, results.stored(folder, range(len(asked)))).frame
    disk.write(path, csv_files.of_frame(frame.drop(columns=[name for name in frame if name.endswith("_shown")])))
    return str(path)


def _show(asked: Sweep, folder: Path, path: str | None) -> None:
    """Print the first scenarios, and say where the others are."""
    from simtrial.sweep import results, tables

    first = range(min(len(asked), MOST_SHOWN))
    table = tables.every(asked, results.stored(folder, first))
    view = table.view()
    where = f"in {path}" if path is not None else f"in the Parquet files of {folder / 'results'}"
    left = len(asked) - len(first)
    more = f"the first {len(first)} of {counted(len(asked), 'scenario')}; all are" if left else "all scenarios; also"
    title = f"Outcomes, exact or ± Monte Carlo standard error: {more} {where}"
    left_columns = len(table.shown) - len(table.right)
    heads, rows = list(view.columns), [[cell.replace(" ± ", "±") for cell in row] for row in view.to_numpy().tolist()]
    for columns in side_by_side([heads, *rows], left_columns, terminal.width()):
        chosen = [*range(left_columns), *columns]
        terminal.table(title, [heads[k] for k in chosen], [[row[k] for k in chosen] for row in rows], left=left_columns)
        title = "The same scenarios, further outcomes"


def side_by_side(rows: Sequence[Sequence[str]], kept: int, width: int) -> list[list[int]]:
    """The columns of a table in groups that fit beside the first ones, so that no number is cut or broken.

    Parameters
    ----------
    rows : sequence of sequence of str
        Cells, the headings among them.
    kept : int
        Columns that every group stands beside.
    width : int
        Letters of a line.

    Returns
    -------
    list of list of int
        The columns of each group, at least one.
    """
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    groups: list[list[int]] = [[]]
    for k in range(kept, len(widths)):
        if groups[-1] and sum(widths[:kept]) + sum(widths[j] for j in groups[-1]) + widths[k] > width:
            groups.append([])
        groups[-1].append(k)
    return groups


def _warn(remark: str) -> None:
    """Say what is not as it should be."""
    terminal.warn(f"simtrial: {terminal.one_line(remark)}")


class _Pace:
    """How far a run is, and how fast."""

    def __init__(self, scenarios: int) -> None:
        self.scenarios, self.done, self.found = scenarios, 0, 0
        self.began = time.monotonic()

    def line(self) -> str:
        """The line that says so."""
        how = f"{self.done} of {counted(self.scenarios, 'scenario')}"
        computed = self.done - self.found
        if not computed or self.done == self.scenarios:
            return how
        rate = computed / (time.monotonic() - self.began)
        return f"{how}, {rate:.1f} per second, {terminal.spell((self.scenarios - self.done) / rate)} left"


def _tell(pace: _Pace, bar: Callable[[float], None], now: Progress) -> None:
    """Move the bar, and say where nothing is finished for long."""
    bar(now.done - pace.done)
    pace.done, pace.found = now.done, now.found
    if now.stalled >= QUIET and now.stalled % QUIET == 0:
        terminal.warn(f"  no result for {now.stalled:.0f} s; check that the workers are running")
