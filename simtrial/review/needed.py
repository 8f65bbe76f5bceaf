"""Patients that three methods need over p0 and p1, at one alpha and power."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.requirements import Requirements
from simtrial.review import reach
from simtrial.search.formulas import approximate
from simtrial.search.simon import MINIMAX
from simtrial.search.single import FIRST

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = np.round(np.arange(0.05, 0.96, 0.025), 3)
"""Values of p0 and of p1."""

METHODS = (FIRST.name, MINIMAX.name, "Fleming's formula")


def over_rates(requirements: Requirements, n: int) -> NDArray[np.float64]:
    """Patients by method, p0 and p1, where p1 - p0 is from .1 to .4; NaN where there is no answer.

    Two-stage designs are searched only where a single stage needs fewer than 4 n patients: far larger ones only take
    time.
    """
    grids = np.full((len(METHODS), len(STEPS), len(STEPS)), np.nan)
    for i, p0 in enumerate(STEPS):
        for j, p1 in enumerate(STEPS):
            if not 0.09 < p1 - p0 < 0.41:
                continue
            asked = Requirements(float(p0), float(p1), requirements.alpha, requirements.power)
            grids[2, i, j] = approximate(asked)[0].n
            single = reach.single_stage(asked)  # most of them were searched for the routes
            if single is None:
                continue
            grids[0, i, j] = single.first.n
            if single.first.n < 4 * n:
                two = reach.two_stage(asked)
                grids[1, i, j] = np.nan if two is None else two.minimax.n
    return grids
