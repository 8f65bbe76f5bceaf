"""Write what the commands answer, to compare two commits of the house; goes when the wings stand.

``python benchmarks/same.py FOLDER`` runs every command of this checkout and leaves its output in FOLDER; two folders
are compared with ``diff -r``. Dates, commits and hashes of code are left out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CALL = """
import sys
try:
    from simtrial.cli.app.app import main
except ImportError:
    from simtrial.cli.app import main
sys.exit(main())
"""
ASKED = "--p0 .1 --p1 .3 --alpha .05 --power .8"
COMMANDS = {
    "design": f"design {ASKED} --json",
    "design_90": "design --p0 .2 --p1 .4 --alpha .1 --power .9 --json",
    "design_tables": f"design {ASKED}",
    "design_refused": "design --p0 .5 --p1 .501 --alpha .05 --power .8",
    "oc": "oc --looks 1/10,5/29 --p .1 --p .3 --json",
    "oc_efficacy": "oc --looks 1:5/10,5/29 --p .1 --p .3 --json",
    "oc_three": "oc --looks 0/8,2:7/16,6/30 --p .1 --p .2 --p .3 --json",
    "oc_tables": "oc --looks 1/10,5/29 --p .1 --p .3",
    "simulate": "simulate params/NCT07022301.yaml --trials 3000 --seed 1 --json",
    "simulate_example": "simulate params/example.yaml --trials 3000 --seed 2 --json",
    "simulate_smoke": "simulate params/smoke.yaml --trials 3000 --seed 3 --json",
    "simulate_tables": "simulate params/NCT07022301.yaml --trials 3000 --seed 1",
    "simulate_plateau": "simulate tests/reference/../../params/NCT07022301_p20_p40.yaml --trials 3000 --seed 4 --json",
    "reproduce": "reproduce --n 25 --json",
    "reproduce_33": f"reproduce --n 33 {ASKED} --dropout .1 --json",
    "reproduce_tables": f"reproduce --n 29 {ASKED}",
    "reproduce_up_to": f"reproduce --up-to 40 {ASKED} --json",
    "check": f"check {ASKED} --looks 1/10,5/29 --criterion optimal --json",
    "check_minimax": f"check {ASKED} --looks 1/15,5/25 --criterion optimal --json",
    "check_two_sided": f"check {ASKED} --alpha-sided 2 --n 32 --dropout .1 --json",
    "check_n": f"check {ASKED} --n 27 --json",
    "check_fleming": f"check {ASKED} --n 25 --criterion fleming --json",
    "check_three": f"check {ASKED} --looks 0/8,2:7/16,6/30 --json",
    "check_tables": f"check {ASKED} --n 27",
    "check_csv": "check --csv tests/reference/statements.csv --json",
    "printed": "printed --looks 1/10,5/29 --responses 6 --n 29 --low .080 --high .397 --json",
    "analyze": "analyze --looks 1/10,5/29 --p0 .1 --responses 6 --json",
    "analyze_attained": (
        "analyze --looks 1/10,5/29 --p0 .1 --p1 .3 --responses 6 --first-stage 2 --attained 10,27 --json"
    ),
    "analyze_mle": "analyze --looks 1/10,5/29 --p0 .1 --responses 6 --ordering mle --level .9 --json",
    "analyze_efficacy": "analyze --looks 1:5/10,5/29 --p0 .1 --responses 6 --stage 1 --json",
    "analyze_tables": "analyze --looks 1/10,5/29 --p0 .1 --p1 .3 --responses 6 --first-stage 2 --attained 11,31",
    "analyze_patients": "analyze --looks 1/15,5/25 --p0 .1 --p1 .3 --patients PATIENTS --json",
    "analyze_patients_tables": "analyze --looks 1/15,5/25 --p0 .1 --p1 .3 --patients PATIENTS",
    "monitor": "monitor --looks 1/10,5/29 --responses 3 --patients 15 --p .1 --p .3 --json",
    "columns": "columns",
    "synthetic": "synthetic params/NCT07022301.yaml --seed 5",
    "schema": "schema",
    "schema_sweep": "schema --sweep",
    "help": "--help",
    "help_design": "design --help",
    "help_check": "check --help",
}
FILES = ("NCT07022301", "NCT07022301_p20_p40", "example", "smoke")
UNTOLD = ("commit", "date", "parameter_file_sha256", "code", "simtrial")


def run(words: list[str], cwd: Path = ROOT) -> str:
    """Run one command and give all that it said."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120", "SOURCE_DATE_EPOCH": "1750000000"}
    words = [sys.executable, "-c", CALL, *words]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True)
    return f"exit {done.returncode}\n{done.stdout}\n--- errors\n{done.stderr}"


def main() -> None:
    """Fill the folder."""
    out = Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    only = set(sys.argv[2:])
    patients = Path(tempfile.mkdtemp()) / "patients.csv"
    said = run(["synthetic", "params/NCT07022301.yaml", "--seed", "5"])
    patients.write_text(said.split("\n", 1)[1].split("\n--- errors")[0])
    for name, words in COMMANDS.items():
        if not only or "commands" in only:
            said = run([word.replace("PATIENTS", str(patients)) for word in words.split()])
            (out / f"{name}.txt").write_text(said.replace(str(patients), "patients.csv"))
    work = Path(tempfile.mkdtemp())
    for name in FILES if not only or "reports" in only else ():
        run(["report", f"params/{name}.yaml", "--out", str(work)])
        for part in ("tables", "text", "figures"):
            for file in sorted(work.glob(f"*/{part}/*")):
                target = out / "reports" / file.relative_to(work)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    if not only or "lessons" in only:
        run(["lessons", "--out", str(work)])
        for file in sorted((work / "teaching").glob("*/*")):
            if file.suffix in (".csv", ".md", ".svg"):
                target = out / "reports" / "teaching" / file.parent.name / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    if not only or "sweeps" in only:
        import pandas as pd

        run(["sweep", "params/sweep_NCT07022301.yaml", "--out", str(work / "sweep"), "--yes"])
        rows = [pd.read_parquet(f, partitioning=None) for f in sorted((work / "sweep").rglob("*.parquet"))]
        text = pd.concat(rows).to_csv(index=False)
        (out / "sweep.txt").write_text(hashlib.sha256(text.encode()).hexdigest() + "\n" + text)


if __name__ == "__main__":
    main()
