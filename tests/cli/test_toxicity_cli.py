"""`simtrial toxicity`: its JSON to the letter, the counts to print, the endings beside a design, and refusals."""

import json
import math

import pytest

from simtrial.cli.app import main
from simtrial.cli.toxicity_beside import difference
from simtrial.design.designs import parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.toxicity.boundary import crossing, parse_boundary
from simtrial.toxicity.calibrate import calibrated
from simtrial.toxicity.joint import endings
from simtrial.toxicity.kinds import BoundaryShape

ASKED = ["toxicity", "--rate", ".2", "--crossing", ".05", "--looks-at", "1-30", "--unacceptable", ".4"]
TYPES = {
    "pocock": ([], {}), "obf": ([], {}), "wang_tsiatis": (["--delta", ".25"], {"delta": 0.25}),
    "bayes": (["--prior", "1,4"], {"prior": (1.0, 4.0)}), "sprt": ([], {"unacceptable": 0.4}),
}  # fmt: skip


def answered(capsys, *words):
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_is_answered_by_its_calibration_in_full_precision(capsys, kind):
    words, given = TYPES[kind]
    found = answered(capsys, *ASKED, "--type", kind, *words)
    wanted = calibrated(BoundaryShape(kind, 0.2, **given), range(1, 31), 0.05)
    assert found["stop_if_at_least"] == [{"n": look.n, "b": look.b} for look in wanted.boundary.looks]
    assert found["parameter"] == list(wanted.parameter)
    at = crossing(wanted.boundary, [0.2, 0.4])
    assert (found["p"], found["crossing"], found["en"]) == ([0.2, 0.4], at.ever.tolist(), at.en.tolist())
    assert found["crossing_before_last"] == at.before_last.tolist()
    assert set(found) == {
        "stop_if_at_least", "parameter", "crossing", "en", "p", "crossing_before_last", "type", "rate", "limit",
        "attained",
    }  # fmt: skip


def test_rates_are_those_given_and_by_default_the_acceptable_one(capsys):
    plain = ["toxicity", "--rate", ".2", "--crossing", ".05", "--looks-at", "10,20", "--type", "pocock"]
    assert answered(capsys, *plain)["p"] == [0.2]
    assert answered(capsys, *plain, "--p", "0", "--p", "1")["p"] == [0, 1]
    assert answered(capsys, *plain, "--p", "0", "--p", "1")["crossing"] == [0, 1]


def test_an_end_without_a_number_is_null(capsys):
    words = ["--rate", ".001", "--unacceptable", ".3", "--crossing", ".5", "--looks-at", "1-3", "--type", "sprt"]
    found = answered(capsys, "toxicity", *words)
    assert [look["b"] for look in found["stop_if_at_least"]] == [1, 1, 1]
    assert found["parameter"][0] is None
    assert main(["toxicity", *words]) == 0
    assert "log-likelihood ratio up to" in capsys.readouterr().out


def test_counts_that_are_given_are_evaluated(capsys):
    found = answered(capsys, "toxicity", "--boundary", "-/5,3/10,5/20", "--p", ".2")
    assert found["stop_if_at_least"] == [{"n": 5, "b": None}, {"n": 10, "b": 3}, {"n": 20, "b": 5}]
    assert (found["parameter"], found["type"]) == (None, None)
    assert found["crossing"] == crossing(parse_boundary("3/10,5/20"), [0.2]).ever.tolist()


def test_beside_a_response_design_every_ending_is_exact(capsys):
    words = ["--looks", "1/10,5/29", "--response-rate", ".1", "--response-rate", ".3", "--odds-ratio", "3"]
    found = answered(capsys, *ASKED, "--type", "pocock", *words)
    counts = parse_boundary(",".join(f"{look['b'] or '-'}/{look['n']}" for look in found["stop_if_at_least"]))
    design = parse_looks("1/10,5/29")
    joint = found["joint"]
    assert joint["odds_ratio"] == 3
    pairs = [(one["toxicity_rate"], one["p"]) for one in joint["endings"]]
    assert pairs == [(0.2, 0.1), (0.2, 0.3), (0.4, 0.1), (0.4, 0.3)]
    for one in joint["endings"]:
        ended = endings(design, counts, p=one["p"], toxicity=one["toxicity_rate"], odds_ratio=3)
        assert one["shares"] == ended.shares
        assert (one["reject"], one["en"]) == (ended.reject, ended.en)
        oc = operating_characteristics(design, one["p"])
        assert one["reject_alone"] == pytest.approx(float(oc.reject), abs=1e-13)
        assert one["reject_least"] <= one["reject"] <= one["reject_most"] <= one["reject_alone"]


def test_people_are_told_both_conventions_the_last_look_the_interval_and_the_window(capsys):
    words = ["--looks", "1/10,5/29", "--response-rate", ".3", "--window-weeks", "6"]
    assert main([*ASKED, "--type", "obf", *words]) == 0
    told = capsys.readouterr().out
    flat = " ".join(told.split())
    assert "13 to 17 8 7 " in flat  # looks with one count stand together
    for said in (
        "stop if at least", "largest acceptable", "P(crossed) counts a crossing at the last look too",
        "up to, but not including,", "within 6 weeks after enrollment", "does not wait for pending patients",
        "what the boundary takes from type I error and power", "at more than 29 patients is never reached",
    ):  # fmt: skip
        assert said in flat
    assert max(len(line.rstrip()) for line in told.splitlines()) <= 120
    assert main([*ASKED, "--type", "bayes", "--looks", ":4/10,5/29", "--response-rate", ".3"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "posterior probability exceeds any number from" in told
    assert "its extremes over all associations are not given" in told
    assert "0 is Pocock" not in told


def test_two_conventions_of_the_exponent_are_told_where_an_exponent_is_given_only(capsys):
    said = ("The exponent delta is 0.125 where 0 is Pocock's boundary", "in R stoppingrule, it is 0.375.")
    assert main([*ASKED, "--type", "wang_tsiatis", "--delta", ".125"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert all(one in told for one in said)
    for kind in ("pocock", "obf"):
        assert main([*ASKED, "--type", kind]) == 0
        assert "stoppingrule" not in capsys.readouterr().out


def test_a_difference_has_as_many_digits_as_the_probabilities_beside_it(capsys):
    assert main([*ASKED, "--type", "obf", "--looks", "1/10,5/29", "--response-rate", ".3"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    found = {row[0]: [float(cell) for cell in row[2:5]] for row in rows if row[1:2] == ["0.3"] and len(row) == 7}
    assert set(found) == {"0.2", "0.4"}
    for alone, here, lost in found.values():
        assert lost == pytest.approx(here - alone, abs=1.01e-3)  # both are rounded to three digits
    assert [difference(value) for value in (-0.00234, -0.0394, -0.549, 0.0, -1e-16, 0.25)] == [
        "-0.00234", "-0.0394", "-0.549", "0", "0", "0.250",
    ]  # fmt: skip


def test_every_option_that_is_missing_is_named_at_once(capsys):
    for words, said in (
        ([], "--type, --rate, --crossing, --looks-at; such as simtrial toxicity --type pocock"),
        (
            ["--type", "sprt", "--crossing", ".05"],
            "--rate, --looks-at, --unacceptable; such as simtrial toxicity --typ",
        ),
        (["--type", "obf", "--rate", ".2", "--looks", "5/25"], "--crossing, --looks-at, --response-rate; such as"),
        (["--boundary", "3/10", "--looks", "5/25"], "--p, --response-rate\n"),
    ):
        assert main(["toxicity", *words]) == 2
        assert capsys.readouterr().err.startswith(f"simtrial: Missing options {said}")


def test_a_count_that_falls_is_asked_about_and_evaluated_all_the_same(capsys):
    words = ["--p", ".2", "--json"]
    for boundary, falls in (("3/10,2/20", "from 3 of 10 to 2 of 20"), ("-/5,4/9,-/12,3/40", "from 4 of 9 to 3 of 40")):
        assert main(["toxicity", "--boundary", boundary, *words]) == 0
        out, err = capsys.readouterr()
        assert f"Warning: the count falls {falls}, although counts are cumulative" in err
        assert json.loads(out)["crossing"] == crossing(parse_boundary(boundary), [0.2]).ever.tolist()
    assert main(["toxicity", "--boundary", "3/10,3/20,4/30", *words]) == 0
    assert capsys.readouterr().err == ""
    # a boundary of a type may fall as well, as its level rises with the patients: nobody mistyped it
    falling = ["--type", "obf", "--rate", ".005", "--crossing", ".01", "--looks-at", "10,40", "--json"]
    assert main(["toxicity", *falling]) == 0
    out, err = capsys.readouterr()
    assert [look["b"] for look in json.loads(out)["stop_if_at_least"]] == [4, 3]
    assert err == ""


@pytest.mark.parametrize(
    ("kind", "usual"), [("wang_tsiatis", ("--delta", "0.25")), ("sprt", ("--unacceptable", "0.35"))]
)
def test_what_a_type_takes_besides_has_a_usual_value(capsys, kind, usual):
    words = ["toxicity", "--type", kind, "--rate", ".2", "--crossing", ".05", "--looks-at", "1-30", "--p", ".2"]
    found = []
    for more in ((), usual):
        assert main([*words, *more, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert ("exponent 0.25" if kind == "wang_tsiatis" else "ratio of 35% to 20%") in " ".join(said.split())


def test_each_number_of_a_prior_that_is_wrong_is_named(capsys):
    assert main([*ASKED, "--type", "bayes", "--prior", "0,0"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("simtrial: --prior a (0) is not above 0")
    assert second.startswith("simtrial: --prior b (0) is not above 0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--type", "geller"], "--type ('geller') is unknown"),
        (["--type", "pocock", "--boundary", "3/10"], "--type takes the place of --boundary"),
        (["--boundary", "3/10", "--crossing", ".05"], "--crossing does not go with --boundary"),
        (["--boundary", "3/10"], "--p: is missing"),
        (["--boundary", "-/10", "--p", ".2"], "--boundary stops for nothing at all"),
        (["--boundary", "3", "--p", ".2"], "--boundary ('3') does not have the form B/N"),
        (["--type", "pocock", "--crossing", ".05", "--looks-at", "1-30"], "--rate: is missing"),
        (["--type", "pocock", "--rate", ".2", "--looks-at", "1-30"], "--crossing: is missing"),
        (["--type", "pocock", "--rate", ".2", "--crossing", ".05"], "--looks-at: is missing"),
        ([*ASKED[1:], "--type", "pocock", "--delta", ".1"], "--delta belongs to wang_tsiatis only"),
        ([*ASKED[1:], "--type", "bayes", "--prior", "1,2,3"], "--prior (1,2,3) is not two numbers"),
        (["--type", "sprt", "--rate", ".9", "--crossing", ".05", "--looks-at", "10"], "--unacceptable: is missing"),
        (["--type", "obf", "--rate", ".4", "--unacceptable", ".2", "--crossing", ".05", "--looks-at", "9"],
         "--unacceptable (0.2) is not above the acceptable rate (0.4)"),
        (["--type", "obf", "--rate", ".2", "--crossing", ".01", "--looks-at", "2"], "--crossing (0.01) is below 0.04"),
        (["--type", "pocock", "--rate", ".2", "--crossing", ".001", "--looks-at", "3"], "(stop if 3 of 3); allow"),
        (["--type", "sprt", "--rate", ".2", "--crossing", ".05", "--looks-at", "10", "--unacceptable", ".1"],
         "--unacceptable (0.1) is not above the acceptable rate (0.2)"),
        (["--type", "obf", "--rate", ".2", "--crossing", ".01", "--looks-at", "9,2"], "--looks-at (9,2) does not inc"),
        ([*ASKED[1:], "--type", "obf", "--odds-ratio", "2"], "--odds-ratio goes with --looks only"),
        ([*ASKED[1:], "--type", "obf", "--looks", "5/25"], "--response-rate: is missing"),
        (["--boundary", "3/10", "--p", ".2", "--looks", "2/9", "--response-rate", ".3"], "--looks ends at 9 patients"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_in_one_line_with_the_option(capsys, words, said):
    assert main(["toxicity", *words, "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said.replace(": is", " is") in err


def test_a_crossing_probability_is_a_number_of_the_program_in_full(capsys):
    found = answered(capsys, *ASKED, "--type", "pocock")
    assert math.isclose(found["crossing"][0], found["attained"], rel_tol=1e-12)
    assert 0.049 < found["attained"] <= 0.05
