"""How much is said, and in which colours: nothing but the answer, every step, or what is usual."""

import json
import os
import pty
import re
import sys

import pytest
from children import spawned

from simtrial.cli import app, exit_codes
from simtrial.show import loudness, terminal

DESIGN = ["design", "--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--power", "0.8"]
SMALL = ["simulate", "params/smoke.yaml", "--trials", "200"]


@pytest.fixture(autouse=True)
def usual(root, monkeypatch):
    monkeypatch.chdir(root)
    yield
    loudness.choose("usual")


def said(capsys, *words):
    code = app.main(list(words))
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize("words", [DESIGN, SMALL, ["oc", "--looks", "5/25", "--p", "0.1"]])
@pytest.mark.parametrize("loud", ["--quiet", "--verbose"])
def test_the_answer_is_the_same_however_much_is_said_and_wherever_the_option_stands(capsys, words, loud):
    _, usual, _ = said(capsys, *words, "--json")
    for placed in ([loud, *words, "--json"], [*words, loud, "--json"], [*words, "--json", loud]):
        code, out, _ = said(capsys, *placed)
        assert code == 0
        assert json.loads(out) == json.loads(usual)


def test_verbose_tells_each_step_with_its_time(capsys):
    _, _, err = said(capsys, *SMALL, "--verbose")
    assert re.fullmatch(r"(  simulating: \d+\.\d\d s\n)  all together: \d+\.\d\d s \(exit code 0\)\n", err)
    _, _, err = said(capsys, *DESIGN, "--verbose")
    assert re.search(r"^  searching: \d+\.\d\d s$", err, flags=re.MULTILINE)


def test_verbose_names_what_is_searched(capsys):
    _, _, err = said(capsys, *DESIGN, "--family", "fleming", "--verbose")
    assert re.search(r"^  searching .*Fleming.*: \d+\.\d\d s$", err, flags=re.MULTILINE)
    _, _, err = said(capsys, "design", "params/smoke.yaml", "--verbose")
    steps = re.findall(r"^  searching (.*): \d+\.\d\d s$", err, flags=re.MULTILINE)
    assert steps[0] == "single stages and two stages"
    assert len(set(steps)) == len(steps) > 1


def test_quiet_prints_no_steps_of_the_explorer(capsys):
    from simtrial.explorer.server import telling

    loudness.choose("quiet")
    with telling("Importing"):
        pass
    assert capsys.readouterr().err == ""
    loudness.choose("usual")
    with telling("Importing"):
        pass
    assert capsys.readouterr().err.startswith("Importing ...")


def test_quiet_says_no_notes_and_no_progress_but_warnings_and_errors(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "EVERY", 0.01)
    code, out, err = said(capsys, "--quiet", *DESIGN)
    assert (code, err) == (0, "")
    assert "1/10, 5/29" in out
    code, out, err = said(capsys, "--quiet", *DESIGN[:-1], "80")
    assert (code, out, err.count("\n")) == (2, "", 1)
    loudness.choose("quiet")
    terminal.say("a note")
    terminal.progress()("a step")
    with terminal.waiting("waiting"), terminal.bar(1) as tell:
        tell(1)
    assert capsys.readouterr().err == ""
    terminal.warn("a warning")
    assert capsys.readouterr().err == "a warning\n"


def test_the_next_command_is_as_loud_as_usual(capsys, root):
    record = str(root / "tests/reference/registry/NCT06008288.json")
    said(capsys, "--quiet", *DESIGN, "--json")
    loudness_after = said(capsys, "import-registry", record)
    assert loudness_after[0] == 0
    assert not loudness.quiet()


def test_both_at_once_are_refused_in_a_line(capsys):
    code, out, err = said(capsys, "--quiet", *DESIGN, "--verbose")
    assert (code, out) == (exit_codes.WRONG, "")
    assert err == "simtrial: --quiet and --verbose exclude each other; leave one of them out\n"


class Stream:
    def __init__(self, terminal):
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize(
    ("variables", "terminal_there", "coloured"),
    [
        ({}, True, True), ({}, False, False), ({"NO_COLOR": "1"}, True, False), ({"NO_COLOR": "0"}, True, False),
        ({"NO_COLOR": ""}, True, True), ({"TERM": "dumb"}, True, False), ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "", "TERM": "dumb"}, True, False), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
    ],
)  # fmt: skip
def test_colours_follow_the_variables_that_programs_agree_on(monkeypatch, variables, terminal_there, coloured):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (terminal.colours(Stream(terminal_there)) is not None) == coloured


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_at_a_terminal_tables_have_codes_only_where_they_are_welcome(variables, coloured):
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "simtrial", "oc", "--looks", "5/25", "--p", "0.1"]
    process = spawned(command, stdout=theirs, stdin=theirs, env=env | {"TERM": "xterm-256color"} | variables)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait(60) == 0
    assert b"P(reject H0)" in shown
    assert (b"\x1b[" in shown) == coloured
