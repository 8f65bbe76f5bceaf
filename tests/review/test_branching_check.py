"""The check of a published adaptive two-stage design: exact errors, limits, conventions, and a better table."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import pytest

from simtrial.cli.app import main
from simtrial.design.branching import Branching, branching_text, parse_branching
from simtrial.design.exact import reject_fraction
from simtrial.design.second_stages import SecondStage
from simtrial.review import branching_text as review_branching_text
from simtrial.review.branching import TableCheck, TableStatement, readings

with Path("tests/reference/families/adaptive.csv").open(encoding="utf-8") as _file:
    ROWS = [row for row in csv.DictReader(_file) if "Englert" in row["source"]]

TABLE = "0:A|1:10/2|2:22/4|3:15/3|4:R|5:R|6:R|7:R|8:R|9:R|10:R|11:R"
"""Englert and Kieser's for 0.05 and 0.25, with alpha 0.05 and power 0.9."""


def checked(table=TABLE, **given):
    stated = {"p0": 0.05, "p1": 0.25, "printed": {}} | given
    return TableCheck(TableStatement(design=parse_branching(table), **stated))


def on_both_stages(design):
    """The table with n of both stages, and with the fewest responses that reject H0, as other papers print it."""
    rows = [
        f"{row.n2 + design.n1}/{row.r + 1}" if isinstance(row, SecondStage) else row[0].upper() for row in design.after
    ]
    return "|".join(f"{x}:{row}" for x, row in enumerate(rows))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['p0']}-{row['p1']}-{row['power']}")
def test_published_tables_reproduce_with_the_digits_that_they_were_printed_with(row):
    rates = {name: float(row[name]) for name in ("p0", "p1", "alpha", "power")}
    printed = {
        "type_i_error": f"{float(row['type_i_error']):.4f}",
        "attained_power": f"{float(row['reject_p1']):.4f}",
        "en_p0": f"{float(row['en_p0']):.5f}",
    }
    found = TableCheck(TableStatement(design=parse_branching(row["rule"]), **rates, printed=printed))
    assert found.limits == {"alpha": True, "power": True}
    assert {one.closeness for one in found.printed} == {"agrees"}
    assert found.kind == "reproduces"


def test_a_value_that_is_not_the_exact_one_does_not_reproduce():
    found = checked(printed={"type_i_error": ".048"})
    assert found.kind == "does not reproduce"
    assert "is not the exact value rounded: that is 0.045479." in " ".join(review_branching_text.lines(found))


def test_a_printed_value_within_monte_carlo_error_reproduces_and_one_beyond_does_not():
    near, far = (checked(printed={"type_i_error": text}, trials=10_000) for text in ("0.0470", "0.0600"))
    assert near.kind == "reproduces"
    assert far.kind == "does not reproduce"


def test_a_table_with_a_better_one_of_its_own_size_is_not_the_best():
    row = next(one for one in ROWS if (one["p0"], one["p1"], one["power"]) == ("0.4", "0.6", "0.8"))
    rates = {"p0": 0.4, "p1": 0.6, "alpha": 0.05, "power": 0.8}
    design = parse_branching(row["rule"])
    found = TableCheck(TableStatement(design=design, **rates, printed={}, best=True))
    better = found.best.design
    assert better.n_max <= design.n_max
    assert better.en_fraction(0.4) < design.en_fraction(0.4)
    assert reject_fraction(better, Fraction(2, 5)) <= Fraction(1, 20)
    assert reject_fraction(better, Fraction(3, 5)) >= Fraction(4, 5)
    assert found.kind == "does not reproduce"
    assert TableCheck(TableStatement(design=design, **rates, printed={})).kind == "reproduces"
    assert branching_text(better) in " ".join(review_branching_text.lines(found))


def test_the_best_table_of_its_size_is_stated_to_be_so():
    found = checked(alpha=0.05, power=0.9, best=True)
    assert found.excess == 0
    assert found.kind == "reproduces"


def test_limits_are_held_with_tolerance_zero():
    exactly = "0:A|1:R"
    assert checked(exactly, alpha=0.05).limits == {"alpha": True}
    assert checked(exactly, alpha=0.0499999999).limits == {"alpha": False}
    assert checked(exactly, alpha=0.0499999999).kind == "does not reproduce"


@pytest.mark.parametrize("printed", [{"type_i_error": ".0455", "attained_power": ".9009", "en_p0": "16.40"}])
def test_other_ways_to_write_a_table_are_found_by_the_printed_values(printed):
    design = parse_branching(TABLE)
    found = checked(on_both_stages(design), printed=printed)
    assert found.kind == "reproduces with a convention"
    assert found.design == design
    assert found.convention == "n2 counts the patients of both stages and r is the fewest responses that reject H0"


def test_every_reading_is_another_design_that_can_be():
    for row in ROWS:
        design = parse_branching(row["rule"])
        others = [other for _, other in readings(design)]
        assert others
        assert all(isinstance(other, Branching) and other.n1 == design.n1 for other in others)
        assert design not in others


def test_the_type_i_error_over_the_null_hypothesis_is_that_of_the_largest_rate_or_found_below_it():
    # one response of two rejects H0, two do not: at p = 1/2 the most
    found = TableCheck(TableStatement(design=parse_branching("0:A|1:R|2:A"), p0=0.8, alpha=0.4, printed={}))
    assert found.largest.value == pytest.approx(0.5, abs=1e-10)
    assert found.largest.p == pytest.approx(0.5, abs=1e-4)
    assert not found.monotone
    assert "ABOVE alpha = 0.4" in " ".join(review_branching_text.lines(found))


def test_nothing_stated_is_underspecified():
    assert checked().kind == "underspecified"


def test_a_table_of_more_patients_than_are_searched_says_so():
    row = max(ROWS, key=lambda one: int(one["n_max"]))
    rates = {name: float(row[name]) for name in ("p0", "p1", "alpha", "power")}
    found = TableCheck(TableStatement(design=parse_branching(row["rule"]), **rates, printed={}))
    assert found.best is None
    assert found.excess is None
    assert "is not searched for tables of more than 60 patients" in " ".join(review_branching_text.lines(found))


def test_check_answers_for_a_table_in_json(capsys):
    stated = ["--p0", ".05", "--p1", ".25", "--alpha", ".05", "--power", ".9", "--type-i-error", ".0455"]
    assert main(["check", "--rule", "adaptive", "--table", TABLE, *stated, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "reproduces"
    assert found["limits"] == {"alpha": True, "power": True}
    assert found["best"]["is_best"] is True
    assert found["best"]["bound"] < found["best"]["linear_bound"] < found["best"]["value"]
    assert found["largest_type_i_error"]["p"] == 0.05
    assert found["printed"][0]["closeness"] == "agrees"


@pytest.mark.parametrize(
    ("words_typed", "said"),
    [
        (["--rule", "adaptive", "--p0", ".05"], "--table is missing"),
        (["--rule", "adaptive", "--table", TABLE], "--p0 is missing"),
        (["--rule", "adaptive", "--table", "0:A|2:R", "--p0", ".05"], "--table ('2:R')"),
        (["--rule", "adaptive", "--table", "0:A|1:3/9", "--p0", ".05"], "after X1 = 1 (3/9) can never reject H0"),
        (["--rule", "adaptive", "--table", TABLE, "--p0", ".05", "--gamma", ".9"], "--gamma does not belong"),
        (["--rule", "adaptive", "--table", TABLE, "--p0", ".05", "--looks", "1/10"], "--looks does not belong"),
        (["--rule", "adaptive", "--table", TABLE, "--p0", ".05", "--power", ".9"], "--p1 is missing"),
        (["--rule", "adaptive", "--table", TABLE, "--p0", ".3", "--p1", ".2"], "--p1 (0.2) is not above p0"),
        (["--rule", "adaptive", "--table", TABLE, "--p0", ".3", "--criterion", "en_p0"], "--criterion needs p1"),
        (["--rule", "adaptive", "--table", TABLE, "--p0", ".3", "--criterion", "x"], "--criterion ('x') is unknown"),
        (["--table", TABLE, "--p0", ".3"], "--table belongs to the check of an adaptive design"),
        (["--rule", "nothing", "--p0", ".3"], "--rule ('nothing') is unknown"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_one_line(capsys, words_typed, said):
    assert main(["check", *words_typed]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
