"""Exit codes: one table, which the help shows and every command keeps to."""

import pytest

from simtrial import __version__
from simtrial.cli import app, commands, exit_codes
from simtrial.report import run as report_run

COMMANDS = [one.name or one.callback.__name__.replace("_", "-") for one in commands.program().registered_commands]


def test_the_help_lists_every_code(capsys):
    assert app.main(["--help"]) == exit_codes.DONE
    shown = capsys.readouterr().out
    assert [one.code for one in exit_codes.TABLE] == [0, 1, 2]
    for one in exit_codes.TABLE:
        assert f"  {one.code}  {one.meaning}.\n" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_what_it_does_not_know_with_the_code_of_a_wrong_input(capsys, name):
    assert app.main([name, "--zebra"]) == exit_codes.WRONG
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_fits_80_columns_and_cuts_no_first_sentence(capsys, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    assert app.main([name, "--help"]) == exit_codes.DONE
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown.partition("\n")[2].partition("Options:")[0].replace("NCT...", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), exit_codes.FAILED), (OSError(28, "No space left on device"), exit_codes.FAILED),
     (ZeroDivisionError(), exit_codes.FAILED), (BrokenPipeError(), exit_codes.FAILED)],
)  # fmt: skip
def test_what_fails_or_is_interrupted_has_the_code_of_a_failure(monkeypatch, tmp_path, capsys, error, code):
    def failing(*_, **__):
        raise error

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(report_run, "lessons", failing)
    assert app.main(["lessons", "--out", str(tmp_path / "out")]) == code
    assert "Traceback" not in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys):
    assert app.main(["--version"]) == exit_codes.DONE
    assert capsys.readouterr().out == f"simtrial {__version__}\n"
