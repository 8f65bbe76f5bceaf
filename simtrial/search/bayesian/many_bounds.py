"""P(reject H0) and EN of many lists of bounds at the same looks, all at once: the recursion of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design.binomial import binomial_pmf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Floats, Ints


FEW = 16
"""Up to as many patients between two looks sums are quicker than a product of matrices."""

BLOCK = 1 << 18
"""Probabilities of each rate that are held at once."""


class Outcomes(NamedTuple):
    """What many lists of bounds attain; arrays of shape (rates, lists)."""

    reject: Floats
    en: Floats


class ManyBounds:
    """The looks and the rates at which lists of bounds are evaluated.

    Parameters
    ----------
    looks_at : sequence of int
        Patients at each look, cumulative.
    rates : sequence of float
        True response rates.
    """

    def __init__(self, looks_at: Sequence[int], rates: Sequence[float]) -> None:
        self.looks_at, self.rates = tuple(looks_at), np.array(rates)
        self.start = binomial_pmf(self.looks_at[0], self.rates)
        self.added = [binomial_pmf(m, self.rates) for m in np.diff(self.looks_at).tolist()]

    def _step(self, k: int, onward: Floats) -> Floats:
        """Probabilities at the look after the k-th, from those of the counts that go on: shape (rates, lists, n)."""
        pmf = self.added[k]
        size, added = onward.shape[-1], pmf.shape[-1] - 1
        if added > FEW:
            band = np.zeros((len(pmf), size, size + added))
            x = np.arange(size)[:, np.newaxis]
            band[:, x, x + np.arange(added + 1)] = pmf[:, np.newaxis]
            product: Floats = onward @ band
            return product
        reached = np.zeros((*onward.shape[:-1], size + added))
        for y in range(added + 1):
            reached[..., y : y + size] += pmf[:, y, np.newaxis, np.newaxis] * onward
        return reached

    def outcomes(self, lower: Ints, upper: Ints | None = None) -> Outcomes:
        """Evaluate lists that stop at X <= lower, and at X >= upper at looks before the last: shape (lists, looks)."""
        parts = 1 + len(lower) * (self.looks_at[-1] + 1) // BLOCK
        if parts > 1:
            at = np.array_split(np.arange(len(lower)), parts)
            some = [self._outcomes(lower[i], None if upper is None else upper[i]) for i in at]
            return Outcomes(*(np.concatenate(one, axis=1) for one in zip(*some, strict=True)))
        return self._outcomes(lower, upper)

    def _outcomes(self, lower: Ints, upper: Ints | None) -> Outcomes:
        last = len(self.looks_at) - 1
        reached = np.repeat(self.start[:, np.newaxis], len(lower), axis=1)
        reject = np.zeros((self.rates.size, len(lower)))
        en = np.full_like(reject, self.looks_at[0])
        for k, n in enumerate(self.looks_at):
            x = np.arange(n + 1)
            beyond = x > lower[:, k, np.newaxis]
            if k == last:
                reject += (reached * beyond).sum(axis=-1)
                break
            if upper is not None:
                effective = x >= upper[:, k, np.newaxis]
                reject += (reached * (effective & beyond)).sum(axis=-1)
                beyond = beyond & ~effective
            onward = reached * beyond
            en += (self.looks_at[k + 1] - n) * onward.sum(axis=-1)
            reached = self._step(k, onward)
        return Outcomes(reject, en)
