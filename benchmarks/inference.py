"""Every estimate, p-value and interval of every ending of a design with 63 patients, beside one ending at a time.

    make bench                      or: .venv/bin/python benchmarks/inference.py

The ratio says what the arrays buy; R singlearm, which takes minutes for such a table, is not needed here.
"""

import time

from simtrial import TwoStage
from simtrial.analysis import inference

DESIGN = TwoStage(3, 20, 12, 63)


def seconds(task: object, repetitions: int = 5) -> float:
    """Least of several runs."""
    least = float("inf")
    for _ in range(repetitions):
        began = time.perf_counter()
        task()  # type: ignore[operator]
        least = min(least, time.perf_counter() - began)
    return least


def main() -> None:
    """Print a line."""
    found = inference.every_ending(DESIGN, 0.1)
    places = list(zip(found.endings.stage.tolist(), found.endings.responses.tolist(), strict=True))
    table = seconds(lambda: inference.every_ending(DESIGN, 0.1))
    alone = seconds(lambda: [inference.analyze(DESIGN, s, 0.1, k) for k, s in places], 1)
    numbers = sum(map(len, (found.estimates, found.p_values))) + 2 * len(found.intervals)
    print(
        f"{len(places)} endings of 3/20 12/63, {numbers} numbers each: {1000 * table:.0f} ms; "
        f"one by one {alone / table:.0f} times as long"
    )


if __name__ == "__main__":
    main()
