"""Which sentence of a protocol covers which element of the item on sample size of SPIRIT 2025.

The elements are in our own words. A sentence covers an element if it matches the element's pattern and holds no mark of
something that is still to be completed; what no sentence covers is stated as not covered. The patterns are those of the
sentences that the sections write, so that a sentence which is not there is not claimed.

References
----------
.. [1] Chan AW, Boutron I, Hopewell S, et al. SPIRIT 2025 statement: updated guideline for protocols of randomised
   trials. BMJ 2025;389:e081477.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from simtrial.phrases import placeholders
from simtrial.show.document import Chapter, Points
from simtrial.show.table import WORDS, Table, column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ELEMENTS = {
    "The primary outcome on which the number of patients is based": r"primary endpoint is",
    "The rate under the null hypothesis and the rate to be detected": r"null hypothesis that the true ORR",
    "Whether these rates are assumed or taken from elsewhere": r"^The hypotheses are",
    "The reason for these rates": r"^Reason for these rates",
    "Earlier studies behind the rates": r"^Earlier results",
    "Level of significance and its sidedness": r"one-sided type I error is at most",
    "Power": r"power at p1 is at least",
    "Design and test by which the number is calculated": r"The sample size is that of",
    "Number of patients and decision rule": r"H0 is rejected if",
    "Attained type I error and power": r"exact type I error is",
    "Interim analyses and early stopping": r"stops for (?:futility|efficacy)|(?:stops and|stop and .*reject) H0|"
    "^No interim analysis",
    "Dropout and missing assessments": r"^Dropout(?: before the first assessment)?:",
    "Patients to be enrolled and screened": r"have to be screened|(?:is|are) enrolled(?: for [\d,]+ .*)?\.$",
    "Precision of the estimate": r"with a half-width of|^Precision of the estimate:",
    "What deviations from the assumptions change": r"probability of rejection is at most",
    "Software or program of the calculation": r"computed with simtrial",
}  # fmt: skip
"""The elements, each with the pattern of the sentence that covers it."""

WHERE = ("10.11", "10.9", "10.4.1.1")
"""Sections that are looked through, in this order."""

MOST = 220
"""Characters of a sentence that are quoted."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """One element and the sentence that covers it.

    Attributes
    ----------
    element : str
        What a protocol is to state.
    section, sentence : str
        Where it is stated, and how; both empty if it is not covered.
    """

    element: str
    section: str
    sentence: str

    @property
    def covered(self) -> bool:
        """Whether a sentence covers it."""
        return bool(self.sentence)


def coverage(chapters: Sequence[Chapter]) -> tuple[Coverage, ...]:
    """Which sentence of the chapters covers which element."""
    said = [(chapter.number, text) for number in WHERE for chapter in chapters if chapter.number == number
            for text in _sentences(chapter)]  # fmt: skip
    return tuple(_covering(element, pattern, said) for element, pattern in ELEMENTS.items())


def _covering(element: str, pattern: str, said: list[tuple[str, str]]) -> Coverage:
    found = ((section, text) for section, text in said if re.search(pattern, text))
    section, text = next(((section, text) for section, text in found if not placeholders(text)), ("", ""))
    return Coverage(element=element, section=section, sentence=text)


def _sentences(chapter: Chapter) -> Iterator[str]:
    """The sentences of a section, of its paragraphs, points and captions."""
    for block in chapter.blocks:
        texts: tuple[str, ...] = ()
        if isinstance(block, str):
            texts = (block,)
        elif isinstance(block, Points):
            texts = block.entries
        elif isinstance(block, Table):
            texts = (block.caption,)
        for text in texts:
            yield from re.split(r"(?<=[.;])\s+(?=[A-Z])", text)


def appendix(found: Sequence[Coverage]) -> Chapter:
    """The elements in a table, as an appendix."""
    rows = [(one.element, one.section or "–", _quoted(one.sentence) or "not covered") for one in found]
    frame = pd.DataFrame(rows, columns=["element", "section", "sentence"])
    shown = {
        "element": column("element", WORDS),
        "section": column("section", WORDS),
        "sentence": column("sentence", WORDS),
    }
    caption = (
        "Elements of the item on sample size of SPIRIT 2025, in our own words, with the sentence that covers each. An "
        "element that is still to be completed is not covered"
    )
    table = Table("spirit", caption, frame, shown)
    return Chapter(title="Appendix: sample size and SPIRIT 2025", blocks=(table,), new_page=True)


def _quoted(sentence: str) -> str:
    return sentence if len(sentence) <= MOST else f"{sentence[:MOST].rsplit(' ', 1)[0]} ..."
