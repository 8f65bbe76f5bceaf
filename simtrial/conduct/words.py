"""How the conduct of a trial is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.show.passage import percent

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.plan.plan import Plan


HANDLINGS = {
    "nonresponder": "counted as non-responders",
    "replace": "replaced by new patients",
    "exclude": "left out of the count and of the denominator",
}
"""What becomes of patients without a response status."""


def lost(plan: Plan, requirements: Requirements) -> str:
    """How many are lost, overall and, where it differs, by who would have responded."""
    loss = plan.dropout
    if loss.responder_odds_ratio == 1:
        return f"{percent(loss.probability)} of the patients lost before their first assessment"
    p0, p1 = (percent(round(loss.lost(p), 4)) for p in (requirements.p0, requirements.p1))
    return (
        f"{percent(round(loss.of_responder, 4))} of those who would respond and {percent(loss.probability)} of the "
        f"others lost before their first assessment ({p0} of all at p0, {p1} at p1)"
    )
