"""Which of the counts of a text are the bounds of the rule, the patients of its stages, and the patients to be enrolled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.review.section import sizes
from simtrial.review.section.mentions import Mention, Mentions, distinct
from simtrial.review.section.patterns import Claim, claimed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simtrial.review.section.prose import Prose

YEARS = (1900, 2100)
"""Whole numbers that are years."""

_TWO = re.compile(r"two-stage|stage[12]|\binterim\b|simon", re.IGNORECASE)
_FIRST = re.compile(r"stage1|\bfirst\b|\binitial|\binterim\b", re.IGNORECASE)
_SECOND = re.compile(
    r"stage2|\btotal\b|\bfinal|\boverall\b|\badditional\b|\bfurther #|# more\b|\ball #|(?:at|by) the end of the (?:study|trial)|both stages",
    re.IGNORECASE,
)
_OF_FIRST = re.compile(r"\b(?:first|initial) $", re.IGNORECASE)
_AFTER_FIRST = re.compile(
    r"^[^¶§…,]{0,60}?\b(?:in|at|during|of|among|from|by the end of|after)(?: the| these| those)? (?:end of (?:the )?)?(?:stage1|first|initial|interim)",
    re.IGNORECASE,
)
_AFTER_SECOND = re.compile(
    r"^[^¶§…,]{0,60}?\b(?:in|at|during|of|among|from|by the end of|after)(?: the| these| those)? (?:end of (?:the )?)?(?:stage2|total|final|all #|both)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"stage2|\b(?:continu|proceed|additional|terminat|stop|close|clos|ends?\b|ended|expan|halt|further (?:patients|#|accrual|enrol)|discontinu|futil)",
    re.IGNORECASE,
)
_DECIDES = re.compile(
    r"\b(?:reject|declar|consider|promising|active|warrant|conclud|worth|success|sufficient|efficacious|effective|recommend|interest|met\b)",
    re.IGNORECASE,
)
_EFFICACY = re.compile(r"\befficac|\breject|\beffective|\bsuccess|\bpromising|\bpositive", re.IGNORECASE)
_RULE = re.compile(
    r"\b(?:if|when|unless|reject|stop|terminat|continu|proceed|declar|consider|conclu|warrant|promising|success|futil|provided|"
    r"otherwise|sufficient|require|respon|stage[12]|total|activ|deem)|>#/#|≥#/#|≤#/#|…",
    re.IGNORECASE,
)
_ALLOWING = re.compile(
    r"account|allow|compensat|replac|inflat|dropout|drop-out|drop out|attrition|loss|evaluable", re.IGNORECASE
)
_EVALUABLE = re.compile(r"evaluable|assessable|informative|analy[sz]able", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Bound:
    """A comparison with a number of responses: r of it, how many patients it is of, and the stage if it is said."""

    r: int
    of: int | None
    claim: Claim
    upper: bool


def counts(prose: Prose, *, dropout: bool) -> Mentions:
    """Give what is stated of ``n1``, ``n2``, ``n``, ``total``, ``r1``, ``r`` and ``e1``.

    Parameters
    ----------
    prose : Prose
        The text.
    dropout : bool
        Whether a dropout is stated, so that two numbers of patients may both be right.
    """
    taken = {at for at, one in prose.numbers.items() if prose.text[at] == "#" and YEARS[0] <= one.values[0] <= YEARS[1]}
    claims: list[Claim] = []
    for table in (
        sizes.NO_SIZES, sizes.SLASHES, sizes.REQUIRED, sizes.BOUNDS, sizes.SECOND, sizes.FIRST, sizes.EXPANDED,
        sizes.TOTAL, sizes.SOME,
    ):  # fmt: skip
        claims += claimed(prose, table, taken)
    found: Mentions = {"n1": [], "n2": [], "n": [], "expanded": [], "some": [], "of": [], "r1": [], "r": [], "e1": []}
    for claim in claims:
        if claim.role in found:
            found[claim.role].append(Mention(_whole(prose, claim.at), claim.low, claim.high))
        if claim.role == "of" and _OF_FIRST.search(prose.text[claim.low : claim.at]):
            found["n1"].append(Mention(_whole(prose, claim.at), claim.low, claim.high))
    bounds = list(_bounds(prose, claims))
    several = len({bound.of for bound in bounds if bound.of}) > 1 and len({bound.r for bound in bounds}) > 1
    two = bool(_TWO.search(prose.text) or found["n1"] or found["n2"] or several)
    _patients(prose, found, two=two, dropout=dropout)
    places = {c.at: _whole(prose, c.at) for c in claims if c.role in ("n1", "n", "some", "expanded", "of")}
    _rules(prose, found, bounds, places, two=two)
    return {name: mentions for name, mentions in found.items() if mentions and name not in ("of", "some", "expanded")}


def _whole(prose: Prose, at: int) -> int:
    return int(prose.values(at)[0])


def _bounds(prose: Prose, claims: Iterable[Claim]) -> Iterable[_Bound]:
    claims = list(claims)
    for claim in claims:
        if claim.role != "bound":
            continue
        sign, value = prose.text[claim.at - 1], _whole(prose, claim.at)
        of = next(
            (_whole(prose, c.at) for c in claims if c.role == "of" and (c.low, c.high) == (claim.low, claim.high)), None
        )
        r = value if sign in "≤>" else value - 1
        low, high = prose.around(claim.at)
        if r >= 0 and (of is not None or _RULE.search(prose.text[low:high])) and (of is None or value <= of):
            yield _Bound(r, of, claim, sign in "≥>")


def _patients(prose: Prose, found: Mentions, *, two: bool, dropout: bool) -> None:
    """Settle n1, n and total."""
    every = [*found["n"], *found["expanded"], *found["some"]]
    of = [one for one in found["of"] if one not in found["n1"]]
    first, second = distinct(found["n1"]), distinct(found["n2"])
    if two and not first:
        found["n1"] = _first_of(found, every, of)
        first = distinct(found["n1"])
    elif len(first) == 2 and not second and not every:  # "the first 9 ... the first 23"
        found["n"] = [one for one in found["n1"] if one.value == max(first)]
        found["n1"] = [one for one in found["n1"] if one.value == min(first)]
        first, every = distinct(found["n1"]), found["n"]
    sizes_known = [value for value in distinct([*every, *of]) if value not in first]
    if len(first) == len(second) == 1 and second[0] in sizes_known and first[0] + second[0] not in sizes_known:
        found["expanded"] += found["n2"]  # "stage 2 (n = 29)", both stages together
        found["n2"], second = [], []
    last: list[Mention] = []
    if len(first) == len(second) == 1:
        whole = first[0] + second[0]
        last = [one for one in (*every, *of) if one.value == whole]
        last = last or [Mention(whole, found["n2"][0].low, found["n2"][0].high)]
    elif found["expanded"]:
        last = found["expanded"]
    else:
        last = [one for one in of if one.value not in first]
    others = [one for one in every if one.value not in (*first, *second)]
    strong = [one for one in (*found["n"], *found["expanded"]) if one in others]
    if not last:
        last = _evaluable(prose, strong, others, dropout=dropout)
    rest = [one for one in others if one.value not in distinct(last)]
    more = [one for one in rest if last and one.value > max(distinct(last))]
    fewer = [one for one in rest if one not in more and one in strong]
    if len(distinct(more)) > 1:
        more = [one for one in more if one in strong] or more
    found["n"] = [*last, *fewer]
    allowed = dropout or any(_allows(prose, one) for one in more) or any(_marked(prose, one) for one in last)
    if more and not allowed and not (len(second) == 1 and len(first) == 1):
        found["n"] += more
    elif more:
        found["total"] = more
    if len(distinct(found["n"])) == 1 and not more and not found["n1"] and not of and _before(prose, found["n"][0]):
        found["total"], found["n"] = found["n"], []


def _first_of(found: Mentions, every: list[Mention], of: list[Mention]) -> list[Mention]:
    """Patients of the first stage where no words say so: by the second stage, or by the expansion."""
    second, sizes_of = distinct(found["n2"]), distinct(of)
    if len(second) == 1:
        added = second[0]
        values = distinct([*every, *of])
        fits = [one for one in (*every, *of) if one.value + added in values]
        if fits:
            return fits
        before = [one for one in (*of, *found["some"]) if one.low < found["n2"][0].low]
        return before if len(distinct(before)) == 1 else []
    if len(sizes_of) == 2:
        return [one for one in of if one.value == min(sizes_of)]
    if found["expanded"] and len(distinct(found["expanded"])) == 1:
        last = found["expanded"][0].value
        less = [one for one in (*of, *every) if one.value < last]
        return less if len(distinct(less)) == 1 else []
    total = distinct(every)
    if len(sizes_of) == 1 and len(total) == 1 and sizes_of[0] < total[0]:
        return of
    return []


def _evaluable(prose: Prose, strong: list[Mention], every: list[Mention], *, dropout: bool) -> list[Mention]:
    """Of several numbers of patients, the evaluable ones where that is known; else all that are called a total."""
    values = distinct(every)
    if len(values) < 2:
        return every
    marked = [one for one in every if _marked(prose, one)]
    if len(distinct(marked)) == 1:
        return marked
    allowing = [one for one in every if _allows(prose, one)]
    if len(values) == 2 and (dropout or (len(distinct(allowing)) == 1 and allowing[0].value == max(values))):
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
    return bool(re.search(r"account|allow(?:ing)? for|compensat|inflat", prose.text[low : mention.low], re.IGNORECASE))


def _rules(prose: Prose, found: Mentions, bounds: list[_Bound], places: dict[int, int], *, two: bool) -> None:
    """Settle r1, r and e1."""
    first, last = distinct(found["n1"]), distinct(found["n"])
    stages: dict[int, list[_Bound]] = {1: [], 2: []}
    loose = []
    for bound in bounds:
        if last and bound.r >= max(last):
            continue
        stage = 2 if not two else _stage(prose, bound, first, last, places)
        if stage:
            stages[stage].append(bound)
        else:
            loose.append(bound)
    if two and not first:  # no words place them
        loose = [bound for bound in bounds if bound.of is None and not _said(prose, bound)]
        if len({bound.r for bound in loose}) > 1:
            found["unplaced"] = [Mention(bound.r, bound.claim.low, bound.claim.high) for bound in loose]
            return
    known = {bound.r for one in stages.values() for bound in one}
    loose = [bound for bound in loose if bound.r not in known]
    for bound in loose:
        stages[1 if not stages[1] and (not stages[2] or bound.r < stages[2][0].r) else 2].append(bound)
    for bound in list(stages[2]):  # "stops if 3 or fewer and is declared effective if 7 or more respond"
        beside = [b for b in stages[1] if not b.upper and b.r < bound.r and _together(prose, b, bound)]
        if beside and bound.upper and bound.of is None and _effective(prose, bound):
            stages[2].remove(bound)
            stages[1].append(bound)
    low = [bound for bound in stages[1] if not bound.upper]
    high = [bound for bound in stages[1] if bound.upper]
    if low and high and min(b.r for b in high) > max(b.r for b in low) and all(_effective(prose, b) for b in high):
        found["e1"] = [Mention(bound.r + 1, bound.claim.low, bound.claim.high) for bound in high]
        stages[1] = low
    complements = {bound.r for bound in stages[1]}
    if any(bound.r not in complements for bound in stages[2]):  # "if 6 or more, the trial continues to stage 2"
        stages[2] = [bound for bound in stages[2] if bound.r not in complements]
    for name, stage in (("r1", 1), ("r", 2)):
        found[name] += [Mention(bound.r, bound.claim.low, bound.claim.high) for bound in stages[stage]]


def _is_first(prose: Prose, at: int, first: list[int]) -> bool:
    """Whether the words "a total of" at a place are about the patients of the first stage."""
    found = re.match(r" (?:number )?(?:of )?#", prose.text[at : at + 14])
    return found is not None and _whole(prose, at + found.end() - 1) in first


def _said(prose: Prose, bound: _Bound) -> bool:
    """Whether the words before a bound name a stage."""
    before = prose.text[prose.around(bound.claim.at)[0] : bound.claim.at]
    return bool(_FIRST.search(before) or _SECOND.search(before))


def _together(prose: Prose, one: _Bound, other: _Bound) -> bool:
    """Whether two bounds stand in one sentence, without a word on further patients between them."""
    between = prose.text[one.claim.at : other.claim.at]
    return "¶" not in between and one.claim.at < other.claim.at and not _SECOND.search(between)


def _effective(prose: Prose, bound: _Bound) -> bool:
    """Whether the clause of a bound speaks of success."""
    low, high = prose.around(bound.claim.at)
    before = re.split(r"[≥≤<>]#", prose.text[low : bound.claim.at - 1])[-1]
    after = re.split(r"[≥≤<>]#", prose.text[bound.claim.at : high])[0]
    return bool(_EFFICACY.search(before) or _EFFICACY.search(after))


def _stage(prose: Prose, bound: _Bound, first: list[int], last: list[int], places: dict[int, int]) -> int:
    """The stage of a bound: by its patients, the words before and after it, or what is decided; 0 if none says."""
    if bound.of is not None and (bound.of in first) != (bound.of in last):
        return 1 if bound.of in first else 2
    low, high = prose.around(bound.claim.at)
    before, after = prose.text[low : bound.claim.at], prose.text[bound.claim.at : high]
    behind = [(found.end(), stage) for stage, one in ((1, _AFTER_FIRST), (2, _AFTER_SECOND)) if (found := one.search(after))]
    if behind:
        return min(behind)[1]
    marks = [
        (found.start(), stage)
        for stage, one in ((1, _FIRST), (2, _SECOND))
        for found in one.finditer(before)
        if not _is_first(prose, low + found.end(), first)
    ]
    marks += [
        (at - low, 1 if value in first else 2)
        for at, value in places.items()
        if low <= at < bound.claim.at and (value in first) != (value in last)
    ]
    if marks:
        return max(marks)[1]
    return _action(before, after)


def _action(before: str, after: str) -> int:
    """The stage by what is decided: what stands before "if", where something does; else what stands after the bound."""
    clause = re.split(r"[≥≤<>]#", before)[-1]
    condition = re.search(r"\b(?:if|when|unless|provided)\b[^,]*$", clause, re.IGNORECASE)
    head = clause[: condition.start()] if condition else ""
    for text in (head, re.split(r"[≥≤<>]#", after[1:])[0] if "#" in after[:1] else after):
        goes, decides = bool(_GOES_ON.search(text)), bool(_DECIDES.search(text))
        if goes != decides:
            return 1 if goes else 2
    return 0


def _is_first(prose: Prose, at: int, first: list[int]) -> bool:
    """Whether the words "a total of" at a place are about the patients of the first stage."""
    found = re.match(r" (?:number )?(?:of )?#", prose.text[at : at + 14])
    return found is not None and _whole(prose, at + found.end() - 1) in first


def _said(prose: Prose, bound: _Bound) -> bool:
    """Whether the words before a bound name a stage."""
    before = prose.text[prose.around(bound.claim.at)[0] : bound.claim.at]
    return bool(_FIRST.search(before) or _SECOND.search(before))


def _together(prose: Prose, one: _Bound, other: _Bound) -> bool:
    """Whether two bounds stand in one sentence, without a word on further patients between them."""
    between = prose.text[one.claim.at : other.claim.at]
    return "¶" not in between and one.claim.at < other.claim.at and not _SECOND.search(between)


def _effective(prose: Prose, bound: _Bound) -> bool:
    return bool(_EFFICACY.search(prose.text[bound.claim.at : prose.around(bound.claim.at)[1]]))


def _stage(prose: Prose, bound: _Bound, first: list[int], last: list[int], places: dict[int, int]) -> int:
    """The stage of a bound: by its patients, the words before and after it, or what is decided; 0 if none says."""
    if bound.of is not None and (bound.of in first) != (bound.of in last):
        return 1 if bound.of in first else 2
    low, high = prose.around(bound.claim.at)
    before, after = prose.text[low : bound.claim.at], prose.text[bound.claim.at : high]
    behind = [(found.end(), stage) for stage, one in ((1, _AFTER_FIRST), (2, _AFTER_SECOND)) if (found := one.search(after))]
    if behind:
        return min(behind)[1]
    marks = [
        (found.start(), stage)
        for stage, one in ((1, _FIRST), (2, _SECOND))
        for found in one.finditer(before)
        if not _is_first(prose, low + found.end(), first)
    ]
    marks += [
        (at - low, 1 if value in first else 2)
        for at, value in places.items()
        if low <= at < bound.claim.at and (value in first) != (value in last)
    ]
    if marks:
        return max(marks)[1]
    goes, decides = _GOES_ON.search(after), _DECIDES.search(after)
    if goes and not decides:
        return 1
    if decides and not goes:
        return 2
    return 0
