import math
from fractions import Fraction

import numpy as np
import pytest

from simtrial import InputError, Requirements
from simtrial.design.requirements import decimal, plausible
from simtrial.numbers import probability


def test_the_limits_are_kept_as_given():
    asked = Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)
    assert (asked.p0, asked.p1, asked.alpha, asked.power, asked.beta) == (0.1, 0.3, 0.05, 0.8, 0.2)


@pytest.mark.parametrize("field", ["p0", "p1", "alpha", "power"])
@pytest.mark.parametrize("value", [0, 1, -0.1, 1.2, math.nan, math.inf, "0.2", None, True])
def test_a_number_outside_the_open_interval_is_refused_by_name(field, value):
    numbers = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8} | {field: value}
    with pytest.raises(InputError, match=rf"^{field} \(.*\) is not ") as caught:
        Requirements(**numbers)
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("p1", [0.3, 0.2])
def test_p0_must_be_below_p1(p1):
    with pytest.raises(InputError, match=r"^p0 \(0.3\) is not below p1"):
        Requirements(p0=0.3, p1=p1, alpha=0.05, power=0.8)


def test_swapped_alpha_and_power_are_noticed():
    with pytest.raises(
        InputError, match=r"^power \(0\.05\) is not above alpha \(0\.8\), which a test that ignores the data attains"
    ):
        Requirements(p0=0.1, p1=0.3, alpha=0.8, power=0.05)


@pytest.mark.parametrize("kind", [float, np.float64])
def test_a_number_is_the_decimal_that_was_written(kind):
    assert decimal(kind(0.1)) == Fraction(1, 10)
    assert decimal(kind(0.025)) == Fraction(25, 1000)
    assert decimal(kind(1e-6)) == Fraction(1, 10**6)


def test_half_of_an_alpha_is_half_of_its_decimal():
    # halving a double is exact, so the shortest decimal of the half is the half of the decimal
    for hundredths in range(1, 100):
        assert decimal(hundredths / 100 / 2) == Fraction(hundredths, 200)


def test_beta_is_the_decimal_difference():
    for thousandths in range(1, 1000):
        asked = Requirements(0.1, 0.3, 1e-5, thousandths / 1000)
        assert decimal(asked.beta) == 1 - Fraction(thousandths, 1000)


@pytest.mark.parametrize(("value", "right"), [(15, "0.15 for 15%"), (12.5, "0.125 for 12.5%"), (99, "0.99 for 99%")])
def test_a_percentage_is_told_how_it_is_written(value, right):
    with pytest.raises(InputError, match=f"is not strictly between 0 and 1; write {right}$"):
        probability(value, "p0")


@pytest.mark.parametrize("value", [-0.1, 0, 1, 100, 101, math.inf])
def test_what_is_no_percentage_is_not_taken_for_one(value):
    with pytest.raises(InputError) as caught:
        probability(value, "p0")
    assert "%" not in str(caught.value)


def test_beta_given_as_power_is_noticed_unless_it_is_meant():
    with pytest.raises(InputError, match=r"^power \(0\.2\) is below 0\.5; did you mean 0\.8 \(1 - beta\)\?"):
        plausible(0.1, 0.3, 0.05, 0.2)
    with pytest.raises(InputError, match=r"did you mean 0\.98 "):
        plausible(0.1, 0.3, 0.05, 0.02)
    assert plausible(0.1, 0.3, 0.05, 0.2, low_power=True).power == 0.2
    assert plausible(0.1, 0.3, 0.05, 0.5).power == 0.5


def test_a_confidence_level_given_as_alpha_is_noticed():
    with pytest.raises(InputError, match=r"^alpha \(0\.95\) exceeds 0\.5; did you mean 0\.05 "):
        plausible(0.1, 0.3, 0.95, 0.8)
    with pytest.raises(InputError, match=r"^alpha \(0\.8\) exceeds power \(0\.05\); are the two swapped\?"):
        plausible(0.1, 0.3, 0.8, 0.05)


def test_requirements_themselves_take_a_low_power():
    assert Requirements(0.1, 0.3, 0.05, 0.2).beta == 0.8  # a stated number is read with every convention
