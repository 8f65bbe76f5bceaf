"""A table in a file for Word: thin lines, grey headings on every page, columns as wide as their entries ask."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from simtrial.phrases import around_placeholders, counted
from simtrial.show.runs import allowed, element, runs

if TYPE_CHECKING:
    from simtrial.show.table import Table

LARGER, SMALLER = 9.0, 7.5
"""Type of tables, in points: the smaller one where the larger one would break words and numbers."""

MOST_ROWS = 100
"""Rows of a table that are set; a file of its own holds the others."""

LINES, GREY = "BFBFBF", "F2F2F2"
"""Colours of the lines and of the ground of headings."""

LETTER, PADDING = 0.0225, 0.4
"""Centimetres that a letter takes for each point of its size, and that a cell leaves on both sides of its text."""

LONGEST = (24, 20, 16, 14, 12, 10, 8, 6, 4)
"""Letters of a word up to which its column is as wide as the word: the first with which a table fits; longer words are
broken.
"""

USUAL = 14
"""Letters of a word that is not broken in the larger type."""

BOLD = 1.12
"""How much wider the letters of a heading are."""

UNBROKEN = 11
"""Letters of a word of a heading that is broken last."""

FILLED, CROWDED = 0.85, 0.95
"""Shares of the text's width that columns may take for their longest words: for the larger type, and at most."""

MOST_TOGETHER, MOST_LINES = 9, 36
"""Rows, the headings included, up to which a table stays on one page, and lines of text up to which it does."""

OPENING = 3
"""Rows, with that of the headings, that are kept on one page with the next one."""


def capped(table: Table) -> int:
    """How many rows of a table are left out of a file for Word."""
    return max(len(table.view()) - MOST_ROWS, 0)


def add(sheet: Any, table: Table, room: float, elsewhere: str = "") -> None:
    """Add a table below what a sheet holds.

    Parameters
    ----------
    sheet : docx.document.Document
        Where to.
    table : Table
        At most `MOST_ROWS` of its rows are set; a line below states where the others are.
    room : float
        Width of the text, in centimetres.
    elsewhere : str
        File that holds every row.
    """
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    view, left = table.view().head(MOST_ROWS), capped(table)
    numbers = [key in table.right or pd.api.types.is_numeric_dtype(table.frame[key]) for key in table.shown]
    rows = [list(view.columns), *(list(map(str, row)) for row in view.itertuples(index=False, name=None))]
    rows = [list(map(allowed, row)) for row in rows]
    size = LARGER if sum(_least(rows, LARGER, USUAL)) <= FILLED * room else SMALLER
    grid = sheet.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
    _look(grid)
    widths = _widths(rows, size, room)
    together = len(rows) <= MOST_TOGETHER and _lines(rows, widths, size) <= MOST_LINES
    models: dict[tuple[bool, bool, bool], Any] = {}
    # the cells of a row at once: to ask for one takes a search of the table
    for k, (row, entries) in enumerate(zip(grid.rows, rows, strict=True)):
        stressed = k == 0 or (k - 1 < len(table.chosen) and bool(table.chosen[k - 1]))
        # where a table may break, its headings do not stand alone at the foot of a page
        ties = (together or k < OPENING) and k + 1 < len(rows)
        look, plain = (k == 0, stressed, ties), all(map(_plain, entries))
        if plain and look in models:
            _like(row, models[look], entries)
            continue
        if plain:
            models[look] = row._tr
        _together(row, heads=k == 0)
        cells = zip(row.cells, entries, numbers, widths, strict=True)
        for cell, entry, number, width in cells:
            line = _fill(cell, entry, size, width=width, bold=stressed, head=k == 0)
            line.paragraph_format.keep_with_next = ties or None
            if number:
                line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = _cm(width)
    after = sheet.add_paragraph()
    after.paragraph_format.space_after = Pt(2)
    if left:
        whole = len(table.view())
        where = f" The file {elsewhere} holds all rows." if elsewhere else ""
        runs(after, f"The first {counted(MOST_ROWS, 'row')} of {whole:,}.{where}", size=Pt(size))


def _plain(entry: str) -> bool:
    """Whether an entry is one run of text without a mark or a break."""
    return around_placeholders(entry) == [(entry, False)] and entry.split() == entry.split(" ")


def _like(row: Any, model: Any, entries: list[str]) -> None:
    """Make a row a copy of one that looks the same, with other entries: a tenth of the work of a row of its own."""
    made = copy.deepcopy(model)
    for text, entry in zip(made.iter(element("t").tag), entries, strict=True):
        text.text = entry
    row._tr.getparent().replace(row._tr, made)


def _cm(value: float) -> Any:
    from docx.shared import Cm

    return Cm(round(value, 3))


def _fill(cell: Any, entry: str, size: float, *, width: float, bold: bool, head: bool) -> Any:
    """Write an entry into a cell, and give its paragraph."""
    from docx.shared import Pt

    cell.width = _cm(width)
    if head:
        # after the width, as the format has it
        cell._tc.get_or_add_tcPr().append(element("shd", val="clear", color="auto", fill=GREY))
    line = cell.paragraphs[0]
    line.paragraph_format.space_before = line.paragraph_format.space_after = Pt(1)
    line.paragraph_format.line_spacing = 1.0
    runs(line, entry, size=Pt(size), bold=bold)
    return line


def _look(grid: Any) -> None:
    """Thin grey lines and fixed columns; the children of the properties stand in the order of the format."""
    grid.autofit = False
    properties = grid._tbl.tblPr
    borders = element("tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        borders.append(element(side, val="single", sz="4", space="0", color=LINES))
    margins = element("tblCellMar")
    for side in ("left", "right"):
        margins.append(element(side, w="80", type="dxa"))
    (layout,) = properties.findall(element("tblLayout").tag)
    layout.addprevious(borders)
    layout.addnext(margins)


def _together(row: Any, *, heads: bool) -> None:
    """Keep a row on one page, and repeat the row of headings on every page."""
    properties = row._tr.get_or_add_trPr()
    properties.append(element("cantSplit"))
    if heads:
        properties.append(element("tblHeader"))


def _least(rows: list[list[str]], size: float, most: int) -> list[float]:
    """Widths in centimetres at which no word of at most this many letters is broken, and no usual word of a heading."""
    letters = []
    for head, *entries in zip(*rows, strict=True):
        longest = max((len(word) for entry in entries for word in entry.split()), default=1)
        of_head = max((len(word) for word in head.split()), default=1)
        letters.append(max(min(longest, most), BOLD * min(of_head, max(most, UNBROKEN))))
    return [one * LETTER * size + PADDING for one in letters]


def _lines(rows: list[list[str]], widths: list[float], size: float) -> int:
    """About how many lines of text a table has."""

    def lines(entry: str, width: float) -> int:
        return max(math.ceil(len(entry) * LETTER * size / max(width - PADDING, LETTER * size)), 1)

    return sum(max(map(lines, row, widths)) for row in rows)


def _widths(rows: list[list[str]], size: float, room: float) -> list[float]:
    """Widths in centimetres: no word of a usual length is broken, and what is left goes where the text is long.

    A table is only as wide as its entries ask, and never wider than the text of the page.
    """
    columns = list(zip(*rows, strict=True))
    letter = LETTER * size
    for most in LONGEST:
        least = _least(rows, size, most)
        if sum(least) <= CROWDED * room:
            break
    whole = [max(map(len, column)) * letter + PADDING for column in columns]
    spare = room - sum(least)
    if spare <= 0:
        return [room * one / sum(least) for one in least]
    more = [max(long - short, 0.0) for long, short in zip(whole, least, strict=True)]
    if sum(more) <= spare:
        return [max(pair) for pair in zip(whole, least, strict=True)]
    # a column that asks for little gets it all; the others share what is left by the root of what they ask
    shares = [one**0.5 for one in more]
    given = [0.0] * len(more)
    open_columns = {k for k, one in enumerate(more) if one > 0}
    while open_columns:
        total = sum(shares[k] for k in open_columns)
        satisfied = {k for k in open_columns if more[k] <= spare * shares[k] / total}
        if not satisfied:
            given = [spare * shares[k] / total if k in open_columns else one for k, one in enumerate(given)]
            break
        for k in satisfied:
            given[k] = more[k]
            spare -= more[k]
        open_columns -= satisfied
    return [short + one for short, one in zip(least, given, strict=True)]
