"""A command of the program: once its options are read, all numbers are held to their bounds together."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, get_type_hints

from simtrial.cli import options
from simtrial.errors import InputError, several

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def bounded(command: Callable[..., None]) -> Callable[..., None]:
    """A command that runs only if its numbers lie within the bounds of `simtrial.inputs.TABLE`.

    Raises
    ------
    InputError
        When it runs: one line per option that is out of its bounds.
    """

    @wraps(command)
    def run(**given: Any) -> None:
        if found := faults(command, given):
            raise several(found)
        command(**given)

    return run


def faults(command: Callable[..., None], given: Mapping[str, object]) -> list[InputError]:
    """The numbers given to a command that lie out of their bounds."""
    found: list[InputError] = []
    for name, reader in readers(command).items():
        value = given.get(name)
        if value is not None:
            found += reader.faults(value, told_as(name))
    return found


def readers(command: Callable[..., object]) -> dict[str, options.Reader]:
    """What reads the numbers of a command, by the names of its parameters."""
    found = {}
    for name, hint in get_type_hints(command, include_extras=True).items():
        for one in getattr(hint, "__metadata__", ()):
            if isinstance(reader := getattr(one, "parser", None), options.Reader):
                found[name] = reader
    return found


def told_as(name: str) -> str:
    """The name of an option as it is typed: ``--n-limit``."""
    return f"--{name.rstrip('_').replace('_', '-')}"
