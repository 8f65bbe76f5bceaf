"""Which of many designs are least by some weights of EN(p0), EN(p1) and n.

The weights are those of w0 EN(p0) + w1 EN(p1) + (1 - w0 - w1) n, all at least 0: a triangle [1]_. A design is least in
the part of it where w . (its numbers - those of another) <= 0 for every other design, a convex polygon, which is cut
out of the triangle one design after the other. Where w0 + w1 = 0 every design with the smallest n is least; a polygon
that is no more than this corner does not count. Without EN(p1) the triangle is a line, and the hull that of [2]_.

References
----------
.. [1] Mander AP, Wason JM, Sweeting MJ, Thompson SG. Admissible two-stage designs for phase II cancer clinical trials
   that incorporate the expected sample size under the alternative hypothesis. Pharm Stat 2012;11:91-96. Paper not seen:
   the definition is that of its abstract.
.. [2] Jung SH, Lee T, Kim KM, George SL. Admissible two-stage designs for phase II cancer clinical trials. Stat Med
   2004;23:561-569.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING

import numpy as np

from simtrial.search.aim import TIE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Floats

CORNER = 1e-6
"""A polygon of weights that reaches no farther than this from n alone is there because of `TIE` only."""


def undominated(points: Sequence[tuple[float, float, int]]) -> list[int]:
    """Places of those that no other one is at least as good as in all numbers and better in one.

    Parameters
    ----------
    points : sequence of tuple
        EN(p0), EN(p1) and n, in the order in which equal ones are taken. Values nearer than `TIE` are equal.
    """
    rounded = [(round(a / TIE), round(b / TIE), n) for a, b, n in points]
    order = sorted(range(len(points)), key=lambda i: (rounded[i][2], rounded[i][0], rounded[i][1], i))
    stairs: list[tuple[int, int]] = []  # EN(p0) rises, EN(p1) falls
    kept = []
    for i in order:
        a, b, _ = rounded[i]
        place = bisect_right(stairs, (a, np.inf))
        if place and stairs[place - 1][1] <= b:
            continue
        kept.append(i)
        while place < len(stairs) and stairs[place][1] >= b:
            del stairs[place]
        insort(stairs, (a, b))
    return kept


def least_by_some_weights(points: Floats, *, with_p1: bool) -> list[int]:
    """Places of those that are least by some weights.

    Parameters
    ----------
    points : ndarray, shape (points, 3)
        EN(p0), EN(p1) and n.
    with_p1 : bool
        Whether EN(p1) may have a weight.
    """
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]] if with_p1 else [[0.0, 0.0], [1.0, 0.0]])
    kept = []
    for i, (a, b, n) in enumerate(points):
        # w0 (da - dn) + w1 (db - dn) + dn <= 0 for each other point
        less = np.array([a, b, n]) - points
        planes = np.column_stack([less[:, 0] - less[:, 2], less[:, 1] - less[:, 2], less[:, 2]])
        polygon = corners
        while polygon.size:
            heights = planes[:, :2] @ polygon.T + planes[:, 2:]
            worst = int(heights.max(axis=1).argmax())
            if heights[worst].max() <= TIE:
                break
            polygon = _cut(polygon, heights[worst])
        if polygon.size and polygon.sum(axis=1).max() > CORNER:
            kept.append(i)
    return kept


def _cut(polygon: Floats, heights: Floats) -> Floats:
    """The part of a convex polygon where a linear function, given at its corners, is not above 0."""
    if len(polygon) == 1:
        return polygon[:0]
    left: list[Floats] = []
    line = len(polygon) == 2
    for j in range(len(polygon) - line):
        k = (j + 1) % len(polygon)
        here, there = heights[j] - TIE / 2, heights[k] - TIE / 2
        if here <= 0:
            left.append(polygon[j])
        if (here <= 0) != (there <= 0):
            left.append(polygon[j] + (polygon[k] - polygon[j]) * (here / (here - there)))
    if line and heights[-1] - TIE / 2 <= 0:
        left.append(polygon[-1])
    return np.array(left).reshape(-1, 2)
