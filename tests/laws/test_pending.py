"""Laws of a first look with patients pending: enumeration, simulation, and what it becomes without any."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from simtrial import InputError, TwoStage
from simtrial.conduct import simulation
from simtrial.design.exact import operating_characteristics
from simtrial.laws import decision, laws, pending
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Beta, Disease, Toxicity
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Ramp
from simtrial.plan.plan import Conditional, FollowUp, Interim, Plan, Scenario

OPTIMAL = TwoStage(1, 10, 5, 29)
SCENARIOS = (Scenario("p0", 0.1), Scenario("p1", 0.3), Scenario("prior", Beta(3, 7)))


def made(threshold=0.3, month=None, delay=3.0, way="nonresponder", hold=True, **more):
    rule = {"lag": 0.5} | {name: more.pop(name) for name in ("lag", "extra", "max_hold", "decide") if name in more}
    conditional = Conditional(threshold, 0.3, month)
    more = {"design": OPTIMAL, "enrollment": Constant(2.0), "dropout": Dropout(0.15)} | more
    return Plan(
        disease=Disease(Assessments.fixed(delay)), handling=way,
        interim=Interim(hold, conditional=conditional, **rule), **more,
    )  # fmt: skip


CASES = {
    "hold": ({}, {"last_patient_month", "duration_months", "end_month"}),
    "continue": ({"hold": False, "lag": 2.0}, {"duration_months"}),
    "much later": ({"hold": False, "lag": 9.0}, {"duration_months"}),
    "limited": ({"lag": 4.0, "max_hold": 0.5}, {"duration_months"}),
    "excluded": ({"way": "exclude", "threshold": 0.6}, {"duration_months"}),
    "informative": ({"dropout": Dropout(0.2, 0.5)}, {"duration_months"}),
}
PATIENTS = {"n_enrolled", "n_screened", "n_evaluable", "overrun"}


def checked(plan):
    """Simulated means with a law lie within 4 Monte Carlo standard errors of it; the names of those that have one.

    Some 200 means are compared in this module: 4 standard errors are passed by chance in one of 16,000.
    """
    found = set()
    for result in simulation.simulate(plan, SCENARIOS, 20_000, 3).results:
        for name, e in result.estimates.items():
            if e.exact is not None:
                found.add(name)
                assert e.z is not None, name
                assert abs(e.z) < 4, (name, result.scenario.label, e.value, e.exact)
    return found


@pytest.mark.parametrize("case", CASES)
def test_every_law_within_4_standard_errors(case):
    more, months = CASES[case]
    plan = made(screening_success=0.8, follow_up=FollowUp(6.0), toxicity=Toxicity(0.3, 0.4), **more)
    assert checked(plan) >= {"reject", "pet", "interim_month", "hold_months"} | PATIENTS | months


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_errors_at_every_threshold_within_4_standard_errors(threshold):
    assert {"reject", "pet"} <= checked(made(threshold))


def test_months_that_depend_on_more_than_the_look_are_left_to_the_simulation():
    assert checked(made(hold=False, extra=2)) == {"reject", "pet", "interim_month"} | PATIENTS
    assert checked(made(decide="known")) == {"reject", "pet", "interim_month", "hold_months", "overrun"}


@pytest.mark.parametrize(
    "more",
    [{"month": 5.0}, {"way": "replace"}, {"enrollment": Ramp(2.0, 6.0)}],
    ids=["a stated month", "losses replaced", "a ramp"],
)
def test_what_has_no_law_is_simulated(more):
    plan = made(**more)
    known = {"interim_month", "overrun", *(("hold_months",) if "enrollment" in more else ())}
    assert laws.exact_values(plan, SCENARIOS[0]).keys() == known
    assert checked(plan) == known
    done = simulation.expect(plan, SCENARIOS[:2], ["reject"], 2000, 1)
    assert done["p0"]["reject"].best_mcse > 0
    with pytest.raises(InputError, match=r"pending \(conditional\) makes the decision depend on the calendar"):
        decision.decision(plan, np.array([0.1]))


def test_the_number_pending_is_counted_back_from_the_last_patient():
    law = pending.number_pending(made())
    assert law.sum() == pytest.approx(1.0, abs=1e-12)
    assert law[0] == 0  # the last patient himself is pending
    entry = np.random.default_rng(1).exponential(0.5, (10, 40_000)).cumsum(axis=0)
    counts = np.bincount((entry > entry[-1] - 3.0).sum(axis=0), minlength=11)
    shares = counts / 40_000
    assert (np.abs(shares - law) <= 4 * np.sqrt(law * (1 - law) / 40_000) + 1e-12).all()  # 4 standard errors


def test_the_errors_are_those_of_every_sequence_of_responses():
    plan = made(0.4, design=TwoStage(1, 4, 2, 9), delay=1.5)
    found = decision.decision(plan, np.array([0.25]))
    q, foreseen = 0.25 * 0.85, 0.3 * 0.85
    reject = stop = 0.0
    for waiting, weight in enumerate(pending.number_pending(plan)):
        for sequence in itertools.product((0, 1), repeat=9):
            chance = weight * np.prod([q if s else 1 - q for s in sequence])
            needed = 1 - sum(sequence[: 4 - waiting])
            if stats.binom.sf(needed, waiting, foreseen) < 0.4:
                stop += chance
            elif sum(sequence) > 2:
                reject += chance
    # some thousand terms
    assert float(found.reject[0]) == pytest.approx(reject, abs=1e-13)
    assert float(found.stop[0, 0]) == pytest.approx(stop, abs=1e-13)


def test_without_a_delay_it_is_the_design_on_paper():
    plan = made(delay=0.0, dropout=Dropout(0.0))
    oc = operating_characteristics(OPTIMAL, [0.1, 0.3])
    found = decision.decision(plan, np.array([0.1, 0.3]))
    assert found.reject == pytest.approx(oc.reject, rel=1e-12)  # the same terms, summed in another order
    assert found.stop[:, 0] == pytest.approx(oc.pet, rel=1e-12)


def test_with_everybody_pending_the_look_decides_nothing():
    for threshold, stops in ((0.1, 0.0), (0.9, 1.0)):
        plan = made(threshold, delay=1000.0, dropout=Dropout(0.0))  # P(X1 > 1) is .851 under p1
        assert laws.exact_values(plan, SCENARIOS[0])["pet"] == pytest.approx(stops, abs=1e-12)


def test_a_rule_that_waits_has_the_law_it_had():
    plan = made()
    waiting = dataclasses.replace(plan, interim=Interim(True, None, 0.5))
    assert laws.exact_values(waiting, SCENARIOS[0])["interim_month"] == pytest.approx(8.0)
    assert laws.exact_values(plan, SCENARIOS[0])["interim_month"] == pytest.approx(5.0)
