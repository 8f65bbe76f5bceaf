"""Build the wheel, the source distribution and the bill of materials, and show that they can be made again.

    python tests/shipping/twice.py [--out dist]

Only what git tracks is built: a file of patients that lies in params/ must not be shipped. Everything is made twice, in
two folders, from files with other permissions and dates, and once more from the source distribution. If one byte
differs, nothing is written.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import bill
from build_hook import BILL

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("simtrial", "notebooks", "params", "tests")
MADE = (".venv", ".mypy", ".pytest", ".ruff", ".hypothesis", ".import", "build", "dist")
"""How names of folders begin that hold what was made; hatchling leaves out bytecode by itself."""


def listed(root: Path) -> list[str]:
    """The files that belong to the project: those that git tracks; in an unpacked source distribution, all."""
    if not (root / ".git").exists():
        found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found if not path.parts[0].startswith(MADE))
    words = ["git", "-C", str(root), "ls-files", "-z"]
    names = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split("\0")
    others = ["--others", "--exclude-standard", *SHIPPED]
    extra = subprocess.run([*words, *others], check=True, capture_output=True, text=True).stdout.split("\0")[:-1]
    if extra:
        print(f"Not built, because git does not track them: {', '.join(extra)}")
    return [name for name in names if name and (root / name).is_file()]


def copied(root: Path, target: Path) -> Path:
    """Copy the project."""
    for name in listed(root):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, place)
    return target


def built(tree: Path, kind: str, out: Path) -> Path:
    """Build one kind of distribution from a tree."""
    plain = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    words = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)]
    subprocess.run(words, cwd=tree, env=plain, check=True, capture_output=True)
    return next(out.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def made(root: Path, work: Path) -> list[Path]:
    """Give wheel, source distribution and bill, each made again and found the same.

    Raises
    ------
    SystemExit
        If one differs.
    """
    first, second = copied(root, work / "first"), work / "elsewhere" / "second"
    if not (first / BILL).is_file():
        bill.written(first, first / BILL)
    shutil.copytree(first, second, copy_function=shutil.copyfile)  # with the date of now
    for path in second.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    wheel, source = built(first, "wheel", work / "a"), built(first, "sdist", work / "a")
    with tarfile.open(source) as archive:
        archive.extractall(work / "unpacked", filter="data")
    unpacked = next((work / "unpacked").iterdir())
    again = {
        "the wheel built elsewhere": (wheel, built(second, "wheel", work / "b")),
        "the source distribution built elsewhere": (source, built(second, "sdist", work / "b")),
        "the wheel built from the source distribution": (wheel, built(unpacked, "wheel", work / "c")),
    }
    different = [name for name, (one, other) in again.items() if one.read_bytes() != other.read_bytes()]
    if different:
        raise SystemExit(f"not the same bytes: {', '.join(different)}")
    named = work / f"{source.name.removesuffix('.tar.gz')}.cdx.json"
    shutil.copy(first / BILL, named)
    return [wheel, source, named]


def main() -> None:
    """Build into a folder, and print the size and digest of each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    out: Path = parser.parse_args().out
    with tempfile.TemporaryDirectory() as work:
        files = made(ROOT, Path(work))
        out.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, out / file.name)
            print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.stat().st_size:>9,}  {file.name}")
    print("Built twice, and the wheel again from the source distribution: the same bytes.")


if __name__ == "__main__":
    main()
