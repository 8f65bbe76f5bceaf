"""What the first look alone decides: the expected number of patients, and a part of the power.

EN = n1 + (n - n1) P(continue), so for each n1 and each pair of first bounds the criterion is n1 + (n - n1) g, with

    g = max(P(continue; r0, t1), P(continue; r1, t0)),

at the association where EN is largest: infinity, or 1 under independence. Nobody is recommended a treatment who did not
continue: P(continue; r1, t1) >= power, at the association where the power is least. So with g*(n1) the least g among
the pairs that satisfy this,

    criterion >= n1 + (n - n1) g*(n1),

which grows with n: once it passes the best value for every n1, no larger n can win. With an n1 of at least that value
nothing can win at any n.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simtrial.search.bounds import SLACK
from simtrial.search.bryant_day.extremes import extreme_tails
from simtrial.search.bryant_day.limits import WORST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Floats
    from simtrial.search.bryant_day.margins import Margin
    from simtrial.search.bryant_day.question import BothRates, Phi


class BothFirstLooks:
    """g for every n1 and every pair of first bounds, and its least value.

    Parameters
    ----------
    asked : BothRates
        The question.
    phi : {'worst', 'independence'}
        Over which associations.
    """

    def __init__(self, asked: BothRates, phi: Phi) -> None:
        self.asked, self.phi = asked, phi
        self.shares: list[Floats] = [np.full((0, 0), np.inf)]
        self.least: list[float] = [math.inf]

    def reach(self, margins: Sequence[Margin], n1: int) -> None:
        """Compute them up to n1."""
        for size in range(len(self.least), n1 + 1):
            share = self._share(margins, size)
            self.shares.append(share)
            self.least.append(float(share.min(initial=np.inf)))

    def _share(self, margins: Sequence[Margin], n1: int) -> Floats:
        """The g of one n1 at [c_r1, c_t1]; infinity where the power is out of reach."""
        rows, columns = (margin.first_bounds(n1) for margin in margins)
        if self.phi == "independence":
            response, without = (
                margin.tables.tail[:, n1, :size] for margin, size in zip(margins, (rows, columns), strict=True)
            )
            first, second = np.outer(response[0], without[1]), np.outer(response[1], without[0])
            power = np.outer(response[1], without[1])
        else:
            here = slice(1, rows + 1), slice(1, columns + 1)
            first, second, power = (
                extreme_tails(n1, *self.asked.at(corner), WORST[corner])[here] for corner in ("R0T1", "R1T0", "R1T1")
            )
        found: Floats = np.where(power >= self.asked.power - SLACK, np.maximum(first, second), np.inf)
        return found

    def last_n(self, target: float) -> int:
        """The largest n at which some n1 still allows a criterion of `target`; those up to it must be known."""
        n1 = np.arange(1, min(math.ceil(target), len(self.least)))
        reach = n1 + (target - n1) / np.array(self.least)[n1]
        return math.floor(
            float(np.max(reach, initial=target)) + 1e-6
        )  # a bound that rounding brings below n keeps n open
