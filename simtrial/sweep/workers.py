"""Processes of this machine that do the work of a sweep, through the interface of `concurrent.futures.Executor`.

A worker must have the driver's versions, the code itself included, or its numbers would not be those of the manifest.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, connection, get_context, parent_process, resource_tracker
from typing import TYPE_CHECKING

from simtrial import __version__, files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from concurrent.futures import Executor
    from multiprocessing.process import BaseProcess

HURRY = 1.0
"""Seconds that a pool whose processes were killed is given to put its affairs in order."""


def versions() -> dict[str, str]:
    """What a worker must have in common with the driver, the code itself included."""
    return {
        "simtrial": __version__,
        "code": files.code_digest()[:16],
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: importlib.metadata.version(name) for name in ("numpy", "scipy")},
    }


def _settle_in() -> None:
    """Make a worker ready: Ctrl-C is the driver's, and without a driver there is nothing to live for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    driver = parent_process()
    if driver is not None:
        threading.Thread(target=_follow, args=(driver.sentinel,), daemon=True).start()


def _settled() -> None:
    """Nothing to do, once there is a process to do it."""


def _follow(driver: int) -> None:
    """End with the driver, even if it was killed and could say nothing."""
    connection.wait([driver])
    os._exit(1)


def pool(workers: int) -> Callable[[], Executor]:
    """Processes of this machine, each with one thread of its own."""

    def start() -> Executor:
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")  # read by a worker when it starts
        executor, before = None, set(active_children())
        try:
            with _deaf():
                executor = _Pool(workers, mp_context=get_context("spawn"), initializer=_settle_in)
            for _ in range(workers):
                with _program_left_out(), _deaf():
                    executor.submit(_settled)  # a process is started for each
                    executor.hired = set(active_children()) - before
        except BaseException:
            if executor is not None:
                executor.shutdown(wait=False)
            raise
        return executor

    return start


class _Pool(ProcessPoolExecutor):
    """A pool that is left in one of two ways: its work is waited for, or its processes are ended at once.

    What a worker holds was not written, so that nothing is lost with it.
    """

    hired: Collection[BaseProcess] = ()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the pool; without waiting, its processes are killed and tasks that wait are dropped."""
        if wait:
            super().shutdown(wait=True, cancel_futures=cancel_futures)
            return
        for process in self.hired:
            process.kill()
        # what the pool holds of the system goes with it, else a warning of Python's is the last thing that is said
        ending = threading.Thread(target=super().shutdown, kwargs={"wait": True, "cancel_futures": True}, daemon=True)
        ending.start()
        ending.join(HURRY)


@contextmanager
def _deaf() -> Iterator[None]:
    """Start a process whole, and one that does not hear Ctrl-C from its first moment on: a terminal sends it to all.

    Here a signal is heard afterwards: a process that was started by half has a traceback of its own.
    """
    resource_tracker.ensure_running()  # it would open the ears again
    heard: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM) if main}
    for one, handler in handlers.items():
        if callable(handler):
            signal.signal(one, lambda number, _: heard.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for one, handler in handlers.items():
            if callable(handler):
                signal.signal(one, handler)
        if heard:
            signal.raise_signal(heard[0])


@contextmanager
def _program_left_out() -> Iterator[None]:
    """Start processes that do not import the program they are started from.

    They would import it for what it defines. Tasks are of this package alone, and the imports of a command line take
    as long as all that a worker needs.
    """
    program = vars(sys.modules["__main__"])
    known: dict[str, object] = {name: program.pop(name) for name in ("__file__", "__spec__") if name in program}
    program["__spec__"] = None
    try:
        yield
    finally:
        program.update(known)
