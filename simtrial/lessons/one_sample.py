"""The lesson `one_sample_exact`: why the power is a saw-tooth in n."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from simtrial import search
from simtrial.conduct import runs
from simtrial.design.binomial import binomial_pmf
from simtrial.design.designs import SingleStage
from simtrial.design.exact import operating_characteristics
from simtrial.lessons import blackboard
from simtrial.phrases import counted, listed, percent, percent_beside, stated
from simtrial.search import figures
from simtrial.show import inks
from simtrial.show.picture import BLACK, BLUE, Picture, canvas, styled

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements
    from simtrial.lessons.blackboard import Pair
    from simtrial.numbers import Floats


def one_test(n: int, rates: Pair, alpha: float) -> Picture:
    """The counts of n patients at p0 and at p1, and the bound between them."""
    teeth = search.saw_tooth(blackboard.asked(rates, alpha), np.array([n]))
    r, errors = int(teeth.r[0]), (float(teeth.type_i_error[0]), float(teeth.power[0]))
    figure, (axis,) = canvas(1, 8.2, 3.9)
    pmf = binomial_pmf(n, np.array(rates))
    seen = np.flatnonzero(pmf.max(axis=0) > 1e-4)
    with styled():
        kinds = ((rates[0], "p0", "", -0.2), (rates[1], "p1", "//", 0.2))
        for (rate, name, hatch, shift), chance in zip(kinds, pmf, strict=True):
            axis.bar(
                seen + shift, chance[seen], 0.4, color=inks.RATES[name].colour, hatch=hatch, edgecolor="white",
                linewidth=0.5, label=f"if the true rate is {name} = {rate:g}",
            )  # fmt: skip
        if r < n:
            end = max(seen[-1] + 0.6, r + 1.5)
            axis.set_xlim(seen[0] - 0.6, end)
            axis.axvspan(r + 0.5, end, color=inks.ENDS["rejected"], alpha=0.12, linewidth=0, zorder=0)
            axis.axvline(r + 0.5, color=inks.ENDS["rejected"], linewidth=1.5)
            axis.annotate(
                "reject H0", (r + 0.5, 1.0), xycoords=("data", "axes fraction"), xytext=(4, -4),
                textcoords="offset points", va="top", color=inks.ENDS["rejected"], fontweight="bold",
            )  # fmt: skip
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlabel(f"Responses X in {counted(n, 'patient')} (only those with a probability above 0.0001)")
        axis.set_ylabel("Probability")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    said = f"n = {n}: with every bound the type I error exceeds alpha ({stated(alpha)}), so H0 is never rejected."
    if r < n:
        size = percent_beside(errors[0], alpha)
        said = (
            f"n = {n}: reject H0 if X > {r}. The type I error is {size} (limit {stated(alpha)}), the power "
            f"{percent(errors[1])}."
        )
    alt = (
        f"Probability of each number of responses in {counted(n, 'patient')} if the true rate is p0 = {rates[0]:g} and "
        f"if it is p1 = {rates[1]:g}; H0 is rejected in the shaded region."
    )
    return blackboard.headed(Picture("one_test", alt, figure), said)


def saw(rates: Pair, alpha: float, power: float) -> Picture:
    """Power and type I error against n, exactly."""
    found = search.single_stage(blackboard.asked(rates, alpha, power))
    first, sustained = found.first, found.sustained
    said = (
        f"The first n is {first.n}, with a power of {percent_beside(first.power, power)}. From n = {sustained.n} on, "
        f"the power is at least {stated(power)} at every n."
    )
    return blackboard.headed(figures.saw(found), said, rates)


def simulated(rates: Pair, alpha: float, power: float, trials: int, seed: int) -> Picture:
    """The power of each n by simulation, with its standard error, beside the exact saw-tooth."""
    asked = blackboard.asked(rates, alpha, power)
    found = search.single_stage(asked)
    n = np.arange(max(2, found.first.n - 12), found.first.n + 13)
    teeth = search.saw_tooth(asked, n)
    rng = np.random.default_rng(runs.stream(seed, 0, 0))
    rejects = rng.binomial(n, asked.p1, (trials, n.size)) > teeth.r
    seen = blackboard.shares(list(rejects.T), teeth.power)
    figure, (axis,) = canvas(1, 8.2, 3.9)
    with styled():
        axis.plot(n, teeth.power, ".-", color=BLUE, linewidth=1.0, label="exact")
        blackboard.dots(axis, n, seen)
        axis.axhline(power, color=BLACK, linewidth=1.1, linestyle="--")
        axis.annotate(
            f"limit {power:g}", (1.0, power), xycoords=("axes fraction", "data"), xytext=(0, 3),
            textcoords="offset points", ha="right", fontsize=9,
        )  # fmt: skip
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlabel("Patients, n")
        axis.set_ylabel("Power")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    at = found.first.n - n[0]
    said = (
        f"n = {found.first.n}: the power in {counted(trials, 'simulated trial')} is "
        f"{blackboard.share(seen.mean[at], seen.mcse[at], teeth.power[at])}."
    )
    alt = (
        f"Power at {counted(n.size, 'sample size')} for p0 = {rates[0]:g}, p1 = {rates[1]:g} and one-sided alpha "
        f"{alpha:g}: exact values, and shares of {counted(trials, 'simulated trial')} with bars of two Monte Carlo "
        f"standard errors. The largest deviation is {_furthest(seen, teeth.power):.1f} standard errors."
    )
    return blackboard.headed(Picture("simulated_teeth", alt, figure), said, rates)


def _furthest(seen: blackboard.Simulated, exact: Floats) -> float:
    return float(np.max(np.abs(seen.mean - exact) / np.maximum(seen.mcse, 1e-12)))


def answer(asked: Requirements) -> blackboard.Folded:
    """What one more patient does to the first n."""
    found = search.single_stage(asked)
    first, sustained = found.first, found.sustained
    n = np.arange(first.n, sustained.n + 1)
    teeth = search.saw_tooth(asked, n)
    below = n[~teeth.meets]
    ends = (
        f"From n = {sustained.n} on, both limits hold at every n. Choose that n if the final number of patients is not "
        "certain."
    )
    if not below.size:
        return blackboard.Folded(
            "answer_one_sample_exact", (f"Here the first and the sustained n are the same. {ends}",)
        )
    k = int(below[0]) - first.n
    kept = float(operating_characteristics(SingleStage(first.r, int(n[k])), asked.p0).reject)
    return blackboard.Folded(
        "answer_one_sample_exact",
        (
            f"At n = {first.n} the test rejects H0 if X > {first.r}, with a power of "
            f"{percent_beside(first.power, asked.power)}. At n = {n[k]} that bound would have a type I error of "
            f"{percent_beside(kept, asked.alpha)}, above alpha ({stated(asked.alpha)}). The bound therefore rises to "
            f"X > {teeth.r[k]}, and the power falls to {percent_beside(teeth.power[k], asked.power)}.",
            f"Between n = {first.n} and n = {sustained.n} the power is below {stated(asked.power)} at n = "
            f"{listed([str(value) for value in below])}. {ends}",
        ),
    )
