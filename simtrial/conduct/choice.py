"""Which design a trial should take by its calendar: the soonest decided, the fewest enrolled, the most often in time.

One design per pair of sizes is enough, and single stages beside them (`simtrial.search.pairs`). Their values come from
exact laws where the plan has them, for all designs at once (`simtrial.laws.stages`), a rule for toxicity left out.

What can still win
------------------
*More patients.* A design of n patients or more has a value of at least

    min over n1 of PETmax(n1) a(n1, n) + (1 - PETmax(n1)) b(n1, n),

with PETmax(n1) that of the largest r1 any design with the power may have, because a <= b rise with n1 and n. Where that
reaches the best value found, no larger n can win: the search is proved. It need not do so for the probability of a
decision in time: then n ends at a cap, the larger of Simon's n_upper and the sustained single-stage n.

*Designs without an exact law.* Each has an exact lower bound. Simon's minimax and optimal and the first and sustained
single stages are simulated first, then the others in the order of `Listed.guess`, `FEW` trials each and all from the
same seed, save those whose bound is above the smallest simulated value by 3 of its Monte Carlo standard errors, until
`MOST_SIMULATED` have been. Of those within 3 standard errors of the smallest, the best `FINALISTS` are then simulated
in full, and the smallest value wins. This is no proof: the certificate says so, and how far the bound lies below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import measures
from simtrial.conduct.measures import Measured, at_least, exactly, known, simulated
from simtrial.design.designs import SingleStage, TwoStage
from simtrial.errors import InputError
from simtrial.laws import stages
from simtrial.plan.plan import Scenario
from simtrial.search.pairs import Pairs, largest_r1, meeting
from simtrial.search.record import Certificate, How
from simtrial.search.simon import two_stage
from simtrial.search.single import single_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.laws.stages import StageMeans
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.plan.plan import Plan
    from simtrial.search.calendar import CalendarCriterion, Measure

MOST_SIMULATED = 100
"""Most designs that are simulated for one criterion."""

FEW = 1024
"""Trials of each at first."""

FINALISTS = 10
"""Most designs that are simulated in full."""

MOST_EVALUATED = 200
"""Most designs that are evaluated one by one, simulated or not."""

ERRORS = 3.0
"""Monte Carlo standard errors by which a design may lie above the best one and still be simulated further."""

TIE = 9
"""Decimals of a value within which two designs tie."""


@dataclass(frozen=True, kw_only=True)
class CalendarQuestion:
    """What is asked of the calendar.

    Attributes
    ----------
    requirements : Requirements
        The limits that the designs are to meet on paper.
    rates : tuple of float
        p0 and p1, the true response rates at which the trial is run.
    plan_of : callable
        How a design is run. Plans differ in their design alone; one that takes n patients takes fewer.
    trials, seed : int
        Of simulations.
    deadline : float, optional
        Month by which a decision is in time.
    n_limit : int
        Refuse if even the most powerful test needs more patients.
    """

    requirements: Requirements
    rates: tuple[float, float]
    plan_of: Callable[[Design], Plan]
    trials: int
    seed: int
    deadline: float | None = None
    n_limit: int

    def rate(self, label: str) -> float:
        """One of the rates by its name."""
        return self.rates[label == "p1"]

    @property
    def n_cap(self) -> int:
        """The larger of Simon's n_upper and the sustained single-stage n."""
        two = two_stage(self.requirements, n_limit=self.n_limit)
        one = single_stage(self.requirements, n_limit=self.n_limit)
        return max(two.certificate.n_upper, one.sustained.n)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Every design up to some n, with what one measure makes of it at one rate: arrays of shape (designs,).

    Attributes
    ----------
    pairs : Pairs
        The designs.
    plan : Plan
        How they are run, for one of them.
    pet : ndarray
        Probability of early termination as the trial is run.
    values, mcse : ndarray
        Exact (0) or simulated; NaN where there is no exact law and nothing was simulated.
    least : ndarray
        Bound on the value from below.
    guess : ndarray
        The order in which designs without an exact law are tried: the bound or, where it says little, a guess from the
        plan with looks that wait and without a date that closes accrual.
    """

    pairs: Pairs
    plan: Plan
    pet: Floats
    values: Floats
    mcse: Floats
    least: Floats
    guess: Floats


@dataclass(frozen=True, kw_only=True)
class CalendarChoice:
    """The design that a criterion of the calendar takes.

    Attributes
    ----------
    criterion : CalendarCriterion
        By which it was taken.
    design : Design
        The design.
    value : Measured
        What the criterion makes small.
    simulated : int
        How many designs were simulated in order to find it; 0 where all that could win have an exact value.
    rivals : int
        Others whose simulated value does not differ from its own by more than 3 standard errors of the difference.
    proof : Certificate
        The certificate.
    """

    criterion: CalendarCriterion
    design: SingleStage | TwoStage
    value: Measured
    simulated: int
    rivals: int
    proof: Certificate


def listed(measure: Measure, rate: str, asked: CalendarQuestion, n_max: int) -> Listed:
    """Every design of at most `n_max` patients that the plan takes, with what has an exact value.

    Raises
    ------
    InputError
        If the plan takes none of them.
    """
    pairs = _taken(meeting(asked.requirements, n_max), asked.plan_of)
    plan, p = asked.plan_of(pairs.design(0)).by_responses, asked.rate(rate)
    sizes = pairs.n1, pairs.n
    pet = stages.pet(plan, p, pairs.r1, pairs.n1)
    values = exactly(measure, plan, p, sizes, asked.deadline).mean(pet)
    least = at_least(measure, plan, p, sizes, asked.deadline).mean(pet)
    mcse = np.where(np.isnan(values), np.nan, 0.0)
    least = guess = np.where(np.isnan(values), least, values)
    if not plan.interim.waits or plan.close_month is not None:
        guess = measures.guess(measure, plan, p, sizes, asked.deadline).mean(pet)
    return Listed(pairs=pairs, plan=plan, pet=pet, values=values, mcse=mcse, least=least, guess=guess)


def _taken(pairs: Pairs, plan_of: Callable[[Design], Plan]) -> Pairs:
    """Those whose numbers of patients and looks the plan takes: accrual that closes leaves no time for many."""
    taken, refused = np.zeros(len(pairs), dtype=np.bool_), None
    for two in (True, False):
        here = (pairs.n1 > 0) == two
        sizes = np.unique(pairs.n[here]).tolist()
        low, high = 0, len(sizes)  # the first `low` are taken, those from `high` on are not
        while low < high:
            middle = high - 1 if high == len(sizes) else (low + high) // 2
            try:
                plan_of(TwoStage(0, sizes[middle] - 1, 1, sizes[middle]) if two else SingleStage(0, sizes[middle]))
                low = middle + 1
            except InputError as error:
                high, refused = middle, error
        taken |= here & np.isin(pairs.n, sizes[:low])
    if refused is not None and not taken.any():
        raise refused
    return pairs.those(taken)


def _simulate(found: Listed, measure: Measure, rate: str, asked: CalendarQuestion) -> int:
    """Fill in the values of the designs that may still be the best and have no law; how many were simulated."""
    scenario, pairs = Scenario(rate, asked.rate(rate)), found.pairs
    values, mcse, tried = found.values, found.mcse, 0
    unknown = np.flatnonzero(np.isnan(values))
    best = Measured(float(np.min(values, initial=math.inf, where=~np.isnan(values))))
    plans: dict[int, Plan] = {}
    order = unknown[np.lexsort((found.guess[unknown], ~_usual(pairs, asked)[unknown]))]
    for i in order.tolist():
        if len(plans) >= MOST_SIMULATED or tried >= MOST_EVALUATED:
            break
        if found.least[i] > best.value + ERRORS * best.mcse:
            continue
        tried += 1
        plan = replace(found.plan, design=pairs.design(i))
        one = known(measure, plan, scenario)
        if one is None:
            plans[i] = plan
            one = simulated(measure, plan, scenario, min(asked.trials, FEW), asked.seed, asked.deadline)
        values[i], mcse[i] = one.value, one.mcse
        best = min(best, one, key=lambda mean: mean.value)
    for rank, i in enumerate(sorted(plans, key=lambda at: float(values[at]))):
        if rank < FINALISTS and values[i] - best.value <= ERRORS * math.hypot(mcse[i], best.mcse):
            one = simulated(measure, plans[i], scenario, asked.trials, asked.seed, asked.deadline)
            values[i], mcse[i] = one.value, one.mcse
        else:
            values[i] = mcse[i] = math.nan  # a few trials tell enough of it
    return len(plans)


def _usual(pairs: Pairs, asked: CalendarQuestion) -> Bools:
    """Which have the sizes of designs that are always tried."""
    two = two_stage(asked.requirements, n_limit=asked.n_limit)
    one = single_stage(asked.requirements, n_limit=asked.n_limit)
    return pairs.sized((two.minimax, two.optimal, one.first, one.sustained))


def _first(found: Listed) -> int:
    """The best design, by the tie rule of `simtrial.search.calendar`."""
    pairs = found.pairs
    keys = (-pairs.r, pairs.n1, pairs.en[0].round(TIE), pairs.n, found.values.round(TIE))
    return int(np.lexsort(keys)[0])  # NaN sorts last


def has_law(criterion: CalendarCriterion, asked: CalendarQuestion) -> bool:
    """Whether designs of one stage and of two have exact values, so that none needs to be simulated."""
    try:
        plan = asked.plan_of(TwoStage(0, 1, 1, 2)).by_responses
        sizes = np.array([0, 1]), np.array([2, 2])
        found = exactly(criterion.measure, plan, asked.rate(criterion.rate), sizes, asked.deadline)
    except InputError:  # without a date nothing is in time, and some plans take no such design
        return False
    return not np.isnan([found.onward[0], found.onward[1], found.stopped[1]]).any()


def choose(criterion: CalendarCriterion, asked: CalendarQuestion) -> CalendarChoice:
    """Take the design that is best by a criterion of the calendar.

    Parameters
    ----------
    criterion : CalendarCriterion
        What is to be small.
    asked : CalendarQuestion
        The limits, and how a design is run.

    Returns
    -------
    CalendarChoice
        The design with its certificate.

    Raises
    ------
    InputError
        If the search is refused, the plan takes no design, or a date is needed and not given.
    """
    measure, rate, n_max = criterion.measure, criterion.rate, asked.n_cap
    while True:
        found = listed(measure, rate, asked, n_max)
        count = _simulate(found, measure, rate, asked)
        at = _first(found)
        value = Measured(float(found.values[at]), float(found.mcse[at]))
        bound = _beyond(criterion, asked, found.plan, n_max + 1)
        closed = bound >= value.value - 10.0**-TIE
        # else the bound may never reach the value
        rising = measure != "late" and found.plan.close_month is None and found.plan.interim.waits
        if closed or not rising:
            break
        n_max = math.ceil(1.3 * n_max) + 8
    n_upper = _last(criterion, asked, found, at, n_max) if closed else n_max
    how: How = "heuristic" if value.mcse or count else "proved" if closed else "capped"
    if not found.plan.interim.waits:
        how = "heuristic"
    least = float(min(found.least.min(), bound))
    proof = Certificate(
        how=how,
        n_lower=two_stage(asked.requirements, n_limit=asked.n_limit).certificate.n_lower,
        n_upper=n_upper,
        value=value.value,
        bound=min(value.value, least) if how != "capped" else value.value,
        cap=None if closed else n_max,
    )
    near = np.abs(found.values - value.value) <= ERRORS * np.hypot(found.mcse, value.mcse)
    rivals = int(np.count_nonzero(near & (found.mcse > 0))) - bool(value.mcse)
    return CalendarChoice(
        criterion=criterion, design=found.pairs.design(at), value=value, simulated=count, rivals=rivals, proof=proof
    )


def _beyond(criterion: CalendarCriterion, asked: CalendarQuestion, plan: Plan, n: int) -> float:
    """No design of n patients or more has a smaller value than this."""
    p = asked.rate(criterion.rate)
    n1 = np.arange(n + 1)  # 0 is the single stage; n itself stands for every larger n1, which is at least its a
    most = largest_r1(asked.requirements, n)
    pet = np.where(most >= 0, stages.pet(plan, p, most, np.where(most >= 0, n1, 0)), 0.0)
    sizes = n1, np.full(n + 1, n)
    split = at_least(criterion.measure, plan, p, sizes, asked.deadline)
    if criterion.measure == "duration_months":
        last = slice(0, n)
        split.stopped[last], split.onward[last] = _sharper(split, plan, p, (sizes[0][last], sizes[1][last]))
    values = split.mean(pet)
    values[n] = min(values[n], split.stopped[n])
    return float(values.min())


def _sharper(split: StageMeans, plan: Plan, p: float, sizes: tuple[Ints, Ints]) -> tuple[Floats, Floats]:
    """The exact months where they have a law, in place of bounds on them."""
    size = len(sizes[0])
    found = stages.months(plan, p, *sizes).or_else(type(split)(split.stopped[:size], split.onward[:size]))
    return found.stopped, found.onward


def _last(criterion: CalendarCriterion, asked: CalendarQuestion, found: Listed, at: int, n_max: int) -> int:
    """The last n, from that of the best design on, whose bound does not exceed its value: by bisection."""
    low, high = int(found.pairs.n[at]), n_max + 1
    while high - low > 1:
        middle = (low + high) // 2
        if _beyond(criterion, asked, found.plan, middle) >= found.values[at] - 10.0**-TIE:
            high = middle
        else:
            low = middle
    return high - 1
