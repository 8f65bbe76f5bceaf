"""Sentences about the conduct of a trial, computed from its exact laws and its simulation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import simulation
from simtrial.design.designs import looks_text
from simtrial.design.exact import CLOSE, operating_characteristics
from simtrial.laws.inflation import inflated
from simtrial.phrases import percent
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
    "exclude": "left out of the count and of the denominator",
}
"""What becomes of patients without a response status."""


def lost(plan: Plan, requirements: Requirements) -> str:
    """How many are lost, overall and, where it differs, by who would have responded."""
    return lost_of(plan.dropout, requirements)


def lost_of(loss: Dropout, requirements: Requirements) -> str:
    """The same, of the law of dropout."""
    if loss.responder_odds_ratio == 1:
        return f"{percent(loss.probability)} of the patients lost before their first assessment"
    p0, p1 = (percent(round(loss.lost(p), 4)) for p in (requirements.p0, requirements.p1))
    return (
        f"{percent(round(loss.of_responder, 4))} of those who would respond and {percent(loss.probability)} of the "
        f"others lost before their first assessment ({p0} of all at p0, {p1} at p1)"
    )


def reading(plan: Plan, *, enrolled: bool = False) -> str:
    """What p0 is in a plan, where another reading has another type I error."""
    if plan.handling != "nonresponder" or not plan.dropout.probability:
        return ""
    return f" (p0 being the rate {'among all enrolled patients' if enrolled else 'with every patient evaluable'})"


def _percent(e: Estimate) -> str:
    return percent(e.exact) if e.exact is not None else f"{percent(round(e.best, 4))} (simulated)"


def _more(found: float, limit: float) -> bool:
    """Whether one probability is above another by more than rounding can bring about, where one may equal its limit."""
    return found > limit * (1 + CLOSE)


def _unlike_paper(plan: Plan) -> str:
    """What changes the decision beside dropout."""
    pending = " and the interim analysis not waiting for patients pending" if plan.conditional is not None else ""
    closes = f" and accrual closing in month {plan.close_month:g}" if plan.close_month is not None else ""
    return pending + closes


def as_run(done: Simulation, requirements: Requirements) -> str:
    """What losses, a date that closes accrual and patients pending do to the errors on paper; nothing if nothing."""
    plan, asked = done.plan, requirements
    low, high = done["p0"]["reject"], done["p1"]["reject"]
    power = float(operating_characteristics(plan.design, asked.p1).reject)
    if plan.close_month is None and not _more(low.best, asked.alpha) and abs(high.best - power) < 5e-5:
        return ""
    closes = _unlike_paper(plan)
    if closes and high.best_mcse:
        closes += f" (simulated, MCSE {high.best_mcse:.4f})"
    recut = ", bounds recalculated" if plan.recut else ""
    above = f" (more than alpha {asked.alpha:g})" if _more(low.best, asked.alpha) else ""
    below = f" (less than the {asked.power:g} asked)" if _more(asked.power, high.best) else ""
    return (
        f"As it is to be run, with {lost(plan, asked)} and {HANDLINGS[plan.handling]}{recut}{closes}, the type I "
        f"error is {low.best:.4f}{above} and the power {high.best:.4f}{below}."
    )


def cost(done: Simulation, requirements: Requirements) -> Passage:
    """What becomes of the design on paper once it is run."""
    plan = done.plan
    oc = operating_characteristics(plan.design, [requirements.p0, requirements.p1])
    low, high = done["p0"], done["p1"]
    other = low.scenario.mean > requirements.p0
    recut = ", with the bounds recalculated at the number evaluable" if plan.recut else ""
    patients = f"{low['n_enrolled'].best:.1f} patients are enrolled at p0 and {high['n_enrolled'].best:.1f} at p1"
    if (not plan.interim.hold or plan.interim.max_hold is not None) and len(plan.design.looks) > 1:
        patients += (
            f", of whom {low['overrun'].best:.1f} and {high['overrun'].best:.1f} are overrun of trials that stop"
        )
    closes = _unlike_paper(plan)
    paragraphs = [
        f"On paper the type I error is {percent(float(oc.reject[0]))}, the power {percent(float(oc.reject[1]))}, and "
        f"{oc.en[0]:.1f} patients are expected at p0.",
        f"As it is to be run, with {lost(plan, requirements)} and {HANDLINGS[plan.handling]}{recut}{closes}, the "
        f"type I error is {_percent(low['reject'])}{reading(plan, enrolled=other)} and the power "
        f"{_percent(high['reject'])}; {patients}. The "
        f"primary decision is expected in month {low['duration_months'].best:.1f} at p0 and "
        f"{high['duration_months'].best:.1f} at p1.",
    ]
    if other:
        paragraphs.append(
            f"At p0 the response rate with every patient evaluable is {low.scenario.rate}, so that "
            f"{requirements.p0:g} of all enrolled patients respond and are evaluable."
        )
    if plan.handling == "replace" and plan.dropout.lost(requirements.p1):
        paragraphs.append(_price_of_replacing(done))
    zs = [e.z for result in done.results for e in result.estimates.values() if e.z is not None]
    if zs:
        paragraphs.append(
            f"Check: of {len(zs)} simulated means with a known exact value, the largest deviation is "
            f"{np.max(np.abs(zs)):.1f} Monte Carlo standard errors."
        )
    return Passage("conduct_cost", tuple(paragraphs))


def _price_of_replacing(done: Simulation) -> str:
    """What replacing patients takes, against the same trial with every patient evaluable."""
    names = "n_enrolled", "duration_months"
    nobody = replace(done.plan, dropout=Dropout(0.0), handling="nonresponder")
    scenarios = [done[label].scenario for label in ("p0", "p1")]
    without = simulation.expect(nobody, scenarios, names, max(done.trials, 2), done.seed)
    more = {label: [done[label][name].best - without[label][name].best for name in names] for label in ("p0", "p1")}
    (patients, months), (patients1, months1) = more["p0"], more["p1"]
    return (
        f"Against a trial with every patient evaluable, replacing takes {patients:.1f} more enrolled patients and "
        f"{months:.1f} more months to the primary decision at p0, {patients1:.1f} and {months1:.1f} at p1."
    )


def _inflates(design: Design, plan: Plan | None) -> str:
    """Which design is inflated, and where its numbers are not those of the plan."""
    if plan is None:
        return ""
    taken = looks_text(plan.design, ", ")
    said = []
    if design.looks != plan.design.looks:
        said.append(
            f"The design on paper, {looks_text(design, ', ')}, is inflated here; the design taken, {taken}, allows for "
            "the dropout already."
        )
    if plan.handling != "nonresponder":
        cut = ", with bounds recalculated" if plan.recut else ""
        said.append(
            f"In this trial patients lost are {HANDLINGS[plan.handling]}{cut}; all numbers here are those of counting "
            "them as non-responders against the bounds as planned."
        )
    return " ".join(said)


def inflation(design: Design, requirements: Requirements, loss: Dropout, plan: Plan | None = None) -> Passage:
    """What enrolling n / (1 - d) with the planned bounds secures, and what it does to the type I error.

    Parameters
    ----------
    design : Design
        The design on paper, which makes no allowance for dropout yet.
    requirements : Requirements
        p0, p1 and the limits.
    loss : Dropout
        Law of loss.
    plan : Plan, optional
        How the trial is run, if this is another design or another handling of patients lost.
    """
    n, d = design.looks[-1].n, loss.lost(requirements.p1)
    if d == 0:
        return Passage("inflation", ("Nobody is lost, so there is nothing to inflate.",))
    usual = enrolled_for(n, d)
    one = next(found for found in inflated(design, requirements, loss) if found.enrolled == usual)
    verdicts = [
        f"{percent(error)}, {'above' if _more(error, requirements.alpha) else 'within'} alpha, if p0 is {said}"
        for error, said in (
            (one.type_i_error, "the rate had nobody been lost"),
            (one.type_i_error_all, "the rate among all who are enrolled"),
        )
    ]
    said = _inflates(design, plan)
    return Passage(
        "inflation",
        (
            *([said] if said else []),
            f"Enrolling {usual} = {n}/(1 - {d:.3g}), rounded up, makes {n} evaluable patients the mean, not a promise: "
            f"it secures them with probability {one.enough:.3f}. More patients against the same bounds loosen the "
            f"test. With {looks_text(one.design, ', ')} the type I error is {verdicts[0]}; and {verdicts[1]}. The "
            f"power is {percent(one.power)}.",
        ),
    )


def hurts_most(found: Sensitivity, requirements: Requirements) -> Passage:
    """Which single assumption costs most power, which breaks alpha, and which costs most time."""

    def worst(name: str, sign: float) -> Variant:
        return max(found.variants, key=lambda v: sign * (v.values[name] - found.base.values[name]), default=found.base)

    def said(v: Variant) -> str:
        return f"{v.assumption[0].lower()}{v.assumption[1:]} ({v.setting})"

    power, type_i, months = worst("power", -1), worst("type_i_error", 1), worst("duration_p1", 1)
    base = found.base.values
    sentences = []
    if power.values["power"] < base["power"]:
        sentences.append(
            f"Most power is lost by {said(power)}: {percent(base['power'])} becomes {percent(power.values['power'])}."
        )
    if _more(type_i.values["type_i_error"], requirements.alpha):
        sentences.append(
            f"Alpha is broken most by {said(type_i)}: the type I error {percent(base['type_i_error'])} becomes "
            f"{percent(type_i.values['type_i_error'])}."
        )
    else:
        sentences.append(f"None of the changes takes the type I error above alpha ({percent(requirements.alpha)}).")
    if months.values["duration_p1"] > base["duration_p1"]:
        sentences.append(
            f"Most time is lost by {said(months)}: the decision at p1 moves from month {base['duration_p1']:.1f} to "
            f"month {months.values['duration_p1']:.1f}."
        )
    return Passage("hurts_most", (" ".join(sentences),))
