"""Tables, figures and sentences about the conduct say what the objects behind them say."""

import dataclasses
import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from simtrial import Requirements, SingleStage, parse_looks
from simtrial.conduct import figures as conduct_figures
from simtrial.conduct import sensitivity, simulation
from simtrial.conduct import tables as conduct_tables
from simtrial.conduct import text as conduct_text
from simtrial.laws import integrals, laws
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Conditional, FollowUp, Interim, Plan, Scenario
from simtrial.trial import figures, params, tables, text
from simtrial.trial.case import Case

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)


@pytest.fixture(scope="module")
def trial(root):
    return params.load(root / "params/NCT07022301.yaml")


@pytest.fixture(scope="module")
def plan(trial):
    return Case.of(trial).plan


@pytest.fixture(scope="module")
def done(trial, plan):
    return simulation.simulate(plan, trial.scenarios, 2000, 1)


@pytest.fixture(scope="module")
def changed(plan):
    return sensitivity.analyse(plan, ASKED, 1000, 1)


def test_simulated_error_and_exact_stand_side_by_side(done):
    table = conduct_tables.simulated(done, "p0")
    heads = list(table.view().columns)
    assert heads[:5] == ["Outcome", "Simulated mean", "MCSE", "Exact", "z"]
    assert heads[5:] == ["Quantile, 5%", "Quantile, 50%", "Quantile, 95%"]
    row = table.frame.set_index("outcome").loc["reject"]
    assert row.exact == done["p0"]["reject"].exact
    assert row.simulated == done["p0"]["reject"].value
    # of a share, the standard error that the law gives it
    assert row.z == pytest.approx((row.simulated - row.exact) / np.sqrt(row.exact * (1 - row.exact) / 2000))
    row = table.frame.set_index("outcome").loc["duration_months"]
    assert row.z == pytest.approx((row.simulated - row.exact) / row.mcse)
    assert "estimated PFS at month 6" in set(table.frame.label)


def test_every_scenario_of_the_file_has_its_row(trial, done):
    frame = conduct_tables.scenarios(done).frame
    assert frame.scenario.tolist() == [s.label for s in trial.scenarios]
    exact = laws.exact_values(done.plan, trial.scenarios[0])
    assert frame.reject[0] == exact["reject"]
    assert frame.reject_mcse[0] == 0
    assert frame.end_month_mcse[0] > 0


def test_the_timeline_has_the_exact_chance_of_the_accrual_date(trial, done):
    frame = tables.timeline(trial, done).frame
    assert frame.probability[0] == pytest.approx(0.527, abs=5e-4)
    assert frame.mcse[0] == "exact"
    late = frame[frame.what.str.startswith("Follow-up ends by month 46, at p1")]
    months = done["p1"]["end_month"]
    assert late.probability.iloc[0] == months.at_most(46.0)[0]
    assert 0 < late.probability.iloc[0] < 0.5


def test_assumptions_carry_their_sources(trial):
    frame = tables.conduct_assumptions(trial).frame.set_index("what")
    assert "NCT04055792" in frame.source["Overall survival (OS)"]
    assert "month 22" in " ".join(frame.source["Enrollment"].split())
    assert "True response rate: same drugs" in frame.index


def test_the_cost_is_told_from_the_exact_laws(done):
    said = str(conduct_text.cost(done, ASKED))
    assert "On paper the type I error is 3.3%, the power 80.2% and the expected sample size EN(p0) 19.5." in said
    assert "10% of the patients dropping out before their first assessment and counted as non-responders" in said
    assert "the type I error is 2.1% (p0 being the rate with every patient evaluable) and the power 69.9%" in said
    assert "simulated means with a known exact value, the largest deviation is" in said


def test_sensitivity_takes_exact_values_and_the_same_dice(changed):
    assert changed.base.values["power"] == pytest.approx(0.698979, abs=1e-6)
    assert changed.base.mcse["power"] == 0
    found = {(v.assumption, v.setting): v for v in changed.variants}
    assert found["Dropout", "0%"].values["power"] == pytest.approx(0.801701, abs=1e-6)
    assert found["Handling of dropout", "replaced"].values["power"] == pytest.approx(0.801701, abs=1e-6)
    assert found["Enrollment rate", "-25%"].values["duration_p1"] > changed.base.values["duration_p1"]
    assert found["Accrual at the interim analysis", "continues"].mcse["n_enrolled_p0"] > 0
    assert {v.assumption for v in changed.variants} == {
        "Dropout", "Informative dropout", "Handling of dropout", "Enrollment rate", "Screening success",
        "Assessment window", "Accrual at the interim analysis", "Decision of an analysis", "Time to the decision",
    }  # fmt: skip
    known = found["Decision of an analysis", "once it is settled"]
    assert known.values["power"] == changed.base.values["power"]
    assert known.values["duration_p1"] < changed.base.values["duration_p1"] - 4 * known.mcse["duration_p1"]


def test_what_hurts_most_is_the_worst_of_the_variants(changed):
    said = str(conduct_text.hurts_most(changed, ASKED))
    assert "The power is reduced most by dropout (20%), from 69.9% to 57.1%" in said
    assert "None of the changes inflates the type I error above alpha (5%)" in said
    worst = max(v.values["duration_p1"] for v in changed.variants)
    assert f"month {worst:.1f}" in said


def test_hold_and_continue_share_the_decision_and_differ_in_patients(plan):
    table = conduct_tables.hold_or_continue(plan, ASKED, 1000, 1)
    frame = table.frame[table.frame.rate == "p0"].set_index("accrual")
    assert frame.overrun["is held"] == 0
    assert frame.overrun["continues by at most 3 patients"] <= 3
    assert frame.n_enrolled["is held"] < frame.n_enrolled["continues"]
    assert frame.duration_months["is held"] > frame.duration_months["continues"]
    assert sum(table.chosen) == 2


def test_what_deciding_when_known_saves_stands_beside_the_plan(plan):
    table = conduct_tables.complete_or_known(plan, ASKED, 1000, 1)
    frame = table.frame.set_index(["rate", "decided"])
    for rate in ("p0", "p1"):
        whole, known = (frame.loc[(rate, said)] for said in ("every status is known", "the decision is settled"))
        for name in ("interim_month", "hold_months", "duration_months"):
            assert known[name] < whole[name]
        assert whole.duration_months_mcse == 0 < known.duration_months_mcse
    assert table.frame.decided[np.array(table.chosen)].tolist() == ["every status is known"] * 2
    single = conduct_tables.complete_or_known(dataclasses.replace(plan, design=SingleStage(5, 25)), ASKED, 200, 1)
    assert "hold_months" not in single.frame


def conditional(plan, threshold=0.4, **rule):
    wait = dataclasses.replace(plan.interim, conditional=Conditional(threshold, 0.3), **rule)
    return dataclasses.replace(plan, interim=wait)


def test_the_price_of_not_waiting_has_a_row_for_every_threshold(plan):
    table = conduct_tables.pending_price(plan, ASKED, 1000, 1)
    frame = table.frame.set_index("way")
    assert list(frame.index) == ["wait", "0.1", "0.3", "0.5", "0.7"]
    assert table.frame.way[np.array(table.chosen)].tolist() == ["wait"]
    assert (np.diff(frame.pet_p0[1:]) > 0).all()
    assert (np.diff(frame.reject_p1[1:]) <= 0).all()
    assert (frame.interim_month_p0[1:] < frame.interim_month_p0["wait"]).all()
    assert frame.reject_mcse_p0["wait"] == 0 < frame.reject_mcse_p0["0.3"]
    # more patients are enrolled where fewer trials stop, and the decision at p0 can then come later than by waiting
    assert (np.diff(frame.n_enrolled_p0[1:]) < 0).all()
    assert frame.saved_p0["0.1"] < 0 < frame.saved_p1["0.1"]
    for rate in ("p0", "p1"):
        months = frame[f"duration_months_{rate}"]
        assert (frame[f"saved_{rate}"] == months["wait"] - months).all()
    assert "negative if the decision comes later, as it can at p0" in table.caption
    assert table.view()["Months saved, at p0"].iloc[0] == "–"
    mine = conduct_tables.pending_price(conditional(plan), ASKED, 200, 1)
    assert mine.frame.way[np.array(mine.chosen)].tolist() == ["0.4"]
    exact = dataclasses.replace(plan, disease=Disease(Assessments.fixed(2.0)))
    found = conduct_tables.pending_price(exact, ASKED, 200, 1).frame
    assert (found[["reject_mcse_p0", "reject_mcse_p1", "pet_mcse_p0", "duration_months_mcse_p1"]] == 0).all().all()


def test_the_price_of_not_waiting_is_for_two_looks_without_an_efficacy_bound(plan):
    for looks in ("5/25", "1:5/10,5/29", "0/5,2/12,7/40"):
        other = dataclasses.replace(plan, design=parse_looks(looks))
        assert conduct_tables.pending_price(other, ASKED, 200, 1) is None
    recut = dataclasses.replace(plan, handling="exclude", recut=ASKED)
    assert conduct_tables.pending_price(recut, ASKED, 200, 1) is None


def test_a_rule_of_its_own_is_told_and_drawn(plan):
    for other in (
        conditional(plan, max_hold=0.25, decide="known"),
        dataclasses.replace(plan, interim=Interim(True, None, 0.5, decide="known", max_hold=1.0)),
    ):
        done = simulation.simulate(other, [Scenario("p0", 0.1), Scenario("p1", 0.3)], 500, 1)
        said = str(conduct_text.cost(done, ASKED))
        assert ("and the interim analysis taken with patients pending" in said) == (other.conditional is not None)
        assert "are overrun (enrolled while the analysis that stops the trial is pending)" in said
        assert sum(conduct_tables.hold_or_continue(other, ASKED, 200, 1).chosen) == 2
        assert conduct_figures.swimmer(other, Scenario("p1", 0.3), 1, 1).alt
        assert sensitivity.analyse(other, ASKED, 200, 1).variants
    early = conditional(plan, 0.9)
    done = simulation.simulate(early, [Scenario("p0", 0.1), Scenario("p1", 0.3)], 500, 1)
    assert "taken with patients pending (simulated, Monte Carlo standard error" in conduct_text.as_run(done, ASKED)


def test_inflation_marks_the_usual_number():
    table = conduct_tables.inflation(parse_looks("1/15,5/25"), ASKED, Dropout(0.1))
    row = table.frame[np.array(table.chosen)]
    assert row.enrolled.tolist() == [28]
    assert row.enough.iloc[0] == pytest.approx(0.694566, abs=1e-6)
    assert table.frame.enough.iloc[-1] >= 0.9 > table.frame.enough.iloc[-2]


def drawn(trial, plan, changed):
    p1 = trial.scenarios[1]
    return [
        conduct_figures.swimmer(plan, p1, 1, 1),
        figures.enrollment_fan(trial, plan, p1, 1, 1, most=4096),
        conduct_figures.tornado(changed),
        conduct_figures.inflation(plan.design, ASKED, plan.dropout),
    ]


@pytest.mark.long
def test_figures_are_valid_svg_with_a_text_alternative_and_the_same_bytes_again(trial, plan, changed):
    once, again = ([conduct_figures.counting(1), *drawn(trial, plan, changed)] for _ in range(2))
    for one, two in zip(once, again, strict=True):
        svg = one.svg()
        assert svg == two.svg()
        tree = ET.fromstring(svg)
        assert tree.find("{http://www.w3.org/2000/svg}title").text == one.alt
        assert len(one.alt) > 40


@pytest.mark.long
def test_the_counting_picture_shows_one_loss_among_the_first_four():
    # it is drawn from a simulated trial that fits; any seed must hold one
    for seed in (1, 2, 20250731):
        assert "dropout of one of the first four" in conduct_figures.counting(seed).alt


WAYS = {
    "nobody lost": (Dropout(0), "nonresponder", None),
    "non-responders, informative": (Dropout(0.3, 4.0), "nonresponder", None),
    "replaced": (Dropout(0.25), "replace", None),
    "excluded": (Dropout(0.2), "exclude", None),
    "recut": (Dropout(0.2), "exclude", ASKED),
}


LOOKS = {"5/25": Interim(True), "0/5,2:6/12,:9/20,8/40": Interim(False, 2), "1/10,5/29": Interim(True, None, 0.5)}
# every pair of looks, closing and way stands in one case: each module of what is shown looks at two of them at most
CASES = [
    (looks, None if way == "recut" or (i + k) % 2 else 14.0, way)
    for (i, looks), (k, way) in itertools.product(enumerate(LOOKS), enumerate(WAYS))
    if way != "recut" or looks.count(",") < 2  # no plan for the others: see test_plan
]


RENDERED = [CASES[0], CASES[2], CASES[6], CASES[12], CASES[13]]


def test_every_value_is_rendered_once():
    assert set().union(*RENDERED) == {*LOOKS, None, 14.0, *WAYS}


def test_the_cases_hold_every_pair():
    pairs = {pair for case in CASES for pair in itertools.combinations(enumerate(case), 2)}
    full = itertools.product(LOOKS, [None, 14.0], WAYS)
    possible = [case for case in full if case[2] != "recut" or (case[1] is None and case[0].count(",") < 2)]
    assert pairs == {pair for case in possible for pair in itertools.combinations(enumerate(case), 2)}


@pytest.mark.long
@pytest.mark.parametrize(("looks", "close", "way"), CASES)
def test_every_plan_can_be_drawn_and_told(trial, looks, close, way):
    (loss, handling, recut), rule = WAYS[way], LOOKS[looks]
    plan = Plan(
        parse_looks(looks), Constant(2.0), Disease(Assessments.fixed(2.0)), loss, handling=handling, interim=rule,
        recut=recut, close_month=close, follow_up=FollowUp(until_month=40.0),
    )  # fmt: skip
    assert str(text.statement(plan.design, ASKED, plan))
    assert str(conduct_text.inflation(plan.design, ASKED, loss))
    done = simulation.simulate(plan, [Scenario("p0", 0.1), Scenario("p1", 0.3)], 500, 1)
    for label in ("p0", "p1"):
        assert conduct_tables.simulated(done, label).html()
    assert conduct_tables.scenarios(done).html()
    assert tables.timeline(trial, done).html()
    changed = sensitivity.analyse(plan, ASKED, 200, 1)
    for picture in drawn(trial, plan, changed):
        # what costs most is matplotlib's part, and needs every value once
        assert picture.svg(cropped=False) if (looks, close, way) in RENDERED else picture.alt
    assert str(conduct_text.cost(done, ASKED))
    assert str(conduct_text.hurts_most(changed, ASKED))
    assert conduct_tables.hold_or_continue(plan, ASKED, 200, 1).html()
    assert conduct_tables.complete_or_known(plan, ASKED, 200, 1).html()
    price = conduct_tables.pending_price(plan, ASKED, 200, 1)
    assert (price is not None) == (looks == "1/10,5/29" and way != "recut")
    assert conduct_tables.sensitivity(changed).html()


def test_a_trial_without_dates_says_so(root, done):
    smoke = params.load(root / "params/smoke.yaml")
    assert "No registered dates are given" in tables.timeline(smoke, done).html()


def test_the_fan_ends_where_accrual_closes(trial):
    plan = Plan(
        parse_looks("5/25"),
        Constant(1.0),
        Disease(Assessments.fixed(2.0)),
        Dropout(0),
        handling="nonresponder",
        close_month=15.0,
    )
    picture = figures.enrollment_fan(trial, plan, Scenario("p1", 0.3), 1, 1, most=4096)
    assert picture.figure.axes[0].get_xlim()[1] < 50
    assert "less than half" in picture.alt


@pytest.mark.parametrize(("most", "drawn"), [(20_000, "20,000"), (5000, "5,000")])
def test_the_fan_draws_as_many_trials_as_the_file_states_up_to_a_limit(trial, plan, most, drawn):
    assert trial.conduct.simulation.trials == 20_000
    picture = figures.enrollment_fan(trial, plan, Scenario("p1", 0.3), 1, 1, most=most)
    assert f"in {drawn} simulated trials of the design" in picture.caption


def test_simulated_shares_are_not_called_exact(trial, done):
    frame = tables.timeline(trial, done).frame
    assert (frame.mcse == "exact").tolist() == [True] + [False] * (len(frame) - 1)
    certain = conduct_tables.simulated_error(0.0, done)
    assert certain == "all of 2,000 trials agree"


def test_replacing_needs_its_evaluable_patients_in_time(trial):
    plan = Plan(
        parse_looks("5/25"), Constant(25 / 22), Disease(Assessments.fixed(2.0)), Dropout(0.1), handling="replace",
        follow_up=FollowUp(24.0),
    )  # fmt: skip
    done = simulation.simulate(plan, [Scenario("p0", 0.1), Scenario("p1", 0.3)], 500, 1)
    row = tables.timeline(trial, done).frame.iloc[0]
    assert row.what.startswith("25 evaluable patients (at p1) enrolled by month 22")
    assert row.probability == pytest.approx(integrals.probability_by(Constant(25 / 22 * 0.9), 25, 22))


def test_inflation_is_judged_by_its_own_type_i_error():
    kept = str(conduct_text.inflation(parse_looks("1/15,5/25"), ASKED, Dropout(0.1)))
    assert "With 1/17, 5/28 it is 3.5% (within alpha) if p0 is the response rate with every patient evaluable" in kept
    assert "5.4% (above alpha) if p0 is the response rate among all enrolled patients" in kept
    assert "yields 25 evaluable patients on average, but at least 25 only with probability 69.5%" in kept
    broken = Requirements(0.15, 0.3, 0.05, 0.8)
    assert "(above alpha) if p0 is the response rate with every patient evaluable" in str(
        conduct_text.inflation(parse_looks("3/19,12/55"), broken, Dropout(0.12))
    )


def test_losses_are_told_by_who_would_have_responded(plan):
    informative = dataclasses.replace(plan, dropout=Dropout(0.1, 4.0))
    said = str(text.statement(plan.design, ASKED, informative))
    assert "30.8% of the patients who would respond and 10% of the others dropping out" in said
    assert "(12.1% of all patients at p0, 16.2% at p1)" in said
    assert "enrolled patients are analysed" in said
    assert "patients without a response assessment count as non-responders" in said
    assert "the type I error is 0.6% (p0 being the rate with every patient evaluable) and the power is 41.6%" in said


def test_more_informative_loss_is_compared_at_the_same_overall_loss(changed):
    found = [v for v in changed.variants if v.assumption == "Informative dropout"]
    assert len(found) == 2
    for ratio in (0.25, 4.0):
        loss = Dropout.overall(0.1, ratio, 0.3)
        assert loss.lost(0.3) == pytest.approx(0.1)
        assert loss.responder_odds_ratio == ratio


def test_a_single_stage_has_no_look_to_hold_for():
    plan = Plan(
        SingleStage(5, 25), Constant(2.0), Disease(Assessments.fixed(2.0)), Dropout(0.1), handling="nonresponder"
    )
    changed = sensitivity.analyse(plan, ASKED, 200, 1)
    assert not {"Accrual at the interim analysis", "Time to the decision"} & {v.assumption for v in changed.variants}


def test_a_trial_of_the_block_can_be_named(plan):
    one = conduct_figures.swimmer(plan, Scenario("p1", 0.3), 1, 1, number=7)
    trials, _ = simulation.block(plan, Scenario("p1", 0.3), 1, 1, 0)
    assert f"{trials.enrolled[7]} patients, {trials.responses[7]} responses counted" in one.alt
    assert dataclasses.is_dataclass(one)


def test_what_replacing_takes_is_said_in_patients_and_months():
    def told(lost):
        # a hold and a fixed readout, so that the trial without dropout has exact months
        plan = Plan(
            parse_looks("1/10,5/29"), Constant(2.0), Disease(Assessments.fixed(4.0)), Dropout(lost), handling="replace"
        )
        done = simulation.simulate(plan, [Scenario("p0", 0.1), Scenario("p1", 0.3)], 4000, 1)
        return done, str(conduct_text.cost(done, ASKED))

    done, said = told(0.2)
    more = 15.014 / 0.8 - 15.014  # EN(p0) of 1/10, 5/29, exact
    assert f"replacing takes {more:.1f} more enrolled patients and" in said
    months = done["p0"]["duration_months"].best - (10 / 2 + 4 + (1 - 0.7361) * (19 / 2 + 4))
    assert f"{months:.1f} more months to the primary decision at p0" in said
    assert "replacing takes" not in told(0.0)[1]
