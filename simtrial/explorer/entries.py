"""What is typed into a number box of the explorer: the number, or its fault and the remedy.

A box takes every value that a parameter file may hold, so the slider beside it may cover less. What looks like a slip
(a percentage, a decimal comma, beta in place of power) is refused with the number that was probably meant: nothing is
corrected in silence.
"""

from __future__ import annotations

import math
import re
from dataclasses import KW_ONLY, dataclass

from simtrial import glossary
from simtrial.design.requirements import meant_instead
from simtrial.errors import InputError
from simtrial.show.terminal import one_line
from simtrial.slips import PLAIN

THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+")
FRACTION = re.compile(r"([0-9.]+) ?/ ?([0-9.]+)")
PERCENT = re.compile(r"(%|\bpercent\b|\bper cent\b|\bpct\b)", re.IGNORECASE)

SHOWN = 24
"""Characters of an entry that a message repeats."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of the page.

    Attributes
    ----------
    term : str
        The key of its name in the glossary.
    hint : str
        What follows the name on the page: what it is, with its unit.
    low, high, step : float
        What the slider covers.
    least, most : float
        What may be typed.
    noun : str
        What it is called in a message: a rate, months.
    example : float
        A value that is right.
    share : bool
        Whether it is a proportion, so that values above 1 are probably percentages.
    open_least, open_most : bool
        Whether `least` and `most` themselves are excluded.
    """

    term: str
    hint: str
    _: KW_ONLY
    low: float
    high: float
    step: float
    least: float
    most: float
    noun: str
    example: float
    share: bool = True
    open_least: bool = False
    open_most: bool = False

    @property
    def head(self) -> str:
        """Its name."""
        return glossary.head(self.term)

    @property
    def label(self) -> str:
        """What stands above the box."""
        return f"{self.head}: {self.hint}"

    @property
    def meaning(self) -> str:
        """What the name means."""
        return glossary.TERMS[self.term].meaning


NUMBERS = {
    "p0": Entry(
        "p0",
        "response rate not worth pursuing",
        low=0.01,
        high=0.98,
        step=0.01,
        least=0,
        most=1,
        noun="a rate",
        example=0.1,
        open_least=True,
        open_most=True,
    ),
    "p1": Entry(
        "p1",
        "response rate worth finding",
        low=0.02,
        high=0.99,
        step=0.01,
        least=0,
        most=1,
        noun="a rate",
        example=0.3,
        open_least=True,
        open_most=True,
    ),
    "alpha": Entry(
        "alpha",
        "largest type I error, one-sided",
        low=0.005,
        high=0.25,
        step=0.005,
        least=0,
        most=0.5,
        noun="a probability",
        example=0.05,
        open_least=True,
    ),
    "power": Entry(
        "power",
        "smallest at p1",
        low=0.5,
        high=0.99,
        step=0.01,
        least=0.5,
        most=1,
        noun="a probability",
        example=0.8,
        open_most=True,
    ),
    "dropout": Entry(
        "dropout",
        "proportion of the patients",
        low=0,
        high=0.5,
        step=0.01,
        least=0,
        most=1,
        noun="a proportion",
        example=0.1,
        open_most=True,
    ),
    "rate": Entry(
        "enrollment_rate",
        "patients screened per month",
        low=0.1,
        high=20,
        step=0.1,
        least=1e-4,
        most=1e5,
        noun="a number of patients",
        example=2,
        share=False,
    ),
    "screening": Entry(
        "screening",
        "proportion enrolled",
        low=0.05,
        high=1,
        step=0.01,
        least=0.01,
        most=1,
        noun="a proportion",
        example=0.9,
    ),
    "readout": Entry(
        "readout",
        "months to a known response",
        low=0,
        high=24,
        step=0.25,
        least=0,
        most=1200,
        noun="a number of months",
        example=4,
        share=False,
    ),
    "acceptable": Entry(
        "acceptable_toxicity", "rate at which the trial should rarely stop", low=0.01, high=0.6, step=0.01, least=0,
        most=1, noun="a rate", example=0.2, open_least=True, open_most=True,
    ),
    "unacceptable": Entry(
        "unacceptable_toxicity", "rate at which it should stop", low=0.02, high=0.9, step=0.01, least=0,
        most=1, noun="a rate", example=0.4, open_least=True, open_most=True,
    ),
    "crossing": Entry(
        "crossing_limit", "largest at the acceptable rate", low=0.01, high=0.5, step=0.005, least=0,
        most=1, noun="a probability", example=0.1, open_least=True, open_most=True,
    ),
    "window": Entry(
        "toxicity_window", "weeks after enrollment", low=1, high=26, step=1, least=0.04,
        most=5200, noun="a number of weeks", example=6, share=False,
    ),
}  # fmt: skip
"""The numbers of the page; the limits are those of `Requirements`, `Dropout`, `Plan` and the enrollment models."""


def read(name: str, text: str, *, low_power: bool = False) -> float:
    """Read what was typed into the box of a number.

    Parameters
    ----------
    name : str
        A key of `NUMBERS`.
    text : str
        What is in the box.
    low_power : bool
        Whether a power below 0.5 is meant.

    Raises
    ------
    InputError
        The entry, the fault, and what to write instead.
    """
    typed = one_line(text).replace("\N{MINUS SIGN}", "-")
    shown = typed if len(typed) <= SHOWN else f"{typed[:SHOWN]}…"
    entry = NUMBERS[name]
    if not typed:
        raise InputError(f"the box is empty: write {_such_as(entry)}")
    if not PLAIN.fullmatch(typed):
        raise InputError(f"{shown} {_malformed(name, typed)}")
    value = float(typed)
    fault = _out_of_range(name, value, low_power=low_power)
    if fault:
        raise InputError(f"{shown} {fault}")
    return value


def written(value: float) -> str:
    """A number as a box shows it."""
    return f"{value:.12g}"


def improbable(name: str, value: float) -> str | None:
    """Say why a probability is probably the complement of what is meant; None if it is not."""
    instead = meant_instead(name, value)
    if instead is None:
        return None
    if name == "power":
        return f"is a power below 0.5: did you mean {written(instead)} (1 - beta)?"
    return f"is too large for alpha, the type I error: did you mean {written(instead)} (1 - {written(value)})?"


def _such_as(entry: Entry) -> str:
    return f"{entry.noun} such as {written(entry.example)}"


def _malformed(name: str, typed: str) -> str:
    """The fault of an entry that is not a plain number."""
    entry = NUMBERS[name]
    if PERCENT.search(typed):
        number = _decimal(PERCENT.sub("", typed).strip())
        if number is None or not entry.share:
            return f"is a percentage: write {_such_as(entry)}"
        return f"is a percentage: write {_meant(name, number / 100)}"
    if not entry.share and THOUSANDS.fullmatch(typed):
        whole, decimal = typed.replace(",", ""), typed.replace(",", ".")
        or_ = f", or {written(float(decimal))} if the comma marks decimals" if typed.count(",") == 1 else ""
        return f"contains a comma: write {whole}{or_}"
    number = _decimal(typed)
    if number is not None:
        return f"uses a decimal comma: write {_meant(name, number)}"
    fraction = FRACTION.fullmatch(typed)
    if fraction:
        above, below = map(_decimal, fraction.groups())
        if above is not None and below:
            return f"is a fraction: write {_meant(name, above / below)}"
    found = re.findall(r"(?<![0-9.,])[0-9]*[.,]?[0-9]+(?![0-9.,])", typed)
    number = _decimal(found[0]) if len(found) == 1 else None
    if number is not None and "-" not in typed:
        return f"contains more than a number: write {_meant(name, number)}"
    return f"is not a number: write {_such_as(entry)}"


def _decimal(typed: str) -> float | None:
    """A number with a point or a comma."""
    plain = typed.replace(",", ".", 1)
    value = float(plain) if PLAIN.fullmatch(plain) else math.nan
    return value if math.isfinite(value) else None


def _meant(name: str, value: float) -> str:
    """What to write for a value that was recognised: itself, or its hundredth if only that can be meant."""
    entry = NUMBERS[name]
    if _out_of_range(name, value) is None:
        return written(value)
    if improbable(name, value):
        return f"{written(1 - value)} (1 - {written(value)})"
    if entry.share and value > 1 and _out_of_range(name, value / 100) is None:
        return f"{written(value / 100)} for {written(value)}%"
    return _such_as(entry)


def _out_of_range(name: str, value: float, *, low_power: bool = False) -> str | None:
    """The fault of a number that the box cannot take, with the remedy; None if it can."""
    entry = NUMBERS[name]
    instead = f"write {_such_as(entry)}"
    slip = improbable(name, value)
    if slip:
        return None if low_power and name == "power" else slip
    if value < 0:
        return f"is negative: {instead}"
    if entry.share and value >= 1 and (value > 1 or entry.most < 1 or entry.open_most):
        return _as_percentage(name, value)
    if value > entry.most:
        return f"is too large, the limit is {entry.most:,.0f}: {instead}"
    if value < entry.least or (value == entry.least and entry.open_least):
        limit = "is not above" if entry.open_least else "is too small, the limit is"
        return f"{limit} {written(entry.least)}: {instead}"
    return None


def _as_percentage(name: str, value: float) -> str:
    """The fault of a proportion of 1 or more, most likely a percentage."""
    entry = NUMBERS[name]
    fault = f"is not {entry.noun}" if value > 1 else "means 100%"
    hundredth = value / 100
    slip = improbable(name, hundredth)
    if value > 1 and slip:
        return f"{fault}: {written(hundredth)} for {written(value)}% {slip}"
    if value > 100 or slip or _out_of_range(name, hundredth):
        low, high = written(entry.least), written(entry.most)
        return f"{fault}: write a number between {low} and {high}, such as {written(entry.example)}"
    return f"{fault}: write {written(hundredth)} for {written(value)}%"
