"""What explorers that were killed have left is removed by the next one."""

import os
import subprocess
import sys

from simtrial.explorer import site


def test_folders_of_explorers_that_are_gone_are_removed_and_those_of_others_stay(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    names = {f"{site.FOLDER}{gone.pid}-x": False, f"{site.FOLDER}{os.getpid()}-x": True, f"{site.FOLDER}older": True}
    for name in [*names, "other"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "kernel.json").write_text("{}")
    site._clear(tmp_path)
    assert {name: (tmp_path / name).exists() for name in names} == names
    assert (tmp_path / "other").exists()
