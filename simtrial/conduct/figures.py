"""Figures about the conduct of a trial; see `simtrial.trial.figures` for what a figure is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from simtrial.conduct import followed, ranges, simulation
from simtrial.conduct.sensitivity import MEASURES
from simtrial.design.designs import TwoStage, design_named
from simtrial.laws.inflation import probability_enough
from simtrial.phrases import agreeing, counted, listed, percent, rate
from simtrial.plan.allowances import enrolled_for
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Interim, Plan, Scenario
from simtrial.show.labels import above
from simtrial.show.picture import BLACK, BLUE, GREEN, ORANGE, RED, SKY, Picture, canvas, styled
from simtrial.show.tornado import Panel, Range, draw

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from simtrial.conduct.followed import FollowedPatients
    from simtrial.conduct.runs import Trials
    from simtrial.conduct.sensitivity import Sensitivity
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Bools, Ints

GREY = "#999999"
MOST_BARS = 60
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
        (base, "nonresponder: first 4 enrolled,\ndropout counts as no response"),
        (replace(base, handling="replace"), "replace: first 4 evaluable,\ndropout is replaced"),
        (replace(base, handling="exclude"), "exclude: first 4 enrolled,\ndropout is excluded"),
        (replace(base, interim=Interim(hold=False)), "nonresponder,\naccrual continues at the look"),
    ]
    with styled():
        for axis, (plan, title) in zip(axes, panels, strict=True):
            _counted(axis, plan, seed, column)
            axis.set_title(title, fontsize=8.5)
        axes[0].set_ylabel("Patient, in order of enrollment")
        figure.legend(
            handles=[
                Patch(facecolor=BLUE, edgecolor=BLACK, label="counted"),
                Patch(facecolor=ORANGE, edgecolor=BLACK, label="counted as no response"),
                Patch(facecolor="white", edgecolor=BLACK, label="excluded"),
                Patch(
                    facecolor=SKY,
                    edgecolor=BLACK,
                    hatch="//",
                    label="enrolled while the look is pending",
                ),
                Patch(facecolor=GREY, edgecolor=BLACK, label="enrolled after the look"),
                Line2D([], [], marker="^", color=GREEN, linestyle="none", label="response"),
                Line2D([], [], marker="x", color=RED, markeredgewidth=2, linestyle="none", label="dropout"),
            ],
            loc="outside lower center",
            ncols=4,
            fontsize=8.5,
        )
    alt = (
        "The same seven patients and a look at four patients, with dropout of one of the first four. Counted as a "
        "non-responder, the patient is one of the four. Replaced, a later patient takes the place and the look comes "
        "later. Excluded, three patients are counted. If accrual continues, a patient is enrolled before the look."
    )
    caption = (
        "Which patients count at a look after 4 patients: the same 7 simulated patients under three ways to handle "
        "dropout before the response assessment, and with accrual that continues until the look. A bar reaches from "
        "enrollment to the response assessment 2 months later. Patients enrolled while the look is pending are overrun "
        "if the trial stops."
    )
    return Picture("counting", alt, figure, caption)


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
    axis.annotate(
        "look", (look, 1.0), xycoords=("data", "axes fraction"), xytext=(3, -1), textcoords="offset points", fontsize=9,
        va="top",
    )  # fmt: skip
    axis.set_xlabel("Month")
    axis.set_ylim(7.6, -0.1)
    axis.set_yticks(range(1, 8))


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
    column = followed.ordinary(trials) if number is None else number
    enrolled, now = int(trials.enrolled[column]), np.inf if until is None else until
    height, width = enrolled, max(float(trials.end[column]), float(trials.decision[column]))
    if until is not None:
        height, width = max(enrolled, plan.design.looks[-1].n), max(width, float(trials.looks[-1, column]))
    every = -(-height // MOST_BARS)
    rows = np.arange(enrolled) + 1
    drawn = rows % every == 0
    found = followed.course(plan, trials, column, rng, now)
    figure, (axis,) = canvas(1, 9.4, 1.8 + 0.15 * (height // every))
    with styled():
        handles = _bars(axis, found, rows, drawn & (found.entry <= now), 0.62 * every)
        assessed = plan.disease.assessments.delay is None
        if assessed:
            _draw_assessments(axis, plan.disease.assessments, found, drawn)
        handles += _marks(axis, found, rows, drawn, assessed=assessed)
        _patients_by_month(axis, height, width, every)
        handles += _mark_looks(axis, plan, trials, column, now)
        figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8.5)
    ends = "the response assessment."
    if found.followed:
        ends = "progression or the last contact; a line continues it from progression to death or the last contact."
    caption = (
        f"One simulated trial of the {design_named(plan.design)} as it is run, at a true response rate of "
        f"{scenario.rate}: {counted(enrolled, 'patient')}, one bar each, from enrollment to {ends}"
        + (f" One patient of {every} is drawn." if every > 1 else "")
        + (" The trial is one of median duration among those that reach the last look." if number is None else "")
    )
    return Picture("swimmer", _told(trials, column), figure, caption)


def _bars(axis: Axes, found: FollowedPatients, rows: Ints, drawn: Bools, high: float) -> list[Artist]:
    """A bar per patient to progression or the last contact, and a line from progression on; the kinds of bars."""
    kinds = {
        followed.RESPONDED: (BLUE, "CR or PR"),
        followed.STABLE: (SKY, "SD"),
        followed.NEITHER: (ORANGE, "PD" if found.stable else "no response"),
        followed.NOT_EVALUABLE: ("#dddddd", "not evaluable"),
        followed.PENDING: ("white", "not known yet"),
    }
    ends, on = np.where(found.progressed, found.progression, found.last), found.progressed & drawn
    axis.hlines(rows[on], ends[on], found.last[on], color="#777777", linewidth=1.2)
    axis.barh(
        rows[drawn], (ends - found.entry)[drawn], left=found.entry[drawn], height=high,
        color=[kinds[k][0] for k in found.kind[drawn]], edgecolor=BLACK, linewidth=0.5,
    )  # fmt: skip
    there = [kinds[int(k)] for k in np.unique(found.kind[drawn])]
    return [Patch(facecolor=colour, edgecolor=BLACK, label=name) for colour, name in there]


def _marks(axis: Axes, found: FollowedPatients, rows: Ints, drawn: Bools, *, assessed: bool) -> list[Artist]:
    """Mark responses, progressions and deaths, and give the entries of the legend."""
    handles: list[Artist] = []
    for months, there, marker, colour, size, name in (
        (found.known, found.responded, "^", "white", 6.0, "response known"),
        (found.progression, found.progressed, "D", ORANGE, 4.5, "progression"),
        (found.death, found.died, "X", BLACK, 5.5, "death"),
    ):
        if (shown := there & drawn).any():
            axis.plot(months[shown], rows[shown], marker, color=colour, markeredgecolor=BLACK, markersize=size)
            handles.append(
                Line2D([], [], marker=marker, color=colour, markeredgecolor=BLACK, linestyle="none", label=name)
            )
    if assessed:
        handles.append(Line2D([], [], marker="|", color=BLACK, linestyle="none", label="assessment"))
    return handles


def _told(trials: Trials, column: int) -> str:
    """How one trial went, in a sentence."""
    decided = f"H0 {'rejected' if trials.reject[column] else 'not rejected'}"
    decided = "stopped for toxicity" if trials.toxicity_stopped[column] else decided
    return (
        f"One simulated trial: {counted(int(trials.enrolled[column]), 'patient')}, "
        f"{counted(int(trials.responses[column]), 'response')} counted, {decided} in month "
        f"{float(trials.decision[column]):.1f}, follow-up to month {float(trials.end[column]):.1f}."
    )


def _draw_assessments(axis: Axes, assessments: Assessments, found: FollowedPatients, drawn: Bools) -> None:
    """Draw the assessments of each patient until the response status is known."""
    visits = assessments.interval * np.arange(1, int(assessments.window / assessments.interval + 1e-9) + 1)
    seen = found.entry[:, np.newaxis] + visits
    ends = np.where(found.progressed, found.progression, found.last)
    last = np.minimum(ends, found.known)[:, np.newaxis] + 1e-9
    y, x = np.nonzero((seen <= last) & drawn[:, np.newaxis])
    axis.plot(seen[y, x], y + 1, "|", color=BLACK, markersize=4)


def _patients_by_month(axis: Axes, height: int, width: float, every: int) -> None:
    """Months to the right, patients downwards."""
    axis.set_ylim(height + 0.8 * every, 1 - 0.8 * every)
    axis.set_xlim(0, width * 1.01)
    axis.set_xlabel("Months from the start of accrual")
    axis.set_ylabel("Patient, by enrollment" if every == 1 else f"Patient, by enrollment (1 of {every} drawn)")
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))


def _mark_looks(axis: Axes, plan: Plan, trials: Trials, column: int, until: float) -> list[Artist]:
    """Mark the looks, with their names above, their decisions and the holds; the last two are entries of the legend."""
    stop = float(trials.decision[column]) if trials.toxicity_stopped[column] else np.nan
    names: list[tuple[float, str, str]] = [(stop, "stopped for toxicity", RED)] if stop <= until else []
    until = float(np.fmin(until, stop))
    handles: dict[str, Artist] = {}
    stage, several = int(trials.stage[column]), len(trials.looks) > 2
    for k in range(stage):
        month, last = float(trials.looks[k, column]), k == len(trials.looks) - 1
        ended = bool(trials.closed[column]) and k == stage - 1
        decided, held = month + plan.interim.lag, float(trials.holds[k, column])
        start = (resumed := float(trials.resumed[k, column])) - held
        if held > 0 and not ended and start < until:
            axis.axvspan(start, min(resumed, until), color=RED, alpha=0.1, linewidth=0, zorder=0.7)  # below the bars
            handles["hold"] = Patch(color=RED, alpha=0.1, label="accrual on hold")
        if month > until:
            continue
        said = "final analysis" if last or ended else f"interim analysis{f' {k + 1}' if several else ''}"
        names.append((month, said, RED))
        if not last and not ended and 0 < plan.interim.lag <= until - month:
            axis.axvline(decided, color=RED, linewidth=1.0, linestyle=":")
            handles["decision"] = Line2D([], [], color=RED, linewidth=1.0, linestyle=":", label="decision")
    for month, *_ in names:
        axis.axvline(month, color=RED, linewidth=1.2)
    above(axis, names)
    return list(handles.values())


def tornado(found: Sensitivity) -> Picture:
    """How far each assumption, changed alone, moves the results, in a panel for each result that any of them moves."""
    moving = {name: ranges.moving(found, name) for name in MEASURES}
    panels = [
        Panel(
            f"{title}, as planned: {_value(found.base.values[name], outcome)}",
            found.base.values[name],
            tuple(
                Range(
                    name=one.assumption,
                    low=one.low.values[name],
                    high=one.high.values[name],
                    low_setting=one.low.setting,
                    high_setting=one.high.setting,
                )
                for one in moving[name]
            ),
        )
        for name, (title, _, outcome) in MEASURES.items()
        if moving[name]
    ]
    moved = {one.name for panel in panels for one in panel.ranges}
    idle = [a for a in dict.fromkeys(v.assumption for v in found.variants) if a not in moved]
    still = [title for name, (title, _, _) in MEASURES.items() if not moving[name]]
    caption = (
        "One assumption changed at a time, all others as planned: how far each result moves, with the setting at the "
        "end of each bar. Vertical lines: results as planned. Panels hold only assumptions that change the result"
        + (
            f" by more than 2 Monte Carlo standard errors ({counted(found.trials, 'simulated trial')} each)"
            if ranges.simulated(found)
            else ""
        )
        + "."
    )
    caption += f" No panel is drawn for results that no assumption changes: {listed(still)}." if still else ""
    caption += f" {listed(idle)} {agreeing(len(idle), 'changes', 'change')} none of the results." if idle else ""
    most = max(found.variants, key=lambda v: abs(v.values["power"] - found.base.values["power"]), default=found.base)
    alt = (
        f"One assumption changed at a time. Power, {percent(found.base.values['power'])} as planned, changes most with "
        f"{most.assumption.lower()} ({most.setting}): {percent(most.values['power'])}."
    )
    return Picture("tornado", alt, draw(panels), caption)


def _value(value: float, outcome: str) -> str:
    """A result in the title of its panel."""
    return rate(value) if outcome == "reject" else f"{value:.1f}"


def inflation(design: Design, requirements: Requirements, loss: Dropout) -> Picture:
    """Chance of n evaluable patients at p1 against the number enrolled; n / (1 - d) marked."""
    n, d = design.looks[-1].n, loss.lost(requirements.p1)
    usual = enrolled_for(n, d)
    numbers = np.arange(n, max(usual + 4, int(1.35 * usual)) + 1)
    chance = probability_enough(n, numbers.tolist(), d)
    figure, (axis,) = canvas(1, 6.6, 3.6)
    with styled():
        axis.plot(numbers, chance, ".-" if len(numbers) <= 60 else "-", color=BLUE)
        at = float(chance[usual - n])
        axis.plot(usual, at, "o", color=RED, markersize=10, markerfacecolor="none", markeredgewidth=2)
        axis.annotate(
            f"n/(1 - d) = {usual}: {percent(at)}", (usual, at), xytext=(12, -4), textcoords="offset points", color=RED,
            va="top",
        )  # fmt: skip
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_ylim(0, 1.02)
        axis.set_xlabel("Patients enrolled")
        axis.set_ylabel(f"P(at least {n} evaluable)")
    why = f"which is {n}/(1 - {d:.3g}) rounded up"
    alt = f"Enrolling {usual}, {why}, secures {n} evaluable patients with probability {percent(at)}."
    caption = (
        f"Exact probability of at least {counted(n, 'evaluable patient')} against the number of patients enrolled, if "
        f"each drops out before the first assessment with probability {percent(d)}. Ring: the conventional allowance, "
        f"n/(1 - d) rounded up."
    )
    return Picture("inflation", alt, figure, caption)
