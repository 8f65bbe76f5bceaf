"""The lesson `why_two_stages`: the expected sample size against the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simtrial import search
from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.lessons import blackboard
from simtrial.phrases import counted, percent
from simtrial.search import figures
from simtrial.search.simon import MINIMAX, OPTIMAL
from simtrial.search.single import FIRST
from simtrial.show.picture import BLACK, Picture, canvas, few_ticks, percent_ticks, styled

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
    said = (
        f"If the true rate is p0, a single stage takes {counted(one.n, 'patient')}; the optimal two-stage design takes "
        f"{two.optimal.en_p0:.1f} on average."
    )
    return blackboard.headed(Picture("cost_of_stages", shown.alt, shown.figure), said, rates)


def hull(rates: Pair, alpha: float, power: float, q: float) -> Picture:
    """The admissible designs, and the line of equal cost q n + (1 - q) EN(p0) that touches their hull."""
    asked = blackboard.asked(rates, alpha, power)
    two = search.two_stage(asked)
    best = cheapest(two, q)
    shown = figures.candidates(search.single_stage(asked), two, best)
    axis = shown.figure.axes[0]
    with styled():
        limits = axis.get_xlim(), axis.get_ylim()
        if q < 1:
            axis.axline((best.n, best.en_p0), slope=-q / (1 - q), color=BLACK, linestyle=":", linewidth=1.3)
        else:
            axis.axvline(best.n, color=BLACK, linestyle=":", linewidth=1.3)
        axis.set(xlim=limits[0], ylim=limits[1])
        for text in axis.texts:
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85})
    said = (
        f"With weight {q:g} on n and {1 - q:g} on EN(p0) the best design is {looks_text(best, ', ')} "
        f"({search.named(best.kinds)}): n = {best.n}, EN(p0) = {best.en_p0:.1f}."
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
    with styled():
        single, optimal = figures.ink(FIRST.key), figures.ink(OPTIMAL.key)
        axes[0].axhline(one.n, color=single.colour, linestyle=single.dash, label="single stage")
        panels = (
            ("Mean number of patients", curve.en, size),
            ("Share stopped at the interim analysis (look)", curve.pet, early),
        )
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
        f"{counted(trials, 'simulated trial')} at p0 = {asked.p0:g}: the mean number of patients is {size.mean[k]:.2f} "
        f"(MCSE {size.mcse[k]:.2f}), exact value {oc.en[k]:.2f}. The share stopped at the look is "
        f"{blackboard.share(early.mean[k], early.mcse[k], oc.pet[k])}."
    )
    alt = (
        f"Mean number of patients and share of trials stopped at the interim analysis for {looks_text(design, ', ')}: "
        f"exact curves, and {counted(trials, 'simulated trial')} at each of {at.size} true rates with bars of two "
        "Monte Carlo standard errors."
    )
    return blackboard.headed(Picture("simulated_stages", alt, figure), said, rates, blackboard.FURTHER)


def break_even(asked: Requirements) -> float | None:
    """The true rate from which on the optimal two-stage design takes more patients on average than the first n."""
    from scipy import optimize

    design, n = search.two_stage(asked).optimal, search.single_stage(asked).first.n

    def more(p: float) -> float:
        return float(operating_characteristics(design, p).en) - n

    return float(optimize.brentq(more, 1e-9, 1 - 1e-9)) if more(1 - 1e-9) > 0 else None


def answer(asked: Requirements) -> blackboard.Folded:
    """From which rate on two stages take more patients than one, and what the minimax design gains."""
    two, one = search.two_stage(asked), search.single_stage(asked).first
    best, fewest, rate = two.optimal, two.minimax, break_even(asked)
    turn = f"The optimal design never takes more than {one.n} on average"
    if rate is not None:
        turn = (
            f"The optimal design takes fewer than {one.n} on average if the true rate is below {percent(rate)}, and "
            "more if it is above"
        )
    return blackboard.Folded(
        "answer_why_two_stages",
        (
            f"The optimal design {looks_text(best, ', ')} takes {best.en_p0:.1f} patients on average at p0 and "
            f"{best.en_p1:.1f} at p1. The single stage takes {one.n} at every true rate. {turn}. The interim analysis "
            f"spares patients an ineffective treatment; in return the largest sample size is {best.n} instead of "
            f"{one.n}.",
            f"The minimax design {looks_text(fewest, ', ')} never takes more than {counted(fewest.n, 'patient')}. At "
            f"p0 it takes {fewest.en_p0 - best.en_p0:.1f} more on average than the optimal design: its interim "
            f"analysis follows {counted(fewest.n1, 'patient')} instead of {best.n1}, and it stops with probability "
            f"{percent(fewest.pet_p0)} instead of {percent(best.pet_p0)}.",
        ),
    )
