"""Sections 10.9 and 10.10 of a protocol: interim analyses, and multiplicity."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from simtrial.conduct.tables import simulated_error
from simtrial.design.designs import MultiStage, looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import analyses, branched
from simtrial.documents import toxicity
from simtrial.documents.general import responses_at_least, responses_at_most
from simtrial.phrases import attained, counted, percent_beside, stated, to_complete
from simtrial.search.adaptive.tables import second_stage
from simtrial.show.document import Chapter, Points
from simtrial.show.table import RATE, WHOLE, WORDS, Table, column
from simtrial.trial import protocol, rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.documents.facts import Facts
    from simtrial.show.document import Matter
    from simtrial.show.table import Shown


def interim(facts: Facts) -> Chapter:
    """Section 10.9."""
    blocks: tuple[Matter, ...] = ("No interim analysis is planned.",)
    monitoring = tuple(toxicity.monitoring(facts))
    if facts.several:
        blocks = tuple(_analyses(facts))
    elif monitoring:
        blocks = (toxicity.NO_LOOK,)
    blocks = (*blocks, *monitoring)
    return Chapter(number="10.9", title="Interim analyses", code="C218646", level=2, blocks=blocks)


def _analyses(facts: Facts) -> Iterator[Matter]:
    number = len(analyses(facts.design.looks)) - 1
    yield (
        f"The trial has {counted(number, 'interim analysis', 'interim analyses')} of the primary endpoint, which the "
        "table describes."
    )
    yield _looks(facts)
    yield Points(tuple(_points(facts)))


def _points(facts: Facts) -> Iterator[str]:
    goals = ["a treatment without sufficient activity"] * facts.stops_for_futility
    goals += ["a treatment whose activity is already shown"] * facts.stops_for_efficacy
    purpose = f"to stop the trial early for {' or for '.join(goals)}" if goals else "to review the responses"
    yield f"Purpose: {purpose}."
    yield f"Method: the exact binomial test of section 10.4.1.1; the bounds are binding. {_trigger(facts)}"
    yield f"Performed by: {facts.stated('interim_performed_by', 'who performs the interim analyses').rstrip('.')}."
    yield f"Reviewed by: {facts.stated('interim_reviewed_by', 'who reviews the interim analyses').rstrip('.')}."
    yield f"Decision: {_decision(facts)}"
    yield f"Accrual meanwhile: {_accrual(facts)}"
    seen_by = facts.stated("interim_seen_by", "who sees the interim data and results")
    yield f"Access to data and results: {seen_by.rstrip('.')}."
    yield f"Integrity of the trial: {facts.stated('integrity', 'how the integrity of the trial is kept').rstrip('.')}."


def _trigger(facts: Facts) -> str:
    plan = facts.plan
    early = " ".join(rules.early(plan))
    if plan is None:
        return "An analysis takes place when the response of all its patients is known."
    if early:
        return early
    return "An analysis takes place when the response status of every patient who counts is known."


def _decision(facts: Facts) -> str:
    who = facts.stated("interim_decided_by", "who decides whether the trial continues").rstrip(".")
    given = facts.case.trial.conduct
    if given is None or given.interim is None:
        return f"{who}."
    weeks = given.interim.decision_weeks
    when = "at once" if weeks == 0 else f"{counted(weeks, 'week')} after the analysis"
    return f"{who}; the decision is taken {when}."


def _accrual(facts: Facts) -> str:
    plan, done = facts.plan, facts.timed
    if plan is None or done is None:
        return f"{to_complete('what accrual does while an interim analysis is pending')}."
    found = protocol.pending(plan, done)
    if found:
        return f"{found[0][0].lower()}{found[0][1:]}"
    return (
        "is held until the decision."
        if plan.interim.hold
        else "continues; patients enrolled meanwhile are in the trial."
    )


def _looks(facts: Facts) -> Table:
    first = branched(facts.design.looks)
    if first is not None:
        return replace(second_stage(first, facts.asked), name="interim_analyses")
    looks, (stops, how) = facts.design.looks, facts.stops
    rows = []
    for k, look in enumerate(looks[:-1]):
        row: dict[str, object] = {
            "look": k + 1,
            "n": look.n,
            "futility": responses_at_most(look) or "–",
            "efficacy": responses_at_least(look) or "–",
            "stop_p0": float(stops[0, k]),
            "stop_p1": float(stops[1, k]),
        }
        if facts.timed is not None:
            months = [facts.timed[rate]["interim_month"].best for rate in ("p0", "p1")]
            row["month"] = f"{months[0]:.1f} at p0, {months[1]:.1f} at p1" if k == 0 else "–"
        rows.append(row)
    shown: dict[str, Shown] = {
        "look": column("look", WHOLE),
        "n": column("analysed", WHOLE),
        "month": column("expected_month", WORDS),
        "futility": column("futility_rule", WORDS),
        "efficacy": column("efficacy_rule", WORDS),
        "stop_p0": column("stops_here", RATE, "at p0"),
        "stop_p1": column("stops_here", RATE, "at p1"),
    }
    frame = pd.DataFrame(rows)
    if not facts.stops_for_efficacy:
        shown.pop("efficacy")
    if "month" not in frame:
        shown.pop("month")
    caption = (
        f"Interim analyses of {looks_text(facts.design, ', ')}: patients analysed, the numbers of responses at which "
        f"the trial stops, and the exact probability of stopping, {how}"
    )
    if "month" in shown and facts.timed is not None:
        mcse = max(facts.timed[rate]["interim_month"].best_mcse for rate in ("p0", "p1"))
        caption += ". Months count from the first day of accrual"
        caption += "" if facts.safety is None else ", in the trials that are not stopped for toxicity before"
        caption += f" (MCSE {simulated_error(mcse, facts.timed)})" if mcse else ""
    return Table("interim_analyses", caption, frame, shown)


def multiplicity(facts: Facts) -> Chapter:
    """Section 10.10."""
    return Chapter(
        number="10.10", title="Multiplicity adjustments", code="C218647", level=2, blocks=(" ".join(_errors(facts)),)
    )


def _errors(facts: Facts) -> Iterator[str]:
    asked, design = facts.asked, facts.design
    error = float(operating_characteristics(design, asked.p0).reject)
    yield (
        f"One primary hypothesis is tested, one-sided, at a type I error of at most {stated(asked.alpha)}. The trial "
        "is a success if H0 is rejected."
    )
    others = " and ".join(facts.described).capitalize()
    yield (
        f"{others} endpoints are described without tests, so that no adjustment is made for them."
        if others
        else "No other hypothesis is tested, so that no adjustment is made."
    )
    both, looks = facts.safety, len(analyses(design.looks))
    attains = attained(error, asked.alpha, least=False)
    if both is not None:
        alone = f" of the {counted(looks, 'analysis', 'analyses')} of the responses together" * facts.several
        yield "The rule for toxicity can only prevent a rejection of H0, so that it cannot raise the type I error."
        yield (
            f"The type I error{alone} is {attains} at p = {asked.p0:g}, every patient being evaluable{facts.aside}; "
            f"{both.included}, it is {attained(both.type_i_error, asked.alpha, least=False)}."
        )
    if not facts.several:
        return
    if both is None:
        yield (
            f"The type I error is that of the whole rule with its {counted(looks, 'analysis', 'analyses')}: {attains} "
            f"at p = {asked.p0:g}, every patient being evaluable."
        )
    if facts.stops_for_efficacy:
        yield "The bounds for efficacy are part of this calculation; no further adjustment is needed."
    if facts.stops_for_futility and branched(design.looks) is not None:
        yield "A stop for futility cannot raise the type I error."
    elif facts.stops_for_futility:
        ignored = MultiStage((*(replace(look, r=None) for look in design.looks[:-1]), design.looks[-1]))
        without = float(operating_characteristics(ignored, asked.p0).reject)
        yield (
            "A stop for futility cannot raise the type I error. The bounds for futility are binding: if the trial "
            f"continued in spite of them, the type I error would be {percent_beside(without, asked.alpha)}, "
            f"{'which exceeds' if without > asked.alpha else 'within'} the limit{facts.aside}."
        )
