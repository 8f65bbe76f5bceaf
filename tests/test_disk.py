"""What is written is whole or not there, and a folder for results is tried before any work."""

import errno
import os
import re
from pathlib import Path

import pytest

from simtrial import disk
from simtrial.errors import InputError


@pytest.fixture
def calls(monkeypatch):
    """Every flush and rename, in order, with the name that it is about."""
    seen = []
    flush, rename = os.fsync, os.replace

    def fsync(handle):
        seen.append(("flush", Path(f"/proc/self/fd/{handle}").readlink().name))
        flush(handle)

    def replaced(old, new, **more):
        seen.append(("rename", Path(new).name))
        rename(old, new, **more)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replaced)
    return seen


def test_bytes_are_on_the_disk_before_the_file_has_its_name_and_the_name_after(tmp_path, calls):
    disk.write(tmp_path / "x.json", "{}")
    assert [what for what, _ in calls] == ["flush", "rename", "flush"]
    assert calls[0][1].endswith(".tmp")
    assert calls[1:] == [("rename", "x.json"), ("flush", tmp_path.name)]


def test_a_finished_folder_is_flushed_with_all_that_is_in_it(tmp_path, calls):
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/one", "a/b/two"):
        (tmp_path / name).write_text("1")
    disk.flush_all(tmp_path / "a")
    assert {name for _, name in calls} == {"a", "b", "one", "two"}


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "x.csv").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*x\.csv"):
        disk.write(tmp_path / "x.csv", "new")
    assert [one.name for one in tmp_path.iterdir()] == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "old"


def test_a_new_file_never_replaces_one_that_is_there(tmp_path):
    disk.write(tmp_path / "x.yaml", "one", new=True)
    with pytest.raises(FileExistsError, match=r"x\.yaml"):
        disk.write(tmp_path / "x.yaml", "two", new=True)
    assert [one.name for one in tmp_path.iterdir()] == ["x.yaml"]
    assert (tmp_path / "x.yaml").read_text() == "one"


def test_a_folder_that_is_tried_is_not_there_afterwards(tmp_path):
    folder = tmp_path / "a" / "b"
    assert disk.usable(folder) == folder
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "here").mkdir()
    disk.usable(tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("file", "it is a file"),
        ("file/below", "is a file"),
        ("file/b/c", "is a file"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_one_is_refused(tmp_path, place, said):
    (tmp_path / "file").write_text("1")
    with pytest.raises(InputError, match=said):
        disk.usable(tmp_path / place)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    def refused(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refused)  # the tests may run as root, who may do anything
    with pytest.raises(InputError, match=r"^out \(.*\) is no folder that can be written to: Permission denied; choose"):
        disk.usable(tmp_path)


def test_the_working_folder_is_named_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk.tempfile, "TemporaryFile", refuse)
    with pytest.raises(InputError, match=re.escape(f"out ({tmp_path}) is no folder")):
        disk.usable(Path())
