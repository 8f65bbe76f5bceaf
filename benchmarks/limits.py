"""The largest work that is accepted: how long it takes and how much memory, each in a process of its own.

make bench                      or: .venv/bin/python benchmarks/limits.py
"""

import subprocess
import sys

LARGEST = {
    "search, n_lower near the default limit": "search.two_stage(Requirements(.5, .5328, .05, .9))",
    "search, n_lower near the highest limit": "search.two_stage(Requirements(.9, .9134, .05, .8), n_limit=3000)",
    "10,000,000 trials of the registered plan": (
        "case = Case.of(params.load('params/NCT07022301.yaml'));"
        "simulation.simulate(case.plan, case.trial.scenarios[:1], 10_000_000, 1)"
    ),
    "looks of 5,000 and 10,000 patients": "exact.operating_characteristics(parse_looks('1000/5000,2200/10000'), .2)",
}
PROGRAM = """
import resource, time
from simtrial import Requirements, exact, parse_looks, search
from simtrial.conduct import simulation
from simtrial.trial import params
from simtrial.trial.case import Case
began = time.perf_counter()
{work}
spent, most = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"{{spent:6.1f}} s {{most / 1024:6.0f}} MB")
"""


def main() -> None:
    """Print a line a piece of work."""
    for name, work in LARGEST.items():
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(work=work)], check=True, capture_output=True, text=True
        )
        print(f"{name:40s} {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
