"""What the toxicities of a trial say of its boundary, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.months import WEEK
from simtrial.phrases import agreeing, counted, percent, stated
from simtrial.toxicity.boundary import boundary_text

if TYPE_CHECKING:
    from simtrial.analysis.distance import RoomLeft, ToxicityWatched
    from simtrial.analysis.safety import ToxicityFound
    from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook

TOXICITY_NAMES = {
    "mle": "toxicities per patient counted (naive)",
    "umvue": "UMVUE (unbiased)",
    "median_unbiased": "median unbiased, stage-wise ordering",
}
TOXICITY_INTERVALS = {"exact": "exact, stage-wise ordering", "naive": "naive (Clopper-Pearson)"}

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
    said += _open_said(found)
    said += _crossing_said(found) if found.crossing is not None else [standing(found.room)]
    return tuple(said)


def _open_said(found: ToxicityFound) -> list[str]:
    """Of whom it is not known that there was no toxicity within the window, and who is taken to have had none."""
    said = []
    if found.pending:
        said.append(
            f"{_who(found.pending)} {agreeing(len(found.pending), 'is', 'are')} pending: no toxicity so far, and the "
            "window is not known to be over. All estimates count a pending patient as one without toxicity."
        )
    if found.unknown:
        said.append(
            f"Among the pending {_who(found.unknown)} {agreeing(len(found.unknown), 'has', 'have')} no information on "
            "toxicity at all: no grade, no time and no event flag."
        )
    if found.untimed:
        said.append(
            f"Among the pending {_who(found.untimed)} {agreeing(len(found.untimed), 'has', 'have')} an event flag that "
            "states no toxicity, but no time that shows the window to be over."
        )
    if found.taken:
        said.append(
            f"{_who(found.taken)} {agreeing(len(found.taken), 'is', 'are')} taken to have had no toxicity, as the time "
            "is empty and the file holds neither grades nor event flags."
        )
    return said


def stopped_said(found: ToxicityFound) -> str:
    """What a stop for toxicity means for the test of response, and its reason."""
    assert found.look is not None  # it was crossed
    return (
        f"The trial was stopped for toxicity: {_reached(found.look)}, so the trial makes no claim, and H0 is not "
        "rejected, whatever the responses."
    )


def _crossing_said(found: ToxicityFound) -> list[str]:
    crossing, look = found.crossing, found.look
    assert crossing is not None
    assert look is not None
    k = crossing.patient
    said = [f"The boundary was crossed: {_reached(look)}, by patient {k} in the order of enrollment."]
    at = found.moment
    if at is None:
        said.append("When it was crossed is not known: that needs every date of enrollment and time of toxicity.")
    else:
        pending = f"{_who(at.pending)} {agreeing(len(at.pending), 'was', 'were')}" if at.pending else "no patient was"
        said.append(
            f"It was crossed {at.month:.2f} months after the first enrollment, on {at.day}, at the toxicity that "
            f"completed the number. By then {_who(at.toxic)} of the {at.enrolled} enrolled had a toxicity"
            f"{'' if found.window is None else f', and {pending} pending'}."
        )
    if found.after:
        number = counted(found.estimates.toxicities, "toxicity", "toxicities")
        verb, count = agreeing(found.after, "was", "were"), agreeing(found.after, "does", "do")
        said.append(
            f"The boundary counts the patients in the order of enrollment, and the first {k} are enough to cross it; "
            "on the day of the crossing some of them may still be pending, and later patients may have had a toxicity "
            f"already. The estimates that respect the rule use {agreeing(k, 'this', 'these')} {counted(k, 'patient')}, "
            f"with {number}. {counted(found.after, 'patient')} {verb} enrolled after patient {k}, with "
            f"{counted(found.after_toxicities, 'toxicity', 'toxicities')}, and {count} not count in these estimates. "
            f"{_overall(found)}"
        )
    return said


def _overall(found: ToxicityFound) -> str:
    low, high = found.overall
    return (
        f"Among all {counted(found.enrolled, 'enrolled patient')} {found.toxicities} had a toxicity "
        f"({percent(found.toxicities / found.enrolled)}; {100 * found.estimates.level:g}% confidence interval "
        f"{percent(low)} to {percent(high)}, Clopper-Pearson, the rule left aside)."
    )


def _reached(look: ToxicityLook) -> str:
    return f"at least {look.b} of the first {look.n} enrolled had a toxicity"


def crossed_now(look: ToxicityLook) -> str:
    """That a running trial has crossed its boundary, and what it means."""
    return (
        f"The boundary for toxicity is crossed: {_reached(look)}. The trial stops. It makes no claim: H0 is not "
        "rejected, whatever the responses."
    )


def standing_now(found: ToxicityWatched) -> str:
    """Where a running trial stands of which the number of toxicities is known, and not who had them."""
    look = found.maybe
    if look is None:
        return standing(found.room)
    which = "all of them are" if found.toxicities == look.b else f"{look.b} of them are"
    return (
        f"Whether the boundary for toxicity was crossed is not known from the counts: if {which} among the first "
        f"{look.n}, it was crossed at {look.b}/{look.n}, and the trial stops. If it was not, {_next(found.room)}"
    )


def standing(room: RoomLeft | None) -> str:
    """Where a trial stands that has not crossed its boundary."""
    return f"The boundary was not crossed{', and ' if room is None else '. '}{_next(room, whole=room is not None)}"


def _next(room: RoomLeft | None, *, whole: bool = False) -> str:
    if room is None:
        return "no further look can be."
    left = f"{counted(room.patients, 'patient')} whose status is not known yet"
    return (
        f"{'It' if whole else 'it'} is crossed at the look at {counted(room.look.n, 'patient')} with at least "
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
    if found.after:
        bias = f"{bias} {_overall(found)}"
    which = ", counted up to the crossing of the boundary" if found.after else ""
    return (
        f"Of {counted(seen.n, 'patient')} {seen.toxicities} had a toxicity ({percent(seen.estimates['mle'])}{which}). "
        "The "
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
        "not_known": list(found.unknown),
        "no_end_of_observation": list(found.untimed),
        "taken_as_none": list(found.taken),
        "crossed": found.crossing is not None,
        "look": None if look is None else {"n": look.n, "b": look.b},
        "patient": None if found.crossing is None else found.crossing.patient,
        "month": None if at is None else at.month,
        "date": None if at is None else at.day.isoformat(),
        "enrolled_by_then": None if at is None else at.enrolled,
        "toxic_by_then": None if at is None else list(at.toxic),
        "pending_by_then": None if at is None else list(at.pending),
        "not_counted": {"patients": found.after, "toxicities": found.after_toxicities},
        "ahead": None
        if room is None
        else {"n": room.look.n, "b": room.look.b, "toxicities_needed": room.needed, "patients": room.patients},
        "all_enrolled": {"share": found.toxicities / found.enrolled, "interval": list(found.overall)},
        "estimates": dict(found.estimates.estimates),
        "intervals": {name: list(limits) for name, limits in found.estimates.intervals.items()},
        "level": found.estimates.level,
        "bias": [{"rate": rate, "bias": bias} for rate, bias in found.bias],
    }
