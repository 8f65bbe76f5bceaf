"""Analysis after an adaptive two-stage design: an order that follows the decision, and estimates by counting."""

import csv
import json
import math
import random
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from simtrial.analysis import conditional_order, inference, unbiased
from simtrial.analysis.branching import final
from simtrial.analysis.other_second_stage import p_value_at, rejects_at
from simtrial.cli.app import main
from simtrial.design.branching import Branching, parse_branching
from simtrial.design.designs import TwoStage
from simtrial.design.second_stages import SecondStage
from simtrial.errors import InputError
from simtrial.report import front
from simtrial.trial import params
from simtrial.trial.case import Case

with Path("tests/reference/families/adaptive.csv").open(encoding="utf-8") as _file:
    PUBLISHED = [row for row in csv.DictReader(_file) if "Englert" in row["source"]]

TABLE = "0:A|1:10/2|2:22/4|3:15/3|4:R|5:R|6:R|7:R|8:R|9:R|10:R|11:R"
"""Englert and Kieser's for 0.05 and 0.25."""


def drawn(rng):
    """Any table of up to 5 and 6 patients: stops anywhere, second stages that cannot change the decision too."""
    n1 = rng.randint(1, 5)
    rows = []
    for x in range(n1 + 1):
        n2 = rng.randint(1, 6)
        rows.append(rng.choice(["accept", "reject", *[SecondStage(n2, rng.randint(0, x + n2 - 1))] * 4]))
    return Branching(n1, tuple(rows))


def chance(design, outcome, p):
    """P(outcome; p) as a fraction, from the definition of the trial."""
    x1, x2 = outcome
    n1, n2 = design.n1, design.n2[x1]
    ways = math.comb(n1, x1) * math.comb(n2, x2)
    return ways * p ** (x1 + x2) * (1 - p) ** (n1 + n2 - x1 - x2)


def rejecting(design, outcome):
    """The decision, from the words of the table."""
    x1, x2 = outcome
    row = design.after[x1]
    return x1 + x2 > row.r if isinstance(row, SecondStage) else row == "reject"


TABLES = [drawn(random.Random(seed)) for seed in range(60)]
RATES = ["0.05", "0.2", "0.35", "0.6"]


def rejected(design, p):
    """P(reject H0; p), outcome by outcome."""
    return sum(chance(design, one, p) for one in conditional_order.outcomes(design) if rejecting(design, one))


def p_values(design, p0):
    """The p-value of every outcome as a fraction, summed over the outcomes of its set one by one."""
    found = {}
    for one in conditional_order.outcomes(design):
        inside = conditional_order.as_high(design, float(p0), one)
        found[one] = sum(
            chance(design, other, p0) for other in conditional_order.outcomes(design) if rejecting(inside, other)
        )
    return found


@pytest.mark.parametrize("rate", RATES)
def test_the_p_value_is_at_most_the_type_i_error_exactly_when_h0_is_rejected(rate):
    p0 = Fraction(rate)
    for design in TABLES:
        type_i_error = rejected(design, p0)
        for outcome, p_value in p_values(design, p0).items():
            # a rejection region of probability 0 has no outcome that could have p-value 0
            assert (p_value <= type_i_error) == rejecting(design, outcome)


@pytest.mark.parametrize("rate", RATES)
def test_no_p_value_is_attained_more_often_than_it_says_under_h0(rate):
    p0 = Fraction(rate)
    for design in TABLES:
        found = p_values(design, p0)
        for limit in found.values():
            assert sum(chance(design, one, p0) for one, value in found.items() if value <= limit) <= limit


def test_the_sets_of_outcomes_as_high_as_one_are_nested_and_hold_it_and_its_ties():
    for design in TABLES:
        every = list(conditional_order.outcomes(design))
        sets = {one: {o for o in every if rejecting(conditional_order.as_high(design, 0.2, one), o)} for one in every}
        above = {one: {o for o in every if rejecting(conditional_order.higher(design, 0.2, one), o)} for one in every}
        for one, other in product(every, every):
            assert sets[one] <= sets[other] or sets[other] <= sets[one]
            assert (other in sets[one]) == (one not in above[other])
        assert all(one in sets[one] and one not in above[one] for one in every)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row['p0']}-{row['p1']}-{row['power']}")
def test_published_tables_are_analysed_in_line_with_their_decision(row):
    design, p0 = parse_branching(row["rule"]), float(row["p0"])
    type_i_error = float(row["type_i_error"])
    lowest = 0.0
    for one in conditional_order.outcomes(design):
        p_value = float(conditional_order.as_high(design, p0, one).at(p0).reject)
        assert (p_value <= type_i_error + 1e-9) == rejecting(design, one)  # the file has ten decimals
        if rejecting(design, one):
            lowest = max(lowest, p_value)
    assert lowest == pytest.approx(type_i_error, abs=1e-9)


def test_more_responses_in_the_second_stage_are_never_lower():
    for design in TABLES:
        for x1, n2 in enumerate(design.n2):
            values = [
                rejected(
                    conditional_order.as_high(design, 0.2, conditional_order.StagewiseOutcome(x1, x2)), Fraction(1, 5)
                )
                for x2 in range(n2 + 1)
            ]
            assert values == sorted(values, reverse=True)
            assert len(set(values)) == n2 + 1


def test_the_estimate_from_patients_and_responses_is_unbiased():
    for design in TABLES:
        for p in (Fraction(1, 7), Fraction(1, 2), Fraction(9, 11)):
            mean = sum(
                chance(design, (x1, x2), p) * unbiased.mean_of_first(design, design.n1 + design.n2[x1], x1 + x2)
                for x1, x2 in conditional_order.outcomes(design)
            )
            assert mean == p


def test_the_bias_of_the_share_is_that_of_the_enumeration():
    for design in TABLES[:20]:
        p = Fraction(3, 10)
        mean = sum(
            chance(design, (x1, x2), p) * Fraction(x1 + x2, design.n1 + design.n2[x1])
            for x1, x2 in conditional_order.outcomes(design)
        )
        assert float(unbiased.bias_of_share(design, 0.3)) == pytest.approx(float(mean - p), abs=1e-14)


def test_completeness_is_full_rank_in_fractions():
    def rank(rows):
        rows, done = [list(row) for row in rows], 0
        for column in range(len(rows[0])):
            pivot = next((k for k in range(done, len(rows)) if rows[k][column]), None)
            if pivot is None:
                continue
            rows[done], rows[pivot] = rows[pivot], rows[done]
            for k in range(done + 1, len(rows)):
                share = rows[k][column] / rows[done][column]
                rows[k] = [a - share * b for a, b in zip(rows[k], rows[done], strict=True)]
            done += 1
        return done

    kinds = set()
    for design in [*TABLES, parse_branching("0:A|1:3/1|2:3/1"), parse_branching("0:A|1:3/1|2:R")]:
        points = unbiased.totals(design)
        at = [Fraction(k, design.n_max + 2) for k in range(1, design.n_max + 2)]
        rows = [[p**x * (1 - p) ** (n - x) for p in at] for n, x in points]
        complete = rank(rows) == len(points)
        assert unbiased.is_complete(design) == complete
        kinds.add(complete)
    assert kinds == {True, False}


def test_a_table_of_ten_thousand_patients_is_examined_only_where_it_is_quick():
    assert unbiased.is_complete(Branching(2, ("accept", SecondStage(9990, 500), SecondStage(9990, 500)))) is True
    assert unbiased.is_complete(Branching(2, ("accept", SecondStage(9990, 500), "reject"))) is None
    assert unbiased.is_complete(Branching(2, ("accept", SecondStage(9990, 500), SecondStage(9000, 500)))) is False


def test_a_table_of_simons_form_has_the_unbiased_estimate_of_simons_design():
    design = Branching(10, (*["accept"] * 2, *[SecondStage(19, 5)] * 9))
    assert unbiased.is_complete(design)
    for x in (2, 3, 6, 11, 29):
        theirs = inference.analyze(TwoStage(r1=1, n1=10, r=5, n=29), x, 0.1, 2)
        assert float(unbiased.mean_of_first(design, 29, x)) == pytest.approx(theirs.estimates["umvue"], abs=1e-12)
    ours = final(design, 0.1, 6, first_stage=2)
    theirs = inference.analyze(TwoStage(r1=1, n1=10, r=5, n=29), 6, 0.1, 2)
    assert ours.p_value == pytest.approx(theirs.p_value, abs=1e-12)  # at the boundary both are the type I error


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5])
def test_the_interval_covers_the_true_rate_as_often_as_it_says_and_half_of_the_estimates_are_no_larger(p):
    design = parse_branching(TABLE)
    covered, above, below, larger = 0.0, 0.0, 0.0, 0.0
    for x1, x2 in conditional_order.outcomes(design):
        mass = float(chance(design, (x1, x2), Fraction(str(p))))
        if mass < 1e-7:
            continue
        found = final(design, 0.05, x1 + x2, first_stage=x1, level=0.9)
        low, high = found.intervals["exact"]
        covered += mass * (low <= p <= high)
        above += mass * (low > p)
        below += mass * (high < p)
        larger += mass * (found.estimates["median_unbiased"] > p)
    assert covered >= 0.9
    assert above <= 0.05
    assert below <= 0.05
    assert larger <= 0.5


def test_limits_and_estimate_solve_their_equations():
    design = parse_branching(TABLE)
    found = final(design, 0.05, 6, first_stage=2)
    one = conditional_order.StagewiseOutcome(2, 4)
    low, high = found.intervals["exact"]
    inside, above = conditional_order.as_high(design, 0.05, one), conditional_order.higher(design, 0.05, one)
    assert float(inside.at(low).reject) == pytest.approx(0.025, abs=1e-10)
    assert float(above.at(high).reject) == pytest.approx(0.975, abs=1e-10)
    assert float(inside.at(found.estimates["median_unbiased"]).reject) == pytest.approx(0.5, abs=1e-10)
    assert found.rises


def test_a_probability_that_falls_gives_the_hull_and_says_so():
    # after one response H0 is rejected, after two never: likelier at small rates
    design = Branching(2, ("accept", "reject", "accept"))
    found = final(design, 0.2, 1)
    low, high = found.intervals["exact"]
    grid = np.linspace(0, 1, 2001)
    kept = grid[design.at(grid).reject > 0.025]
    assert not found.rises
    assert kept[-1] < 1.0
    assert low == pytest.approx(kept[0], abs=1e-3)
    assert high == 1.0  # no outcome is higher


@pytest.mark.parametrize("rate", ["0.1", "0.3"])
def test_the_conditional_error_keeps_the_type_i_error_for_every_rule_of_the_second_size(rate):
    p0 = Fraction(rate)
    rng = random.Random(11)
    for design in TABLES:
        limit = rejected(design, p0)
        for _ in range(4):
            sizes = [rng.randint(0, 9) for _ in range(design.n1 + 1)]
            error = sum(
                math.comb(design.n1, x1) * p0**x1 * (1 - p0) ** (design.n1 - x1)
                * math.comb(n2, x2) * p0**x2 * (1 - p0) ** (n2 - x2)
                for x1, n2 in enumerate(sizes) for x2 in range(n2 + 1)
                if rejects_at(design, float(p0), x1, n2, x2)
            )  # fmt: skip
            assert error <= limit


def test_a_second_stage_of_the_planned_size_is_decided_as_the_table_says():
    for design in TABLES:
        for x1, x2 in conditional_order.outcomes(design):
            assert rejects_at(design, 0.2, x1, design.n2[x1], x2) == rejecting(design, (x1, x2))


def test_the_p_value_at_other_sizes_follows_the_decision_and_is_valid():
    p0 = 0.2
    rng = random.Random(5)
    for design in TABLES:
        sizes = [rng.randint(1, 9) if more else 0 for more in design.n2]
        type_i_error = float(design.at(p0).reject)
        found = []
        for x1, n2 in enumerate(sizes):
            for x2 in range(n2 + 1):
                mass = (
                    math.comb(design.n1, x1) * math.comb(n2, x2) * p0 ** (x1 + x2)
                    * (1 - p0) ** (design.n1 + n2 - x1 - x2)
                )  # fmt: skip
                if n2:
                    value = p_value_at(design, p0, x1, n2, x2)
                    assert (value <= type_i_error * (1 + 1e-9)) == rejects_at(design, p0, x1, n2, x2)
                else:
                    one = conditional_order.StagewiseOutcome(x1, 0)
                    value = float(conditional_order.as_high(design, p0, one).at(p0).reject)
                found.append((value, mass))
        for limit, _ in found:
            assert sum(mass for value, mass in found if value <= limit) <= limit + 1e-12


def test_at_a_planned_size_the_p_value_by_conditional_error_is_never_smaller():
    design = parse_branching(TABLE)
    for x1, x2 in conditional_order.outcomes(design):
        if design.n2[x1]:
            exact = float(
                conditional_order.as_high(design, 0.05, conditional_order.StagewiseOutcome(x1, x2)).at(0.05).reject
            )
            assert p_value_at(design, 0.05, x1, design.n2[x1], x2) >= exact - 1e-12


def test_patients_after_a_first_stage_that_ended_the_trial_do_not_count():
    design = parse_branching(TABLE)
    found = final(design, 0.05, 6, first_stage=4, n2=25)
    alone = final(design, 0.05, 4, first_stage=4)
    assert (found.after, found.after_responses) == (25, 2)
    assert (found.p_value, found.estimates, found.n) == (alone.p_value, alone.estimates, 11)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"responses": 6}, "first_stage"),
        ({"responses": 40, "first_stage": 2}, "responses"),
        ({"responses": 9, "first_stage": 4}, "responses"),
        ({"responses": 40, "first_stage": 2, "n2": 30}, "responses"),
        ({"responses": 12, "first_stage": 12}, "first_stage"),
        ({"responses": 6, "first_stage": 2, "sides": 3}, "sides"),
    ],
)
def test_numbers_that_cannot_be_are_refused_by_name(given, field):
    with pytest.raises(InputError) as refused:
        final(parse_branching(TABLE), 0.05, **given)
    assert refused.value.field == field


def test_the_printed_p_value_follows_the_decision_to_the_last_digit():
    for design in (parse_branching(TABLE), TABLES[0]):
        for x1, x2 in conditional_order.outcomes(design):
            if abs(x1 + x2 - 3) <= 1:
                found = final(design, 0.2, x1 + x2, first_stage=x1)
                assert (found.p_value <= found.type_i_error) == found.reject == rejecting(design, (x1, x2))


def test_the_first_stage_may_be_left_out_where_it_follows():
    design = parse_branching(TABLE)
    assert final(design, 0.05, 0).seen == (0, 0)
    assert final(design, 0.05, 24).seen == (2, 22)


def test_analyze_answers_for_a_table_in_json(capsys):
    words = ["analyze", "--rule", TABLE, "--p0", ".05", "--responses", "6", "--first-stage", "2", "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    direct = final(parse_branching(TABLE), 0.05, 6, first_stage=2)
    assert found["decision"] == "reject"
    assert found["p_value"] == direct.p_value
    assert found["interval"] == list(direct.intervals["exact"]) == found["intervals"]["exact"]
    assert set(found["estimates"]) == {"mle", "umvue", "median_unbiased"}
    assert found["conditional_error"] == pytest.approx(0.0948, abs=5e-5)


def test_a_table_may_be_given_as_looks_too(capsys):
    words = ["--p0", ".05", "--responses", "6", "--first-stage", "2"]
    said = []
    for option in ("--rule", "--looks"):
        assert main(["analyze", option, TABLE, *words]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--responses", "6"], "--first-stage is missing"),
        (["--responses", "6", "--first-stage", "2", "--attained", "12,30"], "--attained (12) is not 11"),
        (["--responses", "6", "--first-stage", "2", "--stage", "2"], "--stage does not go with --rule"),
        (["--responses", "6", "--first-stage", "2", "--ordering", "mle"], "--ordering does not go with --rule"),
        (["--first-stage", "2"], "--responses is missing"),
        (["--responses", "6", "--first-stage", "2", "--looks", "1/10,5/29"], "--looks does not go with --rule"),
    ],
)
def test_analyze_refuses_options_that_do_not_go_with_a_table(capsys, words, said):
    assert main(["analyze", "--rule", TABLE, "--p0", ".05", *words]) == 2
    assert said in capsys.readouterr().err


def adaptive_file(root, folder, **analysis):
    """A parameter file with an adaptive design and its results."""
    plain = params.load(root / "params/NCT07022301.yaml").plain()
    plain.pop("conduct")
    plain |= {"design": {"looks": "0-1:A|2:11/4|3:17/5|4:11/4|5-11:R"}, "analysis": analysis}
    file = folder / "adaptive.json"
    file.write_text(json.dumps({"trial": plain}), encoding="utf-8")
    return file


def test_the_results_of_a_parameter_file_are_analysed_as_counts_are(root, tmp_path, capsys):
    file = adaptive_file(root, tmp_path, responses=6, first_stage=3, level=0.9)
    assert main(["analyze", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rule = "0-1:A|2:11/4|3:17/5|4:11/4|5-11:R"
    words = ["--rule", rule, "--p0", ".1", "--responses", "6", "--first-stage", "3", "--level", ".9", "--json"]
    assert main(["analyze", *words]) == 0
    assert found == json.loads(capsys.readouterr().out)
    assert found["decision"] == "reject"


def test_results_that_cannot_be_are_told_with_their_key(root, tmp_path, capsys):
    assert main(["analyze", str(adaptive_file(root, tmp_path, responses=2, first_stage=3))]) == 2
    assert "trial.analysis.responses" in capsys.readouterr().err
    assert main(["analyze", str(adaptive_file(root, tmp_path, responses=6, first_stage=3, attained=[10, 28]))]) == 2
    assert "trial.analysis.attained must begin with the 11 patients" in capsys.readouterr().err


def test_the_front_page_of_a_report_states_the_result(root, tmp_path):
    case = Case.of(params.load(adaptive_file(root, tmp_path, responses=6, first_stage=3)))
    opening = front.opening(case)
    assert "3 of 11 patients of the first stage responded" in opening
    assert "H0 is rejected (p = " in opening
