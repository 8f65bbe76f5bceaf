"""Processes that tests start: they hear Ctrl-C wherever the tests run, and none outlives its test."""

import contextlib
import re
import signal
import subprocess
import time
from pathlib import Path


def spawned(command, **options):
    """Start a process that hears Ctrl-C, and that its terminal is closed.

    A shell starts what it puts in the background with SIGINT ignored, nohup with SIGHUP, and children inherit that; a
    signal that has a handler here is a child's default again.
    """
    before = {one: signal.signal(one, signal.default_int_handler) for one in (signal.SIGINT, signal.SIGHUP)}
    try:
        return subprocess.Popen(command, **options)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def reaped(process):
    """See to it that a process has ended and is reaped, whatever the test found."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def listening(process):
    """Wait until it is our program that hears signals: before, for some milliseconds, the interpreter starts.

    The interpreter alone takes SIGINT but not SIGTERM.
    """
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        caught = re.search(r"^SigCgt:\s*(\w+)", status.read_text(), flags=re.MULTILINE)
        if caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.001)
