"""What all lessons share: simulated dots beside an exact curve, headlines, and folded answers."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from simtrial import glossary
from simtrial.conduct import engine, runs
from simtrial.design.requirements import Requirements
from simtrial.lessons import live
from simtrial.phrases import percent
from simtrial.plan.assessments import Assessments
from simtrial.plan.disease import Disease
from simtrial.plan.dropout import Dropout
from simtrial.plan.enrollment import Constant
from simtrial.plan.plan import Plan, Scenario
from simtrial.plan.recut import bounds_of
from simtrial.search import simon
from simtrial.show import inks
from simtrial.show.passage import Passage
from simtrial.show.picture import BLUE, RED, Picture, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from simtrial.conduct.runs import Trials
    from simtrial.design.designs import Design
    from simtrial.numbers import Floats, Numbers

Pair = tuple[float, float]
"""p0 and p1."""

APART = 0.1
"""Least distance of p0 and p1 under a slider: below it n is in the hundreds, and a search is too slow for a slider."""

FURTHER = 0.15
"""The same where trials are simulated for every n."""

RATES = live.Rates((glossary.head("p0"), glossary.head("p1")), (0.1, 0.3), APART)
ALPHA = live.Choice(glossary.head("alpha"), {"0.05": 0.05, "0.025": 0.025, "0.1": 0.1})
POWER = live.Choice(glossary.head("power"), {"0.8": 0.8, "0.85": 0.85, "0.9": 0.9})
CRITERION = live.Choice(
    glossary.head("design"), {criterion.name: criterion.key for criterion in reversed(simon.FAMILY.criteria)}
)
TRIALS = live.Choice(glossary.head("trials"), {"1,000": 1000, "100": 100, "4,000": 4000})

BARS = "simulated; bars: two Monte Carlo standard errors"


def asked(rates: Pair, alpha: float = 0.05, power: float = 0.8) -> Requirements:
    """The question that the controls set."""
    return Requirements(*rates, alpha, power)


def without_losses(design: Design) -> Plan:
    """A plan in which every patient is evaluable: two patients a month, each status known after two months."""
    return Plan(design, Constant(2.0), Disease(Assessments.fixed(2.0)), Dropout(0.0), handling="nonresponder")


@lru_cache(maxsize=64)
def trials(plan: Plan, p: float, index: int, seed: int, number: int) -> Trials:
    """Simulate a number of trials at a true rate, the `index`-th of a run.

    Kept, since a slider asks for the same trials again and again.
    """
    rng = np.random.default_rng(runs.stream(seed, index, 0))
    return engine.simulate(plan, Scenario("", p), rng, bounds_of(plan), number)


@dataclass(frozen=True, slots=True)
class Simulated:
    """Means with their Monte Carlo standard errors; arrays of one shape."""

    mean: Floats
    mcse: Floats


def means(columns: Sequence[Numbers]) -> Simulated:
    """Means of simulated values, one per column."""
    mean = np.array([column.mean() for column in columns])
    mcse = np.array([column.std(ddof=1) / np.sqrt(len(column)) for column in columns])
    return Simulated(mean, mcse)


def shares(columns: Sequence[Numbers], exact: Floats) -> Simulated:
    """Shares of trials, with the standard errors that the exact probabilities give.

    Those estimated from the trials would be 0 where all or none are alike, as after the first trial.
    """
    size = np.array([len(column) for column in columns])
    mcse: Floats = np.sqrt(exact * (1 - exact) / size)
    return Simulated(np.array([column.mean() for column in columns]), mcse)


def dots(
    axis: Axes, x: Numbers, found: Simulated, label: str | None = BARS, colour: str = RED, marker: str = "o"
) -> None:
    """Draw simulated means with bars of two standard errors."""
    axis.errorbar(
        x, found.mean, 2 * found.mcse, color=colour, marker=marker, markersize=5, linestyle="none", capsize=3,
        elinewidth=1.3, label=label,
    )  # fmt: skip


def share(mean: float, mcse: float, exact: float) -> str:
    """A simulated probability beside the exact one, in a sentence."""
    return f"{percent(mean)} (MCSE {100 * mcse:.2f}%), exact value {percent(exact)}"


def points(value: float) -> str:
    """A difference of two rates in percentage points.

    >>> points(-0.0321)
    '-3.21 percentage points'
    """
    return f"{100 * value:+.2f} percentage points"


def mark(axis: Axes, rate: float, name: str) -> None:
    """Mark a rate along the bottom."""
    axis.axvline(rate, color=inks.RATES[name].colour, linewidth=1.0, linestyle=inks.RATES[name].dash)
    axis.annotate(
        name, (rate, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points", ha="center",
        fontsize=9,
    )  # fmt: skip


LETTERS = 11
"""Letters of a heading per inch, few enough that no heading is cut off at the edge of its figure."""


def headed(picture: Picture, said: str, rates: Pair | None = None, apart: float = APART) -> Picture:
    """Write the answer above a picture, and a note where the distance of the rates is the smallest allowed."""
    if rates is not None and rates[1] - rates[0] < apart + 1e-9:
        said += (
            f"\n(In this figure p1 exceeds p0 by at least {apart:g}; for a smaller difference n becomes very large.)"
        )
    wide = int(picture.figure.get_size_inches()[0] * LETTERS)
    with styled():
        picture.figure.suptitle(
            "\n".join(textwrap.fill(line, wide) for line in said.splitlines()),
            fontsize=10.5,
            color=BLUE,
            fontweight="bold",
        )
    return Picture(picture.name, f"{' '.join(said.split())} {picture.alt}", picture.figure, picture.alt)


@dataclass(frozen=True)
class Folded(Passage):
    """The answer to an exercise, folded until it is wanted."""

    def html(self) -> str:
        """The paragraphs behind the word that unfolds them."""
        inner = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in self.paragraphs)
        return f'<details class="answer"><summary>Answer</summary>{inner}</details>'
