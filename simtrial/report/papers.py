"""The documents that a report brings along: for Word, as JSON, as pages of HTML that open offline."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

from simtrial import __version__
from simtrial.documents import protocol
from simtrial.phrases import counted
from simtrial.report.page import document_html

if TYPE_CHECKING:
    from pathlib import Path

    from simtrial.show.document import Document
    from simtrial.trial.case import Case
    from simtrial.trial.params import Source

NAMES = {protocol.NAME: "Protocol sections"}
"""Name of the files of each document, and what it is called."""


def of(case: Case, source: Source) -> tuple[Document, ...]:
    """The documents on a trial, in the order in which they are named."""
    origin = f"simtrial {__version__}, parameter file SHA-256 {source.sha256[:16]}"
    return (protocol.of(case, origin),)


def links(papers: tuple[Document, ...]) -> str:
    """One line of HTML with a link to every document, and how much of it is still to be completed."""
    return f'<p class="documents">Documents: {", ".join(map(_link, papers))}.</p>' if papers else ""


def _link(paper: Document) -> str:
    other = "json" if paper.name == protocol.NAME else "html"
    missing = len(paper.to_complete())
    left = f"; {counted(missing, 'passage')} to complete" if missing else ""
    return (
        f'<a href="{paper.name}.docx">{escape(NAMES.get(paper.name, paper.name))}</a> (Word, '
        f'<a href="{paper.name}.{other}">{other.upper()}</a>{left})'
    )


def write(papers: tuple[Document, ...], folder: Path) -> None:
    """Write every document as .docx; the protocol sections also as JSON, the others as HTML.

    A table of which a .docx shows only the first rows has all of them in a CSV file.
    """
    from simtrial.show.grid import capped
    from simtrial.show.table import Table
    from simtrial.show.word import csv_of, docx

    for paper in papers:
        for table in (block for chapter in paper.chapters for block in chapter.blocks if isinstance(block, Table)):
            if capped(table):
                place = folder / csv_of(paper.name, table)
                place.parent.mkdir(exist_ok=True)
                place.write_text(table.csv(), encoding="utf-8")
        (folder / f"{paper.name}.docx").write_bytes(docx(paper))
        if paper.name == protocol.NAME:
            said = json.dumps(paper.plain(), indent=2, ensure_ascii=False, allow_nan=False)
            (folder / f"{paper.name}.json").write_text(f"{said}\n", encoding="utf-8")
        else:
            (folder / f"{paper.name}.html").write_text(document_html(paper), encoding="utf-8")
