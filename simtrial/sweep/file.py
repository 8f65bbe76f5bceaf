"""A sweep file read, and every cell of its grid checked before anything is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.errors import MOST_LISTED, InputError, several
from simtrial.sweep.grid import Sweep
from simtrial.sweep.section import SweepFile
from simtrial.trial import params

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_FAILED = 1_000
"""Cells with a mistake after which no more are tried."""

EVERY = 50
"""Cells between two reports."""


def _silent(_share: float) -> None:
    """Told how much is done, which nobody wants to hear."""


def read(path: str | Path, tell: Callable[[float], None] = _silent) -> Sweep:
    """Read a sweep and check every cell of it.

    Parameters
    ----------
    path : str or Path
        The sweep file.
    tell : callable
        Called with the share of the cells that a step checked, 1 in all.

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
    faults = [*asked.faults, *_faults(found, tell)]
    if faults:
        raise several(faults).placed(f"{source.path}: ")
    return found


def _faults(sweep: Sweep, tell: Callable[[float], None]) -> list[InputError]:
    """Each mistake once, with the first cell that has it; as many cells are tried as it takes to know most of them.

    A cell is a trial and a true rate: one whose trial and whose rate were right in other cells is right.
    """
    seen: dict[str, InputError] = {}
    right: tuple[set[tuple[int, ...]], set[int]] = set(), set()
    failed, told = 0, 0
    for index in range(len(sweep)):
        setting, rate = sweep.parted(sweep.places(index))
        if setting in right[0] and rate in right[1]:
            continue
        try:
            sweep.cell(index)
            right[0].add(setting)
            right[1].add(rate)
        except InputError as error:
            failed += 1
            for one in (InputError(error.message, error.field), *error.others):
                seen.setdefault(f"{one.field.partition('): ')[2]} {one.message}", one)
        if failed == MOST_FAILED or len(seen) > MOST_LISTED:
            break
        if index - told >= EVERY:
            tell((index - told) / len(sweep))
            told = index
    return list(seen.values())
