"""The commands that run notebooks of the project itself: the validation and the lessons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial import csv_files
from simtrial.cli import options
from simtrial.phrases import agreeing, counted
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence


def validate(
    file: Annotated[Path | None, typer.Argument(help="Parameter file whose own design is checked as well.")] = None,
    out: options.Out = Path("build"),
) -> None:
    """Compare the results with their references on this machine; the exit code is 1 if one differs."""
    from simtrial.report import run as report_run

    done = report_run.validate(file, out, terminal.progress())
    head, *cells = csv_files.read((done.folder / "tables" / "verdict.csv").read_text(encoding="utf-8"))
    rows = [dict(zip(head, one, strict=True)) for one in cells]
    compared, failed = ([int(row[key]) for row in rows] for key in ("compared", "failed"))
    for row, all_of_it, differ in zip(rows, compared, failed, strict=True):
        terminal.tell(f"{row['case']}: {all_of_it - differ} of {all_of_it} agree")
    terminal.tell(f"\n{total(compared, failed)}")
    terminal.tell(f"\nValidation report: {done.html}")
    terminal.tell(f"Validation document: {done.folder / 'validation.docx'}")


def total(compared: Sequence[int], failed: Sequence[int]) -> str:
    """The verdict on all cases in a line.

    Parameters
    ----------
    compared, failed : sequence of int
        Of each case: the numbers compared, and those that disagree.

    Examples
    --------
    >>> total([1200, 1], [0, 0])
    '2 cases, 1,201 numbers compared, 0 disagree'
    """
    wrong = sum(failed)
    said = f"{counted(len(compared), 'case')}, {counted(sum(compared), 'number')} compared"
    return f"{said}, {wrong:,} {agreeing(wrong, 'disagrees', 'disagree')}"


def lessons(
    seed: Annotated[int, options.number_option("seed", "Seed of all simulated trials, from 0 on.")] = 1,
    out: options.Out = Path("build"),
) -> None:
    """Run the lessons and write them as one HTML handout."""
    from simtrial.report import run as report_run

    terminal.tell(f"Handout: {report_run.lessons(seed, out, terminal.progress())}")
