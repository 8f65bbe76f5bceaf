"""Exact laws of a trial whose looks decide as soon as the statuses known settle them.

With the same delay for everybody, statuses become known in the order of enrollment. Responses of successive patients
are independent of when they enter, so a look is decided by the status of a patient whose number J has the law of a
walk: the truncated negative binomial law of the waits for r + 1 responses and for n - r others [1]_. At a constant rate
patient j enters Gamma(j, rate) after the first day, and what J decides takes its months from there:

    month of the first look            T1 = E_J1 + w,                  E_j the entry of patient j, w the delay
    months on hold                     (w + lag - (E_n1 - E_J1))+
    enrolled when it stops             J1 + min(n1 - J1, N)            N the Poisson number within w + lag months
    month of the decision at the last  E_J2 + w, but not before T1 + lag

Patients enrolled while J's status is pending come after J, and are independent of what was known then.

References
----------
.. [1] Chi Y, Chen C-M. Curtailed two-stage designs in phase II clinical trials. Stat Med 2008;27:6175-6189.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.designs import regions
from simtrial.design.second_stages import branched
from simtrial.laws.integrals import mean_capped, mean_months, mean_wait, poisson
from simtrial.plan.enrollment import Constant

if TYPE_CHECKING:
    from simtrial.design.designs import Look
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.plan.plan import Plan

MOST_PATIENTS = 500
"""Largest design whose laws are computed: time and memory grow with its square."""


@dataclass(frozen=True)
class First:
    """By the number of the patient who decides the first of two looks, 0, 1, ..., n1: the probability of each end.

    Attributes
    ----------
    ends : ndarray, shape (n1 + 1,)
        The trial stops.
    onward : ndarray, shape (n1 + 1, n + 1)
        It continues, by the number of responses known then.
    """

    ends: Floats
    onward: Floats

    @property
    def decided(self) -> Floats:
        """P(J1 = j)."""
        whole: Floats = self.ends + self.onward.sum(axis=1)
        return whole


@dataclass(frozen=True)
class Last:
    """By the numbers of the patients who decide the first look (row; one row for a single look) and the last one.

    Attributes
    ----------
    futile, rejects : ndarray, shape (n1 + 1, n + 1)
        Probabilities of both decisions.
    """

    futile: Floats
    rejects: Floats


def settled(look: Look, known: int, most: int, *, final: bool) -> tuple[Bools, Bools, Bools]:
    """Whether 0, 1, ..., `most` responses among the known statuses settle futility, rejection, and continuation."""
    x = np.arange(most + 1)
    least = regions(x, look.r, look.e, final=final)
    largest = regions(x + look.n - known, look.r, look.e, final=final)
    return largest.accept, least.reject, least.go_on & largest.go_on


def first_look(look: Look, n: int, p: float) -> First:
    """Law of the first look of a design of n patients, at the probability p of a response in one of them."""
    ends, onward = np.zeros(look.n + 1), np.zeros((look.n + 1, n + 1))
    alive = np.zeros(n + 1)
    alive[0] = 1.0
    for j in range(look.n + 1):
        if j:
            alive = _next(alive, p)
        futile, rejects, on = settled(look, j, n, final=False)
        ends[j] = alive[futile | rejects].sum()
        onward[j] = np.where(on, alive, 0.0)
        alive[futile | rejects | on] = 0.0
    return First(ends, onward)


def last_look(look: Look, onward: Floats, p: float) -> Last:
    """Law of the last look, given what comes from the first one.

    From x responses of j patients on, the trial rejects H0 with the a-th response that follows and is futile with the
    b-th other status, a = r + 1 - x and b = n - r - (j - x). The waits for them are negative binomial; as a + b is
    n - j + 1, exactly one of them ends within the n - j patients to come.
    """
    j, x = np.nonzero(onward)
    weight, r = onward[j, x][:, np.newaxis], look.r or 0
    later = np.arange(look.n + 1) - j[:, np.newaxis]
    responses, others = (r + 1 - x)[:, np.newaxis], (look.n - r - j + x)[:, np.newaxis]
    rejects, futile = np.zeros((len(onward), look.n + 1)), np.zeros((len(onward), look.n + 1))
    # who needs no more is decided at once, and the other decision can then not be reached
    np.add.at(rejects, j, weight * np.where(others > 0, _waiting(responses, later, p), 0.0))
    np.add.at(futile, j, weight * np.where(responses > 0, _waiting(others, later, 1 - p), 0.0))
    return Last(futile, rejects)


def _waiting(needed: Ints, later: Ints, p: float) -> Floats:
    """P(the event comes this often with this many more patients); with none more where it is not needed."""
    from scipy import special

    possible = (needed > 0) & (later >= needed)
    events, patients = np.where(possible, needed, 1), np.where(possible, later, 1)
    ways = special.gammaln(patients) - special.gammaln(events) - special.gammaln(patients - events + 1)
    chance = np.exp(ways + special.xlogy(events, p) + special.xlog1py(patients - events, -p))
    return np.where(needed > 0, np.where(possible, chance, 0.0), later == 0)


def _next(alive: Floats, p: float) -> Floats:
    """The numbers of responses one patient later."""
    later: Floats = alive * (1 - p)
    later[1:] += alive[:-1] * p
    return later


def values(plan: Plan, p: float, *, months: bool) -> dict[str, float | None]:
    """Every mean that has an exact value, at one true rate; None for the others.

    Parameters
    ----------
    plan : Plan
        With ``decide='known'``; accrual does not close at a date.
    p : float
        True response rate.
    months : bool
        Whether months are wanted.
    """
    looks, interim, delay = plan.design.looks, plan.interim, plan.disease.assessments.delay
    law: dict[str, float | None] = dict.fromkeys(("n_enrolled", "n_screened", "n_evaluable", "overrun"))
    if months:
        law |= dict.fromkeys(("interim_month", "hold_months", "last_patient_month", "duration_months", "end_month"))
    single = len(looks) == 1
    if single or (interim.hold and interim.max_hold is None):
        law["overrun"] = 0.0
    if months and (single or interim.allowed is None):
        law["hold_months"] = 0.0
    if delay is None or plan.handling == "replace" or plan.recut or looks[-1].n > MOST_PATIENTS:
        return law
    if branched(looks) is not None:
        return law
    q = float(plan.dropout.seen(p))
    if single:
        law |= _one_look(plan, q, delay, months=months)
    else:
        law |= _several_looks(plan, q, delay, months=months)
    if law["n_enrolled"] is not None and law["overrun"] is not None:
        law["n_screened"] = law["n_enrolled"] / plan.screening_success
        # who is enrolled does not depend on his own status
        law["n_evaluable"] = (law["n_enrolled"] - law["overrun"]) * float(plan.dropout.evaluable(p))
    return law


def _entered(plan: Plan, decided: Floats) -> float:
    """Expected month at which the deciding patient enters; accrual is not held before."""
    there = np.flatnonzero(decided)
    return float(sum(decided[j] * mean_months(plan.arrivals, int(j)) for j in there if j))


def _one_look(plan: Plan, q: float, delay: float, *, months: bool) -> dict[str, float | None]:
    (look,) = plan.design.looks
    last = last_look(look, np.eye(1, look.n + 1), q)
    law: dict[str, float | None] = {}
    if months:
        law["duration_months"] = _entered(plan, (last.futile + last.rejects)[0]) + delay
    if isinstance(plan.arrivals, Constant):
        late = _enrolled_later(look.n, plan.arrivals.rate * delay)
        law["n_enrolled"] = float(last.futile[0] @ late + last.rejects.sum() * look.n)
    return law


def _enrolled_later(n: int, mean: float) -> Floats:
    """E min(j + N, n) for j = 0, ..., n and a Poisson number N."""
    later: Floats = np.arange(n + 1) + mean_capped(mean, n)[::-1]
    return later


def _several_looks(plan: Plan, q: float, delay: float, *, months: bool) -> dict[str, float | None]:
    looks, interim = plan.design.looks, plan.interim
    first = first_look(looks[0], looks[-1].n, q)
    law: dict[str, float | None] = {}
    if months:
        law["interim_month"] = _entered(plan, first.decided) + delay
    arrivals = plan.arrivals
    if (
        len(looks) > 2
        or not isinstance(arrivals, Constant)
        or interim.extra is not None
        or interim.max_hold is not None
    ):
        return law
    last, (one, two) = last_look(looks[1], first.onward, q), looks
    law |= _patients(plan, first, last, arrivals.rate, delay)
    if not months:
        return law
    j, i, lag = np.arange(one.n + 1), np.arange(two.n + 1), interim.lag
    # the decision at the last look comes later than its patient and the delay: by a hold, or by that of the first one
    more = mean_wait(lag, np.maximum(i - j[:, np.newaxis], 0), arrivals.rate)
    if interim.hold:
        waits = mean_wait(delay + lag, one.n - j, arrivals.rate)
        law["hold_months"] = float(first.decided @ waits)
        more[:, one.n + 1 :] = waits[:, np.newaxis]
    stopped = float(first.ends @ (j / arrivals.rate + delay + lag))
    law["duration_months"] = stopped + float(((last.futile + last.rejects) * (i / arrivals.rate + more + delay)).sum())
    return law


def _patients(plan: Plan, first: First, last: Last, rate: float, delay: float) -> dict[str, float | None]:
    """Patients enrolled, and overrun, in a trial of two looks."""
    (one, two), lag, hold = plan.design.looks, plan.interim.lag, plan.interim.hold
    j = np.arange(one.n + 1)
    came = mean_capped(rate * (delay + lag), two.n)
    at_stop = came[(one.n if hold else two.n) - j]
    overrun = 0.0 if hold else float(first.ends @ (at_stop - came[one.n - j]))
    late = _enrolled_later(two.n, rate * delay)
    enrolled = float(first.ends @ (j + at_stop) + last.rejects.sum() * two.n)
    if hold and last.futile[:, : one.n + 1].any():
        return {"overrun": overrun}  # accrual is held while what decides the last look is pending
    if hold or lag == 0:
        return {"overrun": overrun, "n_enrolled": enrolled + float(last.futile.sum(axis=0) @ late)}
    # the last look waits for the decision of the first, until which max(J1 + N, J2) have entered so much earlier
    chances = poisson(np.arange(two.n + 1), rate * lag)
    below = np.cumsum(chances)
    for k, futile in zip(j, last.futile, strict=True):
        ahead = late[np.minimum(k + np.arange(two.n + 1), two.n)]
        beyond = np.append(np.cumsum((chances * ahead)[::-1])[::-1], 0.0) + (1 - below[-1]) * two.n
        m = np.arange(two.n + 1 - k)
        enrolled += float(futile[k:] @ (below[m] * late[k:] + beyond[m + 1]))
    return {"overrun": overrun, "n_enrolled": enrolled}
