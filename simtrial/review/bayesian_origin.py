"""Which parameters of a Bayesian rule give stated bounds, and if none do, the nearest bounds that the rule can give.

Nearest are bounds that equal the stated ones at the most looks; of several, those whose counts differ least in sum.

* Lee and Liu: `simtrial.search.bayesian.lee_liu_rule.parameters`. The nearest bounds have the stated final bound;
  theta_L and theta_U then matter through the states below them, so that all that they can give are gone through.
* BOP2: `simtrial.search.bayesian.bop2_region.parameters`. The nearest are found among all boundaries of the rule
  (`simtrial.search.bayesian.bop2_boundaries`); with a stop for efficacy first those for futility, and then, with the
  values of lambda that are left, those for efficacy.
* Thall and Simon: with F = P(pE > pS + delta | x of n) and U = P(pE > pS | x of n), theta_L lies above the largest F
  of a futile state and not above the smallest of one that goes on, and theta_U not below the largest U of a state that
  goes on and below the smallest of a promising one. Both probabilities rise with x, so that the states next to the
  bounds suffice. At the last look H0 is rejected from the larger of two counts, the smallest promising one and the
  smallest that is not futile: either of the two may be the stated one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial.search.bayesian import bop2_region, lee_liu_rule, thall_simon
from simtrial.search.bayesian.bop2_boundaries import AtLooks
from simtrial.search.bayesian.bop2_region import EFFICACY
from simtrial.search.bayesian.posterior_digits import beyond_less
from simtrial.search.bayesian.predictive import Predictive
from simtrial.search.parameters import ParameterRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.numbers import Floats, Ints
    from simtrial.search.bayesian.posterior import BetaPrior

LookBounds = tuple[int, int | None, int | None]
"""Patients of a look, the largest futile count and the smallest that rejects H0; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOrigin:
    """Where bounds come from.

    Attributes
    ----------
    ranges : tuple of ParameterRange
        All parameters that give the bounds; of BOP2 the smallest and the largest of each, which do not all go together.
    inside : dict of str to float
        Parameters with few digits that give the bounds, or the nearest ones where none give them.
    corners : tuple of (float, float)
        BOP2: the corners (lambda, gamma) of the region.
    nearest : tuple of LookBounds
        The nearest bounds of the rule, where no parameters give the stated ones.
    """

    ranges: tuple[ParameterRange, ...] = ()
    inside: dict[str, float]
    corners: tuple[tuple[float, float], ...] = ()
    nearest: tuple[LookBounds, ...] = ()


def bounds_of(design: Design) -> tuple[LookBounds, ...]:
    """The bounds of a design, the last look with the smallest count that rejects H0."""
    early = [(look.n, look.r, look.e) for look in design.looks[:-1]]
    last = design.looks[-1]
    return (*early, (last.n, last.r, (last.r or 0) + 1))


def of_lee_liu(design: Design, p0: float, prior: BetaPrior) -> RuleOrigin:
    """Theta_L, theta_T and theta_U of Lee and Liu's rule, strict as published.

    Examples
    --------
    >>> from simtrial.design.designs import parse_looks
    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> of_lee_liu(parse_looks("1:5/10,4:8/20,6:10/30,10/40"), 0.2, BetaPrior(0.2, 0.8)).inside
    {'theta_l': 0.2, 'theta_t': 0.8, 'theta_u': 0.9}
    """
    ranges = lee_liu_rule.parameters(design, p0, prior)
    if ranges:
        return RuleOrigin(ranges=ranges, inside={one.name: one.few_digits for one in ranges})
    early, last = bounds_of(design)[:-1], design.looks[-1]
    r = last.r or 0
    theta_t = _between("theta_t", *(float(beyond_less(prior, p0, last.n, x, 0.0)) for x in (r, r + 1)), includes="low")
    looks_at = tuple(n for n, _, _ in early)
    success = Predictive(prior, looks_at, last.n, r).success
    rows = [success[k, : n + 1] for k, n in enumerate(looks_at)]
    lower, theta_l = _chain(rows, [-1 if r is None else r for _, r, _ in early], below=True)
    upper, theta_u = [n + 1 for n in looks_at], 1.0
    if any(e is not None for _, _, e in early):
        upper, theta_u = _chain(rows, [n + 1 if e is None else e for n, _, e in early], below=False)
    inside = {"theta_l": theta_l, "theta_t": theta_t.few_digits, "theta_u": theta_u}
    return RuleOrigin(inside=inside, nearest=_bounds(looks_at, lower, upper, (last.n, r, r + 1)))


def of_bop2(design: Design, p0: float, prior: BetaPrior) -> RuleOrigin:
    """Lambda and gamma of BOP2, with gamma at most 1 as published, and eta where the design stops for efficacy.

    Examples
    --------
    >>> from simtrial.design.designs import parse_looks
    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> of_bop2(parse_looks("1/10,3/20,7/30,11/40"), 0.2, BetaPrior(0.2, 0.8)).inside
    {'lambda': 0.86, 'gamma': 0.95}
    """
    known = bounds_of(design)
    looks_at = tuple(n for n, _, _ in known)
    lower = [-1 if r is None else r for _, r, _ in known]
    efficacy = any(e is not None for _, _, e in known[:-1])
    upper = [n + 1 if e is None else e for n, _, e in known[:-1]] + [looks_at[-1] + 1] if efficacy else None
    found = bop2_region.parameters(prior, p0, looks_at, lower, upper)
    if found is not None:
        return RuleOrigin(ranges=found.ranges, inside=found.one, corners=found.region)
    return _nearest_bop2(AtLooks(looks_at, p0, prior=prior, efficacy=efficacy), lower, upper)


def _nearest_bop2(rule: AtLooks, lower: Sequence[int], upper: Sequence[int] | None) -> RuleOrigin:
    """The nearest boundary of BOP2."""
    futile = rule.lines.within(bop2_region.FUTILITY).counts - 1
    best: list[int] = futile[_nearest(futile, lower)].tolist()
    early, last = rule.looks_at[:-1], rule.looks_at[-1]
    above = None
    if rule.early is not None and upper is not None:
        region = [u for u, _ in rule.lines.region([r + 1 for r in best], bop2_region.FUTILITY)]
        box = replace(
            EFFICACY,
            low=max(math.log1p(-math.exp(max(region))), EFFICACY.low),
            high=min(math.log1p(-math.exp(min(region))), EFFICACY.high),
        )
        rows = np.array(early) + 1 - rule.early.within(box).counts
        above = [*rows[_nearest(rows, upper[:-1])].tolist(), last + 1]
    found = bop2_region.parameters(rule.prior, rule.p0, rule.looks_at, best, above)
    return RuleOrigin(
        inside={} if found is None else found.one,
        nearest=_bounds(early, best, above or [n + 1 for n in early], (last, best[-1], best[-1] + 1)),
    )


def of_thall_simon(design: Design, prior_e: BetaPrior, prior_s: BetaPrior, delta: float = 0.0) -> RuleOrigin:
    """Theta_L and theta_U of Thall and Simon, strict as published.

    theta_U is left out where the bounds follow without it.

    Examples
    --------
    >>> from simtrial.design.designs import parse_looks
    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> of_thall_simon(parse_looks("0:7/10,2:11/20,14/30"), BetaPrior(0.6, 1.4), BetaPrior(15, 35)).inside
    {'theta_l': 0.04, 'theta_u': 0.95}
    """
    known = bounds_of(design)
    last, r, _ = known[-1]
    final = r or 0
    gain = thall_simon.chances(prior_e, prior_s, last, delta)
    better = thall_simon.chances(prior_e, prior_s, last)
    below = [x for n, r, _ in known[:-1] for x in ([] if r is None else [float(gain[n, r])])]
    onward = [float(gain[n, 0 if r is None else r + 1]) for n, r, _ in known[:-1]]
    promising = [float(better[n, e]) for n, _, e in known[:-1] if e is not None]
    not_yet = [float(better[n, (n + 1 if e is None else e) - 1]) for n, _, e in known[:-1]]
    at_end, after = (gain[last, final], gain[last, final + 1]), (better[last, final], better[last, final + 1])
    never = not promising
    tried: list[tuple[ParameterRange, ...]] = []
    if never:
        tried.append((_between("theta_l", _most([*below, at_end[0]]), _least([*onward, at_end[1]]), includes="high"),))
    tried += [
        (
            _between("theta_l", _most(below), _least([*onward, at_end[1]]), includes="high"),
            _between("theta_u", _most([*not_yet, after[0]]), _least([*promising, after[1]]), includes="low"),
        ),
        (
            _between("theta_l", _most([*below, at_end[0]]), _least([*onward, at_end[1]]), includes="high"),
            _between("theta_u", _most(not_yet), _least([*promising, after[1]]), includes="low"),
        ),
    ]
    for ranges in tried:
        if all(one.high - one.low > thall_simon.NEAR for one in ranges):
            return RuleOrigin(ranges=ranges, inside={one.name: one.few_digits for one in ranges})
    return _nearest_thall_simon(known, gain, better)


def _nearest_thall_simon(known: Sequence[LookBounds], gain: Floats, better: Floats) -> RuleOrigin:
    """The nearest bounds of Thall and Simon; without theta_U where the stated ones do not stop for efficacy."""
    sizes = [n for n, _, _ in known]
    last = known[-1]
    futile = [gain[n, : n + 1] for n in sizes]
    stated = [-1 if r is None else r for _, r, _ in known]
    if all(e is None for _, _, e in known[:-1]):
        lower, theta_l = _chain(futile, stated, below=True)
        end = (last[0], lower[-1], lower[-1] + 1)
        return RuleOrigin(inside={"theta_l": theta_l}, nearest=_bounds(sizes[:-1], lower, [n + 1 for n in sizes], end))
    lower, theta_l = _chain(futile[:-1], stated[:-1], below=True)
    rows = [better[n, : n + 1] for n in sizes]
    upper, theta_u = _chain(rows, [n + 1 if e is None else e for n, _, e in known], below=False)
    futile_at_end = int((futile[-1] < theta_l).sum()) - 1
    upper = [max(e, r + 1) for e, r in zip(upper, [*lower, futile_at_end], strict=True)]
    end = (last[0], upper[-1] - 1, upper[-1])
    return RuleOrigin(inside={"theta_l": theta_l, "theta_u": theta_u}, nearest=_bounds(sizes[:-1], lower, upper, end))


def _most(values: Sequence[float]) -> float | None:
    return float(max(values)) if values else None


def _least(values: Sequence[float]) -> float | None:
    return float(min(values)) if values else None


def _between(name: str, low: float | None, high: float | None, *, includes: Literal["low", "high"]) -> ParameterRange:
    """The range between two probabilities; an end that is missing is 0 or 1, and belongs to it."""
    open_end = (low is None and includes == "high") or (high is None and includes == "low")
    return ParameterRange(
        name=name,
        low=0.0 if low is None else low,
        high=1.0 if high is None else high,
        includes="both" if open_end else includes,
    )


def _chain(rows: Sequence[Floats], stated: Sequence[int], *, below: bool) -> tuple[list[int], float]:
    """The nearest of all bounds that one threshold of rising probabilities can give, with a threshold that does."""
    levels = np.unique(np.concatenate([*rows, [0.0, 1.0]]))
    if below:
        found = np.stack([np.searchsorted(row, levels, side="left") - 1 for row in rows], axis=1)
    else:
        found = np.stack([np.searchsorted(row, levels, side="right") for row in rows], axis=1)
    best = found[_nearest(found, stated)]
    gives = levels[(found == best).all(axis=1)]
    place = int(np.searchsorted(levels, gives[0 if below else -1]))
    # below: thresholds above the level before and up to the last that gives it; above: from the first to the next
    low = levels[place - 1] if below and place else gives[0]
    high = gives[-1] if below or place + 1 == levels.size else levels[place + 1]
    span = ParameterRange(name="", low=float(low), high=float(high), includes="high" if below else "low")
    return best.tolist(), span.few_digits if low < high else float(low)


def _nearest(rows: Ints, stated: Sequence[int]) -> int:
    """The row that differs from what is stated at the fewest looks, and then by the least sum of counts."""
    apart = np.abs(rows - np.array(stated))
    return int(np.lexsort((apart.sum(axis=1), (apart > 0).sum(axis=1)))[0])


def _bounds(
    sizes: Sequence[int], lower: Sequence[int], upper: Sequence[int], last: LookBounds
) -> tuple[LookBounds, ...]:
    early = [(n, r if r >= 0 else None, e if e <= n else None) for n, r, e in zip(sizes, lower, upper, strict=False)]
    return (*early, last)
