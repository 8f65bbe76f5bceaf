"""The Beta-binomial likelihood, its maximum and the tests of homogeneity, against scipy, enumeration and print."""

import csv
import itertools
import math

import numpy as np
import pytest
from scipy import optimize, stats

from simtrial.errors import InputError
from simtrial.history import likelihood
from simtrial.history.counts import StudyCounts
from simtrial.history.likelihood import homogeneity, likeliest

FILE = [(24, 111), (5, 45), (4, 82), (37, 105), (26, 107), (5, 71), (13, 109), (16, 83)]
"""The results on p0 of params/NCT07022301.yaml."""


def studies(*pairs):
    return StudyCounts(tuple(int(x) for x, _ in pairs), tuple(int(n) for _, n in pairs))


def by_scipy(counts, a, b):
    x, n = np.array(counts.responders), np.array(counts.n)
    return float(stats.betabinom.logpmf(x, n, a, b).sum())


def random_studies(rng, most=12, n=40, rho=0.1):
    k = int(rng.integers(2, most))
    sizes = rng.integers(2, n, k)
    rates = rng.beta(0.3 * (1 / rho - 1), 0.7 * (1 / rho - 1), k)
    return studies(*zip(rng.binomial(sizes, rates), sizes, strict=True))


@pytest.fixture(scope="module")
def saxony(root):
    with (root / "tests/reference/saxony_families.csv").open(encoding="utf-8") as lines:
        rows = [{key: int(value) for key, value in row.items()} for row in csv.DictReader(lines)]
    return studies(*((row["boys"], row["children"]) for row in rows for _ in range(row["families"])))


@pytest.fixture(scope="module")
def rats(root):
    with (root / "tests/reference/rats_tarone1982.csv").open(encoding="utf-8") as lines:
        return [(int(row["responders"]), int(row["n"])) for row in csv.DictReader(lines)]


@pytest.mark.parametrize("most", [60, 900, 20_000])
def test_the_likelihood_is_that_of_scipy(most):
    """Gauss's rules for long sums leave no error; scipy's differences of log-gammas lose digits as numbers grow."""
    rng = np.random.default_rng(most)
    sizes = rng.integers(1, most, 20)
    counts = studies(*zip(rng.binomial(sizes, rng.beta(2, 6, 20)), sizes, strict=True))
    for a, b in ((0.5, 2), (3, 9), (40, 90)):
        found = float(counts.log_likelihood(a / (a + b), 1 / (a + b + 1)))
        assert found == pytest.approx(by_scipy(counts, a, b), rel=1e-11)


def test_sums_of_logarithms_are_those_taken_one_by_one():
    counts = studies((700, 5_000), (9, 300), (2_000, 9_000))
    mean, rho = 0.2, 0.03
    whole = 0.0
    for x, n in zip(counts.responders, counts.n, strict=True):
        whole += math.fsum(math.log(mean * (1 - rho) + k * rho) for k in range(x))
        whole += math.fsum(math.log((1 - mean) * (1 - rho) + k * rho) for k in range(n - x))
        whole -= math.fsum(math.log(1 - rho + k * rho) for k in range(n))
        whole += math.log(math.comb(n, x))
    assert float(counts.log_likelihood(mean, rho)) == pytest.approx(whole, rel=1e-13)


def test_without_variation_the_likelihood_is_binomial():
    counts = studies(*FILE)
    whole = sum(stats.binom.logpmf(x, n, 0.17) for x, n in FILE)
    assert float(counts.log_likelihood(0.17, 0.0)) == pytest.approx(whole, rel=1e-13)


def test_the_scores_are_the_slopes_of_the_likelihood():
    counts, step = studies(*FILE), 1e-6
    mean, rho = np.array(0.2), np.array(0.07)
    along_mean = (counts.log_likelihood(mean + step, rho) - counts.log_likelihood(mean - step, rho)) / (2 * step)
    along_rho = (counts.log_likelihood(mean, rho + step) - counts.log_likelihood(mean, rho - step)) / (2 * step)
    # a difference quotient of this step is right to about 1e-7 of the slope
    assert float(counts.score_of_mean(mean, rho)) == pytest.approx(float(along_mean), rel=1e-6)
    assert float(counts.score_of_rho(mean, rho)) == pytest.approx(float(along_rho), rel=1e-6)


def test_the_families_of_saxony_give_the_published_likelihoods(saxony):
    """Printed: AIC 24989.74 against 25070.34 of the binomial law; a = 34.09558, b = 31.5715, where they are flat."""
    found = likeliest(saxony)
    assert 4 - 2 * found.log_likelihood == pytest.approx(24989.74, abs=0.005)
    assert 2 - 2 * found.log_likelihood_equal == pytest.approx(25070.34, abs=0.005)
    assert found.shapes == pytest.approx((34.09558, 31.5715), rel=3e-4)  # printed where the search stopped
    assert found.log_likelihood >= by_scipy(saxony, 34.09558, 31.5715)


def test_the_rats_of_tarone_give_the_published_estimates(rats):
    """The 70 groups before the last, as fitted by R BayesGOF: a = 2.304768, b = 14.079707."""
    assert likeliest(studies(*rats[:-1])).shapes == pytest.approx((2.304768, 14.079707), rel=1e-5)


def test_no_point_of_a_grid_is_likelier():
    for counts in (studies(*FILE), studies((0, 9), (1, 12), (7, 15)), studies((3, 10), (4, 11))):
        found = likeliest(counts)
        means, rhos = np.linspace(0.005, 0.995, 199)[:, np.newaxis], np.linspace(0, 0.995, 400)
        assert float(counts.log_likelihood(means, rhos).max()) <= found.log_likelihood + 1e-12


@pytest.mark.parametrize("seed", range(30))
def test_no_search_from_any_start_finds_a_likelier_point(seed):
    rng = np.random.default_rng(seed)
    counts = random_studies(rng, rho=rng.choice([0.01, 0.1, 0.5]))
    found = likeliest(counts)

    def loss(at):
        mean, rho = 1 / (1 + np.exp(-at))
        value = float(counts.log_likelihood(mean, min(rho, 1 - 1e-12)))
        return -value if np.isfinite(value) else 1e9

    best = min(optimize.minimize(loss, start, method="Nelder-Mead").fun for start in ((-1, -3), (0, 0), (-2, -8)))
    assert found.log_likelihood >= -best - 1e-7  # Nelder and Mead stop at 1e-4 of their simplex


def test_studies_that_vary_no_more_than_chance_have_no_variation():
    found = likeliest(studies(*[(2, 20)] * 5))
    assert (found.rho, found.shapes, found.known) == (0.0, None, True)
    assert found.mean == pytest.approx(0.1, rel=1e-15)
    assert found.log_likelihood == found.log_likelihood_equal


@pytest.mark.parametrize(
    "pairs", [[(5, 45)], [(0, 10), (0, 20)], [(10, 10), (20, 20)], [(0, 1), (1, 1), (1, 1)], [(0, 7)]]
)
def test_counts_that_say_nothing_of_the_variation_say_so(pairs):
    counts = studies(*pairs)
    found = likeliest(counts)
    assert (found.known, found.rho, found.mean) == (False, 0.0, counts.pooled)
    assert homogeneity(counts, found) is None


def test_studies_without_and_with_responses_only_are_as_far_apart_as_possible():
    found = likeliest(studies((0, 10), (10, 10), (0, 12)))
    assert (found.mean, found.rho, found.shapes) == (pytest.approx(1 / 3), 1.0, None)
    assert found.log_likelihood == pytest.approx(math.log(1 / 3) + 2 * math.log(2 / 3))


def test_five_hundred_studies_and_a_hundred_thousand_patients_are_no_trouble():
    rng = np.random.default_rng(3)
    sizes = rng.integers(10, 100_000, 500)
    found = likeliest(studies(*zip(rng.binomial(sizes, rng.beta(4, 16, 500)), sizes, strict=True)))
    # the standard error of the mean is about 0.004, of rho about 0.003
    assert (found.mean, found.rho) == (pytest.approx(0.2, abs=0.016), pytest.approx(1 / 21, abs=0.012))


def enumerated(counts):
    """P(a sum of squares at least as large), table by table."""
    total, patients = counts.total

    def spread(table):  # times the square of all patients, in whole numbers
        return sum((patients * x - n * total) ** 2 for x, n in zip(table, counts.n, strict=True))

    ways = {
        table: math.prod(math.comb(n, x) for x, n in zip(table, counts.n, strict=True))
        for table in itertools.product(*(range(n + 1) for n in counts.n))
        if sum(table) == total
    }
    observed = spread(counts.responders)
    return sum(way for table, way in ways.items() if spread(table) >= observed) / math.comb(patients, total)


@pytest.mark.parametrize("pairs", [[(1, 8), (5, 9), (2, 7)], [(3, 10), (3, 10)], [(0, 12), (6, 12)], [(0, 4), (4, 4)]])
def test_the_conditional_test_is_the_enumeration_of_all_tables(pairs):
    counts = studies(*pairs)
    test = homogeneity(counts, likeliest(counts))
    assert (test.draws, test.mcse) == (0, 0.0)
    assert test.conditional == pytest.approx(enumerated(counts), rel=1e-10)


def test_random_tables_give_the_enumerated_p_value_within_their_error():
    counts = studies((4, 30), (9, 31), (6, 25), (12, 33))
    fitted = likeliest(counts)
    exact, drawn = homogeneity(counts, fitted), homogeneity(counts, fitted, most=0)
    assert (exact.draws, drawn.draws) == (0, likelihood.DRAWS)
    assert drawn.mcse == pytest.approx(math.sqrt(drawn.conditional * (1 - drawn.conditional) / drawn.draws))
    assert abs(drawn.conditional - exact.conditional) < 4 * drawn.mcse + 1 / drawn.draws


def test_the_likelihood_ratio_has_half_a_chi_square(saxony):
    fitted = likeliest(saxony)
    counts = studies(*FILE)
    test = homogeneity(counts, likeliest(counts))
    assert test.p_value == pytest.approx(0.5 * stats.chi2.sf(test.statistic, 1), rel=1e-9)
    assert 2 * (fitted.log_likelihood - fitted.log_likelihood_equal) == pytest.approx(25070.34 - 24989.74 + 2, abs=0.01)


def test_counts_above_the_patients_are_refused():
    with pytest.raises(InputError, match=r"\(11\) is not from 0 to n \(10\)"):
        studies((11, 10))
    with pytest.raises(InputError, match="one per study"):
        StudyCounts((1,), (10, 20))
