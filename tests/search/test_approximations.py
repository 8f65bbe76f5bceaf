import pytest
from scipy import stats

from simtrial import Requirements
from simtrial.search import formulas
from simtrial.validation.search import FORMULA_COLUMNS


@pytest.mark.parametrize("method", FORMULA_COLUMNS)
def test_every_formula_gives_the_reference_n(method, reference):
    table = reference("sample_size_by_method")
    assert len(table) == 495
    for row in table.itertuples():
        found = formulas.approximate(Requirements(row.p0, row.p1, row.alpha_one_sided, row.power))
        assert {a.method: a.n for a in found}[method] == getattr(row, FORMULA_COLUMNS[method])


def test_flemings_rule_and_its_exact_errors_equal_the_reference(reference):
    table = reference("single_stage_fleming")
    assert len(table) == 684
    for row in table.itertuples():
        score = formulas.approximate(Requirements(row.p0, row.p1, row.alpha, row.power))[0]
        assert (score.n, score.r + 1) == (row.n_fleming, row.r_fleming)
        # the table gives five digits
        assert abs(score.type_i_error - row.a_fleming) <= 0.51e-5
        assert abs(score.power - row.pw_fleming) <= 0.51e-5


def test_the_errors_shown_are_those_of_the_rule_shown():
    for a in formulas.approximate(Requirements(p0=0.2, p1=0.4, alpha=0.1, power=0.8)):
        assert a.type_i_error == pytest.approx(stats.binom.sf(a.r, a.n, 0.2), rel=1e-12)
        assert a.power == pytest.approx(stats.binom.sf(a.r, a.n, 0.4), rel=1e-12)


def test_a_rule_that_can_never_reject_says_so():
    # so strict a test of so few patients asks for more responses than there are patients
    found = formulas.approximate(Requirements(p0=0.9, p1=0.99, alpha=0.01, power=0.02))
    never = [a for a in found if a.r == a.n]
    assert never
    assert all(a.type_i_error == 0 and a.power == 0 for a in never)


def test_flemings_rule_breaks_alpha_in_most_settings(reference):
    table = reference("single_stage_fleming")
    broken = lacking = 0
    for row in table.itertuples():
        score = formulas.approximate(Requirements(row.p0, row.p1, row.alpha, row.power))[0]
        # to the five digits of the table, which tells no error from an alpha that it equals
        broken += round(score.type_i_error, 5) > row.alpha
        lacking += round(score.power, 5) < row.power
    assert broken == (table.a_fleming > table.alpha).sum() > len(table) / 2
    assert lacking == (table.pw_fleming < table.power).sum()
