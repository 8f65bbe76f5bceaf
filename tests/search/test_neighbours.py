"""Designs near the chosen one: which they are, in which order, and where there are none."""

import pytest

from simtrial import Requirements, SingleStage, TwoStage, looks_text, parse_looks, search
from simtrial.design import exact
from simtrial.search import neighbours


@pytest.fixture(scope="module")
def textbook():
    return search.two_stage(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8))


def test_near_are_designs_of_about_the_chosen_sizes_the_closest_first(textbook):
    chosen = textbook.optimal  # 1/10, 5/29: a tenth of 29 is 3
    near = neighbours.near(textbook, chosen, most=100)
    assert near[0] == chosen
    assert {c.n for c in near} == {26, 27, 28, 29, 30, 31, 32}
    assert {c.n1 for c in near} <= set(range(7, 14))
    ranks = [(abs(c.n - 29) + abs(c.n1 - 10), round(c.en_p0, 8), c.n) for c in near]
    assert ranks == sorted(ranks)
    assert all(exact.meets(c, textbook.requirements) for c in near)
    assert neighbours.near(textbook, chosen) == near[:20]


def test_near_a_minimax_nothing_has_fewer_patients(textbook):
    near = neighbours.near(textbook, textbook.minimax)
    assert looks_text(near[0]) == "1/15,5/25"
    assert min(c.n for c in near) == 25


def test_near_a_single_stage_every_first_look_is_as_close(textbook):
    near = neighbours.near(textbook, SingleStage(5, 25), most=8)
    assert near[0] == textbook.minimax  # of 25 patients it has the least EN(p0)
    apart = [abs(c.n - 25) for c in near]
    assert apart == sorted(apart)


def test_near_a_design_of_several_looks_its_first_look_counts(textbook):
    near = neighbours.near(textbook, parse_looks("0/8,2/16,5/26"))
    assert near
    assert {c.n1 for c in near} <= set(range(5, 12))


def test_near_what_meets_no_limit_or_is_beyond_all_tables_there_is_nothing(textbook):
    assert neighbours.near(textbook, TwoStage(0, 5, 2, 10)) == ()
    assert neighbours.near(textbook, TwoStage(500, 5_000, 1_000, 10_000)) == ()
