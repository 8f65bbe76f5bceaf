"""A trial whose design is chosen by its calendar: the file, what is said of the design, the pictures, the cost."""

import dataclasses
import json

import numpy as np
import pytest

from simtrial import InputError, looks_text
from simtrial.cli.app import main
from simtrial.conduct import cost, simulation
from simtrial.conduct import tables as conduct_tables
from simtrial.conduct.measures import Measured
from simtrial.conduct.prospects import in_time
from simtrial.explorer import controls, screen
from simtrial.laws import laws
from simtrial.report import front
from simtrial.search import CALENDAR, families
from simtrial.search import tables as search_tables
from simtrial.search import text as search_text
from simtrial.trial import calendar, figures, params, tables, text, words
from simtrial.trial import compared as trial_compared
from simtrial.trial.case import Case


@pytest.fixture
def plain(root):
    return params.load(root / "params/smoke.yaml").plain()


def case(plain, criterion="fastest_p1", **conduct):
    given = plain | {"design": {"criterion": criterion}, "conduct": plain["conduct"] | conduct}
    return Case.of(params.load(given))


def written(folder, given):
    path = folder / "trial.yaml"
    path.write_text(params.written(given.trial), encoding="utf-8")
    return path


@pytest.mark.parametrize("criterion", CALENDAR)
def test_a_file_may_ask_for_each_criterion_of_the_calendar(plain, criterion, tmp_path):
    given = case(plain, criterion, deadline_months=6.0)
    assert given.chosen == given.by_calendar(CALENDAR[criterion]).design
    assert given.proof.how == "proved"
    assert params.load(written(tmp_path, given)) == given.trial


REFUSED = {
    "no conduct": (
        "fastest_p0",
        None,
        r"design\.criterion \(fastest_p0\) depends on how the trial is run; add the section conduct \(see",
    ),
    "no date": ("by_date", {}, r"design\.criterion \(by_date\) needs a date; give conduct\.deadline_months"),
    "no word on looks": ("fastest_p1", {"interim": None}, r"conduct\.interim is missing; with design\.criterion: fast"),
    "a deadline of nothing": ("by_date", {"deadline_months": 0.0}, r"conduct\.deadline_months \(0"),
    "nothing is paid": ("fastest_p0", {"cost": {}}, r"conduct\.cost must hold any of per_screened, per_enrolled and"),
    "paid back": ("fastest_p0", {"cost": {"per_month": -1.0}}, r"conduct\.cost\.per_month \(-1\) is below 0"),
}


@pytest.mark.parametrize(("criterion", "conduct", "said"), REFUSED.values(), ids=REFUSED)
def test_what_the_calendar_cannot_be_asked_is_refused_in_one_line(plain, criterion, conduct, said):
    given = plain | {"design": {"criterion": criterion}}
    given["conduct"] = None if conduct is None else plain["conduct"] | conduct
    with pytest.raises(InputError, match=said):
        params.load({key: value for key, value in given.items() if value is not None})


def test_a_plan_that_fits_no_design_is_told_with_its_place(plain, tmp_path, capsys):
    given = case(plain, "fastest_p0", enrollment={"model": "constant", "rate": 2.0, "close_month": 0.1})
    with pytest.raises(InputError, match=r"x\.yaml: trial\.conduct\.enrollment\.close_month \(0\.1\) closes"):
        given.checked("x.yaml")
    assert main(["simulate", str(written(tmp_path, given))]) == 2
    assert "close_month" in capsys.readouterr().err


def test_in_time_is_by_the_deadline_or_the_close_of_accrual_or_the_registered_completion(plain):
    dated = plain | {"study": plain["study"] | {"start": "2026-01-01", "completion": "2028-01-01"}}
    closing = {"enrollment": plain["conduct"]["enrollment"] | {"close_month": 18.0}}
    assert case(plain).trial.deadline is None
    assert case(dated).trial.deadline == 24
    assert case(dated, **closing).trial.deadline == 18
    assert case(dated, deadline_months=12.0, **closing).trial.deadline == 12
    assert case(dated, "by_date").chosen.looks  # the date of the registry will do


def test_no_statement_and_no_rival_is_judged_by_the_calendar(plain):
    rival = {"p0": 0.2, "p1": 0.4, "alpha": 0.1, "power": 0.8, "criterion": "fastest_p0", "source": "none"}
    for section in ({"rivals": [rival]}, {"stated": {"criterion": "fastest_p0"}}):
        with pytest.raises(InputError, match="criterion"):
            params.load(plain | section)


def test_a_criterion_of_a_family_may_not_take_a_key_of_the_calendar():
    family = families.FAMILIES["simon"]
    criterion = dataclasses.replace(family.criteria[0], key="by_date")
    stolen = dataclasses.replace(family, key="other", criteria=(criterion,))
    with pytest.raises(ValueError, match="the key of a criterion is taken: by_date"):
        families.registered(stolen)


def test_what_is_said_of_the_design_bears_the_name_of_its_criterion(plain):
    given = case(plain, "least_enrolled_p0")
    single, two, chosen, by = given.single, given.two, given.chosen, given.criterion
    assert by.name in str(text.choice(given.trial, single, two, chosen))
    paragraph = str(text.statement(chosen, given.requirements, given.plan, by))
    assert "the design with the fewest patients expected to be enrolled at p0" in paragraph
    assert "Simon R." in paragraph
    table = search_tables.candidates(single, two, chosen, by)
    assert any(by.name in kind for kind in table.frame.kind)
    assert sum(table.chosen) == 1
    said = str(search_text.certificate(two, given.family, given.proof))
    assert "the expected number of patients enrolled at p0 is at least" in said
    assert search_tables.certificate(two, given.family, given.proof).frame.name[0] == "least_enrolled_p0: n_lower"
    assert looks_text(chosen, ", ") in front.opening(given)
    assert by.name in tables.assumptions(given.trial).frame.value.tolist()
    assert any("Interim analysis" in row for row in words.rows(given.trial))


def test_a_chance_of_being_in_time_without_a_law_is_simulated(plain):
    given = case(plain, interim={"accrual": "continue", "decision_weeks": 2.0})
    found = in_time(given.plan, given.scenarios[0], 6.0, 4000, 1)
    exact = in_time(case(plain).plan, given.scenarios[0], 6.0, 4000, 1)
    assert found.mcse > 0
    assert exact.mcse == 0
    assert found.value <= exact.value + 4 * found.mcse  # decisions come later


def test_every_criterion_has_its_sentence_with_how_it_is_known(plain):
    said = str(text.by_calendar(case(plain, deadline_months=6.0)))
    for criterion in CALENDAR.values():
        assert f"{criterion.name[0].upper()}{criterion.name[1:]}: " in said
    assert "(exact)" in said
    assert "largest r1" in said
    replaced = case(plain, dropout={"probability": 0.1, "handling": "replace"})
    told = str(text.by_calendar(replaced))
    assert " simulated" in told
    assert "By an exact bound no design takes fewer than" in told
    assert told.count("the most promising ones first") == 1


@pytest.mark.parametrize("criterion", ["minimax", "by_date"])
def test_a_date_that_no_design_can_keep_is_said_and_no_design_is_called_most_often_in_time(plain, criterion):
    given = case(plain, criterion, deadline_months=1.0)  # a status is known after 2 months
    assert "Most often in time at p1: no design can be in time, that is by month 1." in str(text.by_calendar(given))
    compared = trial_compared.candidates(given, timed=True).designs
    assert not any("in time" in one.name for one in compared)
    assert all(one.values[f"in_time_{rate}"] == Measured(0.0) for one in compared for rate in ("p0", "p1"))
    assert sum(one.chosen for one in compared) == 1


@pytest.mark.parametrize(("month", "rare"), [(4.0, True), (14.0, False)])
def test_a_date_that_most_trials_at_p1_miss_is_said_to_favour_early_stops(plain, month, rare):
    given = case(plain, deadline_months=month)
    found = given.by_calendar(CALENDAR["by_date"])
    assert (found.value.value > 0.5) == rare
    assert ("A later date" in str(text.by_calendar(given)) or calendar.FUTILE in str(text.by_calendar(given))) == rare


def test_a_file_that_says_nothing_of_looks_compares_single_stages(plain):
    given = plain | {"design": {"criterion": "single_stage_first"}, "conduct": plain["conduct"] | {"interim": None}}
    given["conduct"].pop("interim")
    one = Case.of(params.load(given))
    assert str(text.by_calendar(one)).startswith("The parameter file does not say what accrual does")
    single, *others = trial_compared.candidates(one, timed=True).designs
    assert (single.design.looks, "n_enrolled_p0" in single.values) == (one.single.first.looks, True)
    assert not any("n_enrolled_p0" in other.values for other in others)  # of two stages, known on paper alone
    assert figures.months_and_patients(one).svg()


def test_the_frontier_holds_the_two_designs_that_are_best_at_p0(plain):
    given = case(plain)
    every = calendar.landscape(given, "p0")
    assert every.exact.all()
    on = [every.designs.pairs.design(i) for i in np.flatnonzero(every.frontier)]
    assert given.by_calendar(CALENDAR["fastest_p0"]).design in on
    assert every.enrolled[every.frontier].min() == pytest.approx(every.enrolled.min(), abs=1e-9)
    for i in np.flatnonzero(every.frontier):
        better = (every.months < every.months[i] - 1e-9) & (every.enrolled < every.enrolled[i] - 1e-9)
        assert not better.any()


def texts(axis):
    return [text.get_text() for text in axis.texts]


def legend(picture):
    return picture.figure.axes[0].get_legend_handles_labels()[1]


def test_the_picture_names_the_designs_of_the_table_and_the_chosen_one(plain):
    given = case(plain, "fastest_p1")
    picture = figures.months_and_patients(given)
    found = trial_compared.candidates(given, timed=True).designs
    for axis, rate in zip(picture.figure.axes, ("p0", "p1"), strict=True):
        assert len(texts(axis)) == len(found)
        for one in found:
            (label,) = (text for text in texts(axis) if text.startswith(looks_text(one.design, ", ") + "\n"))
            assert label.endswith(", chosen") == one.chosen
            values = [one.values[f"{name}_{rate}"].value for name in ("n_enrolled", "duration_months")]
            assert any([line.get_xdata()[0], line.get_ydata()[0]] == values for line in axis.lines)
        assert axis.get_title() == f"At {rate} = {given.requirements.p0 if rate == 'p0' else given.requirements.p1:g}"
        assert f"At {rate}: " in picture.alt
    assert "no design is better in both" in legend(picture)
    assert picture.caption.startswith("Expected months to the primary decision against the expected number")
    assert picture.svg() == figures.months_and_patients(given).svg()


def test_where_the_others_have_bounds_alone_the_named_designs_alone_are_drawn(plain):
    given = case(plain, dropout={"probability": 0.1, "handling": "replace"})
    picture = figures.months_and_patients(given)
    assert legend(picture) == []
    assert "Only the named designs are drawn, because not all values of the other designs are known" in picture.caption
    assert "Dots" not in picture.caption
    named = trial_compared.candidates(given, timed=True).designs
    for axis in picture.figure.axes:
        assert len({(line.get_xdata()[0], line.get_ydata()[0]) for line in axis.lines}) <= len(named)


def test_cost_is_exact_where_patients_and_months_are_and_its_error_bounds_that_of_the_sum(plain):
    prices = cost.Prices(per_screened=10.0, per_enrolled=100.0)
    given = case(plain)
    done = simulation.simulate(given.plan, given.scenarios, 4000, 1)
    law = laws.exact_values(given.plan, given.scenarios[0])
    assert cost.expected(prices, done["p0"]) == pytest.approx((10 * law["n_screened"] + 100 * law["n_enrolled"], 0.0))
    # at scheduled assessments none of the three has a law
    scans = {"interval_weeks": 6.0, "window_weeks": 12.0}
    other = case(plain, assessments=scans, interim={"accrual": "continue"})
    prices = cost.Prices(per_screened=10.0, per_enrolled=100.0, per_month=50.0)
    value, error = cost.expected(prices, simulation.simulate(other.plan, other.scenarios, 4000, 1)["p0"])
    block, _ = simulation.block(other.plan, other.scenarios[0], 0, 1, 0)
    each = (10 * block.screened + 100 * block.enrolled + 50 * block.end)[:4000]
    assert value == pytest.approx(each.mean())
    assert error >= each.std(ddof=1) / len(each) ** 0.5
    assert error <= 3**0.5 * each.std(ddof=1) / len(each) ** 0.5  # of three that do not move against each other


def test_the_tables_and_the_json_hold_the_cost_only_where_prices_are_given(plain, tmp_path, capsys):
    given = case(plain, cost={"per_enrolled": 100.0, "per_month": 20.0})
    assert given.prices == cost.Prices(per_enrolled=100.0, per_month=20.0)
    path = written(tmp_path, given)
    assert main(["simulate", str(path), "--trials", "2000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["scenarios"]
    done = simulation.simulate(given.plan, given.scenarios, 2000, given.size.seed)
    assert [row["cost"]["value"] for row in found] == [cost.expected(given.prices, r)[0] for r in done.results]
    assert main(["simulate", str(path), "--trials", "2000"]) == 0
    assert "Expected cost, with months paid until the end of follow-up" in capsys.readouterr().out
    assert "cost_shown" in conduct_tables.scenarios(done, given.prices).shown
    assert "cost" not in conduct_tables.scenarios(done).frame
    assert any(row[0] == "Cost" for row in words.rows(given.trial))
    without = written(tmp_path, case(plain))
    assert main(["simulate", str(without), "--trials", "2000", "--json"]) == 0
    assert "cost" not in json.loads(capsys.readouterr().out)["scenarios"][0]


def test_the_chances_of_being_in_time_are_those_of_the_deadline(plain):
    given = case(plain, deadline_months=6.0)
    table = tables.timeline(given.trial, given.simulated)
    assert table.frame.what.tolist() == [f"Primary decision by month 6, at {rate}" for rate in ("p0", "p1")]
    assert table.frame.probability[0] == given.simulated["p0"]["duration_months"].at_most(6.0)[0]


def test_the_explorer_opens_a_file_of_the_calendar_and_keeps_its_criterion(plain):
    given = case(plain, "fastest_p0")
    whole = controls.complete(given.trial)
    now = controls.of(whole)
    assert now.design == "fastest_p0"
    assert screen.offered(None, now.design)["fastest at p0"] == "fastest_p0"
    assert "fastest at p1" not in screen.offered(None, "minimax")
    assert "fastest at p1" in screen.offered(None, "minimax", screen.quick(given))
    moved = controls.applied(dataclasses.replace(now, rate=3.0), whole)
    assert moved.design.criterion == "fastest_p0"
    assert screen.answer(Case.of(moved)).design == Case.of(moved).chosen


def test_a_command_lists_the_designs_of_a_file_with_those_of_its_calendar(plain, tmp_path, capsys):
    given = case(plain, "fastest_p1", deadline_months=6.0)
    path = str(written(tmp_path, given))
    assert main(["design", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["calendar"]) == list(CALENDAR)
    assert found["two_stage"][0]["n"] == given.two.minimax.n
    assert set(found["two_stage"][0]["as_run"]) == {"type_i_error", "power", "en_p0", "en_p1"}
    for key, one in found["calendar"].items():
        by = given.by_calendar(CALENDAR[key])
        assert one["looks"] == [{"n": look.n, "r": look.r, "e": look.e} for look in by.design.looks]
        assert (one["value"], one["certificate"]["how"]) == (by.value.value, "proved")
    assert found["chosen"] == found["calendar"]["fastest_p1"]["looks"]
    law = laws.exact_values(given.plan, given.scenarios[1])
    mine = next(one for one in found["designs"] if one["looks"] == found["chosen"])
    assert mine["p1"]["duration_months"] == {"value": pytest.approx(law["duration_months"]), "mcse": 0.0}
    assert main(["design", path]) == 0
    said = capsys.readouterr().out
    assert "The designs worth considering, on paper and as each would be run" in said
    assert "Months to the" in said
    assert "(chosen)" in said
    assert "Most often in time at p1: " in said


def test_a_command_lists_the_designs_of_a_file_without_a_calendar(plain, tmp_path, capsys):
    given = Case.of(params.load({key: value for key, value in plain.items() if key != "conduct"}))
    assert main(["design", str(written(tmp_path, given))]) == 0
    said = capsys.readouterr().out
    assert "(chosen)" in said
    assert "calendar" not in said
    assert main(["design", str(written(tmp_path, given)), "--json"]) == 0
    assert "calendar" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--p0", ".1"], "--p0 is not used with a parameter file, which states it; change it in"),
        (["other.yaml"], "FILE ('other.yaml') is a second argument; give one parameter file"),
    ],
)
def test_a_file_and_numbers_do_not_go_together(plain, tmp_path, capsys, more, said):
    assert main(["design", str(written(tmp_path, case(plain))), *more]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_file_given_twice_is_refused(plain, tmp_path, capsys):
    path = str(written(tmp_path, case(plain)))
    assert main(["design", path, path]) == 2
    assert "is a second argument" in capsys.readouterr().err


def test_limits_hold_as_the_trial_is_run_by_the_calendar_too(plain):
    given = case(plain)
    assert given.trial.losses == "run"
    assert given.trial.how.keeps(given.chosen, given.requirements)
    paper = Case.of(params.load(given.trial.plain() | {"design": {"criterion": "fastest_p1", "losses": "paper"}}))
    assert paper.chosen.looks != given.chosen.looks
    said = str(text.limits_hold(given))
    assert f"With every patient evaluable the design would be {looks_text(paper.chosen, ', ')}" in said
    rows = tables.under_dropout(given).frame
    mine = rows[rows.design == "fastest at p1"]
    assert mine.looks.tolist() == [looks_text(given.chosen, ", ")]
    assert mine.keeps.all()


def test_a_large_trial_is_compared_only_where_it_asks_for_it(plain, monkeypatch):
    monkeypatch.setattr(calendar, "MOST_N", 5)
    usual, own = case(plain, "minimax"), case(plain, "fastest_p0")
    assert str(text.by_calendar(usual)) == calendar.TOO_MANY
    assert not any("fastest" in one.name for one in trial_compared.candidates(usual, timed=True).designs)
    assert legend(figures.months_and_patients(usual)) == []  # the designs of the table alone
    assert "Fastest at p0" in str(text.by_calendar(usual, whole=True))
    assert "Fastest at p0" in str(text.by_calendar(own))
    for given, whole in ((own, False), (usual, True)):
        assert any(
            "fastest at p1" in one.name for one in trial_compared.candidates(given, timed=True, whole=whole).designs
        )


def test_recalculated_bounds_leave_the_calendar_out_and_the_rest_stands(plain, tmp_path, capsys):
    recut = {"dropout": {"probability": 0.1, "handling": "exclude", "bounds": "recut"}}
    usual = case(plain, "minimax", **recut)
    assert str(text.by_calendar(usual)) == calendar.RECALCULATED
    assert not any("fastest" in one.name for one in trial_compared.candidates(usual, timed=True, whole=True).designs)
    assert legend(figures.months_and_patients(usual)) == []
    assert main(["design", str(written(tmp_path, usual)), "--json"]) == 0
    assert "calendar" not in json.loads(capsys.readouterr().out)
    with pytest.raises(
        InputError,
        match=r"conduct\.dropout\.bounds \(recut\) excludes criteria of the calendar; write fixed",
    ):
        case(plain, "fastest_p0", **recut).checked("x.yaml")


def test_the_trial_is_run_at_true_rates_and_not_at_those_of_the_search(plain):
    given = case(plain)
    # a tenth is lost, and p0 is the rate among all enrolled patients: .2 of them respond if .2 / .9 would
    assert given.question.rates == (pytest.approx(0.2 / 0.9), 0.6)
    law = laws.exact_values(given.plan, given.scenarios[0], months=False)
    assert law["reject"] == pytest.approx(given.trial.how.figures(given.chosen, given.requirements).type_i_error)
    paper = Case.of(params.load(given.trial.plain() | {"design": {"criterion": "fastest_p1", "losses": "paper"}}))
    assert paper.question.rates == (0.2, 0.6)
