"""Validation cases for the families of designs; see `simtrial.validation.cases`."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from simtrial import search
from simtrial.design import exact
from simtrial.design.designs import TwoStage, looks_text, parse_looks
from simtrial.design.requirements import Requirements
from simtrial.errors import InputError
from simtrial.search import pairs, rules
from simtrial.search.aim import Aim
from simtrial.search.constraints import FREE, Constraints
from simtrial.search.flexible import flexible
from simtrial.search.stopping import bellman
from simtrial.validation.cases import Comparison, case_of, reference, same_digits, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simtrial.design.designs import Design
    from simtrial.search import SearchResult
    from simtrial.search.curtailment import ConditionalPower

AIMS = {"EN(p0)": Aim(en_p0=1.0), "EN(p1)": Aim(en_p1=1.0), "max EN(p)": Aim(en_max=1.0)}
WHERE = {
    "simon": ("simon", FREE),
    "mt": ("efficacy", FREE),
    "mt_free": ("efficacy", Constraints(futility_optional=True)),
    "balanced": ("simon", Constraints(balanced=True)),
    "balanced_mt": ("efficacy", Constraints(balanced=True)),
}
"""The families of ``two_stage.csv``: which family is searched, and under which constraints."""

MOST_N = 40
"""Largest n_upper of the two-stage settings that are searched here; the tests of the package search all of them."""


def _aim(criterion: str) -> Aim:
    name, least_n, _ = criterion.partition(" at least n")
    found = AIMS[name]
    return Aim(en_p0=found.en_p0, en_p1=found.en_p1, en_max=found.en_max, smallest_n=bool(least_n))


@lru_cache(maxsize=4)
def _searched(family: str, asked: Requirements, constraints: Constraints) -> Any:
    return search.FAMILIES[family].search(asked, n_limit=2000, constraints=constraints)


def _asked(row: Any) -> Requirements:
    return Requirements(row.p0, row.p1, row.alpha, row.power)


def _close(design: Design, row: Any) -> bool:
    """Whether errors and expected sizes of a design are the printed ones."""
    oc = exact.operating_characteristics(design, [row.p0, row.p1])
    found = (*oc.reject.tolist(), *oc.en.tolist())
    printed = (row.type_i_error, row.reject_p1, row.en_p0, row.en_p1)
    return all(same_digits(a, b, 8) for a, b in zip(found, printed, strict=True))


def two_looks() -> Comparison:
    """Designs with and without a stop for efficacy, free and balanced, by six criteria."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        table = reference("families/two_stage")
        for row in table[(table.n_upper <= MOST_N) & (table.family != "simon")].itertuples():
            family, constraints = WHERE[row.family]
            result: SearchResult = _searched(family, _asked(row), constraints).result(_aim(row.criterion))
            got = looks_text(result.best)
            agrees = got == row.looks and _close(result.best, row) and result.certificate.how == "proved"
            expected = row.looks
            if constraints.balanced and "least" not in row.criterion:  # searched there up to the first n with a design
                aim = _aim(row.criterion)
                least, value = (round(aim.value(one, _asked(row)), 8) for one in (parse_looks(row.looks), result.best))
                expected, got = f"at most {least:.6f} ({expected})", f"{value:.6f} ({got})"
                agrees = value <= least and exact.meets(result.best, _asked(row))
            yield f"{row.family}, {row.criterion}: {setting(_asked(row))}", expected, got, agrees

    return case_of("Efficacy stop", "Mander and Thompson 2010, Shuster 2002; independent enumeration", rows())


def three_looks() -> Comparison:
    """Three-stage designs of Chen and of Ensign."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        table = reference("families/three_stage")
        for row in table[table.n_upper <= MOST_N].itertuples():
            family = "ensign" if row.family == "ensign" else "three_stage"
            result: SearchResult = _searched(family, _asked(row), FREE).result(_aim(row.criterion))
            got = looks_text(result.best)
            agrees = got == row.looks and _close(result.best, row) and result.certificate.how == "proved"
            yield f"{row.family}, {row.criterion}: {setting(_asked(row))}", row.looks, got, agrees

    return case_of("Three stages", "Chen 1997, Ensign 1994; independent enumeration", rows())


def given_looks() -> Comparison:
    """Fleming's rule and Chang's criterion at given looks, and curtailed designs."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        yield from _fleming()
        yield from _chang()
        yield from _curtailed()

    return case_of("Rules at given looks", "Fleming 1982, Chang 1987, Law 2022, Lan 1982; enumeration", rows())


def _fleming() -> Iterator[tuple[str, str, str, bool]]:
    for row in reference("families/fleming").itertuples():
        stages = [int(n) for n in str(row.stages).split("+")]
        looks_at = np.cumsum(stages).tolist()
        what = f"Fleming, looks at {looks_at}, p0 {row.p0:g}, alpha {row.alpha_nominal:g}"
        if str(row.corner).startswith("cannot reject"):
            try:
                got = looks_text(rules.fleming(looks_at=looks_at, p0=row.p0, alpha=row.alpha_nominal))
            except InputError:
                got = "refused"
            yield what, "refused", got, got == "refused"
            continue
        design = rules.fleming(looks_at=looks_at, p0=row.p0, alpha=row.alpha_nominal)
        if str(row.corner).startswith("interim look leaves"):
            last = design.looks[-1].n
            yield what, f"ends before {looks_at[-1]}", f"ends at {last}", last < looks_at[-1]
            continue
        yield what, row.looks, looks_text(design), looks_text(design) == row.looks and _close(design, row)


def _chang() -> Iterator[tuple[str, str, str, bool]]:
    for row in reference("families/chang").itertuples():
        looks_at = (int(row.n1), int(row.n1 + row.n2))
        what = f"Chang, looks at {looks_at}: {setting(_asked(row))}"
        expected = "none" if str(row.corner) == "infeasible" else row.looks
        try:
            found = search.family(_asked(row), "chang_mean", Constraints(looks_at=looks_at))
            got = looks_text(found.best)
            agrees = got == expected and len(found.ties) + 1 == int(row.ties) and _close(found.best, row)
        except InputError:
            got, agrees = "none", expected == "none"
        yield what, expected, got, agrees


def _curtailed() -> Iterator[tuple[str, str, str, bool]]:
    table = reference("families/curtailment")
    for row in table[table.rule.isin(["stochastic", "non-stochastic", "non-stochastic, Simon"])].itertuples():
        base = row.simon if isinstance(row.simon, str) else f"{row.r:.0f}/{row.N:.0f}"
        thetas = {
            name: float(value)
            for name, value in (("theta_f", row.theta_f), ("theta_e", row.theta_e))
            if not math.isnan(value)
        }
        how: ConditionalPower = "plain" if "uncurtailed" in str(row.conditional_power) else "recursive"
        what = f"curtailed {base}, blocks of {row.block:.0f}, {thetas}, {how}, p1 {row.p1:g}"
        refused = "not a design" in str(row.corner)
        try:
            design = rules.curtailed(base=base, p1=row.p1, block=int(row.block), cp=how, **thetas)
            got, agrees = looks_text(design), not refused and looks_text(design) == row.looks and _close(design, row)
        except InputError:
            got, agrees = "refused", refused
        yield what, "refused" if refused else row.looks, got, agrees


def best_bounds() -> Comparison:
    """Bounds that no rule at given looks can beat, and the curtailed designs that the thresholds reach."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        table = reference("families/curtailment")
        for row in table[table.rule.str.startswith("lower bound")].itertuples():
            asked, n, block = _asked(row), int(row.N), int(row.block)
            looks_at = tuple(range(n % block or block, n + 1, block))
            got = bellman.least(asked, looks_at, Aim(en_p0=1.0))
            what = f"least EN(p0), looks at {looks_at[:3]} ... {n}: {setting(asked)}"
            yield what, f"{row.bound:.5f}", f"{got:.5f}", same_digits(got, row.bound, 4)

    return case_of("Best stopping bounds", "Lagrangian bound by an independent backward induction", rows())


def flexible_sizes() -> Comparison:
    """Flexible sizes of Chen and Ng."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("families/flexible").itertuples():
            asked = _asked(row)
            found = flexible(asked, k=int(row.k), cap=int(row.n_cap), minimax=row.criterion.startswith("least"))
            values = (found.type_i_error, found.power, found.en_p0)
            printed = (row.type_i_error_average, row.reject_p1_average, row.en_p0_average)
            expected, got = (", ".join(f"{v:.6f}" for v in one) for one in (printed, values))
            agrees = all(same_digits(a, b, 6) for a, b in zip(values, printed, strict=True))
            yield f"{row.criterion}, k = {row.k}: {setting(asked)}", expected, got, agrees

    return case_of("Flexible sizes", "the criterion of Chen and Ng 1998; independent enumeration", rows())


def limits_of_others() -> Comparison:
    """What limits of other programs' searches lose: the same searches here, restricted and not."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        missed = 0
        table = reference("simon1989_table1", "simon1989_table2")
        for row in table.sort_values(["p0", "p1", "alpha", "beta"]).itertuples():
            design = _within_lrstat(Requirements(row.p0, row.p1, row.alpha, round(1 - row.beta, 10)), row.criterion)
            missed += design is None or looks_text(design) != f"{row.r1}/{row.n1},{row.r}/{row.n}"
        what = "R lrstat: n1 from 15% to 85% of n: Simon's published designs that are not found"
        yield what, f"6 of {len(table)}", f"{missed} of {len(table)}", missed == 6
        asked = Requirements(0.15, 0.25, 0.05, 0.9)
        n = search.two_stage(asked).optimal.n
        yield f"R lrstat: n at most 110: {setting(asked)}", "optimal n above 110", f"optimal n = {n}", n > 110
        asked = Requirements(0.5, 0.9, 0.125, 0.729)
        found = search.family(asked, "optimal").best
        at = exact.at_limits(TwoStage(0, 1, 2, 3), asked)
        got = f"{looks_text(found)}; at its limits: {', '.join(at)}"
        what = f"R curtailment: limits by < and >, so that designs at a limit are left out: {setting(asked)}"
        yield what, "0/1,2/3; at its limits: alpha, power", got, got == "0/1,2/3; at its limits: alpha, power"
        asked = Requirements(0.8, 0.95, 0.05, 0.8)
        best = search.family(asked, "efficacy_en_p1").best
        first, last = best.looks
        got = f"{looks_text(best)}: r - r1 = {(last.r or 0) - (first.r or 0)}, n2 = {last.n - first.n}"
        what = f"R mtdesign: designs with r - r1 >= n2 are left out: {setting(asked)}"
        yield what, "13:16/16,29/32: r - r1 = 16, n2 = 16", got, got == "13:16/16,29/32: r - r1 = 16, n2 = 16"
        asked = Requirements(0.1, 0.25, 0.1, 0.8)
        fewest = search.family(asked, "efficacy_en_p0_minimax").best
        lost = float(exact.operating_characteristics(parse_looks(f"{fewest.r}/{fewest.n}"), asked.p1).reject)
        got = f"n = {fewest.n}; P(X > r) = {lost:.4f}"
        what = f"P(X > r; p1) >= power as a cut: with it n = 31: {setting(asked)}"
        yield what, "n = 29, P(X > r) below 0.8", got, fewest.n == 29 and lost < 0.8

    return case_of("Limits of other searches", "their source code, restated as a restriction of this search", rows())


def _within_lrstat(asked: Requirements, criterion: str) -> Design | None:
    """The design that is best among those that lrstat looks at: see `limits_of_others`."""
    middle, z = (asked.p0 + asked.p1) / 2, NormalDist().inv_cdf
    width = (z(1 - asked.alpha) + z(asked.power)) / (asked.p1 - asked.p0)
    rough = math.floor(middle * (1 - middle) * width**2)
    found = pairs.meeting(asked, min(110, 2 * rough))
    seen = (found.n1 >= np.maximum(1, (0.15 * found.n).astype(int))) & (found.n >= rough // 2)
    seen &= (found.n1 <= np.minimum(found.n - 1, (0.85 * found.n).astype(int))) & (found.n1 > 0)
    some = found.those(seen)
    if not len(some):
        return None
    en, n = some.en[0].round(9), some.n
    return some.design(int(np.lexsort((n, en) if criterion == "optimal" else (en, n))[0]))
