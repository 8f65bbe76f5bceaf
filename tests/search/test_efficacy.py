"""Two stages with an efficacy stop: the tables of five families with two looks, published designs, traps of peers."""

import csv
from functools import cache
from itertools import groupby

import pytest

from simtrial import Requirements, looks_text, parse_looks, search
from simtrial.design import exact
from simtrial.design.largest import largest_en
from simtrial.search import Aim, Constraints, efficacy, families
from simtrial.search.two_looks import looks as two_looks

KINDS = {
    "EN(p0)": "en_p0",
    "EN(p0) at least n": "en_p0_minimax",
    "EN(p1)": "en_p1",
    "EN(p1) at least n": "en_p1_minimax",
    "max EN(p)": "en_max",
    "max EN(p) at least n": "en_max_minimax",
}
AIMS = {criterion.kind: criterion.aim for criterion in efficacy.CRITERIA}

FAMILIES = {
    "simon": Constraints(stops="futility"),
    "mt": Constraints(),
    "mt_free": Constraints(futility_optional=True),
    "balanced": Constraints(stops="futility", balanced=True),
    "balanced_mt": Constraints(balanced=True),
}

ENDED_EARLY = {"balanced": 17, "balanced_mt": 33}
"""Rows whose search ended at an n after which the sizes of the stages, moving together, allow a better design."""


@pytest.fixture(scope="module")
def rows(root):
    with (root / "tests/reference/families/two_stage.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def asked_in(row):
    return Requirements(*(float(row[key]) for key in ("p0", "p1", "alpha", "power")))


@cache
def searched(asked, family):
    together = tuple(AIMS.values()) if FAMILIES[family].stops is None else (AIMS["en_p0"], AIMS["en_p0_minimax"])
    return two_looks.search(asked, FAMILIES[family], n_limit=500, together=together)


@pytest.mark.parametrize(
    "family",
    [pytest.param(one, marks=pytest.mark.long) if one in ("mt_free", "balanced_mt") else one for one in FAMILIES],
)
def test_every_row_of_the_table_is_found_with_its_ties_or_a_better_design_is(rows, family):
    mine = [row for row in rows if row["family"] == family]
    assert len(mine) >= 102
    better = 0
    for row in mine:
        aim = AIMS[KINDS[row["criterion"]]]
        result = searched(asked_in(row), family).result(aim)
        assert result.certificate.how == "proved"
        assert result.certificate.n_lower == int(row["n_lower"])
        if looks_text(result.best) == row["looks"]:
            assert 1 + len(result.ties) == int(row["ties"]), row
            assert [looks_text(one) for one in result.ties] == [one for one in row["tied"].split(";") if one]
        else:
            better += 1
            listed = parse_looks(row["looks"])
            assert not aim.smallest_n
            assert result.best.n > int(row["searched_to"])
            assert aim.value(result.best, asked_in(row)) < aim.value(listed, asked_in(row)) - 1e-6
            assert exact.meets(result.best, asked_in(row))
    assert better == ENDED_EARLY.get(family, 0)


def test_a_row_of_the_table_holds_what_its_design_attains(rows):
    for row in rows:
        asked, design = asked_in(row), parse_looks(row["looks"])
        found = search.Candidate(design, asked)
        assert found.keeps
        for key in ("type_i_error", "en_p0", "en_p1", "pet_p0", "pet_p1", "en_max", "p_of_en_max"):
            # printed with 10 significant digits
            assert getattr(found, key) == pytest.approx(float(row[key]), rel=1e-9, abs=1e-10), (row["looks"], key)
        assert found.power == pytest.approx(float(row["reject_p1"]), rel=1e-9)


def test_the_six_criteria_give_the_designs_of_the_literature():
    found = efficacy.search(Requirements(0.1, 0.35, 0.01, 0.9))
    assert {one.kind: looks_text(one.pick(found)) for one in efficacy.CRITERIA} == {
        "en_p0": "2:6/14,9/44",
        "en_p0_minimax": "0:7/19,7/31",
        "en_p1": "1:6/18,8/34",
        "en_p1_minimax": "0:7/19,7/31",
        "en_max": "4:7/23,8/35",
        "en_max_minimax": "0:7/19,7/31",
    }
    shown = [(one.en_p0, one.en_p1, one.en_max) for one in (c.pick(found) for c in efficacy.CRITERIA[::2])]
    assert [[round(value, 2) for value in values] for values in shown] == [
        [18.71, 30.7, 32.75],
        [26.69, 23.61, 30.37],
        [23.81, 25.38, 27.48],
    ]


def test_a_design_whose_last_bound_alone_lacks_the_power_is_not_lost():
    # who keeps Simon's bound P(X > r; p1) >= power finds n = 31 and EN(p1) = 21.57
    found = efficacy.search(Requirements(0.1, 0.25, 0.1, 0.8))
    fewest, soonest = (found.result(AIMS[kind]).best for kind in ("en_p1_minimax", "en_p1"))
    assert fewest.n == 29
    assert round(soonest.en_p1, 2) == 21.13
    alone = exact.operating_characteristics(parse_looks(f"{fewest.r}/{fewest.n}"), 0.25)
    assert float(alone.reject) < 0.8 <= fewest.power


@pytest.mark.parametrize("limits", [(0.02, 0.9, 0.05, 0.9), (0.001, 0.9, 0.05, 0.9), (0.05, 0.5, 0.05, 0.8)], ids=str)
def test_the_search_ends_with_a_proof_where_the_first_look_nearly_always_stops(limits):
    proof = efficacy.search(Requirements(*limits)).result(AIMS["en_p0"]).certificate
    assert (proof.how, proof.cap, proof.gap) == ("proved", None, 0.0)
    assert proof.n_upper < 10


def test_expected_numbers_at_both_rates_are_below_the_largest():
    found = efficacy.search(Requirements(0.3, 0.5, 0.05, 0.9))
    for criterion in efficacy.CRITERIA:
        design = criterion.pick(found)
        assert max(design.en_p0, design.en_p1) <= design.en_max == largest_en(design).en < design.n


def test_it_is_searched_on_request_only():
    assert "efficacy" in families.FAMILIES
    assert "efficacy" not in [family.key for family in families.others()]


def test_a_weighted_sum_of_ones_own_lies_between_the_criteria():
    found = efficacy.search(Requirements(0.2, 0.4, 0.05, 0.9))
    half = found.result(Aim(en_p0=0.5, en_p1=0.5))
    for kind in ("en_p0", "en_p1", "en_max"):
        other = found.result(AIMS[kind]).best
        assert half.certificate.value <= (other.en_p0 + other.en_p1) / 2
    assert half.best.en_p0 >= found.result(AIMS["en_p0"]).best.en_p0
    assert half.best.en_p1 >= found.result(AIMS["en_p1"]).best.en_p1


def test_criteria_are_named_once_and_say_what_they_make_small():
    assert [one.key for one in efficacy.CRITERIA] == [f"efficacy_{kind}" for kind in KINDS.values()]
    for _, group in groupby(efficacy.CRITERIA, lambda one: one.aim.what):
        assert [one.aim.smallest_n for one in group] == [False, True]
