"""The type I error where p0 is not the true rate, against integrals, simulation and brute force."""

import numpy as np
import pytest
from scipy import integrate, stats

from simtrial import SingleStage, TwoStage, parse_looks
from simtrial.design.exact import operating_characteristics, reject_fraction
from simtrial.design.requirements import decimal
from simtrial.history.counts import StudyCounts
from simtrial.history.null import averaged, largest_null, reject_if
from simtrial.history.posterior import posterior
from simtrial.history.rates import RateLaw

MINIMAX = TwoStage(r1=1, n1=15, r=5, n=25)
DESIGNS = [MINIMAX, SingleStage(5, 25), parse_looks("1:5/10,5/29"), parse_looks("0/8,2/16,5/25")]


def beta(a, b):
    return RateLaw.single(a / (a + b), 1 / (a + b + 1))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(("a", "b"), [(3.1, 14.9), (0.6, 4.0), (50.0, 250.0)])
def test_the_average_is_the_integral_over_the_true_rate(design, a, b):
    def weighted(p):
        return float(operating_characteristics(design, p).reject) * stats.beta.pdf(p, a, b)

    parts = [integrate.quad(weighted, low, high)[0] for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 1))]
    assert averaged(design, beta(a, b)) == pytest.approx(sum(parts), rel=1e-7)  # the error of the quadrature
    assert averaged(design, beta(a, b), upto=0.1) == pytest.approx(parts[0], rel=1e-6)


@pytest.mark.parametrize("share", [1.0, 0.9])
def test_the_average_is_what_simulated_trials_give(share):
    """Trials of 1/15, 5/25 run patient by patient at rates drawn from the distribution."""
    law, trials = beta(3.1, 14.9), 40_000
    rng = np.random.default_rng(5)
    rates = rng.beta(3.1, 14.9, trials)[:, np.newaxis]
    seen = (rng.random((trials, 25)) < rates) & (rng.random((trials, 25)) < share)
    rejected = (seen[:, :15].sum(axis=1) > 1) & (seen.sum(axis=1) > 5)
    error = np.sqrt(rejected.mean() * (1 - rejected.mean()) / trials)
    assert abs(averaged(MINIMAX, law, share) - rejected.mean()) < 4 * error
    below = rejected & (rates[:, 0] <= 0.1)
    error = np.sqrt(below.mean() * (1 - below.mean()) / trials) + 1 / trials
    assert abs(averaged(MINIMAX, law, share, upto=0.1) - below.mean()) < 4 * error


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_at_one_rate_the_average_is_the_probability_there(share):
    found = averaged(MINIMAX, RateLaw.single(0.17, 0.0), share)
    assert found == pytest.approx(float(reject_if(MINIMAX, 0.17, share)), rel=1e-12)


def test_rates_of_0_and_1_reject_never_and_always():
    assert averaged(MINIMAX, RateLaw.single(0.3, 1.0)) == pytest.approx(0.3)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_largest_rate_that_keeps_alpha_is_the_last_that_does(design, alpha):
    largest = largest_null(design, alpha)
    p = np.linspace(0, 1, 2001)
    kept = operating_characteristics(design, p).reject <= alpha
    assert p[kept][-1] <= largest < p[~kept][0]
    assert reject_fraction(design, decimal(round(largest - 1e-12, 15))) <= decimal(alpha)
    assert reject_fraction(design, decimal(round(largest + 1e-12, 15))) > decimal(alpha)


def test_with_dropout_a_larger_rate_keeps_alpha():
    assert largest_null(MINIMAX, 0.05, 0.9) == pytest.approx(largest_null(MINIMAX, 0.05) / 0.9, abs=1e-14)


def test_a_rule_that_breaks_alpha_at_p0_keeps_it_below_p0_only():
    """6/25 of 28 patients has a type I error of 0.055 at 0.10 (methods, section 5)."""
    assert largest_null(SingleStage(5, 28), 0.05) < 0.10 < largest_null(SingleStage(5, 25), 0.05)


def test_a_mixture_of_many_laws_averages_each():
    law = posterior(StudyCounts((5, 9, 2), (40, 45, 50))).law
    some = np.random.default_rng(1).choice(law.weights.size, 50, replace=False)
    part = RateLaw(law.weights[some] / law.weights[some].sum(), law.means[some], law.rhos[some])
    whole = sum(
        weight * averaged(MINIMAX, RateLaw.single(mean, rho))
        for weight, mean, rho in zip(part.weights, part.means, part.rhos, strict=True)
    )
    assert averaged(MINIMAX, part) == pytest.approx(whole, rel=1e-12)


def test_a_large_design_is_averaged_in_blocks():
    design = SingleStage(2_000, 9_000)
    found = averaged(design, beta(20.0, 80.0))
    assert found == pytest.approx(stats.beta.sf(2_000.5 / 9_000, 20, 80), abs=1e-3)  # the rate decides almost alone
