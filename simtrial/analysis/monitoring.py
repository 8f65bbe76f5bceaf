"""During the trial: what the responses so far mean for its end.

With x responses among the m patients seen so far:

* conditional power: P(reject H0 | x of m), each patient to come responding with probability p [1]_;
* predictive probability of success: its mean over the posterior of p, Beta(a + x, b + m - x) [2]_. The responses to
  come are beta-binomial from look to look, so this is a sum too, without integration.

Beside a rule that stops the trial for toxicity H0 is rejected at a look only if the boundary is not crossed by the
patients counted there. Where response and toxicity are independent, each way of rejecting H0 is weighed by the
probability of that: `beside_rule`.

References
----------
.. [1] Lan KKG, Simon R, Halperin M. Stochastically curtailed tests in long-term clinical trials. Commun Stat C
   1982;1:207-219.
.. [2] Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. Clin Trials 2008;5:93-106.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.analysis.distance import uncrossed
from simtrial.design.binomial import log_choose
from simtrial.design.designs import looks_text
from simtrial.design.walk import responding, walk
from simtrial.errors import InputError
from simtrial.numbers import count, probability
from simtrial.plan.disease import Beta

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.design.designs import Design, Look
    from simtrial.design.walk import Step
    from simtrial.numbers import Floats
    from simtrial.toxicity.boundary import ToxicityBoundary

JEFFREYS = Beta(0.5, 0.5)
"""The prior where none is given: it has the weight of one patient."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What a look ahead needs.

    Attributes
    ----------
    look : int
        From 1.
    remaining : int
        Patients still to be seen before it.
    responses : int or None
        Fewest responses among them to go on, or to reject H0 at the last look; None where nothing can stop the trial.
        More than `remaining` if it is out of reach, 0 if it is certain.
    """

    look: int
    remaining: int
    responses: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimResult:
    """What the data so far say.

    Attributes
    ----------
    patients, responses : int
        Seen so far.
    needed : tuple of Needed
        For each look ahead.
    conditional_power : tuple of (float, float)
        Response rates, and P(reject H0 | data so far; rate).
    predictive : float
        Predictive probability that H0 will be rejected.
    prior : Beta
        Of the response rate.
    """

    patients: int
    responses: int
    needed: tuple[Needed, ...]
    conditional_power: tuple[tuple[float, float], ...]
    predictive: float
    prior: Beta


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerBesideRule:
    """What the data so far say of H0 beside a rule for toxicity; response and toxicity are independent.

    Attributes
    ----------
    toxicity_rate : float
        Rate of toxicity of the patients to come.
    conditional_power : tuple of (float, float)
        Response rates, and P(reject H0 | data so far, boundary not crossed so far).
    predictive : float
        Its mean over the posterior of the response rate.
    """

    toxicity_rate: float
    conditional_power: tuple[tuple[float, float], ...]
    predictive: float


def _always(n: int) -> float:  # noqa: ARG001 - as any weight of a look
    return 1.0


def _chance(design: Design, m: int, x: int, step: Step[np.float64], free: Callable[[int], float] = _always) -> float:
    """P(reject H0 | x of m), each stretch of further patients taken by `step`, a look at n weighed by `free`."""
    chances = np.zeros(m + 1)
    chances[x] = 1.0
    ahead = [look for look in design.looks if look.n >= m]
    last = design.looks[-1]
    if free is _always and not any(look.regions(np.array(x), final=look is last).accept for look in ahead):
        return 1.0  # no further response is needed: the sum over all courses gives this to the last digits only
    steps = walk(ahead, chances, step, m)
    reject = sum(float(reached[here.reject].sum()) * free(look.n) for look, here, reached in steps)
    return min(reject, 1.0)


def conditional_power(design: Design, patients: int, responses: int, p: float) -> float:
    """P(reject H0 | data so far; p).

    Parameters
    ----------
    design : Design
        As planned. A look at the number of patients seen is taken with them; earlier looks have been passed.
    patients, responses : int
        Seen so far.
    p : float
        Response rate of the patients to come, in [0, 1].

    Raises
    ------
    InputError
        If the trial cannot have come so far with these responses.
    """
    m, x = _checked(design, patients, responses)
    return _chance(design, m, x, responding(probability(p, "p", closed=True)))


def predictive_probability(design: Design, patients: int, responses: int, prior: Beta = JEFFREYS) -> float:
    """P(reject H0 | data so far), the response rate averaged over its posterior; see `conditional_power`."""
    m, x = _checked(design, patients, responses)
    return _chance(design, m, x, _averaging(prior))


def _averaging(prior: Beta) -> Step[np.float64]:
    """The step of probabilities averaged over the posterior of the response rate."""
    from scipy import special

    def step(chances: Floats, n: int, later: int) -> Floats:
        # given s of n, whatever came before, the posterior is Beta(a + s, b + n - s)
        added = np.arange(later - n + 1)
        total = np.zeros(later + 1)
        for s in np.flatnonzero(chances):
            a, b = prior.a + s, prior.b + n - s
            log = log_choose(later - n, added) + special.betaln(a + added, b + later - n - added) - special.betaln(a, b)
            total[s : s + added.size] += chances[s] * np.exp(log)
        return total

    return step


def beside_rule(
    design: Design, seen: InterimResult, boundary: ToxicityBoundary, toxicities: int, rate: float
) -> PowerBesideRule:
    """Conditional power and predictive probability where crossing the boundary ends the trial without a claim.

    Parameters
    ----------
    design : Design
        As planned.
    seen : InterimResult
        What `monitor` says without the rule.
    boundary : ToxicityBoundary
        The rule, not crossed so far.
    toxicities : int
        Among the patients so far.
    rate : float
        Rate of toxicity of the patients to come, in [0, 1], whatever their responses.

    Raises
    ------
    InputError
        If the boundary has been crossed with certainty, or a number cannot be one of its kind.
    """
    m, x = seen.patients, seen.responses

    def free(n: int) -> float:
        return uncrossed(boundary, m, toxicities, rate, n)

    rates = [p for p, _ in seen.conditional_power]
    return PowerBesideRule(
        toxicity_rate=rate,
        conditional_power=tuple((p, _chance(design, m, x, responding(p), free)) for p in rates),
        predictive=_chance(design, m, x, _averaging(seen.prior), free),
    )


def monitor(
    design: Design, patients: int, responses: int, rates: tuple[float, ...], prior: Beta = JEFFREYS
) -> InterimResult:
    """Say what the data so far mean: responses needed, conditional power at some rates, predictive probability.

    Parameters
    ----------
    design : Design
        As planned.
    patients, responses : int
        Seen so far.
    rates : tuple of float
        Response rates of the patients to come.
    prior : Beta
        Of the response rate.

    Raises
    ------
    InputError
        If the trial cannot have come so far with these responses.
    """
    m, x = _checked(design, patients, responses)
    last = len(design.looks)
    ahead = [(k, look) for k, look in enumerate(design.looks, start=1) if look.n >= m]
    needed = tuple(Needed(k, look.n - m, _fewest(look, x, final=k == last)) for k, look in ahead)
    powers = tuple((p, conditional_power(design, m, x, p)) for p in rates)
    return InterimResult(
        patients=m,
        responses=x,
        needed=needed,
        conditional_power=powers,
        predictive=predictive_probability(design, m, x, prior),
        prior=prior,
    )


def _fewest(look: Look, x: int, *, final: bool) -> int | None:
    """Fewest further responses that do not stop the trial for futility at a look."""
    enough = np.flatnonzero(~look.regions(np.arange(look.n + 1), final=final).accept)
    if look.r is None:
        return None
    return max(int(enough[0]) - x, 0) if enough.size else look.n + 1 - x


def _checked(design: Design, patients: int, responses: int) -> tuple[int, int]:
    m, x = count(patients, "patients"), count(responses, "responses")
    n = design.looks[-1].n
    if m > n:
        raise InputError(f"({m}) is above {n}, the patients of {looks_text(design, ', ')}", "patients")
    if x > m:
        raise InputError(f"({x}) is above {m}, the number of patients seen", "responses")
    for k, look in enumerate(design.looks, start=1):
        # at an earlier look there were at most x responses, and at least x less those that have come since
        if look.n < m:
            counts = np.arange(max(0, x - (m - look.n)), min(x, look.n) + 1)
            if not look.regions(counts, final=False).go_on.any():
                raise InputError(f"({x} of {m}) is impossible: the trial would have ended at look {k}", "responses")
    return m, x
