"""The documents that a report brings along: for Word, as JSON, as pages of HTML that open offline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from simtrial import __version__
from simtrial.documents import protocol
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
    return (protocol.of(case, origin(source.sha256)),)


def origin(sha256: str) -> str:
    """What a document was made from, for the foot of each page; the hash is that of the parameter file."""
    return f"simtrial {__version__}, parameter file SHA-256 {sha256[:16]}"


def write(papers: tuple[Document, ...], folder: Path) -> None:
    """Write every document as .docx; the protocol sections also as JSON, the others as HTML."""
    from simtrial.show.word import docx

    for paper in papers:
        (folder / f"{paper.name}.docx").write_bytes(docx(paper))
        if paper.name == protocol.NAME:
            said = json.dumps(paper.plain(), indent=2, ensure_ascii=False, allow_nan=False)
            (folder / f"{paper.name}.json").write_text(f"{said}\n", encoding="utf-8")
        else:
            (folder / f"{paper.name}.html").write_text(document_html(paper), encoding="utf-8")
