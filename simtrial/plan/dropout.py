"""Who is lost, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.errors import InputError
from simtrial.inputs import TABLE

if TYPE_CHECKING:
    from simtrial.numbers import Floats


def share(value: float, field: str) -> float:
    """A probability that may be 0 but not 1."""
    return TABLE["dropout"].check(value, field)


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
        object.__setattr__(self, "probability", share(self.probability, "probability"))
        odds_ratio = TABLE["odds_ratio"].check(self.responder_odds_ratio, "responder_odds_ratio")
        object.__setattr__(self, "responder_odds_ratio", odds_ratio)

    @classmethod
    def from_hazard(cls, hazard: float, months: float, responder_odds_ratio: float = 1.0) -> Dropout:
        """Loss at a constant hazard a month over the months to the first assessment: 1 - exp(-hazard months)."""
        lost = -math.expm1(-TABLE["hazard"].check(hazard, "hazard_per_month") * months)
        if lost > 1 - 1e-9:
            raise InputError(f"({hazard:g}) leaves no patient until the first assessment", "hazard_per_month")
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
