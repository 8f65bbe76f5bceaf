"""The stated elements beside the exact calculation: what it contradicts, and what it gives instead.

A design may have been searched at the response rates among all enrolled patients, with dropout counted as
non-response: a rate p of evaluable patients becomes p (1 - d). Where a text states these rates, they are p0 and p1 or
follow from them by the stated dropout d, and the claim is checked at them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simtrial import phrases
from simtrial.design.exact import meets
from simtrial.plan import allowances
from simtrial.review import check as review_check
from simtrial.review.conventions import SWAPPED, Convention
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


ROUNDED = 0.00051
"""Largest difference of a rate from one that is printed as a percentage with one decimal."""

SEARCHED = Convention(
    "searched with dropout",
    "the design was searched for the response rates with dropout counted as non-response",
    lambda reading: (reading,),
)

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
    checked, verdict = _checked(section, statement, tell)
    if section["method"].value == words.PRECISION and verdict.kind == "underspecified":
        verdict = replace(verdict, lines=(NO_TEST,), answers=(), candidates=())  # values of a test explain no interval
    verdict = replace(verdict, lines=(*verdict.lines, *_unnamed(checked, verdict)))
    exact: dict[str, ElementValue] = {}
    wrong: set[str] = set()
    _limits(checked, verdict, exact, wrong)
    _design(checked, verdict, exact, wrong)
    _total(checked, exact, wrong)
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


def _checked(
    section: StatedSection, stated: Statement, tell: Callable[[int], None] | None
) -> tuple[Statement, Verdict]:
    """The statement that is checked, at the rates of the search where they are stated, and the verdict on it."""
    run = _as_searched(section, stated)
    if run is None:
        return stated, review_check.check(stated, tell)
    verdict = review_check.check(run, tell)
    if not verdict.kind.startswith("reproduces"):
        plainly = review_check.check(stated)
        if plainly.kind.startswith("reproduces"):
            return stated, plainly
    if verdict.kind == "reproduces":
        verdict = replace(verdict, kind="reproduces with a convention")
    null, alternative = (
        phrases.stated(at) if at == of else phrases.percent(at)
        for at, of in ((run.p0 or 0.0, stated.p0), (run.p1 or 0.0, stated.p1))
    )
    line = (
        f"The design was searched for a response rate of {null} under H0 and of {alternative} under the alternative, "
        "with dropout counted as non-response. The claim is checked at these rates."
    )
    used = (SEARCHED,) if verdict.kind == "reproduces with a convention" else ()
    return run, replace(verdict, conventions=(*used, *verdict.conventions), lines=(line, *verdict.lines))


def _as_searched(section: StatedSection, s: Statement) -> Statement | None:
    """The statement at the rates of the search; None where they do not follow from p0, p1 and the dropout."""
    if section.searched is None or s.p0 is None or s.p1 is None or not s.dropout:
        return None
    rates = []
    for stated, searched in zip((s.p0, s.p1), section.searched, strict=True):
        fits = [rate for rate in (stated, stated * (1 - s.dropout)) if abs(rate - searched) <= ROUNDED]
        if not fits:
            return None
        rates.append(fits[0])
    if rates == [s.p0, s.p1]:
        return None
    return replace(s, p0=rates[0], p1=rates[1], dropout=None, total=None)


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
