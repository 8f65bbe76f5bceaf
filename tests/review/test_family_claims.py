"""Statements about designs of the families: claims confirmed, refuted, and recognised without being made."""

import pytest

from simtrial import Requirements
from simtrial.review import reach
from simtrial.review.check import check
from simtrial.review.conventions import SETS, explanations
from simtrial.search import CRITERIA
from simtrial.trial.statement import Statement

ASKED = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8}


@pytest.mark.parametrize(
    ("looks", "phrase"),
    [
        ("0/6,2/17,5/29", "the optimal three-stage design"),
        ("0:4/13,5/24", "the EN(p1)-optimal design with an efficacy stop"),
        ("1:5/10,5/29", "the EN(p0)-optimal design with an efficacy stop"),
    ],
)
def test_a_rule_that_is_the_best_of_a_family_is_recognised(looks, phrase):
    verdict = check(Statement.of_looks(looks, **ASKED))
    assert verdict.kind == "reproduces"
    assert f"is {phrase} for p0 = 0.1" in verdict.lines[0]


def test_a_rule_that_only_keeps_its_limits_stays_underspecified():
    assert check(Statement.of_looks("0/7,2/17,5/29", **ASKED)).kind == "underspecified"


def test_a_false_claim_is_refuted_in_what_its_criterion_makes_small():
    verdict = check(Statement.of_looks("1:5/10,5/29", criterion="efficacy_en_p1", **ASKED))
    assert verdict.kind == "does not reproduce"
    assert "(n = 29, EN(p1) = 23.31)" in verdict.lines[0]
    assert "0:4/13, 5/24 (n = 24, EN(p1) = 17.52)" in verdict.lines[0]


def test_looks_that_are_given_are_compared_at_the_looks_that_are_stated():
    stated = {"p0": 0.05, "p1": 0.2, "alpha": 0.05, "power": 0.8, "criterion": "chang_mean"}
    assert check(Statement.of_looks("1:4/20,4/40", **stated)).kind == "reproduces"
    assert check(Statement.of_looks("0:4/20,4/40", **stated)).kind == "does not reproduce"


def test_a_claim_whose_search_takes_seconds_is_read_as_it_stands_alone():
    tried = []
    asked, looks = ASKED | {"p1": 0.27}, ":3/5,0:4/10,1:5/15,2:6/20,4:7/25,6/30"
    stated = Statement.of_looks(looks, criterion="best_bounds_en_p0", **asked)
    assert reach.slow(CRITERIA["best_bounds_en_p0"], Requirements(0.1, 0.27, 0.05, 0.8))
    assert not list(explanations(stated, tried.append))
    assert len(tried) == 1 < len(SETS)
    assert not reach.slow(CRITERIA["three_stage_optimal"], Requirements(0.1, 0.3, 0.05, 0.8))
