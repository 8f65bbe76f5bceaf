"""What is written beside the executed notebooks of a report: tables, figures, the page, the manifest."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simtrial import __version__
from simtrial.report import papers, pdf, provenance, replacement
from simtrial.report.front import left_out
from simtrial.report.page import Files, report_html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simtrial.report.chromium import Browser
    from simtrial.report.execution import LeftOut
    from simtrial.report.page import Head
    from simtrial.show.document import Document

REPORT = "report"
"""Name of the page of a run, whose hash the manifest does not hold."""

BITMAP = "image/png"
FILES = {
    "text/csv": ("tables", "csv"),
    "image/svg+xml": ("figures", "svg"),
    "text/markdown": ("text", "md"),
    "text/plain": ("text", "txt"),
}
"""Where each kind of named output goes. Tables and figures have a plain text too, so the first kind found counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HtmlPage:
    """One page of a run: its notebooks, in order, and its head.

    Attributes
    ----------
    notebooks : sequence of str
        Their places in the folder of notebooks, without suffix.
    head : Head
        What stands above them.
    name : str
        Of the HTML file.
    apart : bool
        Whether notebooks, tables, figures and texts go into a folder of that name, and not beside the page.
    """

    notebooks: Sequence[str]
    head: Head
    name: str = REPORT
    apart: bool = False

    @property
    def prefix(self) -> str:
        """The folder of its files as seen from the page, empty or ending in a slash."""
        return f"{self.name}/" if self.apart else ""

    def root(self, work: Path) -> Path:
        """The folder of its files."""
        return work / self.prefix

    def place(self, work: Path, notebook: str) -> Path:
        """Where a notebook goes once it has run: all side by side."""
        return self.root(work) / "notebooks" / f"{Path(notebook).name}.ipynb"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One run.

    Attributes
    ----------
    pages : tuple of HtmlPage
        The first one is the report.
    parameters : mapping
        The plain JSON values handed to each notebook.
    origin : mapping
        What it was made from, by name.
    seed : int or str
        Of what is simulated.
    papers : tuple of Document
        Documents to hand in.
    browser : Browser or None
        Prints every page and document as PDF; None for no PDF.
    """

    pages: tuple[HtmlPage, ...]
    parameters: Mapping[str, object]
    origin: Mapping[str, str]
    seed: int | str
    papers: tuple[Document, ...] = ()
    browser: Browser | None = None

    @property
    def files(self) -> list[str]:
        """The pages that are written at the end, and printed."""
        prints = [*(page.name for page in self.pages), *(paper.name for paper in self.papers)] if self.browser else []
        return [*(f"{page.name}.html" for page in self.pages), *(f"{name}.pdf" for name in prints)]

    @property
    def steps(self) -> list[tuple[HtmlPage, str]]:
        """Every notebook with its page, in the order in which they run."""
        return [(page, notebook) for page in self.pages for notebook in page.notebooks]


def assemble(work: Path, job: Job, left: Mapping[str, tuple[LeftOut, ...]]) -> None:
    """Write tables, figures, the pages, the documents and manifest.json beside the executed notebooks."""
    made = {
        **job.origin,
        "simtrial": __version__,
        "commit": provenance.commit(),
        **provenance.versions(),
        "seed": job.seed,
        "date": date(),
    }
    libraries = provenance.LIBRARIES
    shown = {key: value for key, value in made.items() if key not in (replacement.PLACE, *libraries)}
    shown["libraries"] = ", ".join(f"{name} {made[name]}" for name in libraries)
    for page in job.pages:
        executed = _written(page, work)
        gone = left_out([one for notebook in page.notebooks for one in left.get(notebook, ())])
        handed = papers.links(job.papers, pdf=job.browser is not None) if page.name == REPORT else ""
        head = dataclasses.replace(page.head, front=f"{handed}{gone}{page.head.front}")
        html = report_html(executed, head, shown, Files(page.root(work), page.prefix))
        (work / f"{page.name}.html").write_text(html, encoding="utf-8")
    papers.write(job.papers, work)
    if job.browser is not None:
        _print(work, job, job.browser)
    files = {
        str(file.relative_to(work).as_posix()): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(work.rglob("*"))
        if file.is_file() and file.name != f"{REPORT}.html"
    }
    missing = {paper.name: paper.to_complete() for paper in job.papers}
    manifest = {**made, "to_complete": missing, "files": files} if missing else {**made, "files": files}
    (work / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _print(work: Path, job: Job, browser: Browser) -> None:
    """Print the pages and the documents."""
    origin = papers.origin(job.origin.get("parameter_file_sha256", ""))
    prints = [
        (page.name, (work / f"{page.name}.html").read_text(encoding="utf-8"), page.head.study, page.head.title)
        for page in job.pages
    ]
    prints += [(paper.name, papers.page(paper, work), paper.study, paper.title) for paper in job.papers]
    for name, html, study, title in prints:
        made = pdf.printed(html, pdf.Running(study, title, origin), browser, work, _moment())
        (work / f"{name}.pdf").write_bytes(made)


def _written(page: HtmlPage, work: Path) -> list[Any]:
    """Write what the notebooks of a page show as files, and give them back without their bitmaps."""
    import nbformat

    root = page.root(work)
    for folder in {folder for folder, _ in FILES.values()}:
        (root / folder).mkdir()
    executed = []
    for name in page.notebooks:
        place = page.place(work, name)
        notebook = nbformat.read(place, as_version=4)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]
        for output in outputs:
            _write_output(output, root)
        drawn = [output for output in outputs if BITMAP in output.data]
        for output in drawn:
            del output.data[BITMAP]
        if drawn:
            nbformat.write(notebook, place)
        executed.append(notebook)
    return executed


def _write_output(output: Any, root: Path) -> None:
    name = output.get("metadata", {}).get("simtrial", {}).get("name")
    if not name:
        return
    kind = next(kind for kind in FILES if kind in output.data)
    folder, suffix = FILES[kind]
    (root / folder / f"{name}.{suffix}").write_text(output.data[kind], encoding="utf-8")
    if BITMAP in output.data:
        (root / folder / f"{name}.png").write_bytes(base64.b64decode(output.data[BITMAP]))


def date() -> str:
    """When a result is made, in words; SOURCE_DATE_EPOCH sets it."""
    return _moment().strftime("%Y-%m-%d %H:%M UTC")


def _moment() -> datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
