"""What the toxicities of a trial say of its boundary, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.months import WEEK
from simtrial.phrases import agreeing, counted, percent, stated
from simtrial.toxicity.boundary import boundary_text

if TYPE_CHECKING:
    from simtrial.analysis.distance import RoomLeft
    from simtrial.analysis.safety import ToxicityFound
    from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook

TOXICITY_NAMES = {
    "mle": "toxicities per patient (naive)",
    "umvue": "UMVUE (unbiased)",
    "median_unbiased": "median unbiased, stage-wise ordering",
}
TOXICITY_INTERVALS = {"exact": "exact, stage-wise ordering", "naive": "naive (Clopper-Pearson)"}

NO_CLAIM = (
    "The boundary for toxicity was crossed, so the trial makes no claim: H0 is not rejected, whatever the responses."
)
"""What a stop for toxicity means for the test of response."""

MOST_NAMED = 8
"""Patients who are named; more are counted."""


def rule_said(boundary: ToxicityBoundary) -> str:
    """The boundary in words, the convention named: stop if at least b of n."""
    shown = [look for look in boundary.looks if look.b is not None]
    if len(shown) <= MOST_NAMED:
        each = [f"{look.b} of the first {look.n}" for look in shown]
        parts = each[0] if len(each) == 1 else f"{', '.join(each[:-1])} or {each[-1]}"
        return f"The trial stops for toxicity if at least {parts} enrolled had one."
    first, last = shown[0], shown[-1]
    return (
        f"The trial stops for toxicity at {counted(len(shown), 'look')}, from at least {first.b} of the first "
        f"{first.n} to at least {last.b} of the first {last.n} enrolled."
    )


def toxicity_said(found: ToxicityFound) -> tuple[str, ...]:
    """Whether the boundary was crossed, when, who was pending, and where the trial stands."""
    number = counted(found.toxicities, "toxicity", "toxicities")
    said = [
        f"{rule_said(found.boundary)} There {agreeing(found.toxicities, 'is', 'are')} {number} of grade 3 or higher in "
        f"{counted(found.enrolled, 'enrolled patient')}."
    ]
    if found.late:
        verb = agreeing(found.late, "lies", "lie")
        said.append(
            f"{counted(found.late, 'further toxicity', 'further toxicities')} {verb} beyond the window of "
            f"{counted(round((found.window or 0) / WEEK, 2), 'week')} after enrollment and "
            f"{agreeing(found.late, 'does', 'do')} not count."
        )
    if found.pending:
        said.append(
            f"{_who(found.pending)} {agreeing(len(found.pending), 'is', 'are')} pending: no toxicity so far, and the "
            "window is not over or no grade is given. All estimates count a pending patient as one without toxicity."
        )
    said += _crossing_said(found) if found.crossing is not None else [standing(found.room)]
    return tuple(said)


def _crossing_said(found: ToxicityFound) -> list[str]:
    crossing, look = found.crossing, found.look
    assert crossing is not None
    assert look is not None
    said = [f"The boundary was crossed: {_reached(look)}, by patient {crossing.patient} in the order of enrollment."]
    at = found.moment
    if at is None:
        said.append("When it was crossed is not known: that needs every date of enrollment and time of toxicity.")
    else:
        pending = f"{_who(at.pending)} {agreeing(len(at.pending), 'was', 'were')} pending"
        said.append(
            f"It was crossed {at.month:.2f} months after the first enrollment, on {at.day}. By then "
            f"{counted(at.enrolled, 'patient')} {agreeing(at.enrolled, 'was', 'were')} enrolled"
            f"{'' if found.window is None else f'; {pending}'}."
        )
    if found.after:
        verb = agreeing(found.after, "was", "were")
        said.append(
            f"{counted(found.after, 'patient')} {verb} enrolled after patient {crossing.patient}, with "
            f"{counted(found.after_toxicities, 'toxicity', 'toxicities')}; they do not count in the estimates below."
        )
    return said


def _reached(look: ToxicityLook) -> str:
    return f"at least {look.b} of the first {look.n} enrolled had a toxicity"


def crossed_now(look: ToxicityLook) -> str:
    """That a running trial has crossed its boundary."""
    return f"The boundary for toxicity is crossed: {_reached(look)}. The trial stops."


def standing(room: RoomLeft | None) -> str:
    """Where a trial stands that has not crossed its boundary."""
    if room is None:
        return "The boundary was not crossed, and no further look can be."
    left = f"{counted(room.patients, 'patient')} whose status is not known yet"
    return (
        f"The boundary was not crossed. It is crossed at the look at {counted(room.look.n, 'patient')} with at least "
        f"{counted(room.needed, 'further toxicity', 'further toxicities')} in the {left}."
    )


def _who(ids: tuple[str, ...]) -> str:
    if not ids:
        return "No patient"
    named = f" ({', '.join(ids)})" if len(ids) <= MOST_NAMED else ""
    return f"{counted(len(ids), 'patient')}{named}"


def toxicity_rate_said(found: ToxicityFound) -> str:
    """The rate of toxicity, for a paper."""
    seen = found.estimates
    low, high = seen.intervals["exact"]
    biases = [f"{100 * bias:+.1f} percentage points at a true rate of {stated(rate)}" for rate, bias in found.bias]
    bias = f" The bias of the observed share is {' and '.join(biases)}." if biases else ""
    return (
        f"Of {counted(seen.n, 'patient')} {seen.toxicities} had a toxicity ({percent(seen.estimates['mle'])}). The "
        f"rate of toxicity, adjusted for the stopping rule, is {percent(seen.estimates['umvue'])} (uniformly minimum "
        f"variance unbiased estimate; {100 * seen.level:g}% confidence interval {percent(low)} to {percent(high)}, "
        f"exact, stage-wise ordering).{bias}"
    )


def toxicity_json(found: ToxicityFound) -> dict[str, object]:
    """What the boundary says, as plain values."""
    look, room, at = found.look, found.room, found.moment
    return {
        "boundary": boundary_text(found.boundary),
        "window_months": found.window,
        "patients": found.enrolled,
        "toxicities": found.toxicities,
        "beyond_window": found.late,
        "pending": list(found.pending),
        "crossed": found.crossing is not None,
        "look": None if look is None else {"n": look.n, "b": look.b},
        "patient": None if found.crossing is None else found.crossing.patient,
        "month": None if at is None else at.month,
        "date": None if at is None else at.day.isoformat(),
        "enrolled_by_then": None if at is None else at.enrolled,
        "pending_by_then": None if at is None else list(at.pending),
        "not_counted": {"patients": found.after, "toxicities": found.after_toxicities},
        "ahead": None
        if room is None
        else {"n": room.look.n, "b": room.look.b, "toxicities_needed": room.needed, "patients": room.patients},
        "estimates": dict(found.estimates.estimates),
        "intervals": {name: list(limits) for name, limits in found.estimates.intervals.items()},
        "level": found.estimates.level,
        "bias": [{"rate": rate, "bias": bias} for rate, bias in found.bias],
    }
