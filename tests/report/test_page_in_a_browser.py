"""The page of the committed trial in headless Chromium: printed, on a telephone, and by its links."""

import ast
import os
import re
import shutil

import nbformat
import pytest

from simtrial import project
from simtrial.report import front
from simtrial.report import run as report_run
from simtrial.report.page import Files, Head, report_html
from simtrial.trial import params
from simtrial.trial.case import Case

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None and not os.environ.get("CI"):  # .ci/run installs it, so there its absence is a failure
    pytest.skip("no chromium on this machine: apt install chromium", allow_module_level=True)

FLAGS = ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]
pytestmark = pytest.mark.browser
MOST_PAGES = 10


def executed(notebook, trial):
    """A notebook of the report as it is once it has run; in this process, for a kernel takes seconds to start."""
    book = nbformat.read(project.ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4)
    names = {}
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        if "parameters" in cell.metadata.get("tags", ()):
            names["trial"] = trial
            continue
        *lines, last = ast.parse(cell.source).body
        exec(compile(ast.Module(lines, []), notebook, "exec"), names)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), notebook, "eval"), names)
            if shown is not None:  # what belongs to other designs shows nothing
                data, metadata = shown._repr_mimebundle_()
                cell.outputs = [nbformat.v4.new_output("display_data", data, metadata=metadata)]
        else:
            exec(compile(ast.Module([last], []), notebook, "exec"), names)
    return book


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The page of the committed trial with its usual parts; few trials are simulated, for its length is the same."""
    plain = params.load(project.ROOT / "params/NCT07022301.yaml").plain()
    plain["conduct"]["simulation"]["trials"] = 200
    case = Case.of(params.load(plain))
    asked = {name for part in case.trial.parts for name in report_run.OF_PART[part]}
    notebooks = [name for name in report_run.NOTEBOOKS if name in asked and name != report_run.TOXICITY]  # no such rule
    head = Head(study=case.trial.study.id, title=case.trial.study.title, front=front.opening(case), folds=True)
    folder = tmp_path_factory.mktemp("made")
    html = report_html([executed(name, plain) for name in notebooks], head, {"seed": 1}, Files(folder))
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start for root, as which CI runs
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, chromium_sandbox=os.getuid() != 0)
        yield found
        found.close()


@pytest.fixture
def opened(browser, made):
    """Opens the page, at a width and a place; fails if it complains or asks for another file."""
    asked, errors = [], []

    def opened(width=1200, place=""):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{made.as_uri()}{place}")
        return page

    yield opened
    assert {url.partition("#")[0] for url in asked} == {made.as_uri()}
    assert errors == []


def test_a_designers_report_prints_on_at_most_ten_pages(opened):
    printed = opened().pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= MOST_PAGES


def test_on_a_telephone_only_tables_and_figures_scroll_sideways(opened):
    page = opened(400)
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert page.evaluate("document.querySelector('.drawing').scrollWidth") > 400
    # the shade shows through the white of the figure, as it does behind a table
    assert page.evaluate("getComputedStyle(document.querySelector('.drawing svg')).mixBlendMode") == "multiply"
    shades = page.evaluate(
        "['.drawing', '.output > div'].map(where => getComputedStyle(document.querySelector(where)).backgroundImage)"
    )
    assert shades[0] == shades[1]
    assert shades[0].count("linear-gradient") == 4


def test_a_link_opens_what_it_leads_to(opened):
    page = opened(place="#table-evidence")
    assert page.locator("#table-evidence").is_visible()
    assert page.locator("details.rest[open]").count() == 1


def test_of_a_long_table_ten_rows_stand_and_a_key_brings_the_rest(opened):
    page = opened(place="#table-evidence")
    rows = page.locator("#table-evidence tbody tr")
    shown = "rows => rows.filter(row => row.offsetHeight > 0).length"
    assert rows.evaluate_all(shown) == 10
    page.locator("#table-evidence summary").focus()
    page.keyboard.press("Enter")
    assert rows.evaluate_all(shown) == rows.count() == 15


def test_a_heading_leads_to_its_meaning(opened):
    page = opened()
    heading = page.locator("#table-candidates th a.term", has_text="Type I error").first
    heading.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector(':target dt').textContent") == "Type I error"
    assert page.locator(":target dd").is_visible()
