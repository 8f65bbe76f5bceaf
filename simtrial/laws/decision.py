"""Where a trial stops, and how, under its dropout and its handling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import above, binomial_pmf
from simtrial.design.designs import Look
from simtrial.design.exact import operating_characteristics
from simtrial.design.walk import responding, walk
from simtrial.errors import InputError
from simtrial.laws import pending
from simtrial.laws.integrals import NODES
from simtrial.plan.recut import bounds_of

if TYPE_CHECKING:
    from simtrial.design.designs import AttainedBounds
    from simtrial.numbers import Floats
    from simtrial.plan.disease import Beta
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.plan import Handling, Plan


def counted(loss: Dropout, handling: Handling, p: float | Floats) -> Floats:
    """Response rate at which a design with planned bounds decides, where p is the rate with every patient evaluable."""
    return loss.among_evaluable(p) if handling == "replace" else loss.seen(p)


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
        shares, rates = dropout.evaluable(p).tolist(), dropout.among_evaluable(p).tolist()
        cases = [mixture(plan.design.looks, bounds, *each) for each in zip(shares, rates, strict=True)]
        accept, reject = np.array(cases).swapaxes(0, 1)
        return Decision(reject.sum(axis=-1), accept + reject)
    oc = operating_characteristics(plan.design, counted(dropout, plan.handling, p))
    return Decision(oc.reject, oc.n_distribution)


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
