"""The glossary in the explorer: a folded page of all terms."""

from __future__ import annotations

import html

from simtrial import glossary

PARTS = (
    ("Designs", glossary.DESIGN),
    ("Conduct of the trial", glossary.CONDUCT),
    ("Toxicity", glossary.TOXICITY),
    ("Analysis", glossary.ANALYSIS),
    ("Review", glossary.REVIEW),
    ("This page", glossary.CONTROLS),
)
"""The sections of the glossary under their headings."""


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
