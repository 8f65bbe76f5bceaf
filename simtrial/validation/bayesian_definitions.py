"""Validation case for Bayesian rules by their definition; see `simtrial.validation.cases` for what a case is.

The case comes to the bounds, and to what they do, by other ways than the package:

* Predictive probabilities are those of an urn, patient by patient, in whole numbers: the next patient responds with
  probability (a + x) / (a + b + n). Posterior probabilities are integrals by adaptive quadrature. Both rise with the
  responses, so that the counts on both sides of a bound decide.
* P(reject H0) and EN are summed over all counts in whole numbers, which is exact.
* Trials are simulated patient by patient and judged by the probability at each look, never by a bound.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import integrate, special, stats

from simtrial.design import exact
from simtrial.design.requirements import decimal
from simtrial.validation.bayesian_rows import RuleRow, compared_rates, prior_of, rules
from simtrial.validation.cases import Comparison, case_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.numbers import Bools, Ints
    from simtrial.search.bayesian.posterior import BetaPrior

    Rows = Iterator[tuple[str, str, str, bool]]

ROUNDED = 1e-11
"""Relative difference of sums in floating point from those in whole numbers."""

TRIALS, SEED, FAR = 10_000, 20261127, 4.0
"""Trials simulated per rule and rate, their seed, and the Monte Carlo standard errors that count as agreement: of 256
right means one is farther off in one of 60 seeds.
"""

MOST_N = 60
"""The largest number of patients of a rule."""

EVERY = 5
"""Integrals over the rate of the standard are taken after every fifth patient, to spare time."""


def definitions() -> Comparison:
    """Every rule by its definition, in whole numbers, by quadrature and by simulated trials."""

    def rows() -> Rows:
        uniform = np.random.default_rng(SEED).random((MOST_N, TRIALS))
        known: dict[float, Ints] = {}  # the responses of all trials after each patient, by their rate
        for rule in rules():
            design, judged = rule.design(), [_judged(rule, n) for n in rule.looks_at]
            wrong = [f"{x} of {n}" for n, x in _beside(design) if not _as_defined(rule, design, n, x)]
            yield f"{rule.what}: counts beside the bounds", "as defined", ", ".join(wrong) or "as defined", not wrong
            oc = exact.operating_characteristics(design, rule.rates)
            for k, p in enumerate(rule.rates):
                reject, en = counted_out(design, p)
                values = (float(oc.reject[k]), float(oc.en[k]))
                agrees = all(abs(a - b) <= ROUNDED * b for a, b in zip(values, (reject, en), strict=True))
                yield _row(f"{rule.what}: all counts, p {p:g}", (reject, en), values, agrees)
                if p not in known:
                    known[p] = (uniform < p).cumsum(axis=0, dtype=np.int64)
                seen, errors = _simulated(rule, known[p], judged)
                agrees = all(abs(a - b) <= FAR * e + 1e-12 for a, b, e in zip(seen, values, errors, strict=True))
                yield _row(f"{rule.what}: simulated, p {p:g}", values, seen, agrees)
        for what, row, found in compared_rates():
            wrong = _wrongly_compared(row, found.split())
            yield f"{what}: counts beside the bounds", "as defined", ", ".join(wrong) or "as defined", not wrong

    source = "the definitions: an urn and all counts in whole numbers, quadrature, trials simulated patient by patient"
    return case_of("Bayesian rules by definition", source, rows())


def _row(what: str, expected: tuple[float, ...], found: tuple[float, ...], agrees: bool) -> tuple[str, str, str, bool]:
    before, after = (", ".join(f"{value:.5g}" for value in values) for values in (expected, found))
    return what, before, after, agrees


def _beside(design: Design) -> Iterator[tuple[int, int]]:
    """Counts on both sides of every bound, by the patients of their look."""
    for look in design.looks:
        futile, effective = -1 if look.r is None else look.r, look.n + 1 if look.e is None else look.e
        yield from ((look.n, x) for x in sorted({futile, futile + 1, effective - 1, effective}) if 0 <= x <= look.n)


def _as_defined(rule: RuleRow, design: Design, n: int, x: int) -> bool:
    """Whether what the bounds say of a count is what the definition says."""
    look, last = next(one for one in design.looks if one.n == n), rule.looks_at[-1]
    futile, effective = look.r is not None and x <= look.r, look.e is not None and x >= look.e
    row, p0, prior = rule.row, rule.row["p0"], rule.prior
    if row["family"] == "bop2":
        return bool(futile == (_posterior(prior, p0, n, x) < row["lam"] * (n / last) ** row["gam"]))
    if n == last:
        return bool(futile == (_posterior(prior, p0, n, x) <= row["theta_t"]))
    chance = urn(prior, n, x, last, rule.final)
    if n == design.looks[-1].n:  # the trial ends before the last look: every count is futile or effective
        effective = not futile
    return futile == (chance < decimal(row["theta_l"])) and effective == (chance > decimal(row["theta_u"]))


def _posterior(prior: BetaPrior, p0: float, n: int, x: int) -> float:
    """P(p > p0 | x of n) by quadrature of the density."""
    a, b = prior.a + x, prior.b + n - x
    scale = special.betaln(a, b)

    def density(p: float) -> float:
        return math.exp((a - 1) * math.log(p) + (b - 1) * math.log1p(-p) - scale)

    return float(integrate.quad(density, p0, 1.0)[0])


def urn(prior: BetaPrior, n: int, x: int, last: int, r: int) -> Fraction:
    """P(X_N > r | x of n): patient by patient from an urn, in whole numbers."""
    a, b = decimal(prior.a), decimal(prior.b)
    unit = math.lcm(a.denominator, b.denominator)
    hit, every = int(a * unit), int((a + b) * unit)
    ways, whole = {x: 1}, 1
    for m in range(n, last):
        moved = dict.fromkeys(range(x, x + m - n + 2), 0)
        for y, many in ways.items():
            moved[y + 1] += many * (hit + y * unit)
            moved[y] += many * (every - hit + (m - y) * unit)
        ways, whole = moved, whole * (every + m * unit)
    return Fraction(sum(many for y, many in ways.items() if y > r), whole)


def counted_out(design: Design, p: float) -> tuple[float, float]:
    """P(reject H0; p) and EN(p), patient by patient in whole numbers: the rate is a / d, and d^N weighs all."""
    rate, looks = decimal(p), {look.n: look for look in design.looks}
    last = design.looks[-1].n
    a, d = rate.numerator, rate.denominator
    here, rejected, patients = {0: 1}, 0, 0
    for n in range(1, last + 1):
        patients += sum(here.values()) * d ** (last - n + 1)
        moved = dict.fromkeys(range(n + 1), 0)
        for x, many in here.items():
            moved[x] += many * (d - a)
            moved[x + 1] += many * a
        here = moved
        if (look := looks.get(n)) is not None:
            futile = -1 if look.r is None else look.r
            success = futile + 1 if n == last else n + 1 if look.e is None else look.e
            rejected += sum(many for x, many in here.items() if x >= success) * d ** (last - n)
            here = {x: many for x, many in here.items() if futile < x < success}
    return float(Fraction(rejected, d**last)), float(Fraction(patients, d**last))


def _simulated(
    rule: RuleRow, responses: Ints, judged: list[tuple[Bools, Bools]]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The share of simulated trials that reject H0 and their mean number of patients, and the errors of both."""
    running, rejected = np.ones(TRIALS, np.bool_), np.zeros(TRIALS, np.bool_)
    patients = np.full(TRIALS, float(rule.looks_at[-1]))
    for n, (low, high) in zip(rule.looks_at, judged, strict=True):
        x = responses[n - 1]
        futile, effective = running & low[x], running & high[x]
        rejected |= effective
        patients[futile | effective] = n
        running &= ~(futile | effective)
    columns = (rejected, patients)
    return (
        tuple(float(column.mean()) for column in columns),
        tuple(float(column.std()) / math.sqrt(TRIALS) for column in columns),
    )


def _judged(rule: RuleRow, n: int) -> tuple[Bools, Bools]:
    """Which counts of a look are futile, and which reject H0, by the probabilities of scipy."""
    row, prior, last, x = rule.row, rule.prior, rule.looks_at[-1], np.arange(n + 1)
    if n == last or row["family"] == "bop2":
        beyond = stats.beta.sf(row["p0"], prior.a + x, prior.b + n - x)
        bop2 = row["family"] == "bop2"
        low = beyond < row["lam"] * (n / last) ** row["gam"] if bop2 else beyond <= row["theta_t"]
        return low, ~low if n == last else np.zeros_like(low)
    at_end = np.arange(last + 1)
    r = at_end[stats.beta.sf(row["p0"], prior.a + at_end, prior.b + last - at_end) <= row["theta_t"]].max()
    later, (hit, miss) = np.arange(last - n + 1), (prior.a + x, prior.b + n - x)
    law = stats.betabinom.pmf(later, last - n, hit[:, np.newaxis], miss[:, np.newaxis])
    chance = np.minimum((law * (x[:, np.newaxis] + later > r)).sum(axis=1), 1.0)  # rounded sums pass 1
    return chance < row["theta_l"], chance > row["theta_u"]


def _wrongly_compared(row: dict[str, Any], bounds: list[str]) -> list[str]:
    """Counts beside the bounds of Thall and Simon whose side quadrature does not confirm."""
    new, standard, delta = prior_of(row["prior_e"]), prior_of(row["prior_s"]), float(row["delta"])
    wrong = []
    for n, bound in list(enumerate(bounds, start=1))[EVERY - 1 :: EVERY]:
        if row["kind"] == "futility":
            least = 0 if bound == "-" else int(bound) + 1  # the smallest count that continues
        else:
            least = n + 1 if bound == "-" else int(bound)
        for x in (least - 1, least):
            if 0 <= x <= n:
                chance = _compared(new, standard, delta, n, x)
                low = chance < row["theta"] if row["kind"] == "futility" else chance <= row["theta"]
                wrong += [f"{x} of {n}"] * (low != (x < least))
    return wrong


def _compared(new: BetaPrior, standard: BetaPrior, delta: float, n: int, x: int) -> float:
    """P(pE > pS + delta | x of n) by quadrature over pS."""
    scale = special.betaln(standard.a, standard.b)
    spread = math.sqrt(standard.mean * (1 - standard.mean) / (standard.size + 1))
    points = [one for k in (-8, -3, 0, 3, 8) if 0 < (one := standard.mean + k * spread) < 1 - delta]

    def integrand(s: float) -> float:
        density = math.exp((standard.a - 1) * math.log(s) + (standard.b - 1) * math.log1p(-s) - scale)
        return density * float(special.betaincc(new.a + x, new.b + n - x, s + delta))

    return float(integrate.quad(integrand, 0.0, 1 - delta, points=points or None)[0])
