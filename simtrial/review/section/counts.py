"""Which counts of a text are the patients of the stages, those to be analysed, and those to be enrolled."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from simtrial.review.section import bounds, sizes
from simtrial.review.section.mentions import Mention, Mentions, whole
from simtrial.review.section.patterns import Claim, claimed, cohorts

if TYPE_CHECKING:
    from simtrial.review.section.prose import Prose

YEARS = (1900, 2100)
"""Whole numbers that are years."""

LEAST_PATIENTS = 5
"""Fewest patients of a trial; "patients with 1 or 2 regimens" are no sample size."""

_PATIENT_ROLES = ("n", "some", "expanded")

_TWO = re.compile(r"two-stage|stage[12]|\binterim\b|simon", re.IGNORECASE)
_OF_FIRST = re.compile(r"\b(?:first|initial) $", re.IGNORECASE)
_ALLOWING = re.compile(
    r"account|allow|compensat|replac|inflat|dropout|drop-out|drop out|attrition|loss|evaluable", re.IGNORECASE
)
_REMARK = re.compile(r"\([^()¶]{1,160}\)")
_HAD = re.compile(
    r"\b(?:was|were|had been)(?: \w+){0,2} §(?: \([^()¶]{0,40}\))? (?:in|of|among|for)(?: the| a total of)? (?P<of>#)",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:(?:previous|prior|earlier|published|historical)(?: [\w-]+){0,4} (?:stud(?:y|ies)|trials?|series|cohorts?|"
    r"reports?|data)|et al)\b[^¶]{0,200}?\b(?:was|were|had|reported|observed|achieved|showed|saw|found|responded|"
    r"enrolled|included|treated)\b",
    re.IGNORECASE,
)
_PLANNED = re.compile(
    r"\b(?:will|shall|is|are|be|needs?|requires?|required|plan\w*|power|sample size|H[01]|p[01]|null|hence|thus|"
    r"therefore|if|this (?:study|trial))\b",
    re.IGNORECASE,
)
_EVALUABLE = re.compile(r"evaluable|assessable|informative|analy[sz]able", re.IGNORECASE)


def counts(prose: Prose, *, dropout: bool) -> Mentions:
    """Give what is stated of ``n1``, ``n2``, ``n``, ``total``, ``r1``, ``r`` and ``e1``.

    Parameters
    ----------
    prose : Prose
        The text.
    dropout : bool
        Whether a dropout is stated, so that two numbers of patients may both be right.
    """
    taken = {at for at in prose.numbers if prose.text[at] == "#" and _is_year(prose, at)}
    taken |= _earlier(prose)
    claims: list[Claim] = []
    written = bounds.looks(prose, taken)
    for table in (
        sizes.NO_SIZES, sizes.SLASHES, sizes.REQUIRED, sizes.BOUNDS, sizes.SECOND, sizes.FIRST, sizes.EXPANDED,
        sizes.TOTAL, sizes.SOME,
    ):  # fmt: skip
        claims += claimed(prose, table, taken)
    found: Mentions = {
        "n1": [],
        "n2": [],
        "n": [],
        "expanded": [],
        "some": [],
        "of": [],
        "r1": [],
        "r": [],
        "e1": [],
        "total": [],
    }
    claims = [_of_sum(prose, claim) for claim in claims]
    for claim in claims:
        if claim.role in found and (claim.role not in _PATIENT_ROLES or prose.whole(claim.at) >= LEAST_PATIENTS):
            found[claim.role].append(Mention(prose.whole(claim.at), claim.low, claim.high))
        if claim.role == "of" and _OF_FIRST.search(prose.text[claim.low : claim.at]):
            found["n1"].append(Mention(prose.whole(claim.at), claim.low, claim.high))
    stated = list(bounds.bounds(prose, claims))
    several = len({bound.of for bound in stated if bound.of}) > 1 and len({bound.r for bound in stated}) > 1
    two = bool(_TWO.search(prose.text) or found["n1"] or found["n2"] or several)
    _patients(prose, found, two=two, dropout=dropout)
    places = {c.at: prose.whole(c.at) for c in claims if c.role in ("n1", "n", "some", "expanded", "of")}
    bounds.place(prose, found, stated, places, two=two)
    if written:
        bounds.of_looks(found, written, stated)
    elif len(whole(found["n"])) > 1 and cohorts(prose):  # the bounds are those of one of the cohorts
        found["unplaced"] = [*found["r1"], *found["r"]]
        found["r1"], found["r"] = [], []
    return {name: mentions for name, mentions in found.items() if mentions and name not in ("of", "some", "expanded")}


def _earlier(prose: Prose) -> set[int]:
    """Places of counts that belong to earlier trials: beside a citation, or in a sentence on what such a trial had."""
    found = {
        at
        for remark in _REMARK.finditer(prose.text)
        if re.search(r"\bet al\b", remark[0], re.IGNORECASE)
        or any(_is_year(prose, at) for at in range(*remark.span()) if prose.text[at] == "#")
        for at in range(*remark.span())
        if prose.text[at] == "#"
    }
    found |= {match.start("of") for match in _HAD.finditer(prose.text)}
    for low, high in prose.sentences:
        text = prose.text[low:high]
        if _PAST.search(text) and not _PLANNED.search(text):
            found |= {at for at in range(low, high) if prose.text[at] == "#"}
    return found


def _is_year(prose: Prose, at: int) -> bool:
    return YEARS[0] <= prose.values(at)[0] <= YEARS[1]


_PARTS = {"sum_one": ("n", "n1"), "sum_two": ("other", "n2"), "sum": ("total", "n")}
"""Of "42 + 5 = 47": what each number is where dropout is allowed for, and else."""


def _of_sum(prose: Prose, claim: Claim) -> Claim:
    """A number of a sum is that of the evaluable patients and those added for dropout, or of the two stages."""
    if claim.role not in _PARTS:
        return claim
    low, high = prose.around(claim.at)
    allowed, stages = _PARTS[claim.role]
    near = prose.text[max(0, low - 150) : high]
    return replace(claim, role=allowed if _ALLOWING.search(near) else stages)


def _patients(prose: Prose, found: Mentions, *, two: bool, dropout: bool) -> None:
    """Settle n1, n and total."""
    every = [*found["n"], *found["expanded"], *found["some"]]
    of = [one for one in found["of"] if one not in found["n1"]]
    first, second = whole(found["n1"]), whole(found["n2"])
    if two and not first:
        found["n1"] = _first_of(found, every, of)
        first = whole(found["n1"])
    elif len(first) == 2 and not second and not every:  # "the first 9 ... the first 23"
        found["n"] = [one for one in found["n1"] if one.value == max(first)]
        found["n1"] = [one for one in found["n1"] if one.value == min(first)]
        first, every = whole(found["n1"]), found["n"]
    sizes_known = [value for value in whole([*every, *of]) if value not in first]
    if len(first) == len(second) == 1 and second[0] in sizes_known and first[0] + second[0] not in sizes_known:
        found["expanded"] += found["n2"]  # "stage 2 (n = 29)", both stages together
        found["n2"], second = [], []
    last: list[Mention] = []
    added = False
    if len(first) == len(second) == 1:
        both = first[0] + second[0]
        last = [one for one in (*every, *of) if one.value == both]
        added = not last
        last = last or [Mention(both, found["n2"][0].low, found["n2"][0].high)]
    elif found["expanded"]:
        last = found["expanded"]
    else:
        last = [one for one in of if one.value not in first]
    others = [one for one in every if one.value not in (*first, *second)]
    strong = [one for one in (*found["n"], *found["expanded"]) if one in others]
    if not last:
        last = _evaluable(prose, strong, others, dropout=dropout)
    rest = [one for one in others if one.value not in whole(last)]
    more = [one for one in rest if last and one.number > max(whole(last))]
    fewer = [one for one in rest if one not in more and one in strong]
    if len(whole(more)) > 1:
        more = [one for one in more if one in strong] or more
    found["n"] = [*last, *fewer]
    allowed = dropout or any(_allows(prose, one) for one in more) or any(_marked(prose, one) for one in last)
    if more and not allowed and (added or not (len(second) == 1 and len(first) == 1)):
        found["n"] += more
    elif more:
        found["total"] += more
    alone = len(whole(found["n"])) == 1 and not more and not found["n1"] and not of and not found["total"]
    if alone and not _marked(prose, found["n"][0]) and _before(prose, found["n"][0]):
        found["total"], found["n"] = found["n"], []


def _first_of(found: Mentions, every: list[Mention], of: list[Mention]) -> list[Mention]:
    """Patients of the first stage where no words say so: by the second stage, or by the expansion."""
    second, sizes_of = whole(found["n2"]), whole(of)
    if len(second) == 1:
        added = second[0]
        values = whole([*every, *of])
        fits = [one for one in (*every, *of) if one.number + added in values]
        if fits:
            return fits
        before = [one for one in (*of, *found["some"]) if one.low < found["n2"][0].low]
        return before if len(whole(before)) == 1 else []
    if len(sizes_of) == 2:
        return [one for one in of if one.value == min(sizes_of)]
    if found["expanded"] and len(whole(found["expanded"])) == 1:
        last = found["expanded"][0].number
        less = [one for one in (*of, *every) if one.number < last]
        return less if len(whole(less)) == 1 else []
    total = whole(every)
    if len(sizes_of) == 1 and len(total) == 1 and sizes_of[0] < total[0]:
        return of
    return []


def _evaluable(prose: Prose, strong: list[Mention], every: list[Mention], *, dropout: bool) -> list[Mention]:
    """Of several numbers of patients, the evaluable ones where that is known; else all that are called a total."""
    values = whole(every)
    if len(values) < 2:
        return every
    marked = [one for one in every if _marked(prose, one)]
    if len(whole(marked)) == 1:
        return marked
    allowing = [one for one in every if _allows(prose, one)]
    if len(values) == 2 and (dropout or (len(whole(allowing)) == 1 and allowing[0].value == max(values))):
        return [one for one in every if one.value == min(values)]
    return strong or every


def _marked(prose: Prose, mention: Mention) -> bool:
    """Whether the patients are called evaluable."""
    return bool(_EVALUABLE.search(prose.text[max(mention.low, mention.high - 80) : mention.high + 12]))


def _allows(prose: Prose, mention: Mention) -> bool:
    """Whether the sentence speaks of dropout."""
    low, high = prose.around(mention.low)
    return bool(_ALLOWING.search(prose.text[low:high]))


def _before(prose: Prose, mention: Mention) -> bool:
    """Whether a number of patients follows from an allowance for dropout."""
    low, _ = prose.around(mention.low)
    return bool(
        re.search(
            r"account|allow(?:ing)? for|compensat|inflat|drop-?out|attrition|loss",
            prose.text[low : mention.low],
            re.IGNORECASE,
        )
    )
