"""The explorer: from a control that is moved to a page that is redrawn.

    make bench                      or: .venv/bin/python benchmarks/explore.py

The browser part needs chromium, and is left out without it. Compare the ratios; a shared machine is noisy.
"""

import itertools
import shutil
import socket
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from simtrial import Requirements, search
from simtrial.explorer import panels, screen
from simtrial.explorer.page import Explorer
from simtrial.search import figures
from simtrial.trial.case import Case

NEAR = Requirements(0.10, 0.145, 0.05, 0.80)
MOVES = 20
LISTEN = """() => {
  window.took = [];
  let began = 0;
  document.addEventListener("keydown", () => { began = performance.now(); }, true);
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
    if (began) { window.took.push(performance.now() - began); began = 0; }
  }))).observe(document.querySelector(".simtrial-calendar"), { childList: true, subtree: true });
}"""
"""The calendar is the last panel to change; what follows the next frame has been painted."""


def seconds(task, repetitions=7):
    """Median of several runs."""
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        task()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def in_kernel():
    """Print what a move costs where it is computed."""
    page = Explorer()
    rates = iter([f"{rate:.4f}" for rate in np.arange(0.301, 0.34, 0.0003)])  # no answer is kept from an earlier move

    def move():
        page.inputs["p1"].value = next(rates)

    whole = seconds(move)
    asked = Requirements(0.1, 0.3, 0.05, 0.8)
    designs = panels.compared(screen.answer(Case.of(page.trial)), search.two_stage(asked).minimax)
    drawn = seconds(lambda: panels.curves(designs, asked))
    plotted = seconds(lambda: figures.characteristics(designs, asked).svg(), 3)
    print(f"p1 moved, every panel computed: {1000 * whole:.0f} ms")
    print(
        f"its three charts: {1000 * drawn:.1f} ms; the report's figure of them takes {plotted / drawn:.0f} times that"
    )
    found = search.single_stage(NEAR)
    others = iter([NEAR, Requirements(0.1, 0.1451, 0.05, 0.8), Requirements(0.1, 0.1452, 0.05, 0.8)])
    took = seconds(lambda: search.two_stage(next(others)), 3)
    print(f"longest search unasked (one stage of {found.first.n}, limit {screen.LIVE_N}): {1000 * took:.0f} ms")
    timed = iter(np.arange(0.22, 0.226, 0.0005))
    page.inputs["accrual"].value = "continue"
    page.inputs["p1"].value = "0.23"
    for wish in [key for _, key in page.inputs["design"].options if key in search.CALENDAR]:
        page.inputs["design"].value = wish

        def chosen():
            page.inputs["p1"].value = f"{next(timed):.4f}"

        took = seconds(chosen, 3)
        one = page._case.single.first.n
        print(f"{wish}, one stage of {one} (limit {screen.LIVE_CALENDAR_N}): {1000 * took:.0f} ms", flush=True)
    page.inputs["accrual"].value, page.inputs["design"].value = "hold", "minimax"
    page.inputs["p1"].value = "0.3"
    page.inputs["counting"].value = "replace"
    print(f"p1 moved where losses are replaced, {screen.LIVE_TRIALS} trials a rate: {1000 * seconds(move):.0f} ms")
    file = Path("params/NCT07022301.yaml")
    page.inputs["file"].value = (
        {"name": file.name, "type": "", "size": 0, "content": file.read_bytes(), "last_modified": datetime.now(UTC)},
    )
    for counting, accrual in itertools.product(("nonresponder", "replace"), ("hold", "continue")):
        page.inputs["counting"].value, page.inputs["accrual"].value = counting, accrual
        print(f"p1 moved in {file.stem}, {counting}, {accrual}: {1000 * seconds(move):.0f} ms", flush=True)


def in_browser(chromium):
    """Print the time from a key to the redrawn page."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "simtrial", "explore", "--no-browser", "--no-token", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while "Ctrl-C" not in server.stderr.readline():
        pass
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, chromium_sandbox=False, args=["--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"http://localhost:{port}/")
            page.wait_for_selector(".simtrial-calendar section", timeout=60_000)
            page.evaluate(LISTEN)
            page.get_by_role("slider", name="p1: response rate worth finding").focus()
            for k in range(MOVES):
                page.keyboard.press("ArrowRight" if k < MOVES // 2 else "ArrowLeft")
                page.wait_for_function("k => window.took.length > k", arg=k)
            took = page.evaluate("window.took")
            browser.close()
    finally:
        server.terminate()
        server.communicate()
    middle, longest = statistics.median(took), max(took)
    print(f"key pressed to page redrawn, {len(took)} moves: median {middle:.0f} ms, longest {longest:.0f} ms")


def main() -> None:
    """Print some lines."""
    in_kernel()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no chromium here: the browser is not timed")
    else:
        in_browser(Path(chromium))


if __name__ == "__main__":
    main()
