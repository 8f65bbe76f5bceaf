"""Figures about the conduct of a trial; see `simtrial.trial.figures` for what a figure is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from simtrial.conduct import outcomes, simulation
from simtrial.conduct.sensitivity import MEASURES
from simtrial.design.designs import TwoStage
from simtrial.laws.inflation import probability_enough
from simtrial.plan.allowances import enrolled_for
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Interim, Plan, Scenario
from simtrial.show.picture import BLACK, BLUE, GREEN, ORANGE, RED, SKY, STYLE, Picture, canvas

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simtrial.conduct.runs import Trials
    from simtrial.conduct.sensitivity import Sensitivity, Variant
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Floats

GREY = "#999999"
MOST_BARS = 80
"""Patients drawn one by one in a swimmer plot; of a larger trial every second, third, ... patient is drawn."""


def counting(seed: int = 1) -> Picture:
    """Who counts at a look: the same seven patients under each handling, and with accrual going on; a look at four."""
    base = Plan(
        TwoStage(r1=0, n1=4, r=1, n=8),
        Constant(1.5),
        Disease(Assessments.fixed(2.0)),
        Dropout(0.25),
        handling="nonresponder",
    )
    figure, axes = canvas(4, 11.5, 3.6, share_y=True)
    block, _ = simulation.block(base, Scenario("", 0.3), 0, seed, 0)
    # a trial that shows it all: the second of the first four patients lost, none after, one response, well spaced
    lost = ~block.cohort.evaluable
    fits = (lost[:4].sum(axis=0) == 1) & lost[1] & ~lost[4:7].any(axis=0) & (block.stage == 2)
    fits &= np.all(np.diff(block.entry[:7], axis=0) > 0.25, axis=0) & (block.cohort.responds[:4].sum(axis=0) == 1)
    column = int(np.argmax(fits))
    panels: list[tuple[Plan, str]] = [
        (base, "nonresponder: first 4 enrolled,\nthe lost one as not responding"),
        (replace(base, handling="replace"), "replace: first 4 evaluable,\na loss gives its place away"),
        (replace(base, handling="exclude"), "exclude: first 4 enrolled,\nthe lost one left out"),
        (
            replace(base, interim=Interim(hold=False)),
            "accrual continues: who enters before\nthe look may become overrun",
        ),
    ]
    with mpl.rc_context(STYLE):
        for axis, (plan, title) in zip(axes, panels, strict=True):
            _counted(axis, plan, seed, column)
            axis.set_title(title, fontsize=8.5)
        axes[0].set_ylabel("Patient, in order of enrollment")
        figure.legend(
            handles=[
                Patch(facecolor=BLUE, edgecolor=BLACK, label="counted"),
                Patch(facecolor=ORANGE, edgecolor=BLACK, label="counted as not responding"),
                Patch(facecolor="white", edgecolor=BLACK, label="left out"),
                Patch(
                    facecolor=SKY,
                    edgecolor=BLACK,
                    hatch="//",
                    label="enters while the look is pending: overrun if it stops",
                ),
                Patch(facecolor=GREY, edgecolor=BLACK, label="enters after the decision to go on"),
                Line2D([], [], marker="^", color=GREEN, linestyle="none", label="responds"),
                Line2D([], [], marker="x", color=RED, markeredgewidth=2, linestyle="none", label="lost"),
            ],
            loc="outside lower center",
            ncols=4,
            fontsize=8.5,
        )
    alt = (
        "Patients and a look at four, one of the first four lost. As a non-responder the lost patient is counted; with "
        "replacement a later patient takes the place and the look comes later; excluded, three are counted. With "
        "accrual going on, patients who enter before the look are overrun if the trial stops."
    )
    return Picture("counting", alt, figure)


def _counted(axis: Axes, plan: Plan, seed: int, column: int) -> None:
    """Draw the first seven patients of a trial. The same random numbers in the same order make them the same ones."""
    trials, _ = simulation.block(plan, Scenario("", 0.3), 0, seed, 0)
    cohort, entry, look = trials.cohort, trials.entry[:, column], trials.looks[0, column]
    due = 4 if plan.handling != "replace" else int(np.argmax(np.cumsum(cohort.evaluable[:, column]) >= 4)) + 1
    for row in range(7):
        evaluable, responds = cohort.evaluable[row, column], cohort.responds[row, column]
        colour, hatch = (SKY, "//") if entry[row] < look else (GREY, None)
        if row < due:
            aside = ORANGE if plan.handling == "nonresponder" else "white"
            colour, hatch = BLUE if evaluable else aside, None
        axis.barh(row + 1, 2.0, left=entry[row], height=0.55, color=colour, hatch=hatch, edgecolor=BLACK, linewidth=0.8)
        if not evaluable:
            axis.plot(entry[row] + 2.0, row + 1, "x", color=RED, markersize=8, markeredgewidth=2)
        elif responds:
            axis.plot(entry[row] + 2.0, row + 1, "^", color=GREEN, markersize=8)
    axis.axvline(look, color=BLACK, linewidth=1.3)
    axis.annotate("look", (look, 0.35), xytext=(3, 0), textcoords="offset points", fontsize=9, va="top")
    axis.set_xlabel("Month")
    axis.set_ylim(7.6, 0.2)


def _ordinary(trials: Trials) -> int:
    """A trial that went the whole way in about the median time."""
    longest = np.flatnonzero(trials.stage == np.max(trials.stage))
    months = trials.decision[longest]
    return int(longest[np.argmin(np.abs(months - np.median(months)))])


def swimmer(
    plan: Plan, scenario: Scenario, index: int, seed: int, number: int | None = None, until: float | None = None
) -> Picture:
    """One simulated trial, patient by patient: assessments, responses, progression, looks, hold, decision.

    Of more than `MOST_BARS` patients every k-th is drawn, and the axis says so.

    Parameters
    ----------
    plan, scenario, index, seed
        As in `simtrial.conduct.simulation.block`; the trial is one of block 0.
    number : int, optional
        Which trial of the block; one of median length that went the whole way if left out.
    until : float, optional
        Only what has happened by this month, on axes that would hold the trial if it went the whole way: they do not
        tell how it ends.
    """
    trials, rng = simulation.block(plan, scenario, index, seed, 0)
    column = _ordinary(trials) if number is None else number
    enrolled, cohort = int(trials.enrolled[column]), trials.cohort
    rows = np.arange(enrolled)
    entry = trials.entry[:enrolled, column]
    known = entry + (cohort.known if isinstance(cohort.known, float) else cohort.known[:enrolled, column])
    responds, evaluable = cohort.responds[:enrolled, column], cohort.evaluable[:enrolled, column]
    height, width = enrolled, max(float(trials.end[column]), float(trials.decision[column]))
    if until is not None:
        height, width = max(enrolled, plan.design.looks[-1].n), max(width, float(trials.looks[-1, column]))
    now = np.inf if until is None else until
    every = -(-height // MOST_BARS)
    drawn = (rows + 1) % every == 0
    pending, entered = known > now, (entry <= now) & drawn
    figure, (axis,) = canvas(1, 9.4, 1.8 + 0.17 * (height // every))
    kinds = np.where(pending, 4, _kinds(trials, column))
    colours = [BLUE, SKY, ORANGE, "#dddddd", "white"]
    names = ["CR or PR", "SD", "PD" if cohort.stable is not None else "no response", "not evaluable", "not known yet"]
    with mpl.rc_context(STYLE):
        progression, death, stop = _followed(plan, trials, column, rng)
        stop = np.minimum(known if stop is None else stop, now)
        axis.barh(
            rows[entered] + 1, (stop - entry)[entered], left=entry[entered], height=0.62 * every,
            color=[colours[k] for k in kinds[entered]], edgecolor=BLACK, linewidth=0.5,
        )  # fmt: skip
        _draw_assessments(axis, plan.disease.assessments, entry, np.minimum(stop, known), drawn)
        shown = responds & ~pending & drawn
        axis.plot(known[shown], rows[shown] + 1, "^", color="white", markeredgecolor=BLACK, markersize=6)
        # who was lost before an assessment was not seen to progress
        gone = (progression < death) & (progression <= stop) & evaluable & drawn
        axis.plot(progression[gone], rows[gone] + 1, "D", color=ORANGE, markeredgecolor=BLACK, markersize=4.5)
        dead = (death <= stop) & drawn
        axis.plot(death[dead], rows[dead] + 1, "X", color=BLACK, markersize=5.5)
        _mark_looks(axis, plan, trials, column, height, now)
        _patients_by_month(axis, height, width, every)
        there = [int(k) for k in np.unique(kinds[entered])]
        handles: list[Artist] = [Patch(facecolor=colours[k], edgecolor=BLACK, label=names[k]) for k in there]
        assessed = plan.disease.assessments.delay is None
        handles += _mark_handles(bool(shown.any()), bool(gone.any()), bool(dead.any()), assessed)
        figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8.5)
    return Picture("swimmer", _told(trials, column), figure)


def _told(trials: Trials, column: int) -> str:
    """How one trial went, in a sentence."""
    decided = "rejected" if trials.reject[column] else "not rejected"
    return (
        f"One simulated trial: {int(trials.enrolled[column])} patients, {int(trials.responses[column])} responses "
        f"counted, H0 {decided} in month {float(trials.decision[column]):.1f}, follow-up to month "
        f"{float(trials.end[column]):.1f}."
    )


def _kinds(trials: Trials, column: int) -> NDArray[np.int64]:
    """What each enrolled patient of a trial turns out to be: 0 a responder, 1 stable, 2 neither, 3 not evaluable."""
    cohort, enrolled = trials.cohort, int(trials.enrolled[column])
    responds, evaluable = cohort.responds[:enrolled, column], cohort.evaluable[:enrolled, column]
    kinds = np.where(~evaluable, 3, np.where(responds, 0, 2))
    return kinds if cohort.stable is None else np.where(cohort.stable[:enrolled, column], 1, kinds)


def _draw_assessments(axis: Axes, assessments: Assessments, entry: Floats, until: Floats, drawn: Bools) -> None:
    """Draw the assessments of each patient, up to a month."""
    if assessments.delay is None:
        visits = assessments.interval * np.arange(1, int(assessments.window / assessments.interval + 1e-9) + 1)
        seen = entry[:, np.newaxis] + visits
        last = until[:, np.newaxis] + 1e-9
        y, x = np.nonzero((seen <= last) & drawn[:, np.newaxis])
        axis.plot(seen[y, x], y + 1, "|", color=BLACK, markersize=4)


def _patients_by_month(axis: Axes, height: int, width: float, every: int) -> None:
    """Months to the right, patients downwards."""
    axis.set_ylim(height + 0.8 * every, 1 - 0.8 * every)
    axis.set_xlim(0, width * 1.01)
    axis.set_xlabel("Month")
    axis.set_ylabel("Patient" if every == 1 else f"Patient (1 of {every} drawn)")
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))


def _mark_handles(*there: bool) -> list[Line2D]:
    """Entries of the legend for the marks that are there: responses, progressions, deaths, assessments."""
    marks = (
        ("^", "white", "response known"),
        ("D", ORANGE, "progression"),
        ("X", BLACK, "death"),
        ("|", BLACK, "assessment"),
    )
    return [
        Line2D([], [], marker=marker, color=colour, markeredgecolor=BLACK, linestyle="none", label=said)
        for (marker, colour, said), shown in zip(marks, there, strict=True)
        if shown
    ]


def _followed(
    plan: Plan, trials: Trials, column: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats | None]:
    """Months of progression, death and the end of observation of each enrolled patient; no end without PFS."""
    enrolled, pfs = int(trials.enrolled[column]), trials.cohort.pfs
    never = np.full(enrolled, np.inf)
    if pfs is None:
        return never, never, None
    entry = trials.entry[:enrolled, column]
    lost, os = outcomes.lifetimes(plan, trials, pfs, rng)
    death = never if os is None else entry + os[:enrolled, column]
    stop = np.minimum(np.minimum(death, entry + lost[:enrolled, column]), float(trials.end[column]))
    return entry + pfs[:enrolled, column], death, stop


def _mark_looks(axis: Axes, plan: Plan, trials: Trials, column: int, height: int, until: float) -> None:
    stage = int(trials.stage[column])
    for k in range(stage):
        month, last = float(trials.looks[k, column]), k == len(plan.design.looks) - 1
        ended = bool(trials.closed[column]) and k == stage - 1
        decided, held = month + plan.interim.lag, float(trials.holds[k, column])
        resumed = float(trials.resumed[k, column])
        start = resumed - held
        if held > 0 and not ended and start < until:
            axis.axvspan(start, min(resumed, until), color=RED, alpha=0.1, linewidth=0)
            axis.annotate("accrual on hold", (start, height + 0.6), fontsize=8, color=RED, va="bottom")
        if month > until:
            continue
        said = "final analysis" if last or ended else f"look {k + 1}" if len(plan.design.looks) > 2 else "interim look"
        axis.axvline(month, color=RED, linewidth=1.2)
        axis.annotate(
            said, (month, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
            ha="center", fontsize=8.5, color=RED,
        )  # fmt: skip
        if not last and not ended and 0 < plan.interim.lag <= until - month:
            axis.axvline(decided, color=RED, linewidth=1.0, linestyle=":")
            axis.annotate(
                "decision", (decided, 1.0), xycoords=("data", "axes fraction"), xytext=(2, -10),
                textcoords="offset points", fontsize=8, color=RED,
            )  # fmt: skip


def tornado(found: Sensitivity) -> Picture:
    """How far each assumption, changed alone, moves four results; longest bars on top."""
    figure, axes = canvas(len(MEASURES), 11.0, 1.7 + 0.34 * len({v.assumption for v in found.variants}))
    with mpl.rc_context(STYLE):
        for axis, (name, (title, _, outcome)) in zip(axes, MEASURES.items(), strict=True):
            base = found.base.values[name]
            groups: dict[str, list[Variant]] = {}
            for variant in found.variants:
                groups.setdefault(variant.assumption, []).append(variant)
            reach = {a: max(abs(v.values[name] - base) for v in vs) for a, vs in groups.items()}
            order = sorted(groups, key=lambda a: reach[a])
            for y, assumption in enumerate(order):
                values = [v.values[name] for v in groups[assumption]]
                low, high = min([base, *values]), max([base, *values])
                axis.barh(y, low - base, left=base, color=ORANGE, height=0.6)
                axis.barh(y, high - base, left=base, color=BLUE, height=0.6)
            axis.axvline(base, color=BLACK, linewidth=1)
            axis.set_yticks(range(len(order)), order, fontsize=8)
            axis.tick_params(axis="x", labelsize=8)
            axis.xaxis.set_major_locator(MaxNLocator(4))
            axis.grid(visible=False, axis="y")
            digits = "{:.3f}" if outcome == "reject" else "{:.1f}"
            axis.set_title(f"{title}\nas planned {digits.format(base)}", fontsize=9)
    handles = [Patch(color=ORANGE, label="result becomes smaller"), Patch(color=BLUE, label="result becomes larger")]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8.5)
    most = max(found.variants, key=lambda v: abs(v.values["power"] - found.base.values["power"]), default=found.base)
    alt = (
        f"One assumption changed at a time. Power, {found.base.values['power']:.3f} as planned, moves most with "
        f"{most.assumption.lower()} ({most.setting}): {most.values['power']:.3f}."
    )
    return Picture("tornado", alt, figure)


def inflation(design: Design, requirements: Requirements, loss: Dropout) -> Picture:
    """Chance of n evaluable patients at p1 against the number enrolled; n / (1 - d) marked."""
    n, d = design.looks[-1].n, loss.lost(requirements.p1)
    usual = enrolled_for(n, d)
    numbers = np.arange(n, max(usual + 4, int(1.35 * usual)) + 1)
    chance = probability_enough(n, numbers.tolist(), d)
    figure, (axis,) = canvas(1, 6.6, 3.6)
    with mpl.rc_context(STYLE):
        axis.plot(numbers, chance, ".-", color=BLUE)
        at = float(chance[usual - n])
        axis.plot(usual, at, "o", color=RED, markersize=10, markerfacecolor="none", markeredgewidth=2)
        axis.annotate(
            f"n/(1 - d) = {usual}: {100 * at:.0f}%",
            (usual, at),
            xytext=(12, -4),
            textcoords="offset points",
            color=RED,
        )
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_ylim(0, 1.02)
        axis.set_xlabel("Patients enrolled")
        axis.set_ylabel(f"P(at least {n} evaluable)")
    why = f"which is {n}/(1 - {d:.3g}) rounded up"
    alt = f"Enrolling {usual}, {why}, secures {n} evaluable patients in {100 * at:.0f}% of trials."
    return Picture("inflation", alt, figure)
