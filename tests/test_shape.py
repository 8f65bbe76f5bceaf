"""The shape of the package: small modules, short functions, few values by position, one class to a name."""

import ast
import json
import re
from collections import Counter

import pytest

MOST_LINES = 350
MOST_LINES_OF_A_FUNCTION = 60
MOST_BY_POSITION = 4
WINGS_THAT_SHOW = ("cli", "validation", "report", "explorer", "lessons", "documents")
SHOWING = ("tables", "figures", "text", "words")
MAY_SAY_ANY = {
    "cli": "click's commands and errors; keywords of a command handed on",
    "report": "notebooks and manifests as JSON",
    "lessons.live": "values of ipywidgets",
    "explorer.layout": "values of ipywidgets",
    "explorer.number_controls": "values of ipywidgets",
    "explorer.page": "values of ipywidgets",
    "explorer.kernels": "kernel managers of jupyter",
    "explorer.server": "the application of voila",
    "explorer.site": "handlers and settings of voila and tornado",
    "validation": "rows of pandas; keywords of a plan",
    "show.picture": "settings of matplotlib",
    "show.grid": "what python-docx gives, which ships no types",
    "show.runs": "what python-docx gives, which ships no types",
    "show.table": "cells of pandas",
    "show.word": "what python-docx gives, which ships no types",
    "analysis.figures": "keywords of matplotlib",
    "patients.figures": "keywords of matplotlib",
    "trial.trial": "pydantic's dump of a section",
    "search.record": "criteria and families of whatever is found, side by side in a register",
}
"""Modules, or whole wings, at the borders of what has no types, and what comes in there."""


@pytest.fixture(scope="module")
def modules(root):
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((root / "simtrial").rglob("*.py"))}


def of_type(modules, kinds):
    return [(path, node) for path, tree in modules.items() for node in ast.walk(tree) if isinstance(node, kinds)]


def test_a_long_module_says_why(modules):
    long = {path for path in modules if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES}
    assert not {path.name for path in long if "One module, " not in (ast.get_docstring(modules[path]) or "")}


def test_a_function_fits_on_a_screen(modules):
    functions = of_type(modules, (ast.FunctionDef, ast.AsyncFunctionDef))
    long = [
        f"{path.parent.name}.{path.stem}.{node.name}: {lines}"
        for path, node in functions
        if (lines := node.end_lineno - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]
    assert not long


def by_position(node):
    """Values that the constructor of a dataclass or named tuple takes by position."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    made = any("dataclass" in decorator for decorator in decorators) or "NamedTuple" in map(ast.unparse, node.bases)
    if not made or any("kw_only=True" in decorator for decorator in decorators):
        return 0
    fields = [ast.unparse(part.annotation) for part in node.body if isinstance(part, ast.AnnAssign)]
    fields = [field for field in fields if "ClassVar" not in field]
    return fields.index("KW_ONLY") if "KW_ONLY" in fields else len(fields)


def test_no_constructor_takes_more_than_four_values_by_position(modules):
    classes = of_type(modules, ast.ClassDef)
    assert not {node.name: count for _, node in classes if (count := by_position(node)) > MOST_BY_POSITION}
    written = [
        (node.name, len(part.args.args) - 1)
        for _, node in classes
        for part in node.body
        if isinstance(part, ast.FunctionDef) and part.name == "__init__"
    ]
    assert not [(name, count) for name, count in written if count > MOST_BY_POSITION]


def test_the_count_of_values_sees_what_is_too_much():
    fields = "".join(f"    {name}: int\n" for name in "abcde")
    (flat,) = ast.parse(f"@dataclass(frozen=True)\nclass Flat:\n{fields}").body
    (named,) = ast.parse(f"@dataclass(kw_only=True)\nclass Named:\n{fields}").body
    assert (by_position(flat), by_position(named)) == (5, 0)


def aliases(tree):
    """Names in capitals and small letters that a module assigns: aliases of types, and variables of types."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and re.fullmatch(r"[A-Z]\w*[a-z]\w*", target.id):
                yield target.id


def test_aliases_are_seen():
    told = "A1 = 3\nSIZE = 4\nKind = Literal['a']\nPair: TypeAlias = tuple\nlow = T\nThing = TypeVar('Thing')\n"
    assert list(aliases(ast.parse(told))) == ["Kind", "Pair", "Thing"]


def test_no_class_name_stands_twice(modules):
    names = Counter(node.name for _, node in of_type(modules, ast.ClassDef))
    names.update(name for tree in modules.values() for name in aliases(tree))
    assert not {name for name, count in names.items() if count > 1}


def test_only_what_shows_imports_the_materials(modules, root):
    stray = set()
    for path, node in of_type(modules, ast.ImportFrom):
        wing = path.relative_to(root / "simtrial").parts[0]
        shows = wing in ("show", *WINGS_THAT_SHOW) or path.stem in SHOWING
        if not shows and (node.module or "").startswith("simtrial.show"):
            stray.add(f"{wing}.{path.stem}")
    assert not stray


def test_any_stands_at_the_borders_only(modules, root):
    said = {
        ".".join(path.relative_to(root / "simtrial").with_suffix("").parts)
        for path, node in of_type(modules, (ast.alias, ast.Attribute))
        if "Any" in (getattr(node, "name", ""), getattr(node, "attr", ""))
    }
    covered = {module: {border for border in MAY_SAY_ANY if f"{module}.".startswith(f"{border}.")} for module in said}
    assert not [module for module, borders in covered.items() if not borders]
    assert set().union(*covered.values()) == set(MAY_SAY_ANY)  # a border that is no longer needed is struck off


def strangers(source, wings):
    """Modules of ours that an import calls neither by their own name nor by that of their wing and theirs."""
    return [
        f"{node.module}.{part.name} as {part.asname}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").removeprefix("simtrial.") in wings
        for part in node.names
        if part.asname and part.name in wings[wing := node.module.removeprefix("simtrial.")]
        if part.asname not in (f"{wing}_{part.name}", f"{wing.removesuffix('s')}_{part.name}")
    ]


def test_a_module_is_imported_under_its_own_name_or_that_of_its_wing_and_its_own(modules, root):
    wings = {path.parent.name: set() for path in modules}
    for path in modules:
        wings[path.parent.name].add(path.stem)
    told = "from simtrial.report import {0} as {1}"
    assert strangers(told.format("run", "runner"), wings) == ["simtrial.report.run as runner"]
    assert not strangers(told.format("run", "report_run"), wings)
    files = [path for folder in ("simtrial", "tests", "benchmarks") for path in sorted((root / folder).rglob("*.py"))]
    sources = [path.read_text(encoding="utf-8") for path in files]
    for path in sorted((root / "notebooks").glob("*.ipynb")):  # a lesson is `lesson` in the notebook that teaches it
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert not [found for source in sources for found in strangers(source, wings)]
