"""The primary estimand in sentences: for the protocol (ICH M11 sections 3.1, 10.4.1.2 and 10.4.1.3), and its price."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simtrial.conduct.text import HANDLINGS
from simtrial.design.designs import looks_short
from simtrial.phrases import agreeing, attained, listed, percent, stated, to_complete
from simtrial.trial import estimand, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.requirements import Requirements
    from simtrial.laws.losses import Among
    from simtrial.laws.strategies import Strategy
    from simtrial.trial.case import Case
    from simtrial.trial.estimand import Estimand, IntercurrentEvent
    from simtrial.trial.strategies import BoundsRule, Priced

NAMES: dict[Strategy, str] = {
    "composite": "Composite (non-responder)",
    "excluded": "Excluded",
    "replaced": "Replaced",
    "hypothetical": "Hypothetical (as if assessed)",
}
"""The strategies in a table."""

BOUNDS: dict[BoundsRule, str] = {"fixed": "planned bounds", "recut": "recalculated bounds"}
"""What becomes of the bounds where patients are excluded."""

FIRST_OR_SECOND: dict[Among, str] = {"enrolled": "first", "evaluable": "second"}
"""The readings of p0 in the order of the columns."""

LEAST_MOVED = 0.0005
"""A change of power that is named: one that one decimal of a percentage may show."""

COUNTS: dict[Strategy, str] = {
    "composite": "the patient counts as a non-responder (composite strategy)",
    "excluded": "the patient is excluded from the number of responses and from the number of patients",
    "replaced": "the patient does not count and is replaced by a new patient",
    "hypothetical": "the patient counts with the response without the event, as if it had not occurred (hypothetical "
    "strategy)",
}
"""How a patient with an event counts, within a sentence."""


def strategy(strategy: Strategy | None, bounds: BoundsRule | None = None) -> str:
    """A strategy in a table."""
    if strategy is None:
        return "Strategies as stated"
    return NAMES[strategy] + (f" ({BOUNDS[bounds]})" if bounds else "")


class EventRows(NamedTuple):
    """The rows of one event in a table: its name with its probability, and every strategy."""

    label: str
    priced: tuple[Priced, ...]


def blocks(found: Estimand) -> Iterator[EventRows]:
    """The events that may happen with their strategies, where each has a probability; then all events together."""
    if found.each:
        for event in found.events:
            if event.probability:
                yield EventRows(f"{event.label} ({stated(event.probability)})", event.alternatives)
    total = "" if found.dropout is None else f" ({stated(round(found.dropout.probability, 4))})"
    lost = found.dropout is not None and found.dropout.probability > 0
    several = lost and not any(one.taken for one in found.together)
    first = (found.stated,) if several and found.stated is not None else ()
    yield EventRows(f"All events{total}", (*first, *found.together))


def enrolled(one: Priced) -> str:
    """Patients enrolled if the trial reaches its last look; the mean at p1 where this is random."""
    if one.n_enrolled_mean is None:
        return "–"
    return str(one.n_enrolled) if one.n_enrolled is not None else f"{one.n_enrolled_mean[1]:.1f}"


def priced_caption(case: Case, found: Estimand) -> str:
    """The caption of the priced strategies."""
    if found.each:
        rows = (
            "Each row changes the strategy for one intercurrent event and keeps the others; the last rows apply one "
            "strategy to all events"
        )
    else:
        rows = "Each row applies one strategy to all intercurrent events"
    asked, whose = case.requirements, ""
    if found.readings_differ:
        counts = ", which counts events with the composite strategy as non-response" if found.each else ""
        whose = (
            f". p0 is read in two ways: as the rate among all enrolled patients{counts}, or as the rate with every "
            f"patient evaluable; verdict and design take the {FIRST_OR_SECOND[found.p0_among]}"
        )
    return (
        f"What {looks_short(case.chosen)} attains under each strategy, with p0 = {asked.p0:g} and p1 = "
        f"{asked.p1:g}: exact type I error, power, and mean number of enrolled patients with accrual held at each "
        f"look. {rows}. Strategies taken are in bold. The last column gives the design that keeps both "
        f"limits under the strategy ({found.cure}); a dash means that there is none, or that its search takes "
        f"long{whose}"
    )


def objective(found: Estimand) -> tuple[str, ...]:
    """Section 3.1: what stands above the table of the attributes."""
    opening = (
        "The primary estimand is defined by five attributes (ICH E9(R1)): population, treatment, endpoint, "
        "intercurrent events with the strategy for each, and population-level summary."
    )
    composite = any(event.strategy == "composite" and event.probability != 0 for event in found.events)
    return (opening, f"p0 is {whose(found)}.") if composite else (opening,)


def whose(found: Estimand) -> str:
    """Whose response rate p0 is, where events may count as non-response."""
    others = {event.strategy for event in found.events if event.probability != 0} - {"composite"}
    if found.p0_among == "enrolled" and others:
        return (
            "the response rate among all enrolled patients, events with the composite strategy counting as non-response"
        )
    return words.READINGS[found.p0_among]


def handling(found: Estimand) -> tuple[str, ...]:
    """Section 10.4.1.2: how the data of each intercurrent event are handled, and why; one paragraph per event."""
    return (*(_handled(event) for event in found.events), how_many(found))


def _handled(event: IntercurrentEvent) -> str:
    if event.strategy is None:
        return f"{event.label}: {estimand.NO_STRATEGY}."
    bounds = f", with {BOUNDS[event.bounds]}" if event.bounds else ""
    reason = event.reason if event.reason.endswith((".", "]")) else f"{event.reason}."
    reason = f" Reason: {reason}" if event.reason else ""
    often = f" (expected in {stated(event.probability)} of the patients)" if event.probability else ""
    return f"{event.label}{often}: {COUNTS[event.strategy]}{bounds}.{reason}"


def how_many(found: Estimand) -> str:
    """What the file says of the probability of the events."""
    if found.dropout is None:
        return "The parameter file states no dropout, so no intercurrent event enters the sample size."
    if not found.dropout.probability:
        return "No dropout is assumed, so no intercurrent event enters the sample size."
    informative = found.dropout.responder_odds_ratio != 1
    among = "the patients who would not respond" if informative else "the patients"
    total = stated(round(found.dropout.probability, 4))
    said = f"All intercurrent events before the first assessment together are expected in {total} of {among}"
    if informative:
        said += (
            f" and in {percent(found.dropout.of_responder)} of those who would respond; which event occurs does not "
            "depend on the response"
        )
    if found.each:
        return f"{said}."
    return f"{said}; the probabilities of the single events are not stated."


def missing_data(found: Estimand, asked: Requirements) -> tuple[str, ...]:
    """Section 10.4.1.3: how missing responses are handled, under which assumption, and why."""
    taken = {event.strategy for event in found.events if event.probability != 0}
    sentences = []
    if "composite" in taken:
        sentences.append(
            "Where a patient counts as a non-responder, no response is missing: the event is part of the endpoint, and "
            "no assumption about the missing assessment is needed. If p0 is the response rate among all enrolled "
            "patients, the type I error is kept whatever the dropout is; the observed response rate is a lower bound "
            "of the rate without these events."
        )
    if taken & {"excluded", "replaced"}:
        verb = listed([name for name in ("excluded", "replaced") if name in taken])
        sentences.append(
            f"Where patients are {verb}, missing responses are not imputed, and the analysis assumes that dropout is "
            f"independent of response (missing completely at random).{_informative(found, asked)}"
        )
    if "hypothetical" in taken:
        sentences.append(
            "Under the hypothetical strategy the response without the event is not observed. It is obtained by "
            f"{to_complete('method by which the response without the event is obtained, and its assumption')}. "
            "The exact figures are those of a trial in which it is known."
        )
    if taken - {None}:
        sentences.append("The reasons are those for the strategies for the intercurrent events.")
    if None in taken:
        sentences.append(f"Missing response assessments: {to_complete('method, assumption and reason')}.")
    return tuple(sentences)


def _informative(found: Estimand, asked: Requirements) -> str:
    """What dropout that depends on response does to the rate among the evaluable patients."""
    loss = found.dropout
    if loss is None or loss.responder_odds_ratio == 1 or not loss.probability:
        return ""
    rates = listed([f"{percent(float(loss.among_evaluable(p)))} at {stated(p)}" for p in (asked.p0, asked.p1)])
    return (
        f" The parameter file assumes that it is not: the odds of dropout of patients who would respond are "
        f"{loss.responder_odds_ratio:g} times as large, and the response rate among the evaluable patients becomes "
        f"{rates}; the exact figures include this."
    )


def price(case: Case, found: Estimand) -> tuple[str, ...]:
    """What the strategies of the file attain, what other strategies would change, and what is not included."""
    asked = case.requirements
    if found.dropout is None or not found.dropout.probability:
        one = found.stated
        assert one is not None  # nothing is divided among strategies
        return (
            f"{how_many(found)} Every strategy gives the type I error and the power on paper: {_errors(one, asked)}."
            f"{words.unless(case)}",
        )
    sentences = [how_many(found)]
    if found.stated is not None:
        design = looks_short(case.chosen)
        missed = "" if found.stated.keeps is not False else " It does not keep both limits."
        sentences.append(f"With the strategies as stated, {design} has {_errors(found.stated, asked)}.{missed}")
    else:
        sentences.append(
            "The strategies of the events differ, so the type I error and the power depend on how often each event "
            f"occurs: {estimand.NO_PROBABILITY}."
        )
    sentences += [_dearest(found, asked), _best(found), _limits(case, found)]
    return tuple(filter(None, sentences))


def _errors(one: Priced, asked: Requirements) -> str:
    if one.figures is None:
        return f"no exact figures: dropout {one.why_not}"
    errors = (
        f"a type I error of {attained(one.figures.type_i_error, asked.alpha, least=False)} and a power of "
        f"{attained(one.figures.power, asked.power, least=True)}"
    )
    enrolled = f"{one.figures.en_p0:.1f} patients are enrolled on average at p0 and {one.figures.en_p1:.1f} at p1"
    return f"{errors}; {enrolled}"


def _dearest(found: Estimand, asked: Requirements) -> str:
    """The change of one event's strategy that moves the power most; empty where events are not priced by themselves."""
    if not found.each or found.stated is None or found.stated.figures is None:
        return ""
    power = found.stated.figures.power
    changes = [
        (abs(one.figures.power - power), event, one)
        for event in found.events
        for one in event.alternatives
        if one.figures is not None and not one.taken and event.probability
    ]
    moved, event, one = max(changes, key=lambda change: change[0])
    if one.figures is None or moved < LEAST_MOVED:
        return "No change of the strategy for a single event moves the power by 0.1 percentage points."
    return (
        f"Of all changes for a single event this one moves the power most: {event.label[0].lower()}{event.label[1:]}, "
        f"{strategy(one.strategy, one.bounds).lower()}, with {_errors(one, asked)}."
    )


def _best(found: Estimand) -> str:
    """Which strategies for all dropout keep both limits."""
    kept = [one for one in found.together if one.keeps]
    names = [strategy(one.strategy, one.bounds).lower() for one in kept]
    if not kept:
        return "Under no single strategy for all dropout does the design keep both limits."
    return (
        f"If all dropout were handled alike, the design would keep both limits under "
        f"{agreeing(len(kept), 'this strategy', 'these strategies')}: {listed(names)}."
    )


def _limits(case: Case, found: Estimand) -> str:
    """What these figures do not include."""
    handled = ""
    if found.stated is None or found.stated.strategy is None or found.stated.strategy == "hypothetical":
        how = case.trial.how
        assert how is not None  # there is dropout
        handled = (
            f" The search and the simulation handle every dropout alike: patients without a "
            f"response assessment are {HANDLINGS[how.handling]}."
        )
    plan, meanwhile = case.plan, ""
    if plan is not None and len(case.chosen.looks) > 1 and not plan.interim.hold:
        meanwhile = " Patients enrolled while an interim analysis is pending are not counted here."
    return (
        "The treatment policy strategy has no exact figures here: it needs the response rate under the new therapy, "
        f"which the parameter file does not state.{handled}{meanwhile}{words.unless(case)}"
    )
