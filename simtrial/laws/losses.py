"""What a design is asked to keep when patients are lost, while its bounds stay as planned.

A trial that loses patients then decides as the design on paper does at another response rate [1]_: that of patients who
are evaluable and respond, where patients lost count as non-responders or are left out; that among the evaluable, where
patients lost are replaced. The search for designs that keep their limits as the trial is run is therefore the search on
paper at those rates, and its certificate holds as it stands.

References
----------
.. [1] A'Hern RP. Sample size tables for exact single-stage phase II designs. Stat Med 2001;20:859-866.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from simtrial.design.exact import meets, operating_characteristics
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.numbers import Floats
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.plan import Handling

Among = Literal["enrolled", "evaluable"]
"""Whose response rate p0 is: that of all patients enrolled, patients lost counting as non-responders, or that of the
patients had nobody been lost.
"""
AMONG: tuple[Among, ...] = get_args(Among)


Losses = Literal["paper", "run"]
"""Where the limits of a design are to hold: with every patient evaluable, or as the trial is run."""
LOSSES: tuple[Losses, ...] = get_args(Losses)


def counted(loss: Dropout, handling: Handling, p: float | Floats) -> Floats:
    """Response rate at which a design with planned bounds decides, where p is the rate had nobody been lost."""
    return loss.among_evaluable(p) if handling == "replace" else loss.seen(p)


@dataclass(frozen=True, kw_only=True)
class AsRun:
    """How patients are lost and counted, for a design whose bounds stay as planned.

    Attributes
    ----------
    loss : Dropout
        Law of loss.
    handling : Handling
        How patients lost are counted.
    among : {'enrolled', 'evaluable'}
        Whose rate p0 is. It matters where patients lost count as non-responders: among all enrolled H0 is the larger
        rate, so that the type I error is kept whatever the dropout turns out to be.
    """

    loss: Dropout
    handling: Handling
    among: Among = "enrolled"

    def rates(self, asked: Requirements) -> tuple[float, float]:
        """The rates at which the design decides under H0 and under the alternative."""
        null = asked.p0
        if self.handling != "nonresponder" or self.among == "evaluable":
            null = self._decided(asked.p0)
        return null, self._decided(asked.p1)

    def _decided(self, p: float) -> float:
        """The rate as a decimal: .35 times .92 is .322, and not a double beside it that no design meets exactly."""
        return float(f"{float(counted(self.loss, self.handling, p)):.12g}")

    def asked(self, paper: Requirements) -> Requirements:
        """The limits that a design must meet on paper in order to meet them as it is run.

        Raises
        ------
        InputError
            If so many are lost that p1 is no longer above p0.
        """
        p0, p1 = self.rates(paper)
        if p0 >= p1:
            lost = 100 * self.loss.lost(paper.p1)
            raise InputError(
                f"({self.loss.probability:g}) is too much: with {lost:.3g}% lost only {100 * p1:.3g}% of all enrolled "
                f"respond under p1 = {paper.p1:g}, which is not above p0 = {paper.p0:g}; plan for less dropout, "
                "replace patients lost, say that p0 is the rate among the evaluable, or search on paper",
                "dropout",
            )
        return Requirements(p0, p1, paper.alpha, paper.power)

    def keeps(self, design: Design, paper: Requirements) -> bool:
        """Whether a design keeps both limits as it is run."""
        p0, p1 = self.rates(paper)
        return p0 < p1 and meets(design, self.asked(paper))

    def figures(self, design: Design, asked: Requirements) -> RunFigures:
        """What a design attains as it is run."""
        at = operating_characteristics(design, self.rates(asked))
        enrolled = at.en
        if self.handling == "replace":  # one evaluable patient in 1 / P(evaluable) enrolled ones
            enrolled = at.en / self.loss.evaluable(np.array([asked.p0, asked.p1]))
        (type_i_error, power), (en_p0, en_p1) = at.reject.tolist(), enrolled.tolist()
        return RunFigures(type_i_error=type_i_error, power=power, en_p0=en_p0, en_p1=en_p1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """Exact figures of a design as it is run.

    Attributes
    ----------
    type_i_error, power : float
        P(reject H0) under p0 and under p1.
    en_p0, en_p1 : float
        Patients expected to be enrolled, nobody being enrolled while a look is pending.
    """

    type_i_error: float
    power: float
    en_p0: float
    en_p1: float
