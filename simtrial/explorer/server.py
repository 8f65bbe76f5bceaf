"""The server of the design explorer: Voila for one notebook, on this machine only."""

from __future__ import annotations

import errno
import logging
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

from simtrial import interruption
from simtrial.errors import InputError
from simtrial.explorer import notices
from simtrial.explorer.refusals import HEADERS
from simtrial.inputs import TABLE
from simtrial.libraries import spared
from simtrial.show import loudness, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.explorer.gate import Gate

PORT = 8866
"""Where the explorer is first tried; the next free port is taken if it is in use."""

LATEST = 1.5
"""Seconds after which the explorer ends outright, if it has not ended as it was asked to."""

WIDGET = "application/vnd.jupyter.widget-view+json"
"""What the page holds if its notebook ran to its end."""

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


APPLICATION = {
    "ip": "localhost",
    "port_retries": 0,
    "open_browser": False,
    "config_file_paths": [],  # a folder's own settings are not ours
    "log_level": "ERROR",
    "token": "",  # the gate asks for ours
    "tornado_settings": {
        "allow_remote_access": False,
        "headers": {**HEADERS, "Content-Security-Policy": POLICY},
        "log_function": lambda _: None,  # addresses may hold the token
        "ws_ping_interval": 0,  # who listens on this machine needs no sign of life
        # a page that closes ends its kernel, by a request that cannot carry a token of Jupyter's; the gate has seen to
        # it that the request comes from our page
        "disable_check_xsrf": True,
    },
}
"""Settings of Voila's server."""

PAGE = {
    "template": "explorer",
    "allow_template_override": "NO",
    "allow_theme_override": "NO",
    "strip_sources": True,
    "show_tracebacks": False,
    "file_allowlist": [],
    "extension_allowlist": ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8"],
    "preheat_kernel": True,
    "default_pool_size": 0,  # the pool is filled by our kernels, where a place is free
}
"""Settings of Voila's pages."""


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Print what is being done, with dots, and how long it took; nothing where only the address is wanted."""
    if loudness.quiet():
        yield
        return
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


class NoPageError(RuntimeError):
    """The first page cannot be computed."""


def serve(app: Any, *, browser: bool) -> None:
    """Serve until Ctrl-C or a request to end, and report each step.

    Raises
    ------
    NoPageError
        If the first page cannot be computed; nothing is served then.
    """
    import asyncio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    terminal.say(f"Starting the server on port {app.port}")
    opening = loop.create_task(_open(app, browser=browser))
    opening.add_done_callback(lambda done: None if done.cancelled() or not done.exception() else loop.stop())
    asked: list[int] = []

    async def end() -> None:
        opening.cancel()
        await asyncio.wait([opening])
        terminal.say("Ending the explorer ...")
        logging.disable(logging.CRITICAL)  # what is broken off is no news
        loop.stop()

    def interrupted(number: int, _: object) -> None:
        if asked:  # it ends already, and in a moment
            return
        asked.append(number)
        # whatever keeps the loop busy does not keep the explorer
        late = threading.Timer(LATEST, lambda: (app.stop(), os._exit(1)))
        late.daemon = True
        late.start()
        loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(end())))

    tasks: list[asyncio.Task[None]] = []
    for one in interruption.requests():
        signal.signal(one, interrupted)
    app.start()
    if opening.done() and not opening.cancelled():
        opening.result()


async def _open(app: Any, *, browser: bool) -> None:
    """Wait for the first page to be computed, and open it."""
    import asyncio

    kernels = app.kernel_manager
    with telling("Warming up a kernel"), notices.kept() as faults:
        try:
            kernels.fill()
            warm = await asyncio.shield(kernels.pool[0])
            said, _ = await asyncio.shield(warm["task"])
            reasons = [] if WIDGET in "".join(said) else ["its notebook failed", *faults][-1:]
        except Exception as error:
            reasons = [notices.line(error)]
    if reasons:
        raise NoPageError("; ".join(reasons + kernels.last_words()))
    watching = asyncio.get_running_loop().create_task(kernels.watch())
    if browser:
        terminal.say("Opening the browser")
        # a browser of the terminal returns only when it is left
        threading.Thread(target=webbrowser.open, args=(app.gate.ticket_address(),), daemon=True).start()
    terminal.warn(f"Design explorer: {app.gate.address} (Ctrl-C ends it)")
    await watching


def free_port(wanted: int | None) -> int:
    """A port that is free."""
    tried = range(PORT, PORT + 100) if wanted is None else (TABLE["port"].count(wanted, "port"),)
    free = next((port for port in tried if _is_free(port)), None)
    if free is None:
        raise InputError(f"({tried[0]}) is in use; choose another", "port")
    return free


def _is_free(port: int) -> bool:
    # a browser may take either for localhost, so that nobody else may listen on the other
    for family, place in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((place, port))
        except OSError as error:
            if family == socket.AF_INET or error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
    return True


def server(notebook: Path, gate: Gate, *, kernels: int | None = None) -> Any:
    """Voila for one notebook, on this machine only, as we want it and not as a folder's own settings would.

    Parameters
    ----------
    notebook : Path
        The page.
    gate : Gate
        Who may ask for it, and at which port.
    kernels : int, optional
        Pages at most that are open at the same time.
    """
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (str(TEMPLATES), os.environ.get("JUPYTER_PATH"))))
    try:
        from traitlets.config import Config

        with spared():
            from simtrial.explorer import kernels as explorer_kernels
            from simtrial.explorer import site
    except ImportError:
        raise InputError("is not installed: pip install 'voila>=0.5.8,<0.6' (the extra explore)", "voila") from None
    most = explorer_kernels.affordable() if kernels is None else kernels
    settings = {
        "Voila": {**APPLICATION, "port": gate.port, "identity_provider_class": site.Everybody},
        "VoilaConfiguration": {**PAGE, "multi_kernel_manager_class": explorer_kernels.Kernels},
        # papermill's kernels are told the same: a kernel of this machine may speak in the clear
        "AsyncKernelManager": {"transport_encryption": "auto"},
        # a kernel that is started again knows nothing of its page
        "KernelManager": {"autorestart": False},
        "Kernels": {"most": most, "grace": explorer_kernels.GRACE},
    }
    notices.listen()
    app = site.ExplorerApp(gate=gate, config=Config(settings))
    app.initialize([str(notebook)])
    return app
