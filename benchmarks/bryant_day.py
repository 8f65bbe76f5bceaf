"""How fast the search for designs with two endpoints is, beside a plain search in the same run.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/bryant_day.py [--quick]

The plain search multiplies the two lists of bounds for every n1 and n up to the end that the complete search proves,
with the same cuts of each endpoint, but it leaves no first look out, whatever it would expect of patients. Time is that
of the processor, the least of several repetitions in one process, optimal and minimax together, certificate included;
compare the ratios, as these machines are shared. The target is 0.2 s for the first three questions under independence.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from simtrial.search import bryant_day
from simtrial.search.bryant_day.margins import Margin

NAMES = ("r0", "r1", "t0", "t1", "alpha_r", "alpha_t", "power")
QUESTIONS = (
    (0.1, 0.3, 0.7, 0.9, 0.1, 0.1, 0.9),
    (0.2, 0.4, 0.6, 0.8, 0.1, 0.1, 0.9),
    (0.3, 0.5, 0.6, 0.8, 0.1, 0.1, 0.9),
    (0.2, 0.4, 0.7, 0.85, 0.15, 0.15, 0.8),
    (0.3, 0.45, 0.6, 0.75, 0.1, 0.1, 0.9),
)


def plain(asked: bryant_day.BothRates, n_max: int) -> float:
    """Least criterion under independence up to n_max."""
    margins = [Margin(alone, n_max) for alone in asked.margins]
    best = np.inf
    for n in range(2, n_max + 1):
        for n1 in range(1, n):
            both = [margin.allowed(n, n1, n1) for margin in margins]
            if None in both:
                continue
            lists, shares = [], []
            for margin, one in zip(margins, both, strict=True):
                some = one.some[:, 0]
                c1 = np.nonzero(some)[1]
                lists.append((one.null[:, 0][some], one.alternative[:, 0][some]))
                shares.append(margin.tables.tail[:, n1, c1])
            (r0, r1), (t0, t1) = lists
            met = np.outer(r0, t1) <= asked.alpha_r
            met &= (np.outer(r1, t0) <= asked.alpha_t) & (np.outer(r1, t1) >= asked.power)
            share = np.maximum(np.outer(shares[0][0], shares[1][1]), np.outer(shares[0][1], shares[1][0]))
            best = min(best, float(np.min(n1 + (n - n1) * share, where=met, initial=np.inf)))
    return best


def seconds(run: Callable[[], object], repetitions: int) -> tuple[float, object]:
    """Least processor time of one run, with what it gives."""
    times, given = [], None
    for _ in range(repetitions):
        began = time.process_time()
        given = run()
        times.append(time.process_time() - began)
    return min(times), given


def main() -> None:
    """Print one line per question and reach."""
    quick = "--quick" in sys.argv
    search = bryant_day.search.__wrapped__  # what is kept is not asked
    bryant_day.search(bryant_day.BothRates(**dict(zip(NAMES, (0.2, 0.6, 0.5, 0.9, 0.2, 0.2, 0.7), strict=True))))
    for numbers in QUESTIONS[: 1 if quick else None]:
        asked = bryant_day.BothRates(**dict(zip(NAMES, numbers, strict=True)))
        for phi in ("independence", "worst"):
            took, found = seconds(
                lambda asked=asked, phi=phi: search(asked, phi=phi), 1 if quick or phi == "worst" else 3
            )  # tables at the ends are kept
            said = f"{phi:13} {1000 * took:7.0f} ms  {found.optimal.design}; n from {found.n_lower} to {found.n_upper}"
            if phi == "independence":
                slow, value = seconds(lambda asked=asked, n=found.n_upper: plain(asked, n), 1)
                assert abs(value - found.optimal.value) < 1e-9
                said += f"; plain search {1000 * slow:.0f} ms"
            print(numbers, said, flush=True)


if __name__ == "__main__":
    main()
