"""An option that names a file to be made: refused before any work where it cannot be."""

from __future__ import annotations

from pathlib import Path

import typer

from simtrial import disk
from simtrial.errors import InputError

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
