"""The toxicities of a file of patients against a boundary: crossed or not, when, and what it means for the response."""

import json
from datetime import date, timedelta

import numpy as np
import pytest
import yaml

from simtrial import parse_looks
from simtrial.analysis import dossier, safety, tables, text
from simtrial.analysis.final import final
from simtrial.cli.app import main
from simtrial.months import WEEK
from simtrial.patients import data as patient_data
from simtrial.patients import synthetic
from simtrial.toxicity.boundary import parse_boundary
from simtrial.trial import params
from simtrial.trial.case import Case

START = date(2025, 1, 1)
HEAD = "ID,Response,Enrolled,Grade,Toxicity date,OS (days),OSEVENT"


def row(k, start, onset=None, followed=300, response="SD", dead=0, grade=None):
    """A patient enrolled on a day, with a toxicity so many days later."""
    entered = START + timedelta(days=start)
    at = "" if onset is None else (entered + timedelta(days=onset)).isoformat()
    grade = (1 if onset is None else 3) if grade is None else grade
    return f"P{k},{response},{entered},{grade},{at},{followed},{dead}"


@pytest.fixture
def read(tmp_path):
    """Read patients from rows."""

    def of(*rows, head=HEAD):
        path = tmp_path / "f.csv"
        path.write_text("\n".join([head.replace("Grade", "TOXGR"), *rows]) + "\n", encoding="utf-8")
        return patient_data.read(path, today=date(2026, 6, 1))

    return of


def test_the_crossing_is_at_the_toxicity_that_makes_the_count_whoever_is_pending(read):
    # toxicities on days 30, 35 and 80; the third of them is of the second patient
    data = read(row(1, 0), row(2, 40, 40), row(3, 5, 25), row(4, 20), row(5, 25, 10), row(6, 60), row(7, 100))
    found = safety.found(data, parse_boundary("3/6,9/20"), 6 * WEEK)
    assert found.crossing.patient == 5  # in the order of enrollment
    assert (found.look.n, found.look.b) == (6, 3)
    assert found.moment.day == START + timedelta(days=80)
    assert found.moment.enrolled == 6
    assert found.moment.pending == ("P6",)
    assert (found.enrolled, found.toxicities, found.after, found.after_toxicities) == (7, 3, 2, 0)
    assert found.room is None


def test_a_toxicity_on_the_last_day_of_the_window_counts_and_one_a_day_later_does_not(read):
    boundary = parse_boundary("1/2")
    for onset, crossed in ((42, True), (43, False)):
        found = safety.found(read(row(1, 0, onset), row(2, 5)), boundary, 6 * WEEK)
        assert (found.crossing is not None, found.toxicities, found.late) == (crossed, int(crossed), int(not crossed))
    found = safety.found(read(row(1, 0, 43), row(2, 5)), boundary, None)
    assert found.toxicities == 1


def test_who_is_followed_for_less_than_the_window_is_pending_unless_dead_or_toxic(read):
    data = read(
        row(1, 0, followed=41), row(2, 1, followed=42), row(3, 2, followed=20, dead=1), row(4, 3, 10, followed=20),
        row(5, 4, grade=""), row(6, 5),
    )  # fmt: skip
    found = safety.found(data, parse_boundary("3/6,4/10"), 6 * WEEK)
    assert found.pending == ("P1", "P5")
    assert (found.room.look.n, found.room.needed, found.room.patients) == (6, 2, 2)
    assert "2 patients (P1, P5) are pending" in " ".join(text.toxicity_said(found))


def test_without_times_the_patient_who_crosses_is_known_and_the_moment_is_not(read):
    data = read(row(1, 0, grade=3), row(2, 5), row(3, 9, 4))
    found = safety.found(data, parse_boundary("2/3"), 6 * WEEK)
    assert found.crossing.patient == 3
    assert found.moment is None
    assert "When it was crossed is not known" in " ".join(text.toxicity_said(found))


def test_a_file_without_toxicities_is_refused_where_a_boundary_is_asked_for(tmp_path, capsys):
    path = tmp_path / "f.csv"
    path.write_text("ID,Response\nP1,PR\nP2,SD\n", encoding="utf-8")
    asked = ["analyze", "--looks", "0/2", "--p0", ".1", "--patients", str(path), "--toxicity-boundary", "1/2"]
    assert main(asked) == 2
    assert "has no column of toxicities" in capsys.readouterr().err


TOXIC = [row(k, 5 * k, 10 if k in (1, 3, 4) else None, response="PR" if k < 5 else "SD") for k in range(1, 7)]
"""Six patients, four responses, three toxicities."""


def finished(data, boundary, looks="0/3,2/6"):
    design = parse_looks(looks)
    done = dossier.of_patients(data, design, 0.1, "nonresponder", p1=0.5)
    return dossier.under_boundary(done, data, parse_boundary(boundary), 6 * WEEK, handling="nonresponder")


def test_h0_is_not_rejected_once_patients_who_count_have_crossed_the_boundary(read):
    data = read(*TOXIC)
    assert finished(data, "4/6").result.reject
    crossed = finished(data, "3/6")
    assert not crossed.result.reject
    assert crossed.no_claim
    assert crossed.result.agrees["exact"] == (crossed.result.intervals["exact"][0] <= 0.1)
    assert "makes no claim" in text.decided_by(crossed)


def test_an_early_rejection_stands_if_the_look_at_toxicity_is_beyond_its_patients(read):
    data = read(*TOXIC[:4])
    assert finished(data, "3/4", "0:3/4,3/9").no_claim
    assert not finished(data, "3/5", "0:3/4,3/9").no_claim
    assert finished(data, "3/5", "0:3/4,3/9").result.reject


def test_a_planned_stop_for_futility_stays_one(read):
    rows = [row(k, 5 * k, 10 if k < 3 else None) for k in range(1, 4)]
    done = finished(read(*rows), "2/3")
    assert not done.result.reject
    assert not done.no_claim
    assert done.toxicity.crossing is not None


@pytest.fixture
def trial(tmp_path):
    """A parameter file with a rule for toxicity, and patients beside it."""

    def of(rows, **toxicity):
        (tmp_path / "f.csv").write_text("\n".join([HEAD.replace("Grade", "TOXGR"), *rows]) + "\n", encoding="utf-8")
        rule = {"acceptable_rate": 0.2, "unacceptable_rate": 0.4, "window_weeks": 6, **toxicity}
        held = {
            "study": {"id": "T", "title": "A trial"},
            "hypotheses": {"p0": 0.1, "p1": 0.5, "alpha": 0.1, "power": 0.8, "basis": "assumed"},
            "design": {"looks": "0/3,2/6", "toxicity": rule},
            "analysis": {"patients": str(tmp_path / "f.csv")},
        }
        path = tmp_path / "t.yaml"
        path.write_text(yaml.safe_dump({"trial": held}), encoding="utf-8")
        return path

    return of


def test_texts_and_tables_of_a_trial_stopped_for_toxicity_never_say_that_h0_is_rejected(trial):
    case = Case.of(params.load(trial(TOXIC, boundary="3/6")))
    done = dossier.of_trial(case.trial, case.chosen)
    paper = str(text.sentence(done))
    assert "The trial was stopped for toxicity" in paper
    assert "H0 was not rejected" in paper
    assert "H0 was rejected" not in paper
    assert "Of 4 patients 3 had a toxicity" in paper
    seen = str(text.toxicity(done))
    assert "at least 3 of the first 6 enrolled had a toxicity, by patient 4" in seen
    assert "makes no claim" in seen
    assert "H0 is not rejected, because the boundary for toxicity was crossed" in tables.p_values(done).caption
    shown = tables.toxicity(done)
    assert shown.frame["estimate"].tolist() == list(done.final.toxicity.estimates.estimates.values())
    assert "crossed by patient 4" in shown.caption


def test_bias_is_told_at_both_rates_of_the_file(trial):
    case = Case.of(params.load(trial(TOXIC, boundary="3/6")))
    done = dossier.of_trial(case.trial, case.chosen)
    assert [rate for rate, _ in done.final.toxicity.bias] == [0.2, 0.4]
    assert all(bias > 0 for _, bias in done.final.toxicity.bias)


def test_a_trial_without_a_rule_has_no_part_on_toxicity(trial):
    path = trial(TOXIC, boundary="3/6")
    held = yaml.safe_load(path.read_text(encoding="utf-8"))
    del held["trial"]["design"]["toxicity"]
    path.write_text(yaml.safe_dump(held), encoding="utf-8")
    case = Case.of(params.load(path))
    done = dossier.of_trial(case.trial, case.chosen)
    assert text.toxicity(done) is None
    assert tables.toxicity(done) is None
    assert "toxicity" not in str(text.sentence(done))
    assert done.final.result.reject


def test_counts_alone_leave_open_whether_the_boundary_was_crossed(trial):
    path = trial(TOXIC, boundary="3/6")
    held = yaml.safe_load(path.read_text(encoding="utf-8"))
    held["trial"]["analysis"] = {"responses": 4}
    path.write_text(yaml.safe_dump(held), encoding="utf-8")
    case = Case.of(params.load(path))
    done = dossier.of_trial(case.trial, case.chosen)
    assert "Whether it was crossed is not known" in str(text.toxicity(done))
    assert tables.toxicity(done) is None


def test_analyze_tells_the_crossing_in_json_and_in_words(trial, tmp_path, capsys):
    path = trial(TOXIC, boundary="3/6")
    assert main(["analyze", str(path), "--json"]) == 0
    of_file = json.loads(capsys.readouterr().out)
    asked = [
        "analyze", "--looks", "0/3,2/6", "--p0", ".1", "--patients", str(tmp_path / "f.csv"), "--toxicity-boundary",
        "3/6", "--toxicity-window-weeks", "6",
    ]  # fmt: skip
    assert main([*asked, "--json"]) == 0
    of_options = json.loads(capsys.readouterr().out)
    assert of_file["reject"] is of_options["reject"] is False
    seen = of_options["toxicity"]
    assert (seen["crossed"], seen["look"], seen["patient"]) == (True, {"n": 6, "b": 3}, 4)
    assert seen["date"] == (START + timedelta(days=30)).isoformat()
    assert len(of_file["toxicity"].pop("bias")) == 2
    assert seen.pop("bias") == []
    assert of_file["toxicity"] == seen
    assert main(asked) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "The boundary was crossed: at least 3 of the first 6 enrolled had a toxicity, by patient 4" in out
    stopped = (
        "The trial was stopped for toxicity: at least 3 of the first 6 enrolled had a toxicity, so the trial makes"
    )
    assert f"{stopped} no claim, and H0 is not rejected, whatever the responses." in out
    assert out.count("stopped for toxicity:") == 1
    assert "consistent with the test" not in out
    assert "What each rule decides" not in out
    assert of_options["stopped_for_toxicity"] is True
    assert of_options["reason"].startswith(stopped)
    assert "H0 is rejected (p" not in out


def test_monitor_tells_the_distance_to_the_boundary_and_the_probability_of_crossing(capsys):
    asked = ["monitor", "--looks", "1/10,5/29", "--patients", "12", "--responses", "2", "--p", ".3"]
    rule = ["--toxicities", "3", "--toxicity-boundary", "4/10,5/20,6/29", "--toxicity-rate", ".2"]
    assert main([*asked, *rule, "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)["toxicity"]
    assert seen["ahead"] == {"n": 20, "b": 5, "toxicities_needed": 2, "patients": 8}
    assert seen["crossing_later"][0]["probability"] == pytest.approx(0.7298, abs=5e-5)  # four digits are asserted
    assert main([*asked, *rule]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "with at least 2 further toxicities in the 8 patients whose status is not known yet" in out
    assert main([*asked, "--toxicities", "3"]) == 2
    for number in ("5", "7"):  # accrual does not wait: 7 of 12 occur, of whom at least 5 among the first 10
        capsys.readouterr()
        assert main([*asked, "--toxicities", number, *rule[2:]]) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert "The trial stops. It makes no claim" in out
        for word in ("Look 2", "Conditional power", "Predictive", "continues"):
            assert word not in out
        assert main([*asked, "--toxicities", number, *rule[2:], "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["needed"], told["conditional_power"][0]["power"]) == ([], 0)
        assert (told["toxicity"]["crossed"], told["toxicity_rule"]) == (True, "crossed")


def test_monitor_says_that_counts_leave_a_crossing_open_and_gives_the_power_beside_the_rule(capsys):
    asked = ["monitor", "--looks", "1/10,5/29", "--patients", "14", "--responses", "3", "--p", ".3"]
    rule = ["--toxicity-boundary", "3/10,5/20"]
    assert main([*asked, *rule, "--toxicities", "3", "--toxicity-rate", ".2"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "is not known from the counts: if all of them are among the first 10, it was crossed at 3/10" in out
    assert "if it was not crossed so far" in out
    assert "Conditional power at p = 0.3 with the rule for toxicity" in out
    assert main([*asked, *rule, "--toxicities", "3"]) == 0
    assert "the rule for toxicity left aside" in " ".join(capsys.readouterr().out.split())
    for number, crossed in ((2, False), (3, None), (4, None), (5, True)):  # 5 of 20 is reached in whatever order
        assert main([*asked, *rule, "--toxicities", str(number), "--json"]) == 0
        seen = json.loads(capsys.readouterr().out)
        assert seen["toxicity"]["crossed"] is crossed


def test_options_of_toxicity_are_named_as_typed_and_all_that_is_missing_at_once(capsys):
    asked = ["monitor", "--looks", "1/10,5/29", "--patients", "14", "--responses", "3", "--p", ".3"]
    for given, said in (
        (["--toxicity-rate", ".2"], "--toxicities and --toxicity-boundary are missing"),
        (["--toxicities", "3"], "--toxicity-boundary is missing"),
        (["--toxicities", "3", "--toxicity-boundary", "5/3"], "--toxicity-boundary (5/3) asks for"),
        (["--toxicities", "15", "--toxicity-boundary", "3/5"], "--toxicities (15) is above 14"),
    ):
        assert main([*asked, *given]) == 2
        assert f"simtrial: {said}" in capsys.readouterr().err
    asked = ["analyze", "--looks", "1/10,5/29", "--p0", ".1", "--responses", "6", "--toxicity-window-weeks", "3"]
    assert main(asked) == 2
    assert "simtrial: --toxicity-window-weeks goes with --patients only" in capsys.readouterr().err


def test_a_trial_stopped_after_few_patients_is_analysed(read):
    for rows, boundary, n in ((TOXIC[2:4], "2/4,5/20", 2), ([TOXIC[0], TOXIC[2], TOXIC[3]], "3/10,5/20", 3)):
        done = finished(read(*rows), boundary, "1/10,5/29")
        assert done.no_claim
        assert (done.result.n, done.result.responses) == (n, n)
        assert "at least" in text.decided_by(done)
        assert "H0 is not rejected" in text.decided_by(done)


@pytest.mark.parametrize("p1", [None, 0.3])
def test_every_number_of_responses_of_a_trial_that_ended_before_its_first_look_has_an_answer(p1):
    design = parse_looks("1/10,5/29")
    for n in range(1, 10):
        for x in range(n + 1):
            found = final(design, 0.1, x, attained=[n], p1=p1)
            assert (found.result.n, found.result.responses) == (n, x)


def test_who_has_no_information_on_toxicity_is_pending_and_named(read):
    head = "ID,Response,Enrolled,TTOX (weeks),TTOXEVENT,PFS (weeks),PFSEVENT"
    rows = ["P1,SD,2025-01-01,3,1,,", "P2,SD,2025-01-02,,0,,", "P3,SD,2025-01-03,,,,", "P4,SD,2025-01-04,8,0,,",
            "P5,SD,2025-01-05,,0,9,1", "P6,SD,2025-01-06,5,0,9,1"]  # fmt: skip
    found = safety.found(read(*rows, head=head), parse_boundary("2/6"), 6 * WEEK)
    assert found.pending == ("P2", "P3", "P6")
    assert found.unknown == ("P3",)
    assert found.untimed == ("P2",)
    assert found.taken == ()
    said = " ".join(text.toxicity_said(found))
    assert "1 patient (P3) has no information on toxicity at all" in said
    assert "1 patient (P2) has an event flag that states no toxicity, but no time" in said
    found = safety.found(read(*rows, head=head), parse_boundary("2/6"), None)  # without a window nobody waits
    assert (found.pending, found.unknown) == (("P3",), ("P3",))


def test_an_empty_time_means_no_toxicity_only_where_a_file_holds_nothing_else_and_it_is_said(read):
    rows = ["P1,SD,2025-01-01,3", "P2,SD,2025-01-02,"]
    found = safety.found(read(*rows, head="ID,Response,Enrolled,TTOX (weeks)"), parse_boundary("2/6"), 6 * WEEK)
    assert (found.pending, found.taken) == ((), ("P2",))
    assert "1 patient (P2) is taken to have had no toxicity" in " ".join(text.toxicity_said(found))


def test_the_day_of_the_crossing_and_the_patients_of_the_estimate_are_told_apart(read):
    # toxicities on days 21, 33 and 42: the third patient's comes after the fourth's
    data = read(row(1, 0, 21), row(2, 7, 35), row(3, 14, 30), row(4, 20, 13), row(5, 25), row(6, 70))
    found = safety.found(data, parse_boundary("3/6"), 6 * WEEK)
    assert found.crossing.patient == 3
    assert found.moment.day == START + timedelta(days=42)
    assert found.moment.toxic == ("P1", "P2", "P4")
    assert (found.estimates.toxicities, found.estimates.n) == (3, 3)
    low, high = found.overall
    assert low < 4 / 6 < high
    said = " ".join(text.toxicity_said(found))
    assert "By then 3 patients (P1, P2, P4) of the 5 enrolled had a toxicity" in said
    assert "The estimates that respect the rule use these 3 patients, with 3 toxicities" in said
    assert "Among all 6 enrolled patients 4 had a toxicity (66.7%" in said


@pytest.mark.parametrize("kind", ["hold", "continue"])
def test_a_synthetic_trial_read_back_crosses_where_the_simulated_one_did(tmp_path, kind):
    conduct = {
        "enrollment": {"model": "constant", "rate": 3},
        "assessments": {"readout_months": 2},
        "patients": {"toxicity": {"rate": 0.35, "limit": 0.4, "odds_ratio": 2}},
        "dropout": {"probability": 0.05, "handling": "nonresponder"},
        "interim": {"accrual": kind},
        "follow_up": {"months_after_last_patient": 6},
    }
    rule = {"rule": "pocock", "crossing_probability": 0.05, "acceptable_rate": 0.2, "unacceptable_rate": 0.4}
    held = {
        "study": {"id": "T", "title": "A trial", "start": "2024-01-01"},
        "hypotheses": {"p0": 0.1, "p1": 0.3, "alpha": 0.05, "power": 0.8, "basis": "assumed"},
        "design": {"looks": "1/10,5/29", "toxicity": {**rule, "window_weeks": 6}},
        "conduct": conduct,
    }
    path = tmp_path / "t.yaml"
    path.write_text(yaml.safe_dump({"trial": held}), encoding="utf-8")
    case = Case.of(params.load(path))
    plan, scenario = case.plan, case.trial.scenarios[1]
    assert plan is not None
    stopped = same = 0
    for seed in range(20):
        simulated, _ = synthetic.simulated(plan, scenario, seed)
        file = tmp_path / "s.csv"
        file.write_text(synthetic.one_trial(plan, scenario, seed, date(2024, 1, 1)), encoding="utf-8")
        data = patient_data.read(file)
        assert int(data.enrolled.sum()) == simulated.enrolled[0]
        done = dossier.of_patients(data, plan.design, 0.1, plan.handling, p1=0.3, alpha=0.05)
        found = plan.toxicity_rule
        done = dossier.under_boundary(done, data, found.boundary, found.window, handling=plan.handling)
        assert done.result.reject == bool(simulated.reject[0])
        if not simulated.toxicity_stopped[0]:
            continue
        stopped += 1
        since = simulated.decision[0] - simulated.entry[0, 0]
        # two days are rounded to whole ones, and the time of a toxicity down to a hundredth of a month
        rounded = 1 / 30 + 0.01
        assert done.toxicity.moment.month == pytest.approx(since, abs=rounded)
        look = done.toxicity.moment.look
        events = np.sort(simulated.entry[: look.n, 0] + simulated.cohort.onset[: look.n, 0])
        assert events[look.b - 1] == pytest.approx(simulated.decision[0], abs=rounded)
        same += look.n == simulated.crossed[0]
        assert done.toxicity.moment.enrolled == pytest.approx(simulated.enrolled[0], abs=1)
    assert 5 < stopped < 20
    assert same >= stopped - 1  # two looks reached on one day are not told apart
