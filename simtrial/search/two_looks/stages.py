"""First looks and designs with two looks, many at a time.

Throughout k = r1 + 1 is the smallest count of the first look that continues, 0 where it does not stop for futility, and
e = e1 the smallest that stops for efficacy, n1 + 1 where none does.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

from simtrial.design.designs import Look, MultiStage, TwoStage
from simtrial.errors import InputError
from simtrial.search.two_looks.goals import Sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.constraints import Constraints


def made(n1: int, r: int, n: int, bounds: tuple[int, int]) -> TwoStage | MultiStage:
    """The design with the `bounds` k and e of its first look."""
    k, e = bounds
    if k == 0:
        return MultiStage((Look(n1, None, e), Look(n, r)))
    return TwoStage(k - 1, n1, r, n, e1=e if e <= n1 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookForm:
    """Which stops a first look has.

    Attributes
    ----------
    k_first, k_last : int or None
        Range of k; 0 is no stop for futility, None no limit.
    efficacy : bool
        Whether it may stop for efficacy.
    """

    k_first: int
    k_last: int | None
    efficacy: bool

    @classmethod
    def of(cls, constraints: Constraints) -> LookForm:
        """What the constraints allow; both stops, if they do not say.

        Raises
        ------
        InputError
            If r1 is given for a look that does not stop for futility.
        """
        if constraints.stops == "efficacy":
            if constraints.r1 is not None:
                raise InputError(f"({constraints.r1}) is a futility bound, but no look stops for futility", "r1")
            return cls(k_first=0, k_last=0, efficacy=True)
        efficacy = constraints.stops != "futility"
        if constraints.r1 is not None:
            return cls(k_first=constraints.r1 + 1, k_last=constraints.r1 + 1, efficacy=efficacy)
        return cls(k_first=0 if efficacy and constraints.futility_optional else 1, k_last=None, efficacy=efficacy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Arrays side by side; the last axis of each is that of the rows."""

    n1: Ints

    def at(self, index: Ints | Bools) -> Self:
        """Some of the rows."""
        return type(self)(**{one.name: getattr(self, one.name)[..., index] for one in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All rows of several."""
        return cls(
            **{one.name: np.concatenate([getattr(part, one.name) for part in parts], axis=-1) for one in fields(cls)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Extents(Side):
    """The first and the last k and e that are looked at for every n1."""

    k_first: Ints
    k_last: Ints
    e_first: Ints
    e_last: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStages(Side):
    """First stages.

    Attributes
    ----------
    k, e : ndarray of int
        Their bounds.
    share : ndarray, shape (2, rows)
        P(k <= X1 < e) at p0 and p1, the probability that a trial continues.
    largest : ndarray
        Its maximum over p; 0 where it is not needed.
    """

    k: Ints
    e: Ints
    share: Floats
    largest: Floats

    def sizes(self, n: Ints | int) -> Sizes:
        """Numbers of patients if there are n at most."""
        sizes = np.full(self.n1.shape, n)
        en_p0, en_p1, en_max = (
            self.n1 + one * (sizes - self.n1) for one in (self.share[0], self.share[1], self.largest)
        )
        return Sizes(en_p0, en_p1, np.maximum(en_max, np.maximum(en_p0, en_p1)), sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStages(FirstStages):
    """Designs that meet the limits: first stages with r and n."""

    n: Ints
    r: Ints
