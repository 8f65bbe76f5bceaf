"""Section 10.4 of a protocol: the primary analysis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simtrial.analysis.attained import knows
from simtrial.analysis.rules import PLANNED_BOUNDS, RULES
from simtrial.analysis.text import ORDERINGS
from simtrial.design.designs import looks_short
from simtrial.design.second_stages import branched
from simtrial.documents import estimands, formulas
from simtrial.phrases import agreeing, counted, listed, stated
from simtrial.search import tables
from simtrial.search.adaptive import text as adaptive
from simtrial.show.document import Chapter, FormulaLine, Points, Subheading
from simtrial.show.table import RATE, Table, column
from simtrial.trial import figures, rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.documents.facts import Facts
    from simtrial.show.document import Matter

STEPS = (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
"""Response rates of the operating characteristics, as steps from p0 (0) to p1 (1)."""

OF_EVENTS = (
    "Intercurrent events: every patient with an intercurrent event before the first assessment counts as a "
    "non-responder, whatever the strategy for the event is. This changes the assumption about the responses of these "
    "patients to the least favourable one.",
    "Missing assessments: every patient with such an event is left out. This changes the strategies for the events to "
    "the assumption that these patients respond as often as the other patients.",
)
"""What else is assumed of the patients with an event where the events have several strategies."""


def primary(facts: Facts) -> Iterator[Chapter]:
    """Sections 10.4 to 10.4.1.5."""
    yield Chapter(number="10.4", title="Analyses associated with the primary objective", code="C218629", level=2)
    yield Chapter(number="10.4.1", title="Primary objective", code="C218630", level=3)
    parts: tuple[tuple[str, str, tuple[Matter, ...]], ...] = (
        ("Statistical analysis method", "C218631", tuple(_method(facts))),
        ("Handling of data in relation to the primary estimand", "C218632", estimands.handling(facts)),
        ("Handling of missing data in relation to the primary estimand", "C218633", estimands.missing(facts)),
        ("Sensitivity analysis", "C218634", tuple(_sensitivity(facts))),
        ("Supplementary analysis", "C218635", tuple(_supplementary(facts))),
    )
    for k, (title, code, blocks) in enumerate(parts, start=1):
        yield Chapter(number=f"10.4.1.{k}", title=title, code=code, level=4, blocks=blocks)


def _method(facts: Facts) -> Iterator[Matter]:
    asked, design = facts.asked, facts.design
    yield (
        "Let p be the probability that a patient responds. One primary hypothesis is tested, one-sided, at a type I "
        f"error of at most {stated(asked.alpha)}:"
    )
    yield FormulaLine(f"H0: p <= {asked.p0:g}  against  H1: p > {asked.p0:g},  power required at p1 = {asked.p1:g}")
    yield (
        "Responses of different patients are independent and have the same probability. The number of responses then "
        "follows a binomial distribution. The test is exact: its probabilities are sums of binomial probabilities, "
        f"without a normal approximation. The probability of rejecting H0 with the design {looks_short(design)}"
        f"{facts.aside}{',' if facts.aside else ''} is"
    )
    yield from formulas.power(design)
    yield formulas.WHERE if facts.several else formulas.WHERE_ONE_LOOK
    if expected := formulas.expected(design):
        aside = f"{facts.aside}," if facts.aside else ""
        yield f"The probability of early termination and the expected sample size{aside} are"
        yield from expected
    yield Subheading("Decision")
    yield from _decision(facts)
    yield Subheading("Estimation")
    yield _estimation(facts)
    yield _other_sizes(facts)


def _decision(facts: Facts) -> Iterator[Matter]:
    last = facts.design.looks[-1]
    needed = (last.r or 0) + 1
    seen = f"{counted(needed, 'response')} {agreeing(needed, 'is', 'are')} observed in {counted(last.n, 'patient')}"
    said = f"H0 is rejected, and the treatment is considered worth further study, if at least {seen}"
    said += " at the final analysis." if facts.several else "."
    first = branched(facts.design.looks)
    if first is not None:
        said = (
            "H0 is rejected, and the treatment is considered worth further study, as follows. After "
            f"{counted(first.n, 'patient')}: "
            f"{'; '.join(one.rstrip('.') for one in adaptive.rule(first))}."
        )
    if facts.stops_for_efficacy:
        said += " A trial that stops early for efficacy rejects H0 as well."
    pictures = figures.rules(facts.case)
    shown = "figure shows" if len(pictures) == 1 else "figures show"
    yield f"{said} The {shown} all decisions, the table the operating characteristics."
    if facts.plan is not None and facts.plan.recut:
        yield rules.RECUT
    if facts.plan is not None and facts.plan.conditional is not None:
        yield (
            "These probabilities are those of an interim analysis that waits for every response assessment. Section "
            "10.9 states how pending patients count at the interim analysis of this trial."
        )
    yield from pictures
    yield _characteristics(facts)


def _characteristics(facts: Facts) -> Table:
    """The design at several response rates; beside a rule for toxicity, P(reject H0) with it as well."""
    design = facts.design
    table = tables.characteristics(design, facts.asked, _rates(facts))
    kept = [key for key in table.shown if facts.several or key in ("p", "reject")]  # else every trial has n patients
    if len(design.looks) > formulas.MOST_LOOKS:
        kept = [key for key in kept if not key.startswith("stop_at_")]
    table = replace(table, shown={key: table.shown[key] for key in kept})
    both = facts.safety
    if both is None:
        return table
    rejected = [both.at(p, both.rule.acceptable).reject for p in table.frame["p"]]
    return replace(
        table,
        caption=f"{table.caption}{facts.aside}. The last column is P(reject H0) {both.included}",
        frame=table.frame.assign(reject_with_rule=rejected),
        shown={**table.shown, "reject_with_rule": column("with_toxicity_rule", RATE, "P(reject H0)")},
    )


def _rates(facts: Facts) -> list[float]:
    p0, p1 = facts.asked.p0, facts.asked.p1
    found = {round(p0 + step * (p1 - p0), 10) for step in STEPS}
    return sorted({*(p for p in found if 0 < p < 1), p0, p1})


def _interval(facts: Facts) -> str:
    """The interval that the analysis reports first."""
    kind = "two-sided confidence interval" if facts.sides == 2 else "one-sided lower confidence limit"
    if not facts.several:
        return f"exact {kind} of level {100 * facts.level:g}% (Clopper-Pearson)"
    if facts.adaptive:
        return f"exact {kind} of level {100 * facts.level:g}% by the order of conditional type I error"
    return f"exact {kind} of level {100 * facts.level:g}% by the {ORDERINGS[facts.ordering]} of the outcomes"


def _estimation(facts: Facts) -> str:
    if not facts.several:
        return (
            "The response rate is estimated by the observed proportion of responders. It is reported with an "
            f"{_interval(facts)} and with the one-sided exact binomial p-value."
        )
    if facts.adaptive:
        return (
            "The response rate is estimated by the median unbiased estimate, by the order of the conditional type I "
            "error, because the observed proportion is biased after an interim analysis; that is reported as well. The "
            f"estimate has an {_interval(facts)}. The one-sided exact p-value uses the same order, in which every "
            "outcome that rejects H0 is higher than every other one."
        )
    ranks = ""
    if facts.ordering == "stage":
        ranks = (
            " Stage-wise ordering ranks a stop for futility lower, and a stop for efficacy higher, the earlier it "
            "occurs; outcomes of the same analysis are ranked by their number of responses."
        )
    return (
        "The response rate is estimated by the uniformly minimum variance unbiased estimate (UMVUE), because the "
        "observed proportion is biased after an interim analysis. The observed proportion is reported as well. The "
        f"estimate has an {_interval(facts)}. The one-sided exact p-value uses the same ordering.{ranks}"
    )


def _other_sizes(facts: Facts) -> str:
    """The rule for numbers of patients that differ from the plan."""
    opening = "If the numbers of patients analysed differ from those planned, "
    if facts.adaptive:
        return (
            "If the second stage has another number of patients than planned, H0 is rejected if the p-value of the "
            "second stage is at most the conditional type I error of the plan, which keeps the type I error."
        )
    if not knows(facts.design):
        return f"{opening}the planned bounds are kept at the numbers attained."
    recut = facts.plan is not None and facts.plan.recut is not None
    first, second, *_ = [rule.phrase for rule in RULES if rule is not PLANNED_BOUNDS]
    if not facts.several or recut:
        return f"{opening}the decision is based on {second}, with the type I error kept at or below its limit."
    return (
        f"{opening}the decision is based on {first} if the first analysis has its planned number of patients, and "
        f"otherwise on {second}. Both keep the type I error at or below its limit."
    )


def _sensitivity(facts: Facts) -> Iterator[Matter]:
    yield "Each analysis changes one assumption of the primary analysis; the decision on H0 remains the primary one."
    yield Points(tuple(_changes(facts)))


def _changes(facts: Facts) -> Iterator[str]:
    p0 = stated(facts.asked.p0)
    if facts.mixed is not None:
        yield from OF_EVENTS
    elif facts.handling == "nonresponder":
        yield (
            "Missing assessments: patients without a response assessment are left out. This changes the assumption "
            "that none of them responded to the assumption that they responded as often as the other patients."
        )
    else:
        changed = " instead of being replaced" if facts.handling == "replace" else " instead of being left out"
        yield (
            "Missing assessments: patients without a response assessment count as non-responders"
            f"{'' if facts.handling is None else changed}. This changes the assumption about their responses to the "
            "least favourable one."
        )
    if "composite" in facts.strategies:
        yield _meaning_of_p0(facts, p0)
    if facts.several and not facts.adaptive:
        others = " and the ".join(name for key, name in ORDERINGS.items() if key != facts.ordering)
        yield (
            f"Ordering of the outcomes: p-value and confidence interval are repeated with the {others}. "
            "This changes which outcomes count as more extreme than the observed one."
        )
    if facts.adaptive:
        return
    yield (
        "Discreteness: the mid-p confidence interval and the mid-p value give half weight to the observed outcome, "
        "which changes the requirement that the level is kept for every response rate."
    )
    if knows(facts.design):
        apply = [rule.phrase for rule in RULES if facts.several or not rule.two_looks]
        yield (
            "Numbers of patients that differ from the plan: the decision by every rule that applies is reported "
            f"({listed(apply)})."
        )


def _meaning_of_p0(facts: Facts, p0: str) -> str:
    """The other reading of p0, where patients count as non-responders because of an event."""
    share = "evaluable patients"
    if facts.mixed is not None:
        share = "patients who do not count as non-responders because of an intercurrent event"
    opening = (
        f"Meaning of p0: the p-value is also computed with p0 = {p0} multiplied by the observed proportion of {share}."
    )
    if facts.case.trial.reading == "enrolled":
        return (
            f"{opening} This changes p0 from the response rate among all enrolled patients to the rate if every "
            "patient were evaluable."
        )
    return (
        f"{opening} p0 is the response rate if every patient were evaluable (section 3.1), and the product is what it "
        "becomes when these patients count as non-responders. The primary p-value is computed with p0 itself, the "
        "larger of the two rates."
    )


def _supplementary(facts: Facts) -> Iterator[Matter]:
    points = []
    if facts.adaptive:
        points.append(
            "The mean of the response rate of the first stage, given the numbers of patients and of responses at the "
            "end, which is unbiased."
        )
    elif facts.several:
        points.append(
            "Other estimates of the response rate: median unbiased, bias-adjusted, bias-subtracted and conditional "
            "maximum likelihood estimates, which show how much the estimate depends on the correction for the interim "
            "analysis."
        )
    if facts.several:
        points.append(
            "The Clopper-Pearson interval without regard to the interim analysis, for comparison with other trials."
        )
    if (
        facts.plan is not None
        and (facts.plan.interim.hold is False or facts.plan.interim.max_hold is not None)
        and facts.several
    ):
        points.append(
            "The response rate of all enrolled patients, including those who were enrolled while the analysis that "
            "stopped the trial was pending."
        )
    if not points:
        yield "No supplementary analysis of the primary endpoint is planned."
        return
    yield Points(tuple(points))
