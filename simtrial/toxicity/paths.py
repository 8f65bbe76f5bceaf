"""How often a boundary is crossed, by the orders of patients with and without a toxicity that cross it.

Toxicities never become fewer. So a trial crosses exactly if for some b its b-th toxicity comes no later than the last
look whose bound is at most b, and of all looks only those matter whose bound is below that of every later look
(`that_matter`). The orders in which the (b + 1)-th toxicity comes at patient n without a crossing before are those in
which the b-th came earlier, and after the looks that it would have crossed: sums of sums, one per toxicity. They do not
depend on the rate; in whole numbers they give the probability as a fraction.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.requirements import decimal

if TYPE_CHECKING:
    from simtrial.numbers import Ints

MOST_PATIENTS = 500
"""Most patients whose orders are counted in floating point: both 2**500 and its inverse are far within its range."""


def that_matter(n: Ints, b: Ints) -> tuple[Ints, Ints]:
    """The looks whose crossing is not seen at a later look as well: both n and b increase.

    Parameters
    ----------
    n, b : ndarray of int, shape (looks,)
        Patients, and the bound: above n where the look stops for nothing.

    Examples
    --------
    >>> n, b = that_matter(np.arange(1, 6), np.array([2, 2, 2, 4, 3]))
    >>> n.tolist(), b.tolist()
    ([3, 5], [2, 3])
    """
    some = b <= n
    n, b = n[some], b[some]
    later = np.minimum.accumulate(np.append(b[1:], n[-1:] + 1)[::-1])[::-1]
    kept = b < later
    return n[kept], b[kept]


def ever(n: Ints, b: Ints, rate: float) -> float:
    """Probability of crossing at any of the looks that matter, of which the last has at most `MOST_PATIENTS`.

    Only positive numbers are added: the relative error is below 1e-12, however small the probability (tested).

    Parameters
    ----------
    n, b : ndarray of int, shape (looks,)
        As `that_matter` gives them.
    rate : float
        Probability of a toxicity in one patient.
    """
    if not n.size:
        return 0.0
    toxicities, reach = _reach(n, b)
    # by toxicities and by the patient who has the last of them: the orders that have not crossed with fewer
    ways = np.zeros((len(toxicities), int(n[-1])))
    ways[0] = 1
    for before, after, passed in zip(ways[:-1], ways[1:], reach.tolist(), strict=False):
        np.add.accumulate(before[passed:-1], out=after[passed + 1 :])
    rows, columns = np.nonzero(ways * (np.arange(ways.shape[1]) < reach[:, np.newaxis]))
    had = toxicities[rows]
    return min(float((ways[rows, columns] * rate**had * (1 - rate) ** (columns + 1 - had)).sum()), 1.0)


def ever_fraction(n: Ints, b: Ints, rate: float) -> Fraction:
    """The same as an exact fraction, with the rate as the decimal that was written; for any number of patients."""
    if not n.size:
        return Fraction(0)
    p, last = decimal(rate), int(n[-1])
    hit, whole = p.numerator, p.denominator
    miss = [(whole - hit) ** k for k in range(last + 1)]
    rest = [whole**k for k in range(last + 1)]
    total, first, ways = 0, 1, [1] * last
    for had, passed in zip(*(one.tolist() for one in _reach(n, b)), strict=True):
        cross = max(passed - first + 1, 0)
        total += hit**had * sum(w * miss[at - had] * rest[last - at] for at, w in enumerate(ways[:cross], first))
        ways, first = list(accumulate(ways[cross:-1])), first + cross + 1
    return Fraction(total, rest[last])


def _reach(n: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Numbers of toxicities, and up to which patient the last of them crosses; 0 where no look stops for so few."""
    toxicities = np.arange(1, b[-1] + 1)
    return toxicities, np.append(0, n)[np.searchsorted(b, toxicities, side="right")]
