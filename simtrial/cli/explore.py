"""The command that opens the design explorer in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from simtrial import interruption, project
from simtrial.cli import options
from simtrial.explorer.gate import Gate
from simtrial.explorer.server import PORT, NoPageError, free_port, serve, server, telling
from simtrial.show import terminal


def explore(
    port: Annotated[
        int | None, options.number_option("port", f"Port on this machine; default: the first free one from {PORT}.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
    kernels: Annotated[
        int | None,
        options.number_option(
            "kernels",
            "Pages that can be open at the same time, about 250 MB of memory each; default: 8, or fewer if half the "
            "memory of this machine does not suffice for 8.",
        ),
    ] = None,
    token: Annotated[
        bool,
        typer.Option(
            help="Ask for the token in the printed address. Without it, every user of this machine can open the page; "
            "web pages from elsewhere still cannot."
        ),
    ] = True,
) -> None:
    """Open the design explorer: controls on one side, the design and its calendar on the other."""
    notebook = project.folder("notebooks") / "explorer.ipynb"
    taken = free_port(port)
    gate = Gate(port=taken) if token else Gate(port=taken, token=None)
    try:
        with telling("Importing the libraries of the page"):
            app = server(notebook, gate, kernels=kernels)
        serve(app, browser=browser)
    except KeyboardInterrupt:
        pass
    except NoPageError as error:
        terminal.fault(f"the first page cannot be computed: {error}")
        raise typer.Exit(1) from None
    interruption.note()  # what libraries do at the end may take longer than anybody waits
    terminal.say("The explorer has ended.")
