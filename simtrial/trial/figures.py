"""Figures of a trial beside its registered dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from simtrial.conduct import simulation
from simtrial.conduct.figures import GREY
from simtrial.show.picture import BLACK, BLUE, RED, SKY, STYLE, Picture, canvas

if TYPE_CHECKING:
    from simtrial.numbers import Floats
    from simtrial.plan.plan import Plan, Scenario
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
