"""The rule of Lee and Liu [1]_: a trial stops once it is predicted well enough how it will end.

At the last look, of N patients, H0 is rejected if P(p > p0 | x of N) > theta_T: if more than r respond, r being the
largest count with P(p > p0 | r of N) <= theta_T. At an earlier look the predictive probability PP(n, x) of that
(`simtrial.search.bayesian.predictive`) decides:

* stop for futility if PP < theta_L,
* stop and reject H0 if PP > theta_U.

So theta_L = 0 and theta_U = 1 mean that the trial never stops for futility or for efficacy. Published as strict, both
inequalities are strict by default. With `strict=False` they are <= and >=, as some programs have them: then theta_L = 0
stops where H0 cannot be rejected any more, and theta_U = 1 where it is certain to be. The last look is as above.

PP rises with x, so that a look has a largest futile count r_n and a smallest count e_n that rejects; neither falls from
look to look. With e_n = r_n + 1 no count continues: the trial ends at that look, with r_n as its final bound, and the
looks after it are dropped. No other look has fewer counts that continue than its bounds say, because bounds rise by at
most one with each patient.

The bounds depend on theta_T through r alone, and on theta_L through which states lie below it: so each set of bounds
belongs to whole intervals of both (`parameters`).

References
----------
.. [1] Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. Clin Trials 2008;5:93-106.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial.design import exact
from simtrial.design.designs import Look
from simtrial.design.requirements import decimal
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.phrases import counted
from simtrial.search.bayesian.posterior_digits import EQUAL, beyond_less
from simtrial.search.bayesian.predictive import Predictive, fraction
from simtrial.search.constraints import Constraints
from simtrial.search.given import design_of
from simtrial.search.parameters import ParameterRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.search.bayesian.posterior import BetaPrior


def final_bound(prior: BetaPrior, p0: float, n: int, theta_t: float) -> int:
    """The largest r with P(p > `p0` | r of `n`) <= `theta_t`; -1 if there is none.

    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> final_bound(BetaPrior(0.6, 0.4), 0.6, 40, 0.9)
    27
    """
    low, high = -1, n + 1  # the probability rises with the count
    while high - low > 1:
        middle = (low + high) // 2
        found = float(prior.beyond(p0, n, middle))
        side = int(exact.signs(found, theta_t, lambda x=middle: beyond_less(prior, p0, n, x, theta_t)))
        low, high = (middle, high) if side <= 0 else (low, middle)
    return low


def lee_liu(
    looks_at: Sequence[int],
    p0: float,
    prior: BetaPrior,
    theta_l: float,
    theta_t: float,
    theta_u: float = 1.0,
    *,
    strict: bool = True,
) -> Design:
    """The bounds of Lee and Liu's rule at given looks.

    Parameters
    ----------
    looks_at : sequence of int
        Patients at each look, cumulative; the last is N.
    p0 : float
        Rate under H0.
    prior : BetaPrior
        Of the response rate.
    theta_l, theta_u : float
        The trial stops for futility if the predictive probability is below `theta_l`, and for efficacy if it is above
        `theta_u`, which is not the smaller one.
    theta_t : float
        H0 is rejected at the end if the posterior probability of p > p0 is above it.
    strict : bool
        Whether the first two inequalities are strict, as published.

    Returns
    -------
    Design
        It ends at the first look where no count continues.

    Raises
    ------
    InputError
        If the thresholds contradict each other, or a look decides whatever is seen.

    Examples
    --------
    >>> from simtrial.design.designs import looks_text
    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> looks_text(lee_liu([10, 20, 30, 40], 0.2, BetaPrior(0.2, 0.8), 0.2, 0.85, 0.9))
    '1:5/10,4:8/20,6:10/30,10/40'
    """
    looks_at = Constraints(looks_at=tuple(looks_at)).looks_at or ()
    p0 = TABLE["rate"].check(p0, "p0")
    theta_l, theta_t, theta_u = (
        TABLE["threshold"].check(value, name)
        for name, value in (("theta_l", theta_l), ("theta_t", theta_t), ("theta_u", theta_u))
    )
    if theta_l > theta_u or (theta_l == theta_u and not strict):
        raise InputError(f"({theta_l:g}) is not below theta_u ({theta_u:g})", "theta_l")
    last = looks_at[-1]
    r = final_bound(prior, p0, last, theta_t)
    if not 0 <= r < last:
        always = "rejects H0 whatever is seen" if r < 0 else "never rejects H0"
        raise InputError(f"({theta_t:g}) {always} with {counted(last, 'patient')}", "theta_t")
    return design_of(_looks(Predictive(prior, looks_at[:-1], last, r), theta_l, theta_u, strict=strict))


def _looks(predictive: Predictive, theta_l: float, theta_u: float, *, strict: bool) -> list[Look]:
    """The looks of the rule; what it leaves nothing to continue after is left out."""
    low, high = predictive.sides(theta_l), predictive.sides(theta_u)
    futile = (low < 0) if strict else (low <= 0)
    effective = (high > 0) if strict else (high >= 0)
    looks: list[Look] = []
    for k, n in enumerate(predictive.looks_at):
        lower, upper = int(futile[k].sum()) - 1, int(np.argmax(np.append(effective[k, : n + 1], True)))
        if lower >= n or upper == 0:
            always = "without rejecting H0" if lower >= n else "and rejects H0"
            raise InputError(f"({n}) ends the trial {always}, whatever is seen", "looks_at")
        if upper == lower + 1:
            return [*looks, Look(n, lower)]
        looks.append(Look(n, lower if lower >= 0 else None, upper if upper <= n else None))
    return [*looks, Look(predictive.last, predictive.r)]


def parameters(design: Design, p0: float, prior: BetaPrior, *, strict: bool = True) -> tuple[ParameterRange, ...]:
    """All thresholds with which the rule gives these bounds: ranges of theta_l, theta_t and theta_u.

    theta_l lies between the largest predictive probability of a futile state and the smallest of one that continues,
    theta_u between the largest of one that continues and the smallest of one that rejects H0, and theta_t between the
    posterior probabilities of p > p0 after r and after r + 1 responses.

    Parameters
    ----------
    design : Design
        Its looks are all those of the rule, also the ones that cannot stop the trial.
    p0 : float
        Rate under H0.
    prior : BetaPrior
        Of the response rate.
    strict : bool
        See `lee_liu`.

    Returns
    -------
    tuple of ParameterRange
        Any values from the ranges lead to the design, which has all three or, with one look, theta_t alone. Empty if no
        values do. Ends that no double holds are rounded into their range.

    Examples
    --------
    >>> from simtrial.design.designs import parse_looks
    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> for one in parameters(parse_looks("1:5/10,4:8/20,6:10/30,10/40"), 0.2, BetaPrior(0.2, 0.8)):
    ...     print(f"{one.name}: {one.low:.4f} to {one.high:.4f}")
    theta_l: 0.1551 to 0.2097
    theta_t: 0.7560 to 0.8565
    theta_u: 0.8773 to 0.9604
    """
    last, r = design.looks[-1].n, design.looks[-1].r
    assert r is not None  # the last look has a bound
    low, high = (beyond_less(prior, p0, last, x, 0.0) for x in (r, r + 1))
    theta_t = _range("theta_t", low, high, includes="low", slack=Fraction(EQUAL))
    if len(design.looks) == 1:
        return theta_t
    futile, onward, effective = _states(design, prior)
    least, most = _extreme(onward, min), _extreme(onward, max)
    theta_l = _range("theta_l", _extreme(futile, max), least, includes="high" if strict else "low")
    theta_u = _range("theta_u", most, _extreme(effective, min), includes="low" if strict else "high")
    found = (*theta_l, *theta_t, *theta_u)
    return found if len(found) == 3 else ()


Near = tuple[float, Callable[[], Fraction]]
"""A predictive probability, and how to have it as a fraction."""


def _states(design: Design, prior: BetaPrior) -> tuple[list[Near], list[Near], list[Near]]:
    """The states next to the bounds of the interim looks: futile, continuing, and rejecting H0."""
    last = design.looks[-1]
    predictive = Predictive(prior, tuple(look.n for look in design.looks[:-1]), last.n, last.r or 0)
    found: tuple[list[Near], list[Near], list[Near]] = ([], [], [])
    for k, look in enumerate(design.looks[:-1]):
        lower, upper = -1 if look.r is None else look.r, look.n + 1 if look.e is None else look.e
        for kind, x in ((0, lower), (1, lower + 1), (1, upper - 1), (2, upper)):
            if 0 <= x <= look.n:
                exactly = partial(fraction, prior, look.n, x, last.n, last.r or 0)
                found[kind].append((float(predictive.success[k, x]), exactly))
    return found


def _extreme(states: list[Near], pick: Callable[..., float]) -> Fraction | None:
    """The largest or smallest of some states, as a fraction."""
    if not states:
        return None
    best = pick(value for value, _ in states)
    near = {value: exactly for value, exactly in states if abs(value - best) <= exact.CLOSE * best}
    return Fraction(pick(exactly() for exactly in near.values()))


def _range(
    name: str,
    low: Fraction | None,
    high: Fraction | None,
    *,
    includes: Literal["low", "high"],
    slack: Fraction = Fraction(0),
) -> tuple[ParameterRange, ...]:
    """The range between two probabilities; an end that is missing is 0 or 1, and then both ends belong to it or none.

    Nothing where there is no double between them.
    """
    ends: Literal["low", "high", "both"] = includes
    if (low is None and includes == "high") or (high is None and includes == "low"):
        ends = "both"
    lower, upper = 0.0 if low is None else float(low), 1.0 if high is None else float(high)
    while low is not None and low - decimal(lower) > slack:
        lower = math.nextafter(lower, math.inf)
    while high is not None and decimal(upper) - high > slack:
        upper = math.nextafter(upper, -math.inf)
    empty = lower > upper or (lower == upper and ends != "both")
    return () if empty else (ParameterRange(name=name, low=lower, high=upper, includes=ends),)
