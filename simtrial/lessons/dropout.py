"""The lesson `what_dropout_does`: each handling of dropout has its own errors or its own estimand.

See `simtrial.laws.laws` for the exact decision under each handling, and `simtrial.plan.recut` for recalculated bounds.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from simtrial import glossary, search
from simtrial.design.designs import SingleStage, looks_text
from simtrial.design.requirements import Requirements
from simtrial.laws import decision
from simtrial.laws.inflation import enlarged
from simtrial.laws.losses import AMONG, AsRun
from simtrial.lessons import blackboard, live
from simtrial.phrases import counted, listed, percent, stated
from simtrial.plan.allowances import enrolled_for
from simtrial.plan.dropout import Dropout
from simtrial.show.picture import BLACK, BLUE, GREEN, ORANGE, RED, Picture, canvas, few_ticks, percent_ticks, styled

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.laws.losses import Among, RunFigures
    from simtrial.numbers import Floats
    from simtrial.plan.plan import Handling, Plan

DROPOUT = live.Rate(f"{glossary.head('dropout')}, probability d", 0.1, 0.0, 0.4)

ASKED = Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8)
"""The question behind the trial of this lesson."""

HANDLINGS: dict[str, tuple[Handling, bool, str, str, str]] = {
    "count as non-responders": ("nonresponder", False, BLUE, "-", "o"),
    "replace by new patients": ("replace", False, GREEN, "--", "s"),
    "exclude, planned bounds": ("exclude", False, ORANGE, ":", "^"),
    "exclude, recalculated bounds": ("exclude", True, RED, "-.", "D"),
}
"""Each handling: its name in `simtrial.plan.plan`, whether bounds are recalculated, and how it is drawn."""

WHO = {"all patients alike": 1.0, "mostly non-responders (odds ratio 1/4)": 0.25, "non-responders only": 0.0}
"""Who drops out: the odds of dropout of a patient who would respond, over those of one who would not."""

WHO_DROPS_OUT = live.Choice(f"{glossary.head('dropout')}, who", WHO)

LOSS_LABEL = {
    odds: "Probability d of dropout" + (" of patients who would not respond" if odds < 1 else "")
    for odds in WHO.values()
}

LOSSES = np.linspace(0.0, 0.4, 17)
"""Probabilities of dropout along the bottom of the figures."""


def plan(handling: str, d: float, who: float, design: SingleStage | None = None) -> Plan:
    """The lesson's trial under one handling: the minimax design, or another."""
    kind, recut, *_ = HANDLINGS[handling]
    base = blackboard.without_losses(design or search.two_stage(ASKED).minimax.design)
    bounds = ASKED if recut else None
    return replace(base, dropout=Dropout(d, who), handling=kind, recut=bounds)


@lru_cache(maxsize=64)
def _errors(handling: str, who: float) -> Floats:
    """P(reject) at p0 and p1 for each of `LOSSES`: shape (losses, 2). Kept, for recalculated bounds take a while."""
    p = np.array([ASKED.p0, ASKED.p1])
    return np.array([decision.decision(plan(handling, float(d), who), p).reject for d in LOSSES])


def errors(d: float, who: float) -> Picture:
    """Type I error and power under each handling, over the probability of dropout."""
    p, at = np.array([ASKED.p0, ASKED.p1]), {}
    figure, axes = canvas(2, 10.0, 4.2)
    with styled():
        for name, (_, _, colour, dash, marker) in HANDLINGS.items():
            at[name] = decision.decision(plan(name, d, who), p).reject
            for k, axis in enumerate(axes):
                axis.plot(LOSSES, _errors(name, who)[:, k], color=colour, linestyle=dash, linewidth=2.2)
                axis.plot(d, at[name][k], marker, color=colour, markeredgecolor=BLACK, markersize=8)
            label = f"{name}: {percent(at[name][0])}, {percent(at[name][1])}"
            axes[0].plot([], [], marker, color=colour, linestyle=dash, markeredgecolor=BLACK, label=label)
        for axis, title, limit in zip(axes, ("Type I error", "Power"), (ASKED.alpha, ASKED.power), strict=True):
            axis.axhline(limit, color=BLACK, linewidth=0.9)
            axis.axvline(d, color="#888888", linewidth=0.9, linestyle=(0, (2, 2)))
            axis.set_title(f"{title} (limit {limit:g})", fontsize=10)
            axis.set_xlabel(LOSS_LABEL[who])
            percent_ticks(axis.xaxis)
            few_ticks(axis.yaxis)
        axes[0].set_ylim(bottom=0)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    design = plan("replace by new patients", d, who).design
    failures = at["count as non-responders"]
    said = (
        f"{looks_text(design, ', ')}, dropout {stated(d)}: if patients without an assessment count as non-responders, "
        f"the type I error is {percent(failures[0])} and the power {percent(failures[1])}."
    )
    alt = (
        f"Exact type I error and power of {looks_text(design, ', ')} over the probability of dropout ({_who(who)}), by "
        "the handling of patients without a response assessment. Exclusion with planned bounds gives the same "
        "decisions as counting them as non-responders."
    )
    return blackboard.headed(Picture("errors_with_losses", alt, figure), said)


def _who(odds: float) -> str:
    """Who drops out, in words."""
    return next(said for said, value in WHO.items() if value == odds)


def spoken_of(handling: str, d: float | Floats, who: float, p: float) -> Floats:
    """The rate that the observed one estimates: among all enrolled, or among the evaluable patients."""
    losses = [Dropout(float(value), who) for value in np.atleast_1d(d)]
    if HANDLINGS[handling][0] == "nonresponder":
        return np.array([float(loss.seen(p)) for loss in losses])
    return np.array([float(loss.among_evaluable(p)) for loss in losses])


def estimand(d: float, who: float, p: float, trials: int, seed: int) -> Picture:
    """The rate that each handling estimates, over the probability of dropout, with simulated means beside it.

    In one stage, so that stopping does not add a bias of its own.
    """
    design, at = search.single_stage(ASKED).first.design, LOSSES[::4]
    assert isinstance(design, SingleStage)
    said = []
    figure, (axis,) = canvas(1, 8.2, 4.2)
    shown = {"count as non-responders": "all enrolled patients", "replace by new patients": "evaluable patients"}
    with styled():
        axis.axhline(p, color=BLACK, linewidth=0.9, linestyle=(0, (2, 2)), label="without dropout")
        for name, among in shown.items():
            _, _, colour, dash, marker = HANDLINGS[name]
            axis.plot(
                LOSSES, spoken_of(name, LOSSES, who, p), color=colour, linestyle=dash, label=f"among {among}: exact"
            )
            observed = []
            for k, loss in enumerate(at):
                done = blackboard.trials(plan(name, float(loss), who, design), p, k, seed, trials)
                observed.append(done.responses / done.analysed)
            seen = blackboard.means(observed)
            blackboard.dots(axis, at, seen, f"{name}: simulated; bars: two MCSE", colour, marker)
            said.append(f"{percent(float(spoken_of(name, d, who, p)[0]))} among {among}")
        axis.axvline(d, color="#888888", linewidth=0.9, linestyle=(0, (2, 2)))
        axis.set_xlabel(LOSS_LABEL[who])
        axis.set_ylabel("Response rate")
        percent_ticks(axis.xaxis)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    alt = (
        f"Mean observed response rate of a single stage of {counted(design.n, 'patient')} at the true rate {p:g}, over "
        f"the probability of dropout ({_who(who)}): exact, and means of {counted(trials, 'simulated trial')} with bars "
        "of two Monte Carlo standard errors."
    )
    return blackboard.headed(
        Picture("estimand", alt, figure), f"Dropout {stated(d)}: the response rate is {listed(said)}."
    )


def simulated(d: float, who: float, trials: int, seed: int) -> Picture:
    """Simulated shares that reject H0 under each handling, beside the exact probabilities."""
    figure, axes = canvas(2, 10.0, 3.6, share_y=True)
    place = np.arange(len(HANDLINGS))
    found = {}
    with styled():
        for index, (axis, p, title) in enumerate(
            zip(axes, (ASKED.p0, ASKED.p1), ("Type I error", "Power"), strict=True)
        ):
            plans = [plan(name, d, who) for name in HANDLINGS]
            exact = np.array([float(decision.decision(each, np.array([p])).reject[0]) for each in plans])
            done = [blackboard.trials(each, p, index, seed, trials) for each in plans]
            seen = blackboard.shares([found.reject for found in done], exact)
            axis.plot(exact, place, "|", color=BLUE, markersize=22, markeredgewidth=2.5, label="exact value")
            axis.errorbar(seen.mean, place, xerr=2 * seen.mcse, color=RED, marker="o", linestyle="none", capsize=3,
                          label=blackboard.BARS)  # fmt: skip
            axis.axvline((ASKED.alpha, ASKED.power)[index], color=BLACK, linewidth=0.9, linestyle=(0, (2, 2)))
            axis.set_yticks(place, list(HANDLINGS))
            axis.set_ylim(len(HANDLINGS) - 0.5, -0.5)
            axis.set_title(f"{title}: share of trials that reject H0 at p = {p:g}", fontsize=10)
            few_ticks(axis.xaxis)
            found[title] = (seen, exact)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    seen, exact = found["Power"]
    said = (
        f"Dropout {stated(d)}, counted as non-responders: the power in {counted(trials, 'simulated trial')} is "
        f"{blackboard.share(seen.mean[0], seen.mcse[0], exact[0])}."
    )
    alt = (
        f"Type I error and power of {looks_text(plans[0].design, ', ')} with {stated(d)} dropout ({_who(who)}), by the "
        f"handling of patients without a response assessment: exact values, and shares of "
        f"{counted(trials, 'simulated trial')} with bars of two Monte Carlo standard errors."
    )
    return blackboard.headed(Picture("simulated_losses", alt, figure), said)


SEARCHED = {
    "on paper": (BLACK, ":", "o"),
    "inflated, n/(1 - d)": (ORANGE, "--", "^"),
    "searched, p0 among all enrolled": (BLUE, "-", "s"),
    "searched, p0 among the evaluable": (GREEN, "-.", "D"),
}
"""How a design allows for dropout, and how it is drawn."""


@lru_cache(maxsize=64)
def allowed_for(d: float) -> dict[str, tuple[Design, RunFigures]]:
    """The minimax design by each way to allow for dropout, with its exact errors as the trial is run.

    Patients without an assessment count as non-responders. The first three are judged with p0 among all enrolled, the
    last with p0 among the evaluable.
    """
    run = {among: AsRun(loss=Dropout(d), handling="nonresponder", among=among) for among in AMONG}
    paper = search.two_stage(ASKED).minimax
    usual = enlarged(paper, enrolled_for(paper.n, d), d)
    strict, other = (search.two_stage(run[among].asked(ASKED)).minimax for among in AMONG)
    judged: list[tuple[Design, Among]] = [
        (paper, "enrolled"), (usual, "enrolled"), (strict, "enrolled"), (other, "evaluable"),
    ]  # fmt: skip
    return {
        name: (design, run[among].figures(design, ASKED))
        for name, (design, among) in zip(SEARCHED, judged, strict=True)
    }


def searched(d: float) -> Picture:
    """Patients, type I error and power of the minimax design, for each allowance for dropout."""
    figure, axes = canvas(3, 11.0, 4.2)
    at, said = allowed_for(d), []
    with styled():
        for name, (colour, dash, marker) in SEARCHED.items():
            every = [allowed_for(float(loss))[name] for loss in LOSSES]
            design, run = at[name]
            drawn: tuple[tuple[list[float], float], ...] = (
                ([one.looks[-1].n for one, _ in every], design.looks[-1].n),
                ([one.type_i_error for _, one in every], run.type_i_error),
                ([one.power for _, one in every], run.power),
            )
            for axis, (line, here) in zip(axes, drawn, strict=True):
                axis.plot(LOSSES, line, color=colour, linestyle=dash, linewidth=2.0)
                axis.plot(d, here, marker, color=colour, markeredgecolor=BLACK, markersize=7)
            axes[0].plot([], [], marker, color=colour, linestyle=dash, markeredgecolor=BLACK, label=name)
            said.append(f"{name} {looks_text(design, ', ')} ({percent(run.type_i_error)}, {percent(run.power)})")
        limits = ("Largest sample size n", None), ("Type I error", ASKED.alpha), ("Power", ASKED.power)
        for axis, (title, limit) in zip(axes, limits, strict=True):
            if limit is not None:
                axis.axhline(limit, color=BLACK, linewidth=0.9)
            axis.axvline(d, color="#888888", linewidth=0.9, linestyle=(0, (2, 2)))
            axis.set_title(title if limit is None else f"{title} (limit {limit:g})", fontsize=10)
            axis.set_xlabel("Probability d of dropout")
            axis.set_ylim(bottom=0)
            percent_ticks(axis.xaxis)
            few_ticks(axis.yaxis)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    alt = (
        "Largest sample size, exact type I error and power of the minimax design for p0 = 0.1, p1 = 0.3, one-sided "
        "alpha 0.05 and power 0.8 over the probability of dropout, by the allowance for dropout; patients without a "
        "response assessment count as non-responders."
    )
    headline = f"Dropout {stated(d)} (type I error and power in brackets): {'; '.join(said)}."
    return blackboard.headed(Picture("searched_with_dropout", alt, figure), headline)


def answer(d: float) -> blackboard.Folded:
    """What each handling costs, and what dropout that depends on the response does."""
    n = plan("replace by new patients", 0.0, 1.0).design.looks[-1].n
    p = np.array([ASKED.p0, ASKED.p1])
    as_failures = decision.decision(plan("count as non-responders", d, 1.0), p).reject
    replaced, only = (decision.decision(plan("replace by new patients", d, who), p).reject for who in (1.0, 0.0))
    failing = decision.decision(plan("count as non-responders", d, 0.0), p).reject
    return blackboard.Folded(
        "answer_what_dropout_does",
        (
            f"With {stated(d)} dropout the power is {percent(as_failures[1])} if patients without an assessment count "
            f"as non-responders. If they are replaced it is {percent(replaced[1])}, as on paper, but {n / (1 - d):.1f} "
            f"patients are enrolled on average for {n} evaluable ones. The two handlings answer different questions: "
            f"at p1 the response rate is {stated(ASKED.p1 * (1 - d))} among all enrolled patients and "
            f"{stated(ASKED.p1)} among the evaluable ones.",
            "If only patients who would not respond drop out, the response rate among the evaluable patients is higher "
            f"than among all. If dropouts are replaced, the type I error is then {percent(only[0])} instead of at most "
            f"{stated(ASKED.alpha)}; if they count as non-responders it is {percent(failing[0])}. The protocol "
            "therefore states the handling before the trial begins.",
        ),
    )
