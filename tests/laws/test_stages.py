"""Means of many designs at once: equal to the laws of each, and never below a bound."""

import dataclasses

import numpy as np
import pytest

from simtrial import Requirements, SingleStage, TwoStage
from simtrial.conduct import simulation
from simtrial.laws import laws, stages
from simtrial.laws.integrals import known_law, look_months
from simtrial.months import WEEK
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import Conditional, Interim, Plan, Scenario

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)
FIXED, SCANS = Disease(Assessments.fixed(4.0)), Disease(Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK))
DESIGNS = [
    TwoStage(1, 10, 5, 29),
    TwoStage(1, 15, 5, 25),
    TwoStage(0, 3, 5, 27),
    SingleStage(5, 25),
    TwoStage(4, 26, 5, 27),
]
N1, N = (np.array(sizes) for sizes in ([10, 15, 3, 0, 26], [29, 25, 27, 25, 27]))
R1 = np.array([1, 1, 0, -1, 4])


STEADY, HOLD = Constant(2.0), Interim(True, None, 0.5)


def plan(arrivals=STEADY, disease=FIXED, handling="nonresponder", rule=HOLD, **more):
    return Plan(DESIGNS[0], arrivals, disease, Dropout(0.1), handling=handling, interim=rule, **more)


PLANS = {
    "hold": plan(),
    "hold, scans": plan(disease=SCANS),
    "hold, centres": plan(Centres((0,) * 6, 0.35, 2.0)),
    "hold, replaced": plan(handling="replace"),
    "hold, recut": plan(handling="exclude", recut=ASKED),
    "continue": plan(rule=Interim(False)),
    "continue, ramp": plan(Ramp(2.0, 6.0), rule=Interim(False)),
    "continue, lag": plan(rule=Interim(False, None, 0.5)),
    "continue, scans": plan(disease=SCANS, rule=Interim(False)),
    "extra": plan(rule=Interim(False, 3, 0.5)),
    "extra, periods": plan(Piecewise((0, 3), (1.0, 2.0)), rule=Interim(False, 3)),
    "no extra": plan(rule=Interim(False, 0)),
    "room for all": plan(rule=Interim(False, 40)),
    "hold, ramp": plan(Ramp(2.0, 6.0)),
    "closes": plan(close_month=16.0),
    "closes, continue": plan(close_month=16.0, rule=Interim(False)),
    "staggered": plan(Centres((0, 0, 1, 3), 0.5, 2.0), rule=Interim(False)),
    "continue, replaced": plan(handling="replace", rule=Interim(False)),
}
EACH = pytest.mark.parametrize("given", PLANS.values(), ids=PLANS)
RATES = pytest.mark.parametrize("p", [0.1, 0.3])


def by_law(given, p, name):
    found = [laws.exact_values(dataclasses.replace(given, design=d), Scenario("", p)).get(name) for d in DESIGNS]
    return np.array([np.nan if value is None else value for value in found])


@EACH
@RATES
def test_pet_months_and_patients_are_those_of_each_design_by_itself(given, p):
    pet = stages.pet(given, p, R1, N1)
    if given.close_month is None:
        assert pet == pytest.approx(by_law(given, p, "pet"), abs=1e-12)
    months = stages.months(given, p, N1, N).mean(pet)
    # waits are taken to be constant where they may still grow by 1e-7
    assert months == pytest.approx(by_law(given, p, "duration_months"), abs=2e-7, nan_ok=True)
    enrolled = stages.enrolled(given, p, N1, N).mean(pet)
    assert enrolled == pytest.approx(by_law(given, p, "n_enrolled"), rel=1e-12, nan_ok=True)


def simulated(given, p, month):
    """Months, patients and lateness of each design, with standard errors."""
    for design in DESIGNS:
        of = dataclasses.replace(given, design=design)
        done, _ = simulation.block(of, Scenario("", p), 0, 1, 0)
        rows = np.array([done.decision, done.enrolled, done.decision > month], dtype=float)
        yield rows.mean(axis=1), rows.std(axis=1) / np.sqrt(rows.shape[1])


@EACH
@pytest.mark.parametrize("month", [12.0, 20.0])
def test_what_is_simulated_lies_above_the_bounds_and_near_the_exact_values(given, month):
    p = 0.1
    pet = stages.pet(given, p, R1, N1)
    bounds = [
        stages.months_at_least(given, p, N1, N).mean(pet),
        stages.enrolled_at_least(given, p, N1, N).mean(pet),
        stages.late_at_least(given, p, N1, N, month).mean(pet),
    ]
    late = stages.late(given, p, N1, N, month).mean(pet)
    for i, (mean, error) in enumerate(simulated(given, p, month)):
        error = np.maximum(error, 1e-3)  # of a share on which all trials of a block agree
        for measure, bound in enumerate(bounds):
            assert bound[i] <= mean[measure] + 4 * error[measure]
        if not np.isnan(late[i]):
            assert late[i] == pytest.approx(mean[2], abs=4 * error[2])


@EACH
@RATES
def test_exact_values_are_no_smaller_than_the_bounds(given, p):
    pet, month = stages.pet(given, p, R1, N1), 16.0
    for exact, bound in (
        (stages.months(given, p, N1, N), stages.months_at_least(given, p, N1, N)),
        (stages.enrolled(given, p, N1, N), stages.enrolled_at_least(given, p, N1, N)),
        (stages.late(given, p, N1, N, month), stages.late_at_least(given, p, N1, N, month)),
    ):
        found = exact.mean(pet)
        known = ~np.isnan(found)
        assert (found[known] >= bound.mean(pet)[known] - 1e-9).all()  # rounding


@EACH
def test_a_trial_that_stops_is_no_longer_and_bounds_rise_with_n(given):
    p = 0.1
    n = np.arange(11, 31)
    for bound in (stages.months_at_least, stages.enrolled_at_least):
        found = bound(given, p, np.full(n.size, 10), n)
        assert (found.stopped <= found.onward + 1e-9).all()
        assert (np.diff(found.onward) >= -1e-9).all()


def test_the_wait_for_statuses_is_constant_where_it_is_taken_to_be():
    arrivals, known = Constant(2.0), known_law(SCANS, Dropout(0.1), 0.1)
    found = stages.months(plan(disease=SCANS), 0.1, np.zeros(3, dtype=int), np.array([40, 60, 90])).onward
    each = [look_months(arrivals, n, known) for n in (40, 60, 90)]
    assert found == pytest.approx(each, abs=1e-6)  # what `look_months` itself promises


@pytest.mark.parametrize(
    "rule",
    [
        Interim(hold=True, decide="known"),
        Interim(hold=True, max_hold=1.0),
        Interim(hold=True, conditional=Conditional(0.3, 0.3)),
    ],
)
def test_a_look_that_does_not_wait_has_neither_law_nor_bound_for_all_designs_at_once(rule):
    given = plan(rule=rule)
    assert not given.interim.waits
    assert np.isnan(stages.months(given, 0.1, N1, N).onward).all()
    assert not stages.months_at_least(given, 0.1, N1, N).onward.any()
