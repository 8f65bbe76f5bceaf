"""A whole report, beside that of an older commit: alternately, so that both meet the same neighbours on the machine.

.venv/bin/python benchmarks/report.py COMMIT [PARAMS] [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CALL = """
import sys
try:
    from simtrial.cli.app import main
except ImportError:  # an older commit
    from simtrial.cli import main
sys.argv[0] = "simtrial"
sys.exit(main())
"""


def report(clone: Path, params: str, out: Path) -> tuple[float, float]:
    """Write one report; give its seconds, and those of all processors together."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", CALL, "report", params, "--out", str(out)],
        cwd=clone,
        env=os.environ | {"PYTHONPATH": str(clone)},
        check=True,
        capture_output=True,
    )
    after = os.times()
    processors = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, processors


def main() -> None:
    """Print both times and their ratio, by clock and by processors."""
    commit = sys.argv[1]
    params = sys.argv[2] if len(sys.argv) > 2 else "params/NCT07022301.yaml"
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    with tempfile.TemporaryDirectory() as work:
        old = Path(work) / "old"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", str(old), commit], check=True)
        try:
            times: dict[Path, list[tuple[float, float]]] = {old: [], ROOT: []}
            for k in range(rounds):
                for clone in (old, ROOT):
                    times[clone].append(report(clone, params, Path(work) / f"out-{k}"))
        finally:
            subprocess.run([*git, "remove", "--force", str(old)], check=True)
    for place, what in enumerate(("by the clock", "of processors")):
        then, now = (statistics.median(one[place] for one in times[clone]) for clone in (old, ROOT))
        print(f"{params}, seconds {what}: {then:.1f} at {commit[:10]}, {now:.1f} now, ratio {now / then:.2f}")


if __name__ == "__main__":
    main()
