"""Figures of designs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.phrases import percent, stated
from simtrial.search import simon, steps
from simtrial.search.calendar import CALENDAR
from simtrial.search.candidate import attained
from simtrial.search.criteria import CRITERIA, named
from simtrial.search.simon import MINIMAX, OPTIMAL
from simtrial.search.single import FAMILY as ONE_STAGE
from simtrial.search.single import FIRST, SUSTAINED, saw_tooth
from simtrial.show import inks
from simtrial.show.flow import Box, Branch, Stage, draw
from simtrial.show.picture import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    SKY,
    STYLE,
    Picture,
    canvas,
    few_ticks,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.search import SingleStageSearch, TwoStageSearch
    from simtrial.show.inks import Ink


def ink(*names: str) -> Ink:
    """How a design is drawn in every figure, by the keys of its criteria or by what it is called.

    Parameters
    ----------
    *names : str
        Keys such as ``minimax``, names such as "Simon minimax", ``admissible`` or ``chosen``, the last for a design
        that has no other name.
    """
    register = {key: criterion.name for key, criterion in (*CRITERIA.items(), *CALENDAR.items())}
    keys = {name: key for key, name in register.items()}
    return inks.ink([keys.get(name, name) for name in names], list(register))


def rates_shown(requirements: Requirements) -> tuple[float, float]:
    """The stretch of response rates worth showing: both hypotheses and what lies around them."""
    gap = requirements.p1 - requirements.p0
    return max(0.0, requirements.p0 - 1.5 * gap), min(1.0, requirements.p1 + 1.5 * gap)


def candidates(single: SingleStageSearch, two: TwoStageSearch, chosen: Design) -> Picture:
    """EN(p0) against n: the best two-stage design of each n, the admissible hull, and the single stage."""
    figure, (axis,) = canvas(1, 7.2, 4.2)
    p0 = two.requirements.p0
    with mpl.rc_context(STYLE):
        off_hull = [c for c in two.frontier if not c.kinds]
        if off_hull:
            label = "lowest EN(p0) so far, by n"
            axis.plot([c.n for c in off_hull], [c.en_p0 for c in off_hull], "o", color=SKY, markersize=5, label=label)
        hull = two.admissible
        axis.plot([c.n for c in hull], [c.en_p0 for c in hull], "o-", color=BLUE, markersize=7, label="admissible")
        axis.plot(
            [single.first.n, single.sustained.n],
            [single.first.n, single.sustained.n],
            "s",
            color=ORANGE,
            markersize=7,
            label=ONE_STAGE.together,
        )
        en = attained(chosen, two.requirements).en_p0
        axis.plot(
            chosen.looks[-1].n,
            en,
            "o",
            markersize=15,
            markerfacecolor="none",
            color=RED,
            markeredgewidth=2,
            label="chosen",
        )
        many = len(hull) > 6
        for k, c in enumerate(hull):
            if many and 0 < k < len(hull) - 1:
                continue
            axis.annotate(
                f"{looks_text(c, ', ')}\n{named(c.kinds)}",
                (c.n, c.en_p0),
                xytext=(0, -12),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=8,
            )
        axis.margins(x=0.14, y=0.22)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlabel("Maximum number of patients, n")
        axis.set_ylabel(f"Expected number at p0 = {p0:g}, EN(p0)")
        axis.legend(loc="best", fontsize=9)
    alt = (
        "Expected against maximum number of patients. "
        f"{MINIMAX.name} {looks_text(two.minimax)} expects {two.minimax.en_p0:.1f} of {two.minimax.n}; "
        f"{OPTIMAL.name} {looks_text(two.optimal)} expects {two.optimal.en_p0:.1f} of {two.optimal.n}."
    )
    return Picture("candidates", alt, figure)


def drawn_apart(designs: Sequence[tuple[str, Design]]) -> list[tuple[str, Design, str, str]]:
    """Give labelled designs their lines, (label, design, colour, dash); a design given several times gets one.

    The lines are those of the register; a label that is not in it takes one that is still free.
    """
    named: dict[str, tuple[list[str], Design]] = {}
    for label, design in designs:
        named.setdefault(looks_text(design, ", "), ([], design))[0].append(label)
    drawn: list[tuple[str, Design, str, str]] = []
    free = list(inks.SPARE)
    for looks, (labels, design) in named.items():
        shown = ink(*labels)
        if shown.colour in {colour for _, _, colour, _ in drawn}:
            shown = free.pop(0)
        drawn.append((f"{', '.join(labels)}: {looks}", design, shown.colour, shown.dash))
    return drawn


def compared(chosen: Design, two: TwoStageSearch | None, single: SingleStageSearch) -> list[tuple[str, Design]]:
    """The chosen design and those it is compared with, each with its name. Without `two`, the single stage alone."""
    others = [(criterion.name, criterion.pick(two)) for criterion in simon.FAMILY.criteria] if two is not None else []
    return [("chosen", chosen), *others, (FIRST.name, single.first)]


def characteristics(designs: Sequence[tuple[str, Design]], requirements: Requirements) -> Picture:
    """P(reject), PET and EN over the true response rate, for up to four labelled designs.

    A design given under several labels is drawn once.
    """
    figure, axes = canvas(3, 11.0, 3.8)
    p = np.linspace(*rates_shown(requirements), 401)
    with mpl.rc_context(STYLE):
        for label, design, colour, dash in drawn_apart(designs):
            oc = operating_characteristics(design, p)
            for axis, values in zip(axes, (oc.reject, oc.pet, oc.en), strict=True):
                axis.plot(p, values, color=colour, linestyle=dash, label=label)
        titles = ("P(reject H0; p)", "PET(p)", "EN(p), patients")
        for axis, title in zip(axes, titles, strict=True):
            axis.set_title(title, pad=16, fontsize=10)
            axis.set_xlabel("True response rate p")
            axis.set_xlim(p[0], p[-1])
            axis.xaxis.set_major_formatter(PercentFormatter(1.0))
            few_ticks(axis.xaxis)
            few_ticks(axis.yaxis)
            inks.mark_rates(axis, requirements.p0, requirements.p1)
        axes[0].axhline(requirements.alpha, color="#888888", linewidth=0.9)
        axes[0].axhline(requirements.power, color="#888888", linewidth=0.9)
        axes[0].set_ylim(0, 1.02)
        axes[1].set_ylim(0, 1.02)
        axes[2].set_ylim(bottom=0)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))
    oc = operating_characteristics(designs[0][1], [requirements.p0, requirements.p1])
    alt = (
        f"Operating characteristics over the true response rate. {looks_text(designs[0][1])} rejects with probability "
        f"{oc.reject[0]:.4f} at p0 and {oc.reject[1]:.4f} at p1; it expects {oc.en[0]:.1f} and {oc.en[1]:.1f} patients."
    )
    return Picture("operating_characteristics", alt, figure)


def flow(design: Design, asked: Requirements | None = None) -> Picture:
    """The design as a flow: patients, what each number of responses leads to, and how the trial ends.

    Parameters
    ----------
    design : Design
        Any design with looks.
    asked : Requirements, optional
        With them the exact probability of each ending at p0 and at p1 stands in its box.
    """
    rates = {} if asked is None else {"p0": asked.p0, "p1": asked.p1}
    at = operating_characteristics(design, list(rates.values())) if rates else None
    stages, found = [], steps.steps(design)

    def branch(leaf: steps.Leaf | None, k: int) -> Branch | None:
        if leaf is None:
            return None
        notes: list[tuple[str, str]] = []
        if at is not None:
            share = (at.accept_by_look if leaf.kind in ("futile", "not_rejected") else at.reject_by_look)[:, k]
            notes = [
                (f"at {name} = {stated(rate)}: {percent(float(value))}", inks.RATES[name].text)
                for (name, rate), value in zip(rates.items(), share, strict=True)
            ]
        return Branch(leaf.condition, Box(steps.ENDINGS[leaf.kind], inks.ENDS[leaf.kind], tuple(notes)))

    for k, step in enumerate(found):
        last = k == len(found) - 1
        high = branch(step.high, k)
        stages.append(
            Stage(
                box=Box(step.lines),
                low=branch(step.low, k),
                high=None if last else high,
                onward=step.onward,
                end=high if last else None,
            )
        )
    caption = (
        f"Flow of the design {looks_text(design, ', ')}: how many patients are analysed at each look, and what the "
    )
    caption += "number of responses among all patients so far leads to. H0: the true response rate is at most p0."
    alt = f"The design {looks_text(design, ', ')} as a flow. {steps.told(design)}"
    if at is not None and asked is not None:
        caption += (
            " In each box where the trial ends: the exact probability of this ending if the true response rate is "
            f"p0 = {stated(asked.p0)} and if it is p1 = {stated(asked.p1)}, every patient being evaluable."
        )
        alt += f" H0 is rejected with probability {percent(at.reject[0])} at p0 and {percent(at.reject[1])} at p1."
    return Picture("flow", alt, draw(stages), caption)


def endings(design: Design, requirements: Requirements) -> Picture:
    """How the trial ends, and with how many patients, over the true response rate: a stacked picture of N."""
    figure, (axis,) = canvas(1, 7.2, 4.2)
    p = np.linspace(*rates_shown(requirements), 321)
    oc = operating_characteristics(design, p)
    last = len(design.looks) - 1
    layers, labels, colours = [], [], []
    for k, look in enumerate(design.looks):
        if look.r is not None:
            layers.append(oc.accept_by_look[:, k])
            labels.append(f"N = {look.n}: {'H0 not rejected' if k == last else 'stop, futile'}")
            colours.append(ORANGE if k < last else SKY)
    for k in range(last, -1, -1):
        look = design.looks[k]
        if k == last or look.e is not None:
            layers.append(oc.reject_by_look[:, k])
            labels.append(f"N = {look.n}: {'H0 rejected' if k == last else 'stop, H0 rejected'}")
            colours.append(BLUE if k == last else GREEN)
    with mpl.rc_context(STYLE):
        hatches = ["", "..", "//", "\\\\", "xx", "--"]
        axis.stackplot(
            p,
            *layers,
            labels=labels,
            colors=colours,
            hatch=[hatches[i % len(hatches)] for i in range(len(layers))],
            edgecolor="white",
            linewidth=0.5,
        )
        axis.set_xlim(p[0], p[-1])
        axis.set_ylim(0, 1)
        axis.xaxis.set_major_formatter(PercentFormatter(1.0))
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axis.set_xlabel("True response rate p")
        axis.set_ylabel("Probability")
        inks.mark_rates(axis, requirements.p0, requirements.p1)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=min(3, len(labels)))
    at = operating_characteristics(design, requirements.p0)
    parts = ", ".join(
        f"{look.n} with probability {share:.3f}" for look, share in zip(design.looks, at.n_distribution, strict=True)
    )
    return Picture("endings", f"How {looks_text(design)} ends. At p0 the number of patients is {parts}.", figure)


def saw(single: SingleStageSearch) -> Picture:
    """Power and type I error of the exact single-stage test against n: the saw-tooth, with first and sustained n."""
    asked = single.requirements
    first, sustained = single.first, single.sustained
    n = np.arange(max(2, int(first.n * 0.55)), int(sustained.n * 1.25) + 4)
    teeth = saw_tooth(asked, n)
    figure, axes = canvas(2, 10.0, 3.8)
    with mpl.rc_context(STYLE):
        dense = n.size > 120
        for axis, values, limit, name in (
            (axes[0], teeth.power, asked.power, "Power"),
            (axes[1], teeth.type_i_error, asked.alpha, "Type I error"),
        ):
            axis.plot(n, values, "-" if dense else ".-", color=BLUE, linewidth=0.9, markersize=5)
            axis.axhline(limit, color=RED, linewidth=1.1, linestyle="--")
            axis.annotate(
                f"limit {limit:g}", (1.0, limit), xycoords=("axes fraction", "data"), xytext=(0, 3),
                textcoords="offset points", ha="right", color=RED, fontsize=9,
            )  # fmt: skip
            axis.set_xlabel("Patients, n")
            axis.set_title(f"{name} of the exact test", fontsize=10)
            axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            few_ticks(axis.yaxis)
        for c, name, marker, colour in ((first, FIRST.name, "o", ORANGE), (sustained, SUSTAINED.name, "s", GREEN)):
            axes[0].plot(
                c.n, c.power, marker, color=colour, markersize=9, linestyle="none", markeredgecolor="black",
                label=f"{name}: {looks_text(c)}",
            )  # fmt: skip
        axes[0].legend(loc="lower right", fontsize=9)
        axes[1].set_ylim(0, asked.alpha * 1.15)
    alt = (
        f"Exact power against n is a saw-tooth: it first reaches {asked.power:g} at n = {first.n} and stays above it "
        f"from n = {sustained.n}."
    )
    return Picture("saw_tooth", alt, figure)
