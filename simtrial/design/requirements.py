"""The question: which response rates to tell apart, and with what error limits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from simtrial.errors import InputError, several
from simtrial.inputs import TABLE
from simtrial.numbers import probability

N_LIMIT = 2_000
"""Default limit on n: a request whose Neyman-Pearson bound lies above it is refused."""

N_LIMIT_MOST = int(TABLE["n_limit"].most)
"""Largest limit that may be asked for; `benchmarks/limits.py` shows what a search near it takes."""


def decimal(value: float) -> Fraction:
    """Give the number that was written, as a fraction: 1/10 for 0.1.

    A double cannot hold most decimals: 0.1 is stored as a little more than 1/10, and 0.1 squared as a little more than
    0.01, which would take "2 of 2 respond" from a trial with p0 = 0.1 and alpha = 0.01. The shortest decimal that is
    stored as the same double, which is what `repr` prints, is what was written, as long as that has at most 15 digits.
    Every comparison with a limit that floating point cannot settle is made with these fractions (`exact.signs`), and
    sums and differences of such numbers go through them: ``float(decimal(0.1) + decimal(0.005))`` is 0.105.

    Parameters
    ----------
    value : float
        A rate or limit, as written. numpy's numbers are taken too, whose own `repr` is another.

    Examples
    --------
    >>> decimal(0.1)
    Fraction(1, 10)
    """
    return Fraction(repr(float(value)))


@dataclass(frozen=True, slots=True)
class Requirements:
    """Two response rates and the error limits a design must keep, all one-sided.

    H0 is p <= p0. A design qualifies when P(reject H0; p0) <= alpha and P(reject H0; p1) >= power, with tolerance 0.
    The four numbers are the decimals that were written (`decimal`): 0.1 means 1/10, so at p0 = 0.1 two responders of
    two have a type I error of exactly 0.01 and keep alpha = 0.01.

    Parameters
    ----------
    p0 : float
        Response rate that is not worth pursuing.
    p1 : float
        Response rate that is worth finding; above `p0`.
    alpha : float
        Largest type I error allowed, one-sided.
    power : float
        Smallest probability of rejecting H0 allowed at `p1`.

    Raises
    ------
    InputError
        If a number is outside (0, 1), p0 >= p1 or power <= alpha.

    Examples
    --------
    >>> Requirements(p0=0.1, p1=0.3, alpha=0.05, power=0.8).beta
    0.2
    """

    p0: float
    p1: float
    alpha: float
    power: float

    def __post_init__(self) -> None:
        for name in ("p0", "p1", "alpha", "power"):
            object.__setattr__(self, name, probability(getattr(self, name), name))
        if self.p0 >= self.p1:
            raise InputError(f"({self.p0}) is not below p1 ({self.p1})", "p0")
        if self.power <= self.alpha:
            raise InputError(
                f"({self.power}) is not above alpha ({self.alpha}), which a test that ignores the data attains", "power"
            )

    @property
    def beta(self) -> float:
        """Largest type II error allowed: 1 - power, in decimals, so that 1 - 0.8 is 0.2."""
        return float(1 - decimal(self.power))


def plausible(
    p0: float, p1: float, alpha: float, power: float, *, low_power: bool = False, meant: str = "--low-power"
) -> Requirements:
    """Make requirements of four numbers as a person gives them, and refuse what is probably a slip.

    A power below 1/2 is most often beta, and an alpha above 1/2 a confidence level. `Requirements` itself takes both,
    because a stated sample size is read with every convention there is.

    Parameters
    ----------
    p0, p1, alpha, power : float
        See `Requirements`.
    low_power : bool
        Whether a power below 1/2 is meant.
    meant : str
        How the person says so, for the message.

    Raises
    ------
    InputError
        Every number outside (0, 1) at once; else the slip; else what `Requirements` refuses.
    """
    faults = []
    for name, value in (("p0", p0), ("p1", p1), ("alpha", alpha), ("power", power)):
        try:
            probability(value, name)
        except InputError as error:
            faults.append(error)
    if faults:
        raise several(faults)
    if meant_instead("alpha", alpha) is not None and meant_instead("power", power) is not None:
        raise InputError(f"({alpha}) exceeds power ({power}); are the two swapped?", "alpha")
    level = meant_instead("alpha", alpha)
    if level is not None:
        raise InputError(f"({alpha}) exceeds 0.5; did you mean {level} (1 - confidence level)?", "alpha")
    if not low_power:
        plausible_power(power, meant)
    return Requirements(p0, p1, alpha, power)


def plausible_power(power: float, meant: str = "--low-power") -> None:
    """Refuse a power below 1/2, which is most often beta.

    Parameters
    ----------
    power : float
        As given; what is no probability at all is left to `probability`.
    meant : str
        How a person says that the low power is meant, for the message.

    Raises
    ------
    InputError
        If it is strictly between 0 and 1/2.
    """
    instead = meant_instead("power", power)
    if instead is not None:
        raise InputError(
            f"({power}) is below 0.5; did you mean {instead} (1 - beta)? If {power} is meant, add {meant}", "power"
        )


def meant_instead(name: str, value: float) -> float | None:
    """Give what was probably meant by a power below 1/2 (beta) or an alpha above 1/2 (a level); None for others."""
    slip = {"power": 0 < value < 0.5, "alpha": 0.5 < value < 1}.get(name, False)
    return float(1 - decimal(value)) if slip else None
