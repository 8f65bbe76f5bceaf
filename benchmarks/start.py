"""How long a person waits: whole processes, from start to end.

make bench                      or: .venv/bin/python benchmarks/start.py
"""

import resource
import subprocess
import sys
import time

ASKED = ("design", "--p0", "0.1", "--p1", "0.3", "--alpha", "0.05", "--power", "0.8")
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import simtrial": ["-c", "import simtrial"],
    "simtrial oc": ["-m", "simtrial", "oc", "--looks", "1/10,5/29", "--p", "0.1", "--json"],
    "simtrial design": ["-m", "simtrial", *ASKED],
    "... in JSON": ["-m", "simtrial", *ASKED, "--json"],
}


def main() -> None:
    """Print the least of seven runs of each command: seconds that pass, and those of the processor.

    Where other work runs, the first is mostly waiting, and the second says what a quiet machine would take.
    """
    for name, arguments in COMMANDS.items():
        passed, used = [], []
        for _ in range(7):
            began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            passed.append(time.perf_counter() - began)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        print(f"{name:18s} {min(passed):.2f} s, processor {min(used):.2f} s")


if __name__ == "__main__":
    main()
