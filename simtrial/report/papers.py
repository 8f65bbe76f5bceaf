"""The documents that a report brings along: for Word, as JSON, as pages of HTML that open offline."""

from __future__ import annotations

import contextlib
import json
import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import __version__
from simtrial.documents import posted, protocol, qualification, simulation
from simtrial.documents.simulation_reproduction import MadeFrom
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.report import provenance
from simtrial.report.page import document_html
from simtrial.show.document import Document
from simtrial.show.picture import Picture

if TYPE_CHECKING:
    from simtrial.trial.case import Case
    from simtrial.trial.params import Source

NAMES = {
    protocol.NAME: "Protocol sections",
    simulation.NAME: "Simulation report",
    posted.NAME: "Results to post",
    qualification.NAME: "Validation document",
}
"""Name of the files of each document, and what it is called."""

Papers = tuple[Document, ...]
"""The documents of one report."""


def begun(case: Case, source: Source) -> Future[Papers]:
    """Begin to make the documents, while the notebooks run in their kernel; see `of`."""
    future: Future[Papers] = Future()

    def make() -> None:
        try:
            future.set_result(of(case, source))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=make, daemon=True).start()
    return future


def of(case: Case, source: Source) -> Papers:
    """The documents on a trial, in the order in which they are named.

    There is no simulation report if nothing is simulated, and nothing to post without results that can be analysed.
    """
    foot = origin(source.sha256)
    papers = [protocol.of(case, foot)]
    if case.plan is not None:
        versions = {**provenance.code(), **provenance.versions()}
        made = MadeFrom(file=source.path.name, sha256=source.sha256, versions=versions)
        # the page says what is beyond the simulation
        with contextlib.suppress(InputError):
            papers.append(simulation.of(case, made, foot))
    if case.trial.analysis is not None:
        # the page says why results cannot be analysed
        with contextlib.suppress(InputError):
            papers.append(posted.of(case, foot))
    return tuple(papers)


def origin(sha256: str) -> str:
    """What a document was made from, for the foot of each page; the hash is that of the parameter file."""
    return f"simtrial {__version__}, parameter file SHA-256 {sha256[:16]}"


def links(papers: Papers, *, pdf: bool = False) -> str:
    """One line of HTML with links to every document, and how much of each is still to be completed."""
    named = ", ".join(_link(paper, pdf=pdf) for paper in papers)
    return f'<p class="documents">Documents: {named}.</p>' if papers else ""


def _link(paper: Document, *, pdf: bool) -> str:
    others = ("json" if paper.name == protocol.NAME else "html", *(("pdf",) if pdf else ()))
    missing = len(paper.to_complete())
    left = f"; {counted(missing, 'passage')} to complete" if missing else ""
    linked = ", ".join(f'<a href="{paper.name}.{other}">{other.upper()}</a>' for other in others)
    return f'<a href="{paper.name}.docx">{escape(NAMES.get(paper.name, paper.name))}</a> (Word, {linked}{left})'


def write(papers: Papers, folder: Path) -> None:
    """Write every document as .docx; the protocol sections also as JSON, the others as HTML.

    Figures that the folder holds already are not drawn again. A table of which a .docx shows only the first rows has
    all of them in a CSV file.
    """
    from simtrial.show.grid import capped
    from simtrial.show.table import Table
    from simtrial.show.word import csv_of, docx

    for paper in (_drawn(paper, folder / "figures") for paper in papers):
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


def page(paper: Document, folder: Path) -> str:
    """The document as HTML, of a folder to which it was written."""
    written = folder / f"{paper.name}.html"
    return written.read_text(encoding="utf-8") if written.exists() else document_html(_drawn(paper, folder / "figures"))


@dataclass(frozen=True)
class FiledPicture(Picture):
    """A figure that is drawn already, with the folder of its files: a figure of the same name is the same figure."""

    folder: Path = Path()

    def svg(self, *, cropped: bool = True) -> str:
        """See `Picture.svg`."""
        if not cropped:
            return super().svg(cropped=False)
        return (self.folder / f"{self.name}.svg").read_text(encoding="utf-8")

    def png(self) -> bytes:
        """See `Picture.png`."""
        return (self.folder / f"{self.name}.png").read_bytes()


def _drawn(paper: Document, folder: Path) -> Document:
    """The document with the files of its figures in place of the figures, where they are there."""

    def filed(picture: Picture) -> Picture:
        if not all((folder / f"{picture.name}.{kind}").is_file() for kind in ("svg", "png")):
            return picture
        return FiledPicture(picture.name, picture.alt, picture.figure, picture.caption, folder=folder)

    chapters = (
        replace(chapter, blocks=tuple(filed(one) if isinstance(one, Picture) else one for one in chapter.blocks))
        for chapter in paper.chapters
    )
    return replace(paper, chapters=tuple(chapters))
