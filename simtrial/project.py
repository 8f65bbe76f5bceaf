"""Where notebooks, example files, reference numbers and the lock are: in a clone, or in the installed package.

A clone keeps them at its top level, and the package is installed from there, editable. A wheel holds copies of them in
the folder ``shipped`` of the package, which its build takes from the top level (``pyproject.toml``).
"""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

from simtrial.errors import InputError

DISTRIBUTION = "simtrial-orr"
"""The name under which pip knows the package."""

LOCK = "requirements.lock"
"""The file with the versions that the project is tested with."""

_PACKAGE = Path(__file__).resolve().parent
SHIPPED = _PACKAGE / "shipped"
"""Where a wheel keeps what a clone has at its top level."""


def _working() -> Path:
    try:
        return Path.cwd()
    except OSError:  # the working directory was removed
        return _PACKAGE


CLONE: Path | None = None if SHIPPED.is_dir() else _PACKAGE.parent
"""The clone that this code runs from; None where the package was installed from a wheel."""

ROOT = _working() if CLONE is None else CLONE
"""The folder in which notebooks run, and from which relative names are looked up again: the clone, else the working
directory at the start."""


def _home() -> Path:
    return SHIPPED if CLONE is None else ROOT


def folder(name: str) -> Path:
    """Give a folder of the project, such as ``notebooks``.

    Raises
    ------
    InputError
        If it is missing, as from a package that was copied without its clone.
    """
    path = _home() / name
    if not path.is_dir():
        raise InputError(f"({path}) is not there; install simtrial from its wheel, or from a clone with -e .", name)
    return path


def lock() -> Path:
    """Give the lock, which may be missing."""
    return _home() / LOCK


def found(path: Path) -> Path:
    """Give the file that a name means: itself, else seen from the root, else one that comes with the package.

    Parameters
    ----------
    path : Path
        Relative or absolute.

    Returns
    -------
    Path
        `path` as it is where nothing is found, so that an error names what was written.
    """
    if path.is_absolute() or os.path.exists(path):  # noqa: PTH110 - that of pathlib raises where a name is too long
        return path
    places = (ROOT / path, _home() / path)
    return next((place for place in places if os.path.exists(place)), path)  # noqa: PTH110 - the same


def stated() -> importlib.metadata.PackageMetadata | None:
    """Give what the installed package states of itself, such as its dependencies; None if it is not installed."""
    try:
        return importlib.metadata.metadata(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return None
