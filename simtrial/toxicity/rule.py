"""The rule by which a trial stops for toxicity: its counts, the window in which toxicities count, its two rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.calibrate import CalibratedBoundary


@dataclass(frozen=True, kw_only=True, slots=True)
class ToxicityRule:
    """A boundary in a trial.

    Attributes
    ----------
    boundary : ToxicityBoundary
        The counts, at no more patients than the response design has.
    window : float
        Months after enrollment in which a toxicity counts; who has had none by then has none.
    acceptable, unacceptable : float
        The rates of toxicity at which the trial should rarely, and should often be stopped.
    limit : float or None
        The crossing probability that was allowed at the acceptable rate; None where the counts are given outright.
    calibration : CalibratedBoundary or None
        Where the counts come from; None where they are given outright.
    """

    boundary: ToxicityBoundary
    window: float
    acceptable: float
    unacceptable: float
    limit: float | None = None
    calibration: CalibratedBoundary | None = None
