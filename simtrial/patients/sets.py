"""From the files of a trial to one row per patient.

A file has one row per patient, or several with a code (`simtrial.patients.long`). Several files are joined by patient.
Where one has no response and no time (ADSL, DM), it says who belongs to the trial; patients of whom its arm says that
they failed screening are not enrolled. A patient without a response in the files is not evaluable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.errors import InputError, several
from simtrial.patients import long as patient_long
from simtrial.patients.cells import is_missing
from simtrial.patients.columns import BY_NAME, TIMES, named, plain, stated_unit
from simtrial.patients.rows import Patients, PlacedCell, Row, SheetTable
from simtrial.phrases import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.patients.files import Sheet

_NOT_ENROLLED = ("screen failure", "scrnfail", "screenfail", "not assigned", "notassgn")
_ARMS = ("ACTARM", "ARM", "ACTARMCD", "ARMCD", "ARMNRS")


def one_row_each(sheets: Sequence[Sheet], param: str | None = None) -> Patients:
    """Bring the files of a trial together.

    Parameters
    ----------
    sheets : sequence of Sheet
        One or more.
    param : str, optional
        Code of the response to be taken.

    Returns
    -------
    Patients
        In the order in which they appear, of a file that says who belongs to the trial if there is one.

    Raises
    ------
    InputError
        If the files do not say who responded, or contradict each other.
    """
    tables = [SheetTable(sheet) for sheet in sheets]
    found = []
    for table in tables:
        if not table.sheet.rows:
            raise InputError(
                f"has no rows of patients; columns are {', '.join(BY_NAME)} (simtrial columns)", f"{table.sheet.path}:"
            )
        code = table.has("PARAMCD", "RSTESTCD")
        found.append(_wide(table) if code is None else patient_long.picked(table, code, param))
    if param is not None and all(table.has("PARAMCD", "RSTESTCD") is None for table in tables):
        raise InputError(
            f"({param!r:.40}) selects rows by PARAMCD or RSTESTCD, which no file has; leave it out", "param"
        )
    joined = found[0] if len(found) == 1 else _joined(found)
    _check_needed(joined, tables[0].header_place)
    return joined


def _check_needed(joined: Patients, place: str) -> None:
    for needed, why in ((("USUBJID",), "identifies the patients"), (("BOR", "RESPONDER"), "states who responded")):
        if not any(name in joined.read for name in needed):
            others = ", ".join(name for column in needed for name in (column, *BY_NAME[column].others[:4]))
            raise InputError(f"has no column that {why}; it may be named {others} ... (simtrial columns)", place)
    for name in TIMES[:3]:
        events = [joined.read[event] for event in (f"{name}EVENT", f"{name}CNSR") if event in joined.read]
        if len(events) > 1:
            raise InputError(f"has {events[0]!r} and {events[1]!r} with the same meaning; keep one of the two", place)
        if (name in joined.read) != bool(events):
            raise InputError(f"has only one of {name} and {name}EVENT (or {name}CNSR); give both or neither", place)


def _units_of(read: dict[str, str]) -> dict[str, str]:
    stated = {name: stated_unit(heading)[1] for name, heading in read.items() if name in TIMES}
    return {name: word for name, word in stated.items() if word is not None}


def _wide(table: SheetTable) -> Patients:
    """A file that has one row per patient already."""
    sheet = table.sheet
    names = named(sheet.headings, table.columns, table.header_place)
    read = {name: heading for name, heading in zip(names, sheet.headings, strict=True) if name}
    ignored = [heading or "(no heading)" for name, heading in zip(names, sheet.headings, strict=True) if not name]
    rows: list[Row] = [
        {
            name: PlacedCell(heading, text, table.place(i), sheet.sas_days)
            for name, heading, text in zip(names, sheet.headings, cells, strict=True)
            if name
        }
        for i, (_, cells) in enumerate(sheet.rows)
    ]
    codes = next((heading for heading in sheet.headings if plain(heading) == "AVAL"), None)
    if codes is not None and not {"BOR", "RESPONDER"} & set(read):
        raise InputError(
            "holds codes other than 1 and 0; add AVALC, which states their meaning", f"{table.header_place} {codes}"
        )
    notes = [f"{table.name}: {note}" for note in sheet.notes]
    told = [name for name in ("BOR", "RESPONDER", "ENRLDT") if name in read]
    taken = [read[name] for name in told]
    chosen = [
        f"{other} ignored, {read[name]} taken"
        for name in told
        for other in ignored
        if other not in taken and plain(other) in {plain(o) for o in (name, *BY_NAME[name].others)}
    ]
    found = Patients(
        rows=rows, read=read, ignored=ignored, units=_units_of(read),
        notes=notes + [f"{table.name}: {said}" for said in chosen],
    )  # fmt: skip
    arms = [name for name in _ARMS if name in table.at]
    if not arms or {"BOR", "RESPONDER"} & set(read):
        return found
    return _told_of_arms(_enrolled_by_arm(found, table, arms), table, arms[0])


def _told_of_arms(found: Patients, table: SheetTable, arm: str) -> Patients:
    """Say so where the enrolled patients belong to several arms."""
    texts = {text.strip() for text in table.columns[table.at[arm]]}
    names = sorted(text for text in texts if not is_missing(text) and text.lower() not in _NOT_ENROLLED)
    if len(names) > 1:
        listed = ", ".join(names)[:200]
        found.notes.append(
            f"{table.name}: {arm} has {counted(len(names), 'arm')} ({listed}), which are analysed as one"
        )
    return found


def _enrolled_by_arm(found: Patients, table: SheetTable, arms: Sequence[str]) -> Patients:
    """Tell by the arm who failed screening."""
    said = [(name, [text.strip().lower() in _NOT_ENROLLED for text in table.columns[table.at[name]]]) for name in arms]
    telling = next(((name, failed) for name, failed in said if any(failed)), None)
    if telling is None or "ENRLFL" in found.read:
        return found
    name, failed = telling
    heading = table.sheet.headings[table.at[name]]
    rows = [
        row | {"ENRLFL": PlacedCell(heading, "N" if out else "Y", table.place(i))}
        for i, (row, out) in enumerate(zip(found.rows, failed, strict=True))
    ]
    note = f"{table.name}: by {heading}, not enrolled: {sum(failed)}"
    ignored = [other for other in found.ignored if other != heading]
    return Patients(
        rows=rows, read=found.read | {"ENRLFL": heading}, ignored=ignored, units=found.units, notes=[*found.notes, note]
    )


def _fault(cell: PlacedCell, said: str) -> InputError:
    return InputError(f"({cell.text!r:.40}) {said}", f"{cell.place} {cell.heading}")


def _joined(found: Sequence[Patients]) -> Patients:
    """Put files together by patient; the first file that knows a column gives it."""
    subjects = [one for one in found if not {"BOR", "RESPONDER", *TIMES} & set(one.read)]
    ordered = [*subjects, *(one for one in found if one not in subjects)]
    for one in found:
        if "USUBJID" not in one.read:
            raise InputError("lack USUBJID in one of the files, by which they are joined; add it", "patients")
    answers = [one for one in ordered if {"BOR", "RESPONDER"} & set(one.read)]
    if len(answers) > 1:
        raise InputError("hold the response in more than one file; leave one of them out", "patients")
    rows: dict[str, Row] = {}
    faults: list[InputError] = []
    for one in ordered:
        once: set[str] = set()
        for row in one.rows:
            cell = row["USUBJID"]
            who = cell.text.casefold()
            if who in once:
                faults.append(_fault(cell, "is in this file twice; keep one row per patient"))
            once.add(who)
            if who not in rows and subjects and one not in subjects:
                known_in = subjects[0].rows[0]["USUBJID"].place.split(" line")[0]
                faults.append(_fault(cell, f"is not among the patients of {known_in}"))
                continue
            whole = rows.setdefault(who, {})
            for name, value in row.items():
                known = whole.setdefault(name, value)
                if name in ("ENRLFL", "EVALFL", "STAGE") and not is_missing(value.text) and known.text != value.text:
                    faults.append(_fault(value, f"is {known.text!r:.40} in {known.place[:-1]}"))
    if faults:
        raise several(faults)
    read: dict[str, str] = {}
    units: dict[str, str] = {}
    for one in ordered:
        read = one.read | read
        units = one.units | units
    for row in rows.values():
        for name, heading in read.items():
            row.setdefault(name, PlacedCell(heading, "", row["USUBJID"].place))
    notes = [note for one in ordered for note in one.notes]
    enrolled = [row for row in rows.values() if "ENRLFL" not in row or row["ENRLFL"].text.strip().upper() != "N"]
    gone = sum(is_missing(row[name].text) for row in enrolled for name in ("BOR", "RESPONDER") if name in read)
    if subjects and gone:
        notes.append(f"without a response in the files, so not evaluable: {gone} of {len(enrolled)} enrolled")
    ignored = list(dict.fromkeys(heading for one in ordered for heading in one.ignored))
    return Patients(rows=list(rows.values()), read=read, ignored=ignored, units=units, notes=notes)
