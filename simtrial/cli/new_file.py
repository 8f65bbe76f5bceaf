"""An option that names a file to be made: refused before any work where it cannot be."""

from __future__ import annotations

import shlex
from pathlib import Path

import typer

from simtrial import disk
from simtrial.errors import InputError
from simtrial.show import loudness, terminal

TAKEN = "exists already; choose another name"


def read(text: str) -> Path:
    """Read the name of a new file, and try whether it can be made; nothing is left there."""
    out = Path(text)
    if not text.strip():
        raise typer.BadParameter("it is empty; name a file")
    try:
        taken = out.is_symlink() or out.exists()
        missing = not out.parent.exists()
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"({text}) cannot be a file: {getattr(error, 'strerror', None) or error}") from None
    if taken:
        raise typer.BadParameter(f"({out}) {'is a folder; name a file in it' if out.is_dir() else TAKEN}")
    if missing:
        raise typer.BadParameter(f"({out}) cannot be written: there is no folder {out.parent}")
    try:
        disk.usable(out.parent)
    except InputError as error:
        raise typer.BadParameter(error.message) from None
    return out


def write(file: Path, text: str, field: str = "FILE") -> None:
    """Write a new file whole.

    Raises
    ------
    InputError
        If somebody has made one of that name meanwhile.
    """
    try:
        disk.write(file, text, new=True)
    except FileExistsError:
        raise InputError(f"({file}) {TAKEN}", field) from None


def told(file: Path, remarks: tuple[str, ...], following: str) -> None:
    """Say that a file was written, and what to do with it; nothing where only the answer, the file, is wanted."""
    if loudness.quiet():
        return
    terminal.tell(f"Wrote {file}.")
    for one in remarks:
        terminal.wrapped(one)
    terminal.tell(f"Next: {following}")


def draft(file: Path, text: str, field: str = "FILE") -> None:
    """Write a new file in which somebody has to fill gaps, and say so; see `write`."""
    write(file, text, field)
    told(file, (), f"replace what is marked TO FILL in it, then simtrial report {typed(file)}")


def typed(file: Path) -> str:
    """The name of a file as it is typed behind a command: in quotes where it needs them, and never like an option."""
    return shlex.quote(f"./{file}" if f"{file}".startswith("-") else f"{file}")
