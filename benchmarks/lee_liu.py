"""How fast the search of Lee and Liu's designs is, beside the same one state by state in plain Python in the same run.

    .venv/bin/python benchmarks/lee_liu.py

Each figure is the least of several repetitions in one process, after import, with nothing kept between them. These
machines are shared, so compare the ratios, not the seconds. The plain search takes every r and finds the largest
theta_L with the power by bisection; it is run for the N that is found, and both for that N are compared.
"""

import math
import time
from collections.abc import Callable

from simtrial import Requirements, looks_text
from simtrial.search.bayesian import lee_liu
from simtrial.search.bayesian.posterior import usual_prior

ASKED = Requirements(p0=0.2, p1=0.4, alpha=0.1, power=0.9)
FIRST, LAST = lee_liu.FIRST_LOOK, 36


def seconds(function: Callable[[], object], repetitions: int) -> float:
    """Least time of one call."""
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def plain_table(r: int) -> list[list[float]]:
    """PP of every state."""
    prior = usual_prior(ASKED.p0)
    table = [[float(x > r) for x in range(LAST + 1)]]
    for n in range(LAST - 1, FIRST - 1, -1):
        after = table[0]
        hits = [(prior.a + x) / (prior.a + prior.b + n) for x in range(n + 1)]
        table.insert(0, [hit * after[x + 1] + (1 - hit) * after[x] for x, hit in enumerate(hits)])
    return table[:-1]


def plain_oc(lower: list[int], r: int, p: float) -> tuple[float, float]:
    """P(reject H0; p) and EN(p)."""
    here = [math.comb(FIRST, x) * p**x * (1 - p) ** (FIRST - x) for x in range(FIRST + 1)]
    expected = float(FIRST)
    for bound in lower:
        here = [0.0 if x <= bound else share for x, share in enumerate(here)]
        expected += sum(here)
        stay, rise = [share * (1 - p) for share in here], [share * p for share in here]
        here = [a + b for a, b in zip([*stay, 0.0], [0.0, *rise], strict=True)]
    return sum(here[r + 1 :]), expected


def plain_search() -> float:
    """Least EN(p0) for one N."""
    best = math.inf
    for r in range(LAST):
        table = plain_table(r)
        values = sorted({value for row in table for value in row})

        def lower(theta: float, table: list[list[float]] = table) -> list[int]:
            return [sum(value < theta for value in row) - 1 for row in table]

        low, high = -1, len(values)
        while high - low > 1:
            middle = (low + high) // 2
            enough = plain_oc(lower(values[middle]), r, ASKED.p1)[0] >= ASKED.power
            low, high = (middle, high) if enough else (low, middle)
        if low >= 0:
            type_i_error, en = plain_oc(lower(values[low]), r, ASKED.p0)
            best = min(best, en if type_i_error <= ASKED.alpha else math.inf)
    return best


def main() -> None:
    """Print the figures."""
    at = lee_liu.at.__wrapped__  # type: ignore[attr-defined]  # what is kept would take no time
    looks = (*range(FIRST, LAST), LAST)
    here = seconds(lambda: at(ASKED, usual_prior(ASKED.p0), looks), 20)
    began = time.perf_counter()
    least = plain_search()
    plain = time.perf_counter() - began
    best = at(ASKED, usual_prior(ASKED.p0), looks).least_en[0]
    print(f"N = {LAST}: {here * 1000:.1f} ms, plain Python {plain * 1000:.0f} ms, ratio {plain / here:.0f}")
    print(f"  least EN(p0) {best.order[0] * 1e-9:.4f} and {least:.4f}: {looks_text(best.design)}")
    lee_liu.at = at
    for criterion in lee_liu.FAMILY.criteria:
        whole = seconds(lambda c=criterion: lee_liu.search(ASKED).result(c), 10)  # type: ignore[misc]
        print(f"whole search, {criterion.kind}: {whole * 1000:.0f} ms")


if __name__ == "__main__":
    main()
