"""Kaplan-Meier and Brookmeyer-Crowley against R survival (a table), statsmodels, and fractions."""

from fractions import Fraction

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from simtrial.conduct import survival
from simtrial.conduct.survival import half_way, kaplan_meier
from simtrial.validation.conduct import SIX_MP


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
            continue  # statsmodels takes the first time with S < 1/2, we and R the middle of the interval
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


def one(times, events=None):
    """The estimate in one trial."""
    times = np.array(times, dtype=float)[:, None]
    return kaplan_meier(times, np.ones(times.shape, bool) if events is None else np.array(events, bool)[:, None])


def in_fractions(times, events):
    """Median by the rule of R's print.survfit, with S as a fraction: no rounding can hide or invent a plateau."""
    s, reached = Fraction(1), None
    for t in sorted(set(times)):
        at_risk = sum(x >= t for x in times)
        s *= 1 - Fraction(sum(x == t and e for x, e in zip(times, events, strict=True)), at_risk)
        if reached is not None and s < Fraction(1, 2):
            return (reached + t) / 2
        if s < Fraction(1, 2):
            return t
        if s == Fraction(1, 2) and reached is None:
            reached = t
    return np.inf if reached is None else reached


def test_the_median_on_a_plateau_is_the_middle_as_in_r_and_sas():
    # events at 1..10: S(5) = 1/2 until the sixth event; R and SAS print (5 + 6)/2
    assert one(range(1, 11)).median[0] == 5.5
    # the example in the source of R's print.survfit, where S(50) is 1/2 + 1.1e-16 by rounding
    assert one(range(1, 101)).median[0] == 50.5


def test_the_plateau_ends_at_the_next_event_not_at_the_next_loss():
    # 4 patients: S = 3/4, 1/2 at 1, 2; the patient lost at 3 moves no step; the last event is at 7
    assert one([1, 2, 3, 7], [1, 1, 0, 1]).median[0] == 4.5


def test_a_plateau_without_a_later_event_gives_the_time_it_began():
    # as R prints: with all others lost, no event ends the interval
    assert one([1, 2, 3, 7], [1, 1, 0, 0]).median[0] == 2


def test_medians_are_those_of_fractions_whatever_the_ties_and_losses():
    rng = np.random.default_rng(5)
    plateaus = 0
    for _ in range(400):
        n = int(rng.integers(1, 25))
        times, events = rng.integers(1, 12, n).tolist(), (rng.random(n) < 0.75).tolist()
        expected = in_fractions(times, events)
        assert one(times, events).median[0] == expected
        plateaus += expected % 1 == 0.5
    assert plateaus > 20


def test_a_limit_that_runs_along_one_half_follows_the_same_rule():
    months = np.array([1.0, 2.0, 5.0, 8.0])
    assert half_way(months, np.array([0.9, 0.5, 0.5, 0.2])) == 5  # (2 + 8)/2
    assert half_way(months, np.array([0.9, 0.5, np.nan, np.nan])) == 2
    assert half_way(months, np.array([0.9, 0.8, 0.7, np.nan])) == np.inf
    assert half_way(np.zeros(0), np.zeros(0)) == np.inf


def test_limits_of_the_median_of_ten_events():
    # log-log, Greenwood's sum at t is sum 1/(n_i (n_i - 1)): at 1, 1/90, S = .9: log S = -.10536, spread
    # exp(1.96 sqrt(1/90)/.10536) = 7.106, lower exp(-.10536 x 7.106) = .473 < 1/2; so 1 is the lower limit. Upper at 6:
    # S = .4, sum = 1/90 + 1/72 + 1/56 + 1/42 + 1/30 + 1/20 = .15, log S = -.91629, spread exp(-1.96 x .38730/.91629)
    # = .43674, exp(-.91629 x .43674) = .670; at 7: .2333, -1.20397: .45551, .578; at 8: .4, -1.60944: .46290, .475
    low, high = one(range(1, 11)).interval()
    assert (low[0], high[0]) == (1, 8)


def by_curves(times, events):
    """Limits of the median of one trial from the two curves themselves, event time by event time."""
    at, s, v = [], 1.0, 0.0
    curves = []
    for t in sorted({t for t, e in zip(times, events, strict=True) if e}):
        left = sum(x >= t for x in times)
        for k in range(sum(x == t and e for x, e in zip(times, events, strict=True))):
            s *= 1 - 1 / (left - k)
            v += 1 / ((left - k) * (left - k - 1)) if left - k > 1 else np.inf
        spread = 1.959963984540054 * np.sqrt(v) / -np.log(s) if s else np.nan
        at.append(t)
        curves.append([s ** np.exp(sign * spread) if s else bare for sign, bare in ((1, 0.0), (-1, np.nan))])
    low, high = np.array(curves).reshape(-1, 2).T
    return [float(half_way(np.array(at), curve)) for curve in (low, high)]


@pytest.mark.parametrize("close", [1e-6, np.inf], ids=["compared", "from their curves"])
def test_limits_of_the_median_are_those_of_their_curves_whatever_the_ties_and_losses(close, monkeypatch):
    monkeypatch.setattr(survival, "CLOSE", close)  # with infinity no comparison is believed
    rng = np.random.default_rng(6)
    for k in range(60):
        n = int(rng.integers(1, 30))
        times = rng.exponential(5, (n, 20))
        times = np.floor(times) if k % 2 else times
        events = rng.random((n, 20)) < rng.random()
        found = kaplan_meier(times, events).interval()
        for j in range(20):
            assert [limit[j] for limit in found] == by_curves(times[:, j].tolist(), events[:, j].tolist())


def test_who_entered_after_the_end_of_observation_was_never_watched():
    # five events among nine patients, two of whom are lost before anything is seen: S = 6/7, ..., 3/7 at the fourth
    found = one([-3.0, -0.0, 1, 2, 3, 4, 5, 6, 7], [0, 0, 1, 1, 1, 1, 1, 0, 0])
    assert found.median[0] == 4
    assert found.at(3.5)[0][0] == pytest.approx(4 / 7, abs=1e-15)  # a product of three fractions


def test_patients_who_do_not_count_change_nothing_wherever_they_stand():
    rng = np.random.default_rng(7)
    times, events = rng.exponential(5, (12, 40)), rng.random((12, 40)) < 0.7
    counted = rng.random((12, 40)) < 0.6
    together = kaplan_meier(times, events, counted)
    for j in range(40):
        mine = counted[:, j]
        alone = kaplan_meier(times[mine, j : j + 1], events[mine, j : j + 1])
        assert together.median[j] == alone.median[0]
        assert [limit[j] for limit in together.interval()] == [limit[0] for limit in alone.interval()]
        assert together.at(4.0)[0][j] == pytest.approx(alone.at(4.0)[0][0], nan_ok=True, abs=0)
        assert np.isinf(together.times[mine.sum() :, j]).all()
