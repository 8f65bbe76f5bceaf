"""What each assumption of a plan costs in time and in power: taken away or halved, one at a time.

`simtrial.conduct.sensitivity` asks what happens if an assumption is wrong, and goes both ways. Here the question is
what could be gained by changing it: a lever is pulled in the direction that saves time or gains power, as far as a
trial can. The response rates p0 and p1 stay what they are; so a shorter assessment window, or no confirmation, is
taken to see as many responses, which is for the investigator to judge.

Levers come in three kinds: times that the protocol lays down, rules of the trial, and facts of the sites and their
patients. Each value is exact where there is a law, else simulated, all of them from one seed.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.conduct import changes, simulation
from simtrial.conduct.measures import Measured
from simtrial.errors import InputError
from simtrial.laws.losses import AsRun
from simtrial.phrases import percent
from simtrial.plan.plan import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simtrial.conduct.changes import Changed, LeverKind
    from simtrial.design.requirements import Requirements
    from simtrial.laws.losses import Among
    from simtrial.plan.plan import Plan

OPENINGS: dict[LeverKind, str] = {
    "protocol": "Of the times that the protocol lays down, ",
    "rule": "Of the rules of the trial, ",
    "site": "Of the facts of the sites and their patients, ",
}
"""How a sentence on the dearest assumption of one kind begins."""

MOST_TRIALS, MOST_PATIENTS = 5_000, 500_000
"""Most trials, and patients of these together, by which a lever is simulated: enough to tell months apart."""

MOST_WITH_RULE = 100_000
"""Most trials under a rule for toxicity: those from which months are taken elsewhere (`simtrial.trial.protocol`)."""

LEAST_MONTHS, LEAST_POWER = 0.05, 0.0005
"""Gains below these would be printed as 0."""

WORTH_SAYING = 1.0
"""Months and patients by which a lever costs something itself, from which on a sentence says so."""

ERRORS = 3.0
"""Monte Carlo standard errors that a simulated gain must exceed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """An assumption and what it costs.

    Attributes
    ----------
    change : Changed
        The assumption, and the plan without it.
    planned, changed : mapping of (str, str) to Measured
        ``reject``, ``n_enrolled``, ``hold_months`` (of several looks) and ``duration_months`` at ``p0`` and ``p1``, as
        planned and with the assumption changed.
    """

    change: Changed
    planned: Mapping[tuple[str, str], Measured]
    changed: Mapping[tuple[str, str], Measured]

    def _less(self, name: str, rate: str) -> Measured:
        """By how much an outcome is smaller once changed; its standard error is that of independent simulations."""
        before, after = self.planned[name, rate], self.changed[name, rate]
        return Measured(before.value - after.value, math.hypot(before.mcse, after.mcse))

    def _more(self, name: str, rate: str) -> Measured:
        less = self._less(name, rate)
        return Measured(0.0 - less.value, less.mcse)  # not -less.value, which may be -0.0

    def months_saved(self, rate: str) -> Measured:
        """Months by which the primary decision comes earlier at a rate, p0 or p1."""
        return self._less("duration_months", rate)

    def hold_saved(self, rate: str) -> Measured:
        """Months by which the hold of accrual is shorter; 0 of a single look, which holds nothing."""
        return self._less("hold_months", rate) if ("hold_months", rate) in self.planned else Measured(0.0)

    def more_enrolled(self, rate: str) -> Measured:
        """By how many patients enrollment grows."""
        return self._more("n_enrolled", rate)

    @property
    def power_gained(self) -> Measured:
        """By how much the power rises."""
        return self._more("reject", "p1")

    @property
    def type_i_error_added(self) -> Measured:
        """By how much the type I error rises."""
        return self._more("reject", "p0")

    @property
    def exact(self) -> bool:
        """Whether nothing had to be simulated."""
        return not any(one.mcse for one in (*self.planned.values(), *self.changed.values()))


def of(
    plan: Plan, asked: Requirements, trials: int, seed: int, *, among: Among = "evaluable"
) -> tuple[Lever, ...]:  # fmt: skip
    """Pull every lever that a plan has, one at a time.

    Parameters
    ----------
    plan : Plan
        What is assumed.
    asked : Requirements
        p0 and p1 as they are written.
    trials, seed : int
        Of what has to be simulated; see `size`.
    among : {'evaluable', 'enrolled'}
        Whose rate p0 is, where patients without an assessment count as non-responders.

    Returns
    -------
    tuple of Lever
        By kind. Changes that the plan does not allow are left out.
    """
    how = pulled(plan, trials), seed
    planned = _values(plan, asked, how, among)
    found = []
    for change in changes.of(plan):
        with suppress(InputError):  # p0 among all enrolled may leave no p1 above it
            found.append(Lever(change=change, planned=planned, changed=_values(change.plan, asked, how, among)))
    return tuple(found)


def size(plan: Plan, trials: int) -> int:
    """How many of some trials are simulated for a lever: fewer where they are large."""
    return max(2, min(trials, MOST_TRIALS, MOST_PATIENTS // plan.design.looks[-1].n))


def pulled(plan: Plan, trials: int) -> int:
    """How many are simulated for each lever of a plan.

    Under a rule for toxicity hardly anything is exact, and the sentences stand beside type I error, power and months of
    the same trial: so that each has one value, it comes from as many trials here as there.
    """
    return size(plan, trials) if plan.toxicity_rule is None else max(2, min(trials, MOST_WITH_RULE))


def _values(
    plan: Plan, asked: Requirements, how: tuple[int, int], among: Among
) -> dict[tuple[str, str], Measured]:  # fmt: skip
    truths = AsRun(loss=plan.dropout, handling=plan.handling, among=among).truths(asked)
    names = ["reject", "n_enrolled", "duration_months"]
    if len(plan.design.looks) > 1:
        names.append("hold_months")
    done = simulation.expect(plan, (Scenario("p0", truths.p0), Scenario("p1", truths.p1)), names, *how)
    return {
        (name, rate): Measured(done[rate][name].best, done[rate][name].best_mcse)
        for rate in ("p0", "p1")
        for name in names
    }


def _clear(gain: Measured, least: float) -> bool:
    """Whether a gain is one: printed as more than 0, and beyond what simulation may bring about."""
    return gain.value >= least and gain.value > ERRORS * gain.mcse


def most_time(found: Sequence[Lever], kinds: Sequence[LeverKind] = ("protocol",)) -> Lever | None:
    """The lever of some kinds with which the decision at p1 comes earliest; None if with none it comes earlier.

    Twice the enrollment rate is never it: that would be another trial, not this one without an assumption.
    """
    gains = [
        one
        for one in found
        if one.change.kind in kinds and one.change.key != "rate" and _clear(one.months_saved("p1"), LEAST_MONTHS)
    ]
    return max(gains, key=lambda one: one.months_saved("p1").value, default=None)


def most_power(found: Sequence[Lever]) -> Lever | None:
    """The lever that gains most power; dropout itself, where its handling gains no more. None if none gains any."""
    gains = [one for one in found if one.change.key != "rate" and _clear(one.power_gained, LEAST_POWER)]
    best = max(gains, key=lambda one: one.power_gained.value, default=None)
    dropout = next((one for one in gains if one.change.key == "dropout"), best)
    if best is None or dropout is None:
        return None
    most, its = best.power_gained, dropout.power_gained
    return best if _clear(Measured(most.value - its.value, math.hypot(most.mcse, its.mcse)), LEAST_POWER) else dropout


def _beside(lever: Lever, *, timed: bool) -> str:
    """What a lever brings about beside its gain: more patients, less power, a later decision."""
    said = []
    if timed and _clear(held := lever.hold_saved("p1"), WORTH_SAYING):
        said.append(f"accrual is on hold {held.value:.1f} months less")
    if _clear(more := lever.more_enrolled("p0"), WORTH_SAYING):
        said.append(f"{more.value:.1f} more patients are enrolled at p0")
    if timed and _clear(Measured(-lever.power_gained.value, lever.power_gained.mcse), LEAST_POWER):
        power, planned = (percent(one["reject", "p1"].value) for one in (lever.changed, lever.planned))
        said.append(f"the power is {power} instead of {planned}")
    saved = lever.months_saved("p1")
    if not timed and _clear(Measured(-saved.value, saved.mcse), WORTH_SAYING):
        said.append(f"the decision at p1 comes {-saved.value:.1f} months later")
    return f"; {' and '.join(said)}" if said else ""


ASSUMING = {
    "window": ", provided that as many patients respond within it",
    "readout": ", provided that as many responses are then known",
    "confirmation": ", provided that p0 and p1 are rates of unconfirmed responses",
}
"""What a gain presupposes, by the key of its lever."""


def time_sentence(lever: Lever) -> str:
    """One sentence on the lever of its kind that costs most time."""
    saved = lever.months_saved("p1").value
    before, after = (one["duration_months", "p1"] for one in (lever.planned, lever.changed))
    mcse = max(before.mcse, after.mcse)
    how = f"; simulated, Monte Carlo standard error {mcse:.1g}" if mcse else ""
    change = lever.change
    return (
        f"{OPENINGS[change.kind]}{change.subject} costs most time: {change.condition} the decision at p1 comes "
        f"{saved:.1f} months earlier (month {after.value:.1f} instead of {before.value:.1f}{how})"
        f"{ASSUMING.get(change.key, '')}{_beside(lever, timed=True)}."
    )


def power_sentence(lever: Lever) -> str:
    """One sentence on the lever that costs most power."""
    (low, low1), (high, high1) = (
        tuple(one["reject", rate] for one in (lever.planned, lever.changed)) for rate in ("p0", "p1")
    )
    mcse = max(high.mcse, high1.mcse)
    how = f" (simulated, Monte Carlo standard error {mcse:.1g})" if mcse else ""
    more = lever.type_i_error_added
    errors = ""
    if _clear(more, LEAST_POWER):
        errors = f" and the type I error {percent(low1.value)} instead of {percent(low.value)}"
    subject = f"{lever.change.subject[0].upper()}{lever.change.subject[1:]}"
    return (
        f"{subject} costs most power: {lever.change.condition} the power is {percent(high1.value)} instead of "
        f"{percent(high.value)}{how}{errors}{_beside(lever, timed=False)}."
    )


def sentences(found: Sequence[Lever]) -> tuple[str, ...]:
    """What costs most time, of the times of the protocol and of the rules of the trial, and what costs most power.

    Where neither the protocol nor a rule costs time, a fact of the sites is named if one does.
    """
    kinds: tuple[LeverKind, ...] = ("protocol", "rule")
    times = [one for kind in kinds if (one := most_time(found, (kind,))) is not None]
    if not times and (site := most_time(found, ("site",))) is not None:
        times.append(site)
    power = most_power(found)
    return (*map(time_sentence, times), *([] if power is None else [power_sentence(power)]))
