"""Results of a sweep on disk: one Parquet file per scenario, each whole or not there.

A file is written under a temporary name and renamed. Its final name is the SHA-256 of its bytes, its scenario and the
manifest, so a file that was truncated, changed or put elsewhere is known by its name, and is computed again, never
read. Scenarios too large for one task leave finished blocks as parts, named alike, until all are there. Who writes
holds a lock that ends with the process, however that ends.

    DIR/manifest.json                         what made the results
    DIR/results/scenario=00042/<sha>.parquet  one row an outcome
    DIR/parts/00042/00000-00007-<sha>.json    finished blocks of a scenario that is not
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from simtrial.conduct.outcomes import OUTCOMES
from simtrial.conduct.tally import Tally
from simtrial.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

Manifest = dict[str, str | int]
"""What results depend on, by name."""

SHORT = 32
"""Hexadecimal digits of the SHA-256 in a name: 128 bits."""


class _Sums(TypedDict):
    """A tally as it stands in a file of parts."""

    parts: list[tuple[int, int, float, float]]
    bins: list[int]
    infinite: int


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for writing.

    Raises
    ------
    InputError
        If another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                "is being written by another run; wait for it or choose another --out", f"{folder}:"
            ) from None
        yield


class Store:
    """A folder of results, held by this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made_by = ""

    def _scenario(self, index: int) -> Path:
        return self.folder / "results" / f"scenario={index:06d}"

    def _parts(self, index: int) -> Path:
        return self.folder / "parts" / f"{index:06d}"

    def claim(self, manifest: Manifest) -> None:
        """Say what makes the results, or make sure that the same did.

        Raises
        ------
        InputError
            If the folder holds something else.
        """
        path = self.folder / "manifest.json"
        text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
        self.made_by = hashlib.sha256(text.encode()).hexdigest()
        if path.exists():
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                found = {}
            other = sorted(key for key in {*manifest, *found} if found.get(key) != manifest.get(key))
            if other:
                raise InputError(
                    f"holds results of another sweep ({', '.join(other)} differ); choose another --out",
                    f"{self.folder}:",
                )
            self._refuse_strays(int(manifest["scenarios"]))
            return
        if any(entry.name != ".lock" for entry in self.folder.iterdir()):
            raise InputError("is not empty and holds no sweep; choose another --out", f"{self.folder}:")
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)

    def _refuse_strays(self, scenarios: int) -> None:
        """A folder of another number would be read with the rest."""
        ours = {self._scenario(index).name for index in range(scenarios)}
        results = self.folder / "results"
        stray = (
            next((e.name for e in sorted(results.iterdir()) if e.name not in ours), None) if results.is_dir() else None
        )
        if stray is not None:
            raise InputError(f"holds results/{stray}, which is not of this sweep; remove it", f"{self.folder}:")

    def _digest(self, index: int, data: bytes) -> str:
        """What a file is named by: its bytes, its scenario, and what made it, so that it is good in one place only."""
        return hashlib.sha256(f"{self.made_by} {index}\n".encode() + data).hexdigest()[:SHORT]

    def _write(self, folder: Path, index: int, stem: str, suffix: str, data: bytes) -> None:
        """Write a file whose name ends in its digest."""
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{os.getpid()}.tmp"
        try:
            unfinished.write_bytes(data)
            unfinished.replace(folder / f"{stem}{self._digest(index, data)}{suffix}")
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def whole(self, path: Path, index: int) -> bool:
        """Whether a file is what its name says, and where it belongs."""
        try:
            return self._digest(index, path.read_bytes()) == path.stem.rpartition("-")[2]
        except OSError:
            return False

    def done(self, index: int) -> bool:
        """Whether a scenario's result is there and whole; what is damaged or left over is removed."""
        folder = self._scenario(index)
        if not folder.is_dir():
            return False
        good = False
        for path in sorted(folder.iterdir()):
            if not good and path.suffix == ".parquet" and self.whole(path, index):
                good = True
            else:
                path.unlink()
        return good

    def write(self, index: int, table: pa.Table) -> None:
        """Keep a scenario's result, and forget its parts."""
        import pyarrow as pa
        from pyarrow import parquet

        buffer = pa.BufferOutputStream()
        # a handful of rows: dictionaries, statistics and compression take four times as long and save no byte
        parquet.write_table(table, buffer, compression="none", use_dictionary=False, write_statistics=False)
        self._write(self._scenario(index), index, "", ".parquet", buffer.getvalue().to_pybytes())
        shutil.rmtree(self._parts(index), ignore_errors=True)

    def read(self, index: int) -> pa.Table:
        """A scenario's result, which `done` found whole or `write` wrote."""
        from pyarrow import parquet

        (path,) = self._scenario(index).glob("*.parquet")
        return parquet.read_table(path, partitioning=None)

    def keep(self, index: int, blocks: range, tallies: dict[str, Tally]) -> None:
        """Keep some finished blocks of a scenario."""
        found: dict[str, _Sums] = {
            name: {
                "parts": [(block, *sums) for block, sums in sorted(t.parts.items())],
                "bins": t.bins.tolist(),
                "infinite": t.infinite,
            }
            for name, t in tallies.items()
        }
        stem = f"{blocks.start:06d}-{blocks.stop:06d}-"
        self._write(self._parts(index), index, stem, ".json", json.dumps(found).encode())

    def parts(self, index: int) -> list[tuple[range, dict[str, Tally]]]:
        """The finished blocks of a scenario, in order and each once; what is damaged is removed."""
        folder = self._parts(index)
        found: list[tuple[range, dict[str, Tally]]] = []
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            start, stop = (int(part) for part in path.name.split("-")[:2])
            if not self.whole(path, index) or (found and start < found[-1][0].stop):
                path.unlink()
                continue
            data = json.loads(path.read_text(encoding="utf-8"))
            found.append((range(start, stop), {name: _tally(name, values) for name, values in data.items()}))
        return found

    def digest(self, scenarios: int) -> str:
        """One SHA-256 over the bytes of all results, in order."""
        total = hashlib.sha256()
        for index in range(scenarios):
            for path in sorted(self._scenario(index).glob("*.parquet")):
                total.update(f"{index}\n".encode() + path.read_bytes())
        return total.hexdigest()


def _tally(name: str, values: _Sums) -> Tally:
    parts = {int(block): (int(n), float(mean), float(squares)) for block, n, mean, squares in values["parts"]}
    return Tally(OUTCOMES[name], parts, np.array(values["bins"], dtype=np.int64), int(values["infinite"]))
