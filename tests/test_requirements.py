import math
from fractions import Fraction

import numpy as np
import pytest

from simtrial import InputError, Requirements
from simtrial.requirements import decimal


def test_the_limits_are_kept_as_given():
    asked = Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)
    assert (asked.p0, asked.p1, asked.alpha, asked.power, asked.beta) == (0.1, 0.3, 0.05, 0.8, 0.2)


@pytest.mark.parametrize("field", ["p0", "p1", "alpha", "power"])
@pytest.mark.parametrize("value", [0, 1, -0.1, 1.2, math.nan, math.inf, "0.2", None, True])
def test_a_number_outside_the_open_interval_is_refused_by_name(field, value):
    numbers = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8} | {field: value}
    with pytest.raises(InputError, match=rf"^{field} \(.*\) must be ") as caught:
        Requirements(**numbers)
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("p1", [0.3, 0.2])
def test_p0_must_be_below_p1(p1):
    with pytest.raises(InputError, match=r"^p0 \(0.3\) must be < p1"):
        Requirements(p0=0.3, p1=p1, alpha=0.05, power=0.8)


def test_swapped_alpha_and_power_are_noticed():
    with pytest.raises(InputError, match=r"^power \(0.05\) must be > alpha \(0.8\)"):
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
