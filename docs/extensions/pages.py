"""Examples as pages hold them: found, refused where they would not be run, run, and kept.

See `examples` for what a page may hold. Nothing here knows Sphinx, so that it can be tested without a site.
"""

from __future__ import annotations

import hashlib
import html
import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from simtrial import disk, files, project

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("run", "file", "python", "r", "picture", "made", "csv", "copy", "gallery", "keys")
UNRUN = "unrun"
"""Kind of a block that cannot be run when the site is built, which states why."""
PICTURES = ("picture", "made")
SHOWN_ONLY = ("yaml", "json", "csv", "text", "")
"""Languages of a plain block: what is neither a command nor code."""
COMMAND = re.compile(
    r"^\s*(?:[$>%] +\S|>>> |(?:sudo +)?(?:\S*/)?"
    r"(?:simtrial|python3?|pip3?|make|git|conda|uv|dask|docker|sbatch|Rscript|cd|export|import|from|library) +\S)"
)
"""A line that is typed into a shell or an interpreter."""
DIRECTIVE = re.compile(r"^\{(?P<kind>[\w:-]+)\}[ \t]*(?P<argument>.*)$")
OPTION = re.compile(r"^:(?P<name>\w+):[ \t]*(?P<value>.*)$")
SECONDS = 1800
"""Longest time of one example: the validation takes minutes on a busy machine."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NOT_RUN = "(not run: R is not installed on the machine that built this page)"
COLUMNS = "100"
"""Characters of a line that examples print: what fits beside the margins of a page."""
HERE = "~/trials"
"""What pages show in place of the folder where the examples were run."""

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


class PageError(Exception):
    """A page holds an example that is not run, or one that does not do what the page says."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """An example as a page states it."""

    kind: str
    argument: str = ""
    options: dict[str, str] = field(default_factory=dict)
    body: str = ""
    line: int = 0


def _fences(text: str, first: int = 1) -> Iterator[tuple[str, str, int]]:
    """Language or directive, text and line of every block of a page, those within other directives included."""
    for token in MarkdownIt("commonmark").parse(text):
        if token.type not in ("fence", "code_block"):
            continue
        line = first + (token.map or [0])[0]
        info = token.info.strip()
        yield info, token.content, line
        found = DIRECTIVE.match(info)
        if found and found["kind"] not in (*KINDS, UNRUN):
            yield from _fences(token.content, line + 1)


def blocks(text: str) -> list[Block]:
    """Give the examples of a page in their order."""
    found = []
    for info, content, line in _fences(text):
        head = DIRECTIVE.match(info)
        if not head or head["kind"] not in (*KINDS, UNRUN):
            continue
        lines, options = content.splitlines(), {}
        while lines and (option := OPTION.match(lines[0])):
            options[option["name"]] = option["value"].strip()
            del lines[0]
        while lines and not lines[0].strip():
            del lines[0]
        body = "\n".join(lines).rstrip()
        found.append(Block(kind=head["kind"], argument=head["argument"].strip(), options=options, body=body, line=line))
    return found


def faults(text: str) -> Iterator[str]:
    """What must not stand on a page: commands and code that are not run, and pictures without words.

    Yields
    ------
    str
        The line, and what is wrong.
    """
    for info, content, line in _fences(text):
        head = DIRECTIVE.match(info)
        language = "" if head else info.split(" ")[0].lower()
        if head and head["kind"] in ("code-block", "code", "sourcecode", "code-cell", "literalinclude"):
            yield f"{line}: {{{head['kind']}}} is not run; write {{run}}, {{python}}, {{r}} or {{file}}"
        elif head and head["kind"] == "eval-rst" and re.search(r"code(?:-block)?::|>>> |::\n\n +", content):
            yield f"{line}: code within {{eval-rst}} is not run"
        elif not head and language not in SHOWN_ONLY:
            yield f"{line}: a block in {language} is not run; write {{run}}, {{python}}, {{r}} or {{file}}"
        elif not head and any(map(COMMAND.match, content.splitlines())):
            yield f"{line}: commands or code that are not run; write {{run}}, or {{unrun}} with the reason"
    for block in blocks(text):
        if block.kind in PICTURES and len(block.options.get("alt", "").split()) < 3:
            yield f"{block.line}: the picture {block.argument} needs :alt: with what it shows"
        elif block.kind == UNRUN and len(block.argument.split()) < 3:
            yield f"{block.line}: {{unrun}} needs the reason why its lines are not run"
        elif block.kind in (*PICTURES, "file", "csv", "copy", "gallery") and not block.argument:
            yield f"{block.line}: {{{block.kind}}} needs the name of a file"
        elif block.kind in ("run", "python", "r", "file", "gallery", "keys") and not block.body:
            yield f"{block.line}: {{{block.kind}}} is empty"


def environment() -> dict[str, str]:
    """Give what examples see: no colours, one width, one date."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SIMTRIAL_", "PYTEST_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    fixed = {"PATH": path, "COLUMNS": COLUMNS, "NO_COLOR": "1", "SOURCE_DATE_EPOCH": "1764201600", "LANG": "C.UTF-8"}
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
        For each example what it printed; for pictures, figures and copies the name of the file.

    Raises
    ------
    PageError
        If one ends in another way than the page says.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    printed, code = [], []
    for block in found:
        place = f"{page}:{block.line}"
        if block.kind == "run":
            printed.append(_commands(place, block, folder))
        elif block.kind == "file":
            target = folder / block.argument
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.body + "\n", encoding="utf-8")
            printed.append("")
        elif block.kind == "python":
            code.append(block.body)
            words = [sys.executable, "-c", PYTHON]
            printed.append(_checked(place, block, folder, _tried(place, words, folder, json.dumps(code))))
        elif block.kind == "r":
            words = ["Rscript", "--vanilla", "-e", block.body]
            there = shutil.which("Rscript")
            printed.append(_checked(place, block, folder, _tried(place, words, folder)) if there else NOT_RUN)
        elif block.kind == "picture":
            printed.append(_picture(place, block, folder))
        elif block.kind == UNRUN:
            printed.append("")
        elif block.kind == "gallery":
            printed.append(json.dumps(_figures(place, block, folder)))
        elif block.kind == "keys":
            printed.append(json.dumps(_keys(place, block, found, printed)))
        else:
            if not (folder / block.argument).is_file():
                raise PageError(f"{place}: {block.argument} was not made")
            text = block.kind == "csv"
            printed.append((folder / block.argument).read_text(encoding="utf-8") if text else block.argument)
    return printed


def _tried(place: str, words: list[str], folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return started(words, folder, given)
    except FileNotFoundError:
        raise PageError(f"{place}: there is no program {words[0]}") from None
    except subprocess.TimeoutExpired:
        raise PageError(f"{place}: longer than {SECONDS} seconds:\n{shlex.join(words)}") from None


def _commands(place: str, block: Block, folder: Path) -> str:
    lines = block.body.replace("\\\n", " ").splitlines()
    if blank := [line for line in lines if not line.strip() or line.lstrip().startswith("#")]:
        raise PageError(f"{place}: {blank[0]!r} is no command; write one per line")
    done = [_checked(place, block, folder, _tried(place, shlex.split(line), folder), line) for line in lines]
    return json.dumps(done)


def _checked(place: str, block: Block, folder: Path, done: subprocess.CompletedProcess[str], command: str = "") -> str:
    right = int(block.options.get("exit", "0"))
    if done.returncode != right:
        what = command or block.body
        raise PageError(f"{place}: exit code {done.returncode}, not {right}:\n{what}\n{done.stdout}{done.stderr}")
    text = hidden(done.stdout + (done.stderr if right else ""), folder)
    if betrayed := machine(text):
        raise PageError(f"{place}: prints a path of this machine ({betrayed}):\n{command or block.body}")
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def hidden(text: str, folder: Path) -> str:
    """Give a text with a folder of a reader in place of the one in which the examples were run."""
    whole, clone = folder.resolve(), project.ROOT.resolve()
    for one in {str(whole), str(folder)}:
        text = text.replace(one, HERE)
    if whole.is_relative_to(clone) and whole != clone:  # what is within the clone is told from there
        text = re.sub(rf"(?<![\w./-]){re.escape(whole.relative_to(clone).as_posix())}(?![\w-])", HERE, text)
    return text


def machine(text: str) -> str:
    """Give the first path of this machine that a text holds; empty if there is none."""
    own = [project.ROOT, files.PACKAGE, Path(sys.prefix), Path(sys.base_prefix), Path.home(), tempfile.gettempdir()]
    told = sorted({str(one) for one in own} - {"/", "/usr", "/usr/local", "/root"}, key=len, reverse=True)
    return next((one for one in told if re.search(rf"{re.escape(one)}(?![\w-])", text)), "")


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _picture(place: str, block: Block, folder: Path) -> str:
    browser, target = _browser(), folder / block.argument
    if not target.is_file():
        raise PageError(f"{place}: {block.argument} was not made, so no picture of it can be taken")
    if browser is None:
        return ""
    size, at = block.options.get("size", "1040x1400").replace("x", ","), block.options.get("at", "")
    name = f"{target.parent.name}-{target.stem}{'-' + at if at else ''}-{size.replace(',', 'x')}.png"
    own = f"--user-data-dir={folder / '.browser'}"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--hide-scrollbars", own, f"--window-size={size}", f"--screenshot={folder / name}"]
    shown = beginning_at(place, target, at) if at else target
    _tried(place, [browser, *flags, shown.as_uri()], folder)
    if at:
        shown.unlink()
    shutil.rmtree(folder / ".browser", ignore_errors=True)
    if not (folder / name).is_file():
        raise PageError(f"{place}: the browser took no picture of {block.argument}")
    return name


def beginning_at(place: str, target: Path, at: str) -> Path:
    """Write a copy of a page that begins at an anchor: a headless browser that scrolls takes an empty picture."""
    text = target.read_text(encoding="utf-8")
    if f'id="{at}"' not in text:
        raise PageError(f"{place}: {target.name} has no anchor {at}")
    up = f"-document.getElementById({json.dumps(at)}).getBoundingClientRect().top + 20 + 'px'"
    moved = f"<script>addEventListener('load', () => {{ document.body.style.marginTop = {up} }})</script></body>"
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)  # it forbids every script
    copy = target.with_name(f"{target.stem}-{at}.html")
    copy.write_text(free.replace("</body>", moved), encoding="utf-8")
    return copy


def paths(value: object, at: str = "") -> Iterator[str]:
    """Every key of a JSON value by its path: ``designs[].looks[].n``."""
    if isinstance(value, dict):
        for name, one in value.items():
            place = f"{at}.{name}" if at else str(name)
            yield place
            yield from paths(one, place)
    elif isinstance(value, list):
        for one in value:
            yield from paths(one, f"{at}[]")


def _keys(place: str, block: Block, found: list[Block], printed: list[str]) -> list[list[str]]:
    """Keys of the answer before this block with their meanings, every key once.

    Lines name keys by their ends, ``*`` standing for anything; those of a block with ``:every:`` hold for all later
    blocks of the page, unless a block has a line of its own.
    """
    if "every" in block.options:
        return [list(one) for one in _meanings(block)]
    before = zip(found, printed, strict=False)
    answer = [text for one, text in before if one.kind == "run"][-1]
    earlier = (one for one in found[: len(printed)] if one.kind == "keys" and "every" in one.options)
    common, own = [pair for one in earlier for pair in _meanings(one)], _meanings(block)
    rows, used = [], set()
    for path in dict.fromkeys(paths(json.loads(json.loads(answer)[-1]))):
        meant = next((pair for pair in (*own, *common) if _means(pair[0], path)), None)
        if meant is None:
            raise PageError(f"{place}: the key {path} of the answer has no meaning")
        if meant in own and meant not in used:
            rows.append([meant[0], meant[1]])
        used.add(meant)
    if idle := [name for name, said in own if (name, said) not in used]:
        raise PageError(f"{place}: the answer has no key {idle[0]}")
    return rows


def _meanings(block: Block) -> list[tuple[str, str]]:
    return [(name, said) for name, said in (line.split(": ", 1) for line in block.body.splitlines() if line.strip())]


def _means(names: str, path: str) -> bool:
    """Whether a path ends with one of the names, which are separated by commas."""
    every = (re.escape(name.strip()).replace(r"\*", "(?:[^.]*|[0-9.]+)") for name in names.split(","))
    return any(re.fullmatch(rf"(?:.*\.)?{one}", path) for one in every)


TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
CAPTION = re.compile(
    r"<figcaption>(?:<strong>[^<]*</strong>)?(.*?)(?:<span class=\"files\">.*?</span>)?</figcaption>", re.DOTALL
)


def _figures(place: str, block: Block, folder: Path) -> list[dict[str, str]]:
    """Figures of a report: each with its file, its text alternative, its caption and what the page says of it."""
    home, shown = folder / block.argument, dict(line.split(": ", 1) for line in block.body.splitlines() if line.strip())
    listed = []
    for name, said in shown.items():
        path, told, words = _figure(home, name)
        if not told or not words:
            known = ", ".join(sorted(one.stem for one in home.rglob("*.svg")))
            raise PageError(f"{place}: {block.argument} has no figure {name} with a caption and words; it has {known}")
        caption = html.unescape(re.sub(r"<[^>]*>", "", words)).strip()
        listed.append({"file": path.relative_to(folder).as_posix(), "alt": html.unescape(told), "said": said,
                       "caption": caption})  # fmt: skip
    return listed


def _figure(home: Path, name: str) -> tuple[Path, str, str]:
    """A figure of a report or of its preview: its file, its text alternative and its caption, or empty words."""
    path = home
    for page, within in (("report.html", home), ("preview_analysis.html", home / "preview_analysis")):
        report, path = home / page, within / "figures" / f"{name}.svg"
        text = report.read_text(encoding="utf-8") if report.is_file() and path.is_file() else ""
        if (at := text.find(f'id="figure-{name}"')) >= 0:
            told, words = TITLE.search(path.read_text(encoding="utf-8")), CAPTION.search(text, at)
            return path, told[1] if told else "", words[1] if words else ""
    return path, "", ""


def files_of(found: list[Block], printed: list[str]) -> list[str]:
    """The files that a page shows or hands on, by their names within its folder."""
    shown = [name for block, name in zip(found, printed, strict=True) if block.kind in (*PICTURES, "copy") and name]
    many = [json.loads(text) for block, text in zip(found, printed, strict=True) if block.kind == "gallery"]
    return [*shown, *(one["file"] for listed in many for one in listed)]


@cache
def code_digest() -> str:
    """Give a digest of the package, its templates and scripts included, and of the files that come with it."""
    code = hashlib.sha256()
    places = [files.PACKAGE, *(project.folder(name) for name in ("notebooks", "params", "tests/reference"))]
    for place in places:
        for path in sorted(one for one in place.rglob("*") if one.is_file()):
            if path.suffix != ".pyc" and ".ipynb_checkpoints" not in path.parts:
                code.update(f"{path.relative_to(place).as_posix()} {path.stat().st_size}\n".encode())
                code.update(path.read_bytes())
    return code.hexdigest()


def _digest(found: list[Block]) -> str:
    """Everything on which what is printed depends; the line of a block does not matter."""
    tools = {block.kind: shutil.which("Rscript") if block.kind == "r" else _browser()
             for block in found if block.kind in ("r", "picture")}  # fmt: skip
    lock = hashlib.sha256(project.lock().read_bytes()).hexdigest()
    asked = [asdict(block) | {"line": 0} for block in found]
    how = [
        inspect.getsource(one)
        for one in (environment, started, run, hidden, _commands, _checked, _picture, _figures, _keys)
    ]
    said = [code_digest(), lock, sys.version, PYTHON, how, tools, asked]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def kept(page: str, found: list[Block], work: Path) -> list[str]:
    """Run the examples of a page, unless they were run with the same code before and what they made is still there."""
    folder, note, digest = work / page, work / f"{page}.json", _digest(found)
    if folder.is_dir() and note.is_file():
        before = json.loads(note.read_text(encoding="utf-8"))
        printed = [str(one) for one in before["printed"]]
        if before["digest"] == digest and all((folder / name).is_file() for name in files_of(found, printed)):
            return printed
    note.unlink(missing_ok=True)  # a page that fails now has nothing kept, not even for its former text
    printed = run(page, found, folder)
    disk.write(note, json.dumps({"digest": digest, "printed": printed}))
    return printed


def examples(source: Path, left_out: tuple[str, ...] = ()) -> dict[str, list[Block]]:
    """Give the examples of every page under a folder, by the name of the page.

    Raises
    ------
    PageError
        If a page holds what is not run, or a picture without words: every fault of every page.
    """
    found, wrong = {}, []
    for path in sorted(source.rglob("*.md")):
        name = path.relative_to(source).with_suffix("").as_posix()
        if name.split("/")[0] in left_out:
            continue
        text = path.read_text(encoding="utf-8")
        wrong += [f"{name}:{fault}" for fault in faults(text)]
        found[name] = blocks(text)
    if wrong:
        raise PageError("\n".join(wrong))
    return {name: listed for name, listed in found.items() if listed}
