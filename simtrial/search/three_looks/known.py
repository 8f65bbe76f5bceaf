"""What a search for three looks knows on its way: the question, its tables, and the best designs so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design.designs import Look, MultiStage
from simtrial.search.aim import TIE

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.search.scan import Tables
    from simtrial.search.three_looks.rows import ThreeSizes

NEAR = 2 * TIE
"""Designs whose EN(p0) is nearer than this to the least are kept, and compared as `simtrial.search.aim.Aim` does."""

CELLS = 1 << 19
"""Most numbers of one array that is worked on at once."""


class ThreeFrame(NamedTuple):
    """The question of a search, and its tables."""

    asked: Requirements
    sizes: ThreeSizes
    tables: Tables


class Three(NamedTuple):
    """A design of three looks as numbers, with its EN(p0); e = n + 1 where there is no stop for efficacy."""

    en: float
    first: tuple[int, int, int]
    second: tuple[int, int, int]
    third: tuple[int, int]

    @property
    def design(self) -> MultiStage:
        """The design."""
        looks = [Look(n, r, None if e > n else e) for n, r, e in (self.first, self.second)]
        n, r = self.third
        return MultiStage((*looks, Look(n, r)))


class KnownThrees:
    """The designs with the least EN(p0) for each n.

    Attributes
    ----------
    least : ndarray, shape (n_max + 1,)
        Least EN(p0) of the designs of n patients or fewer; infinite where none is known.
    """

    def __init__(self) -> None:
        self.least = np.zeros(0)
        self._found: dict[int, list[Three]] = {}

    def grow(self, n_max: int) -> None:
        """Make room for more patients."""
        last = self.least[-1] if self.least.size else np.inf
        self.least = np.concatenate([self.least, np.full(max(n_max + 1 - self.least.size, 0), last)])

    def keep(self, new: Three) -> None:
        """Keep a design that meets the limits."""
        n = new.third[0]
        self.least[n:] = np.minimum(self.least[n:], new.en)
        near = [one for one in self._found.get(n, []) if one.en < self.least[n] + NEAR]
        # a search that looks at a design twice finds the same
        if new.en < self.least[n] + NEAR and new[1:] not in [one[1:] for one in near]:
            near.append(new)
        self._found[n] = near

    def at(self, n: int) -> list[Three]:
        """Those of n patients that are near the least of n patients or fewer."""
        return [one for one in self._found.get(n, []) if one.en < self.least[n] + NEAR]

    @property
    def sizes(self) -> list[int]:
        """Every n that has some, in order."""
        return [n for n in sorted(self._found) if self.at(n)]
