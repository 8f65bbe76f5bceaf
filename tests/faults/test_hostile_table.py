"""Every hostile input of the table is refused in one line, or taken as plain text: see hostile.py."""

import re
from collections import Counter

import campaign
import figures
import hostile
import pytest

ROWS = hostile.table()


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


# every sixth: `make faults` tries them all
@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS[::6] if not row.apart])
def test_a_hostile_input_is_refused_in_one_line_or_taken_as_plain_text(row, tmp_path):
    assert not hostile.faults(row, hostile.here(row, tmp_path))


def test_the_table_is_long_and_names_each_row_once():
    assert len(ROWS) >= 300
    assert not [name for name, count in Counter(row.id for row in ROWS).items() if count > 1]


def test_the_page_on_validation_tells_how_many_hostile_inputs_there_are_and_how_much_else_is_tried(root):
    page = " ".join((root / "docs/validation.md").read_text(encoding="utf-8").split())
    numbers = {"hostile": len(ROWS)} | campaign.numbers(2.0)
    for kind, words in {
        "hostile": "hostile inputs", "kills": "killed sweeps", "damage": "damaged sweeps", "disk": "full disks",
        "interrupts": "interrupted commands", "reports": "disturbed reports",
    }.items():  # fmt: skip
        assert re.search(rf"\b(\d+) of (\d+) {words}", page).groups() == (str(numbers[kind]),) * 2


REFUSED = hostile.Row(id="x", kind="x", run="x", says=("p0",))
GOOD = {"code": 2, "out": "", "err": "simtrial: p0 (nan) is wrong\n", "seconds": 0.1, "left": ()}


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        ({"code": 1}, "exit code 1, not 2"),
        ({"seconds": 11.0}, "took 11.0 s"),
        ({"err": "Traceback (most recent call last):\np0\n"}, "traceback"),
        ({"err": "simtrial: stopped by an error that was not foreseen (p0)\n"}, "was not foreseen"),
        ({"err": "simtrial: p0 \x1b[2J\n"}, "prints control characters"),
        ({"err": "simtrial: p0 \u202e\n"}, "prints control characters"),
        ({"err": f"simtrial: p0 {'x' * 1000}\n"}, "a line of 1013 letters"),
        ({"err": "simtrial: p0\n" * 22}, "22 lines"),
        ({"err": ""}, "0 lines"),
        ({"err": "p0: RuntimeWarning\n"}, "a line that is not the program's"),
        ({"out": "half a table\n"}, "prints 'half a table"),
        ({"left": ("out",)}, "leaves out"),
        ({"err": "simtrial: alpha\n"}, "does not say 'p0'"),
    ],
)
def test_whatever_is_wrong_with_a_refusal_is_seen(other, fault):
    assert not hostile.faults(REFUSED, hostile.Outcome(**GOOD))
    assert any(one.startswith(fault) for one in hostile.faults(REFUSED, hostile.Outcome(**GOOD | other)))


def test_a_row_writes_what_it_says_to_the_letter(tmp_path):
    (row,) = [row for row in ROWS if row.id == "syntax-octal"]
    assert row.prepare(tmp_path) == ["simulate", str(tmp_path / "f.yaml")]
    assert "registered_enrollment: 014\n" in (tmp_path / "f.yaml").read_text(encoding="utf-8")


def test_words_are_read_as_a_shell_reads_them(tmp_path):
    row = hostile.Row(id="x", kind="x", run=r"""oc --looks $'\e[2J1' '' {here}/a""")
    assert row.prepare(tmp_path) == ["oc", "--looks", "\x1b[2J1", "", f"{tmp_path}/a"]


def test_a_fault_is_told_with_the_command_that_repeats_it():
    figure = figures.Figure("kills", "sweeps killed")
    figure.add("3", "another digest", 2.0)
    figure.add("4", "", 1.0)
    assert figures.table([figure]).splitlines()[-1].split()[-4:] == ["2", "1", "2.0", "s"]
    (told,) = figures.repeats([figure], 7, 2.0)
    assert told.endswith("--only kills --case 3 --seed 7 --minutes 2")
