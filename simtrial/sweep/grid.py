"""The grid of a sweep: a base trial and named axes along which its parameters change.

A cell is one scenario: a trial with one value of each axis, and one true response rate. Cells are numbered in the order
of the axes, the last one moving fastest; the number is part of a cell's random stream. A cell is made when it is asked
for, so that memory does not grow with their number.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from simtrial.design.designs import looks_text
from simtrial.errors import InputError
from simtrial.numbers import probability
from simtrial.plan.plan import Scenario
from simtrial.search import FAMILIES
from simtrial.sweep.section import NOT_VARIED, RATE, SweepSection
from simtrial.trial import params
from simtrial.trial.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simtrial.design.designs import Design
    from simtrial.plan.plan import Plan
    from simtrial.trial.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCell:
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
    values: dict[str, object]
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
        kept: dict[str, object] = base.plain()
        for name in set(NOT_VARIED) - {"study"}:
            kept.pop(name, None)  # they change no result, and would be read again for every setting
        self._plain = kept
        self._taken = [axis.taken for axis in asked.axes]
        self._named = [axis.path for axis in asked.axes]
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
        named = tuple(self._named)
        return named if RATE in named else (*named, RATE)

    def places(self, index: int) -> tuple[int, ...]:
        """The place of a cell on each axis."""
        lengths = [len(values) for values in self._taken]
        if RATE not in self._named:
            index, rate = divmod(index, 2)
            return (*self._placed(index, lengths), rate)
        return self._placed(index, lengths)

    def parted(self, places: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
        """Places on the axes apart from that of the true rate, which make a trial, and the place on that one."""
        rate_at = self.paths.index(RATE)
        return (*places[:rate_at], *places[rate_at + 1 :]), places[rate_at]

    def _placed(self, index: int, lengths: list[int]) -> tuple[int, ...]:
        if self.asked.combine == "zip":
            return (index,) * len(lengths)
        found = []
        for length in reversed(lengths):
            index, place = divmod(index, length)
            found.append(place)
        return tuple(reversed(found))

    def _make(self, places: tuple[int, ...]) -> tuple[Trial, Design, Plan]:
        data = dict(self._plain)
        axes = ((path, values) for path, values in zip(self._named, self._taken, strict=True) if path != RATE)
        for (path, values), place in zip(axes, places, strict=True):
            _put(data, path, values[place])
        trial = params.load(data)
        case = Case.of(trial).checked("cell")
        if case.plan is None:
            raise InputError("is missing; a sweep needs the section that states how the trial is run", "trial.conduct")
        return trial, case.chosen, case.plan

    def cell(self, index: int) -> GridCell:
        """Make one cell.

        Raises
        ------
        InputError
            Naming the cell, and what is wrong with it.
        """
        values: dict[str, object] = {}
        try:
            places = self.places(index)
            values = {path: taken[place] for path, taken, place in zip(self._named, self._taken, places, strict=False)}
            setting, rate_place = self.parted(places)
            trial, design, plan = self._setting(setting)
            rate = values[RATE] if RATE in values else ("p0", "p1")[rate_place]
            truths = trial.truths
            named = {"p0": truths.p0, "p1": truths.p1}
            p = probability(named.get(rate, rate) if isinstance(rate, str) else rate, "p", closed=True)
        except InputError as error:
            at = ", ".join(f"{path} = {value!r:.60}" for path, value in values.items())
            raise error.placed(f"cell {index} ({at}): ") from None
        return GridCell(
            index=index,
            values=values | {RATE: p},
            design=design,
            plan=plan,
            scenario=Scenario(f"cell {index}", p),
        )

    def cells(self) -> Iterator[GridCell]:
        """Every cell in order."""
        return map(self.cell, range(len(self)))


_INSTEAD = {"looks": ("criterion", "family", "weight", "constraints"), "criterion": ("looks",), "family": ("looks",)}
"""Keys of the section design that another key takes the place of."""


def _has(family: object, criterion: object) -> bool:
    """Whether a criterion is one of a family; of what is no family at all, the whole file is judged later."""
    known = FAMILIES.get(str(family))
    return known is None or any(criterion in (one.key, one.short) for one in known.criteria)


def _put(data: dict[str, object], path: str, value: object) -> None:
    """Set a value at a dotted path; keys on the way that are not there are made, and judged with the whole.

    Sections on the way are copied: others hold them too.
    """
    *way, last = path.split(".")
    here = data
    for part in way:
        below = here.get(part, {})
        if not isinstance(below, dict):
            raise InputError("goes through a key that holds no keys of its own", path)
        here[part] = below = dict(below)
        here = below
    if path == "design":
        data["design"] = value
        return
    if path.startswith("design."):  # a criterion takes the place of looks, and the reverse
        for other in _INSTEAD.get(last, ()):
            here.pop(other, None)
        if last == "family" and not _has(value, here.get("criterion")):
            here.pop("criterion", None)
    here[last] = value
