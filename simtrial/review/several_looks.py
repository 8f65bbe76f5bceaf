"""A stated rule with an efficacy bound or more than two looks: exact errors, and whether the bounds are Fleming's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.design.designs import looks_text
from simtrial.design.exact import meets, operating_characteristics
from simtrial.errors import InputError
from simtrial.phrases import listed
from simtrial.review import reach
from simtrial.review.readings import Answer
from simtrial.review.usual import ALPHAS
from simtrial.review.wording import beside
from simtrial.search import CRITERIA, FAMILIES, fleming
from simtrial.trial.statement import FLEMING

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search import AnyCriterion
    from simtrial.trial.statement import Statement


MOST_GIVEN = 3
"""Looks up to which a rule is compared with the best one on the same looks although nobody claims that it is."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Stated bounds beside Fleming's.

    Attributes
    ----------
    same : bool
        Whether they are the same.
    meets : bool
        Whether the stated rule keeps both limits; False where they are not stated.
    answers : tuple of Answer
        Fleming's rule, where it can be formed.
    line : str
        In words.
    """

    same: bool
    meets: bool
    answers: tuple[Answer, ...]
    line: str


def compare(statement: Statement) -> Compared:
    """Compare the stated looks with Fleming's rule for the same numbers of patients."""
    design, p0 = statement.design, statement.p0
    if design is None or p0 is None:
        return Compared(False, False, (), "")
    asked = statement.requirements
    kept = asked is not None and meets(design, asked)
    looks_at = [look.n for look in design.looks]
    claimed = statement.criterion == FLEMING
    if statement.alpha is None:
        known = [a for a in ALPHAS if (found := _bounds(looks_at, p0, a)) and _same(found, design)]
        if not known:
            return Compared(False, kept, (), "Fleming's rule has no such bounds at a conventional alpha.")
        line = f"The bounds are those of Fleming's rule for one-sided alpha {listed([f'{a:g}' for a in known])}."
        return Compared(True, kept, (), line)
    alpha = statement.alpha / (statement.alpha_sided or 1)
    where = f"looks at {listed([str(n) for n in looks_at])} patients, p0 = {p0:g} and one-sided alpha {alpha:g}"
    his = _bounds(looks_at, p0, alpha)
    if his is None:
        return Compared(False, kept, (), f"Fleming's (1982) rule cannot be formed for {where}.")
    answer = Answer(method="Fleming", r=his.looks[-1].r or 0, n=looks_at[-1], bounds=his.looks)
    if _same(his, design):
        return Compared(True, kept, (answer,), f"The bounds are those of Fleming's (1982) rule for {where}.")
    rates = [p0] if statement.p1 is None else [p0, statement.p1]
    reject = operating_characteristics(his, rates).reject
    errors = f"type I error {beside(reject[0], alpha)}"
    errors += f", power {beside(reject[1], statement.power)}" if len(rates) > 1 else ""
    start = "The claim that the bounds are Fleming's is false" if claimed else "The bounds are not Fleming's"
    other = next((a for a in ALPHAS if a != alpha and (b := _bounds(looks_at, p0, a)) and _same(b, design)), None)
    more = "" if other is None else f" The stated bounds are his for one-sided alpha {other:g}."
    line = f"{start}: his (1982) rule for {where} is {looks_text(his, ', ')} ({errors}).{more}"
    return Compared(False, kept, (answer,), line)


def recognised(design: Design, asked: Requirements) -> AnyCriterion | None:
    """The criterion of a family of designs with as many looks that takes this very design; None if none does.

    Families are searched that take a moment; which they are, `Family.quick_n` says.
    """
    for criterion in CRITERIA.values():
        family = FAMILIES[criterion.family]
        few = criterion.looks == len(design.looks) or (family.looks_given and len(design.looks) <= MOST_GIVEN)
        if not family.on_request or criterion.aim is None or not few or reach.slow(criterion, asked):
            continue
        found = reach.best(criterion, asked, tuple(look.n for look in design.looks))
        if found is not None and found.looks == design.looks:
            return criterion
    return None


def _bounds(looks_at: list[int], p0: float, alpha: float) -> Design | None:
    try:
        return fleming.bounds(looks_at, p0, alpha)
    except InputError:
        return None


def _same(a: Design, b: object) -> bool:
    return a.looks == getattr(b, "looks", None)
