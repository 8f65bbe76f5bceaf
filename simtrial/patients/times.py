"""The unit of the times in a file of patients, and the times in months.

The unit is, in this order: that of the option; that which the file states (AVALU, a column TIMEUNIT, a heading such as
"PFS (days)", or the days between which a time lies); else months, unless the numbers speak against it:

* one is above 240, twenty years;
* all are whole and one is above 60, five years: days are more likely;
* the enrollment of a patient and the time after it end in the future.

Then the unit is asked for. A month is 365.25 / 12 days.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from simtrial.errors import InputError
from simtrial.months import DAYS_IN_MONTH
from simtrial.patients.cells import UNITS, CellError, unit, unit_by
from simtrial.patients.columns import TIMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from simtrial.patients.rows import Patients, PlacedCell, Values

MAX_MONTHS = 240.0
"""Longest time that is read, twenty years."""

LONG = 60.0
"""Whole numbers of which one is larger are more likely days than months."""

_ASK = "add --time-unit days or --time-unit months (time_unit in a parameter file)"


def units(
    patients: Patients, found: Sequence[Values], asked: str | None, today: date
) -> tuple[dict[str, str], list[str]]:
    """Settle the unit of each time of the files.

    Parameters
    ----------
    patients : Patients
        Cells, for places in messages, and the units that the files state.
    found : sequence of Values
        Values of each patient, in the same order.
    asked : {'days', 'weeks', 'months', 'years'}, optional
        Unit of all times, as an option says.
    today : date
        No patient can have been followed beyond it.

    Returns
    -------
    dict of str to str, list of str
        Unit by column, and what is to be said of it.

    Raises
    ------
    InputError
        If an option contradicts the file, or nothing tells days from months.
    """
    names = [name for name in TIMES if name in patients.read]
    if not names:
        return {}, []
    wanted = None if asked is None else _asked(asked)
    column = _column(patients, found)
    settled, notes = {}, []
    for name in names:
        stated = patients.units.get(name) or column or _by_days(patients, found, name)
        if wanted and stated and wanted != stated:
            raise InputError(f"({wanted}) contradicts the file, which states {stated} for {name}", "time_unit")
        settled[name] = wanted or stated or ""
    unknown = [name for name in names if not settled[name]]
    for name in unknown:
        settled[name] = "months"
    if unknown:
        _check_months(patients, found, unknown)
    if wanted or unknown:  # what a file states of its own times is taken for true
        _check_calendar(patients, found, {name: settled[name] for name in names}, today)
    listed = ", ".join(f"{name} in {word}" for name, word in settled.items() if name not in unknown)
    if listed:
        notes.append(f"times: {listed}" + (", as requested" if wanted else ", as the file states"))
    if unknown:
        notes.append(
            f"times: {', '.join(unknown)} taken to be in months, as no unit is stated (if they are in "
            "days, add --time-unit days)"
        )
    return settled, notes


def _asked(text: str) -> str:
    try:
        return unit(text)
    except CellError as error:
        raise InputError(f"({text!r:.40}) {error}", "time_unit") from None


def _column(patients: Patients, found: Sequence[Values]) -> str | None:
    if "TIMEUNIT" not in patients.read:
        return None
    said = {word: k for k, values in enumerate(found) if (word := values.texts["TIMEUNIT"]) is not None}
    if len(said) > 1:
        place = patients.rows[max(said.values())]["TIMEUNIT"]
        raise InputError(
            f"has several units ({', '.join(sorted(said))}); write one for all patients", f"{place.place} TIMEUNIT"
        )
    return next(iter(said), None)


def _by_days(patients: Patients, found: Sequence[Values], name: str) -> str | None:
    """The unit by the days of enrollment and of the end, where the file has both."""
    if f"{name}DT" not in patients.read or "ENRLDT" not in patients.read:
        return None
    ends = [(values.days[f"{name}DT"], values.days["ENRLDT"]) for values in found]
    lengths = [None if end is None or start is None else (end - start).days for end, start in ends]
    return unit_by([row[name].text for row in patients.rows], lengths)


def _values(
    patients: Patients, found: Sequence[Values], names: Sequence[str]
) -> list[tuple[str, float, PlacedCell, Values]]:
    return [
        (name, value, row[name], values)
        for row, values in zip(patients.rows, found, strict=True)
        for name in names
        if (value := values.numbers[name]) is not None
    ]


def _check_months(patients: Patients, found: Sequence[Values], names: Sequence[str]) -> None:
    values = _values(patients, found, names)
    if not values:
        return
    _, longest, cell, _ = max(values, key=lambda one: one[1])
    where = f"{cell.place} {cell.heading}"
    if longest > MAX_MONTHS:
        raise InputError(
            f"({cell.text!r:.40}) is more than {MAX_MONTHS:g} months, and the file states no unit: {_ASK}", where
        )
    if longest > LONG and all(value % 1 == 0 for _, value, _, _ in values):
        raise InputError(
            f"({cell.text!r:.40}) is ambiguous: all times are whole numbers, and the file states no unit; "
            f"{_ASK}", where,
        )  # fmt: skip


def _check_calendar(patients: Patients, found: Sequence[Values], settled: dict[str, str], today: date) -> None:
    """Refuse a unit under which a patient was followed into the future.

    A unit of the last digit written and a day are allowed for, as times may be rounded; and who is enrolled in the
    future is not real.
    """
    enrolled = [day for values in found if (day := values.days["ENRLDT"]) is not None]
    if not enrolled or max(enrolled) > today:
        return
    for name, value, cell, values in _values(
        patients, found, [n for n in settled if n in ("PFS", "OS", "TTR", "TTOX")]
    ):
        start, months = values.days["ENRLDT"], value / UNITS[settled[name]]
        if start is None or months > MAX_MONTHS:
            continue
        digits = len(cell.text.replace(",", ".").partition(".")[2])
        rounded = 10.0**-digits / UNITS[settled[name]] * DAYS_IN_MONTH + 1
        end = start + timedelta(days=months * DAYS_IN_MONTH)
        if end - timedelta(days=rounded) > today:
            raise InputError(
                f"({cell.text!r:.40}) contradicts the calendar: in {settled[name]} from {start} on it ends "
                f"in the future ({end}); {_ASK}", f"{cell.place} {cell.heading}",
            )  # fmt: skip
