"""When the trial did not go to plan: what every rule says of it, with its exact type I error and power.

The rules stand in `simtrial.analysis.rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial.analysis import inference
from simtrial.analysis.attained import Attained, Planned, planned
from simtrial.analysis.conditional import conditional_p_value, conditional_rate
from simtrial.analysis.rules import RULES, Asked, Bounds, Rule
from simtrial.design.designs import Look, MultiStage, regions
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.phrases import counted

if TYPE_CHECKING:
    from simtrial.design.designs import Design


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What one rule says of a trial.

    Attributes
    ----------
    by : Rule
        The rule.
    r1, r : int
        Its bounds, cumulative, r for the x1 seen; -1 for a look that cannot stop.
    reject : bool or None
        Its decision; None where it would have gone on and the trial did not.
    why : str
        A remark on the decision, or empty.
    p_value : float or None
        That goes with it; None where its decision does.
    median_unbiased : float or None
        At which the p-value is 1/2.
    interval : tuple of float, or None
        Of the level asked: Koyama and Chen's for their rule, else the exact one of the sizes attained.
    type_i_error, power, pet_p0 : float
        Exact, of the rule at these sizes; power None where p1 is not known.
    conditional : bool
        Whether p-value, estimate and interval are Koyama and Chen's of a second stage of another size; else they are
        those of an order of the endings.
    """

    by: Rule
    r1: int
    r: int
    reject: bool | None
    why: str
    p_value: float | None
    median_unbiased: float | None
    interval: tuple[float, float | None] | None
    type_i_error: float
    power: float | None
    pet_p0: float
    conditional: bool = False

    @property
    def rule(self) -> str:
        """Name of the rule."""
        return self.by.name


def outcomes(
    design: Design, attained: Attained, p0: float, p1: float | None = None, alpha: float | None = None,
    level: float = 0.95, *, lookless: bool = False,
) -> tuple[Ruling, ...]:  # fmt: skip
    """Decide by every rule that applies.

    Parameters
    ----------
    design : Design
        As planned: one or two looks without an efficacy bound.
    attained : Attained
        What was seen.
    p0 : float
        Response rate under H0.
    p1 : float, optional
        Rate worth finding; without it the first bound is not recut, and Green and Dahlberg's rule left out.
    alpha : float, optional
        Type I error kept by recut bounds; that of the planned design if left out.
    level : float
        Two-sided confidence level.
    lookless : bool
        Whether the design is what is left of one whose interim look was not taken: its bound then lacks the error that
        the look would have saved, and is recalculated at the planned number too.

    Returns
    -------
    tuple of Ruling
        In the order of `RULES`; those that cannot apply are left out.

    Raises
    ------
    InputError
        If an argument cannot be one of its kind.
    """
    plan = planned(design)
    kept = float(operating_characteristics(design, p0).reject) if alpha is None else alpha
    if p1 is not None and not p0 < p1 < 1:
        raise InputError(f"({p1:g}) is not above p0 ({p0:g})", "p1")
    asked = Asked(p0, p1, kept, lookless)
    if bool(plan.n1) != bool(attained.n1):
        raise InputError(
            f"does not hold {counted(len(design.looks), 'number')}, the patients analysed at each look", "attained"
        )
    n = plan.n if attained.stopped and plan.n > attained.n1 else max(attained.n, attained.n1 + 1)
    tried = ((rule, rule.bounds(plan, asked, attained.n1, n)) for rule in RULES)
    return tuple(_ruling(rule, bounds, plan, attained, asked, level) for rule, bounds in tried if bounds is not None)


def _ruling(rule: Rule, bounds: Bounds, design: Planned, seen: Attained, asked: Asked, level: float) -> Ruling:
    p0, p1 = asked.p0, asked.p1
    reject, pet = bounds.reject_probability([p0, p0 if p1 is None else p1])
    stop = bool(regions(np.array(seen.x1), bounds.r1, None, final=False).accept)
    r = int(bounds.r[seen.x1])
    decision: bool | None = not stop and bool(regions(np.array(seen.x), r, None, final=True).reject)
    why = ""
    if stop and not seen.stopped:
        why = "by this rule the trial should have stopped at the first look"
    elif seen.stopped and not stop:
        decision, why = None, "by this rule the trial would have continued"
    elif rule.is_decided(design, seen):
        why = "H0 is rejected at the first look, which had more responses than are needed at the end"
    p_value = middle = limits = None
    if decision is not None and not (stop and not seen.stopped):
        p_value, middle, limits = _inferred(rule, bounds, design, seen, p0, level)
    return Ruling(
        by=rule,
        r1=bounds.r1,
        r=r,
        reject=decision,
        why=why,
        p_value=p_value,
        median_unbiased=middle,
        interval=limits,
        type_i_error=float(reject[0]),
        power=None if p1 is None else float(reject[1]),
        pet_p0=float(pet[0]),
        conditional=rule.is_conditional(design, seen) and not stop,
    )


def _inferred(
    rule: Rule, bounds: Bounds, design: Planned, seen: Attained, p0: float, level: float
) -> tuple[float, float, tuple[float, float | None]]:
    """P-value, median unbiased estimate and interval that go with a rule."""
    stage = 1 if seen.stopped else 2
    if rule.is_conditional(design, seen):
        a = (1 - level) / 2
        ends = [conditional_rate(design, seen, q) for q in (a, 0.5, 1 - a)]
        return conditional_p_value(design, seen, p0), ends[1], (ends[0], ends[2])
    r1 = None if bounds.r1 < 0 else min(bounds.r1, bounds.n1 - 1)
    # whoever passes a look that needs more responses than the end has rejected: a last bound of r1 says the same
    r = max(min(int(bounds.r.max()), bounds.n - 1), -1 if r1 is None else r1)
    looks = (Look(bounds.n1, r1), Look(bounds.n, r)) if bounds.n1 else (Look(bounds.n, r),)
    if seen.stopped and seen.x1 == seen.n1 > 0:  # so few that even as many responses as patients stop it
        looks = (Look(bounds.n1, bounds.n1 - 1),)
    found = inference.analyze(MultiStage(looks), seen.x, p0, stage if bounds.n1 else 1, level)
    return found.p_value, found.estimates["median_unbiased"] or 0.0, found.intervals[rule.interval]
