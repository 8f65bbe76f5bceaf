"""Backwards from a number of patients: the standard calculations that give it.

For every usual combination of p0, p1, alpha and power (`simtrial.review.usual`, by default with one-sided alpha
.05, .1 or .025 and power .8, .9 or .85), every method and every usual allowance for dropout is computed forwards, and
those that end at the number asked for are kept. A number alone is weak evidence: at 25 patients there are more than a
thousand routes.

Routes are sorted by plausibility: by `oddness`, how far p0, p1, alpha and power are from what most people use, to which
an approximate formula adds one and an allowance for dropout two; then by method in the order of `METHODS`, by p0, and
by the dropout. The rule is a convention, not a probability.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from simtrial import __version__, disk, files
from simtrial.design.designs import parse_looks
from simtrial.design.exact import operating_characteristics
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.numbers import probability
from simtrial.phrases import counted
from simtrial.plan.allowances import Allowance
from simtrial.review.readings import EXACT, HALF_WIDTHS, STANDARD_ERRORS, Reading, answers, gehan_n, precision_n
from simtrial.review.usual import combinations, oddness, usual
from simtrial.search import can_have_power
from simtrial.search.formulas import FORMULAS, approximate
from simtrial.trial.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.requirements import Requirements

METHODS = (*EXACT, *(f.method for f in FORMULAS), "precision", "Gehan")
LOSSES = (0.05, 0.1, 0.15, 0.2)
ALPHAS = (0.05, 0.1, 0.025)
POWERS = (0.8, 0.9, 0.85)
MOST_N = int(TABLE["traced"].most)
"""Largest number that is traced back."""

MOST_KEPT = 1 << 26
"""Largest file of the cache that is read, in bytes."""
MOST_COMBINATIONS = 10_000
"""Most combinations of p0, p1, alpha and power that are computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
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
        Dropout allowed for; 0 for none.
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


def _forward(asked: Requirements, wanted: Collection[int]) -> list[tuple[str, int, str, float, float]]:
    """Every method's n among those wanted: method, n, looks, exact type I error and power."""
    rows = [
        (rule.method, rule.n, f"{rule.r}/{rule.n}", rule.type_i_error, rule.power)
        for rule in approximate(asked)
        if rule.n in wanted
    ]
    if can_have_power(max(wanted), asked):  # else no exact design of so few patients
        stated = Statement(asked.p0, asked.p1, asked.alpha, asked.power, n1=1)
        for answer in answers(Reading(statement=stated, methods=EXACT)):
            if answer.n in wanted:
                oc = operating_characteristics(parse_looks(answer.looks), [asked.p0, asked.p1])
                rows.append((answer.method, answer.n, answer.looks, float(oc.reject[0]), float(oc.reject[1])))
    return rows


UP = Allowance("n/(1 - d)"), Allowance("n(1 + d)")
"""The usual allowances for dropout, rounded up."""


def _allowed(n: int, losses: tuple[float, ...]) -> Iterator[tuple[float, str, int]]:
    """Every way to allow for dropout: its share, how, and the patients to enroll for n evaluable ones."""
    yield 0.0, "none", n
    for d in (one for one in losses if one):
        for how in UP:
            yield d, how.formula, how.total(n, d)


def _origins(n: int, losses: tuple[float, ...], *, needed: bool) -> dict[int, list[tuple[float, str]]]:
    """The numbers of evaluable patients that n patients may stand for, each with its allowances for dropout."""
    found: dict[int, list[tuple[float, str]]] = {}
    for evaluable in range(1, n + 1):
        for d, how, enrolled in _allowed(evaluable, losses):
            if enrolled == n and (d or not needed or 0 in losses):
                found.setdefault(evaluable, []).append((d, how))
    return found


Tell = Callable[[float], None] | None
"""Called with the share of the work that a step did."""

KnownValues = float | Sequence[float] | None
"""A number that is known, or several to try, instead of the usual ones."""


def _several(known: KnownValues, name: str) -> tuple[float, ...]:
    """The values to try; none stands for the usual ones."""
    if known is None:
        return ()
    values = (known,) if isinstance(known, int | float) else tuple(known)
    return tuple(sorted({_checked(value, name) for value in values}))


def _checked(value: float, name: str) -> float:
    """A probability; a dropout may be 0, which is none."""
    return probability(value, name, closed=name == "dropout" and value == 0)


def routes(
    n: int,
    p0: KnownValues = None,
    p1: KnownValues = None,
    alpha: KnownValues = None,
    power: KnownValues = None,
    dropout: KnownValues = None,
    tell: Tell = None,
) -> list[Route]:
    """List every standard calculation that gives n patients.

    Parameters
    ----------
    n : int
        Patients, as registered or stated.
    p0, p1, alpha, power, dropout : float or sequence of float, optional
        Whatever is known, one value or several to try instead of the usual ones; alpha on one side. With a dropout
        known, routes without it are left out; a dropout of 0 is none.
    tell : callable, optional
        Called with the share of the work that a step did, 1 in all.

    Returns
    -------
    list of Route
        Most plausible first; the rule stands at the head of this module.

    Raises
    ------
    InputError
        If a number cannot be one of its kind.
    """
    n = TABLE["traced"].count(n, "n")
    lows, highs, errors, powers, losses = (
        _several(known, name)
        for known, name in ((p0, "p0"), (p1, "p1"), (alpha, "alpha"), (power, "power"), (dropout, "dropout"))
    )
    if lows and highs and lows[0] >= highs[-1]:
        raise InputError(f"({lows[0]:g}) is not below p1 ({highs[-1]:g})", "p0")
    combined = combinations(lows, highs, errors or ALPHAS, powers or POWERS)
    if combined > MOST_COMBINATIONS:
        raise InputError(
            f"give {counted(combined, 'combination')}; at most "
            f"{counted(MOST_COMBINATIONS, 'combination')} are computed; give fewer values",
            "p0, p1, alpha and power",
        )
    needed, losses = bool(losses), losses or LOSSES
    origins = _origins(n, losses, needed=needed)
    every = usual(lows, highs, errors or ALPHAS, powers or POWERS) if origins else ()
    ranked = _ranked(every, origins, tell)
    if not lows and not errors:
        ranked.extend(_estimates(n, highs, powers, losses, needed=needed))
    return ranked


def _ranked(every: Collection[Requirements], origins: dict[int, list[tuple[float, str]]], tell: Tell) -> list[Route]:
    """The routes from each question to each number that is an origin, sorted by the rule written above."""
    found = []
    for asked in every:
        for method, evaluable, looks, error, reached in _forward(asked, origins):
            for d, how in origins[evaluable]:
                odd = oddness(asked) + (method not in EXACT) + 2 * (d > 0)
                rank = (odd, METHODS.index(method), asked.p0, asked.p1, asked.alpha, asked.power, d, how)
                route = Route(
                    method=method,
                    p0=asked.p0,
                    p1=asked.p1,
                    alpha=asked.alpha,
                    power=asked.power,
                    n_evaluable=evaluable,
                    dropout=d,
                    inflation=how,
                    looks=looks,
                    type_i_error=error,
                    attained_power=reached,
                )
                found.append((rank, route))
        if tell is not None:
            tell(1 / len(every))
    return [route for _, route in sorted(found, key=lambda row: row[0])]


def _estimates(
    n: int, p1: tuple[float, ...], power: tuple[float, ...], losses: tuple[float, ...], *, needed: bool
) -> Iterator[Route]:
    """Sizes that come from the precision of an estimate and not from a test; behind all others.

    Precision: z^2 p q / w^2 for a 95% interval of half-width w. Gehan: ln(beta) / ln(1 - p1) patients first, so that no
    response at all is unlikely where p1 is true, then as many as hold the standard error at its largest, p = 1/2.
    """
    sizes: list[tuple[str, float, float | None, int, str]] = []
    for rate in p1 or (0.5, 0.4, 0.3, 0.2, 0.1):
        if not power:
            for width in HALF_WIDTHS:
                sizes.append(  # noqa: PERF401 - two loops read better than one comprehension
                    (f"precision +-{width:g}", rate, None, precision_n(rate, width), "")
                )
    for rate in p1 or (0.2, 0.15, 0.25, 0.1, 0.3):
        for reached in power or (0.95, 0.9):
            for error in STANDARD_ERRORS:
                first, whole = gehan_n(rate, reached, error)
                sizes.append((f"Gehan SE {error:g}", rate, reached, whole, f"0/{first}"))
    origins = _origins(n, losses, needed=needed)
    for method, seen, aim, size, looks in sizes:
        for d, how in origins.get(size, ()):
            yield Route(
                method=method,
                p0=None,
                p1=seen,
                alpha=0.05,
                power=aim,
                n_evaluable=size,
                dropout=d,
                inflation=how,
                looks=looks,
                type_i_error=None,
                attained_power=None,
            )


def numbers(most: int = 100, tell: Tell = None) -> dict[int, dict[str, int]]:
    """For every number of patients up to a limit, how many routes lead there without an allowance for losses.

    Returns
    -------
    dict of int to dict of str to int
        By number, then by method.
    """
    most = TABLE["traced"].count(most, "most")
    found: dict[int, dict[str, int]] = {n: dict.fromkeys(METHODS, 0) for n in range(1, most + 1)}
    every = usual((), (), ALPHAS, POWERS)
    for asked in every:
        for method, n, *_ in _forward(asked, found):
            found[n][method] += 1
        if tell is not None:
            tell(1 / len(every))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The routes that start from the same numbers, and whether they allow for losses."""

    p0: float | None
    p1: float | None
    alpha: float
    power: float | None
    losses: bool
    routes: tuple[Route, ...]


def grouped(found: Sequence[Route]) -> list[Question]:
    """Put together what starts from the same numbers; those without losses first, else in the order of the routes."""
    groups: dict[tuple[bool, float | None, float | None, float, float | None], list[Route]] = {}
    for r in found:
        groups.setdefault((r.dropout > 0, r.p0, r.p1, r.alpha, r.power), []).append(r)
    questions = [
        Question(p0=p0, p1=p1, alpha=alpha, power=power, losses=losses, routes=tuple(rows))
        for (losses, p0, p1, alpha, power), rows in groups.items()
    ]
    return sorted(questions, key=lambda question: question.losses)


def _version() -> str:
    """The version and what the code says: that of a clone changes more often than its number."""
    return f"{__version__}-{files.code_digest()[:12]}"


def cached(n: int, known: dict[str, KnownValues], version: str | None = None, tell: Tell = None) -> list[Route]:
    """`routes`, kept on disk under the version that computed them, so that the second time takes no time."""
    home = disk.cache() / (version or _version())
    query = json.dumps([n, sorted(known.items())])
    path = home / f"routes-{sha256(query.encode()).hexdigest()[:16]}.json"
    try:
        told, _, rows = files.read(path, MOST_KEPT).data.partition(b"\n")
        if told.decode() != sha256(rows).hexdigest():
            raise ValueError(path)
        return [Route(**row) for row in json.loads(rows)]
    except (OSError, ValueError, TypeError):  # not there, or not what we wrote: compute it
        found = routes(n, **known, tell=tell)
    try:
        home.mkdir(parents=True, exist_ok=True)
        rows = json.dumps([asdict(route) for route in found]).encode()
        disk.write(path, sha256(rows).hexdigest().encode() + b"\n" + rows)
    except OSError:
        pass  # no cache, no harm
    return found


def trace(n: int) -> list[Route]:
    """The routes to a number of patients; above `MOST_N` none, and what shows them says so (`why_none`)."""
    return routes(n) if n <= MOST_N else []


def why_none(n: int) -> str:
    """Say why there are no routes."""
    if n > MOST_N:
        return f"Calculations that give {counted(n, 'patient')} are not listed: the list ends at {MOST_N} patients"
    return f"No conventional calculation gives {counted(n, 'patient')}"
