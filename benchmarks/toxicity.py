"""How fast boundaries for toxicity and their endings beside a response design are, with plain code in the same run.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/toxicity.py

Each figure is the least of several repetitions in one process, after import, nothing kept from one to the next. The
plain calibration evaluates thresholds one by one by bisection over all attained values, each by the recursion over its
looks, with scipy's tails; the plain joint law is a dictionary of states, patient by patient. Both must find the same.
These machines are shared, so compare the ratios; the targets are 2 ms for a boundary with a look after each of 100
patients, and 50 ms for all endings of 60 patients with a look after each.
"""

import time
from collections.abc import Callable

import numpy as np
from scipy import stats

from simtrial import parse_looks
from simtrial.toxicity.association import cells
from simtrial.toxicity.calibrate import calibrated
from simtrial.toxicity.joint import endings
from simtrial.toxicity.kinds import BoundaryShape

K, LIMIT = 100, 0.1
SHAPES = {
    "pocock": BoundaryShape("pocock", 0.2),
    "obf": BoundaryShape("obf", 0.2),
    "wang_tsiatis": BoundaryShape("wang_tsiatis", 0.2, delta=0.25),
    "bayes": BoundaryShape("bayes", 0.2),
    "sprt": BoundaryShape("sprt", 0.2, unacceptable=0.4),
}
ROUNDS, ROUND = 12, 25
"""Repetitions: in rounds over all types, for what else the machine does comes and goes."""


def once(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def plain_crossing(bounds: list[int], rate: float) -> float:
    """Crossing probability by the recursion over patients; a bound above n stops for nothing."""
    state, total = np.ones(1), 0.0
    for n, b in enumerate(bounds, start=1):
        state = np.convolve(state, [1 - rate, rate])
        total += state[b:].sum()
        state = state[: min(b, n + 1)]
    return total


def plain_pocock(rate: float, last: int, limit: float) -> list[int]:
    """Pocock's boundary by bisection over all attained tail probabilities."""
    tails = [stats.binom.sf(np.arange(n), n, rate) for n in range(1, last + 1)]
    levels = np.unique(np.concatenate(tails))
    low, high = -1, len(levels)
    while high - low > 1:
        middle = (low + high) // 2
        bounds = [int((tail > levels[middle]).sum()) + 1 for tail in tails]
        low, high = (middle, high) if plain_crossing(bounds, rate) <= limit else (low, middle)
    return [int((tail > levels[low]).sum()) + 1 for tail in tails]


def plain_joint(n: int, r: int, bounds: dict[int, int], law: tuple[float, ...]) -> float:
    """P(reject H0) of a single stage under a boundary, state by state."""
    state = {(0, 0): 1.0}
    moves = (((1, 1), law[0]), ((1, 0), law[1]), ((0, 1), law[2]), ((0, 0), law[3]))
    for patient in range(1, n + 1):
        moved: dict[tuple[int, int], float] = {}
        for (x, t), weight in state.items():
            for (dx, dt), chance in moves:
                if t + dt < bounds.get(patient, n + 1):
                    moved[x + dx, t + dt] = moved.get((x + dx, t + dt), 0.0) + weight * chance
        state = moved
    return sum(weight for (x, _), weight in state.items() if x > r)


def main() -> None:
    """Print the figures."""
    times: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, shape in SHAPES.items():
            for _ in range(ROUND):
                took = once(lambda shape=shape: calibrated(shape, range(1, K + 1), LIMIT))
                times[name] = min(times.get(name, took), took)
    for name, took in times.items():
        print(f"boundary {name}, a look after each of {K} patients: {took:.2f} ms (target 2)")
    found = calibrated(SHAPES["pocock"], range(1, K + 1), LIMIT)
    assert [look.b or look.n + 1 for look in found.boundary.looks] == plain_pocock(0.2, K, LIMIT)
    there = min(once(lambda: plain_pocock(0.2, K, LIMIT)) for _ in range(5))
    print(f"plain bisection for the same Pocock boundary: {there:.0f} ms, {there / times['pocock']:.0f} times as long")
    for n, looks, r in ((60, "12/60", 12), (200, "40/200", 40)):
        boundary = calibrated(SHAPES["pocock"], range(1, n + 1), LIMIT).boundary
        design, given = parse_looks(looks), {"p": 0.3, "toxicity": 0.2, "odds_ratio": 2.0}
        took = min(once(lambda design=design, b=boundary, g=given: endings(design, b, **g)) for _ in range(50))
        bounds = {look.n: look.b for look in boundary.looks if look.b is not None}
        law = tuple(cells(0.3, 0.2, 2.0))
        began = time.perf_counter()
        reject = plain_joint(n, r, bounds, law)
        there = 1000 * (time.perf_counter() - began)
        assert abs(endings(design, boundary, **given).reject - reject) < 1e-12
        target = " (target 50)" if n == 60 else ""
        print(f"all endings of {n} patients, a look after each: {took:.1f} ms{target}; plain {there / took:.0f} times")


if __name__ == "__main__":
    main()
