"""How the review words methods, and probabilities beside the limits that they keep or exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simtrial.phrases import percent, percent_beside
from simtrial.search.wording import ROUNDINGS, called

if TYPE_CHECKING:
    from simtrial.design.requirements import Requirements

TITLES = {
    "score": "Fleming's formula",
    "wald": "Wald formula (variance under H1)",
    "null_variance": "normal approximation, variance under H0",
    "mean_variance": "normal approximation, variance at the mean of p0 and p1",
    "score_continuity": "Fleming's formula with continuity correction",
    "arcsine": "arcsine formula",
    "logit": "formula on the log-odds scale",
}
"""Formulas for n, in a list of methods."""


def named(method: str) -> str:
    """A method by its name for people; files keep the key.

    >>> named("wald, truncated")
    'Wald formula (variance under H1), rounded down'
    >>> named("precision +-0.1"), named("Gehan SE 0.05"), named("Gehan")
    ('95% interval of half-width 0.1', "Gehan's rule, standard error 0.05", "Gehan's rule")
    """
    name, comma, rounding = method.partition(", ")
    if name in TITLES:
        return TITLES[name] + ROUNDINGS[comma + rounding]
    kind, _, number = method.partition(" +-" if method.startswith("precision") else " SE ")
    if kind == "precision":
        return f"95% interval of half-width {number}" if number else "precision of a 95% interval"
    if kind == "Gehan":
        return f"Gehan's rule, standard error {number}" if number else "Gehan's rule"
    return called(method)


def beside(value: float, limit: float | None) -> str:
    """An attained probability in a sentence, with more decimals where one would hide on which side of a limit it is."""
    shown = percent(value)
    return shown if limit is None or shown != percent(limit) else percent_beside(value, limit)


def attained_text(type_i_error: float, power: float | None, asked: Requirements | None = None) -> str:
    """Attained type I error and power, as what a rule has."""
    alpha, wanted = (None, None) if asked is None else (asked.alpha, asked.power)
    more = "" if power is None else f" and a power of {beside(power, wanted)}"
    return f"a type I error of {beside(type_i_error, alpha)}{more}"
