"""A folder of results is made under a hidden name and moved into place whole; what a killed run left is cleared away.

A run holds a lock on the folder that it makes (POSIX flock), for as long as it lives. The system ends the lock with the
process, however that ends, so an unfinished folder without a lock is nobody's. The number of the process in its name
would not tell: it may be another program's by now, or that of a run in another container. Moves and removals of one
folder of results take turns by a lock on that folder.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import disk
from simtrial.errors import InputError
from simtrial.interruption import held

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows: there nothing is locked, and nothing of other runs is removed
    fcntl = None  # type: ignore[assignment]

TURN = 10.0
"""Seconds that a run waits for its turn to move; only a process that was stopped by hand takes longer."""

ASIDE = "-old"
"""Ends the name of a report for the moment between the move of it and that of the new one."""


@contextmanager
def begun(final: Path) -> Iterator[Path]:
    """Give an empty folder to make results in; it is removed at the end unless it was moved into place by then.

    Raises
    ------
    OSError
        That names the place of the results, if they cannot be written.
    """
    made: list[tuple[Path, int | None]] = []
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        clear(final)
        with held():
            made.append(_locked_folder(final))
        yield made[0][0]
    except OSError as error:
        if error.errno is None:  # it says by itself what happened
            raise
        raise type(error)(error.errno, error.strerror, str(final)) from None
    finally:
        with held():
            for work, lock in made:
                shutil.rmtree(work, ignore_errors=True)
                _release(lock)


def finish(work: Path, final: Path) -> None:
    """Move a finished folder into place; what was there goes only once the new one stands, on the disk as well."""
    old = work.with_name(work.name + ASIDE)
    with _ready(work):
        if final.exists():
            final.rename(old)
        try:
            disk.rename(work, final)
        except BaseException:
            if old.exists() and not final.exists():
                old.rename(final)
            raise
        shutil.rmtree(old, ignore_errors=True)


def keep(work: Path, failed: Path) -> None:
    """Move what a failed run made to where failures are kept, in place of an earlier one."""
    with _ready(work):
        shutil.rmtree(failed, ignore_errors=True)
        disk.rename(work, failed)


def clear(final: Path) -> None:
    """Remove what killed runs left beside a report; a report that one had just moved aside goes back."""
    own = re.compile(rf"\.{re.escape(final.name)}-\d+-[a-z0-9_]{{8}}({ASIDE})?")
    with suppress(OSError):  # nothing is urgent here: the next run does it
        found = sorted(one for one in final.parent.iterdir() if own.fullmatch(one.name) and not one.is_symlink())
        if not found:
            return
        with _turn(final.parent, 0.0) as mine:
            for left in found if mine else ():
                _clear(left, final)


def _clear(left: Path, final: Path) -> None:
    try:
        lock = _lock(left)
    except BlockingIOError:  # of a run that lives
        return
    if lock is None:
        return
    with held():
        if left.name.endswith(ASIDE) and not final.exists():
            left.rename(final)
        else:
            shutil.rmtree(left, ignore_errors=True)
        _release(lock)


def refuse(final: Path) -> None:
    """Refuse to write where something is that cannot be moved away.

    Raises
    ------
    InputError
        If the place of the results, or of those of a failed run, is no folder of ours.
    """
    for place in (final, final.with_name(f"{final.name}.failed")):
        if place.is_symlink():
            fault = "is a link, and a report is a folder"
        elif place.exists() and not place.is_dir():
            fault = "is a file, and a report is a folder"
        elif place.exists() and not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            fault = "cannot be written to: Permission denied"
        else:
            continue
        raise InputError(f"{fault}; move it away, or choose another --out", f"{place}:")


def _locked_folder(final: Path) -> tuple[Path, int | None]:
    """A new folder beside the place of the results, locked; before it is, another run may take it for left behind."""
    while True:
        work = Path(tempfile.mkdtemp(prefix=f".{final.name}-{os.getpid()}-", dir=final.parent))
        try:
            lock = _lock(work)
        except BlockingIOError:
            continue
        if work.exists():
            return work, lock
        _release(lock)


@contextmanager
def _ready(work: Path) -> Iterator[None]:
    """Have the files of a folder on the disk, and the turn to move it, which is not interrupted."""
    work.chmod(0o755)
    disk.flush_all(work)
    with _turn(work.parent, TURN), held():
        yield


@contextmanager
def _turn(folder: Path, patience: float) -> Iterator[bool]:
    """Wait for the turn to move or remove something in a folder; say whether it came."""
    end, lock = time.monotonic() + patience, None
    while True:
        try:
            lock = _lock(folder)
        except BlockingIOError:
            if time.monotonic() < end:
                time.sleep(0.02)
                continue
        break
    try:
        yield lock is not None
    finally:
        _release(lock)


def _lock(folder: Path) -> int | None:
    """Lock a folder; None where the file system cannot.

    Raises
    ------
    BlockingIOError
        If another run holds it.
    """
    if fcntl is None:
        return None
    handle = -1
    try:
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        _release(handle)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return handle


def _release(lock: int | None) -> None:
    if lock is not None and lock >= 0:
        with suppress(OSError):
            os.close(lock)
