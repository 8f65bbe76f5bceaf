"""Designs near the chosen one, for a designer with a reason of their own, such as an interim look at a round number.

Near means of about the same size: n and n1 differ by a few patients. The rule is a convention, and the table of these
designs states it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import TwoStage
from simtrial.design.requirements import N_LIMIT_MOST
from simtrial.search.bounds import SLACK
from simtrial.search.candidate import TwoStageCandidate
from simtrial.search.scan import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.simon import TwoStageSearch

MOST_NEAR = 20
"""How many designs near the chosen one are listed."""


def closeness(chosen: Design) -> int:
    """How many patients another design's sizes may differ from those of the chosen one: a tenth of n, from 3 to 10."""
    return min(max(3, round(chosen.looks[-1].n / 10)), 10)


def near(
    found: TwoStageSearch, chosen: Design, *, within: int | None = None, most: int = MOST_NEAR
) -> tuple[TwoStageCandidate, ...]:
    """List two-stage designs of about the same sizes as the chosen one that meet the limits, the closest first.

    Of each pair of sizes (n, n1) the design with least EN(p0) is listed; if several tie, all of them.

    Parameters
    ----------
    found : TwoStageSearch
        The search whose limits are to be met.
    chosen : Design
        Any design; of several looks, n1 is that of the first. A single stage has no n1: of each n the design with least
        EN(p0) is listed.
    within : int, optional
        Largest difference of n, and of n1; `closeness` if left out.
    most : int
        How many are listed.

    Returns
    -------
    tuple of TwoStageCandidate
        By |difference of n| + |difference of n1|, then EN(p0), n and n1. None where n is above `N_LIMIT_MOST`.
    """
    requirements, n_chosen = found.requirements, chosen.looks[-1].n
    n1_chosen = chosen.looks[0].n if len(chosen.looks) > 1 else None
    within = closeness(chosen) if within is None else within
    n_max = n_chosen + within
    if n_chosen > N_LIMIT_MOST:
        return ()
    tables = Tables(requirements, n_max)
    rows: list[tuple[int, float, int, int, int, int]] = []
    first = max(found.certificate.n_lower, n_chosen - within)
    for n in sorted(range(first, n_max + 1), key=lambda size: abs(size - n_chosen)):
        low, high = (1, n - 1) if n1_chosen is None else (max(1, n1_chosen - within), min(n - 1, n1_chosen + within))
        here = sorted(_best_by_n1(tables, requirements, n, low, high))
        if n1_chosen is None:  # one design per n: every first look is as close
            here = [row for row in here if row[0] == here[0][0]]
        for en, n1, minus_r, r1 in here:
            apart = abs(n - n_chosen) + (0 if n1_chosen is None else abs(n1 - n1_chosen))
            rows.append((apart, en, n, n1, minus_r, r1))
    known = {candidate.design: candidate for candidate in found.admissible}
    designs = [TwoStage(r1, n1, -minus_r, n) for _, _, n, n1, minus_r, r1 in sorted(rows)[:most]]
    return tuple(known.get(design) or TwoStageCandidate(design, requirements) for design in designs)


def _best_by_n1(
    tables: Tables, requirements: Requirements, n: int, low: int, high: int
) -> Iterator[tuple[float, int, int, int]]:
    """Of n patients, the designs with least EN(p0) for each n1 from `low` to `high`: EN(p0), n1, -r and r1."""
    if high < low:
        return
    n1, x = np.arange(low, high + 1)[:, np.newaxis], np.arange(int(tables.r_high[n]))
    en = n1 + tables.tail[0, low : high + 1, : x.size] * (n - n1)
    kept = []
    for r in range(int(tables.r_high[n]), 0, -1):
        beyond = tables.padded[:, n - n1, tables.PAD + np.maximum(r - x, -1)]
        lost = np.cumsum(tables.pmf[:, low : high + 1, : x.size] * beyond, axis=2)
        type_i_error, power = tables.tail[:, n, r, np.newaxis, np.newaxis] - lost
        keeps_alpha = (type_i_error <= requirements.alpha + SLACK) & (x <= np.minimum(r - 1, tables.r_high[n1]))
        if not keeps_alpha.any():
            break  # a smaller r only adds to the type I error of every n1 and r1
        i, r1 = np.nonzero(keeps_alpha & (power >= requirements.power - SLACK))
        kept.append(np.column_stack([i + low, en[i, r1].round(8), np.full(i.size, -r), r1]))
    rows = np.concatenate(kept) if kept else np.empty((0, 4))
    least = {int(first): math.inf for first in rows[:, 0]}
    for first, expected, minus_r, r1 in rows[np.lexsort(rows.T[::-1])]:
        size, bound, r = int(first), int(r1), int(-minus_r)
        if expected <= least[size] and exact.meets(TwoStage(bound, size, r, n), requirements):
            least[size] = expected
            yield float(expected), size, -r, bound
