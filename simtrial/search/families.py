"""The register of design families: one line each.

A family is a module of this package that ends with its `Family`. Everything made of looks with lower and upper bounds
is evaluated by `simtrial.design.exact` and run by `simtrial.conduct.engine` as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.search import (
    best_bounds,
    chang,
    curtailed,
    efficacy,
    ensign,
    fleming,
    simon,
    single,
    three_stage,
)
from simtrial.search.adaptive import family as adaptive
from simtrial.search.bayesian import bop2, lee_liu, thall_simon_search
from simtrial.search.calendar import CALENDAR

if TYPE_CHECKING:
    from simtrial.search.record import AnyFamily


def registered(*families: AnyFamily) -> dict[str, AnyFamily]:
    """Families by their keys, each of which stands once, as every criterion does, those of the calendar included."""
    for what, keys in (
        ("family", [family.key for family in families]),
        ("criterion", [*CALENDAR, *(criterion.key for family in families for criterion in family.criteria)]),
    ):
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"the key of a {what} is taken: {', '.join(sorted(twice))}")
    return {family.key: family for family in families}


FAMILIES: dict[str, AnyFamily] = registered(
    simon.FAMILY,
    single.FAMILY,
    efficacy.FAMILY,
    three_stage.FAMILY,
    ensign.FAMILY,
    fleming.FAMILY,
    chang.FAMILY,
    curtailed.FAMILY,
    best_bounds.FAMILY,
    lee_liu.FAMILY,
    bop2.FAMILY,
    thall_simon_search.FAMILY,
    adaptive.FAMILY,
)
"""The families that are known, in the order in which they are offered."""

COMPARED = (simon.FAMILY.key, single.FAMILY.key)
"""The families whose designs and proofs stand beside every chosen design; what else there is stands where it is asked
for."""


def others() -> list[AnyFamily]:
    """The families beside those that are always compared, which are searched without being asked for."""
    return [family for key, family in FAMILIES.items() if key not in COMPARED and not family.on_request]
