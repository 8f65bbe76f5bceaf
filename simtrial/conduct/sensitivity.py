"""What if an assumption is wrong: one assumption of a plan changed at a time, everything else as planned.

Every variant is simulated from the same seed, so that what differs is the assumption and not the dice; where a result
has an exact value, that is taken. What could be gained by changing an assumption is the matter of
`simtrial.conduct.levers`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simtrial.conduct import simulation
from simtrial.design.second_stages import analyses
from simtrial.errors import InputError
from simtrial.months import WEEK
from simtrial.phrases import counted, stated
from simtrial.plan.assessments import Assessments
from simtrial.plan.dropout import Dropout
from simtrial.plan.plan import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.requirements import Requirements
    from simtrial.plan.plan import Handling, Plan

MEASURES = {
    "type_i_error": ("Type I error", "p0", "reject"),
    "power": ("Power", "p1", "reject"),
    "n_enrolled_p0": ("Patients enrolled at p0", "p0", "n_enrolled"),
    "duration_p1": ("Months to the decision at p1", "p1", "duration_months"),
}
"""What is watched: its title, the scenario and the outcome."""

WATCHED = {rate: [name for _, label, name in MEASURES.values() if label == rate] for rate in ("p0", "p1")}
"""The same outcomes by scenario: months take an integral each, so none is computed that no table shows."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One assumption changed, and what comes of it.

    Attributes
    ----------
    assumption : str
        Which one; empty for the plan itself.
    setting : str
        What it was changed to.
    values, mcse : dict of str to float
        By the names of `MEASURES`; an exact value has a standard error of 0.
    """

    assumption: str
    setting: str
    values: dict[str, float]
    mcse: dict[str, float]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The plan and its variants, two or more to an assumption."""

    base: Variant
    variants: tuple[Variant, ...]
    trials: int
    seed: int


def analyse(plan: Plan, requirements: Requirements, trials: int, seed: int) -> Sensitivity:
    """Change one assumption at a time.

    Parameters
    ----------
    plan : Plan
        What is assumed.
    requirements : Requirements
        p0 and p1, and what recut bounds keep.
    trials, seed : int
        Of each simulation.

    Returns
    -------
    Sensitivity
        Changes that the plan does not allow (bounds recut at three looks, say) are left out.
    """
    base = _variant("", "", plan, requirements, trials, seed)
    changes = _changes(plan, requirements)
    variants = tuple(_variant(a, s, p, requirements, trials, seed) for a, s, p in changes)
    return Sensitivity(base, variants, trials, seed)


def _variant(assumption: str, setting: str, plan: Plan, asked: Requirements, trials: int, seed: int) -> Variant:
    scenarios = (Scenario("p0", asked.p0), Scenario("p1", asked.p1))
    done = simulation.expect(plan, scenarios, WATCHED, trials, seed)
    found = {name: done[label][outcome] for name, (_, label, outcome) in MEASURES.items()}
    return Variant(
        assumption, setting, {k: e.best for k, e in found.items()}, {k: e.best_mcse for k, e in found.items()}
    )


Change = tuple[str, str, dict[str, object]]
"""The assumption, its new setting, and the parts of the plan that hold it."""


def _changes(plan: Plan, asked: Requirements) -> Iterator[tuple[str, str, Plan]]:
    """Every change that the plan allows."""
    for kind in (_losses, _handlings, _rates, _readouts, _looks, _toxicities):
        for assumption, setting, parts in kind(plan, asked):
            with suppress(InputError):
                yield assumption, setting, replace(plan, **parts)  # type: ignore[arg-type]  # the parts are the plan's


def _losses(plan: Plan, asked: Requirements) -> Iterator[Change]:
    d, ratio = plan.dropout.probability, plan.dropout.responder_odds_ratio
    for other in (0.0, d / 2, min(2 * d, 0.5)) if d else (0.1, 0.2):
        if other != d and (other < d or other <= 0.5):
            yield "Dropout", stated(round(other, 6)), {"dropout": Dropout(other, ratio)}
    whole = 1 - float(plan.dropout.evaluable(asked.p1))
    for other in (0.25, 4.0):
        if d and other != ratio:
            setting = f"odds ratio {other:g}"
            yield "Informative dropout", setting, {"dropout": Dropout.overall(whole, other, asked.p1)}


def _handlings(plan: Plan, asked: Requirements) -> Iterator[Change]:
    ways: tuple[tuple[Handling, bool, str], ...] = (
        ("nonresponder", False, "as non-responders"),
        ("replace", False, "replaced"),
        ("exclude", False, "excluded, planned bounds"),
        ("exclude", True, "excluded, recalculated bounds"),
    )
    for handling, recut, setting in ways:
        if plan.dropout.probability and (handling, recut) != (plan.handling, plan.recut is not None):
            yield "Handling of dropout", setting, {"handling": handling, "recut": asked if recut else None}


def _rates(plan: Plan, _: Requirements) -> Iterator[Change]:
    for factor in (0.75, 1.25):
        with suppress(InputError):
            yield "Enrollment rate", f"{100 * (factor - 1):+.0f}%", {"enrollment": plan.enrollment.scaled(factor)}
    if plan.close_month is not None:
        yield "Closing of accrual", "never", {"close_month": None}
    s = plan.screening_success
    for other in (max(s - 0.1, s / 2), min(s + 0.1, 1.0)):
        if other != s:
            yield "Screening success", stated(round(other, 6)), {"screening_success": other}


def _readouts(plan: Plan, _: Requirements) -> Iterator[Change]:
    disease, known = plan.disease, plan.disease.assessments
    for factor in (0.5, 1.5):
        with suppress(InputError):
            if known.delay is not None:
                other = Assessments.fixed(known.delay * factor)
                setting = counted(round(other.window, 2), "month")
            else:
                other = replace(known, window=known.window * factor)
                setting = counted(round(other.window / WEEK, 2), "week")
            if other != known:
                name = "Assessment window" if known.delay is None else "Time to the response status"
                yield name, setting, {"disease": replace(disease, assessments=other)}


def _toxicities(plan: Plan, _: Requirements) -> Iterator[Change]:
    """The rate of toxicity and its association with the response, where a rule stops the trial for it."""
    now, rule = plan.toxicity, plan.toxicity_rule
    if now is None or rule is None:
        return
    for rate in (rule.acceptable, rule.unacceptable):
        if rate != now.rate:
            yield "Rate of toxicity", stated(round(rate, 6)), {"toxicity": replace(now, rate=rate)}
    for ratio in (0.25, 4.0):
        if ratio != now.odds_ratio:
            setting = f"odds ratio {ratio:g}"
            yield "Association of toxicity with response", setting, {"toxicity": replace(now, odds_ratio=ratio)}


def _looks(plan: Plan, _: Requirements) -> Iterator[Change]:
    if len(plan.design.looks) == 1:
        return
    now = plan.interim
    if now.hold:
        yield "Accrual at the interim analysis", "continues", {"interim": replace(now, hold=False, max_hold=None)}
    else:
        yield "Accrual at the interim analysis", "is held", {"interim": replace(now, hold=True, extra=None)}
    if now.decide == "complete" and len(analyses(plan.design.looks)) == 2:
        yield "Decision of an analysis", "once it is settled", {"interim": replace(now, decide="known")}
    for lag in (0.0, max(2 * now.lag, 4 * WEEK)):
        if lag != now.lag:
            yield "Time to the decision", counted(round(lag / WEEK, 1), "week"), {"interim": replace(now, lag=lag)}
