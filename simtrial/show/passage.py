"""Sentences for people: paragraphs that show themselves."""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """Some paragraphs that show themselves in a notebook with all text escaped."""

    name: str
    paragraphs: tuple[str, ...]
    quoted: bool = False

    def __str__(self) -> str:
        return "\n\n".join(self.paragraphs)

    def html(self) -> str:
        """The paragraphs as HTML; `quoted` ones in a block of their own, to copy."""
        inner = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in self.paragraphs)
        return f'<blockquote class="simtrial">{inner}</blockquote>' if self.quoted else f"<div>{inner}</div>"

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
        return {"text/html": self.html(), "text/plain": str(self)}, {"simtrial": {"name": self.name}}
