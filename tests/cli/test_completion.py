"""Completion in a shell: commands, options, their words, and names of files; asked as the scripts of shells ask."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from simtrial.cli import app, commands, completion
from simtrial.search import CRITERIA, FAMILIES

BARE = {name: value for name, value in os.environ.items() if not name.startswith(("COMP_", "_TYPER", "_SIMTRIAL"))}


def offered(capsys, monkeypatch, line, shell="bash"):
    """What is offered for the last word of a line, in this process."""
    words = line.split(" ")
    for name, value in (
        ("COMP_WORDS", line), ("COMP_CWORD", str(len(words) - 1)), ("_TYPER_COMPLETE_ARGS", line),
        ("_TYPER_COMPLETE_FISH_ACTION", "get-args"), (completion.VARIABLE, f"complete_{shell}"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        app.main([])
    assert ended.value.code in (0, None)
    return capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("simtrial de", ["design"]), ("simtrial --verb", ["--verbose"]), ("simtrial design --han", ["--handling"]),
        ("simtrial design --handling ", ["nonresponder", "replace", "exclude"]),
        ("simtrial --quiet init --handling e", ["exclude"]),
        ("simtrial bounds --rule ", ["fleming", "curtailed", "lee_liu", "bop2", "thall_simon"]),
        ("simtrial toxicity --type p", ["pocock"]), ("simtrial design --p0-among ev", ["evaluable"]),
        ("simtrial init --accrual ", ["hold", "continue"]), ("simtrial init --example to", ["toxicity"]),
        ("simtrial report --parts r", ["review"]), ("simtrial design --search p", ["paper"]),
        ("simtrial report par", []), ("simtrial init --from ", []), ("simtrial design --p0 ", []),
    ],
)  # fmt: skip
def test_words_are_offered_where_there_are_some_and_else_the_shell_offers_files(capsys, monkeypatch, line, words):
    assert offered(capsys, monkeypatch, line) == words


def test_the_words_of_an_option_are_those_that_its_command_takes(capsys, monkeypatch):
    families = offered(capsys, monkeypatch, "simtrial design --family ")
    assert set(families) == {*FAMILIES, "adaptive", "bryant_day", "all"}
    assert set(offered(capsys, monkeypatch, "simtrial design --criterion ")) >= set(CRITERIA)


def test_every_word_that_is_offered_is_an_option_of_some_command():
    names = {
        one.name for command in typer.main.get_command(commands.program()).commands.values() for one in command.params
    }
    assert set(completion.WORDS) <= names
    assert {name for _, name in completion.OTHERS} <= names
    for known in completion.WORDS.values():
        assert all(isinstance(word, str) and word for word in known())


@pytest.mark.parametrize("phi", list(completion.WORDS["phi"]()))
def test_an_association_that_is_offered_is_taken(capsys, phi):
    question = ["--r0=.2", "--r1=.6", "--t0=.6", "--t1=.9", "--alpha-r=.1", "--alpha-t=.1", "--power=.8"]
    assert app.main(["design", "--family", "bryant_day", *question, "--phi", phi, "--json"]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_answered_in_its_own_form(capsys, monkeypatch, shell):
    found = " ".join(offered(capsys, monkeypatch, "simtrial toxicity --type ", shell))
    assert all(word in found for word in ("pocock", "obf", "wang_tsiatis", "bayes", "sprt"))
    assert ("_arguments" in found) == (shell == "zsh")


def test_a_mistake_in_the_line_says_nothing_where_somebody_is_typing(capsys, monkeypatch):
    monkeypatch.setenv("COMP_WORDS", "simtrial design a.yaml --p0 .1 --po")
    monkeypatch.setenv("COMP_CWORD", "5")
    monkeypatch.setenv(completion.VARIABLE, "complete_bash")
    try:
        code = app.main([])
    except SystemExit as ended:
        code = ended.code
    assert code in (0, 1)
    assert capsys.readouterr().err == ""


def test_it_is_the_same_program_however_it_is_started():
    asking = {"COMP_WORDS": "simtrial init --handling ", "COMP_CWORD": "3", completion.VARIABLE: "complete_bash"}
    command = [sys.executable, "-m", "simtrial"]
    done = subprocess.run(command, env=BARE | asking, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["nonresponder", "replace", "exclude"], "")


def test_nothing_heavy_is_imported_to_complete_a_command_or_an_option():
    code = (
        "import sys\n"
        "from simtrial.cli import app\n"
        "try:\n    app.main([])\nexcept SystemExit:\n    pass\n"
        "heavy = {'scipy', 'pandas', 'matplotlib', 'yaml', 'nbformat'}\n"  # typer itself may import pydantic
        "print(*sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    asking = {"COMP_WORDS": "simtrial design --ha", "COMP_CWORD": "2", completion.VARIABLE: "complete_bash"}
    done = subprocess.run([sys.executable, "-c", code], env=BARE | asking, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr.strip()) == (["--handling"], "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_itself_completes_with_the_script_that_it_is_given(tmp_path):
    program = tmp_path / "simtrial"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m simtrial "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(_SIMTRIAL_COMPLETE=source_bash simtrial)"\n'
        "COMP_WORDS=(simtrial toxicity --type w); COMP_CWORD=3\n"
        '_simtrial_completion simtrial; echo "${COMPREPLY[@]}"; complete -p simtrial\n'
    )
    env = BARE | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "--norc", "-c", script], env=env, capture_output=True, text=True, timeout=60)
    first, second = done.stdout.splitlines()
    assert first == "wang_tsiatis"
    assert "-o default" in second  # names of files, where we offer nothing


def test_installing_writes_a_script_and_one_line_that_loads_it(tmp_path):
    env = BARE | {"HOME": str(tmp_path), "SHELL": "/bin/bash"}
    code = (
        "import typer._completion_shared as shared, sys\n"
        "shared._get_shell_name = lambda: 'bash'\n"
        "from simtrial.cli import app\n"
        "sys.exit(app.main(['--install-completion']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    written = "".join(one.read_text() for one in Path(tmp_path).rglob("*") if one.is_file())
    assert "_SIMTRIAL_COMPLETE=complete_bash" in written
