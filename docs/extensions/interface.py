"""Docstrings as pages take them: headings of modules, references and tables, which are written for readers of the code.

References stand at the end of a module or a function and are cited from any docstring of the module, so they are no
footnotes of one page. Tables are written as in Markdown, because that is how they are read in the code.
"""

from __future__ import annotations

import re
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

UNDERLINE = re.compile(r"^-{3,}\s*$")
RULE = re.compile(r"^\|(?:\s*:?-+:?\s*\|)+$")
REFERENCE = re.compile(r"^\.\. \[(\d+)\]\s+")


def mended(lines: list[str], *, module: bool) -> list[str]:
    """Give the lines of a docstring with references as a list, tables as tables and, of a module, headings as rubrics.

    >>> mended(["References", "----------", ".. [1] Simon R.", "   1989."], module=True)
    ['.. rubric:: References', '', '* [1] Simon R.', '  1989.']
    >>> mended(["Limits [1]_ hold."], module=False)
    ['Limits [1] hold.']
    """
    found: list[str] = []
    k = 0
    while k < len(lines):
        line = lines[k]
        if module and k + 1 < len(lines) and line.strip() and UNDERLINE.match(lines[k + 1]):
            found += [f".. rubric:: {line.strip()}", ""]
            k += 2
        elif k + 1 < len(lines) and line.startswith("|") and RULE.match(lines[k + 1].strip()):
            rows = []
            while k < len(lines) and lines[k].startswith("|"):
                rows.append([cell.strip() for cell in lines[k].strip().strip("|").split("|")])
                k += 1
            found += _table(rows[:1] + rows[2:])
        elif REFERENCE.match(line):
            found.append(REFERENCE.sub(r"* [\1] ", line))
            k += 1
            while k < len(lines) and lines[k].startswith("   "):
                found.append(f"  {lines[k].strip()}")
                k += 1
        else:
            found.append(re.sub(r"\[(\d+)\]_", r"[\1]", line))
            k += 1
    return found


def _table(rows: list[list[str]]) -> list[str]:
    shown = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        # a backslash, an underscore or an asterisk of a formula is none of markup
        cells = [re.sub(r"([\\_*|])", r"\\\1", cell) for cell in row]
        shown += [f"   {'*' if k == 0 else ' '} - {cell}" for k, cell in enumerate(cells)]
    return [*shown, ""]


def process(_app: Sphinx, what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """Mend a docstring before numpydoc reads it."""
    lines[:] = mended(lines, module=what == "module")


def skip(_app: Sphinx, what: str, _name: str, obj: object, _skip: bool, _options: object) -> bool | None:
    """Leave out names of types, which tell nothing that a signature does not."""
    return True if what == "module" and isinstance(obj, types.GenericAlias | types.UnionType) else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Mend docstrings before numpydoc, whose own priority is 500."""
    app.connect("autodoc-process-docstring", process, priority=400)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
