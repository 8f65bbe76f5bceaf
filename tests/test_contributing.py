"""CONTRIBUTING and the index of formulas are tested: the map is that of the folders, and what they name is there."""

import ast
import importlib
import re
import tomllib
from functools import cache
from importlib.util import find_spec

import pytest

FUNCTION = re.compile(r"`(simtrial(?:\.\w+)+)`")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.fixture(scope="module")
def text(root):
    return (root / "CONTRIBUTING.md").read_text(encoding="utf-8")


def section(text, heading):
    """What stands under a heading of the second level."""
    (found,) = re.findall(rf"^## {heading}.*?\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return found


def rows(text):
    """The rows of all tables, as cells, without headings."""
    tables = re.findall(r"^\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n?)+)", text, flags=re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for table in tables for row in table.splitlines()]


@pytest.fixture(scope="module")
def index(root):
    return rows((root / "tests/INDEX.md").read_text(encoding="utf-8"))


@cache
def defined(path):
    """Names of the functions and classes of a file, whatever they stand in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def home(root, folder, name):
    """Where a name stands now, which is what a failing line should say instead."""
    files = [path for path in sorted((root / folder).rglob("*.py")) if name in defined(path)]
    return ", ".join(path.relative_to(root).as_posix() for path in files) or "nowhere"


def is_there(name):
    """Whether a dotted name can be reached: a module, what stands in it, and attributes of that."""
    module, *parts = name.split(".")
    while parts and find_spec(module).submodule_search_locations is not None and find_spec(f"{module}.{parts[0]}"):
        module = f"{module}.{parts.pop(0)}"
    place = importlib.import_module(module)
    for part in parts:
        if not hasattr(place, part):
            return False
        place = getattr(place, part)
    return bool(parts)


def test_every_row_of_the_index_has_a_formula_a_source_a_function_and_a_test(index):
    assert len(index) > 80
    for formula, source, functions, tests in index:
        assert formula
        assert source, formula
        assert ", ".join(f"`{name}`" for name in FUNCTION.findall(functions)) == functions, formula
        assert ", ".join(f"`{path}::{name}`" for path, name in TEST.findall(tests)) == tests, formula
        assert functions, formula
        assert tests, formula


def test_every_function_of_the_index_is_there(root, index):
    named = {name for row in index for name in FUNCTION.findall(row[2])}
    missing = [f"{name} is in {home(root, 'simtrial', name.split('.')[-1])}" for name in named if not is_there(name)]
    assert not missing, "\n".join(sorted(missing))


def test_every_test_of_the_index_is_there(root, index):
    named = {found for row in index for found in TEST.findall(row[3])}
    missing = [
        f"{path}::{name} is in {home(root, 'tests', name)}"
        for path, name in named
        if not (root / path).is_file() or name not in defined(root / path)
    ]
    assert not missing, "\n".join(sorted(missing))


def test_what_is_nowhere_is_noticed():
    assert is_there("simtrial.errors.InputError")
    assert not is_there("simtrial.errors.NoSuchError")
    assert not is_there("simtrial.no_such_wing.module.function")
    assert not is_there("simtrial.errors")  # a module is no function


def test_the_map_shows_every_wing_in_the_layers_that_import_linter_holds(root, text):
    shown = [(int(layer), wing.strip("`")) for layer, wing, _ in rows(section(text, "The map of wings"))]
    folders = {path.parent.name for path in (root / "simtrial").glob("*/__init__.py")}
    assert sorted(wing for _, wing in shown) == sorted(folders)
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [
        contract["layers"]
        for contract in pyproject["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers" and contract.get("containers") == ["simtrial"]
    ]
    held = [{name.strip(" ()") for name in layer.split("|")} & folders for layer in layers]
    drawn = [{wing for layer, wing in shown if layer == number} for number in sorted({layer for layer, _ in shown})]
    assert drawn == [layer for layer in held if layer]


@pytest.fixture(scope="module")
def reasons(root):
    return (root / "docs/reference/reasons.md").read_text(encoding="utf-8")


def test_every_file_that_is_named_is_there(root, text, reasons):
    text = f"{text}\n{reasons}"
    named = set(re.findall(r"`((?:simtrial|tests|notebooks|benchmarks|params|\.ci)/[\w./]*)`", text))
    named |= set(re.findall(r"python (benchmarks/\w+\.py)", text))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (root / name).exists()] == []


def test_a_newcomer_reads_it_in_a_quarter_of_an_hour(text):
    assert len(text.split()) < 4500  # at 300 words per minute


def test_every_target_of_make_that_is_named_is_there(root, text):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
