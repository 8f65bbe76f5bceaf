"""`simtrial design --family adaptive`: answers for people and programs, and refusals."""

import json

import pytest

from simtrial.cli.app import main
from simtrial.design.branching import parse_branching
from simtrial.design.requirements import Requirements
from simtrial.search.branching import Restrictions, search

QUESTION = ["--p0", ".2", "--p1", ".5", "--alpha", ".05", "--power", ".8"]
FAMILY = ["--family", "adaptive"]
ASKED = Requirements(0.2, 0.5, 0.05, 0.8)


def answered(capsys, *words):
    assert main(["design", *FAMILY, *QUESTION, *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words):
    assert main(["design", *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    return [line for line in shown.err.splitlines() if not line.endswith(" ...")]


def test_the_answer_is_that_of_the_search_in_the_agreed_form(capsys):
    found = answered(capsys, "--cap", "23")
    searched = search(ASKED, restrictions=Restrictions(cap=23))
    assert set(found) == {"requirements", "family", "designs", "certificate"}
    assert found["requirements"] == {"p0": 0.2, "p1": 0.5, "alpha": 0.05, "power": 0.8}
    assert found["family"] == "adaptive"
    (design,) = found["designs"]
    assert design["kinds"] == ["en_p0"]
    assert design["looks"] == [{"n": 6, "r": 1, "e": None}]
    assert [row["x1"] for row in design["second_stage"]] == list(range(7))
    assert parse_branching(design["rule"]) == searched.design
    for row, after in zip(design["second_stage"], searched.design.after, strict=True):
        if isinstance(after, str):
            assert (row["n2"], row["r"], row["decision"]) == (None, None, after)
        else:
            assert (row["n2"], row["r"], row["decision"]) == (after.n2, after.r, None)
    assert design["n"] == 22
    named = {"type_i_error": (0, "reject"), "power": (1, "reject"), "en_p0": (0, "en"), "en_p1": (1, "en"),
             "pet_p0": (0, "pet"), "pet_p1": (1, "pet")}  # fmt: skip
    for key, (k, name) in named.items():
        assert design[key] == float(getattr(searched.law, name)[k])
    assert sum(one["p0"] for one in design["n_distribution"]) == pytest.approx(1)
    assert design["en_max"] >= max(design["en_p0"], design["en_p1"])
    assert design["largest_type_i_error"]["p"] == 0.2
    proof = found["certificate"]
    assert set(proof) == {"n_lower", "n_upper", "value", "bound", "gap", "how", "cap"}
    assert proof == design["certificate"]
    assert (proof["how"], proof["cap"], proof["value"]) == ("capped", 23, design["en_p0"])
    assert proof["bound"] < design["linear_bound"] < proof["value"]


def test_options_reach_the_search(capsys):
    (free,) = answered(capsys, "--cap", "23", "--any-order")["designs"]
    assert (free["monotone"], round(free["en_p0"], 6)) == (False, 9.207616)
    (falling,) = answered(capsys, "--cap", "23", "--n2-falls")["designs"]
    sizes = [row["n2"] for row in falling["second_stage"] if row["n2"]]
    assert sizes == sorted(sizes, reverse=True)
    (weighted,) = answered(capsys, "--cap", "20", "--weight", "0.5")["designs"]
    assert weighted["kinds"] == ["en_p0"]
    assert weighted["certificate"]["value"] == pytest.approx((weighted["en_p0"] + weighted["en_p1"]) / 2)
    (larger,) = answered(capsys, "--cap", "20", "--n1-least", "9")["designs"]
    assert larger["looks"][0]["n"] >= 9


def test_without_a_cap_it_is_that_of_simons_optimal_design_and_stated(capsys):
    assert answered(capsys)["certificate"]["cap"] == 18
    assert answered(capsys, "--criterion", "en_p0")["certificate"]["cap"] == 18


def test_people_read_table_cap_bound_and_paragraph(capsys):
    assert main(["design", *FAMILY, *QUESTION, "--cap", "23"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in (
        "adaptive two-stage adaptive 6 to 22 22 0.0500 0.800 9.21 15.55",
        "0 to 1 stop, do not reject H0 0 0",
        "4 continue 16 22 7 0.402 0.989",
        "Among the designs with at most 23 patients and a conditional type I error that never falls as responses rise, "
        "none has a smaller EN(p0) than 9.2077",
        "The best design depends on this cap: designs with more than 23 patients were not searched",
        "so the type I error is largest at p0",
        "this design needs 0.82 fewer than that at p0 and at most 22 patients",
        "In one line: 0:A|1:A|2:9/5|3:9/5|4:16/7|5:8/5|6:8/6.",
        "Paragraph for the protocol:",
    ):
        assert part in said


def test_where_the_conditional_error_falls_the_largest_type_i_error_is_stated(capsys):
    assert main(["design", *FAMILY, *QUESTION, "--cap", "23", "--any-order"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The conditional type I error falls somewhere as responses rise." in said
    assert "the probability of rejecting H0 is at most 0.049996, at p = 0.2, within alpha = 0.05" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--looks-at", "10,20"], "--looks-at is not possible for adaptive two-stage designs; leave it out"),
        (["--balanced"], "--balanced is not possible for adaptive two-stage designs"),
        (["--stops", "both"], "--stops is not possible for adaptive two-stage designs"),
        (["--r1", "2"], "--r1 is not possible for adaptive two-stage designs"),
        (["--flexible", "3"], "--family does not go with --flexible"),
        (
            ["--criterion", "minimax"],
            "--criterion ('minimax') is no criterion of adaptive two-stage designs",
        ),
        (["--criterion", "en_p0", "--weight", ".5"], "--weight takes the place of --criterion"),
        (["--cap", "14"], "--cap (14) is too small: with at most 14 patients not even the most powerful test meets"),
        (["--cap", "400"], "--cap (400) is above 150, the most for which tables are searched"),
        (["--n1-least", "30", "--cap", "20"], "--n1-least (30) is above the cap (20)"),
        (["--n-limit", "10"], "raise --n-limit"),
        (["--phi", "worst"], "--phi goes with --family bryant_day only"),
    ],
)
def test_what_does_not_go_with_the_family_is_refused_in_one_line(capsys, words, said):
    (line,) = refused(capsys, *FAMILY, *QUESTION, *words)
    assert said in line


def test_its_own_options_go_with_it_only(capsys):
    for words in (["--any-order"], ["--n2-falls"]):
        (line,) = refused(capsys, *QUESTION, *words)
        assert f"{words[0]} goes with --family only" in line
        (line,) = refused(capsys, *QUESTION, "--family", "simon", *words)
        assert f"{words[0]} is not possible for" in line


def test_a_design_that_is_sized_for_its_dropout_keeps_its_limits_as_run(capsys):
    found = answered(capsys, "--dropout", ".1")
    (design,) = found["designs"]
    assert found["searched"] == "run"
    assert design["as_run"]["type_i_error"] <= 0.05
    assert design["as_run"]["power"] >= 0.8
    # non-responders by dropout: the trial decides as one on paper does at .9 p1
    at = parse_branching(design["rule"]).at([0.2, 0.45])
    assert design["as_run"]["power"] == pytest.approx(float(at.reject[1]), rel=1e-12)


TWO = ["--p0", ".05", "--p1", ".2", "--alpha", ".1", "--power", ".8", "--p2", ".3", "--power2", ".9", "--cap", "40"]


def test_two_targets_are_answered_by_the_rule_of_lin_and_shih(capsys):
    assert main(["design", *FAMILY, *TWO, "--json"]) == 0
    (design,) = json.loads(capsys.readouterr().out)["designs"]
    # the row of lin_shih.csv
    assert (design["s1"], design["n1"], design["q1"]) == (0, 9, 2)
    # any r below 3 decides the same after more than 2 responses
    assert (design["low"], design["high"]["n"]) == ({"n": 24, "r": 2}, 10)
    assert [round(design[key], 8) for key in ("type_i_error", "power", "power_p2", "en_p0")] == [
        0.09312941, 0.80468666, 0.95289022, 14.4292043,
    ]  # fmt: skip
    assert main(["design", *FAMILY, *TWO]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "with up to 2 go to 24 patients and reject H0 with more than 2, with more to 10 patients" in said


def test_a_second_target_needs_its_power_and_the_family(capsys):
    one_sided = TWO[:-4]
    assert refused(capsys, *FAMILY, *one_sided) == ["simtrial: --power2 is missing; --p2 and --power2 go together"]
    assert refused(capsys, *TWO) == ["simtrial: --p2 goes with --family adaptive only"]
    (line,) = refused(capsys, *FAMILY, *TWO, "--weight", ".5")
    assert "--weight does not go with --p2" in line


def test_among_all_families_it_has_its_row(capsys):
    assert main(["design", "--family", "all", *QUESTION, "--json"]) == 0
    rows = {one["family"]: one for one in json.loads(capsys.readouterr().out)["designs"]}
    assert rows["adaptive"]["second_stage"][0]["decision"] == "accept"
    assert rows["adaptive"]["en_p0"] < min(one["en_p0"] for one in rows.values() if one["family"] == "simon")
