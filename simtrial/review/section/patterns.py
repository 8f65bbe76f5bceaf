"""The language of the patterns, and how numbers are claimed by them.

A pattern is a regular expression over the text of `simtrial.review.section.prose`, with these short forms:

=======  ==============================================================================================
``@20``  at most 20 characters (any number of them) of the same sentence that hold no number
``@C``   a comparison or an equals sign, or nothing
``@IS``  "is", "of", "=", "was set at" and the like, or nothing
``@P``   patients, with up to four words before them ("evaluable adult patients")
``@(``   up to two remarks in brackets without a number
=======  ==============================================================================================

Its named groups say what the numbers in it are. Tables of patterns are in order: the first that fits a number claims
it, so that a later and looser pattern cannot give it another meaning. All repetitions are bounded, hence the time is
proportional to the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from simtrial.review.section.prose import Prose

_COHORT = re.compile(r"\b(?i:cohort|arm|group|stratum|part) (?:(?P<letter>[A-H]|I{1,3})|(?P<number>#))(?![\w-])")

_IS = (
    r"(?: ?(?:=|:|of|is|was|were|are|at|be|being|to be|equals?|equal to|set to|set as|set at|set|fixed|will be|"
    r"should be|taken as|specified|"
    r"about|approximately|around|an?|the|only|less than or|both|that is|assumed to be|controlled|limited|held|targeted|"
    r"approx\.?)(?![\w-])){0,5} ?"
)
_PATIENTS = (
    r"(?:(?: ?[(\[]?(?!(?:weeks?|months?|years?|days?|cycles?|doses?|mg|or|of|and|in|if|to|responses?|"
    r"responders?)(?![\w-]))"
    r"[\w'/-]+[)\]]?){0,4}? ?(?:patients?|subjects?|participants?|pts|persons|individuals|women|men|children|"
    r"cases)\b)"
)


def pattern(short: str) -> re.Pattern[str]:
    """A pattern written in short.

    >>> pattern("@C§").pattern
    '[≥≤<>=]? ?§'
    """
    text = re.sub(r"@(\d+)", r"[^§#~…¶]{0,\1}?", short)
    for form, meaning in (
        ("@C", r"[≥≤<>=]? ?"),
        ("@IS", _IS),
        ("@P", _PATIENTS),
        ("@(", r"(?: ?\([^()§…¶]{0,60}\)){0,2}"),
    ):
        text = text.replace(form, meaning)
    return re.compile(text, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claim:
    """A number, or words, that a pattern fits.

    Attributes
    ----------
    role : str
        What it is, by the name of the group.
    at : int
        Its place in the text of the prose.
    low, high : int
        The words of the whole pattern.
    """

    role: str
    at: int
    _: KW_ONLY
    low: int
    high: int


def claimed(
    prose: Prose, table: Iterable[re.Pattern[str]], taken: set[int], known: Collection[str] = ()
) -> list[Claim]:
    """What a table of patterns claims.

    Parameters
    ----------
    prose : Prose
        The text.
    table : iterable of patterns
        In their order.
    taken : set of int
        Places that are claimed already; those of this table are added.
    known : collection of str, optional
        Roles for which nothing is looked for any more.
    """
    found: list[Claim] = []
    for one in table:
        if one.groupindex and set(one.groupindex) <= set(known):
            continue
        for match in one.finditer(prose.text):
            groups = {name: match.start(name) for name, value in match.groupdict().items() if value}
            if any(at in taken for at in groups.values()):
                continue
            for name, at in groups.items():
                taken.add(at)
                found.append(Claim(name.split("_x")[0], at, low=match.start(), high=match.end()))
    return found


def table(*short: str) -> tuple[re.Pattern[str], ...]:
    """Several patterns in their order."""
    return tuple(pattern(one) for one in short)


def cohorts(prose: Prose) -> list[tuple[int, int]]:
    """First and last place of what is stated of each cohort or arm; empty where none is named."""
    named: list[tuple[str, int]] = []
    for found in _COHORT.finditer(prose.text):
        label = str(prose.whole(found.start("number"))) if found["number"] else str(found["letter"])
        if not named or named[-1][0] != label:
            named.append((label, found.start()))
    labels = [label for label, _ in named]
    if len(labels) < 2 or len(set(labels)) < len(labels):  # they alternate: nothing is of one alone
        return []
    ends = [at for _, at in named[1:]] + [len(prose.text)]
    return [(at, end) for (_, at), end in zip(named, ends, strict=True)]
