"""Check a published adaptive two-stage design: its errors, its limits, and whether a better table exists.

A table x1 -> (n2, r) is printed in several ways. Here r is cumulative and H0 is rejected iff X > r, and n2 counts the
patients of the second stage. Elsewhere r may be the fewest responses that reject H0, or count the second stage alone,
and the number of patients may be that of both stages. If the printed values do not fit the table as written, they are
tried with each of these readings.

A printed value agrees if it is the exact one rounded to its own decimals, or within `simtrial.review.bayesian.BEYOND`
Monte Carlo standard errors of it where simulated trials are stated. With alpha and power the table is compared with the
best one of at most as many patients, whose conditional error does not fall either if that of the table does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from simtrial.design.branching import Branching
from simtrial.design.exact import side
from simtrial.design.requirements import Requirements
from simtrial.design.second_stages import SecondStage
from simtrial.errors import InputError
from simtrial.review.bayesian import compared, figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simtrial.design.bernstein import Peak
    from simtrial.design.second_stages import Stop
    from simtrial.review.bayesian import PrintedValue
    from simtrial.review.check import VerdictKind
    from simtrial.search.branching import BranchingFound

MOST_SEARCHED = 60
"""Most patients of a table that is compared with the best one: the search takes seconds up to here."""

EQUAL = 1e-9
"""Designs whose EN(p0) differ by less are equally good: the search does not tell them apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStatement:
    """What is published.

    Attributes
    ----------
    design : Branching
        The table as written.
    p0, p1 : float
        The rates at which errors are computed; p1 may be missing.
    alpha, power : float or None
        The limits, where they are stated.
    printed : dict of str to str
        Values of `simtrial.review.bayesian.PRINTED` as printed, with their zeros.
    trials : int or None
        Simulated trials behind them.
    best : bool
        Whether the table is stated to have the least EN(p0).

    Raises
    ------
    InputError
        If p1 is needed and missing, or not above p0.
    """

    design: Branching
    p0: float
    p1: float | None = None
    alpha: float | None = None
    power: float | None = None
    printed: Mapping[str, str]
    trials: int | None = None
    best: bool = False

    def __post_init__(self) -> None:
        if self.p1 is None and (self.power is not None or "attained_power" in self.printed):
            raise InputError("is missing; the power is computed at it", "p1")
        if self.p1 is not None and self.p1 <= self.p0:
            raise InputError(f"({self.p1:g}) is not above p0 ({self.p0:g})", "p1")
        if self.best and self.asked is None:
            raise InputError("needs p1, alpha and power: the table is compared with the best one for them", "criterion")

    @property
    def asked(self) -> Requirements | None:
        """The question, if rates and limits are all stated."""
        if self.p1 is None or self.alpha is None or self.power is None:
            return None
        return Requirements(p0=self.p0, p1=self.p1, alpha=self.alpha, power=self.power)


def _beside(given: TableStatement, design: Branching) -> tuple[PrintedValue, ...]:
    """The printed values beside the exact ones of a table."""
    return compared(design, given.p0, given.p1, given.printed, given.trials)


SIZES = ("", "patients of both stages")
"""What n2 may be instead."""

BOUNDS = (
    "",
    "the fewest responses that reject H0",
    "responses of the second stage alone",
    "the fewest responses of the second stage alone that reject H0",
)
"""What r may be instead."""


def readings(design: Branching) -> Iterator[tuple[str, Branching]]:
    """The other designs that the table may mean, each with its convention in words."""
    for size in SIZES:
        for k, bound in enumerate(BOUNDS):
            rows = [_read(row, x, design.n1 if size else 0, k) for x, row in enumerate(design.after)]
            said = [f"{name} counts the {what}" for name, what in (("n2", size),) if what]
            said += [f"r is {what}" if "fewest" in what else f"r counts {what}" for what in (bound,) if what]
            if not said:
                continue
            try:
                yield " and ".join(said), Branching(design.n1, tuple(rows))
            except InputError:  # such a table cannot be
                continue


def _read(row: Stop | SecondStage, x: int, first: int, bound: int) -> Stop | SecondStage:
    if not isinstance(row, SecondStage):
        return row
    return SecondStage(row.n2 - first, row.r - (bound in (1, 3)) + x * (bound in (2, 3)))


@dataclass(frozen=True)
class TableCheck:
    """The check of a published table; everything is computed when it is asked for.

    Attributes
    ----------
    statement : TableStatement
        What is published.
    """

    statement: TableStatement

    @cached_property
    def convention(self) -> str:
        """The reading under which all printed values fit, if they do not fit the table as written; empty if none."""
        given = self.statement
        if not given.printed or _fit(_beside(given, given.design)):
            return ""
        return next((said for said, other in readings(given.design) if _fit(_beside(given, other))), "")

    @cached_property
    def design(self) -> Branching:
        """The table, read by the convention if there is one."""
        design = self.statement.design
        return next((other for said, other in readings(design) if said == self.convention), design)

    @cached_property
    def exact(self) -> dict[str, float]:
        """The exact values of the design."""
        return figures(self.design, self.statement.p0, self.statement.p1)

    @cached_property
    def printed(self) -> tuple[PrintedValue, ...]:
        """Printed values beside the exact ones."""
        return _beside(self.statement, self.design)

    @cached_property
    def largest(self) -> Peak:
        """The largest type I error over p <= p0."""
        return self.design.largest_reject(self.statement.p0)

    @cached_property
    def monotone(self) -> bool:
        """Whether the conditional error never falls."""
        return self.design.is_monotone(self.statement.p0)

    @cached_property
    def limits(self) -> dict[str, bool]:
        """Whether each stated limit is kept, with tolerance 0."""
        given, exact = self.statement, self.exact
        found = {}
        if given.alpha is not None:
            found["alpha"] = side(self.design, given.p0, given.alpha, exact["type_i_error"]) <= 0
        if given.power is not None and given.p1 is not None:
            found["power"] = side(self.design, given.p1, given.power, exact["power"]) >= 0
        return found

    @cached_property
    def best(self) -> BranchingFound | None:
        """The best table with at most as many patients; None where the question or the search is missing."""
        from simtrial.search.branching import Restrictions, search

        asked = self.statement.asked
        if asked is None or self.design.n_max > MOST_SEARCHED:
            return None
        try:
            return search(asked, restrictions=Restrictions(cap=self.design.n_max, monotone=self.monotone))
        except InputError:  # none with so few patients keeps both limits
            return None

    @property
    def excess(self) -> float | None:
        """By how much EN(p0) exceeds that of the best table; 0 if it is the best, None if it is not known."""
        if self.best is None:
            return None
        found = self.exact["en_p0"] - self.best.certificate.value
        return 0.0 if abs(found) < EQUAL else found

    @property
    def kind(self) -> VerdictKind:
        """One of the four verdicts of a check."""
        given = self.statement
        beaten = given.best and self.excess is not None and self.excess > 0
        if not all(self.limits.values()) or not _fit(self.printed) or beaten:
            return "does not reproduce"
        if not given.printed and not self.limits:
            return "underspecified"
        return "reproduces with a convention" if self.convention else "reproduces"


def _fit(printed: tuple[PrintedValue, ...]) -> bool:
    return all(one.closeness in ("agrees", "within") for one in printed)
