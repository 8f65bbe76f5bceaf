"""Ctrl-C and a request to end: whenever they come, one line says so, and no traceback does."""

from __future__ import annotations

import os
import signal

from simtrial.interruption import requests

TYPE_CHECKING = False  # known to type checkers; importing it takes longer than all else before Ctrl-C is heard
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

TOLD = "simtrial: interrupted; no file is left incomplete"


def end_at_once(_signal: int, _frame: FrameType | None) -> None:
    """End on a signal where nothing is begun yet: in the middle of an import, a traceback says nothing to anybody."""
    os.write(2, f"{TOLD}\n".encode())
    os._exit(1)


def listen(heard: Callable[[int, FrameType | None], None]) -> None:
    """Take every request to end that is not ignored."""
    for one in requests():
        signal.signal(one, heard)
