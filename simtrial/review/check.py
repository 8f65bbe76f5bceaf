"""Whether a stated sample size can be reproduced, and if not, what is wrong.

A statement is first read plainly (`simtrial.review.readings`), then with conventions (`simtrial.review.conventions`).
If nothing explains it, `simtrial.review.hints` says what is wrong with it and what would put it right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial import search
from simtrial.design.designs import SingleStage, looks_text, parse_looks
from simtrial.design.exact import at_limits, meets, operating_characteristics
from simtrial.phrases import counted
from simtrial.review.conventions import FALLING, SWAPPED, Convention, evidence, explanations
from simtrial.review.hints import best_line, claim_line, faults, fleming_line, limits_line, total_line
from simtrial.review.readings import Answer, Reading, answers, is_exact, limits_of, matching, misprinted, plain
from simtrial.review.several_looks import compare, recognised
from simtrial.review.usual import usual
from simtrial.review.wording import attained_text
from simtrial.search import simon
from simtrial.search.bounds import score_n
from simtrial.search.families import COMPARED
from simtrial.search.wording import limits, phrase, short
from simtrial.trial.statement import FLEMING, TWO_STAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.trial.statement import Statement

VerdictKind = Literal["reproduces", "reproduces with a convention", "does not reproduce", "underspecified"]

NOMINAL = Convention("nominal alpha", "alpha is kept by the normal approximation only", lambda reading: (reading,))


@dataclass(frozen=True, slots=True, kw_only=True)
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
        exact test of n, at the alpha that explains it, where n alone is stated.
    lines : tuple of str
        In words, one finding each; a false claim of a criterion stands first.
    candidates : tuple of Requirements
        Completions that reproduce an underspecified statement.
    """

    kind: VerdictKind
    conventions: tuple[Convention, ...] = ()
    answers: tuple[Answer, ...] = ()
    attained: dict[str, float]
    lines: tuple[str, ...]
    candidates: tuple[Requirements, ...] = ()

    @property
    def explanation(self) -> str:
        """The lines as one paragraph."""
        return " ".join(self.lines)


def within_reach(asked: Requirements, n: int) -> bool:
    """Whether n patients can suffice, and are not more than three times what a rough formula asks for."""
    return n <= 3 * score_n(asked) + 10 and search.can_have_power(n, asked)


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
        answer = next(matching(reading), None)
        if answer is not None:
            found.append((asked, answer))
            if len(found) == most:
                break
    return found


def _tested(statement: Statement, asked: Requirements | None) -> Design | None:
    """The rule as stated; where one n alone is, the exact test of it: the smallest r that keeps alpha."""
    n = statement.n
    if statement.design is not None or n is None or asked is None or statement.stages == 2 or statement.r is not None:
        return statement.design
    r = int(search.smallest_r(np.array([n]), asked.p0, asked.alpha)[0])
    return SingleStage(r, n) if r < n else None


def _attained(statement: Statement, asked: Requirements | None) -> dict[str, float]:
    """Exact behaviour of what is stated; the exact test of an n alone is that of the limits asked."""
    design = _tested(statement, asked)
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


def _rule(statement: Statement, attained: dict[str, float], asked: Requirements | None) -> str:
    """What the stated rule does, in a sentence."""
    design = _tested(statement, asked)
    if statement.p0 is None:
        return "Without p0 neither the type I error nor the power can be computed."
    if not attained or design is None:
        return "The decision rule is not stated completely, so its type I error and power cannot be computed."
    at = () if asked is None else at_limits(design, asked)
    limits = {"alpha": "The type I error is exactly alpha.", "power": "The power is exactly the one stated."}
    exactly = "".join(f" {limits[name]}" for name in at)
    errors = f"has {attained_text(attained['type_i_error'], attained.get('power'), asked)}.{exactly}"
    if statement.design is not None:
        return f"The stated rule {looks_text(design, ', ')} {errors}"
    alpha = f" at one-sided alpha {asked.alpha:g}" if asked is not None else ""
    n = counted(design.looks[-1].n, "patient")
    return f"No decision rule is stated; the exact test of {n}{alpha} is {looks_text(design, ', ')} and {errors}"


def check(statement: Statement, tell: Callable[[int], None] | None = None) -> Verdict:
    """Say whether a stated sample size can be reproduced.

    Parameters
    ----------
    statement : Statement
        What is stated.
    tell : callable, optional
        Called with 1 after each of `simtrial.review.conventions.SETS` that was tried.

    Returns
    -------
    Verdict
        With the conventions that it takes, the exact errors of what was stated, and the right answers.
    """
    asked = plain(statement).statement.requirements
    attained = _attained(statement, asked)
    rule = _rule(statement, attained, asked)
    another = statement.named is not None and statement.named.family not in COMPARED
    if statement.looks is not None and not another:
        return _of_several_looks(statement, attained, rule)
    if statement.missing:
        return _underspecified(statement, attained, rule)
    found = next(explanations(statement, tell), None)
    if found is not None:
        return _explained(statement, *found)
    right = tuple(answers(plain(statement)))
    if not right or asked is None:
        said = "No design of at most 2,000 patients meets these limits."
        if asked is not None and asked.alpha < search.LEAST_ERROR:
            said = f"Designs are searched for an alpha of at least {search.LEAST_ERROR:g} on one side."
        return Verdict(kind="does not reproduce", attained=attained, lines=(said, rule))
    nearest = max(right, key=lambda a: _shared(statement, a))
    claim = claim_line(plain(statement).statement, asked)
    lines = [claim] if claim else []
    lines += [best_line(right), rule]
    if statement.criterion == FLEMING:
        lines.append(fleming_line(statement, asked))
    return Verdict(
        kind="does not reproduce", answers=right, attained=attained, lines=(*lines, *faults(statement, nearest, asked))
    )


def _explained(statement: Statement, conventions: tuple[Convention, ...], reading: Reading, answer: Answer) -> Verdict:
    """The verdict on a statement that an answer agrees with, under the conventions that it takes."""
    asked = limits_of(reading)
    # a convention that changes a limit is shown the test of that limit; a slack is no new limit of the test of n
    tested = reading.statement.requirements
    attained = _attained(statement, tested)
    rule = _rule(statement, attained, tested)
    used = evidence(statement, conventions) if conventions else []
    if reading.statement.p0 != statement.p0:
        conventions = (FALLING, *conventions)
    exact = is_exact(answer.method)
    lines = []
    if asked is not None and exact and (claim := claim_line(reading.statement, asked, answer)):
        lines.append(claim)
    told = [c for c in conventions if exact or "formula" not in c.kind]
    if lines:  # the refuted claim says it already
        told = [c for c in told if c.name not in (SWAPPED, simon.ADMISSIBLE)]
    provided = f", provided {'; and '.join(c.sentence for c in told)}" if told else ""
    numbers = limits(asked) if asked is not None else ""
    if exact:
        lines.append(f"{answer.rule} is {phrase(answer.method)} for {numbers}{provided}.")
    else:
        name = next((c.sentence for c in conventions if "formula" in c.kind), answer.method)
        detail = {"precision": _precision, "Gehan": _gehan}.get(answer.method.split()[0], _plainly)(answer.method)
        lines.append(f"{answer.n} is reproduced by {name}{detail}, for {numbers}{provided}.")
    s = reading.statement
    if s.total is not None and s.dropout and (s.n is not None or conventions):
        shown = reading.allowance.shown(answer.n, s.dropout, answer.n1 or 0)
        lines.append(f"The total of {s.total} is {shown}.")
    if attained or asked is None:
        lines.append(rule)
    else:  # the rule is not stated: say what that of the answer does
        oc = operating_characteristics(parse_looks(answer.looks), [asked.p0, asked.p1])
        lines.append(f"This rule has {attained_text(float(oc.reject[0]), float(oc.reject[1]), asked)}.")
    design = _tested(statement, tested)
    if conventions and tested is not None and design is not None and attained and not meets(design, tested):
        lines.append(limits_line(design, tested))
    if statement.criterion == FLEMING and tested is not None:
        lines.append(fleming_line(statement, tested))
    kind: VerdictKind = "reproduces with a convention" if conventions else "reproduces"
    return Verdict(kind=kind, conventions=conventions, answers=(answer,), attained=attained, lines=(*lines, *used))


def _plainly(_: str) -> str:
    return ""


def _precision(method: str) -> str:
    width, _, rate = method.removeprefix("precision +-").partition(" at ")
    return f" with half-width {width} at a rate of {rate}"


def _gehan(method: str) -> str:
    return f" of {method.removeprefix('Gehan SE ')}"


def _of_several_looks(statement: Statement, attained: dict[str, float], rule: str) -> Verdict:
    """The verdict on looks with an efficacy bound, or on more than two."""
    compared = compare(statement)
    asked, design = statement.requirements, statement.design
    lines = [compared.line] if compared.line else []
    if statement.criterion not in (None, FLEMING, TWO_STAGES):
        lines.insert(
            0,
            f"The claim that the design is {statement.criterion} cannot be confirmed: Simon's criteria compare "
            "two-stage designs without an efficacy bound. A criterion of a family is named as three_stage_optimal is.",
        )
    lines.append(rule)
    if asked is not None and design is not None:
        lines.append(limits_line(design, asked))
    wrong = [f"The {fault}." for fault in misprinted(statement, design)] if design is not None else []
    total, d, n = statement.total, statement.dropout or 0.0, statement.n or 0
    if total is not None and total != n:
        if not d:
            wrong.append(
                f"The total of {total} differs from the {counted(n, 'patient')} of the rule, and no dropout is stated."
            )
        else:
            line = total_line(total, n, d)
            lines.append(line)
            wrong += [line] if line.startswith("No ") else []
    lines += [line for line in wrong if line not in lines]
    missing = statement.missing
    if missing:
        kind: VerdictKind = "does not reproduce" if wrong else "underspecified"
        return Verdict(
            kind=kind, answers=compared.answers, attained=attained, lines=(*lines, f"Not stated: {', '.join(missing)}.")
        )
    powered = asked is not None and attained["power"] >= asked.power
    nominal = compared.same and powered and not compared.meets and not wrong
    if nominal:
        lines.append(f"The statement is reproduced provided {NOMINAL.sentence}.")
        return Verdict(
            kind="reproduces with a convention",
            conventions=(NOMINAL,),
            answers=compared.answers,
            attained=attained,
            lines=tuple(lines),
        )
    if compared.same and compared.meets and not wrong and statement.criterion in (None, FLEMING, TWO_STAGES):
        return Verdict(kind="reproduces", answers=compared.answers, attained=attained, lines=tuple(lines))
    criterion = None if asked is None or design is None or not compared.meets else recognised(design, asked)
    if criterion is not None and asked is not None and design is not None and not wrong and statement.criterion is None:
        answer = Answer.of(criterion.method, design)
        line = f"{answer.rule} is {phrase(answer.method)} for {limits(asked)}."
        return Verdict(kind="reproduces", answers=(answer,), attained=attained, lines=(line, *lines[1:]))
    if compared.meets and not wrong and statement.criterion != FLEMING:
        lines.append("The rule keeps both limits; the method by which its bounds were chosen is not stated.")
        return Verdict(kind="underspecified", answers=compared.answers, attained=attained, lines=tuple(lines))
    return Verdict(kind="does not reproduce", answers=compared.answers, attained=attained, lines=tuple(lines))


def _shared(statement: Statement, answer: Answer) -> int:
    """How many of the stated numbers an answer has."""
    return sum(getattr(statement, name) == getattr(answer, name) for name in ("n", "n1", "r", "r1"))


def _contradicted(statement: Statement) -> list[str]:
    """Attained values that the stated rule cannot have, however its bounds are counted."""
    if statement.design is None:
        return []
    start = plain(statement).statement
    counted = []
    for names in (("r1",), ("r",), ("r1", "r")) if start.looks is None else ():
        given = {name: getattr(start, name) for name in names}
        if all(given.values()):
            counted.append(replace(start, **{name: value - 1 for name, value in given.items()}))
    designs = [design for one in (start, *counted) if (design := one.design) is not None]
    faults_of = [misprinted(statement, design) for design in designs]
    return faults_of[0] if all(faults_of) else []


def _underspecified(statement: Statement, attained: dict[str, float], rule: str) -> Verdict:
    missing = f"Not stated: {', '.join(statement.missing)}."
    contradicted = _contradicted(statement)
    if contradicted:
        said = tuple(f"The {fault}." for fault in contradicted)
        return Verdict(kind="does not reproduce", attained=attained, lines=(rule, *said, missing))
    if "n" in statement.missing:
        right = tuple(answers(plain(statement)))
        exact = "; ".join(short(a.method, a.rule) for a in right)
        told = (f"With the stated values the exact design is {exact}.",) if right else ()
        return Verdict(kind="underspecified", answers=right, attained=attained, lines=(missing, *told))
    found = _completions(statement)
    told = ("No conventional values of them reproduce the statement.",)
    if found:
        listed = "; ".join(f"{limits(asked)} ({short(answer.method, answer.rule)})" for asked, answer in found[:5])
        told = (f"These conventional values would reproduce it: {listed}" + ("; and others." if found[5:] else "."),)
    return Verdict(
        kind="underspecified",
        answers=tuple(a for _, a in found),
        attained=attained,
        lines=(missing, *told, rule),
        candidates=tuple(asked for asked, _ in found),
    )
