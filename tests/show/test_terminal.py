"""What reaches a terminal: characters of files that act on it are shown as escapes, and none ends the program."""

import ast
import io
import json
import unicodedata
import zipfile

import pytest

from simtrial.cli import app
from simtrial.show import terminal

ESC, TITLE, CSI, BELL, TURN, HIDDEN = "\x1b[2J", "\x1b]0;x\x07", "\x9b2J", "\x07", "\u202e", "\u200b"
ACTING = (ESC, TITLE, CSI, BELL, TURN, HIDDEN, "\r", "\x08", "\x7f", "\x00", "\u2028", "\u2066", "\ufeff", "\udcff")


def acts(text):
    """Characters of a text that a terminal would act on, or that nobody sees."""
    return [c for c in text if c != "\n" and unicodedata.category(c)[0] in "CZ" and unicodedata.category(c) != "Zs"]


@pytest.mark.parametrize("acting", ACTING, ids=ascii)
def test_what_acts_on_a_terminal_is_shown_as_an_escape(acting, capsys):
    text = f"a {acting} b"
    terminal.tell(text)
    terminal.wrapped(text)
    terminal.table(text, [text, text], [[text, text]])
    terminal.say(text)
    terminal.fault(text)
    said = capsys.readouterr()
    shown = acting.encode("unicode_escape").decode()
    assert not acts(said.out + said.err)
    assert said.out.count(shown) == 2 + 5
    assert said.err.count(shown) == 2


def test_names_in_any_script_and_blanks_of_any_width_stay(capsys):
    text = "José 試験 Žižek 5\xa0% \u2009 α ≤ 0.05 – ± :smile: [bold]"
    assert terminal.visible(text) == text
    terminal.wrapped(text)
    assert capsys.readouterr().out == f"{text}\n"


def test_a_message_is_one_line_whatever_it_holds():
    assert terminal.one_line("a\nb\r\nc\td\re\u2028f") == "a b c d\\re\\u2028f"


def docx(text):
    held = io.BytesIO()
    body = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(
            "word/document.xml", f'<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'.encode()
        )
    return held.getvalue()


MINIMAX = "The sample size is {0}25 patients; p0 {0}= 10%, p1 = 30%, one-sided alpha{0} 5% and power 80%{0}."
STUDY = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT00000001", "officialTitle": "A{0}title"},
        "designModule": {"studyType": "INTERVENTIONAL", "phases": ["PHASE2"], "enrollmentInfo": {"count": 25}},
        "descriptionModule": {"briefSummary": "Simon two-stage{0} design of 25 patients with alpha 0.05{0}."},
        "outcomesModule": {"primaryOutcomes": [{"measure": "Overall response rate{0}"}]},
    }
}
FIRST = "USUBJID,BOR,NOTE{0}\na,PR,x\nb,SD,y\n"
ANALYZE = ["analyze", "--looks", "0/1,1/2", "--p0", "0.1", "--patients"]
FILES = {
    "the name of a parameter file": (["design", "--p0"], "x{0}.yaml", "a: 1"),
    "a key of a parameter file": (["estimands"], "x.yaml", 'trial: {"k{0}": 1}\n"j{0}": 2\n'),
    "a title of a parameter file": (["evidence"], "x.yaml", 'trial: {study: {id: "i{0}", title: "t{0}"}}'),
    "a key of a sweep": (["sweep"], "x.yaml", 'sweep: {base: "b{0}", "k{0}": 1, axes: [{path: "p{0}", values: [1]}]}'),
    "a base of a sweep": (["sweep"], "x.yaml", 'sweep: {base: "b{0}", axes: [{path: design.looks, values: [1, 2]}]}'),
    "a heading of patients": (ANALYZE, "x.csv", FIRST),
    "a heading of patients, twice": (ANALYZE, "x.csv", "USUBJID,{0}B,{0}B\na,PR,1\n"),
    "a patient": (ANALYZE, "x.csv", "USUBJID,BOR\na{0},PR\nb,SD\n"),
    "a response": (ANALYZE, "x.csv", "USUBJID,BOR\na,P{0}R\nb,SD\n"),
    "a heading of statements": (["check", "--csv"], "x.csv", "id,p0,n,q{0}\na,0.1,25,1\n"),
    "a statement": (["check", "--csv"], "x.csv", "id,p0,n\na{0},0.1,25\n"),
    "a number of a statement": (["check", "--csv"], "x.csv", "id,p0,n\na,0.1{0},25\n"),
    "a section": (["check", "--text"], "x.txt", f"10.11 Sample size{{0}}\n\n{MINIMAX}"),
    "a section in Word": (["check", "--text"], "x.docx", MINIMAX),
    "a record": (["import-registry"], "x.json", json.dumps(STUDY)),
    "records": (["import-registry"], "x.json", json.dumps([STUDY, STUDY])),
    "a number in a record": (["import-registry", "--nct"], "x.json", json.dumps([STUDY])),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_no_command_prints_what_a_file_would_do_to_a_terminal(case, tmp_path, capsys):
    acting = "".join((TITLE, CSI, TURN, HIDDEN))
    command, name, content = FILES[case]
    quoted = "".join(f"\\u{ord(c):04x}" for c in acting) if name.endswith(("json", "yaml")) else acting
    data = content.replace("{0}", quoted).encode()
    if name.endswith("docx"):
        data = docx(content.replace("{0}", "".join(c for c in acting if c not in "\x07\x1b")))
    path = tmp_path / name.replace("{0}", acting.replace("/", ""))
    path.write_bytes(data)
    code = app.main([*command, str(path)])
    said = capsys.readouterr()
    assert code in (0, 2)
    assert said.out + said.err
    assert not acts(said.out + said.err)


@pytest.mark.parametrize(
    "command",
    [["{0}"], ["design", "--{0}"], ["design", "--p0", "{0}"], ["oc", "--looks", "{0}"], ["report", "{0}"],
     ["check", "--text", "{0}"], ["check", "--criterion", "{0}", "--p0", "0.1"], ["import-registry", "{0}"],
     ["analyze", "--patients", "{0}", "--looks", "1/10,5/29", "--p0", "0.1"], ["sweep", "{0}"], ["check", "{0}"]],
    ids=" ".join,
)  # fmt: skip
def test_no_word_of_a_command_line_acts_on_a_terminal(command, tmp_path, capsys, monkeypatch):
    word = "\x1b]0;x\x07\x9b\u202e\udcff"
    monkeypatch.chdir(tmp_path)
    assert app.main([one.replace("{0}", word) for one in command]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("simtrial: ")
    assert not acts(said.out + said.err)


def test_one_json_object_is_ascii_whatever_it_holds(tmp_path, capsys):
    (tmp_path / "x.csv").write_text("id,p0,n\na\u2028\u202e\u200b,0.1,25\n", encoding="utf-8")
    assert app.main(["check", "--csv", str(tmp_path / "x.csv"), "--json"]) == 0
    said = capsys.readouterr().out
    assert said.isascii()
    assert not acts(said)
    assert json.loads(said)["verdicts"][0]["id"] == "a\u2028\u202e\u200b"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_terminal_that_lacks_characters_gets_others(encoding, monkeypatch):
    held = io.BytesIO()
    stream = io.TextIOWrapper(held, encoding=encoding, write_through=True)
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr("sys.stderr", stream)
    assert app.main(["check", "--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--power", "0.8", "--n", "25"]) == 0
    terminal.tell("5–7 ± 1 ≥ α 試 \udcff")
    said = held.getvalue().decode(encoding)
    assert "reproduces" in said
    assert said.endswith({
        "ascii": "5-7 +/- 1 >= alpha \\u8a66 \\udcff\n", "latin-1": "5-7 ± 1 >= alpha \\u8a66 \\udcff\n",
        "cp1252": "5–7 ± 1 >= alpha \\u8a66 \\udcff\n", "utf-8": "5–7 ± 1 ≥ α 試 \\udcff\n",
    }[encoding])  # fmt: skip


ELSEWHERE = {
    "simtrial/explorer/server.py": "its own words and dots while libraries are imported",
    "simtrial/report/worker.py": "the stream of another process, through one_line",
}
"""Modules that write to a terminal themselves, and why."""


def test_all_printing_goes_through_one_module(root):
    stray = set()
    for path in (root / "simtrial").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if path.name == "terminal.py" or not any(word in source for word in ("print", "console(", "stdout", "stderr")):
            continue
        for node in ast.walk(ast.parse(source)):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("print", "traceback.print_exception", "typer.echo", "click.echo") or called.endswith(
                (".console", ".print", "stdout.write", "stderr.write")
            ):
                stray.add(path.relative_to(root).as_posix())
    assert stray == set(ELSEWHERE)


@pytest.mark.parametrize(
    ("told", "width"), [("100", 100), ("60", 60), (None, 120), ("", 120), ("0", 120), ("-5", 120), ("wide", 120)]
)
def test_where_there_is_no_terminal_lines_are_as_long_as_COLUMNS_says(monkeypatch, capsys, told, width):  # noqa: N802
    monkeypatch.delenv("COLUMNS", raising=False)
    if told is not None:
        monkeypatch.setenv("COLUMNS", told)
    assert terminal.width() == width
    terminal.wrapped("one word after another " * 30)
    assert width - len("another") <= max(map(len, capsys.readouterr().out.splitlines())) <= width


def test_a_table_that_is_nearly_too_wide_prints_every_number_whole(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    heads = ["the name of an axis of a sweep", "p", *(f"an outcome of the trial {k}" for k in range(3)), "x" * 20]
    rows = [[f"{k}", "0.3", "0.0190", "0.583±0.0078", "18.61±0.08", "24.0512±0.0345"] for k in range(3)]
    terminal.table("Wide", heads, rows)
    told = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in told.splitlines()) <= 120
    for cell in (*rows[0][1:], heads[-1]):
        assert cell in told
