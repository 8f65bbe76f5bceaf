"""`simtrial design --family bryant_day`: answers for people and programs, and refusals."""

import json
import math

import pytest

from simtrial.cli.app import main
from simtrial.search import bryant_day
from simtrial.search.bryant_day import BothBounds, BothRates, law

NUMBERS = {"r0": 0.2, "r1": 0.4, "t0": 0.7, "t1": 0.85, "alpha_r": 0.15, "alpha_t": 0.15, "power": 0.8}
ASKED = BothRates(**NUMBERS)
QUESTION = [word for name, value in NUMBERS.items() for word in (f"--{name.replace('_', '-')}", str(value))]
FAMILY = ["--family", "bryant_day"]
BOUNDS = ("n1", "c_r1", "c_t1", "n", "c_r", "c_t")


def answered(capsys, *words):
    assert main(["design", *FAMILY, *QUESTION, *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words):
    assert main(["design", *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    return [line for line in shown.err.splitlines() if not line.endswith(" ...")]


@pytest.mark.parametrize("phi", [None, "worst", "independence"])
def test_the_answer_is_that_of_the_search_in_the_agreed_form(capsys, phi):
    found = answered(capsys, *([] if phi is None else ["--phi", phi]))
    searched = bryant_day.search(ASKED, phi=phi or "worst")
    assert set(found) == {"requirements", "family", "designs", "certificate"}
    assert (found["requirements"], found["family"]) == (NUMBERS, "bryant_day")
    assert [one["kinds"] for one in found["designs"]] == [["optimal"], ["minimax"]]
    for told, one in zip(found["designs"], (searched.optimal, searched.minimax), strict=True):
        assert BothBounds(**{name: told[name] for name in BOUNDS}) == one.design
        assert told["phi"] == (phi or "worst")
        assert set(told["recommend"]) == set(told["en"]) == {"R0T1", "R1T0", "R0T0", "R1T1"}
        assert told["keeps_at_every_association"] == one.keeps
        for name, end in (("0", 0), ("1", 1), ("inf", math.inf)):
            for corner in bryant_day.CORNERS:
                at = law(one.design, *ASKED.at(corner), end)
                assert told["association"][name]["recommend"][corner] == pytest.approx(float(at.recommend), abs=1e-15)
                assert told["association"][name]["en"][corner] == pytest.approx(float(at.en), abs=1e-12)
    assert set(found["certificate"]) == {"n_lower", "n_upper", "value", "bound", "gap", "how", "cap"}
    assert found["certificate"] == found["designs"][0]["certificate"]
    assert found["certificate"]["value"] == pytest.approx(searched.optimal.value, abs=1e-12)


def test_in_the_worst_case_each_limit_stands_at_the_end_that_is_nearest_to_breaking_it(capsys):
    for one in answered(capsys)["designs"]:
        ends = one["association"]
        for corner in ("R0T1", "R1T0"):
            assert one["recommend"][corner] == ends["inf"]["recommend"][corner] <= 0.15
            assert ends["0"]["recommend"][corner] < ends["inf"]["recommend"][corner]
        assert one["recommend"]["R1T1"] == ends["0"]["recommend"]["R1T1"] >= 0.8
        assert one["en"] == ends["inf"]["en"]


def test_one_criterion_may_be_asked_for(capsys):
    (design,) = answered(capsys, "--criterion", "minimax")["designs"]
    assert (design["kinds"], design["n"]) == (["minimax"], 36)


def test_a_design_that_is_both_stands_once(capsys):
    words = ["--r0=.3", "--r1=.5", "--t0=.6", "--t1=.8", "--alpha-r=.15", "--alpha-t=.15", "--power=.85"]
    assert main(["design", *FAMILY, *words, "--json"]) == 0
    (design,) = json.loads(capsys.readouterr().out)["designs"]
    assert design["kinds"] == ["optimal", "minimax"]


def test_people_read_rule_limits_warning_and_paragraph(capsys):
    assert main(["design", "--family=bryant-day", *QUESTION, "--phi", "independence"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in (
        "Bryant-Day optimal 17 3 12 40 10 30 26.35",
        "(r1, t0) <= 0.15 0.111 0.145 0.154 *",
        "Warning: the limits hold under independence, but not at every association",
        "stop if at most 3 patients respond or at most 12 are without toxicity, which means that at least 5 have a",
        "Bryant-Day optimal: fewer than 27 patients cannot be enough, as even the best test of one of the endpoints",
        "Paragraph for the protocol (Bryant-Day optimal):",
    ):
        assert part in said
    assert main(["design", *FAMILY, *QUESTION]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The limits hold at every association of response and toxicity" in said
    assert "with fewer than 36 patients no design meets the limits; of the designs with 36, none has a smaller" in said
    assert "Warning" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--p0", ".1"], "--p0 does not go with --family bryant_day"),
        (["--alpha", ".1"], "--alpha does not go with --family bryant_day"),
        (["--looks-at", "10,20"], "--looks-at does not go with --family bryant_day"),
        (["--balanced"], "--balanced does not go with --family bryant_day"),
        (["--cap", "50"], "--cap does not go with --family bryant_day"),
        (["--flexible", "3"], "--flexible does not go with --family bryant_day"),
        (["--dropout", ".1"], "--dropout does not go with --family bryant_day"),
        (["--search", "paper"], "--search does not go with --family bryant_day"),
        (["--phi", "1"], "--phi ('1') is unknown; write worst or independence"),
        (["--criterion", "en_p0"], "--criterion ('en_p0') is unknown; write optimal or minimax"),
        (["--r1", "3"], "r1 (3) is not strictly between 0 and 1"),
        (["--t1", ".6"], "if rates of toxicity were given, write t0 = 0.3 and t1 = 0.4"),
        (["--alpha-t", ".95"], "--alpha-t (0.95) exceeds 0.5; did you mean 0.05"),
        (["--power", ".2"], "power (0.2) is below 0.5; did you mean 0.8 (1 - beta)?"),
        (["--n-limit", "30"], "--n-limit (30) is too small: no design with at most 30 patients"),
    ],
)
def test_what_does_not_go_with_the_family_is_refused_in_one_line(capsys, words, said):
    (line,) = refused(capsys, *FAMILY, *QUESTION, *words)
    assert said in line


def test_its_own_numbers_are_required_and_go_with_it_only(capsys):
    (line,) = refused(capsys, *FAMILY, "--r0", ".2", "--power", ".8")
    assert "Missing options --r1, --t0, --t1, --alpha-r, --alpha-t; write simtrial design" in line
    one_endpoint = ["--p0", ".1", "--p1", ".3", "--alpha", ".05", "--power", ".8"]
    for option, value in (("--t0", ".7"), ("--alpha-r", ".1"), ("--phi", "worst")):
        (line,) = refused(capsys, *one_endpoint, option, value)
        assert f"{option} goes with --family bryant_day only" in line
    (line,) = refused(capsys, *one_endpoint, "--family", "simon", "--r1", ".4")
    assert "--r1 ('.4') is not a whole number; as a response rate --r1 goes with --family bryant_day" in line
    # what one command line requires does not stay required of the next
    assert "Missing options --p1, --alpha, --power" in refused(capsys, "--p0", ".1")[0]


@pytest.mark.parametrize("form", [["--json"], []])
def test_rates_that_seem_reversed_are_asked_about_beside_either_answer(capsys, form):
    turned = ["--r0=.1", "--r1=.3", "--t0=.15", "--t1=.3", "--alpha-r=.1", "--alpha-t=.1", "--power=.8"]
    assert main(["design", *FAMILY, *turned, *form]) == 0
    out, err = capsys.readouterr()
    assert "most patients would have a toxicity at the acceptable rate" in err
    assert "Warning: most" not in out
    if form:
        assert json.loads(out)["family"] == "bryant_day"


def test_a_low_power_may_be_meant(capsys):
    found = answered(capsys, "--power", ".45", "--low-power")
    assert found["designs"][0]["recommend"]["R1T1"] >= 0.45


def test_the_help_names_its_options(capsys):
    assert main(["design", *FAMILY, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "rate of patients WITHOUT toxicity, acceptable. [required]" in said
    assert "--p0 RATE Response rate not worth pursuing. --p1" in said
    assert main(["design", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for option in ("--p0 RATE Response rate not worth pursuing.", "--alpha RATE Largest type I error, one-sided."):
        assert f"{option} [required, but for bryant_day]" in said
    assert "--power RATE Smallest power at p1, or at r1 and t1. [required] " in said
    assert "--phi" in said
