"""The assumptions of a plan, each taken away or halved, in words and as a plan.

A change goes in the direction that saves time or gains power, as far as a trial can. There are three kinds: times that
the protocol lays down, rules of the trial, and facts of the sites and their patients. What comes of them is the matter
of `simtrial.conduct.levers`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from simtrial.design.second_stages import analyses
from simtrial.errors import InputError
from simtrial.months import WEEK
from simtrial.phrases import counted, stated
from simtrial.plan.assessments import Assessments
from simtrial.plan.centres import Centres
from simtrial.plan.enrollment import Constant, Piecewise, Ramp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.plan.enrollment import Enrollment
    from simtrial.plan.plan import Handling, Plan

LeverKind = Literal["protocol", "rule", "site"]
"""A time that the protocol lays down, a rule of the trial, or a fact of the sites and their patients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One assumption taken away or halved.

    Attributes
    ----------
    key : str
        Its name in files.
    kind : LeverKind
        Who could change it.
    name, assumed, instead : str
        What it is, and its setting as planned and as changed, with units.
    subject, condition : str
        The same two in a sentence: "the assessment window of 24 weeks", "with 12 weeks".
    plan : Plan
        The plan so changed.
    """

    key: str
    kind: LeverKind
    name: str
    assumed: str
    instead: str
    subject: str
    condition: str
    plan: Plan


Parts = dict[str, object]
"""Parts of a plan by the names of its attributes."""

ChangeWords = tuple[str, str, str, str, str, str]
"""The attributes of `Changed` from `key` to `condition`, without the kind."""


def of(plan: Plan) -> Iterator[Changed]:
    """Every change that the plan has and allows."""
    kinds: tuple[tuple[LeverKind, tuple[Iterator[tuple[ChangeWords, Parts]], ...]], ...] = (
        ("protocol", (_assessments(plan), _dates(plan))),
        ("rule", (_looks(plan), _handling(plan), _toxicity(plan))),
        ("site", (_dropout(plan), _screening(plan), _opening(plan))),
    )
    for kind, groups in kinds:
        for group in groups:
            for (key, name, assumed, instead, subject, condition), parts in group:
                with suppress(InputError):
                    changed = replace(plan, **parts)  # type: ignore[arg-type]  # the parts are the plan's
                    yield Changed(
                        key=key, kind=kind, name=name, assumed=assumed, instead=instead, subject=subject,
                        condition=condition, plan=changed,
                    )  # fmt: skip


def _weeks(months: float) -> str:
    return counted(round(months / WEEK, 2), "week")


def _assessments(plan: Plan) -> Iterator[tuple[ChangeWords, Parts]]:
    """When statuses are known: the window, and the confirmation of responses."""
    now, disease = plan.disease.assessments, plan.disease
    if now.delay is not None:
        if now.delay:
            assumed, half = counted(now.delay, "month"), counted(now.delay / 2, "month")
            yield (
                ("readout", "Time to the response status", assumed, half,
                 f"the time of {assumed} to the response status", f"with {half}"),
                {"disease": replace(disease, assessments=Assessments.fixed(now.delay / 2))},
            )  # fmt: skip
        return
    shorter = max(now.window / 2, now.interval + now.confirmation)
    if shorter < now.window:
        assumed, half = _weeks(now.window), _weeks(shorter)
        yield (
            ("window", "Assessment window", assumed, half, f"the assessment window of {assumed}", f"with {half}"),
            {"disease": replace(disease, assessments=replace(now, window=shorter))},
        )
    if now.confirmation:
        later = f"{_weeks(now.confirmation)} later"
        yield (
            ("confirmation", "Confirmation of responses", later, "none",
             f"the confirmation of responses {later}", "without it"),
            {"disease": replace(disease, assessments=replace(now, confirmation=0.0))},
        )  # fmt: skip


def _dates(plan: Plan) -> Iterator[tuple[ChangeWords, Parts]]:
    """The time to decide, and the month at which accrual closes."""
    lag = plan.interim.lag
    if lag and len(plan.design.looks) > 1:
        assumed, half = _weeks(lag), _weeks(lag / 2)
        yield (
            ("lag", "Time from an interim analysis to its decision", assumed, half,
             f"the time of {assumed} from an interim analysis to its decision", f"with {half}"),
            {"interim": replace(plan.interim, lag=lag / 2)},
        )  # fmt: skip
    if plan.close_month is not None:
        month = f"month {plan.close_month:g}"
        yield (
            ("close", "Closing of accrual", month, "never",
             f"the closing of accrual in {month}", "if accrual stays open until the last patient is enrolled,"),
            {"close_month": None},
        )  # fmt: skip


def _looks(plan: Plan) -> Iterator[tuple[ChangeWords, Parts]]:
    """Accrual while an interim analysis is pending, and what an analysis waits for."""
    now, several = plan.interim, len(plan.design.looks) > 1
    pending = "while an interim analysis is pending"
    name = "Accrual while an interim analysis is pending"
    ongoing: Parts = {"interim": replace(now, hold=False, extra=None, max_hold=None)}
    if several and now.hold:
        limit = "" if now.max_hold is None else f" for at most {counted(now.max_hold, 'month')}"
        yield (
            ("accrual", name, f"is held{limit}", "continues",
             f"holding accrual{limit} {pending}", "if patients are enrolled meanwhile,"),
            ongoing,
        )  # fmt: skip
    elif several and now.extra is not None:
        extra = counted(now.extra, "further patient")
        yield (
            ("accrual", name, f"at most {extra}", "continues",
             f"the limit of {extra} {pending}", "without it"),
            ongoing,
        )  # fmt: skip
    if plan.conditional is not None:
        yield (
            ("pending", "Patients pending at the interim analysis", "are predicted", "are waited for",
             "predicting the responses of patients whose status is pending", "if the interim analysis waits for them,"),
            {"interim": replace(now, conditional=None)},
        )  # fmt: skip
    elif now.decide == "complete" and len(analyses(plan.design.looks)) <= 2 and plan.recut is None:
        yield (
            ("decide", "An analysis decides", "once every response status is known", "once its decision is settled",
             "waiting for every response status",
             "if an analysis decides as soon as the known responses settle its decision,"),
            {"interim": replace(now, decide="known")},
        )  # fmt: skip


HANDLINGS: dict[Handling, tuple[str, str]] = {
    "nonresponder": ("non-responders", "counting patients without a response assessment as non-responders"),
    "exclude": ("excluded", "excluding patients without a response assessment"),
    "replace": ("replaced", "replacing patients without a response assessment"),
}
"""What becomes of patients without a response assessment: in a table, and as the subject of a sentence."""


def _handling(plan: Plan) -> Iterator[tuple[ChangeWords, Parts]]:
    """How patients without a response assessment are counted: replaced, or not replaced."""
    if not plan.dropout.probability:
        return
    other: Handling = "nonresponder" if plan.handling == "replace" else "replace"
    assumed, subject = HANDLINGS[plan.handling]
    condition = "if they count as non-responders," if plan.handling == "replace" else "if they are replaced,"
    yield (
        ("handling", "Patients without a response assessment", assumed, HANDLINGS[other][0], subject, condition),
        {"handling": other, "recut": None},
    )


def _toxicity(plan: Plan) -> Iterator[tuple[ChangeWords, Parts]]:
    """The rule that stops the trial for toxicity."""
    if plan.toxicity_rule is not None:
        yield (
            ("toxicity", "Rule for toxicity", "as planned", "none", "the rule for toxicity", "without it"),
            {"toxicity_rule": None},
        )


def _dropout(plan: Plan) -> Iterator[tuple[ChangeWords, Parts]]:
    """Dropout before the first assessment."""
    d = plan.dropout
    if d.probability:
        assumed = stated(round(d.probability, 4))
        if d.responder_odds_ratio != 1:
            assumed += f" of non-responders and {stated(round(d.of_responder, 4))} of responders"
        yield (
            ("dropout", "Dropout before the first assessment", assumed, "none", f"dropout of {assumed}", "without it"),
            {"dropout": replace(d, probability=0.0)},
        )


def _screening(plan: Plan) -> Iterator[tuple[ChangeWords, Parts]]:
    """Patients who fail screening."""
    failure = 1 - plan.screening_success
    if failure:
        assumed, half = (stated(round(one, 6)) for one in (failure, failure / 2))
        yield (
            ("screening", "Screening failure", assumed, half, f"screening failure of {assumed}", f"with {half}"),
            {"screening_success": 1 - failure / 2},
        )


def _opening(plan: Plan) -> Iterator[tuple[ChangeWords, Parts]]:
    """What delays the full enrollment rate, and for comparison twice the rate."""
    law, first = plan.enrollment, "the full rate from the first month"
    full: Enrollment | None = None
    if isinstance(law, Ramp):
        assumed, full = counted(law.ramp_months, "month"), Constant(law.rate)
        slow = f"the ramp of {assumed} to the full enrollment rate"
    elif isinstance(law, Piecewise) and law.rates[-1] > law.rates[0]:
        assumed, full = counted(law.starts[-1], "month"), Constant(law.rates[-1])
        slow = f"the slower enrollment of the first {assumed}"
    elif isinstance(law, Centres) and max(law.opens):
        assumed, full = counted(max(law.opens), "month"), replace(law, opens=(0.0,) * len(law.opens))
        slow = f"the opening of the centres over {assumed}"
        first = "all centres open from the first month"
    if full is not None:
        name = "Months until the full enrollment rate"
        yield ("opening", name, assumed, "none", slow, f"with {first}"), {"enrollment": full}
    yield (
        ("rate", "Enrollment rate", "as planned", "twice the rate", "the enrollment rate", "with twice the rate"),
        {"enrollment": law.scaled(2.0)},
    )
