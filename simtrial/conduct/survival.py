"""Kaplan-Meier estimates of many small trials at once: arrays of shape (patients, trials).

The estimate multiplies 1 - d / n over event times; Greenwood's variance of its logarithm adds d / (n (n - d)); limits
are taken on the scale log(-log S); the median's interval is where they hold 1/2.                     [1]_, [2]_, [3]_

Where S is exactly 1/2 from one event to the next, every time between them is a median. R's survfit [4]_ and SAS's PROC
LIFETEST [5]_ print the middle of that interval, and so does `half_way`; if no later event ends it, R prints the time at
which S reached 1/2, and so does `half_way`. The limits of the median follow the same rule on their own curves.

References
----------
.. [1] Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc 1958;53:457-481.
.. [2] Brookmeyer R, Crowley J. A confidence interval for the median survival time. Biometrics 1982;38:29-41.
.. [3] Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data. Wiley, 1980 (log-log limits).
.. [4] Therneau TM. A package for survival analysis in R: print.survfit. R package survival.
.. [5] SAS Institute. SAS/STAT user's guide, the LIFETEST procedure: product-limit method, quartiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simtrial.numbers import Floats

Z = 1.959963984540054
"""97.5% point of the normal law, for 95% limits."""

HALF = 1e-12
"""A product of fractions that should be 1/2 may miss it by some units in the last place; medians allow for that."""


@dataclass(frozen=True)
class KaplanMeier:
    """Product-limit estimates, trial by trial; sorted by time, where events come before losses at the same time.

    Attributes
    ----------
    times : ndarray, shape (patients, trials)
        Sorted times; infinite where a trial has fewer patients.
    survival, greenwood : ndarray, shape (patients, trials)
        S(t) just after each time, and Greenwood's variance of log S.
    steps : ndarray of bool, shape (patients, trials)
        Where a time is the last of its ties and an event happened by then: S is defined there.
    """

    times: Floats
    survival: Floats
    greenwood: Floats
    steps: NDArray[np.bool_]

    @property
    def median(self) -> Floats:
        """Time at which S falls to 1/2, by `half_way`; infinite if it never does. Shape (trials,)."""
        return half_way(self.times, self.survival, self.steps)

    def interval(self) -> tuple[Floats, Floats]:
        """Brookmeyer-Crowley 95% limits of the median on the log-log scale; infinite if not reached."""
        with np.errstate(divide="ignore", invalid="ignore"):  # S = 0 and S = 1 have no limits of their own
            log = np.log(self.survival)
            spread = Z * np.sqrt(self.greenwood) / np.abs(log)
            lower = np.exp(log * np.exp(spread))
            upper = np.exp(log * np.exp(-spread))
        # where S = 0 there are no limits: whatever was not reached before has its lower limit there and no upper one
        lower = np.where(self.survival <= HALF, 0.0, lower)
        return half_way(self.times, lower, self.steps), half_way(self.times, upper, self.steps)

    def at(self, month: float) -> tuple[Floats, Floats]:
        """S at a month and its Greenwood standard error, each of shape (trials,).

        Both are NaN where S is not known: nobody is left under observation then. The standard error is NaN where S = 0.
        """
        seen = self.steps & (self.times <= month)
        reached = seen.any(axis=0)
        last = seen.shape[0] - 1 - np.argmax(seen[::-1], axis=0)[np.newaxis]
        survival = np.where(reached, np.take_along_axis(self.survival, last, 0)[0], 1.0)
        variance = np.where(reached, np.take_along_axis(self.greenwood, last, 0)[0], 0.0)
        longest = np.where(np.isfinite(self.times), self.times, -np.inf).max(axis=0)
        survival = np.where((month <= longest) | (survival <= HALF), survival, np.nan)
        known = np.where(survival > HALF, variance, np.nan)  # at S = 0 the formula has no value
        return survival, survival * np.sqrt(known)


def half_way(times: Floats, curve: Floats, steps: NDArray[np.bool_] | None = None) -> Floats:
    """Time at which a step curve falls to 1/2: the middle of the interval where it is exactly 1/2, as R and SAS print.

    Parameters
    ----------
    times : ndarray, shape (times, ...)
        In rising order along the first axis.
    curve : ndarray, shape (times, ...)
        Value from each time on; NaN where there is none.
    steps : ndarray of bool, shape (times, ...), optional
        Where the curve is defined; everywhere if left out.

    Returns
    -------
    ndarray, shape (...)
        Infinite where the curve stays above 1/2. Where it stays at 1/2 to its end, the time at which it got there.

    Examples
    --------
    >>> import numpy as np
    >>> float(half_way(np.array([2.0, 4.0, 7.0, 9.0]), np.array([0.75, 0.5, 0.25, 0.0])))
    5.5
    """
    defined = np.ones(curve.shape, dtype=np.bool_) if steps is None else steps

    def first(where: NDArray[np.bool_]) -> Floats:
        found = where & defined
        there: Floats = np.min(np.where(found, times, np.inf), axis=0, initial=np.inf)
        return there

    reached, passed = first(curve <= 0.5 + HALF), first(curve < 0.5 - HALF)
    return np.where(np.isfinite(passed), (reached + passed) / 2, reached)


def kaplan_meier(times: Floats, events: NDArray[np.bool_], counted: NDArray[np.bool_] | None = None) -> KaplanMeier:
    """Estimate survival in many trials.

    Parameters
    ----------
    times : ndarray, shape (patients, trials)
        Time to event or to the end of observation.
    events : ndarray of bool, shape (patients, trials)
        Whether the event was seen.
    counted : ndarray of bool, shape (patients, trials), optional
        Who belongs to the trial; everybody if left out.

    Returns
    -------
    KaplanMeier
        The estimates.
    """
    patients = times.shape[0]
    if counted is not None:
        times = np.where(counted, times, np.inf)
        events = events & counted
    at_risk = np.full(times.shape[1], patients) if counted is None else counted.sum(axis=0)
    # events before losses at the same time: losses are moved up by the smallest step there is
    order = np.argsort(np.where(events, times, np.nextafter(times, np.inf)), axis=0, kind="stable")
    times, events = np.take_along_axis(times, order, 0), np.take_along_axis(events, order, 0)
    left = np.maximum(at_risk - np.arange(patients)[:, np.newaxis], 1)
    survival: Floats = np.cumprod(np.where(events, 1 - 1 / left, 1.0), axis=0, dtype=np.float64)
    with np.errstate(divide="ignore"):  # the last patient's event takes S to 0 and the variance of log S to infinity
        added = np.where(events, 1 / (left * (left - 1.0)), 0.0)
    # events at one time, taken one by one, telescope to d / n and to d / (n (n - d))
    last = np.vstack([times[1:] > times[:-1], np.ones((1, times.shape[1]), dtype=np.bool_)])
    steps = last & (np.cumsum(events, axis=0) > 0) & np.isfinite(times)
    return KaplanMeier(times, survival, np.cumsum(added, axis=0), steps)
