"""Validation cases for the searches, the formulas and the exact recursion; see `simtrial.validation.cases`."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from simtrial import search
from simtrial.design import exact
from simtrial.design.designs import Design, TwoStage, looks_text, parse_looks
from simtrial.design.requirements import N_LIMIT, Requirements
from simtrial.phrases import counted
from simtrial.search import formulas
from simtrial.validation.cases import Comparison, case_of, reference, same_digits, setting

if TYPE_CHECKING:
    from collections.abc import Iterator


def _power(beta: float) -> float:
    return round(1 - beta, 10)


def published_two_stage() -> Comparison:
    """Simon's optimal and minimax designs."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("simon1989_table1", "simon1989_table2").itertuples():
            asked = Requirements(row.p0, row.p1, row.alpha, _power(row.beta))
            found = getattr(search.two_stage(asked), row.criterion)
            looks = f"{row.r1}/{row.n1},{row.r}/{row.n}"
            expected = (
                f"{looks}: EN {row.EN_p0_exact:.4f}, PET {row.PET_p0_exact:.4f}, {row.type1:.6f}, {row.power:.6f}"
            )
            got = (
                f"{looks_text(found)}: EN {found.en_p0:.4f}, PET {found.pet_p0:.4f}, "
                f"{found.type_i_error:.6f}, {found.power:.6f}"
            )
            agrees = (
                looks_text(found) == looks
                and same_digits(found.en_p0, row.EN_p0_exact, 4)
                and same_digits(found.pet_p0, row.PET_p0_exact, 4)
                and same_digits(found.type_i_error, row.type1, 6)
                and same_digits(found.power, row.power, 6)
            )
            yield f"{row.criterion}: {setting(asked)}", expected, got, agrees

    return case_of("Published two-stage designs", "Simon 1989, Tables 1 and 2; R clinfun 1.1.5", rows())


def admissible_sets() -> Comparison:
    """Admissible designs and their weight intervals."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for (p0, p1, alpha, beta), group in reference("simon_admissible").groupby(["p0", "p1", "alpha", "beta"]):
            given = list(group.sort_values("n").itertuples())
            asked = Requirements(p0, p1, alpha, _power(beta))
            found = search.two_stage(asked).admissible
            expected = "; ".join(f"{g.r1}/{g.n1},{g.r}/{g.n}" for g in given)
            got = "; ".join(looks_text(c) for c in found)
            agrees = expected == got and all(
                same_digits(c.q_low or 0.0, g.q_lo, 4)
                and same_digits(c.q_high or 0.0, g.q_hi, 4)
                and same_digits(c.en_p0, g.EN_p0, 4)
                and same_digits(c.type_i_error, g.type1, 5)
                and same_digits(c.power, g.power, 5)
                for c, g in zip(found, given, strict=True)
            )
            yield setting(asked), expected, got, agrees

    return case_of("Admissible sets", "definition of Jung et al. 2004 by enumeration; R clinfun 1.1.5", rows())


def single_stage() -> Comparison:
    """First and sustained n of the exact single stage."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("single_stage_exact").itertuples():
            asked = Requirements(row.p0, row.p1, row.alpha, row.power)
            found = search.single_stage(asked)
            first, last = found.first, found.sustained
            expected = f">= {row.r_min}/{row.n_min}, >= {row.r_sust}/{row.n_sust}"
            got = f">= {first.r + 1}/{first.n}, >= {last.r + 1}/{last.n}"
            agrees = (
                expected == got
                and same_digits(first.type_i_error, row.a_min, 5)
                and same_digits(first.power, row.pw_min, 5)
                and same_digits(last.type_i_error, row.a_sust, 5)
                and same_digits(last.power, row.pw_sust, 5)
            )
            yield setting(asked), expected, got, agrees

    return case_of(
        "Exact single stage", "method of A'Hern 2001 by enumeration; R clinfun 1.1.5 where it overlaps", rows()
    )


FORMULA_COLUMNS = {
    "score": "score_null_alt_var",
    "wald": "wald_alt_var",
    "null_variance": "null_var_only",
    "mean_variance": "avg_p_var",
    "score_continuity": "score_cc_fleiss",
    "arcsine": "arcsine_cohen_h",
    "logit": "logit",
}
"""Each formula's column in ``sample_size_by_method.csv``."""


def textbook_formulas() -> Comparison:
    """The seven formulas, the searches beside them, and Fleming's rule with its exact errors."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for row in reference("sample_size_by_method").itertuples():
            asked = Requirements(row.p0, row.p1, row.alpha_one_sided, row.power)
            single = search.single_stage(asked)
            expected = [int(getattr(row, column)) for column in FORMULA_COLUMNS.values()]
            found = {a.method: a.n for a in formulas.approximate(asked)}
            got = [found[method] for method in FORMULA_COLUMNS]
            expected += [row.exact_single_first_n, row.exact_single_sustained_n]
            got += [single.first.n, single.sustained.n]
            if not math.isnan(row.simon_minimax):
                two = search.two_stage(asked)
                expected += [int(row.simon_minimax), int(row.simon_optimal)]
                got += [two.minimax.n, two.optimal.n]
            yield setting(asked), str(expected), str(got), expected == got
        for row in reference("single_stage_fleming").itertuples():
            asked = Requirements(row.p0, row.p1, row.alpha, row.power)
            score = formulas.approximate(asked)[0]
            expected_rule, got_rule = f">= {row.r_fleming}/{row.n_fleming}", f">= {score.r + 1}/{score.n}"
            agrees = expected_rule == got_rule and same_digits(score.type_i_error, row.a_fleming, 5)
            yield (
                f"Fleming: {setting(asked)}",
                expected_rule,
                got_rule,
                agrees and same_digits(score.power, row.pw_fleming, 5),
            )

    return case_of("Textbook formulas", "the formulas evaluated; Fleming 1982", rows())


def known_traps() -> Comparison:
    """Settings in which R clinfun 1.1.5 gives a wrong answer or none, and two lesser traps."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        asked = Requirements(0.3, 0.45, 0.05, 0.9)
        found = search.two_stage(asked).optimal
        printed = exact.operating_characteristics(parse_looks("12/39,37/100"), asked.p0).en
        got = f"{looks_text(found)} (EN {found.en_p0:.2f} against {float(printed):.2f})"
        expected = "13/40,40/110 (EN 60.77 against 62.29)"
        yield f"search limit n = 100: {setting(asked)}", expected, got, got == expected
        asked = Requirements(0.03, 0.41, 0.15, 0.85)
        found = search.two_stage(asked).optimal
        got = looks_text(found)
        yield f"r1 < r excludes 0/4,0/5: {setting(asked)}", "0/4,1/9", got, got == "0/4,1/9"
        asked = Requirements(0.15, 0.3, 0.025, 0.95)
        bound = search.two_stage(asked).certificate
        yield (
            f"one feasible n below a search limit of 100: {setting(asked)}",
            "minimax n = 100, optimum above",
            f"minimax n = {bound.n_minimax}, searched up to {bound.n_upper}",
            bound.n_minimax == 100 < bound.n_upper,
        )
        single = exact.operating_characteristics(parse_looks("2/10,2/20"), 0.1).reject
        got = f"{float(single):.4f}"
        yield "2/10,2/20 at p = 0.1: a second stage that cannot change the decision", "0.0702", got, got == "0.0702"

    return case_of("Known traps", "R clinfun 1.1.5 run on these settings; enumeration", rows())


def _count_outcomes(design: Design, p: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """Reject, PET and EN by walking every sequence of stage results: slow, and nothing to get wrong."""
    reject = early = patients = Fraction(0)
    ends = [look.n for look in design.looks]
    stages = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    open_paths = {0: Fraction(1)}
    for k, (look, m) in enumerate(zip(design.looks, stages, strict=True)):
        arrived: dict[int, Fraction] = {}
        for before, weight in open_paths.items():
            for x in range(m + 1):
                chance = math.comb(m, x) * p**x * (1 - p) ** (m - x)
                arrived[before + x] = arrived.get(before + x, Fraction(0)) + weight * chance
        last = k == len(stages) - 1
        open_paths = {}
        for x, weight in arrived.items():
            futile = look.r is not None and x <= look.r
            rejects = not futile if last else look.e is not None and x >= look.e
            if futile or rejects or last:
                reject += weight * rejects
                early += weight * (not last)
                patients += weight * look.n
            else:
                open_paths[x] = weight
    return reject, early, patients


def fractions() -> Comparison:
    """The floating-point recursion against exact fractions."""

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        designs = ("5/25", "1/10,5/29", "1/15,5/25", "2/12,7/25", "1:5/10,5/29", "0/5,2/12,:6/20,7/40", "13/40,40/110")
        for text in designs:
            design = parse_looks(text)
            for p in (Fraction(1, 10), Fraction(3, 10), Fraction(1, 2)):
                truth = [float(v) for v in _count_outcomes(design, p)]
                oc = exact.operating_characteristics(design, float(p))
                here = [float(oc.reject), float(oc.pet), float(oc.en)]
                agrees = bool(np.allclose(here, truth, rtol=1e-12, atol=0))
                expected, got = (", ".join(f"{v:.10g}" for v in values) for values in (truth, here))
                yield f"{text} at p = {float(p):g}", expected, got, agrees

    return case_of("Fractions", "every sequence of stage results, in exact fractions (reject, PET, EN)", rows())


BRUTE_FORCE_N = 160
"""Largest n_upper that is enumerated whole: the work grows with its fourth power."""


def brute_force(requirements: Requirements, n_limit: int = N_LIMIT) -> Comparison:
    """Every two-stage design up to the certificate's last n, one by one, against the search."""
    found = search.two_stage(requirements, n_limit=n_limit)
    n_upper = found.certificate.n_upper
    if n_upper > BRUTE_FORCE_N:
        return _without_enumeration(found)
    limits = ((requirements.p0, requirements.alpha), (requirements.p1, requirements.power))
    best: dict[int, float] = {}
    for n in range(2, n_upper + 1):
        for n1 in range(1, n):
            x, r = np.arange(n1 + 1), np.arange(n)[:, np.newaxis]
            terms = [stats.binom.sf(r - x, n - n1, p) * stats.binom.pmf(x, n1, p) for p, _ in limits]
            # spare[r, r1]: how far the sum over x > r1 stays on the right side of its limit
            spare0, spare1 = (
                sign * (limit - (np.cumsum(t[:, ::-1], axis=1)[:, ::-1] - t))
                for t, (_, limit), sign in zip(terms, limits, (1, -1), strict=True)
            )
            sound = x < np.minimum(r, n1)
            meets = sound & (spare0 > 1e-9) & (spare1 > 1e-9)
            close = sound & (np.minimum(spare0, spare1) >= -1e-9) & ~meets
            for i, r1 in np.argwhere(close):  # where floating point cannot tell, fractions do
                meets[i, r1] = exact.meets(TwoStage(int(r1), n1, int(i), n), requirements)
            if meets.any():
                en = n1 + stats.binom.sf(x, n1, requirements.p0) * (n - n1)
                best[n] = min(best.get(n, math.inf), float(en[meets.any(axis=0)].min()))

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        least_n, least_en = min(best, default=0), min(best.values(), default=math.nan)
        minimax, optimal = found.minimax, found.optimal
        yield "smallest n", str(least_n), str(minimax.n), least_n == minimax.n
        # sums of some hundred terms, each exact to a few units in the last place
        yield "least EN(p0)", f"{least_en:.8f}", f"{optimal.en_p0:.8f}", abs(least_en - optimal.en_p0) < 1e-10
        for c in found.admissible:
            here = best.get(c.n, math.nan)
            yield f"least EN(p0) at n = {c.n}", f"{here:.8f}", f"{c.en_p0:.8f}", abs(here - c.en_p0) < 1e-10

    return case_of("This trial", f"brute force over every design with n <= {n_upper}", rows())


def _without_enumeration(found: search.TwoStageSearch) -> Comparison:
    """What can be checked of a search too large to enumerate: its designs and its lower bound, by scipy."""
    asked, n = found.requirements, found.certificate.n_lower - 1

    def rows() -> Iterator[tuple[str, str, str, bool]]:
        for c in found.admissible:
            x = np.arange(c.r1 + 1, c.n1 + 1)
            type_i_error, power = (
                float((stats.binom.pmf(x, c.n1, p) * stats.binom.sf(c.r - x, c.n - c.n1, p)).sum())
                for p in (asked.p0, asked.p1)
            )
            # 1e-9 leaves designs that meet a limit exactly to the fractions
            meets = type_i_error <= asked.alpha + 1e-9 and power >= asked.power - 1e-9
            yield f"{looks_text(c)} meets the limits", "yes", f"{type_i_error:.6f}, {power:.6f}", meets
        r = int(stats.binom.isf(asked.alpha, n, asked.p0))
        share = (asked.alpha - stats.binom.sf(r, n, asked.p0)) / stats.binom.pmf(r, n, asked.p0)
        most = float(stats.binom.sf(r, n, asked.p1) + share * stats.binom.pmf(r, n, asked.p1))
        yield f"most powerful test of {counted(n, 'patient')}", f"< {asked.power}", f"{most:.6f}", most < asked.power

    reason = f"n_upper = {found.certificate.n_upper} is above {BRUTE_FORCE_N}"
    return case_of("This trial, not enumerated", f"scipy, for its designs and its lower bound; {reason}", rows())
