"""The best thresholds of Thall and Simon at given looks, by a weighted sum under both limits.

Why the search is complete
--------------------------
1. A threshold matters only through the counts whose probability is below or above it. So the probabilities that the
   counts of the looks attain, one threshold between each two of them, give every boundary. Those nearer than `NEAR` are
   taken to be equal.
2. With theta_U fixed a larger theta_L makes more counts futile: P(reject H0) and EN fall at every rate. So for each
   theta_U the best theta_L by any weighted sum of EN(p0) and EN(p1) is the largest with which the power is kept, which
   bisection finds; alpha is kept there if it is kept by any theta_L that keeps the power.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.errors import InputError
from simtrial.phrases import spanned
from simtrial.search.aim import TIE, Aim
from simtrial.search.bayesian.many_bounds import ManyBounds
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.bayesian.thall_simon import NEAR, chances
from simtrial.search.candidate import Candidate
from simtrial.search.given import least_patients, with_bounds
from simtrial.search.record import Certificate, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints
    from simtrial.search.constraints import StopsFor

DIFFUSE, INFORMATIVE = 2, 50
"""Patients that the priors weigh as much as, unless they are given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThallSimonParameters:
    """Thresholds that lead to one boundary.

    Attributes
    ----------
    ranges : dict of str to tuple of float
        The ends of the interval of each threshold, by its name, between which it gives the boundary.
    inside : tuple of float
        One value of each, with few digits.
    """

    ranges: dict[str, tuple[float, float]]
    inside: tuple[float, ...]


@dataclass(frozen=True)
class ThallSimonCandidate(Candidate):
    """A design of Thall and Simon.

    Attributes
    ----------
    parameters : ThallSimonParameters
        The thresholds that lead to it.
    """

    _: KW_ONLY
    parameters: ThallSimonParameters


class AttainedThresholds:
    """All thresholds of one probability at some looks, from the one that the fewest counts are below.

    Parameters
    ----------
    found : ndarray
        The probability by n and x.
    looks_at : sequence of int
        Patients at each look.
    """

    def __init__(self, found: Floats, looks_at: Sequence[int]) -> None:
        by_look = [found[n, : n + 1] for n in looks_at]
        values = np.unique(np.concatenate(by_look))
        apart = np.append(True, np.diff(values) > NEAR)
        last = np.append(np.flatnonzero(apart)[1:] - 1, values.size - 1)
        # the i-th threshold lies above i groups of equal values
        self.low = np.concatenate([[0.0], values[last]])
        self.high = np.concatenate([values[apart], [1.0]])
        middle = (self.low + self.high) / 2
        self.below: Ints = np.stack([np.searchsorted(one, middle) for one in by_look], axis=1)

    def range(self, i: int) -> tuple[float, float]:
        """Between which values the i-th threshold lies."""
        return float(self.low[i]), float(self.high[i])


def _short(low: float, high: float) -> float:
    """The number with the fewest decimals between two others."""
    for digits in range(1, 13):
        found = round(low, digits) + 10.0**-digits * (round(low, digits) <= low)
        if low < round(found, digits) < high:
            return round(found, digits)
    return (low + high) / 2


class ThallSimonSearch:
    """The boundaries of Thall and Simon at given looks.

    Parameters
    ----------
    requirements : Requirements
        The question.
    looks_at : sequence of int
        Patients at each look, cumulative; the last is N.
    prior_e, prior_s : BetaPrior, optional
        Of the new treatment and of the standard one; see the head of the module.
    delta : float
        The gain that futility asks for.
    stops : StopsFor
        For what the trial stops.
    capped : bool
        Whether N was chosen as the smallest that will do, so that nothing is known of larger ones.
    """

    def __init__(
        self,
        requirements: Requirements,
        looks_at: Sequence[int],
        *,
        prior_e: BetaPrior | None = None,
        prior_s: BetaPrior | None = None,
        delta: float = 0.0,
        stops: StopsFor = "both",
        capped: bool = False,
    ) -> None:
        self.requirements, self.looks_at, self.stops = requirements, tuple(looks_at), stops
        new, standard = (BetaPrior.of(mean=requirements.p0, size=size) for size in (DIFFUSE, INFORMATIVE))
        self.priors = prior_e or new, prior_s or standard
        last = self.looks_at[-1]
        self.futile = AttainedThresholds(chances(*self.priors, last, delta), self.looks_at)
        self.promising = AttainedThresholds(chances(*self.priors, last), self.looks_at)
        self.many = ManyBounds(looks_at, (requirements.p0, requirements.p1))
        self.capped = capped
        self.known: dict[Aim, SearchResult] = {}

    @property
    def admissible(self) -> Sequence[Candidate]:
        """None beside the best ones."""
        return ()

    def lists(self, i: Ints, j: Ints) -> tuple[Ints, Ints]:
        """The bounds with the i-th threshold of futility and the j-th of efficacy: shape (thresholds, looks)."""
        n = np.array(self.looks_at)
        lower = self.futile.below[i] - 1
        if self.stops == "futility":
            return lower, np.tile(n + 1, (len(lower), 1))
        upper = np.maximum(self.promising.below[j], lower + 1)
        lower[:, -1] = upper[:, -1] - 1
        return lower, upper

    def _pairs(self) -> tuple[Ints, Ints]:
        """For each threshold of efficacy the largest of futility with which the power is kept; none where it is not."""
        many = 1 if self.stops == "futility" else len(self.promising.low)
        j = np.arange(many)
        power = self.requirements.power * (1 - exact.CLOSE)
        low = np.full(many, -1)
        high = np.full(many, 1 if self.stops == "efficacy" else len(self.futile.low))
        while (high - low > 1).any():
            middle = np.maximum((low + high) // 2, 0)
            enough = self.many.outcomes(*self.lists(middle, j)).reject[1] >= power
            wide = high - low > 1
            low, high = np.where(wide & enough, middle, low), np.where(wide & ~enough, middle, high)
        some = low >= 0
        return low[some], j[some]

    def result(self, aim: Aim) -> SearchResult:
        """The best boundary by a weighted sum.

        Raises
        ------
        InputError
            If the sum has a part that is not searched for, or no boundary keeps both limits.
        """
        if aim.en_max:
            raise InputError(f"({aim.what}) is not what this search makes small; weigh EN(p0) and EN(p1)", "criterion")
        if aim not in self.known:
            self.known[aim] = self._result(aim)
        return self.known[aim]

    def _result(self, aim: Aim) -> SearchResult:
        tied = self.meeting(aim)
        if not tied:
            asked = self.requirements
            raise InputError(
                f"({asked.power:g}) is not reached under alpha {asked.alpha:g} by any thresholds of Thall and Simon "
                f"with looks at n = {spanned(self.looks_at)}; allow more patients",
                "power",
            )
        value, last = aim.value(tied[0], self.requirements), self.looks_at[-1]
        best, *ties = sorted(tied, key=lambda one: aim.order(one.design, value))
        proof = Certificate(
            how="capped" if self.capped else "proved",
            n_lower=least_patients(self.requirements, last),
            n_upper=last,
            value=value,
            bound=value,
            cap=last if self.capped else None,
        )
        return SearchResult(best=best, ties=tuple(ties), certificate=proof)

    def meeting(self, aim: Aim) -> list[ThallSimonCandidate]:
        """The boundaries with the least value that keep both limits."""
        asked = self.requirements
        i, j = self._pairs()
        if not i.size:
            return []
        lower, upper = self.lists(i, j)
        reject, en = self.many.outcomes(lower, upper)
        values = aim.en_p0 * en[0] + aim.en_p1 * en[1] + aim.n * self.looks_at[-1]
        at = np.flatnonzero(reject[0] <= asked.alpha * (1 + exact.CLOSE))
        least, tied = np.inf, list[ThallSimonCandidate]()
        for k in at[np.argsort(values[at], kind="stable")].tolist():
            if values[k] > least + TIE:
                break
            found = self._candidate(int(i[k]), int(j[k]))
            if found is not None and found.design.looks not in [one.design.looks for one in tied]:
                least = min(least, aim.value(found, asked))
                tied.append(found)
        return tied

    def _candidate(self, i: int, j: int) -> ThallSimonCandidate | None:
        """The design of a pair of thresholds; None if it breaks a limit by less than floating point can tell."""
        lower, upper = self.lists(np.array([i]), np.array([j]))
        design = with_bounds(self.looks_at, lower[0].tolist(), upper[0].tolist())
        if not exact.meets(design, self.requirements):
            return None
        pairs = {"theta_l": self.futile.range(i), "theta_u": self.promising.range(j)}
        left_out = {"futility": "theta_u", "efficacy": "theta_l"}.get(self.stops)
        ranges = {name: ends for name, ends in pairs.items() if name != left_out}
        where = ThallSimonParameters(ranges=ranges, inside=tuple(_short(*ends) for ends in ranges.values()))
        return ThallSimonCandidate(design, self.requirements, parameters=where)
