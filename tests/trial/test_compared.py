"""Designs side by side: each value is that of its law or of the simulation of the design under the file's plan."""

import dataclasses
import json

import numpy as np
import pytest

from simtrial import InputError, looks_text
from simtrial.conduct import cost, futility, simulation
from simtrial.conduct.measures import Measured
from simtrial.design.exact import operating_characteristics
from simtrial.laws import laws
from simtrial.plan.plan import Interim
from simtrial.search import CALENDAR
from simtrial.trial import compared, params, tables
from simtrial.trial.case import Case


@pytest.fixture
def plain(root):
    return params.load(root / "params/smoke.yaml").plain()


@pytest.fixture(scope="module")
def sclc(root):
    case = Case.of(params.load(root / "params/NCT07022301.yaml"))
    return case, compared.candidates(case)


def case(plain, design=None, **conduct):
    given = plain | {"design": design or {"criterion": "minimax"}, "conduct": plain["conduct"] | conduct}
    return Case.of(params.load(given))


def test_the_single_stage_simons_designs_and_a_few_admissible_ones_stand_in_order(sclc):
    given, found = sclc
    assert [one.keys for one in found.designs] == [
        ("single_stage_first",), ("minimax",), ("admissible",), ("admissible",), ("optimal",),
    ]  # fmt: skip
    assert [one.name for one in found.designs][1:4] == ["Simon minimax", "admissible (n = 26)", "admissible (n = 27)"]
    assert [one.chosen for one in found.designs] == [False, True, False, False, False]
    assert found.admissible == len(given.two.admissible) - 2


def test_of_many_admissible_designs_those_with_the_widest_weights_are_shown_and_the_caption_says_so(plain, monkeypatch):
    monkeypatch.setattr(compared, "MOST_ADMISSIBLE", 1)
    asked = {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8, "basis": "assumed", "rationale": "none"}
    given = Case.of(params.load({"study": plain["study"], "hypotheses": asked, "design": {"criterion": "minimax"}}))
    found = compared.candidates(given)
    (one,) = (one for one in found.designs if one.keys == ("admissible",))
    widths = {looks_text(each): each.q_high - each.q_low for each in given.two.admissible[1:-1]}
    assert widths[looks_text(one.design)] == max(widths.values())
    said = tables.compared(given).caption
    assert "Of 2 admissible designs between minimax and optimal, 1 with the widest range of weights is shown" in said


def test_values_on_paper_are_the_operating_characteristics(sclc):
    _, found = sclc
    for one in found.designs:
        at = operating_characteristics(one.design, [0.1, 0.3])
        names = ("type_i_error_paper", "power_paper", "en_p0", "en_p1")
        assert [one.values[name].value for name in names] == [*at.reject.tolist(), *at.en.tolist()]
        assert not any(one.values[name].mcse for name in names)


def test_values_as_run_are_those_of_the_laws_or_of_the_simulation_of_the_design(sclc):
    given, found = sclc
    for one in found.designs:
        plan = given.run(one.design)
        for scenario in given.scenarios[:2]:
            law = laws.exact_values(plan, scenario)
            rate = scenario.label
            assert one.values[f"duration_months_{rate}"] == Measured(law["duration_months"])
            assert one.values[f"n_enrolled_{rate}"] == Measured(law["n_enrolled"])
        done = simulation.simulate(plan, given.scenarios[:2], found.trials, found.seed)
        end = done["p1"]["end_month"]
        # of a single stage it has a law
        assert one.values["end_month_p1"] == Measured(end.best, end.best_mcse)
        assert one.values["completed_p1"].value == end.at_most(46.0)[0]
        assert one.values["in_time_p0"].value == done["p0"]["duration_months"].at_most(46.0)[0]
        assert one.values["beyond_p0"] == futility.expected(plan, given.scenarios[0], found.trials, found.seed)


def test_patients_with_a_hold_and_with_accrual_that_continues_are_those_of_both_plans(sclc):
    given, found = sclc
    for one in found.designs:
        plan = given.run(one.design)
        later = dataclasses.replace(plan, interim=Interim(False, None, plan.interim.lag))
        held, ongoing = (
            simulation.expect(each, given.scenarios[:2], ("n_enrolled",), found.trials, found.seed)["p0"]["n_enrolled"]
            for each in (plan, later)
        )
        assert one.values["n_enrolled_p0_hold"] == Measured(held.best)
        assert one.values["n_enrolled_p0_continue"].value == ongoing.best
        assert ongoing.best >= held.best
    assert found.way == "hold"


def test_the_type_i_error_stands_by_both_readings_of_p0(sclc, plain):
    given, found = sclc
    for one in found.designs:
        for how in (given.trial.how, given.trial.how.other):
            exact = how.figures(one.design, given.requirements).type_i_error
            # one law in two ways, at rates of 12 digits
            assert one.values[f"type_i_error_{how.among}"].value == pytest.approx(exact, abs=1e-10)
    replaced = compared.candidates(case(plain, dropout={"probability": 0.1, "handling": "replace"}))
    assert not any("type_i_error_enrolled" in one.values for one in replaced.designs)
    assert "Type I error, as run" in [quantity.head for quantity in replaced.quantities]


def test_the_chance_of_being_in_time_is_exact_where_it_has_a_law_and_near_the_simulated_one(plain):
    given = case(plain, deadline_months=6.0)
    found = compared.candidates(given)
    for one in found.designs:
        value = one.values["in_time_p1"]
        assert value.mcse == 0
        done = simulation.simulate(given.run(one.design), given.scenarios[:2], 4000, 1)
        share, mcse = done["p1"]["duration_months"].at_most(6.0)
        assert value.value == pytest.approx(share, abs=4 * mcse + 0.01)  # to the width of a bin of months
    assert found.completion is None
    assert "P(decision by month 6), at p1" in tables.compared(given).view()["Quantity"].tolist()


def test_a_chance_of_which_all_trials_agree_is_not_called_exact(sclc):
    _, found = sclc
    single = found.designs[0].values["in_time_p1"]
    assert (single.value, single.mcse) == (1.0, 1 / found.trials)


def test_designs_of_the_calendar_stand_beside_them_where_they_are_wanted_each_once(plain):
    given = case(plain, {"criterion": "fastest_p1"}, deadline_months=6.0, cost={"per_enrolled": 100.0})
    found = compared.candidates(given, timed=True)
    looks = [looks_text(one.design) for one in found.designs]
    assert len(looks) == len(set(looks))
    assert {key for one in found.designs for key in one.keys} >= set(CALENDAR)
    (mine,) = (one for one in found.designs if one.chosen)
    assert "fastest_p1" in mine.keys
    law = laws.exact_values(given.plan, given.scenarios[1])
    assert mine.values["cost_p1"] == Measured(pytest.approx(100 * law["n_enrolled"]))
    assert mine.values["cost_p0"].value == cost.expected(
        given.prices, simulation.expect(given.plan, given.scenarios[:2], ("n_enrolled",), 100, 1)["p0"]
    )[0]  # fmt: skip
    untimed = {key for one in compared.candidates(given).designs for key in one.keys}
    assert untimed & CALENDAR.keys() == {"fastest_p1"}


def test_the_table_has_a_design_per_column_and_its_file_a_design_per_row(sclc):
    given, found = sclc
    table = tables.compared(given)
    view = table.view().set_index("Quantity")
    assert [head.partition(", chosen")[0] for head in view.columns] == [one.name for one in found.designs]
    assert sum(head.endswith(", chosen") for head in view.columns) == 1
    assert view.loc["Months to the primary decision, at p1", "Simon minimax, chosen"] == "30.3"
    assert "±" in view.loc["Months to the end, at p1", "Simon minimax, chosen"]
    assert view.loc["Months to the interim analysis, at p0"].iloc[0] == "–"
    data, about = table._repr_mimebundle_()
    lines = data["text/csv"].splitlines()
    assert len(lines) == 1 + len(found.designs)
    assert lines[0].startswith("design,chosen,looks,n,type_i_error_paper")
    assert about["simtrial"]["name"] == "compared"
    assert table.tidy.duration_months_p1.tolist() == [one.values["duration_months_p1"].value for one in found.designs]
    assert "(5,000 trials, seed 20250731)" in table.caption


def test_a_comparison_is_plain_json(sclc):
    _, found = sclc
    again = json.loads(json.dumps(found.plain(), allow_nan=False))
    assert again[1]["names"] == ["minimax"]
    assert again[1]["looks"][0] == {"n": 15, "r": 1, "e": None}
    assert again[1]["duration_months_p1"]["mcse"] == 0


def test_a_file_that_does_not_say_how_the_trial_is_run_has_values_on_paper_alone(plain):
    given = Case.of(params.load({key: value for key, value in plain.items() if key != "conduct"}))
    found = compared.candidates(given, timed=True)
    assert (found.run, found.trials) == (False, 0)
    assert {key for one in found.designs for key in one.values} == {
        "type_i_error_paper", "power_paper", "en_p0", "en_p1",
    }  # fmt: skip
    assert tables.compared(given).caption.startswith("The designs worth considering, on paper. p0 = 0.2")


KINDS = {
    "a single stage wished for": ({"criterion": "single_stage_sustained"}, {}),
    "looks given": ({"looks": "0/3,3/9"}, {}),
    "three looks": ({"looks": "0/3,1/6,3/9"}, {}),
    "efficacy bounds": ({"looks": "0:3/4,3/9"}, {}),
    "recalculated": (None, {"dropout": {"probability": 0.1, "handling": "exclude", "bounds": "recut"}}),
    "excluded": (None, {"dropout": {"probability": 0.1, "handling": "exclude", "bounds": "fixed"}}),
    "replaced": (None, {"dropout": {"probability": 0.1, "handling": "replace"}}),
    "pending": (None, {"interim": {"accrual": "continue", "pending": "conditional", "threshold": 0.3}}),
    "known": (None, {"interim": {"accrual": "hold", "decide": "known"}}),
    "a few more": (None, {"interim": {"accrual": "continue", "extra_patients": 2}}),
    "a hold with a limit": (None, {"interim": {"accrual": "hold", "max_hold_months": 1.0}}),
    "closing": (None, {"enrollment": {"model": "constant", "rate": 2.0, "close_month": 8.0}}),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_is_compared(plain, name):
    design, conduct = KINDS[name]
    given = case(plain, design, simulation={"trials": 200, "seed": 1}, **conduct)
    found = compared.candidates(given)
    (mine,) = (one for one in found.designs if one.chosen)
    assert mine.design.looks == given.chosen.looks
    for one in found.designs:
        assert {"power_run", "duration_months_p1", "beyond_p0", "n_enrolled_p0_hold"} <= one.values.keys()
        assert all(np.isfinite(value.value) for value in one.values.values())
        assert one.values["n_enrolled_p0_hold"].value <= one.values["n_enrolled_p0_continue"].value + 0.5
    heads = [quantity.head for quantity in found.quantities]
    assert len(heads) == len(set(heads))
    limited = name in ("a few more", "a hold with a limit")
    assert any("as planned" in head for head in heads)
    assert any(head.endswith("at p0, as planned") for head in heads) == limited
    assert tables.compared(given).html()


def test_a_plan_that_does_not_take_a_design_leaves_its_values_on_paper(plain):
    given = plain | {"design": {"criterion": "single_stage_first"}, "conduct": plain["conduct"] | {"interim": None}}
    given["conduct"].pop("interim")
    one = Case.of(params.load(given))
    with pytest.raises(InputError, match=r"conduct\.interim is missing"):
        one.run(one.two.minimax)
    found = compared.candidates(one)
    assert [("power_run" in each.values) for each in found.designs] == [True, *[False] * (len(found.designs) - 1)]
    assert "–" in tables.compared(one).view().iloc[:, 2].tolist()
