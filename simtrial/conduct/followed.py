"""What becomes of the patients of one simulated trial: their responses, their progressions, their last contacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.conduct import outcomes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simtrial.conduct.runs import Trials
    from simtrial.numbers import Bools, Floats
    from simtrial.plan.plan import Plan

RESPONDED, STABLE, NEITHER, NOT_EVALUABLE, PENDING = range(5)
"""What a patient turns out to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPatients:
    """The enrolled patients of one trial up to a month. Shapes are (patients,); times are months.

    Attributes
    ----------
    entry, known : ndarray
        Month of enrollment, and that at which the response status is known.
    kind : ndarray of int
        `RESPONDED`, `STABLE`, `NEITHER`, `NOT_EVALUABLE` or `PENDING`.
    progression, death : ndarray
        Infinite where there is none.
    progressed, died, responded : ndarray of bool
        Who was seen to progress before death, to die, and to respond.
    last : ndarray
        Death or the last contact; without PFS, the response assessment.
    stable : bool
        Whether stable disease is told apart from progression.
    followed : bool
        Whether patients are followed beyond their response assessment.
    """

    entry: Floats
    known: Floats
    kind: NDArray[np.int64]
    progression: Floats
    death: Floats
    progressed: Bools
    died: Bools
    responded: Bools
    last: Floats
    stable: bool
    followed: bool


def course(plan: Plan, trials: Trials, column: int, rng: np.random.Generator, now: float) -> FollowedPatients:
    """Follow the patients of one trial of a block up to a month; `rng` is that which the block left behind."""
    enrolled, cohort = int(trials.enrolled[column]), trials.cohort
    entry = trials.entry[:enrolled, column]
    known = entry + (cohort.known if isinstance(cohort.known, float) else cohort.known[:enrolled, column])
    progression, death, stop = _months(plan, trials, column, rng)
    last = np.minimum(known if stop is None else stop, now)
    pending = known > now
    return FollowedPatients(
        entry=entry,
        known=known,
        kind=np.where(pending, PENDING, _kinds(trials, column)),
        progression=progression,
        death=death,
        # who dropped out before an assessment was not seen to progress
        progressed=(progression < death) & (progression <= last) & cohort.evaluable[:enrolled, column],
        died=death <= last,
        responded=cohort.responds[:enrolled, column] & ~pending,
        last=last,
        stable=cohort.stable is not None,
        followed=stop is not None,
    )


def ordinary(trials: Trials) -> int:
    """A trial that went the whole way in about the median time; if it can be, one not stopped for toxicity."""
    stage = np.where(trials.toxicity_stopped, 0, trials.stage)
    longest = np.flatnonzero(stage == np.max(stage))
    months = trials.decision[longest]
    return int(longest[np.argmin(np.abs(months - np.median(months)))])


def _kinds(trials: Trials, column: int) -> NDArray[np.int64]:
    """What each enrolled patient of a trial turns out to be once all is known."""
    cohort, enrolled = trials.cohort, int(trials.enrolled[column])
    responds, evaluable = cohort.responds[:enrolled, column], cohort.evaluable[:enrolled, column]
    kinds = np.where(~evaluable, NOT_EVALUABLE, np.where(responds, RESPONDED, NEITHER))
    return kinds if cohort.stable is None else np.where(cohort.stable[:enrolled, column], STABLE, kinds)


def _months(plan: Plan, trials: Trials, column: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
    """Months of progression, death and the end of observation of each enrolled patient; no end without PFS."""
    enrolled, pfs = int(trials.enrolled[column]), trials.cohort.pfs
    never = np.full(enrolled, np.inf)
    if pfs is None:
        return never, never, None
    entry = trials.entry[:enrolled, column]
    lost, os = outcomes.lifetimes(plan, trials, pfs, rng)
    death = never if os is None else entry + os[:enrolled, column]
    stop = np.minimum(np.minimum(death, entry + lost[:enrolled, column]), float(trials.end[column]))
    return entry + pfs[:enrolled, column], death, stop
