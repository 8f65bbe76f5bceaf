"""Where the limits hold, on paper or as the trial is run: keys of the file, designs, sentences, table."""

import numpy as np
import pytest

from simtrial import InputError, looks_text, search
from simtrial.conduct import text as conduct_text
from simtrial.design import exact
from simtrial.design.requirements import Requirements
from simtrial.laws import decision, laws
from simtrial.phrases import attained
from simtrial.report import front
from simtrial.search import tables as search_tables
from simtrial.trial import allowance, dropout, params, tables, text
from simtrial.trial.case import Case

CONDUCT = {
    "enrollment": {"model": "constant", "rate": 2.0},
    "assessments": {"readout_months": 2},
    "interim": {"accrual": "hold"},
    "follow_up": {"months_after_last_patient": 6},
}


def trial(
    *,
    design=None,
    handling="nonresponder",
    lost=0.08,
    asked=(0.15, 0.35, 0.05, 0.8),
    ratio=None,
    bounds=None,
    conduct=True,
    **more,
):
    """The example of a designer: .15 against .35, 8% not evaluable."""
    p0, p1, alpha, power = asked
    rule = {"probability": lost, "handling": handling}
    rule |= {} if ratio is None else {"responder_odds_ratio": ratio}
    rule |= {} if bounds is None else {"bounds": bounds}
    plain = {
        "study": {"id": "RUN", "title": "A trial that loses patients"},
        "hypotheses": {"p0": p0, "p1": p1, "alpha": alpha, "power": power, "basis": "assumed", **more},
        "design": design or {"criterion": "optimal"},
    }
    return params.load(plain | ({"conduct": CONDUCT | {"dropout": rule}} if conduct else {}))


def test_with_a_conduct_the_limits_hold_as_the_trial_is_run_unless_the_file_says_paper():
    assert Case.of(trial()).trial.losses == "run"
    assert Case.of(trial(conduct=False)).trial.losses == "paper"
    assert Case.of(trial(design={"looks": "1/9,8/34"})).trial.losses == "paper"
    assert Case.of(trial(design={"looks": "1/9,8/34", "losses": "run"})).trial.losses == "run"
    paper = Case.of(trial(design={"criterion": "optimal", "losses": "paper"}))
    assert (paper.under, paper.limits, looks_text(paper.chosen)) == (None, paper.requirements, "1/9,8/34")


def test_the_design_under_the_dropout_is_the_one_of_the_issue():
    # p0 among the evaluable: 2/14, 8/36; the design on paper has 2.99% and 72.6% as it is run
    case = Case.of(trial(p0_among="evaluable"))
    assert looks_text(case.chosen) == "2/14,8/36"
    assert looks_text(case.on_paper.choose("optimal")) == "1/9,8/34"
    run = case.trial.how.figures(case.on_paper.choose("optimal"), case.requirements)
    assert (round(100 * run.type_i_error, 2), round(100 * run.power, 1)) == (2.99, 72.6)


@pytest.mark.parametrize(
    ("handling", "bounds", "ratio"),
    [
        ("nonresponder", None, None), ("nonresponder", None, 3.0), ("replace", None, 0.4), ("exclude", "fixed", 2.0),
        ("exclude", "recut", None), ("exclude", "recut", 0.4),
    ],
)  # fmt: skip
@pytest.mark.parametrize("criterion", ["minimax", "single_stage_first"])
def test_the_law_of_the_conduct_finds_both_limits_kept(handling, bounds, ratio, criterion):
    given = trial(handling=handling, bounds=bounds, ratio=ratio, design={"criterion": criterion})
    case = Case.of(given)
    p0, p1 = case.requirements.p0, case.requirements.p1
    found = decision.decision(case.plan, np.array([p0, p1])).reject
    assert found[0] <= case.requirements.alpha
    assert found[1] >= case.requirements.power
    assert given.how.keeps(case.chosen, case.requirements)


def test_a_search_as_run_and_one_on_paper_stand_beside_each_other():
    case = Case.of(trial())
    assert case.as_run is case.searches
    assert case.on_paper.two.optimal == search.two_stage(Requirements(0.15, 0.35, 0.05, 0.8)).optimal
    paper = Case.of(trial(design={"criterion": "optimal", "losses": "paper"}))
    assert paper.on_paper is paper.searches
    assert paper.as_run.choose("optimal").looks == case.chosen.looks


def test_the_design_on_paper_is_inflated_and_not_the_one_that_allows_for_dropout():
    case = Case.of(trial())
    paper = allowance.to_inflate(case)
    assert looks_text(paper) == "1/9,8/34" != looks_text(case.chosen)
    said = str(conduct_text.inflation(paper, case.requirements, case.plan.dropout, case.plan))
    assert said.startswith("The design on paper, 1/9, 8/34, is inflated here; the chosen design, ")
    assert "Enrolling 34/(1 - 0.08), rounded up to 37 patients," in said
    outright = Case.of(trial(design={"looks": "1/9,8/34"}))
    assert allowance.to_inflate(outright) is outright.chosen
    said = str(conduct_text.inflation(paper, outright.requirements, outright.plan.dropout, outright.plan))
    assert said.startswith("Enrolling 34/(1 - 0.08), rounded up to 37 patients,")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (
            {"handling": "replace"},
            "without a response assessment are replaced by new patients. All numbers here assume",
        ),
        (
            {"handling": "exclude", "bounds": "recut"},
            "numbers of responses and of patients, with recalculated bounds. All numbers here assume",
        ),
    ],
)
def test_inflation_says_first_that_its_numbers_count_patients_lost_as_non_responders(how, said):
    case = Case.of(trial(**how))
    told = str(conduct_text.inflation(allowance.to_inflate(case), case.requirements, case.plan.dropout, case.plan))
    assert said in told
    assert told.index(said) < told.index("Enrolling 34/")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"design": {"criterion": "optimal", "losses": "run"}, "conduct": False}, r"design\.losses .*conduct\.dropout"),
        ({"handling": "replace", "p0_among": "evaluable"}, r"hypotheses\.p0_among goes with .*nonresponder only"),
        ({"lost": 0.6}, r"conduct\.dropout\.probability \(0\.6\) is too large"),
        ({"design": {"criterion": "optimal", "losses": "often"}}, r"design\.losses"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(change, said):
    with pytest.raises(InputError, match=said) as refused:
        trial(**change)
    assert len(refused.value.lines) == 1


def test_so_much_dropout_is_no_fault_of_a_design_on_paper():
    case = Case.of(trial(lost=0.6, design={"criterion": "optimal", "losses": "paper"}))
    assert looks_text(case.chosen) == "1/9,8/34"
    assert "Searched under this dropout" not in str(text.limits_hold(case))
    assert not any(row.where == "run" and row.among == "enrolled" for row in dropout.compared(case))


def test_the_paragraph_for_the_protocol_says_which_dropout_it_allows_for():
    case = Case.of(trial())
    said = str(text.statement(case.chosen, case.requirements, case.plan, case.criterion, under=case.under))
    assert "The sample size allows for 8" in said
    assert "searched for a response rate of 15% under H0 and of 32.2% among all enrolled patients (35% of" in said
    assert "p0 is the response rate among all enrolled patients" in said
    paper = exact.operating_characteristics(case.chosen, 0.35).reject
    assert "If every patient were evaluable, the type I error would be" in said
    assert f"and the power {100 * paper:.1f}%" in said
    assert "NOT READY" not in said


def test_a_design_on_paper_is_not_ready_where_the_limits_hold_as_run():
    case = Case.of(trial(design={"looks": "1/9,8/34", "losses": "run"}))
    said = str(text.statement(case.chosen, case.requirements, case.plan, under=case.under))
    assert said.startswith("NOT READY FOR A PROTOCOL: this design does not meet its limits: its power of 72.6% falls")


def test_the_table_tells_designs_that_keep_both_limits_as_run_from_those_that_do_not():
    case = Case.of(trial())
    frame = tables.under_dropout(case).frame
    kept = frame[frame.keeps]
    # each by the reading of p0 that it was searched under
    other = kept.limits.str.contains("evaluable")
    assert 0 < other.sum() < len(kept)
    assert (kept.type_i_error_enrolled.where(~other, kept.type_i_error_evaluable) <= 0.05).all()
    assert (kept.power >= 0.8).all()
    lost = frame[~frame.keeps]
    assert ((lost.type_i_error_enrolled > 0.05) | (lost.power < 0.8)).all()
    # the usual allowance, 1/10, 8/37, keeps the power and not alpha
    habit = frame[(frame.design == "Simon optimal") & frame.limits.str.startswith("on paper, then")].iloc[0]
    assert (habit.looks, bool(habit.keeps), habit.power >= 0.8) == ("1/10, 8/37", False, True)


def test_recalculated_bounds_keep_alpha_at_the_rate_among_the_evaluable_only_where_the_limits_hold_as_run():
    # patients who would respond are lost less often: among the evaluable H0 has a larger rate than p0
    lost = {"handling": "exclude", "bounds": "recut", "ratio": 0.25, "lost": 0.2}
    run, paper = (
        Case.of(trial(design={"criterion": "optimal", "losses": losses}, **lost)) for losses in ("run", "paper")
    )
    assert run.plan.recut == run.limits
    assert run.limits.p0 > 0.15
    assert paper.plan.recut == paper.requirements
    for case in (run, paper):
        found = decision.decision(case.plan, np.array([0.15, 0.35])).reject
        stated = case.trial.how.figures(case.chosen, case.requirements)
        # one law reached in two ways: sums of the same products in another order, at rates of 12 digits
        assert [stated.type_i_error, stated.power] == pytest.approx(found.tolist(), abs=1e-10)


def test_designs_near_one_with_recalculated_bounds_keep_their_limits_too():
    case = Case.of(trial(handling="exclude", bounds="recut"))
    assert case.chosen.looks in [one.looks for one in case.near]
    for one in case.near:
        assert case.under.keeps(one, case.requirements)
        assert one.keeps
        assert one.en_p0 == pytest.approx(case.under.figures(one, case.requirements).en_p0)


def test_a_design_given_outright_is_judged_with_recalculated_bounds():
    case = Case.of(trial(handling="exclude", bounds="recut", design={"looks": "1/9,8/30", "losses": "run"}))
    assert not case.keeps
    found = case.under.figures(case.chosen, case.requirements)
    assert case.taken.power == found.power
    said = str(text.statement(case.chosen, case.requirements, case.plan, under=case.under))
    missed = f"this design does not meet its limits: its power of {100 * found.power:.1f}%"
    assert said.startswith(f"NOT READY FOR A PROTOCOL: {missed}")
    assert "misses the limits" in str(search_tables.candidates(case.single, case.two, case.taken).frame.kind.tolist())


def test_without_dropout_both_answers_are_one():
    case = Case.of(trial(lost=0.0))
    assert case.limits == case.requirements
    assert looks_text(case.chosen) == "1/9,8/34"
    assert "No dropout is assumed" in str(text.limits_hold(case))
    assert tables.under_dropout(case).caption == "No dropout is assumed."
    assert tables.under_dropout(Case.of(trial(conduct=False))).frame.empty


def test_the_front_sentence_gives_both_readings_of_p0():
    case = Case.of(trial())
    said = str(text.limits_hold(case))
    run = case.trial.how.figures(case.chosen, case.requirements)
    assert f"{100 * run.type_i_error:.1f}% if p0 is the rate among all enrolled patients" in said
    other = case.trial.how.other.figures(case.chosen, case.requirements)
    assert f"({100 * other.type_i_error:.1f}% if p0 is the rate with every patient evaluable)" in said


def test_the_simulated_type_i_error_is_that_of_the_search_with_either_reading_of_p0():
    for among in ("enrolled", "evaluable"):
        case = Case.of(trial(p0_among=among))
        law = laws.exact_values(case.plan, case.scenarios[0], months=False)
        run = case.under.figures(case.chosen, case.requirements)
        # one law in two ways, at rates of 12 digits
        assert law["reject"] == pytest.approx(run.type_i_error, abs=1e-10)
        assert law["n_enrolled"] == pytest.approx(run.en_p0, abs=1e-8)
    paper = Case.of(trial(design={"criterion": "optimal", "losses": "paper"}))
    assert paper.scenarios[0].p == 0.15


def test_a_design_that_misses_its_limits_as_run_is_not_said_to_keep_them():
    case = Case.of(trial(design={"looks": "1/9,8/34", "losses": "run"}))
    assert "It does not keep both limits as the trial is run." in str(text.limits_hold(case))
    assert "does not keep" not in str(text.limits_hold(Case.of(trial())))


@pytest.mark.parametrize(
    ("interim", "enrollment", "when"),
    [
        ({"pending": "conditional", "threshold": 0.1}, {}, "the interim analysis waits for every response assessment"),
        ({}, {"close_month": 30}, "accrual does not close before the last patient is enrolled"),
    ],
)
def test_what_else_changes_the_errors_is_said_beside_them_with_the_errors_as_run(interim, enrollment, when):
    plain = trial().plain()
    plain["conduct"]["interim"] |= interim
    plain["conduct"]["enrollment"] |= enrollment
    plain["conduct"]["simulation"] = {"trials": 2000, "seed": 1}
    case = Case.of(params.load(plain))
    assert f"These figures hold only if {when}" in str(text.limits_hold(case))
    shown = front.opening(case)
    found = case.expected(("reject",))
    for rate, limit in (("p0", 0.05), ("p1", 0.8)):
        assert f">{attained(found[rate]['reject'].best, limit, least=rate == 'p1')}</td></tr>" in shown


def test_a_rule_with_patients_pending_that_breaks_alpha_is_not_ready_for_a_protocol():
    # the first of two looks lets through what it would stop: the errors of the design no longer hold
    plain = trial(
        design={"criterion": "minimax"}, asked=(0.25, 0.45, 0.08, 0.85), lost=0.13, p0_among="evaluable"
    ).plain()
    plain["conduct"]["assessments"] = {"readout_months": 3}
    plain["conduct"]["interim"] |= {"pending": "conditional", "threshold": 0.1}
    case = Case.of(params.load(plain))
    run = decision.decision(case.plan, np.array([0.25, 0.45])).reject
    assert run[0] > 0.08
    said = str(text.statement(case.chosen, case.requirements, case.plan, case.criterion, under=case.under))
    assert said.startswith("NOT READY FOR A PROTOCOL: this design does not meet its limits: with patients pending")
    assert "probability of early termination" not in said
