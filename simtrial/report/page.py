"""The HTML page of a report: executed notebooks, their contents, and what they were made with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at the top of a report: two lines of text, HTML made here, and HTML for notebooks that are in it."""

    study: str
    title: str
    front: str
    notes: Mapping[str, str] = field(default_factory=dict)


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


def _contents(executed: Sequence[Any]) -> list[dict[str, Any]]:
    """Give each Markdown cell an anchor, and list their headings in two levels."""
    entries: list[dict[str, Any]] = []
    for i, notebook in enumerate(executed):
        for k, cell in enumerate(notebook.cells):
            if cell.cell_type != "markdown":
                continue
            cell.metadata["anchor"] = anchor = f"s{i + 1}-{k + 1}"
            heading = re.match(r"(#{1,2})\s+(.+)", cell.source)
            if heading and len(heading[1]) == 1:
                entries.append({"text": heading[2], "anchor": anchor, "parts": []})
            elif heading:
                entries[-1]["parts"].append({"text": heading[2], "anchor": anchor})
    return entries


def report_html(executed: Sequence[Any], head: Head, provenance: dict[str, Any]) -> str:
    """Render the whole page.

    Parameters
    ----------
    executed : sequence of notebooks
        In the order of the page.
    head : Head
        What stands above them.
    provenance : dict
        What the report was made from and with, a line each.
    """
    import nbformat

    contents = _contents(executed)
    book = nbformat.v4.new_notebook(cells=[cell for notebook in executed for cell in notebook.cells])
    names = {"seed": "seed", "commit": "commit", "parameter_file_sha256": "SHA-256 of the parameter file"}
    shown = {"commit": "unknown"}
    lines = [
        (names.get(key, key.replace("_", " ")), str(value) if value is not None else shown.get(key, "–"))
        for key, value in provenance.items()
    ]
    report = {
        "title": head.title,
        "study": head.study,
        "front": head.front,
        "contents": contents,
        "provenance": lines,
        "injected": any("injected-parameters" in cell.metadata.get("tags", ()) for cell in book.cells),
    }
    return render("index.html.j2", book, report)


def render(template: str, book: Any, report: dict[str, Any]) -> str:
    """Fill in one of the templates of reports."""
    from nbconvert.exporters import TemplateExporter

    exporter = TemplateExporter(
        template_name="report",
        template_file=template,
        extra_template_basedirs=[str(Path(__file__).parent / "templates")],
        filters={"prose": prose},
    )
    text: str = exporter.from_notebook_node(book, resources={"report": report})[0]
    return text
