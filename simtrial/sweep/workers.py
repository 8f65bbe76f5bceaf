"""Who does the work of a sweep: processes of this machine, or a Dask cluster that runs already.

Both are had through the interface of `concurrent.futures.Executor`. A worker must have the driver's versions, the code
itself included, or its numbers would not be those of the manifest.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import TYPE_CHECKING

from simtrial import __version__, files
from simtrial.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor


PATIENCE = 10.0
"""Seconds to wait for a scheduler at an address."""


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
        executor = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_settle_in)
        with _program_left_out():
            for _ in range(workers):
                executor.submit(_settled)  # a process is started for each
        return executor

    return start


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


@contextmanager
def cluster(address: str) -> Iterator[tuple[Callable[[], Executor], int]]:
    """A Dask cluster that runs already: how to get an executor, and how many workers it has.

    Raises
    ------
    InputError
        If distributed is not installed, no scheduler answers at the address, or a worker has other versions.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError("needs the extra dask: pip install distributed", "scheduler") from None
    if re.fullmatch(r"[a-z]+://\S+", address) is None:
        raise InputError(f"({address[:60]!r}) is no address; write one such as tcp://10.0.0.1:8786", "scheduler")
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"({address}) cannot be reached: {' '.join(str(error).split())[:200]}", "scheduler") from None
    try:
        mine = versions()
        try:
            theirs = client.run(versions)
        except Exception as error:  # whatever a worker without our code raises
            raise InputError(
                f"({address}): a worker cannot load simtrial: {' '.join(str(error).split())[:200]}", "scheduler"
            ) from None
        if not theirs:
            raise InputError(f"({address}) has no workers; start at least one", "scheduler")
        for worker, found in sorted(theirs.items()):
            other = [f"{k} {found.get(k)}, here {v}" for k, v in mine.items() if found.get(k) != v]
            if other:
                raise InputError(
                    f"({address}): worker {worker} has {'; '.join(other)}; install the same versions", "scheduler"
                )
        threads = sum(client.nthreads().values())
        yield client.get_executor, threads
    finally:
        client.close()
