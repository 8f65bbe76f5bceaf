"""Study records of ClinicalTrials.gov, from a file: which studies it holds, and the one that is wanted.

`simtrial.review.studies` reads the file, whose size is limited; `simtrial.review.record` takes what is needed from the
study.
"""

from __future__ import annotations

import re
from pathlib import Path

from simtrial import files
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.review import record, studies

MAX_BYTES = 4_194_304
"""Largest record that is read."""


def _read(path: Path) -> list[record.StudyProtocol]:
    if not files.there(path) and re.fullmatch(r"NCT[0-9]{8}", path.name, re.IGNORECASE):
        raise InputError(
            "is not a file, and records are not downloaded; save the record of the study as JSON", f"{path}"
        )
    return studies.protocols(files.read(path, MAX_BYTES).data, path)


def listed(path: str | Path) -> list[tuple[str, str]]:
    """Numbers and titles of the studies in a file.

    Raises
    ------
    InputError
        If the file holds no study record.
    """
    return [record.identity(protocol) for protocol in _read(Path(path))]


def _chosen(found: list[record.StudyProtocol], nct: str | None, path: Path) -> record.StudyProtocol:
    """The one study, or that of the number given."""
    numbers = [record.identity(protocol)[0] for protocol in found]
    shown = ", ".join(number or "one without a number" for number in numbers[:10])
    if numbers[10:]:
        shown += f" and {len(numbers) - 10} more"
    if nct is None:
        if len(found) > 1:
            raise InputError(
                f"holds {counted(len(found), 'study', 'studies')} ({shown}); choose one with --nct", f"{path}:"
            )
        return found[0]
    wanted = nct.strip().upper()
    if re.fullmatch(r"[0-9]{8}", wanted):
        wanted = f"NCT{wanted}"
    if not re.fullmatch(r"NCT[0-9]{8}", wanted):
        raise InputError(f"({nct!r:.40}) is not NCT and eight digits", "nct")
    matching = [protocol for protocol, number in zip(found, numbers, strict=True) if number == wanted]
    if not matching:
        raise InputError(f"({wanted}) is not in {path}, which holds {shown}", "nct")
    if len(matching) > 1:
        raise InputError(f"holds {len(matching)} different records of {wanted}; keep one of them", f"{path}:")
    return matching[0]


def read(path: str | Path, nct: str | None = None) -> record.Record:
    """Read a study record.

    Parameters
    ----------
    path : str or Path
        One record or several, in any of the forms that `simtrial.review.studies` reads.
    nct : str, optional
        Number of the study to be taken; needed where the file holds several.

    Raises
    ------
    InputError
        If the file holds no such record or several, if the record lacks what is needed, or if it describes a
        randomised study, an observational study or a dose escalation without a response rate.
    """
    path = Path(path)
    return record.of(_chosen(_read(path), nct, path), path)
