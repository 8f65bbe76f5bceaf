"""How estimates and intervals behave in the long run: sums over the endings, at any true response rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from simtrial.analysis.inference import Inference
    from simtrial.numbers import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """How estimates and intervals do in the long run, exactly; arrays of shape (rates,).

    Attributes
    ----------
    p : ndarray
        True response rates.
    bias, mse : dict of str to ndarray
        Of each estimate; those of the UMVCUE given that the trial went beyond its first look.
    coverage : dict of str to ndarray
        P(interval holds p).
    above, below : dict of str to ndarray
        P(upper limit < p), and P(lower limit > p).
    """

    p: Floats
    bias: dict[str, Floats]
    mse: dict[str, Floats]
    coverage: dict[str, Floats]
    above: dict[str, Floats]
    below: dict[str, Floats]


def properties(inference: Inference, p: ArrayLike) -> Properties:
    """Bias and mean squared error of the estimates, and coverage of the intervals, as sums over the endings."""
    rates = np.atleast_1d(np.asarray(p, dtype=np.float64))
    chance = inference.endings.probability(rates)
    bias, mse = {}, {}
    for name, values in inference.estimates.items():
        there = ~np.isnan(values)
        whole = chance[:, there].sum(axis=-1, keepdims=True)
        # at p = 0 a trial may never go on: then the UMVCUE has no mean
        weight = np.divide(chance[:, there], whole, out=np.full(chance[:, there].shape, np.nan), where=whole > 0)
        error = values[there] - rates[:, np.newaxis]
        bias[name], mse[name] = (weight * error).sum(axis=-1), (weight * error**2).sum(axis=-1)
    missed: dict[str, dict[str, Floats]] = {"coverage": {}, "above": {}, "below": {}}
    for name, limits in inference.intervals.items():
        over, under = limits[:, 1] < rates[:, np.newaxis], limits[:, 0] > rates[:, np.newaxis]
        empty = np.isnan(limits).any(axis=-1)
        missed["above"][name] = (chance * over).sum(axis=-1)
        missed["below"][name] = (chance * under).sum(axis=-1)
        missed["coverage"][name] = (chance * ~(over | under | empty)).sum(axis=-1)
    return Properties(p=rates, bias=bias, mse=mse, **missed)
