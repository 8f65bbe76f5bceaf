"""A folder of results belongs to one parameter file: another file with the same id must not replace it in silence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial import files, project
from simtrial.errors import InputError
from simtrial.show import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from simtrial.trial.params import Source

MANIFEST = "manifest.json"
MOST_BYTES = 16_000_000
"""Most bytes of a manifest: it names every file of a report, and nobody's report has a hundred thousand."""

MOST_LETTERS = 300
"""Letters that are repeated of what a manifest says."""

NAME, PLACE = "parameter_file", "parameter_path"
"""Keys of a manifest: the name of the parameter file, and where it is."""


def place(file: Path, final: Path) -> str:
    """Where a parameter file is, told without naming more of this machine than is needed.

    From the root of the clone if it is inside, so that a clone may be moved, and likewise for a file that came with the
    wheel; else from the folder that holds the results, beginning with a dot. Links are followed.
    """
    whole = file.resolve()
    if whole.is_relative_to(home := (project.CLONE or project.SHIPPED).resolve()):
        return whole.relative_to(home).as_posix()
    try:
        beside = Path(os.path.relpath(whole, final.parent.resolve())).as_posix()
    except ValueError:  # another drive
        return whole.as_posix()
    return beside if beside.startswith("../") else f"./{beside}"


def refuse(final: Path, source: Source) -> None:
    """Refuse to replace results that were made from another parameter file.

    Raises
    ------
    InputError
        If `final` holds a report on another file, or is a folder that no report was written to.
    """
    if not final.exists():
        return
    held = f"{source.path}: trial.study.id"
    remedy = "give each file its own id, or add --replace"
    manifest = _manifest(final)
    if manifest is None:
        if (final / "report.html").exists() and not (final / MANIFEST).exists():
            return  # nobody can tell which file that was
        raise InputError(f"({final.name}) would replace {final}, which is not the report of a study; {remedy}", held)
    if not _same(manifest, place(source.path, final), source.path.name):
        raise InputError(
            f"({final.name}) has a report already: {final}, made from {_told(manifest, final)}; {remedy}", held
        )


def note(final: Path, name: str | None, progress: Callable[[str], None]) -> None:
    """Say so if results about to be replaced were made from another parameter file."""
    manifest = _manifest(final)
    before = manifest.get(NAME) if manifest else None
    if before is not None and before != name:
        progress(f"{final} was made from {terminal.one_line(str(before))[:MOST_LETTERS]} and will be replaced")


def _manifest(final: Path) -> dict[str, object] | None:
    try:
        found = json.loads(files.read(final / MANIFEST, MOST_BYTES).data)
    except (ValueError, RecursionError):  # it cannot be read, or is nested so deeply that nobody wrote it
        return None
    return found if isinstance(found, dict) else None


def _same(manifest: dict[str, object], here: str, name: str) -> bool:
    """Whether the file is the one recorded; manifests of older versions record its name alone."""
    return manifest[PLACE] == here if PLACE in manifest else manifest.get(NAME) == name


def _told(manifest: dict[str, object], final: Path) -> str:
    there = str(manifest.get(PLACE) or manifest.get(NAME) or "another kind of file")[:MOST_LETTERS]
    return f"{there} (seen from {final.parent})" if there.startswith(".") else there
