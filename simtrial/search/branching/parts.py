"""Parts of tables, what the rows ahead add at least, and which parts lose against others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.search.branching.linear import LimitPrices, Weights, terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.search.branching.choices import Choices

GRID = 256
"""Quantiles of error and of power on which parts are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledRows:
    """Parts of tables: rows 0..x-1 are filled; arrays of shape (parts,), `picks` with a column per row.

    Attributes
    ----------
    value, error, power : ndarray
        What the filled rows add to the value, to the type I error and to the power.
    last : ndarray of int
        Place of the conditional error that the next row must not fall below.
    picks : ndarray of int
        The choices taken.
    """

    value: Floats
    error: Floats
    power: Floats
    last: Ints
    picks: Ints

    def take(self, which: Ints | Bools) -> FilledRows:
        """Some of them."""
        return FilledRows(**{name: getattr(self, name)[which] for name in self.__slots__})

    def __len__(self) -> int:
        return self.value.size


class Ahead:
    """The bound at one pair of prices: for every row, the least over the rows from there on, by the place reached.

    Parameters
    ----------
    weights : Weights
        Of the rows ahead.
    choices : Choices
        What may follow each.
    at : LimitPrices
        The prices.
    """

    def __init__(self, weights: Weights, choices: Choices, at: LimitPrices) -> None:
        self.at, self.terms = at, terms(weights, choices, at.error, at.power)
        rows, places = self.terms.shape[0], int(choices.rank.max()) + 1
        self.least = np.zeros((rows + 1, places))
        order = np.argsort(choices.rank, kind="stable")
        starts = np.searchsorted(choices.rank[order], np.arange(places))
        filled = np.append(np.diff(starts), choices.rank.size - starts[-1]) > 0
        for row in range(rows - 1, -1, -1):
            through = self.terms[row] + self.least[row + 1, choices.leaves]
            by_place = np.full(places, np.inf)
            by_place[filled] = np.minimum.reduceat(through[order], starts[filled])
            self.least[row] = np.minimum.accumulate(by_place[::-1])[::-1]

    def of(self, parts: FilledRows, row: int) -> Floats:
        """What the parts and the rows from one on add up to, at these prices."""
        spent = parts.value + self.at.error * parts.error - self.at.power * parts.power
        whole: Floats = spent + self.least[row, parts.last]
        return whole


def joined(parts: Sequence[FilledRows]) -> FilledRows:
    """All of these parts."""
    return FilledRows(**{name: np.concatenate([getattr(one, name) for one in parts]) for name in FilledRows.__slots__})


def not_beaten(parts: FilledRows) -> Bools:
    """Which parts no other is found to beat in value, error, power and place."""
    apart = 1e-13
    at = np.linspace(0, 1, GRID)
    cell, corner = [], []
    for one in (parts.error, -parts.power):
        edges = np.unique(np.quantile(one, at))
        corner.append(np.searchsorted(edges, one + apart))  # the first edge that is surely not below it
        cell.append(np.searchsorted(edges, one, side="right") - 1)  # the last edge that is not above it
    least = np.full((GRID + 1, GRID + 1), np.inf)
    left = np.ones(len(parts), dtype=np.bool_)
    order = np.argsort(parts.last, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(parts.last[order])) + 1):
        np.minimum.at(least, (corner[0][group], corner[1][group]), parts.value[group] + apart)
        least = np.minimum.accumulate(np.minimum.accumulate(least, axis=0), axis=1)
        left[group] = least[cell[0][group], cell[1][group]] > parts.value[group]
    return left
