"""Where a trial stops, and how, under its dropout and its handling.

A rule for toxicity takes from P(reject H0) what it stops. Where the looks at responses count the first n_k enrolled and
their bounds are fixed, both rules see the same patients, and the law is that of `simtrial.toxicity.joint` at the rate
of responses as they are seen. Where they do not, it is known for independent endpoints if H0 is rejected at the last
look alone, as then every look at toxicity is past: it is P(reject H0) without the rule times P(never crossed). An
efficacy bound asks for more: that nobody is enrolled beyond its look, as a toxicity of such a patient may stop the
trial before the decision. Beside a second stage that depends on the first, a rule for toxicity is left to simulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import above, binomial_pmf
from simtrial.design.designs import Look
from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import branched
from simtrial.design.walk import responding, walk
from simtrial.errors import InputError
from simtrial.laws import pending
from simtrial.laws.integrals import NODES
from simtrial.memo import kept
from simtrial.plan.recut import bounds_of
from simtrial.toxicity.boundary import crossing
from simtrial.toxicity.joint import endings

if TYPE_CHECKING:
    from simtrial.design.designs import AttainedBounds, Design
    from simtrial.numbers import Floats
    from simtrial.plan.disease import Beta
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.plan import Handling, Plan
    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.rule import ToxicityRule


def counted(loss: Dropout, handling: Handling, p: float | Floats) -> Floats:
    """Response rate at which a design with planned bounds decides, where p is the rate with every patient evaluable."""
    return loss.among_evaluable(p) if handling == "replace" else loss.seen(p)


@dataclass(frozen=True)
class Decision:
    """P(reject H0) and P(stop at each look) at several true rates: shapes (rates,) and (rates, looks).

    Where the second stage depends on the first, the looks are those at all numbers of patients with which one ends.
    A rule for toxicity is part of P(reject H0). The stops are those of the looks at responses, as if there were no
    other rule: which rule stops a trial first depends on the calendar.
    """

    reject: Floats
    stop: Floats


def has_law(plan: Plan) -> bool:
    """Whether the decision has an exact law."""
    by_responses = plan.close_month is None and (plan.conditional is None or pending.has_law(plan))
    fixed = branched(plan.design.looks) is None
    return by_responses and (plan.toxicity_rule is None or (fixed and (_sees_alike(plan) or _independent(plan))))


def _early_efficacy(plan: Plan) -> bool:
    return any(look.e is not None for look in plan.design.looks[:-1])


def _sees_alike(plan: Plan) -> bool:
    """Whether both rules see the same patients, with fixed bounds; see the head of this module."""
    fixed = plan.handling != "replace" and plan.recut is None and plan.conditional is None
    none_beyond = plan.interim.hold and plan.interim.max_hold is None
    return fixed and (none_beyond or not _early_efficacy(plan))


def _independent(plan: Plan) -> bool:
    """Whether responses and toxicities are independent, and H0 is rejected at the last look alone."""
    return plan.toxicity is not None and plan.toxicity.odds_ratio == 1 and not _early_efficacy(plan)


def decision(plan: Plan, p: Floats) -> Decision:
    """Exact decision of a trial that handles losses as planned.

    Parameters
    ----------
    plan : Plan
        Design, dropout and handling; the calendar does not matter, so a date that closes accrual is refused.
    p : ndarray, shape (rates,)
        True response rates.

    Returns
    -------
    Decision
        Exact up to floating point.
    """
    if plan.close_month is not None:
        raise InputError("makes the decision depend on the calendar, which has no closed form", "close_month")
    if not has_law(plan.by_responses):
        raise InputError("(conditional) makes the decision depend on the calendar, without a closed form", "pending")
    if not has_law(plan):
        raise InputError("makes the decision depend on the calendar, without a closed form", "toxicity")
    if plan.toxicity_rule is not None:
        return _under_rule(plan, plan.toxicity_rule, p)
    if plan.conditional is not None:
        mixtures = [pending.decision(plan, float(q)) for q in p]
        return Decision(np.array([reject for reject, _ in mixtures]), np.array([stop for _, stop in mixtures]))
    dropout, bounds = plan.dropout, bounds_of(plan)
    if bounds is not None:
        shares, rates = dropout.evaluable(p).tolist(), dropout.among_evaluable(p).tolist()
        cases = [mixture(plan.design.looks, bounds, *each) for each in zip(shares, rates, strict=True)]
        accept, reject = np.array(cases).swapaxes(0, 1)
        return Decision(reject.sum(axis=-1), accept + reject)
    oc = operating_characteristics(plan.design, counted(dropout, plan.handling, p))
    return Decision(oc.reject, oc.n_distribution)


def _under_rule(plan: Plan, rule: ToxicityRule, p: Floats) -> Decision:
    """The same with a rule for toxicity."""
    assert plan.toxicity is not None
    rate, odds_ratio = plan.toxicity.rate, plan.toxicity.odds_ratio
    by_responses = decision(plan.by_responses, p)
    boundary = rule.boundary.within(plan.design.looks[-1].n)
    if boundary is None:
        return by_responses
    if not _sees_alike(plan):
        never = 1 - float(crossing(boundary, [rate]).ever[0])
        return Decision(by_responses.reject * never, by_responses.stop)
    seen = counted(plan.dropout, plan.handling, p).tolist()
    return Decision(
        np.array([_joint(plan.design, boundary, (one, rate, odds_ratio)) for one in seen]), by_responses.stop
    )


@kept(1024)
def _joint(design: Design, boundary: ToxicityBoundary, at: tuple[float, float, float]) -> float:
    """P(reject H0) where both rules see the same patients, at two rates and an odds ratio."""
    p, toxicity, odds_ratio = at
    return endings(design, boundary, p=p, toxicity=toxicity, odds_ratio=odds_ratio).reject


def mixture(looks: tuple[Look, ...], bounds: AttainedBounds, share: float, rate: float) -> tuple[Floats, Floats]:
    """Exact decision at one true rate of a trial with one or two looks whose bounds are recalculated.

    Parameters
    ----------
    looks : tuple of Look
        Those planned.
    bounds : AttainedBounds
        The bounds for every number evaluable.
    share, rate : float
        Probability that a patient is evaluable, and the response rate among the evaluable.

    Returns
    -------
    tuple of ndarray, shape (looks,)
        Probability of stopping at each look without and with rejection of H0, summed over the binomial numbers
        evaluable.
    """
    before = looks[0].n if len(looks) > 1 else 0
    early = np.zeros(2)  # without and with rejection of H0
    late = 0.0
    m2 = np.arange(looks[-1].n - before + 1)
    at_last = binomial_pmf(looks[-1].n - before, share)
    for m1, chance in enumerate(binomial_pmf(before, share)):
        going = binomial_pmf(m1, rate)
        if before:
            r, e = bounds.first[m1].tolist()
            (first,) = walk([Look(m1, r, e)], going, responding(rate), final=False)
            early += chance * np.array([first.reached[first.here.accept].sum(), first.reached[first.here.reject].sum()])
            going = first.onward
        x = np.flatnonzero(going)
        later = above(bounds.final[m1, m1 + m2] - x[:, np.newaxis], m2, rate)
        late += chance * float(going[x] @ later @ at_last)
    rejects = np.array([early[1], late] if before else [late])
    stops = np.array([early.sum(), 1 - early.sum()] if before else [1.0])
    return stops - rejects, rejects


def beta_rule(beta: Beta, plan: Plan) -> tuple[Floats, Floats]:
    """Gauss-Jacobi points and weights for a Beta distribution.

    A decision is a polynomial in p of degree n, for which n / 2 + 1 points are exact; only with replacement and an
    informative loss is it a ratio of polynomials.
    """
    from scipy import special

    nodes = plan.design.looks[-1].n // 2 + 1
    if plan.handling == "replace":
        nodes = max(nodes, NODES)
    x, weights = special.roots_jacobi(nodes, beta.b - 1, beta.a - 1)
    return (x + 1) / 2, weights / weights.sum()
