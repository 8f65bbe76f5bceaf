"""The search over all n1: linear bounds first, then tables, in the order of their bounds.

No table of n1 is below n1 itself nor below the linear bound of n1 (`linear`); so once the next bound passes the best
value, every n1 is settled. The best value is at most that of Simon's optimal design, if the cap allows it: its table
has the same decisions, rejects where X1 already exceeds r, and its conditional error rises.

The optimum depends on the cap on n: more patients after a rare number of responses cost next to nothing and mend a
limit. So the cap is part of every answer. That no larger n helps is proved where the same search, with choices beyond
the cap that are better than any trial could be (`beyond`), finds nothing below the best value; otherwise the linear
bound for designs of any size says how much better one with more patients could be at most.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simtrial.design import exact
from simtrial.design.branching import Branching
from simtrial.design.requirements import N_LIMIT
from simtrial.design.second_stages import SecondStage
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.memo import kept
from simtrial.phrases import counted
from simtrial.search import bounds
from simtrial.search.branching.beyond import bound_of_any_size, with_ideal
from simtrial.search.branching.choices import choices
from simtrial.search.branching.found import MOST_CAP, BranchingFound, Restrictions
from simtrial.search.branching.table import BestTable, TableSearch, weights_of
from simtrial.search.record import Certificate
from simtrial.search.simon import two_stage

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.design.second_stages import Stop

WIDTHS = (25, 250)
"""How many parts of a table are followed at first, for a good value to begin with."""

LEFTOVER = 1e-7
"""Second stages that add less than this to the value are replaced by a stop where the limits allow."""


@kept(64)
def search(
    asked: Requirements,
    *,
    weight: float = 0.0,
    restrictions: Restrictions | None = None,
    n_limit: int = N_LIMIT,
) -> BranchingFound:
    """The design with the least (1 - weight) EN(p0) + weight EN(p1) whose second stage depends on X1, exactly.

    Parameters
    ----------
    asked : Requirements
        Rates and limits.
    weight : float
        From 0 (EN(p0)) to 1 (EN(p1)).
    restrictions : Restrictions, optional
        Cap and order; without them the conditional error never falls, and n is at most that of Simon's optimal design.
    n_limit : int
        Refuse if even the most powerful test needs more patients.

    Returns
    -------
    BranchingFound
        The design with its certificate.

    Raises
    ------
    InputError
        If no design within the cap meets the limits, or too many patients are needed.
    """
    TABLE["weight"].check(weight, "weight")
    return _Scan(asked, weight, with_cap(asked, restrictions or Restrictions(), n_limit)).found()


def with_cap(asked: Requirements, given: Restrictions, n_limit: int = N_LIMIT) -> Restrictions:
    """The restrictions with their cap, that of Simon's optimal design if none is given.

    Raises
    ------
    InputError
        If tables of so many patients are not searched.
    """
    bounds.refuse(asked, n_limit)
    if not bounds.can_have_power(MOST_CAP, asked):
        raise InputError(
            f"({asked.p1}) is too near p0 ({asked.p0}): even the most powerful test needs more than "
            f"{counted(MOST_CAP, 'patient')}, the most for which tables are searched; widen the gap, relax alpha or "
            "power, or take another family",
            "p1",
        )
    if given.cap is not None:
        return given
    simon = two_stage(asked).optimal.design
    if simon.n > MOST_CAP:
        raise InputError(
            f"is missing; the {counted(simon.n, 'patient')} of Simon's optimal design, which it would be, exceed "
            f"{MOST_CAP}, the most for which tables are searched",
            "cap",
        )
    return replace(given, cap=simon.n)


class _Scan:
    """The search of one question."""

    def __init__(self, asked: Requirements, weight: float, given: Restrictions) -> None:
        assert given.cap is not None  # `with_cap` has filled it in
        self.asked, self.weight, self.given, self.cap = asked, weight, given, given.cap
        enough = next((n for n in range(1, self.cap + 1) if bounds.can_have_power(n, asked)), None)
        if enough is None:
            raise InputError(
                f"({self.cap}) is too small: with at most {counted(self.cap, 'patient')} not even the most powerful "
                "test meets the limits",
                "cap",
            )
        self.n_lower, self.best = enough, BestTable(asked)
        simon = as_branching(two_stage(asked).optimal.design)
        if simon.n_max <= self.cap and simon.n1 >= given.n1_least:
            self.best.offer(self.value(simon), simon)

    def value(self, design: Branching) -> float:
        """What is made small."""
        at_null, at_alternative = design.at([self.asked.p0, self.asked.p1]).en.tolist()
        return float((1 - self.weight) * at_null + self.weight * at_alternative)

    def _search(self, n1: int, *, ideal: bool = False) -> TableSearch:
        """The search of one n1; with choices that are better than any beyond the cap, if asked for."""
        asked, ordered, falling = self.asked, self.given.monotone, self.given.falling and not ideal
        most = self.cap - n1
        # an order of errors or second stages may need what another choice beats
        here, priced = (
            choices(self.cap, asked.p0, asked.p1, ordered=ordered, whole=whole).at_most(most)
            for whole in (ordered or falling, False)
        )
        if ideal:
            here, priced = (with_ideal(one, most, asked, ordered=ordered) for one in (here, priced))
        return TableSearch(n1, here, asked, priced=priced, weight=self.weight, falling=falling)

    def _searches(self) -> list[TableSearch]:
        """The searches of all n1 that may be of interest, those with the least bounds first."""
        every = [self._search(n1) for n1 in range(self.given.n1_least, self.cap + 1) if n1 <= self.best.most]
        return sorted(every, key=lambda one: one.bound)

    def found(self) -> BranchingFound:
        """Search, and say how far the search reaches."""
        searches = self._searches()
        examined = []
        for one in searches:
            if one.bound > self.best.most:
                break
            examined.append(one.n1)
            # what is found quickly makes the proof short
            if not any(one.run(self.best, width) for width in WIDTHS):
                one.run(self.best)
        if self.best.design is None:
            raise InputError(
                f"({self.cap}) is too small: no design with at most {counted(self.cap, 'patient')} meets the limits "
                "under these restrictions",
                "cap",
            )
        design = self._natural(self.best.design)
        value = self.value(design)
        return BranchingFound(
            asked=self.asked,
            weight=self.weight,
            restrictions=self.given,
            design=design,
            linear_bound=min(searches[0].bound, value),
            certificate=self._certificate(searches, value),
            examined=tuple(examined),
        )

    def _natural(self, design: Branching) -> Branching:
        """The design, with natural stops in place of what is left over, where the limits allow and the value is kept.

        Left over are second stages that hardly ever begin, an acceptance after fewer responses continue or reject, and
        a rejection before more responses accept.
        """
        weights = self.weights(design)
        for x in range(design.n1, -1, -1):
            row, fewer, more = design.after[x], design.after[:x], design.after[x + 1 :]
            late = any(one != "accept" for one in fewer)
            rare = isinstance(row, SecondStage) and weights[x] * row.n2 < LEFTOVER
            if not (rare or (row == "accept" and late) or (row == "reject" and "accept" in more)):
                continue
            stop: Stop = "reject" if late and "accept" not in more else "accept"
            other = Branching(design.n1, (*fewer, stop, *more))
            if exact.meets(other, self.asked) and (not self.given.monotone or other.is_monotone(self.asked.p0)):
                design = other
        return design

    def weights(self, design: Branching) -> list[float]:
        """What a patient after each number of responses weighs."""
        found: list[float] = weights_of(design.n1, self.asked, self.weight).patients.tolist()
        return found

    def _certificate(self, searches: list[TableSearch], value: float) -> Certificate:
        """Whether a larger n can help, or how much at most."""
        proved = not self.given.falling and self._nothing_beyond(searches, value)
        bound = value if proved else self._bound_of_any_size(searches, value)
        return Certificate(
            how="proved" if proved else "capped", n_lower=self.n_lower, n_upper=self.cap, value=value, bound=bound,
            cap=None if proved else self.cap,
        )  # fmt: skip

    def _bound_of_any_size(self, searches: list[TableSearch], value: float) -> float:
        """What no design of any size is below."""
        least = value
        for one in searches:
            if one.n1 < least:
                more = bound_of_any_size(one.weights, self.asked, one.prices, least - one.n1)
                least = min(least, one.n1 + more)
        return least

    def _nothing_beyond(self, searches: list[TableSearch], value: float) -> bool:
        """Whether no table with choices better than those of any larger n is below the value."""
        return all(self._search(one.n1, ideal=True).nothing_below(value) for one in searches if one.n1 < value)


def as_branching(design: object) -> Branching:
    """A design with two looks as a table; where X1 already exceeds r, H0 is rejected without a second stage."""
    from simtrial.design.designs import TwoStage

    assert isinstance(design, TwoStage)
    rows: list[Stop | SecondStage] = []
    for x in range(design.n1 + 1):
        if x <= design.r1:
            rows.append("accept")
        elif (design.e1 is not None and x >= design.e1) or x > design.r:
            rows.append("reject")
        else:
            rows.append(
                SecondStage(design.n - design.n1, design.r) if x + design.n - design.n1 > design.r else "accept"
            )
    return Branching(design.n1, tuple(rows))
