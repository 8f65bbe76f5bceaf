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

BESIDE = 1.1 * HIGH * SIZE
"""Points up to which a name is beside its marker; a longer way has a line."""

CLEAR = 7.5
"""Points, the radius of a ring, by which a name is nearer to its own marker than to any other, or else has a line."""

NEAR = 5.0
"""Points around a marker that count as covered with it."""

MOST_TOUCHED = 4
"""Of the markers and places along lines that one line to a point touches, as many as this count."""

UNCLEAR, STUB, FAR, CROSSED = 6.0, 4.0, 2.0, 3.0
"""What it costs, in markers covered, that another marker is as near, that its line is then hardly to be seen,
that a name is farther off, and a crossing.
"""


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

    A name that is not directly beside its point, or that has another named point as near, has a line to its point.

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
    points = (np.array([(one.x, one.y) for one in labels]).reshape(-1, 2) - low) * scale
    taken = np.concatenate([points, (avoid - low) * scale]) if avoid is not None else points
    placed: dict[int, _Place] = {}
    for _ in range(2):  # the first names are placed again when all others have their places
        for k, label in enumerate(labels):
            others = [place for j, place in placed.items() if j != k]
            places = _places(points, k, np.array(label.size), room)
            placed[k] = min(places, key=lambda place: _cost(place, taken, others, room))
    for k, label in enumerate(labels):
        place = placed[k]
        line: dict[str, object] | None = None
        if len(place.leader):
            near = (points[k] - place.box[:2]) / (place.box[2:] - place.box[:2])
            line = {
                "arrowstyle": "-", "color": label.colour, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 4,
                "relpos": tuple(np.clip(near, 0, 1).tolist()),
            }  # fmt: skip
        axis.annotate(
            label.text, (label.x, label.y), xytext=place.shift, textcoords="offset points", ha=place.ha, va=place.va,
            fontsize=SIZE, color=label.colour, arrowprops=line,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a name may stand, in points.

    Attributes
    ----------
    box : ndarray, shape (4,)
        Left, bottom, right, top.
    shift, ha, va
        How matplotlib states it.
    point : ndarray, shape (2,)
        What it names.
    leader : ndarray, shape (places, 2)
        Places along the line from the name to its point; none where the name is beside its point and nearest to it.
    worse : float
        How much worse it is than directly beside its point.
    """

    box: Floats
    shift: tuple[float, float]
    ha: str
    va: str
    point: Floats
    leader: Floats
    worse: float


def _places(points: Floats, k: int, size: Floats, room: Floats) -> Iterator[_Place]:
    """Places for the name of point k, the nearest first, moved into the axes where they reach beyond."""
    sides = {-1: ("right", "top", -1.0), 0: ("center", "center", -0.5), 1: ("left", "bottom", 0.0)}
    point = points[k]
    rivals = points[np.hypot(*(points - point).T) > 1]
    for away in (1.0, 2.0, 3.2, 4.6):
        for across, up in ((0, -1), (0, 1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1)):
            step = AWAY * away * (0.8 if across and up else 1.0)
            (ha, _, left), (_, va, down) = sides[across], sides[up]
            corner = point + step * np.array([across, up]) + size * np.array([left, down])
            moved = np.clip(corner, 0, np.maximum(room - size, 0)) - corner
            box = np.concatenate([corner + moved, corner + moved + size])
            own, others = _apart(box, point[np.newaxis])[0], _apart(box, rivals)
            unclear = bool((others < own + CLEAR).any())
            leader = np.zeros((0, 2))
            if unclear or own > BESIDE:
                leader = np.linspace(np.clip(point, box[:2], box[2:]), point, 12)[:-1]
            shift = float(step * across + moved[0]), float(step * up + moved[1])
            worse = (UNCLEAR + STUB * (own <= BESIDE)) * unclear + FAR * (away - 1)
            yield _Place(box=box, shift=shift, ha=ha, va=va, point=point, leader=leader, worse=worse)


def _apart(box: Floats, points: Floats) -> Floats:
    """Distances of points from a box."""
    apart: Floats = np.hypot(*(points - np.clip(points, box[:2], box[2:])).T)
    return apart


def _within(box: Floats, points: Floats, near: float) -> int:
    """How many points lie in a box or near to it."""
    return int(((points > box[:2] - near) & (points < box[2:] + near)).all(axis=1).sum())


def _cost(place: _Place, taken: Floats, others: Sequence[_Place], room: Floats) -> float:
    """How much a place covers or crosses, of names, points and lines, and how far it is from its point."""
    crossed = sum(_within(other.box, place.leader, 1.0) + _within(place.box, other.leader, 3.0) for other in others)
    if len(place.leader):
        foreign = taken[np.hypot(*(taken - place.point).T) > NEAR]
        touched = np.hypot(*np.moveaxis(foreign - place.leader[:, np.newaxis], -1, 0)) < 4
        crossed += min(int(touched.any(axis=0).sum()), MOST_TOUCHED)
    return _covered(place.box, taken, [other.box for other in others], room) + CROSSED * crossed + place.worse


def _covered(box: Floats, taken: Floats, placed: Sequence[Floats], room: Floats) -> float:
    """How much a box covers: names, points, and what lies outside."""
    names = sum(
        float(max(0.0, min(box[2], b[2]) + 3 - max(box[0], b[0])) * max(0.0, min(box[3], b[3]) + 2 - max(box[1], b[1])))
        for b in placed
    )
    out = max(0.0, -box[0], -box[1], box[2] - room[0], box[3] - room[1])
    return float(_within(box, taken, NEAR) + names + 100 * out)


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


WIDE_INSIDE = 0.52
"""A letter's width within a layer, where a name stands alone and an estimate too large would leave it no place."""

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
        reach = int(WIDE_INSIDE * SIZE * len(name) / wide * len(x) / 2) + 1
        if 2 * reach >= len(x):
            left.append(name)
            continue
        spans = np.lib.stride_tricks.sliding_window_view
        floor, ceiling = spans(lower, 2 * reach + 1).max(axis=1), spans(upper, 2 * reach + 1).min(axis=1)
        middles = x[reach : len(x) - reach]
        crossed = sum((np.abs(middles - value) <= reach * (x[1] - x[0]) for value in avoid), np.zeros(len(middles)))
        room, free = ceiling - floor, crossed == 0
        # beside the lines wherever the name fits there
        fits = free & (room >= LEAST)
        best = int(np.argmax(np.where(fits, room, -1.0) if fits.any() else room))
        if room[best] < LEAST:
            left.append(name)
            continue
        middle = (ceiling[best] + floor[best]) / 2
        behind = None if free[best] else {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}
        axis.text(x[best + reach], middle, name, ha="center", va="center", fontsize=SIZE, bbox=behind)
    return left
