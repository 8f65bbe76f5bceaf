"""What a power cut, a full disk or a stray hand leaves in the folder of a sweep: known, said, and mended or refused."""

import errno
import json
import os
import shutil

import pytest
from sweeps import files, run, written

from simtrial import InputError, disk
from simtrial.cli.app import main
from simtrial.sweep import claim
from simtrial.sweep import file as sweep_file
from simtrial.sweep import run as sweep_run

AXES = [{"path": "p", "values": [0.1, 0.2, 0.3]}]


@pytest.fixture(scope="module")
def done(root, tmp_path_factory):
    """A finished sweep of three exact scenarios: the sweep, its folder, its digest."""
    folder = tmp_path_factory.mktemp("done")
    path = written(root, folder, AXES, outcomes=["reject"], trials=2)
    digest = run(path, folder / "out")[1]
    return sweep_file.read(path), folder / "out", digest


@pytest.fixture
def held(done, tmp_path):
    """The same sweep in a folder of its own, as a manifest that is put there leaves it."""
    asked, out, digest = done

    def put(manifest, *, results=True):
        here = tmp_path / "out"
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(out, here, ignore=lambda _, names: [n for n in names if n in (claim.MANIFEST, claim.LOCK)])
        if manifest is not None:
            (here / claim.MANIFEST).write_bytes(manifest)
        if not results:
            shutil.rmtree(here / "results")
        return asked, here, digest

    return put


def test_a_manifest_cut_off_at_any_byte_is_written_again_where_a_result_proves_the_sweep(done):
    asked, out, _ = done
    path = out / claim.MANIFEST
    whole = path.read_bytes()
    made_by = sweep_run.manifest(asked)
    found = {}
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        found.setdefault(claim.looked(out, made_by), []).append(length)
    path.write_bytes(whole)
    assert found == {
        "is empty": [0],
        "is damaged": list(range(1, len(whole) - 1)),
        None: [len(whole) - 1, len(whole)],  # only its last line feed is missing
    }


@pytest.mark.parametrize(
    "manifest",
    [b"", b"\0" * 400, b"{", b"[1]", b"null", b"\xff\xfe\x00garbage", b"[" * 60_000, b"1" * 5_000, b"x" * 70_000, None],
)
def test_a_manifest_that_cannot_be_read_is_said_and_mended(held, manifest):
    asked, out, digest = held(manifest)
    said = []
    assert sweep_run.missing(asked, out, said.append) == 0
    (line,) = said
    assert line.startswith(f"{out / claim.MANIFEST} is ")
    assert line.endswith("; it is written again, and only results of this sweep are used")
    assert json.loads((out / claim.MANIFEST).read_text()) == sweep_run.manifest(asked)
    assert run(asked.path, out)[1] == digest


def test_a_changed_digit_in_a_manifest_does_not_make_results_those_of_another_sweep(held, done):
    asked, out, digest = held((done[1] / claim.MANIFEST).read_bytes().replace(b'"seed": 7', b'"seed": 8'))
    said = []
    assert sweep_run.missing(asked, out, said.append) == 0
    assert "differs from this sweep (seed); it is written again" in said[0]
    assert run(asked.path, out)[1] == digest


def test_damaged_results_beside_a_damaged_manifest_are_computed_again(held):
    asked, out, digest = held(b"")
    first, second, _ = files(out)
    (out / first).write_bytes(b"")
    (out / second).write_bytes(b"\0" * 500)
    state, again = run(asked.path, out)
    assert (state.found, again) == (1, digest)


def test_results_that_prove_nothing_beside_a_damaged_manifest_are_refused(held, capsys):
    asked, out, _ = held(b"")
    for name in files(out):
        (out / name).write_bytes(b"")
    before = sorted(out.rglob("*"))
    assert main(["sweep", str(asked.path), "--out", str(out), "--workers", "1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"simtrial: {out}: holds a manifest.json that is empty, and no whole result of this sweep;")
    assert sorted(out.rglob("*")) == before


def test_a_damaged_manifest_alone_is_written_again(held):
    asked, out, digest = held(b"", results=False)
    said = []
    assert sweep_run.missing(asked, out, said.append) == 3
    assert len(said) == 1
    assert run(asked.path, out)[1] == digest


def test_what_was_not_finished_is_removed_and_what_is_hidden_is_left(held):
    asked, out, digest = held(b"")
    scenario = out / "results/scenario=000001"
    left = [out / ".manifest.json.99.tmp", out / "manifest.tmp", scenario / ".99.tmp", scenario / ".x.parquet.99.tmp"]
    for path in left:
        path.write_bytes(b"half")
    (out / "results/.DS_Store").write_bytes(b"1")
    assert sweep_run.missing(asked, out) == 0
    assert not any(path.exists() for path in left)
    assert run(asked.path, out)[1] == digest
    assert (out / "results/.DS_Store").exists()


@pytest.mark.parametrize(
    ("stray", "said"),
    [
        ("results/notes.txt", "holds results/notes.txt, which is not of this sweep; remove it"),
        ("results/scenario=000003/x", "holds results/scenario=000003, which is not of this sweep; remove it"),
        ("results/scenario=0000001/x", "holds results/scenario=0000001, which is not of this sweep; remove it"),
    ],
)
def test_a_folder_that_is_refused_is_left_as_it_was(held, done, stray, said):
    asked, out, _ = held((done[1] / claim.MANIFEST).read_bytes())
    (out / stray).parent.mkdir(exist_ok=True)
    (out / stray).write_text("mine")
    before = sorted(out.rglob("*"))
    for attempt in (sweep_run.missing, lambda *_: run(asked.path, out)):
        with pytest.raises(InputError, match=said):
            attempt(asked, out)
    assert sorted(out.rglob("*")) == before


def test_no_lock_is_made_in_a_folder_of_something_else(done, tmp_path):
    asked = done[0]
    (tmp_path / "thesis.txt").write_text("keep me")
    for attempt in (sweep_run.missing, lambda *_: run(asked.path, tmp_path)):
        with pytest.raises(InputError, match="is not empty and holds no sweep"):
            attempt(asked, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert sweep_run.missing(asked, tmp_path / "new") == 3
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("out", ["", "file", "file/below"])
def test_a_folder_that_cannot_be_used_is_refused_before_any_work(done, tmp_path, monkeypatch, capsys, out):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    monkeypatch.setattr(sweep_file, "read", None)
    assert main(["sweep", str(done[0].path), "--out", out]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_results_are_flushed_before_they_get_their_names_and_their_folders_after(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(disk, "flush", lambda place: seen.append((place, sorted(tmp_path.rglob("*.x")))))
    disk.write_all({tmp_path / "a/1.x": b"1", tmp_path / "b/2.x": b"2"})
    files, folders = seen[:2], seen[2:]
    assert all(place.suffix == disk.UNFINISHED for place, _ in files)
    assert {place for place, _ in folders} == {tmp_path, tmp_path / "a", tmp_path / "b"}
    assert all(len(named) == 2 for _, named in folders)


def test_of_many_files_none_is_left_half_written_where_the_disk_is_full(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(disk, "flush", full)
    with pytest.raises(OSError, match=r"No space left on device: .*1\.x"):
        disk.write_all({tmp_path / f"{k}.x": b"1" for k in range(1, 4)})
    assert not list(tmp_path.iterdir())


def test_a_system_that_locks_nothing_is_told_so_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(claim, "fcntl", None)
    with pytest.raises(InputError, match="cannot be locked on this system"), claim.locked(tmp_path / "out"):
        pass
    assert not (tmp_path / "out").exists()
