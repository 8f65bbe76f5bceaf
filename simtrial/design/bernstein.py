"""The maximum of a polynomial in Bernstein's form, sum over s of c(s) b(s; n, p), over an interval of p.

On an interval the polynomial lies between the least and the largest of its coefficients there, as the b(s; n, .) of the
interval add up to 1. De Casteljau's scheme gives them by averages, without cancellation; at the ends of the interval
the polynomial equals the first and the last of them. So an interval whose largest coefficient does not exceed a value
that is attained is left out, and the others are halved: when none remains, the best value attained is the maximum [1]_.

References
----------
.. [1] Farouki RT. The Bernstein polynomial basis: a centennial retrospective. Comput Aided Geom Des 2012;29:379-419.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from simtrial.numbers import Floats

WITHIN = 1e-11
"""Nearer than this the largest probability of rejection is not sought."""


class Peak(NamedTuple):
    """The largest value of a function of the response rate over an interval, and a rate where it is attained."""

    value: float
    p: float


def peak(coefficients: Floats, most: float) -> Peak:
    """The maximum of a polynomial on [0, most], given its Bernstein coefficients on [0, 1]."""
    left = _halves(coefficients, most)[0]
    best = max((float(left[0]), 0.0), (float(left[-1]), most))
    queue = [(-float(left.max()), 0.0, most, left)]
    while queue and -queue[0][0] > best[0] + WITHIN:
        _, low, high, here = heapq.heappop(queue)
        middle = (low + high) / 2
        for a, b, part in zip((low, middle), (middle, high), _halves(here, 0.5), strict=True):
            best = max(best, (float(part[-1]), b))
            if part.max() > best[0] + WITHIN:
                heapq.heappush(queue, (-float(part.max()), a, b, part))
    return Peak(*best)


def _halves(coefficients: Floats, at: float) -> tuple[Floats, Floats]:
    """The Bernstein coefficients of a polynomial on both sides of a point of its interval (de Casteljau)."""
    row = coefficients.copy()
    left, right = np.empty_like(row), np.empty_like(row)
    for k in range(row.size):
        left[k], right[row.size - 1 - k] = row[0], row[-1 - k]
        row[: row.size - 1 - k] = (1 - at) * row[: row.size - 1 - k] + at * row[1 : row.size - k]
    return left, right
