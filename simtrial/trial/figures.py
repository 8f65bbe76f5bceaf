"""Figures of a trial beside its registered dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import matplotlib as mpl
import numpy as np

from simtrial.conduct import simulation
from simtrial.conduct.figures import GREY
from simtrial.design.designs import looks_text
from simtrial.phrases import counted
from simtrial.search.calendar import FASTEST_P0, FASTEST_P1, LEAST_ENROLLED_P0
from simtrial.search.simon import MINIMAX, OPTIMAL
from simtrial.show.labels import above
from simtrial.show.passage import Passage
from simtrial.show.picture import BLACK, BLUE, GREEN, ORANGE, RED, SKY, STYLE, Picture, canvas
from simtrial.trial import calendar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simtrial.numbers import Floats
    from simtrial.plan.plan import Plan, Scenario
    from simtrial.trial.case import Case
    from simtrial.trial.trial import Trial


def enrollment_fan(trial: Trial, plan: Plan, scenario: Scenario, index: int, seed: int, blocks: int = 5) -> Picture:
    """Patients enrolled by each month if the trial is not stopped: median, 50% and 90% bands, the registered dates."""
    n, whole = plan.design.looks[-1].n, trial.study.months
    runs = [simulation.block(plan, scenario, index, seed, k)[0].entry for k in range(blocks)]
    full = np.sort(np.concatenate([_full(entry, n) for entry in runs]))
    horizon = float(full[int(0.97 * len(full))])
    if not np.isfinite(horizon):
        horizon = plan.close_month or 1.0
    months = np.linspace(0, max(horizon, 1.0), 241)
    counts = np.stack([np.concatenate([(entry <= month).sum(axis=0) for entry in runs]) for month in months])
    low, q1, middle, q3, high = np.quantile(counts, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1, method="inverted_cdf")
    figure, (axis,) = canvas(1, 7.6, 4.2)
    with mpl.rc_context(STYLE):
        axis.fill_between(months, low, high, color=SKY, alpha=0.45, linewidth=0, label="90% of trials")
        axis.fill_between(months, q1, q3, color=BLUE, alpha=0.45, linewidth=0, label="50% of trials")
        axis.plot(months, middle, color=BLACK, label="median")
        if plan.handling != "replace":
            axis.axhline(n, color=GREY, linewidth=1)
            axis.annotate(
                f"{n} patients", (0, n), xytext=(4, 2), textcoords="offset points", fontsize=8.5, color="#666666"
            )
        after = plan.follow_up.months_after_last
        dates: list[tuple[float, str, str]] = []
        if whole is not None:
            if after is not None and whole > after:
                said = f"month {whole - after:.3g}: last enrollment that leaves\n{after:g} months of follow-up"
                dates.append((whole - after, said, RED))
            else:
                dates.append((whole, f"month {whole:.3g}: registered completion", RED))
        for month, _, colour in dates:
            axis.axvline(month, color=colour, linestyle="--", linewidth=1.4)
        axis.set_xlim(0, max([months[-1], *(m * 1.05 for m, _, _ in dates)]))
        axis.set_ylim(0, max(float(high.max()), n) * 1.1)
        above(axis, dates)
        axis.set_xlabel(
            "Months from the start of accrual" if trial.study.start is None else f"Months from {trial.study.start}"
        )
        axis.set_ylabel("Patients enrolled")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    half = float(full[len(full) // 2])
    reached = (
        f"are enrolled by month {half:.1f} in half of the trials"
        if np.isfinite(half)
        else "are enrolled in less than half of the trials"
    )
    alt = f"Patients enrolled by month if the trial is not stopped: {counted(n, 'patient')} {reached}."
    trials = counted(sum(entry.shape[1] for entry in runs), "simulated trial")
    caption = (
        f"Patients enrolled by month in {trials} of the design "
        f"{looks_text(plan.design, ', ')} as it is run, at a true response rate of {scenario.rate}, if no trial is "
        "stopped at an interim analysis: median, and the bands that hold the middle 50% and 90% of the trials."
    )
    return Picture("enrollment_fan", alt, figure, caption)


def _full(entry: Floats, n: int) -> Floats:
    """Month at which each trial has n patients; infinite if it never does."""
    months: Floats = np.sort(entry, axis=0)[n - 1]
    return months


MARKERS = ((MINIMAX.name, "D", BLACK), (OPTIMAL.name, "s", GREEN), (FASTEST_P0.name, "^", BLUE),
           (FASTEST_P1.name, ">", BLUE), (LEAST_ENROLLED_P0.name, "v", ORANGE))  # fmt: skip
"""Designs that are marked by what they are called, beside the chosen one."""


RATES: tuple[Literal["p0", "p1"], ...] = ("p0", "p1")
"""The true rates at which designs are drawn."""


def months_and_patients(case: Case) -> Picture | Passage:
    """Expected months against expected patients at p0 and at p1, over every pair of sizes that has a design.

    The frontier is drawn where all values are exact. The axes end at the smallest single stage, or at the last design
    that is marked. Left out for a large trial that does not ask for it.
    """
    if calendar.left_out(case):
        return Passage("months_and_patients", ("The picture of these designs is left out too.",))
    figure, axes = canvas(2, 9.6, 5.2)
    said: list[str] = []
    with mpl.rc_context(STYLE):
        for axis, rate in zip(axes, RATES, strict=True):
            said.append(_landscape(axis, case, rate))
        handles, labels = axes[0].get_legend_handles_labels()
        columns = 2 if max(map(len, labels)) < 60 else 1
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=8.5)
    alt = f"Expected month of the decision against patients expected to be enrolled: {'; '.join(said)}."
    return Picture("months_and_patients", alt, figure)


def _landscape(axis: Axes, case: Case, rate: Literal["p0", "p1"]) -> str:
    """Draw every design at one true rate; what there is to see."""
    every = calendar.landscape(case, rate)
    x, y, two = every.enrolled, every.months, every.designs.pairs.n1 > 0
    for which, mark, colour, size, kind in (
        (two, ".", SKY, 4, "designs of two stages"),
        (~two, "x", GREY, 5, "designs of a single stage"),
    ):
        bound = "" if every.exact[which].all() else " (lower bounds)"
        axis.plot(x[which], y[which], mark, color=colour, markersize=size, label=f"{kind}{bound}")
    line = np.flatnonzero(every.frontier)
    line = line[np.argsort(x[line])]
    if every.exact.all():
        axis.plot(x[line], y[line], ".-", color=BLUE, linewidth=1.4, label="frontier: no design is better in both")
    places = _mark(axis, case, rate)
    first = np.flatnonzero(~two)[0]
    axis.set_xlim(*_shown(np.array([x.min(), x[first], *places[:, 0]])))
    axis.set_ylim(*_shown(np.array([y.min(), y[first], *places[:, 1]])))
    axis.set_xlabel(f"Patients expected to be enrolled at {rate}")
    axis.set_ylabel(f"Expected month of the decision at {rate}")
    said = f"at {rate} {len(x)} designs that meet the limits"
    if every.exact.all():
        ends = [f"{x[i]:.1f} patients and month {y[i]:.1f}" for i in (line[0], line[-1])]
        several = f", {len(line)} of them on the frontier, from {ends[0]} to {ends[1]}"
        said += several if len(line) > 1 else f", one of them the best in both with {ends[0]}"
    return said


def _shown(held: Floats) -> tuple[float, float]:
    """Limits of an axis that holds some values."""
    margin = 0.06 * max(float(np.ptp(held)), 1.0)
    return float(held.min()) - margin, float(held.max()) + margin


def _mark(axis: Axes, case: Case, rate: Literal["p0", "p1"]) -> Floats:
    """Mark the chosen design, Simon's and some of the calendar at one true rate; where they lie, shape (designs, 2)."""
    places = []
    for one in calendar.beside(case):
        marks = [(marker, colour) for name, marker, colour in MARKERS if name in one.names]
        chosen = one.design.looks == case.chosen.looks
        if not marks and not chosen:
            continue
        values = calendar.as_run(case, one.design).values
        place = (values["n_enrolled", rate].value, values["duration_months", rate].value)
        marker, colour = ("o", RED) if chosen else marks[0]
        said = f"{'chosen' if chosen else '; '.join(one.names)}: {looks_text(one.design, ', ')}"
        axis.plot(*place, marker, color=colour, markersize=11, markerfacecolor="none", markeredgewidth=2, label=said)
        places.append(place)
    return np.array(places)
