"""One design per pair of sizes is enough for the calendar: against every design of small settings."""

import functools

import numpy as np
import pytest

from simtrial import Requirements, SingleStage, TwoStage, search
from simtrial.design import exact
from simtrial.search.pairs import largest_r1, meeting

ASKED = {
    "wide": (Requirements(0.2, 0.6, 0.1, 0.8), 14),
    "textbook": (Requirements(0.1, 0.4, 0.1, 0.8), 13),
    "power attained exactly": (Requirements(0.25, 0.5, 0.25, 0.75), 12),
    "alpha attained exactly": (Requirements(0.1, 0.5, 0.01, 0.5), 8),
}
CASES = pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)


@functools.cache
def every(asked, n_max):
    """Every design that meets the limits, by its pair: all (r1, r) tried, and settled in fractions where need be."""
    found = {}
    for n in range(1, n_max + 1):
        one = [(-1, r) for r in range(n) if exact.meets(SingleStage(r, n), asked)]
        if one:
            found[n, 0] = one
        for n1 in range(1, n):
            two = [
                (r1, r) for r in range(1, n) for r1 in range(min(r, n1)) if exact.meets(TwoStage(r1, n1, r, n), asked)
            ]
            if two:
                found[n, n1] = two
    return found


@CASES
def test_a_pair_is_listed_exactly_if_it_has_a_design(asked):
    pairs = meeting(*asked)
    assert list(zip(pairs.n.tolist(), pairs.n1.tolist(), strict=True)) == sorted(every(*asked))


@CASES
def test_of_a_pair_the_largest_r1_is_listed_and_then_the_largest_r(asked):
    pairs = meeting(*asked)
    for i in range(len(pairs)):
        rows = every(*asked)[int(pairs.n[i]), int(pairs.n1[i])]
        least = min if pairs.n1[i] == 0 else max  # of single stages the smallest r, which has the largest power
        assert (int(pairs.r1[i]), int(pairs.r[i])) == least(rows)


@CASES
def test_the_design_listed_stops_at_least_as_often_as_any_other_of_its_pair_at_every_rate(asked):
    pairs, rates = meeting(*asked), np.linspace(0, 1, 11)
    for i in np.flatnonzero(pairs.n1).tolist():
        n, n1 = int(pairs.n[i]), int(pairs.n1[i])
        pet = exact.operating_characteristics(pairs.design(i), rates).pet
        for r1, r in every(*asked)[n, n1]:
            assert (exact.operating_characteristics(TwoStage(r1, n1, r, n), rates).pet <= pet + 1e-12).all()


@CASES
def test_pet_and_en_are_those_of_the_designs(asked):
    pairs, limits = meeting(*asked), asked[0]
    for i in range(len(pairs)):
        at = exact.operating_characteristics(pairs.design(i), [limits.p0, limits.p1])
        # table entries are right to 1e-11, and EN multiplies them by at most 16 patients
        assert pairs.pet[:, i] == pytest.approx(at.pet, abs=1e-10)
        assert pairs.en[:, i] == pytest.approx(at.en, abs=1e-9)


@CASES
def test_no_design_with_the_power_has_a_larger_r1_than_the_bound(asked):
    limits, n_max = asked
    bound = largest_r1(limits, n_max)
    for (_, n1), rows in every(limits, n_max).items():
        assert max(r1 for r1, _ in rows) <= bound[n1]


@pytest.mark.parametrize("numbers", [(0.1, 0.3, 0.05, 0.8), (0.2, 0.35, 0.05, 0.9), (0.05, 0.2, 0.1, 0.9)])
def test_simons_designs_are_the_best_of_those_listed(numbers):
    asked = Requirements(*numbers)
    two = search.two_stage(asked)
    pairs = meeting(asked, two.certificate.n_upper)
    least = np.where(pairs.n1 > 0, pairs.en[0], np.inf)
    assert pairs.design(int(np.argmin(least))) == two.optimal.design
    assert least.min() == pytest.approx(two.optimal.en_p0, abs=1e-9)
    assert pairs.n[pairs.n1 > 0].min() == two.minimax.n
