"""The picture of a boundary: responses against patients, with the regions in which a trial stops or continues."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import Normal, withStroke
from matplotlib.ticker import MaxNLocator

from simtrial.design.second_stages import branched
from simtrial.phrases import counted, listed, stated
from simtrial.search import steps
from simtrial.search.adaptive.figures import second_stage
from simtrial.search.figures import flow
from simtrial.search.wording import MOST_WRITTEN, by_looks
from simtrial.show import inks
from simtrial.show.picture import Picture, canvas, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simtrial.design.designs import Design, Look
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats
    from simtrial.search.bayesian.posterior import BetaPrior

GO_ON, GREY = "Continue", "#dcdcdc"
"""Where a trial continues."""

KINDS: tuple[tuple[steps.Kind, steps.Kind], ...] = (("futile", "effective"), ("not_rejected", "rejected"))
"""How a trial ends with few and with many responses: at an interim analysis, and at the last look."""

NAMED = 8
"""Looks up to which each bound has its number beside it."""


MOST_BOXES = 6
"""Looks up to which a design is drawn as a flow; of more the boundary shows the rule on one screen."""


def rule(design: Design, asked: Requirements) -> Picture:
    """The decision rule as a picture: as a flow, or as its boundary where there are many looks."""
    few = len(design.looks) <= MOST_BOXES or branched(design.looks) is not None
    return flow(design, asked) if few else boundary(design)


LEVELS = (0.1, 0.5, 0.9)
"""Posterior probabilities of p > p0 along which lines are drawn."""

LINE = "#222222"
HALO = [withStroke(linewidth=2.4, foreground="white")]
"""What keeps lines and letters apart from what lies below them."""


def boundary(design: Design, prior: BetaPrior | None = None, p0: float | None = None) -> Picture:
    """Responses against patients: at each look, the numbers of responses at which the trial stops or continues.

    Parameters
    ----------
    design : Design
        Any design with looks.
    prior : BetaPrior, optional
        With it, and with `p0`, lines along which the posterior probability of a rate above p0 is the same.
    p0 : float, optional
        The rate under H0.
    """
    looks = design.looks
    if branched(looks) is not None:
        return second_stage(design)
    figure, (axis,) = canvas(1, 7.6, 4.4)
    top = highest(looks)
    wide = min(0.9, 0.9 * min(np.diff([0, *(look.n for look in looks)]).tolist())) if len(looks) > NAMED else None
    bar = wide or max(0.9, looks[-1].n / 40)
    used: dict[str, str] = {}
    with styled():
        for k, look in enumerate(looks):
            for low, high, colour, said in parts(look, min(look.n, top), final=k == len(looks) - 1):
                axis.bar(look.n, high - low + 1, bar, bottom=low - 0.5, color=colour, edgecolor="white", linewidth=0.4)
                used.setdefault(said, colour)
        _between(axis, looks)
        if len(looks) <= NAMED:
            _numbers(axis, looks, bar)
        axis.set_xlim(0, looks[-1].n + (0.09 if len(looks) <= NAMED else 0.03) * looks[-1].n + bar / 2)
        axis.set_ylim(-0.5, top + 0.5)
        axis.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axis.yaxis.set_major_locator(MaxNLocator(8, integer=True))
        contours = [] if prior is None or p0 is None else _contours(axis, looks, prior, p0)
        axis.set_xlabel("Patients analysed")
        axis.set_ylabel("Responses, X")
        order = [_said("futile"), GO_ON, _said("effective")]
        handles = [Patch(color=used[said], label=said) for said in sorted(used, key=[*order, *used].index)]
        figure.legend(handles=[*handles, *contours], loc="outside lower center", ncols=2, fontsize=9)
    caption, alt = _caption(design, top), in_words(design)
    if prior is not None and p0 is not None:
        levels = listed([f"{level:g}" for level in LEVELS])
        caption += (
            f" Along a thin line the posterior probability that the response rate p exceeds p0 = {stated(p0)} is the "
            f"same, {levels}; the prior is Beta({prior.a:.10g}, {prior.b:.10g})."
        )
        alt += f" Lines show where the posterior probability of p > p0 is {levels}."
    return Picture("boundary", alt, figure, caption)


def highest(looks: tuple[Look, ...]) -> int:
    """The largest number of responses that is drawn: a little above the highest bound."""
    bound = max([(looks[-1].r or 0) + 1, *(look.e for look in looks if look.e is not None)])
    return min(looks[-1].n, bound + max(2, round(0.3 * bound)))


def parts(look: Look, most: int, *, final: bool) -> list[tuple[int, int, str, str]]:
    """From where to where a bar has which colour, and what it means, from below."""
    counts = np.arange(most + 1)
    here = look.regions(counts, final=final)
    low, high = KINDS[final]
    found = []
    for region, colour, said in (
        (here.accept, inks.ENDS[low], _said(low)),
        (here.go_on, GREY, GO_ON),
        (here.reject, inks.ENDS[high], _said(high)),
    ):
        inside = counts[region]
        if inside.size:
            found.append((int(inside[0]), int(inside[-1]), colour, said))
    return found


def _said(kind: steps.Kind) -> str:
    name, meaning = steps.ENDINGS[kind]
    return f"{'Last look: ' if kind in ('not_rejected', 'rejected') else ''}{name}, {meaning}"


def _between(axis: Axes, looks: tuple[Look, ...]) -> None:
    """A line to each bound from the look before: what the patients in between are enrolled for."""
    r = [np.nan if look.r is None else look.r + 0.5 for look in looks]
    e = [np.nan if look.e is None else look.e - 0.5 for look in looks[:-1]]
    e.append((looks[-1].r or 0) + 0.5)
    n = [look.n for look in looks]
    for bounds, colour in ((r, inks.ENDS["futile"]), (e, inks.ENDS["effective"])):
        axis.step(n, bounds, where="pre", color=colour, linewidth=1.2, linestyle="--", zorder=0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class PosteriorLine:
    """A line along which the posterior probability of p > p0 is the same.

    Attributes
    ----------
    level : float
        The probability.
    n, x : ndarray
        Patients and responses, not rounded.
    at : tuple of float
        Where the number stands.
    """

    level: float
    n: Floats
    x: Floats
    at: tuple[float, float]


def posterior_lines(looks: tuple[Look, ...], prior: BetaPrior, p0: float) -> list[PosteriorLine]:
    """The lines of `LEVELS`, as far as they are drawn, each with the place of its number: where there is no bar."""
    last, top = looks[-1].n, highest(looks)
    n = np.linspace(0.0, last, 201)
    free = [(b.n - a.n, a.n + 0.6 * (b.n - a.n)) for a, b in pairwise(looks)]
    at = 0.6 * last if len(looks) > NAMED or not free else max(free)[1]
    found = []
    for level in LEVELS:
        x = prior.count_at(p0, level, n)
        drawn = x <= top + 0.5  # also false of what is no number
        if drawn.any():
            place = (at, float(prior.count_at(p0, level, at)))
            found.append(PosteriorLine(level=level, n=n[drawn], x=x[drawn], at=place))
    return found


def lines_said(p0: float) -> str:
    """What the lines are, in a legend."""
    return f"Posterior P(p > p0), p0 = {stated(p0)}"


def _contours(axis: Axes, looks: tuple[Look, ...], prior: BetaPrior, p0: float) -> list[Line2D]:
    """Draw the lines of the posterior, each with its number; what they are, for the legend."""
    top = highest(looks)
    for line in posterior_lines(looks, prior, p0):
        axis.plot(line.n, line.x, color=LINE, linewidth=0.9, path_effects=[*HALO, Normal()], zorder=2.5)
        if line.at[1] <= top:
            axis.annotate(
                f"{line.level:g}", line.at, ha="center", va="center", fontsize=8.5, color=LINE, zorder=3,
                bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"},
            )  # fmt: skip
    return [Line2D([], [], color=LINE, linewidth=0.9, label=lines_said(p0))]


def _numbers(axis: Axes, looks: tuple[Look, ...], bar: float) -> None:
    """The bounds in numbers beside the bars: left of one that the next look is too near to."""
    near = 0.08 * looks[-1].n
    gaps = [b.n - a.n for a, b in pairwise(looks)]
    for k, look in enumerate(looks):
        left = k < len(gaps) and gaps[k] < near and (k == 0 or gaps[k - 1] >= near)
        final = k == len(looks) - 1
        e = (look.r or 0) + 1 if final else look.e
        lower = None if look.r is None else (look.r + 0.45, f"≤ {look.r:,}", "top")
        upper = None if e is None else (e - 0.45, f"≥ {e:,}", "bottom")
        for kind, bound in zip(KINDS[final], (lower, upper), strict=True):
            if bound is not None:
                at, said, side = bound
                axis.annotate(
                    said, (look.n + (-bar if left else bar) / 2, at), xytext=(-3 if left else 3, 0),
                    textcoords="offset points", va=side, ha="right" if left else "left", fontsize=9, zorder=4,
                    color=inks.Ink(inks.ENDS[kind], "-", "o").text, path_effects=HALO,
                )  # fmt: skip


def _caption(design: Design, top: int) -> str:
    caption = (
        f"Boundary of the design {by_looks(design)}: for each look, the numbers of responses X among all patients "
        "analysed so far at which the trial stops or continues. Dashed lines lead to the bounds of the next look."
    )
    if top < design.looks[-1].n:
        caption += f" More than {counted(top, 'response')} are not drawn; they lead to what {top:,} lead to."
    return caption


def in_words(design: Design) -> str:
    """The boundary in words, for a text alternative."""
    looks = design.looks
    if len(looks) <= MOST_WRITTEN:
        return f"Responses against patients for {by_looks(design)}. {steps.told(design)}"
    sizes = f"from n = {looks[0].n:,} to n = {looks[-1].n:,}"
    said = [f"Responses against patients, {counted(len(looks), 'look')} {sizes}."]
    lower = [(look.n, look.r) for look in looks[:-1] if look.r is not None]
    upper = [(look.n, look.e) for look in looks[:-1] if look.e is not None]
    for bounds, name in ((lower, "futility"), (upper, "efficacy")):
        if bounds:
            (n1, first), (n2, last) = bounds[0], bounds[-1]
            rises = f"from {counted(first, 'response')} at n = {n1:,} to {last:,} at n = {n2:,}"
            said.append(f"The bound for {name} rises {rises}.")
    said.append(
        f"At the last look H0 is rejected if more than {looks[-1].r:,} of {counted(looks[-1].n, 'patient')} respond."
    )
    return " ".join(said)
