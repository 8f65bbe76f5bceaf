"""Kaplan-Meier and Brookmeyer-Crowley against R survival (a table) and statsmodels."""

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from simtrial.conduct_validation import SIX_MP
from simtrial.survival import kaplan_meier


@pytest.fixture(scope="module")
def six_mp():
    times = np.array([float(t.rstrip("+")) for t in SIX_MP])
    events = np.array([not t.endswith("+") for t in SIX_MP])
    order = np.random.default_rng(1).permutation(len(times))  # the order of patients must not matter
    return kaplan_meier(np.stack([times, times[order]], 1), np.stack([events, events[order]], 1))


def test_6mp_survival_and_greenwood_as_printed(six_mp, reference):
    rows = reference("km_6mp")
    rows = rows[rows.quantity.str.match(r"S\(\d+\)$")]
    assert len(rows) == 7
    for row in rows.itertuples():
        s, se = six_mp.at(float(row.quantity[2:-1]))
        # printed to three and four decimals
        assert s == pytest.approx([float(row.value)] * 2, abs=5.1e-4)
        assert se == pytest.approx([float(row.greenwood_se)] * 2, abs=5.1e-5)


def test_6mp_median_and_its_interval_as_in_r(six_mp, reference):
    rows = reference("km_6mp").set_index("quantity").value
    assert six_mp.median.tolist() == [float(rows["median"])] * 2
    assert rows["median 95% CI Brookmeyer-Crowley, conf.type=log-log"] == "(13,NA)"
    low, high = six_mp.interval()
    assert low.tolist() == [13, 13]
    assert np.isinf(high).all()


def test_many_trials_at_once_agree_with_statsmodels_one_by_one():
    rng = np.random.default_rng(2)
    times = np.ceil(rng.exponential(5, (20, 300)) * 2) / 2  # halves of months, so that ties are common
    events = rng.random((20, 300)) < 0.7
    counted = np.arange(20)[:, None] < rng.integers(3, 21, 300)
    found = kaplan_meier(times, events, counted)
    low, high = found.interval()
    compared = 0
    for k in range(300):
        mine = counted[:, k]
        if not events[mine, k].any():
            continue
        theirs = SurvfuncRight(times[mine, k], events[mine, k])
        for t, s in zip(theirs.surv_times, theirs.surv_prob, strict=True):
            assert found.at(t)[0][k] == pytest.approx(s, rel=1e-12)
        if np.isclose(theirs.surv_prob, 0.5, atol=1e-9).any():
            continue  # statsmodels takes the first time with S < 1/2, we the first with S <= 1/2, R their middle
        median = theirs.quantile(0.5)
        assert found.median[k] == (np.inf if np.isnan(median) else median)
        with np.errstate(all="ignore"):  # statsmodels divides by 0 where S = 0 or 1
            lower, upper = theirs.quantile_ci(0.5, method="cloglog")
        if (theirs.surv_prob > 0).all():  # where S ends at 0 it has no limit of its own there, and conventions differ
            assert low[k] == lower
            assert high[k] == (np.inf if np.isnan(upper) else upper)
            compared += 1
    assert compared > 30


def test_nobody_has_an_event():
    found = kaplan_meier(np.ones((5, 1)), np.zeros((5, 1), dtype=bool))
    assert found.median[0] == np.inf
    assert found.at(1.0)[0][0] == 1
    assert np.isnan(found.at(3.0)[0][0])  # nobody was watched for so long
    assert np.isinf(found.interval()[0][0])


def test_all_die_at_once():
    found = kaplan_meier(np.ones((5, 1)), np.ones((5, 1), dtype=bool))
    assert found.median[0] == 1
    assert found.at(1.0)[0][0] == 0
    assert [v[0] for v in found.interval()] == [1, np.inf]  # S = 0 has no limits, so no upper one was reached


def test_a_trial_without_patients_has_no_estimate():
    found = kaplan_meier(np.ones((3, 2)), np.ones((3, 2), dtype=bool), np.array([[True, False]] * 3))
    assert found.median.tolist() == [1, np.inf]
    survival, se = found.at(2.0)
    assert survival[0] == 0
    assert np.isnan(survival[1])
    assert np.isnan(se).all()
