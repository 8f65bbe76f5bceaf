"""Which stage each bound of a text belongs to: by its patients, the words around it, or what is decided there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.design.designs import looks_text, parse_looks
from simtrial.errors import InputError
from simtrial.review.section import sizes
from simtrial.review.section.mentions import Mention, Mentions, distinct, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.review.section.patterns import Claim
    from simtrial.review.section.prose import Prose

_FIRST = re.compile(r"stage1|\bfirst\b|\binitial|\binterim\b", re.IGNORECASE)
_SECOND = re.compile(
    r"stage2|\btotal\b|\bfinal|\boverall\b|\badditional\b|\bfurther #|# more\b|\ball #|(?:at|"
    r"by) the end of the (?:study|trial)|both stages",
    re.IGNORECASE,
)
_AFTER = (
    r"^[^¶§…,]{0,60}?\b(?:in|at|during|of|among|from|by the end of|after)(?: the| these| those)? "
    r"(?:end of (?:the )?)?(?:%s)"
)
_AFTER_FIRST = re.compile(_AFTER % "stage1|first|initial|interim", re.IGNORECASE)
_AFTER_SECOND = re.compile(_AFTER % "stage2|total|final|all #|both", re.IGNORECASE)
_GOES_ON = re.compile(
    r"stage2|\b(?:continu|proceed|additional|terminat|stop|close|clos|ends?\b|ended|expan|halt|further (?:patients|"
    r"#|accrual|enrol)|discontinu|futil)",
    re.IGNORECASE,
)
_DECIDES = re.compile(
    r"\b(?:reject|declar|consider|promising|active|warrant|conclud|worth|success|sufficient|efficacious|effective|"
    r"recommend|interest|met\b)",
    re.IGNORECASE,
)
_CHANCE = re.compile(r"\b(?:probability|chance|likelihood) (?:of|to|that)\b[^§,]{0,60}$", re.IGNORECASE)
_EFFICACY = re.compile(r"\befficac|\breject|\beffective|\bsuccess|\bpromising|\bpositive", re.IGNORECASE)
_RULE = re.compile(
    r"\b(?:if|when|unless|reject|stop|terminat|continu|proceed|declar|consider|conclu|warrant|promising|success|"
    r"futil|provided|"
    r"otherwise|sufficient|require|respon|stage[12]|total|activ|deem)|>#/#|≥#/#|≤#/#|…",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class StatedBound:
    """A comparison with a number of responses: r of it, how many patients it is of, and the stage if it is said."""

    r: int
    of: int | None
    claim: Claim
    upper: bool


def bounds(prose: Prose, claims: Sequence[Claim]) -> Iterator[StatedBound]:
    """Every comparison with a number of responses in a sentence that decides something."""
    sizes_of = {(c.low, c.high): prose.whole(c.at) for c in claims if c.role == "of"}
    for claim in claims:
        if claim.role != "bound":
            continue
        sign, value = prose.text[claim.at - 1], prose.whole(claim.at)
        of = sizes_of.get((claim.low, claim.high))
        r = value if sign in "≤>" else value - 1
        low, high = prose.around(claim.at)
        if _CHANCE.search(prose.text[low : claim.at]):
            continue
        if r >= 0 and (of is not None or _RULE.search(prose.text[low:high])) and (of is None or value <= of):
            yield StatedBound(r, of, claim, sign in "≥>")


def looks(prose: Prose, taken: set[int]) -> list[Mention]:
    """Rules that are written whole, such as (1/15, 5/25)."""
    found = []
    for match in sizes.LOOKS.finditer(prose.text):
        name = str(match.lastgroup)
        low, high = match.span(name)
        parts = [str(prose.whole(at)) if prose.text[at] == "#" else prose.text[at] for at in range(low, high)]
        try:
            text = looks_text(parse_looks("".join(parts).replace(" ", "").replace(";", ",")))
        except InputError:
            continue
        taken.update(range(low, high))
        found.append(Mention(text, low, high))
    return found


def of_looks(found: Mentions, written: list[Mention], stated: list[StatedBound]) -> None:
    """Take the rule from where it is written whole; other bounds of the text stay as candidates beside it."""
    values = distinct(written)
    every = parse_looks(str(values[0])).looks
    known = {look.r for look in every} | {look.e - 1 for look in every if look.e is not None}
    others = [bound for bound in stated if bound.r not in known]
    found["looks"] = written + [Mention(bound.r, bound.claim.low, bound.claim.high) for bound in others]
    for name in ("n1", "n2", "n", "r1", "r", "e1", "unplaced"):
        found[name] = []
    if len(values) == 1 and not others:
        found["n"] = [Mention(every[-1].n, written[0].low, written[0].high)]


def place(prose: Prose, found: Mentions, stated: list[StatedBound], places: dict[int, int], *, two: bool) -> None:
    """Settle r1, r and e1."""
    first, last = whole(found["n1"]), whole(found["n"])
    stages: dict[int, list[StatedBound]] = {1: [], 2: []}
    loose = []
    for bound in stated:
        if last and bound.r >= max(last):
            continue
        stage = 2 if not two else _stage(prose, bound, first, last, places)
        if stage:
            stages[stage].append(bound)
        else:
            loose.append(bound)
    if two and not first:  # no words place them
        loose = [bound for bound in stated if bound.of is None and not _said(prose, bound)]
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
    return found is not None and prose.whole(at + found.end() - 1) in first


def _said(prose: Prose, bound: StatedBound) -> bool:
    """Whether the words before a bound name a stage."""
    before = prose.text[prose.around(bound.claim.at)[0] : bound.claim.at]
    return bool(_FIRST.search(before) or _SECOND.search(before))


def _together(prose: Prose, one: StatedBound, other: StatedBound) -> bool:
    """Whether two bounds stand in one sentence, without a word on further patients between them."""
    between = prose.text[one.claim.at : other.claim.at]
    return "¶" not in between and one.claim.at < other.claim.at and not _SECOND.search(between)


def _effective(prose: Prose, bound: StatedBound) -> bool:
    """Whether the clause of a bound speaks of success."""
    low, high = prose.around(bound.claim.at)
    before = re.split(r"[≥≤<>]#", prose.text[low : bound.claim.at - 1])[-1]
    after = re.split(r"[≥≤<>]#", prose.text[bound.claim.at : high])[0]
    return bool(_EFFICACY.search(before) or _EFFICACY.search(after))


def _stage(prose: Prose, bound: StatedBound, first: list[int], last: list[int], places: dict[int, int]) -> int:
    """The stage of a bound: by its patients, the words before and after it, or what is decided; 0 if none says."""
    if bound.of is not None and (bound.of in first) != (bound.of in last):
        return 1 if bound.of in first else 2
    low, high = prose.around(bound.claim.at)
    before, after = prose.text[low : bound.claim.at], prose.text[bound.claim.at : high]
    behind = [
        (found.end(), stage) for stage, one in ((1, _AFTER_FIRST), (2, _AFTER_SECOND)) if (found := one.search(after))
    ]
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
