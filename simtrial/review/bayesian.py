"""Check a published Bayesian design: its bounds, the parameters behind them, and errors printed from a simulation.

A rule of `simtrial.search.rules` gives bounds at given looks; the type I error, the power, PET and EN of bounds are
finite sums. What is printed is often the result of a simulation. The share of T simulated trials has the Monte Carlo
standard error sqrt(p (1 - p) / T), with p its exact value, and the mean number of patients sqrt(Var N / T). A printed
value

* agrees if it is the exact one rounded to its own decimals,
* is within Monte Carlo error if it is nearer to that than `BEYOND` standard errors, rounding taken off, and
* is beyond it otherwise: then another rule, other bounds or another trial were simulated.

Without the number of simulated trials it agrees or differs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from simtrial.design.exact import operating_characteristics, side
from simtrial.errors import InputError
from simtrial.review import bayesian_origin
from simtrial.search import rules
from simtrial.search.bayesian.posterior import parse_prior, usual_prior

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simtrial.design.designs import Design
    from simtrial.review.bayesian_origin import LookBounds, RuleOrigin
    from simtrial.review.check import VerdictKind
    from simtrial.search.bayesian.posterior import BetaPrior

BEYOND = 3.0
"""Standard errors beyond which a simulated value is not taken for chance: of 370 right ones one lies beyond."""

NEEDED = {"lee_liu": ("theta_l", "theta_t"), "bop2": ("lam", "gamma"), "thall_simon": ()}
"""The parameters that make each rule complete; Thall and Simon's needs one of two."""

THRESHOLDS = {
    "lee_liu": ("theta_l", "theta_t", "theta_u"),
    "bop2": ("lam", "gamma", "eta"),
    "thall_simon": ("theta_l", "theta_u"),
}
"""The parameters of each rule that are looked for where bounds alone are stated."""

PRINTED = {
    "type_i_error": "type I error",
    "attained_power": "power",
    "pet_p0": "PET(p0)",
    "en_p0": "EN(p0)",
}
"""The values that a publication prints, in words."""

Closeness = Literal["agrees", "within", "beyond", "differs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesianStatement:
    """What is published.

    Attributes
    ----------
    rule : str
        lee_liu, bop2 or thall_simon.
    p0, p1 : float
        The rates at which errors are computed; p1 may be missing.
    looks_at : tuple of int
        Patients at each look.
    parameters : dict
        Priors, thresholds and delta as `simtrial.search.rules` takes them; without thresholds they are looked for.
    stated : Design or None
        The bounds as published.
    printed : dict of str to str
        Values of `PRINTED` as printed, with their zeros.
    trials : int or None
        Simulated trials behind them.
    alpha, power : float or None
        The limits that the design is said to keep.
    """

    rule: str
    p0: float
    p1: float | None = None
    looks_at: tuple[int, ...]
    parameters: Mapping[str, object]
    stated: Design | None = None
    printed: Mapping[str, str]
    trials: int | None = None
    alpha: float | None = None
    power: float | None = None

    @property
    def complete(self) -> bool:
        """Whether thresholds are given.

        Raises
        ------
        InputError
            If some are and some are missing.
        """
        given = [name for name in THRESHOLDS[self.rule] if self.parameters.get(name) is not None]
        if not given:
            return False
        for name in NEEDED[self.rule]:
            if name not in given:
                raise InputError(f"is missing; {self.rule} needs it, or no threshold at all, to look for them", name)
        return True

    def prior(self, name: str = "prior") -> BetaPrior:
        """One of the priors; Beta(p0, 1 - p0) where the rule has one and it is not given.

        Raises
        ------
        InputError
            If Thall and Simon's rule lacks one.
        """
        text = self.parameters.get(name)
        if text is not None:
            return parse_prior(str(text), name)
        if self.rule == "thall_simon":
            raise InputError("is missing; thall_simon needs it", name)
        return usual_prior(self.p0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedValue:
    """A printed value beside the exact one.

    Attributes
    ----------
    name : str
        A key of `PRINTED`.
    printed : str
        As printed.
    exact : float
        The exact value.
    mcse : float or None
        Monte Carlo standard error, where the number of simulated trials is stated.
    """

    name: str
    printed: str
    exact: float
    mcse: float | None

    @property
    def gap(self) -> float:
        """By how much it misses the exact value, rounding taken off."""
        value = Decimal(self.printed)
        half = 0.5 * 10.0 ** float(value.as_tuple().exponent)
        apart = abs(float(value) - self.exact) - half
        return apart if apart > half * 1e-9 else 0.0

    @property
    def standard_errors(self) -> float | None:
        """The same in Monte Carlo standard errors."""
        if self.mcse is None:
            return None
        return 0.0 if not self.gap else self.gap / self.mcse if self.mcse else math.inf

    @property
    def closeness(self) -> Closeness:
        """Whether it agrees, is within Monte Carlo error or beyond; differs where the trials are not stated."""
        if not self.gap:
            return "agrees"
        apart = self.standard_errors
        if apart is None:
            return "differs"
        return "within" if apart <= BEYOND else "beyond"


def figures(design: Design, p0: float, p1: float | None) -> dict[str, float]:
    """The exact values of a design, by their keys."""
    oc = operating_characteristics(design, [p0] + ([] if p1 is None else [p1]))
    found = {"type_i_error": float(oc.reject[0])}
    if p1 is not None:
        found["power"] = float(oc.reject[1])
    for k, name in enumerate(("p0", "p1")[: len(oc.reject)]):
        found |= {f"pet_{name}": float(oc.pet[k]), f"en_{name}": float(oc.en[k])}
    return found


def compared(
    design: Design, p0: float, p1: float | None, printed: Mapping[str, str], trials: int | None
) -> tuple[PrintedValue, ...]:
    """Printed values beside the exact ones of a design.

    Raises
    ------
    InputError
        If a power is printed and p1 is missing.

    Examples
    --------
    >>> from simtrial.design.designs import parse_looks
    >>> design = parse_looks("1/10,3/20,7/30,11/40")
    >>> (found,) = compared(design, 0.2, 0.4, {"attained_power": "0.871"}, 10_000)
    >>> found.closeness, round(found.standard_errors, 1)
    ('beyond', 4.7)
    """
    exact = figures(design, p0, p1)
    if "attained_power" in printed and p1 is None:
        raise InputError("is missing; the power is computed at it", "p1")
    oc = operating_characteristics(design, [p0])
    shares = oc.n_distribution[0]
    variance = float((shares * (oc.n - oc.en[0]) ** 2).sum())
    found = []
    for name, text in printed.items():
        value = exact["power" if name == "attained_power" else name]
        spread = variance if name == "en_p0" else value * (1 - value)
        mcse = None if trials is None else math.sqrt(max(spread, 0.0) / trials)
        found.append(PrintedValue(name=name, printed=text, exact=value, mcse=mcse))
    return tuple(found)


@dataclass(frozen=True)
class BayesianCheck:
    """The check of a published Bayesian design; everything is computed when it is asked for.

    Attributes
    ----------
    statement : BayesianStatement
        What is published.

    Raises
    ------
    InputError
        If neither thresholds nor bounds are stated.
    """

    statement: BayesianStatement

    def __post_init__(self) -> None:
        given = self.statement
        if given.complete:
            return
        if given.stated is None:
            raise InputError("is missing; give the bounds, or the parameters of the rule, or both", "looks")
        if tuple(look.n for look in given.stated.looks) != given.looks_at:
            raise InputError("has other numbers of patients than the looks of the stated bounds", "looks_at")

    def _by_rule(self, **other: object) -> Design:
        given = self.statement
        parameters = {"looks_at": given.looks_at, **given.parameters, **other}
        if given.rule != "thall_simon":
            parameters |= {"p0": given.p0, "prior": given.prior()}
        return rules.bounds_by(given.rule, **parameters)

    @cached_property
    def by_rule(self) -> Design | None:
        """The design that the stated parameters give; None where none are stated."""
        return self._by_rule() if self.statement.complete else None

    @property
    def design(self) -> Design:
        """The design whose exact values are given: as stated, or else that of the rule."""
        found = self.statement.stated or self.by_rule
        assert found is not None  # one of them is stated
        return found

    @cached_property
    def rows(self) -> tuple[tuple[int, LookBounds | None, LookBounds | None], ...]:
        """Patients, the bounds of the rule and the stated ones at each look of either; None where it has no such look.

        Where no parameters are stated the bounds of the rule are those of the parameters found, or the nearest ones.
        """
        theirs = mine = () if self.statement.stated is None else bayesian_origin.bounds_of(self.statement.stated)
        if self.by_rule is not None:
            mine = bayesian_origin.bounds_of(self.by_rule)
        elif self.found is not None and self.found.nearest:
            mine = self.found.nearest
        one, other = ({bound[0]: bound for bound in bounds} for bounds in (mine, theirs))
        return tuple((n, one.get(n), other.get(n)) for n in sorted({*one, *other}))

    @property
    def differing(self) -> tuple[int, ...]:
        """Patients at the looks whose bounds differ from those of the rule."""
        if self.statement.stated is None:
            return ()
        return tuple(n for n, mine, theirs in self.rows if mine != theirs)

    @cached_property
    def found(self) -> RuleOrigin | None:
        """The parameters that give the stated bounds; None where no bounds are stated."""
        given = self.statement
        if given.stated is None:
            return None
        if given.rule == "thall_simon":
            delta = float(str(given.parameters.get("delta") or 0.0))
            return bayesian_origin.of_thall_simon(given.stated, given.prior("prior_e"), given.prior("prior_s"), delta)
        search = bayesian_origin.of_bop2 if given.rule == "bop2" else bayesian_origin.of_lee_liu
        return search(given.stated, given.p0, given.prior())

    @cached_property
    def not_strict(self) -> bool:
        """Whether the stated bounds follow from the stated parameters only if comparisons are not strict."""
        if not self.differing or self.by_rule is None or self.statement.parameters.get("strict") is False:
            return False
        try:
            other = self._by_rule(strict=False)
        except InputError:
            return False
        return self.statement.stated is not None and bayesian_origin.bounds_of(other) == bayesian_origin.bounds_of(
            self.statement.stated
        )

    @cached_property
    def exact(self) -> dict[str, float]:
        """The exact values of `design`."""
        return figures(self.design, self.statement.p0, self.statement.p1)

    @cached_property
    def printed(self) -> tuple[PrintedValue, ...]:
        """Printed values beside the exact ones of `design`."""
        given = self.statement
        return compared(self.design, given.p0, given.p1, given.printed, given.trials)

    @cached_property
    def limits(self) -> dict[str, bool]:
        """Whether each stated limit is kept, with tolerance 0.

        Raises
        ------
        InputError
            If a power is stated and p1 is missing.
        """
        given, found = self.statement, {}
        if given.alpha is not None:
            found["alpha"] = side(self.design, given.p0, given.alpha) <= 0
        if given.power is not None:
            if given.p1 is None:
                raise InputError("is missing; the power is computed at it", "p1")
            found["power"] = side(self.design, given.p1, given.power) >= 0
        return found

    @property
    def kind(self) -> VerdictKind:
        """One of the four verdicts of a check."""
        close = {one.closeness for one in self.printed}
        if not all(self.limits.values()):
            return "does not reproduce"
        if (self.differing and not self.not_strict) or "beyond" in close:
            return "does not reproduce"
        if "differs" in close or (self.statement.stated is None and not self.printed and not self.limits):
            return "underspecified"
        return "reproduces with a convention" if self.not_strict else "reproduces"
