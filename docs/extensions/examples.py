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
    A picture of a page that was made, taken by a headless Chromium. Options: ``:alt:``, ``:size: 1040x1400``.
``{made} build/my-trial/figures/name.svg``
    A figure that was made. Option: ``:alt:``.

All examples of a page run in one folder that is empty at first, one after the other, so that a tutorial builds up. An
example that fails stops the build. What a page printed is kept until its examples or the code of the package change.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from simtrial import files

if TYPE_CHECKING:
    from sphinx.application import Sphinx

KINDS = ("run", "file", "python", "r", "picture", "made")
BLOCK = re.compile(
    rf"^(?P<fence>`{{3,}})\{{(?P<kind>{'|'.join(KINDS)})\}}[ \t]*(?P<argument>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
OPTION = re.compile(r"^:(?P<name>\w+):[ \t]*(?P<value>.*)$")
SECONDS = 600
"""Longest time of one example: a report on a busy machine takes a minute."""

PYTHON = """
import ast, contextlib, io, json, sys
*before, last = json.load(sys.stdin)
names = {"__name__": "__main__"}
with contextlib.redirect_stdout(io.StringIO()):
    for code in before:
        exec(compile(code, "page", "exec"), names)
tree = ast.parse(last)
shown = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
exec(compile(tree, "page", "exec"), names)
value = None if shown is None else eval(compile(shown, "page", "eval"), names)
if value is not None:
    print(value)
"""


class ExampleError(ExtensionError):
    """An example of a page does not do what the page says."""


@dataclass(frozen=True)
class Block:
    """An example as a page states it."""

    kind: str
    argument: str
    options: dict[str, str]
    body: str


def blocks(text: str) -> list[Block]:
    """Give the examples of a page in their order."""
    found = []
    for match in BLOCK.finditer(text):
        lines, options = match["body"].splitlines(), {}
        while lines and (option := OPTION.match(lines[0])):
            options[option["name"]] = option["value"].strip()
            del lines[0]
        while lines and not lines[0].strip():
            del lines[0]
        found.append(Block(match["kind"], match["argument"].strip(), options, "\n".join(lines).rstrip()))
    return found


def environment() -> dict[str, str]:
    """Give what examples see: no colours, one width, one date."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIMTRIAL_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    fixed = {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "SOURCE_DATE_EPOCH": "1764201600", "LANG": "C.UTF-8"}
    return kept | fixed


def started(words: list[str], folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program in the folder of a page."""
    return subprocess.run(  # noqa: S603 - the pages are ours
        words, cwd=folder, env=environment(), input=given, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def run(page: str, found: list[Block], folder: Path) -> list[str]:
    """Run the examples of a page in an empty folder.

    Returns
    -------
    list of str
        For each example what it printed; for pictures the name of the file.

    Raises
    ------
    ExampleError
        If one ends in another way than the page says.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    printed, code = [], []
    for block in found:
        if block.kind == "run":
            printed.append(_commands(page, block, folder))
        elif block.kind == "file":
            place = folder / block.argument
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.body + "\n", encoding="utf-8")
            printed.append("")
        elif block.kind == "python":
            code.append(block.body)
            printed.append(_checked(page, block, started([sys.executable, "-c", PYTHON], folder, json.dumps(code))))
        elif block.kind == "r":
            words = ["Rscript", "--vanilla", "-e", block.body]
            printed.append(_checked(page, block, started(words, folder)) if shutil.which("Rscript") else NOT_RUN)
        elif block.kind == "picture":
            printed.append(_picture(page, block, folder))
        else:
            if not (folder / block.argument).is_file():
                raise ExampleError(f"{page}: {block.argument} was not made")
            printed.append(block.argument)
    return printed


NOT_RUN = "(not run: R is not installed on the machine that built this page)"


def _commands(page: str, block: Block, folder: Path) -> str:
    lines = block.body.replace("\\\n", " ").splitlines()
    return json.dumps([_checked(page, block, started(shlex.split(line), folder), line) for line in lines])


def _checked(page: str, block: Block, done: subprocess.CompletedProcess[str], command: str = "") -> str:
    right = int(block.options.get("exit", "0"))
    if done.returncode != right:
        what = command or block.body
        raise ExampleError(f"{page}: exit code {done.returncode}, not {right}:\n{what}\n{done.stdout}{done.stderr}")
    text = done.stdout + (done.stderr if right else "")
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def _picture(page: str, block: Block, folder: Path) -> str:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    target = folder / block.argument
    if not target.is_file():
        raise ExampleError(f"{page}: {block.argument} was not made, so no picture of it can be taken")
    if browser is None:
        return ""
    name = f"{target.parent.name}-{target.stem}.png"
    size = block.options.get("size", "1040x1400").replace("x", ",")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--hide-scrollbars", f"--user-data-dir={folder / '.browser'}", f"--window-size={size}"]
    started([browser, *flags, f"--screenshot={folder / name}", target.as_uri()], folder)
    shutil.rmtree(folder / ".browser", ignore_errors=True)
    if not (folder / name).is_file():
        raise ExampleError(f"{page}: the browser took no picture of {block.argument}")
    return name


def kept(page: str, found: list[Block], work: Path) -> list[str]:
    """Run the examples of a page, unless they were run with the same code before."""
    folder, note = work / page, work / f"{page}.json"
    said = json.dumps([files.code_digest(), Path(__file__).read_text(encoding="utf-8"), *map(asdict, found)])
    digest = hashlib.sha256(said.encode()).hexdigest()
    if folder.is_dir() and note.is_file():
        before = json.loads(note.read_text(encoding="utf-8"))
        if before["digest"] == digest:
            return [str(one) for one in before["printed"]]
    printed = run(page, found, folder)
    note.write_text(json.dumps({"digest": digest, "printed": printed}), encoding="utf-8")
    return printed


def examples(source: Path) -> dict[str, list[Block]]:
    """Give the examples of every page under a folder, by the name of the page."""
    pages = sorted(source.rglob("*.md"))
    found = {page.relative_to(source).with_suffix("").as_posix(): blocks(page.read_text("utf-8")) for page in pages}
    return {name: listed for name, listed in found.items() if listed}


def run_all(app: Sphinx) -> None:
    """Run the examples of all pages, as many pages at a time as there are cores."""
    pages = examples(Path(app.srcdir))
    work = Path(app.config.examples_work)
    work.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {name: pool.submit(kept, name, found, work) for name, found in pages.items()}
    told = [str(job.exception()) for job in jobs.values() if job.exception() is not None]
    if told:
        raise ExampleError("\n".join(told))
    app.env.simtrial_printed = {name: job.result() for name, job in jobs.items()}  # type: ignore[attr-defined]


class Example(SphinxDirective):
    """One example: what is typed and what was printed."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {
        "exit": directives.nonnegative_int,
        "lines": directives.positive_int,
        "quiet": directives.flag,
        "alt": directives.unchanged_required,
        "size": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the page."""
        name = self.env.docname
        number = self.env.temp_data["example"] = self.env.temp_data.get("example", -1) + 1
        printed: str = self.env.simtrial_printed[name][number]  # type: ignore[attr-defined]
        body = "\n".join(self.content).rstrip()
        if self.name == "run":
            return self._commands(body, json.loads(printed))
        if self.name == "file":
            return [_listing(body, _language(self.arguments[0]), caption=self.arguments[0])]
        if self.name in ("python", "r"):
            shown = [_listing(body, self.name)]
            return [*shown, _listing(self._cut(printed), "text", "printed")] if printed else shown
        return self._image(name, printed)

    def _commands(self, body: str, told: list[str]) -> list[nodes.Node]:
        shown: list[nodes.Node] = []
        for line, text in zip(body.replace("\\\n", "\0").splitlines(), told, strict=True):
            shown.append(_listing(line.replace("\0", "\\\n"), "bash", "typed"))
            if text and "quiet" not in self.options:
                shown.append(_listing(self._cut(text), "text", "printed"))
        return shown

    def _cut(self, text: str) -> str:
        lines = text.splitlines()
        most = self.options.get("lines", len(lines))
        return "\n".join([*lines[:most], *(["..."] if len(lines) > most else [])])

    def _image(self, page: str, name: str) -> list[nodes.Node]:
        if not name:
            return [nodes.paragraph("", "(No picture: no Chromium on the machine that built this page.)")]
        source = Path(self.config.examples_work) / page / name
        place = Path(self.env.app.outdir) / "_made" / page.replace("/", "-") / Path(name).name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        up = "../" * page.count("/")
        picture = f'<img class="made" src="{up}_made/{page.replace("/", "-")}/{Path(name).name}" alt="{self._alt()}">'
        return [nodes.raw("", f"<p>{picture}</p>", format="html")]

    def _alt(self) -> str:
        from html import escape

        return escape(self.options.get("alt") or "A picture of what was made")


def _listing(text: str, language: str, kind: str = "", caption: str = "") -> nodes.Node:
    block = nodes.literal_block(text, text, language=language, classes=[kind] if kind else [])
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
    for kind in KINDS:
        app.add_directive(kind, Example)
    app.connect("builder-inited", run_all)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
