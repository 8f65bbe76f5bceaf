"""How far each assumption, changed alone, moves a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simtrial.conduct.sensitivity import Sensitivity, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """One assumption: the variants of the plan with the smallest and with the largest value of a result.

    Attributes
    ----------
    assumption : str
        Which one.
    low, high : Variant
        The plan itself, with empty settings, where no variant goes beyond it on that side.
    """

    assumption: str
    low: Variant
    high: Variant


def simulated(found: Sensitivity) -> bool:
    """Whether any result is simulated."""
    return any(error > 0 for variant in (found.base, *found.variants) for error in variant.mcse.values())


def moving(found: Sensitivity, name: str) -> list[Extremes]:
    """The assumptions that move a result, by more than 2 Monte Carlo standard errors where it is simulated.

    Parameters
    ----------
    found : Sensitivity
        The plan and its variants.
    name : str
        Of `simtrial.conduct.sensitivity.MEASURES`.
    """
    base = found.base
    groups: dict[str, list[Variant]] = {}
    for variant in found.variants:
        noise = 2 * float(np.hypot(variant.mcse[name], base.mcse[name]))
        if abs(variant.values[name] - base.values[name]) > max(1e-9, noise):
            groups.setdefault(variant.assumption, []).append(variant)
    return [
        Extremes(
            assumption=assumption,
            low=min([base, *variants], key=lambda v: v.values[name]),
            high=max([base, *variants], key=lambda v: v.values[name]),
        )
        for assumption, variants in groups.items()
    ]
