"""Answers are kept by their arguments: the same answer, computed once, and none for arguments without a hash."""

import numpy as np
import pytest

from simtrial import TwoStage
from simtrial.design.exact import KEPT_RATES, operating_characteristics
from simtrial.memo import OnDemand, kept

DESIGN = TwoStage(r1=1, n1=10, r=5, n=29)


def test_the_last_answers_are_kept():
    asked = []

    @kept(2)
    def twice(x):
        asked.append(x)
        return 2 * x

    assert [twice(x) for x in (1, 2, 1, 3, 2)] == [2, 4, 2, 6, 4]
    assert asked == [1, 2, 3, 2]


def test_what_has_no_hash_is_computed_each_time():
    asked = []

    @kept(2)
    def length(of):
        asked.append(of)
        return len(of)

    assert [length([1, 2]), length([1, 2])] == [2, 2]
    assert len(asked) == 2


def test_an_error_is_raised_each_time():
    @kept(2)
    def refuse(x):
        raise TypeError(x)

    for _ in range(2):
        with pytest.raises(TypeError, match=r"^7$"):
            refuse(7)


@pytest.mark.parametrize("number", [2, KEPT_RATES + 1])
def test_operating_characteristics_cannot_be_changed_by_who_asked(number):
    rates = np.linspace(0.0, 1.0, number)
    found = operating_characteristics(DESIGN, rates)
    for array in (found.p, found.n, found.accept_by_look, found.reject_by_look):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    rates[:] = 0.5  # those of who asked stay their own
    again = operating_characteristics(DESIGN, np.linspace(0.0, 1.0, number))
    assert again.reject.tolist() == found.reject.tolist()
    assert (again is found) == (number <= KEPT_RATES)


def test_a_sequence_on_demand_is_made_once_when_it_is_looked_at():
    made = []

    def make():
        made.append(1)
        return ["a", "b", "c"]

    later = OnDemand(make)
    assert not made
    assert (len(later), later[0], later[1:], list(later), "b" in later) == (3, "a", ("b", "c"), ["a", "b", "c"], True)
    assert later == ("a", "b", "c") == later
    assert hash(later) == hash(("a", "b", "c"))
    assert later != ("a", "b")
    assert repr(later) == "('a', 'b', 'c')"
    assert made == [1]
