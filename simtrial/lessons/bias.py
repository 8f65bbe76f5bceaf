"""The lesson `biased_after_stopping`: why the observed rate of a finished trial is biased, and which estimates are not.

With S responses in N patients the bias is B(p) = E_p(S/N) - p [1]_. It is the mean, over the two ways a trial can end,
of the conditional means E_p(S/N | stopped at the look) - p and E_p(S/N | continued) - p.

References
----------
.. [1] Whitehead J. On the bias of maximum likelihood estimation following a sequential test. Biometrika
   1986;73:573-581.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simtrial import search
from simtrial.analysis import inference, properties
from simtrial.analysis.figures import COLOURS, draw_errors
from simtrial.design.designs import Look, MultiStage, looks_text
from simtrial.design.endings import endings
from simtrial.lessons import blackboard
from simtrial.phrases import counted, percent
from simtrial.show.picture import BLACK, BLUE, GREEN, ORANGE, Picture, canvas, few_ticks, percent_ticks, styled

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.lessons.blackboard import Pair
    from simtrial.numbers import Floats

MARKERS = {"mle": "o", "umvue": "s"}
NAMES = {"mle": "observed rate S/N (MLE)", "umvue": "UMVUE"}


@dataclass(frozen=True, slots=True)
class Split:
    """The observed rate by how the trial ended; arrays of shape (rates,).

    Attributes
    ----------
    stopped : ndarray
        P(the trial stops at its first look).
    if_stopped, if_went_on : ndarray
        Mean of S/N in either case; NaN where it cannot happen.
    """

    stopped: Floats
    if_stopped: Floats
    if_went_on: Floats

    @property
    def mean(self) -> Floats:
        """E_p(S/N)."""
        there = np.array([self.stopped, 1 - self.stopped])
        parts = np.nan_to_num(np.array([self.if_stopped, self.if_went_on]))
        whole: Floats = (there * parts).sum(axis=0)
        return whole


def split(design: Design, p: Floats) -> Split:
    """Sum over the endings of a design, those at the first look apart."""
    found = endings(design)
    chance, early = found.probability(p), found.stage == 1
    rate, means = found.responses / found.n, []
    for where in (early, ~early):
        whole = chance[:, where].sum(axis=-1)
        sums = (chance[:, where] * rate[where]).sum(axis=-1)
        means.append(np.divide(sums, whole, out=np.full(whole.shape, np.nan), where=whole > 1e-12))
    return Split(chance[:, early].sum(axis=-1), *means)


def _design(rates: Pair, criterion: str) -> Design:
    return search.choose(blackboard.asked(rates), criterion)


def _stretch(rates: Pair) -> Floats:
    """True rates worth showing."""
    return np.linspace(0.005, min(0.995, rates[1] + 1.5 * (rates[1] - rates[0])), 200)


def bias(rates: Pair, criterion: str) -> Picture:
    """The bias of the observed rate over the true rate, with the two conditional means that make it."""
    design, p = _design(rates, criterion), _stretch(rates)
    parts = split(design, p)
    error = parts.mean - p
    figure, (left, right) = canvas(2, 10.0, 4.0)
    with styled():
        left.plot(p, error, color=BLUE)
        left.axhline(0, color=BLACK, linewidth=0.9)
        left.set_title("Bias: mean observed rate minus true rate", fontsize=10, pad=16)
        right.plot(p, parts.if_went_on, color=GREEN, linestyle="-.", label="mean of the trials that continue")
        right.plot(p, parts.mean, color=BLUE, label="mean of all trials")
        right.plot(p, parts.if_stopped, color=ORANGE, linestyle="--", label="mean of the trials that stop at the look")
        right.plot(p, p, color=BLACK, linewidth=0.9, linestyle=":", label="true rate")
        right.set_title("Mean observed rate by the end of the trial", fontsize=10, pad=16)
        for axis in (left, right):
            axis.set_xlabel("True response rate p")
            percent_ticks(axis.xaxis)
            few_ticks(axis.yaxis)
            blackboard.mark(axis, rates[0], "p0")
            blackboard.mark(axis, rates[1], "p1")
        figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    k = int(np.argmin(error))
    said = (
        f"{looks_text(design, ', ')}: the bias of the observed rate is {blackboard.points(error[k])} at p = {p[k]:.2f}."
    )
    alt = (
        f"Bias of the observed rate of {looks_text(design, ', ')} over the true rate, and the mean observed rates of "
        "all trials, of those that stop at the interim analysis and of those that continue; exact sums."
    )
    return blackboard.headed(Picture("bias", alt, figure), said, rates)


def why(rates: Pair, criterion: str, p: float) -> Picture:
    """Every observed rate that a trial can end with, at one true rate, by how it ended."""
    design = _design(rates, criterion)
    found, parts = endings(design), split(design, np.array([p]))
    chance, early = found.probability(p), found.stage == 1
    figure, (axis,) = canvas(1, 8.2, 4.0)
    with styled():
        for where, colour, hatch, name, mean in (
            (early, ORANGE, "//", "stopped at the look", parts.if_stopped[0]),
            (~early, GREEN, "", "continued to stage 2", parts.if_went_on[0]),
        ):
            rate, share = found.responses[where] / found.n[where], chance[where].sum()
            seen = chance[where] > 1e-4
            axis.bar(
                rate[seen], chance[where][seen], 0.011, color=colour, hatch=hatch, edgecolor="white", linewidth=0.3,
                label=f"{name}: {percent(float(share))} of the trials, mean rate {percent(float(mean))}",
            )  # fmt: skip
            axis.plot(mean, 0, "^", color=colour, markeredgecolor=BLACK, markersize=11, clip_on=False, zorder=5)
        axis.axvline(p, color=BLACK, linewidth=1.2, label=f"true rate p = {p:g}")
        axis.axvline(
            parts.mean[0],
            color=BLUE,
            linewidth=1.6,
            linestyle="--",
            label=f"mean of all trials: {percent(float(parts.mean[0]))}",
        )
        axis.set_xlabel("Observed rate S/N")
        axis.set_ylabel("Probability")
        percent_ticks(axis.xaxis)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    n1, n = design.looks[0].n, design.looks[-1].n
    said = (
        f"Too few responses in the first {counted(n1, 'patient')} by chance end the trial; too many are averaged with "
        f"those of {counted(n - n1, 'further patient')}."
    )
    alt = (
        f"Probability of every observed rate with which {looks_text(design, ', ')} can end at the true rate p = {p:g}, "
        "by whether the trial stops at the interim analysis; triangles mark the two conditional means. Exact."
    )
    return blackboard.headed(Picture("why_biased", alt, figure), said)


def simulated(rates: Pair, criterion: str, trials: int, seed: int) -> Picture:
    """The bias of the observed rate and of the UMVUE in simulated trials, beside the exact curves."""
    design, p = _design(rates, criterion), _stretch(rates)
    every = inference.every_ending(design, rates[0])
    curve = properties.properties(every, p)
    at = np.linspace(p[0], p[-1], 10)[1:]
    errors = [_errors(every, float(rate), k, trials, seed) for k, rate in enumerate(at)]
    figure, (axis,) = canvas(1, 8.2, 4.0)
    seen = {}
    with styled():
        for shift, name in enumerate(MARKERS):
            seen[name] = blackboard.means([values[name] for values in errors])
            axis.plot(p, curve.bias[name], color=COLOURS[name], linestyle="-" if shift else "--",
                      label=f"{NAMES[name]}: exact")  # fmt: skip
            blackboard.dots(
                axis, at + 0.004 * shift, seen[name], f"{NAMES[name]}: simulated; bars: two MCSE", COLOURS[name],
                MARKERS[name],
            )  # fmt: skip
        axis.axhline(0, color=BLACK, linewidth=0.7)
        axis.set_xlabel("True response rate p")
        axis.set_ylabel("Mean estimate minus true rate")
        percent_ticks(axis.xaxis)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    k = int(np.argmax(np.abs(properties.properties(every, at).bias["mle"])))
    exact = float(properties.properties(every, at[k]).bias["mle"][0])
    naive = seen["mle"]
    said = (
        f"At p = {at[k]:.3f} the observed rate has a bias of {blackboard.points(naive.mean[k])} (MCSE "
        f"{100 * naive.mcse[k]:.2f}) in {counted(trials, 'simulated trial')}, exact value {100 * exact:+.2f}."
    )
    alt = (
        f"Bias of the observed rate and of the UMVUE for {looks_text(design, ', ')}: exact curves, and "
        f"{counted(trials, 'simulated trial')} at each of {at.size} true rates with bars of two Monte Carlo standard "
        "errors."
    )
    return blackboard.headed(Picture("simulated_bias", alt, figure), said)


def _errors(every: inference.Inference, p: float, index: int, trials: int, seed: int) -> dict[str, Floats]:
    """Estimate minus truth of each simulated trial."""
    done = blackboard.trials(blackboard.without_losses(every.design), p, index, seed, trials)
    found = every.endings
    place = {(int(m), int(s)): k for k, (m, s) in enumerate(zip(found.stage, found.responses, strict=True))}
    which = np.array([place[ending] for ending in zip(done.stage.tolist(), done.responses.tolist(), strict=True)])
    return {name: every.estimates[name][which] - p for name in MARKERS}


def cure(rates: Pair, criterion: str) -> Picture:
    """Exact bias and root mean squared error of each estimate."""
    design, p = _design(rates, criterion), _stretch(rates)
    every = inference.every_ending(design, rates[0])
    found = properties.properties(every, p)
    figure, axes = canvas(2, 10.0, 4.2)
    with styled():
        draw_errors(axes, every, found)
        for axis in axes:
            axis.set_xlabel("True response rate p")
            percent_ticks(axis.xaxis)
            few_ticks(axis.yaxis)
            for rate in rates:
                axis.axvline(rate, color="#888888", linewidth=0.9, linestyle=(0, (2, 2)))
    worst = {name: float(np.max(np.abs(found.bias[name]))) for name in ("mle", "umvue", "bias_adjusted")}
    said = (
        f"Largest absolute bias in percentage points: observed rate {100 * worst['mle']:.2f}, bias-adjusted "
        f"{100 * worst['bias_adjusted']:.2f}, UMVUE {100 * worst['umvue']:.2f}."
    )
    alt = (
        f"Bias and root mean squared error of each estimate for {looks_text(design, ', ')} over the true rate; exact "
        "sums."
    )
    return blackboard.headed(Picture("cure", alt, figure), said, rates)


def answer(asked: Requirements) -> blackboard.Folded:
    """The sign of the bias with a stop for efficacy, and the estimates of a trial just above its bound."""
    design = search.two_stage(asked).optimal
    first, last = design.looks
    e1 = (last.r or 0) + 1
    # the same trial that may stop only for efficacy: at the look there are as many responses as the end requires
    mirrored = MultiStage((Look(first.n, None, min(e1, first.n)), Look(last.n, last.r)))
    p = np.array([asked.p1])
    down, up = (float((split(d, p).mean - p)[0]) for d in (design, mirrored))
    seen = inference.analyze(design, e1, asked.p0, stage=2)
    estimates = {name: value for name, value in seen.estimates.items() if value is not None}
    return blackboard.Folded(
        "answer_biased_after_stopping",
        (
            f"No, it is too high. At p1 the design {looks_text(design, ', ')} has a bias of {blackboard.points(down)}. "
            f"With the same numbers of patients and a stop for efficacy only ({looks_text(mirrored, ', ')}) the bias "
            f"is {blackboard.points(up)}: now too many responses by chance end the trial.",
            f"If a trial of the optimal design ends with {counted(seen.responses, 'response')} in "
            f"{counted(seen.n, 'patient')}, the observed rate is {percent(estimates['mle'])}, the UMVUE "
            f"{percent(estimates['umvue'])} and the median unbiased estimate {percent(estimates['median_unbiased'])}. "
            "The protocol states which estimate is reported, and why.",
        ),
    )
