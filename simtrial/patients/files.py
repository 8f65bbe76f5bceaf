"""Files of patients as other programs write them, read into one shape: a `Sheet` of text cells.

Text with any of four separators (comma, semicolon, tab, pipe; R's `write.table` also uses spaces), with a byte order
mark or not, in UTF-8 or in the UTF-16 of a spreadsheet; SAS transport files and SAS data sets, by the readers of
pandas. What was taken for granted is told in `Sheet.notes`. Files are untrusted: their size is limited, and nothing in
them is run.
"""

from __future__ import annotations

import csv
import io
import warnings
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import csv_files, files
from simtrial.errors import InputError, several
from simtrial.phrases import counted

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Callable, Iterator, Sequence

MAX_BYTES = 33_554_432
"""Largest file of patients that is read: an ADaM data set of a phase II trial has a few megabytes."""

MAX_ROWS = 200_000
"""Most rows of one file; an analysis data set holds many rows per patient."""

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}

_TRANSPORT = b"HEADER RECORD*******LIB"
_SAS_DATA_SET = b"\0" * 12 + files.SAS_DATA_SET
_EXPORT = "export it as CSV or as a SAS transport file (XPT)"
_REMEDIES = {
    "a ZIP archive": "unpack it first", "a gzip archive": "unpack it first", "a SAS data set": _EXPORT,
    "an Excel file": "save it as CSV", "an OpenDocument spreadsheet": "save it as CSV",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table of text.

    Attributes
    ----------
    path : str
        The file.
    headings : tuple of str
        Names of the columns as written, without spaces around them.
    rows : tuple of (int, tuple of str)
        Line number (row number in a SAS file, from 1) and cells; as many cells as headings.
    sas_days : bool
        Whether a plain number in a column of days counts from 1960-01-01, as in SAS transport files.
    separator : str
        What stands between the cells; empty in a SAS file.
    notes : tuple of str
        What was taken for granted, as sentences without a full stop.
    sha256 : str
        Digest of the bytes that were read.
    """

    path: str
    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    sas_days: bool = False
    separator: str = ","
    notes: tuple[str, ...] = ()
    sha256: str = ""


def read(path: str | Path, known: Callable[[str], Sequence[str]]) -> Sheet:
    """Read a file of patients.

    Parameters
    ----------
    path : str or Path
        The file.
    known : callable
        The columns that a heading may stand for, none if it is not read: the separator is the one that gives most of
        them, and row names without a heading are told by where identifiers come to stand.

    Raises
    ------
    InputError
        If the file is none of these kinds, too large, or its rows do not fit its header; all such rows at once.
    """
    content = files.read(Path(path), MAX_BYTES)
    return replace(_sheet(str(path), content, known), sha256=content.sha256)


def _sheet(path: str, content: files.Content, known: Callable[[str], Sequence[str]]) -> Sheet:
    data, other = content.data, content.kind
    if data.startswith(_TRANSPORT):
        return _sas(path, data, "xport")
    if data.startswith(_SAS_DATA_SET):
        return _sas(path, data, "sas7bdat")
    if other:
        raise InputError(f"is {other}; {_REMEDIES.get(other, 'save the patients as CSV')}", f"{path}:")
    return _text(path, _decoded(path, data), known)


def _decoded(path: str, data: bytes) -> str:
    coding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    if coding != "utf-16" and b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise InputError("holds a NUL byte; save the file as CSV in UTF-8", f"{path} line {line}:")
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError("is not UTF-8 text; save the file as CSV in UTF-8", f"{path} line {line}:") from None


def _text(path: str, text: str, known: Callable[[str], Sequence[str]]) -> Sheet:
    text, skipped = _after_excel(text)
    opening = text.lstrip()[:1]
    if opening in ("<", "{", "["):
        form = "HTML or XML" if opening == "<" else "JSON"
        raise InputError(f"is {form}, not a table; save the patients as CSV", f"{path}:")
    separator = _separator(text, known)
    notes = [] if separator == "," else [f"columns are separated by {SEPARATORS[separator]}"]
    rows = _parsed(path, text, separator, skipped)
    if csv_files.GUARD in text:  # our own files hold no text that a spreadsheet would compute
        rows = [(place, [csv_files.plain(cell) for cell in cells]) for place, cells in rows]
    while rows and not any(cell.strip() for cell in rows[-1][1]):
        rows.pop()
    if not rows:
        return Sheet(path=path, headings=(), rows=(), separator=separator)
    (_, first), body = rows[0], rows[1:]
    header = [cell.strip() for cell in first]
    if _has_row_names(header, body, known):
        header.insert(0, "")
        notes.append("the first column has no heading: R's row names")
    if body and all(len(row) > len(header) and not any(row[len(header) :]) for _, row in body):
        body = [(place, row[: len(header)]) for place, row in body]  # separators at the ends of the rows
    _check_widths(path, header, body, separator)
    cells = tuple((place, tuple(cell.strip() for cell in row)) for place, row in body)
    return Sheet(path=path, headings=tuple(header), rows=cells, separator=separator, notes=tuple(notes))


def _has_row_names(header: list[str], body: list[tuple[int, list[str]]], known: Callable[[str], Sequence[str]]) -> bool:
    """Whether the rows begin with names that have no heading, as `write.table` of R leaves it out.

    Else a cell too many is a slip, such as a decimal comma: so names must differ from row to row, and the identifiers
    one place further too.
    """
    if not body or any(len(row) != len(header) + 1 for _, row in body):
        return False
    subject = next((k for k, heading in enumerate(header) if "USUBJID" in known(heading)), None)
    apart = [[row[k].strip() for _, row in body] for k in (0, 0 if subject is None else subject + 1)]
    plain = [str(k) for k in range(1, len(body) + 1)] == apart[0]
    return all(all(cells) and len(set(cells)) == len(cells) for cells in apart) and (plain or len(body) > 1)


def _after_excel(text: str) -> tuple[str, int]:
    """The text without the line by which Excel is told the separator, and how many lines that took."""
    first, _, rest = text.partition("\n")
    return (rest, 1) if first.strip().lower().startswith("sep=") else (text, 0)


def _split(text: str, separator: str, *, escaped: bool = False) -> Reader:
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        strict=True,
        skipinitialspace=separator == " ",
        # write.table of R writes \" where others write ""
        escapechar="\\" if escaped else None,
        doublequote=not escaped,
    )


def _separator(text: str, known: Callable[[str], Sequence[str]]) -> str:
    """The separator under which most headings of the first line are known; of equals the one with most columns."""
    best, most = ",", (-1, -1)
    for separator in SEPARATORS:
        try:
            header: list[str] = next(_split(text, separator), [])
        except csv.Error:
            continue
        found = (sum(bool(known(cell.strip())) for cell in header), len(header) if separator != " " else 0)
        if found > most:
            best, most = separator, found
    return best


def _parsed(path: str, text: str, separator: str, skipped: int) -> list[tuple[int, list[str]]]:
    """All rows, each with the number of its first line."""
    try:
        return list(_numbered(path, _split(text, separator), skipped))
    except csv.Error as error:
        fault = error
    try:
        return list(_numbered(path, _split(text, separator, escaped=True), skipped))
    except csv.Error:
        line = skipped + 1 + _failing(text, separator)
        raise InputError(f"is not CSV: {fault}", f"{path} line {line}:") from None


def _numbered(path: str, reader: Reader, skipped: int) -> Iterator[tuple[int, list[str]]]:
    line = 1
    for number, cells in enumerate(reader):
        if number > MAX_ROWS:
            raise InputError(f"holds more than {MAX_ROWS} rows; no more are read", f"{path}:")
        yield line + skipped, cells
        line = reader.line_num + 1


def _failing(text: str, separator: str) -> int:
    """How many lines stand before the row that cannot be split."""
    reader = _split(text, separator)
    line = 0
    try:
        for _ in reader:
            line = reader.line_num
    except csv.Error:
        pass
    return line


def _check_widths(path: str, header: list[str], rows: list[tuple[int, list[str]]], separator: str) -> None:
    faults = []
    for line, row in rows:
        if len(row) == len(header):
            continue
        said = f"has {counted(len(row), 'cell')}; the header has {len(header)}"
        if len(row) > len(header) and separator == "," and _comma(row):
            said += "; it seems to hold a decimal comma: write 5.1, or separate the columns by semicolons"
        faults.append(InputError(said, f"{path} line {line}:"))
    if faults:
        raise several(faults)


def _comma(row: list[str]) -> bool:
    """Whether two neighbours look like a number cut in two at its decimal comma."""
    return any(a.strip().lstrip("+-").isdigit() and b.strip().isdigit() for a, b in pairwise(row))


def _sas(path: str, data: bytes, form: str) -> Sheet:
    """A SAS transport file or data set; its numbers and days as text."""
    import pandas as pd

    # a data set knows its own encoding; a transport file does not, and UTF-8 reads what others write in English
    coding = "infer" if form == "sas7bdat" else "utf-8"
    said = "SAS transport file" if form == "xport" else "SAS data set"
    remedy = "" if form == "xport" else f"; {_EXPORT}"
    try:
        with warnings.catch_warnings(record=True) as doubts:
            warnings.simplefilter("always")
            with pd.read_sas(io.BytesIO(data), format=form, encoding=coding, chunksize=MAX_ROWS + 1) as reader:
                frame = reader.read(MAX_ROWS + 1)
    except Exception as error:
        fault = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"cannot be read as a {said}: {fault.rstrip('.')}{remedy}", f"{path}:") from None
    if any("corrupt" in str(doubt.message) for doubt in doubts):
        raise InputError(f"cannot be read as a {said}: it seems to be damaged or cut short{remedy}", f"{path}:")
    if len(frame) > MAX_ROWS:
        raise InputError(f"holds more than {MAX_ROWS} rows; no more are read", f"{path}:")
    rows = tuple(
        (number, tuple(_written(value) for value in row))
        for number, row in enumerate(frame.itertuples(index=False, name=None), start=1)
    )
    headings = tuple(str(name).strip() for name in frame.columns)
    return Sheet(
        path=path,
        headings=headings,
        rows=rows,
        sas_days=form == "xport",
        separator="",
        notes=(f"it is a {said}; its rows are counted as lines",),
    )


def _written(value: str | float | date | None) -> str:
    """A value of a SAS file as text."""
    if isinstance(value, str):
        return value.strip()
    if value is None or value != value:  # NaN and NaT are no value
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    number = float(value)
    # transport files keep 0 as a number too small to be anything else
    return f"{int(number)}" if number == int(number) else "0" if abs(number) < 1e-70 else repr(number)
