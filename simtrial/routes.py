"""Backwards from a number of patients: the standard calculations that give it.

For every usual combination of p0, p1, alpha and power (`simtrial.reproduction.usual`, by default with one-sided alpha
.05, .1 or .025 and power .8, .9 or .85), every method and every usual allowance for losses is computed forwards, and
those that end at the number asked for are kept. A number alone is weak evidence: at 25 patients there are more than a
thousand routes.

Routes are sorted by plausibility: by `oddness`, how far p0, p1, alpha and power are from what most people use, to which
an approximate formula adds one and an allowance for losses two; then by method in the order of `METHODS`, by p0, and by
the loss. The rule is a convention, not a probability.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from simtrial.approximations import FORMULAS, approximate
from simtrial.designs import count, parse_looks
from simtrial.errors import InputError
from simtrial.exact import operating_characteristics
from simtrial.inflation import enrolled_for
from simtrial.reproduction import (
    EXACT,
    HALF_WIDTHS,
    STANDARD_ERRORS,
    Reading,
    answers,
    gehan_n,
    oddness,
    precision_n,
    usual,
)
from simtrial.requirements import Requirements, probability
from simtrial.search import can_have_power
from simtrial.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = (*EXACT, *(f.method for f in FORMULAS), "precision", "Gehan")
LOSSES = (0.05, 0.1, 0.15, 0.2)
ALPHAS = (0.05, 0.1, 0.025)
POWERS = (0.8, 0.9, 0.85)
MOST_N = 200
"""Largest number that is traced back."""


@dataclass(frozen=True, slots=True)
class Route:
    """One calculation that ends at the number asked for.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    p0, p1, alpha, power : float or None
        What was put in; alpha on one side. Precision has a p1 alone, with alpha on both sides; Gehan's rule has p1 and
        the power not to miss it at the first stage.
    n_evaluable : int
        What the method gives.
    dropout : float
        Loss allowed for; 0 for none.
    inflation : str
        How: ``none``, ``n/(1 - d)`` or ``n(1 + d)``, rounded up.
    looks : str
        The rule, as ``1/15,5/25``; empty where the calculation has none.
    type_i_error, attained_power : float or None
        Exact, of that rule on the evaluable patients.
    """

    method: str
    p0: float | None
    p1: float | None
    alpha: float
    power: float | None
    n_evaluable: int
    dropout: float
    inflation: str
    looks: str
    type_i_error: float | None
    attained_power: float | None


def _forward(asked: Requirements, most: int) -> list[tuple[str, int, str, float, float]]:
    """Every method's n up to a limit: method, n, looks, exact type I error and power."""
    rows = [
        (rule.method, rule.n, f"{rule.r}/{rule.n}", rule.type_i_error, rule.power)
        for rule in approximate(asked)
        if rule.n <= most
    ]
    if can_have_power(most, asked):  # else no exact design of so few patients
        stated = Statement(asked.p0, asked.p1, asked.alpha, asked.power, n1=1)
        for answer in answers(Reading(stated, EXACT)):
            if answer.n <= most:
                oc = operating_characteristics(parse_looks(answer.looks), [asked.p0, asked.p1])
                rows.append((answer.method, answer.n, answer.looks, float(oc.reject[0]), float(oc.reject[1])))
    return rows


def _allowed(n: int, losses: tuple[float, ...]) -> Iterator[tuple[float, str, int]]:
    """Every way to allow for losses: the loss, how, and the patients to enroll for n evaluable ones."""
    yield 0.0, "none", n
    for d in losses:
        yield d, "n/(1 - d)", enrolled_for(n, d)
        yield d, "n(1 + d)", math.ceil(n * (1 + Fraction(repr(d))))


def routes(
    n: int,
    p0: float | None = None,
    p1: float | None = None,
    alpha: float | None = None,
    power: float | None = None,
    dropout: float | None = None,
) -> list[Route]:
    """List every standard calculation that gives n patients.

    Parameters
    ----------
    n : int
        Patients, as registered or stated.
    p0, p1, alpha, power, dropout : float, optional
        Whatever is known; alpha on one side. With a dropout known, routes without it are left out.

    Returns
    -------
    list of Route
        Most plausible first; the rule stands at the head of this module.

    Raises
    ------
    InputError
        If a number cannot be one of its kind.
    """
    n = count(n, "n", at_least=1)
    if n > MOST_N:
        raise InputError(f"({n}) must be at most {MOST_N} to be traced back", "n")
    for name, value in (("p0", p0), ("p1", p1), ("alpha", alpha), ("power", power)):
        if value is not None:
            probability(value, name)
    if p0 is not None and p1 is not None and p0 >= p1:
        raise InputError(f"({p0}) must be < p1 ({p1})", "p0")
    losses = LOSSES if dropout is None else (probability(dropout, "dropout"),)
    found = []
    for asked in _grid(p0, p1, alpha, power):
        for method, evaluable, looks, error, reached in _forward(asked, n):
            for d, how, enrolled in _allowed(evaluable, losses):
                if enrolled == n and (dropout is None or d):
                    odd = oddness(asked) + (method not in EXACT) + 2 * (d > 0)
                    numbers = (asked.p0, asked.p1, asked.alpha, asked.power)
                    rank = (odd, METHODS.index(method), *numbers, d, how)
                    found.append((rank, Route(method, *numbers, evaluable, d, how, looks, error, reached)))
    ranked = [route for _, route in sorted(found, key=lambda row: row[0])]
    if p0 is None and alpha is None:
        ranked.extend(_estimates(n, p1, power, losses, needed=dropout is not None))
    return ranked


def _estimates(
    n: int, p1: float | None, power: float | None, losses: tuple[float, ...], *, needed: bool
) -> Iterator[Route]:
    """Sizes that come from the precision of an estimate and not from a test; behind all others.

    Precision: z^2 p q / w^2 for a 95% interval of half-width w. Gehan: ln(beta) / ln(1 - p1) patients first, so that no
    response at all is unlikely where p1 is true, then as many as hold the standard error at its largest, p = 1/2.
    """
    sizes: list[tuple[str, float, float | None, int, str]] = []
    for rate in (0.5, 0.4, 0.3, 0.2, 0.1) if p1 is None else (p1,):
        if power is None:
            for width in HALF_WIDTHS:
                sizes.append(  # noqa: PERF401 - two loops read better than one comprehension
                    (f"precision +-{width:g}", rate, None, precision_n(rate, width), "")
                )
    for rate in (0.2, 0.15, 0.25, 0.1, 0.3) if p1 is None else (p1,):
        for reached in (0.95, 0.9) if power is None else (power,):
            for error in STANDARD_ERRORS:
                first, whole = gehan_n(rate, reached, error)
                sizes.append((f"Gehan SE {error:g}", rate, reached, whole, f"0/{first}"))
    for method, seen, aim, size, looks in sizes:
        for d, how, enrolled in _allowed(size, losses):
            if enrolled == n and (d or not needed):
                yield Route(method, None, seen, 0.05, aim, size, d, how, looks, None, None)


def _grid(p0: float | None, p1: float | None, alpha: float | None, power: float | None) -> list[Requirements]:
    """The combinations that are tried: `usual`, with fewer alphas and powers where none is known."""
    return [
        asked
        for asked in usual(p0, p1, alpha, power)
        if (alpha is not None or asked.alpha in ALPHAS) and (power is not None or asked.power in POWERS)
    ]


def numbers(most: int = 100) -> dict[int, dict[str, int]]:
    """For every number of patients up to a limit, how many routes lead there without an allowance for losses.

    Returns
    -------
    dict of int to dict of str to int
        By number, then by method.
    """
    most = count(most, "most", at_least=1)
    if most > MOST_N:
        raise InputError(f"({most}) must be at most {MOST_N}", "most")
    found: dict[int, dict[str, int]] = {n: dict.fromkeys(METHODS, 0) for n in range(1, most + 1)}
    for asked in _grid(None, None, None, None):
        for method, n, *_ in _forward(asked, most):
            found[n][method] += 1
    return found


def cached(n: int, version: str, known: dict[str, float | None]) -> list[Route]:
    """`routes`, kept on disk under the version that computed them, so that the second time takes no time."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simtrial" / version
    query = json.dumps([n, sorted(known.items())])
    path = home / f"routes-{sha256(query.encode()).hexdigest()[:16]}.json"
    try:
        return [Route(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):  # not there, or not what we wrote: compute it
        found = routes(n, known["p0"], known["p1"], known["alpha"], known["power"], known["dropout"])
    try:
        home.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps([asdict(route) for route in found]), encoding="utf-8")
        unfinished.replace(path)
    except OSError:
        pass  # no cache, no harm
    return found
