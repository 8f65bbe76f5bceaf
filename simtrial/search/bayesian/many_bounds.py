"""P(reject H0) and EN of many lists of bounds at the same looks, all at once: the recursion of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.design.binomial import binomial_pmf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.numbers import Floats, Ints


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
        self.steps: list[Floats] = []
        for before, now in zip(self.looks_at[:-1], self.looks_at[1:], strict=True):
            step = np.zeros((self.rates.size, before + 1, now + 1))
            x, y = np.arange(before + 1)[:, np.newaxis], np.arange(now - before + 1)
            step[:, x, x + y] = binomial_pmf(now - before, self.rates)[:, np.newaxis]
            self.steps.append(step)

    def outcomes(self, lower: Ints, upper: Ints | None = None) -> Outcomes:
        """Evaluate lists that stop at X <= lower, and at X >= upper at looks before the last: shape (lists, looks)."""
        last = len(self.looks_at) - 1
        reached = np.broadcast_to(self.start[:, np.newaxis], (self.rates.size, len(lower), self.looks_at[0] + 1))
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
                reject += (reached * effective).sum(axis=-1)
                beyond = beyond & ~effective
            onward = reached * beyond
            en += (self.looks_at[k + 1] - n) * onward.sum(axis=-1)
            reached = onward @ self.steps[k]
        return Outcomes(reject, en)
