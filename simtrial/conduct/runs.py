"""Simulated trials, and the random numbers they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simtrial.conduct.cohort import Cohort
    from simtrial.numbers import Bools, Floats, Ints
    from simtrial.plan.plan import Plan


def block_size(plan: Plan) -> int:
    """Trials that share a stream: as many as keep the working arrays in the processor's cache, for the plan at hand."""
    lost = max(plan.dropout.probability, plan.dropout.of_responder) if plan.handling == "replace" else 0.0
    rows = plan.design.looks[-1].n / (1 - lost)
    return int(min(4096, max(64, 2 ** int(np.log2(131_072 / rows)))))


@dataclass(frozen=True, kw_only=True)
class Trials:
    """What came of each trial of a block. Shapes are (trials,) unless said otherwise; times are months.

    Attributes
    ----------
    reject : ndarray of bool
        Whether H0 was rejected.
    stage : ndarray of int
        Look at responses at which the trial ended, from 1; of a trial stopped for toxicity the one that was due.
    responses, evaluable, analysed : ndarray of int
        Responses, evaluable patients among those counted, and the denominator of the response rate, once every patient
        counted has his status.
    enrolled, counted : ndarray of int
        Patients enrolled by the decision, or where a rejection is known early by the completion of accrual; those of
        them that the last look taken counts, lost ones included: of a trial stopped for toxicity the look at toxicity
        whose bound was reached.
    screened : ndarray of int
        Patients screened for them.
    first_look : ndarray
        Month of the first of several looks; NaN where accrual closed or the trial was stopped for toxicity before it,
        and for a single look.
    held : ndarray
        Months for which accrual waited for a decision.
    last_patient, decision, end : ndarray
        Month of the last patient's enrollment, of the last decision, and of the end of follow-up. Accrual may be
        completed after a decision that is taken as soon as it is known. Under a rule for toxicity the decision of a
        trial that is stopped for it comes when the boundary is crossed, and a rejection waits for the toxicity of all
        patients counted.
    closed : ndarray of bool
        Whether accrual closed at its date with too few patients for the look that was due.
    toxicity_stopped : ndarray of bool
        Whether the trial was stopped for toxicity.
    crossed : ndarray of int
        Patients of the look at toxicity that was crossed, the first of several at that moment; 0 where none was while
        the trial ran.
    entry : ndarray, shape (patients, trials)
        Month of each enrollment had the trial not stopped; infinite where no place came free or accrual had closed.
    looks, holds, resumed : ndarray, shape (looks, trials)
        Month of each look, months on hold for its decision, and month from which patients of the next stage enter, had
        the trial not stopped.
    included : ndarray of bool, shape (patients, trials)
        Who counts in the response rate or its denominator at the decision.
    cohort : Cohort
        The patients.
    p : float or ndarray
        True response rate.
    """

    reject: Bools
    stage: Ints
    responses: Ints
    evaluable: Ints
    analysed: Ints
    enrolled: Ints
    counted: Ints
    screened: Ints
    first_look: Floats
    held: Floats
    last_patient: Floats
    decision: Floats
    end: Floats
    closed: Bools
    toxicity_stopped: Bools
    crossed: Ints
    entry: Floats
    looks: Floats
    holds: Floats
    resumed: Floats
    included: Bools
    cohort: Cohort
    p: Floats | float

    def __len__(self) -> int:
        return len(self.stage)


def stream(seed: int, scenario: int, block: int) -> np.random.SeedSequence:
    """The random stream of one block of one scenario."""
    return np.random.SeedSequence(seed, spawn_key=(scenario, block))
