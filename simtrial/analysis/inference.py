"""Estimate, interval and p-value after a trial that went as planned.

An ending is the look at which the trial stopped and the responses by then. Three orders of the endings say which are
as extreme as the one seen or more: *stage* (stopping for futility is lower the earlier, stopping for efficacy higher
the earlier, and at one look more responses are higher), *mle* (by responses per patient) and *umvue* (by the unbiased
estimate). Write G(p) for P_p(as high as the ending seen, or higher), and a for (1 - level) / 2. Then

* p-value: G(p0) [1]_;
* median unbiased estimate: G(p) = 1/2 [1]_;
* exact interval: G(p) = a, and P_p(as low, or lower) = a [2]_;
* Koyama-Chen interval: the p with a <= G(p) <= 1 - a [1]_, whose upper limit is too low to keep its level;
* mid-p interval: half of the probability of the ending itself left out of both tails.

Estimates that need no order, with B(p) = E_p(S/N) - p the bias of the MLE S/N:

* UMVUE: E(X1/n1 | ending) [3]_; UMVCUE, unbiased given that the trial went beyond the look before: E((S - S before) /
  (N - N before) | ending) [4]_;
* bias-subtracted: MLE - B(MLE) [5]_; bias-adjusted: p + B(p) = MLE [6]_;
* conditional MLE, given that the trial reached the look: E_p(responses at the look | look reached) = S.

References
----------
.. [1] Koyama T, Chen H. Proper inference from Simon's two-stage designs. Stat Med 2008;27:3145-3154.
.. [2] Jennison C, Turnbull BW. Confidence intervals for a binomial parameter following a multistage test. Technometrics
   1983;25:49-58.
.. [3] Jung SH, Kim KM. On the estimation of the binomial probability in multistage clinical trials. Stat Med
   2004;23:881-896.
.. [4] Pepe MS, Feng Z, Longton G, Koopmeiners J. Conditional estimation of sensitivity and specificity from a phase 2
   biomarker study allowing early termination for futility. Stat Med 2009;28:762-779.
.. [5] Guo HY, Liu A. A simple and efficient bias-reduced estimator of response probability following a group sequential
   phase II trial. J Biopharm Stat 2005;15:773-781.
.. [6] Whitehead J. On the bias of maximum likelihood estimation following a sequential test. Biometrika
   1986;73:573-581.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from simtrial.design.binomial import binomial_pmf
from simtrial.design.designs import looks_text
from simtrial.design.exact import arrivals, endings
from simtrial.design.intervals import clopper_pearson
from simtrial.errors import InputError
from simtrial.numbers import Floats, Ints, count, probability

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from simtrial.design.designs import Design
    from simtrial.design.exact import Endings

Ordering = Literal["stage", "mle", "umvue"]
"""How endings are ordered."""

ESTIMATES = ("mle", "umvue", "umvcue", "median_unbiased", "bias_subtracted", "bias_adjusted", "conditional_mle")
INTERVALS = ("exact", "koyama_chen", "mid_p", "naive")
P_VALUES = ("exact", "mid_p", "conditional", "naive")

TIED = 1e-11
"""UMVUEs nearer than this are taken for tied: against fractions they are right to 1e-12 (tests)."""


@dataclass(frozen=True)
class Inference:
    """Estimates, intervals and p-values of many endings at once.

    Attributes
    ----------
    design : Design
        As planned.
    p0 : float
        Response rate under H0.
    level : float
        Confidence level.
    sides : int
        2, or 1 for a lower limit alone.
    ordering : str
        How endings are ordered.
    endings : Endings
        All of the design.
    estimates : dict of str to ndarray, shape (endings,)
        By the names of `ESTIMATES`; NaN where there is none.
    intervals : dict of str to ndarray, shape (endings, 2)
        By the names of `INTERVALS`; an upper limit is NaN where the set is empty.
    p_values : dict of str to ndarray, shape (endings,)
        By the names of `P_VALUES`.
    """

    design: Design
    p0: float
    level: float
    sides: int
    ordering: Ordering
    endings: Endings
    estimates: dict[str, Floats]
    intervals: dict[str, Floats]
    p_values: dict[str, Floats]

    def agrees(self) -> dict[str, NDArray[np.bool_]]:
        """Whether each interval leaves p0 below it exactly where H0 is rejected; shape (endings,).

        Only a level of 1 - 2 alpha (two-sided) can agree with a one-sided test of level alpha.
        """
        return {name: (limits[:, 0] > self.p0) == self.endings.reject for name, limits in self.intervals.items()}


@dataclass(frozen=True)
class Analysis:
    """What a finished trial says.

    Attributes
    ----------
    reject : bool
        Whether H0 is rejected.
    stage, n, responses : int
        Look at which it ended, patients and responses by then.
    p_value : float
        By the ordering chosen.
    estimates : dict of str to float or None
        None where there is none: the UMVCUE of a trial that ended at its first look.
    intervals : dict of str to tuple of float
        The upper limit of Koyama and Chen is None after the lowest ending, where no p is in their set.
    p_values : dict of str to float
        ``exact`` is `p_value`.
    agrees : dict of str to bool
        Whether each interval leaves p0 below it if and only if H0 is rejected.
    level : float
        Of the intervals.
    sides : int
        2, or 1 for a lower limit alone.
    ordering : str
        How endings were ordered.
    """

    reject: bool
    stage: int
    n: int
    responses: int
    p_value: float
    estimates: dict[str, float | None]
    intervals: dict[str, tuple[float, float | None]]
    p_values: dict[str, float]
    agrees: dict[str, bool]
    level: float
    sides: int
    ordering: Ordering


class _Tails:
    """Tail probabilities of the endings of a design in one order."""

    def __init__(self, found: Endings, rank: Ints) -> None:
        self.found, self.rank = found, rank

    def above(self, p: Floats, which: Ints, tie: float = 1.0) -> Floats:
        """P_p(higher than an ending) + tie P_p(as high), for each p and the ending at its place; shape of `p`."""
        mine = self.rank[which]
        weight = (self.rank > mine[:, np.newaxis]) + tie * (self.rank == mine[:, np.newaxis])
        chance = self.found.probability(p)
        # every trial ends somewhere: over the sum, so that the lowest ending has exactly 1
        total: Floats = (chance * weight).sum(axis=-1) / chance.sum(axis=-1)
        return total

    def solve(self, a: float, which: Ints, tie: float = 1.0) -> Floats:
        """The p at which `above` is a; 0 or 1 where it is never so low, or never so high."""
        return _root(lambda p, place: self.above(p, which[place], tie) - a, len(which))


def _root(rising: Callable[[Floats, Ints], Floats], size: int) -> Floats:
    """Where each of some functions that rise with p is 0; 0 or 1 where none of its values in [0, 1] is.

    `rising` takes rates and, for each, the number of the function.
    """
    from scipy.optimize import elementwise

    places = np.arange(size)
    at_0, at_1 = rising(np.zeros(size), places), rising(np.ones(size), places)
    inside = np.flatnonzero((at_0 < 0) & (at_1 > 0))
    root = np.where(at_0 >= 0, 0.0, 1.0)
    if inside.size:
        ends = (np.zeros(inside.size), np.ones(inside.size))
        # limits at 0 are wanted to many digits too, so the tolerance is that of doubles, not of [0, 1]
        root[inside] = elementwise.find_root(rising, ends, args=(inside,), tolerances={"xatol": 1e-15}).x
    return root


def _ranks(found: Endings, ordering: Ordering) -> Ints:
    """The place of each ending in the order; tied endings share one."""
    if ordering == "stage":
        final = int(found.stage.max())
        early = np.where(found.reject, 2 * final - found.stage, found.stage)
        side = np.where(found.stage == final, final, early)
        order = np.lexsort((found.responses, side))
        rank = np.empty(order.size, dtype=np.int64)
        rank[order] = np.arange(order.size)
        return rank
    if ordering == "mle":
        common = math.lcm(*map(int, np.unique(found.n)))
        key = found.responses * (common // found.n)
        places: Ints = np.unique(key, return_inverse=True)[1].astype(np.int64)
        return places
    rate = found.first / found.n[0]
    order = np.argsort(rate, kind="stable")
    steps = np.diff(rate[order], prepend=-1.0) > TIED
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.cumsum(steps) - 1
    return rank


def _checked(ordering: str, level: float, sides: int) -> tuple[Ordering, float]:
    if ordering not in get_args(Ordering):
        raise InputError(f"({ordering!r:.40}) must be one of {', '.join(get_args(Ordering))}", "ordering")
    if sides not in (1, 2):
        raise InputError(f"({sides!r:.40}) must be 1 or 2", "sides")
    return ordering, probability(level, "level")  # type: ignore[return-value]  # checked above


def _infer(
    design: Design, p0: float, level: float, sides: int, ordering: Ordering, found: Endings, which: Ints
) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats]]:
    """Estimates, intervals and p-values of some endings."""
    tails = _Tails(found, _ranks(found, ordering))
    s, n, stage = found.responses[which], found.n[which], found.stage[which]
    mle = s / n
    ratio = found.responses / found.n

    def mean(p: Floats) -> Floats:
        total: Floats = (found.probability(p) * ratio).sum(axis=-1)
        return total

    before = np.where(stage > 1, np.array([0, *(look.n for look in design.looks)])[stage - 1], n - 1)
    estimates = {
        "mle": mle,
        "umvue": found.first[which] / design.looks[0].n,
        "umvcue": np.where(stage > 1, (s - found.before[which]) / (n - before), np.nan),
        "median_unbiased": tails.solve(0.5, which),
        "bias_subtracted": 2 * mle - mean(mle),
        "bias_adjusted": _root(lambda p, place: mean(p) - mle[place], len(which)),
        "conditional_mle": np.empty(len(which)),
    }
    a = (1 - level) / sides
    low, nothing = tails.solve(a, which), np.ones(len(which))
    naive_low, naive_high = clopper_pearson(s, n, a)
    # P(as low, or lower) = 1 - P(higher): the exact upper limit leaves the ending itself out of G
    high = {
        "exact": tails.solve(1 - a, which, 0.0),
        "koyama_chen": tails.solve(1 - a, which),
        "mid_p": tails.solve(1 - a, which, 0.5),
        "naive": naive_high,
    }
    lows = {"mid_p": tails.solve(a, which, 0.5), "naive": naive_low}
    intervals = {
        name: np.stack([lows.get(name, low), upper if sides == 2 else nothing], axis=-1) for name, upper in high.items()
    }
    # after the lowest ending G is 1 whatever p: no p has G(p) <= 1 - a
    intervals["koyama_chen"][tails.rank[which] == 0, 1] = np.nan
    under = np.full(len(which), p0)
    p_values = {
        "exact": tails.above(under, which),
        "mid_p": tails.above(under, which, 0.5),
        "conditional": np.empty(len(which)),
        "naive": _binomial_tail(s, n, p0),
    }
    for k, (look, _, (share, *_)) in enumerate(arrivals(design), start=1):
        here = stage == k
        given = _given_reached(look.n, share, s[here], p0)
        estimates["conditional_mle"][here], p_values["conditional"][here] = given
    return estimates, intervals, p_values


def _given_reached(n: int, reached: Floats, s: Ints, p0: float) -> tuple[Floats, Floats]:
    """Conditional MLE and p-value of some counts at a look of n patients, given that the trial reached it."""
    x = np.flatnonzero(reached)
    share = reached[x]

    def mean(p: Floats) -> Floats:
        chance = share * binomial_pmf(n, p, x)
        whole = chance.sum(axis=-1)
        # at p = 0 and 1 the look may have no chance at all: the fewest, or most, responses that reach it are the limit
        expected: Floats = (chance * x).sum(axis=-1) / np.where(whole > 0, whole, 1.0)
        return np.where(whole > 0, expected, np.where(p < 0.5, float(x[0]), float(x[-1])))

    chance = share * binomial_pmf(n, p0, x)
    tail = (chance * (x >= s[:, np.newaxis])).sum(axis=-1) / chance.sum()
    return _root(lambda p, place: mean(p) - s[place], s.size), tail


def _binomial_tail(s: Ints, n: Ints, p: float) -> Floats:
    """P(X >= s; n, p)."""
    from scipy import special

    found: Floats = np.where(s > 0, special.bdtrc(np.maximum(s - 1, 0), n, p), 1.0)
    return found


def every_ending(
    design: Design, p0: float, level: float = 0.95, *, sides: int = 2, ordering: str = "stage"
) -> Inference:
    """Analyze every ending that a design can have.

    Parameters
    ----------
    design : Design
        As planned.
    p0 : float
        Response rate under H0.
    level : float
        Confidence level.
    sides : int
        2, or 1 for a lower limit alone.
    ordering : {'stage', 'mle', 'umvue'}
        How endings are ordered.

    Returns
    -------
    Inference
        Arrays, one entry an ending.

    Raises
    ------
    InputError
        If an argument cannot be one of its kind.
    """
    order, level = _checked(ordering, level, sides)
    p0 = probability(p0, "p0")
    found = endings(design)
    parts = _infer(design, p0, level, sides, order, found, np.arange(len(found.n)))
    return Inference(design, p0, level, sides, order, found, *parts)


def analyze(
    design: Design,
    responses: int,
    p0: float,
    stage: int | None = None,
    level: float = 0.95,
    *,
    sides: int = 2,
    ordering: str = "stage",
) -> Analysis:
    """Analyze a finished trial that went as planned.

    Parameters
    ----------
    design : Design
        As planned.
    responses : int
        By the end.
    p0 : float
        Response rate under H0.
    stage : int, optional
        Look at which it ended, from 1; needed where it can have ended so at several.
    level : float
        Confidence level.
    sides : int
        2, or 1 for a lower limit alone.
    ordering : {'stage', 'mle', 'umvue'}
        How endings are ordered.

    Returns
    -------
    Analysis
        See the head of this module for the methods.

    Raises
    ------
    InputError
        If an argument cannot be one of its kind, or the trial cannot end so.

    Examples
    --------
    >>> from simtrial import TwoStage
    >>> found = analyze(TwoStage(r1=1, n1=10, r=5, n=29), responses=6, p0=0.1)
    >>> found.reject, round(found.p_value, 4), round(found.estimates["umvue"], 4)
    (True, 0.0471, 0.2613)
    >>> [round(limit, 4) for limit in found.intervals["exact"]]
    [0.0859, 0.4548]
    """
    order, level = _checked(ordering, level, sides)
    p0 = probability(p0, "p0")
    found = endings(design)
    where = np.array([ending_of(design, found, responses, stage)])
    estimates, intervals, p_values = _infer(design, p0, level, sides, order, found, where)
    one = {name: None if np.isnan(value[0]) else float(value[0]) for name, value in estimates.items()}
    limits = {
        name: (float(pair[0, 0]), None if np.isnan(pair[0, 1]) else float(pair[0, 1]))
        for name, pair in intervals.items()
    }
    k = where[0]
    reject = bool(found.reject[k])
    return Analysis(
        reject=reject,
        stage=int(found.stage[k]),
        n=int(found.n[k]),
        responses=int(found.responses[k]),
        p_value=float(p_values["exact"][0]),
        estimates=one,
        intervals=limits,
        p_values={name: float(value[0]) for name, value in p_values.items()},
        agrees={name: (low > p0) == reject for name, (low, _) in limits.items()},
        level=level,
        sides=sides,
        ordering=order,
    )


def ending_of(design: Design, found: Endings, responses: int, stage: int | None) -> int:
    """The place of an ending among those of a design.

    Raises
    ------
    InputError
        If the trial cannot end so.
    """
    last = len(design.looks)
    s = count(responses, "responses")
    mine = np.flatnonzero(found.responses == s)
    if stage is not None:
        k = count(stage, "stage", at_least=1)
        if k > last:
            raise InputError(f"({k}) must be at most {last}, the looks of {looks_text(design)}", "stage")
        look = design.looks[k - 1]
        if s > look.n:
            raise InputError(f"({s}) must be <= {look.n}, the patients at look {k}", "responses")
        mine = mine[found.stage[mine] == k]
        if not mine.size:
            ways = found.responses[found.stage == k]
            raise InputError(f"({s}) cannot end {looks_text(design)} at look {k}: {_spans(ways)} can", "responses")
    if not mine.size:
        raise InputError(f"({s}) cannot be seen at the end of {looks_text(design)}", "responses")
    if mine.size > 1:
        several = " or ".join(str(k) for k in found.stage[mine])
        raise InputError(f"is missing: {s} responses can end {looks_text(design)} at look {several}", "stage")
    return int(mine[0])


def _spans(numbers: Ints) -> str:
    """Whole numbers as stretches: 0 to 1, 5 to 10."""
    ends = np.flatnonzero(np.diff(numbers) > 1)
    starts, stops = numbers[np.r_[0, ends + 1]], numbers[np.r_[ends, numbers.size - 1]]
    return ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in zip(starts, stops, strict=True))


@dataclass(frozen=True)
class Properties:
    """How estimates and intervals do in the long run, exactly; arrays of shape (rates,).

    Attributes
    ----------
    p : ndarray
        True response rates.
    bias, mse : dict of str to ndarray
        Of each estimate; those of the UMVCUE given that the trial went beyond its first look.
    coverage : dict of str to ndarray
        P(interval holds p).
    above, below : dict of str to ndarray
        P(upper limit < p), and P(lower limit > p).
    """

    p: Floats
    bias: dict[str, Floats]
    mse: dict[str, Floats]
    coverage: dict[str, Floats]
    above: dict[str, Floats]
    below: dict[str, Floats]


def properties(inference: Inference, p: ArrayLike) -> Properties:
    """Bias and mean squared error of the estimates, and coverage of the intervals, as sums over the endings."""
    rates = np.atleast_1d(np.asarray(p, dtype=np.float64))
    chance = inference.endings.probability(rates)
    bias, mse = {}, {}
    for name, values in inference.estimates.items():
        there = ~np.isnan(values)
        whole = chance[:, there].sum(axis=-1, keepdims=True)
        # at p = 0 a trial may never go on: then the UMVCUE has no mean
        weight = np.divide(chance[:, there], whole, out=np.full(chance[:, there].shape, np.nan), where=whole > 0)
        error = values[there] - rates[:, np.newaxis]
        bias[name], mse[name] = (weight * error).sum(axis=-1), (weight * error**2).sum(axis=-1)
    missed: dict[str, dict[str, Any]] = {"coverage": {}, "above": {}, "below": {}}
    for name, limits in inference.intervals.items():
        over, under = limits[:, 1] < rates[:, np.newaxis], limits[:, 0] > rates[:, np.newaxis]
        empty = np.isnan(limits).any(axis=-1)
        missed["above"][name] = (chance * over).sum(axis=-1)
        missed["below"][name] = (chance * under).sum(axis=-1)
        missed["coverage"][name] = (chance * ~(over | under | empty)).sum(axis=-1)
    return Properties(rates, bias, mse, missed["coverage"], missed["above"], missed["below"])
