"""What the design of a trial attains under each strategy for its intercurrent events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from simtrial.design.requirements import decimal
from simtrial.design.second_stages import branched
from simtrial.errors import InputError
from simtrial.laws.strategies import OF_HANDLING, STRATEGIES, Mixed
from simtrial.plan.dropout import Dropout
from simtrial.plan.possible import MAX_RECUT
from simtrial.search import bounds as search_bounds
from simtrial.trial.dropout import cure
from simtrial.trial.intercurrent import EVENT_KINDS
from simtrial.trial.searches import Searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.laws.losses import Among, RunFigures
    from simtrial.laws.strategies import Strategy
    from simtrial.trial.case import Case
    from simtrial.trial.intercurrent import EstimandRule, EventKind

BoundsRule = Literal["fixed", "recut"]
"""Whether the bounds stay as planned or are recalculated where patients are excluded."""


MOST_SEARCHED, MOST_SEARCHED_RECUT = 300, 40
"""Patients, by the normal approximation, up to which a design is searched for each strategy: larger searches take
seconds, those with recalculated bounds from fewer patients on.
"""


@dataclass(frozen=True, kw_only=True)
class Priced:
    """One strategy, with what the design attains under it.

    Attributes
    ----------
    strategy : Strategy or None
        The strategy; None where several are taken together.
    bounds : BoundsRule or None
        What becomes of the bounds where patients are excluded.
    taken : bool
        Whether it is the strategy of the file.
    figures : RunFigures or None
        Exact figures, p0 read as the file says; None where they cannot be given.
    by_reading : dict of Among to float
        Type I error by whose response rate p0 is.
    keeps : bool or None
        Whether the design keeps both limits, p0 read as the file says.
    n_enrolled : int or None
        Patients enrolled if the trial reaches its last look; None where patients are replaced, which makes it random.
    n_enrolled_mean : tuple of float, optional
        The mean of this number at p0 and at p1.
    cure : Design or None
        The design that keeps both limits under this strategy, by the criterion of `dropout.cure`; None where none is
        known.
    why_not : str
        Why there are no figures; empty where there are.
    """

    strategy: Strategy | None
    bounds: BoundsRule | None
    taken: bool
    figures: RunFigures | None = None
    by_reading: dict[Among, float] = field(default_factory=dict)
    keeps: bool | None = None
    n_enrolled: int | None = None
    n_enrolled_mean: tuple[float, float] | None = None
    cure: Design | None = None
    why_not: str = ""


class StrategyPrices:
    """The strategies of a trial, and what its design attains under them and under others.

    Parameters
    ----------
    case : Case
        The trial.
    rule : EstimandRule
        What its file says of the estimand.
    """

    def __init__(self, case: Case, rule: EstimandRule) -> None:
        self.case, self.rule, self.how = case, rule, case.trial.how
        self.loss = Dropout(0.0) if self.how is None else self.how.loss
        self.shares: dict[EventKind, Fraction] | None = None
        found = rule.probabilities
        total = Fraction(0) if found is None else sum(found.values(), Fraction(0))
        if found is not None and total and self.loss.probability:
            self.shares = {kind: value / total for kind, value in found.items()}
        self.criterion = cure(case, quick=True)  # every strategy needs a search
        self._known: dict[Mixed, Priced] = {}
        self._cures: dict[Searches, Design] = {}

    @property
    def file_bounds(self) -> BoundsRule:
        """What becomes of the bounds by the file where patients are excluded."""
        return "recut" if self.how is not None and self.how.recut else "fixed"

    def strategy(self, kind: EventKind) -> Strategy | None:
        """The strategy taken for an event; None where the file states none."""
        own = self.rule.rule(kind).strategy
        return own or (None if self.how is None else OF_HANDLING[self.how.handling])

    def probability(self, kind: EventKind) -> float | None:
        """The probability of an event; None where only that of all events is stated, or none at all."""
        if self.how is None:
            return None
        if not self.loss.probability:
            return 0.0
        return None if self.shares is None else float(decimal(self.loss.probability) * self.shares[kind])

    def occurs(self, kind: EventKind) -> bool:
        """Whether an event may happen, by what the file says."""
        return self.shares is None or self.shares[kind] > 0

    @property
    def taken(self) -> dict[EventKind, Strategy]:
        """The strategies of the events that may happen, as far as the file states them."""
        found = {kind: self.strategy(kind) for kind in EVENT_KINDS if self.occurs(kind)}
        return {kind: strategy for kind, strategy in found.items() if strategy is not None}

    def together(self) -> Iterator[Priced]:
        """Every strategy for all dropout."""
        strategies = set(self.taken.values())
        for strategy, bounds in self._offered(others_excluded=False):
            chosen = strategies == {strategy} and bounds in (None, self.file_bounds)
            yield self._as(self._priced([(strategy, Fraction(1))], bounds), strategy, bounds, taken=chosen)

    def _parts(self) -> list[tuple[Strategy, Fraction]] | None:
        """Each strategy taken with its proportion of dropout; None where there are several in unknown proportions."""
        found = self.taken
        strategies = set(found.values())
        if len(strategies) == 1 or not self.loss.probability:
            return [(strategies.pop() if len(strategies) == 1 else "composite", Fraction(1))]
        return None if self.shares is None else [(found[kind], self.shares[kind]) for kind in found]

    def stated(self) -> Priced | None:
        """All events as they are handled; None where dropout has several strategies in unknown proportions."""
        parts, strategies = self._parts(), set(self.taken.values())
        if parts is None:
            return None
        one = strategies.pop() if len(strategies) == 1 else None
        bounds = self.file_bounds if "excluded" in self.taken.values() else None
        return self._as(self._priced(parts, bounds), one, bounds, taken=True)

    def under(self, loss: Dropout) -> RunFigures | None:
        """Exact figures with all events as they are handled under another dropout, divided in the same proportions."""
        parts = self._parts()
        if parts is None:
            return None
        try:
            return self._mixed(loss, parts, self.file_bounds).figures(self.case.chosen, self.case.requirements)
        except InputError:  # with so much dropout H0 is no rate below p1
            return None

    def alternatives(self, kind: EventKind) -> Iterator[Priced]:
        """Every strategy for one event, the others handled as they are; for all dropout where shares are unknown."""
        own, shares = self.strategy(kind), self.shares
        others = {} if shares is None else {k: s for k, s in self.taken.items() if k != kind}
        excluded = "excluded" in others.values()
        for strategy, bounds in self._offered(others_excluded=excluded):
            parts = [(strategy, Fraction(1))]
            if shares is not None:
                parts = [(strategy, shares[kind]), *((s, shares[k]) for k, s in others.items())]
            used = bounds or (self.file_bounds if excluded else None)
            chosen = strategy == own and bounds in (None, self.file_bounds)
            yield self._as(self._priced(parts, used), strategy, bounds, taken=chosen)

    def _offered(self, *, others_excluded: bool) -> Iterator[tuple[Strategy, BoundsRule | None]]:
        """Strategies with what becomes of the bounds; one rule holds for all excluded patients of a trial."""
        looks = self.case.chosen.looks
        possible = (
            branched(looks) is None and len(looks) <= 2 and looks[-1].n <= MAX_RECUT and self.loss.probability > 0
        )
        for strategy in STRATEGIES:
            if strategy != "excluded":
                yield strategy, None
                continue
            if self.file_bounds == "fixed" or not others_excluded:
                yield strategy, "fixed"
            if self.file_bounds == "recut" or (possible and not others_excluded):
                yield strategy, "recut"

    @staticmethod
    def _as(priced: Priced, strategy: Strategy | None, bounds: BoundsRule | None, *, taken: bool) -> Priced:
        return replace(priced, strategy=strategy, bounds=bounds, taken=taken)

    def _priced(self, parts: list[tuple[Strategy, Fraction]], bounds: BoundsRule | None) -> Priced:
        """What the design attains if dropout is divided so among strategies."""
        mixed = self._mixed(self.loss, parts, bounds)
        if mixed not in self._known:
            self._known[mixed] = self._attained(mixed)
        return self._known[mixed]

    def _mixed(self, loss: Dropout, parts: list[tuple[Strategy, Fraction]], bounds: BoundsRule | None) -> Mixed:
        """The law of dropout that is divided so among strategies."""
        recut = bounds == "recut" and any(strategy == "excluded" and share for strategy, share in parts)
        among, informed = self.case.trial.reading, self.case.trial.losses == "run"
        return Mixed.of(loss, parts, among=among, recut=recut, informed=informed)

    def _attained(self, mixed: Mixed) -> Priced:
        asked, design, n = self.case.requirements, self.case.chosen, self.case.n
        blank = Priced(strategy=None, bounds=None, taken=False)
        try:
            found, keeps = mixed.figures(design, asked), mixed.keeps(design, asked)
            other = found if mixed.other is None else mixed.other.figures(design, asked)
        except InputError as error:
            return replace(blank, why_not=error.message)
        null, alternative = mixed.per_counted(asked)
        second: Among = "evaluable" if mixed.among == "enrolled" else "enrolled"
        return replace(
            blank,
            figures=found,
            by_reading={mixed.among: found.type_i_error, second: other.type_i_error},
            keeps=keeps,
            n_enrolled=n if null == alternative == 1 else None,
            n_enrolled_mean=(n * null, n * alternative),
            cure=self._cured(mixed),
        )

    def _cured(self, mixed: Mixed) -> Design | None:
        """The design by the criterion that keeps both limits under some strategies; None where none is searched for."""
        asked, limit = self.case.requirements, self.case.trial.design.n_limit
        try:
            limits = mixed.evaluable(asked).kept if mixed.recut else mixed.asked(asked)
            if search_bounds.score_n(limits) > (MOST_SEARCHED_RECUT if mixed.recut else MOST_SEARCHED):
                return None
            if not mixed.recut:
                searches = Searches(limits, limit)
            elif mixed.alone is not None:
                searches = Searches.under(replace(mixed.alone, informed=True), asked, limit)
            else:
                return None
            if searches not in self._cures:
                # those of the case may have been made already
                known = (self.case.searches, self.case.on_paper, self.case.as_run)
                made = next((one for one in known if one == searches), searches)
                self._cures[searches] = made.choose(self.criterion.key)
            return self._cures[searches]
        except InputError:  # with so much dropout no design can
            return None
