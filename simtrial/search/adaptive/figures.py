"""The picture of a design whose second stage depends on the first: its patients and its chances, by X1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from simtrial.design.binomial import binomial_pmf
from simtrial.design.exact import operating_characteristics
from simtrial.design.second_stages import SecondStage, branched, conditional, runs
from simtrial.phrases import counted, percent, stated
from simtrial.search import steps
from simtrial.search.adaptive.tables import STOPS
from simtrial.show import inks
from simtrial.show.picture import Picture, canvas, styled

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from simtrial.design.designs import Design
    from simtrial.design.exact import OperatingCharacteristics
    from simtrial.design.requirements import Requirements
    from simtrial.design.second_stages import BranchLook
    from simtrial.numbers import Floats

KINDS: tuple[tuple[steps.Kind, steps.Kind], ...] = (("futile", "effective"), ("not_rejected", "rejected"))
"""How a trial ends with few and with many responses: after the first stage, and after the second."""

FIRST, SECOND = "#b9c4ce", "#8ba3b8"
"""Patients of the first stage and of the second."""

MORE = 2
"""Numbers of responses that are drawn beyond the first from which all have the same consequence."""


def in_words(first: BranchLook) -> str:
    """What follows each number of responses, for a text alternative."""
    said = []
    for one in runs(first):
        if isinstance(one.row, SecondStage):
            n = first.n + one.row.n2
            said.append(f"{one.seen}: {one.row.n2} more, reject H0 if more than {one.row.r} of {n} respond")
        else:
            said.append(f"{one.seen}: {STOPS[one.row]}")
    return f"Responses among the first {counted(first.n, 'patient')} and what follows. {'; '.join(said)}."


def second_stage(design: Design, asked: Requirements | None = None) -> Picture:
    """Patients by the responses of the first stage; beside them, with rates, the chances of rejecting H0 given them.

    Parameters
    ----------
    design : Design
        A design whose second stage depends on the first.
    asked : Requirements, optional
        p0 and p1.
    """
    first = branched(design.looks)
    assert first is not None  # `flow` and `boundary` ask for such designs alone
    top = _shown_to(first)
    figure, axes = canvas(1 if asked is None else 2, 6.4 if asked is None else 10.4, 4.4)
    with styled():
        used = _patients(axes[0], first, top)
        if asked is not None:
            _chances(axes[1], first, top, asked)
        handles: list[Artist] = [Patch(color=colour, label=said) for said, colour in used.items()]
        if asked is not None:
            handles += axes[1].get_legend_handles_labels()[0]
        figure.legend(handles=handles, loc="outside lower center", ncols=2 if asked is None else 4, fontsize=9)
    caption = (
        f"The adaptive design {first.table}: by the number of responses among the first {counted(first.n, 'patient')}, "
        "the patients of both stages and the number of responses with which H0 is rejected at the end."
    )
    alt = in_words(first)
    if asked is not None:
        caption += (
            f" Right: bars, the exact probability of each number of responses at p0 = {stated(asked.p0)} and at p1 = "
            f"{stated(asked.p1)}; lines, the probability that H0 is rejected, given the number."
        )
        at = operating_characteristics(design, [asked.p0, asked.p1]).reject
        alt += f" H0 is rejected with probability {percent(at[0])} at p0 and {percent(at[1])} at p1."
    if top < first.n:
        caption += f" More than {counted(top, 'response')} are not drawn; they lead to what {top:,} lead to."
    return Picture("flow", alt, figure, caption)


def _shown_to(first: BranchLook) -> int:
    """The largest number of responses that is drawn."""
    last = runs(first)[-1]
    return min(first.n, last.low + MORE) if not isinstance(last.row, SecondStage) else first.n


def _patients(axis: Axes, first: BranchLook, top: int) -> dict[str, str]:
    """Bars of patients by X1, each with its bound; gives the colours that are used, by what they mean."""
    kinds: dict[str, steps.Kind] = {"accept": "futile", "reject": "effective"}
    used: dict[str, str] = {}
    most = first.n + max(row.n2 if isinstance(row, SecondStage) else 0 for row in first.after)
    for x, row in enumerate(first.after[: top + 1]):
        if isinstance(row, SecondStage):
            colour, said = FIRST, "First stage, the trial continues"
        else:
            name, meaning = steps.ENDINGS[kinds[row]]
            colour, said = inks.ENDS[kinds[row]], f"{name}, {meaning}"
        axis.bar(x, first.n, 0.86, color=colour, edgecolor="white")
        used.setdefault(said, colour)
        if isinstance(row, SecondStage):
            axis.bar(x, row.n2, 0.86, bottom=first.n, color=SECOND, edgecolor="white")
            used.setdefault("Second stage", SECOND)
            axis.annotate(
                f"≥ {row.r + 1}", (x, first.n + row.n2), xytext=(0, 3), textcoords="offset points", ha="center",
                fontsize=9, color=inks.Ink(inks.ENDS["rejected"], "-", "o").text,
            )  # fmt: skip
    axis.axhline(first.n, color="white", linewidth=1.2)
    axis.set_ylim(0, most * 1.1)
    axis.set_xlabel(f"Responses among the first {counted(first.n, 'patient')}, X1")
    axis.set_ylabel("Patients (above: responses that reject H0)")
    axis.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    axis.yaxis.set_major_locator(MaxNLocator(8, integer=True))
    return used


def _chances(axis: Axes, first: BranchLook, top: int, asked: Requirements) -> None:
    x = np.arange(top + 1)
    rates = zip((asked.p0, asked.p1), inks.RATES.items(), (-0.21, 0.21), strict=True)
    for p, (name, shown), shift in rates:
        chance: Floats = binomial_pmf(first.n, np.array(p))[: top + 1]
        axis.bar(x + shift, chance, 0.4, color=inks.shade(shown.colour, 0.6), label=f"P(X1) at {name}")
        axis.plot(
            x, conditional(first.after, p)[: top + 1], shown.dash, marker=shown.marker, color=shown.colour,
            label=f"P(reject H0 | X1) at {name}",
        )  # fmt: skip
    axis.set_ylim(0, 1.02)
    axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.set_xlabel(f"Responses among the first {counted(first.n, 'patient')}, X1")
    axis.set_ylabel("Probability")
    axis.xaxis.set_major_locator(MaxNLocator(12, integer=True))


def layers(oc: OperatingCharacteristics) -> list[tuple[str, str, Floats]]:
    """Each ending, from the bottom up: colour, name, and its probability; with each size a trial may end either way."""
    low: list[tuple[str, str, Floats]] = []
    high: list[tuple[str, str, Floats]] = []
    for k, n in enumerate(oc.n.tolist()):
        for kind, shares, found in zip(KINDS[k > 0], (oc.accept_by_look, oc.reject_by_look), (low, high), strict=True):
            name, meaning = steps.ENDINGS[kind]
            said = f"N = {n:,}: {meaning if k else name.lower()}"
            if shares[:, k].any():
                found.append((inks.shade(inks.ENDS[kind], k / oc.n.size), said, shares[:, k]))
    return [*low, *reversed(high)]
