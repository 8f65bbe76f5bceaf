"""The command that makes reports."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import options
from simtrial.phrases import rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from simtrial.report.index import Reports
    from simtrial.report.run import Report


Preview = Annotated[
    bool,
    typer.Option(
        "--preview-analysis",
        help="Also write preview_analysis.html: the analysis, on synthetic data, marked as such.",
    ),
]
Docx = Annotated[
    bool,
    typer.Option(
        "--docx/--no-docx",
        help="Also write the documents to hand in, for Word: protocol.docx; simulation_report.docx where the file has "
        "the section conduct, results.docx where it has results.",
    ),
]
Pdf = Annotated[
    bool, typer.Option("--pdf", help="Also print report and documents as PDF, by a Chromium on this machine.")
]


def report(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Parameter files, such as params/NCT07022301.yaml.")
    ],
    out: options.Out = Path("build"),
    jobs: Annotated[
        int | None, options.number_option("processes", "Reports made at the same time; one per core if not given.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also replace a report of the same id made from another file.")
    ] = False,
    parts: Annotated[
        str | None,
        typer.Option(
            metavar="PART,...",
            help="Parts of the report: design, conduct, review, analysis. Default: those of the file, or else design, "
            "conduct if the file has that section, and analysis if it has results.",
        ),
    ] = None,
    preview_analysis: Preview = False,
    docx: Docx = True,
    pdf: Pdf = False,
) -> None:
    """Run the notebooks on a parameter file and write one HTML report with its tables and figures.

    Several files give a report each, made side by side, and a page over them all.
    """
    chosen = None
    if parts is not None:
        from simtrial.trial import parts as trial_parts

        chosen = trial_parts.read(parts)
    if len(files) > 1:
        from simtrial.report import many as report_many

        _show(report_many.write(
            files, out, jobs, replace=replace, parts=chosen, preview_analysis=preview_analysis, docx=docx,
            pdf=pdf,
        ))  # fmt: skip
        return
    from simtrial.report import run as report_run

    began = time.monotonic()
    done = report_run.write(
        files[0], out, terminal.progress(), replace=replace, parts=chosen, preview_analysis=preview_analysis, docx=docx,
        pdf=pdf,
    )  # fmt: skip
    _tell(done, time.monotonic() - began)


def _tell(done: Report, seconds: float) -> None:
    """What one report says on the terminal, and where its files are."""
    from simtrial.report import papers
    from simtrial.report import run as report_run
    from simtrial.trial import text
    from simtrial.trial.case import Case

    terminal.say(f"  done in {seconds:.1f} s")
    terminal.tell(str(text.protocol(Case.of(done.trial))))
    terminal.tell(f"\nReport: {done.html}")
    preview = done.folder / f"{report_run.PREVIEW}.html"
    if preview.exists():
        terminal.tell(f"Preview of the analysis: {preview}")
    for name, said in papers.NAMES.items():
        if (done.folder / f"{name}.docx").exists():
            terminal.tell(f"{said}: {done.folder / name}.docx")
    printed = sorted(str(one) for one in done.folder.glob("*.pdf"))
    if printed:
        terminal.tell(f"PDF: {', '.join(printed)}")


def _show(done: Reports) -> None:
    rows = []
    for entry in done.entries:
        found = entry.answer
        numbers = (found.design, rate(found.type_i_error), rate(found.power)) if found else ("–", "–", "–")
        rows.append((entry.study or entry.file, entry.status, *numbers))
    terminal.table("Reports", ("Study", "Status", "Design (r/n)", "Type I error", "Power"), rows, left=3)
    terminal.tell(f"Index: {done.html}")
    raise typer.Exit(done.code)
