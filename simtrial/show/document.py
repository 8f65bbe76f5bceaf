"""A document to hand in: numbered chapters of paragraphs, lists, tables and figures, written as Word, HTML or JSON.

What a document does not know stands in it as a marked placeholder, and the document lists its placeholders, so that
none is overlooked before it is handed in.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simtrial.phrases import around_placeholders, placeholders
from simtrial.show.picture import Picture
from simtrial.show.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Points:
    """A list of points, each a sentence or two."""

    entries: tuple[str, ...]


@dataclass(frozen=True)
class FormulaLine:
    """A formula on a line of its own, in plain notation."""

    text: str


@dataclass(frozen=True)
class Listing:
    """Lines of a program or a command, each as it is typed."""

    text: str


@dataclass(frozen=True)
class Subheading:
    """A heading without a number inside a chapter."""

    text: str


Matter = str | Points | FormulaLine | Listing | Subheading | Table | Picture
"""What a chapter is made of; a string is a paragraph."""


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """One section of a document.

    Attributes
    ----------
    title : str
        Its heading.
    number : str
        As in the document that prescribes it, such as 10.4.1.1; empty if none does.
    code : str
        Code of the section in a terminology, such as C218631; empty if it has none.
    blocks : tuple of Matter
        In reading order; none for a heading that only holds further sections.
    level : int
        1 for the main headings.
    new_page : bool
        Whether it begins on a page of its own.
    """

    title: str
    number: str = ""
    code: str = ""
    blocks: tuple[Matter, ...] = ()
    level: int = 1
    new_page: bool = False

    @property
    def heading(self) -> str:
        """Number and title."""
        return f"{self.number} {self.title}".strip()

    def texts(self) -> Iterator[str]:
        """Every text that may hold a placeholder, in reading order."""
        for block in self.blocks:
            match block:
                case str():
                    yield block
                case Points():
                    yield from block.entries
                case FormulaLine() | Listing() | Subheading():
                    yield block.text
                case Table():
                    yield block.caption
                    yield from (str(entry) for row in block.view().itertuples(index=False) for entry in row)
                case Picture():
                    yield block.caption


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document of chapters.

    Attributes
    ----------
    name : str
        Names its files.
    title, study : str
        Stand at the top; the study's short name also in the header of each page.
    lead : tuple of str
        Paragraphs before the first chapter: what the document is.
    chapters : tuple of Chapter
        In order.
    origin : str
        One line in the footer of each page: program, version and hash of what it was made from.
    extra : mapping of str to JSON values
        What the JSON states beside the chapters.
    """

    name: str
    title: str
    study: str
    lead: tuple[str, ...] = ()
    chapters: tuple[Chapter, ...]
    origin: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)

    def to_complete(self) -> list[dict[str, str]]:
        """List the placeholders: section, heading, and what is missing there; each once a section."""
        return [
            {"section": chapter.number, "title": chapter.title, "missing": missing}
            for chapter in self.chapters
            for missing in dict.fromkeys(one for text in chapter.texts() for one in placeholders(text))
        ]

    def plain(self) -> dict[str, object]:
        """The document as JSON values: chapters with their numbers and codes, tables at full precision."""
        return {
            "name": self.name,
            "study": self.study,
            "title": self.title,
            "lead": list(self.lead),
            "origin": self.origin,
            "to_complete": self.to_complete(),
            **self.extra,
            "sections": [
                {
                    "section": chapter.number,
                    "title": chapter.title,
                    "code": chapter.code or None,
                    "content": [_plain(block) for block in chapter.blocks],
                }
                for chapter in self.chapters
            ],
        }

    def contents(self) -> list[tuple[str, str]]:
        """Anchor in the HTML and heading of every chapter."""
        return [(f"section-{k}", chapter.heading) for k, chapter in enumerate(self.chapters, start=1)]

    def html(self) -> str:
        """The chapters as HTML, all text escaped; headings start at the second level."""
        anchors = (anchor for anchor, _ in self.contents())
        chapters = map(_chapter_html, self.chapters, anchors)
        return "\n".join([*map(_paragraph, self.lead), *chapters])


def _plain(block: Matter) -> dict[str, object]:
    match block:
        case str():
            return {"paragraph": block}
        case Points():
            return {"points": list(block.entries)}
        case FormulaLine():
            return {"formula": block.text}
        case Listing():
            return {"listing": block.text}
        case Subheading():
            return {"heading": block.text}
        case Table():
            view = block.view()
            return {
                "table": block.name,
                "caption": block.caption,
                "headings": list(view.columns),
                "rows": [list(row) for row in view.itertuples(index=False, name=None)],
                # pandas writes what JSON has no word for, such as a missing number, as null
                "data": json.loads(block.frame.to_json(orient="records", double_precision=15)),
            }
        case Picture():
            return {"figure": block.name, "caption": block.caption, "alt": block.alt}


def _paragraph(text: str) -> str:
    return f"<p>{_marked(text)}</p>"


def _marked(text: str) -> str:
    pieces = around_placeholders(text)
    return "".join(f"<mark>{html.escape(one)}</mark>" if mark else html.escape(one) for one, mark in pieces)


def _chapter_html(chapter: Chapter, anchor: str) -> str:
    level = min(chapter.level + 1, 6)
    head = f'<h{level} id="{anchor}">{html.escape(chapter.heading)}</h{level}>'
    return "\n".join([head, *(_block_html(block, min(level + 1, 6)) for block in chapter.blocks)])


def _block_html(block: Matter, level: int) -> str:
    match block:
        case str():
            return _paragraph(block)
        case Points():
            return "<ul>" + "".join(f"<li>{_marked(entry)}</li>" for entry in block.entries) + "</ul>"
        case FormulaLine():
            return f'<p class="formula">{html.escape(block.text)}</p>'
        case Listing():
            return f"<pre>{html.escape(block.text)}</pre>"
        case Subheading():
            return f"<h{level}>{html.escape(block.text)}</h{level}>"
        case Table():
            return block.html()
        case Picture():
            caption = f"<figcaption>{html.escape(block.caption)}</figcaption>" if block.caption else ""
            return f"<figure>{block.svg()}{caption}</figure>"
