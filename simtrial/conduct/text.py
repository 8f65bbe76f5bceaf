"""Sentences about the conduct of a trial, computed from its exact laws and its simulation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import simulation
from simtrial.design.designs import MAX_LOOKS, design_named
from simtrial.design.exact import CLOSE, operating_characteristics
from simtrial.laws.inflation import inflated
from simtrial.phrases import counted, percent, percent_beside, stated
from simtrial.plan.allowances import enrolled_for
from simtrial.plan.dropout import Dropout
from simtrial.show.passage import Passage

if TYPE_CHECKING:
    from simtrial.conduct.sensitivity import Sensitivity, Variant
    from simtrial.conduct.simulation import Simulation
    from simtrial.conduct.tally import Estimate
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.plan.plan import Handling, Plan

HANDLINGS: dict[Handling, str] = {
    "nonresponder": "counted as non-responders",
    "replace": "replaced by new patients",
    "exclude": "excluded from the numbers of responses and of patients",
}
"""How patients without a response assessment are handled."""


def lost(plan: Plan, requirements: Requirements) -> str:
    """The dropout before the first assessment, overall and, where it differs, by who would have responded."""
    return lost_of(plan.dropout, requirements)


def lost_of(loss: Dropout, requirements: Requirements) -> str:
    """The same, of the law of dropout."""
    if loss.responder_odds_ratio == 1:
        return f"{stated(loss.probability)} of the patients dropping out before their first assessment"
    p0, p1 = (percent(loss.lost(p)) for p in (requirements.p0, requirements.p1))
    return (
        f"{percent(loss.of_responder)} of the patients who would respond and {stated(loss.probability)} of the others "
        f"dropping out before their first assessment ({p0} of all patients at p0, {p1} at p1)"
    )


def reading(plan: Plan, *, enrolled: bool = False) -> str:
    """Whose response rate p0 is in a plan, where another choice has another type I error."""
    if plan.handling != "nonresponder" or not plan.dropout.probability:
        return ""
    return null_rate(enrolled=enrolled)


def null_rate(*, enrolled: bool) -> str:
    """Whose response rate p0 is, after a type I error."""
    return f" (p0 being the rate {'among all enrolled patients' if enrolled else 'with every patient evaluable'})"


def _percent(e: Estimate) -> str:
    return (
        percent(e.best)
        if e.exact is not None
        else f"{percent(e.best)} (simulated, Monte Carlo standard error {100 * e.best_mcse:.2f}%)"
    )


def _more(found: float, limit: float) -> bool:
    """Whether one probability exceeds another by more than rounding error, where one may equal its limit."""
    return found > limit * (1 + CLOSE)


def _unlike_paper(plan: Plan) -> str:
    """What changes the decision beside dropout."""
    pending = " and the interim analysis taken with patients pending" if plan.conditional is not None else ""
    closes = f" and accrual closing in month {plan.close_month:g}" if plan.close_month is not None else ""
    return pending + closes + by_toxicity(plan)


def by_toxicity(plan: Plan) -> str:
    """The rule for toxicity and the rate at which the trial is run, after other conditions; nothing without a rule."""
    if plan.toxicity_rule is None or plan.toxicity is None:
        return ""
    associated = "" if plan.toxicity.odds_ratio == 1 else f", odds ratio with response {plan.toxicity.odds_ratio:g}"
    return f" and the rule that stops the trial for toxicity (rate {stated(plan.toxicity.rate)}{associated})"


def as_run(done: Simulation, requirements: Requirements) -> str:
    """Type I error and power as run, where dropout, a closing date or pending patients change them; else nothing."""
    plan, asked = done.plan, requirements
    low, high = done["p0"]["reject"], done["p1"]["reject"]
    power = float(operating_characteristics(plan.design, asked.p1).reject)
    if plan.close_month is None and not _more(low.best, asked.alpha) and abs(high.best - power) < 5e-5:
        return ""
    closes = _unlike_paper(plan)
    if closes and high.best_mcse:
        closes += f" (simulated, Monte Carlo standard error {100 * high.best_mcse:.2f}%)"
    recut = ", bounds recalculated" if plan.recut else ""
    above = f" (above alpha, {stated(asked.alpha)})" if _more(low.best, asked.alpha) else ""
    below = f" (below the required {stated(asked.power)})" if _more(asked.power, high.best) else ""
    return (
        f"As it is to be run, with {lost(plan, asked)} and {HANDLINGS[plan.handling]}{recut}{closes}, the type I "
        f"error is {percent_beside(low.best, asked.alpha)}{above} and the power "
        f"{percent_beside(high.best, asked.power)}{below}."
    )


def cost(done: Simulation, requirements: Requirements) -> Passage:
    """The design on paper, and as the trial is run."""
    plan = done.plan
    oc = operating_characteristics(plan.design, [requirements.p0, requirements.p1])
    low, high = done["p0"], done["p1"]
    other = low.scenario.mean > requirements.p0
    recut = ", with the bounds recalculated at the number of evaluable patients" if plan.recut else ""
    enrolled = [one["n_enrolled"].best for one in (low, high)]
    patients = f"on average {enrolled[0]:.1f} patients are enrolled at p0 and {enrolled[1]:.1f} at p1"
    if (not plan.interim.hold or plan.interim.max_hold is not None) and len(plan.design.looks) > 1:
        beyond = "while the analysis that stops the trial is pending"
        if plan.toxicity_rule is not None:
            beyond += ", or beyond the patients among whom the boundary for toxicity is crossed"
        patients += (
            f", of whom {low['overrun'].best:.1f} and {high['overrun'].best:.1f} are overrun (enrolled {beyond})"
        )
    closes = _unlike_paper(plan)
    paragraphs = [
        f"On paper the type I error is {percent(float(oc.reject[0]))}, the power {percent(float(oc.reject[1]))} and "
        f"the expected sample size EN(p0) {oc.en[0]:.1f}.",
        f"As it is to be run, with {lost(plan, requirements)} and {HANDLINGS[plan.handling]}{recut}{closes}, the "
        f"type I error is {_percent(low['reject'])}{reading(plan, enrolled=other)} and the power "
        f"{_percent(high['reject'])}; {patients}. The "
        f"primary decision is expected in month {low['duration_months'].best:.1f} at p0 and "
        f"{high['duration_months'].best:.1f} at p1.",
    ]
    if plan.toxicity_rule is not None:
        paragraphs.append(
            "The expected month as a sum over stages, E[D], holds if no trial is stopped for toxicity; with the rule, "
            "months and patients are simulated, and a stop for toxicity counts as the primary decision."
        )
    if other:
        paragraphs.append(
            f"At p0 the response rate with every patient evaluable is {low.scenario.rate}, so that "
            f"{stated(requirements.p0)} of all enrolled patients respond and are evaluable."
        )
    if plan.handling == "replace" and plan.dropout.lost(requirements.p1):
        paragraphs.append(_price_of_replacing(done))
    zs = [e.z for result in done.results for e in result.estimates.values() if e.z is not None]
    if zs:
        paragraphs.append(
            f"Check: of {counted(len(zs), 'simulated mean')} with a known exact value, the largest deviation is "
            f"{np.max(np.abs(zs)):.1f} Monte Carlo standard errors."
        )
    return Passage("conduct_cost", tuple(paragraphs))


def _price_of_replacing(done: Simulation) -> str:
    """The patients and months that replacing takes, compared with the same trial with every patient evaluable."""
    names = "n_enrolled", "duration_months"
    every_patient = replace(done.plan, dropout=Dropout(0.0), handling="nonresponder")
    scenarios = [done[label].scenario for label in ("p0", "p1")]
    without = simulation.expect(every_patient, scenarios, names, max(done.trials, 2), done.seed)
    more = {label: [done[label][name].best - without[label][name].best for name in names] for label in ("p0", "p1")}
    (patients, months), (patients1, months1) = more["p0"], more["p1"]
    return (
        f"Compared with a trial with every patient evaluable, replacing takes {patients:.1f} more enrolled patients "
        f"and {months:.1f} more months to the primary decision at p0, {patients1:.1f} and {months1:.1f} at p1."
    )


def _looks(design: Design, most: int = MAX_LOOKS) -> str:
    """The looks of a design, or what it is called where they do not say what it does."""
    named = design_named(design, most)
    return named.removeprefix("design ") if named.startswith("design ") else f"the {named}"


def _inflates(design: Design, plan: Plan | None) -> str:
    """Which design is inflated, and where its numbers are not those of the plan."""
    if plan is None:
        return ""
    said = []
    if design.looks != plan.design.looks:
        said.append(
            f"The design on paper, {_looks(design, 4)}, is inflated here; the chosen design, {_looks(plan.design)}, "
            "already allows for the dropout."
        )
    if plan.handling != "nonresponder":
        cut = ", with recalculated bounds" if plan.recut else ""
        said.append(
            f"In this trial patients without a response assessment are {HANDLINGS[plan.handling]}{cut}. All numbers "
            "here assume that they are counted as non-responders, with the planned bounds."
        )
    return " ".join(said)


def inflation(design: Design, requirements: Requirements, loss: Dropout, plan: Plan | None = None) -> Passage:
    """How often n / (1 - d) enrolled patients give n evaluable ones, and the type I error with the planned bounds.

    Parameters
    ----------
    design : Design
        The design on paper, which makes no allowance for dropout yet.
    requirements : Requirements
        p0, p1 and the limits.
    loss : Dropout
        Law of dropout.
    plan : Plan, optional
        How the trial is run, if this is another design or another handling of dropout.
    """
    n, d = design.looks[-1].n, loss.lost(requirements.p1)
    if d == 0:
        return Passage("inflation", ("Every patient is evaluable, so the sample size needs no inflation.",))
    usual = enrolled_for(n, d)
    one = next(found for found in inflated(design, requirements, loss) if found.enrolled == usual)
    verdicts = [
        f"{percent_beside(error, requirements.alpha)} ({'above' if _more(error, requirements.alpha) else 'within'} "
        f"alpha) if p0 is the response rate {said}"
        for error, said in (
            (one.type_i_error, "with every patient evaluable"),
            (one.type_i_error_all, "among all enrolled patients"),
        )
    ]
    said = _inflates(design, plan)
    return Passage(
        "inflation",
        (
            *([said] if said else []),
            f"Enrolling {n}/(1 - {d:.3g}), rounded up to {counted(usual, 'patient')}, yields {n} evaluable patients on "
            f"average, but at least {n} only with probability {percent(one.enough)}. With more patients and unchanged "
            f"bounds the type I error rises. With {_looks(one.design)} it is {verdicts[0]}, and "
            f"{verdicts[1]}. The power is {percent(one.power)}.",
        ),
    )


def hurts_most(found: Sensitivity, requirements: Requirements) -> Passage:
    """Which single assumption reduces the power most, which inflates the type I error, and which costs most time."""

    def worst(name: str, sign: float) -> Variant:
        return max(found.variants, key=lambda v: sign * (v.values[name] - found.base.values[name]), default=found.base)

    def said(v: Variant) -> str:
        return f"{v.assumption[0].lower()}{v.assumption[1:]} ({v.setting})"

    power, type_i, months = worst("power", -1), worst("type_i_error", 1), worst("duration_p1", 1)
    base = found.base.values
    sentences = []
    if power.values["power"] < base["power"]:
        sentences.append(
            f"The power is reduced most by {said(power)}, from {percent(base['power'])} to "
            f"{percent(power.values['power'])}."
        )
    if _more(type_i.values["type_i_error"], requirements.alpha):
        sentences.append(
            f"The type I error is inflated most by {said(type_i)}, from "
            f"{percent_beside(base['type_i_error'], requirements.alpha)} to "
            f"{percent_beside(type_i.values['type_i_error'], requirements.alpha)} (alpha {stated(requirements.alpha)})."
        )
    else:
        sentences.append(f"None of the changes inflates the type I error above alpha ({stated(requirements.alpha)}).")
    if months.values["duration_p1"] > base["duration_p1"]:
        sentences.append(
            f"The decision at p1 is delayed most by {said(months)}, from month {base['duration_p1']:.1f} to month "
            f"{months.values['duration_p1']:.1f}."
        )
    return Passage("hurts_most", (" ".join(sentences),))
