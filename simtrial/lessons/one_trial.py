"""The lesson `play_one_trial`: one trial month by month, then many of its kind, which approach the exact curve."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from simtrial import glossary
from simtrial.conduct import figures as conduct_figures
from simtrial.conduct import simulation
from simtrial.design.designs import TwoStage, looks_text
from simtrial.laws import decision
from simtrial.lessons import blackboard, live
from simtrial.phrases import agreeing, counted, percent
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Interim, Plan, Scenario
from simtrial.show.picture import BLACK, BLUE, RED, SKY, Picture, canvas, percent_ticks, styled

if TYPE_CHECKING:
    from simtrial.conduct.runs import Trials
    from simtrial.numbers import Floats

PLAN = Plan(
    TwoStage(r1=1, n1=10, r=5, n=29),
    Constant(2.0),
    Disease(Assessments.fixed(2.0)),
    Dropout(0.1),
    handling="nonresponder",
    interim=Interim(hold=True, lag=0.5),
)
"""The trial that is shown: two patients per month, each response known after two months, 10% dropout."""

RATES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
"""True rates to choose from; a trial at one of them is among those of its dot in `cloud`."""

MONTHS = tuple(k / 4 for k in range(1, 97))
"""Steps of the calendar: short enough that patients enter one by one; nearly every trial ends before the last."""

RUN_AS = (
    "two patients enrolled per month, each response known after two months, accrual on hold during the interim "
    "analysis (half a month for its decision), 10% dropout counted as non-response"
)
"""The assumptions in words."""

COURSE = {
    "month": live.Stops("Month", MONTHS),
    "p": live.Choice(glossary.head("p"), {f"{p:g}": p for p in RATES}, "0.3"),
    "number": live.Whole("Trial number", 1, 1, 100),
}
"""The controls: the calendar, the true rate, and which trial."""

COUNTS = (1, 2, 5, *range(10, 100, 10), *range(100, 1001, 50))
"""Numbers of trials for `cloud`."""


@lru_cache(maxsize=len(RATES))
def _block(p: float, seed: int) -> Trials:
    """The trials at one rate, for all figures of the lesson. Kept, since a slider asks for them again."""
    return simulation.block(PLAN, Scenario("", p), RATES.index(p), seed, 0)[0]


def course(month: float, p: float, number: int, seed: int) -> Picture:
    """The trial up to a month, with a headline on what is known and what is still needed."""
    trials = _block(p, seed)
    shown = conduct_figures.swimmer(PLAN, Scenario("", p), RATES.index(p), seed, number - 1, until=month)
    if month < trials.decision[number - 1]:
        shown.figure.axes[0].axvline(month, color=BLACK, linewidth=0.8, linestyle=":")
    said = so_far(trials, number - 1, month)
    alt = (
        f"Simulated trial {number} of {looks_text(PLAN.design, ', ')} at the true rate {p:g}, up to month {month:g}: "
        f"one row per patient, {RUN_AS}."
    )
    return blackboard.headed(Picture("one_trial", alt, shown.figure), said)


def so_far(trials: Trials, column: int, month: float) -> str:
    """Who is enrolled, what is known, what the next look needs, or how the trial ended."""
    enrolled = int(trials.enrolled[column])
    entry = trials.entry[:enrolled, column]
    known = entry + trials.cohort.known <= month
    responds, lost = trials.cohort.responds[:enrolled, column], ~trials.cohort.evaluable[:enrolled, column]
    counts = (
        f"Month {month:g}: enrolled {int((entry <= month).sum())}, outcome known {int(known.sum())}: "
        f"{counted(int((known & responds).sum()), 'response')}, {counted(int((known & lost).sum()), 'dropout')}"
    )
    first, last = PLAN.design.looks
    looks, stage = trials.looks[:, column], int(trials.stage[column])
    if month >= trials.decision[column]:
        responses = int(trials.responses[column])
        verdict = "H0 rejected" if trials.reject[column] else "H0 not rejected"
        at = PLAN.design.looks[stage - 1]
        ends = "stopped at the interim analysis" if stage == 1 else "final analysis"
        return (
            f"{counts}.\nDecision in month {trials.decision[column]:.1f} ({ends}): "
            f"{counted(responses, 'response')} in {counted(at.n, 'patient')}, {verdict}."
        )
    if month < looks[0]:
        return (
            f"{counts}.\nThe trial continues to stage 2 if more than {first.r} of the first "
            f"{counted(first.n, 'patient')} {agreeing(first.n, 'responds', 'respond')}."
        )
    seen = int(trials.cohort.responds[: first.n, column].sum())
    if month < looks[0] + PLAN.interim.lag:
        return (
            f"{counts}.\nInterim analysis: {counted(seen, 'response')} in {counted(first.n, 'patient')}; the decision "
            "is pending, accrual on hold."
        )
    needed = max((last.r or 0) + 1 - int((known & responds).sum()), 0)
    rest = f"{counted(needed, 'further response')} needed" if needed else "this is already certain"
    return f"{counts}.\nStage 2. H0 is rejected if more than {last.r} of {counted(last.n, 'patient')} respond: {rest}."


def cloud(trials: int, seed: int) -> Picture:
    """The share of the first trials at each true rate that reject H0, beside the exact probability."""
    at = np.array(RATES)
    exact = decision.decision(PLAN, at).reject
    seen = blackboard.shares([_block(p, seed).reject[:trials] for p in RATES], exact)
    p = np.linspace(0.0, 0.5, 201)
    figure, (axis,) = canvas(1, 8.2, 4.2)
    with styled():
        axis.plot(p, decision.decision(PLAN, p).reject, color=BLUE, label="exact")
        blackboard.dots(axis, at, seen)
        axis.set_ylim(-0.08, 1.08)
        axis.set_xlim(0, 0.5)
        percent_ticks(axis.xaxis)
        axis.set_xlabel("True response rate p")
        axis.set_ylabel("Share of trials that reject H0")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    k = RATES.index(0.3)
    said = (
        f"{counted(trials, 'simulated trial')} at each rate. Share that rejects H0 at p = {RATES[k]:g}: "
        f"{blackboard.share(seen.mean[k], seen.mcse[k], exact[k])}."
    )
    alt = (
        f"Share of {counted(trials, 'simulated trial')} of {looks_text(PLAN.design, ', ')} that "
        f"{agreeing(trials, 'rejects', 'reject')} H0 at each of {at.size} true rates, with bars of two Monte Carlo "
        f"standard errors, and the exact curve; {RUN_AS}."
    )
    return blackboard.headed(Picture("cloud", alt, figure), said)


def settling(p: float, seed: int) -> Picture:
    """The share of the first k trials that reject H0, as k grows, in a funnel of two standard errors."""
    exact = float(decision.decision(PLAN, np.array([p])).reject[0])
    k = np.arange(1, COUNTS[-1] + 1)
    rejects = _block(p, seed).reject[: k[-1]]
    share, mcse = np.cumsum(rejects) / k, _mcse(exact, k)
    figure, (axis,) = canvas(1, 8.2, 3.8)
    with styled():
        low, high = np.maximum(exact - 2 * mcse, 0), np.minimum(exact + 2 * mcse, 1)
        axis.fill_between(k, low, high, color=SKY, alpha=0.4, linewidth=0, label="exact value and two standard errors")
        axis.axhline(exact, color=BLUE, label="exact value")
        axis.plot(k, share, color=RED, linewidth=1.3, label="first k simulated trials")
        axis.set_xlim(0, k[-1])
        axis.set_ylim(-0.02, 1.02)
        axis.set_xlabel("Number of trials k")
        axis.set_ylabel("Share that reject H0")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    said = (
        f"p = {p:g}: the share in {counted(int(k[-1]), 'simulated trial')} is "
        f"{blackboard.share(share[-1], mcse[-1], exact)}."
    )
    alt = (
        f"Share of the first k simulated trials of {looks_text(PLAN.design, ', ')} that reject H0 at the true rate "
        f"{p:g}, for k up to {k[-1]:,}, within two Monte Carlo standard errors of the exact value; {RUN_AS}."
    )
    return blackboard.headed(Picture("settling", alt, figure), said)


def _mcse(exact: float, trials: Floats) -> Floats:
    error: Floats = np.sqrt(exact * (1 - exact) / trials)
    return error


def answer(p: float) -> blackboard.Folded:
    """How many trials a probability with two correct decimals takes."""
    exact = float(decision.decision(PLAN, np.array([p])).reject[0])
    hundred, most = (float(_mcse(exact, np.array(float(k)))) for k in (100, COUNTS[-1]))
    needed = int(np.ceil(exact * (1 - exact) / 0.0025**2))
    return blackboard.Folded(
        "answer_play_one_trial",
        (
            f"No. At p = {p:g} the exact probability is {percent(exact)}, and the share of 100 trials has a standard "
            f"error of {100 * hundred:.1f} percentage points: shares from {percent(exact - 2 * hundred)} to "
            f"{percent(exact + 2 * hundred)} are within two standard errors. With {counted(COUNTS[-1], 'trial')} the "
            f"standard error is {100 * most:.1f} percentage points: ten times the trials for about a third of the "
            "error.",
            f"Two standard errors amount to 0.5 percentage points after {counted(needed, 'trial')}. The exact sum "
            "takes none. Simulate what has no exact value, and check the simulator where there is one.",
        ),
    )
