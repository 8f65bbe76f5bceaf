"""The paper states what commands print: every number in it is found in the source that stands beside it."""

import re
import shlex

import pandas as pd
import pytest

from simtrial.cli.app import main

CLAIM = re.compile(r"<!-- claim: (?P<numbers>[^|]+?) \| (?P<source>.+?) -->")
NUMBER = re.compile(r"(?<![\w.])\d[\d,.]*\d|(?<![\w.])\d")
KNOWN = {"1.1.5", "100"}
"""The version of R clinfun that was compared, and its default limit on n: facts of the page on other programs."""


@pytest.fixture(scope="module")
def paper(request):
    text = (request.config.rootpath / "docs" / "paper" / "paper.md").read_text(encoding="utf-8")
    return text.split("\n---\n", 1)[1]


def claims(text):
    """Every claim as the text since the one before, its numbers and their source."""
    start = 0
    for found in CLAIM.finditer(text):
        yield text[start : found.start()], found["numbers"].split(", "), found["source"]
        start = found.end()


def whole(number, text):
    return re.search(rf"(?<![\d.]){re.escape(number)}(?![\d]|\.\d)", text) is not None


def value(number):
    return round(float(number.replace(",", "")), 9)


def test_every_number_claimed_stands_before_its_source(paper):
    stated = list(claims(paper))
    assert len(stated) == 17
    missing = [
        (number, source) for before, numbers, source in stated for number in numbers if not whole(number, before)
    ]
    assert missing == []


def test_commands_print_the_numbers_that_the_paper_states(paper, root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    commands = [(numbers, source) for _, numbers, source in claims(paper) if source.startswith("simtrial ")]
    assert len(commands) == 9
    for numbers, command in commands:
        assert main(shlex.split(command)[1:]) == 0
        printed = capsys.readouterr().out
        assert [number for number in numbers if not whole(number, printed)] == [], command


def test_reference_tables_and_files_hold_what_the_paper_counts(paper, root):
    for _, numbers, source in claims(paper):
        kind, *names = source.split()
        if kind == "rows":
            tables = [pd.read_csv(root / "tests" / "reference" / name, comment="#") for name in names]
            assert [f"{sum(map(len, tables)):,}"] == numbers, source
        elif kind == "file":
            text = (root / names[0]).read_text(encoding="utf-8")
            assert all(whole(number, text) for number in numbers), source
        else:
            assert kind == "simtrial", source


def test_no_number_stands_in_the_paper_without_a_source(paper):
    stood = [" ".join([*numbers, source.replace(",", " ")]) for _, numbers, source in claims(paper)]
    sourced = {value(number) for one in stood for number in NUMBER.findall(one)}
    prose = re.sub(r"<!--.*?-->|@\w+|NCT\d+|p_[01]", "", paper, flags=re.DOTALL)
    stated = set(NUMBER.findall(prose)) - KNOWN
    assert len(stated) > 20
    unsourced = {n for n in stated if value(n) not in sourced and round(value(n) / 100, 9) not in sourced}
    assert unsourced == set()


def test_every_work_cited_is_in_the_bibliography_and_no_other(paper, root):
    entries = re.findall(r"^@\w+\{(\w+),", (root / "docs/paper/paper.bib").read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(entries) == sorted(set(re.findall(r"@(\w+)", paper)))


def test_the_paper_is_about_two_pages_long(paper):
    words = re.sub(r"<!--.*?-->", "", paper, flags=re.DOTALL).split()
    assert 850 <= len(words) <= 1050  # a journal of software asks for 250 to 1,000; a page of print holds about 500
