"""A report on another parameter file is replaced only when that is said."""

import json
import os
import shutil

import pytest

from simtrial import InputError, project
from simtrial.cli.app import main
from simtrial.report import index, replacement, worker
from simtrial.report import many as report_many
from simtrial.report import run as report_run
from simtrial.trial import params


@pytest.fixture
def clone(tmp_path, monkeypatch, smoke_text):
    """A clone with a parameter file, and a report made from it."""
    root = tmp_path / "clone"
    (root / "params").mkdir(parents=True)
    monkeypatch.setattr(project, "CLONE", root)
    (root / "params/one.yaml").write_text(smoke_text, encoding="utf-8")
    made(root / "build/SMOKE", root / "params/one.yaml")
    return root


def made(final, file):
    """A finished report on a file."""
    final.mkdir(parents=True)
    (final / "report.html").write_text("a report")
    told = {replacement.NAME: file.name, replacement.PLACE: replacement.place(file, final)}
    (final / "manifest.json").write_text(json.dumps(told))


def refusal(file, out):
    with pytest.raises(InputError) as caught:
        report_run.write(file, out)
    return str(caught.value)


def test_another_file_with_the_same_id_is_refused_before_any_work(clone, capsys):
    other = clone / "params/two.yaml"
    shutil.copy(clone / "params/one.yaml", other)
    assert main(["report", str(other), "--out", str(clone / "build")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"simtrial: {other}: trial.study.id (SMOKE) has a report already: {clone / 'build/SMOKE'}, made from "
        "params/one.yaml; give each file its own id, or add --replace"
    )
    assert [p.name for p in (clone / "build").iterdir()] == ["SMOKE"]


def test_a_file_of_the_same_name_in_another_folder_is_another_file(clone, tmp_path):
    other = tmp_path / "one.yaml"
    shutil.copy(clone / "params/one.yaml", other)
    assert "made from params/one.yaml" in refusal(other, clone / "build")


def test_the_same_file_is_known_by_any_path(clone, tmp_path, monkeypatch):
    (tmp_path / "link.yaml").symlink_to(clone / "params/one.yaml")
    monkeypatch.chdir(clone)
    for path in ("params/one.yaml", clone / "params/one.yaml", "params/../params/one.yaml", tmp_path / "link.yaml"):
        _, source = params.read(path)
        assert replacement.place(source.path, clone / "build/SMOKE") == "params/one.yaml"
        replacement.refuse(clone / "build/SMOKE", source)  # raises if it is taken for another


def test_a_clone_that_was_moved_knows_its_file(clone, tmp_path, monkeypatch):
    moved = clone.rename(tmp_path / "moved")
    monkeypatch.setattr(project, "CLONE", moved)
    _, source = params.read(moved / "params/one.yaml")
    assert replacement.place(source.path, moved / "build/SMOKE") == "params/one.yaml"
    replacement.refuse(moved / "build/SMOKE", source)  # raises if it is taken for another


def test_a_file_outside_the_clone_is_recorded_from_the_results_and_may_move_with_them(clone, tmp_path):
    file, final = tmp_path / "work/trial.yaml", tmp_path / "work/build/SMOKE"
    file.parent.mkdir()
    shutil.copy(clone / "params/one.yaml", file)
    made(final, file)
    assert json.loads((final / "manifest.json").read_text())[replacement.PLACE] == "../trial.yaml"
    moved = (tmp_path / "work").rename(tmp_path / "elsewhere")
    replacement.refuse(moved / "build/SMOKE", params.read(moved / "trial.yaml")[1])
    assert "made from ../trial.yaml (seen from " in refusal(clone / "params/one.yaml", moved / "build")


def test_a_manifest_of_an_older_version_knows_the_name_alone(clone):
    final = clone / "build/SMOKE"
    (final / "manifest.json").write_text(json.dumps({"parameter_file": "one.yaml"}))
    replacement.refuse(final, params.read(clone / "params/one.yaml")[1])
    other = clone / "params/two.yaml"
    shutil.copy(clone / "params/one.yaml", other)
    assert "made from one.yaml" in refusal(other, clone / "build")


@pytest.mark.parametrize("kept", ["sweep.json", "manifest.json", "notes.txt"])
def test_a_folder_that_is_no_report_is_not_replaced(kept, clone):
    # results of a sweep, a manifest that cannot be read, and whatever else somebody keeps
    final = clone / "build/SMOKE"
    shutil.rmtree(final)
    final.mkdir()
    (final / kept).write_text("not ours")
    assert "is not the report of a study; give each file its own id, or add --replace" in refusal(
        clone / "params/one.yaml", clone / "build"
    )
    assert (final / kept).exists()


@pytest.mark.parametrize("kind", ["a pipe", "NUL bytes", "no text", "deeply nested", "a list", "too large"])
def test_whatever_stands_for_a_manifest_is_refused_in_one_line_and_without_waiting(kind, clone, monkeypatch):
    manifest = clone / "build/SMOKE/manifest.json"
    manifest.unlink()
    if kind == "a pipe":
        os.mkfifo(manifest)
    else:
        monkeypatch.setattr(replacement, "MOST_BYTES", 1_000_000)
        held = {"NUL bytes": b"\0" * 9, "no text": b"\xff\xfe{", "deeply nested": b"[" * 200_000, "a list": b"[1]"}
        manifest.write_bytes(held.get(kind, b" " * 1_000_001))
    said = refusal(clone / "params/one.yaml", clone / "build")
    assert "is not the report of a study" in said
    assert len(said.splitlines()) == 1


def test_what_a_manifest_says_moves_no_cursor_and_fills_no_screen(clone):
    manifest = clone / "build/SMOKE/manifest.json"
    manifest.write_text(json.dumps({replacement.NAME: "\x1b[2J" + "x" * 10_000}))
    told = []
    replacement.note(clone / "build/SMOKE", "one.yaml", told.append)
    assert "\x1b" not in told[0]
    assert len(told[0]) < 1000


def test_with_replace_anything_goes_on_to_the_work(clone, monkeypatch):
    other = clone / "params/two.yaml"
    shutil.copy(clone / "params/one.yaml", other)
    begun = []
    monkeypatch.setattr(report_run, "_run", lambda _job, final, _progress, *_more: begun.append(final) or final)
    assert main(["report", str(other), "--out", str(clone / "build"), "--replace"]) == 0
    assert begun == [clone / "build/SMOKE"]


def test_of_several_files_only_the_one_that_would_replace_another_is_wrong(clone):
    other = clone / "params/two.yaml"
    shutil.copy(clone / "params/one.yaml", other)
    found = report_many._read(other, clone / "build")
    assert found.code == index.WRONG
    assert found.error.startswith("trial.study.id (SMOKE) has a report already")
    assert isinstance(report_many._read(clone / "params/one.yaml", clone / "build"), worker.ReportTask)
    assert isinstance(report_many._read(other, clone / "build", replace_other=True), worker.ReportTask)


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "missing"])
def test_patients_that_nobody_can_read_are_refused_before_any_work(tmp_path, smoke_text, capsys, kind):
    place = tmp_path / "patients.csv"
    if kind != "missing":
        {"a pipe": os.mkfifo, "a folder": os.mkdir}[kind](place)
    file = tmp_path / "x.yaml"
    file.write_text(f"{smoke_text}\n  analysis:\n    patients: patients.csv\n", encoding="utf-8")
    assert main(["report", str(file), "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(place) in line
    assert not (tmp_path / "out").exists()
