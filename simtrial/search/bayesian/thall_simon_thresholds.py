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

from typing import TYPE_CHECKING, NamedTuple

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
from simtrial.search.parameters import ParameterRange, RuleParameters
from simtrial.search.record import Certificate, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints
    from simtrial.search.constraints import StopsFor

DIFFUSE, INFORMATIVE = 2, 50
"""Patients that the priors weigh as much as, unless they are given."""


class TiedThresholds(NamedTuple):
    """A boundary with the places of its thresholds of futility and of efficacy among those attained."""

    found: Candidate
    i: int
    j: int


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
        self.requirements, self.looks_at, self.stops, self.delta = requirements, tuple(looks_at), stops, delta
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
        value, last = aim.value(tied[0].found, self.requirements), self.looks_at[-1]
        first, *others = sorted(tied, key=lambda one: aim.order(one.found.design, value))
        proof = Certificate(
            how="capped" if self.capped else "proved",
            n_lower=least_patients(self.requirements, last),
            n_upper=last,
            value=value,
            bound=value,
            cap=last if self.capped else None,
        )
        return SearchResult(
            best=first.found,
            ties=tuple(one.found for one in others),
            certificate=proof,
            parameters=self._leading(first),
        )

    def meeting(self, aim: Aim) -> list[TiedThresholds]:
        """The boundaries with the least value that keep both limits."""
        asked = self.requirements
        i, j = self._pairs()
        if not i.size:
            return []
        lower, upper = self.lists(i, j)
        reject, en = self.many.outcomes(lower, upper)
        values = aim.en_p0 * en[0] + aim.en_p1 * en[1] + aim.n * self.looks_at[-1]
        at = np.flatnonzero(reject[0] <= asked.alpha * (1 + exact.CLOSE))
        least, tied = np.inf, list[TiedThresholds]()
        for k in at[np.argsort(values[at], kind="stable")].tolist():
            if values[k] > least + TIE:
                break
            found = self._candidate(int(i[k]), int(j[k]))
            if found is not None and found.looks not in [one.found.looks for one in tied]:
                least = min(least, aim.value(found, asked))
                tied.append(TiedThresholds(found, int(i[k]), int(j[k])))
        return tied

    def _candidate(self, i: int, j: int) -> Candidate | None:
        """The design of a pair of thresholds; None if it breaks a limit by less than floating point can tell."""
        lower, upper = self.lists(np.array([i]), np.array([j]))
        design = with_bounds(self.looks_at, lower[0].tolist(), upper[0].tolist())
        return Candidate(design, self.requirements) if exact.meets(design, self.requirements) else None

    def _leading(self, one: TiedThresholds) -> RuleParameters:
        """What leads to a boundary."""
        pairs = {"theta_l": self.futile.range(one.i), "theta_u": self.promising.range(one.j)}
        left_out = {"futility": "theta_u", "efficacy": "theta_l"}.get(self.stops)
        ranges = tuple(
            ParameterRange(name=name, low=low, high=high, includes="high" if name == "theta_l" else "low")
            for name, (low, high) in pairs.items()
            if name != left_out
        )
        return RuleParameters(
            rule="thall_simon",
            looks_at=self.looks_at,
            p0=self.requirements.p0,
            priors={name: prior.pair for name, prior in zip(("prior_e", "prior_s"), self.priors, strict=True)},
            one={one.name: one.few_digits for one in ranges} | ({"delta": self.delta} if self.delta else {}),
            ranges=ranges,
        )
