"""Section 3.1 of a protocol: the primary estimand in its attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from simtrial.phrases import counted, stated, to_complete
from simtrial.show.document import Chapter
from simtrial.show.table import WORDS, Table, column

if TYPE_CHECKING:
    from simtrial.documents.facts import Facts

STRATEGIES = {
    "nonresponder": "composite strategy: the patient counts as a non-responder",
    "replace": "the patient is replaced by a new patient",
    "exclude": "the patient is excluded from the responses and from the denominator",
}
"""The strategy that the handling of dropout is."""


def objective(facts: Facts) -> Chapter:
    """Section 3.1."""
    asked = facts.asked
    rows = [
        ("Population", to_complete("population (disease, stage, earlier treatment, main eligibility criteria)")),
        ("Treatment", to_complete("treatment (drugs, dose, schedule, duration)")),
        ("Endpoint", _endpoint(facts)),
        ("Intercurrent events", _events(facts)),
        ("Population-level summary", f"Objective response rate, compared with p0 = {stated(asked.p0)}"),
    ]
    frame = pd.DataFrame(rows, columns=["attribute", "definition"])
    shown = {"attribute": column("attribute", WORDS), "definition": column("definition", WORDS)}
    return Chapter(
        number="3.1", title="Primary objective and associated estimand", code="C218527", level=2,
        blocks=(Table("estimand", "Attributes of the primary estimand.", frame, shown),),
    )  # fmt: skip


def handling(facts: Facts) -> tuple[str, ...]:
    """Section 10.4.1.2: how the data of each intercurrent event are handled."""
    if facts.handling is None:
        return (to_complete("intercurrent events, and how the data of each are handled"),)
    return (f"Dropout before the first assessment, whatever its cause: {STRATEGIES[facts.handling]}.",)


def _endpoint(facts: Facts) -> str:
    given = facts.case.trial.conduct
    said = "Objective response: complete or partial response as best overall response"
    if given is None:
        return f"{said}; {to_complete('assessment window')}"
    known = given.assessments
    if known.readout_months is not None:
        return f"{said}, assessed within {counted(known.readout_months, 'month')} of enrollment"
    confirmed = f", confirmed {counted(known.confirmation_weeks, 'week')} later" if known.confirmation_weeks else ""
    return f"{said}, by week {known.window_weeks:g} after enrollment{confirmed}"


def _events(facts: Facts) -> str:
    if facts.handling is None:
        return to_complete("intercurrent events with their strategies")
    return f"Dropout before the first assessment: {STRATEGIES[facts.handling]}"
