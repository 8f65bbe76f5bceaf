"""The types of boundaries: what speaks against a count of toxicities, and how strongly.

Each type is one number for b toxicities of n patients, its evidence, and one threshold: the trial stops where the
evidence is large enough. Evidence rises with b, so a threshold gives one bound per look.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial.design.binomial import above
from simtrial.errors import InputError

if TYPE_CHECKING:
    from simtrial.numbers import Floats, Ints

BoundaryKind = Literal["pocock", "obf", "wang_tsiatis", "bayes", "sprt"]
DELTAS = {"pocock": 0.0, "obf": 0.5}
"""The exponents of the two named members of Wang and Tsiatis's family: 0 is Pocock's, as in clinfun."""


@dataclass(frozen=True, slots=True)
class BoundaryShape:
    """A type of boundary with everything but its threshold.

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
            raise InputError("belongs to wang_tsiatis only", "delta")
        if self.prior is not None and self.kind != "bayes":
            raise InputError("belongs to bayes only", "prior")
        if self.kind == "wang_tsiatis" and self.delta is None:
            raise InputError("is missing; wang_tsiatis needs it", "delta")
        if self.kind == "sprt" and (self.unacceptable is None or not self.rate < self.unacceptable < 1):
            raise InputError("is missing, or not between the acceptable rate and 1; sprt needs it", "unacceptable")

    def evidence(self, b: Ints, n: Ints, last: int) -> Floats:
        """How strongly b toxicities of n patients speak against the acceptable rate; `last` is n of the last look.

        pocock, obf, wang_tsiatis: minus the level a at which P(X_n >= b) <= a_n, with
        a_n = Phi(Phi^-1(a) (n/last)^-delta). bayes: P(rate > acceptable | b of n). sprt: the log-likelihood ratio.
        """
        from scipy import special

        if self.kind == "bayes":
            a, c = self.prior or (self.rate, 1 - self.rate)
            posterior: Floats = special.betaincc(a + b, c + n - b, self.rate)
            return posterior
        if self.kind == "sprt":
            assert self.unacceptable is not None
            ratio = np.log(self.unacceptable / self.rate), np.log1p(-self.unacceptable) - np.log1p(-self.rate)
            evidence: Floats = b * ratio[0] + (n - b) * ratio[1]
            return evidence
        tail = above(b - 1, n, self.rate)
        delta = DELTAS.get(self.kind, self.delta)
        if not delta:
            return -tail
        level: Floats = special.ndtr(special.ndtri(tail) * (n / last) ** delta)
        return -level
