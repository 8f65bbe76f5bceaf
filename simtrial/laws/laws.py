"""Exact laws of a trial's conduct: what a sum or an integral gives, and need not be simulated.

The decision has an exact law under every handling [1]_. Let d be the probability of loss. Counting the lost as
non-responders, everything happens at the rate p (1 - d); replacing them, at the rate among the evaluable, with
n_k / P(evaluable) patients expected for n_k evaluable ones; leaving them out with fixed bounds changes the denominator
and not the decision; with recut bounds the decision is a mixture over the numbers evaluable.

Months have one where the times at which statuses become known do not depend on what decides the trial, or where
arrivals after a hold start afresh. Everything else is None, and is simulated.

References
----------
.. [1] A'Hern RP. Sample size tables for exact single-stage phase II designs. Stat Med 2001;20:859-866.
.. [2] Anisimov VV, Fedorov VV. Modelling, prediction and adaptive adjustment of recruitment in multicentre trials.
   Stat Med 2007;26:4958-4975.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.designs import Look
from simtrial.design.exact import Floats, binomial_pmf, operating_characteristics, responding, walk
from simtrial.errors import InputError
from simtrial.plan.enrollment import Centres, Constant
from simtrial.plan.patients import Beta
from simtrial.plan.recut import bounds_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simtrial.design.designs import AttainedBounds
    from simtrial.plan.enrollment import Enrollment
    from simtrial.plan.patients import Disease, Dropout, Toxicity
    from simtrial.plan.plan import Plan, Scenario

Law = dict[str, float | None]

NODES = 64
"""Least number of points of Gauss's rule for a Beta distribution, where a law is no polynomial in p."""


@dataclass(frozen=True)
class Decision:
    """P(reject H0) and P(stop at each look) at several true rates: shapes (rates,) and (rates, looks)."""

    reject: Floats
    stop: Floats


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
    dropout, bounds = plan.dropout, bounds_of(plan)
    if bounds is not None:
        cases = [_recut(plan, float(dropout.evaluable(q)), float(dropout.among_evaluable(q)), bounds) for q in p]
        return Decision(np.array([c.reject for c in cases]), np.array([c.stop for c in cases]))
    rate = dropout.among_evaluable(p) if plan.handling == "replace" else dropout.seen(p)
    oc = operating_characteristics(plan.design, rate)
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


def _beta_rule(beta: Beta, plan: Plan) -> tuple[Floats, Floats]:
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


def mean_months(arrivals: Enrollment, n: int) -> float:
    """E[T_n]: in closed form; else, with fixed rates, the mean of L^-1(Gamma(n)); else the integral of P(N(t) < n).

    NaN where the quadrature does not settle, as for a tail that is too heavy.
    """
    closed = arrivals.mean_months(n)
    if closed is not None:
        return closed
    if arrivals.clock is None:
        return _integral(lambda t: arrivals.fewer(n, t), arrivals.breaks)
    clock = arrivals.clock

    def weighted(g: Floats) -> Floats:
        months: Floats = clock.months(g) * _gamma_density(n, g)
        return months

    # graded towards 0, where the inverse of a ramp has its root
    edges = [_levels(n), 2.0 ** -np.arange(1, 40), clock.level(np.array(arrivals.breaks))]
    return _panels(weighted, np.unique(np.concatenate(edges)))


def _levels(n: int) -> Floats:
    """Edges of panels over which the Gamma(n) density is smooth, from where it is next to 0 to where it is again."""
    spread = np.sqrt(n)
    edges: Floats = np.linspace(max(n - 9 * spread, 0.0), n + 12 * spread + 40, 44)
    return edges


def _gamma_density(n: int, g: Floats) -> Floats:
    from scipy import special

    density: Floats = np.exp((n - 1) * np.log(np.maximum(g, 1e-300)) - g - special.gammaln(n))
    return density


def probability_by(arrivals: Enrollment, n: int, month: float) -> float:
    """P(T_n <= t): n patients are enrolled by a month, if accrual is never held."""
    return 1.0 - float(arrivals.fewer(n, np.array(month)))


def _integral(survival: Callable[[Floats], Floats], breaks: tuple[float, ...] = ()) -> float:
    """Integrate a survival function over (0, infinity) on panels that halve towards 0, until halving changes nothing.

    The tail is followed until it is below 1e-12; NaN where it is too heavy for that, or where nothing settles.
    """
    end = 1.0
    while float(survival(np.array([end]))[0]) * end > 1e-12 and end < 1e12:
        end *= 2
    if end >= 1e12:
        return np.nan
    edges = np.unique(np.concatenate([[0.0], end / 2.0 ** np.arange(0, 24, 0.5), [b for b in breaks if b < end]]))
    last = np.inf
    for _ in range(5):
        total = _panels(survival, edges)
        if abs(total - last) <= 1e-9 * abs(total):
            return total
        last, edges = total, np.sort(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
    return np.nan


def _panels(function: Callable[[Floats], Floats], edges: Floats, nodes: int = 16) -> float:
    x, w = np.polynomial.legendre.leggauss(nodes)
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    values = function((middle[:, np.newaxis] + half[:, np.newaxis] * x).ravel()).reshape(len(middle), -1)
    return float((values * w * half[:, np.newaxis]).sum())


def known_law(disease: Disease, dropout: Dropout, p: float) -> tuple[Floats, Floats]:
    """Law of the months from one patient's enrollment to a known status: the values, and their probabilities."""
    assessments = disease.assessments
    if assessments.delay is not None:
        return np.array([assessments.delay]), np.ones(1)
    months, share = assessments.responses()
    interval, window = assessments.interval, assessments.window
    seen, evaluable = float(dropout.seen(p)), float(dropout.evaluable(p))
    others, stable = evaluable - seen, disease.stable_share
    law: dict[float, float] = {}

    def add(month: float, chance: float) -> None:
        law[month] = law.get(month, 0.0) + chance

    for month, part in zip(months, share, strict=True):
        add(float(month), seen * float(part))
    add(interval, 1 - evaluable)
    if stable is None:
        add(window, others)
    elif disease.pfs is None:
        add(interval, others * (1 - stable))
        add(window, others * stable)
    else:
        hazards, free, at = disease.pfs_hazards, 1.0, 0
        while (at + 1) * interval < window:
            at += 1
            left = stable * np.exp(-hazards.after * (at - 1) * interval)
            add(at * interval, others * float(free - left))
            free = float(left)
        add(window, others * free)
    return np.array(list(law)), np.array(list(law.values()))


def look_months(arrivals: Enrollment, n: int, known: tuple[Floats, Floats]) -> float:
    """Expected month at which the statuses of the first n patients are all known, accrual starting at month 0.

    Given the level g at which patient n enters, the earlier ones lie uniformly below it, so

        P(all known by t | g) = F(t - T(g)) [ sum_v P(v) min(L(t - v), g) / g ]^(n - 1)

    with F the law of one patient's delay v, and g is Gamma(n, 1).
    """
    values, chances = known
    if len(values) == 1:
        return mean_months(arrivals, n) + float(values[0])
    clock = arrivals.clock
    if clock is None:
        return np.nan
    order = np.argsort(values)
    values, chances = values[order], chances[order]
    x, w = np.polynomial.legendre.leggauss(8)
    base = _levels(n)

    def survival(months: Floats) -> Floats:
        """P(some status unknown) at each month; between the levels L(t - v) the integrand over g is smooth."""
        levels = clock.level(np.maximum(months[:, np.newaxis] - values, 0.0))
        edges = np.sort(np.concatenate([np.broadcast_to(base, (len(months), len(base))), levels], axis=1), axis=1)
        edges = np.minimum(edges, levels[:, :1])
        half = np.diff(edges)[..., np.newaxis] / 2
        g = (edges[:, 1:] + edges[:, :-1])[..., np.newaxis] / 2 + half * x
        mean, last = np.zeros(g.shape), np.zeros(half.shape)
        for level, chance in zip(levels.T[..., np.newaxis, np.newaxis], chances, strict=True):  # over delays
            mean += chance * np.minimum(level, g)
            last += chance * (level >= g[..., :1])
        every = (mean / np.maximum(g, 1e-300)) ** (n - 1)
        unknown: Floats = 1 - (_gamma_density(n, g) * every * last * half * w).sum(axis=(1, 2))
        return unknown

    spread = np.array([-9, -6, -4, -3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6, 9, 12]) * np.sqrt(n)
    entries = np.concatenate([clock.months(np.maximum(n + spread, 0.0)), arrivals.breaks])
    start, end = float(values[0]), float(clock.months(base[-1:])[0] + values[-1])
    cuts = np.unique(np.concatenate([[start, end], values, (entries[:, np.newaxis] + values).ravel()]))
    cuts = cuts[(cuts >= start) & (cuts <= end)]
    total, coarse = (_panels(survival, cuts, nodes) for nodes in (8, 5))
    # two rules that agree to a millionth of a month: the finer one is right to far more
    return start + total if abs(total - coarse) <= 1e-6 else np.nan


def event_probability(survival: Callable[[Floats], Floats], months: Floats, loss: float) -> Floats:
    """P(event seen within each number of months of observation), with loss to follow-up at a constant hazard a month.

    By parts, the integral of the event density times exp(-loss s) over (0, t) is
    1 - S(t) exp(-loss t) - loss (the integral of S(s) exp(-loss s)).
    """
    t = np.asarray(months, dtype=np.float64)
    x, w = np.polynomial.legendre.leggauss(16)
    steps = np.linspace(0.0, 1.0, 33)
    # S has kinks at assessments, which short panels keep small
    s = (steps[:-1, np.newaxis] + (1 + x) / 64).ravel() * t[..., np.newaxis]
    weights = np.tile(w / 64, 32)
    survived = (survival(s) * np.exp(-loss * s) * weights).sum(axis=-1) * t
    seen: Floats = 1 - survival(t) * np.exp(-loss * t) - loss * survived
    return seen


def expected_events(survival: Callable[[Floats], Floats], accrual: float, follow_up: float, loss: float) -> float:
    """P(event seen) of a patient who enters uniformly over the accrual, followed to a time after its end.

    With exponential survival of rate l, loss h, accrual A and follow-up F it is
    l / (l + h) [1 - (exp(-(l + h) F) - exp(-(l + h) (A + F))) / ((l + h) A)].
    """
    total = _panels(lambda u: event_probability(survival, u, loss), np.linspace(follow_up, follow_up + accrual, 9))
    return total / accrual


def overrun_counts(plan: Plan, k: int) -> Floats | None:
    """Law of the patients enrolled between the last one of look k and its decision: P(0), P(1), ... up to the room.

    None where there is no closed form: delays that differ, several looks with a lag or a limit, centres that open at
    different months.
    """
    looks, delay = plan.design.looks, plan.disease.assessments.delay
    room = plan.capacities[k] - looks[k].n
    if room == 0:
        return np.ones(1)
    if delay is None or plan.handling == "replace":
        return None
    if len(looks) > 2 and (plan.interim.extra is not None or plan.interim.lag > 0):
        return None
    pending, arrivals = delay + plan.interim.lag, plan.arrivals
    return _capped(arrivals, looks[k].n, pending, room)


def _capped(arrivals: Enrollment, n: int, months: float, room: int) -> Floats | None:
    """Law of the number enrolled in the months after patient n, at most `room`."""
    from scipy import integrate, stats

    counts = np.arange(room)
    if isinstance(arrivals, Constant):
        pmf = stats.poisson.pmf(counts, arrivals.rate * months)
    elif isinstance(arrivals, Centres):
        if len(set(arrivals.opens)) > 1:
            return None
        shape, b = arrivals.shape * len(arrivals.opens), arrivals.shape / arrivals.mean_rate
        # given the first n arrivals the summed rate is Gamma with n more; unconditionally its prior law stands
        pmf = stats.nbinom.pmf(counts, shape, b / (b + months))
    else:
        clock = arrivals.clock
        assert clock is not None  # centres are dealt with above

        def density(g: float) -> Floats:
            start = clock.months(np.array(g))
            expected = clock.level(start + months) - g
            return np.asarray(_gamma_density(n, np.array(g)) * stats.poisson.pmf(counts, expected))

        spread = 12 * np.sqrt(n) + 40
        pmf, _ = integrate.quad_vec(
            density, max(n - spread, 1e-12), n + spread, epsabs=1e-12, epsrel=1e-10, limit=2000,
            points=[float(clock.level(np.array(b))) for b in arrivals.breaks],
        )  # fmt: skip
    return np.append(pmf, max(0.0, 1 - pmf.sum()))


MONTHS = ("interim_month", "hold_months", "last_patient_month", "duration_months", "end_month")
"""Means that take an integral each, and so most of the time."""


def exact_values(plan: Plan, scenario: Scenario, *, months: bool = True) -> Law:
    """Every mean that has an exact value; None for the others.

    Parameters
    ----------
    plan : Plan
        How the trial is run.
    scenario : Scenario
        The true response rate; a Beta distribution is integrated out.
    months : bool
        Whether those of `MONTHS`, and expected events, are wanted.

    Returns
    -------
    dict
        By the names of `simtrial.conduct.outcomes`.
    """
    if plan.close_month is not None:
        return {}
    if isinstance(scenario.p, Beta):
        rates, weights = _beta_rule(scenario.p, plan)
    else:
        rates, weights = np.array([float(scenario.p)]), np.ones(1)
    found = decision(plan, rates)
    cases = [_at_rate(plan, float(p), found.stop[i]) for i, p in enumerate(rates)]
    if months:
        settled = len(rates) == 1
        cases = [
            c | _months(plan, float(p), found.stop[i], settled)
            for i, (c, p) in enumerate(zip(cases, rates, strict=True))
        ]
    law: Law = {"reject": float(weights @ found.reject), "pet": float(weights @ found.stop[:, :-1].sum(axis=1))}
    for name in cases[0]:
        column = [case[name] for case in cases]
        if any(v is None or np.isnan(v) for v in column):  # NaN: an integral whose tail is too heavy
            law[name] = None
        else:
            law[name] = float(weights @ np.array(column, dtype=np.float64))
    return law


def _at_rate(plan: Plan, p: float, stop: Floats) -> Law:
    """Means at one true rate, given the probabilities of stopping at each look."""
    looks = plan.design.looks
    n = np.array([look.n for look in looks])
    share = float(plan.dropout.evaluable(p))
    replacing = plan.handling == "replace"
    counted = n / share if replacing else n
    overruns = [overrun_counts(plan, k) for k in range(len(looks) - 1)]
    overrun: float | None = None
    if all(o is not None for o in overruns):
        beyond = [float(o @ np.arange(len(o))) for o in overruns if o is not None]
        overrun = float(stop[:-1] @ np.array(beyond)) if beyond else 0.0
    enrolled = None if overrun is None else float(stop @ counted) + overrun
    law: Law = {
        "n_enrolled": enrolled,
        # failures and enrollments come in a fixed ratio for as long as accrual is open, whatever closes it
        "n_screened": None if enrolled is None else enrolled / plan.screening_success,
        "n_evaluable": float(stop @ n) * (1.0 if replacing else share),
        "overrun": overrun,
    }
    if plan.toxicity is not None and plan.interim.hold and not replacing:
        law["toxicity_crossed"] = float(stop @ _toxic(plan.toxicity, n))
    return law


def _toxic(toxicity: Toxicity, n: NDArray[np.int64]) -> Floats:
    """P(more than the limit times n of n patients have toxicity), for each n."""
    from scipy import stats

    # a product that should be a whole number must not fall below it by its last bit
    above: Floats = stats.binom.sf(np.floor(toxicity.limit * n * (1 + 1e-12)), n, toxicity.rate)
    return above


def _months(plan: Plan, p: float, stop: Floats, settled: bool) -> Law:
    """Expected months; `settled` says that the true rate is one number, over which nothing is left to integrate."""
    looks, arrivals, interim = plan.design.looks, plan.arrivals, plan.interim
    delay = plan.disease.assessments.delay
    several = len(looks) > 1
    law: Law = dict.fromkeys(MONTHS)
    reach = 1 - np.concatenate([[0.0], np.cumsum(stop)[:-1]])
    stages = np.diff([0, *(look.n for look in looks)])
    if interim.allowed is None or not several:
        law["hold_months"] = 0.0
    elif interim.hold and delay is not None:
        law["hold_months"] = float(reach[:-1].sum()) * (delay + interim.lag)
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
    if interim.hold and (afresh or len(looks) == 2):
        law |= _held(plan, stop, reach, stages, first, known, afresh)
    elif not interim.hold and delay is not None and interim.extra is None:
        law |= _ongoing(plan, stop, delay)
    elif not interim.hold and delay is not None and len(looks) == 2 and isinstance(arrivals, Constant):
        law |= _limited(plan, stop, delay, arrivals.rate)
    return law


def _events(plan: Plan, p: float, rate: float, follow_up: float) -> Law:
    """Expected events of a single look at a constant rate: patient n - j entered Gamma(j, rate) before the last one."""
    from scipy import special

    disease, n = plan.disease, plan.design.looks[0].n
    law: Law = {}
    g, w = np.polynomial.legendre.leggauss(400)
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


def _held(
    plan: Plan, stop: Floats, reach: Floats, stages: Floats, first: float, known: tuple[Floats, Floats], afresh: bool
) -> Law:  # fmt: skip
    """Months of a trial that holds accrual at each look."""
    arrivals, lag, delay = plan.arrivals, plan.interim.lag, plan.disease.assessments.delay
    law: Law = {}
    if afresh:
        each = np.array([look_months(arrivals, int(m), known) for m in stages])
        filling = np.array([mean_months(arrivals, int(m)) for m in stages])
        law["hold_months"] = float(reach[:-1] @ (each - filling + lag)[:-1])
        law["duration_months"] = float(reach @ each) + lag * float(reach[:-1].sum())
        if delay is None:
            return law
        last = float(reach @ filling) + (delay + lag) * float(reach[1:].sum())
        law["last_patient_month"] = last
        after = plan.follow_up.months_after_last
        if after is not None:
            ahead = np.append(np.full(len(stages) - 1, max(delay + lag, after)), max(delay, after))
            law["end_month"] = last + float(stop @ ahead)
        return law
    law["hold_months"] = first - mean_months(arrivals, int(stages[0])) + lag
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
    from scipy import stats

    first, last = plan.design.looks
    pending, room = delay + plan.interim.lag, plan.capacities[0] - first.n
    more = last.n - first.n
    if room == more:
        return {"hold_months": 0.0} | (_ongoing(plan, stop, delay))
    came = overrun_counts(plan, 0)
    if came is None:
        return {}
    decided = first.n / rate + pending
    extra = float(came @ np.arange(len(came)))
    wait = pending
    if room:  # E (pending - Gamma(room, rate))+
        wait = pending * stats.gamma.cdf(pending, room, scale=1 / rate)
        wait -= room / rate * stats.gamma.cdf(pending, room + 1, scale=1 / rate)
    duration = stop[0] * decided + stop[1] * (decided + (more - extra) / rate + delay)
    return {"hold_months": float(wait), "duration_months": float(duration)}
