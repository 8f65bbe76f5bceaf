"""Survival times that meet the landmarks they are given by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.errors import InputError
from simtrial.inputs import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.numbers import Floats
    from simtrial.plan.assessments import Assessments


@dataclass(frozen=True, slots=True)
class Survival:
    """A median, the response rate of the patients it was seen in, and how much better responders do.

    Parameters
    ----------
    median : float
        Months, of all patients together.
    hazard_ratio : float
        Hazard of responders over that of the others, at most 1: for PFS once their response is known, for OS after
        progression.
    at_orr : float
        Response rate among those patients.
    """

    median: float
    hazard_ratio: float
    at_orr: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "median", TABLE["months"].check(self.median, "median_months"))
        object.__setattr__(self, "hazard_ratio", TABLE["hazard_ratio"].check(self.hazard_ratio, "hazard_ratio"))
        object.__setattr__(self, "at_orr", TABLE["true_rate"].check(self.at_orr, "at_orr"))


@dataclass(frozen=True, slots=True)
class Hazards:
    """Hazards a month of progression: `before` and `after` the first assessment, and of `responders` once known."""

    before: float
    after: float
    responders: float

    def survival(self, months: Floats, p: float, assessments: Assessments) -> Floats:
        """P(free of progression at each month) of all patients when the response rate is p."""
        t = np.asarray(months, dtype=np.float64)
        known, share = assessments.responses()
        late = np.maximum(t[..., np.newaxis] - known, 0.0)
        responding = (share * np.exp(-self.responders * late)).sum(axis=-1)
        early = np.minimum(t, assessments.interval)
        others = np.exp(-self.before * early - self.after * (t - early))
        total: Floats = p * responding + (1 - p) * others
        return total


@dataclass(frozen=True, slots=True)
class Deaths:
    """Hazards a month of death after progression: of `responders` and of the `others`."""

    responders: float
    others: float

    def survival(self, months: Floats, p: float, assessments: Assessments, progression: Hazards) -> Floats:
        """P(alive at each month) of all patients when the response rate is p: free of progression, or after it."""
        t = np.asarray(months, dtype=np.float64)
        known, share = assessments.responses()
        late = np.maximum(t[..., np.newaxis] - known, 0.0)
        responding = (share * between(progression.responders, self.responders, late)).sum(axis=-1)
        early = np.minimum(t, assessments.interval)
        rest = t - early
        first = between(progression.before, self.others, early) * np.exp(-self.others * rest)
        free = np.exp(-progression.before * early)
        total: Floats = p * responding + (1 - p) * (first + free * between(progression.after, self.others, rest))
        return total + progression.survival(t, p, assessments)


def between(event: float, death: float, months: Floats) -> Floats:
    """P(progressed and still alive) after months at two constant hazards: the convolution of their exponentials."""
    slow, gap = min(event, death), abs(event - death)
    ratio = months if gap * float(np.max(months, initial=0.0)) < 1e-12 else -np.expm1(-gap * months) / gap
    alive: Floats = event * np.exp(-slow * months) * ratio
    return alive


def root(surplus: Callable[[float], float], median: float, field: str) -> float:
    """Find the hazard at which half of the patients are left at the median, on the scale of its logarithm."""
    from scipy import optimize

    low, high = math.log(1e-9 / median), math.log(1e4 / median)
    if surplus(math.exp(high)) >= 0:
        raise InputError(
            f"({median:g}) is impossible: at any hazard at least half of these patients are still free of the event "
            "then, because their response is known only later or their hazard ratio is close to 0",
            f"{field}.median_months",
        )
    return math.exp(optimize.brentq(lambda log: surplus(math.exp(log)), low, high, xtol=1e-14, rtol=1e-14))
