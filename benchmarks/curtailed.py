"""How fast curtailment is, beside the same recursion state by state in plain Python in the same run.

    .venv/bin/python benchmarks/curtailed.py

Each figure is the least of several repetitions in one process, after import. These machines are shared, so compare the
ratios, not the seconds. The plain search does what the package does, theta_f by bisection for every r and theta_e, one
design at a time, and finds the same design; it is run for one N, and both for that N are compared.
"""

import math
import time
from collections.abc import Callable

from simtrial import Requirements, SingleStage, looks_text
from simtrial.search import curtailed, thresholds
from simtrial.search.aim import Aim
from simtrial.search.constraints import Constraints
from simtrial.search.curtailment import curtail

ASKED = Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)
BLOCK, ONE_N = 5, 25
CAPS = {5: 35, 1: 25}
"""The largest N, by block."""


def seconds(function: Callable[[], object], repetitions: int) -> float:
    """Least time of one call."""
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def plain_pmf(n: int, p: float) -> list[float]:
    """b(y; n, p)."""
    return [math.comb(n, y) * p**y * (1 - p) ** (n - y) for y in range(n + 1)]


def plain_design(last: int, r: int, lower: float, upper: float) -> tuple[float, float, float]:
    """P(reject) at p0 and p1 and EN(p0) of one design, state by state."""
    rates = (ASKED.p0, ASKED.p1)
    steps = [plain_pmf(BLOCK, p) for p in rates]
    values = [[float(x > r) for x in range(last + 1)] for _ in rates]
    further = [0.0] * (last + 1)
    n = last
    while n > BLOCK:
        n -= BLOCK
        values = [
            [sum(step[y] * row[x + y] for y in range(BLOCK + 1)) for x in range(n + 1)]
            for step, row in zip(steps, values, strict=True)
        ]
        further = [BLOCK + sum(steps[0][y] * further[x + y] for y in range(BLOCK + 1)) for x in range(n + 1)]
        for x in range(n + 1):
            futile = values[1][x] < lower or r - x >= last - n
            effective = values[1][x] > upper or x > r
            if futile or effective:
                values[0][x] = values[1][x] = float(effective)
                further[x] = 0.0
    first = [plain_pmf(n, p) for p in rates]
    reject = [sum(a * b for a, b in zip(one, row, strict=True)) for one, row in zip(first, values, strict=True)]
    return reject[0], reject[1], n + sum(a * b for a, b in zip(first[0], further, strict=True))


def plain_search(last: int) -> float:
    """Least EN(p0) of the class for one N."""
    watched, best = thresholds.Watched(ASKED, last, BLOCK), math.inf
    for r in range(last):
        lowers, uppers = (one.tolist() for one in watched.thresholds(r))
        for upper in uppers:
            low, high = 0, len(lowers)
            while low < high:
                middle = (low + high) // 2
                if plain_design(last, r, lowers[middle], upper)[1] < ASKED.power:
                    high = middle
                else:
                    low = middle + 1
            for k in range(low - 1, -1, -1):  # the type I error only rises from here
                type_i_error, _, en = plain_design(last, r, lowers[k], upper)
                if type_i_error > ASKED.alpha:
                    break
                best = min(best, en)
    return best


def main() -> None:
    """Print the figures."""
    here = seconds(lambda: thresholds.Watched(ASKED, ONE_N, BLOCK).kept(), 20)
    began = time.perf_counter()
    found = plain_search(ONE_N)
    there = time.perf_counter() - began
    ours = thresholds.Watched(ASKED, ONE_N, BLOCK).kept().expected[0].min()
    assert abs(found - ours) < 1e-9, (found, ours)
    print(f"N = {ONE_N}, blocks of {BLOCK}: {here:.4f} s, plain Python {there:.2f} s, {there / here:.0f} times as long")
    for block, cap in CAPS.items():
        search = curtailed.search(ASKED, constraints=Constraints(multiple_of=block, cap=cap))

        def every(search: curtailed.CurtailedSearch = search) -> None:
            work = curtailed.WORK / len(search.sizes)
            for n in search.sizes:
                thresholds.Watched(ASKED, n, search.block, work).kept()

        best = search.result(Aim(en_p0=1.0)).best
        print(
            f"Search over thresholds, N {search.sizes[0]} to {search.sizes[-1]} in blocks of {block}: "
            f"{seconds(every, 10 if block > 1 else 3):.3f} s; least EN(p0) {best.en_p0:.2f}: {looks_text(best)[:36]}"
        )
    for base, given in ((SingleStage(16, 39), {}), (SingleStage(16, 39), {"theta_f": 0.1, "theta_e": 0.999})):
        spent = seconds(lambda base=base, given=given: curtail(base, 0.5, **given), 50)
        how = str(given) if given else "non-stochastic"
        print(f"{looks_text(base)} curtailed after every patient, {how}: {1000 * spent:.1f} ms")
    spent = seconds(lambda: curtail(SingleStage(300, 3000), 0.105, theta_f=0.1, theta_e=0.95, cp="plain"), 3)
    print(f"Curtailment of 300/3000 after every patient: {spent:.2f} s")


if __name__ == "__main__":
    main()
