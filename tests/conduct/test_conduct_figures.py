"""Figures of the conduct: what they draw, and that every text of them can be read."""

import dataclasses

import numpy as np
import pytest
from drawn import texts, unreadable

from simtrial import Requirements, parse_looks
from simtrial.conduct import figures as conduct_figures
from simtrial.conduct import followed, ranges, sensitivity, simulation
from simtrial.plan.plan import Scenario
from simtrial.trial import params
from simtrial.trial.case import Case

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)


@pytest.fixture(scope="module")
def trial(root):
    return params.load(root / "params/NCT07022301.yaml")


@pytest.fixture(scope="module")
def plan(trial):
    return Case.of(trial).plan


@pytest.fixture(scope="module")
def changed(plan):
    return sensitivity.analyse(plan, ASKED, 1000, 1)


def sensitive(base, *changes):
    """A sensitivity with given values: base and (assumption, setting, values)."""
    none = dict.fromkeys(base, 0.0)
    variants = tuple(sensitivity.Variant(a, s, base | v, none) for a, s, v in changes)
    return sensitivity.Sensitivity(sensitivity.Variant("", "", base, none), variants, 1000, 1)


BASE = {"type_i_error": 0.04, "power": 0.8, "n_enrolled_p0": 20.0, "duration_p1": 25.0}


def test_a_tornado_has_panels_and_bars_only_where_something_moves():
    found = sensitive(
        BASE,
        ("Dropout", "20%", {"power": 0.6, "n_enrolled_p0": 18.0}),
        ("Dropout", "0%", {"power": 0.9}),
        ("Enrollment rate", "-25%", {"duration_p1": 30.0}),
        ("Time to decide", "0 weeks", {}),
        ("Closing of accrual", "never", {}),
    )
    picture = conduct_figures.tornado(found)
    titles = [axis.get_title(loc="left") for axis in picture.figure.axes if axis.axison]
    assert titles == [
        "Power, as planned: 0.800", "Patients enrolled at p0, as planned: 20.0",
        "Months to the decision at p1, as planned: 25.0",
    ]  # fmt: skip
    names = [[label.get_text() for label in axis.get_yticklabels()] for axis in picture.figure.axes if axis.axison]
    assert names == [["Dropout"], ["Dropout"], ["Enrollment rate"]]
    assert "No panel is drawn for results that no assumption changes: Type I error." in picture.caption
    assert "Time to decide and Closing of accrual change none of the results." in picture.caption
    said = [text for text, _ in texts(picture.figure)]
    assert {"20%", "0%", "-25%"} <= set(said)
    assert "0 weeks" not in said


def test_a_tornado_of_nothing_that_moves_says_so():
    picture = conduct_figures.tornado(sensitive(BASE, ("Time to decide", "0 weeks", {})))
    assert [text for text, _ in texts(picture.figure)] == ["No assumption changes any of these results."]
    assert "Time to decide changes none of the results." in picture.caption


def test_a_simulated_difference_within_two_standard_errors_moves_nothing():
    found = sensitive(BASE, ("Dropout", "20%", {"duration_p1": 25.5}))
    noisy = [dataclasses.replace(v, mcse=v.mcse | {"duration_p1": 0.2}) for v in (found.base, *found.variants)]
    assert ranges.moving(found, "duration_p1")
    found = dataclasses.replace(found, base=noisy[0], variants=(noisy[1],))
    assert not ranges.moving(found, "duration_p1")  # 0.5 is less than 2 x sqrt(0.2^2 + 0.2^2)
    assert ranges.simulated(found)


def test_no_text_of_a_tornado_lies_on_another_or_is_cut_off(changed):
    figure = conduct_figures.tornado(changed).figure
    assert not unreadable(figure)


def test_a_panel_with_fewer_bars_than_its_neighbour_ends_below_them():
    short = [("Dropout", "20%", {"n_enrolled_p0": 18.0})]
    long = [(f"Assumption {k}", "other", {"duration_p1": 25.0 + k}) for k in range(1, 5)]
    left, right = (a for a in conduct_figures.tornado(sensitive(BASE, *short, *long)).figure.axes if a.axison)
    assert (len(left.patches), len(right.patches)) == (2, 8)
    kind, bottom = left.spines["bottom"].get_position()
    lowest = min(bar.get_y() for bar in left.patches)
    assert kind == "data"
    assert lowest - 0.5 < bottom < lowest
    assert right.spines["bottom"].get_position()[1] == pytest.approx(right.get_ylim()[0])


def test_the_time_to_the_decision_is_doubled_in_whole_weeks(changed):
    settings = {v.setting for v in changed.variants if v.assumption == "Time to the decision"}
    assert settings == {"0 weeks", "4 weeks"}  # the file states 2


def test_the_shade_of_a_hold_lies_below_the_bars(plan):
    patches = conduct_figures.swimmer(plan, Scenario("p1", 0.3), 1, 1).figure.axes[0].patches
    holds = [patch for patch in patches if patch.get_alpha() == 0.1]
    bars = [patch for patch in patches if patch.get_alpha() is None]
    assert holds
    assert bars
    assert max(hold.get_zorder() for hold in holds) < min(bar.get_zorder() for bar in bars)


def test_names_of_looks_stand_above_the_bars_and_apart(plan):
    for looks in ("1/10,5/29", "0/5,1/7,2/9,8/40"):
        other = dataclasses.replace(plan, design=parse_looks(looks))
        figure = conduct_figures.swimmer(other, Scenario("p1", 0.3), 1, 1).figure
        assert not unreadable(figure)
        top = figure.axes[0].get_window_extent().y1
        named = [box for text, box in texts(figure) if "analysis" in text]
        assert len(named) == looks.count(",") + 1
        assert all(box.y0 >= top for box in named)


def test_bars_end_at_progression_or_the_last_contact(trial, plan):
    scenario = trial.scenarios[1]
    trials, rng = simulation.block(plan, scenario, 1, 1, 0)
    column = followed.ordinary(trials)
    found = followed.course(plan, trials, column, rng, np.inf)
    assert found.progressed.any()
    assert found.died.any()
    bars = [bar for bar in conduct_figures.swimmer(plan, scenario, 1, 1).figure.axes[0].patches if bar.get_height() < 1]
    ends = [bar.get_x() + bar.get_width() for bar in bars]
    assert len(ends) == int(trials.enrolled[column])
    for k, end in enumerate(ends):
        assert end == pytest.approx(found.progression[k] if found.progressed[k] else found.last[k])
        assert found.last[k] <= trials.end[column]
        assert end <= found.last[k]
