"""The picture and the table of a boundary show what the design does, for any number of looks."""

import numpy as np
import pytest
from drawn import unreadable

from simtrial import Requirements, parse_looks
from simtrial.design import exact
from simtrial.search.boundary import figures, tables
from simtrial.show import inks

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)
MANY = (
    ":3/3,:4/5,:4/6,0:4/7,0:4/8,0:5/10,1:5/11,1:5/12,1:5/13,1:5/14,1:6/16,2:6/17,2:6/18,2:6/19,2:6/20,2:6/21,3:6/22,"
    "3:6/23,3:6/24,3:6/25,3:6/26,4:6/27,4:6/28,4:6/29,5/30"
)
DESIGNS = [
    "5/25",
    "1/10,5/29",
    "1:5/10,5/29",
    ":3/9,5/28",
    ":4/5,0:5/10,2:5/15,3:5/20,4:7/25,6/30",
    MANY,
    "40/120,110/300",
]
ANY = pytest.mark.parametrize("design", [parse_looks(looks) for looks in DESIGNS], ids=DESIGNS)


@ANY
def test_each_count_has_the_colour_of_what_it_leads_to(design):
    (axis,) = figures.boundary(design).figure.axes
    bars = [(round(bar.get_x() + bar.get_width() / 2, 6), bar) for bar in axis.patches]
    top = axis.get_ylim()[1]
    for k, look in enumerate(design.looks):
        final = k == len(design.looks) - 1
        counts = np.arange(look.n + 1)
        here = look.regions(counts[counts <= top], final=final)
        low, high = ("not_rejected", "rejected") if final else ("futile", "effective")
        for region, colour in (
            (here.accept, inks.ENDS[low]),
            (here.go_on, figures.GREY),
            (here.reject, inks.ENDS[high]),
        ):
            drawn = {
                x
                for n, bar in bars
                if n == look.n and np.allclose(bar.get_facecolor(), figures_colour(colour))
                for x in range(round(bar.get_y() + 0.5), round(bar.get_y() + bar.get_height() + 0.5))
            }
            assert drawn == set(counts[: region.size][region].tolist())


def figures_colour(colour):
    """Red, green, blue and opacity of a colour as written."""
    return [*(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)), 1.0]


@pytest.mark.long
@ANY
def test_no_text_of_the_picture_lies_on_another_or_is_cut_off(design):
    assert not unreadable(figures.boundary(design).figure)


@ANY
def test_the_text_alternative_tells_the_decision_at_the_last_look(design):
    picture = figures.boundary(design)
    last = design.looks[-1]
    few = f"At least {last.r + 1:,} " in picture.alt
    assert few or f"rejected if more than {last.r:,} of {last.n:,} patients respond" in picture.alt
    assert picture.caption.endswith(".")


@ANY
def test_the_table_has_one_row_per_look_and_its_probabilities_are_those_of_the_design(design):
    frame = tables.boundary(design, ASKED).frame
    oc = exact.operating_characteristics(design, [ASKED.p0, ASKED.p1])
    assert frame.n.tolist() == [look.n for look in design.looks]
    for k, name in enumerate(("p0", "p1")):
        assert frame[f"stops_effective_{name}"].sum() == pytest.approx(oc.reject[k], abs=1e-12)  # sums of few terms
        # whoever comes to a look stops there or comes to the next one
        stays = frame[f"reached_{name}"] - frame[f"stops_futile_{name}"] - frame[f"stops_effective_{name}"]
        assert stays.tolist() == pytest.approx([*frame[f"reached_{name}"][1:], 0.0], abs=1e-12)
        patients = np.diff([0, *frame.n]) @ frame[f"reached_{name}"]
        assert patients == pytest.approx(oc.en[k], rel=1e-12)


def test_the_table_writes_a_dash_where_a_look_has_no_bound():
    view = tables.boundary(parse_looks(":3/9,1/12,5/28"), ASKED).view()
    assert view["Stop for futility if X <="].tolist() == ["–", "1", "5"]
    assert view["Continue if X is"].tolist() == ["0 to 2", "2 to 12", "–"]
    assert view["Reject H0 if X >="].tolist() == ["3", "–", "6"]
