"""The program from its first moment to its last.

The imports of the command line take half a second, and what libraries do at the end (join threads, wait for processes)
may take longer: neither may answer Ctrl-C with a traceback, or not at all.
"""

from __future__ import annotations

import os
import sys

from simtrial.cli import interrupts


def main() -> int:
    """Run the command line of this process and give its exit code; see `simtrial.cli.app.main`."""
    interrupts.listen(interrupts.end_at_once)
    from simtrial.cli import app

    interrupts.listen(interrupts.end)
    code = app.main()
    if interrupts.received():
        from contextlib import suppress

        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # nobody may read any more
                stream.flush()
        os._exit(code)
    return code
