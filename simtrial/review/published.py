"""Which method and level give a printed interval, and whether any count gives a printed percentage.

Statistics are compared to the digits printed, and nothing is credited to a method whose limits print otherwise. Limits
of a two-stage trial are those of `simtrial.analysis.inference`.

References
----------
.. [1] Hanley JA, Lippman-Hand A. If nothing goes wrong, is everything all right? JAMA 1983;249:1743-1745.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from simtrial import slips
from simtrial.analysis import inference
from simtrial.design.binomial import binomial_pmf
from simtrial.design.intervals import clopper_pearson
from simtrial.errors import InputError
from simtrial.history.studies import counts_of
from simtrial.inputs import TABLE
from simtrial.numbers import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.design.designs import TwoStage

LEVELS = (0.95, 0.9, 0.99, 0.8, 0.975, 0.85)
"""The commonest first."""

Limits = tuple[float, float]
Typed: TypeAlias = float | str | Decimal
"""A limit as typed."""


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


def _clopper_pearson(x: int, n: int, level: float) -> Limits:
    low, high = clopper_pearson(x, n, (1 - level) / 2)
    return float(low), float(high)


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
    "Clopper-Pearson": _clopper_pearson,
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
    """Interval after a two-stage trial: exact by stage ordering, or Koyama and Chen's (`simtrial.analysis.inference`).

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


def _rule_of_three(x: int, n: int, level: float) -> Limits:
    """No response in n patients: 0 to 3/n; n of n the other way round. The 3 is -ln(.05)."""
    if level != 0.95 or x not in (0, n):
        return math.nan, math.nan
    return (0.0, 3 / n) if x == 0 else (1 - 3 / n, 1.0)


def _one_sided_exact(x: int, n: int, level: float) -> Limits:
    """No response in n patients: 0 to 1 - alpha^(1/n), all of alpha above; n of n the other way round."""
    if x not in (0, n):
        return math.nan, math.nan
    far = (1 - level) ** (1 / n)
    return (0.0, 1 - far) if x == 0 else (far, 1.0)


AT_THE_ENDS: dict[str, Callable[[int, int, float], Limits]] = {
    "rule of three": _rule_of_three,
    "one-sided exact limit (Hanley and Lippman-Hand)": _one_sided_exact,
}
"""Methods for no response at all, or nothing but responses [1]_; the commonest there."""


def digits(low: Typed, high: Typed) -> tuple[int, int]:
    """Decimals to which two limits were typed.

    Text and `Decimal` keep their zeros, so 0.40 has two; a float has lost them, so two floats have as many as the
    longer one. A plain 0 or 1 has those of the other limit, for a bound of the scale is printed without decimals.

    >>> digits("0", ".048"), digits("0.40", "0.7"), digits(0.4, 0.735)
    ((3, 3), (2, 1), (3, 3))
    """
    found = [_decimals(low), _decimals(high)]
    if all(isinstance(value, float | int) for value in (low, high)):
        found = [max(found)] * 2
    whole = [float(value) in (0.0, 1.0) and k == 0 for value, k in zip((low, high), found, strict=True)]
    if all(whole):
        return 3, 3
    return tuple(found[1 - k] if whole[k] else found[k] for k in (0, 1))  # type: ignore[return-value]  # two of them


def _decimals(value: Typed) -> int:
    exponent = Decimal(repr(value) if isinstance(value, float) else str(value).strip()).as_tuple().exponent
    plain = isinstance(value, float) and value == int(value)  # 1.0 is how Python writes 1
    return 0 if plain or not isinstance(exponent, int) else max(0, -exponent)


def interval(
    x: int, n: int, low: Typed, high: Typed, design: TwoStage | None = None, decimals: int | None = None
) -> list[Match]:
    """Methods and levels that give a printed interval of x of n.

    Parameters
    ----------
    x, n : int
        Responses and patients.
    low, high : float, str or Decimal
        The limits as printed, as proportions; text keeps the zeros at its end.
    design : TwoStage, optional
        The two-stage design, if the trial had one and went to its end: its own intervals are tried too.
    decimals : int, optional
        Digits printed of both proportions: 3 for 32.4%. Read from each limit if left out (`digits`).

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
        raise InputError(f"({x}) is above n ({n})", "x")
    least, most = _limit(low, "low"), _limit(high, "high")
    if not least <= most:
        raise InputError(f"({least:g}) is above high ({most:g})", "low")
    shown = digits(low, high) if decimals is None else (TABLE["decimals"].count(decimals, "decimals"),) * 2
    methods = (AT_THE_ENDS if x in (0, n) else {}) | METHODS
    if design is not None and design.n == n and x > design.r1:
        methods["two-stage exact"] = lambda s, _, level: two_stage_limits(design, s, level)
        methods["Koyama-Chen"] = lambda s, _, level: two_stage_limits(design, s, level, exact=False)
    found = []
    for level in LEVELS:
        for method, limits in methods.items():
            here = limits(x, n, level)
            if _near(here[0], least, shown[0]) and _near(here[1], most, shown[1]):
                found.append(Match(method, level, *here))
    return found


def _limit(value: Typed, name: str) -> float:
    """A limit as a number; one that was not cut off may pass 0 and 1 a little."""
    if isinstance(value, str) and not slips.PLAIN.fullmatch(value.strip()):
        raise InputError(f"({value!r:.40}) {slips.number(value)}", name)
    number = float(value) if isinstance(value, str | Decimal) else value
    found = TABLE["printed_limit"].check(number, name)
    if _decimals(value) > TABLE["decimals"].most:
        raise InputError(f"has {_decimals(value)} decimals; write at most {TABLE['decimals'].most}", name)
    return found


def _near(found: float, printed: float, decimals: int) -> bool:
    """Whether a limit prints as stated, however a half is rounded, with or without being cut off at 0 and 1."""
    half = 0.5 * 10.0**-decimals + 1e-9
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
    return list(counts_of(TABLE["percent"].check(percent, "percent"), n, decimals))
