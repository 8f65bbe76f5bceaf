"""The pages on methods: what they name exists, what they cite is listed, and docstrings stand in them unchanged."""

import importlib
import re
import sys

import pytest

NAME = re.compile(r"`(simtrial(?:\.\w+)+)`")
FILE = re.compile(r"`(tests/[\w/.]+)`")
INCLUDED = re.compile(r"^```\{docstring\} ([\w.]+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def pages(request):
    folder = request.config.rootpath / "docs" / "methods"
    found = {page.stem: page.read_text(encoding="utf-8") for page in folder.glob("*.md")}
    assert len(found) == 24
    return found


@pytest.fixture
def docstrings(root, monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(root / "docs" / "extensions")
    yield importlib.import_module("docstrings")
    del sys.modules["docstrings"]


def resolved(name):
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found
    return None


def test_every_module_and_function_named_exists(pages):
    named = {name for text in pages.values() for name in [*NAME.findall(text), *INCLUDED.findall(text)]}
    assert len(named) > 60
    assert sorted(name for name in named if resolved(name) is None) == []


def test_every_file_named_exists(pages, root):
    named = {name for text in pages.values() for name in FILE.findall(text)}
    assert len(named) > 10
    assert sorted(name for name in named if not (root / name).exists()) == []


def test_every_work_cited_is_among_the_references_and_every_reference_is_cited(pages):
    listed = set(re.findall(r"^\((\w+)\)=$", pages["references"], flags=re.MULTILINE))
    cited = {key for text in pages.values() for key in re.findall(r"\]\(#(\w+)\)", text)}
    assert cited - listed == set()
    assert listed - cited == set()


def test_the_index_orders_every_page(pages):
    ordered = re.findall(r"^(\w+)$", pages["index"], flags=re.MULTILINE)
    assert sorted(ordered) == sorted(set(pages) - {"index"})


def test_every_page_on_a_method_has_an_example_that_is_run(pages):
    methods = set(pages) - {"index", "references"}
    assert {name for name in methods if "```{python}" not in pages[name] and "```{run}" not in pages[name]} == set()
    assert {name for name in methods - {"other_programs"} if not INCLUDED.search(pages[name])} == set()


def test_a_docstring_keeps_its_words_and_gets_the_marks_of_a_page(docstrings):
    head = "Head.\n\nTitle\n-----\nSee `simtrial.files` [1]_.\n\n    x = 1,  y\n\n"
    text = f"{head}| a |\n|---|\n\n.. [1] One A. Two.\n   Three."
    shown = docstrings.restructured(text)
    assert "**Title**\n\nSee ``simtrial.files`` [1]." in shown.replace("\n\n\n", "\n\n")
    assert ".. code-block:: text\n\n    x = 1,  y" in shown
    assert ".. code-block:: text\n\n   | a |\n   |---|" in shown
    assert "[1] One A. Two. Three." in shown


def test_a_page_that_names_no_module_is_an_error(docstrings):
    with pytest.raises(docstrings.DocstringError, match=r"no module simtrial\.nowhere"):
        docstrings.origin("simtrial.nowhere")
