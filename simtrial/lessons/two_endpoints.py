"""The lesson `two_endpoints_one_trial`: a rule that stops for toxicity, and what it takes from the test of response.

The response design is Simon's optimal one. Beside it a boundary for toxicity looks at every patient, and stops the
trial, without a claim, once enough of the first n patients have had a toxicity. All endings are exact; the trials of a
class are drawn at the rate under the slider.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from simtrial import search
from simtrial.conduct import runs
from simtrial.design.designs import looks_text
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.lessons import blackboard, live
from simtrial.phrases import agreeing, counted, percent, percent_beside, stated
from simtrial.search.bryant_day import solution
from simtrial.search.bryant_day.law import law
from simtrial.search.bryant_day.question import BothRates
from simtrial.show.inks import ENDS, TOXICITY
from simtrial.show.picture import BLACK, BLUE, RED, Picture, canvas, percent_ticks, styled
from simtrial.toxicity.boundary import ToxicityBoundary, ToxicityLook, crossing
from simtrial.toxicity.calibrate import calibrated
from simtrial.toxicity.joint import endings
from simtrial.toxicity.kinds import BoundaryShape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simtrial.design.designs import Design
    from simtrial.lessons.blackboard import Pair
    from simtrial.numbers import Bools
    from simtrial.search.bryant_day.solution import BothFound
    from simtrial.toxicity.joint import JointEndings
    from simtrial.toxicity.kinds import BoundaryKind

ASKED = blackboard.asked((0.1, 0.3))
"""The question of response behind all figures."""

TOLERATED = live.Rates(("Acceptable rate of toxicity", "Unacceptable rate"), (0.2, 0.4), 0.1, 0.05, most=0.8)
CROSSING = live.Choice(
    "Probability of crossing at the acceptable rate", {"0.05": 0.05, "0.1": 0.1, "0.15": 0.15, "0.2": 0.2}
)
SHAPE = live.Choice("Boundary", {"Pocock": "pocock", "O'Brien-Fleming": "obf"})
ASSOCIATION = live.Choice(
    "Odds ratio of response and toxicity",
    {"1: independent": 1.0, "4": 4.0, "1/4": 0.25, "infinite": math.inf, "0": 0.0},
)
BETS = tuple(
    live.Whole(f"Stop with this many toxicities in {n}", b, 1, n) for n, b in ((5, 3), (10, 4), (20, 7), (29, 9))
)
"""A boundary by hand: toxicities that stop the trial among the first 5, 10, 20 and 29 patients."""

TRUE = live.Rate("True rate of toxicity", 0.2, 0.02, 0.7)
CLASS = live.Choice("Trials", {"30": 30, "100": 100, "1,000": 1000})

SHOWN = 60
"""Most trials of each kind that are drawn."""

PARTS = {
    "toxicity": ("stopped for toxicity", TOXICITY),
    "futility": ("stopped for futility", ENDS["futile"]),
    "failure": ("completed, H0 not rejected", ENDS["not_rejected"]),
    "success": ("completed, H0 rejected", ENDS["rejected"]),
}
"""The endings of the design by name: what they are called, and their colour."""


@lru_cache(maxsize=256)
def ruled(kind: BoundaryKind, acceptable: float, limit: float, n: int) -> ToxicityBoundary | None:
    """The boundary of a type with looks at every patient; None if none crosses so rarely."""
    try:
        return calibrated(BoundaryShape(kind, acceptable), range(1, n + 1), limit).boundary
    except InputError:
        return None


def _optimal() -> Design:
    return search.two_stage(ASKED).optimal.design


def price(tolerated: Pair, limit: float, kind: BoundaryKind, odds_ratio: float) -> Picture:
    """How the trial ends with the rule at each pair of true rates, beside the design without it."""
    design = _optimal()
    boundary = ruled(kind, tolerated[0], limit, design.looks[-1].n)
    alone = operating_characteristics(design, [ASKED.p0, ASKED.p1]).reject.tolist()
    places = [(name, p, theta) for theta in tolerated for name, p in (("p0", ASKED.p0), ("p1", ASKED.p1))]
    found = [endings(design, boundary, p=p, toxicity=theta, odds_ratio=odds_ratio) for _, p, theta in places]
    figure, (axis,) = canvas(1, 9.6, 4.0)
    with styled():
        _stacked(axis, [f"p = {name} = {p:g}\ntoxicity {theta:g}" for name, p, theta in places], found)
        for k, (name, _, _) in enumerate(places):
            for start, end in ((k - 0.45, k - 0.31), (k + 0.31, k + 0.45)):  # beside the bar, not across its numbers
                axis.plot(
                    [alone[name == "p1"]] * 2, [start, end], color=BLACK, linewidth=2.0,
                    label="P(reject H0) without the rule" if not k and start < 0 and end < 0 else None,
                )  # fmt: skip
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    kept, none = found[1].reject, "" if boundary is not None else " No boundary of this type crosses so rarely."
    said = (
        f"At the acceptable rate the power falls from {percent(alone[1])} to {percent(kept)}, and the type I error "
        f"from {percent(alone[0])} to {percent(found[0].reject)}. At the unacceptable rate the rule stops "
        f"{percent(found[2].shares['toxicity'])} of the trials at p0, and {percent(found[3].shares['toxicity'])} at "
        f"p1.{none}"
    )
    alt = (
        f"Shares of the endings of {looks_text(design, ', ')} with a boundary for toxicity at every patient, at p0 and "
        f"p1 and at the acceptable and the unacceptable rate of toxicity ({tolerated[0]:g}, {tolerated[1]:g}); exact."
    )
    return blackboard.headed(Picture("price_of_the_rule", alt, figure), said)


def _stacked(axis: Axes, names: list[str], found: list[JointEndings]) -> None:
    """A bar per pair of rates; rejections at the left, so that the power is read from 0."""
    left, place = np.zeros(len(found)), np.arange(len(found))
    for key in ("success", "failure", "futility", "toxicity"):
        label, colour = PARTS[key]
        width = np.array([one.shares[key] for one in found])
        axis.barh(place, width, 0.62, left, color=colour, label=label)
        for y, (start, share) in enumerate(zip(left, width, strict=True)):
            if share >= 0.05:
                axis.annotate(
                    percent(share), (start + share / 2, y), ha="center", va="center", fontsize=8.5,
                    color="black" if key == "failure" else "white",
                )  # fmt: skip
        left += width
    axis.set_yticks(place, names, fontsize=9)
    axis.set_ylim(len(found) - 0.5, -0.5)
    axis.set_xlim(0, 1)
    axis.set_xlabel("Probability")
    percent_ticks(axis.xaxis)


def by_hand(five: int, ten: int, twenty: int, all_: int, rate: float, trials: int, seed: int) -> Picture:
    """The toxicities of a class of trials against a boundary that somebody chose."""
    boundary = ToxicityBoundary(
        tuple(ToxicityLook(n, b) for n, b in zip((5, 10, 20, 29), (five, ten, twenty, all_), strict=True))
    )
    toxic = _class(rate, trials, seed)
    counts = np.cumsum(toxic, axis=1)
    at = np.stack([counts[:, look.n - 1] >= (look.b or 0) for look in boundary.looks], axis=1)
    crossed = at.any(axis=1)
    exact = float(crossing(boundary, [rate]).ever[0])
    stop = np.where(crossed, np.array([look.n for look in boundary.looks])[np.argmax(at, axis=1)], 29)
    paths_of = np.pad(counts.astype(np.float64), ((0, 0), (1, 0)))
    paths_of[np.arange(30) > stop[:, np.newaxis]] = np.nan
    figure, (axis,) = canvas(1, 8.6, 4.4)
    x, shown = np.arange(30), ((~crossed, "#999999", "not crossed"), (crossed, TOXICITY, "crossed"))
    with styled():
        for which, colour, label in shown:
            paths = paths_of[which]
            for k, path in enumerate(paths[:SHOWN]):
                axis.plot(
                    x, path, color=colour, linewidth=0.9, alpha=0.6,
                    label=f"trials, boundary {label}" if not k else None,
                )  # fmt: skip
        axis.plot(
            [look.n for look in boundary.looks], [look.b or 0 for look in boundary.looks], "v", color=RED, markersize=9,
            label="stop if at least",
        )  # fmt: skip
        for look in boundary.looks:
            axis.annotate(
                f"{look.b}", (look.n, look.b or 0), xytext=(8, 4), textcoords="offset points", fontsize=10, color=RED
            )
        axis.set_xlim(0, 30.5)
        axis.set_ylim(0, max(float(counts.max()), *(look.b or 0 for look in boundary.looks)) + 1.5)
        _whole(axis)
        axis.set_xlabel("Patients, in the order of enrollment")
        axis.set_ylabel("Patients with a toxicity")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    mcse, n = math.sqrt(exact * (1 - exact) / trials), int(crossed.sum())
    said = (
        f"At a true rate of {rate:g}, {n} of {counted(trials, 'trial')} {agreeing(n, 'crosses', 'cross')} this "
        f"boundary: {blackboard.share(n / trials, mcse, exact)}."
    )
    alt = (
        f"Numbers of toxicities over patients in {counted(min(trials, SHOWN), 'simulated trial')}, with the boundary "
        f"{', '.join(f'{look.b} of {look.n}' for look in boundary.looks)}; the exact probability of crossing is a sum."
    )
    return blackboard.headed(Picture("boundary_by_hand", alt, figure), said)


def _whole(axis: Axes) -> None:
    """Ticks of counts."""
    from matplotlib.ticker import MaxNLocator

    axis.yaxis.set_major_locator(MaxNLocator(integer=True))


@lru_cache(maxsize=64)
def _class(rate: float, trials: int, seed: int) -> Bools:
    """Who of 29 patients has a toxicity, in each of some trials; a larger class begins with the smaller one."""
    toxic: Bools = np.random.default_rng(runs.stream(seed, 0, 0)).random((trials, 29)) < rate
    return toxic


def shapes(tolerated: Pair, limit: float) -> Picture:
    """Two boundaries with one crossing probability: their counts, and how early each of them stops."""
    n = _optimal().looks[-1].n
    figure, axes = canvas(2, 10.6, 4.2)
    told, drawn = [], []
    with styled():
        for name, kind, colour, dash in (("Pocock", "pocock", BLUE, "-"), ("O'Brien-Fleming", "obf", RED, "--")):
            boundary = ruled(kind, tolerated[0], limit, n)
            if boundary is None:
                continue
            looks = [(look.n, look.b) for look in boundary.looks if look.b is not None]
            axes[0].step(
                [n for n, _ in looks], [b for _, b in looks], where="post", color=colour, linestyle=dash,
                label=name,
            )  # fmt: skip
            at = crossing(boundary, tolerated)
            for k, width in ((0, 1.2), (1, 2.2)):
                axes[1].plot(
                    [look.n for look in boundary.looks], np.cumsum(at.at_look[k]), color=colour, linestyle=dash,
                    linewidth=width,
                )  # fmt: skip
            drawn.append(name)
            told.append(
                f"{name}'s boundary is crossed with probability {percent(float(at.ever[1]))}, and the trial has "
                f"{at.en[1]:.1f} patients on average if nothing else stops it"
            )
        axes[0].set_title("Stop if at least this many toxicities", fontsize=10)
        axes[1].set_title(f"Crossed by then: toxicity {tolerated[0]:g} (thin), {tolerated[1]:g} (thick)", fontsize=10)
        percent_ticks(axes[1].yaxis)
        for axis in axes:
            axis.set_xlabel("Patients, in the order of enrollment")
            axis.set_xlim(0, n + 1)
            axis.set_ylim(bottom=0)
        _whole(axes[0])
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    said = f"At the unacceptable rate {tolerated[1]:g} {'; '.join(told)}."
    alt = (
        f"Boundaries of {' and '.join(drawn)} at every one of {counted(n, 'patient')}, each crossed with probability "
        f"at most {limit:g} at the rate {tolerated[0]:g}, and the probability of having crossed them; exact."
    )
    return blackboard.headed(Picture("two_shapes", alt, figure), said)


LIMITS = live.Choice("Largest probability of recommending a treatment that fails once", {"0.1": 0.1, "0.15": 0.15})


@lru_cache(maxsize=16)
def both(tolerated: Pair, alpha: float, *, worst: bool) -> BothFound:
    """Bryant and Day's designs for the same rates: limits under independence, or at every association."""
    t0, t1 = round(1 - tolerated[1], live.DIGITS), round(1 - tolerated[0], live.DIGITS)
    asked = BothRates(r0=ASKED.p0, r1=ASKED.p1, t0=t0, t1=t1, alpha_r=alpha, alpha_t=alpha, power=ASKED.power)
    return solution.search(asked, phi="worst" if worst else "independence")


def tested(tolerated: Pair, alpha: float) -> Picture:
    """How often designs with two tests recommend the treatment, over the association."""
    log = np.linspace(-6, 6, 61)
    phi = np.concatenate([[0.0], np.exp(log), [np.inf]])
    place = np.concatenate([[-7.0], log, [7.0]])
    figure, axes = canvas(2, 10.6, 4.2)
    names = {"under independence": (False, RED, "--"), "at every association": (True, BLUE, "-")}
    told = []
    with styled():
        for name, (everywhere, colour, dash) in names.items():
            found = both(tolerated, alpha, worst=everywhere).optimal
            asked, design = found.asked, found.design
            toxic, good = (law(design, asked.r1, t, phi).recommend for t in (asked.t0, asked.t1))
            axes[0].plot(place, toxic, color=colour, linestyle=dash, label=f"limits kept {name}")
            axes[1].plot(place, good, color=colour, linestyle=dash)
            told.append(
                f"Limits kept {name}: n = {design.n}; a toxic treatment is recommended with probability up to "
                f"{percent_beside(float(toxic.max()), alpha)}, a safe one with at least "
                f"{percent_beside(float(good.min()), ASKED.power)}."
            )
        for axis, limit, title in (
            (axes[0], alpha, "Effective but toxic: P(recommend)"),
            (axes[1], ASKED.power, "Effective and safe: P(recommend)"),
        ):
            axis.axhline(limit, color=BLACK, linewidth=1.0, linestyle=":")
            axis.set_title(title, fontsize=10)
            axis.set_xlabel("Odds ratio of response and no toxicity")
            axis.set_xticks([-7, *np.log([0.01, 0.1, 1, 10, 100]), 7], ["0", "0.01", "0.1", "1", "10", "100", "inf."])
            percent_ticks(axis.yaxis)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    said = " ".join(told)
    alt = (
        "Probability that two optimal Bryant-Day designs recommend an effective treatment, if it is too toxic and if "
        "it is safe, over the odds ratio of response and no toxicity from 0 to infinity; exact. Dotted: the limits."
    )
    return blackboard.headed(Picture("two_tests", alt, figure), said)


def repaired(tolerated: Pair, limit: float, kind: BoundaryKind) -> tuple[Design, JointEndings, JointEndings] | None:
    """The optimal design of the smallest planned power with which the rule leaves the power asked; at p0 and at p1."""
    for thousandths in range(round(1000 * ASKED.power), 960, 5):
        design = search.two_stage(
            blackboard.asked((ASKED.p0, ASKED.p1), ASKED.alpha, thousandths / 1000)
        ).optimal.design
        boundary = ruled(kind, tolerated[0], limit, design.looks[-1].n)
        at = [endings(design, boundary, p=p, toxicity=tolerated[0]) for p in (ASKED.p0, ASKED.p1)]
        if at[1].reject >= ASKED.power:
            return design, at[0], at[1]
    return None


def answer(tolerated: Pair, limit: float) -> blackboard.Folded:
    """What the rule costs, what repairs it, and what two tests take instead."""
    design = _optimal()
    n = design.looks[-1].n
    alone = float(operating_characteristics(design, ASKED.p1).reject)
    boundary = ruled("pocock", tolerated[0], limit, n)
    with_rule = endings(design, boundary, p=ASKED.p1, toxicity=tolerated[0])
    assert boundary is not None  # of the rates of the notebook
    crossed = float(crossing(boundary, [tolerated[0]]).ever[0])
    apart = endings(design, boundary, p=ASKED.p1, toxicity=tolerated[0], odds_ratio=0.0)
    along = endings(design, boundary, p=ASKED.p1, toxicity=tolerated[0], odds_ratio=math.inf)
    mended = repaired(tolerated, limit, "pocock")
    assert mended is not None  # of the rates of the notebook
    bigger, null, kept = mended
    two = both(tolerated, LIMITS.value, worst=True).optimal.design
    return blackboard.Folded(
        "answer_two_endpoints_one_trial",
        (
            f"The rule takes {100 * (alone - with_rule.reject):.1f} percentage points of power at the acceptable rate: "
            f"{percent(alone)} becomes {percent(with_rule.reject)}. It cannot take more than the probability of "
            f"crossing, {percent(crossed)} (the limit is {stated(limit)}), at any association: with an odds ratio of 0 "
            f"the power is {percent(apart.reject)}, with an infinite one {percent(along.reject)}. The type I error "
            "cannot rise, as a trial that is stopped for toxicity makes no claim.",
            f"{looks_text(bigger, ', ')}, planned with a larger power, still has {percent(kept.reject)} with the rule. "
            f"Its type I error with the rule is {percent(null.reject)}, and it takes {kept.en:.1f} patients on average "
            f"at p1 instead of {with_rule.en:.1f}.",
            f"A stopping rule is no test: nothing limits the probability of a claim at the unacceptable rate. Bryant "
            f"and Day's design tests both endpoints. With limits of {percent(LIMITS.value)} for a treatment that fails "
            f"on one of them, and {percent(ASKED.power)} power, at every association, it takes "
            f"{counted(two.n, 'patient')}, and looks at toxicity twice only: after the first {two.n1}, and at the end.",
        ),
    )
