"""Data sets of several rows per patient, as CDISC lays them out, brought to one row per patient.

A code in PARAMCD (ADaM's ADRS and ADTTE) or RSTESTCD (SDTM's RS) says what each row is about. The rows of one response
and of each time are picked by `RESPONSE_CODES` and `TIME_CODES`:

* the response is that of the first code of the list that the file has, or of the code asked for;
* AVALC (RSSTRESC, RSORRES) decides; AVAL is its code;
* of several rows of a patient those flagged ANL01FL = Y count; of several evaluators the investigator, and of several
  records of an independent assessor the accepted ones (RSACPTFL = Y);
* where only the overall response at each visit is there, the best of them up to the first progression is taken,
  unconfirmed;
* times are those of ADTTE with CNSR, 0 for an event; without AVALU the unit is found by comparing AVAL with STARTDT and
  ADT, or with ADY;
* a patient without a row of the response is not evaluable.                                                        [1]_

References
----------
.. [1] CDISC. Analysis Data Model implementation guide, version 1.3. 2021; ADaM basic data structure for time-to-event
   analyses, version 1.0. 2012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.errors import InputError, several
from simtrial.patients.cells import KINDS, CellError, day, is_missing, unit, unit_by
from simtrial.patients.columns import BY_NAME, meant, named, plain
from simtrial.patients.rows import Patients, PlacedCell, Row, SheetTable

if TYPE_CHECKING:
    from datetime import date

RESPONSE_CODES = ("BOR", "CBOR", "BESTRESP", "BORIRC", "RSP", "CRSP", "BCP", "CBCP", "ORR", "OVR", "OVRLRESP")
"""Codes of a response, the first that is there is taken unless another is asked for."""

NO_RESPONSES = ("DEATH", "PD", "MDIS", "LSTA", "LSTAC", "CB", "CCB", "DCR", "TRGRESP", "NTRGRESP", "NEWLIND")
"""Codes in such data sets that are no response of the patient: deaths, progressions, clinical benefit, parts of it."""

BY_VISIT = ("OVR", "OVRLRESP")
"""Codes of the response at one visit."""

TIME_CODES = {
    "PFS": "PFS", "OS": "OS", "DOR": "DOR", "RSD": "DOR", "DUROR": "DOR", "TTR": "TTR", "TTRESP": "TTR",
    "TTOX": "TTOX", "TTTOX": "TTOX", "TTDLT": "TTOX", "TTAE3": "TTOX",
}  # fmt: skip
"""Codes of a time, and the column that it is."""

_RANKS = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE")
_FLAGS = (("ANL01FL", ("Y",)), ("RSACPTFL", ("Y",)), ("RSEVAL", ("INVESTIGATOR",)), ("PARQUAL", ("INVESTIGATOR",)))


def picked(table: SheetTable, code: str, param: str | None) -> Patients:
    """Pick the rows of a data set.

    Parameters
    ----------
    table : SheetTable
        The data set.
    code : str
        Plain heading of its codes.
    param : str, optional
        Code of the response to be taken.

    Raises
    ------
    InputError
        If no code is that of a response or a time, the one asked for is not there, or a patient has two values.
    """
    sheet, place = table.sheet, table.header_place
    subject = table.has("USUBJID", "SUBJID") or next(
        (plain(h) for h, cells in zip(sheet.headings, table.columns, strict=True) if meant(h, cells) == "USUBJID"), None
    )
    if subject is None:
        raise InputError("has no column that identifies the patients; it may be named USUBJID", place)
    codes: dict[str, list[int]] = {}
    for i, text in enumerate(table.columns[table.at[code]]):
        codes.setdefault(text.strip().upper(), []).append(i)
    rows: dict[str, Row] = {}
    for i, who in enumerate(table.columns[table.at[subject]]):
        rows.setdefault(who.casefold(), {"USUBJID": table.cell(subject, i)})
    notes = [f"{table.name}: {note}" for note in sheet.notes]
    found = Patients(read={"USUBJID": sheet.headings[table.at[subject]]}, notes=notes)
    used = {subject, code}
    _take_response(table, code, subject, codes, param, rows, found, used)
    _take_times(table, code, subject, codes, rows, found, used)
    _take_constants(table, subject, rows, found, used)
    found.rows.extend(rows.values())
    found.ignored.extend(h or "(no heading)" for h in sheet.headings if plain(h) not in used)
    return found


def _take_response(
    table: SheetTable, code: str, subject: str, codes: dict[str, list[int]], param: str | None, rows: dict[str, Row],
    found: Patients, used: set[str],
) -> None:  # fmt: skip
    heading = table.sheet.headings[table.at[code]]
    known = ", ".join(sorted(set(codes) - {*NO_RESPONSES}))[:200]
    there = [name for name in RESPONSE_CODES if name in codes] or _alike(codes, heading, param)
    if param is not None and param.strip().upper() in (*NO_RESPONSES, *TIME_CODES):
        raise InputError(
            f"({param!r:.40}) is not a response; such a code is one of {', '.join(RESPONSE_CODES)}", "param"
        )
    if param is not None and param.strip().upper() in codes:
        there.insert(0, param.strip().upper())
    elif param is not None and (there or not set(codes) & set(TIME_CODES)):
        raise InputError(
            f"({param!r:.40}) is not in the file; {heading} holds {known}",
            "param",
        )
    value = table.has("AVALC", "RSSTRESC", "RSORRES", "AVAL")
    if not there:
        if not set(codes) & set(TIME_CODES):
            raise InputError(
                f"holds no {heading} of a response ({', '.join(RESPONSE_CODES)}); it holds "
                f"{known}; choose one with --param", f"{table.sheet.path}:",
            )  # fmt: skip
        return
    chosen = there[0]
    if value is None:
        raise InputError("has no column AVALC, RSSTRESC or AVAL, which holds the response", table.header_place)
    picked = _picked(table, chosen, subject, codes[chosen], found, used)
    name = meant(table.sheet.headings[table.at[value]], table.cells(value, picked)) or "BOR"
    if value == "RSORRES" or value == "RSSTRESC":
        name = "BOR"
    best = _best_of_visits if chosen in BY_VISIT else _only
    kept = best(table, subject, picked, value)
    for who, row in rows.items():
        if who in kept:
            row[name] = table.cell(value, kept[who])
        else:
            row[name] = PlacedCell(table.sheet.headings[table.at[value]], "", row["USUBJID"].place)
    used |= {value} | ({"AVAL"} if value == "AVALC" else set())
    found.read[name] = f"{table.sheet.headings[table.at[value]]} where {heading} is {chosen}"
    others = [c for c in dict.fromkeys(there) if c != chosen]
    note = f"{table.name}: response taken from {heading} {chosen}"
    if chosen in BY_VISIT:
        note += ", the best overall response up to the first progression, without confirmation"
    found.notes.append(note + (f"; also there: {', '.join(others)} (--param)" if others else ""))
    without = [who for who in rows if who not in kept]
    if without:
        found.notes.append(
            f"{table.name}: without a result of {chosen}, so not evaluable: {len(without)} of {len(rows)}"
        )


def _alike(codes: dict[str, list[int]], heading: str, param: str | None) -> list[str]:
    """Codes that begin as one of `RESPONSE_CODES` does, such as BORINV; which of several is to be said."""
    alike = sorted(name for name in codes if name.startswith(RESPONSE_CODES))
    if len(alike) > 1 and param is None:
        raise InputError(f"holds several responses: {', '.join(alike)[:200]}; choose one with --param", heading)
    return alike


def _picked(
    table: SheetTable, code: str, subject: str, places: list[int], found: Patients, used: set[str]
) -> list[int]:
    """The rows of a code, thinned by flags where a patient has several."""
    for flag, wanted in _FLAGS:
        if flag not in table.at:
            continue
        flagged = [i for i in places if table.columns[table.at[flag]][i].strip().upper() in wanted]
        whole = len(flagged) == len(places)
        if not flagged or whole or (flag != "ANL01FL" and not _repeated(table, subject, places)):
            continue
        places = flagged
        used.add(flag)
        found.notes.append(f"{table.name}: of {code} the rows with {flag} {wanted[0]} are taken")
    return places


def _repeated(table: SheetTable, subject: str, places: list[int]) -> bool:
    who = [text.casefold() for text in table.cells(subject, places)]
    return len(set(who)) < len(who)


def _only(table: SheetTable, subject: str, places: list[int], value: str) -> dict[str, int]:
    """The one row of each patient."""
    kept: dict[str, int] = {}
    faults = []
    for i in places:
        who = table.columns[table.at[subject]][i].casefold()
        if who not in kept:
            kept[who] = i
        elif table.columns[table.at[value]][kept[who]] != table.columns[table.at[value]][i]:
            first, cell = table.sheet.rows[kept[who]][0], table.cell(value, i)
            faults.append(InputError(
                f"({cell.text!r:.40}) differs from line {first}; keep one row per patient, or flag it "
                "with ANL01FL", f"{cell.place} {cell.heading}",
            ))  # fmt: skip
    if faults:
        raise several(faults)
    return kept


def _best_of_visits(table: SheetTable, subject: str, places: list[int], value: str) -> dict[str, int]:
    """The best visit of each patient up to the first progression, by ADT or RSDTC where there, else by the rows."""
    when = table.has("ADT", "RSDTC", "ADY", "VISITNUM", "AVISITN")

    def order(i: int) -> tuple[object, ...]:
        text = table.columns[table.at[when]][i] if when else ""
        if when in ("ADT", "RSDTC"):
            moment = _day(text, sas_days=table.sheet.sas_days)
            return (moment is None, moment.toordinal() if moment else 0, i)
        try:
            return (False, float(text), i)
        except ValueError:
            return (True, 0.0, i)

    kept: dict[str, int] = {}
    rank: dict[str, int] = {}
    over: set[str] = set()
    for i in sorted(places, key=order):
        who, text = table.columns[table.at[subject]][i].casefold(), table.columns[table.at[value]][i]
        if who in over or is_missing(text):
            continue
        try:
            here = KINDS["response"].read(text)
        except CellError:
            here = None  # told by its own place where the cell is read
        place = -1 if here is None else _RANKS.index(here)
        if who not in kept or place < rank[who]:
            kept[who], rank[who] = i, place
        if here == "PD":
            over.add(who)
    return kept


def _day(text: str, *, sas_days: bool) -> date | None:
    try:
        return None if is_missing(text) else day(text, sas_days=sas_days)
    except CellError:
        return None


def _take_times(
    table: SheetTable, code: str, subject: str, codes: dict[str, list[int]], rows: dict[str, Row], found: Patients,
    used: set[str],
) -> None:  # fmt: skip
    heading = table.sheet.headings[table.at[code]]
    for word, name in TIME_CODES.items():
        if word not in codes or name in found.read:
            continue
        for needed in ("AVAL",) if name == "TTR" else ("AVAL", "CNSR"):
            if needed not in table.at:
                raise InputError(f"has no {needed}, which {heading} {word} needs", table.header_place)
        picked = _picked(table, word, subject, codes[word], found, used)
        kept = _only(table, subject, picked, "AVAL")
        for who, row in rows.items():
            blank = PlacedCell("AVAL", "", row["USUBJID"].place)
            row[name] = table.cell("AVAL", kept[who]) if who in kept else blank
            if name != "TTR":
                row[f"{name}CNSR"] = table.cell("CNSR", kept[who]) if who in kept else blank
        used |= {"AVAL", "CNSR"}
        found.read[name] = f"AVAL where {heading} is {word}"
        if name != "TTR":
            found.read[f"{name}CNSR"] = f"CNSR where {heading} is {word}"
        stated = _unit_of(table, list(kept.values()), used)
        if stated is not None:
            found.units[name] = stated[0]
            found.notes.append(f"{table.name}: {word} is in {stated[0]}, by {stated[1]}")


def _unit_of(table: SheetTable, places: list[int], used: set[str]) -> tuple[str, str] | None:
    """The unit of AVAL and by what it is known: AVALU, the two days between which it lies, or the day of the study."""
    if "AVALU" in table.at:
        words = {text for text in table.cells("AVALU", places) if not is_missing(text)}
        used.add("AVALU")
        if len(words) == 1:
            try:
                return unit(words.pop()), "AVALU"
            except CellError:
                pass
    start = table.has("STARTDT", "TRTSDT", "RANDDT", "RFSTDTC")
    if start is not None and "ADT" in table.at:
        sas = table.sheet.sas_days
        pairs = [
            (_day(a, sas_days=sas), _day(b, sas_days=sas))
            for a, b in zip(table.cells(start, places), table.cells("ADT", places), strict=True)
        ]
        lengths = [None if a is None or b is None else (b - a).days for a, b in pairs]
        word = unit_by(table.cells("AVAL", places), lengths)
        if word is not None:
            used |= {start, "ADT"} if start == "STARTDT" else {"ADT"}
            return word, f"{start} and ADT"
    if "ADY" in table.at:
        word = unit_by(table.cells("AVAL", places), [_whole(text) for text in table.cells("ADY", places)])
        if word is not None:
            used.add("ADY")
            return word, "ADY"
    return None


def _whole(text: str) -> int | None:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return None


def _take_constants(table: SheetTable, subject: str, rows: dict[str, Row], found: Patients, used: set[str]) -> None:
    """What a data set carries of each patient beside its own rows, such as TRTSDT."""
    sheet = table.sheet
    wanted: tuple[str, ...] = ("ENRLDT", "ENRLFL", "EVALFL", "STAGE")
    if len(rows) == len(sheet.rows):  # one row each: what else it holds is the patient's too
        wanted = tuple(
            name for name in BY_NAME if name not in ("USUBJID", "BOR", "RESPONDER") and name not in found.read
        )
    free = [k for k, heading in enumerate(sheet.headings) if plain(heading) not in used]
    names = named(
        [sheet.headings[k] for k in free], [table.columns[k] for k in free], table.header_place
    )  # fmt: skip
    for k, name in zip(free, names, strict=True):
        if name not in wanted:
            continue
        heading = plain(sheet.headings[k])
        for i, who in enumerate(table.columns[table.at[subject]]):
            row, cell = rows[who.casefold()], table.cell(heading, i)
            known = row.setdefault(name, cell)
            if known.text != cell.text and is_missing(known.text):
                row[name] = cell
            elif known.text != cell.text and not is_missing(cell.text):
                raise InputError(
                    f"({cell.text!r:.40}) is {known.text!r:.40} in another row of the patient",
                    f"{cell.place} {cell.heading}",
                )
        found.read[name] = sheet.headings[k]
        used.add(heading)
