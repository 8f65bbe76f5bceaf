"""What a design attains where intercurrent events are handled by different strategies.

Every patient who drops out before the first assessment does so by an intercurrent event. The strategy [1]_ for this
event says how the patient counts:

composite
    The patient is counted and is a non-responder.
hypothetical
    The patient is counted with the response without the event, as if the event had not occurred.
replaced
    The patient is not counted, and a new patient is enrolled.
excluded
    The patient is enrolled in the place of one who counts, and is left out of the responses and of the denominator.

Derivation
----------
Let p be the response rate with every patient evaluable, d0 the probability of dropout of a patient who would not
respond, d1 that of one who would, D(p) = p d1 + (1 - p) d0, and c, h, q and e the proportions of dropout that are
handled by the composite and the hypothetical strategy, by replacing and by excluding: c + h + q + e = 1. The kind of
event does not depend on the response, given that an event occurs. Then one enrolled patient is

* replaced with probability Q = q D(p),
* excluded with probability E = e D(p),
* a counted responder with probability S = p (1 - d1) + h p d1 = p (1 - d1 (c + q + e)),
* a counted non-responder else.

1. *Who is looked at.* The first n_k patients who are not replaced are looked at. By independence each of them is an
   excluded patient with probability E / (1 - Q) and a counted responder with probability S / (1 - Q), whatever the
   number of patients who are replaced in between.
2. *Bounds as planned.* An excluded patient adds no response, as a non-responder does. All decisions are therefore those
   of the design on paper at the rate S / (1 - Q).
3. *Bounds recalculated.* Of n patients a binomial number m is not excluded, with probability (1 - Q - E) / (1 - Q)
   each, and each of these responds with probability S / (1 - Q - E): the mixture of `simtrial.laws.evaluable`.
4. *Patients enrolled.* Between two patients who are looked at, the number of patients who are replaced is geometric and
   independent of what is counted. If the trial looks at N patients, E[N] / (1 - Q) are therefore enrolled on average.
5. *p0 among all enrolled patients.* Events with the composite strategy are then part of what p0 counts as non-response;
   all other patients have the response that they have without the event. H0 is p0 = p (1 - c d1), so that its true rate
   is p0 / (1 - c d1). Otherwise it is p0.

With one strategy alone these are the laws of `simtrial.laws.losses`.

References
----------
.. [1] ICH E9(R1). Addendum on estimands and sensitivity analysis in clinical trials. 2019. It names the composite, the
   hypothetical, the treatment policy, the principal stratum and the while on treatment strategy; to replace and to
   exclude patients are common rules that restrict the analysis to patients without the event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from simtrial.design.exact import meets, operating_characteristics
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError
from simtrial.laws.evaluable import Evaluable, written
from simtrial.laws.losses import AsRun, RunFigures
from simtrial.plan.plan import MAX_REPLACED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simtrial.design.designs import Design
    from simtrial.laws.losses import Among
    from simtrial.plan.dropout import Dropout
    from simtrial.plan.plan import Handling

Strategy = Literal["composite", "excluded", "replaced", "hypothetical"]
"""How a patient with an intercurrent event counts: see the head of this module."""
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

OF_HANDLING: dict[Handling, Strategy] = {"nonresponder": "composite", "replace": "replaced", "exclude": "excluded"}
"""The strategy that a handling of all dropout is."""


class Fate(NamedTuple):
    """Probabilities of one enrolled patient: of a counted responder, of being replaced and of being excluded."""

    responder: float
    replaced: float
    excluded: float


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """Dropout, by how much of it each strategy handles.

    Attributes
    ----------
    loss : Dropout
        Law of all dropout.
    composite, excluded, replaced, hypothetical : Fraction
        Proportions of dropout by strategy; their sum is 1.
    among : {'enrolled', 'evaluable'}
        Whose rate p0 is; it matters where patients count as non-responders.
    recut : bool
        Whether the bounds are recalculated at the numbers of patients who are not excluded.
    informed : bool
        Whether recalculated bounds keep alpha under this dropout; see `simtrial.laws.evaluable`.
    """

    loss: Dropout
    composite: Fraction = Fraction(0)
    excluded: Fraction = Fraction(0)
    replaced: Fraction = Fraction(0)
    hypothetical: Fraction = Fraction(0)
    among: Among = "enrolled"
    recut: bool = False
    informed: bool = True

    def __post_init__(self) -> None:
        parts = (self.composite, self.excluded, self.replaced, self.hypothetical)
        if sum(parts) != 1 or min(parts) < 0:
            raise InputError("are not proportions of dropout whose sum is 1", "strategies")
        if self.recut and not self.excluded:
            raise InputError("(recut) goes with excluded patients", "bounds")

    @classmethod
    def of(
        cls,
        loss: Dropout,
        parts: Iterable[tuple[Strategy, Fraction]],
        *,
        among: Among = "enrolled",
        recut: bool = False,
        informed: bool = True,
    ) -> Mixed:
        """The strategies of several events, each with its proportion of dropout."""
        shares = dict.fromkeys(STRATEGIES, Fraction(0))
        for strategy, share in parts:
            shares[strategy] += share
        return cls(loss=loss, among=among, recut=recut, informed=informed, **shares)

    @property
    def other(self) -> Mixed | None:
        """The same with p0 read the other way; None where this makes no difference."""
        if not self.composite or not self.loss.of_responder:
            return None
        return replace(self, among="evaluable" if self.among == "enrolled" else "enrolled")

    @property
    def alone(self) -> AsRun | None:
        """The same as a handling of all dropout; None with several strategies, or with the hypothetical one."""
        for handling, strategy in OF_HANDLING.items():
            if getattr(self, strategy) == 1:
                return AsRun(
                    loss=self.loss, handling=handling, among=self.among, recut=self.recut, informed=self.informed
                )
        return None

    def true_null(self, asked: Requirements) -> float:
        """The true rate of H0 with every patient evaluable; above 1 where no true rate is as large as p0."""
        if self.among == "evaluable":
            return asked.p0
        return asked.p0 / (1 - float(self.composite) * self.loss.of_responder)

    def fate(self, p: float) -> Fate:
        """What becomes of one enrolled patient at a true rate."""
        lost = 1 - float(self.loss.evaluable(min(p, 1.0)))
        seen = p * (1 - self.loss.of_responder * float(1 - self.hypothetical))
        return Fate(seen, float(self.replaced) * lost, float(self.excluded) * lost)

    def _fates(self, asked: Requirements) -> tuple[Fate, Fate]:
        return self.fate(self.true_null(asked)), self.fate(asked.p1)

    def rates(self, asked: Requirements) -> tuple[float, float]:
        """The rates at which the design decides under H0 and under the alternative, its bounds being as planned."""
        null, alternative = (written(one.responder / (1 - one.replaced)) for one in self._fates(asked))
        return null, alternative

    def per_counted(self, asked: Requirements) -> tuple[float, float]:
        """Patients enrolled for one who is not replaced, on average, under H0 and under the alternative."""
        null, alternative = (1 / (1 - one.replaced) for one in self._fates(asked))
        return null, alternative

    def evaluable(self, asked: Requirements) -> Evaluable:
        """Who is not excluded, and what recalculated bounds keep: alpha for either reading of p0 if informed.

        Raises
        ------
        InputError
            If so many patients drop out that p1 is no longer above the rate at which the bounds keep alpha.
        """
        fates = self._fates(asked)
        q0, q1 = (written(one.responder / (1 - one.replaced - one.excluded)) for one in fates)
        s0, s1 = (written(1 - one.excluded / (1 - one.replaced)) for one in fates)
        if not self.informed:
            return Evaluable(asked, (q0, q1), (s0, s1))
        null = max(q0, asked.p0)
        if self.other is not None:
            other = self.other.fate(self.other.true_null(asked))
            null = max(null, written(other.responder / (1 - other.replaced - other.excluded)))
        if null >= q1:
            raise InputError(
                f"({self.loss.probability:g}) is too large for recalculated bounds: they keep alpha at a response rate "
                f"of {null:.4g}, which is not below that at p1 ({q1:.4g})",
                "dropout",
            )
        return Evaluable(Requirements(null, q1, asked.alpha, asked.power), (q0, q1), (s0, s1))

    def check(self) -> None:
        """Refuse to replace so many patients that a trial would enroll ten for one who counts."""
        most = float(self.replaced) * max(self.loss.probability, self.loss.of_responder)
        if most > MAX_REPLACED:
            raise InputError(
                f"({most:g}) is above {MAX_REPLACED:g}, the largest value where patients who drop out are replaced",
                "dropout",
            )

    def figures(self, design: Design, asked: Requirements) -> RunFigures:
        """What a design attains as it is run.

        Parameters
        ----------
        design : Design
            Its looks count patients who are not replaced.
        asked : Requirements
            p0 and p1 as they are stated.

        Raises
        ------
        InputError
            If too many patients drop out, or the bounds are recalculated and the design has more than two looks.
        """
        self.check()
        if self.recut:
            at = self.evaluable(asked).characteristics(design, (asked.p0, asked.p1))
        else:
            at = operating_characteristics(design, self.rates(asked))
        (type_i_error, power), (pet_p0, pet_p1) = at.reject.tolist(), at.pet.tolist()
        en_p0, en_p1 = (en * more for en, more in zip(at.en.tolist(), self.per_counted(asked), strict=True))
        return RunFigures(
            type_i_error=type_i_error, power=power, en_p0=en_p0, en_p1=en_p1, pet_p0=pet_p0, pet_p1=pet_p1
        )

    def asked(self, paper: Requirements) -> Requirements:
        """The limits that a design with bounds as planned must meet on paper in order to meet them as it is run.

        Raises
        ------
        InputError
            If the dropout is so large that p1 is no longer above p0.
        """
        null, alternative = self.rates(paper)
        if null >= alternative:
            raise InputError(
                f"({self.loss.probability:g}) is too large: the trial decides at a response rate of {null:.4g} under "
                f"H0 and of {alternative:.4g} at p1",
                "dropout",
            )
        return Requirements(null, alternative, paper.alpha, paper.power)

    def keeps(self, design: Design, asked: Requirements) -> bool:
        """Whether a design keeps both limits as it is run; where floats are too near to tell, fractions do."""
        if self.recut:
            alpha, power = self.evaluable(asked).sides(design)
            return alpha <= 0 <= power
        null, alternative = self.rates(asked)
        return null < alternative and meets(design, self.asked(asked))
