"""Sizes that differ from plan: published examples, the promises of each rule, and the exact laws of the conduct."""

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from simtrial import InputError, Look, Requirements, SingleStage, TwoStage, parse_looks
from simtrial.analysis import averaged, conditional, deviation, rules
from simtrial.analysis.attained import Attained, Planned
from simtrial.analysis.rules import Asked
from simtrial.design import binomial, exact
from simtrial.laws import decision
from simtrial.plan import recut
from simtrial.plan.dropout import Dropout
from simtrial.trial import params
from simtrial.trial.case import Case
from simtrial.validation.analysis import KC_DIGITS, koyama_chen_numbers

MINIMAX = TwoStage(6, 19, 16, 39)
NUMBERS = Planned(6, 19, 16, 39)
ASKED = Asked(0.3, 0.5, 0.05)


def test_the_published_examples_to_the_digits_printed(reference):
    rows = reference("koyama_chen2008_examples")
    assert len(rows) == 10
    for row in rows.itertuples():
        found = koyama_chen_numbers(row)
        expected = [row.p_value, row.ci90_lo, row.median_unbiased, row.ci90_hi, row.conditional_error_A]
        for ours, theirs, digits in zip(found[:5], expected, KC_DIGITS, strict=True):
            assert ours == pytest.approx(theirs, abs=digits), row
        assert found[5] == row.new_x2_critical


def test_a_second_stage_of_23_gives_the_corrected_p_value_and_no_rejection():
    found = deviation.outcomes(MINIMAX, Attained(19, 42, 7, 17), 0.3, 0.5, level=0.9)
    assert [one.rule for one in found] == ["Koyama-Chen", "recut", "Green-Dahlberg", "planned bounds"]
    conditional, naive = found[0], found[-1]
    assert round(conditional.p_value, 4) == 0.0828
    assert not conditional.reject
    assert naive.reject  # what it costs to keep the planned bounds: its type I error is .081
    assert naive.type_i_error > 0.08 > 0.05 > conditional.type_i_error


@pytest.mark.parametrize(
    ("n2", "bound"), [(17, 9), (18, 10), (19, 10), (20, 10), (21, 11), (22, 11), (23, 12), (24, 12)]
)
def test_new_bounds_of_the_published_example(n2, bound):
    found = rules.koyama_chen(NUMBERS, ASKED, 19, 19 + n2)
    assert int(found.r[7]) + 1 - 7 == bound


def test_green_and_dahlberg_as_in_the_table(reference):
    rows = reference("green_dahlberg_attained")
    assert len(rows) == 63
    for row in rows.itertuples():
        plan = Planned(0, row.planned_n1, 0, row.planned_n)
        found = rules.green_dahlberg(plan, Asked(row.p0, row.pA, 0.05), row.attained_n1, row.attained_n)
        assert (found.r1, int(found.r[0]) + 1) == (row.stop_if_x1_le, row.reject_if_x_ge)
        reject, pet = found.reject_probability([row.p0, row.pA])
        assert [*reject, pet[0]] == pytest.approx([row.type1, row.power, row.PET0], abs=1e-12)  # sums of some 50 terms


def test_probabilities_of_a_rule_are_sums_over_both_stages():
    found = rules.koyama_chen(NUMBERS, ASKED, 19, 40)
    total = 0.0
    for x1 in range(7, 20):
        for x2 in range(22):
            if x1 + x2 > found.r[x1]:
                total += stats.binom.pmf(x1, 19, 0.5) * stats.binom.pmf(x2, 21, 0.5)
    assert found.reject_probability(0.5)[0] == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("n2", range(1, 40))
def test_the_conditional_error_is_kept_whatever_the_second_stage(n2):
    planned = float(exact.operating_characteristics(MINIMAX, 0.3).reject)
    found = rules.koyama_chen(NUMBERS, ASKED, 19, 19 + n2)
    assert found.reject_probability(0.3)[0] <= planned * (1 + 1e-12)
    allowed = conditional.conditional_error(NUMBERS, 0.3, np.arange(20))
    for x1 in range(7, 17):
        fewest = int(found.r[x1]) + 1 - x1
        assert stats.binom.sf(fewest - 1, n2, 0.3) <= allowed[x1] * (1 + 1e-9)
        assert fewest == 0 or stats.binom.sf(fewest - 2, n2, 0.3) > allowed[x1] * (1 - 1e-9)


@pytest.mark.parametrize("n2", [15, 19, 21, 26])
def test_its_p_value_is_no_larger_than_the_planned_type_i_error_exactly_where_it_rejects(n2):
    planned = float(exact.operating_characteristics(MINIMAX, 0.3).reject)
    bounds = rules.koyama_chen(NUMBERS, ASKED, 19, 19 + n2)
    for x1 in range(7, 20):
        for x2 in range(n2 + 1):
            p = conditional.conditional_p_value(NUMBERS, Attained(19, 19 + n2, x1, x1 + x2), 0.3)
            assert (p <= planned * (1 + 1e-9)) == (x1 + x2 > bounds.r[x1]), (x1, x2)


@pytest.mark.parametrize("sizes", [(19, 39), (15, 39), (22, 41), (19, 33), (25, 60)])
def test_recut_bounds_keep_alpha_and_the_chance_of_a_wrong_stop(sizes):
    found = rules.recut_bounds(NUMBERS, ASKED, *sizes)
    assert found.reject_probability(0.3)[0] <= 0.05
    if sizes[0] != 19:
        wrong = stats.binom.cdf(6, 19, 0.5)
        assert stats.binom.cdf(found.r1, sizes[0], 0.5) <= wrong < stats.binom.cdf(found.r1 + 1, sizes[0], 0.5)
    if sizes != (19, 39):
        looser = dataclasses.replace(found, r=found.r - 1)
        assert looser.reject_probability(0.3)[0] > 0.05  # no smaller bound would do


def test_recut_bounds_are_those_of_the_simulator_where_it_knows_them():
    asked = params.load("params/NCT07022301.yaml").requirements
    design = TwoStage(1, 15, 5, 25)
    table = recut.attained_bounds(design, asked)
    for m1 in range(1, 16):
        for m in range(m1 + 1, m1 + 11):
            ours = rules.recut_bounds(Planned(1, 15, 5, 25), Asked(0.1, 0.3, 0.05), m1, m)
            assert (ours.r1, int(ours.r[0])) == (table.first[m1, 0], table.final[m1, m]), (m1, m)


@pytest.mark.parametrize("attained", [(19, 39, 7, 17), (19, 39, 9, 12)])
def test_sizes_as_planned_give_the_planned_answer(attained):
    seen = Attained(*attained)
    found = {one.rule: one for one in deviation.outcomes(MINIMAX, seen, 0.3, 0.5, level=0.9)}
    from simtrial.analysis import inference

    planned = inference.analyze(MINIMAX, seen.x, 0.3, 2, 0.9)
    for rule in ("Koyama-Chen", "recut", "planned bounds"):
        assert (found[rule].r1, found[rule].r) == (6, 16)
        assert found[rule].reject == planned.reject
        assert found[rule].p_value == pytest.approx(planned.p_value, rel=1e-12)
    assert found["recut"].interval == pytest.approx(planned.intervals["exact"], abs=1e-12)
    assert found["Koyama-Chen"].interval == pytest.approx(planned.intervals["koyama_chen"], abs=1e-12)


def test_once_x1_exceeds_r_the_trial_is_decided():
    found = deviation.outcomes(MINIMAX, Attained(19, 20, 17, 17), 0.3)[0]
    assert found.reject


@pytest.mark.parametrize("odds_ratio", [1.0, 0.4])
def test_averages_over_sizes_are_the_exact_laws_of_the_conduct(odds_ratio):
    trial, _ = params.read("params/NCT07022301.yaml")
    case = Case.of(trial)
    design, plan = case.chosen, case.plan
    loss = Dropout(0.12, odds_ratio)
    found = {one.rule: one for one in averaged.averaged(design, trial.requirements, loss)}
    rates = np.array([0.1, 0.3])
    for rule, bounds in (("planned bounds", None), ("recut", trial.requirements)):
        run = decision.decision(dataclasses.replace(plan, handling="exclude", dropout=loss, recut=bounds), rates).reject
        assert [found[rule].type_i_error, found[rule].power] == pytest.approx(run.tolist(), rel=1e-9)
    # losses mostly among non-responders raise the rate among the evaluable above p0: no bound can know
    assert (found["recut"].largest <= 0.05) == (odds_ratio == 1)
    assert found["Green-Dahlberg"].largest > 0.05  # its last test has level .055


def test_the_average_of_koyama_and_chen_is_over_second_stages_alone():
    trial, _ = params.read("params/NCT07022301.yaml")
    found = averaged.averaged(TwoStage(1, 15, 5, 25), trial.requirements, Dropout(0.2))[0]
    plan, asked = Planned(1, 15, 5, 25), Asked(0.1, 0.3, 0.05)
    power = sum(
        stats.binom.pmf(m2, 10, 0.8) * rules.koyama_chen(plan, asked, 15, 15 + m2).reject_probability(0.3)[0]
        for m2 in range(11)
    )
    assert found.power == pytest.approx(power, rel=1e-10)


def test_a_single_stage_of_another_size_is_tested_at_its_size():
    found = deviation.outcomes(SingleStage(5, 25), Attained(0, 22, 0, 6), 0.1, 0.3, 0.05)
    assert [one.rule for one in found] == ["recut", "planned bounds"]
    assert found[0].p_value == pytest.approx(stats.binom.sf(5, 22, 0.1), rel=1e-12)
    assert (found[0].r, found[0].reject) == (5, True)


def test_a_trial_that_should_have_stopped_or_gone_on_is_told_so():
    went_on = deviation.outcomes(MINIMAX, Attained(19, 42, 6, 20), 0.3, 0.5)[0]
    assert (went_on.reject, went_on.why) == (False, "by this rule the trial should have stopped at the first look")
    assert went_on.p_value is None
    stopped = deviation.outcomes(MINIMAX, Attained(15, 15, 6, 6), 0.3, 0.5)[0]
    assert (stopped.reject, stopped.why) == (None, "by this rule the trial would have continued")


def test_without_p1_nothing_needs_it():
    found = deviation.outcomes(MINIMAX, Attained(17, 38, 8, 18), 0.3)
    assert [one.rule for one in found] == ["recut", "planned bounds"]
    assert all(one.power is None and one.r1 == 6 for one in found)


@pytest.mark.parametrize(
    ("looks", "seen", "said"),
    [
        ("1/10,5/29", (10, 27, 11, 12), "first_stage (11) is above 10, the number of patients at the first look"),
        ("1/10,5/29", (10, 27, 3, 2), "responses (2) is below 3, the responses at the first look"),
        ("1/10,5/29", (10, 12, 3, 9), "responses (9) is above 5: 3 at the first look and 2 patients since"),
        ("1/10,5/29", (10, 8, 3, 9), "attained (10,8) falls from look to look"),
        ("1/10,5/29", (0, 8, 0, 4), "attained does not hold 2 numbers, the patients analysed at each look"),
        ("1:5/10,5/29", (10, 27, 3, 5), "looks must be one or two looks without an efficacy bound"),
        ("1/10,3/20,5/29", (10, 27, 3, 5), "looks must be one or two looks"),
    ],
)
def test_sizes_that_cannot_be_are_refused(looks, seen, said):
    with pytest.raises(InputError) as caught:
        deviation.outcomes(parse_looks(looks), Attained(*seen), 0.1)
    assert str(caught.value).startswith(said)


def test_a_rate_solves_its_p_value():
    seen = Attained(19, 42, 7, 17)
    for a in (0.05, 0.5, 0.95):
        rate = conditional.conditional_rate(NUMBERS, seen, a)
        assert conditional.conditional_p_value(NUMBERS, seen, rate) == pytest.approx(a, abs=1e-10)
    assert math.isclose(conditional.conditional_rate(NUMBERS, Attained(19, 42, 7, 7), 1.0), 1.0)


def test_recalculated_bounds_may_spend_all_of_alpha():
    # 2 of 2 respond: .1^2 = .01, after a first patient who must respond as well
    assert recut.last_bound(-1, 0, 2, 0.1, 0.01) == 1
    assert recut.last_bound(0, 1, 2, 0.1, 0.01) == 1
    assert recut.last_bound(0, 1, 3, 0.2, 0.04 + 0.032) == 1  # .2 (1 - .8^2) = .072


def test_a_recalculated_first_bound_may_stop_as_often_as_planned():
    # P(X <= 1; 3, 1/2) = P(X <= 0; 1, 1/2) = 1/2
    assert recut.first_bound(Look(3, 1), 1, 0.1, 0.5) == 0


def test_a_conditional_error_may_be_spent_whole():
    # after 1 of 2, more than 1 of 3 further patients: P(X2 > 1; 3, 1/2) = 1/2 = P(X2 > 0; 1, 1/2)
    found = rules.koyama_chen(Planned(0, 2, 2, 5), Asked(0.5, 0.8, 0.2), 2, 3)
    assert found.r[1] == 1


def test_green_and_dahlbergs_levels_are_decimals():
    # P(X <= 0; 1, .98) = .02, which doubles make .020000000000000018; P(X >= 1; 1, .055) = .055
    found = rules.green_dahlberg(Planned(0, 5, 1, 9), Asked(0.055, 0.98, 0.05), 1, 1)
    assert (found.r1, found.r[0]) == (0, 0)


@pytest.mark.parametrize(
    ("p0", "p1", "alpha"), [(0.1, 0.5, 0.01), (0.2, 0.6, 0.104), (0.25, 0.5, 0.0625), (0.5, 0.9, 0.125)]
)
def test_recalculated_bounds_equal_a_search_in_fractions(p0, p1, alpha):
    # alpha is .1^2, 3 .2^2 .8 + .2^3, 1/16 and 1/8: attained exactly by 2 of 2, 2 of 3, 2 of 2 and 3 of 3
    table = recut.attained_bounds(TwoStage(1, 4, 3, 8, e1=4), Requirements(p0, p1, alpha, 0.99))
    rate, limit = Fraction(repr(p0)), Fraction(repr(alpha))
    for m1 in range(4):
        r1, e1 = table.first[m1].tolist()
        stop, win = binomial.tail_fraction(1, 4, p1), binomial.tail_fraction(3, 4, p0)
        assert r1 == max((x for x in range(m1 + 1) if binomial.tail_fraction(x, m1, p1) >= stop), default=-1)
        wins = (x for x in range(m1 + 1) if binomial.tail_fraction(x - 1, m1, p0) <= win)
        assert e1 == max(next(wins, 5), r1 + 2)
        for m2 in range(5):
            errors = [
                sum(
                    math.comb(m1, x) * rate**x * (1 - rate) ** (m1 - x)
                    * (1 if x >= e1 else binomial.tail_fraction(r - x, m2, p0))
                    for x in range(r1 + 1, m1 + 1)
                )
                for r in range(m1 + m2 + 1)
            ]  # fmt: skip
            expected = next((r for r, error in enumerate(errors) if error <= limit), m1 + m2 + 1)
            assert table.final[m1, m1 + m2] == expected, (m1, m2)
