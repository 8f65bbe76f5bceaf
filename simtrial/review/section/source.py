"""The file with a stated section: plain text or .docx, and of a whole protocol the part on the sample size."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial import files
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.review.section import word_file
from simtrial.review.section.word_file import Paragraph

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024
"""Largest file that is read; a protocol with pictures has some 10 MB."""

MAX_CHARACTERS = 30_000
"""Longest section that is checked; a sample-size section has some 2,000 characters."""

LONG = 6_000
"""Characters from which a text is taken for a whole document, of which the section on the sample size is checked."""

ROW = 3
"""Cells from which a row of a table is more than a name with its value."""

WORD = (".docx", ".docm", ".dotx", ".dotm", ".doc")
"""Endings of the names of Word files."""

_BETWEEN = "\n\n"

_TITLES = (
    re.compile(
        r"sample[- ]?sizes?|number of (?:patients|subjects|participants)(?: to be| planned|$)|power (?:calculation|"
        r"analysis|consideration)|"
        r"^10\.11\b",
        re.IGNORECASE,
    ),
    re.compile(r"statistical (?:considerations?|design|hypothes[ie]s|methods?|section)|^statistics$", re.IGNORECASE),
)
"""Headings of the section, the more specific first."""

_NUMBERED = re.compile(r"^(?:section |appendix )?(\d{1,2}(?:\.\d{1,2}){0,5})\.?[ \t]+\S", re.IGNORECASE)
_MOST_OF_A_HEADING = 110
_CONTENTS = re.compile(r"(?:\.{3,}|[ \t]{2,}|\t|…)\s*\d{1,4}\s*$")
"""The end of a line of a table of contents."""


@dataclass(frozen=True, slots=True)
class SectionText:
    """A section of a file.

    Attributes
    ----------
    text : str
        Its paragraphs, with empty lines between.
    heading : str
        The heading under which it stands; empty where the whole text was taken.
    rows : tuple of (int, int)
        Where rows of tables with three or more cells begin and end in the text.
    """

    text: str
    heading: str
    rows: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, parts: list[Paragraph], heading: str) -> SectionText:
        """The text of some paragraphs."""
        rows, low = [], 0
        for part in parts:
            if part.cells >= ROW:
                rows.append((low, low + len(part.text)))
            low += len(part.text) + len(_BETWEEN)
        return cls(_BETWEEN.join(part.text for part in parts), heading, tuple(rows))


def read(path: Path) -> SectionText:
    """Read the section on the sample size from a file of plain text or a .docx.

    Raises
    ------
    InputError
        If the file cannot be read or is of another kind, or if there is more text than a section has and no heading
        that says where it is.
    """
    content = files.read(path, MAX_BYTES)
    found = word_file.paragraphs(content) if content.data.startswith(b"PK") else plain(_decoded(content))
    if not any(part.text.strip() for part in found):
        raise InputError("holds no text", f"{path}:")
    chosen = section(found)
    if len(chosen.text) > MAX_CHARACTERS:
        where = (
            f"the section {chosen.heading!r:.60}"
            if chosen.heading
            else "the text, which has no heading on sample size,"
        )
        raise InputError(
            f"is too long: {where} has {counted(len(chosen.text), 'character')}, at most {MAX_CHARACTERS:,} are "
            f"checked; "
            "save the sample-size section as a file of its own",
            f"{path}:",
        )
    return chosen


def _decoded(content: files.Content) -> str:
    """The text of a file that is no archive."""
    data, place = content.data, f"{content.name}:"
    remedy = "save the section as .docx or plain text"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError("is an old .doc file or an encrypted .docx; save it as .docx without a password", place)
    if content.kind:
        raise InputError(f"is {content.kind}; {remedy}", place)
    head = data[:400].lstrip().lower()
    if head.startswith(b"{\\rtf"):
        raise InputError(f"is an RTF file; {remedy}", place)
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")):
        raise InputError(f"is a file of HTML or XML; {remedy}", place)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="replace")
    elif b"\0" in data:
        raise InputError(f"is not text; {remedy}", place)
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")  # as older programs on Windows write
    ending = next((one for one in WORD if content.name.lower().endswith(one)), "")
    if ending:  # half a download, or a name that was changed: what is missing in it would be held against the section
        remedy = "save it in Word again, or, if it is plain text, name it .txt"
        raise InputError(f"is no Word file, although its name ends in {ending}; {remedy}", place)
    odd = sum(1 for c in text[:20_000] if not (c.isprintable() or c in "\r\n\t\f\u00ad\u200b\ufeff\u2028\u2029"))
    if odd > 0.05 * min(len(text), 20_000):
        raise InputError(f"is not text; {remedy}", place)
    return text


def plain(text: str) -> list[Paragraph]:
    """Paragraphs of plain text: empty lines divide them, and a line like a numbered heading stands by itself."""
    found: list[Paragraph] = []
    lines: list[str] = []
    for line in [*re.split(r"\r\n|[\r\n\f\u2028\u2029]", text), ""]:
        number = _NUMBERED.match(line.strip())
        short = len(line.strip()) <= _MOST_OF_A_HEADING and not line.rstrip().endswith((".", ",", ";"))
        if line.strip() and not (number and short and _is_title_like(line)):
            lines.append(line.rstrip())
            continue
        if lines:
            found.append(Paragraph("\n".join(lines)))
            lines = []
        if line.strip() and number:
            found.append(Paragraph(line.strip(), number[1].count(".") + 1))
    return found


def _is_title_like(line: str) -> bool:
    """Whether a numbered line is a heading and no sentence of a list: few words, and no comparison or percentage."""
    return len(line.split()) <= 14 and not re.search(r"[%<>=≤≥]", line)


def section(found: list[Paragraph]) -> SectionText:
    """The part of a document that stands under a heading on the sample size; else all of it.

    A short text is taken for the section itself, unless a heading with a level names a part of it.
    """
    whole = SectionText.of(found, "")
    found = [_levelled(part) for part in found]
    short = len(whole.text) <= LONG
    for title in _TITLES[:1] if short else _TITLES:
        candidates = [
            (sum(len(part.text) for part in body), heading, body)
            for k, part in enumerate(found)
            if (heading := _heading(part, title))
            and (body := _body(found, k))
            and not (short and (part.level is None or len(body) + 1 == len(found)))
        ]
        if candidates:
            _, heading, body = max(candidates, key=lambda one: min(one[0], LONG))
            return SectionText.of(body, heading)
    return whole


def _heading(part: Paragraph, title: re.Pattern[str]) -> str:
    """The heading that a paragraph is, or, of a row of a table, begins with; empty if none."""
    text = " ".join(part.text.split())
    if len(text) <= _MOST_OF_A_HEADING and not text.endswith((".", ",", ";")) and not _CONTENTS.search(part.text):
        return text if title.search(text) else ""
    label, colon, _ = text.partition(": ")
    return label if colon and len(label) <= 60 and title.search(label) and not re.search(r"\d", label) else ""


def _levelled(part: Paragraph) -> Paragraph:
    """A paragraph whose number says that it is a heading, though its style does not."""
    number = _NUMBERED.match(part.text)
    short = len(part.text) <= _MOST_OF_A_HEADING and not part.text.endswith((".", ",", ";"))
    if part.level is None and number and short and _is_title_like(part.text):
        return Paragraph(part.text, number[1].count(".") + 1)
    return part


def _body(found: list[Paragraph], k: int) -> list[Paragraph]:
    """What stands under the heading at a place, up to the next heading of its level.

    Where no level is known, the next heading is a short line between long paragraphs.
    """
    part = found[k]
    if len(part.text) > _MOST_OF_A_HEADING:
        return [part]  # a row of a table holds all of it
    body: list[Paragraph] = []
    for at, other in enumerate(found[k + 1 :], start=k + 1):
        if other.level is not None and (part.level is None or other.level <= part.level):
            break
        if part.level is None and body and _is_bare_heading(found, at):
            break
        body.append(other)
    return body


def _is_bare_heading(found: list[Paragraph], at: int) -> bool:
    """Whether a line without a level looks like a heading: short, without numbers, between long paragraphs."""
    text = found[at].text
    around = [len(found[k].text) > _MOST_OF_A_HEADING for k in (at - 1, at + 1) if k < len(found)]
    bare = len(text) <= 60 and text[:1].isupper() and not text.endswith((".", ",", ";", ":"))
    return bare and not re.search(r"[\d%<>=≤≥]", text) and all(around)
