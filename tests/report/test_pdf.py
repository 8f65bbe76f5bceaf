"""PDF: the browser that is taken, what is printed, and what stays behind when it fails."""

import os
import re
import shutil
import signal
import stat
import subprocess
import threading
import time
from datetime import UTC, datetime

import pandas as pd
import printed
import pytest

from simtrial import InputError
from simtrial.cli.app import main
from simtrial.report import chromium, pdf
from simtrial.report.page import document_html
from simtrial.show.document import Chapter, Document
from simtrial.show.table import WORDS, Table

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOSTILE = 'A "title" \\ </style><script>alert(1)</script> é €'
RUNNING = pdf.Running("STUDY-1", HOSTILE, "simtrial 0.1.0, parameter file SHA-256 0123456789abcdef")
needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))) and not os.environ.get("CI"),
    reason="no chromium on this machine: apt install chromium",
)


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Makes a program that stands for a browser: it states a version and does as the test wants."""

    def made(version="Chromium 140.0.1.2", does="exit 0", name="fake"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; exit 0; fi\n{does}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    monkeypatch.setenv(chromium.VARIABLE, str(tmp_path / "fake"))
    return made


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine without a browser."""
    folder = tmp_path / "empty search path"
    folder.mkdir()
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(chromium, "APPLICATIONS", ())
    return folder


def test_the_browser_is_the_one_that_the_variable_names(fake):
    program = fake("Google Chrome for Testing 131.0.6778.204 ")
    assert chromium.found() == chromium.Browser(program, 131)


@pytest.mark.usefixtures("bare")
def test_the_first_browser_that_is_new_enough_is_taken(fake, monkeypatch):
    fake("Chromium 120.0.0.0 snap", name="empty search path/chromium")
    fake("This package needs the snap", name="empty search path/chromium-browser")
    new = fake("Google Chrome 141.0.7390.54", name="empty search path/google-chrome")
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    assert chromium.found() == chromium.Browser(new, 141)


@pytest.mark.usefixtures("bare")
def test_on_windows_the_version_is_that_of_the_folder_of_its_files(tmp_path, monkeypatch):
    place = tmp_path / "Program Files" / "Google" / "Chrome" / "Application"
    for version in ("131.0.6778.86", "9.0.0.0", "Dictionaries"):
        (place / version).mkdir(parents=True)
    (place / "chrome.exe").touch()
    monkeypatch.setenv("ProgramFiles", str(tmp_path / "Program Files"))
    assert chromium.found() == chromium.Browser(place / "chrome.exe", 131)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("files", [1, 2])
def test_without_a_browser_one_line_says_so_before_anything_is_run(files, tmp_path, root, capsys):
    names = ["smoke", "example"][:files]
    out = tmp_path / "build"
    assert main(["report", *(str(root / f"params/{name}.yaml") for name in names), "--out", str(out), "--pdf"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "simtrial: pdf needs Chromium or Chrome 131 or later, and none was found; install one (Debian: apt install "
        "chromium; macOS, Windows: Google Chrome), or name it in the environment variable SIMTRIAL_CHROMIUM"
    ]
    assert not out.exists()


@pytest.mark.parametrize(
    ("version", "fault"),
    [
        ("Chromium 130.0.6723.116", "is version 130, which prints neither header nor footer (they need 131)"),
        ("GNU bash, version 5.2", "does not state a version of Chromium"),
    ],
)
def test_a_browser_without_header_and_footer_is_refused(version, fault, fake):
    program = fake(version)
    with pytest.raises(InputError, match=re.escape(f"{chromium.VARIABLE} ({program}) {fault}; install one")):
        chromium.found()


@pytest.mark.usefixtures("bare")
def test_a_browser_that_is_too_old_is_named_where_no_other_is(fake, monkeypatch):
    old = fake("Chromium 120.0.0.0", name="empty search path/chromium")
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    with pytest.raises(InputError, match=re.escape(f"none was found: {old} is version 120")):
        chromium.found()


def test_a_variable_that_names_no_program_is_refused(monkeypatch):
    monkeypatch.setenv(chromium.VARIABLE, "/no such/chromium")
    with pytest.raises(InputError, match=re.escape(f"{chromium.VARIABLE} (/no such/chromium) is not a program")):
        chromium.found()


@pytest.mark.parametrize(
    ("does", "fault"),
    [
        ("echo '[1:ERROR:x.cc(3)] No sandbox!' >&2; exit 1", "printed no page (exit code 1: No sandbox!)"),
        ("exit 0", "printed no page (exit code 0)"),
        ("printf '%%PDF-1.4' > printed.pdf", "printed no page (exit code 0)"),
        ("printf '%%PDF-1.4 /Title (_.html) %%%%EOF' > printed.pdf", "could not open the page"),
        ("sleep 100 & sleep 100", "took longer than 0 s"),
    ],
)  # fmt: skip
def test_what_does_not_print_is_named_and_leaves_nothing(does, fault, fake, tmp_path, monkeypatch):
    monkeypatch.setattr(chromium, "PATIENCE", 0.3 if "sleep" in does else 60)
    browser = chromium.Browser(fake(does=does), 140)
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(chromium.PrintError) as caught:
        pdf.printed("<head><title>x</title></head>", RUNNING, browser, work, MOMENT)
    assert str(caught.value).startswith(f"{browser.path} {fault}")
    assert str(caught.value).endswith(
        "name another browser in the environment variable SIMTRIAL_CHROMIUM, or leave out --pdf"
    )
    assert list(work.iterdir()) == []


def test_an_interrupt_ends_the_browser_with_all_its_processes(fake, tmp_path):
    noted = tmp_path / "pids"
    browser = chromium.Browser(fake(does=f"sleep 100 & echo $! $$ > {noted}.new; mv {noted}.new {noted}; wait"), 140)
    work = tmp_path / "work"
    work.mkdir()

    def interrupt():
        while not noted.exists():
            time.sleep(0.01)
        # to the thread that waits, whose system call it is to end
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may ignore it
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            pdf.printed("<head><title>x</title></head>", RUNNING, browser, work, MOMENT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert list(work.iterdir()) == []
    for pid in noted.read_text().split():
        # a process that is dead but not yet reaped by the system has no command line
        state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False).stdout
        assert state.strip() in ("", "Z", "Zs") or state.startswith("Z"), state


def test_text_of_a_file_ends_neither_the_style_nor_the_title():
    page = pdf.for_paper("<head><title>x</title></head><body></body>", RUNNING)
    assert page.count("</style>") == page.count("</title>") == page.count("</head>") == 1
    assert "<script" not in page
    assert "<title>STUDY-1: A &quot;title&quot;" in page


def test_what_stands_on_each_page_keeps_its_spaces_and_letters():
    page = pdf.for_paper("<head><title>x</title></head>", pdf.Running("A-1", "x", 'a, b é "c"'))
    # CSS: a backslash, hexadecimal digits, and one space that ends them
    read = re.sub(r"\\([0-9a-f]{1,6}) ", lambda match: chr(int(match[1], 16)), page)
    assert 'content: "A-1"' in read
    assert 'content: "a, b é "c""' in read


def test_on_paper_folds_are_open_and_the_rest_of_a_table_is_said_to_be_in_its_file():
    page = pdf.for_paper(
        '<details class="rest"><summary>Details</summary></details><details class="code"></details>'
        '<span class="more">23 more rows</span><span class="more">9 more rows; the CSV file has all 99</span>',
        RUNNING,
    )
    assert '<details class="rest" open>' in page
    assert '<details class="code">' in page
    assert "23 more rows in the CSV file<" in page
    assert "9 more rows; the CSV file has all 99<" in page


@pytest.fixture(scope="module")
def paper():
    """A document of several pages with tables of 12 and 60 rows."""

    def table(rows):
        frame = pd.DataFrame({"row": [f"row{k}of{rows}" for k in range(rows)], "words": ["some words"] * rows})
        return Table(f"t{rows}", f"Table of {rows}.", frame, {"row": ("Row", WORDS), "words": ("Heading two", WORDS)})

    filler = tuple(f"Paragraph {k} of some length. " * 12 for k in range(9))
    chapter = Chapter(title="First", number="1", blocks=(*filler, table(12), "After.", table(60)))
    return Document(name="paper", title=HOSTILE, study="STUDY-1", chapters=(chapter,), origin=RUNNING.origin)


@pytest.fixture(scope="module")
def made(paper, tmp_path_factory):
    """The document as printed, in a folder with spaces and letters beyond ASCII."""
    work = tmp_path_factory.mktemp("ein Ordner für Käse 中")
    result = pdf.printed(document_html(paper), RUNNING, chromium.found(), work, MOMENT)
    assert list(work.iterdir()) == []
    return result


@needs_browser
@pytest.mark.browser
def test_each_page_names_study_parameter_file_and_its_number(made):
    pages = printed.pages(made)
    assert len(pages) >= 3
    for k, page in enumerate(pages, start=1):
        assert page.startswith("STUDY-1")
        assert 'A"title"\\</style><script>alert(1)</script>é€' in page
        assert "simtrial0.1.0,parameterfileSHA-2560123456789abcdef" in page
        assert f"Page{k}of{len(pages)}" in page


@needs_browser
@pytest.mark.browser
def test_a_short_table_stands_on_one_page_and_the_headings_of_a_long_one_on_each(made):
    pages = printed.pages(made)
    short = [page for page in pages if re.search(r"row\d+of12", page)]
    assert len(short) == 1
    assert "Tableof12." in short[0]
    long = [page for page in pages if re.search(r"row\d+of60", page)]
    assert len(long) >= 2
    assert all("Headingtwo" in page for page in long)


@needs_browser
@pytest.mark.browser
def test_the_file_states_the_date_it_is_given_its_title_and_its_headings(made):
    assert made.count(b"(D:20260102030405+00'00')") == 2
    assert b"/Title <FEFF" + "STUDY-1: A".encode("utf-16-be").hex().upper().encode() in made
    assert b"/Outlines" in made


@needs_browser
@pytest.mark.browser
def test_the_same_page_gives_the_same_bytes(made, paper, tmp_path):
    again = pdf.printed(document_html(paper), RUNNING, chromium.found(), tmp_path, MOMENT)
    assert again == made
