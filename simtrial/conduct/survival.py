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

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct.courses import at_row, down, how_many

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simtrial.numbers import Bools, Floats, Ints

Z = 1.959963984540054
"""97.5% point of the normal law, for 95% limits."""

HALF = 1e-12
"""A product of fractions that should be 1/2 may miss it by some units in the last place; medians allow for that."""

LOG_LOG_2 = math.log(math.log(2))

CLOSE = 1e-6
"""Distance from Z^2 within which limits are taken from their curves; see `KaplanMeier.interval`.

Beyond it a limit misses 1/2 by more than a quarter of 1e-7 w / a, which is 1e-10 with 10,000 patients: a hundred times
`HALF`, and the rounding of g^2 / greenwood is a thousandth of it.
"""

NOBODY = np.uint64(2 * int(np.array(np.inf).view(np.uint64)) + 1)
"""The key of somebody who is not in a trial: after everybody else."""


@dataclass(frozen=True, kw_only=True)
class KaplanMeier:
    """Product-limit estimates, trial by trial; sorted by time, where events come before losses at the same time.

    Attributes
    ----------
    times : ndarray, shape (patients, trials)
        Sorted times; infinite where a trial has fewer patients.
    survival, greenwood : ndarray, shape (patients, trials)
        S(t) just after each time, and Greenwood's variance of log S.
    hazard : ndarray, shape (patients, trials)
        -log S(t), as a sum.
    steps : ndarray of bool, shape (patients, trials)
        The last event at its time: S steps down to its value there.
    """

    times: Floats
    survival: Floats
    greenwood: Floats
    hazard: Floats
    steps: Bools

    @property
    def median(self) -> Floats:
        """Time at which S falls to 1/2, by `half_way`; infinite if it never does. Shape (trials,)."""
        # S never rises, so the rows above 1/2 are those before it is reached; within ties the time is the same
        reached = self._time(how_many(self.survival > 0.5 + HALF))
        passed = self._time(how_many(self.survival >= 0.5 - HALF))
        return np.where(np.isfinite(passed), (reached + passed) / 2, reached)

    def interval(self) -> tuple[Floats, Floats]:
        """Brookmeyer-Crowley 95% limits of the median on the log-log scale; infinite if not reached.

        With a = -log S, w = Z sqrt(greenwood) and g = a (log log 2 - log a), a limit exp(-a exp(+-w / a)) is at most
        1/2 where w >= g (the lower one) or w <= -g (the upper one): where S is below 1/2 the lower one always is, and
        where it is above the upper one never. So g^2 / greenwood beside Z^2 tells both, without a curve of either.
        """
        with np.errstate(divide="ignore", invalid="ignore"):  # S = 0 and S = 1 have no limits of their own
            ratio = np.log(self.hazard)
            ratio -= LOG_LOG_2
            ratio *= self.hazard
            ratio *= ratio
            ratio /= self.greenwood
            ratio -= Z * Z
            below = self.survival < 0.5
            lower = self._time(_first((below | (ratio <= 0)) & self.steps))
            upper = self._time(_first(below & (ratio >= 0) & self.steps))
            close = (np.abs(ratio, out=ratio) <= CLOSE) & self.steps
        if close.any():
            where: Bools = np.any(close, axis=0)
            lower[where], upper[where] = self._limits(where)
        return lower, upper

    def _limits(self, where: Bools) -> tuple[Floats, Floats]:
        """The limits of some trials, from the curves: a limit that runs along 1/2 follows the rule of `half_way`."""
        times, survival, steps = self.times[:, where], self.survival[:, where], self.steps[:, where]
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.log(survival)
            spread = Z * np.sqrt(self.greenwood[:, where]) / np.abs(log)
            lower = np.exp(log * np.exp(spread))
            upper = np.exp(log * np.exp(-spread))
        # where S = 0 there are no limits: whatever was not reached before has its lower limit there and no upper one
        lower = np.where(survival <= HALF, 0.0, lower)
        return half_way(times, lower, steps), half_way(times, upper, steps)

    def at(self, month: float) -> tuple[Floats, Floats]:
        """S at a month and its Greenwood standard error, each of shape (trials,).

        Both are NaN where S is not known: no patient is under observation then. The standard error is NaN where S = 0.
        """
        seen = how_many(self.times <= month)
        last = np.maximum(seen - 1, 0)
        survival = np.where(seen > 0, at_row(self.survival, last), 1.0)
        variance = np.where(seen > 0, at_row(self.greenwood, last), 0.0)
        watched = how_many(self.times < month) < how_many(self.times < np.inf)
        survival = np.where(watched | (survival <= HALF), survival, np.nan)
        known = np.where(survival > HALF, variance, np.nan)  # at S = 0 the formula has no value
        return survival, survival * np.sqrt(known)

    def _time(self, row: Ints) -> Floats:
        """Time of one row of each trial; infinite beyond the last."""
        last = len(self.times) - 1
        return np.where(row <= last, at_row(self.times, np.minimum(row, last)), np.inf)


def _first(where: Bools) -> Ints:
    """First row of each trial where something holds; the number of rows where it never does."""
    rows = np.arange(len(where), dtype=np.uint16)[:, np.newaxis]
    never = where.astype(np.uint16) - np.uint16(1)  # 0, and where it does not hold the largest number that there is
    found: Ints = np.maximum(never, rows).min(axis=0).astype(np.int64)
    return np.minimum(found, len(where))


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
        Time to event or to the end of observation; below 0, of who entered after that end, it counts as 0.
    events : ndarray of bool, shape (patients, trials)
        Whether the event was seen.
    counted : ndarray of bool, shape (patients, trials), optional
        Who belongs to the trial; everybody if left out.

    Returns
    -------
    KaplanMeier
        The estimates.
    """
    patients, trials = times.shape
    # One whole number holds a time and, in its last bit, whether it is a loss. The bits of doubles from 0 on have their
    # order, so these sort by time, events before losses, and nothing has to be carried along.
    keys = np.maximum(times, 0.0).view(np.uint64)
    keys <<= 1
    keys |= ~events
    at_risk = np.full(trials, patients)
    if counted is not None:
        at_risk = how_many(counted)
        short = slice(int(np.argmin(counted.all(axis=1))), None)  # the first patients are often in every trial
        keys[short][~counted[short]] = NOBODY
    columns = np.ascontiguousarray(keys.T)
    columns.sort(axis=1)
    keys = np.ascontiguousarray(columns.T)
    last = np.ones(times.shape, dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=last[:-1])
    lost = (keys & 1).view(np.int64)
    # how S and the variance change by a row, looked up by the number at risk and whether it is a loss
    left = np.maximum(np.arange(-patients, patients + 1.0), 1.0)
    with np.errstate(divide="ignore"):  # the last patient's event takes S to 0 and the variance of log S to infinity
        by_event = (1 - 1 / left, 1 / (left * (left - 1.0)), -np.log1p(-1 / left))
    change = 2 * (at_risk + patients - np.arange(patients)[:, np.newaxis]) + lost
    # events at one time, taken one by one, telescope to d / n and to d / (n (n - d))
    survival, greenwood, hazard = (
        np.stack([event, np.full(len(left), loss)], axis=1).take(change)
        for event, loss in zip(by_event, (1.0, 0.0, 0.0), strict=True)
    )
    for combine, rows in ((np.multiply, survival), (np.add, greenwood), (np.add, hazard)):
        down(combine, rows)
    steps = last & (lost == 0)
    keys >>= 1
    return KaplanMeier(times=keys.view(np.float64), survival=survival, greenwood=greenwood, hazard=hazard, steps=steps)
