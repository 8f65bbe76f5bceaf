"""The conduct section of a parameter file: what it becomes, and every way in which a wrong one is refused."""
# ruff: noqa: E501 - a change and its refusal read best on one line

import datetime
import pickle
import re

import numpy as np
import pytest

from simtrial import InputError, MultiStage, SingleStage, TwoStage, parse_looks
from simtrial.cli.app import main
from simtrial.laws import decision, integrals
from simtrial.months import WEEK
from simtrial.plan import disease as plan_disease
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.disease import Beta, Disease, Toxicity
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant, Piecewise, Ramp
from simtrial.plan.plan import FollowUp, Interim, Plan
from simtrial.plan.survival import Survival
from simtrial.trial import params
from simtrial.trial.case import Case

CONDUCT = """\
  conduct:
    enrollment: {model: constant, rate: 2, screening_success: 0.8}
    assessments: {interval_weeks: 6, window_weeks: 24, confirmation_weeks: 4, median_weeks_to_response: 6}
    patients:
      dcr: {rate: 0.7}
      pfs: {median_months: 4, hazard_ratio: 0.5, at_orr: 0.4}
      os: {median_months: 10, hazard_ratio: 0.6}
      toxicity: {rate: 0.3, limit: 0.4}
    dropout: {probability: 0.1, handling: nonresponder}
    interim: {accrual: hold, decision_weeks: 2}
    follow_up: {months_after_last_patient: 6}
    scenarios:
      - {label: prior, beta: [2, 3]}
    simulation: {trials: 1000, seed: 1}
"""


@pytest.fixture
def conduct_file(tmp_path, smoke_text):
    def write(old="", new=""):
        text = smoke_text[: smoke_text.index("  conduct:")] + CONDUCT
        assert old in text
        path = tmp_path / "x.yaml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return write


def test_the_section_becomes_a_plan_in_months(conduct_file):
    trial = params.load(conduct_file())
    plan = trial.plan(TwoStage(0, 3, 2, 6))
    assert plan == Plan(
        TwoStage(0, 3, 2, 6),
        Constant(2.0),
        Disease(
            Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 6 * WEEK),
            0.7,
            0.6,  # p1, where no at_orr is given
            Survival(4.0, 0.5, 0.4),
            os=Survival(10.0, 0.6, 0.6),
        ),
        Dropout(0.1),
        handling="nonresponder",
        interim=Interim(True, None, 2 * WEEK),
        screening_success=0.8,
        follow_up=FollowUp(6.0),
        toxicity=Toxicity(0.3, 0.4),
    )
    assert [s.label for s in trial.scenarios] == ["p0", "p1", "prior"]
    assert trial.scenarios[2].p == Beta(2.0, 3.0)
    assert trial.scenarios[2].mean == 0.4


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("{model: ramp, rate: 2, ramp_months: 6}", Ramp(2.0, 6.0)),
        (
            "{model: piecewise, periods: [{from_month: 0, rate: 1}, {from_month: 6, rate: 2}]}",
            Piecewise((0.0, 6.0), (1.0, 2.0)),
        ),
        ("{model: centres, opens_months: [0, 2, 1], mean_rate: 0.5, shape: 2}", Centres((0.0, 1.0, 2.0), 0.5, 2.0)),
    ],
)
def test_every_enrollment_model_is_read(conduct_file, text, model):
    path = conduct_file("{model: constant, rate: 2, screening_success: 0.8}", text)
    assert params.load(path).plan(SingleStage(2, 6)).enrollment == model


def test_a_fixed_readout_and_a_hazard_are_read(conduct_file):
    old = re.search(r"\{interval_weeks.*?\}", CONDUCT)[0]
    path = conduct_file(old, "{readout_months: 2}")
    text = path.read_text().replace("dcr: {rate: 0.7}", "landmark_months: 3")
    path.write_text(text.replace("probability: 0.1", "hazard_per_month: 0.05"))
    plan = params.load(path).plan(SingleStage(2, 6))
    assert plan.disease.assessments == Assessments.fixed(2.0)
    assert plan.dropout.probability == pytest.approx(1 - np.exp(-0.1))


REFUSED = {
    "zero rate": ("rate: 2,", "rate: 0,", "conduct.enrollment.rate (0) is not above 0"),
    "negative rate": ("rate: 2,", "rate: -1,", "conduct.enrollment.rate (-1) is not above 0"),
    "unknown model": ("model: constant", "model: gamma", "conduct.enrollment.model ('gamma') is unknown; write 'constant'"),
    "rate missing": ("rate: 2, ", "", "conduct.enrollment.rate is missing; it is needed with model: constant"),
    "a key of another model": ("rate: 2,", "rate: 2, shape: 1,", "conduct.enrollment.shape is not used with model: constant; leave it out"),
    "infinite expected time": (
        "{model: constant, rate: 2, screening_success: 0.8}",
        "{model: centres, opens_months: [0, 0], mean_rate: 1, shape: 0.5}",
        "conduct.enrollment.shape (0.5) times the number of centres (2) is not above 1, so the expected time",
    ),
    "a rate that ends": (
        "{model: constant, rate: 2, screening_success: 0.8}",
        "{model: piecewise, periods: [{from_month: 0, rate: 1}, {from_month: 9, rate: 0}]}",
        "conduct.enrollment.periods.rate (0) in the last period never reaches n; give a rate above 0",
    ),
    "nobody passes screening": ("success: 0.8", "success: 0", "conduct.enrollment.screening_success (0) is below 0.01, so hardly any patient would be enrolled"),
    "success above one": ("success: 0.8", "success: 1.5", "conduct.enrollment.screening_success (1.5) is not from 0 to 1; write 0.015 for 1.5%"),
    "window too short": ("window_weeks: 24", "window_weeks: 5", "conduct.assessments.window_weeks (5 weeks) is shorter than the interval (6 weeks): it ends before"),
    "no time to confirm": ("window_weeks: 24", "window_weeks: 8", "ends before a response of the first assessment can be confirmed (week 10)"),
    "no interval": ("interval_weeks: 6, ", "", "conduct.assessments.interval_weeks is missing"),
    "zero interval": ("interval_weeks: 6", "interval_weeks: 0", "conduct.assessments.interval_weeks (0) is not above 0"),
    "two kinds of readout": ("interval_weeks: 6", "readout_months: 2, interval_weeks: 6", "is not used with readout"),
    "dropout one": ("probability: 0.1", "probability: 1", "conduct.dropout.probability (1) is not below 1"),
    "dropout negative": ("probability: 0.1", "probability: -0.1", "conduct.dropout.probability (-0.1) is not from 0 to 1"),
    "two kinds of loss": ("probability: 0.1", "probability: 0.1, hazard_per_month: 1", "and hazard_per_month"),
    "no handling": (", handling: nonresponder", "", "conduct.dropout.handling is missing"),
    "unknown handling": ("handling: nonresponder", "handling: itt", "conduct.dropout.handling ('itt') is unknown; write 'nonresponder'"),
    "no bounds": ("handling: nonresponder", "handling: exclude", "conduct.dropout.bounds is missing; write fixed, or 'recut' for recalculated bounds"),
    "bounds without exclude": ("nonresponder}", "nonresponder, bounds: fixed}", "bounds goes with handling: exclude"),
    "dcr below orr": ("dcr: {rate: 0.7}", "dcr: {rate: 0.5}", "conduct.patients.dcr.rate (0.5) is below the ORR (0.6), although it counts SD too"),
    "median zero": ("median_months: 4", "median_months: 0", "conduct.patients.pfs.median_months (0) is not above 0"),
    "median negative": ("median_months: 10", "median_months: -1", "conduct.patients.os.median_months (-1) is not above 0"),
    "hazard ratio above one": ("hazard_ratio: 0.5", "hazard_ratio: 2", "conduct.patients.pfs.hazard_ratio (2) is above 1, but responders do no worse than the others"),
    "os before pfs": ("median_months: 10", "median_months: 2", "conduct.patients.os.median_months (2) is too short beside PFS"),
    "median against dcr": ("median_months: 4", "median_months: 1", "conduct.patients.pfs.median_months (1) contradicts"),
    "os alone": ("pfs: {median_months: 4, hazard_ratio: 0.5, at_orr: 0.4}", "landmark_months: 6", "conduct.patients.os needs pfs"),
    "toxicity in percent": ("rate: 0.3, limit", "rate: 30, limit", "conduct.patients.toxicity.rate (30) is not from 0 to 1; write 0.3 for 30%"),
    "extra with hold": ("accrual: hold", "accrual: hold, extra_patients: 2", "extra_patients goes with accrual: continue"),
    "negative weeks": ("decision_weeks: 2", "decision_weeks: -2", "conduct.interim.decision_weeks (-2) is below 0"),
    "no interim": ("    interim: {accrual: hold, decision_weeks: 2}\n", "", "conduct.interim is missing; state what accrual does while a look is pending: hold or continue"),
    "no follow-up": ("months_after_last_patient: 6", "", "conduct.follow_up needs exactly one of months_after_last_patient and until_month"),
    "two follow-ups": ("_patient: 6", "_patient: 6, until_month: 40", "follow_up needs exactly one of months_after_last_patient and until_month"),
    "scenario without rate": ("beta: [2, 3]", "source: x", "conduct.scenarios.0 needs exactly one of p and beta"),
    "beta of nothing": ("beta: [2, 3]", "beta: [0, 3]", "conduct.scenarios.0.beta.0 (0) is not above 0"),
    "beta of three": ("beta: [2, 3]", "beta: [1, 2, 3]", "conduct.scenarios.0.beta"),
    "rate above one": ("beta: [2, 3]", "p: 1.2", "conduct.scenarios.0.p (1.2) is not from 0 to 1"),
    "a name that is taken": ("label: prior", "label: p0", "conduct.scenarios.0.label (p0) is simulated anyway"),
    "a name twice": ("    simulation", "      - {label: prior, p: 0.3}\n    simulation", "('prior') is given twice"),
    "one trial": ("trials: 1000", "trials: 1", "conduct.simulation.trials (1) is not a whole number from 2 to 100,000,000"),
    "negative seed": ("seed: 1", "seed: -1", "conduct.simulation.seed (-1) is not a whole number from 0 to 2**63 - 1"),
    "unknown key": ("accrual: hold", "accrual: hold, hold: 1", "conduct.interim.hold is not a known key; known keys are accrual"),
    "unknown key in a list": ("beta: [2, 3]", "beta: [2, 3], x: 1", "conduct.scenarios.0.x is not a known key; known keys are label, p, beta, source"),
    "closes too soon": ("success: 0.8", "success: 0.8, close_month: 0.01", "conduct.enrollment.close_month (0.01) closes"),
    "endless replacement": (
        "probability: 0.1, handling: nonresponder", "probability: 0.99999, handling: replace", "conduct.dropout.probability (0.99999) is above 0.9, the largest value where patients who drop out",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_conduct_is_refused_in_one_line_by_simulate_and_report(
    conduct_file, tmp_path, capsys, old, new, message
):
    path = conduct_file(old, new)
    for command in (["simulate", str(path)], ["report", str(path), "--out", str(tmp_path / "build")]):
        assert main(command) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert message in shown.err
        assert "trial." in shown.err
        assert len(shown.err.splitlines()) == 1
    assert not (tmp_path / "build").exists()


def test_recut_bounds_for_three_looks_are_refused(conduct_file, capsys):
    path = conduct_file("handling: nonresponder", "handling: exclude, bounds: recut")
    path.write_text(path.read_text().replace("criterion: minimax", "looks: 0/5,2/12,7/40"))
    assert main(["simulate", str(path)]) == 2
    assert (
        "trial.conduct.dropout.bounds (recut) is possible for one or two looks; this design has 3"
        in capsys.readouterr().err
    )


def test_a_single_stage_needs_no_interim(conduct_file):
    path = conduct_file("    interim: {accrual: hold, decision_weeks: 2}\n", "")
    trial = params.load(path.rename(path.with_suffix(".yml")))
    assert trial.plan(SingleStage(2, 6)).interim == Interim(hold=True)


def test_simulate_needs_a_conduct_section(tmp_path, smoke_text, capsys):
    path = tmp_path / "x.yaml"
    path.write_text(smoke_text[: smoke_text.index("  conduct:")])
    assert main(["simulate", str(path)]) == 2
    assert "trial.conduct is missing" in capsys.readouterr().err


def test_the_template_is_a_whole_conduct_when_its_marks_are_taken_away(root, tmp_path):
    text = (root / "params/example.yaml").read_text(encoding="utf-8")
    head, tail = text.split("  # conduct:", 1)
    lines = ("  # conduct:" + tail).splitlines()
    opened = [re.sub(r"^  # ", "  ", line) for line in lines]
    path = tmp_path / "x.yaml"
    path.write_text(head + "\n".join(opened) + "\n", encoding="utf-8")
    trial = params.load(path)
    assert trial.plan(TwoStage(1, 10, 5, 29)).handling == "nonresponder"
    assert trial.evidence


def test_the_schema_says_who_counts():
    schema = params.json_schema()["$defs"]["DropoutRule"]
    assert "handling" in schema["required"]
    assert "default" not in schema["properties"]["handling"]
    said = schema["properties"]["handling"]["description"]
    for word in ("nonresponder", "replace", "exclude", "overrun", "no default"):
        assert word in said


def test_the_registered_trial_is_run_as_its_dates_ask(root):
    trial = params.load(root / "params/NCT07022301.yaml")
    assert trial.study.start == datetime.date(2025, 7, 31)
    case = Case.of(trial)
    design, plan = case.chosen, case.plan
    assert parse_looks("1/15,5/25").looks == design.looks
    assert plan.arrivals.rate == pytest.approx(25 / 22, rel=1e-4)
    assert integrals.probability_by(plan.arrivals, 25, 22) == pytest.approx(0.527, abs=5e-4)
    assert plan.disease.assessments.interval == pytest.approx(6 * WEEK)
    assert plan.follow_up.months_after_last == 24
    power = decision.decision(plan, np.array([0.1, 0.3])).reject
    assert power == pytest.approx([0.020655, 0.698979], abs=1e-6)
    given = trial.conduct.model_dump()
    assert all(scenario["source"] for scenario in given["scenarios"])
    assert all(given["patients"][name]["source"] for name in ("dcr", "pfs", "os", "toxicity"))


def test_capacities_follow_the_rule_of_accrual():
    def case(rule, looks="0/5,2/12,7/40"):
        design = parse_looks(looks)
        assert isinstance(design, MultiStage)
        disease = Disease(Assessments.fixed(2.0))
        return Plan(design, Constant(2.0), disease, Dropout(0), handling="nonresponder", interim=rule).capacities

    assert case(Interim(True)) == (5, 12, 40)
    assert case(Interim(False)) == (40, 40, 40)
    assert case(Interim(False, 4)) == (9, 16, 40)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Dropout(0.1, -1), "responder_odds_ratio (-1) is below 0"),
        (lambda: Interim(True, 2), "extra_patients goes with accrual: continue"),
        (lambda: FollowUp(), "needs exactly one of months_after_last_patient and until_month"),
        (lambda: Assessments(1, 200), "window"),
        (lambda: Assessments(0, 2), "interval (0) is not above 0"),
        (lambda: Disease(Assessments.fixed(1), 0.3, 0.3, Survival(5, 0.5, 0.3)), "dcr (0.3) equals the ORR"),
        (lambda: Disease(Assessments.fixed(0), 0.6, 0.3, Survival(5, 0.5, 0.3)).pfs_hazards, "dcr needs assessments"),
        (lambda: Disease(Assessments.fixed(9), None, 0, Survival(5, 0.5, 0.8)).pfs_hazards, "pfs.median_months (5) is impossible: at any hazard at least half of these patients are still free"),
        (
            lambda: Plan(
                SingleStage(1, 5), Constant(1.0), Disease(Assessments.fixed(1)), Dropout(0), handling="itt"  # type: ignore[arg-type]
            ),
            "handling ('itt') is unknown; write nonresponder, replace or exclude",
        ),
    ],
)  # fmt: skip
def test_wrong_objects_are_refused(build, said):
    with pytest.raises(InputError) as caught:
        build()
    assert str(caught.value).startswith(said)


def test_response_times_add_up_and_respect_the_window():
    months, share = Assessments(6 * WEEK, 24 * WEEK, 4 * WEEK, 5 * WEEK).responses()
    assert months == pytest.approx(np.array([10, 16, 22]) * WEEK)
    assert share.sum() == pytest.approx(1.0)
    # half of the uncut exponential by week 5, so by week 6 of an exponential cut at week 18 this share
    assert share[0] == pytest.approx((1 - 2 ** (-6 / 5)) / (1 - 2 ** (-18 / 5)))
    assert Assessments(6 * WEEK, 24 * WEEK).responses()[1].tolist() == [1, 0, 0, 0]


def test_hazards_are_solved_for_once_and_go_with_a_plan_that_is_sent(monkeypatch):
    def disease():
        return Disease(Assessments(1.4, 5.6), 0.7, 0.3, Survival(5.5, 0.5, 0.3), os=Survival(12.5, 0.6, 0.5))

    here = disease()
    monkeypatch.setattr(plan_disease, "root", None)  # nobody can solve for anything any more
    there = pickle.loads(pickle.dumps(here))
    assert there == here == disease()
    assert (there.pfs_hazards, there.death_hazards) == (here.pfs_hazards, here.death_hazards)


def test_informative_loss_keeps_the_odds_ratio():
    loss = Dropout(0.2, 0.5)
    odds = loss.of_responder / (1 - loss.of_responder)
    assert odds == pytest.approx(0.5 * 0.2 / 0.8)
    assert float(loss.evaluable(0.3)) == pytest.approx(1 - 0.3 * loss.of_responder - 0.7 * 0.2)
    assert Dropout(0.2, 0.0).of_responder == 0
