"""What is written survives a power cut: whole under its name or not there, and on the disk before it gets that name.

A rename is atomic, but a file system may carry it out before the bytes of the file are on the disk; after a power cut
the name then stands for an empty file. So the bytes are flushed first, then the file is renamed, then its folder is
flushed (POSIX fsync and rename; Pillai et al., All File Systems Are Not Created Equal, OSDI 2014).
"""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from simtrial.errors import InputError


def cache() -> Path:
    """The folder of this program among those that hold what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simtrial"


def write(path: Path, data: bytes | str, *, new: bool = False) -> None:
    """Write a file whole or not at all, text as UTF-8.

    Parameters
    ----------
    path : Path
        In a folder that is there.
    data : bytes or str
        All of it.
    new : bool
        Whether a file of that name is refused instead of replaced.

    Raises
    ------
    OSError
        That names `path`, if it cannot be written; nothing is left behind.
    """
    unfinished = path.with_name(f".{path.name[:80]}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        if new:
            path.hardlink_to(unfinished)  # unlike a rename, this fails where there is a file
        else:
            unfinished.replace(path)
        flush(path.parent)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def flush(place: Path) -> None:
    """See to it that a file, or the names in a folder, are on the disk; where a file system cannot, nothing is done."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT):
            raise
    finally:
        os.close(handle)


TOGETHER = 8
"""Files that `flush_all` flushes at the same time: a disk does it in little more than the time of one."""


def flush_all(folder: Path) -> None:
    """See to it that all files below a folder, and their names, are on the disk."""
    from concurrent.futures import ThreadPoolExecutor

    found = [Path(here) / name for here, _, names in os.walk(folder) for name in ("", *names)]
    with ThreadPoolExecutor(TOGETHER) as many:
        for _ in many.map(flush, found):
            pass


def rename(made: Path, place: Path) -> None:
    """Give a finished folder or file its name, on the disk as well; the bytes in it are flushed by then."""
    made.rename(place)
    flush(place.parent)


def usable(folder: Path) -> Path:
    """Give back a folder in which files can be made; whether that is so is tried, and nothing is left there.

    Parameters
    ----------
    folder : Path
        It need not be there yet, nor those above it.

    Raises
    ------
    InputError
        If it, or one above it, is a file or cannot be written to.
    """
    missing: list[Path] = []
    try:
        for one in (folder, *folder.parents):
            if one.exists():
                break
            missing.append(one)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        if isinstance(error, FileExistsError | NotADirectoryError):
            at = next((one for one in (folder, *folder.parents) if one.exists() and not one.is_dir()), folder)
            said = f"{at} is a file" if at != folder else "it is a file"
        raise InputError(f"({folder}) is no folder that can be written to: {said}; choose another", "out") from None
    finally:
        for one in missing:
            with suppress(OSError, ValueError):
                one.rmdir()
    return folder
