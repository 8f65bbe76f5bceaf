"""Ctrl-C and a request to end, raised in the main thread once, and held back for moments that must be whole."""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False  # known to type checkers; importing it takes longer than all else before Ctrl-C is heard
if TYPE_CHECKING:
    from types import FrameType, TracebackType

HURRY = 5.0
"""Seconds after a first Ctrl-C from which another one ends the process without cleaning up."""

AGAIN = 0.02
"""Seconds after which an interrupt that was swallowed is raised again."""

_first: list[float] = []
"""When the process was first interrupted: a signal handler can hand on nothing."""

_swallowed: list[bool] = []
"""Whether that was raised where an exception ends nothing: in a destructor, or in the callback of a reference."""


def requests() -> list[signal.Signals]:
    """Signals that ask this process to end, the closing of its terminal among them, without those that are ignored.

    A shell ignores SIGINT for what it puts in the background, and nohup ignores SIGHUP.
    """
    known = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    return [one for one in known if signal.getsignal(one) is not signal.SIG_IGN]


def received() -> bool:
    """Whether this process has been asked to end."""
    return bool(_first)


def note() -> None:
    """Note that a command which takes signals itself has been asked to end, and has ended."""
    _first.append(time.monotonic())


def end(_signal: int, _frame: FrameType | None) -> None:
    """End on a signal, once: another one must not break off the cleaning up, unless that takes too long.

    Raises
    ------
    KeyboardInterrupt
        On the first signal.
    """
    if _first and not _swallowed:
        if time.monotonic() - _first[0] > HURRY:
            os._exit(1)
        return
    _swallowed.clear()
    _first.append(time.monotonic())
    import logging
    import threading

    # tasks, threads and destructors that are broken off have tracebacks of their own
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = _unraised
    threading.excepthook = _ignore
    raise KeyboardInterrupt


def _ignore(_: object) -> None:
    """What is broken off is no news."""


def _unraised(what: sys.UnraisableHookArgs) -> None:
    """Raise an interrupt again that met a destructor; nothing else there is news any more."""
    if what.exc_type is KeyboardInterrupt and not _swallowed:
        import threading

        _swallowed.append(True)
        again = threading.Timer(AGAIN, os.kill, (os.getpid(), signal.SIGTERM))
        again.daemon = True
        again.start()


class held:  # noqa: N801 - reads as a verb beside with
    """Let `requests` to end wait until a block is done: for what is brief, and whole or not begun at all.

    In another thread than the main one nothing is interrupted, so nothing is held.
    """

    def __enter__(self) -> None:
        import threading

        self.waiting: list[int] = []
        here = threading.current_thread() is threading.main_thread()
        found = [(one, signal.getsignal(one)) for one in requests() if here]
        self.before = {one: heard for one, heard in found if callable(heard)}
        for one in self.before:
            signal.signal(one, self._note)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for one, heard in self.before.items():
            signal.signal(one, heard)
        for number in self.waiting[:1]:
            signal.raise_signal(number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.waiting.append(number)
