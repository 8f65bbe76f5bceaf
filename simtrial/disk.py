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
from typing import TYPE_CHECKING

from simtrial.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

UNFINISHED = ".tmp"
"""How the name of a file ends until it is whole."""

AT_ONCE = 32
"""Files that are flushed at the same time: the disk writes them together."""


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
    unfinished = _unfinished(path)
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


def write_all(contents: Mapping[Path, bytes]) -> None:
    """Write many files, each whole or not at all; the folders that they are in are made.

    A disk flushes many files at once in little more than the time of one.

    Raises
    ------
    OSError
        That names a file that cannot be written; others may be written by then.
    """
    from concurrent.futures import ThreadPoolExecutor

    if not contents:
        return
    folders = {path.parent for path in contents}
    new = {folder for folder in folders if not folder.is_dir()}
    at = min(contents)
    try:
        with ThreadPoolExecutor(min(AT_ONCE, len(contents))) as many:
            for at in new:
                make(at.parent)
                at.mkdir(exist_ok=True)
            for at, data in contents.items():
                _unfinished(at).write_bytes(data)
            flushed = many.map(flush, map(_unfinished, contents))
            for at in contents:
                next(flushed)
                _unfinished(at).replace(at)
            for _ in many.map(flush, folders | {folder.parent for folder in new}):
                pass
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(at)) from None
    finally:
        for path in contents:
            with suppress(OSError):
                _unfinished(path).unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    """The name of a file until it is whole."""
    return path.with_name(f".{path.name[:80]}.{os.getpid()}{UNFINISHED}")


def make(folder: Path) -> None:
    """Make a folder and those above it that are missing, on the disk as well."""
    if folder.is_dir():
        return
    make(folder.parent)
    folder.mkdir(exist_ok=True)
    flush(folder.parent)


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


def flush_all(folder: Path) -> None:
    """See to it that all files below a folder, and their names, are on the disk."""
    from concurrent.futures import ThreadPoolExecutor

    found = [Path(here) / name for here, _, names in os.walk(folder) for name in ("", *names)]
    with ThreadPoolExecutor(AT_ONCE) as many:
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
        shown = folder if folder != Path() else Path.cwd()
        raise InputError(f"({shown}) is no folder that can be written to: {said}; choose another", "out") from None
    finally:
        for one in missing:
            with suppress(OSError, ValueError):
                one.rmdir()
    return folder
