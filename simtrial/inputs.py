"""The numbers that may be given: what each is, and its bounds, in one table.

Options of the command line, keys of parameter and sweep files, columns of statements and the objects that these make
refer to an entry of `TABLE`; no bound of an input is stated anywhere else. Within the bounds every command answers, or
says in one line why numbers do not go together.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from numbers import Real
from typing import SupportsIndex

from simtrial import slips
from simtrial.errors import InputError
from simtrial.slips import PLAIN, as_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class InputNumber:
    """One number that may be given.

    Attributes
    ----------
    said : str
        What it is, for people: a response rate.
    least, most : float
        Its bounds.
    whole : bool
        Whether it is a whole number.
    share : bool
        Whether it is a proportion, so that a number above 1 is probably a percentage.
    open_least, open_most : bool
        Whether a bound itself is excluded.
    zero : bool
        Whether 0 is allowed although it is below `least`.
    unit : str
        Its unit, if it has one: months.
    metavar : str
        What stands for it in the help of an option.
    why_least, why_most : str
        What would become of a number beyond a bound, where people may wonder.
    complement : str
        What 1 minus a number below the bounds was probably meant to be.
    """

    said: str
    least: float
    most: float
    whole: bool = False
    share: bool = False
    open_least: bool = False
    open_most: bool = False
    zero: bool = False
    unit: str = ""
    metavar: str = "RATE"
    why_least: str = ""
    why_most: str = ""
    complement: str = ""

    @property
    def range(self) -> str:
        """The numbers allowed, in words: ``from 0.01 to 1,200 months``."""
        low, high = _shown(self.least), _shown(self.most)
        if self.open_least and self.open_most:
            told = f"strictly between {low} and {high}"
        elif self.open_most:
            told = f"from {low} to below {high}"
        else:
            told = f"above {low} and at most {high}" if self.open_least else f"from {low} to {high}"
        return f"{'0, or ' if self.zero else ''}{told}{self.unit and f' {self.unit}'}"

    @property
    def phrase(self) -> str:
        """What is to be written: ``a whole number from 1 to 50``."""
        return f"{'a whole number' if self.whole else 'a number'} {self.range}"

    @property
    def schema(self) -> dict[str, float]:
        """Its bounds as JSON Schema says them."""
        low = "exclusiveMinimum" if self.open_least else "minimum"
        high = "exclusiveMaximum" if self.open_most else "maximum"
        least, most = (0 if self.zero else self.least), self.most
        return {low: int(least), high: int(most)} if self.whole else {low: least, high: most}

    def check(self, value: object, field: str) -> float:
        """Check one number and give it back as a plain float.

        Raises
        ------
        InputError
            If it is not a number within the bounds.
        """
        if isinstance(value, bool) or not isinstance(value, Real):
            raise InputError(f"({value!r:.60}) is not {self.phrase}", field)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        fault = self._fault(number)
        if fault:
            raise InputError(f"({number:.10g}) {fault}", field)
        return number

    def count(self, value: object, field: str) -> int:
        """Check one whole number and give it back as a plain int.

        Raises
        ------
        InputError
            If it is not a whole number within the bounds.
        """
        # numpy's own truths have no index
        if isinstance(value, bool) or not isinstance(value, SupportsIndex):
            raise InputError(f"({value!r:.60}) is not a whole number; write {self.phrase}", field)
        number = operator.index(value)
        if not self.least <= number <= self.most:
            shown = f"{number}" if abs(number) < 10**MOST_DIGITS else f"a number of more than {MOST_DIGITS} digits"
            above = number > self.most and self.why_most
            fault = f"is above {_shown(self.most)}, {self.why_most}" if above else f"is not {self.phrase}"
            raise InputError(f"({shown}) {fault}", field)
        return number

    def read(self, text: str, field: str) -> float:
        """Read a text and check the number.

        Raises
        ------
        InputError
            If it is no number within the bounds.
        """
        try:
            found = whole(text) if self.whole else number(text)
        except InputError as error:
            raise InputError(f"({text!r:.60}) {error.message}", field) from None
        return self.count(found, field) if self.whole else self.check(found, field)

    def _fault(self, number: float) -> str:
        """What is wrong with a number; empty if nothing is."""
        if not math.isfinite(number):
            return f"is not {self._interval}" if self.share else f"is not a finite number; write {self.phrase}"
        low = number < self.least or (self.open_least and number == self.least)
        high = number > self.most or (self.open_most and number == self.most)
        if (self.zero and number == 0) or not (low or high):
            return ""
        if self.share and not 0 <= number <= 1:
            hint = as_rate(number)
            return f"is not {self._interval}{hint and f'; {hint}'}"
        if low and self.complement and 0 < number < self.least:
            return f"is below {_shown(self.least)}; did you mean {round(1 - number, 12)}, {self.complement}?"
        if low and self.why_least:
            return f"is below {_shown(self.least)}, {self.why_least}"
        if high and self.why_most:
            return f"is {'not below' if number == self.most else 'above'} {_shown(self.most)}, {self.why_most}"
        if self.share and number in (0, 1):
            return f"is not {self._interval}"
        if low and number <= 0 <= self.least:
            return "is not above 0" if self._positive else "is below 0"
        return f"is not {self.range}"

    @property
    def _positive(self) -> bool:
        return (self.least > 0 or self.open_least) and not self.zero

    @property
    def _interval(self) -> str:
        """The bounds of a proportion as people know them: 0 and 1, whatever lies next to them."""
        return "strictly between 0 and 1" if self._positive and (self.open_most or self.most < 1) else "from 0 to 1"


def _shown(bound: float) -> str:
    if bound == 2**63 - 1:
        return "2**63 - 1"
    return f"{bound:,.0f}" if abs(bound) >= 1000 else f"{bound:.10g}"


MOST_DIGITS = 40
"""Most digits of a whole number that is read, and repeated by a message."""


def number(text: str) -> float:
    """Read a number as people type it.

    Raises
    ------
    InputError
        What is wrong with the text, and what was probably meant.
    """
    told = text.strip()
    if not PLAIN.fullmatch(told) and told.lower().lstrip("+-") not in ("nan", "inf", "infinity"):
        raise InputError(slips.number(text))
    return float(told)


def whole(text: str) -> int:
    """Read a whole number as people type it.

    Raises
    ------
    InputError
        What is wrong with the text, and what was probably meant.
    """
    told = text.strip()
    if re.fullmatch(rf"[-+]?[0-9]{{1,{MOST_DIGITS}}}", told):
        return int(told)
    if re.fullmatch(r"[-+]?[0-9]+", told):
        raise InputError(f"has more than {MOST_DIGITS} digits")
    if PLAIN.fullmatch(told) and len(told) < 20 and abs(float(told)) < 1e15 and float(told).is_integer():
        raise InputError(f"is not a whole number; write {float(told):.0f}")
    raise InputError(said if "thousands" in (said := slips.number(told)) else "is not a whole number")


def _whole(said: str, least: int, most: int, *, unit: str = "", metavar: str = "N") -> InputNumber:
    return InputNumber(said=said, least=least, most=most, whole=True, unit=unit, metavar=metavar)


def _rate(said: str, least: float = 1e-9) -> InputNumber:
    """A probability strictly between 0 and 1, as near to them as every calculation carries.

    With a p0 of 1e-300 the probability of what was seen is 0 to the last digit, and estimates divide by it.
    """
    return InputNumber(said=said, least=least, most=1 - least, share=True)


def _share(said: str) -> InputNumber:
    return InputNumber(said=said, least=0, most=1, share=True)


def _months(said: str, *, zero: bool = False) -> InputNumber:
    """Up to a century, and no less than a quarter of a day: no law of time divides by less."""
    return InputNumber(said=said, least=0.01, most=1200, zero=zero, unit="months", metavar="MONTHS")


def _weeks(said: str, *, zero: bool = False) -> InputNumber:
    return InputNumber(said=said, least=0.04, most=5200, zero=zero, unit="weeks", metavar="WEEKS")


MAX_PATIENTS = 10_000
"""Largest design that is accepted: far above any single-arm trial, and still quick (`benchmarks/limits.py`)."""

TABLE: dict[str, InputNumber] = {
    # rates and probabilities
    "rate": _rate("a response rate"),
    "rate_without": _rate("a rate of patients without toxicity"),
    "error": _rate("a limit of an error rate, or a power", 1e-6),
    "true_rate": _share("a true response rate"),
    "true_toxicity": _share("a true rate of toxicity"),
    "share": _share("a proportion"),
    "level": InputNumber(
        said="a confidence level", least=0.5, most=1 - 1e-6, share=True, complement="the confidence level"
    ),
    "dropout": InputNumber(
        said="dropout before the first assessment", least=0, most=1, share=True,
        open_most=True, why_most="so no patient would be evaluable",
    ),
    "dropout_allowed": InputNumber(
        said="dropout that is allowed for", least=0, most=1, share=True,
        open_most=True, why_most="so no patient would be evaluable",
    ),
    "odds_ratio": InputNumber(said="an odds ratio", least=0.001, most=1000, zero=True, metavar="RATIO"),
    "hazard": InputNumber(said="a hazard", least=1e-6, most=1000, zero=True, unit="per month"),
    "screening_success": InputNumber(
        said="the proportion of screened patients who are enrolled", least=0.01, most=1, share=True,
        why_least="so hardly any patient would be enrolled",
    ),
    "loss_per_year": InputNumber(
        said="loss to follow-up within a year", least=0, most=1, share=True, open_most=True,
        why_most="so no patient would be followed",
    ),
    "hazard_ratio": InputNumber(
        said="the hazard ratio of responders to the others", least=0.01, most=1,
        why_most="but responders do no worse than the others",
    ),
    "percent": InputNumber(said="a percentage", least=0, most=100, metavar="PERCENT"),
    "printed_limit": InputNumber(said="a limit of a confidence interval, as printed", least=-0.5, most=1.5, share=True),
    "beta": InputNumber(said="a parameter of a beta distribution", least=0.01, most=1e4, metavar="A,B"),
    # patients and looks
    "patients": _whole("a number of patients", 1, MAX_PATIENTS),
    "patients_seen": _whole("a number of patients seen so far", 0, MAX_PATIENTS),
    "responses": _whole("a number of responses", 0, MAX_PATIENTS),
    "toxicities": _whole("a number of toxicities", 0, MAX_PATIENTS),
    "bound_or_rate": InputNumber(
        said="a number of responses, or a response rate", least=0, most=MAX_PATIENTS, metavar="N|RATE"
    ),
    "registered": _whole("a registered number of patients", 1, 100_000),
    "studied": _whole("the patients of an earlier study", 1, 100_000),
    "responders": _whole("the responders of an earlier study", 0, 100_000),
    "extra_patients": _whole("a number of extra patients", 0, MAX_PATIENTS),
    "mean_patients": InputNumber(
        said="an expected number of patients", least=0, most=MAX_PATIENTS, open_least=True, metavar="N"
    ),
    "n_limit": _whole("a limit on the number of patients of a search", 1, 3000),
    "traced": InputNumber(
        said="a number of patients that is traced back", least=1, most=1000, whole=True, metavar="N",
        why_most="the largest number that is traced back",
    ),
    "weight": InputNumber(said="a weight", least=0, most=1, share=True, metavar="WEIGHT"),
    "looks_at": _whole("the number of patients at a look", 1, 3000),
    "cap": _whole("a largest number of patients", 1, 3000),
    "multiple_of": _whole("a number of which every number of patients at a look is a multiple", 1, 1000),
    "block": _whole("the number of patients between looks", 1, 3000),
    "theta": _share("a threshold of the conditional power"),
    "lam": InputNumber(
        said="lambda of BOP2, a threshold of a posterior probability", least=1e-6, most=1 - 1e-6, share=True,
        metavar="LAMBDA",
    ),
    "gamma": InputNumber(said="gamma of BOP2, the exponent of its threshold", least=0, most=100, metavar="GAMMA"),
    "eta": InputNumber(said="eta of BOP2, the exponent for efficacy", least=0, most=100, metavar="ETA"),
    "threshold": _share("a threshold of a probability"),
    "gain": InputNumber(
        said="a gain in the response rate", least=0, most=1, share=True, open_most=True, metavar="GAIN",
        why_most="so no rate could be that much larger",
    ),
    "delta": InputNumber(said="the exponent of a boundary for toxicity", least=0, most=0.5, metavar="DELTA"),
    "sizes": _whole("a number of consecutive sizes of each look", 1, 20, metavar="K"),
    "stage": _whole("a look", 1, 200),
    "sides": _whole("a number of sides", 1, 2, metavar="1|2"),
    # times
    "months": _months("a time"),
    "months_or_0": _months("a time", zero=True),
    "weeks": _weeks("a time"),
    "weeks_or_0": _weeks("a time", zero=True),
    "enrollment_rate": InputNumber(said="an enrollment rate", least=1e-3, most=1e5, unit="patients per month"),
    "pause": InputNumber(said="an enrollment rate, or a pause", least=1e-3, most=1e5, zero=True,
                         unit="patients per month"),
    "gamma_shape": InputNumber(said="the shape of a gamma distribution", least=0.01, most=1e4),
    "cost": InputNumber(said="a cost", least=0, most=1e9),
    # the run of the program
    "trials": _whole("a number of simulated trials", 2, 100_000_000),
    "seed": _whole("a seed", 0, 2**63 - 1),
    "processes": _whole("a number of processes", 1, 1024),
    "port": _whole("a port", 1, 65_535, metavar="PORT"),
    "kernels": _whole("a number of pages", 1, 64),
    "decimals": _whole("a number of decimals", 0, 15),
    "step_end": InputNumber(said="the first or last value of equal steps", least=-1e9, most=1e9),
    "step": InputNumber(said="a step", least=1e-9, most=1e9),
}  # fmt: skip
"""Every number that may be given, by the name under which options and keys refer to it."""
