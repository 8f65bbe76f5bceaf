"""The toxicities of a file of patients, held against the boundary of the trial.

A toxicity is one of grade 3 or higher within the window after enrollment; one beyond the window does not count. A
patient without one is pending until the window is over. When a boundary was crossed is known where the file has the
days of enrollment and the times of the toxicities; by which patient, in the order of enrollment, also without them.

Of whom neither a grade nor a time nor an event flag is given, nothing is known: he is pending too. So is, until other
times show that the window was over, a patient whose flag states no toxicity without a time. Only where a file has
nothing but times of toxicities does an empty one mean none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.analysis import distance, toxicity
from simtrial.design.intervals import clopper_pearson
from simtrial.errors import InputError
from simtrial.months import DAYS_IN_MONTH
from simtrial.patients.faults import SEVERE

if TYPE_CHECKING:
    from simtrial.analysis.distance import RoomLeft
    from simtrial.analysis.toxicity import CrossingSoFar, ToxicityEstimates
    from simtrial.numbers import Bools, Floats
    from simtrial.patients.data import PatientData
    from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook

SAME_MOMENT = 1e-9
"""Months by which a toxicity may lie beyond the window and still be on its last day, as days are no round months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingMoment:
    """When a boundary was crossed.

    Attributes
    ----------
    month : float
        Months after the first enrollment.
    day : date
        The same as a date.
    look : ToxicityLook
        The look of which the bound was reached.
    enrolled : int
        Patients enrolled by then.
    toxic : tuple of str
        Of them, those with a toxicity by then.
    pending : tuple of str
        Of them, those without a toxicity by then whose window was not over; empty without a window.
    """

    month: float
    day: date
    look: ToxicityLook
    enrolled: int
    toxic: tuple[str, ...]
    pending: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityFound:
    """What the toxicities of a trial say of its boundary.

    Attributes
    ----------
    boundary : ToxicityBoundary
        The rule.
    window : float or None
        Months after enrollment in which toxicities count; None if all count.
    enrolled, toxicities, late : int
        Patients, those with a toxicity that counts, and those whose first one is beyond the window.
    pending : tuple of str
        Patients without a toxicity whose window is not known to be over.
    unknown, untimed, taken : tuple of str
        Of them, those of whom nothing on toxicity is given, and those of whom none is stated, but not until when; and
        patients taken to have had none because the file gives them no time and holds nothing else.
    crossing : CrossingSoFar or None
        By which patient the boundary is crossed; None if it is not.
    look : ToxicityLook or None
        The look of which the bound was reached first: in time, where the times are known.
    moment : CrossingMoment or None
        When it was crossed; None where that is not known.
    room : RoomLeft or None
        Of a boundary that is not crossed: the first look that still can be.
    estimates : ToxicityEstimates
        The rate of toxicity.
    after, after_toxicities : int
        Patients after the one by whom the boundary is crossed, and toxicities among them; they do not count.
    overall : tuple of float
        Limits of the share with a toxicity among all enrolled, the rule left aside (Clopper-Pearson).
    bias : tuple of tuple of float
        Rates, and the bias of the observed share at each.
    """

    boundary: ToxicityBoundary
    window: float | None
    enrolled: int
    toxicities: int
    late: int
    pending: tuple[str, ...]
    unknown: tuple[str, ...]
    untimed: tuple[str, ...]
    taken: tuple[str, ...]
    crossing: CrossingSoFar | None
    look: ToxicityLook | None
    moment: CrossingMoment | None
    room: RoomLeft | None
    estimates: ToxicityEstimates
    after: int
    after_toxicities: int
    overall: tuple[float, float]
    bias: tuple[tuple[float, float], ...]


def known(data: PatientData) -> bool:
    """Whether the files of the patients hold toxicities."""
    return data.toxicity is not None or data.onset is not None


def counting(data: PatientData, window: float | None) -> Bools:
    """Whether each enrolled patient, in the order of enrollment, has a toxicity that counts."""
    severe, months = _severe(data)
    if window is None:
        return severe
    return severe & ~(months > window + SAME_MOMENT)  # a time that is not known counts


def _severe(data: PatientData) -> tuple[Bools, Floats]:
    """Who of the enrolled had a toxicity of grade 3 or higher, and when: NaN where not known."""
    n = int(data.enrolled.sum())
    severe, months = np.zeros(n, dtype=np.bool_), np.full(n, np.nan)
    if data.toxicity is not None:
        severe |= data.toxicity[:n] >= SEVERE
    if data.onset is not None:
        severe |= data.onset.event[:n]
        months = np.where(data.onset.event[:n], data.onset.months[:n], np.nan)
    return severe, months


class _Information(NamedTuple):
    """What files give of the toxicity of each enrolled patient.

    Attributes
    ----------
    followed : ndarray
        Months for which a patient without a toxicity is known to be followed; infinite where nothing limits them.
    informed : ndarray of bool
        Whether anything is given.
    untimed : ndarray of bool
        Of whom no toxicity is stated, without a grade and without a time until when.
    taken : ndarray of bool
        Of whom nothing is given, in a file that holds nothing but times of toxicities: there it means none.
    """

    followed: Floats
    informed: Bools
    untimed: Bools
    taken: Bools


def _given(data: PatientData) -> _Information:
    n = int(data.enrolled.sum())
    nobody = np.zeros(n, dtype=np.bool_)
    graded = nobody if data.toxicity is None else ~np.isnan(data.toxicity[:n])
    denied = nobody if data.denied is None else data.denied[:n]
    timed = nobody if data.onset is None else data.onset.event[:n] | ~np.isnan(data.onset.months[:n])
    informed = graded | denied | timed
    taken = ~informed if data.toxicity is None and data.denied is None else nobody
    followed = np.full(n, np.inf)
    untimed = denied & ~graded & ~timed
    followed[untimed] = 0.0
    for times in (data.pfs, data.os):  # he was seen so long, whatever ended it
        if times is not None:
            seen = untimed & ~np.isnan(times.months[:n])
            followed = np.where(seen, np.fmax(followed, times.months[:n]), followed)
    if data.os is not None:  # after a death nothing is pending
        there = ~np.isnan(data.os.months[:n])
        followed = np.where(there, np.where(data.os.event[:n], np.inf, data.os.months[:n]), followed)
    if data.onset is not None and "TTOX" in data.columns:
        ended = ~data.onset.event[:n] & ~np.isnan(data.onset.months[:n])
        followed = np.where(ended, data.onset.months[:n], followed)
    return _Information(followed, informed | taken, untimed, taken)


def found(
    data: PatientData,
    boundary: ToxicityBoundary,
    window: float | None,
    *,
    rates: tuple[float, ...] = (),
    level: float = 0.95,
) -> ToxicityFound:
    """Hold the toxicities of patients against a boundary.

    Parameters
    ----------
    data : PatientData
        With toxicity grades (TOXGR) or times of toxicities (TTOX).
    boundary : ToxicityBoundary
        The rule.
    window : float or None
        Months after enrollment in which toxicities count; None if all count, and nobody is pending.
    rates : tuple of float
        Rates at which the bias of the observed share is computed.
    level : float
        Of the intervals.

    Raises
    ------
    InputError
        If the file has no toxicities, or nobody was enrolled.
    """
    n = _enrolled(data)
    severe, _ = _severe(data)
    given = _given(data)
    toxic, waiting = counting(data, window), _waiting(given, severe, window)
    crossing = toxicity.crossed(boundary, toxic.tolist())
    last = n if crossing is None else crossing.patient
    moment = None if crossing is None else _moment(data, boundary, window)
    room = distance.ahead(boundary, n, int(toxic.sum()), int(waiting.sum())) if crossing is None else None
    planned = max(n, boundary.n)
    low, high = clopper_pearson(int(toxic.sum()), n, (1 - level) / 2)
    return ToxicityFound(
        boundary=boundary,
        window=window,
        enrolled=n,
        toxicities=int(toxic.sum()),
        late=int((severe & ~toxic).sum()),
        pending=_named(data, waiting),
        unknown=_named(data, waiting & ~given.informed),
        untimed=_named(data, waiting & given.untimed),
        taken=_named(data, given.taken & ~severe),
        crossing=crossing,
        look=moment.look if moment is not None else crossing.look if crossing is not None else None,
        moment=moment,
        room=room,
        estimates=toxicity.estimated(boundary, last, int(toxic[:last].sum()), level),
        after=n - last,
        after_toxicities=int(toxic[last:].sum()),
        overall=(float(low), float(high)),
        bias=tuple((rate, toxicity.bias(boundary, planned, rate)) for rate in rates),
    )


def _enrolled(data: PatientData) -> int:
    """How many were enrolled, of files that hold toxicities."""
    if not known(data):
        raise InputError(
            "has no column of toxicities; it may be named TOXGR or TTOX (simtrial columns)", f"{data.path}:"
        )
    n = int(data.enrolled.sum())
    if not n:
        raise InputError("holds no patient who was enrolled", f"{data.path}:")
    return n


def _waiting(given: _Information, severe: Bools, window: float | None) -> Bools:
    """Who has no toxicity and is still within the window, or of whom nothing is given."""
    short = np.zeros(len(severe), dtype=np.bool_) if window is None else given.followed < window - SAME_MOMENT
    return ~severe & (short | ~given.informed)


def _moment(data: PatientData, boundary: ToxicityBoundary, window: float | None) -> CrossingMoment | None:
    """The moment of a crossing; None where a day of enrollment or the time of a toxicity is not known."""
    entry, toxic, (_, onset) = _entry(data), counting(data, window), _severe(data)
    if entry is None or np.isnan(onset[toxic]).any():
        return None
    when = toxicity.crossed_at(boundary, toxic.tolist(), entry + onset)
    assert when is not None  # it is crossed
    month, look = when
    by_then = month + SAME_MOMENT
    free = (entry <= by_then) & ~(toxic & (entry + onset <= by_then))
    here = toxic & (entry + onset <= by_then)
    pending = free & (entry + (0 if window is None else window) > by_then)
    return CrossingMoment(
        month=month,
        day=_first(data) + timedelta(days=round(month * DAYS_IN_MONTH)),
        look=look,
        enrolled=int((entry <= by_then).sum()),
        toxic=_named(data, here),
        pending=_named(data, pending),
    )


def _named(data: PatientData, who: Bools) -> tuple[str, ...]:
    return tuple(data.ids[k] for k in np.flatnonzero(who))


def _first(data: PatientData) -> date:
    first = data.dates[0]
    assert first is not None  # the order is that of the days
    return first


def _entry(data: PatientData) -> Floats | None:
    """Months of enrollment after the first one; None where a patient has no day."""
    if not data.by_date:
        return None
    first = _first(data)
    days = [(day - first).days for day in data.dates[: int(data.enrolled.sum())] if day is not None]
    return np.array(days) / DAYS_IN_MONTH
