"""One kernel for all notebooks of a report: started once, cleared before each notebook, ended with the last.

papermill runs each notebook in it with a client of its own. The kernel loads its libraries while this process loads
papermill, and `simtrial.report.fresh` says what is cleared.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from traitlets.config import Config

from simtrial import project
from simtrial.interruption import held
from simtrial.libraries import spared
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_client.asynchronous.client import AsyncKernelClient

LOADED = "__import__('importlib').import_module('simtrial.report.fresh').start()"
"""The first line that the kernel runs, before it listens; it leaves no name behind."""

CLEARED = "__import__('importlib').import_module('simtrial.report.fresh').clear()"
PATIENCE = 60.0
"""Seconds that clearing may take."""

COMMAND = (sys.executable, "-m", "ipykernel", "-f", "{connection_file}")
"""How the kernel is started: by the Python of this process. A kernel that is registered under the name python3 for a
user may belong to another installation, without this package. ``ipykernel_launcher`` would take the first place where
libraries are looked for away if it is the working folder, although PYTHONPATH names that folder.
"""

ALONE = {"PYTHONSAFEPATH": "1"}
"""The kernel works in the user's folder, whose files are no libraries: not random.py, nor a folder simtrial."""

LATER = ("nbconvert.exporters", "latex2mathml.converter")
"""Modules for the page at the end, loaded while the kernel computes."""


class Kept(AsyncKernelManager):
    """A kernel that several notebooks use one after the other."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._kernel_spec = KernelSpec(argv=list(COMMAND), display_name="Python 3", language="python")
        self.clients: list[AsyncKernelClient] = []
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the kernel has ended

    def client(self, **given: Any) -> AsyncKernelClient:
        """Give a client to the next notebook; that of the last one is closed."""
        self.release()
        self.clients.append(super().client(**given))
        return self.clients[-1]

    @property
    def last_words(self) -> str:
        """The last line that the process wrote, not as a part of a cell: why it died, if it could say so."""
        self.said.seek(0)
        return terminal.last_line(self.said.read())

    def release(self) -> None:
        """Close what is open to the kernel."""
        while self.clients:
            self.clients.pop().stop_channels()

    async def cleared(self, notebook: object) -> None:  # noqa: ARG002 - nbclient names its argument
        """Clear the kernel; to be called once a notebook has its client and before its first cell.

        Raises
        ------
        RuntimeError
            If that fails.
        """
        reply = await self.clients[-1].execute(
            CLEARED, silent=True, store_history=False, allow_stdin=False, reply=True, timeout=PATIENCE
        )
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"the kernel could not be cleared: {reply['content'].get('evalue', '')}")


@contextmanager
def kept() -> Iterator[Kept]:
    """Run a kernel as long as it is needed; however that ends, the kernel ends too."""
    # only through the API can the kernel be told not to warn about TCP on this machine
    kernel = Kept(kernel_name="python3", config=Config({"Kept": {"transport_encryption": "auto"}}))
    log, unheard = logging.getLogger("papermill"), logging.NullHandler()
    log.addHandler(unheard)  # what becomes of a kernel is told once, by the run
    quiet = ["--HistoryManager.hist_file=:memory:", f"--IPKernelApp.exec_lines={LOADED}"]
    try:
        with held():  # a kernel that is half started is known to nobody
            run_sync(kernel.start_kernel)(
                extra_arguments=quiet, cwd=str(project.ROOT), env=os.environ | ALONE,
                stdout=kernel.said, stderr=kernel.said,
            )  # fmt: skip
        with spared():
            importlib.import_module("papermill")
        threading.Thread(target=_load, daemon=True).start()
        yield kernel
    finally:
        with held():
            kernel.release()
            run_sync(_ended)(kernel)
            log.removeHandler(unheard)


def _load() -> None:
    for name in LATER:
        importlib.import_module(name)


async def _ended(kernel: Kept) -> None:
    if kernel.has_kernel and await kernel.is_alive():
        # it holds nothing of worth; asked to end, it would take seconds, and tell what broke its cell off
        await kernel.shutdown_kernel(now=True)
    await kernel.cleanup_resources()
    kernel.said.close()
