"""A sweep file read, and every cell of its grid checked before anything is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.errors import MOST_LISTED, InputError, several
from simtrial.sweep.grid import Sweep
from simtrial.sweep.section import SweepFile
from simtrial.trial import params

if TYPE_CHECKING:
    from pathlib import Path

MOST_FAILED = 1_000
"""Cells with a mistake after which no more are tried."""


def read(path: str | Path) -> Sweep:
    """Read a sweep and check every cell of it.

    Raises
    ------
    InputError
        In one line: the file and its key, or the cell, and what would be right.
    """
    content, source = params.read_as(path, SweepFile, "the one key sweep: with the sweep under it")
    asked = content.sweep
    place = source.path.parent / asked.base
    try:
        base, _ = params.read(place)
    except InputError as error:
        raise error.placed(f"{source.path}: sweep.base ({asked.base}): ") from None
    found = Sweep(asked, base, source.path)
    faults = _faults(found)
    if faults:
        raise several(faults).placed(f"{source.path}: ")
    return found


def _faults(sweep: Sweep) -> list[InputError]:
    """Each mistake once, with the first cell that has it; as many cells are tried as it takes to know most of them."""
    seen: dict[str, InputError] = {}
    failed = 0
    for index in range(len(sweep)):
        try:
            sweep.cell(index)
        except InputError as error:
            failed += 1
            for one in (InputError(error.message, error.field), *error.others):
                seen.setdefault(f"{one.field.partition('): ')[2]} {one.message}", one)
        if failed == MOST_FAILED or len(seen) > MOST_LISTED:
            break
    return list(seen.values())
