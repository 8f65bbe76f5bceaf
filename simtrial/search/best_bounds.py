"""Best stopping bounds on given looks: least w0 EN(p0) + w1 EN(p1) of all designs whose looks are among them.

Fixed bounds of any kind (Fleming, Chang), curtailed designs and designs with two or three stages on these looks are
among them. The search has three parts.

1. `bellman.highest` gives a lower bound that no rule whatever can beat, randomised ones included, and rules near it.
2. `climb.climb` moves one bound at a time from there, many rules side by side.
3. `branch.Branches` examines all rules that could still be better. Where it sets none aside, the best design found is
   proved to be the best ("proved", or "capped" where the looks end at a chosen n); where it does, the certificate holds
   the least value that what was set aside could have ("heuristic").

A design is a rule with bounds that never fall. Its looks are those at which a trial can stop: the others are left out,
and the maximum is the last look that can be reached. The bound of part 3 concerns such designs; that of part 1, which
is lower, concerns rules that draw lots too; `BestBounds.closest` gives the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import MAX_LOOKS, Design
from simtrial.design.requirements import N_LIMIT
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.phrases import counted
from simtrial.search import bellman, bounds, single
from simtrial.search.aim import TIE, Aim
from simtrial.search.bellman import Board, Bound, Multipliers
from simtrial.search.branch import Branches, Examination
from simtrial.search.candidate import Candidate
from simtrial.search.climb import climb
from simtrial.search.constraints import FREE, Constraints, given_looks
from simtrial.search.corridor import Corridor, design_of
from simtrial.search.record import Certificate, Criterion, Family, SearchResult, Solved, solved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints

POOL = 60
"""Rules that are improved side by side."""

WIDTH, WIDER = 300, 6
"""Partial rules that are kept at a look at first, and how many times as many the next time."""

BUDGET = 2e9
"""Products of one examination: about 2 seconds."""

MOST_TIES = 100
"""Most designs of one value that are kept."""


class Keeper:
    """The best designs met so far: those that no other is better than by more than rounding.

    Parameters
    ----------
    board : Board
        The states of the trial.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self.value = np.inf
        self.met: dict[Design, tuple[float, Ints]] = {}

    def offer(self, totals: Floats, rules: Ints) -> None:
        """Keep those that meet the limits, in fractions where they are near, and are as good as any."""
        asked = self._board.asked
        good = (totals[:, 1] <= asked.alpha * (1 + exact.CLOSE)) & (totals[:, 2] >= asked.power * (1 - exact.CLOSE))
        good &= totals[:, 0] <= self.value + TIE
        for i in np.flatnonzero(good)[np.argsort(totals[good, 0], kind="stable")].tolist():
            value = float(totals[i, 0])
            if value > self.value + TIE or (len(self.met) >= MOST_TIES and value > self.value - TIE):
                break
            design = design_of(rules[i], self._board.looks)
            if design is None or design in self.met or not exact.meets(design, asked):
                continue
            self.value = min(self.value, value)
            self.met[design] = value, rules[i].copy()
            self.met = {one: held for one, held in self.met.items() if held[0] <= self.value + TIE}


@dataclass(frozen=True, kw_only=True)
class Solution:
    """What was found for two weights.

    Attributes
    ----------
    designs : tuple of Design
        The best designs, which their values do not tell apart.
    value : float
        Their value.
    least : float
        No rule is below it, randomised ones included.
    bound : float
        No design is below it; the value itself where all were examined.
    """

    designs: tuple[Design, ...]
    value: float
    least: float
    bound: float


def around(prices: Multipliers) -> list[Multipliers]:
    """Multipliers at which lower bounds are computed: dense near the best ones, and a few far away."""
    error, power = (max(price, 1.0) for price in prices)
    steps = [(a, b) for reach, many in ((2.0, 5), (20.0, 3)) for a, b in _grid(reach, many)]
    return [Multipliers(error * a, power * b) for a, b in dict.fromkeys(steps)]


def _grid(reach: float, many: int) -> list[tuple[float, float]]:
    factors = (reach ** np.linspace(-1, 1, many)).tolist()
    return [(a, b) for a in factors for b in factors]


@kept(256)
def solve(board: Board) -> Solution:
    """Search one set of looks by one pair of weights: see the head of this module."""
    top: Bound = bellman.highest(board)
    prices = around(top.prices)
    costs = [board.costs(one)[0] for one in prices]
    near = [board.bounds(at) for at in costs]
    crossings = [board.crossings(at) for at in costs]
    corridor = Corridor.around(board, crossings)
    keeper = Keeper(board)
    climb(corridor, np.array([*top.rules, *near]), top.prices, POOL, keeper.offer)
    lower = top.value
    for held in (corridor, Corridor.around(board, crossings, spare=0.0)):
        branches, width, work, done = Branches(held, prices, costs), WIDTH, 0.0, Examination(bound=0.0, crowded=True)
        while done.crowded and work <= BUDGET and done.bound <= keeper.value:
            done = branches.examine(width, lambda: keeper.value, keeper.offer)
            lower = max(lower, min(done.bound, keeper.value))
            width, work = width * WIDER, done.work * WIDER
        if done.crowded or lower >= keeper.value:
            break
    return Solution(designs=tuple(keeper.met), value=keeper.value, least=top.value, bound=lower)


@dataclass(frozen=True)
class BestBounds:
    """The best stopping bounds on given looks, by any weights of EN(p0) and EN(p1).

    The bound of a certificate is that of point 1 at the head of this module, which no rule whatever can beat, unless
    the design is proved to be the best of all designs.

    Attributes
    ----------
    looks : tuple of int
        Patients at the looks.
    """

    requirements: Requirements
    looks: tuple[int, ...]
    constraints: Constraints

    @property
    def admissible(self) -> Sequence[Candidate]:
        """None: the designs that are best by some weights are as many as there are weights."""
        return ()

    @cached_property
    def n_lower(self) -> int:
        """The fewest patients with which any test has the power."""
        n = int(np.argmax(bounds.most_powers(np.arange(1, self.looks[-1] + 1), self.requirements) >= self._power)) + 1
        while not bounds.can_have_power(n, self.requirements):
            n += 1
        return n

    @property
    def _power(self) -> float:
        return self.requirements.power - bounds.SLACK

    def _board(self, aim: Aim) -> Board:
        if aim.en_max or aim.n or aim.smallest_n:
            raise InputError(
                f"({aim.what}) is not what this search makes small; give weights of EN(p0) and EN(p1)", "criterion"
            )
        return Board(
            asked=self.requirements,
            looks=self.looks,
            weights=(aim.en_p0, aim.en_p1),
            stops=self.constraints.stops,
            r1=self.constraints.r1,
        )

    def closest(self, aim: Aim) -> float:
        """What no design on these looks is below: higher than the bound of a certificate, which holds for lots too."""
        return solve(self._board(aim)).bound

    def result(self, aim: Aim) -> SearchResult:
        """The best design that was found, with its certificate.

        Raises
        ------
        InputError
            If the sum has other weights than those of EN(p0) and EN(p1), or no design on these looks keeps both limits.
        """
        found = solve(self._board(aim))
        if not found.designs:
            raise InputError(
                f"({self._spoken}) leave no design that keeps both limits; add looks or patients", self._field
            )
        order = sorted(found.designs, key=lambda design: aim.order(design, found.value))
        kinds = tuple(one.key for one in FAMILY.criteria if one.aim == aim)
        best, *ties = (Candidate(design, self.requirements, kinds=kinds) for design in order)
        proved = found.bound >= found.value
        given = self.constraints.looks_at is not None
        certificate = Certificate(
            how="heuristic" if not proved else "proved" if given else "capped",
            n_lower=self.n_lower,
            n_upper=self.looks[-1],
            value=found.value,
            bound=found.value if proved else found.least,
            cap=None if proved and given else self.looks[-1],
        )
        return SearchResult(best=best, ties=tuple(replace(one, kinds=()) for one in ties), certificate=certificate)

    @property
    def _field(self) -> str:
        return "looks_at" if self.constraints.looks_at is not None else "cap"

    @property
    def _spoken(self) -> str:
        return f"{counted(len(self.looks), 'look')} up to {counted(self.looks[-1], 'patient')}"


CONSTRAINTS = frozenset({"looks_at", "cap", "multiple_of", "stops", "r1", "n1_least"})
"""The constraints that it takes."""


def looks_of(requirements: Requirements, constraints: Constraints, n_limit: int) -> tuple[int, ...]:
    """The looks: those given, or every patient up to the cap, which is that of a single stage if there is none.

    Raises
    ------
    InputError
        If they are more than `MAX_LOOKS`, or none.
    """
    if constraints.looks_at is not None:
        return given_looks(constraints, FAMILY.title)
    step, last = constraints.multiple_of, constraints.cap
    if last is None:
        first = single.single_stage(requirements, n_limit=n_limit).first.n
        sizes = np.arange(first, first + 100 * step + 1)
        sizes = sizes[sizes % step == 0]
        meets = single.saw_tooth(requirements, sizes).meets
        last = int(sizes[int(np.argmax(meets))])
    looks = tuple(n for n in range(step, last + 1, step) if n >= constraints.n1_least)
    if not looks:
        raise InputError(f"({last}) leaves no look; raise it", "cap")
    if len(looks) > MAX_LOOKS:
        raise InputError(
            f"({step}) makes {counted(len(looks), 'look')} up to n = {last}; at most {MAX_LOOKS} are allowed, so give "
            f"{-(-last // MAX_LOOKS)} or more, or the looks themselves",
            "multiple_of",
        )
    return looks


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> BestBounds:
    """Prepare the search; `BestBounds.result` makes it.

    Raises
    ------
    InputError
        If even the most powerful test needs more than `n_limit` patients, or more than there are at the last look.
    """
    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    bounds.refuse(requirements, n_limit)
    looks = looks_of(requirements, asked, n_limit)
    if asked.r1 is not None and asked.r1 >= looks[0]:
        raise InputError(f"({asked.r1}) is not below the number of patients at the first look ({looks[0]})", "r1")
    if not bounds.can_have_power(looks[-1], requirements):
        field = "looks_at" if asked.looks_at is not None else "cap"
        raise InputError(f"({looks[-1]}) is too few patients for any test with these limits; raise it", field)
    return BestBounds(requirements, looks, asked)


def every(n: int) -> Iterator[Design]:
    """Every design with n patients and looks at any of 1..n: 28,212 for n = 7, about 6 times as many for each more."""

    def rules(low: int, high: int, left: int) -> Iterator[list[tuple[int, int]]]:
        if left == 1:
            yield from ([(r, r + 1)] for r in range(low - 1, high + 2))  # the last: one that never rejects there
            return
        for r in range(low - 1, high + 1):
            for e in range(r + 2, high + 3):
                yield from ([(r, e), *rest] for rest in rules(r + 1, e - 1, left - 1))

    for rule in rules(0, 0, n):
        design = design_of(np.array(rule), range(1, n + 1))
        if design is not None:
            yield design


EN_P0 = Aim(en_p0=1.0)

FAMILY: Family[Solved] = Family(
    key="best_bounds",
    title="designs with the best stopping bounds",
    bound=(
        "No design whose looks are among those given, the last at n = {n_upper}, has an EN(p0) below {bound:.4f}; that "
        "of the design found is {value:.4f}."
    ),
    references=(
        "Law M, Grayling MJ, Mander AP. A stochastically curtailed single-arm phase II trial design for binary "
        "outcomes. J Biopharm Stat 2022;32:671-691.",
    ),
    criteria=(
        Criterion(
            key="best_bounds_en_p0",
            name="best stopping bounds",
            phrase="the design with the best stopping bounds",
            method="best bounds",
            looks=0,
            family="best_bounds",
            kind="en_p0",
            why="No design found on the given looks has a smaller expected sample size EN(p0).",
            pick=lambda found: found.result(EN_P0).best,
            best=EN_P0.best,
            aim=EN_P0,
        ),
    ),
    search=search,
    result=solved,
    constraints=CONSTRAINTS,
    every=every,
    on_request=True,
)
"""What the register holds of best stopping bounds."""
