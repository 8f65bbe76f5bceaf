"""How far a running trial is from its boundary for toxicity, and how likely it crosses it later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

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
    """P(the boundary is crossed later | not crossed so far; rate): exact, by the recursion over the looks ahead.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The rule.
    patients, toxicities : int
        So far, with the status of each patient known. In which order they came does not matter: looks ahead count all.
    rate : float
        Rate of toxicity in the patients to come, in [0, 1].

    Raises
    ------
    InputError
        If the boundary has been crossed with certainty, or a number cannot be one of its kind.
    """
    _, found = _ahead(boundary, patients, toxicities, rate, boundary.n)
    return min(found, 1.0)


def uncrossed(boundary: ToxicityBoundary, patients: int, toxicities: int, rate: float, until: int) -> float:
    """P(the boundary is not crossed at a look by `until` patients | not crossed so far; rate); see `later`."""
    kept, _ = _ahead(boundary, patients, toxicities, rate, until)
    return min(kept, 1.0)


def _ahead(boundary: ToxicityBoundary, patients: int, toxicities: int, rate: float, until: int) -> tuple[float, float]:
    """Probabilities of not crossing, and of crossing, at the looks ahead up to a number of patients."""
    m, s = _so_far(patients, toxicities)
    over = surely_crossed(boundary, m, s)
    if over is not None:
        raise InputError(f"({s} of {m}) leave no room: the boundary is crossed at {over.b}/{over.n}", "toxicities")
    theta = probability(rate, "rate", closed=True)
    chances, now, found = np.zeros(m + 1), m, 0.0
    chances[s] = 1.0
    for look in boundary.looks:
        if look.b is None or look.n <= m or look.n > until:
            continue
        chances, now = np.convolve(chances, binomial_pmf(look.n - now, theta)), look.n
        found += float(chances[look.b :].sum())
        chances = chances[: look.b]
    return float(chances.sum()), found


def surely_crossed(boundary: ToxicityBoundary, patients: int, toxicities: int) -> ToxicityLook | None:
    """The first look at which the boundary was crossed, in whatever order the toxicities came; None if in some not.

    At a look at n that has been passed there were at least s - (m - n) of the s toxicities in m patients; all these
    least numbers belong to one order, that in which the toxicities came last.
    """
    m, s = patients, toxicities
    return next((one for one in boundary.looks if one.b is not None and s - max(m - one.n, 0) >= one.b), None)


def maybe_crossed(boundary: ToxicityBoundary, toxicities: int) -> ToxicityLook | None:
    """The first look at which the boundary was crossed if the toxicities came first; None if in no order."""
    return next((one for one in boundary.looks if one.b is not None and min(toxicities, one.n) >= one.b), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityWatched:
    """The toxicities of a running trial against its boundary.

    Attributes
    ----------
    patients, toxicities : int
        So far.
    over : ToxicityLook or None
        The look at which the boundary has been crossed in whatever order the toxicities came, if it has.
    maybe : ToxicityLook or None
        Else the look at which it has been crossed if they came first, so that the counts do not tell.
    room : RoomLeft or None
        If it has not been crossed so far: the first look ahead that can still be crossed.
    later : tuple of tuple of float
        Rates of toxicity, and the probability of crossing the boundary later if it has not been crossed so far.
    """

    patients: int
    toxicities: int
    over: ToxicityLook | None
    maybe: ToxicityLook | None
    room: RoomLeft | None
    later: tuple[tuple[float, float], ...]

    @property
    def crossed(self) -> bool | None:
        """Whether the boundary has been crossed; None where the counts do not tell."""
        return True if self.over is not None else None if self.maybe is not None else False


def watched(boundary: ToxicityBoundary, patients: int, toxicities: int, rates: Sequence[float]) -> ToxicityWatched:
    """Say where a running trial stands: distance to the boundary, and the probability of crossing it later.

    Accrual does not wait for toxicities, so there may be more of them than a look that has been passed allows.

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
        If a number cannot be one of its kind.
    """
    m, s = _so_far(patients, toxicities)
    over = surely_crossed(boundary, m, s)
    if over is not None:
        return ToxicityWatched(patients=m, toxicities=s, over=over, maybe=None, room=None, later=())
    chances = tuple((rate, later(boundary, m, s, rate)) for rate in rates)
    maybe, room = maybe_crossed(boundary, s), ahead(boundary, m, s)
    return ToxicityWatched(patients=m, toxicities=s, over=None, maybe=maybe, room=room, later=chances)


def _so_far(patients: int, toxicities: int) -> tuple[int, int]:
    m, s = count(patients, "patients"), count(toxicities, "toxicities")
    if s > m:
        raise InputError(f"({s}) is above {m}, the number of patients seen", "toxicities")
    return m, s
