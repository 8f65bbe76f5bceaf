"""The rule for toxicity in the sections of a protocol: when it stops the trial, how it is monitored, what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.documents.facts import SIMULATION_REPORT
from simtrial.phrases import agreeing, percent, spanned, stated
from simtrial.show.document import Points, Subheading
from simtrial.toxicity import tables, text
from simtrial.trial import safety
from simtrial.trial.quantities import RATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.documents.facts import Facts
    from simtrial.show.document import Matter
    from simtrial.toxicity.rule import ToxicityRule
    from simtrial.trial.safety import Safety

MOST_NAMED = 12
"""Numbers of patients up to which a sentence names them all."""

NO_LOOK = "No interim analysis of the primary endpoint is planned."
"""Where toxicity alone may stop the trial early."""


def stops(facts: Facts) -> str:
    """The rule in section 4.3; empty if the file has none."""
    rule = facts.case.toxicity_rule
    if rule is None:
        return ""
    return (
        f"{text.stops(rule.boundary)} A toxicity counts if it occurs within {text.weeks(rule)} of enrollment. "
        f"{_counted(facts, rule)} A trial that is stopped for toxicity does not reject H0. Section 10.7 lists these "
        "numbers, and section 10.9 states how toxicity is monitored."
    )


def _counted(facts: Facts, rule: ToxicityRule) -> str:
    """Whose toxicities count, and who is enrolled beyond the last look of the boundary."""
    said = (
        "Every enrolled patient counts for toxicity, in the order of enrollment, whether or not the response is "
        "assessed."
    )
    last = max((look.n for look in rule.boundary.looks if look.b is not None), default=0)
    replaced = facts.handling == "replace" or "replaced" in facts.strategies
    if replaced:
        said = said.removesuffix(".") + "; patients who are replaced count as well."
    if last and (replaced or last < facts.case.n):
        said += f" Patients enrolled after the first {last} are not monitored by the boundary."
    return said


def exceeding(found: Safety, rate: float, limit: float) -> str:
    """How often the observed percentage exceeds its limit in a trial that the boundary may stop."""
    rates = dict(zip(RATES, (found.case.requirements.p0, found.case.requirements.p1), strict=True))
    alone = len(found.design.looks) == 1  # then no number of responses stops the trial early
    assumed, at_limit = (
        " and ".join(
            f"{percent(found.exceeding(p, true, limit))}{'' if alone else f' at {name}'}"
            for name, p in list(rates.items())[: 1 if alone else 2]
        )
        for true in (rate, limit)
    )
    return (
        f"Over all trials, whether they stop early or not, this has the exact probability {assumed} if the true rate "
        f"is {stated(rate)}, and {at_limit} if it is {stated(limit)}, every patient being evaluable and every toxicity "
        "known before the next patient is enrolled. As the trial is run, patients are enrolled before all toxicities "
        "of the earlier ones have occurred, which changes the percentage at a stop; the "
        f"simulation report ({SIMULATION_REPORT}.docx) states the probability as it is run. This comparison does not "
        "stop the trial; the boundary below does."
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
        f"{_counted(facts, rule)} {' '.join((*text.origin(rule), text.properties(rule)))}"
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
    yield Points(
        (
            f"Purpose: to stop accrual if the rate of toxicity is unacceptably high ({stated(rule.unacceptable)}), and "
            f"rarely if it is acceptable ({stated(rule.acceptable)}).",
            f"Method: the boundary of section 10.7. {text.stops(rule.boundary)}",
            f"Timing: {_timing(rule)} {text.window(rule)}",
            f"Performed and reviewed: {reviewed.rstrip('.')}.",
            "Decision: the boundary is binding. Accrual stops when it is crossed, and H0 is not rejected. Decided by: "
            f"{decided.rstrip('.')}.",
            f"Accrual meanwhile: {_accrual(facts)}",
            f"Access to data and results: {seen.rstrip('.')}.",
            f"Effect on the test of H0: {found.effect}",
        )
    )


def _timing(rule: ToxicityRule) -> str:
    """When toxicity is looked at, and to which patients the bounds apply."""
    looks = [look.n for look in rule.boundary.looks if look.b is not None]
    if looks == list(range(looks[0], looks[-1] + 1)) and len(looks) > 1:
        to = f"the first n patients enrolled, for every n from {looks[0]} to {looks[-1]}."
    elif len(looks) <= MOST_NAMED:
        to = f"the first {spanned(looks).replace(' and ', ' or ')} {agreeing(looks[-1], 'patient')} enrolled."
    else:
        to = "the first n patients enrolled, for the numbers n in the table of section 10.7."
    return (
        f"each toxicity is counted when it occurs; the {agreeing(len(looks), 'bound applies', 'bounds apply')} to {to}"
    )


def _accrual(facts: Facts) -> str:
    """What accrual does while toxicities are pending, beside an interim analysis of the responses."""
    plan = facts.plan
    said = "does not stop for the monitoring of toxicity until the boundary is crossed"
    if facts.several and plan is not None and plan.interim.hold:
        return f"{said}; that it is on hold at an interim analysis of the primary endpoint is stated above."
    return f"{said}."


def effect(facts: Facts) -> Iterator[Matter]:
    """What the rule does to the errors of the sample size, in section 10.11."""
    found, asked = safety.of(facts.case), facts.asked
    if found is None:
        return
    yield Subheading("Rule for toxicity")
    said = "The sample size does not allow for the rule for toxicity." if found.shortfall else ""
    yield f"{found.effect} {said}".strip()
    yield tables.price(found.design, found.rule, asked.p0, asked.p1, found.odds_ratios)
