"""Pages for readers and tutorials are tested: they run what they show, and their numbers are those that are printed.

The numbers of the pages themselves are looked at whenever the site is built; here it is seen that a wrong one is found.
"""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = [
    f"{part}/{path.stem}"
    for part in ("readers", "tutorials")
    for path in sorted((DOCS / part).glob("*.md"))
    if path.stem != "index"
]
PAGE = "```{run}\nsimtrial oc --looks 1/10,5/29 --p 0.1\n```\n\nThe power of 1/10, 5/29 is 80.5%, EN is 15.0.\n"
PRINTED = "reject 0.805063 EN 15.0141 PET 73.6%"


@pytest.fixture(scope="module")
def numbers():
    """What looks at the pages; it stands with them and is no part of the package."""
    path = DOCS / "extensions/printed_numbers.py"
    spec = importlib.util.spec_from_file_location("printed_numbers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(page):
    return (DOCS / f"{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("The power is 80.6%.", "80.6%"),
        ("EN(p0) is 15.1 patients.", "15.1"),
        ("The design is 1/10, 6/29.", "1/10, 6/29"),
        ("It drops to 0.803.", "0.803"),
    ],
)
def test_a_number_that_no_example_prints_is_seen(numbers, sentence, fault):
    assert not [*numbers.absent(PAGE, PRINTED)]
    assert [*numbers.absent(PAGE + sentence, PRINTED)] == [fault]


def test_the_numbers_of_the_pages_are_looked_at_when_the_site_is_built(numbers):
    assert "printed_numbers" in (DOCS / "conf.py").read_text(encoding="utf-8")
    assert all(page.startswith(numbers.PARTS) for page in PAGES)


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("tutorials/")])
def test_a_tutorial_shows_the_report_that_its_commands_make(page):
    kinds = re.findall(r"^`{3,}\{(\w+)\}", read(page), flags=re.MULTILINE)
    assert "picture" in kinds
    assert {"run", "python"} & {*kinds[: kinds.index("picture")]}


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("readers/")])
def test_a_page_for_a_reader_is_one_screen_with_a_command_that_is_run(page):
    assert re.search(r"^```\{(?:run|python)\}", read(page), flags=re.MULTILINE)
    assert len(read(page).split()) < 400
