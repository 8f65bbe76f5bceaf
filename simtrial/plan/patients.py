"""What happens to one patient: response and when it is known, progression and death, dropout, toxicity. Months.

A patient responds with probability p. A response is first seen at a scheduled assessment, k intervals after enrollment,
and known when confirmed. A patient who responds does not progress before that. All others progress at hazard h1 up to
the first assessment and h2 after it: who progresses before the first assessment has progressive disease (PD) as best
response, the others stable disease (SD), so P(SD | no response) = exp(-h1 interval). Responders' hazard, once their
response is known, is h2 times a hazard ratio. Death follows progression at a constant hazard, that of responders again
times a hazard ratio: so PFS <= OS always, and both have exact laws. Deaths without progression are not told apart from
progressions at once followed by death.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.requirements import probability
from simtrial.errors import InputError
from simtrial.months import WEEK
from simtrial.plan.enrollment import Floats, positive

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ASSESSMENTS = 100
"""Most assessments of one patient within the window."""


def _share(value: float, field: str) -> float:
    """A probability that may be 0 but not 1."""
    number = probability(value, field, closed=True)
    if number == 1:
        raise InputError(f"({value:g}) must be < 1: nobody would be left", field)
    return number


@dataclass(frozen=True, slots=True)
class Assessments:
    """When tumours are assessed and a response status becomes known, in months after a patient's enrollment.

    Assessments come every `interval` up to the end of the `window`. Responses begin at an exponential time with median
    `median_to_response`, cut off so that every response can still be confirmed within the window: a response is first
    seen at assessment k with probability proportional to F(k interval) - F((k - 1) interval).

    A status is known: of a response, when it is confirmed; of progression, at the assessment that finds it; of a
    patient lost before the first assessment, at that assessment; of everybody else, at the end of the window.

    Parameters
    ----------
    interval, window : float
        Months between assessments, and from enrollment to the end of the assessment window.
    confirmation : float
        Months from the assessment that first sees a response to the scan that confirms it; 0 without confirmation.
    median_to_response : float, optional
        Median months to the beginning of a response; None if all are seen at the first assessment.
    """

    interval: float
    window: float
    confirmation: float = 0.0
    median_to_response: float | None = None

    def __post_init__(self) -> None:
        for name in ("interval", "window"):
            object.__setattr__(self, name, positive(getattr(self, name), name, zero=True))
        object.__setattr__(self, "confirmation", positive(self.confirmation, "confirmation", zero=True))
        if self.median_to_response is not None:
            object.__setattr__(self, "median_to_response", positive(self.median_to_response, "median_to_response"))
        if self.interval == 0 and self.window > 0:
            raise InputError("(0) must be > 0", "interval")
        if self.window < self.interval:
            raise InputError(
                f"({self.window / WEEK:.4g} weeks) must be >= the interval ({self.interval / WEEK:.4g} weeks): it ends "
                "before the first assessment",
                "window",
            )
        if self.window > MAX_ASSESSMENTS * self.interval:
            raise InputError(
                f"({self.window / WEEK:.4g} weeks) must hold at most {MAX_ASSESSMENTS} assessments", "window"
            )
        if self.window < self.interval + self.confirmation:
            raise InputError(
                f"({self.window / WEEK:.4g} weeks) must leave time to confirm a response seen at the first assessment "
                f"(week {(self.interval + self.confirmation) / WEEK:.4g})",
                "window",
            )

    @classmethod
    def fixed(cls, months: float) -> Assessments:
        """Every status known exactly this long after enrollment."""
        delay = positive(months, "readout_months", zero=True)
        return cls(delay, delay)

    @property
    def delay(self) -> float | None:
        """The readout delay, if it is the same for every patient; None if it depends on the patient's course."""
        return self.window if self.window == self.interval and not self.confirmation else None

    def responses(self) -> tuple[Floats, Floats]:
        """Months at which a response may become known, and the probability of each: two arrays of one shape."""
        if self.interval == 0:
            return np.zeros(1), np.ones(1)
        share: Floats
        # the slack lets 24 weeks hold four intervals of 6 although neither is a whole number of months
        most = math.floor((self.window - self.confirmation) / self.interval + 1e-9)
        at = self.interval * np.arange(1, most + 1)
        if self.median_to_response is None:
            share = np.zeros(most)
            share[0] = 1.0
        else:
            rate = math.log(2) / self.median_to_response
            share = -np.diff(np.exp(-rate * np.concatenate([[0.0], at]))) / -math.expm1(-rate * at[-1])
        return np.asarray(at + self.confirmation, dtype=np.float64), share


@dataclass(frozen=True, slots=True)
class Dropout:
    """Loss before the first evaluable assessment: such a patient has no response status.

    Parameters
    ----------
    probability : float
        Of a patient who would not have responded; of every patient if the odds ratio is 1.
    responder_odds_ratio : float
        Odds of loss of a patient who would have responded, over those of one who would not: below 1, non-responders
        are lost more often and the loss is informative.
    """

    probability: float
    responder_odds_ratio: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "probability", _share(self.probability, "probability"))
        odds_ratio = positive(self.responder_odds_ratio, "responder_odds_ratio", zero=True)
        object.__setattr__(self, "responder_odds_ratio", odds_ratio)

    @classmethod
    def from_hazard(cls, hazard: float, months: float, responder_odds_ratio: float = 1.0) -> Dropout:
        """Loss at a constant hazard a month over the months to the first assessment: 1 - exp(-hazard months)."""
        lost = -math.expm1(-positive(hazard, "hazard_per_month", zero=True) * months)
        if lost > 1 - 1e-9:
            raise InputError(f"({hazard:g}) loses everybody before the first assessment", "hazard_per_month")
        return cls(lost, responder_odds_ratio)

    @classmethod
    def overall(cls, loss: float, responder_odds_ratio: float, p: float) -> Dropout:
        """Loss with an odds ratio, of the same overall probability where the response rate is p."""
        from scipy import optimize

        def surplus(d: float) -> float:
            return float(1 - cls(d, responder_odds_ratio).evaluable(p)) - loss

        return cls(optimize.brentq(surplus, 0.0, 1 - 1e-12), responder_odds_ratio)

    @property
    def of_responder(self) -> float:
        """Probability that a patient who would have responded is lost."""
        if self.responder_odds_ratio == 1:
            return self.probability
        odds = self.responder_odds_ratio * self.probability / (1 - self.probability)
        return odds / (1 + odds)

    def seen(self, p: float | Floats) -> Floats:
        """Probability that a patient is evaluable and responds: p (1 - d)."""
        return np.asarray(p * (1 - self.of_responder))

    def evaluable(self, p: float | Floats) -> Floats:
        """Probability that a patient is evaluable."""
        return self.seen(p) + (1 - np.asarray(p)) * (1 - self.probability)

    def lost(self, p: float) -> float:
        """Probability that a patient is lost, rounded to 12 digits so that 1 - 0.9 reads 0.1."""
        return round(1 - float(self.evaluable(p)), 12)

    def among_evaluable(self, p: float | Floats) -> Floats:
        """Response rate among the evaluable: p itself, unless the loss is informative."""
        if self.responder_odds_ratio == 1:
            return np.asarray(p, dtype=np.float64)
        return self.seen(p) / self.evaluable(p)


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
        object.__setattr__(self, "median", positive(self.median, "median_months"))
        object.__setattr__(self, "hazard_ratio", positive(self.hazard_ratio, "hazard_ratio"))
        if self.hazard_ratio > 1:
            raise InputError(f"({self.hazard_ratio:g}) must be <= 1: responders do not do worse", "hazard_ratio")
        object.__setattr__(self, "at_orr", probability(self.at_orr, "at_orr", closed=True))


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
        responding = (share * _between(progression.responders, self.responders, late)).sum(axis=-1)
        early = np.minimum(t, assessments.interval)
        rest = t - early
        first = _between(progression.before, self.others, early) * np.exp(-self.others * rest)
        free = np.exp(-progression.before * early)
        total: Floats = p * responding + (1 - p) * (first + free * _between(progression.after, self.others, rest))
        return total + progression.survival(t, p, assessments)


def _between(event: float, death: float, months: Floats) -> Floats:
    """P(progressed and still alive) after months at two constant hazards: the convolution of their exponentials."""
    slow, gap = min(event, death), abs(event - death)
    ratio = months if gap * float(np.max(months, initial=0.0)) < 1e-12 else -np.expm1(-gap * months) / gap
    alive: Floats = event * np.exp(-slow * months) * ratio
    return alive


@dataclass(frozen=True, slots=True)
class Disease:
    """Best overall response beyond ORR, PFS and OS, all optional. The law stands at the head of this module.

    Parameters
    ----------
    assessments : Assessments
        When status becomes known.
    dcr : float, optional
        Disease control rate (CR + PR + SD) among patients with response rate `dcr_at_orr`. It fixes
        P(SD | no response), which holds at every true response rate.
    dcr_at_orr : float
        See `dcr`.
    pfs, os : Survival, optional
        Progression-free and overall survival; OS needs PFS.
    complete_share : float
        P(CR | response).
    """

    assessments: Assessments
    dcr: float | None = None
    dcr_at_orr: float = 0.0
    pfs: Survival | None = None
    os: Survival | None = None
    complete_share: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "complete_share", probability(self.complete_share, "complete_share", closed=True))
        if self.dcr is not None:
            object.__setattr__(self, "dcr", probability(self.dcr, "dcr"))
            object.__setattr__(self, "dcr_at_orr", probability(self.dcr_at_orr, "dcr.at_orr", closed=True))
            if self.dcr < self.dcr_at_orr:
                raise InputError(f"({self.dcr:g}) must be >= the ORR ({self.dcr_at_orr:g}): it counts SD too", "dcr")
            if self.dcr == self.dcr_at_orr and self.pfs is not None:
                raise InputError(f"({self.dcr:g}) equals the ORR: with no stable disease PFS could not be drawn", "dcr")
        if self.os is not None and self.pfs is None:
            raise InputError("needs pfs beside it, because PFS <= OS", "os")
        if self.pfs is not None:
            self._progression(self.pfs)
        if self.os is not None:
            self._deaths(self.os)

    @property
    def stable_share(self) -> float | None:
        """P(SD | no response): from the DCR, else from PFS, else None."""
        if self.dcr is not None:
            return (self.dcr - self.dcr_at_orr) / (1 - self.dcr_at_orr)
        if self.pfs is not None:
            return math.exp(-self.pfs_hazards.before * self.assessments.interval)
        return None

    def dcr_at(self, p: float) -> float | None:
        """DCR when the response rate is p."""
        stable = self.stable_share
        return None if stable is None else p + (1 - p) * stable

    @property
    def pfs_hazards(self) -> Hazards:
        """Hazards of progression or death that give the median PFS, and the DCR where it is given."""
        if self.pfs is None:
            raise InputError("is missing", "pfs")
        return self._progression(self.pfs)

    def _progression(self, given: Survival) -> Hazards:
        first = self.assessments.interval
        if self.dcr is None:
            return _solved(given, self.assessments, lambda h: Hazards(h, h, h * given.hazard_ratio), "pfs")
        if first == 0:
            raise InputError("needs assessments later than enrollment: PD is what the first one finds", "dcr")
        if self.dcr_at(given.at_orr) <= 0.5 or given.median <= first:  # type: ignore[operator]  # dcr is given
            raise InputError(
                f"({given.median:g}) contradicts the DCR: a share {self.dcr_at(given.at_orr):.3g} of these patients is "
                f"free of progression at the first assessment, month {first:.3g}; leave out one of the two",
                "pfs.median_months",
            )
        before = -math.log(self.stable_share) / first  # type: ignore[arg-type]  # given with dcr
        return _solved(given, self.assessments, lambda h: Hazards(before, h, h * given.hazard_ratio), "pfs")

    @property
    def death_hazards(self) -> Deaths:
        """Hazards of death after progression that give the median OS."""
        if self.os is None:
            raise InputError("is missing", "os")
        return self._deaths(self.os)

    def _deaths(self, given: Survival) -> Deaths:
        progression = self.pfs_hazards
        at = np.array(given.median)

        def surplus(hazard: float) -> float:
            law = Deaths(hazard * given.hazard_ratio, hazard)
            return float(law.survival(at, given.at_orr, self.assessments, progression)) - 0.5

        free = float(progression.survival(at, given.at_orr, self.assessments))
        if free >= 0.5:
            raise InputError(
                f"({given.median:g}) is too short beside PFS: with an ORR of {given.at_orr:g}, a share {free:.2g} of "
                "patients is then still free of progression",
                "os.median_months",
            )
        hazard = _root(surplus, given.median, "os")
        return Deaths(hazard * given.hazard_ratio, hazard)

    def pfs_survival(self, months: Floats, p: float) -> Floats:
        """P(PFS > t) of all patients when the response rate is p."""
        return self.pfs_hazards.survival(months, p, self.assessments)

    def os_survival(self, months: Floats, p: float) -> Floats:
        """P(OS > t) of all patients when the response rate is p."""
        return self.death_hazards.survival(months, p, self.assessments, self.pfs_hazards)


def _solved(given: Survival, assessments: Assessments, hazards: Callable[[float], Hazards], field: str) -> Hazards:
    """Find the hazard that gives a median PFS."""
    at = np.array(given.median)

    def surplus(hazard: float) -> float:
        return float(hazards(hazard).survival(at, given.at_orr, assessments)) - 0.5

    return hazards(_root(surplus, given.median, field))


def _root(surplus: Callable[[float], float], median: float, field: str) -> float:
    """Find the hazard at which half of the patients are left at the median, on the scale of its logarithm."""
    from scipy import optimize

    low, high = math.log(1e-9 / median), math.log(1e4 / median)
    if surplus(math.exp(high)) >= 0:
        raise InputError(
            f"({median:g}) cannot be: at whatever hazard, half of these patients are left then, because their response "
            "is known only later or their hazard ratio is next to 0",
            f"{field}.median_months",
        )
    return math.exp(optimize.brentq(lambda log: surplus(math.exp(log)), low, high, xtol=1e-14, rtol=1e-14))


@dataclass(frozen=True, slots=True)
class Toxicity:
    """Grade >= 3 toxicity, independent of response.

    Parameters
    ----------
    rate : float
        Probability in one patient.
    limit : float
        The rate whose crossing is asked about: observed share of enrolled patients above it.
    """

    rate: float
    limit: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", probability(self.rate, "toxicity.rate", closed=True))
        object.__setattr__(self, "limit", probability(self.limit, "toxicity.limit", closed=True))


@dataclass(frozen=True, slots=True)
class Beta:
    """A Beta distribution for the true response rate: the probability of rejecting H0 is then the assurance."""

    a: float
    b: float

    def __post_init__(self) -> None:
        for name in ("a", "b"):
            object.__setattr__(self, name, positive(getattr(self, name), "beta", least=0.01, most=1e4))

    @property
    def mean(self) -> float:
        """A / (a + b)."""
        return self.a / (self.a + self.b)
