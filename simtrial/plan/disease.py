"""What becomes of patients: response, progression, death, toxicity."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.memo import kept
from simtrial.plan.survival import Deaths, Hazards, Survival, root

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.numbers import Floats
    from simtrial.plan.assessments import Assessments


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
    _: KW_ONLY
    os: Survival | None = None
    complete_share: float = 0.0
    # they go with the plan wherever it is sent, so that a worker need not load scipy.optimize
    _progressing: Hazards | None = field(default=None, init=False, repr=False, compare=False)
    _dying: Deaths | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "complete_share", TABLE["share"].check(self.complete_share, "complete_share"))
        if self.dcr is not None:
            object.__setattr__(self, "dcr", TABLE["rate"].check(self.dcr, "dcr"))
            object.__setattr__(self, "dcr_at_orr", TABLE["true_rate"].check(self.dcr_at_orr, "dcr.at_orr"))
            if self.dcr < self.dcr_at_orr:
                raise InputError(
                    f"({self.dcr:g}) is below the ORR ({self.dcr_at_orr:g}), although it counts SD too", "dcr"
                )
            if self.dcr == self.dcr_at_orr and self.pfs is not None:
                raise InputError(
                    f"({self.dcr:g}) equals the ORR: without stable disease PFS cannot be simulated", "dcr"
                )
        if self.os is not None and self.pfs is None:
            raise InputError("needs pfs as well, because PFS <= OS", "os")
        if self.pfs is not None:
            object.__setattr__(self, "_progressing", _progression_of(self))
        if self.os is not None:
            object.__setattr__(self, "_dying", _deaths_of(self))

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
        if self._progressing is None:
            raise InputError("is missing", "pfs")
        return self._progressing

    def _progression(self, given: Survival) -> Hazards:
        first = self.assessments.interval
        if self.dcr is None:
            return _solved(given, self.assessments, lambda h: Hazards(h, h, h * given.hazard_ratio), "pfs")
        if first == 0:
            raise InputError("needs assessments after enrollment, at the first of which PD is seen", "dcr")
        if self.dcr_at(given.at_orr) <= 0.5 or given.median <= first:  # type: ignore[operator]  # dcr is given
            raise InputError(
                f"({given.median:g}) contradicts the DCR, by which {100 * (self.dcr_at(given.at_orr) or 0):.3g}% of "
                f"these patients are free of progression at the first assessment, in month {first:.3g}; leave out one "
                "of the two",
                "pfs.median_months",
            )
        before = -math.log(self.stable_share) / first  # type: ignore[arg-type]  # given with dcr
        return _solved(given, self.assessments, lambda h: Hazards(before, h, h * given.hazard_ratio), "pfs")

    @property
    def death_hazards(self) -> Deaths:
        """Hazards of death after progression that give the median OS."""
        if self._dying is None:
            raise InputError("is missing", "os")
        return self._dying

    def _deaths(self, given: Survival) -> Deaths:
        progression = self.pfs_hazards
        at = np.array(given.median)

        def surplus(hazard: float) -> float:
            law = Deaths(hazard * given.hazard_ratio, hazard)
            return float(law.survival(at, given.at_orr, self.assessments, progression)) - 0.5

        free = float(progression.survival(at, given.at_orr, self.assessments))
        if free >= 0.5:
            raise InputError(
                f"({given.median:g}) is too short beside PFS: with an ORR of {given.at_orr:g}, {100 * free:.0f}% of "
                "the patients are then still free of progression",
                "os.median_months",
            )
        hazard = root(surplus, given.median, "os")
        return Deaths(hazard * given.hazard_ratio, hazard)

    def pfs_survival(self, months: Floats, p: float) -> Floats:
        """P(PFS > t) of all patients when the response rate is p."""
        return self.pfs_hazards.survival(months, p, self.assessments)

    def os_survival(self, months: Floats, p: float) -> Floats:
        """P(OS > t) of all patients when the response rate is p."""
        return self.death_hazards.survival(months, p, self.assessments, self.pfs_hazards)


@kept(64)
def _progression_of(disease: Disease) -> Hazards:
    assert disease.pfs is not None
    return disease._progression(disease.pfs)


@kept(64)
def _deaths_of(disease: Disease) -> Deaths:
    assert disease.os is not None
    return disease._deaths(disease.os)


def _solved(given: Survival, assessments: Assessments, hazards: Callable[[float], Hazards], field: str) -> Hazards:
    """Find the hazard that gives a median PFS."""
    at = np.array(given.median)

    def surplus(hazard: float) -> float:
        return float(hazards(hazard).survival(at, given.at_orr, assessments)) - 0.5

    return hazards(root(surplus, given.median, field))


@dataclass(frozen=True, slots=True)
class Toxicity:
    """Grade >= 3 toxicity.

    Parameters
    ----------
    rate : float
        Probability in one patient.
    limit : float
        The rate whose crossing is asked about: observed share of enrolled patients above it.
    odds_ratio : float
        Odds ratio of response, as it is seen, and toxicity.
    """

    rate: float
    limit: float
    odds_ratio: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", TABLE["share"].check(self.rate, "toxicity.rate"))
        object.__setattr__(self, "limit", TABLE["share"].check(self.limit, "toxicity.limit"))
        TABLE["odds_ratio"].check(self.odds_ratio, "toxicity.odds_ratio")


@dataclass(frozen=True, slots=True)
class Beta:
    """A Beta distribution for the true response rate: the probability of rejecting H0 is then the assurance."""

    a: float
    b: float

    def __post_init__(self) -> None:
        for name in ("a", "b"):
            object.__setattr__(self, name, TABLE["beta"].check(getattr(self, name), "beta"))

    @property
    def mean(self) -> float:
        """A / (a + b)."""
        return self.a / (self.a + self.b)
