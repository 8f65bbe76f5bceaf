"""The exact engine against fractions counted outcome by outcome, scipy, and published values."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simtrial import InputError, Look, MultiStage, Requirements, SingleStage, TwoStage, parse_looks
from simtrial.design import binomial, exact

DESIGNS = ["0/1", "3/8", "0/2,1/5", "1:4/6,3/11", ":3/5,2/9", "0/2,1:5/6,3/9", "2/10,2/20"]
RATES = [Fraction(0), Fraction(1, 7), Fraction(3, 10), Fraction(1, 2), Fraction(1)]


def walk(design, p):
    """Reject, PET and EN by following every single patient: all 2^n sequences, in fractions."""
    looks, reject, early, patients = design.looks, Fraction(0), Fraction(0), Fraction(0)

    def follow(seen, responses, chance, k):
        nonlocal reject, early, patients
        look = looks[k]
        if seen < look.n:
            follow(seen + 1, responses + 1, chance * p, k)
            follow(seen + 1, responses, chance * (1 - p), k)
            return
        final = k == len(looks) - 1
        futile = look.r is not None and responses <= look.r
        wins = (not futile) if final else (look.e is not None and responses >= look.e)
        if final or futile or wins:
            reject += chance * wins
            early += chance * (not final)
            patients += chance * look.n
        else:
            follow(seen, responses, chance, k + 1)

    follow(0, 0, Fraction(1), 0)
    return reject, early, patients


@pytest.mark.parametrize("text", DESIGNS[:-1])
@pytest.mark.parametrize("p", RATES, ids=str)
def test_it_equals_a_walk_over_every_sequence_of_patients(text, p):
    design = parse_looks(text)
    expected = walk(design, p)
    oc = exact.operating_characteristics(design, float(p))
    # float(p) and a few dozen roundings: 1e-13 is some hundred units in the last place
    np.testing.assert_allclose([oc.reject, oc.pet, oc.en], [float(v) for v in expected], rtol=1e-13, atol=1e-15)
    assert exact.reject_fraction(design, p) == expected[0]


@pytest.mark.parametrize("n", [25, 300, 1000])
def test_the_float_recursion_keeps_twelve_digits_up_to_n_1000(n):
    n1 = n // 3
    design = TwoStage(r1=n1 // 10, n1=n1, r=n // 6, n=n)
    p = Fraction(3, 16)  # a float holds it exactly, so any difference is the recursion's
    truth = exact.reject_fraction(design, p)
    assert abs(Fraction(float(exact.operating_characteristics(design, float(p)).reject)) / truth - 1) < 1e-12


@pytest.mark.parametrize("p", [Fraction(3, 16), Fraction(1, 1024), Fraction(1023, 1024)], ids=str)
def test_single_probabilities_keep_eleven_digits_up_to_n_2000(p):
    n = 2000
    pmf = binomial.binomial_pmf(n, float(p))
    for x in (0, 1, n // 7, n // 5, n // 2, n - 1, n):
        truth = math.comb(n, x) * p**x * (1 - p) ** (n - x)
        if truth > Fraction(1, 10**290):  # below, doubles run out
            assert abs(Fraction(float(pmf[x])) / truth - 1) < 1e-11


@pytest.mark.parametrize("text", ["5/29", "1/10,5/29", "1114/2203,2001/3812", "0/5,2/12,:6/20,7/40"])
def test_probabilities_stay_within_1_and_en_within_the_looks(text):
    design = parse_looks(text)
    oc = exact.operating_characteristics(design, np.linspace(0, 1, 1001))
    assert oc.reject.max() <= 1
    assert oc.pet.max() <= 1
    assert oc.en.min() >= design.looks[0].n
    assert oc.en.max() <= design.looks[-1].n
    ends = exact.operating_characteristics(design, [0.0, 1.0])
    assert ends.reject.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("n", [1, 17, 400])
def test_the_pmf_is_that_of_scipy(n):
    p = np.array([0.0, 0.03, 0.5, 0.999, 1.0])
    expected = stats.binom.pmf(np.arange(n + 1), n, p[:, None])
    np.testing.assert_allclose(binomial.binomial_pmf(n, p), expected, rtol=1e-11, atol=1e-300)


def test_a_single_stage_is_a_binomial_tail():
    p = np.linspace(0, 1, 11)
    oc = exact.operating_characteristics(SingleStage(r=5, n=25), p)
    np.testing.assert_allclose(oc.reject, stats.binom.sf(5, 25, p), rtol=1e-12, atol=1e-15)
    assert (oc.pet == 0).all()
    np.testing.assert_allclose(oc.en, 25, rtol=1e-13)


def test_the_published_example_comes_out():
    # Simon 1989, Table 1: .10/.30, alpha .05, power .80, optimal
    oc = exact.operating_characteristics(TwoStage(r1=1, n1=10, r=5, n=29), [0.1, 0.3])
    assert oc.reject.round(4).tolist() == [0.0471, 0.8051]
    assert oc.pet.round(4).tolist() == [0.7361, 0.1493]
    assert oc.en.round(2).tolist() == [15.01, 26.16]


def test_with_r_equal_to_r1_the_second_stage_cannot_change_the_decision():
    two = exact.operating_characteristics(parse_looks("2/10,2/20"), 0.1)
    one = exact.operating_characteristics(parse_looks("2/10"), 0.1)
    assert round(float(two.reject), 4) == 0.0702
    assert float(two.reject) == pytest.approx(float(one.reject), rel=1e-13)


def test_an_interim_look_that_never_stops_changes_nothing():
    p = np.linspace(0, 1, 21)
    looked = exact.operating_characteristics(MultiStage((Look(10, None), Look(29, 5))), p)
    plain = exact.operating_characteristics(SingleStage(5, 29), p)
    np.testing.assert_allclose(looked.reject, plain.reject, rtol=1e-12, atol=1e-15)
    assert (looked.pet == 0).all()


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3)])
def test_results_have_the_shape_of_p(shape):
    oc = exact.operating_characteristics(parse_looks("1/10,5/29"), np.full(shape, 0.2))
    assert np.shape(oc.reject) == np.shape(oc.pet) == np.shape(oc.en) == shape
    assert oc.n_distribution.shape == (*shape, 2)
    assert oc.pet_by_look.shape == (*shape, 1)


@pytest.mark.parametrize("p", [1.2, -0.1, math.nan, math.inf, [0.1, 2.0], "a", None])
def test_a_rate_outside_0_to_1_is_refused(p):
    with pytest.raises(InputError, match=r"^p \("):
        exact.operating_characteristics(SingleStage(5, 25), p)


@st.composite
def two_stage_designs(draw):
    n = draw(st.integers(2, 60))
    n1 = draw(st.integers(1, n - 1))
    r1 = draw(st.integers(0, n1 - 1))
    return TwoStage(r1, n1, draw(st.integers(r1, n - 1)), n)


@given(two_stage_designs())
def test_reject_rises_pet_falls_and_en_lies_between_the_looks(design):
    oc = exact.operating_characteristics(design, np.linspace(0, 1, 51))
    # neighbours may tie at 0 or 1, where only rounding tells them apart
    assert (np.diff(oc.reject) >= -1e-13).all()
    assert (np.diff(oc.pet) <= 1e-13).all()
    assert ((oc.en >= design.n1 * (1 - 1e-13)) & (oc.en <= design.n * (1 + 1e-13))).all()
    np.testing.assert_allclose(oc.n_distribution.sum(axis=-1), 1, rtol=1e-12)


def test_a_probability_equal_to_its_limit_meets_it():
    # P(X > 3; n = 4, p = 1/2) = 1/16 exactly, and P(X > 0; n = 4, p = 3/4) = 255/256
    design = SingleStage(r=3, n=4)
    assert exact.meets(design, Requirements(p0=0.5, p1=0.75, alpha=0.0625, power=0.31640625))
    assert not exact.meets(design, Requirements(p0=0.5, p1=0.75, alpha=math.nextafter(0.0625, 0), power=0.3))
    # .1^2 = .01 and .8^2 = .64 in decimals, though not in doubles
    assert exact.meets(SingleStage(1, 2), Requirements(p0=0.1, p1=0.8, alpha=0.01, power=0.64))
    assert not exact.meets(design, Requirements(p0=0.5, p1=0.75, alpha=0.07, power=math.nextafter(0.31640625, 1)))


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.1, 0.25, 0.9, 1.0])
def test_a_tail_is_that_of_scipy(p):
    r, n = np.meshgrid(np.arange(-2, 60), np.arange(1, 58))
    np.testing.assert_allclose(binomial.above(r, n, p), stats.binom.sf(r, n, p), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("n", [1, 7, 40])
def test_a_tail_in_fractions_is_the_sum_of_its_terms(n):
    p = Fraction(3, 10)
    for r in range(-1, n + 1):
        terms = [math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(max(r + 1, 0), n + 1)]
        assert binomial.tail_fraction(r, n, 0.3) == sum(terms)


def test_only_what_floating_point_cannot_tell_is_asked_for_in_fractions():
    asked = []

    def gap(i, k):
        asked.append((i, k))
        return Fraction(0)

    found = np.array([[0.1, 0.2 + 1e-12], [0.3, 0.2]])
    signs = exact.signs(found, np.array([0.2, 0.2]), gap)
    assert signs.tolist() == [[-1, 0], [1, 0]]
    assert asked == [(0, 1), (1, 1)]


def test_the_limits_attained_exactly_are_named():
    # .1^2 = .01, .8^2 = .64
    design = SingleStage(1, 2)
    assert exact.at_limits(design, Requirements(0.1, 0.8, 0.01, 0.64)) == ("alpha", "power")
    assert exact.at_limits(design, Requirements(0.1, 0.8, 0.01, 0.6)) == ("alpha",)
    assert exact.at_limits(design, Requirements(0.1, 0.8, 0.02, 0.6)) == ()
    assert exact.at_limits(design, Requirements(0.1, 0.8, 0.01 + 1e-13, 0.64)) == ("power",)
