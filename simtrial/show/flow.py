"""A flow of boxes and arrows: stages from left to right, and below and above each what ends there.

Lengths are inches. The width of a column follows its longest text, so nothing overlaps whatever the numbers are.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.patches import FancyBboxPatch

from simtrial.show.picture import BLACK, Drawing, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_IN_A_ROW = 3
"""Stages side by side; more continue below."""

HEAD, BODY = 10.5, 9.5
"""Sizes of letters: the first line of a box, and everything else."""

LETTER = 0.0088
"""Width of a letter in inches per point of its size: bold digits and wide letters of DejaVu Sans."""

LEAST_LANE = 2.0
"""Least width of a lane, in boxes."""

LINE = 0.185
MARGIN, PAD, GAP, DROP = 0.12, 0.12, 0.24, 0.4
"""Around the figure, around the text of a box, beside the words on an arrow, and the length of an arrow downwards."""


@dataclass(frozen=True, slots=True)
class Box:
    """Lines in a frame, the first in bold letters.

    Attributes
    ----------
    lines : tuple of str
        As they stand below each other.
    colour : str
        Of the frame; the ground is a tint of it.
    notes : tuple of (str, str)
        Further lines, each with the colour of its letters.
    """

    lines: tuple[str, ...]
    colour: str = BLACK
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def height(self) -> float:
        """Inches."""
        return LINE * (len(self.lines) + len(self.notes)) + 0.7 * PAD

    @property
    def width(self) -> float:
        """Inches."""
        head, *body = self.lines
        inner = max([HEAD * len(head), *(BODY * len(line) for line in (*body, *(said for said, _ in self.notes)))])
        return LETTER * inner + 2 * PAD


@dataclass(frozen=True, slots=True)
class Branch:
    """An arrow with its words on two lines, and the box to which it leads."""

    words: tuple[str, str]
    to: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One column of a flow.

    Attributes
    ----------
    box : Box
        In the row of stages.
    low, high : Branch or None
        What ends below it and above it.
    onward : tuple of (str, str) or None
        The words on the arrow to the next stage.
    end : Branch or None
        What stands to the right of the last stage.
    """

    box: Box
    low: Branch | None
    high: Branch | None = None
    onward: tuple[str, str] | None = None
    end: Branch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A rule that applies all along, below the stages.

    Attributes
    ----------
    head, text : str
        Its name, and what it says, which is broken into lines.
    colour : str
        Of its frame.
    end : Branch
        What it leads to, on the right.
    """

    head: str
    text: str
    colour: str
    end: Branch

    def box(self, wide: float) -> Box:
        """Its box, of a width in inches."""
        letters = int((wide - 2 * PAD) / (LETTER * BODY))
        return Box((self.head, *textwrap.wrap(self.text, max(letters, 12))), self.colour)


def draw(stages: Sequence[Stage], lane: Lane | None = None) -> Figure:
    """Draw a flow, in several rows if there are many stages, above a lane if there is one."""
    rows = math.ceil(len(stages) / MOST_IN_A_ROW)
    each = math.ceil(len(stages) / rows)
    parts = [stages[k : k + each] for k in range(0, len(stages), each)]
    boxes = [box for stage in stages for box in (stage.box, *(b.to for b in _branches(stage)))]
    boxes += [] if lane is None else [lane.end.to]
    wide = max(box.width for box in boxes)
    words = [stage.onward or (stage.end.words if stage.end else ("", "")) for stage in stages]
    words += [] if lane is None else [lane.end.words]
    gap = LETTER * BODY * max(len(line) for pair in words for line in pair) + 2 * GAP
    deep = max(stage.box.height for stage in stages)
    heights = [_height(part, deep) for part in parts]
    columns = max(len(part) for part in parts)
    along = columns * wide + (columns - 1) * gap
    if lane is not None:
        along = max(along, LEAST_LANE * wide)  # of a single stage the box would be a tall column of short lines
    own = None if lane is None else lane.box(along)
    deepest = 0.0 if lane is None or own is None else max(own.height, lane.end.to.height)
    below = 0.0 if own is None else DROP + deepest
    across = max((columns + 1) * wide + columns * gap, 0.0 if lane is None else along + gap + wide)
    size = (2 * MARGIN + across, 2 * MARGIN + sum(heights) + GAP * (rows - 1) + below)
    with styled():
        figure = Drawing(figsize=size)
        axis = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axis.set(xlim=(0, size[0]), ylim=(size[1], 0))
        axis.axis("off")
        top, number = MARGIN, 0
        for part, height in zip(parts, heights, strict=True):
            _row(axis, part, top + _above(part, deep), (wide, gap, deep), number)
            top += height + GAP
            number += len(part)
        if lane is not None and own is not None:
            y = size[1] - MARGIN - deepest / 2
            _box(axis, own, (MARGIN + along / 2, y), (along, deepest))
            _onward(axis, lane.end.words, (MARGIN + along, y), gap)
            _box(axis, lane.end.to, (MARGIN + along + gap + wide / 2, y), (wide, lane.end.to.height))
    return figure


def _branches(stage: Stage) -> list[Branch]:
    return [branch for branch in (stage.low, stage.high, stage.end) if branch is not None]


def _above(part: Sequence[Stage], deep: float) -> float:
    """From the top of a row to the middle of its stages, whose boxes are `deep`."""
    high = [deep / 2 + DROP + stage.high.to.height for stage in part if stage.high]
    return max([deep / 2, *_ends(part), *high])


def _height(part: Sequence[Stage], deep: float) -> float:
    """Height of a row."""
    low = [deep / 2 + DROP + stage.low.to.height for stage in part if stage.low]
    return _above(part, deep) + max([deep / 2, *_ends(part), *low])


def _ends(part: Sequence[Stage]) -> list[float]:
    """Half the height of the box that stands to the right, if there is one."""
    return [stage.end.to.height / 2 for stage in part if stage.end]


def _row(axis: Axes, part: Sequence[Stage], y: float, sizes: tuple[float, float, float], before: int) -> None:
    """Draw stages side by side around the height `y`; `before` are already drawn."""
    wide, gap, deep = sizes
    for k, stage in enumerate(part):
        x = MARGIN + k * (wide + gap) + wide / 2
        _box(axis, stage.box, (x, y), (wide, deep))
        for branch, side in ((stage.low, 1), (stage.high, -1)):
            if branch is not None:
                start = y + side * deep / 2
                _arrow(axis, (x, start), (x, start + side * DROP))
                axis.text(
                    x + 0.1, start + side * DROP / 2, " ".join(branch.words), ha="left", va="center", fontsize=BODY
                )
                middle = start + side * (DROP + branch.to.height / 2)
                _box(axis, branch.to, (x, middle), (wide, branch.to.height))
        if stage.onward is None and stage.end is None:
            continue
        words = stage.onward or (stage.end.words if stage.end else ("", ""))
        right = x + wide / 2
        _onward(axis, words, (right, y), gap)
        if stage.end is not None:
            _box(axis, stage.end.to, (x + wide + gap, y), (wide, stage.end.to.height))
        elif k == len(part) - 1:
            said = f"continued below\nwith look {before + k + 2}"
            axis.text(right + gap + 0.05, y, said, ha="left", va="center", fontsize=BODY, style="italic")


def _onward(axis: Axes, words: tuple[str, str], start: tuple[float, float], gap: float) -> None:
    """Draw an arrow to the right with its words above and below it."""
    right, y = start
    _arrow(axis, start, (right + gap, y))
    for line, shift, va in zip(words, (-0.05, 0.05), ("bottom", "top"), strict=True):
        axis.text(right + gap / 2 - 0.04, y + shift, line, ha="center", va=va, fontsize=BODY)


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axis.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": BLACK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    )


def _box(axis: Axes, box: Box, middle: tuple[float, float], size: tuple[float, float]) -> None:
    """Draw a box around its middle."""
    (x, y), (wide, deep) = middle, size
    tint = mpl.colors.to_rgba(box.colour, 0.14 if box.colour != BLACK else 0.03)
    axis.add_patch(
        FancyBboxPatch(
            (x - wide / 2, y - deep / 2),
            wide,
            deep,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=tint,
            edgecolor=box.colour,
            linewidth=1.3,
        )
    )
    head, *body = box.lines
    first = y - LINE * (len(box.lines) + len(box.notes) - 1) / 2
    axis.text(x, first, head, ha="center", va="center_baseline", fontsize=HEAD, fontweight="bold")
    for k, (line, colour) in enumerate([*((line, BLACK) for line in body), *box.notes], start=1):
        axis.text(x, first + k * LINE, line, ha="center", va="center_baseline", fontsize=BODY, color=colour)
