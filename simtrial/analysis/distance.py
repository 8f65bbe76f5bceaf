"""How far a running trial is from its boundary for toxicity, and how likely it crosses it later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.analysis.toxicity import bounds_by_patient
from simtrial.design.binomial import binomial_pmf
from simtrial.errors import InputError
from simtrial.numbers import count, probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook


class RoomLeft(NamedTuple):
    """A look ahead: toxicities that are still needed to cross there, and patients whose toxicity could still count."""

    look: ToxicityLook
    needed: int
    patients: int


def ahead(boundary: ToxicityBoundary, patients: int, toxicities: int, pending: int = 0) -> RoomLeft | None:
    """The first look ahead that can still be crossed; None where none can.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The rule, not crossed so far.
    patients, toxicities : int
        Enrolled so far, and toxicities among them.
    pending : int
        Patients among them whose window is not over.
    """
    for look in boundary.looks:
        if look.b is None or look.n < patients or look.b <= toxicities:
            continue
        left = look.n - patients + pending
        if look.b - toxicities <= left:
            return RoomLeft(look, look.b - toxicities, left)
    return None


def later(boundary: ToxicityBoundary, patients: int, toxicities: int, rate: float) -> float:
    """P(the boundary is crossed later | toxicities so far; rate): exact, by the recursion over the looks ahead.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The rule.
    patients, toxicities : int
        So far, with the status of each patient known.
    rate : float
        Rate of toxicity in the patients to come, in [0, 1].

    Raises
    ------
    InputError
        If the boundary has been crossed with certainty, or a number cannot be one of its kind.
    """
    m, s = _so_far(boundary, patients, toxicities)
    theta = probability(rate, "rate", closed=True)
    chances, now, found = np.zeros(m + 1), m, 0.0
    chances[s] = 1.0
    for look in boundary.looks:
        if look.b is None or look.n <= m:
            continue
        chances, now = np.convolve(chances, binomial_pmf(look.n - now, theta)), look.n
        found += float(chances[look.b :].sum())
        chances = chances[: look.b]
    return min(found, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityWatched:
    """The toxicities of a running trial against its boundary.

    Attributes
    ----------
    patients, toxicities : int
        So far.
    over : ToxicityLook or None
        The look at which the boundary has been crossed, if it has.
    room : RoomLeft or None
        Else the first look ahead that can still be crossed.
    later : tuple of tuple of float
        Rates of toxicity, and the probability of crossing the boundary later.
    """

    patients: int
    toxicities: int
    over: ToxicityLook | None
    room: RoomLeft | None
    later: tuple[tuple[float, float], ...]


def watched(boundary: ToxicityBoundary, patients: int, toxicities: int, rates: Sequence[float]) -> ToxicityWatched:
    """Say where a running trial stands: distance to the boundary, and the probability of crossing it later.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The rule.
    patients, toxicities : int
        So far, with the status of each patient known.
    rates : sequence of float
        Rates of toxicity in the patients to come.

    Raises
    ------
    InputError
        If the trial must have crossed the boundary before, or a number cannot be one of its kind.
    """
    m, s = _so_far(boundary, patients, toxicities)
    bounds = bounds_by_patient(boundary, max(m, 1))
    over = None
    if m and bounds[m - 1] is not None and s >= (bounds[m - 1] or 0):
        over = next(look for look in boundary.looks if look.n >= m and look.b is not None and s >= look.b)
    room = None if over is not None else ahead(boundary, m, s)
    chances = () if over is not None else tuple((rate, later(boundary, m, s, rate)) for rate in rates)
    return ToxicityWatched(patients=m, toxicities=s, over=over, room=room, later=chances)


def _so_far(boundary: ToxicityBoundary, patients: int, toxicities: int) -> tuple[int, int]:
    m, s = count(patients, "patients"), count(toxicities, "toxicities")
    if s > m:
        raise InputError(f"({s}) is above {m}, the number of patients seen", "toxicities")
    passed = [look for look in boundary.looks if look.b is not None and look.n < m]
    # at a look passed there were at least s less those that have come since
    over = next((look for look in passed if s - (m - look.n) >= (look.b or 0)), None)
    if over is not None:
        raise InputError(f"({s} of {m}) is impossible: the boundary is crossed at {over.b}/{over.n}", "toxicities")
    return m, s
