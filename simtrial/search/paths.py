"""Arriving at a look by one path: which bounds can still keep the limits, and what they lead to.

Accepting and rejecting before the last look count in full: P(accept by look k; p1) <= 1 - power and P(reject by look k;
p0) <= alpha at every look of a design that keeps both limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design import exact
from simtrial.design.binomial import binomial_pmf
from simtrial.design.designs import Look
from simtrial.search.bounds import SLACK

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What is known on arriving at an interim look by one path; the first axis is p0, p1.

    Attributes
    ----------
    n : int
        Patients.
    least : int
        The smallest number of responses with which it can be reached.
    reached : ndarray, shape (2, n + 1)
        Probability of arriving with each number of responses.
    rejected, accepted : ndarray, shape (2,)
        Probability of having stopped before, by decision.
    """

    n: int
    least: int
    reached: Floats
    rejected: Floats
    accepted: Floats

    @property
    def most(self) -> int:
        """The largest number of responses with which it can be reached."""
        return int(np.flatnonzero(self.reached[1])[-1])

    def pairs(self, asked: Requirements) -> tuple[Ints, Ints]:
        """Every pair of bounds that can still keep the limits; r = least - 1 and e = most + 1 stop nobody."""
        accepted = self.accepted[1] + np.cumsum(self.reached[1])
        rejected = self.rejected[0] + np.cumsum(self.reached[0][::-1])[::-1]
        most = self.most
        futile = np.flatnonzero(accepted[: most + 1] <= asked.beta + SLACK)
        effective = np.flatnonzero(rejected[: most + 1] <= asked.alpha + SLACK)
        r = np.concatenate([[self.least - 1], futile[futile >= self.least]])
        e = np.concatenate([effective[effective > self.least], [most + 1]])
        r, e = (side.ravel() for side in np.meshgrid(r, e, indexing="ij"))
        apart = e >= r + 2
        return r[apart], e[apart]

    def look(self, r: int, e: int) -> Look | None:
        """The look with these bounds; None where it cannot stop the trial."""
        lower, upper = (r if r >= self.least else None), (e if e <= self.most else None)
        return None if lower is None and upper is None else Look(self.n, lower, upper)

    def go_on(self, r: Ints, e: Ints) -> Floats:
        """Probability of going on beyond the look, by pair: shape (2, pairs)."""
        below = np.concatenate([np.zeros((2, 1)), np.cumsum(self.reached, axis=1)], axis=1)
        continuing: Floats = below[:, e] - below[:, r + 1]
        return continuing

    def after(self, r: int, e: int, n: int, rates: Floats) -> Path:
        """Arriving at a later look, with these bounds here."""
        going = self.reached.copy()
        going[:, : r + 1] = going[:, e:] = 0.0
        pmf = binomial_pmf(n - self.n, rates)
        return Path(
            n=n,
            least=r + 1,
            reached=np.stack([np.convolve(a, b) for a, b in zip(going, pmf, strict=True)]),
            rejected=self.rejected + self.reached[:, e:].sum(axis=1),
            accepted=self.accepted + self.reached[:, : r + 1].sum(axis=1),
        )

    def final(self, last: int, rates: Floats) -> Ending:
        """What the last look adds."""
        pmf = binomial_pmf(last - self.n, rates)
        above = np.concatenate([np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1][:, 1:], np.zeros((2, 1))], axis=1)
        need = np.arange(last) - np.arange(self.n + 1)[:, np.newaxis]
        tail = np.where(need < 0, 1.0, above[:, np.clip(need, 0, last - self.n)])
        later = np.cumsum(self.reached[:, :, np.newaxis] * tail, axis=1)
        return Ending(
            np.concatenate([np.zeros((2, 1, last)), later], axis=1),
            np.concatenate([np.cumsum(self.reached[:, ::-1], axis=1)[:, ::-1], np.zeros((2, 1))], axis=1),
            self.rejected,
        )


class Ending(NamedTuple):
    """Errors by the bounds of the last interim look and by the final bound.

    Attributes
    ----------
    later : ndarray, shape (2, n + 2, N)
        P(X < x at the look and X > r at the end), by x and r.
    above : ndarray, shape (2, n + 2)
        P(X >= x at the look).
    before : ndarray, shape (2,)
        Probability of having rejected before.
    """

    later: Floats
    above: Floats
    before: Floats

    def near(self, r: Ints, e: Ints, asked: Requirements) -> Bools:
        """Whether pairs of bounds keep both limits, as far as floating point can tell, by final bound."""
        reject = self.later[:, e] - self.later[:, r + 1]
        reject += (self.before[:, np.newaxis] + self.above[:, e])[:, :, np.newaxis]
        keeps: Bools = (reject[0] <= asked.alpha * (1 + exact.CLOSE)) & (reject[1] >= asked.power * (1 - exact.CLOSE))
        keeps &= np.arange(reject.shape[2]) > r[:, np.newaxis]
        return keeps
