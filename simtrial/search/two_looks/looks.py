"""Designs with any two looks that meet the limits: Simon's form, with a stop for efficacy, or with both stops.

`simtrial.search.two_looks.scan` says why the search is complete. `Aim` says which of equal designs is taken: every
design whose value comes near the least one is compared by it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import TwoStage
from simtrial.errors import InputError
from simtrial.memo import OnDemand, kept
from simtrial.search import bounds
from simtrial.search.candidate import Candidate, TwoStageCandidate
from simtrial.search.record import Certificate, SearchResult
from simtrial.search.two_looks.binomials import largest_share
from simtrial.search.two_looks.goals import NEAR, Aims, Undominated, weighted
from simtrial.search.two_looks.hull import least_by_some_weights, undominated
from simtrial.search.two_looks.scan import TwoLooksScan
from simtrial.search.two_looks.stages import FoundStages, made

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.aim import Aim
    from simtrial.search.constraints import Constraints


class TwoLooksSearch:
    """What the search for two looks finds, by any weighted sum. Each is searched when it is first asked for.

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits.
    constraints : Constraints
        What else is asked of a design.
    together : sequence of Aim
        Sums that are searched for at once; the ``n_upper`` of their certificates holds for all of them.
    """

    def __init__(self, requirements: Requirements, constraints: Constraints, together: Sequence[Aim] = ()) -> None:
        self.requirements, self.constraints = requirements, constraints
        self._together = tuple(together)
        self._scans: dict[tuple[Aim, ...], TwoLooksScan] = {}
        self._results: dict[Aim, SearchResult] = {}

    def result(self, aim: Aim) -> SearchResult:
        """The best design by a weighted sum, with its certificate.

        Ties are listed up to ``n_upper`` patients. They and the frontier are searched for when they are looked at.

        Raises
        ------
        InputError
            If no design meets the limits and the constraints.
        """
        if aim not in self._results:
            self._results[aim] = self._result(aim)
        return self._results[aim]

    def _scan(self, aim: Aim) -> TwoLooksScan:
        aims = self._together if aim in self._together else (aim,)
        if aims not in self._scans:
            self._scans[aims] = TwoLooksScan(self.requirements, self.constraints, Aims(aims))
        if not self._scans[aims].found:
            raise _nothing(self.constraints)
        return self._scans[aims]

    def _result(self, aim: Aim) -> SearchResult:
        scan = self._scan(aim)
        near = list(self._near(scan, aim))
        value, best = self._ordered(aim, (design for one in near for design in _designs(one)))[0]
        n = best.looks[-1].n
        if aim.smallest_n or scan.cut is None:
            n_upper = n if aim.smallest_n else scan.n_upper
            proof = Certificate(how="proved", n_lower=scan.n_lower, n_upper=n_upper, value=value, bound=value)
        else:
            beyond = min(value, _beyond(scan, aim))
            proof = Certificate(
                how="capped", n_lower=scan.n_lower, n_upper=scan.end, value=value, bound=beyond, cap=scan.end
            )

        def ties() -> list[Candidate]:
            wider = (design for one in near for design in self._wider(scan, one, aim))
            same = [
                design
                for other, design in self._ordered(aim, wider)
                if aim.equal((other, design.looks[-1].n), (value, n))
            ]
            return [self._candidate(design) for design in same if design != best]

        return SearchResult(
            best=self._candidate(best),
            ties=OnDemand(ties),
            frontier=OnDemand(lambda: self.frontier),
            certificate=proof,
        )

    def _candidate(self, design: Design, kinds: tuple[str, ...] = ()) -> Candidate:
        if isinstance(design, TwoStage):
            return TwoStageCandidate(design, self.requirements, kinds=kinds)
        return Candidate(design, self.requirements, kinds=kinds)

    def _near(self, scan: TwoLooksScan, aim: Aim) -> Iterator[FoundStages]:
        """Designs whose value comes near the least, one at a time."""
        found = scan.found[:1] if aim.smallest_n else scan.found
        values = [weighted(aim, one.sizes(one.n)) for one in found]
        least = min(float(one.min()) for one in values)
        for some, value in zip(found, values, strict=True):
            for i in np.flatnonzero(value < least + NEAR).tolist():
                yield some.at(np.array([i]))

    def _ordered(self, aim: Aim, designs: Iterable[Design]) -> list[tuple[float, Design]]:
        """Designs with their values, each once, in the order in which the aim takes them."""
        valued = [(aim.value(design, self.requirements), design) for design in dict.fromkeys(designs)]
        return sorted(valued, key=lambda one: aim.order(one[1], one[0]))

    def _wider(self, scan: TwoLooksScan, found: FoundStages, aim: Aim) -> list[Design]:
        """A design, and those with a smaller k or a larger e1 whose value comes near its own."""
        n1, r, k, e = (int(one[0]) for one in (found.n1, found.r, found.k, found.e))
        e_last = (min(n1, r) if scan.form.efficacy else n1) + 1
        lower, wider = (
            one.ravel() for one in np.meshgrid(np.arange(scan.form.k_first, k + 1), np.arange(e, e_last + 1))
        )
        some = (lower > 0) | (wider <= n1)
        lower, wider = lower[some], wider[some]
        n1s = np.full(lower.shape, n1)
        all_ = FoundStages(
            n1=n1s, k=lower, e=wider, share=scan.tables.share(n1s, lower, wider),
            largest=largest_share(n1s, lower, wider), n=np.full(lower.shape, found.n[0]), r=np.full(lower.shape, r),
        )  # fmt: skip
        value = weighted(aim, found.sizes(found.n))[0]
        near = _designs(all_.at(weighted(aim, all_.sizes(all_.n)) < value + NEAR))
        return [design for design in near if exact.meets(design, self.requirements)]

    @cached_property
    def frontier(self) -> tuple[Candidate, ...]:
        """Designs that no other one is better than in EN(p0), EN(p1) and n, by n; without a stop for efficacy in EN(p0)
        and n. It takes a search of its own, up to the n from which every design is worse than one of these.
        """
        efficacy = self.constraints.stops != "futility"
        scan = TwoLooksScan(self.requirements, self.constraints, Undominated(with_p1=efficacy))
        if not scan.found:
            raise _nothing(self.constraints)
        all_ = FoundStages.joined(scan.found)
        sizes = all_.sizes(all_.n)
        order = np.lexsort((all_.e, -all_.k, -all_.r, all_.n1))
        en_p1 = sizes.en_p1 if efficacy else np.zeros(order.size)
        points = list(zip(sizes.en_p0[order].tolist(), en_p1[order].tolist(), sizes.n[order].tolist(), strict=True))
        return tuple(map(self._candidate, _designs(all_.at(order[undominated(points)]))))

    @cached_property
    def admissible(self) -> tuple[Candidate, ...]:
        """Designs of the frontier that are least by some weights of EN(p0), EN(p1) and n, by n.

        Those that are best by one of the sums that are searched for together bear no kind, the others ``admissible``.
        Without a stop for efficacy EN(p1) has no weight.
        """
        points = np.array([(one.en_p0, one.en_p1, one.n) for one in self.frontier])
        chosen = least_by_some_weights(points, with_p1=self.constraints.stops != "futility")
        best = {self.result(aim).best.looks for aim in self._together}
        return tuple(
            one if one.looks in best else self._candidate(one.design, kinds=("admissible",))
            for one in (self.frontier[i] for i in chosen)
        )


def _designs(found: FoundStages) -> list[Design]:
    rows = zip(*(one.tolist() for one in (found.n1, found.r, found.n, found.k, found.e)), strict=True)
    return [made(n1, r, n, (k, e)) for n1, r, n, k, e in rows]


def _beyond(scan: TwoLooksScan, aim: Aim) -> float:
    """What no design with more patients than the cap is below."""
    assert scan.cut is not None
    values = weighted(aim, scan.cut.sizes(scan.end + 1))
    first = scan.end // 2 + 1 if scan.constraints.balanced else scan.end
    return min(float(values.min(initial=np.inf)), aim.of(first, first, first, scan.end + 1))


def _nothing(constraints: Constraints) -> InputError:
    """Which restriction leaves no design."""
    if constraints.looks_at is not None:
        looks = ", ".join(map(str, constraints.looks_at))
        return InputError(f"({looks}) allow no design that meets both limits; give more patients", "looks_at")
    if constraints.cap is not None:
        return InputError(f"({constraints.cap}) allows no design that meets both limits; give a larger one", "cap")
    return InputError("allow no design that meets both limits; relax one of them", "constraints")


def search(
    requirements: Requirements, constraints: Constraints, *, n_limit: int, together: tuple[Aim, ...] = ()
) -> TwoLooksSearch:
    """Search designs with two looks.

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits.
    constraints : Constraints
        `stops` says for what the first look stops; for both, if it does not say.
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this. It does not bound the search.
    together : tuple of Aim
        Sums that are searched for at once, which is quicker than one after the other.

    Raises
    ------
    InputError
        If the Neyman-Pearson bound on n passes `n_limit`, or the constraints contradict each other.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> from simtrial.search import FREE, Aim
    >>> found = search(Requirements(p0=0.1, p1=0.25, alpha=0.1, power=0.8), FREE, n_limit=100)
    >>> found.result(Aim(en_p1=1.0, smallest_n=True)).best.design
    TwoStage(r1=0, n1=16, r=5, n=29, e1=4)
    """
    bounds.refuse(requirements, n_limit)
    looks = constraints.looks_at
    if looks is not None and len(looks) != 2:
        raise InputError(f"({', '.join(map(str, looks))}) must be two numbers of patients", "looks_at")
    if constraints.n1_least >= n_limit:
        raise InputError(f"({constraints.n1_least}) leaves no patient of {n_limit} for a second stage", "n1_least")
    return _known(requirements, constraints, together)


@kept(64)
def _known(requirements: Requirements, constraints: Constraints, together: tuple[Aim, ...]) -> TwoLooksSearch:
    return TwoLooksSearch(requirements, constraints, together)
