"""Examples of the pages are run when the site is built, and the pages show what they printed.

A page may hold, as fenced blocks of MyST:

``{run}``
    Command lines, one per line; each is shown with what it printed. Options: ``:exit: 2`` (the exit code that is
    right), ``:lines: 12`` (print at most so many lines of each), ``:quiet:`` (show the commands alone).
``{file} name``
    A file: it is written before what follows is run, and shown.
``{python}``
    Statements of Python, which share their names with the earlier ones of the page; what they print and the value of
    the last expression are shown.
``{r}``
    The same in R; where R is not installed the page says that it was not run. Each block is a program of its own.
``{picture} build/my-trial/report.html``
    A picture of a page that was made, taken by a headless Chromium. Options: ``:alt:`` (required), ``:size:
    1040x1400``, ``:at: an-anchor``, ``:caption:`` (default: the text of ``:alt:``).
``{made} build/my-trial/figures/name.svg``
    A figure that was made. Option: ``:alt:`` (required). What follows the options is its caption.
``{csv} build/my-trial/tables/name.csv``
    A table that was made. Options: ``:columns: name, other`` (which, in this order), ``:rows: 12`` (at most so many).
``{copy} build/my-trial/report.html``
    A file that was made becomes part of the site, with a link to it. What follows is the text of the link.
``{gallery} build/my-trial``
    Figures of a report, one per line: the name and a sentence (``flow: Shows ...``). The caption and the text
    alternative are those of the report.
``{keys}``
    Keys of the JSON answer before it with their meanings, one per line. A key of the answer without a meaning stops the
    build, and so does a meaning without a key. With ``:every:`` the meanings hold for all later answers of the page.
``{unrun} It needs a network.``
    Command lines that cannot be run when the site is built; the reason is shown.

All examples of a page run in one folder that is empty at first, one after the other, so that a tutorial builds up. An
example that fails stops the build, and so do commands or code in a block that is not run, and output with a path of
this machine. What a page printed is kept until its examples or the package change.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pages
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

LONG = 30
"""Printed lines of which no more are shown at a time: a longer output scrolls within its box."""

WIDE = 92
"""Characters of a line of JSON that stand on a page without scrolling."""

TERMINAL = int(pages.COLUMNS)
"""Characters of a line of a terminal, as the examples were told."""

TABLE = re.compile("[\u2500-\u257f]")
"""Characters of which the lines of tables are drawn."""


@contextmanager
def alone(work: Path) -> Iterator[None]:
    """Let one build at a time run the examples that are kept in a folder."""
    work.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with (work / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def run_all(app: Sphinx) -> None:
    """Run the examples of all pages, as many pages at a time as there are cores."""
    try:
        found = pages.examples(Path(app.srcdir), ("extensions", "paper"))
    except pages.PageError as error:
        raise ExtensionError(str(error)) from None
    work = Path(app.config.examples_work)
    with alone(work), ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {name: pool.submit(pages.kept, name, listed, work) for name, listed in found.items()}
    told = [str(job.exception()) for job in jobs.values() if job.exception() is not None]
    if told:
        raise ExtensionError("\n".join(told))
    printed = {name: job.result() for name, job in jobs.items()}
    before = getattr(app.env, "simtrial_printed", {})
    app.env.simtrial_printed = printed  # type: ignore[attr-defined]
    app.env.simtrial_changed = {name for name in printed if before.get(name) != printed[name]}  # type: ignore[attr-defined]
    shutil.rmtree(Path(app.outdir) / "_made", ignore_errors=True)
    for name, listed in found.items():
        for made in pages.files_of(listed, printed[name]):
            hand_on(work / name / made, Path(app.outdir) / made_at(name, made))


def made_at(page: str, name: str) -> str:
    """Where the site keeps a file that was made by a page."""
    return f"_made/{page.replace('/', '-')}/{name.removeprefix('build/')}"


def hand_on(source: Path, place: Path) -> None:
    """Copy a file into the site and, of a page, the files beside it to which it links."""
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)
    if source.suffix == ".html":
        for name in set(re.findall(r'(?:href|src)="([\w./-]+)"', source.read_text(encoding="utf-8"))):
            beside = source.parent / name
            if beside.is_file() and beside != source and ".." not in Path(name).parts:
                (place.parent / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(beside, place.parent / name)


def outdated(_app: Sphinx, env: BuildEnvironment, *_sets: set[str]) -> list[str]:
    """Give the pages whose text is as before, but whose examples now print something else."""
    return sorted(env.simtrial_changed & env.all_docs.keys())  # type: ignore[attr-defined]


class Example(SphinxDirective):
    """One example: what is typed and what was printed."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {
        "exit": directives.nonnegative_int,
        "lines": directives.positive_int,
        "rows": directives.positive_int,
        "quiet": directives.flag,
        "every": directives.flag,
        "alt": directives.unchanged_required,
        "caption": directives.unchanged_required,
        "size": directives.unchanged_required,
        "at": directives.unchanged_required,
        "columns": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the page."""
        page = self.env.docname
        number = self.env.temp_data["example"] = self.env.temp_data.get("example", -1) + 1
        printed: str = self.env.simtrial_printed[page][number]  # type: ignore[attr-defined]
        body = "\n".join(self.content).rstrip()
        if self.name == "run":
            return self._commands(body, json.loads(printed))
        if self.name == "file":
            return [_listing(body, _language(self.arguments[0]), caption=self.arguments[0])]
        if self.name in ("python", "r"):
            return [_listing(body, self.name), *self._printed(printed)]
        if self.name == pages.UNRUN:
            why = nodes.paragraph("", "", classes=["why-unrun"])
            why += nodes.emphasis("", f"Not run when this page was built: {self.arguments[0]}")
            return [_listing(body, "bash", "typed"), why]
        if self.name == "csv":
            return [self._table(printed)]
        if self.name == "copy":
            address = f"{'../' * page.count('/')}{made_at(page, printed)}"
            link = f'<p><a href="{escape(address)}">{escape(body or Path(printed).name)}</a></p>'
            return [nodes.raw("", link, format="html")]
        if self.name == "keys":
            rows = [
                (", ".join(f"``{one.strip()}``" for one in name.split(",")), text) for name, text in json.loads(printed)
            ]
            return self._meanings(rows)
        if self.name == "gallery":
            return self._gallery(page, json.loads(printed))
        return self._image(page, printed, body)

    def _commands(self, body: str, printed: list[str]) -> list[nodes.Node]:
        shown: list[nodes.Node] = []
        for line, text in zip(body.replace("\\\n", "\0").splitlines(), printed, strict=True):
            shown.append(_listing(line.replace("\0", "\\\n"), "bash", "typed"))
            if "quiet" not in self.options:
                shown += self._printed(text)
        return shown

    def _printed(self, text: str) -> list[nodes.Node]:
        """What was printed; a long output in a box that scrolls, also by the keyboard."""
        if not text:
            return []
        answer = text.startswith("{")
        lines = (broken(json.loads(text)) if answer else text).splitlines()
        most = self.options.get("lines", len(lines))
        kept = [*lines[:most], *(["..."] if len(lines) > most else [])]
        shown, kind = laid_out(kept)
        listing = _listing("\n".join(shown), "json" if answer and len(kept) == len(lines) else "text", kind)
        if len(shown) <= LONG:
            return [listing]
        begin = '<div class="long" tabindex="0" role="region" aria-label="What was printed">'
        return [nodes.raw("", begin, format="html"), listing, nodes.raw("", "</div>", format="html")]

    def _meanings(self, rows: list[tuple[str, str]]) -> list[nodes.Node]:
        if not rows:
            return []
        text = "\n".join(["| Key | Meaning |", "| --- | --- |", *(f"| {name} | {said} |" for name, said in rows)])
        return self.parse_text_to_nodes(text)

    def _table(self, text: str) -> nodes.Node:
        head, *rows = csv.reader(io.StringIO(text))
        named = self.options.get("columns")
        columns = [name.strip() for name in named.split(",")] if named else head
        if unknown := [name for name in columns if name not in head]:
            raise self.error(f"{self.arguments[0]} has no column {unknown[0]!r}; it has {', '.join(head)}")
        order = [head.index(name) for name in columns]
        most = self.options.get("rows", len(rows))
        heads = [name[0].upper() + name[1:].replace("_", " ") if len(name) > 2 else name for name in columns]  # not p0
        return table(heads, [[row[k].removeprefix("'") for k in order] for row in rows[:most]])

    def _image(self, page: str, name: str, caption: str) -> list[nodes.Node]:
        if not name:
            return [nodes.paragraph("", "(No picture: no Chromium on the machine that built this page.)")]
        if caption:
            return figure(page, name, self.options["alt"], self.parse_content_to_nodes())
        return figure(page, name, self.options["alt"], [captioned(self.options)] if self.name == "picture" else [])

    def _gallery(self, page: str, shown: list[dict[str, str]]) -> list[nodes.Node]:
        every: list[nodes.Node] = []
        for one in shown:
            words = self.parse_text_to_nodes(one["said"])
            every += figure(page, one["file"], one["alt"], [nodes.paragraph("", one["caption"]), *words])
        return every


def captioned(options: dict[str, str]) -> nodes.paragraph:
    """Give the visible caption of a picture, which says that a click enlarges it."""
    said = options.get("caption", options["alt"]).strip()
    return nodes.paragraph("", f"{said}{'' if said[-1] in '.?!' else '.'} Click to enlarge.")


def figure(page: str, name: str, alt: str, caption: list[nodes.Node]) -> list[nodes.Node]:
    """Give a picture, which opens alone when it is clicked, with its caption if it has one."""
    address = escape(f"{'../' * page.count('/')}{made_at(page, name)}")
    picture = f'<a href="{address}"><img class="made" loading="lazy" src="{address}" alt="{escape(alt)}"></a>'
    if not caption:
        return [nodes.raw("", f'<p class="made">{picture}</p>', format="html")]
    begin, end = f'<figure class="made">{picture}<figcaption>', "</figcaption></figure>"
    return [nodes.raw("", begin, format="html"), *caption, nodes.raw("", end, format="html")]


def broken(value: object, indent: str = "") -> str:
    """Give JSON on several lines: what fits on one line stays there."""
    flat = json.dumps(value, ensure_ascii=False)
    more = f"{indent}  "
    if len(flat) + len(indent) <= WIDE or not isinstance(value, dict | list) or not value:
        return flat
    if isinstance(value, dict):
        inner = [f"{more}{json.dumps(name)}: {broken(one, more)}" for name, one in value.items()]
        return "{\n" + ",\n".join(inner) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{more}{broken(one, more)}" for one in value) + f"\n{indent}]"


def table(head: list[str], rows: list[list[str]]) -> nodes.table:
    """Give a table of plain text."""
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    every = [nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in row)) for row in (head, *rows)]
    group += [nodes.thead("", every[0]), nodes.tbody("", *every[1:])]
    return nodes.table("", group, classes=["made"])


def laid_out(lines: list[str]) -> tuple[list[str], str]:
    """Give printed lines as they stand on a page, and the classes of their block.

    The columns of a table must stay below each other, so its lines are never wrapped by the page, and sentences beside
    it are wrapped here as a terminal would. Where there is no table the page wraps all, however narrow it is.
    """
    if not any(TABLE.search(line) for line in lines):
        return lines, "printed"
    shown: list[str] = []
    for line in lines:
        sentence = len(line) > TERMINAL and not TABLE.search(line) and "  " not in line.strip()
        margin = line[: len(line) - len(line.lstrip())]
        own = {"initial_indent": margin, "subsequent_indent": margin, "break_on_hyphens": False}
        shown += textwrap.wrap(line.strip(), TERMINAL, break_long_words=False, **own) if sentence else [line]  # type: ignore[arg-type]
    return shown, "printed tabular"


def _listing(text: str, language: str, kind: str = "", caption: str = "") -> nodes.Node:
    block = nodes.literal_block(text, text, language=language, classes=kind.split())
    if not caption:
        return block
    box = nodes.container("", literal_block=True, classes=["literal-block-wrapper"])
    box += [nodes.caption("", caption), block]
    return box


def _language(name: str) -> str:
    return {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".py": "python", ".R": "r"}.get(Path(name).suffix, "text")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives; examples run before the first page is read."""
    app.add_config_value("examples_work", "", "", str)
    for kind in (*pages.KINDS, pages.UNRUN):
        app.add_directive(kind, Example)
    app.connect("builder-inited", run_all)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
