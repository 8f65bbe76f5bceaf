"""The command that runs sweeps."""

from __future__ import annotations

import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simtrial import csv_files, disk
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

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

EVERY = 5.0
"""Seconds between lines where there is no terminal."""


def sweep(
    file: Annotated[Path, typer.Argument(help="Sweep file, such as params/sweep_NCT07022301.yaml.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the results; default: build/<name of the file>.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="Run on the Dask cluster of this scheduler. Dask does not authenticate clients.",
        ),
    ] = None,
    workers: Annotated[
        int | None, terminal.number_option("processes", "Processes on this machine; default: one per core.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Run even if it is estimated to take long.")] = False,
    as_json: terminal.Json = False,
) -> None:
    """Run a trial over a grid of its parameters; when run again, only missing results are computed."""
    from simtrial.sweep import file as sweep_file
    from simtrial.sweep import run as sweep_run
    from simtrial.sweep import task
    from simtrial.sweep import workers as sweep_workers

    asked = sweep_file.read(file)
    folder = out or Path("build") / file.stem
    local = workers or os.cpu_count() or 1
    left = sweep_run.missing(asked, folder)
    size = task.calibrate(asked) if left else task.Cost(0, 0.0)
    with (
        nullcontext((sweep_workers.pool(local), local)) if scheduler is None else sweep_workers.cluster(scheduler) as (
            start,
            number,
        )
    ):
        seconds = size.seconds * left / number + START_UP if left else 0.0
        minutes = seconds / 60
        there = f", {len(asked) - left} of them already computed" if left < len(asked) else ""
        terminal.say(
            f"{counted(len(asked), 'scenario')}{there}; to do: about {counted(size.trials * left, 'simulated trial')}, "
            f"{_spell(seconds)} on {counted(number, 'worker')}"
        )
        if minutes > CONFIRM_MINUTES and not yes:
            raise InputError(
                f"is estimated to take {counted(round(minutes), 'minute')}; add --yes to run it anyway", f"{file}:"
            )
        with terminal.bar(len(asked), "scenarios") as tell:
            done, digest = sweep_run.run(asked, folder, start, number, _teller(len(asked), tell))
    if as_json:
        terminal.print_json(
            {"folder": str(folder), "scenarios": done.scenarios, "found": done.found, "blocks": done.blocks,
             "found_blocks": done.found_blocks, "trials": done.trials, "digest": digest, "csv": _written(asked, folder)}
        )  # fmt: skip
        return
    _show(asked, folder)
    terminal.tell(
        f"{counted(done.scenarios, 'scenario')} in {folder / 'results'}: {done.found} already computed, "
        f"{done.scenarios - done.found} computed now; {counted(done.trials, 'trial')} simulated"
    )
    terminal.tell(f"Digest of all results: {digest}")


def _written(asked: Sweep, folder: Path) -> str | None:
    """Write the table of a finished sweep, one scenario per row; None where it has too many scenarios for one file."""
    from simtrial.sweep import results, tables

    if len(asked) > MOST_IN_CSV:
        return None
    path = folder / "table.csv"
    frame = tables.every(asked, results.stored(folder, range(len(asked)))).frame
    disk.write(path, csv_files.of_frame(frame.drop(columns=[name for name in frame if name.endswith("_shown")])))
    return str(path)


def _show(asked: Sweep, folder: Path) -> None:
    """Print the first scenarios, and say where the others are."""
    from simtrial.sweep import results, tables

    path, first = _written(asked, folder), range(min(len(asked), MOST_SHOWN))
    table = tables.every(asked, results.stored(folder, first))
    view = table.view()
    where = f"in {path}" if path is not None else f"in the Parquet files of {folder / 'results'}"
    left = len(asked) - len(first)
    more = f"the first {len(first)} of {counted(len(asked), 'scenario')}; all are" if left else "all scenarios; also"
    terminal.table(
        f"Outcomes, exact or ± Monte Carlo standard error: {more} {where}",
        list(view.columns),
        [[cell.replace(" ± ", "±") for cell in row] for row in view.to_numpy().tolist()],
        left=len(table.shown) - len(table.right),
    )


def _spell(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _teller(scenarios: int, bar: Callable[[int], None]) -> Callable[[Progress], None]:
    """Move the bar on a terminal; elsewhere say a line now and then, with rate and time left."""
    began = last = time.monotonic()
    shown: int | None = None

    def tell(now: Any) -> None:
        nonlocal last, shown
        bar(now.done - (shown or 0))
        first, shown = shown is None, now.done
        moment = time.monotonic()
        if now.stalled >= QUIET and now.stalled % QUIET == 0:
            terminal.say(f"  no result for {now.stalled:.0f} s; check that the workers are running")
        if sys.stderr.isatty() or moment - last < EVERY or first:
            return
        last = moment
        rate = max(now.done - now.found, 1e-9) / (moment - began)
        left = _spell((scenarios - now.done) / rate)
        terminal.say(f"  {now.done} of {counted(scenarios, 'scenario')}, {rate:.1f} per second, {left} left")

    return tell
