"""Figures of a finished trial; see `simtrial.trial.figures` for what a figure is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simtrial.analysis import inference, properties
from simtrial.analysis.text import ESTIMATE_NAMES, ORDERINGS, estimate_name, interval_name
from simtrial.design.designs import looks_text
from simtrial.errors import InputError
from simtrial.patients import figures as patient_figures
from simtrial.phrases import counted, percent, stated
from simtrial.show import inks
from simtrial.show.passage import Passage
from simtrial.show.picture import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    RED,
    SKY,
    Drawing,
    Picture,
    canvas,
    few_ticks,
    percent_ticks,
    styled,
    watermarked,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from simtrial.analysis.dossier import Dossier
    from simtrial.analysis.inference import Inference
    from simtrial.analysis.properties import Properties
    from simtrial.patients.data import PatientData

COLOURS = {
    "mle": RED,
    "umvue": BLUE,
    "umvcue": SKY,
    "median_unbiased": GREEN,
    "bias_subtracted": ORANGE,
    "bias_adjusted": BLACK,
    "exact": BLUE,
    "koyama_chen": ORANGE,
    "mid_p": GREEN,
    "naive": RED,
}
SHORT = {"exact": "exact", "koyama_chen": "Koyama-Chen", "mid_p": "mid-p", "naive": "naive"}
"""Intervals in a legend; the ordering that they share stands in the text."""

DASHES = {
    "umvcue": ":",
    "bias_adjusted": "--",
    "median_unbiased": "-.",
    "koyama_chen": "--",
    "mid_p": "-.",
    "naive": ":",
}


def forest(report: Dossier) -> Picture:
    """Every estimate and interval on one axis, with p0 and p1, and as numbers beside it."""
    result, asked = report.final.result, report.requirements
    rows: list[tuple[str, float, float | None]] = [
        (f"{100 * result.level:g}% {interval_name(report.final, name)}", low, 1.0 if high is None else high)
        for name, (low, high) in result.intervals.items()
    ]
    rows += [
        (estimate_name(report.final, name), value, None)
        for name, value in result.estimates.items()
        if value is not None
    ]
    figure, (axis,) = canvas(1, 9.2, 0.36 * len(rows) + 1.1)
    with styled():
        for y, (_, low, high) in enumerate(reversed(rows)):
            if high is None:
                axis.plot(low, y, "o", color=BLACK, markersize=6)
            else:
                axis.plot([low, high], [y, y], color=BLUE, linewidth=2.4, solid_capstyle="butt")
                axis.plot([low, high], [y, y], "|", color=BLUE, markersize=9, markeredgewidth=1.6)
            said = percent(low) if high is None else f"{percent(low)} to {percent(high)}"
            axis.annotate(
                said, (1.0, y), xycoords=("axes fraction", "data"), xytext=(8, 0), textcoords="offset points",
                va="center", fontsize=9,
            )  # fmt: skip
        inks.mark_rates(axis, asked.p0, asked.p1)
        axis.set_yticks(range(len(rows)), [name for name, _, _ in reversed(rows)])
        axis.set_ylim(-0.7, len(rows) - 0.3)
        most = max([asked.p1, *(low if high is None else high for _, low, high in rows)])
        axis.set_xlim(0, min(1.0, np.ceil(10 * most + 0.2) / 10))
        percent_ticks(axis.xaxis)
        axis.set_xlabel(f"Response rate, {report.label}", parse_math=False)
    exact = result.intervals["exact"]
    upper = 1.0 if exact[1] is None else exact[1]
    alt = (
        f"Estimates and intervals of the response rate ({report.label}); the exact {100 * result.level:g}% interval is "
        f"{percent(exact[0])} to {percent(upper)}."
    )
    caption = (
        f"Estimates (dots) and {100 * result.level:g}% confidence intervals (bars) of the response rate after "
        f"{counted(result.responses, 'response')} in {counted(result.n, 'patient')} ({report.label}), with p0 = "
        f"{stated(asked.p0)} and p1 = {stated(asked.p1)}."
    )
    return _marked(report, Picture("forest", alt, figure, caption))


def _marked(report: Dossier, picture: Picture) -> Picture:
    """A picture of synthetic data says so across it."""
    return watermarked(picture) if report.is_synthetic else picture


def survival(report: Dossier) -> Picture | Passage | None:
    """Kaplan-Meier curves of PFS and OS; None where the file speaks of neither."""
    data = report.data
    if data is None or (data.pfs is None and data.os is None):
        return None
    return _drawn(report, data, patient_figures.survival)


def waterfall(report: Dossier) -> Picture | Passage | None:
    """Best change of the target lesions of each patient; None where the file does not speak of it."""
    data = report.data
    if data is None or data.change is None:
        return None
    if report.is_synthetic and report.plan is not None and report.plan.disease.dcr is None:
        return None  # responses alone are assumed: the simulator's changes of lesions would be an endpoint of its own
    return _drawn(report, data, patient_figures.waterfall)


def swimmer(report: Dossier) -> Picture | Passage | None:
    """Each patient's time under observation; None where the file has neither PFS nor OS."""
    data = report.data
    if data is None or (data.pfs is None and data.os is None):
        return None
    return _drawn(report, data, patient_figures.swimmer)


def _drawn(report: Dossier, data: PatientData, draw: Callable[[PatientData, str], Picture]) -> Picture | Passage:
    try:
        return _marked(report, draw(data, report.label))
    except InputError as error:
        return Passage(draw.__name__, (f"No {draw.__name__} plot: {error}.",))


EMPHASISED = ("mle", "umvue")
"""Estimates with heavier lines: the one that everybody computes, and the one that has no bias."""

ROUNDING = 1e-12
"""A bias below it is 0 but for rounding."""


def draw_errors(axes: Sequence[Axes], inference: Inference, found: Properties) -> None:
    """Draw bias and root mean squared error of the estimates, one panel each."""
    left, right = axes
    single, biased = len(inference.design.looks) == 1, False
    for name in COLOURS:
        if name not in inference.estimates or (single and name not in ("mle", "umvue")):
            continue
        style: dict[str, Any] = {
            "color": COLOURS[name],
            "linestyle": DASHES.get(name, "--" if single and name == "umvue" else "-"),
        }
        style["linewidth"] = 2.4 if name in EMPHASISED else 1.3
        label = ESTIMATE_NAMES[name].split(" (")[0].split(":")[0]
        if name == "umvcue":  # its errors are those of a part of the trials, which look smaller beside the others'
            label += ", given stage 2"
        bias = np.where(np.abs(found.bias[name]) < ROUNDING, 0.0, found.bias[name])
        biased |= bool(bias.any())
        left.plot(found.p, bias, **style, label=label)
        right.plot(found.p, np.sqrt(found.mse[name]), **style)
    left.set_title("Bias", fontsize=10, pad=16)
    right.set_title("Root mean squared error", fontsize=10, pad=16)
    if not biased:
        left.set_ylim(-0.01, 0.01)
        few_ticks(left.yaxis)
    left.legend(fontsize=8)


def long_run(report: Dossier) -> Picture:
    """Bias and root mean squared error of the estimates, and coverage of each interval, at every response rate."""
    result, asked = report.final.result, report.requirements
    design = report.final.design
    every = inference.every_ending(design, asked.p0, result.level, sides=result.sides, ordering=result.ordering)
    p = np.linspace(0.005, min(0.995, asked.p1 + 2.5 * (asked.p1 - asked.p0)), 600)
    found = properties.properties(every, p)
    worst = {name: float(values.min()) for name, values in found.coverage.items()}
    with styled():
        figure = Drawing(figsize=(11.0, 6.6), layout="constrained")
        grid = figure.add_gridspec(2, 2 * len(worst), height_ratios=[1.25, 1.0])
        half = len(worst)
        upper = [figure.add_subplot(grid[0, :half]), figure.add_subplot(grid[0, half:])]
        draw_errors(upper, every, found)
        lower = [figure.add_subplot(grid[1, 2 * k : 2 * k + 2]) for k in range(len(worst))]
        floor = max(0.0, result.level - 0.12)
        for axis, (name, least) in zip(lower, worst.items(), strict=True):
            axis.plot(p, found.coverage[name], color=COLOURS[name], linewidth=1.2)
            axis.axhline(result.level, color=BLACK, linewidth=1.0)
            axis.set_ylim(floor, 1.005)
            axis.set_title(f"{SHORT[name]}: lowest {percent(least)}", fontsize=9.5, pad=16)
            percent_ticks(axis.yaxis)
            few_ticks(axis.yaxis)
        lower[0].set_ylabel(f"Coverage of {100 * result.level:g}% intervals")
        for axis in (*upper, *lower):
            axis.set_xlabel("True response rate p")
            axis.set_xlim(0, p[-1])
            few_ticks(axis.xaxis)
            percent_ticks(axis.xaxis)
            inks.mark_rates(axis, asked.p0, asked.p1)
    lowest = ", ".join(f"{SHORT[name]} {percent(value)}" for name, value in worst.items())
    order = ORDERINGS[result.ordering]
    alt = f"Bias, error and coverage by exact sums, {order}; lowest coverage of the intervals: {lowest}."
    looks = looks_text(design, ", ")
    caption = (
        f"Long-run properties of the design {looks} over the true response rate p, by exact sums over all outcomes "
        f"({order}). Above: bias and root mean squared error of the estimates"
        f"{'' if len(design.looks) == 1 else '; those of the UMVCUE among trials that reach the second stage'}. Below: "
        f"coverage of the {100 * result.level:g}% confidence intervals, one panel each, with the nominal level and the "
        f"lowest coverage at any rate shown. Marked: p0 = {stated(asked.p0)} and p1 = {stated(asked.p1)}."
    )
    return _marked(report, Picture("long_run", alt, figure, caption))
