"""What a design is asked to keep when patients are lost, and what it attains as it is run.

A trial that loses patients and keeps its bounds as planned decides as the design on paper does at another response
rate [1]_: that of patients who are evaluable and respond, where patients lost count as non-responders or are left out;
that among the evaluable, where patients lost are replaced. The search for designs that keep their limits as the trial
is run is therefore the search on paper at those rates, and its certificate holds as it stands. Where patients lost are
left out and the bounds are recalculated at the numbers evaluable, the search is that of `simtrial.laws.recalculated`.

References
----------
.. [1] A'Hern RP. Sample size tables for exact single-stage phase II designs. Stat Med 2001;20:859-866.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from simtrial.design.exact import meets, operating_characteristics
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError
from simtrial.laws.decision import counted
from simtrial.laws.evaluable import Evaluable, written

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.plan import Handling

Among = Literal["enrolled", "evaluable"]
"""Whose response rate p0 is: that of all enrolled patients, dropouts counting as non-responders, or that of
patients without dropout.
"""
AMONG: tuple[Among, ...] = get_args(Among)


Losses = Literal["paper", "run"]
"""Where the limits of a design are to hold: with every patient evaluable, or as the trial is run."""
LOSSES: tuple[Losses, ...] = get_args(Losses)


@dataclass(frozen=True, kw_only=True)
class AsRun:
    """How patients are lost and counted.

    Attributes
    ----------
    loss : Dropout
        Law of loss.
    handling : Handling
        How patients lost are counted.
    among : {'enrolled', 'evaluable'}
        Whose rate p0 is. It matters where patients lost count as non-responders: among all enrolled H0 is the larger
        rate, so that the type I error is kept whatever the dropout turns out to be.
    recut : bool
        Whether the bounds are recalculated at the numbers evaluable, where patients lost are left out (`exclude`).
    informed : bool
        Whether recalculated bounds keep alpha under this dropout; see `Evaluable`.
    """

    loss: Dropout
    handling: Handling
    among: Among = "enrolled"
    recut: bool = False
    informed: bool = True

    def __post_init__(self) -> None:
        if self.recut and self.handling != "exclude":
            raise InputError("(recut) goes with handling: exclude", "bounds")

    def evaluable(self, asked: Requirements) -> Evaluable:
        """Who is evaluable, and what recalculated bounds keep."""
        return Evaluable.of(asked, self.loss, informed=self.informed)

    @property
    def other(self) -> AsRun | None:
        """The same dropout with p0 read the other way; None where this makes no difference."""
        if self.handling != "nonresponder" or not self.loss.probability:
            return None
        return replace(self, among="evaluable" if self.among == "enrolled" else "enrolled")

    def rates(self, asked: Requirements) -> tuple[float, float]:
        """The rates at which the design decides under H0 and under the alternative."""
        if self.recut:
            return self.evaluable(asked).rates
        null = asked.p0
        if self.handling != "nonresponder" or self.among == "evaluable":
            null = self._decided(asked.p0)
        return null, self._decided(asked.p1)

    def _decided(self, p: float) -> float:
        return written(counted(self.loss, self.handling, p))

    def truths(self, asked: Requirements) -> Requirements:
        """The true rates of H0 and of the alternative with every patient evaluable, at which the trial is run."""
        if self.handling != "nonresponder" or self.among == "evaluable":
            return asked
        null = written(asked.p0 / (1 - self.loss.of_responder))
        return Requirements(null, asked.p1, asked.alpha, asked.power)

    def asked(self, paper: Requirements) -> Requirements:
        """The limits that a design must meet on paper in order to meet them as it is run.

        With recalculated bounds these are the limits that the bounds keep, and meeting them on paper is not enough:
        see `simtrial.laws.recalculated`.

        Raises
        ------
        InputError
            If the dropout is so large that p1 is no longer above p0.
        """
        if self.recut:
            return self.evaluable(paper).kept
        p0, p1 = self.rates(paper)
        if p0 >= p1:
            lost = 100 * self.loss.lost(paper.p1)
            raise InputError(
                f"({self.loss.probability:g}) is too large: with {lost:.3g}% dropout only {100 * p1:.3g}% of all "
                f"enrolled patients respond at p1 = {paper.p1:g}, which is not above p0 = {paper.p0:g}; plan for less "
                "dropout, replace patients who drop out, define p0 among the evaluable patients, or search on paper",
                "dropout",
            )
        return Requirements(p0, p1, paper.alpha, paper.power)

    def keeps(self, design: Design, paper: Requirements) -> bool:
        """Whether a design keeps both limits as it is run; with recalculated bounds for one or two looks."""
        if self.recut:
            alpha, power = self.evaluable(paper).sides(design)
            return alpha <= 0 <= power
        p0, p1 = self.rates(paper)
        return p0 < p1 and meets(design, self.asked(paper))

    def figures(self, design: Design, asked: Requirements) -> RunFigures:
        """What a design attains as it is run.

        Raises
        ------
        InputError
            If the bounds are recalculated and the design has more than two looks.
        """
        if self.recut:
            at = self.evaluable(asked).characteristics(design, (asked.p0, asked.p1))
        else:
            at = operating_characteristics(design, self.rates(asked))
        enrolled = at.en
        if self.handling == "replace":  # one evaluable patient in 1 / P(evaluable) enrolled ones
            enrolled = at.en / self.loss.evaluable(np.array([asked.p0, asked.p1]))
        (type_i_error, power), (en_p0, en_p1), (pet_p0, pet_p1) = at.reject.tolist(), enrolled.tolist(), at.pet.tolist()
        return RunFigures(
            type_i_error=type_i_error, power=power, en_p0=en_p0, en_p1=en_p1, pet_p0=pet_p0, pet_p1=pet_p1
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """Exact figures of a design as it is run.

    Attributes
    ----------
    type_i_error, power : float
        P(reject H0) under p0 and under p1.
    en_p0, en_p1 : float
        Expected number of patients enrolled, with accrual on hold while a look is pending.
    pet_p0, pet_p1 : float
        Probability of early termination.
    """

    type_i_error: float
    power: float
    en_p0: float
    en_p1: float
    pet_p0: float
    pet_p1: float
