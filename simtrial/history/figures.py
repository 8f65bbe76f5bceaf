"""Figures of the earlier results beside p0 and p1, and of the type I error where p0 is not the true rate."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from simtrial.design.designs import looks_text
from simtrial.history import origin
from simtrial.phrases import agreeing, counted, percent, percent_beside, stated
from simtrial.show import inks
from simtrial.show.passage import Passage
from simtrial.show.picture import BLACK, BLUE, ORANGE, RED, SKY, Drawing, Picture, canvas, percent_ticks, styled
from simtrial.toxicity.text import ASIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from simtrial.history.origin import Origin, PooledHistory
    from simtrial.history.studies import EarlierStudy
    from simtrial.numbers import Floats
    from simtrial.trial.case import Case

MOST_STUDIES = 30
"""Studies that a figure has room for; of more, the largest are drawn."""

WIDE = 44
"""Letters of a name in one line."""

GROUPS = (
    ("p0", "Evidence of p0", BLUE),
    ("p1", "Evidence of p1", inks.RATES["p1"].colour),
    ("other", "Neither", "#888888"),
)
"""What the studies are evidence of, in the order in which they are drawn."""

CURVE = 400
"""Points of a curve."""

SMOOTHED = 0.01
"""Largest distance over which a density is averaged, in rates: it is not to be seen."""


def forest(case: Case) -> Picture | Passage:
    """Every earlier result with its interval, the pooled rate, and where the true rate of a new study would lie."""
    found = origin.of(case)
    drawn = _drawn([one for one in found.studies if one.rate is not None])
    if not drawn:
        return Passage("earlier_studies", ("The parameter file gives no earlier results with a response rate.",))
    groups = [(name, colour, [one for one in drawn if one.about == key]) for key, name, colour in GROUPS]
    rows = sum(1 + len(part) for _, _, part in groups if part) + (4 if found.history else 0)
    figure, (axis,) = canvas(1, 8.2, 1.1 + 0.27 * rows)
    names: list[tuple[float, str, bool]] = []
    with styled():
        inks.mark_rates(axis, found.asked.p0, found.asked.p1)  # first, so that intervals lie above the lines
        at = 0
        for name, colour, part in groups:
            if part:
                names.append((at, name, True))
                at += 1
            for one in sorted(part, key=lambda one: one.rate or 0.0):
                _study(axis, at, one, colour)
                names.append((at, _named(one), False))
                at += 1
        if found.history is not None:
            names.append((at, "True rate of the treatments that p0 stands for", True))
            names += _summary(axis, at + 1, found.history)
            at += 4
        _framed(axis, names, at, found)
    return Picture("earlier_studies", _seen(found), figure, _forest_caption(found, drawn))


def _drawn(known: Sequence[EarlierStudy]) -> list[EarlierStudy]:
    """The studies that there is room for, in their order."""
    largest = sorted(known, key=lambda one: -one.n)[:MOST_STUDIES]
    least = largest[-1].n if largest else 0
    return [one for one in known if one.n >= least][:MOST_STUDIES]


def _named(one: EarlierStudy) -> str:
    short = textwrap.shorten(one.treatment, WIDE, placeholder=" ...")
    size = f"{one.responders}/{one.n}" if one.responders is not None else f"n = {one.n}"
    return f"{short}, {size}"


def _study(axis: Axes, at: int, one: EarlierStudy, colour: str) -> None:
    if one.interval is not None:
        axis.plot(one.interval, (at, at), color=colour, linewidth=1.6)
    size = 4 + 5 * np.sqrt(min(one.n, 300) / 300)
    axis.plot(
        [one.rate or 0.0], [at], "s", color=colour, markersize=size, markerfacecolor=colour if one.interval else "white"
    )


def _summary(axis: Axes, at: int, known: PooledHistory) -> list[tuple[float, str, bool]]:
    """The pooled rate and the prediction intervals, below each other."""
    low, high = known.interval
    axis.fill([low, known.counts.pooled, high, known.counts.pooled], [at, at - 0.3, at, at + 0.3], color=BLACK)
    x, n = known.counts.total
    names: list[tuple[float, str, bool]] = [(at, f"Pooled, as if all had one rate, {x}/{n}", False)]
    for down, by, mean, colour, name in (
        (1, known.by_ml, known.ml.mean, ORANGE, "New study, by maximum likelihood"),
        (2, known.by_bayes, known.bayes.mean, RED, "New study, by the stated prior"),
    ):
        names.append((at + down, name, False))
        if down == 1 and known.ml.shapes is None:
            axis.plot([mean], [at + down], "o", color=colour, markersize=6)
            continue
        axis.plot(by.interval, (at + down, at + down), color=colour, linewidth=2.6)
        axis.plot([mean], [at + down], "o", color=colour, markersize=6)
    return names


def _framed(axis: Axes, names: Sequence[tuple[float, str, bool]], rows: int, found: Origin) -> None:
    """Limits, names and the marks of p0 and p1."""
    axis.set_ylim(rows - 0.4, -0.7)
    axis.set_yticks([at for at, _, _ in names], [name for _, name, _ in names])
    for label, (_, _, head) in zip(axis.get_yticklabels(), names, strict=True):
        label.set_fontweight("bold" if head else "normal")
        label.set_fontsize(9)
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False, axis="y")
    axis.set_xlim(0, min(max(axis.get_xlim()[1], found.asked.p1 * 1.1), 1))
    percent_ticks(axis.xaxis)
    axis.set_xlabel("Response rate")


def _forest_caption(found: Origin, drawn: Sequence[EarlierStudy]) -> str:
    known = found.history
    left = len(found.studies) - len(drawn)
    parts = [
        "Earlier results: response rate with exact (Clopper-Pearson) 95% interval; open squares: the number of "
        "responders is not known, so that the result has no interval and is not pooled.",
    ]
    if left:
        parts.append(
            f"{counted(left, 'result')} without a rate or of fewer patients {agreeing(left, 'is', 'are')} not drawn."
        )
    if known is not None:
        parts.append(
            "Diamond: the results that are evidence of p0 pooled, with exact 95% interval as if they had one true "
            "rate. Thick lines: 95% prediction intervals of the true rate in a new study from the random-effects "
            "Beta-binomial model, with the mean of the true rates."
        )
        if known.ml.shapes is None:
            parts.append("The maximum-likelihood estimates give no such interval.")
    parts.append(f"Vertical lines: p0 = {found.asked.p0:g} and p1 = {found.asked.p1:g}.")
    return " ".join(parts)


def _seen(found: Origin) -> str:
    asked, known = found.asked, found.history
    rates = [one.rate for one in found.studies if one.rate is not None]
    said = (
        f"{counted(len(rates), 'earlier response rate')} from {percent(min(rates))} to {percent(max(rates))}, beside "
        f"p0 = {stated(asked.p0)} and p1 = {stated(asked.p1)}."
    )
    if known is not None:
        low, high = known.by_bayes.interval
        said += (
            f" The pooled rate of the results that are evidence of p0 is {percent(known.counts.pooled)}; the true rate "
            f"of a new study lies between {percent(low)} and {percent(high)} with probability 95%."
        )
    return said


def wrong_history(case: Case) -> Picture:
    """P(reject H0) against the true rate of the treatments that p0 stands for, over the density of that rate."""
    found = origin.of(case)
    known = found.history
    most = float(found.curve[-1])
    p = np.linspace(0, most, CURVE + 1)
    with styled():
        figure = Drawing(figsize=(7.6, 5.4 if known else 4.0), layout="constrained")
        rows = [2.2, 1.0] if known else [1.0]
        axes = list(figure.subplots(len(rows), 1, sharex=True, height_ratios=rows, squeeze=False)[:, 0])
        inks.mark_rates(axes[0], found.asked.p0, found.asked.p1)
        _errors(axes[0], found, p)
        if known is not None:
            for name, rate in (("p0", found.asked.p0), ("p1", found.asked.p1)):
                axes[1].axvline(rate, color=inks.RATES[name].colour, linewidth=1.2, linestyle=inks.RATES[name].dash)
            _densities(axes[1], known, p)
        axes[-1].set_xlim(0, most)
        percent_ticks(axes[-1].xaxis)
        axes[-1].set_xlabel("True response rate of the treatments that p0 stands for")
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    caption = _error_caption(found)
    if case.trial.design.toxicity is not None:
        caption += f" {ASIDE}."
    return Picture("wrong_history_curve", _error_seen(found), figure, caption)


def _errors(axis: Axes, found: Origin, p: Floats) -> None:
    asked, largest = found.asked, found.largest
    axis.plot(p, found.at(p), color=BLUE, label="P(reject H0), on paper")
    run = found.at_run(p)
    if run is not None and found.share != 1:
        axis.plot(p, run, color=SKY, linestyle="--", label="P(reject H0), as run, with the assumed dropout")
    axis.axhline(asked.alpha, color=RED, linewidth=1.2, linestyle=":", label=f"alpha = {asked.alpha:g}")
    axis.plot(
        [largest],
        [asked.alpha],
        "o",
        color=RED,
        markersize=6,
        label=f"alpha is kept up to {percent_beside(largest, asked.p0)}",
    )
    axis.set_ylim(0, 1.02)
    percent_ticks(axis.yaxis)
    axis.set_ylabel("P(reject H0)")


def _densities(axis: Axes, known: PooledHistory, p: Floats) -> None:
    """The density of the true rate, without the spike that it may have at 0 or 1."""
    curves = [(_smooth(known, p), RED, "-", "true rate, by the stated prior")]
    if known.ml.shapes is not None:
        curves.append((known.ml.law.density(p[1:-1]), ORANGE, "--", "true rate, by maximum likelihood"))
    axis.fill_between(p[1:-1], curves[0][0], color=RED, alpha=0.18, linewidth=0)
    for density, colour, dash, name in curves:
        axis.plot(p[1:-1], density, color=colour, linestyle=dash, label=name)
    axis.set_ylim(0, 1.15 * max(float(np.quantile(density, 0.99)) for density, *_ in curves))
    axis.set_yticks([])
    axis.set_ylabel("Density")


def _smooth(known: PooledHistory, p: Floats) -> Floats:
    """The density by the stated prior at the inner rates, as a mean over `SMOOTHED` around each.

    A rule for an integral is a finite sum of densities, the narrowest of which would be seen one by one.
    """
    law, step = known.bayes.law, float(p[1] - p[0])
    reach = max(1, round(min(SMOOTHED, law.sd / 4) / step))
    at = np.arange(p.size)
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach, p.size - 1)
    below = law.cdf(p)
    density: Floats = (below[high] - below[low]) / (p[high] - p[low])
    return density[1:-1]


def _error_caption(found: Origin) -> str:
    known = found.history
    said = (
        f"Exact probability that {looks_text(found.design, ', ')} rejects H0 for a treatment that is no better than "
        f"those p0 = {found.asked.p0:g} stands for, by their true response rate: the type I error if that rate is not "
        "p0."
    )
    if known is None:
        return said
    x, n = known.counts.total
    return (
        f"{said} Below: density of that true rate in the random-effects Beta-binomial model, from "
        f"{counted(x, 'responder')} in {counted(n, 'patient')} of {counted(len(known.counts.n), 'study', 'studies')}."
    )


def _error_seen(found: Origin) -> str:
    asked = found.asked
    said = (
        f"The probability of rejecting H0 rises from {percent(float(found.at(asked.p0)))} at p0 = {stated(asked.p0)} "
        f"to {percent(float(found.at(asked.p1)))} at p1 = {stated(asked.p1)}; it passes alpha = {stated(asked.alpha)} "
        f"at {percent_beside(found.largest, asked.p0)}."
    )
    if found.history is not None:
        said += f" The true rate exceeds p0 with probability {percent(found.history.by_bayes.below)}."
    return said
