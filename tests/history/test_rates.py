"""Distributions of true rates against scipy, integrals and enumeration."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from simtrial.history.rates import RateLaw, beta_binomial

BETAS = [(2.3, 14.1), (0.4, 3.0), (30.0, 60.0), (1.0, 1.0)]


def law_of(*betas):
    """An even mixture of Beta distributions by a and b."""
    a, b = np.array(betas).T
    return RateLaw(np.full(a.size, 1 / a.size), a / (a + b), 1 / (a + b + 1))


@pytest.mark.parametrize(("a", "b"), BETAS)
def test_one_component_is_the_beta_distribution(a, b):
    law, p = law_of((a, b)), np.linspace(0.01, 0.99, 33)
    assert law.cdf(p) == pytest.approx(stats.beta.cdf(p, a, b), rel=1e-12, abs=1e-300)  # the same special function
    assert law.density(p) == pytest.approx(stats.beta.pdf(p, a, b), rel=1e-11)
    assert (law.mean, law.sd) == pytest.approx((stats.beta.mean(a, b), stats.beta.std(a, b)), rel=1e-13)
    assert law.interval(0.9) == pytest.approx(stats.beta.ppf([0.05, 0.95], a, b), abs=2e-12)  # `QUANTILE_ERROR`


def test_a_mixture_has_the_mean_and_the_deviation_of_its_density():
    law = law_of(*BETAS)
    mean, square = (integrate.quad(lambda p, k=k: p**k * law.density(np.array([p]))[0], 0, 1)[0] for k in (1, 2))
    assert (law.mean, law.sd) == pytest.approx(
        (mean, np.sqrt(square - mean**2)), abs=1e-7
    )  # the error of the quadrature


@pytest.mark.parametrize("share", [0.025, 0.5, 0.975])
def test_a_quantile_is_the_rate_below_which_lies_its_share(share):
    law = law_of(*BETAS)
    assert float(law.cdf(law.quantile(share))) == pytest.approx(share, abs=1e-10)


def test_rho_0_is_one_rate_and_rho_1_a_rate_of_0_or_1():
    point, ends = RateLaw.single(0.2, 0.0), RateLaw.single(0.2, 1.0)
    assert point.cdf([0.1, 0.2, 0.3]).tolist() == [0, 1, 1]
    assert point.counts(10) == pytest.approx(stats.binom.pmf(np.arange(11), 10, 0.2), rel=1e-12)
    assert point.quantile(0.5) == pytest.approx(0.2, abs=1e-12)
    assert ends.counts(3) == pytest.approx([0.8, 0, 0, 0.2])
    assert (ends.mean, ends.sd) == pytest.approx((0.2, 0.4))
    assert ends.interval() == pytest.approx((0, 1), abs=1e-11)
    assert not point.density(np.array([0.1, 0.2])).any()


@pytest.mark.parametrize("n", [1, 25, 300])
@pytest.mark.parametrize(("a", "b"), BETAS)
def test_counts_are_beta_binomial(n, a, b):
    assert law_of((a, b)).counts(n) == pytest.approx(stats.betabinom.pmf(np.arange(n + 1), n, a, b), rel=1e-9)


def test_counts_lose_nothing_where_studies_hardly_differ():
    """With a + b = 1e9 the difference of log-gammas has lost all digits; the binomial law is right to 1e-7."""
    means, n = np.array([0.3]), 40
    assert beta_binomial(n, means, np.array([1e-9]))[0] == pytest.approx(
        stats.binom.pmf(np.arange(n + 1), n, 0.3), rel=1e-6
    )


@pytest.mark.parametrize("upto", [0.05, 0.1, 0.4])
def test_counts_up_to_a_rate_are_an_integral_of_the_density(upto):
    law, n = law_of((2.3, 14.1), (1.5, 3.0)), 12
    for x in (0, 3, 12):
        whole = integrate.quad(lambda p, x=x: stats.binom.pmf(x, n, p) * law.density(np.array([p]))[0], 0, upto)[0]
        assert law.counts_upto(n, upto)[1, x] == pytest.approx(whole, rel=1e-7)


def test_counts_up_to_a_rate_count_a_point_below_it_whole():
    assert RateLaw.single(0.1, 0.0).counts_upto(5, 0.1).sum(axis=1) == pytest.approx([1, 1])
    assert RateLaw.single(0.1, 0.0).counts_upto(5, 0.0999)[1].sum() == 0


def test_the_rate_given_a_count_is_what_bayes_says():
    """P(X = x, P <= c) / P(X = x) is the Beta(a + x, b + n - x) distribution function."""
    a, b, n = 2.0, 7.0, 15
    law = law_of((a, b))
    x = np.arange(n + 1)
    assert law.counts_upto(n, 0.2)[1] / law.counts(n) == pytest.approx(special.betainc(a + x, b + n - x, 0.2), rel=1e-9)
