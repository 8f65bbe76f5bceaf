"""How fast Bayesian boundaries and adaptive designs are found, in searches for Simon's designs in the same run.

    .venv/bin/python benchmarks/rules.py

Each figure is the least processor time of several repetitions, every one a question of its own, so that nothing that is
kept answers it. These machines are shared, so compare the ratios, not the milliseconds.
"""

import time
from collections.abc import Callable, Iterator
from itertools import count

from simtrial import Requirements
from simtrial.search import branching, criteria, rules
from simtrial.search.constraints import Constraints

QUESTIONS: Iterator[int] = count(1)


def asked(p0: float, p1: float, alpha: float, power: float) -> Requirements:
    """A question that differs from every other one by less than matters."""
    return Requirements(p0, p1, alpha, power - 1e-9 * next(QUESTIONS))


def milliseconds(function: Callable[[], object], repetitions: int) -> float:
    """Least processor time of one call; the first, which imports, is not counted."""
    function()
    times = []
    for _ in range(repetitions):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return 1000 * min(times)


def thall_simon() -> object:
    """Bounds at every patient up to 40."""
    prior = f"20,{80 + 1e-6 * next(QUESTIONS)}"
    return rules.bounds_by(
        "thall_simon", looks_at=tuple(range(1, 41)), prior_e="0.4,1.6", prior_s=prior, delta=0.1, theta_l=0.05,
        theta_u=0.95,
    )  # fmt: skip


def adaptive(cap: int, *question: float) -> object:
    """The best table with at most so many patients."""
    p0, p1, alpha, power = question
    return branching.search(asked(p0, p1, alpha, power), restrictions=branching.Restrictions(cap=cap))


def main() -> None:
    """Print the figures."""
    four = Constraints(looks_at=(10, 20, 30, 40))
    named: list[tuple[str, Callable[[], object], int]] = [
        ("Simon's designs, .30/.50, .05/.80", lambda: criteria.family(asked(0.3, 0.5, 0.05, 0.8), "optimal"), 20),
        ("BOP2, four looks, .20/.40", lambda: criteria.family(asked(0.2, 0.4, 0.1, 0.8), "bop2_most_power", four), 20),
        ("Thall and Simon, bounds at 1 to 40", thall_simon, 20),
        *((f"adaptive, .20/.50, cap {cap}", lambda n=cap: adaptive(n, 0.2, 0.5, 0.05, 0.8), 3) for cap in (20, 40, 60)),
        ("adaptive, .30/.50, cap 60", lambda: adaptive(60, 0.3, 0.5, 0.05, 0.8), 3),
    ]
    found = [(name, milliseconds(function, times)) for name, function, times in named]
    for name, spent in found:
        print(f"{name:36} {spent:8.1f} ms, {spent / found[0][1]:6.1f} searches for Simon's designs")


if __name__ == "__main__":
    main()
