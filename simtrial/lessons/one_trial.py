"""The lesson `play_one_trial`: one trial as it goes, then many of its kind, which settle on the exact curve."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from simtrial.conduct import figures as conduct_figures
from simtrial.conduct import simulation
from simtrial.design.designs import TwoStage, looks_text
from simtrial.laws import decision
from simtrial.lessons import blackboard, live
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Interim, Plan, Scenario
from simtrial.show.picture import BLACK, BLUE, RED, SKY, STYLE, Picture, canvas, percent_ticks

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
"""The trial that is played: two patients a month, each status known after two, a tenth lost and counted as failures."""

RATES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
"""True rates that can be played; a trial played at one of them is a dot's part in the cloud."""

MONTHS = tuple(k / 4 for k in range(1, 97))
"""Steps of the calendar: short enough for patients to come one by one, the last past the end of nearly every trial."""

PLAY = {
    "month": live.Stops("month", MONTHS),
    "p": live.Choice("true rate", {f"{p:g}": p for p in RATES}, "0.3"),
    "number": live.Whole("trial number", 1, 1, 100),
}
"""What can be moved: the calendar, the truth, and which trial."""

COUNTS = (1, 2, 5, *range(10, 100, 10), *range(100, 1001, 50))
"""How many trials may be in the cloud."""


@lru_cache(maxsize=len(RATES))
def _block(p: float, seed: int) -> Trials:
    """The trials at one rate: those of the cloud are the ones that can be played. Kept, since a slider asks again."""
    return simulation.block(PLAN, Scenario("", p), RATES.index(p), seed, 0)[0]


def play(month: float, p: float, number: int, seed: int) -> Picture:
    """The trial up to a month, and in words what is seen so far and what is still needed."""
    trials = _block(p, seed)
    shown = conduct_figures.swimmer(PLAN, Scenario("", p), RATES.index(p), seed, number - 1, until=month)
    if month < trials.decision[number - 1]:
        shown.figure.axes[0].axvline(month, color=BLACK, linewidth=0.8, linestyle=":")
    said = so_far(trials, number - 1, month)
    return blackboard.headed(Picture("one_trial", f"Trial {number}, true rate {p:g}.", shown.figure), said)


def so_far(trials: Trials, column: int, month: float) -> str:
    """Who is in, what is known, what the next look needs, or how it ended."""
    enrolled = int(trials.enrolled[column])
    entry = trials.entry[:enrolled, column]
    known = entry + trials.cohort.known <= month
    responds, lost = trials.cohort.responds[:enrolled, column], ~trials.cohort.evaluable[:enrolled, column]
    counts = (
        f"Month {month:g}: enrolled {int((entry <= month).sum())}, status known {int(known.sum())}: "
        f"{int((known & responds).sum())} responded, {int((known & lost).sum())} lost"
    )
    first, last = PLAN.design.looks
    looks, stage = trials.looks[:, column], int(trials.stage[column])
    if month >= trials.decision[column]:
        responses = int(trials.responses[column])
        verdict = "H0 rejected" if trials.reject[column] else "H0 not rejected"
        at = PLAN.design.looks[stage - 1]
        ends = "stopped at the look" if stage == 1 else "final analysis"
        return f"{counts}.\nDecided in month {trials.decision[column]:.1f}: {ends}, {responses} of {at.n}, {verdict}."
    if month < looks[0]:
        return f"{counts}.\nTo go on, more than {first.r} of the first {first.n} must respond."
    seen = int(trials.cohort.responds[: first.n, column].sum())
    if month < looks[0] + PLAN.interim.lag:
        return f"{counts}.\nThe look saw {seen} of {first.n}; the decision is pending, accrual on hold."
    needed = max((last.r or 0) + 1 - int((known & responds).sum()), 0)
    rest = f"{needed} more needed" if needed else "enough have responded"
    return f"{counts}.\nIt went on. H0 is rejected if more than {last.r} of {last.n} respond: {rest}."


def cloud(trials: int, seed: int) -> Picture:
    """The share of the first trials at each true rate that reject H0, beside the exact probability."""
    at = np.array(RATES)
    exact = decision.decision(PLAN, at).reject
    seen = blackboard.shares([_block(p, seed).reject[:trials] for p in RATES], exact)
    p = np.linspace(0.0, 0.5, 201)
    figure, (axis,) = canvas(1, 8.2, 4.2)
    with mpl.rc_context(STYLE):
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
        f"{trials} trial{'' if trials == 1 else 's'} at each rate. At p = {RATES[k]:g}: {seen.mean[k]:.3f} "
        f"(MCSE {seen.mcse[k]:.3f}), exactly {exact[k]:.4f}."
    )
    alt = f"Shares that reject H0 at {at.size} true rates beside the exact curve of {looks_text(PLAN.design, ', ')}."
    return blackboard.headed(Picture("cloud", alt, figure), said)


def settling(p: float, seed: int) -> Picture:
    """The share that reject H0 among the first k trials, as k grows, in a funnel of two standard errors."""
    exact = float(decision.decision(PLAN, np.array([p])).reject[0])
    k = np.arange(1, COUNTS[-1] + 1)
    rejects = _block(p, seed).reject[: k[-1]]
    share, mcse = np.cumsum(rejects) / k, _mcse(exact, k)
    figure, (axis,) = canvas(1, 8.2, 3.8)
    with mpl.rc_context(STYLE):
        low, high = np.maximum(exact - 2 * mcse, 0), np.minimum(exact + 2 * mcse, 1)
        axis.fill_between(
            k, low, high, color=SKY, alpha=0.4, linewidth=0, label="exact, two standard errors either way"
        )
        axis.axhline(exact, color=BLUE, label="exact")
        axis.plot(k, share, color=RED, linewidth=1.3, label="simulated so far")
        axis.set_xlim(0, k[-1])
        axis.set_ylim(-0.02, 1.02)
        axis.set_xlabel("Trials, k")
        axis.set_ylabel("Share that reject H0")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    said = f"p = {p:g}: after {k[-1]} trials {share[-1]:.3f} (MCSE {mcse[-1]:.3f}), exactly {exact:.4f}."
    return blackboard.headed(Picture("settling", "The running share settles on the exact value.", figure), said)


def _mcse(exact: float, trials: Floats) -> Floats:
    error: Floats = np.sqrt(exact * (1 - exact) / trials)
    return error


def answer(p: float) -> blackboard.Folded:
    """How many trials two right digits take."""
    exact = float(decision.decision(PLAN, np.array([p])).reject[0])
    hundred, most = (float(_mcse(exact, np.array(float(k)))) for k in (100, COUNTS[-1]))
    needed = int(np.ceil(exact * (1 - exact) / 0.0025**2))
    return blackboard.Folded(
        "answer_play_one_trial",
        (
            f"No. At p = {p:g} the exact probability is {exact:.4f}, and the share among 100 trials has a standard "
            f"error of {hundred:.3f}: anything from {exact - 2 * hundred:.2f} to {exact + 2 * hundred:.2f} is no "
            f"surprise. With {COUNTS[-1]} trials it is {most:.3f}: ten times the trials, about a third of the error.",
            f"For two standard errors of 0.005 together it takes {needed:,} trials. The exact sum takes none: simulate "
            "what has no exact value, and check the simulator on what has one.",
        ),
    )
