"""The one writer of CSV files: no text in them becomes a formula, and what is read back is what was written.

A spreadsheet computes a cell that begins with ``=``, ``+``, ``-`` or ``@``, in their full-width forms too, and one that
begins with a tab, a carriage return or a line feed may be taken apart into such a cell. The formula may send the sheet
elsewhere or start a program. Texts of ours come from files of others: labels, studies, identifiers. As OWASP advises
(CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection), an apostrophe is put before such a text. Blanks,
quotes and characters that nobody sees are looked through, and so is what follows a semicolon, a bar, a tab or the end
of a line inside a text, since a spreadsheet that separates columns by semicolons begins a cell there.

Why an apostrophe: it is one character, it is seen, it is kept when a spreadsheet saves the file, and it can be taken
off again. Rejected: a blank or a tab, which some programs trim or read as a separator; leaving the character out, which
loses it. Numbers are no formulas, even as text: ``-1.5e-3`` stays as it is. A text that already has apostrophes before
a formula gets one more, so that `plain` takes off exactly what `guarded` put on; all other apostrophes stay.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import datetime, time
from numbers import Integral, Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

GUARD = "'"
"""What is put before a text that a spreadsheet would compute."""

_STARTS = "=+-@"
_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?%?\s*", re.ASCII)
_BREAK = re.compile(r"([;|\t\r\n])")
_QUOTED = re.compile(r'[",;|\t\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]|^\s|\s$')


def _computed(part: str) -> bool:
    """Whether a spreadsheet would compute a text, if it took it for a cell."""
    seen = next((c for c in part if not (c.isspace() or c == '"' or unicodedata.category(c)[0] == "C")), "")
    return unicodedata.normalize("NFKC", seen)[:1] in tuple(_STARTS) and not _NUMBER.fullmatch(part)


def _mapped(text: str, change: Callable[[str], str]) -> str:
    """A text, each part that begins a cell somewhere changed if it is a formula behind any number of apostrophes."""
    parts = _BREAK.split(text)
    first = parts[0].lstrip(GUARD)
    opens = not first.strip() and parts[1:2] not in ([], [";"], ["|"])  # a tab or the end of a line
    for k in range(0, len(parts), 2):
        if _computed(parts[k].lstrip(GUARD)) or (k == 0 and opens):
            parts[k] = change(parts[k])
    return "".join(parts)


def guarded(text: str) -> str:
    """A text as it is safe in a cell.

    >>> guarded("=1+1"), guarded("-1"), guarded("'=1"), guarded("'t Hart"), guarded("a; +1 of b")
    ("'=1+1", '-1', "''=1", "'t Hart", "a;' +1 of b")
    """
    return _mapped(text, lambda part: GUARD + part)


def plain(cell: str) -> str:
    """The text that `guarded` made this cell of; any other cell as it is.

    >>> plain("'=1+1"), plain("-1"), plain("''=1"), plain("'t Hart"), plain("a;' +1 of b")
    ('=1+1', '-1', "'=1", "'t Hart", 'a; +1 of b')
    """
    return _mapped(cell, lambda part: part.removeprefix(GUARD)) if GUARD in cell else cell


def _cell(value: object) -> str:
    """A value as it stands between the separators; a number as Python writes it, so that it is read back exactly."""
    if value is None or value != value:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else str(value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Real) and not isinstance(value, bool):
        return repr(float(value))
    text = guarded(str(value))
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def written(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    r"""Write a table: names of columns, then rows; what is missing is empty.

    >>> written(["id", "n"], [["=A1", -3], [None, 0.5]])
    "id,n\n'=A1,-3\n,0.5\n"
    """
    lines = (",".join(_cell(value) for value in row) or '""' for row in (head, *rows))  # an empty line is no row
    return "".join(f"{line}\n" for line in lines)


def of_frame(frame: pd.DataFrame) -> str:
    """Write a frame without its index."""
    values = frame.astype(object).where(frame.notna(), None)
    return written(list(frame.columns), values.itertuples(index=False, name=None))


def read(text: str) -> list[list[str]]:
    """The cells of a table that was written here, the names of its columns first.

    >>> read(written(["id", "n"], [["=A1", -3]]))
    [['id', 'n'], ['=A1', '-3']]
    """
    return [[plain(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
