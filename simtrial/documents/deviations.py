"""What becomes of the errors of a design where an assumption of its sample size turns out to be wrong: exact values."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.laws import decision, laws
from simtrial.phrases import stated
from simtrial.plan.dropout import Dropout
from simtrial.trial import differing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.plan.plan import Plan, Scenario
    from simtrial.trial.case import Case
    from simtrial.trial.differing import Differing
    from simtrial.trial.safety import Safety

OTHER_ODDS = (0.25, 4.0)
"""Odds ratios of an informative dropout that are tried."""

WITHOUT = (0.1, 0.2)
"""Dropout that is tried where none is assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """The exact type I error and power under another dropout.

    Attributes
    ----------
    what : str
        The dropout in words.
    type_i_error, power : float
        P(reject H0) under H0, p0 read as the file says, and under the alternative.
    assumed : bool
        Whether this is the dropout that is assumed.
    """

    what: str
    type_i_error: float
    power: float
    assumed: bool


def of_dropout(case: Case) -> list[Deviation]:
    """The design as it is run under other dropout than assumed; none if the file does not say, or without a law."""
    plan = _by_responses(case)
    if plan is None or not decision.has_law(plan):
        return []
    mixed = by_event(case)
    return [found for what, loss in _losses(case) if (found := _under(case, what, loss, mixed)) is not None]


def _by_responses(case: Case) -> Plan | None:
    """How the trial is run without its rule for toxicity, so that one assumption alone is changed."""
    return None if case.plan is None else case.plan.by_responses


def _losses(case: Case) -> Iterator[tuple[str, Dropout]]:
    assert case.plan is not None  # or no dropout is stated
    given = case.plan.dropout
    d, ratio = given.probability, given.responder_odds_ratio
    others = sorted({0.0, round(d / 2, 6), d, min(round(2 * d, 6), 0.5)} if d else {0.0, *WITHOUT})
    of_whom = "" if ratio == 1 else " of the patients who would not respond"
    yield from (("none" if one == 0 else f"{stated(one)}{of_whom}", Dropout(one, ratio)) for one in others)
    whole = given.lost(case.requirements.p1)
    for other in OTHER_ODDS:
        if d and other != ratio:
            less = "less" if other < 1 else "more"
            what = f"{stated(round(whole, 6))} at p1, {less} often in patients who would respond (odds ratio {other:g})"
            yield what, Dropout.overall(whole, other, case.requirements.p1)


def by_event(case: Case) -> Differing | None:
    """The strategies under which other dropout is shown; None where all dropout is handled alike, or none is known."""
    mixed = differing.of(case)
    waits = case.plan is not None and case.plan.conditional is None
    return mixed if mixed is not None and mixed.figures is not None and waits else None


def _under(case: Case, what: str, loss: Dropout, mixed: Differing | None) -> Deviation | None:
    plan, how = _by_responses(case), case.trial.how
    assert plan is not None
    assert how is not None
    if mixed is not None:
        found = mixed.under(loss)
        if found is None:
            return None
        return Deviation(what=what, type_i_error=found.type_i_error, power=found.power, assumed=loss == plan.dropout)
    try:
        truths = replace(how, loss=loss, among=case.trial.reading).truths(case.requirements)
        run = decision.decision(replace(plan, dropout=loss), np.array([truths.p0, truths.p1])).reject.tolist()
    except InputError:  # with so much dropout H0 is no rate below p1
        return None
    return Deviation(what=what, type_i_error=run[0], power=run[1], assumed=loss == plan.dropout)


def rate_at(rejects: Callable[[float], float], probability: float) -> float | None:
    """The response rate at which H0 is rejected with this probability; None if it is at no rate.

    The power function rises with the rate for every design whose bounds are cumulative, so there is one such rate. So
    it does beside a rule for toxicity, the rate of toxicity and the association being what they are: whether a patient
    has toxicity or not, a higher rate makes a response more probable.
    """
    from scipy import optimize

    def surplus(p: float) -> float:
        return rejects(p) - probability

    return None if surplus(1.0) < 0 else float(optimize.brentq(surplus, 0.0, 1.0, xtol=1e-12))


def keeping(design: Design, asked: Requirements) -> tuple[float, float]:
    """The rates up to which a design keeps alpha, and from which on it has the power, every patient being evaluable.

    In thousandths, the former rounded down and the latter up, so that both statements hold for the rates given.
    """
    largest, least = _keeping(lambda p: float(operating_characteristics(design, p).reject), asked)
    assert largest is not None  # at a rate of 1 every design rejects
    assert least is not None
    return largest, least


def keeping_beside(both: Safety) -> tuple[float | None, float | None]:
    """The same with the rule for toxicity, at its acceptable rate; None where the limit is reached at no rate."""
    return _keeping(lambda p: both.at(p, both.rule.acceptable).reject, both.case.requirements)


def _keeping(rejects: Callable[[float], float], asked: Requirements) -> tuple[float | None, float | None]:
    largest, least = (rate_at(rejects, limit) for limit in (asked.alpha, asked.power))
    # a limit that is attained exactly at such a rate is attained there to rounding error
    return (
        None if largest is None else math.floor(1000 * largest + 1e-6) / 1000,
        None if least is None else math.ceil(1000 * least - 1e-6) / 1000,
    )


def success(case: Case, scenario: Scenario) -> float | None:
    """The exact probability of success at a true rate or averaged over its distribution; None without a law.

    As the trial is run, with its rule for toxicity.
    """
    plan = case.plan
    if plan is None or not decision.has_law(plan):
        return None
    return laws.exact_values(plan, scenario, months=False)["reject"]
