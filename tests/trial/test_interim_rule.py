"""The section on looks: its keys, what they make, and which of them go together."""

import dataclasses

import pytest

from simtrial import InputError
from simtrial.explorer import controls
from simtrial.months import WEEK
from simtrial.plan.plan import Conditional, Interim
from simtrial.trial import params, text, words
from simtrial.trial.case import Case
from simtrial.trial.interim import InterimRule

MADE = {
    "hold": ({"accrual": "hold"}, Interim(True)),
    "known": ({"accrual": "continue", "decide": "known"}, Interim(False, decide="known")),
    "a limited hold": ({"accrual": "hold", "max_hold_months": 2.0}, Interim(True, max_hold=2.0)),
    "up to 4": ({"pending": "enroll_up_to", "extra_patients": 4}, Interim(False, 4)),
    "conditional": (
        {"accrual": "hold", "pending": "conditional", "threshold": 0.3, "decision_weeks": 2.0},
        Interim(True, None, 2 * WEEK, conditional=Conditional(0.3, 0.4)),
    ),
    "conditional in a month": (
        {"accrual": "continue", "pending": "conditional", "threshold": 0.3, "look_month": 9.0},
        Interim(False, conditional=Conditional(0.3, 0.4, 9.0)),
    ),
}


@pytest.mark.parametrize(("keys", "made"), MADE.values(), ids=MADE)
def test_the_keys_make_the_rule_at_the_design_alternative(keys, made):
    assert InterimRule(**keys).rule(0.4) == made


REFUSED = {
    "no accrual": ({}, "accrual is missing; write hold or continue"),
    "no accrual while waiting": ({"extra_patients": 3}, "accrual is missing; write hold or continue"),
    "up to whom": ({"pending": "enroll_up_to"}, "extra_patients is missing; with pending: enroll_up_to it states"),
    "up to 3, hold limited": (
        {"pending": "enroll_up_to", "extra_patients": 3, "max_hold_months": 1.0},
        "max_hold_months goes with accrual: hold",
    ),
    "held and up to 3": (
        {"accrual": "hold", "pending": "enroll_up_to", "extra_patients": 3},
        "accrual (hold) contradicts pending: enroll_up_to",
    ),
    "no hold to limit": ({"accrual": "continue", "max_hold_months": 1.0}, "max_hold_months goes with accrual: hold"),
    "no threshold": ({"accrual": "hold", "pending": "conditional"}, "threshold is missing; with pending: conditional"),
    "a threshold of one": (
        {"accrual": "hold", "pending": "conditional", "threshold": 1.0},
        "threshold (1) is not strictly between 0 and 1",
    ),
    "a threshold alone": (
        {"accrual": "hold", "threshold": 0.3},
        "threshold (0.3) goes with pending: conditional, not with wait",
    ),
    "a month alone": (
        {"accrual": "hold", "look_month": 9.0},
        "look_month (9) goes with pending: conditional, not with wait",
    ),
    "month zero": (
        {"accrual": "hold", "pending": "conditional", "threshold": 0.3, "look_month": 0.0},
        "look_month (0) is not above 0",
    ),
}


@pytest.fixture
def smoke(root):
    return params.load(root / "params/smoke.yaml").plain()


@pytest.mark.parametrize(("keys", "message"), REFUSED.values(), ids=REFUSED)
def test_keys_that_contradict_each_other_are_refused_by_name(smoke, keys, message):
    smoke["conduct"]["interim"] = keys
    with pytest.raises(InputError) as caught:
        params.load(smoke)
    assert f"conduct.interim.{message}" in str(caught.value)


RECUT = {"dropout": {"probability": 0.1, "handling": "exclude", "bounds": "recut"}}
CLOSES = {"enrollment": {"model": "constant", "rate": 2.0, "close_month": 20.0}}


@pytest.mark.parametrize(
    ("looks", "change", "message"),
    [
        ("0/5,2/12,7/40", {}, "pending (conditional) is possible for two looks; this design has 3"),
        ("1:4/10,5/29", {}, "pending (conditional) is not possible with an efficacy bound (e1 = 4)"),
        ("1/10,5/29", RECUT, "pending (conditional) goes with bounds: fixed"),
        ("1/10,5/29", CLOSES, "look_month (30) is not before the month at which accrual closes (20)"),
    ],
)
def test_designs_that_a_look_with_patients_pending_does_not_fit_are_refused(smoke, looks, change, message):
    smoke["design"] = {"looks": looks}
    smoke["conduct"] |= change
    rule = {"accrual": "hold", "pending": "conditional", "threshold": 0.3, "look_month": 30.0}
    smoke["conduct"]["interim"] = rule
    with pytest.raises(InputError) as caught:
        Case.of(params.load(smoke)).plan  # noqa: B018 - computed when asked for
    assert f"conduct.interim.{message}" in str(caught.value)


def told(smoke, **interim):
    smoke["conduct"]["interim"] = interim
    case = Case.of(params.load(smoke))
    return case.trial, str(text.statement(case.chosen, case.requirements, case.plan))


def test_the_protocol_paragraph_says_how_looks_are_decided_early(smoke):
    _, plain = told(smoke, accrual="hold")
    assert "as soon as" not in plain
    assert "pending" not in plain
    _, known = told(smoke, accrual="hold", decide="known")
    assert "Each analysis takes place as soon as the known responses settle its decision." in known
    _, early = told(smoke, accrual="hold", pending="conditional", threshold=0.3)
    assert "The interim analysis does not wait for pending patients" in early
    assert "counts with the predictive probability of a response at p1" in early
    assert "is at least 0.3" in early
    assert "and the interim analysis taken with patients pending, the type I error is" in early
    smoke["conduct"]["dropout"] = {"probability": 0.1, "handling": "replace"}
    _, simulated = told(smoke, accrual="hold", pending="conditional", threshold=0.3)
    assert "patients pending changes these probabilities; those of the trial as it is run are simulated" in simulated


def test_the_assumptions_say_it_too():
    def said(**keys):
        return words.interim(InterimRule(**keys))

    assert said(accrual="hold", max_hold_months=1.0) == (
        "accrual is held until the decision, but for at most 1 month; the decision is taken at once"
    )
    assert said(accrual="hold", decide="known").endswith(
        "each analysis takes place as soon as the known responses settle its decision"
    )
    conditional = said(accrual="continue", pending="conditional", threshold=0.3, look_month=9.0)
    assert "the interim analysis takes place in month 9, patients whose response is pending count" in conditional
    assert conditional.endswith("the trial continues if more than r1 responses have a probability of 0.3 or more")


@pytest.mark.parametrize("design", [{"criterion": "single_stage_first"}, {"looks": "5/25"}])
def test_the_assumptions_say_that_a_single_look_has_no_patients_pending(smoke, design):
    smoke["design"] = design
    smoke["conduct"]["interim"] = {"accrual": "hold", "pending": "conditional", "threshold": 0.3}
    (said,) = [value for what, value, _ in words.rows(params.load(smoke)) if what == "Interim analysis"]
    assert said == "none, since the design has a single look; pending: conditional and its threshold have no effect"
    smoke["conduct"]["interim"] = {"accrual": "hold"}
    assert "Interim analysis" not in [what for what, _, _ in words.rows(params.load(smoke))]


def test_the_explorer_keeps_the_rule_when_accrual_is_switched(smoke):
    trial, _ = told(smoke, accrual="hold", max_hold_months=1.0, decide="known", decision_weeks=3.0)
    now = controls.of(controls.complete(trial))
    assert (now.accrual, now.decide) == ("hold", "known")
    assert "holds of at most 1 month" in controls.beyond(trial)
    whole = controls.applied(dataclasses.replace(now, decide="complete"), controls.complete(trial)).conduct.interim
    assert (whole.decide, whole.max_hold_months, whole.decision_weeks) == ("complete", 1.0, 3.0)
    changed = controls.applied(dataclasses.replace(now, accrual="continue"), controls.complete(trial))
    rule = changed.conduct.interim
    assert (rule.accrual, rule.decide, rule.decision_weeks, rule.max_hold_months) == ("continue", "known", 3.0, None)
    trial, _ = told(smoke, pending="enroll_up_to", extra_patients=2)
    now = controls.of(controls.complete(trial))
    assert now.accrual == "continue"
    known = controls.applied(dataclasses.replace(now, decide="known"), controls.complete(trial))
    assert known.conduct.interim.rule(0.3) == Interim(False, 2, decide="known")
    changed = controls.applied(dataclasses.replace(now, accrual="hold"), controls.complete(trial))
    assert changed.conduct.interim.rule(0.3) == Interim(True)
