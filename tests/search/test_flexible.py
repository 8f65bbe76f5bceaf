"""Flexible sizes of Chen and Ng: against a table, every plan of small settings, and Simon's designs for one size."""

import functools
import itertools
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from simtrial import InputError, Requirements, TwoStage, search
from simtrial.design import exact
from simtrial.inputs import TABLE
from simtrial.search.flexible import flexible, rising


def test_plans_of_the_table_are_found(root):
    for row in pd.read_csv(root / "tests/reference/families/flexible.csv").itertuples():
        asked = Requirements(row.p0, row.p1, row.alpha, row.power)
        found = flexible(asked, k=row.k, minimax=row.criterion.startswith("least largest n"))
        assert (f"{found.n1[0]}..{found.n1[-1]}", f"{found.n[0]}..{found.n[-1]}") == (row.n1, row.n)
        assert (" ".join(map(str, found.r1)), " ".join(map(str, found.r))) == (row.r1, row.r)
        printed = (found.type_i_error, found.power, found.en_p0)
        # the table has ten digits
        expected = (row.type_i_error_average, row.reject_p1_average, row.en_p0_average)
        np.testing.assert_allclose(printed, expected, rtol=1e-9)


@pytest.mark.parametrize("limits", [(0.1, 0.3, 0.05, 0.8), (0.3, 0.5, 0.1, 0.9), (0.05, 0.2, 0.1, 0.9)], ids=str)
def test_with_one_size_the_plans_are_simons_designs(limits):
    asked = Requirements(*limits)
    simon = search.two_stage(asked)
    for minimax, expected in ((False, simon.optimal), (True, simon.minimax)):
        assert flexible(asked, k=1, minimax=minimax).pairs == (expected.design,)


@functools.cache
def reject(pair, p):
    return exact.reject_fraction(pair, p)


@functools.cache
def expected(pair, p):
    goes_on = sum(math.comb(pair.n1, x) * p**x * (1 - p) ** (pair.n1 - x) for x in range(pair.r1 + 1, pair.n1 + 1))
    return pair.n1 + (pair.n - pair.n1) * goes_on


def mean(of, pairs, p):
    return sum(of(pair, p) for pair in pairs) / len(pairs)


def plans(k, n_max):
    """Every plan of k sizes whose largest n is at most n_max."""
    ways = [way for way in itertools.product((0, 1), repeat=k - 1) if sum(way) <= 2]
    steps = [tuple(itertools.accumulate((0, *way))) for way in ways]
    for low in range(1, n_max):
        for start in range(low + k, n_max - k + 2):
            for one, two in itertools.product(steps, repeat=2):
                for a, b in itertools.product(range(low), range(1, start)):
                    first = [(a + rise, low + i) for i, rise in enumerate(one)]
                    last = [(b + rise, start + i) for i, rise in enumerate(two)]
                    if all(r < n for r, n in (*first, *last)) and first[-1][0] < b:
                        yield [TwoStage(r1, n1, r, n) for r1, n1 in first for r, n in last]


@pytest.mark.parametrize(
    ("asked", "k", "n_max"),
    [
        (Requirements(0.2, 0.6, 0.1, 0.8), 2, 12),
        (Requirements(0.1, 0.5, 0.1, 0.7), 3, 11),
        (Requirements(0.5, 0.9, 0.25, 0.9), 2, 9),
    ],
    ids=str,
)
def test_no_plan_of_an_enumeration_in_fractions_is_better(asked, k, n_max):
    p0, p1, alpha, power = (Fraction(repr(v)) for v in (asked.p0, asked.p1, asked.alpha, asked.power))
    met = [
        (mean(expected, pairs, p0), pairs[-1].n)
        for pairs in plans(k, n_max)
        if mean(reject, pairs, p0) <= alpha and mean(reject, pairs, p1) >= power
    ]
    optimal, minimax = flexible(asked, k=k), flexible(asked, k=k, minimax=True)
    fewest = min(n for _, n in met)
    assert optimal.en_p0 == pytest.approx(float(min(met)[0]), abs=1e-12)
    assert optimal.n[-1] == min(met)[1]
    assert minimax.n[-1] == fewest
    assert minimax.en_p0 == pytest.approx(float(min(en for en, n in met if n == fewest)), abs=1e-12)
    for found in (optimal, minimax):
        assert mean(reject, found.pairs, p0) <= alpha
        assert mean(reject, found.pairs, p1) >= power


def test_the_worst_pairs_stand_beside_the_averages():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    found = flexible(asked)
    chances = {(n1, n): exact.operating_characteristics(TwoStage(r1, n1, r, n), [0.1, 0.3]).reject.tolist()
        for n1, r1 in zip(found.n1, found.r1, strict=True) for n, r in zip(found.n, found.r, strict=True)}  # fmt: skip
    high, low = found.largest_type_i_error, found.smallest_power
    assert high.reject == chances[high.n1, high.n][0] == max(one for one, _ in chances.values()) > asked.alpha
    assert low.reject == chances[low.n1, low.n][1] == min(one for _, one in chances.values()) < asked.power
    assert found.type_i_error <= asked.alpha
    assert found.power >= asked.power


def test_bounds_rise_by_at_most_two_one_at_a_time():
    ways = [tuple(way) for way in rising(4).tolist()]
    assert sorted(ways) == sorted(
        steps
        for steps in itertools.product(range(3), repeat=4)
        if steps[0] == 0 and all(b - a in (0, 1) for a, b in itertools.pairwise(steps))
    )


def test_a_cap_is_kept_and_one_that_leaves_nothing_is_refused():
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    assert flexible(asked, cap=30).n[-1] <= 30
    assert flexible(asked, cap=60) == flexible(asked)
    with pytest.raises(InputError, match=r"^cap \(25\) leaves no plan"):
        flexible(asked, cap=25)
    with pytest.raises(InputError, match=r"^k "):
        flexible(asked, k=int(TABLE["sizes"].most) + 1)
