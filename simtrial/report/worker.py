"""One report in a process of its own, which ends with the process that asked for it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from typing import TYPE_CHECKING

from simtrial import interruption
from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.report import run as report_run
from simtrial.report.execution import NotebookError
from simtrial.report.index import FAILED, WRONG, ReportEntry, TakenDesign, failure
from simtrial.show import ending, terminal
from simtrial.trial.case import Case

if TYPE_CHECKING:
    from pathlib import Path

    from simtrial.report.wish import Wish
    from simtrial.trial.params import Source
    from simtrial.trial.trial import Trial


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportTask:
    """A file that was read, and where its report goes."""

    trial: Trial
    source: Source
    out: Path
    entry: ReportEntry
    replace_other: bool
    wish: Wish


def work(task: ReportTask) -> ReportEntry:
    """Write one report; this runs in a process of its own."""
    signal.signal(signal.SIGTERM, interruption.end)
    threading.Thread(target=_follow_parent, daemon=True).start()
    _hush_kernels()
    try:
        return _written(task)
    except KeyboardInterrupt:
        # what was begun is removed by now; the pool would catch an exception and wait for the next task
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _hush_kernels() -> None:
    """Keep standard error for this process: what kernels log as they end names no file, and failures are told."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a device, not a place
        os.dup2(nowhere.fileno(), 2)


def _follow_parent() -> None:
    """End with the process that asked for the report, even if that was killed and could tell nobody."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _written(task: ReportTask) -> ReportEntry:
    began = time.monotonic()
    entry = task.entry
    try:
        done = report_run.of_trial(
            task.trial,
            task.source,
            task.out,
            lambda step: _say(entry, f"{step} ..."),
            replace=task.replace_other,
            wish=task.wish,
        )
        asked = task.trial.requirements
        oc = operating_characteristics(done.design, [asked.p0, asked.p1])
    except InputError as error:
        return failure(entry, WRONG, error)
    except (NotebookError, OSError) as error:
        return failure(entry, FAILED, error)
    except Exception as error:  # a fault of simtrial's own is no reason to lose the other files
        if interruption.received():  # what is broken off may raise anything
            raise KeyboardInterrupt from None
        return failure(entry, FAILED, RuntimeError(ending.unforeseen(error, ["report", entry.file])))
    _say(entry, f"done in {time.monotonic() - began:.1f} s")
    chosen = looks_text(done.design, ", ")
    return replace(
        entry,
        answer=TakenDesign(chosen, float(oc.reject[0]), float(oc.reject[1]), Case.of(task.trial).keeps),
    )


def _say(entry: ReportEntry, what: str) -> None:
    # one write, so that lines of several processes never mix
    sys.stderr.write(f"  {entry.file}: {terminal.one_line(what)}\n")
    sys.stderr.flush()
