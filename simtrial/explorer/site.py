"""What the explorer serves: Voila for one notebook, behind the gate, with kernels that are counted.

The gate is asked by the application itself, before a handler is looked for, so that it holds for whatever Voila serves:
several of its handlers (files, sockets) ask nobody. Of Voila's handlers only those are kept that the page needs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from simtrial.explorer import refusals
from simtrial.explorer.gate import Gate, Welcome
from simtrial.explorer.kernels import REST
from simtrial.explorer.refusals import Refusal
from simtrial.libraries import spared

with spared():
    from jupyter_server.auth.identity import IdentityProvider, User
    from jupyter_server.base.handlers import FileFindHandler
    from jupyter_server.services.kernels.handlers import KernelHandler
    from tornado import web
    from tornado.httpserver import HTTPServer
    from tornado.iostream import StreamClosedError
    from traitlets import Instance
    from voila.app import Voila
    from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
    from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler
    from voila.tornado.handler import TornadoVoilaHandler
    from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest
    from tornado.iostream import IOStream

    from simtrial.explorer.kernels import Kernels

MOST_CONNECTIONS = 256
"""Connections at one time: a browser takes six per name and one per page, and each is an open file of this process."""

LONGEST_PATH = 1000
"""Letters of a path."""

LIMITS = {"max_body_size": 2**20, "idle_connection_timeout": 10.0, "body_timeout": 30.0}
"""What one connection may take; parameter files do not come this way, but through the page's socket."""

log = logging.getLogger(__name__)


class Refused(web.RequestHandler):
    """One of our own small pages, whatever was asked for."""

    def initialize(self, refusal: Refusal) -> None:
        """What to say."""
        self.refusal = refusal

    def prepare(self) -> None:
        """Answer, whatever the method is."""
        show(self, self.refusal)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer where the request itself is faulty."""
        show(self, self.refusal if status_code == self.refusal.status else refusals.of(status_code))


def show(handler: web.RequestHandler, refusal: Refusal) -> None:
    """Answer with one of our own small pages."""
    handler.clear()
    for name, value in refusals.OWN_HEADERS.items():
        handler.set_header(name, value)
    handler.set_status(refusal.status)
    if refusal.status == 503:
        handler.set_header("Retry-After", "60")
    handler.finish(refusal.page())


def admit(handler: web.RequestHandler, gate: Gate) -> None:
    """Give the cookie in place of the token."""
    handler.set_cookie(gate.cookie_name, gate.cookie, path="/", httponly=True, samesite="Strict")


class Admitted(web.RequestHandler):
    """A browser that came by the printed address gets its cookie, and an address that may be seen."""

    def initialize(self, gate: Gate, given: str) -> None:
        """By what the browser came."""
        self.gate, self.given = gate, given

    def prepare(self) -> None:
        """Give the cookie, and lead on."""
        if self.request.method == "GET":
            self.gate.spend(self.given)
            admit(self, self.gate)
        for name, value in refusals.OWN_HEADERS.items():
            self.set_header(name, value)
        self.redirect("/", status=303)


class Listening(HTTPServer):
    """A server that takes a limited number of connections."""

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """Take a connection, or close it."""
        if len(self._connections) >= MOST_CONNECTIONS:
            stream.close()
        else:
            super().handle_stream(stream, address)


class Site(web.Application):
    """The application, which asks the gate first."""

    def __init__(self, gate: Gate, **settings: Any) -> None:
        self.gate = gate
        super().__init__(**settings)

    def listen(self, port: int, address: str | None = None, **options: Any) -> HTTPServer:
        """Listen within our limits."""
        server = Listening(self, **LIMITS)
        server.listen(port, address=address, **options)
        return server

    def find_handler(self, request: HTTPServerRequest, **options: Any) -> Any:
        """Ask the gate, then look for the handler."""
        given = request.query_arguments.get("token")
        token = given[-1].decode("utf-8", "replace") if given else None
        cookie = request.cookies.get(self.gate.cookie_name)
        said = self.gate.check(request.path, request.headers, given=token, cookie=cookie.value if cookie else None)
        if isinstance(said, Refusal):
            return self.get_handler_delegate(request, Refused, {"refusal": said})
        if isinstance(said, Welcome):
            return self.get_handler_delegate(request, Admitted, {"gate": self.gate, "given": token})
        if not _plain(request.path):
            return self.get_handler_delegate(request, Refused, {"refusal": refusals.NOT_FOUND})
        if request.path == "/" and token is not None:
            self.gate.spend(token)
        return super().find_handler(request, **options)


def _plain(path: str) -> bool:
    """Whether a path can name one of our files: what cannot is not looked for."""
    try:
        said = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    return len(path) < LONGEST_PATH and said.isprintable() and ".." not in said and "\\" not in said


class Plainly:
    """Errors of Voila's handlers as our own small pages, and one line in the log where the fault is ours."""

    def write_error(self: Any, status_code: int, **_: Any) -> None:
        """Say what is the matter; the log says more."""
        show(self, refusals.of(status_code))

    def log_exception(self: Any, _: Any, error: BaseException | None, __: Any) -> None:
        """Report what is neither refused nor the end of a connection."""
        if isinstance(error, web.HTTPError) or self.request.connection.stream.closed():
            return
        log.error("", exc_info=error)


class Page(Plainly, TornadoVoilaHandler):  # type: ignore[misc]
    """The page: it takes a place, then the warm kernel, then it is written."""

    left = False

    @web.authenticated
    async def get(self, path: str | None = None) -> None:  # noqa: ARG002
        """Write the page."""
        kernels: Kernels = self.kernel_manager
        if "prefetch" in self.request.headers.get("Sec-Purpose", self.request.headers.get("Purpose", "")).lower():
            return show(self, refusals.EARLY)
        if not await kernels.place():
            return show(self, refusals.full(kernels.most, kernels.grace))
        if "token" in self.request.query_arguments:  # a browser too old to say where a request comes from
            admit(self, self.application.gate)
        waiting = True
        try:
            name = await kernels.ready()
            if self.left:  # nobody waits any more
                return None
            kernels.give(name, self)
            waiting = False
            with contextlib.suppress(StreamClosedError):  # its kernel is ended as that of any page without a socket
                async for said in self.get_generator():  # the first step takes the warm kernel
                    self.write(said)
                    await self.flush()
        finally:
            if waiting:
                kernels.coming -= 1
            else:
                kernels.left(name, self)
            kernels.fill(REST)
        return None

    def on_connection_close(self) -> None:
        """Nobody waits for the page any more."""
        self.left = True
        super().on_connection_close()


class Channels(Plainly, VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """The socket between a page and its kernel: as long as it is open the page is alive."""

    async def open(self, kernel_id: str) -> None:
        """The page is alive."""
        if self.connection is None:  # it has left already
            return
        self.kernel_manager.joined(kernel_id, self)
        await super().open(kernel_id)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """The form of the messages, if the page is still there."""
        chosen: str | None = super().select_subprotocol(subprotocols) if self.connection else None
        return chosen

    def on_message(self, ws_message: str | bytes) -> None:
        """Hand a message to the kernel."""
        try:
            if isinstance(ws_message, bytes) and not _sound(ws_message, first=self.connection.subprotocol is not None):
                raise ValueError(ws_message[:8])
            super().on_message(ws_message)
        except Exception as error:  # whatever a message that is none may raise
            log.error("a message that is no message of Jupyter was refused (%s)", type(error).__name__)
            self.close(1007)

    def on_close(self) -> None:
        """The page is gone, or will connect again."""
        self.kernel_manager.left(self.kernel_id, self)
        if self.connection is not None:
            super().on_close()


def _sound(message: bytes, *, first: bool) -> bool:
    """Whether a message in parts is as long as its count of parts says: Jupyter would go on counting for ever."""
    size = 8 if first else 4
    parts = int.from_bytes(message[:size], "little" if first else "big")
    return parts > 0 and size * (parts + 1) <= len(message)


class Everybody(IdentityProvider):
    """Who has passed the gate may use what is behind it."""

    auth_enabled = False

    def get_user(self, handler: web.RequestHandler) -> User:  # noqa: ARG002
        """Always the same."""
        return User("explorer")


class TemplateFiles(Plainly, TemplateStaticFileHandler):  # type: ignore[misc]
    """Files of the templates, asked for in the one form that Voila's handler can read."""

    def prepare(self) -> None:
        """Refuse any other form."""
        if not re.fullmatch(r"[\w-]+/static/[^/].*", self.path_args[0]):
            raise web.HTTPError(404)


PLAIN = {
    TemplateStaticFileHandler: TemplateFiles,
    **{
        kind: type(f"Plain{kind.__name__}", (Plainly, kind), {})
        for kind in (KernelHandler, VoilaShutdownKernelHandler, MultiStaticFileHandler, FileFindHandler)
    },
}
"""Handlers of Voila that the page needs, besides its own and that of its socket, and what stands for each."""


FOLDER = "simtrial-explorer-"
"""How the name of the folder begins in which kernels find their connections; the process follows."""


def _clear(place: Path) -> None:
    """Remove the folders of explorers that were killed and could not do it themselves."""
    for left in place.glob(f"{FOLDER}*-*"):
        process = left.name.removeprefix(FOLDER).partition("-")[0]
        with contextlib.suppress(OSError):  # those of other users
            if process.isdecimal() and left.stat().st_uid == os.getuid() and not _lives(int(process)):
                shutil.rmtree(left)


def _lives(process: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


class ExplorerApp(Voila):  # type: ignore[misc]
    """Voila as the explorer wants it."""

    gate = Instance(Gate)

    def init_handlers(self) -> list[Any]:
        """Only what the page needs."""
        routes = super().init_handlers()
        kept = [(place, PLAIN[kind], *rest) for place, kind, *rest in routes if kind in PLAIN]
        kept += [(route[0], Channels, *route[2:]) for route in routes if route[1] is VoilaKernelWebsocketHandler]
        kept += [("/", Page, *route[2:]) for route in routes if route[1] is TornadoVoilaHandler]
        return kept

    def start(self) -> None:
        """Listen and serve until the loop is stopped."""
        _clear(Path(self.connection_dir_root or tempfile.gettempdir()))
        self.connection_dir = tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir=self.connection_dir_root)
        nowhere = {"default_handler_class": Refused, "default_handler_args": {"refusal": refusals.NOT_FOUND}}
        self.app = Site(self.gate, **{**self.init_settings(), **self.tornado_settings, **nowhere})
        self.app.add_handlers(".*$", self.init_handlers())
        self.listen()

    def stop(self) -> None:
        """End the kernels and remove what they were told by."""
        self.kernel_manager.end()
        with contextlib.suppress(OSError):
            shutil.rmtree(self.connection_dir)

    def _handle_signal_stop(self, *_: object) -> None:
        raise KeyboardInterrupt  # until the server runs
