"""README is tested: its commands print what it shows, its code runs, its files exist."""

import re
import shlex

import duckdb
import pytest

from simtrial.cli.app import main
from simtrial.patients import data as patient_data
from simtrial.patients import files as patient_files
from simtrial.review import routes


@pytest.fixture
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def squeezed(line):
    return " ".join(line.split())


@pytest.mark.long
def test_every_command_shown_prints_what_is_shown(readme, capsys):
    examples = re.findall(r"^    \$ \.venv/bin/simtrial (.+)\n\n((?:    .*\n|\n)+)", readme, flags=re.MULTILINE)
    assert len(examples) == 8
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


@pytest.mark.long
def test_the_sweep_is_read_as_shown(readme, monkeypatch, root, tmp_path):
    (shown,) = [text for text in re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL) if "parquet" in text]
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"^    \.venv/bin/simtrial (sweep params\S+ --out \S+)$", readme, flags=re.MULTILINE)
    assert main([word.replace("params/", f"{root}/params/") for word in shlex.split(command)]) == 0
    *statements, last = shown.strip().splitlines()
    names = {}
    exec("\n".join(statements), names)
    found = eval(last, names)
    assert len(found) > 0
    assert (found.value < 0.8).all()
    (query,) = re.findall(r"`(select \* from .*?)`", readme)
    assert len(duckdb.sql(query).fetchall()) == len(names["table"])


def test_the_number_of_routes_it_tells_is_the_one_computed(readme):
    assert f"the {len(routes.routes(25)):,} standard calculations" in readme


def test_every_file_it_names_exists(readme, root):
    named = re.findall(r"(?:params|notebooks|simtrial)/[\w./]+\.(?:yaml|ipynb|py)|\.github/\w+\.png|\w+\.md", readme)
    assert len(named) > 5
    for name in set(named) - {"params/yours.yaml", "params/x.yaml", "params/explorer.yaml", "memo.md"}:
        assert (root / name).exists(), name


def test_the_limits_it_tells_of_files_of_patients_are_those_that_hold(readme):
    assert f"up to {patient_data.MAX_PATIENTS:,} patients" in readme
    assert f"files of up to {patient_files.MAX_BYTES // 2**20} MiB and {patient_files.MAX_ROWS:,} rows" in " ".join(
        readme.split()
    )


def test_every_way_to_write_patients_that_it_names_is_read(readme, tmp_path):
    """One patient in each of the ways of the list, and all of them are the same two patients."""
    seen = []
    for line, (text, how) in {
        "commas": ("ID,BOR,PFS,PFSEVENT\na,PR,1.5,1\nb,SD,2.5,0\n", {}),
        "semicolons": ("ID;BOR;PFS;PFSEVENT\na;PR;1,5;1\nb;SD;2,5;0\n", {}),
        "tabs": ("Subject\tBest response\tPFS (months)\tPFS status\na\tPR\t1.5\t1\nb\tSD\t2.5\t0\n", {}),
        "R's spaces": ('"ID" "BOR" "PFS" "PFSEVENT"\n"1" "a" "PR" 1.5 1\n"2" "b" "SD" 2.5 0\n', {}),
        "yes and no": ("patient_id,ORR,PFS,PFSEVENT\na,yes,1.5,TRUE\nb,no,2.5,FALSE\n", {}),
        "15JAN2020": ("ID,BOR,PFS,PFSEVENT,TRTSDT\nb,SD,2.5,0,16JAN2020\na,PR,1.5,1,15JAN2020\n", {}),
        "--param CBOR": ("USUBJID,PARAMCD,AVALC,AVAL,CNSR\n" + "".join(
            f"{who},BOR,SD,3,\n{who},CBOR,{best},,\n{who},PFS,,{pfs},{censored}\n"
            for who, best, pfs, censored in (("a", "PR", 1.5, 0), ("b", "SD", 2.5, 1))), {"param": "CBOR"}),
    }.items():  # fmt: skip
        assert line in readme
        path = tmp_path / "f.csv"
        path.write_text(text, encoding="utf-8")
        data = patient_data.read(path, **how)
        seen.append((data.ids, data.responder.tolist(), data.pfs.months.tolist(), data.pfs.event.tolist()))
    assert set(map(str, seen)) == {str((("a", "b"), [True, False], [1.5, 2.5], [True, False]))}


def test_every_option_it_names_is_one_of_a_command(readme, capsys):
    assert main(["--help"]) == 0
    commands = re.findall(r"^\s+([a-z-]+)\s{2,}", capsys.readouterr().out, flags=re.MULTILINE)
    known = set()
    for command in commands:
        assert main([command, "--help"]) == 0
        known |= set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    ours = {
        option
        for line in re.findall(r"`([^`]*)`|^    .*simtrial (.*)$", readme, flags=re.MULTILINE)
        for option in re.findall(r"--[a-z0-9-]+", " ".join(line))
        if "pip" not in " ".join(line) and "dask" not in " ".join(line)
    }
    assert ours
    assert ours <= known
