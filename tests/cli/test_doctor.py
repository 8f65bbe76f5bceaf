"""`simtrial doctor`: a sound installation passes, each fault is told with its remedy, and only a fault fails."""

import importlib.metadata
import json
from pathlib import Path

import pytest

from simtrial import disk, project
from simtrial.cli import app, exit_codes, selftest, surroundings
from simtrial.errors import InputError
from simtrial.report import chromium


@pytest.fixture
def printing(monkeypatch):
    """A browser that is not started to be asked for its version."""
    monkeypatch.setattr(chromium, "found", lambda: chromium.Browser(Path("/usr/bin/chromium"), chromium.OLDEST))


def checks(capsys):
    code = app.main(["doctor", "--json"])
    shown = json.loads(capsys.readouterr().out)
    return code, {one["name"]: one for one in shown["checks"]}, shown


@pytest.mark.browser  # it is asked for its version
def test_this_installation_is_sound_and_says_where_it_is(capsys):
    code, found, shown = checks(capsys)
    assert (code, shown["ok"]) == (0, True)
    assert str(project.CLONE) in found["simtrial"]["found"]
    assert found["simtrial"]["found"].startswith(shown["version"])
    assert {"Python", "libraries", "browser", "font of figures", "machine", "temporary folder"} <= set(found)
    assert all(one["remedy"] for one in shown["checks"] if one["status"] in ("warning", "failed"))


@pytest.mark.usefixtures("printing")
def test_the_table_has_one_line_for_each_check(capsys):
    assert app.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{len(lines) - 1} checks: 0 failures, {sum(x.startswith('WARN') for x in lines)} warnings"


@pytest.mark.usefixtures("printing")
def test_quiet_keeps_warnings_failures_and_the_total(capsys):
    assert app.main(["doctor"]) == 0
    *every, total = capsys.readouterr().out.splitlines()
    assert app.main(["doctor", "--quiet"]) == 0
    *kept, last = capsys.readouterr().out.splitlines()
    assert last == total
    assert len(kept) == sum(line.startswith("WARNING") for line in every) < len(every)


def test_the_self_test_finds_simons_designs_in_the_published_table():
    found = {one.name: one for one in selftest.all_results()}
    assert [one.status for one in found.values()] == ["ok"] * 3
    assert "optimal 1/10, 5/29; minimax 1/15, 5/25" in found["self-test: published designs"].found


@pytest.mark.usefixtures("printing")
def test_a_search_that_finds_another_design_fails_the_self_test(capsys, monkeypatch):
    from simtrial import search

    monkeypatch.setattr(search, "choose", lambda asked, _: search.single_stage(asked).first)
    code, found, _ = checks(capsys)
    assert code == exit_codes.FAILED
    assert found["self-test: published designs"]["status"] == "failed"
    assert "published 1/10, 5/29" in found["self-test: published designs"]["found"]
    assert "install it again" in found["self-test: published designs"]["remedy"]


def test_a_self_test_that_breaks_off_is_a_failure(monkeypatch):
    monkeypatch.setattr(selftest, "_fraction", lambda: 1 / 0)
    failed = [one for one in selftest.all_results() if one.status == "failed"]
    assert [one.name for one in failed] == ["self-test: exact fraction"]
    assert "ZeroDivisionError" in failed[0].found


def test_a_missing_browser_is_a_warning_with_its_remedy(capsys, monkeypatch):
    monkeypatch.setattr(chromium, "_usual", lambda: iter(()))
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    code, found, _ = checks(capsys)
    assert (code, found["browser"]["status"]) == (0, "warning")
    assert "apt install chromium" in found["browser"]["remedy"]
    monkeypatch.setenv(chromium.VARIABLE, "/no/such/browser")
    code, found, _ = checks(capsys)
    assert (code, found["browser"]["status"]) == (0, "warning")
    assert found["browser"]["found"].startswith(f"{chromium.VARIABLE} (/no/such/browser)")


@pytest.mark.parametrize(
    ("version", "status", "says"), [("0.1", "failed", "scipy 0.1 is not"), ("1.99.9", "note", "scipy 1.99.9 (lock: ")]
)
def test_a_library_of_another_version_is_named(monkeypatch, version, status, says):
    true = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version if name == "scipy" else true(name))
    (found,) = surroundings._libraries()
    assert found.status == status
    assert says in found.found
    assert (status == "failed") == ("pip install 'scipy" in found.remedy)


def test_a_library_that_is_missing_is_named(monkeypatch):
    true = importlib.metadata.version

    def version(name):
        if name == "pyarrow":
            raise importlib.metadata.PackageNotFoundError(name)
        return true(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    (found,) = surroundings._libraries()
    assert (found.status, found.found) == ("failed", "pyarrow is missing")


@pytest.mark.usefixtures("printing")
def test_a_folder_that_cannot_be_written_to_is_told(capsys, monkeypatch):
    def usable(folder):
        raise InputError(
            f"({folder}) is no folder that can be written to: Read-only file system; choose another", "out"
        )

    monkeypatch.setattr(disk, "usable", usable)
    code, found, _ = checks(capsys)
    assert code == exit_codes.FAILED
    assert (found["temporary folder"]["status"], found["working folder"]["status"]) == ("failed", "warning")
    assert "TMPDIR" in found["temporary folder"]["remedy"]


def test_fonts_that_are_missing_are_named(monkeypatch):
    monkeypatch.setattr(surroundings, "_families", lambda: {"Liberation Sans"})
    monkeypatch.setattr(surroundings.shutil, "which", lambda _: "/usr/bin/fc-list")
    figures, formulas = surroundings._fonts()
    assert figures.status == "ok"  # matplotlib brings its own
    assert (formulas.status, "fonts-dejavu-extra" in formulas.remedy) == ("warning", True)
    monkeypatch.setattr(surroundings.importlib.util, "find_spec", lambda _: None)
    assert next(surroundings._fonts()).status == "failed"


def test_a_python_that_is_too_old_fails(monkeypatch):
    monkeypatch.setattr(surroundings.platform, "python_version", lambda: "3.9.1")
    assert surroundings._python().status == "failed"
