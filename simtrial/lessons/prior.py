"""The lesson `what_a_prior_does`: a prior is worth patients, and it moves the bounds of a rule.

One rule, BOP2 with lambda and gamma fixed, is drawn under several priors: each gives a list of bounds, with its exact
type I error and power (`simtrial.lessons.prior_bounds`). The simulated trials are judged by the posterior probability
itself and not by the bounds, so that they are a check of these.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from simtrial import glossary
from simtrial.lessons import blackboard, live
from simtrial.lessons.prior_bounds import (
    ASKED,
    GAMMA,
    LAM,
    LOOKS,
    MOST_N,
    by_patients,
    by_threshold,
    drawn,
    hopeful,
    quarters,
    ruled,
    sizes,
    steps,
    three,
    verdicts_of,
)
from simtrial.phrases import agreeing, counted, percent, percent_beside, spanned, stated
from simtrial.search.bayesian.posterior import BetaPrior
from simtrial.show.inks import RATES as RATE_INKS
from simtrial.show.inks import Ink
from simtrial.show.picture import BLACK, BLUE, RED, SKY, Picture, canvas, percent_ticks, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simtrial.lessons.blackboard import Pair
    from simtrial.lessons.prior_bounds import RuleBounds
    from simtrial.numbers import Floats

MEAN = live.Rate("Mean of the prior", 0.4, 0.05, 0.95, step=0.05)
SIZE = live.Whole("Effective sample size", 20, 1, 40)
SEEN = live.Whole("Responses in 20 patients", 3, 0, 20)
P0 = live.Rate(glossary.head("p0"), 0.2, 0.05, 0.95, step=0.05)
RATES = replace(blackboard.RATES, value=(0.2, 0.4))
THRESHOLD = live.Rate("Threshold lambda", 0.985, 0.9, 0.999, step=0.001)
TRUE = live.Rate("True rate p", 0.2, 0.02, 0.6)

ALL = counted(LOOKS[-1], "patient")
PATIENTS = 20
"""Patients whose responses are seen in the first figure."""

INKS = {"sceptical": Ink(BLUE, "-.", "v"), "neutral": Ink(BLACK, "-", "o"), "hopeful": Ink(RED, "--", "^")}
"""How each prior is drawn."""


def learnt(mean: float, size: int, responses: int, p0: float) -> Picture:
    """Prior, likelihood and posterior, and the patients that stand behind them."""
    prior = BetaPrior.of(mean=mean, size=size)
    after = BetaPrior(prior.a + responses, prior.b + PATIENTS - responses)
    p = np.linspace(0, 1, 401)[1:-1]
    laws = (
        ("prior", prior, RED, "--"),
        ("likelihood", _likelihood(responses), BLACK, ":"),
        ("posterior", after, BLUE, "-"),
    )
    figure, axes = canvas(2, 11.0, 4.2)
    with styled():
        for label, law, colour, dash in laws:
            axes[0].plot(p, _density(law, p), color=colour, linestyle=dash, label=label)
        shown = p >= p0
        axes[0].fill_between(
            p[shown], _density(after, p)[shown], color=SKY, alpha=0.35, linewidth=0, label="posterior above p0"
        )
        blackboard.mark(axes[0], p0, "p0")
        axes[0].set_xlim(0, 1)
        axes[0].set_ylim(0, 1.15 * max(float(_density(law, p).max()) for law in (_likelihood(responses), after)))
        axes[0].set_yticks([])
        axes[0].set_xlabel("Response rate p")
        percent_ticks(axes[0].xaxis)
        _stacked(axes[1], [("prior", prior.a, size), ("trial", responses, PATIENTS), ("both", after.a, after.size)])
        figure.legend(
            *(one + other for one, other in zip(*(axis.get_legend_handles_labels() for axis in axes), strict=True)),
            loc="outside lower center", ncols=6, fontsize=9,
        )  # fmt: skip
    said = (
        f"The prior counts as {prior.a:g} {agreeing(prior.a, 'response')} in {counted(size, 'patient')}, which is "
        f"{percent(size / (size + PATIENTS))} of all patients. With {counted(responses, 'response')} in {PATIENTS} "
        f"patients the mean moves from {percent(prior.mean)} to {percent(after.mean)}, and P(p > p0) from "
        f"{percent(float(prior.beyond(p0, 0, 0)))} to {percent(float(after.beyond(p0, 0, 0)))}."
    )
    alt = (
        f"Densities of the prior Beta({prior.a:g}, {prior.b:g}), of the likelihood with area 1 and of the posterior "
        f"Beta({after.a:g}, {after.b:g}); beside them the responses and patients that each is worth."
    )
    return blackboard.headed(Picture("worth_of_a_prior", alt, figure), said)


def _likelihood(responses: int) -> BetaPrior:
    """The likelihood of the patients seen, as a law of the rate: with area 1."""
    return BetaPrior(responses + 1, PATIENTS - responses + 1)


def _density(law: BetaPrior, p: Floats) -> Floats:
    from scipy import special

    found: Floats = np.exp((law.a - 1) * np.log(p) + (law.b - 1) * np.log1p(-p) - special.betaln(law.a, law.b))
    return found


def _stacked(axis: Axes, rows: list[tuple[str, float, float]]) -> None:
    """Responses and other patients, one bar per source."""
    place = np.arange(len(rows))
    hit, every = (np.array([float(row[k]) for row in rows]) for k in (1, 2))
    axis.barh(place, hit, 0.6, color=BLUE, label="responses")
    axis.barh(place, every - hit, 0.6, hit, color="#cccccc", label="other patients")
    for y, (x, n) in enumerate(zip(hit, every, strict=True)):
        axis.annotate(f"{x:g} of {n:g}", (n, y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9)
    axis.set_yticks(place, [row[0] for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlim(0, 1.25 * float(every.max()))
    axis.set_xlabel("Patients")


def opinions(size: int, rates: Pair) -> Picture:
    """The bounds of one rule under three priors, and the exact type I error and power of each."""
    priors = three(*rates, size)
    rules = {one.name: ruled(one.prior, rates[0]) for one in priors}
    figure, axes = canvas(2, 11.0, 4.6)
    with styled():
        _bounds(axes[0], rules)
        _errors(axes[1], rules, rates)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    each = "; ".join(
        f"{name} {percent_beside(rule.at(rates[0])[0], ASKED.alpha)} and {percent(rule.at(rates[1])[0])}"
        for name, rule in rules.items()
    )
    said = (
        f"One rule, three priors, three lists of bounds. Type I error and power: {each}. The sceptical and the hopeful "
        f"prior are worth {counted(size, 'patient')} each."
    )
    alt = (
        f"Futility bounds of BOP2 with lambda {LAM:g} and gamma {GAMMA:g} at {ALL} under three priors: "
        f"{'; '.join(f'{name} {rule.text}' for name, rule in rules.items())}. Beside them P(reject H0) at p0 and at "
        "p1, exact."
    )
    return blackboard.headed(Picture("one_rule_three_priors", alt, figure), said, rates)


def _bounds(axis: Axes, rules: dict[str, RuleBounds]) -> None:
    for k, (name, rule) in enumerate(rules.items()):
        ink, shift = INKS[name], 1.3 * (k - 1)
        known = [(n, r) for n, r in zip(rule.looks_at, rule.r, strict=True) if r >= 0]
        axis.plot(
            [n + shift for n, _ in known], [r for _, r in known], color=ink.colour, linestyle=ink.dash,
            marker=ink.marker, label=f"{name} prior",
        )  # fmt: skip
        for n, r in known:
            axis.annotate(
                f"{r}", (n + shift, r), xytext=((-7, 8, 8)[k], (4, -12, -12)[k]), textcoords="offset points",
                ha="center", fontsize=9, color=ink.text,
            )  # fmt: skip
    axis.set_title("The trial stops with this many responses or fewer", fontsize=10)
    axis.set_xlabel("Patients at the look")
    axis.set_xticks(LOOKS)
    axis.set_xlim(LOOKS[0] - 4, LOOKS[-1] + 4)
    top = max(3, *(r for rule in rules.values() for r in rule.r))
    axis.set_ylim(-0.14 * top, 1.15 * top)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))


def _errors(axis: Axes, rules: dict[str, RuleBounds], rates: Pair) -> None:
    place = np.arange(len(rules))
    for k, (rate, key, limit) in enumerate(zip(rates, ("p0", "p1"), (ASKED.alpha, ASKED.power), strict=True)):
        values = np.array([rule.at(rate)[0] for rule in rules.values()])
        axis.barh(
            place + 0.2 * (2 * k - 1), values, 0.38, color=[INKS[name].colour for name in rules], alpha=(0.95, 0.4)[k]
        )
        for y, value in zip(place + 0.2 * (2 * k - 1), values, strict=True):
            axis.annotate(
                f"{key}: {percent(float(value))}", (value, y), xytext=(4, 0), textcoords="offset points", va="center",
                fontsize=9,
            )  # fmt: skip
        axis.axvline(limit, color=RATE_INKS[key].colour, linestyle=RATE_INKS[key].dash, linewidth=1.2)
    axis.set_yticks(place, list(rules))
    axis.set_ylim(len(rules) - 0.5, -0.5)
    axis.set_xlim(0, 1.28)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axis.set_title("P(reject H0); lines: alpha and power asked", fontsize=10)
    percent_ticks(axis.xaxis)


def sharpened(size: int) -> Picture:
    """Type I error and power of the rule as a prior that agrees with p1 becomes sharper."""
    many = np.arange(1, SIZE.most + 1)
    found = np.array([[ruled(hopeful(int(m)), ASKED.p0).at(p)[0] for p in (ASKED.p0, ASKED.p1)] for m in many])
    before = np.array([float(hopeful(int(m)).beyond(ASKED.p0, 0, 0)) for m in many])
    figure, (axis,) = canvas(1, 8.6, 4.4)
    with styled():
        axis.plot(many, found[:, 1], color=BLUE, drawstyle="steps-mid", label="power")
        axis.plot(many, found[:, 0], color=RED, linestyle="--", drawstyle="steps-mid", label="type I error")
        axis.plot(many, before, color=BLACK, linestyle=":", label="P(p > p0) before the first patient")
        axis.axhline(ASKED.alpha, color=RED, linewidth=0.9, label=f"alpha = {ASKED.alpha:g}")
        axis.plot([size, size], found[size - 1], "o", color=BLACK, markersize=6)
        axis.set_xlim(0, SIZE.most + 1)
        axis.set_ylim(0, 1.03)
        axis.set_xlabel(f"Patients that the prior with mean {ASKED.p1:g} is worth")
        percent_ticks(axis.yaxis)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    rule = ruled(hopeful(size), ASKED.p0)
    said = (
        f"With a prior of mean {ASKED.p1:g} that is worth {counted(size, 'patient')}, the rule rejects H0 with "
        f"probability {percent_beside(float(found[size - 1, 0]), ASKED.alpha)} at p0, where alpha is "
        f"{stated(ASKED.alpha)}. Before the first patient P(p > p0) is {percent(float(before[size - 1]))}; at the end "
        f"H0 is rejected with {counted(rule.r[-1] + 1, 'response')} or more in {LOOKS[-1]}."
    )
    alt = (
        f"Exact type I error and power of BOP2 with lambda {LAM:g} and gamma {GAMMA:g} at n = {spanned(LOOKS)}, over "
        f"the weight of a prior with mean {ASKED.p1:g}, from 1 to {counted(SIZE.most, 'patient')}. The bounds under "
        f"the prior that is marked are {rule.text}."
    )
    return blackboard.headed(Picture("sharper_prior", alt, figure), said)


def mended(size: int, lam: float) -> Picture:
    """What brings the type I error back: a larger threshold, or more patients with it."""
    prior = hopeful(size)
    raised, enough = by_threshold(prior, ASKED.p0, ASKED.alpha), by_patients(prior, ASKED.p0, ASKED.alpha, lam)
    lams = [THRESHOLD.least, *(one for one in steps(prior, ASKED.p0) if THRESHOLD.least < one < 0.9999)]
    rules = [ruled(prior, ASKED.p0, (low + high) / 2) for low, high in pairwise([*lams, 0.9999])]
    by_n = [ruled(prior, ASKED.p0, lam, quarters(n)).at(ASKED.p0)[0] for n in sizes()]
    figure, axes = canvas(2, 11.0, 4.4)
    with styled():
        for p, colour, dash, label in ((ASKED.p1, BLUE, "-", "power"), (ASKED.p0, RED, "--", "type I error")):
            axes[0].plot(
                lams, [rule.at(p)[0] for rule in rules], color=colour, linestyle=dash, drawstyle="steps-post",
                label=label,
            )  # fmt: skip
        axes[1].plot(sizes(), by_n, color=RED, linestyle="--", marker="o", markersize=3, linewidth=1.0)
        for axis, at in ((axes[0], raised.above), (axes[1], enough)):
            axis.axhline(ASKED.alpha, color=RED, linewidth=0.9, label=f"alpha = {ASKED.alpha:g}")
            if at is not None:
                axis.axvline(at, color=BLACK, linestyle=":", linewidth=1.5, label="first that keeps alpha")
            percent_ticks(axis.yaxis)
        axes[0].set_title(f"{ALL}, another threshold", fontsize=10)
        axes[0].set_xlabel("Threshold lambda")
        axes[0].set_ylim(0, 1.03)
        axes[1].set_title(f"Type I error with threshold {lam:g} and more patients", fontsize=10)
        axes[1].set_xlabel("Patients N, four looks at equal distances")
        axes[1].set_ylim(0, 1.15 * max(*by_n, ASKED.alpha))
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    patients = f"no N up to {MOST_N} keeps alpha"
    if enough is not None:
        later = any(error > ASKED.alpha for n, error in zip(sizes(), by_n, strict=True) if n > enough)
        patients = f"N = {enough} is the first to keep alpha{', but some larger N do not' if later else ''}"
    said = (
        f"With {ALL} the threshold must be above {raised.above:.4f} instead of {LAM:g}. The bounds are "
        f"then {raised.rule.text}, the type I error is {percent(raised.rule.at(ASKED.p0)[0])} and the power "
        f"{percent(raised.rule.at(ASKED.p1)[0])}. With the threshold {lam:g}, {patients}."
    )
    alt = (
        f"Type I error and power of BOP2 with gamma {GAMMA:g} under a prior of mean {ASKED.p1:g} that is worth "
        f"{counted(size, 'patient')}: left over the threshold lambda, right over the number of patients; exact."
    )
    return blackboard.headed(Picture("back_under_alpha", alt, figure), said)


def judged(p: float, size: int, trials: int, seed: int) -> Picture:
    """The same simulated trials under three priors: how often each rejects H0, and with how many patients."""
    responses = drawn(p, trials, seed)
    figure, axes = canvas(2, 11.0, 3.6, share_y=True)
    priors = three(ASKED.p0, ASKED.p1, size)
    place, exact = np.arange(len(priors)), np.array([ruled(one.prior, ASKED.p0).at(p) for one in priors]).T
    verdicts = [verdicts_of(one.prior, responses) for one in priors]
    found = (
        blackboard.shares([rejected for rejected, _ in verdicts], exact[0]),
        blackboard.means([patients for _, patients in verdicts]),
    )
    with styled():
        for axis, value, seen, title in zip(
            axes, exact, found, ("P(reject H0)", "Mean number of patients"), strict=True
        ):
            axis.plot(value, place, "|", color=BLUE, markersize=18, markeredgewidth=2.5, label="exact value")
            axis.errorbar(
                seen.mean, place, xerr=2 * seen.mcse, color=RED, marker="o", markersize=4, linestyle="none", capsize=3,
                label=blackboard.BARS,
            )  # fmt: skip
            axis.set_title(title, fontsize=10)
        axes[0].set_xlim(0, 1.03)
        axes[1].set_xlim(0, LOOKS[-1] + 1)
        percent_ticks(axes[0].xaxis)
        axes[0].set_yticks(place, [f"{one.name} prior" for one in priors])
        axes[0].set_ylim(len(priors) - 0.5, -0.5)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    both = int((verdicts[0][0] != verdicts[-1][0]).sum())
    each = "; ".join(
        f"{one.name} {blackboard.share(float(mean), float(mcse), float(value))}"
        for one, mean, mcse, value in zip(priors, found[0].mean, found[0].mcse, exact[0], strict=True)
    )
    said = (
        f"True rate {p:g}: in {both} of {counted(trials, 'trial')} the sceptical and the hopeful prior decide "
        f"differently about the same patients. P(reject H0): {each}."
    )
    alt = (
        f"Share of {counted(trials, 'simulated trial')} that reject H0, and mean number of patients, under three "
        "priors: exact values, and bars of two Monte Carlo standard errors. Each trial is judged by its posterior "
        "probability."
    )
    return blackboard.headed(Picture("same_trials_three_priors", alt, figure), said)


def answer(size: int, responses: int, lam: float) -> blackboard.Folded:
    """What a prior of this mean and weight does to the rule, and what brings it back."""
    neutral = ruled(three(ASKED.p0, ASKED.p1, size)[1].prior, ASKED.p0)
    prior = BetaPrior(responses, size - responses)
    rule, raised = ruled(prior, ASKED.p0), by_threshold(prior, ASKED.p0, ASKED.alpha)
    more, before = by_patients(prior, ASKED.p0, ASKED.alpha, lam), float(prior.beyond(ASKED.p0, 0, 0))
    assert more is not None  # all four of the prior of the notebook
    assert raised.rule.r[-1] == neutral.r[-1]
    assert by_patients(prior, ASKED.p0, ASKED.alpha, LAM) is None
    assert before > LAM
    larger = ruled(prior, ASKED.p0, lam, quarters(more))
    error, power = (rule.at(p)[0] for p in (ASKED.p0, ASKED.p1))
    return blackboard.Folded(
        "answer_what_a_prior_does",
        (
            f"The rule now rejects H0 with {counted(rule.r[-1] + 1, 'response')} or more in {ALL} instead of "
            f"{neutral.r[-1] + 1}. Its type I error is {percent(error)} instead of {percent(neutral.at(ASKED.p0)[0])}, "
            f"{error / ASKED.alpha:.1f} times alpha; its power is {percent(power)} instead of "
            f"{percent(neutral.at(ASKED.p1)[0])}. Before the first patient P(p > p0) is {percent(before)}, which "
            f"already exceeds the threshold {LAM:g} of the end.",
            f"Thresholds above {raised.above:.4f} keep alpha. With {raised.lam:g} the type I error is "
            f"{percent(raised.rule.at(ASKED.p0)[0])}, the power {percent(raised.rule.at(ASKED.p1)[0])}, and the last "
            f"bound is {raised.rule.r[-1]}/{LOOKS[-1]}, as under the neutral prior. What remains of the prior is that "
            f"the trial stops later: its bounds are {raised.rule.text} instead of {neutral.text}, and EN(p0) is "
            f"{raised.rule.at(ASKED.p0)[1]:.1f} instead of {neutral.at(ASKED.p0)[1]:.1f} patients.",
            f"With the threshold {LAM:g} and four looks at equal distances no N up to {MOST_N} keeps alpha, since the "
            f"weight of the prior falls slowly. With {lam:g} it takes {counted(more, 'patient')}: the type I error is "
            f"{percent(larger.at(ASKED.p0)[0])}, the bounds are {larger.text}. Exact errors belong to the bounds, not "
            "to the prior: two rules with the same bounds are the same test.",
        ),
    )
