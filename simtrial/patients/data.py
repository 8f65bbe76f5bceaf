"""Patients of one trial, one row each, read from files: checked row by row, ordered by enrollment, counted at looks.

Who counts at a look follows the plan's handling of patients without a response assessment; see `simtrial.plan.plan`.
Nothing is guessed in silence: a row that contradicts itself is refused, all such rows of a file at once, and the data
say which columns were read as what (`PatientData.columns`), which were ignored, and what was taken for granted
(`PatientData.notes`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.errors import InputError, several
from simtrial.numbers import count
from simtrial.patients import files as patient_files
from simtrial.patients import sets as patient_sets
from simtrial.patients import times as patient_times
from simtrial.patients.cells import UNITS, has_decimal_comma
from simtrial.patients.columns import used
from simtrial.patients.faults import NO_TOXICITY, comma_faults, judged, line_of, repeated, values_of, wrong
from simtrial.plan.plan import check_handling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simtrial.patients.rows import Patients, Values
    from simtrial.plan.plan import Handling

MAX_PATIENTS = 10_000
"""Most patients of one trial."""


class Times(NamedTuple):
    """Months to an event or to the end of observation (NaN where a patient has none), and whether it was the event."""

    months: NDArray[np.float64]
    event: NDArray[np.bool_]


class Counts(NamedTuple):
    """What the looks saw.

    Attributes
    ----------
    sizes, responses : tuple of int
        Patients in the denominator and responses at each look that was taken, cumulative.
    beyond : int
        Patients who would count but have stage 0: they entered after the last look.
    """

    sizes: tuple[int, ...]
    responses: tuple[int, ...]
    beyond: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PatientData:
    """The patients of a file: arrays of shape (screened,), the enrolled first and in the order of enrollment.

    Attributes
    ----------
    path : str
        The file.
    ids : tuple of str
        Identifiers.
    enrolled, evaluable, responder : ndarray of bool
        Evaluable are enrolled, responders evaluable.
    bor : tuple of str or None
        CR, PR, SD, NON-CR/NON-PD, PD or NE of each patient; None if the files say only who responded.
    dates : tuple of date or None
        Days of enrollment, None of a patient without one.
    by_date : bool
        Whether the order is that of the days; else it is that of the file.
    stage : ndarray of int or None
        Stages as given, 0 of a patient who counts at no look.
    pfs, os, dor : Times or None
        Months; None where the file has no such column.
    onset : Times or None
        Months from enrollment to the first toxicity of grade 3 or higher, or to the end of its observation.
    denied : ndarray of bool or None
        Of whom a flag (TTOXEVENT, TTOXCNSR) states no toxicity; None where the files have no such flag.
    toxicity, change, ttr : ndarray or None
        Highest grade, best change in percent, months to first response: NaN where a patient has none.
    columns : dict of str to str
        The heading that each column was read from, by its name in `simtrial.patients.columns.COLUMNS`.
    ignored : tuple of str
        Columns that are not read.
    notes : tuple of str
        What was chosen or taken for granted.
    sha256 : tuple of str
        Digest of each file.
    """

    path: str
    ids: tuple[str, ...]
    enrolled: NDArray[np.bool_]
    evaluable: NDArray[np.bool_]
    responder: NDArray[np.bool_]
    bor: tuple[str, ...] | None
    dates: tuple[date | None, ...]
    by_date: bool
    stage: NDArray[np.int64] | None
    pfs: Times | None
    os: Times | None
    dor: Times | None
    toxicity: NDArray[np.float64] | None
    change: NDArray[np.float64] | None
    ttr: NDArray[np.float64] | None
    columns: dict[str, str]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: tuple[str, ...] = ()
    onset: Times | None = None
    denied: NDArray[np.bool_] | None = None

    def disposition(self) -> dict[str, int]:
        """Patients from screening to response: each pair adds up to the number before it."""
        enrolled, evaluable, responders = (int(k.sum()) for k in (self.enrolled, self.evaluable, self.responder))
        return {
            "screened": len(self.ids),
            "not enrolled": len(self.ids) - enrolled,
            "enrolled": enrolled,
            "not evaluable": enrolled - evaluable,
            "evaluable": evaluable,
            "non-responders": evaluable - responders,
            "responders": responders,
        }

    def counts(self, sizes: Sequence[int], handling: Handling, attained: Sequence[int] | None = None) -> Counts:
        """Count patients and responses at the looks that were taken.

        A look before the last is taken at the number planned for it; whoever came after it belongs to the next stage,
        whatever its size, so that nobody who counts is left out. STAGE, where the files have it, says instead who was
        seen at which look.

        Parameters
        ----------
        sizes : sequence of int
            Patients planned for each look, cumulative.
        handling : {'nonresponder', 'replace', 'exclude'}
            Looks take the first enrolled; with 'replace' the first evaluable. Who is not evaluable counts as not
            responding with 'nonresponder', else not at all.
        attained : sequence of int, optional
            Patients counted at each look that was taken, where they are not those planned; they must add up with what
            the files hold.

        Returns
        -------
        Counts
            A look at which nobody is new, as all who came since are not evaluable, is not among them.

        Raises
        ------
        InputError
            If sizes do not increase, the handling is none of these, there are more stages than looks, or the files do
            not hold the numbers attained.
        """
        planned = [count(n, "sizes", at_least=1) for n in sizes]
        if not planned or any(a >= b for a, b in pairwise(planned)):
            raise InputError(f"({planned}) do not increase from look to look", "sizes")
        check_handling(handling)
        counting = self.enrolled if handling == "nonresponder" else self.evaluable
        seen = self._seen(planned, handling, counting, attained)
        found = [int((who & counting).sum()) for who in seen]
        responses = [int((who & self.responder).sum()) for who in seen]
        while len(found) > 1 and found[-1] == found[-2]:
            found.pop()
            responses.pop()
        if attained is not None and list(attained) != found:
            given, held = (",".join(map(str, numbers)) for numbers in (attained, found))
            raise InputError(f"({given}) contradicts {self.path}, by which {held} count at the looks", "attained")
        beyond = int(counting.sum()) - (found[-1] if found else 0)
        return Counts(tuple(found), tuple(responses), beyond)

    def _seen(
        self, planned: list[int], handling: Handling, counting: NDArray[np.bool_], attained: Sequence[int] | None
    ) -> list[NDArray[np.bool_]]:
        """Who was enrolled by each look that was taken."""
        if self.stage is not None:
            reached = int(self.stage.max(initial=0))
            if reached > len(planned):
                place = f"{self.path}: {self.columns['STAGE']}"
                raise InputError(f"({reached}) is above {len(planned)}, the number of looks planned", place)
            return [(self.stage > 0) & (self.stage <= k) for k in range(1, reached + 1)]
        if attained is not None:
            # who counts as the last one of each look
            before_each: NDArray[np.int64] = np.cumsum(counting) - counting
            seen = [np.less(before_each, count(n, "attained", at_least=1)) for n in attained]
            seen[-1] = self.enrolled
            return seen
        place_of = np.cumsum(self.evaluable if handling == "replace" else self.enrolled)
        present = int(place_of.max(initial=0))
        before = [n for n in planned[:-1] if n <= present]
        seen = [place_of <= n for n in before]
        if present > (before[-1] if before else 0):
            seen.append(self.enrolled)
        return seen


def read(
    path: str | Path | Sequence[str | Path], *, param: str | None = None, time_unit: str | None = None,
    today: date | None = None,
) -> PatientData:  # fmt: skip
    """Read the patients of a trial; `COLUMNS` says what a file may hold.

    Parameters
    ----------
    path : str, Path or sequence of them
        A file, or several that are joined by patient.
    param : str, optional
        PARAMCD (RSTESTCD) of the response, where a data set has several.
    time_unit : {'days', 'weeks', 'months', 'years'}, optional
        Unit of the times, where the files do not state it.
    today : date, optional
        Nobody was followed beyond it; the day of the computer if left out.

    Raises
    ------
    InputError
        Naming the file, the line, the column and the value of each row that cannot be used; all of them at once.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    sheets = [patient_files.read(one, used) for one in paths]
    patients = patient_sets.one_row_each(sheets, param)
    place = " and ".join(str(one) for one in paths)
    if len(patients.rows) > MAX_PATIENTS:
        raise InputError(f"holds more than {MAX_PATIENTS} patients; no more are read", f"{place}:")
    faults = comma_faults(patients) + repeated(patients)
    found = []
    for row in patients.rows:
        values, unread = values_of(row)
        found.append(values)
        faults += unread
    if faults:
        raise several(sorted(faults, key=line_of))
    today = date.today() if today is None else today
    settled, said = patient_times.units(patients, found, time_unit, today)
    for name, word in settled.items():
        for values in found:
            time = values.numbers[name]
            if time is not None:
                values.numbers[name] = time / UNITS[word]
    faults = [fault for row, values in zip(patients.rows, found, strict=True) for fault in judged(row, values)]
    if faults:
        raise several(faults)
    commas = any(has_decimal_comma(cell.text) for row in patients.rows for cell in row.values())
    notes = [*patients.notes, *(["numbers have decimal commas"] if commas else []), *said]
    return replace(_assembled(place, found, patients, notes), sha256=tuple(sheet.sha256 for sheet in sheets))


def _assembled(place: str, found: list[Values], patients: Patients, notes: list[str]) -> PatientData:
    there = set(patients.read)
    by_date = "ENRLDT" in there and all(p.days["ENRLDT"] is not None for p in found if p.truths["ENRLFL"])
    if "ENRLDT" in there and not by_date:
        _check_rows(patients, found)
    found = sorted(found, key=lambda p: (not p.truths["ENRLFL"], (by_date and p.days["ENRLDT"]) or date.max))

    def numbers(name: str) -> NDArray[np.float64] | None:
        return np.array([p.numbers[name] for p in found], dtype=np.float64) if name in there else None

    def truths(name: str) -> NDArray[np.bool_]:
        return np.array([p.truths[name] for p in found], dtype=np.bool_)

    def times(name: str) -> Times | None:
        months = numbers(name)
        return None if months is None else Times(months, truths(f"{name}EVENT"))

    stage = None
    if "STAGE" in there:
        stage = np.array([p.numbers["STAGE"] or 0 for p in found], dtype=np.int64)
        _check_stage(stage, f"{place}: {patients.read['STAGE']}", by_date=by_date)
    if not by_date:
        why = "not every patient has a date of enrollment" if "ENRLDT" in there else "there is no date of enrollment"
        notes = [*notes, f"patients are taken in the order of the rows: {why}"]
    return PatientData(
        path=place,
        ids=tuple(p.texts["USUBJID"] or "" for p in found),
        enrolled=truths("ENRLFL"),
        evaluable=truths("EVALFL"),
        responder=truths("RESPONDER"),
        bor=tuple(p.texts["BOR"] or "NE" for p in found) if "BOR" in there else None,
        dates=tuple(p.days["ENRLDT"] for p in found),
        by_date=by_date,
        stage=stage,
        pfs=times("PFS"),
        os=times("OS"),
        dor=times("DOR"),
        toxicity=numbers("TOXGR"),
        change=numbers("PCHG"),
        ttr=numbers("TTR"),
        columns=dict(patients.read),
        ignored=tuple(patients.ignored),
        notes=tuple(notes),
        onset=Times(np.array([p.numbers["TTOX"] for p in found], dtype=np.float64), truths("TTOXEVENT"))
        if there & {"TTOX", "TTOXDT"}
        else None,
        denied=truths(NO_TOXICITY) if there & {"TTOX", "TTOXDT"} and there & {"TTOXEVENT", "TTOXCNSR"} else None,
    )


def _check_rows(patients: Patients, found: list[Values]) -> None:
    """Refuse an order of rows that the days of enrollment contradict, where not everybody has a day."""
    days = [day for p in found if p.truths["ENRLFL"] and (day := p.days["ENRLDT"]) is not None]
    if all(a <= b for a, b in pairwise(days)):
        return
    pairs = zip(patients.rows, found, strict=True)
    without = next(row for row, p in pairs if p.truths["ENRLFL"] and p.days["ENRLDT"] is None)
    why = "is missing, and the rows are not in the order of the other dates, so it is unknown who belongs to which look"
    raise wrong(without, "ENRLDT", f"{why}; give the date, or sort the rows by enrollment")


def _check_stage(stage: NDArray[np.int64], place: str, *, by_date: bool) -> None:
    """Refuse stages that cannot be those of the trial: patients of a later one are enrolled later."""
    gap = next((k for k in range(1, int(stage.max(initial=0))) if k not in stage), None)
    if gap is not None:
        raise InputError(f"leaves out a stage: no patient belongs to stage {gap}", place)
    staged = stage[stage > 0]
    falls = np.flatnonzero(np.diff(staged) < 0)
    if falls.size:
        order = "the dates of enrollment" if by_date else "the rows"
        raise InputError(
            f"falls from {staged[falls[0]]} to {staged[falls[0] + 1]} in the order of {order}; if it is not the stage "
            "of the trial, rename the column (DISEASE_STAGE)", place,
        )  # fmt: skip
