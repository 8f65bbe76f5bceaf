"""The reviewer's desk: routes to 25 patients cold and from the cache, and the table of all numbers to 100.

make bench                      or: .venv/bin/python benchmarks/review.py
"""

import os
import tempfile
import time

from simtrial.review import routes

QUERY = dict.fromkeys(("p0", "p1", "alpha", "power", "dropout"))


def main() -> None:
    """Print a line a task."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        for said in ("cold", "from the cache"):
            began = time.perf_counter()
            found = routes.cached(25, QUERY)
            print(f"{len(found)} routes to 25 patients, {said}: {time.perf_counter() - began:.3f} s")
    began = time.perf_counter()
    table = routes.numbers(100)
    whole = sum(sum(row.values()) for row in table.values())
    print(f"{whole} routes to all numbers up to 100, without losses: {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
