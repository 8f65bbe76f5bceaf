"""The lesson `biased_after_stopping`: why the observed rate of a finished trial is off, and what mends it.

With S responses in N patients the bias is B(p) = E_p(S/N) - p [1]_. It is the mean, over the two ways a trial can end,
of the conditional means E_p(S/N | stopped at the look) - p and E_p(S/N | went on) - p.

References
----------
.. [1] Whitehead J. On the bias of maximum likelihood estimation following a sequential test. Biometrika
   1986;73:573-581.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from simtrial import search
from simtrial.analysis import inference, properties
from simtrial.analysis.figures import COLOURS, draw_errors
from simtrial.design.designs import Look, MultiStage, looks_text
from simtrial.design.exact import endings
from simtrial.lessons import blackboard
from simtrial.show.picture import BLACK, BLUE, GREEN, ORANGE, STYLE, Picture, canvas, few_ticks, percent_ticks

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.lessons.blackboard import Pair
    from simtrial.numbers import Floats

MARKERS = {"mle": "o", "umvue": "s"}
NAMES = {"mle": "responses per patient (naive)", "umvue": "UMVUE"}


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
    with mpl.rc_context(STYLE):
        left.plot(p, error, color=BLUE)
        left.axhline(0, color=BLACK, linewidth=0.9)
        left.set_title("Bias: mean observed rate minus true rate", fontsize=10, pad=16)
        right.plot(p, parts.if_went_on, color=GREEN, linestyle="-.", label="mean of those that went on")
        right.plot(p, parts.mean, color=BLUE, label="mean of all")
        right.plot(p, parts.if_stopped, color=ORANGE, linestyle="--", label="mean of those stopped at the look")
        right.plot(p, p, color=BLACK, linewidth=0.9, linestyle=":", label="the truth")
        right.set_title("Mean observed rate, by how the trial ended", fontsize=10, pad=16)
        for axis in (left, right):
            axis.set_xlabel("True response rate p")
            percent_ticks(axis.xaxis)
            few_ticks(axis.yaxis)
            blackboard.mark(axis, rates[0], "p0")
            blackboard.mark(axis, rates[1], "p1")
        figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    k = int(np.argmin(error))
    said = f"{looks_text(design, ', ')}: the observed rate is off by {error[k]:+.4f} on average at p = {p[k]:.2f}."
    alt = "Bias over the true rate, and the mean observed rates of trials that stopped and of those that went on."
    return blackboard.headed(Picture("bias", alt, figure), said, rates)


def why(rates: Pair, criterion: str, p: float) -> Picture:
    """Every observed rate that a trial can end with, at one true rate, by how it ended."""
    design = _design(rates, criterion)
    found, parts = endings(design), split(design, np.array([p]))
    chance, early = found.probability(p), found.stage == 1
    figure, (axis,) = canvas(1, 8.2, 4.0)
    with mpl.rc_context(STYLE):
        for where, colour, hatch, name, mean in (
            (early, ORANGE, "//", "stopped at the look", parts.if_stopped[0]),
            (~early, GREEN, "", "went on", parts.if_went_on[0]),
        ):
            rate, share = found.responses[where] / found.n[where], chance[where].sum()
            seen = chance[where] > 1e-4
            axis.bar(
                rate[seen], chance[where][seen], 0.011, color=colour, hatch=hatch, edgecolor="white", linewidth=0.3,
                label=f"{name}: {share:.3f} of trials, mean rate {mean:.3f}",
            )  # fmt: skip
            axis.plot(mean, 0, "^", color=colour, markeredgecolor=BLACK, markersize=11, clip_on=False, zorder=5)
        axis.axvline(p, color=BLACK, linewidth=1.2, label=f"the truth, p = {p:g}")
        axis.axvline(
            parts.mean[0], color=BLUE, linewidth=1.6, linestyle="--", label=f"mean of all: {parts.mean[0]:.4f}"
        )
        axis.set_xlabel("Observed rate S/N")
        axis.set_ylabel("Probability")
        percent_ticks(axis.xaxis)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    n1, n = design.looks[0].n, design.looks[-1].n
    said = (
        f"Bad luck in the first {n1} ends the trial and stays as it is; good luck is diluted by {n - n1} more patients."
    )
    return blackboard.headed(Picture("why_biased", "Endings at one true rate.", figure), said)


def simulated(rates: Pair, criterion: str, trials: int, seed: int) -> Picture:
    """The bias of the naive and of the unbiased estimate in simulated trials, beside the exact curves."""
    design, p = _design(rates, criterion), _stretch(rates)
    every = inference.every_ending(design, rates[0])
    curve = properties.properties(every, p)
    at = np.linspace(p[0], p[-1], 10)[1:]
    errors = [_errors(every, float(rate), k, trials, seed) for k, rate in enumerate(at)]
    figure, (axis,) = canvas(1, 8.2, 4.0)
    seen = {}
    with mpl.rc_context(STYLE):
        for shift, name in enumerate(MARKERS):
            seen[name] = blackboard.means([values[name] for values in errors])
            axis.plot(p, curve.bias[name], color=COLOURS[name], linestyle="-" if shift else "--",
                      label=f"{NAMES[name]}: exact")  # fmt: skip
            blackboard.dots(
                axis, at + 0.004 * shift, seen[name], f"{NAMES[name]}: simulated, two MCSE either way", COLOURS[name],
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
        f"p = {at[k]:.3f}, {trials} trials: naive bias {naive.mean[k]:+.4f} (MCSE {naive.mcse[k]:.4f}), exactly "
        f"{exact:+.4f}."
    )
    alt = f"Simulated bias of the naive and of the unbiased estimate at {at.size} true rates, beside the exact curves."
    return blackboard.headed(Picture("simulated_bias", alt, figure), said)


def _errors(every: inference.Inference, p: float, index: int, trials: int, seed: int) -> dict[str, Floats]:
    """Estimate minus truth of each simulated trial."""
    done = blackboard.trials(blackboard.without_losses(every.design), p, index, seed, trials)
    found = every.endings
    place = {(int(m), int(s)): k for k, (m, s) in enumerate(zip(found.stage, found.responses, strict=True))}
    which = np.array([place[ending] for ending in zip(done.stage.tolist(), done.responses.tolist(), strict=True)])
    return {name: every.estimates[name][which] - p for name in MARKERS}


def cure(rates: Pair, criterion: str) -> Picture:
    """Bias and error of each estimate, exactly."""
    design, p = _design(rates, criterion), _stretch(rates)
    every = inference.every_ending(design, rates[0])
    found = properties.properties(every, p)
    figure, axes = canvas(2, 10.0, 4.2)
    with mpl.rc_context(STYLE):
        draw_errors(axes, every, found)
        for axis in axes:
            axis.set_xlabel("True response rate p")
            percent_ticks(axis.xaxis)
            few_ticks(axis.yaxis)
            for rate in rates:
                axis.axvline(rate, color="#888888", linewidth=0.9, linestyle=(0, (2, 2)))
    worst = {name: float(np.max(np.abs(found.bias[name]))) for name in ("mle", "umvue", "bias_adjusted")}
    said = (
        f"Largest bias, in size: naive {worst['mle']:.4f}, bias-adjusted {worst['bias_adjusted']:.4f}, UMVUE "
        f"{worst['umvue']:.4f}."
    )
    alt = "Bias and root mean squared error of each estimate over the true rate, by exact sums."
    return blackboard.headed(Picture("cure", alt, figure), said, rates)


def answer(asked: Requirements) -> blackboard.Folded:
    """What stopping for efficacy does to the sign, and what a trial just over its bound should print."""
    design = search.two_stage(asked).optimal
    first, last = design.looks
    e1 = (last.r or 0) + 1
    # the same trial that may stop only because its drug works: at the look as many have responded as the end asks for
    mirrored = MultiStage((Look(first.n, None, min(e1, first.n)), Look(last.n, last.r)))
    p = np.array([asked.p1])
    down, up = (float((split(d, p).mean - p)[0]) for d in (design, mirrored))
    seen = inference.analyze(design, e1, asked.p0, stage=2)
    estimates = seen.estimates
    return blackboard.Folded(
        "answer_biased_after_stopping",
        (
            f"The other way. At p1 the design {looks_text(design, ', ')} has a bias of {down:+.4f}; the same numbers "
            f"of patients with a stop for efficacy only ({looks_text(mirrored, ', ')}) have {up:+.4f}: now it is good "
            "luck that ends the trial and stays as it is.",
            f"A trial that ends with {seen.responses} of {seen.n} prints {estimates['mle']:.3f} if it is naive, "
            f"{estimates['umvue']:.3f} by the UMVUE and {estimates['median_unbiased']:.3f} by the median unbiased "
            "estimate. Say which, and why, in the protocol.",
        ),
    )
