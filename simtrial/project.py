"""Where a clone keeps its notebooks and reference numbers; the package is installed from there, editable."""

from __future__ import annotations

from pathlib import Path

from simtrial.errors import InputError

ROOT = Path(__file__).resolve().parent.parent


def folder(name: str) -> Path:
    """Give a folder of the clone, such as ``notebooks``.

    Raises
    ------
    InputError
        If the package was installed away from its clone.
    """
    path = ROOT / name
    if not path.is_dir():
        raise InputError(f"({path}) is not there; run from a clone, installed with pip install --no-deps -e .", name)
    return path
