"""Input files are untrusted: they are read to a limit, once, and told apart from everything else in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def read_bytes(path: Path, most: int) -> bytes:
    """Read a whole file of at most so many bytes.

    Raises
    ------
    InputError
        If it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", f"{path}:") from None
    if len(data) > most:
        raise InputError(f"is larger than {most} bytes", f"{path}:")
    return data
