"""How fast the exact engines are, beside R clinfun's compiled ph2simon in the same run where it is installed.

    make bench                      or: .venv/bin/python benchmarks/search.py [--quick]

Each figure is the least of several repetitions, in one process, after import: these machines are shared, and the least
is what the code can do. Compare the ratios, not the milliseconds. R finds clinfun by its own rules (R_LIBS). The third
setting takes R about a minute; --quick leaves it out.
"""

import shutil
import subprocess
import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from simtrial import Requirements, exact, looks_text, parse_looks, search

SETTINGS = (  # p0, p1, alpha, power, clinfun's nmax, our repetitions, clinfun's repetitions
    (0.1, 0.3, 0.05, 0.8, 100, 200, 9),
    (0.3, 0.4, 0.05, 0.9, 300, 20, 3),
    (0.5, 0.55, 0.05, 0.9, 1000, 5, 1),
)


def least_ms(work, repetitions: int) -> float:
    """Least time of one call, in milliseconds."""
    work()
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


def clinfun_ms(p0: float, p1: float, alpha: float, power: float, n_max: int, repetitions: int) -> float | None:
    """Least time of ph2simon, measured inside R after loading; None without R or clinfun."""
    if shutil.which("Rscript") is None:
        return None
    program = f"""
        suppressMessages(library(clinfun)); best <- Inf
        for (i in 1:{repetitions}) {{
          began <- as.numeric(Sys.time()); found <- ph2simon({p0}, {p1}, {alpha}, {1 - power:.10g}, {n_max})
          best <- min(best, as.numeric(Sys.time()) - began)
        }}
        cat(best * 1000)"""
    done = subprocess.run(["Rscript", "-e", program], capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 else None


def clinfun_at_its_default_limit() -> str:
    """What ph2simon prints for .30/.45, alpha .05, power .90 when nobody raises nmax from 100."""
    program = "suppressMessages(library(clinfun)); print(ph2simon(.3, .45, .05, .1))"
    done = subprocess.run(["Rscript", "-e", program], capture_output=True, text=True)
    return done.stdout.strip()


def main() -> None:
    """Print the tables."""
    table = Table(title="Complete two-stage search (clinfun: up to its nmax; simtrial: no limit on n)")
    for head in ("p0, p1, alpha, power", "optimal", "simtrial, ms", "clinfun, ms", "clinfun / simtrial"):
        table.add_column(head, justify="right")
    settings = SETTINGS[:2] if "--quick" in sys.argv else SETTINGS
    for p0, p1, alpha, power, n_max, ours, theirs in settings:
        asked = Requirements(p0, p1, alpha, power)
        here = least_ms(lambda asked=asked: search.two_stage(asked), ours)
        there = clinfun_ms(p0, p1, alpha, power, n_max, theirs)
        table.add_row(
            f"{p0}, {p1}, {alpha}, {power}",
            looks_text(search.two_stage(asked).optimal, " "),
            f"{here:.2f}",
            "not installed" if there is None else f"{there:.1f}",
            "" if there is None else f"{there / here:.1f}",
        )
    console = Console(width=120)
    console.print(table)
    p = np.linspace(0, 1, 1001)
    other = Table(title="Other exact work, ms")
    other.add_column("what")
    other.add_column("ms", justify="right")
    for looks in ("1/10,5/29", "40/120,110/300"):
        design = parse_looks(looks)
        spent = least_ms(lambda design=design: exact.operating_characteristics(design, p), 50)
        other.add_row(f"operating characteristics of {looks} at 1,001 values of p", f"{spent:.2f}")
    for limits in ((0.1, 0.3, 0.05, 0.8), (0.5, 0.55, 0.05, 0.9)):
        asked = Requirements(*limits)
        spent = least_ms(lambda asked=asked: search.single_stage(asked), 20)
        other.add_row(f"single stage, first and sustained n, {limits}", f"{spent:.2f}")
    console.print(other)
    if shutil.which("Rscript"):
        asked = Requirements(0.3, 0.45, 0.05, 0.9)
        best = search.two_stage(asked).optimal
        print(clinfun_at_its_default_limit() or "clinfun is not installed")
        print(f"\nsimtrial, no limit on n: {looks_text(best, ' ')}, EN(p0) {best.en_p0:.2f}")


if __name__ == "__main__":
    main()
