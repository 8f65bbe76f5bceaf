"""What is reported of each simulated trial, by name: decision, patients, months, precision, survival, toxicity."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial.conduct.courses import how_many
from simtrial.conduct.survival import kaplan_meier
from simtrial.design.intervals import clopper_pearson
from simtrial.memo import kept

if TYPE_CHECKING:
    from simtrial.conduct.runs import Trials
    from simtrial.numbers import Bools, Floats, Ints, Numbers
    from simtrial.plan.plan import Plan

OutcomeKind = Literal["share", "patients", "months", "rate"]
Observer = Callable[["Plan", "Trials", np.random.Generator], "dict[str, Numbers]"]
"""Gives outcomes of a block of trials: `observe`, or `primary` where survival and precision are not wanted."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One reported quantity.

    Parameters
    ----------
    name : str
        As in the JSON of ``simtrial simulate``.
    label : str
        As in tables.
    kind : {'share', 'patients', 'months', 'rate'}
        Share of trials, patients in a trial, months, or a rate observed within a trial.
    """

    name: str
    label: str
    kind: OutcomeKind

    @property
    def unit(self) -> float:
        """Width of the bins from which quantiles are read: a hundredth of a month, a thousandth of a rate."""
        return {"share": 1.0, "patients": 1.0, "months": 0.01, "rate": 0.001}[self.kind]

    def called(self, plan: Plan) -> str:
        """The label in tables of a plan: under a rule for toxicity, an early stop is one by responses."""
        return f"{self.label} (by responses)" if self.name == "pet" and plan.toxicity_rule is not None else self.label


OUTCOMES = {
    outcome.name: outcome
    for outcome in (
        Outcome("reject", "P(reject H0)", "share"),
        Outcome("pet", "PET", "share"),
        Outcome("toxicity_stopped", "P(stop for toxicity)", "share"),
        Outcome("n_screened", "patients screened", "patients"),
        Outcome("n_enrolled", "patients enrolled", "patients"),
        Outcome("n_evaluable", "evaluable at the decision", "patients"),
        Outcome("overrun", "overrun: enrolled beyond the look that stops", "patients"),
        Outcome("interim_month", "month of the (first) interim look", "months"),
        Outcome("hold_months", "months on hold", "months"),
        Outcome("last_patient_month", "months to last patient in", "months"),
        Outcome("duration_months", "months to the primary decision", "months"),
        Outcome("end_month", "months to the end of follow-up", "months"),
        Outcome("closed_short", "P(accrual closes too soon)", "share"),
        Outcome("orr_width", "width of the 95% interval for ORR", "rate"),
        Outcome("dcr", "observed DCR", "rate"),
        Outcome("dcr_width", "width of the 95% interval for DCR", "rate"),
        Outcome("complete_responses", "complete responses", "patients"),
        Outcome("toxicities", "patients with toxicity", "patients"),
        Outcome("toxicity_crossed", "P(toxicity above its limit)", "share"),
        Outcome("pfs_events", "PFS events", "patients"),
        Outcome("pfs_median", "estimated median PFS", "months"),
        Outcome("pfs_median_width", "width of its 95% interval", "months"),
        Outcome("pfs_landmark", "estimated landmark PFS", "rate"),
        Outcome("os_events", "deaths", "patients"),
        Outcome("os_median", "estimated median OS", "months"),
        Outcome("os_median_width", "width of its 95% interval (OS)", "months"),
        Outcome("os_landmark", "estimated landmark OS", "rate"),
    )
}
"""Everything that may be reported, in the order of the tables; a plan yields those that it speaks of."""


PRIMARY = frozenset(
    (
        "reject", "pet", "toxicity_stopped", "n_screened", "n_enrolled", "n_evaluable", "overrun", "interim_month",
        "hold_months", "last_patient_month", "duration_months", "end_month", "closed_short",
    )
)  # fmt: skip
"""What `primary` gives: no survival, no precision."""


def primary(plan: Plan, trials: Trials, rng: np.random.Generator) -> dict[str, Numbers]:  # noqa: ARG001 - as `observe`
    """Give the decision, the patients and the months of each trial; see `observe`."""
    found: dict[str, Numbers] = {
        "reject": trials.reject,
        "pet": (trials.stage < len(trials.looks)) & ~trials.closed & ~trials.toxicity_stopped,
        **({} if plan.toxicity_rule is None else {"toxicity_stopped": trials.toxicity_stopped}),
        "n_screened": trials.screened,
        "n_enrolled": trials.enrolled,
        "n_evaluable": trials.evaluable,
        "overrun": trials.enrolled - trials.counted,
        "interim_month": trials.first_look,
        "hold_months": trials.held,
        "last_patient_month": trials.last_patient,
        "duration_months": trials.decision,
        "end_month": trials.end,
    }
    if plan.close_month is not None:
        found["closed_short"] = trials.closed
    return found


def observe(
    plan: Plan, trials: Trials, rng: np.random.Generator, wanted: Collection[str] = OUTCOMES
) -> dict[str, Numbers]:
    """Give each outcome of each trial, NaN where it does not apply and infinite where a time is not reached.

    Parameters
    ----------
    plan : Plan
        The plan that the trials were simulated by.
    trials : Trials
        One block.
    rng : Generator
        The block's own, after its trials have been drawn: toxicity, deaths and late losses come from it.
    wanted : collection of str
        Outcomes that are wanted, all if left out: the same values in whatever company.

    Returns
    -------
    dict of str to ndarray
        Arrays of shape (trials,), by the names of `OUTCOMES`.
    """
    found = primary(plan, trials, rng)
    found["orr_width"] = _widths(trials.responses, trials.analysed)
    disease, stable = plan.disease, trials.cohort.stable
    if stable is not None:
        controlled = trials.responses + how_many(stable & trials.included)
        found["dcr"] = np.where(trials.analysed > 0, controlled / np.maximum(trials.analysed, 1), np.nan)
        found["dcr_width"] = _widths(controlled, trials.analysed)
    if disease.complete_share > 0:
        found["complete_responses"] = rng.binomial(trials.responses, disease.complete_share)
    if plan.toxicity is not None:
        toxic = _toxicities(plan.toxicity.rate, trials, rng)
        if plan.toxicity_rule is not None:
            found["toxicities"] = toxic
        # a count that should equal the limit must not exceed it by the last bit of a product
        found["toxicity_crossed"] = toxic > plan.toxicity.limit * trials.enrolled * (1 + 1e-12)
    if trials.cohort.pfs is not None:
        found |= _survival(plan, trials, rng, wanted)
    return {name: values for name, values in found.items() if name in wanted}


def _toxicities(rate: float, trials: Trials, rng: np.random.Generator) -> Ints:
    """Patients enrolled with a toxicity: those drawn where it matters who they are, else a binomial number."""
    toxic = trials.cohort.toxic
    if toxic is None:
        found: Ints = rng.binomial(trials.enrolled, rate)
        return found
    return how_many(toxic & (np.arange(len(toxic))[:, np.newaxis] < trials.enrolled))


def _widths(count: Ints, n: Ints) -> Floats:
    """Width of the Clopper-Pearson 95% interval; NaN where no patient was analysed."""
    most = int(np.max(n, initial=0)) + 1
    pairs = n * most + count
    if most <= 256:  # few enough to look up
        table = np.full((most, most), np.nan)
        for size in np.flatnonzero(np.bincount(n)):
            table[size, : size + 1] = _widths_of(int(size))
        return table.take(pairs)
    kinds, where = np.unique(pairs, return_inverse=True)
    size, x = np.divmod(kinds, most)
    low, high = clopper_pearson(x, size, 0.025)
    width: Floats = np.where(size > 0, high - low, np.nan)[where]
    return width


@kept(256)
def _widths_of(n: int) -> Floats:
    """Width of the interval for 0, 1, ..., n of n patients."""
    low, high = clopper_pearson(np.arange(n + 1), n, 0.025)
    width: Floats = high - low if n else np.full(1, np.nan)
    width.setflags(write=False)
    return width


def lifetimes(plan: Plan, trials: Trials, pfs: Floats, rng: np.random.Generator) -> tuple[Floats, Floats | None]:
    """Months from enrollment at which a patient is lost to follow-up, and dies (None without OS in the plan)."""
    cohort = trials.cohort
    if plan.loss_per_year > 0:
        lost = rng.standard_exponential(pfs.shape)
        lost /= plan.loss_hazard
    else:
        lost = np.full(pfs.shape, np.inf)
    if not cohort.evaluable.all():
        # lost before the first assessment: an exponential time, given that it falls there
        chance = max(plan.dropout.probability, 1e-12)
        early = np.flatnonzero(~cohort.evaluable)
        share = np.log1p(-rng.random(pfs.shape).take(early) * chance) / np.log1p(-chance)
        lost.put(early, share * plan.disease.assessments.interval)
    if plan.disease.os is None:
        return lost, None
    hazards = plan.disease.death_hazards
    death = rng.standard_exponential(pfs.shape)
    responders = np.flatnonzero(cohort.responds)
    theirs = death.take(responders) / hazards.responders
    death /= hazards.others
    death.put(responders, theirs)
    death += pfs
    return lost, death


def _survival(plan: Plan, trials: Trials, rng: np.random.Generator, wanted: Collection[str]) -> dict[str, Numbers]:
    pfs = trials.cohort.pfs
    assert pfs is not None
    enrolled = np.arange(len(pfs))[:, np.newaxis] < trials.enrolled
    lost, os = lifetimes(plan, trials, pfs, rng)
    until = np.minimum(trials.end - trials.entry, lost)  # of no meaning for who was not enrolled
    found: dict[str, Numbers] = {}
    for name, time in (("pfs", pfs), ("os", os)):
        if time is not None and any(outcome.startswith(f"{name}_") for outcome in wanted):
            found |= _endpoint(name, time, until, enrolled, plan.landmark)
    return found


def _endpoint(name: str, time: Floats, until: Floats, counted: Bools, landmark: float) -> dict[str, Numbers]:
    events = (time <= until) & counted
    curve = kaplan_meier(np.minimum(time, until), events, counted)
    low, high = curve.interval()
    open_end = ~np.isfinite(high)
    return {
        f"{name}_events": how_many(events),
        f"{name}_median": curve.median,
        f"{name}_median_width": np.where(open_end, np.inf, high - np.where(open_end, 0.0, low)),
        f"{name}_landmark": curve.at(landmark)[0],
    }
