"""Designs with three looks that meet the limits, with the proof that nothing better exists.

The engine is `simtrial.search.three_looks.scan`, where the proof stands; here is the order in which it visits n3, and
what becomes of what it finds. First every n3 from the bound of Neyman and Pearson on, until one has a design; then all
n3 at once, on some second looks only, for good designs early; then all that is still open, with larger tables until
nothing is.

Ties
----
Among designs whose values agree to `simtrial.search.aim.TIE`, with the same n3, n1, r3, r1 and e1, the smaller n2 and
then the smaller r2 is taken. Designs that differ in n3 alone are no ties unless n3 changes EN(p0) by less than `TIE`;
then the smallest n3 stands for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.requirements import N_LIMIT_MOST
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.phrases import counted
from simtrial.search import bounds
from simtrial.search.aim import LEAST_EN, LEAST_N, TIE, Aim
from simtrial.search.candidate import Candidate
from simtrial.search.record import Certificate, How, SearchResult
from simtrial.search.three_looks.rows import ThreeSizes
from simtrial.search.three_looks.scan import ThreeScan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.requirements import Requirements
    from simtrial.search.constraints import Constraints
    from simtrial.search.three_looks.known import Three


SOME = 6
"""Every so many second looks are visited first."""


@dataclass(frozen=True, kw_only=True)
class ThreeLooks:
    """What a search for three looks found.

    Attributes
    ----------
    found : tuple of tuple of Three
        By n, the designs that are near the least EN(p0) of n patients or fewer.
    certificate : Certificate
        Of the design with the least EN(p0).
    """

    requirements: Requirements
    found: tuple[tuple[Three, ...], ...]
    certificate: Certificate

    @property
    def admissible(self) -> tuple[Candidate, ...]:
        """None has a name beside the best ones: admissible designs are defined for two stages."""
        return ()

    def result(self, aim: Aim) -> SearchResult:
        """What was found by one of the two criteria.

        Raises
        ------
        InputError
            If something else than EN(p0) is to be small.
        """
        if aim not in (LEAST_EN, LEAST_N):
            raise InputError(f"({aim.what}) is not what this search makes small", "criterion")
        return _result(self, aim)


@kept(256)
def _result(found: ThreeLooks, aim: Aim) -> SearchResult:
    """Rank the designs that are near the best."""
    asked = found.requirements
    ranked = [_ranked(same_n, asked, aim) for same_n in found.found]
    frontier, least = [], np.inf
    for designs in ranked:
        if designs[0].en_p0 < least - TIE:
            frontier.append(designs[0])
            least = designs[0].en_p0
    if aim.smallest_n:
        near = ranked[0]
    else:
        low = min(designs[0].en_p0 for designs in ranked)
        near = sorted(
            (one for designs in ranked for one in designs if one.en_p0 < low + 2 * TIE),
            key=lambda one: aim.order(one.design, one.en_p0),
        )
    best, *others = near
    mine = (best.en_p0, best.n)
    ties = tuple(one for one in others if aim.equal(mine, (one.en_p0, one.n)))
    certificate = found.certificate
    if aim.smallest_n:
        certificate = replace(certificate, how="proved", cap=None, n_upper=best.n, value=best.en_p0, bound=best.en_p0)
    else:
        bound = best.en_p0 if certificate.how == "proved" else min(best.en_p0, certificate.bound)
        certificate = replace(certificate, value=best.en_p0, bound=bound)
    return SearchResult(best=best, ties=ties, frontier=tuple(frontier), certificate=certificate)


def _ranked(designs: tuple[Three, ...], asked: Requirements, aim: Aim) -> list[Candidate]:
    """Designs of one n in the order in which they would be taken, with those that differ in the last bound."""
    ordered = sorted(designs, key=lambda one: (one.second, one.first))
    candidates = [Candidate(one.design, asked) for first in ordered for one in _with_smaller_r3(first, asked)]
    return sorted(candidates, key=lambda one: aim.order(one.design, one.en_p0))


def _with_smaller_r3(design: Three, asked: Requirements) -> Iterator[Three]:
    """A design, and the same with smaller final bounds as long as alpha holds: EN(p0) does not see them."""
    yield design
    (_, r2, e2), (n3, r3) = design.second, design.third
    while (r3 := r3 - 1) > r2:
        smaller = design._replace(third=(n3, r3))
        if (e2 <= design.second[0] and e2 > r3 + 1) or not exact.meets(smaller.design, asked):
            return
        yield smaller


def search_three(requirements: Requirements, constraints: Constraints, *, n_limit: int) -> ThreeLooks:
    """Find the designs of three looks with the least EN(p0), over all n and for each n, and prove it.

    Parameters
    ----------
    requirements : Requirements
        p0, p1 and the limits.
    constraints : Constraints
        What else is asked; stops for efficacy too where ``stops`` is "both".
    n_limit : int
        Refuse at once if even the most powerful test needs more patients than this. It does not bound the search.

    Raises
    ------
    InputError
        If the bound on n passes `n_limit`, or the constraints leave no design.
    """
    bounds.refuse(requirements, n_limit)
    return _known(requirements, ThreeSizes.of(constraints))


@kept(256)
def _known(requirements: Requirements, sizes: ThreeSizes) -> ThreeLooks:
    return _search(requirements, sizes)


def _search(requirements: Requirements, sizes: ThreeSizes) -> ThreeLooks:
    last = sizes.last or N_LIMIT_MOST
    rough = int(1.45 * bounds.score_n(requirements)) + 12
    scan = ThreeScan(requirements, sizes, min(last, rough) if sizes.last else rough)
    n_lower = _n_lower(scan, last)
    first = _first(scan, max(n_lower, sizes.least + 2), last)
    high = min(scan.frame.tables.n_max, last)
    scan.sweep(first, high, SOME)
    scan.sweep(first, high)
    n_upper = max(scan.visited, first)
    while np.isfinite(scan.beyond) and high < last:
        low, high = high + 1, min(int(1.45 * high) + 12, last)
        scan.grow(high)
        scan.sweep(low, high)
        n_upper = max(scan.visited, n_upper)
    capped = bool(np.isfinite(scan.beyond)) and sizes.looks is None
    found = tuple(tuple(scan.known.at(n)) for n in scan.known.sizes)
    value, n_best = min((one.en, one.third[0]) for same_n in found for one in same_n)
    how: How = "capped" if capped else "proved"
    certificate = Certificate(
        how=how,
        n_lower=n_lower,
        n_upper=last if capped else max(n_upper, n_best),
        value=value,
        bound=min(value, float(scan.beyond)) if capped else value,
        cap=last if capped else None,
    )
    return ThreeLooks(requirements=requirements, found=found, certificate=certificate)


def _n_lower(scan: ThreeScan, last: int) -> int:
    """The first n at which the most powerful test has the power; one more than the last n if there is none."""
    n = 1
    while n <= last:
        if n > scan.frame.tables.n_max:
            scan.grow(min(int(1.45 * n) + 12, last))
        possible = np.flatnonzero(scan.frame.tables.possible[n:]) + n
        if possible.size:
            return int(possible[0])
        n = scan.frame.tables.n_max + 1
    return last + 1


def _first(scan: ThreeScan, low: int, last: int) -> int:
    """The smallest n3 that has a design, whose best ones are known thereafter."""
    sizes = scan.frame.sizes
    for n3 in filter(sizes.third, range(max(low, 3), last + 1)):
        if n3 > scan.frame.tables.n_max:
            scan.grow(min(int(1.45 * n3) + 12, last))
        scan.sweep(n3, n3, only=True)
        if scan.known.sizes:
            return n3
    if sizes.looks is not None:
        stated = ",".join(map(str, sizes.looks))
        raise InputError(f"({stated}) has no design that meets both limits; state more patients", "looks_at")
    if sizes.last is None:
        raise InputError(
            f"leave no design of three looks with at most {counted(last, 'patient')}; relax them", "constraints"
        )
    raise InputError(f"({last}) leaves no design of three looks that meets both limits; raise it", "cap")
