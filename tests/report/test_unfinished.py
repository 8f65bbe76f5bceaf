"""Results stand whole or not at all; what a killed run left goes with the next one, and what lives is not touched."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from simtrial import InputError, disk
from simtrial.cli.app import main
from simtrial.report import run as report_run
from simtrial.report import unfinished


def folder(place, said="good"):
    place.mkdir(parents=True)
    (place / "report.html").write_text(said)
    return place


def names(out):
    return sorted(one.name for one in out.iterdir())


HOLD = """
import sys
from pathlib import Path
from simtrial.report import unfinished
with unfinished.begun(Path(sys.argv[1])) as work:
    print(work.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def living(tmp_path):
    """Another run that has begun its folder."""
    holds = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "A"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield holds, holds.stdout.readline().strip()
    finally:
        holds.kill()
        holds.communicate()


@pytest.mark.processes
def test_what_a_run_left_goes_once_it_was_killed_and_not_before(living, tmp_path):
    process, name = living
    with unfinished.begun(tmp_path / "A") as mine:
        assert names(tmp_path) == sorted((name, mine.name))
    process.kill()
    process.wait()
    assert names(tmp_path) == [name]
    with unfinished.begun(tmp_path / "A") as mine:
        assert names(tmp_path) == [mine.name]
    assert names(tmp_path) == []


def test_only_the_leavings_of_the_same_study_go_whoever_has_the_number_of_the_process_now(tmp_path):
    alive = os.getpid()
    for name in (f".A-{alive}-abcdefgh", ".A-12-abcdefgh", ".A-12-345-abcdefgh", ".B-12-abcdefgh", ".A-12-abc", ".A"):
        (tmp_path / name).mkdir()
    (tmp_path / ".A-12-notafold").symlink_to(tmp_path / ".A")
    unfinished.clear(tmp_path / "A")
    assert names(tmp_path) == [".A", ".A-12-345-abcdefgh", ".A-12-abc", ".A-12-notafold", ".B-12-abcdefgh"]


def test_a_report_moved_aside_by_a_killed_run_goes_back(tmp_path):
    folder(tmp_path / ".A-12-abcdefgh-old")
    folder(tmp_path / ".A-12-abcdefgh", "unfinished")
    unfinished.clear(tmp_path / "A")
    assert names(tmp_path) == ["A"]
    assert (tmp_path / "A" / "report.html").read_text() == "good"


def test_a_report_moved_aside_for_one_that_stands_goes(tmp_path):
    folder(tmp_path / ".A-12-abcdefgh-old", "older")
    folder(tmp_path / "A")
    unfinished.clear(tmp_path / "A")
    assert names(tmp_path) == ["A"]
    assert (tmp_path / "A" / "report.html").read_text() == "good"


def test_an_interrupt_between_two_moves_keeps_the_good_report(tmp_path, monkeypatch):
    place, new = folder(tmp_path / "S"), folder(tmp_path / ".S-1-abcdefgh", "newer")
    rename = Path.rename

    def interrupted(self, target):
        if self == new:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unfinished.finish(new, place)
    assert (place / "report.html").read_text() == "good"


def test_every_file_and_folder_is_on_the_disk_before_the_move_and_the_new_name_after(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(disk, "flush", lambda place: done.append(place))
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda self, place: (done.append((self, place)), rename(self, place))[1])
    with unfinished.begun(tmp_path / "A") as work:
        for name in ("report.html", "tables/a.csv"):
            (work / name).parent.mkdir(exist_ok=True)
            (work / name).write_text("x")
        unfinished.finish(work, tmp_path / "A")
    moved = done.index((work, tmp_path / "A"))
    assert set(done[:moved]) == {work, work / "report.html", work / "tables", work / "tables/a.csv"}
    assert done[moved + 1 :] == [tmp_path]
    assert stat.S_IMODE((tmp_path / "A").stat().st_mode) == 0o755


def test_a_full_disk_is_told_by_the_place_of_the_results_and_nothing_stays(tmp_path):
    folder(tmp_path / "A")

    def full():
        with unfinished.begun(tmp_path / "A") as work:
            (work / "half").write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match=r"No space left on device: '.*/A'"):
        full()
    assert names(tmp_path) == ["A"]


@pytest.mark.parametrize("name", ["SMOKE", "SMOKE.failed"])
@pytest.mark.parametrize("kind", ["a file", "a link"])
def test_what_is_no_folder_of_ours_is_refused_before_any_work(name, kind, tmp_path, root, monkeypatch, capsys):
    out = tmp_path / "build"
    out.mkdir()
    if kind == "a file":
        (out / name).write_text("mine")
    else:
        (out / name).symlink_to(tmp_path)
    monkeypatch.setattr(report_run, "_run", None)  # would fail
    assert main(["report", str(root / "params/smoke.yaml"), "--out", str(out), "--replace"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"simtrial: {out / name}: is {kind}, and a report is a folder; move it away, or choose another --out"
    assert names(out) == [name]


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, monkeypatch):
    folder(tmp_path / "A")
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may do everything
    with pytest.raises(InputError, match=r"A: cannot be written to: Permission denied"):
        unfinished.refuse(tmp_path / "A")
