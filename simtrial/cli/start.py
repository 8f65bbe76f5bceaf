"""The program from its first moment to its last.

The imports of the command line take half a second, and what libraries do at the end (join threads, wait for processes)
may take longer: neither may answer Ctrl-C with a traceback, or not at all.
"""

from __future__ import annotations

import os
import sys

from simtrial import interruption
from simtrial.cli import interrupts


def main() -> int:
    """Run the command line of this process and give its exit code; see `simtrial.cli.app.main`."""
    interrupts.listen(interrupts.end_at_once)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed by who started this
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - a device, to the end
    from simtrial import libraries
    from simtrial.cli import app

    libraries.postpone()
    interrupts.listen(interruption.end)
    code = app.main()
    if interruption.received():
        from contextlib import suppress

        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # nobody may read any more
                stream.flush()
        _leave_nothing_named()
        os._exit(code)
    return code


def _leave_nothing_named() -> None:
    """Remove the names of semaphores, of which another process would otherwise tell after the last line."""
    shared = sys.modules.get("multiprocessing.util")
    if shared is not None:
        shared._run_finalizers(0)  # those that wait for threads come after these, and are left out
