"""Names beside points, above axes and within layers keep apart; one without room is left for a legend."""

import drawn
import matplotlib as mpl
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simtrial.show.labels import Label, above, write, write_inside
from simtrial.show.picture import STYLE, canvas


def plain(width=7.6, height=4.6):
    figure, (axis,) = canvas(1, width, height)
    axis.set(xlim=(0, 10), ylim=(0, 10))
    return figure, axis


def test_names_of_near_points_keep_apart():
    figure, axis = plain()
    with mpl.rc_context(STYLE):
        write(axis, [Label(5 + 0.3 * k, 5 - 0.2 * k, f"design {k}\nwith a name") for k in range(5)])
    assert not drawn.overlapping(figure)


def test_a_name_near_the_edge_stays_within_its_figure():
    figure, axis = plain()
    with mpl.rc_context(STYLE):
        write(axis, [Label(x, y, "a rather long name of a design") for x in (0.1, 9.9) for y in (0.1, 9.9)])
    assert not drawn.cut_off(figure)


@settings(max_examples=6)
@given(st.lists(st.floats(0, 10), min_size=1, max_size=6))
def test_names_above_an_axis_keep_apart_wherever_their_places_are(places):
    figure, axis = plain()
    with mpl.rc_context(STYLE):
        above(axis, [(x, f"analysis {k}", "black") for k, x in enumerate(places)])
    assert not drawn.unreadable(figure)


def test_a_layer_without_room_leaves_its_name_for_a_legend():
    _, axis = plain()
    x = np.linspace(0, 10, 101)
    thin, thick = np.full(101, 0.02), np.full(101, 0.98)
    assert write_inside(axis, x, [("thin", thin), ("thick", thick)]) == ["thin"]
    assert [text.get_text() for text in axis.texts] == ["thick"]
    assert write_inside(axis, x, [("a name that is longer than its axis is wide " * 4, thick)])


def test_a_name_within_a_layer_lies_within_it_and_beside_what_is_marked():
    figure, axis = plain()
    axis.set_ylim(0, 1)
    x = np.linspace(0, 10, 201)
    low = 1 / (1 + np.exp(x - 5))
    with mpl.rc_context(STYLE):
        assert not write_inside(axis, x, [("below", low), ("above", 1 - low)], (2.0, 8.0))
    for text, box in drawn.texts(figure):
        if text not in ("below", "above"):
            continue
        (x0, y0), (x1, y1) = axis.transData.inverted().transform(box.get_points())
        across = np.linspace(x0, x1, 20)
        edge = 1 / (1 + np.exp(across - 5))
        assert (y1 < edge).all() if text == "below" else (y0 > edge).all()
        assert not any(x0 < mark < x1 for mark in (2.0, 8.0))


def test_texts_that_cannot_be_read_are_seen():
    figure, axis = plain()
    axis.text(5, 5, "one")
    axis.text(5.05, 5, "another")
    figure.text(0.9, 0.4, "beyond the right side of the figure")
    assert drawn.unreadable(figure) == [("one", "another"), "beyond the right side of the figure"]
