"""Exact operating characteristics: sums over binomial probabilities, no random numbers.

Given X responses in the n patients of a look, every order of responses and failures is equally likely, whatever p.
So the share of orders that reach a look without an earlier stop depends on the design alone, and the recursion over
looks is run once per design, not once per p:

    c_1(x) = 1,    c_k(s) = sum over the x that go on of c_{k-1}(x) Hyp(x; n_k, s, n_{k-1}),

where Hyp is the hypergeometric probability that x of the s responses fell among the first n_{k-1} patients. Then

    P_p(at look k with s responses) = c_k(s) b(s; n_k, p)                                                  [1]_, [2]_

The same recursion in whole numbers (how many orders, not which share of them) gives probabilities as fractions. They
settle every comparison with a limit that floating point cannot, with rates and limits as the decimals that were written
(`requirements.decimal`).

References
----------
.. [1] Schultz JR, Nichol FR, Elfring GL, Weed SD. Multiple-stage procedures for drug screening. Biometrics
   1973;29:293-300.
.. [2] Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.binomial import weighted
from simtrial.design.requirements import decimal
from simtrial.design.second_stages import branched, ending_chances, ending_orders
from simtrial.design.walk import Wholes, orders, shares, walk
from simtrial.errors import InputError
from simtrial.memo import kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike

    from simtrial.design.designs import Design, Look
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats, Ints

CLOSE = 1e-9
"""Nearer than this to a limit, as a share of it, a floating-point probability is not believed and fractions decide.

Against fractions, sums are right to 1e-12 for n up to 1,000 and single probabilities to 1e-11 for n up to 2,000
(tests), so the margin is at least a hundredfold.
"""

KEPT_RATES = 1024
"""Most rates of an evaluation that is kept for whoever asks the same again."""


@dataclass(frozen=True)
class OperatingCharacteristics:
    """How a design behaves at each response rate `p`; every array starts with the shape of `p` and is read-only.

    Attributes
    ----------
    p : ndarray
        True response rates.
    n : ndarray of int, shape (looks,)
        Patients at each look.
    accept_by_look, reject_by_look : ndarray, shape p.shape + (looks,)
        Probability of stopping at each look without and with rejection of H0.
    """

    p: Floats
    n: Ints
    accept_by_look: Floats
    reject_by_look: Floats

    @property
    def reject(self) -> Floats:
        """P(reject H0; p): the type I error at p0, the power at p1."""
        total: Floats = np.minimum(self.reject_by_look.sum(axis=-1), 1.0)
        return total

    @property
    def n_distribution(self) -> Floats:
        """P(N = n_k; p), the probability that the trial stops at each look: shape p.shape + (looks,)."""
        return self.accept_by_look + self.reject_by_look

    @property
    def pet_by_look(self) -> Floats:
        """P(stop at look k; p) for each look before the last: shape p.shape + (looks - 1,)."""
        return self.n_distribution[..., :-1]

    @property
    def pet(self) -> Floats:
        """PET(p), the probability of early termination at any look before the last, for either reason."""
        total: Floats = np.minimum(self.pet_by_look.sum(axis=-1), 1.0)
        return total

    @property
    def en(self) -> Floats:
        """EN(p), the expected number of patients."""
        expected: Floats = (self.n_distribution * self.n).sum(axis=-1)
        within: Floats = np.clip(expected, self.n[0], self.n[-1])
        return within


@dataclass(frozen=True)
class BranchedCharacteristics(OperatingCharacteristics):
    """Those of a design whose second stage depends on the first: early termination is that after the first stage."""

    @property
    def pet_by_look(self) -> Floats:
        """P(stop after the first stage; p): shape p.shape + (1,)."""
        return self.n_distribution[..., :1]


def operating_characteristics(design: Design, p: ArrayLike) -> OperatingCharacteristics:
    """Evaluate a design at any response rates.

    Parameters
    ----------
    design : Design
        Any design with looks.
    p : float or array_like of float
        True response rates in [0, 1], any shape.

    Returns
    -------
    OperatingCharacteristics
        Exact up to floating point (relative error below 1e-12 for n up to 1,000).

    Raises
    ------
    InputError
        If some p is not a number in [0, 1].

    Examples
    --------
    >>> from simtrial import TwoStage
    >>> oc = operating_characteristics(TwoStage(r1=1, n1=10, r=5, n=29), p=[0.1, 0.3])
    >>> oc.reject.round(4).tolist(), oc.pet.round(4).tolist(), oc.en.round(2).tolist()
    ([0.0471, 0.8051], [0.7361, 0.1493], [15.01, 26.16])
    """
    try:
        rates = np.asarray(p, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"({p!r:.60}) is not a number or a list of numbers from 0 to 1", "p") from None
    inside = (rates >= 0.0) & (rates <= 1.0)
    if not np.all(inside):
        raise InputError(f"({float(rates[~inside].flat[0]):.10g}) is not from 0 to 1", "p")
    evaluate = _known if rates.size <= KEPT_RATES else _operating_characteristics
    return evaluate(tuple(design.looks), (rates.shape, rates.tobytes()))


def _operating_characteristics(looks: tuple[Look, ...], at: tuple[tuple[int, ...], bytes]) -> OperatingCharacteristics:
    """Evaluate looks at the rates of this shape and these bytes."""
    shape, written = at
    rates = np.frombuffer(written).reshape(shape)
    table = branched(looks)
    if table is None:
        sizes = np.array([look.n for look in looks])
        accept = np.empty((*shape, len(looks)))
        reject = np.empty_like(accept)
        for k, (look, here, reached) in enumerate(walk(looks, np.ones(looks[0].n + 1), shares)):
            accept[..., k] = weighted(look.n, rates, reached * here.accept)
            reject[..., k] = weighted(look.n, rates, reached * here.reject)
    else:
        sizes, accept, reject = ending_chances(table, rates)
    # every trial ends somewhere: what rounding left over is shared out
    total = (accept + reject).sum(axis=-1, keepdims=True)
    accept /= total
    reject /= total
    kind = OperatingCharacteristics if table is None else BranchedCharacteristics
    found = kind(rates, sizes, accept, reject)
    for array in (found.p, found.n, accept, reject):
        array.setflags(write=False)
    return found


@kept(1024)
def _known(looks: tuple[Look, ...], at: tuple[tuple[int, ...], bytes]) -> OperatingCharacteristics:
    return _operating_characteristics(looks, at)


def reject_fraction(design: Design, p: Fraction) -> Fraction:
    """P(reject H0; p) as an exact fraction, by counting the orders of responses and failures that reject.

    Slower than `operating_characteristics`; for comparisons where the last bit decides.
    """
    hit, miss, whole = p.numerator, p.denominator - p.numerator, p.denominator
    total = Fraction(0)
    for n, rejecting in _rejecting_orders(design):
        ways = sum(int(w) * hit**x * miss ** (n - x) for x, w in enumerate(rejecting) if w)
        total += Fraction(ways, whole**n)
    return total


def _rejecting_orders(design: Design) -> Iterator[tuple[int, Wholes]]:
    """At each look, how many orders of responses and failures reject H0 there, by the number of responses."""
    table = branched(design.looks)
    if table is not None:
        yield from ((one.n, one.reject) for one in ending_orders(table))
        return
    first = design.looks[0].n
    start = np.array([math.comb(first, x) for x in range(first + 1)], dtype=object)
    for look, here, reached in walk(design.looks, start, orders):
        yield look.n, reached * here.reject


def signs(found: ArrayLike, limit: ArrayLike, gap: Callable[..., Fraction]) -> Ints:
    """Compare probabilities with limits: -1 below, 0 exactly at the limit, 1 above.

    Parameters
    ----------
    found, limit : array_like of float
        In floating point; shapes that broadcast.
    gap : callable
        Takes the place of a pair, one number per dimension, and gives found - limit as an exact fraction. It is asked
        only where the two are `CLOSE`.

    Returns
    -------
    ndarray of int
        Of the common shape.
    """
    limits = np.asarray(limit, dtype=np.float64)
    above = np.asarray(found, dtype=np.float64) - limits
    sign: Ints = np.asarray(np.sign(above)).astype(np.int64)
    for place in np.argwhere(np.abs(above) < CLOSE * limits).tolist():
        exactly = gap(*place)
        sign[tuple(place)] = (exactly > 0) - (exactly < 0)
    return sign


def side(design: Design, p: float, limit: float, found: float | None = None) -> int:
    """Whether P(reject H0; p) is below a limit (-1), exactly at it (0) or above it (1).

    Parameters
    ----------
    design : Design
        Any design with looks.
    p, limit : float
        Rate and limit, as written.
    found : float, optional
        P(reject H0; p) in floating point, where it is known already.
    """
    value = float(operating_characteristics(design, p).reject) if found is None else found
    return int(signs(value, limit, lambda: reject_fraction(design, decimal(p)) - decimal(limit)))


def meets(design: Design, requirements: Requirements) -> bool:
    """Whether a design keeps both limits, with tolerance 0: where floats are too near to tell, fractions do."""
    asked = requirements
    type_i_error, power = operating_characteristics(design, [asked.p0, asked.p1]).reject.tolist()
    if type_i_error > asked.alpha * (1 + CLOSE) or power < asked.power * (1 - CLOSE):
        return False
    return side(design, asked.p0, asked.alpha, type_i_error) <= 0 <= side(design, asked.p1, asked.power, power)


def at_limits(design: Design, requirements: Requirements) -> tuple[str, ...]:
    """Limits that a design attains exactly, in fractions: any of ``alpha`` and ``power``."""
    asked = requirements
    type_i_error, power = operating_characteristics(design, [asked.p0, asked.p1]).reject.tolist()
    sides = {
        "alpha": side(design, asked.p0, asked.alpha, type_i_error),
        "power": side(design, asked.p1, asked.power, power),
    }
    return tuple(name for name, found in sides.items() if found == 0)
