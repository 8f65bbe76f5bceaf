"""The server of the design explorer: Voila for one notebook, on this machine only."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simtrial.errors import InputError
from simtrial.libraries import spared
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = 8866
"""Where the explorer is first tried; the next free port is taken if it is in use."""

TEMPLATES = Path(__file__).parent  # Voila looks below it, in voila/templates

POLICY = "; ".join(
    (
        "default-src 'self'",
        # Voila's own pages hold scripts and styles, and its libraries compile templates as they start
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self' ws://localhost:* ws://127.0.0.1:*",
        "frame-ancestors 'none'",
        "form-action 'none'",
    )
)
"""What the page may load: nothing from another machine, whatever a library might want."""


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Print what is being done, with a dot every half second, and how long it took."""
    began, over = time.monotonic(), threading.Event()
    print(f"{what} ...", end="", file=sys.stderr, flush=True)

    def dots() -> None:
        while not over.wait(0.5):
            print(".", end="", file=sys.stderr, flush=True)

    thread = threading.Thread(target=dots, daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        over.set()
        thread.join()
        print(file=sys.stderr, flush=True)
        raise
    over.set()
    thread.join()
    print(f" {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


def serve(app: Any, url: str, *, browser: bool) -> None:
    """Serve until Ctrl-C, and report each step."""
    import asyncio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    terminal.say(f"Starting the server on port {app.port}")
    opening = loop.create_task(_open(app, url, browser=browser))

    async def end() -> None:
        opening.cancel()
        await asyncio.wait([opening])
        terminal.say("Ending the explorer ...")
        await _end_kernels(app)
        loop.stop()

    def interrupted(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # who is in a hurry presses again
        loop.call_soon_threadsafe(lambda: ending.append(loop.create_task(end())))

    ending: list[asyncio.Task[None]] = []
    signal.signal(signal.SIGINT, interrupted)
    app.start()  # takes SIGTERM for itself as it starts


async def _open(app: Any, url: str, *, browser: bool) -> None:
    """Wait for the first page to be computed, and open it."""
    import asyncio

    with telling("Warming up a kernel"):
        for pool in app.kernel_manager._pools.values():
            for page in list(pool):
                await asyncio.shield((await asyncio.shield(page))["task"])
    if browser:
        terminal.say("Opening the browser")
        await asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)
    terminal.say(f"Design explorer: {url} (Ctrl-C ends it)")


async def _end_kernels(app: Any) -> None:
    """End kernels outright: one that is still starting would answer a polite request with a traceback."""
    import asyncio

    starting = [page for pool in app.kernel_manager._pools.values() for page in pool]
    if starting:
        await asyncio.wait(starting, timeout=20)
    for page in starting:
        if page.done() and not page.exception():
            page.result()["task"].cancel()
    for name in list(app.kernel_manager.list_kernel_ids()):
        kernel = app.kernel_manager.get_kernel(name)
        kernel.stop_restarter()
        if kernel.has_kernel:
            await kernel.provisioner.kill()


def free_port(wanted: int | None) -> int:
    """A port that is free."""
    if wanted is not None and not 1 <= wanted <= 65535:
        raise InputError(f"({wanted}) is outside 1 to 65535: choose another", "port")
    tried = range(PORT, PORT + 100) if wanted is None else (wanted,)
    free = next((port for port in tried if _is_free(port)), None)
    if free is None:
        raise InputError(f"({tried[0]}) is in use; choose another", "port")
    return free


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def server(notebook: Path, port: int) -> Any:
    """Voila for one notebook, on this machine only, as we want it and not as a folder's own settings would."""
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(TEMPLATES), os.environ.get("JUPYTER_PATH"))))
    try:
        from traitlets.config import Config

        with spared():
            from voila.app import Voila
    except ImportError:
        raise InputError("is not installed: pip install 'voila>=0.5.8,<0.6' (the extra explore)", "voila") from None
    app = Voila(
        config=Config(
            {
                "Voila": {
                    "ip": "localhost",
                    "port": port,
                    "port_retries": 0,
                    "open_browser": False,
                    "config_file_paths": [],
                    "log_level": "ERROR",
                    "tornado_settings": {
                        "allow_remote_access": False,
                        "headers": {"Content-Security-Policy": POLICY},
                        "ws_ping_interval": 0,  # who listens on this machine needs no sign of life
                        # a page that closes ends its kernel, by a request that cannot carry a token; it carries the
                        # kernel's id, which no other page knows
                        "disable_check_xsrf": True,
                    },
                },
                # papermill's kernels are told the same: a kernel of this machine may speak in the clear
                "AsyncKernelManager": {"transport_encryption": "auto"},
                "VoilaConfiguration": {
                    "template": "explorer",
                    "allow_template_override": "NO",
                    "allow_theme_override": "NO",
                    "strip_sources": True,
                    "show_tracebacks": False,
                    "file_allowlist": [],
                    "extension_allowlist": [
                        "@jupyter-widgets/jupyterlab-manager",
                        "@voila-dashboards/widgets-manager8",
                    ],
                    "preheat_kernel": True,
                    "default_pool_size": 1,
                },
            }
        )
    )
    app.initialize([str(notebook)])
    return app
