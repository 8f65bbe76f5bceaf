"""Patient-level data: what is refused, what is counted, what is estimated, what is drawn."""

import dataclasses
from datetime import date

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.duration.survfunc import SurvfuncRight

from simtrial import InputError, parse_looks
from simtrial.conduct import engine, outcomes, runs
from simtrial.conduct.survival import kaplan_meier
from simtrial.patients import data as patient_data
from simtrial.patients import endpoints, synthetic
from simtrial.patients import figures as patient_figures
from simtrial.patients import files as patient_files
from simtrial.patients.columns import COLUMNS
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Conditional, Interim, Plan, Scenario
from simtrial.plan.recut import bounds_of
from simtrial.trial import params
from simtrial.trial.case import Case
from simtrial.validation.conduct import SIX_MP


@pytest.fixture
def read(tmp_path):
    """Read lines of a file called f.csv; bytes are taken as they are."""

    def of(*lines):
        path = tmp_path / "f.csv"
        content = lines[0] if isinstance(lines[0], bytes) else "\n".join(lines).encode() + b"\n"
        path.write_bytes(content)
        return patient_data.read(path)

    return of


@pytest.fixture(scope="module")
def trial(root):
    return params.read(root / "params/NCT07022301.yaml")[0]


@pytest.fixture(scope="module")
def plan(trial):
    return Case.of(trial).plan


@pytest.fixture
def example(read, plan, trial):
    return read(synthetic.one_trial(plan, trial.scenarios[1], 3, date(2025, 7, 31)).encode())


BROKEN = {
    "an empty file": (
        [""],
        "f.csv: has no rows of patients; columns are USUBJID, BOR, RESPONDER, ENRLDT, ENRLFL, EVALFL, STAGE,",
    ),
    "a header alone": (
        ["id,BOR"],
        "f.csv: has no rows of patients; columns are USUBJID, BOR, RESPONDER, ENRLDT, ENRLFL, EVALFL, STAGE,",
    ),
    "no patient": (
        ["BOR", "CR"],
        "f.csv line 1: has no column that identifies the patients; it may be named USUBJID, SUBJID, SUBJECT,",
    ),
    "no response": (
        ["id,PFS", "a,1"],
        "f.csv line 1: has no column that states who responded; it may be named BOR, BEST OVERALL RESPONSE,",
    ),
    "a word": (
        ["id,BOR", "a,XX"],
        "f.csv line 2: BOR ('XX') is not a known response; write CR, PR, SD, NON-CR/NON-PD, PD or NE, or",
    ),
    "the name used in the file": (
        ["id,avalc", "a,XX"],
        "f.csv line 2: avalc ('XX') is not a known response; write CR, PR, SD, NON-CR/NON-PD, PD or NE, or",
    ),
    "the count and lines of other faults": (
        ["id,BOR", "a,CR", "b,PR", "c,XX", "d,SD", "e,PD", "f,1", "g,SD", "h,?"],
        "f.csv line 4: BOR ('XX') is not a known response; write CR, PR, SD, NON-CR/NON-PD, PD or NE, or their "
        "names in words (and 2 more mistakes)",
    ),
    "many faults": (
        ["id,BOR", *(f"{k},!" for k in range(9))],
        "f.csv line 2: BOR ('!') is not a known response; write CR, PR, SD, NON-CR/NON-PD, PD or NE, or",
    ),
    "lines within cells": (
        ["id,BOR,note", 'a,CR,"x', 'y"', "b,XX,"],
        "f.csv line 4: BOR ('XX') is not a known response; write CR, PR, SD, NON-CR/NON-PD, PD or NE, or",
    ),
    "a blank line between": (["id,BOR", "a,CR", "", "b,CR"], "f.csv line 3: has 0 cells; the header has 2"),
    "a short row": (["id,BOR", "a"], "f.csv line 2: has 1 cell; the header has 2"),
    "a long row": (["id,BOR", "a,CR,x"], "f.csv line 2: has 3 cells; the header has 2"),
    "a patient twice": (
        ["id,BOR", "a,CR", "b,CR", "a,PD"],
        "f.csv line 4: id ('a') is also in line 2; keep one row per patient",
    ),
    "nobody": (["id,BOR", " ,CR"], "f.csv line 2: id ('') is empty; write the identifier of the patient"),
    "a formula": (
        ["id,BOR", "=1+1,CR"],
        "f.csv line 2: id ('=1+1') begins with =, as a formula of a spreadsheet does; begin with a letter or",
    ),
    "a plus": (
        ["id,BOR", "+1,CR"],
        "f.csv line 2: id ('+1') begins with +, as a formula of a spreadsheet does; begin with a letter or",
    ),
    "an at": (
        ["id,BOR", "@a,CR"],
        "f.csv line 2: id ('@a') begins with @, as a formula of a spreadsheet does; begin with a letter or",
    ),
    "an escape": (
        ["id,BOR", "a\x1bb,CR"],
        r"f.csv line 2: id ('a\x1bb') holds a character that cannot be printed; write plain text",
    ),
    "a NUL byte": ([b"id,BOR\na,CR\nb\0,CR\n"], "f.csv line 3: holds a NUL byte; save the file as CSV in UTF-8"),
    "another encoding": ([b"id,BOR\nM\xfcller,CR\n"], "f.csv line 2: is not UTF-8 text"),
    "an open quote": (["id,BOR", 'a,"CR'], "f.csv line 2: is not CSV: unexpected end of data"),
    "a column twice": (["id,BOR,bor", "a,CR,CR"], "f.csv line 1: has the column 'bor' twice"),
    "two columns of one thing that differ": (
        ["id,Best response,Overall response", "a,CR,CR", "b,CR,PR"],
        "f.csv line 1: has 'Best response' and 'Overall response', which both stand for BOR and differ;",
    ),
    "an ignored column twice": (["id,BOR,x,X", "a,CR,,"], "f.csv line 1: has the column 'X' twice"),
    "event and censoring": (
        ["id,BOR,PFS,PFSEVENT,PFSCNSR", "a,CR,1,1,0"],
        "f.csv line 1: has 'PFSEVENT' and 'PFSCNSR' with the same meaning; keep one of the two",
    ),
    "time without event": (
        ["id,BOR,OS", "a,CR,1"],
        "f.csv line 1: has only one of OS and OSEVENT (or OSCNSR); give both or neither",
    ),
    "event without time": (
        ["id,BOR,DORCNSR", "a,CR,1"],
        "f.csv line 1: has only one of DOR and DOREVENT (or DORCNSR); give both or neither",
    ),
    "a cell of time alone": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,1,"],
        "f.csv line 2: PFS ('1') is given, but PFSEVENT is empty; give both or neither",
    ),
    "a cell of event alone": (
        ["id,BOR,PFS,PFSCNSR", "a,CR,,0"],
        "f.csv line 2: PFSCNSR ('0') is given, but PFS is empty; give both or neither",
    ),
    "a negative time": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,-1,1"],
        "f.csv line 2: PFS ('-1') is below 0; write a time from 0 on",
    ),
    "an infinite time": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,inf,1"],
        "f.csv line 2: PFS ('inf') is not a number; write a time from 0 on",
    ),
    "an overflow": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,1e999,1"],
        "f.csv line 2: PFS ('1e999') is above 100000; write a time from 0 on",
    ),
    "NaN": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,nan,1"],
        "f.csv line 2: PFSEVENT ('1') is given, but PFS is empty; give both or neither",
    ),
    "underscores": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,1_0,1"],
        "f.csv line 2: PFS ('1_0') is not a number; write a time from 0 on",
    ),
    "a decimal comma that parts a cell": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,1,5,1", "b,CR,2,0"],
        "f.csv line 2: has 5 cells; the header has 4; it seems to hold a decimal comma: write 5.1, or",
    ),
    "a decimal comma in every row": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,1,5,1", "b,CR,2,5,0"],
        "f.csv line 2: has 5 cells; the header has 4; it seems to hold a decimal comma: write 5.1, or",
    ),
    "decimal commas and points": (
        ["id;BOR;PFS;PFSEVENT", "a;CR;1.234;1", "b;CR;2,5;0"],
        "f.csv line 3: PFS ('2,5') has a decimal comma where other rows have a decimal point",
    ),
    "days": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,1826,1"],
        "f.csv line 2: PFS ('1826') is more than 240 months, and the file states no unit: add --time-unit",
    ),
    "a long number": (
        ["id,BOR,PFS,PFSEVENT", f"a,CR,{'1' * 100_000}x,1"],
        f"f.csv line 2: PFS ('{'1' * 39}) is not a number; write a time from 0 on",
    ),
    "another event": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,1,2"],
        "f.csv line 2: PFSEVENT ('2') is neither 1 nor 0; if 1 stands for censored and 2 for an event,",
    ),
    "half an event": (
        ["id,BOR,PFS,PFSEVENT", "a,CR,1,0.5"],
        "f.csv line 2: PFSEVENT ('0.5') is neither 1 nor 0; write 1 for an event and 0 for censored",
    ),
    "progression after death": (
        ["id,BOR,PFS,PFSEVENT,OS,OSEVENT", "a,CR,9.1,1,8.0,1"],
        "f.csv line 2: PFS ('9.1') is longer than OS (8.0), although death or the last contact ends it",
    ),
    "duration without response": (
        ["id,BOR,DOR,DOREVENT", "a,SD,1,1"],
        "f.csv line 2: DOR ('1') is given, but the patient has no response; leave it empty",
    ),
    "time to no response": (
        ["id,BOR,TTR", "a,NE,1"],
        "f.csv line 2: TTR ('1') is given, but the patient has no response; leave it empty",
    ),
    "evaluable without status": (
        ["id,BOR,EVALFL", "a,NE,Y"],
        "f.csv line 2: EVALFL ('Y') contradicts the response: BOR is NE; write N",
    ),
    "evaluable and empty": (
        ["id,BOR,EVALFL", "a,,Y"],
        "f.csv line 2: EVALFL ('Y') contradicts the response: BOR is empty; write N",
    ),
    "a response not evaluable": (
        ["id,BOR,EFFFL", "a,PR,N"],
        "f.csv line 2: EFFFL ('N') contradicts the response: BOR is PR; write Y",
    ),
    "no evaluable flag": (["id,BOR,EVALFL", "a,PR,"], "f.csv line 2: EVALFL ('') is empty; write Y or N"),
    "flags in one cell": (
        ["id,BOR,EVALFL", "a,PR,NY"],
        "f.csv line 2: EVALFL ('NY') is neither yes nor no; write Y or N (also TRUE and FALSE, 1 and 0)",
    ),
    "no enrolled flag": (["id,BOR,ENRLFL", "a,PR,"], "f.csv line 2: ENRLFL ('') is empty; write Y or N"),
    "a response of nobody": (
        ["id,BOR,ENRLFL", "a,PR,N"],
        "f.csv line 2: BOR ('PR') contradicts ENRLFL: the patient is not enrolled; leave it empty",
    ),
    "a grade of nobody": (
        ["id,BOR,ENRLFL,TOXGR", "a,,N,0"],
        "f.csv line 2: TOXGR ('0') contradicts ENRLFL: the patient is not enrolled; leave it empty",
    ),
    "a response of two minds": (
        ["id,BOR,AVAL", "a,PR,0"],
        "f.csv line 2: AVAL ('0') contradicts the response: BOR is PR; write 1",
    ),
    "a code for a response": (
        ["id,AVAL", "a,3"],
        "f.csv line 1: AVAL holds codes other than 1 and 0; add AVALC, which states their meaning",
    ),
    "no such day": (
        ["id,BOR,ENRLDT", "a,CR,2025-02-30"],
        "f.csv line 2: ENRLDT ('2025-02-30') is not a day of the calendar; correct the day or the month",
    ),
    "another order of days": (
        ["id,BOR,ENRLDT", "a,CR,01/02/2025"],
        "f.csv line 2: ENRLDT ('01/02/2025') is an ambiguous date: day and month cannot be distinguished;",
    ),
    "part of a day": (
        ["id,BOR,RFSTDTC", "a,CR,2025-02"],
        "f.csv line 2: RFSTDTC ('2025-02') is an incomplete date; write YYYY-MM-DD",
    ),
    "a grade too high": (["id,BOR,TOXGR", "a,CR,6"], "f.csv line 2: TOXGR ('6') is above 5; write a grade from 0 to 5"),
    "half a grade": (
        ["id,BOR,TOXGR", "a,CR,2.5"],
        "f.csv line 2: TOXGR ('2.5') is not a whole number; write a grade from 0 to 5",
    ),
    "less than nothing left": (
        ["id,BOR,PCHG", "a,CR,-101"],
        "f.csv line 2: PCHG ('-101') is below -100; write a percentage from -100 to 10000",
    ),
    "no stage": (
        ["id,BOR,Trial stage", "a,CR,"],
        "f.csv line 2: Trial stage ('') is empty; write a whole number from 0 to 200",
    ),
    "a stage left out": (
        ["id,BOR,STAGE", "a,CR,1", "b,CR,3"],
        "f.csv: STAGE leaves out a stage: no patient belongs to stage 2",
    ),
    "too many patients": (
        ["id,BOR", *(f"{k},CR" for k in range(10_001))],
        "f.csv: holds more than 10000 patients; no more are read",
    ),
    "too large a file": ([b"x" * (patient_files.MAX_BYTES + 1)], "f.csv: is larger than 33,554,432 bytes"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_fault_is_told_in_one_line_with_its_place(read, case):
    lines, said = BROKEN[case]
    with pytest.raises(InputError) as told:
        read(*lines)
    first = told.value.lines[0]
    assert first[first.index("f.csv") :].startswith(said)
    assert not any("\n" in line for line in told.value.lines)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        patient_data.read(tmp_path / "none.csv")


def test_names_words_and_cells_are_read_in_any_case_with_a_bom_and_blank_lines_at_the_end(read):
    data = read("\ufeffsubjid,Response,Arm,\r\na, cr ,x,\r\nb,Stable  disease,y,\r\nc,,z,\r\n\r\n,,,\r\n".encode())
    assert data.ids == ("a", "b", "c")
    assert data.bor == ("CR", "SD", "NE")
    assert data.evaluable.tolist() == [True, True, False]
    assert data.ignored == ("Arm", "(no heading)")


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_each_column_is_known_by_each_of_its_names(read, column):
    cells = {"id": "a", "response": "CR", "yes": "Y", "day": "2025-01-01", "unit": "months"}
    time = next((name for name in ("PFS", "OS", "DOR") if column.name.startswith(name) and column.kind != "day"), None)
    beside = {} if time is None else {f"{time}EVENT" if column.name == time else time: "1"}
    for name in (column.name, *column.others):
        if name == "STAGE":
            continue  # the bare name counts only where it parts the patients: see the tests of files
        row = {"USUBJID": "a", "BOR": "CR", **beside}
        row.pop(column.name, None)
        if column.name == "RESPONDER":
            row.pop("BOR")
        heading = name.lower()
        row[heading] = cells.get(column.kind, "1")
        data = read(",".join(row), ",".join(row.values()))
        assert data.columns[column.name] == heading


def test_censoring_is_the_other_way_round_from_events(read):
    data = read("id,BOR,PFS,PFSCNSR,OS,OSEVENT", "a,CR,1,1,3,1", "b,SD,2,0,4,0", "c,SD,,,,")
    assert data.pfs.event.tolist() == [False, True, False]
    assert data.os.event.tolist() == [True, False, False]
    assert data.pfs.months.tolist()[:2] == [1, 2]
    assert np.isnan(data.pfs.months[2])


def test_a_file_of_responders_has_no_best_overall_response(read):
    data = read("id,responder", "a,1", "b,0", "c,")
    assert data.bor is None
    assert data.responder.tolist() == [True, False, False]
    assert data.evaluable.tolist() == [True, True, False]


def test_stable_disease_may_be_not_evaluable_and_then_is_no_disease_control(read):
    data = read("id,BOR,EVALFL", "a,SD,N", "b,SD,Y", "c,PR,Y", "d,NE,N")
    assert data.evaluable.tolist() == [False, True, True, False]
    assert endpoints.secondary(data)[0].events == 2


def test_the_disposition_adds_up(read):
    data = read("id,BOR,ENRLFL", "a,CR,Y", "b,PD,Y", "c,SD,Y", "d,NE,Y", "e,,N", "f,NE,N")
    found = data.disposition()
    assert list(found.values()) == [6, 2, 4, 1, 3, 2, 1]
    assert found["screened"] == found["not enrolled"] + found["enrolled"]
    assert found["enrolled"] == found["not evaluable"] + found["evaluable"]
    assert found["evaluable"] == found["non-responders"] + found["responders"]


def test_patients_stand_by_day_of_enrollment_and_ties_as_in_the_file(read):
    rows = ["id,BOR,ENRLFL,ENRLDT", "a,CR,Y,2025-03-01", "s,,N,", "b,PD,Y,2025-01-01T09:30", "c,SD,Y,2025-03-01"]
    data = read(*rows)
    assert data.by_date
    assert data.ids == ("b", "a", "c", "s")
    assert data.bor[:3] == ("PD", "CR", "SD")
    assert data.dates[0] == date(2025, 1, 1)


def test_without_a_day_of_everybody_the_order_is_that_of_the_file_if_the_other_days_agree(read):
    data = read("id,BOR,ENRLDT", "a,CR,2025-01-01", "b,PD,2025-03-01", "c,SD,")
    assert not data.by_date
    assert data.ids == ("a", "b", "c")
    with pytest.raises(
        InputError,
        match=r"line 4: ENRLDT \(''\) is missing, and the rows are not in the order of the other dates, so it is",
    ):
        read("id,BOR,ENRLDT", "a,CR,2025-03-01", "b,PD,2025-01-01", "c,SD,")


def test_who_was_screened_only_stands_last(read):
    assert read("id,BOR,ENRLFL", "s,,N", "a,CR,Y", "b,PD,Y").ids == ("a", "b", "s")


SIX = ("id,BOR", "a,PR", "b,NE", "c,SD", "d,CR", "e,NE", "f,PR")


@pytest.mark.parametrize(
    ("sizes", "handling", "expected"),
    [
        ((3, 6), "nonresponder", ((3, 6), (1, 3), 0)),
        ((3, 6), "exclude", ((2, 4), (1, 3), 0)),
        ((3, 6), "replace", ((3, 4), (2, 3), 0)),
        ((3, 4), "replace", ((3, 4), (2, 3), 0)),
        ((3, 10), "nonresponder", ((3, 6), (1, 3), 0)),
        ((2, 5), "nonresponder", ((2, 6), (1, 3), 0)),
        ((7,), "nonresponder", ((6,), (3,), 0)),
        ((8, 9), "nonresponder", ((6,), (3,), 0)),
        ((1, 2), "exclude", ((1, 4), (1, 3), 0)),
    ],
)
def test_a_look_counts_whom_its_handling_says(read, sizes, handling, expected):
    assert read(*SIX).counts(sizes, handling) == expected


def test_stages_overrule_the_sizes_planned(read):
    stages = ("STAGE", "1", "1", "2", "2", "2", "0")
    data = read(*(f"{row},{stage}" for row, stage in zip(SIX, stages, strict=True)))
    assert data.counts((3, 10), "nonresponder") == ((2, 5), (1, 2), 1)
    assert data.counts((3, 10), "exclude") == ((1, 3), (1, 2), 1)
    with pytest.raises(InputError, match=r"STAGE \(2\) is above 1, the number of looks planned"):
        data.counts((6,), "nonresponder")


@pytest.mark.parametrize(
    ("sizes", "handling", "said"),
    [
        ((), "exclude", r"sizes \(\[\]\) do not increase from look to look"),
        ((5, 5), "exclude", r"sizes \(\[5, 5\]\) do not increase from look to look"),
        ((0, 5), "exclude", r"sizes \(0\) is below 1"),
        ((5,), "itt", r"handling \('itt'\) is unknown; write nonresponder, replace or exclude"),
    ],
)
def test_looks_that_cannot_be_are_refused(read, sizes, handling, said):
    with pytest.raises(InputError, match=said):
        read(*SIX).counts(sizes, handling)


def _by_name(found):
    return {endpoint.name: endpoint for endpoint in found}


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("handling", ["nonresponder", "replace", "exclude"])
def test_shares_have_the_interval_of_clopper_and_pearson(example, handling, level):
    found = _by_name(endpoints.secondary(example, level, handling=handling))
    n = {"nonresponder": example.enrolled, "replace": example.evaluable, "exclude": example.evaluable}[handling].sum()
    bor = np.array(example.bor)
    counted = {"dcr": np.isin(bor, ["CR", "PR", "SD"]).sum(), "cr": (bor == "CR").sum()}
    counted["toxicity"] = (example.toxicity[example.enrolled] >= 3).sum()
    for name, events in counted.items():
        of = example.enrolled.sum() if name == "toxicity" else n
        low, high = binomtest(int(events), int(of)).proportion_ci(level, "exact")
        share = found[name]
        assert (share.n, share.events, share.value) == (of, events, events / of)
        # two ways to the same root
        assert (share.low, share.high) == pytest.approx((low, high), abs=1e-10)


def test_6mp_as_in_r_and_in_the_engine(read, reference):
    rows = (f"{k},NE,{t.rstrip('+')},{int(not t.endswith('+'))}" for k, t in enumerate(SIX_MP))
    data = read("id,BOR,PFS,PFSEVENT", *rows)
    printed = reference("km_6mp").set_index("quantity")
    found = _by_name(endpoints.secondary(data, landmark=10.0))
    median, landmark = found["pfs_median"], found["pfs_landmark"]
    assert (median.n, median.events, median.value) == (21, 9, float(printed.value["median"]))
    assert printed.value["median 95% CI Brookmeyer-Crowley, conf.type=log-log"] == "(13,NA)"
    assert (median.low, median.high) == (13, None)
    # printed to three decimals
    assert landmark.value == pytest.approx(float(printed.value["S(10)"]), abs=5.1e-4)
    assert landmark.events == 5
    curve = SurvfuncRight(data.pfs.months, data.pfs.event)
    at = list(curve.surv_times).index(10)
    log, z = np.log(curve.surv_prob[at]), 1.959963984540054
    spread = z * curve.surv_prob_se[at] / curve.surv_prob[at] / abs(log)
    expected = [np.exp(log * np.exp(sign * spread)) for sign in (1, -1)]
    assert (landmark.low, landmark.high) == pytest.approx(expected, rel=1e-12)
    assert endpoints.secondary(data, landmark=36.0)[-1].value is None  # nobody was watched for so long


def test_curves_agree_with_the_engine_and_with_statsmodels():
    rng = np.random.default_rng(7)
    compared = 0
    for _ in range(200):
        n = rng.integers(1, 21)
        months, event = np.ceil(rng.exponential(5, n) * 2) / 2, rng.random(n) < 0.7
        mine = endpoints.curve(months, event)
        curve = kaplan_meier(months[:, np.newaxis], event[:, np.newaxis])
        expected = (curve.median[0], *(float(limit[0]) for limit in curve.interval()))
        assert mine.median == tuple(v if np.isfinite(v) else None for v in expected)
        for month in (0.25, 2.0, 5.0, 40.0):
            value = curve.at(month)[0][0]
            assert mine.at(month)[0] == (None if np.isnan(value) else pytest.approx(value, rel=1e-12, abs=1e-12))
        if event.any() and not np.isclose(mine.survival, 0.5).any() and (mine.survival > 0).all():
            with np.errstate(all="ignore"):  # statsmodels divides by 0 where S = 1
                theirs = SurvfuncRight(months, event)
                limits = [v if np.isfinite(v) else None for v in theirs.quantile_ci(0.5, method="cloglog")]
            assert list(mine.median[1:]) == limits
            compared += 1
    assert compared > 20


def test_the_median_on_a_plateau_is_its_middle_and_the_method_says_so(read):
    # events at 1..10: S = 1/2 from the fifth to the sixth, as R survfit and SAS LIFETEST print
    data = read("id,BOR,PFS,PFSEVENT,OS,OSEVENT", *(f"{k},SD,{k},1,{k + 2},{int(k != 6)}" for k in range(1, 11)))
    found = _by_name(endpoints.secondary(data))
    assert found["pfs_median"].value == 5.5
    assert found["pfs_median"].method.endswith("log-log; S = 1/2 from month 5 to month 6: midpoint, as in R and SAS")
    # the sixth patient is lost at month 8: S stays 1/2 from month 7 to the event of month 9
    assert found["os_median"].value == 8
    no_event_after = read("id,BOR,PFS,PFSEVENT", "a,SD,1,1", "b,SD,2,1", "c,SD,3,0", "d,SD,4,0")
    last = _by_name(endpoints.secondary(no_event_after))["pfs_median"]
    assert (last.value, last.method) == (2, "Kaplan-Meier, Brookmeyer-Crowley log-log")


def test_a_wider_level_gives_a_wider_interval(example):
    narrow, wide = (_by_name(endpoints.secondary(example, level))["pfs_landmark"] for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.value == wide.value < narrow.high < wide.high


def test_what_is_not_known_is_none(read):
    found = _by_name(endpoints.secondary(read("id,BOR,PFS,PFSEVENT,DOR,DOREVENT", "a,SD,7,0,,", "b,SD,8,1,,")))
    assert (found["pfs_median"].value, found["pfs_median"].low, found["pfs_median"].high) == (8, 8, None)
    assert (found["pfs_landmark"].value, found["pfs_landmark"].low) == (1, None)
    assert (found["dor_median"].n, found["dor_median"].value) == (0, None)
    nobody = endpoints.secondary(read("id,BOR", "a,NE"), handling="exclude")
    assert [(e.n, e.value, e.low) for e in nobody] == [(0, None, None)] * 2


def test_duration_of_response_is_of_the_responders(read):
    found = _by_name(endpoints.secondary(read("id,BOR,DOR,DOREVENT", "a,CR,4,1", "b,PR,,", "c,SD,,")))["dor_median"]
    assert (found.n, found.events, found.value) == (1, 1, 4)
    assert found.method.endswith("log-log, 1 patient without a value left out")


def test_only_columns_of_the_file_have_endpoints_and_patients_without_a_value_are_told(read):
    assert endpoints.secondary(read("id,AVAL", "a,1")) == ()
    found = endpoints.secondary(read("id,AVAL,TOXGR,OS,OSEVENT", "a,1,3,2,1", "b,0,,,", "c,0,0,3,0"))
    assert [e.name for e in found] == ["os_median", "os_landmark", "toxicity"]
    assert all(e.n == 2 and e.method.endswith(", 1 patient without a value left out") for e in found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"level": 1.0}, "level"),
        ({"landmark": -1.0}, "landmark"),
        ({"handling": "itt"}, "handling"),
    ],
)
def test_endpoints_that_cannot_be_are_refused(read, given, said):
    with pytest.raises(InputError, match=f"^{said} "):
        endpoints.secondary(read(*SIX), **given)


def _same(read, plan, scenario, seed):
    """A synthetic trial read again, held against the simulator's own."""
    trials = engine.simulate(plan, scenario, np.random.default_rng(runs.stream(seed, 0, 0)), bounds_of(plan), trials=1)
    data = read(synthetic.one_trial(plan, scenario, seed, date(2025, 7, 31)).encode())
    assert data.ignored == ()
    enrolled = int(trials.enrolled[0])
    found = data.disposition()
    assert (found["screened"], found["enrolled"]) == (int(np.ravel(trials.screened)[0]), enrolled)
    assert data.responder[:enrolled].tolist() == trials.cohort.responds[:enrolled, 0].tolist()
    assert data.evaluable[:enrolled].tolist() == trials.cohort.evaluable[:enrolled, 0].tolist()
    sizes = [look.n for look in plan.design.looks]
    counted = data.counts(sizes, plan.handling)
    # a stage that accrual closed before anybody entered leaves no trace in a file of patients
    empty = trials.closed[0] and counted.sizes[-1] == sizes[trials.stage[0] - 2]
    assert len(counted.sizes) == trials.stage[0] - empty
    assert (counted.sizes[-1], counted.responses[-1]) == (trials.analysed[0], trials.responses[0])
    return data, trials


@pytest.mark.parametrize("seed", range(30))
def test_a_synthetic_trial_is_the_simulators(read, plan, trial, seed):
    scenario = trial.scenarios[seed % len(trial.scenarios)]
    data, trials = _same(read, plan, scenario, seed)
    rng = np.random.default_rng(runs.stream(seed, 0, 0))
    again = engine.simulate(plan, scenario, rng, bounds_of(plan), trials=1)
    lost, death = outcomes.lifetimes(plan, again, again.cohort.pfs, rng)
    n = int(trials.enrolled[0])
    until = np.minimum(lost[:n, 0], trials.end[0] - trials.entry[:n, 0])
    for name, time in (("pfs", again.cohort.pfs), ("os", death)):
        times = getattr(data, name)
        assert times.event[:n].tolist() == (time[:n, 0] <= until).tolist()
        # written to two decimals
        assert times.months[:n] == pytest.approx(np.minimum(time[:n, 0], until), abs=0.005001)
    responders = data.responder
    assert data.ttr[responders] + data.dor.months[responders] == pytest.approx(data.pfs.months[responders])
    for kind, low, high in (("CR", -100, -100), ("PR", -95, -30), ("SD", -29, 19), ("PD", 20, 80)):
        change = data.change[np.array(data.bor) == kind]
        assert ((low <= change) & (change <= high)).all()


PLANS = {
    "exclude": {"handling": "exclude"},
    "replace": {"handling": "replace"},
    "accrual goes on": {"interim": Interim(hold=False)},
    "accrual goes on with replacement": {"interim": Interim(hold=False), "handling": "replace"},
    "accrual goes on, decided when known": {"interim": Interim(hold=False, decide="known")},
    "decided when known": {"interim": Interim(hold=True, decide="known")},
    "decided when known, with replacement": {"interim": Interim(hold=True, decide="known"), "handling": "replace"},
    "patients pending": {"interim": Interim(hold=True, conditional=Conditional(0.6, 0.3))},
    "accrual closes early": {"close_month": 9.0},
    "accrual closes early with replacement": {"close_month": 9.0, "handling": "replace"},
    "stable disease": {"disease": Disease(Assessments.fixed(2.0), dcr=0.6, dcr_at_orr=0.3)},
}


@pytest.mark.parametrize("case", PLANS)
def test_a_synthetic_trial_of_any_plan_is_the_simulators(read, case):
    given = {"disease": Disease(Assessments.fixed(2.0)), "handling": "nonresponder"} | PLANS[case]
    plan = Plan(parse_looks("1/6,5/18"), Constant(2.0), dropout=Dropout(0.2), **given)
    stages, stated = set(), 0
    for seed in range(25):
        data, trials = _same(read, plan, Scenario("", 0.3), seed)
        stages.add(int(trials.stage[0]))
        stated += data.stage is not None
        assert data.pfs is None
        assert data.toxicity is None
        assert (data.bor is None) == (case != "stable disease")
    assert stages == {1, 2}
    assert (stated > 0) == case.startswith("accrual")


def test_the_same_seed_gives_the_same_file_and_another_seed_another(plan, trial):
    texts = [synthetic.one_trial(plan, trial.scenarios[0], seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert "ENRLDT" not in texts[0].splitlines()[0].split(",")


FIGURES = (patient_figures.waterfall, patient_figures.swimmer, patient_figures.survival)


@pytest.mark.long
@pytest.mark.parametrize("draw", FIGURES)
def test_a_figure_is_the_same_bytes_each_time_and_says_what_the_data_are(example, draw):
    label = "data of $x^ {no maths} <b>"
    first, second = draw(example, label), draw(example, label)
    assert first.svg() == second.svg()
    assert label in first.alt
    assert "data of $x^ {no maths} &lt;b&gt;" in first.svg()
    assert label in [text.get_text() for text in first.figure.axes[0].texts]


def test_the_waterfall_has_a_bar_of_each_patient_with_a_value_largest_growth_first(read):
    rows = ("a,PR,-40", "b,PD,150", "c,NE,", "d,SD,0", "e,CR,-100", "f,PD,20")
    axis = patient_figures.waterfall(read("id,BOR,PCHG", *rows), "x").figure.axes[0]
    assert [bar.get_height() for bar in axis.patches] == [100, 20, 0, -40, -100]  # cut off at +100%, and so told
    assert axis.get_xlabel() == "5 of 6 enrolled patients have a value; largest growth first; 1 above +100% cut off"
    assert "+150" in [text.get_text() for text in axis.texts]


def test_the_swimmer_tells_progression_death_and_who_is_alive(read):
    rows = ("a,PR,2,1,9,1,1,1,1", "b,SD,3,1,3,1,,,", "c,CR,4,0,5,0,1,3,0", "d,NE,,,2,0,,,")
    data = read("id,BOR,PFS,PFSEVENT,OS,OSEVENT,TTR,DOR,DOREVENT", *rows)
    picture = patient_figures.swimmer(data, "x")
    assert picture.alt.endswith("4 patients, 2 with a response, 1 seen to progress, 2 dead, 2 alive when last seen.")
    # to the progression of the first, who is followed until death; the second died without progression
    axis = picture.figure.axes[0]
    assert [bar.get_width() for bar in axis.patches] == [2, 3, 5, 2]
    lines = [tuple(segment[:, 0]) for segment in axis.collections[0].get_segments()]
    assert lines == [(2, 9), (3, 3), (5, 5), (2, 2)]


def test_numbers_at_risk_stand_below_the_curves(read):
    picture = patient_figures.survival(read("id,BOR,PFS,PFSEVENT", "a,SD,1,1", "b,SD,2,0", "c,SD,8,1"), "x")
    axis = picture.figure.axes[0]
    written = {text.xy[0]: text.get_text() for text in axis.texts if text.get_text().isdigit()}
    assert written == {month: str(sum(t >= month for t in (1, 2, 8))) for month in axis.get_xticks()}
    assert picture.alt.startswith("Kaplan-Meier curves of x: PFS, median 8.0 months (95% ")


@pytest.mark.parametrize("draw", FIGURES)
def test_a_figure_without_its_column_is_refused(read, draw):
    with pytest.raises(InputError, match="needed for"):
        draw(read(*SIX), "x")


def test_data_are_frozen(example):
    with pytest.raises(dataclasses.FrozenInstanceError):
        example.ids = ()


def test_other_names_of_a_column_that_stands_under_its_own_are_left_alone(read):
    data = read("USUBJID,SUBJID,BOR", "T-01,01,CR", "T-02,02,PD")
    assert data.ids == ("T-01", "T-02")
    assert data.ignored == ("SUBJID",)


def test_stages_that_fall_with_the_days_are_refused(read):
    with pytest.raises(
        InputError,
        match=r"STAGE falls from 2 to 1 in the order of the dates of enrollment; if it is not the stage of the",
    ):
        read("id,BOR,ENRLDT,STAGE", "a,PR,2025-01-01,2", "b,PR,2025-02-01,1", "c,PR,2025-03-01,2")


def test_identifiers_that_differ_in_case_alone_are_one_patient(read):
    with pytest.raises(InputError, match="is also in line 2"):
        read("id,BOR", "s004,PR", "S004,PD")
