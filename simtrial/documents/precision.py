"""How precisely the response rate is estimated: the outcomes at the bounds of a design, and that expected at p1."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simtrial.analysis import branching, inference
from simtrial.design.branching import as_table
from simtrial.design.second_stages import SecondStage
from simtrial.errors import InputError
from simtrial.plan.allowances import nearest

if TYPE_CHECKING:
    from simtrial.design.branching import Branching
    from simtrial.documents.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleOutcome:
    """An outcome of the trial with its estimate and its exact interval.

    Attributes
    ----------
    responses, n : int
        Responses and patients at the analysis that ends the trial.
    decision : str
        In words.
    estimate : float or None
        The UMVUE; without an interim analysis this is the observed proportion.
    low, high : float
        Exact limits of the planned level, by the planned ordering.
    expected : bool
        Whether these are the responses expected at p1.
    """

    responses: int
    n: int
    decision: str
    estimate: float | None
    low: float
    high: float
    expected: bool

    @property
    def half_width(self) -> float:
        """Half of the distance between the limits."""
        return (self.high - self.low) / 2


def outcomes(facts: Facts) -> list[PossibleOutcome]:
    """The outcomes at the bounds of each look, and that expected at p1; those that cannot occur are left out."""
    table = as_table(facts.design)
    if table is not None:
        return _of_table(facts, table)
    looks = facts.design.looks
    *early, last = looks
    wanted = {(k, x) for k, look in enumerate(early, start=1) for x in (look.r, look.e) if x is not None}
    wanted |= {(len(looks), (last.r or 0) + more) for more in (0, 1)}
    at_p1 = len(looks), nearest(facts.asked.p1 * last.n)
    found = []
    for stage, x in sorted(wanted | {at_p1}):
        with suppress(InputError):
            found.append(_outcome(facts, stage, x, expected=(stage, x) == at_p1))
    return found


def _of_table(facts: Facts, table: Branching) -> list[PossibleOutcome]:
    """The same where the second stage depends on the first: after each of its sizes, with the fewest responses."""
    found = []
    for x1, row in enumerate(table.after):
        if not isinstance(row, SecondStage):
            continue
        for responses in (row.r, row.r + 1):
            if not x1 <= responses <= x1 + row.n2:
                continue
            one = branching.final(
                table, facts.asked.p0, responses, first_stage=x1, level=facts.level, sides=facts.sides
            )
            low, high = one.intervals["exact"]
            found.append(
                PossibleOutcome(
                    responses=responses,
                    n=one.n,
                    decision=f"{'H0 is rejected' if one.reject else 'H0 is not rejected'}, after {x1} of {table.n1}",
                    estimate=one.estimates["median_unbiased"],
                    low=low,
                    high=high,
                    expected=False,
                )
            )
    return found


def _outcome(facts: Facts, stage: int, responses: int, *, expected: bool) -> PossibleOutcome:
    found = inference.analyze(
        facts.design, responses, facts.asked.p0, stage, facts.level, sides=facts.sides, ordering=facts.ordering
    )
    low, high = found.intervals["exact"]
    verdict = "H0 is rejected" if found.reject else "H0 is not rejected"
    return PossibleOutcome(
        responses=responses,
        n=found.n,
        decision=verdict if stage == len(facts.design.looks) else f"stop: {verdict}",
        estimate=found.estimates["umvue"],
        low=low,
        high=1.0 if high is None else high,
        expected=expected,
    )
