"""What a design is expected to do once it is run, at p0 and at p1: patients, months, the chance of being in time, cost.

Each value is exact where there is a law, else simulated with its Monte Carlo standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import simulation
from simtrial.conduct.cost import expected
from simtrial.conduct.measures import Measured, simulated
from simtrial.design.designs import Look
from simtrial.design.second_stages import branched
from simtrial.laws import stages
from simtrial.laws.decision import decision, has_law
from simtrial.plan.plan import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.conduct.cost import Prices
    from simtrial.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """A design as it is run.

    Attributes
    ----------
    values : mapping of (str, str) to Measured
        By measure and rate: ``n_enrolled``, ``interim_month`` (of several looks), ``duration_months``, ``in_time``
        (where there is a deadline) and ``cost`` (where there are prices), each at ``p0`` and ``p1``.
    """

    plan: Plan
    values: Mapping[tuple[str, str], Measured]


def prospect(
    plan: Plan, rates: tuple[float, float], trials: int, seed: int, *, deadline: float | None, prices: Prices | None
) -> Prospect:
    """Evaluate a design under its plan.

    Parameters
    ----------
    plan : Plan
        The design and how it is run.
    rates : tuple of float
        p0 and p1.
    trials, seed : int
        Of what has to be simulated.
    deadline : float, optional
        Month by which a primary decision is in time.
    prices : Prices, optional
        What is paid.

    Returns
    -------
    Prospect
        Its values.
    """
    scenarios = [Scenario(label, rate) for label, rate in zip(("p0", "p1"), rates, strict=True)]
    names = ["n_enrolled", *(["interim_month"] if len(plan.design.looks) > 1 else []), "duration_months"]
    wanted = [*names, *(name for name in (prices.outcomes if prices else ()) if name not in names)]
    done = simulation.expect(plan, scenarios, wanted, trials, seed)
    values: dict[tuple[str, str], Measured] = {}
    for scenario in scenarios:
        result = done[scenario.label]
        for name in names:
            values[name, scenario.label] = Measured(result[name].best, result[name].best_mcse)
        if deadline is not None:
            chance = by_law(plan, scenario, deadline)
            if chance is None and done.trials:
                chance = Measured(*result["duration_months"].at_most(deadline))
            values["in_time", scenario.label] = chance or in_time(plan, scenario, deadline, trials, seed)
        if prices is not None:
            values["cost", scenario.label] = Measured(*expected(prices, result))
    return Prospect(plan=plan, values=values)


def in_time(plan: Plan, scenario: Scenario, deadline: float, trials: int, seed: int) -> Measured:
    """P(the primary decision is made by a month): exact for one or two looks that wait a fixed time, else simulated."""
    exact = by_law(plan, scenario, deadline)
    if exact is not None:
        return exact
    late = simulated("late", plan, scenario, trials, seed, deadline)
    return Measured(1 - late.value, late.mcse)


def by_law(plan: Plan, scenario: Scenario, deadline: float) -> Measured | None:
    """P(the primary decision is made by a month) where it has an exact law, else None."""
    if plan.toxicity_rule is not None:
        return None
    if branched(plan.design.looks) is not None:
        return _by_law_of_table(plan, scenario, deadline)
    *early, last = plan.design.looks
    first = early[0] if early else Look(0, None)
    if len(early) <= 1 and isinstance(scenario.p, int | float) and first.e is None:
        p, n1, n = float(scenario.p), np.array([first.n]), np.array([last.n])
        r1 = np.array([-1 if first.r is None else first.r])
        known = float(stages.late(plan, p, n1, n, deadline).mean(stages.pet(plan, p, r1, n1))[0])
        if not np.isnan(known):
            return Measured(1 - known)
    return None


def _by_law_of_table(plan: Plan, scenario: Scenario, deadline: float) -> Measured | None:
    """The same where the second stage depends on the first: by the number of patients with which a trial ends."""
    if not isinstance(scenario.p, int | float) or not has_law(plan):
        return None
    p = float(scenario.p)
    first, *later = (look.n for look in plan.design.looks)
    stop = decision(plan, np.array([p])).stop[0]
    late = stages.late(plan, p, np.full(len(later), first), np.array(later), deadline)
    if not later or np.isnan(late.onward).any() or np.isnan(late.stopped).any():
        return None
    return Measured(1 - float(stop[0] * late.stopped[0] + stop[1:] @ late.onward))
