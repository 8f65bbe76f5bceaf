"""One line per mistake, and every mistake of an input at once."""

import pickle

import pytest

from simtrial.cli.app import main
from simtrial.errors import MOST_LISTED, InputError, several


def test_a_single_mistake_is_one_line_without_a_count():
    only = several([InputError("is missing", "p0")])
    assert str(only) == "p0 is missing"
    assert (only.message, only.field, only.others) == ("is missing", "p0", ())


def test_several_mistakes_have_a_line_each_and_the_first_counts_the_others():
    found = several([InputError("a", "x"), InputError("b", "y"), InputError("c")])
    assert found.lines == ("x a (and 2 more mistakes)", "y b", "c")
    assert str(several([InputError("a", "x"), InputError("b", "y")])).startswith("x a (and 1 more mistake)\n")


def test_mistakes_of_mistakes_are_taken_apart():
    inner = several([InputError("a"), InputError("b")])
    assert several([inner, InputError("c")]).lines == ("a (and 2 more mistakes)", "b", "c")


def test_every_mistake_is_given_its_place():
    found = several([InputError("a", "p0"), InputError("b")]).placed("x.yaml: trial.")
    assert found.lines == ("x.yaml: trial.p0 a (and 1 more mistake)", "x.yaml: trial b")


def test_a_flood_of_mistakes_is_counted_and_not_printed():
    found = several([InputError("a", f"row {k}") for k in range(1000)])
    assert len(found.lines) == MOST_LISTED + 1
    assert found.lines[0].endswith("(and 999 more mistakes)")
    assert found.lines[-1] == f"and {1000 - MOST_LISTED} more mistakes"


def test_an_error_comes_through_a_process_boundary_whole():
    found = pickle.loads(pickle.dumps(several([InputError("a", "x"), InputError("b", "y")])))
    assert (found.lines, found.field) == (("x a (and 1 more mistake)", "y b"), "x")


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31m", "a\rb"])
def test_no_line_of_an_error_holds_another_line(capsys, monkeypatch, text):
    from simtrial import search

    def fail(*_, **__):
        raise several([InputError(text, "x"), InputError(text, "y")])

    monkeypatch.setattr(search, "single_stage", fail)
    assert main(["design", "--p0", ".1", "--p1", ".3", "--alpha", ".05", "--power", ".8"]) == 2
    shown = capsys.readouterr().err
    assert [line[:13] for line in shown.splitlines()] == ["simtrial: x a", "simtrial: y a"]
    assert "\x1b" not in shown
