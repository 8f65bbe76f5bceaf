"""Kills: a sweep is killed at random moments and continued; a report is killed, and the next run clears up."""

import contextlib
import os
import signal
import time

import sweeping
from processes import ROOT, alone, ended, environment, living, started


def killed(process, seconds, *, all_of_it):
    """Kill a command after some seconds: itself, or everything that it started as well."""
    with contextlib.suppress(Exception):
        process.wait(seconds)
    for one in living(process) if all_of_it else [process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def at_file(process, out, number, seconds):
    """Wait until a folder holds so many files, finished or not, so that a kill comes while something is written."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        if sum(len(names) for _, _, names in os.walk(out)) >= number:
            return
        time.sleep(0.001)


def sweep(calm, folder, draw):
    """Kill a sweep once or twice, at a moment or as a file appears, and continue it."""
    out, longest = folder / "out", 1.1 * calm.seconds
    for _ in range(draw.choice((1, 1, 2))):
        moment, number, everything = draw.uniform(0, longest), draw.randint(1, 14), draw.random() < 0.5
        with started(sweeping.words(calm.file, out), env=environment()) as process:
            if draw.random() < 0.5:
                at_file(process, out, number, longest)
                moment = 0.0
            killed(process, moment, all_of_it=everything)
            if not alone(process, 10):
                return "its workers outlive it"
    before = sweeping.finished(out)
    return sweeping.wrong(calm, out, before, sweeping.run(calm.file, out))


def begun(process, out):
    """Wait until a report has begun: it is made in a folder of its own beside the older one."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and not list(out.glob(".SMOKE*")):
        time.sleep(0.02)


def report(folder, draw, made):
    """Kill a report at a random moment where an older one stands; the next run removes what is left."""
    out = folder / "build"
    old = _copied(made, out)
    command = ["report", ROOT / "params/smoke.yaml", "--out", out, "--no-docx"]
    with started(command, env=environment()) as process:
        begun(process, out)
        killed(process, draw.uniform(0.0, 7.0), all_of_it=draw.random() < 0.5)
        if not alone(process, 20):
            return "its kernels outlive it"
    if _bytes(out / "SMOKE") != old and not (out / "SMOKE/manifest.json").exists():
        return "the older report is damaged"
    with started(command, env=environment()) as process:
        code, _, err = ended(process, sweeping.SECONDS)
    left = sorted(path.name for path in out.iterdir() if path.name not in ("SMOKE", "index.html"))
    if code or "Traceback" in err:
        return f"the next run ends with {code}: {err.strip().splitlines()[-1:]}"
    return f"leaves {left}" if left else ""


def first(folder):
    """A report that stands there before."""
    out = folder / "first"
    with started(["report", ROOT / "params/smoke.yaml", "--out", out, "--no-docx"], env=environment()) as process:
        code, _, err = ended(process, sweeping.SECONDS)
    if code:
        raise RuntimeError(f"the undisturbed report ended with {code}: {err}")
    return out


def _copied(made, out):
    import shutil

    shutil.copytree(made, out)
    return _bytes(out / "SMOKE")


def _bytes(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
