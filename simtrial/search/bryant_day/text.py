"""Sentences on designs for response and toxicity: the rule, its proof, the association, the protocol."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simtrial.phrases import agreeing, attained, counted, percent_beside, stated
from simtrial.show.passage import Passage

if TYPE_CHECKING:
    from simtrial.search.bryant_day.question import BothBounds, BothRates, Corner
    from simtrial.search.bryant_day.solution import BothCandidate, BothFound

REFERENCES = (
    "Bryant J, Day R. Incorporating toxicity considerations into the design of two-stage phase II clinical trials. "
    "Biometrics 1995;51:1372-1383.",
)
"""What the paragraph for the protocol cites."""

CRITERION = "the larger of EN(r0, t1) and EN(r1, t0)"

RATES = "r: response rate; t: rate of patients without toxicity"


def named(kinds: list[str]) -> str:
    """What a design is called: ``Bryant-Day optimal``."""
    return f"Bryant-Day {' and '.join(kinds)}"


def pair(corner: Corner) -> str:
    """A pair of rates as it is written: ``(r0, t1)``."""
    return f"({corner[0].lower()}{corner[1]}, {corner[2].lower()}{corner[3]})"


def question(asked: BothRates) -> str:
    """Rates and limits, as a heading."""
    return (
        f"Response {asked.r0:g} against {asked.r1:g}, no toxicity {asked.t0:g} against {asked.t1:g}; alpha_r "
        f"{asked.alpha_r:g}, alpha_t {asked.alpha_t:g}, power {asked.power:g}"
    )


def toxicity(asked: BothRates) -> str:
    """What the rates of patients without toxicity say of toxicity."""
    return f"Toxicity rates: {_without(asked.t0)} is not acceptable, {_without(asked.t1)} is."


def reversed_rates(asked: BothRates) -> str:
    """A question where rates of toxicity seem to have been given in place of those without; empty where not."""
    if asked.t1 >= 0.5:
        return ""
    return (
        f"Warning: most patients would have a toxicity at the acceptable rate; t0 and t1 are rates of patients "
        f"without toxicity. If rates of toxicity were given, write t0 = {1 - asked.t1:.10g} and "
        f"t1 = {1 - asked.t0:.10g}."
    )


def rule(design: BothBounds) -> str:
    """The two decisions, toxicities counted both ways: three sentences."""
    n1, n = design.n1, design.n
    return (
        f"After {counted(n1, 'patient')}: stop if at most {counted(design.c_r1, 'patient')} "
        f"{agreeing(design.c_r1, 'responds', 'respond')} or at most {design.c_t1} "
        f"{agreeing(design.c_t1, 'is', 'are')} without toxicity, which means that at least {n1 - design.c_t1} have a "
        f"toxicity; otherwise enroll up to {n}. After {counted(n, 'patient')}: recommend the treatment if at least "
        f"{design.c_r + 1} respond and at least {design.c_t + 1} are without toxicity, which means that at most "
        f"{n - design.c_t - 1} {agreeing(n - design.c_t - 1, 'has', 'have')} a toxicity."
    )


def proved(found: BothFound, kind: str) -> str:
    """What a design attains, and why nothing better exists."""
    design, _, proof = found.of(kind)
    value = f"{proof.value:.4f}"
    where = " It is taken at an odds ratio of infinity, where it is largest." if found.phi == "worst" else ""
    if kind == "minimax":
        return (
            f"{named([kind])}: with fewer than {counted(design.design.n, 'patient')} no design meets the limits; of "
            f"the designs with {design.design.n}, none has a smaller value than {value} of {CRITERION}.{where}"
        )
    return (
        f"{named([kind])}: fewer than {counted(proof.n_lower, 'patient')} cannot be enough, as even the best test of "
        f"one of the endpoints alone misses its limits; of the designs that meet all limits with up to "
        f"{counted(proof.n_upper, 'patient')} none has a smaller value than {value} of {CRITERION}, and with more "
        f"patients every value is larger.{where}"
    )


def association(one: BothCandidate) -> str:
    """Whether the limits hold at every association of the two endpoints; which one breaks where they do not."""
    if one.keeps:
        return (
            "The limits hold at every association of response and toxicity: the type I errors are largest at an odds "
            "ratio of infinity, and the power is least at 0."
        )
    said = []
    for phi, how in ((math.inf, "infinity"), (0.0, "0")):
        recommend = one.recommend(phi)
        for corner in one.missed(phi):
            limit = one.asked.limit(corner)
            if limit is not None and (corner == "R1T1") == (phi == 0):
                side = "below" if corner == "R1T1" else "above"
                what = "the power" if corner == "R1T1" else f"the probability of a recommendation at {pair(corner)}"
                found = percent_beside(recommend[corner], limit)
                said.append(f"{what} is {found} at an odds ratio of {how}, {side} {stated(limit)}")
    return (
        f"Warning: the limits hold under independence, but not at every association of response and toxicity: "
        f"{'; '.join(said)}. With --phi worst they hold at every association."
    )


def protocol(one: BothCandidate) -> Passage:
    """The paragraph for the protocol."""
    asked, design = one.asked, one.design
    recommend, en = one.recommend(), one.en()
    over = "whatever the association of the two endpoints" if one.phi == "worst" else "if the endpoints are independent"
    caution = "" if one.keeps else " If the endpoints are associated, these limits may be exceeded."
    return Passage(
        "bryant_day_protocol",
        (
            "Response and toxicity are monitored together in a two-stage design (Bryant and Day [1]). A response rate "
            f"of {stated(asked.r0)} is not worth pursuing and one of {stated(asked.r1)} is; a toxicity rate of "
            f"{_without(asked.t0)} is not acceptable and one of {_without(asked.t1)} is. In the first stage "
            f"{counted(design.n1, 'patient')} are enrolled. The trial stops if at most {design.c_r1} of them "
            f"{agreeing(design.c_r1, 'responds', 'respond')} or if at least {design.n1 - design.c_t1} have a toxicity; "
            f"otherwise enrollment continues to {counted(design.n, 'patient')}. The treatment is recommended for "
            f"further study if at least {design.c_r + 1} of the {counted(design.n, 'patient')} respond and at most "
            f"{design.n - design.c_t - 1} have a toxicity.",
            f"The probability of recommending the treatment is at most "
            f"{attained(recommend['R0T1'], asked.alpha_r, least=False)} (limit {stated(asked.alpha_r)}) if the "
            f"response rate is {stated(asked.r0)} although the toxicity rate is {_without(asked.t1)}, at most "
            f"{attained(recommend['R1T0'], asked.alpha_t, least=False)} (limit {stated(asked.alpha_t)}) if the "
            f"toxicity rate is {_without(asked.t0)} although the response rate is {stated(asked.r1)}, and at least "
            f"{attained(recommend['R1T1'], asked.power, least=True)} (limit {stated(asked.power)}) if the rates are "
            f"{stated(asked.r1)} and {_without(asked.t1)}; this holds {over}.{caution} In the first two cases the "
            f"expected sample size is at most {en['R0T1']:.1f} and {en['R1T0']:.1f}.",
            *(f"{k}. {source}" for k, source in enumerate(REFERENCES, start=1)),
        ),
        quoted=True,
    )


def _without(rate: float) -> str:
    """The complement of a rate, as a percentage: the rate of toxicity of one without."""
    return stated(round(1 - rate, 12))
