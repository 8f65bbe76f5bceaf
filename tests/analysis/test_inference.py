"""Inference after a planned trial: other programs, brute force, and what each method promises."""

import math
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest

from simtrial import InputError, SingleStage, TwoStage, parse_looks
from simtrial.analysis import inference, properties
from simtrial.design import binomial, exact
from simtrial.design.endings import arrivals, endings
from simtrial.validation.analysis import compared, place, singlearm_difference

DESIGNS = ["5/25", "1/10,5/29", "0/9,2/17", "1:5/10,5/29", ":4/8,4/20", "0/5,2/12,5/20", "1:6/8,3:7/16,6/24"]
GRID = np.linspace(0.001, 0.999, 499)


@pytest.fixture(params=DESIGNS)
def design(request):
    return parse_looks(request.param)


def orders_ending(design):
    """Every ending with the number of orders that lead there and the sum of X1 over them, by plain Python."""
    looks = design.looks
    found, going_on = {}, {(0, None): 1}
    before = 0
    for k, look in enumerate(looks, start=1):
        arrived = {}
        for (s, x1), ways in going_on.items():
            for new in range(look.n - before + 1):
                first = new if k == 1 else x1
                key = (s + new, first)
                arrived[key] = arrived.get(key, 0) + ways * math.comb(look.n - before, new)
        here = look.regions(np.arange(look.n + 1), final=k == len(looks))
        going_on = {key: ways for key, ways in arrived.items() if here.go_on[key[0]]}
        for (s, x1), ways in arrived.items():
            if not here.go_on[s]:
                whole, total = found.get((k, s), (0, 0))
                found[k, s] = whole + ways, total + ways * x1
        before = look.n
    return found


@pytest.mark.long
def test_every_number_of_the_reference_to_six_decimals(reference):
    for (r1, n1, r, n, p0), rows in reference("two_stage_inference").groupby(["r1", "n1", "r", "n", "p0"]):
        two = TwoStage(int(r1), int(n1), int(r), int(n))
        at = {level: inference.every_ending(two, p0, level) for level in (0.9, 0.95)}
        assert len(rows) >= 15  # not every ending of every design is in the table
        for row in rows.itertuples():
            pairs = [(theirs, ours) for _, theirs, ours in compared(row, at) if not math.isnan(theirs)]
            theirs, ours = zip(*pairs, strict=True)
            assert ours == pytest.approx(theirs, abs=5.01e-7), row  # printed to six decimals


def test_every_number_of_r_singlearm_or_the_reason_why_not(reference):
    kept = 0
    for (looks, p0), rows in reference("two_stage_inference_singlearm").groupby(["design", "p0"]):
        two = parse_looks(looks.replace(" ", ","))
        orders = ("stage", "mle", "umvue")
        at = {order: inference.every_ending(two, p0, 0.95, ordering=order) for order in orders}
        for row in rows.itertuples():
            _, ours, agree = singlearm_difference(row, at)
            assert agree, row
            kept += "kept" in ours
    # the median unbiased estimate of all responding, three times; UMVCUEs of trials without a second stage
    assert kept == 3 + (2 + 2 + 5)


def test_an_ending_has_as_many_orders_as_plain_counting_finds(design):
    found = endings(design)
    counted = orders_ending(design)
    assert list(zip(found.stage.tolist(), found.responses.tolist(), strict=True)) == sorted(counted)
    for k, key in enumerate(sorted(counted)):
        ways, total = counted[key]
        n = int(found.n[k])
        assert found.share[k] == pytest.approx(float(Fraction(ways, math.comb(n, key[1]))), rel=1e-12)
        assert found.first[k] == pytest.approx(float(Fraction(total, ways)), rel=1e-12, abs=1e-15)


def test_umvue_is_unbiased_at_every_rate(design):
    found = properties.properties(inference.every_ending(design, 0.1), GRID)
    assert np.abs(found.bias["umvue"]).max() < 1e-12


def test_umvcue_is_unbiased_given_that_the_trial_went_on(design):
    if len(design.looks) != 2:
        return  # with more looks it is so look by look, with one there is none
    found = properties.properties(inference.every_ending(design, 0.1), GRID)
    assert np.abs(found.bias["umvcue"]).max() < 1e-11


def test_the_bias_that_is_subtracted_is_that_of_the_mle(design):
    every = inference.every_ending(design, 0.1)
    mle = every.estimates["mle"]
    bias = properties.properties(every, mle).bias["mle"]
    assert every.estimates["bias_subtracted"] == pytest.approx(mle - bias, abs=1e-12)


def test_bias_adjusted_solves_its_equation(design):
    every = inference.every_ending(design, 0.1)
    solved = every.estimates["bias_adjusted"]
    expected = solved + properties.properties(every, solved).bias["mle"]
    assert expected == pytest.approx(every.estimates["mle"], abs=1e-12)


@pytest.mark.parametrize("ordering", ["stage", "mle", "umvue"])
def test_median_unbiased_is_above_the_truth_no_more_than_half_of_the_time(design, ordering):
    every = inference.every_ending(design, 0.1, ordering=ordering)
    above = every.estimates["median_unbiased"] > GRID[:, np.newaxis] + 1e-12
    assert ((every.endings.probability(GRID) * above).sum(axis=1) <= 0.5 + 1e-9).all()


@pytest.mark.parametrize(("ordering", "level"), [*product(["stage", "mle", "umvue"], [0.8, 0.95])])
def test_the_exact_interval_keeps_its_level_at_every_rate_and_on_both_sides(design, ordering, level):
    found = properties.properties(inference.every_ending(design, 0.1, level, ordering=ordering), GRID)
    assert found.coverage["exact"].min() >= level - 1e-9
    assert max(found.above["exact"].max(), found.below["exact"].max()) <= (1 - level) / 2 + 1e-9


def test_a_one_sided_limit_keeps_its_level_with_all_of_it_on_one_side(design):
    every = inference.every_ending(design, 0.1, 0.9, sides=1)
    assert (every.intervals["exact"][:, 1] == 1).all()
    assert properties.properties(every, GRID).below["exact"].max() <= 0.1 + 1e-9
    two = inference.every_ending(design, 0.1, 0.8)
    assert every.intervals["exact"][:, 0].tolist() == two.intervals["exact"][:, 0].tolist()


def test_the_upper_limit_of_koyama_and_chen_is_too_low():
    every = inference.every_ending(TwoStage(1, 10, 5, 29), 0.1, 0.9)
    found = properties.properties(every, GRID)
    assert found.above["koyama_chen"].max() > 0.05 + 0.05
    six, five = place(every, 2, 6), place(every, 2, 5)
    assert every.intervals["koyama_chen"][six, 1] == pytest.approx(every.intervals["exact"][five, 1], abs=1e-13)
    assert every.intervals["koyama_chen"][six].round(4).tolist() == [0.1015, 0.4007]
    assert every.intervals["exact"][six, 1].round(4) == 0.4127


@pytest.mark.parametrize(("ordering", "p0"), [*product(["stage", "mle", "umvue"], [0.05, 0.2, 0.37])])
def test_interval_and_p_value_are_dual(design, ordering, p0):
    every = inference.every_ending(design, p0, 0.9, ordering=ordering)
    p_value, low = every.p_values["exact"], every.intervals["exact"][:, 0]
    sure = np.abs(p_value - 0.05) > 1e-9  # nearer than that, rounding decides
    assert ((p_value < 0.05) == (low > p0))[sure].all()
    assert sure.sum() >= len(low) - 1


def test_p_values_move_little_when_p0_does(design):
    steps = [inference.every_ending(design, p0).p_values["exact"] for p0 in np.linspace(0.1, 0.102, 5)]
    n = design.looks[-1].n
    assert max(np.abs(b - a).max() for a, b in pairwise(steps)) < n * 0.0005  # |dP/dp| <= n


@pytest.mark.parametrize("looks", ["1/10,5/29", "1/15,5/25", "3/13,12/43", "6/19,16/39"])
def test_stage_wise_p_value_is_no_larger_than_the_type_i_error_exactly_where_h0_is_rejected(looks):
    two = parse_looks(looks)
    for p0 in (0.1, 0.3):
        every = inference.every_ending(two, p0)
        error = float(exact.operating_characteristics(two, p0).reject)
        assert ((every.p_values["exact"] <= error * (1 + 1e-9)) == every.endings.reject).all()
        if 1e-6 < error < 0.4:
            agreeing = inference.every_ending(two, p0, 1 - 2 * error * (1 + 1e-6))
            assert agreeing.agrees()["exact"].all()


def test_the_conditional_mle_solves_its_equation(design):
    every = inference.every_ending(design, 0.1)
    for k, arrival in enumerate(arrivals(design), start=1):
        x, share = np.arange(arrival.look.n + 1), arrival.reached[0]
        reachable = x[share > 0]
        mine = every.endings.stage == k
        inner = mine & ~np.isin(every.endings.responses, (reachable[0], reachable[-1]))
        p = every.estimates["conditional_mle"][inner]
        chance = share * binomial.binomial_pmf(arrival.look.n, p)
        mean = (chance * x).sum(axis=1) / chance.sum(axis=1)
        assert mean == pytest.approx(every.endings.responses[inner], abs=1e-9)
        assert ((p > 0) & (p < 1)).all()


def test_naive_inference_contradicts_the_decision_of_a_published_trial():
    found = inference.analyze(TwoStage(1, 10, 5, 29), 6, 0.1, level=0.9)
    assert found.reject
    assert found.p_values["naive"] > 0.05 > found.p_value
    assert found.agrees == {"exact": True, "koyama_chen": True, "mid_p": True, "naive": False}


def test_a_single_stage_gives_what_a_binomial_sample_gives():
    every = inference.every_ending(SingleStage(5, 25), 0.1)
    for name in ("umvue", "bias_subtracted", "bias_adjusted", "conditional_mle"):
        assert every.estimates[name] == pytest.approx(every.estimates["mle"], abs=1e-9)
    assert every.intervals["exact"] == pytest.approx(every.intervals["naive"], abs=1e-12)
    assert every.p_values["exact"] == pytest.approx(every.p_values["naive"], rel=1e-12)


def test_none_and_all_responding_have_limits():
    for responses, stage in ((0, 1), (29, 2)):
        found = inference.analyze(TwoStage(1, 10, 5, 29), responses, 0.1, stage)
        low, high = found.intervals["exact"]
        assert 0 <= low < high <= 1
    assert inference.analyze(TwoStage(1, 10, 5, 29), 0, 0.1).intervals["koyama_chen"] == (0.0, None)


def test_stopping_for_efficacy_is_the_more_extreme_the_earlier():
    every = inference.every_ending(parse_looks("1:6/8,3:7/16,6/24"), 0.2)
    p = {
        (k, s): v for k, s, v in zip(every.endings.stage, every.endings.responses, every.p_values["exact"], strict=True)
    }
    assert p[1, 8] < p[1, 6] < p[2, 9] < p[2, 7] < p[3, 12] < p[3, 4] < p[2, 3] < p[2, 2] < p[1, 1] < p[1, 0] == 1


def test_tied_endings_share_a_p_value():
    every = inference.every_ending(TwoStage(2, 10, 5, 20), 0.2, ordering="mle")
    # 2 of 10 and 4 of 20 are the same observed rate
    first, last = every.p_values["exact"][place(every, 1, 2)], every.p_values["exact"][place(every, 2, 4)]
    assert first == last
    stage = inference.every_ending(TwoStage(2, 10, 5, 20), 0.2)
    assert stage.p_values["exact"][place(stage, 1, 2)] > stage.p_values["exact"][place(stage, 2, 4)]


def test_one_ending_alone_is_analysed_as_among_all(design):
    every = inference.every_ending(design, 0.15, 0.9)
    for k in (0, len(every.endings.n) // 2, len(every.endings.n) - 1):
        one = inference.analyze(design, int(every.endings.responses[k]), 0.15, int(every.endings.stage[k]), 0.9)
        assert one.p_value == every.p_values["exact"][k]
        for name, value in one.estimates.items():
            assert value is None if np.isnan(every.estimates[name][k]) else value == every.estimates[name][k]


def test_the_stage_is_told_by_the_responses_where_only_one_fits():
    two = TwoStage(1, 10, 5, 29)
    assert inference.analyze(two, 1, 0.1).stage == 1
    assert inference.analyze(two, 2, 0.1).stage == 2


@pytest.mark.parametrize(
    ("looks", "arguments", "said"),
    [
        (
            "1/10,5/29",
            {"responses": 2, "stage": 1},
            "responses (2) cannot end 1/10, 5/29 at look 1; possible are 0 to 1",
        ),
        (
            "1/10,5/29",
            {"responses": 1, "stage": 2},
            "responses (1) cannot end 1/10, 5/29 at look 2; possible are 2 to 29",
        ),
        ("1/10,5/29", {"responses": 30}, "responses (30) cannot end 1/10, 5/29; possible are 0 to 29"),
        ("1/10,5/29", {"responses": 11, "stage": 1}, "responses (11) is above 10, the number of patients at look 1"),
        ("1/10,5/29", {"responses": 3, "stage": 3}, "stage (3) is above 2, the number of looks of 1/10, 5/29"),
        (
            "1:5/10,5/29",
            {"responses": 4, "stage": 1},
            "responses (4) cannot end 1:5/10, 5/29 at look 1; possible are 0 to 1, 5 to 10",
        ),
        ("1:4/10,5/29", {"responses": 5}, "stage is missing; 5 responses can end 1:4/10, 5/29 at look 1 or 2"),
        ("5/25", {"responses": -1}, "responses (-1) is below 0, the smallest value allowed"),
        ("5/25", {"responses": 3.5}, "responses (3.5) is not a whole number"),
        ("5/25", {"responses": 3, "level": 1.0}, "level (1) is not strictly between 0 and 1"),
        ("5/25", {"responses": 3, "p0": 0}, "p0 (0) is not strictly between 0 and 1"),
        ("5/25", {"responses": 3, "ordering": "lr"}, "ordering ('lr') is unknown; write one of stage, mle, umvue"),
        ("5/25", {"responses": 3, "sides": 3}, "sides (3) is neither 1 nor 2"),
    ],
)
def test_what_cannot_be_is_refused(looks, arguments, said):
    with pytest.raises(InputError) as caught:
        inference.analyze(parse_looks(looks), **{"p0": 0.1} | arguments)
    assert str(caught.value).startswith(said)


def test_the_cost_of_ignoring_the_look_is_the_published_bias():
    found = properties.properties(inference.every_ending(TwoStage(1, 10, 5, 29), 0.1), [0.1])
    # methods.md: E = .077 at p = .1 overall
    assert 0.1 + found.bias["mle"][0] == pytest.approx(0.077, abs=5e-4)


def test_clinfun_limits_lie_on_its_grid(reference):
    rows = reference("two_stage_inference_clinfun")
    steps = pd.concat([rows.lcl, rows.ucl]).dropna() / 1e-4
    assert np.abs(steps - steps.round()).max() < 1e-6


def test_a_look_at_which_no_trial_ends_is_named_in_one_line():
    design = parse_looks("1/10,1/15,5/25")  # whoever passes the first look has two responses
    with pytest.raises(InputError, match="cannot end 1/10, 1/15, 5/25 at look 2; no number of responses can"):
        inference.analyze(design, 1, 0.1, 2)


def test_a_trial_is_analysed_although_its_design_has_a_look_that_none_reaches():
    # one response of 7 continues, and none of 8 more than 2 does
    found = inference.analyze(parse_looks("0:2/7,2/8,3/26"), 1, 0.64, stage=2)
    assert not found.reject
    assert 0 < found.p_values["conditional"] <= 1


def test_a_conditional_p_value_is_a_number_where_its_probabilities_are_too_small_for_doubles():
    found = inference.analyze(parse_looks("1112/5244,1516/7318,2781/9271"), 8085, 1.5e-08)
    # given that look 3 is reached, it is almost surely with the fewest responses
    assert found.p_values["conditional"] < 1e-300
