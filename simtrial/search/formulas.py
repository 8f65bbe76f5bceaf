"""The normal-approximation sample sizes in use, each with the exact size and power of the rule it implies.

Every formula sets the critical value p0 + z_alpha SE0 equal to p1 - z_beta SE1 and solves for n; they differ in the
standard errors SE0 and SE1 they assume. The rule that a formula implies is its own left-hand side: reject H0 if the
observed rate exceeds p0 + z_alpha SE0 (on the formula's scale). What the formula promises and what that rule does are
two things, so the exact type I error and power of the rule stand beside every n.

References
----------
.. [1] Fleming TR. One-sample multiple testing procedure for phase II clinical trials. Biometrics 1982;38:143-151.
.. [2] Fleiss JL, Levin B, Paik MC. Statistical Methods for Rates and Proportions, 3rd ed. Wiley 2003, section 2.4.
.. [3] Cohen J. Statistical Power Analysis for the Behavioral Sciences, 2nd ed. Erlbaum 1988, chapter 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.design.requirements import Requirements


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the formulas are made of: the rates, their variances and the two normal quantiles."""

    p0: float
    p1: float
    z_alpha: float
    z_beta: float

    @property
    def v0(self) -> float:
        return self.p0 * (1 - self.p0)

    @property
    def v1(self) -> float:
        return self.p1 * (1 - self.p1)

    @property
    def v_mean(self) -> float:
        mean = (self.p0 + self.p1) / 2
        return mean * (1 - mean)

    @property
    def gap(self) -> float:
        return self.p1 - self.p0

    @property
    def z(self) -> float:
        return self.z_alpha + self.z_beta


@dataclass(frozen=True, slots=True)
class Formula:
    """One textbook formula.

    Attributes
    ----------
    method : str
        Short name.
    title : str
        What it assumes, in a few words.
    size : callable
        n before rounding up, from a setting.
    cut : callable
        Number of responses c, not rounded, above which the implied rule rejects H0 at n.
    """

    method: str
    title: str
    size: Callable[[_Setting], float]
    cut: Callable[[_Setting, int], float]


def _score_size(s: _Setting) -> float:
    return ((s.z_alpha * math.sqrt(s.v0) + s.z_beta * math.sqrt(s.v1)) / s.gap) ** 2


def _continuity_size(s: _Setting) -> float:
    plain = _score_size(s)
    return plain / 4 * (1 + math.sqrt(1 + 2 / (plain * s.gap))) ** 2


def _angle(p: float) -> float:
    return math.asin(math.sqrt(p))


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _arcsine_cut(s: _Setting, n: int) -> float:
    angle = _angle(s.p0) + s.z_alpha / (2 * math.sqrt(n))
    return n * math.sin(min(max(angle, 0.0), math.pi / 2)) ** 2


def _logit_cut(s: _Setting, n: int) -> float:
    return n / (1 + math.exp(-_logit(s.p0) - s.z_alpha / math.sqrt(n * s.v0)))


def _normal_cut(s: _Setting, n: int, variance: float) -> float:
    return n * s.p0 + s.z_alpha * math.sqrt(n * variance)


FORMULAS = (
    Formula("score", "null and alternative variance (Fleming)", _score_size, lambda s, n: _normal_cut(s, n, s.v0)),
    Formula(
        "wald",
        "alternative variance in both",
        lambda s: s.z**2 * s.v1 / s.gap**2,
        lambda s, n: _normal_cut(s, n, s.v1),
    ),
    Formula(
        "null_variance",
        "null variance in both",
        lambda s: s.z**2 * s.v0 / s.gap**2,
        lambda s, n: _normal_cut(s, n, s.v0),
    ),
    Formula(
        "mean_variance",
        "variance at the mean of p0 and p1",
        lambda s: s.z**2 * s.v_mean / s.gap**2,
        lambda s, n: _normal_cut(s, n, s.v_mean),
    ),
    Formula(
        "score_continuity",
        "score with continuity correction",
        _continuity_size,
        lambda s, n: _normal_cut(s, n, s.v0) + 0.5,
    ),
    Formula(
        "arcsine",
        "arcsine (Cohen's h)",
        lambda s: (s.z / (2 * (_angle(s.p1) - _angle(s.p0)))) ** 2,
        _arcsine_cut,
    ),
    Formula(
        "logit",
        "log odds",
        lambda s: ((s.z_alpha / math.sqrt(s.v0) + s.z_beta / math.sqrt(s.v1)) / (_logit(s.p1) - _logit(s.p0))) ** 2,
        _logit_cut,
    ),
)
"""The seven formulas, [1]_ to [3]_ where they have a usual source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approximation:
    """What one formula says, and what its rule really does.

    Attributes
    ----------
    method, title : str
        The formula.
    n_raw : float
        Its n before rounding.
    n : int
        Rounded up.
    r : int
        Its rule rejects H0 if X > r; r = n means that the rule can never reject.
    type_i_error, power : float
        Exact P(X > r) at p0 and at p1.
    """

    method: str
    title: str
    n_raw: float
    n: int
    r: int
    type_i_error: float
    power: float


def approximate(requirements: Requirements) -> tuple[Approximation, ...]:
    """Evaluate every formula.

    Returns
    -------
    tuple of Approximation
        In the order of `FORMULAS`.

    Examples
    --------
    >>> from simtrial import Requirements
    >>> [(a.method, a.n) for a in approximate(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8))][:3]
    [('score', 20), ('wald', 33), ('null_variance', 14)]
    """
    from scipy import special

    quantile = NormalDist().inv_cdf
    p0, p1 = requirements.p0, requirements.p1
    setting = _Setting(p0, p1, -quantile(requirements.alpha), quantile(requirements.power))
    results = []
    for formula in FORMULAS:
        n_raw = formula.size(setting)
        n = max(1, math.ceil(n_raw))
        r = min(max(math.floor(formula.cut(setting, n)), -1), n)
        at_p0, at_p1 = (float(special.bdtrc(r, n, p)) if r >= 0 else 1.0 for p in (p0, p1))
        results.append(
            Approximation(
                method=formula.method, title=formula.title, n_raw=n_raw, n=n, r=r, type_i_error=at_p0, power=at_p1
            )
        )
    return tuple(results)
