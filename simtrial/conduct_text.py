"""Sentences about the conduct of a trial, computed from its exact laws and its simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.exact import operating_characteristics
from simtrial.text import Passage, percent

if TYPE_CHECKING:
    from simtrial.requirements import Requirements
    from simtrial.sensitivity import Sensitivity, Variant
    from simtrial.simulation import Estimate, Simulation

HANDLINGS = {
    "nonresponder": "counted as non-responders",
    "replace": "replaced by new patients",
    "exclude": "left out of the count and of the denominator",
}


def _number(e: Estimate) -> str:
    value = e.exact if e.exact is not None else e.value
    return "?" if value is None else f"{value:.1f}"


def _percent(e: Estimate) -> str:
    return percent(e.exact) if e.exact is not None else f"{percent(round(e.value or 0.0, 4))} (simulated)"


def cost(done: Simulation, requirements: Requirements) -> Passage:
    """What becomes of the design on paper once it is run."""
    plan = done.plan
    oc = operating_characteristics(plan.design, [requirements.p0, requirements.p1])
    low, high = done["p0"], done["p1"]
    handling = HANDLINGS[plan.handling]
    recut = ", with the bounds recut at the number evaluable" if plan.recut else ""
    d = plan.dropout.probability
    paragraphs = [
        f"On paper the type I error is {percent(float(oc.reject[0]))}, the power {percent(float(oc.reject[1]))}, and "
        f"{oc.en[0]:.1f} patients are expected at p0.",
        f"As it is to be run, with {percent(d)} of the patients lost before their first assessment and {handling}"
        f"{recut}, the type I error is {_percent(low['reject'])} and the power {_percent(high['reject'])}; "
        f"{_number(low['n_enrolled'])} patients are enrolled at p0 and {_number(high['n_enrolled'])} at p1, of whom "
        f"{_number(low['overrun'])} and {_number(high['overrun'])} are overrun of trials that stop. The primary "
        f"decision is expected in month {_number(low['duration_months'])} at p0 and in month "
        f"{_number(high['duration_months'])} at p1.",
    ]
    zs = [e.z for result in done.results for e in result.estimates.values() if e.z is not None]
    if zs:
        paragraphs.append(
            f"The run checks itself: {len(zs)} simulated means have an exact value beside them, and the farthest lies "
            f"{np.max(np.abs(zs)):.1f} Monte Carlo standard errors away."
        )
    return Passage("conduct_cost", tuple(paragraphs))


def hurts_most(found: Sensitivity) -> Passage:
    """Which single assumption costs most power, and which most time."""

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
    if type_i.values["type_i_error"] > base["type_i_error"]:
        sentences.append(
            f"The type I error rises most by {said(type_i)}: {percent(base['type_i_error'])} becomes "
            f"{percent(type_i.values['type_i_error'])}."
        )
    if months.values["duration_p1"] > base["duration_p1"]:
        sentences.append(
            f"Most time is lost by {said(months)}: the decision at p1 moves from month {base['duration_p1']:.1f} to "
            f"month {months.values['duration_p1']:.1f}."
        )
    return Passage("hurts_most", (" ".join(sentences) or "No change of a single assumption makes anything worse.",))
