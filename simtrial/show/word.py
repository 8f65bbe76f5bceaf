"""A document as a file for Word: real headings, tables and pictures, and the same bytes every time.

Pictures carry their text alternative, captions count themselves, the header of a table is repeated on every page, and
placeholders are marked in yellow. Formulas stand in plain notation: no library that converts them is well kept.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pandas as pd

from simtrial.phrases import around_placeholders
from simtrial.show.document import Chapter, Document, FormulaLine, Listing, Points
from simtrial.show.picture import Picture
from simtrial.show.table import Table

if TYPE_CHECKING:
    from simtrial.show.document import Matter

FONT, FIXED = "Calibri", "Courier New"
WIDTH, HEIGHT, MARGIN = 21.0, 29.7, 2.2
"""The page, A4, and its margins, in centimetres."""

MOST_COLUMNS = 8
"""Columns of a table up to which it is set in the larger type."""

LARGER, SMALLER = 9.0, 7.5
"""Type of tables, in points."""

OLDEST = (1980, 1, 1, 0, 0, 0)
"""The date of every part of the file: the first that the format can state."""


def docx(document: Document) -> bytes:
    """Write a document as the bytes of a .docx file.

    Parameters
    ----------
    document : Document
        Its tables and figures are numbered in the order in which they stand.

    Returns
    -------
    bytes
        The same for the same document: the file states no time.
    """
    import docx as library

    sheet = library.Document()
    _settings(sheet, document)
    sheet.add_paragraph(document.study, style="Subtitle")
    sheet.add_paragraph(document.title, style="Title")
    writer = _Writer(sheet)
    for text in document.lead:
        writer.paragraph(text)
    missing = document.to_complete()
    if missing:
        sheet.add_heading("To complete before this document is used", level=1)
        for one in missing:
            where = f"{one['section']} {one['title']}".strip()
            writer.paragraph(f"{where}: {one['missing']}", style="List Bullet")
    for chapter in document.chapters:
        writer.chapter(chapter)
    raw = io.BytesIO()
    sheet.save(raw)
    return _dateless(raw)


class _Writer:
    """Adds the blocks of chapters to a sheet and counts its tables and figures."""

    def __init__(self, sheet: Any) -> None:
        self.sheet = sheet
        self.counts = {"Table": 0, "Figure": 0}

    def chapter(self, chapter: Chapter) -> None:
        code = f" ({chapter.code})" if chapter.code else ""
        self.sheet.add_heading(f"{chapter.heading}{code}", level=min(chapter.level, 9))
        for block in chapter.blocks:
            self._block(block)

    def paragraph(self, text: str, style: str | None = None) -> Any:
        paragraph = self.sheet.add_paragraph(style=style)
        _runs(paragraph, text)
        return paragraph

    def _block(self, block: Matter) -> None:
        match block:
            case str():
                self.paragraph(block)
            case Points():
                for entry in block.entries:
                    self.paragraph(entry, style="List Bullet")
            case FormulaLine():
                from docx.shared import Cm

                line = self.paragraph(block.text)
                line.paragraph_format.left_indent = Cm(1)
                for run in line.runs:
                    run.font.name = "Cambria Math"
            case Listing():
                self._listing(block)
            case Table():
                self._table(block)
            case Picture():
                self._picture(block)

    def _listing(self, block: Listing) -> None:
        from docx.shared import Pt

        line = self.sheet.add_paragraph()
        for k, typed in enumerate(block.text.rstrip("\n").split("\n")):
            run = line.add_run(typed)
            run.font.name, run.font.size = FIXED, Pt(8.5)
            if k < block.text.rstrip("\n").count("\n"):
                run.add_break()

    def _caption(self, kind: str, text: str, *, above: bool) -> None:
        self.counts[kind] += 1
        line = self.sheet.add_paragraph(style="Caption")
        line.add_run(f"{kind} ").bold = True
        _field(line, f"SEQ {kind} \\* ARABIC", str(self.counts[kind]))
        line.add_run(". ").bold = True
        _runs(line, text)
        line.paragraph_format.keep_with_next = above

    def _table(self, table: Table) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        self._caption("Table", table.caption, above=True)
        view = table.view()
        numbers = [
            key in table.right or pd.api.types.is_numeric_dtype(table.frame[key]) for key in table.shown
        ]  # fmt: skip
        size = Pt(LARGER if len(view.columns) <= MOST_COLUMNS else SMALLER)
        grid = self.sheet.add_table(rows=1 + len(view), cols=len(view.columns), style="Table Grid")
        rows = [list(view.columns), *(list(map(str, row)) for row in view.itertuples(index=False, name=None))]
        # the cells of a row at once: to ask for one takes a search of the table
        for k, (row, entries) in enumerate(zip(grid.rows, rows, strict=True)):
            _together(row, heads=k == 0)
            stressed = k == 0 or (k - 1 < len(table.chosen) and table.chosen[k - 1])
            for cell, entry, number in zip(row.cells, entries, numbers, strict=True):
                line = cell.paragraphs[0]
                line.paragraph_format.space_after = Pt(0)
                if number:
                    line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
                _runs(line, entry, size=size, bold=stressed)
        _widths(grid, rows)
        self.sheet.add_paragraph().paragraph_format.space_after = Pt(2)

    def _picture(self, picture: Picture) -> None:
        from docx.shared import Cm, Inches

        width = min(Cm(WIDTH - 2 * MARGIN), Inches(picture.figure.get_size_inches()[0]))
        shape = self.sheet.add_picture(io.BytesIO(picture.png()), width=width)
        shape._inline.docPr.set("descr", picture.alt)
        shape._inline.docPr.set("title", picture.name)
        self.sheet.paragraphs[-1].paragraph_format.keep_with_next = bool(picture.caption)
        if picture.caption:
            self._caption("Figure", picture.caption, above=False)


def _runs(paragraph: Any, text: str, *, size: Any = None, bold: bool = False) -> None:
    """Add a text, its placeholders marked."""
    from docx.enum.text import WD_COLOR_INDEX

    for piece, mark in around_placeholders(_allowed(text)):
        run = paragraph.add_run(piece)
        if size is not None:
            run.font.size = size
        if bold:
            run.bold = True
        if mark:
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _allowed(text: str) -> str:
    """A text without the control characters that XML cannot hold."""
    return "".join(one for one in text if one in "\t\n" or (one >= " " and not "\ud800" <= one <= "\udfff"))


def _field(paragraph: Any, instruction: str, shown: str) -> None:
    """Add a field, such as the number of the page, with what it shows until Word computes it."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = shown
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


def _together(row: Any, *, heads: bool) -> None:
    """Keep a row on one page, and repeat the row of headings on every page."""
    from docx.oxml import OxmlElement

    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if heads:
        properties.append(OxmlElement("w:tblHeader"))


def _widths(grid: Any, rows: list[list[str]]) -> None:
    """Set columns as wide as their entries ask, so that every program breaks them alike."""
    from docx.shared import Cm

    def wanted(entries: tuple[str, ...]) -> float:
        words = max((len(word) for entry in entries for word in entry.split()), default=1)
        mean = sum(map(len, entries)) / len(entries)
        return max(1.15 * words, min(mean, 60.0), 3.0) + 1.5  # headings are bold, and fonts differ in width

    shares = [wanted(entries) for entries in zip(*rows, strict=True)]
    room = WIDTH - 2 * MARGIN
    total = max(sum(shares), room / 0.2)
    grid.autofit = False
    for column, share in zip(grid.columns, shares, strict=True):
        column.width = Cm(room * share / total)
    for row in grid.rows:
        for cell, share in zip(row.cells, shares, strict=True):
            cell.width = Cm(room * share / total)


def _settings(sheet: Any, document: Document) -> None:
    """Paper, fonts, header and footer, and what the file says of itself: no name and no time."""
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    page = sheet.sections[0]
    page.page_width, page.page_height = Cm(WIDTH), Cm(HEIGHT)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(MARGIN)
    for name in ("Normal", "Title", "Subtitle", "Caption", *(f"Heading {k}" for k in range(1, 10))):
        style = sheet.styles[name]
        style.font.name = FONT
        # Word takes the fonts of its theme where one is named, whatever else is said
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for of in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{of}"), None)
        if name != "Normal":
            style.font.color.rgb = RGBColor(0x1F, 0x3A, 0x5F) if name != "Caption" else RGBColor(0x33, 0x33, 0x33)
    sheet.styles["Normal"].font.size = Pt(10.5)
    sheet.styles["Normal"].paragraph_format.space_after = Pt(6)
    sheet.styles["Title"].font.size = Pt(20)
    sheet.styles["Caption"].font.bold = False
    for name in ("Header", "Footer"):
        sheet.styles[name].font.size = Pt(8)
    page.header.paragraphs[0].text = f"{document.study}\t\t{document.title}"[:120]
    foot = page.footer.paragraphs[0]
    foot.add_run(f"{document.origin}\t\tPage ")
    _field(foot, "PAGE", "1")
    foot.add_run(" of ")
    _field(foot, "NUMPAGES", "1")
    core = sheet.core_properties
    core.title, core.subject, core.author, core.comments = document.title[:255], document.study, "simtrial", ""
    core.last_modified_by = ""
    for of in ("dcterms:created", "dcterms:modified", "cp:revision"):
        for node in core._element.findall(of, core._element.nsmap):
            core._element.remove(node)


def _dateless(raw: io.BytesIO) -> bytes:
    """The same parts in the same order, every one of the same date."""
    final = io.BytesIO()
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(final, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            entry = zipfile.ZipInfo(part.filename, OLDEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            new.writestr(entry, old.read(part))
    return final.getvalue()
