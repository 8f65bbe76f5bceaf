"""The largest expected number of patients over all true response rates."""

import numpy as np
import pytest

from simtrial.design.designs import parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.design.largest import largest_en

P = np.linspace(0, 1, 20_001)


@pytest.mark.parametrize(
    "looks",
    [
        "4:7/23,8/35",
        "1:5/10,5/29",
        "0:3/3,1/9",
        "1:4/6,3:6/12,5/20",
        ":3/5,0:4/10,1:5/15,2:6/20,5/25",
        "40:60/90,80/160",
    ],
)
def test_no_rate_of_a_fine_grid_has_more_patients(looks):
    design = parse_looks(looks)
    found, grid = largest_en(design), operating_characteristics(design, P).en
    assert found.en >= grid.max() - 1e-9  # sums are right to 1e-12, and EN is flat at its top
    # a step of the grid is 5e-5, and EN changes by at most n patients per unit of p and look
    assert found.en - grid.max() < 1e-4
    assert abs(found.p - P[int(np.argmax(grid))]) < 1e-3


@pytest.mark.parametrize(("looks", "p"), [("1/10,5/29", 1.0), ("5/25", 1.0), (":5/10,5/29", 0.0)])
def test_with_one_kind_of_stop_it_is_n_at_an_end(looks, p):
    design = parse_looks(looks)
    assert largest_en(design) == (design.looks[-1].n, p)


def test_two_looks_have_a_closed_form_that_a_search_confirms():
    two, same = parse_looks("2:6/14,9/44"), parse_looks("2:6/14,2:15/15,9/44")
    assert largest_en(two).en == pytest.approx(32.75, abs=0.005)  # as printed in the table of the family's definition
    assert largest_en(same).en < largest_en(two).en + 1
