"""Shared by all tests: where the clone is, reference tables, and what a test starts besides itself.

A test that starts a kernel, a browser or other processes of ours is marked so: by a decorator, or by `STARTS` in its
module, which names the fixtures that start them. `make quick` leaves those tests out, and an unmarked test that starts
one fails: otherwise the quick tests would become slow one by one.
"""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

from simtrial import Requirements, search
from simtrial.libraries import spared

with spared():
    import nbformat as nbformat  # first here, so that no test module loads what is spared

ROOT = Path(__file__).resolve().parent.parent

os.environ.pop("COLUMNS", None)  # pytest-xdist sets it in its workers; lines are as long as where nobody told

SLOW = ("kernel", "browser", "processes")
KERNELS = {"ipykernel", "report", "lessons", "validate"}
"""Words of commands that start kernels, here or in the process that is started."""
BROWSERS = {
    "explore",
    "run-driver",
    *filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
}
running: list[pytest.Item] = []
"""The test that runs, for a process that is started knows nothing of pytest."""


# the same examples in every run, and no time limit for one: it would measure what else the machine does
settings.register_profile("simtrial", derandomize=True, deadline=None)
settings.load_profile("simtrial")


@pytest.hookimpl(tryfirst=True)  # before tests are left out by their markers
def pytest_collection_modifyitems(items):
    """Mark tests by the fixtures they use; begin with the modules that take longest, for workers share out modules."""
    longest = set()
    for item in items:
        for marker, fixtures in getattr(getattr(item, "module", None), "STARTS", {}).items():
            if fixtures.intersection(getattr(item, "fixturenames", ())):
                item.add_marker(marker)
        if any(item.get_closest_marker(marker) for marker in (*SLOW, "long")):
            longest.add(item.path)
    items.sort(key=lambda item: item.path not in longest)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    running.append(item)
    try:
        return (yield)
    finally:
        running.pop()


def watch(command):
    """Refuse a kernel, a browser or a command of ours that an unmarked test starts."""
    if not running:
        return
    item = running[-1]
    words = set(map(str, command if isinstance(command, (list, tuple)) else str(command).split()))
    for marker, starts in (("kernel", KERNELS), ("browser", BROWSERS)):
        if words & starts and not any(item.get_closest_marker(other) for other in SLOW):
            # no Exception: nothing under test may catch it
            pytest.fail(f"starts {' '.join(sorted(words & starts))}, so it needs the marker {marker}")


begin = subprocess.Popen.__init__


@functools.wraps(begin)
def watched(process, *given, **options):
    watch(given[0] if given else options["args"])
    begin(process, *given, **options)


# an audit hook would hear of it too, but also of every file and import, which costs every test
subprocess.Popen.__init__ = watched


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def reference():
    def read(*names: str) -> pd.DataFrame:
        return pd.concat([pd.read_csv(ROOT / "tests/reference" / f"{name}.csv") for name in names], ignore_index=True)

    return read


@pytest.fixture(scope="session")
def asked():
    """The textbook question."""
    return Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)


@pytest.fixture(scope="session")
def single(asked):
    return search.single_stage(asked)


@pytest.fixture(scope="session")
def two(asked):
    return search.two_stage(asked)


@pytest.fixture(scope="session")
def spare_bitmaps():
    """Has kernels draw no bitmaps, which are half of their time: for tests that look at none."""
    from simtrial.report import kernel  # here, for few tests need what it imports

    words = "get_ipython().display_formatter.formatters['image/png'].pop('simtrial.show.picture.Picture')"

    def spare(patch):
        patch.setattr(kernel, "LOADED", f"{kernel.LOADED}; {words}")

    return spare


@pytest.fixture
def smoke_text() -> str:
    return (ROOT / "params/smoke.yaml").read_text(encoding="utf-8")
