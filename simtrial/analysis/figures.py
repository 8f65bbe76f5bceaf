"""Figures of a finished trial; see `simtrial.trial.figures` for what a figure is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from simtrial.analysis import inference, properties
from simtrial.analysis.text import ESTIMATE_NAMES, ORDERINGS, estimate_name, interval_name
from simtrial.errors import InputError
from simtrial.patients import figures as patient_figures
from simtrial.show.passage import Passage
from simtrial.show.picture import BLACK, BLUE, GREEN, ORANGE, RED, SKY, STYLE, Picture, canvas

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
    """Every estimate and interval on one axis, with p0 and p1."""
    result, asked = report.final.result, report.requirements
    rows: list[tuple[str, float | None, tuple[float, float | None] | None]] = [
        (f"{100 * result.level:g}% {interval_name(report.final, name)}", None, limits)
        for name, limits in result.intervals.items()
    ]
    rows += [
        (estimate_name(report.final, name), value, None)
        for name, value in result.estimates.items()
        if value is not None
    ]
    figure, (axis,) = canvas(1, 8.2, 0.42 * len(rows) + 1.1)
    with mpl.rc_context(STYLE):
        for y, (_, value, limits) in enumerate(reversed(rows)):
            if value is not None:
                axis.plot(value, y, "o", color=BLACK, markersize=6)
            if limits is not None:
                low, high = limits
                end = 1.0 if high is None else high
                axis.plot([low, end], [y, y], color=BLUE, linewidth=2.4, solid_capstyle="butt")
                for x in (low, end):
                    axis.plot(x, y, "|", color=BLUE, markersize=9, markeredgewidth=1.6)
        for rate, name in ((asked.p0, "p0"), (asked.p1, "p1")):
            axis.axvline(rate, color="#888888", linewidth=1.0, linestyle=(0, (2, 2)))
            axis.annotate(name, (rate, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
                          textcoords="offset points", ha="center")  # fmt: skip
        axis.set_yticks(range(len(rows)), [name for name, _, _ in reversed(rows)])
        axis.set_ylim(-0.7, len(rows) - 0.3)
        axis.set_xlim(0, 1)
        axis.set_xlabel("response rate")
        axis.annotate(report.label, (1, 1), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points",
                      ha="right", color="#777777", fontsize=9, style="italic")  # fmt: skip
    exact = result.intervals["exact"]
    upper = 1.0 if exact[1] is None else exact[1]
    alt = f"Estimates and intervals ({report.label}); the exact interval is {exact[0]:.3f} to {upper:.3f}."
    return Picture("forest", alt, figure)


def survival(report: Dossier) -> Picture | Passage | None:
    """Kaplan-Meier curves of PFS and OS; None where the file speaks of neither."""
    data = report.data
    if data is None or (data.pfs is None and data.os is None):
        return None
    return _drawn(data, report.label, patient_figures.survival)


def waterfall(report: Dossier) -> Picture | Passage | None:
    """Best change of the target lesions of each patient; None where the file does not speak of it."""
    data = report.data
    if data is None or data.change is None:
        return None
    if report.is_synthetic and report.plan is not None and report.plan.disease.dcr is None:
        return None  # responses alone are assumed: the simulator's changes of lesions would be an endpoint of its own
    return _drawn(data, report.label, patient_figures.waterfall)


def swimmer(report: Dossier) -> Picture | Passage | None:
    """Each patient's time under observation; None where the file has neither PFS nor OS."""
    data = report.data
    if data is None or (data.pfs is None and data.os is None):
        return None
    return _drawn(data, report.label, patient_figures.swimmer)


def _drawn(data: PatientData, label: str, draw: Callable[[PatientData, str], Picture]) -> Picture | Passage:
    try:
        return draw(data, label)
    except InputError as error:
        return Passage(draw.__name__, (f"No {draw.__name__} plot: {error}.",))


def draw_errors(axes: Sequence[Axes], inference: Inference, found: Properties) -> None:
    """Draw bias and root mean squared error of the estimates, one panel each."""
    left, right = axes
    single = len(inference.design.looks) == 1
    for name in COLOURS:
        if name not in inference.estimates or (single and name not in ("mle", "umvue")):
            continue
        style: dict[str, Any] = {"color": COLOURS[name], "linestyle": DASHES.get(name, "-"), "linewidth": 1.7}
        label = ESTIMATE_NAMES[name].split(" (")[0].split(":")[0]
        if name == "umvcue":  # its errors are those of a part of the trials, which look smaller beside the others'
            label += ", if it goes on"
        left.plot(found.p, found.bias[name], **style, label=label)
        right.plot(found.p, np.sqrt(found.mse[name]), **style)
    left.set_title("Bias", fontsize=10.5)
    right.set_title("Root mean squared error", fontsize=10.5)
    left.legend(fontsize=8)


def long_run(report: Dossier) -> Picture:
    """Bias and root mean squared error of the estimates, and coverage of the intervals, at every response rate."""
    result, asked = report.final.result, report.requirements
    design = report.final.design
    every = inference.every_ending(design, asked.p0, result.level, sides=result.sides, ordering=result.ordering)
    p = np.linspace(0.005, min(0.995, asked.p1 + 2.5 * (asked.p1 - asked.p0)), 600)
    found = properties.properties(every, p)
    figure, (left, middle, right) = canvas(3, 12.5, 4.3)
    with mpl.rc_context(STYLE):
        draw_errors((left, middle), every, found)
        for name in every.intervals:
            style: dict[str, Any] = {"color": COLOURS[name], "linestyle": DASHES.get(name, "-"), "linewidth": 1.5}
            right.plot(p, found.coverage[name], **style, label=SHORT[name])
        right.axhline(result.level, color="#888888", linewidth=1.0)
        right.set_ylim(max(0.0, result.level - 0.12), 1.005)
        right.set_title(f"Coverage of {100 * result.level:g}% intervals", fontsize=10.5)
        for axis in (left, middle, right):
            axis.set_xlabel("true response rate")
            for rate in (asked.p0, asked.p1):
                axis.axvline(rate, color="#888888", linewidth=0.9, linestyle=(0, (2, 2)))
        right.legend(fontsize=8, loc="lower right")
    worst = {name: float(values.min()) for name, values in found.coverage.items()}
    lowest = ", ".join(f"{SHORT[name]} {value:.3f}" for name, value in worst.items())
    order = ORDERINGS[result.ordering]
    alt = f"Bias, error and coverage by exact sums, {order}; lowest coverage of the intervals: {lowest}."
    return Picture("long_run", alt, figure)
