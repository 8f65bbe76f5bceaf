"""A small sweep to be disturbed, and what it gives where nothing disturbs it."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from processes import ROOT, ended, environment, started

AXES = [
    {"path": "conduct.enrollment.rate", "values": [1.0, 2.0]},
    {"path": "conduct.dropout.handling", "values": ["nonresponder", "replace"]},
    {"path": "p", "values": [0.2, 0.4, 0.6]},
]
WHOLE = 2_000
"""Trials of a scenario that is one task."""
IN_PARTS = 40_000
"""Trials of a scenario that is cut into parts: it computes for a second or two, and finished parts are kept."""
SECONDS = 90
"""In which a sweep ends, with much to spare."""


@dataclass(frozen=True)
class Calm:
    """An undisturbed sweep: its file, its folder, and what it said."""

    file: Path
    out: Path
    said: dict
    seconds: float
    alike: bool

    @property
    def blocks(self):
        """Blocks of every scenario."""
        return self.said["blocks"] // self.said["scenarios"]


def written(folder, name, trials):
    """Write a sweep file; with many trials it has two scenarios only."""
    outcomes = ["reject", "n_enrolled"] if trials == WHOLE else ["pfs_median"]
    base = yaml.safe_load((ROOT / "params/smoke.yaml").read_text(encoding="utf-8"))
    base["trial"]["conduct"]["patients"] = {"pfs": {"median_months": 4, "hazard_ratio": 0.5}}
    (folder / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
    axes = AXES if trials == WHOLE else [{"path": "p", "values": [0.2, 0.6]}]
    path = folder / f"{name}.yaml"
    asked = {"base": "base.yaml", "axes": axes, "outcomes": outcomes, "trials": trials, "seed": 7}
    path.write_text(yaml.safe_dump({"sweep": asked}), encoding="utf-8")
    return path


def calm(folder, trials):
    """Run a sweep undisturbed."""
    path = written(folder, f"sweep{trials}", trials)
    began = time.monotonic()
    code, said, err = run(path, folder / f"calm{trials}")
    if code:
        raise RuntimeError(f"the undisturbed sweep ended with {code}: {err}")
    return Calm(path, folder / f"calm{trials}", said, time.monotonic() - began, trials == IN_PARTS)


def words(path, out):
    """The command."""
    return ["sweep", path, "--out", out, "--workers", "1", "--json"]


def run(path, out, **options):
    """Run a sweep to its end: exit code, its JSON, what it said."""
    with started(words(path, out), **({"env": environment()} | options)) as process:
        code, told, err = ended(process, SECONDS)
    return code, json.loads(told) if told.startswith("{") else {}, err


def finished(out):
    """What is finished in a folder: its scenarios, and the blocks in parts of the others."""
    scenarios = {path.parent.name.partition("=")[2] for path in out.glob("results/*/*.parquet") if path.name[0] != "."}
    parts = [path for path in out.glob("parts/*/*.json") if path.parent.name not in scenarios]
    spans = [tuple(map(int, path.name.split("-")[:2])) for path in parts if path.name[0] != "."]
    return len(scenarios), sum(stop - start for start, stop in spans)


def wrong(calm, out, before, told):
    """What is wrong with a sweep that was continued: another digest, something lost, something computed twice."""
    code, said, err = told
    if code:
        return f"exit code {code}: {err.strip().splitlines()[-1:]}"
    scenarios, blocks = before
    faults = []
    if said["digest"] != calm.said["digest"]:
        faults.append("another digest")
    if said["found"] < scenarios:
        faults.append(f"of {scenarios} finished scenarios only {said['found']} were found")
    if said["found_blocks"] < blocks:
        faults.append(f"of {blocks} finished blocks only {said['found_blocks']} were found")
    # of scenarios that are alike it is known how many blocks each has
    if calm.alike and said["blocks"] + said["found_blocks"] + said["found"] * calm.blocks != calm.said["blocks"]:
        faults.append("blocks are computed twice, or not at all")
    if (out / "table.csv").read_bytes() != (calm.out / "table.csv").read_bytes():
        faults.append("another table.csv")
    strays = [path.name for path in out.rglob("*") if path.name.endswith(".tmp")]
    if strays or "Traceback" in err:
        faults.append(f"leaves {strays}" if strays else "traceback")
    return "; ".join(faults)
