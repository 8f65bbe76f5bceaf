"""The command line: tables for people, one JSON object with ``--json``, one line for an error."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial import __version__, csv_files, interruption
from simtrial.cli import analysis as cli_analysis
from simtrial.cli import completion, exit_codes, interrupts, options, usage
from simtrial.cli import design as cli_design
from simtrial.cli import doctor as cli_doctor
from simtrial.cli import estimands as cli_estimands
from simtrial.cli import explore as cli_explore
from simtrial.cli import history as cli_history
from simtrial.cli import init as cli_init
from simtrial.cli import report as cli_report
from simtrial.cli import review as cli_review
from simtrial.cli import rules as cli_rules
from simtrial.cli import run as cli_run
from simtrial.cli import sweep as cli_sweep
from simtrial.cli import toxicity as cli_toxicity
from simtrial.cli.calendar import EPILOG, DesignCommand
from simtrial.cli.command import bounded
from simtrial.errors import InputError
from simtrial.show import ending, loudness, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUIET, VERBOSE = "--quiet", "--verbose"


app = typer.Typer(
    name="simtrial",
    help="Design and simulate single-arm phase II trials with an objective-response endpoint, exactly.",
    epilog=exit_codes.epilog(),
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(cls=DesignCommand, epilog=EPILOG)(bounded(cli_design.design))
COMMANDS: tuple[Callable[..., None], ...] = (
    cli_run.oc, cli_rules.bounds, cli_toxicity.toxicity, cli_run.simulate, cli_init.init,
    cli_review.check, cli_review.reproduce, cli_review.printed, cli_review.import_registry,
    cli_analysis.analyze, cli_analysis.monitor, cli_analysis.columns, cli_analysis.synthetic, cli_sweep.sweep,
    cli_explore.explore, cli_estimands.estimands, cli_history.evidence, cli_report.report,
)  # fmt: skip
for command in COMMANDS:
    # init tells numbers out of their bounds with its other mistakes
    app.command()(command if command is cli_init.init else bounded(command))


def _version(*, wanted: bool) -> None:
    if wanted:
        terminal.tell(f"simtrial {__version__}")
        raise typer.Exit


app.command()(cli_doctor.doctor)


@app.callback()
def every(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(wanted=value), is_eager=True, help="Print the version and end."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the answer, warnings and errors only.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Also tell each step and how long it took, on standard error.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Also print the traceback of an error that was not foreseen.")
    ] = False,
) -> None:
    """Options of every command; they may stand before or after it."""


@app.command()
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


@app.command()
@bounded
def lessons(
    seed: Annotated[int, options.number_option("seed", "Seed of all simulated trials, from 0 on.")] = 1,
    out: options.Out = Path("build"),
) -> None:
    """Run the lessons and write them as one HTML handout."""
    from simtrial.report import run as report_run

    terminal.tell(f"Handout: {report_run.lessons(seed, out, terminal.progress())}")


@app.command()
def schema(
    sweep: Annotated[bool, typer.Option("--sweep", help="Print the schema of sweep files instead.")] = False,
) -> None:
    """Print the JSON Schema of parameter files, for editors."""
    from simtrial.sweep import section
    from simtrial.trial import params

    terminal.tell(json.dumps(params.json_schema(section.SweepFile) if sweep else params.json_schema(), indent=2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code; `exit_codes.TABLE` says what each means."""
    terminal.spell_out()
    given = list(sys.argv[1:] if arguments is None else arguments)
    words = [word for word in given if word not in (ending.DEBUG, QUIET, VERBOSE)]
    debug = ending.DEBUG in given
    if QUIET in given and VERBOSE in given:
        terminal.fault(InputError("exclude each other; leave one of them out", f"{QUIET} and {VERBOSE}"))
        return exit_codes.WRONG
    loudness.choose("quiet" if QUIET in given else "verbose" if VERBOSE in given else "usual")
    began = time.monotonic()
    code = _code(words, debug=debug)
    if VERBOSE in given:
        terminal.say(f"  all together: {time.monotonic() - began:.2f} s (exit code {code})")
    return code


def _code(words: Sequence[str], *, debug: bool) -> int:
    """Run a command, whatever becomes of it."""
    try:
        run = typer.main.get_command(app)
        if completion.VARIABLE in os.environ:
            completion.offer(run)
        # one name, however it was started: the variable of a completion and the lines of help are made of it
        code = run(args=list(words) or ["--help"], prog_name="simtrial", standalone_mode=False)
        if code == 130:  # typer's word for Ctrl-C
            raise KeyboardInterrupt
        return int(code or 0)  # of several files some may have failed
    except BaseException as error:
        return _ended(error, words, debug=debug)


def _ended(error: BaseException, words: Sequence[str], *, debug: bool) -> int:
    """Say in one line why a command ended, and give the exit code."""
    if isinstance(error, SystemExit):
        raise error
    if completion.VARIABLE in os.environ:  # somebody is typing: a line would stand in their way
        return exit_codes.FAILED
    if isinstance(error, KeyboardInterrupt) or interruption.received():  # what is broken off may raise anything
        terminal.warn(interrupts.TOLD)
        return exit_codes.FAILED
    if isinstance(error, InputError):
        terminal.fault(error)
        return exit_codes.WRONG
    if isinstance(error, BrokenPipeError):
        return exit_codes.FAILED
    if hasattr(error, "format_message"):  # a slip in the command itself, told by typer
        terminal.fault(usage.of(error, words))
        return exit_codes.WRONG
    if debug:
        terminal.warn("".join(traceback.format_exception(error)).rstrip())
    terminal.fault(_told(error) or ending.unforeseen(error, words))
    return exit_codes.FAILED


def _told(error: BaseException) -> str:
    """What an error says that may happen to anybody; empty for one that nobody foresaw."""
    from simtrial.report.execution import NotebookError
    from simtrial.sweep.driver import SweepError

    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) if isinstance(error, NotebookError | SweepError | OSError) else ""
