"""Fleming's rule for K given looks [1]_: stops for futility and for efficacy by bounds of the normal approximation.

With looks at n_1 < ... < n_K = N patients, z the (1 - alpha) quantile of the normal distribution, q = 1 - p, [x] the
nearest whole number (a half is rounded up) and pA = (sqrt(N p0) + sqrt(q0) z)^2 / (N + z^2):

* reject H0 at look g if X >= R_g = [n_g p0 + z sqrt(N p0 q0)] + 1,
* accept H0 at look g if X <= a_g = [n_g pA - z sqrt(N pA qA)], and a_K = R_K - 1.

N, not n_g, stands under the root. p1 plays no part, and alpha is kept by the approximation only: 3:7/15,8/25 for
p0 = .2 and alpha .05 has an exact type I error of .0505. So the exact errors belong beside the bounds.

* a_g < 0 is no stop for futility at look g, R_g > n_g none for efficacy.
* R_K > N could not reject H0, and is refused.
* R_g = a_g + 1 leaves no count that continues: the trial ends at look g, with a_g as its final bound, and the looks
  after it are dropped. More than that cannot happen: with p = sin^2 t the formula of pA says tA = t0 +
  atan(z/sqrt(N)), from which N (pA - p0) = z sqrt(N p0 q0) + z sqrt(N pA qA) as long as tA <= pi/2, and tA > pi/2 is
  the case in which R_K > N. So the two lines, before rounding, meet at N and not before, and a_g <= R_g - 1, as
  rounding keeps the order.

Rounding
--------
A number next to a half is rounded up or down by its last digits, which in floating point are an error. Everything is
computed with `DIGITS` decimal digits from p0 and alpha as they were written, with an error below 1e-50. Doubles are
right to about 1e-12, so they decide all but numbers nearer than that to a half; for these, 38 digits more are there.
An exact half needs a z that is a quotient of square roots, and no alpha with such a z is known.

References
----------
.. [1] Fleming TR. One-sample multiple testing procedure for phase II clinical trials. Biometrics 1982;38:143-151.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext
from statistics import NormalDist
from typing import TYPE_CHECKING

from simtrial.design import exact
from simtrial.design.designs import Look, MultiStage, SingleStage, TwoStage
from simtrial.design.requirements import N_LIMIT, N_LIMIT_MOST, Requirements
from simtrial.errors import InputError
from simtrial.inputs import TABLE
from simtrial.memo import kept
from simtrial.search.aim import Aim
from simtrial.search.bounds import refuse
from simtrial.search.candidate import Candidate
from simtrial.search.constraints import FREE, Constraints, given_looks
from simtrial.search.given import OneRule, design_of, floor, least_patients, refused_beyond, two_equal, two_equal_looks
from simtrial.search.record import Certificate, Criterion, Family, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simtrial.design.designs import Design

DIGITS = 60
"""Decimal digits of every step."""

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803")
HALF = Decimal("0.5")


@kept(1024)
def quantile(alpha: float) -> Decimal:
    """The (1 - alpha) quantile of the normal distribution, by Newton's method from the one in floating point.

    P(0 < Z < z) is the density at z times z + z^3/3 + z^5/(3 5) + ..., all of whose terms have one sign.
    """
    with localcontext(prec=DIGITS + 6):
        z, wanted = Decimal(NormalDist().inv_cdf(1 - alpha)), HALF - Decimal(repr(alpha))
        for _ in range(3):  # 15 digits become 30, 60 and more than are kept
            term = total = z
            odd = 1
            while abs(term) > Decimal(10) ** -(DIGITS + 10):
                odd += 2
                term = term * z * z / odd
                total += term
            density = (-z * z / 2).exp() / (2 * PI).sqrt()
            z -= total - wanted / density
        return +z


def nearest(value: Decimal) -> int:
    """Round to the nearest whole number, a half up."""
    return int((value + HALF).to_integral_value(rounding=ROUND_FLOOR))


def bounds(looks_at: Sequence[int], p0: float, alpha: float) -> SingleStage | TwoStage | MultiStage:
    """Fleming's bounds for looks at given numbers of patients.

    Parameters
    ----------
    looks_at : sequence of int
        Patients at each look, cumulative.
    p0 : float
        Rate under H0.
    alpha : float
        One-sided, below 1/2.

    Returns
    -------
    SingleStage, TwoStage or MultiStage
        r is the acceptance number and e the rejection number of each look; None where a bound cannot be reached. It
        ends at the first look where no count continues.

    Raises
    ------
    InputError
        If the rule leaves no count that rejects H0 at the last look, or alpha is 1/2 or more.

    Examples
    --------
    >>> from simtrial.design.designs import looks_text
    >>> looks_text(bounds([15, 25], p0=0.2, alpha=0.05))
    '3:7/15,8/25'
    """
    looks_at = Constraints(looks_at=tuple(looks_at)).looks_at or ()
    p0, alpha = TABLE["rate"].check(p0, "p0"), TABLE["error"].check(alpha, "alpha")
    if alpha >= 0.5:
        raise InputError(f"({alpha:g}) is not below 0.5, as Fleming's rule needs it", "alpha")
    last, looks = looks_at[-1], []
    accept, reject = _numbers(looks_at, p0, alpha)
    if reject[-1] > last:
        raise InputError(f"({last}) leaves no number of responses that rejects H0 under Fleming's rule", "looks_at")
    for n, a, e in zip(looks_at, accept, reject, strict=True):
        if a >= n:
            raise InputError(f"({n}) ends the trial under Fleming's rule without rejecting H0", "looks_at")
        if n == last or e == a + 1:
            looks.append(Look(n, a))
            break
        looks.append(Look(n, a if a >= 0 else None, e if e <= n else None))
    return design_of(looks)


def _numbers(looks_at: Sequence[int], p0: float, alpha: float) -> tuple[list[int], list[int]]:
    """a_g and R_g of every look, whether they can be reached or not."""
    with localcontext(prec=DIGITS):
        z, rate, n = quantile(alpha), Decimal(repr(p0)), Decimal(looks_at[-1])
        other = ((n * rate).sqrt() + (1 - rate).sqrt() * z) ** 2 / (n + z * z)
        up, down = (z * (n * p * max(1 - p, Decimal(0))).sqrt() for p in (rate, other))
        accept = [nearest(at * other - down) for at in looks_at]
        reject = [nearest(at * rate + up) + 1 for at in looks_at]
    return [*accept[:-1], reject[-1] - 1], reject


EN = Aim(en_p0=1.0)
"""What its designs are compared by with those of other families; the rule makes nothing small."""


def search(requirements: Requirements, *, n_limit: int = N_LIMIT, constraints: Constraints = FREE) -> OneRule:
    """Form the rule at the given looks, or at two equal looks for the smallest n at which it keeps both limits.

    Given looks are answered whatever the exact errors are; the certificate then proves nothing but that every trial has
    the patients of the first look. Without looks every even n from `Certificate.n_lower` on is tried, and the first is
    taken at which the rule has two looks and keeps both limits: no smaller n is passed over, which is the proof.

    Raises
    ------
    InputError
        If a constraint other than the looks is given, or the rule cannot be formed.
    """
    asked = constraints.only(CONSTRAINTS, FAMILY.title)
    refuse(requirements, n_limit)
    return _found(requirements, asked)


@kept(256)
def _found(requirements: Requirements, constraints: Constraints) -> OneRule:
    if constraints.looks_at is None:
        best = _first(requirements)
        proof = Certificate(
            how="proved",
            n_lower=least_patients(requirements, best.n),
            n_upper=best.n,
            value=best.en_p0,
            bound=best.en_p0,
        )
    else:
        looks_at = given_looks(constraints, FAMILY.title)
        best = Candidate(bounds(looks_at, requirements.p0, requirements.alpha), requirements)
        proof = Certificate(
            how="heuristic",
            n_lower=least_patients(requirements, looks_at[-1]),
            n_upper=looks_at[-1],
            value=best.en_p0,
            # rules that keep both limits bound nothing where this one does not
            bound=min(floor(requirements, looks_at, EN), best.en_p0) if best.keeps else float(best.looks[0].n),
            cap=looks_at[-1],
        )
    return OneRule(requirements=requirements, constraints=constraints, found=SearchResult(best=best, certificate=proof))


def _first(requirements: Requirements) -> Candidate:
    lower = least_patients(requirements, N_LIMIT_MOST)
    for n in range(lower + lower % 2, N_LIMIT_MOST + 1, 2):
        design = _at(n, requirements)
        if design is not None and exact.meets(design, requirements):
            return Candidate(design, requirements)
    raise refused_beyond(requirements, N_LIMIT_MOST, "Fleming's rule at two equal looks")


def _at(n: int, requirements: Requirements) -> Design | None:
    """The rule at two equal looks, where it can be formed and does not end at the first."""
    try:
        design = bounds(two_equal(n), requirements.p0, requirements.alpha)
    except InputError:
        return None
    return design if len(design.looks) == 2 else None


def _smallest(designs: Sequence[Design], requirements: Requirements) -> Design:
    """The rule among designs with two equal looks, of the fewest patients: what the search finds, by definition."""
    rules = (
        design
        for design in sorted(designs, key=lambda design: design.looks[-1].n)
        if (rule := _at(design.looks[-1].n, requirements)) is not None and rule.looks == design.looks
    )
    return next(rules)


CONSTRAINTS = frozenset({"looks_at", "balanced"})
"""The constraints that it takes; without looks both stages are equal anyway."""

RULE: Criterion[OneRule] = Criterion(
    key="fleming_looks",
    name="Fleming, K looks",
    phrase="the design by Fleming's rule for several looks",
    method="Fleming, K looks",
    looks=0,
    family="fleming",
    kind="fleming",
    why="Its bounds at the given looks follow from p0 and alpha by Fleming's normal approximation.",
    pick=lambda found: found.found.best,
    best=_smallest,
)

FAMILY: Family[OneRule] = Family(
    key="fleming",
    title="designs by Fleming's rule for several looks",
    bound=(
        "The bounds follow from p0, alpha and the looks; unless these are given, the rule is formed at two equal looks "
        "for every even n up to {n_upper}, the smallest at which it meets both limits."
    ),
    references=(
        "Fleming TR. One-sample multiple testing procedure for phase II clinical trials. Biometrics 1982;38:143-151.",
    ),
    criteria=(RULE,),
    search=search,
    result=lambda found, _: found.found,
    every=two_equal_looks,
    constraints=CONSTRAINTS,
    looks_given=True,
    on_request=True,
)
"""What the register holds of Fleming's rule."""
