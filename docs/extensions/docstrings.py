"""Docstrings of modules within a page, so that the proofs of the text and of the code cannot differ.

A page names a module, ```` ```{docstring} simtrial.search.scan ````, and shows what stands at its head: its sections as
bold lines, indented formulas as they are laid out, references numbered as in the docstring.
"""

import ast
import importlib.util
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

BLOCK = re.compile(r"^```\{docstring\}[ \t]*(?P<module>[\w.]+)\n```[ \t]*$", re.MULTILINE)
TITLE = re.compile(r"^(?P<title>\S.*)\n-{3,}$", re.MULTILINE)
FORMULA = re.compile(r"\n\n(?P<block>(?: {4,}\S.*(?:\n|$))+)")
TABLE = re.compile(r"\n\n(?P<rows>(?:\|.*\|(?:\n|$))+)")
WORK = re.compile(r"^\.\. \[(?P<number>\d+)\] (?P<work>.*(?:\n {3}.*)*)", re.MULTILINE)
NAME = re.compile(r"(?<![`:\w])`(?P<name>[^`\n]+)`(?![`_])")


class DocstringError(ExtensionError):
    """A page asks for the docstring of a module that has none."""


def restructured(text: str) -> str:
    """Give a docstring as reStructuredText that may stand twice on a page."""
    text = TITLE.sub(lambda found: f"**{found['title']}**\n", text)
    text = FORMULA.sub(lambda found: f"\n\n.. code-block:: text\n\n{found['block']}", text)
    text = TABLE.sub(lambda found: f"\n\n.. code-block:: text\n\n{indented(found['rows'])}\n", text)
    text = NAME.sub(lambda found: f"``{found['name']}``", text)
    text = WORK.sub(lambda found: f"\n[{found['number']}] {' '.join(found['work'].split())}", text)
    return re.sub(r"\[(\d+)\]_", r"[\1]", text)


def origin(module: str) -> Path:
    """Give the file of a module.

    Raises
    ------
    DocstringError
        If there is no such module.
    """
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise DocstringError(f"there is no module {module}")
    return Path(found.origin)


def put_in(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the docstrings in the place of their names, before a page is parsed."""

    def shown(found: re.Match[str]) -> str:
        file = origin(found["module"])
        app.env.note_dependency(str(file))
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        if not text:
            raise DocstringError(f"{page}: {found['module']} has no docstring")
        head = f".. rubric:: {found['module']}\n   :class: module"
        return f"````{{eval-rst}}\n{head}\n\n.. container:: docstring\n\n{indented(restructured(text))}\n````"

    source[0] = BLOCK.sub(shown, source[0])


def indented(text: str) -> str:
    """Give a text with every line indented."""
    return "\n".join(f"   {line}" if line else "" for line in text.splitlines())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is done before a page is parsed."""
    app.connect("source-read", put_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
