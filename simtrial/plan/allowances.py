"""How a number of evaluable patients is enlarged to allow for dropout: every usual formula with every rounding.

The shares are the decimals that were typed, so 18 / 0.9 is 20 and 25 x 1.1 is 27.5: `fractions`, never doubles. A half
is rounded up, which is what people do by hand and spreadsheets do; Python's `round` would take 27.5 to 28 and 26.5 to
26.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from simtrial.design.requirements import decimal

Rounding = Literal["rounded up", "rounded to the nearest", "rounded down"]

WORDS: dict[Rounding, str] = {
    "rounded up": "rounded up",
    "rounded to the nearest": "rounded to the nearest whole number (a half is rounded up)",
    "rounded down": "rounded down",
}


def nearest(value: float | Fraction) -> int:
    """Round to the nearest whole number, a half up."""
    return math.floor(value + Fraction(1, 2)) if isinstance(value, Fraction) else math.floor(value + 0.5)


def enrolled_for(n: int, loss: float) -> int:
    """Give ceil(n / (1 - d)), in fractions, so that 18 / 0.9 is 20 and not 21."""
    kept = 1 - decimal(loss)
    return -((-n * kept.denominator) // kept.numerator)


@dataclass(frozen=True, slots=True)
class Allowance:
    """One way to allow for dropout.

    Attributes
    ----------
    formula : str
        ``n/(1 - d)``, ``n(1 + d)``, or ``none``: the number is left as it is.
    rounding : str
        What becomes of a fraction of a patient.
    by_stage : bool
        Whether each stage is enlarged and rounded by itself.
    """

    formula: Literal["n/(1 - d)", "n(1 + d)", "none"]
    rounding: Rounding = "rounded up"
    by_stage: bool = False

    @property
    def name(self) -> str:
        """Short, as in the JSON: ``n/(1 - d), rounded down``."""
        if self.formula == "none":
            return "none"
        return f"{'each stage ' if self.by_stage else ''}{self.formula}, {self.rounding}"

    @property
    def sentence(self) -> str:
        """A clause that follows "provided"."""
        if self.formula == "none":
            return "the stated dropout is not added to the number of patients"
        stages = ", for each stage by itself" if self.by_stage else ""
        return f"dropout is allowed for by {self.formula}, {WORDS[self.rounding]}{stages}"

    def _enlarged(self, n: int, dropout: float) -> Fraction:
        d = decimal(dropout)
        if self.formula == "none":
            return Fraction(n)
        return n * (1 + d) if self.formula == "n(1 + d)" else n / (1 - d)

    def _whole(self, n: int, dropout: float) -> int:
        value = self._enlarged(n, dropout)
        if self.rounding == "rounded to the nearest":
            return nearest(value)
        return math.floor(value) if self.rounding == "rounded down" else math.ceil(value)

    def stages(self, n1: int, n: int, dropout: float) -> tuple[int, int]:
        """Patients to enroll by the end of each of two stages; n1 = 0 stands for a single stage."""
        first = self._whole(n1, dropout)
        return first, first + self._whole(n - n1, dropout) if self.by_stage else self._whole(n, dropout)

    def total(self, n: int, dropout: float, n1: int = 0) -> int:
        """Patients to enroll for n evaluable ones, n1 of them in the first of two stages."""
        return self.stages(n1, n, dropout)[1]

    def shown(self, n: int, dropout: float, n1: int = 0) -> str:
        """The arithmetic.

        >>> Allowance("n/(1 - d)", "rounded down").shown(25, 0.1)
        '25/0.9 = 27.78, rounded down to 27'
        """
        if self.formula == "none":
            return f"{n} without an allowance"
        parts = [n1, n - n1] if self.by_stage and n1 else [n]
        factor = 1 + decimal(dropout) if self.formula == "n(1 + d)" else 1 - decimal(dropout)
        sign = " x " if self.formula == "n(1 + d)" else "/"
        products = [f"{k}{sign}{float(factor):g} = {_decimal(self._enlarged(k, dropout))}" for k in parts]
        total = self.total(n, dropout, n1)
        if all(self._enlarged(k, dropout).denominator == 1 for k in parts):
            return " and ".join(products) + (f", {total} in all" if len(parts) > 1 else "")
        if len(parts) > 1:
            return f"{' and '.join(products)}, each {self.rounding}, {total} in all"
        if self.rounding == "rounded to the nearest":
            return f"{products[0]}, {WORDS[self.rounding]}: {total}"
        return f"{products[0]}, {self.rounding} to {total}"


def _decimal(value: Fraction) -> str:
    """A fraction with two decimals, or as many as keep it apart from a whole number."""
    if value.denominator == 1:
        return str(value.numerator)
    digits = next(k for k in range(2, 40) if 10**k % value.denominator == 0 or round(value, k).denominator != 1)
    return f"{float(value):.{digits}f}".rstrip("0")


PLAIN = Allowance("n/(1 - d)")
"""The plain reading."""

OTHERS = (
    Allowance("n/(1 - d)", "rounded to the nearest"),
    Allowance("n(1 + d)"),
    Allowance("n(1 + d)", "rounded to the nearest"),
    Allowance("n/(1 - d)", "rounded down"),
    Allowance("n(1 + d)", "rounded down"),
    Allowance("n/(1 - d)", by_stage=True),
    Allowance("n(1 + d)", by_stage=True),
    Allowance("n/(1 - d)", "rounded to the nearest", by_stage=True),
    Allowance("n(1 + d)", "rounded to the nearest", by_stage=True),
    Allowance("n/(1 - d)", "rounded down", by_stage=True),
    Allowance("n(1 + d)", "rounded down", by_stage=True),
    Allowance("none"),
)
"""In the order in which they are tried: the commonest first."""


def giving(total: int, n: int, dropout: float, n1: int = 0) -> list[Allowance]:
    """Every allowance that makes the total of n patients; those by stage only where there are two."""
    possible = (a for a in (PLAIN, *OTHERS) if n1 or not a.by_stage)
    return [a for a in possible if a.total(n, dropout, n1) == total]
