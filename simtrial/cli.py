"""The command line: tables for people, one JSON object with ``--json``, one line for an error."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial import cli_analysis, cli_design, cli_review, terminal
from simtrial.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="simtrial",
    help="Design and simulate single-arm phase II trials with an objective-response endpoint, exactly.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    cli_design.design, cli_design.oc, cli_design.simulate,
    cli_review.check, cli_review.reproduce, cli_review.printed, cli_review.import_registry,
    cli_analysis.analyze, cli_analysis.monitor, cli_analysis.columns, cli_analysis.synthetic,
):  # fmt: skip
    app.command()(command)


@app.command()
def report(
    file: Annotated[Path, typer.Argument(help="Parameter file, such as params/NCT07022301.yaml.")],
    out: terminal.Out = Path("build"),
) -> None:
    """Run the notebooks on a parameter file and write one HTML report with its tables and figures."""
    from simtrial import report as runner
    from simtrial import text

    began = time.monotonic()
    done = runner.write(file, out, terminal.progress())
    terminal.say(f"  done in {time.monotonic() - began:.1f} s")
    print(text.statement(done.design, done.trial.requirements, done.trial.plan(done.design)))
    print(f"\nReport: {done.html}")


@app.command()
def validate(
    file: Annotated[Path | None, typer.Argument(help="Parameter file whose own design is checked as well.")] = None,
    out: terminal.Out = Path("build"),
) -> None:
    """Compare every result with its references on this machine; fails if one disagrees."""
    import csv

    from simtrial import report as runner

    done = runner.validate(file, out, terminal.progress())
    with (done.folder / "tables" / "verdict.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            print(f"{row['case']}: {int(row['compared']) - int(row['failed'])} of {row['compared']} agree")
    print(f"\nValidation report: {done.html}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of parameter files, for editors."""
    from simtrial import params

    print(json.dumps(params.json_schema(), indent=2))


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
        terminal.say(f"simtrial: {_one_line(str(error))}")
        return 2
    except KeyboardInterrupt:
        terminal.say("simtrial: interrupted; nothing was left half-written")
        return 1
    except BrokenPipeError:
        return 1
    except Exception as error:
        from simtrial.report import NotebookError

        if hasattr(error, "format_message"):  # a slip in the command itself, told by typer
            terminal.say(f"simtrial: {_one_line(error.format_message())}")
            return 2
        if isinstance(error, NotebookError | OSError):
            terminal.say(f"simtrial: {_one_line(str(error))}")
            return 1
        raise
    return 0


def _one_line(message: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in message).split())


if __name__ == "__main__":
    sys.exit(main())
