"""The best stopping bounds on given looks: least w0 EN(p0) + w1 EN(p1) of all designs whose looks are among them.

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

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.phrases import counted
from simtrial.search import bounds
from simtrial.search.aim import TIE, Aim
from simtrial.search.candidate import Candidate
from simtrial.search.record import Certificate, SearchResult
from simtrial.search.stopping import bellman
from simtrial.search.stopping.bellman import Board, Bound, Multipliers
from simtrial.search.stopping.branch import Branches, Examination
from simtrial.search.stopping.climb import climb
from simtrial.search.stopping.corridor import Corridor, design_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints
    from simtrial.search.constraints import Constraints

POOL, SMALL_POOL = 60, 20
"""Rules that are improved side by side, and how many in a quick search."""

REACHES, SHORT_REACHES = ((2.0, 5), (20.0, 3)), ((2.0, 3),)
"""How far around the best prices others are tried and how many each way, and the same in a quick search."""

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


def around(prices: Multipliers, reaches: Sequence[tuple[float, int]] = REACHES) -> list[Multipliers]:
    """Multipliers at which lower bounds are computed: dense near the best ones, and a few far away."""
    error, power = (max(price, 1.0) for price in prices)
    steps = [(a, b) for reach, many in reaches for a, b in _grid(reach, many)]
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


@kept(256)
def quick(board: Board) -> Solution:
    """Make the first two parts of the search alone, around fewer prices: nothing is examined, so nothing is proved.

    The bound is that of all rules. It takes tenths of a second; what it finds can be a few per cent behind `solve`,
    where looks are few and the bound is not attained.
    """
    top = bellman.highest(board)
    costs = [board.costs(one)[0] for one in around(top.prices, SHORT_REACHES)]
    corridor, keeper = Corridor.around(board, [board.crossings(at) for at in costs]), Keeper(board)
    climb(corridor, np.array([*top.rules, *(board.bounds(at) for at in costs)]), top.prices, SMALL_POOL, keeper.offer)
    return Solution(designs=tuple(keeper.met), value=keeper.value, least=top.value, bound=top.value)


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
        best, *ties = (Candidate(design, self.requirements) for design in order)
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
        return SearchResult(best=best, ties=tuple(ties), certificate=certificate)

    @property
    def _field(self) -> str:
        return "looks_at" if self.constraints.looks_at is not None else "cap"

    @property
    def _spoken(self) -> str:
        return f"{counted(len(self.looks), 'look')} up to {counted(self.looks[-1], 'patient')}"
