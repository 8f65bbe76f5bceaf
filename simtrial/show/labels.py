"""Names written beside points and lines, where they lie on nothing.

Places are tried one after the other around each point; the one that covers least is taken. Sizes are estimated from
numbers of letters, so that nothing has to be drawn to find them, and the bytes of a figure stay the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.show.picture import BLACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

    from simtrial.numbers import Floats

SIZE = 8.5
WIDE, HIGH = 0.6, 1.2
"""A letter's width and a line's height, as shares of the size of letters."""

INSIDE = 0.84, 0.78
"""What axes have of the width and height of their figure, rather too little than too much."""

AWAY = 9.0
"""Points from a marker to its name."""


@dataclass(frozen=True, slots=True)
class Label:
    """A name for one point."""

    x: float
    y: float
    text: str
    colour: str = BLACK

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        lines = self.text.split("\n")
        return WIDE * SIZE * max(map(len, lines)), HIGH * SIZE * len(lines)


def write(axis: Axes, labels: Sequence[Label], avoid: Floats | None = None) -> None:
    """Write names beside their points within axes whose limits are set.

    Parameters
    ----------
    axis : Axes
        Alone in its figure, or beside others of the same width.
    labels : sequence of Label
        The most important first.
    avoid : ndarray, shape (points, 2), optional
        What else is not to be covered: markers without names, places along lines.
    """
    room = np.array(axis.figure.get_size_inches()) * 72 * INSIDE  # type: ignore[union-attr]  # a figure has a size
    room[0] /= len(axis.figure.axes)
    low = np.array([axis.get_xlim()[0], axis.get_ylim()[0]])
    scale = room / (np.array([axis.get_xlim()[1], axis.get_ylim()[1]]) - low)
    points = np.array([(one.x, one.y) for one in labels])
    taken = (np.concatenate([points, avoid]) if avoid is not None else points) - low
    taken = taken * scale
    placed: list[Floats] = []
    for label, point in zip(labels, (points - low) * scale, strict=True):
        least: tuple[float, int] | None = None
        places = list(_places(point, np.array(label.size)))
        for k, (box, _, _, _) in enumerate(places):
            cost = _covered(box, taken, placed, room)
            if least is None or cost < least[0]:
                least = cost, k
        box, shift, ha, va = places[least[1] if least else 0]
        placed.append(box)
        axis.annotate(
            label.text, (label.x, label.y), xytext=shift, textcoords="offset points", ha=ha, va=va, fontsize=SIZE,
            color=label.colour,
        )  # fmt: skip


def _places(point: Floats, size: Floats) -> Iterator[tuple[Floats, tuple[float, float], str, str]]:
    """Boxes around a point, (left, bottom, right, top) in points, and how matplotlib is told of each."""
    sides = {-1: ("right", "top", -1.0), 0: ("center", "center", -0.5), 1: ("left", "bottom", 0.0)}
    for away in (1.0, 2.0, 3.2):
        for across, up in ((0, -1), (0, 1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1)):
            step = AWAY * away * (0.8 if across and up else 1.0)
            shift = np.array([across * step, up * step])
            (ha, _, left), (_, va, down) = sides[across], sides[up]
            corner = point + shift + size * np.array([left, down])
            yield np.concatenate([corner, corner + size]), (float(shift[0]), float(shift[1])), ha, va


def _covered(box: Floats, taken: Floats, placed: Sequence[Floats], room: Floats) -> float:
    """How much a box covers: names, points, and what lies outside."""
    near = 5.0
    inside = (
        (taken[:, 0] > box[0] - near)
        & (taken[:, 0] < box[2] + near)
        & (taken[:, 1] > box[1] - near)
        & (taken[:, 1] < box[3] + near)
    )
    names = sum(
        float(max(0.0, min(box[2], b[2]) + 3 - max(box[0], b[0])) * max(0.0, min(box[3], b[3]) + 2 - max(box[1], b[1])))
        for b in placed
    )
    out = max(0.0, -box[0], -box[1], box[2] - room[0], box[3] - room[1])
    return float(inside.sum() + names + 100 * out)


def above(axis: Axes, names: Sequence[tuple[float, str, str]]) -> None:
    """Write names above an axis whose limits are set, each over its place, in as many rows as keep them apart.

    Parameters
    ----------
    axis : Axes
        Alone in its figure.
    names : sequence of (float, str, str)
        Places along x, names, and colours; several lines of a name stand below each other.
    """
    low, high = axis.get_xlim()
    room = float(axis.figure.get_size_inches()[0]) * 72 * INSIDE[0]  # type: ignore[union-attr]  # a figure has a size
    rows: list[list[tuple[float, float, int]]] = []
    for x, name, colour in sorted(names):
        wide, at = Label(x, 0.0, name).size[0], (x - low) / (high - low) * room
        left = min(max(at - wide / 2, 0.0), max(room - wide, 0.0))
        k = next(
            (k for k, row in enumerate(rows) if all(left > b + 6 or left + wide < a - 6 for a, b, _ in row)), len(rows)
        )
        if k == len(rows):
            rows.append([])
        rows[k].append((left, left + wide, name.count("\n") + 1))
        below = sum(max(lines for _, _, lines in row) for row in rows[:k])
        side = "center" if abs(left - (at - wide / 2)) < 1 else "left" if at < room / 2 else "right"
        axis.annotate(
            name, (x, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2 + HIGH * SIZE * below),
            textcoords="offset points", ha=side, va="bottom", fontsize=SIZE, color=colour, linespacing=HIGH,
        )  # fmt: skip


LEAST = 0.07
"""Height that a name needs within a layer, as a share of its axis."""


def write_inside(axis: Axes, x: Floats, layers: Sequence[tuple[str, Floats]], avoid: Sequence[float] = ()) -> list[str]:
    """Write names into the layers of a stacked picture, where they are highest; the names that find no room.

    Parameters
    ----------
    axis : Axes
        From 0 to 1 upwards.
    x : ndarray, shape (points,)
        Evenly spaced, from one side of the axis to the other.
    layers : sequence of (str, ndarray)
        Names and heights, from the bottom up.
    avoid : sequence of float
        Values of x at which something is drawn across, which a name is not to touch if it can be helped.
    """
    left = []
    upper = np.zeros(len(x))
    wide = axis.figure.get_size_inches()[0] * 72 * INSIDE[0]  # type: ignore[union-attr]  # a figure has a size
    for name, height in layers:
        lower, upper = upper, upper + height
        reach = int(WIDE * SIZE * len(name) / wide * len(x) / 2) + 1
        if 2 * reach >= len(x):
            left.append(name)
            continue
        spans = np.lib.stride_tricks.sliding_window_view
        floor, ceiling = spans(lower, 2 * reach + 1).max(axis=1), spans(upper, 2 * reach + 1).min(axis=1)
        middles = x[reach : len(x) - reach]
        crossed = sum(
            (np.abs(middles - value) <= (reach + 1) * (x[1] - x[0]) for value in avoid), np.zeros(len(middles))
        )
        best = int(np.argmax(ceiling - floor - 0.2 * (crossed > 0)))
        if ceiling[best] - floor[best] < LEAST:
            left.append(name)
            continue
        middle = (ceiling[best] + floor[best]) / 2
        axis.text(x[best + reach], middle, name, ha="center", va="center", fontsize=SIZE)
    return left
