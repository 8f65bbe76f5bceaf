import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from simtrial.design.intervals import clopper_pearson


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_limits_of_every_count_are_those_of_statsmodels(level):
    for n in (1, 2, 25, 110):
        counts = np.arange(n + 1)
        expected = np.nan_to_num(proportion_confint(counts, n, alpha=1 - level, method="beta"))
        expected[1][n] = 1.0
        # the same quantiles, from 1 - tail on one side and the tail on the other
        np.testing.assert_allclose(clopper_pearson(counts, n, (1 - level) / 2), expected, rtol=1e-14, atol=0)


def test_limits_are_0_and_1_where_nobody_or_everybody_responds():
    low, high = clopper_pearson([0, 7], 7, 0.025)
    assert low[0] == 0
    assert high[1] == 1
    assert 0 < high[0] < 1
    assert 0 < low[1] < 1
