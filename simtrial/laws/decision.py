"""Where a trial stops, and how, under its dropout and its handling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import binomial_pmf
from simtrial.design.designs import Look
from simtrial.design.exact import operating_characteristics
from simtrial.design.walk import responding, walk
from simtrial.errors import InputError
from simtrial.laws import pending
from simtrial.laws.integrals import NODES
from simtrial.laws.losses import counted
from simtrial.plan.recut import bounds_of

if TYPE_CHECKING:
    from simtrial.design.designs import AttainedBounds
    from simtrial.numbers import Floats
    from simtrial.plan.disease import Beta
    from simtrial.plan.plan import Plan


@dataclass(frozen=True)
class Decision:
    """P(reject H0) and P(stop at each look) at several true rates: shapes (rates,) and (rates, looks)."""

    reject: Floats
    stop: Floats


def has_law(plan: Plan) -> bool:
    """Whether the decision has an exact law."""
    return plan.close_month is None and (plan.conditional is None or pending.has_law(plan))


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
    if not has_law(plan):
        raise InputError("(conditional) makes the decision depend on the calendar, without a closed form", "pending")
    if plan.conditional is not None:
        mixtures = [pending.decision(plan, float(q)) for q in p]
        return Decision(np.array([reject for reject, _ in mixtures]), np.array([stop for _, stop in mixtures]))
    dropout, bounds = plan.dropout, bounds_of(plan)
    if bounds is not None:
        cases = [_recut(plan, float(dropout.evaluable(q)), float(dropout.among_evaluable(q)), bounds) for q in p]
        return Decision(np.array([c.reject for c in cases]), np.array([c.stop for c in cases]))
    oc = operating_characteristics(plan.design, counted(dropout, plan.handling, p))
    return Decision(oc.reject, oc.n_distribution)


def _recut(plan: Plan, share: float, rate: float, bounds: AttainedBounds) -> Decision:
    """Mixture over the binomial numbers evaluable, one or two looks."""
    looks = plan.design.looks
    before = looks[0].n if len(looks) > 1 else 0
    reject = early = 0.0
    at_last = binomial_pmf(looks[-1].n - before, share)
    step = responding(rate)
    for m1, chance in enumerate(binomial_pmf(before, share)):
        going = binomial_pmf(m1, rate)
        if before:
            r, e = bounds.first[m1].tolist()
            (first,) = walk([Look(m1, r, e)], going, step, final=False)
            reject += chance * first.reached[first.here.reject].sum()
            early += chance * first.reached[~first.here.go_on].sum()
            going = first.onward
        for m2, weight in enumerate(at_last):
            (last,) = walk([Look(m1 + m2, int(bounds.final[m1, m1 + m2]))], going, step, m1)
            reject += chance * weight * last.reached[last.here.reject].sum()
    stop = [early, 1 - early] if before else [1.0]
    return Decision(np.array(reject), np.array(stop))


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
