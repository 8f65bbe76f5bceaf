"""Fleming's rule against a reference table, against its formulas in floating point, and against plain enumeration."""

import math
from decimal import Decimal, localcontext
from itertools import accumulate

import numpy as np
import pytest
from scipy import stats

from simtrial import InputError, Requirements, looks_text, search
from simtrial.design import exact
from simtrial.design.designs import Look
from simtrial.search import fleming
from simtrial.search.constraints import Constraints
from simtrial.search.given import design_of

PRINTED = 1e-9
"""The table prints ten digits."""


@pytest.fixture
def rows(reference):
    return reference("families/fleming").to_dict("records")


def sizes(row):
    return tuple(accumulate(int(n) for n in str(row["stages"]).split("+")))


def test_acceptance_and_rejection_numbers_are_those_of_the_reference(rows):
    for row in rows:
        accept, reject = fleming._numbers(sizes(row), row["p0"], row["alpha_nominal"])
        assert (" ".join(map(str, accept)), " ".join(map(str, reject))) == (row["a"], row["r"]), row


def test_bounds_and_exact_errors_are_those_of_the_reference(rows):
    designs = [row for row in rows if isinstance(row["looks"], str)]
    assert len(designs) > 50
    for row in designs:
        design = fleming.bounds(sizes(row), row["p0"], row["alpha_nominal"])
        assert looks_text(design) == row["looks"]
        oc = exact.operating_characteristics(design, [row["p0"], row["p1"]])
        for values, names in ((oc.reject, ("type_i_error", "reject_p1")), (oc.en, ("en_p0", "en_p1"))):
            assert values == pytest.approx([row[name] for name in names], rel=PRINTED)


def test_a_rule_that_cannot_reject_is_refused(rows):
    without = [row for row in rows if str(row["corner"]).startswith("cannot reject")]
    assert without
    for row in without:
        with pytest.raises(InputError, match="no number of responses that rejects H0"):
            fleming.bounds(sizes(row), row["p0"], row["alpha_nominal"])


def test_flemings_bounds_for_several_looks():
    # n p0 + z sqrt(N p0 q0): 3 + 3.29 = 6.29 and 5 + 3.29 = 8.29, so R = 7 and 9
    assert looks_text(fleming.bounds([15, 25], 0.2, 0.05)) == "3:7/15,8/25"
    three = fleming.bounds([20, 35, 45], 0.2, 0.05)
    assert exact.operating_characteristics(three, [0.2]).reject[0] == pytest.approx(0.0576, abs=5e-5)


def test_the_trial_ends_at_a_look_where_no_count_continues_and_later_looks_are_dropped():
    # a = -2 -1 1 2 3 and R = 3 3 3 3 4: at 20 patients 2 accept and 3 reject
    design = fleming.bounds([5, 10, 15, 20, 25], 0.05, 0.1)
    assert looks_text(design) == ":3/5,:3/10,1:3/15,2/20"


@pytest.mark.parametrize("alpha", [0.5, 0.9])
def test_an_alpha_without_a_positive_quantile_is_refused(alpha):
    with pytest.raises(InputError, match=r"is not below 0\.5"):
        fleming.bounds([10, 20], 0.2, alpha)


def test_a_look_that_always_accepts_is_refused():
    with pytest.raises(InputError, match=r"looks_at \(1\) ends the trial"):
        fleming.bounds([1, 2], 0.6, 0.49)


@pytest.mark.parametrize("alpha", [0.025, 0.2, 0.4999])
def test_the_quantile_has_fifty_digits_by_another_series(alpha):
    z = fleming.quantile(alpha)
    assert float(z) == pytest.approx(stats.norm.isf(alpha), rel=1e-14)  # scipy's own accuracy
    with localcontext(prec=80):
        # erf by its alternating series, where the module sums terms of one sign
        x = z / Decimal(2).sqrt()
        term = total = x
        k = 0
        while abs(term) > Decimal(10) ** -70:
            k += 1
            term = -term * x * x / k
            total += term / (2 * k + 1)
        below = total / fleming.PI.sqrt()
        assert abs(below - (Decimal("0.5") - Decimal(repr(alpha)))) < Decimal(10) ** -50


def in_floats(looks_at, p0, alpha):
    """The two lines before rounding."""
    last, z = looks_at[-1], stats.norm.isf(alpha)
    pa = (math.sqrt(last * p0) + math.sqrt(1 - p0) * z) ** 2 / (last + z * z)
    return (
        [n * pa - z * math.sqrt(last * pa * max(1 - pa, 0)) for n in looks_at],
        [n * p0 + z * math.sqrt(last * p0 * (1 - p0)) for n in looks_at],
    )


def test_rounding_is_that_of_the_formulas_wherever_floating_point_can_tell_and_the_regions_never_overlap():
    rng = np.random.default_rng(1)
    for _ in range(400):
        looks_at = sorted(rng.choice(np.arange(1, 120), size=rng.integers(1, 5), replace=False).tolist())
        p0, alpha = round(float(rng.uniform(0.01, 0.95)), 3), round(float(rng.uniform(0.005, 0.45)), 3)
        accept, reject = fleming._numbers(looks_at, p0, alpha)
        lower, upper = in_floats(looks_at, p0, alpha)
        rounded = [*zip(upper, [r - 1 for r in reject], strict=True), *zip(lower[:-1], accept[:-1], strict=True)]
        for value, found in rounded:
            if abs(value % 1 - 0.5) > 1e-9:
                assert found == math.floor(value + 0.5)
        if reject[-1] <= looks_at[-1]:
            assert all(a < r for a, r in zip(accept, reject, strict=True))


def test_p1_and_the_power_play_no_part_with_given_looks():
    looks = Constraints(looks_at=(15, 25))
    found = [
        search.family(Requirements(0.2, p1, 0.05, power), "fleming_looks", looks).best.looks
        for p1, power in ((0.4, 0.8), (0.5, 0.9), (0.8, 0.6))
    ]
    assert len(set(found)) == 1


def test_given_looks_are_answered_even_where_a_limit_is_broken():
    found = search.family(Requirements(0.2, 0.4, 0.05, 0.8), "fleming_looks", Constraints(looks_at=(15, 25)))
    assert not found.best.keeps
    assert (found.best.type_i_error, found.best.power) == pytest.approx((0.05053529173, 0.7235938299), rel=PRINTED)
    proof = found.certificate
    assert (proof.how, proof.n_upper, proof.value) == ("heuristic", 25, found.best.en_p0)
    assert 15 <= proof.bound <= proof.value


def test_without_looks_every_smaller_even_n_fails():
    for limits in ((0.1, 0.3, 0.05, 0.8), (0.3, 0.5, 0.1, 0.9), (0.05, 0.2, 0.1, 0.8)):
        asked = Requirements(*limits)
        found = search.family(asked, "fleming_looks")
        n = found.best.n
        assert found.best.looks[0].n * 2 == n
        assert found.certificate.how == "proved"
        assert found.best.keeps
        for smaller in range(2, n, 2):
            lower, upper = in_floats((smaller // 2, smaller), asked.p0, asked.alpha)
            a, r, last = math.floor(lower[0] + 0.5), math.floor(upper[0] + 0.5) + 1, math.floor(upper[1] + 0.5)
            if last >= smaller or r == a + 1:
                continue
            design = design_of(
                (
                    Look(smaller // 2, a if a >= 0 else None, r if r <= smaller // 2 else None),
                    Look(smaller, last),
                )
            )
            assert not exact.meets(design, asked), smaller


def test_looks_alone_are_taken():
    with pytest.raises(InputError, match="cap is not possible for designs by Fleming's rule"):
        search.family(Requirements(0.1, 0.3, 0.05, 0.8), "fleming_looks", Constraints(cap=30))
