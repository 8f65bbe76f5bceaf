"""README is tested: its commands print what it shows, its code runs, its links lead somewhere.

What README once told of files of patients stands on pages of `docs`, and is asked of them here.
"""

import re
import shlex

import pytest

from simtrial.cli.app import main
from simtrial.patients import data as patient_data
from simtrial.patients import files as patient_files


@pytest.fixture
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def page(root):
    """The text of a page of the documentation, in one line."""
    return lambda name: " ".join((root / f"docs/{name}.md").read_text(encoding="utf-8").split())


def squeezed(line):
    return " ".join(line.split())


@pytest.mark.long
def test_every_command_shown_prints_what_is_shown(readme, capsys):
    examples = re.findall(r"^    \$ simtrial (.+)\n\n((?:    .*\n|\n)+)", readme, flags=re.MULTILINE)
    assert [command.split()[0] for command, _ in examples] == ["design", "check", "oc", "analyze"]
    for command, shown in examples:
        assert main(shlex.split(command)) == 0
        printed = [squeezed(line) for line in capsys.readouterr().out.splitlines()]
        for line in filter(None, map(squeezed, shown.splitlines())):
            assert line.strip("─ ") in " ".join(printed) if set(line) <= {"─", " "} else line in printed


def test_the_lesson_runs_and_says_what_its_comments_say(readme):
    (lesson,) = [text for text in re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL) if "saw_tooth" in text]
    *statements, one_stage = lesson.strip().splitlines()
    names = {}
    exec("\n".join(statements), names)
    teeth = names["search"].saw_tooth(names["asked"], names["np"].arange(25, 30)).power
    assert (teeth[1:] < teeth[:-1]).any()
    en = names["exact"].operating_characteristics(names["two"], p=[0.1, 0.3]).en
    assert en.round().tolist() == [15, 26]
    assert eval(one_stage, names).tolist() == pytest.approx([25, 25])


def test_every_file_it_names_exists(readme, root):
    named = re.findall(r"(?:params|notebooks|simtrial)/[\w./]+\.(?:yaml|ipynb|py)|\.github/\w+\.png|\w+\.md", readme)
    assert len(named) > 5
    pages = {path.name for path in (root / "docs").rglob("*.md")}
    for name in set(named) - pages:
        assert (root / name).exists(), name


def anchors(text):
    """The headings of a page as a forge names them."""
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.M)
    }


def test_every_link_of_it_leads_to_a_file_or_a_heading(readme, root):
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", readme)
    assert len(links) > 30
    assert not [link for link in links if link.startswith("#") and link[1:] not in anchors(readme)]
    assert not [link for link in links if not link.startswith("#") and not (root / link).is_file()]


def test_each_reader_has_a_screen_of_it_that_begins_with_a_command_and_leads_to_a_tutorial(readme):
    screens = re.findall(r"^## (For the [^\n]+)\n(.*?)(?=^## |\Z)", readme, flags=re.M | re.S)
    assert len(screens) == 5
    for heading, screen in screens:
        assert re.match(r"\s+    \$ simtrial |\s+```python\n", screen), heading
        assert re.search(r"^\* Begin with \[[^]]+\]\(docs/tutorials/\w+\.md\)", screen, flags=re.M), heading
        assert len(screen.splitlines()) <= 36, heading  # those of a laptop's window, the command's output included


def test_it_is_short(readme):
    assert len(readme.split()) < 1400


def test_the_limits_told_of_files_of_patients_are_those_that_hold(page):
    told = page("howto/patient_files").lower()
    assert f"up to {patient_data.MAX_PATIENTS:,} patients" in told
    assert f"files of up to {patient_files.MAX_BYTES // 2**20} mib and {patient_files.MAX_ROWS:,} rows" in told


def test_every_way_to_write_patients_that_the_pages_name_is_read(page, tmp_path):
    """One patient in each of the ways of the list, and all of them are the same two patients."""
    told = (page("howto/patient_files") + page("howto/adam_csv")).lower()
    seen = []
    for line, (text, how) in {
        "commas": ("ID,BOR,PFS,PFSEVENT\na,PR,1.5,1\nb,SD,2.5,0\n", {}),
        "semicolons": ("ID;BOR;PFS;PFSEVENT\na;PR;1,5;1\nb;SD;2,5;0\n", {}),
        "tabs": ("Subject\tBest response\tPFS (months)\tPFS status\na\tPR\t1.5\t1\nb\tSD\t2.5\t0\n", {}),
        "R's spaces": ('"ID" "BOR" "PFS" "PFSEVENT"\n"1" "a" "PR" 1.5 1\n"2" "b" "SD" 2.5 0\n', {}),
        "yes and no": ("patient_id,ORR,PFS,PFSEVENT\na,yes,1.5,TRUE\nb,no,2.5,FALSE\n", {}),
        "15JAN20": ("ID,BOR,PFS,PFSEVENT,TRTSDT\nb,SD,2.5,0,16JAN2020\na,PR,1.5,1,15JAN2020\n", {}),
        "--param CBOR": ("USUBJID,PARAMCD,AVALC,AVAL,CNSR\n" + "".join(
            f"{who},BOR,SD,3,\n{who},CBOR,{best},,\n{who},PFS,,{pfs},{censored}\n"
            for who, best, pfs, censored in (("a", "PR", 1.5, 0), ("b", "SD", 2.5, 1))), {"param": "CBOR"}),
    }.items():  # fmt: skip
        assert line.lower() in told
        path = tmp_path / "f.csv"
        path.write_text(text, encoding="utf-8")
        data = patient_data.read(path, **how)
        seen.append((data.ids, data.responder.tolist(), data.pfs.months.tolist(), data.pfs.event.tolist()))
    assert set(map(str, seen)) == {str((("a", "b"), [True, False], [1.5, 2.5], [True, False]))}


def test_every_option_it_names_is_one_of_a_command(readme, root, capsys):
    """README's options, and those of the pages for readers and of the tutorials."""
    pages = [path for part in ("readers", "tutorials") for path in sorted((root / "docs" / part).glob("*.md"))]
    text = "\n".join([readme, *(path.read_text(encoding="utf-8") for path in pages)])
    assert main(["--help"]) == 0
    commands = re.findall(r"^\s+([a-z-]+)\s{2,}", capsys.readouterr().out, flags=re.MULTILINE)
    known = set()
    for command in commands:
        assert main([command, "--help"]) == 0
        known |= set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    ours = {
        option
        for line in re.findall(r"`([^`\n]*)`|^ *(?:\$ )?\S*simtrial (.*(?:\\\n.*)?)$", text, flags=re.MULTILINE)
        for option in re.findall(r"--[a-z0-9-]+", " ".join(line))
        if "pip" not in " ".join(line)
    }
    assert len(ours) > 10
    assert ours <= known
