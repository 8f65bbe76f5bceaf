"""Sweeps: 10,000 exact scenarios on one core, what flushing and Dask cost, what two workers gain, the driver's memory.

    make bench                      or: .venv/bin/python benchmarks/sweep.py

The simulated sweep takes about a minute serially; `--short` takes a few seconds. Efficiency is the serial time over
twice that with two workers, both in this run; of processors, for a machine that does other work as well, the processor
time of the serial run over that of the driver and both workers.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from simtrial import project
from simtrial.sweep import cluster as sweep_cluster
from simtrial.sweep import file as sweep_file
from simtrial.sweep import run as sweep_run
from simtrial.sweep import workers as sweep_workers

BASE = project.ROOT / "params/NCT07022301.yaml"
EXACT = ["reject", "pet", "n_enrolled", "n_screened", "overrun"]
MEMORY = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from simtrial.sweep import cluster as sweep_cluster
from simtrial.sweep import file as sweep_file
from simtrial.sweep import run as sweep_run
sweep_run.run(sweep_file.read(sys.argv[1]), Path(sys.argv[2]), lambda: ThreadPoolExecutor(1), 1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def written(folder: Path, name: str, axes: list[dict[str, object]], outcomes: list[str], trials: int) -> Path:
    """Write a sweep file."""
    path = folder / f"{name}.yaml"
    path.write_text(
        f"sweep:\n  base: {BASE}\n  axes: {json.dumps(axes)}\n  outcomes: {json.dumps(outcomes)}\n"
        f"  trials: {trials}\n  seed: 1\n"
    )
    return path


def exact_axes(rates: int) -> list[dict[str, object]]:
    """Axes with a hundred settings, or one, and so many true rates."""
    settings = 10 if rates > 1 else 1
    return [
        {"path": "conduct.enrollment.rate", "values": [round(1 + k / 10, 1) for k in range(settings)]},
        {"path": "conduct.dropout.probability", "values": [round(k / 50, 2) for k in range(10)]},
        {"path": "p", "values": [round((k + 1) / (10 * rates + 1), 6) for k in range(10 * rates)]},
    ]


def seconds(path: Path, out: Path, start: object, workers: int) -> tuple[float, float]:
    """Time of one run by the clock and of all processors, the reading of the file left out."""
    asked = sweep_file.read(path)
    began, worked = time.perf_counter(), processors()
    sweep_run.run(asked, out, start, workers)  # type: ignore[arg-type]  # any executor
    return time.perf_counter() - began, processors() - worked


def processors() -> float:
    """Seconds that processors have worked for this process and for those of its workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Print a line a figure."""
    from distributed import LocalCluster  # here, because every worker imports this file

    trials = 20_000 if "--short" in sys.argv else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many = written(folder, "exact", exact_axes(10), EXACT, 2)
        began = time.perf_counter()
        asked = sweep_file.read(many)
        read = time.perf_counter() - began
        whole, _ = seconds(many, folder / "exact", lambda: ThreadPoolExecutor(1), 1)
        print(
            f"{len(asked)} exact scenarios on one core: {whole:.1f} s, and {read:.1f} s to check them first", flush=True
        )
        true, os.fsync = os.fsync, lambda _: None
        loose, _ = seconds(many, folder / "loose", lambda: ThreadPoolExecutor(1), 1)
        os.fsync = true
        print(f"what is written is flushed: {whole / loose:.2f} times the time without", flush=True)
        few = written(folder, "few", exact_axes(1), EXACT, 2)
        for path, out in ((few, "few"), (many, "many")):
            command = [sys.executable, "-c", MEMORY, str(path), str(folder / f"memory-{out}")]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            print(f"memory of the driver, {len(sweep_file.read(path))} scenarios: {done.stdout.strip()} MB", flush=True)
        axes = [
            {"path": "conduct.enrollment.rate", "values": [1.0, 1.5, 2.0]},
            {"path": "p", "values": [0.1, 0.2, 0.3, 0.4]},
        ]
        slow = written(folder, "slow", axes, ["pfs_median", "end_month"], trials)
        serial, alone = seconds(slow, folder / "serial", lambda: ThreadPoolExecutor(1), 1)
        pool, together = seconds(slow, folder / "pool", sweep_workers.pool(2), 2)
        print(f"12 scenarios of {trials} trials: serial {serial:.1f} s, two processes {pool:.1f} s, "
              f"efficiency {serial / 2 / pool:.2f}, of processors {alone / together:.2f}", flush=True)  # fmt: skip
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
            sweep_cluster.cluster(cluster.scheduler_address) as (start, workers),
        ):
            dask, _ = seconds(slow, folder / "dask", start, workers)
        print(f"on a Dask cluster of two workers {dask:.1f} s: {dask / pool:.2f} of the pool's time")


if __name__ == "__main__":
    main()
