"""Designs whose limits hold as the trial is run: against the laws of the conduct, enumeration, and numbers by hand."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from simtrial import InputError, Requirements, SingleStage, TwoStage, parse_looks, search
from simtrial.cli.app import main
from simtrial.laws import laws
from simtrial.laws.losses import AMONG, AsRun
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import HANDLINGS, Interim, Plan, Scenario

ASKED = Requirements(0.15, 0.35, 0.05, 0.8)
LOSS = Dropout(0.08)
OPTIONS = ["--p0", ".15", "--p1", ".35", "--alpha", ".05", "--power", ".8"]


def run(handling="nonresponder", among="enrolled", loss=LOSS):
    return AsRun(loss=loss, handling=handling, among=among)


@pytest.mark.parametrize("looks", ["5/25", "1/9,8/34", "0/5,2:6/12,:9/20,8/40"])
@pytest.mark.parametrize("handling", HANDLINGS)
@pytest.mark.parametrize("loss", [LOSS, Dropout(0.3, 0.4)], ids=["independent", "informative"])
def test_what_a_design_attains_as_run_is_the_law_of_its_conduct(looks, handling, loss):
    design = parse_looks(looks)
    # accrual is held, so that nobody is enrolled while a look is pending
    plan = Plan(design, Constant(2.0), Disease(Assessments.fixed(2.0)), loss, handling=handling, interim=Interim(True))
    found = run(handling, "evaluable", loss).figures(design, ASKED)
    for rate, reject, enrolled in ((ASKED.p0, found.type_i_error, found.en_p0), (ASKED.p1, found.power, found.en_p1)):
        law = laws.exact_values(plan, Scenario("", rate), months=False)
        # rates have 12 digits, and no probability depends on a rate more than n-fold
        assert law["reject"] == pytest.approx(reject, abs=40e-12)
        assert law["n_enrolled"] == pytest.approx(enrolled, abs=40 * 40e-12)


def attained(r, n, p, lost):
    """P(X > r) among n enrolled, by the numbers evaluable and then by the responses among them: lists of fractions."""
    total = Fraction(0)
    for m in range(n + 1):
        evaluable = math.comb(n, m) * (1 - lost) ** m * lost ** (n - m)
        total += evaluable * sum(math.comb(m, x) * p**x * (1 - p) ** (m - x) for x in range(r + 1, m + 1))
    return total


@pytest.mark.parametrize("among", AMONG)
def test_the_first_single_stage_as_run_is_that_of_an_enumeration_in_fractions(among):
    asked, lost = Requirements(0.2, 0.6, 0.1, 0.8), Fraction(1, 5)
    p0, p1, alpha, power = Fraction(1, 5), Fraction(3, 5), Fraction(1, 10), Fraction(4, 5)
    null = Fraction(0) if among == "enrolled" else lost
    first = next(
        (r, n) for n in range(1, 40) for r in range(n)
        if attained(r, n, p0, null) <= alpha and attained(r, n, p1, lost) >= power
    )  # fmt: skip
    how = run(among=among, loss=Dropout(0.2))
    assert search.single_stage(how.asked(asked)).first.design == SingleStage(*first)


def test_the_optimum_as_run_is_that_of_an_enumeration():
    asked, how = Requirements(0.2, 0.6, 0.1, 0.8), run(loss=Dropout(0.1))
    best = search.two_stage(how.asked(asked)).optimal
    met = []
    for n in range(2, best.n + 4):
        for n1 in range(1, n):
            for r1 in range(n1):
                for r in range(r1 + 1, n1 + n - n1):
                    found = how.figures(TwoStage(r1, n1, r, n), asked)
                    if found.type_i_error <= asked.alpha and found.power >= asked.power:
                        met.append((found.en_p0, n, n1, r1, r))
    assert min(met)[1:] == (best.n, best.design.n1, best.design.r1, best.r)


def test_the_example_of_a_user_comes_out():
    # 8 % not evaluable: what was done by hand before
    paper = search.two_stage(ASKED).optimal
    assert paper.design == TwoStage(1, 9, 8, 34)
    found = run(among="evaluable").figures(paper, ASKED)
    assert (round(found.type_i_error, 4), round(found.power, 3)) == (0.0299, 0.726)
    assert search.two_stage(run(among="evaluable").asked(ASKED)).optimal.design == TwoStage(2, 14, 8, 36)


def test_p0_among_all_enrolled_keeps_the_type_i_error_whatever_is_lost():
    design = search.two_stage(run().asked(ASKED)).optimal
    for lost in np.linspace(0, 0.5, 6):
        assert run(among="evaluable", loss=Dropout(float(lost))).figures(design, ASKED).type_i_error <= ASKED.alpha


def test_replacing_needs_the_design_on_paper_and_more_patients():
    how = run("replace", loss=Dropout(0.2))
    assert how.asked(ASKED) == ASKED
    paper = search.two_stage(ASKED).optimal
    assert how.figures(paper, ASKED).en_p0 == pytest.approx(paper.en_p0 / 0.8, rel=1e-14)


def test_too_much_dropout_is_told_with_what_would_help():
    with pytest.raises(
        InputError, match=r"^dropout \(0\.6\) is too large: with 60% dropout only 14% of all enrolled patients respond"
    ):
        run(loss=Dropout(0.6)).asked(ASKED)


def test_the_command_adds_what_each_design_does_as_it_is_run(capsys):
    assert main(["design", *OPTIONS, "--json"]) == 0
    paper = json.loads(capsys.readouterr().out)
    assert "searched" not in paper
    assert main(["design", *OPTIONS, "--dropout", ".08", "--p0-among", "evaluable", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["searched"] == "run"
    optimal = found["two_stage"][-1]
    assert [optimal[name] for name in ("r1", "n1", "r", "n")] == [2, 14, 8, 36]
    assert optimal["as_run"].keys() == {"type_i_error", "power", "en_p0", "en_p1"}
    for design in (*found["two_stage"], *found["single_stage"].values()):
        assert design["as_run"]["type_i_error"] <= 0.05 < 0.8 <= design["as_run"]["power"] < design["power"]
    options = ["--dropout", ".08", "--p0-among", "evaluable", "--search", "paper", "--json"]
    assert main(["design", *OPTIONS, *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.pop("searched") == "paper"
    assert found.pop("dropout") == {
        "probability": 0.08, "odds_ratio": 1.0, "handling": "nonresponder", "p0_among": "evaluable", "bounds": None,
    }  # fmt: skip
    assert round(found["two_stage"][-1]["as_run"]["power"], 3) == 0.726
    for design in (*found["two_stage"], *found["single_stage"].values()):
        del design["as_run"]
    assert found == paper


def test_the_command_shows_the_usual_allowance_and_what_it_really_does(capsys):
    assert main(["design", *OPTIONS, "--dropout", ".08"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "with dropout of 8%: these patients are counted as non-responders; p0 is the rate among all enrolled patients"
        in said
    )
    assert "Simon optimal 1/10, 8/37 0.0759 0.810" in said
    assert "decides as a trial on paper does with p0 = 0.15 and p1 = 0.322" in said


def test_who_is_replaced_needs_no_allowance(capsys):
    assert main(["design", *OPTIONS, "--dropout", ".08", "--handling", "replace"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Simon optimal 1/9, 8/34 0.0474 0.811 20.7 33.7" in said
    assert "conventional allowance" not in said
    assert "as a trial on paper does" not in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--handling", "replace"], "--handling needs --dropout"),
        (
            ["--dropout", ".1", "--handling", "itt"],
            "--handling ('itt') is unknown; write nonresponder, replace or exclude",
        ),
        (["--dropout", ".1", "--p0-among", "x"], "--p0-among ('x') is unknown; write enrolled or evaluable"),
        (
            ["--dropout", ".1", "--handling", "replace", "--p0-among", "evaluable"],
            "--p0-among goes with --handling nonr",
        ),
        (["--dropout", ".1", "--search", "both"], "--search ('both') is unknown; write paper or run"),
        (["--dropout", "1"], "--dropout (1) is not below 1"),
        (["--dropout", "8"], "--dropout (8)"),
    ],
)
def test_a_slip_in_the_options_on_dropout_is_one_line(options, said, capsys):
    assert main(["design", *OPTIONS, *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"simtrial: {said}")


def test_too_much_dropout_is_told_with_the_rates_as_typed(capsys):
    options = ["--p0", ".25", "--p1", ".45", "--alpha", ".08", "--power", ".85", "--dropout", ".44"]
    assert main(["design", *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "simtrial: --dropout (0.44) is too large: with dropout of 44%, p1 = 0.45 becomes 0.252; p1 (0.252)"
    )
    assert "or raise --n-limit; or plan for less dropout" in said
    assert "n_limit" not in said


def test_the_dropout_is_not_blamed_for_rates_that_are_too_near_on_paper(capsys):
    options = ["--p0", ".25", "--p1", ".26", "--alpha", ".08", "--power", ".85", "--dropout", ".1"]
    assert main(["design", *options, "--handling", "exclude"]) == 2
    assert capsys.readouterr().err.startswith("simtrial: p1 (0.26) is too near p0 (0.25): even the most powerful test")


def test_the_help_states_what_holds_where_an_option_is_left_out(capsys):
    assert main(["design", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for default in ("nonresponder", "enrolled", "fixed", "1", "run"):
        assert f"[default: {default}]" in said
    assert "with --odds-ratio, of the patients who would not respond" in said
