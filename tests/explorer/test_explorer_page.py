"""The explorer in a real browser: headless Chromium, driven by Playwright, against `simtrial explore`."""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from children import spawned

from simtrial import glossary, search
from simtrial.design.designs import looks_text
from simtrial.design.requirements import Requirements
from simtrial.explorer import controls
from simtrial.phrases import rate
from simtrial.trial import params, text
from simtrial.trial.case import Case

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None and not os.environ.get("CI"):  # .ci/run installs it, so there its absence is a failure
    pytest.skip("no chromium on this machine: apt install chromium", allow_module_level=True)

FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
pytestmark = pytest.mark.browser
PATIENCE = 60_000
"""Milliseconds for what takes a few seconds on an idle machine."""


@pytest.fixture(scope="module")
def printed():
    """The address with its token, as the server prints it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = started(port)
    try:
        said = told_until(server, b"(Ctrl-C ends it)")
        yield re.search(rf"Design explorer: (http://localhost:{port}/\?token=[\w-]{{43}}) \(Ctrl-C ends it\)", said)[1]
    finally:
        ended(server, signal.SIGTERM)


@pytest.fixture(scope="module")
def address(printed):
    return printed.partition("?")[0]


def started(port):
    command = [sys.executable, "-m", "simtrial", "explore", "--no-browser", "--port", str(port)]
    return spawned(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def told_until(server, words):
    """Read what a server says until it says some words."""
    said = b""
    while words not in said:
        assert select.select([server.stderr], [], [], PATIENCE / 1000)[0], f"nothing follows {said.decode()}"
        more = os.read(server.stderr.fileno(), 4096)
        assert more, said.decode()
        said += more
    return said.decode()


def ended(server, how):
    """End a server, and give what it said on the way."""
    server.send_signal(how)
    try:
        return server.communicate(timeout=60)[1].decode()
    except subprocess.TimeoutExpired:
        server.kill()
        server.communicate()
        raise AssertionError("the explorer did not end when told to") from None


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start for root, as which CI runs
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, chromium_sandbox=os.getuid() != 0)
        yield found
        found.close()


class Visit:
    """A page that is open, and what it asked for and complained of."""

    def __init__(self, browser, url, width, height=900):
        self.context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.errors, self.asked = [], []
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on("response", lambda r: self.errors.append(r.url) if r.status >= 400 else None)
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.on("websocket", lambda w: self.asked.append(w.url))
        self.page.goto(url)
        self.page.wait_for_selector(".simtrial-calendar section")

    def said(self, panel):
        return self.page.locator(f".simtrial-{panel}").inner_text()

    def wait(self, panel, words):
        self.page.wait_for_function(
            "([panel, words]) => document.querySelector(panel).innerText.includes(words)",
            arg=[f".simtrial-{panel}", words],
        )

    def open(self, path):
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Open a parameter file").click()
        chooser.value.set_files(path)

    def download(self, path):
        with self.page.expect_download() as found:
            self.page.get_by_role("link", name="Download").click()
        found.value.save_as(path)
        return found.value.suggested_filename

    def results(self):
        panels = ("candidates", "decisions", "calendar", "statement")
        curves = self.page.locator(".simtrial-curves .curves").inner_html()
        return [self.said(panel) for panel in panels] + [curves]


@pytest.fixture(scope="module")
def shared(browser, printed):
    """A page for all tests that touch it, for each page costs a kernel; with what it shows at the start."""
    visited = Visit(browser, printed, 1280)
    visited.start = visited.results()
    yield visited
    visited.context.close()


def started_anew(visit, folder):
    """Put a page back to its start."""
    start = folder / f"{folder.name}-{len(list(folder.iterdir()))}.yaml"
    start.write_text(params.written(params.load(controls.START)), encoding="utf-8")
    visit.page.set_viewport_size({"width": 1280, "height": 900})
    visit.open(start)
    visit.wait("status", f"Opened {start.name}")
    visit.page.wait_for_function("!document.querySelector('.simtrial-held')")
    deadline = time.monotonic() + PATIENCE / 1000
    while visit.results() != visit.start:  # the calendar comes last
        assert time.monotonic() < deadline
        visit.page.wait_for_timeout(50)
    visit.errors.clear()


@pytest.fixture
def visit(shared, tmp_path):
    """The shared page, as it starts."""
    started_anew(shared, tmp_path)
    return shared


def slider(visit, name):
    return visit.page.get_by_role("slider", name=re.compile(f"^{name}:"))


def minimax(*asked):
    requirements = Requirements(*asked)
    return requirements, search.two_stage(requirements).minimax


def test_the_page_loads_without_an_error_or_a_request_to_another_machine(shared, address):
    _, design = minimax(0.1, 0.3, 0.05, 0.8)
    assert looks_text(design, ", ") in shared.said("status")
    assert f"{design.en_p0:.1f}" in shared.said("candidates")
    assert shared.errors == []
    assert len(shared.asked) > 20
    here = address.removeprefix("http")
    assert [url for url in shared.asked if not url.startswith((f"http{here}", f"ws{here}", "data:", "blob:"))] == []
    assert shared.page.locator("html").get_attribute("lang")
    assert shared.page.title() == "simtrial: design explorer"
    assert shared.page.url == address  # the token is in no history, and in no address that is copied


def status_of(url, printed):
    headers = {"Authorization": f"token {printed.partition('=')[2]}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_no_code_is_in_the_page(visit):
    assert "import" not in visit.page.locator("main").inner_text()
    assert "Explorer()" not in visit.page.content()


def test_a_slider_moves_the_numbers_to_the_exact_values_and_the_sentence_follows(visit):
    slider(visit, "p1").focus()
    for _ in range(5):
        visit.page.keyboard.press("ArrowRight")
    _, design = minimax(0.1, 0.35, 0.05, 0.8)
    visit.wait("status", looks_text(design, ", "))
    visit.wait("calendar", "p1 = 0.35")
    assert visit.page.get_by_role("textbox", name=re.compile("^p1:")).input_value() == "0.35"
    for number in (rate(design.type_i_error), rate(design.power), f"{design.en_p0:.1f}", rate(design.pet_p0)):
        assert number in visit.said("candidates")
    plain = controls.complete(params.load(controls.START)).plain()
    plain["hypotheses"]["p1"] = 0.35
    said = str(text.protocol(Case.of(params.load(plain))))
    assert visit.page.locator("#simtrial-sentence").inner_text().split() == said.split()
    visit.page.get_by_role("button", name="Copy").click()
    visit.page.get_by_role("button", name="Copied").wait_for()
    assert visit.page.evaluate("navigator.clipboard.readText()") == said
    assert visit.errors == []


def box(visit, name):
    return visit.page.get_by_role("textbox", name=re.compile(f"^{name}:"))


def test_a_refused_entry_stays_and_is_explained_beside_its_box(visit):
    before = visit.results()
    box(visit, "p0").fill("15")
    visit.page.keyboard.press("Tab")
    visit.wait("controls", "15 is not a rate: write 0.15 for 15%")
    visit.wait("status", "those of the last valid input (p0 = 0.1)")
    assert box(visit, "p0").input_value() == "15"
    assert box(visit, "p1").input_value() == "0.3"
    assert box(visit, "p0").get_attribute("aria-invalid") == "true"
    note = visit.page.locator(f"#{box(visit, 'p0').get_attribute('aria-describedby')}")
    beside, below = box(visit, "p0").bounding_box(), note.bounding_box()
    assert 0 <= below["y"] - (beside["y"] + beside["height"]) < 12
    assert visit.results() == before
    assert float(visit.page.locator(".simtrial-candidates").evaluate("e => getComputedStyle(e).opacity")) < 1
    box(visit, "Power").fill("0.2")
    visit.page.keyboard.press("Enter")
    visit.wait("status", "did you mean 0.8 (1 - beta)?")
    for width in (1280, 400):
        visit.page.set_viewport_size({"width": width, "height": 900})
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        visit.page.screenshot(path=f"build/explorer-refused-{width}.png", full_page=True)
    box(visit, "Power").fill("0.8")
    box(visit, "p0").fill("0.1")
    visit.page.keyboard.press("Tab")
    visit.page.wait_for_function("!document.querySelector('.simtrial-held')")
    assert box(visit, "p0").get_attribute("aria-invalid") == "false"
    assert visit.results() == before
    assert visit.errors == []


def test_a_rate_that_was_pushed_comes_back_and_arrow_keys_move_a_box(visit):
    box(visit, "p0").fill("0.5")
    visit.page.keyboard.press("Tab")
    visit.wait("controls", "Moved from 0.3: p1 must be above p0")
    assert box(visit, "p1").input_value() == "0.51"
    box(visit, "p0").fill("0.1")
    visit.page.keyboard.press("Tab")
    visit.wait("status", "p1 is back at 0.3")
    assert box(visit, "p1").input_value() == "0.3"
    box(visit, "p1").focus()
    visit.page.keyboard.press("ArrowUp")
    visit.wait("calendar", "p1 = 0.31")
    assert box(visit, "p1").input_value() == "0.31"


def test_a_mouse_drags_p1_and_n_moves(visit):
    slider(visit, "p1").scroll_into_view_if_needed()  # the page may have been left at its end
    handle = slider(visit, "p1").bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    for step in range(1, 9):
        visit.page.mouse.move(x + 5 * step, y)
    visit.page.mouse.up()
    dragged = round(float(slider(visit, "p1").get_attribute("aria-valuetext")), 2)
    assert dragged > 0.35
    _, design = minimax(0.1, dragged, 0.05, 0.8)
    visit.wait("status", looks_text(design, ", "))
    visit.wait("calendar", f"p1 = {dragged:g}")
    assert visit.page.get_by_role("textbox", name=re.compile("^p1:")).input_value() == f"{dragged:g}"


def test_download_and_reload_give_the_same_screen(visit, tmp_path):
    visit.page.get_by_role("textbox", name=re.compile("^p1:")).fill("0.345")
    visit.page.keyboard.press("Tab")
    visit.wait("calendar", "p1 = 0.345")
    visit.page.get_by_label("Patients without a response assessment").select_option("replace by new patients")
    visit.wait("calendar", "trials")
    visit.page.get_by_label("Design", exact=True).select_option("Simon optimal")
    visit.wait("statement", "optimal two-stage")
    visit.page.wait_for_timeout(500)  # the calendar comes last, after the sentence
    name = visit.download(tmp_path / "mine.yaml")
    assert name == "explorer.yaml"
    assert params.load(tmp_path / "mine.yaml").hypotheses.p1 == 0.345
    mine = visit.results()
    started_anew(visit, tmp_path)
    assert visit.results() != mine
    visit.open(tmp_path / "mine.yaml")
    visit.wait("status", "Opened mine.yaml")
    visit.wait("calendar", "trials")
    assert visit.results() == mine
    assert visit.errors == []


def test_a_real_trial_fills_the_page(visit, root):
    visit.open(root / "params/NCT07022301.yaml")
    visit.wait("status", "Opened NCT07022301.yaml")
    visit.wait("calendar", "17.58")  # the exact month of its interim look at p0, as `simulate` prints it at p1: 17.48
    assert visit.page.get_by_label("Assessments as in the file").is_checked()
    assert (
        slider(visit, "Readout").get_attribute("disabled") is not None
        or visit.page.get_by_role("textbox", name=re.compile("^Readout:")).is_disabled()
    )
    assert visit.page.get_by_role("textbox", name=re.compile("^Enrollment:")).input_value() == "1.4205"
    visit.page.wait_for_timeout(1000)  # what a browser rounds, it says at once: nothing may follow
    assert "Opened NCT07022301.yaml" in visit.said("status")
    assert visit.page.get_by_role("link", name="Download NCT07022301.yaml").is_visible()


def test_a_wrong_file_is_told_in_one_line_and_a_huge_one_is_not_read(visit, tmp_path):
    before = visit.results()
    bad = tmp_path / "bad.yaml"
    bad.write_text("trial:\n  study: {id: x, title: y}\n  hypotheses: {p0: 0.4, p1: 0.3}\n", encoding="utf-8")
    with pytest.raises(params.InputError) as refused:
        params.opened(bad.read_bytes(), "bad.yaml")
    visit.open(bad)
    visit.wait("status", "bad.yaml")
    for line in refused.value.lines:
        assert line in visit.said("status")
    assert visit.results() == before
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"#" * (params.MAX_BYTES + 1))
    visit.open(huge)
    visit.wait("status", "huge.yaml")
    assert f"huge.yaml: is larger than {params.MAX_BYTES} bytes" in visit.said("status")
    slider(visit, "p0").focus()
    visit.page.keyboard.press("ArrowRight")
    visit.wait("status", "p <= 0.11")


def test_every_control_is_reached_by_the_keyboard_and_named(visit):
    found = visit.page.evaluate("""() => [...document.querySelectorAll(
        '.simtrial-controls :is(input:not([type=file]), select, button, a[href], .noUi-handle)')]
        .filter((e) => e.offsetParent !== null)
        .map((e) => ({ tab: e.tabIndex, name: e.getAttribute('aria-label') || e.textContent.trim() ||
            (e.labels && e.labels[0] && e.labels[0].textContent.trim()) || '' , tag: e.tagName }))""")
    assert len(found) == 8 * 2 + 8 + 2  # numbers with sliders, lists, two buttons for files
    assert [entry for entry in found if entry["tab"] < 0 or len(entry["name"]) < 5] == []
    visit.page.keyboard.press("Tab")
    named = "(({ariaLabel, id, textContent}) => ariaLabel || id || textContent)(document.activeElement)"
    reached = set()
    for _ in range(len(found) + 2):
        reached.add(visit.page.evaluate(named))
        visit.page.keyboard.press("Tab")
    assert len(reached) >= len(found)


def test_every_control_shows_its_meaning_and_a_link_opens_the_glossary(visit):
    kinds = ".simtrial-number, .widget-dropdown, .widget-checkbox, .jupyter-button"
    found = visit.page.evaluate(f"""() => [...document.querySelectorAll('.simtrial-controls :is({kinds})')]
        .filter((e) => e.offsetParent !== null).map((e) => e.title)""")
    meanings = {term.meaning for term in glossary.TERMS.values()}
    assert len(found) == 8 + 8 + 1
    assert [title for title in found if title not in meanings] == []
    folded = visit.page.locator(".simtrial-glossary details")
    assert folded.get_attribute("open") is None
    visit.page.get_by_role("link", name="glossary").click()
    visit.page.get_by_text(glossary.TERMS["mcse"].meaning).wait_for()
    assert folded.locator("dt").count() == sum(bool(term.meaning) for term in glossary.TERMS.values())
    for width in (1280, 400):
        visit.page.set_viewport_size({"width": width, "height": 900})
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    folded.locator("summary").click()
    assert visit.errors == []


def test_a_rule_for_toxicity_brings_its_numbers_and_its_panel_and_takes_them_away(visit):
    panel = visit.page.locator(".simtrial-toxicity")
    assert not panel.is_visible()
    rule = visit.page.get_by_label(glossary.head("toxicity_rule"), exact=True)
    rule.select_option(label="Pocock-type")
    visit.wait("toxicity", "Accrual stops if")
    assert visit.page.locator(".simtrial-number:visible").count() == 8 + 4
    for width in (1280, 400):
        visit.page.set_viewport_size({"width": width, "height": 900})
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    rule.select_option(label="none")
    panel.wait_for(state="hidden")
    assert visit.page.locator(".simtrial-number:visible").count() == 8
    assert visit.errors == []


@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_the_screen(visit, root, width):
    visit.page.set_viewport_size({"width": width, "height": 900})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    handles = visit.page.locator(".noUi-handle:visible")  # those of a rule for toxicity are hidden while there is none
    assert all(handles.nth(k).bounding_box()["width"] > 10 for k in range(handles.count()))
    visit.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    visit.page.locator(".simtrial-controls").evaluate("e => { e.scrollTop = 0; e.parentElement.scrollTop = 0; }")
    (root / "build").mkdir(exist_ok=True)
    visit.page.screenshot(path=root / f"build/explorer-{width}.png", full_page=True)
    if width == 400:  # the answer stays in view while a slider far down is moved
        slider(visit, "Readout").scroll_into_view_if_needed()
        box = visit.page.locator(".simtrial-status .answer").bounding_box()
        assert 0 <= box["y"] < 900


def test_the_start_is_told_and_ctrl_c_ends_it_cleanly():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = started(port)
    said = told_until(server, b"Warming up a kernel")
    steps = ["Importing the libraries of the page", f"Starting the server on port {port}", "Warming up a kernel"]
    assert [step for step in steps if step in said] == steps
    assert "\n".join(steps).split("\n")[0] == said.split(" ...")[0]
    rest = ended(server, signal.SIGINT)
    assert rest.splitlines()[-1] == "The explorer has ended."
    assert "Traceback" not in rest
    assert server.returncode == 0


def test_nobody_else_can_reach_it(address):
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for other in others - {"127.0.0.1"} - {a for a in others if a.startswith("127.")}:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((other, port)) != 0, other
    listening = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True) if shutil.which("ss") else None
    if listening is not None:
        bound = [line.split()[3] for line in listening.stdout.splitlines() if line.split()[3].endswith(f":{port}")]
        assert bound
        assert all(place.startswith(("127.", "[::1]")) for place in bound)


def test_another_tab_needs_no_token_again_and_a_closed_one_ends_its_kernel(visit, address, printed):
    second = visit.context.new_page()
    second.goto(address)
    second.wait_for_selector(".simtrial-calendar section", timeout=PATIENCE)
    kernel = kernel_of(second)
    second.close(run_before_unload=True)
    assert ended_soon(f"{address}api/kernels/{kernel}", printed)


def test_a_link_on_another_page_opens_the_explorer_only_after_a_click(browser, address, printed, tmp_path):
    context = browser.new_context(viewport={"width": 900, "height": 600})
    page = context.new_page()
    elsewhere = tmp_path / "elsewhere.html"
    elsewhere.write_text(
        f"<a id='with' href='{printed}'>a</a> <a id='without' href='{address}'>b</a>", encoding="utf-8"
    )
    page.goto(elsewhere.as_uri())
    page.click("#without")
    page.get_by_role("heading", name="The explorer does not open from another page").wait_for()
    page.goto(elsewhere.as_uri())
    page.click("#with")
    page.get_by_role("heading", name="Open the explorer?").wait_for()
    page.screenshot(path="build/explorer-followed.png")
    page.get_by_role("link", name="Open the explorer").click()
    page.wait_for_selector(".simtrial-calendar section", timeout=PATIENCE)
    assert page.url == address
    page.goto(elsewhere.as_uri())
    page.click("#without")  # the cookie does not help a page elsewhere
    page.get_by_role("heading", name="The explorer does not open from another page").wait_for()
    context.close()


@pytest.mark.parametrize("width", [900, 400])
def test_a_page_without_the_token_says_where_the_address_stands(browser, address, width):
    context = browser.new_context(viewport={"width": width, "height": 600})
    page = context.new_page()
    assert page.goto(address).status == 403
    assert "printed in the terminal" in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=f"build/explorer-without-token-{width}.png")
    context.close()


def kernel_of(page):
    return json.loads(page.locator("#jupyter-config-data").text_content())["kernelId"]


def ended_soon(kernel, printed):
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        if status_of(kernel, printed) == 404:
            return True
        time.sleep(0.1)
    return False


# last, for nobody comes back to the page
def test_a_page_that_is_left_ends_its_kernel(visit, address, printed):
    kernel = f"{address}api/kernels/{kernel_of(visit.page)}"
    assert status_of(kernel, printed) == 200
    visit.page.goto("about:blank")
    assert ended_soon(kernel, printed)
    assert visit.errors == []
