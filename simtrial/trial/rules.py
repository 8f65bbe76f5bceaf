"""The decision rules of a design in sentences, as a protocol states them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from simtrial.conduct.text import HANDLINGS, by_toxicity, lost, reading
from simtrial.design.second_stages import branched
from simtrial.phrases import agreeing, attained, counted, listed, percent, percent_beside, spanned, together
from simtrial.search.adaptive import text as adaptive
from simtrial.toxicity import text as toxicity_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design, Look
    from simtrial.design.requirements import Requirements
    from simtrial.plan.plan import Handling, Plan
    from simtrial.trial.safety import Safety


ANALYSED: dict[Handling | None, tuple[str, str]] = {
    None: ("evaluable", ""),
    "nonresponder": ("enrolled", "; patients without a response assessment count as non-responders"),
    "replace": ("evaluable", "; patients without a response assessment are replaced"),
    "exclude": ("enrolled", "; patients without a response assessment are excluded from the analysis"),
}
"""Who is analysed, and what becomes of patients without a response assessment; None where it is not said."""


RECUT = (
    "These are the bounds at the planned numbers. They are recalculated at the numbers of evaluable patients: the "
    "first, so that a treatment with response rate p1 is stopped no more often than planned, and the last, so that the "
    "type I error does not exceed its limit."
)
"""What recalculated bounds keep; see `simtrial.plan.recut`."""


def _clauses(look: Look, passed: int) -> str:
    """What is decided at an interim analysis, as a clause; empty if nothing is, given the responses passed before."""
    clauses = []
    if look.r is not None and look.r > passed:
        seen = "none responds" if look.r == 0 else f"{look.r} or fewer respond"
        clauses.append(f"if {seen}, the trial stops for futility")
    if look.e is not None:
        clauses.append(f"if {look.e} or more respond, the trial stops and H0 is rejected")
    return "; ".join(clauses)


MOST_TOLD = 6
"""Looks up to which each has a sentence of its own; the bounds of more are gathered in one sentence per reason."""


def gathered(design: Design) -> list[str]:
    """The bounds of many looks, neighbouring looks with the same bound together: one sentence per reason to stop."""
    *interim, last = design.looks
    futile = together([(look.n, look.r) for look in interim])
    effective = together([(look.n, look.e) for look in interim])
    sizes = _each([look.n for look in interim])
    said = [f"The responses are analysed after {sizes} and finally {counted(last.n, 'patient')}."]
    if futile:
        bounds = listed([f"{'none' if r == 0 else f'at most {r}'} of {spanned(at)}" for r, at in futile])
        said.append(f"The trial stops for futility with this number of responses: {bounds}.")
    if effective:
        bounds = listed([f"at least {e} of {spanned(at)}" for e, at in effective])
        said.append(f"The trial stops and H0 is rejected with this number of responses: {bounds}.")
    return said


def _each(at: Sequence[int]) -> str:
    """Numbers of patients one by one; of many equally far apart those in the middle are left out: "5, 10, ..., 45"."""
    alike = len(at) > 3 and len({b - a for a, b in pairwise(at)}) == 1
    return f"{at[0]}, {at[1]}, ..., {at[-1]}" if alike else ", ".join(str(n) for n in at)


def sentences(design: Design, handling: Handling | None, analysed: tuple[str, str] | None = None) -> list[str]:
    """The rule of each look in a sentence, after one on who is analysed: by `ANALYSED`, or as given."""
    *interim, last = design.looks
    table, first = branched(design.looks), design.looks[0].n
    who, others = ANALYSED[handling] if analysed is None else analysed
    number = f"{first} " if first > 1 else ""
    patients = agreeing(first, f"{who} patient")
    opening = f"The first {number}{patients} {agreeing(first, 'is', 'are')} analysed"
    if table is not None:
        asks = "The number of responses among them decides how the trial continues."
        return [f"{opening}{others}.", asks, *(f"{one[0].upper()}{one[1:]}" for one in adaptive.rule(table))]
    if not interim:
        opening = f"{counted(first, f'{who} patient')} {agreeing(first, 'is', 'are')} analysed"
    bound = f"H0 is rejected if {(last.r or 0) + 1} or more respond (more than {last.r} of {last.n})."
    if len(interim) >= MOST_TOLD:
        return [f"{opening}{others}.", *gathered(design), f"If the trial does not stop before, {bound}"]
    said, before, passed = [f"{opening}{others}."], 0, -1
    for look in interim:
        clauses = _clauses(look, passed) or "the trial continues whatever the number of responses"
        if before:
            more = look.n - before
            said.append(
                f"Otherwise {counted(more, 'more patient')} {agreeing(more, 'is', 'are')} enrolled for a further "
                f"interim analysis of {counted(look.n, 'patient')} in all: {clauses}."
            )
        else:
            said.append(f"{clauses[0].upper()}{clauses[1:]}.")
        before, passed = look.n, max(passed, -1 if look.r is None else look.r)
    more = last.n - before
    added = f"Otherwise {counted(more, 'more patient')} {agreeing(more, 'is', 'are')} enrolled, {last.n} in all, and "
    return [*said, f"{added if before else ''}{bound}"]


def early(plan: Plan | None) -> list[str]:
    """How analyses are decided that do not wait for every response assessment."""
    said = []
    if plan is not None and plan.conditional is not None:
        one, rule = plan.design.looks[0], plan.conditional
        month = "when these patients are enrolled" if rule.month is None else f"in month {rule.month:g} of accrual"
        said.append(
            f"The interim analysis does not wait for pending patients. It takes place {month}. A patient whose "
            f"response is pending counts with the predictive probability of a response at p1. The trial continues if "
            f"the probability that more than {one.r} of {counted(one.n, 'patient')} respond is at least "
            f"{rule.threshold:g}."
        )
    if plan is not None and plan.interim.decide == "known":
        what = "Each analysis" if plan.conditional is None else "The final analysis"
        said.append(f"{what} takes place as soon as the known responses settle its decision.")
    return said


def as_run(plan: Plan, asked: Requirements, run: Sequence[float], *, with_: str, enrolled: bool) -> str:
    """Type I error and power of the trial as it is run, after `with_` and what is not as it is on paper.

    A rule for toxicity has a sentence of its own before them.
    """
    parts, stops = [], by_toxicity(plan).removeprefix(" and ").replace("stops the trial", "stops it")
    if plan.dropout.probability:
        recut = ", bounds recalculated" if plan.recut else ""
        parts.append(f"{lost(plan, asked)} and {HANDLINGS[plan.handling]}{recut}")
    if plan.conditional:
        parts.append("the interim analysis taken with patients pending")
    before = f"{with_} {' and '.join(parts)}, " if parts else ""
    then = ""
    if stops:
        trial = "the trial" if before else "The trial"
        before, then = f"{before}{trial} is run under {stops}. The", " then"
    else:
        before += "the"
    return (
        f"{before} type I error is{then} {percent(run[0])}{reading(plan, enrolled=enrolled)} and the power is "
        f"{percent_beside(run[1], asked.power)}."
    )


def stopping(both: Safety) -> str:
    """The rule for toxicity and its price in a few sentences, for a page that has the numbers in a table."""
    asked, rule = both.case.requirements, both.rule
    return " ".join(
        (
            *toxicity_text.brief(rule),
            "A trial that is stopped for toxicity does not reject H0. With this rule, at the acceptable rate, the "
            f"exact type I error is {attained(both.type_i_error, asked.alpha, least=False)} and the exact power is "
            f"{attained(both.power, asked.power, least=True)}, {both.associated}.",
        )
    )
