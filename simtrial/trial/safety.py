"""A trial with a rule for toxicity: exact endings of the two rules together, and sentences on them.

On paper both rules see the same patients, every one of them being evaluable. Response and toxicity are independent, or
associated as the file says; whatever they are, type I error and power lie between those of the two strongest
associations, as long as no interim analysis stops for efficacy: adding concordance to a patient moves the probability
of rejecting H0 without crossing the boundary in one direction only, since both rules are monotone in their counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import simulation
from simtrial.design.binomial import binomial_pmf
from simtrial.errors import InputError
from simtrial.phrases import attained, percent, percent_beside, stated
from simtrial.plan.plan import Scenario
from simtrial.toxicity import text
from simtrial.toxicity.association import cells
from simtrial.toxicity.boundary import crossing
from simtrial.toxicity.joint import endings, extremes_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.conduct.simulation import Result
    from simtrial.design.designs import Design
    from simtrial.plan.plan import Plan
    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.joint import JointEndings
    from simtrial.toxicity.rule import ToxicityRule
    from simtrial.trial.case import Case

MOST_TRIALS = 20_000
"""Most trials by which months with and without the rule are compared."""

ENDS = (0.0, math.inf)
"""Odds ratios of the strongest associations, negative and positive."""


@dataclass(frozen=True)
class Safety:
    """A case whose file has a rule for toxicity.

    Attributes
    ----------
    case : Case
        The trial and its design.
    rule : ToxicityRule
        The rule beside it.
    """

    case: Case
    rule: ToxicityRule

    @property
    def design(self) -> Design:
        """The response design."""
        return self.case.chosen

    @property
    def odds_ratio(self) -> float:
        """Odds ratio of response and toxicity in the file; 1 where it does not say."""
        given = self.case.trial.conduct
        toxicity = None if given is None else given.patients.toxicity
        return 1.0 if toxicity is None else toxicity.odds_ratio

    @property
    def rate(self) -> float:
        """The rate of toxicity at which the trial is run: that of the file, or the acceptable one."""
        plan = self.case.plan
        return self.rule.acceptable if plan is None or plan.toxicity is None else plan.toxicity.rate

    @property
    def odds_ratios(self) -> tuple[float, ...]:
        """That of the file between the two strongest associations."""
        return tuple(sorted({*ENDS, self.odds_ratio}))

    @property
    def monotone(self) -> bool:
        """Whether the two strongest associations are proved to hold the worst case."""
        return extremes_known(self.design)

    def at(self, p: float, toxicity: float, odds_ratio: float | None = None) -> JointEndings:
        """The exact endings on paper at true rates of response and of toxicity."""
        ratio = self.odds_ratio if odds_ratio is None else odds_ratio
        return endings(self.design, self.rule.boundary, p=p, toxicity=toxicity, odds_ratio=ratio)

    def alone(self, p: float) -> JointEndings:
        """The exact endings on paper without the rule."""
        return endings(self.design, None, p=p, toxicity=self.rule.acceptable)

    @cached_property
    def power(self) -> float:
        """Power with the rule, at the acceptable rate of toxicity."""
        return self.at(self.case.requirements.p1, self.rule.acceptable).reject

    @cached_property
    def type_i_error(self) -> float:
        """Type I error with the rule, at the acceptable rate of toxicity."""
        return self.at(self.case.requirements.p0, self.rule.acceptable).reject

    @property
    def power_to_ask(self) -> float:
        """A power of the response design that keeps the limit with the rule, if the two endpoints are independent.

        H0 is rejected with the rule if the response design rejects it and the boundary is never crossed; if these are
        independent, the probability is at least their product.
        """
        crossed = self.rule.limit
        if crossed is None:
            crossed = float(crossing(self.rule.boundary, [self.rule.acceptable]).ever[0])
        return self.case.requirements.power / (1 - crossed)

    @cached_property
    def effect(self) -> str:
        """What the rule does to type I error and power, and how often it stops the trial: sentences with exact values.

        They are those of a protocol, so they name rates and the association that they hold for.
        """
        asked, rule = self.case.requirements, self.rule
        error, power = self.type_i_error, self.power
        said = (
            "A trial that is stopped for toxicity does not reject H0, and a rejection waits until the windows of all "
            "patients whom it counts are over. With this rule, at the acceptable rate of toxicity of "
            f"{stated(rule.acceptable)}, the exact type I error is {attained(error, asked.alpha, least=False)} and "
            f"the exact power is {attained(power, asked.power, least=True)}, {self.associated}."
        )
        lowest = self.at(asked.p1, rule.acceptable, math.inf).reject
        highest = self.at(asked.p0, rule.acceptable, 0.0).reject
        worst = f"the type I error is {percent(highest)} and the power is {percent(lowest)}"
        if self.monotone:
            said += (
                " At this rate, whatever the association of response and toxicity, the type I error is at most "
                f"{percent(highest)} and the power at least {percent(lowest)}."
            )
        else:
            said += f" At the strongest associations (negative and positive, respectively), {worst}."
        stops = [percent(self.stopped(asked.p1, rate)) for rate in (rule.acceptable, rule.unacceptable)]
        return (
            f"{said} If the true ORR is {stated(asked.p1)}, the trial is stopped for toxicity with probability "
            f"{stops[0]} at the acceptable rate of toxicity and {stops[1]} at the unacceptable rate of "
            f"{stated(rule.unacceptable)}."
        )

    @property
    def associated(self) -> str:
        """The association that exact values hold for, as a clause."""
        if self.odds_ratio == 1:
            return "if response and toxicity are independent"
        return f"if response and toxicity have an odds ratio of {self.odds_ratio:g}"

    def stopped(self, p: float, toxicity: float) -> float:
        """Probability of a stop for toxicity at true rates."""
        return self.at(p, toxicity).shares["toxicity"]

    def ending_at_looks(self, p: float) -> list[float]:
        """Probability of ending at each look at the responses, at the acceptable rate of toxicity: not of stopping
        for toxicity.
        """
        at = self.at(p, self.rule.acceptable)
        early = at.futility + at.efficacy
        stops = [float(early[at.n == look.n].sum()) for look in self.design.looks[:-1]]
        return [*stops, at.success + at.failure]

    @property
    def included(self) -> str:
        """That exact values include the rule, and what they hold for: a clause."""
        rate = stated(self.rule.acceptable)
        return f"with the rule for toxicity, at the acceptable rate of toxicity of {rate}, {self.associated}"

    def exceeding(self, p: float, toxicity: float, limit: float) -> float:
        """Probability on paper that more than a share `limit` of the patients has had a toxicity when the trial ends.

        Trials that either rule stops early are included, with the patients enrolled by then. Every toxicity is known
        before the next patient is enrolled; where that takes time, patients enrolled meanwhile change the share.
        """
        law, n = cells(p, toxicity, self.odds_ratio), self.case.n
        response = {look.n: look for look in self.design.looks}
        bounds = {look.n: look.b for look in self.rule.boundary.looks if look.b is not None and look.n <= n}
        state, found = np.ones((1, 1)), 0.0
        for now in range(1, n + 1):
            # responses by rows, toxicities by columns
            state = (
                law.neither * np.pad(state, ((0, 1), (0, 1)))
                + law.first * np.pad(state, ((1, 0), (0, 1)))
                + law.second * np.pad(state, ((0, 1), (1, 0)))
                + law.both * np.pad(state, ((1, 0), (1, 0)))
            )
            ends = np.zeros(state.shape, dtype=bool)
            if now in bounds:
                ends[:, bounds[now] :] = True
            if now in response:
                ends |= ~response[now].regions(np.arange(now + 1), final=now == n).go_on[:, np.newaxis]
            # a product that should be a whole number must not fall below it by its last bit
            over = np.arange(now + 1) > limit * now * (1 + 1e-12)
            found += float(state[ends & over].sum())
            state = np.where(ends, 0.0, state)
        return found

    @property
    def assumed(self) -> str:
        """The two rates, the one at which the trial is run where it is another, and the association: a clause."""
        rule = self.rule
        rates = f"{stated(rule.acceptable)} is acceptable and {stated(rule.unacceptable)} is not"
        run = "" if self.rate == rule.acceptable else f"; the trial is run at {stated(self.rate)}"
        associated = self.associated.removeprefix("if ")
        return f"{rates}, within {text.weeks(rule)} of enrollment{run}; {associated}"

    @cached_property
    def shortfall(self) -> str:
        """That the power with the rule falls short of its limit, with a remedy; empty where it does not."""
        asked = self.case.requirements
        if self.power >= asked.power:
            return ""
        said = (
            f"With the rule for toxicity the power is {percent_beside(self.power, asked.power)} instead of the "
            f"required {stated(asked.power)} at the acceptable rate of toxicity of {stated(self.rule.acceptable)}, "
            f"{self.associated}."
        )
        if self.rate != self.rule.acceptable:
            run = percent(self.at(asked.p1, self.rate).reject)
            said += f" At the rate of {stated(self.rate)} at which the trial is run it is {run} on paper."
        if self.power_to_ask < 1 and self.odds_ratio == 1:
            said += (
                f" A response design with a power of {percent(self.power_to_ask)} on paper keeps "
                f"{stated(asked.power)} with the rule."
            )
        return (
            f"{said} Take a design with more power or a rule that is crossed less often, or state the power with the "
            "rule in the protocol."
        )


@dataclass(frozen=True, slots=True)
class Promised:
    """One figure without the rule, and with it at the acceptable and at the unacceptable rate of toxicity."""

    name: str
    limit: str
    written: tuple[str, ...]
    numbers: tuple[float, ...]


def promised(found: Safety) -> Iterator[Promised]:
    """What the trial promises on paper without the rule and with it: errors, stops for toxicity, and patients."""
    asked, rule = found.case.requirements, found.rule
    at = {
        name: (found.alone(p), found.at(p, rule.acceptable), found.at(p, rule.unacceptable))
        for name, p in (("p0", asked.p0), ("p1", asked.p1))
    }
    for name, p, limit, least in (("Type I error", "p0", asked.alpha, False), ("Power", "p1", asked.power, True)):
        values = tuple(one.reject for one in at[p])
        said = tuple(attained(value, limit, least=least) for value in values)
        yield Promised(name, f"at {'least' if least else 'most'} {stated(limit)}", said, values)
    for p, every in at.items():
        values = tuple(one.shares["toxicity"] for one in every)
        yield Promised(f"P(stop for toxicity) at {p}", "", ("–", *map(percent, values[1:])), values)
    for p, every in at.items():
        values = tuple(one.en for one in every)
        yield Promised(f"EN({p}), expected sample size", "", tuple(f"{value:.1f}" for value in values), values)


def of(case: Case) -> Safety | None:
    """The two rules of a trial together; None if its file has no rule for toxicity."""
    rule = case.toxicity_rule
    return None if rule is None else Safety(case, rule)


def needed(case: Case) -> Safety:
    """The two rules of a trial together.

    Raises
    ------
    InputError
        If its file has no rule for toxicity.
    """
    found = of(case)
    if found is None:
        raise InputError("is missing; without it no rule stops the trial for toxicity", "design.toxicity")
    return found


def seen_at_stop(boundary: ToxicityBoundary, rate: float) -> float:
    """The mean share of patients with a toxicity among those counted when the boundary is crossed, given that it is.

    Exact, by the recursion over the looks; NaN if the boundary cannot be crossed.
    """
    reached, before, crossed, seen = np.ones(1), 0, 0.0, 0.0
    for look in boundary.looks:
        reached, before = np.convolve(reached, binomial_pmf(look.n - before, rate)), look.n
        if look.b is not None:
            here = reached[look.b :]
            crossed += float(here.sum())
            seen += float(here @ np.arange(look.b, look.n + 1)[: len(here)]) / look.n
            reached = reached[: look.b]
    return seen / crossed if crossed else math.nan


def paragraph(case: Case) -> str:
    """The rule for the protocol, with what it does to type I error and power; empty if the file has none."""
    found = of(case)
    return "" if found is None else " ".join((*text.sentences(found.rule), found.effect))


def months(found: Safety) -> Iterator[tuple[str, float | None, Result]]:
    """The trial as it is run, without the rule and with it: hypothesis, rate of toxicity with the rule, outcomes.

    Without the rule nothing depends on toxicity, so there is one result per hypothesis, which has no rate.

    Raises
    ------
    InputError
        If the file does not say how the trial is run.
    """
    case = found.case
    plan, size, truths = case.run(case.chosen), case.size, case.trial.truths
    assert plan.toxicity is not None  # a plan with a rule has a rate
    plans: dict[float | None, Plan] = {None: plan.by_responses}
    for rate in (found.rule.acceptable, found.rule.unacceptable):
        plans[rate] = replace(plan, toxicity=replace(plan.toxicity, rate=rate))
    scenarios, trials = (Scenario("p0", truths.p0), Scenario("p1", truths.p1)), min(size.trials, MOST_TRIALS)
    done = {rate: simulation.of_primary(one, scenarios, trials, size.seed) for rate, one in plans.items()}
    for scenario in scenarios:
        for which, one in done.items():
            yield scenario.label, which, one[scenario.label]
