"""A map of the patients that three methods need over p0 and p1."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap

from simtrial.review.needed import METHODS, STEPS, over_rates
from simtrial.show.passage import Passage
from simtrial.show.picture import RED, STYLE, Picture, canvas

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements


def map_of_n(requirements: Requirements, n: int) -> Picture | Passage:
    """Patients that three methods need over p0 and p1, at the alpha and power given; n itself in red,
    with its contour between the places of the grid. In words if nowhere so many are needed.
    """
    grids = over_rates(requirements, n)
    most = int(np.nanmax(grids))
    if n > most:
        errors = f"one-sided alpha {requirements.alpha:g} and power {requirements.power:g}"
        methods = ", ".join(METHODS)
        said = (
            f"At {errors} none of three methods ({methods}) needs {n} patients for a p0 and p1 that are .1 to .4 "
            f"apart; their largest number is {most}."
        )
        return Passage("map", (said,))
    around = (0, n // 2, round(0.75 * n), n - 2, n + 3, round(1.5 * n), 2 * n, 4 * n, 100 * n)
    edges = sorted({n - 0.5, n + 0.5, *(edge for edge in around if edge >= 0 and edge != n)})
    figure, axes = canvas(3, 11.0, 3.9, share_y=True)
    colours = mpl.colormaps["viridis"](np.linspace(0.05, 0.95, len(edges) - 1))
    here = next(k for k, (a, b) in enumerate(pairwise(edges)) if a < n < b)
    colours[here] = mpl.colors.to_rgba(RED)
    with mpl.rc_context(STYLE):
        for axis, name, grid in zip(axes, METHODS, grids, strict=True):
            norm = BoundaryNorm(edges, len(edges) - 1)
            mesh = axis.pcolormesh(STEPS, STEPS, grid.T, cmap=ListedColormap(colours), norm=norm, shading="nearest")
            # matplotlib warns of a contour that is nowhere
            if (grid <= n).any() and (grid >= n).any():
                axis.contour(STEPS, STEPS, grid.T, levels=[n], colors=[RED], linewidths=1.2)
            axis.set_title(name, fontsize=10)
            axis.set_xlabel("p0")
            axis.set_xlim(0, 0.9)
        axes[0].set_ylabel("p1")
        bar = figure.colorbar(mesh, ax=axes, ticks=edges[:-1], format="%g")
        bar.set_label(f"patients needed; {n} and its contour in red", fontsize=9)
        said = f"alpha {requirements.alpha:g}, power {requirements.power:g}; computed where p1 - p0 is from .1 to .4"
        figure.suptitle(said, fontsize=10)
        # the layout moves a little each time it is computed; once is enough, and gives the same bytes every time
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    hits = [int(np.nansum(grid == n)) for grid in grids]
    alt = (
        f"Patients needed over p0 and p1, which are .1 to .4 apart; exactly {n} at {hits[0]}, {hits[1]} and {hits[2]} "
        "places of the grid."
    )
    return Picture("map", alt, figure)
