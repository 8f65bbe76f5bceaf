"""The one walk over the looks of a design.

Operating characteristics, fractions, endings, laws, monitoring and recalculated bounds take it, each with weights and
steps of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from simtrial.design.binomial import binomial_pmf, log_choose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simtrial.design.designs import Look, Regions
    from simtrial.numbers import Floats


Wholes: TypeAlias = NDArray[np.object_]
"""Whole numbers of any size."""

Weight = TypeVar("Weight", np.float64, np.object_)
"""What a walk carries: numbers in floating point, or whole numbers of any size."""

BLOCK = 1 << 20
"""Terms of the recursion held at once, so that memory stays bounded for any design."""


def shares(reached: Floats, n_before: int, n_now: int) -> Floats:
    """One step of the recursion in shares of the orders: shape (n_before + 1,) to (n_now + 1,)."""
    new = np.arange(n_now - n_before + 1)
    before, added, now = (log_choose(n, np.arange(n + 1)) for n in (n_before, n_now - n_before, n_now))
    share = np.zeros(n_now + 1)
    going_on = np.flatnonzero(reached)
    for x in np.array_split(going_on, 1 + going_on.size * new.size // BLOCK):
        s = x[:, np.newaxis] + new
        ways = reached[x, np.newaxis] * np.exp(before[x, np.newaxis] + added - now[s])
        share += np.bincount(s.ravel(), weights=ways.ravel(), minlength=n_now + 1)
    return share


def orders(reached: Wholes, n_before: int, n_now: int) -> Wholes:
    """One step of the recursion in whole numbers of orders: shape (n_before + 1,) to (n_now + 1,)."""
    added = n_now - n_before
    row = np.array([math.comb(added, k) for k in range(added + 1)], dtype=object)
    total: Wholes = np.convolve(reached, row)
    return total


Step: TypeAlias = Callable[[NDArray[Weight], int, int], NDArray[Weight]]
"""Takes what is known of each count at n patients to those at a later number: (weights, n, later)."""


class Arrival(NamedTuple, Generic[Weight]):
    """One look of a walk; arrays whose last axis is the responses there, 0..n.

    Attributes
    ----------
    look : Look
        The look.
    here : Regions
        Where each count leads.
    reached : ndarray
        Weights of the counts that reach it.
    """

    look: Look
    here: Regions
    reached: NDArray[Weight]

    @property
    def onward(self) -> NDArray[Weight]:
        """Weights of the counts that go on."""
        going: NDArray[Weight] = self.reached * self.here.go_on
        return going


def walk(
    looks: Sequence[Look], start: NDArray[Weight], step: Step[Weight], n: int | None = None, *, final: bool = True
) -> Iterator[Arrival[Weight]]:
    """Walk over looks: the one recursion of this package, whatever the weights are and however they move on.

    Parameters
    ----------
    looks : sequence of Look
        Those ahead, in order.
    start : ndarray
        Weights of the counts at the beginning; the last axis has the responses.
    step : callable
        See `Step`.
    n : int, optional
        Patients at the beginning, at most those of the first look, which they are if left out.
    final : bool
        Whether the last of these looks is the last of the trial.
    """
    reached, now = start, looks[0].n if n is None else n
    for k, look in enumerate(looks, start=1):
        if look.n > now:
            reached, now = step(reached, now, look.n), look.n
        here = look.regions(np.arange(now + 1), final=final and k == len(looks))
        arrival = Arrival(look, here, reached)
        yield arrival
        reached = arrival.onward


def responding(p: float) -> Step[np.float64]:
    """The step of probabilities: each further patient responds with probability p."""

    def step(reached: Floats, n: int, later: int) -> Floats:
        moved: Floats = np.convolve(reached, binomial_pmf(later - n, p))
        return moved

    return step
