"""Sweeps: a base trial and named axes along which its parameters change; how a file is read and its cells are made.

A cell is one scenario: a trial with one value of each axis, and one true response rate. Cells are numbered in the order
of the axes, the last one moving fastest; the number is part of a cell's random stream. A cell is made when it is asked
for, so that memory does not grow with their number.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from simtrial.conduct import simulation
from simtrial.conduct.outcomes import OUTCOMES
from simtrial.design.designs import looks_text
from simtrial.errors import MOST_LISTED, InputError, several
from simtrial.numbers import probability
from simtrial.plan.plan import Scenario
from simtrial.trial import params
from simtrial.trial.case import Case
from simtrial.trial.section import Line, Made, Section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simtrial.design.designs import Design
    from simtrial.plan.plan import Plan
    from simtrial.trial.trial import Trial

MOST_CELLS = 1_000_000
MOST_FAILED = 1_000
"""Cells with a mistake after which no more are tried."""

RATE = "p"
"""Path of the axis of true response rates."""

NOT_VARIED = ("evidence", "rivals", "stated", "analysis", "study")
"""Sections that change no result."""

WANTED = ("reject", "pet", "n_enrolled", "n_screened", "overrun", "interim_month", "duration_months")
"""Outcomes that are reported if the file does not say."""


class Steps(Made):
    """Equal steps from one number to another."""

    start: float = Field(description="First value.")
    stop: float = Field(description="Last value, included if a step ends there.")
    step: float = Field(description="Step, above 0.")

    @property
    def values(self) -> tuple[float, ...]:
        """The values, to twelve digits, so that .1 and two steps of .1 are .3."""
        return self.make()

    def make(self) -> tuple[float, ...]:
        """See `values`."""
        if not self.step > 0 or not math.isfinite((self.stop - self.start) / self.step) or self.stop < self.start:
            raise InputError("must go up: start <= stop, step > 0")
        number = math.floor((self.stop - self.start) / self.step + 1e-9) + 1
        if number > MOST_CELLS:
            raise InputError(f"makes {number} values; at most {MOST_CELLS} are taken")
        return tuple(round(self.start + k * self.step, 12) for k in range(number))


class Axis(Made):
    """One parameter that changes."""

    path: Line = Field(
        description="Dotted path into the parameter file, such as conduct.enrollment.rate; p: true rates."
    )
    values: Annotated[tuple[Any, ...], Field(strict=False, min_length=1, max_length=10_000)] | None = None
    range: Steps | None = Field(None, description="In place of values: start, stop, step.")

    @property
    def taken(self) -> tuple[Any, ...]:
        """Its values."""
        return self.make()

    def make(self) -> tuple[Any, ...]:
        """See `taken`."""
        if (self.values is None) == (self.range is None):
            raise InputError("must hold either values or range, and not both")
        values = self.range.values if self.range is not None else self.values or ()
        again = next((v for k, v in enumerate(values) if v in values[:k]), None) if self.range is None else None
        if again is not None:
            raise InputError(f"({again!r:.40}) is given twice", "values")
        return values


class SweepSection(Section):
    """The sweep."""

    base: Line = Field(description="Parameter file of the trial, seen from this file's folder.")
    combine: Literal["cross", "zip"] = Field(
        "cross", description="cross: every combination; zip: the k-th of each axis."
    )
    axes: Annotated[tuple[Axis, ...], Field(strict=False, min_length=1, max_length=20)]
    outcomes: Annotated[tuple[str, ...], Field(strict=False, min_length=1, max_length=40)] = Field(
        WANTED, description=f"What is reported: any of {', '.join(OUTCOMES)}."
    )
    trials: Annotated[int, Field(ge=2, le=simulation.MAX_TRIALS)] = Field(description="Simulated trials a scenario.")
    seed: Annotated[int, Field(ge=0, lt=2**63)]

    @model_validator(mode="after")
    def _rules(self) -> SweepSection:
        paths = [axis.path for axis in self.axes]
        again = next((path for path in paths if paths.count(path) > 1), None)
        if again is not None:
            raise InputError(f"({again}) is given twice", "axes.path")
        under = next(((a, b) for a in paths for b in paths if b.startswith(f"{a}.")), None)
        if under is not None:
            raise InputError(
                f"({under[1]}) lies under another axis ({under[0]}), which would overwrite it", "axes.path"
            )
        vain = next((path for path in paths if path.startswith(("conduct.simulation", *NOT_VARIED))), None)
        if vain is not None:
            raise InputError(f"({vain}) changes no result of a sweep", "axes.path")
        led = next((path for path in paths if path.startswith("trial.")), None)
        if led is not None:
            raise InputError(f"({led}) must not begin with trial.: paths start under that key", "axes.path")
        if len(set(self.outcomes)) < len(self.outcomes):
            raise InputError("must not name an outcome twice", "outcomes")
        unknown = next((name for name in self.outcomes if name not in OUTCOMES), None)
        if unknown is not None:
            raise InputError(f"({unknown!r:.40}) must be of {', '.join(OUTCOMES)}", "outcomes")
        lengths = {len(axis.taken) for axis in self.axes}
        if self.combine == "zip" and len(lengths) > 1:
            raise InputError(
                f"must have as many values each to be zipped, not {', '.join(map(str, sorted(lengths)))}", "axes"
            )
        if self.cells > MOST_CELLS:
            raise InputError(f"make {self.cells} scenarios; at most {MOST_CELLS} are run", "axes")
        return self

    @property
    def cells(self) -> int:
        """How many scenarios: without an axis of true rates each setting is run at its p0 and its p1."""
        lengths = [len(axis.taken) for axis in self.axes]
        settings = lengths[0] if self.combine == "zip" else math.prod(lengths)
        return settings * (1 if any(axis.path == RATE for axis in self.axes) else 2)


class SweepFile(Section):
    """The whole file: the one key ``sweep``."""

    sweep: SweepSection


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario.

    Attributes
    ----------
    index : int
        Its number, from 0.
    values : dict of str to value
        Its place on each axis, the true rate among them under ``p``.
    design, plan : Design, Plan
        The trial.
    scenario : Scenario
        The true rate.
    """

    index: int
    values: dict[str, Any]
    design: Design
    plan: Plan
    scenario: Scenario

    @property
    def looks(self) -> str:
        """The design in text."""
        return looks_text(self.design)


class Sweep:
    """A sweep that was read: its cells, made when asked for."""

    def __init__(self, asked: SweepSection, base: Trial, path: Path) -> None:
        self.asked, self.base, self.path = asked, base, path
        kept = base.plain()
        for name in set(NOT_VARIED) - {"study"}:
            kept.pop(name, None)  # they change no result, and would be read anew for every setting
        self._plain = kept
        self._setting = lru_cache(maxsize=64)(self._make)

    @property
    def content(self) -> tuple[str, str]:
        """SHA-256 of what the sweep and its base say, whatever their comments and names."""
        said = (self.asked.model_dump(mode="json"), self._plain)
        one, other = (hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest() for part in said)
        return one, other

    def __len__(self) -> int:
        return self.asked.cells

    @property
    def paths(self) -> tuple[str, ...]:
        """The axes by their paths, that of the true rates last where it is not named."""
        named = tuple(axis.path for axis in self.asked.axes)
        return named if RATE in named else (*named, RATE)

    def places(self, index: int) -> tuple[int, ...]:
        """The place of a cell on each axis."""
        lengths = [len(axis.taken) for axis in self.asked.axes]
        if RATE not in {axis.path for axis in self.asked.axes}:
            index, rate = divmod(index, 2)
            return (*self._placed(index, lengths), rate)
        return self._placed(index, lengths)

    def _placed(self, index: int, lengths: list[int]) -> tuple[int, ...]:
        if self.asked.combine == "zip":
            return (index,) * len(lengths)
        found = []
        for length in reversed(lengths):
            index, place = divmod(index, length)
            found.append(place)
        return tuple(reversed(found))

    def _make(self, places: tuple[int, ...]) -> tuple[Trial, Design, Plan]:
        data = copy.deepcopy(self._plain)
        for axis, place in zip((a for a in self.asked.axes if a.path != RATE), places, strict=True):
            _put(data, axis.path, axis.taken[place])
        trial = params.load(data)
        case = Case.of(trial).checked("cell")
        if case.plan is None:
            raise InputError("is missing: it says how the trial is run", "trial.conduct")
        return trial, case.chosen, case.plan

    def cell(self, index: int) -> Cell:
        """Make one cell.

        Raises
        ------
        InputError
            Naming the cell, and what is wrong with it.
        """
        values: dict[str, Any] = {}
        try:
            places = self.places(index)
            rate_at = self.paths.index(RATE)
            values = {axis.path: axis.taken[place] for axis, place in zip(self.asked.axes, places, strict=False)}
            trial, design, plan = self._setting(tuple(p for k, p in enumerate(places) if k != rate_at))
            rate: Any = values[RATE] if RATE in values else ("p0", "p1")[places[rate_at]]
            asked = trial.requirements
            named: dict[Any, float] = {"p0": asked.p0, "p1": asked.p1}
            p = probability(named.get(rate, rate), "p", closed=True)
        except InputError as error:
            told = ", ".join(f"{path} = {value!r:.60}" for path, value in values.items())
            raise error.placed(f"cell {index} ({told}): ") from None
        return Cell(index, values | {RATE: p}, design, plan, Scenario(f"cell {index}", p))

    def cells(self) -> Iterator[Cell]:
        """Every cell in order."""
        return map(self.cell, range(len(self)))


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a dotted path; keys on the way that are not there are made, and judged with the whole."""
    *way, last = path.split(".")
    here = data
    for part in way:
        below = here.setdefault(part, {})
        if not isinstance(below, dict):
            raise InputError("goes through a key that holds no keys of its own", path)
        here = below
    if path == "design":
        data["design"] = value
        return
    if path.startswith("design."):  # a criterion takes the place of looks, and the reverse
        here.pop({"looks": "criterion", "criterion": "looks"}.get(last, ""), None)
    here[last] = value


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
