"""The types of boundaries: what speaks against a count of toxicities, and how strongly.

Each type orders the counts, b toxicities of n patients, by what speaks against them, and has one parameter: the trial
stops where the evidence is strong enough. Evidence rises with b, so a parameter gives one bound per look.

| type | the look at n stops for the least b with | the parameter, and the interval that leads to one boundary |
|---|---|---|
| pocock | P(X_n >= b) <= a | the level a in [from, to) |
| obf, wang_tsiatis | P(X_n >= b) <= a_n = Phi(Phi^-1(a) (n/N)^-delta) | the level a of the last look in [from, to) |
| bayes | P(rate > acceptable given b of n) > tau | the probability tau in [from, to) |
| sprt | log-likelihood ratio of the rates >= h | h in (from, to] |

Two conventions for delta are in use. Here, as in R clinfun, 0 is Pocock's boundary and .5 that of O'Brien and Fleming;
in Wang and Tsiatis's own, and in R stoppingrule, it is .5 and 0.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial.design.binomial import above, tail_fraction
from simtrial.design.requirements import decimal
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.toxicity.tails import beta_logits, beta_tails

if TYPE_CHECKING:
    from simtrial.numbers import Floats, Ints

BoundaryKind = Literal["pocock", "obf", "wang_tsiatis", "bayes", "sprt"]
DELTAS = {"pocock": 0.0, "obf": 0.5}
"""The exponents of the two named members of Wang and Tsiatis's family: 0 is Pocock's, as in clinfun."""

LEAST, MOST_BELOW = 1e-280, 1e-3
"""A posterior probability of a rate up to the acceptable one keeps its digits above the first; the rest of it keeps
twelve where that is above the second."""


@dataclass(frozen=True, slots=True)
class BoundaryShape:
    """A type of boundary with everything but its parameter.

    Parameters
    ----------
    kind : {'pocock', 'obf', 'wang_tsiatis', 'bayes', 'sprt'}
        The type.
    rate : float
        The acceptable rate of toxicity.
    delta : float, optional
        wang_tsiatis: the exponent, from 0 (Pocock) to .5 (O'Brien-Fleming).
    prior : tuple of float, optional
        bayes: a and b of the Beta prior; by default a + b = 1 with the acceptable rate as its mean.
    unacceptable : float, optional
        sprt: the rate that it tests against the acceptable one.

    Raises
    ------
    InputError
        If a parameter is missing, does not belong to the type, or lies outside its range.
    """

    kind: BoundaryKind
    rate: float
    _: KW_ONLY
    delta: float | None = None
    prior: tuple[float, float] | None = None
    unacceptable: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise InputError(f"({self.rate:g}) is not between 0 and 1", "rate")
        if self.delta is not None and self.kind != "wang_tsiatis":
            said = f"belongs to wang_tsiatis only; {self.kind} has none"
            if self.kind in DELTAS:
                said = f"belongs to wang_tsiatis only; {self.kind} is its delta {DELTAS[self.kind]:g}; leave it out"
            raise InputError(said, "delta")
        if self.prior is not None and self.kind != "bayes":
            raise InputError("belongs to bayes only", "prior")
        if self.kind == "wang_tsiatis":
            if self.delta is None:
                raise InputError("is missing; wang_tsiatis needs it", "delta")
            TABLE["delta"].check(self.delta, "delta")
        for value in self.prior or ():
            TABLE["beta"].check(value, "prior")
        if self.unacceptable is not None and self.kind != "sprt":
            raise InputError("belongs to sprt only", "unacceptable")
        if self.kind == "sprt":
            if self.unacceptable is None:
                raise InputError("is missing; sprt needs it", "unacceptable")
            if not self.rate < self.unacceptable < 1:
                said = f"({self.unacceptable:g}) is not between the acceptable rate ({self.rate:g}) and 1"
                raise InputError(said, "unacceptable")

    @property
    def exponent(self) -> float | None:
        """The exponent of a_n, n/N; None for types without levels."""
        return DELTAS.get(self.kind, self.delta)

    @property
    def prior_used(self) -> tuple[float, float]:
        """bayes: the Beta prior, given or by default."""
        return self.prior or (self.rate, float(1 - decimal(self.rate)))

    @property
    def loosest(self) -> float:
        """The end of the parameter's range at which every look stops for one toxicity."""
        return {"bayes": 0.0, "sprt": -math.inf}.get(self.kind, 1.0)

    def scores(self, looks: Ints, tails: Floats, kept: Ints) -> Floats:
        """How strongly each count speaks against the acceptable rate, on any scale that rises with the evidence.

        Parameters
        ----------
        looks : ndarray of int, shape (looks,)
            Patients at the looks.
        tails : ndarray, shape (looks, patients)
            P(X_n >= b) at the acceptable rate, as `beta_tails` gives it.
        kept : ndarray of int, shape (wanted,)
            The places in it of the counts that are wanted.

        Returns
        -------
        ndarray, shape (wanted,)
            -log of the tail probability; -Phi^-1 of it times (n/N)^delta; the logit of the posterior probability; the
            log-likelihood ratio. Each keeps its digits where the evidence is strong.
        """
        from scipy import special

        row, column = np.divmod(kept, looks[-1])
        n = looks[row]
        with np.errstate(divide="ignore"):
            if self.kind == "sprt":
                return self._log_ratio(looks[-1] - column, n)
            if self.kind == "bayes":
                return _posterior_scores(*self.prior_used, self.rate, looks, kept)
            if not self.exponent:
                return -np.log(tails.take(kept))
            normal: Floats = -special.ndtri(tails.take(kept)) * ((n / looks[-1]) ** self.exponent)
            return normal

    def _log_ratio(self, b: Ints, n: Ints) -> Floats:
        assert self.unacceptable is not None
        up, down = np.log(self.unacceptable / self.rate), np.log1p(-self.unacceptable) - np.log1p(-self.rate)
        ratio: Floats = b * up + (n - b) * down
        return ratio

    def parameter(self, b: int, n: int, last: int) -> float:
        """The parameter at which b toxicities of n patients begin or cease to stop; `last` is n of the last look.

        pocock, obf, wang_tsiatis: the least level at which the look stops for b; bayes: the posterior probability,
        which tau has to be below; sprt: the log-likelihood ratio, the largest h at which it stops.
        """
        from scipy import special

        if self.kind == "bayes":
            a, c = self.prior_used
            return float(special.betaincc(a + b, c + n - b, self.rate))
        if self.kind == "sprt":
            return float(self._log_ratio(np.array(b), np.array(n)))
        tail = float(above(b - 1, n, self.rate))
        return float(special.ndtr(special.ndtri(tail) * (n / last) ** self.exponent)) if self.exponent else tail

    def exact(self, b: int, n: int) -> Fraction | None:
        """The evidence as a fraction on a rising scale: equal exactly where it is equal; None where there is no such.

        pocock: minus the tail probability. sprt: the likelihood ratio. bayes: minus the difference of the posterior and
        the prior probability of a rate up to x, in units of x^a (1 - x)^c / B(a, c): I_x(a + 1, c) = I_x(a, c) - x^a
        (1 - x)^c / (a B(a, c)) and its kin lead from one to the other, and each step is a rational number of units.
        obf, wang_tsiatis: levels of two looks are equal where both are 1/2; there is no way to tell whether others are.
        """
        if self.kind == "sprt":
            assert self.unacceptable is not None
            low, high = decimal(self.rate), decimal(self.unacceptable)
            return (high / low) ** b * ((1 - high) / (1 - low)) ** (n - b)
        if self.kind == "bayes":
            a, c = (decimal(value) for value in self.prior_used)
            return -_units(a, c, b, n, decimal(self.rate))
        return None if self.exponent else -tail_fraction(b - 1, n, self.rate)


def _units(a: Fraction, c: Fraction, b: int, n: int, x: Fraction) -> Fraction:
    """I_x(a + b, c + n - b) - I_x(a, c), in units of x^a (1 - x)^c / B(a, c)."""
    total, unit = Fraction(0), Fraction(1)
    for k in range(b):
        total -= unit / (a + k)
        unit *= x * (a + k + c) / (a + k)
    for k in range(n - b):
        total += unit / (c + k)
        unit *= (1 - x) * (a + b + c + k) / (c + k)
    return total


def _posterior_scores(a: float, c: float, x: float, looks: Ints, kept: Ints) -> Floats:
    """Logits of the posterior probabilities of a rate above x: by logarithms throughout where some are 0 or 1."""
    below = beta_tails(a, c, x, looks).take(kept)
    if not below.size or (below.min() > LEAST and below.max() < 1 - MOST_BELOW):
        logit: Floats = np.log1p(-below) - np.log(below)
        return logit
    return beta_logits(a, c, x, looks).take(kept)
