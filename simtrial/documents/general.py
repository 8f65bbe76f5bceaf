"""Sections 4.3 and 10 to 10.3 of a protocol: stopping rules, what holds for all analyses, and who is analysed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simtrial import __version__
from simtrial.design.second_stages import analyses, branched
from simtrial.documents import estimands, toxicity
from simtrial.phrases import counted, ended, listed, stated, to_complete
from simtrial.search.adaptive import text as adaptive
from simtrial.show.document import Chapter, Points
from simtrial.show.table import WORDS, Table, column
from simtrial.trial import rules, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Look
    from simtrial.documents.facts import Facts


def responses_at_most(look: Look) -> str:
    """The responses that stop a trial for futility; empty where none do.

    >>> from simtrial.design.designs import Look
    >>> responses_at_most(Look(15, 1)), responses_at_most(Look(15, 0))
    ('at most 1 response', 'no response')
    """
    if look.r is None:
        return ""
    return "no response" if look.r == 0 else f"at most {counted(look.r, 'response')}"


def responses_at_least(look: Look) -> str:
    """The responses that stop a trial for efficacy; empty where none do."""
    return "" if look.e is None else f"at least {counted(look.e, 'response')}"


def stopping(facts: Facts) -> Chapter:
    """Section 4.3, consistent with 10.9."""
    rule = toxicity.stops(facts)
    example = "slow accrual" if rule else "toxicity or slow accrual"
    others = facts.stated("stopping", f"other reasons to stop the trial, such as {example}")
    none = toxicity.NO_LOOK if rule else "No interim analysis is planned,"
    said = [f"{none.rstrip('.,')}, so that no number of responses stops the trial early."]
    if facts.several:
        said = [" ".join(_rules(facts)), "Section 10.9 states when these analyses take place and who decides."]
    said += [rule] if rule else []
    said.append(f"Other reasons to stop the trial: {others.rstrip('.')}.")
    return Chapter(number="4.3", title="Trial stopping rules", code="C218544", blocks=(" ".join(said),), level=2)


def _rules(facts: Facts) -> Iterator[str]:
    first = branched(facts.design.looks)
    if first is not None:
        yield f"The trial is analysed after {counted(first.n, 'patient')}. Decisions by the number of responses:"
        yield from (f"{one[0].upper()}{one[1:]}" for one in adaptive.rule(first))
        return
    if len(facts.design.looks) > rules.MOST_TOLD:
        yield from rules.gathered(facts.design)
    for look in facts.design.looks[:-1] if len(facts.design.looks) <= rules.MOST_TOLD else ():
        few, many = responses_at_most(look), responses_at_least(look)
        parts = [f"for futility with {few}"] * bool(few) + [f"for efficacy with {many}"] * bool(many)
        stops = f"stops {' and '.join(parts)}" if parts else "continues with any number of responses"
        yield f"At the interim analysis of {counted(look.n, 'patient')} the trial {stops}."
    if facts.plan is not None and facts.plan.recut:
        yield "These bounds are recalculated at the numbers of evaluable patients."


def general(facts: Facts) -> Iterator[Chapter]:
    """Sections 10, 10.1, 10.2 and 10.3."""
    yield Chapter(number="10", title="Statistical considerations", code="C218625")
    yield Chapter(
        number="10.1", title="General considerations", code="C218626", level=2, blocks=tuple(_considerations(facts))
    )
    yield Chapter(number="10.2", title="Analysis sets", code="C218627", level=2, blocks=(_sets(facts),))
    yield Chapter(
        number="10.3", title="Analyses of demographics and other baseline variables", code="C218628", level=2,
        blocks=(ended(facts.stated("baseline", "demographic and baseline variables, and how they are summarised")),),
    )  # fmt: skip


def _considerations(facts: Facts) -> Iterator[str | Points]:
    sap = facts.stated("sap", "whether there is a separate statistical analysis plan, and when it is completed")
    software = facts.stated("software", "software of the analysis, with its version")
    yield f"Statistical analysis plan: {sap.rstrip('.')}."
    yield (
        "Proportions are reported as the number of patients with the event, the number of patients analysed and the "
        "percentage, with an exact confidence interval. Times to an event are estimated by the Kaplan-Meier method. "
        "Continuous variables are summarised by the number of patients, mean, standard deviation, median, minimum and "
        f"maximum. Confidence intervals have the level {100 * facts.level:g}% and are "
        f"{'two-sided' if facts.sides == 2 else 'one-sided (lower limits)'}."
    )
    yield (
        f"The operating characteristics of the design are computed with simtrial {__version__}. The software of the "
        f"analysis is: {software.rstrip('.')}."
    )
    yield "The analyses take place as follows."
    yield Points(tuple(_timing(facts)))


def _timing(facts: Facts) -> Iterator[str]:
    n, plan = facts.case.n, facts.plan
    if facts.several:
        looks = len(analyses(facts.design.looks)) - 1
        yield f"Interim {'analysis' if looks == 1 else 'analyses'}: as stated in section 10.9."
    if plan is None:
        who = "all patients of the stage that ends the trial" if facts.adaptive else counted(n, "patient")
        yield f"Primary analysis: when the response of {who} is known."
        yield f"Final analysis of the secondary endpoints: {to_complete('length of follow-up')}."
        return
    known = plan.interim.decide == "known"
    when = "as soon as the known responses settle its decision" if known else "when the response of every patient who "
    when += "" if known else "counts is known"
    closes = (
        ""
        if plan.close_month is None
        else f", and with the patients enrolled if accrual closes in month {plan.close_month:g}"
    )
    yield f"Primary analysis: {when}{closes}{_months(facts)}."
    given = facts.case.trial.conduct
    if given is not None:
        yield f"Final analysis of the secondary endpoints: at the end of follow-up, {words.follow_up(given.follow_up)}."


def _months(facts: Facts) -> str:
    """When the primary analysis is expected, as a clause."""
    if facts.timed is None:
        return ""
    low, high = (facts.timed[rate]["duration_months"].best for rate in ("p0", "p1"))
    said = f"; it is expected in month {low:.1f} if the response rate is p0 and in month {high:.1f} if it is p1"
    if facts.safety is None:
        return said
    return f"{said}, where a stop for toxicity counts as this decision (rate of toxicity {stated(facts.safety.rate)})"


def _sets(facts: Facts) -> Table:
    rows = [
        ("All enrolled patients", "All patients who are enrolled, evaluable or not", _uses_of_all(facts)),
        (
            "Primary analysis set",
            _primary_set(facts),
            "Primary analysis and interim analyses" if facts.several else "Primary analysis",
        ),
    ]
    if facts.handling == "nonresponder" or facts.mixed is not None:
        rows.append(
            (
                "Evaluable patients",
                "Patients of the primary analysis set with at least one response assessment",
                "Sensitivity analysis of the primary endpoint",
            )
        )
    if facts.handling in ("replace", "exclude") or facts.mixed is not None:
        who = "those who are replaced or excluded, who count"
        if facts.mixed is not None:
            who = "those who are replaced or excluded; every patient with an intercurrent event counts"
        rows.append(
            (
                "Primary analysis set with all patients",
                f"The patients of the primary analysis set and {who} as "
                f"{'a non-responder' if facts.mixed is not None else 'non-responders'}",
                "Sensitivity analysis of the primary endpoint",
            )
        )
    dose = facts.stated("safety_set", "which patients are in the safety analyses")
    rows.append(("Safety set", dose.rstrip("."), "Safety analyses"))
    frame = pd.DataFrame(rows, columns=["set", "definition", "used_for"])
    shown = {
        "set": column("analysis_set", WORDS),
        "definition": column("definition", WORDS),
        "used_for": column("used_for", WORDS),
    }
    return Table("analysis_sets", "Analysis sets, consistent with the primary estimand of section 3.1", frame, shown)


def _uses_of_all(facts: Facts) -> str:
    given = facts.case.trial.conduct
    uses = []
    if given is not None:
        patients = given.patients
        uses += ["PFS"] * (patients.pfs is not None) + ["OS"] * (patients.os is not None)
    return f"{listed(uses)}; description of the patients" if uses else "Description of the patients"


def _primary_set(facts: Facts) -> str:
    n = facts.case.n
    if facts.adaptive and facts.mixed is None and facts.handling is not None:
        who = {"nonresponder": "with or without a response assessment", "replace": "with a response assessment",
               "exclude": "without those who have no response assessment"}[facts.handling]  # fmt: skip
        return (
            f"The patients of the first stage and of the second that follows, at most {n:,}, in the order of "
            f"enrollment, {who}"
        )
    if facts.handling is None:
        how = to_complete("how patients without a response assessment count")
        return f"The first {counted(n, 'evaluable patient')}; {how}"
    if facts.mixed is not None:
        said = estimands.primary_set(facts)
    elif facts.handling == "nonresponder":
        said = f"The first {counted(n, 'enrolled patient')}, with or without a response assessment"
    elif facts.handling == "replace":
        said = f"The first {counted(n, 'patient')} with a response assessment, in the order of enrollment"
    else:
        said = f"The first {counted(n, 'enrolled patient')}, without those who have no response assessment"
    if facts.several:
        said += ". If the trial stops earlier, the patients of the analysis that stops it"
    # without dropout the strategies price nothing, and are stated all the same
    others = estimands.differing(facts) if facts.mixed is None else ""
    return f"{said}. Other strategies: {others}" if others else said
