"""The command that prints the schema of the files."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from simtrial.show import terminal


def schema(
    sweep: Annotated[bool, typer.Option("--sweep", help="Print the schema of sweep files instead.")] = False,
) -> None:
    """Print the JSON Schema of parameter files, for editors."""
    from simtrial.sweep import section
    from simtrial.trial import params

    terminal.tell(json.dumps(params.json_schema(section.SweepFile) if sweep else params.json_schema(), indent=2))
