"""`simtrial check --text`: JSON to the letter, a table for people, and one line for what cannot be read."""

import json

import pytest

from simtrial.cli.app import main
from simtrial.review.section.elements import NAMES

TEXT = (
    "Simon's minimax two-stage design tests p0 = 10% against p1 = 30% with alpha = 5% and a power of 80%. Ten patients "
    "enter the first stage. If 1 or fewer respond, the trial stops. Otherwise 19 additional patients are enrolled. H0 "
    "is rejected if 6 or more of 29 patients respond. The null rate is 10% or 15% in earlier studies."
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "section.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_json_has_ten_elements_and_the_check(file, capsys):
    assert main(["check", "--text", str(file), "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    found = json.loads(shown.out)
    assert list(found)[:2] == ["elements", "check"]
    assert [one["name"] for one in found["elements"]] == list(NAMES)
    assert {one["status"] for one in found["elements"]} == {"found", "missing", "ambiguous"}
    for one in found["elements"]:
        assert list(one)[:5] == ["name", "status", "quote", "value", "exact"]
        assert set(one) - {"candidates"} == {"name", "status", "quote", "value", "exact", "paragraph", "quotes"}
        assert all(quote in TEXT for quote in one["quotes"])
        assert one["quote"] == (one["quotes"][0] if one["quotes"] else None)
        assert ("candidates" in one) == (one["status"] == "ambiguous")
    assert set(found["check"]) == {"verdict", "conventions", "attained", "expected", "explanation", "lines"}


def test_the_candidates_of_an_ambiguous_element_come_with_their_words(file, capsys):
    main(["check", "--text", str(file), "--json"])
    p0 = json.loads(capsys.readouterr().out)["elements"][0]
    assert (p0["name"], p0["value"]) == ("p0", None)
    assert [one["value"] for one in p0["candidates"]] == [0.1, 0.15]
    assert all(one["quote"] for one in p0["candidates"])


def test_a_contradicted_element_has_the_exact_value(file, capsys):
    file.write_text(TEXT.partition(" The null")[0], encoding="utf-8")
    main(["check", "--text", str(file), "--json"])
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["elements"]}
    assert (found["method"]["status"], found["method"]["value"], found["method"]["exact"]) == (
        "contradicted", "minimax", "optimal",
    )  # fmt: skip


def test_the_check_is_that_of_the_same_statement_in_options(file, capsys):
    file.write_text(TEXT.partition(" The null")[0], encoding="utf-8")
    main(["check", "--text", str(file), "--json"])
    of_text = json.loads(capsys.readouterr().out)["check"]
    rates = ["--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--power", "0.8"]
    main(["check", *rates, "--looks", "1/10,5/29", "--criterion", "minimax", "--json"])
    assert of_text == json.loads(capsys.readouterr().out)


def test_people_see_the_table_the_verdict_and_what_is_asked(file, capsys):
    assert main(["check", "--text", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "The ten elements of ICH M11, section 10.11, as stated" in shown
    assert "underspecified" in shown
    assert "To ask" in shown
    assert "The section does not state the sidedness of alpha" in shown


def test_a_section_that_states_nothing_is_an_answer_and_no_error(file, capsys):
    file.write_text("Practical reasons.", encoding="utf-8")
    assert main(["check", "--text", str(file)]) == 0
    assert "underspecified" in capsys.readouterr().out


def test_what_cannot_be_read_is_one_line_and_exit_code_2(tmp_path, capsys):
    many = tmp_path / "many.txt"
    many.write_text("25 patients " * 2000, encoding="utf-8")
    for path, line in ((tmp_path, "is a folder"), (tmp_path / "no.docx", "cannot be read"), (many, "numbers; at most")):
        assert main(["check", "--text", str(path)]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert len(shown.err.strip().splitlines()) == 1
        assert f"{path}: " in shown.err
        assert line in shown.err


def test_a_text_and_options_are_two_statements(file, capsys):
    assert main(["check", "--text", str(file), "--p0", "0.1"]) == 2
    assert "several places" in capsys.readouterr().err


def test_control_characters_of_a_text_do_not_reach_the_terminal(file, capsys):
    file.write_text("\x1b[31m" + TEXT.replace("first stage", "first\x1b]0;x\x07 stage"), encoding="utf-8")
    main(["check", "--text", str(file)])
    assert "\x1b" not in capsys.readouterr().out
