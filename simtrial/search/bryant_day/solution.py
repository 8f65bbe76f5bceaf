"""What the search finds: the best designs for two endpoints, each with its proof."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from simtrial.design.requirements import N_LIMIT
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.numbers import count
from simtrial.phrases import counted
from simtrial.search import bounds
from simtrial.search.bryant_day import limits
from simtrial.search.bryant_day.law import law
from simtrial.search.bryant_day.question import CORNERS
from simtrial.search.bryant_day.scan import BothScan
from simtrial.search.record import Certificate

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.search.bryant_day.law import BothLaw
    from simtrial.search.bryant_day.question import BothBounds, BothRates, Corner, Phi

KINDS = ("optimal", "minimax")
"""The criteria: the least value over all n, and the least at the smallest n that has a design."""

MOST_PATIENTS = 300
"""Most patients that the most powerful test of one endpoint may need for a search."""


@dataclass(frozen=True, kw_only=True)
class BothCandidate:
    """A design for a question, with what it does at every corner and association.

    Attributes
    ----------
    design : BothBounds
        The bounds.
    asked : BothRates
        The question.
    phi : {'worst', 'independence'}
        Over which associations it was asked to keep the limits.
    """

    design: BothBounds
    asked: BothRates
    phi: Phi

    @cached_property
    def _laws(self) -> dict[float, BothLaw]:
        r, t = zip(*(self.asked.at(corner) for corner in CORNERS), strict=True)
        return {phi: law(self.design, r, t, phi) for phi in (0.0, 1.0, math.inf)}

    def recommend(self, phi: float | None = None) -> dict[Corner, float]:
        """P(recommend) per corner, at an odds ratio; without one, the worst over the associations that were asked for.

        The worst is the largest at every corner but (r1, t1), where it is the least.
        """
        if phi is not None:
            return dict(zip(CORNERS, self._at(phi).recommend.tolist(), strict=True))
        way = limits.ends(self.phi)
        return {corner: self.recommend(way.get(corner, way["R0T1"]))[corner] for corner in CORNERS}

    def en(self, phi: float | None = None) -> dict[Corner, float]:
        """The expected number of patients per corner, likewise; without an odds ratio, the largest."""
        at = limits.ends(self.phi)["R0T1"] if phi is None else phi
        return dict(zip(CORNERS, self._at(at).en.tolist(), strict=True))

    def _at(self, phi: float) -> BothLaw:
        if phi in self._laws:
            return self._laws[phi]
        r, t = zip(*(self.asked.at(corner) for corner in CORNERS), strict=True)
        return law(self.design, r, t, phi)

    @property
    def value(self) -> float:
        """The criterion: the larger of EN(r0, t1) and EN(r1, t0)."""
        en = self.en()
        return max(en["R0T1"], en["R1T0"])

    def missed(self, phi: float) -> tuple[Corner, ...]:
        """The corners whose limit it misses at an odds ratio of 0, 1 or infinity, settled in fractions."""
        return limits.missed(self.design, self.asked, phi)

    @cached_property
    def keeps(self) -> bool:
        """Whether it keeps the limits at every association."""
        return limits.keeps(self.design, self.asked, "worst")


@dataclass(frozen=True, kw_only=True)
class BothFound:
    """What the search found.

    Attributes
    ----------
    asked : BothRates
        The question.
    phi : {'worst', 'independence'}
        Over which associations the limits hold, and the criterion is taken: at the association where it is largest.
    optimal, minimax : BothCandidate
        The design with the least criterion, and the one with the fewest patients and the least criterion among those.
    optimal_ties, minimax_ties : tuple of BothCandidate
        Other designs with the same criterion, in the order in which they would be taken.
    n_lower, n_upper : int
        See `Certificate`.
    """

    asked: BothRates
    phi: Phi
    optimal: BothCandidate
    minimax: BothCandidate
    optimal_ties: tuple[BothCandidate, ...]
    minimax_ties: tuple[BothCandidate, ...]
    n_lower: int
    n_upper: int

    def of(self, kind: str) -> tuple[BothCandidate, tuple[BothCandidate, ...], Certificate]:
        """The design of a criterion, its ties and its certificate.

        Raises
        ------
        InputError
            If the criterion is unknown.
        """
        if kind not in KINDS:
            raise InputError(f"({kind!r:.40}) is unknown; write {' or '.join(KINDS)}", "criterion")
        found = self.optimal if kind == "optimal" else self.minimax
        ties = self.optimal_ties if kind == "optimal" else self.minimax_ties
        proof = Certificate(
            how="proved", n_lower=self.n_lower, n_upper=self.n_upper if kind == "optimal" else found.design.n,
            value=found.value, bound=found.value,
        )  # fmt: skip
        return found, ties, proof


@kept(64)
def search(asked: BothRates, *, phi: Phi = "worst", n_limit: int = N_LIMIT) -> BothFound:
    """The optimal and the minimax design for response and toxicity, exactly.

    Parameters
    ----------
    asked : BothRates
        Rates and limits.
    phi : {'worst', 'independence'}
        Whether the limits hold at every association of the two endpoints, or under independence, as in [1]_. EN rises
        with the odds ratio (`law`), so the first minimises the larger of EN(r0, t1) and EN(r1, t0) at an odds ratio of
        infinity, its largest value over all associations; the second minimises it at 1.
    n_limit : int
        Refuse if a design needs more patients.

    Returns
    -------
    BothFound
        Both designs, with ties and certificates.

    Raises
    ------
    InputError
        If the word is unknown, or too many patients are needed.

    Notes
    -----
    The class searched: 0 <= c_r1 < c_r and 0 <= c_t1 < c_t, so that each endpoint can stop the trial at the first look,
    and the second stage can change the decision on each, as with one endpoint (`simon`). Why nothing outside the
    visited designs can win is shown where it is used: bounds of each endpoint in `margins`, the end of n in `stages`,
    and the two end points of the association in `law`. A worst case starts from the designs that keep the limits under
    independence, of which its own are a part.

    References
    ----------
    .. [1] Bryant J, Day R. Incorporating toxicity considerations into the design of two-stage phase II clinical trials.
       Biometrics 1995;51:1372-1383.
    """
    count(n_limit, "n_limit", at_least=1)
    if phi not in ("worst", "independence"):
        raise InputError(f"({phi!r:.40}) is unknown; write worst or independence", "phi")
    most = min(n_limit, MOST_PATIENTS)
    for names, alone in zip((("r0", "r1"), ("t0", "t1")), asked.margins, strict=True):
        _refuse(alone, most, names)
    scan = BothScan(asked, phi, most)

    def told(ones: list[BothBounds]) -> tuple[BothCandidate, ...]:
        return tuple(BothCandidate(design=one, asked=asked, phi=phi) for one in ones)

    optimal, *others = told([one.design for one in scan.best])
    minimax, *more = told([one.design for one in scan.fewest])
    return BothFound(
        asked=asked, phi=phi, optimal=optimal, minimax=minimax, optimal_ties=tuple(others), minimax_ties=tuple(more),
        n_lower=scan.n_lower, n_upper=scan.n_upper,
    )  # fmt: skip


def _refuse(alone: Requirements, most: int, names: tuple[str, str]) -> None:
    """Refuse what needs too many patients even as a question of one endpoint."""
    null, alternative = names
    if bounds.chernoff_n(alone, grid=2) > most and bounds.most_power(most, alone) < alone.power - bounds.SLACK:
        raise InputError(
            f"({alone.p1:g}) is too near {null} ({alone.p0:g}): even the most powerful test of this endpoint alone "
            f"needs more than {counted(most, 'patient')}; widen the gap, or relax the limits",
            alternative,
        )
