"""Interrupts: Ctrl-C at random moments ends every command in one line and in time, and nothing lives on."""

import os
import re
import signal
import time
import urllib.request
from dataclasses import dataclass

import sweeping
from children import listening
from processes import ROOT, end, environment, living, started

FULL = ROOT / "params/NCT07022301.yaml"
SMOKE = ROOT / "params/smoke.yaml"
TOLD = "simtrial: interrupted"


@dataclass(frozen=True)
class Way:
    """A command and when it is interrupted.

    Attributes
    ----------
    name : str
        Of the case.
    words : tuple
        The command; `{out}` is an empty folder.
    moments : (float, float)
        Seconds between which the interrupt comes, after the program hears signals, or after it has said `after`.
    limit : float
        Seconds in which everything has ended.
    codes : tuple of int
        Exit codes that are right.
    after : str
        Words by which it is known to be at work.
    """

    name: str
    words: tuple
    moments: tuple[float, float]
    limit: float = 2.0
    codes: tuple[int, ...] = (1,)
    after: str = ""


MANY = [word for k in range(1, 30) for word in ("--p0", f"0.{k + 10}")]
LARGE = ("--p0", "0.30", "--p1", "0.345", "--alpha", "0.01", "--power", "0.95")
WAYS = (
    Way("first-simulate", ("simulate", FULL), (0.0, 0.2)),
    Way("first-report", ("report", SMOKE, "--out", "{out}"), (0.0, 0.2)),
    Way("first-sweep", ("sweep", "{sweep}", "--out", "{out}"), (0.0, 0.2)),
    Way("imports", ("analyze", "--looks", "1/10,5/29", "--p0", "0.1", "--responses", "6"), (0.1, 0.6), codes=(0, 1)),
    Way("simulate", ("simulate", FULL, "--trials", "2000000"), (0.5, 4.0)),
    Way("design", ("design", *LARGE), (0.5, 2.5), codes=(0, 1)),
    Way("reproduce", ("reproduce", "--n", "200", *MANY), (0.5, 3.0), codes=(0, 1)),
    Way("up-to", ("reproduce", "--up-to", "300"), (0.5, 3.0), codes=(0, 1)),
    Way("sweep", ("sweep", "{sweep}", "--out", "{out}", "--yes"), (0.0, 5.0), after="to do: "),
    Way("report", ("report", SMOKE, "--out", "{out}"), (0.0, 7.0), limit=3.0, codes=(0, 1), after="01_design"),
    Way("reports", ("report", SMOKE, FULL, "--out", "{out}"), (0.0, 7.0), limit=3.0, after="01_design"),
    Way("explorer", ("explore", "--no-browser"), (0.3, 4.0), limit=3.0, codes=(0, 1)),
    Way("explorer-pages", ("explore", "--no-browser"), (0.0, 2.0), limit=3.0, codes=(0, 1)),
)  # fmt: skip


def long_sweep(folder):
    """A sweep that nobody waits for."""
    return sweeping.written(folder, "long", 10_000_000)


def one(way, folder, draw):
    """Interrupt a command: its process or its group, once or three times. What is wrong, and the seconds it took."""
    sweep, out = long_sweep(folder), folder / "out"
    words = [str(word).format(sweep=sweep, out=out) for word in way.words]
    moment, group, times = draw.uniform(*way.moments), draw.random() < 0.5, draw.choice((1, 1, 3))
    err = folder / "err"
    with err.open("w") as heard, started(words, stderr=heard, env=environment(), cwd=folder) as process:
        if way.name == "explorer-pages":
            _opened(process, err, draw.randint(1, 3))
        listening(process)
        _said(process, err, way.after)
        time.sleep(moment)
        began = time.monotonic()
        for k in range(times):
            _interrupted(process, group=group)
            time.sleep(0.05 * (k < times - 1))
        seconds = _gone(process, began, way.limit + 10)
        code, left = process.poll(), living(process)
        end(process)
    said = err.read_text(encoding="utf-8", errors="replace")
    told = f"after {moment:.2f} s, {times} times, {'its group' if group else 'itself'}: "
    faults = _faults(way, code, said, seconds)
    if left:
        faults.append(f"{len(left)} processes live on")
    hidden = sorted(path.name for path in out.glob(".*") if path.name != ".lock") if out.exists() else []
    if hidden:
        faults.append(f"leaves {hidden}")
    return (told + "; ".join(faults) if faults else ""), seconds


def _faults(way, code, said, seconds):
    """What is wrong with how a command has ended."""
    lines = said.splitlines()
    ours = [line for line in lines if line.startswith(TOLD)]
    faults = []
    # what was done already may be ended by the signal itself, in the last moments of the interpreter
    if code not in way.codes and not (code == -signal.SIGINT and 0 in way.codes and not ours):
        faults.append(f"exit code {code}")
    if code == 1 and len(ours) != 1 and not way.name.startswith("explorer"):
        faults.append(f"{len(ours)} lines say that it was interrupted: {lines[-2:]}")
    if ours and lines[-1] != ours[0]:
        faults.append(f"says more afterwards: {lines[-1][:200]!r}")
    if "Traceback" in said or "was not foreseen" in said:
        faults.append(f"traceback: {' '.join(lines[-3:])[:300]}")
    if seconds > way.limit:
        faults.append(f"took {seconds:.1f} s, more than {way.limit:g} s")
    return faults


def _interrupted(process, *, group):
    try:
        if group:
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
    except ProcessLookupError:
        return


def _gone(process, began, most):
    """Seconds until everything that a command has started has ended."""
    while time.monotonic() - began < most:
        if process.poll() is not None and not living(process):
            break
        time.sleep(0.01)
    return time.monotonic() - began


def _said(process, err, words):
    """Wait until a command has said some words, a pattern; what is found."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(words, err.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found
        time.sleep(0.02)
    return None


def _opened(process, err, pages):
    """Wait for the explorer's address, and open some pages that are never closed in order."""
    found = _said(process, err, r"http://\S+")
    for _ in range(pages if found else 0):
        try:
            urllib.request.urlopen(found[0].rstrip(".,;)"), timeout=0.7).close()
        except OSError:  # the page takes as long as its kernel; the request alone counts
            continue
