"""Many stated sample sizes from one CSV: one row each, read strictly."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import csv_files, files, inputs
from simtrial.errors import InputError, several
from simtrial.phrases import counted
from simtrial.slips import nearest
from simtrial.trial.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = {
    "p0": "rate", "p1": "rate", "alpha": "error", "power": "error", "alpha_sided": "sides",
    "r1": "responses", "n1": "patients", "r": "responses", "n": "patients", "total": "patients", "dropout": "dropout",
    "type_i_error": "share", "attained_power": "share", "en_p0": "mean_patients", "pet_p0": "share",
}  # fmt: skip
"""Columns that hold a number, each with the entry of its bounds."""

KNOWN = ("id", "looks", "criterion", *NUMBERS)
"""Columns of a statement; others are ignored, unless they seem to be one of these."""

UNSTATED = ("", "unstated", "not stated", "na", "n/a")
"""What a cell says of a number that is not stated."""

MAX_BYTES = 4_194_304
"""Largest CSV of statements that is read."""

MAX_ROWS, MAX_COLUMNS, MAX_CELL = 10_000, 200, 20_000
"""Most statements of one file, most columns, and most characters of a cell."""


def read_csv(path: str | Path) -> tuple[list[tuple[str, Statement]], list[str]]:
    """Read many statements: one row each, columns named as the fields of `Statement`, or ``looks``, and ``id``.

    Cells that are empty or say so (`UNSTATED`) are numbers not stated; other columns, such as a quote, are ignored, but
    a misspelt one is refused: what it states would be held not to be stated.

    Returns
    -------
    list of (str, Statement), list of str
        The statements with their ids, and the columns that are ignored.

    Raises
    ------
    InputError
        One line per column that seems misspelt and per cell that cannot be read: the file, the row and its column.
    """
    rows = list(_rows(_text(path), path))
    header = [name.strip().lower() for name in rows[0][1]] if rows else []
    _check_header(header, path)
    if len(rows) - 1 > MAX_ROWS:
        raise InputError(f"has {counted(len(rows) - 1, 'row')}; at most {MAX_ROWS:,} are read", f"{path}:")
    found, faults = [], _misspelt(header, path)
    if not faults and (len(rows) < 2 or not set(header) & {*KNOWN} - {"id"}):
        raise InputError(f"has no column of a statement; columns are {', '.join(KNOWN)}", f"{path}:")
    for number, cells in rows[1:]:
        try:
            row = _row(header, cells)
            found.append((csv_files.plain(row.get("id") or str(number - 1)), _statement(row)))
        except InputError as error:
            faults.append(error.placed(f"{path} row {number}: "))
    if faults:
        raise several(faults)
    return found, [name for name in header if name and name not in KNOWN]


def _text(path: str | Path) -> str:
    content = files.read(Path(path), MAX_BYTES)
    if content.kind:
        remedy = "unpack it first" if content.kind.endswith("archive") else "save it as CSV"
        raise InputError(f"is {content.kind}; {remedy}", f"{path}:")
    try:
        return content.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text; save it as UTF-8", f"{path}:") from None


def _rows(text: str, path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers; those without any cell are left out."""
    first = next(iter(text.splitlines()), "")
    separator = ";" if first.count(";") > first.count(",") else ","  # semicolons where decimals have commas
    number = 0
    with _any_length():
        try:
            for cells in csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator):
                number += 1
                if cells:
                    yield number, cells
        except csv.Error as error:
            raise InputError(f"is not CSV: {error}", f"{path} row {number + 1}:") from None


@contextmanager
def _any_length() -> Iterator[None]:
    """Let a cell be as long as the file, so that a long one is told with its place, and not by the reader of CSV."""
    before = csv.field_size_limit(MAX_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _check_header(header: list[str], path: str | Path) -> None:
    """Refuse names that no column may have, and names that stand twice."""
    if len(header) > MAX_COLUMNS:
        raise InputError(f"has {counted(len(header), 'column')}; at most {MAX_COLUMNS} are read", f"{path} row 1:")
    for k, name in enumerate(header, start=1):
        if len(name) > MAX_CELL or _control(name):
            raise InputError(f"({name!r:.40}) {_unreadable(name)}", f"{path} row 1: column {k}")
        if name.startswith(("_", "=", "+", "-", "@")):
            raise InputError(
                f"({name!r:.40}) is no name of a column: it begins with {name[0]!r}; write a letter first",
                f"{path} row 1: column {k}",
            )
        if name and header.index(name) < k - 1:
            raise InputError(f"has the column {name!r:.60} twice", f"{path}:")


def _misspelt(header: list[str], path: str | Path) -> list[InputError]:
    """A fault for each column that is named nearly as one that the file lacks; another digit names another quantity."""
    faults = []
    for name in (one for one in header if one and one not in KNOWN):
        meant = nearest(name, (one for one in KNOWN[1:] if _digits(one) == _digits(name)), 0.75)
        if meant and meant not in header:
            said = f"is not a column of a statement; did you mean {meant}? Otherwise give it another name"
            faults.append(InputError(said, f"{path} row 1: {name:.40}"))
    return faults


def _digits(name: str) -> str:
    return re.sub("[^0-9]", "", name)


def _row(header: list[str], cells: list[str]) -> dict[str, str]:
    """The cells of a row by their columns."""
    if any(cell.strip() for cell in cells[len(header) :]):
        raise InputError(f"has more cells than columns ({len(cells)}, not {len(header)})")
    if len(cells) < len(header):
        raise InputError(f"has fewer cells than columns ({len(cells)}, not {len(header)}); separate empty cells too")
    for k, (name, cell) in enumerate(zip(header, cells, strict=False), start=1):
        if len(cell) > MAX_CELL or _control(cell):
            raise InputError(f"({cell!r:.40}) {_unreadable(cell)}", name or f"column {k}")
        if cell.strip() and not name:
            raise InputError(f"({cell!r:.40}) has no name above it in the first row", f"column {k}")
    return {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}


def _control(text: str) -> str:
    """The first character that cannot stand in a text; empty if all can."""
    return next((c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r"), "")


def _unreadable(text: str) -> str:
    bad = _control(text)
    if bad:
        return f"holds the control character {bad!r}; remove it"
    return f"has {counted(len(text), 'character')}; at most {MAX_CELL:,} are possible"


def _statement(row: dict[str, str]) -> Statement:
    values: dict[str, object] = {}
    faults = []
    for name, cell in row.items():
        if name in NUMBERS and cell.lower() not in UNSTATED:
            try:
                values[name] = _number(cell, name)
            except InputError as error:
                faults.append(error)
    if faults:
        raise several(faults)
    criterion = row.get("criterion", "")
    if criterion.lower() not in UNSTATED:
        values["criterion"] = criterion
    looks = row.get("looks", "")
    if looks.lower() not in UNSTATED:  # then n is the number to be enrolled, as on the command line
        n = values.pop("n", None)
        if n is not None and values.setdefault("total", n) != n:
            raise InputError(f"({n}) is not the total ({values['total']}), which it is where looks are given", "n")
        return Statement.of_looks(looks, **values)
    if values.get("n") is None and not {"n1", "r", "dropout"} & set(values):  # nothing tells the total from the n
        values["n"] = values.pop("total", None)
    return Statement(**values)  # type: ignore[arg-type]  # checked by the class


def _number(cell: str, name: str) -> float:
    """The number in a cell, which may have a decimal comma."""
    plain = cell.replace(",", ".") if re.fullmatch(r"[0-9]*,[0-9]+", cell) else cell
    try:
        return inputs.TABLE[NUMBERS[name]].read(plain, name)
    except InputError as error:
        raise InputError(error.message.replace(repr(plain), repr(cell)), name) from None
