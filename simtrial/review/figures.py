"""A map of the patients that three methods need over p0 and the difference p1 - p0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial.phrases import agreeing, counted, listed, stated
from simtrial.review.needed import METHODS, STEPS, over_rates
from simtrial.show.passage import Passage
from simtrial.show.picture import BLACK, RED, Picture, canvas, few_ticks, percent_ticks, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats

APART = np.arange(4, 17)
"""Places of the grid from p0 to p1: a difference of 10% to 40%."""


def map_of_n(requirements: Requirements, n: int) -> Picture | Passage:
    """Patients that three methods need over p0 and p1 - p0, at the alpha and power given, as contours; n itself in red,
    with dots where exactly n are needed. In words if n is needed nowhere.
    """
    grids = over_rates(requirements, n)
    most = int(np.nanmax(grids))
    errors = f"one-sided alpha {requirements.alpha:g} and power {requirements.power:g}"
    if n > most:
        said = (
            f"At {errors} none of three methods ({', '.join(METHODS)}) needs {counted(n, 'patient')} for a p0 and p1 "
            f"that are 10% to 40% apart; their largest number is {most}."
        )
        return Passage("map", (said,))
    figure, axes = canvas(3, 11.0, 4.2, share_y=True)
    rates, differences, least = STEPS[: len(STEPS) - APART[0]], STEPS[APART] - STEPS[0], float(np.nanmin(grids))
    around = sorted({*(round(n * factor) for factor in (0.4, 0.6, 1.6, 2.5)), n})
    levels = [level for level in around if least < level < most]
    here = requirements.p0, requirements.p1 - requirements.p0
    inside = rates[0] <= here[0] <= rates[-1] and 0.0999 < here[1] < 0.4001
    with styled():
        for axis, name, grid in zip(axes, METHODS, grids, strict=True):
            places = np.array(
                [[grid[i, i + k] if i + k < len(STEPS) else np.nan for k in APART] for i in range(len(rates))]
            )
            _contours(axis, rates, differences, places.T, levels, n)
            if inside:
                axis.plot(*here, "*", color=BLACK, markersize=11, markeredgecolor="white", clip_on=False)
            axis.set_title(name, fontsize=10)
            axis.set_xlabel("p0")
            axis.set_xlim(rates[0], rates[-1])
            axis.set_ylim(differences[0], differences[-1])
            few_ticks(axis.xaxis)
            percent_ticks(axis.xaxis)
            percent_ticks(axis.yaxis)
        axes[0].set_ylabel("Difference p1 - p0")
        # the layout moves a little each time it is computed; once is enough, and gives the same bytes every time
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    hits = [int(np.nansum(grid == n)) for grid in grids]
    where = listed([str(hit) for hit in hits])
    alt = (
        "Patients needed over p0 and p1, which are 10% to 40% apart. Places of the grid that need exactly "
        f"{counted(n, 'patient')}: {where} in the three panels."
    )
    caption = (
        f"Patients needed over p0 and the difference p1 - p0, at {errors}, by {listed(METHODS)}: contours of the "
        f"number of patients on a grid of steps of 2.5%. Red line: {counted(n, 'patient')}; red dots: places where "
        f"exactly {n} {agreeing(n, 'is', 'are')} needed."
    )
    caption += f" Star: p0 = {stated(requirements.p0)}, p1 = {stated(requirements.p1)}." if inside else ""
    return Picture("map", alt, figure, caption)


def _contours(axis: Axes, x: Floats, y: Floats, grid: Floats, levels: list[int], n: int) -> None:
    """Draw the contours of a grid, shape (y, x), with their numbers, and its places that are exactly n."""
    inside = [level for level in levels if (grid < level).any() and (grid > level).any()]
    if inside:  # matplotlib warns of a contour that is nowhere
        colours = [RED if level == n else "#777777" for level in inside]
        lines = axis.contour(
            x, y, grid, levels=inside, colors=colours, linewidths=[2.0 if c == RED else 1.0 for c in colours]
        )
        for text in axis.clabel(lines, fmt="%d", fontsize=8.5, inline=False):
            place = (np.array(text.get_position()) - (x[0], y[0])) / (x[-1] - x[0], y[-1] - y[0])
            if (place < 0.04).any() or (place > 0.96).any():
                text.set_visible(False)  # it would be cut off
            text.set(bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8}, clip_on=True, in_layout=False)
    up, across = np.nonzero(grid == n)
    if up.size:  # a line of no points that is not clipped would take room in the corner
        axis.plot(x[across], y[up], "o", color=RED, markersize=4, clip_on=False)
