"""The interval of Clopper and Pearson for a share, by quantiles of the beta distribution [1]_.

References
----------
.. [1] Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial.
   Biometrika 1934;26:404-413.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simtrial.numbers import Floats


def clopper_pearson(x: ArrayLike, n: ArrayLike, tail: float) -> tuple[Floats, Floats]:
    """Lower and upper limits of x / n; 0 where x is 0, and 1 where x is n.

    Parameters
    ----------
    x, n : array_like of int
        Events and patients, 0 <= x <= n; shapes that broadcast.
    tail : float
        Error probability of each limit: half of 1 - level for a two-sided interval.

    Examples
    --------
    >>> low, high = clopper_pearson(5, 25, 0.025)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0683, 0.407)
    """
    from scipy import special

    count, size = np.broadcast_arrays(np.asarray(x), np.asarray(n))
    low = np.where(count == 0, 0.0, special.betaincinv(np.maximum(count, 1), size - count + 1, tail))
    high = np.where(count == size, 1.0, special.betaincinv(count + 1, np.maximum(size - count, 1), 1 - tail))
    return low, high
