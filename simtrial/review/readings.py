"""Ways to understand a stated sample size, and what the exact search and the formulas answer to each.

The plain reading (`plain`): alpha on one side unless it is called two-sided, the criterion as named (where none is,
minimax or optimal; another one of the register only by its name), the exact search without a limit, dropout allowed for
by n / (1 - d) rounded up; where p0 is above p1, failures are counted. `matching` searches only where a bound does not
rule the stated number out beforehand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from simtrial import search
from simtrial.design.designs import Look, MultiStage, SingleStage, looks_text, parse_looks
from simtrial.design.exact import meets, operating_characteristics
from simtrial.design.requirements import Requirements, decimal
from simtrial.errors import InputError
from simtrial.plan.allowances import PLAIN, Allowance, nearest
from simtrial.review import reach
from simtrial.search import CRITERIA, simon, single
from simtrial.search.formulas import FORMULAS, approximate
from simtrial.trial.statement import FLEMING, ONE_STAGE, SIMON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.search.formulas import Approximation
    from simtrial.trial.statement import Statement

FIRST = single.FIRST.method
"""The method that a single stage is read by where nothing else is said."""

EXACT = (
    *(criterion.method for criterion in simon.FAMILY.criteria),
    *(criterion.method for criterion in single.FAMILY.criteria),
    simon.ADMISSIBLE,
)
"""Exact methods that a statement may mean without naming them, and to which a number is traced back."""

TWO_STAGE = set(SIMON)


def is_exact(method: str) -> bool:
    """Whether the answers of a method come from an exact search; all others are formulas."""
    return method in EXACT or any(criterion.method == method for criterion in CRITERIA.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one method gives: a whole two-stage or single-stage rule."""

    method: str
    r: int
    n: int
    r1: int | None = None
    n1: int | None = None
    bounds: tuple[Look, ...] | None = None

    @property
    def looks(self) -> str:
        """As ``1/10,5/29``."""
        if self.bounds is not None:
            return looks_text(MultiStage(self.bounds))
        return f"{self.r}/{self.n}" if self.n1 is None else f"{self.r1}/{self.n1},{self.r}/{self.n}"

    @property
    def rule(self) -> str:
        """The looks in a sentence: ``1/10, 5/29``."""
        return self.looks.replace(",", ", ")

    @classmethod
    def of(cls, method: str, design: Design) -> Answer:
        """The answer that a design is."""
        *interim, last = design.looks
        assert last.r is not None  # only an interim look may lack it
        if interim[1:] or any(look.r is None or look.e is not None for look in interim):
            return cls(method=method, r=last.r, n=last.n, bounds=design.looks)
        first = interim[0] if interim else Look(0, None)
        return cls(method=method, r=last.r, n=last.n, r1=first.r, n1=first.n or None)


@dataclass(frozen=True, slots=True, kw_only=True)
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
    allowance : Allowance
        How totals allow for dropout.
    stages_inflated : bool
        Whether the stages stated allow for dropout already, the bounds being those of the evaluable patients.
    """

    statement: Statement
    methods: tuple[str, ...]
    alpha_slack: float = 0.0
    power_slack: float = 0.0
    search_limit: int | None = None
    allowance: Allowance = PLAIN
    stages_inflated: bool = False


@lru_cache(maxsize=1024)
def _formulas(asked: Requirements) -> tuple[Approximation, ...]:
    return approximate(asked)


def limits_of(reading: Reading) -> Requirements | None:
    """The limits that a reading asks for, slack included; None if they cannot be."""
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
    asked = limits_of(reading)
    if asked is None:
        return
    if TWO_STAGE & set(reading.methods):
        found = reach.two_stage(asked)
        if found is not None:
            few = [c for c in found.frontier if reading.search_limit is None or c.n <= reading.search_limit]
            named = {
                simon.MINIMAX.method: few[:1],
                simon.OPTIMAL.method: few[-1:],
                simon.ADMISSIBLE: found.admissible[1:-1],
            }
            for method in SIMON:
                if method in reading.methods:
                    yield from (Answer(method=method, r=c.r, n=c.n, r1=c.r1, n1=c.n1) for c in named[method])
    for criterion in CRITERIA.values():
        if criterion.method not in TWO_STAGE and criterion.method in reading.methods:
            design = reach.best(criterion, asked, _looks_at(reading.statement))
            if design is not None:
                yield Answer.of(criterion.method, design)
    yield from _estimates(reading, asked)
    # a formula solves for its limits exactly: there is no slack to take
    slack = reading.alpha_slack or reading.power_slack
    if not slack and any(f.method in method for method in reading.methods for f in FORMULAS):
        for rule in _formulas(asked):
            for suffix, n in (
                ("", rule.n),
                (", nearest", nearest(rule.n_raw)),
                (", truncated", math.floor(rule.n_raw)),
            ):
                # of some tiny n the formula's rule would never reject, which is no design
                if rule.method + suffix in reading.methods and n > rule.r:
                    yield Answer(method=f"{rule.method}{suffix}", r=rule.r, n=n)


def _looks_at(statement: Statement) -> tuple[int, ...] | None:
    """The numbers of patients at the looks that are stated."""
    design = statement.design
    return None if design is None else tuple(look.n for look in design.looks)


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
                yield Answer(method=f"precision +-{width:g} at {rate:g}", r=rule(n), n=n)
    if "Gehan" in reading.methods:
        for error in STANDARD_ERRORS:
            n1, n = gehan_n(asked.p1, asked.power, error)
            if suffices(n) or (reading.statement.r1, reading.statement.n1) == (0, n1):  # 0 of n1 is Gehan's own rule
                yield Answer(method=f"Gehan SE {error:g}", r=rule(n), n=n, r1=0, n1=n1)


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
    formula = not is_exact(answer.method)
    n1, n = answer.n1, answer.n
    if reading.stages_inflated and s.dropout and n1 is not None:
        n1, n = reading.allowance.stages(n1, n, s.dropout)
    pairs = [(s.n1, n1), (s.r1, answer.r1), (s.n, n)]
    if not formula:
        pairs.append((s.r, answer.r))
    elif s.criterion == FLEMING and answer.method == "score" and s.r == answer.r:
        pass  # his formula has a rule of its own
    elif (asked := s.requirements) is not None and not is_the_test(s, asked):
        return False  # a formula gives n; a rule stated beside it must be the test of that alpha
    if any(stated is not None and stated != found for stated, found in pairs):
        return False
    if s.looks is not None and s.looks != parse_looks(answer.looks).looks:
        return False
    if reading.allowance.by_stage and not answer.n1:
        return False  # a single stage has no stages to be enlarged
    if s.total is not None and s.total != reading.allowance.total(answer.n, s.dropout or 0.0, answer.n1 or 0):
        return False
    return not misprinted(s, parse_looks(answer.looks))


def matching(reading: Reading) -> Iterator[Answer]:
    """The answers of a reading that have every number stated, searched for only where a bound leaves it open."""
    asked = limits_of(reading)
    if asked is None:
        return
    methods = tuple(m for m in reading.methods if not _ruled_out(m, reading, asked))
    if methods:
        yield from (a for a in answers(replace(reading, methods=methods)) if agrees(reading, a))


def _ruled_out(method: str, reading: Reading, asked: Requirements) -> bool:
    """Whether an exact method cannot give what is stated: the rule breaks a limit, or no design has the number."""
    s = reading.statement
    if not is_exact(method) or reading.stages_inflated:
        return False
    if s.design is not None and not meets(s.design, asked):
        return True
    if method not in TWO_STAGE:
        return False
    if s.n is not None:
        least = most = s.n
    elif s.total is not None:  # no allowance takes less than n, or more than n / (1 - d) and a patient a stage
        least, most = math.floor(s.total * (1 - (s.dropout or 0.0))) - 3, s.total
    else:
        return False
    return not reach.may_have(asked, least, most)


def misprinted(s: Statement, design: Design) -> list[str]:
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


def is_the_test(s: Statement, asked: Requirements) -> bool:
    """Whether a stated single-stage rule is the exact level-alpha test of its n: the smallest r that keeps alpha."""
    if s.r is None or s.n is None:
        return True
    return s.r == int(search.smallest_r(np.array([s.n]), asked.p0, asked.alpha)[0])


def plain(statement: Statement) -> Reading:
    """Read a statement as it stands."""
    if statement.p0 is not None and statement.p1 is not None and statement.p0 > statement.p1:
        # a rate that ought to fall: the failures of one hypothesis are the successes of the other
        p0, p1 = (round(1 - p, 12) for p in (statement.p0, statement.p1))
        statement = replace(statement, p0=p0, p1=p1, r1=None, r=None)
    if statement.named is not None:
        return Reading(statement=statement, methods=(statement.named.method,))
    methods: dict[str | None, tuple[str, ...]] = {simon.ADMISSIBLE: SIMON, ONE_STAGE: (FIRST,), FLEMING: (FIRST,)}
    if statement.criterion in methods:
        return Reading(statement=statement, methods=methods[statement.criterion])
    if statement.stages == 2:
        return Reading(statement=statement, methods=SIMON[:-1])
    # a bare number may be that of one stage or of two
    return Reading(statement=statement, methods=(FIRST,) if statement.r is not None else (FIRST, *SIMON[:-1]))
