"""Patients enrolled beyond futility: the law against every sequence of responses, and against simulated trials."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from simtrial import Requirements, parse_looks
from simtrial.conduct import futility, simulation
from simtrial.laws import futility as laws_futility
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Conditional, Interim, Plan, Scenario
from simtrial.plan.recut import attained_bounds

ASKED = Requirements(0.1, 0.3, 0.05, 0.8)


def made(looks, lost=0.0, readout=3.0, **rest):
    given = {"handling": "nonresponder", "interim": Interim(True)} | rest
    return Plan(parse_looks(looks), Constant(2.0), Disease(Assessments.fixed(readout)), Dropout(lost), **given)


def decided(looks, sequence):
    """Whether a sequence of responses rejects H0, and how many patients it enrolls with a hold."""
    for k, look in enumerate(looks):
        x, final = sum(sequence[: look.n]), k == len(looks) - 1
        if (look.r is not None and x <= look.r) or final:
            return final and x > look.r, look.n
        if look.e is not None and x >= look.e:
            return True, look.n
    raise AssertionError


def by_hand(looks, sequence):
    """Patients after the first one after whom no continuation of the sequence rejects H0."""
    rejected, enrolled = decided(looks, sequence)
    if rejected:
        return 0
    n = looks[-1].n
    for i in range(n + 1):
        ends = itertools.product((0, 1), repeat=n - i)
        if not any(decided(looks, (*sequence[:i], *end))[0] for end in ends):
            return enrolled - i
    raise AssertionError


@pytest.mark.parametrize("looks", ["2/7", "0/3,2/7", "1/4,2/7", "0:2/3,2/7", "0/2,1:4/5,3/8", ":2/3,2/7"])
def test_the_law_is_that_of_every_sequence_of_responses(looks):
    design, p = parse_looks(looks), Fraction(3, 10)
    n = design.looks[-1].n
    mean = sum(
        (p ** sum(one) * (1 - p) ** (n - sum(one)) * by_hand(design.looks, one))
        for one in itertools.product((0, 1), repeat=n)
    )
    assert laws_futility.patients_beyond(made(looks), 0.3) == pytest.approx(float(mean), rel=1e-12)


def test_a_single_stage_enrolls_more_beyond_futility_than_two_stages_and_overrun_adds_to_them():
    single, two = (laws_futility.patients_beyond(made(looks), 0.1) for looks in ("5/25", "1/15,5/25"))
    assert single > two > 0
    ongoing = made("1/15,5/25", interim=Interim(False))
    overrun = simulation.expect(ongoing, [Scenario("p0", 0.1)], ["overrun"], 2, 1)["p0"]["overrun"].exact
    assert laws_futility.patients_beyond(ongoing, 0.1) - two == pytest.approx(overrun, rel=1e-12)


EXACT = {
    "a hold": made("1/10,5/29", 0.1),
    "continues": made("1/10,5/29", 0.1, interim=Interim(False)),
    "continues by two": made("1/10,5/29", 0.1, interim=Interim(False, 2, 0.5)),
    "replaced": made("1/10,5/29", 0.2, handling="replace"),
    "excluded": made("1/10,5/29", 0.2, handling="exclude"),
    "three looks": made("0/5,2:6/12,8/40"),
    "no futility bound first": made(":5/10,5/29", 0.1),
}


@pytest.mark.parametrize("name", EXACT)
def test_the_law_and_simulated_trials_agree(name):
    plan, scenario = EXACT[name], Scenario("p0", 0.15)
    exact = futility.expected(plan, scenario, 20_000, 1)
    found = futility.simulated(plan, scenario, 20_000, 1)
    assert exact.mcse == 0 < found.mcse
    assert found.value == pytest.approx(exact.value, abs=4 * found.mcse)


SIMULATED = {
    "known": made("1/10,5/29", interim=Interim(True, decide="known")),
    "conditional": made("1/10,5/29", interim=Interim(False, conditional=Conditional(0.3, 0.3))),
    "closing": made("1/10,5/29", close_month=14.0),
    "recalculated": made("1/10,5/29", 0.2, handling="exclude", recut=ASKED),
    "replaced, ongoing": made("1/10,5/29", 0.2, handling="replace", interim=Interim(False)),
    "a hold with a limit": made("1/10,5/29", interim=Interim(True, max_hold=1.0)),
}


@pytest.mark.parametrize("name", SIMULATED)
def test_where_there_is_no_law_trials_are_simulated(name):
    plan, scenario = SIMULATED[name], Scenario("p0", 0.1)
    assert laws_futility.patients_beyond(plan, 0.1) is None
    found = futility.expected(plan, scenario, 2000, 1)
    assert found.mcse > 0
    assert found.value > 0
    done, _ = simulation.block(plan, scenario, 0, 1, 0)
    counts = futility.beyond(plan, done)
    assert (counts[done.reject] == 0).all()
    assert (counts <= done.enrolled).all()


def test_deciding_when_known_leaves_only_the_overrun_of_the_delay():
    # with every status known at once, a look that decides when it is settled enrolls nobody beyond
    plan = made("1/10,5/29", readout=0.0, interim=Interim(True, decide="known"))
    assert futility.simulated(plan, Scenario("p0", 0.1), 1000, 1).value == 0
    assert laws_futility.patients_beyond(made("1/10,5/29", readout=0.0), 0.1) > 0


def test_recalculated_bounds_settle_a_trial_by_the_numbers_evaluable():
    plan = made("1/6,3/12", 0.3, handling="exclude", recut=ASKED)
    bounds = attained_bounds(plan.design, ASKED)
    done, _ = simulation.block(plan, Scenario("p0", 0.1), 0, 1, 0)
    responds, able = done.cohort.responds, done.cohort.evaluable

    def rejects(x, m):
        """Whether a trial rejects H0 whose patients respond and are evaluable so."""
        r, e = bounds.first[m[:6].sum()]
        if x[:6].sum() <= r:
            return False
        return x[:6].sum() >= e or x.sum() > bounds.final[m[:6].sum(), m.sum()]

    counts = futility.beyond(plan, done)
    for trial in range(300):
        x, m = responds[:, trial], able[:, trial]
        settling = 12
        for i in range(12, 0, -1):
            rest = np.ones(12 - i, dtype=np.int64)
            if not rejects(np.append(x[:i], rest), np.append(m[:i], rest)):
                settling = i
        assert counts[trial] == (0 if done.reject[trial] else max(done.enrolled[trial] - settling, 0))


def test_the_settling_patient_of_a_single_stage_is_the_20th_non_responder_of_25():
    p = 0.1
    mean = sum((25 - j) * math.comb(j - 1, 19) * (1 - p) ** 20 * p ** (j - 20) for j in range(20, 26))
    assert laws_futility.patients_beyond(made("5/25"), p) == pytest.approx(mean, rel=1e-12)
