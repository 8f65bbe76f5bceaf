"""Designs that the search with recalculated bounds has found, with their figures as the trial is run."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from simtrial.laws.evaluable import Evaluable
from simtrial.search.candidate import Candidate, TwoStageCandidate

if TYPE_CHECKING:
    from simtrial.design import exact
    from simtrial.design.designs import TwoStage
    from simtrial.design.requirements import Requirements
    from simtrial.plan.dropout import Dropout


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
        asked = self.requirements
        return self._law.characteristics(self.design, (asked.p0, asked.p1))

    @cached_property
    def at_limits(self) -> tuple[str, ...]:
        """Limits that are attained exactly as the trial is run: any of ``alpha`` and ``power``."""
        return tuple(name for name, side in zip(("alpha", "power"), self._sides, strict=True) if side == 0)

    @property
    def keeps(self) -> bool:
        """Whether both limits hold as the trial is run."""
        alpha, power = self._sides
        return alpha <= 0 <= power

    def on_paper(self, requirements: Requirements) -> Candidate:
        """The planned design with what it attains without dropout."""
        return Candidate(self.design, requirements)

    @property
    def _law(self) -> Evaluable:
        return Evaluable.of(self.requirements, self.loss)

    @cached_property
    def _sides(self) -> tuple[int, int]:
        return self._law.sides(self.design)


@dataclass(frozen=True)
class RecalculatedTwoStage(RecalculatedCandidate, TwoStageCandidate):
    """A two-stage design whose figures are those of the trial as it is run: see `RecalculatedCandidate`."""

    design: TwoStage

    def on_paper(self, requirements: Requirements) -> TwoStageCandidate:
        """The planned design with what it attains without dropout."""
        return TwoStageCandidate(self.design, requirements, kinds=self.kinds, q_low=self.q_low, q_high=self.q_high)
