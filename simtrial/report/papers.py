"""The documents that a report brings along: for Word, as JSON, as pages of HTML that open offline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from simtrial import __version__
from simtrial.documents import protocol, simulation
from simtrial.documents.simulation_reproduction import MadeFrom
from simtrial.report import provenance
from simtrial.report.page import document_html

if TYPE_CHECKING:
    from pathlib import Path

    from simtrial.show.document import Document
    from simtrial.trial.case import Case
    from simtrial.trial.params import Source

NAMES = {protocol.NAME: "Protocol sections", simulation.NAME: "Simulation report"}
"""Name of the files of each document, and what it is called."""


def of(case: Case, source: Source) -> tuple[Document, ...]:
    """The documents on a trial, in the order in which they are named; nothing to report where nothing is simulated."""
    origin = f"simtrial {__version__}, parameter file SHA-256 {source.sha256[:16]}"
    papers = [protocol.of(case, origin)]
    if case.plan is not None:
        versions = {**provenance.code(), **provenance.versions()}
        made = MadeFrom(file=source.path.name, sha256=source.sha256, versions=versions)
        papers.append(simulation.of(case, made, origin))
    return tuple(papers)


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
