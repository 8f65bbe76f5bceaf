"""How the question and its designs are worded: hypotheses, methods, requirements, numbers of patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.design.designs import looks_text
from simtrial.phrases import counted
from simtrial.search.criteria import CRITERIA
from simtrial.search.simon import ADMISSIBLE

if TYPE_CHECKING:
    from simtrial.design.designs import Design
    from simtrial.design.requirements import Requirements

NO_CRITERION = {
    ADMISSIBLE: "an admissible design that is neither minimax nor optimal",
    "Fleming": "Fleming's rule",
}
"""Exact methods that belong to no criterion, as what a design is."""

FORMULAS = {
    "score": "Fleming's formula (the variance under H0 for the type I error, that under H1 for the power)",
    "wald": "the Wald formula if the variance under H1 is used for both errors",
    "null_variance": "the normal approximation if the variance under H0 is used for both errors",
    "mean_variance": "the normal approximation if the variance at the mean of p0 and p1 is used for both errors",
    "score_continuity": "Fleming's formula with a continuity correction",
    "arcsine": "the arcsine formula (Cohen's h)",
    "logit": "the normal approximation on the scale of log odds",
    "precision": "the width of a 95% confidence interval",
    "Gehan": "Gehan's rule (a first stage that rarely has no response, then a standard error)",
}
"""Formulas for n, as what reproduces it."""

ROUNDINGS = {
    "": "",
    ", nearest": ", rounded to the nearest whole number (a half is rounded up)",
    ", truncated": ", rounded down",
}


def formula(method: str) -> str:
    """A formula for n with its rounding: "the arcsine formula (Cohen's h), rounded down"."""
    name, comma, rounding = method.partition(", ")
    return FORMULAS[name] + ROUNDINGS[comma + rounding]


def phrase(method: str) -> str:
    """An exact method as what a design is: "the Simon optimal design"; another method as it is."""
    phrases = {criterion.method: criterion.phrase for criterion in CRITERIA.values()}
    return (phrases | NO_CRITERION).get(method, method)


def called(method: str) -> str:
    """An exact method as its designs are called: "Simon optimal"; another method as it is."""
    return next((criterion.name for criterion in CRITERIA.values() if criterion.method == method), method)


def short(method: str, looks: str) -> str:
    """A design in a list: "Simon optimal 1/10,5/29"."""
    return f"{called(method)} {looks}"


def null(rate: str) -> str:
    """The null hypothesis on a rate as it is written where the words stand.

    >>> null("10%")
    'H0: p <= 10%'
    """
    return f"H0: p <= {rate}"


def question(asked: Requirements) -> str:
    """Hypotheses and limits, as a heading."""
    return (
        f"{null(f'{asked.p0:g}')} against p1 = {asked.p1:g}, alpha {asked.alpha:g} (one-sided), power {asked.power:g}"
    )


MOST_WRITTEN = 8
"""Looks up to which a design is written out where it is called by its looks."""


def by_looks(design: Design) -> str:
    """A design by its looks, or by their number where they are many: what stands after "the design"."""
    looks = design.looks
    if len(looks) <= MOST_WRITTEN:
        return looks_text(design, ", ")
    return f"of {counted(len(looks), 'look')}, n = {looks[-1].n:,}"


def limits(asked: Requirements) -> str:
    """The four numbers, in words."""
    return f"p0 = {asked.p0:g}, p1 = {asked.p1:g}, one-sided alpha {asked.alpha:g} and power {asked.power:g}"


def apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with two decimals, or as many as show that they differ."""
    for digits in range(2, 10):
        texts = f"{a:.{digits}f}", f"{b:.{digits}f}"
        if texts[0] != texts[1]:
            return texts
    return f"{a:.2f}", f"{b:.2f}"
