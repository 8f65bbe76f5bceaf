"""When patients are assessed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simtrial.errors import InputError
from simtrial.months import WEEK
from simtrial.numbers import Floats, positive
from simtrial.phrases import counted

MAX_ASSESSMENTS = 100
"""Most assessments of one patient within the window."""


def _weeks(months: float) -> str:
    return counted(float(f"{months / WEEK:.4g}"), "week")


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
            raise InputError("(0) is not above 0", "interval")
        if self.window < self.interval:
            raise InputError(
                f"({_weeks(self.window)}) is shorter than the interval ({_weeks(self.interval)}): it ends before the "
                "first assessment",
                "window",
            )
        if self.window > MAX_ASSESSMENTS * self.interval:
            raise InputError(f"({_weeks(self.window)}) holds more than {MAX_ASSESSMENTS} assessments", "window")
        if self.window < self.interval + self.confirmation:
            raise InputError(
                f"({_weeks(self.window)}) ends before a response of the first assessment can be confirmed (week "
                f"{(self.interval + self.confirmation) / WEEK:.4g})",
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
