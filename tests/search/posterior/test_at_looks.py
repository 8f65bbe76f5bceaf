"""What is believed at a look and what is to be expected of the rest of the trial, against fractions and draws."""

from fractions import Fraction
from functools import cache
from math import comb, factorial

import numpy as np
import pytest
from drawn import unreadable

from simtrial import InputError, Requirements, parse_looks
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.search.bayesian.predictive import Predictive
from simtrial.search.boundary import figures as boundary_figures
from simtrial.search.posterior import figures
from simtrial.search.posterior.at_look import SeenSoFar, near_bounds

DESIGN = parse_looks("1:6/10,3:9/20,7/30")
ASKED = Requirements(0.2, 0.4, 0.1, 0.8)


def beta(a, b):
    """The beta function of whole numbers."""
    return Fraction(factorial(a - 1) * factorial(b - 1), factorial(a + b - 1))


@pytest.mark.parametrize(("n", "x"), [(0, 0), (10, 0), (10, 4), (20, 20), (29, 7), (30, 8)])
def test_the_responses_at_the_last_look_have_the_beta_binomial_law(n, x):
    a, b, more = 1 + x, 3 + n - x, 30 - n
    exact = [comb(more, y) * beta(a + y, b + more - y) / beta(a, b) for y in range(more + 1)]
    found = SeenSoFar(design=DESIGN, prior=BetaPrior(1, 3), n=n, x=x)
    assert sum(exact) == 1
    # logarithms of gamma functions of numbers below 40 are right to 1e-13
    assert found.at_end[x : x + more + 1] == pytest.approx([float(one) for one in exact], abs=1e-12)
    assert found.at_end.sum() == pytest.approx(1, abs=1e-12)
    assert found.above_bound == pytest.approx(float(sum(exact[max(8 - x, 0) :])), abs=1e-12)


@pytest.mark.parametrize(("n", "x"), [(5, 1), (10, 3), (10, 6), (15, 3), (20, 8)])
def test_the_chance_of_rejection_counts_the_stops_between(n, x):
    looks = {look.n: look for look in DESIGN.looks[:-1]}

    @cache
    def chance(at, hits):
        if at == 30:
            return Fraction(hits > 7)
        if at > n and at in looks and hits <= looks[at].r:
            return Fraction(0)
        if at > n and at in looks and hits >= looks[at].e:
            return Fraction(1)
        one = Fraction(1 + hits, 3 + at)
        return one * chance(at + 1, hits + 1) + (1 - one) * chance(at + 1, hits)

    found = SeenSoFar(design=DESIGN, prior=BetaPrior(1, 2), n=n, x=x)
    assert found.rejecting == pytest.approx(float(chance(n, x)), rel=1e-12)


def test_stops_between_lower_the_chance_of_rejection_or_raise_it():
    seen = [
        SeenSoFar(design=parse_looks(looks), prior=BetaPrior(1, 2), n=10, x=3) for looks in ("4/20,7/30", ":6/20,7/30")
    ]
    futile, effective = seen
    assert futile.above_bound == effective.above_bound
    assert futile.rejecting < futile.above_bound - 0.001
    assert effective.rejecting > effective.above_bound + 0.001


def test_trials_drawn_patient_by_patient_reject_as_often_as_predicted():
    rng, trials = np.random.default_rng(3), 40_000
    p = rng.beta(0.6 + 3, 1.4 + 9, trials)  # after 3 of 12
    hits = 3 + np.cumsum(rng.random((trials, 18)) < p[:, np.newaxis], axis=1)
    at_20, at_30 = hits[:, 7], hits[:, 17]
    rejects = (at_20 >= 9) | ((at_20 > 3) & (at_30 > 7))
    found = SeenSoFar(design=DESIGN, prior=BetaPrior(0.6, 1.4), n=12, x=3)
    for share, exact in ((rejects.mean(), found.rejecting), ((at_30 > 7).mean(), found.above_bound)):
        # four standard errors, which a right value leaves once in 16,000 times
        assert abs(share - exact) < 4 * (exact * (1 - exact) / trials) ** 0.5


def test_the_predictive_probability_is_that_of_the_rule_of_lee_and_liu():
    prior = BetaPrior(0.2, 0.8)
    rule = Predictive(prior, (10, 20), 30, 7)
    for k, n in enumerate((10, 20)):
        found = [SeenSoFar(design=DESIGN, prior=prior, n=n, x=x).above_bound for x in range(n + 1)]
        assert found == pytest.approx(rule.success[k, : n + 1].tolist(), abs=1e-14)


def test_a_credible_interval_leaves_as_much_below_it_as_above_it():
    for prior in (BetaPrior(0.5, 0.5), BetaPrior(200, 800), BetaPrior(0.2, 30)):
        low, high = prior.interval(0.9)
        beyond = prior.beyond(low, 0, 0), prior.within(high, 0, 0)
        assert [float(one) for one in beyond] == pytest.approx([0.95, 0.95], abs=1e-9)


def test_a_density_has_the_mass_of_its_distribution():
    prior, p = BetaPrior(2.5, 4), np.linspace(0, 0.3, 3001)
    density = prior.density(p)
    mass = float(((density[1:] + density[:-1]) / 2 * np.diff(p)).sum())
    assert mass == pytest.approx(float(prior.within(0.3, 0, 0)), abs=1e-6)  # trapezoids of width 1e-4


def test_along_a_line_the_posterior_is_the_same_and_it_ends_where_no_count_has_it():
    prior, n = BetaPrior(0.2, 0.8), np.arange(41)
    for level in boundary_figures.LEVELS:
        x = prior.count_at(0.2, level, n)
        inside = ~np.isnan(x)
        assert 30 < inside.sum() <= 41
        assert prior.beyond(0.2, n[inside], x[inside]) == pytest.approx(level, abs=1e-9)
    assert np.isnan(prior.count_at(0.2, 0.1, [1.0]))[0]  # 0 of 1 has more than a tenth
    assert float(prior.beyond(0.2, 1, 0)) > 0.1


def test_the_boundary_shows_the_lines_of_the_posterior_where_a_prior_is_given():
    prior = BetaPrior(0.2, 0.8)
    plain, picture = boundary_figures.boundary(DESIGN), boundary_figures.boundary(DESIGN, prior, 0.2)
    (axis,) = picture.figure.axes
    drawn = [line for line in axis.lines if line.get_color() == boundary_figures.LINE]
    assert not [line for line in plain.figure.axes[0].lines if line.get_color() == boundary_figures.LINE]
    assert len(drawn) == len(boundary_figures.LEVELS)
    for line, level in zip(drawn, boundary_figures.LEVELS, strict=True):
        n, x = (values[~np.isnan(line.get_ydata())] for values in line.get_data())
        assert prior.beyond(0.2, n, x) == pytest.approx(level, abs=1e-9)
        assert f"{level:g}" in [text.get_text() for text in axis.texts]
    assert "the prior is Beta(0.2, 0.8)" in picture.caption


LOOKS = ["1:6/10,3:9/20,7/30", "0/10,0/11,1/12,2/20,3/21,4/28,8/32", "2/14,6/25", ":3/9,5/28", "3:8/30,:9/31,9/33"]


@pytest.mark.long
@pytest.mark.parametrize("looks", LOOKS)
def test_no_text_of_the_pictures_lies_on_another_or_is_cut_off(looks):
    design, prior = parse_looks(looks), BetaPrior(0.2, 0.8)
    assert not unreadable(boundary_figures.boundary(design, prior, 0.2).figure)
    assert not unreadable(figures.at_looks(design, prior, ASKED).figure)
    assert not unreadable(figures.at(SeenSoFar(design=design, prior=prior, n=9, x=2), 0.2).figure)


def test_a_look_is_drawn_for_the_counts_on_both_sides_of_its_bounds():
    assert near_bounds(DESIGN, 0) == (1, 2, 5, 6)
    assert near_bounds(parse_looks("2/14,6/25"), 0) == (2, 3)
    assert near_bounds(parse_looks("1:3/10,5/20"), 0) == (1, 2, 3)
    picture = figures.at_looks(DESIGN, BetaPrior(0.2, 0.8), ASKED)
    assert len(picture.figure.axes) == 4  # two looks, a posterior and a prediction of each
    labels = [text.get_text() for text in picture.figure.axes[1].get_legend().get_texts()]
    assert [label.split(":")[0] for label in labels] == ["1 of 10", "2 of 10", "5 of 10", "6 of 10"]
    assert "stops for futility" in labels[0]
    assert "rejects H0" in labels[3]


def test_of_many_looks_four_that_can_stop_the_trial_are_drawn():
    design = parse_looks("/5,/6,0/10,0/11,1/15,1/16,2/20,3/21,8/30")
    assert [design.looks[k].n for k in figures.drawn_looks(design)] == [10, 15, 16, 21]
    assert figures.drawn_looks(parse_looks("5/25")) == []


def test_what_cannot_have_been_seen_is_refused():
    for n, x, said in ((31, 3, "at (31) is not from 0 to 30"), (10, 11, "at (11) is not from 0 to 10")):
        with pytest.raises(InputError, match=said.replace("(", r"\(").replace(")", r"\)")):
            SeenSoFar(design=DESIGN, prior=BetaPrior(1, 1), n=n, x=x)
