"""What of a section is context: it stands beside the design's values, and is read only where they are not stated.

Four kinds of text are context.

* Paragraphs under a sub-heading, or behind a label, that names a rationale, a background, earlier results, the
  literature, deviations or sensitivity. Such a heading is a short line without a full stop; it holds until the next
  one. A heading that names the sample size, the design, the power or the hypotheses is none of them.
* Rows of tables with three or more cells, and captions of tables and figures. A row of two cells is a name with its
  value, and is text like any other.
* Sentences about other truths ("if the true rate were 15%, ..."), unless they state a hypothesis, a level, or how many
  patients are needed; and sentences about other designs ("for comparison, ...").
* Rates that were observed ("rates from 5% to 35%", "improved from 10% to 30% [12]"), where the hypothesis itself is
  stated with its symbol or its name.

Each element is looked for in several readings, each longer than the one before: without any context, with the rows of
tables, with rationales and other truths, and with background and earlier results, of which only p0 and p1 are taken,
since their other numbers are those of other trials. The first reading in which an element stands decides; two values in
one reading stay ambiguous. What stands under deviations and sensitivity is never taken. Only a text that without its
context states nothing is read whole. The source of the assumptions is looked for in the whole text at once. A
hypothesis that stands in the context only and differs from that of the section is therefore not asked about.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from simtrial.review.section.prose import BREAK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from simtrial.review.section.patterns import Claim
    from simtrial.review.section.prose import Prose

MOST_OF_A_HEADING = 90
"""Most characters of a sub-heading."""

MOST_OF_A_LABEL = 60
"""Most characters of the words before a colon that say what a paragraph is about."""

NEAR = 300
"""Characters on either side of a rate in which the words that call it observed are looked for."""

_REASON = re.compile(r"\b(?:rationale|reasons?|reasoning|justification)\b", re.IGNORECASE)
_EARLIER = re.compile(
    r"\b(?:background|(?:earlier|previous|prior|historical|published) (?:results?|stud(?:y|ies)|trials?|data|evidence|"
    r"experience)|literature|references|bibliography)\b",
    re.IGNORECASE,
)
_DEVIATES = re.compile(r"\b(?:deviations?|sensitivity|robustness)\b", re.IGNORECASE)
_ANNOUNCED = {"deviates": _DEVIATES, "reason": _REASON, "earlier": _EARLIER}
_OF_THE_DESIGN = re.compile(
    r"sample[- ]?size|number of (?:patients|subjects|participants)|\bpower\b|\bdesign\b|hypothes|"
    r"statistical (?:considerations?|methods?|rationale)|determination",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"(?:supplementary )?(?:table|figure|fig\.) ?\w{1,4}[.:]", re.IGNORECASE)
_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")
_LABEL = re.compile(rf"([A-Z][^:.\n]{{2,{MOST_OF_A_LABEL}}})(?::|\.| -| \u2013| \u2014)\s")

_OTHER_TRUTH = re.compile(
    r"\b(?:if|should|suppos\w+|assuming|in case)\b[^¶]{0,100}\b(?:were|had been)\b[^¶]{0,300}\bwould\b"
    r"|\bwould\b[^¶]{0,120}\bif\b[^¶]{0,100}\b(?:were|had been)\b"
    r"|\b(?:if|when) the true[^¶]{0,60}\b(?:were|had been)\b"
    r"|\bunder (?:other|different|another) (?:dropout|drop-?out|assumption|rate|truth|scenario)"
    r"|\bother than (?:assumed|planned|expected)\b",
    re.IGNORECASE,
)
_OTHER_DESIGN = re.compile(
    r"\bthe smallest\b[^¶]{0,40}\bdesign that meets\b|\b(?:for|in|by) comparison,|"
    r"\bother designs? (?:that|which|with)\b",
    re.IGNORECASE,
)
_COMMITS = re.compile(
    r"\bnull\b|\balternative\b|\bH1\b|\bp[01]\b|\balpha\b|-sided\b|\brequir|\bneeded\b|\bto (?:detect|reject)\b"
    r"|\bwill be (?:enrolled|recruited|included|accrued)\b|\bsample size\b|\bpower\b",
    re.IGNORECASE,
)

_OBSERVED = re.compile(
    r"\bet al\b|\bobserved\b|\bresponded\b|\breported\b|\bpublished\b|\b(?:earlier|previous|prior|historical)\b|"
    r"\bpooled\b|\bliterature\b|\brang(?:e|es|ed|ing)\b|\bvar(?:y|ies|ied)\b|\bmeta-analys[ie]s\b|\[#|"
    r"\brates? from §|\b(?:in|of) (?:the )?(?:stud(?:y|ies)|trials?)\b",
    re.IGNORECASE,
)
_AIMS = re.compile(
    r"\bhypothes|\baim|\bwould\b|\bwill\b|\bexpect|\bassum|\btarget|\bdetect|\bpower\b|"
    r"\bto (?:increase|improve|raise)\b|\bH0\b|\bH1\b|\bnull\b|\balternative\b|\bplan|\bdesign",
    re.IGNORECASE,
)


def readings(text: Prose, rows: Sequence[tuple[int, int]] = ()) -> tuple[tuple[Prose, Collection[str]], ...]:
    """The readings of a text, the shortest first, with the elements that are taken from each; none names all of them.

    Parameters
    ----------
    text : Prose
        The whole.
    rows : sequence of (int, int)
        Where the rows of tables with three or more cells stand in the text as it was written.

    Returns
    -------
    tuple of (Prose, names)
        What is left out of a reading is empty and as long as before, so that places and quotes are those of the whole
        text. The last is the whole text.
    """
    spans: dict[str, list[tuple[int, int]]] = {"table": [*rows], "reason": [], "earlier": [], "deviates": []}
    for kind, low, high in _kinds(text.written):
        spans[kind].append((low, high))
    spans["reason"] += [
        (text.starts[low], text.ends[high - 1])
        for low, high in text.sentences
        if low < high and _is_of_others(text.text[low:high])
    ]
    orders: tuple[tuple[tuple[str, ...], Collection[str]], ...] = (
        (("table", "reason", "earlier", "deviates"), ()),
        (("reason", "earlier", "deviates"), ()),
        (("earlier", "deviates"), ()),
        (("deviates",), ("p0", "p1")),
        ((), ()),
    )
    found = [(_without(text, [one for kind in left for one in spans[kind]]), names) for left, names in orders]
    return tuple(one for k, one in enumerate(found) if k in (0, len(found) - 1) or one[0].text != found[k - 1][0].text)


def _kinds(written: str) -> Iterator[tuple[str, int, int]]:
    """The paragraphs that are context or captions of tables, with their places."""
    under = ""
    low = 0
    for end in [*_PARAGRAPHS.finditer(written), None]:
        high = end.start() if end else len(written)
        part = written[low:high].strip()
        label = _LABEL.match(part)
        if _is_heading(part):
            under = _kind(part)
        if _CAPTION.match(part):
            yield under or "table", low, high
        elif kind := (_kind(label[1]) if label else "") or under:
            yield kind, low, high
        low = end.end() if end else high


def _is_of_others(sentence: str) -> bool:
    """Whether a sentence is about another truth or another design."""
    other = bool(_OTHER_TRUTH.search(sentence)) and not _COMMITS.search(sentence)
    return other or bool(_OTHER_DESIGN.search(sentence))


def _is_heading(part: str) -> bool:
    """Whether a paragraph is a sub-heading: one short line that ends without a stop, without a percentage or sign."""
    if not part or len(part) > MOST_OF_A_HEADING or "\n" in part or part.endswith((".", ",", ";", ":")):
        return False
    words = re.sub(r"^(?:\d{1,2}\.?){1,5}\s+", "", part)
    return words[:1].isupper() and ": " not in words and not re.search(r"[\d%<>=≤≥]", words)


def _kind(words: str) -> str:
    """What a heading or label announces; empty where it is no context."""
    if _OF_THE_DESIGN.search(words):
        return ""
    return next((kind for kind, one in _ANNOUNCED.items() if one.search(words)), "")


def _without(text: Prose, spans: Sequence[tuple[int, int]]) -> Prose:
    """A text of the same length in which the sentences at some places of what was written are empty."""
    if not spans:
        return text
    characters = list(text.text)
    for low, high in spans:
        first, last = bisect_left(text.starts, low), bisect_left(text.starts, high)
        characters[first:last] = BREAK * (last - first)
    left = "".join(characters)
    numbers = {at: number for at, number in text.numbers.items() if left[at] != BREAK}
    return replace(text, text=left, numbers=numbers)


def hypotheses(text: Prose, pairs: Sequence[Claim], explicit: set[str]) -> list[Claim]:
    """Of rates that stand in pairs, those that are hypotheses.

    Parameters
    ----------
    text : Prose
        The text.
    pairs : sequence of Claim
        What the patterns of pairs claim.
    explicit : set of str
        The roles, ``p0`` and ``p1``, that are stated with a symbol or a name.

    Returns
    -------
    list of Claim
        Without observed rates of roles that are stated explicitly.
    """
    return [one for one in pairs if one.role not in explicit or not _is_observed(text, one)]


def _is_observed(text: Prose, claim: Claim) -> bool:
    low, high = text.around(claim.at)
    sentence = text.text[max(low, claim.at - NEAR) : min(high, claim.at + NEAR)]
    return bool(_OBSERVED.search(sentence)) and not _AIMS.search(sentence)
