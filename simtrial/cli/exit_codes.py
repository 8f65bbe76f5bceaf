"""The exit codes of all commands: what each means, and when it comes. Help and documentation are made from `TABLE`."""

from __future__ import annotations

from typing import NamedTuple


class ExitCode(NamedTuple):
    """One exit code.

    Attributes
    ----------
    code : int
        The number.
    meaning : str
        What it means, as a sentence without its full stop.
    cases : tuple of str
        When it comes.
    """

    code: int
    meaning: str
    cases: tuple[str, ...]


DONE, FAILED, WRONG = 0, 1, 2

TABLE = (
    ExitCode(DONE, "The command did what it was asked to do", (
        "a stated sample size was checked, whatever the verdict",
    )),
    ExitCode(FAILED, "Something failed, was interrupted, or does not agree", (
        "Ctrl-C or a request to end; no file is left incomplete",
        "a file could not be written, or a notebook failed",
        "validate: a result differs from its reference",
        "doctor: a check failed",
        "report on several files: one of them failed",
        "an error that was not foreseen; the last line names the log",
    )),
    ExitCode(WRONG, "The input is wrong; each line names what is wrong and what would be right", (
        "an unknown option or command, or a number out of its bounds",
        "a parameter file, or a file of patients, with a mistake",
        "a question that has no answer, such as p1 below p0",
    )),
)  # fmt: skip
"""Every exit code of the program."""


def epilog() -> str:
    """The table for the help of the program: a line for each code."""
    lines = [f"  {one.code}  {one.meaning}." for one in TABLE]
    return "\b\nExit codes:\n" + "\n".join(lines)
