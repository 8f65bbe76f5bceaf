"""The primary estimand of a trial, and what each other strategy for an intercurrent event would cost.

The four attributes in words and the events with their strategies come from the section `estimand` of the parameter
file; what it does not say follows from the other sections, or is marked as to be completed. Beside each strategy stands
what the design attains under it: exact values of `simtrial.laws.strategies`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.phrases import counted, placeholders, stated, to_complete
from simtrial.trial.intercurrent import EVENT_KINDS, LABELS, EstimandRule
from simtrial.trial.strategies import StrategyPrices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.laws.losses import Among
    from simtrial.laws.strategies import Strategy
    from simtrial.plan.dropout import Dropout
    from simtrial.trial.case import Case
    from simtrial.trial.intercurrent import EventKind
    from simtrial.trial.strategies import BoundsRule, Priced

NO_STRATEGY = to_complete("strategy for each intercurrent event")
NO_PROBABILITY = to_complete("probability of each intercurrent event, since their strategies differ")


@dataclass(frozen=True, kw_only=True)
class IntercurrentEvent:
    """One intercurrent event.

    Attributes
    ----------
    kind : EventKind
        Its key in the file.
    label : str
        Its name.
    probability : float or None
        Its probability, of a patient who would not respond; None where only that of all events is stated.
    strategy : Strategy or None
        The strategy taken; None where the file states none.
    bounds : BoundsRule or None
        What becomes of the bounds where the patient is excluded.
    reason, source : str
        Reason for the strategy, or a mark that it is missing (empty for an event that the file leaves out);
        source of the probability, which may be empty.
    alternatives : tuple of Priced
        Every strategy for this event, the others being handled as they are; without probabilities of single events,
        every strategy for all dropout.
    """

    kind: EventKind
    label: str
    probability: float | None
    strategy: Strategy | None
    bounds: BoundsRule | None
    reason: str
    source: str
    alternatives: tuple[Priced, ...]


@dataclass(frozen=True, kw_only=True)
class Estimand:
    """The primary estimand with its price.

    Attributes
    ----------
    population, treatment, endpoint, summary : str
        Four attributes in words; the fifth are the events.
    p0_among : Among
        Whose response rate p0 is.
    events : tuple of IntercurrentEvent
        The events, in the order of `EVENT_KINDS`.
    together : tuple of Priced
        Every strategy for all dropout.
    stated : Priced or None
        All events as they are handled; None where the probabilities of events with different strategies are missing.
    each : bool
        Whether the events have probabilities of their own, so that each is priced by itself.
    dropout : Dropout or None
        The law of all dropout; None if the file does not say.
    cure : str
        The name of the criterion by which `Priced.cure` is chosen.
    """

    population: str
    treatment: str
    endpoint: str
    summary: str
    p0_among: Among
    events: tuple[IntercurrentEvent, ...]
    together: tuple[Priced, ...]
    stated: Priced | None
    each: bool
    dropout: Dropout | None
    cure: str

    @property
    def to_complete(self) -> tuple[str, ...]:
        """Every mark of a missing part, each once, in the order of the attributes."""
        texts = [self.population, self.treatment, self.endpoint, self.summary]
        for event in self.events:
            texts += ["" if event.strategy else NO_STRATEGY, event.reason, event.source]
        if self.stated is None:
            texts.append(NO_PROBABILITY)
        return tuple(dict.fromkeys(to_complete(one) for text in texts for one in placeholders(text)))

    @property
    def readings_differ(self) -> bool:
        """Whether the type I error depends on whose response rate p0 is, under any strategy shown."""
        shown = [*self.together, *(one for event in self.events for one in event.alternatives)]
        return any(len(set(one.by_reading.values())) > 1 for one in shown)


def of(case: Case) -> Estimand:
    """The primary estimand of a trial with the price of every strategy."""
    rule = case.trial.estimand or EstimandRule()
    prices = StrategyPrices(case, rule)
    return Estimand(
        population=_one_line(rule.population)
        or to_complete("population (disease, stage, earlier treatment, main eligibility criteria)"),
        treatment=_one_line(rule.treatment) or to_complete("treatment (drugs, dose, schedule, duration)"),
        endpoint=_one_line(rule.endpoint) or _endpoint(case),
        summary=_one_line(rule.summary) or _summary(case, prices),
        p0_among=case.trial.reading,
        events=tuple(_events(prices)),
        together=tuple(prices.together()),
        stated=prices.stated(),
        each=prices.shares is not None,
        dropout=None if prices.how is None else prices.loss,
        cure=prices.criterion.name,
    )


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _endpoint(case: Case) -> str:
    """The default of the endpoint: as RECIST defines it, in the assessment window of the file."""
    response = "Objective response: a best overall response of complete or partial response by RECIST 1.1"
    given = case.trial.conduct
    if given is None:
        return f"{response}, within {to_complete('assessment window')}"
    assessed = given.assessments
    if assessed.readout_months is not None:
        return f"{response}, assessed within {counted(assessed.readout_months, 'month')} of enrollment"
    confirmed = assessed.confirmation_weeks
    more = f", confirmed {counted(confirmed, 'week')} later" if confirmed else ", without confirmation"
    return f"{response}, by week {assessed.window_weeks:g} after enrollment{more}"


def _summary(case: Case, prices: StrategyPrices) -> str:
    """The default of the population-level summary: the response rate, with its denominator."""
    left_out = [word for word in ("replaced", "excluded") if word in prices.taken.values()]
    among = "all enrolled patients" if prices.taken else "the patients analysed"
    if left_out:
        neither = f"neither {left_out[0]} nor" if left_out[1:] else "not"
        among = f"the patients who are {neither} {left_out[-1]}"
        if set(prices.taken.values()) <= set(left_out):
            among = "the evaluable patients"
    p0 = stated(case.requirements.p0)
    return f"Objective response rate: the proportion of responders among {among}, compared with p0 = {p0}"


def _no_reason(event: str, *, named: bool, alone: bool) -> str:
    """The mark of a missing reason; none for an event that the file leaves out beside others with their reasons."""
    if not named and alone:
        return ""
    return to_complete(f"reason for the strategy for {event if alone else 'the intercurrent events'}")


def _events(prices: StrategyPrices) -> Iterator[IntercurrentEvent]:
    named = prices.rule.named
    unexplained = all(prices.rule.rule(kind).reason is None for kind in EVENT_KINDS)
    for kind in EVENT_KINDS:
        given = prices.rule.rule(kind)
        label = LABELS[kind]
        within = f"{label[0].lower()}{label[1:]}"
        yield IntercurrentEvent(
            kind=kind,
            label=label,
            probability=prices.probability(kind),
            strategy=prices.strategy(kind),
            bounds=prices.file_bounds if prices.strategy(kind) == "excluded" else None,
            reason=_one_line(given.reason) or _no_reason(within, named=kind in named, alone=not unexplained),
            source=_one_line(given.source),
            alternatives=tuple(prices.alternatives(kind)),
        )
