"""What the tests of sweeps share: a file that is written, a run in this process, what it leaves."""

import json
from concurrent.futures import ThreadPoolExecutor

from simtrial.sweep import file as sweep_file
from simtrial.sweep import run as sweep_run

SMALL = [
    {"path": "conduct.enrollment.rate", "values": [1.0, 2.0]},
    {"path": "conduct.dropout.handling", "values": ["nonresponder", "replace"]},
    {"path": "p", "values": [0.1, 0.3]},
]


def written(root, folder, axes, *, trials=2000, outcomes=None, combine="cross", name="s.yaml"):
    """Write a sweep of the registered trial."""
    wanted = f"  outcomes: {json.dumps(outcomes)}\n" if outcomes else ""
    text = (
        f"sweep:\n  base: {root / 'params/NCT07022301.yaml'}\n  combine: {combine}\n  axes: {json.dumps(axes)}\n"
        f"{wanted}  trials: {trials}\n  seed: 7\n"
    )
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def serial():
    return ThreadPoolExecutor(1)


def run(path, out, start=serial, workers=1):
    return sweep_run.run(sweep_file.read(path), out, start, workers)


def files(out):
    return sorted(p.relative_to(out).as_posix() for p in (out / "results").rglob("*.parquet"))
