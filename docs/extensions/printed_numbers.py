"""Numbers of sentences are those that examples print: on pages for readers and in tutorials, others stop the build."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

PARTS = ("readers/", "tutorials/")
"""Sections whose pages are held to this."""

FENCE = re.compile(r"^(`{3,})\{(?P<kind>\w+)\}[^\n]*\n(?P<body>.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
RULE = re.compile(r"\d+(?::\d+)?/\d+(?:, ?\d+(?::\d+)?/\d+)*")
DECIMAL = re.compile(r"(?<![\d.])\d+\.\d+(?![\d.]*\d)")
PERCENT = re.compile(r"\d+(?:\.\d+)?%")


def absent(text: str, printed: str) -> Iterator[str]:
    """Designs, decimals and percentages of the sentences of a page that no example is given and none prints.

    A sentence may round what is printed: 15.0 patients of 15.0141, and 80.5% of 0.805.
    """
    given = "\n".join(match["body"] for match in FENCE.finditer(text) if match["kind"] in ("file", "run", "python"))
    prose, known = FENCE.sub("", text), f"{given} {printed}"
    close = re.sub(r",\s+(?=\d)", ",", known)
    numbers = [float(number) for number in re.findall(r"(?<![\d.])\d*\.?\d+", known)]
    shares = [float(number) for number in re.findall(r"(?<![\d.])(\d+(?:\.\d+)?)%", known)]
    shares += [100 * number for number in numbers]
    for rule in RULE.findall(prose):
        if not re.search(rf"(?<![\d/.]){rule.replace(', ', ',')}(?!\d)", close):
            yield rule
    for number in PERCENT.findall(prose):
        digits = len(number.partition(".")[2].rstrip("%"))
        if float(number[:-1]) not in {round(share, digits) for share in shares}:
            yield number
    for number in DECIMAL.findall(PERCENT.sub("", prose)):
        if float(number) not in {round(one, len(number.partition(".")[2])) for one in numbers}:
            yield number


def unwrapped(printed: str) -> str:
    """What one example printed: of several commands a list, of everything else a text."""
    try:
        return "\n".join(map(str, json.loads(printed)))
    except (ValueError, TypeError):
        return printed


def check(app: Sphinx, page: str, source: list[str]) -> None:
    """Warn of every number of a page that is not printed; texts of reports made there are printed."""
    if not page.startswith(PARTS):
        return
    printed: list[str] = app.env.simtrial_printed.get(page, [])  # type: ignore[attr-defined]
    texts = sorted((Path(app.config.examples_work) / page).glob("build/*/text/*"))
    told = "\n".join([*map(unwrapped, printed), *(path.read_text(encoding="utf-8") for path in texts)])
    for number in absent(source[0], told):
        logging.getLogger(__name__).warning("%s is printed by no example of this page", number, location=page)


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at every page when it is read."""
    app.connect("source-read", check)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
