"""The glossary in the explorer: a folded page of all terms, and each heading of a table explained where it stands."""

from __future__ import annotations

import html
import re

from simtrial import glossary

PARTS = (
    ("Designs", glossary.DESIGN),
    ("Conduct of the trial", glossary.CONDUCT),
    ("Analysis", glossary.ANALYSIS),
    ("Review", glossary.REVIEW),
    ("This page", glossary.CONTROLS),
)
"""The sections of the glossary under their headings."""

HEADING = re.compile(r"<th(?P<attributes>[^>]*)>(?P<shown>[^<]*)</th>")
FIRST_CELL = re.compile(r"(?<=<tr>)<td(?P<attributes>[^>]*)>(?P<shown>[^<]*)</td>")

_BY_NAME = {term.head.casefold(): term for term in glossary.TERMS.values() if term.meaning}


def meaning(shown: str) -> str:
    """What a heading means: that of the whole, or of what stands before a comma, a colon or an equals sign.

    >>> meaning("p0 = 0.1") == meaning("p0")
    True
    """
    for part in (shown, *(shown.partition(sign)[0] for sign in (", ", ": ", " = "))):
        if found := _BY_NAME.get(part.casefold()):
            return found.meaning
    return ""


def explained(table: str, *, rows: bool = False) -> str:
    """A table as HTML with the meaning of each heading as its title; of the first cell of each row too, with `rows`."""

    def with_title(match: re.Match[str]) -> str:
        said, attributes = meaning(html.unescape(match["shown"])), match["attributes"]
        if not said or " title=" in attributes:
            return match[0]
        kind = match[0][1:3]
        return f'<{kind}{attributes} title="{html.escape(said, quote=True)}">{match["shown"]}</{kind}>'

    shown = HEADING.sub(with_title, table)
    return FIRST_CELL.sub(with_title, shown) if rows else shown


def page() -> str:
    """All terms with their meanings, folded."""
    parts = []
    for title, terms in PARTS:
        entries = "".join(
            f"<dt>{html.escape(term.head)}</dt><dd>{html.escape(term.meaning)}</dd>"
            for term in terms.values()
            if term.meaning
        )
        if entries:
            parts.append(f"<h3>{html.escape(title)}</h3><dl>{entries}</dl>")
    inner = "".join(parts)
    return f'<details><summary>Glossary</summary><div id="simtrial-glossary">{inner}</div></details>'
