"""Two stages whose sizes may turn out otherwise than planned (Chen and Ng [1]_), with the proof that none is better.

The first stage has one of k consecutive numbers of patients n1, the whole trial one of k consecutive numbers n, each of
the k^2 pairs with the same probability and whatever the responses are. The bounds r1(n1) and r(n) do not fall, and rise
by at most 2, one at a time. Averages over the pairs keep the limits:

    mean P(X1 > r1(n1), X > r(n); p0) <= alpha,    mean P(X1 > r1(n1), X > r(n); p1) >= power,

and the average EN(p0), mean n1 + P(X1 > r1(n1); p0) (n - n1), is to be small. A single pair may exceed alpha or lack
the power, so the worst ones are given beside the averages. Paper not seen: the definition is that of the methods of
this project, and the number of steps its assumption.

Such a plan has no looks at fixed numbers of patients, so it is no `Design` and not in the register of families.

Why the search is complete
--------------------------
1. A plan is a randomised test on at most the largest n, so none exists where the most powerful test lacks the power
   (Neyman and Pearson), and no other bound on n from below is used.
2. Mean P(X1 <= r1(n1); p1) < 1 - power, and mean P(X > r(n); p1) >= power, as for single designs.
3. The average EN(p0) does not depend on r, and for given n1 and r1 it grows with n. So once it passes the best one for
   all n1 and r1, larger n are of no use; n1 that all lie above the best one never are.
4. For given n1, r1 and n, P(reject) falls as r rises. Of all r that meet the limits the one with the smallest average
   type I error is taken.

References
----------
.. [1] Chen TT, Ng TH. Optimal flexible designs in phase II clinical trials. Stat Med 1998;17:2301-2312.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import TwoStage
from simtrial.design.requirements import N_LIMIT, N_LIMIT_MOST, decimal
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.memo import kept
from simtrial.search import bounds
from simtrial.search.aim import TIE
from simtrial.search.bounds import SLACK
from simtrial.search.scan import Tables

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints

STEPS = 2
"""By how much a bound may rise over the k sizes."""

ROWS = 64
"""How many first looks are worked on at once, from the least EN(p0) up."""


class WorstPair(NamedTuple):
    """The pair of sizes at which a plan is farthest from a limit, and the probability of rejection there."""

    n1: int
    n: int
    reject: float


@dataclass(frozen=True, kw_only=True)
class FlexibleDesign:
    """A two-stage plan with bounds for each of k numbers of patients at both looks.

    Attributes
    ----------
    n1, n : tuple of int
        The k numbers of patients at the first and at the last look.
    r1, r : tuple of int
        The bounds there, cumulative: stop if X1 <= r1, reject H0 if X > r.
    """

    requirements: Requirements
    n1: tuple[int, ...]
    r1: tuple[int, ...]
    n: tuple[int, ...]
    r: tuple[int, ...]

    @property
    def pairs(self) -> tuple[TwoStage, ...]:
        """The design at every pair of sizes, by n1, then n."""
        first, last = (tuple(zip(*one, strict=True)) for one in ((self.r1, self.n1), (self.r, self.n)))
        return tuple(TwoStage(r1, n1, r, n) for r1, n1 in first for r, n in last)

    def _average(self, of: list[float]) -> float:
        return math.fsum(of) / len(of)

    def _reject(self, p: float) -> list[float]:
        return [float(exact.operating_characteristics(pair, p).reject) for pair in self.pairs]

    @property
    def type_i_error(self) -> float:
        """Average P(reject H0; p0)."""
        return self._average(self._reject(self.requirements.p0))

    @property
    def power(self) -> float:
        """Average P(reject H0; p1)."""
        return self._average(self._reject(self.requirements.p1))

    @property
    def en_p0(self) -> float:
        """Average expected number of patients at p0."""
        p0 = self.requirements.p0
        return self._average([float(exact.operating_characteristics(pair, p0).en) for pair in self.pairs])

    @property
    def largest_type_i_error(self) -> WorstPair:
        """The pair with the largest P(reject H0; p0), which may be above alpha."""
        reject = self._reject(self.requirements.p0)
        pair = self.pairs[int(np.argmax(reject))]
        return WorstPair(pair.n1, pair.n, max(reject))

    @property
    def smallest_power(self) -> WorstPair:
        """The pair with the smallest P(reject H0; p1), which may be below the power asked for."""
        reject = self._reject(self.requirements.p1)
        pair = self.pairs[int(np.argmin(reject))]
        return WorstPair(pair.n1, pair.n, min(reject))


def flexible(
    requirements: Requirements, *, k: int = 8, cap: int | None = None, minimax: bool = False, n_limit: int = N_LIMIT
) -> FlexibleDesign:
    """Find the plan with the least average EN(p0), or with the least largest n and then the least average EN(p0).

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits, which the averages keep.
    k : int
        How many sizes each look may have.
    cap : int, optional
        Largest n. Without it the search ends by proof.
    minimax : bool
        Whether the largest n comes first.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this.

    Raises
    ------
    InputError
        If the bound on n passes `n_limit`, `k` is not from 1 to 20, or `cap` leaves no plan.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> found = flexible(Requirements(p0=0.05, p1=0.25, alpha=0.05, power=0.8), k=3)
    >>> found.n1, found.r1, found.n, found.r, round(found.en_p0, 2)
    ((6, 7, 8), (0, 0, 0), (20, 21, 22), (2, 2, 3), 11.19)
    >>> found.type_i_error < 0.05 < found.largest_type_i_error.reject
    True
    """
    k = TABLE["sizes"].count(k, "k")
    last = N_LIMIT_MOST if cap is None else TABLE["cap"].count(cap, "cap")
    bounds.refuse(requirements, n_limit)
    return _known_flexible(requirements, k, last, minimax)


@kept(64)
def _known_flexible(requirements: Requirements, k: int, last: int, minimax: bool) -> FlexibleDesign:
    search = FlexibleScan(requirements, k)
    for n in range(2 * k, last + 1):  # the largest n of a plan
        if search.closed(n) or (minimax and search.best is not None):
            break
        search.visit(n)
    if search.best is None:
        raise InputError(f"({last}) leaves no plan that meets both limits; raise it", "cap")
    return search.best.plan


class FlexiblePlan(NamedTuple):
    """A plan that meets the limits, with what it is compared by."""

    order: tuple[float, ...]
    plan: FlexibleDesign


def rising(k: int) -> Ints:
    """Every way to rise by at most `STEPS`, one at a time, over k sizes: rows that begin with 0."""
    ways = [places for steps in range(min(STEPS, k - 1) + 1) for places in combinations(range(1, k), steps)]
    return np.array([[sum(at <= place for at in places) for place in range(k)] for places in ways], dtype=np.int64)


class FlexibleScan:
    """Visits plans by their largest n, and keeps the best."""

    def __init__(self, asked: Requirements, k: int) -> None:
        self.asked, self.k = asked, k
        self.best: FlexiblePlan | None = None
        self.ways = rising(k)
        self._rows: dict[int, Ints] = {}
        self.tables = Tables(asked, max(int(1.6 * bounds.score_n(asked)) + 3 * k, 4 * k), whole=True)

    @property
    def _least(self) -> float:
        return math.inf if self.best is None else self.best.order[0]

    def _grown(self, n: int) -> Tables:
        if n > self.tables.n_max:
            self.tables = Tables(self.asked, int(1.45 * n) + 12, whole=True)
        return self.tables

    def _first_looks(self, low: int) -> Ints:
        """Every r1 of n1 = low, ..., low + k - 1 with mean P1(X1 <= r1) < 1 - power, in rows."""
        if low not in self._rows:
            tables, n1 = self._grown(low + self.k - 1), np.arange(low, low + self.k)
            r1 = (np.arange(low)[:, np.newaxis, np.newaxis] + self.ways).reshape(-1, self.k)
            r1 = r1[(r1 < n1).all(axis=1)]
            self._rows[low] = r1[tables.tail[1, n1, r1].mean(axis=1) > self.asked.power - SLACK]
        return self._rows[low]

    def _expected(self, low: int, r1: Ints, n_mean: float) -> Floats:
        """The average EN(p0) of such rows."""
        n1 = np.arange(low, low + self.k)
        en: Floats = (n1 + self.tables.tail[0, n1, r1] * (n_mean - n1)).mean(axis=1)
        return en

    def closed(self, n: int) -> bool:
        """Whether no plan whose largest n is this or larger can be better (fact 3)."""
        if self.best is None:
            return False
        mean = n - (self.k - 1) / 2
        for low in range(1, math.ceil(self._least)):
            r1 = self._first_looks(low)
            if r1.size and (self._expected(low, r1, max(mean, low + self.k)) < self._least + TIE).any():
                return False
        return True

    def visit(self, n: int) -> None:
        """Visit every plan whose largest n is this."""
        tables = self._grown(n)
        if not tables.possible[n]:
            return
        sizes = np.arange(n - self.k + 1, n + 1)
        r = (np.arange(1, sizes[0])[:, np.newaxis, np.newaxis] + self.ways).reshape(-1, self.k)
        r = r[(r < sizes).all(axis=1)]
        r = r[tables.tail[1, sizes, r].mean(axis=1) >= self.asked.power - SLACK][::-1]  # from the largest down
        if r.size == 0:
            return
        for low in range(1, int(sizes[0]) - self.k + 1):
            if low >= self._least + TIE:
                return
            r1 = self._first_looks(low)
            en = self._expected(low, r1, float(sizes.mean()))
            open_ = np.flatnonzero(en < self._least + TIE)
            order = open_[np.argsort(en[open_], kind="stable")]
            for at in range(0, order.size, ROWS):
                some = order[at : at + ROWS]
                if en[some[0]] >= self._least + TIE:
                    break
                self._last_looks(low, (r1[some], en[some]), (sizes, r))

    def _last_looks(self, low: int, first: tuple[Ints, Floats], last: tuple[Ints, Ints]) -> None:
        """Visit every last look with these first ones, which come by their average EN(p0)."""
        (r1, en), (sizes, r) = first, last
        asked, each = self.asked, np.arange(self.k)
        reject = self._reject(low, r1, (sizes, int(r[:, 0].max()) + STEPS))
        for bound in np.unique(r[:, 0])[::-1].tolist():
            if (reject[0][:, each, bound + self.ways.max(axis=0)].mean(axis=1) > asked.alpha + SLACK).all():
                return  # what begins with this bound or a smaller one is nowhere above these
            some = r[r[:, 0] == bound]
            mean0, mean1 = (one[:, each, some].mean(axis=2) for one in reject)
            fine = (mean0 <= asked.alpha + SLACK) & (mean1 >= asked.power - SLACK) & (r1[:, -1:] < bound)
            clear = (mean0 < asked.alpha - SLACK) & (mean1 > asked.power + SLACK)
            for row in np.flatnonzero(fine.any(axis=1)).tolist():
                if en[row] >= self._least + TIE:
                    break
                for column in np.flatnonzero(fine[row]).tolist():
                    value = (float(en[row]), float(mean0[row, column]))
                    self._try((low, r1[row]), (sizes, some[column]), value, clear=bool(clear[row, column]))

    def _reject(self, low: int, r1: Ints, last: tuple[Ints, int]) -> Floats:
        """Mean P_p(X1 > r1, X > r) over n1: shape (2, rows, n, r) for r = 0, ..., `top`."""
        tables, x, (sizes, top) = self.tables, np.arange(int(r1.max()) + 1), last
        r = np.arange(top + 1)
        whole = tables.padded[:, sizes[:, np.newaxis], np.minimum(tables.PAD + r, tables.padded.shape[2] - 1)]
        found = np.zeros((2, r1.shape[0], sizes.size, top + 1))
        for n1, bound in zip(range(low, low + self.k), r1.T, strict=True):
            column = np.clip(tables.PAD + r[:, np.newaxis] - x, 0, tables.padded.shape[2] - 1)
            later = tables.padded[:, (sizes - n1)[:, np.newaxis, np.newaxis], column]
            lost = np.cumsum(tables.pmf[:, n1, x][:, np.newaxis, np.newaxis] * later, axis=3)
            found += whole[:, np.newaxis] - np.moveaxis(lost[:, :, :, bound], 3, 1)
        return found / self.k

    def _try(
        self, first: tuple[int, Ints], last: tuple[Ints, Ints], value: tuple[float, float], *, clear: bool
    ) -> None:
        """Keep a plan if it is better: values that agree to `TIE` are equal, then the fewest patients."""
        (low, r1), (sizes, r), (en, type_i_error) = first, last, value
        order = (float(np.round(en / TIE)) * TIE, float(sizes[-1]), float(low), type_i_error)
        if self.best is not None and order >= self.best.order:
            return
        plan = FlexibleDesign(
            requirements=self.asked,
            n1=tuple(range(low, low + self.k)),
            r1=tuple(r1.tolist()),
            n=tuple(sizes.tolist()),
            r=tuple(r.tolist()),
        )
        if clear or self._meets(plan):
            self.best = FlexiblePlan(order, plan)

    def _meets(self, plan: FlexibleDesign) -> bool:
        """Whether the averages keep the limits, in fractions."""
        p0, p1 = decimal(self.asked.p0), decimal(self.asked.p1)
        means = [
            sum((exact.reject_fraction(pair, p) for pair in plan.pairs), Fraction(0)) / self.k**2 for p in (p0, p1)
        ]
        return means[0] <= decimal(self.asked.alpha) and means[1] >= decimal(self.asked.power)
