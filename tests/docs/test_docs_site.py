"""The documentation as it is built: no warning, no broken link, no request, readable and searchable from its files."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from simtrial import project

DOCS = project.ROOT / "docs"
if not DOCS.is_dir():
    pytest.skip("no documentation beside this package", allow_module_level=True)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
STARTS = {"kernel": {"site"}, "browser": {"tab"}}
HOSTS = {"clinicaltrials.gov", "doi.org", "github.com"}
"""Where a link may lead: to a registry of studies, a paper, or the makers of what the page is built with."""


@pytest.fixture(scope="session")
def site():
    """The site, built as `make docs` builds it; what its examples printed is shared with it."""
    (line,) = re.findall(
        r"^\t@\$\(BIN\)/sphinx-build (.*)$", (project.ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    words = [sys.executable, "-m", "sphinx", *line.split()]
    done = subprocess.run(words, cwd=project.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return project.ROOT / "build" / "docs"


class Links(HTMLParser):
    """What a page leads to, and the places in it that may be led to."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded, self.language, self.without = set(), [], [], None, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "html":
            self.language = given.get("lang")
        if given.get("id"):
            self.anchors.add(given["id"])
        if tag == "a" and given.get("name"):
            self.anchors.add(given["name"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ("img", "script", "iframe", "source", "video") and given.get("src"):
            self.loaded.append(given["src"])
        if tag == "link" and given.get("href") and given.get("rel") in ("stylesheet", "icon", "preload", "search"):
            self.loaded.append(given["href"])
        if tag == "img" and not given.get("alt"):
            self.without.append(given.get("src"))


@pytest.fixture(scope="session")
def read(site):
    """Every page of the site, by its path."""
    return {path.resolve(): Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def own(read, site):
    """The pages that are not reports."""
    return {path: page for path, page in read.items() if "_made" not in path.relative_to(site.resolve()).parts}


def broken(read):
    """Links and files that lead nowhere."""
    for path, page in read.items():
        for link in (*page.links, *page.loaded):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = read[target].anchors if target in read else None
            if not target.is_file() or (parts.fragment and there is not None and unquote(parts.fragment) not in there):
                yield f"{path.name}: {link}"


def test_every_link_and_anchor_of_every_page_leads_somewhere(read):
    assert list(broken(read)) == []
    assert sum(len(page.links) for page in read.values()) > 500


def test_a_broken_link_is_seen(tmp_path):
    page = tmp_path / "a.html"
    page.write_text(
        '<p id="x"><a href="b.html">b</a><a href="#x">x</a><a href="#y">y</a><img src="c.svg"></p>', "utf-8"
    )
    found = list(broken({page.resolve(): Links(page.read_text("utf-8"))}))
    assert found == ["a.html: b.html", "a.html: #y", "a.html: c.svg"]


def test_links_to_elsewhere_are_https_and_to_known_hosts(read):
    away = {
        link for page in read.values() for link in page.links if urlsplit(link).scheme not in ("", "data", "mailto")
    }
    wrong = sorted(link for link in away if urlsplit(link).scheme != "https" or urlsplit(link).hostname not in HOSTS)
    assert wrong == []


def test_nothing_is_loaded_from_elsewhere(read):
    loaded = {src for page in read.values() for src in page.loaded if urlsplit(src).scheme not in ("", "data")}
    assert loaded == set()


def test_every_page_has_a_language_and_every_picture_has_words(read, site):
    for path, page in own(read, site).items():
        assert page.language == "en", path
        assert page.without == [], path


def test_every_page_is_reached_from_the_first(read, site):
    start = (site / "index.html").resolve()
    seen, left = {start}, [start]
    while left:
        path = left.pop()
        for link in read[path].links:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path and not parts.scheme else path
            if target in read and target not in seen:
                seen.add(target)
                left.append(target)
    by_its_box = {(site / "search.html").resolve()}
    assert set(own(read, site)) - seen == by_its_box


def test_no_page_holds_a_path_of_this_machine(read, site):
    here = str(project.ROOT)
    assert [path.name for path in own(read, site) if here in path.read_text(encoding="utf-8")] == []


# the sources


PAGES = sorted(path for path in DOCS.rglob("*.md") if "paper" not in path.parts)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(DOCS).as_posix())
def test_a_page_is_finished(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"\b(?:TODO|FIXME|XXX|TBD)\b", text)
    assert not re.search(r"^:?orphan:", text, flags=re.MULTILINE), "it must stand in a toctree"
    assert re.match(r"(?:---\n.*?\n---\n+)?# \S", text, flags=re.DOTALL), "it begins with its title"


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.relative_to(DOCS).as_posix())
def test_lists_of_pages_show_titles_without_their_parts(path):
    for options in re.findall(r"^```\{toctree\}\n((?::.*\n)*)", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        assert ":maxdepth: 1\n" in options or ":hidden:\n" in options


def test_readme_shows_no_command_that_no_test_runs():
    text = (project.ROOT / "README.md").read_text(encoding="utf-8")
    tests = (project.ROOT / "tests/test_readme.py").read_text(encoding="utf-8")
    languages = set(re.findall(r"^```(\w+)", text, flags=re.MULTILINE))
    assert languages <= {"python", "text", "sh", "bash", "console"}
    assert all(f"```{language}" in tests for language in languages)


# in a browser


@pytest.fixture
def tab(site):
    """A page in a headless browser, with the addresses it asked for."""
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "no chromium"
        pytest.skip("no chromium on this machine: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.home = site.as_uri()
        yield page
        browser.close()


SHOWN = ("index.html", "reference/parameter_file.html", "reference/json.html", "gallery.html", "validation.html",
         "reference/api/search.html", "search.html?q=Koyama")  # fmt: skip


def test_pages_ask_for_files_only(tab):
    for name in SHOWN:
        tab.goto(f"{tab.home}/{name}")
        tab.wait_for_load_state("networkidle")
    assert len(tab.asked) > len(SHOWN)
    assert [url for url in tab.asked if not url.startswith(("file:", "data:"))] == []


def test_search_works_from_the_files(tab):
    tab.goto(f"{tab.home}/index.html")
    tab.get_by_placeholder("Search").first.fill("Koyama")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#search-results li a")
    found = tab.locator("#search-results li a").all_text_contents()
    assert any("JSON" in text or "analysis" in text.lower() for text in found), found
    tab.goto(f"{tab.home}/search.html?q=nosuchwordanywhere")
    tab.wait_for_function("document.querySelector('#search-results p.search-summary')?.textContent.length > 20")
    assert tab.locator("#search-results li a").count() == 0


WIDTHS = (400, 768, 800, 880, 1010, 1024, 1100, 1200, 1440)
"""Telephones, tablets, and on both sides of each width at which the theme moves its columns."""
LAID_OUT = (*(name for name in SHOWN if "?" not in name), "howto/index.html", "howto/compare_many_files.html",
            "reference/limits.html", "reference/commands.html", "tutorials/first_report.html")  # fmt: skip


@pytest.mark.parametrize("name", LAID_OUT)
def test_a_page_fits_every_screen_from_a_telephone_on(tab, name):
    wider = {}
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 800})
        tab.goto(f"{tab.home}/{name}")
        if (needed := tab.evaluate("document.documentElement.scrollWidth")) > width:
            wider[width] = needed
    assert wider == {}


def test_the_keyboard_reaches_the_content_and_long_outputs(tab):
    tab.goto(f"{tab.home}/reference/json.html")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent.trim()") == "Skip to content"
    assert tab.evaluate("[...document.querySelectorAll('.long')].every(one => one.tabIndex === 0)")
    assert tab.locator(".long").count() > 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_page(tab, scheme):
    tab.emulate_media(color_scheme=scheme)
    tab.goto(f"{tab.home}/reference/json.html")
    ratios = tab.evaluate(
        """() => {
        const light = text => {
            const [r, g, b] = text.match(/[0-9.]+/g).map(Number).map(v => v / 255)
                .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = one => {
            for (; one; one = one.parentElement) {
                const color = getComputedStyle(one).backgroundColor;
                if (!/, 0\\)$/.test(color)) return color;
            }
            return 'rgb(255, 255, 255)';
        };
        return ['article p', '.printed pre', '.typed pre', 'article td', 'article a.reference'].map(name => {
            const one = document.querySelector(name);
            const [a, b] = [light(getComputedStyle(one).color), light(ground(one))].sort((x, y) => y - x);
            return [name, (a + 0.05) / (b + 0.05)];
        });
    }"""
    )
    # WCAG 2.2, level AA: 4.5 for text of usual size
    assert [one for one in ratios if one[1] < 4.5] == []


def test_a_page_prints_without_its_frame_and_whole(tab):
    tab.emulate_media(media="print")
    tab.goto(f"{tab.home}/reference/json.html")
    assert tab.locator(".sidebar-drawer").first.is_hidden()
    assert tab.locator(".skip-to-content").first.is_hidden()
    assert tab.evaluate("getComputedStyle(document.querySelector('.long')).maxHeight") == "none"
    assert tab.evaluate(
        "[...document.querySelectorAll('pre')].every(one => getComputedStyle(one).breakInside == 'auto')"
    )
