"""Months and patients of many designs under one plan: a building block per number of patients, not one per design.

Whether a trial stops at its first look depends on responses, the month of the look on arrivals and assessments. Where
the two are independent, or a stage that follows a hold starts afresh, a mean of a two-stage design is

    PET(p) a(n1, n) + (1 - PET(p)) b(n1, n),

with a of the trials that stop and b of the others, a <= b. A `StageMeans` holds both for arrays of designs: exact ones
where `simtrial.laws.laws` has the law (NaN elsewhere), and bounds that hold for every plan. A design has n1 patients at
its first look, 0 where it has a single one: then PET is 0 and b is all.

Bounds. Patient n enters no earlier than if accrual were never held, and a look comes no earlier than its last patient's
entry and the least delay until a status is known; the last look no earlier than the entry of its last patient and that
patient's own delay, on which it does not depend whether the trial continues. So these months are independent of the
decision at the first look. Where accrual is held at a constant rate the second stage begins again after the least delay
and the lag. Where dropouts are replaced, evaluable patients arrive at the rate thinned by dropout. A trial whose
accrual closes is decided no earlier than its close, if not earlier with enough patients. With a rule for toxicity, by
which a trial may stop at any moment, nothing has a law here, and every bound is 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import binomial_pmf
from simtrial.design.designs import Look, TwoStage
from simtrial.laws.calendar import overrun_counts
from simtrial.laws.decision import counted
from simtrial.laws.integrals import known_law, look_months, mean_months, panels
from simtrial.memo import kept
from simtrial.plan.centres import Centres
from simtrial.plan.enrollment import Constant
from simtrial.plan.recut import first_bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.numbers import Floats, Ints
    from simtrial.plan.enrollment import Enrollment
    from simtrial.plan.plan import Plan

SETTLED = 1e-7
"""Months by which the wait for the statuses of n patients may still grow with n where it is taken to be constant."""


@dataclass(frozen=True, slots=True)
class StageMeans:
    """A mean of the trials that stop at the first look, and of those that continue: arrays of shape (designs,)."""

    stopped: Floats
    onward: Floats

    def mean(self, pet: Floats) -> Floats:
        """Over both kinds, given the probability of early termination of each design."""
        whole: Floats = np.where(pet > 0, pet * np.where(pet > 0, self.stopped, 0.0), 0.0) + (1 - pet) * self.onward
        return whole

    def or_else(self, other: StageMeans) -> StageMeans:
        """The other one's values where these are NaN."""
        return StageMeans(
            np.where(np.isnan(self.stopped), other.stopped, self.stopped),
            np.where(np.isnan(self.onward), other.onward, self.onward),
        )


def pet(plan: Plan, p: float, r1: Ints, n1: Ints) -> Floats:
    """P(stop at the first look) of designs as they are run at one true rate, whatever becomes of their last look."""
    from scipy import special

    if plan.recut is None:
        rate = float(counted(plan.dropout, plan.handling, p))
        found: Floats = np.where(r1 >= 0, special.bdtr(np.maximum(r1, 0), np.maximum(n1, 1), rate), 0.0)
        return found
    asked, share, rate = plan.recut, float(plan.dropout.evaluable(p)), float(plan.dropout.among_evaluable(p))
    known: dict[tuple[int, int], float] = {(-1, 0): 0.0}
    for first, size in zip(r1.tolist(), n1.tolist(), strict=True):
        if (first, size) not in known:
            m = np.arange(size + 1)
            bounds = np.array([first_bound(Look(size, first), k, asked.p0, asked.p1) for k in m.tolist()])
            stops = np.where(bounds >= 0, special.bdtr(np.maximum(bounds, 0), m, rate), 0.0)
            known[first, size] = float(binomial_pmf(size, share) @ stops)
    return np.array([known[pair] for pair in zip(r1.tolist(), n1.tolist(), strict=True)])


def _each(numbers: Ints, value: Callable[[int], float]) -> Floats:
    """A function of a number of patients at every entry, asked once per number; 0 for none."""
    sizes, where = np.unique(numbers, return_inverse=True)
    found: Floats = np.array([value(n) if n else 0.0 for n in sizes.tolist()])[where]
    return found


@kept(4096)
def _entry(arrivals: Enrollment, n: int) -> float:
    return mean_months(arrivals, n)


@kept(4096)
def _missed(arrivals: Enrollment, n: int, month: float) -> float:
    return float(arrivals.fewer(n, np.array(month))) if month >= 0 else 1.0


def _nothing(n: Ints) -> Floats:
    return np.full(n.shape, np.nan)


def _looks(plan: Plan, p: float, numbers: Ints) -> Floats:
    """Expected month at which the statuses of n patients are known, accrual starting at month 0, by n.

    At a constant rate it exceeds E[T_n] by a wait that grows with n to a limit: patient n - j matters only if it
    entered within D, the spread of the delays, of the last one, and then by D at most, so that what more than j
    patients add is at most D P(Poisson(rate D) >= j). Where that is below `SETTLED` the wait is no longer computed.
    """
    arrivals, known = plan.arrivals, known_law(plan.disease, plan.dropout, p)
    enough = int(numbers.max(initial=0))
    if isinstance(arrivals, Constant) and plan.disease.assessments.delay is None:
        from scipy import special

        spread = float(np.ptp(known[0]))
        left = spread * special.gammainc(np.arange(1, enough + 1), arrivals.rate * spread)
        enough = 1 + int(np.count_nonzero(left > SETTLED))

    def month(n: int) -> float:
        beyond = n - min(n, enough)
        return look_months(arrivals, n - beyond, known) + (_entry(arrivals, beyond) if beyond else 0.0)

    return _each(numbers, month)


def months(plan: Plan, p: float, n1: Ints, n: Ints) -> StageMeans:
    """Expected months to the primary decision, where they have an exact law.

    Parameters
    ----------
    plan : Plan
        How the designs are run; its own design does not matter.
    p : float
        True response rate.
    n1, n : ndarray of int, shape (designs,)
        Patients at the looks.

    Returns
    -------
    StageMeans
        NaN where there is no law.
    """
    arrivals, interim, delay = plan.arrivals, plan.interim, plan.disease.assessments.delay
    first, last, two = _nothing(n), _nothing(n), n1 > 0
    stopped = plan.close_month is not None or plan.toxicity_rule is not None
    if stopped or plan.handling == "replace" or not interim.waits:
        return StageMeans(first, last)
    last[~two] = _looks(plan, p, n[~two])
    afresh = isinstance(arrivals, Constant) or (isinstance(arrivals, Centres) and set(arrivals.opens) == {0.0})
    n1, n = n1[two], n[two]
    if interim.hold and afresh:
        first[two] = _looks(plan, p, n1) + interim.lag
        last[two] = first[two] + _looks(plan, p, n - n1)
    elif not interim.hold and delay is not None and interim.extra is None and interim.lag == 0:
        first[two], last[two] = (_each(sizes, lambda k: _entry(arrivals, k)) + delay for sizes in (n1, n))
    elif interim.extra is not None and delay is not None and isinstance(arrivals, Constant):
        decided = n1 / arrivals.rate + delay + interim.lag
        came = _overrun(plan, n1, n)
        after = decided + (n - n1 - came) / arrivals.rate + delay
        full = interim.extra >= n - n1
        ongoing = n / arrivals.rate + delay if interim.lag == 0 else np.nan
        first[two] = decided
        last[two] = np.where(full, ongoing, after)
    return StageMeans(first, last)


def months_at_least(plan: Plan, p: float, n1: Ints, n: Ints) -> StageMeans:
    """Bounds on the expected months to the primary decision from below; see the head of this module."""
    arrivals, close = plan.arrivals, plan.close_month
    if plan.handling == "replace":
        arrivals = arrivals.scaled(float(plan.dropout.evaluable(p)))
    if not plan.interim.waits or plan.toxicity_rule is not None:
        return StageMeans(np.zeros(n.shape), np.zeros(n.shape))  # a look may come before all its statuses are known
    if close is not None:
        edges = np.unique([*np.linspace(0.0, close, 17), *(b for b in arrivals.breaks if b < close)])
        reached = [_each(k, lambda m: panels(lambda t: arrivals.fewer(m, t), edges)) for k in (n1, n)]
        return StageMeans(*reached)
    delays, chances, held = _waits(plan, p)
    first, last = (_each(k, lambda m: _entry(arrivals, m)) for k in (n1, n))
    return StageMeans(
        first + delays.min() + plan.interim.lag, last + float(delays @ chances) + np.where(n1 > 0, held, 0.0)
    )


def _waits(plan: Plan, p: float) -> tuple[Floats, Floats, float]:
    """Law of the delay of the last patient: values and chances, and what a hold adds before a second stage at least."""
    delays, chances = known_law(plan.disease, plan.dropout, p)
    if plan.handling == "replace":  # whose last patient is an evaluable one
        delays, chances = delays.min(keepdims=True), np.ones(1)
    again = plan.interim.hold and isinstance(plan.arrivals, Constant)
    return delays, chances, float(delays.min()) + plan.interim.lag if again else 0.0


def _overrun(plan: Plan, n1: Ints, n: Ints) -> Floats:
    """Patients expected to enter between the last one of the first look and its decision; NaN where it has no law."""
    found = np.zeros(n.shape)
    for first in np.unique(n1).tolist():
        here = n1 == first
        most = int(n[here].max())
        given = replace(plan, design=TwoStage(0, first, 1, max(most, first + 1)), recut=None)
        law = overrun_counts(given, 0)
        if law is None:
            found[here] = np.nan
            continue
        room = n[here] - first if plan.interim.allowed is None else np.minimum(plan.interim.allowed, n[here] - first)
        # E min(N, room) is the sum of P(N > k) over k < room
        beyond = np.append(0.0, np.cumsum(1 - np.cumsum(law)[:-1]))
        found[here] = beyond[np.minimum(room, len(beyond) - 1)]
    return found


def enrolled(plan: Plan, p: float, n1: Ints, n: Ints) -> StageMeans:
    """Patients expected to be enrolled by the decision, overrun included, where there is an exact law: see `months`."""
    first, last = _nothing(n), _nothing(n)
    if plan.close_month is not None or plan.toxicity_rule is not None or not plan.interim.waits:
        return StageMeans(first, last)
    share = float(plan.dropout.evaluable(p)) if plan.handling == "replace" else 1.0
    two = n1 > 0
    first[two] = n1[two] / share + _overrun(plan, n1[two], n[two])
    last[:] = n / share
    return StageMeans(first, last)


def enrolled_at_least(plan: Plan, p: float, n1: Ints, n: Ints) -> StageMeans:
    """Bounds on the patients expected to be enrolled from below: without overrun, or until accrual closes."""
    share = float(plan.dropout.evaluable(p)) if plan.handling == "replace" else 1.0
    if plan.toxicity_rule is not None:
        return StageMeans(np.zeros(n.shape), np.zeros(n.shape))
    if plan.close_month is None and plan.interim.waits:
        return StageMeans(n1 / share, n / share)
    if plan.close_month is None:
        return StageMeans(np.zeros(n.shape), n / share)
    # a hold may leave no time for the next stage, so that no more than the first is sure to come
    came = np.cumsum([0.0, *(1 - _missed(plan.arrivals, k, plan.close_month) for k in range(1, int(n.max()) + 1))])
    sure = np.where(n1 > 0, n1, n)
    return StageMeans(came[n1], came[sure])


def enrolled_until(plan: Plan, p: float, sizes: tuple[Ints, Ints], whole: StageMeans, close: float) -> StageMeans:
    """About the patients enrolled if accrual closes in a month: a guess from the `whole` of the plan without a close.

    Patients of a second stage come later by what a hold adds at least; patients over are all taken to come in time.
    """
    n1, n = sizes
    share = float(plan.dropout.evaluable(p)) if plan.handling == "replace" else 1.0
    arrivals = plan.arrivals.scaled(share) if plan.handling == "replace" else plan.arrivals
    every = range(1, int(n.max(initial=0)) + 1)
    held = _waits(plan, p)[2]
    first, later = (
        np.cumsum([0.0, *(1 - _missed(arrivals, k, close - wait) for k in every)]) / share for wait in (0.0, held)
    )
    onward = np.where(n1 > 0, first[n1] + later[n] - later[n1], first[n])
    return StageMeans(first[n1] + whole.stopped - n1 / share, onward)


def late(plan: Plan, p: float, n1: Ints, n: Ints, month: float) -> StageMeans:  # noqa: ARG001 - as `months`
    """P(the primary decision comes after a month), where it has an exact law: see `months`."""
    arrivals, interim, delay = plan.arrivals, plan.interim, plan.disease.assessments.delay
    first, last, two = _nothing(n), _nothing(n), n1 > 0
    stopped = plan.close_month is not None or plan.toxicity_rule is not None
    if stopped or plan.handling == "replace" or not interim.waits or delay is None:
        return StageMeans(first, last)

    last[~two] = _late(arrivals, n[~two], month - delay)
    waits = delay + interim.lag if interim.hold else 0.0
    if (interim.hold and isinstance(arrivals, Constant)) or (interim.allowed is None and interim.lag == 0):
        first[two] = _late(arrivals, n1[two], month - delay - interim.lag)
        last[two] = _late(arrivals, n[two], month - delay - waits)
    return StageMeans(first, last)


def late_at_least(plan: Plan, p: float, n1: Ints, n: Ints, month: float) -> StageMeans:
    """Bounds on P(the primary decision comes after a month) from below; see the head of this module."""
    arrivals, close = plan.arrivals, plan.close_month
    if plan.handling == "replace":
        arrivals = arrivals.scaled(float(plan.dropout.evaluable(p)))
    if not plan.interim.waits or plan.toxicity_rule is not None or (close is not None and month >= close):
        return StageMeans(np.zeros(n.shape), np.zeros(n.shape))
    if close is not None:
        return StageMeans(_late(arrivals, n1, month), _late(arrivals, n, month))
    delays, chances, held = _waits(plan, p)
    shift = np.where(n1 > 0, held, 0.0)
    onward = np.zeros(n.shape)
    for delay, chance in zip(delays.tolist(), chances.tolist(), strict=True):
        for wait in np.unique(shift).tolist():
            here = shift == wait
            onward[here] += chance * _late(arrivals, n[here], month - delay - wait)
    soonest = month - float(delays.min()) - plan.interim.lag
    return StageMeans(_late(arrivals, n1, soonest), onward)


def _late(arrivals: Enrollment, numbers: Ints, month: float) -> Floats:
    """P(T_n > a month) for each n, if accrual is never held."""
    return _each(numbers, lambda n: _missed(arrivals, n, month))
