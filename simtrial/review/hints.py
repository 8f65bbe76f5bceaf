"""What is wrong with a statement that does not reproduce, and which single number would put it right.

One line each: the claim of a criterion, the limits, printed values, alpha, power, the rule and the total.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from simtrial import search
from simtrial.design.designs import SingleStage, looks_text, parse_looks
from simtrial.design.exact import meets, operating_characteristics, side
from simtrial.phrases import agreeing, counted, listed, stated
from simtrial.plan import allowances
from simtrial.review import reach
from simtrial.review.readings import Reading, answers, is_exact, is_the_test, matching, misprinted, plain
from simtrial.review.usual import ALPHAS, POWERS
from simtrial.review.wording import beside
from simtrial.search import simon, single
from simtrial.search.aim import LEAST_EN
from simtrial.search.bounds import score_n
from simtrial.search.formulas import approximate
from simtrial.search.wording import apart, called, phrase, short
from simtrial.trial.statement import ONE_STAGE, SIMON, TWO_STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.review.readings import Answer
    from simtrial.search import TwoStageSearch
    from simtrial.trial.statement import Statement


QUICK = 150.0
"""Rough n up to which neighbouring settings are searched for the parts of a mixed rule; it takes milliseconds each."""


def limits_line(design: Design, asked: Requirements) -> str:
    """Which of the two limits a rule keeps: what fails first, what passes after it."""
    oc = operating_characteristics(design, [asked.p0, asked.p1]).reject
    error, power = float(oc[0]), float(oc[1])
    at_alpha, at_power = side(design, asked.p0, asked.alpha, error), side(design, asked.p1, asked.power, power)
    error_text = beside(asked.alpha if at_alpha == 0 else error, asked.alpha)
    power_text = beside(asked.power if at_power == 0 else power, asked.power)
    against = {-1: "does not exceed", 0: "is exactly the limit of", 1: "exceeds"}[at_alpha]
    enough = "is sufficient" if at_power >= 0 else f"falls short of {stated(asked.power)}"
    verdicts = [
        (at_alpha <= 0, f"the type I error {error_text} {against} {stated(asked.alpha)}"),
        (at_power >= 0, f"the power {power_text} {enough}"),
    ]
    verdicts.sort(key=lambda one: one[0])
    text = "; ".join(said for _, said in verdicts)
    return f"{text[0].upper()}{text[1:]}."


def _named(criterion: str, asked: Requirements) -> Answer | None:
    return next(answers(Reading(statement=_of(asked), methods=(criterion,))), None)


def _of(asked: Requirements) -> Statement:
    from simtrial.trial.statement import Statement

    return Statement(asked.p0, asked.p1, asked.alpha, asked.power, n1=1)


def claim_line(statement: Statement, asked: Requirements, found: Answer | None = None) -> str:
    """The line that refutes a claim of a criterion, naming the true design; empty where no claim is refuted.

    Parameters
    ----------
    statement : Statement
        As it was understood: bounds as last failures, alpha on one side.
    asked : Requirements
        Its limits.
    found : Answer, optional
        The exact answer that it is instead.
    """
    claim = statement.criterion
    if claim in (ONE_STAGE, single.FIRST.key):
        return _single_claim(statement, asked)
    if claim == simon.ADMISSIBLE:
        every = reach.two_stage(asked)
        return "" if every is None else _admissible_claim(statement, asked, found, every)
    criterion = statement.named
    stated = statement.design
    looks_at = None if stated is None else tuple(look.n for look in stated.looks)
    true = None if criterion is None else reach.best(criterion, asked, looks_at)
    if criterion is None or true is None or (found is not None and found.method == criterion.method):
        return ""
    name = criterion.key if criterion.key in SIMON else criterion.name
    which = f"{criterion.phrase} is {looks_text(true, ', ')}"
    design = parse_looks(found.looks) if found is not None else statement.design
    aim = criterion.aim or LEAST_EN
    n, expected = true.looks[-1].n, aim.value(true, asked)
    if design is None:
        if _consistent(statement, true):
            return ""
        if statement.n is not None and statement.n != n:
            which += f", which has {counted(n, 'patient')}, not {statement.n}"
        return f"The claim that the design is {name} is false: {which} ({aim.what} = {expected:.2f})."
    if looks_text(design) == looks_text(true):
        return ""
    here, there = apart(aim.value(design, asked), expected)
    numbers = f"n = {design.looks[-1].n}, {aim.what} = {here}"
    return (
        f"The claim that the design is {name} is false: {looks_text(design, ', ')} ({numbers}) "
        f"{_status(design, asked, found, statement)}; {which} (n = {n}, {aim.what} = {there})."
    )


def _admissible_claim(statement: Statement, asked: Requirements, found: Answer | None, every: TwoStageSearch) -> str:
    """The line that refutes the claim that a design is admissible."""
    if found is not None and found.method == simon.ADMISSIBLE:
        return ""
    design = parse_looks(found.looks) if found is not None else statement.design
    shown = listed([looks_text(c, ", ") for c in every.admissible])
    which = f"the admissible designs are {shown}" if every.admissible[1:] else f"the only admissible design is {shown}"
    if design is None:
        if _consistent(statement, every.optimal):
            return ""
        return f"The claim that the design is admissible is false: {which} (EN(p0) = {every.optimal.en_p0:.2f})."
    if looks_text(design) in {looks_text(c) for c in every.admissible}:
        return ""
    here, _ = apart(float(operating_characteristics(design, [asked.p0]).en[0]), every.optimal.en_p0)
    return (
        f"The claim that the design is admissible is false: {looks_text(design, ', ')} (n = {design.looks[-1].n}, "
        f"EN(p0) = {here}) {_status(design, asked, found, statement)}; {which}."
    )


def _consistent(statement: Statement, design: Design) -> bool:
    """Whether what is stated of a two-stage rule is that of a design."""
    first, last = design.looks[0], design.looks[-1]
    pairs = ((statement.r1, first.r), (statement.n1, first.n), (statement.r, last.r), (statement.n, last.n))
    return all(stated is None or stated == true for stated, true in pairs)


def _status(design: Design, asked: Requirements, found: Answer | None, statement: Statement) -> str:
    if found is not None and found.method == simon.ADMISSIBLE:
        return "is only admissible"
    if found is not None and is_exact(found.method):
        return f"is {phrase(found.method)}"
    if meets(design, asked):
        return "meets both limits" + (" but is not even admissible" if statement.criterion in SIMON else "")
    return "does not meet both limits"


def _single_claim(statement: Statement, asked: Requirements) -> str:
    single, design = reach.single_stage(asked), statement.design
    if single is None or statement.n is None or statement.n == single.first.n:
        return ""
    first = looks_text(single.first, ", ")
    if design is not None and meets(design, asked):
        more = statement.n - single.first.n
        return (
            f"{looks_text(design, ', ')} meets both limits but is not the smallest exact single-stage design: that is "
            f"{first}, with {counted(more, 'patient')} fewer."
        )
    needed = counted(single.first.n, "patient")
    return f"The smallest exact single-stage design is {first}, with {needed}, not {statement.n}."


def fleming_line(statement: Statement, asked: Requirements) -> str:
    """Where Fleming is named for one stage: his own rule, with its exact errors."""
    rule = approximate(asked)[0]
    his = f"{rule.r}/{rule.n}"
    errors = f"type I error {beside(rule.type_i_error, asked.alpha)}, power {beside(rule.power, asked.power)}"
    if statement.n == rule.n and statement.r in (None, rule.r):
        return f"Fleming's single-stage rule is {his} ({errors}), as stated."
    return f"Fleming's own single-stage rule, a normal approximation, is {his} ({errors}), which is not what is stated."


def faults(statement: Statement, right: Answer, limits_of: Requirements | None) -> list[str]:
    """How far off a statement is, in errors and in patients, and what would put it right."""
    said = []
    start = plain(statement).statement
    design = statement.design
    if design is None and statement.n is not None and statement.stages == 1 and statement.r is None and limits_of:
        r = int(search.smallest_r(np.array([statement.n]), limits_of.p0, limits_of.alpha)[0])
        design = SingleStage(r, statement.n) if r < statement.n else None
    if design is not None and limits_of is not None:
        said.append(limits_line(design, limits_of))
    said += [f"The {fault}." for fault in misprinted(statement, statement.design or parse_looks(right.looks))]
    if statement.n is not None and statement.n != right.n:
        gap = statement.n - right.n
        by = counted(abs(gap), "patient")
        said.append(f"The stated sample size {'exceeds' if gap > 0 else 'falls short of'} {right.n} by {by}.")
    said += [line for name in ("alpha", "power") if (line := _neighbour_line(statement, name))]
    said += [line for line in (_rule_line(start), _total_line(statement)) if line]
    return said


def _neighbour_line(statement: Statement, name: str) -> str:
    """The conventional value of alpha or power under which the statement, its total aside, is right."""
    found = []
    for value in ALPHAS if name == "alpha" else POWERS:
        if value == getattr(statement, name):
            continue
        start = plain(replace(statement, total=None, n=_size(statement), **{name: value}))  # type: ignore[arg-type]  # a probability
        right = next(matching(start), None)
        if right is not None:
            found.append(f"with {name} {value:g} it would be {phrase(right.method)} {right.rule}")
    asked = statement.requirements
    if not found and statement.n1 is not None and statement.design is not None and asked and score_n(asked) <= QUICK:
        end = replace(statement, r1=None, n1=None, total=None, criterion=TWO_STAGES)
        for value in ALPHAS if name == "alpha" else POWERS:
            right = next(matching(plain(replace(end, **{name: value}))), None)  # type: ignore[arg-type]  # as above
            if right is not None and value != getattr(statement, name):
                found.append(
                    f"with {name} {value:g} {phrase(right.method)} is {right.rule}, which has the stated end but "
                    "another first stage"
                )
    return f"{found[0][0].upper()}{'; '.join(found)[1:]}." if found else ""


def _size(statement: Statement) -> int | None:
    return statement.n if statement.n is not None or statement.dropout else statement.total


def _rule_line(statement: Statement) -> str:
    """What the stated rule is put together from, or which bound its n would have."""
    asked, design = statement.requirements, statement.design
    if asked is None or design is None:
        return ""
    if statement.looks is not None:
        return ""
    if isinstance(design, SingleStage):
        if is_the_test(statement, asked):
            return ""
        r = int(search.smallest_r(np.array([design.n]), asked.p0, asked.alpha)[0])
        return f"The exact test of {counted(design.n, 'patient')} at alpha {asked.alpha:g} is {r}/{design.n}."
    if score_n(asked) > QUICK:
        return ""
    pool = list(_published(asked))
    first = [one for one in pool if (one[1].r1, one[1].n1) == (statement.r1, statement.n1)]
    end = [one for one in pool if (one[1].r, one[1].n) == (statement.r, statement.n)]
    whole = {one[1].looks for one in first} & {one[1].looks for one in end}
    if whole:  # a line on alpha, power or the claim says so
        return ""
    here = f"{statement.r1}/{statement.n1}", f"{statement.r}/{statement.n}"
    if first and end:
        a, b = min(product(first, end), key=lambda pair: (pair[0][0] != pair[1][0], pair[0][2] + pair[1][2]))
        return (
            f"The rule mixes two published designs: its first stage {here[0]} is that of {_setting(a, asked)}, and its "
            f"end {here[1]} is that of {_setting(b, asked)}."
        )
    if end:
        return (
            f"The end {here[1]} is that of {_setting(min(end, key=lambda one: one[2]), asked)}; the stated first stage "
            f"{here[0]} is not that of this design."
        )
    own = [one for one in first if one[2] == 0]
    if not own:
        return ""
    return (
        f"The first stage {here[0]} is that of {_setting(own[0], asked)}; the stated end {here[1]} is not that of this "
        "design."
    )


def _published(asked: Requirements) -> Iterator[tuple[Requirements, Answer, int]]:
    """Designs of the setting and of its neighbours in alpha or power, with how many of the two differ."""
    settings = [(asked, 0)]
    settings += [(replace(asked, power=power), 1) for power in POWERS if power != asked.power and power > asked.alpha]
    settings += [(replace(asked, alpha=alpha), 1) for alpha in ALPHAS if alpha != asked.alpha and alpha < asked.power]
    for setting, differs in settings:
        if score_n(setting) <= QUICK:
            for answer in answers(Reading(statement=_of(setting), methods=SIMON)):
                yield setting, answer, differs


def _setting(one: tuple[Requirements, Answer, int], asked: Requirements) -> str:
    setting, answer, _ = one
    other = []
    if setting.alpha != asked.alpha:
        other.append(f"alpha {setting.alpha:g}")
    if setting.power != asked.power:
        other.append(f"power {setting.power:g}")
    name = "an admissible" if answer.method == simon.ADMISSIBLE else f"the {called(answer.method)}"
    return f"{name} design {answer.rule}{f' for {listed(other)}' if other else ''}"


def _total_line(statement: Statement) -> str:
    """Which allowance for dropout makes the total of the n, and what the plain one gives."""
    total, d = statement.total, statement.dropout or 0.0
    if total is None:
        return ""
    n, n1 = statement.n, statement.n1 or 0
    if n is None:
        alone = plain(replace(statement, total=None))
        right = next(matching(alone), None)
        if right is None or not d:
            return ""
        return (
            f"The stated design is {phrase(right.method)} {right.rule}; the total would be "
            f"{allowances.PLAIN.total(right.n, d)}."
        )
    if not d:
        if total == n:
            return ""
        return f"The total of {total} differs from the {counted(n, 'patient')} of the rule, and no dropout is stated."
    line = total_line(total, n, d, n1)
    right = next(matching(plain(replace(statement, total=None))), None)
    if right is None:
        return line
    return f"The stated design is {phrase(right.method)} {right.rule}. {line}"


def total_line(total: int, n: int, d: float, n1: int = 0) -> str:
    """The arithmetic of a stated total."""
    usual = allowances.PLAIN.shown(n, d)
    found = allowances.giving(total, n, d, n1)
    if allowances.PLAIN in found:
        return f"The total of {total} is {usual}."
    if found:
        ways = "; or ".join(list(dict.fromkeys(how.shown(n, d, n1) for how in found))[:2])
        return f"The total of {total} is {ways}; the usual allowance is {usual}."
    return f"No conventional allowance for dropout gives the total of {total}; the usual one is {usual}."


def best_line(right: tuple[Answer, ...]) -> str:
    """The exact answers in a list."""
    named = [short(a.method, a.rule) for a in right]
    verb = agreeing(len(named), "answer is", "answers are")
    return f"The exact {verb} {'; '.join(named)}."
