"""Thall and Simon: the new treatment is compared with what is believed of the standard one, at every look [1]_.

pE is the response rate of the new treatment, with a diffuse prior, pS that of the standard, with an informative one;
only the first learns from the trial. A look at n patients with x responses is

* futile if P(pE > pS + delta | x of n) < theta_L, and
* promising if P(pE > pS | x of n) > theta_U,

both strict unless ``strict=False``. Both probabilities rise with x. Where a count is both (a gain is likely, but not
one of delta), futility decides. At the last look the trial rejects H0 if it is promising, and not futile; without
theta_U, if it is not futile. What the original leaves inconclusive there is counted as not rejected.

The probabilities
-----------------
With f the density of pS, t = s + delta and I the incomplete beta function,

    P(pE > pS + delta | x of n) = integral over s from 0 to 1 - delta of f(s) [1 - I_t(aE + x, bE + n - x)],

which has no closed form. Beyond s = 1 - delta the integrand is 0. Only the one for n = 0 is computed so. The others
follow by integrals of products of powers, as

    I_t(a, b + 1) - I_t(a, b)     = t^a (1 - t)^b       / (b B(a, b))     (one patient more, without a response)
    I_t(a, b) - I_t(a + 1, b - 1) = t^a (1 - t)^(b - 1) / (a B(a, b))     (one response more among as many patients),

and all of these, for every n and x, are one product of two matrices of powers at the same nodes s.

The nodes are those of the double exponential rule, s = (1 - delta) / (1 + exp(-pi sinh(y))) at equal distances of y
[2]_. It needs no property of the integrand at its ends, so that any prior will do, diffuse or sharp: densities that are
infinite at 0 or 1, and Beta(200, 800), for which the weights of Gauss-Jacobi rules overflow. A prior and data that
together weigh as much as S patients have a peak that in y is no narrower than 2 / (pi sqrt(S)); the distance of the
nodes is at most half of that, at which the rule is right to the last digits. The error is below 1e-12 (tests, against
adaptive quadrature). A probability nearer than `NEAR` to its threshold is compared with it as a fraction where both
priors have whole numbers, as the integrand is a polynomial then. Otherwise it is taken to be equal to the threshold,
as it is by symmetry where the posterior of pE is the prior of pS and the threshold 1/2.

References
----------
.. [1] Thall PF, Simon R. Practical Bayesian guidelines for phase IIB clinical trials. Biometrics 1994;50:337-349.
.. [2] Takahasi H, Mori M. Double exponential formulas for numerical integration. Publ RIMS Kyoto Univ 1974;9:721-741.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.requirements import decimal
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.memo import kept
from simtrial.search.constraints import Constraints
from simtrial.search.given import with_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import MultiStage, SingleStage, TwoStage
    from simtrial.numbers import Floats, Ints
    from simtrial.search.bayesian.posterior import BetaPrior

NEAR = 1e-11
"""Probabilities nearer than this to a threshold are compared as fractions, or are taken to be equal to it."""

WIDEST = 0.05
"""The largest distance of nodes."""

MOST = 500
"""Most patients: the powers of more would be too small for floating point."""

WHOLE = 400
"""Largest size of a prior of the standard for which a polynomial is integrated in fractions, within a second."""

LEAST = 1e-290
"""Probabilities below this are not divided by."""

LOST = 40.0
"""Nodes end where exp(-LOST) of the prior lies beyond them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Where the density of pS is taken, by logarithms, which keep their digits at both ends; arrays of one length.

    Attributes
    ----------
    weight : ndarray
        Log of the density times the weight of the node.
    t, other : ndarray
        Logs of t = s + delta and of 1 - t.
    """

    weight: Floats
    t: Floats
    other: Floats


def _nodes(standard: BetaPrior, delta: float, size: float) -> Nodes:
    """Nodes for integrands no sharper than a posterior that weighs as much as `size` patients."""
    from scipy import special

    step = min(WIDEST, 1 / (math.pi * math.sqrt(size)))
    # the part of the prior below s falls as s^a, that above as (1 - s)^b; beyond 1 - delta nothing counts
    ends = [math.asinh(LOST / (math.pi * min(1.0, k))) for k in (standard.a, 1.0 if delta else standard.b)]
    y = step * np.arange(-math.ceil(ends[0] / step), math.ceil(ends[1] / step) + 1)
    z = math.pi * np.sinh(y)
    below, above = -np.logaddexp(0, -z), -np.logaddexp(0, z)
    length = math.log1p(-delta)
    s = length + below
    rest = np.log1p(-np.exp(s)) if delta else above
    weight = standard.a * s + (standard.b - 1) * rest - special.betaln(standard.a, standard.b)
    weight += above + np.log(step * math.pi * np.cosh(y))
    # the logarithms of a sharp prior are large and lose digits, all alike: its probability below 1 - delta is known
    known, found = special.betainc(standard.a, standard.b, 1 - delta), float(np.exp(weight).sum())
    weight += math.log(known / found) if min(known, found) > LEAST else 0.0
    t = np.logaddexp(math.log(delta), s) if delta else s
    return Nodes(weight=weight, t=t, other=length + above)


def _prior_chance(new: BetaPrior, nodes: Nodes) -> float:
    """P(pE > pS + delta) before the trial."""
    from scipy import special

    t = np.exp(nodes.t)
    beyond = np.where(t < 0.5, special.betaincc(new.a, new.b, t), special.betainc(new.b, new.a, np.exp(nodes.other)))
    # where t is 0 to floating point, t^a / (a B(a, b)) may not be
    tiny = nodes.t < -600
    leading = new.a * nodes.t - math.log(new.a) - special.betaln(new.a, new.b)
    beyond = np.where(tiny, -np.expm1(np.minimum(leading, 0.0)), beyond)
    return float((np.exp(nodes.weight) * beyond).sum())


@kept(16)
def chances(new: BetaPrior, standard: BetaPrior, most: int, delta: float = 0.0) -> Floats:
    """P(pE > pS + delta | x of n) for every x of n up to `most` patients.

    Parameters
    ----------
    new, standard : BetaPrior
        Of pE and of pS.
    most : int
        The largest n, up to `MOST`.
    delta : float
        From 0 to below 1.

    Returns
    -------
    ndarray, shape (most + 1, most + 1)
        By n and x; NaN where x > n.

    Raises
    ------
    InputError
        If there are more.

    Examples
    --------
    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> found = chances(BetaPrior(1, 1), BetaPrior(1, 1), 1)
    >>> [round(float(found[n, x]), 12) for n, x in ((0, 0), (1, 0), (1, 1))]
    [0.5, 0.333333333333, 0.666666666667]
    """
    if most > MOST:
        raise InputError(f"({most}) is above {MOST}, the most patients for this rule", "looks_at")
    from scipy import special

    nodes = _nodes(standard, delta, new.size + standard.size + most)
    x = np.arange(most + 1)
    # integrals of f t^(aE + x) (1 - t)^(bE + m), by x and m
    scale = np.exp(nodes.weight + new.a * nodes.t + new.b * nodes.other)
    powers = np.exp(x[:, np.newaxis] * nodes.t)
    integrals = (powers * scale) @ np.exp(x[:, np.newaxis] * nodes.other).T
    with np.errstate(divide="ignore"):
        logs = np.log(integrals)
    b = new.b + x
    fewer = np.exp(logs[0] - np.log(b) - special.betaln(new.a, b))
    none = _prior_chance(new, nodes) - np.concatenate([[0.0], np.cumsum(fewer[:-1])])
    found: Floats = np.full((most + 1, most + 1), np.nan)
    for n in range(most + 1):
        j = np.arange(n)
        more = np.exp(logs[j, n - 1 - j] - np.log(new.a + j) - special.betaln(new.a + j, new.b + n - j))
        found[n, : n + 1] = none[n] + np.concatenate([[0.0], np.cumsum(more)])
    np.clip(found, 0.0, 1.0, out=found)
    found.setflags(write=False)
    return found


def chance_fraction(new: BetaPrior, standard: BetaPrior, n: int, x: int, delta: Fraction) -> Fraction | None:
    """P(pE > pS + delta | x of n) as an exact fraction; None unless both priors have whole numbers up to `WHOLE`.

    The integrand is a polynomial then: 1 - I_t(a, b) is the sum of C(a + b - 1, j) t^j (1 - t)^(a + b - 1 - j) over
    j < a. With u = 1 - delta - s both 1 - t = u and s, t, 1 - s are linear in u.
    """
    shapes = (new.a + x, new.b + n - x, standard.a, standard.b)
    if not all(float(one).is_integer() for one in shapes) or standard.size > WHOLE:
        return None
    a, b, c, d = (int(one) for one in shapes)
    top, length = a + b - 1, 1 - delta
    # powers of s = length - u, and of 1 - s = delta + u, as lists of coefficients of u
    density = _product(
        [math.comb(c - 1, k) * length ** (c - 1 - k) * (-1) ** k for k in range(c)],
        [math.comb(d - 1, k) * delta ** (d - 1 - k) for k in range(d)],
    )
    total = Fraction(0)
    moments = [
        sum((coefficient * length ** (k + m + 1) / (k + m + 1) for k, coefficient in enumerate(density)), Fraction(0))
        for m in range(top + 1)
    ]
    for j in range(a):  # t^j u^(top - j), with t = 1 - u
        total += math.comb(top, j) * sum(
            (math.comb(j, i) * (-1) ** i * moments[top - j + i] for i in range(j + 1)), Fraction(0)
        )
    return total * math.factorial(c + d - 1) / (math.factorial(c - 1) * math.factorial(d - 1))


def _product(one: Sequence[Fraction], other: Sequence[Fraction]) -> list[Fraction]:
    found = [Fraction(0)] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for k, b in enumerate(other):
            found[i + k] += a * b
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RateComparison:
    """The two response rates that are compared, and the gain.

    Attributes
    ----------
    new, standard : BetaPrior
        Of pE and of pS.
    delta : float
        The gain.
    """

    new: BetaPrior
    standard: BetaPrior
    delta: float = 0.0

    def signs(self, most: int, theta: float) -> Ints:
        """-1, 0 or 1 where P(pE > pS + delta | x of n) is below, at or above theta, by n and x; 2 where x > n."""
        found = chances(self.new, self.standard, most, self.delta)
        with np.errstate(invalid="ignore"):
            signs: Ints = np.where(np.isnan(found), 2, np.sign(found - theta)).astype(np.int64)
        for n, x in np.argwhere(np.abs(found - theta) < NEAR).tolist():
            exactly = chance_fraction(self.new, self.standard, n, x, decimal(self.delta))
            gap = Fraction(0) if exactly is None else exactly - decimal(theta)
            signs[n, x] = (gap > 0) - (gap < 0)
        return signs

    def futile_to(self, most: int, theta: float, *, strict: bool = True) -> list[int | None]:
        """The largest futile number of responses of every n from 1 to `most`; None where none is futile.

        Examples
        --------
        >>> from simtrial.search.bayesian.posterior import BetaPrior
        >>> RateComparison(new=BetaPrior(0.6, 1.4), standard=BetaPrior(15, 35)).futile_to(7, 0.05)
        [None, None, None, None, None, 0, 0]
        """
        signs = self.signs(most, theta)
        stops = signs < 0 if strict else signs <= 0
        return [int(many) - 1 if many else None for many in stops[1:].sum(axis=1)]

    def promising_from(self, most: int, theta: float, *, strict: bool = True) -> list[int | None]:
        """The smallest promising number of responses of every n from 1 to `most`; None where none is promising."""
        signs = self.signs(most, theta)
        stops = signs == 1 if strict else (signs == 0) | (signs == 1)
        return [n + 1 - int(many) if many else None for n, many in enumerate(stops[1:].sum(axis=1), start=1)]


def thall_simon(
    looks_at: Sequence[int],
    prior_e: BetaPrior,
    prior_s: BetaPrior,
    *,
    delta: float = 0.0,
    theta_l: float | None = None,
    theta_u: float | None = None,
    strict: bool = True,
) -> SingleStage | TwoStage | MultiStage:
    """The bounds of Thall and Simon for looks at given numbers of patients.

    Parameters
    ----------
    looks_at : sequence of int
        Patients at each look, cumulative.
    prior_e, prior_s : BetaPrior
        Of the response rate of the new treatment, and of the standard one.
    delta : float
        The gain that a treatment worth pursuing should have; for futility only.
    theta_l, theta_u : float, optional
        Futile below the first, promising above the second; without one of them the trial does not stop for that.
    strict : bool
        Whether a probability that equals its threshold lets the trial go on.

    Returns
    -------
    SingleStage, TwoStage or MultiStage
        Its looks, up to the first at which no count goes on. r is None where nothing is futile, e where nothing is
        promising.

    Raises
    ------
    InputError
        If no threshold is given, or the rule leaves no count that rejects H0, or none that does not.

    Examples
    --------
    >>> from simtrial.design.designs import looks_text
    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> design = thall_simon([10, 20, 30], BetaPrior(0.6, 1.4), BetaPrior(15, 35), theta_l=0.05, theta_u=0.95)
    >>> looks_text(design)
    '0:7/10,2:11/20,14/30'
    """
    looks_at = Constraints(looks_at=tuple(looks_at)).looks_at or ()
    delta, last = TABLE["gain"].check(delta, "delta"), looks_at[-1]
    if theta_l is None and theta_u is None:
        raise InputError("is missing; give it, or theta_u, or both", "theta_l")
    lower, upper = [-1] * len(looks_at), [n + 1 for n in looks_at]
    if theta_l is not None:
        theta_l = TABLE["threshold"].check(theta_l, "theta_l")
        futile = RateComparison(new=prior_e, standard=prior_s, delta=delta).futile_to(last, theta_l, strict=strict)
        lower = [-1 if (r := futile[n - 1]) is None else r for n in looks_at]
    if theta_u is not None:
        theta_u = TABLE["threshold"].check(theta_u, "theta_u")
        promising = RateComparison(new=prior_e, standard=prior_s).promising_from(last, theta_u, strict=strict)
        upper = [n + 1 if (e := promising[n - 1]) is None else e for n in looks_at]
        upper = [max(e, r + 1) for e, r in zip(upper, lower, strict=True)]  # what is futile too is futile
        lower[-1] = upper[-1] - 1
    return with_bounds(looks_at, lower, upper)
