"""The rule of the lesson `what_a_prior_does`: BOP2 for futility under any prior, its other parameters fixed.

With everything but the prior fixed, the rule is a list of bounds, one per look, and its type I error and power are
exact. Two ways lead back below alpha, another threshold and more patients:

* P(reject H0) at every rate falls as lambda rises, and it changes only where lambda passes a value of
  P(p > p0 | x of n) (N / n)^gamma. Between two such values all lambda give the same bounds, and the least of these
  intervals that keeps alpha is found by bisection.
* With more patients the prior counts for less. The type I error does not fall steadily, so every N is tried.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.conduct import runs
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.lessons import blackboard
from simtrial.search.bayesian.bop2_rule import bop2
from simtrial.search.bayesian.posterior import BetaPrior, usual_prior

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.numbers import Bools, Floats

ASKED = blackboard.asked((0.2, 0.4))
"""The question of the lesson."""

LOOKS = (10, 20, 30, 40)
LAM, GAMMA = 0.93, 0.6
"""The parameters of the published grid that have the most power at these looks under alpha."""

QUARTERS = 4
MOST_N = 240
"""The largest number of patients that is tried, with a look after each quarter of them."""


class RuleBounds(NamedTuple):
    """What the rule is under one prior.

    Attributes
    ----------
    looks_at, r : tuple of int
        Patients at each look, and the largest number of responses that stops the trial; -1 where none does.
    design : Design or None
        None if H0 is rejected whatever is seen.
    """

    looks_at: tuple[int, ...]
    r: tuple[int, ...]
    design: Design | None

    @property
    def text(self) -> str:
        """The bounds as designs are written, a dash where there is none."""
        return ", ".join(f"{r if r >= 0 else '–'}/{n}" for n, r in zip(self.looks_at, self.r, strict=True))

    def at(self, p: float) -> tuple[float, float]:
        """P(reject H0) and EN at a true rate."""
        if self.design is None:
            return 1.0, float(self.looks_at[-1])
        found = operating_characteristics(self.design, p)
        return float(found.reject), float(found.en)


@lru_cache(maxsize=4096)
def ruled(prior: BetaPrior, p0: float, lam: float = LAM, looks_at: tuple[int, ...] = LOOKS) -> RuleBounds:
    """The bounds of the rule under a prior."""
    try:
        design = bop2(looks_at, p0, lam, GAMMA, prior=prior)
    except InputError:
        if float(prior.beyond(p0, looks_at[-1], 0)) < lam:
            raise
        # not even no response makes H0 plausible enough
        return RuleBounds(looks_at, (-1,) * len(looks_at), None)
    return RuleBounds(looks_at, tuple(-1 if look.r is None else look.r for look in design.looks), design)


class NamedPrior(NamedTuple):
    """A prior with the name of those who hold it."""

    name: str
    prior: BetaPrior


def three(p0: float, p1: float, size: float) -> tuple[NamedPrior, NamedPrior, NamedPrior]:
    """A sceptical prior at p0, the published one that weighs as much as one patient, and a hopeful one at p1."""
    return (
        NamedPrior("sceptical", BetaPrior.of(mean=p0, size=size)),
        NamedPrior("neutral", usual_prior(p0)),
        NamedPrior("hopeful", BetaPrior.of(mean=p1, size=size)),
    )


def hopeful(size: float) -> BetaPrior:
    """The hopeful prior of the lesson."""
    return three(ASKED.p0, ASKED.p1, size)[-1].prior


class BackUnderAlpha(NamedTuple):
    """The thresholds above `above` keep alpha; one of the least with few decimals, and the bounds that it gives."""

    above: float
    lam: float
    rule: RuleBounds


@lru_cache(maxsize=256)
def by_threshold(prior: BetaPrior, p0: float, alpha: float) -> BackUnderAlpha:
    """The least interval of lambda with which the rule keeps alpha under a prior."""
    ends = steps(prior, p0)
    low, high = 0, len(ends) - 2
    while low < high:
        middle = (low + high) // 2
        within = ruled(prior, p0, _written(ends[middle], ends[middle + 1])).at(p0)[0] <= alpha
        low, high = (low, middle) if within else (middle + 1, high)
    lam = _written(ends[low], ends[low + 1])
    return BackUnderAlpha(ends[low], lam, ruled(prior, p0, lam))


def steps(prior: BetaPrior, p0: float) -> list[float]:
    """Where the bounds change as lambda rises, and the largest lambda."""
    last = LOOKS[-1]
    found = np.concatenate([prior.beyond(p0, n, np.arange(n + 1)) * (last / n) ** GAMMA for n in LOOKS])
    bound = TABLE["lam"]
    return [*sorted({round(float(one), 12) for one in found if bound.least < one < bound.most}), bound.most]


def _written(low: float, high: float) -> float:
    """The number with fewest decimals between two others."""
    for digits in range(2, 13):
        found = (math.floor(low * 10.0**digits) + 1) / 10.0**digits
        if low < found < high:
            return found
    return (low + high) / 2


def by_patients(prior: BetaPrior, p0: float, alpha: float, lam: float) -> int | None:
    """The least N, up to `MOST_N`, with which the rule keeps alpha under a prior; None if there is none."""
    return next((n for n in sizes() if ruled(prior, p0, lam, quarters(n)).at(p0)[0] <= alpha), None)


def sizes() -> range:
    """The numbers of patients that are tried."""
    return range(LOOKS[-1], MOST_N + 1, QUARTERS)


def quarters(n: int) -> tuple[int, ...]:
    """Looks after each quarter of n patients."""
    return tuple(n * k // QUARTERS for k in range(1, QUARTERS + 1))


@lru_cache(maxsize=16)
def drawn(p: float, trials: int, seed: int) -> Bools:
    """Who of the patients of each trial responds; more trials begin with the same ones."""
    responds: Bools = np.random.default_rng(runs.stream(seed, 0, 0)).random((trials, LOOKS[-1])) < p
    return responds


def verdicts_of(prior: BetaPrior, responses: Bools) -> tuple[Bools, Floats]:
    """Whether each trial rejects H0, and with how many patients it ends: by the posterior at every look."""
    running = np.ones(len(responses), dtype=np.bool_)
    patients = np.full(len(responses), float(LOOKS[-1]))
    for n in LOOKS:
        beyond = prior.beyond(ASKED.p0, n, responses[:, :n].sum(axis=1))
        futile = running & (beyond < LAM * (n / LOOKS[-1]) ** GAMMA)
        patients[futile] = n
        running &= ~futile
    return running, patients
