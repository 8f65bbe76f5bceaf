"""Fleming's rule for several looks [1]_: stop for futility or for efficacy by bounds of the normal approximation.

With looks at n_1 < ... < n_K = N patients and z the (1 - alpha) quantile of the normal distribution, [x] the nearest
whole number (a half is rounded up) and pA = (sqrt(N p0) + sqrt(1 - p0) z)^2 / (N + z^2):

* reject H0 at look g if X >= R_g = [n_g p0 + z sqrt(N p0 q0)] + 1,
* accept H0 at look g if X <= a_g = [n_g pA - z sqrt(N pA qA)], and a_K = R_K - 1.

N, not n_g, stands under the root. p1 plays no part, and alpha is kept by the approximation only: 3:7/15,8/25 for
p0 = .2 and alpha .05 has an exact type I error of .0505.

References
----------
.. [1] Fleming TR. One-sample multiple testing procedure for phase II clinical trials. Biometrics 1982;38:143-151.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

from simtrial.design.designs import Look, MultiStage
from simtrial.errors import InputError
from simtrial.plan.allowances import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence


def bounds(looks_at: Sequence[int], p0: float, alpha: float) -> MultiStage:
    """Fleming's bounds for looks at given numbers of patients.

    Parameters
    ----------
    looks_at : sequence of int
        Patients at each look, cumulative.
    p0 : float
        Rate under H0.
    alpha : float
        One-sided.

    Returns
    -------
    MultiStage
        r is the acceptance number and e the rejection number of each look; None where a bound cannot be reached.

    Raises
    ------
    InputError
        If the rule leaves no count to continue with at an interim look, or none that rejects H0 at the last.

    Examples
    --------
    >>> from simtrial.design.designs import looks_text
    >>> looks_text(bounds([15, 25], p0=0.2, alpha=0.05))
    '3:7/15,8/25'
    """
    last = looks_at[-1]
    z = NormalDist().inv_cdf(1 - alpha)
    pa = (math.sqrt(last * p0) + math.sqrt(1 - p0) * z) ** 2 / (last + z * z)
    spread = z * math.sqrt(last * p0 * (1 - p0))
    spread_a = z * math.sqrt(last * pa * (1 - pa))
    looks = []
    for n in looks_at[:-1]:
        reject = nearest(n * p0 + spread) + 1
        accept = nearest(n * pa - spread_a)
        looks.append(Look(n, accept if accept >= 0 else None, reject if reject <= n else None))
        if reject <= accept + 1:
            raise InputError(f"({n}) leaves no number of responses that continues under Fleming's rule", "looks")
    final = nearest(last * p0 + spread)
    if final >= last:
        raise InputError(f"({last}) leaves no number of responses that rejects H0 under Fleming's rule", "looks")
    return MultiStage((*looks, Look(last, final)))
