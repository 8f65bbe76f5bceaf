"""The rule for toxicity in pictures: its boundary with what it does, and how the trial ends with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from simtrial.design.designs import looks_short
from simtrial.phrases import counted, percent, stated, together
from simtrial.show import inks
from simtrial.show.picture import Picture, canvas, percent_ticks, styled
from simtrial.toxicity import text
from simtrial.toxicity.boundary import crossing
from simtrial.toxicity.joint import endings as joint_endings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from simtrial.design.designs import Design
    from simtrial.toxicity.boundary import ToxicityBoundary
    from simtrial.toxicity.rule import ToxicityRule

RATES = {"acceptable": inks.RATES["p1"], "unacceptable": inks.Ink(inks.TOXICITY, ":", "o")}
"""The two rates of toxicity."""

POINTS, FEWER = 61, 31
"""Rates at which curves are computed: of a boundary alone, and of a whole trial, which takes longer."""

NAMED = 16
"""Numbers up to which each stands beside its step."""

LAYERS = {
    "futility": ("futile", "Stopped for futility"),
    "failure": ("not_rejected", "Completed, H0 not rejected"),
    "toxicity": ("", "Stopped for toxicity"),
    "efficacy": ("effective", "Stopped for efficacy"),
    "success": ("rejected", "Completed, H0 rejected"),
}
"""Endings from the bottom up: the colour by which they are registered, and the name."""


def boundary(of: ToxicityBoundary, acceptable: float, unacceptable: float | None = None) -> Picture:
    """Toxicities against patients with the counts that stop, and the probability of crossing over the true rate.

    Parameters
    ----------
    of : ToxicityBoundary
        The counts.
    acceptable, unacceptable : float
        Rates that are marked.
    """
    figure, axes = canvas(2, 10.4, 4.2)
    rates = {"acceptable": acceptable} | ({} if unacceptable is None else {"unacceptable": unacceptable})
    with styled():
        _steps(axes[0], of)
        _crossing(axes[1], of, rates)
    at = crossing(of, list(rates.values()))
    crossed = [
        f"{percent(float(ever))} at the {name} rate of {stated(rate)}"
        for (name, rate), ever in zip(rates.items(), at.ever, strict=True)
    ]
    alt = f"{text.stops(of)} The boundary is crossed with probability {' and '.join(crossed)}."
    caption = (
        f"The boundary for toxicity over {counted(len(of.looks), 'look')}. Left: the numbers of patients with a "
        "toxicity that stop accrual, against the number of patients counted in the order of enrollment. Right: the "
        "exact probability of crossing the boundary over the true rate of toxicity, if nothing else stops the trial."
    )
    return Picture("toxicity_boundary", alt, figure, caption)


def _steps(axis: Axes, of: ToxicityBoundary) -> None:
    """The numbers that stop: a staircase where every patient is a look, else a bar per look."""
    looks = [(look.n, look.b) for look in of.looks if look.b is not None]
    top = max([b for _, b in looks], default=1)
    top += max(2, round(0.25 * top))
    every = [look.n for look in of.looks] == list(range(of.looks[0].n, of.n + 1))
    wide = 1.0 if every else max(0.8, of.n / 40)
    for n, b in looks:
        axis.bar(n, min(n, top) + 1 - b, wide, bottom=b - 0.5, color=inks.TOXICITY, alpha=0.28, linewidth=0)
        axis.plot([n - wide / 2, n + wide / 2], [b - 0.5] * 2, color=inks.TOXICITY, linewidth=2)
    found = together(looks)
    for b, at in found if len(found) <= NAMED else found[:: len(found) // NAMED + 1]:
        x, shift, ha = ((at[0] + at[-1]) / 2, (0, -3), "center") if every else (at[-1] + wide / 2, (3, 8), "left")
        axis.annotate(
            f"≥ {b}", (x, b - 0.5), xytext=shift, textcoords="offset points", ha=ha, va="top", fontsize=8.5,
            color=inks.Ink(inks.TOXICITY, "-", "o").text,
        )  # fmt: skip
    axis.set_xlim(0, of.n + (1 if every else 0.08 * of.n + 1))
    axis.set_ylim(-0.5, top + 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axis.yaxis.set_major_locator(MaxNLocator(8, integer=True))
    axis.set_xlabel("Patients counted")
    axis.set_ylabel("Patients with a toxicity")
    axis.set_title("Shaded: accrual stops", fontsize=10)


def _crossing(axis: Axes, of: ToxicityBoundary, rates: Mapping[str, float]) -> None:
    """The probability of crossing over the rate, the marked rates with their values."""
    theta = np.linspace(0, min(1.0, 1.6 * max(rates.values())), POINTS)
    axis.plot(theta, crossing(of, theta.tolist()).ever, color=inks.TOXICITY)
    for (name, rate), ever in zip(rates.items(), crossing(of, list(rates.values())).ever.tolist(), strict=True):
        shown = RATES[name]
        axis.vlines(rate, 0, ever, color=shown.colour, linestyle=shown.dash, linewidth=1.2)
        axis.plot(
            rate, ever, shown.marker, color=shown.colour, markersize=6, label=f"{name} {stated(rate)}: {percent(ever)}"
        )
    axis.legend(loc="best", fontsize=9)
    axis.set_xlim(0, theta[-1])
    axis.set_ylim(0, 1)
    percent_ticks(axis.xaxis)
    axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.set_xlabel("True rate of toxicity")
    axis.set_ylabel("P(boundary crossed)")


def endings(design: Design, rule: ToxicityRule, p: Mapping[str, float], odds_ratio: float = 1.0) -> Picture:
    """How the trial ends with both rules, over the rate of toxicity: one stacked panel per true response rate.

    Parameters
    ----------
    design : Design
        The response design.
    rule : ToxicityRule
        The rule for toxicity.
    p : mapping of str to float
        True response rates by name, such as p0 and p1.
    odds_ratio : float
        Of response and toxicity.
    """
    theta = np.linspace(0, min(1.0, 1.5 * rule.unacceptable), FEWER)
    figure, axes = canvas(len(p), 5.2 * len(p), 4.2, share_y=True)
    said: list[str] = []
    seen: set[str] = set()
    with styled():
        for axis, (name, rate) in zip(axes, p.items(), strict=True):
            found = [
                joint_endings(design, rule.boundary, p=rate, toxicity=value, odds_ratio=odds_ratio)
                for value in theta.tolist()
            ]
            shares = {key: np.array([one.shares[key] for one in found]) for key in LAYERS}
            layers = {key: share for key, share in shares.items() if share.any()}
            axis.stackplot(
                theta, *layers.values(), colors=[_colour(key) for key in layers], edgecolor="white", linewidth=1.2
            )
            axis.set_xlim(0, theta[-1])
            axis.set_ylim(0, 1)
            percent_ticks(axis.xaxis)
            axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            axis.set_xlabel("True rate of toxicity")
            axis.set_title(f"At {name} = {stated(rate)}", fontsize=10, pad=16)
            inks.mark_pair(axis, (rule.acceptable, rule.unacceptable), RATES)
            seen |= set(layers)
            said.append(f"at {name} {percent(float(np.interp(rule.acceptable, theta, shares['toxicity'])))}")
        axes[0].set_ylabel("Probability")
        handles = [Patch(color=_colour(key), label=name) for key, (_, name) in LAYERS.items() if key in seen]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9)
    alt = (
        f"How {looks_short(design)} with the rule for toxicity ends. Stopped for toxicity at the acceptable rate: "
        f"{' and '.join(said)}."
    )
    caption = (
        f"How a trial of {looks_short(design)} with the rule for toxicity ends, over the true rate of toxicity: exact "
        "probabilities, stacked from below in the order of the names, every patient being evaluable; response and "
        f"toxicity: {text.odds(odds_ratio)}. Marked: the acceptable rate ({stated(rule.acceptable)}) and the "
        f"unacceptable rate ({stated(rule.unacceptable)})."
    )
    return Picture("toxicity_endings", alt, figure, caption)


def _colour(key: str) -> str:
    kind = LAYERS[key][0]
    return inks.shade(inks.ENDS[kind] if kind else inks.TOXICITY, 0.2)
