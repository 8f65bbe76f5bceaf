"""What a section says of intervals, earlier trials and cohorts is no assumption; what it names exact is exact."""

import pytest

from simtrial import Requirements, search
from simtrial.plan import allowances
from simtrial.review.section import asked, compared, elements

LIMITS = "H0: ORR <= 15% versus 35%, one-sided alpha 5%, power 80%: "
WHOLE = (
    "Simon's optimal design: p0 = 0.20, p1 = 0.40, one-sided alpha 0.05, beta 0.20. If 3 or fewer of 13 patients "
    "respond in stage 1, the trial stops. "
)


def values(written):
    return {one.name: one.value for one in elements.read(written).elements}


def checked(written):
    return compared.compare(elements.read(written))


@pytest.mark.parametrize(
    "interval",
    [
        "the 95% confidence interval will extend from 17.9% to 44.6%",
        "the 95% CI for an observed ORR of 30% ranges from 16.6% to 46.5%",
        "the 95% CI is (12.3%, 45.9%)",
        "an exact binomial 95% confidence interval is between 14.7% and 37.9%",
    ],
)
def test_the_limits_of_an_interval_are_no_response_rates(interval):
    found = values(f"With 40 patients, {interval}.")
    assert (found["p0"], found["p1"], found["source"]) == (None, None, None)
    assert found["method"] == "precision"
    lines = checked(f"With 40 patients, {interval}.").verdict.lines
    assert lines == (compared.NO_TEST,)


@pytest.mark.parametrize(
    "earlier", ["Response rates range from 5% to 20%.", "The response rate varies from 5% to 20% in other regions."]
)
def test_a_range_of_rates_without_a_change_is_no_pair(earlier):
    found = values(earlier)
    assert (found["p0"], found["p1"]) == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        "The aim is to improve the response rate from 10% to 30%.",
        "A response rate from 10% to 30% would be an improvement.",
        "With 95% confidence we can detect an increase from 10% to 30%.",
        "The 95% CI is given. The response rate is hoped to rise from 10% to 30%.",
        "Null 10%, target 30%.",
        "H0: ORR <= 10% versus 30%.",
        "The null ORR of 10% is tested against an ORR of 30%.",
    ],
)
def test_a_change_or_a_null_hypothesis_makes_a_pair(change):
    found = values(change)
    assert (found["p0"], found["p1"]) == (0.1, 0.3)


@pytest.mark.parametrize(
    "earlier",
    [
        "The response rate was 12% (Hanna et al. 2004, n=288).",
        "The response rate was 12% (n = 288; Hanna 2004).",
        "In a previous trial the disease control rate was 55% in 288 patients.",
        "The disease control rate was 55% in 288 patients.",
        "An earlier study enrolled 288 patients.",
        "Hanna et al. saw a response rate of 12% (n=288).",
    ],
)
def test_the_size_of_an_earlier_trial_is_not_that_of_the_trial(earlier):
    assert values(f"{earlier} Forty patients are included.")["n"] == {"evaluable": 40, "total": None}


@pytest.mark.parametrize(
    "named", ["alpha 0.05", "alpha = 0.05 one-sided", "one-sided alpha of 5%", "type I error 0.05"]
)
def test_a_rate_before_a_bracket_is_not_the_alpha_in_it(named):
    assert values(f"The null rate of 10% is tested against 30% ({named}, power 80%).")["alpha"] == 0.05
    assert values("A level of 10% (alpha) is used.")["alpha"] == 0.1


@pytest.mark.parametrize(
    "printed", ["PET(P0)=0.75", "PET under H0 of 0.75", "PET (p0): 0.75", "PET at p0 = 20% is 0.75; EN(p0) = 21"]
)
def test_a_printed_chance_of_an_early_end_is_no_response_rate(printed):
    statement = elements.read(f"3/13, 12/43; p0 = 20%; p1 = 40%; {printed}; alpha 5%.").statement
    assert (statement.p0, statement.pet_p0, statement.n) == (0.2, 0.75, 43)


def test_cohorts_with_different_designs_are_asked():
    found = checked(
        "Cohort A: a Simon minimax design with a null ORR of 10% versus 30% (alpha 0.05 one-sided, 80% power): 15 "
        "patients in stage 1, stop if 1 or fewer respond, 25 in total, success with 6 or more responses. Cohort B: "
        "single-stage design with 30 patients; null ORR 20%, alternative 45%, one-sided alpha 2.5%, power 80%."
    )
    unclear = {one.name for one in found.elements if one.status == "ambiguous"}
    assert unclear == {"p0", "p1", "alpha", "method", "rule", "n"}
    assert [value for value, _ in found["p1"].candidates] == [0.3, 0.45]
    assert any("Which cohort is meant?" in line for line in asked.questions(found))


def test_two_values_of_one_cohort_are_not_taken_for_cohorts():
    lines = asked.questions(checked("p0 is 10%. The power is 80% with 25 patients. The power is 90% with 33 patients."))
    assert not any("cohort" in line for line in lines)


@pytest.mark.parametrize(
    "method",
    [
        "an exact one-sample binomial test",
        "an exact single-stage design",
        "a single-stage design and an exact binomial test",
        "A'Hern's design",
    ],
)
def test_no_formula_explains_what_is_called_exact(method):
    asked_for = (
        "If the true ORR is 35%, 27 patients give 85% power to reject H0: ORR <= 15%, two-sided type I error 10%"
    )
    found = checked(f"{asked_for}, with {method}.")
    smallest = search.single_stage(Requirements(0.15, 0.35, 0.05, 0.85)).first.n
    assert found.verdict.kind == "does not reproduce"
    assert (found["n"].status, found["n"].exact["evaluable"]) == ("contradicted", smallest)


@pytest.mark.parametrize("also", ["", " The analysis is by an exact binomial test."])
def test_a_formula_may_explain_a_size_by_an_approximation(also):
    found = checked(
        "If the true ORR is 35%, 27 patients give 85% power to reject H0: ORR <= 15%, two-sided type I error 10%, with "
        "a one-sample test by the normal approximation." + also
    )
    assert found.verdict.kind == "reproduces with a convention"


def test_a_wrong_bound_does_not_contradict_the_named_method():
    wrong = checked(
        WHOLE + "Otherwise 30 more are enrolled (43 in total). H0 is rejected if at least 11 of 43 respond."
    )
    assert wrong["rule"].status == "contradicted"
    assert wrong["method"].status == "found"
    assert wrong["rule"].exact["looks"] == "3/13,12/43"


@pytest.mark.parametrize(
    ("total", "status"), [(35, "found"), (34, "found"), (30, "contradicted"), (40, "contradicted")]
)
def test_a_total_is_contradicted_unless_some_convention_gives_it(total, status):
    known = bool(allowances.giving(total, 28, 0.2))
    found = checked(LIMITS + f"28 evaluable patients. With 20% dropout, {total} patients will be enrolled.")
    assert (found["dropout"].status, known) == (status, status == "found")
    assert any(f"total of {total}" in line for line in found.verdict.lines)


def test_the_convention_of_a_total_is_named_where_no_test_is_stated():
    found = checked(
        "With 50 evaluable patients the 95% CI ranges from 17.9% to 44.6%. 55 patients are enrolled to allow for 10% "
        "non-evaluable patients."
    )
    assert found.verdict.lines[-1].startswith("The total of 55 is 50 x 1.1 = 55;")


def test_a_dropout_beside_one_number_of_patients_is_asked():
    lines = asked.questions(checked(LIMITS + "28 patients. 3% of patients will not be evaluable."))
    assert any("allowing for the dropout gives 29 in all" in line for line in lines)


@pytest.mark.parametrize(
    "source",
    [
        "The null rate comes from Miller et al. (J Clin Oncol 2011).",
        "The null rate is taken from Miller A et al. J Clin Oncol 2011;29:1-9.",
        "The response rate of 10% was derived from the RADIANT registry.",
        "The assumptions are based on Miller 2011.",
    ],
)
def test_the_origin_of_a_rate_is_a_source(source):
    assert values(source)["source"]


@pytest.mark.parametrize(
    "none", ["If an observed rate of 30% is seen, the interval is short.", "The sample size was derived from tables."]
)
def test_a_possible_result_or_a_table_is_no_source(none):
    assert values(none)["source"] is None
