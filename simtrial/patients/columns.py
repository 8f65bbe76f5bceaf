"""Which columns of a file of patients are read, under which names, and how a heading is recognised.

Headings are compared without regard to case, spaces and punctuation, so "Patient ID", "patient_id" and PATIENTID are
one. A word that could name two things (RESPONSE: a code or a yes; ENROLLED: a flag or a day) is read as what its cells
are. A heading may state the unit of a time: "PFS (days)", PFS_MONTHS.

The stage of the trial is read under unmistakable names only, "Trial stage" and the like. The bare STAGE counts, in
capitals and in whole numbers, because files made here have had it; Stage and stage are the stage of the disease in most
files and are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.patients.cells import KINDS, CellError, is_missing, unit

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read: its name, what it holds, the kind of its cells, and other names for it.

    Other names stand in the order of preference where a file has several of them and they may differ
    (`PREFERRED`); else two columns for one thing must say the same.
    """

    name: str
    meaning: str
    kind: str
    others: tuple[str, ...] = ()


_SUBJECTS = (
    "SUBJID", "SUBJECT", "SUBJECT ID", "SUBJECT NUMBER", "SUBJECT NO", "SUBJ", "PATIENT", "PATIENT ID",
    "PATIENT NUMBER", "PATIENT NO", "PATID", "PATNO", "PTID", "PTNO", "PID", "PARTICIPANT", "PARTICIPANT ID",
    "RECORD ID", "CASE ID", "ID",
)  # fmt: skip
_TIME = "time from enrollment to "

COLUMNS = (
    Column("USUBJID", "identifier of the patient; required", "id", _SUBJECTS),
    Column(
        "BOR",
        "best overall response: CR, PR (response); SD, NON-CR/NON-PD, PD (evaluable, no response); NE, MISSING, NED, "
        "empty (not evaluable); also in words",
        "response",
        ("BEST OVERALL RESPONSE", "BEST RESPONSE", "BEST RESP", "BESTRSP", "CONFIRMED BOR", "CBOR", "AVALC", "RESPONSE",
         "OVERALL RESPONSE", "OBJECTIVE RESPONSE", "TUMOR RESPONSE", "TUMOUR RESPONSE", "RECIST", "RECIST RESPONSE",
         "BORC", "ORR", "RESP"),
    ),
    Column(
        "RESPONDER",
        "Y, yes, TRUE or 1: response; N, no, FALSE or 0: no response; empty: not evaluable; required without BOR",
        "yes",
        ("ORR", "OR", "RESP", "RSP", "RESPONSE", "BOR", "BEST RESPONSE", "BEST OVERALL RESPONSE", "OBJECTIVE RESPONSE",
         "OVERALL RESPONSE", "RESPONDED", "OBJECTIVE RESPONDER", "RESPFL", "RSPFL", "ORRFL", "AVALC", "AVAL"),
    ),
    Column(
        "ENRLDT",
        "date of enrollment: YYYY-MM-DD, with or without a time, or 15JAN2020",
        "day",
        ("TRTSDT", "ENROLLMENT DATE", "ENROLMENT DATE", "DATE OF ENROLLMENT", "DATE OF ENROLMENT", "ENROLLED",
         "ENROLLED ON", "DATE ENROLLED", "ENROLDT", "ENRDT", "ENROLL DATE", "REGISTRATION DATE", "DATE OF REGISTRATION",
         "TRTSDTM", "RFXSTDTC", "RFSTDTC", "RANDDT"),
    ),
    Column("ENRLFL", "Y: enrolled, N: screened only; if left out, all patients are enrolled", "yes",
           ("ENROLLED", "ENROLFL")),
    Column("EVALFL", "Y: evaluable, N: not evaluable; if left out, all patients but NE are evaluable", "yes",
           ("EFFFL", "EVALUABLE", "RESPONSE EVALUABLE")),
    Column(
        "STAGE",
        "stage of the trial in which the patient was enrolled, from 1; 0: the patient counts at no look (overrun)",
        "stage",
        ("TRIAL STAGE", "STAGE OF TRIAL", "STAGE OF THE TRIAL", "SIMON STAGE", "DESIGN STAGE", "STUDY STAGE"),
    ),
    Column("PFS", _TIME + "progression or death, or to the last assessment", "time", ("PFS TIME",)),
    Column("PFSEVENT", "1: progression or death, 0: censored", "event", ("PFS STATUS", "PFS EVT")),
    Column("PFSCNSR", "0: event, 1 or more: censored; instead of PFSEVENT", "censored", ("PFS CENSORED", "PFS CENSOR")),
    Column("OS", _TIME + "death or to the last contact", "time", ("OS TIME",)),
    Column("OSEVENT", "1: death, 0: censored", "event", ("OS STATUS", "OS EVT")),
    Column("OSCNSR", "0: death, 1 or more: censored; instead of OSEVENT", "censored", ("OS CENSORED", "OS CENSOR")),
    Column("DOR", "time from first response to progression or death, or to the last assessment", "time", ("DOR TIME",)),
    Column("DOREVENT", "1: progression or death, 0: censored", "event", ("DOR STATUS", "DOR EVT")),
    Column("DORCNSR", "0: event, 1 or more: censored; instead of DOREVENT", "censored", ("DOR CENSORED", "DOR CENSOR")),
    Column("TTR", _TIME + "first response", "time", ("TTR TIME", "TIME TO RESPONSE")),
    Column("PFSDT", "date on which PFS ended; it gives the unit of PFS if enrollment has a date", "day", ("PFS DATE",)),
    Column("OSDT", "date on which OS ended; it gives the unit of OS if enrollment has a date", "day", ("OS DATE",)),
    Column("TIMEUNIT", "unit of all times: days, weeks, months or years", "unit", ("AVALU", "TIME UNIT")),
    Column("TOXGR", "highest toxicity grade, 0 to 5; empty: not assessed", "grade",
           ("AETOXGR", "TOXICITY GRADE", "MAX GRADE", "MAXIMUM GRADE", "WORST GRADE")),
    Column(
        "TTOX",
        _TIME + "the first toxicity of grade 3 or higher; with TTOXEVENT 0, to the end of its observation",
        "time",
        ("TTTOX", "TIME TO TOXICITY", "TIME TO FIRST TOXICITY", "TOXICITY TIME", "TOX TIME", "TTDLT", "TIME TO DLT"),
    ),
    Column("TTOXEVENT", "1: toxicity of grade 3 or higher, 0: none by then; if left out, every TTOX is a toxicity",
           "event", ("TTOX STATUS", "TTOX EVT", "TOXICITY EVENT")),
    Column("TTOXCNSR", "0: toxicity, 1 or more: none by then; instead of TTOXEVENT", "censored",
           ("TTOX CENSORED", "TTOX CENSOR")),
    Column(
        "TTOXDT",
        "date of the first toxicity of grade 3 or higher, instead of TTOX, if enrollment has a date",
        "day",
        ("TOXDT", "TOXDTC", "TTOX DATE", "TOXICITY DATE", "DATE OF TOXICITY", "DATE OF FIRST TOXICITY", "AESTDTC",
         "AESTDT", "DLTDT", "DLT DATE", "DATE OF DLT"),
    ),
    Column("PCHG", "best change of the sum of the target lesions, in percent of baseline, from -100 on", "change",
           ("BEST PCHG", "BEST CHANGE", "BEST PERCENT CHANGE", "PERCENT CHANGE")),
)  # fmt: skip
"""Every column that is read."""

BY_NAME = {column.name: column for column in COLUMNS}
TIMES = ("PFS", "OS", "DOR", "TTR", "TTOX")

PREFERRED = ("USUBJID", "ENRLDT")
"""Of these, several may stand side by side and differ: the first in the order of `Column.others` is read."""


def plain(heading: str) -> str:
    """A heading without case, spaces and punctuation."""
    return re.sub(r"[\W_]+", "", heading).upper()


def _by_heading() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for column in COLUMNS:
        for name in (column.name, *column.others):
            names = found.setdefault(plain(name), [])
            # a column under its own name comes first
            names.insert(0, column.name) if plain(name) == column.name else names.append(column.name)
    return {heading: tuple(names) for heading, names in found.items()}


_HEADINGS = _by_heading()


def stated_unit(heading: str) -> tuple[str, str | None]:
    """Part a heading of a time from the unit that it states: ``PFS (days)`` is PFS in days."""
    match = re.fullmatch(r"(?P<name>.+?)[\s_.(\[-]+(?:in[\s_]+)?(?P<unit>[A-Za-z]+)[\])]?", heading.strip())
    tried = [(match["name"], match["unit"])] if match else []
    endings = ("days", "weeks", "months", "years", "dy")  # PFSDY is the study day of CDISC's data sets
    tried += [(heading[: -len(u)], u) for u in endings if heading.lower().endswith(u)]
    for name, word in tried:
        if plain(name) in _HEADINGS and set(_HEADINGS[plain(name)]) & set(TIMES):
            try:
                return name, unit(word)
            except CellError:
                continue
    return heading, None


def possible(heading: str) -> tuple[str, ...]:
    """The columns of `COLUMNS` that a heading may stand for, the likeliest first; none for a heading not read."""
    if plain(heading) == "STAGE":
        return ("STAGE",) if heading == "STAGE" else ()
    return _HEADINGS.get(plain(stated_unit(heading)[0]), ())


def used(heading: str) -> tuple[str, ...]:
    """What a heading may stand for, columns that pick the rows of a data set among it."""
    word = plain(heading)
    return (word,) if word in ("PARAMCD", "RSTESTCD", "RSSTRESC", "CNSR", "ADT") else possible(heading)


def _fits(name: str, cells: Sequence[str]) -> int:
    """How many of the cells that are not missing the column could hold."""
    read = KINDS[BY_NAME[name].kind].read
    fitting = 0
    for cell in cells:
        try:
            read(cell)
        except CellError:
            continue
        fitting += 1
    return fitting


def meant(heading: str, cells: Sequence[str]) -> str:
    """The column that a heading stands for, by its cells where the heading could mean two; empty for none.

    A code of a response that stands as a number (AVAL of a best overall response) is no column, nor is a bare STAGE
    that holds anything but whole numbers.
    """
    names = possible(heading)
    there = [cell for cell in cells if not is_missing(cell)]
    if plain(heading) == "AVAL":
        return names[0] if _fits(names[0], there) == len(there) else ""
    if heading == "STAGE":  # else every patient has one stage, or a disease of stage 2 and 3
        trial = _fits("STAGE", there) == len(there) and {"1"} < {cell.removesuffix(".0") for cell in there}
        return "STAGE" if trial else ""
    if len(names) < 2 or not there:
        return names[0] if names else ""
    return max(names, key=lambda name: _fits(name, there))


def named(headings: Sequence[str], columns: Sequence[Sequence[str]], place: str) -> list[str]:
    """Tell which columns of a file are read, and as what.

    Parameters
    ----------
    headings : sequence of str
        Of the file.
    columns : sequence of sequence of str
        The cells below each.
    place : str
        Of the header, for messages.

    Returns
    -------
    list of str
        A name of `COLUMNS` for each heading, empty for those that are not read.

    Raises
    ------
    InputError
        If a heading stands there twice, or two columns for one thing do not say the same.
    """
    seen: dict[str, str] = {}
    for heading in filter(None, headings):
        if heading.upper() in seen:
            raise InputError(f"has the column {heading!r:.60} twice", place)
        seen[heading.upper()] = heading
    names = [meant(heading, cells) for heading, cells in zip(headings, columns, strict=True)]
    if any(plain(heading) == "AVALC" for heading in headings):  # AVAL is its code
        names = ["" if plain(heading) == "AVAL" else name for heading, name in zip(headings, names, strict=True)]
    for name in sorted(set(filter(None, names))):
        places = [k for k, found in enumerate(names) if found == name]
        chosen = min(places, key=lambda k: _rank(name, headings[k]))
        told = plain(headings[chosen]) == name or stated_unit(headings[chosen])[1] is not None
        for k in places:
            if k == chosen:
                continue
            if name not in PREFERRED and not told and not _alike(name, columns[chosen], columns[k]):
                raise InputError(
                    f"has {headings[chosen]!r} and {headings[k]!r}, which both stand for {name} and differ; "
                    "leave one of them out",
                    place,
                )
            names[k] = ""
    return names


def _rank(name: str, heading: str) -> tuple[bool, int]:
    """Place in the order of preference: a time whose unit is stated first, then as `Column.others` stand."""
    order = [plain(other) for other in (name, *BY_NAME[name].others)]
    word, stated = stated_unit(heading)
    return stated is None, order.index(plain(word)) if plain(word) in order else len(order)


def _alike(name: str, first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two columns hold the same values."""
    read = KINDS[BY_NAME[name].kind].read

    def value(cell: str) -> object:
        try:
            return None if is_missing(cell) else read(cell)
        except CellError:
            return cell

    return [value(cell) for cell in first] == [value(cell) for cell in second]
