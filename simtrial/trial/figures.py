"""Figures of a trial beside its registered dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from simtrial.conduct import simulation
from simtrial.conduct.figures import GREY
from simtrial.design.designs import looks_text
from simtrial.design.second_stages import branched
from simtrial.phrases import agreeing, counted, percent, stated
from simtrial.search import named, steps
from simtrial.search.boundary import figures as boundary_figures
from simtrial.search.compare import figures as compare_figures
from simtrial.search.figures import ink, stages
from simtrial.search.posterior import figures as posterior_figures
from simtrial.search.simon import ADMISSIBLE
from simtrial.show import inks
from simtrial.show.flow import Box, Branch, Lane, draw
from simtrial.show.labels import Label, above, write
from simtrial.show.passage import Passage
from simtrial.show.picture import BLACK, BLUE, RED, SKY, Picture, canvas, styled
from simtrial.toxicity import figures as toxicity_figures
from simtrial.toxicity import text as toxicity_text
from simtrial.trial import bayesian, calendar, compared, safety, tables
from simtrial.trial.quantities import RATES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simtrial.numbers import Floats
    from simtrial.plan.plan import Plan, Scenario
    from simtrial.toxicity.joint import JointEndings
    from simtrial.trial.calendar import Landscape
    from simtrial.trial.case import Case
    from simtrial.trial.compared import ComparedDesign, SideBySide
    from simtrial.trial.safety import Safety
    from simtrial.trial.trial import Trial


def boundary(case: Case) -> Picture | None:
    """Responses against patients, with the regions in which the chosen design stops or continues.

    None for a design whose second stage depends on the first: its other picture shows all there is.
    """
    if branched(case.chosen.looks) is not None:
        return None
    return tables.noted(case, boundary_figures.boundary(case.chosen, bayesian.prior(case), case.limits.p0))


def at_looks(case: Case) -> Picture | None:
    """Posterior and predictive distributions at the interim looks; None where the design is of no Bayesian rule."""
    prior = bayesian.prior(case)
    if prior is None or not posterior_figures.drawn_looks(case.chosen):
        return None
    return tables.noted(case, posterior_figures.at_looks(case.chosen, prior, case.limits))


def rules(case: Case) -> tuple[Picture, ...]:
    """The decision rules as pictures: one, or that of the responses and that of toxicity where they need two."""
    found = safety.of(case)
    if found is None:
        return (boundary_figures.rule(case.chosen, case.requirements),)
    if len(case.chosen.looks) <= boundary_figures.MOST_BOXES:
        return (flow(found),)
    rule = found.rule
    return boundary_figures.boundary(case.chosen), toxicity_figures.boundary(
        rule.boundary, rule.acceptable, rule.unacceptable
    )


def flow(found: Safety) -> Picture:
    """The design as a flow with the rule for toxicity below its stages, with the exact probability of each ending."""
    design, rule, asked = found.design, found.rule, found.case.requirements
    rates = dict(zip(RATES, (asked.p0, asked.p1), strict=True))
    every = {
        (name, toxicity): found.at(rate, toxicity)
        for name, rate in rates.items()
        for toxicity in (rule.acceptable, rule.unacceptable)
    }

    def notes(kind: steps.Kind, k: int) -> tuple[tuple[str, str], ...]:
        return tuple(
            (
                f"at {name} = {stated(rate)}: {percent(_share(every[name, rule.acceptable], kind, design.looks[k].n))}",
                inks.RATES[name].text,
            )
            for name, rate in rates.items()
        )

    stopped = tuple(
        (f"{stated(toxicity)} toxicity, {name}: {percent(every[name, toxicity].shares['toxicity'])}", shown.text)
        for toxicity in (rule.acceptable, rule.unacceptable)
        for name, shown in zip(rates, inks.RATES.values(), strict=True)
    )
    # a count and its patients stay on one line
    counts = [one.replace(" ", "\u00a0") for one in toxicity_text.short(rule.boundary, whole=False).split(", ")]
    lane = Lane(
        head=f"Toxicity within {toxicity_text.weeks(rule)}",
        text=f"Accrual stops at any time if this many of the first patients have had one: {', '.join(counts)}.",
        colour=inks.TOXICITY,
        end=Branch(("boundary", "crossed"), Box(("Stop for toxicity", "H0 is not rejected"), inks.TOXICITY, stopped)),
    )
    caption = (
        f"Flow of the design {looks_text(design, ', ')} with the rule for toxicity, which may stop accrual at any "
        "time. H0: the true response rate is at most p0. In each box where the trial ends: the exact probability of "
        f"this ending at p0 = {stated(asked.p0)} and at p1 = {stated(asked.p1)}, for the acceptable rate of toxicity "
        f"of {stated(rule.acceptable)} where no other is named; every patient is evaluable. {sentence(found)}"
    )
    if toxicity_text.never(rule.boundary):
        caption += " Numbers of the rule that stop no trial are left out."
    reject = [percent(every[name, rule.acceptable].reject) for name in rates]
    alt = (
        f"The design {looks_text(design, ', ')} as a flow. {steps.told(design)} {toxicity_text.stops(rule.boundary)} "
        f"At the acceptable rate of toxicity H0 is rejected with probability {reject[0]} at p0 and {reject[1]} at p1."
    )
    return Picture("flow_toxicity", alt, draw(stages(design, notes), lane), caption)


def sentence(found: Safety) -> str:
    """The association that exact values hold for, as a sentence."""
    if found.odds_ratio == 1:
        return "Response and toxicity are taken to be independent."
    return f"Response and toxicity are taken to have an odds ratio of {found.odds_ratio:g}."


def _share(at: JointEndings, kind: steps.Kind, n: int) -> float:
    """The probability of an ending at a look with n patients."""
    if kind in ("rejected", "not_rejected"):
        return at.success if kind == "rejected" else at.failure
    return float((at.futility if kind == "futile" else at.efficacy)[at.n == n].sum())


def families(case: Case) -> Picture:
    """EN(p1) against EN(p0) of the best designs of each family."""
    return tables.noted(case, compare_figures.families(case.alternatives, case.two, case.chosen))


def enrollment_fan(trial: Trial, plan: Plan, scenario: Scenario, index: int, seed: int, most: int = 20_000) -> Picture:
    """Patients enrolled by each month if the trial is not stopped: median, 50% and 90% bands, the registered dates.

    The trials are those that the file asks for, `most` of them if it asks for more.
    """
    n, whole = plan.design.looks[-1].n, trial.study.months
    asked = most if trial.conduct is None else min(trial.conduct.simulation.trials, most)
    runs = [simulation.block(plan, scenario, index, seed, k)[0].entry for k in simulation.blocks(plan, asked)]
    runs[-1] = runs[-1][:, : asked - sum(entry.shape[1] for entry in runs[:-1])]
    full = np.sort(np.concatenate([_full(entry, n) for entry in runs]))
    horizon = float(full[int(0.97 * len(full))])
    if not np.isfinite(horizon):
        horizon = plan.close_month or 1.0
    months = np.linspace(0, max(horizon, 1.0), 241)
    counts = np.stack([np.concatenate([(entry <= month).sum(axis=0) for entry in runs]) for month in months])
    low, q1, middle, q3, high = np.quantile(counts, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1, method="inverted_cdf")
    figure, (axis,) = canvas(1, 7.6, 4.2)
    with styled():
        axis.fill_between(months, low, high, color=SKY, alpha=0.45, linewidth=0, label="90% of trials")
        axis.fill_between(months, q1, q3, color=BLUE, alpha=0.45, linewidth=0, label="50% of trials")
        axis.plot(months, middle, color=BLACK, label="median")
        if plan.handling != "replace":
            axis.axhline(n, color=GREY, linewidth=1)
            axis.annotate(
                counted(n, "patient"), (0, n), xytext=(4, 2), textcoords="offset points", fontsize=8.5, color="#666666"
            )
        after, dates = plan.follow_up.months_after_last, list[tuple[float, str, str]]()
        if whole is not None:
            if after is not None and whole > after:
                said = f"month {whole - after:.3g}: last enrollment that leaves\n{counted(after, 'month')} of follow-up"
                dates.append((whole - after, said, RED))
            else:
                dates.append((whole, f"month {whole:.3g}: registered completion", RED))
        for month, _, colour in dates:
            axis.axvline(month, color=colour, linestyle="--", linewidth=1.4)
        axis.set_xlim(0, max([months[-1], *(m * 1.05 for m, _, _ in dates)]))
        axis.set_ylim(0, max(float(high.max()), n) * 1.1)
        above(axis, dates)
        axis.set_xlabel(
            "Months from the start of accrual" if trial.study.start is None else f"Months from {trial.study.start}"
        )
        axis.set_ylabel("Patients enrolled")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    half = float(full[len(full) // 2])
    reached = (
        f"are enrolled by month {half:.1f} in half of the trials"
        if np.isfinite(half)
        else "are enrolled in less than half of the trials"
    )
    alt = f"Patients enrolled by month if the trial is not stopped: {counted(n, 'patient')} {reached}."
    trials = counted(sum(entry.shape[1] for entry in runs), "simulated trial")
    or_toxicity = "" if plan.toxicity_rule is None else " or for toxicity"
    or_toxicity = "" if plan.toxicity_rule is None else " or for toxicity"
    caption = (
        f"Patients enrolled by month in {trials} of the design "
        f"{looks_text(plan.design, ', ')} as it is run, at a true response rate of {scenario.rate}, if no trial is "
        f"stopped at an interim analysis{or_toxicity}: median, and the bands that hold the middle 50% and 90% of the "
        "trials."
    )
    return Picture("enrollment_fan", alt, figure, caption)


def _full(entry: Floats, n: int) -> Floats:
    """Month at which each trial has n patients; infinite if it never does."""
    months: Floats = np.sort(entry, axis=0)[n - 1]
    return months


HEAVY = 12
"""Places along a line that a name rather covers than one marker."""

PALE, FRONTIER = "#c4c4c4", "#666666"
"""Colours of designs that are not named, and of the line that joins the best of them."""


def months_and_patients(case: Case) -> Picture | Passage:
    """Expected months against expected patients at p0 and at p1: the trade between the designs worth considering.

    Behind them lie every pair of sizes that has a design and the frontier, where these do not take minutes and all
    their values are exact: bounds are not comparable with the values of the named designs.
    """
    found = compared.candidates(case, timed=True, aside=True)
    if not found.run:
        return Passage("months_and_patients", ("The parameter file does not say how the trial is run.",))
    every = {} if calendar.left_out(case) else {rate: calendar.landscape(case, rate) for rate in RATES}
    whole = bool(every) and all(one.exact.all() for one in every.values())
    figure, axes = canvas(2, 10.4, 5.2)
    with styled():
        seen = [
            _trade(axis, case, found, rate, every[rate] if whole else None)
            for axis, rate in zip(axes, RATES, strict=True)
        ]
        handles, names = axes[0].get_legend_handles_labels()
        if names:
            figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=8.5)
    alt = f"Expected months to the primary decision against patients expected to be enrolled. {'. '.join(seen)}."
    dots = ""
    if whole:
        dots = (
            "Dots: two-stage designs that meet the limits, one per pair of sizes; crosses: single stages. Line: "
            "designs than which no other has fewer months without more patients. "
        )
    elif every:
        dots = "Only the named designs are drawn, because not all values of the other designs are known exactly. "
    simulated = f", or simulated ({counted(found.trials, 'trial')}, seed {found.seed})" if found.trials else ""
    aside = "" if case.toxicity_rule is None else " without the rule for toxicity; the table has the values with it"
    caption = (
        "Expected months to the primary decision against the expected number of patients enrolled, at p0 (left) and at "
        f"p1 (right), as each design would be run{aside}. {dots}Ring: the chosen design. Values of the named designs "
        f"are exact{simulated}."
    )
    return Picture("months_and_patients", alt, figure, caption)


def _trade(axis: Axes, case: Case, found: SideBySide, rate: Literal["p0", "p1"], every: Landscape | None) -> str:
    """Draw the designs at one true rate; what there is to see."""
    held = np.array([_place(one, rate) for one in found.designs])
    known = ~np.isnan(held).any(axis=1)
    avoid, seen = np.zeros((0, 2)), f"At {rate}"
    limits = held[known]
    if every is not None:
        limits, avoid, seen = _landscape(axis, every, rate, limits)
    axis.set_xlim(*_shown(limits[:, 0]))
    axis.set_ylim(*_shown(limits[:, 1]))
    names: list[Label] = []
    for one, (patients, months), there in zip(found.designs, held.tolist(), known.tolist(), strict=True):
        if not there:
            continue
        shown = ink(*one.keys)
        axis.plot(patients, months, shown.marker, color=shown.colour, markersize=7)
        if one.chosen:
            inks.ring(axis, patients, months)
        looks, name = looks_text(one.design, ", "), _called(one)
        label = Label(patients, months, f"{looks}\n{name}{', chosen' * one.chosen}", shown.text)
        names.insert(0 if one.chosen else len(names), label)
        seen += f"; {looks} with {patients:.1f} patients and {months:.1f} months"
    write(axis, names, np.concatenate([avoid, np.repeat(held[known], HEAVY, axis=0)]))
    axis.set_title(f"At {rate} = {case.requirements.p0 if rate == 'p0' else case.requirements.p1:g}", fontsize=10)
    axis.set_xlabel("Expected number of patients enrolled")
    axis.set_ylabel("Expected months to the primary decision")
    return seen


def _called(one: ComparedDesign) -> str:
    """The first name of a design, by which it has its colour; its others stand in the table."""
    others = [key for key in one.keys if key != ADMISSIBLE]
    return named(others[:1]) if ADMISSIBLE in one.keys and others else one.name.partition(" and ")[0]


def _place(one: ComparedDesign, rate: str) -> tuple[float, float]:
    """Patients and months of a design; NaN where the plan does not take it."""
    values = [one.values.get(f"{name}_{rate}") for name in ("n_enrolled", "duration_months")]
    patients, months = (np.nan if value is None else value.value for value in values)
    return float(patients), float(months)


def _landscape(axis: Axes, every: Landscape, rate: Literal["p0", "p1"], named: Floats) -> tuple[Floats, Floats, str]:
    """Draw every design at one true rate: what the axes are to hold, what no name is to cover, what there is to see."""
    x, y, two = every.enrolled, every.months, every.designs.pairs.n1 > 0
    for which, mark, size, kind in ((two, ".", 3, "two-stage designs"), (~two, "x", 4, "single stages")):
        axis.plot(x[which], y[which], mark, color=PALE, markersize=size, label=kind, zorder=1)
    line = np.flatnonzero(every.frontier)
    line = line[np.argsort(x[line])]
    seen = f"At {rate}: {counted(len(x), 'design')} that {agreeing(len(x), 'meets', 'meet')} the limits"
    axis.plot(x[line], y[line], "-", color=FRONTIER, linewidth=1.2, label="no design is better in both", zorder=1)
    first_last = [f"{x[i]:.1f} patients and {y[i]:.1f} months" for i in (line[0], line[-1])]
    several = f", {len(line)} of them on the frontier, from {first_last[0]} to {first_last[1]}"
    seen += several if len(line) > 1 else f", one of them the best in both with {first_last[0]}"
    first = np.flatnonzero(~two)[0]
    limits = np.concatenate([named, [(x.min(), y.min()), (x[first], y[first])]])
    corners = np.column_stack([x[line], y[line]])
    return limits, np.linspace(corners[:-1], corners[1:], 40).reshape(-1, 2), seen


def _shown(held: Floats) -> tuple[float, float]:
    """Limits of an axis that holds some values, with room for names around them."""
    margin = 0.16 * max(float(np.ptp(held)), 1.0)
    return float(held.min()) - margin, float(held.max()) + margin
