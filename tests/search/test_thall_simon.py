"""The rule of Thall and Simon against a reference table, quadrature, fractions and a simulation."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, special, stats

from simtrial import InputError, looks_text
from simtrial.design import exact
from simtrial.design.designs import Look
from simtrial.search.bayesian.posterior import BetaPrior, parse_prior
from simtrial.search.bayesian.thall_simon import RateComparison, chance_fraction, chances, thall_simon

DIFFUSE = BetaPrior(0.6, 1.4)
STANDARD = BetaPrior(15, 35)


def parsed(text):
    return parse_prior(text.removeprefix("Beta(").removesuffix(")"))


def test_bounds_are_those_of_the_reference_none_where_there_is_none(reference):
    rows = reference("families/bayesian")
    rows = rows[rows.family == "thall-simon"].to_dict("records")
    assert len(rows) == 13
    for row in rows:
        wanted = [None if one == "-" else int(one) for one in row["bounds"].split()]
        asked = RateComparison(new=parsed(row["prior_e"]), standard=parsed(row["prior_s"]), delta=float(row["delta"]))
        bounds = {"futility": asked.futile_to, "superiority": asked.promising_from}[row["kind"]]
        assert bounds(len(wanted), row["theta"]) == wanted


def quadrature(new, standard, delta, n, x):
    """The same integral by adaptive quadrature in s, split around the peak of the prior."""
    deviation = math.sqrt(standard.mean * (1 - standard.mean) / (standard.size + 1))
    points = [one for k in (-8, -3, 0, 3, 8) if 0 < (one := standard.mean + k * deviation) < 1 - delta]
    whole = special.betaln(standard.a, standard.b)
    value, _ = integrate.quad(
        lambda s: math.exp((standard.a - 1) * math.log(s) + (standard.b - 1) * math.log1p(-s) - whole)
        * special.betaincc(new.a + x, new.b + n - x, s + delta),
        0, 1 - delta, points=points or None, epsabs=1e-13, epsrel=1e-12, limit=400,
    )  # fmt: skip
    return value


@pytest.mark.parametrize(
    "standard", [STANDARD, BetaPrior(0.5, 0.5), BetaPrior(2, 0.7), BetaPrior(90, 10), BetaPrior(200, 800)], ids=str
)
@pytest.mark.parametrize("delta", [0.0, 0.01, 0.2])
def test_chances_equal_an_adaptive_quadrature(standard, delta):
    for new in (DIFFUSE, BetaPrior(1.8, 0.2)):
        found = chances(new, standard, 40, delta)
        for n, x in ((0, 0), (1, 0), (1, 1), (12, 5), (40, 0), (40, 13), (40, 40)):
            # the tolerance is that of the quadrature
            assert found[n, x] == pytest.approx(quadrature(new, standard, delta, n, x), abs=2e-12)


@pytest.mark.parametrize("standard", [BetaPrior(1, 1), BetaPrior(3, 7), BetaPrior(20, 40)], ids=str)
@pytest.mark.parametrize("delta", ["0", "0.01", "0.15", "0.6"])
def test_chances_of_whole_priors_equal_the_integral_of_a_polynomial_in_fractions(standard, delta):
    new = BetaPrior(1, 2)
    found = chances(new, standard, 25, float(delta))
    for n, x in ((0, 0), (1, 1), (9, 4), (25, 0), (25, 11), (25, 25)):
        exactly = chance_fraction(new, standard, n, x, Fraction(delta))
        assert found[n, x] == pytest.approx(float(exactly), abs=2e-14)


def test_a_sharp_prior_gives_numbers_and_bounds():
    for standard in (BetaPrior(200, 800), BetaPrior(9000, 1000), BetaPrior(0.01, 0.01), BetaPrior(0.02, 300)):
        for delta in (0.0, 0.1):
            found = chances(DIFFUSE, standard, 30, delta)
            inside = np.tri(31, dtype=bool)
            assert np.isfinite(found[inside]).all()
            assert (np.diff(found[30]) >= 0).all()
    assert RateComparison(new=DIFFUSE, standard=BetaPrior(200, 800)).futile_to(30, 0.05)[-1] == 2
    # a prior that sharp is nearly a known rate: its variance of 1.6e-5 moves what curves by as much as 25 of it
    known = [stats.beta.sf(0.2, 0.6 + x, 1.4 + 30 - x) for x in range(31)]
    assert chances(DIFFUSE, BetaPrior(2000, 8000), 30)[30] == pytest.approx(known, abs=5e-4)


def test_as_many_patients_as_are_allowed_are_counted_right():
    found = chances(DIFFUSE, STANDARD, 500, 0.1)
    for x in (0, 150, 250, 500):
        assert found[500, x] == pytest.approx(quadrature(DIFFUSE, STANDARD, 0.1, 500, x), abs=2e-12)
    with pytest.raises(InputError, match="above 500"):
        thall_simon([501], DIFFUSE, STANDARD, theta_l=0.1)


def test_equal_laws_are_at_one_half_and_equality_is_decided_as_asked():
    # 3 of 8 make the uniform prior Beta(4, 6), and the half prior 2 of 5 Beta(2.5, 3.5), which no fraction holds
    for new, standard, n, x in (
        (BetaPrior(1, 1), BetaPrior(4, 6), 8, 3),
        (BetaPrior(0.5, 0.5), BetaPrior(2.5, 3.5), 5, 2),
    ):
        asked = RateComparison(new=new, standard=standard)
        assert asked.futile_to(n, 0.5)[-1] == x - 1
        assert asked.futile_to(n, 0.5, strict=False)[-1] == x
        assert asked.promising_from(n, 0.5)[-1] == x + 1
        assert asked.promising_from(n, 0.5, strict=False)[-1] == x


def test_the_last_look_rejects_where_it_is_promising_or_without_that_threshold_where_it_is_not_futile():
    futile, promising = (
        thall_simon([20, 40], DIFFUSE, STANDARD, theta_l=0.05),
        thall_simon([20, 40], DIFFUSE, STANDARD, theta_u=0.95),
    )
    both = thall_simon([20, 40], DIFFUSE, STANDARD, theta_l=0.05, theta_u=0.95)
    assert [looks_text(one) for one in (futile, promising, both)] == ["2/20,6/40", ":11/20,18/40", "2:11/20,18/40"]


def test_what_is_futile_and_promising_is_futile():
    # a gain is nearly certain for 24 of 30, one of .6 is not
    design = thall_simon([30, 40], DIFFUSE, STANDARD, delta=0.6, theta_l=0.5, theta_u=0.95)
    assert len(design.looks) == 1
    asked = RateComparison(new=DIFFUSE, standard=STANDARD, delta=0.6)
    assert design.looks[0] == Look(30, asked.futile_to(30, 0.5)[-1])
    assert RateComparison(new=DIFFUSE, standard=STANDARD).promising_from(30, 0.95)[-1] < design.looks[0].r


def test_looks_without_bounds_stay_without():
    design = thall_simon(range(1, 41), DIFFUSE, STANDARD, theta_l=0.05, theta_u=0.95)
    assert design.looks[:3] == (Look(1, None), Look(2, None), Look(3, None, 3))
    assert len(design.looks) == 40


def test_a_trial_simulated_with_drawn_rates_has_the_exact_errors():
    looks_at, delta, trials, rng = (10, 20, 30), 0.05, 20_000, np.random.default_rng(6)
    theta_l, theta_u = 0.1, 0.9
    design = thall_simon(looks_at, DIFFUSE, STANDARD, delta=delta, theta_l=theta_l, theta_u=theta_u)
    draws = special.betaincinv(STANDARD.a, STANDARD.b, (np.arange(1000) + 0.5) / 1000)
    decided = {}
    for n, x in ((size, count) for size in looks_at for count in range(size + 1)):
        # 1,000 equally probable rates of the standard stand for its prior
        later = (DIFFUSE.a + x, DIFFUSE.b + n - x)
        gain, none = (special.betaincc(*later, np.minimum(draws + more, 1)).mean() for more in (delta, 0))
        decided[n, x] = (gain < theta_l, none > theta_u)
    for p in (0.3, 0.5):
        responses = (rng.random((trials, 30)) < p).cumsum(axis=1)
        rejected, patients = np.zeros(trials), np.zeros(trials)
        for i, seen in enumerate(responses[:, [n - 1 for n in looks_at]]):
            for n, x in zip(looks_at, seen, strict=True):
                futile, promising = decided[n, int(x)]
                if futile or promising or n == 30:
                    rejected[i], patients[i] = promising and not futile, n
                    break
        oc = exact.operating_characteristics(design, p)
        # four standard errors: of 4 comparisons one is farther off with probability 1 in 4,000
        assert abs(rejected.mean() - oc.reject) < 4 * math.sqrt(oc.reject * (1 - oc.reject) / trials)
        assert abs(patients.mean() - oc.en) < 4 * patients.std() / math.sqrt(trials)


def test_what_is_no_rule_is_refused():
    for words, said in (
        ({}, "theta_l"),
        ({"theta_l": 0.1, "delta": 1.0}, "delta"),
        ({"theta_u": 1.2}, "theta_u"),
        ({"theta_u": 0.999999}, "without rejecting H0"),
        ({"theta_l": 0.99, "delta": 0.65}, "without rejecting H0"),
    ):
        with pytest.raises(InputError, match=said):
            thall_simon([3, 6], DIFFUSE, STANDARD, **words)


def test_a_prior_is_read_as_two_numbers():
    assert parse_prior(" .6,1.4") == DIFFUSE
    for text, field in itertools.product(("1", "1,2,3", "1,x", "0,1", "-1,2", "1,nan"), ("prior", "prior_e")):
        with pytest.raises(InputError) as raised:
            parse_prior(text, field)
        assert raised.value.field == field
