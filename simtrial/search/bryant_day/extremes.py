"""The law of the two counts at the strongest associations, where one of the four combinations cannot occur.

At an odds ratio of infinity whoever is rarer of the two, the responders or the patients without toxicity, is among the
others; at 0 either nobody is neither, or nobody is both. So (X, Y) is the image of a trinomial count, which has a
formula, and the search needs no recursion.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simtrial.memo import kept
from simtrial.search.bryant_day.law import exceeding
from simtrial.toxicity.association import cells

if TYPE_CHECKING:
    from simtrial.numbers import Floats, Ints


@kept(1)
def _log_factorials(most: int) -> Floats:
    return np.array([math.lgamma(k + 1) for k in range(most + 1)])


def log_factorials(n: int) -> Floats:
    """The logarithms of k! for k up to at least n."""
    return _log_factorials(max(256, 1 << n.bit_length()))


@kept(192)
def extreme_counts(n: int, r: float, t: float, phi: float) -> Floats:
    """P(X = x, Y = y) at [x, y] among n patients, at an odds ratio `phi` of 0 or infinity: shape (n + 1, n + 1)."""
    law = cells(r, t, phi)
    x, y = np.arange(n + 1)[:, np.newaxis], np.arange(n + 1)
    zero = 0 * x * y
    if math.isinf(phi) and r <= t:  # each responder is without toxicity
        parts = (law.both, x + zero), (law.second, y - x), (law.neither, n - y + zero)
    elif math.isinf(phi):
        parts = (law.both, y + zero), (law.first, x - y), (law.neither, n - x + zero)
    elif r + t >= 1:  # nobody is neither
        parts = (law.both, x + y - n), (law.first, n - y + zero), (law.second, n - x + zero)
    else:
        parts = (law.first, x + zero), (law.second, y + zero), (law.neither, n - x - y)
    return _trinomial(n, parts)


def _trinomial(n: int, parts: tuple[tuple[float, Ints], ...]) -> Floats:
    known = log_factorials(n)
    total = np.full(parts[0][1].shape, known[n])
    inside = np.ones(total.shape, dtype=bool)
    for chance, k in parts:
        inside &= (k >= 0) & ((k == 0) | (chance > 0))
        at = np.maximum(k, 0)
        total += at * (math.log(chance) if chance > 0 else 0.0) - known[at]
    found: Floats = np.where(inside, np.exp(total), 0.0)
    return found


@kept(192)
def extreme_tails(n: int, r: float, t: float, phi: float) -> Floats:
    """P(X >= x, Y >= y) at [x, y] by `extreme_counts`: shape (n + 2, n + 2)."""
    return exceeding(extreme_counts(n, r, t, phi))


@kept(32)
def _later(n1: int, n2: int, rates: tuple[float, float], phi: float) -> Floats:
    """P(X2 >= i - n1, Y2 >= j - n1) at [i, j], for i and j up to 2 n1 + n2 + 1."""
    found: Floats = np.pad(extreme_tails(n2, *rates, phi), ((n1, n1), (n1, n1)), mode="edge")
    return found


def extreme_recommends(
    sizes: tuple[int, int], final: tuple[int, int], rates: tuple[float, float], phi: float
) -> Floats:
    """P(recommend) of all designs with these final bounds, at an odds ratio of 0 or infinity.

    Parameters
    ----------
    sizes : tuple of int
        Patients of the two stages.
    final : tuple of int
        c_r and c_t, below the number of patients.
    rates : tuple of float
        Of response and of no toxicity.
    phi : float
        0 or infinity.

    Returns
    -------
    ndarray, shape (n1 + 1, n1 + 1)
        P(X1 >= x, Y1 >= y, X > c_r, Y > c_t) at [x, y]: the sum of `law`, for all first bounds at once.
    """
    n1, n2 = sizes
    # c + 1 - x for x from 0 to n1, shifted by n1
    rows, columns = (slice(n1 + c + 1, c, -1) for c in final)
    terms = extreme_counts(n1, *rates, phi) * _later(n1, n2, rates, phi)[rows, columns]
    return exceeding(terms)
