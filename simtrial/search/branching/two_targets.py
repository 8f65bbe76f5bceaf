"""Two targets: one second stage after few responses in the first stage, another after many (Lin and Shih).

With X1 <= s1 of n1 the trial stops. With s1 < X1 <= q1 it enrolls up to N patients and rejects H0 iff X > r; with
X1 > q1 up to M, and rejects iff X > t. H0 is rejected with at most alpha at p0, at least the first power at p1, and at
least the second at a larger rate p2. The rule is a table with two different second stages [1]_. Each of them can reject
H0 after every number of responses that leads to it.

The search
----------
For n1, s1 and q1 the two branches add up, in EN(p0) and in all three limits. A branch is left out where it alone
exceeds alpha, where the other branch could not bring the powers up to their limits even if it always rejected, or where
it reaches the best value even with the cheapest other branch. What is left is paired. Sums in floating point leave a
margin at each limit; a pair within it is confirmed in fractions.

References
----------
.. [1] Lin Y, Shih WJ. Adaptive two-stage designs for single-arm phase IIA cancer clinical trials. Biometrics
   2004;60:482-490.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design import exact
from simtrial.design.binomial import above, binomial_pmf
from simtrial.design.branching import Branching
from simtrial.design.exact import CLOSE
from simtrial.design.requirements import Requirements
from simtrial.design.second_stages import SecondStage
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.phrases import counted
from simtrial.search.branching.found import Restrictions
from simtrial.search.branching.solution import search
from simtrial.search.branching.table import TIE
from simtrial.search.record import Certificate

if TYPE_CHECKING:
    from simtrial.design.second_stages import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTargets:
    """The question: the limits at p0 and p1, and a larger rate at which more power is asked for.

    Parameters
    ----------
    asked : Requirements
        Rates and limits at p0 and p1.
    p2 : float
        The larger rate; above p1.
    power : float
        Least probability of rejecting H0 there.

    Raises
    ------
    InputError
        If p2 is not above p1, or a number is out of its bounds.
    """

    asked: Requirements
    p2: float
    power: float

    def __post_init__(self) -> None:
        beyond = Requirements(self.asked.p0, self.p2, self.asked.alpha, self.power)
        if beyond.p1 <= self.asked.p1:
            raise InputError(f"({self.p2:g}) is not above p1 ({self.asked.p1:g})", "p2")

    @property
    def both(self) -> tuple[Requirements, Requirements]:
        """The limits at p1 and those at p2, each with that at p0."""
        return self.asked, Requirements(self.asked.p0, self.p2, self.asked.alpha, self.power)

    def met(self, design: Branching) -> bool:
        """Whether a design keeps all three limits, with tolerance 0."""
        return all(exact.meets(design, one) for one in self.both)


class LaterStage(NamedTuple):
    """A second stage: patients in all, and the bound above which H0 is rejected."""

    n: int
    r: int


@dataclass(frozen=True, kw_only=True)
class TwoTargetsFound:
    """The best rule: its numbers, its table and how far the search reaches.

    Attributes
    ----------
    s1, n1, q1 : int
        Stop with at most s1 of n1 responses; up to q1 the first second stage follows, above it the other.
    low, high : LaterStage
        The two second stages.
    design : Branching
        The rule as a table.
    certificate : Certificate
        How far the search reaches; its `bound` holds for all tables of any size.
    """

    s1: int
    n1: int
    q1: int
    low: LaterStage
    high: LaterStage
    design: Branching
    certificate: Certificate


@kept(16)
def two_targets(question: TwoTargets, *, cap: int) -> TwoTargetsFound:
    """The rule with the least EN(p0) among those with at most `cap` patients.

    Parameters
    ----------
    question : TwoTargets
        Rates and limits.
    cap : int
        Largest number of patients.

    Returns
    -------
    TwoTargetsFound
        The rule with its certificate.

    Raises
    ------
    InputError
        If none keeps the limits.
    """
    # every rule is one of these tables
    tables = search(question.asked, restrictions=Restrictions(cap=cap, monotone=False)).certificate
    best: tuple[float, _Rule] | None = None
    for n1 in range(1, cap):
        if best is not None and n1 >= best[0] - TIE:
            break
        best = _FirstStage(question, n1, cap).better(best)
    if best is None:
        raise InputError(
            f"({cap}) is too small: no rule with at most {counted(cap, 'patient')} meets the limits at both targets",
            "cap",
        )
    value, rule = best
    proof = Certificate(
        how="capped", n_lower=tables.n_lower, n_upper=cap, value=value, bound=min(tables.bound, value), cap=cap
    )
    return TwoTargetsFound(
        s1=rule.s1, n1=rule.n1, q1=rule.q1, low=rule.low, high=rule.high, design=rule.table(), certificate=proof
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """The numbers of a rule."""

    s1: int
    n1: int
    q1: int
    low: LaterStage
    high: LaterStage

    def table(self) -> Branching:
        """The rule as a table."""
        rows: list[Stop | SecondStage] = []
        for x in range(self.n1 + 1):
            branch = self.low if x <= self.q1 else self.high
            n2 = branch.n - self.n1
            rows.append("accept" if x <= self.s1 else SecondStage(n2, branch.r))
        return Branching(self.n1, tuple(rows))


class _FirstStage:
    """The rules of one n1.

    Parameters
    ----------
    question : TwoTargets
        Rates and limits.
    n1, cap : int
        Patients of the first stage, and most in all.
    """

    def __init__(self, question: TwoTargets, n1: int, cap: int) -> None:
        self.question, self.n1 = question, n1
        sizes = np.arange(n1 + 1, cap + 1)
        self.n = np.repeat(sizes, sizes)
        self.r = np.concatenate([np.arange(n) for n in sizes])
        rates = (question.asked.p0, question.asked.p1, question.p2)
        self.first = binomial_pmf(n1, np.array(rates))
        x = np.arange(n1 + 1)[:, np.newaxis]
        # P(X1 < x and H0 is rejected) by x and second stage, at each rate
        self.below = [
            np.cumsum(np.vstack([np.zeros(self.n.size), b[:, np.newaxis] * above(self.r - x, self.n - n1, p)]), axis=0)
            for b, p in zip(self.first, rates, strict=True)
        ]

    def better(self, best: tuple[float, _Rule] | None) -> tuple[float, _Rule] | None:
        """The best rule of this n1, if it is better than the best known."""
        for s1 in range(self.n1):
            low_enough = all(
                self.first[k, : s1 + 1].sum() <= 1 - one.power + CLOSE
                for k, one in enumerate(self.question.both, start=1)
            )
            if not low_enough:
                break
            for q1 in range(s1 + 1, self.n1):
                best = self._paired(s1, q1, best)
        return best

    def _paired(self, s1: int, q1: int, best: tuple[float, _Rule] | None) -> tuple[float, _Rule] | None:
        """The best pair of second stages for s1 and q1, if it is better than the best known."""
        n1 = self.n1
        reached = [(b[s1 + 1 : q1 + 1].sum(), b[q1 + 1 :].sum()) for b in self.first]
        cost = [reached[0][k] * (self.n - n1) for k in (0, 1)]
        sums = [
            [below[q1 + 1] - below[s1 + 1] for below in self.below],
            [below[n1 + 1] - below[q1 + 1] for below in self.below],
        ]
        alpha = self.question.asked.alpha
        powers = [one.power for one in self.question.both]
        most = np.inf if best is None else best[0] - n1 - TIE
        kept = []
        for k in (0, 1):
            other = 1 - k
            fits = (sums[k][0] <= alpha * (1 + CLOSE)) & (cost[k] + cost[other].min() < most)
            # the least responses of the branch can still reject; of bounds that reject whatever follows, the largest
            fits &= (self.r - (s1, q1)[k] <= self.n - n1) & (self.r >= (s1, q1)[k])
            for j, power in enumerate(powers, start=1):
                fits &= sums[k][j] + reached[j][other] >= power * (1 - CLOSE)
            chosen = np.flatnonzero(fits)
            kept.append(chosen[np.argsort(cost[k][chosen], kind="stable")])
        low, high = kept
        if not (low.size and high.size):
            return best
        value = np.add.outer(cost[0][low], cost[1][high])
        fits = (value < most) & (np.add.outer(sums[0][0][low], sums[1][0][high]) <= alpha * (1 + CLOSE))
        for j, power in enumerate(powers, start=1):
            fits &= np.add.outer(sums[0][j][low], sums[1][j][high]) >= power * (1 - CLOSE)
        pairs = np.argwhere(fits)
        for i, j in pairs[np.argsort(value[fits], kind="stable")]:
            rule = _Rule(
                s1=s1,
                n1=n1,
                q1=q1,
                low=LaterStage(int(self.n[low[i]]), int(self.r[low[i]])),
                high=LaterStage(int(self.n[high[j]]), int(self.r[high[j]])),
            )
            if self.question.met(rule.table()):
                return n1 + float(value[i, j]), rule
        return best
