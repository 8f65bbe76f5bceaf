"""The question and the design: two rates of each endpoint, and bounds for two counts at two looks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from simtrial.design.requirements import Requirements, meant_instead, plausible_power
from simtrial.errors import InputError, several
from simtrial.inputs import TABLE
from simtrial.numbers import count
from simtrial.phrases import counted

Corner: TypeAlias = Literal["R0T1", "R1T0", "R0T0", "R1T1"]
CORNERS: tuple[Corner, ...] = ("R0T1", "R1T0", "R0T0", "R1T1")
"""The four pairs of rates: response at r0 or r1, no toxicity at t0 or t1."""

Phi: TypeAlias = Literal["worst", "independence"]
"""Over which associations of response and no toxicity the limits hold: over all of them, or under independence."""

ENTRY = {"r0": "rate", "r1": "rate", "t0": "rate_without", "t1": "rate_without"} | dict.fromkeys(
    ("alpha_r", "alpha_t", "power"), "error"
)
"""The entry of `simtrial.inputs.TABLE` that bounds each number of the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BothRates:
    """Which rates of response and of patients without toxicity to tell apart, and with what limits.

    Parameters
    ----------
    r0, r1 : float
        Response rates, not worth pursuing and worth finding.
    t0, t1 : float
        Rates of patients WITHOUT toxicity, not acceptable and acceptable.
    alpha_r : float
        Largest probability of recommending the treatment at (r0, t1).
    alpha_t : float
        Largest probability of recommending it at (r1, t0).
    power : float
        Smallest probability of recommending it at (r1, t1).

    Raises
    ------
    InputError
        If a number is out of its bounds, a pair of rates is the wrong way round, or the power is not above both alphas.
    """

    r0: float
    r1: float
    t0: float
    t1: float
    alpha_r: float
    alpha_t: float
    power: float

    def __post_init__(self) -> None:
        faults = []
        for one in fields(self):
            try:
                object.__setattr__(self, one.name, TABLE[ENTRY[one.name]].check(getattr(self, one.name), one.name))
            except InputError as error:
                faults.append(error)
        if faults:
            raise several(faults)
        if self.r0 >= self.r1:
            raise InputError(f"({self.r0:g}) is not below r1 ({self.r1:g})", "r0")
        if self.t0 > self.t1:
            raise InputError(
                f"({self.t0:g}) is above t1 ({self.t1:g}), but t0 and t1 are rates of patients without toxicity, and "
                f"t1 is the acceptable one; if rates of toxicity were given, write t0 = {1 - self.t0:.10g} and "
                f"t1 = {1 - self.t1:.10g}",
                "t0",
            )
        if self.t0 == self.t1:
            raise InputError(f"({self.t0:g}) is not below t1 ({self.t1:g})", "t0")
        for name in ("alpha_r", "alpha_t"):
            limit = getattr(self, name)
            level = meant_instead("alpha", limit)
            if level is not None:
                raise InputError(f"({limit:g}) exceeds 0.5; did you mean {level:g} (1 - confidence level)?", name)
            if self.power <= limit:
                raise InputError(f"({self.power:g}) is not above {name} ({limit:g})", "power")

    def plausible(self, *, low_power: bool = False) -> BothRates:
        """The question itself; a power below 1/2, most often beta, is refused unless it is meant.

        Raises
        ------
        InputError
            If the power is below 1/2 and not meant.
        """
        if not low_power:
            plausible_power(self.power)
        return self

    @property
    def margins(self) -> tuple[Requirements, Requirements]:
        """The question that each endpoint alone would be: the other one's rate at its better value."""
        return (
            Requirements(self.r0, self.r1, self.alpha_r, self.power),
            Requirements(self.t0, self.t1, self.alpha_t, self.power),
        )

    def at(self, corner: Corner) -> tuple[float, float]:
        """The rates of response and of no toxicity at one of the `CORNERS`."""
        return (self.r0 if corner.startswith("R0") else self.r1, self.t0 if corner.endswith("T0") else self.t1)

    def limit(self, corner: Corner) -> float | None:
        """The limit of the probability of recommending the treatment; None at (r0, t0), which has none."""
        return {"R0T1": self.alpha_r, "R1T0": self.alpha_t, "R0T0": None, "R1T1": self.power}[corner]


@dataclass(frozen=True, slots=True, kw_only=True)
class BothBounds:
    """A design: continue only if both counts exceed their bounds, and recommend the treatment only if both do again.

    Parameters
    ----------
    n1, n : int
        Patients at the first look and in all.
    c_r1, c_r : int
        Bounds of the number of responses at the two looks; cumulative.
    c_t1, c_t : int
        Bounds of the number of patients without toxicity at the two looks; cumulative.

    Raises
    ------
    InputError
        If a number is no count, n does not exceed n1, or a bound cannot be exceeded.
    """

    n1: int
    c_r1: int
    c_t1: int
    n: int
    c_r: int
    c_t: int

    def __post_init__(self) -> None:
        for one in fields(self):
            object.__setattr__(self, one.name, count(getattr(self, one.name), one.name))
        if self.n1 < 1 or self.n <= self.n1:
            raise InputError(f"({self.n}) is not above n1 ({self.n1})", "n")
        for name, size in (("c_r1", self.n1), ("c_t1", self.n1), ("c_r", self.n), ("c_t", self.n)):
            if getattr(self, name) >= size:
                raise InputError(f"({getattr(self, name)}) cannot be exceeded by {counted(size, 'patient')}", name)

    def __str__(self) -> str:
        return f"{self.c_r1} and {self.c_t1} of {self.n1}, {self.c_r} and {self.c_t} of {self.n}"

    @property
    def order(self) -> tuple[int, ...]:
        """What decides between designs whose criterion is equal: fewest patients, then the smallest bounds."""
        return self.n, self.n1, self.c_r1, self.c_t1, self.c_r, self.c_t
