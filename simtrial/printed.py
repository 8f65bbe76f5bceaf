"""Which method and level give a printed interval, and whether any count gives a printed percentage.

Statistics are compared to the digits printed. Limits of a two-stage trial order the outcomes by stage, then by
responses: the exact interval solves P(S >= s) = a for its lower and P(S <= s) = a for its upper limit [1]_, that of
Koyama and Chen takes the p with a <= P(S >= s) <= 1 - a [2]_.

References
----------
.. [1] Jennison C, Turnbull BW. Confidence intervals for a binomial parameter following a multistage test. Technometrics
   1983;25:49-58.
.. [2] Koyama T, Chen H. Proper inference from Simon's two-stage designs. Stat Med 2008;27:3145-3154.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.designs import count
from simtrial.errors import InputError
from simtrial.exact import binomial_pmf
from simtrial.requirements import probability

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.designs import TwoStage

LEVELS = (0.95, 0.9, 0.99, 0.8, 0.975, 0.85)
"""The commonest first."""

Limits = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Match:
    """A method and a level that give what is printed."""

    method: str
    level: float
    low: float
    high: float


def _statsmodels(method: str) -> Callable[[int, int, float], Limits]:
    def limits(x: int, n: int, level: float) -> Limits:
        from statsmodels.stats.proportion import proportion_confint

        low, high = proportion_confint(x, n, alpha=1 - level, method=method)
        # statsmodels gives NaN for the limits that are 0 or 1 by definition
        return 0.0 if x == 0 else float(low), 1.0 if x == n else float(high)

    return limits


def _wilson_corrected(x: int, n: int, level: float) -> Limits:
    from scipy import stats

    found = stats.binomtest(x, n).proportion_ci(level, method="wilsoncc")
    return float(found.low), float(found.high)


def _z(level: float) -> float:
    from scipy import special

    return float(special.ndtri((1 + level) / 2))


def _wald_corrected(x: int, n: int, level: float) -> Limits:
    p = x / n
    half = _z(level) * math.sqrt(p * (1 - p) / n) + 1 / (2 * n)
    return max(p - half, 0.0), min(p + half, 1.0)


def _t_mean(x: int, n: int, level: float) -> Limits:
    """Mean of zeros and ones with its t interval: the variance has n - 1."""
    from scipy import special

    p = x / n
    half = float(special.stdtrit(n - 1, (1 + level) / 2)) * math.sqrt(p * (1 - p) / max(n - 1, 1))
    return p - half, p + half


def _logit(x: int, n: int, level: float) -> Limits:
    if x in (0, n):
        return 0.0 if x == 0 else math.nan, 1.0 if x == n else math.nan
    middle, half = math.log(x / (n - x)), _z(level) * math.sqrt(1 / x + 1 / (n - x))
    return 1 / (1 + math.exp(half - middle)), 1 / (1 + math.exp(-half - middle))


def _solve(upper_tail: Callable[[float], float], a: float) -> float:
    """The p at which a tail that grows with p is a; 0 or 1 where it never is."""
    from scipy import optimize

    if upper_tail(0.0) >= a:
        return 0.0
    if upper_tail(1.0) <= a:
        return 1.0
    return float(optimize.brentq(lambda p: upper_tail(p) - a, 0.0, 1.0, xtol=1e-12))


def _mid_p(x: int, n: int, level: float) -> Limits:
    a = (1 - level) / 2

    def tail(p: float) -> float:
        pmf = binomial_pmf(n, p)
        return float(pmf[x + 1 :].sum() + pmf[x] / 2)

    return (0.0 if x == 0 else _solve(tail, a)), (1.0 if x == n else _solve(tail, 1 - a))


METHODS: dict[str, Callable[[int, int, float], Limits]] = {
    "Clopper-Pearson": _statsmodels("beta"),
    "Wilson": _statsmodels("wilson"),
    "Wald": _statsmodels("normal"),
    "Agresti-Coull": _statsmodels("agresti_coull"),
    "Jeffreys": _statsmodels("jeffreys"),
    "mid-p": _mid_p,
    "t interval of the mean": _t_mean,
    "logit": _logit,
    "Wilson, continuity-corrected": _wilson_corrected,
    "Wald, continuity-corrected": _wald_corrected,
}
"""Single-stage methods, the commonest first."""


def _tail(design: TwoStage, stage: int, s: int) -> Callable[[float], float]:
    """P(as large an outcome or a larger one) by stage ordering: s or more responses at that stage."""
    n2 = design.n - design.n1

    def tail(p: float) -> float:
        first = binomial_pmf(design.n1, p)
        if stage == 1:
            return float(first[s:].sum())
        later = np.concatenate([np.cumsum(binomial_pmf(n2, p)[::-1])[::-1], [0.0]])
        x1 = np.arange(design.r1 + 1, design.n1 + 1)
        return float((first[x1] * later[np.clip(s - x1, 0, n2 + 1)]).sum())

    return tail


def two_stage_limits(design: TwoStage, s: int, level: float, *, stage: int = 2, exact: bool = True) -> Limits:
    """Interval after a two-stage trial: exact by stage ordering, or that of Koyama and Chen.

    Parameters
    ----------
    design : TwoStage
        Without an efficacy bound.
    s : int
        Responses in all, when the trial ended.
    level : float
        Two-sided confidence level.
    stage : int
        Stage at which it ended.
    exact : bool
        Whether the upper limit is that of the exact interval.

    Raises
    ------
    InputError
        If the outcome cannot happen.
    """
    largest = design.r1 if stage == 1 else design.n
    if design.e1 is not None or stage not in (1, 2):
        raise InputError("must be 1 or 2, of a design without an efficacy bound", "stage")
    if not (0 if stage == 1 else design.r1 + 1) <= s <= largest:
        raise InputError(f"({s}) cannot be seen where the trial ended at stage {stage}", "responses")
    a = (1 - probability(level, "level")) / 2
    low = _solve(_tail(design, stage, s), a)
    if not exact:
        return low, _solve(_tail(design, stage, s), 1 - a)
    # after the largest outcome of stage 1 comes the smallest of stage 2
    after = (2, design.r1 + 1) if stage == 1 and s == design.r1 else (stage, s + 1)
    return low, _solve(_tail(design, *after), 1 - a)


def interval(x: int, n: int, low: float, high: float, design: TwoStage | None = None, decimals: int = 3) -> list[Match]:
    """Methods and levels that give a printed interval of x of n.

    Parameters
    ----------
    x, n : int
        Responses and patients.
    low, high : float
        The limits as printed, as proportions.
    design : TwoStage, optional
        The two-stage design, if the trial had one and went to its end: its own intervals are tried too.
    decimals : int
        Digits printed of the proportion: 3 for 32.4%.

    Returns
    -------
    list of Match
        Empty if no method gives it. Limits below 0 or above 1 may have been cut off when printed.

    Raises
    ------
    InputError
        If a number cannot be one of its kind.
    """
    n = count(n, "n", at_least=1)
    x = count(x, "x")
    if x > n:
        raise InputError(f"({x}) must be <= n ({n})", "x")
    for value, name in ((low, "low"), (high, "high")):
        # limits that were not cut off may pass 0 and 1 a little
        if isinstance(value, bool) or not isinstance(value, int | float) or not -1 <= value <= 2:
            raise InputError(f"({value!r:.40}) must be a proportion, such as 0.068 for 6.8%", name)
    if not low <= high:
        raise InputError(f"({low:g}) must be <= high ({high:g})", "low")
    methods = dict(METHODS)
    if design is not None and design.n == n and x > design.r1:
        methods["two-stage exact"] = lambda s, _, level: two_stage_limits(design, s, level)
        methods["Koyama-Chen"] = lambda s, _, level: two_stage_limits(design, s, level, exact=False)
    found = []
    for level in LEVELS:
        for method, limits in methods.items():
            here = limits(x, n, level)
            if _near(here[0], low, decimals) and _near(here[1], high, decimals):
                found.append(Match(method, level, *here))
    return found


def _near(found: float, printed: float, decimals: int) -> bool:
    """Whether a limit prints as stated, with or without being cut off at 0 and 1."""
    half = 0.5000001 * 10.0**-decimals
    return abs(found - printed) <= half or abs(min(max(found, 0.0), 1.0) - printed) <= half


def counts(percent: float, n: int, decimals: int | None = None) -> list[int]:
    """Counts of n that print as a percentage, however a half is rounded; empty if none does.

    Parameters
    ----------
    percent : float
        As printed.
    n : int
        Patients.
    decimals : int, optional
        Digits printed after the point; read from the number if left out.
    """
    n = count(n, "n", at_least=1)
    if not 0 <= percent <= 100:
        raise InputError(f"({percent:g}) must be from 0 to 100", "percent")
    if decimals is None:
        text = f"{percent:.10f}".rstrip("0")
        decimals = len(text.split(".")[1])
    half = 0.5 * 10.0**-decimals + 1e-9
    return [k for k in range(n + 1) if abs(100 * k / n - percent) <= half]
