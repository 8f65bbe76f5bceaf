"""A stated section: its ten elements with their words, nothing guessed, and what exact numbers say of them."""

import dataclasses
from math import comb

import pytest

from simtrial import Requirements, parse_looks, search
from simtrial.errors import InputError
from simtrial.review.section import asked, compared, elements
from simtrial.review.section.prose import prose
from simtrial.trial import params, text
from simtrial.trial.case import Case

SIMON = (
    "Simon's optimal two-stage design tests the null hypothesis of a response rate of at most 10% against p1 = 30%, "
    "with a one-sided type I error of 5% and 80% power. In the first stage, 10 patients are enrolled. If 1 or fewer "
    "respond, the trial stops. Otherwise 19 additional patients are enrolled, 29 in total. H0 is rejected if 6 or more "
    "respond."
)


def values(written):
    return {one.name: one.value for one in elements.read(written).elements}


def checked(written):
    return compared.compare(elements.read(written))


def test_all_elements_are_given_in_their_order_whether_found_or_not():
    for written in (SIMON, "Nothing is stated here."):
        assert tuple(one.name for one in elements.read(written).elements) == elements.NAMES


def test_a_usual_section_is_read_and_reproduced():
    found = checked(SIMON)
    assert found.verdict.kind == "reproduces"
    stated = {one.name: one.value for one in found.elements}
    assert (stated["p0"], stated["p1"], stated["alpha"], stated["power"]) == (0.1, 0.3, 0.05, 0.8)
    assert (stated["sidedness"], stated["method"]) == (1, "optimal")
    assert stated["rule"] == {"r1": 1, "n1": 10, "r": 5, "n": 29, "looks": "1/10,5/29"}
    assert stated["n"] == {"evaluable": 29, "total": None}
    assert [one.name for one in found.elements if one.status == "missing"] == ["dropout", "source"]


def test_every_value_that_is_found_is_quoted_as_it_was_written():
    written = (
        "The null rate is ten  per cent\u00a0(\u03c0\u2080 = 0\u00b710) and \u03b1 \u2264 0\u00b705 is one\u2010sided."
    )
    found = elements.read(written)
    assert found["p0"].value == 0.1
    assert found["alpha"].quote == "\u03b1 \u2264 0\u00b705"
    assert found["sidedness"].quote == "one\u2010sided"


def test_a_quote_names_its_paragraph():
    found = elements.read(f"Introduction.\n\nMore of it.\n\n{SIMON}")
    assert {one.paragraph for one in found.elements if one.quote} == {3}


def test_a_section_without_numbers_has_no_elements():
    found = elements.read("The number of patients was chosen for practical reasons. Analyses are descriptive.")
    assert {one.status for one in found.elements} == {"missing"}
    assert found.statement.missing == ("p0", "p1", "alpha", "power", "n")


def test_two_values_are_asked_with_their_words_and_neither_is_taken():
    found = elements.read(SIMON + " The null hypothesis is a response rate of 15%.")
    p0 = found["p0"]
    assert (p0.status, p0.value, found.statement.p0) == ("ambiguous", None, None)
    assert [value for value, _ in p0.candidates] == [0.1, 0.15]
    assert "at most 10%" in p0.candidates[0][1]
    assert "15%" in p0.candidates[1][1]


@pytest.mark.parametrize("either", ["one- or two-sided", "one-sided or two-sided", "two-sided (or one-sided)"])
def test_an_unclear_sidedness_is_asked(either):
    found = elements.read(f"The significance level is 5% ({either}) and the power is 80%.")
    assert found["sidedness"].status == "ambiguous"
    assert found.statement.alpha_sided is None


def test_the_sides_of_an_interval_are_not_those_of_alpha():
    found = elements.read("A two-sided 95% confidence interval is given. The one-sided alpha is 2.5%.")
    assert (found["sidedness"].value, found["alpha"].value) == (1, 0.025)
    assert elements.read("A two-sided 95% confidence interval is given.")["sidedness"].status == "missing"


def test_cohorts_of_different_sizes_are_asked():
    found = elements.read("Cohort A enrolls 25 patients and cohort B enrolls 41 patients; alpha is 5%.")
    assert found["n"].status == "ambiguous"
    assert {value for value, _ in found["n"].candidates} == {25, 41}


def test_a_range_of_rates_is_asked():
    found = elements.read("The null hypothesis is a response rate of 10-15%. H1 is a response rate of 35%.")
    assert [value for value, _ in found["p0"].candidates] == [0.1, 0.15]
    assert found["p1"].value == 0.35


RATES = [
    ("p0 = 0.10, p1 = .3, alpha = 0.05, power = 0.80", (0.1, 0.3, 0.05, 0.8)),
    ("p0=10 %, p1=30 %, alpha=5 %, beta=20 %", (0.1, 0.3, 0.05, 0.8)),
    ("P0 was ten percent and P1 was thirty percent; the type I error is five percent, the power eighty percent",
     (0.1, 0.3, 0.05, 0.8)),
    ("p0 0,10; p1 0,30; alpha 0,05; beta 0,20", (0.1, 0.3, 0.05, 0.8)),
    ("H0: p <= 0.1 versus H1: p >= 0.3, type I and type II errors of 5% and 20%", (0.1, 0.3, 0.05, 0.8)),
    ("H0: p \u2264 12.5%, HA: p \u2265 30%; significance level 2.5%; 1-\u03b2 = 90%", (0.125, 0.3, 0.025, 0.9)),
    ("With 80% power and a 10% significance level we test 20% (null hypothesis) against 40% (alternative hypothesis)",
     (0.2, 0.4, 0.1, 0.8)),
    ("The response rate is expected to increase from 20% to 40%; type I error 5%, type II error 10%",
     (0.2, 0.4, 0.05, 0.9)),
    ("$p_0 = 0.1$, $p_1 = 0.3$, $\\alpha = 0.05$, $1-\\beta = 0.8$", (0.1, 0.3, 0.05, 0.8)),
    ("p0 = 0.1; p1 = 0.3; \u00ce\u00b1 = 0.05; power \u00e2\u2030\u00a5 80%", (0.1, 0.3, 0.05, 0.8)),
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), RATES)
def test_rates_are_read_in_every_usual_form(written, expected):
    found = values(written)
    assert (found["p0"], found["p1"], found["alpha"], found["power"]) == expected


def test_power_and_beta_that_disagree_are_asked():
    found = elements.read("The power is 80% and beta is 0.10.")
    assert [value for value, _ in found["power"].candidates] == [0.8, 0.9]


BOUNDS = [
    ("if 1 or fewer of the first 10 patients respond", 1), ("if fewer than 2 of the first 10 patients respond", 1),
    ("if at most one of the first 10 patients responds", 1), ("if <= 1/10 responses are seen", 1),
    ("if there are 0 or 1 responses in the first 10 patients", 1), ("if no more than 1 of the first 10 respond", 1),
    ("if less than 2 responses are seen in the first 10 patients", 1), ("unless 2 or more of the first 10 respond", 1),
    ("unless at least 2 of the first 10 patients respond", 1), ("unless more than 1 of the first 10 respond", 1),
    ("if no responses are seen in the first 10 patients", 0), ("if none of the first 10 patients responds", 0),
    ("if 0 of the first 10 patients respond", 0), ("unless \u2265 3 responses are seen in the first 10 patients", 2),
    ("if 3 responses or less are seen in the first 10 patients", 3),
    ("if one or no responses are seen in the first 10 patients", 1),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "r1"), BOUNDS)
def test_a_bound_is_the_largest_number_of_responses_that_stops(condition, r1):
    rule = values(f"The trial stops {condition}. Otherwise 19 additional patients are enrolled.")["rule"]
    assert (rule["r1"], rule["n1"], rule["n"]) == (r1, 10, 29)


def test_the_second_stage_is_read_as_further_patients_or_as_all_of_them():
    added = "Ten patients enter stage 1. With 2 or more responses, 19 more patients enter stage 2."
    both = "Ten patients enter stage 1. With 2 or more responses, accrual continues to a total of 29 patients."
    for written in (added, both):
        assert elements.read(written).statement.n == 29
        assert elements.read(written).statement.n1 == 10


def test_a_bound_on_toxicity_is_no_bound_of_the_rule():
    found = values("If 3 or more patients have a dose-limiting toxicity, accrual is suspended. " + SIMON)
    assert found["rule"]["looks"] == "1/10,5/29"


def test_a_stop_for_efficacy_is_part_of_the_rule():
    found = elements.read(
        "Fleming's two-stage design is used. After 15 patients the trial stops for futility if 3 or fewer respond and "
        "is declared effective if 7 or more respond. Otherwise 10 more patients are enrolled. H0 is rejected if 9 or "
        "more of 25 patients respond."
    )
    assert found["rule"].value["looks"] == "3:7/15,8/25"


def test_a_sign_that_a_copy_lost_is_not_guessed():
    found = elements.read(
        "Simon's design has 13 patients in the first stage. If 3 responses are seen, 30 more are enrolled."
    )
    assert found["rule"].status == "missing"
    assert found.statement.n == 43


def test_dropout_separates_the_evaluable_patients_from_those_to_be_enrolled():
    found = values("33 evaluable patients are needed. Allowing for 10% dropout, 37 patients will be enrolled.")
    assert found["n"] == {"evaluable": 33, "total": 37}
    assert found["dropout"] == 0.1


METHODS = [
    ("Simon's minimax design", "minimax"), ("an optimal two-stage design", "optimal"), ("A'Hern's design", "a_hern"),
    ("a Fleming single-stage design", "fleming"), ("Gehan's design", "gehan"), ("a two-stage design", "two_stage"),
    ("an exact one-sample binomial test", "single_stage"), ("the precision of the estimate", "precision"),
    ("a three-stage design", "three_stage"), ("an admissible two-stage design", "admissible"),
    ("the normal approximation", "single_stage"), ("a Bayesian design", "bayesian"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "method"), METHODS)
def test_methods_are_found_by_their_names(written, method):
    assert values(f"The sample size is based on {written}.")["method"] == method


def test_the_title_of_a_reference_names_no_method():
    reference = " References: Simon R. Optimal two-stage designs for phase II clinical trials. 1989."
    assert values("Simon's minimax design is used." + reference)["method"] == "minimax"


def test_the_source_of_the_assumptions_is_quoted():
    found = elements.read(SIMON + " The historical response rate of 10% was reported by Miller et al. (2018).")
    assert "historical response rate" in found["source"].quote.lower()


def by_hand(p, r):
    """P(reject H0) of the rule "continue if X1 > 1 of 10, reject if X > r of 29", summed term by term."""

    def pmf(n, x):
        return comb(n, x) * p**x * (1 - p) ** (n - x)

    return sum(pmf(10, a) * pmf(19, b) for a in range(2, 11) for b in range(20) if a + b > r)


WRONG = [
    ("method", SIMON.replace("optimal", "minimax"), "optimal"),
    ("alpha", SIMON.replace("6 or more", "5 or more"), pytest.approx(by_hand(0.1, 4), rel=1e-12)),
    ("power", SIMON.replace("6 or more", "8 or more"), pytest.approx(by_hand(0.3, 7), rel=1e-12)),
    ("dropout", SIMON + " To allow for a dropout of 10%, 40 patients are enrolled.", {"total": 33}),
    ("n", "The null rate is 10%, the target rate 30%, one-sided alpha 5%, power 80%. With the exact binomial test, 40 "
     "evaluable patients are needed.", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "written", "exact"), WRONG)
def test_the_exact_calculation_contradicts_what_is_wrong(name, written, exact):
    found = checked(written)
    assert found[name].status == "contradicted"
    if exact is not None:
        assert found[name].exact == exact


def test_what_a_statement_refuses_is_contradicted_and_left_out():
    found = checked(SIMON.replace("at most 10%", "at most 40%"))  # p0 above p1 with a rule for responses
    assert found["p0"].status == "contradicted"
    assert found.statement.p0 is None


def test_questions_name_what_is_missing_ambiguous_and_contradicted():
    written = SIMON.replace("optimal", "minimax").replace("one-sided ", "") + " The power is 90%."
    lines = asked.questions(checked(written))
    assert lines[0].startswith("The section does not state the sidedness of alpha, the dropout that is allowed for and")
    assert any("gives 2 values for the power" in line and "Which one applies?" in line for line in lines)


def test_a_complete_section_leaves_nothing_to_ask():
    written = SIMON + (
        " The historical response rate of 10% was reported by Miller et al. Allowing for 10% dropout, 33 patients are "
        "enrolled."
    )
    assert asked.questions(checked(written)) == ()


@pytest.mark.parametrize("name", ["NCT07022301.yaml", "NCT07022301_p20_p40.yaml", "example.yaml"])
def test_the_paragraph_of_a_parameter_file_is_read_back(root, name):
    trial, _ = params.read(root / "params" / name)
    case = Case.of(trial)
    found = checked(str(text.protocol(case)))
    assert found.verdict.kind == "reproduces"
    assert found.statement.design.looks == case.chosen.looks
    asked_for = case.requirements
    assert found.statement.requirements == Requirements(asked_for.p0, asked_for.p1, asked_for.alpha, asked_for.power)
    assert {one.name for one in found.elements if one.status != "found"} <= {"dropout", "source"}


@pytest.mark.parametrize("question", [(0.1, 0.3, 0.05, 0.8), (0.05, 0.25, 0.05, 0.9), (0.3, 0.5, 0.025, 0.8)])
def test_the_paragraph_of_every_design_of_a_search_is_read_back(question):
    limits = Requirements(*question)
    two, one = search.two_stage(limits), search.single_stage(limits)
    for design in (two.optimal.design, two.minimax.design, one.first.design):
        found = checked(str(text.statement(design, limits)))
        assert found.verdict.kind == "reproduces"
        assert found.statement.design.looks == design.looks
        assert dataclasses.astuple(found.statement.requirements)[:4] == question


def test_the_paragraph_of_a_design_with_efficacy_bounds_is_read_back():
    design = parse_looks("3:7/15,8/25")
    found = checked(str(text.statement(design, Requirements(0.2, 0.4, 0.06, 0.7))))
    assert found.statement.design.looks == design.looks


def test_numbers_in_prose_have_one_character_each():
    read = prose("Of twenty-five patients, 12.5% (0.125) respond; the ratio is 1.3, in 1,200 samples of 7-10%.")
    assert [read.numbers[at].values for at in sorted(read.numbers)] == [
        (25.0,), (0.125,), (0.125,), (1.3,), (1200.0,), (0.07, 0.1),
    ]  # fmt: skip


def test_more_numbers_than_a_section_has_are_refused():
    with pytest.raises(InputError, match="numbers; at most 600 are checked"):
        elements.read("25 patients " * 2000)


@pytest.mark.long
@pytest.mark.parametrize(
    "unit", ["if ", "p0 ", "null hypothesis ", "from a b c ", "(", ".", "1", "not less than ", "\n"]
)
def test_long_hostile_text_ends(unit):
    found = elements.read((unit * 30_000)[:30_000])
    assert found.statement.p0 is None
