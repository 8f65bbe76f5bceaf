"""The lesson `why_two_stages`: patients expected against patients at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from simtrial import search
from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.lessons import blackboard
from simtrial.phrases import percent
from simtrial.search import figures
from simtrial.search.simon import MINIMAX, OPTIMAL
from simtrial.search.single import FIRST
from simtrial.show.picture import BLACK, STYLE, Picture, canvas, few_ticks, percent_ticks

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.lessons.blackboard import Pair

STEPS = np.arange(-2, 8)
"""True rates at which trials are simulated, in quarters of the way from p0 to p1."""


def cost(rates: Pair, alpha: float, power: float) -> Picture:
    """P(reject), PET and EN of one stage and of two, over the true rate."""
    asked = blackboard.asked(rates, alpha, power)
    two, one = search.two_stage(asked), search.single_stage(asked).first
    designs = [*((criterion.name, criterion.pick(two)) for criterion in (OPTIMAL, MINIMAX)), (FIRST.name, one)]
    shown = figures.characteristics(designs, asked)
    said = f"If the drug is useless: {one.n} patients in one stage, {two.optimal.en_p0:.1f} expected in two."
    return blackboard.headed(Picture("cost_of_stages", shown.alt, shown.figure), said, rates)


def hull(rates: Pair, alpha: float, power: float, q: float) -> Picture:
    """The admissible designs, and the line of equal cost q n + (1 - q) EN(p0) that touches their hull."""
    asked = blackboard.asked(rates, alpha, power)
    two = search.two_stage(asked)
    best = cheapest(two, q)
    shown = figures.candidates(search.single_stage(asked), two, best)
    axis = shown.figure.axes[0]
    with mpl.rc_context(STYLE):
        limits = axis.get_xlim(), axis.get_ylim()
        if q < 1:
            axis.axline((best.n, best.en_p0), slope=-q / (1 - q), color=BLACK, linestyle=":", linewidth=1.3)
        else:
            axis.axvline(best.n, color=BLACK, linestyle=":", linewidth=1.3)
        axis.set(xlim=limits[0], ylim=limits[1])
        for text in axis.texts:
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85})
    said = (
        f"Weight {q:g} on n, {1 - q:g} on EN(p0): take {looks_text(best, ', ')} ({search.named(best.kinds)}), at most "
        f"{best.n} patients, {best.en_p0:.1f} expected."
    )
    return blackboard.headed(Picture("hull", shown.alt, shown.figure), said, rates)


def cheapest(two: search.TwoStageSearch, q: float) -> search.TwoStageCandidate:
    """The admissible design with the least q n + (1 - q) EN(p0); the one with fewer patients if two are equal."""
    return min(two.admissible, key=lambda design: (round(q * design.n + (1 - q) * design.en_p0, 9), design.n))


def simulated(rates: Pair, alpha: float, power: float, trials: int, seed: int) -> Picture:
    """Patients and early stops of simulated trials of the optimal design, beside EN and PET."""
    asked = blackboard.asked(rates, alpha, power)
    design, one = search.two_stage(asked).optimal, search.single_stage(asked).first
    at = asked.p0 + (asked.p1 - asked.p0) * STEPS / 4
    at = at[(at > 1e-9) & (at < 1 - 1e-9)]
    oc = operating_characteristics(design, at)
    plan = blackboard.without_losses(design.design)
    done = [blackboard.trials(plan, float(p), k, seed, trials) for k, p in enumerate(at)]
    size = blackboard.means([found.enrolled for found in done])
    early = blackboard.shares([found.stage == 1 for found in done], oc.pet)
    p = np.linspace(at[0], at[-1], 201)
    curve = operating_characteristics(design, p)
    figure, axes = canvas(2, 10.0, 4.0)
    with mpl.rc_context(STYLE):
        single, optimal = figures.ink(FIRST.key), figures.ink(OPTIMAL.key)
        axes[0].axhline(one.n, color=single.colour, linestyle=single.dash, label="single stage, always")
        panels = (("Mean number of patients", curve.en, size), ("Share stopped at the look", curve.pet, early))
        for axis, (title, exact, seen) in zip(axes, panels, strict=True):
            axis.plot(p, exact, color=optimal.colour, label="exact")
            blackboard.dots(axis, at, seen, colour=BLACK)
            axis.set_title(title, fontsize=10, pad=16)
            axis.set_xlabel("True response rate p")
            few_ticks(axis.yaxis)
            percent_ticks(axis.xaxis)
            blackboard.mark(axis, asked.p0, "p0")
            blackboard.mark(axis, asked.p1, "p1")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    k = int(np.argmin(np.abs(at - asked.p0)))
    said = (
        f"{trials} trials at p0 = {asked.p0:g}: {size.mean[k]:.2f} patients (MCSE {size.mcse[k]:.2f}), exactly "
        f"{oc.en[k]:.2f}; {early.mean[k]:.3f} stop early (MCSE {early.mcse[k]:.3f}), exactly {oc.pet[k]:.3f}."
    )
    alt = f"Simulated trials of {looks_text(design, ', ')} at {at.size} true rates, beside EN and PET."
    return blackboard.headed(Picture("simulated_stages", alt, figure), said, rates, blackboard.FURTHER)


def break_even(asked: Requirements) -> float | None:
    """The true rate from which the optimal two-stage design expects more patients than the first single stage."""
    from scipy import optimize

    design, n = search.two_stage(asked).optimal, search.single_stage(asked).first.n

    def more(p: float) -> float:
        return float(operating_characteristics(design, p).en) - n

    return float(optimize.brentq(more, 1e-9, 1 - 1e-9)) if more(1 - 1e-9) > 0 else None


def answer(asked: Requirements) -> blackboard.Folded:
    """Where the second stage stops paying, and what minimax buys."""
    two, one = search.two_stage(asked), search.single_stage(asked).first
    best, fewest, rate = two.optimal, two.minimax, break_even(asked)
    turn = f"It never expects more than the {one.n} of the single stage"
    if rate is not None:
        turn = f"Below a true rate of {percent(round(rate, 4))} it expects fewer than {one.n}, above it more"
    return blackboard.Folded(
        "answer_why_two_stages",
        (
            f"The optimal design {looks_text(best, ', ')} expects {best.en_p0:.1f} patients at p0 and "
            f"{best.en_p1:.1f} at p1; the single stage takes {one.n} whatever is true. {turn}: the look spares "
            f"patients a drug that does not work. Its price is a maximum of {best.n} instead of {one.n}.",
            f"Minimax {looks_text(fewest, ', ')} never takes more than {fewest.n}, and expects "
            f"{fewest.en_p0 - best.en_p0:.1f} patients more at p0: it looks after {fewest.n1} patients instead of "
            f"{best.n1}, and stops a useless drug with probability {fewest.pet_p0:.3f} instead of {best.pet_p0:.3f}.",
        ),
    )
