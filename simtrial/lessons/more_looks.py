"""The lesson `why_look_more_often`: what a third look, a stop for efficacy and a look at every patient save.

All designs meet the same limits. Beside them stands what no rule is below, even if it looks at every patient and draws
lots (`simtrial.search.stopping.bellman`).

A trial with EN patients and EL analyses on average that holds accrual for each analysis takes EN / rate + EL t months,
where t is the time from enrollment to the response status: each analysis waits for its last patient.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simtrial import search
from simtrial.design.designs import looks_short
from simtrial.design.endings import endings
from simtrial.design.exact import operating_characteristics
from simtrial.design.largest import largest_en
from simtrial.lessons import blackboard, live
from simtrial.phrases import counted
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.search import curtailed, figures, simon, single
from simtrial.search.aim import Aim
from simtrial.search.stopping import bellman, solution
from simtrial.search.stopping.bellman import Board
from simtrial.show.inks import SPARE
from simtrial.show.picture import BLACK, BLUE, RED, Picture, canvas, few_ticks, percent_ticks, styled

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements
    from simtrial.lessons.blackboard import Pair, Simulated
    from simtrial.numbers import Floats
    from simtrial.plan.plan import Plan
    from simtrial.search.stopping.solution import Solution
    from simtrial.show.inks import Ink

APART = 0.18
"""Least distance of p0 and p1 under a slider: below it the search with three stages takes seconds."""

RATES = replace(blackboard.RATES, apart=APART)
GOAL = live.Choice("Make small", {"EN(p0)": "p0", "EN(p1)": "p1"})
READOUT = live.Rate("Months until a status is known", 2.0, 0.1, 6.0, step=0.1)

ASKED = blackboard.asked((0.1, 0.3))
"""The question behind the trials that are simulated."""

PER_MONTH = 2.0
"""Patients per month of `blackboard.without_losses`."""

THREE, FAST = "three_stage_optimal", "efficacy_en_p1"
KEYS = (single.FIRST.key, curtailed.CERTAIN.key, simon.OPTIMAL.key, "efficacy_en_p0", FAST, THREE)
"""The criteria of the designs that are compared."""

EVERY = "look at every patient"
"""What the design is called that looks at every patient."""


@dataclass(frozen=True, slots=True)
class DesignDrawn:
    """A design with its name and its line.

    Attributes
    ----------
    name : str
        As in the register of criteria, or `EVERY`.
    ink : Ink
        How it is drawn in all figures of the lesson.
    en : tuple of float
        EN(p0) and EN(p1).
    """

    name: str
    design: Design
    ink: Ink
    en: Pair

    @property
    def label(self) -> str:
        """Name and looks."""
        return f"{self.name}\n{looks_short(self.design, 3)}"


class DesignsDrawn(NamedTuple):
    """The designs that are compared, and what no rule with at most n patients is below at p0 and at p1."""

    designs: tuple[DesignDrawn, ...]
    n: int
    least: Pair

    def en(self, name: str) -> Pair:
        """EN(p0) and EN(p1) of the design with a name or a key."""
        wanted = search.CRITERIA[name].name if name in search.CRITERIA else name
        return next(row.en for row in self.designs if row.name == wanted)


@lru_cache(maxsize=64)
def compared(asked: Requirements) -> DesignsDrawn:
    """All designs, the one that looks at every patient included.

    That one has at most as many patients as the others. A design with few looks is a rule on all looks too, so the best
    rule found is never behind it.
    """
    few: list[DesignDrawn] = []
    for key in KEYS:
        ink = figures.ink(key) if key != FAST else SPARE[1]
        found = search.family(asked, key).best
        few.append(DesignDrawn(search.CRITERIA[key].name, found.design, ink, (found.en_p0, found.en_p1)))
    n = max(row.design.looks[-1].n for row in few)
    looks = tuple(range(1, n + 1))
    rules = bounded(asked, looks, "p0")
    designs = [*rules.designs[:1], *(row.design for row in few)]
    expected = [_expected(design, asked) for design in designs]
    best = int(np.argmin(np.round([en_p0 for en_p0, _ in expected], 9)))
    every = DesignDrawn(EVERY, designs[best], figures.ink("best_bounds_en_p0"), expected[best])
    return DesignsDrawn((*few, every), n, (rules.least, bellman.least(asked, looks, Aim(en_p1=1.0))))


@lru_cache(maxsize=256)
def bounded(asked: Requirements, looks: tuple[int, ...], goal: str) -> Solution:
    """The best rule found on these looks, and what none is below, in the time that a slider leaves."""
    weights = (1.0, 0.0) if goal == "p0" else (0.0, 1.0)
    return solution.quick(Board(asked=asked, looks=looks, weights=weights))


def _expected(design: Design, asked: Requirements) -> Pair:
    at = operating_characteristics(design, [asked.p0, asked.p1]).en.tolist()
    return at[0], at[1]


def saved(rates: Pair, alpha: float, power: float) -> Picture:
    """EN(p0) and EN(p1) of every design, beside what no rule is below."""
    asked = blackboard.asked(rates, alpha, power)
    rows = compared(asked)
    place, nowhere = np.arange(len(rows.designs)), f"no rule with at most {counted(rows.n, 'patient')} is here"
    figure, axes = canvas(2, 11.0, 4.6, share_y=True)
    with styled():
        for k, (axis, name) in enumerate(zip(axes, ("p0", "p1"), strict=True)):
            least = rows.least[k]
            axis.axvspan(0, least, color="#e8e8e8", zorder=0, label=nowhere)
            axis.axvline(least, color=BLACK, linewidth=1.3)
            for y, row in zip(place, rows.designs, strict=True):
                axis.plot([least, row.en[k]], [y, y], color=row.ink.colour, linewidth=1.2)
                axis.plot(row.en[k], y, row.ink.marker, color=row.ink.colour, markersize=7)
                axis.annotate(
                    f"{row.en[k]:.2f}", (row.en[k], y), xytext=(7, -3.5), textcoords="offset points", fontsize=9
                )
            axis.set_xlim(0, 1.16 * max(row.en[k] for row in rows.designs))
            axis.set_title(f"If p = {name} = {rates[k]:g}: EN({name}), at least {least:.2f}", fontsize=10)
            axis.set_xlabel("Mean number of patients")
            few_ticks(axis.xaxis)
        axes[0].set_yticks(place, [row.label for row in rows.designs], fontsize=8.5)
        axes[0].set_ylim(len(place) - 0.5, -0.5)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center")
    one, two, three, every = (rows.en(key)[0] for key in (KEYS[0], simon.OPTIMAL.key, THREE, EVERY))
    said = (
        f"If the true rate is p0, one stage takes {counted(int(one), 'patient')}, two stages take {two:.2f} on "
        f"average, three stages {three:.2f}, and looks at every patient {every:.2f}. No rule takes fewer than "
        f"{rows.least[0]:.2f}."
    )
    each = "; ".join(f"{row.name} {row.en[0]:.2f} and {row.en[1]:.2f}" for row in rows.designs)
    alt = (
        f"Expected sample sizes at p0 and at p1 of {counted(len(place), 'design')} that meet both limits: {each}. No "
        f"rule with at most {counted(rows.n, 'patient')} has an EN(p1) below {rows.least[1]:.2f}. All values are exact."
    )
    return blackboard.headed(Picture("saved_by_looks", alt, figure), said, rates, APART)


def spaced(n: int) -> list[tuple[int, ...]]:
    """Looks at equal distances up to n patients: 1, 2, 4 and 8 of them, and n; each set holds the one before."""
    some = [2**k for k in range(4) if 2**k < n]
    return [*(tuple(round(n * k / many) for k in range(1, many + 1)) for many in some), tuple(range(1, n + 1))]


def number(rates: Pair, alpha: float, power: float, goal: str) -> Picture:
    """The bound and the best rule found over the number of looks."""
    asked = blackboard.asked(rates, alpha, power)
    n = search.two_stage(asked).optimal.n
    sets = spaced(n)
    found = [bounded(asked, looks, goal) for looks in sets]
    least = np.array([one.least for one in found])
    # the looks of each set are among those of the next one, and so are its rules
    best = np.fmin.accumulate([one.value if one.designs else np.nan for one in found])
    shown, place, second = np.fmax(best, least), np.arange(len(sets)), min(1, len(sets) - 1)
    figure, (axis,) = canvas(1, 8.2, 4.2)
    with styled():
        axis.bar(place, least, 0.62, color="#dddddd", label="no rule with these looks is below")
        axis.plot(place, best, "o", color=BLUE, markersize=7, label="best rule found")
        for x, y in zip(place, shown, strict=True):
            axis.annotate(f"{y:.2f}", (x, y), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=9)
        axis.set_xticks(place, [f"{len(looks)}" for looks in sets])
        axis.set_ylim(0, 1.15 * n)
        axis.set_xlabel(f"Number of looks, at equal distances up to n = {n}")
        axis.set_ylabel(f"EN({goal}), mean number of patients")
        few_ticks(axis.yaxis)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    said = (
        f"At {goal} the second look saves {shown[0] - shown[second]:.1f} of {counted(n, 'patient')} on average, all "
        f"further looks together {shown[second] - shown[-1]:.1f}."
    )
    each = [f"{counted(len(looks), 'look')} {y:.2f}" for looks, y in zip(sets, least, strict=True)]
    alt = (
        f"Bound that no rule is below for EN({goal}) with looks at equal distances up to {counted(n, 'patient')}: "
        f"{'; '.join(each)}; beside it the best rule found. All values are exact."
    )
    return blackboard.headed(Picture("number_of_looks", alt, figure), said, rates, APART)


def curves(rates: Pair, alpha: float, power: float) -> Picture:
    """EN of every design over the true rate, with the bounds at p0 and at p1."""
    asked = blackboard.asked(rates, alpha, power)
    rows = compared(asked)
    p = np.linspace(*figures.rates_shown(asked), 151)
    figure, (axis,) = canvas(1, 8.2, 4.6)
    with styled():
        for k, row in enumerate(rows.designs):
            axis.plot(
                p, operating_characteristics(row.design, p).en, color=row.ink.colour, linestyle=row.ink.dash,
                linewidth=2.6 if row.name == EVERY else 1.6, marker=row.ink.marker, markersize=5,
                markevery=(3 * k, 25), label=row.name,
            )  # fmt: skip
        axis.plot(rates, rows.least, "_", color=BLACK, markersize=22, markeredgewidth=2.5, label="no rule is below")
        axis.set_xlim(p[0], p[-1])
        axis.set_ylim(bottom=0)
        axis.set_xlabel("True response rate p")
        axis.set_ylabel("EN(p), mean number of patients")
        percent_ticks(axis.xaxis)
        few_ticks(axis.yaxis)
        blackboard.mark(axis, rates[0], "p0")
        blackboard.mark(axis, rates[1], "p1")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    every, most = rows.designs[-1], largest_en(rows.designs[-1].design)
    said = (
        f"Looks at every patient take {every.en[0]:.2f} patients on average at p0 and {every.en[1]:.2f} at p1. The "
        f"largest mean is {most.en:.2f}, at p = {most.p:.2f}."
    )
    alt = (
        f"Expected sample size of {counted(len(rows.designs), 'design')} over the true response rate, with the bounds "
        f"{rows.least[0]:.2f} at p0 and {rows.least[1]:.2f} at p1 that no rule is below. All values are exact."
    )
    return blackboard.headed(Picture("en_curves", alt, figure), said, rates, APART)


class MeanCosts(NamedTuple):
    """What a trial takes on average, and by how much the observed rate is too high."""

    analyses: float
    patients: float
    months: float
    bias: float


def cost(design: Design, p: float, readout: float) -> MeanCosts:
    """The exact means of a trial in which accrual is held for every analysis."""
    found, looks = endings(design), np.arange(1, len(design.looks) + 1)
    oc, chance = operating_characteristics(design, p), found.probability(p)
    analyses, patients = float(oc.n_distribution @ looks), float(oc.en)
    bias = float(chance @ (found.responses / found.n)) - p
    return MeanCosts(analyses, patients, patients / PER_MONTH + readout * analyses, bias)


def plan(design: Design, readout: float) -> Plan:
    """The plan behind the simulated trials: every status known after so many months, accrual on hold meanwhile."""
    return replace(blackboard.without_losses(design), disease=Disease(Assessments.fixed(readout)))


TITLES = ("Analyses", "Patients", "Months to the decision", "Bias of the observed rate")


def simulated(p: float, readout: float, trials: int, seed: int) -> Picture:
    """Analyses, patients, months and bias of each design in simulated trials, beside the exact values."""
    rows = compared(ASKED).designs
    place = np.arange(len(rows))
    exact = np.array([cost(row.design, p, readout) for row in rows]).T
    seen = _simulated(p, readout, trials, seed)
    figure, axes = canvas(4, 11.0, 4.4, share_y=True)
    with styled():
        for axis, title, value, mean in zip(axes, TITLES, exact, seen, strict=True):
            axis.plot(value, place, "|", color=BLUE, markersize=16, markeredgewidth=2.5, label="exact value")
            axis.errorbar(mean.mean, place, xerr=2 * mean.mcse, color=RED, marker="o", markersize=4, linestyle="none",
                          capsize=3, label=blackboard.BARS)  # fmt: skip
            axis.set_title(title, fontsize=10)
            few_ticks(axis.xaxis)
            if title == TITLES[-1]:
                percent_ticks(axis.xaxis)
                axis.axvline(0, color=BLACK, linewidth=0.9)
            else:
                axis.set_xlim(0, 1.1 * max(value.max(), float((mean.mean + 2 * mean.mcse).max())))
        axes[0].set_yticks(place, [row.label for row in rows], fontsize=8.5)
        axes[0].set_ylim(len(rows) - 0.5, -0.5)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    names = [row.name for row in rows]
    last, two = names.index(EVERY), names.index(search.CRITERIA[simon.OPTIMAL.key].name)
    months = seen[2]
    said = (
        f"p = {p:g}, each status known after {counted(readout, 'month')}: looks at every patient take "
        f"{months.mean[last]:.1f} months (MCSE {months.mcse[last]:.2f}, exact value {exact[2][last]:.1f}), two stages "
        f"{months.mean[two]:.1f} (MCSE {months.mcse[two]:.2f}, exact value {exact[2][two]:.1f})."
    )
    alt = (
        f"Mean number of analyses, of patients and of months to the decision, and bias of the observed rate, of "
        f"{counted(len(rows), 'design')}: exact values, and means of {counted(trials, 'simulated trial')} with bars of "
        "two Monte Carlo standard errors. Two patients per month, accrual on hold before each decision."
    )
    return blackboard.headed(Picture("simulated_looks", alt, figure), said)


def _simulated(p: float, readout: float, trials: int, seed: int) -> list[Simulated]:
    """The same in simulated trials: analyses, patients, months and bias, one value per design."""
    columns: list[list[Floats]] = [[], [], [], []]
    for k, row in enumerate(compared(ASKED).designs):
        done = blackboard.trials(plan(row.design, readout), p, k, seed, trials)
        rate = done.responses / done.analysed - p
        for column, values in zip(columns, (done.stage, done.enrolled, done.decision, rate), strict=True):
            column.append(values.astype(np.float64))
    return [blackboard.means(column) for column in columns]


def answer(p: float, readout: float) -> blackboard.Folded:
    """What each further look saves in patients and costs in months, and how much is left for any rule."""
    rows = compared(ASKED)
    at = {row.name: cost(row.design, p, readout) for row in rows.designs}
    one, curtailed_one, two, three = (
        at[search.CRITERIA[key].name] for key in (KEYS[0], curtailed.CERTAIN.key, simon.OPTIMAL.key, THREE)
    )
    every, fastest = at[EVERY], min(at, key=lambda name: at[name].months)
    soon = (two.patients - every.patients) / PER_MONTH / (every.analyses - two.analyses)
    return blackboard.Folded(
        "answer_why_look_more_often",
        (
            f"The second look saves {one.patients - two.patients:.1f} patients on average, the third "
            f"{two.patients - three.patients:.1f} more, and looks at every patient "
            f"{three.patients - every.patients:.1f} more. No rule with at most {counted(rows.n, 'patient')} has an "
            f"EN(p0) below {rows.least[0]:.2f}, so any other rule can save at most "
            f"{rows.en(EVERY)[0] - rows.least[0]:.2f} more. At p1 it is the stop for efficacy that saves patients: "
            f"three stages with stops for futility only take {rows.en(THREE)[1]:.1f} on average, two stages with both "
            f"stops {rows.en(FAST)[1]:.1f}.",
            f"The shortest mean duration is {at[fastest].months:.2f} months ({fastest}). Two stages take "
            f"{two.months:.2f} months with {two.analyses:.1f} analyses on average, looks at every patient "
            f"{every.months:.2f} months with {every.analyses:.1f}; these are faster than two stages only if each "
            f"status is known within {soon:.2f} months. The curtailed single stage has the errors of the single stage, "
            f"but takes {curtailed_one.months:.1f} months instead of {one.months:.1f} if accrual is held for every "
            "analysis. Curtailment is free only if each status is known at once.",
        ),
    )
