"""The HTML page of a report: executed notebooks, their contents, and what they were made with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simtrial.phrases import rate
from simtrial.report import chapters, exhibits, terms
from simtrial.report.provenance import NO_COMMIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simtrial.report.chapters import Topic
    from simtrial.report.exhibits import Exhibit
    from simtrial.show.document import Document


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files of a page's tables and figures are: their folder, and that folder as seen from the page."""

    root: Path
    prefix: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What stands at the top of a page, and how it is laid out.

    Attributes
    ----------
    study, title : str
        Two lines of text.
    front : str
        HTML made here.
    folds : bool
        Whether what a reader does not need first is folded away, and a glossary stands at the end.
    """

    study: str
    title: str
    front: str
    folds: bool = False


_MATH = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$", re.DOTALL)


def prose(source: str) -> str:
    """Render the Markdown of a notebook cell to HTML, its formulas to MathML."""
    from latex2mathml.converter import convert
    from nbconvert.filters import markdown2html

    formulas: list[str] = []

    def keep(match: re.Match[str]) -> str:
        block = match["block"]
        formulas.append(convert(block or match["inline"], display="block" if block else "inline"))
        return f"FORMULA{len(formulas) - 1}ALUMROF"

    text: str = markdown2html(_MATH.sub(keep, source))
    return re.sub(r"FORMULA(\d+)ALUMROF", lambda match: formulas[int(match[1])], text)


def _contents(topics: Sequence[Topic]) -> list[dict[str, Any]]:
    """List the headings in two levels."""
    entries: list[dict[str, Any]] = []
    for topic in topics:
        if topic.level == 1:
            entries.append({"text": topic.title, "anchor": topic.anchor, "parts": []})
        elif topic.level:
            entries[-1]["parts"].append({"text": topic.title, "anchor": topic.anchor})
    return entries


def report_html(executed: Sequence[Any], head: Head, provenance: Mapping[str, Any], files: Files) -> str:
    """Render the whole page.

    Parameters
    ----------
    executed : sequence of notebooks
        In the order of the page.
    head : Head
        What stands above them.
    provenance : mapping
        What the report was made from and with, a line each.
    files : Files
        Where the files of tables and figures are.
    """
    import nbformat

    topics, above = chapters.of_notebooks(
        executed,
        prose,
        lambda output: exhibits.of_output(output, files.root, files.prefix),
        folds=head.folds,
        before=head.front,
    )
    names = {"seed": "seed", "commit": "commit", "parameter_file_sha256": "SHA-256 of the parameter file"}
    shown = {"commit": NO_COMMIT}
    lines = [
        (names.get(key, key.replace("_", " ")), str(value) if value is not None else shown.get(key, "–"))
        for key, value in provenance.items()
    ]
    report = {
        "title": head.title,
        "study": head.study,
        "front": _captioned(head.front, above),
        "contents": _contents(topics),
        "provenance": lines,
        "topics": topics,
        "terms": [],
        "first_rows": exhibits.FIRST_ROWS,
    }
    if head.folds:
        report["terms"] = [(terms.anchor(one), one) for one in terms.occurring(_read(topics, head.front))]
    text = render("index.html.j2", nbformat.v4.new_notebook(), report)
    return terms.linked(text) if head.folds else text


def _captioned(front: str, above: Sequence[Exhibit]) -> str:
    """The front page, its tables and figures with number, caption and files as the notebooks give them."""
    for one in above:
        links = " ".join(f'<a href="{escape(place)}">{kind}</a>' for kind, place in one.files)
        said = f'<strong>{one.label}.</strong> {escape(one.caption)} <span class="files">{links}</span>'
        drawn = f'<div class="drawing" id="{escape(one.anchor)}">{one.html}</div><figcaption>{said}</figcaption>'
        front = front.replace(one.html, drawn)
    return front


def _read(topics: Sequence[Topic], front: str) -> str:
    """What is read on a page, as HTML, without its lists, its code and its provenance."""
    parts = [front]
    for topic in topics:
        shown = (*topic.shown, *topic.folded)
        parts += [topic.heading, topic.lead, *(part for one in shown for part in (one.html, escape(one.caption)))]
    return " ".join(parts)


def document_html(document: Document) -> str:
    """Render a document as a page that opens offline."""
    import nbformat

    report = {
        "title": document.title,
        "study": document.study,
        "missing": document.to_complete(),
        "contents": document.contents(),
        "body": document.html(),
        "origin": document.origin,
    }
    return render("document.html.j2", nbformat.v4.new_notebook(), report)


def render(template: str, book: Any, report: dict[str, Any]) -> str:
    """Fill in one of the templates of reports."""
    from nbconvert.exporters import TemplateExporter

    exporter = TemplateExporter(
        template_name="report",
        template_file=template,
        extra_template_basedirs=[str(Path(__file__).parent / "templates")],
        filters={"prose": prose, "rate": rate},
    )
    text: str = exporter.from_notebook_node(book, resources={"report": report})[0]
    return text
