"""Validation case for second stages that depend on the first; see `simtrial.validation.cases` for what a case is.

The probabilities of each design are summed over all responses of both stages in whole numbers, which is exact, and its
trials are simulated patient by patient. Designs with few patients are searched again: of those that were found for a
cap no other may come out, and of those that were published none with fewer expected patients and as many at most.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simtrial.design import exact
from simtrial.design.branching import branching_text, parse_branching
from simtrial.design.requirements import Requirements, decimal
from simtrial.design.second_stages import SecondStage
from simtrial.search.branching import Restrictions, search
from simtrial.search.branching.two_targets import TwoTargets, two_targets
from simtrial.validation.cases import Comparison, case_of, reference, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.branching import Branching
    from simtrial.numbers import Ints

    Rows = Iterator[tuple[str, str, str, bool]]

DIGITS = 1e-9
"""Relative difference allowed: the table has ten significant digits."""

ROUNDED = 1e-11
"""Relative difference of sums in floating point from those in whole numbers."""

MOST_CAP, MOST_PUBLISHED = 18, 27
"""Largest numbers of patients of the designs that are searched here; the tests of the package search the others."""

TRIALS, SEED, FAR = 5_000, 20261127, 4.0
"""Trials simulated per design and rate, their seed, and the Monte Carlo standard errors that count as agreement: of 330
right means one is farther off in one of 48 seeds.
"""


class Behaviour(NamedTuple):
    """P(reject H0), the probability that the trial ends after its first stage, and EN."""

    reject: float
    pet: float
    en: float

    def __str__(self) -> str:
        return ", ".join(f"{value:.6g}" for value in self)

    def near(self, other: Behaviour, share: float) -> bool:
        """Whether all three are within a share of the others."""
        return all(abs(a - b) <= share * abs(b) for a, b in zip(self, other, strict=True))


def adaptive() -> Comparison:
    """What each design of the table does, and the designs with few patients found again."""

    def rows() -> Rows:
        table = reference("families/adaptive").to_dict("records")
        most = max(int(row["n_max"]) for row in table)
        uniform = np.random.default_rng(SEED).random((most, TRIALS))
        known: dict[float, Ints] = {}  # the responses of all trials after each patient, by their rate
        for row in table:
            asked, design = _asked(row), parse_branching(row["rule"])
            what = f"n1 = {design.n1}, n up to {design.n_max}: {setting(asked)}"
            for p, names in ((asked.p0, ("type_i_error", "en_p0")), (asked.p1, ("reject_p1", "en_p1"))):
                law, whole = design.at(p), counted_out(design, p)
                found = Behaviour(float(law.reject), float(law.pet), float(law.en))
                printed = Behaviour(row[names[0]], whole.pet, row[names[1]])
                yield f"{what}; all counts, p {p:g}", f"{whole}", f"{found}", found.near(whole, ROUNDED)
                yield f"{what}; printed, p {p:g}", f"{printed}", f"{found}", found.near(printed, DIGITS)
                if p not in known:
                    known[p] = (uniform < p).cumsum(axis=0, dtype=np.int64)
                seen, errors = simulated(design, known[p])
                agrees = all(abs(a - b) <= FAR * e + 1e-12 for a, b, e in zip(seen, found, errors, strict=True))
                yield f"{what}; simulated, p {p:g}", f"{found}", f"{seen}", agrees
            if row["n_max"] <= MOST_PUBLISHED if math.isnan(row["n_cap"]) else row["n_cap"] <= MOST_CAP:
                yield _searched(row, asked)
        yield from _two_targets()

    source = "Englert and Kieser 2013; an integer program; all counts in whole numbers; trials patient by patient"
    return case_of("Adaptive two-stage designs", source, rows())


def _asked(row: dict[str, Any]) -> Requirements:
    return Requirements(row["p0"], row["p1"], row["alpha"], row["power"])


def counted_out(design: Branching, p: float) -> Behaviour:
    """P(reject H0; p), the probability of an early end and EN(p), over all responses of both stages: d^N weighs all."""
    rate, last = decimal(p), design.n_max
    a, d = rate.numerator, rate.denominator
    hit, miss = [int(a**k) for k in range(last + 1)], [int((d - a) ** k) for k in range(last + 1)]

    def ways(n: int, x: int) -> int:
        return math.comb(n, x) * hit[x] * miss[n - x]

    rejected = early = patients = 0
    for x, row in enumerate(design.after):
        first, n2 = ways(design.n1, x), row.n2 if isinstance(row, SecondStage) else 0
        rest = d ** (last - design.n1 - n2)
        if isinstance(row, SecondStage):
            success = sum(ways(n2, y) for y in range(max(row.r - x + 1, 0), n2 + 1))
        else:
            success = int(row == "reject")
            early += first * rest
        rejected += first * success * rest
        patients += first * d**n2 * rest * (design.n1 + n2)
    return Behaviour(*(float(Fraction(one, d**last)) for one in (rejected, early, patients)))


def simulated(design: Branching, responses: Ints) -> tuple[Behaviour, Behaviour]:
    """The same of simulated trials, and the standard errors: rows of `responses` are counts after each patient."""
    x = responses[design.n1 - 1]
    n = design.n1 + np.array(design.n2)[x]
    bounds = np.array([row.r if isinstance(row, SecondStage) else -1 for row in design.after])
    stops = np.array([isinstance(row, str) for row in design.after])
    rejects = np.array([row == "reject" for row in design.after])
    at_end = responses[n - 1, np.arange(responses.shape[1])]
    columns = (np.where(stops[x], rejects[x], at_end > bounds[x]), stops[x], n)
    means = Behaviour(*(float(column.mean()) for column in columns))
    return means, Behaviour(*(float(column.std()) / math.sqrt(responses.shape[1]) for column in columns))


def _searched(row: dict[str, Any], asked: Requirements) -> tuple[str, str, str, bool]:
    """The design found for the cap of a row, or for its own largest n."""
    published = math.isnan(row["n_cap"])
    cap, monotone = int(row["n_max"] if published else row["n_cap"]), str(row["monotone_asked"]) != "False"
    found = search(asked, restrictions=Restrictions(cap=cap, monotone=monotone))
    value, got = found.certificate.value, branching_text(found.design)
    agrees = abs(value - row["en_p0"]) <= DIGITS * value and exact.meets(found.design, asked)
    agrees &= (got == row["rule"]) if published else found.linear_bound <= value
    order = "" if monotone else ", any order"
    what = f"least EN(p0), cap {cap}{order}: {setting(asked)}"
    return what, f"{row['en_p0']:.8g}: {row['rule']}", f"{value:.8g}: {got}", agrees


def _two_targets() -> Rows:
    """The rule of Lin and Shih, whose second stage has one of two sizes."""
    table = reference("families/lin_shih")
    for row in table[table.n_cap <= table.n_cap.min()].to_dict("records"):
        asked = Requirements(row["p0"], row["p1"], row["alpha"], row["power_p1"])
        found = two_targets(TwoTargets(asked=asked, p2=row["p2"], power=row["power_p2"]), cap=int(row["n_cap"]))
        en = float(found.design.at(asked.p0).en)
        agrees = abs(en - row["en_p0"]) <= DIGITS * en
        what = f"two targets, p2 {row['p2']:g}, cap {row['n_cap']:g}: {setting(asked)}"
        yield what, f"n1 = {row['n1']:g}, EN(p0) {row['en_p0']:.8g}", f"n1 = {found.n1}, EN(p0) {en:.8g}", agrees
