"""The levers of a parameter file: what its assumptions about the conduct cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.conduct import levers as conduct_levers

if TYPE_CHECKING:
    from simtrial.conduct.levers import Lever
    from simtrial.trial.case import Case


def of(case: Case) -> tuple[Lever, ...]:
    """Pull every lever of the design as it is run by the file; see `simtrial.conduct.levers`.

    Raises
    ------
    InputError
        If the file does not say how the trial is run.
    """
    size = case.size
    plan = case.run(case.chosen)
    return conduct_levers.of(plan, case.requirements, size.trials, size.seed, among=case.trial.reading)
