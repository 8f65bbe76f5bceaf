"""The kernels of the explorer: one per open page and one warm for the next, never more than a stated number.

A page first needs a place, and places are counted when they are given, before anything starts. Then it takes the warm
kernel, and only that one: where there is none, the page starts it and waits. There are therefore never more kernels
than places, however many pages are asked for at once: the pool holds at most one, and is filled only while a place is
free, or by a page that holds one. A place is free again when the process of its kernel has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from simtrial.explorer import notices
from simtrial.libraries import spared

with spared():
    from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
    from traitlets import Float, Integer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

MOST = 8
"""Kernels at most, where the memory of the machine allows it."""

BYTES = 250_000_000
"""Memory of one kernel, roughly."""

GRACE = 60.0
"""Seconds after which a kernel without a live page is ended."""

LOOK = 2.0
"""Seconds between two looks at the kernels."""

PATIENCE = 3.0
"""Seconds for which a page waits for a place: a page that is loaded again gives up its own only then."""

REAPED = 0.5
"""Seconds for which an explorer that ends waits for its kernels, which have been killed."""

REST = 1.0
"""Seconds before the next kernel is started, while the page that took the last one loads."""


def affordable() -> int:
    """Kernels for which half the memory of this machine suffices, at most `MOST` and at least 2."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not everywhere known
        return MOST
    return max(2, min(MOST, memory // 2 // BYTES))


class Kernels(AsyncMappingKernelManager):
    """What starts, counts and ends kernels, as the base of Voila's own manager, which renders pages in them."""

    most = Integer(MOST, config=True)
    grace = Float(GRACE, config=True)

    # what Voila's manager, made from this class, brings
    _pools: dict[str, list[asyncio.Task[dict[str, Any]]]]
    notebook_path: str
    _initialize: Callable[..., Coroutine[Any, Any, dict[str, Any]]]

    def __init__(self, **settings: Any) -> None:
        self.given: dict[str, float] = {}  # kernels of pages, and when each page was last alive
        self.coming = 0  # places of pages that have no kernel yet
        self.ended = False
        self._live: dict[str, set[object]] = {}
        self._leaving: set[str] = set()
        self._made: WeakSet[Any] = WeakSet()
        super().__init__(**settings)  # type: ignore[no-untyped-call]

    @property
    def pool(self) -> list[asyncio.Task[dict[str, Any]]]:
        """The warm kernel, or the one that is becoming it."""
        return self._pools.setdefault(self.notebook_path, [])

    @property
    def log_file(self) -> Path:
        """What the kernel that was started last had to say."""
        return Path(self.connection_dir or tempfile.gettempdir()) / "kernel.log"

    async def place(self) -> bool:
        """Take a place for a page, if there is one or one becomes free shortly."""
        clock = asyncio.get_running_loop().time
        until = clock() + PATIENCE
        while len(self.given) + self.coming >= self.most:
            if clock() > until:
                return False
            await asyncio.sleep(0.1)
        self.coming += 1
        return True

    async def ready(self) -> str:
        """The name of the warm kernel; nothing may be awaited before it is given and taken."""
        dead = 0
        while dead < 3:
            if not self.pool:
                self._begin(0.0)
            kernel = self.pool[0]
            name: str = (await asyncio.shield(kernel))["kernel_id"]
            if kernel not in self.pool:
                continue  # another page was faster
            if self._runs(name):
                return name
            dead += 1
            await self.shutdown_kernel(name)
        raise RuntimeError("the kernel ended as soon as it was started")

    def give(self, name: str, page: object) -> None:
        """The page has this kernel, and no longer waits; it is alive while it is written."""
        self.joined(name, page)
        self.given[name] = asyncio.get_running_loop().time()
        self.coming -= 1

    def fill(self, delay: float = 0.0) -> None:
        """Start the warm kernel, if there is none and a place is free."""
        if not self.ended and not self.pool and len(self.given) + self.coming < self.most:
            self._begin(delay)

    def _begin(self, delay: float) -> None:
        async def begun() -> dict[str, Any]:
            await asyncio.sleep(delay)
            with self.log_file.open("wb") as said:
                return await self._initialize(
                    self.notebook_path, None, path="", env=dict(os.environ), stdout=said, stderr=said
                )

        def settled(kernel: asyncio.Task[dict[str, Any]]) -> None:
            if (kernel.cancelled() or kernel.exception()) and kernel in self.pool:
                self.pool.remove(kernel)

        self.pool.append(asyncio.get_running_loop().create_task(begun()))
        self.pool[0].add_done_callback(settled)

    def pre_start_kernel(self, kernel_name: str | None, kwargs: Any) -> Any:
        """Remember whatever may become a process."""
        if self.ended:
            raise RuntimeError("the explorer is ending")
        made = super().pre_start_kernel(kernel_name, kwargs)
        self._made.add(made[0])
        return made

    def last_words(self) -> list[str]:
        """What the kernel that was started last had to say, if it has ended; nothing, or a line."""
        return [] if any(map(self._runs, self._kernels)) else notices.last_line(self.log_file)

    def _runs(self, name: str) -> bool:
        process = _process(self._kernels.get(name))
        return process is not None and process.poll() is None

    def joined(self, name: str, page: object) -> None:
        """A page has connected."""
        self._live.setdefault(name, set()).add(page)

    def left(self, name: str, page: object) -> None:
        """A page has closed its connection, or it broke off."""
        self._live.get(name, set()).discard(page)
        if name in self.given:
            self.given[name] = asyncio.get_running_loop().time()

    async def watch(self) -> None:
        """End kernels without a page, for ever."""
        while True:
            await asyncio.sleep(LOOK)
            try:
                await self._look()
            except Exception:
                logging.getLogger(__name__).exception("a look at the kernels failed")

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for name in list(self._kernels):
            if self._live.get(name) and name in self.given:
                self.given[name] = now
            gone = name in self.given and now - self.given[name] > self.grace
            if gone or not self._runs(name):
                await self.shutdown_kernel(name)
        self.fill()

    async def shutdown_kernel(self, kernel_id: str, **_: bool) -> None:  # type: ignore[override]
        """End a kernel outright: it holds nothing that is kept."""
        if kernel_id in self._leaving:
            return
        self._leaving.add(kernel_id)
        try:
            self.pool[:] = [kernel for kernel in self.pool if not _is_named(kernel, kernel_id)]
            await super().shutdown_kernel(kernel_id, now=True)  # type: ignore[no-untyped-call]
        finally:
            self._leaving.discard(kernel_id)

    def remove_kernel(self, kernel_id: str) -> Any:
        """Its place is free."""
        self.given.pop(kernel_id, None)
        self._live.pop(kernel_id, None)
        removed = super().remove_kernel(kernel_id)
        if not self.ended:
            self.fill(REST)
        return removed

    def end(self) -> None:
        """End everything at once, without waiting for anybody; kernels that are starting as well."""
        self.ended = True
        for kernel in self.pool:
            kernel.cancel()
        processes = [process for made in list(self._made) if (process := _process(made)) is not None]
        for process in processes:
            with contextlib.suppress(OSError):
                if process.poll() is None:
                    # a kernel leads a group of its own, where there are groups
                    os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
        until = time.monotonic() + REAPED
        for process in processes:
            with contextlib.suppress(Exception):
                process.wait(max(0.0, until - time.monotonic()))


def _process(made: Any) -> Any:
    return getattr(getattr(made, "provisioner", None), "process", None)


def _is_named(kernel: asyncio.Task[dict[str, Any]], name: str) -> bool:
    settled = kernel.done() and not kernel.cancelled() and kernel.exception() is None
    return settled and kernel.result()["kernel_id"] == name
