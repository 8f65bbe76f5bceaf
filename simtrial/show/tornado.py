"""Tornado panels: how far each assumption moves a result, a bar each, the longest on top, settings at the ends."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from simtrial.show.picture import BLACK, BLUE, ORANGE, Drawing, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 11.0
BAR = 0.36
"""Inches from one bar to the next."""

LETTER, SIZE = 0.6, 7.5
"""Width of a letter as a share of its size, and the size of settings in points."""

LONGEST = 16
"""Letters of a setting on one line."""

NAME = 8.5
"""Size of the names of assumptions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """One assumption: the smallest and the largest result that it gives, and with which setting each.

    Attributes
    ----------
    name : str
        The assumption.
    low, high : float
        Results; that of the plan lies between them, or is one of them.
    low_setting, high_setting : str
        Empty where the result is that of the plan.
    """

    name: str
    low: float
    high: float
    low_setting: str
    high_setting: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One result: its title, its value as planned, and what moves it."""

    title: str
    base: float
    ranges: tuple[Range, ...]


def draw(panels: Sequence[Panel]) -> Figure:
    """Draw panels two beside each other; without any, say so."""
    if not panels:
        with styled():
            figure = Drawing(figsize=(7.0, 0.8))
            figure.text(0.5, 0.5, "No assumption changes any of these results.", ha="center", va="center")
        return figure
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    deep = [max(len(panel.ranges) for panel in panels[k * columns : (k + 1) * columns]) for k in range(rows)]
    with styled():
        figure = Drawing(
            figsize=(WIDTH if columns > 1 else 7.0, sum(BAR * d + 0.75 for d in deep)), layout="constrained"
        )
        ratios = [BAR * d + 0.1 for d in deep]
        axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw={"height_ratios": ratios}).ravel()
        # the names of a column take the room of its longest one
        names = LETTER * NAME * max(len(one.name) for panel in panels for one in panel.ranges) / 72
        for axis, panel, rows_there in zip(axes, panels, np.repeat(deep, columns), strict=False):
            _panel(axis, panel, rows_there, max((WIDTH / 2 if columns > 1 else 7.0) - 0.4 - names, 0.8))
        for axis in axes[len(panels) :]:
            axis.axis("off")
    return figure


def _panel(axis: Axes, panel: Panel, places: int, width: float) -> None:
    """Draw the bars of one result, their settings at the ends."""
    ranges = sorted(panel.ranges, key=lambda r: max(panel.base - r.low, r.high - panel.base))
    top = places - len(ranges)
    said = [(_wrapped(r.low_setting), _wrapped(r.high_setting)) for r in ranges]
    for y, (one, (low, high)) in enumerate(zip(ranges, said, strict=True), start=top):
        axis.barh(y, one.low - panel.base, left=panel.base, color=ORANGE, height=0.55)
        axis.barh(y, one.high - panel.base, left=panel.base, color=BLUE, height=0.55)
        for x, text, shift, side in ((one.low, low, -3, "right"), (one.high, high, 3, "left")):
            axis.annotate(
                text, (x, y), xytext=(shift, 0), textcoords="offset points", ha=side, va="center", fontsize=SIZE,
                linespacing=0.95,
            )  # fmt: skip
    axis.vlines(panel.base, top - 0.6, places - 0.4, color=BLACK, linewidth=1)
    axis.set_yticks(range(top, places), [one.name for one in ranges], fontsize=NAME)
    axis.set_ylim(-0.6, places - 0.4)
    # a panel with fewer bars than its neighbour ends below the last of them
    axis.spines["bottom"].set_position(("data", top - 0.6))
    axis.spines["left"].set_bounds(top - 0.6, places - 0.4)
    axis.tick_params(axis="x", labelsize=8)
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False)
    axis.set_title(panel.title, fontsize=9.5, loc="left")
    axis.set_xlim(*_limits(panel.base, ranges, said, width))
    axis.xaxis.set_major_locator(MaxNLocator(4))


def _limits(base: float, ranges: Sequence[Range], said: Sequence[tuple[str, str]], width: float) -> tuple[float, float]:
    """The narrowest limits that hold every bar with its settings on axes of some width in inches."""
    out = np.array([[base - one.low, one.high - base] for one in ranges])
    wide = np.array([[_inches(low), _inches(high)] for low, high in said])
    per_inch = 0.0
    for _ in range(40):  # grows to its limit: as long as settings take less than the width, they are a share of it
        left, right = (out + per_inch * wide).max(axis=0)
        per_inch = float(left + right) / max(width, 1.2 * float(wide.max(axis=0).sum()))
    return base - float(left), base + float(right)


def _wrapped(setting: str) -> str:
    """A setting on as many lines as it needs."""
    return "\n".join(textwrap.wrap(setting, LONGEST))


def _inches(setting: str) -> float:
    """Width of a setting, with the room around it."""
    return LETTER * SIZE * max((len(line) for line in setting.split("\n")), default=0) / 72 + 0.12
