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


def distances(figure, axis, labels):
    """Points from each name, as drawn, to every point: an array of shape (names, points)."""
    found = dict(drawn.texts(figure))
    points = axis.transData.transform([(one.x, one.y) for one in labels])
    boxes = [found[one.text].get_points() for one in labels]
    return np.array([np.hypot(*(points - np.clip(points, *box)).T) for box in boxes]) * 72 / figure.dpi


def test_a_name_alone_stands_beside_its_point_without_a_line():
    figure, axis = plain()
    labels = [Label(5, 5, "design\nwith a name")]
    with mpl.rc_context(STYLE):
        write(axis, labels)
    assert distances(figure, axis, labels)[0, 0] < 10
    assert axis.texts[0].arrow_patch is None


def test_a_name_that_is_far_or_has_another_point_as_near_has_a_line_of_its_colour_to_its_point():
    figure, axis = plain()
    labels = [Label(5 + 0.25 * k, 5 - 0.1 * k, f"design {k}\nwith a name", f"#00{k}0ff") for k in range(6)]
    with mpl.rc_context(STYLE):
        write(axis, labels)
    apart = distances(figure, axis, labels)
    own = np.diag(apart)
    nearest = np.where(np.eye(len(labels), dtype=bool), np.inf, apart).min(axis=1)
    lines = [text.arrow_patch for text in axis.texts]
    assert all(line is not None for line, mine, other in zip(lines, own, nearest, strict=True) if other < mine)
    assert all(line is not None for line, mine in zip(lines, own, strict=True) if mine > 14)
    assert sum(line is not None for line in lines) >= 3
    for text, label in zip(axis.texts, labels, strict=True):
        assert text.xy == (label.x, label.y)
        if text.arrow_patch is not None:
            assert mpl.colors.to_hex(text.arrow_patch.get_edgecolor()) == label.colour


def test_a_place_is_taken_where_the_own_point_is_the_nearest_one():
    figure, axis = plain()
    labels = [Label(0.6, 5, "a chosen design\nwith a name"), Label(2.2, 5.05, "another design\nwith a name")]
    with mpl.rc_context(STYLE):
        write(axis, labels)
    apart = distances(figure, axis, labels)
    assert (apart.argmin(axis=1) == [0, 1]).all()
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


def test_a_name_without_room_beside_what_is_marked_has_a_background():
    _, axis = plain()
    axis.set_ylim(0, 1)
    x = np.linspace(0, 10, 201)
    write_inside(axis, x, [("free", np.full(201, 0.5)), ("crossed as it is long " * 3, np.full(201, 0.5))], (3.0, 6.0))
    assert [text.get_bbox_patch() is not None for text in axis.texts] == [False, True]


def test_texts_that_cannot_be_read_are_seen():
    figure, axis = plain()
    axis.text(5, 5, "one")
    axis.text(5.05, 5, "another")
    figure.text(0.9, 0.4, "beyond the right side of the figure")
    assert drawn.unreadable(figure) == [("one", "another"), "beyond the right side of the figure"]
