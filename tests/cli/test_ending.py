"""However a command ends, one line says so."""

import os
import signal
import subprocess
import sys
import time

import pytest
from children import listening, reaped, spawned

from simtrial import interruption
from simtrial.cli import app, interrupts
from simtrial.design import branching
from simtrial.show import ending

OC = ["oc", "--looks", "5/25", "--p", "0.1"]


@pytest.fixture
def failing(monkeypatch, tmp_path):
    """A command that fails in a way that nobody foresaw, and the folder of its log."""

    def fail(error):
        def raising(*_, **__):
            raise error

        monkeypatch.setattr(branching, "parse_design", raising)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return fail


def test_an_unforeseen_error_is_one_line_with_the_place_of_its_traceback(failing, tmp_path, capsys):
    failing(ZeroDivisionError("a\nb \x1b[2J"))
    assert app.main(OC) == 1
    said = capsys.readouterr().err
    (log,) = tmp_path.glob("simtrial/log/*.log")
    assert said.count("\n") == 1
    assert said.startswith("simtrial: stopped by an error that was not foreseen (ZeroDivisionError: a b")
    assert "\x1b" not in said
    assert said.rstrip().endswith(str(log))
    assert "Traceback (most recent call last)" in log.read_text()
    assert repr(OC) in log.read_text()


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), AssertionError(), KeyError("x"), OverflowError()]
)
def test_no_kind_of_error_is_a_traceback(failing, capsys, error):
    failing(error)
    assert app.main(OC) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Traceback" not in said


@pytest.mark.parametrize("words", [["--debug", *OC], [*OC, "--debug"]])
def test_debug_prints_the_traceback_wherever_it_stands(failing, capsys, words):
    failing(ZeroDivisionError("why"))
    assert app.main(words) == 1
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert said.splitlines()[-1].startswith("simtrial: stopped by an error")


def test_debug_changes_nothing_else(capsys):
    assert app.main([*OC, "--debug", "--json"]) == 0
    assert capsys.readouterr().out.startswith("{")


def test_a_log_that_cannot_be_written_in_its_place_goes_elsewhere(failing, monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing(ZeroDivisionError())
    assert app.main(OC) == 1
    assert str(next(tmp_path.glob("simtrial-log-*/*.log"))) in capsys.readouterr().err


def test_logs_do_not_pile_up(failing, tmp_path):
    failing(ZeroDivisionError())
    folder = tmp_path / "simtrial" / "log"
    folder.mkdir(parents=True)
    for k in range(50):
        (folder / f"20200101T0000{k:02}-1.log").write_text("")
    app.main(OC)
    kept = sorted(one.name for one in folder.iterdir())
    assert len(kept) == ending.MOST_LOGS
    assert kept[-1].endswith(f"-{os.getpid()}.log")


def test_whatever_is_raised_after_ctrl_c_is_an_interruption(failing, monkeypatch, capsys):
    monkeypatch.setattr(interruption, "received", lambda: True)
    failing(ImportError("half of an import"))
    assert app.main(OC) == 1
    assert capsys.readouterr().err == f"{interrupts.TOLD}\n"


@pytest.mark.processes
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("after", [0, 0.1, 1.5])
def test_ctrl_c_is_one_line_from_the_first_moments_on(root, after, times):
    command = [sys.executable, "-m", "simtrial", "simulate", "params/NCT07022301.yaml", "--trials", "1000000"]
    child = spawned(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with reaped(child):
        listening(child)
        time.sleep(after)
        for _ in range(times):
            child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (1, "", f"{interrupts.TOLD}\n")


@pytest.mark.processes
def test_a_terminal_that_is_closed_ends_a_command_as_ctrl_c_does(root):
    command = [sys.executable, "-m", "simtrial", "simulate", "params/NCT07022301.yaml", "--trials", "1000000"]
    child = spawned(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with reaped(child):
        listening(child)
        child.send_signal(signal.SIGHUP)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (1, "", f"{interrupts.TOLD}\n")


@pytest.mark.processes
def test_a_command_does_its_work_where_nobody_listens(root):
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m simtrial {' '.join(OC)} >&- 2>&-"], cwd=root, check=False, timeout=60
    )
    assert done.returncode == 0
