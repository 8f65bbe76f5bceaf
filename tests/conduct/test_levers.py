"""Levers: what an assumption costs is the difference between two plans, each by its law or from one seed."""

import dataclasses

import pytest

from simtrial import Requirements, SingleStage, parse_looks
from simtrial.conduct import changes, levers, simulation
from simtrial.conduct.measures import Measured
from simtrial.design.exact import operating_characteristics
from simtrial.laws import laws
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import Conditional, Interim, Plan, Scenario
from simtrial.trial import levers as trial_levers
from simtrial.trial import params, tables
from simtrial.trial.case import Case

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)


@pytest.fixture(scope="module")
def plain(root):
    return params.load(root / "params/NCT07022301.yaml").plain()


@pytest.fixture(scope="module")
def case(plain):
    return Case.of(params.load(plain))


@pytest.fixture(scope="module")
def found(case):
    return trial_levers.of(case)


def made(looks="1/15,5/25", lost=0.1, **rest):
    given = {"handling": "nonresponder", "interim": Interim(True, None, 0.5)} | rest
    dropout = given.pop("dropout", Dropout(lost))
    parts = given.pop("enrollment", Constant(1.5)), given.pop("disease", Disease(Assessments.fixed(4.0)))
    return Plan(parse_looks(looks), *parts, dropout, **given)


def of(plan, trials=200, **rest):
    return {one.change.key: one for one in levers.of(plan, ASKED, trials, 1, **rest)}


def test_a_window_of_12_weeks_is_that_of_the_file_with_12_weeks(plain, found):
    shorter = plain["conduct"]["assessments"] | {"window_weeks": 12}
    other = Case.of(params.load(plain | {"conduct": plain["conduct"] | {"assessments": shorter}}))
    (window,) = (one for one in found if one.change.key == "window")
    assert (window.change.assumed, window.change.instead, window.exact) == ("24 weeks", "12 weeks", True)
    for rate, scenario in zip(("p0", "p1"), other.scenarios, strict=False):
        exact = laws.exact_values(other.plan, scenario)
        # half of 24 weeks and 12 weeks differ in the last bit
        assert window.changed["duration_months", rate].value == pytest.approx(exact["duration_months"], rel=1e-12)
        assert window.changed["hold_months", rate].value == pytest.approx(exact["hold_months"], rel=1e-12)
    assert window.months_saved("p1").value == pytest.approx(30.2547 - 26.7226, abs=1e-4)


def test_without_dropout_the_errors_are_those_on_paper(case, found):
    (dropout,) = (one for one in found if one.change.key == "dropout")
    for lever in (dropout, next(one for one in found if one.change.key == "handling")):
        for rate, p in (("p0", 0.1), ("p1", 0.3)):
            paper = float(operating_characteristics(case.chosen, p).reject)
            assert lever.changed["reject", rate] == Measured(pytest.approx(paper, rel=1e-12))


def test_the_dearest_assumptions_in_sentences(found):
    time, rule, power = levers.sentences(found)
    assert time == (
        "Of the times that the protocol lays down, the assessment window of 24 weeks costs most time: with 12 weeks "
        "the decision at p1 comes 3.5 months earlier (month 26.7 instead of 30.3), provided that as many patients "
        "respond within it; accrual is on hold 1.8 months less."
    )
    assert rule.startswith("Of the rules of the trial, waiting for every response status costs most time: if an")
    assert "instead of 30.3; simulated, Monte Carlo standard error 0.0" in rule
    assert power == (
        "Dropout of 10% costs most power: without it the power is 80.2% instead of 69.9% and the type I error 3.3% "
        "instead of 2.1%."
    )


def test_replacing_gains_as_much_as_no_dropout_but_dropout_is_the_assumption(found):
    assert levers.most_power(found).change.key == "dropout"
    (replaced,) = (one for one in found if one.change.key == "handling")
    assert replaced.power_gained.value == pytest.approx(levers.most_power(found).power_gained.value, rel=1e-12)
    assert replaced.months_saved("p1").value < 0


def test_what_is_simulated_is_the_simulation_of_the_changed_plan(case, found):
    (known,) = (one for one in found if one.change.key == "decide")
    done = simulation.simulate(known.change.plan, case.scenarios[:2], levers.size(case.plan, 10**6), case.size.seed)
    assert known.changed["duration_months", "p1"].value == done["p1"]["duration_months"].value
    assert known.changed["duration_months", "p1"].mcse == done["p1"]["duration_months"].mcse > 0
    assert known.changed["reject", "p1"].mcse == 0


def test_continuing_saves_the_hold_and_enrolls_the_overrun():
    # a fixed readout at a constant rate without a lag, where both plans have a law
    plan = made("1/10,5/29", interim=Interim(True))
    lever = of(plan)["accrual"]
    assert lever.exact
    later = dataclasses.replace(plan, interim=Interim(False))
    for rate, p in (("p0", 0.1), ("p1", 0.3)):
        held, ongoing = (laws.exact_values(one, Scenario(rate, p)) for one in (plan, later))
        assert lever.months_saved(rate).value == held["duration_months"] - ongoing["duration_months"]
        assert lever.more_enrolled(rate).value == ongoing["n_enrolled"] - held["n_enrolled"]
        assert lever.hold_saved(rate).value == held["hold_months"] == pytest.approx(4.0, rel=1e-12)
    assert "more patients are enrolled at p0" in levers.time_sentence(lever)


def test_p0_among_all_enrolled_keeps_its_type_i_error_without_dropout():
    plan = made()
    lever = of(plan, among="enrolled")["dropout"]
    assert lever.type_i_error_added.value == pytest.approx(0, abs=1e-12)  # 0.09 / 0.9 is not 0.1 to the last bit
    assert of(plan, among="evaluable")["dropout"].type_i_error_added.value > 0.01
    assert lever.planned["reject", "p0"].value == pytest.approx(
        float(operating_characteristics(plan.design, 0.1).reject), rel=1e-12
    )


def test_a_closing_date_costs_power_and_saves_time():
    lever = of(made(close_month=18.0, enrollment=Constant(1.2)), trials=1000)["close"]
    assert lever.power_gained.value > 5 * lever.power_gained.mcse > 0
    assert lever.months_saved("p1").value < 0
    said = levers.power_sentence(lever)
    assert said.startswith("The closing of accrual in month 18 costs most power: if accrual stays open until the last")
    assert "(simulated, Monte Carlo standard error 0.0" in said
    assert "the decision at p1 comes" in said.split("; ")[-1]


@pytest.mark.parametrize(
    ("law", "key"),
    [
        (Ramp(3.0, 6.0), "opening"),
        (Piecewise((0.0, 6.0), (1.0, 2.0)), "opening"),
        (Centres((0.0, 4.0), 1.0, 3.0), "opening"),
        (Piecewise((0.0, 6.0), (2.0, 1.0)), None),
        (Centres((0.0, 0.0), 1.0, 3.0), None),
        (Constant(2.0), None),
    ],
)
def test_a_slow_start_of_enrollment_is_a_lever(law, key):
    given = of(made(enrollment=law))
    assert ("opening" in given) == (key is not None)
    if key:
        assert given[key].change.kind == "site"
        assert given[key].months_saved("p1").value > 0


def test_halving_stops_where_a_plan_could_not_be_run():
    week = 7 * 12 / 365.25
    short = Disease(Assessments(6 * week, 15 * week, 6 * week))
    assert of(made(disease=short))["window"].change.instead == "12 weeks"
    least = Disease(Assessments(6 * week, 6 * week + 6 * week, 6 * week))
    assert "window" not in of(made(disease=least))
    assert "readout" not in of(made(disease=Disease(Assessments.fixed(0.0))))


def test_a_single_look_has_no_lever_of_interim_analyses():
    plan = dataclasses.replace(made(), design=SingleStage(5, 25))
    given = of(plan)
    assert not {"accrual", "lag", "pending"} & given.keys()
    assert all(one.hold_saved("p1") == Measured(0.0) for one in given.values())


def test_twice_the_enrollment_rate_is_shown_and_never_the_dearest():
    found = levers.of(made(lost=0.0), ASKED, 200, 1)
    (rate,) = (one for one in found if one.change.key == "rate")
    assert rate.months_saved("p1").value > levers.most_time(found).months_saved("p1").value
    assert levers.most_time(found, ("site",)) is None
    assert levers.most_power(found) is None


def test_a_saving_within_its_monte_carlo_error_is_none():
    change = next(iter(changes.of(made())))
    planned, changed = (
        {("duration_months", "p1"): Measured(months, 0.1), ("reject", "p1"): Measured(0.8)} for months in (20.0, 19.7)
    )
    lever = levers.Lever(change=change, planned=planned, changed=changed)
    assert levers.most_time([lever]) is None
    sharper = {("duration_months", "p1"): Measured(19.7, 0.01), ("reject", "p1"): Measured(0.8)}
    exact = dataclasses.replace(lever, planned=planned | {("duration_months", "p1"): Measured(20.0)}, changed=sharper)
    assert levers.most_time([exact]) is exact


PLANS = {
    "three looks": made("0/5,2:6/12,8/40", interim=Interim(False, 2)),
    "replaced": made(handling="replace"),
    "recalculated": made(handling="exclude", recut=ASKED),
    "excluded": made(handling="exclude"),
    "closing": made(close_month=20.0),
    "pending": made(interim=Interim(False, 3, 0.5, conditional=Conditional(0.3, 0.3))),
    "a hold with a limit": made(interim=Interim(True, None, 0.5, max_hold=1.0)),
    "informative dropout": made(dropout=Dropout(0.1, 0.5)),
    "decided when known": made(interim=Interim(True, None, 0.5, decide="known")),
}


@pytest.mark.parametrize("name", PLANS)
def test_every_plan_has_levers_and_whole_sentences(name):
    found = levers.of(PLANS[name], ASKED, 200, 1, among="enrolled")
    assert {one.change.kind for one in found} >= {"protocol", "site"}
    for said in (*levers.sentences(found), *map(levers.time_sentence, found), *map(levers.power_sentence, found)):
        assert said[0].isupper()
        assert said.endswith(".")
        assert "nan" not in said


def test_the_table_has_a_row_per_lever_with_the_values_of_the_levers(case, found):
    table = tables.levers(case)
    frame = table.frame.set_index("key")
    assert list(frame.index) == [one.change.key for one in found]
    for one in found:
        assert frame.months_saved_p1[one.change.key] == one.months_saved("p1").value
        assert frame.power_gained[one.change.key] == one.power_gained.value
    view = table.view().set_index("Assumption")
    assert view.loc["Assessment window", "Months saved, at p1"] == "+3.5"
    assert "±" in view.loc["An analysis decides", "Months saved, at p1"]
    assert "(5,000 trials, seed 20250731)" in table.caption
    assert table.html()


def test_a_single_stage_has_no_column_of_holds(root):
    given = params.load(root / "params/smoke.yaml").plain() | {"design": {"criterion": "single_stage_first"}}
    table = tables.levers(Case.of(params.load(given)))
    assert not any("Hold" in head for head in table.view().columns)
