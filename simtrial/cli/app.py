"""The command line: tables for people, one JSON object with ``--json``, one line for an error."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial.cli import analysis as cli_analysis
from simtrial.cli import design as cli_design
from simtrial.cli import estimands as cli_estimands
from simtrial.cli import explore as cli_explore
from simtrial.cli import review as cli_review
from simtrial.cli import sweep as cli_sweep
from simtrial.cli import usage
from simtrial.cli.calendar import EPILOG, DesignCommand
from simtrial.errors import InputError
from simtrial.phrases import rate
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.report.index import Reports

app = typer.Typer(
    name="simtrial",
    help="Design and simulate single-arm phase II trials with an objective-response endpoint, exactly.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(cls=DesignCommand, epilog=EPILOG)(cli_design.design)
for command in (
    cli_design.oc, cli_design.simulate,
    cli_review.check, cli_review.reproduce, cli_review.printed, cli_review.import_registry,
    cli_analysis.analyze, cli_analysis.monitor, cli_analysis.columns, cli_analysis.synthetic, cli_sweep.sweep,
    cli_explore.explore, cli_estimands.estimands,
):  # fmt: skip
    app.command()(command)


@app.command()
def report(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Parameter files, such as params/NCT07022301.yaml.")
    ],
    out: terminal.Out = Path("build"),
    jobs: Annotated[
        int | None, terminal.whole_option("Reports made at the same time; one per core if not given.")
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
    preview_analysis: Annotated[
        bool,
        typer.Option(
            "--preview-analysis",
            help="Also write preview_analysis.html: the analysis, on synthetic data, marked as such.",
        ),
    ] = False,
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

        _show(report_many.write(files, out, jobs, replace=replace, parts=chosen, preview_analysis=preview_analysis))
        return
    from simtrial.report import run as report_run
    from simtrial.trial import text
    from simtrial.trial.case import Case

    if jobs is not None and jobs < 1:
        raise InputError(f"({jobs}) must be a whole number from 1", "jobs")
    began = time.monotonic()
    done = report_run.write(
        files[0], out, terminal.progress(), replace=replace, parts=chosen, preview_analysis=preview_analysis
    )
    terminal.say(f"  done in {time.monotonic() - began:.1f} s")
    print(text.protocol(Case.of(done.trial)))
    print(f"\nReport: {done.html}")
    if preview_analysis:
        print(f"Preview of the analysis: {done.folder / report_run.PREVIEW}.html")


def _show(done: Reports) -> None:
    rows = []
    for entry in done.entries:
        found = entry.answer
        numbers = (found.design, rate(found.type_i_error), rate(found.power)) if found else ("–", "–", "–")
        rows.append((entry.study or entry.file, entry.status, *numbers))
    terminal.table("Reports", ("Study", "Status", "Design (r/n)", "Type I error", "Power"), rows, left=3)
    print(f"Index: {done.html}")
    raise typer.Exit(done.code)


@app.command()
def validate(
    file: Annotated[Path | None, typer.Argument(help="Parameter file whose own design is checked as well.")] = None,
    out: terminal.Out = Path("build"),
) -> None:
    """Compare the results with their references on this machine; the exit code is 1 if one differs."""
    import csv

    from simtrial.report import run as report_run

    done = report_run.validate(file, out, terminal.progress())
    with (done.folder / "tables" / "verdict.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            print(f"{row['case']}: {int(row['compared']) - int(row['failed'])} of {row['compared']} agree")
    print(f"\nValidation report: {done.html}")


@app.command()
def lessons(
    seed: Annotated[int, terminal.whole_option("Seed of all simulated trials, from 0 on.")] = 1,
    out: terminal.Out = Path("build"),
) -> None:
    """Run the five lessons and write them as one HTML handout."""
    from simtrial.report import run as report_run

    print(f"Handout: {report_run.lessons(seed, out, terminal.progress())}")


@app.command()
def schema(
    sweep: Annotated[bool, typer.Option("--sweep", help="Print the schema of sweep files instead.")] = False,
) -> None:
    """Print the JSON Schema of parameter files, for editors."""
    from simtrial.sweep import section
    from simtrial.trial import params

    print(json.dumps(params.json_schema(section.SweepFile) if sweep else params.json_schema(), indent=2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code: 0 done, 2 the input is wrong, 1 anything else."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as on Ctrl-C: nothing half-written
    try:
        code = app(args=words or ["--help"], standalone_mode=False)
        if code == 130:  # typer's word for Ctrl-C
            raise KeyboardInterrupt
    except InputError as error:
        terminal.fault(error)
        return 2
    except KeyboardInterrupt:
        terminal.say("simtrial: interrupted; no file is left incomplete")
        return 1
    except BrokenPipeError:
        return 1
    except Exception as error:
        from simtrial.report.execution import NotebookError
        from simtrial.sweep.driver import SweepError

        if hasattr(error, "format_message"):  # a slip in the command itself, told by typer
            terminal.fault(usage.of(error, words))
            return 2
        if isinstance(error, NotebookError | SweepError | OSError):
            terminal.fault(error)
            return 1
        raise
    return int(code or 0)  # of several files some may have failed


if __name__ == "__main__":
    sys.exit(main())
