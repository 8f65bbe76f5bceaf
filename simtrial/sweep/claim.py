"""Whether a sweep may write into a folder: nothing may be there, or results of the same sweep.

The manifest says what made the results. Where it is lost or damaged, as a power cut may leave it, it is written again
if a result proves what made it: the name of a result is a digest over the manifest too. A folder is looked at before
anything is made in it, and whoever writes holds a lock that ends with the process, however that ends.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from simtrial import disk, files
from simtrial.errors import InputError
from simtrial.sweep.store import PARTS, RESULTS, Store, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from simtrial.sweep.store import Manifest

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

MANIFEST, LOCK, TABLE = "manifest.json", ".lock", "table.csv"
"""What stands beside the results in the folder of a sweep."""

MOST_TRIED = 1_000
"""Results that are tried for a proof of what made them."""

MOST_BYTES = 65_536
"""Largest manifest that is read."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for writing; it is made if missing.

    Raises
    ------
    InputError
        If another run holds it, or if this system locks no files.
    """
    if fcntl is None:
        raise InputError("cannot be locked on this system; run the sweep on Linux, macOS or WSL", f"{folder}:")
    disk.make(folder)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "is being written by another run; wait for it or choose another --out", f"{folder}:"
            ) from None
        yield


@contextmanager
def claimed(folder: Path, manifest: Manifest, tell: Callable[[str], None]) -> Iterator[Store]:
    """Hold the folder of a sweep for writing, empty or with results of the same sweep.

    Parameters
    ----------
    folder : Path
        Made if missing.
    manifest : dict
        What makes the results.
    tell : callable
        Told in a line if the manifest was damaged and is written again.

    Raises
    ------
    InputError
        If the folder holds something else, or another run writes there; nothing is made in it then.
    """
    looked(folder, manifest)
    with locked(folder):
        fault = looked(folder, manifest)
        for path in (*folder.glob(f".*{disk.UNFINISHED}"), *folder.glob(f"*{disk.UNFINISHED}")):
            path.unlink(missing_ok=True)
        if fault is not None:
            disk.write(folder / MANIFEST, written(manifest))
        if fault:
            tell(f"{folder / MANIFEST} {fault}; it is written again, and only results of this sweep are used")
        yield Store(folder, manifest)


def looked(folder: Path, manifest: Manifest) -> str | None:
    """Look whether a folder may be claimed.

    Returns
    -------
    str or None
        None if its manifest stands; else the manifest is to be written, and this is what is wrong with the one that is
        there, empty where is none.

    Raises
    ------
    InputError
        If the folder holds something else.
    """
    if not folder.is_dir():
        return ""
    store = Store(folder, manifest)
    fault, other = _fault(folder / MANIFEST, manifest)
    if fault is not None:
        proved = store.proved(MOST_TRIED)
        if not proved:
            _refuse_others(folder, fault, other=other, results=proved is not None)
        elif not fault:
            fault = "is missing"
    stray = store.stray(int(manifest["scenarios"]))
    if stray:
        raise InputError(f"holds {stray}, which is not of this sweep; remove it", f"{folder}:")
    return fault


def _fault(path: Path, manifest: Manifest) -> tuple[str | None, bool]:
    """What is wrong with a manifest: None if nothing, empty if it is missing; and whether it is another sweep's."""
    if not path.exists():
        return "", False
    try:
        data = files.read(path, MOST_BYTES).data
        found = json.loads(data.decode("utf-8"))
    except InputError as error:
        return error.message, False
    except (ValueError, RecursionError):
        return ("is damaged" if data.strip(b"\0") else "is empty"), False
    if not isinstance(found, dict):
        return "is damaged", False
    other = sorted(key for key in {*manifest, *found} if found.get(key) != manifest.get(key))
    return (f"differs from this sweep ({', '.join(other)[:200]})", True) if other else (None, False)


def _refuse_others(folder: Path, fault: str, *, other: bool, results: bool) -> None:
    """Refuse a folder in which no result proves that it is of this sweep, unless nothing but a manifest is there."""
    if other:
        differing = fault.partition("(")[2].rstrip(")")
        raise InputError(f"holds results of another sweep ({differing} differ); choose another --out", f"{folder}:")
    if fault and results:
        raise InputError(
            f"holds a {MANIFEST} that {fault}, and no whole result of this sweep; choose another --out, or delete the "
            "folder to compute everything again",
            f"{folder}:",
        )
    ours = {MANIFEST, LOCK, TABLE, RESULTS, PARTS}
    if any(entry.name not in ours and entry.suffix != disk.UNFINISHED for entry in folder.iterdir()) or results:
        raise InputError("is not empty and holds no sweep; choose another --out", f"{folder}:")
