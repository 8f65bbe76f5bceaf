"""Estimates of the response rate after an adaptive two-stage design that need no order of its outcomes.

The likelihood of a path with N patients and X responses is p^X (1 - p)^(N - X), whatever the table: (N, X) is
sufficient. X1 / n1 is unbiased, and so is its mean given (N, X), which varies less [1]_:

    E(X1 / n1 | N, X) = sum of C(n1, x) C(N - n1, X - x) x / n1 over sum of C(n1, x) C(N - n1, X - x),

both over the x after which the table takes N - n1 more patients: several, if it takes as many after several.

Whether it is the only unbiased estimate
----------------------------------------
P(N, X; p) is a multiple of p^X (1 - p)^(N - X), a polynomial whose degree is at most n, the largest number of patients.
If these polynomials are linearly independent, the only h(N, X) with mean 0 at every p is 0: (N, X) is complete, and the
estimate has the least variance of all unbiased ones at every p (UMVUE) [1]_. There are n + 1 independent polynomials of
that degree, so that a table with more than n + 1 possible (N, X) is never complete. Then other unbiased estimates exist
that depend on (N, X) alone, and this one need not have the least variance. Most adaptive tables are of that kind; those
of Simon's form are complete.

References
----------
.. [1] Jung SH, Kim KM. On the estimation of the binomial probability in multistage clinical trials. Stat Med
   2004;23:881-896.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import binomial_pmf
from simtrial.memo import kept

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simtrial.design.branching import Branching
    from simtrial.numbers import Floats

PRIME = 2**31 - 1
"""Polynomials are told apart modulo this prime: products of two residues fit 64 bits."""


MOST_TRIED = 400
"""Most patients of a table whose polynomials are tried: the steps grow with the cube."""


def ways(design: Branching, n: int, x: int) -> dict[int, int]:
    """The number of orders of X1 and X2 that lead to X = x of N = n patients, by X1; empty if there are none."""
    more = n - design.n1
    return {
        x1: math.comb(design.n1, x1) * math.comb(more, x - x1)
        for x1, n2 in enumerate(design.n2)
        if n2 == more and 0 <= x - x1 <= more
    }


def mean_of_first(design: Branching, n: int, x: int) -> Fraction:
    """E(X1 / n1 | N = n, X = x), which does not depend on p: an unbiased estimate."""
    found = ways(design, n, x)
    return Fraction(sum(x1 * many for x1, many in found.items()), design.n1 * sum(found.values()))


def totals(design: Branching) -> tuple[tuple[int, int], ...]:
    """Every (N, X) with which the trial can end."""
    return tuple(sorted({(design.n1 + n2, x1 + x2) for x1, n2 in enumerate(design.n2) for x2 in range(n2 + 1)}))


@kept(64)
def is_complete(design: Branching) -> bool | None:
    """Whether the patients and responses at the end are complete, so that the unbiased estimate is the UMVUE.

    Polynomials p^X (1 - p)^(N - X) whose lowest powers X differ are independent, as in tables of Simon's form. Others
    are tried modulo a prime: independence there shows independence. Polynomials that are dependent modulo the prime
    alone would need a determinant that it divides; they would be taken for dependent. Above `MOST_TRIED` patients they
    are not tried, and the answer is None.
    """
    points, n = totals(design), design.n_max
    if len(points) > n + 1:
        return False
    if len({x for _, x in points}) == len(points):
        return True
    if n > MOST_TRIED:
        return None
    rows = np.zeros((len(points), n + 1), dtype=np.int64)
    for row, (size, x) in zip(rows, points, strict=True):  # p^X (1-p)^(N-X) times (p + 1 - p)^(n - N)
        row[x : x + n - size + 1] = [math.comb(n - size, j) % PRIME for j in range(n - size + 1)]
    return _independent(rows)


def _independent(rows: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> bool:
    """Whether no row is a combination of others, modulo the prime."""
    done = 0
    for column in range(rows.shape[1]):
        pivots = np.flatnonzero(rows[done:, column]) + done
        if not pivots.size:
            continue
        rows[[done, pivots[0]]] = rows[[pivots[0], done]]
        rows[done] = rows[done] * pow(int(rows[done, column]), -1, PRIME) % PRIME
        rows[done + 1 :] = (rows[done + 1 :] - rows[done + 1 :, column, np.newaxis] * rows[done] % PRIME) % PRIME
        done += 1
        if done == len(rows):
            return True
    return False


def bias_of_share(design: Branching, p: ArrayLike) -> Floats:
    """E(X / N) - p, the bias of the responses per patient at the end."""
    rates = np.asarray(p, dtype=np.float64)
    x, n2 = np.arange(design.n1 + 1), np.array(design.n2)
    given = (x + n2 * rates[..., np.newaxis]) / (design.n1 + n2)
    found: Floats = (binomial_pmf(design.n1, rates) * given).sum(axis=-1) - rates
    return found
