"""The posterior of the Beta-binomial model against grids, closed forms and print."""

import numpy as np
import pytest
from scipy import stats
from test_likelihood import FILE, rats, studies

from simtrial.history.posterior import PRIOR, posterior

__all__ = ["rats"]  # a fixture


def by_grid(pairs, size=500):
    """Evidence, means of the mean and of rho, and P(rate <= 0.1), by the midpoint rule over the unit square."""
    x, n = np.array(pairs).T
    mean = ((np.arange(size) + 0.5) / size)[:, np.newaxis]
    rho = (np.arange(size) + 0.5) / size
    a, b = mean * (1 - rho) / rho, (1 - mean) * (1 - rho) / rho
    density = np.exp(sum(stats.betabinom.logpmf(k, m, a, b) for k, m in zip(x, n, strict=True)))
    density *= stats.beta.pdf(rho, *PRIOR) / size**2
    total = density.sum()
    below = stats.beta.cdf(0.1, a, b)
    return total, (density * mean).sum() / total, (density * rho).sum() / total, (density * below).sum() / total


@pytest.mark.parametrize("pairs", [[(2, 12), (5, 20), (9, 25)], [(0, 15), (3, 14)]])
def test_the_quadrature_agrees_with_a_fine_grid(pairs):
    found = posterior(studies(*pairs))
    total, mean, rho, below = by_grid(pairs)
    # the midpoint rule with 500 points is right to about 1e-4
    assert np.exp(found.log_evidence) == pytest.approx(total, rel=1e-3)
    assert (found.mean, found.rho) == pytest.approx((mean, rho), rel=1e-3)
    assert float(found.law.cdf(0.1)) == pytest.approx(below, rel=3e-3)


def test_one_patient_has_a_posterior_in_closed_form():
    """One responder of one: the density of the mean becomes 2 m, and nothing is learnt of rho."""
    found = posterior(studies((1, 1)))
    assert found.log_evidence == pytest.approx(np.log(0.5), abs=1e-10)
    assert (found.mean, found.rho) == pytest.approx((2 / 3, 0.1), abs=1e-9)
    assert found.law.mean == pytest.approx(2 / 3, abs=1e-9)


def test_the_rats_have_the_published_posterior_means(rats):
    """Gelman et al., Bayesian Data Analysis, section 5.3: E(a) = 2.4 and E(b) = 14.3 with p(a, b) as (a + b)^(-5/2).

    In terms of the mean and rho that prior is rho^(-1/2) (1 - rho)^(-3/2).
    """
    law = posterior(studies(*rats), (0.5, -0.5)).law
    size = (1 - law.rhos) / law.rhos
    a, b = (float(law.weights @ (share * size)) for share in (law.means, 1 - law.means))
    assert (round(a, 1), round(b, 1)) == (2.4, 14.3)


@pytest.mark.parametrize(
    "pairs",
    [FILE, [(0, 10)], [(10, 10)], [(0, 5)] * 4, [(20_000, 100_000)], [(20_000, 100_000), (21_000, 100_000)],
     [(0, 10), (10, 10)], [(50, 100_000), (0, 3)]],
)  # fmt: skip
def test_the_numerical_error_is_small_and_weights_add_up(pairs):
    found = posterior(studies(*pairs))
    assert found.error < 1e-8
    assert found.law.weights.sum() == pytest.approx(1, abs=1e-12)
    low, high = found.law.interval()
    assert 0 <= low < high <= 1
    assert low < found.law.mean < high or found.law.mean == pytest.approx(low, abs=0.1)


def test_many_studies_settle_what_the_prior_left_open():
    rng = np.random.default_rng(8)
    sizes = rng.integers(20, 200, 500)
    found = posterior(studies(*zip(rng.binomial(sizes, rng.beta(4, 16, 500)), sizes, strict=True)))
    low, high = stats.beta.ppf([0.025, 0.975], 4, 16)
    assert found.law.interval() == pytest.approx((low, high), abs=0.03)  # 500 rates know their tails to about 0.01


def test_the_prior_matters_less_the_more_studies_there_are():
    few, many = ([(3, 20), (6, 20)] * k for k in (1, 20))

    def gap(pairs):
        return abs(posterior(studies(*pairs)).rho - posterior(studies(*pairs), (1, 1)).rho)

    assert gap(many) < gap(few) / 5
