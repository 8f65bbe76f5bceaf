"""Settings in which programs for Bayesian monitoring and for adaptive designs go wrong, each as a claim about ours.

Where it is short, the wrong way is restated beside the claim, so that the setting is seen to tell the two apart.
"""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from simtrial import InputError, Requirements, looks_text
from simtrial.design import exact
from simtrial.design.branching import parse_branching
from simtrial.design.designs import Look
from simtrial.design.second_stages import SecondStage
from simtrial.search.bayesian.bop2_rule import bop2
from simtrial.search.bayesian.bop2_search import Bop2Search
from simtrial.search.bayesian.lee_liu_rule import lee_liu
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.bayesian.thall_simon import RateComparison, thall_simon
from simtrial.search.branching import Restrictions, search

PREDICTIVE = ((20, 30, 40), 0.2, BetaPrior(0.2, 0.8), 0.2, 0.7, 0.75)
"""Looks, p0, prior, theta_L, theta_T, theta_U of an issue on a program that counts a stop for efficacy as futile."""

DIFFUSE, STANDARD = BetaPrior(0.6, 1.4), BetaPrior(15, 35)


def orders(design, p, *, after_a_stop):
    """P(reject H0) by counts at every look; a trial that stopped for efficacy rejects H0, fails, or is judged again."""
    looks, last = design.looks, design.looks[-1]
    found, before = {(0, "runs"): 1.0}, 0
    for look in looks:
        moved = {}
        for (x, state), chance in found.items():
            for y in range(look.n - before + 1):
                step, total = chance * stats.binom.pmf(y, look.n - before, p), x + y
                now = state
                if state == "runs" and look is not last:
                    low, high = total <= look.r, look.e is not None and total >= look.e
                    now = "futile" if low else "stopped" if high else "runs"
                moved[total, now] = moved.get((total, now), 0.0) + step
        found, before = moved, look.n
    judged = {"runs": "judged", "futile": "fails", "stopped": after_a_stop}
    return sum(
        chance
        for (x, state), chance in found.items()
        if judged[state] == "rejects" or (judged[state] == "judged" and x > last.r)
    )


# a stop for efficacy


@pytest.mark.parametrize("p", [0.2, 0.3, 0.9])
def test_a_stop_for_efficacy_rejects_h0_and_no_later_count_overwrites_it(p):
    design = lee_liu(*PREDICTIVE)
    assert looks_text(design) == "3:6/20,6:9/30,9/40"
    found = float(exact.operating_characteristics(design, p).reject)
    assert found == pytest.approx(orders(design, p, after_a_stop="rejects"), rel=1e-12)
    # as futile, or judged once more by the last bound, it is another probability
    futile = orders(design, p, after_a_stop="fails")
    overwritten = orders(design, p, after_a_stop="judged")
    assert futile < overwritten < found
    assert p != 0.9 or futile < 1e-9 < 1 - 1e-9 < found


# looks


def test_bounds_at_interim_looks_depend_on_the_last_number_of_patients_and_not_on_the_last_look_given():
    alone, planned = (lee_liu(looks, 0.2, BetaPrior(0.2, 0.8), 0.1, 0.9) for looks in ((10, 20), (10, 20, 40)))
    assert (alone.looks[0].r, planned.looks[0].r) == (2, 1)


def test_a_look_without_a_futile_count_has_no_bound_and_leaves_the_others_theirs():
    prior, asked = BetaPrior(0.02, 0.98), {"theta_l": 0.001, "theta_t": 0.9}
    every = {look.n: look.r for look in lee_liu(range(8, 41), 0.02, prior, **asked).looks}
    assert (every[8], every[20], every[21], every[39]) == (None, None, 0, 1)
    for n in (8, 20, 21, 39):
        assert lee_liu((n, 40), 0.02, prior, **asked).looks[0].r == every[n]


def test_every_look_has_its_bound_also_where_the_one_before_had_the_same():
    futile = RateComparison(new=DIFFUSE, standard=STANDARD).futile_to(40, 0.05)
    changed = [k for k in range(1, 40) if futile[k] != futile[k - 1]]
    looks = thall_simon(range(1, 41), DIFFUSE, STANDARD, theta_l=0.05).looks
    assert [look.r for look in looks[:-1]] == futile[:39]
    assert len(changed) < 10 < sum(look.r is not None for look in looks)


def test_looks_with_one_of_both_bounds_keep_it():
    # bounds of futility and of efficacy joined by n would lose the looks where only one of them is
    looks = thall_simon(range(1, 41), DIFFUSE, STANDARD, theta_l=0.05, theta_u=0.95).looks
    alone = [look for look in looks[:-1] if (look.r is None) != (look.e is None)]
    assert [look.n for look in alone] == [3, 4, 5]
    assert alone[0] == Look(3, None, 3)
    # and a trial that leaves these looks out rejects H0 less often
    fewer = thall_simon(range(6, 41), DIFFUSE, STANDARD, theta_l=0.05, theta_u=0.95)
    with_all, without = (
        float(exact.operating_characteristics(design, 0.3).reject) for design in (parsed(looks), fewer)
    )
    assert with_all > without


def parsed(looks):
    from simtrial.search.given import design_of

    return design_of(looks)


# comparisons and gains


def test_a_probability_equal_to_its_threshold_is_on_the_side_that_is_asked_for():
    # P(p > 1/2 | 1 of 2) = 1/2 under a uniform prior
    strict, other = (bop2([2, 4], 0.5, 0.5, 0.0, prior=BetaPrior(1, 1), strict=strict) for strict in (True, False))
    assert (strict.looks[0].r, other.looks[0].r) == (0, 1)


def test_a_gain_moves_the_bounds_of_efficacy_too():
    asked = [RateComparison(new=DIFFUSE, standard=STANDARD, delta=delta).promising_from(40, 0.95) for delta in (0, 0.1)]
    assert all(a is None or b is None or b >= a for a, b in zip(*asked, strict=True))
    assert asked[0][-1] < asked[1][-1]


# numerics


def test_no_prior_and_no_rounding_make_a_bound_vanish_or_a_trial_stop_that_cannot():
    sharp = RateComparison(new=DIFFUSE, standard=BetaPrior(200, 800))
    assert None not in sharp.futile_to(30, 0.05)[10:]
    design = lee_liu(range(10, 37), 0.2, BetaPrior(0.2, 0.8), 0.001, 0.9)
    total = np.array(
        [
            stats.betabinom.pmf(np.arange(36 - n + 1), 36 - n, 0.2 + x, 0.8 + n - x).sum()
            for n in range(10, 36)
            for x in range(11, n + 1)
        ]
    )
    assert (total > 1).any()  # a comparison of the sums would stop there for efficacy
    assert {look.e for look in design.looks} == {None}


# no response


def test_no_response_may_continue_and_where_even_that_is_promising_the_rule_is_refused():
    design = bop2([2, 20, 40], 0.2, 0.86, 0.95)
    assert design.looks[0].r is None
    # the bound 0 at such a look stops more than a third of the trials at p1 after two patients
    wrong = parsed((Look(2, 0), *design.looks[1:]))
    ours, theirs = (exact.operating_characteristics(one, 0.4) for one in (design, wrong))
    assert float(ours.accept_by_look[0]) == 0
    assert float(theirs.accept_by_look[0]) == pytest.approx(0.36)
    assert float(ours.reject) > float(theirs.reject) + 0.1
    with pytest.raises(InputError, match="ends the trial with rejection of H0, whatever is seen"):
        bop2([10, 40], 0.2, 0.9, 1.0, prior=BetaPrior(30, 10), eta=1.0)


def test_a_type_i_error_equal_to_alpha_is_kept():
    looks_at = (1, 2)
    # p0 = 1/2: the rule 1/2 rejects with probability 1/4
    found = Bop2Search(Requirements(0.5, 0.9, 0.25, 0.5), looks_at).result().best
    assert found.type_i_error == 0.25


# searches


def test_the_most_power_has_a_floor_and_one_answer():
    asked, looks_at = Requirements(0.2, 0.4, 0.1, 0.8), (10, 20, 30, 40)
    answers = {looks_text(Bop2Search(asked, looks_at).result().best) for _ in range(3)}
    assert answers == {"1/10,3/20,7/30,11/40"}
    boundaries = Bop2Search(asked, looks_at, grid=True).at_looks.grid()
    assert len(boundaries.lower) == 59  # so few that nothing need be drawn at random
    # without an end to gamma the most power is had by hardly ever stopping
    loose = bop2(looks_at, 0.2, 0.86, 12.0)
    power = float(exact.operating_characteristics(loose, 0.4).reject)
    assert [look.r for look in loose.looks[:2]] == [None, None]
    assert power > Bop2Search(asked, looks_at).result().best.power


# adaptive designs


def test_a_cap_is_stated_and_a_larger_one_finds_a_better_design():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    small, large = (search(asked, restrictions=Restrictions(cap=cap)) for cap in (30, 35))
    assert (small.certificate.how, small.certificate.cap) == ("capped", 30)
    assert small.certificate.bound <= large.certificate.value < small.certificate.value - 0.3
    simon = search(asked)
    assert (simon.restrictions.cap, simon.certificate.cap) == (29, 29)  # what nobody stated is stated in the result


def test_without_the_order_the_conditional_error_does_fall():
    asked = Requirements(0.2, 0.5, 0.05, 0.8)
    free = search(asked, restrictions=Restrictions(cap=23, monotone=False))
    error = free.design.conditional(0.2)
    assert (np.diff(error) < -1e-9).any()
    assert free.certificate.value < search(asked, restrictions=Restrictions(cap=23)).certificate.value


def test_bounds_are_kept_as_counts_since_a_conditional_error_lies_on_the_step_between_two(root):
    moved, rows = {3: 0, 6: 0, 12: 0}, 0
    table = pd.read_csv(root / "tests/reference/families/adaptive.csv").head(25)
    for row in table.to_dict("records"):
        design = parse_branching(row["rule"])
        error = design.conditional(row["p0"])
        for (x, one), digits in itertools.product(enumerate(design.after), moved):
            if isinstance(one, SecondStage):
                again = stats.binom.ppf(1 - round(float(error[x]), digits), one.n2, row["p0"])
                moved[digits] += int(again) != one.r - x
                rows += digits == 3
    assert rows == 140
    # a quantile of the error gives another bound for about half of the rows, with however many digits
    assert min(moved.values()) > 40


def test_the_largest_type_i_error_over_all_rates_up_to_p0_is_stated(root):
    table = pd.read_csv(root / "tests/reference/families/adaptive.csv")
    falling = table[~table.monotone_is.astype(bool)]
    assert len(falling) == 2
    for row in falling.to_dict("records"):
        found = parse_branching(row["rule"]).largest_reject(row["p0"])
        rates = np.linspace(0, row["p0"], 401)
        # the grid misses the top by less than a step squared times the curvature
        assert found.value == pytest.approx(float(parse_branching(row["rule"]).at(rates).reject.max()), abs=1e-6)
        assert math.isclose(found.p, row["p0"], abs_tol=0.01)
