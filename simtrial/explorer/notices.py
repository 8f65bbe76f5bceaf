"""What the server has to report, in one line each: no traceback stands between the lines of the terminal."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LENGTH = 300
"""Letters of a line."""

ENDED = ("StreamClosedError", "WebSocketClosedError")
"""Errors of tornado that are no news: somebody has closed a connection while it was answered."""


def line(error: BaseException) -> str:
    """An error by its type, its text and its place."""
    name, said = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" ({frame.filename.rsplit('/', 1)[-1]}, line {frame.lineno})" for frame in where)
    return terminal.one_line(f"{name}: {said}")[:LENGTH] + ("" if hasattr(error, "ename") else place)


def last_line(file: Path) -> list[str]:
    """The last line of what a process said, if any."""
    try:
        said = terminal.last_line(file.read_bytes())
    except OSError:
        return []
    return [said[:LENGTH]] if said else []


class OneLine(logging.Handler):
    """Reports of errors, a line each: printed, or kept while somebody listens."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.kept: list[str] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Print or keep a report."""
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__name__ in ENDED:
            return
        try:
            said = line(error) if error else terminal.one_line(record.getMessage())[:LENGTH]
        except Exception:  # a report that cannot be read is no reason to fail
            said = terminal.one_line(str(record.msg))[:LENGTH]
        if self.kept is None:
            terminal.warn(f"simtrial: {said}")
        else:
            self.kept.append(said)


def listen() -> OneLine:
    """Take all reports of this process, instead of whoever took them."""
    root = logging.getLogger()
    heard = next((one for one in root.handlers if isinstance(one, OneLine)), None)
    if heard is None:
        heard = OneLine()
        root.handlers = [heard]
    for name in ("ExplorerApp", "traitlets", "tornado", "asyncio"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [], True
    return heard


@contextmanager
def kept() -> Iterator[list[str]]:
    """Keep reports instead of printing them."""
    heard = listen()
    heard.kept = []
    try:
        yield heard.kept
    finally:
        heard.kept = None
