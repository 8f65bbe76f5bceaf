"""Assumptions about the conduct are told in words and units, and only those that the file mentions."""

import pytest

from simtrial.analysis import dossier
from simtrial.analysis import figures as analysis_figures
from simtrial.analysis import tables as analysis_tables
from simtrial.conduct import simulation
from simtrial.conduct import tables as conduct_tables
from simtrial.trial import params, tables
from simtrial.trial.case import Case

CENTRES = {"model": "centres", "opens_months": [0.0, 2.0], "mean_rate": 0.6, "shape": 2.0, "close_month": 30.0}
STEPS = {"model": "piecewise", "periods": [{"from_month": 0.0, "rate": 1.0}, {"from_month": 6.0, "rate": 2.5}]}
DROPOUT, INTERIM = "Dropout before the first assessment", "Interim analysis"


@pytest.fixture
def smoke(root):
    return params.load(root / "params/smoke.yaml")


def told(case):
    return tables.conduct_assumptions(case).frame.set_index("what").value


def test_assumptions_are_words_with_units_and_no_keys_of_the_file(root):
    value = told(params.load(root / "params/NCT07022301.yaml"))
    assert value["Enrollment"] == "1.4205 patients screened per month; 80% of the screened patients are enrolled"
    assert value["Tumour assessments"] == (
        "every 6 weeks until week 24; a response is confirmed 6 weeks later; median time to response 6 weeks"
    )
    assert value[DROPOUT].startswith("10% of the patients; ")
    assert value[INTERIM].endswith("the decision is taken 2 weeks after the analysis")
    assert value["Progression-free survival (PFS)"].startswith("median 5.6 months where the response rate is 32.4%")
    assert value["Simulation"] == "20,000 trials for each true response rate, seed 20250731"
    assert not value.str.contains("probability|nonresponder|model|median months|at orr|decision weeks|_").any()


@pytest.mark.parametrize(
    ("conduct", "what", "said"),
    [
        (
            {"enrollment": {"model": "ramp", "rate": 3.0, "ramp_months": 6.0}},
            "Enrollment",
            "3 patients screened per month, reached in a linear ramp of 6 months",
        ),
        (
            {"enrollment": STEPS},
            "Enrollment",
            "from month 0: 1 patient screened per month; from month 6: 2.5 patients screened per month",
        ),
        (
            {"enrollment": CENTRES},
            "Enrollment",
            "2 centres, opening in month 0, 2; on average 0.6 patients screened per month in each, the rates drawn "
            "from a gamma distribution of shape 2; accrual closes in month 30",
        ),
        (
            {"assessments": {"readout_months": 1.0}},
            "Tumour assessments",
            "the response of each patient is known 1 month after enrollment",
        ),
        (
            {"dropout": {"hazard_per_month": 0.02, "handling": "exclude", "bounds": "fixed"}},
            DROPOUT,
            "a hazard of 0.02 per month until the first assessment; patients without a response assessment are "
            "excluded from the numbers of responses and of patients, and the bounds stay as planned",
        ),
        (
            {"interim": {"accrual": "continue", "extra_patients": 1}},
            INTERIM,
            "accrual continues while the decision is pending, by at most 1 further patient; the decision is taken at "
            "once",
        ),
        ({"follow_up": {"until_month": 40.0}}, "Follow-up", "until month 40 from the first day of accrual"),
        (
            {"scenarios": [{"label": "x", "beta": [6.0, 14.0]}]},
            "True response rate: x",
            "drawn from a Beta(6, 14) distribution, mean 30%",
        ),
    ],
)
def test_every_kind_of_assumption_has_its_words(conduct, what, said, smoke):
    plain = smoke.plain()
    plain["conduct"] |= conduct
    assert told(params.load(plain))[what] == said


def test_endpoints_that_the_file_does_not_mention_appear_nowhere(smoke):
    value = told(smoke)
    assert list(value.index) == ["Enrollment", "Tumour assessments", DROPOUT, INTERIM, "Follow-up", "Simulation"]
    case = Case.of(smoke)
    design, plan = case.chosen, case.plan
    done = simulation.simulate(plan, smoke.scenarios, 100, 1)
    shown = conduct_tables.simulated(done, "p1").frame.label
    assert not shown.str.contains("PFS|OS|DCR|toxicity|complete|deaths").any()
    final = dossier.of_trial(smoke, design)
    assert analysis_tables.secondary(final).frame.empty
    pictures = (analysis_figures.survival, analysis_figures.waterfall, analysis_figures.swimmer)
    assert [picture(final) for picture in pictures] == [None, None, None]


def test_a_single_stage_has_no_interim_analysis_to_assume_something_about(smoke):
    plain = smoke.plain() | {"design": {"criterion": "single_stage_first"}}
    assert INTERIM not in told(params.load(plain))


def test_the_simulation_has_defaults_and_each_of_its_keys_too(smoke):
    plain = smoke.plain()
    del plain["conduct"]["simulation"]
    size = params.load(plain).conduct.simulation
    assert (size.trials, size.seed) == (20_000, 1)
    plain["conduct"]["simulation"] = {"seed": 7}
    size = params.load(plain).conduct.simulation
    assert (size.trials, size.seed) == (20_000, 7)
    assert "simulation" not in params.json_schema()["$defs"]["Conduct"]["required"]
