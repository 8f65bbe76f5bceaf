"""Faults of the rows of a file: cells that cannot be read, and values of a patient that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.months import DAYS_IN_MONTH
from simtrial.patients.cells import (
    KINDS,
    RESPONDS,
    CellError,
    day,
    has_decimal_comma,
    has_decimal_point,
    is_missing,
)
from simtrial.patients.columns import BY_NAME, COLUMNS, TIMES, plain
from simtrial.patients.rows import Values
from simtrial.patients.times import MAX_MONTHS
from simtrial.phrases import counted

if TYPE_CHECKING:
    from simtrial.patients.rows import Patients, Row

_KINDS = {column.name: KINDS[column.kind] for column in COLUMNS}
_SURVIVAL = TIMES[:3]

SAME_TIME = 1e-9
"""Months by which PFS and OS that end on one day may differ when one of them was given in days."""

SEVERE = 3
"""The lowest grade that counts as a toxicity."""

NO_TOXICITY = "TTOXNONE"
"""Key of the truth that a flag states no toxicity, beside those of the columns."""

SAME_DAY = 2.0
"""Days by which a time and a date of one event may differ, as times are rounded."""


def line_of(fault: InputError) -> int:
    """The line of its file that a fault names; 0 if none."""
    digits = fault.field.partition(" line ")[2].partition(":")[0]
    return int(digits) if digits.isdigit() else 0


def wrong(row: Row, name: str, said: str) -> InputError:
    """A fault of one cell, with its place, heading and text."""
    cell = row[name]
    return InputError(f"({cell.text!r:.40}) {said}", f"{cell.place} {cell.heading}")


def comma_faults(patients: Patients) -> list[InputError]:
    """Columns in which one row has a decimal comma and another a decimal point: one of them is a thousands mark."""
    faults = []
    for name in patients.read:
        if BY_NAME[name].kind not in ("time", "change"):
            continue
        commas = [row for row in patients.rows if has_decimal_comma(row[name].text)]
        if commas and any(has_decimal_point(row[name].text) for row in patients.rows):
            faults += [
                wrong(
                    row,
                    name,
                    "has a decimal comma where other rows have a decimal point; write one of the two throughout",
                )
                for row in commas
            ]
    return faults


def repeated(patients: Patients) -> list[InputError]:
    """Patients who stand in two rows."""
    lines: dict[str, str] = {}
    faults = []
    for row in patients.rows:
        cell = row["USUBJID"]
        first = lines.setdefault(cell.text.casefold(), cell.place)  # s1 and S1 are one slip of the pen
        if first != cell.place and not is_missing(cell.text):
            where = first.rsplit(" ", 1)[-1].rstrip(":")
            faults.append(wrong(row, "USUBJID", f"is also in line {where}; keep one row per patient"))
    return faults


def values_of(row: Row) -> tuple[Values, list[InputError]]:
    """Values by the names of `COLUMNS`, None of missing cells, and the cells that cannot be read."""
    found = Values()
    faults = []
    unread = set()
    for name, cell in row.items():
        if is_missing(cell.text):
            continue
        kind = _KINDS[name]
        try:
            read = day(cell.text, sas_days=cell.sas_days) if kind is KINDS["day"] else kind.read(cell.text)
            found.put(name, read)
        except CellError as error:
            faults.append(wrong(row, name, str(error)))
            unread.add(name)
    apart = "ENRLFL" in row and not found.truths["ENRLFL"]
    needed = ("USUBJID", "ENRLFL") if apart else ("USUBJID", "EVALFL", "STAGE")
    gone = (name for name in needed if name in row and found[name] is None and name not in unread)
    return found, [*faults, *(wrong(row, name, f"is empty; write {_KINDS[name].right}") for name in gone)]


def judged(row: Row, found: Values) -> list[InputError]:
    """Hold the values of a patient against each other; ENRLFL, EVALFL, RESPONDER and events are known after it."""
    try:
        found.truths["ENRLFL"] = found.truths["ENRLFL"] is not False
        if not found.truths["ENRLFL"]:
            for name, cell in row.items():
                given = not is_missing(cell.text) and found[name] is not False and found[name] != "NE"
                if given and name not in ("USUBJID", "ENRLFL", "ENRLDT", "TIMEUNIT"):
                    raise wrong(
                        row, name, f"contradicts {row['ENRLFL'].heading}: the patient is not enrolled; leave it empty"
                    )
        _judge_response(row, found)
        _judge_times(row, found)
        _judge_toxicity(row, found)
    except InputError as error:
        return [error]
    return []


def _judge_response(row: Row, found: Values) -> None:
    cell = row["BOR" if "BOR" in row else "RESPONDER"]
    said, told = f"{cell.heading} is {cell.text or 'empty'}", found.truths["RESPONDER"]
    if "BOR" in row:
        best = found.texts["BOR"] = found.texts["BOR"] or "NE"
        known, responds = best != "NE", best in RESPONDS
        if told is not None and told != responds:
            raise wrong(row, "RESPONDER", f"contradicts the response: {said}; write {responds:d}")
    else:
        known, responds = told is not None, told is True
    evaluable = found.truths["EVALFL"]
    if evaluable and not known and plain(row["EVALFL"].heading) != "EFFFL":  # a population may hold the lost
        raise wrong(row, "EVALFL", f"contradicts the response: {said}; write N")
    if evaluable is False and responds:
        raise wrong(row, "EVALFL", f"contradicts the response: {said}; write Y")
    found.truths["EVALFL"], found.truths["RESPONDER"] = known and evaluable is not False, responds


def _judge_times(row: Row, found: Values) -> None:
    for name in TIMES:
        months = found.numbers[name]
        if months is not None and months > MAX_MONTHS:
            raise wrong(row, name, f"is longer than {MAX_MONTHS:g} months ({months:.4g}); check the unit (--time-unit)")
    for name in _SURVIVAL:
        event = f"{name}EVENT" if f"{name}EVENT" in row else f"{name}CNSR"
        for here, there in ((name, event), (event, name)):
            if found[here] is not None and found[there] is None:
                raise wrong(row, here, f"is given, but {row[there].heading} is empty; give both or neither")
        found.truths[f"{name}EVENT"] = found.truths[event] is (event == f"{name}EVENT")
    for name in ("DOR", "TTR"):
        if found.numbers[name] is not None and not found.truths["RESPONDER"]:
            raise wrong(row, name, "is given, but the patient has no response; leave it empty")
    pfs, os = found.numbers["PFS"], found.numbers["OS"]
    if pfs is not None and os is not None and pfs > os + SAME_TIME:
        raise wrong(row, "PFS", f"is longer than OS ({row['OS'].text}), although death or the last contact ends it")


def _judge_toxicity(row: Row, found: Values) -> None:
    """The time of the first toxicity beside its grade and the day of enrollment; a date becomes months."""
    if not {"TTOX", "TTOXDT"} & set(row):
        return
    event = "TTOXEVENT" if "TTOXEVENT" in row else "TTOXCNSR" if "TTOXCNSR" in row else None
    name = "TTOX" if found.numbers["TTOX"] is not None else "TTOXDT"
    given = found[name] is not None
    _judge_onset_date(row, found)
    if event is not None and given and found.truths[event] is None:
        raise wrong(row, name, f"is given, but {row[event].heading} is empty; give both or neither")
    stated = event is not None and found.truths[event] is (event == "TTOXEVENT")
    found.truths[NO_TOXICITY] = event is not None and found.truths[event] is not None and not stated
    if event is not None and stated and not given:
        raise wrong(row, event, "states a toxicity, but its time is empty; give both or neither")
    happened, grade = given and (event is None or stated), found.numbers["TOXGR"]
    if happened and grade is not None and grade < SEVERE:
        raise wrong(
            row, name, f"is given, but the highest grade is {grade:.0f}, below {SEVERE}; leave the time empty, or "
            f"correct {row['TOXGR'].heading}",
        )  # fmt: skip
    if event is not None and given and not stated and grade is not None and grade >= SEVERE:
        raise wrong(row, event, f"states no toxicity, but the highest grade is {grade:.0f}; correct one of the two")
    found.truths["TTOXEVENT"] = happened


def _judge_onset_date(row: Row, found: Values) -> None:
    """Turn the date of a toxicity into months since enrollment, where the time itself is not given."""
    at, start, months = found.days["TTOXDT"], found.days["ENRLDT"], found.numbers["TTOX"]
    if at is None or "ENRLDT" not in row:  # without days of enrollment it is known who had one, but not when
        return
    if start is None:
        raise wrong(row, "TTOXDT", "is given, but the date of enrollment is not; give that too, or TTOX instead")
    if at < start:
        raise wrong(row, "TTOXDT", f"is before the day of enrollment ({start}); correct one of the two")
    days = (at - start).days
    if months is None:
        found.numbers["TTOX"] = days / DAYS_IN_MONTH
    elif abs(months * DAYS_IN_MONTH - days) > SAME_DAY:
        since = f"{counted(days, 'day')} after enrollment"
        raise wrong(row, "TTOXDT", f"is {since}, which contradicts {row['TTOX'].heading}")
