"""When the trial did not go to plan: rules for attained sizes, each with its exact type I error and power.

What was planned is a design with one or two looks; what is known afterwards is how many patients were analysed at each
look. A rule
turns these numbers into bounds, never looking at the responses beyond those that it may: `RULES`.

* Koyama-Chen: with the look held at the planned n1, x1 responses there and n2' further patients instead of n2, the
  conditional error A(x1) = P(X2 > r - x1; n2, p0) fixes the new bound, the fewest c with P(X2 >= c; n2', p0) <=
  A(x1); so the type I error is at most the planned one, whatever n2' [1]_. Its p-value: the rate p* at which the
  planned second stage succeeds as often as n2' patients have as many responses as seen, P(X2 > r - x1; n2, p*) =
  P(X2 >= x2; n2', p), is put in place of p in the second stage of the planned trial: P(X1 > r1, X > r; p, p*). It is
  no larger than the planned type I error exactly where H0 is rejected. Once x1 > r the trial is decided and p* = 0
  would leave x2 out; p-value and interval are then the ordinary ones of the sizes attained.
* Green-Dahlberg: stop if p1 is rejected at level .02 at the first look, reject H0 at level .055 at the last, each by
  the exact test of the number attained [2]_.
* Recut: `simtrial.plan.recut` at the numbers attained.
* Planned bounds: kept as if nothing had happened, which may cost type I error or power.

References
----------
.. [1] Koyama T, Chen H. Proper inference from Simon's two-stage designs. Stat Med 2008;27:3145-3154, section 4.
.. [2] Green SJ, Dahlberg S. Planned versus attained design in phase II clinical trials. Stat Med 1992;11:853-862.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial.analysis import inference
from simtrial.design.binomial import binomial_pmf, tail_fraction
from simtrial.design.designs import Look, MultiStage, regions
from simtrial.design.exact import operating_characteristics, signs
from simtrial.design.requirements import decimal
from simtrial.errors import InputError
from simtrial.numbers import count
from simtrial.plan import recut

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats
    from simtrial.plan.dropout import Dropout

FUTILITY_LEVEL, FINAL_LEVEL = 0.02, 0.055
"""Of Green and Dahlberg."""


@dataclass(frozen=True)
class Bounds:
    """What a rule does at given sizes.

    Attributes
    ----------
    n1, n : int
        Patients analysed at the first look and in all.
    r1 : int
        Stop if X1 <= r1; -1 if the first look cannot stop.
    r : ndarray of int, shape (n1 + 1,)
        Reject H0 if X > r[X1].
    """

    n1: int
    n: int
    r1: int
    r: NDArray[np.int64]

    def reject_probability(self, p: ArrayLike) -> tuple[Floats, Floats]:
        """P(reject H0; p) and P(stop at the first look; p), shape of `p`."""
        rates = np.asarray(p, dtype=np.float64)
        first, second = binomial_pmf(self.n1, rates), binomial_pmf(self.n - self.n1, rates)
        x1, x2 = np.arange(self.n1 + 1)[:, np.newaxis], np.arange(self.n - self.n1 + 1)
        stops = regions(x1[:, 0], self.r1, None, final=False).accept
        wins = regions(x1 + x2, self.r[:, np.newaxis], None, final=True).reject & ~stops[:, np.newaxis]
        # the chance of each x1 times that of an x2 that then rejects
        reject: Floats = (first * (second @ wins.T.astype(np.float64))).sum(axis=-1)
        pet: Floats = first[..., stops].sum(axis=-1)
        return reject, pet


class Planned(NamedTuple):
    """The design in numbers: one look alone has n1 = 0 and r1 = -1."""

    r1: int
    n1: int
    r: int
    n: int


class Question(NamedTuple):
    """What the bounds keep; p1 None where it is not known, and whether they change at the planned sizes too."""

    p0: float
    p1: float | None
    alpha: float
    lookless: bool = False


def planned_bounds(design: Planned, asked: Question, n1: int, n: int) -> Bounds:  # noqa: ARG001 - as every rule
    """The planned bounds, as if nothing had happened."""
    return Bounds(n1, n, min(design.r1, n1), np.full(n1 + 1, design.r))


def recut_bounds(design: Planned, asked: Question, n1: int, n: int) -> Bounds:
    """Bounds recut at the sizes attained; the first one kept where p1 is not known."""
    r1, r = min(design.r1, n1), design.r
    if n1 != design.n1 and asked.p1 is not None:
        r1 = recut.first_bound(Look(design.n1, design.r1), n1, asked.p0, asked.p1)
    if asked.lookless or (n1, n) != (design.n1, design.n):
        r = recut.last_bound(r1, n1, n, asked.p0, asked.alpha)
    return Bounds(n1, n, r1, np.full(n1 + 1, r))


def green_dahlberg(design: Planned, asked: Question, n1: int, n: int) -> Bounds | None:
    """Tests of fixed levels at the sizes attained; None without a p1 or a first look."""
    if asked.p1 is None or not design.n1:
        return None
    p0, p1, futility, final = asked.p0, asked.p1, decimal(FUTILITY_LEVEL), decimal(FINAL_LEVEL)
    stops, wins = np.cumsum(binomial_pmf(n1, p1)), np.cumsum(binomial_pmf(n, p0)[::-1])[::-1]
    low = signs(stops, FUTILITY_LEVEL, lambda x: 1 - tail_fraction(x, n1, p1) - futility) <= 0
    high = signs(wins, FINAL_LEVEL, lambda x: tail_fraction(x - 1, n, p0) - final) <= 0
    r = int(np.argmax(high)) - 1 if high.any() else n
    return Bounds(n1, n, int(low.sum()) - 1, np.full(n1 + 1, r))


def koyama_chen(design: Planned, asked: Question, n1: int, n: int) -> Bounds | None:
    """Conditional error kept; None unless there was a first look, held at the planned number."""
    if n1 != design.n1 or not design.n1:
        return None
    x1 = np.arange(n1 + 1)
    allowed = conditional_error(design, asked.p0, x1)
    tail = np.append(np.cumsum(binomial_pmf(n - n1, asked.p0)[::-1])[::-1], 0.0)
    p0, n2 = asked.p0, design.n - n1
    compared = signs(
        tail,
        allowed[:, np.newaxis],
        lambda x1, x2: tail_fraction(x2 - 1, n - n1, p0) - tail_fraction(design.r - x1, n2, p0),
    )
    fewest = np.argmax(compared <= 0, axis=-1)
    return Bounds(n1, n, design.r1, x1 + fewest - 1)


RULES: dict[str, Callable[[Planned, Question, int, int], Bounds | None]] = {
    "Koyama-Chen": koyama_chen,
    "recut": recut_bounds,
    "Green-Dahlberg": green_dahlberg,
    "planned bounds": planned_bounds,
}
"""In the order of preference."""


def conditional_error(design: Planned, p: float, x1: NDArray[np.int64]) -> Floats:
    """P(reject H0 at the planned end | x1 responses of n1; p), shape of `x1`; 1 once x1 > r."""
    n2 = design.n - design.n1
    tail = np.append(np.cumsum(binomial_pmf(n2, p)[::-1])[::-1], 0.0)
    found: Floats = np.where(x1 > design.r1, tail[np.clip(design.r + 1 - x1, 0, n2 + 1)], 0.0)
    return np.minimum(found, 1.0)


@dataclass(frozen=True)
class Outcome:
    """What one rule says of a trial.

    Attributes
    ----------
    rule : str
        By the names of `RULES`.
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

    rule: str
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


@dataclass(frozen=True)
class Attained:
    """How a trial went.

    Parameters
    ----------
    n1, n : int
        Patients analysed at the first of two looks and in all; equal if the trial stopped there. A trial of one look
        has n1 = 0.
    x1, x : int
        Responses among them.

    Raises
    ------
    InputError
        If the numbers contradict each other.
    """

    n1: int
    n: int
    x1: int
    x: int

    def __post_init__(self) -> None:
        for name, least in (("n1", 0), ("n", 1), ("x1", 0), ("x", 0)):
            count(getattr(self, name), {"x1": "first_stage", "x": "responses"}.get(name, "attained"), at_least=least)
        if self.n < self.n1:
            raise InputError(f"({self.n1},{self.n}) must not fall", "attained")
        if self.x1 > self.n1:
            raise InputError(f"({self.x1}) must be <= {self.n1}, the patients at the first look", "first_stage")
        if self.x < self.x1:
            raise InputError(f"({self.x}) must be >= {self.x1}, those of the first look", "responses")
        if self.x - self.x1 > self.n - self.n1:
            raise InputError(
                f"({self.x}) must be <= {self.x1 + self.n - self.n1}: {self.x1} of the first look and "
                f"{self.n - self.n1} patients since",
                "responses",
            )

    @property
    def stopped(self) -> bool:
        """Whether nobody was analysed after the first look."""
        return self.n == self.n1


def knows(design: Design) -> bool:
    """Whether every rule applies: one or two looks that stop for futility alone."""
    *interim, last = design.looks
    return len(interim) < 2 and last.e is None and all(look.e is None and look.r is not None for look in interim)


def planned(design: Design) -> Planned:
    """The design in numbers, if the rules know it: one or two looks, no efficacy bound.

    Raises
    ------
    InputError
        If it is another.
    """
    match design.looks:
        case (Look(n, int(r), None),):
            return Planned(-1, 0, r, n)
        case (Look(n1, int(r1), None), Look(n, int(r), None)):
            return Planned(r1, n1, r, n)
    raise InputError("must be one or two looks without an efficacy bound where sizes differ from plan", "looks")


def outcomes(
    design: Design, attained: Attained, p0: float, p1: float | None = None, alpha: float | None = None,
    level: float = 0.95, *, lookless: bool = False,
) -> tuple[Outcome, ...]:  # fmt: skip
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
    tuple of Outcome
        In the order of `RULES`; those that cannot apply are left out.

    Raises
    ------
    InputError
        If an argument cannot be one of its kind.
    """
    plan = planned(design)
    kept = float(operating_characteristics(design, p0).reject) if alpha is None else alpha
    if p1 is not None and not p0 < p1 < 1:
        raise InputError(f"({p1:g}) must be > p0 ({p0:g})", "p1")
    asked = Question(p0, p1, kept, lookless)
    if bool(plan.n1) != bool(attained.n1):
        raise InputError(f"must hold {len(design.looks)} numbers, those analysed at each look", "attained")
    n = plan.n if attained.stopped and plan.n > attained.n1 else max(attained.n, attained.n1 + 1)
    tried = ((name, rule(plan, asked, attained.n1, n)) for name, rule in RULES.items())
    return tuple(_outcome(name, bounds, plan, attained, p0, p1, level) for name, bounds in tried if bounds is not None)


def _outcome(
    name: str, bounds: Bounds, design: Planned, seen: Attained, p0: float, p1: float | None, level: float
) -> Outcome:
    reject, pet = bounds.reject_probability([p0, p0 if p1 is None else p1])
    stop = bool(regions(np.array(seen.x1), bounds.r1, None, final=False).accept)
    r = int(bounds.r[seen.x1])
    decision: bool | None = not stop and bool(regions(np.array(seen.x), r, None, final=True).reject)
    why = ""
    if stop and not seen.stopped:
        why = "by this rule the trial should have stopped at the first look"
    elif seen.stopped and not stop:
        decision, why = None, "by this rule the trial would have gone on"
    elif name == "Koyama-Chen" and seen.x1 > design.r:
        why = "decided at the first look, which had more responses than the plan asks for at its end"
    p_value = middle = limits = None
    conditional = _is_conditional(name, design, seen) and not stop
    if decision is not None and not (stop and not seen.stopped):
        p_value, middle, limits = _inferred(name, bounds, design, seen, p0, level)
    power = None if p1 is None else float(reject[1])
    return Outcome(
        name, bounds.r1, r, decision, why, p_value, middle, limits, float(reject[0]), power, float(pet[0]), conditional
    )  # fmt: skip


def _is_conditional(name: str, design: Planned, seen: Attained) -> bool:
    """Whether Koyama and Chen's p-value is another than that of the sizes attained."""
    return name == "Koyama-Chen" and not seen.stopped and seen.n != design.n and seen.x1 <= design.r


def _inferred(
    name: str, bounds: Bounds, design: Planned, seen: Attained, p0: float, level: float
) -> tuple[float, float, tuple[float, float | None]]:
    """P-value, median unbiased estimate and interval that go with a rule."""
    stage = 1 if seen.stopped else 2
    if _is_conditional(name, design, seen):
        a = (1 - level) / 2
        ends = [conditional_rate(design, seen, q) for q in (a, 0.5, 1 - a)]
        return conditional_p_value(design, seen, p0), ends[1], (ends[0], ends[2])
    r = min(int(bounds.r.max()), bounds.n - 1)
    r1 = None if bounds.r1 < 0 else min(bounds.r1, r, bounds.n1 - 1)
    looks = (Look(bounds.n1, r1), Look(bounds.n, r)) if bounds.n1 else (Look(bounds.n, r),)
    if seen.stopped and seen.x1 == seen.n1 > 0:  # so few that even as many responses as patients stop it
        looks = (Look(bounds.n1, bounds.n1 - 1),)
    found = inference.analyze(MultiStage(looks), seen.x, p0, stage if bounds.n1 else 1, level)
    interval = found.intervals["koyama_chen" if name == "Koyama-Chen" else "exact"]
    return found.p_value, found.estimates["median_unbiased"] or 0.0, interval


def conditional_p_value(design: Planned, seen: Attained, p: ArrayLike) -> float:
    """Koyama and Chen's p-value of a second stage of another size: see the head of this module."""
    from scipy import special

    rate = float(np.asarray(p))
    x2, n2_seen, n2 = seen.x - seen.x1, seen.n - seen.n1, design.n - design.n1
    as_many = 1.0 if x2 == 0 else float(special.bdtrc(x2 - 1, n2_seen, rate))
    needed = design.r + 1 - seen.x1
    if needed <= 0:  # decided at the first look
        star = 0.0
    elif needed > n2:
        star = 1.0
    else:
        star = float(special.betaincinv(needed, n2 - needed + 1, as_many))
    first = binomial_pmf(design.n1, rate)
    return float((first * conditional_error(design, star, np.arange(design.n1 + 1))).sum())


def conditional_rate(design: Planned, seen: Attained, a: float) -> float:
    """The rate at which Koyama and Chen's p-value is a; 0 or 1 where it never is."""
    from scipy import optimize

    if conditional_p_value(design, seen, 0.0) >= a:
        return 0.0
    if conditional_p_value(design, seen, 1.0) <= a:
        return 1.0
    return float(optimize.brentq(lambda p: conditional_p_value(design, seen, p) - a, 0.0, 1.0, xtol=1e-14))


@dataclass(frozen=True)
class Averaged:
    """A whole rule, averaged over the sizes that the trial may attain.

    Attributes
    ----------
    rule : str
        By the names of `RULES`.
    type_i_error, power, pet_p0 : float
        Exact.
    largest : float
        Largest type I error at any sizes that can be attained.
    """

    rule: str
    type_i_error: float
    power: float
    pet_p0: float
    largest: float


def averaged(design: Design, asked: Requirements, loss: Dropout) -> tuple[Averaged, ...]:
    """Operating characteristics of every rule when patients who are not evaluable are left out.

    The numbers evaluable at both looks are binomial, each patient being evaluable alike; the response rate is that
    among the evaluable. For Koyama and Chen's rule, which wants its look at the planned n1, accrual to the first stage
    goes on until so many are evaluable, and only the second stage varies.

    Parameters
    ----------
    design : Design
        As planned, in patients enrolled.
    asked : Requirements
        p0 and p1, and alpha for the rules that keep it.
    loss : Dropout
        Who is not evaluable.

    Returns
    -------
    tuple of Averaged
        In the order of `RULES`.
    """
    plan, question = planned(design), Question(asked.p0, asked.p1, asked.alpha)
    n1, n2 = plan.n1, plan.n - plan.n1
    rates = np.array([asked.p0, asked.p1])
    chance = loss.evaluable(rates)
    seen = loss.among_evaluable(rates)
    first, second = binomial_pmf(n1, chance), binomial_pmf(n2, chance)
    found = []
    for name, rule in RULES.items():
        total, early, worst = np.zeros(2), np.zeros(2), 0.0
        for m1 in (n1,) if name == "Koyama-Chen" else range(n1 + 1):
            weight = np.ones(2) if name == "Koyama-Chen" else first[:, m1]
            if weight.max() < TOO_RARE:
                continue
            for m2 in range(n2 + 1):
                both = weight * second[:, m2]
                if both.max() < TOO_RARE:
                    continue
                bounds = rule(plan, question, m1, m1 + m2)
                if bounds is None:  # no first look, and no such rule
                    break
                reject, pet = bounds.reject_probability(seen)
                total, early, worst = total + both * reject, early + both * pet, max(worst, float(reject[0]))
        if total.any():
            found.append(Averaged(name, float(total[0]), float(total[1]), float(early[0]), worst))
    return tuple(found)


TOO_RARE = 1e-13
"""Sizes less likely than this are left out of averages: there are at most some ten thousand of them."""
