"""Section 10.11 of a protocol: everything that is needed to reproduce the sample size."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pandas as pd

from simtrial import __version__
from simtrial.analysis.text import ORDERINGS
from simtrial.conduct.text import HANDLINGS
from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.documents import deviations, precision, toxicity
from simtrial.documents.facts import SIMULATION_REPORT
from simtrial.errors import InputError
from simtrial.history import origin
from simtrial.history import tables as history_tables
from simtrial.history import text as history_text
from simtrial.phrases import agreeing, counted, ended, percent, stated, to_complete
from simtrial.plan.disease import Beta
from simtrial.search import simon
from simtrial.search.text import reason
from simtrial.show.document import Chapter, Subheading
from simtrial.show.table import RATE, WHOLE, WORDS, Table, column
from simtrial.trial import differing, protocol, template, text, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.documents.facts import Facts
    from simtrial.show.document import Matter
    from simtrial.show.table import Shown


def determination(facts: Facts) -> Chapter:
    """Section 10.11."""
    return Chapter(
        number="10.11", title="Sample size determination", code="C218648", level=2, blocks=tuple(_blocks(facts))
    )


def _blocks(facts: Facts) -> Iterator[Matter]:
    size, references = text.sample_size(facts.case).paragraphs
    yield size
    yield _derived(facts)
    yield Subheading("Response rates and earlier studies")
    yield from _history(facts)
    yield Subheading("Dropout and accrual")
    yield " ".join(_enrollment(facts))
    yield from toxicity.effect(facts)
    yield Subheading("Precision of the estimate")
    yield from _precision(facts)
    yield Subheading("Deviations from the assumptions")
    yield from _deviating(facts)
    yield Subheading("Computation and references")
    yield _computed(facts)
    yield references


def _derived(facts: Facts) -> str:
    """Where the number of patients comes from, and how it compares with the registered one."""
    case, n = facts.case, facts.case.n
    said = []
    if case.criterion is None:
        said.append("The design is given; the number of patients is not derived from the limits by a search.")
        with suppress(InputError):
            best = simon.MINIMAX.pick(case.two) if facts.several else case.single.first
            name = "two-stage" if facts.several else "single-stage"
            if best.looks != facts.design.looks:
                said.append(
                    f"The smallest {name} design that meets the limits is {looks_text(best, ', ')}, with "
                    f"{counted(best.looks[-1].n, 'patient')}."
                )
            else:
                said.append(f"It is the smallest {name} design that meets the limits.")
    else:
        said.append(reason(case.criterion, case.chosen))
    registered = case.trial.study.registered_enrollment
    if registered is not None:
        apart = abs(n - registered)
        if not apart:
            said.append(f"The number of {counted(n, 'patient')} equals the registered enrollment.")
        else:
            side = "exceeds" if n > registered else "is below"
            said.append(
                f"The number of {counted(n, 'patient')} {side} the registered enrollment of {registered} by "
                f"{counted(apart, 'patient')}, which is therefore not the number of this calculation."
            )
    return " ".join(said)


def _history(facts: Facts) -> Iterator[Matter]:
    """The basis of p0 and p1, and the earlier results."""
    trial = facts.case.trial
    yield text.basis(trial).paragraphs[0]
    reasons = template.reasons(trial.hypotheses.rationale)
    missing = f"reason for p0 = {stated(facts.asked.p0)} and p1 = {stated(facts.asked.p1)}"
    yield f"Reason for these rates: {ended(' '.join(reasons) or to_complete(missing))}"
    if not trial.evidence:
        yield f"Earlier results: {to_complete('earlier studies from which p0 and p1 are taken, with citations')}."
        return
    # how far the rule keeps alpha stands with the other deviations
    *said, _ = history_text.protocol_sentences(facts.case)
    prior = history_text.variation(origin.of(facts.case))[-1:]
    rule = "These probabilities leave the rule for toxicity aside, which can only lower those of a success."
    aside = () if facts.safety is None else (rule,)
    yield " ".join(("Earlier results:", *said, *prior, *aside))
    yield history_tables.prior_studies(facts.case)


def _enrollment(facts: Facts) -> Iterator[str]:
    """Dropout and intercurrent events, screening and accrual."""
    given, plan = facts.case.trial.conduct, facts.plan
    if given is None or plan is None:
        yield f"Dropout: {to_complete('expected dropout, and how it enters the number of patients')}."
        yield f"Accrual: {to_complete('expected accrual, and the number of patients to be screened')}."
        return
    alone = facts.mixed is None
    often = words.dropout(given.dropout) if alone else words.how_often(given.dropout)
    yield f"Dropout before the first assessment: {often}."
    if given.dropout.source:
        yield f"Source: {' '.join(given.dropout.source.split()).rstrip('.')}."
    if events := differing.events(facts.case):
        yield events
    if facts.mixed is not None:
        yield from facts.mixed.errors()
        yield facts.mixed.alike()
    yield f"Accrual: {words.enrollment(given.enrollment)}."
    yield protocol.screening(facts.case, plan)


def _precision(facts: Facts) -> Iterator[Matter]:
    found = precision.outcomes(facts)
    for one in found:
        if one.expected:
            seen = f"{counted(one.responses, 'response')} in {counted(one.n, 'patient')}"
            yield (
                f"If {seen} {agreeing(one.responses, 'is', 'are')} observed, the number expected at p1 = "
                f"{stated(facts.asked.p1)} (rounded), the {100 * facts.level:g}% confidence interval is "
                f"{percent(one.low)} to {percent(one.high)}, with a half-width of {percent(one.half_width)}"
                f"{facts.aside}."
            )
    rows = [asdict(one) | {"half_width": one.half_width} for one in found]
    shown: dict[str, Shown] = {
        "responses": column("responses", WHOLE),
        "n": column("analysed", WHOLE),
        "decision": column("decision", WORDS),
        "estimate": column("estimate", RATE),
        "low": column("lower", RATE),
        "high": column("upper", RATE),
        "half_width": column("half_width", RATE),
    }
    method = f"by {ORDERINGS[facts.ordering]}" if facts.several else "(Clopper-Pearson)"
    estimate, whose = "UMVUE" if facts.several else "observed proportion", " and the outcome expected at p1"
    if facts.adaptive:
        method, estimate, whose = "by the order of conditional type I error", "median unbiased", ""
    caption = (
        f"Precision of the estimate: outcomes at the bounds of {looks_text(facts.design, ', ')}{whose}, "
        f"with the estimate ({estimate}) and its exact {100 * facts.level:g}% confidence interval "
        f"{method}{facts.aside}"
    )
    yield Table("precision", caption, pd.DataFrame(rows), shown)


def _deviating(facts: Facts) -> Iterator[Matter]:
    """What becomes of the errors if an assumption is wrong."""
    asked, design = facts.asked, facts.design
    largest, least = deviations.keeping(design, asked)
    between = asked.p0 + (asked.p1 - asked.p0) / 4
    wrong = float(operating_characteristics(design, between).reject)
    yield (
        f"With every patient evaluable{facts.aside}, the probability of rejection is at most "
        f"{stated(asked.alpha)} for every response rate up to {stated(largest)}, and at least {stated(asked.power)} "
        f"for every response rate from {stated(least)} on. If the rate that is not worth pursuing were "
        f"{stated(round(between, 6))} and not {stated(asked.p0)}, H0 would be rejected with probability "
        f"{percent(wrong)} at this rate.{_with_rule(facts, between)}{''.join(_assurances(facts))}"
    )
    if origin.of(facts.case).history is not None:
        yield _wrong_p0(facts)
    found = deviations.of_dropout(facts.case)
    if found:
        yield _under_other_dropout(facts, found)


def _with_rule(facts: Facts, wrong_p0: float) -> str:
    """What the rule for toxicity makes of the rates for which the limits hold and of another p0."""
    both, asked = facts.safety, facts.asked
    if both is None:
        return ""
    largest, least = deviations.keeping_beside(both)
    up_to = "every response rate" if largest is None else f"every response rate up to {stated(largest)}"
    power = f"at least {stated(asked.power)} for every response rate from {stated(least or 0.0)} on"
    if least is None:
        power = f"at no response rate as large as {stated(asked.power)}"
    wrong = both.at(wrong_p0, both.rule.acceptable).reject
    included = both.included
    return (
        f" {included[0].upper()}{included[1:]}, the probability is at most {stated(asked.alpha)} for {up_to}, and "
        f"{power}; at {stated(round(wrong_p0, 6))} it is {percent(wrong)}."
    )


def _wrong_p0(facts: Facts) -> Table:
    """The type I error by the true rate of the earlier treatments; as run only where this is the estimand's way."""
    whole = history_tables.wrong_history(facts.case)
    kept = {key: how for key, how in whole.shown.items() if facts.mixed is None or key != "reject_run"}
    return replace(whole, shown=kept, caption=f"{whole.caption}{facts.aside}")


def _assurances(facts: Facts) -> Iterator[str]:
    both = facts.safety
    rule = "" if both is None else f" (with the rule for toxicity, at a rate of toxicity of {stated(both.rate)})"
    for one in facts.case.scenarios[2:]:
        chance = deviations.success(facts.case, one) if isinstance(one.p, Beta) else None
        if chance is not None and isinstance(one.p, Beta):
            yield (
                f" Averaged over a Beta({one.p.a:g}, {one.p.b:g}) distribution of the true response rate ({one.label}, "
                f"mean {percent(one.mean)}), the probability of success of the trial as it is run{rule} is "
                f"{percent(chance)}."
            )


def _under_other_dropout(facts: Facts, found: list[deviations.Deviation]) -> Table:
    rows = [{"what": one.what, "type_i_error": one.type_i_error, "power": one.power} for one in found]
    shown = {
        "what": column("dropout", WORDS),
        "type_i_error": column("type_i_error", RATE),
        "power": column("power", RATE),
    }
    reading, without = "", "" if facts.case.toxicity_rule is None else " without the rule for toxicity"
    if facts.mixed is not None:
        alike = f"all dropout is {HANDLINGS[facts.mixed.how.handling]}"
        each = "the intercurrent events keep their strategies and their proportions of all dropout"
        reading = f"; {each if deviations.by_event(facts.case) is not None else alike}"
    if "composite" in facts.strategies:
        whose = (
            "among all enrolled patients"
            if facts.case.trial.reading == "enrolled"
            else "if every patient were evaluable"
        )
        reading += f". p0 is the response rate {whose}"
    caption = (
        f"Exact type I error and power of {looks_text(facts.design, ', ')}{without} under other dropout than assumed; "
        f"the assumed dropout is in bold{reading}"
    )
    return Table("other_dropout", caption, pd.DataFrame(rows), shown, chosen=[one.assumed for one in found])


def _computed(facts: Facts) -> str:
    """With what the numbers are computed, and which of them are simulated."""
    opening = f"All probabilities and sample sizes of this section are exact and computed with simtrial {__version__}."
    if facts.timed is None:
        return f"{opening} No simulation is used."
    return (
        f"{opening} The trial as it is run is simulated as well; the simulation report ({SIMULATION_REPORT}.docx) "
        "states its scenarios, methods and results."
    )
