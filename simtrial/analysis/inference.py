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

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.analysis.orders import Ordering, Tails, binomial_tail, checked, ending_of, ranks, root
from simtrial.design.binomial import binomial_pmf, log_choose
from simtrial.design.endings import arrivals, endings
from simtrial.design.intervals import clopper_pearson
from simtrial.numbers import Floats, Ints, probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simtrial.design.designs import Design
    from simtrial.design.endings import Endings


@dataclass(frozen=True, slots=True, kw_only=True)
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
        mle, umvue, umvcue, median_unbiased, bias_subtracted, bias_adjusted and conditional_mle; NaN where there is
        none.
    intervals : dict of str to ndarray, shape (endings, 2)
        exact, koyama_chen, mid_p and naive; an upper limit is NaN where the set is empty.
    p_values : dict of str to ndarray, shape (endings,)
        exact, mid_p, conditional and naive.
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


def _infer(
    design: Design, p0: float, level: float, sides: int, ordering: Ordering, found: Endings, which: Ints
) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats]]:
    """Estimates, intervals and p-values of some endings."""
    tails = Tails(found, ranks(found, ordering))
    s, n, stage = found.responses[which], found.n[which], found.stage[which]
    mle = s / n
    ratio = found.responses / found.n

    def mean(p: Floats) -> Floats:
        total: Floats = (found.probability(p) * ratio).sum(axis=-1)
        return total

    before = np.where(stage > 1, np.array([0, *(look.n for look in design.looks)])[stage - 1], n - 1)
    a = (1 - level) / sides
    # P(as low, or lower) = 1 - P(higher): the exact upper limit leaves the ending itself out of G
    median, low, low_mid, high, high_koyama, high_mid = tails.solve(
        [(0.5, 1.0), (a, 1.0), (a, 0.5), (1 - a, 0.0), (1 - a, 1.0), (1 - a, 0.5)], which
    )
    estimates = {
        "mle": mle,
        "umvue": found.first[which] / design.looks[0].n,
        "umvcue": np.where(stage > 1, (s - found.before[which]) / (n - before), np.nan),
        "median_unbiased": median,
        "bias_subtracted": 2 * mle - mean(mle),
        "bias_adjusted": root(lambda p, place: mean(p) - mle[place], len(which)),
        "conditional_mle": np.empty(len(which)),
    }
    nothing = np.ones(len(which))
    limits = {
        "exact": (low, high),
        "koyama_chen": (low, high_koyama),
        "mid_p": (low_mid, high_mid),
        "naive": clopper_pearson(s, n, a),
    }
    intervals = {
        name: np.stack([lower, upper if sides == 2 else nothing], axis=-1) for name, (lower, upper) in limits.items()
    }
    # after the lowest ending G is 1 whatever p: no p has G(p) <= 1 - a
    intervals["koyama_chen"][tails.rank[which] == 0, 1] = np.nan
    under = np.full(len(which), p0)
    p_values = {
        "exact": tails.above(under, which),
        "mid_p": tails.above(under, which, 0.5),
        "conditional": np.empty(len(which)),
        "naive": binomial_tail(s, n, p0),
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
    if not s.size:  # no trial ends there, as at a look that none reaches
        return np.empty(0), np.empty(0)

    def mean(p: Floats) -> Floats:
        chance = share * binomial_pmf(n, p, x)
        whole = chance.sum(axis=-1)
        # at p = 0 and 1 the look may have no chance at all: the fewest, or most, responses that reach it are the limit
        expected: Floats = (chance * x).sum(axis=-1) / np.where(whole > 0, whole, 1.0)
        return np.where(whole > 0, expected, np.where(p < 0.5, float(x[0]), float(x[-1])))

    chance = share * binomial_pmf(n, p0, x)
    if not chance.sum():  # too small for a double, as of thousands of patients where p0 is tiny: up to a factor then
        log = np.log(share) + log_choose(n, x) + x * np.log(p0) + (n - x) * np.log1p(-p0)
        chance = np.exp(log - log.max())
    tail = (chance * (x >= s[:, np.newaxis])).sum(axis=-1) / chance.sum()
    return root(lambda p, place: mean(p) - s[place], s.size), tail


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
    order, level = checked(ordering, level, sides)
    p0 = probability(p0, "p0")
    found = endings(design)
    estimates, intervals, p_values = _infer(design, p0, level, sides, order, found, np.arange(len(found.n)))
    return Inference(
        design=design,
        p0=p0,
        level=level,
        sides=sides,
        ordering=order,
        endings=found,
        estimates=estimates,
        intervals=intervals,
        p_values=p_values,
    )


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
    responses : int
        By the end.
    stage : int, optional
        Look at which it ended, from 1; needed where it can have ended so at several.
    design, p0, level, sides, ordering
        See `every_ending`.

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
    order, level = checked(ordering, level, sides)
    p0 = probability(p0, "p0")
    found = endings(design)
    place = ending_of(design, found, responses, stage)
    estimates, intervals, p_values = _infer(design, p0, level, sides, order, found, np.array([place]))
    limits = {name: (float(pair[0, 0]), _known(pair[0, 1])) for name, pair in intervals.items()}
    reject = bool(found.reject[place])
    return Analysis(
        reject=reject,
        stage=int(found.stage[place]),
        n=int(found.n[place]),
        responses=int(found.responses[place]),
        p_value=float(p_values["exact"][0]),
        estimates={name: _known(value[0]) for name, value in estimates.items()},
        intervals=limits,
        p_values={name: float(value[0]) for name, value in p_values.items()},
        agrees={name: (low > p0) == reject for name, (low, _) in limits.items()},
        level=level,
        sides=sides,
        ordering=order,
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
