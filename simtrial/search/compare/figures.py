"""The picture of what other families of designs would give: EN(p1) against EN(p0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.exact import operating_characteristics
from simtrial.search.figures import ink
from simtrial.search.wording import limits
from simtrial.show import inks
from simtrial.show.picture import Picture, canvas, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search import TwoStageSearch
    from simtrial.search.compare.alternatives import Alternative

PALE = "#999999"
MARKERS = "osD^vPX"
"""One per criterion of a family that is searched on request; the colour is that of the family."""


def families(found: Sequence[Alternative], two: TwoStageSearch, chosen: Design) -> Picture:
    """EN(p1) against EN(p0) of the best designs of each family, with Simon's frontier behind them."""
    figure, (axis,) = canvas(1, 7.6, 6.0)
    asked = two.requirements
    behind = np.array([(c.en_p0, c.en_p1) for c in two.frontier])
    points = _points(found, asked)
    if all(design.looks != chosen.looks for *_, design in points):
        place = operating_characteristics(chosen, [asked.p0, asked.p1]).en.tolist()
        shown = inks.DESIGNS[inks.CHOSEN]
        points.append(("chosen", (place[0], place[1]), (shown.colour, shown.marker), chosen))
    with styled():
        axis.plot(behind[:, 0], behind[:, 1], "-", color=PALE, linewidth=1.2, zorder=1)
        axis.plot(behind[:, 0], behind[:, 1], ".", color=PALE, markersize=5, zorder=1)
        for name, place, (colour, marker), design in points:
            axis.plot(*place, marker, color=colour, markersize=8, label=name, linestyle="none", alpha=0.85)
            if design.looks == chosen.looks:
                inks.ring(axis, *place)
        axis.margins(x=0.08, y=0.08)
        axis.set_xlabel(f"Expected sample size at p0 = {asked.p0:g}, EN(p0)")
        axis.set_ylabel(f"Expected sample size at p1 = {asked.p1:g}, EN(p1)")
        figure.legend(loc="outside lower center", ncols=2, fontsize=8.5)
    said = "; ".join(f"{name}: EN(p0) {place[0]:.1f}, EN(p1) {place[1]:.1f}" for name, place, _, _ in points)
    alt = f"Expected sample size at p1 against that at p0, by family of designs. {said}."
    caption = (
        f"Expected sample sizes of the best designs of each family for {limits(asked)}: the further to the left and to "
        "the bottom, the fewer patients. Grey: two-stage designs without a stop for efficacy with the lowest EN(p0) of "
        "all with at most n patients. Ring: the chosen design. All values are exact."
    )
    return Picture("families", alt, figure, caption)


Point = tuple[str, tuple[float, float], tuple[str, str], "Design"]
"""Names, place, colour with marker, and the design."""


def _points(found: Sequence[Alternative], asked: Requirements) -> list[Point]:
    """Each design once, with all its names, in the order of the register."""
    points: dict[object, Point] = {}
    for one in found:
        if one.result is None:
            continue
        best = one.result.best
        known = points.get(best.looks)
        if known is not None:
            points[best.looks] = (f"{known[0]}, {one.criterion.name}", *known[1:])
            continue
        place = [criterion.key for criterion in one.family.criteria].index(one.criterion.key)
        shown = ink(one.criterion.key)
        marker = MARKERS[place % len(MARKERS)] if one.family.on_request else shown.marker
        en_p0, en_p1 = operating_characteristics(best, [asked.p0, asked.p1]).en.tolist()
        points[best.looks] = (one.criterion.name, (en_p0, en_p1), (shown.colour, marker), best)
    return list(points.values())
