"""Where the texts of a figure lie: for tests that none is cut off and none lies on another."""

from itertools import combinations

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from simtrial.show.picture import STYLE

ROOM = 0.5
"""Pixels: letters are placed on whole ones."""


def texts(figure):
    """Texts of a figure as (text, extent in pixels)."""
    with mpl.rc_context(STYLE):
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw_without_rendering()
        hidden = {id(text) for axes in figure.axes for text in _not_drawn(axes)}
        shown = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
        # an annotation's own extent would hold its arrow and what it points to
        return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in shown if id(text) not in hidden]


def _not_drawn(axes):
    """Labels of ticks that matplotlib keeps but does not draw: beyond the limits, or of an axis switched off."""
    for axis in (axes.xaxis, axes.yaxis):
        shown = set(axis._update_ticks()) if axes.axison else set()
        for tick in (*axis.majorTicks, *axis.minorTicks):
            if tick not in shown:
                yield from (tick.label1, tick.label2)


def overlapping(figure):
    """Pairs of texts that lie on each other by more than half a pixel."""
    return _pairs(texts(figure))


def cut_off(figure):
    """Texts that reach beyond their figure by more than half a pixel."""
    return _beyond(figure, texts(figure))


def unreadable(figure):
    """Both, from one drawing."""
    found = texts(figure)
    return [*_pairs(found), *_beyond(figure, found)]


def _pairs(found):
    return [
        (a, b)
        for (a, one), (b, other) in combinations(found, 2)
        if min(one.x1, other.x1) - max(one.x0, other.x0) > ROOM and min(one.y1, other.y1) - max(one.y0, other.y0) > ROOM
    ]


def _beyond(figure, found):
    width, height = figure.get_size_inches() * figure.dpi
    return [
        text
        for text, box in found
        if box.x0 < -ROOM or box.y0 < -ROOM or box.x1 > width + ROOM or box.y1 > height + ROOM
    ]
