"""Rows of patients on their way from a file to one row per patient: cells that know their place.

What `simtrial.patients.long` and `simtrial.patients.sets` hand to each other and to `simtrial.patients.data`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simtrial.patients.columns import COLUMNS, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simtrial.patients.cells import Value
    from simtrial.patients.files import Sheet


class PlacedCell(NamedTuple):
    """A cell: the heading and the place (file and line) it stands under, and its text."""

    heading: str
    text: str
    place: str
    sas_days: bool = False


Row = dict[str, PlacedCell]
"""The cells of one patient, by the names of `simtrial.patients.columns.COLUMNS`."""


class Values:
    """The values of one patient by the names of `COLUMNS`, apart by what they are; None where there is none.

    Attributes
    ----------
    texts, truths, numbers, days : dict of str to value or None
        Every name is a key of each.
    """

    __slots__ = ("days", "numbers", "texts", "truths")

    def __init__(self) -> None:
        names = [column.name for column in COLUMNS]
        self.texts: dict[str, str | None] = dict.fromkeys(names)
        self.truths: dict[str, bool | None] = dict.fromkeys(names)
        self.numbers: dict[str, float | None] = dict.fromkeys(names)
        self.days: dict[str, date | None] = dict.fromkeys(names)

    def put(self, name: str, value: Value) -> None:
        """Keep what was read from a cell."""
        match value:
            case bool():
                self.truths[name] = value
            case str():
                self.texts[name] = value
            case date():
                self.days[name] = value
            case _:
                self.numbers[name] = value

    def __getitem__(self, name: str) -> Value | None:
        """The value under a name, whatever it is."""
        kept = (self.texts[name], self.truths[name], self.numbers[name], self.days[name])
        return next((value for value in kept if value is not None), None)


@dataclass(frozen=True, kw_only=True)
class Patients:
    """One row per patient.

    Attributes
    ----------
    rows : list of dict
        Cells by the names of the columns that are read; every row has a USUBJID.
    read : dict of str to str
        Heading that each column was read from.
    ignored : list of str
        Headings that are not read.
    units : dict of str to str
        Units of times that the files state, by column.
    notes : list of str
        What was chosen or taken for granted.
    """

    rows: list[Row] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class SheetTable:
    """A sheet with its columns by plain heading."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.columns = [[cells[k] for _, cells in sheet.rows] for k in range(len(sheet.headings))]
        self.at = {plain(heading): k for k, heading in reversed(list(enumerate(sheet.headings)))}

    def has(self, *names: str) -> str | None:
        """The first of these headings that is there."""
        return next((name for name in names if name in self.at), None)

    def cells(self, name: str, rows: Iterable[int]) -> list[str]:
        """Cells of a column in some rows."""
        return [self.columns[self.at[name]][i] for i in rows]

    def cell(self, name: str, i: int) -> PlacedCell:
        """One cell with its place."""
        k = self.at[name]
        return PlacedCell(self.sheet.headings[k], self.columns[k][i], self.place(i), self.sheet.sas_days)

    def place(self, i: int) -> str:
        """File and line of a row."""
        return f"{self.sheet.path} line {self.sheet.rows[i][0]}:"

    @property
    def name(self) -> str:
        """Name of the file, without its folders."""
        return Path(self.sheet.path).name

    @property
    def header_place(self) -> str:
        """File and line of the header."""
        line = self.sheet.rows[0][0] - 1 if self.sheet.rows else 1
        return f"{self.sheet.path} line {line}:" if self.sheet.separator and line > 0 else f"{self.sheet.path}:"
