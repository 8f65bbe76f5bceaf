"""Cells of a file of patients: what each kind of value may look like, and what it then means.

R, SAS and pandas write a missing value, a yes and a day in ways of their own; each is read where it can mean one thing
only. What could mean two things is refused by its own fault: 01/02/2025, a number of days without its first day, 1.234
in a column of decimal commas.

Responses follow RECIST 1.1 [1]_ with the codes of CDISC's terminology: complete and partial response are responses;
stable disease, neither complete response nor progression (NON-CR/NON-PD, of patients without measurable disease) and
progression are evaluable without a response; not evaluable, missing and no evidence of disease at baseline (NED) are
not evaluable. Codes of iRECIST and of the Lugano classification are read as what they stand for.

References
----------
.. [1] Eisenhauer EA, Therasse P, Bogaerts J, et al. New response evaluation criteria in solid tumours: revised RECIST
   guideline (version 1.1). Eur J Cancer 2009;45:228-247.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from simtrial.design.designs import MAX_LOOKS
from simtrial.months import DAYS_IN_MONTH, MONTHS_IN_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_CHANGE = 10_000.0
"""Largest growth of the target lesions that is read, in percent."""

MAX_TIME = 100_000.0
"""Longest time that is read, in whatever unit."""

MISSING = frozenset(("", ".", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>", "nat", "n.a.", "-", "--"))
"""What is written for a missing value, in small letters; SAS also writes a full stop and a letter."""

_SAS_MISSING = re.compile(r"\.[A-Za-z_]")

RESPONSES = {
    "CR": ("complete response", "complete remission", "icr", "cmr"),
    "PR": ("partial response", "partial remission", "ipr", "pmr"),
    "SD": ("stable disease", "no change", "isd", "nmr", "non-pd"),
    "NON-CR/NON-PD": (
        "non-complete response/non-progressive disease",
        "neither complete response nor progressive disease",
        "nn",
        "non-icr/non-iupd",
    ),
    "PD": ("progressive disease", "progression", "disease progression", "iupd", "icpd", "pmd"),
    "NE": (
        "not evaluable",
        "inevaluable",
        "unevaluable",
        "not evaluated",
        "not assessable",
        "not assessed",
        "not all evaluated",
        "not done",
        "nd",
        "unknown",
        "unk",
        "missing",
        "ned",
        "no evidence of disease",
        "no disease",
        "ine",
        "not applicable",
    ),
}
"""Codes of the best overall response, and other words for each."""

_WORDS = {" ".join(re.split(r"[\s_]+", word)): code for code, words in RESPONSES.items() for word in words}
_WORDS |= {code.lower(): code for code in RESPONSES} | {"non cr/non pd": "NON-CR/NON-PD"}

RESPONDS = ("CR", "PR")
"""Codes that are a response."""

YES = ("y", "yes", "true", "t", "1", "1.0", "responder", "response")
NO = ("n", "no", "false", "f", "0", "0.0", "non-responder", "nonresponder", "non responder", "no response")

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)([T ][\d:.,+Z-]*)?", re.ASCII)
_PLAIN_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_SAS_DAY = re.compile(r"(\d{1,2})[- ]?([A-Za-z]{3})[- ]?(\d{4})([: ][\d:.]*)?", re.ASCII)
_DOTTED_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})( [\d:.]*)?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SAS_EPOCH = date(1960, 1, 1)


class CellError(ValueError):
    """A cell that cannot be read: what is wrong with it, behind its heading and text."""


def is_missing(text: str) -> bool:
    """Whether a cell holds no value."""
    return text.strip().lower() in MISSING or bool(_SAS_MISSING.fullmatch(text.strip()))


def has_decimal_comma(text: str) -> bool:
    """Whether a cell is a number with a decimal comma."""
    return bool(_COMMA.fullmatch(_signed(text)))


def has_decimal_point(text: str) -> bool:
    """Whether a cell is a number with a decimal point."""
    return "." in text and bool(_NUMBER.fullmatch(_signed(text)))


def _signed(text: str) -> str:
    """The number in a cell of a percentage, its minus as a keyboard has it."""
    return text.strip().removesuffix("%").strip().replace("\u2212", "-")


def _identifier(text: str) -> str:
    # a cell that begins so becomes a formula when the file, or a table made from it, is opened in a spreadsheet
    if text[0] in "=+@":
        raise CellError(f"begins with {text[0]}, as a formula of a spreadsheet does; begin with a letter or digit")
    if not text.isprintable():
        raise CellError("holds a character that cannot be printed; write plain text")
    if len(text) > 100:
        raise CellError("has more than 100 characters; shorten it")
    return text


def _response(text: str) -> str:
    words = " ".join(re.split(r"[\s_]+", text.lower().strip()))
    inside = re.fullmatch(r"(?P<words>[^()]+?) ?\((?P<code>[^()]+)\)", words)
    tried = (words, *((inside["code"], inside["words"]) if inside else ()))
    code = next((_WORDS[word] for word in tried if word in _WORDS), None)
    if code is None:
        raise CellError("is not a known response; write CR, PR, SD, NON-CR/NON-PD, PD or NE, or their names in words")
    return code


def _yes(text: str) -> bool:
    word = " ".join(text.lower().split())
    if word in YES or word in NO:
        return word in YES
    raise CellError("is neither yes nor no; write Y or N (also TRUE and FALSE, 1 and 0)")


def _event(text: str) -> bool:
    if text.strip() in ("2", "2.0"):
        raise CellError("is neither 1 nor 0; if 1 stands for censored and 2 for an event, recode them as 0 and 1")
    try:
        return _yes(text)
    except CellError:
        raise CellError("is neither 1 nor 0; write 1 for an event and 0 for censored") from None


def _censored(text: str) -> bool:
    """ADaM's CNSR: 0 is an event, any other whole number a kind of censoring."""
    if _NUMBER.fullmatch(text) and float(text) >= 0 and float(text).is_integer():
        return float(text) > 0
    return _event(text)


def _calendar(year: str, month: str | int, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise CellError("is not a day of the calendar; correct the day or the month") from None


def day(text: str, *, sas_days: bool = False) -> date:
    """Read a day.

    Raises
    ------
    CellError
        If it is none, or could be two.
    """
    match = _ISO_DAY.fullmatch(text) or _PLAIN_DAY.fullmatch(text)
    if match is not None:
        return _calendar(*match.groups()[:3])
    match = _SAS_DAY.fullmatch(text)
    if match is not None and match[2].lower() in _MONTHS:
        return _calendar(match[3], _MONTHS.index(match[2].lower()) + 1, match[1])
    if _NUMBER.fullmatch(text):
        days = float(text)
        if sas_days and days.is_integer() and -10_000 < days < 60_000:
            return _SAS_EPOCH + timedelta(days=days)
        raise CellError("is a number of days from an unknown first day; write the date as YYYY-MM-DD")
    if re.fullmatch(r"\d{4}(-\d\d)?", text):
        raise CellError("is an incomplete date; write YYYY-MM-DD")
    match = _DOTTED_DAY.fullmatch(text)  # nobody writes the month first before full stops
    if match is not None:
        return _calendar(match[3], match[2], match[1])
    if re.fullmatch(r"\d{1,2}[/.-]\d{1,2}[/.-](\d\d|\d{4})", text):
        raise CellError("is an ambiguous date: day and month cannot be distinguished; write YYYY-MM-DD")
    raise CellError("is not a date; write YYYY-MM-DD")


def _number(least: float, most: float, right: str, *, whole: bool = False) -> Callable[[str], float]:
    def read_number(text: str) -> float:
        cleaned = _signed(text) if "percent" in right else text.replace("\u2212", "-")
        if _COMMA.fullmatch(cleaned):
            cleaned = cleaned.replace(",", ".")
        value = float(cleaned) if _NUMBER.fullmatch(cleaned) else math.nan
        if not least <= value <= most or (whole and value % 1):
            fault = "not a number" if math.isnan(value) else "not a whole number" if whole and value % 1 else ""
            fault = fault or (f"below {least:g}" if value < least else f"above {most:g}")
            raise CellError(f"is {fault}; write {right}")
        return value

    return read_number


Value = str | bool | float | date
"""What a cell that is not missing may mean."""


@dataclass(frozen=True, slots=True)
class CellKind:
    """What the cells of a column hold.

    Attributes
    ----------
    read : callable
        Value of a cell that is not missing; raises `CellError`.
    right : str
        What would be right, for messages.
    """

    read: Callable[[str], Value]
    right: str


def _numeric(least: float, most: float, right: str, *, whole: bool = False) -> CellKind:
    return CellKind(_number(least, most, right, whole=whole), right)


KINDS = {
    "id": CellKind(_identifier, "the identifier of the patient"),
    "response": CellKind(_response, "CR, PR, SD, NON-CR/NON-PD, PD or NE"),
    "yes": CellKind(_yes, "Y or N"),
    "event": CellKind(_event, "1 or 0"),
    "censored": CellKind(_censored, "0 for an event, 1 or more for censored"),
    "day": CellKind(lambda text: day(text), "a date as YYYY-MM-DD"),
    "time": _numeric(0, MAX_TIME, "a time from 0 on"),
    "unit": CellKind(lambda text: unit(text), "days, weeks, months or years"),
    "grade": _numeric(0, 5, "a grade from 0 to 5", whole=True),
    "stage": _numeric(0, MAX_LOOKS, f"a whole number from 0 to {MAX_LOOKS}", whole=True),
    "change": _numeric(-100, MAX_CHANGE, f"a percentage from -100 to {MAX_CHANGE:g}"),
}
"""By the word that `simtrial.patients.columns` uses; "right" states what a cell may hold."""

UNITS = {"days": DAYS_IN_MONTH, "weeks": DAYS_IN_MONTH / 7, "months": 1.0, "years": 1 / MONTHS_IN_YEAR}
"""How many of each unit make a month."""

_UNIT_WORDS = {
    **dict.fromkeys(("day", "days", "d", "dy"), "days"),
    **dict.fromkeys(("week", "weeks", "wk", "wks", "w"), "weeks"),
    **dict.fromkeys(("month", "months", "mo", "mos", "mon", "mth", "mths", "m"), "months"),
    **dict.fromkeys(("year", "years", "yr", "yrs", "y"), "years"),
}


def unit(text: str) -> str:
    """Read the name of a unit of time.

    Raises
    ------
    CellError
        If it is none.
    """
    word = _UNIT_WORDS.get(text.strip().lower())
    if word is None:
        raise CellError("is not a unit of time; write days, weeks, months or years")
    return word


def unit_by(values: Sequence[str], days: Sequence[int | None]) -> str | None:
    """Find the unit in which times are these numbers of days, the first day counted or not.

    Parameters
    ----------
    values : sequence of str
        Times as written.
    days : sequence of int or None
        Days that each lasted, None where that is not known.

    Returns
    -------
    str or None
        None if no unit fits them all, or all are too short to tell.

    Notes
    -----
    Values are held to agree within two days: they may be rounded, and months may have been counted as 30 or 30.4375.
    """
    pairs = []
    for text, length in zip(values, days, strict=True):
        try:
            if length is not None:
                pairs.append((float(text.replace(",", ".")), length))
        except ValueError:
            continue
    if not any(length > 7 for _, length in pairs):
        return None  # too short to tell days from weeks
    for word, per_month in UNITS.items():
        in_days = DAYS_IN_MONTH / per_month
        if all(abs(value * in_days - length) <= 2 + 0.05 * in_days * (word != "days") for value, length in pairs):
            return word
    return None
