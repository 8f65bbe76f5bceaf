"""Secondary endpoints of a trial's patients: shares with exact intervals, Kaplan-Meier medians and landmarks.

Shares have Clopper-Pearson intervals [1]_. Curves and Greenwood's standard errors are those of statsmodels; limits are
taken on the scale log(-log S), and the limits of a median are where they cross 1/2 [2]_. What the median is where S is
exactly 1/2 over an interval, and what it is where S ends at 0, is settled as in `simtrial.conduct.survival`, not as in
statsmodels: the middle of that interval, as R and SAS print; where S = 0 there are no limits, so a lower one not
reached before is reached there.

References
----------
.. [1] Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial.
   Biometrika 1934;26:404-413.
.. [2] Brookmeyer R, Crowley J. A confidence interval for the median survival time. Biometrics 1982;38:29-41.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial import phrases
from simtrial.conduct.survival import HALF, half_way
from simtrial.design.intervals import clopper_pearson
from simtrial.numbers import positive, probability
from simtrial.plan.plan import check_handling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simtrial.numbers import Bools, Floats
    from simtrial.patients.data import PatientData, Times
    from simtrial.plan.plan import Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One secondary endpoint.

    Attributes
    ----------
    name, label : str
        For machines and for tables.
    n, events : int
        Patients in the estimate; those with the event, of a landmark by then.
    value, low, high : float or None
        Estimate and its limits; None where it is not reached or not known.
    unit : {'share', 'months'}
        Of the value.
    method : str
        How it was estimated, and whom the file does not let in.
    """

    name: str
    label: str
    n: int
    events: int
    value: float | None
    low: float | None
    high: float | None
    unit: Literal["share", "months"]
    method: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Curve:
    """A Kaplan-Meier estimate of one group, at the times of its events: arrays of shape (times,).

    Attributes
    ----------
    times, survival : ndarray
        Months at which events happened, and S just after each.
    low, high : ndarray
        Limits of S, NaN where S = 0.
    months : ndarray, shape (patients,)
        When each patient's observation ended.
    event : ndarray of bool, shape (patients,)
        Whether by the event.
    """

    times: Floats
    survival: Floats
    low: Floats
    high: Floats
    months: Floats
    event: Bools

    @property
    def median(self) -> tuple[float | None, float | None, float | None]:
        """Time at which S falls to 1/2, and the limits of the median, by `half_way`; None where not reached."""
        lower = np.where(self.survival <= HALF, 0.0, self.low)
        found = (float(half_way(self.times, values)) for values in (self.survival, lower, self.high))
        value, low, high = (month if np.isfinite(month) else None for month in found)
        return value, low, high

    @property
    def flat(self) -> tuple[float, float] | None:
        """The events between which S is exactly 1/2, so that the median is the middle between them; None if none."""
        on = np.flatnonzero(np.abs(self.survival - 0.5) <= HALF)
        if not len(on) or on[-1] + 1 == len(self.times):
            return None
        return float(self.times[on[0]]), float(self.times[on[-1] + 1])

    def at(self, month: float) -> tuple[float | None, float | None, float | None]:
        """S at a month and its limits; None where nobody is left under observation, limits also where S is 0 or 1."""
        place = int(np.searchsorted(self.times, month, side="right")) - 1
        survival = float(self.survival[place]) if place >= 0 else 1.0
        if not len(self.months) or (month > self.months.max() and survival > HALF):
            return None, None, None
        if place < 0 or survival <= HALF:
            return survival, None, None
        return survival, float(self.low[place]), float(self.high[place])

    def at_risk(self, months: Floats) -> NDArray[np.int64]:
        """Patients still under observation just before each month."""
        return np.array([(self.months >= month).sum() for month in months], dtype=np.int64)


def curve(months: Floats, event: Bools, level: float = 0.95) -> Curve:
    """Estimate survival.

    Parameters
    ----------
    months : ndarray, shape (patients,)
        Time to the event or to the end of observation; NaN is left out.
    event : ndarray of bool, shape (patients,)
        Whether it was the event.
    level : float
        Of the pointwise limits.
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    there = ~np.isnan(months)
    months, event = months[there], event[there]
    if not event.any():  # statsmodels takes no empty group
        nothing = np.zeros(0)
        return Curve(times=nothing, survival=nothing, low=nothing, high=nothing, months=months, event=event)
    found = SurvfuncRight(months, event.astype(np.float64))
    survival = np.asarray(found.surv_prob, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # S = 0 has no limits of its own
        log = np.log(survival)
        z = NormalDist().inv_cdf((1 + level) / 2)
        spread = np.exp(z * np.asarray(found.surv_prob_se) / survival / np.abs(log))
        low, high = np.exp(log * spread), np.exp(log / spread)
    times = np.asarray(found.surv_times, dtype=np.float64)
    return Curve(times=times, survival=survival, low=low, high=high, months=months, event=event)


def secondary(
    data: PatientData, level: float = 0.95, landmark: float = 6.0, handling: Handling = "nonresponder"
) -> tuple[Endpoint, ...]:
    """Estimate the secondary endpoints that the file has columns for.

    Parameters
    ----------
    data : PatientData
        All patients enrolled are analysed, overrun among them.
    level : float
        Confidence of each interval, two-sided.
    landmark : float
        Month at which survival is estimated.
    handling : {'nonresponder', 'replace', 'exclude'}
        Shares of best overall response are of all enrolled with 'nonresponder', else of the evaluable.

    Raises
    ------
    InputError
        If `level`, `landmark` or `handling` cannot be.
    """
    probability(level, "level")
    positive(landmark, "landmark")
    check_handling(handling)
    found = []
    if data.bor is not None:
        of, bor = data.enrolled if handling == "nonresponder" else data.evaluable, np.array(data.bor)
        whom = "of all enrolled patients" if handling == "nonresponder" else "of the evaluable patients"
        for name, label, kinds in (
            ("dcr", "Disease control rate", ("CR", "PR", "SD", "NON-CR/NON-PD")),
            ("cr", "Complete response rate", ("CR",)),
        ):
            counted = int((np.isin(bor, kinds) & data.evaluable).sum())
            found.append(_share(name, label, counted, int(of.sum()), level, whom))
    for name, label, times in (("pfs", "PFS", data.pfs), ("os", "OS", data.os)):
        if times is not None:
            found += _survival(name, label, times, data.enrolled, level, landmark)
    if data.dor is not None:
        found += _survival("dor", "duration of response", data.dor, data.responder, level, None)
    if data.toxicity is not None:
        graded = data.enrolled & ~np.isnan(data.toxicity)
        severe = int((data.toxicity[graded] >= 3).sum())
        whom = f"of all enrolled patients{_missing(data.enrolled, graded)}"
        found.append(_share("toxicity", "Toxicity of grade >= 3", severe, int(graded.sum()), level, whom))
    return tuple(found)


def _missing(counted: Bools, there: Bools) -> str:
    gone = int((counted & ~there).sum())
    return f", {phrases.counted(gone, 'patient')} without a value left out" if gone else ""


def _share(name: str, label: str, events: int, n: int, level: float, whom: str) -> Endpoint:
    value = low = high = None
    if n:
        value = events / n
        low, high = (float(limit) for limit in clopper_pearson(events, n, (1 - level) / 2))
    return Endpoint(
        name=name,
        label=label,
        n=n,
        events=events,
        value=value,
        low=low,
        high=high,
        unit="share",
        method=f"Clopper-Pearson; {whom}",
    )


def _survival(
    name: str, label: str, times: Times, counted: Bools, level: float, landmark: float | None
) -> list[Endpoint]:
    there = counted & ~np.isnan(times.months)
    found = curve(times.months[there], times.event[there], level)
    n, events = int(there.sum()), int(found.event.sum())
    middle = ""
    if found.flat is not None:
        since, until = found.flat
        middle = f"; S = 1/2 from month {since:.4g} to month {until:.4g}: midpoint, as in R and SAS"
    method = f"Kaplan-Meier, Brookmeyer-Crowley log-log{middle}{_missing(counted, there)}"
    value, low, high = found.median
    ends = [
        Endpoint(
            name=f"{name}_median",
            label=f"Median {label}",
            n=n,
            events=events,
            value=value,
            low=low,
            high=high,
            unit="months",
            method=method,
        )
    ]
    if landmark is not None:
        by_then = int((found.event & (found.months <= landmark)).sum())
        method = f"Kaplan-Meier, Greenwood log-log{_missing(counted, there)}"
        said = f"{label} at month {landmark:g}"
        value, low, high = found.at(landmark)
        ends.append(
            Endpoint(
                name=f"{name}_landmark",
                label=said,
                n=n,
                events=by_then,
                value=value,
                low=low,
                high=high,
                unit="share",
                method=method,
            )
        )
    return ends
