"""The picture of what is believed at the looks of a trial, and of what is to be expected of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from simtrial.phrases import counted, listed, percent
from simtrial.search.posterior.at_look import SeenSoFar, near_bounds
from simtrial.search.wording import by_looks
from simtrial.show import inks
from simtrial.show.picture import Drawing, Picture, percent_ticks, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search.bayesian.posterior import BetaPrior
    from simtrial.search.posterior.at_look import LookOutcome

MOST_DRAWN = 4
"""Looks that are drawn of a design, the first and the last interim one among them."""

SAID: dict[LookOutcome | None, str] = {
    "futile": "stops for futility",
    "continues": "continues",
    "rejects": "rejects H0",
    "not_rejected": "does not reject H0",
    None: "no look",
}
"""What a design does with a number of responses, in a legend."""

LIKELY = 1e-4
"""Numbers of responses at the last look that are less probable are not drawn."""

COLOURS: dict[LookOutcome | None, tuple[str, str]] = {
    "futile": (inks.ENDS["futile"], "--"),
    "continues": ("#444444", "-"),
    "rejects": (inks.ENDS["effective"], "-."),
    "not_rejected": (inks.ENDS["futile"], "--"),
    None: ("#444444", "-"),
}


def drawn_looks(design: Design) -> list[int]:
    """The places of the interim looks that are drawn: those that can stop the trial, a few of many."""
    able = [k for k, look in enumerate(design.looks[:-1]) if look.r is not None or look.e is not None]
    if len(able) <= MOST_DRAWN:
        return able
    return [able[round(k)] for k in np.linspace(0, len(able) - 1, MOST_DRAWN)]


def at_looks(design: Design, prior: BetaPrior, asked: Requirements) -> Picture:
    """What is believed at the interim looks near their bounds, and the responses to be expected at the last look.

    Parameters
    ----------
    design : Design
        A design with a look that can stop the trial before the last.
    prior : BetaPrior
        Of the response rate.
    asked : Requirements
        p0 and p1.
    """
    places = drawn_looks(design)
    seen = [
        [SeenSoFar(design=design, prior=prior, n=design.looks[k].n, x=x) for x in near_bounds(design, k)]
        for k in places
    ]
    return _picture(seen, (asked.p0, asked.p1))


def at(seen: SeenSoFar, p0: float, p1: float | None = None) -> Picture:
    """The same of one number of responses after any number of patients."""
    return _picture([[seen]], (p0, p1))


def _picture(rows: Sequence[Sequence[SeenSoFar]], rates: tuple[float, float | None]) -> Picture:
    with styled():
        figure = Drawing(figsize=(8.2, 0.7 + 1.9 * len(rows)), layout="constrained")
        axes = figure.subplots(len(rows), 2, squeeze=False, sharex="col")
        for seen, (left, right) in zip(rows, axes, strict=True):
            _posterior(left, seen, rates)
            _predicted(right, seen)
        every = [each for seen in rows for each in seen]
        highest = max(each.posterior.interval(0.999)[1] for each in every)
        axes[-1, 0].set_xlim(0, max(highest, min(1.0, (rates[1] or rates[0]) + 0.05)))
        axes[-1, 0].set_xlabel("Response rate p")
        percent_ticks(axes[-1, 0].xaxis)
        likely = max(int(np.flatnonzero(each.at_end > LIKELY)[-1]) for each in every)
        axes[-1, 1].set_xlim(-0.5, max(likely, every[0].bound + 1) + 0.5)
        axes[-1, 1].set_xlabel(f"Responses X at n = {every[0].last:,}")
    one = rows[0][0]
    prior = f"Beta({one.prior.a:.10g}, {one.prior.b:.10g})"
    sizes = listed([str(seen[0].n) for seen in rows])
    caption = (
        f"What is believed after {sizes} patients in the design {by_looks(one.design)} with the prior {prior}. Left: "
        "the posterior density of the response rate for numbers of responses next to the bounds. Right: the "
        f"probability of each number of responses X at n = {one.last:,} if the trial continues to it; H0 is rejected "
        f"there beyond the line, with more than {counted(one.bound, 'response')}, and the percentages are the "
        "predictive probabilities of that. Exact."
    )
    said = [
        f"After {counted(each.x, 'response')} in {counted(each.n, 'patient')} the mean is "
        f"{percent(each.posterior.mean)} and the predictive probability {percent(each.above_bound)}."
        for seen in rows
        for each in seen
    ]
    alt = (
        f"{counted(len(rows), 'row')} of two panels: posterior densities, and distributions of the responses at the "
        f"last look. {' '.join(said)}"
    )
    return Picture("at_looks", alt, figure, caption)


def _posterior(axis: Axes, seen: Sequence[SeenSoFar], rates: tuple[float, float | None]) -> None:
    p0, p1 = rates
    p = np.linspace(0.0, 1.0, 1002)[1:-1]
    # densities that are infinite at 0 or 1 are cut where the others end
    inner = p[(p > 0.02) & (p < 0.98)]
    for each in seen:
        colour, dash = COLOURS[each.decision]
        axis.plot(p, each.posterior.density(p), color=colour, linestyle=dash, linewidth=_width(seen, each))
    axis.set_ylim(0, 1.12 * max(float(each.posterior.density(inner).max()) for each in seen))
    axis.set_yticks([])
    axis.grid(visible=False)
    if p1 is not None:
        inks.mark_rates(axis, p0, p1)
    else:
        ink = inks.RATES["p0"]
        axis.axvline(p0, color=ink.colour, linewidth=1.2, linestyle=ink.dash)
        axis.annotate(
            "p0", (p0, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points", ha="center",
            color=ink.text, fontsize=9,
        )  # fmt: skip
    axis.set_ylabel(f"n = {seen[0].n:,}", rotation=0, ha="right", va="center")


def _predicted(axis: Axes, seen: Sequence[SeenSoFar]) -> None:
    y = np.arange(seen[0].last + 1)
    for each in seen:
        colour, dash = COLOURS[each.decision]
        likely = np.flatnonzero(each.at_end > LIKELY)
        span = slice(int(likely[0]), int(likely[-1]) + 1)
        decided = "" if each.decision is None else f"\n{SAID[each.decision]}"
        axis.plot(
            y[span], each.at_end[span], color=colour, linestyle=dash, linewidth=0.8 * _width(seen, each), marker="o",
            markersize=2.2, label=f"{each.x} of {each.n}: {percent(each.above_bound)}{decided}",
        )  # fmt: skip
    axis.axvline(seen[0].bound + 0.5, color="#000000", linewidth=1.0)
    axis.set_ylim(0, None)
    axis.set_yticks([])
    axis.grid(visible=False)
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axis.legend(
        title=f"P(X > {seen[0].bound})", loc="upper left", bbox_to_anchor=(1.0, 1.05), borderaxespad=0.2, fontsize=8,
        title_fontsize=8, handlelength=1.8, alignment="left",
    )  # fmt: skip


def _width(seen: Sequence[SeenSoFar], one: SeenSoFar) -> float:
    """Curves of the same meaning are told apart by their width: the smaller count has the thinner line."""
    same = [each for each in seen if each.decision == one.decision]
    return 1.1 if len(same) > 1 and one is same[0] else 1.9
