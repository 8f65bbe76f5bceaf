"""The command line: tables for people, one JSON object with ``--json``, one line for an error."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import TYPE_CHECKING

import typer

from simtrial import interruption
from simtrial.cli import commands, completion, exit_codes, interrupts, usage
from simtrial.errors import InputError
from simtrial.show import ending, loudness, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

QUIET, VERBOSE = "--quiet", "--verbose"


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
        run = typer.main.get_command(commands.program(_asked(words)))
        if completion.VARIABLE in os.environ:
            completion.offer(run)
        # one name, however it was started: the variable of a completion and the lines of help are made of it
        code = run(args=list(words) or ["--help"], prog_name="simtrial", standalone_mode=False)
        if code == 130:  # typer's word for Ctrl-C
            raise KeyboardInterrupt
        return int(code or 0)  # of several files some may have failed
    except BaseException as error:
        return _ended(error, words, debug=debug)


def _asked(words: Sequence[str]) -> str | None:
    """The one command that is asked for; None where all must be known, for help, a mistake or a completion."""
    first = next((word for word in words if not word.startswith("-")), None)
    return first if first in commands.PLACES and completion.VARIABLE not in os.environ else None


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
    if isinstance(error, ValueError) and "null byte" in str(error):  # older parsers look for files by such a name
        terminal.fault(InputError("a word holds a character that no file has"))
        return exit_codes.WRONG
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
