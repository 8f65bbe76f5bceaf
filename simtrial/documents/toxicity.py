"""The rule for toxicity in the sections of a protocol: when it stops the trial, how it is monitored, what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.phrases import percent, stated
from simtrial.show.document import Points, Subheading
from simtrial.toxicity import tables, text
from simtrial.trial import safety

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.documents.facts import Facts
    from simtrial.show.document import Matter

NO_LOOK = "No interim analysis of the primary endpoint is planned."
"""Where toxicity alone may stop the trial early."""


def stops(facts: Facts) -> str:
    """The rule in section 4.3; empty if the file has none."""
    rule = facts.case.toxicity_rule
    if rule is None:
        return ""
    return (
        f"{text.stops(rule.boundary)} A toxicity counts if it occurs within {text.weeks(rule)} of enrollment. A trial "
        "that is stopped for toxicity does not reject H0. Section 10.7 lists these numbers, and section 10.9 states "
        "how toxicity is monitored."
    )


def definition(facts: Facts) -> str:
    """What a toxicity is; empty if no rule needs it and the file does not say."""
    if facts.case.toxicity_rule is None and facts.texts.toxicity is None:
        return ""
    what = facts.stated("toxicity", "definition of the toxicity that is counted, with its grade and its relatedness")
    return f"A toxicity is defined as follows: {what.rstrip('.')}."


def analysis(facts: Facts) -> Iterator[Matter]:
    """What section 10.7 says of the rule: the numbers to print, where they come from, and estimates after a stop."""
    found = safety.of(facts.case)
    if found is None:
        return
    rule = found.rule
    yield (
        "Toxicity is monitored by a boundary, which the table lists. "
        f"{' '.join((*text.origin(rule), text.properties(rule)))}"
    )
    yield tables.counts(rule.boundary, rule.acceptable, rule.unacceptable)
    low, high = (percent(safety.seen_at_stop(rule.boundary, rate)) for rate in (rule.acceptable, rule.unacceptable))
    yield (
        "If the trial is stopped for toxicity, the observed percentage of patients with a toxicity overestimates the "
        "true rate on average, because a trial is stopped when many toxicities have occurred: among the first patients "
        f"counted at a stop it is {low} on average if the true rate is {stated(rule.acceptable)}, and {high} if it is "
        f"{stated(rule.unacceptable)}. The exact confidence interval does not adjust for the stop; it is reported with "
        "this remark, with the number of patients at the stop and with the number of patients still pending then."
    )


def monitoring(facts: Facts) -> Iterator[Matter]:
    """The monitoring of toxicity in section 10.9, as an interim analysis of its own."""
    found = safety.of(facts.case)
    if found is None:
        return
    rule = found.rule
    yield Subheading("Monitoring of toxicity")
    reviewed = facts.stated("safety", "how safety is monitored during the trial, and by whom")
    decided = facts.stated("interim_decided_by", "who decides whether the trial continues")
    seen = facts.stated("interim_seen_by", "who sees the interim data and results")
    looks = [look.n for look in rule.boundary.looks if look.b is not None]
    when = "every number" if looks == list(range(looks[0], looks[-1] + 1)) else "the numbers"
    yield Points(
        (
            f"Purpose: to stop accrual if the rate of toxicity is unacceptably high ({stated(rule.unacceptable)}), and "
            f"rarely if it is acceptable ({stated(rule.acceptable)}).",
            f"Method: the boundary of section 10.7. {text.stops(rule.boundary)}",
            f"Timing: whenever a toxicity occurs, at {when} of patients in the table of section 10.7. "
            f"{text.window(rule)}",
            f"Performed and reviewed: {reviewed.rstrip('.')}.",
            "Decision: the boundary is binding. Accrual stops when it is crossed, and H0 is not rejected. Decided by: "
            f"{decided.rstrip('.')}.",
            "Accrual meanwhile: continues until the boundary is crossed.",
            f"Access to data and results: {seen.rstrip('.')}.",
            f"Effect on the test of H0: {found.effect}",
        )
    )


def effect(facts: Facts) -> Iterator[Matter]:
    """What the rule does to the errors of the sample size, in section 10.11."""
    found, asked = safety.of(facts.case), facts.asked
    if found is None:
        return
    yield Subheading("Rule for toxicity")
    said = "The sample size does not allow for the rule for toxicity." if found.shortfall else ""
    yield f"{found.effect} {said}".strip()
    yield tables.price(found.design, found.rule, asked.p0, asked.p1, found.odds_ratios)
