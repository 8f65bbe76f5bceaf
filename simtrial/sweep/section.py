"""The section ``sweep`` of a file: the base trial, the axes along which its parameters change, and what is reported."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simtrial.conduct.outcomes import OUTCOMES
from simtrial.errors import InputError
from simtrial.phrases import counted
from simtrial.trial.section import Line, Made, Section, Within

MOST_CELLS = 1_000_000

RATE = "p"
"""Path of the axis of true response rates."""

NOT_VARIED = ("evidence", "rivals", "stated", "analysis", "study", "report", "estimand", "protocol")
"""Sections that change no result."""

WANTED = ("reject", "pet", "n_enrolled", "n_screened", "overrun", "interim_month", "duration_months")
"""Outcomes that are reported if the file names none."""


StepEnd = Annotated[float, Within("step_end")]


class Steps(Made):
    """Equal steps from one number to another."""

    start: StepEnd = Field(description="First value.")
    stop: StepEnd = Field(description="Last value, included if a step ends there.")
    step: Annotated[float, Within("step")] = Field(description="Step, above 0.")

    @property
    def values(self) -> tuple[float, ...]:
        """The values, to twelve digits, so that .1 and two steps of .1 are .3."""
        return self.make()

    def make(self) -> tuple[float, ...]:
        """See `values`."""
        if not self.step > 0 or not math.isfinite((self.stop - self.start) / self.step) or self.stop < self.start:
            raise InputError("does not increase; write a start of at most stop, and a step above 0")
        number = math.floor((self.stop - self.start) / self.step + 1e-9) + 1
        if number > MOST_CELLS:
            raise InputError(f"gives {counted(number, 'value')}; at most {counted(MOST_CELLS, 'value')} are possible")
        return tuple(round(self.start + k * self.step, 12) for k in range(number))


class Axis(Made):
    """One parameter that changes."""

    path: Line = Field(
        description="Dotted path into the parameter file, such as conduct.enrollment.rate; p: true rates."
    )
    values: Annotated[tuple[object, ...], Field(strict=False, min_length=1, max_length=10_000)] | None = Field(
        None, description="The values, in this order."
    )
    range: Steps | None = Field(None, description="In place of values: start, stop, step.")

    @property
    def taken(self) -> tuple[object, ...]:
        """Its values."""
        return self.make()

    def make(self) -> tuple[object, ...]:
        """See `taken`."""
        if (self.values is None) == (self.range is None):
            raise InputError("needs exactly one of values and range")
        values = self.range.values if self.range is not None else self.values or ()
        if self.range is None:
            _refuse_twice(values)
        return values


def _refuse_twice(values: tuple[object, ...]) -> None:
    seen: set[object] = set()
    for value in values:
        known = (repr(value),) if isinstance(value, dict | list) else value  # these two cannot be in a set
        if known in seen:
            raise InputError(f"({value!r:.40}) is given twice", "values")
        seen.add(known)


class SweepSection(Section):
    """The sweep."""

    base: Line = Field(description="Parameter file of the trial, relative to the folder of this file.")
    combine: Literal["cross", "zip"] = Field(
        "cross", description="cross: every combination of the values; zip: the k-th values of all axes together."
    )
    axes: Annotated[tuple[Axis, ...], Field(strict=False, min_length=1, max_length=20)] = Field(
        description="The parameters that change."
    )
    outcomes: Annotated[tuple[str, ...], Field(strict=False, min_length=1, max_length=40)] = Field(
        WANTED, description=f"What is reported: any of {', '.join(OUTCOMES)}."
    )
    trials: Annotated[int, Within("trials")] = Field(description="Number of simulated trials per scenario.")
    seed: Annotated[int, Within("seed")] = Field(description="Seed: the same one gives the same results.")

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
            raise InputError(f"({led}) begins with trial.; leave that key out, since paths start below it", "axes.path")
        if len(set(self.outcomes)) < len(self.outcomes):
            raise InputError("name an outcome twice; leave one out", "outcomes")
        lengths = {len(axis.taken) for axis in self.axes}
        if self.combine == "zip" and len(lengths) > 1:
            raise InputError(
                f"have different numbers of values ({', '.join(map(str, sorted(lengths)))}); combine: zip needs equal "
                "numbers",
                "axes",
            )
        if self.cells > MOST_CELLS:
            raise InputError(
                f"give {counted(self.cells, 'scenario')}; at most {counted(MOST_CELLS, 'scenario')} are possible",
                "axes",
            )
        return self

    @property
    def faults(self) -> list[InputError]:
        """Outcomes that there are not: not refused by themselves, so that they are told with what is wrong in cells."""
        known = ", ".join(OUTCOMES)
        unknown = (name for name in self.outcomes if name not in OUTCOMES)
        return [InputError(f"({name!r:.40}) is no outcome; choose from {known}", "sweep.outcomes") for name in unknown]

    @property
    def cells(self) -> int:
        """How many scenarios: without an axis of true rates each setting is run at its p0 and its p1."""
        lengths = [len(axis.taken) for axis in self.axes]
        settings = lengths[0] if self.combine == "zip" else math.prod(lengths)
        return settings * (1 if any(axis.path == RATE for axis in self.axes) else 2)


class SweepFile(Section):
    """The whole file: the one key ``sweep``."""

    sweep: SweepSection
