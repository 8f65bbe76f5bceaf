"""README is tested: its commands print what it shows, its code runs, its files exist."""

import re
import shlex

import duckdb
import pytest

from simtrial import routes
from simtrial.cli import main


@pytest.fixture
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def squeezed(line):
    return " ".join(line.split())


def test_every_command_shown_prints_what_is_shown(readme, capsys):
    examples = re.findall(r"^    \$ \.venv/bin/simtrial (.+)\n\n((?:    .*\n|\n)+)", readme, flags=re.MULTILINE)
    assert len(examples) == 5
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
