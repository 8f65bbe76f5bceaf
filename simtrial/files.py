"""Input files are untrusted: they are read once and to a limit, and a file of another kind is refused in one line.

Beside them stands the digest of the package's own code, under which results are kept.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path

from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.slips import nearest

PACKAGE = Path(__file__).resolve().parent
"""The folder of the whole package."""

MOST_NAMES = 500
"""Most files of a folder among which a misspelt name is looked for."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: every statement about it refers to these bytes.

    Attributes
    ----------
    name : str
        The file, as messages name it.
    data : bytes
        All of it.
    """

    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Digest of the bytes."""
        return sha256(self.data).hexdigest()

    @property
    def kind(self) -> str:
        """What it is: see the function `kind`."""
        return kind(self.data)


def within(content: Content, most: int) -> Content:
    """Give back what holds at most this many bytes.

    Raises
    ------
    InputError
        If it is larger.
    """
    if len(content.data) > most:
        raise InputError(f"is larger than {counted(most, 'byte')}", f"{content.name}:")
    return content


def read(path: Path, most: int) -> Content:
    """Read a whole file of at most this many bytes.

    A pipe, a device or a socket may never end, or never begin; it is refused without waiting for it.

    Raises
    ------
    InputError
        If it cannot be read, is no regular file, or is larger.
    """
    try:
        # a device acts when it is opened, and a pipe waits for somebody to write: look first, and again at what is open
        _regular(path, path.stat().st_mode)
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123 - it is open
            _regular(path, os.fstat(file.fileno()).st_mode)
            data = file.read(most + 1) or b""  # None where a file of the kernel has nothing to say yet
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError("cannot be read: the name holds a character that no file has", f"{path!s:.200}:") from None
    except OSError as error:
        near = meant(path) if isinstance(error, FileNotFoundError) else None
        hint = f"; did you mean {near}?" if near else ""
        raise InputError(f"cannot be read: {error.strerror or error}{hint}", f"{path}:") from None
    return within(Content(str(path), data), most)


def there(path: Path) -> bool:
    """Whether something is at a path, and may be seen; a name that no file can have is that of none."""
    return os.path.exists(path)  # noqa: PTH110 - that of pathlib raises where a name is too long


_OTHER = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _regular(path: Path, mode: int) -> None:
    """Refuse what is no regular file."""
    if stat.S_ISREG(mode):
        return
    told = next((name for is_one, name in _OTHER if is_one(mode)), "something else")
    raise InputError(f"is {told}; name a regular file", f"{path}:")


_KINDS = (
    (b"\xd0\xcf\x11\xe0", "an Excel file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"RDX", "a file of R objects"),
    (b"HEADER RECORD*******LIB", "a SAS transport file"),
)
SAS_DATA_SET = b"\xc2\xea\x81\x60"
"""How a SAS data set begins, after some bytes that are 0."""

_PARTS = (
    (b"word/document", "a Word file"),
    (b"xl/", "an Excel file"),
    (b"ppt/presentation", "a PowerPoint file"),
    (b"vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet"),
    (b"vnd.oasis.opendocument", "an OpenDocument file"),
    (b"[Content_Types]", "an Excel file"),
)
"""What the files in an archive of an office program are called; where all else fails, its table of contents."""


def kind(data: bytes) -> str:
    """Say what a file is by its first bytes, such as "an Excel file" or "a PDF"; empty where it may be text."""
    if data.startswith((b"PK\3\4", b"PK\5\6")):
        return next((name for part, name in _PARTS if part in data), "a ZIP archive")
    if data[:1] == b"\0" and data[:32].lstrip(b"\0").startswith(SAS_DATA_SET):
        return "a SAS data set"
    return next((name for magic, name in _KINDS if data.startswith(magic)), "")


def meant(path: Path) -> Path | None:
    """The file that a path to nowhere was probably meant for: one of a like name, there or in a folder beside or below.

    Parameters
    ----------
    path : Path
        A path at which there is no file.
    """
    here = path.parent
    folders = [here, here / "params"] if here.is_dir() else []
    folders += [one for one in _inside(here.parent) if one.is_dir() and nearest(here.name, [one.name], 0.7)]
    found = {one.name: one for folder in reversed(folders) for one in _inside(folder) if one.is_file()}
    stems = {name.rpartition(".")[0] or name: name for name in found}
    name = path.name if path.name in found else ""
    name = name or stems.get(nearest(path.stem, stems, 0.8), "")
    return found[name] if name else None


def _inside(folder: Path) -> list[Path]:
    """What a folder holds, as far as it may be looked at."""
    try:
        return sorted(islice(folder.iterdir(), MOST_NAMES))
    except OSError:
        return []


def digest(package: Path) -> str:
    """Digest of every module under a folder, at whatever depth, with its place."""
    code = sha256()
    for source in sorted(package.rglob("*.py")):
        text = source.read_bytes()
        code.update(f"{source.relative_to(package).as_posix()} {len(text)}\n".encode() + text)
    return code.hexdigest()


@cache
def code_digest() -> str:
    """Digest of the code that runs in this process: results kept under another one may not be those of this code."""
    return digest(PACKAGE)
