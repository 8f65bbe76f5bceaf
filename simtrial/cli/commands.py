"""The commands by name, and where each of them is: of the program only what is asked for is imported."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Annotated, NamedTuple

import typer

from simtrial import __version__
from simtrial.cli import exit_codes
from simtrial.cli.command import bounded
from simtrial.show import terminal


class CommandPlace(NamedTuple):
    """Where a command is.

    Attributes
    ----------
    module : str
        Its module in `simtrial.cli`.
    function : str
        Its function there, whose name with hyphens is that of the command.
    held : bool
        Whether its numbers are held to their bounds before it runs; ``init`` tells them with its other mistakes.
    """

    module: str
    function: str
    held: bool = True


PLACES = {
    one.function.replace("_", "-"): one
    for one in (
        CommandPlace("design", "design"),
        CommandPlace("run", "oc"),
        CommandPlace("rules", "bounds"),
        CommandPlace("toxicity", "toxicity"),
        CommandPlace("run", "simulate"),
        CommandPlace("init", "init", held=False),
        CommandPlace("check", "check"),
        CommandPlace("review", "reproduce"),
        CommandPlace("review", "printed"),
        CommandPlace("review", "import_registry"),
        CommandPlace("analysis", "analyze"),
        CommandPlace("analysis", "monitor"),
        CommandPlace("analysis", "columns"),
        CommandPlace("analysis", "synthetic"),
        CommandPlace("sweep", "sweep"),
        CommandPlace("explore", "explore"),
        CommandPlace("estimands", "estimands"),
        CommandPlace("history", "evidence"),
        CommandPlace("report", "report"),
        CommandPlace("doctor", "doctor", held=False),
        CommandPlace("notebooks", "validate"),
        CommandPlace("notebooks", "lessons"),
        CommandPlace("schema", "schema"),
    )
}
"""Every command by its name, in the order of the help."""


@cache
def program(name: str | None = None) -> typer.Typer:
    """Give the program with one of its commands, or with all of them.

    Parameters
    ----------
    name : str, optional
        A key of `PLACES`; without it all are imported, as the help and a misspelt command need them.
    """
    app = typer.Typer(
        name="simtrial",
        help="Design and simulate single-arm phase II trials with an objective-response endpoint, exactly.",
        epilog=exit_codes.epilog(),
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(every)
    for one in PLACES.values() if name is None else (PLACES[name],):
        command = getattr(import_module(f"simtrial.cli.{one.module}"), one.function)
        held = bounded(command) if one.held else command
        if one.function == "design":
            from simtrial.cli.calendar import EPILOG, DesignCommand

            app.command(cls=DesignCommand, epilog=EPILOG)(held)
        else:
            app.command()(held)
    return app


def _version(*, wanted: bool) -> None:
    if wanted:
        terminal.tell(f"simtrial {__version__}")
        raise typer.Exit


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
