"""The ten elements that ICH M11 asks of a sample-size section (10.11), as a text states them.

Nothing is guessed. An element that no pattern fits is missing; one with several values is ambiguous and has them all as
candidates, none of which enters the statement.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from simtrial.design.designs import looks_text, parse_looks
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.review.section import context, rates, words
from simtrial.review.section.counts import counts
from simtrial.review.section.mentions import Mention, Mentions, distinct
from simtrial.review.section.patterns import Claim, claimed
from simtrial.review.section.prose import Prose, prose
from simtrial.trial.statement import METHODS, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Status: TypeAlias = Literal["found", "missing", "contradicted", "ambiguous"]
ElementValue: TypeAlias = "float | str | dict[str, int | str | None] | None"

MOST_NUMBERS = 600
"""Most numbers of a section; a real one has some 30."""

NAMES = ("p0", "p1", "alpha", "sidedness", "power", "method", "rule", "n", "dropout", "source")
"""The elements, in the order in which they are given."""

_PARTS = {
    "p0": ("p0",), "p1": ("p1",), "alpha": ("alpha",), "sidedness": ("alpha_sided",), "power": ("power",),
    "method": ("criterion",), "rule": ("looks", "r1", "r", "e1", "unplaced"), "n": ("n1", "n", "total"),
    "dropout": ("dropout",), "source": ("source",),
}  # fmt: skip
"""What each element is made of."""


@dataclass(frozen=True, slots=True)
class Element:
    """One of the ten elements.

    Attributes
    ----------
    name : str
        One of `NAMES`.
    status : str
        ``found``, ``missing``, ``ambiguous`` (several values, none is taken) or ``contradicted`` by the exact
        calculation.
    value : float, str or dict
        As stated; of ``rule`` r1, n1, r, n and the looks where it is whole, of ``n`` the evaluable and the total
        number; None where it is missing or ambiguous.
    quote : str, optional
        The words in which it is stated first, as they were written.
    paragraph : int, optional
        Where they stand, from 1.
    quotes : tuple of str
        All words in which it is stated: a rule has several bounds.
    exact : float, str or dict, optional
        What the exact calculation gives in its place.
    candidates : tuple of (value, str)
        Of an ambiguous element, every value with its words.
    """

    name: str
    status: Status
    value: ElementValue
    quote: str | None
    _: KW_ONLY
    paragraph: int | None = None
    quotes: tuple[str, ...] = ()
    exact: ElementValue = None
    candidates: tuple[tuple[float | str, str], ...] = ()


@dataclass(frozen=True)
class StatedSection:
    """What a text states.

    Attributes
    ----------
    elements : tuple of Element
        All ten, found or not.
    statement : Statement
        The values that are clear, for `simtrial.review.check.check`.
    refused : InputError, optional
        Why a value could not enter the statement.
    searched : (float, float), optional
        The response rates at which the design is said to have been searched, where these allow for the dropout.
    """

    elements: tuple[Element, ...]
    statement: Statement
    refused: tuple[InputError, ...] = field(default=())
    searched: tuple[float, float] | None = None

    def __getitem__(self, name: str) -> Element:
        return next(one for one in self.elements if one.name == name)


def _rates(text: Prose) -> Mentions:
    """Alpha, power, dropout and the response rates."""
    taken: set[int] = set()
    claims: list[Claim] = []
    for table in (
        rates.NO_RESPONSE_RATES, rates.AS_RUN, rates.ERRORS, rates.LOOSE_ERRORS, rates.STATED, rates.DROPOUTS,
        rates.HYPOTHESES,
    ):  # fmt: skip
        claims += claimed(text, table, taken)
    null = {v for claim in claims if claim.role == "p0" for v in text.values(claim.at)}
    # "H1: p > 10%" repeats the null rate
    claims = [c for c in claims if c.role != "p1" or not set(text.values(c.at)) <= null]
    named = {claim.role for claim in claims}
    claims += claimed(text, rates.PROBABILITIES, taken)
    claims += context.hypotheses(text, claimed(text, rates.PAIRS, taken), named & {"p0", "p1"})
    worded = claimed(text, rates.WORDED, taken, named)
    claims += [claim for claim in worded if claim.role not in named]  # a symbol or a name goes before an adjective
    found: Mentions = {}
    for claim in claims:
        for role in {"both": ("alpha", "beta")}.get(claim.role, (claim.role,)):
            found.setdefault(role, []).extend(Mention(v, claim.low, claim.high) for v in text.values(claim.at))
    for mention in found.pop("beta", []):
        power = Mention(round(1 - float(mention.value), 10), mention.low, mention.high)
        found.setdefault("power", []).append(power)
    _pairs(found)
    found.pop("other", None)
    return found


def _pairs(found: Mentions) -> None:
    """Two rates of which the words do not say which is which: the larger is p1 where the power is for the first."""
    for one, two in zip(found.pop("first", []), found.pop("second", []), strict=True):
        p0, p1 = distinct(found.get("p0", ())), distinct(found.get("p1", ()))
        if not p0 and not p1 and one.low == two.low and one.number > two.number:
            found["p1"], found["p0"] = [one], [two]
        elif not p0 and len(p1) == 1 and p1[0] in (one.value, two.value):
            found["p0"] = [two if one.value == p1[0] else one]
        elif not p1 and len(p0) == 1 and p0[0] in (one.value, two.value):
            found["p1"] = [two if one.value == p0[0] else one]


def read(written: str, rows: Sequence[tuple[int, int]] = ()) -> StatedSection:
    """Find the ten elements in a text.

    Parameters
    ----------
    written : str
        The section, with empty lines between paragraphs.
    rows : sequence of (int, int), optional
        Where rows of tables stand in it, which are context; see `simtrial.review.section.context`.

    Returns
    -------
    StatedSection
        All elements with their words, and the statement that they make.

    Raises
    ------
    InputError
        If it has more numbers than a section has.
    """
    text = prose(written)
    if len(text.numbers) > MOST_NUMBERS:
        raise InputError(
            f"has {counted(len(text.numbers), 'number')}; at most {MOST_NUMBERS:,} are checked. Save the sample-size "
            "section as a file of its own"
        )
    found: Mentions = {}
    readings = context.readings(text, rows)
    for k, (reading, only) in enumerate(readings):
        if k and k == len(readings) - 1 and any(found.values()):
            break  # the whole text is for one that states nothing else
        more = _found(reading)
        lacking = [name for name in only or NAMES if not any(found.get(part) for part in _PARTS[name])]
        found |= {part: more.get(part, []) for name in lacking for part in _PARTS[name]}
        for together in (_PRINTED, _SEARCHED):
            if not any(part in found for part in together):
                found |= {part: more[part] for part in together if part in more}
    found["source"] = words.sources(text)
    statement, refused = _statement(found)
    p0, p1 = (_single(found, name) for name in _SEARCHED)
    searched = None if p0 is None or p1 is None else (float(p0), float(p1))
    every = tuple(_element(name, text, found, statement) for name in NAMES)
    return StatedSection(every, statement, refused, searched)


def _found(text: Prose) -> Mentions:
    """Every value of one reading of a text, but the source."""
    found = _rates(text)
    found |= counts(text, dropout="dropout" in found)
    found["criterion"] = words.methods(text)
    found["alpha_sided"] = words.sides(text)
    return found


def _single(found: Mentions, name: str) -> float | str | None:
    values = distinct(found.get(name, ()))
    return values[0] if len(values) == 1 else None


_NUMBERS = ("p0", "p1", "alpha", "power", "alpha_sided", "r1", "n1", "r", "n", "total", "dropout")
_PRINTED = ("type_i_error", "attained_power", "pet_p0")
"""Attained values, which belong together."""
_SEARCHED = ("searched_p0", "searched_p1")


def _statement(found: Mentions) -> tuple[Statement, tuple[InputError, ...]]:
    """The statement of the clear values; what it refuses is left out, with the reason."""
    values: dict[str, object] = {name: _single(found, name) for name in (*_NUMBERS, *_PRINTED)}
    method = _single(found, "criterion")
    key = words.CRITERIA.get(str(method), method)
    values["criterion"] = key if key in METHODS else None
    if values["total"] is not None and (values["dropout"] is None or values["total"] == values["n"]):
        values["total"] = None  # of other groups of patients, as far as is known
    if values["criterion"] == "fleming" and values["n1"] is not None:
        values["criterion"] = "two_stage"
    bounds, whole = _single(found, "e1"), _single(found, "looks")
    refused: list[InputError] = []
    for _ in range(8):
        try:
            if whole is not None:
                rest = {name: value for name, value in values.items() if name not in ("r1", "n1", "r", "n")}
                return Statement.of_looks(str(whole), **rest), tuple(refused)
            if bounds is not None and all(values[name] is not None for name in ("r1", "n1", "r", "n")):
                looks = f"{values['r1']}:{bounds}/{values['n1']},{values['r']}/{values['n']}"
                rest = {name: value for name, value in values.items() if name not in ("r1", "n1", "r", "n")}
                return Statement.of_looks(looks, **rest), tuple(refused)
            return Statement(**values), tuple(refused)  # type: ignore[arg-type]  # checked by the class
        except InputError as error:
            refused.append(error)
            wrong = error.field if values.get(error.field) is not None else ""
            if not wrong:
                bounds = whole = None
                values |= {"r1": None, "r": None}
            else:
                values[wrong] = None
    return Statement(), tuple(refused)


def _element(name: str, text: Prose, found: Mentions, statement: Statement) -> Element:
    parts = [(part, found.get(part, [])) for part in _PARTS[name]]
    mentions = [one for _, several in parts for one in several]
    if not mentions:
        return Element(name, "missing", None, None)
    first = min(mentions, key=lambda one: one.low)
    place = text.paragraph(first.low)
    several = [one for part, values in parts if len(distinct(values)) > 1 or part == "unplaced" for one in values]
    if several:
        several.sort(key=lambda one: one.low)
        seen = {one.value: text.quote(one.low, one.high) for one in reversed(several)}
        candidates = tuple((value, seen[value]) for value in distinct(several))
        quotes = tuple(dict.fromkeys(quote for _, quote in candidates))
        return Element(name, "ambiguous", None, quotes[0], paragraph=place, quotes=quotes, candidates=candidates)
    value = _value(name, found, statement)
    if value is None:
        return Element(name, "missing", None, None)
    quotes = _quotes(text, mentions)
    return Element(name, "found", value, quotes[0], paragraph=place, quotes=quotes)


def _value(name: str, found: Mentions, statement: Statement) -> ElementValue:
    """The value of an element whose parts are clear."""
    if name == "rule":
        whole = _single(found, "looks")
        if whole is not None:
            return _looks(str(whole))
        parts: dict[str, int | str | None] = {part: _count(found, part) for part in ("r1", "n1", "r", "n")}
        if _count(found, "e1") is not None:
            parts["e1"] = _count(found, "e1")
        if parts["r1"] is None and parts["r"] is None and "e1" not in parts:
            return None
        return parts | {"looks": None if statement.design is None else looks_text(statement.design)}
    if name == "n":
        evaluable, total = _count(found, "n"), _count(found, "total")
        if evaluable is None and total is None:
            return None
        return {"evaluable": evaluable, "total": total}
    return _single(found, _PARTS[name][0])


def _looks(whole: str) -> dict[str, int | str | None]:
    """The parts of a rule that is written whole."""
    *interim, last = parse_looks(whole).looks
    first = interim[0] if interim else None
    parts: dict[str, int | str | None] = {
        "r1": first.r if first else None, "n1": first.n if first else None, "r": last.r, "n": last.n,
    }  # fmt: skip
    if first is not None and first.e is not None:
        parts["e1"] = first.e
    return parts | {"looks": whole}


def _count(found: Mentions, name: str) -> int | None:
    value = _single(found, name)
    return None if value is None else int(value)


def _quotes(text: Prose, mentions: Iterable[Mention]) -> tuple[str, ...]:
    """The words of an element in the order of the text; none that lie within others."""
    seen: list[str] = []
    last = -1
    for one in sorted(mentions, key=lambda one: (one.low, -one.high)):
        if one.high > last:
            seen.append(text.quote(one.low, one.high))
            last = one.high
    return tuple(dict.fromkeys(seen))
