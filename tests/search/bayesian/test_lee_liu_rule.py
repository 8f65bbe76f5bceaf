"""Lee and Liu's rule against a reference table, the sums of its definition, and trials simulated patient by patient."""

import itertools
import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, stats

from simtrial import InputError, looks_text
from simtrial.design import exact
from simtrial.design.designs import parse_looks
from simtrial.search.bayesian.lee_liu_rule import final_bound, lee_liu, parameters
from simtrial.search.bayesian.posterior import BetaPrior, parse_prior, usual_prior
from simtrial.search.bayesian.posterior_digits import beyond_less, tails
from simtrial.search.bayesian.predictive import Predictive, fraction

PRINTED = 1e-9
"""The table prints ten digits."""

SHARP = 1e-12
"""What a recursion of positive terms loses over some sixty steps, with a hundredfold margin."""


@pytest.fixture
def rows(reference):
    table = reference("families/bayesian")
    return table[table.family == "lee-liu"].to_dict("records")


def looks_of(row):
    first, last, step = int(row["first_look"]), int(row["N"]), int(row["step"])
    return (*range(first, last, step), last)


def prior_of(row):
    return parse_prior(row["prior"].removeprefix("Beta(").removesuffix(")"))


def rule(row, **changed):
    asked = {name: row[name] for name in ("theta_l", "theta_t", "theta_u")} | changed
    return lee_liu(looks_of(row), row["p0"], prior_of(row), **asked)


def test_bounds_and_exact_errors_are_those_of_the_table(rows):
    assert len(rows) == 19
    for row in rows:
        design = rule(row)
        ended = isinstance(row["corner"], str)  # the table goes on where nothing is left to continue
        assert looks_text(design) == ("0:2/8,0:3/18,1:3/28,2/38" if ended else row["looks"])
        oc = exact.operating_characteristics(design, [row["p0"], row["p1"]])
        for values, names in (
            (oc.reject, ("type_i_error", "reject_p1")),
            (oc.en, ("en_p0", "en_p1")),
            (oc.pet, ("pet_p0", "pet_p1")),
        ):
            assert (ended and names[0] == "pet_p0") or values == pytest.approx([row[n] for n in names], rel=PRINTED)


def test_predictive_probabilities_are_those_of_the_table(reference):
    table = reference("families/bayesian")
    known = table[table.family == "predictive probability"].to_dict("records")
    assert len(known) == 5
    for row in known:
        n, x, last = (int(row[name]) for name in ("n", "x", "N"))
        r = final_bound(prior_of(row), row["p0"], last, row["theta_t"])
        found = Predictive(prior_of(row), (n,), last, r).success[0, x]
        assert (r, found) == (row["final_r"], pytest.approx(row["pp"], rel=1e-11))  # printed with twelve digits


def urn(prior, n, x, last, r):
    """P(X_N > r | x of n) over every order of the responses to come, each with the probability of Polya's urn."""
    total = Fraction(0)
    for order in itertools.product((0, 1), repeat=last - n):
        chance, hits, size = Fraction(1), x, n
        for one in order:
            hit = (Fraction(repr(prior.a)) + hits) / (Fraction(repr(prior.a)) + Fraction(repr(prior.b)) + size)
            chance *= hit if one else 1 - hit
            hits, size = hits + one, size + 1
        total += chance if hits > r else 0
    return total


@pytest.mark.parametrize("prior", [BetaPrior(1, 1), BetaPrior(0.2, 0.8), BetaPrior(2.5, 0.75)], ids=str)
def test_the_fraction_is_the_sum_over_every_order_of_responses_of_an_urn(prior):
    for n, r in itertools.product(range(1, 8), (0, 2, 6)):
        for x in range(n + 1):
            assert fraction(prior, n, x, 7, r) == urn(prior, n, x, 7, r)


@pytest.mark.parametrize(
    ("prior", "last", "r"),
    [
        (BetaPrior(0.2, 0.8), 36, 10), (BetaPrior(200, 800), 40, 11), (BetaPrior(8000, 2000), 40, 36),
        (BetaPrior(0.01, 5), 30, 3), (BetaPrior(1, 1), 25, 0),
    ],
    ids=str,
)  # fmt: skip
def test_every_state_has_the_digits_of_its_fraction_whatever_the_prior(prior, last, r):
    looks = range(1, last)
    found = Predictive(prior, looks, last, r)
    for n in looks:
        whole = [fraction(prior, n, x, last, r) for x in range(n + 1)]
        assert found.success[n - 1, : n + 1] == pytest.approx([float(v) for v in whole], rel=SHARP, abs=0)
        assert found.failure[n - 1, : n + 1] == pytest.approx([float(1 - v) for v in whole], rel=SHARP, abs=0)
        # 0 and 1 stand for what is certain, and for nothing else
        assert [v == 1 for v in found.success[n - 1, : n + 1]] == [v == 1 for v in whole]
        assert [v == 0 for v in found.success[n - 1, : n + 1]] == [v == 0 for v in whole]
        assert np.isnan(found.success[n - 1, n + 1 :]).all()


def test_a_predictive_probability_below_the_range_of_doubles_is_still_not_0():
    found = Predictive(BetaPrior(0.01, 10_000), (1,), 900, 899)
    assert fraction(BetaPrior(0.01, 10_000), 1, 1, 900, 899) > 0
    assert found.success[0, 1] > 0
    assert found.success[0, 0] == 0


def attained():
    """Rules with a threshold that a state attains exactly, as a decimal: (prior, n, last, r, x, the probability)."""
    for a, b, last in itertools.product((1, 2, 3), (1, 2, 3), range(5, 13)):
        prior = BetaPrior(a, b)
        r = final_bound(prior, 0.3, last, 0.7)
        for n in (last - 2, last - 1):
            for x in range(1, n):
                value = fraction(prior, n, x, last, r)
                if 0 < value < 1 and Fraction(repr(float(value))) == value:
                    yield prior, n, last, x, float(value)


def test_a_probability_exactly_at_a_threshold_is_equal_to_it_and_counts_only_where_the_rule_is_not_strict():
    found = list(attained())
    assert len(found) > 10
    for prior, n, last, x, theta in found:
        asked = {"looks_at": (n, last), "p0": 0.3, "prior": prior, "theta_t": 0.7}
        strict, not_strict = (lee_liu(theta_l=theta, **asked, strict=way).looks[0].r for way in (True, False))
        assert (strict, not_strict) == (x - 1, x)
        strict, not_strict = (lee_liu(theta_l=0, theta_u=theta, **asked, strict=way).looks[0] for way in (True, False))
        assert strict.e == x + 1
        # where fewer responses can no longer reject H0, the trial ends there
        assert not_strict.e == x or not_strict.r == x - 1


@pytest.mark.parametrize(
    ("prior", "p0", "n", "x", "theta"),
    [(BetaPrior(1, 1), 0.5, 3, 2, 0.6875), (BetaPrior(0.3, 0.3), 0.5, 6, 3, 0.5), (BetaPrior(2, 1), 0.5, 1, 1, 0.875)],
    ids=str,
)
def test_a_posterior_probability_equal_to_theta_t_does_not_reject(prior, p0, n, x, theta):
    assert beyond_less(prior, p0, n, x, theta) == 0
    assert final_bound(prior, p0, n, theta) == x
    assert final_bound(prior, p0, n, math.nextafter(theta, 0)) == x - 1


def test_digits_of_a_posterior_beyond_a_double_are_those_of_a_closed_form():
    # the arcsine law: P(p > 1/4) = 1 - 2/pi arcsin(1/2) = 2/3
    with localcontext(prec=60):
        assert abs(tails(BetaPrior(0.5, 0.5), 0.25, 0, 0)[1] - Decimal(2) / 3) < Decimal(10) ** -48
    for a, b, rate in ((0.2, 0.8, 0.2), (30.7, 4.1, 0.9), (4.1, 300.3, 0.001), (1.5, 900.25, 0.01)):
        upper = tails(BetaPrior(a, b), rate, 3, 1)[1]
        lower = tails(BetaPrior(b, a), float(1 - Decimal(repr(rate))), 3, 2)[1]
        assert abs(upper + lower - 1) < Decimal(10) ** -48
        assert float(upper) == pytest.approx(float(BetaPrior(a, b).beyond(rate, 3, 1)), rel=1e-11)


def test_theta_u_of_1_never_stops_although_sums_of_probabilities_pass_1():
    prior, last, r = BetaPrior(0.2, 0.8), 36, 10
    sums = [
        stats.betabinom.pmf(np.arange(last - n + 1), last - n, 0.2 + x, 0.8 + n - x).sum()
        for n in range(10, last)
        for x in range(r + 1, n + 1)
    ]
    assert max(sums) > 1  # what a comparison of the sums would take for more than certain
    looks = lee_liu(range(10, last + 1), 0.2, prior, 0.001, 0.9).looks
    assert looks[-1].r == r
    assert {look.e for look in looks} == {None}
    certain = lee_liu(range(10, last + 1), 0.2, prior, 0.001, 0.9, strict=False).looks
    assert [look.e for look in certain[:-1]] == [None if look.n <= r else r + 1 for look in certain[:-1]]


def test_theta_l_of_0_never_stops_unless_the_rule_is_not_strict_and_h0_can_no_longer_be_rejected():
    asked = (range(10, 37), 0.2, BetaPrior(0.2, 0.8), 0.0, 0.9)
    assert {look.r for look in lee_liu(*asked).looks[:-1]} == {None}
    curtailed = lee_liu(*asked, strict=False).looks
    assert [look.r for look in curtailed[:-1]] == [n - 26 if n >= 26 else None for n in range(10, 36)]


def test_an_efficacy_stop_rejects_h0():
    # a program that counts it as futile gives 0
    design = lee_liu((20, 30, 40), 0.2, BetaPrior(0.2, 0.8), 0.2, 0.7, 0.75)
    found = exact.operating_characteristics(design, [0.9])
    assert found.reject[0] > 1 - 1e-9
    assert found.en[0] == pytest.approx(20, abs=1e-6)


def test_the_largest_number_of_patients_matters_and_not_the_last_interim_look():
    short, long = (lee_liu(looks, 0.2, BetaPrior(0.2, 0.8), 0.1, 0.9) for looks in ((10, 20), (10, 20, 40)))
    assert short.looks[0].r != long.looks[0].r


def test_bounds_never_fall_and_rise_by_at_most_one_with_each_patient():
    rng = np.random.default_rng(3)
    for _ in range(60):
        prior, last = BetaPrior(*rng.uniform(0.05, 4, 2)), int(rng.integers(8, 45))
        r = int(rng.integers(0, last))
        table = Predictive(prior, range(1, last), last, r)
        for theta in rng.uniform(0, 1, 3):
            futile = (table.sides(theta) < 0).sum(axis=1)
            assert set(np.diff(futile)) <= {0, 1}


def mixture(prior, n, x, last, r):
    """P(X_N > r | x of n) as the mean of binomial tails over the posterior: another formula than the recursion's."""
    return integrate.quad(
        lambda p: stats.binom.sf(r - x, last - n, p) * stats.beta.pdf(p, prior.a + x, prior.b + n - x), 0, 1
    )[0]


@pytest.mark.parametrize("rate", [0.2, 0.4])
def test_trials_simulated_patient_by_patient_agree_with_the_exact_values(rate):
    looks, p0, prior, theta_l, theta_t, theta_u = (10, 15, 20, 25, 30), 0.2, BetaPrior(0.4, 1.6), 0.05, 0.9, 0.95
    rng, trials, known = np.random.default_rng(20), 4000, {}
    final = next(x for x in range(31) if stats.beta.sf(p0, prior.a + x + 1, prior.b + 30 - x - 1) > theta_t)
    rejected, sizes = [], []
    for _ in range(trials):
        x = 0
        for n in range(1, 31):
            x += rng.random() < rate
            if n == 30:
                rejected.append(stats.beta.sf(p0, prior.a + x, prior.b + 30 - x) > theta_t)
                sizes.append(n)
            elif n in looks:
                chance = (
                    known.setdefault((n, x), mixture(prior, n, x, 30, final)) if (n, x) not in known else known[n, x]
                )
                if chance < theta_l or chance > theta_u:
                    rejected.append(chance > theta_u)
                    sizes.append(n)
                    break
    found = exact.operating_characteristics(lee_liu(looks, p0, prior, theta_l, theta_t, theta_u), [rate])
    for seen, value in ((rejected, found.reject[0]), (sizes, found.en[0])):
        error = np.std(seen) / math.sqrt(trials)
        assert abs(np.mean(seen) - value) < 4 * error  # passes by chance in 99.99% of seeds


def test_all_values_of_the_ranges_lead_to_the_design_and_no_others(rows):
    tried = 0
    for row, strict in itertools.product(rows[:9], (True, False)):
        design, prior = rule(row), prior_of(row)
        ranges = parameters(design, row["p0"], prior, strict=strict)
        if not ranges:
            assert not strict  # bounds that are not strict stop where all is certain
            continue
        assert [one.name for one in ranges] == ["theta_l", "theta_t", "theta_u"]
        inside = {one.name: (one.low + one.high) / 2 for one in ranges}
        for one in ranges:
            assert one.holds(row[one.name]) or not strict
            # an end that no double holds is rounded by less than two steps
            low, high = one.low, one.high
            out = [math.nextafter(math.nextafter(low, -1), -1), math.nextafter(math.nextafter(high, 2), 2)]
            known = {inside[one.name]: True, **{theta: False for theta in out if 0 <= theta <= 1}}
            known |= {low: True} if one.includes != "high" else {}
            known |= {high: True} if one.includes != "low" else {}
            for theta, same in known.items():
                again = lee_liu(looks_of(row), row["p0"], prior, **(inside | {one.name: theta}), strict=strict)
                assert (again.looks == design.looks) == same, (one, theta)
                assert one.holds(theta) == same
                tried += 1
    assert tried > 80


def test_bounds_that_no_threshold_gives_have_no_parameters():
    assert parameters(parse_looks("0/10,1/20,5/30,10/36"), 0.2, usual_prior(0.2))
    assert parameters(parse_looks("0/10,3/20,4/30,9/36"), 0.2, usual_prior(0.2)) == ()
    (alone,) = parameters(parse_looks("5/25"), 0.2, usual_prior(0.2))
    assert alone.name == "theta_t"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"theta_l": 0.6, "theta_u": 0.5}, r"theta_l \(0.6\) is not below theta_u \(0.5\)"),
        ({"theta_t": 1.0}, r"theta_t \(1\) never rejects H0 with 40 patients"),
        ({"theta_t": 0.0}, r"theta_t \(0\) rejects H0 whatever is seen with 40 patients"),
        ({"theta_l": 1.2}, r"theta_l \(1.2\) is not from 0 to 1"),
        ({"theta_u": math.nan}, "theta_u"),
        ({"prior": BetaPrior(1, 60)}, r"looks_at \(10\) ends the trial without rejecting H0, whatever is seen"),
        ({"prior": BetaPrior(8, 8), "theta_u": 0.5}, r"looks_at \(10\) ends the trial and rejects H0"),
        ({"looks_at": (10, 10)}, "looks_at"),
    ],
    ids=str,
)
def test_what_is_no_rule_is_refused(changed, message):
    asked = {"looks_at": (10, 40), "p0": 0.2, "prior": BetaPrior(0.2, 0.8), "theta_l": 0.1, "theta_t": 0.9, **changed}
    with pytest.raises(InputError, match=message):
        lee_liu(**asked)


@pytest.mark.parametrize("text", ["1", "1,2,3", "a,b", "0,1", "1,-1", ",", "1,1e9", "nan,1"])
def test_a_text_that_is_no_prior_is_refused(text):
    with pytest.raises(InputError, match="prior"):
        parse_prior(text)
