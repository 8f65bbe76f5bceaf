"""What becomes of a patient, and when it is known; and what is to be expected of one whose status is pending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simtrial.numbers import Bools, Floats
    from simtrial.plan.disease import Disease
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.plan import Plan


def statuses(disease: Disease, dropout: Dropout, p: float) -> dict[float, Floats]:
    """Probability that a patient's status is known after so many months, as a response, as lost, and as neither.

    Parameters
    ----------
    disease : Disease
        Assessments, and what is known of DCR and PFS.
    dropout : Dropout
        Loss before the first assessment.
    p : float
        True response rate.

    Returns
    -------
    dict of float to ndarray, shape (3,)
        By the months from enrollment, in no order; all of them add up to 1.
    """
    assessments = disease.assessments
    seen, evaluable = float(dropout.seen(p)), float(dropout.evaluable(p))
    others, stable = evaluable - seen, disease.stable_share
    law: dict[float, Floats] = {}

    def add(month: float, kind: int, chance: float) -> None:
        law.setdefault(month, np.zeros(3))[kind] += chance

    for month, part in zip(*assessments.responses(), strict=True):
        add(float(month), 0, seen * float(part))
    interval, window = assessments.interval, assessments.window
    add(interval, 1, 1 - evaluable)
    if stable is None:
        add(window, 2, others)
    elif disease.pfs is None:
        add(interval, 2, others * (1 - stable))
        add(window, 2, others * stable)
    else:
        hazards, free, at = disease.pfs_hazards, 1.0, 0
        while (at + 1) * interval < window:
            at += 1
            left = stable * np.exp(-hazards.after * (at - 1) * interval)
            add(at * interval, 2, others * float(free - left))
            free = float(left)
        add(window, 2, others * free)
    return law


def pending_rates(plan: Plan, p: float) -> tuple[Floats, Floats]:
    """Predictive probability that a patient counts as a response, by the months on study without a known status.

    Parameters
    ----------
    plan : Plan
        The laws, and the handling: a patient lost counts as no response, or where losses are replaced with the rate
        among the evaluable, which is that of who takes the place.
    p : float
        Response rate.

    Returns
    -------
    months, rates : ndarray
        A patient whose status is pending after t months has ``rates[(months <= t).sum()]``; the first rate is that of a
        patient not yet enrolled. One rate more than months, the last one 0.
    """
    law = statuses(plan.disease, plan.dropout, p)
    months = np.array(sorted(law))
    left = np.cumsum([law[month] for month in months[::-1]], axis=0)[::-1]
    instead = float(plan.dropout.among_evaluable(p)) if plan.handling == "replace" else 0.0
    responding = left[:, 0] + instead * left[:, 1]
    rates = np.divide(responding, left.sum(axis=1), out=np.zeros(len(months)), where=left.sum(axis=1) > 0)
    return months, np.append(rates, 0.0)


def goes_on(chance: Floats, threshold: float) -> Bools:
    """Whether a predictive probability is at least the threshold, up to the rounding of a sum of products."""
    onward: Bools = np.asarray(chance >= threshold - 1e-12)
    return onward
