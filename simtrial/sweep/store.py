"""Results of a sweep on disk: one Parquet file per scenario, each whole or not there.

A file is written under a temporary name, flushed and renamed. Its final name is the SHA-256 of its bytes, its scenario
and the manifest, so a file that was truncated, changed or put elsewhere is known by its name, and is computed again,
never read. Scenarios too large for one task leave finished blocks as parts, named alike, until all are there.

    DIR/manifest.json                         what made the results
    DIR/results/scenario=00042/<sha>.parquet  one row an outcome
    DIR/parts/00042/00000-00007-<sha>.json    finished blocks of a scenario that is not
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from itertools import chain, islice
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from simtrial import disk
from simtrial.conduct.outcomes import OUTCOMES
from simtrial.conduct.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

Manifest = dict[str, str | int]
"""What results depend on, by name."""

SHORT = 32
"""Hexadecimal digits of the SHA-256 in a name: 128 bits."""

A_BATCH = 128
"""Files that are written together; a power cut or a full disk costs at most these."""

RESULTS, PARTS = "results", "parts"
"""Folders in that of a sweep."""

_SCENARIO = re.compile(r"scenario=([0-9]{6,7})")
_RESULT = re.compile(rf"[0-9a-f]{{{SHORT}}}\.parquet")
_PART = re.compile(rf"([0-9]{{6,}})-([0-9]{{6,}})-[0-9a-f]{{{SHORT}}}\.json")


class _Sums(TypedDict):
    """A tally as it stands in a file of parts."""

    parts: list[tuple[int, int, float, float]]
    bins: list[int]
    infinite: int


class Store:
    """A folder of results, held by this process."""

    def __init__(self, folder: Path, manifest: Manifest | None = None) -> None:
        self.folder = folder
        self.made_by = hashlib.sha256(written(manifest or {}).encode()).hexdigest()
        self._new: dict[Path, bytes] = {}
        self._settled: list[int] = []

    def _scenario(self, index: int) -> Path:
        return self.folder / RESULTS / f"scenario={index:06d}"

    def _parts(self, index: int) -> Path:
        return self.folder / PARTS / f"{index:06d}"

    def stray(self, scenarios: int) -> str:
        """What lies among the results and is not of a sweep of so many scenarios; it would be read with the rest."""
        results = self.folder / RESULTS
        if not results.is_dir():
            return RESULTS if results.exists() else ""
        found = ""
        with os.scandir(results) as entries:
            for entry in entries:
                number = int(_SCENARIO.sub(r"\1", entry.name)) if _SCENARIO.fullmatch(entry.name) else scenarios
                ours = number < scenarios and entry.name == self._scenario(number).name and entry.is_dir()
                # systems leave hidden files, which nothing reads with the results
                if not ours and not entry.name.startswith(".") and (not found or entry.name < found):
                    found = entry.name
        return found and f"{RESULTS}/{found}"

    def proved(self, most: int) -> bool | None:
        """Whether a file, of the first so many, is of the sweep that this manifest describes; None where is none."""
        held = chain(self.folder.glob(f"{RESULTS}/scenario=*/*.parquet"), self.folder.glob(f"{PARTS}/*/*.json"))
        none = True
        for path in islice(held, most):
            number = path.parent.name.rpartition("=")[2]
            if number.isdecimal() and self.whole(path, int(number)):
                return True
            none = False
        return None if none else False

    def _digest(self, index: int, data: bytes) -> str:
        """What a file is named by: its bytes, its scenario, and what made it, so that it is good in one place only."""
        return hashlib.sha256(f"{self.made_by} {index}\n".encode() + data).hexdigest()[:SHORT]

    def _put(self, folder: Path, index: int, stem: str, suffix: str, data: bytes) -> None:
        """Take a file whose name ends in its digest; `commit` writes it."""
        self._new[folder / f"{stem}{self._digest(index, data)}{suffix}"] = data

    def commit(self) -> None:
        """Write what was kept since the last time, all at once, and forget the parts of scenarios that have a result.

        Raises
        ------
        OSError
            If something cannot be written; nothing is left half-written.
        """
        new, self._new = iter(self._new.items()), {}
        while batch := dict(islice(new, A_BATCH)):
            disk.write_all(batch)
        for index in self._settled:
            shutil.rmtree(self._parts(index), ignore_errors=True)
        self._settled.clear()

    def whole(self, path: Path, index: int) -> bool:
        """Whether a file is what its name says, and where it belongs."""
        try:  # a pipe in place of a file would be waited for
            return path.is_file() and self._digest(index, path.read_bytes()) == path.stem.rpartition("-")[2]
        except OSError:
            return False

    def done(self, index: int) -> bool:
        """Whether a scenario's result is there and whole; what is damaged or left over is removed."""
        good = False
        for path in sorted(_every(self._scenario(index))):
            if not good and _RESULT.fullmatch(path.name) and self.whole(path, index):
                good = True
            elif path.suffix in (".parquet", disk.UNFINISHED):
                _remove(path)
        return good

    def write(self, index: int, table: pa.Table) -> None:
        """Keep a scenario's result in place of its parts, once it is committed."""
        import pyarrow as pa
        from pyarrow import parquet

        buffer = pa.BufferOutputStream()
        # a handful of rows: dictionaries, statistics and compression take four times as long and save no byte
        parquet.write_table(table, buffer, compression="none", use_dictionary=False, write_statistics=False)
        self._put(self._scenario(index), index, "", ".parquet", buffer.getvalue().to_pybytes())
        self._settled.append(index)

    def read(self, index: int) -> pa.Table:
        """A scenario's result, which `done` found whole or `commit` wrote."""
        from pyarrow import parquet

        (path,) = self._results(index)
        return parquet.read_table(path, partitioning=None)

    def keep(self, index: int, blocks: range, tallies: dict[str, Tally]) -> None:
        """Keep some finished blocks of a scenario, once they are committed."""
        found: dict[str, _Sums] = {
            name: {
                "parts": [(block, *sums) for block, sums in sorted(t.parts.items())],
                "bins": t.bins.tolist(),
                "infinite": t.infinite,
            }
            for name, t in tallies.items()
        }
        stem = f"{blocks.start:06d}-{blocks.stop:06d}-"
        self._put(self._parts(index), index, stem, ".json", json.dumps(found).encode())

    def parts(self, index: int) -> list[tuple[range, dict[str, Tally]]]:
        """The finished blocks of a scenario, in order and each once; what is damaged is removed."""
        found: list[tuple[range, dict[str, Tally]]] = []
        for path in sorted(_every(self._parts(index))):
            named = _PART.fullmatch(path.name)
            start, stop = (int(named[1]), int(named[2])) if named else (0, 0)
            if not named or not self.whole(path, index) or (found and start < found[-1][0].stop):
                if path.suffix in (".json", disk.UNFINISHED):
                    _remove(path)
                continue
            data = json.loads(path.read_text(encoding="utf-8"))
            found.append((range(start, stop), {name: _tally(name, values) for name, values in data.items()}))
        return found

    def _results(self, index: int) -> list[Path]:
        return sorted(path for path in _every(self._scenario(index)) if _RESULT.fullmatch(path.name))

    def digest(self, scenarios: int) -> str:
        """One SHA-256 over the bytes of all results, in order."""
        total = hashlib.sha256()
        for index in range(scenarios):
            for path in self._results(index):
                total.update(f"{index}\n".encode() + path.read_bytes())
        return total.hexdigest()


def written(manifest: Manifest) -> str:
    """A manifest as it stands in its file."""
    return json.dumps(manifest, indent=2, sort_keys=True) + "\n"


def _every(folder: Path) -> Iterable[Path]:
    return folder.iterdir() if folder.is_dir() else ()


def _remove(path: Path) -> None:
    """Remove what stands in place of a file, whatever it is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _tally(name: str, values: _Sums) -> Tally:
    parts = {int(block): (int(n), float(mean), float(squares)) for block, n, mean, squares in values["parts"]}
    return Tally(OUTCOMES[name], parts, np.array(values["bins"], dtype=np.int64), int(values["infinite"]))
