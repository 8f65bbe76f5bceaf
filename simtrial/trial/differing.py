"""What is stated of a trial that does not handle all its intercurrent events as its handling of dropout says.

Searches and simulations handle every dropout alike; the errors under the strategies that are stated are the exact ones
of `simtrial.laws.strategies`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.conduct.text import HANDLINGS, null_rate
from simtrial.laws.strategies import OF_HANDLING, STRATEGIES
from simtrial.phrases import attained, listed, stated
from simtrial.trial import estimand, words
from simtrial.trial.estimand_words import BOUNDS
from simtrial.trial.intercurrent import EVENT_KINDS, LABELS, EstimandRule
from simtrial.trial.strategies import StrategyPrices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.laws.losses import AsRun, RunFigures
    from simtrial.laws.strategies import Strategy
    from simtrial.plan.dropout import Dropout
    from simtrial.trial.case import Case
    from simtrial.trial.intercurrent import EventKind
    from simtrial.trial.strategies import Priced

BY: dict[Strategy, str] = {
    "composite": "by the composite strategy (non-responders)",
    "excluded": "by exclusion from the numbers of responses and of patients",
    "replaced": "by replacement with new patients",
    "hypothetical": "by the hypothetical strategy (as if assessed)",
}
"""How events are handled, after their names."""


@dataclass(frozen=True, kw_only=True)
class Differing:
    """Strategies that are not all those of the handling of dropout, and what the design attains under them.

    Attributes
    ----------
    case : Case
        The trial.
    prices : StrategyPrices
        Its strategies.
    how : AsRun
        How searches and simulations handle dropout.
    priced : Priced or None
        All events as they are handled; None where their probabilities are missing.
    """

    case: Case
    prices: StrategyPrices
    how: AsRun
    priced: Priced | None

    @property
    def taken(self) -> dict[EventKind, Strategy]:
        """The strategy of every event that may happen."""
        return self.prices.taken

    @property
    def figures(self) -> RunFigures | None:
        """Exact figures under the strategies; None where there are none."""
        return None if self.priced is None else self.priced.figures

    def under(self, loss: Dropout) -> RunFigures | None:
        """The figures under another dropout, whose events have the same proportions and strategies."""
        return self.prices.under(loss)

    @property
    def counted(self) -> tuple[str, str]:
        """Who is analysed, and how the others count; see `simtrial.trial.rules.sentences`."""
        others = "how a patient with an intercurrent event counts depends on the event, as stated below"
        if "replaced" in self.taken.values():
            others = f"patients who are replaced are not among them, and {others}"
        return "enrolled", f"; {others}"

    def errors(self) -> Iterator[str]:
        """The exact errors under the strategies, in sentences."""
        asked, one = self.case.requirements, self.priced
        if one is None:
            yield (
                "The type I error and the power under these strategies depend on how often each event occurs: "
                f"{estimand.NO_PROBABILITY}."
            )
            return
        if one.figures is None:
            yield f"There are no exact errors under these strategies: dropout {one.why_not}."
            return
        differ = len(set(one.by_reading.values())) > 1
        reading = null_rate(enrolled=self.case.trial.reading == "enrolled") if differ else ""
        yield (
            "Under these strategies the exact type I error is "
            f"{attained(one.figures.type_i_error, asked.alpha, least=False)}{reading} and the exact power is "
            f"{attained(one.figures.power, asked.power, least=True)}.{words.unless(self.case)}"
        )
        if one.keeps is False:
            yield "The design does not keep both limits under these strategies."

    def alike(self) -> str:
        """That searches and simulations handle all dropout alike."""
        who = (
            "The simulation handles" if self.case.under is None else "The search for designs and the simulation handle"
        )
        counted = HANDLINGS[self.how.handling]
        return f"{who} all dropout alike: patients without a response assessment are {counted}."


def of(case: Case) -> Differing | None:
    """What is stated where strategies differ from the handling of dropout; None where they do not."""
    how = case.trial.how
    if how is None or not how.loss.probability:
        return None
    prices = StrategyPrices(case, case.trial.estimand or EstimandRule())
    if set(prices.taken.values()) <= {OF_HANDLING[how.handling]}:
        return None
    return Differing(case=case, prices=prices, how=how, priced=prices.stated())


def events(case: Case) -> str:
    """How often each intercurrent event is expected and how it is handled; empty without dropout."""
    how = case.trial.how
    if how is None or not how.loss.probability:
        return ""
    prices = StrategyPrices(case, case.trial.estimand or EstimandRule())
    by: dict[Strategy, list[str]] = {strategy: [] for strategy in STRATEGIES}
    for kind in EVENT_KINDS:
        if kind in prices.taken:
            by[prices.taken[kind]].append(_named(kind, prices.probability(kind)))
    bounds = f" (with {BOUNDS[prices.file_bounds]})" if by["excluded"] else ""
    handled = [
        f"{listed(names)} {BY[strategy]}{bounds if strategy == 'excluded' else ''}"
        for strategy, names in by.items()
        if names
    ]
    among = "" if how.loss.responder_odds_ratio == 1 else " of the patients who would not respond"
    total = f"{stated(round(how.loss.probability, 4))}{among or ' of the patients'}"
    unknown = "" if prices.shares is not None else "; the probabilities of the single events are not stated"
    return (
        f"Intercurrent events before the first assessment are expected in {total} and are handled as follows: "
        f"{'; '.join(handled)}{unknown}."
    )


def _named(kind: EventKind, probability: float | None) -> str:
    label = LABELS[kind].removesuffix(" before the first assessment")
    often = "" if probability is None else f" ({stated(probability)})"
    return f"{label[0].lower()}{label[1:]}{often}"
