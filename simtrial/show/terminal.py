"""How commands read numbers and print: tables for people, one JSON object, progress on standard error."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simtrial import disk, slips
from simtrial.errors import InputError
from simtrial.slips import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console
    from typer.models import OptionInfo


def number(text: str) -> float:
    """Read a number as people type it."""
    told = str(text).strip()  # a default comes as the number that it is
    if not PLAIN.fullmatch(told) and told.lower().lstrip("+-") not in ("nan", "inf", "infinity"):
        raise typer.BadParameter(f"{text!r:.60} {slips.number(text)}")
    return float(told)


def whole(text: str) -> int:
    """Read a whole number as people type it."""
    told = str(text).strip()  # a default comes as the number that it is
    if re.fullmatch(r"[-+]?[0-9]{1,19}", told):
        return int(told)
    hint, fault = "", "is not a whole number"
    if PLAIN.fullmatch(told) and len(told) < 20 and abs(float(told)) < 1e15 and float(told).is_integer():
        hint = f"; write {float(told):.0f}"
    elif "thousands" in slips.number(told):
        fault = slips.number(told)
    raise typer.BadParameter(f"{text!r:.60} {fault}{hint}")


def rate_option(said: str, metavar: str = "RATE") -> OptionInfo:
    """An option that takes a number."""
    option: OptionInfo = typer.Option(parser=number, metavar=metavar, help=said)
    return option


def whole_option(said: str, metavar: str = "N") -> OptionInfo:
    """An option that takes a whole number."""
    option: OptionInfo = typer.Option(parser=whole, metavar=metavar, help=said)
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


RateOption = Annotated[float | None, typer.Option(parser=number, metavar="RATE")]


RatesOption = Annotated[
    list[float] | None,
    typer.Option(parser=number, metavar="RATE", help="Instead of the conventional values; may be given again."),
]


def say(message: str) -> None:
    """Tell people something that is no result."""
    print(message, file=sys.stderr, flush=True)


def fault(error: BaseException | str) -> None:
    """Say what went wrong: a line per mistake, each safe by itself."""
    lines = error.lines if isinstance(error, InputError) else (str(error),)
    for line in lines:
        say(f"simtrial: {one_line(line)}")


def print_json(data: dict[str, object]) -> None:
    """Print the one JSON object."""
    print(json.dumps(data, allow_nan=False))


def console() -> Console:
    """Where text for people goes."""
    from rich.console import Console

    # text goes where a terminal's width is not known, and a terminal too narrow wraps: no number is ever cut
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 120)


LEAST_WORDS = 16
"""Fewest letters of the first column that are left beside whole numbers."""


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """Print a table, so many columns flush left and the others right."""
    from rich import box
    from rich.table import Table

    where = console()
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    # where the terminal is narrow columns move together, and the words of the first wrap before any number does
    wide = sum(widths) + 2 * len(widths) > where.width
    tight = wide and where.width - sum(widths[1:]) - len(widths) - 1 >= LEAST_WORDS
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 0 if tight else 1, 0, 0), pad_edge=False)
    for k, head in enumerate(heads):
        whole = widths[k] if k and tight else None
        shown.add_column(head, justify="left" if k < left else "right", overflow="fold", min_width=whole)
    for row in rows:
        shown.add_row(*row)
    where.print(title, style="bold")
    where.print(shown)


EVERY = 5.0
"""Seconds between lines about what takes long, where there is no terminal."""


@contextmanager
def _now_and_then(line: Callable[[], str]) -> Iterator[None]:
    """Say every few seconds what is being done, where there is no terminal."""
    if sys.stderr.isatty():
        yield
        return
    ended = threading.Event()

    def talk() -> None:
        with suppress(OSError, ValueError):  # nobody may read any more
            while not ended.wait(EVERY):
                say(f"  {line()}")

    talking = threading.Thread(target=talk, daemon=True)
    talking.start()
    try:
        yield
    finally:
        ended.set()
        talking.join()


def spell(seconds: float) -> str:
    """How long something takes, for people."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def bar(
    total: float, what: str = "trials", doing: str = "simulating", line: Callable[[], str] | None = None
) -> Iterator[Callable[[float], None]]:
    """A bar for what takes more than a second on a terminal; elsewhere a line every few seconds."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.1f} per second" if task.speed else "")

    began, done = time.monotonic(), 0.0
    columns = (
        TextColumn(doing),
        BarColumn(),
        TextColumn("{task.completed:,.0f} " + what),
        Speed(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=total)

    def tell(step: float) -> None:
        nonlocal done
        done += step
        bar.advance(task, step)
        if not bar.live.is_started and time.monotonic() - began > 1 and sys.stderr.isatty():
            bar.start()

    def share() -> str:
        if not 0 < done < total:
            return f"{doing} ..."
        return f"{doing}: {done / total:.0%} done, {spell((time.monotonic() - began) * (total / done - 1))} left"

    try:
        with _now_and_then(line or share):
            yield tell
    finally:
        if bar.live.is_started:
            bar.stop()


PATIENCE = 1.0
"""Seconds after which a terminal says what is being done."""


@contextmanager
def waiting(doing: str) -> Iterator[None]:
    """Say what takes more than a second, where nobody knows how long it will take."""
    if not sys.stderr.isatty():
        with _now_and_then(lambda: f"{doing} ..."):
            yield
        return
    from rich.console import Console

    status = Console(stderr=True).status(f"{doing} ...")
    timer = threading.Timer(PATIENCE, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # else it could start after the end
        status.stop()


def progress() -> Callable[[str], None]:
    """A line a step, with the time the last one took."""
    began: list[float] = []

    def tell(step: str) -> None:
        now = time.monotonic()
        if began:
            say(f"    {now - began[-1]:.1f} s")
        began.append(now)
        say(f"  {step} ...")

    return tell


def one_line(message: str) -> str:
    """A message in one line, whatever it holds: nothing in it can move the cursor or look like a line of ours."""
    return " ".join("".join(c if c.isprintable() else " " for c in message).split())
