"""Commands as processes of their own: marked, so that whatever they start is seen and ended with them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from children import reaped, spawned  # noqa: E402 - where it is, is known now

SIMTRIAL = [sys.executable, "-m", "simtrial"]


MARK = "SIMTRIAL_FAULTS"
"""Variable by whose value whatever a command has started is known: kernels have groups and sessions of their own."""


def environment(**folders):
    """The environment of a command: this clone, a mark, and a cache of its own where results might be kept."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", MARK: uuid.uuid4().hex}
    if "cache" in folders:
        env["XDG_CACHE_HOME"] = str(folders["cache"])
    return env


@contextlib.contextmanager
def started(words, *, program=SIMTRIAL, **options):
    """Start a command in a session of its own; when it is left, nothing that it started lives on."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "surrogateescape"}
    options = pipes | {"stdin": subprocess.DEVNULL, "start_new_session": True, "env": environment()} | options
    with reaped(spawned([*program, *map(str, words)], **options)) as process:
        process.mark = options["env"][MARK]
        try:
            yield process
        finally:
            end(process)


def end(process):
    """End whatever a command has started, and nothing else."""
    for _ in range(5):
        for one in living(process):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        time.sleep(0.02)


@contextlib.contextmanager
def pool(begin=None):
    """Processes that try faults side by side; broken off, they end what they have started."""
    made = ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=begin)
    try:
        yield made
    except BaseException:
        workers = list((made._processes or {}).values())
        made.shutdown(wait=False, cancel_futures=True)
        for one in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGINT)
        raise
    finally:
        made.shutdown()


def ended(process, seconds):
    """Wait for a command: its exit code, and what it printed; -999 where it does not end in time."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        end(process)
        out, err = process.communicate(timeout=30)
        return -999, out, err
    return process.returncode, out, err


def living(process):
    """Processes that a command has started, itself among them, which have not ended."""
    sign = f"{MARK}={process.mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):  # of another user, or ended meanwhile
                if sign in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def alone(process, seconds):
    """Wait until nothing that a command has started lives; whether that is so in time."""
    deadline = time.monotonic() + seconds
    while living(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
