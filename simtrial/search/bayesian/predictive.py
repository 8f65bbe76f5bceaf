"""The predictive probability that a trial will reject H0, given the responses so far [1]_.

After x responses of n patients the number of responses of the m = N - n patients to come is Beta-binomial, and with
r the final bound

    PP(n, x) = P(X_N > r | x of n) = sum over y > r - x of C(m, y) (a + x)_y (b + n - x)_(m-y) / (a + b + n)_m,

where (c)_k = c (c + 1) ... (c + k - 1) and the prior of the response rate is Beta(a, b). One more patient responds with
probability (a + x) / (a + b + n), so that

    PP(n, x) = (a + x) / (a + b + n) PP(n + 1, x + 1) + (b + n - x) / (a + b + n) PP(n + 1, x),    PP(N, x) = 1{x > r}.

The recursion from N backwards gives all states. Its terms have one sign, so that nothing cancels, whatever the prior
is: PP is right to about 2 N rounding errors, as a share of itself. 1 - PP is computed in the same way from 1{x <= r}
and not as a difference, so that it is as accurate where PP is near 1. PP is 1 exactly where x > r and 0 exactly where
x + m <= r, and nowhere else: a sum of probabilities that rounding has made larger than 1 decides nothing.

Three facts follow from the recursion, as PP(N, x) does not fall with x:

* PP(n, x) <= PP(n, x + 1): futile are the smallest counts, promising the largest.
* PP(n + 1, x) <= PP(n, x) <= PP(n + 1, x + 1): what is futile stays futile with a further patient who does not respond,
  and what is not futile stays so with one who does. So both bounds of a rule never fall from look to look, and rise by
  at most one with each patient.
* PP falls as r rises.

A PP that is too near to a threshold for floating point is compared with it as a fraction: a, b and the threshold are
the decimals that were written.

References
----------
.. [1] Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. Clin Trials 2008;5:93-106.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, lcm
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design import exact
from simtrial.design.requirements import decimal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Floats, Ints
    from simtrial.search.bayesian.posterior import BetaPrior

LEAST, MOST = 1e-300, 1 - 2.0**-53
"""What may happen or not has a probability in this range, so that 0 and 1 mean that it cannot and must happen."""


def fraction(prior: BetaPrior, n: int, x: int, last: int, r: int) -> Fraction:
    """PP(n, x) with the final bound `r` of `last` patients, as an exact fraction.

    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> fraction(BetaPrior(1, 1), 1, 1, 2, 1)
    Fraction(2, 3)
    """
    more = last - n
    a, b = decimal(prior.a) + x, decimal(prior.b) + n - x
    unit = lcm(a.denominator, b.denominator)
    hit, miss = (_rising(int(start * unit), unit, more) for start in (a, b))
    ways = sum(comb(more, y) * hit[y] * miss[more - y] for y in range(max(r - x + 1, 0), more + 1))
    return Fraction(ways, _rising(int((a + b) * unit), unit, more)[more])


def _rising(start: int, unit: int, most: int) -> list[int]:
    """Products start (start + unit) ... of 0 to `most` factors."""
    products = [1]
    for k in range(most):
        products.append(products[-1] * (start + k * unit))
    return products


def ending_within(prior: BetaPrior, looks_at: Sequence[int], last: int, low: Ints, high: Ints) -> Floats:
    """P(low <= X_N <= high | x of n) for several ranges of counts at the end.

    Parameters
    ----------
    prior : BetaPrior
        Of the response rate.
    looks_at : sequence of int
        Patients at the interim looks, increasing and below `last`.
    last : int
        Patients at the end.
    low, high : ndarray of int, shape (ranges,)
        The ranges, none of them empty.

    Returns
    -------
    ndarray, shape (ranges, looks, last + 1)
        0 and 1 just where the range cannot be met or missed; nan where x exceeds n.
    """
    low, high = low[:, np.newaxis], high[:, np.newaxis]
    rows = {n: k for k, n in enumerate(looks_at)}
    found = np.full((len(low), len(rows), last + 1), np.nan)
    x = np.arange(last + 1)
    here = ((low <= x) & (x <= high)).astype(np.float64)
    hit = prior.a + x
    for n in range(last - 1, min(rows, default=last) - 1, -1):
        seen = x[: n + 1]
        size = prior.a + prior.b + n
        share, other = hit[: n + 1] / size, (prior.b + (n - seen)) / size
        here = here[:, 1:] * share + here[:, :-1] * other
        if n in rows:
            ahead = seen + (last - n)
            row = np.where((seen >= low) & (ahead <= high), 1.0, np.clip(here, LEAST, MOST))
            found[:, rows[n], : n + 1] = np.where((ahead < low) | (seen > high), 0.0, row)
    return found


@dataclass(frozen=True)
class Predictive:
    """Predictive probabilities of rejecting H0 in the states of a trial.

    Attributes
    ----------
    prior : BetaPrior
        Of the response rate.
    looks_at : tuple of int
        Patients at the interim looks, increasing.
    last : int
        Patients at the end.
    r : int
        H0 is rejected if more than `r` of `last` respond.

    Examples
    --------
    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> found = Predictive(BetaPrior(0.6, 0.4), (23,), 40, 27)  # Lee & Liu 2008, table 1
    >>> round(float(found.success[0, 16]), 4)
    0.5656
    """

    prior: BetaPrior
    looks_at: Sequence[int]
    last: int
    r: int

    @cached_property
    def success(self) -> Floats:
        """PP of each look (row) and count 0..`last`; nan where the count exceeds the patients."""
        return self._within(self.r + 1, self.last)

    @cached_property
    def failure(self) -> Floats:
        """1 - PP, of the same shape, without cancellation."""
        return self._within(0, self.r)

    def _within(self, low: int, high: int) -> Floats:
        found: Floats = ending_within(self.prior, self.looks_at, self.last, np.array([low]), np.array([high]))[0]
        return found

    def sides(self, theta: float) -> Ints:
        """Whether PP is below a threshold (-1), exactly at it (0) or above it (1): one row per look.

        Counts that exceed the patients of their look have a 1, as if every further patient had responded.
        """
        limit = decimal(theta)

        def gap(k: int, x: int) -> Fraction:
            return fraction(self.prior, self.looks_at[k], x, self.last, self.r) - limit

        if theta <= 0.5:
            found = exact.signs(np.nan_to_num(self.success, nan=2.0), theta, gap)
        else:
            found = -exact.signs(np.nan_to_num(self.failure, nan=-1.0), float(1 - limit), lambda k, x: -gap(k, x))
        return found
