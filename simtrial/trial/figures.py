"""Figures of a trial beside its registered dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from simtrial.conduct import simulation
from simtrial.conduct.figures import GREY
from simtrial.design.designs import looks_text
from simtrial.search.calendar import FASTEST_P0, LEAST_ENROLLED_P0
from simtrial.search.simon import MINIMAX, OPTIMAL
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
            axis.annotate(f"{n} patients", (0, n), xytext=(4, 2), textcoords="offset points", fontsize=8.5, color=GREY)
        axis.set_title(f"If the trial is not stopped; true rate {scenario.rate}", fontsize=10)
        after = plan.follow_up.months_after_last
        dates: list[tuple[float, str]] = []
        if whole is not None:
            if after is not None and whole > after:
                dates.append(
                    (whole - after, f"month {whole - after:.3g}: accrual must end\nfor {after:g} months of follow-up")
                )
            else:
                dates.append((whole, f"month {whole:.3g}: registered completion"))
        for month, said in dates:
            axis.axvline(month, color=RED, linestyle="--", linewidth=1.4)
            axis.annotate(said, (month, 0.03), xycoords=("data", "axes fraction"), xytext=(5, 0),
                          textcoords="offset points", color=RED, fontsize=9)  # fmt: skip
        axis.set_xlim(0, max([months[-1], *(m * 1.05 for m, _ in dates)]))
        axis.set_ylim(0, max(float(high.max()), n) * 1.1)
        axis.set_xlabel("Month" if trial.study.start is None else f"Months from {trial.study.start}")
        axis.set_ylabel("Patients enrolled")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    half = float(full[len(full) // 2])
    reached = (
        f"are in by month {half:.1f} in half of the trials" if np.isfinite(half) else "are reached in less than half"
    )
    alt = f"Patients enrolled by month if the trial is not stopped: {n} {reached}."
    return Picture("enrollment_fan", alt, figure)


def _full(entry: Floats, n: int) -> Floats:
    """Month at which each trial has n patients; infinite if it never does."""
    months: Floats = np.sort(entry, axis=0)[n - 1]
    return months


MARKERS = ((MINIMAX.name, "D", BLACK), (OPTIMAL.name, "s", GREEN), (FASTEST_P0.name, "^", BLUE),
           (LEAST_ENROLLED_P0.name, "v", ORANGE))  # fmt: skip
"""Designs that are marked by what they are called, beside the chosen one."""


def months_and_patients(case: Case) -> Picture | Passage:
    """Expected months against expected patients at p0, over every pair of sizes that has a design.

    The frontier is drawn where all values are exact. The axes end at the smallest single stage, or at the last design
    that is marked. Left out for a large trial that does not ask for it.
    """
    if calendar.left_out(case):
        return Passage("months_and_patients", ("The picture of these designs is left out too.",))
    every = calendar.landscape(case)
    x, y, two = every.enrolled, every.months, every.designs.pairs.n1 > 0
    figure, (axis,) = canvas(1, 7.6, 5.2)
    with mpl.rc_context(STYLE):
        for which, mark, colour, size, said in (
            (two, ".", SKY, 4, "designs of two stages"),
            (~two, "x", GREY, 5, "designs of a single stage"),
        ):
            bound = "" if every.exact[which].all() else " (lower bounds)"
            axis.plot(x[which], y[which], mark, color=colour, markersize=size, label=f"{said}{bound}")
        line = np.flatnonzero(every.frontier)
        line = line[np.argsort(x[line])]
        if every.exact.all():
            axis.plot(x[line], y[line], ".-", color=BLUE, linewidth=1.4, label="frontier: no design is better in both")
        places = _mark(axis, case)
        first = np.flatnonzero(~two)[0]
        axis.set_xlim(*_shown(np.array([x.min(), x[first], *places[:, 0]])))
        axis.set_ylim(*_shown(np.array([y.min(), y[first], *places[:, 1]])))
        axis.set_xlabel("Patients expected to be enrolled at p0")
        axis.set_ylabel("Expected month of the decision at p0")
        handles, labels = axis.get_legend_handles_labels()
        columns = 2 if max(map(len, labels)) < 60 else 1
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=8.5)
    alt = (
        f"Expected month of the decision against patients expected to be enrolled, at p0, for {len(x)} designs that "
        "meet the limits"
    )
    if every.exact.all():
        alt += (
            f": {len(line)} on the frontier, from {x[line[0]]:.1f} patients and month {y[line[0]]:.1f} to "
            f"{x[line[-1]]:.1f} patients and month {y[line[-1]]:.1f}"
        )
    return Picture("months_and_patients", f"{alt}.", figure)


def _shown(held: Floats) -> tuple[float, float]:
    """Limits of an axis that holds some values."""
    margin = 0.06 * max(float(np.ptp(held)), 1.0)
    return float(held.min()) - margin, float(held.max()) + margin


def _mark(axis: Axes, case: Case) -> Floats:
    """Mark the chosen design, Simon's and the two of the calendar at p0; where they lie, shape (designs, 2)."""
    places = []
    for one in calendar.beside(case):
        marks = [(marker, colour) for name, marker, colour in MARKERS if name in one.names]
        chosen = one.design.looks == case.chosen.looks
        if not marks and not chosen:
            continue
        values = calendar.as_run(case, one.design).values
        place = (values["n_enrolled", "p0"].value, values["duration_months", "p0"].value)
        marker, colour = ("o", RED) if chosen else marks[0]
        said = f"{'chosen' if chosen else ' and '.join(one.names)}: {looks_text(one.design, ', ')}"
        axis.plot(*place, marker, color=colour, markersize=11, markerfacecolor="none", markeredgewidth=2, label=said)
        places.append(place)
    return np.array(places)
