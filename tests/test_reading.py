"""Input files are read in one place: what never ends, never begins or is too large is refused at once, in one line."""

import ast
import os
import re
import signal
import socket
from contextlib import nullcontext
from pathlib import Path

import pytest

from simtrial import files
from simtrial.cli import app
from simtrial.errors import InputError

ONE = {
    "the trial to simulate": ["simulate", "{0}"],
    "the trial with results": ["analyze", "{0}"],
    "the patients": ["analyze", "--looks", "1/10,5/29", "--p0", "0.1", "--patients", "{0}"],
    "the trial with a statement": ["check", "{0}"],
    "the statements": ["check", "--csv", "{0}"],
    "the section": ["check", "--text", "{0}"],
    "the record": ["import-registry", "{0}"],
    "the sweep": ["sweep", "{0}"],
    "the report": ["report", "{0}"],
    "the trial to validate": ["validate", "{0}"],
    "the synthetic trial": ["synthetic", "{0}"],
    "the estimand": ["estimands", "{0}"],
    "the evidence": ["evidence", "{0}"],
    "the base of a sweep": ["sweep", "x.yaml"],
    "the patients of a trial": ["analyze", "x.yaml"],
}  # fmt: skip
"""Every command that reads a file; of the last two the file names the other one."""


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A folder with what is no regular file, and the names of all of it."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    Path("loop").symlink_to("loop")
    Path("folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        devices = [name for name in ("/dev/zero", "/dev/full", "/dev/null", "/dev/tty") if Path(name).exists()]
        yield ["pipe", "link", "loop", "folder", "socket", *devices, "none", "pipe/x", "x" * 299, "/proc/self/mem"]


@pytest.fixture
def soon():
    """Nothing here may wait for anything."""

    def late(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(30)  # an import on a busy machine takes seconds; a pipe waits for ever
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("case", ONE)
def test_what_is_no_regular_file_is_refused_at_once_in_one_line(case, odd, smoke_text, tmp_path, capsys):
    for name in odd:
        if case == "the base of a sweep":
            axes = "axes: [{path: hypotheses.p0, values: [0.1, 0.2]}]"
            (tmp_path / "x.yaml").write_text(f"sweep: {{base: '{name}', trials: 10, seed: 1, {axes}}}")
        elif case == "the patients of a trial":
            (tmp_path / "x.yaml").write_text(f"{smoke_text}  analysis: {{patients: '{name}'}}\n")
        assert app.main([word.format(name) for word in ONE[case]]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert name in said or case == "the patients of a trial"  # which is named by where links lead


@pytest.mark.usefixtures("soon")
def test_a_name_that_no_file_can_have_is_refused_in_one_line(capsys):
    for name in ("x" * 5000, "a/" * 3000, "x\0y", ""):
        for command in (["estimands"], ["import-registry"], ["check", "--csv"]):
            assert app.main([*command, name]) == 2
            assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "said"), [(lambda most: b"x" * most, "is larger than 10 bytes"), (lambda _: None, "")]
)
def test_of_a_file_that_grows_or_says_nothing_no_more_is_read_than_its_limit_and_a_byte(
    given, said, tmp_path, monkeypatch
):
    (tmp_path / "x").write_bytes(b"x")
    real, read = os.fdopen, []

    class Odd:
        def __init__(self, handle, _):
            self.file = real(handle, "rb")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def fileno(self):
            return self.file.fileno()

        def read(self, most):
            read.append(most)
            return given(most)  # always more; or nothing yet, as from a file of the kernel

    monkeypatch.setattr("builtins.open", Odd)
    with pytest.raises(InputError, match=said) if said else nullcontext():
        assert files.read(tmp_path / "x", 10).data == b""
    assert read == [11]


OWN = {
    "cli.start": "a device, in place of an output that is closed",
    "explorer.kernels": "what a kernel had to say, for this process alone",
    "explorer.notices": "the same",
    "explorer.site": "a connection, no file",
    "files": "the one place",
    "disk": "writes",
    "cli.notebooks": "the table of a validation that was just run",
    "report.chromium": "what a browser printed",
    "report.execution": "a notebook that was just run, or comes with the program",
    "report.papers": "documents and figures of the report that is being made",
    "report.qualified": "files of the clone",
    "report.unfinished": "a folder of results, to hold a lock",
    "report.worker": "no file of anybody",
    "report.write": "pages of the report that is being made",
    "sweep.claim": "a lock",
    "sweep.store": "results of an earlier run, in the folder of results",
    "validation.cases": "reference tables of the clone",
}
"""Modules that open files otherwise, and whose files these are: never an input that somebody names."""

OPENS = re.compile(r"(?:^|\.)(?:open|fdopen|read_text|read_bytes|read_csv|read_table|read_excel|read_parquet)$")
UNPACKS = ("json.load", "np.load", "pickle.load")


def opened(source):
    if not re.search(r"(?:open|_text|_bytes|read_\w+|\bload)\(", source):
        return
    for node in ast.walk(ast.parse(source)):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if OPENS.search(called) or called in UNPACKS:
            yield called


def test_no_other_module_opens_what_somebody_names(root):
    assert list(opened("open(x)\np.open()\npath.read_text()\njson.load(x)\nparams.load(x)\npd.read_csv(x)")) == [
        "open", "p.open", "path.read_text", "json.load", "pd.read_csv",
    ]  # fmt: skip
    found = set()
    for path in (root / "simtrial").rglob("*.py"):
        if set(opened(path.read_text(encoding="utf-8"))) - {
            "course.open",
            "archive.open",
            "read_csv",
            "params.read_csv",
        }:
            found.add(".".join(path.relative_to(root / "simtrial").with_suffix("").parts))
    assert found == set(OWN)
