"""Months of looks, of the last patient and of the end, and the patients who enter while a look waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design.second_stages import analyses, branched
from simtrial.laws.events import event_probability
from simtrial.laws.integrals import gamma_density, known_law, look_months, mean_months, mean_wait, poisson
from simtrial.plan.centres import Centres
from simtrial.plan.enrollment import Constant

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.laws.laws import Law
    from simtrial.numbers import Floats, Ints
    from simtrial.plan.enrollment import Enrollment
    from simtrial.plan.plan import Plan


def overrun_counts(plan: Plan, k: int) -> Floats | None:
    """Law of the patients enrolled between the last one of look k and its decision: P(0), P(1), ... up to the room.

    None where there is no closed form: delays that differ, several looks with a lag or a limit, centres that open at
    different months, a hold of limited length unless the rate is constant.
    """
    looks, delay, limit = plan.design.looks, plan.disease.assessments.delay, plan.interim.max_hold
    room = (plan.capacities[k] if limit is None else looks[-1].n) - looks[k].n
    if room == 0:
        return np.ones(1)
    if delay is None or plan.handling == "replace":
        return None
    if len(analyses(looks)) > 2 and (plan.interim.extra is not None or plan.interim.lag > 0 or limit is not None):
        return None
    # a look that does not wait is decided a lag after its last patient
    pending = plan.interim.lag + (delay if plan.conditional is None else 0.0)
    arrivals = plan.arrivals
    if limit is not None:  # they come after the hold, in a window that begins so long after patient n
        if not isinstance(arrivals, Constant):
            return None
        pending = max(pending - limit, 0.0)
    return _capped(arrivals, looks[k].n, pending, room)


def overruns(plan: Plan) -> Floats | None:
    """Expected overrun of a trial that ends at each look before the last; None where one has no law.

    Where the second stage depends on the first, at each look: those are overrun who have entered beyond it when it is
    opened.
    """
    looks = plan.design.looks
    if branched(looks) is None:
        laws = [overrun_counts(plan, k) for k in range(len(looks) - 1)]
        beyond = [float(law @ np.arange(len(law))) for law in laws if law is not None]
        return np.array(beyond) if len(beyond) == len(laws) else None
    came = overrun_counts(plan, 0)
    if came is None:
        return None
    room = np.array([look.n for look in looks]) - looks[0].n
    expected: Floats = np.maximum(np.arange(came.size) - room[:, np.newaxis], 0) @ came
    return expected


def _capped(arrivals: Enrollment, n: int, months: float, room: int) -> Floats | None:
    """Law of the number enrolled in the months after patient n, at most `room`."""
    counts = np.arange(room)
    if isinstance(arrivals, Constant):
        pmf = poisson(counts, arrivals.rate * months)
    elif isinstance(arrivals, Centres):
        from scipy import stats  # takes a second to import, so only here

        if len(set(arrivals.opens)) > 1:
            return None
        shape, b = arrivals.shape * len(arrivals.opens), arrivals.shape / arrivals.mean_rate
        # given the first n arrivals the summed rate is Gamma with n more; unconditionally its prior law stands
        pmf = stats.nbinom.pmf(counts, shape, b / (b + months))
    else:
        from scipy import integrate

        clock = arrivals.clock
        assert clock is not None  # centres are dealt with above

        def density(g: float) -> Floats:
            start = clock.months(np.array(g))
            expected = clock.level(start + months) - g
            return np.asarray(gamma_density(n, np.array(g)) * poisson(counts, expected))

        spread = 12 * np.sqrt(n) + 40
        pmf, _ = integrate.quad_vec(
            density, max(n - spread, 1e-12), n + spread, epsabs=1e-12, epsrel=1e-10, limit=2000,
            points=[float(clock.level(np.array(b))) for b in arrivals.breaks],
        )  # fmt: skip
    return np.append(pmf, max(0.0, 1 - pmf.sum()))


MONTHS = ("interim_month", "hold_months", "last_patient_month", "duration_months", "end_month")
"""Means that take an integral each, and so most of the time."""


class Stages(NamedTuple):
    """The stages of a trial: of a second stage that depends on the first, one for each of its numbers of patients.

    Attributes
    ----------
    n : ndarray of int
        Patients of each stage.
    reach : ndarray
        Probability that a trial reaches it.
    looks : ndarray
        Probability that a trial reaches each look before its last one.
    """

    n: Ints
    reach: Floats
    looks: Floats

    @classmethod
    def of(cls, plan: Plan, stop: Floats) -> Stages:
        """Those of a plan, by the probabilities of stopping at each look."""
        looks = plan.design.looks
        sizes = np.array([look.n for look in looks])
        if branched(looks) is None:
            reach = 1 - np.concatenate([[0.0], np.cumsum(stop)[:-1]])
            return cls(np.diff(sizes, prepend=0), reach, reach[:-1])
        reach = np.append(1.0, stop[1:])
        return cls(np.append(sizes[0], sizes[1:] - sizes[0]), reach, reach[: len(analyses(looks)) - 1])


def months_of(plan: Plan, p: float, stop: Floats, settled: bool) -> Law:
    """Expected months; `settled` says that the true rate is one number, over which nothing is left to integrate."""
    looks, arrivals, interim = plan.design.looks, plan.arrivals, plan.interim
    delay = plan.disease.assessments.delay
    several, pair, passed = len(looks) > 1, len(analyses(looks)) == 2, Stages.of(plan, stop)
    law: Law = dict.fromkeys(MONTHS)
    if interim.allowed is None or not several:
        law["hold_months"] = 0.0
    elif interim.max_hold is not None:
        if pair and delay is not None and plan.handling != "replace":
            law["hold_months"] = min(delay + interim.lag, interim.max_hold)
    elif interim.hold and delay is not None:
        law["hold_months"] = float(passed.looks.sum()) * (delay + interim.lag)
    if plan.handling == "replace":
        return law
    if delay is None and not settled:
        return law
    known = known_law(plan.disease, plan.dropout, p)
    first = look_months(arrivals, looks[0].n, known)
    if several:
        law["interim_month"] = first
    else:
        law["duration_months"], law["last_patient_month"] = first, mean_months(arrivals, looks[0].n)
        after = plan.follow_up.months_after_last
        longest = float(np.max(known[0]))
        if after is not None and (delay is not None or after >= longest):
            # follow-up then outlasts every status
            law["end_month"] = mean_months(arrivals, looks[0].n) + max(longest, after)
        if delay is not None and after is not None and isinstance(arrivals, Constant) and not plan.dropout.probability:
            law |= _events(plan, p, arrivals.rate, max(delay, after))
        return law
    # a stage that follows a hold starts afresh if the rate does not change; given their rates, so do centres'
    afresh = isinstance(arrivals, Constant) or (isinstance(arrivals, Centres) and set(arrivals.opens) == {0.0})
    if interim.max_hold is not None:
        if delay is not None and len(looks) == 2 and branched(looks) is None and isinstance(arrivals, Constant):
            law["duration_months"] = _resumed(plan, stop, delay, arrivals.rate)
    elif interim.hold and (afresh or pair):
        law |= _held(plan, stop, passed, first, known, afresh)
    elif not interim.hold and delay is not None and interim.extra is None:
        law |= _ongoing(plan, stop, delay)
    elif not interim.hold and delay is not None and pair and isinstance(arrivals, Constant):
        law |= _limited(plan, stop, delay, arrivals.rate)
    return law


def _events(plan: Plan, p: float, rate: float, follow_up: float) -> Law:
    """Expected events of a single look at a constant rate: patient n - j entered Gamma(j, rate) before the last one."""
    from scipy import special

    disease, n = plan.disease, plan.design.looks[0].n
    law: Law = {}
    g, w = special.roots_legendre(400)  # a banded matrix: numpy's rule takes a full one, and seconds
    top = n + 12 * np.sqrt(n) + 40
    level = top / 2 * (1 + g)
    # the summed densities of Gamma(1), ..., Gamma(n - 1) are a Poisson tail
    density = special.gammaincc(n - 1, level) if n > 1 else np.zeros_like(level)
    curves: list[tuple[str, Callable[[Floats], Floats]]] = []
    if disease.pfs is not None:
        curves.append(("pfs_events", lambda t: disease.pfs_survival(t, p)))
    if disease.os is not None:
        curves.append(("os_events", lambda t: disease.os_survival(t, p)))
    for name, survival in curves:
        seen = event_probability(survival, follow_up + level / rate, plan.loss_hazard)
        last = float(event_probability(survival, np.array(follow_up), plan.loss_hazard))
        law[name] = last + float((seen * density * w).sum()) * top / 2
    return law


def _held(plan: Plan, stop: Floats, passed: Stages, first: float, known: tuple[Floats, Floats], afresh: bool) -> Law:
    """Months of a trial that holds accrual at each look."""
    arrivals, lag, delay = plan.arrivals, plan.interim.lag, plan.disease.assessments.delay
    law: Law = {}
    if afresh:
        early, reach = len(passed.looks), passed.reach
        each = np.array([look_months(arrivals, int(m), known) for m in passed.n])
        filling = np.array([mean_months(arrivals, int(m)) for m in passed.n])
        law["hold_months"] = float(passed.looks @ (each - filling + lag)[:early])
        law["duration_months"] = float(reach @ each) + lag * float(passed.looks.sum())
        if delay is None:
            return law
        last = float(reach @ filling) + (delay + lag) * float(reach[1:].sum())
        law["last_patient_month"] = last
        after = plan.follow_up.months_after_last
        if after is not None:
            ahead = np.full(len(reach), max(delay, after))
            ahead[:early] = max(delay + lag, after)
            law["end_month"] = last + float(stop @ ahead)
        return law
    law["hold_months"] = first - mean_months(arrivals, int(passed.n[0])) + lag
    return law


def _ongoing(plan: Plan, stop: Floats, delay: float) -> Law:
    """Months of a trial that never holds accrual, every status known after the same delay."""
    looks, lag, arrivals = plan.design.looks, plan.interim.lag, plan.arrivals
    if lag > 0:  # a decision may then come after the last status of the next stage
        return {}
    months = np.array([mean_months(arrivals, look.n) for look in looks])
    return {"duration_months": float(stop @ months) + delay}


def _limited(plan: Plan, stop: Floats, delay: float, rate: float) -> Law:
    """Months of a two-look trial at a constant rate that takes a limited number of patients while its look is pending.

    However many came, the next arrival after the decision is a fresh one: E[last] = decision + (n2 - E[extra]) / rate.
    """
    first, last = analyses(plan.design.looks)
    pending, room = delay + plan.interim.lag, plan.capacities[0] - first.n
    more = last.n - first.n
    if room == more:
        return {"hold_months": 0.0} | (_ongoing(plan, stop, delay))
    came = overrun_counts(plan, 0)
    wait = float(mean_wait(pending, np.array(room), rate))
    if came is None or branched(plan.design.looks) is not None:
        return {"hold_months": wait}
    decided = first.n / rate + pending
    extra = float(came @ np.arange(len(came)))
    duration = stop[0] * decided + stop[1] * (decided + (more - extra) / rate + delay)
    return {"hold_months": wait, "duration_months": float(duration)}


def _resumed(plan: Plan, stop: Floats, delay: float, rate: float) -> float:
    """Months to the decision of a two-look trial at a constant rate whose hold has a limit.

    The second stage begins when the hold ends, and its last status may be known before the first decision is taken.
    """
    first, last = plan.design.looks
    lag, more = plan.interim.lag, last.n - first.n
    held = min(plan.interim.max_hold or 0.0, delay + lag)
    left = float(mean_wait(max(lag - held, 0.0), np.array(more), rate))
    return float(first.n / rate + stop[0] * (delay + lag) + stop[1] * (held + more / rate + left + delay))
