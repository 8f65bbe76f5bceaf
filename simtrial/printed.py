"""Which method and level give a printed interval, and whether any count gives a printed percentage.

Statistics are compared to the digits printed. Limits of a two-stage trial are those of `simtrial.inference`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial import inference
from simtrial.designs import count
from simtrial.errors import InputError
from simtrial.exact import binomial_pmf

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


def two_stage_limits(design: TwoStage, s: int, level: float, *, stage: int = 2, exact: bool = True) -> Limits:
    """Interval after a two-stage trial: exact by stage ordering, or that of Koyama and Chen; see `simtrial.inference`.

    Parameters
    ----------
    design : TwoStage
        As planned.
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
    found = inference.analyze(design, s, ANY_P0, stage, level).intervals["exact" if exact else "koyama_chen"]
    return found[0], math.nan if found[1] is None else found[1]


ANY_P0 = 0.5
"""Intervals do not depend on it."""


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
