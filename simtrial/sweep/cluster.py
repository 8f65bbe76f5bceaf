"""A Dask cluster that runs already and does the work of a sweep, had as a `concurrent.futures.Executor`.

Dask has much to say about a scheduler that cannot be reached; here one line does. Its loggers are silent, therefore,
and whether anybody listens at the address is tried before Dask is asked.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
import warnings
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.sweep.workers import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from distributed import Client

PATIENCE = 10.0
"""Seconds to wait for a scheduler at an address."""

PARTING = 1.0
"""Seconds to wait for a scheduler that is told that we leave."""

SILENT = "what listens there does not answer as a scheduler does"

_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})")

_TALKATIVE = ("distributed", "tornado", "asyncio", "dask")


def reached(address: str) -> None:
    """Hold that an address is one, and that somebody listens there; Dask is not needed for that.

    Raises
    ------
    InputError
        If not.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None or not 1 <= int(found[3]) <= 65535:
        raise InputError(f"({address[:60]!r}) is no address; write one such as tcp://10.0.0.1:8786", "scheduler")
    try:
        with socket.create_connection((found[2].strip("[]"), int(found[3])), timeout=PATIENCE):
            pass
    except (OSError, UnicodeError) as error:
        raise InputError(f"({address}) cannot be reached: {_said(error)}", "scheduler") from None


@contextmanager
def cluster(address: str) -> Iterator[tuple[Callable[[], Executor], int]]:
    """A Dask cluster that runs already: how to get an executor, and how many workers it has.

    Raises
    ------
    InputError
        If distributed is not installed, no scheduler answers at the address, or a worker has other versions.
    """
    reached(address)
    client = _client(address)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            threads = _checked(client.run, client.nthreads, address)
        yield client.get_executor, threads
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.close(timeout=PARTING)


def _client(address: str) -> Client:
    """Be a client of a scheduler, if one answers in time: Dask itself waits for ever for somebody who says nothing."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError("needs the extra dask: pip install distributed", "scheduler") from None
    _hush()
    made: SimpleQueue[Client | str] = SimpleQueue()

    def make() -> None:
        try:
            made.put(Client(address, timeout=PATIENCE, set_as_default=False))
        except Exception as error:  # whatever Dask raises about who does not speak as it does
            made.put(_said(error) if isinstance(error, OSError) or "TLS" in str(error) else SILENT)
            threading.Event().wait()  # a client that was not made is held: dropped, it would wait for its scheduler

    threading.Thread(target=make, daemon=True).start()
    try:
        client = made.get(timeout=PATIENCE + 1)
    except Empty:
        client = SILENT
    if isinstance(client, str):
        raise InputError(f"({address}) cannot be reached: {client}", "scheduler")
    return client


def _hush() -> None:
    """Silence what Dask logs: it may log from threads of its own, even after the end of a sweep."""
    for name in [*_TALKATIVE, *logging.root.manager.loggerDict]:
        if name.partition(".")[0] in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _checked(
    run: Callable[..., dict[str, dict[str, str]]], nthreads: Callable[[], dict[str, int]], address: str
) -> int:
    """Hold that there are workers and that all have our versions; give their threads."""
    mine = versions()
    try:
        theirs = run(versions)
        threads = sum(nthreads().values())
    except Exception as error:  # whatever a worker without our code raises, or a scheduler that is lost
        raise InputError(f"({address}): a worker cannot load simtrial: {_said(error)}", "scheduler") from None
    if not theirs:
        raise InputError(f"({address}) has no workers; start at least one", "scheduler")
    for worker, found in sorted(theirs.items()):
        other = [f"{k} {found.get(k)}, here {v}" for k, v in mine.items() if found.get(k) != v]
        if other:
            raise InputError(
                f"({address}): worker {worker} has {'; '.join(other)}; install the same versions", "scheduler"
            )
    return threads


def _said(error: BaseException) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(said.split())[:200]
