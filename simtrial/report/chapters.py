"""Executed notebooks as chapters of a page: topics with what stands, what folds, and their code in one place.

A topic is a heading with all that follows it. In a report that folds, its heading, its first paragraph, its sentences
and the few tables and figures that a reader needs first stand; formulas and all else wait below, a click away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simtrial.phrases import listed
from simtrial.report import exhibits
from simtrial.report.exhibits import Exhibit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TOP = "top"
"""Anchor of the front page."""

STANDING = frozenset({
    "candidates", "compared", "decisions", "earlier_studies", "timeline", "months_and_patients", "tornado",
    "routes", "readings", "p_values", "estimates", "intervals", "forest", "survival", "waterfall",
    "toxicity_counts", "toxicity_price", "toxicity_months",
})  # fmt: skip
"""Tables and figures that a reader needs first, by name."""


@dataclass(kw_only=True, slots=True)
class Topic:
    """A heading and what follows it.

    Attributes
    ----------
    level : int
        1 for a part of the report, 2 for a question in it, 0 for what stands before any heading.
    title, anchor : str
        The heading as text, and where links lead to.
    heading, lead : str
        The heading and the first paragraph, as HTML.
    shown, folded : list of Exhibit
        What stands, and what folds.
    code : list of (str, str)
        What the code is for, if it is not for what is shown, and the code of each cell.
    """

    level: int
    title: str
    anchor: str
    heading: str = ""
    lead: str = ""
    shown: list[Exhibit] = field(default_factory=list)
    folded: list[Exhibit] = field(default_factory=list)
    code: list[tuple[str, str]] = field(default_factory=list)

    @property
    def inside(self) -> str:
        """What folds, in a few words."""
        words = [one.label for one in self.folded if one.numbered]
        if any(one.kind == "prose" for one in self.folded):
            words.insert(0, "method")
        return listed(words) if words else "more"


def of_notebooks(
    executed: Sequence[Any],
    prose: Callable[[str], str],
    shown: Callable[[Any], Exhibit],
    *,
    folds: bool,
    before: str = "",
) -> tuple[list[Topic], list[Exhibit]]:
    """Take notebooks apart into topics, in the order of the page, with their tables and figures numbered.

    Parameters
    ----------
    executed : sequence of notebooks
        In the order of the page.
    prose : callable
        Renders Markdown to HTML.
    shown : callable
        Gives an output as it stands on the page.
    folds : bool
        Whether what a reader does not need first is folded away.
    before : str
        HTML that stands above; what it says and draws is not repeated.

    Returns
    -------
    topics : list of Topic
        In the order of the page.
    above : list of Exhibit
        Tables and figures that stand above, with their numbers.
    """
    topics: list[Topic] = []
    for i, notebook in enumerate(executed):
        injected = any("injected-parameters" in _tags(cell) for cell in notebook.cells)
        for k, cell in enumerate(notebook.cells):
            begins = cell.cell_type == "markdown" and re.match(r"(#{1,2})\s+(.+)\n*", cell.source)
            if begins:
                anchor = f"s{i + 1}-{k + 1}"
                topics.append(_begun(begins, cell.source[begins.end() :], anchor, prose))
            elif not topics:
                topics.append(Topic(level=0, title="", anchor=f"s{i + 1}"))
            topic = topics[-1]
            if cell.cell_type == "markdown" and not begins:
                topic.folded.append(Exhibit(kind="prose", html=prose(cell.source)))
            elif cell.cell_type == "code":
                _add_code(topic, cell, injected=injected)
                topic.folded += [shown(output) for output in cell.get("outputs", ())]
    _arrange(topics, folds=folds)
    return topics, _count(topics, before)


def _tags(cell: Any) -> list[str]:
    tags: list[str] = cell.metadata.get("tags", [])
    return tags


def _begun(match: re.Match[str], body: str, anchor: str, prose: Callable[[str], str]) -> Topic:
    lead, rest = _first(body)
    topic = Topic(level=len(match[1]), title=match[2].strip(), anchor=anchor, heading=prose(match[0].strip()))
    topic.lead = prose(lead) if lead else ""
    if rest:
        topic.folded.append(Exhibit(kind="prose", html=prose(rest)))
    return topic


def _first(body: str) -> tuple[str, str]:
    """The first paragraph, with the formula or list that it leads up to, and the rest."""
    lead, _, rest = body.strip().partition("\n\n")
    while rest and lead.rstrip().endswith((":", ",")):
        more, _, rest = rest.partition("\n\n")
        lead = f"{lead}\n\n{more}"
    return lead, rest


def _add_code(topic: Topic, cell: Any, *, injected: bool) -> None:
    """Keep the code of a cell; of parameters only those that the run was given."""
    tags = _tags(cell)
    if "parameters" in tags and injected:
        return
    given = "parameters" in tags or "injected-parameters" in tags
    topic.code.append(("Parameters" if given else "Set-up" if "setup" in tags else "", cell.source))


def _arrange(topics: Sequence[Topic], *, folds: bool) -> None:
    """Let stand what a reader needs first; all if nothing folds."""
    for topic in topics:
        every = topic.folded
        stands = [not folds or one.name in STANDING or one.kind in ("text", "plain") for one in every]
        topic.shown = [one for one, yes in zip(every, stands, strict=True) if yes]
        topic.folded = [one for one, yes in zip(every, stands, strict=True) if not yes]


def _count(topics: Sequence[Topic], before: str) -> list[Exhibit]:
    """Number everything in the order of the page, and point to what stands above in the place of its repetition."""
    numbers: dict[str, int] = {}
    shown = [one for topic in topics for one in (*topic.shown, *topic.folded)]
    above = [exhibits.counted(one, numbers) for one in shown if one.numbered and one.html in before]
    seen = {(one.name, one.html): one for one in above}
    for topic in topics:
        for items in (topic.shown, topic.folded):
            for k, one in enumerate(items):
                if one.kind == "text" and one.html in before:
                    items[k] = Exhibit(kind="pointer", html="at the top of this report", caption=TOP)
                elif first := seen.get((one.name, one.html)):
                    items[k] = Exhibit(kind="pointer", html=f"in {first.label}", caption=first.anchor)
                elif one.numbered:
                    items[k] = seen[one.name, one.html] = exhibits.counted(one, numbers)
        topic.shown += [one for one in topic.folded if one.kind == "pointer"]
        topic.folded = [one for one in topic.folded if one.kind != "pointer"]
    return above
