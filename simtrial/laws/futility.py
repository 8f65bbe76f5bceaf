"""Patients enrolled beyond futility: after it was settled that the trial would not reject H0.

A trial is settled to be futile by the first patient, in the order of enrollment, after whose response status H0 could
not be rejected even if every later patient responded. Who is enrolled after that patient can no longer change the
conclusion. This counts alike for any number of looks: a single stage enrolls to n whatever it sees, a trial with an
interim analysis stops at it, and one that continues accrual meanwhile adds its overrun. A status is taken to be known
at once: months between enrollment and a status show as overrun, not as a later settlement.

Let b(i, x) be the probability of x responses among the first i patients of a trial that is running and not yet settled.
One walk over patients gives the law of the settling patient and of the look that then stops the trial, so that

    E[beyond] = sum over looks P(stop for futility at k) (n_k + E[overrun_k]) - sum over i P(settled by patient i) i.

Where patients without an assessment are replaced, patients are evaluable ones, of whom each takes 1 / P(evaluable)
enrolled ones, independent of the responses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.second_stages import SecondStage, branched
from simtrial.laws.calendar import overruns
from simtrial.laws.decision import counted

if TYPE_CHECKING:
    from simtrial.design.designs import Look
    from simtrial.design.second_stages import BranchLook
    from simtrial.numbers import Bools, Floats
    from simtrial.plan.plan import Plan


def patients_beyond(plan: Plan, p: float) -> float | None:
    """Patients expected to be enrolled beyond futility, of all trials, those that reject H0 counting none.

    Parameters
    ----------
    plan : Plan
        The design and how it is run.
    p : float
        True response rate.

    Returns
    -------
    float or None
        None where there is no law: looks that do not wait for every status, accrual that closes, recalculated bounds,
        a rule that stops the trial for toxicity, or an overrun without a law.
    """
    if plan.toxicity_rule is not None:
        return None
    if not plan.interim.waits or plan.close_month is not None or plan.recut is not None:
        return None
    beyond, looks = overruns(plan), plan.design.looks
    if beyond is None:
        return None
    share = float(plan.dropout.evaluable(p)) if plan.handling == "replace" else 1.0
    rate, table = float(counted(plan.dropout, plan.handling, p)), branched(looks)
    stops, settled = _walked(looks, rate) if table is None else _walked_table(table, rate)
    stopped = sum(
        chance * (look.n / share + more)
        for chance, look, more in zip(stops.tolist(), looks, [*beyond.tolist(), 0.0][: len(looks)], strict=True)
    )
    return float(stopped - settled @ np.arange(len(settled)) / share)


def _walked(looks: tuple[Look, ...], p: float) -> tuple[Floats, Floats]:
    """P(stop for futility) at each look, and P(settled by patient i) for i = 0, ..., n."""
    possible = _possible(looks)
    n, at = looks[-1].n, {look.n: k for k, look in enumerate(looks)}
    stops, settled = np.zeros(len(looks)), np.zeros(n + 1)
    running, futile = np.zeros(n + 2), np.zeros(n + 2)
    running[0] = 1.0
    x = np.arange(n + 2)
    for i in range(n + 1):
        if i:
            for weights in (running, futile):
                weights[1:] = weights[1:] * (1 - p) + weights[:-1] * p
                weights[0] *= 1 - p
        now = running * ~possible[i]
        settled[i] = now.sum()
        futile += now
        running -= now
        if i in at:
            k = at[i]
            here = looks[k].regions(x, final=k == len(looks) - 1)
            stops[k] = futile[~here.go_on].sum()
            futile[~here.go_on] = 0.0
            running[here.reject] = 0.0
    return stops, settled


def _walked_table(table: BranchLook, p: float) -> tuple[Floats, Floats]:
    """The same where the second stage depends on the first: one walk to X1, and one from each X1 that goes on."""
    sizes = sorted({table.n, *(table.n + row.n2 for row in table.after if isinstance(row, SecondStage))})
    stops, settled = np.zeros(len(sizes)), np.zeros(sizes[-1] + 1)
    running = np.zeros(table.n + 1)
    running[0] = 1.0
    accepts = np.array([row == "accept" for row in table.after])
    for i in range(table.n + 1):
        if i:
            running = _next(running, p)
        # the last X1 that can come is that of every later patient responding
        over = np.array([bool(accepts[x : x + table.n - i + 1].all()) for x in range(table.n + 1)])
        settled[i] = running[over].sum()
        running = np.where(over, 0.0, running)
    stops[0] = settled.sum()
    for x, row in enumerate(table.after):
        if isinstance(row, SecondStage):
            ahead = np.zeros(row.n2 + 1)
            ahead[0] = running[x]
            for i in range(1, row.n2 + 1):
                ahead = _next(ahead, p)
                over = x + np.arange(row.n2 + 1) + row.n2 - i <= row.r
                gone = ahead[over].sum()
                settled[table.n + i] += gone
                stops[sizes.index(table.n + row.n2)] += gone
                ahead = np.where(over, 0.0, ahead)
    return stops, settled


def _next(weights: Floats, p: float) -> Floats:
    """The numbers of responses one patient later."""
    later: Floats = weights * (1 - p)
    later[1:] += weights[:-1] * p
    return later


def _possible(looks: tuple[Look, ...]) -> Bools:
    """Whether H0 can still be rejected after i patients of whom x responded: shape (n + 1, n + 2)."""
    n, at = looks[-1].n, {look.n: k for k, look in enumerate(looks)}
    x = np.arange(n + 2)
    possible = np.zeros((n + 1, n + 2), dtype=np.bool_)
    for i in range(n, -1, -1):
        # every later patient responding is the best that can come
        ahead = np.append(possible[i + 1][1:], possible[i + 1][-1]) if i < n else np.zeros(n + 2, dtype=np.bool_)
        if i in at:
            here = looks[at[i]].regions(x, final=i == n)
            ahead = here.reject | (here.go_on & ahead)
        possible[i] = ahead
    return possible
