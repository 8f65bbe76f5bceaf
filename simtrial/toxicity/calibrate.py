"""The boundary of a type that crosses as often as allowed: the largest crossing probability within a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.errors import InputError
from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook, crossing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.toxicity.kinds import BoundaryShape


@dataclass(frozen=True, kw_only=True)
class CalibratedBoundary:
    """A boundary, the type it is of, and the parameters that lead to it.

    Attributes
    ----------
    boundary : ToxicityBoundary
        The counts.
    shape : BoundaryShape
        The type.
    limit : float
        The crossing probability that was allowed at the acceptable rate.
    attained : float
        The crossing probability there.
    parameter : tuple of float
        The interval of the type's parameter that leads to this boundary, from the smaller number to the larger.
    """

    boundary: ToxicityBoundary
    shape: BoundaryShape
    limit: float
    attained: float
    parameter: tuple[float, float]


def calibrated(shape: BoundaryShape, looks_at: Sequence[int], limit: float) -> CalibratedBoundary:
    """The boundary of a type with the largest crossing probability at the acceptable rate that is within the limit.

    Parameters
    ----------
    shape : BoundaryShape
        The type.
    looks_at : sequence of int
        Patients at the looks, increasing.
    limit : float
        Largest crossing probability at the acceptable rate.

    Raises
    ------
    InputError
        If even the boundary that stops least crosses more often.
    """
    last = looks_at[-1]
    evidence = [shape.evidence(np.arange(1, n + 1), np.full(n, n), last) for n in looks_at]
    attained = np.unique(np.concatenate(evidence))[::-1]  # the first stops least

    def at(k: int) -> ToxicityBoundary:
        looks = []
        for n, row in zip(looks_at, evidence, strict=True):
            b = int(np.argmax(row >= attained[k])) + 1
            looks.append(ToxicityLook(n, b if row[-1] >= attained[k] else None))
        return ToxicityBoundary(tuple(looks))

    low, high = -1, len(attained)
    while high - low > 1:
        middle = (low + high) // 2
        if crossing(at(middle), [shape.rate]).ever[0] <= limit:
            low = middle
        else:
            high = middle
    if low < 0:
        raise InputError(f"({limit:g}) is below what any boundary of this type crosses at these looks", "crossing")
    found = at(low)
    ends = (float(attained[low]), float(attained[low + 1]) if low + 1 < len(attained) else -np.inf)
    return CalibratedBoundary(
        boundary=found,
        shape=shape,
        limit=limit,
        attained=float(crossing(found, [shape.rate]).ever[0]),
        parameter=(min(map(abs, ends)), max(map(abs, ends))),
    )
