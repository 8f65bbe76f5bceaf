"""Many parameter files at once: each fails or succeeds alone, nothing is left half-written, one page leads to all."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser

import nbformat
import printed
import pytest
from children import reaped, spawned

from simtrial import InputError, project
from simtrial.cli.app import main
from simtrial.report import index, worker
from simtrial.report import many as report_many
from simtrial.report import run as report_run

STARTS = {"kernel": {"start"}}
HOSTILE = "<script>alert(1)</script> {{ 7*7 }} &amp;"
CELL = """
import os, pathlib, time
pathlib.Path(trial["study"]["id"] + ".pid").write_text(str(os.getpid()))
if trial["study"]["id"] == "FAIL":
    raise ZeroDivisionError("by <b>design</b>")
if trial["study"]["id"].startswith("SLOW"):
    time.sleep(600)
trial["study"]["title"]
"""
STARTER = """
import sys
from pathlib import Path
from simtrial import project
from simtrial.report import kernel
from simtrial.report import run as report

# stands outside the guard: the processes of the pool read it too
project.ROOT = Path({clone!r})
report.NOTEBOOKS = ("01_design",)
kernel.LOADED = kernel.CLEARED = "None"  # two seconds of libraries that the notebook does without

if __name__ == "__main__":
    from simtrial.cli.start import main
    sys.exit(main())
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone whose one notebook takes no time, or for ever, or fails, by the id of the study."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "notebooks").mkdir()
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A part", id="a"),
            nbformat.v4.new_code_cell("trial = {}", metadata={"tags": ["parameters"]}, id="b"),
            nbformat.v4.new_code_cell(CELL, id="c"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, folder / "notebooks" / "01_design.ipynb")
    (folder / "start.py").write_text(STARTER.format(clone=str(folder)))
    return folder


@pytest.fixture(scope="module")
def write_file(root):
    text = (root / "params/smoke.yaml").read_text(encoding="utf-8")
    text = text[: text.index("  conduct:")]

    def write(folder, name, study, title="A title", old="", new=""):
        path = folder / f"{name}.yaml"
        changed = text.replace("SMOKE", study).replace("A small design for the tests", title)
        path.write_text(changed.replace(old, new) if old else changed, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def start(clone):
    def start(files, out, *options):
        return spawned(
            [sys.executable, clone / "start.py", "report", *files, "--out", out, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"SOURCE_DATE_EPOCH": "1750000000"},
            start_new_session=True,  # so that a signal to its group does not end the tests
        )

    return start


@pytest.fixture(scope="module")
def run(tmp_path_factory, write_file, start):
    folder = tmp_path_factory.mktemp("params")
    files = [
        write_file(folder, "good", "GOOD"),
        write_file(folder, "bad", "BAD", old="p0: 0.2", new="p0: 0.7"),
        write_file(folder, "fail", "FAIL"),
        write_file(folder, "hostile", "HOSTILE", HOSTILE),
        write_file(folder, "misses", "MISSES", old="criterion: minimax", new='looks: "2/5"'),
    ]
    out = folder / "build"
    process = start(files, out)
    shown, said = process.communicate(timeout=120)
    return process.returncode, shown, said, out, files


class Reader(HTMLParser):
    """Collects tags, and what stands in each row of the table."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.words = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.words = []
            self.rows.append(self.words)

    def handle_endtag(self, tag):
        if tag == "table":
            self.words = None

    def handle_data(self, data):
        if self.words is not None and data.strip():
            self.words.append(data.strip())


@pytest.fixture(scope="module")
def page(run):
    return (run[3] / "index.html").read_text(encoding="utf-8")


def within(seconds, holds):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def begun(out, study):
    """The process at work on a study: its unfinished folder carries its number."""
    found = [re.fullmatch(rf"\.{study}-(\d+)-.{{8}}", p.name) for p in out.iterdir()] if out.exists() else []
    return next((int(match[1]) for match in found if match), None)


def gone(process):
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return False
    return True


def test_a_bad_file_and_a_failing_notebook_fail_alone(run):
    code, shown, said, out, (_, bad, fail, *_) = run
    assert code == 2
    assert sorted(p.name for p in out.iterdir()) == ["FAIL.failed", "GOOD", "HOSTILE", "MISSES", "index.html"]
    errors = [line for line in said.splitlines() if line.startswith("simtrial:")]
    assert len(errors) == 2
    assert errors[0] == f"simtrial: {bad}: trial.hypotheses.p0 (0.7) is not below p1 (0.6)"
    assert errors[1].startswith(f"simtrial: {fail}: 01_design.ipynb, cell 4")
    assert errors[1].endswith(f"its partial output is in {out / 'FAIL.failed' / 'notebooks'}")
    assert f"Index: {out / 'index.html'}" in shown
    assert "GOOD" in shown


def test_each_line_of_progress_names_its_file(run):
    _, _, said, _, files = run
    lines = [line for line in said.splitlines() if not line.startswith("simtrial:")]
    assert lines
    assert all(re.match(rf"  {re.escape(str(files[0].parent))}/\w+\.yaml: ", line) for line in lines)
    for file in (files[0], files[3]):
        mine = [line.split(": ", 1)[1] for line in lines if f"{file}: " in line]
        assert mine[0] == "01_design ..."
        assert mine[-2] == "report.html ..."
        assert mine[-1].startswith("done in ")


def test_each_report_is_the_one_a_single_run_writes(run, clone, monkeypatch, capsys):
    alone = run[3].with_name("alone")  # beside the other, for a manifest says where the file is from there
    monkeypatch.setattr(project, "ROOT", clone)
    monkeypatch.setattr(report_run, "NOTEBOOKS", ("01_design",))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1750000000")
    assert main(["report", str(run[4][0]), "--out", str(alone)]) == 0
    shown = capsys.readouterr()
    # and with one file there is what there always was: no index, the statement, no file named in the progress
    assert [p.name for p in alone.iterdir()] == ["GOOD"]
    assert "H0 is rejected if" in shown.out
    assert f"\nReport: {alone / 'GOOD' / 'report.html'}\n" in shown.out
    assert shown.err.startswith("  01_design ...\n")
    one, many = ({p.relative_to(d): p.read_bytes() for p in d.rglob("*") if p.is_file()} for d in (
        alone / "GOOD", run[3] / "GOOD",
    ))  # fmt: skip
    assert one == many


def test_the_index_has_a_row_a_file_in_the_order_given(page):
    head, *rows = Reader(page).rows
    assert head == ["Study", "Status", "Title", "Design (r/n)", "Type I error", "Power"]
    assert rows[0] == ["GOOD", "good.yaml", "done", "A title", "0/3, 2/6", "0.0948", "0.807"]
    assert rows[1] == ["–", "bad.yaml", "wrong input", "trial.hypotheses.p0 (0.7) is not below p1 (0.6)"]
    assert rows[2][:4] == ["FAIL", "fail.yaml", "failed", "A title"]
    assert rows[2][4].endswith("by <b>design</b>; its partial output is in FAIL.failed/notebooks")
    assert rows[3][:4] == ["HOSTILE", "hostile.yaml", "done", HOSTILE]
    assert rows[4][2] == "done, misses its limits"
    assert "3 done, 1 failed, 1 with wrong input" in page


def test_the_index_leads_to_the_reports_and_asks_nothing_of_a_network(page, run):
    tags = Reader(page).tags
    links = [attributes["href"] for tag, attributes in tags if tag == "a"]
    assert links == ["GOOD/report.html", "HOSTILE/report.html", "MISSES/report.html"]
    assert all((run[3] / link).is_file() for link in links)
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "embed", "img", "base", "form", "b"}
    assert not re.search(r"@import|url\(|https?:", page)
    assert "default-src 'none'" in page
    assert str(run[3].parent) not in page


def test_the_index_shows_a_hostile_title_and_name_as_text(tmp_path):
    entry = index.ReportEntry(file='"><img src=x>.yaml', study="S", title=HOSTILE, code=index.FAILED, error="<i>x</i>")
    page = index.write_index((entry,), tmp_path).read_text(encoding="utf-8")
    assert not {tag for tag, _ in Reader(page).tags} & {"script", "img", "i"}
    assert Reader(page).rows[1] == ["S", '"><img src=x>.yaml', "failed", HOSTILE, "<i>x</i>"]


def test_a_broken_write_keeps_the_old_index(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(index, "_index", fail)
    with pytest.raises(OSError, match="disk full"):
        index.write_index((), tmp_path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("index.html", "old")]


@pytest.mark.parametrize("second", ["TWIN", "twin"])
def test_two_files_of_one_study_are_refused_before_anything_runs(second, tmp_path, write_file, capsys):
    one, other = write_file(tmp_path, "one", "TWIN"), write_file(tmp_path, "two", second)
    bad = write_file(tmp_path, "bad", "BAD", old="p0: 0.2", new="p0: 0.7")
    assert main(["report", str(one), str(bad), str(other), "--out", str(tmp_path / "build")]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"simtrial: {one} and {other} both hold trial.study.id TWIN")
    assert len(shown.err.splitlines()) == 1
    assert shown.out == ""
    assert not (tmp_path / "build").exists()


def test_a_second_file_of_a_study_is_refused_before_the_report_of_the_first_is_made_again(tmp_path, write_file, capsys):
    one, other = write_file(tmp_path, "one", "TWIN"), write_file(tmp_path, "two", "TWIN")
    made = tmp_path / "build" / "TWIN"
    made.mkdir(parents=True)
    (made / "manifest.json").write_text(json.dumps({"parameter_file": "one.yaml", "parameter_path": "../one.yaml"}))
    assert isinstance(report_many._read(one, tmp_path / "build"), worker.ReportTask)
    assert report_many._read(other, tmp_path / "build").code == index.WRONG  # the report of the first is there
    for files in ((one, other), (other, one)):
        assert main(["report", *map(str, files), "--out", str(tmp_path / "build")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"simtrial: {files[0]} and {files[1]} both hold trial.study.id TWIN")
    assert [one.name for one in (tmp_path / "build").rglob("*")] == ["TWIN", "manifest.json"]


def test_a_study_cannot_take_the_name_of_the_index(tmp_path, write_file):
    found = report_many._read(write_file(tmp_path, "x", "Index.html"), tmp_path)
    assert found.code == index.WRONG
    assert found.error == "trial.study.id (Index.html) is the page over all reports; choose another"


def test_a_file_that_lacks_what_a_part_needs_is_wrong_alone_and_before_anything_runs(tmp_path, write_file):
    wish = report_run.Wish(("conduct",))
    found = report_many._read(write_file(tmp_path, "x", "X"), tmp_path, wish)
    assert found.code == index.WRONG
    assert found.error.startswith("parts (conduct) needs the section conduct")
    task = report_many._read(write_file(tmp_path, "y", "Y"), tmp_path, report_run.Wish(("design",)))
    assert task.wish.parts == ("design",)


def test_a_part_that_is_not_known_refuses_all_files(tmp_path, write_file, capsys):
    files = [str(write_file(tmp_path, name, name.upper())) for name in ("one", "two")]
    assert main(["report", *files, "--out", str(tmp_path / "build"), "--parts", "design,memo"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "parts ('memo') is not a part of the report" in line
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize("jobs", ["0", "-1", "x"])
@pytest.mark.parametrize("files", [["params/smoke.yaml"], ["params/smoke.yaml", "params/example.yaml"]])
def test_jobs_is_a_number_of_processes(jobs, files, tmp_path, capsys, root, monkeypatch):
    monkeypatch.chdir(root)
    assert main(["report", *files, "--jobs", jobs, "--out", str(tmp_path)]) == 2
    assert "jobs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_jobs_are_at_most_the_files():
    assert report_many._at_once(8, 3) == 3
    assert report_many._at_once(2, 3) == 2
    assert 1 <= report_many._at_once(None, 1000) <= os.cpu_count()
    with pytest.raises(InputError, match=r"jobs \(0\)"):
        report_many._at_once(0, 3)


@pytest.mark.parametrize("codes", [(0, 0), (0, 1), (1, 2), (2, 0)])
def test_the_exit_code_is_that_of_the_worst_file(codes, tmp_path, monkeypatch, capsys):
    entries = tuple(index.ReportEntry(file=f"{k}.yaml", code=code) for k, code in enumerate(codes))
    monkeypatch.setattr(report_many, "write", lambda *_, **__: index.Reports(tmp_path / "index.html", entries))
    assert main(["report", "0.yaml", "1.yaml"]) == max(codes)
    assert "1.yaml" in capsys.readouterr().out


def test_a_killed_process_fails_its_file_and_the_others_finish(tmp_path, write_file, start):
    out = tmp_path / "build"
    old = out / "SLOW" / "report.html"
    old.parent.mkdir(parents=True)
    old.write_text("a good report")
    files = [write_file(tmp_path, name, name.upper()) for name in ("slow", "one", "two")]
    process = start(files, out, "--jobs", "2", "--no-docx")
    within(60, lambda: begun(out, "SLOW") and begun(out, "ONE"))
    os.kill(begun(out, "SLOW"), signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"simtrial: {files[0]}: its process was killed by signal 9 before it was done" in said
    assert "Traceback" not in said
    assert sorted(p.name for p in out.iterdir()) == ["ONE", "SLOW", "TWO", "index.html"]
    assert old.read_text() == "a good report"
    rows = Reader((out / "index.html").read_text(encoding="utf-8")).rows[1:]
    assert [row[2] for row in rows] == ["failed", "done", "done"]


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "SIGKILL"])
def test_when_it_is_stopped_everything_stops_and_nothing_is_half_written(how, tmp_path, clone, write_file, start):
    out = tmp_path / "build"
    for name in ("SLOW1", "SLOW2"):
        (clone / f"{name}.pid").unlink(missing_ok=True)
    files = [write_file(tmp_path, name, name) for name in ("SLOW1", "SLOW2", "THIRD")]
    process = start(files, out, "--jobs", "2", "--no-docx")
    kernels = [clone / f"{name}.pid" for name in ("SLOW1", "SLOW2")]
    within(60, lambda: all(p.exists() and p.read_text() for p in kernels))
    workers = [begun(out, name) for name in ("SLOW1", "SLOW2")]
    with reaped(process):
        if how == "Ctrl-C":
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        else:
            process.send_signal(getattr(signal, how))
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said
    if how != "SIGKILL":
        assert process.returncode == 1
        assert said.splitlines()[-1] == "simtrial: interrupted; no file is left incomplete"
        assert all(gone(int(p.read_text())) for p in kernels)
        assert all(gone(worker) for worker in workers)
    within(30, lambda: list(out.iterdir()) == [])


@pytest.fixture
def fake_browser(tmp_path, monkeypatch):
    """Puts a program of a few lines in the place of the browser."""

    def put(does):
        program = tmp_path / "browser"
        program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "Chromium 140.0.0.0" && exit\n{does}\n')
        program.chmod(0o755)
        monkeypatch.setenv("SIMTRIAL_CHROMIUM", str(program))

    return put


@pytest.mark.browser
@pytest.mark.skipif(not shutil.which("chromium") and not os.environ.get("CI"), reason="no chromium on this machine")
def test_with_pdf_each_report_and_its_documents_are_printed_and_part_of_the_manifest(tmp_path, write_file, start):
    out = tmp_path / "out with spaces é"
    process = start([write_file(tmp_path, name, name.upper()) for name in ("one", "two")], out, "--jobs", "2", "--pdf")
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    for study in ("ONE", "TWO"):
        files = json.loads((out / study / "manifest.json").read_text(encoding="utf-8"))["files"]
        for name in ("report.pdf", "protocol.pdf"):
            made = (out / study / name).read_bytes()
            assert files[name] == hashlib.sha256(made).hexdigest()
            pages = printed.pages(made)
            assert all(page.startswith(study) for page in pages)
            assert f"Page{len(pages)}of{len(pages)}" in pages[-1]
            assert b"(D:20250615150640+00'00')" in made  # SOURCE_DATE_EPOCH of `start`
        assert not list((out / study).glob(".*"))


def test_a_browser_that_fails_leaves_the_page_in_the_folder_of_failures(tmp_path, write_file, start, fake_browser):
    fake_browser("exit 3")
    out = tmp_path / "build"
    process = start([write_file(tmp_path, "one", "ONE")], out, "--pdf")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.splitlines()[-1] == (
        f"simtrial: {tmp_path / 'browser'} printed no page (exit code 3); name another browser in the environment "
        f"variable SIMTRIAL_CHROMIUM, or leave out --pdf; the report without its PDF is in {out / 'ONE.failed'}"
    )
    assert [p.name for p in out.iterdir()] == ["ONE.failed"]
    assert (out / "ONE.failed" / "report.html").exists()


@pytest.mark.parametrize("files", [1, 2])
def test_when_it_is_stopped_while_printing_the_browser_ends_too(files, tmp_path, write_file, start, fake_browser):
    fake_browser(f"echo $$ > {tmp_path}/new-$$; mv {tmp_path}/new-$$ {tmp_path}/prints-$$; sleep 600")
    out = tmp_path / "build"
    names = ("one", "two")[:files]
    process = start([write_file(tmp_path, name, name.upper()) for name in names], out, "--jobs", "2", "--pdf")
    with reaped(process):
        within(60, lambda: len(list(tmp_path.glob("prints-*"))) == files)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert said.splitlines()[-1] == "simtrial: interrupted; no file is left incomplete"
    assert list(out.iterdir()) == []
    assert all(gone(int(note.read_text())) for note in tmp_path.glob("prints-*"))


def test_what_is_said_of_the_reports_is_in_their_manifests(run):
    for row, name in ((0, "GOOD"), (4, "MISSES")):
        manifest = json.loads((run[3] / name / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["parameter_file"] == run[4][row].name
        assert manifest["study"] == name


def test_a_fault_of_ours_fails_its_file_alone_and_its_traceback_is_in_a_log(tmp_path, write_file, monkeypatch):
    task = report_many._read(write_file(tmp_path, "one", "ONE"), tmp_path)

    def fault(*_, **__):
        raise ZeroDivisionError("by design\nand more")

    monkeypatch.setattr(report_run, "of_trial", fault)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    entry = worker._written(task)
    assert entry.code == index.FAILED
    assert "(ZeroDivisionError: by design and more); please report it; the details are in" in entry.error
    (log,) = (tmp_path / "cache/simtrial/log").iterdir()
    assert "in fault" in log.read_text(encoding="utf-8")
