"""The section on the estimand: its attributes in words, and the intercurrent events with their strategies."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import Field

from simtrial.design.requirements import decimal
from simtrial.errors import InputError
from simtrial.laws.strategies import OF_HANDLING, Strategy
from simtrial.trial.section import Line, Section, Share, Text

if TYPE_CHECKING:
    from simtrial.trial.conduct import Conduct

EventKind = Literal["death", "new_therapy", "withdrawal", "missed_assessment", "never_started"]
"""An intercurrent event before the first assessment, by its key in the file."""
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

LABELS: dict[EventKind, str] = {
    "death": "Death before the first assessment",
    "new_therapy": "New anticancer therapy before the first assessment",
    "withdrawal": "Withdrawal before the first assessment",
    "missed_assessment": "Missed or late assessment",
    "never_started": "Treatment never started",
}
"""The events by their names."""

PROVED_TO = 5e-4
"""How far the events may miss a dropout that follows from a hazard: nobody writes more than three of its decimals."""


class EventRule(Section):
    """One intercurrent event: how often it is expected, and how its patients count."""

    probability: Share | None = Field(
        None,
        description="Probability of this event before the first assessment. All events together have the probability "
        "of conduct.dropout; an event without one then has 0. If no event has one, the table shows each event as if "
        "it were all dropout.",
    )
    strategy: Strategy | None = Field(
        None,
        description="composite: the patient counts as a non-responder. excluded: the patient is left out of the count "
        "and of the denominator. replaced: a new patient is enrolled instead. hypothetical: the patient counts with "
        "the response without the event. Default: the strategy of conduct.dropout.handling.",
    )
    reason: Line | None = Field(None, description="Reason for the strategy.")
    source: Line | None = Field(None, description="Source of the probability.")


class EventRules(Section):
    """The intercurrent events of a single-arm trial with a response endpoint; every key is optional."""

    death: EventRule | None = Field(None, description="Death before the first assessment.")
    new_therapy: EventRule | None = Field(None, description="New anticancer therapy before the first assessment.")
    withdrawal: EventRule | None = Field(None, description="Withdrawal before the first assessment.")
    missed_assessment: EventRule | None = Field(None, description="The assessment is missed or comes too late.")
    never_started: EventRule | None = Field(None, description="The treatment is never started.")

    def rule(self, kind: EventKind) -> EventRule:
        """What the file says of an event."""
        found: EventRule | None = getattr(self, kind)
        return found or EventRule()


class EstimandRule(Section):
    """The primary estimand: four attributes in words, and the intercurrent events with their strategies.

    What is left out is marked as to be completed; the endpoint and the summary follow from the rest of the file.
    """

    population: Annotated[Text, Field(max_length=1000)] | None = Field(
        None, description="The patients that the question is about: disease, stage, earlier treatment."
    )
    treatment: Annotated[Text, Field(max_length=1000)] | None = Field(
        None, description="The treatment: drugs, dose, schedule, duration, permitted other treatment."
    )
    endpoint: Annotated[Text, Field(max_length=1000)] | None = Field(
        None,
        description="The endpoint of each patient. Default: a best overall response of complete or partial response by "
        "RECIST 1.1 within the assessment window of the file.",
    )
    summary: Annotated[Text, Field(max_length=1000)] | None = Field(
        None, description="The population-level summary. Default: the response rate, compared with p0."
    )
    events: EventRules | None = Field(None, description="Intercurrent events with their strategies.")

    def rule(self, kind: EventKind) -> EventRule:
        """What the file says of an event."""
        return (self.events or EventRules()).rule(kind)

    @property
    def named(self) -> tuple[EventKind, ...]:
        """The events that the file states."""
        return tuple(kind for kind in EVENT_KINDS if self.events is not None and getattr(self.events, kind) is not None)

    @property
    def probabilities(self) -> dict[EventKind, Fraction] | None:
        """The probability of every event as a fraction, 0 where only others have one; None if none has."""
        given = {kind: self.rule(kind).probability for kind in EVENT_KINDS}
        if all(value is None for value in given.values()):
            return None
        return {kind: decimal(value or 0.0) for kind, value in given.items()}

    def check(self, conduct: Conduct | None) -> None:
        """Hold the events to what the file says of dropout.

        Raises
        ------
        InputError
            If their probabilities do not add up to that of all dropout, or their strategies contradict its handling.
        """
        found = self.probabilities
        total = None if found is None else sum(found.values(), Fraction(0))
        if conduct is None:
            if total:
                raise InputError(
                    f"have probabilities ({float(total):g} together) without the section conduct.dropout, whose "
                    "dropout they divide; add that section, or omit the probabilities",
                    "events",
                )
            return
        loss = conduct.dropout.law(conduct.assessments.law.interval).probability
        self._check_sum(total, loss, exact=conduct.dropout.probability is not None)
        taken = {
            self.rule(kind).strategy or OF_HANDLING[conduct.dropout.handling]
            for kind in EVENT_KINDS
            if found is None or found[kind]
        }
        handling = conduct.dropout.handling
        if loss and len(taken) == 1 and taken.isdisjoint((OF_HANDLING[handling], "hypothetical")):
            (one,) = taken
            right = next(key for key, strategy in OF_HANDLING.items() if strategy == one)
            raise InputError(
                f"({one} for every event) contradicts conduct.dropout.handling ({handling}); write handling: {right}, "
                "or another strategy",
                "events",
            )

    @staticmethod
    def _check_sum(total: Fraction | None, loss: float, *, exact: bool) -> None:
        if total is None:
            return
        apart = abs(total - decimal(loss))
        if apart > (Fraction(0) if exact else decimal(PROVED_TO)):
            what = "conduct.dropout.probability" if exact else "the dropout of conduct.dropout.hazard_per_month"
            raise InputError(
                f"have probabilities whose sum ({float(total):.10g}) differs from {what} ({loss:.10g}); change one of "
                "them (an event without a probability counts as 0)",
                "events",
            )
