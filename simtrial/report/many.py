"""Many parameter files at once: a report for each, in processes of their own, and one page over them all.

Every file gets a pool of one process, so that a process that is killed takes its own file with it and no other. The
processes share nothing but the file system: each writes its report the way a single run does, in a folder of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import __version__
from simtrial.design.designs import looks_text
from simtrial.design.exact import meets, operating_characteristics
from simtrial.errors import InputError
from simtrial.report import replacement
from simtrial.report import run as report
from simtrial.report.execution import NotebookError
from simtrial.report.page import render
from simtrial.report.write import date
from simtrial.show import terminal
from simtrial.trial import params

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.process import BaseProcess
    from types import FrameType

    from simtrial.trial.params import Source
    from simtrial.trial.trial import Trial

INDEX = "index.html"
PATIENCE = 30.0
"""Seconds that a process has for ending its kernel and removing what it began, before it is killed."""

DONE, FAILED, WRONG = 0, 1, 2
"""What became of a file; also the exit codes of the command."""

STATUS = {DONE: "done", FAILED: "failed", WRONG: "wrong input"}


@dataclass(frozen=True, slots=True)
class TakenDesign:
    """The design that a report takes, and its exact errors."""

    design: str
    type_i_error: float
    power: float
    meets: bool


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """What became of one parameter file.

    Attributes
    ----------
    file : str
        As given.
    study, title : str
        Empty if the file could not be read.
    answer : TakenDesign or None
        If the report is there.
    code : int
        `DONE`, `FAILED` or `WRONG`.
    error : str
        In one line; empty if the report is there.
    """

    file: str
    study: str = ""
    title: str = ""
    answer: TakenDesign | None = None
    code: int = DONE
    error: str = ""

    @property
    def status(self) -> str:
        """The same in a word or two."""
        return "done, misses its limits" if self.answer and not self.answer.meets else STATUS[self.code]


@dataclass(frozen=True, slots=True)
class Reports:
    """The page over all reports, and what became of each file, in the order given."""

    html: Path
    entries: tuple[ReportEntry, ...]

    @property
    def code(self) -> int:
        """Exit code: 2 if some input was wrong, else 1 if some report failed, else 0."""
        return max(entry.code for entry in self.entries)


@dataclass(frozen=True, slots=True)
class _Task:
    """A file that was read, and where its report goes."""

    trial: Trial
    source: Source
    out: Path
    entry: ReportEntry
    replace_other: bool


@dataclass(frozen=True, slots=True)
class _Running:
    """A task and the process that is at it."""

    task: _Task
    pool: ProcessPoolExecutor
    future: Future[ReportEntry]
    process: BaseProcess

    def entry(self) -> ReportEntry:
        """What became of it, once it has ended."""
        broken = isinstance(self.future.exception(), BrokenProcessPool)
        self.pool.shutdown()  # joins the process: only then is its exit code known
        if not broken:
            return self.future.result()
        self.clear()
        return replace(self.task.entry, code=FAILED, error=f"its process {_fate(self.process.exitcode)}")

    def clear(self) -> None:
        """Remove what the process left unfinished."""
        report.clear(self.task.out / self.task.entry.study, self.process.pid or 0)


def write(
    files: Sequence[str | Path], out: str | Path = "build", jobs: int | None = None, *, replace: bool = False
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

    Raises
    ------
    InputError
        If two files are of the same study, or `jobs` is no number of processes; nothing is run.
    """
    at_once = _at_once(jobs, len(files))
    entries: list[ReportEntry | _Task] = [_read(file, Path(out), replace_other=replace) for file in files]
    tasks = [entry for entry in entries if isinstance(entry, _Task)]
    _refuse_twins(tasks)
    Path(out).mkdir(parents=True, exist_ok=True)
    for entry in entries:
        if isinstance(entry, ReportEntry):
            _complain(entry)
    done = {entry.study: entry for entry in _run(tasks, at_once)}
    all_entries = tuple(done[e.entry.study] if isinstance(e, _Task) else e for e in entries)
    return Reports(_write_index(all_entries, Path(out)), all_entries)


def _at_once(jobs: int | None, files: int) -> int:
    if jobs is not None and jobs < 1:
        raise InputError(f"({jobs}) must be a whole number from 1", "jobs")
    # a container or taskset may leave fewer cores than the machine has
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(jobs or cores, files))


def _read(file: str | Path, out: Path, *, replace_other: bool = False) -> _Task | ReportEntry:
    entry = ReportEntry(terminal.one_line(str(file)))
    try:
        trial, source = params.read(file)
        entry = replace(entry, study=trial.study.id, title=trial.study.title)
        if trial.study.id.casefold() == INDEX:
            raise InputError(f"({trial.study.id}) is the page over all reports; choose another", "trial.study.id")
        if not replace_other:
            replacement.refuse(out / trial.study.id, source)
    except InputError as error:
        return _failure(entry, WRONG, error)
    return _Task(trial, source, out, entry, replace_other)


def _refuse_twins(tasks: Sequence[_Task]) -> None:
    """Two files of one study would write one folder; so would ids that differ by case only, on many disks."""
    seen: dict[str, ReportEntry] = {}
    for entry in (task.entry for task in tasks):
        other = seen.setdefault(entry.study.casefold(), entry)
        if other is not entry:
            ids = entry.study if entry.study == other.study else f"{other.study} ({entry.study} in the second)"
            raise InputError(f"both hold trial.study.id {ids}; give each its own", f"{other.file} and {entry.file}")


def _run(tasks: Sequence[_Task], at_once: int) -> list[ReportEntry]:
    """Run all tasks, so many at once; whatever ends this early ends the processes too."""
    waiting, running, entries = deque(tasks), dict[Future[ReportEntry], _Running](), list[ReportEntry]()
    others = set(active_children())
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
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


def _start(task: _Task) -> _Running:
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    others = set(active_children())
    with _born_deaf():
        future = pool.submit(_work, task)
    (process,) = set(active_children()) - others
    return _Running(task, pool, future, process)


@contextmanager
def _born_deaf() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which a terminal sends to all: this process alone tells them to stop."""
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


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
        one.clear()


def _work(task: _Task) -> ReportEntry:
    """Write one report; this runs in a process of its own."""
    signal.signal(signal.SIGTERM, _interrupt)
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


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: a second one must not break off the removal
    raise KeyboardInterrupt


def _follow_parent() -> None:
    """End with the process that asked for the report, even if that was killed and could tell nobody."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _written(task: _Task) -> ReportEntry:
    began = time.monotonic()
    entry = task.entry
    try:
        done = report.of_trial(
            task.trial, task.source, task.out, lambda step: _say(entry, f"{step} ..."), replace=task.replace_other
        )
        asked = task.trial.requirements
        oc = operating_characteristics(done.design, [asked.p0, asked.p1])
    except InputError as error:
        return _failure(entry, WRONG, error)
    except (NotebookError, OSError) as error:
        return _failure(entry, FAILED, error)
    except Exception as error:  # a fault of simtrial's own is no reason to lose the other files
        return _failure(entry, FAILED, RuntimeError(f"{type(error).__name__}: {error} (run it alone to see where)"))
    _say(entry, f"done in {time.monotonic() - began:.1f} s")
    chosen = looks_text(done.design, ", ")
    return replace(
        entry, answer=TakenDesign(chosen, float(oc.reject[0]), float(oc.reject[1]), bool(meets(done.design, asked)))
    )


def _failure(entry: ReportEntry, code: int, error: Exception) -> ReportEntry:
    return replace(entry, code=code, error=terminal.one_line(str(error)).removeprefix(f"{entry.file}: "))


def _fate(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        memory = "; too little memory, perhaps" if -exit_code == 9 else ""
        return f"was killed by signal {-exit_code} before it was done{memory}"
    return f"ended with exit code {exit_code} before it was done"


def _say(entry: ReportEntry, what: str) -> None:
    # one write, so that lines of several processes never mix
    sys.stderr.write(f"  {entry.file}: {terminal.one_line(what)}\n")
    sys.stderr.flush()


def _complain(entry: ReportEntry) -> None:
    if entry.error:
        terminal.say(f"simtrial: {entry.file}: {entry.error}")


def _write_index(entries: Sequence[ReportEntry], out: Path) -> Path:
    """Write the page under another name first: a page that is there is a complete one."""
    page = out / INDEX
    handle, name = tempfile.mkstemp(prefix=f".{INDEX}-", dir=out)
    try:
        with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - it is open already
            file.write(_index(entries, out))
        Path(name).chmod(0o644)
        Path(name).replace(page)
    finally:
        Path(name).unlink(missing_ok=True)
    return page


def _index(entries: Sequence[ReportEntry], out: Path) -> str:
    import nbformat

    rows = [asdict(_placeless(entry, out)) | {"status": entry.status} for entry in entries]
    page = {
        "title": f"Reports of {len(entries)} parameter files",
        "summary": _summary(entries),
        "rows": rows,
        "made": f"Made by simtrial {__version__}, {date()}.",
    }
    return render("reports.html.j2", nbformat.v4.new_notebook(), page)


def _placeless(entry: ReportEntry, out: Path) -> ReportEntry:
    """Name no folder of this machine: the page may be moved with the reports, and what is beside it stays there."""
    file = Path(entry.file)
    error = entry.error
    for folder in (out, out.resolve(), file.parent, file.parent.resolve()):
        if folder.name:  # not "." or "/", which stand in other words
            error = error.replace(f"{folder}{os.sep}", "")
    return replace(entry, file=file.name, error=error)


def _summary(entries: Sequence[ReportEntry]) -> str:
    codes = [entry.code for entry in entries]
    words = {DONE: "{} done", FAILED: "{} failed", WRONG: "{} with wrong input"}
    return ", ".join(words[code].format(codes.count(code)) for code in words if code in codes)
