"""Designs that the search with recalculated bounds has found, with their figures as the trial is run."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from simtrial.laws.evaluable import Evaluable
from simtrial.search.candidate import Candidate, TwoStageCandidate

if TYPE_CHECKING:
    from simtrial.design import exact
    from simtrial.design.requirements import Requirements
    from simtrial.plan.dropout import Dropout


def _attained(candidate: RecalculatedCandidate | RecalculatedTwoStage) -> exact.OperatingCharacteristics:
    asked = candidate.requirements
    return Evaluable.of(asked, candidate.loss).characteristics(candidate.design, (asked.p0, asked.p1))


def _exactly(candidate: RecalculatedCandidate | RecalculatedTwoStage) -> tuple[str, ...]:
    sides = Evaluable.of(candidate.requirements, candidate.loss).sides(candidate.design)
    return tuple(name for name, side in zip(("alpha", "power"), sides, strict=True) if side == 0)


def _keeps(candidate: RecalculatedCandidate | RecalculatedTwoStage) -> bool:
    alpha, power = Evaluable.of(candidate.requirements, candidate.loss).sides(candidate.design)
    return alpha <= 0 <= power


@dataclass(frozen=True)
class RecalculatedCandidate(Candidate):
    """A design whose figures are those of the trial as it is run, its bounds recalculated; n counts patients enrolled.

    Attributes
    ----------
    loss : Dropout
        Law of loss.
    """

    _: KW_ONLY
    loss: Dropout

    @cached_property
    def _at_limits(self) -> exact.OperatingCharacteristics:
        return _attained(self)

    @cached_property
    def at_limits(self) -> tuple[str, ...]:
        """Limits that are attained exactly as the trial is run: any of ``alpha`` and ``power``."""
        return _exactly(self)

    @property
    def keeps(self) -> bool:
        """Whether both limits hold as the trial is run."""
        return _keeps(self)

    def on_paper(self, requirements: Requirements) -> Candidate:
        """The planned design with what it attains if nobody is lost."""
        return Candidate(self.design, requirements)


@dataclass(frozen=True)
class RecalculatedTwoStage(TwoStageCandidate):
    """A two-stage design whose figures are those of the trial as it is run: see `RecalculatedCandidate`."""

    _: KW_ONLY
    loss: Dropout

    @cached_property
    def _at_limits(self) -> exact.OperatingCharacteristics:
        return _attained(self)

    @cached_property
    def at_limits(self) -> tuple[str, ...]:
        """Limits that are attained exactly as the trial is run: any of ``alpha`` and ``power``."""
        return _exactly(self)

    @property
    def keeps(self) -> bool:
        """Whether both limits hold as the trial is run."""
        return _keeps(self)

    def on_paper(self, requirements: Requirements) -> TwoStageCandidate:
        """The planned design with what it attains if nobody is lost."""
        return TwoStageCandidate(self.design, requirements, kinds=self.kinds, q_low=self.q_low, q_high=self.q_high)
