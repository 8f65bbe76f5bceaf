"""Validation cases for stopping rules for toxicity; see `simtrial.validation.cases` for what a case is."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from simtrial.design.designs import parse_looks, parse_sizes
from simtrial.phrases import counted
from simtrial.toxicity.boundary import crossing, parse_boundary
from simtrial.toxicity.calibrate import calibrated
from simtrial.toxicity.joint import endings
from simtrial.toxicity.kinds import BoundaryShape
from simtrial.validation.cases import Comparison, case_of, reference, same_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.toxicity.boundary import ToxicityBoundary


def _shape(row: Any) -> BoundaryShape:
    """The type of boundary of a row of the table."""
    if row.kind == "geller":
        a, b = (float(value) for value in row.prior.removeprefix("Beta(").removesuffix(")").split(","))
        return BoundaryShape("bayes", row.theta0, prior=(a, b))
    if row.kind == "sprt":
        return BoundaryShape("sprt", row.theta0, unacceptable=row.theta1)
    if row.kind.startswith("wang-tsiatis"):
        return BoundaryShape("wang_tsiatis", row.theta0, delta=float(row.kind.split()[1]))
    return BoundaryShape("obf" if row.kind == "obrien-fleming" else "pocock", row.theta0)


def boundaries() -> Comparison:
    """Boundaries of every type, their crossing probabilities and expected patients at two rates, their parameters."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("families/toxicity").itertuples():
            looks_at = parse_sizes(row.look_n.replace("..", "-").replace(" ", ","))
            found = calibrated(_shape(row), looks_at, row.phi)
            at = crossing(found.boundary, [row.theta0, row.theta0 + 0.2])
            values = (at.ever[0], at.before_last[0], at.en[0], at.ever[1], at.en[1], found.leading)
            printed = (
                row.crossing_theta0, row.crossing_before_last_theta0, row.en_theta0, row.crossing_theta0_plus_20,
                row.en_theta0_plus_20, row.parameter,
            )  # fmt: skip
            got = " ".join("-" if look.b is None else str(look.b) for look in found.boundary.looks)
            agrees = got == row.stop_if_ge and all(same_digits(a, b, 7) for a, b in zip(values, printed, strict=True))
            if not math.isnan(row.parameter_up_to):
                agrees &= same_digits(found.parameter[1], row.parameter_up_to, 8)
            what = f"{row.kind}, looks at {row.look_n}, rate {row.theta0:g}, crossing {row.phi:g}"
            yield what, f"{row.stop_if_ge}: {printed[0]:.6f}", f"{got}: {values[0]:.6f}", agrees

    source = "Ivanova, Qaqish, Schell 2005; Wang, Tsiatis 1987; Geller 2003; Goldman 1987; independent enumeration"
    return case_of("Boundaries for toxicity", source, rows())


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """What R clinfun gives, and the best of the same family, as printed."""

    rate: float
    looks_at: str
    limit: float
    delta: float
    theirs: float
    best: float


CLINFUN = (
    _Ended(rate=0.1, looks_at="1-40", limit=0.15, delta=0.0, theirs=0.1240, best=0.1481),
    _Ended(rate=0.1, looks_at="2-100", limit=0.15, delta=0.5, theirs=0.1352, best=0.1498),
)
"""Settings in which the ten steps of its iteration end before the best boundary of the family is reached."""


def ended_early() -> Comparison:
    """Settings in which an iteration of ten steps gives a boundary that crosses less often than is allowed."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for one in CLINFUN:
            found = calibrated(
                BoundaryShape("wang_tsiatis", one.rate, delta=one.delta), parse_sizes(one.looks_at), one.limit
            )
            got = found.attained
            agrees = same_digits(got, one.best, 4) and one.theirs < got <= one.limit
            limits = f"rate {one.rate:g}, looks at {one.looks_at}, limit {one.limit:g}, delta {one.delta:g}"
            yield f"R clinfun toxbdry: {limits}", f"{one.best:.4f} (its own: {one.theirs:.4f})", f"{got:.4f}", agrees

    return case_of("Boundaries of an iteration", "R clinfun 1.1.5, its algorithm repeated in November 2026", rows())


@dataclass(frozen=True, kw_only=True)
class _BothRules:
    """Two rules, two rates, and the four cells of response and toxicity as fractions."""

    looks: str
    boundary: str
    p: float
    toxicity: float
    odds_ratio: float
    both: Fraction


SETTINGS = tuple(
    _BothRules(looks=looks, boundary=boundary, p=p, toxicity=toxicity, odds_ratio=ratio, both=both)
    for looks, boundary in (
        ("0/2,1/5", "2/2,3/5"), ("0:3/3,2/6", "-/1,2/3,3/6"), (":2/2,1/4,2/6", "2/4"), ("1/4", "1/1"),
    )
    for p, toxicity, ratio, both in (
        (0.3, 0.2, 1.0, Fraction(6, 100)),
        (0.3, 0.2, 0.0, Fraction(0)),
        (0.3, 0.2, math.inf, Fraction(2, 10)),
        (0.5, 0.5, 4.0, Fraction(1, 3)),
        (0.9, 0.4, 0.0, Fraction(3, 10)),
    )
)  # fmt: skip
"""Four pairs of rules, each without association, with both extremes of it, and with an odds ratio of rational cells."""


def _every_path(design: Design, boundary: ToxicityBoundary, one: _BothRules) -> dict[str, Fraction]:
    """The endings by all sequences of patients."""
    p, toxicity = Fraction(repr(one.p)), Fraction(repr(one.toxicity))
    cells = {
        (1, 1): one.both, (1, 0): p - one.both, (0, 1): toxicity - one.both, (0, 0): 1 - p - toxicity + one.both,
    }  # fmt: skip
    found = dict.fromkeys(("toxicity", "futility", "efficacy", "success", "failure"), Fraction(0))
    for path in itertools.product(cells, repeat=design.looks[-1].n):
        found[_ending(design, boundary, path)] += math.prod(cells[patient] for patient in path)
    return found


def _ending(design: Design, boundary: ToxicityBoundary, path: tuple[tuple[int, int], ...]) -> str:
    at = {look.n: look for look in design.looks}
    for n in range(1, len(path) + 1):
        x, t = (sum(patient[k] for patient in path[:n]) for k in (0, 1))
        bound, look = boundary.of(n), at.get(n)
        if bound is not None and t >= bound:
            return "toxicity"
        if look is not None and n < len(path):
            if look.r is not None and x <= look.r:
                return "futility"
            if look.e is not None and x >= look.e:
                return "efficacy"
    return "success" if x > (design.looks[-1].r or 0) else "failure"


def both_rules() -> Comparison:
    """Every ending of a response design with a boundary for toxicity, independent and associated."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for one in SETTINGS:
            design, boundary = parse_looks(one.looks), parse_boundary(one.boundary)
            exact = _every_path(design, boundary, one)
            found = endings(design, boundary, p=one.p, toxicity=one.toxicity, odds_ratio=one.odds_ratio).shares
            far = max(abs(found[name] - float(value)) for name, value in exact.items())
            n = counted(len(exact), "ending")
            rates = f"p {one.p:g}, toxicity {one.toxicity:g}, odds ratio {one.odds_ratio:g}"
            # some hundred additions of numbers below 1
            yield (
                f"{one.looks} with {one.boundary}: {rates}",
                f"{n} in fractions",
                f"largest difference {far:.1e}",
                far < 1e-13,
            )

    return case_of("Response and toxicity", "every sequence of patients, in fractions", rows())
