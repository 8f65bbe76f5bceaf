"""How fast the search for three stages and that for flexible sizes are, beside a plain search in the same run.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/three.py [--quick]

The plain search multiplies matrices as the complete one does, with the bounds of F1 and F2 and the one on EN(p0), but
knows no design beforehand and asks nothing before it multiplies. Each figure is the least of several repetitions, in
one process, after import, certificate included; optimal and minimax together. Time is that of the processor, as these
machines are shared; compare the ratios all the same, not the milliseconds: the targets are 100 ms and 700 ms for the
first two settings on one core of their own.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from simtrial import Requirements, looks_text
from simtrial.search import flexible
from simtrial.search.scan import Tables
from simtrial.search.three_looks import looks as three_looks
from simtrial.search.three_looks.rows import Sizes

SETTINGS = ((0.3, 0.5, 0.05, 0.9), (0.3, 0.45, 0.05, 0.9), (0.1, 0.3, 0.05, 0.8))
TARGETS = (100, 700, None)
WITH_EFFICACY = ((0.1, 0.3, 0.05, 0.8), (0.3, 0.5, 0.05, 0.8))
FLEXIBLE = (((0.1, 0.3, 0.05, 0.8), 8), ((0.7, 0.9, 0.05, 0.8), 6))


def plain(asked: Requirements, n_max: int) -> tuple[float, int]:
    """Least EN(p0) up to n_max, and the least n3: all first and third looks of each second look in one product."""
    tables = Tables(asked, n_max, whole=True)
    best, fewest = np.inf, n_max + 1
    n_lower = int(np.flatnonzero(tables.possible[1:])[0]) + 1
    x = np.arange(n_max + 1)
    for n2 in range(2, n_max):
        pairs = [(n1, r1) for n1 in range(1, n2) if n1 < best for r1 in range(int(tables.r1_high[n1]) + 1)]
        third = [
            (n3, r3) for n3 in range(max(n_lower, n2 + 1), n_max + 1) for r3 in range(1, int(tables.r_high[n3]) + 1)
        ]
        if not pairs or not third:
            continue
        (n1, r1), (n3, r3) = np.array(pairs).T, np.array(third).T
        mass = [
            np.array([np.convolve(pmf[a, : a + 1] * (x[: a + 1] > b), pmf[n2 - a, : n2 - a + 1]) for a, b in pairs])
            for pmf in tables.pmf
        ]
        later = tables.padded[:, n3 - n2, np.maximum(tables.PAD + r3 - x[: n2 + 1, np.newaxis], 0)]
        for r2 in range(1, int(tables.r1_high[n2]) + 1):
            go = mass[0][:, r2 + 1 :].sum(axis=1)
            a = n1 + (n2 - n1) * tables.tail[0, n1, r1]
            some = (r1 < r2) & (a + go * (n3.min() - n2) < best) & (mass[1][:, r2 + 1 :].sum(axis=1) >= asked.power)
            en = a[some, np.newaxis] + go[some, np.newaxis] * (n3 - n2)
            keeps, has = (one[some, r2 + 1 :] @ t[r2 + 1 :] for one, t in zip(mass, later, strict=True))
            met = (keeps <= asked.alpha) & (has >= asked.power) & (r3 > r2)
            if met.any():
                best = min(best, float(en[met].min()))
                fewest = min(fewest, int(n3[met.any(axis=0)].min()))
    return best, fewest


def least_ms(work: Callable[[], object], repetitions: int) -> float:
    """Least time of one call, in milliseconds."""
    times = []
    for _ in range(repetitions):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return 1000 * min(times)


def complete(asked: Requirements, sizes: Sizes) -> three_looks.ThreeLooks:
    """The search itself, with both answers."""
    found = three_looks._search(asked, sizes)
    for aim in (three_looks.LEAST_EN, three_looks.LEAST_N):
        found.result(aim)
    return found


def main() -> None:
    """Print what each takes."""
    quick = "--quick" in sys.argv
    for limits, target in zip(SETTINGS, TARGETS, strict=True):
        asked = Requirements(*limits)
        found = complete(asked, Sizes())
        here = least_ms(lambda asked=asked: complete(asked, Sizes()), 5 if quick else 20)
        best = found.result(three_looks.LEAST_EN)
        line = f"three stages {limits}: {here:.0f} ms{f' (target {target})' if target else ''}, {looks_text(best.best)}"
        if not quick:
            n_upper = best.certificate.n_upper
            # EN(p0) ends the plain search before it has seen every n3, so only its least EN(p0) must be right
            assert abs(plain(asked, n_upper)[0] - best.best.en_p0) < 1e-9
            there = least_ms(lambda asked=asked, n=n_upper: plain(asked, n), 1)
            line += f"; the plain search up to n = {n_upper} takes {there / here:.1f} times as long"
        print(line, flush=True)
    for limits in WITH_EFFICACY[: 1 if quick else 2]:
        asked = Requirements(*limits)
        took = least_ms(lambda asked=asked: complete(asked, Sizes(efficacy=True)), 1 if quick else 3)
        print(f"the same with stops for efficacy {limits}: {took:.0f} ms", flush=True)
    for limits, k in FLEXIBLE:
        asked = Requirements(*limits)
        took = least_ms(lambda asked=asked, k=k: flexible._known_flexible.__wrapped__(asked, k, 3000, False), 3)
        print(f"flexible sizes {limits}, k = {k}: {took:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
