"""Patients of one trial, one row each, read from a CSV: checked row by row, ordered by enrollment, counted at looks.

Who counts at a look follows the plan's handling of patients without a response status; see `simtrial.plan`. Nothing is
guessed: a row that contradicts itself is refused, and columns that are not read are named in `PatientData.ignored`.
"""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simtrial.designs import MAX_LOOKS, count
from simtrial.errors import InputError
from simtrial.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from simtrial.plan import Handling

MAX_BYTES = 4_194_304
"""Largest CSV of patients that is read."""

MAX_ROWS = 10_000
"""Most patients of one file."""

MAX_MONTHS = 240.0
"""Longest time that is read, twenty years: a larger number is most likely one of days."""

MAX_CHANGE = 10_000.0
"""Largest growth of the target lesions that is read, in percent."""

Cells = dict[str, tuple[str, str]]
"""Heading and text of each cell of a row, by the names of `COLUMNS`."""

_RESPONSES = {
    **{code.lower(): code for code in ("CR", "PR", "SD", "PD", "NE")},
    "complete response": "CR",
    "partial response": "PR",
    "stable disease": "SD",
    "progressive disease": "PD",
    "not evaluable": "NE",
}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(T[\d:.,+Z-]*)?", re.ASCII)


def _identifier(text: str) -> str:
    # a cell that begins so becomes a formula when the file, or a table made from it, is opened in a spreadsheet
    if text[0] in "=+@" or not text.isprintable() or len(text) > 100:
        raise ValueError
    return text


def _day(text: str) -> date:
    match = _DAY.fullmatch(text)
    return date.fromisoformat(match[1] if match else "")


def _number(least: float, most: float, *, whole: bool = False) -> Callable[[str], float]:
    def read_number(text: str) -> float:
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        if not least <= value <= most or (whole and value % 1):
            raise ValueError
        return value

    return read_number


_KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "id": (_identifier, "1 to 100 printable characters that do not begin with =, + or @"),
    "response": (lambda text: _RESPONSES[" ".join(text.lower().split())], "CR, PR, SD, PD or NE"),
    "yes": (lambda text: {"Y": True, "N": False}[text.upper()], "Y or N"),
    "one": (_number(0, 1, whole=True), "1 or 0"),
    "day": (_day, "a day written YYYY-MM-DD"),
    "months": (_number(0, MAX_MONTHS), f"months from 0 to {MAX_MONTHS:g}, not days"),
    "grade": (_number(0, 5, whole=True), "a grade from 0 to 5"),
    "stage": (_number(0, MAX_LOOKS, whole=True), f"a whole number from 0 to {MAX_LOOKS}"),
    "change": (_number(-100, MAX_CHANGE), f"a percentage from -100 to {MAX_CHANGE:g}"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read: its name, what it holds, the kind of its cells, and other names for it (in any case)."""

    name: str
    meaning: str
    kind: str
    others: tuple[str, ...] = ()


COLUMNS = (
    Column("USUBJID", "patient, one row each; needed", "id", ("SUBJID", "PATIENT", "ID")),
    Column("BOR", "best overall response: CR, PR, SD, PD or NE; empty is NE", "response", ("AVALC", "RESPONSE")),
    Column("RESPONDER", "1 response, 0 none, empty not evaluable; needed where there is no BOR", "one", ("AVAL",)),
    Column("ENRLDT", "day of enrollment, YYYY-MM-DD", "day", ("ENROLLED", "RFSTDTC", "TRTSDT")),
    Column("ENRLFL", "Y enrolled, N screened only; all are enrolled if left out", "yes"),
    Column("EVALFL", "Y or N, evaluable; all but NE are if left out", "yes", ("EFFFL", "EVALUABLE")),
    Column("STAGE", "stage of each enrolled patient, from 1; 0 of who counts at no look (overrun)", "stage"),
    Column("PFS", "months from enrollment to progression or death, or to the last assessment", "months"),
    Column("PFSEVENT", "1 progression or death, 0 censored", "one"),
    Column("PFSCNSR", "1 censored, 0 event; in place of PFSEVENT", "one"),
    Column("OS", "months from enrollment to death or to the last contact", "months"),
    Column("OSEVENT", "1 death, 0 censored", "one"),
    Column("OSCNSR", "1 censored, 0 death; in place of OSEVENT", "one"),
    Column("DOR", "months from first response to progression or death, or to the last assessment", "months"),
    Column("DOREVENT", "1 progression or death, 0 censored", "one"),
    Column("DORCNSR", "1 censored, 0 event; in place of DOREVENT", "one"),
    Column("TTR", "months from enrollment to first response", "months"),
    Column("TOXGR", "highest toxicity grade, 0 to 5; empty if not assessed for it", "grade", ("AETOXGR",)),
    Column("PCHG", "best change of the target lesions' sum, percent of baseline, from -100 on", "change"),
)
"""Every column that is read."""

_PARSE = {column.name: _KINDS[column.kind] for column in COLUMNS}
_NAMES = {name: column.name for column in COLUMNS for name in (column.name, *column.others)}
_TIMES = ("PFS", "OS", "DOR")


class Times(NamedTuple):
    """Months to an event or to the end of observation (NaN where a patient has none), and whether it was the event."""

    months: NDArray[np.float64]
    event: NDArray[np.bool_]


class Counts(NamedTuple):
    """What the looks saw.

    Attributes
    ----------
    sizes, responses : tuple of int
        Patients in the denominator and responses at each look that was reached, cumulative.
    beyond : int
        Patients who would count but entered after the last look that was reached.
    """

    sizes: tuple[int, ...]
    responses: tuple[int, ...]
    beyond: int


@dataclass(frozen=True, slots=True, eq=False)
class PatientData:
    """The patients of a file: arrays of shape (screened,), the enrolled first and in the order of enrollment.

    Attributes
    ----------
    path : str
        The file.
    ids : tuple of str
        Identifiers.
    enrolled, evaluable, responder : ndarray of bool
        Evaluable are enrolled, responders evaluable.
    bor : tuple of str or None
        CR, PR, SD, PD or NE of each patient; None if the file tells responders only.
    dates : tuple of date or None
        Days of enrollment, None of a patient without one.
    by_date : bool
        Whether the order is that of the days; else it is that of the file.
    stage : ndarray of int or None
        Stages as given, 0 of a patient who counts at no look.
    pfs, os, dor : Times or None
        Months; None where the file has no such column.
    toxicity, change, ttr : ndarray or None
        Highest grade, best change in percent, months to first response: NaN where a patient has none.
    ignored : tuple of str
        Columns that are not read.
    """

    path: str
    ids: tuple[str, ...]
    enrolled: NDArray[np.bool_]
    evaluable: NDArray[np.bool_]
    responder: NDArray[np.bool_]
    bor: tuple[str, ...] | None
    dates: tuple[date | None, ...]
    by_date: bool
    stage: NDArray[np.int64] | None
    pfs: Times | None
    os: Times | None
    dor: Times | None
    toxicity: NDArray[np.float64] | None
    change: NDArray[np.float64] | None
    ttr: NDArray[np.float64] | None
    ignored: tuple[str, ...]

    def disposition(self) -> dict[str, int]:
        """Patients from screening to response: each pair adds up to the number before it."""
        enrolled, evaluable, responders = (int(k.sum()) for k in (self.enrolled, self.evaluable, self.responder))
        return {
            "screened": len(self.ids),
            "not enrolled": len(self.ids) - enrolled,
            "enrolled": enrolled,
            "not evaluable": enrolled - evaluable,
            "evaluable": evaluable,
            "non-responders": evaluable - responders,
            "responders": responders,
        }

    def counts(self, sizes: Sequence[int], handling: Handling) -> Counts:
        """Count patients and responses at the looks that were reached.

        Parameters
        ----------
        sizes : sequence of int
            Patients planned for each look, cumulative. STAGE, where the file has it, overrules them; without it,
            patients beyond the last size count at the last look.
        handling : {'nonresponder', 'replace', 'exclude'}
            Looks take the first enrolled; with 'replace' the first evaluable. Who is not evaluable counts as not
            responding with 'nonresponder', else not at all.

        Raises
        ------
        InputError
            If sizes do not increase, the handling is none of these, or there are more stages than looks.
        """
        planned = [count(n, "sizes", at_least=1) for n in sizes]
        if not planned or any(a >= b for a, b in pairwise(planned)):
            raise InputError(f"({planned}) must increase from look to look", "sizes")
        if handling not in ("nonresponder", "replace", "exclude"):
            raise InputError(f"({handling!r:.40}) must be nonresponder, replace or exclude", "handling")
        counting = self.enrolled if handling == "nonresponder" else self.evaluable
        if self.stage is not None:
            reached = int(self.stage.max(initial=0))
            if reached > len(planned):
                raise InputError(f"({reached}) must be at most {len(planned)}, the looks planned", f"{self.path} STAGE")
            seen = [(self.stage > 0) & (self.stage <= k) for k in range(1, reached + 1)]
        else:
            place = np.cumsum(self.evaluable if handling == "replace" else self.enrolled)
            limits = [n for n in planned if n <= place.max(initial=0)]
            seen = [place <= n for n in limits]
            if len(limits) == len(planned):
                seen[-1] = self.enrolled
        attained = tuple(int((who & counting).sum()) for who in seen)
        responses = tuple(int((who & self.responder).sum()) for who in seen)
        return Counts(attained, responses, int(counting.sum()) - (attained[-1] if attained else 0))


def read(path: str | Path) -> PatientData:
    """Read the patients of a trial; `COLUMNS` says what a file may hold.

    Raises
    ------
    InputError
        Naming the file, the first line that cannot be used, its column and value, and the other such lines.
    """
    rows = _rows(path)
    if len(rows) < 2:
        raise InputError("holds no patients; columns are " + ", ".join(c.name for c in COLUMNS), f"{path}:")
    header = [cell.strip() for cell in rows[0][1]]
    _check_header(header, f"{path} line {rows[0][0]}:")
    names = _named(header)
    found: list[dict[str, Any]] = []
    faults: list[tuple[int, InputError]] = []
    lines: dict[str, int] = {}
    for line, row in rows[1:]:
        try:
            if len(row) != len(header):
                raise InputError(f"has {len(row)} cells; the header has {len(header)}")
            cells = {n: (h, c.strip()) for n, h, c in zip(names, header, row, strict=True) if n}
            first = lines.setdefault(cells["USUBJID"][1].casefold(), line)  # s1 and S1 are one slip of the pen
            found.append(_patient(cells))
            if first != line:
                raise _wrong(cells, "USUBJID", f"stands in line {first} too; a patient has one row")
        except InputError as error:
            faults.append((line, error))
    if faults:
        raise _told(path, faults)
    return _assembled(str(path), found, header)


def _rows(path: str | Path) -> list[tuple[int, list[str]]]:
    """All rows up to the last that is not blank, each with the number of its first line."""
    data = read_bytes(Path(path), MAX_BYTES)
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise InputError("holds a NUL byte; save the file as CSV in UTF-8", f"{path} line {line}:")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError("is not UTF-8 text", f"{path} line {line}:") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, line, blank = [], 1, 0
    try:
        for cells in reader:
            blank = 0 if any(cell.strip() for cell in cells) else blank + 1
            rows.append((line, cells))
            line = reader.line_num + 1
            if len(rows) - blank > MAX_ROWS + 1:
                raise InputError(f"holds more than {MAX_ROWS} patients; no more are read", f"{path}:")
    except csv.Error as error:
        raise InputError(f"is not CSV: {error}", f"{path} line {line}:") from None
    del rows[len(rows) - blank :]
    return rows


def _named(header: list[str]) -> list[str]:
    """The column of `COLUMNS` that each heading stands for, empty for none.

    Where a file holds a column under its own name, other names for it are left alone: ADaM files have USUBJID and
    SUBJID.
    """
    own = {heading.upper() for heading in header} & set(_PARSE)
    names = [_NAMES.get(heading.upper(), "") for heading in header]
    return [
        "" if name in own and heading.upper() != name else name for name, heading in zip(names, header, strict=True)
    ]


def _check_header(header: list[str], place: str) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise InputError("holds semicolons; columns must be separated by commas", place)
    found: dict[str, str] = {}
    for heading, known in zip(header, _named(header), strict=True):
        name = known or heading.upper()
        if name in found and found[name].upper() == heading.upper():
            raise InputError(f"has the column {heading!r:.60} twice", place)
        if name in found:
            raise InputError(f"has {found[name]!r} and {heading!r} for one thing; keep one of the two", place)
        found[name] = heading
    for needed, why in ((("USUBJID",), "who is who"), (("BOR", "RESPONDER"), "who responded")):
        if not any(name in found for name in needed):
            others = ", ".join(name for name, known in _NAMES.items() if known in needed)
            raise InputError(f"does not say {why}; such a column is named {others}", place)
    for name in _TIMES:
        events = [found[event] for event in (f"{name}EVENT", f"{name}CNSR") if event in found]
        if len(events) > 1:
            raise InputError(f"has {events[0]!r} and {events[1]!r} for one thing; keep one of the two", place)
        if (name in found) != bool(events):
            raise InputError(f"must have both or neither of {name} and {name}EVENT (or {name}CNSR)", place)


def _wrong(cells: Cells, name: str, right: str) -> InputError:
    heading, text = cells[name]
    return InputError(f"({text!r:.40}) {right}", heading)


def _patient(cells: Cells) -> dict[str, Any]:
    """Values by the names of `COLUMNS`, None of empty cells; ENRLFL, EVALFL, RESPONDER and events always told."""
    found: dict[str, Any] = dict.fromkeys(_PARSE)
    for name, (_, text) in cells.items():
        parse, right = _PARSE[name]
        try:
            found[name] = parse(text) if text else None
        except (ValueError, KeyError):
            raise _wrong(cells, name, f"must be {right}") from None
    needed = ["USUBJID", "ENRLFL"] if "ENRLFL" in cells and not found["ENRLFL"] else ["USUBJID", "EVALFL", "STAGE"]
    for name in needed:
        if name in cells and found[name] is None:
            raise _wrong(cells, name, f"must be {_PARSE[name][1]}")
    found["ENRLFL"] = found["ENRLFL"] is not False
    if not found["ENRLFL"]:
        for name, (_, text) in cells.items():
            if text and name not in ("USUBJID", "ENRLFL") and found[name] is not False and found[name] != "NE":
                raise _wrong(cells, name, f"must be empty: {cells['ENRLFL'][0]} says not enrolled")
    _judge_response(cells, found)
    _judge_times(cells, found)
    return found


def _judge_response(cells: Cells, found: dict[str, Any]) -> None:
    heading, text = cells["BOR" if "BOR" in cells else "RESPONDER"]
    said, told = f"{heading} is {text or 'empty'}", found["RESPONDER"]
    if "BOR" in cells:
        found["BOR"] = found["BOR"] or "NE"
        known, responds = found["BOR"] != "NE", found["BOR"] in ("CR", "PR")
        if told is not None and told != responds:
            raise _wrong(cells, "RESPONDER", f"must be {responds:d}: {said}")
    else:
        known, responds = told is not None, told == 1
    if found["EVALFL"] and not known:
        raise _wrong(cells, "EVALFL", f"must be N: {said}")
    if found["EVALFL"] is False and responds:
        raise _wrong(cells, "EVALFL", f"must be Y: {said}")
    found["EVALFL"], found["RESPONDER"] = known and found["EVALFL"] is not False, responds


def _judge_times(cells: Cells, found: dict[str, Any]) -> None:
    for name in _TIMES:
        event = f"{name}EVENT" if f"{name}EVENT" in cells else f"{name}CNSR"
        for here, there in ((name, event), (event, name)):
            if found[here] is not None and found[there] is None:
                raise _wrong(cells, here, f"needs {cells[there][0]} beside it, which is empty")
        found[f"{name}EVENT"] = found[event] == (event == f"{name}EVENT")
    for name in ("DOR", "TTR"):
        if found[name] is not None and not found["RESPONDER"]:
            raise _wrong(cells, name, "must be empty: the patient has no response")
    if found["PFS"] is not None and found["OS"] is not None and found["PFS"] > found["OS"]:
        raise _wrong(cells, "PFS", f"must be <= OS ({cells['OS'][1]}): death or the last contact ends it")


def _told(path: str | Path, faults: list[tuple[int, InputError]]) -> InputError:
    line, first = faults[0]
    others = ", ".join(str(k) for k, _ in faults[1:6]) + (", ..." if faults[6:] else "")
    more = f" (and {len(faults) - 1} more: line {others})" if others else ""
    return InputError(f"{first.message}{more}", f"{path} line {line}: {first.field}".strip())


def _assembled(path: str, found: list[dict[str, Any]], header: list[str]) -> PatientData:
    there = set(_named(header))
    by_date = "ENRLDT" in there and all(p["ENRLDT"] is not None for p in found if p["ENRLFL"])
    found = sorted(found, key=lambda p: (not p["ENRLFL"], (by_date and p["ENRLDT"]) or date.max))

    def numbers(name: str) -> NDArray[np.float64] | None:
        return np.array([p[name] for p in found], dtype=np.float64) if name in there else None

    def truths(name: str) -> NDArray[np.bool_]:
        return np.array([p[name] for p in found], dtype=np.bool_)

    def times(name: str) -> Times | None:
        months = numbers(name)
        return None if months is None else Times(months, truths(f"{name}EVENT"))

    stage = None
    if "STAGE" in there:
        stage = np.array([p["STAGE"] or 0 for p in found], dtype=np.int64)
        gap = next((k for k in range(1, int(stage.max())) if k not in stage), None)
        if gap is not None:
            raise InputError(f"must not leave out a stage: nobody belongs to stage {gap}", f"{path}: STAGE")
        staged = stage[stage > 0]
        if by_date and (np.diff(staged) < 0).any():
            raise InputError("must not fall in the order of the days of enrollment", f"{path}: STAGE")
    return PatientData(
        path=path,
        ids=tuple(p["USUBJID"] for p in found),
        enrolled=truths("ENRLFL"),
        evaluable=truths("EVALFL"),
        responder=truths("RESPONDER"),
        bor=tuple(p["BOR"] for p in found) if "BOR" in there else None,
        dates=tuple(p["ENRLDT"] for p in found),
        by_date=by_date,
        stage=stage,
        pfs=times("PFS"),
        os=times("OS"),
        dor=times("DOR"),
        toxicity=numbers("TOXGR"),
        change=numbers("PCHG"),
        ttr=numbers("TTR"),
        ignored=tuple(heading for heading, name in zip(header, _named(header), strict=True) if not name),
    )
