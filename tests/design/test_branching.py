"""A design whose second stage depends on the first: against a table, all sequences of patients and a simulation."""

import itertools
import random
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from simtrial import InputError
from simtrial.design import exact
from simtrial.design.bernstein import peak
from simtrial.design.binomial import binomial_pmf
from simtrial.design.branching import Branching, branching_text, parse_branching
from simtrial.design.endings import arrivals, endings
from simtrial.design.exact import reject_fraction
from simtrial.design.largest import largest_en
from simtrial.design.requirements import Requirements
from simtrial.design.second_stages import SecondStage

FALLING = parse_branching("0:A|1:3/1|2:A|3:A")
"""Its conditional error falls: H0 can be rejected after one response only."""


def rows(root):
    """Rows of the table with their design and question."""
    table = pd.read_csv(root / "tests/reference/families/adaptive.csv")
    for row in table.to_dict("records"):
        asked = Requirements(*(row[name] for name in ("p0", "p1", "alpha", "power")))
        yield parse_branching(row["rule"]), asked, row


def some_design(rng, most=9):
    n1 = rng.randint(1, 4)
    after = []
    for x in range(n1 + 1):
        n2 = rng.randint(1, most - n1)
        after.append(rng.choice(["accept", "reject", *[SecondStage(n2, rng.randrange(x + n2))] * 3]))
    return Branching(n1, tuple(after))


def walked(design, p):
    """P(reject), EN and the distribution of N by every sequence of patients."""
    reject, en, sizes = Fraction(0), Fraction(0), {}
    for first in itertools.product((0, 1), repeat=design.n1):
        row = design.after[sum(first)]
        more = row.n2 if isinstance(row, SecondStage) else 0
        for second in itertools.product((0, 1), repeat=more):
            whole = (*first, *second)
            chance = Fraction(1)
            for patient in whole:
                chance *= p if patient else 1 - p
            rejected = sum(whole) > row.r if isinstance(row, SecondStage) else row == "reject"
            reject += chance * rejected
            en += chance * len(whole)
            sizes[len(whole)] = sizes.get(len(whole), 0) + chance
    return reject, en, sizes


def test_the_characteristics_are_those_of_all_sequences_of_patients():
    rng = random.Random(22)
    for _ in range(40):
        design, p = some_design(rng), Fraction(rng.randint(0, 10), 10)
        reject, en, sizes = walked(design, p)
        assert (reject_fraction(design, p), design.en_fraction(p)) == (reject, en)
        law = design.at(float(p))
        # sums of at most 50 terms below 10
        assert float(law.reject) == pytest.approx(float(reject), abs=1e-13)
        assert float(law.en) == pytest.approx(float(en), abs=1e-12)
        assert float(law.pet) == pytest.approx(float(sizes.get(design.n1, 0)), abs=1e-13)
        assert law.n.tolist() == sorted({design.n1} | {design.n1 + n2 for n2 in design.n2})
        assert law.n_distribution.tolist() == pytest.approx([float(sizes.get(n, 0)) for n in law.n.tolist()], abs=1e-13)


def test_the_conditional_error_and_power_are_those_of_the_second_stage():
    design = Branching(2, ("accept", SecondStage(3, 2), "reject"))
    # more than 2 of all respond: at least 2 of the 3
    assert design.conditional(0.5).tolist() == pytest.approx([0, 0.5, 1])
    assert design.conditional(0.2).tolist() == pytest.approx([0, 3 * 0.04 * 0.8 + 0.008, 1])


def test_every_design_of_the_table_has_its_characteristics_and_keeps_its_limits(root):
    every = list(rows(root))
    assert len(every) == 55
    for design, asked, row in every:
        law = design.at([asked.p0, asked.p1])
        found = (*law.reject.tolist(), *law.en.tolist())
        # the table has ten digits
        assert found == pytest.approx([row[name] for name in ("type_i_error", "reject_p1", "en_p0", "en_p1")], rel=1e-9)
        assert (design.n1, design.n_max) == (row["n1"], row["n_max"])
        assert exact.meets(design, asked)
        assert design.is_monotone(asked.p0) == row["monotone_is"]
        assert branching_text(design) == row["rule"]


def test_the_characteristics_are_those_of_simulated_patients(root):
    rng = np.random.default_rng(22)
    trials = 20_000
    for design, asked, row in list(rows(root))[:6]:
        for p, expected in ((asked.p0, row["type_i_error"]), (asked.p1, row["reject_p1"])):
            patients = rng.random((trials, design.n_max)) < p
            rejected, used = np.zeros(trials), np.full(trials, design.n1)
            for k, trial in enumerate(patients):
                row_ = design.after[int(trial[: design.n1].sum())]
                if isinstance(row_, SecondStage):
                    used[k] += row_.n2
                    rejected[k] = trial[: used[k]].sum() > row_.r
                else:
                    rejected[k] = row_ == "reject"
            # four Monte Carlo standard errors: 1 of 16,000 such comparisons fails by chance
            assert rejected.mean() == pytest.approx(expected, abs=4 * rejected.std() / trials**0.5)
            assert used.mean() == pytest.approx(float(design.at(p).en), abs=4 * used.std() / trials**0.5)


def test_with_a_rising_conditional_error_the_type_i_error_is_largest_at_p0(root):
    for design, asked, row in rows(root):
        shares = np.array([float(one) for one in design.shares()])
        if row["monotone_is"]:
            assert design.largest_reject(asked.p0).p == asked.p0
            # the maximum by its coefficients, without the proof for rising errors
            assert peak(shares, asked.p0).value == pytest.approx(row["type_i_error"], rel=1e-9)


def test_with_a_falling_conditional_error_the_type_i_error_may_be_largest_below_p0():
    found = FALLING.largest_reject(0.7)
    grid = np.linspace(0, 0.7, 7001)
    on_grid = FALLING.at(grid).reject
    assert found.value > float(FALLING.at(0.7).reject) + 0.1
    # the curve is flat at its top: a step of 1e-4 leaves less than 1e-7
    assert found.value == pytest.approx(float(on_grid.max()), abs=1e-7)
    assert found.value >= on_grid.max() - 1e-12
    assert found.p == pytest.approx(float(grid[on_grid.argmax()]), abs=2e-4)
    assert float(FALLING.at(found.p).reject) == pytest.approx(found.value, abs=1e-10)


def test_a_polynomial_is_nowhere_above_its_peak():
    rng = np.random.default_rng(5)
    for degree in (1, 2, 5, 17, 60):
        for most in (1.0, 0.3):
            coefficients = rng.random(degree + 1)
            found = peak(coefficients, most)
            p = np.linspace(0, most, 2001)
            values = binomial_pmf(degree, p) @ coefficients
            assert values.max() <= found.value + 1e-10  # the peak is sought to 1e-11
            assert float(binomial_pmf(degree, found.p) @ coefficients) == pytest.approx(found.value, abs=1e-10)


def test_the_largest_expected_number_is_that_of_all_rates():
    design = parse_branching("0:A|1:A|2:9/5|3:9/5|4:16/7|5:8/5|6:8/6")
    found = largest_en(design)
    assert found.en == pytest.approx(float(design.at(np.linspace(0, 1, 2_001)).en.max()), abs=1e-5)  # flat there


def test_the_orders_of_patients_that_reject_give_the_probability_of_rejection():
    rng = random.Random(3)
    for _ in range(30):
        design, p = some_design(rng), Fraction(rng.randint(1, 9), 10)
        shares, n = design.shares(), design.n_max
        first = [binomial_fraction(n, s, p) for s in range(n + 1)]
        assert sum(a * b for a, b in zip(shares, first, strict=True)) == reject_fraction(design, p)


def binomial_fraction(n, s, p):
    return Fraction(len(list(itertools.combinations(range(n), s)))) * p**s * (1 - p) ** (n - s)


def test_equal_conditional_errors_are_no_fall():
    # more than 0 of 1 and more than 1 of 3 respond with the same probability at 1/2
    design = Branching(2, ("accept", SecondStage(1, 1), SecondStage(3, 3)))
    assert design.is_monotone(0.5)
    assert not Branching(2, ("accept", SecondStage(3, 1), SecondStage(3, 4))).is_monotone(0.5)


def bounds(look):
    return look.r, look.e


def test_the_bounds_of_the_first_look_are_those_of_the_table():
    assert bounds(parse_branching("0:A|1:A|2:3/3|3:R").looks[0]) == (1, 3)
    assert bounds(parse_branching("0:3/2|1:A|2:A").looks[0]) == (None, None)
    assert bounds(parse_branching("0:A|1:R").looks[0]) == (0, 1)


def test_a_table_is_read_as_it_is_written():
    rng = random.Random(9)
    for _ in range(50):
        design = some_design(rng)
        assert parse_branching(branching_text(design)) == design


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0:A|1", "rule ('1') is not of the form X1:A, X1:R or X1:n2/r with numbers below 10,000, such as 3:17/8"),
        ("0:A|2:R", "rule ('2:R') stands where the row of X1 = 1 belongs"),
        ("0:A|1:5/6", "after X1 = 1 (5/6) can never reject H0, as 6 responses are the most possible; write accept"),
        ("0:A|1:0/1", "after X1 = 1: n2 (0) is below 1, the smallest value allowed"),
        ("0:A", "n1 (0) is below 1, the smallest value allowed"),
        ("", "rule ('') is not of the form"),
    ],
)
def test_a_table_that_cannot_be_is_refused_in_one_line(text, said):
    with pytest.raises(InputError) as caught:
        parse_branching(text)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_design_that_cannot_be_is_refused_in_one_line():
    with pytest.raises(InputError, match=r"after has 2 rows; 2 patients need one row for each number of responses"):
        Branching(2, ("accept", "reject"))
    with pytest.raises(InputError, match=r"after X1 = 1 \('stop'\) is neither accept, nor reject"):
        Branching(1, ("accept", "stop"))
    with pytest.raises(InputError, match=r"p \(1\.5\) is not from 0 to 1"):
        FALLING.at(1.5)
    with pytest.raises(InputError, match=r"most \(-1\) is not from 0 to 1"):
        FALLING.largest_reject(-1)


def test_the_endings_of_a_table_are_those_of_all_sequences_of_patients():
    rng = random.Random(5)
    for _ in range(20):
        design, p = some_design(rng), Fraction(rng.randint(1, 9), 10)
        found = endings(design)
        chances = found.probability(float(p))
        # sums of at most 50 terms below 10
        assert float(chances.sum()) == pytest.approx(1, abs=1e-12)
        assert float(chances[found.reject].sum()) == pytest.approx(float(walked(design, p)[0]), abs=1e-12)
        # unbiased: of every order alike, the mean of X1 given the ending
        assert float(found.first @ chances) == pytest.approx(design.n1 * float(p), abs=1e-12)


def test_what_is_made_for_fixed_bounds_refuses_a_table():
    design = parse_branching("0:A|1:3/2|2:R")
    with pytest.raises(InputError, match="depends on the responses of the first"):
        design.looks[-1].regions(np.arange(3), final=True)
    with pytest.raises(InputError, match="depends on the responses of the first"):
        list(arrivals(design))


def test_two_tables_with_the_same_sizes_have_other_looks():
    one, other = (parse_branching(f"0:A|1:3/{r}|2:R") for r in (2, 3))
    assert [look.n for look in one.looks] == [look.n for look in other.looks]
    assert one.looks != other.looks
