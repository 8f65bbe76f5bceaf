"""Many parameter files at once: a report for each, in processes of their own, and one page over them all.

Every file gets a pool of one process, so that a process that is killed takes its own file with it and no other. The
processes share nothing but the file system: each writes its report the way a single run does, in a folder of its own.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import active_children, get_context, resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.interruption import held
from simtrial.report import replacement, unfinished
from simtrial.report import run as report_run
from simtrial.report.index import FAILED, INDEX, WRONG, ReportEntry, Reports, failure, write_index
from simtrial.report.wish import Wish
from simtrial.report.worker import ReportTask, work
from simtrial.show import terminal
from simtrial.trial import params

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.process import BaseProcess

PATIENCE = 2.0
"""Seconds that a process has for ending its kernel and removing what it began, before it is killed."""


@dataclass(frozen=True, slots=True)
class _Running:
    """A task and the process that is at it."""

    task: ReportTask
    pool: ProcessPoolExecutor
    future: Future[ReportEntry]
    process: BaseProcess

    def entry(self) -> ReportEntry:
        """What became of it, once it has ended."""
        broken = isinstance(self.future.exception(), BrokenProcessPool)
        self.pool.shutdown()  # joins the process: only then is its exit code known
        if not broken:
            return self.future.result()
        unfinished.clear(self.final)
        return replace(self.task.entry, code=FAILED, error=f"its process {_fate(self.process.exitcode)}")

    @property
    def final(self) -> Path:
        """Where its report goes."""
        return self.task.out / self.task.entry.study


def write(
    files: Sequence[str | Path],
    out: str | Path = "build",
    jobs: int | None = None,
    *,
    replace: bool = False,
    parts: Sequence[str] | None = None,
    preview_analysis: bool = False,
    docx: bool = True,
    pdf: bool = False,
) -> Reports:
    """Write a report for every parameter file, then ``out/index.html``; say on standard error how far each is.

    A file that is wrong, or whose notebook fails, fails alone. On an interrupt all processes are stopped, and neither
    a half-written report nor a new index is left. To be called from the main thread of a program that guards its main
    module, as for every use of spawned processes.

    Parameters
    ----------
    files : sequence of str or Path
        Parameter files, each of another study.
    out : str or Path
        Folder for results; made if missing.
    jobs : int, optional
        Reports made at the same time; one per core if not given.
    replace : bool
        Also replace reports of the same ids that were made from other files; without it such a file is wrong.
    parts, preview_analysis, docx, pdf
        Of each report; see `simtrial.report.run.write`.

    Raises
    ------
    InputError
        If two files are of the same study, `jobs` is no number of processes, a part is not known, or nothing prints PDF
        on this machine; nothing is run.
    """
    at_once = _at_once(jobs, len(files))
    wish = Wish.of(parts, preview_analysis=preview_analysis, docx=docx, pdf=pdf)
    entries = [_read(file, Path(out), wish, replace_other=replace) for file in files]
    tasks = [entry for entry in entries if isinstance(entry, ReportTask)]
    _refuse_twins([entry.entry if isinstance(entry, ReportTask) else entry for entry in entries])
    Path(out).mkdir(parents=True, exist_ok=True)
    for entry in entries:
        if isinstance(entry, ReportEntry):
            _complain(entry)
    done = {entry.study: entry for entry in _run(tasks, at_once)}
    all_entries = tuple(done[e.entry.study] if isinstance(e, ReportTask) else e for e in entries)
    return Reports(write_index(all_entries, Path(out)), all_entries)


def _at_once(jobs: int | None, files: int) -> int:
    if jobs is not None:
        TABLE["processes"].count(jobs, "jobs")
    # a container or taskset may leave fewer cores than the machine has
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(jobs or cores, files))


def _read(
    file: str | Path, out: Path, wish: Wish | None = None, *, replace_other: bool = False
) -> ReportTask | ReportEntry:
    entry = ReportEntry(file=terminal.one_line(str(file)))
    try:
        trial, source = params.read(file)
        entry = replace(entry, study=trial.study.id, title=trial.study.title)
        if trial.study.id.casefold() == INDEX:
            raise InputError(f"({trial.study.id}) is the page over all reports; choose another", "trial.study.id")
        unfinished.refuse(out / trial.study.id)
        if not replace_other:
            replacement.refuse(out / trial.study.id, source)
        wish = wish or Wish()
        report_run.wanted(trial, source, wish)
    except InputError as error:
        return failure(entry, WRONG, error)
    return ReportTask(trial=trial, source=source, out=out, entry=entry, replace_other=replace_other, wish=wish)


def _refuse_twins(entries: Sequence[ReportEntry]) -> None:
    """Two files of one study would write one folder; so would ids that differ by case only, on many disks.

    A file that is wrong counts too, if its id is known: it may be wrong because the report of its twin is there.
    """
    seen: dict[str, ReportEntry] = {}
    for entry in (one for one in entries if one.study):
        other = seen.setdefault(entry.study.casefold(), entry)
        if other is not entry:
            ids = entry.study if entry.study == other.study else f"{other.study} ({entry.study} in the second)"
            raise InputError(f"both hold trial.study.id {ids}; give each its own", f"{other.file} and {entry.file}")


def _run(tasks: Sequence[ReportTask], at_once: int) -> list[ReportEntry]:
    """Run all tasks, so many at once; whatever ends this early ends the processes too."""
    waiting, running, entries = deque(tasks), dict[Future[ReportEntry], _Running](), list[ReportEntry]()
    others = set(active_children())
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                with held():
                    started = _start(waiting.popleft())
                    running[started.future] = started
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                entries.append(running[future].entry())
                del running[future]
                _complain(entries[-1])
    finally:
        # asked of the system, for an interrupt may come between the start of a process and the line that notes it
        _stop(set(active_children()) - others, list(running.values()))
    return entries


def _start(task: ReportTask) -> _Running:
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    resource_tracker.ensure_running()  # it would undo what `_born_deaf` sets
    others = set(active_children())
    with _born_deaf():
        future = pool.submit(work, task)
        (process,) = set(active_children()) - others
    return _Running(task, pool, future, process)


@contextmanager
def _born_deaf() -> Iterator[None]:
    """Start processes that do not hear Ctrl-C, which a terminal sends to all: this process alone tells them to stop.

    They inherit what is blocked here; one that comes meanwhile is heard at the end.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows has no signals to block
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop(processes: set[BaseProcess], running: Sequence[_Running]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
    for one in running:
        one.pool.shutdown()
        unfinished.clear(one.final)


def _fate(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        memory = "; too little memory, perhaps" if -exit_code == 9 else ""
        return f"was killed by signal {-exit_code} before it was done{memory}"
    return f"ended with exit code {exit_code} before it was done"


def _complain(entry: ReportEntry) -> None:
    if entry.error:
        terminal.warn(f"simtrial: {entry.file}: {entry.error}")
