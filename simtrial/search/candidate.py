"""A design that meets the limits, with its attained values.

References
----------
.. [1] Jung SH, Lee T, Kim KM, George SL. Admissible two-stage designs for phase II cancer clinical trials. Stat Med
   2004;23:561-569.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from simtrial.design import exact
from simtrial.design.largest import largest_en

if TYPE_CHECKING:
    from simtrial.design.designs import Design, Look, TwoStage
    from simtrial.design.requirements import Requirements


@dataclass(frozen=True)
class Candidate:
    """A design that meets the limits, with its attained values. It is itself a design: it has looks.

    Attributes
    ----------
    kinds : tuple of str
        What it is beside the best by a criterion, such as ``admissible``; of a two-stage design also the criteria.
    """

    design: Design
    requirements: Requirements
    _: KW_ONLY
    kinds: tuple[str, ...] = ()

    @property
    def r(self) -> int:
        """Bound at the end, cumulative."""
        bound = self.looks[-1].r
        assert bound is not None  # every design has one at its last look
        return bound

    @property
    def n(self) -> int:
        """Maximum number of patients."""
        return self.looks[-1].n

    @property
    def looks(self) -> tuple[Look, ...]:
        """The design as a sequence of looks."""
        return self.design.looks

    def on_paper(self, requirements: Requirements) -> Candidate:
        """The design with what it attains if nobody is lost, whatever the limits it was found by."""
        return replace(self, requirements=requirements)

    @cached_property
    def _at_limits(self) -> exact.OperatingCharacteristics:
        return exact.operating_characteristics(self.design, [self.requirements.p0, self.requirements.p1])

    @property
    def type_i_error(self) -> float:
        """P(reject H0; p0)."""
        return float(self._at_limits.reject[0])

    @property
    def power(self) -> float:
        """P(reject H0; p1)."""
        return float(self._at_limits.reject[1])

    @cached_property
    def at_limits(self) -> tuple[str, ...]:
        """Limits that are attained exactly, none spared: any of ``alpha`` and ``power``."""
        return exact.at_limits(self.design, self.requirements)

    @property
    def keeps(self) -> bool:
        """Whether both limits hold."""
        return exact.meets(self.design, self.requirements)

    @property
    def pet_p0(self) -> float:
        """Probability of early termination at p0."""
        return float(self._at_limits.pet[0])

    @property
    def en_p0(self) -> float:
        """Expected number of patients at p0."""
        return float(self._at_limits.en[0])

    @property
    def pet_p1(self) -> float:
        """Probability of early termination at p1."""
        return float(self._at_limits.pet[1])

    @property
    def en_p1(self) -> float:
        """Expected number of patients at p1."""
        return float(self._at_limits.en[1])

    @property
    def en_max(self) -> float:
        """Largest expected number of patients at any true response rate."""
        return largest_en(self.design).en

    @property
    def p_of_en_max(self) -> float:
        """The true response rate at which it is expected."""
        return largest_en(self.design).p


@dataclass(frozen=True)
class TwoStageCandidate(Candidate):
    """A two-stage design that meets the limits.

    Attributes
    ----------
    q_low, q_high : float or None
        The weights q for which it minimises q n + (1 - q) EN(p0) [1]_; None off the hull.
    """

    design: TwoStage
    _: KW_ONLY
    q_low: float | None = None
    q_high: float | None = None

    @property
    def r1(self) -> int:
        """Futility bound of the first stage."""
        return self.design.r1

    @property
    def n1(self) -> int:
        """Patients of the first stage."""
        return self.design.n1


def attained(design: Design, requirements: Requirements) -> Candidate:
    """A design with what it attains: itself where a search for these requirements has found it."""
    if isinstance(design, Candidate) and design.requirements == requirements:
        return design
    return Candidate(design, requirements)
