"""The page over many reports, and what became of each parameter file."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import __version__, disk
from simtrial.phrases import counted
from simtrial.report.page import render
from simtrial.report.write import date
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence


INDEX = "index.html"

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


@dataclass(frozen=True, kw_only=True, slots=True)
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


def failure(entry: ReportEntry, code: int, error: Exception) -> ReportEntry:
    """The entry of a file whose report is not there, and why in one line."""
    return replace(entry, code=code, error=terminal.one_line(str(error)).removeprefix(f"{entry.file}: "))


def write_index(entries: Sequence[ReportEntry], out: Path) -> Path:
    """Write the page whole: one that is there is a complete one."""
    page = out / INDEX
    disk.write(page, _index(entries, out))
    return page


def _index(entries: Sequence[ReportEntry], out: Path) -> str:
    import nbformat

    rows = [asdict(_placeless(entry, out)) | {"status": entry.status} for entry in entries]
    page = {
        "title": f"Reports of {counted(len(entries), 'parameter file')}",
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
