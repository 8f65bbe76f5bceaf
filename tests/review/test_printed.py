"""Printed intervals and percentages: which method, which level, and whether any count."""

import numpy as np
import pytest

from simtrial import InputError, TwoStage
from simtrial.review.published import LEVELS, METHODS, counts, interval, two_stage_limits

COLUMNS = {
    "Clopper-Pearson": "cp95", "Wilson": "wilson95", "Wald": "wald95", "Agresti-Coull": "agresti_coull",
    "Jeffreys": "jeffreys",
}  # fmt: skip


def test_limits_are_those_of_the_table(reference):
    for row in reference("binomial_ci").itertuples():
        for method, column in COLUMNS.items():
            printed = getattr(row, f"{column}_lo"), getattr(row, f"{column}_hi")
            found = METHODS[method](row.x, row.n, 0.95)
            if method == "Jeffreys" and row.x in (0, row.n):
                continue  # the table takes beta quantiles at the ends, others put 0 and 1 there
            # the table may print Wald and Agresti-Coull limits beyond 0 and 1; five decimals
            assert np.clip(found, 0, 1) == pytest.approx(np.clip(printed, 0, 1), abs=5.1e-6), (method, row.x, row.n)


@pytest.mark.parametrize(
    ("x", "n", "low", "high", "method"),
    [
        (16, 47, 0.209, 0.493, "Clopper-Pearson"),  # PASSION
        (37, 105, 0.262, 0.452, "Clopper-Pearson"),  # lurbinectedin basket
        (22, 68, 0.215, 0.448, "Clopper-Pearson"),
        (21, 37, 0.400, 0.735, "t interval of the mean"),  # NCT04055792: no exact interval
    ],
)
def test_published_intervals_are_recognised(x, n, low, high, method):
    found = interval(x, n, low, high)
    assert (method, 0.95) in {(m.method, m.level) for m in found}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", LEVELS)
def test_every_method_recognises_its_own(method, level):
    low, high = METHODS[method](6, 25, level)
    found = interval(6, 25, round(low, 4), round(high, 4), decimals=4)
    assert (method, level) in {(m.method, m.level) for m in found}


def test_two_stage_intervals_are_recognised_with_their_design():
    design = TwoStage(1, 10, 5, 29)
    # methods: 1/10 5/29, s = 6: Koyama-Chen (.1015, .4007), exact upper limit .4127, both at 90%
    assert two_stage_limits(design, 6, 0.9, exact=False) == pytest.approx((0.1015, 0.4007), abs=5.1e-5)
    assert two_stage_limits(design, 6, 0.9) == pytest.approx((0.1015, 0.4127), abs=5.1e-5)
    found = {m.method for m in interval(6, 29, 0.1015, 0.4127, design, decimals=4)}
    assert found == {"two-stage exact"}
    assert {m.method for m in interval(6, 29, 0.1015, 0.4007, design, decimals=4)} == {"Koyama-Chen"}


def test_the_exact_two_stage_interval_covers_at_its_ends():
    design = TwoStage(1, 10, 5, 29)
    low, high = two_stage_limits(design, 1, 0.9, stage=1)
    assert 0 < low < high < 1
    assert two_stage_limits(design, 0, 0.9, stage=1)[0] == 0
    assert two_stage_limits(design, 29, 0.9)[1] == 1
    with pytest.raises(InputError, match="cannot end"):
        two_stage_limits(design, 2, 0.9, stage=1)
    with pytest.raises(InputError, match="cannot end"):
        two_stage_limits(design, 1, 0.9)


def test_an_interval_that_no_method_gives_is_recognised_by_none():
    assert interval(6, 25, 0.15, 0.20) == []


@pytest.mark.parametrize(
    ("percent", "n", "found"), [(32.4, 68, [22]), (56.8, 37, [21]), (4.9, 82, [4]), (35, 20, [7]), (33.0, 25, [])]
)
def test_a_percentage_needs_a_count(percent, n, found):
    assert counts(percent, n, decimals=1) == found


def test_the_digits_of_a_percentage_are_read_from_it():
    assert counts(11.0, 45) == [5]
    assert counts(11.1, 45) == [5]
    assert counts(11.2, 45) == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: interval(26, 25, 0.1, 0.2), "x (26) is above n (25)"),
        (lambda: interval(5, 25, 0.3, 0.2), "low (0.3) is above high (0.2)"),
        (lambda: counts(120, 25), "percent (120) is not from 0 to 100"),
        (lambda: counts(10, 0), "n (0) is below 1"),
    ],
)
def test_wrong_results_are_refused(call, said):
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).startswith(said)


def test_no_response_is_recognised_by_the_rule_of_three_and_by_the_exact_limit():
    # 3/63 = .0476; 1 - .05^(1/63) = .0464
    three = interval(0, 63, "0", ".048")
    assert (three[0].method, three[0].level) == ("rule of three", 0.95)
    assert all(round(m.high, 3) == 0.048 for m in three)
    one_sided = {(m.method, m.level) for m in interval(0, 63, "0", ".0464")}
    # all of alpha = .05 above is what a two-sided 90% interval spends there
    assert one_sided == {
        ("one-sided exact limit (Hanley and Lippman-Hand)", 0.95),
        ("Clopper-Pearson", 0.9),
        ("mid-p", 0.95),  # half of P(X = 0) is .025 where the whole is .05
    }
    mirror = interval(63, 63, ".952", "1")
    assert (mirror[0].method, mirror[0].low) == ("rule of three", pytest.approx(60 / 63))


def test_the_digits_are_those_typed_for_each_limit():
    # Clopper-Pearson of 5 of 25: .0683 to .4070
    assert "Clopper-Pearson" in {m.method for m in interval(5, 25, ".068", ".41")}
    assert "Clopper-Pearson" not in {m.method for m in interval(5, 25, ".068", ".410")}
    assert interval(5, 25, ".068", ".410") == interval(5, 25, 0.068, 0.41)  # a float has lost its zeros
    assert "Clopper-Pearson" in {m.method for m in interval(5, 25, 0.07, 0.41, decimals=2)}
