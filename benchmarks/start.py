"""How long a person waits: whole processes, from start to end.

make bench                      or: .venv/bin/python benchmarks/start.py
"""

import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import simtrial": ["-c", "import simtrial"],
    "simtrial oc": ["-m", "simtrial", "oc", "--looks", "1/10,5/29", "--p", "0.1", "--json"],
    "simtrial design": [
        *(
            "-m",
            "simtrial",
            "design",
            "--p0",
            "0.1",
            "--p1",
            "0.3",
            "--alpha",
            "0.05",
            "--power",
            "0.8",
            "--json",
        ),
    ],
}


def main() -> None:
    """Print the least of seven runs of each command, in seconds."""
    for name, arguments in COMMANDS.items():
        times = []
        for _ in range(7):
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            times.append(time.perf_counter() - began)
        print(f"{name:18s} {min(times):.2f} s")


if __name__ == "__main__":
    main()
