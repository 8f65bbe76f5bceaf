"""The stated elements beside the exact calculation: what it contradicts, and what it gives instead."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simtrial.design.exact import meets
from simtrial.plan import allowances
from simtrial.review import check as review_check
from simtrial.review.conventions import SWAPPED
from simtrial.review.hints import total_line
from simtrial.review.readings import plain
from simtrial.review.section import words
from simtrial.search import simon, single
from simtrial.trial.statement import ONE_STAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.review.check import Verdict
    from simtrial.review.readings import Answer
    from simtrial.review.section.elements import Element, ElementValue, StatedSection
    from simtrial.trial.statement import Statement


NO_TEST = (
    "The number of patients is based on the precision of an interval. No test is stated, so neither a type I error nor "
    "a power can be computed."
)
"""The verdict on a section without a test."""

_EXACT = re.compile(r"\bexact\b|\bbinomial\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CheckedSection:
    """A stated section and what came of its check.

    Attributes
    ----------
    elements : tuple of Element
        All ten, those that the exact calculation contradicts marked so, with its value.
    verdict : Verdict
        On the statement that the clear values make.
    statement : Statement
        That statement.
    """

    elements: tuple[Element, ...]
    verdict: Verdict
    statement: Statement

    def __getitem__(self, name: str) -> Element:
        return next(one for one in self.elements if one.name == name)


def compare(section: StatedSection, tell: Callable[[int], None] | None = None) -> CheckedSection:
    """Check the statement of a section, and mark its elements.

    Parameters
    ----------
    section : StatedSection
        As it was read.
    tell : callable, optional
        Called with the progress; see `simtrial.review.check.check`.
    """
    statement = _exact(section)
    verdict = review_check.check(statement, tell)
    if section["method"].value == words.PRECISION and verdict.kind == "underspecified":
        verdict = replace(verdict, lines=(NO_TEST,), answers=(), candidates=())  # values of a test explain no interval
    verdict = replace(verdict, lines=(*verdict.lines, *_unnamed(statement, verdict)))
    exact: dict[str, ElementValue] = {}
    wrong: set[str] = set()
    _limits(statement, verdict, exact, wrong)
    _design(statement, verdict, exact, wrong)
    _total(statement, exact, wrong)
    for error in section.refused:
        wrong |= {error.field} & {"p0", "p1", "alpha", "power", "dropout"} or {"rule"}
    elements = tuple(
        replace(
            one,
            exact=exact.get(one.name) if one.status == "found" else None,
            status="contradicted" if one.status == "found" and one.name in wrong else one.status,
        )
        for one in section.elements
    )
    return CheckedSection(elements, verdict, statement)


def _exact(section: StatedSection) -> Statement:
    """The statement; a single stage that is called exact is that of the exact search, which no formula explains."""
    statement, method = section.statement, section["method"]
    named = method.value == words.A_HERN or any(_EXACT.search(quote) for quote in method.quotes)
    if statement.criterion != ONE_STAGE or method.status != "found" or not named:
        return statement
    return replace(statement, criterion=single.FIRST.key)


def _unnamed(statement: Statement, verdict: Verdict) -> tuple[str, ...]:
    """How the stated total comes from the stated dropout, where the verdict says nothing of it."""
    total, n, d = statement.total, statement.n, statement.dropout
    if total is None or n is None or not d or any(f"total of {total}" in line for line in verdict.lines):
        return ()
    return (total_line(total, n, d, statement.n1 or 0),)


def _limits(statement: Statement, verdict: Verdict, exact: dict[str, ElementValue], wrong: set[str]) -> None:
    """The attained type I error and power of the stated rule beside its limits."""
    start = plain(statement).statement
    design, asked = start.design, start.requirements
    if design is None or "type_i_error" not in verdict.attained:
        return
    exact["alpha"] = verdict.attained["type_i_error"]
    if "power" in verdict.attained:
        exact["power"] = verdict.attained["power"]
    if asked is None or meets(design, asked):
        return
    if verdict.attained["type_i_error"] > asked.alpha:
        wrong.add("alpha")
    if verdict.attained["power"] < asked.power:
        wrong.add("power")


def _design(statement: Statement, verdict: Verdict, exact: dict[str, ElementValue], wrong: set[str]) -> None:
    """The method that is named, the rule and the number of patients beside the exact design."""
    if not verdict.answers or statement.missing:
        return
    best = max(verdict.answers, key=lambda one: _shared(statement, one))
    swapped = any(one.name in (SWAPPED, simon.ADMISSIBLE) for one in verdict.conventions)
    exact["method"] = best.method
    refuted = any(line.startswith("The claim that") and " is false" in line for line in verdict.lines)
    if swapped or (refuted and not _rule_alone(statement, best)):
        wrong.add("method")
    exact["n"] = {"evaluable": best.n, "total": _allowed(statement, best)}
    exact["rule"] = {"r1": best.r1, "n1": best.n1, "r": best.r, "n": best.n, "looks": best.looks}
    if verdict.kind != "does not reproduce":
        return
    if statement.n is not None and all(one.n != statement.n for one in verdict.answers):
        wrong.add("n")
    elif statement.design is not None and all(not _same(statement, one) for one in verdict.answers):
        wrong.add("rule")


def _rule_alone(statement: Statement, best: Answer) -> bool:
    """Whether the named design has the stated patients and the bounds alone differ, so that the limits are not met."""
    start = plain(statement).statement
    same = (statement.n1, statement.n) == (best.n1, best.n)
    design, asked = start.design, start.requirements
    return same and design is not None and asked is not None and not meets(design, asked)


def _allowed(statement: Statement, best: Answer) -> int | None:
    """The total that the usual allowance for dropout gives."""
    return allowances.enrolled_for(best.n, statement.dropout) if statement.dropout else None


def _total(statement: Statement, exact: dict[str, ElementValue], wrong: set[str]) -> None:
    """The total that is stated beside every allowance for the stated dropout."""
    if not statement.dropout or statement.n is None:
        return
    exact["dropout"] = {"total": allowances.enrolled_for(statement.n, statement.dropout)}
    if statement.total is not None and not allowances.giving(
        statement.total, statement.n, statement.dropout, statement.n1 or 0
    ):
        wrong.add("dropout")


def _shared(statement: Statement, answer: Answer) -> int:
    return sum(getattr(statement, name) == getattr(answer, name) for name in ("n", "n1", "r", "r1"))


def _same(statement: Statement, answer: Answer) -> bool:
    """Whether every stated number of the rule is that of an answer."""
    stated = {name: getattr(statement, name) for name in ("r1", "n1", "r", "n")}
    return all(value is None or value == getattr(answer, name) for name, value in stated.items())
