"""What nobody foresaw, in one line and a log."""

from __future__ import annotations

import os
import platform
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import __version__, disk
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

DEBUG = "--debug"
"""Option of every command: the traceback of an unforeseen error is printed as well."""

MOST_LOGS = 20
"""Logs that are kept."""


def unforeseen(error: BaseException, words: Sequence[str]) -> str:
    """Write the traceback of an error that nobody foresaw to a log, and say in one line what it was and where that is.

    Parameters
    ----------
    error : exception
        What was raised.
    words : sequence of str
        The command line.

    Returns
    -------
    str
        For `terminal.fault`.
    """
    what = terminal.one_line(f"{type(error).__name__}: {error}")[:300]
    if isinstance(error, MemoryError):
        what = "the memory is not sufficient"
    said = "".join(traceback.format_exception(error))
    head = f"simtrial {__version__}, Python {platform.python_version()}, {platform.platform()}\n{list(words)!r}\n\n"
    try:
        place = f"the details are in {_logged(head + said)}"
    except OSError as failed:
        place = f"the details cannot be written ({failed.strerror}); {DEBUG} prints them"
    return f"stopped by an error that was not foreseen ({what}); please report it; {place}"


def _logged(text: str) -> Path:
    name = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.log"
    folder = disk.cache() / "log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        disk.write(folder / name, text)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="simtrial-log-"))
        disk.write(folder / name, text)
    for old in sorted(folder.glob("*.log"))[:-MOST_LOGS]:
        with suppress(OSError):
            old.unlink()
    return folder / name
