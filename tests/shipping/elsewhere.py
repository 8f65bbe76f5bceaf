"""Install the wheel in a fresh environment elsewhere, and use it there.

    python tests/shipping/elsewhere.py [--dist dist] [--work FOLDER] [--workers 2]

The environment gets the pins of the lock and then the wheel, without an index. In an empty folder a report is made from
a user's own file; a type checker reads the types; and the quick tests of the source distribution run with a link to the
installed package in place of its own copy, so that there is no other one to be tested. What was done is printed with
its seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

QUICK = "not kernel and not browser and not processes and not long and not clone"
"""A test with the marker `clone` is about the clone itself: what git tracks in it, or how a wheel is built from it."""

TYPED = """\
from simtrial import Requirements, search

patients: str = search.single_stage(Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)).first.n
"""
PLAIN = {
    name: value
    for name, value in os.environ.items()
    if name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
}


@contextmanager
def told(what):
    """Print what was done, and how long it took."""
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.0f} s", flush=True)


def run(*words, folder, **options):
    """Run a program to its end, which must be a good one."""
    done = subprocess.run(list(map(str, words)), cwd=folder, env=PLAIN, check=False, **options)
    if done.returncode:
        said = f"{done.stdout or ''}{done.stderr or ''}"
        raise SystemExit(f"{' '.join(map(str, words))}: exit code {done.returncode}\n{said}")
    return done


def installed(work, wheel, lock):
    """Make the environment and give the folder of its programs."""
    run(sys.executable, "-m", "venv", work / "env", folder=work)
    programs = work / "env" / ("Scripts" if os.name == "nt" else "bin")
    pip = [programs / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
    run(*pip, "--no-compile", "--require-hashes", "-r", lock, folder=work)
    run(*pip, "--no-index", wheel, folder=work)
    return programs


def reported(programs, folder, source):
    """Make a report on a file of the user, and look for names of this machine in it."""
    folder.mkdir()
    shutil.copy(source / "params" / "smoke.yaml", folder / "my.yaml")
    run(programs / "simtrial", "report", "my.yaml", folder=folder, stdout=subprocess.DEVNULL)
    made = folder / "build" / "SMOKE"
    manifest = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    if manifest["parameter_path"] != "../my.yaml" or manifest["commit"] is not None:
        raise SystemExit(f"the manifest states {manifest['parameter_path']} and {manifest['commit']}")
    here = str(folder.parent).encode()
    telling = [path.name for path in made.rglob("*") if path.is_file() and here in path.read_bytes()]
    if telling:
        raise SystemExit(f"{', '.join(telling)} name the folder {folder.parent}")


def typed(programs, folder):
    """Let a type checker find the one fault of a small program, by the types that the wheel ships."""
    program = folder / "typed.py"
    program.write_text(TYPED, encoding="utf-8")
    words = [
        programs / "python",
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        folder / "types",
        "--config-file",
        os.devnull,
    ]
    said = subprocess.run([*words, program], cwd=folder, env=PLAIN, check=False, capture_output=True, text=True).stdout
    faults = [line for line in said.splitlines() if ": error:" in line]
    if len(faults) != 1 or 'expression has type "int", variable has type "str"' not in faults[0]:
        raise SystemExit(f"the type checker says of the wheel:\n{said}")


def main():
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dist", type=Path, default=Path("dist"))
    parser.add_argument("--work", type=Path)
    parser.add_argument("--workers", default="2")
    given = parser.parse_args()
    dist = given.dist.resolve()
    with tempfile.TemporaryDirectory(prefix="simtrial-wheel-") as temporary:
        work = (given.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        (wheel,), (packed,) = dist.glob("simtrial_orr-*.whl"), dist.glob("simtrial_orr-*.tar.gz")
        with tarfile.open(packed) as archive:
            archive.extractall(work, filter="data")
        source = work / packed.name.removesuffix(".tar.gz")
        with told("Environment from the lock, and the wheel"):
            programs = installed(work, wheel, source / "requirements.lock")
        with told("A report in an empty folder"):
            reported(programs, work / "empty", source)
        with told("A type checker"):
            typed(programs, work / "empty")
        shutil.rmtree(source / "simtrial")
        words = [programs / "python", "-P", "-c", "import simtrial; print(simtrial.__path__[0])"]
        place = run(*words, folder=source, stdout=subprocess.PIPE, text=True).stdout.strip()
        if not Path(place).is_relative_to(programs.parent):
            raise SystemExit(f"the package that would be tested is that of {place}")
        (source / "simtrial").symlink_to(place, target_is_directory=True)
        with told("The quick tests"):
            spread = ["-n", given.workers, "--dist", "loadfile", "--no-loadscope-reorder", "-p", "no:cacheprovider"]
            run(programs / "python", "-P", "-m", "pytest", "tests", *spread, "-m", QUICK, folder=source)


if __name__ == "__main__":
    main()
