"""Figures of a trial's patients; see `simtrial.trial.figures` for what a figure is.

Patients go by their place in the order of enrollment, never by their identifiers. Every figure carries a label that
says what the data are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.markers import CARETRIGHTBASE
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from simtrial.conduct.survival import HALF
from simtrial.errors import InputError
from simtrial.patients.endpoints import curve
from simtrial.phrases import counted, listed
from simtrial.show.picture import BLACK, BLUE, GREEN, ORANGE, RED, SKY, Picture, canvas, styled

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from simtrial.numbers import Bools, Floats
    from simtrial.patients.data import PatientData
    from simtrial.patients.endpoints import Curve

Mark = tuple["Floats", "Bools", "str | int", "dict[str, Any]", str]
"""Months, who has them, marker, its style, and what it is called."""

GREY = "#777777"
TALLEST = 14.0
"""Inches; with more patients bars become thinner and marks smaller."""

HIGHEST = 100.0
"""Percent; larger growth of the target lesions is cut off there."""

MOST_WRITTEN = 40
"""Bars up to which the values of those cut off fit above them."""

_KINDS = {"CR": GREEN, "PR": BLUE, "SD": SKY, "NON-CR/NON-PD": "#bfe3f5", "PD": ORANGE, "NE": "#dddddd"}
_TOLD = {"response": BLUE, "no response": ORANGE, "not evaluable": "#dddddd"}


def _best(data: PatientData) -> tuple[list[str], dict[str, str]]:
    """Best response of each patient, and the colour of each kind."""
    if data.bor is not None:
        return list(data.bor), _KINDS
    return np.where(
        data.responder, "response", np.where(data.evaluable, "no response", "not evaluable")
    ).tolist(), _TOLD


def _note(axis: Axes, label: str, y: float = 1.0) -> None:
    axis.annotate(
        label, (1.0, y), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points", ha="right", va="bottom",
        fontsize=8.5, color=GREY, style="italic", parse_math=False,
    )  # fmt: skip


def _legend(best: list[str], colours: dict[str, str], shown: Bools) -> list[Artist]:
    there = {kind for kind, here in zip(best, shown, strict=True) if here}
    return [Patch(facecolor=c, edgecolor=BLACK, label=kind) for kind, c in colours.items() if kind in there]


def waterfall(data: PatientData, label: str) -> Picture:
    """Best change of the target lesions, patient by patient, from growth to shrinkage; limits of PD and PR marked.

    Parameters
    ----------
    data : PatientData
        With a column PCHG.
    label : str
        What the data are, such as "synthetic data".

    Raises
    ------
    InputError
        If no patient has a change.
    """
    shown = np.zeros(len(data.ids), dtype=np.bool_) if data.change is None else data.enrolled & ~np.isnan(data.change)
    if data.change is None or not shown.any():
        raise InputError("is needed for a waterfall, with a value of at least one patient enrolled", "PCHG")
    best, colours = _best(data)
    order = np.flatnonzero(shown)[np.argsort(-data.change[shown], kind="stable")]
    change = data.change[order]
    n, enrolled = len(order), int(data.enrolled.sum())
    figure, (axis,) = canvas(1, 8.4, 4.4)
    with styled():
        axis.bar(
            np.arange(n) + 1, np.minimum(change, HIGHEST), width=0.8, color=[colours[best[k]] for k in order],
            edgecolor=BLACK, linewidth=0.5 if n <= 200 else 0.0,
        )  # fmt: skip
        # a change of 0 has no bar; without a mark the patient would seem to be missing
        flat = np.flatnonzero(change == 0)
        axis.plot(flat + 1, np.zeros(len(flat)), "_", color=BLACK, markersize=6)
        for k in np.flatnonzero(change > HIGHEST) if n <= MOST_WRITTEN else ():
            axis.annotate(
                f"{change[k]:+.0f}", (k + 1, HIGHEST), xytext=(0, 2), textcoords="offset points", ha="center",
                fontsize=7,
            )  # fmt: skip
        _mark_limits(axis)
        axis.set_xlim(0.2, n + 0.8)
        axis.set_ylim(-105, max(30.0, min(float(change.max()), HIGHEST)) + 8)
        cut = int((change > HIGHEST).sum())
        beyond = f"; {cut} above {HIGHEST:+.0f}% cut off" if cut else ""
        axis.set_xlabel(f"{n} of {enrolled} enrolled patients have a value; largest growth first{beyond}")
        _note(axis, label)
        figure.legend(
            handles=_legend(best, colours, shown), loc="outside lower center", ncols=5, fontsize=8.5,
            title="Best overall response" if data.bor is not None else None, title_fontsize=8.5,
        )  # fmt: skip
    alt = (
        f"Waterfall of {label}: best change of target lesions of {n} of {enrolled} enrolled patients, from "
        f"{change[0]:+.0f}% to {change[-1]:+.0f}%; {int((change <= -30).sum())} shrink by 30% or more, "
        f"{int((change >= 20).sum())} grow by 20% or more."
    )
    caption = (
        f"Best change of the sum of target lesions from baseline ({label}), one bar per patient, for {n} of "
        f"{counted(enrolled, 'enrolled patient')}. Dashed lines: growth of 20% (progressive disease, PD) and shrinkage "
        "of 30% (partial response, PR). Colours: "
        f"{'best overall response' if data.bor is not None else 'response status'}."
    )
    return Picture("waterfall", alt, figure, caption)


def _mark_limits(axis: Axes) -> None:
    """Percent upwards, no ticks along the bottom, and the changes from which a patient has PD or PR."""
    axis.axhline(0, color=BLACK, linewidth=0.8)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:+.0f}%" if y else "0%"))
    axis.set_ylabel("Best change of target lesions")
    axis.set_xticks([])
    axis.grid(visible=False, axis="x")
    # growth stands on the left and shrinkage on the right: each label goes to the free end of its line
    for limit, said, x, side, above in (
        (20, "+20%: PD", 1.0, "right", True),
        (-30, "-30%: PR", 0.0, "left", False),
    ):
        axis.axhline(limit, color=RED, linewidth=1.0, linestyle="--")
        axis.annotate(
            said, (x, limit), xycoords=("axes fraction", "data"), xytext=(0, 2) if above else (4, -2),
            textcoords="offset points", ha=side, va="bottom" if above else "top", fontsize=8.5, color=RED,
        )  # fmt: skip


def swimmer(data: PatientData, label: str) -> Picture:
    """Each enrolled patient's time on study, in the order of enrollment: response, progression, death, or ongoing.

    Parameters
    ----------
    data : PatientData
        With columns OS or PFS; bars end at progression, and lines after them at the end of OS.
    label : str
        What the data are.

    Raises
    ------
    InputError
        If no patient has a time.
    """
    none, nobody = np.full(len(data.ids), np.nan), np.zeros(len(data.ids), dtype=np.bool_)
    pfs, progressed = data.pfs or (none, nobody)
    alive, died = data.os or (none, nobody)
    length = np.where(np.isnan(alive), pfs, alive)
    enrolled = int(data.enrolled.sum())
    if not np.isfinite(length[:enrolled]).any():
        raise InputError("or PFS is needed for a swimmer plot, with a time of at least one patient enrolled", "OS")
    (best, colours), rows = _best(data), np.arange(len(data.ids)) + 1
    # progression at the time of death is death without progression, as far as the file can tell
    progressed, dead = progressed & ~(died & (pfs == alive)), died & ~np.isnan(alive)
    ongoing = ~np.isnan(length) & ~dead & ~(np.isnan(alive) & progressed)
    since = none if data.ttr is None else data.ttr
    lasted = none if data.dor is None else data.dor.months
    until = np.minimum(since + lasted, length)
    thin = max(min(1.0, TALLEST / (height := 2.2 + 0.19 * enrolled)), 0.3)
    figure, (axis,) = canvas(1, 8.8, min(height, TALLEST))
    with styled():
        there = np.flatnonzero(~np.isnan(length))
        ends = np.where(progressed, np.minimum(pfs, length), length)
        axis.hlines(rows[there], ends[there], length[there], color=GREY, linewidth=1.2 * thin)
        axis.barh(
            rows[there], ends[there], height=0.66, color=[colours[best[k]] for k in there], edgecolor=BLACK,
            linewidth=0.5 * thin,
        )  # fmt: skip
        for colour, wide in (("white", 2.6), (BLACK, 1.3)):
            axis.hlines(rows, since, until, color=colour, linewidth=wide * thin)
        going_on = "alive when last seen" if data.os is not None else "no progression when last seen"
        marks: list[Mark] = [
            (since, ~np.isnan(since), "^", {"color": "white", "markersize": 6}, "first response"),
            (pfs, progressed, "D", {"color": RED, "markersize": 4.5}, "progression"),
            (alive, dead, "X", {"color": BLACK, "markersize": 6}, "death"),
            (length, ongoing, CARETRIGHTBASE, {"color": BLACK, "markersize": 7}, going_on),
        ]
        handles = _legend(best, colours, ~np.isnan(length))
        if np.isfinite(until).any():
            handles.append(Line2D([], [], color=BLACK, linewidth=1.3, label="in response"))
        handles += _draw_marks(axis, rows, marks, thin)
        _month_axis(axis, data, float(np.nanmax(length)))
        _note(axis, label)
        figure.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=8.5)
    alt = (
        f"Swimmer plot of {label}: {counted(enrolled, 'patient')}, {int(data.responder.sum())} with a response, "
        f"{int(progressed.sum())} seen to progress, {int(dead.sum())} dead, {int(ongoing.sum())} {going_on}."
    )
    return Picture("swimmer_patients", alt, figure, _swum(data, label))


def _swum(data: PatientData, label: str) -> str:
    """The caption of a swimmer plot."""
    return (
        f"Time from enrollment of {counted(int(data.enrolled.sum()), 'patient')} ({label}): one bar per patient, to "
        "progression or the last contact; a line continues it from progression to death or the last contact. Patients "
        f"are in the order of {'enrollment' if data.by_date else 'the file'}."
    )


def _month_axis(axis: Axes, data: PatientData, longest: float) -> None:
    """Months to the right, a row per enrolled patient from the top."""
    axis.set_ylim(int(data.enrolled.sum()) + 0.8, 0.2)
    axis.set_xlim(0, longest * 1.06 + 0.1)
    axis.set_xlabel("Months from enrollment")
    axis.set_ylabel("Patient by enrollment" if data.by_date else "Patient as in the file")
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(visible=False, axis="y")


def _draw_marks(axis: Axes, rows: NDArray[np.int64], marks: list[Mark], thin: float) -> list[Line2D]:
    """Draw what happened to patients in their rows, and give the entries of the legend."""
    handles = []
    for x, where, marker, look, said in marks:
        if where.any():
            style = {"marker": marker, "linestyle": "none", "markeredgecolor": BLACK, **look}
            axis.plot(
                x[where], rows[where], **style | {"markersize": style["markersize"] * thin, "markeredgewidth": thin}
            )
            handles.append(Line2D([], [], label=said, **style))
    return handles


def survival(data: PatientData, label: str) -> Picture:
    """Kaplan-Meier curves of PFS and OS with 95% log-log bands, losses ticked, patients at risk below.

    Parameters
    ----------
    data : PatientData
        With columns PFS or OS.
    label : str
        What the data are.

    Raises
    ------
    InputError
        If no patient has a time.
    """
    curves = [
        (name, curve(times.months[data.enrolled], times.event[data.enrolled]), colour, dash)
        for name, times, colour, dash in (("PFS", data.pfs, BLUE, "-"), ("OS", data.os, RED, "--"))
        if times is not None and np.isfinite(times.months[data.enrolled]).any()
    ]
    if not curves:
        raise InputError("or OS is needed for survival curves, with a time of at least one patient enrolled", "PFS")
    longest = max(float(found.months.max()) for _, found, _, _ in curves) or 1.0
    figure, (axis,) = canvas(1, 7.6, 4.8)
    told = []
    with styled():
        for name, found, colour, dash in curves:
            said, limits = _draw_curve(axis, name, found, colour, dash)
            events = counted(int(found.event.sum()), "event")
            told.append(f"{said} (95% {limits}), {events} in {counted(len(found.months), 'patient')}")
        axis.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")
        axis.set_xlim(0, longest * 1.02)
        axis.set_ylim(0, 1.02)
        ticks = np.asarray(MaxNLocator(8, integer=longest > 4).tick_values(0, longest))
        ticks = ticks[(ticks >= 0) & (ticks <= longest)]
        axis.set_xticks(ticks)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axis.set_xlabel("Months from enrollment")
        axis.set_ylabel("Probability of no event")
        handles, labels = axis.get_legend_handles_labels()
        handles.append(Line2D([], [], color=GREY, marker="|", markersize=8, markeredgewidth=1.3, linestyle="none"))
        handles.append(Patch(facecolor=GREY, alpha=0.25))
        axis.legend(handles, [*labels, "censored", "95% band, log-log"], loc="best", fontsize=9)
        _note(axis, label)
        _write_at_risk(axis, curves, ticks)
    named = {"PFS": "progression-free survival (PFS)", "OS": "overall survival (OS)"}
    caption = (
        f"Kaplan-Meier estimates of {listed([named[name] for name, *_ in curves])} from enrollment ({label}), with 95% "
        "log-log confidence bands, censored times as ticks, and the numbers of patients at risk below. The dotted "
        "line is at 50%."
    )
    return Picture("survival", f"Kaplan-Meier curves of {label}: {'; '.join(told)}.", figure, caption)


def _draw_curve(axis: Axes, name: str, found: Curve, colour: str, dash: str) -> tuple[str, str]:
    """Draw one curve with its band and its losses, and say its median and the limits of that."""
    end = float(found.months.max())
    times = np.concatenate([[0.0], found.times, [end]])

    def steps(values: Floats, first: float = 1.0) -> Floats:
        return np.concatenate([[first], values, values[-1:] if len(values) else [first]])

    line = steps(found.survival)
    median, low, high = found.median
    said = f"{name}, median not reached" if median is None else f"{name}, median {median:.1f} months"
    axis.step(times, line, where="post", color=colour, linestyle=dash, label=said)
    # at S = 0, where everything ends, there are no limits: the band reaches up to there
    kept = found.survival > HALF
    until = np.concatenate([[0.0], found.times[kept], [end]])
    axis.fill_between(
        until,
        steps(found.low[kept]),
        steps(found.high[kept]),
        step="post",
        color=colour,
        alpha=0.15,
        linewidth=0,
    )
    lost = np.unique(found.months[~found.event])
    place = np.searchsorted(found.times, lost, side="right")
    axis.plot(lost, line[place], "|", color=colour, markersize=8, markeredgewidth=1.3)
    limits = " to ".join("not reached" if limit is None else f"{limit:.1f}" for limit in (low, high))
    return said, limits


def _write_at_risk(axis: Axes, curves: list[tuple[str, Curve, str, str]], ticks: Floats) -> None:
    """Write the patients at risk below the axis, a line per curve."""
    written: dict[str, Any] = {
        "textcoords": "offset points",
        "annotation_clip": False,
        "fontsize": 8.5,
        "va": "top",
    }
    axis.annotate("At risk", (0, 0), xycoords="axes fraction", xytext=(-16, -38), ha="right", color=GREY, **written)
    for k, (name, found, colour, _) in enumerate(curves):
        down = -52 - 14 * k
        axis.annotate(name, (0, 0), xycoords="axes fraction", xytext=(-16, down), ha="right", color=colour, **written)
        for month, number in zip(ticks, found.at_risk(ticks), strict=True):
            axis.annotate(
                f"{number}",
                (month, 0),
                xycoords=("data", "axes fraction"),
                xytext=(0, down),
                ha="center",
                **written,
            )
