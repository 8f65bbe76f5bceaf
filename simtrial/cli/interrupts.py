"""Ctrl-C and a request to end: whenever they come, one line says so, and no traceback does."""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False  # known to type checkers; importing it takes longer than all else before Ctrl-C is heard
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

TOLD = "simtrial: interrupted; no file is left incomplete"

HURRY = 5.0
"""Seconds after a first Ctrl-C from which another one ends the process without cleaning up."""

_first: list[float] = []
"""When the process was first interrupted: a signal handler can hand on nothing."""


def received() -> bool:
    """Whether this process has been asked to end."""
    return bool(_first)


def note() -> None:
    """Note that a command which takes signals itself has been asked to end, and has ended."""
    _first.append(time.monotonic())


def end_at_once(_signal: int, _frame: FrameType | None) -> None:
    """End on a signal where nothing is begun yet: in the middle of an import, a traceback says nothing to anybody."""
    os.write(2, f"{TOLD}\n".encode())
    os._exit(1)


def end(_signal: int, _frame: FrameType | None) -> None:
    """End on a signal, once: another one must not break off the cleaning up, unless that takes too long.

    Raises
    ------
    KeyboardInterrupt
        On the first signal.
    """
    if _first:
        if time.monotonic() - _first[0] > HURRY:
            os._exit(1)
        return
    _first.append(time.monotonic())
    import logging
    import threading

    # tasks, threads and destructors that are broken off have tracebacks of their own
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = threading.excepthook = _ignore
    raise KeyboardInterrupt


def _ignore(_: object) -> None:
    """What is broken off is no news."""


def listen(heard: Callable[[int, FrameType | None], None]) -> None:
    """Take Ctrl-C and SIGTERM; Ctrl-C stays ignored where it is, as a shell does for what is in the background."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    for one in (signal.SIGINT, signal.SIGTERM)[ignored:]:
        signal.signal(one, heard)
