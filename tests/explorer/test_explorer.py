"""The explorer without a browser: its controls, its screen, its page, and the files that it opens and writes."""

import base64
import html
import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtrial import glossary, search
from simtrial.cli.app import main
from simtrial.conduct import simulation
from simtrial.conduct import tables as conduct_tables
from simtrial.design import exact
from simtrial.design.designs import looks_text, parse_looks
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError
from simtrial.explorer import charts, controls, entries, layout, screen, terms
from simtrial.explorer.page import Explorer
from simtrial.phrases import percent, rate
from simtrial.report import run as report_run
from simtrial.search import CALENDAR
from simtrial.trial import params, text, words
from simtrial.trial.case import Case

FILES = ["NCT07022301", "NCT07022301_p20_p40", "example", "smoke"]
OWN_LAWS = """
trial:
  study: {id: OWN, title: A file with laws that no slider says}
  hypotheses: {p0: 0.1234, p1: 0.3217, alpha: 0.05, power: 0.8, basis: protocol, rationale: Argued elsewhere}
  design: {looks: "1/15,6/30"}
  conduct:
    enrollment: {model: ramp, rate: 31.5, ramp_months: 6, screening_success: 0.9, source: three sites}
    assessments: {interval_weeks: 6, window_weeks: 18}
    dropout: {hazard_per_month: 0.03, handling: exclude, bounds: fixed, source: earlier trials}
    interim: {accrual: continue, extra_patients: 4, decision_weeks: 3}
    follow_up: {until_month: 40}
    scenarios: [{label: half, p: 0.5}]
    simulation: {trials: 20000, seed: 9}
  analysis: {responses: 7}
"""


@pytest.fixture
def explorer():
    return Explorer()


@pytest.fixture(scope="module")
def started():
    return controls.complete(params.load(controls.START))


def trial_of(text_):
    return controls.complete(params.opened(text_.encode(), "own.yaml"))


def put(explorer, name, data):
    file = {
        "name": name,
        "type": "",
        "size": len(data),
        "content": memoryview(data),
        "last_modified": datetime.now(UTC),
    }
    explorer.inputs["file"].value = (file,)


def shown(explorer, panel):
    return html.unescape(re.sub(r"<title>.*?</title>|<[^>]+>", " ", explorer.panels[panel].value, flags=re.DOTALL))


def squeezed(said):
    return " ".join(said.split())


def downloaded(explorer):
    found = re.search(r'download="([^"]+)" href="data:[^,]+,([^"]+)"', explorer.inputs["download"].value)
    return found[1], base64.b64decode(found[2])


def screen_of(explorer):
    panels = ("candidates", "curves", "decisions", "calendar", "statement")
    return {name: explorer.panels[name].value for name in panels}


# files written


@pytest.mark.parametrize("name", FILES)
def test_a_written_file_is_read_back_as_the_same_trial(name, root):
    trial = params.load(root / f"params/{name}.yaml")
    assert params.opened(params.written(trial, "a remark").encode(), "x.yaml") == trial


@pytest.mark.long
@given(
    st.text(min_size=1, max_size=60).filter(lambda s: not any(ord(c) < 32 for c in s)),
    st.text(min_size=1, max_size=60),
)
@settings(max_examples=100, deadline=None)
def test_no_text_of_a_file_changes_by_being_written(title, source):
    plain = {**controls.START, "study": {"id": "x", "title": title, "source": source}}
    try:
        trial = params.load(plain)
    except InputError:
        return  # control characters and the like, which no file may hold
    assert params.opened(params.written(trial).encode(), "x.yaml") == trial


@pytest.mark.parametrize("title", ["a\u2028b", "5e-2", "no", "trial:", "a # b", '"', "{x: y}", "é 漢 𝛼"])
def test_awkward_words_come_back(title):
    trial = params.load({**controls.START, "study": {"id": "x", "title": title}})
    assert params.opened(params.written(trial).encode(), "x.yaml").study.title == title


def test_a_remark_is_a_comment_however_long(started):
    written = params.written(started, "many words " * 40)
    assert all(line.startswith("#") and len(line) < 120 for line in written.split("trial:")[0].splitlines())
    with pytest.raises(InputError, match=r"^x\.yaml: is larger than"):
        params.opened(b"#" * (params.MAX_BYTES + 1), "x.yaml")


# controls


@pytest.mark.parametrize("name", FILES)
def test_controls_that_were_not_moved_leave_a_file_as_it_is(name, root):
    trial = controls.complete(params.load(root / f"params/{name}.yaml"))
    assert controls.applied(controls.of(trial), trial) is trial


def test_what_the_controls_cannot_say_stays_and_what_argued_for_an_old_value_goes():
    trial = trial_of(OWN_LAWS)
    now = controls.of(trial)
    assert now.own == {"enrollment", "assessments", "dropout"}
    assert trial.analysis is None
    moved = controls.applied(replace(now, p1=0.35, counting="replace"), trial)
    assert (moved.hypotheses.basis, moved.hypotheses.rationale) == ("assumed", None)
    assert moved.conduct.enrollment == trial.conduct.enrollment
    assert moved.conduct.assessments == trial.conduct.assessments
    assert moved.conduct.dropout.hazard_per_month == 0.03
    assert (moved.conduct.dropout.handling, moved.conduct.dropout.bounds) == ("replace", None)
    assert moved.conduct.scenarios == trial.conduct.scenarios
    assert moved.study.id == "OWN-explored"
    assert controls.applied(replace(controls.of(moved), p1=0.36), moved).study.id == "OWN-explored"


def test_laws_that_are_taken_over_are_those_of_the_controls():
    trial = trial_of(OWN_LAWS)
    now = replace(controls.of(trial), own=frozenset(), rate=5.0, readout=3.0, dropout=0.2, accrual="hold")
    conduct = controls.applied(now, trial).conduct
    assert (conduct.enrollment.model, conduct.enrollment.rate, conduct.enrollment.source) == ("constant", 5.0, None)
    assert conduct.enrollment.screening_success == 0.9
    assert (conduct.assessments.readout_months, conduct.assessments.interval_weeks) == (3.0, None)
    assert (conduct.dropout.probability, conduct.dropout.hazard_per_month, conduct.dropout.source) == (0.2, None, None)
    assert (conduct.interim.accrual, conduct.interim.extra_patients) == ("hold", None)
    assert conduct.interim.decision_weeks == 3
    assert controls.of(controls.applied(now, trial)) == now


def test_what_is_kept_from_a_file_is_told():
    kept = controls.beyond(trial_of(OWN_LAWS))
    assert kept == (
        "3 weeks from the interim analysis to its decision",
        "at most 4 patients enrolled while the interim analysis is pending",
        "other true rates",
    )
    assert controls.beyond(controls.complete(params.load(controls.START))) == ()


# the screen


def test_the_answer_is_that_of_the_search(started):
    found, asked = screen.answer(Case.of(started)), Requirements(0.1, 0.3, 0.05, 0.8)
    assert found.single == search.single_stage(asked)
    assert [c.design for c in found.two.admissible] == [c.design for c in search.two_stage(asked).admissible]
    assert found.design.design == search.two_stage(asked).minimax.design
    assert screen.offered(found.two, "minimax") == {
        "Simon minimax": "minimax",
        "Simon optimal": "optimal",
        "exact single stage (first n)": "single_stage_first",
        "exact single stage (sustained n)": "single_stage_sustained",
        "admissible 1/12, 5/26": "1/12,5/26",
        "admissible 1/11, 5/27": "1/11,5/27",
    }
    assert "as given 1/9, 5/30" in screen.offered(found.two, "1/9,5/30")


def test_every_design_offered_can_be_taken(started):
    found = screen.answer(Case.of(started))
    now = controls.of(started)
    for wish in screen.offered(found.two, "minimax").values():
        trial = controls.applied(replace(now, design=wish), started)
        design = screen.answer(Case.of(trial)).design
        assert exact.meets(design, trial.requirements)
        assert design.looks == search.choose(trial.requirements, trial.wish).looks


def test_a_long_search_waits_to_be_asked_for(started):
    near = controls.applied(replace(controls.of(started), p0=0.3, p1=0.36), started)
    case = Case.of(near)
    found = screen.answer(case)
    assert found.single.first.n > screen.LIVE_N
    assert (found.two, found.design) == (None, None)
    asked = screen.answer(case, patient=True)
    assert exact.meets(asked.design, near.requirements)
    moved = controls.applied(replace(controls.of(near), rate=2.0), near)
    assert screen.answer(Case.of(moved, like=case)).two is asked.two
    one = controls.applied(replace(controls.of(near), design="single_stage_first"), near)
    assert screen.answer(Case.of(one)).design == found.single.first


def test_a_calendar_with_exact_laws_simulates_nothing(started):
    case = Case.of(started)
    plan, done = case.plan, screen.calendar(case)
    assert done.trials == 0
    for label, p in (("p0", 0.1), ("p1", 0.3)):
        law = simulation.laws.exact_values(plan, started.scenarios[0 if label == "p0" else 1])
        oc = exact.operating_characteristics(plan.design, p * 0.9)
        assert done[label]["reject"].exact == pytest.approx(float(oc.reject), rel=1e-12)  # one engine, summed twice
        for name in conduct_tables.running(plan.design):
            assert done[label][name].best == law[name]
            assert done[label][name].best_mcse == 0


def test_a_calendar_without_them_is_simulated_as_a_report_would(started):
    trial = controls.applied(replace(controls.of(started), counting="replace"), started)
    case = Case.of(trial)
    plan, done = case.plan, screen.calendar(case)
    size = trial.conduct.simulation
    assert done.trials == size.trials == screen.LIVE_TRIALS
    report = simulation.simulate(plan, trial.scenarios, size.trials, size.seed)
    for label in ("p0", "p1"):
        for name in conduct_tables.running(plan.design):
            assert done[label][name].value == report[label][name].value
            assert done[label][name].mcse == report[label][name].mcse
            assert done[label][name].exact == report[label][name].exact
    shown = conduct_tables.calendar(done).view()
    assert "±" in shown.iloc[-1, 1]
    assert "4,000 simulated trials, seed 1" in conduct_tables.calendar(done).caption


def test_a_chart_holds_its_curves_and_escapes_its_words():
    x = np.linspace(0, 1, 3)
    chart = charts.Chart(
        title="<t>",
        x_label="x & y",
        alt='said "so"',
        x=x,
        curves=[charts.Stroke(x, "#000", "--")],
        top=1.0,
        x_marks=[(0.25, "a"), (0.5, "b")],
        y_marks=[],
        x_form=str,
        y_form=str,
    )
    drawn = chart.svg()
    assert "<t>" not in drawn
    assert "x &amp; y" in drawn
    points = re.search(r'points="([^"]+)"', drawn)[1].split()
    left, right = charts.LEFT, charts.WIDTH - charts.RIGHT
    top, bottom = charts.TOP, charts.HEIGHT - charts.BOTTOM
    assert points == [
        f"{left:.1f},{bottom:.1f}",
        f"{(left + right) / 2:.1f},{(top + bottom) / 2:.1f}",
        f"{right:.1f},{top:.1f}",
    ]


# the page


def test_the_first_screen_is_exact(explorer):
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    found = search.two_stage(asked)
    said = shown(explorer, "candidates")
    for design in (*found.admissible, search.single_stage(asked).first, search.single_stage(asked).sustained):
        assert looks_text(design, ", ") in said
        assert rate(design.type_i_error) in said
        assert rate(design.power) in said
        assert f"{design.en_p0:.1f}" in said
    assert squeezed(str(text.protocol(Case.of(explorer.trial)))) in squeezed(shown(explorer, "statement"))
    assert "continue to 25 patients" in shown(explorer, "decisions")
    assert explorer.panels["curves"].value.count("<polyline") == 3 * 3  # the design taken is the minimax


def test_moving_a_slider_changes_every_number(explorer):
    explorer.numbers["p1"].slider.value = 0.34999999999999998  # what a browser sends
    assert explorer.inputs["p1"].value == "0.35"
    found = search.two_stage(Requirements(0.1, 0.35, 0.05, 0.8)).minimax
    assert looks_text(found, ", ") in shown(explorer, "status")
    assert percent(found.power) in shown(explorer, "statement")
    assert "p1 = 0.35" in shown(explorer, "calendar")


def test_a_slider_rounded_by_the_browser_has_not_moved(explorer):
    explorer.inputs["rate"].value = "1.4205"
    explorer.numbers["rate"].slider.value = 1.4
    assert explorer.inputs["rate"].value == "1.4205"
    explorer.numbers["rate"].slider.value = 1.5
    assert explorer.inputs["rate"].value == "1.5"


MOVES = st.tuples(
    st.sampled_from(["p0", "p1"]), st.one_of(st.floats(-1, 2), st.floats(0.01, 0.99), st.text(max_size=4))
)


@pytest.mark.long
@given(st.lists(MOVES, min_size=1, max_size=12))
@settings(max_examples=15, deadline=None)
def test_nothing_that_is_typed_is_changed_and_p0_stays_below_p1(moves):
    explorer = Explorer()
    for name, value in moves:
        box = explorer.inputs[name]
        box.value = typed = str(value)
        assert box.value == typed
        p0, p1 = explorer.numbers["p0"], explorer.numbers["p1"]
        assert p0.value < p1.value or p0.fault or p1.fault
        faulty = bool(p0.fault or p1.fault)
        assert ("simtrial-held" in explorer.page._dom_classes) >= faulty
        if explorer.trial is not None and "simtrial-held" not in explorer.page._dom_classes:
            assert (explorer.trial.hypotheses.p0, explorer.trial.hypotheses.p1) == (p0.value, p1.value)


SLIPS = [
    ("p0", "15", "15 is not a rate: write 0.15 for 15%"),
    ("p0", "15%", "15% is a percentage: write 0.15"),
    ("p0", "12,5 %", "12,5 % is a percentage: write 0.125"),
    ("p1", "0,15", "0,15 uses a decimal comma: write 0.15"),
    ("p1", "30,5", "30,5 uses a decimal comma: write 0.305 for 30.5%"),
    ("p0", "1/10", "1/10 is a fraction: write 0.1"),
    ("p0", "", "the box is empty: write a rate such as 0.1"),
    ("p0", "  ", "the box is empty: write a rate such as 0.1"),
    ("p0", "ten", "ten is not a number: write a rate such as 0.1"),
    ("p0", "nan", "nan is not a number: write a rate such as 0.1"),
    ("p0", "1_0", "1_0 is not a number: write a rate such as 0.1"),
    ("p0", "-0.1", "-0.1 is negative: write a rate such as 0.1"),
    ("p0", "0", "0 is not above 0: write a rate such as 0.1"),
    ("p0", "1", "1 means 100%: write 0.01 for 1%"),
    ("p0", "1e999", "1e999 is not a rate: write a number between 0 and 1, such as 0.1"),
    ("p0", "x" * 99, f"{'x' * 24}… is not a number: write a rate such as 0.1"),
    ("power", "0.2", "0.2 is a power below 0.5: did you mean 0.8 (1 - beta)?"),
    ("power", "80", "80 is not a probability: write 0.8 for 80%"),
    ("power", "20%", "20% is a percentage: write 0.8 (1 - 0.2)"),
    ("alpha", "0.95", "0.95 is too large for alpha, the type I error: did you mean 0.05 (1 - 0.95)?"),
    ("alpha", "5", "5 is not a probability: write 0.05 for 5%"),
    ("dropout", "10", "10 is not a proportion: write 0.1 for 10%"),
    ("screening", "90%", "90% is a percentage: write 0.9"),
    ("screening", "0", "0 is too small, the limit is 0.01: write a proportion such as 0.9"),
    ("rate", "0", "0 is too small, the limit is 0.0001: write a number of patients such as 2"),
    ("rate", "1,000", "1,000 contains a comma: write 1000, or 1 if the comma marks decimals"),
    ("rate", "1e9", "1e9 is too large, the limit is 100,000: write a number of patients such as 2"),
    ("readout", "-1", "-1 is negative: write a number of months such as 4"),
    ("readout", "4 months", "4 months contains more than a number: write 4"),
]


@pytest.mark.parametrize(("name", "typed", "fault"), SLIPS)
def test_a_refused_entry_stays_in_its_box_explained_with_the_last_valid_answer(explorer, name, typed, fault):
    before, trial, answer = screen_of(explorer), explorer.trial, shown(explorer, "status")
    head = entries.NUMBERS[name].head
    last = explorer.inputs[name].value
    explorer.inputs[name].value = typed
    assert explorer.inputs[name].value == typed
    said = html.unescape(re.sub(r"<[^>]+>", "", explorer.numbers[name].note.value))
    assert said.lower() == fault.lower()  # a note begins with a capital letter
    assert "simtrial-refused" in explorer.numbers[name].row._dom_classes
    assert (screen_of(explorer), explorer.trial) == (before, trial)
    assert squeezed(shown(explorer, "status")) == squeezed(
        f"{head}: {fault} The results below are those of the last valid input ({head} = {last}). {answer}"
    )
    assert "This file holds the last valid input" in explorer.inputs["download"].value
    explorer.inputs[name].value = last
    assert explorer.numbers[name].note.value == ""
    assert "simtrial-refused" not in explorer.numbers[name].row._dom_classes
    assert "simtrial-held" not in explorer.page._dom_classes
    assert shown(explorer, "status") == answer
    assert "last valid input" not in explorer.inputs["download"].value


def test_all_refused_entries_are_listed_and_the_rest_waits_for_them(explorer):
    explorer.inputs["p0"].value = "15"
    explorer.inputs["power"].value = "0.2"
    explorer.inputs["dropout"].value = "0.2"
    said = squeezed(shown(explorer, "status"))
    assert "p0: 15 is not a rate" in said
    assert "Power: 0.2 is a power below 0.5" in said
    assert "(p0 = 0.1, Power = 0.8, Dropout = 0.1)" in said
    assert explorer.trial.conduct.dropout.probability == 0.1
    explorer.inputs["p0"].value = "0.15"
    explorer.inputs["power"].value = "0.9"
    assert (explorer.trial.hypotheses.p0, explorer.trial.hypotheses.power) == (0.15, 0.9)
    assert explorer.trial.conduct.dropout.probability == 0.2


def test_a_slider_takes_over_from_a_refused_entry(explorer):
    explorer.inputs["p0"].value = "15"
    explorer.numbers["p0"].slider.value = 0.12
    assert (explorer.inputs["p0"].value, explorer.trial.hypotheses.p0) == ("0.12", 0.12)
    assert explorer.numbers["p0"].note.value == ""


@pytest.mark.parametrize(
    ("moved", "value", "other", "pushed", "back", "home"),
    [("p0", "0.5", "p1", "0.51", "0.1", "0.3"), ("p1", "0.05", "p0", "0.04", "0.3", "0.1")],
)
def test_a_rate_that_was_pushed_says_so_and_moves_back(explorer, moved, value, other, pushed, back, home):
    before = screen_of(explorer)
    explorer.inputs[moved].value = value
    assert explorer.inputs[other].value == pushed
    assert f"Moved from {home}" in explorer.numbers[other].note.value
    assert f"{other} was moved from {home} to {pushed}" in shown(explorer, "status")
    explorer.inputs[moved].value = back
    assert explorer.inputs[other].value == home
    assert explorer.numbers[other].note.value == ""
    assert f"{other} is back at {home}" in shown(explorer, "status")
    assert screen_of(explorer) == before


def test_a_rate_that_a_hand_put_somewhere_else_does_not_move_back(explorer):
    explorer.inputs["p0"].value = "0.5"  # pushes p1 to 0.51
    explorer.numbers["p1"].slider.value = 0.7
    explorer.inputs["p0"].value = "0.1"
    assert explorer.inputs["p1"].value == "0.7"


def test_a_rate_next_to_1_waits_for_room(explorer):
    explorer.inputs["p0"].value = "0.995"  # p1 = 1.005 is no rate
    assert "leaves no room for p1" in explorer.numbers["p0"].note.value
    assert explorer.inputs["p1"].value == "0.3"
    explorer.inputs["p1"].value = "0.9999"
    assert explorer.numbers["p0"].note.value.count("outside the range of the slider") <= 1
    assert not explorer.numbers["p0"].fault
    assert (explorer.numbers["p0"].value, explorer.numbers["p1"].value) == (0.995, 0.9999)


def test_a_p1_set_while_p0_is_refused_is_kept(explorer):
    explorer.inputs["p0"].value = "15"
    explorer.numbers["p1"].slider.value = 0.35
    explorer.inputs["p0"].value = "0.15"
    assert (explorer.inputs["p0"].value, explorer.inputs["p1"].value) == ("0.15", "0.35")


def test_screening_success_is_shown_as_patients_screened_and_written(explorer):
    enrolled = next(r for r in explorer.panels["calendar"].value.split("<tr") if "patients enrolled" in r)
    explorer.inputs["screening"].value = "0.5"
    rows = explorer.panels["calendar"].value.split("<tr")
    assert next(r for r in rows if "patients enrolled" in r) == enrolled
    numbers = [
        [float(x) for x in re.findall(r"<td[^>]*>([0-9.]+)</td>", next(r for r in rows if f"patients {kind}" in r))]
        for kind in ("screened", "enrolled")
    ]
    assert len(numbers[0]) == len(numbers[1]) == 2
    for screened, enrolled_ in zip(*numbers, strict=True):
        assert screened == pytest.approx(2 * enrolled_, abs=0.02)  # one of two enrolled; both rounded to 2 digits
    assert explorer.trial.conduct.enrollment.screening_success == 0.5
    name, data = downloaded(explorer)
    other = Explorer()
    put(other, name, data)
    assert other.inputs["screening"].value == "0.5"
    assert screen_of(other) == screen_of(explorer)


def test_values_of_a_file_beyond_the_sliders_are_kept_and_told(explorer):
    own = OWN_LAWS.replace("p0: 0.1234, p1: 0.3217, alpha: 0.05", "p0: 0.003, p1: 0.2, alpha: 0.3")
    own = own.replace("{model: ramp, rate: 31.5, ramp_months: 6, ", "{model: constant, rate: 31.5, ")
    put(explorer, "own.yaml", own.replace('{looks: "1/15,6/30"}', "{criterion: optimal}").encode())
    assert "outside the range of the sliders, but used: p0 = 0.003, alpha = 0.3, Enrollment = 31.5" in shown(
        explorer, "status"
    )
    for name, value in (("p0", 0.003), ("alpha", 0.3), ("rate", 31.5)):
        number = explorer.numbers[name]
        assert (number.value, float(number.box.value)) == (value, value)
        assert "Outside the range of the slider" in number.note.value
        assert number.slider.min <= number.slider.value <= number.slider.max
    assert explorer.trial.hypotheses.p0 == 0.003
    assert explorer.trial.conduct.enrollment.rate == 31.5


def test_a_law_of_the_file_comes_back_with_its_number(explorer):
    put(explorer, "own.yaml", OWN_LAWS.encode())
    explorer.inputs["own enrollment"].value = False
    explorer.inputs["rate"].value = "5 patients"
    explorer.inputs["own enrollment"].value = True
    assert explorer.inputs["rate"].value == "31.5"
    assert explorer.trial == trial_of(OWN_LAWS)


def test_a_question_without_an_answer_says_so_over_the_last_one(explorer):
    before = screen_of(explorer), explorer.trial
    explorer.inputs["p1"].value = "0.103"
    assert "too near p0" in shown(explorer, "status")
    assert "last valid input (p1 = 0.3)" in shown(explorer, "status")
    assert (screen_of(explorer), explorer.trial) == before


def test_corners_say_so_instead_of_spinning(explorer):
    explorer.inputs["p1"].value = "0.14"
    assert "Press Search" in shown(explorer, "status")
    assert explorer.inputs["search"].layout.display != "none"
    assert "exact single stage" in shown(explorer, "candidates")
    assert explorer.inputs["download"].value == ""
    assert explorer.trial is None
    explorer.inputs["search"].click()
    found = search.two_stage(Requirements(0.1, 0.14, 0.05, 0.8)).minimax
    assert looks_text(found, ", ") in shown(explorer, "status")
    explorer.inputs["dropout"].value = "0.2"  # the search of the same question is not asked for again
    assert looks_text(found, ", ") in shown(explorer, "status")
    explorer.inputs["counting"].value = "exclude/recut"
    assert "at most 150 patients" in shown(explorer, "status")


def test_a_design_chosen_by_its_looks_gives_way_to_a_question_it_does_not_answer(explorer):
    explorer.inputs["design"].value = "1/12,5/26"
    assert "1/12, 5/26" in shown(explorer, "status")
    explorer.inputs["p1"].value = "0.32"
    assert explorer.inputs["design"].value == "1/12,5/26"  # it still answers, though others do it better
    explorer.inputs["p1"].value = "0.28"
    assert explorer.inputs["design"].value == "minimax"
    assert "1/12, 5/26 does not meet these limits" in shown(explorer, "status")


def test_every_control_is_heard(explorer):
    moves = {
        "p0": "0.12", "p1": "0.33", "alpha": "0.04", "power": "0.85", "design": "optimal", "dropout": "0.15",
        "rate": "3", "screening": "0.75", "readout": "2", "accrual": "continue", "decide": "known", "losses": "run",
        "among": "evaluable",
        "counting": "replace",
    }  # fmt: skip
    for name, value in moves.items():
        before = screen_of(explorer)
        explorer.inputs[name].value = value
        assert screen_of(explorer) != before, name
        assert getattr(controls.of(explorer.trial), name) == (float(value) if name in explorer.numbers else value)


def test_the_calendar_chooses_on_request_where_its_laws_are_exact(explorer):
    offered = dict(explorer.inputs["design"].options)
    assert [name for name, key in offered.items() if key in CALENDAR] == [
        "fastest at p0", "fastest at p1", "fewest enrolled at p0",  # and no date by which a decision would be in time
    ]  # fmt: skip
    explorer.inputs["design"].value = "fastest_p1"
    assert "5/25" in shown(explorer, "status")  # with a hold of four months a single stage is decided sooner at p1
    assert explorer.trial.design.criterion == "fastest_p1"
    explorer.inputs["design"].value = "minimax"
    explorer.inputs["counting"].value = "replace"  # whose months have no law
    assert [key for _, key in explorer.inputs["design"].options if key in CALENDAR] == ["least_enrolled_p0"]


def test_the_limits_hold_as_the_trial_is_run_on_request(explorer):
    explorer.inputs["losses"].value = "run"
    asked, limits = Requirements(0.1, 0.3, 0.05, 0.8), Requirements(0.1, 0.27, 0.05, 0.8)  # .3 x (1 - .1)
    found = search.two_stage(limits).minimax
    assert looks_text(found, ", ") in shown(explorer, "status")
    assert "With every patient evaluable the design would be 1/15, 5/25" in shown(explorer, "status")
    assert words.searched_at(limits, asked) in shown(explorer, "statement")
    explorer.inputs["among"].value = "evaluable"
    other = search.two_stage(Requirements(0.09, 0.27, 0.05, 0.8)).minimax
    assert looks_text(other, ", ") in shown(explorer, "status")
    assert (explorer.trial.design.losses, explorer.trial.hypotheses.p0_among) == ("run", "evaluable")
    explorer.inputs["counting"].value = "replace"
    assert explorer.trial.hypotheses.p0_among is None
    assert explorer.inputs["among"].layout.display == "none"


@pytest.mark.parametrize("counting", ["nonresponder", "replace", "exclude/fixed", "exclude/recut"])
def test_download_and_reload_give_the_same_screen(explorer, counting):
    explorer.inputs["p1"].value = "0.33"
    explorer.inputs["counting"].value = counting
    explorer.inputs["accrual"].value = "continue"
    explorer.inputs["design"].value = "optimal"
    name, data = downloaded(explorer)
    assert params.opened(data, name) == explorer.trial
    other = Explorer()
    put(other, name, data)
    assert screen_of(other) == screen_of(explorer)
    assert other.trial == explorer.trial
    assert downloaded(other) == (name, data)


@pytest.mark.parametrize("source", [*FILES, "own"])
def test_opening_a_file_fills_the_page(explorer, source, root):
    data = OWN_LAWS.encode() if source == "own" else (root / f"params/{source}.yaml").read_bytes()
    put(explorer, f"{source}.yaml", data)
    assert f"Opened {source}.yaml" in shown(explorer, "status")
    trial = controls.complete(params.opened(data, "x"))
    assert explorer.trial == trial
    assert explorer._settings() == controls.of(trial)
    assert params.opened(downloaded(explorer)[1], "x") == trial
    assert explorer.inputs["file"].value == ()


@pytest.mark.parametrize(("parts", "kept"), [(["analysis"], None), (["design", "analysis"], ("design",))])
def test_a_file_whose_report_analyses_results_is_opened_without_that_part(parts, kept):
    plain = controls.START | {"analysis": {"responses": 2}, "report": {"parts": parts}}
    trial = controls.complete(params.load(plain))
    assert (trial.report and trial.report.parts) == kept


def test_a_number_stands_still_while_the_files_own_law_is_in_force(explorer):
    put(explorer, "own.yaml", OWN_LAWS.encode())
    assert "its results are ignored" in shown(explorer, "status")
    assert explorer.inputs["rate"].disabled
    assert explorer.inputs["rate"].value == "31.5"  # beyond the page's own range
    assert explorer.inputs["own enrollment"].layout.display != "none"
    explorer.inputs["own enrollment"].value = False
    assert not explorer.inputs["rate"].disabled
    assert explorer.trial.conduct.enrollment.model == "constant"
    explorer.inputs["own enrollment"].value = True
    assert explorer.trial == trial_of(OWN_LAWS)


BAD = {
    "order": OWN_LAWS.replace("p0: 0.1234", "p0: 0.4"),
    "unknown": OWN_LAWS.replace("alpha:", "alhpa:"),
    "yaml": "trial: {study: [}",
    "tag": "trial: !!python/object/apply:os.system ['true']",
    "twice": "trial: {}\ntrial: {}",
    "near": OWN_LAWS.replace("p1: 0.3217", "p1: 0.124").replace('{looks: "1/15,6/30"}', "{criterion: minimax}"),
    "mark-up": OWN_LAWS.replace("model: ramp", "'<script>alert(1)</script>': ramp"),
    "bytes": "\udcff",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_wrong_file_gets_the_one_line_of_the_command_line(explorer, kind, tmp_path, monkeypatch, capsys):
    before = screen_of(explorer), explorer.trial
    data = BAD[kind].encode(errors="surrogateescape")
    put(explorer, "bad.yaml", data)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_bytes(data)
    assert main(["report", "bad.yaml"]) == 2
    lines = [squeezed(line.removeprefix("simtrial: ")) for line in capsys.readouterr().err.splitlines()]
    assert lines[0].startswith("bad.yaml")
    said = squeezed(shown(explorer, "status"))
    assert said.startswith(" ".join(lines))
    assert "the page still shows" in said
    assert "Refused: bad.yaml" in explorer.inputs["file note"].value
    assert (screen_of(explorer), explorer.trial) == before
    assert "<script>" not in explorer.panels["status"].value
    explorer.inputs["dropout"].value = "0.2"  # and the page goes on from where it was
    assert "1/15, 5/25" in shown(explorer, "status")


def test_the_words_of_a_file_never_become_markup(explorer):
    bad = OWN_LAWS.replace("label: half", "label: '<img src=x onerror=alert(1)>'").replace("id: OWN", "id: OWN.x")
    put(explorer, "<b>file</b>.yaml", bad.encode())
    everything = "".join(panel.value for panel in explorer.panels.values()) + explorer.inputs["download"].value
    assert "Opened &lt;b&gt;file&lt;/b&gt;.yaml" in everything
    assert "<img" not in everything
    assert "<b>" not in everything


def test_a_file_without_a_conduct_is_run_as_the_page_says(explorer):
    sections = ("study: {id: P, title: t}", "hypotheses: {p0: 0.2, p1: 0.4, alpha: 0.1, power: 0.8, basis: assumed}")
    put(explorer, "p.yaml", "\n  ".join(["trial:", *sections, "design: {criterion: optimal}"]).encode())
    assert "how the trial is run is not stated" in shown(explorer, "status")
    assert explorer.trial.conduct == params.load(controls.START).conduct
    assert "2/12, 7/25" in shown(explorer, "status")


def test_a_given_design_that_misses_the_limits_is_shown_with_a_warning(explorer):
    bad = OWN_LAWS.replace("1/15,6/30", "1/15,9/30")
    put(explorer, "own.yaml", bad.encode())
    assert "does not meet the required limits" in shown(explorer, "status")
    assert "NOT READY FOR A PROTOCOL" in shown(explorer, "statement")
    assert "misses the limits" in shown(explorer, "candidates")
    assert explorer.inputs["design"].value == looks_text(parse_looks("1/15,9/30"))


# the glossary


def test_every_control_is_named_and_explained_by_the_glossary(explorer):
    heads = {term.head: term.meaning for term in glossary.TERMS.values()}
    for name in layout.CHOICES:
        assert explorer.inputs[name].tooltip == heads[explorer.inputs[name].description]
    for name, number in explorer.numbers.items():
        head, _, hint = number.box.description.partition(": ")
        assert hint, name
        assert number.box.tooltip == number.slider.tooltip == heads[head]
    for name in layout.OWN:
        assert explorer.inputs[f"own {name}"].tooltip
    assert explorer.inputs["search"].tooltip
    assert explorer.inputs["file"].tooltip


def test_every_heading_of_a_table_is_explained(explorer):
    for panel in ("candidates", "decisions", "calendar"):
        heads = re.findall(r"<th([^>]*)>([^<]+)</th>", explorer.panels[panel].value)
        assert heads
        assert [shown for attributes, shown in heads if " title=" not in attributes] == []
    rows = re.findall(r"<tr><td([^>]*)>([^<]+)</td>", explorer.panels["calendar"].value)
    assert len(rows) > 5
    assert [shown for attributes, shown in rows if " title=" not in attributes] == []


def test_the_glossary_holds_every_term_that_has_a_meaning():
    page = html.unescape(terms.page())
    for term in glossary.TERMS.values():
        assert not term.meaning or f"<dt>{term.head}</dt><dd>{term.meaning}</dd>" in page


def test_every_name_stands_once_in_the_sections_that_are_shown():
    sections = [section for _, section in terms.PARTS]
    keys = [key for section in (*sections, glossary.PLAIN) for key in section]
    assert sorted(keys) == sorted(glossary.TERMS)
    heads = [term.head.casefold() for section in sections for term in section.values() if term.meaning]
    assert [head for head in heads if heads.count(head) > 1] == []


# the command


@pytest.mark.parametrize(
    ("words", "said"), [(["--port", "0"], "port (0) is not a whole number from 1 to 65,535"), (["--port", "x"], "'x'")]
)
def test_a_wrong_port_is_refused(words, said, capsys):
    assert main(["explore", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_port_in_use_is_told(capsys):
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["explore", "--no-browser", "--port", str(port)]) == 2
    assert f"port ({port}) is in use" in capsys.readouterr().err


@pytest.mark.kernel
def test_the_downloaded_file_makes_a_report_of_just_this_screen(explorer, tmp_path, monkeypatch, spare_bitmaps):
    spare_bitmaps(monkeypatch)
    monkeypatch.setattr(report_run, "NOTEBOOKS", ("01_design", "03_enrollment_and_dropout"))  # all that a screen shows
    explorer.inputs["p1"].value = "0.6"
    explorer.inputs["p0"].value = "0.2"
    explorer.inputs["counting"].value = "replace"  # simulated, so seed and number of trials count too
    name, data = downloaded(explorer)
    (tmp_path / name).write_bytes(data)
    done = report_run.write(tmp_path / name, tmp_path / "build", docx=False)
    made = {path.stem: path for path in done.folder.rglob("*") if path.suffix in (".csv", ".txt")}
    assert squeezed(made["statement"].read_text(encoding="utf-8")) in squeezed(shown(explorer, "statement"))
    assert squeezed(made["conduct_cost"].read_text(encoding="utf-8")) in squeezed(shown(explorer, "calendar"))
    candidates = pd.read_csv(made["candidates"])
    for row in candidates.itertuples():
        assert f"{row.looks} {row.n}" in squeezed(shown(explorer, "candidates"))
        assert f"{rate(row.type_i_error)} {rate(row.power)} {row.en_p0:.1f}" in squeezed(shown(explorer, "candidates"))
    run = pd.read_csv(made["conduct_scenarios"], dtype=str).set_index("scenario")
    for outcome in conduct_tables.running(done.design):
        label = simulation.OUTCOMES[outcome].label
        both = " ".join(run.loc[p, f"{outcome}_shown"] for p in ("p0", "p1"))
        assert f"{label} {both}" in squeezed(shown(explorer, "calendar")), outcome
    assert "±" in shown(explorer, "calendar")
