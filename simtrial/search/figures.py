"""Figures of designs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import branched
from simtrial.phrases import listed, percent, stated
from simtrial.search import simon, steps
from simtrial.search.adaptive.figures import layers, second_stage
from simtrial.search.calendar import CALENDAR
from simtrial.search.candidate import attained
from simtrial.search.criteria import CRITERIA, named
from simtrial.search.families import FAMILIES
from simtrial.search.simon import ADMISSIBLE, MINIMAX, OPTIMAL
from simtrial.search.single import FAMILY as ONE_STAGE
from simtrial.search.single import FIRST, SUSTAINED, saw_tooth
from simtrial.search.wording import limits
from simtrial.show import inks
from simtrial.show.flow import Box, Branch, Stage, draw
from simtrial.show.labels import Label, write, write_inside
from simtrial.show.picture import RED, Picture, canvas, few_ticks, percent_ticks, styled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simtrial.design.designs import Design
    from simtrial.design.exact import OperatingCharacteristics
    from simtrial.design.requirements import Requirements
    from simtrial.numbers import Floats
    from simtrial.search import SingleStageSearch, TwoStageSearch
    from simtrial.show.inks import Ink


MOST_NAMED = 6
"""Admissible designs up to which each has its name beside it."""
PALE = "#999999"


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
    return inks.ink([_drawn_as(keys.get(name, name)) for name in names], [_drawn_as(key) for key in register])


def _drawn_as(key: str) -> str:
    """The key of the register of colours: that of its family, of a criterion that is searched on request."""
    criterion = CRITERIA.get(key)
    return criterion.family if criterion is not None and FAMILIES[criterion.family].on_request else key


def rates_shown(requirements: Requirements) -> tuple[float, float]:
    """The stretch of response rates worth showing: both hypotheses and what lies around them."""
    gap = requirements.p1 - requirements.p0
    return max(0.0, requirements.p0 - 1.5 * gap), min(1.0, requirements.p1 + 1.5 * gap)


def candidates(single: SingleStageSearch, two: TwoStageSearch, chosen: Design) -> Picture:
    """EN(p0) against n: the best two-stage design of each n, the admissible hull, and the single stage."""
    figure, (axis,) = canvas(1, 7.6, 4.6)
    asked, hull = two.requirements, two.admissible
    off_hull = np.array([(c.n, c.en_p0) for c in two.frontier if not c.kinds]).reshape(-1, 2)
    line = np.array([(c.n, c.en_p0) for c in hull])
    between = np.linspace(line[:-1], line[1:], 12).reshape(-1, 2) if len(line) > 1 else line
    with styled():
        axis.plot(off_hull[:, 0], off_hull[:, 1], ".", color=PALE, markersize=5)
        axis.plot(line[:, 0], line[:, 1], "-", color=PALE, linewidth=1.2)
        labels: list[Label] = []
        first = 0
        for design, names, called, place in _plotted(single, two, chosen):
            shown, taken = ink(*names), design.looks == chosen.looks
            axis.plot(*place, shown.marker, color=shown.colour, markersize=7)
            if taken:
                inks.ring(axis, *place)
            if len(hull) <= MOST_NAMED or taken or called not in ("", ADMISSIBLE):
                first = len(labels) if taken else first
                said = f"{called}, chosen" if taken and called else called or "chosen"
                labels.append(Label(*place, f"{looks_text(design, ', ')}\n{said}", shown.text))
        axis.margins(x=0.16, y=0.2)
        axis.autoscale_view()
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlabel("Maximum sample size, n")
        axis.set_ylabel(f"Expected sample size at p0 = {asked.p0:g}, EN(p0)")
        write(axis, [labels.pop(first), *labels], np.concatenate([off_hull, between]))
    alt = (
        "Expected sample size if the true response rate is p0, against maximum sample size. "
        f"{MINIMAX.name} {looks_text(two.minimax, ', ')}: EN(p0) = {two.minimax.en_p0:.1f}, n = {two.minimax.n}; "
        f"{OPTIMAL.name} {looks_text(two.optimal, ', ')}: EN(p0) = {two.optimal.en_p0:.1f}, n = {two.optimal.n}."
    )
    dots = "Dots: two-stage designs with the lowest EN(p0) of all with at most n patients. " if len(off_hull) else ""
    caption = (
        f"Expected sample size at p0, EN(p0), against the maximum sample size n of designs that meet both limits "
        f"({limits(asked)}), each written as its bounds and sample sizes (r/n). Line: the admissible two-stage "
        f"designs. {dots}Ring: the chosen design. All values are exact."
    )
    return Picture("candidates", alt, figure, caption)


def _plotted(
    single: SingleStageSearch, two: TwoStageSearch, chosen: Design
) -> list[tuple[Design, tuple[str, ...], str, tuple[float, float]]]:
    """Designs that have a marker: with their keys, what they are called, and where they lie; the chosen one always."""
    found: list[tuple[Design, tuple[str, ...], str, tuple[float, float]]] = [
        (c.design, c.kinds, named(c.kinds), (c.n, c.en_p0)) for c in two.admissible
    ]
    first, sustained = single.first, single.sustained
    if first.n == sustained.n:
        found.append((first, (FIRST.key,), ONE_STAGE.together, (first.n, first.n)))
    else:
        found += [(one, (c.key,), c.name, (one.n, one.n)) for one, c in ((first, FIRST), (sustained, SUSTAINED))]
    if chosen.looks not in [design.looks for design, *_ in found]:
        found.append((chosen, (inks.CHOSEN,), "", (chosen.looks[-1].n, attained(chosen, two.requirements).en_p0)))
    return found


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
    """P(reject), PET and EN over the true response rate, for a few labelled designs, the first with a heavier line.

    A design given under several labels is drawn once.
    """
    figure, axes = canvas(3, 11.0, 3.8)
    p = np.linspace(*rates_shown(requirements), 201)
    drawn = drawn_apart(designs)
    with styled():
        for k, (label, design, colour, dash) in enumerate(drawn):
            oc = operating_characteristics(design, p)
            for axis, values in zip(axes, (oc.reject, oc.pet, oc.en), strict=True):
                wide = 2.6 if k == 0 else 1.6
                axis.plot(p, values, color=colour, linestyle=dash, linewidth=wide, label=label, zorder=2 + k / 10)
        titles = ("P(reject H0; p)", "PET(p)", "EN(p), patients")
        for axis, title in zip(axes, titles, strict=True):
            axis.set_title(title, pad=16, fontsize=10)
            axis.set_xlabel("True response rate p")
            axis.set_xlim(p[0], p[-1])
            percent_ticks(axis.xaxis)
            few_ticks(axis.xaxis)
            few_ticks(axis.yaxis)
            inks.mark_rates(axis, requirements.p0, requirements.p1)
        for limit, name, up in ((requirements.alpha, "alpha", 2), (requirements.power, "power", -11)):
            axes[0].axhline(limit, color=PALE, linewidth=0.9)
            axes[0].annotate(
                f"{name} {limit:g}", (1.0, limit), xycoords=("axes fraction", "data"), textcoords="offset points",
                xytext=(-3, up), ha="right", fontsize=8.5, color="#555555",
            )  # fmt: skip
        axes[0].set_ylim(0, 1.02)
        axes[1].set_ylim(0, 1.02)
        axes[2].set_ylim(bottom=0)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))
    oc = operating_characteristics(designs[0][1], [requirements.p0, requirements.p1])
    alt = (
        f"Operating characteristics over the true response rate. {looks_text(designs[0][1], ', ')} rejects H0 with "
        f"probability {percent(oc.reject[0])} at p0 and {percent(oc.reject[1])} at p1; its expected sample size is "
        f"{oc.en[0]:.1f} and {oc.en[1]:.1f}."
    )
    caption = (
        "Exact operating characteristics over the true response rate p. Designs: "
        f"{'; '.join(label for label, *_ in drawn)}. Curves: the probability that H0 is rejected, P(reject H0; p), "
        "that the trial stops before its last look, PET(p), and the expected sample size, EN(p), every patient being "
        f"evaluable. Marked: {limits(requirements)}."
    )
    return Picture("operating_characteristics", alt, figure, caption)


def flow(design: Design, asked: Requirements | None = None) -> Picture:
    """The design as a flow: patients, what each number of responses leads to, and how the trial ends.

    With p0 and p1 the exact probability of each ending stands in its box.
    """
    if branched(design.looks) is not None:
        return second_stage(design, asked)
    rates = {} if asked is None else {"p0": asked.p0, "p1": asked.p1}
    at = operating_characteristics(design, list(rates.values())) if rates else None

    def notes(kind: steps.Kind, k: int) -> tuple[tuple[str, str], ...]:
        if at is None:
            return ()
        share = (at.accept_by_look if kind in ("futile", "not_rejected") else at.reject_by_look)[:, k]
        return tuple(
            (f"at {name} = {stated(rate)}: {percent(float(value))}", inks.RATES[name].text)
            for (name, rate), value in zip(rates.items(), share, strict=True)
        )

    caption = (
        f"Flow of the design {looks_text(design, ', ')}: how many patients are analysed at each look, and what the "
        "number of responses among all patients so far leads to. H0: the true response rate is at most p0."
    )
    alt = f"The design {looks_text(design, ', ')} as a flow. {steps.told(design)}"
    if at is not None and asked is not None:
        caption += (
            " In each box where the trial ends: the exact probability of this ending if the true response rate is "
            f"p0 = {stated(asked.p0)} and if it is p1 = {stated(asked.p1)}, every patient being evaluable."
        )
        alt += f" H0 is rejected with probability {percent(at.reject[0])} at p0 and {percent(at.reject[1])} at p1."
    return Picture("flow", alt, draw(stages(design, notes)), caption)


def stages(design: Design, notes: Callable[[steps.Kind, int], tuple[tuple[str, str], ...]]) -> list[Stage]:
    """The looks of a design as stages of a flow, with notes on each ending: lines with their colours."""

    def branch(leaf: steps.Leaf | None, k: int) -> Branch | None:
        if leaf is None:
            return None
        return Branch(leaf.condition, Box(steps.ENDINGS[leaf.kind], inks.ENDS[leaf.kind], notes(leaf.kind, k)))

    return [
        Stage(
            box=Box(step.lines),
            low=branch(step.low, k),
            high=branch(step.high, k) if step.onward else None,
            onward=step.onward,
            end=None if step.onward else branch(step.high, k),
        )
        for k, step in enumerate(steps.steps(design))
    ]


def endings(design: Design, requirements: Requirements) -> Picture:
    """How the trial ends, and with how many patients, over the true response rate: a stacked picture of N."""
    figure, (axis,) = canvas(1, 7.6, 4.4)
    p = np.linspace(*rates_shown(requirements), 121)
    oc = operating_characteristics(design, p)
    layers = _layers(design, oc)
    with styled():
        axis.stackplot(
            p, *(share for *_, share in layers), colors=[colour for colour, *_ in layers], edgecolor="white",
            linewidth=1.2,
        )  # fmt: skip
        axis.set_xlim(p[0], p[-1])
        axis.set_ylim(0, 1)
        percent_ticks(axis.xaxis)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axis.set_xlabel("True response rate p")
        axis.set_ylabel("Probability")
        inks.mark_rates(axis, requirements.p0, requirements.p1)
        left = write_inside(axis, p, [(said, share) for _, said, share in layers], (requirements.p0, requirements.p1))
        if left:
            handles = [Patch(color=colour, label=said) for colour, said, _ in layers if said in left]
            figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9)
    at = operating_characteristics(design, requirements.p0)
    parts = listed([
        f"{look.n} with probability {percent(float(share))}"
        for look, share in zip(design.looks, at.n_distribution, strict=True)
    ])  # fmt: skip
    caption = (
        f"How a trial of the design {looks_text(design, ', ')} ends, over the true response rate p: the exact "
        "probability of each ending, with its number of patients N, stacked from below; every patient is evaluable. "
        f"Marked: p0 = {stated(requirements.p0)} and p1 = {stated(requirements.p1)}."
    )
    alt = f"How {looks_text(design, ', ')} ends. At p0 the number of patients is {parts}."
    return Picture("endings", alt, figure, caption)


def _layers(design: Design, oc: OperatingCharacteristics) -> list[tuple[str, str, Floats]]:
    """Each ending that a design has, from the bottom up: colour, name, and its probability at every rate."""
    low: list[tuple[str, str, Floats]] = []
    high: list[tuple[str, str, Floats]] = []
    if branched(design.looks) is not None:
        return layers(oc)
    for k, (look, step) in enumerate(zip(design.looks, steps.steps(design), strict=True)):
        for leaf, shares, found in ((step.low, oc.accept_by_look, low), (step.high, oc.reject_by_look, high)):
            if leaf is not None:
                name, meaning = steps.ENDINGS[leaf.kind]
                said = meaning if k == len(design.looks) - 1 else name.lower()
                found.append(
                    (inks.shade(inks.ENDS[leaf.kind], k / len(design.looks)), f"N = {look.n:,}: {said}", shares[:, k])
                )
    return [*low, *reversed(high)]


def saw(single: SingleStageSearch) -> Picture:
    """Power and type I error of the exact single-stage test against n: the saw-tooth, with first and sustained n."""
    asked = single.requirements
    first, sustained = single.first, single.sustained
    n = np.arange(max(2, int(first.n * 0.55)), int(sustained.n * 1.25) + 4)
    teeth = saw_tooth(asked, n)
    figure, axes = canvas(2, 10.0, 3.8)
    with styled():
        dense = n.size > 120
        for axis, values, limit, name, side in (
            (axes[0], teeth.power, asked.power, "Power", "left"),
            (axes[1], teeth.type_i_error, asked.alpha, "Type I error", "right"),
        ):
            axis.plot(n, values, "-" if dense else ".-", color="#555555", linewidth=0.9, markersize=5)
            axis.axhline(limit, color=RED, linewidth=1.1, linestyle="--")
            axis.annotate(
                f"{'required' if name == 'Power' else 'alpha'} {limit:g}", (0.01 if side == "left" else 1.0, limit),
                xycoords=("axes fraction", "data"), xytext=(0, 3), textcoords="offset points", ha=side, color=RED,
                fontsize=9,
            )  # fmt: skip
            axis.set_xlabel("Sample size, n")
            axis.set_title(f"{name} of the exact test", fontsize=10)
            axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            few_ticks(axis.yaxis)
        for c, criterion in ((first, FIRST), (sustained, SUSTAINED)):
            shown = ink(criterion.key)
            axes[0].plot(
                c.n, c.power, shown.marker, color=shown.colour, markersize=9, linestyle="none",
                label=f"{criterion.name}: {looks_text(c, ', ')}",
            )  # fmt: skip
        axes[0].legend(loc="lower right", fontsize=9)
        axes[1].set_ylim(0, asked.alpha * 1.15)
    alt = (
        f"Exact power against n is a saw-tooth: it first reaches {asked.power:g} at n = {first.n} and stays above it "
        f"from n = {sustained.n}."
    )
    caption = (
        "Power and type I error of the exact single-stage test against the sample size n, each with the smallest "
        f"bound that keeps alpha ({limits(asked)}). Power first reaches its limit at n = {first.n} and keeps it from "
        f"n = {sustained.n} on. All values are exact."
    )
    return Picture("saw_tooth", alt, figure, caption)
