"""How fast the bound of given looks and the best stopping bounds are, beside plain backward induction in the same run.

    .venv/bin/python benchmarks/best_bounds.py

The reference is one backward induction in plain Python, without arrays. Machines are shared: compare the ratios.
"""

import time
from collections.abc import Callable

from simtrial import Requirements
from simtrial.search.aim import Aim
from simtrial.search.stopping import bellman, solution

QUESTIONS = (
    ((0.1, 0.3, 0.05, 0.8), tuple(range(1, 31))),
    ((0.1, 0.3, 0.05, 0.8), tuple(range(5, 36, 5))),
    ((0.2, 0.4, 0.05, 0.8), tuple(range(1, 36))),
    ((0.1, 0.2, 0.05, 0.9), tuple(range(1, 110))),
)
EN_P0 = Aim(en_p0=1.0)


def plain(p0: float, p1: float, n_max: int, prices: tuple[float, float]) -> float:
    """The least cost with a look at every patient, per course of responses, by loops."""
    later: list[float] = []
    for n in range(n_max, -1, -1):
        here = []
        for x in range(n + 1):
            at0, at1 = p0**x * (1 - p0) ** (n - x), p1**x * (1 - p1) ** (n - x)
            onward = at0 + later[x] + later[x + 1] if later else float("inf")
            here.append(min(onward, 0.0, prices[0] * at0 - prices[1] * at1) if n else onward)
        later = here
    return later[0]


def seconds(work: Callable[[], object]) -> float:
    """Time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Print the figures."""
    bellman.least(Requirements(0.2, 0.6, 0.1, 0.8), (3, 6), EN_P0)  # imports
    for limits, looks in QUESTIONS:
        asked = Requirements(*limits)
        board = bellman.Board(asked=asked, looks=looks, weights=(1.0, 0.0))
        bound = seconds(lambda board=board: bellman.highest(board))
        whole = seconds(lambda board=board: solution.solve.__wrapped__(board))
        once = seconds(lambda limits=limits, looks=looks: plain(*limits[:2], looks[-1], (56.5, 45.9)))
        found = solution.solve.__wrapped__(board)
        print(f"{limits}, {len(looks)} looks up to {looks[-1]}:")
        print(f"  bound {bound:.3f} s ({bound / once:.1f} inductions), design {whole:.2f} s; value {found.value:.4f}")
        gap = 100 * (1 - found.least / found.value)
        print(f"  no design below {found.bound:.4f}, no rule below {found.least:.4f} (gap {gap:.2f} %)")


if __name__ == "__main__":
    main()
