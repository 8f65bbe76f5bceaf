"""How commands read their options: numbers as people type them, within their bounds, and folders for results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from simtrial import disk, inputs
from simtrial.errors import InputError
from simtrial.inputs import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.models import OptionInfo

N = TypeVar("N", int, float)


def number(text: str) -> float:
    """Read a number as people type it."""
    return _typed(inputs.number, text)


def whole(text: str) -> int:
    """Read a whole number as people type it."""
    return _typed(inputs.whole, text)


def _typed(read: Callable[[str], N], text: str) -> N:
    try:
        return read(str(text))  # a default comes as the number that it is
    except InputError as error:
        raise typer.BadParameter(f"{text!r:.60} {error.message}") from None


OptionForm = Literal["one", "list", "text"]


class Reader:
    """Reads what is typed for an option that holds a number, whose bounds are those of `simtrial.inputs.TABLE`.

    The bounds are checked when all options of a command are read (`faults`), so that all mistakes are told at once.

    Parameters
    ----------
    key : str
        An entry of the table.
    form : {'one', 'list', 'text'}
        One number; several separated by commas, or one with its zeros, both of which are kept as they are typed.
    parts : tuple of str
        What the numbers of a list are called, where each is another thing.
    """

    def __init__(self, key: str, form: OptionForm = "one", parts: tuple[str, ...] = ()) -> None:
        self.key, self.form, self.parts = key, form, parts
        self.number = TABLE[key]
        self.__name__ = self.number.said  # typer asks for it, as of any function

    def __call__(self, text: str) -> float | str:
        """Read a text."""
        found = self.numbers(text)
        return found[0] if self.form == "one" else str(text).strip()

    def numbers(self, text: str) -> list[float]:
        """The numbers of a text: one, or those of a list."""
        parts = str(text).split(",") if self.form == "list" else [text]
        return [whole(part) if self.number.whole else number(part) for part in parts]

    def faults(self, value: object, name: str) -> Iterator[InputError]:
        """The mistakes of what was read for an option of this name."""
        texts = self.numbers(value) if isinstance(value, str) else value
        every = texts if isinstance(texts, list | tuple) else (texts,)
        names = [f"{name} {part}" for part in self.parts] if len(self.parts) == len(every) else [name] * len(every)
        for given, told in zip(every, names, strict=True):
            try:
                _ = self.number.count(given, told) if self.number.whole else self.number.check(given, told)
            except InputError as error:
                yield error


def number_option(
    key: str, said: str | None = None, form: OptionForm = "one", parts: tuple[str, ...] = (), name: str = ""
) -> OptionInfo:
    """An option that takes a number, or several, by the entry of its bounds and the form of `Reader`.

    `name` is how it is typed, where that is not the name of the parameter, which ends with an underscore then.
    """
    one = TABLE[key].metavar
    metavar = f"{one},{one}" if form == "list" and "," not in one else one
    typed = (name,) if name else ()
    option: OptionInfo = typer.Option(*typed, parser=Reader(key, form, parts), metavar=metavar, help=said)
    return option


class PriorReader(Reader):
    """Reads a Beta prior: its two numbers, or its mean and its size (`simtrial.search.bayesian.posterior`)."""

    def __init__(self) -> None:
        super().__init__("beta", "list", ("A", "B"))

    def numbers(self, text: str) -> list[float]:
        """Its two numbers."""
        if "=" not in str(text):
            return super().numbers(text)
        from simtrial.search.bayesian.posterior import parse_prior

        try:
            return list(parse_prior(text).pair)
        except InputError as error:
            raise typer.BadParameter(error.message) from None


def prior_option(said: str) -> OptionInfo:
    """An option that takes a Beta prior."""
    option: OptionInfo = typer.Option(parser=PriorReader(), metavar=TABLE["beta"].metavar, help=said)
    return option


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


def folder(text: str | Path) -> Path:
    """Read the name of a folder for results, and try whether files can be made there: before any work is done."""
    if not str(text).strip():
        raise typer.BadParameter("it is empty; name a folder")
    try:
        return disk.usable(Path(text))
    except InputError as error:
        raise typer.BadParameter(error.message) from None


Out = Annotated[
    Path, typer.Option("--out", parser=folder, metavar="FOLDER", help="Folder for the results; made if missing.")
]
