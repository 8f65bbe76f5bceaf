"""Sentences on a trial: the protocol paragraph, the choice of its design, the basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct.text import HANDLINGS, lost
from simtrial.design.designs import looks_text
from simtrial.design.exact import meets, operating_characteristics
from simtrial.laws import decision
from simtrial.search import simon
from simtrial.search.single import FIRST
from simtrial.search.text import difference, exactly, kind, limits_missed, next_to, references
from simtrial.search.wording import null
from simtrial.show.passage import Passage, percent

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.plan.plan import Handling, Plan
    from simtrial.search import AnyCriterion, SingleStageSearch, TwoStageSearch
    from simtrial.trial.trial import Trial


def _count(n: int) -> str:
    return f"{n} {'patient' if n == 1 else 'patients'}"


COUNTED: dict[Handling | None, str] = {
    None: "with a known response status",
    "nonresponder": "enrolled",
    "replace": "with a known response status (others are replaced)",
    "exclude": "enrolled",
}
"""Who is analysed, by the handling of patients without a response status; None where it is not said."""

UNASSESSED: dict[Handling | None, str] = {
    "nonresponder": "Patients without a response assessment are counted as non-responders.",
    "exclude": "Patients without a response assessment are excluded from the analysis.",
}
"""What becomes of the others, by their handling, where that is not said by whom is analysed."""


RECUT = (
    "These bounds are those of the planned numbers: they are recalculated at the numbers evaluable, the first so "
    "that a treatment of rate p1 is stopped no more often than planned, the last so that the type I error stays at or "
    "below its limit."
)
"""What recalculated bounds keep; see `simtrial.plan.recut`."""


def _rules(design: Design, handling: Handling | None) -> list[str]:
    """One sentence a look."""
    sentences = []
    *interim, last = design.looks
    before, passed = 0, -1
    for look in interim:
        verb = "is" if look.n == 1 else "are"
        opening = (
            f"The first {_count(look.n) if look.n > 1 else 'patient'} {COUNTED[handling]} {verb} analysed"
            if not before
            else f"After {_count(look.n)} in all, a further look follows"
        )
        clauses = []
        if look.r is not None and look.r > passed:
            passed = look.r
            seen = "none responds" if look.r == 0 else f"{look.r} or fewer respond"
            clauses.append(f"if {seen} the trial stops for futility")
        if look.e is not None:
            clauses.append(f"if {look.e} or more respond the trial stops and H0 is rejected")
        sentences.append(f"{opening}: {'; '.join(clauses) or 'the trial continues'}.")
        before = look.n
    more = last.n - before
    added = f"Otherwise {more} more {'is' if more == 1 else 'are'} enrolled, {_count(last.n)} in all, and"
    start = added if before else f"{_count(last.n)} {COUNTED[handling]} {'is' if last.n == 1 else 'are'} analysed, and"
    sentences.append(f"{start} H0 is rejected if {(last.r or 0) + 1} or more respond (more than {last.r} of {last.n}).")
    if handling in UNASSESSED:
        sentences.append(UNASSESSED[handling])
    return sentences


def _early(plan: Plan | None) -> list[str]:
    """How looks are decided that do not wait for every status."""
    sentences = []
    if plan is not None and plan.conditional is not None:
        one, rule = plan.design.looks[0], plan.conditional
        month = "when these patients are enrolled" if rule.month is None else f"in month {rule.month:g} of accrual"
        sentences.append(
            f"The interim analysis does not wait for pending patients: it is taken {month}, patients whose response "
            f"status is pending count with their predictive probability of a response at p1, and the trial continues "
            f"if the probability that more than {one.r} of {_count(one.n)} respond is at least {rule.threshold:g}."
        )
    if plan is not None and plan.interim.decide == "known":
        what = "Each analysis" if plan.conditional is None else "The final analysis"
        sentences.append(f"{what} takes place as soon as the response statuses known settle its decision.")
    return sentences


def statement(
    design: Design, requirements: Requirements, plan: Plan | None = None, criterion: AnyCriterion | None = None
) -> Passage:
    """The sample-size paragraph for the protocol, with every number computed from the design.

    It states both hypotheses, alpha and power asked and attained, the design, its decision rules, EN and PET at p0, and
    the references: the components a reviewer needs to reproduce it. A plan of the conduct adds who is analysed, and
    the errors with the losses that it expects. The criterion by which the design was taken names it and its literature;
    without one, the kinds that a search gave it do, or its number of looks.
    """
    asked = requirements
    oc = operating_characteristics(design, [asked.p0, asked.p1])
    looks = len(design.looks)
    sentences = [
        "The primary endpoint is the objective response rate (ORR).",
        f"The null hypothesis that the true ORR is at most {percent(asked.p0)} ({null(f'{asked.p0:g}')}) is tested "
        f"against the alternative that it is larger, with the design alternative p1 = {percent(asked.p1)}, at a "
        f"one-sided type I error of at most {percent(asked.alpha)} and with a power of at least {percent(asked.power)} "
        "at p1.",
        f"The sample size is that of {kind(design, criterion)} ({looks_text(design, ', ')}).",
        *_rules(design, plan.handling if plan else None),
        *((RECUT,) if plan and plan.recut else ()),
        *_early(plan),
        f"The exact type I error is {percent(oc.reject[0])} at p = {asked.p0:g} and the exact power "
        f"{percent(oc.reject[1])} at p = {asked.p1:g}.",
    ]
    if at := exactly(design, asked):
        sentences.append(f"In exact fractions {at}; a limit that is attained exactly is kept.")
    if looks > 1:
        sentences.append(
            f"If the true ORR is {percent(asked.p0)}, the probability of early termination"
            f"{' (for either reason)' if any(look.e is not None for look in design.looks) else ''} is "
            f"{percent(oc.pet[0])} and "
            f"the expected number of patients is {oc.en[0]:.1f}."
        )
    differs = plan is not None and (plan.dropout.probability or plan.conditional)
    if plan is not None and differs and decision.has_law(plan):
        run = decision.decision(plan, np.array([asked.p0, asked.p1])).reject
        pending = " and the interim analysis taken with patients pending" if plan.conditional else ""
        sentences.append(
            f"With {lost(plan, asked)} and {HANDLINGS[plan.handling]}{', bounds recalculated' if plan.recut else ''}"
            f"{pending}, the type I error is {percent(float(run[0]))} and the power {percent(float(run[1]))}."
        )
    elif plan is not None and plan.conditional and plan.close_month is None:
        sentences.append(
            "These are the errors of the design on paper; those with patients pending at the interim analysis are "
            "found by simulation."
        )
    if not meets(design, asked):
        sentences.insert(
            0, f"NOT READY FOR A PROTOCOL: this design does not meet its limits: {limits_missed(design, asked)}."
        )
    sources = " ".join(references(design, criterion))
    return Passage("statement", (" ".join(sentences), f"References: {sources}"), quoted=True)


def basis(trial: Trial) -> Passage:
    """Whether the hypotheses are known or assumed, and the reasons given."""
    asked = trial.hypotheses
    rates = f"p0 = {asked.p0:g}, p1 = {asked.p1:g}, alpha = {asked.alpha:g} (one-sided), power = {asked.power:g}"
    if asked.basis == "assumed":
        opening = (
            f"The hypotheses are an assumption: {rates}. They were not taken from a protocol or registry; every "
            "result below depends on them."
        )
    else:
        opening = f"The hypotheses are those of the protocol: {rates}."
    reasons = [" ".join(part.split()) for part in (asked.rationale or "").split("\n\n")]
    return Passage("basis", (opening, *filter(None, reasons)))


def choice(trial: Trial, single: SingleStageSearch, two: TwoStageSearch, chosen: Design) -> Passage:
    """Which design is taken, what the alternatives would cost, and how it sits with the registered enrollment."""
    asked = trial.requirements
    oc = operating_characteristics(chosen, asked.p0)
    n, en = chosen.looks[-1].n, float(oc.en)
    wish = trial.criterion
    reason = "given in the parameter file."
    if wish is not None:
        reason = f"{wish.name}, as the parameter file asks. {wish.why}"
    needs = f"It needs {_count(n)}."
    if len(chosen.looks) > 1:
        needs = f"It needs at most {_count(n)} and expects {en:.1f} if the true rate is p0."
    paragraphs = [f"Taken: {looks_text(chosen, ', ')}, {reason} {needs}"]
    if not meets(chosen, asked):
        paragraphs.append(f"It does not meet the limits: {limits_missed(chosen, asked)}.")
    rivals: dict[str, tuple[str, Design]] = {
        looks_text(other): (label, other)
        for label, other in (
            *((simon.ADMISSIBLE, other) for other in next_to(two, chosen)),
            *((criterion.name, criterion.pick(two)) for criterion in simon.FAMILY.criteria),
            (FIRST.name, single.first),
        )
        if other.looks != chosen.looks
    }
    others = []
    for label, other in rivals.values():
        other_en = float(operating_characteristics(other, asked.p0).en)
        others.append(
            f"{label} {looks_text(other, ', ')}: {difference(other.looks[-1].n - n)} at most, "
            f"{difference(other_en - en, '.1f')} expected at p0"
        )
    if others:
        paragraphs.append("Beside it, " + "; ".join(others) + ".")
    if trial.study.registered_enrollment is not None:
        registered = trial.study.registered_enrollment
        same = "equals" if n == registered else f"is {difference(n - registered)} than"
        paragraphs.append(
            f"Its maximum of {_count(n)} {same} the registered enrollment of {registered}."
            + (" That they agree does not prove that this is how the number was found." if n == registered else "")
        )
    return Passage("choice", tuple(paragraphs))
