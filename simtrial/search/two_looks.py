"""Designs with any two looks that meet the limits: Simon's form, with a stop for efficacy, or with both stops.

`simtrial.search.two_looks_scan` says why the search is complete. `Aim` says which of equal designs is taken; it compares
every design whose value comes near the least one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import TwoStage
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.search import bounds
from simtrial.search.candidate import Candidate, TwoStageCandidate
from simtrial.search.record import Certificate, SearchResult
from simtrial.search.two_looks_goals import NEAR, Aims, Sizes
from simtrial.search.two_looks_scan import Found, TwoLooksScan, made

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.aim import Aim, Key
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
        Sums that are searched for at once.
    """

    def __init__(self, requirements: Requirements, constraints: Constraints, together: Sequence[Aim] = ()) -> None:
        self.requirements, self.constraints = requirements, constraints
        self._together = tuple(together)
        self._scans: dict[tuple[Aim, ...], TwoLooksScan] = {}
        self._results: dict[Aim, SearchResult] = {}

    def result(self, aim: Aim) -> SearchResult:
        """The best design by a weighted sum, with its certificate.

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
        return self._scans[aims]

    def _result(self, aim: Aim) -> SearchResult:
        scan = self._scan(aim)
        if not scan.found:
            raise _nothing(self.constraints)
        designs = self._near(scan, aim)
        (_, value, best), *others = designs
        smallest = best.looks[-1].n
        capped = scan.cut is not None and not aim.smallest_n
        certificate = Certificate(
            how="capped" if capped else "proved",
            n_lower=scan.n_lower,
            n_upper=self.constraints.cap if capped else smallest if aim.smallest_n else scan.n_upper,
            value=value,
            bound=min(value, _beyond(scan, aim)) if capped else value,
            cap=self.constraints.cap if capped else None,
        )
        ties = [design for _, one, design in others if aim.equal((one, design.looks[-1].n), (value, smallest))]
        return SearchResult(
            best=self._candidate(best), ties=tuple(self._candidate(one) for one in ties), certificate=certificate
        )

    def _candidate(self, design: Design, kinds: tuple[str, ...] = ()) -> Candidate:
        if isinstance(design, TwoStage):
            return TwoStageCandidate(design, self.requirements, kinds=kinds)
        return Candidate(design, self.requirements, kinds=kinds)

    def _near(self, scan: TwoLooksScan, aim: Aim) -> list[tuple[Key, float, Design]]:
        """Designs whose value comes near the least, in the order of the aim."""
        found = scan.found[:1] if aim.smallest_n else scan.found
        values = [np.asarray(aim.of(*one.sizes())) for one in found]
        least = min(float(one.min()) for one in values)
        designs: list[Design] = []
        for some, value in zip(found, values, strict=True):
            for i in np.flatnonzero(value < least + NEAR).tolist():
                designs.extend(self._beside(scan, some.at(np.array([i]))))
        valued = [(aim.value(design, self.requirements), design) for design in dict.fromkeys(designs)]
        return sorted(((aim.order(design, value), value, design) for value, design in valued), key=lambda one: one[0])

    def _beside(self, scan: TwoLooksScan, found: Found) -> Iterator[Design]:
        """A design, and those with wider bounds of the first look that expect as many patients."""
        n, n1, r, k, e = (int(one[0]) for one in (found.n, found.n1, found.r, found.k, found.e))
        yield made(n1, r, n, (k, e))
        weight = (n - n1) * scan.tables.at_least[:, n1]
        e_last = min(n1 + 1, r + 1) if scan.form.efficacy else n1 + 1
        for later in range(e, e_last + 1):
            for lower in range(k, max(scan.form.k_first, int(later > n1)) - 1, -1):
                more = weight[:, lower] - weight[:, k] + weight[:, e] - weight[:, later]
                if more.max() > NEAR:
                    break
                if (lower, later) != (k, e):
                    design = made(n1, r, n, (lower, later))
                    if exact.meets(design, self.requirements):
                        yield design
            if (weight[:, e] - weight[:, later]).max() > NEAR:
                break

    @property
    def admissible(self) -> Sequence[Candidate]:
        """Not yet."""
        return ()


def _beyond(scan: TwoLooksScan, aim: Aim) -> float:
    """What no design with more patients than the cap is below."""
    cap, open_ = scan.constraints.cap, scan.cut
    assert cap is not None and open_ is not None
    n1 = open_.n1
    en_p0, en_p1, en_max = (n1 + one * (cap + 1 - n1) for one in (open_.share[0], open_.share[1], open_.largest))
    values = np.asarray(aim.of(*Sizes(en_p0, en_p1, en_max, np.full(n1.shape, cap + 1))))
    first = (cap + 2) // 2 if scan.constraints.balanced else cap
    return min(float(values.min(initial=np.inf)), aim.of(first, first, first, cap + 1))


def _nothing(constraints: Constraints) -> InputError:
    """Which restriction leaves no design."""
    if constraints.looks_at is not None:
        looks = ", ".join(map(str, constraints.looks_at))
        return InputError(f"({looks}) leaves no design that meets both limits; give more patients", "looks_at")
    if constraints.cap is not None:
        return InputError(f"({constraints.cap}) leaves no design that meets both limits; give a larger one", "cap")
    return InputError("leave no design that meets both limits; relax them", "constraints")


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
    """
    bounds.refuse(requirements, n_limit)
    return _known(requirements, constraints, together)


@kept(64)
def _known(requirements: Requirements, constraints: Constraints, together: tuple[Aim, ...]) -> TwoLooksSearch:
    return TwoLooksSearch(requirements, constraints, together)
