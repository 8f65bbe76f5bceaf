"""The time of the first toxicity in a file of patients: its names, its units, and what contradicts it."""

from datetime import date

import numpy as np
import pytest

from simtrial import InputError, project
from simtrial.analysis import safety
from simtrial.months import DAYS_IN_MONTH
from simtrial.patients import data as patient_data
from simtrial.patients import synthetic
from simtrial.patients.columns import COLUMNS, possible
from simtrial.trial import params
from simtrial.trial.case import Case


@pytest.fixture
def read(tmp_path):
    """Read files of lines, one list of lines each."""

    def of(*files, **how):
        paths = []
        for k, lines in enumerate(files):
            path = tmp_path / f"f{k}.csv"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            paths.append(path)
        return patient_data.read(paths, today=date(2026, 1, 1), **how)

    return of


def told(read, *lines):
    with pytest.raises(InputError) as fault:
        read(lines)
    return str(fault.value)


@pytest.mark.parametrize("heading", ["TTOXDT", "Toxicity date", "TOXDTC", "date_of_dlt", "AESTDTC"])
def test_a_date_becomes_months_after_enrollment(read, heading):
    data = read([f"ID,Response,Enrolled,{heading}", "P1,PR,2025-01-02,2025-01-20", "P2,SD,2025-01-09,"])
    assert data.onset.event.tolist() == [True, False]
    assert data.onset.months[0] == pytest.approx(18 / DAYS_IN_MONTH)
    assert np.isnan(data.onset.months[1])


@pytest.mark.parametrize(
    ("heading", "text", "months"),
    [("TTOX", "1.5", 1.5), ("TTOX (days)", "18", 18 / DAYS_IN_MONTH), ("Time to DLT (weeks)", "6", 42 / DAYS_IN_MONTH)],
)
def test_a_time_is_read_in_its_unit(read, heading, text, months):
    data = read([f"ID,Response,{heading}", f"P1,PR,{text}", "P2,SD,"])
    assert data.onset.months[0] == pytest.approx(months)
    assert data.onset.event.tolist() == [True, False]


def test_days_tell_the_unit_of_a_time_beside_its_date(read):
    data = read(["ID,Response,Enrolled,TTOX,TTOXDT", "P1,PR,2025-01-02,18,2025-01-20", "P2,SD,2025-01-09,,"])
    assert data.onset.months[0] == pytest.approx(18 / DAYS_IN_MONTH)


def test_a_censored_time_is_no_toxicity(read):
    for event, (first, second) in (("TTOXEVENT", "10"), ("TTOXCNSR", "01")):
        data = read([f"ID,Response,TTOX,{event}", f"P1,PR,0.5,{first}", f"P2,SD,0.8,{second}"])
        assert data.onset.event.tolist() == [True, False]
        assert data.onset.months.tolist() == [0.5, 0.8]


def test_a_data_set_of_times_gives_toxicities_by_their_code(read):
    responses = ["USUBJID,PARAMCD,AVALC", "P1,BOR,PR", "P2,BOR,SD", "P3,BOR,PD"]
    times = ["USUBJID,PARAMCD,AVAL,AVALU,CNSR", "P1,TTTOX,12,DAYS,0", "P2,TTTOX,42,DAYS,1"]
    data = read(responses, times)
    assert data.onset.event.tolist() == [True, False, False]
    assert data.onset.months[:2] == pytest.approx([12 / DAYS_IN_MONTH, 42 / DAYS_IN_MONTH])
    assert np.isnan(data.onset.months[2])


FAULTS = {
    "before enrollment": (
        ["ID,Response,Enrolled,TTOXDT", "P1,PR,2025-01-20,2025-01-02"],
        "is before the day of enrollment (2025-01-20)",
    ),
    "a negative time": (["ID,Response,TTOX", "P1,PR,-2"], "is below 0"),
    "a low grade with a time": (["ID,Response,TOXGR,TTOX", "P1,PR,2,1"], "the highest grade is 2, below 3"),
    "a high grade that is censored": (
        ["ID,Response,TOXGR,TTOX,TTOXEVENT", "P1,PR,4,1,0"],
        "states no toxicity, but the highest grade is 4",
    ),
    "a date without enrollment": (
        ["ID,Response,Enrolled,TTOXDT", "P1,PR,,2025-01-02"],
        "but the date of enrollment is not",
    ),
    "a time without its event": (["ID,Response,TTOX,TTOXEVENT", "P1,PR,1,"], "but TTOXEVENT is empty"),
    "an event without its time": (
        ["ID,Response,TTOX,TTOXEVENT", "P1,PR,,1"],
        "states a toxicity, but its time is empty",
    ),
    "a date that contradicts the time": (
        ["ID,Response,Enrolled,TTOX (days),TTOXDT", "P1,PR,2025-01-02,40,2025-01-20"],
        "is 18 days after enrollment, which contradicts TTOX (days)",
    ),
    "of a patient not enrolled": (["ID,Response,Enrolled,TTOX", "P1,PR,Y,1", "P2,,N,1"], "the patient is not enrolled"),
}


@pytest.mark.parametrize(("lines", "said"), FAULTS.values(), ids=FAULTS)
def test_a_contradiction_names_the_line_and_the_column(read, lines, said):
    fault = told(read, *lines)
    assert said in fault
    assert f"line {len(lines)}" in fault


def test_a_high_grade_needs_no_time(read):
    data = read(["ID,Response,TOXGR,TTOX", "P1,PR,3,", "P2,SD,4,0.5", "P3,SD,1,"])
    assert data.onset.event.tolist() == [False, True, False]
    assert data.toxicity.tolist() == [3, 4, 1]


def test_names_of_toxicity_columns_stand_for_them_alone():
    for column in COLUMNS:
        if column.name.startswith("TTOX"):
            for name in (column.name, *column.others):
                assert possible(name) == (column.name,)


def test_a_flag_that_states_no_toxicity_is_kept_apart_from_an_empty_one(read):
    for name, none in (("TTOXEVENT", "0"), ("TTOXCNSR", "1")):
        data = read([f"ID,Response,TTOX,{name}", f"P1,PR,,{none}", "P2,SD,,", f"P3,SD,0.5,{1 - int(none)}"])
        assert data.denied.tolist() == [True, False, False]
    assert read(["ID,Response,TTOX", "P1,PR,", "P2,SD,1"]).denied is None


def test_a_synthetic_trial_with_a_rule_has_days_of_enrollment_whether_or_not_it_has_a_start(tmp_path):
    source = params.load(project.ROOT / "params" / "toxicity.yaml")
    plan, scenario = Case.of(source).plan, source.scenarios[1]
    texts = [synthetic.one_trial(plan, scenario, 13, start) for start in (None, date(2024, 5, 1))]
    months = []
    for text in texts:
        path = tmp_path / "s.csv"
        path.write_text(text, encoding="utf-8")
        data = patient_data.read(path)
        assert data.by_date
        found = safety.found(data, plan.toxicity_rule.boundary, plan.toxicity_rule.window)
        months.append(found.moment.month)
    assert months[0] == pytest.approx(months[1], abs=1e-12)
    simulated, _ = synthetic.simulated(plan, scenario, 13)
    # two days are rounded to whole ones, and the time of a toxicity down to a hundredth of a month
    assert months[0] == pytest.approx(simulated.decision[0] - simulated.entry[0, 0], abs=1 / 30 + 0.01)
