"""Toxicity under its stopping rule: whether the boundary was crossed, when, and what the rate of toxicity is.

A look at n with bound b is reached as soon as b of the first n patients have had a toxicity, whoever is pending. Among
the first k patients, in the order of enrollment, the boundary therefore acts as the bound

    c_k = the least b of the looks with n >= k,

which never falls, and the trial ends at the first patient k with c_k toxicities. The probability of crossing is that of
the printed boundary; the bounds c_k say in addition by which patient.

Every ending is a patient k and a number s of toxicities: (k, c_k), or (n, s) with s < c_n after all n patients. With
W(k, s) orders of toxicities that end there, of which V(k, s) begin with a toxicity, all of them whole numbers:

* P_theta(ending) = W theta^s (1 - theta)^(k - s);
* UMVUE: V / W, the probability that the first patient had a toxicity, given the ending [1]_;
* median unbiased estimate and exact interval by stage-wise ordering: a crossing is the more toxic the earlier, and
  without one more toxicities are more toxic [2]_. Neither depends on the patients who would have followed.

References
----------
.. [1] Jung SH, Kim KM. On the estimation of the binomial probability in multistage clinical trials. Stat Med
   2004;23:881-896.
.. [2] Jennison C, Turnbull BW. Confidence intervals for a binomial parameter following a multistage test. Technometrics
   1983;25:49-58.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.analysis.orders import Tails, ranks
from simtrial.design.endings import Endings
from simtrial.design.intervals import clopper_pearson
from simtrial.errors import InputError
from simtrial.memo import kept
from simtrial.numbers import count, probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Floats
    from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook


class CrossingSoFar(NamedTuple):
    """Where toxicities cross a boundary: the look, and the patient in the order of enrollment who made its number."""

    look: ToxicityLook
    patient: int


def bounds_by_patient(boundary: ToxicityBoundary, n: int) -> tuple[int | None, ...]:
    """The bounds c_1, ..., c_n among the first k patients; None where no look ahead stops.

    >>> from simtrial.toxicity.boundary import parse_boundary
    >>> bounds_by_patient(parse_boundary("2/3,3/5"), 6)
    (2, 2, 2, 3, 3, None)
    """
    looks = [(look.n, look.b) for look in boundary.looks if look.b is not None]
    return tuple(min((b for size, b in looks if size >= k), default=None) for k in range(1, n + 1))


def crossed(boundary: ToxicityBoundary, toxic: Sequence[bool]) -> CrossingSoFar | None:
    """Where the toxicities of patients, in the order of enrollment, cross a boundary first; None where they do not."""
    sums = np.cumsum(np.asarray(toxic, dtype=np.int64))
    for k, bound in enumerate(bounds_by_patient(boundary, len(sums)), start=1):
        if bound is not None and sums[k - 1] >= bound:
            look = next(look for look in boundary.looks if look.n >= k and look.b == bound)
            return CrossingSoFar(look, k)
    return None


def crossed_at(boundary: ToxicityBoundary, toxic: Sequence[bool], months: Floats) -> tuple[float, ToxicityLook] | None:
    """When a boundary is crossed, and the look of which the bound is reached then; None where it is not crossed.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The rule.
    toxic : sequence of bool
        Whether each patient, in the order of enrollment, has a toxicity.
    months : ndarray, shape (patients,)
        When it occurs, on the calendar of the trial.
    """
    times = np.where(toxic, months, np.inf)
    found: tuple[float, ToxicityLook] | None = None
    for look in boundary.looks:
        if look.b is None or look.b > min(look.n, len(times)):
            continue
        when = float(np.partition(times[: look.n], look.b - 1)[look.b - 1])
        if np.isfinite(when) and (found is None or when < found[0]):
            found = (when, look)
    return found


@kept(64)
def toxicity_endings(boundary: ToxicityBoundary, n: int) -> Endings:
    """Every ending of n patients under a boundary: at the patient who crosses it, or after all n.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The rule.
    n : int
        Patients, if the boundary is not crossed.

    Returns
    -------
    Endings
        `stage` is the patient, `reject` a crossing, `first` the UMVUE, exact up to its rounding to a double.
    """
    rows: list[tuple[int, int, bool, Fraction, Fraction]] = []

    def keep(k: int, s: int, ways: tuple[int, int], *, crossing: bool) -> None:
        if ways[0]:
            rows.append((k, s, crossing, Fraction(ways[0], math.comb(k, s)), Fraction(ways[1], ways[0])))

    # orders that reach s toxicities without a crossing, and those of them that begin with a toxicity
    reach: dict[int, tuple[int, int]] = {0: (1, 0)}
    bounds = bounds_by_patient(boundary, n)
    free = next((k for k in range(n, 0, -1) if bounds[k - 1] is not None), 0)
    for k, bound in enumerate(bounds[:free], start=1):
        moved: dict[int, tuple[int, int]] = {}
        for s, (ways, begun) in reach.items():
            for step in (0, 1):
                starts = ways * step if k == 1 else begun
                known = moved.get(s + step, (0, 0))
                moved[s + step] = (known[0] + ways, known[1] + starts)
        if bound is not None and bound in moved:
            keep(k, bound, moved.pop(bound), crossing=True)
        reach = moved
    rest = n - free  # these patients meet no look: all their orders at once
    for s in range(max(reach, default=-1) + rest + 1):
        ways = begun = 0
        for j in range(max(0, s - rest), s + 1):
            if j in reach:
                orders = math.comb(rest, s - j)
                ways, begun = ways + orders * reach[j][0], begun + orders * reach[j][1]
        keep(n, s, (ways, begun if free else math.comb(n - 1, s - 1) if s else 0), crossing=False)
    stage, responses, reject, share, first = (list(column) for column in zip(*rows, strict=True))
    return Endings(
        stage=np.array(stage),
        n=np.array(stage),
        responses=np.array(responses),
        reject=np.array(reject, dtype=np.bool_),
        share=np.array([float(one) for one in share]),
        first=np.array([float(one) for one in first]),
        before=np.zeros(len(rows)),
    )


def bias(boundary: ToxicityBoundary, n: int, rate: float) -> float:
    """E(observed share) - rate, exact: a rule that stops after toxicities makes the observed share too high."""
    found = toxicity_endings(boundary, n)
    chance = found.probability(probability(rate, "rate", closed=True))
    return float(chance @ (found.responses / found.n)) - rate


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityEstimates:
    """The rate of toxicity after a trial with a boundary.

    Attributes
    ----------
    n, toxicities : int
        Patients up to the one who crossed it, or all; toxicities among them.
    crossed : bool
        Whether the boundary was crossed.
    estimates : dict of str to float
        mle (the observed share), umvue and median_unbiased.
    intervals : dict of str to tuple of float
        exact (stage-wise ordering) and naive (Clopper-Pearson).
    level : float
        Of the intervals.
    """

    n: int
    toxicities: int
    crossed: bool
    estimates: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    level: float


def estimated(boundary: ToxicityBoundary, n: int, toxicities: int, level: float = 0.95) -> ToxicityEstimates:
    """Estimate the rate of toxicity from the ending of a trial.

    Parameters
    ----------
    boundary : ToxicityBoundary
        The rule.
    n, toxicities : int
        Patients up to the one who crossed the boundary, or all patients of a trial that did not cross it; toxicities
        among them.
    level : float
        Of the two-sided intervals.

    Raises
    ------
    InputError
        If the trial cannot end so.

    Examples
    --------
    >>> from simtrial.toxicity.boundary import parse_boundary
    >>> found = estimated(parse_boundary("2/2,3/6"), n=4, toxicities=3)
    >>> found.crossed, found.estimates["mle"], round(found.estimates["umvue"], 4)
    (True, 0.75, 0.5)
    """
    size, s = count(n, "n", at_least=1), count(toxicities, "toxicities")
    level = probability(level, "level")
    found = toxicity_endings(boundary, size)
    places = np.flatnonzero((found.n == size) & (found.responses == s))
    if not places.size:
        raise InputError(f"({s} of {size}) cannot be how a trial with this boundary ends", "toxicities")
    tails, which, a = Tails(found, ranks(found, "stage")), places[:1], (1 - level) / 2
    median, low, high = tails.solve([(0.5, 1.0), (a, 1.0), (1 - a, 0.0)], which)[:, 0]
    naive = clopper_pearson(s, size, a)
    return ToxicityEstimates(
        n=size,
        toxicities=s,
        crossed=bool(found.reject[which[0]]),
        estimates={"mle": s / size, "umvue": float(found.first[which[0]]), "median_unbiased": float(median)},
        intervals={"exact": (float(low), float(high)), "naive": (float(naive[0]), float(naive[1]))},
        level=level,
    )
