"""How commands print: tables for people, one JSON object, progress on standard error."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
import threading
import time
import unicodedata
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, TextIO

from simtrial.errors import InputError
from simtrial.show import loudness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

MOST_SAID = 4096
"""Bytes of what another program wrote last among which its last line is looked for."""


def visible(text: str, kept: str = "\n") -> str:
    r"""A text with every character as an escape that is not seen but acts: on the cursor, on the order of letters.

    Files of others may hold characters that clear a terminal, name its window, or turn the letters that follow around.

    Parameters
    ----------
    text : str
        From whatever source.
    kept : str
        Characters that stay as they are, besides blanks of every width.

    Examples
    --------
    >>> print(visible("a\x1b[2Jb\u202ec\u200b\x9b"))
    a\x1b[2Jb\u202ec\u200b\x9b
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept or unicodedata.category(c) == "Zs" else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


_SPELLED = {
    "\u2013": "-", "\u2212": "-", "\u00b1": "+/-", "\u2264": "<=", "\u2265": ">=", "\u00d7": "x", "\u2026": "...",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"',
    "\u03b1": "alpha", "\u03b2": "beta", "\u00b7": ".",
}  # fmt: skip
"""Characters of ours and of protocols, for terminals that do not have them."""


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Write characters that an encoding does not have in others."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_SPELLED.get(c) or _escape(c) for c in error.object[error.start : error.end]), error.end


def spell_out() -> None:
    """See to it that no character ends the program: not every terminal has a sign for "at least"."""
    codecs.register_error("simtrial.spelled", _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="simtrial.spelled")


def tell(text: str = "", end: str = "\n") -> None:
    """Print a result for people: in lines as they are."""
    print(visible(text), end=end)


def wrapped(text: str, style: str | None = None) -> None:
    """Print sentences for people, wrapped as wide as the terminal is."""
    console().print(visible(text), style=style)


def say(message: str) -> None:
    """Tell people something that is no result, unless they asked for quiet."""
    if not loudness.quiet():
        warn(message)


def warn(message: str) -> None:
    """Tell people what they have to know, whatever they asked for."""
    print(visible(message), file=sys.stderr, flush=True)


def fault(error: BaseException | str) -> None:
    """Say what went wrong: a line per mistake, each safe by itself."""
    lines = error.lines if isinstance(error, InputError) else (str(error),)
    for line in lines:
        warn(f"simtrial: {one_line(line)}")


def print_json(data: dict[str, object]) -> None:
    """Print the one JSON object."""
    print(json.dumps(data, allow_nan=False))


UNKNOWN_WIDTH = 120
"""Letters of a line where there is no terminal and nobody told."""


def _told_width() -> int:
    """Letters of a line by COLUMNS, as other programs have it; 0 where it is not set to a positive number."""
    told = os.environ.get("COLUMNS", "")
    return int(told) if told.isascii() and told.isdecimal() else 0


def console() -> Console:
    """Where text for people goes."""
    from rich.console import Console

    # text goes where a terminal's width is not known, and a terminal too narrow wraps: no number is ever cut
    width = None if sys.stdout.isatty() else _told_width() or UNKNOWN_WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width, color_system=colours(sys.stdout))


def colours(stream: TextIO) -> Literal["auto"] | None:
    """Whether bold letters and colours may be used: as no-color.org and force-color.org have it.

    Parameters
    ----------
    stream : text stream
        Where they would go.

    Returns
    -------
    {'auto', None}
        What rich takes: None where NO_COLOR is set, which counts most; else 'auto' where FORCE_COLOR is set; else None
        where the stream is no terminal, or one without any (TERM is dumb). A variable that is empty is not set.
    """
    if os.environ.get("NO_COLOR"):
        return None
    if os.environ.get("FORCE_COLOR"):
        return "auto"
    return "auto" if stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown") else None


def _status_console() -> Console:
    """Where progress goes."""
    from rich.console import Console

    return Console(stderr=True, color_system=colours(sys.stderr))


def width() -> int:
    """How many letters a line has."""
    return console().width


LEAST_WORDS = 16
"""Fewest letters of the first column that are left beside whole numbers."""


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """Print a table, so many columns flush left and the others right."""
    from rich import box
    from rich.table import Table

    title, heads = visible(title, kept=""), [visible(head, kept="") for head in heads]
    rows = [[visible(cell, kept="") for cell in row] for row in rows]
    where = console()
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    # where the terminal is narrow columns move together, and the words of the first wrap before any number does
    wide = sum(widths) + 2 * len(widths) > where.width
    tight = wide and where.width - sum(widths[1:]) - len(widths) - 1 >= LEAST_WORDS
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 0 if tight else 1, 0, 0), pad_edge=False)
    for k, head in enumerate(heads):
        whole = widths[k] if k and tight else None  # a fixed width: rich shrinks, and cuts, what has a least width only
        shown.add_column(head, justify="left" if k < left else "right", overflow="fold", width=whole)
    for row in rows:
        shown.add_row(*row)
    where.print(title, style="bold")
    where.print(shown)


EVERY = 5.0
"""Seconds between lines about what takes long, where there is no terminal."""


@contextmanager
def _now_and_then(line: Callable[[], str]) -> Iterator[None]:
    """Say every few seconds what is being done, where there is no terminal."""
    if sys.stderr.isatty() or loudness.quiet():
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
    bar = Progress(*columns, console=_status_console(), transient=True)
    task = bar.add_task("", total=total)

    def tell(step: float) -> None:
        nonlocal done
        done += step
        bar.advance(task, step)
        shown = sys.stderr.isatty() and not loudness.quiet()
        if shown and not bar.live.is_started and time.monotonic() - began > 1:
            bar.start()

    def share() -> str:
        if not 0 < done < total:
            return f"{doing} ..."
        return f"{doing}: {done / total:.0%} done, {spell((time.monotonic() - began) * (total / done - 1))} left"

    try:
        with timed(doing), _now_and_then(line or share):
            yield tell
    finally:
        if bar.live.is_started:
            bar.stop()


PATIENCE = 1.0
"""Seconds after which a terminal says what is being done."""


@contextmanager
def timed(doing: str) -> Iterator[None]:
    """Say how long a step took, where every step is to be told."""
    began = time.monotonic()
    yield
    if loudness.verbose():
        say(f"  {doing}: {time.monotonic() - began:.2f} s")


@contextmanager
def waiting(doing: str) -> Iterator[None]:
    """Say what takes more than a second, where nobody knows how long it will take."""
    if loudness.quiet() or not sys.stderr.isatty():
        with timed(doing), _now_and_then(lambda: f"{doing} ..."):
            yield
        return
    status = _status_console().status(f"{doing} ...")
    timer = threading.Timer(PATIENCE, status.start)
    timer.daemon = True
    timer.start()
    try:
        with timed(doing):
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
    return " ".join(visible(message.replace("\r\n", "\n"), kept="\n\t").split())


def last_line(said: bytes) -> str:
    """The last line of what another program wrote to its terminal, without its colours; empty where it wrote none."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said[-MOST_SAID:].decode("utf-8", "replace")).split("\n")
    return next((one_line(line) for line in reversed(lines) if line.strip()), "")
