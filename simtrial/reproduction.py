"""Whether a stated sample size can be reproduced, and if not, what is wrong.

A statement is first read plainly: alpha on one side unless it is called two-sided, the criterion as named (minimax or
optimal where it is not), the exact search without a limit, losses allowed for by n / (1 - d) rounded up; where p0 is
above p1, failures are counted. If that does not give what is stated, the conventions of `CONVENTIONS` are tried one by
one, then in pairs; never more, since enough conventions explain anything. The fewest that explain it are named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, product, takewhile
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from simtrial import search
from simtrial.approximations import FORMULAS, approximate
from simtrial.designs import SingleStage, looks_text, parse_looks
from simtrial.errors import InputError
from simtrial.exact import at_limits, meets, operating_characteristics, side
from simtrial.inflation import enrolled_for
from simtrial.requirements import Requirements, decimal
from simtrial.scan import score_n

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from simtrial.designs import Design
    from simtrial.search import SingleStageSearch, TwoStageSearch
    from simtrial.statement import Statement

EXACT = ("minimax", "optimal", "first n", "sustained n", "admissible")
"""Methods whose answers come from the exact search; all others are formulas."""

Kind = Literal["reproduces", "reproduces with a convention", "does not reproduce", "underspecified"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one method gives: a whole two-stage or single-stage rule."""

    method: str
    r: int
    n: int
    r1: int | None = None
    n1: int | None = None

    @property
    def looks(self) -> str:
        """As ``1/10,5/29``."""
        return f"{self.r}/{self.n}" if self.n1 is None else f"{self.r1}/{self.n1},{self.r}/{self.n}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a statement.

    Attributes
    ----------
    statement : Statement
        With its numbers as understood.
    methods : tuple of str
        Which answers count.
    alpha_slack, power_slack : float
        By how much the limits may be missed.
    search_limit : int, optional
        Largest n searched.
    rounding : str
        How totals allow for losses: see `_totals`.
    stages_inflated : bool
        Whether the stages stated allow for losses already, the bounds being those of the evaluable patients.
    """

    statement: Statement
    methods: tuple[str, ...]
    alpha_slack: float = 0.0
    power_slack: float = 0.0
    search_limit: int | None = None
    rounding: str = "n/(1 - d), rounded up"
    stages_inflated: bool = False


@dataclass(frozen=True, slots=True)
class Convention:
    """A habit of others that changes what a statement means.

    Attributes
    ----------
    name : str
        Short, as in the JSON.
    sentence : str
        What it is.
    readings : callable
        The readings it makes of one; none where it does not apply.
    kind : str
        What it is about, for `goes_with`.
    """

    name: str
    sentence: str
    readings: Callable[[Reading], Iterable[Reading]]
    kind: Literal["other", "losses", "sides", "formula", "rounded formula"] = "other"

    def goes_with(self, other: Convention) -> bool:
        """Whether two make a pair: formulas go with losses and sides of alpha, odd roundings with losses."""
        partners = {"formula": ("losses", "sides"), "rounded formula": ("losses",)}
        return all(a.kind not in partners or b.kind in partners[a.kind] for a, b in ((self, other), (other, self)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check.

    Attributes
    ----------
    kind : str
        One of the four verdicts.
    conventions : tuple of Convention
        Those that it takes, at most two.
    answers : tuple of Answer
        What the statement should have said, or what it agrees with; the candidates where it is underspecified.
    attained : dict of str to float
        Exact type I error and power of the rule as stated, and EN and PET at p0, where they can be computed; of the
        exact test of n where n alone is stated.
    explanation : str
        In words.
    candidates : tuple of Requirements
        Completions that reproduce an underspecified statement.
    """

    kind: Kind
    conventions: tuple[Convention, ...]
    answers: tuple[Answer, ...]
    attained: dict[str, float]
    explanation: str
    candidates: tuple[Requirements, ...] = ()


@lru_cache(maxsize=4096)
def _two(asked: Requirements) -> TwoStageSearch | None:
    try:
        return search.two_stage(asked)
    except InputError:
        return None


@lru_cache(maxsize=4096)
def _one(asked: Requirements) -> SingleStageSearch | None:
    try:
        return search.single_stage(asked)
    except InputError:
        return None


def _limits(reading: Reading) -> Requirements | None:
    asked = reading.statement.requirements
    if asked is None or not (reading.alpha_slack or reading.power_slack):
        return asked
    try:
        # the slack is that of alpha as stated: half of it on each side where that is two-sided
        alpha = decimal(asked.alpha) + decimal(reading.alpha_slack) / (reading.statement.alpha_sided or 1)
        power = decimal(asked.power) - decimal(reading.power_slack)
        return Requirements(asked.p0, asked.p1, float(alpha), float(power))
    except InputError:
        return None


def answers(reading: Reading) -> Iterator[Answer]:
    """What the methods of a reading give for its requirements."""
    asked = _limits(reading)
    if asked is None:
        return
    if {"minimax", "optimal", "admissible"} & set(reading.methods):
        found = _two(asked)
        if found is not None:
            few = [c for c in found.frontier if reading.search_limit is None or c.n <= reading.search_limit]
            named = {"minimax": few[:1], "optimal": few[-1:], "admissible": found.admissible[1:-1]}
            for method in ("minimax", "optimal", "admissible"):
                if method in reading.methods:
                    yield from (Answer(method, c.r, c.n, c.r1, c.n1) for c in named[method])
    if {"first n", "sustained n"} & set(reading.methods):
        single = _one(asked)
        if single is not None:
            for method, c in (("first n", single.first), ("sustained n", single.sustained)):
                if method in reading.methods:
                    yield Answer(method, c.r, c.n)
    yield from _estimates(reading, asked)
    # a formula solves for its limits exactly: there is no slack to take
    slack = reading.alpha_slack or reading.power_slack
    if not slack and any(f.method in method for method in reading.methods for f in FORMULAS):
        for rule in approximate(asked):
            for suffix, n in (("", rule.n), (", nearest", round(rule.n_raw)), (", truncated", math.floor(rule.n_raw))):
                # of some tiny n the formula's rule would never reject, which is no design
                if rule.method + suffix in reading.methods and n > rule.r:
                    yield Answer(f"{rule.method}{suffix}", rule.r, n)


HALF_WIDTHS = (0.2, 0.15, 0.1, 0.05)
STANDARD_ERRORS = (0.1, 0.05)
"""What estimates are planned for: half-widths of a 95% interval, and Gehan's standard errors."""


def precision_n(rate: float, half_width: float) -> int:
    """Patients for a 95% Wald interval of a half-width: z^2 p q / w^2, rounded up."""
    z = NormalDist().inv_cdf(0.975)
    return math.ceil(z**2 * rate * (1 - rate) / half_width**2 - 1e-9)


def gehan_n(p1: float, power: float, error: float) -> tuple[int, int]:
    """Gehan's two numbers: ln(beta) / ln(1 - p1), and what holds the standard error at its largest, at p = 1/2."""
    first = math.ceil(math.log(1 - power) / math.log(1 - p1) - 1e-9)
    return first, max(first + 1, math.ceil(0.25 / error**2 - 1e-9))


def _estimates(reading: Reading, asked: Requirements) -> Iterator[Answer]:
    """Sizes that come from the precision of an estimate, if they suffice for the test that is stated too.

    A statement with a p1 and a power speaks of a test: a size that lacks the power is no reading of it.
    """

    def rule(n: int) -> int:
        return int(search.smallest_r(np.array([n]), asked.p0, asked.alpha)[0])

    def suffices(n: int) -> bool:
        return rule(n) < n and meets(SingleStage(rule(n), n), asked)

    if "precision" in reading.methods:
        for rate, width in product((0.5, asked.p1, asked.p0), HALF_WIDTHS):
            n = precision_n(rate, width)
            if suffices(n):
                yield Answer(f"precision +-{width:g} at {rate:g}", rule(n), n)
    if "Gehan" in reading.methods:
        for error in STANDARD_ERRORS:
            n1, n = gehan_n(asked.p1, asked.power, error)
            if suffices(n) or (reading.statement.r1, reading.statement.n1) == (0, n1):  # 0 of n1 is Gehan's own rule
                yield Answer(f"Gehan SE {error:g}", rule(n), n, 0, n1)


def _printed(stated: float | None, found: float, least: int) -> bool:
    """Whether a value is the stated one to the digits stated; at least so many, as a number does not show its zeros."""
    if stated is None:
        return True
    text = repr(stated)
    decimals = max(len(text.split(".")[1]) if "." in text and "e" not in text else 6, least)
    return abs(found - stated) <= 0.5000001 * 10.0**-decimals


def agrees(reading: Reading, answer: Answer) -> bool:
    """Whether an answer has every number that the reading states."""
    s = reading.statement
    formula = answer.method not in EXACT
    n1, n = answer.n1, answer.n
    if reading.stages_inflated and s.dropout and n1 is not None:
        n1, n = enrolled_for(n1, s.dropout), enrolled_for(n, s.dropout)
    pairs = [(s.n1, n1), (s.r1, answer.r1), (s.n, n)]
    if not formula:
        pairs.append((s.r, answer.r))
    elif (asked := s.requirements) is not None and not _is_the_test(s, asked):
        return False  # a formula gives n; a rule stated beside it must be the test of that alpha
    if any(stated is not None and stated != found for stated, found in pairs):
        return False
    if s.total is not None and s.total not in _totals(reading, answer):
        return False
    return not _misprinted(s, _design(answer))


def _misprinted(s: Statement, design: Design) -> list[str]:
    """The attained values that are not those of a design, with the right ones."""
    printed = (s.type_i_error, s.attained_power, s.en_p0, s.pet_p0)
    if all(v is None for v in printed) or s.p0 is None or s.p1 is None:
        return []
    oc = operating_characteristics(design, [s.p0, s.p1])
    pet = float(oc.pet[0])
    values = (float(oc.reject[0]), float(oc.reject[1]), float(oc.en[0]), pet)
    names = ("type I error", "power", "EN(p0)", "PET(p0)")
    return [
        f"{name} is {value:.4f}, not {said:g}"
        for name, said, value, least in zip(names, printed, values, (2, 2, 1, 2), strict=True)
        if said is not None and not _printed(said, value, least)
    ]


def _is_the_test(s: Statement, asked: Requirements) -> bool:
    """Whether a stated single-stage rule is the exact level-alpha test of its n: the smallest r that keeps alpha."""
    if s.r is None or s.n is None:
        return True
    return s.r == int(search.smallest_r(np.array([s.n]), asked.p0, asked.alpha)[0])


def _design(answer: Answer) -> Design:
    return parse_looks(answer.looks)


def _totals(reading: Reading, answer: Answer) -> set[int]:
    """Patients to be enrolled for an answer, by the reading's way to allow for losses."""
    d = reading.statement.dropout
    n, n1 = answer.n, answer.n1 or 0
    if not d:
        return {n}
    more, kept = 1 + Fraction(repr(d)), 1 - Fraction(repr(d))
    by_stage = enrolled_for(n1, d) + enrolled_for(n - n1, d)
    ways = {
        "n/(1 - d), rounded up": {enrolled_for(n, d)},
        "n/(1 - d), rounded to the nearest": {round(n / kept), math.floor(n / kept)},
        "n(1 + d)": {math.ceil(n * more), round(n * more), math.floor(n * more)},
        "each stage inflated": {by_stage, math.ceil(n1 * more) + math.ceil((n - n1) * more)},
        "none": {n},
    }
    return ways[reading.rounding]


def plain(statement: Statement) -> Reading:
    """Read a statement as it stands."""
    if statement.p0 is not None and statement.p1 is not None and statement.p0 > statement.p1:
        # a rate that ought to fall: the failures of one hypothesis are the successes of the other
        p0, p1 = (round(1 - p, 12) for p in (statement.p0, statement.p1))
        statement = replace(statement, p0=p0, p1=p1, r1=None, r=None)
    methods: dict[str | None, tuple[str, ...]] = {
        "minimax": ("minimax",),
        "optimal": ("optimal",),
        "admissible": ("minimax", "optimal", "admissible"),
        "single_stage": ("first n",),
        "fleming": ("first n",),
    }
    if statement.criterion in methods:
        return Reading(statement, methods[statement.criterion])
    if statement.stages == 2:
        return Reading(statement, ("minimax", "optimal"))
    # a bare number may be that of one stage or of two
    return Reading(statement, ("first n",) if statement.r is not None else ("first n", "minimax", "optimal"))


def _with(reading: Reading, **numbers: object) -> Iterator[Reading]:
    """The reading with other numbers; none if they cannot be."""
    try:
        yield replace(reading, statement=replace(reading.statement, **numbers))  # type: ignore[arg-type]  # checked there
    except InputError:
        return


def _two_sided(reading: Reading) -> Iterator[Reading]:
    if reading.statement.alpha_sided != 2:
        yield from _with(reading, alpha_sided=2)


def _one_sided(reading: Reading) -> Iterator[Reading]:
    if reading.statement.alpha_sided == 2:
        yield from _with(reading, alpha_sided=1)


def _beta(reading: Reading) -> Iterator[Reading]:
    if reading.statement.power is not None and reading.statement.power < 0.5:
        yield from _with(reading, power=round(1 - reading.statement.power, 12))


def _success(*names: str) -> Callable[[Reading], Iterator[Reading]]:
    def readings(reading: Reading) -> Iterator[Reading]:
        given = {name: getattr(reading.statement, name) for name in names}
        if all(given.values()):  # stated, and not 0
            yield from _with(reading, **{name: value - 1 for name, value in given.items()})

    return readings


def _second_stage(reading: Reading) -> Iterator[Reading]:
    if reading.statement.n1 is not None and reading.statement.n is not None:
        yield from _with(reading, n=reading.statement.n1 + reading.statement.n)


def _methods(names: tuple[str, ...], stages: int) -> Callable[[Reading], Iterator[Reading]]:
    def readings(reading: Reading) -> Iterator[Reading]:
        if reading.statement.stages == stages and not set(names) <= set(reading.methods):
            yield replace(reading, methods=names)

    return readings


def _estimate(name: str, *criteria: str | None) -> Callable[[Reading], Iterator[Reading]]:
    def readings(reading: Reading) -> Iterator[Reading]:
        if reading.statement.criterion in criteria and reading.statement.r is None:  # else a test is named or stated
            yield replace(reading, methods=(name,))

    return readings


def _slack(alpha: float, power: float) -> Callable[[Reading], Iterator[Reading]]:
    def readings(reading: Reading) -> Iterator[Reading]:
        if not reading.alpha_slack and not reading.power_slack:
            yield replace(reading, alpha_slack=alpha, power_slack=power)

    return readings


def _limit(reading: Reading) -> Iterator[Reading]:
    if reading.statement.stages == 2:
        yield replace(reading, search_limit=100)


def _rounding(how: str) -> Callable[[Reading], Iterator[Reading]]:
    def readings(reading: Reading) -> Iterator[Reading]:
        if reading.statement.total is not None and reading.statement.dropout:
            yield replace(reading, rounding=how)

    return readings


def _inflated(reading: Reading) -> Iterator[Reading]:
    """The n stated for the design is that with losses allowed for."""
    s = reading.statement
    if s.dropout and s.n is not None and s.total is None:
        yield from _with(reading, n=None, total=s.n)


def _stages(reading: Reading) -> Iterator[Reading]:
    if reading.statement.dropout and reading.statement.n1 is not None and reading.statement.total is None:
        yield replace(reading, stages_inflated=True)


FALLING = Convention("failures", "p1 is below p0, so failures are counted", lambda reading: (reading,))

CONVENTIONS = (
    Convention("criterion swapped", "optimal is called minimax, or the reverse", _methods(("minimax", "optimal"), 2)),
    Convention("admissible", "an admissible design that is neither minimax nor optimal", _methods(("admissible",), 2)),
    Convention("sustained n", "the n from which every larger one meets the limits too", _methods(("sustained n",), 1)),
    Convention("alpha two-sided", "alpha is meant on both sides, half of it on each", _two_sided, "sides"),
    Convention("alpha one-sided", "alpha, called two-sided, is spent on one side", _one_sided, "sides"),
    Convention("beta for power", "what is called power is beta", _beta),
    Convention("r1 counts successes", "r1 is the first number that goes on, not the last that stops", _success("r1")),
    Convention(
        "r counts successes", "r is the first number that rejects H0, not the last that does not", _success("r")
    ),
    Convention("both count successes", "r1 and r are first successes, not last failures", _success("r1", "r")),
    Convention("n is n2", "the second number of patients is that of the second stage alone", _second_stage),
    *(
        Convention(f"losses: {how}", f"losses are allowed for by {how}", _rounding(how), "losses")
        for how in ("n/(1 - d), rounded to the nearest", "n(1 + d)", "each stage inflated", "none")
    ),
    Convention("n with losses", "the n of the design already allows for losses", _inflated, "losses"),
    Convention("stages inflated", "the stages allow for losses, the bounds are those without", _stages, "losses"),
    Convention("tolerance .005", "both errors may be .005 larger, as in EORTC and IDDI software", _slack(0.005, 0.005)),
    Convention("alpha rounded", "alpha is the attained one, rounded to two digits", _slack(0.00499, 0.0)),
    Convention("power rounded", "power is the attained one, rounded to two digits", _slack(0.0, 0.00499)),
    Convention(
        "precision",
        "n comes from the width of a 95% interval",
        _estimate("precision", None, "single_stage"),
        "formula",
    ),
    Convention(
        "Gehan",
        "Gehan's rule: no early miss, then a standard error",
        _estimate("Gehan", None, "two_stage"),
        "formula",
    ),
    Convention("search up to 100", "the search ended at n = 100, clinfun's default", _limit),
    *(
        Convention(
            f.method + suffix,
            f"normal approximation, {f.title}{suffix}",
            _methods((f.method + suffix,), 1),
            "rounded formula" if suffix else "formula",
        )
        for suffix in ("", ", nearest", ", truncated")
        for f in FORMULAS
    ),
)
"""In the order in which they are tried: the commonest first."""


Explanation: TypeAlias = "tuple[tuple[Convention, ...], Reading, Answer]"


def _explanations(statement: Statement) -> Iterator[Explanation]:
    """Every set of conventions under which some answer agrees, with the reading and the answer; the fewest first."""
    start = plain(statement)
    for number in (0, 1, 2):
        for chosen in combinations(CONVENTIONS, number):
            if number == 2 and not chosen[0].goes_with(chosen[1]):
                continue
            readings = [start]
            for convention in chosen:
                readings = [after for before in readings for after in convention.readings(before)]
            pairs = ((reading, answer) for reading in readings for answer in answers(reading))
            agreed = next(((reading, answer) for reading, answer in pairs if agrees(reading, answer)), None)
            if agreed is not None:
                yield chosen, *agreed


def _evidence(statement: Statement, chosen: tuple[Convention, ...]) -> str:
    """What else would explain it with as many conventions, where one does; and how little a formula's n proves."""
    said = ""
    if len(chosen) == 1:
        single = takewhile(lambda one: len(one[0]) == 1, _explanations(statement))
        others = [one[0][0].name for one in single if one[0] != chosen]
        if others:
            said += f" So would: {', '.join(others[:4])}{', ...' if others[4:] else ''}."
    if any(c.kind in ("formula", "rounded formula") for c in chosen):
        start = plain(statement)
        tried = tuple(c.name for c in CONVENTIONS if c.kind in ("formula", "rounded formula"))
        sizes = {a.n for a in answers(replace(start, methods=tried))}
        said += (
            f" Weak evidence: the formulas and their roundings give {len(sizes)} numbers from {min(sizes)} to "
            f"{max(sizes)}."
        )
    return said


RATES = tuple(k / 100 for k in (1, 2, 3, 4, *range(5, 100, 5)))
ALPHAS = (0.05, 0.1, 0.025, 0.01, 0.2, 0.15)
POWERS = (0.8, 0.9, 0.85, 0.95)
GAPS = (0.2, 0.15, 0.25, 0.1, 0.3, 0.35, 0.4)
"""What people use, the commonest first; response rates in steps of .05, and a few below it."""


def oddness(asked: Requirements) -> int:
    """How far requirements are from what most people use: the places in `ALPHAS`, `POWERS` and `GAPS` added up.

    A number that is in no table counts as its length; a p0 off the steps of .05 adds one.
    """
    gap = round(asked.p1 - asked.p0, 6)
    listed = ((asked.alpha, ALPHAS), (asked.power, POWERS), (gap, GAPS))
    places = sum(table.index(v) if v in table else len(table) for v, table in listed)
    return places + (asked.p0 not in RATES[4:])


def usual(
    p0: Sequence[float], p1: Sequence[float], alpha: Sequence[float], power: Sequence[float]
) -> list[Requirements]:
    """Requirements that people use, the values given instead of the usual ones; by `oddness`, then by p0.

    Rates are `RATES`, apart by .09 (.01 against .1) to .4.
    """
    pairs = [
        (low, high)
        for low, high in product(p0 or RATES, p1 or RATES)
        if low < high and ((p0 and p1) or 0.0899 < high - low < 0.4001)
    ]
    errors = product(alpha or ALPHAS, power or POWERS)
    every = [Requirements(*rates, a, b) for rates, (a, b) in product(pairs, list(errors)) if b > a]
    return sorted(every, key=lambda asked: (oddness(asked), asked.p0))


def within_reach(asked: Requirements, n: int) -> bool:
    """Whether n patients can suffice, and are not more than three times what a rough formula asks for."""
    return search.can_have_power(n, asked) and n <= 3 * score_n(asked) + 10


def _completions(statement: Statement, most: int = 12) -> list[tuple[Requirements, Answer]]:
    """Usual numbers in place of the missing ones under which the statement, read plainly, is right."""
    size = statement.n or statement.total
    if size is None or statement.n is None:
        return []
    found = []
    sided = statement.alpha_sided or 1
    alpha = None if statement.alpha is None else statement.alpha / sided
    known = (() if v is None else (v,) for v in (statement.p0, statement.p1, alpha, statement.power))
    for asked in usual(*known):
        if not within_reach(asked, size):
            continue
        if statement.design is not None and not meets(statement.design, asked):
            continue
        whole = replace(
            statement, p0=asked.p0, p1=asked.p1, alpha=asked.alpha, power=asked.power, alpha_sided=1, total=None
        )
        reading = plain(whole)
        answer = next((a for a in answers(reading) if agrees(reading, a)), None)
        if answer is not None:
            found.append((asked, answer))
            if len(found) == most:
                break
    return found


def _tested(statement: Statement) -> Design | None:
    """The rule as stated; where one n alone is, the exact test of it: the smallest r that keeps alpha."""
    n, asked = statement.n, statement.requirements
    if statement.design is not None or n is None or asked is None or statement.stages == 2 or statement.r is not None:
        return statement.design
    r = int(search.smallest_r(np.array([n]), asked.p0, asked.alpha)[0])
    return SingleStage(r, n) if r < n else None


def _attained(statement: Statement) -> dict[str, float]:
    """Exact behaviour of what is stated."""
    design = _tested(statement)
    if design is None or statement.p0 is None:
        return {}
    rates = [statement.p0] + ([] if statement.p1 is None else [statement.p1])
    oc = operating_characteristics(design, rates)
    found = {"type_i_error": float(oc.reject[0])}
    if statement.p1 is not None:
        found["power"] = float(oc.reject[1])
    if len(design.looks) > 1:
        found |= {"pet_p0": float(oc.pet[0]), "en_p0": float(oc.en[0])}
    return found


def _said(asked: Requirements) -> str:
    return f"p0 {asked.p0:g}, p1 {asked.p1:g}, alpha {asked.alpha:g} one-sided, power {asked.power:g}"


def _rule(statement: Statement, attained: dict[str, float]) -> str:
    """What the stated rule does, in a sentence."""
    design = _tested(statement)
    if statement.p0 is None:
        return "Without p0 no error can be computed."
    if not attained or design is None:
        return "The rule is not stated whole, so its errors cannot be computed."
    power = f" and a power of {attained['power']:.4f}" if "power" in attained else ""
    which = "The stated rule" if statement.design is not None else "No rule is stated; the exact test of that n,"
    comma = "" if statement.design is not None else ","
    asked = statement.requirements
    at = () if asked is None else at_limits(design, asked)
    limits = {"alpha": "The type I error is exactly alpha.", "power": "The power is exactly the one stated."}
    exactly = "".join(f" {limits[name]}" for name in at)
    return f"{which} {looks_text(design)}{comma} has a type I error of {attained['type_i_error']:.4f}{power}.{exactly}"


def check(statement: Statement) -> Verdict:
    """Say whether a stated sample size can be reproduced.

    Parameters
    ----------
    statement : Statement
        What is stated.

    Returns
    -------
    Verdict
        With the conventions that it takes, the exact errors of what was stated, and the right answers.
    """
    attained = _attained(statement)
    rule = _rule(statement, attained)
    if statement.missing:
        return _underspecified(statement, attained, rule)
    found = next(_explanations(statement), None)
    if found is not None:
        conventions, reading, answer = found
        if reading.statement.p0 != statement.p0:
            conventions = (FALLING, *conventions)
        asked = _limits(reading)
        exact = answer.method in EXACT
        what = f"It is the {answer.method} {answer.looks}" if exact else f"{answer.n} is the n of {answer.method}"
        what += f" for {_said(asked)}" if asked else ""
        if not attained and asked is not None:  # the rule is not stated: say what that of the answer does
            oc = operating_characteristics(_design(answer), [asked.p0, asked.p1])
            rule = f"That rule has a type I error of {oc.reject[0]:.4f} and a power of {oc.reject[1]:.4f}."
        if not conventions:
            return Verdict("reproduces", (), (answer,), attained, f"{what}. {rule}")
        taken = "; and ".join(c.sentence for c in conventions)
        explanation = f"{what}, if {taken}. {rule}{_evidence(statement, conventions)}"
        return Verdict("reproduces with a convention", conventions, (answer,), attained, explanation)
    start = plain(statement)
    right = tuple(answers(start))
    if not right:
        said = "No design within the limit of the search (2,000 patients) meets these numbers."
        return Verdict("does not reproduce", (), (), attained, f"{said} {rule}")
    best = "; ".join(f"{a.method} {a.looks}" for a in right)
    nearest = max(right, key=lambda a: _shared(statement, a))
    parts = [f"The exact answer is {best}.", rule, *_faults(statement, nearest, attained)]
    return Verdict("does not reproduce", (), right, attained, " ".join(parts))


def _shared(statement: Statement, answer: Answer) -> int:
    """How many of the stated numbers an answer has."""
    return sum(getattr(statement, name) == getattr(answer, name) for name in ("n", "n1", "r", "r1"))


def _faults(statement: Statement, right: Answer, attained: dict[str, float]) -> list[str]:
    """How far off a statement is, in errors and in patients."""
    said = []
    asked = plain(statement).statement.requirements
    design = _tested(statement)
    if asked is not None and attained and design is not None:
        if side(design, asked.p0, asked.alpha, attained["type_i_error"]) > 0:
            said.append(f"That is {attained['type_i_error'] - asked.alpha:.4f} above alpha {asked.alpha:g}.")
        if "power" in attained and side(design, asked.p1, asked.power, attained["power"]) < 0:
            said.append(f"That is {asked.power - attained['power']:.4f} short of the power {asked.power:g}.")
    said += [f"Its {fault}." for fault in _misprinted(statement, statement.design or _design(right))]
    if statement.n is not None and statement.n != right.n:
        gap = statement.n - right.n
        patients = f"{abs(gap)} patient{'s' if abs(gap) > 1 else ''}"
        said.append(f"It states {patients} {'more' if gap > 0 else 'fewer'} than {right.n}.")
    return said + _repairs(statement)


def _repairs(statement: Statement) -> list[str]:
    """Single numbers that would put a statement right."""
    said = []
    if statement.total is not None:
        alone = replace(statement, total=None)
        start = plain(alone)
        right = next((a for a in answers(start) if agrees(start, a)), None)
        if right is not None:
            totals = " or ".join(str(k) for k in sorted(_totals(plain(statement), right)))
            said.append(f"Its design is the {right.method} {right.looks}; the total would be {totals}.")
    for name, usual_values in (("alpha", ALPHAS), ("power", POWERS)):
        for value in usual_values:
            if value == getattr(statement, name):
                continue
            start = plain(replace(statement, total=None, **{name: value}))  # type: ignore[arg-type]  # a probability
            right = next((a for a in answers(start) if agrees(start, a)), None)
            if right is not None:
                said.append(f"With {name} {value:g} it would be the {right.method} {right.looks}.")
    return said


def _contradicted(statement: Statement) -> list[str]:
    """Attained values that the stated rule cannot have, however its bounds are counted."""
    if statement.design is None:
        return []
    readings = [plain(statement)]
    for counted in (_success("r1"), _success("r"), _success("r1", "r")):
        readings += counted(readings[0])
    designs = [design for reading in readings if (design := reading.statement.design) is not None]
    faults = [_misprinted(statement, design) for design in designs]
    return faults[0] if all(faults) else []


def _underspecified(statement: Statement, attained: dict[str, float], rule: str) -> Verdict:
    missing = ", ".join(statement.missing)
    faults = _contradicted(statement)
    if faults:
        said = " ".join(f"Its {fault}." for fault in faults)
        return Verdict("does not reproduce", (), (), attained, f"{rule} {said} Not stated: {missing}.")
    if "n" in statement.missing:
        right = tuple(answers(plain(statement)))
        exact = "; ".join(f"{a.method} {a.looks}" for a in right)
        told = f" For what is stated the exact answer is {exact}." if right else ""
        return Verdict("underspecified", (), right, attained, f"Not stated: {missing}.{told}")
    found = _completions(statement)
    told = " None of the usual numbers in their place reproduces it."
    if found:
        listed = "; ".join(f"{_said(asked)} ({answer.method} {answer.looks})" for asked, answer in found[:5])
        told = f" Among usual numbers these would reproduce it: {listed}" + ("; and more." if found[5:] else ".")
    return Verdict(
        "underspecified", (), tuple(a for _, a in found), attained, f"Not stated: {missing}.{told} {rule}",
        tuple(asked for asked, _ in found),
    )  # fmt: skip
