"""Curtailment of any design: the trial ends as soon as its decision is certain, or as good as certain.

The design is watched after every patient, or after every block of C patients counted back from N, and at its own
looks. With s responses of m patients the conditional power CP(m, s) is the probability at p1 that H0 will be rejected.

* Non-stochastic: the trial ends when no outcome of the remaining patients can change the decision, which is CP = 0 or
  CP = 1, found by counting and not from probabilities. P(reject) is unchanged at every response rate, and EN is
  smaller.
* Stochastic: it also ends for futility if CP < theta_f and for efficacy if CP > theta_e, both strictly. The errors are
  then those of a new design. There are two definitions of CP, which give different bounds:

  - recursive [1]_: by backward recursion, in which the states that end the trial later count 0 or 1 already;
  - plain [2]_: that of the design without curtailment.

Neither paper was seen: both definitions are taken from descriptions of R's package curtailment, the program of [1]_.

Bounds
------
CP does not fall with s, so every look has a lower and an upper bound. A bound for futility that was passed stands at
all later looks too. A look at which no path can end the trial is left out, and so are all looks after one at which
every path ends: the largest number of patients can be below N. If every path ends at the first look the rule is no
design, and is refused: with theta_e = .9 and no theta_f, CP(1, 0) itself can pass theta_e, and the trial would reject
H0 always.

Thresholds and p1 are decimals. Where CP is too near to a threshold for floating point, all of it is computed again in
whole numbers: CP(m, s) times d^(N-m), d being the denominator of p1.

References
----------
.. [1] Law M, Grayling MJ, Mander AP. A stochastically curtailed single-arm phase II trial design for binary outcomes.
   J Biopharm Stat 2022;32:671-691.
.. [2] Lan KKG, Simon R, Halperin M. Stochastically curtailed tests in long-term clinical trials. Commun Stat C
   1982;1:207-219.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, get_args

import numpy as np

from simtrial.design import exact
from simtrial.design.binomial import binomial_pmf
from simtrial.design.designs import Look
from simtrial.design.requirements import decimal
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.phrases import counted
from simtrial.search.given import design_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from simtrial.design.designs import Design, MultiStage, SingleStage, TwoStage
    from simtrial.design.walk import Wholes
    from simtrial.numbers import Bools, Floats

ConditionalPower = Literal["recursive", "plain"]
"""Which conditional power the thresholds are compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When a trial is as good as decided.

    Attributes
    ----------
    p1 : float or None
        The rate at which the conditional power is computed; None without thresholds.
    futility, efficacy : float or None
        theta_f and theta_e; None: only where the decision is certain.
    cp : ConditionalPower
        Which conditional power.
    """

    p1: float | None
    futility: float | None
    efficacy: float | None
    cp: ConditionalPower


def curtail(
    design: Design,
    p1: float | None = None,
    *,
    theta_f: float | None = None,
    theta_e: float | None = None,
    block: int = 1,
    cp: ConditionalPower = "recursive",
) -> SingleStage | TwoStage | MultiStage:
    """Curtail a design.

    Parameters
    ----------
    design : Design
        Any design with looks.
    p1 : float, optional
        The rate at which the conditional power is computed; needed with a threshold.
    theta_f, theta_e : float, optional
        Stop for futility if CP < theta_f, for efficacy if CP > theta_e; without both the curtailment is non-stochastic.
    block : int
        Patients between looks, counted back from the last.
    cp : ConditionalPower
        Which conditional power.

    Raises
    ------
    InputError
        If a number cannot be, thresholds exclude each other, or nothing is left of the design.

    Examples
    --------
    >>> from simtrial import SingleStage, looks_text
    >>> looks_text(curtail(SingleStage(16, 39), block=5))
    ':17/19,1:17/24,6:17/29,11:17/34,16/39'
    >>> looks_text(curtail(SingleStage(5, 25), 0.3, theta_f=0.05, theta_e=1.0, block=10))
    '0:6/15,5/25'
    """
    block = TABLE["block"].count(block, "block")
    if cp not in get_args(ConditionalPower):
        raise InputError(f"({cp!r:.40}) is unknown; write {' or '.join(get_args(ConditionalPower))}", "cp")
    for name, value in (("theta_f", theta_f), ("theta_e", theta_e)):
        if value is not None:
            TABLE["theta"].check(value, name)
    if theta_f is None and theta_e is None:
        return _design(design, block, Thresholds(p1=None, futility=None, efficacy=None, cp=cp))
    if p1 is None:
        raise InputError("is missing; the conditional power is computed at this rate", "p1")
    if theta_f is not None and theta_e is not None and theta_f > theta_e:
        raise InputError(f"({theta_f:g}) is above theta_e ({theta_e:g})", "theta_f")
    p1 = TABLE["rate"].check(p1, "p1")
    return _design(design, block, Thresholds(p1=p1, futility=theta_f, efficacy=theta_e, cp=cp))


def watched(design: Design, block: int) -> list[int]:
    """The numbers of patients at which a curtailed design looks: blocks counted back from N, and its own looks."""
    last = design.looks[-1].n
    return sorted({*range(last, 0, -block), *(look.n for look in design.looks)})


class Halts(NamedTuple):
    """Where a trial ends at one look: n, and for each count whether for futility or for efficacy."""

    n: int
    futile: Bools
    effective: Bools


def _design(design: Design, block: int, thresholds: Thresholds) -> SingleStage | TwoStage | MultiStage:
    p1 = 0.5 if thresholds.p1 is None else thresholds.p1  # what is certain is so at every rate
    stops = _stops(design, block, thresholds, _InFloats(p1))
    if stops is None:
        stops = _stops(design, block, thresholds, _InWholes(decimal(p1), design.looks[-1].n))
    assert stops is not None  # whole numbers are never too near
    return design_of(bounds_of(stops))


class _Scale(Protocol):
    """How conditional powers are held: in floating point, or as whole numbers."""

    def step(self, later: Floats | Wholes, added: int) -> Floats | Wholes:
        """Those of an earlier look from those of a later one."""
        ...

    def certain(self, n: int) -> float:
        """What stands for 1 after n patients."""
        ...

    def side(self, values: Floats | Wholes, n: int, threshold: float) -> Floats | None:
        """Whether values lie below (-1), at (0) or above (1) a threshold; None where that cannot be told."""
        ...


class _InFloats:
    def __init__(self, p1: float) -> None:
        self.pmf = cache(lambda added: binomial_pmf(added, p1)[::-1])  # most steps are of the same length

    def step(self, later: Floats | Wholes, added: int) -> Floats | Wholes:
        return np.convolve(later.astype(np.float64), self.pmf(added), mode="valid")

    def certain(self, n: int) -> float:  # noqa: ARG002 - the same at every look
        return 1.0

    def side(self, values: Floats | Wholes, n: int, threshold: float) -> Floats | None:  # noqa: ARG002 - as above
        above = np.asarray(values, dtype=np.float64) - threshold
        return None if (np.abs(above) < exact.CLOSE * threshold).any() else np.sign(above)


class _InWholes:
    def __init__(self, p1: Fraction, last: int) -> None:
        self.hit, self.whole, self.last = p1.numerator, p1.denominator, last

    def step(self, later: Floats | Wholes, added: int) -> Floats | Wholes:
        miss = self.whole - self.hit
        ways = [math.comb(added, y) * self.hit**y * miss ** (added - y) for y in range(added + 1)]
        earlier: Wholes = np.convolve(later.astype(object), np.array(ways[::-1], dtype=object), mode="valid")
        return earlier

    def certain(self, n: int) -> float:
        return int(self.whole ** (self.last - n))

    def side(self, values: Floats | Wholes, n: int, threshold: float) -> Floats | None:
        limit = decimal(threshold)
        bound = limit.numerator * self.whole ** (self.last - n)
        scaled = values * limit.denominator
        return np.where(scaled > bound, 1.0, np.where(scaled < bound, -1.0, 0.0))


def _stops(design: Design, block: int, thresholds: Thresholds, scale: _Scale) -> list[Halts] | None:
    """Where a trial ends at every look, from the first; None where floating point cannot tell."""
    own = {look.n: look for look in design.looks}
    *early, last = watched(design, block)
    never, always, _ = own[last].regions(np.arange(last + 1), final=True)
    values = _settled(np.zeros(last + 1), never, always, scale.certain(last))
    found = [Halts(last, never, always)]
    for n in reversed(early):
        added = found[-1].n - n
        values = scale.step(values, added)
        # it is certain that H0 is not rejected if it is so for every count that can be reached, and so with rejection
        never, always = _ahead(never, added), _ahead(always, added)
        if n in own:
            accept, reject, _ = own[n].regions(np.arange(n + 1), final=False)
            never, always = (never & ~reject) | accept, (always & ~accept) | reject
        values = _settled(values, never, always, scale.certain(n))
        passed = _passed(values, n, thresholds, scale, ~(never | always))
        if passed is None:
            return None
        futile, effective = never | passed[0], always | passed[1]
        if thresholds.cp == "recursive":
            values = _settled(values, futile, effective, scale.certain(n))
        found.append(Halts(n, futile, effective))
    return found[::-1]


def _settled(values: Floats | Wholes, futile: Bools, effective: Bools, certain: float) -> Floats | Wholes:
    """Conditional powers in which the counts that end the trial have 0 or 1."""
    return np.where(futile, 0, np.where(effective, certain, values))


def _ahead(certain: Bools, added: int) -> Bools:
    """Whether something is certain at an earlier look: for all counts that can be reached from there."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(certain, added + 1).all(axis=1))


def _passed(
    values: Floats | Wholes, n: int, thresholds: Thresholds, scale: _Scale, undecided: Bools
) -> tuple[Bools, Bools] | None:
    """Which undecided counts are below theta_f, and which above theta_e; None where that cannot be told."""
    found = []
    for threshold, sign in ((thresholds.futility, -1), (thresholds.efficacy, 1)):
        stopped = np.zeros(n + 1, dtype=np.bool_)
        if threshold is not None and undecided.any():
            side = scale.side(values[undecided], n, threshold)
            if side is None:
                return None
            stopped[undecided] = side == sign
        found.append(stopped)
    return found[0], found[1]


def bounds_of(stops: Sequence[Halts]) -> list[Look]:
    """The looks of a design that ends at these counts: the bounds carried forward, without the looks that end nothing.

    Raises
    ------
    InputError
        If every path ends at the first look.
    """
    looks: list[Look] = []
    low, high, carried, before = 0, 0, -1, 0  # counts that can be reached
    for stop in stops:
        high += stop.n - before
        before = stop.n
        r = max(carried, int(stop.futile.sum()) - 1)
        e = int(stop.futile.size - stop.effective.sum())
        if e <= max(r, low - 1) + 1 or high <= r:
            if stop.n == stops[0].n and len(stops) > 1:
                name, at = "theta_e" if stop.effective.any() else "theta_f", counted(stop.n, "patient")
                raise InputError(f"would end every trial at its first look, of {at}; move the thresholds", name)
            # all paths with one decision would have ended before: a mean of CP passes what all of them pass
            r = max(r, low - 1)
            r = min(r, stop.n - 1) if high < stop.n else r  # where nobody has as many responses
            return [*looks, Look(stop.n, r)]
        if r >= low or e <= high:
            looks.append(Look(stop.n, r if r >= 0 else None, e if e <= high else None))
        carried, low, high = r, max(low, r + 1), min(high, e - 1)
    return looks
