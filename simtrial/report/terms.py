"""The glossary of a page: the terms that occur in it, and links to them from the headings of its tables."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from simtrial import glossary

if TYPE_CHECKING:
    from simtrial.glossary import Term

_EXPLAINED = re.compile(r'(<(th|td|abbr)\b[^>]* title="[^"]*"[^>]*>)([^<]*)(</\2>)')
"""Headings of columns and rows, and words elsewhere, that carry a tooltip."""


def anchor(term: Term) -> str:
    """Where links to a term lead to.

    >>> anchor(glossary.TERMS["type_i_error"]), anchor(glossary.TERMS["en_p0"])
    ('term-type-i-error', 'term-en-p0')
    """
    return "term-" + re.sub(r"[^a-z0-9]+", "-", term.head.lower()).strip("-")


def linked(page: str) -> str:
    """Link each heading or word that the glossary explains to its line there; it keeps its tooltip."""

    def link(match: re.Match[str]) -> str:
        term = glossary.explained(html.unescape(match[3]))
        if term is None or not term.meaning:
            return match[0]
        return f'{match[1]}<a class="term" href="#{anchor(term)}">{match[3]}</a>{match[4]}'

    return _EXPLAINED.sub(link, page)


def occurring(page: str) -> list[Term]:
    """The terms with a meaning that occur on a page, in alphabetical order.

    Parameters
    ----------
    page : str
        HTML; what stands between its tags is searched for the heads of terms as whole words, of which the short ones
        must be written as in the glossary, for ``N`` is not ``n``.
    """
    text = html.unescape(re.sub(r"<(pre|style)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL))
    found = [term for term in glossary.TERMS.values() if term.meaning and _stands(term.head, text)]
    return sorted(found, key=lambda term: (term.head.casefold(), term.head))


def _stands(head: str, text: str) -> bool:
    flags = re.IGNORECASE if len(head) > 3 else re.NOFLAG
    return re.search(rf"(?<!\w){re.escape(head)}(?!\w)", text, flags) is not None
