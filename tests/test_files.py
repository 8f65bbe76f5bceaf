import shutil
from hashlib import sha256
from pathlib import Path

import pytest

import simtrial
from simtrial import files
from simtrial.errors import InputError
from simtrial.sweep import workers as sweep_workers


@pytest.fixture
def package(tmp_path):
    """A package with a module in it and one in a folder of it."""
    (tmp_path / "wing" / "room").mkdir(parents=True)
    for name in ("one.py", "wing/two.py", "wing/room/three.py"):
        (tmp_path / name).write_text("A = 1\n")
    return tmp_path


@pytest.mark.parametrize("module", ["one.py", "wing/two.py", "wing/room/three.py"])
def test_a_change_in_any_module_changes_the_digest_of_the_code(package, module):
    before = files.digest(package)
    (package / module).write_text("A = 2\n")
    assert files.digest(package) != before


def test_a_module_added_moved_or_gone_changes_the_digest_of_the_code(package):
    found = [files.digest(package)]
    shutil.move(package / "one.py", package / "wing" / "one.py")
    found.append(files.digest(package))
    (package / "wing" / "room" / "four.py").write_text("")
    found.append(files.digest(package))
    (package / "wing" / "two.py").unlink()
    found.append(files.digest(package))
    assert len(set(found)) == 4


def test_what_is_no_code_leaves_the_digest_as_it_is(package):
    before = files.digest(package)
    (package / "wing" / "notes.txt").write_text("seen")
    assert files.digest(package) == before


def test_the_digest_of_the_code_is_that_of_the_whole_package():
    assert Path(simtrial.__file__).resolve().parent == files.PACKAGE
    assert files.code_digest() == files.digest(files.PACKAGE)
    assert files.code_digest().startswith(sweep_workers.versions()["code"])


def test_a_file_is_hashed_as_it_was_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"PAR1\x00")
    content = files.read(path, 5)
    path.write_bytes(b"changed")
    assert (content.data, content.kind) == (b"PAR1\x00", "a Parquet file")
    assert content.sha256 == sha256(b"PAR1\x00").hexdigest()


def test_a_file_above_its_limit_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"123456")
    with pytest.raises(InputError, match="is larger than 5 bytes"):
        files.read(path, 5)
