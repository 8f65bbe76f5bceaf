"""A document as a file for Word: real headings, tables and pictures, and the same bytes every time.

Pictures carry their text alternative, captions count themselves, the header of a table is repeated on every page, and
placeholders are marked in yellow. Formulas stand in plain notation: no library that converts them is well kept.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from simtrial.show import grid
from simtrial.show.document import Chapter, Document, FormulaLine, Listing, Points, Subheading
from simtrial.show.picture import Picture
from simtrial.show.runs import allowed, element, runs
from simtrial.show.table import Table

if TYPE_CHECKING:
    from simtrial.show.document import Matter

FONT, FIXED = "Calibri", "Courier New"
WIDTH, HEIGHT, MARGIN = 21.0, 29.7, 2.2
"""The page, A4, and its margins, in centimetres."""

MOST_TITLE = 70
"""Letters of the title in the header of each page, which is one line."""

OLDEST = (1980, 1, 1, 0, 0, 0)
"""The date of every part of the file: the first that the format can state."""


def csv_of(name: str, table: Table) -> str:
    """The file that holds a table of a document with every row, where the document shows only some."""
    return f"tables/{name}_{table.name}.csv"


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
    sheet.add_paragraph(allowed(document.study), style="Subtitle")
    sheet.add_paragraph(allowed(document.title), style="Title")
    writer = _Writer(sheet, document.name)
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

    def __init__(self, sheet: Any, name: str) -> None:
        self.sheet, self.name = sheet, name
        self.counts = {"Table": 0, "Figure": 0}

    def chapter(self, chapter: Chapter) -> None:
        code = f" ({chapter.code})" if chapter.code else ""
        heading = self.sheet.add_heading(allowed(f"{chapter.heading}{code}"), level=min(chapter.level, 9))
        heading.paragraph_format.page_break_before = chapter.new_page or None
        for block in chapter.blocks:
            if isinstance(block, Subheading):
                self.sheet.add_heading(allowed(block.text), level=min(chapter.level + 1, 9))
            else:
                self._block(block)

    def paragraph(self, text: str, style: str | None = None) -> Any:
        paragraph = self.sheet.add_paragraph(style=style)
        runs(paragraph, text)
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
        for k, typed in enumerate(allowed(block.text).rstrip("\n").split("\n")):
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
        runs(line, text)
        line.paragraph_format.keep_with_next = above

    def _table(self, table: Table) -> None:
        self._caption("Table", table.caption, above=True)
        grid.add(self.sheet, table, WIDTH - 2 * MARGIN, csv_of(self.name, table))

    def _picture(self, picture: Picture) -> None:
        from docx.shared import Cm, Inches

        width = min(Cm(WIDTH - 2 * MARGIN), Inches(picture.figure.get_size_inches()[0]))
        shape = self.sheet.add_picture(io.BytesIO(picture.png()), width=width)
        shape._inline.docPr.set("descr", allowed(picture.alt))
        shape._inline.docPr.set("title", allowed(picture.name))
        self.sheet.paragraphs[-1].paragraph_format.keep_with_next = bool(picture.caption)
        if picture.caption:
            self._caption("Figure", picture.caption, above=False)


def _field(paragraph: Any, instruction: str, shown: str) -> None:
    """Add a field, such as the number of the page, with what it shows until Word computes it."""
    field = element("fldSimple", instr=instruction)
    run, text = element("r"), element("t")
    text.text = shown
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


def _settings(sheet: Any, document: Document) -> None:
    """Paper, fonts, header and footer, and what the file says of itself: no name and no time."""
    from docx.enum.text import WD_TAB_ALIGNMENT
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
        style = sheet.styles[name]
        style.font.size = Pt(8)
        stops = style.paragraph_format.tab_stops
        stops.clear_all()
        stops.add_tab_stop(Cm(WIDTH - 2 * MARGIN), WD_TAB_ALIGNMENT.RIGHT)
    study, title = allowed(document.study), allowed(document.title)
    short = title if len(title) <= MOST_TITLE else f"{title[:MOST_TITLE].rsplit(' ', 1)[0]} ..."
    page.header.paragraphs[0].text = f"{study}\t{short}"
    foot = page.footer.paragraphs[0]
    foot.add_run(f"{allowed(document.origin)}\tPage ")
    _field(foot, "PAGE", "1")
    foot.add_run(" of ")
    _field(foot, "NUMPAGES", "1")
    core = sheet.core_properties
    core.title, core.subject, core.author, core.comments = title[:255], study[:255], "simtrial", ""
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
