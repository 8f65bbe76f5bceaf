"""A CSV of statements: whatever its bytes, it is read, or refused in one line that names the row and the column."""

import pytest

from simtrial.cli.app import main
from simtrial.trial.statement import Statement
from simtrial.trial.statements import MAX_CELL, MAX_COLUMNS, read_csv

GOOD = b"id,p0,p1,alpha,power,n\na,.1,.3,.05,.8,25\n"
REFUSED = {
    "NUL in a number": (GOOD.replace(b".1", b".1\0"), "row 2: p0 ('.1\\x00') holds the control character"),
    "NUL in a name": (GOOD.replace(b"p0", b"p\0"), "row 1: column 2 ('p\\x00') holds"),
    "NUL where ignored": (GOOD.replace(b"id", b"quote").replace(b"\na,", b"\n\0,"), "row 2: quote ('\\x00') holds"),
    "escape in an id": (GOOD.replace(b"\na,", b"\n\x1b[2J,"), "row 2: id ('\\x1b[2J') holds"),
    "dunder": (GOOD.replace(b"id", b"__class__"), "row 1: column 1 ('__class__') is no name of a column"),
    "init": (GOOD.replace(b"id", b"__init__"), "row 1: column 1 ('__init__') is no name of a column"),
    "formula": (GOOD.replace(b"id", b"=cmd"), "row 1: column 1 ('=cmd') is no name of a column: it begins with '='"),
    "twice with a space": (GOOD.replace(b"p1", b"p0 "), "has the column 'p0' twice"),
    "twice in capitals": (GOOD.replace(b"p1", b"P0"), "has the column 'p0' twice"),
    "no name above a cell": (GOOD.replace(b"id", b""), "row 2: column 1 ('a') has no name above it in the first row"),
    "row too long": (GOOD.replace(b"25", b"25,26"), "row 2: has more cells than columns (7, not 6)"),
    "row too short": (GOOD.replace(b",25", b""), "row 2: has fewer cells than columns (5, not 6)"),
    "too many columns": (b",".join(b"c%d" % k for k in range(10_000)), f"at most {MAX_COLUMNS} are read"),
    "a cell of a megabyte": (GOOD.replace(b"\na,", b"\n" + b"x" * 10**6 + b","), "has 1,000,000 characters"),
    "a name of a megabyte": (GOOD.replace(b"id", b"x" * 10**6), f"at most {MAX_CELL:,} are possible"),
    "Excel": (b"PK\3\4[Content_Types].xml...xl/workbook.xml", ": is an Excel file; save it as CSV"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ": is an Excel file; save it as CSV"),
    "archive": (b"PK\3\4s.csv", ": is a ZIP archive; unpack it first"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "is not UTF-8 text; save it as UTF-8"),
    "UTF-16 without a mark": (GOOD.decode().encode("utf-16-le"), "row 1: column 1 ('i\\x00d"),
    "Latin-1": (GOOD.replace(b"\na,", b"\n\xe4,"), "is not UTF-8 text"),
    "open quote": (GOOD.replace(b"\na,", b'\n"a,'), "row 2: is not CSV: unexpected end of data"),
    "text after a quote": (GOOD.replace(b"\na,", b'\n"a"b,'), "row 2: is not CSV"),
    "only a header": (b"p0,p1\n", "has no column of a statement"),
    "only line breaks": (b"\n\n\r\n", "has no column of a statement"),
    "underscore in a number": (GOOD.replace(b"25", b"1_000"), "row 2: n ('1_000') is not a whole number"),
    "digits of another script": (GOOD.replace(b"25", "\uff12\uff15".encode()), "row 2: n ('\uff12\uff15') is"),
    "hexadecimal": (GOOD.replace(b"25", b"0x19"), "row 2: n ('0x19') is not a whole number"),
    "decimals of a count": (GOOD.replace(b"25", b"25.0"), "row 2: n ('25.0') is not a whole number; write 25"),
    "nan": (GOOD.replace(b".05", b"nan"), "row 2: alpha (nan) is not strictly between 0 and 1"),
    "infinite": (GOOD.replace(b".05", b"1e400"), "row 2: alpha (inf) is not strictly between 0 and 1"),
    "five thousand digits": (GOOD.replace(b"25", b"9" * 5000), "row 2: n ("),
    "nobody": (GOOD.replace(b"25", b"-0"), "row 2: n (0) is not a whole number from 1 to 10,000"),
    "sides": (GOOD.replace(b"id", b"alpha_sided").replace(b"\na,", b"\n3,"), "row 2: alpha_sided (3) is not a"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_csv_that_cannot_be_read_is_refused_in_one_line(tmp_path, capsys, case):
    data, said = REFUSED[case]
    path = tmp_path / "s.csv"
    path.write_bytes(data)
    assert main(["check", "--csv", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"simtrial: {path}")
    assert said.replace("\u2028", " ") in line
    assert len(line) < 400 + len(str(path))


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"\n", b"\r"),
        GOOD.replace(b"\n", b"\n\n"),
        GOOD.replace(b"\n", b",,\n"),
        GOOD.replace(b",", b";").replace(b".", b","),
        GOOD.replace(b".1", b" .1 ").replace(b"p0", b" P0 "),
        GOOD.replace(b"id,", b'id,"quote\nof two lines",').replace(b"\na,", b'\na,"x\ny",'),
    ],
    ids=["plain", "mark", "crlf", "cr", "empty lines", "empty columns", "semicolons", "spaces", "quoted"],
)
def test_the_same_numbers_are_the_same_statement_however_they_are_saved(tmp_path, data):
    path = tmp_path / "s.csv"
    path.write_bytes(data)
    (found,) = read_csv(path)[0]
    assert found == ("a", Statement(p0=0.1, p1=0.3, alpha=0.05, power=0.8, n=25))


def test_every_row_of_a_csv_has_the_number_of_a_spreadsheet(tmp_path, capsys):
    path = tmp_path / "s.csv"
    path.write_bytes(b"n\n\n25\nx\n")
    assert main(["check", "--csv", str(path)]) == 2
    assert "row 4: n ('x')" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "meant"),
    [("alfa", "alpha"), ("alph", "alpha"), ("Powr", "power"), ("look", "looks"), ("total n", "total"), ("_p0", "")],
)
def test_a_misspelt_column_is_refused_with_the_one_that_was_meant(tmp_path, capsys, name, meant):
    path = tmp_path / "s.csv"
    path.write_text(f"p1,{name}\n.3,.05\n", encoding="utf-8")
    assert main(["check", "--csv", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    said = f"{name.lower()} is not a column of a statement; did you mean {meant}? Otherwise give it another name"
    assert line.removeprefix(f"simtrial: {path} row 1: ").startswith(said if meant else "column 2 ('_p0') is no name")


def test_every_misspelt_column_and_every_bad_cell_is_told(tmp_path, capsys):
    path = tmp_path / "s.csv"
    path.write_text("id,p0,p1,alfa,pwoer\na,0,3,.05,.8\nb,x,.3,.05,.8\n", encoding="utf-8")
    assert main(["check", "--csv", str(path)]) == 2
    lines = [line.removeprefix(f"simtrial: {path} ") for line in capsys.readouterr().err.splitlines()]
    assert [" ".join(line.split()[:3]) for line in lines] == [
        "row 1: alfa", "row 1: pwoer", "row 2: p0", "row 2: p1", "row 3: p0",
    ]  # fmt: skip


def test_columns_that_are_no_slip_are_ignored_and_listed(tmp_path, capsys):
    path = tmp_path / "s.csv"
    path.write_bytes(b"id,p0,p1,alpha,power,n,Quote,EN_p1,disease,alphas\na,.1,.3,.05,.8,25,q,20,lung,x\n")
    assert main(["check", "--csv", str(path)]) == 0
    assert capsys.readouterr().err == "ignored columns: quote, en_p1, disease, alphas\n"
    assert read_csv(path)[0] == [("a", Statement(p0=0.1, p1=0.3, alpha=0.05, power=0.8, n=25))]
