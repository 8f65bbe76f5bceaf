"""Pages for readers and tutorials are tested: every number of their sentences is one that their examples print.

The examples are run as when the site is built, and what they printed is kept in the same place.
"""

import json
import re
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [f"{part}/{path.stem}" for part in ("readers", "tutorials") for path in sorted((DOCS / part).glob("*.md"))]
FENCE = re.compile(r"^(`{3,})\{(?P<kind>\w+)\}(?P<argument>[^\n]*)\n(?P<body>.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)

RULE = re.compile(r"\d+(?::\d+)?/\d+(?:, ?\d+(?::\d+)?/\d+)*")
DECIMAL = re.compile(r"(?<![\d.])\d+\.\d+(?![\d.]*\d)")
PERCENT = re.compile(r"\d+(?:\.\d+)?%")


@cache
def made():
    """What runs the examples; it stands with the pages and is no part of the package."""
    sys.path.insert(0, str(DOCS / "extensions"))
    try:
        import examples
    finally:
        sys.path.pop(0)
    return getattr(examples, "pages", examples)


def shown(page):
    """What a reader of a page sees that was not written by its author: output, and texts of reports."""
    runner, text = made(), (DOCS / f"{page}.md").read_text(encoding="utf-8")
    work = ROOT / "build/docs-work"
    (work / page).parent.mkdir(parents=True, exist_ok=True)
    printed = runner.kept(page, runner.blocks(text), work)
    texts = [path.read_text(encoding="utf-8") for path in sorted((work / page).glob("build/*/text/*"))]
    return "\n".join([*map(unwrapped, printed), *texts])


def unwrapped(printed):
    """What one example printed: of several commands a list, of everything else a text."""
    try:
        return "\n".join(map(str, json.loads(printed)))
    except (ValueError, TypeError):
        return printed


def sentences(text):
    """A page without its examples, with what its examples are given."""
    given = "\n".join(match["body"] for match in FENCE.finditer(text) if match["kind"] in ("file", "run", "python"))
    return FENCE.sub("", text), given


def absent(text, outputs):
    """Designs, decimals and percentages of the sentences that are neither given to an example nor printed by one.

    A sentence may round what is printed: 15.0 patients of 15.0141, and 80.5% of 0.805.
    """
    prose, given = sentences(text)
    known = f"{given} {outputs}"
    close = re.sub(r",\s+(?=\d)", ",", known)
    numbers = [float(number) for number in re.findall(r"(?<![\d.])\d*\.?\d+", known)]
    shares = [float(number) for number in re.findall(r"(?<![\d.])(\d+(?:\.\d+)?)%", known)]
    for rule in RULE.findall(prose):
        if not re.search(rf"(?<![\d/.]){rule.replace(', ', ',')}(?!\d)", close):
            yield rule
    for number in PERCENT.findall(prose):
        digits = len(number.partition(".")[2].rstrip("%"))
        if float(number[:-1]) not in {round(share, digits) for share in [*shares, *(100 * one for one in numbers)]}:
            yield number
    for number in DECIMAL.findall(PERCENT.sub("", prose)):
        if float(number) not in {round(one, len(number.partition(".")[2])) for one in numbers}:
            yield number


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.browser
@pytest.mark.processes
@pytest.mark.parametrize("page", PAGES)
def test_every_number_of_a_sentence_is_printed_by_an_example_of_its_page(page):
    found = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert not [*absent(found, shown(page))]


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("The power is 80.6%.", "80.6%"),
        ("EN(p0) is 15.1 patients.", "15.1"),
        ("The design is 1/10, 6/29.", "1/10, 6/29"),
        ("It drops to 0.803.", "0.803"),
    ],
)
def test_a_number_that_no_example_prints_is_seen(sentence, fault):
    page = "```{run}\nsimtrial oc --looks 1/10,5/29 --p 0.1\n```\n\nThe power of 1/10, 5/29 is 80.5%, EN is 15.0.\n"
    outputs = "reject 0.805063 EN 15.0141 PET 73.6%"
    assert not [*absent(page, outputs)]
    assert [*absent(page + sentence, outputs)] == [fault]


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("tutorials/") and "index" not in page])
def test_a_tutorial_ends_in_a_report_that_is_shown(page):
    kinds = [match["kind"] for match in FENCE.finditer((DOCS / f"{page}.md").read_text(encoding="utf-8"))]
    assert "picture" in kinds
    assert kinds.index("picture") > kinds.index("run")


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("readers/") and "index" not in page])
def test_a_page_for_a_reader_is_one_screen_of_text_with_a_command_that_is_run(page):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert re.search(r"^```\{(?:run|python)\}", text, flags=re.MULTILINE)
    assert len(text.split()) < 800
