"""What is believed after some responses, and what is to be expected of the rest of the trial; all of it exact.

After x responses of n patients the rate has the law Beta(a + x, b + n - x), and the number of responses among the
m = N - n patients to come is Beta-binomial,

    P(X_N = x + y | x of n) = C(m, y) B(a + x + y, b + N - x - y) / B(a + x, b + n - x).

The probability that more than the final bound respond is that of `simtrial.search.bayesian.predictive`, whatever
happens at the looks between. The probability that the trial rejects H0 is another one where it may stop before: it
follows from the same recursion, with 0 and 1 in the states that stop the trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial.errors import InputError

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.numbers import Floats
    from simtrial.search.bayesian.posterior import BetaPrior

LookOutcome = Literal["futile", "continues", "rejects", "not_rejected"]
"""What a design does with a number of responses at one of its looks."""


@dataclass(frozen=True, kw_only=True)
class SeenSoFar:
    """A trial after some of its patients.

    Attributes
    ----------
    design : Design
        Its design.
    prior : BetaPrior
        Of the response rate.
    n, x : int
        Patients, and responses among them.

    Raises
    ------
    InputError
        If there are more patients than the design has, or more responses than patients.

    Examples
    --------
    >>> from simtrial.design.designs import parse_looks
    >>> from simtrial.search.bayesian.posterior import BetaPrior
    >>> seen = SeenSoFar(design=parse_looks("0/10,1/20,5/30,10/36"), prior=BetaPrior(0.2, 0.8), n=20, x=4)
    >>> round(seen.posterior.mean, 4), round(seen.above_bound, 4), round(seen.rejecting, 4)
    (0.2, 0.0717, 0.0716)
    """

    design: Design
    prior: BetaPrior
    n: int
    x: int

    def __post_init__(self) -> None:
        if not 0 <= self.n <= self.last:
            raise InputError(f"({self.n}) is not from 0 to {self.last}, the patients of the design", "at")
        if not 0 <= self.x <= self.n:
            raise InputError(f"({self.x}) is not from 0 to {self.n}, the patients", "at")

    @property
    def last(self) -> int:
        """Patients at the last look."""
        return self.design.looks[-1].n

    @property
    def bound(self) -> int:
        """H0 is rejected at the last look if more respond."""
        return self.design.looks[-1].r or 0

    @property
    def posterior(self) -> BetaPrior:
        """What is believed of the response rate now."""
        return self.prior.after(self.n, self.x)

    @property
    def decision(self) -> LookOutcome | None:
        """What the design does now; None where it does not look at this number of patients."""
        look = next((one for one in self.design.looks if one.n == self.n), None)
        if look is None:
            return None
        final = self.n == self.last
        here = look.regions(np.array(self.x), final=final)
        if here.reject:
            return "rejects"
        return "continues" if here.go_on else "not_rejected" if final else "futile"

    @cached_property
    def at_end(self) -> Floats:
        """P(X_N = y | x of n) of y = 0..N responses at the last look, if the trial continues to it."""
        from scipy import special

        more, now = self.last - self.n, self.posterior
        y = np.arange(more + 1)
        ways = -special.betaln(y + 1, more - y + 1) - np.log(more + 1)
        chances = np.exp(ways + special.betaln(now.a + y, now.b + more - y) - special.betaln(now.a, now.b))
        found: Floats = np.zeros(self.last + 1)
        found[self.x : self.x + more + 1] = chances
        return found

    @cached_property
    def above_bound(self) -> float:
        """The predictive probability: that more than the final bound respond, if the trial continues to the end."""
        return self._by_recursion(looking=False)

    @cached_property
    def rejecting(self) -> float:
        """The predictive probability that the trial, continuing now, rejects H0 at one of its looks to come."""
        return self._by_recursion(looking=True)

    def _by_recursion(self, *, looking: bool) -> float:
        between = {look.n: look for look in self.design.looks[:-1] if look.n > self.n} if looking else {}
        x = np.arange(self.last + 1)
        here = self.design.looks[-1].regions(x, final=True).reject.astype(np.float64)
        for n in range(self.last - 1, self.n - 1, -1):
            size, seen = self.prior.size + n, x[: n + 1]
            here = here[1:] * ((self.prior.a + seen) / size) + here[:-1] * ((self.prior.b + n - seen) / size)
            look = between.get(n)
            if look is not None:
                stops = look.regions(seen, final=False)
                here = np.where(stops.accept, 0.0, np.where(stops.reject, 1.0, here))
        return float(here[self.x])


def near_bounds(design: Design, k: int) -> tuple[int, ...]:
    """The numbers of responses on both sides of the bounds of a look, the smallest first."""
    look = design.looks[k]
    r = look.r
    e = look.e if k < len(design.looks) - 1 else None
    sides = [*([] if r is None else [r, r + 1]), *([] if e is None else [e - 1, e])]
    return tuple(sorted({x for x in sides if 0 <= x <= look.n}))
