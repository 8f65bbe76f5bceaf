"""Files of patients as R, SAS and pandas write them and CDISC lays them out: the same patients, the same analysis."""

import io
import json
import math
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sas_transport import written

from simtrial import InputError, TwoStage
from simtrial.analysis import dossier
from simtrial.cli.app import main
from simtrial.patients import cells as patient_cells
from simtrial.patients import data as patient_data
from simtrial.patients import endpoints

TODAY = date(2026, 11, 25)
HEAD = ("USUBJID", "ENRLDT", "BOR", "PFS", "PFSEVENT", "PCHG")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("patients")


@pytest.fixture(scope="module")
def read(folder):
    """Read texts (or bytes) as files of one trial."""

    def of(*texts, **how):
        paths = []
        for k, text in enumerate(texts):
            path = folder / f"f{k}.csv"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return patient_data.read(paths, **({"today": TODAY} | how))

    return of


def table(*rows):
    return "\n".join(rows) + "\n"


def summary(data):
    """Everything that an analysis takes from the patients."""
    found = dossier.of_patients(data, TwoStage(1, 4, 3, 8), 0.1, "nonresponder")
    return (
        data.ids,
        data.bor,
        data.dates,
        data.disposition(),
        found.result,
        found.after,
        tuple((e.name, e.n, e.events, e.value, e.low, e.high) for e in endpoints.secondary(data)),
        None if data.change is None else tuple(None if math.isnan(c) else c for c in data.change),
    )


# ---- any writer, the same analysis

people = st.lists(
    st.fixed_dictionaries(
        {
            "BOR": st.sampled_from(["CR", "PR", "SD", "PD", "NE", None]),
            "day": st.integers(0, 600),
            "PFS": st.one_of(st.none(), st.integers(0, 12_00)),
            "PFSEVENT": st.booleans(),
            "PCHG": st.one_of(st.none(), st.integers(-1000, 1500)),
        }
    ),
    min_size=1,
    max_size=9,
)


def frame_of(patients):
    return pd.DataFrame(
        {
            "USUBJID": [f"01-{k:03d}" for k in range(len(patients))],
            "ENRLDT": pd.to_datetime([date(2020, 1, 1) + timedelta(days=p["day"]) for p in patients]),
            "BOR": pd.Series([p["BOR"] for p in patients], dtype=object),
            "PFS": [math.nan if p["PFS"] is None else p["PFS"] / 100 for p in patients],
            "PFSEVENT": pd.array(
                [pd.NA if p["PFS"] is None else int(p["PFSEVENT"]) for p in patients], dtype="Int64"
            ),
            "PCHG": [math.nan if p["PCHG"] is None else p["PCHG"] / 10 for p in patients],
        }
    )  # fmt: skip


def plain(frame):
    """The file as `simtrial columns` describes it."""
    return frame.to_csv(index=False, date_format="%Y-%m-%d")


def r_value(value, *, quote, comma, logical):
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "NA"
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, str):
        return f'"{value}"' if quote else value
    if logical and isinstance(value, int | np.integer):
        return "TRUE" if value else "FALSE"
    return str(value).replace(".", ",") if comma else str(value)


def r_table(frame, *, separator, quote, rows, comma, logical, named):
    """`write.table` of R: row names first, their heading left out or empty (`write.csv`)."""
    heads = [f'"{h}"' if quote else h for h in frame.columns]
    lines = [separator.join(([('""' if quote else "")] if rows and named else []) + heads)]
    for k, row in enumerate(frame.itertuples(index=False), start=1):
        cells = [r_value(v, quote=quote, comma=comma, logical=logical) for v in row]
        lines.append(separator.join(([f'"{k}"' if quote else str(k)] if rows else []) + cells))
    return "\n".join(lines) + "\n"


def sas_export(frame, *, separator, missing, spelled):
    """PROC EXPORT: CRLF, DATE9., a missing number empty or a full stop."""

    def cell(value):
        if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
            return missing
        return value.strftime(spelled).upper() if isinstance(value, pd.Timestamp) else str(value)

    lines = [separator.join(frame.columns), *(separator.join(map(cell, row)) for row in frame.itertuples(index=False))]
    return "\r\n".join(lines) + "\r\n"


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(
    patients=people,
    separator=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    index=st.booleans(),
    missing=st.sampled_from(["", "NA", "nan", "NaN", "NULL", ".", "N/A"]),
    day=st.sampled_from([None, "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d%b%Y", "%Y%m%d", "%Y/%m/%d"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    coding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([0, 1, 2]),
)
def test_any_file_that_pandas_writes_gives_the_same_analysis(
    read, patients, separator, decimal, index, missing, day, newline, coding, quoting
):
    frame = frame_of(patients)
    buffer = io.BytesIO()
    frame.to_csv(
        buffer, sep=separator, decimal=decimal, index=index, na_rep=missing, date_format=day, lineterminator=newline,
        encoding=coding, quoting=quoting,
    )  # fmt: skip
    assert summary(read(buffer.getvalue())) == summary(read(plain(frame)))


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(
    patients=people,
    separator=st.sampled_from([" ", ",", ";", "\t"]),
    quote=st.booleans(),
    rows=st.booleans(),
    comma=st.booleans(),
    logical=st.booleans(),
    named=st.booleans(),
)
def test_any_file_that_r_writes_gives_the_same_analysis(read, patients, separator, quote, rows, comma, logical, named):
    frame = frame_of(patients)
    comma = comma and separator != ","  # R quotes no number: write.csv2 has semicolons
    named = named and separator != " "
    text = r_table(
        frame, separator=separator, quote=quote, rows=rows, comma=comma, logical=logical, named=named
    )  # fmt: skip
    assert summary(read(text)) == summary(read(plain(frame)))


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(
    patients=people,
    separator=st.sampled_from([",", "\t", "|"]),
    missing=st.sampled_from(["", "."]),
    spelled=st.sampled_from(["%d%b%Y", "%Y-%m-%d", "%d%b%Y:00:00:00", "%d-%b-%Y"]),
)
def test_any_file_that_sas_exports_gives_the_same_analysis(read, patients, separator, missing, spelled):
    frame = frame_of(patients)
    assert summary(read(sas_export(frame, separator=separator, missing=missing, spelled=spelled))) == summary(
        read(plain(frame))
    )


@settings(max_examples=25, deadline=None)
@given(patients=people)
def test_a_sas_transport_file_gives_the_same_analysis(read, patients):
    frame = frame_of(patients)
    columns = {
        "USUBJID": frame.USUBJID.tolist(),
        # numbers of days from 1960-01-01, as SAS keeps a day
        "TRTSDT": [(when.date() - date(1960, 1, 1)).days for when in frame.ENRLDT],
        "BOR": [code or "" for code in frame.BOR],
        "PFS": frame.PFS.tolist(),
        "PFSEVENT": [math.nan if event is pd.NA else event for event in frame.PFSEVENT],
        "PCHG": frame.PCHG.tolist(),
    }
    data = read(written("ADSL", columns))
    expected = read(plain(frame))
    assert data.ids == expected.ids
    assert data.dates == expected.dates
    assert data.disposition() == expected.disposition()
    for name in ("change",):
        # hexadecimal floating point keeps 53 bits or more of a double's 53
        assert getattr(data, name) == pytest.approx(getattr(expected, name), rel=1e-15, nan_ok=True)
    assert data.pfs.months == pytest.approx(expected.pfs.months, rel=1e-15, nan_ok=True)


def test_a_damaged_sas_file_is_refused_in_one_line(read):
    whole = written("ADSL", {"USUBJID": ["a", "b"], "BOR": ["PR", "SD"]})
    for broken in (whole[:500], whole[:240] + b"x" * 400, b"\0" * 12 + b"\xc2\xea\x81\x60" + b"\1" * 500):
        with pytest.raises(InputError, match=r"cannot be read as a SAS|holds no patients|does not say"):
            read(broken)


# ---- names, words and cells

SPELLED = [
    ("Subject", "ORR"), ("PatientID", "BestResponse"), ("patient_id", "Best Overall Response"),
    ("Patient ID", "best_response"),
    ("SUBJECT-ID", "Response"), ("subj", "Tumor Response"), ("Participant", "BOR"), ("pt.id", "RECIST"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "what"), SPELLED)
def test_usual_spellings_of_names_are_read(read, who, what):
    data = read(table(f"{who},{what}", "a,PR", "b,SD"))
    assert (data.ids, data.responder.tolist()) == (("a", "b"), [True, False])
    assert data.columns == {"USUBJID": who, "BOR": what}


@pytest.mark.parametrize(
    ("yes", "no"),
    [("Y", "N"), ("yes", "no"), ("TRUE", "FALSE"), ("True", "False"), ("T", "F"), ("1", "0"), ("1.0", "0.0"),
     ("Responder", "Non-responder")],
)  # fmt: skip
@pytest.mark.parametrize("heading", ["RESPONDER", "ORR", "Response", "response", "BOR", "AVALC"])
def test_yes_and_no_are_read_under_any_name_of_the_response(read, heading, yes, no):
    data = read(table(f"ID,{heading}", f"a,{yes}", f"b,{no}", "c,NA"))
    assert data.bor is None
    assert data.responder.tolist() == [True, False, False]
    assert data.evaluable.tolist() == [True, True, False]


@pytest.mark.parametrize("missing", ["", "NA", "N/A", "nan", "NaN", ".", "NULL", "None", "<NA>", "NaT", ".A", "#N/A"])
def test_a_missing_value_is_read_in_each_spelling(read, missing):
    data = read(table("ID,BOR,PFS,PFSEVENT,PCHG,ENRLDT", "a,PR,1.5,1,-40,2020-01-01", f"b,{','.join([missing] * 5)}"))
    assert data.evaluable.tolist() == [True, False]
    assert np.isnan(data.pfs.months[1])
    assert np.isnan(data.change[1])
    assert data.dates == (date(2020, 1, 1), None)


@pytest.mark.parametrize(
    "text",
    ["2020-01-15", "2020-01-15 00:00:00", "2020-01-15T09:30", "2020-01-15T00:00:00Z", "15JAN2020", "15Jan2020",
     "15-JAN-2020", "15 Jan 2020", "15JAN2020:00:00:00", "20200115", "2020/01/15", "15.01.2020"],
)  # fmt: skip
def test_a_day_is_read_in_each_spelling_that_can_mean_one_day_only(text):
    assert patient_cells.day(text) == date(2020, 1, 15)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("15/01/2020", r"is an ambiguous date: day and month cannot be distinguished; write YYYY-MM-DD"),
        ("01-02-2020", r"is an ambiguous date: day and month cannot be distinguished; write YYYY-MM-DD"),
        ("43845", r"is a number of days from an unknown first day; write the date as YYYY-MM-DD"),
        ("2020-13-01", r"is not a day of the calendar; correct the day or the month"),
        ("31FEB2020", r"is not a day of the calendar; correct the day or the month"),
        ("2020-01", r"is an incomplete date; write YYYY-MM-DD"),
        ("soon", "is not a date; write YYYY-MM-DD"),
    ],
)
def test_a_day_that_could_be_another_is_refused_by_its_own_fault(text, fault):
    with pytest.raises(patient_cells.CellError, match=fault):
        patient_cells.day(text)


CODES = {
    "CR": (True, True), "PR": (True, True), "SD": (True, False), "NON-CR/NON-PD": (True, False), "PD": (True, False),
    "NE": (False, False), "MISSING": (False, False), "NED": (False, False), "Non-CR/Non-PD": (True, False),
    "Partial Response": (True, True), "Complete response (CR)": (True, True), "PARTIAL REMISSION": (True, True),
    "NOT EVALUABLE": (False, False), "Not all evaluated": (False, False), "UNKNOWN": (False, False),
    "iUPD": (True, False),
    "": (False, False), "NA": (False, False),
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_a_response_counts_as_recist_and_cdisc_define_it(read, code):
    data = read(table("ID,BOR", f"a,{code}", "b,SD"))
    assert (bool(data.evaluable[0]), bool(data.responder[0])) == CODES[code]


def test_disease_control_counts_patients_without_measurable_disease(read):
    data = read(table("ID,BOR", "a,NON-CR/NON-PD", "b,SD", "c,PR", "d,PD"))
    assert endpoints.secondary(data)[0].events == 3


def test_percent_signs_and_a_printed_minus_are_read(read):
    data = read(table("ID,BOR,PCHG", "a,PR,-45%", "b,SD,10 %", "c,PR,\u221230.5"))
    assert data.change.tolist() == [-45, 10, -30.5]


def test_all_faults_of_a_file_are_told_at_once(read):
    with pytest.raises(InputError) as told:
        read(table("ID,BOR,PFS,PFSEVENT", "a,XX,1,1", "b,PR,x,1", "c,PR,2,7"))
    assert [line.split("f0.csv ")[1].split(" (")[0] for line in told.value.lines] == [
        "line 2: BOR",
        "line 3: PFS",
        "line 4: PFSEVENT",
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"PK\x03\x04rest", "is a ZIP archive; unpack it first"),
        (b"PK\x03\x04[Content_Types].xml", "is an Excel file; save it as CSV"),
        (b"PK\x03\x04xl/workbook.xml", "is an Excel file; save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an Excel file; save it as CSV"),
        (b"PK\x03\x04[Content_Types].xml...word/document.xml", "is a Word file; save the patients as CSV"),
        (b"PK\x03\x04application/vnd.oasis.opendocument.spreadsheet", "is an OpenDocument spreadsheet; save it as CSV"),
        (b"\0" * 3 + b"\xc2\xea\x81\x60", r"is a SAS data set; export it as CSV or as a SAS transport file \(XPT\)"),
        (b"\0" * 12 + b"\xc2\xea\x81\x60" + bytes(99), r"cannot be read as a SAS data set: .*; export it as CSV or as"),
        (b"<html><table>", "is HTML or XML, not a table"),
        (b'{"a": 1}', "is JSON, not a table"),
        (b"\x1f\x8brest", "is a gzip archive"),
        (b"PAR1rest", "is a Parquet file"),
    ],
)
def test_what_is_no_table_is_refused_by_what_it_is(read, content, fault):
    with pytest.raises(InputError, match=fault):
        read(content)


def test_the_line_for_excel_is_skipped_and_lines_are_still_counted(read):
    assert read(table("sep=;", "ID;BOR", "a;PR")).responder.tolist() == [True]
    with pytest.raises(InputError, match=r"line 3: BOR \('XX'\)"):
        read(table("sep=;", "ID;BOR", "a;XX"))


def test_row_names_are_told_from_a_cell_too_many(read):
    assert read(table("ID,BOR", "1,a,PR", "2,b,SD")).ids == ("a", "b")
    with pytest.raises(InputError, match="has 3 cells; the header has 2"):
        read(table("ID,BOR", "a,PR,x", "b,PR,y"))


# ---- the stage of the trial


def test_the_stage_of_the_disease_is_ignored_and_said_so(read):
    for heading in ("Stage", "stage", "Tumor stage", "AJCC_STAGE", "Disease Stage"):
        data = read(table(f"ID,BOR,{heading}", "a,PR,2", "b,SD,1"))
        assert data.stage is None
        assert data.ignored == (heading,)


def test_a_bare_stage_in_words_is_that_of_the_disease(read):
    assert read(table("ID,BOR,STAGE", "a,PR,IV", "b,SD,III")).ignored == ("STAGE",)


def test_unmistakable_names_are_the_stage_of_the_trial(read):
    for heading in ("Trial stage", "TRIAL_STAGE", "trialstage", "Stage of the trial", "Simon stage", "STAGE"):
        data = read(table(f"ID,BOR,{heading}", "a,PR,1", "b,SD,2"))
        assert data.stage.tolist() == [1, 2]
        assert data.columns["STAGE"] == heading


def test_a_stage_that_contradicts_the_order_of_the_rows_is_refused(read):
    with pytest.raises(InputError, match="falls from 2 to 1 in the order of the rows"):
        read(table("ID,BOR,Trial stage", "a,PR,1", "b,SD,2", "c,SD,1"))


# ---- units of time


def test_whole_times_above_sixty_are_not_taken_for_months(read):
    with pytest.raises(
        InputError,
        match=r"PFS \('155'\) is ambiguous: all times are whole numbers, and the file states no unit; add --time-unit",
    ):
        read(table("ID,BOR,PFS,PFSEVENT", "a,PR,155,1", "b,SD,20,0"))


@pytest.mark.parametrize(
    ("asked", "months"), [("days", 155 / 30.4375), ("weeks", 155 / (30.4375 / 7)), ("months", 155.0)]
)
def test_the_unit_that_is_asked_for_is_taken_and_told(read, asked, months):
    data = read(table("ID,BOR,PFS,PFSEVENT", "a,PR,155,1", "b,SD,20,0"), time_unit=asked)
    assert data.pfs.months[0] == pytest.approx(months, rel=1e-12)
    assert f"times: PFS in {asked}, as requested" in data.notes


@pytest.mark.parametrize("heading", ["PFS (days)", "PFS_DAYS", "PFSDY", "pfs.days", "PFS [d]", "PFS in days"])
def test_a_heading_states_the_unit(read, heading):
    data = read(table(f"ID,BOR,{heading},PFSEVENT", "a,PR,155,1", "b,SD,20,0"))
    assert data.pfs.months[0] == pytest.approx(155 / 30.4375, rel=1e-12)
    assert "times: PFS in days, as the file states" in data.notes


def test_an_option_that_contradicts_the_file_is_refused(read):
    with pytest.raises(InputError, match="time_unit \\(months\\) contradicts the file, which states days for PFS"):
        read(table("ID,BOR,PFS (days),PFSEVENT", "a,PR,155,1"), time_unit="months")


def test_months_that_end_in_the_future_are_refused(read):
    rows = ("ID,BOR,ENRLDT,PFS,PFSEVENT", "a,PR,2026-05-01,20,1", "b,SD,2026-06-01,30,0")
    with pytest.raises(
        InputError, match="contradicts the calendar: in months from 2026-05-01 on it ends in the future"
    ):
        read(table(*rows))
    with pytest.raises(InputError, match="contradicts the calendar"):
        read(table(*rows), time_unit="months")
    assert read(table(*rows), time_unit="days").pfs.months[0] == pytest.approx(20 / 30.4375, rel=1e-12)
    assert read(table(*rows), today=date(2029, 1, 1)).pfs.months[0] == 20


def test_a_unit_of_the_option_is_one_of_four(read):
    with pytest.raises(
        InputError, match=r"time_unit \('fortnights'\) is not a unit of time; write days, weeks, months or years"
    ):
        read(table("ID,BOR,PFS,PFSEVENT", "a,PR,1,1"), time_unit="fortnights")


def test_the_day_on_which_a_time_ended_tells_its_unit(read):
    head = "ID,BOR,ENRLDT,PFS,PFSEVENT,PFSDT"
    data = read(table(head, "a,PR,2024-01-01,155,1,2024-06-04", "b,SD,2024-02-01,20,0,2024-02-21"))
    assert data.pfs.months[0] == pytest.approx(155 / 30.4375, rel=1e-12)
    data = read(table(head, "a,PR,2024-01-01,5.1,1,2024-06-04", "b,SD,2024-02-01,0.7,0,2024-02-21"))
    assert data.pfs.months[0] == 5.1


# ---- data sets as CDISC lays them out: columns and values as in the reference data of pharmaverse, patients made up

ADSL = table(
    "STUDYID,USUBJID,SUBJID,RFSTDTC,RFICDTC,ARM,ACTARM,TRTSDT,EFFFL,SAFFL,AGE",
    "T1,T1-01,01,2024-01-05,2023-12-20,Drug,Drug,2024-01-05,Y,Y,61",
    "T1,T1-02,02,2024-02-01,2024-01-20,Drug,Drug,2024-02-03,Y,Y,58",
    "T1,T1-03,03,2024-03-01,2024-02-20,Drug,Drug,2024-03-01,Y,Y,70",
    "T1,T1-04,04,2024-04-01,2024-03-20,Drug,Drug,2024-04-01,N,Y,49",
    "T1,T1-05,05,,2024-03-28,Screen Failure,Screen Failure,,N,N,66",
)
ADRS = table(
    "STUDYID,USUBJID,PARAMCD,PARAM,AVISIT,ADT,AVALC,AVAL,ANL01FL,TRTSDT",
    "T1,T1-01,OVR,Overall Response by Investigator,WEEK 8,2024-03-01,PR,2,Y,2024-01-05",
    "T1,T1-01,OVR,Overall Response by Investigator,WEEK 16,2024-05-01,SD,3,Y,2024-01-05",
    "T1,T1-01,BOR,Best Overall Response by Investigator,,2024-03-01,PR,2,Y,2024-01-05",
    "T1,T1-01,CBOR,Best Confirmed Overall Response by Investigator,,2024-05-01,SD,3,Y,2024-01-05",
    "T1,T1-01,RSP,Response by Investigator,,2024-03-01,Y,1,Y,2024-01-05",
    "T1,T1-02,OVR,Overall Response by Investigator,WEEK 8,2024-04-01,PD,5,Y,2024-02-03",
    "T1,T1-02,OVR,Overall Response by Investigator,WEEK 16,2024-06-01,CR,1,,2024-02-03",
    "T1,T1-02,BOR,Best Overall Response by Investigator,,2024-04-01,PD,5,Y,2024-02-03",
    "T1,T1-02,CBOR,Best Confirmed Overall Response by Investigator,,2024-04-01,PD,5,Y,2024-02-03",
    "T1,T1-02,RSP,Response by Investigator,,,N,0,Y,2024-02-03",
    "T1,T1-03,BOR,Best Overall Response by Investigator,,2024-05-01,NON-CR/NON-PD,4,Y,2024-03-01",
    "T1,T1-03,CBOR,Best Confirmed Overall Response by Investigator,,2024-05-01,NON-CR/NON-PD,4,Y,2024-03-01",
    "T1,T1-03,RSP,Response by Investigator,,,N,0,Y,2024-03-01",
    "T1,T1-04,BOR,Best Overall Response by Investigator,,,MISSING,7,Y,2024-04-01",
    "T1,T1-04,CBOR,Best Confirmed Overall Response by Investigator,,,MISSING,7,Y,2024-04-01",
    "T1,T1-04,RSP,Response by Investigator,,,N,0,Y,2024-04-01",
)
ADTTE = table(
    "STUDYID,USUBJID,PARAMCD,PARAM,STARTDT,ADT,AVAL,CNSR,EVNTDESC",
    "T1,T1-01,OS,Overall Survival,2024-01-05,2024-12-01,332,1,Alive",
    "T1,T1-01,PFS,Progression Free Survival,2024-01-05,2024-06-30,178,0,Disease Progression",
    "T1,T1-01,RSD,Duration of Response,2024-03-01,2024-06-30,122,0,Disease Progression",
    "T1,T1-02,OS,Overall Survival,2024-02-03,2024-08-01,181,0,Death",
    "T1,T1-02,PFS,Progression Free Survival,2024-02-03,2024-04-01,59,0,Disease Progression",
    "T1,T1-03,OS,Overall Survival,2024-03-01,2024-12-15,290,2,Alive",
    "T1,T1-03,PFS,Progression Free Survival,2024-03-01,2024-09-01,185,1,Last Tumor Assessment",
    "T1,T1-04,OS,Overall Survival,2024-04-01,2024-04-30,30,0,Death",
    "T1,T1-04,PFS,Progression Free Survival,2024-04-01,2024-04-30,30,0,Death",
)


def test_the_rows_of_the_response_are_picked_by_rule_and_said(read):
    data = read(ADRS)
    assert data.bor == ("PR", "PD", "NON-CR/NON-PD", "NE")
    assert data.columns["BOR"] == "AVALC where PARAMCD is BOR"
    assert any("response taken from PARAMCD BOR; also there: CBOR, RSP, OVR (--param)" in note for note in data.notes)


@pytest.mark.parametrize(
    ("param", "responders"), [("CBOR", [0, 0, 0, 0]), ("cbor", [0, 0, 0, 0]), ("RSP", [1, 0, 0, 0])]
)
def test_another_response_is_asked_for(read, param, responders):
    assert read(ADRS, param=param).responder.tolist() == responders


def test_a_response_that_is_not_there_is_refused_with_those_that_are(read):
    with pytest.raises(InputError, match=r"param \('BEST'\) is not in the file; PARAMCD holds BOR, CBOR, OVR, RSP"):
        read(ADRS, param="BEST")
    with pytest.raises(
        InputError, match=r"param \('BOR'\) selects rows by PARAMCD or RSTESTCD, which no file has; leave it out"
    ):
        read(table("ID,BOR", "a,PR"), param="BOR")


def test_without_a_best_response_the_visits_give_it_up_to_the_first_progression(read):
    head, *rows = ADRS.splitlines()
    data = read(table(head, *(row for row in rows if ",OVR," in row)))
    # the CR of the second patient came after progression
    assert data.bor == ("PR", "PD")
    assert any("up to the first progression, without confirmation" in note for note in data.notes)


def test_files_are_joined_by_patient(read):
    for files in ((ADSL, ADRS, ADTTE), (ADTTE, ADRS, ADSL), (ADRS, ADTTE, ADSL)):
        data = read(*files)
        assert data.ids == ("T1-01", "T1-02", "T1-03", "T1-04", "T1-05")
        assert data.enrolled.tolist() == [True] * 4 + [False]  # by the arm of the last one
        assert data.bor[:4] == ("PR", "PD", "NON-CR/NON-PD", "NE")
        assert data.dates[1] == date(2024, 2, 3)  # TRTSDT, not RFSTDTC
        assert data.pfs.event[:4].tolist() == [True, True, False, True]
        assert data.os.event[:4].tolist() == [False, True, False, True]
        assert data.pfs.months[:4] == pytest.approx(np.array([178, 59, 185, 30]) / 30.4375, rel=1e-12)
        assert data.dor.months[0] == pytest.approx(122 / 30.4375, rel=1e-12)


def test_the_unit_of_adtte_is_found_by_its_dates(read):
    notes = " ".join(read(ADRS, ADTTE).notes)
    assert "PFS is in days, by STARTDT and ADT" in notes
    in_months = [row.split(",") for row in ADTTE.splitlines()]
    for row in in_months[1:]:
        row[6] = f"{float(row[6]) / 30.4375:.2f}"
    data = read(ADRS, table(*(",".join(row) for row in in_months)))
    assert "PFS is in months, by STARTDT and ADT" in " ".join(data.notes)
    assert data.pfs.months[0] == pytest.approx(178 / 30.4375, abs=0.005001)  # written to two decimals


@pytest.mark.parametrize(("unit", "divisor"), [("DAYS", 30.4375), ("MONTHS", 1.0), ("WEEKS", 30.4375 / 7)])
def test_the_unit_of_adtte_is_that_of_avalu(read, unit, divisor):
    rows = ["USUBJID,PARAMCD,AVAL,AVALU,CNSR", *(f"T1-0{k},PFS,{9 + k},{unit},0" for k in range(1, 5))]
    assert read(ADRS, table(*rows)).pfs.months[0] == pytest.approx(10 / divisor, rel=1e-12)


def test_a_patient_without_a_row_is_not_evaluable_and_said_so(read):
    rows = [row for row in ADRS.splitlines() if not row.startswith("T1,T1-02")]
    data = read(ADSL, table(*rows))
    assert data.evaluable.tolist() == [True, False, True, False, False]
    assert any("without a response in the files, so not evaluable: 1 of 4 enrolled" in note for note in data.notes)


def test_a_patient_of_no_list_is_refused(read):
    rows = [row for row in ADSL.splitlines() if "T1-03" not in row]
    with pytest.raises(InputError, match=r"USUBJID \('T1-03'\) is not among the patients of"):
        read(table(*rows), ADRS)


def test_two_values_of_one_patient_are_refused(read):
    with pytest.raises(
        InputError, match=r"AVALC \('SD'\) differs from line 2; keep one row per patient, or flag it with ANL01FL"
    ):
        read(table("USUBJID,PARAMCD,AVALC", "a,BOR,PR", "a,BOR,SD"))


def test_flagged_rows_count_where_a_patient_has_several(read):
    data = read(table("USUBJID,PARAMCD,AVALC,ANL01FL", "a,BOR,PR,Y", "a,BOR,SD,", "b,BOR,SD,Y"))
    assert data.bor == ("PR", "SD")
    assert any("with ANL01FL Y are taken" in note for note in data.notes)


def test_sdtm_rs_is_read_with_the_investigator_s_rows(read):
    data = read(table(
        "STUDYID,USUBJID,RSSEQ,RSTESTCD,RSTEST,RSORRES,RSSTRESC,RSEVAL,VISIT,RSDTC",
        "T,a,1,TRGRESP,Target Response,PR,PR,INVESTIGATOR,WEEK 8,2024-01-01",
        "T,a,2,OVRLRESP,Overall Response,PR,PR,INVESTIGATOR,WEEK 8,2024-01-01",
        "T,a,3,OVRLRESP,Overall Response,SD,SD,INDEPENDENT ASSESSOR,WEEK 8,2024-01-01",
        "T,b,1,OVRLRESP,Overall Response,SD,SD,INVESTIGATOR,WEEK 8,2024-02-01",
        "T,b,2,OVRLRESP,Overall Response,PD,PD,INVESTIGATOR,WEEK 16,2024-04-01",
    ))  # fmt: skip
    assert data.bor == ("PR", "SD")
    assert any("RSEVAL INVESTIGATOR are taken" in note for note in data.notes)


def test_avalc_decides_and_aval_is_its_code(read):
    data = read(table("USUBJID,AVALC,AVAL", "a,PR,2", "b,SD,3"))
    assert data.bor == ("PR", "SD")
    assert data.ignored == ("AVAL",)


def test_codes_that_begin_as_a_known_one_are_taken_if_there_is_one(read):
    assert read(table("USUBJID,PARAMCD,AVALC", "a,BORINV,PR", "b,BORINV,SD")).bor == ("PR", "SD")
    both = table("USUBJID,PARAMCD,AVALC", "a,BORINV,PR", "a,BORIRF,SD")
    with pytest.raises(InputError, match=r"PARAMCD holds several responses: BORINV, BORIRF; choose one with --param"):
        read(both)
    assert read(both, param="BORIRF").bor == ("SD",)


def test_several_arms_are_told(read):
    dm = table("USUBJID,ARM,ARMCD,RFSTDTC", "a,Drug A,A,2024-01-01", "b,Drug B,B,2024-01-02", "c,,SCRNFAIL,")
    data = read(dm, table("USUBJID,PARAMCD,AVALC", "a,BOR,PR", "b,BOR,SD"))
    assert data.enrolled.tolist() == [True, True, False]
    assert any("ARM has 2 arms (Drug A, Drug B), which are analysed as one" in note for note in data.notes)


def test_a_data_set_of_one_row_each_gives_its_other_columns_too(read):
    data = read(table("USUBJID,PARAMCD,AVALC,PCHG", "a,BOR,PR,-40", "b,BOR,SD,5"))
    assert data.change.tolist() == [-40, 5]


def test_a_bare_stage_that_parts_nobody_is_ignored(read):
    for stages in ("11", "22", "23"):
        data = read(table("ID,BOR,STAGE", f"a,PR,{stages[0]}", f"b,SD,{stages[1]}"))
        assert (data.stage, data.ignored) == (None, ("STAGE",))


def test_what_is_no_response_is_not_taken_for_one(read):
    deaths = table("USUBJID,PARAMCD,AVALC", "a,BOR,PR", "a,DEATH,Y", "b,BOR,SD", "b,DEATH,N")
    with pytest.raises(InputError, match=r"param \('DEATH'\) is not a response; such a code is one of BOR"):
        read(deaths, param="DEATH")


def test_names_of_files_stand_in_notes_as_they_are(folder, capsys):
    path = folder / "my_file.csv"
    path.write_text(table("ID;BOR", *(f"p{k};SD" for k in range(4))), encoding="utf-8")
    assert main(["analyze", "--looks", "1/4,3/8", "--p0", "0.1", "--patients", str(path)]) == 0
    assert "my_file.csv: columns are separated by semicolons." in capsys.readouterr().out


# ---- told on the command line


def test_the_json_tells_what_was_read_as_what(folder, capsys):
    path = folder / "told.csv"
    path.write_text(table("Patient ID,BOR,Stage,Trial stage", *(f"p{k},{'PR' if k < 3 else 'SD'},4,{1 + (k > 3)}"
                                                              for k in range(8))), encoding="utf-8")  # fmt: skip
    assert main(["analyze", "--looks", "1/4,3/8", "--p0", "0.1", "--patients", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["columns"] == {
        "read": {"USUBJID": "Patient ID", "BOR": "BOR", "STAGE": "Trial stage"}, "ignored": ["Stage"],
    }  # fmt: skip
    assert found["attained"] == [4, 8]


def test_the_terminal_tells_what_was_read_as_what_and_what_was_ignored(folder, capsys):
    path = folder / "told.csv"
    path.write_text(table("ID;BOR;Stage", *(f"p{k};SD;4" for k in range(4))), encoding="utf-8")
    assert main(["analyze", "--looks", "1/4,3/8", "--p0", "0.1", "--patients", str(path)]) == 0
    said = capsys.readouterr().out
    assert "Columns used: USUBJID from ID, BOR." in said
    assert "Columns ignored: Stage." in said
    assert "columns are separated by semicolons" in said


def test_a_parameter_file_names_several_files_a_code_and_a_unit(root, folder):
    for name, text in (("adsl.csv", ADSL), ("adrs.csv", ADRS)):
        (folder / name).write_text(text, encoding="utf-8")
    text = (root / "params/smoke.yaml").read_text(encoding="utf-8")
    wanted = "  analysis: {patients: [adsl.csv, adrs.csv], param: CBOR}\n"
    (folder / "several.yaml").write_text(text.rstrip() + "\n" + wanted, encoding="utf-8")
    from simtrial.trial import params

    case, _ = params.read(folder / "several.yaml")
    report = dossier.of_trial(case, TwoStage(0, 2, 1, 4))
    assert report.data.responder.sum() == 0
    assert report.source.count("SHA-256") == 2
