"""What a search for two looks tries to lower: it says which first stages can still matter, and which cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from simtrial.search.aim import TIE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.aim import Aim

NEAR = 3 * TIE
"""Values of a criterion nearer than this to the best are kept: `Aim` compares them, and sums are right to 1e-12."""


class Sizes(NamedTuple):
    """Expected and largest numbers of patients of some designs, arrays of one shape.

    Attributes
    ----------
    en_p0, en_p1, en_max : ndarray
        EN at p0 and p1, and its maximum over p. Any of them may be a lower bound.
    n : ndarray of int
        Maximum number of patients.
    """

    en_p0: Floats
    en_p1: Floats
    en_max: Floats
    n: Ints


def weighted(aim: Aim, sizes: Sizes) -> Floats:
    """The weighted sum of an aim; what has no weight is not looked at."""
    weights = (aim.en_p0, aim.en_p1, aim.en_max, aim.n)
    total: Floats = np.zeros(np.shape(sizes.n))
    for weight, size in zip(weights, sizes, strict=True):
        if weight:
            total += np.multiply(size, weight, dtype=np.float64)
    return total


class Goal(Protocol):
    """What is to be lowered."""

    with_largest: bool
    """Whether the largest EN(p) matters."""

    def still(self, sizes: Sizes) -> Bools:
        """Whether designs of these sizes would still matter."""
        ...

    def add(self, sizes: Sizes) -> None:
        """Take notice of designs that meet the limits."""
        ...


class Aims:
    """The least value of several weighted sums, so far."""

    def __init__(self, aims: Sequence[Aim]) -> None:
        # where n comes first, the first n that has a design ends the search
        self.aims = [aim for aim in dict.fromkeys(aims) if not aim.smallest_n]
        self.with_largest = any(aim.en_max for aim in aims)
        self.least = np.full(len(self.aims), np.inf)

    def values(self, sizes: Sizes) -> Floats:
        """The sums, one row per aim."""
        found: Floats = np.array([weighted(aim, sizes) for aim in self.aims])
        return found

    def still(self, sizes: Sizes) -> Bools:
        """Whether any sum comes near its least value or below."""
        if not self.aims:
            return np.zeros(np.shape(sizes.n), dtype=np.bool_)
        least = self.least.reshape(-1, *(1,) * np.ndim(sizes.n))
        found: Bools = np.logical_or.reduce(self.values(sizes) < least + NEAR, axis=0)
        return found

    def add(self, sizes: Sizes) -> None:
        """Lower the least values."""
        if self.aims and sizes.n.size:
            np.minimum(self.least, self.values(sizes).min(axis=1), out=self.least)


class Undominated:
    """Designs that no other one is better than in EN(p0), EN(p1) and n, so far; n only grows.

    Parameters
    ----------
    with_p1 : bool
        Whether EN(p1) matters.
    """

    with_largest = False

    def __init__(self, *, with_p1: bool) -> None:
        self.with_p1 = with_p1
        self.en_p0 = np.array([-np.inf])
        self.en_p1 = np.array([np.inf])

    def still(self, sizes: Sizes) -> Bools:
        """Whether no design so far is clearly at least as good in both."""
        place = np.searchsorted(self.en_p0, sizes.en_p0 - NEAR, side="right") - 1
        found: Bools = self.en_p1[place] > sizes.en_p1 - NEAR
        return found

    def add(self, sizes: Sizes) -> None:
        """Keep those that none is better than, by EN(p0), with falling EN(p1)."""
        en_p1 = sizes.en_p1 if self.with_p1 else np.full(sizes.en_p1.shape, -np.inf)
        pair = (np.append(self.en_p0, sizes.en_p0), np.append(self.en_p1, en_p1))
        order = np.lexsort(pair[::-1])
        en_p0, en_p1 = (one[order] for one in pair)
        falls = np.append([True], en_p1[1:] < np.minimum.accumulate(en_p1)[:-1])
        self.en_p0, self.en_p1 = en_p0[falls], en_p1[falls]
