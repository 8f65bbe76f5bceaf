"""The command that opens the design explorer in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from simtrial import project
from simtrial.explorer.server import PORT, free_port, serve, server, telling
from simtrial.show import terminal


def explore(
    port: Annotated[
        int | None, terminal.number_option("port", f"Port on this machine; default: the first free one from {PORT}.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
) -> None:
    """Open the design explorer: controls on one side, the design and its calendar on the other."""
    notebook = project.folder("notebooks") / "explorer.ipynb"
    taken = free_port(port)
    try:
        with telling("Importing the libraries of the page"):
            app = server(notebook, taken)
        serve(app, f"http://localhost:{taken}/", browser=browser)
    except KeyboardInterrupt:
        pass
    terminal.say("The explorer has ended.")
