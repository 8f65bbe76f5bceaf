"""Runs of text in a file for Word: what XML can hold of a text, placeholders marked in yellow."""

from __future__ import annotations

import re
from typing import Any

from simtrial.phrases import around_placeholders

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot hold: most control characters, halves of surrogate pairs, two that are no characters."""


def allowed(text: str) -> str:
    r"""A text without the characters that XML cannot hold.

    >>> allowed("a\x00b\x1fc"), allowed("\ud800"), allowed("p ≤ 0.1")
    ('abc', '', 'p ≤ 0.1')
    """
    return _FORBIDDEN.sub("", text)


def runs(paragraph: Any, text: str, *, size: Any = None, bold: bool = False) -> None:
    """Add a text, its placeholders marked."""
    from docx.enum.text import WD_COLOR_INDEX

    for piece, mark in around_placeholders(allowed(text)):
        run = paragraph.add_run(piece)
        if size is not None:
            run.font.size = size
        if bold:
            run.bold = True
        if mark:
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def element(name: str, **attributes: str) -> Any:
    """An element of the format with its attributes, all of the main namespace."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement(f"w:{name}")
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    return made
