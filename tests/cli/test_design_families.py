"""`simtrial design --family`, `--flexible` and `simtrial bounds`: answers for people and programs, and refusals."""

import json

import pytest

from simtrial import Requirements
from simtrial.cli.app import main
from simtrial.design import exact
from simtrial.design.designs import Look, MultiStage, looks_text
from simtrial.search import FAMILIES
from simtrial.search.flexible import flexible

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)
QUESTION = ["--p0", ".1", "--p1", ".3", "--alpha", ".05", "--power", ".8"]
QUICK = ("simon", "single", "efficacy", "three_stage", "ensign", "fleming", "chang")
DESIGN_KEYS = {
    "family", "kinds", "looks", "n", "type_i_error", "power", "en_p0", "en_p1", "en_max", "p_of_en_max", "pet_p0",
    "pet_p1", "ties", "certificate",
}  # fmt: skip


def answered(capsys, *words):
    assert main(["design", *QUESTION, *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def looks(design):
    return MultiStage(tuple(Look(**look) for look in design["looks"]))


@pytest.mark.parametrize("family", QUICK)
def test_a_family_is_answered_by_its_search_with_exact_values_and_the_certificate(capsys, family):
    found = answered(capsys, "--family", family)
    assert set(found) == {"requirements", "family", "designs", "certificate"}
    assert (found["family"], found["requirements"]["power"]) == (family, 0.8)
    kinds = {kind for design in found["designs"] for kind in design["kinds"]}
    assert {criterion.short for criterion in FAMILIES[family].criteria} <= kinds
    for design in found["designs"]:
        assert set(design) == DESIGN_KEYS
        oc = exact.operating_characteristics(looks(design), [0.1, 0.3])
        assert (design["type_i_error"], design["power"]) == (oc.reject[0], oc.reject[1])
        assert design["en_max"] >= max(design["en_p0"], design["en_p1"])
    first = FAMILIES[family].criteria[0]
    proof = FAMILIES[family].certificate(FAMILIES[family].search(ASKED), first)
    assert found["certificate"]["value"] == proof.value
    assert set(found["certificate"]) == {"n_lower", "n_upper", "value", "bound", "gap", "how", "cap"}


def test_one_criterion_is_named_by_its_short_name_or_by_its_key(capsys):
    short = answered(capsys, "--family", "efficacy", "--criterion", "en_p1")
    key = answered(capsys, "--criterion", "efficacy_en_p1")
    assert short == key
    (design,) = short["designs"]
    assert looks_text(looks(design)) == "0:4/13,5/24"
    assert design["kinds"] == ["en_p1"]


def test_designs_that_are_admissible_only_stand_beside_those_of_the_criteria(capsys):
    found = answered(capsys, "--family", "simon")["designs"]
    assert [looks_text(looks(one)) for one in found if one["kinds"] == ["admissible"]] == ["1/12,5/26", "1/11,5/27"]


def test_given_looks_and_weights_are_searched(capsys):
    found = answered(capsys, "--family", "best_bounds", "--looks-at", "10,20,30", "--weight", ".25")
    (design,) = found["designs"]
    assert [look["n"] for look in design["looks"]][-1] == 30
    assert found["certificate"]["value"] == pytest.approx(0.75 * design["en_p0"] + 0.25 * design["en_p1"], abs=1e-9)


def test_constraints_of_the_command_reach_the_search(capsys):
    (minimax, optimal, *_) = answered(capsys, "--family", "simon", "--r1", "0", "--n1-least", "7", "--cap", "30")[
        "designs"
    ]
    for design in (minimax, optimal):
        first, last = design["looks"]
        assert first["r"] == 0
        assert first["n"] >= 7
        assert last["n"] <= 30
    free = answered(capsys, "--family", "efficacy", "--futility", "optional", "--criterion", "en_p1")
    required = answered(capsys, "--family", "efficacy", "--criterion", "en_p1")
    assert free["certificate"]["value"] <= required["certificate"]["value"]


def test_a_family_is_searched_under_dropout(capsys):
    found = answered(capsys, "--family", "three_stage", "--criterion", "optimal", "--dropout", ".1")
    (design,) = found["designs"]
    assert found["searched"] == "run"
    assert design["as_run"]["type_i_error"] <= 0.05
    assert design["as_run"]["power"] >= 0.8


@pytest.mark.long
def test_all_families_stand_side_by_side(capsys):
    found = answered(capsys, "--family", "all")
    assert (found["family"], found["certificate"]) == ("all", None)
    assert {design["family"] for design in found["designs"]} == set(FAMILIES)


def test_people_read_designs_ties_and_certificates(capsys):
    assert main(["design", "--p0", ".05", "--p1", ".2", "--alpha", ".05", "--power", ".8", "--family", "chang",
                 "--looks-at", "20,40"]) == 0  # fmt: skip
    said = " ".join(capsys.readouterr().out.split())
    assert "Chang 1:4/20, 4/40" in said
    assert "equal by its criterion are 1:4/20, 5/40" in said
    assert "no design of the family at these looks has a smaller one" in said
    assert main(["design", *QUESTION, "--family", "fleming", "--looks-at", "15,25"]) == 0
    assert "a rule, not a search" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--family", "x"], "--family ('x') is unknown; write simon, single, efficacy,"),
        (["--criterion", "en_p1"], "--criterion ('en_p1') needs --family efficacy or curtailed"),
        (["--criterion", "best"], "--criterion ('best') is unknown; see --family"),
        (
            ["--family", "three_stage", "--criterion", "en_p1"],
            "is no criterion of three-stage designs; write optimal or",
        ),
        (["--weight", ".5"], "--weight goes with --family only"),
        (["--family", "all", "--criterion", "minimax"], "--criterion goes with one family only"),
        (["--family", "three_stage", "--weight", ".5"], "--weight is not possible for three-stage designs"),
        (["--family", "single", "--cap", "30"], "--cap is not possible for exact single-stage designs"),
        (["--family", "chang", "--looks-at", "20,10"], "--looks-at (20,10) does not increase"),
        (["--family", "chang", "--looks-at", "20;30"], "--looks-at ('20;30') is not a number of patients"),
        (["--family", "best_bounds", "--looks-at", "1-900"], "--looks-at (1-900) has more than 200 looks"),
        (
            ["--family", "efficacy", "--stops", "never"],
            "--stops ('never') is unknown; write futility, efficacy",
        ),
        (["--family", "efficacy", "--cap", "20"], "--cap"),
        (["--flexible", "3", "--family", "simon"], "--family does not go with --flexible"),
        (["--flexible", "3", "--n1-least", "5"], "--n1-least does not go with --flexible"),
        (["--flexible", "3", "--balanced"], "--balanced does not go with --flexible"),
        (["--flexible", "21"], "--flexible (21) is not a whole number from 1 to 20"),
        (["--flexible", "3", "--cap", "12"], "--cap (12) leaves no plan that meets both limits"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(capsys, words, said):
    assert main(["design", *QUESTION, *words]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert (shown.out, shown.err.count("\n")) == ("", 1)


def test_flexible_sizes_have_the_worst_pair_beside_the_average(capsys):
    assert main(["design", *QUESTION, "--flexible", "3", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plans"]["optimal"]
    known = flexible(ASKED, k=3)
    assert (tuple(plan["n1"]), tuple(plan["r"]), plan["en_p0"]) == (known.n1, known.r, known.en_p0)
    assert plan["largest_type_i_error"]["reject"] > 0.05 > plan["type_i_error"]
    assert main(["design", *QUESTION, "--flexible", "3"]) == 0
    assert "1/9, 1/10, 1/11" in capsys.readouterr().out


def test_a_bayesian_family_states_the_parameters_of_its_rule(capsys):
    looks_at = ("--looks-at", "10,20,30,40", "--criterion", "most_power")
    words = ("--p0", ".2", "--p1", ".4", "--alpha", ".1", "--power", ".8", "--family", "bop2", *looks_at)
    assert main(["design", *words, "--json"]) == 0
    (design,) = json.loads(capsys.readouterr().out)["designs"]
    assert (design["kinds"], looks_text(looks(design))) == (["most_power"], "1/10,3/20,7/30,11/40")
    assert design["parameters"]["one"] == {"lambda": 0.86, "gamma": 0.95}
    # the smallest lambda is P(p > .2 | 11 of 40), and gamma ends at 1
    assert design["parameters"]["ranges"]["lambda"][0] == pytest.approx(0.8565413158, abs=1e-9)
    assert design["parameters"]["ranges"]["gamma"][1] == 1.0
    assert main(["design", *words]) == 0
    assert "the rule gives it with lambda = 0.86 and gamma = 0.95" in " ".join(capsys.readouterr().out.split())


def bounds(capsys, *words):
    assert main(["bounds", *words, "--json"]) == 0
    return looks_text(looks(json.loads(capsys.readouterr().out)))


def test_the_bounds_of_a_rule_are_those_of_its_module(capsys):
    fleming = ("--rule", "fleming", "--looks-at", "15,25", "--p0", ".2", "--alpha", ".05")
    assert bounds(capsys, *fleming) == "3:7/15,8/25"
    assert bounds(capsys, "--rule", "curtailed", "--base", "5/25", "--block", "5") == ":6/10,:6/15,0:6/20,5/25"
    bop2 = ("--rule", "bop2", "--looks-at", "10,20,30,40", "--p0", ".2", "--lambda", ".86", "--gamma", ".95")
    assert bounds(capsys, *bop2, "--prior", ".2,.8") == bounds(capsys, *bop2) == "1/10,3/20,7/30,11/40"
    assert bounds(capsys, *bop2, "--eta", "1") == "1:5/10,3:8/20,7:10/30,11/40"
    thall = ("--rule", "thall_simon", "--prior-e", ".6,1.4", "--prior-s", "15,35", "--delta", "0", "--theta-l", ".05")
    assert bounds(capsys, *thall, "--looks-at", "10,20,30", "--theta-u", ".95") == "0:7/10,2:11/20,14/30"
    assert bounds(capsys, *thall, "--looks-at", "5-7") == "/5,0/6,0/7"
    assert main(["bounds", *fleming, "--p1", ".4"]) == 0
    assert "0.723594" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rule", "x"], "--rule ('x') is unknown; write fleming, curtailed, lee_liu, bop2 or thall_simon"),
        (["--rule", "fleming", "--p0", ".2", "--alpha", ".05"], "--looks-at is missing; fleming needs it"),
        (
            ["--rule", "fleming", "--looks-at", "15,25", "--p0", ".2", "--alpha", ".05", "--base", "5/25"],
            "--base does not belong to fleming",
        ),
        (["--rule", "curtailed", "--base", "5/25", "--theta-f", ".1"], "--p1 is missing"),
        (["--rule", "bop2", "--looks-at", "9", "--p0", ".2", "--gamma", "1"], "--lambda is missing; bop2 needs it"),
        (
            ["--rule", "bop2", "--looks-at", "9", "--p0", ".2", "--gamma", "1", "--lambda", "2"],
            "--lambda (2) is not strictly between 0 and 1",
        ),
        (
            ["--rule", "thall_simon", "--looks-at", "9", "--prior-e", "1,1", "--prior-s", "1"],
            "--prior-s ('1') is not a prior; write its two numbers a,b",
        ),
        (["--rule", "curtailed", "--base", "5/25", "--cp", "x"], "--cp ('x') is unknown; write recursive or plain"),
    ],
)
def test_a_rule_that_lacks_something_is_refused_in_one_line(capsys, words, said):
    assert main(["bounds", *words]) == 2
    assert said in capsys.readouterr().err
