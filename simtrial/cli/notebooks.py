"""The commands that run notebooks of the project itself: the validation and the lessons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simtrial import csv_files
from simtrial.cli import options
from simtrial.show import terminal


def validate(
    file: Annotated[Path | None, typer.Argument(help="Parameter file whose own design is checked as well.")] = None,
    out: options.Out = Path("build"),
) -> None:
    """Compare the results with their references on this machine; the exit code is 1 if one differs."""
    from simtrial.report import run as report_run

    done = report_run.validate(file, out, terminal.progress())
    head, *cells = csv_files.read((done.folder / "tables" / "verdict.csv").read_text(encoding="utf-8"))
    for row in (dict(zip(head, one, strict=True)) for one in cells):
        terminal.tell(f"{row['case']}: {int(row['compared']) - int(row['failed'])} of {row['compared']} agree")
    terminal.tell(f"\nValidation report: {done.html}")
    terminal.tell(f"Validation document: {done.folder / 'validation.docx'}")


def lessons(
    seed: Annotated[int, options.number_option("seed", "Seed of all simulated trials, from 0 on.")] = 1,
    out: options.Out = Path("build"),
) -> None:
    """Run the lessons and write them as one HTML handout."""
    from simtrial.report import run as report_run

    terminal.tell(f"Handout: {report_run.lessons(seed, out, terminal.progress())}")
